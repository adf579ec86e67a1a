/* SPDX-License-Identifier: MIT */
/*
 * Passes under the lock: RETRY, init's wait for memory, and both; what a new pass may still know of the one before
 * (nothing but that a retry was had and that it was a major fault); answers out of turn.
 */
#include "decide.h"

#define F_ALLOW (FL_MM_WRITE | FL_MM_USER | FL_MM_ALLOW_RETRY)
#define F_TRIED (FL_MM_WRITE | FL_MM_USER | FL_MM_TRIED)
#define F_PLAIN (FL_MM_WRITE | FL_MM_USER)

static struct fl_fault intel(struct fl_fault f, bool retry)
{
    f.cpu.vendor = FL_VENDOR_INTEL;
    f.kernel.fault_retry = retry;
    return f;
}

/* Sequences of answers for a user task that is not init, and for init. */
static void test_sequences(void)
{
    static const struct {
        bool retry;
        uint32_t pid;
        enum fl_mm_result answer[4];
        unsigned n;
        const char *calls;
        uint8_t action;
        bool major;
        unsigned flags[4];
    } cases[] = {
        {true, 42, {FL_MM_RETRY, FL_MM_MINOR}, 2, "itvmsTvmd", FL_ACT_HANDLED, false, {F_ALLOW, F_TRIED}},
        {true, 42, {FL_MM_RETRY, FL_MM_MAJOR}, 2, "itvmsTvmd", FL_ACT_HANDLED, true, {F_ALLOW, F_TRIED}},
        {true, 42, {FL_MM_RETRY_MAJOR, FL_MM_MINOR}, 2, "itvmsTvmd", FL_ACT_HANDLED, true, {F_ALLOW, F_TRIED}},
        {true, 42, {FL_MM_RETRY_MAJOR, FL_MM_MAJOR}, 2, "itvmsTvmd", FL_ACT_HANDLED, true, {F_ALLOW, F_TRIED}},
        {true, 42, {FL_MM_RETRY_MAJOR, FL_MM_SIGBUS}, 2, "itvmsTvmd", FL_ACT_SIGNAL, false, {F_ALLOW, F_TRIED}},
        {true, 42, {FL_MM_RETRY, FL_MM_OOM}, 2, "itvmsTvmd", FL_ACT_OOM_KILL, false, {F_ALLOW, F_TRIED}},
        /* one retry is allowed; a second one is an answer like any unknown one, with the lock still held */
        {true, 42, {FL_MM_RETRY, FL_MM_RETRY}, 2, "itvmsTvmd", FL_ACT_SIGNAL, false, {F_ALLOW, F_TRIED}},
        {true, 42, {FL_MM_RETRY_MAJOR, FL_MM_RETRY_MAJOR}, 2, "itvmsTvmd", FL_ACT_SIGNAL, false, {F_ALLOW, F_TRIED}},
        {false, 42, {FL_MM_RETRY}, 1, "itvmd", FL_ACT_SIGNAL, false, {F_PLAIN}},
        {false, 42, {FL_MM_RETRY_MAJOR}, 1, "itvmd", FL_ACT_SIGNAL, false, {F_PLAIN}},
        /* init waits */
        {false, 42, {FL_MM_OOM}, 1, "itvmd", FL_ACT_OOM_KILL, false, {F_PLAIN}},
        {false, 1, {FL_MM_OOM, FL_MM_MINOR}, 2, "itvmdyTvmd", FL_ACT_HANDLED, false, {F_PLAIN, F_PLAIN}},
        {false, 1, {FL_MM_OOM, FL_MM_MAJOR}, 2, "itvmdyTvmd", FL_ACT_HANDLED, true, {F_PLAIN, F_PLAIN}},
        {false,
         1,
         {FL_MM_OOM, FL_MM_OOM, FL_MM_OOM, FL_MM_MINOR},
         4,
         "itvmdyTvmdyTvmdyTvmd",
         FL_ACT_HANDLED,
         false,
         {F_PLAIN, F_PLAIN, F_PLAIN, F_PLAIN}},
        /* both: the retry is still to be had after a wait, and only once whatever is waited for */
        {true,
         1,
         {FL_MM_OOM, FL_MM_RETRY, FL_MM_MINOR},
         3,
         "itvmdyTvmsTvmd",
         FL_ACT_HANDLED,
         false,
         {F_ALLOW, F_ALLOW, F_TRIED}},
        {true,
         1,
         {FL_MM_RETRY, FL_MM_OOM, FL_MM_MINOR},
         3,
         "itvmsTvmdyTvmd",
         FL_ACT_HANDLED,
         false,
         {F_ALLOW, F_TRIED, F_TRIED}},
        {true,
         1,
         {FL_MM_RETRY_MAJOR, FL_MM_OOM, FL_MM_MINOR},
         3,
         "itvmsTvmdyTvmd",
         FL_ACT_HANDLED,
         true,
         {F_ALLOW, F_TRIED, F_TRIED}},
        {true,
         1,
         {FL_MM_RETRY, FL_MM_OOM, FL_MM_RETRY},
         3,
         "itvmsTvmdyTvmd",
         FL_ACT_SIGNAL,
         false,
         {F_ALLOW, F_TRIED, F_TRIED}},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fl_fault f = intel(user_fault(), cases[i].retry);
        struct fake k = fake_world();
        struct result r;

        f.task.pid = cases[i].pid;
        answers(&k, cases[i].answer, cases[i].n);
        r = decide(&f, &k);
        CHECK(strcmp(r.calls, cases[i].calls) == 0, "case %u: calls \"%s\", expected \"%s\"", i, r.calls,
              cases[i].calls);
        CHECK_EQ(r.out.action, cases[i].action, "case %u", i);
        CHECK_EQ(r.out.major, cases[i].major, "case %u", i);
        CHECK_EQ(r.world.mm_calls, cases[i].n, "case %u", i);
        for (unsigned call = 0; call < cases[i].n; call++)
            CHECK_EQ(r.world.mm_flags[call], cases[i].flags[call], "case %u, call %u", i, call);
        if (cases[i].action == FL_ACT_SIGNAL && cases[i].answer[cases[i].n - 1] != FL_MM_SIGBUS)
            CHECK_EQ(r.out.si_code, MAPERR, "case %u", i);
    }
}

/* What was mapped may be gone, or may have changed, when the lock is had again: the new pass alone decides. */
static void test_changed_meanwhile(void)
{
    static const struct fl_vma gone;
    struct fl_vma read_only = fake_world().vma, moved = read_only, grown = read_only;

    read_only.write = false;
    read_only.generation = 20;
    moved.start = moved.end;
    moved.end += 0x1000;
    moved.growsdown = false;
    grown.start = 0x7ff000;
    grown.end = 0x800000;
    grown.generation = 30;

    for (unsigned by_yield = 0; by_yield < 2; by_yield++) {
        struct fl_fault f = intel(user_fault(), true), kf = intel(kernel_fault(), true);
        struct fake k = fake_world();
        const char *calls = by_yield ? "itvmdyTvd" : "itvmsTvd";
        const char *again = by_yield ? "itvmdyTvmd" : "itvmsTvmd";
        const struct fl_vma **after = by_yield ? &k.after_yield : &k.after_retry;

        f.task.pid = kf.task.pid = 1;
        if (by_yield)
            ANSWERS(&k, FL_MM_OOM, FL_MM_MINOR);
        else
            ANSWERS(&k, FL_MM_RETRY, FL_MM_MINOR);
        *after = &gone;
        EXPECT(&f, &k, calls, SEGV(MAPERR), ON);
        *after = &moved;
        EXPECT(&f, &k, calls, SEGV(MAPERR), ON);
        *after = &read_only;
        EXPECT(&f, &k, calls, SEGV(ACCERR), ON);
        *after = &grown;
        CHECK_EQ(EXPECT(&f, &k, again, HANDLED, ON).world.mm_generation, 30, "the generation of the second pass");

        *after = &gone;
        k.has_fixup = true;
        EXPECT(&kf, &k, by_yield ? "itvmdyTvdx" : "itvmsTvdx", FIXUP, ON);
    }

    /* a stack that has to grow in the second pass, too */
    struct fl_fault f = intel(user_fault(), true);
    struct fake k = fake_world();

    ANSWERS(&k, FL_MM_RETRY, FL_MM_MINOR);
    f.cr2 = 0x7fe010;
    k.after_retry = &grown;
    CHECK_EQ(EXPECT(&f, &k, "itvemsTvemd", HANDLED, ON).world.mm_generation, 31, "grown twice");
}

/* The pkey told is that of the VMA of the pass that refused. */
static void test_key_changed_meanwhile(void)
{
    struct fl_fault f = intel(user_fault(), true);
    struct fake k = fake_world();
    struct fl_vma keyed = k.vma;

    f.kernel.pku = true;
    f.cpu.cr4 |= 1 << 22;
    f.cpu.pkru = 1u << 10;
    keyed.pkey = 5;
    k.after_retry = &keyed;
    ANSWERS(&k, FL_MM_RETRY, FL_MM_MINOR);
    EXPECT(&f, &k, "itvmsTvd", SEGV(PKUERR), ON, .si_pkey = 5);
}

static void test_fatal_signal(void)
{
    for (unsigned major = 0; major < 2; major++) {
        struct fl_fault f = intel(user_fault(), true), kf = intel(kernel_fault(), true),
                        sf = intel(implicit_fault(), true);
        struct fake k = fake_world();

        k.fatal = true;
        ANSWERS(&k, major ? FL_MM_RETRY_MAJOR : FL_MM_RETRY, FL_MM_MINOR);
        EXPECT(&f, &k, "itvms", .action = FL_ACT_FATAL_SIGNAL, ON);
        EXPECT(&kf, &k, "itvmsxD", OOPS, ON);
        EXPECT(&sf, &k, "itvmsD", OOPS, ON);
        k.has_fixup = true;
        EXPECT(&kf, &k, "itvmsx", FIXUP, ON);
        kf = kernel_fault();
        kf.kernel.fault_retry = true;
        k = with_prefetch(&kf);
        k.fatal = true;
        ANSWERS(&k, FL_MM_RETRY, FL_MM_MINOR);
        EXPECT(&kf, &k, "itvmsxppp", IGNORED, ON);
        /* nobody asks where nothing was retried */
        ANSWERS(&k, FL_MM_MINOR);
        EXPECT(&kf, &k, "itvmd", HANDLED, ON);
        kf.kernel.fault_retry = false;
        ANSWERS(&k, FL_MM_RETRY);
        EXPECT(&kf, &k, "itvmdxppp", IGNORED, ON);
    }
}

/* init waits in kernel mode, too, and says nothing; whoever else found no memory is named in the log. */
static void test_no_memory(void)
{
    struct fl_fault f = intel(user_fault(), false), kf = intel(kernel_fault(), false),
                    sf = intel(implicit_fault(), false);
    struct fake k = fake_world();
    struct result r;

    k.mm[0] = FL_MM_OOM;
    r = EXPECT(&f, &k, "itvmd", OOM_KILL, ON);
    CHECK(strcmp(r.world.log, "VM: killing process a.out\n") == 0, "log \"%s\"", r.world.log);
    r = EXPECT(&kf, &k, "itvmdxD", OOPS, ON);
    CHECK(strncmp(r.world.log, "VM: killing process a.out\n<1>Unable", 34) == 0, "log \"%s\"", r.world.log);
    EXPECT(&sf, &k, "itvmdD", OOPS, ON);
    k.has_fixup = true;
    r = EXPECT(&kf, &k, "itvmdx", FIXUP, ON);
    CHECK(strcmp(r.world.log, "VM: killing process a.out\n") == 0, "log \"%s\"", r.world.log);
    /* interrupts stay as they are */
    f.regs.flags = 2;
    EXPECT(&f, &k, "tvmd", OOM_KILL);

    f.task.pid = kf.task.pid = sf.task.pid = 1;
    ANSWERS(&k, FL_MM_OOM, FL_MM_MINOR);
    CHECK_EQ(EXPECT(&f, &k, "tvmdyTvmd", HANDLED).world.nlog, 0, "log");
    CHECK_EQ(EXPECT(&kf, &k, "itvmdyTvmd", HANDLED, ON).world.nlog, 0, "log");
    CHECK_EQ(EXPECT(&sf, &k, "itvmdyTvmd", HANDLED, ON).world.nlog, 0, "log");
    /* the first lock was refused: the next one is waited for without asking anybody */
    k.has_fixup = true;
    k.refuse_try = 1;
    EXPECT(&kf, &k, "ifxTvmdyTvmd", HANDLED, ON);
    for (uint32_t pid = 0; pid <= 2; pid += 2) {
        f.task.pid = pid;
        k = fake_world();
        k.mm[0] = FL_MM_OOM;
        EXPECT(&f, &k, "tvmd", OOM_KILL);
    }
}

/* Answers that nobody agreed on: refused as if nothing were mapped, and the lock given back. */
static void test_unknown_answers(void)
{
    static const enum fl_mm_result odd[] = {FL_MM_SIGSEGV, FL_MM_COUNT, (enum fl_mm_result)200};

    for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++)
        for (unsigned retry = 0; retry < 2; retry++) {
            struct fl_fault f = intel(user_fault(), retry), kf = intel(kernel_fault(), retry);
            struct fake k = fake_world();

            k.mm[0] = odd[i];
            EXPECT(&f, &k, "itvmd", SEGV(MAPERR), ON);
            EXPECT(&kf, &k, "itvmdxD", OOPS, ON);
            f.regs.flags = 2;
            EXPECT(&f, &k, "tvmdi", SEGV(MAPERR), ON);
        }
}

int main(void)
{
    test_sequences();
    test_changed_meanwhile();
    test_key_changed_meanwhile();
    test_fatal_signal();
    test_no_memory();
    test_unknown_answers();
    return check_done("fault passes");
}
