/* SPDX-License-Identifier: MIT */
/*
 * The exact boundaries of the policy over user space: cushion, limits of growth, the ends of VMAs and of user space,
 * keys, the vm86 screen, passes; and what is rejected. Others: boundary_code.c, boundary_kernel.c.
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
    t.s.cr2 = t.s.kernel.task_size; /* the kernel half has no area */
    AREA(&t, "-");
    t.s.cr2 = UINT64_MAX;
    AREA(&t, "-");
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

/* PKRU has two bits a key; only those of the VMA's key count, and WD for writes alone. */
static void test_keys(void)
{
    struct choices read = {.word = 8, .code = U, .regs = USER, .prot = R | WR, .built = KNOWS_KEYS, .cpu = CR4_HAS_PKE};
    struct choices write = read;
    struct situation t;
    write.code |= W;
    for (unsigned key = 0; key < 16; key++) {
        const struct {
            uint32_t pkru;
            bool read, write;
        } cases[] = {{1u << (2 * key), false, false},
                     {2u << (2 * key), true, false},
                     {~(3u << (2 * key)), true, true},
                     {3u << (2 * key), false, false}};
        for (unsigned i = 0; i < 4; i++) {
            situation_make(&t, &read);
            t.vmas[1].pkey = (uint8_t)key;
            t.s.cpu.pkru = cases[i].pkru;
            AREA(&t, cases[i].read ? "area-read" : "pkuerr-read");
            situation_make(&t, &write);
            t.vmas[1].pkey = (uint8_t)key;
            t.s.cpu.pkru = cases[i].pkru;
            AREA(&t, cases[i].write ? "area-write" : "pkuerr-write");
        }
    }
    /* They are a thing of IA-32e mode. */
    situation_make(&t, &read);
    t.s.cpu.pkru = UINT32_MAX;
    AREA(&t, "pkuerr-read");
    t.s.cpu.mode = FL_MODE_5LEVEL;
    AREA(&t, "pkuerr-read");
    t.s.cpu.mode = FL_MODE_PAE;
    AREA(&t, "area-read");
    /* The key that the signal tells is that of the VMA of the last pass. */
    struct fl_expected e;
    read.mm = FL_MM_RETRY;
    read.built |= RETRIES;
    situation_make(&t, &read);
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "retry");
    CHECK_EQ(e.outcome.si_pkey, 0, "no key without PKUERR");
}

/* Pages of the VGA window that a vm86 task touched: 32 from 0xa0000 on. */
static void test_screen(void)
{
    static const struct {
        uint64_t cr2;
        uint32_t bits;
    } cases[] = {{0x9ffff, 0}, {0xa0000, 1}, {0xa0fff, 1}, {0xa1000, 2}, {0xbffff, UINT32_C(1) << 31}, {0xc0000, 0}};
    struct choices c = {.word = 4, .code = U, .regs = VM86, .prot = R};
    struct situation t;
    struct fl_expected e;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        situation_make(&t, &c);
        t.vmas[0] = (struct fl_vma){.start = 0x1000, .end = 0x110000, .generation = 1, .read = true};
        t.s.cr2 = cases[i].cr2;
        CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "screen");
        CHECK_EQ(e.outcome.screen_bits, cases[i].bits, "screen at %#" PRIx64, cases[i].cr2);
        t.s.regs.flags &= ~UINT64_C(0x20000);
        t.s.regs.cs = 0x73;
        CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "screen");
        CHECK_EQ(e.outcome.screen_bits, 0, "not vm86, at %#" PRIx64, cases[i].cr2);
    }
    /* Only where the fault is handled; never in a 64-bit kernel. */
    t.s.regs.flags |= 0x20000;
    t.s.cr2 = 0xa0000;
    t.s.mm_result[0] = FL_MM_SIGBUS;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "screen");
    CHECK(e.outcome.action == FL_ACT_SIGNAL && e.outcome.screen_bits == 0, "not handled");
    t.s.mm_result[0] = FL_MM_MAJOR;
    t.s.kernel.word = 8;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "screen");
    CHECK(e.outcome.action == FL_ACT_HANDLED && e.outcome.screen_bits == 0, "a 64-bit kernel");
}

/* The size of a poisoned large page: that of a page directory entry in the mode. */
static void test_poison(void)
{
    static const uint8_t lsb[FL_MODE_COUNT] = {22, 21, 21, 21};
    struct choices c = {.word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_HWPOISON_LARGE};
    struct situation t;
    struct fl_expected e;
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        c.word = mode >= FL_MODE_4LEVEL ? 8 : 4;
        situation_make(&t, &c);
        t.s.cpu.mode = (uint8_t)mode;
        CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "poison");
        CHECK_EQ(e.outcome.si_addr_lsb, lsb[mode], "mode %u", mode);
    }
}

/* As many passes as there are answers: OOM for init, one RETRY. One more answer would be needed: no snapshot. */
static void test_passes(void)
{
    struct choices c = {.word = 8, .code = U, .regs = USER, .prot = R, .task = INIT, .built = RETRIES};
    struct situation t;
    struct fl_expected e;
    situation_make(&t, &c);
    t.s.mm_result[0] = FL_MM_OOM;
    t.s.mm_result[1] = FL_MM_RETRY_MAJOR;
    t.s.mm_result[2] = FL_MM_OOM;
    t.s.mm_result[3] = FL_MM_SIGBUS;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "four answers");
    CHECK(e.mm_calls == 4 && e.nagain == 3 && e.yields == 2, "%u calls, %u again, %u yields", e.mm_calls, e.nagain,
          e.yields);
    CHECK(!strcmp(row_name(e.again[0]), "oom-init") && !strcmp(row_name(e.again[1]), "retry-major") &&
              !strcmp(row_name(e.again[2]), "oom-init"),
          "again: %s %s %s", row_name(e.again[0]), row_name(e.again[1]), row_name(e.again[2]));
    CHECK_EQ(e.mm_flags[0], FL_MM_USER | FL_MM_ALLOW_RETRY, "flags");
    CHECK_EQ(e.mm_flags[1], FL_MM_USER | FL_MM_ALLOW_RETRY, "flags after a yield");
    CHECK_EQ(e.mm_flags[2], FL_MM_USER | FL_MM_TRIED, "flags after a retry");
    CHECK_EQ(e.mm_flags[3], FL_MM_USER | FL_MM_TRIED, "flags after both");
    CHECK_EQ(e.outcome.signo, 7, "SIGBUS in the last pass");
    t.s.mm_result[3] = FL_MM_OOM;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_INVALID, "a fifth answer");

    /* What others do while init waits, they do once. */
    situation_make(&t, &c);
    t.s.mm_result[0] = t.s.mm_result[1] = FL_MM_OOM;
    t.s.yield = FL_YIELD_UNMAP;
    t.vmas[2] = (struct fl_vma){.start = 0x500000, .end = 0x520000, .generation = 3, .read = true, .growsdown = true};
    t.s.nvmas = 3;
    t.s.task.stack_limit = t.s.task.as_limit = UINT64_MAX;
    t.s.regs.gpr[FL_RSP] = 0x3ff000;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "unmapped");
    CHECK(e.mm_calls == 3 && e.grows && e.new_start == 0x400000 && e.outcome.action == FL_ACT_HANDLED,
          "the stack above it grew into its place: %u calls, start %#" PRIx64, e.mm_calls, e.new_start);
    CHECK(!strcmp(row_name(e.path[FL_PART_AREA]), "area-read"), "third pass: %s", row_name(e.path[FL_PART_AREA]));
    /* The gap is now to the mapping below the one that is gone. */
    t.vmas[0].end = 0x3ff000;
    t.s.kernel.guard_gap = 0x1000;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "gap");
    CHECK(!strcmp(row_name(e.path[FL_PART_AREA]), "area-read"), "gap: %s", row_name(e.path[FL_PART_AREA]));
    t.s.kernel.guard_gap = 0x2000;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "gap");
    CHECK(!strcmp(row_name(e.path[FL_PART_AREA]), "stack-guard-gap"), "gap: %s", row_name(e.path[FL_PART_AREA]));
    /* What is gone does not count for RLIMIT_AS: 0x2ff pages below, 0x120 of the stack and what it grew by. */
    t.s.kernel.guard_gap = 0;
    t.s.task.as_limit = (0x2ff + 0x120) * 4096;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "as");
    CHECK(e.grows, "as: %s", row_name(e.path[FL_PART_AREA]));
    t.s.task.as_limit--;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "as");
    CHECK(!strcmp(row_name(e.path[FL_PART_AREA]), "stack-as-limit"), "as: %s", row_name(e.path[FL_PART_AREA]));
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
    REJECTED(t.s.kernel.generation = FL_GEN_COUNT);
    for (unsigned i = 0; i < FL_MM_ANSWERS; i++)
        REJECTED(t.s.mm_result[i] = FL_MM_COUNT);
    REJECTED(t.s.yield = FL_YIELD_COUNT);
    REJECTED(t.s.byte = NULL);
    REJECTED(t.s.read = NULL);
    REJECTED(t.s.word = NULL);
    REJECTED(t.s.symbol = NULL);
    REJECTED(t.s.file_name = NULL);
    REJECTED(t.s.vmas = NULL);
    REJECTED(t.s.extable = NULL);
    REJECTED(t.s.ldt = NULL);
    situation_make(&t, &c);
    t.s.kernel.generation = FL_GEN_2008_32;
    CHECK_EQ(fl_policy_decide(&t.s, &e), FL_INVALID, "a generation that 4-level paging does not have");
    CHECK(!memcmp(&e, &before, sizeof e), "an output was touched");
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
    test_keys();
    test_screen();
    test_poison();
    test_passes();
    test_invalid();
    return check_done("policy boundary");
}
