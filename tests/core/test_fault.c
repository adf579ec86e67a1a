/* SPDX-License-Identifier: MIT */
/*
 * The fault decision, branch by branch. Each case is the plain one (a user write to a present stack VMA: "handled")
 * with one thing changed, and names the whole order of calls and the whole outcome. The letters of a trace: see fake.h.
 */
#include "check.h"
#include "fake.h"

#define EXTABLE 0xffffffff81000000u

static const uint8_t prefetch_code[] = {0x66, 0x0f, 0x0d};

struct result {
    struct fl_outcome out;
    struct fake world;
};

static struct result decide(const struct fl_fault *f, const struct fake *k)
{
    struct result r = {.world = *k};

    memset(&r.out, 0xa5, sizeof r.out);
    CHECK_EQ(fl_core()->fault(f, &fake_ops, &r.world, &r.out), FL_OK, "fault");
    CHECK(!r.world.misuse && !r.world.locked, "lock, trace %s", r.world.trace);
    return r;
}

#define EXPECT(f, k, calls, ...) expect(__LINE__, f, k, calls, (struct fl_outcome){__VA_ARGS__})

static struct result expect(int line, const struct fl_fault *f, const struct fake *k, const char *calls,
                            struct fl_outcome want)
{
    struct result r = decide(f, k);

    if (want.thread_valid) {
        want.thread_cr2 = f->cr2;
        want.thread_error_code = f->error_code;
        want.thread_trap_no = 14;
    }
    if (want.action == FL_ACT_SIGNAL)
        want.si_addr = f->cr2;
    CHECK(strcmp(r.world.trace, calls) == 0, "line %d: calls \"%s\", expected \"%s\"", line, r.world.trace, calls);
    CHECK_EQ(r.out.action, want.action, "line %d", line);
    CHECK_EQ(r.out.major, want.major, "line %d", line);
    CHECK_EQ(r.out.irq_on, want.irq_on, "line %d", line);
    CHECK_EQ(r.out.thread_valid, want.thread_valid, "line %d", line);
    CHECK_EQ(r.out.signo, want.signo, "line %d", line);
    CHECK_EQ(r.out.si_code, want.si_code, "line %d", line);
    CHECK_EQ(r.out.si_addr, want.si_addr, "line %d", line);
    CHECK_EQ(r.out.thread_cr2, want.thread_cr2, "line %d", line);
    CHECK_EQ(r.out.thread_error_code, want.thread_error_code, "line %d", line);
    CHECK_EQ(r.out.thread_trap_no, want.thread_trap_no, "line %d", line);
    CHECK_EQ(r.out.new_ip, want.new_ip, "line %d", line);
    return r;
}

#define HANDLED    .action = FL_ACT_HANDLED, .irq_on = true
#define IGNORED    .action = FL_ACT_IGNORED, .irq_on = true
#define SEGV(code) .action = FL_ACT_SIGNAL, .irq_on = true, .thread_valid = true, .signo = 11, .si_code = (code)
#define BUS        .action = FL_ACT_SIGNAL, .irq_on = true, .thread_valid = true, .signo = 7, .si_code = 2
#define OOPS       .action = FL_ACT_OOPS, .irq_on = true, .thread_valid = true
#define FIXUP      .action = FL_ACT_FIXUP, .irq_on = true, .new_ip = EXTABLE
enum { MAPERR = 1, ACCERR = 2 };

/* Three kinds of fault: by error code and registers. */
static struct fl_fault user_fault(void)
{
    return fake_fault();
}

static struct fl_fault kernel_fault(void)
{
    struct fl_fault f = fake_fault();

    f.regs.cs = 0x10;
    f.regs.ip = 0xffffffff80123456;
    f.error_code = 2;
    return f;
}

static struct fl_fault implicit_fault(void)
{
    struct fl_fault f = fake_fault();

    f.error_code = 2;
    return f;
}

/* The world with a prefetch at the ip of that fault. */
static struct fake with_prefetch(const struct fl_fault *f)
{
    struct fake k = fake_world();

    k.code_at = f->regs.ip;
    memcpy(k.code, prefetch_code, sizeof prefetch_code);
    k.ncode = sizeof prefetch_code;
    return k;
}

static void test_handled(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();
    struct result r = EXPECT(&f, &k, "itvmd", HANDLED);

    CHECK_EQ(r.world.mm_generation, 7, "generation");
    CHECK_EQ(r.world.mm_addr, f.cr2, "address");
    CHECK(r.world.mm_write, "write");
    k.mm = FL_MM_MAJOR;
    EXPECT(&f, &k, "itvmd", HANDLED, .major = true);
    f = kernel_fault();
    EXPECT(&f, &k, "itvmd", HANDLED, .major = true);
    f = implicit_fault();
    EXPECT(&f, &k, "itvmd", HANDLED, .major = true);
    f = user_fault();
    f.error_code = 4;
    r = EXPECT(&f, &k, "itvmd", HANDLED, .major = true);
    CHECK(!r.world.mm_write, "read");
    f.error_code = 0x14;
    r = EXPECT(&f, &k, "itvmd", HANDLED, .major = true);
    CHECK(!r.world.mm_write, "fetch");
}

static void test_interrupts(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();

    f.regs.flags = 2;
    EXPECT(&f, &k, "tvmd", .action = FL_ACT_HANDLED);
    f.regs.flags = 0x20002; /* VM: a virtual-8086 task of a 32-bit kernel; nothing in a 64-bit one */
    EXPECT(&f, &k, "tvmd", .action = FL_ACT_HANDLED);
    f.kernel.word = 4;
    EXPECT(&f, &k, "itvmd", HANDLED);
    /* a user-mode signal always finds them on, and they go on once */
    f = user_fault();
    f.cpu.vendor = FL_VENDOR_INTEL;
    k.no_vma = true;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR));
    f.regs.flags = 2;
    EXPECT(&f, &k, "tvdi", SEGV(MAPERR));
    f = kernel_fault();
    f.cpu.vendor = FL_VENDOR_INTEL;
    f.regs.flags = 2;
    EXPECT(&f, &k, "tvdx", .action = FL_ACT_OOPS, .thread_valid = true);
}

static void test_reserved_bit(void)
{
    struct fake k = fake_world();

    for (unsigned word = 4; word <= 8; word += 4)
        for (unsigned code = 0; code < 64; code++)
            for (unsigned user_regs = 0; user_regs < 2; user_regs++) {
                struct fl_fault f = user_fault();

                f.kernel.word = (uint8_t)word;
                f.regs.cs = user_regs ? 0x33 : 0x10;
                f.error_code = code;
                if ((code & 9) == 9)
                    EXPECT(&f, &k, "i", .action = FL_ACT_BAD_PAGETABLE, .irq_on = true, .thread_valid = true);
                else
                    CHECK(decide(&f, &k).out.action != FL_ACT_BAD_PAGETABLE, "code %#x", code);
            }

    /* RSVD with P = 0 is not-present: a read, a write */
    struct fl_fault f = user_fault();

    f.error_code = 0xc;
    EXPECT(&f, &k, "itvmd", HANDLED);
    f.error_code = 0xe;
    EXPECT(&f, &k, "itvmd", HANDLED);
    k.no_vma = true;
    EXPECT(&f, &k, "itvdp", SEGV(MAPERR));
}

static void test_no_vma_work(void)
{
    for (unsigned which = 0; which < 3; which++) {
        struct fl_fault f = user_fault(), kf = kernel_fault();
        struct fake k = fake_world();

        f.task.in_atomic = kf.task.in_atomic = which == 0;
        f.task.faults_disabled = kf.task.faults_disabled = which == 1;
        f.task.has_mm = kf.task.has_mm = which != 2;
        EXPECT(&f, &k, "ip", SEGV(MAPERR));
        EXPECT(&kf, &k, "ixp", OOPS);
        k.has_fixup = true;
        EXPECT(&kf, &k, "ix", FIXUP);
    }
}

static void test_lock(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();
    struct result r;

    k.fail_lock_try = true;
    EXPECT(&f, &k, "ifTvmd", HANDLED);
    f = kernel_fault();
    r = EXPECT(&f, &k, "ifxxp", OOPS);
    CHECK_EQ(r.world.extable_ip, f.regs.ip, "ip");
    k.has_fixup = true;
    EXPECT(&f, &k, "ifxTvmd", HANDLED);
    k.no_vma = true;
    EXPECT(&f, &k, "ifxTvdx", FIXUP);
    f = implicit_fault();
    k.has_fixup = false;
    EXPECT(&f, &k, "ifx", OOPS);
}

static void test_bad_area(void)
{
    struct fl_fault uf = user_fault(), kf = kernel_fault(), sf = implicit_fault();
    struct fake k = fake_world();

    k.no_vma = true;
    EXPECT(&uf, &k, "itvdp", SEGV(MAPERR));
    EXPECT(&kf, &k, "itvdxp", OOPS);
    EXPECT(&sf, &k, "itvd", OOPS);
    k.has_fixup = true;
    EXPECT(&uf, &k, "itvdp", SEGV(MAPERR));
    EXPECT(&kf, &k, "itvdx", FIXUP);
    EXPECT(&sf, &k, "itvd", OOPS);

    k = with_prefetch(&uf);
    k.no_vma = true;
    EXPECT(&uf, &k, "itvdppp", IGNORED);
    EXPECT(&sf, &k, "itvd", OOPS);
    uf.regs.flags = 2;
    EXPECT(&uf, &k, "tvdippp", IGNORED);
    k = with_prefetch(&kf);
    k.no_vma = true;
    EXPECT(&kf, &k, "itvdxppp", IGNORED);
    k.has_fixup = true;
    EXPECT(&kf, &k, "itvdx", FIXUP);
}

/* A hole below a VMA that does not grow; an address inside; one beyond. */
static void test_find(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();

    f.cpu.vendor = FL_VENDOR_INTEL;
    k.vma.growsdown = false;
    f.cr2 = k.vma.start;
    EXPECT(&f, &k, "itvmd", HANDLED);
    f.cr2 = k.vma.start - 1;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR));
    f.cr2 = k.vma.end - 1;
    EXPECT(&f, &k, "itvmd", HANDLED);
    f.cr2 = k.vma.end;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR));
}

static void test_growth(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();
    struct result r;

    f.cpu.vendor = FL_VENDOR_INTEL;
    f.cr2 = 0x7fd123;
    r = EXPECT(&f, &k, "itvemd", HANDLED);
    CHECK_EQ(r.world.expand_start, 0x7fd000, "page aligned");
    CHECK_EQ(r.world.expand_generation, 7, "generation asked");
    CHECK_EQ(r.world.mm_generation, 8, "the new generation is used");

    /* the cushion: only for user mode, by the word of the kernel */
    for (unsigned word = 4; word <= 8; word += 4) {
        f.kernel.word = (uint8_t)word;
        f.regs.gpr[FL_RSP] = f.cr2 + 65536 + 32 * word;
        EXPECT(&f, &k, "itvemd", HANDLED);
        f.regs.gpr[FL_RSP]++;
        EXPECT(&f, &k, "itvd", SEGV(MAPERR));
        f.error_code = 2;
        EXPECT(&f, &k, "itvemd", HANDLED);
        f.error_code = 6;
    }

    f.regs.gpr[FL_RSP] = f.cr2;
    f.kernel.mmap_min_addr = 0x7fe000;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR));
    f.kernel.mmap_min_addr = 0;
    k.expand = FL_NO_MEMORY;
    EXPECT(&f, &k, "itved", SEGV(MAPERR));
    k.expand = FL_STALE;
    EXPECT(&f, &k, "itved", SEGV(MAPERR));

    /* growth comes before the access switch, so that a refused access leaves the grown stack and ACCERR */
    k.expand = FL_OK;
    k.vma.write = false;
    EXPECT(&f, &k, "itved", SEGV(ACCERR));
}

/* Every VMA protection against every error code of the access switch. */
static void test_access(void)
{
    for (unsigned prot = 0; prot < 8; prot++)
        for (unsigned code = 0; code < 4; code++) {
            struct fl_fault f = user_fault();
            struct fake k = fake_world();
            bool write = code & 2, present = code & 1, permitted;

            f.cpu.vendor = FL_VENDOR_INTEL;
            f.error_code = code | 4;
            k.vma.read = prot & 1;
            k.vma.write = prot & 2;
            k.vma.exec = prot & 4;
            permitted = write ? k.vma.write : !present && prot;
            if (permitted)
                EXPECT(&f, &k, "itvmd", HANDLED);
            else
                EXPECT(&f, &k, "itvd", SEGV(ACCERR));
        }
}

static void test_mm_errors(void)
{
    struct fl_fault uf = user_fault(), kf = kernel_fault(), sf = implicit_fault();
    struct fake k = with_prefetch(&uf);

    k.mm = FL_MM_OOM;
    EXPECT(&uf, &k, "itvmd", .action = FL_ACT_OOM_KILL, .irq_on = true);
    uf.task.pid = 1;
    EXPECT(&uf, &k, "itvmd", .action = FL_ACT_OOM_KILL, .irq_on = true);
    EXPECT(&kf, &k, "itvmdxp", OOPS);
    EXPECT(&sf, &k, "itvmd", OOPS);

    k.mm = FL_MM_SIGBUS;
    for (unsigned word = 4; word <= 8; word += 4) {
        uf.kernel.word = (uint8_t)word;
        EXPECT(&uf, &k, "itvmdppp", IGNORED);
    }
    EXPECT(&sf, &k, "itvmd", OOPS);
    k.ncode = 0;
    EXPECT(&uf, &k, "itvmdp", BUS);
    EXPECT(&kf, &k, "itvmdxp", OOPS);
    k.has_fixup = true;
    EXPECT(&kf, &k, "itvmdx", FIXUP);
    k.mm = FL_MM_OOM;
    EXPECT(&kf, &k, "itvmdx", FIXUP);
    EXPECT(&sf, &k, "itvmd", OOPS);

    /* answers that nobody agreed on: refused, and the lock given back */
    k.mm = FL_MM_COUNT;
    EXPECT(&uf, &k, "itvmdp", SEGV(ACCERR));
    k.mm = (enum fl_mm_result)200;
    EXPECT(&uf, &k, "itvmdp", SEGV(ACCERR));
}

/* Error-code bits that this handler does not know reach the task as they came. */
static void test_unknown_bits(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();

    f.cpu.vendor = FL_VENDOR_INTEL;
    f.error_code = UINT64_C(0xffffffffffffffe4);
    k.no_vma = true;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR));
}

static void test_refused(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();
    struct fl_outcome out = {.action = 77};
    const struct fl_core *core = fl_core();

    f.cr2 = f.kernel.task_size - 1;
    EXPECT(&f, &k, "itvdp", SEGV(MAPERR));
    f.cr2 = f.kernel.task_size;
    CHECK_EQ(core->fault(&f, &fake_ops, &k, &out), FL_UNSUPPORTED, "task size");
    f.cr2 = UINT64_MAX;
    CHECK_EQ(core->fault(&f, &fake_ops, &k, &out), FL_UNSUPPORTED, "top");
    f = user_fault();
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
    f.cpu.mode = FL_MODE_COUNT;
    CHECK_EQ(core->fault(&f, &fake_ops, &k, &out), FL_INVALID, "mode");
    CHECK_EQ(out.action, 77, "out is untouched");
    CHECK_EQ(k.ntrace, 0, "no op was called");
}

int main(void)
{
    test_handled();
    test_interrupts();
    test_reserved_bit();
    test_no_vma_work();
    test_lock();
    test_bad_area();
    test_find();
    test_growth();
    test_access();
    test_mm_errors();
    test_unknown_bits();
    test_refused();
    return check_done("fault");
}
