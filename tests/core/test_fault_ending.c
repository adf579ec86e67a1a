/* SPDX-License-Identifier: MIT */
/*
 * What becomes of faults that could not be served: signals and their line in the log, bus errors and poisoned pages, the
 * kernel ending, and deaths.
 */
#include "decide.h"

static struct fl_fault reported(struct fl_fault f)
{
    f.kernel.show_unhandled = true;
    f.task.segv_unhandled = true;
    return f;
}

static void test_bad_area(void)
{
    struct fl_fault uf = user_fault(), kf = kernel_fault(), sf = implicit_fault();
    struct fake k = fake_world();

    k.no_vma = true;
    EXPECT(&uf, &k, "itvdp", SEGV(MAPERR), ON);
    EXPECT(&kf, &k, "itvdxpD", OOPS, ON);
    EXPECT(&sf, &k, "itvdD", OOPS, ON);
    k.has_fixup = true;
    EXPECT(&uf, &k, "itvdp", SEGV(MAPERR), ON);
    EXPECT(&kf, &k, "itvdx", FIXUP, ON);
    EXPECT(&sf, &k, "itvdD", OOPS, ON);

    k = with_prefetch(&uf);
    k.no_vma = true;
    EXPECT(&uf, &k, "itvdppp", IGNORED, ON);
    EXPECT(&sf, &k, "itvdD", OOPS, ON);
    uf.regs.flags = 2;
    EXPECT(&uf, &k, "tvdippp", IGNORED, ON);
    k = with_prefetch(&kf);
    k.no_vma = true;
    EXPECT(&kf, &k, "itvdxppp", IGNORED, ON);
    k.has_fixup = true;
    EXPECT(&kf, &k, "itvdx", FIXUP, ON);
}

/* USER in the code with kernel registers: a fault for the user, of bytes that the kernel reads. */
static void test_user_code_kernel_registers(void)
{
    struct fl_fault f = kernel_fault();
    struct fake k = fake_world();
    struct result r;

    f.error_code = 6;
    k.no_vma = true;
    k.has_fixup = true;
    r = EXPECT(&f, &k, "itvdp", SEGV(MAPERR), ON);
    CHECK(!r.world.probe_user[0], "accessor of the registers' mode");
}

/* The line: wanted by the administrator, of a signal that is not caught, and let through by the limit; the limit is asked
 * last, because asking counts. */
static void test_segfault_line(void)
{
    for (unsigned i = 0; i < 8; i++) {
        bool show = i & 1, unhandled = i & 2, limited = i & 4;
        struct fl_fault f = user_fault();
        struct fake k = fake_world();
        struct result r;

        f.task.has_mm = false; /* no VMA is looked for: test_report.c */
        f.kernel.show_unhandled = show;
        f.task.segv_unhandled = unhandled;
        k.limited[FL_LIMIT_SIGNAL] = limited;
        r = EXPECT(&f, &k, show && unhandled ? "ipR" : "ip", SEGV(MAPERR), ON);
        CHECK_EQ(r.world.limit_asked[FL_LIMIT_SIGNAL], show && unhandled, "case %u", i);
        CHECK_EQ(r.world.limit_asked[FL_LIMIT_ERRATUM93], 0, "case %u", i);
        CHECK(strcmp(r.world.log, show && unhandled && !limited
                                      ? "<6>a.out[42]: segfault at 7ff008 ip 400000 sp 7ff800 error 6\n"
                                      : "") == 0,
              "case %u: \"%s\"", i, r.world.log);
    }

    /* the report takes the lock once more, to find the file that ip is in; a 32-bit kernel does not */
    struct fl_fault f = reported(user_fault());
    struct fake k = fake_world();
    struct result r;

    k.no_vma = true;
    k.code_vma =
        (struct fl_vma){.start = 0x400000, .end = 0x401000, .generation = 1, .backing = FL_BACK_FILE, .file = 3};
    k.file = "a.out";
    r = EXPECT(&f, &k, "itvdpRtvd", SEGV(MAPERR), ON);
    CHECK(strstr(r.world.log, " error 6 in a.out[400000+1000]\n"), "\"%s\"", r.world.log);
    k.refuse_try = 2;
    r = EXPECT(&f, &k, "itvdpRf", SEGV(MAPERR), ON);
    CHECK(strstr(r.world.log, " error 6\n"), "\"%s\"", r.world.log);
    f = as32(f);
    r = EXPECT(&f, &k, "itvdpR", SEGV(MAPERR), ON);
    CHECK(strstr(r.world.log, " error 6\n"), "\"%s\"", r.world.log);
}

/* Nobody is told of faults that are ignored, of other signals, or of kernel accesses. */
static void test_no_segfault_line(void)
{
    struct fl_fault uf = reported(user_fault()), kf = reported(kernel_fault());
    struct fake k = with_prefetch(&uf);

    k.no_vma = true;
    CHECK_EQ(EXPECT(&uf, &k, "itvdppp", IGNORED, ON).world.nlog, 0, "ignored");
    k = fake_world();
    k.mm[0] = FL_MM_SIGBUS;
    CHECK_EQ(EXPECT(&uf, &k, "itvmdp", BUS(ADRERR), ON).world.nlog, 0, "bus error");
    k.has_fixup = true;
    CHECK_EQ(EXPECT(&kf, &k, "itvmdx", FIXUP, ON).world.nlog, 0, "fixed up");
}

static void test_bus(void)
{
    static const struct {
        enum fl_mm_result answer;
        int code;
        uint8_t lsb, lsb_2level;
    } cases[] = {
        {FL_MM_SIGBUS, ADRERR, 0, 0},
        {FL_MM_HWPOISON, MCEERR, 12, 12},
        {FL_MM_HWPOISON_LARGE, MCEERR, 21, 22},
    };

    for (uint8_t mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct fl_fault uf = reported(user_fault()), kf = reported(kernel_fault()), sf = reported(implicit_fault());
            struct fake k;
            struct result r;

            if (mode <= FL_MODE_PAE) {
                uf = as32(uf);
                kf = as32(kf);
                sf = as32(sf);
            }
            uf.cpu.mode = kf.cpu.mode = sf.cpu.mode = mode;
            k = with_prefetch(&uf);
            k.mm[0] = cases[i].answer;
            r = EXPECT(&uf, &k, "itvmdppp", IGNORED, ON);
            CHECK_EQ(r.world.nlog, 0, "an ignored fault kills nobody");
            EXPECT(&sf, &k, "itvmdD", OOPS, ON);
            k.ncode = 0;
            r = EXPECT(&uf, &k, "itvmdp", BUS(cases[i].code), ON,
                       .si_addr_lsb = mode == FL_MODE_2LEVEL ? cases[i].lsb_2level : cases[i].lsb);
            CHECK(strcmp(r.world.log,
                         i ? "<3>MCE: Killing a.out:42 due to hardware memory corruption fault at 7ff008\n" : "") == 0,
                  "\"%s\"", r.world.log);
            EXPECT(&kf, &k, "itvmdxpD", OOPS, ON);
            k.has_fixup = true;
            r = EXPECT(&kf, &k, "itvmdx", FIXUP, ON);
            CHECK_EQ(r.world.nlog, 0, "no report for a kernel access that is fixed up");
            /* interrupts stay as they were */
            uf.regs.flags = 2;
            EXPECT(&uf, &k, "tvmdp", BUS(cases[i].code),
                   .si_addr_lsb = mode == FL_MODE_2LEVEL ? cases[i].lsb_2level : cases[i].lsb);
        }
}

/* A death: the report, the crash handler with the code as the processor gave it, and in 64-bit kernels one line more. */
static void test_deaths(void)
{
    struct fl_fault f = kernel_fault();
    struct fake k = fake_world();
    struct result r;

    k.no_vma = true;
    f.error_code = UINT64_C(0xffff0002);
    r = EXPECT(&f, &k, "itvdxpD", OOPS, ON);
    CHECK_EQ(r.world.die_what, FL_DIE_OOPS, "what");
    CHECK_EQ(r.world.die_code, 0xffff0002, "code");
    CHECK(strncmp(r.world.log, "<1>Unable to handle kernel paging request at 00000000007ff008 RIP: \n", 68) == 0,
          "\"%s\"", r.world.log);
    CHECK(strstr(r.world.log, "\n" FAKE_DIE "<0>CR2: 00000000007ff008\n"), "\"%s\"", r.world.log);
    f.error_code = 9;
    r = EXPECT(&f, &k, "iD", BAD_PAGETABLE, ON);
    CHECK(strncmp(r.world.log, "<1>a.out: Corrupted page table at address 7ff008\n", 49) == 0, "\"%s\"", r.world.log);
    CHECK(strcmp(r.world.log + r.world.nlog - strlen("\n" FAKE_DIE), "\n" FAKE_DIE) == 0, "\"%s\"", r.world.log);

    /* 32-bit kernels may be told not to print; they die all the same */
    for (unsigned print = 0; print < 2; print++) {
        f = as32(kernel_fault());
        f.kernel.oops_may_print = print;
        r = EXPECT(&f, &k, "itvdxpD", OOPS, ON);
        CHECK_EQ(strncmp(r.world.log, "<1>BUG: unable to handle", 24) == 0, print, "\"%s\"", r.world.log);
        CHECK(strcmp(r.world.log + r.world.nlog - strlen(FAKE_DIE), FAKE_DIE) == 0, "\"%s\"", r.world.log);
    }
}

/* Error-code bits that this handler does not know reach the task as they came, all 64 of them. */
static void test_unknown_bits(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();

    f.cpu.vendor = FL_VENDOR_INTEL;
    f.error_code = UINT64_C(0xffffffffffffffe4);
    k.no_vma = true;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR), ON);
}

int main(void)
{
    test_bad_area();
    test_user_code_kernel_registers();
    test_segfault_line();
    test_no_segfault_line();
    test_bus();
    test_deaths();
    test_unknown_bits();
    return check_done("fault ending");
}
