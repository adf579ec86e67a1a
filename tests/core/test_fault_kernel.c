/* SPDX-License-Identifier: MIT */
/*
 * Faults at addresses that are not user space, and the kprobe that comes before everything. How a mapping is synchronised
 * is the business of test_vmalloc.c, what is spurious that of test_spurious.c; here it is when they are asked, and what
 * becomes of their answers.
 */
#include "decide.h"

#define VMALLOC 0xffffc20000001000u /* an address in the vmalloc range: top-level slot 388, then 0, 0, 1 */
#define SLOT    (388 * 8)
#define TASK    0x1000u /* CR3 */
#define INIT    0x2000u /* the reference tables */
#define TABLE   0x10000u
#define LEAF    0x8000000000055163u /* supervisor, writable, global, NX */
#define POINTER (TABLE | 0x67)
#define OTHER   (0x90000u | 0x67)

/* A page at VMALLOC in the reference tables, and that much of it in the task's own: 0 nothing, 1 all of it. */
static struct fake mapped(bool own)
{
    struct fake k = fake_world();

    fake_set_entry(&k, INIT + SLOT, POINTER);
    fake_set_entry(&k, TASK + SLOT, own ? POINTER : 0);
    fake_set_entry(&k, TABLE, (TABLE + 0x1000) | 0x67);
    fake_set_entry(&k, TABLE + 0x1000, (TABLE + 0x2000) | 0x67);
    fake_set_entry(&k, TABLE + 0x2000 + 8, LEAF);
    k.has_fixup = true;
    return k;
}

static struct fl_fault at(struct fl_fault f, uint64_t cr2, uint64_t code)
{
    f.cr2 = cr2;
    f.error_code = code;
    f.cpu.vendor = FL_VENDOR_INTEL;
    return f;
}

/* Only codes without P, U and RSVD are offered to the reference tables; all others end as bad areas without a look. */
static void test_filter(void)
{
    for (unsigned code = 0; code < 64; code++)
        for (unsigned user_regs = 0; user_regs < 2; user_regs++) {
            struct fl_fault f = at(user_regs ? user_fault() : kernel_fault(), VMALLOC, code);
            struct fake k = mapped(false);

            if (!(code & 13)) {
                struct result r = EXPECT(&f, &k, "GF", .action = FL_ACT_SYNCED);

                CHECK_EQ(fake_entry(&r.world, TASK + SLOT), POINTER, "code %#x", code);
            } else if (code & 4) {
                CHECK_EQ(EXPECT(&f, &k, "i", SEGV(MAPERR), ON).world.reads, 0, "code %#x", code);
            } else if (user_regs) {
                EXPECT(&f, &k, "D", OOPS);
            } else {
                CHECK_EQ(EXPECT(&f, &k, "x", FIXUP).world.reads, 0, "code %#x", code);
            }
        }
}

/* The ends of the user's part, for both word sizes. */
static void test_boundary(void)
{
    for (unsigned wide = 0; wide < 2; wide++) {
        struct fl_fault f = user_fault();
        struct fake k = fake_world();

        if (!wide)
            f = as32(f);
        f.cpu.vendor = FL_VENDOR_INTEL;
        f.error_code = 4;
        f.cr2 = f.kernel.task_size - 1;
        CHECK_EQ(EXPECT(&f, &k, "itvd", SEGV(MAPERR), ON).out.thread_error_code, 4, "user space");
        f.cr2 = f.kernel.task_size;
        CHECK_EQ(EXPECT(&f, &k, "i", SEGV(MAPERR), ON).out.thread_error_code, 5, "not user space");
        f.cr2 = wide ? UINT64_MAX : UINT32_MAX;
        CHECK_EQ(EXPECT(&f, &k, "i", SEGV(MAPERR), ON).out.thread_error_code, 5, "not user space");
        /* a hole of non-canonical addresses is not user space either */
        if (wide) {
            f.cr2 = 0x0001000000000000;
            EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
        }
    }
}

/* What the synchronisation came to, in kernels that can come to it. Neither BUG nor WILD calls anything more, and none of
 * these switches interrupts on. */
static void test_ends(void)
{
    struct fl_fault f = at(kernel_fault(), VMALLOC, 0);
    struct fake k = mapped(false);

    EXPECT(&f, &k, "GF", .action = FL_ACT_SYNCED);
    k = mapped(true);
    EXPECT(&f, &k, "", .action = FL_ACT_SYNCED);
    fake_set_entry(&k, TABLE + 0x2000 + 8, 0);
    EXPECT(&f, &k, "x", FIXUP);

    k = mapped(false);
    k.ram_end = TABLE;
    EXPECT(&f, &k, "", .action = FL_ACT_WILD);

    f.kernel.generation = FL_GEN_2016;
    k = mapped(false);
    EXPECT(&f, &k, "GF", .action = FL_ACT_SYNCED);
    fake_set_entry(&k, TASK + SLOT, OTHER);
    EXPECT(&f, &k, "", .action = FL_ACT_BUG);
    f.task.in_nmi = true;
    EXPECT(&f, &k, "N", .action = FL_ACT_BUG);

    /* outside the range nothing is copied */
    f = at(kernel_fault(), VMALLOC, 0);
    f.kernel.vmalloc_start = VMALLOC + 1;
    k = mapped(false);
    EXPECT(&f, &k, "x", FIXUP);
}

/* The mm lock and interrupts are left alone on the whole path of a kernel access, whatever the context. */
static void test_bad_area(void)
{
    for (unsigned context = 0; context < 4; context++) {
        struct fl_fault uf = at(user_fault(), VMALLOC, 4), kf = at(kernel_fault(), VMALLOC, 0),
                        sf = at(implicit_fault(), VMALLOC, 0);
        struct fake k = fake_world();

        uf.task.in_atomic = kf.task.in_atomic = sf.task.in_atomic = context & 1;
        uf.task.has_mm = kf.task.has_mm = sf.task.has_mm = !(context & 2);
        EXPECT(&uf, &k, "i", SEGV(MAPERR), ON);
        EXPECT(&kf, &k, "xD", OOPS);
        EXPECT(&sf, &k, "D", OOPS);
        k.has_fixup = true;
        EXPECT(&kf, &k, "x", FIXUP);
        EXPECT(&sf, &k, "D", OOPS);
        k = with_prefetch(&uf);
        uf.cpu.vendor = kf.cpu.vendor = sf.cpu.vendor = FL_VENDOR_AMD;
        EXPECT(&uf, &k, "ippp", IGNORED, ON);
        EXPECT(&sf, &k, "D", OOPS);
        k = with_prefetch(&kf);
        EXPECT(&kf, &k, "xppp", IGNORED);
    }

    /* user-space rules are not asked: neither corrupt tables, nor SMAP, nor fetches */
    struct fl_fault f = at(kernel_fault(), VMALLOC, 0x1b);
    struct fake k = mapped(false);

    f.kernel.smap = f.kernel.no_user_fetch = true;
    f.cpu.cr4 |= 1 << 21;
    EXPECT(&f, &k, "x", FIXUP);
}

/* The error code of a user's fault never tells whether something is mapped there. */
static void test_no_leak(void)
{
    for (unsigned code = 4; code < 64; code++) {
        struct fl_fault f = at(user_fault(), VMALLOC, code & ~1u), g = at(user_fault(), VMALLOC, code | 1);
        struct fake k = fake_world();

        if (!(code & 4))
            continue;
        f.kernel.show_unhandled = g.kernel.show_unhandled = true;
        f.task.segv_unhandled = g.task.segv_unhandled = true;
        struct result a = decide(&f, &k), b = decide(&g, &k);

        CHECK_EQ(a.out.thread_error_code, code | 1, "code %#x", code);
        CHECK_EQ(b.out.thread_error_code, code | 1, "code %#x", code);
        CHECK(a.world.nlog > 0 && strcmp(a.world.log, b.world.log) == 0, "\"%s\" and \"%s\"", a.world.log, b.world.log);
    }
    /* what the kernel dies of is told as it is */
    struct fl_fault f = at(implicit_fault(), VMALLOC, 2);
    struct fake k = fake_world();

    CHECK_EQ(EXPECT(&f, &k, "D", OOPS).world.die_code, 2, "code");
}

static void test_spurious(void)
{
    for (unsigned checks = 0; checks < 2; checks++)
        for (unsigned code = 0; code < 64; code++) {
            struct fl_fault f = at(kernel_fault(), VMALLOC, code);
            struct fake k = mapped(true);

            f.kernel.spurious_check = checks;
            if (!(code & 13))
                continue; /* synchronised or not: above */
            if (code & 4)
                EXPECT(&f, &k, "i", SEGV(MAPERR), ON);
            else if (checks && code == 3)
                EXPECT(&f, &k, "", .action = FL_ACT_SPURIOUS);
            else
                EXPECT(&f, &k, "x", FIXUP); /* 0x11: the page is NX */
        }

    struct fl_fault f = at(kernel_fault(), VMALLOC, 0x11);
    struct fake k = mapped(true);

    f.kernel.spurious_check = true;
    fake_set_entry(&k, TABLE + 0x2000 + 8, 0x55163);
    EXPECT(&f, &k, "", .action = FL_ACT_SPURIOUS);
    /* implicit accesses may be spurious as well; user space never is */
    f.regs.cs = 0x33;
    f.error_code = 3;
    EXPECT(&f, &k, "", .action = FL_ACT_SPURIOUS);
    f.cr2 = 0x7ff008;
    EXPECT(&f, &k, "itvmd", HANDLED, ON);
}

/* A kprobe is asked before everything else, for kernel mode alone, and while one is running. */
static void test_kprobe(void)
{
    static const uint64_t addresses[] = {0x7ff008, VMALLOC};

    for (unsigned i = 0; i < 2; i++)
        for (unsigned running = 0; running < 2; running++)
            for (unsigned claims = 0; claims < 2; claims++) {
                struct fl_fault kf = at(kernel_fault(), addresses[i], 2), sf = at(implicit_fault(), addresses[i], 2),
                                uf = at(user_fault(), addresses[i], 6);
                struct fake k = mapped(false);
                uint8_t served = i ? FL_ACT_SYNCED : FL_ACT_HANDLED;

                kf.task.kprobe_running = sf.task.kprobe_running = uf.task.kprobe_running = running;
                k.kprobe_claims = claims;
                if (running && claims)
                    EXPECT(&kf, &k, "k", .action = FL_ACT_KPROBE);
                else if (running)
                    EXPECT(&kf, &k, i ? "kGF" : "kitvmd", .action = served, .irq_on = !i);
                else
                    EXPECT(&kf, &k, i ? "GF" : "itvmd", .action = served, .irq_on = !i);
                EXPECT(&sf, &k, i ? "GF" : "itvmd", .action = served, .irq_on = !i);
                CHECK_EQ(decide(&uf, &k).world.trace[0], 'i', "no kprobe for user mode");
                /* USER in the code with kernel registers: it is the registers that count */
                uf.regs.cs = 0x10;
                CHECK_EQ(decide(&uf, &k).world.trace[0], running ? 'k' : 'i', "registers");
                /* virtual-8086 mode is user mode whatever cs holds */
                uf.regs.flags |= 1 << 17;
                CHECK_EQ(decide(&uf, &k).world.trace[0], 'i', "virtual-8086 mode");
            }

    /* ... before a corrupt table, too */
    struct fl_fault f = at(kernel_fault(), 0x7ff008, 9);
    struct fake k = fake_world();

    f.task.kprobe_running = true;
    EXPECT(&f, &k, "kiD", BAD_PAGETABLE, ON);
    k.kprobe_claims = true;
    EXPECT(&f, &k, "k", .action = FL_ACT_KPROBE);
}

int main(void)
{
    test_filter();
    test_boundary();
    test_ends();
    test_bad_area();
    test_no_leak();
    test_spurious();
    test_kprobe();
    return check_done("fault kernel");
}
