/* SPDX-License-Identifier: MIT */
/* Idioms of target fault with given CR2 and error code. */
#include "mutator.h"

#include <faultline/fuzz/world.h>

#define PAGE 4096u

struct fl_record *fl_add_vma(struct fl_idiom_out *out, uint64_t start, uint32_t pages, unsigned flags)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_VMA);

    r->u.vma.start = start;
    r->u.vma.pages = pages;
    r->u.vma.flags = (uint8_t)flags;
    r->u.vma.file_pages = 2;
    return r;
}

struct fl_record *fl_add_fault(struct fl_idiom_out *out, uint64_t cr2, uint32_t code)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_FAULT);

    r->u.fault.cr2 = cr2;
    r->u.fault.code = code;
    return r;
}

struct fl_record *fl_add_regs(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t ip, uint64_t sp, bool user)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_REGS);

    r->u.regs.ip = ip;
    r->u.regs.sp = sp;
    r->u.regs.flags = fl_value_flags(m);
    r->u.regs.user = user;
    r->u.regs.code_bits = m->machine.code_bits;
    return r;
}

void fl_add_touch(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_TOUCH);
    uint64_t random = fl_draw(m);

    /* Kernel mappings are mostly the kernel's to touch. */
    r->u.touch.va = va;
    r->u.touch.kind = (uint8_t)(random & 3 ? random >> 2 & 1 : FL_FETCH);
    r->u.touch.priv = (random >> 8 & 7) >= (va < fl_value_task_size(m) ? 5u : 1u) ? FL_SUPERVISOR : FL_USER;
}

void fl_add_inject(struct fl_idiom_out *out, enum fl_inject_op op)
{
    fl_idiom_add(out, FL_REC_INJECT)->u.inject.op = (uint8_t)op;
}

void fl_add_extable(struct fl_idiom_out *out, uint64_t ip, uint64_t fixup)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_EXTABLE);

    r->u.extable.ip = ip;
    r->u.extable.fixup = fixup;
}

void fl_add_kernel_map(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned level, unsigned flags)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_MAP);

    r->u.map.va = va;
    r->u.map.level = (uint8_t)level;
    r->u.map.frame = (uint16_t)(FL_RAM_POOL_END + fl_below(m, FL_RAM_FRAMES - FL_RAM_POOL_END));
    r->u.map.flags = (uint8_t)flags;
}

void fl_add_ldt(struct fl_idiom_out *out, unsigned index, unsigned bits, uint32_t base, uint32_t limit)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_LDT);

    r->u.ldt.index = (uint8_t)index;
    r->u.ldt.bits = (uint8_t)bits;
    r->u.ldt.base = base;
    r->u.ldt.limit = limit;
}

void fl_add_cs(struct fl_idiom_out *out, unsigned selector)
{
    fl_idiom_add(out, FL_REC_CS)->u.cs.selector = (uint16_t)selector;
}

/* A task that gets as far as handle_mm_fault. */
void fl_machine_settle(struct fl_mutation *m)
{
    m->machine.has_mm = true;
    m->machine.in_atomic = m->machine.in_nmi = m->machine.faults_disabled = false;
    fl_machine_changed(m);
}

/* A growing stack: faults around its start, the cushion below rSP, the guard gap above its neighbour, the limit. */
static void stack(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t top = fl_value_user_page(m), word = fl_is_ia32e(m) ? 8 : 4, start, sp, cr2;
    uint32_t pages = 1 + fl_below(m, 8);

    if (fl_one_in(m, 2))
        top = m->machine.sp & ~(uint64_t)(PAGE - 1);
    start = top - (uint64_t)pages * PAGE;
    fl_add_vma(out, start, pages, FL_PROT_READ | FL_PROT_WRITE | FL_VMA_GROWSDOWN);
    if (fl_one_in(m, 3)) {
        /* What it must not grow into: touching, one gap away, or nearly. */
        uint64_t below = start - (1 + fl_below(m, 3)) * PAGE;

        below -= fl_one_in(m, 2) ? m->machine.guard_pages * (uint64_t)PAGE : fl_below(m, 3) * PAGE;
        fl_add_vma(out, below, fl_one_in(m, 2) ? 1 : 2, FL_PROT_READ);
        if (fl_one_in(m, 3))
            out->r[out->n - 1].u.vma.flags |= FL_VMA_GROWSDOWN;
    }
    sp = fl_one_in(m, 2) ? start + 8 * fl_below(m, 512) : fl_value_nudge(m, start);
    fl_add_regs(m, out, m->machine.ip, sp, !fl_one_in(m, 8));
    for (unsigned i = 1 + fl_below(m, 3); i; i--) {
        switch (fl_below(m, 6)) {
        case 0: cr2 = sp - 65536 - 32 * word; break;
        case 1: cr2 = sp - 65536 - 32 * word - 1 - fl_below(m, 8); break;
        case 2: cr2 = sp - 65536 - 32 * word + fl_below(m, 8); break;
        case 3: cr2 = top - (uint64_t)m->machine.stack_pages * PAGE - fl_below(m, 2); break;
        case 4: cr2 = start - 1 - fl_below(m, 4 * PAGE); break;
        default: cr2 = fl_value_nudge(m, start - PAGE); break;
        }
        fl_add_fault(out, cr2, fl_one_in(m, 4) ? fl_value_error_code(m) : 6);
    }
}

/* Touched, changed, touched again. */
static void change(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t kinds[] = {FL_REC_UNMAP, FL_REC_PROTECT, FL_REC_PROTECT, FL_REC_ZAP};
    uint64_t start = fl_value_user_page(m), cr2;
    uint32_t pages = 1 + fl_below(m, 4), code = fl_value_error_code(m);
    struct fl_record *r;

    cr2 = start + fl_below(m, pages * PAGE);
    fl_add_vma(out, start, pages, fl_one_in(m, 4) ? fl_below(m, 64) : FL_PROT_READ | FL_PROT_WRITE);
    fl_add_fault(out, cr2, code);
    r = fl_idiom_add(out, (enum fl_record_kind)FL_PICK(m, kinds));
    r->u.range.start = start + PAGE * (uint64_t)fl_below(m, pages);
    r->u.range.pages = 1 + fl_below(m, pages);
    r->u.range.prot = (uint8_t)(r->kind == FL_REC_PROTECT ? fl_below(m, 8) : 0);
    fl_add_fault(out, cr2, fl_one_in(m, 2) ? code : fl_value_error_code(m));
}

/* User code, or kernel code with or without a fix-up. */
static void some_code(struct fl_mutation *m, struct fl_idiom_out *out, bool user)
{
    uint64_t ip = user ? m->machine.ip : fl_value_kernel_page(m), fixup = fl_value_kernel_page(m);

    fl_add_regs(m, out, ip, m->machine.sp, user);
    if (!user && fl_one_in(m, 2))
        fl_add_extable(out, ip, fixup);
}

/* Up to four answers before the access goes on or ends, the signal that ends the wait, and the same fault once more. */
static void retry(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t answers[] = {FL_INJ_MM_RETRY,       FL_INJ_MM_RETRY,   FL_INJ_MM_RETRY_MAJOR,
                                      FL_INJ_MM_RETRY_MAJOR, FL_INJ_MM_MAJOR,   FL_INJ_MM_OOM,
                                      FL_INJ_MM_SIGBUS,      FL_INJ_MM_SIGSEGV, FL_INJ_MM_HWPOISON};
    static const uint8_t codes[] = {6, 6, 4, 4, 7, 20};
    uint64_t start = fl_value_user_page(m), cr2 = start + fl_below(m, 2 * PAGE);
    bool user = !fl_one_in(m, 3);
    uint32_t code = FL_PICK(m, codes);

    m->machine.fault_retry = !fl_one_in(m, 8);
    if (fl_one_in(m, 4))
        m->machine.pid = 1;
    fl_machine_settle(m);
    fl_add_vma(out, start, 2, FL_PROT_READ | FL_PROT_WRITE | (fl_one_in(m, 4) ? FL_VMA_FILE : 0));
    some_code(m, out, user);
    for (unsigned i = 0, n = 1 + fl_below(m, 4); i < n; i++)
        fl_add_inject(out, (enum fl_inject_op)(i == 0 ? FL_INJ_MM_RETRY + fl_below(m, 2) : FL_PICK(m, answers)));
    if (fl_one_in(m, 3))
        fl_add_inject(out, FL_INJ_FATAL_SIGNAL);
    if (fl_one_in(m, 4))
        fl_add_inject(out, FL_INJ_LOCK_CONTENDED);
    fl_add_fault(out, cr2, user ? code : code & ~4u);
    if (fl_one_in(m, 2))
        fl_add_fault(out, cr2, user ? code : code & ~4u);
}

static void starved(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t then[] = {FL_INJ_MM_OOM, FL_INJ_MM_OOM, FL_INJ_MM_RETRY, FL_INJ_MM_SIGBUS, FL_INJ_MM_MAJOR};
    uint64_t start = fl_value_user_page(m), cr2 = start + fl_below(m, PAGE);
    bool user = !fl_one_in(m, 3);

    m->machine.pid = fl_one_in(m, 6) ? 1000 : 1;
    m->machine.comm = (uint8_t)fl_below(m, 4);
    if (fl_one_in(m, 2))
        m->machine.fault_retry = true;
    fl_machine_settle(m);
    fl_add_vma(out, start, 1 + fl_below(m, 2), FL_PROT_READ | FL_PROT_WRITE);
    some_code(m, out, user);
    fl_add_inject(out, FL_INJ_MM_OOM);
    if (fl_one_in(m, 2))
        fl_add_inject(out, (enum fl_inject_op)FL_PICK(m, then));
    if (!fl_one_in(m, 3))
        fl_add_inject(out, fl_one_in(m, 2) ? FL_INJ_YIELD_UNMAP : FL_INJ_YIELD_PROTECT);
    fl_add_fault(out, cr2, (user ? 4u : 0u) | (fl_one_in(m, 4) ? 0 : 2));
}

/* handle_mm_fault has bad news; the code at ip may be a prefetch, which then does not mind. */
static void poison(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t news[] = {FL_INJ_MM_HWPOISON,       FL_INJ_MM_HWPOISON, FL_INJ_MM_HWPOISON_LARGE,
                                   FL_INJ_MM_HWPOISON_LARGE, FL_INJ_MM_SIGBUS,   FL_INJ_MM_SIGSEGV};
    uint64_t start = fl_value_user_page(m), code = m->machine.ip & ~(uint64_t)(PAGE - 1), cr2;
    bool user = !fl_one_in(m, 4);
    struct fl_record *r;

    m->machine.comm = (uint8_t)fl_below(m, 4);
    fl_machine_settle(m);
    fl_add_vma(out, start, 2, FL_PROT_READ | FL_PROT_WRITE);
    cr2 = start + fl_below(m, 2 * PAGE);
    if (fl_one_in(m, 2)) {
        fl_add_vma(out, code, 1, FL_PROT_READ | FL_PROT_EXEC);
        r = fl_idiom_add(out, FL_REC_BYTES);
        r->u.bytes.va = m->machine.ip;
        r->u.bytes.n = (uint8_t)fl_prefetch_bytes(m, fl_one_in(m, 3) ? FL_IDIOM_NEAR : FL_IDIOM_RUN,
                                                  m->machine.code_bits, r->u.bytes.data);
    }
    some_code(m, out, user);
    fl_add_inject(out, (enum fl_inject_op)FL_PICK(m, news));
    fl_add_fault(out, cr2, (user ? 4u : 0u) | (fl_one_in(m, 2) ? 2 : 0));
}

void fl_idiom_fault(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out)
{
    uint64_t start, ip, cr2, fixup;
    uint32_t pages, code;
    struct fl_record *r;

    switch (idiom) {
    case FL_IDIOM_RAW:
        start = fl_value_user_page(m);
        pages = fl_value_pages(m);
        fl_add_vma(out, start, pages, fl_one_in(m, 2) ? FL_PROT_READ | FL_PROT_WRITE : fl_below(m, 64));
        for (unsigned i = 1 + fl_below(m, 4); i; i--) {
            uint64_t edge = fl_one_in(m, 2) ? start - PAGE : start + (pages - 1) * (uint64_t)PAGE;

            edge = fl_value_nudge(m, edge);
            if (fl_one_in(m, 4))
                fl_add_touch(m, out, edge);
            else
                fl_add_fault(out, edge, fl_value_error_code(m));
        }
        break;
    case FL_IDIOM_STACK: stack(m, out); break;
    case FL_IDIOM_CHANGE: change(m, out); break;
    case FL_IDIOM_FIXUP:
        ip = fl_value_kernel_page(m);
        ip += fl_below(m, PAGE);
        fl_add_regs(m, out, ip, m->machine.sp, fl_one_in(m, 8));
        fixup = fl_value_kernel_page(m);
        fixup += fl_below(m, PAGE);
        fl_add_extable(out, fl_one_in(m, 8) ? ip + 1 : ip, fixup);
        cr2 = fl_value_address(m);
        code = fl_value_error_code(m);
        fl_add_fault(out, cr2, fl_one_in(m, 8) ? code : code & ~4u);
        break;
    case FL_IDIOM_RETRY: retry(m, out); break;
    case FL_IDIOM_STARVED: starved(m, out); break;
    case FL_IDIOM_POISON: poison(m, out); break;
    default: /* FL_IDIOM_INJECT: the event stands behind, or comes with it */
        r = fl_idiom_add(out, FL_REC_INJECT);
        r->u.inject.op = (uint8_t)fl_below(m, FL_INJ_COUNT);
        r->u.inject.n = (uint8_t)fl_below(m, 16);
        cr2 = fl_value_address(m);
        fl_add_fault(out, cr2, fl_value_error_code(m));
        break;
    }
}
