/* SPDX-License-Identifier: MIT */
/* Idioms of target fault that run instructions: at a VMA, from kernel code, across a page edge. */
#include "mutator.h"

#include <faultline/fuzz/insn.h>
#include <faultline/fuzz/world.h>
#include <string.h>

#define PAGE 4096u

static uint64_t page_of(uint64_t va)
{
    return va & ~(uint64_t)(PAGE - 1);
}

/* Addresses that code of the machine's size can form. */
static uint64_t reachable(const struct fl_mutation *m, uint64_t va)
{
    return m->machine.code_bits == 64 ? va : (uint32_t)va;
}

static struct fl_record *add_vma(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t start, uint32_t pages,
                                 unsigned flags)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_VMA);
    uint64_t random = fl_draw(m);

    r->u.vma.start = start;
    r->u.vma.pages = pages;
    r->u.vma.flags = (uint8_t)flags;
    if ((random & 7) == 0)
        r->u.vma.flags |= FL_VMA_SHARED;
    if ((random & 0x30) == 0) {
        r->u.vma.flags |= FL_VMA_FILE;
        r->u.vma.file = (uint8_t)(random >> 8 & 3);
        r->u.vma.pgoff = (uint32_t)(random >> 16 & 3);
        r->u.vma.file_pages = random & 0x40 ? 64 : (uint32_t)(random >> 24 & 7);
    }
    return r;
}

static unsigned data_flags(struct fl_mutation *m)
{
    static const uint8_t flags[] = {FL_PROT_READ | FL_PROT_WRITE,
                                    FL_PROT_READ | FL_PROT_WRITE,
                                    FL_PROT_READ | FL_PROT_WRITE,
                                    FL_PROT_READ,
                                    FL_PROT_READ,
                                    FL_PROT_READ | FL_PROT_EXEC,
                                    FL_PROT_WRITE,
                                    FL_PROT_BITS,
                                    0,
                                    FL_PROT_EXEC};

    return FL_PICK(m, flags);
}

/* Where in [start, start + pages) an access of that size does something of interest; inside: all of it within. */
static uint64_t aim_at(struct fl_mutation *m, uint64_t start, uint32_t pages, unsigned size, bool inside)
{
    uint64_t end = start + (uint64_t)pages * PAGE, into = fl_below(m, size + 1);

    if (inside) {
        if (pages > 1 && fl_one_in(m, 2))
            return start + PAGE * (uint64_t)(1 + fl_below(m, pages - 1)) - into;
        return start + fl_below(m, pages * PAGE - size);
    }
    switch (fl_below(m, 8)) {
    case 0: return end - into;                                         /* over the end */
    case 1: return start - into;                                       /* over the start */
    case 2: return start + PAGE * (uint64_t)fl_below(m, pages) - into; /* over an edge inside */
    case 3: return end - size;
    case 4: return fl_value_address(m);
    case 5: return start;
    default: return start + fl_below(m, pages > 64 ? 64 * PAGE : pages * PAGE);
    }
}

/* A row that exists in the machine's code size; at most two out of three do not. */
static const struct fl_insn *pick_insn(struct fl_mutation *m, int kind)
{
    size_t count;
    const struct fl_insn *rows = fl_insn_rows(&count);
    uint32_t at = fl_below(m, (uint32_t)count);

    for (size_t tries = 0; tries < count; tries++, at = (at + 1) % (uint32_t)count)
        if ((kind < 0 || rows[at].kind == kind) && fl_insn_form(&rows[at], m->machine.code_bits))
            return &rows[at];
    return &rows[0];
}

static void add_insn(struct fl_mutation *m, struct fl_idiom_out *out, const struct fl_insn *insn,
                     const struct fl_insn_aim *aim)
{
    if (out->n + FL_INSN_MAX_RECORDS <= FL_IDIOM_MAX_RECORDS)
        out->n += (uint32_t)fl_insn_records(insn, aim, out->r + out->n);
    (void)m;
}

/* One instruction, all of it aimed at the VMA. */
static void run_at(struct fl_mutation *m, struct fl_idiom_out *out, struct fl_insn_aim *aim, uint64_t start,
                   uint32_t pages, bool inside)
{
    const struct fl_insn *insn = pick_insn(m, -1);
    const struct fl_insn_form *form = fl_insn_form(insn, aim->bits);
    unsigned size = form ? form->size : 1;

    aim->target = reachable(m, aim_at(m, start, pages, size, inside));
    aim->target2 = reachable(m, aim_at(m, start, pages, size, inside));
    /* A few elements, or over the next page edge. */
    aim->count = inside || fl_one_in(m, 2) ? fl_below(m, 5) : fl_below(m, 2 * PAGE / (size ? size : 1));
    add_insn(m, out, insn, aim);
}

static void fetch(struct fl_mutation *m, struct fl_idiom_out *out, struct fl_insn_aim *aim, uint64_t code)
{
    const struct fl_insn *insn;
    uint64_t target = reachable(m, fl_value_user_page(m));

    switch (fl_below(m, 4)) {
    case 0: /* the instruction straddles the end of its page, and the next page is another VMA or none */
        add_vma(m, out, code, 1, FL_PROT_READ | FL_PROT_EXEC);
        if (fl_one_in(m, 2))
            add_vma(m, out, code + PAGE, 1, data_flags(m));
        insn = pick_insn(m, -1);
        aim->ip = code + PAGE - 1 - fl_below(m, 4);
        aim->target = code;
        add_insn(m, out, insn, aim);
        return;
    case 1: /* both pages are code, neither is there yet */
        add_vma(m, out, code, 2, FL_PROT_READ | FL_PROT_EXEC);
        insn = pick_insn(m, -1);
        aim->ip = code + PAGE - 1 - fl_below(m, 4);
        aim->target = code + PAGE;
        add_insn(m, out, insn, aim);
        return;
    case 2: /* code in a VMA that must not be run */
        add_vma(m, out, code, 1, data_flags(m));
        add_insn(m, out, pick_insn(m, -1), aim);
        return;
    default: /* a jump to data, or to nothing */
        add_vma(m, out, code, 1, FL_PROT_READ | FL_PROT_EXEC);
        if (fl_one_in(m, 2))
            add_vma(m, out, target, 1, data_flags(m));
        aim->target = fl_one_in(m, 4) ? fl_value_address(m) : target + fl_below(m, PAGE);
        add_insn(m, out, pick_insn(m, FL_INSN_JUMP), aim);
        return;
    }
}

void fl_idiom_exec(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out)
{
    struct fl_insn_aim aim = {
        .mode = (enum fl_mode)m->machine.mode,
        .bits = m->machine.code_bits,
        .user = idiom != FL_IDIOM_KERNEL,
        .flags = 0x202,
    };
    uint64_t code = page_of(m->machine.ip), data = reachable(m, fl_value_user_page(m));
    uint32_t pages = 1 + fl_below(m, 4);
    struct fl_record *r;
    bool inside;

    if (code >= fl_value_task_size(m) || fl_one_in(m, 8))
        code = fl_value_user_page(m);
    code = reachable(m, code);
    aim.ip = code + fl_below(m, 16) * 16;
    if (idiom == FL_IDIOM_FETCH) {
        fetch(m, out, &aim, code);
        return;
    }
    if (idiom == FL_IDIOM_KERNEL) {
        code = reachable(m, fl_value_kernel_page(m));
        aim.ip = code + fl_below(m, 16) * 16;
        r = fl_idiom_add(out, FL_REC_MAP);
        r->u.map.va = code;
        r->u.map.level = 1;
        r->u.map.frame = (uint16_t)(FL_RAM_POOL_END + fl_below(m, FL_RAM_FRAMES - FL_RAM_POOL_END));
        r->u.map.flags = FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_ACCESSED | FL_MAP_DIRTY | FL_MAP_GLOBAL;
        if (!fl_one_in(m, 4)) {
            r = fl_idiom_add(out, FL_REC_EXTABLE);
            r->u.extable.ip = aim.ip;
            r->u.extable.fixup = code + 0x800;
            /* int3: the run ends there. */
            r = fl_idiom_add(out, FL_REC_BYTES);
            r->u.bytes.va = code + 0x800;
            r->u.bytes.n = 1;
            r->u.bytes.data[0] = 0xcc;
        }
    } else {
        add_vma(m, out, code, 1, FL_PROT_READ | FL_PROT_EXEC);
    }
    /* Every other time nothing is meant to go wrong: each fault is handled, and the end can be compared. */
    inside = fl_one_in(m, 2);
    r = add_vma(m, out, data, pages, inside ? FL_PROT_READ | FL_PROT_WRITE : data_flags(m));
    if (inside && r->u.vma.flags & FL_VMA_FILE)
        r->u.vma.file_pages = 64;
    if (!inside && fl_one_in(m, 4))
        r->u.vma.flags |= FL_VMA_GROWSDOWN;
    for (unsigned i = 1 + fl_below(m, 2); i; i--)
        run_at(m, out, &aim, data, pages, inside);
}
