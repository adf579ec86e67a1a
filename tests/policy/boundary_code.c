/* SPDX-License-Identifier: MIT */
/* The exact boundaries of the policy over code: the segment behind a selector, and which instruction bytes count. */
#include "check.h"
#include "situation.h"

#include "policy/facts.h"
#include "policy/segment.h"

static const struct fl_policy_row *rows;
static size_t nrows;

/* The segment behind cs: Intel SDM vol. 3A, 3.4.5; vol. 3B, 20.1.1. */
static void test_segment(void)
{
    static const struct {
        uint64_t raw;
        uint8_t word;
        struct fl_codeseg want;
    } descriptors[] = {
        {UINT64_C(0x12409a345678def0), 8, {.base = 0x12345678, .limit = 0xdef0, .bits = 32}},
        {UINT64_C(0x124f9a345678def0), 8, {.base = 0x12345678, .limit = 0xfdef0, .bits = 32}},
        {UINT64_C(0xff80000000000000), 8, {.base = 0xff000000, .limit = 0xfff, .bits = 16}},
        {UINT64_C(0xff8f00ffffffffff), 8, {.base = 0xffffffff, .limit = 0xffffffff, .bits = 16}},
        {UINT64_C(0xffafffffffffffff), 8, {.base = 0, .limit = 0xffffffff, .bits = 64}},
        {UINT64_C(0xffafffffffffffff), 4, {.base = 0xffffffff, .limit = 0xffffffff, .bits = 16}},
        {0, 8, {.base = 0, .limit = 0, .bits = 16}},
    };
    struct choices c = {.word = 8, .code = U, .regs = USER, .selector = SEL_LDT64};
    struct situation t;
    struct fl_codeseg seg;
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++) {
        situation_make(&t, &c);
        t.s.kernel.word = descriptors[i].word;
        t.ldt[1] = descriptors[i].raw;
        CHECK(fl_policy_code_segment(&t.s, &seg), "descriptor %zu", i);
        CHECK_EQ(seg.base, descriptors[i].want.base, "base of descriptor %zu", i);
        CHECK_EQ(seg.limit, descriptors[i].want.limit, "limit of descriptor %zu", i);
        CHECK_EQ(seg.bits, descriptors[i].want.bits, "size of descriptor %zu", i);
    }
    /* The last entry, the one behind it, the last selector that there is. */
    CHECK(fl_policy_code_segment(&t.s, &seg), "the last entry");
    t.s.task.ldt_entries = 1;
    CHECK(!fl_policy_code_segment(&t.s, &seg), "behind the last entry (zoo pf-ldt-index)");
    t.s.regs.cs = 0x07;
    CHECK(fl_policy_code_segment(&t.s, &seg), "entry 0");
    t.s.task.ldt_entries = 0;
    CHECK(!fl_policy_code_segment(&t.s, &seg), "no LDT");
    t.s.regs.cs = 0xffff;
    CHECK(!fl_policy_code_segment(&t.s, &seg), "the last selector");
    t.s.regs.cs = 0xfffb;
    CHECK(fl_policy_code_segment(&t.s, &seg) && seg.bits == 64, "of the GDT: as the processor caches it");
    t.s.regs.cs = 0xffff;
    t.s.regs.flags |= 0x20000;
    CHECK(fl_policy_code_segment(&t.s, &seg), "virtual-8086 mode");
    CHECK(seg.base == 0xffff0 && seg.limit == 0xffff && seg.bits == 16, "virtual-8086 mode: base %#" PRIx64, seg.base);
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

/* n bytes of the window are readable, from linear on. */
static void expect_window(const struct situation *t, unsigned bits, bool user, unsigned n, uint64_t linear)
{
    struct fl_code_window w;
    CHECK_EQ(fl_policy_code_window(&t->s, &w), FL_OK, "%u-bit code", bits);
    CHECK_EQ(w.bits, bits, "%u readable", n);
    CHECK_EQ(w.user, user, "%u-bit code, %u readable", bits, n);
    for (unsigned i = 0; i < FL_WINDOW_BYTES; i++) {
        CHECK_EQ(w.readable[i], i < n, "%u-bit code, byte %u of %u", bits, i, n);
        CHECK_EQ(w.linear[i], i < n ? linear + i : 0, "%u-bit code, byte %u of %u", bits, i, n);
    }
}

static void test_window(void)
{
    struct choices c = {.word = 8, .code = U, .regs = USER};
    struct situation t;
    struct fl_code_window w;
    for (unsigned n = 0; n <= FL_WINDOW_BYTES; n++) {
        situation_make(&t, &c);
        t.s.regs.ip = t.s.kernel.task_size - n;
        expect_window(&t, 64, true, n, t.s.regs.ip);
        t.s.codeseg = (struct fl_codeseg){.base = 0x10000, .limit = 0xfff + n, .bits = 32};
        t.s.regs.ip = 0x1000;
        expect_window(&t, 32, true, n, 0x11000);
        t.s.regs.cs = 0x10;
        expect_window(&t, 32, false, n, 0x11000);
    }
    CHECK(fl_policy_code_window(&t.s, &w) == FL_OK && w.open, "a prefetch may be the reason");
    t.s.error_code |= I;
    CHECK(fl_policy_code_window(&t.s, &w) == FL_OK && !w.open, "not of a fetch");
    t.s.regs.cs = 0xffff;
    expect_window(&t, 0, true, 0, 0);
    CHECK_EQ(fl_policy_code_window(NULL, &w), FL_INVALID, "NULL");
    CHECK_EQ(fl_policy_code_window(&t.s, NULL), FL_INVALID, "NULL");
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
    CHECK(!strcmp(rows[e.row].name, "sigbus-user"), "row %s", rows[e.row].name);
    CHECK_EQ(t.reads, 15, "bytes read once");
    t.reads = 0;
    t.s.mm_result[0] = FL_MM_MINOR;
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

/* The kernel's accessor never touches the vsyscall page; where there is none, nothing is special. */
static void test_vsyscall_page(void)
{
    struct choices c = {.word = 8, .layout = NOTHING, .bytes = PREFETCH, .built = HAS_PAGE};
    struct situation t;
    uint64_t linear;
    for (int page = 1; page >= 0; page--) {
        c.built = page ? HAS_PAGE : 0;
        situation_make(&t, &c);
        t.s.regs.ip = t.code_at = VSYSCALL_AT - 3;
        expect_prefetch(&t, true, page ? 3 : 5, "ends before the page");
        t.s.regs.ip = t.code_at = VSYSCALL_AT - 2;
        expect_prefetch(&t, !page, page ? 2 : 5, "last byte in the page");
        t.s.regs.ip = t.code_at = VSYSCALL_AT + 4095;
        expect_prefetch(&t, !page, page ? 0 : 5, "first byte in the page");
        t.s.regs.ip = t.code_at = VSYSCALL_AT + 4096;
        expect_prefetch(&t, true, 5, "behind the page");
        CHECK(fl_policy_code_byte(&t.s, 14, &linear) && linear == VSYSCALL_AT + 4096 + 14, "behind the page");
        t.s.regs.ip = VSYSCALL_AT - 1;
        CHECK(fl_policy_code_byte(&t.s, 0, &linear) && linear == VSYSCALL_AT - 1, "before the page");
        CHECK_EQ(fl_policy_code_byte(&t.s, 1, &linear), !page, "in the page");
    }
}

int main(void)
{
    rows = fl_policy_rows(&nrows);
    test_segment();
    test_window();
    test_prefetch();
    test_vsyscall_page();
    return check_done("policy boundary of code");
}
