/* SPDX-License-Identifier: MIT */
/*
 * Selectors, the task's LDT, and the code segment behind CS. Descriptors: Intel SDM vol. 3A, 3.4.5 and figure 3-8
 * (L and D/B: 3.4.5.1, 5.2.1).
 */
#include "state.h"
#include "paging.h"

/* Selectors as Linux has them (arch/x86/include/asm/segment.h): by kernel word and what they are for. */
enum {
    SEL32_KERNEL_CS = 0x60,
    SEL32_KERNEL_SS = 0x68,
    SEL32_USER_CS = 0x73,
    SEL32_USER_DS = 0x7b,
    SEL64_KERNEL32_CS = 0x08,
    SEL64_KERNEL_CS = 0x10,
    SEL64_KERNEL_SS = 0x18,
    SEL64_USER32_CS = 0x23,
    SEL64_USER_DS = 0x2b,
    SEL64_USER_CS = 0x33,
    SEL64_XEN_USER_CS = 0xe033, /* FLAT_RING3_CS64 of Xen */
    SEL_LDT_CS = 0x0f,          /* what modify_ldt() gives: entry 1 of the LDT, RPL 3 */
    SEL_RPL = 3,
    SEL_TI = 4 /* the selector is one of the LDT */
};

#define FLAT_LIMIT 0xffffffffu

/* Type: code, readable, accessed; S; DPL 3; P. */
#define DESC_USER_CODE (BIT(40) | BIT(41) | BIT(43) | BIT(44) | UINT64_C(3) << 45 | BIT(47))
#define DESC_L         BIT(53)
#define DESC_D         BIT(54)
#define DESC_G         BIT(55)

static bool ia32e(const struct fl_world *w)
{
    return w->cpu.mode >= FL_MODE_4LEVEL;
}

/* A limit has 20 bits, of bytes or of pages. */
static uint32_t round_limit(uint32_t limit)
{
    return limit > 0xfffff ? limit | 0xfff : limit;
}

static uint64_t descriptor(uint32_t base, uint32_t limit, unsigned bits)
{
    bool pages = limit > 0xfffff;
    uint64_t units = pages ? limit >> 12 : limit;

    return (units & 0xffff) | (units >> 16) << 48 | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)(base >> 24) << 56 |
           DESC_USER_CODE | (pages ? DESC_G : 0) |
           (bits == 64   ? DESC_L
            : bits == 32 ? DESC_D
                         : 0);
}

static struct fl_codeseg decoded(const struct fl_world *w, uint64_t d)
{
    uint32_t limit = (uint32_t)((d & 0xffff) | (d >> 48 & 0xf) << 16);

    /* Outside IA-32e mode L is reserved and ignored; what the record makes has no D beside it, so it is 16-bit code. */
    if ((d & DESC_L) && ia32e(w))
        return (struct fl_codeseg){.bits = 64, .limit = FLAT_LIMIT};
    return (struct fl_codeseg){.base = (d >> 16 & 0xffffff) | (d >> 56) << 24,
                               .limit = (d & DESC_G) ? limit << 12 | 0xfff : limit,
                               .bits = (d & DESC_D) ? 32 : 16};
}

/* Code size of a selector of the GDT; 0: nobody has it. */
static unsigned gdt_bits(const struct fl_world *w, unsigned selector)
{
    static const struct {
        uint16_t selector;
        bool wide;
        uint8_t bits;
    } rows[] = {
        {SEL64_USER32_CS, true, 32},   {SEL64_USER_CS, true, 64},   {SEL64_XEN_USER_CS, true, 64},
        {SEL64_KERNEL32_CS, true, 32}, {SEL64_KERNEL_CS, true, 64}, {SEL32_USER_CS, false, 32},
        {SEL32_KERNEL_CS, false, 32},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].wide == ia32e(w) && (rows[i].selector | SEL_RPL) == (selector | SEL_RPL))
            return rows[i].bits;
    return 0;
}

/* The code segment follows from CS. A selector that nobody has, or that lies outside the LDT, keeps the present
 * size. */
static void load_codeseg(struct fl_world *w)
{
    unsigned cs = w->regs.cs, index = cs >> 3, bits;

    if ((cs & SEL_TI) && index < w->task.ldt_entries) {
        w->codeseg = decoded(w, w->ldt[index]);
    } else {
        bits = (cs & SEL_TI) ? 0 : gdt_bits(w, cs);
        w->codeseg = (struct fl_codeseg){.limit = FLAT_LIMIT, .bits = (uint8_t)(bits ? bits : w->codeseg.bits)};
    }
    if (w->codeseg.bits != 64)
        w->regs.ip = (uint32_t)w->regs.ip;
}

static void write_ldt(struct fl_world *w, unsigned index, uint64_t value)
{
    while (w->task.ldt_entries <= index)
        w->ldt[w->task.ldt_entries++] = 0;
    w->ldt[index] = value;
}

void segment_describe(struct fl_world *w, unsigned index, uint64_t base, uint32_t limit, unsigned bits)
{
    write_ldt(w, index, descriptor((uint32_t)base, limit, bits));
    if (!(w->regs.flags & FLAGS_VM) && (w->regs.cs & SEL_TI) && w->regs.cs >> 3 == index)
        load_codeseg(w);
}

static void enter_vm86(struct fl_world *w, uint16_t cs)
{
    w->regs.cs = cs; /* SDM vol. 3B, 20.1.1: base = selector * 16, limit 64 KiB */
    w->codeseg = (struct fl_codeseg){.base = (uint64_t)cs << 4, .limit = 0xffff, .bits = 16};
}

void segment_select(struct fl_world *w, uint16_t selector)
{
    if (w->regs.flags & FLAGS_VM) {
        enter_vm86(w, selector);
        return;
    }
    w->regs.cs = (uint16_t)((selector & ~SEL_RPL) | (w->user ? SEL_RPL : 0));
    load_codeseg(w);
}

void segment_code(struct fl_world *w, bool user, unsigned code_bits)
{
    bool wide = ia32e(w);
    struct fl_regs *r = &w->regs;

    if (code_bits == 64 && !wide)
        code_bits = 32;
    if (code_bits != 64)
        r->ip = (uint32_t)r->ip;
    if (wide || !user)
        r->flags &= ~FLAGS_VM;

    w->user = user;
    if (r->flags & FLAGS_VM) {
        enter_vm86(w, (uint16_t)(w->seg_base >> 4));
        r->ss = r->ds = r->es = r->cs;
        return;
    }
    w->codeseg.bits = (uint8_t)code_bits;
    w->codeseg.base = code_bits == 64 ? 0 : w->seg_base;
    w->codeseg.limit = round_limit(w->seg_limit);
    if (user) {
        bool flat = code_bits == 64 || (code_bits == 32 && w->seg_base == 0);
        r->cs = !flat ? SEL_LDT_CS : !wide ? SEL32_USER_CS : code_bits == 64 ? SEL64_USER_CS : SEL64_USER32_CS;
        r->ss = r->ds = r->es = wide ? SEL64_USER_DS : SEL32_USER_DS;
        if (!flat)
            segment_describe(w, SEL_LDT_CS >> 3, w->seg_base, w->seg_limit, code_bits);
    } else {
        r->cs = !wide ? SEL32_KERNEL_CS : code_bits == 64 ? SEL64_KERNEL_CS : SEL64_KERNEL32_CS;
        r->ss = wide ? SEL64_KERNEL_SS : SEL32_KERNEL_SS;
        r->ds = r->es = wide ? SEL64_USER_DS : SEL32_USER_DS;
    }
}

uint64_t segment_linear_ip(const struct fl_world *w)
{
    if (w->codeseg.bits == 64)
        return w->regs.ip;
    return (uint32_t)(w->codeseg.base + w->regs.ip);
}
