/* SPDX-License-Identifier: MIT */
/*
 * The comparers of signals, of messages, and of what users learn of kernel addresses: each field fires for its own seeded
 * difference, with the key that is written here, and for nothing else.
 */
#include "answer.h"

FAULT(read_ok, (void)0)
FAULT(maperr, s->cr2 = NOWHERE)
FAULT(maperr_limited, s->cr2 = NOWHERE, s->ratelimited[FL_LIMIT_SIGNAL] = true)
FAULT(maperr_hidden, s->cr2 = NOWHERE, s->kernel.show_unhandled = false)
FAULT(accerr, s->error_code |= P)
FAULT(pkuerr, s->cpu.cr4 |= UINT64_C(1) << 22, s->cpu.pkru = 0xc0, a->vmas[0].pkey = 3)
FAULT(sigbus, s->mm_result[0] = FL_MM_SIGBUS)
FAULT(poison, s->mm_result[0] = FL_MM_HWPOISON)
FAULT(poison_large, s->mm_result[0] = FL_MM_HWPOISON_LARGE)
FAULT(prefetch, s->cr2 = NOWHERE, answer_prefetch(a))
FAULT(oops, s->cr2 = NOWHERE, answer_kernel(a))
FAULT(oops_kernel_addr, s->cr2 = IN_KERNEL, answer_kernel(a))
FAULT(fixup, oops(a), answer_fixup(a))
FAULT(oom, s->mm_result[0] = FL_MM_OOM)
FAULT(reserved, s->error_code |= P | RSVD)
FAULT(kernel_addr, s->cr2 = IN_KERNEL)
FAULT(vsyscall_fails, s->cr2 = VSYSCALL + 0x400, s->regs.ip = s->cr2, s->error_code |= I, a->stack_readable = true,
      s->vsyscall_fails = true)
FAULT(erratum_93, answer_kernel(a), s->cr2 = s->regs.ip = KERNEL_IP & UINT32_MAX)

/* The policy makes the same mistake. */
#define BOTH(field, value) o->field = a->want.outcome.field = value

static void test_siginfo(void)
{
    SPOIL(maperr, "signal/si-addr/cr2/other", o->si_addr++);
    SPOIL(maperr, "signal/si-addr/cr2/other", BOTH(si_addr, 0));
    SPOIL(kernel_addr, "signal/si-addr/cr2/other", BOTH(si_addr, 0));
    SPOIL(sigbus, "signal/si-addr/cr2/other", o->si_addr &= ~UINT64_C(0xfff));
    SPOIL(vsyscall_fails, "signal/si-addr/zero/set", BOTH(si_addr, a->s.cr2));
    SPOIL(pkuerr, "signal/si-pkey/pkey-of-vma/other", o->si_pkey = 0);
    SPOIL(pkuerr, "signal/si-pkey/a-key/other", BOTH(si_pkey, 16));
    SPOIL(accerr, "signal/si-pkey/zero/set", BOTH(si_pkey, 3));
    SPOIL(sigbus, "signal/si-pkey/zero/set", BOTH(si_pkey, 3)); /* code 2 is another one's */
    SPOIL(poison, "signal/si-pkey/zero/set", BOTH(si_pkey, 3)); /* and so is code 4 */
    SPOIL(poison, "signal/si-addr-lsb/size-of-page/other", o->si_addr_lsb = 21);
    SPOIL(poison_large, "signal/si-addr-lsb/size-of-page/other", o->si_addr_lsb = 12);
    SPOIL(poison, "signal/si-addr-lsb/page-size/other", BOTH(si_addr_lsb, 0));
    SPOIL(poison_large, "signal/si-addr-lsb/page-size/other", BOTH(si_addr_lsb, 22));
    SPOIL(sigbus, "signal/si-addr-lsb/zero/set", BOTH(si_addr_lsb, 12));
    SPOIL(pkuerr, "signal/si-addr-lsb/zero/set", BOTH(si_addr_lsb, 12));
    /* Pairs that no page fault has. */
    SPOIL(maperr, "signal/si-code/exists/unknown", BOTH(si_code, 3));
    SPOIL(maperr, "signal/si-code/exists/unknown", BOTH(si_code, 0));
    SPOIL(sigbus, "signal/si-code/exists/unknown", BOTH(si_code, 1));
    SPOIL(maperr, "signal/si-code/exists/unknown", BOTH(signo, 4));
    /* No signal, no fields. */
    SPOIL(read_ok, "signal/signo/zero/set", o->signo = 11);
    SPOIL(fixup, "signal/si-code/zero/set", o->si_code = 1);
    SPOIL(oops, "signal/si-addr/zero/set", o->si_addr = 5);
    SPOIL(reserved, "signal/si-addr/zero/set", BOTH(si_addr, 5));
    SPOIL(oops, "signal/si-pkey/zero/set", o->si_pkey = 1);
    SPOIL(read_ok, "signal/si-addr-lsb/zero/set", o->si_addr_lsb = 12);
}

static void test_record(void)
{
    SPOIL(maperr, "signal/thread-cr2/cr2/other", o->thread_cr2 = 0);
    SPOIL(accerr, "signal/thread-code/code/other", o->thread_error_code &= ~1u);
    SPOIL(accerr, "signal/thread-trap/page-fault/other", BOTH(thread_trap_no, 13));
    SPOIL(oops, "signal/thread-code/code/other", BOTH(thread_error_code, 1));
    SPOIL(reserved, "signal/thread-code/code/other", o->thread_error_code = 1);
    /* The user learns nothing of a kernel address; an oops tells the truth. */
    SPOIL(kernel_addr, "signal/thread-code/code/other", BOTH(thread_error_code, U));
    SPOIL(oops_kernel_addr, "signal/thread-code/code/other", BOTH(thread_error_code, P));
    SPOIL(maperr, "signal/thread/set/kept", BOTH(thread_valid, false));
    SPOIL(sigbus, "signal/thread/set/kept", o->thread_valid = false);
    SPOIL(oops, "signal/thread/set/kept", o->thread_valid = false);
    SPOIL(reserved, "signal/thread/set/kept", o->thread_valid = false);
    SPOIL(read_ok, "signal/thread/kept/set", o->thread_valid = true);
    SPOIL(vsyscall_fails, "signal/thread/kept/set", BOTH(thread_valid, true));
    SPOIL(prefetch, "signal/thread-cr2/zero/set", o->thread_cr2 = 1);
    SPOIL(fixup, "signal/thread-code/zero/set", o->thread_error_code = 9);
    SPOIL(oom, "signal/thread-trap/zero/set", o->thread_trap_no = 14);
    /* Rules and policy must not part unseen. */
    SPOIL(maperr, "signal/thread-code/as-policy/other", a->want.outcome.thread_error_code = 1);
    SPOIL(maperr, "signal/thread-cr2/as-policy/other", a->want.outcome.thread_cr2 = 1);
    SPOIL(maperr, "signal/thread-trap/as-policy/other", a->want.outcome.thread_trap_no = 1);
    SPOIL(maperr, "signal/thread/as-policy/other", a->want.outcome.thread_valid = false);
    SPOIL(maperr, "signal/si-addr/as-policy/other", a->want.outcome.si_addr = 1);
    SPOIL(read_ok, "signal/signo/as-policy/other", a->want.outcome.signo = 1);
    SPOIL(read_ok, "signal/si-code/as-policy/other", a->want.outcome.si_code = 1);
}

/* ---- messages ---- */

static void test_message(void)
{
    SPOIL(maperr, "message/segfault/text/text-other", f->log[1] = '0');
    SPOIL(maperr, "message/segfault/text/text-other", f->log[f->nlog - 1] = ' ');
    SPOIL(maperr, "message/segfault/text/silent", f->nlog = 0);
    SPOIL(maperr, "message/segfault/text/cut-short", f->nlog--);
    SPOIL(maperr, "message/segfault/text/text-and-more", f->log[f->nlog++] = '\n');
    SPOIL(maperr_hidden, "message/segfault/silent/text", f->nlog = 1);
    SPOIL(maperr_limited, "message/segfault/silent/text", f->nlog = 1);
    SPOIL(poison, "message/bus/text/silent", f->nlog = 0);
    SPOIL(sigbus, "message/bus/silent/text", f->nlog = 1);
    SPOIL(oops, "message/oops/text/text-other", f->log[0] = 'x');
    SPOIL(reserved, "message/bad-pagetable/text/text-other", f->log[0] = 'x');
    SPOIL(oom, "message/out-of-memory/text/silent", f->nlog = 0);
    SPOIL(erratum_93, "message/erratum93/text/cut-short", f->nlog -= 10);
    SPOIL(read_ok, "message/other/silent/text", f->nlog = 1);
    /* Where the crash handler was called is part of it. */
    SPOIL(oops, "message/oops/text/text-other", memmove(strstr(f->log, FL_LOG_DIE), "{eid}", 5));

    SPOIL(maperr, "message/ratelimit-signal/once/never", f->limits[FL_LIMIT_SIGNAL] = 0);
    SPOIL(maperr, "message/ratelimit-signal/once/again", f->limits[FL_LIMIT_SIGNAL] = 2);
    SPOIL(maperr_limited, "message/ratelimit-signal/once/never", f->limits[FL_LIMIT_SIGNAL] = 0);
    SPOIL(maperr_hidden, "message/ratelimit-signal/never/once", f->limits[FL_LIMIT_SIGNAL] = 1);
    SPOIL(read_ok, "message/ratelimit-signal/never/once", f->limits[FL_LIMIT_SIGNAL] = 1);
    SPOIL(erratum_93, "message/ratelimit-erratum93/once/never", f->limits[FL_LIMIT_ERRATUM93] = 0);
    SPOIL(oops, "message/ratelimit-erratum93/never/once", f->limits[FL_LIMIT_ERRATUM93] = 1);
    HARMLESS(read_ok, memset(f->log, 'x', sizeof f->log)); /* what is there is not valid */
}

/* The detail shows where, and every byte of it readably. */
static void test_message_detail(void)
{
    static struct answer a;
    struct fl_divergence d;
    answer_make(&a, maperr);
    memcpy(a.want.log, "abc\nd\"\\e\x01\xff", 10);
    memcpy(a.effects.log, "abc\nd\"\\f\x01\xff", 10);
    a.want.nlog = 10;
    a.effects.nlog = 9;
    CHECK(fl_compare_fault(&a.s, &a.want, &a.got, &a.effects, &d), "seen");
    CHECK(strstr(d.detail, "at byte 7 of 10 expected, 9 seen"), "%s", d.detail);
    CHECK(strstr(d.detail, "expected \"abc\\nd\\\"\\\\e\\x01\\xff\"\n"), "%s", d.detail);
    CHECK(strstr(d.detail, "seen     \"abc\\nd\\\"\\\\f\\x01\"\n"), "%s", d.detail);

    /* Longer than anybody wants to read, longer than what is kept. */
    memset(a.want.log, 1, sizeof a.want.log);
    memset(a.effects.log, 1, sizeof a.effects.log);
    a.want.nlog = FL_LOG_MAX;
    a.effects.nlog = FL_LOG_MAX + 1;
    CHECK(fl_compare_fault(&a.s, &a.want, &a.got, &a.effects, &d), "seen");
    expect_key(&d, "message/segfault/text/text-and-more", "a long one");
    a.effects.nlog = 100;
    CHECK(fl_compare_fault(&a.s, &a.want, &a.got, &a.effects, &d), "seen");
    expect_key(&d, "message/segfault/text/cut-short", "a short one");
    CHECK(strstr(d.detail, "at byte 100 of 768 expected, 100 seen"), "%s", d.detail);
}

/* ---- what users learn ---- */

#define INTERFERES(row, ...)                                                                                           \
    do {                                                                                                               \
        struct fl_outcome present = a.got, *o = &present;                                                              \
        static struct fl_effects effects;                                                                              \
        struct fl_effects *f = &effects;                                                                               \
        effects = a.effects;                                                                                           \
        (void)o, (void)f;                                                                                              \
        CHECK(!fl_compare_interference(&a.s, &a.got, a.effects.log, a.effects.nlog, &present, &effects, &d), "same");  \
        __VA_ARGS__;                                                                                                   \
        CHECK(fl_compare_interference(&a.s, &a.got, a.effects.log, a.effects.nlog, &present, &effects, &d),            \
              #__VA_ARGS__);                                                                                           \
        expect_key(&d, "interference/" row "/same/differs", #__VA_ARGS__);                                             \
    } while (0)

static void test_interference(void)
{
    static struct answer a;
    struct fl_divergence d;
    answer_make(&a, kernel_addr);
    INTERFERES("action", o->action = FL_ACT_IGNORED);
    INTERFERES("major", o->major = true);
    INTERFERES("irq", o->irq_on = false);
    INTERFERES("signo", o->signo = 7);
    INTERFERES("si-code", o->si_code = 2);
    INTERFERES("si-addr", o->si_addr++);
    INTERFERES("si-pkey", o->si_pkey++);
    INTERFERES("si-addr-lsb", o->si_addr_lsb++);
    INTERFERES("thread", o->thread_valid = false);
    INTERFERES("thread-cr2", o->thread_cr2++);
    INTERFERES("thread-code", o->thread_error_code ^= P);
    INTERFERES("thread-trap", o->thread_trap_no++);
    INTERFERES("screen-bits", o->screen_bits++);
    INTERFERES("new-ip", o->new_ip++);
    INTERFERES("new-sp", o->new_sp++);
    INTERFERES("log", f->log[f->nlog - 2]++);
    INTERFERES("log", f->nlog--);
    INTERFERES("log", f->nlog = FL_LOG_MAX + 9);

    /* The right handler, both times. */
    static struct answer b;
    answer_make(&b, kernel_addr);
    b.s.error_code |= P;
    CHECK_EQ(fl_policy_decide(&b.s, &b.want), FL_OK, "decide");
    answer_effects(&b.s, &b.want, &b.effects);
    CHECK(!fl_compare_interference(&b.s, &a.got, a.effects.log, a.effects.nlog, &b.want.outcome, &b.effects, &d),
          "the policy itself tells P: %s", d.detail);
}

int main(void)
{
    test_siginfo();
    test_record();
    test_message();
    test_message_detail();
    test_interference();
    return check_done("policy compare signal");
}
