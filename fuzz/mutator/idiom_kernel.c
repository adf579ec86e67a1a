/* SPDX-License-Identifier: MIT */
/* Idioms of target fault for what a kernel does beyond handle_mm_fault: kernel addresses, errata, refusals before the
 * lock, what only one word size has. Most need a machine that they set themselves. */
#include "mutator.h"

#include <faultline/fuzz/world.h>

#define PAGE 4096u

/* Error-code bits: SDM vol. 3A, 4.7. */
enum { EC_P = 1, EC_W = 2, EC_U = 4, EC_RSVD = 8, EC_I = 16, EC_PK = 32 };

#define RFLAGS_AC 0x40000u
#define RFLAGS_VM 0x20000u

static void add_entry(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_ENTRY);

    r->u.entry.va = va;
    r->u.entry.level = (uint8_t)(1 + fl_below(m, 5));
    r->u.entry.mask = fl_value_entry_bits(m, r->u.entry.level);
    r->u.entry.set = fl_one_in(m, 2) ? r->u.entry.mask : 0;
}

/* ---- refused before the lock, or by a key ------------------------------------------------------------------------ */

static void early_pkey(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t codes[] = {4, 6, 5, 7, 20, 21, 0, 2, 1, 3, 36, 37, 39, 38, 33, 35};
    uint64_t start = fl_value_user_page(m);
    unsigned key = fl_below(m, 16);
    struct fl_record *r;

    m->machine.pke = true;
    m->machine.kernel_pku = !fl_one_in(m, 8);
    m->machine.pkru = fl_one_in(m, 4) ? fl_value_number(m) : (1 + fl_below(m, 3)) << 2 * key; /* AD, WD or both */
    fl_machine_settle(m);
    r = fl_add_vma(out, start, 2, fl_one_in(m, 4) ? fl_below(m, 8) : FL_PROT_READ | FL_PROT_WRITE);
    r->u.vma.pkey = (uint8_t)(fl_one_in(m, 8) ? key ^ 1 : key);
    for (unsigned i = 1 + fl_below(m, 3); i; i--) {
        uint32_t code = FL_PICK(m, codes);

        fl_add_regs(m, out, m->machine.ip, m->machine.sp, code & EC_U);
        fl_add_fault(out, start + fl_below(m, 2 * PAGE), code);
    }
}

static void early_smap(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t codes[] = {0, 2, 1, 3, 0, 2, 16, 17, 4, 6};
    uint64_t start = fl_value_user_page(m), ip = fl_value_kernel_page(m);
    struct fl_record *r;
    uint32_t code;

    m->machine.smap = true;
    m->machine.kernel_smap = !fl_one_in(m, 8);
    fl_machine_settle(m);
    fl_add_vma(out, start, 2, FL_PROT_READ | FL_PROT_WRITE);
    if (fl_one_in(m, 2))
        fl_add_extable(out, ip, ip + 64);
    /* User registers without U: the processor's own access, whatever AC says. */
    r = fl_add_regs(m, out, ip, m->machine.sp, fl_one_in(m, 4));
    r->u.regs.flags = fl_one_in(m, 2) ? 0x202 | RFLAGS_AC : 0x202;
    code = FL_PICK(m, codes);
    fl_add_fault(out, start + fl_below(m, 2 * PAGE), code);
    if (fl_one_in(m, 3)) {
        r = fl_idiom_add(out, FL_REC_TOUCH);
        r->u.touch.va = start;
        r->u.touch.kind = (uint8_t)fl_below(m, 2);
        r->u.touch.priv = FL_SUPERVISOR;
    }
}

/* A kernel jump into user space. */
static void early_fetch(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t start = fl_value_user_page(m), cr2 = start + fl_below(m, PAGE), ip = fl_one_in(m, 8) ? cr2 + 1 : cr2;

    m->machine.no_user_fetch = !fl_one_in(m, 8);
    fl_machine_settle(m);
    fl_add_vma(out, start, 1, FL_PROT_READ | FL_PROT_EXEC);
    fl_add_regs(m, out, ip, m->machine.sp, fl_one_in(m, 8));
    if (fl_one_in(m, 2))
        fl_add_extable(out, ip, fl_value_kernel_page(m));
    fl_add_fault(out, cr2, EC_I | (fl_one_in(m, 2) ? EC_P : 0));
}

/* ---- kernel addresses -------------------------------------------------------------------------------------------- */

static uint64_t high_address(struct fl_mutation *m)
{
    uint64_t base;

    switch (fl_below(m, 8)) {
    case 0: return fl_value_nudge(m, fl_value_task_size(m) - PAGE);
    case 1:
    case 2: return fl_value_vmalloc_edge(m);
    case 3: return fl_value_vmalloc_page(m) + PAGE / 2;
    case 4: return fl_is_ia32e(m) ? FL_VSYSCALL + fl_below(m, PAGE) : m->machine.idt + 40 + fl_below(m, 24);
    default: base = fl_value_kernel_page(m); return base + fl_below(m, PAGE);
    }
}

static void high(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t codes[] = {0, 0, 2, 2, 16, 4, 5, 6, 7, 20, 21, 1, 3, 17, 8, 9, 11, 13};
    static const uint8_t flags[] = {FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_ACCESSED | FL_MAP_DIRTY,
                                    FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_ACCESSED | FL_MAP_DIRTY,
                                    FL_MAP_PRESENT | FL_MAP_ACCESSED, FL_MAP_PRESENT | FL_MAP_ACCESSED | FL_MAP_NX};
    bool user = fl_one_in(m, 2);
    struct fl_record *r;

    if (fl_one_in(m, 2))
        m->machine.spurious_check ^= true;
    if (fl_one_in(m, 2))
        m->machine.f00f_bug ^= true;
    fl_machine_changed(m);
    fl_add_regs(m, out, user ? m->machine.ip : fl_value_kernel_page(m), m->machine.sp, user);
    for (unsigned i = 1 + fl_below(m, 3); i; i--) {
        uint64_t cr2 = high_address(m);

        if (fl_one_in(m, 3)) {
            r = fl_idiom_add(out, FL_REC_IOREMAP);
            r->u.ioremap.va = cr2;
            r->u.ioremap.level = (uint8_t)(1 + fl_below(m, 2));
            r->u.ioremap.leaves = 1;
            r->u.ioremap.frame = (uint16_t)(FL_RAM_POOL_END + fl_below(m, 256));
            r->u.ioremap.flags = FL_PICK(m, flags);
        }
        if (fl_one_in(m, 4))
            fl_add_touch(m, out, cr2);
        if (!fl_one_in(m, 5))
            fl_add_fault(out, cr2, FL_PICK(m, codes));
    }
}

static void spurious(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t codes[] = {3, 3, 3, 3, 17, 17, 17, 17, 1, 2, 19, 11, 35, 7, 16};
    unsigned flags = FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_ACCESSED | FL_MAP_DIRTY | FL_MAP_GLOBAL;
    uint64_t va = fl_value_kernel_page(m), ip = fl_value_kernel_page(m), cr2;

    m->machine.spurious_check = !fl_one_in(m, 8);
    fl_machine_changed(m);
    if (fl_one_in(m, 4))
        flags ^= 1u << fl_below(m, 8);
    fl_add_kernel_map(m, out, va, 1 + fl_below(m, 3), flags);
    for (unsigned i = fl_below(m, 3); i; i--)
        add_entry(m, out, va);
    fl_add_regs(m, out, ip, m->machine.sp, fl_one_in(m, 8));
    for (unsigned i = 1 + fl_below(m, 2); i; i--) {
        cr2 = va + fl_below(m, PAGE);
        fl_add_fault(out, cr2, FL_PICK(m, codes));
    }
}

/* ---- errata ------------------------------------------------------------------------------------------------------ */

/* The upper half of ip was lost: what is left, with the upper half back, is or is not kernel code. */
static void erratum_93(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint64_t edges[] = {FL_TEXT_START, FL_TEXT_END, FL_MODULES_START, FL_MODULES_END};
    static const uint64_t inside[] = {FL_TEXT_START, FL_MODULES_START, 0xffffffff81800000, 0xffffffffc0000000};
    static const uint8_t codes[] = {0, 16, 16, 16, 4, 17, 2};
    uint64_t target, cr2, ip;
    struct fl_record *r;

    m->machine.vendor = fl_one_in(m, 8) ? FL_VENDOR_INTEL : FL_VENDOR_AMD;
    m->machine.family = (uint8_t)(fl_one_in(m, 8) ? 14 + fl_below(m, 3) : 15);
    if (fl_one_in(m, 4))
        m->machine.no_user_fetch ^= true;
    fl_machine_changed(m);
    target = fl_one_in(m, 2) ? FL_PICK(m, edges) - 1 : FL_PICK(m, inside) + 0x1000;
    target += fl_below(m, 3);
    cr2 = (uint32_t)target;
    if (fl_one_in(m, 8))
        cr2 |= UINT64_C(1) << 32;
    if (fl_one_in(m, 8))
        fl_add_inject(out, FL_INJ_RATELIMITED);
    ip = fl_one_in(m, 8) ? cr2 + 1 : cr2;
    r = fl_add_regs(m, out, ip, m->machine.sp, fl_one_in(m, 8));
    r->u.regs.code_bits = 64;
    fl_add_fault(out, cr2, FL_PICK(m, codes));
    /* Once since boot is all that is said of it. */
    if (fl_one_in(m, 2))
        fl_add_fault(out, cr2, FL_PICK(m, codes));
}

/* A 32-bit address above 4 GiB, seen from compatibility code or a segment of the LDT. */
static void erratum_100(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint16_t selectors[] = {0x23, 0x23, 0x23, 0x33, 0x2b, 0x0f, 0x07, 0x27, 0x10, 0x1b};
    static const uint8_t codes[] = {4, 6, 20, 5, 7, 0, 2};
    unsigned selector = FL_PICK(m, selectors);
    struct fl_record *r;
    uint64_t cr2;

    r = fl_add_regs(m, out, m->machine.ip, m->machine.sp, !fl_one_in(m, 8));
    r->u.regs.code_bits = fl_one_in(m, 4) ? 64 : 32;
    if (selector & 4 && fl_one_in(m, 2))
        fl_add_ldt(out, selector >> 3, fl_value_bits(m), 0, UINT32_MAX);
    fl_add_cs(out, selector);
    for (unsigned i = 1 + fl_below(m, 2); i; i--) {
        unsigned shift = fl_below(m, 33);

        cr2 = fl_draw(m) >> shift;
        if (fl_one_in(m, 4))
            cr2 = (UINT64_C(1) << 32) - 1 + fl_below(m, 3);
        fl_add_fault(out, cr2, FL_PICK(m, codes));
    }
}

/* The processor's own read of a descriptor that is not there: around the entry of the invalid opcode. */
static void f00f(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t codes[] = {7, 3, 3, 1, 0, 2, 5, 6};
    static const uint32_t bases[] = {FL_IDT, FL_IDT, 0xfffffff0, 0xffffffd0, 0xffffffc8, 0xbfffffd0, 0xc0000000, 0};
    bool user = !fl_one_in(m, 3);

    m->machine.f00f_bug = !fl_one_in(m, 8);
    if (fl_one_in(m, 4))
        m->machine.idt = FL_PICK(m, bases);
    fl_machine_changed(m);
    fl_add_regs(m, out, user ? m->machine.ip : fl_value_kernel_page(m), m->machine.sp, user);
    for (unsigned i = 1 + fl_below(m, 3); i; i--) {
        uint32_t cr2 = m->machine.idt + 40 + fl_below(m, 24);

        fl_add_fault(out, cr2, FL_PICK(m, codes));
    }
}

/* ---- what only one word size has --------------------------------------------------------------------------------- */

static void vsyscall(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint32_t offsets[] = {0, 0, 0x400, 0x400, 0x800, 0x800, 0xc00, 0xc00, 1, 0x401, 0xbff, 0xfff, 0x1000};
    static const uint8_t codes[] = {20, 20, 20, 20, 20, 21, 4, 6, 16};
    static const uint16_t sp_offsets[] = {0, 0, 0, 8, PAGE - 8, PAGE - 7, PAGE - 4, PAGE};
    uint64_t ip = FL_VSYSCALL + FL_PICK(m, offsets), page = fl_value_user_page(m), sp = page + FL_PICK(m, sp_offsets);
    uint64_t back = m->machine.ip;
    struct fl_record *r;

    m->machine.vsyscall = !fl_one_in(m, 8);
    if (fl_one_in(m, 8))
        m->machine.nxe ^= true;
    fl_machine_settle(m);
    if (!fl_one_in(m, 6))
        fl_add_vma(out, page, 1, FL_PROT_READ | FL_PROT_WRITE);
    r = fl_idiom_add(out, FL_REC_BYTES);
    r->u.bytes.va = sp;
    r->u.bytes.n = 8;
    for (unsigned i = 0; i < 8; i++)
        r->u.bytes.data[i] = (uint8_t)(back >> 8 * i);
    if (fl_one_in(m, 3))
        fl_add_inject(out, FL_INJ_VSYSCALL_FAULT);
    r = fl_add_regs(m, out, ip, sp, !fl_one_in(m, 12));
    r->u.regs.ip = fl_one_in(m, 8) ? ip + 1 : ip;
    r->u.regs.code_bits = fl_one_in(m, 8) ? 32 : 64;
    if (fl_one_in(m, 12))
        fl_add_cs(out, 0xe033); /* Xen's flat 64-bit segment */
    fl_add_fault(out, ip, FL_PICK(m, codes));
}

static void vm86(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const int8_t pages[] = {-1, 0, 0, 1, 7, 8, 15, 30, 31, 31, 32, 33};
    uint64_t cr2;
    struct fl_record *r;

    m->machine.min_addr_pages = 0;
    fl_machine_settle(m);
    fl_add_vma(out, 0x90000, 64, FL_PROT_BITS);
    r = fl_add_regs(m, out, fl_below(m, 0x10000), 0x1000, true);
    r->u.regs.code_bits = 16;
    r->u.regs.flags = fl_one_in(m, 8) ? 0x202 : 0x202 | RFLAGS_VM;
    if (fl_one_in(m, 2))
        fl_add_cs(out, fl_below(m, 0x10000));
    for (unsigned i = 1 + fl_below(m, 4); i; i--) {
        cr2 = 0xa0000 + (uint64_t)(int64_t)FL_PICK(m, pages) * PAGE;
        cr2 += fl_below(m, PAGE);
        fl_add_fault(out, cr2, EC_U | (fl_one_in(m, 4) ? 0 : EC_W));
    }
}

void fl_idiom_kernel(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out)
{
    /* An SH4 has none of this. */
    if (m->machine.sh4)
        fl_mutation_set_mode(m, FL_MODE_2LEVEL, false);
    switch (idiom) {
    case FL_IDIOM_EARLY:
        if (fl_one_in(m, 3))
            early_fetch(m, out);
        else if (fl_one_in(m, 2) && fl_want_wide(m, true))
            early_pkey(m, out);
        else
            early_smap(m, out);
        break;
    case FL_IDIOM_SPURIOUS: spurious(m, out); break;
    case FL_IDIOM_STEP: fl_idiom_step(m, out); break;
    case FL_IDIOM_ERRATUM:
        if (!fl_is_ia32e(m))
            f00f(m, out);
        else if (fl_one_in(m, 2))
            erratum_93(m, out);
        else
            erratum_100(m, out);
        break;
    case FL_IDIOM_VSYSCALL:
        if (fl_want_wide(m, true))
            vsyscall(m, out);
        else
            high(m, out);
        break;
    case FL_IDIOM_VM86:
        if (!fl_want_wide(m, false))
            high(m, out);
        else if (fl_one_in(m, 2))
            fl_idiom_vm86_prefetch(m, out);
        else
            vm86(m, out);
        break;
    case FL_IDIOM_SEGMENT: fl_idiom_segment(m, out); break;
    case FL_IDIOM_REPORT: fl_idiom_report(m, out); break;
    case FL_IDIOM_KPROBE: fl_idiom_kprobe(m, out); break;
    default: high(m, out); break;
    }
}
