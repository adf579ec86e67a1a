/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the fault decision share: the kinds of fault, and EXPECT, which compares the order of calls and the
 * whole outcome of one decision. Letters of calls: fake.h. Left out of the order are those of the reports' own making
 * (l S A) and reads of table entries (r): how a line is put together is the business of test_report.c.
 */
#ifndef FAULTLINE_TESTS_CORE_DECIDE_H
#define FAULTLINE_TESTS_CORE_DECIDE_H

#include "check.h"
#include "fake.h"

#define EXTABLE 0xffffffff81000000u

enum { MAPERR = 1, ACCERR = 2, PKUERR = 4, ADRERR = 2, MCEERR = 4, BY_KERNEL = 0x80 };
enum { SIGBUS_NR = 7, SIGSEGV_NR = 11 };

struct result {
    struct fl_outcome out;
    struct fake world;
    char calls[sizeof((struct fake *)0)->trace];
};

static inline void filter(const char *trace, const char *without, char *out)
{
    for (; *trace; trace++)
        if (!strchr(without, *trace))
            *out++ = *trace;
    *out = 0;
}

static inline struct result decide(const struct fl_fault *f, const struct fake *k)
{
    struct result r = {.world = *k};

    memset(&r.out, 0xa5, sizeof r.out);
    CHECK_EQ(fl_core()->fault(f, &fake_ops, &r.world, &r.out), FL_OK, "fault");
    CHECK(!r.world.misuse, "%s, trace %s", r.world.misuse, r.world.trace);
    CHECK(!r.world.locked && !r.world.pgd_locked, "lock held on return, trace %s", r.world.trace);
    CHECK_EQ(r.world.irqs_on, r.out.irq_on, "trace %s", r.world.trace);
    filter(r.world.trace, "lSAr", r.calls);
    return r;
}

/* want: the fields that are not zero, but for thread_* (thread_valid stands for all; the error code is the fault's, with
 * P at kernel addresses of signals) and si_addr (CR2 where thread_valid says that there is a fault record). */
#define EXPECT(f, k, calls, ...) expect(__LINE__, f, k, calls, (struct fl_outcome){__VA_ARGS__})

static inline struct result expect(int line, const struct fl_fault *f, const struct fake *k, const char *calls,
                                   struct fl_outcome want)
{
    struct result r = decide(f, k);

    if (want.thread_valid) {
        want.thread_cr2 = f->cr2;
        want.thread_error_code = f->error_code;
        want.thread_trap_no = 14;
        if (want.action == FL_ACT_SIGNAL && f->cr2 >= f->kernel.task_size)
            want.thread_error_code |= 1;
        if (want.action == FL_ACT_SIGNAL)
            want.si_addr = f->cr2;
    }
    CHECK(strcmp(r.calls, calls) == 0, "line %d: calls \"%s\", expected \"%s\"", line, r.calls, calls);
    CHECK_EQ(r.out.action, want.action, "line %d", line);
    CHECK_EQ(r.out.major, want.major, "line %d", line);
    CHECK_EQ(r.out.irq_on, want.irq_on, "line %d", line);
    CHECK_EQ(r.out.thread_valid, want.thread_valid, "line %d", line);
    CHECK_EQ(r.out.si_pkey, want.si_pkey, "line %d", line);
    CHECK_EQ(r.out.si_addr_lsb, want.si_addr_lsb, "line %d", line);
    CHECK_EQ(r.out.screen_bits, want.screen_bits, "line %d", line);
    CHECK_EQ(r.out.signo, want.signo, "line %d", line);
    CHECK_EQ(r.out.si_code, want.si_code, "line %d", line);
    CHECK_EQ(r.out.si_addr, want.si_addr, "line %d", line);
    CHECK_EQ(r.out.thread_cr2, want.thread_cr2, "line %d", line);
    CHECK_EQ(r.out.thread_error_code, want.thread_error_code, "line %d", line);
    CHECK_EQ(r.out.thread_trap_no, want.thread_trap_no, "line %d", line);
    CHECK_EQ(r.out.new_ip, want.new_ip, "line %d", line);
    CHECK_EQ(r.out.new_sp, want.new_sp, "line %d", line);
    return r;
}

/* Outcomes. ON: interrupts were switched on. */
#define ON            .irq_on = true
#define HANDLED       .action = FL_ACT_HANDLED
#define IGNORED       .action = FL_ACT_IGNORED
#define SEGV(code)    .action = FL_ACT_SIGNAL, .thread_valid = true, .signo = SIGSEGV_NR, .si_code = (code)
#define BUS(code)     .action = FL_ACT_SIGNAL, .thread_valid = true, .signo = SIGBUS_NR, .si_code = (code)
#define OOPS          .action = FL_ACT_OOPS, .thread_valid = true
#define BAD_PAGETABLE .action = FL_ACT_BAD_PAGETABLE, .thread_valid = true
#define FIXUP         .action = FL_ACT_FIXUP, .new_ip = EXTABLE
#define OOM_KILL      .action = FL_ACT_OOM_KILL

/* The three kinds of fault, by error code and registers: a write to the VMA of fake_world(). Interrupts were on. */
static inline struct fl_fault user_fault(void)
{
    return fake_fault();
}

static inline struct fl_fault kernel_fault(void)
{
    struct fl_fault f = fake_fault();

    f.regs.cs = 0x10;
    f.regs.ip = 0xffffffff80123456;
    f.error_code = 2;
    return f;
}

static inline struct fl_fault implicit_fault(void)
{
    struct fl_fault f = fake_fault();

    f.error_code = 2;
    return f;
}

/* The same of a 32-bit kernel, with PAE. */
static inline struct fl_fault as32(struct fl_fault f)
{
    struct fl_fault g = fake_fault32(FL_MODE_PAE);

    g.error_code = f.error_code;
    g.task = f.task;
    g.kernel.show_unhandled = f.kernel.show_unhandled;
    g.regs = f.regs;
    if (f.regs.cs == 0x10) {
        g.regs.cs = 0x60;
        g.regs.ip = 0xc0123456;
    } else {
        g.regs.cs = 0x73;
    }
    return g;
}

/* The plain world with a prefetch (66 0F 0D) at the ip of that fault. */
static inline struct fake with_prefetch(const struct fl_fault *f)
{
    static const uint8_t code[] = {0x66, 0x0f, 0x0d};
    struct fake k = fake_world();

    k.code_at = f->regs.ip;
    memcpy(k.code, code, sizeof code);
    k.ncode = sizeof code;
    return k;
}

/* The n answers of mm_fault. */
#define ANSWERS(k, ...) answers(k, (const enum fl_mm_result[]){__VA_ARGS__}, sizeof((int[]){__VA_ARGS__}) / sizeof(int))

static inline void answers(struct fake *k, const enum fl_mm_result *answer, size_t n)
{
    k->nmm = (unsigned)n;
    for (size_t i = 0; i < n; i++)
        k->mm[i] = answer[i];
}

#endif
