/* SPDX-License-Identifier: MIT */
/* Idioms of target fault for what a handler reads beyond the fault: the code segment and the bytes at ip, the tables
 * and the VMA that a report tells of, a kprobe. */
#include "mutator.h"

#include <faultline/fuzz/world.h>

#define PAGE 4096u

/* Error-code bits: SDM vol. 3A, 4.7. */
enum { EC_P = 1, EC_W = 2, EC_U = 4, EC_RSVD = 8, EC_I = 16 };

static void add_prefetch(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned bits)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_BYTES);

    r->u.bytes.va = va;
    r->u.bytes.n = (uint8_t)fl_prefetch_bytes(m, fl_one_in(m, 4) ? FL_IDIOM_NEAR : FL_IDIOM_RUN, bits, r->u.bytes.data);
}

/* ---- code segments ----------------------------------------------------------------------------------------------- */

/* A prefetch at base + ip, whose segment is an entry of the LDT: as it is, one beside it, or behind its end. */
void fl_idiom_segment(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint32_t base = (uint32_t)fl_value_user_page(m) & 0x3ffff000, offset = fl_below(m, PAGE), limit = UINT32_MAX;
    unsigned index = fl_below(m, fl_one_in(m, 4) ? FL_MAX_LDT : 4), bits = fl_value_bits(m);
    struct fl_record *r;
    uint64_t cr2;

    if (fl_one_in(m, 2))
        limit = offset + fl_below(m, 20) - 3;
    fl_machine_settle(m);
    fl_add_vma(out, base, 2, FL_PROT_READ | FL_PROT_EXEC);
    add_prefetch(m, out, bits == 64 ? offset : base + offset, bits);
    r = fl_add_regs(m, out, offset, m->machine.sp, !fl_one_in(m, 8));
    if (bits == 64 && fl_one_in(m, 2))
        r->u.regs.ip = base + offset;
    r->u.regs.code_bits = (uint8_t)bits;
    fl_add_ldt(out, index, bits, base, limit);
    fl_add_cs(out, (fl_one_in(m, 4) ? index + 1 : index) << 3 | 7);
    cr2 = fl_one_in(m, 4) ? fl_value_address(m) : fl_value_user_page(m);
    fl_add_fault(out, cr2, EC_U | (fl_one_in(m, 2) ? EC_W : 0));
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

/* Tables that a report reads: one missing, one outside RAM, a large page, an NX leaf. */
static void report_tables(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, bool corrupt)
{
    static const uint16_t low_frames[] = {1024, 1024, 512, 700, 1, 0, 65535};
    struct fl_record *r;
    uint32_t code;

    m->machine.low_frames = FL_PICK(m, low_frames);
    m->machine.comm = (uint8_t)fl_below(m, 4);
    m->machine.oops_may_print = !fl_one_in(m, 6);
    fl_machine_changed(m);
    if (!fl_one_in(m, 4)) {
        unsigned flags = FL_MAP_PRESENT | FL_MAP_WRITE | (corrupt ? FL_MAP_USER : 0);

        if (fl_one_in(m, 2))
            flags |= FL_MAP_NX;
        fl_add_kernel_map(m, out, va, fl_one_in(m, 4) ? 1 + fl_below(m, 3) : 1, flags);
    }
    if (fl_one_in(m, 2)) {
        r = fl_idiom_add(out, FL_REC_ENTRY);
        r->u.entry.va = va;
        r->u.entry.level = (uint8_t)(1 + fl_below(m, 5));
        r->u.entry.mask = fl_one_in(m, 2) ? UINT64_MAX : UINT64_C(0xfffff000);
        r->u.entry.set = fl_one_in(m, 2) ? fl_draw(m) | 1 : (uint64_t)fl_below(m, 2 * FL_RAM_FRAMES) * PAGE | 1;
        r->u.entry.set &= r->u.entry.mask;
    }
    code = corrupt ? EC_P | EC_RSVD | fl_below(m, 8) : fl_below(m, 4);
    if (!corrupt && fl_one_in(m, 2))
        code |= EC_I;
    fl_add_regs(m, out, fl_value_kernel_page(m), m->machine.sp, code & EC_U);
    fl_add_fault(out, va, code);
}

/* The line of a task that dies: whose code it ran, who holds the lock, whether anything may be said. */
static void report_line(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t code = m->machine.ip & ~(uint64_t)(PAGE - 1), cr2;
    uint32_t error;

    m->machine.catches_signals = fl_one_in(m, 4);
    m->machine.show_unhandled = !fl_one_in(m, 6);
    m->machine.comm = (uint8_t)fl_below(m, 4);
    m->machine.pid = fl_one_in(m, 3) ? 1 : 1000;
    fl_machine_settle(m);
    if (fl_one_in(m, 4))
        m->machine.in_atomic = true;
    fl_machine_changed(m);
    if (!fl_one_in(m, 4)) {
        uint64_t start = fl_one_in(m, 6) ? code + PAGE : code;
        unsigned flags = FL_PROT_READ | FL_PROT_EXEC | (fl_one_in(m, 4) ? 0 : FL_VMA_FILE);
        struct fl_record *r = fl_add_vma(out, start, 1 + fl_below(m, 2), flags);

        r->u.vma.file = (uint8_t)fl_below(m, 4);
    }
    if (fl_one_in(m, 5))
        fl_add_inject(out, FL_INJ_REPORT_CONTENDED);
    if (fl_one_in(m, 5))
        fl_add_inject(out, FL_INJ_RATELIMITED);
    cr2 = fl_one_in(m, 3) ? fl_value_kernel_page(m) : fl_value_address(m);
    fl_add_regs(m, out, m->machine.ip, m->machine.sp, true);
    error = EC_U | fl_below(m, 4);
    if (fl_one_in(m, 4))
        error |= EC_I;
    fl_add_fault(out, cr2, error);
}

void fl_idiom_report(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t va;

    switch (fl_below(m, 4)) {
    case 0: report_tables(m, out, fl_value_user_page(m), true); break;
    case 1:
        va = fl_value_kernel_page(m);
        report_tables(m, out, va + fl_below(m, PAGE), false);
        break;
    case 2: report_tables(m, out, fl_one_in(m, 2) ? PAGE - 1 + fl_below(m, 2) : fl_value_address(m), false); break;
    default: report_line(m, out); break;
    }
}

void fl_idiom_kprobe(struct fl_mutation *m, struct fl_idiom_out *out)
{
    bool user = fl_one_in(m, 4);
    uint64_t cr2 = fl_one_in(m, 2) ? fl_value_vmalloc_edge(m) : fl_value_address(m);

    m->machine.kprobe_running = !fl_one_in(m, 6);
    fl_machine_changed(m);
    fl_add_regs(m, out, user ? m->machine.ip : fl_value_kernel_page(m), m->machine.sp, user);
    if (!fl_one_in(m, 3))
        fl_add_inject(out, FL_INJ_KPROBE);
    fl_add_fault(out, cr2, fl_value_error_code(m));
}
