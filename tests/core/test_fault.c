/* SPDX-License-Identifier: MIT */
/*
 * The order of the fault decision: what stands before the address space, each step with the one before and the one after
 * it. Each case is the plain one (a user write to a present stack VMA: "handled") with one thing changed.
 */
#include "decide.h"

static void test_handled(void)
{
    static const struct {
        unsigned code;
        unsigned flags;
    } cases[] = {
        {4, FL_MM_USER},
        {6, FL_MM_USER | FL_MM_WRITE},
        {7, FL_MM_USER | FL_MM_WRITE},
        {0x14, FL_MM_USER | FL_MM_FETCH},
        {0, 0},
        {2, FL_MM_WRITE},
        {3, FL_MM_WRITE},
        {0x10, FL_MM_FETCH},
        {0xc, FL_MM_USER}, /* RSVD without P: not present */
        {0xe, FL_MM_USER | FL_MM_WRITE},
        {UINT32_C(0xffffffc6), FL_MM_USER | FL_MM_WRITE}, /* unknown bits; not RSVD, I, PK */
    };

    for (unsigned retry = 0; retry < 2; retry++)
        for (unsigned major = 0; major < 2; major++)
            for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct fl_fault f = cases[i].code & 4 ? user_fault() : kernel_fault();
                struct fake k = fake_world();
                struct result r;

                f.error_code = cases[i].code;
                f.kernel.fault_retry = retry;
                k.mm[0] = major ? FL_MM_MAJOR : FL_MM_MINOR;
                r = EXPECT(&f, &k, "itvmd", HANDLED, ON, .major = major);
                CHECK_EQ(r.world.mm_flags[0], cases[i].flags | (retry ? FL_MM_ALLOW_RETRY : 0), "case %u", i);
                CHECK_EQ(r.world.mm_generation, 7, "case %u", i);
                CHECK_EQ(r.world.mm_addr, f.cr2, "case %u", i);
                CHECK_EQ(r.world.nlog, 0, "case %u", i);
            }

    struct fl_fault f = implicit_fault();
    struct fake k = fake_world();

    EXPECT(&f, &k, "itvmd", HANDLED, ON);
}

/* IF, or VM in a 32-bit kernel, switches interrupts on before the lock is asked for; nothing else does there. */
static void test_interrupts(void)
{
    for (unsigned wide = 0; wide < 2; wide++)
        for (unsigned user = 0; user < 2; user++)
            for (unsigned i = 0; i < 4; i++) {
                struct fl_fault f = user ? user_fault() : kernel_fault();
                struct fake k = fake_world();
                bool flag = i & 1, vm = i & 2, on = flag || (vm && !wide);

                if (!wide)
                    f = as32(f);
                f.regs.flags = 2 | (flag ? 0x200 : 0) | (vm ? 0x20000 : 0);
                EXPECT(&f, &k, on ? "itvmd" : "tvmd", HANDLED, .irq_on = on);
            }

    /* a user-mode SIGSEGV always finds them on, and they go on once; no kernel ending does */
    struct fl_fault f = user_fault();
    struct fake k = fake_world();

    f.cpu.vendor = FL_VENDOR_INTEL;
    k.no_vma = true;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR), ON);
    f.regs.flags = 2;
    EXPECT(&f, &k, "tvdi", SEGV(MAPERR), ON);
    f = kernel_fault();
    f.cpu.vendor = FL_VENDOR_INTEL;
    f.regs.flags = 2;
    EXPECT(&f, &k, "tvdxD", OOPS);
}

static void test_reserved_bit(void)
{
    for (unsigned wide = 0; wide < 2; wide++)
        for (unsigned code = 0; code < 64; code++)
            for (unsigned user_regs = 0; user_regs < 2; user_regs++)
                for (unsigned unable = 0; unable < 2; unable++) {
                    struct fl_fault f = user_regs ? user_fault() : kernel_fault();
                    struct fake k = fake_world();

                    if (!wide)
                        f = as32(f);
                    f.error_code = code;
                    /* it comes before everything else that ends user addresses */
                    f.task.in_atomic = unable;
                    f.kernel.no_user_fetch = unable;
                    f.kernel.smap = unable;
                    f.cpu.cr4 |= unable ? 1 << 21 : 0;
                    k.has_fixup = true;
                    if ((code & 9) == 9) {
                        struct result r = EXPECT(&f, &k, "iD", BAD_PAGETABLE, ON);

                        CHECK_EQ(r.world.die_what, FL_DIE_BAD_PAGETABLE, "code %#x", code);
                        CHECK_EQ(r.world.die_code, code, "code %#x", code);
                    } else {
                        CHECK(decide(&f, &k).out.action != FL_ACT_BAD_PAGETABLE, "code %#x", code);
                    }
                }

    struct fl_fault f = user_fault();
    struct fake k = fake_world();

    /* interrupts stay off where they were */
    f.regs.flags = 2;
    f.error_code = 9;
    EXPECT(&f, &k, "D", BAD_PAGETABLE);
    /* RSVD without P is shown to the task as it came */
    f = user_fault();
    f.error_code = 0xc;
    k.no_vma = true;
    EXPECT(&f, &k, "itvdp", SEGV(MAPERR), ON);
}

/* A fetch from user space by the kernel, where the kernel knows that it never makes one. */
static void test_user_fetch(void)
{
    static const unsigned codes[] = {0x10, 0x11, 0x12, 0x30};

    for (unsigned knows = 0; knows < 2; knows++)
        for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
            struct fl_fault kf = kernel_fault(), sf = implicit_fault(), uf = user_fault();
            struct fake k = fake_world();

            k.has_fixup = true;
            k.vma.write = false;
            kf.kernel.no_user_fetch = sf.kernel.no_user_fetch = uf.kernel.no_user_fetch = knows;
            kf.error_code = sf.error_code = codes[i];
            uf.error_code = codes[i] | 4;
            if (knows) {
                EXPECT(&kf, &k, "iD", OOPS, ON);
                EXPECT(&sf, &k, "iD", OOPS, ON);
            } else {
                CHECK(decide(&kf, &k).calls[1] == 't', "code %#x", codes[i]);
                CHECK(decide(&sf, &k).calls[1] == 't', "code %#x", codes[i]);
            }
            /* user code may fetch, or be told that it may not */
            CHECK(decide(&uf, &k).calls[1] == 't', "code %#x", codes[i]);
        }

    /* data accesses are none of it */
    struct fl_fault f = kernel_fault();
    struct fake k = fake_world();

    f.kernel.no_user_fetch = true;
    EXPECT(&f, &k, "itvmd", HANDLED, ON);
}

/* Erratum 93 is looked for even there, but never for an implicit access; not for SMAP. */
static void test_user_fetch_erratum93(void)
{
    struct fl_fault f = kernel_fault();
    struct fake k = fake_world();

    f.kernel.no_user_fetch = true;
    f.error_code = 0x10;
    f.cr2 = f.regs.ip = 0x80200000;
    EXPECT(&f, &k, "iR", .action = FL_ACT_ERRATUM93, ON, .new_ip = 0xffffffff80200000);
    /* a kernel that knows of SMAP as well looks at fetches first */
    f.kernel.smap = true;
    f.cpu.cr4 |= 1 << 21;
    EXPECT(&f, &k, "iR", .action = FL_ACT_ERRATUM93, ON, .new_ip = 0xffffffff80200000);
    f.regs.cs = 0x33;
    EXPECT(&f, &k, "iD", OOPS, ON);
    f.regs.cs = 0x10;
    f.kernel.no_user_fetch = false;
    EXPECT(&f, &k, "iD", OOPS, ON);
}

static void test_smap(void)
{
    /* kernel built with it, CR4.SMAP, RFLAGS.AC, kind of fault (0 user, 1 kernel, 2 implicit) */
    for (unsigned i = 0; i < 24; i++) {
        bool built = i & 1, enabled = i & 2, ac = i & 4;
        unsigned kind = i / 8;
        struct fl_fault f = kind == 0 ? user_fault() : kind == 1 ? kernel_fault() : implicit_fault();
        struct fake k = fake_world();

        k.has_fixup = true;
        f.kernel.smap = built;
        f.cpu.cr4 |= enabled ? 1 << 21 : 0;
        f.regs.flags |= ac ? 1 << 18 : 0;
        if (built && enabled && (kind == 2 || (kind == 1 && !ac))) {
            struct result r = EXPECT(&f, &k, "iD", OOPS, ON);

            CHECK_EQ(r.world.die_what, FL_DIE_OOPS, "case %u", i);
            f.regs.flags &= ~UINT64_C(0x200);
            EXPECT(&f, &k, "D", OOPS);
        } else {
            EXPECT(&f, &k, "itvmd", HANDLED, ON);
        }
    }
}

/* Kernel mode is by registers, not by the code alone: VM makes them user mode, whatever cs. */
static void test_kinds(void)
{
    struct fl_fault f = as32(kernel_fault());
    struct fake k = fake_world();

    k.no_vma = true;
    EXPECT(&f, &k, "itvdxpD", OOPS, ON);
    f.regs.flags |= 1 << 17;
    EXPECT(&f, &k, "itvdD", OOPS, ON);
    /* RPL 1 and 2 are kernel mode */
    for (uint16_t rpl = 0; rpl < 3; rpl++) {
        f = kernel_fault();
        f.regs.cs = (uint16_t)(0x10 | rpl);
        EXPECT(&f, &k, "itvdxpD", OOPS, ON);
    }
}

static void test_no_vma_work(void)
{
    for (unsigned which = 0; which < 4; which++) {
        struct fl_fault f = user_fault(), kf = kernel_fault(), sf = implicit_fault();
        struct fake k = fake_world();

        f.task.in_atomic = kf.task.in_atomic = sf.task.in_atomic = which == 0;
        f.task.in_nmi = kf.task.in_nmi = sf.task.in_nmi = which == 1;
        f.task.faults_disabled = kf.task.faults_disabled = sf.task.faults_disabled = which == 2;
        f.task.has_mm = kf.task.has_mm = sf.task.has_mm = which != 3;
        EXPECT(&f, &k, "ip", SEGV(MAPERR), ON);
        EXPECT(&kf, &k, "ixpD", OOPS, ON);
        EXPECT(&sf, &k, "iD", OOPS, ON);
        k.has_fixup = true;
        EXPECT(&kf, &k, "ix", FIXUP, ON);
        EXPECT(&sf, &k, "iD", OOPS, ON);
    }
}

static void test_lock(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();
    struct result r;

    k.refuse_try = 1;
    EXPECT(&f, &k, "ifTvmd", HANDLED, ON);
    f = kernel_fault();
    r = EXPECT(&f, &k, "ifxxpD", OOPS, ON);
    CHECK_EQ(r.world.extable_ip, f.regs.ip, "ip");
    k.has_fixup = true;
    EXPECT(&f, &k, "ifxTvmd", HANDLED, ON);
    k.no_vma = true;
    EXPECT(&f, &k, "ifxTvdx", FIXUP, ON);
    f = implicit_fault();
    k.has_fixup = false;
    EXPECT(&f, &k, "ifxD", OOPS, ON);
    k.has_fixup = true;
    EXPECT(&f, &k, "ifxTvdD", OOPS, ON);

    /* the exception table knows addresses of 32 bits in a 32-bit kernel */
    f = as32(kernel_fault());
    f.regs.ip |= UINT64_C(0xabcd00000000);
    k.fixup_at = 0xc0123456;
    for (unsigned refused = 0; refused < 2; refused++) {
        k.refuse_try = refused;
        r = EXPECT(&f, &k, refused ? "ifxTvdx" : "itvdx", FIXUP, ON);
        CHECK_EQ(r.world.extable_ip, 0xc0123456, "ip");
    }
}

static void test_refused(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();
    struct fl_outcome out = {.action = 77};
    const struct fl_core *core = fl_core();

    CHECK_EQ(core->abi, FL_CORE_ABI, "abi");
    CHECK_EQ(core->fault(NULL, &fake_ops, &k, &out), FL_INVALID, "fault");
    CHECK_EQ(core->fault(&f, NULL, &k, &out), FL_INVALID, "ops");
    CHECK_EQ(core->fault(&f, &fake_ops, &k, NULL), FL_INVALID, "out");
    for (unsigned i = 0; i < FAKE_OPS; i++) {
        struct fl_ops ops = fake_ops_without(i);

        CHECK_EQ(core->fault(&f, &ops, &k, &out), FL_INVALID, "op %u", i);
    }
    for (unsigned word = 0; word < 256; word++) {
        f.kernel.word = (uint8_t)word;
        if (word != 4 && word != 8)
            CHECK_EQ(core->fault(&f, &fake_ops, &k, &out), FL_INVALID, "word %u", word);
    }
    f.kernel.word = 8;
    for (unsigned mode = FL_MODE_COUNT; mode < 256; mode++) {
        f.cpu.mode = (uint8_t)mode;
        CHECK_EQ(core->fault(&f, &fake_ops, &k, &out), FL_INVALID, "mode %u", mode);
    }
    CHECK_EQ(out.action, 77, "out is untouched");
    CHECK_EQ(k.ntrace, 0, "no op was called");
}

/* Which paging mode has which generation: types.h. */
static void test_generations(void)
{
    static const char has[FL_MODE_COUNT][FL_GEN_COUNT + 1] = {
        [FL_MODE_2LEVEL] = "yy-yy-y",
        [FL_MODE_PAE] = "yy-yy-y",
        [FL_MODE_4LEVEL] = "y-yy-yy",
        [FL_MODE_5LEVEL] = "y------",
    };

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned generation = 0; generation < 256; generation++) {
            struct fl_fault f = user_fault();
            struct fake k = fake_world();
            struct fl_outcome out;
            bool exists = generation < FL_GEN_COUNT && has[mode][generation] == 'y';

            if (mode <= FL_MODE_PAE)
                f = fake_fault32((enum fl_mode)mode);
            f.cpu.mode = (uint8_t)mode;
            f.kernel.generation = (uint8_t)generation;
            CHECK_EQ(fl_core()->fault(&f, &fake_ops, &k, &out), exists ? FL_OK : FL_INVALID, "mode %u generation %u",
                     mode, generation);
        }
}

int main(void)
{
    test_handled();
    test_interrupts();
    test_reserved_bit();
    test_user_fetch();
    test_user_fetch_erratum93();
    test_smap();
    test_kinds();
    test_no_vma_work();
    test_lock();
    test_refused();
    test_generations();
    return check_done("fault");
}
