/* SPDX-License-Identifier: MIT */
/*
 * The exact boundaries of the policy: cushion, limits of growth, the ends of VMAs and of user space, which
 * instruction bytes count; and what is rejected.
 */
#include "check.h"
#include "situation.h"

static const struct fl_policy_row *rows;
static size_t nrows;

static const char *row_name(uint16_t row)
{
    return row == FL_POLICY_NO_ROW ? "-" : row < nrows ? rows[row].name : "?";
}

static const char *decide(struct situation *t)
{
    struct fl_expected e;
    CHECK_EQ(fl_policy_decide(&t->s, &e), FL_OK, "decide");
    return row_name(e.path[FL_PART_AREA]);
}

#define AREA(t, want) CHECK(!strcmp(decide(t), want), "row %s, expected %s", decide(t), want)

static const struct choices growing = {.word = 8, .code = U | W, .regs = USER, .layout = BELOW_STACK, .prot = WR};

/*   sp - reach      sp
 *   ----|-----------|----   reach = 65536 + 32 words; an access at sp - reach is the last that may grow the stack */
static void test_cushion(void)
{
    struct situation t;
    for (uint8_t word = 4; word <= 8; word += 4) {
        struct choices c = growing;
        c.word = word;
        uint64_t reach = word == 4 ? 65536 + 128 : 65536 + 256;
        situation_make(&t, &c);
        t.s.regs.gpr[FL_RSP] = 0x3f0123 + reach;
        AREA(&t, "stack-write");
        t.s.regs.gpr[FL_RSP]++;
        AREA(&t, "stack-cushion");
        t.s.regs.gpr[FL_RSP] = 0; /* above the address or not at all: only the distance below counts */
        AREA(&t, "stack-write");
        t.s.regs.gpr[FL_RSP] = word == 4 ? UINT32_MAX : UINT64_MAX;
        AREA(&t, "stack-cushion");
    }
    /* Near the top of a 32-bit space the sum does not fit into a word: then it is not below sp. */
    struct choices c = growing;
    c.word = 4;
    situation_make(&t, &c);
    t.s.kernel.task_size = UINT64_C(0xfffff000);
    t.s.kernel.guard_gap = 0;
    t.s.task.stack_limit = t.s.task.as_limit = UINT64_MAX;
    t.vmas[1].start = UINT64_C(0xffffe000);
    t.vmas[1].end = UINT64_C(0xfffff000);
    t.s.cr2 = UINT64_C(0xffff0000);
    t.s.regs.gpr[FL_RSP] = UINT32_MAX;
    AREA(&t, "stack-write");
    t.s.cr2 = UINT64_C(0xffff0000) - 128; /* the sum is exactly 2^32 */
    AREA(&t, "stack-write");
    t.s.cr2--;
    AREA(&t, "stack-write"); /* 2^32 - 1 is not below sp = 2^32 - 1 */
    t.s.cr2--;
    AREA(&t, "stack-cushion");
    /* The same at the top of a 64-bit one. */
    situation_make(&t, &growing);
    t.s.kernel.task_size = UINT64_MAX - 4095;
    t.s.kernel.guard_gap = 0;
    t.s.task.stack_limit = t.s.task.as_limit = UINT64_MAX;
    t.vmas[1].start = UINT64_MAX - 8191;
    t.vmas[1].end = UINT64_MAX - 4095;
    t.s.cr2 = UINT64_MAX - 65536 - 255; /* the sum is exactly 2^64 */
    t.s.regs.gpr[FL_RSP] = UINT64_MAX;
    AREA(&t, "stack-write");
    t.s.cr2 -= 2;
    AREA(&t, "stack-cushion");
    /* A 32-bit kernel's stack pointer has 32 bits. */
    situation_make(&t, &c);
    t.s.regs.gpr[FL_RSP] |= UINT64_C(1) << 40;
    AREA(&t, "stack-write");
}

static void test_growth_limits(void)
{
    struct situation t;
    situation_make(&t, &growing);
    t.s.regs.gpr[FL_RSP] = 0x3f0000;
    t.s.cr2 = 0x3f0000; /* first byte of the page */
    AREA(&t, "stack-write");
    t.s.cr2 = 0x3effff; /* last byte of the page below: RLIMIT_STACK is just reached at 0x3f0000 */
    AREA(&t, "stack-rlimit");
    t.s.task.stack_limit = 0x31000;
    AREA(&t, "stack-min-addr");
    t.s.kernel.mmap_min_addr = 0x3ef000;
    AREA(&t, "stack-guard-gap");
    t.s.kernel.guard_gap = 0x2df000;
    AREA(&t, "stack-as-limit");
    t.s.task.as_limit = 65 * 4096 - 1; /* counted in whole pages */
    AREA(&t, "stack-as-limit");
    t.s.task.as_limit = 65 * 4096;
    AREA(&t, "stack-write");
    t.s.expand_refused = true;
    AREA(&t, "stack-refused");

    /* The gap is to a neighbour that is no stack itself, and only where there is one. */
    situation_make(&t, &growing);
    t.vmas[0].start = 0x3e0000;
    t.vmas[0].end = 0x3f0000;
    AREA(&t, "stack-guard-gap");
    t.s.kernel.guard_gap = 0; /* touching, not overlapping */
    AREA(&t, "stack-write");
    t.s.kernel.guard_gap = 4096;
    AREA(&t, "stack-guard-gap");
    t.vmas[0].growsdown = true;
    AREA(&t, "stack-write");
    situation_make(&t, &growing);
    t.s.vmas = &t.vmas[1];
    t.s.nvmas = 1;
    t.s.kernel.guard_gap = UINT64_C(1) << 40;
    AREA(&t, "stack-write");
    t.s.kernel.mmap_min_addr = 0;
    t.s.cr2 = 0; /* the very first page */
    t.s.regs.gpr[FL_RSP] = 0;
    t.s.task.stack_limit = t.s.task.as_limit = UINT64_MAX;
    AREA(&t, "stack-write");
}

static void test_addresses(void)
{
    struct choices c = {.word = 8, .code = U, .regs = USER, .layout = INSIDE, .prot = R};
    struct situation t;
    situation_make(&t, &c);
    t.s.cr2 = 0x400000;
    AREA(&t, "area-read");
    t.s.cr2 = 0x41ffff;
    AREA(&t, "area-read");
    t.s.cr2 = 0x420000;
    AREA(&t, "no-vma");
    t.s.cr2 = 0x3fffff;
    AREA(&t, "below-vma");
    t.s.cr2 = 0x10ffff; /* last byte of the VMA below */
    AREA(&t, "area-read");
    t.s.cr2 = 0x110000;
    AREA(&t, "below-vma");
    t.s.cr2 = t.s.kernel.task_size - 1;
    AREA(&t, "no-vma");
    t.s.cr2 = t.s.kernel.task_size;
    AREA(&t, "kernel-address");
    t.s.cr2 = UINT64_MAX;
    AREA(&t, "kernel-address");
    t.s.nvmas = 0;
    t.s.vmas = NULL;
    t.s.cr2 = 0x400000;
    AREA(&t, "no-vma");
}

/* Bits that the table does not know pass through to the thread. */
static void test_unknown_bits(void)
{
    struct choices c = {.word = 8, .code = U, .regs = USER, .layout = NOTHING};
    struct situation t;
    struct fl_expected e;
    situation_make(&t, &c);
    t.s.error_code |= 0x80008060;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "unknown bits");
    CHECK_EQ(e.outcome.thread_error_code, 0x80008064, "unknown bits");
}

static void expect_prefetch(struct situation *t, bool want, unsigned reads, const char *what)
{
    bool ignore = !want;
    t->reads = 0;
    CHECK_EQ(fl_policy_prefetch(&t->s, &ignore), FL_OK, "%s", what);
    CHECK_EQ(ignore, want, "%s", what);
    CHECK_EQ(t->reads, reads, "%s: bytes read", what);
    CHECK_EQ(t->wrong_reads, 0, "%s: accessor", what);
}

static void set_code(struct situation *t, size_t prefixes, uint8_t prefix)
{
    memset(t->code, prefix, sizeof t->code);
    t->code[prefixes] = 0x0f;
    if (prefixes + 1 < sizeof t->code)
        t->code[prefixes + 1] = 0x18;
    t->ncode = sizeof t->code;
}

/* Which bytes count: zoo pf-15-byte-bound, pf-seglimit-lost, pf-user-ip-kernel, pf-rex-by-cs,
 * pf-nofault-kernel-only. */
static void test_prefetch(void)
{
    struct choices c = {.word = 8, .code = U, .regs = USER, .layout = NOTHING, .bytes = PREFETCH};
    struct situation t;
    situation_make(&t, &c);
    set_code(&t, 13, 0x66);
    expect_prefetch(&t, true, 15, "13 prefixes and two opcode bytes are 15");
    set_code(&t, 14, 0x66);
    expect_prefetch(&t, false, 15, "14 prefixes: the second opcode byte would be the 16th");
    set_code(&t, 1, 0x4f);
    expect_prefetch(&t, true, 15, "REX in 64-bit code");
    t.s.codeseg.bits = 32;
    expect_prefetch(&t, false, 15, "no REX in 32-bit code");
    t.s.codeseg.bits = 64;

    set_code(&t, 2, 0x66);
    t.s.regs.ip = t.code_at = t.s.kernel.task_size - 4;
    expect_prefetch(&t, true, 4, "ends with the last byte of user space");
    t.s.regs.ip = t.code_at = t.s.kernel.task_size - 3;
    expect_prefetch(&t, false, 3, "last byte beyond user space");
    t.s.regs.ip = t.code_at = t.s.kernel.task_size;
    expect_prefetch(&t, false, 0, "user ip in the kernel half");
    t.s.regs.cs = 0x10;
    expect_prefetch(&t, true, 15, "kernel ip, kernel accessor");
    t.s.cpu.family = 5;
    expect_prefetch(&t, false, 0, "AMD family 5");
    t.s.cpu.family = 15;
    t.s.error_code |= I;
    expect_prefetch(&t, false, 0, "fetch");

    /* Several rows ask for the rule; the bytes are read once, and not at all where no row asks. */
    struct fl_expected e;
    c.layout = INSIDE;
    c.prot = R;
    c.mm = FL_MM_SIGBUS;
    situation_make(&t, &c);
    set_code(&t, 14, 0x66);
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "sigbus");
    CHECK(!strcmp(row_name(e.row), "sigbus-user"), "row %s", row_name(e.row));
    CHECK_EQ(t.reads, 15, "bytes read once");
    t.reads = 0;
    t.s.mm_result = FL_MM_MINOR;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "minor");
    CHECK_EQ(t.reads, 0, "no bytes read");

    /* base + offset, both cut, wrapping at 4 GiB; limit by offset */
    c.word = 4;
    situation_make(&t, &c);
    set_code(&t, 2, 0x3e);
    t.s.codeseg.base = UINT64_C(0xffff0000);
    t.s.codeseg.limit = 0x18003;
    t.s.regs.ip = UINT64_C(0x100018000);
    t.code_at = 0x8000;
    expect_prefetch(&t, true, 4, "limit at the last byte");
    t.s.codeseg.limit--;
    expect_prefetch(&t, false, 3, "limit one less");
    t.s.codeseg.bits = 16;
    t.s.codeseg.limit = 0xffff;
    t.s.codeseg.base = 0x20000;
    t.s.regs.ip = 0x1fffc;
    t.code_at = 0x2fffc;
    expect_prefetch(&t, true, 4, "16-bit ip, ends with the segment");
    t.s.regs.ip = 0x1fffd;
    t.code_at = 0x2fffd;
    expect_prefetch(&t, false, 3, "16-bit ip, one byte beyond the segment");
    t.s.codeseg.bits = 64;
    t.s.regs.ip = t.code_at = 0x8048000;
    t.s.codeseg.limit = 0;
    expect_prefetch(&t, true, 15, "64-bit code has neither base nor limit");
}

static void test_invalid(void)
{
    struct choices c = {.word = 8, .code = U, .regs = USER, .layout = INSIDE, .prot = R};
    struct situation t;
    struct fl_expected e, before;
    bool ignore = true;
    memset(&e, 0x5a, sizeof e);
    before = e;
#define REJECTED(change)                                                                                               \
    do {                                                                                                               \
        situation_make(&t, &c);                                                                                        \
        change;                                                                                                        \
        CHECK_EQ(fl_policy_decide(&t.s, &e), FL_INVALID, #change);                                                     \
        CHECK_EQ(fl_policy_prefetch(&t.s, &ignore), FL_INVALID, #change);                                              \
        CHECK(ignore && !memcmp(&e, &before, sizeof e), "an output was touched: " #change);                            \
    } while (0)
    REJECTED(t.s.cpu.mode = FL_MODE_COUNT);
    REJECTED(t.s.cpu.vendor = FL_VENDOR_COUNT);
    REJECTED(t.s.kernel.word = 2);
    REJECTED(t.s.codeseg.bits = 0);
    REJECTED(t.s.mm_result = FL_MM_COUNT);
    REJECTED(t.s.byte = NULL);
    REJECTED(t.s.vmas = NULL);
    REJECTED(t.s.extable = NULL);
    situation_make(&t, &c);
    CHECK_EQ(fl_policy_decide(NULL, &e), FL_INVALID, "NULL");
    CHECK_EQ(fl_policy_decide(&t.s, NULL), FL_INVALID, "NULL");
    CHECK_EQ(fl_policy_prefetch(NULL, &ignore), FL_INVALID, "NULL");
    CHECK_EQ(fl_policy_prefetch(&t.s, NULL), FL_INVALID, "NULL");
}

int main(void)
{
    rows = fl_policy_rows(&nrows);
    test_cushion();
    test_growth_limits();
    test_addresses();
    test_unknown_bits();
    test_prefetch();
    test_invalid();
    return check_done("policy boundary");
}
