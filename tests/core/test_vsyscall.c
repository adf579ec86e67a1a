/* SPDX-License-Identifier: MIT */
/* The emulated vsyscall page: each condition alone, the entries, and what the stack and the call's work may do to it. */
#include "decide.h"

#define PAGE      0xffffffffff600000u
#define RETURN_TO 0x401234u

/* User code that called gettimeofday: it fetches from the first entry, and its return address is on the stack. */
static struct fl_fault call(void)
{
    struct fl_fault f = user_fault();

    f.kernel.vsyscall = PAGE;
    f.kernel.vsyscall_emulation = true;
    f.cr2 = f.regs.ip = PAGE;
    f.error_code = 0x15;
    return f;
}

static struct fake stack(void)
{
    struct fake k = fake_world();

    k.has_word = true;
    k.word_at = 0x7ff800;
    k.word = RETURN_TO;
    return k;
}

#define EMULATED .action = FL_ACT_EMULATED, ON, .new_ip = RETURN_TO, .new_sp = 0x7ff808
/* A signal that tells of no address. */
#define FORCED .action = FL_ACT_SIGNAL, ON, .signo = SIGSEGV_NR, .si_code = BY_KERNEL

static void test_entries(void)
{
    for (unsigned offset = 0; offset < 4096; offset++) {
        struct fl_fault f = call();
        struct fake k = stack();

        f.cr2 = f.regs.ip = PAGE + offset;
        if (offset == 0 || offset == 1024 || offset == 2048) {
            struct result r = EXPECT(&f, &k, "iuV", EMULATED);

            CHECK_EQ(r.world.vsyscall_nr, offset / 1024, "offset %#x", offset);
            CHECK_EQ(r.world.word_asked, 0x7ff800, "offset %#x", offset);
        } else {
            EXPECT(&f, &k, "i", FORCED);
        }
    }
    /* the bytes around the page */
    for (int64_t offset = -1; offset <= 4096; offset += 4097) {
        struct fl_fault f = call();
        struct fake k = stack();

        f.cr2 = f.regs.ip = PAGE + (uint64_t)offset;
        EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    }
}

static void test_gates(void)
{
    struct fl_fault f;
    struct fake k = stack();

    f = call();
    f.kernel.vsyscall_emulation = false;
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    f = call();
    f.kernel.vsyscall = 0;
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    f.cr2 = f.regs.ip = 0; /* 0 is no page, even where no address is the user's */
    f.kernel.task_size = 0;
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    f = call();
    f.regs.ip++;
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    f = call();
    f.cr2 += 1024;
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    f = call();
    f.regs.ip = 0x400000;
    f.error_code = 5;
    EXPECT(&f, &k, "ip", SEGV(MAPERR), ON);
    f = call();
    f.error_code = 0x10;
    f.regs.cs = 0x10;
    EXPECT(&f, &k, "xD", OOPS);
    f = call();
    f.error_code = 0x10;
    EXPECT(&f, &k, "D", OOPS);
    f = call();
    f.regs.cs = 0x10; /* USER, but the registers are the kernel's */
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    f = call();
    f.kernel.word = 4;
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    /* interrupts: on, whatever the flags */
    f = call();
    f.regs.flags = 2;
    EXPECT(&f, &k, "iuV", EMULATED);
    f.cr2++;
    f.regs.ip++;
    EXPECT(&f, &k, "i", FORCED);
}

/* The page at both ends of the address space: no comparison may wrap around. */
static void test_page_at_the_top(void)
{
    struct fl_fault f = call();
    struct fake k = stack();

    f.kernel.vsyscall = f.cr2 = f.regs.ip = UINT64_C(0xfffffffffffff000);
    EXPECT(&f, &k, "iuV", EMULATED);
    f.cr2 = f.regs.ip = UINT64_MAX;
    EXPECT(&f, &k, "i", FORCED);
    /* a user page is none, wherever the kernel says that it has its own */
    f = call();
    f.kernel.vsyscall = f.cr2 = f.regs.ip = 0x7ff000;
    f.error_code = 0x14;
    EXPECT(&f, &k, "itvmd", HANDLED, ON);
}

/* The error code tells a fetch only where fetches can be forbidden. */
static void test_fetch_bit(void)
{
    for (unsigned nxe = 0; nxe < 2; nxe++)
        for (unsigned fetch = 0; fetch < 2; fetch++)
            for (unsigned kind = 0; kind < 4; kind++) {
                struct fl_fault f = call();
                struct fake k = stack();

                f.cpu.efer = nxe ? 0xd00 : 0x500;
                f.cpu.vendor = FL_VENDOR_INTEL;
                f.error_code = 4 | kind | fetch << 4;
                if (fetch || !nxe)
                    EXPECT(&f, &k, "iuV", EMULATED);
                else
                    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
                f.cr2 = f.regs.ip = PAGE + 3 * 1024;
                if (fetch || !nxe)
                    EXPECT(&f, &k, "i", FORCED);
                else
                    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
            }
}

/* 32-bit code has no such page: by its segment, whatever the selector and the place. */
static void test_code_segment(void)
{
    struct fl_fault f = call();
    struct fake k = stack();

    for (uint8_t bits = 16; bits <= 32; bits *= 2) {
        f.codeseg = (struct fl_codeseg){.limit = UINT32_MAX, .bits = bits};
        f.cr2 = f.regs.ip = PAGE;
        EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
        f.cr2 = f.regs.ip = PAGE + 1;
        EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    }
    f = call();
    /* selectors of the LDT: what is not emulated is what erratum 100 takes for a fault of compatibility code */
    f.regs.cs = 0x0f;
    EXPECT(&f, &k, "i", IGNORED, ON);
    f.task.ldt_entries = 2;
    k.ldt[1] = 0x00cffb000000ffff;
    EXPECT(&f, &k, "iL", IGNORED, ON);
    k.ldt[1] = 0x00affb000000ffff;
    EXPECT(&f, &k, "iLuV", EMULATED);
    f.cr2 = f.regs.ip = PAGE + 1; /* erratum 100 is not asked about it */
    EXPECT(&f, &k, "iL", FORCED);
    f.cr2 = f.regs.ip = PAGE;
    f.regs.flags |= 1 << 17;
    EXPECT(&f, &k, "i", IGNORED, ON);
}

static void test_stack(void)
{
    struct fl_fault f = call();
    struct fake k = stack();

    /* not readable: the call has nowhere to return to */
    k.has_word = false;
    EXPECT(&f, &k, "iu", FORCED);
    k = stack();
    f.regs.gpr[FL_RSP] = UINT64_MAX - 7;
    k.word_at = UINT64_MAX - 7;
    EXPECT(&f, &k, "iuV", .action = FL_ACT_EMULATED, ON, .new_ip = RETURN_TO, .new_sp = 0);
    /* the return address is taken as it is */
    f = call();
    k = stack();
    k.word = UINT64_C(0x8000000000000000);
    EXPECT(&f, &k, "iuV", .action = FL_ACT_EMULATED, ON, .new_ip = UINT64_C(0x8000000000000000), .new_sp = 0x7ff808);
}

/* However a call fails: a signal without a fault record, and nothing else is asked: no line in the log, and neither a
 * prefetch nor erratum 100, which would hide it. */
static void test_forced(void)
{
    for (unsigned why = 0; why < 4; why++) {
        struct fl_fault f = call();
        struct fake k = stack();
        struct result r;

        f.kernel.show_unhandled = f.task.segv_unhandled = true;
        f.cpu.efer = 0x500; /* no NX: a prefetch cannot be ruled out by the error code */
        f.cpu.vendor = FL_VENDOR_AMD;
        f.error_code = 4;
        if (why < 2)
            f.cr2 = f.regs.ip = why ? PAGE + 3 * 1024 : PAGE + 8;
        k.has_word = why != 2;
        k.vsyscall_fails = why == 3;
        r = EXPECT(&f, &k, why < 2 ? "i" : why == 2 ? "iu" : "iuV", FORCED);
        CHECK_EQ(r.world.nlog, 0, "why %u: log", why);
        CHECK_EQ(r.world.limit_asked[FL_LIMIT_SIGNAL], 0, "why %u: limit", why);
    }
}

int main(void)
{
    test_entries();
    test_gates();
    test_page_at_the_top();
    test_fetch_bit();
    test_code_segment();
    test_stack();
    test_forced();
    return check_done("vsyscall");
}
