/* SPDX-License-Identifier: MIT */
/* Idioms of target fault with given CR2 and error code. */
#include "mutator.h"

#define PAGE 4096u

static void add_vma(struct fl_idiom_out *out, uint64_t start, uint32_t pages, unsigned flags)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_VMA);

    r->u.vma.start = start;
    r->u.vma.pages = pages;
    r->u.vma.flags = (uint8_t)flags;
    r->u.vma.file_pages = 2;
}

static void add_fault(struct fl_idiom_out *out, uint64_t cr2, uint32_t code)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_FAULT);

    r->u.fault.cr2 = cr2;
    r->u.fault.code = code;
}

static void add_regs(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t ip, uint64_t sp, bool user)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_REGS);

    r->u.regs.ip = ip;
    r->u.regs.sp = sp;
    r->u.regs.flags = fl_value_flags(m);
    r->u.regs.user = user;
    r->u.regs.code_bits = m->machine.code_bits;
}

/* A growing stack: faults around its start, the cushion below rSP, the guard gap above its neighbour, the limit. */
static void stack(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t top = fl_value_user_page(m), word = fl_is_ia32e(m) ? 8 : 4, start, sp, cr2;
    uint32_t pages = 1 + fl_below(m, 8);

    if (fl_one_in(m, 2))
        top = m->machine.sp & ~(uint64_t)(PAGE - 1);
    start = top - (uint64_t)pages * PAGE;
    add_vma(out, start, pages, FL_PROT_READ | FL_PROT_WRITE | FL_VMA_GROWSDOWN);
    if (fl_one_in(m, 3)) {
        /* What it must not grow into: touching, one gap away, or nearly. */
        uint64_t below = start - (1 + fl_below(m, 3)) * PAGE;

        below -= fl_one_in(m, 2) ? m->machine.guard_pages * (uint64_t)PAGE : fl_below(m, 3) * PAGE;
        add_vma(out, below, fl_one_in(m, 2) ? 1 : 2, FL_PROT_READ);
        if (fl_one_in(m, 3))
            out->r[out->n - 1].u.vma.flags |= FL_VMA_GROWSDOWN;
    }
    sp = fl_one_in(m, 2) ? start + 8 * fl_below(m, 512) : fl_value_nudge(m, start);
    add_regs(m, out, m->machine.ip, sp, !fl_one_in(m, 8));
    for (unsigned i = 1 + fl_below(m, 3); i; i--) {
        switch (fl_below(m, 6)) {
        case 0: cr2 = sp - 65536 - 32 * word; break;
        case 1: cr2 = sp - 65536 - 32 * word - 1 - fl_below(m, 8); break;
        case 2: cr2 = sp - 65536 - 32 * word + fl_below(m, 8); break;
        case 3: cr2 = top - (uint64_t)m->machine.stack_pages * PAGE - fl_below(m, 2); break;
        case 4: cr2 = start - 1 - fl_below(m, 4 * PAGE); break;
        default: cr2 = fl_value_nudge(m, start - PAGE); break;
        }
        add_fault(out, cr2, fl_one_in(m, 4) ? fl_value_error_code(m) : 6);
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
    add_vma(out, start, pages, fl_one_in(m, 4) ? fl_below(m, 64) : FL_PROT_READ | FL_PROT_WRITE);
    add_fault(out, cr2, code);
    r = fl_idiom_add(out, (enum fl_record_kind)FL_PICK(m, kinds));
    r->u.range.start = start + PAGE * (uint64_t)fl_below(m, pages);
    r->u.range.pages = 1 + fl_below(m, pages);
    r->u.range.prot = (uint8_t)(r->kind == FL_REC_PROTECT ? fl_below(m, 8) : 0);
    add_fault(out, cr2, fl_one_in(m, 2) ? code : fl_value_error_code(m));
}

void fl_idiom_fault(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out)
{
    uint64_t start, ip, cr2;
    uint32_t pages, code;
    struct fl_record *r;

    switch (idiom) {
    case FL_IDIOM_RAW:
        start = fl_value_user_page(m);
        pages = fl_value_pages(m);
        add_vma(out, start, pages, fl_one_in(m, 2) ? FL_PROT_READ | FL_PROT_WRITE : fl_below(m, 64));
        for (unsigned i = 1 + fl_below(m, 4); i; i--) {
            uint64_t edge = fl_one_in(m, 2) ? start - PAGE : start + (pages - 1) * (uint64_t)PAGE;

            edge = fl_value_nudge(m, edge);
            add_fault(out, edge, fl_value_error_code(m));
        }
        break;
    case FL_IDIOM_STACK: stack(m, out); break;
    case FL_IDIOM_CHANGE: change(m, out); break;
    case FL_IDIOM_FIXUP:
        ip = fl_value_kernel_page(m);
        ip += fl_below(m, PAGE);
        add_regs(m, out, ip, m->machine.sp, fl_one_in(m, 8));
        r = fl_idiom_add(out, FL_REC_EXTABLE);
        r->u.extable.ip = fl_one_in(m, 8) ? ip + 1 : ip;
        r->u.extable.fixup = fl_value_kernel_page(m);
        r->u.extable.fixup += fl_below(m, PAGE);
        cr2 = fl_value_address(m);
        code = fl_value_error_code(m);
        add_fault(out, cr2, fl_one_in(m, 8) ? code : code & ~4u);
        break;
    default: /* FL_IDIOM_INJECT: the event stands behind, or comes with it */
        r = fl_idiom_add(out, FL_REC_INJECT);
        r->u.inject.op = (uint8_t)fl_below(m, FL_INJ_COUNT);
        r->u.inject.n = (uint8_t)fl_below(m, 16);
        cr2 = fl_value_address(m);
        add_fault(out, cr2, fl_value_error_code(m));
        break;
    }
}
