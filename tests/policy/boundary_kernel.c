/* SPDX-License-Identifier: MIT */
/*
 * The exact boundaries of the policy over the kernel half of the address space: the interrupt table's slot, the
 * vsyscall page, erratum 93's ranges, and which faults a stale TLB entry can have raised.
 */
#include "check.h"
#include "situation.h"

static const struct fl_policy_row *rows;
static size_t nrows;

static const char *row_of(struct situation *t, enum fl_policy_part part)
{
    struct fl_expected e;
    CHECK_EQ(fl_policy_decide(&t->s, &e), FL_OK, "decide");
    return e.path[part] == FL_POLICY_NO_ROW ? "-" : rows[e.path[part]].name;
}

#define ENTRY(t, want, ...)  CHECK(!strcmp(row_of(t, FL_PART_ENTRY), want), __VA_ARGS__)
#define ENDING(t, want, ...) CHECK(!strcmp(row_of(t, FL_PART_ENDING), want), __VA_ARGS__)

/*      idt                    +48       +56
 *   ----|----------...---------|---------|----   eight bytes of slot 6 */
static void test_idt_slot(void)
{
    struct choices c = {.word = 4, .layout = KERNEL_ADDRESS, .built = F00F};
    struct situation t;
    situation_make(&t, &c);
    for (uint64_t offset = 0; offset < 80; offset++) {
        t.s.cr2 = t.s.kernel.idt + offset;
        ENDING(&t, offset / 8 == 6 ? "f00f" : "kernel-oops", "offset %" PRIu64, offset);
    }
    /* The slot at the very end of the address space, and beyond it: it does not come round to address 0. */
    t.s.kernel.idt = UINT64_C(0xffffffc8);
    t.s.cr2 = UINT64_C(0xffffffff);
    ENDING(&t, "f00f", "last byte");
    t.s.kernel.idt = UINT64_C(0xffffffcc);
    ENDING(&t, "f00f", "half of it");
    t.s.kernel.idt = UINT64_C(0xffffffd0);
    ENDING(&t, "kernel-oops", "all of it beyond");
    t.s.kernel.task_size = 0x1000;
    t.s.cr2 = UINT64_C(0x1000);
    t.s.kernel.idt = UINT64_C(0x1000) - 48 + (UINT64_C(1) << 32); /* a register of 32 bits */
    ENDING(&t, "f00f", "modulo 2^32");
    t.s.kernel.task_size = 0x2000;
    ENDING(&t, "kernel-oops", "a user address (zoo f00f-any-address)");
    /* A 64-bit kernel has no such bug. */
    c.word = 8;
    c.layout = IDT_FIRST;
    situation_make(&t, &c);
    ENDING(&t, "kernel-oops", "64-bit");
}

static void test_vsyscall(void)
{
    static const struct {
        int64_t offset;
        const char *row;
        uint8_t nr;
    } cases[] = {
        {-1, "kernel-address", 0},
        {0, "vsyscall", 0},
        {1, "vsyscall-misaligned", 0},
        {0x3ff, "vsyscall-misaligned", 0},
        {0x400, "vsyscall", 1},
        {0x401, "vsyscall-misaligned", 0},
        {0x800, "vsyscall", 2},
        {0xc00, "vsyscall-misaligned", 0},
        {0xfff, "vsyscall-misaligned", 0},
        {0x1000, "kernel-address", 0},
    };
    struct choices c = {
        .word = 8, .code = U | I, .regs = USER, .layout = VSYSCALL_0, .built = EMULATES | HAS_PAGE, .cpu = NX_ON};
    struct situation t;
    struct fl_expected e;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        situation_make(&t, &c);
        t.s.cr2 = t.s.regs.ip = VSYSCALL_AT + (uint64_t)cases[i].offset;
        ENTRY(&t, cases[i].row, "offset %" PRIi64, cases[i].offset);
        CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "offset %" PRIi64, cases[i].offset);
        CHECK_EQ(e.vsyscall_nr, cases[i].nr, "offset %" PRIi64, cases[i].offset);
        t.s.regs.ip++;
        ENTRY(&t, "kernel-address", "offset %" PRIi64 ", ip elsewhere", cases[i].offset);
    }
    /* 32-bit code has no vsyscalls, whatever the place. */
    for (size_t i = 1; i + 1 < sizeof cases / sizeof cases[0]; i++)
        for (uint8_t bits = 16; bits <= 32; bits *= 2) {
            situation_make(&t, &c);
            t.s.codeseg.bits = bits;
            t.s.cr2 = t.s.regs.ip = VSYSCALL_AT + (uint64_t)cases[i].offset;
            ENTRY(&t, "vsyscall-compat", "offset %" PRIi64 ", %u bits", cases[i].offset, bits);
        }
    /* Whatever else the code says; but for a fetch. */
    static const struct {
        uint64_t code;
        bool nx;
        const char *row;
    } codes[] = {{U | I | P, true, "vsyscall"}, {U | I | W | RSVD | PK | 0x8000, true, "vsyscall"},
                 {U, false, "vsyscall"},        {U | P, true, "kernel-address"},
                 {I, true, "sync-refused"},     {I | P, true, "kernel-address"}};
    c.at_ip = true;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        c.cpu = codes[i].nx ? NX_ON : 0;
        situation_make(&t, &c);
        t.s.error_code = codes[i].code;
        ENTRY(&t, codes[i].row, "code %#" PRIx64, codes[i].code);
    }
}

/* Both ends are inside. */
static void test_erratum93(void)
{
    static const struct {
        uint64_t target;
        bool inside;
    } cases[] = {
        {TEXT_AT - 1, false},    {TEXT_AT, true},    {TEXT_AT + 0x400000, true},     {TEXT_AT + 0x400001, false},
        {MODULES_AT - 1, false}, {MODULES_AT, true}, {MODULES_AT + 0x1000000, true}, {MODULES_AT + 0x1000001, false},
        {UINT64_MAX, false}};
    struct choices c = {.word = 8, .code = I, .layout = LOW_TEXT, .at_ip = true, .cpu = AMD_15};
    struct situation t;
    struct fl_expected e;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        situation_make(&t, &c);
        t.s.cr2 = t.s.regs.ip = (uint32_t)cases[i].target;
        ENDING(&t, cases[i].inside ? "erratum-93" : "kernel-oops", "target %#" PRIx64, cases[i].target);
        CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "target %#" PRIx64, cases[i].target);
        CHECK_EQ(e.outcome.new_ip, cases[i].inside ? cases[i].target : 0, "target %#" PRIx64, cases[i].target);
    }
    /* The gates, one by one (zoo e93-ungated). */
    situation_make(&t, &c);
    t.s.regs.ip--;
    ENDING(&t, "kernel-oops", "ip elsewhere");
    situation_make(&t, &c);
    t.s.cr2 = t.s.regs.ip = UINT64_C(0x100000000) | (uint32_t)TEXT_AT;
    ENDING(&t, "kernel-oops", "bit 32");
    for (uint8_t family = 14; family <= 16; family++) {
        situation_make(&t, &c);
        t.s.cpu.family = family;
        ENDING(&t, family == 15 ? "erratum-93" : "kernel-oops", "family %u", family);
    }
    t.s.cpu.family = 15;
    t.s.cpu.vendor = FL_VENDOR_INTEL;
    ENDING(&t, "kernel-oops", "vendor");
    situation_make(&t, &c);
    t.s.kernel.word = 4;
    ENDING(&t, "kernel-oops", "32-bit");
    /* Kernel text itself, where it is not mapped: nothing was lost of ip. */
    situation_make(&t, &c);
    t.s.cr2 = t.s.regs.ip = TEXT_AT;
    ENDING(&t, "kernel-oops", "ip is whole");
    /* The same gates where the kernel fetches nothing from user space. */
    c.built = NO_USER_FETCH;
    situation_make(&t, &c);
    ENTRY(&t, "user-fetch-erratum-93", "a user fetch");
    t.s.cr2 = t.s.regs.ip = UINT64_C(0x100000000) | (uint32_t)TEXT_AT;
    ENTRY(&t, "no-user-fetch", "bit 32");
    t.s.ratelimited[FL_LIMIT_ERRATUM93] = true;
    ENTRY(&t, "no-user-fetch", "bit 32, warned before");
}

/* Exactly P and W, or P and I: all 64 bits of the code count (zoo spurious-perm). */
static void test_spurious(void)
{
    struct choices c = {.word = 8, .layout = KERNEL_ADDRESS, .tables = MAPPED, .built = CHECKS_SPURIOUS};
    struct situation t;
    for (unsigned code = 0; code < 64; code++) {
        c.code = (uint8_t)code;
        situation_make(&t, &c);
        bool may = code == (P | W) || code == (P | I);
        ENTRY(&t, may ? "spurious" : code & (P | U | RSVD) ? "kernel-address" : "sync-refused", "code %#x", code);
    }
    for (unsigned bit = 5; bit < 64; bit++) {
        c.code = P | W;
        situation_make(&t, &c);
        t.s.error_code |= UINT64_C(1) << bit;
        ENTRY(&t, "kernel-address", "bit %u", bit);
    }
    /* Who makes the access, and AC: a page that user code may reach, SMAP and SMEP on. */
    situation_make(&t, &c);
    for (unsigned i = 0; i < t.nentries; i++)
        t.entry[i].value |= 4;
    ENTRY(&t, "spurious", "a user page");
    t.s.cpu.cr4 |= 1u << 21;
    ENTRY(&t, "kernel-address", "SMAP");
    t.s.regs.flags |= 1u << 18;
    ENTRY(&t, "spurious", "AC");
    t.s.regs.cs = 0x33;
    ENTRY(&t, "kernel-address", "the processor's own access: AC does not excuse it");
    t.s.regs.cs = 0x10;
    t.s.error_code = P | I;
    ENTRY(&t, "spurious", "no SMEP");
    t.s.cpu.cr4 |= 1u << 20;
    ENTRY(&t, "kernel-address", "SMEP");
    /* What the tables permit in user space is for the VMA to say. */
    c.code = P | W;
    situation_make(&t, &c);
    t.s.kernel.task_size += 4096;
    ENTRY(&t, "user-address", "mapped, but a user address");
    /* A level above that forbids it; CR0.WP. */
    c.code = P | W;
    situation_make(&t, &c);
    t.entry[1].value &= ~UINT64_C(2);
    ENTRY(&t, "kernel-address", "a directory forbids it");
    t.s.cpu.cr0 &= ~(UINT64_C(1) << 16);
    ENTRY(&t, "spurious", "CR0.WP clear");
    t.entry[1].value = UINT64_C(0x40000000) | 3;
    ENTRY(&t, "kernel-address", "a table without memory");
}

/* From task_size on, whatever the bits; kernel faults there leave interrupts as they were. */
static void test_half(void)
{
    struct choices c = {.word = 8, .code = U | P, .regs = USER, .layout = KERNEL_ADDRESS};
    struct situation t;
    struct fl_expected e;
    situation_make(&t, &c);
    ENTRY(&t, "kernel-address", "task_size");
    t.s.cr2--;
    ENTRY(&t, "user-address", "the byte below");
    t.s.cr2 = UINT64_MAX;
    ENTRY(&t, "kernel-address", "the last byte");
    t.s.error_code = P;
    t.s.regs.flags |= 0x200;
    t.s.regs.cs = 0x10;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "kernel");
    CHECK(!e.outcome.irq_on && !e.lock_taken && e.outcome.action == FL_ACT_OOPS, "interrupts and lock");
    CHECK_EQ(e.outcome.thread_error_code, P, "the code of an oops is shown as it is");
    t.s.error_code = U | 0x40;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "user");
    CHECK_EQ(e.outcome.thread_error_code, U | P | 0x40, "the code that a user sees has P set");
    t.s.cr2 = t.s.kernel.task_size - 1;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "user");
    CHECK_EQ(e.outcome.thread_error_code, U | 0x40, "below task_size as it is");
}

int main(void)
{
    rows = fl_policy_rows(&nrows);
    test_idt_slot();
    test_vsyscall();
    test_erratum93();
    test_spurious();
    test_half();
    return check_done("policy boundary of the kernel half");
}
