/* SPDX-License-Identifier: MIT */
/* Idioms of target fault for what a handler reads beyond the fault: the code segment and the bytes at ip, the tables
 * and the VMA that a report tells of, a kprobe. */
#include "mutator.h"

#include <faultline/fuzz/world.h>

#define PAGE 4096u

/* Error-code bits: SDM vol. 3A, 4.7. */
enum { EC_P = 1, EC_W = 2, EC_U = 4, EC_RSVD = 8, EC_I = 16 };

#define RFLAGS_VM 0x20000u
#define ENTRY_P   1u

void fl_machine_amd(struct fl_mutation *m)
{
    m->machine.vendor = fl_one_in(m, 8) ? FL_VENDOR_INTEL : FL_VENDOR_AMD;
    if (!fl_one_in(m, 8))
        m->machine.family = 15;
    fl_machine_changed(m);
}

static void add_fetch(struct fl_idiom_out *out, uint64_t va)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_TOUCH);

    r->u.touch.va = va;
    r->u.touch.kind = FL_FETCH;
    r->u.touch.priv = FL_USER;
}

void fl_add_prefetch(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned bits)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_BYTES);
    uint64_t last;

    r->u.bytes.va = va;
    r->u.bytes.n = (uint8_t)fl_prefetch_bytes(m, fl_one_in(m, 4) ? FL_IDIOM_NEAR : FL_IDIOM_RUN, bits, r->u.bytes.data);
    last = va + r->u.bytes.n - (r->u.bytes.n != 0);
    add_fetch(out, va);
    if ((va ^ last) >= PAGE)
        add_fetch(out, last);
}

/* ---- code segments ----------------------------------------------------------------------------------------------- */

/* ip in the segment: anywhere, or beside the last offset that counts bytes. 16-bit code has only 64 KiB of it. */
static uint32_t segment_offset(struct fl_mutation *m, unsigned bits)
{
    uint32_t page;

    switch (fl_below(m, bits == 32 ? 5 : 2)) {
    case 0: return fl_below(m, PAGE);
    case 1: return fl_below(m, 0x10000);
    case 2: return 0x100000 - 16 + fl_below(m, 32);
    case 3: return 0x100000 + fl_below(m, 0x1000000);
    default: page = 0x101000 + fl_below(m, 0x1000) * PAGE; return page - 1 - fl_below(m, 16);
    }
}

/* The last valid offset: all of it, or one around offset; beyond 1 MiB that is a page's. */
static uint32_t segment_limit(struct fl_mutation *m, uint32_t offset)
{
    uint32_t limit = offset + fl_below(m, 20) - 3;

    if (fl_one_in(m, 3))
        return UINT32_MAX;
    return fl_one_in(m, 3) ? limit + PAGE - fl_below(m, 3) * PAGE : limit;
}

/* A prefetch at base + ip, whose segment is an entry of the LDT: as it is, one beside it, or behind its end. */
void fl_idiom_segment(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint32_t page = (uint32_t)fl_value_user_page(m) & 0x3ffff000, at, offset, limit;
    unsigned index = fl_below(m, fl_one_in(m, 4) ? FL_MAX_LDT : 4), bits, code;
    struct fl_record *r;
    uint64_t cr2;

    bits = fl_one_in(m, 2) ? 32 : fl_value_ldt_bits(m);
    /* Only IA-32e mode has 64-bit code, and there base and limit are ignored. */
    code = bits == 64 && !fl_is_ia32e(m) ? 16 : bits;
    page = page < 0x2000000 ? page + 0x2000000 : page;
    at = page + fl_below(m, PAGE);
    offset = segment_offset(m, code);
    limit = segment_limit(m, offset);
    fl_machine_settle(m);
    fl_machine_amd(m);
    fl_add_vma(out, page, 2, FL_PROT_READ | FL_PROT_EXEC);
    fl_add_prefetch(m, out, at, code);
    r = fl_add_regs(m, out, offset, m->machine.sp, !fl_one_in(m, 8));
    if (code == 64 && !fl_one_in(m, 4))
        r->u.regs.ip = at;
    r->u.regs.code_bits = (uint8_t)code;
    fl_add_ldt(out, index, bits, at - offset, limit);
    fl_add_cs(out, (fl_one_in(m, 4) ? index + 1 : index) << 3 | 7);
    /* A second one finds everything as it was: what is ignored changes nothing. */
    for (unsigned i = 1 + fl_below(m, 2); i; i--) {
        cr2 = fl_one_in(m, 4) ? fl_value_address(m) : fl_value_user_page(m);
        fl_add_fault(out, cr2, EC_U | (fl_one_in(m, 2) ? EC_W : 0));
    }
}

/* A prefetch at the end of a virtual-8086 segment, whose bytes may lie behind it. */
void fl_idiom_vm86_prefetch(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint32_t base = 0x80010 + fl_below(m, 0x3000) * 16, ip = 0xfff0 + fl_below(m, 16);
    struct fl_record *r;
    uint64_t cr2;

    m->machine.min_addr_pages = 0;
    fl_machine_settle(m);
    fl_machine_amd(m);
    fl_add_vma(out, 0x90000, 64, FL_PROT_BITS);
    fl_add_prefetch(m, out, base + ip, 16);
    r = fl_add_regs(m, out, ip, 0x1000, true);
    r->u.regs.code_bits = 16;
    r->u.regs.flags = 0x202 | RFLAGS_VM;
    fl_add_cs(out, base >> 4);
    cr2 = fl_value_user_page(m);
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
    /* In the midst of the tables themselves. */
    if (fl_one_in(m, 3))
        m->machine.low_frames = (uint16_t)(FL_FRAME_POOL + fl_below(m, 12));
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
    } else if (fl_one_in(m, 3)) {
        /* The last frame below, the first that is not, and the one behind it. */
        unsigned frame = FL_FRAME_POOL + fl_below(m, FL_RAM_FRAMES - FL_FRAME_POOL);

        m->machine.low_frames = (uint16_t)(frame + 1 - fl_below(m, 3));
        fl_machine_changed(m);
        fl_add_entry(out, va, 2 + fl_below(m, 2), (uint64_t)frame * PAGE | ENTRY_P);
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
