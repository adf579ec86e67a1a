/* SPDX-License-Identifier: MIT */
/* Errata 93 and 100 of AMD's K8 and the Pentium's F00F: each gate alone, and the boundaries of the addresses. */
#include "decide.h"

#define UPPER 0xffffffff00000000u

/* A kernel that jumped to the lower half of an address of its text. It was a read for all the processor knows. */
static struct fl_fault lost_upper_half(void)
{
    struct fl_fault f = kernel_fault();

    f.error_code = 0;
    f.cr2 = f.regs.ip = 0x80200000;
    return f;
}

static struct fake nothing_mapped(void)
{
    struct fake k = fake_world();

    k.no_vma = true;
    return k;
}

static bool saved(const struct fl_fault *f, const struct fake *k)
{
    struct result r = decide(f, k);

    if (r.out.action == FL_ACT_ERRATUM93)
        CHECK_EQ(r.out.new_ip, f->cr2 | UPPER, "new ip");
    else
        CHECK_EQ(r.world.limit_asked[FL_LIMIT_ERRATUM93], 0, "asked for nothing");
    return r.out.action == FL_ACT_ERRATUM93;
}

static void test_erratum93_gates(void)
{
    struct fl_fault plain = lost_upper_half(), f;
    struct fake k = nothing_mapped();

    EXPECT(&plain, &k, "itvdxpR", .action = FL_ACT_ERRATUM93, ON, .new_ip = 0xffffffff80200000);

    for (unsigned family = 4; family < 256; family++) {
        f = plain;
        f.cpu.family = (uint8_t)family;
        CHECK_EQ(saved(&f, &k), family == 15, "family %u", family);
    }
    f = plain;
    f.cpu.vendor = FL_VENDOR_INTEL;
    EXPECT(&f, &k, "itvdxD", OOPS, ON);
    f = plain;
    f.kernel.word = 4;
    CHECK(!saved(&f, &k), "32-bit kernel");
    f = plain;
    f.regs.ip++;
    CHECK(!saved(&f, &k), "CR2 is not ip");
    f = plain;
    f.cr2++;
    CHECK(!saved(&f, &k), "ip is not CR2");
    f = plain;
    f.cr2 = f.regs.ip = 0x100000000 | 0x80200000;
    CHECK(!saved(&f, &k), "a bit of the upper half is there");
    f = plain;
    f.cr2 = 0x80200000;
    f.regs.ip = 0xffffffff80200000;
    CHECK(!saved(&f, &k), "ip whole, CR2 not");
    /* the whole address: nothing was lost, whatever is wrong with it */
    f.cr2 = f.regs.ip;
    CHECK(!saved(&f, &k), "kernel address");
    f = plain;
    f.regs.cs = 0x33;
    EXPECT(&f, &k, "itvdD", OOPS, ON);
    f = plain;
    f.error_code = 4;
    f.regs.cs = 0x33;
    CHECK(!saved(&f, &k), "user mode");

    /* fix-up and prefetch come first */
    k.has_fixup = true;
    EXPECT(&plain, &k, "itvdx", FIXUP, ON);
    k = with_prefetch(&plain);
    k.no_vma = true;
    EXPECT(&plain, &k, "itvdxppp", IGNORED, ON);
}

/*      text_start          text_end       modules_start        modules_end      each one included */
static void test_erratum93_targets(void)
{
    static const struct {
        uint64_t target;
        bool code;
    } cases[] = {
        {0xffffffff801fffff, false}, {0xffffffff80200000, true},  {0xffffffff80200001, true},
        {0xffffffff803fffff, true},  {0xffffffff80400000, true},  {0xffffffff80400001, false},
        {0xffffffff87ffffff, false}, {0xffffffff88000000, true},  {0xffffffff88000001, true},
        {0xffffffffffefffff, true},  {0xfffffffffff00000, true},  {0xfffffffffff00001, false},
        {0xffffffff00000000, false}, {0xffffffffffffffff, false},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fl_fault f = lost_upper_half();
        struct fake k = nothing_mapped();

        f.cr2 = f.regs.ip = (uint32_t)cases[i].target;
        CHECK_EQ(saved(&f, &k), cases[i].code, "target %#" PRIx64, cases[i].target);
    }
}

static void test_erratum93_warning(void)
{
    struct fl_fault f = lost_upper_half();
    struct fake k = nothing_mapped();
    struct result r = decide(&f, &k);
    unsigned lines = 0;

    for (const char *line = r.world.log; *line; line = strchr(line, '\n') + 1, lines++)
        CHECK(strncmp(line, "<3>******* ", 11) == 0, "\"%s\"", line);
    CHECK_EQ(lines, 4, "lines");
    CHECK_EQ(r.world.limit_asked[FL_LIMIT_ERRATUM93], 1, "asked once");
    CHECK_EQ(r.world.limit_asked[FL_LIMIT_SIGNAL], 0, "the other limit");
    k.limited[FL_LIMIT_ERRATUM93] = true;
    r = EXPECT(&f, &k, "itvdxpR", .action = FL_ACT_ERRATUM93, ON, .new_ip = 0xffffffff80200000);
    CHECK_EQ(r.world.nlog, 0, "warned before");
}

/* Compatibility code, and an address that it cannot have formed. */
static void test_erratum100(void)
{
    static const struct {
        uint16_t cs;
        bool compat;
    } cases[] = {{0x23, true}, {0x33, false}, {0x2b, false}, {0x0f, true}, {0x07, true}, {0x27, true}, {0x03, false}};
    static const uint64_t addresses[] = {0xffffffff, 0x100000000, 0x7fffffffefff, 0xffff000000000000, UINT64_MAX, 5};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned j = 0; j < sizeof addresses / sizeof *addresses; j++)
            for (unsigned wide = 0; wide < 2; wide++)
                for (unsigned user = 0; user < 2; user++) {
                    struct fl_fault f = user ? user_fault() : implicit_fault();
                    struct fake k = nothing_mapped();
                    bool kernel_address, ignored = wide && user && cases[i].compat && addresses[j] >> 32;

                    f.cpu.vendor = FL_VENDOR_INTEL; /* no prefetch test; this erratum is not asked for its vendor */
                    f.kernel.show_unhandled = f.task.segv_unhandled = true;
                    if (!wide)
                        f = as32(f);
                    f.cpu.vendor = FL_VENDOR_INTEL;
                    f.task.has_mm = false;
                    f.regs.cs = cases[i].cs;
                    f.cr2 = wide ? addresses[j] : (uint32_t)addresses[j];
                    kernel_address = f.cr2 >= f.kernel.task_size;
                    if (!user)
                        EXPECT(&f, &k, kernel_address ? "D" : "iD", OOPS, .irq_on = !kernel_address);
                    else if (ignored)
                        EXPECT(&f, &k, "i", IGNORED, ON);
                    else
                        EXPECT(&f, &k, "iR", SEGV(MAPERR), ON);
                }

    /* not in a 32-bit kernel, whatever stands above its addresses */
    struct fl_fault f = as32(user_fault());
    struct fake k = fake_world();

    f.regs.cs = 0x23;
    f.cpu.vendor = FL_VENDOR_INTEL;
    f.cr2 = UINT64_C(0x1c0000000);
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);

    /* not for a page that the VMA has but cannot bring in */
    f = user_fault();

    f.regs.cs = 0x23;
    f.cpu.vendor = FL_VENDOR_INTEL;
    f.cr2 = 0x100000000;
    k.vma.start = f.cr2;
    k.vma.end = f.cr2 + 0x1000;
    k.mm[0] = FL_MM_SIGBUS;
    EXPECT(&f, &k, "itvmd", BUS(ADRERR), ON);
}

/* idt + 48 .. idt + 55, wherever the table lies. */
static void test_f00f(void)
{
    static const uint64_t tables[] = {0xc0400000, 0xc0400ffc, 0xbfffffd0, 0xffffffb0, 0xffffffc8,
                                      0xffffffd0, 0xfffffff8, 0,          0x1000,     UINT64_MAX - 7};

    for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++)
        for (int offset = -64; offset <= 128; offset++) {
            struct fl_fault f = as32(kernel_fault());
            struct fake k = fake_world();
            uint64_t cr2 = tables[i] + (uint64_t)(int64_t)offset;
            bool hit = offset >= 48 && offset < 56;

            f.error_code = 3;
            f.kernel.f00f_bug = true;
            f.kernel.idt = tables[i];
            if (tables[i] > UINT32_MAX)
                f.kernel.task_size = 0; /* so that all of what wraps around is a kernel address */
            f.cr2 = cr2;
            k.has_fixup = true;
            k.no_vma = true;
            if (cr2 > UINT32_MAX || cr2 < f.kernel.task_size)
                continue; /* no such address, or user space */
            if (cr2 < tables[i])
                hit = false; /* wrapped around */
            EXPECT(&f, &k, hit ? "" : "x", .action = hit ? FL_ACT_INVALID_OP : FL_ACT_FIXUP,
                   .new_ip = hit ? 0 : EXTABLE);
        }
}

static void test_f00f_gates(void)
{
    struct fl_fault plain = as32(kernel_fault()), f;
    struct fake k = fake_world();

    plain.error_code = 3;
    plain.kernel.f00f_bug = true;
    plain.cr2 = plain.kernel.idt + 48;
    EXPECT(&plain, &k, "", .action = FL_ACT_INVALID_OP);
    f = plain;
    f.cpu.vendor = FL_VENDOR_INTEL;
    f.cpu.family = 5;
    f.regs.cs = 0x73; /* the processor reads the table for user code */
    EXPECT(&f, &k, "", .action = FL_ACT_INVALID_OP);
    f.error_code = 7;
    EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
    f = plain;
    f.kernel.f00f_bug = false;
    EXPECT(&f, &k, "xpD", OOPS);
    f = plain;
    f.kernel.word = 8;
    EXPECT(&f, &k, "xpD", OOPS);
    /* a table in user space is none */
    f = plain;
    f.kernel.idt = 0x7ff000;
    f.cr2 = f.kernel.idt + 48;
    k.no_vma = true;
    EXPECT(&f, &k, "itvdxpD", OOPS, ON);
    f.kernel.idt = f.kernel.task_size - 48;
    f.cr2 = f.kernel.task_size;
    EXPECT(&f, &k, "", .action = FL_ACT_INVALID_OP);
    f.kernel.idt--;
    f.cr2--;
    EXPECT(&f, &k, "itvdxpD", OOPS, ON);
}

int main(void)
{
    test_erratum93_gates();
    test_erratum93_targets();
    test_erratum93_warning();
    test_erratum100();
    test_f00f();
    test_f00f_gates();
    return check_done("errata");
}
