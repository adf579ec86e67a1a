/* SPDX-License-Identifier: MIT */
/*
 * Golden texts of the one-line messages, written out by hand from the kernels' format strings (Linux 2.6.25
 * arch/x86/mm/fault.c and mm/memory.c print_vma_addr, both 2008; 2.6.32 do_sigbus, 2009), and their boundaries.
 */
#include "message_machine.h"

/* ---- lines about signals ------------------------------------------------------------------------------------------ */

static void segfault(uint64_t code, const char *text, const char *what)
{
    m.e.report_lock = m.e.report_tried = false;
    fl_message_segfault(&m.s, code, &m.e);
    expect(text, what);
}

static void test_segfault_32(void)
{
    start(4, FL_MODE_PAE);
    segfault(U, "<6>prog[1234]: segfault at 00001234 ip 08048123 sp bffff000 error 4\n", "plain");
    CHECK(!m.e.report_lock && !m.e.report_tried, "32-bit kernels do not say which mapping");
    segfault(0xdeadbeef00000015, "<6>prog[1234]: segfault at 00001234 ip 08048123 sp bffff000 error 15\n", "code");
    m.s.cr2 = UINT64_C(0xc0000000);
    m.s.regs.ip = UINT64_C(0x100000000);
    m.s.regs.gpr[FL_RSP] = UINT64_C(0xffffffff00000001);
    m.s.task.pid = 1;
    segfault(U | P, "<0>prog[1]: segfault at c0000000 ip 00000000 sp 00000001 error 5\n", "modulo 2^32, init");
    m.s.task.pid = 2;
    memcpy(m.s.task.comm, "\x01%s\xff", 5);
    segfault(U, "<6>\x01%s\xff[2]: segfault at c0000000 ip 00000000 sp 00000001 error 4\n", "any bytes");
    memcpy(m.s.task.comm, "fifteen-letters", 16);
    m.s.task.pid = UINT32_MAX;
    segfault(U, "<0>fifteen-letters[-1]: segfault at c0000000 ip 00000000 sp 00000001 error 4\n", "pid is an int");
    m.s.task.comm[0] = '\0';
    m.s.task.pid = INT32_MAX;
    segfault(U, "<6>[2147483647]: segfault at c0000000 ip 00000000 sp 00000001 error 4\n", "no name");
}

#define LINE "<6>prog[1234]: segfault at 1234 ip 8048123 sp bffff000 error 4"

static void test_segfault_64(void)
{
    start(8, FL_MODE_4LEVEL);
    segfault(U, LINE "\n", "no mapping");
    CHECK(m.e.report_lock && m.e.report_tried, "the lock is had for it all the same");

    /*   0x8040000        0x8050000      0x9000000
     * ------[ file 7 ]-----[ anonymous ]----                 */
    m.vmas[0] = (struct fl_vma){.start = 0x8040000, .end = 0x8050000, .backing = FL_BACK_FILE, .file = 7};
    m.vmas[1] = (struct fl_vma){.start = 0x8050000, .end = 0x9000000, .backing = FL_BACK_ANON};
    m.s.nvmas = 2;
    segfault(U, LINE " in lib7.so[8040000+10000]\n", "in a file");
    m.vmas[0].backing = FL_BACK_ANON;
    segfault(U, LINE "\n", "not in a file");
    m.vmas[0].backing = FL_BACK_FILE;
    static const struct {
        uint64_t start, end;
        bool in;
    } rows[] = {{0x8048123, 0x8050000, true},
                {0x8048124, 0x8050000, false},
                {0x8040000, 0x8048124, true},
                {0x8040000, 0x8048123, false}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        m.vmas[0].start = rows[i].start;
        m.vmas[0].end = rows[i].end;
        snprintf(text, sizeof text, LINE " in lib7.so[%" PRIx64 "+%" PRIx64 "]\n", rows[i].start,
                 rows[i].end - rows[i].start);
        segfault(U, rows[i].in ? text : LINE "\n", "edges of the mapping");
    }
    m.vmas[0].start = 0x8040000;
    m.vmas[0].end = 0x8050000;

    /* Where nobody can be asked. */
    m.names = 0;
    bool *const reasons[] = {&m.s.task.in_atomic, &m.s.task.in_nmi, &m.s.report_contended};
    for (unsigned i = 0; i < 3; i++) {
        *reasons[i] = true;
        segfault(U, LINE "\n", "left out");
        CHECK(!m.e.report_lock, "no lock, reason %u", i);
        CHECK_EQ(m.e.report_tried, reasons[i] == &m.s.report_contended, "tried for, reason %u", i);
        *reasons[i] = false;
    }
    m.s.task.has_mm = false;
    segfault(U, LINE "\n", "left out");
    CHECK(!m.e.report_lock && !m.e.report_tried, "no lock without an mm");
    CHECK_EQ(m.names, 0, "names asked for nothing");

    start(8, FL_MODE_4LEVEL);
    m.s.cr2 = UINT64_C(0xffff880000000000);
    m.s.regs.ip = UINT64_C(0x7fffdeadbeef);
    m.s.regs.gpr[FL_RSP] = UINT64_MAX;
    segfault(UINT64_C(0x8000000000000005),
             "<6>prog[1234]: segfault at ffff880000000000 ip 7fffdeadbeef sp ffffffffffffffff error 8000000000000005\n",
             "whole words");
}

/* The mapping is that of the end of the fault. */
static void test_segfault_changes(void)
{
    start(8, FL_MODE_4LEVEL);
    m.vmas[0] =
        (struct fl_vma){.start = 0x8049000, .end = 0x8060000, .backing = FL_BACK_FILE, .growsdown = true, .file = 3};
    m.s.nvmas = 1;
    m.s.cr2 = 0x8048050;
    const char *line = "<6>prog[1234]: segfault at 8048050 ip 8048123 sp bffff000 error 6";
    char text[200];
    snprintf(text, sizeof text, "%s\n", line);
    segfault(U | W, text, "below the stack");
    m.e.grows = true;
    m.e.new_start = 0x8048000;
    snprintf(text, sizeof text, "%s in lib3.so[8048000+18000]\n", line);
    segfault(U | W, text, "the stack has grown to it");
    m.e.yields = 1;
    segfault(U | W, text, "init waited, and nothing happened");
    m.s.yield = FL_YIELD_PROTECT;
    segfault(U | W, text, "a mapping without write permission is one");
    m.s.yield = FL_YIELD_UNMAP;
    snprintf(text, sizeof text, "%s\n", line);
    segfault(U | W, text, "the stack is gone");
    m.e.yields = 0;
    snprintf(text, sizeof text, "%s in lib3.so[8048000+18000]\n", line);
    segfault(U | W, text, "only waiting does it");

    /* What was there is gone, and then the stack above it has grown. */
    m.vmas[1] = m.vmas[0];
    m.vmas[0] = (struct fl_vma){.start = 0x8048000, .end = 0x8049000, .backing = FL_BACK_FILE, .file = 5};
    m.s.nvmas = 2;
    m.e.yields = 1;
    segfault(U | W, text, "grown over what was there");
    m.e.grows = false;
    snprintf(text, sizeof text, "%s\n", line);
    segfault(U | W, text, "what was there is gone");
    m.e.yields = 0;
    snprintf(text, sizeof text, "%s in lib5.so[8048000+1000]\n", line);
    segfault(U | W, text, "and is not");
}

static void test_short_ones(void)
{
    start(8, FL_MODE_4LEVEL);
    fl_message_out_of_memory(&m.s, &m.e);
    expect("VM: killing process prog\n", "out of memory");
    fl_message_poison(&m.s, &m.e);
    expect("<3>MCE: Killing prog:1234 due to hardware memory corruption fault at 1234\n", "poison");
    m.s.task.pid = UINT32_MAX;
    m.s.cr2 = UINT64_C(0x7fffffffe000);
    fl_message_poison(&m.s, &m.e);
    expect("<3>MCE: Killing prog:-1 due to hardware memory corruption fault at 7fffffffe000\n", "poison");
    fl_message_erratum93(&m.s, &m.e);
    expect("<3>******* Your BIOS seems to not contain a fix for K8 errata #93\n"
           "<3>******* Working around it, but it may cause SEGVs or burn power.\n"
           "<3>******* Please consider a BIOS update.\n"
           "<3>******* Disabling USB legacy in the BIOS may also help.\n",
           "erratum 93");
    /* One after the other. */
    start(4, FL_MODE_2LEVEL);
    m.s.kernel.oops_may_print = false;
    fl_message_out_of_memory(&m.s, &m.e);
    fl_message_oops(&m.s, &m.e);
    expect("VM: killing process prog\n{die}\n", "both");
    CHECK_EQ(m.symbols, 0, "no symbol");
}

static void test_cut(void)
{
    start(8, FL_MODE_4LEVEL);
    for (unsigned i = 0; i < 100; i++)
        fl_message_append(&m.e, "%s", "0123456789");
    CHECK_EQ(m.e.nlog, FL_LOG_MAX, "cut off");
    CHECK(!memcmp(m.e.log + FL_LOG_MAX - 10, "8901234567", 8), "the last bytes");
    CHECK_EQ(m.e.outcome.action, 0, "what follows the log is whole");
    fl_message_oops(&m.s, &m.e);
    CHECK_EQ(m.e.nlog, FL_LOG_MAX, "full");
}

int main(void)
{
    test_segfault_32();
    test_segfault_64();
    test_segfault_changes();
    test_short_ones();
    test_cut();
    return check_done("policy message");
}
