/* SPDX-License-Identifier: MIT */
/*
 * The comparers of a decision and of a prefetch answer: each check fires for its own seeded difference, with the key
 * that is written here, and for nothing else. The keys are what buckets of findings are named by: changing one is a change of format.
 */
#include "check.h"
#include "key.h"
#include "situation.h"

#include <faultline/oracle/compare.h>

/* A right answer, to be spoilt in one place. */
struct answer {
    struct situation t;
    struct fl_expected want;
    struct fl_outcome got;
    struct fl_effects effects;
};

static void answer_make(struct answer *a, const struct choices *c)
{
    memset(a, 0, sizeof *a);
    situation_make(&a->t, c);
    CHECK_EQ(fl_policy_decide(&a->t.s, &a->want), FL_OK, "decide");
    a->got = a->want.outcome;
    a->effects.mm_calls = a->want.mm_asked;
    a->effects.mm_write = a->want.mm_write;
    a->effects.mm_addr = a->t.s.cr2;
    a->effects.grew = a->want.grows;
    a->effects.new_start = a->want.new_start;
    a->effects.irq_calls = a->want.outcome.irq_on;
    a->effects.lock_asks = a->effects.lock_gets = a->effects.lock_drops = a->want.lock_taken;
    a->effects.irq_late = a->want.lock_taken && a->want.outcome.irq_on && !c->if_on;
    struct fl_divergence d;
    CHECK(!fl_compare_fault(&a->t.s, &a->want, &a->got, &a->effects, &d), "the right answer differs: %s", d.detail);
}

static void expect_fault(struct answer *a, const char *key, const char *what)
{
    struct fl_divergence d;
    memset(&d, 0, sizeof d);
    bool differs = fl_compare_fault(&a->t.s, &a->want, &a->got, &a->effects, &d);
    CHECK(differs, "%s: no difference seen", what);
    if (differs)
        expect_key(&d, key, what);
}

/* One spoilt answer. */
#define SPOIL(choices_, key, ...)                                                                                      \
    do {                                                                                                               \
        struct answer a;                                                                                               \
        answer_make(&a, &(choices_));                                                                                  \
        struct fl_outcome *o = &a.got;                                                                                 \
        struct fl_effects *f = &a.effects;                                                                             \
        (void)o, (void)f;                                                                                              \
        __VA_ARGS__;                                                                                                   \
        expect_fault(&a, key, #__VA_ARGS__);                                                                           \
    } while (0)
/* A difference that means nothing. */
#define HARMLESS(choices_, ...)                                                                                        \
    do {                                                                                                               \
        struct answer a;                                                                                               \
        struct fl_divergence d;                                                                                        \
        answer_make(&a, &(choices_));                                                                                  \
        struct fl_outcome *o = &a.got;                                                                                 \
        struct fl_effects *f = &a.effects;                                                                             \
        (void)o, (void)f;                                                                                              \
        __VA_ARGS__;                                                                                                   \
        CHECK(!fl_compare_fault(&a.t.s, &a.want, &a.got, &a.effects, &d), "%s: %s", #__VA_ARGS__, d.detail);           \
    } while (0)

static const struct choices
    read_ok = {.word = 8, .code = U, .regs = USER, .prot = R},
    write_ok = {.word = 8, .code = U | W, .regs = USER, .if_on = true, .prot = WR},
    kernel_read = {.word = 8, .prot = R}, major = {.word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_MAJOR},
    grow = {.word = 8, .code = U | W, .regs = USER, .layout = BELOW_STACK, .prot = WR},
    cushion = {.word = 8, .code = U | W, .regs = USER, .layout = BELOW_STACK, .growth = CUSHION, .prot = WR},
    grown_denied = {.word = 8, .code = U | W, .regs = USER, .layout = BELOW_STACK, .prot = R},
    maperr = {.word = 8, .code = U, .regs = USER, .layout = NOTHING},
    maperr_if = {.word = 8, .code = U, .regs = USER, .if_on = true, .layout = NOTHING},
    accerr = {.word = 8, .code = U | P, .regs = USER, .prot = R},
    prefetch = {.word = 8, .code = U, .regs = USER, .layout = NOTHING, .bytes = PREFETCH},
    oops = {.word = 8, .layout = NOTHING}, oops_if = {.word = 8, .if_on = true, .layout = NOTHING},
    fixup = {.word = 8, .layout = NOTHING, .extable = true},
    implicit = {.word = 8, .regs = USER, .layout = NOTHING, .extable = true},
    reserved = {.word = 8, .code = P | RSVD | U, .regs = USER, .prot = R},
    atomic = {.word = 8, .task = ATOMIC, .prot = R},
    atomic_user = {.word = 8, .code = U, .regs = USER, .task = ATOMIC, .prot = R},
    trylock = {.word = 8, .contended = true, .prot = R},
    sigbus = {.word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_SIGBUS},
    sigbus_kernel = {.word = 8, .prot = R, .mm = FL_MM_SIGBUS},
    oom = {.word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_OOM},
    oom_fixup = {.word = 8, .prot = R, .mm = FL_MM_OOM, .extable = true};

static void act(struct fl_outcome *o, enum fl_action action, int signo, int si_code)
{
    o->action = (uint8_t)action;
    o->signo = signo;
    o->si_code = si_code;
}

static void test_decisions(void)
{
    /* A wrong area: whatever ending the handler then found, and whatever mm_fault said, the key is one. */
    SPOIL(cushion, "decision/stack-cushion/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(cushion, "decision/stack-cushion/refused/served", act(o, FL_ACT_OOM_KILL, 0, 0), f->mm_calls = 1);
    SPOIL(grow, "decision/stack-write/served/refused", act(o, FL_ACT_SIGNAL, 11, 1), f->mm_calls = 0);
    SPOIL(grow, "decision/stack-write/served/refused", act(o, FL_ACT_IGNORED, 0, 0), f->mm_calls = 0);
    SPOIL(atomic, "decision/atomic/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(trylock, "decision/lock-no-fixup/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(kernel_read, "decision/area-read/served/refused", act(o, FL_ACT_OOPS, 0, 0), f->mm_calls = 0);
    SPOIL(read_ok, "decision/area-read/served/handled-major", o->major = true, f->mm_calls = 0);
    SPOIL(maperr, "decision/no-vma/refused/handled-minor", act(o, FL_ACT_HANDLED, 0, 0));
    SPOIL(maperr, "decision/no-vma/refused/none", act(o, FL_ACT_NONE, 0, 0));
    SPOIL(maperr, "decision/no-vma/refused/unknown", o->action = 200);
    SPOIL(maperr, "decision/no-vma/signal-maperr/signal-accerr", o->si_code = 2);
    SPOIL(accerr, "decision/read-present/signal-accerr/signal-maperr", o->si_code = 1);
    SPOIL(accerr, "decision/read-present/signal-accerr/signal-bus", act(o, FL_ACT_SIGNAL, 7, 2));
    SPOIL(accerr, "decision/read-present/signal-accerr/signal-other", o->si_code = 4);

    SPOIL(reserved, "decision/reserved-bit/bad-pagetable/other", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(reserved, "decision/reserved-bit/bad-pagetable/other", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(read_ok, "decision/reserved-bit/other/bad-pagetable", act(o, FL_ACT_BAD_PAGETABLE, 0, 0), f->mm_calls = 0);
    SPOIL(oops, "decision/reserved-bit/other/bad-pagetable", act(o, FL_ACT_BAD_PAGETABLE, 0, 0));

    /* A wrong reading of mm_fault's answer. */
    SPOIL(read_ok, "decision/mm-minor/handled-minor/handled-major", o->major = true);
    SPOIL(major, "decision/mm-major/handled-major/handled-minor", o->major = false);
    SPOIL(oom, "decision/oom-user/oom-kill/no-context", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(oom, "decision/oom-user/oom-kill/handled-minor", act(o, FL_ACT_HANDLED, 0, 0));
    SPOIL(oom_fixup, "decision/oom-kernel/no-context/oom-kill", act(o, FL_ACT_OOM_KILL, 0, 0));
    SPOIL(sigbus, "decision/sigbus-user/signal-bus/signal-maperr", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(sigbus, "decision/sigbus-user/signal-bus/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(sigbus, "decision/sigbus-user/signal-bus/no-context", act(o, FL_ACT_FIXUP, 0, 0));
    SPOIL(sigbus_kernel, "decision/sigbus-kernel/no-context/signal-bus", act(o, FL_ACT_SIGNAL, 7, 2));

    /* A wrong ending: whatever led to it, the key is one. */
    SPOIL(maperr, "decision/user-segv/signal-segv/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(accerr, "decision/user-segv/signal-segv/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(accerr, "decision/user-segv/signal-segv/oops", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(prefetch, "decision/user-prefetch/ignored/signal-segv", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(oops, "decision/kernel-oops/oops/fixup", act(o, FL_ACT_FIXUP, 0, 0));
    SPOIL(atomic, "decision/kernel-oops/oops/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(sigbus_kernel, "decision/kernel-oops/oops/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(fixup, "decision/kernel-fixup/fixup/oops", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(oom_fixup, "decision/kernel-fixup/fixup/oops", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(implicit, "decision/implicit-supervisor/oops/fixup", act(o, FL_ACT_FIXUP, 0, 0));
    SPOIL(implicit, "decision/implicit-supervisor/oops/signal-segv", act(o, FL_ACT_SIGNAL, 11, 1));
}

static void test_fields(void)
{
    SPOIL(maperr, "decision/user-segv/si-addr/si-addr-other", o->si_addr++);
    SPOIL(maperr, "decision/user-segv/thread-cr2/thread-cr2-other", o->thread_cr2 = 0);
    SPOIL(accerr, "decision/user-segv/thread-code/thread-code-other", o->thread_error_code &= ~1u);
    SPOIL(accerr, "decision/user-segv/thread-trap/thread-trap-other", o->thread_trap_no = 13);
    SPOIL(maperr, "decision/user-segv/thread-set/thread-kept", o->thread_valid = false);
    SPOIL(read_ok, "decision/mm-minor/thread-kept/thread-set", o->thread_valid = true);
    SPOIL(sigbus, "decision/sigbus-user/si-addr/si-addr-other", o->si_addr = 0);
    SPOIL(oops, "decision/kernel-oops/thread-code/thread-code-other", o->thread_error_code = 1);
    SPOIL(reserved, "decision/reserved-bit/thread-code/thread-code-other", o->thread_error_code = 1);
    SPOIL(fixup, "decision/kernel-fixup/new-ip/new-ip-other", o->new_ip = 1);
    /* Fields that the action does not make valid are zero. */
    SPOIL(maperr, "decision/user-segv/zero/major-garbage", o->major = true);
    SPOIL(read_ok, "decision/mm-minor/zero/signo-garbage", o->signo = 11);
    SPOIL(fixup, "decision/kernel-fixup/zero/si-code-garbage", o->si_code = 1);
    SPOIL(oops, "decision/kernel-oops/zero/si-addr-garbage", o->si_addr = 5);
    SPOIL(prefetch, "decision/user-prefetch/zero/thread-cr2-garbage", o->thread_cr2 = 1);
    SPOIL(fixup, "decision/kernel-fixup/zero/thread-code-garbage", o->thread_error_code = 9);
    SPOIL(oom, "decision/oom-user/zero/thread-trap-garbage", o->thread_trap_no = 14);
    SPOIL(maperr, "decision/user-segv/zero/new-ip-garbage", o->new_ip = 7);
    SPOIL(reserved, "decision/reserved-bit/zero/si-addr-garbage", o->si_addr = 5);
}

static void test_effects(void)
{
    SPOIL(maperr_if, "effect/irq-restore/once/never", f->irq_calls = 0, o->irq_on = false);
    SPOIL(write_ok, "effect/irq-restore/once/again", f->irq_calls = 2);
    SPOIL(maperr, "effect/irq-bad-area/once/never", f->irq_calls = 0, o->irq_on = false);
    SPOIL(oops, "effect/irq-off/never/once", f->irq_calls = 1, o->irq_on = true);
    SPOIL(oops_if, "decision/irq/reported-on/reported-off", o->irq_on = false);
    SPOIL(oops, "decision/irq/reported-off/reported-on", o->irq_on = true);
    SPOIL(read_ok, "effect/mm-fault/once/again", f->mm_calls = 2);
    SPOIL(write_ok, "effect/mm-access/write/read", f->mm_write = false);
    SPOIL(read_ok, "effect/mm-access/read/write", f->mm_write = true);
    SPOIL(read_ok, "effect/mm-addr/page-of-cr2/other", f->mm_addr += 0x1000);
    HARMLESS(read_ok, f->mm_addr &= ~UINT64_C(0xfff));
    HARMLESS(maperr, f->mm_addr = 0, f->mm_write = true);
    SPOIL(grow, "effect/growth/grown/kept", f->grew = false);
    SPOIL(grow, "effect/growth/grown/elsewhere", f->new_start -= 0x1000);
    SPOIL(cushion, "effect/growth/kept/grown", f->grew = true);
    SPOIL(grown_denied, "effect/growth/grown/kept", f->grew = false);
    HARMLESS(read_ok, f->new_start = 5);
}

static void test_rules(void)
{
    SPOIL(read_ok, "contract/mm-lock/locked/unlocked", f->lock_missing = true);
    SPOIL(read_ok, "contract/vma-generation/current/stale", f->stale_generation = true);
    SPOIL(read_ok, "lock/take/free/held", f->lock_deadlock = true);
    SPOIL(sigbus, "lock/exit/free/held", f->lock_held_at_exit = true, f->lock_drops = 0);
    SPOIL(sigbus, "lock/balance/equal/more-gets", f->lock_drops = 0);
    SPOIL(sigbus, "lock/balance/equal/more-drops", f->lock_drops = 2);
    SPOIL(oops, "lock/use/taken/not-taken", f->lock_gets = f->lock_drops = 0);
    SPOIL(trylock, "lock/use/not-taken/taken", f->lock_gets = f->lock_drops = 1);
    HARMLESS(oops, f->lock_gets = f->lock_drops = 2); /* taken again after it was dropped */

    SPOIL(maperr, "contract/probe-byte/unlocked/locked", f->probe_locked = true);
    SPOIL(oops, "contract/extable/unlocked/locked", f->extable_locked = true);
    SPOIL(maperr, "contract/irq-enable/unlocked/locked", f->irq_locked = true);
    SPOIL(write_ok, "contract/irq-restore/before-lock/after-lock", f->irq_late = true);
    SPOIL(maperr_if, "contract/irq-restore/before-lock/after-lock", f->irq_late = true);
    SPOIL(maperr, "contract/irq-bad-area/after-lock/before-lock", f->irq_late = false);
    HARMLESS(atomic_user, (void)0); /* no lock, so no order */
    SPOIL(oops, "effect/irq-off/never/once", f->irq_calls = 1, f->irq_late = true, o->irq_on = true);
    SPOIL(maperr_if, "effect/irq-restore/once/never", f->irq_calls = 0, f->irq_late = true);
    /* What follows from a broken rule is not a second finding. */
    SPOIL(read_ok, "contract/mm-lock/locked/unlocked", f->lock_missing = true, act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(read_ok, "lock/exit/free/held", f->lock_held_at_exit = true, f->lock_drops = 0, o->major = true);
}

/* n reads, all but the last at the first address. */
static void probed(struct fl_effects *f, uint64_t from, uint64_t to, unsigned n)
{
    f->probes = n;
    for (unsigned i = 0; i < n && i < FL_EFFECTS_PROBES; i++)
        f->probe_at[i] = i + 1 == n ? to : from;
}
#define PROBED(from, to, n) probed(f, from, to, n)

static void test_bounds(void)
{
    const uint64_t ip = 0x8048000;
    HARMLESS(maperr, PROBED(ip, ip + 14, 15), f->probe_user = true);
    SPOIL(maperr, "bound/window/inside/outside", PROBED(ip, ip + 15, 15), f->probe_user = true);
    SPOIL(maperr, "bound/window/inside/outside", PROBED(ip - 1, ip + 3, 4), f->probe_user = true);
    SPOIL(maperr, "bound/window/inside/outside", PROBED(ip, ip + 14, 16), f->probe_user = true);
    SPOIL(maperr, "bound/accessor/user/kernel", PROBED(ip, ip, 1), f->probe_kernel = true);
    SPOIL(maperr, "bound/accessor/user/kernel", PROBED(ip, ip, 1), f->probe_kernel = f->probe_user = true);
    SPOIL(oops, "bound/accessor/kernel/user", PROBED(a.t.s.regs.ip, a.t.s.regs.ip, 1), f->probe_user = true);
    HARMLESS(oops, PROBED(a.t.s.regs.ip, a.t.s.regs.ip + 14, 15), f->probe_kernel = true);
    HARMLESS(maperr, f->probe_at[0] = 1, f->probe_kernel = true); /* no probe at all */

    /* Only where a prefetch may be the reason. */
    SPOIL(maperr, "bound/reason/no-reads/reads", a.t.s.cpu.vendor = FL_VENDOR_INTEL, PROBED(ip, ip, 1),
          f->probe_user = true);
    SPOIL(maperr, "bound/reason/no-reads/reads", a.t.s.cpu.family = 5, PROBED(ip, ip, 1), f->probe_user = true);
    SPOIL(maperr, "bound/reason/no-reads/reads", a.t.s.error_code |= I, PROBED(ip, ip, 1), f->probe_user = true);
    HARMLESS(maperr, a.t.s.cpu.vendor = FL_VENDOR_INTEL);

    /* The last bytes of user space and of the segment. */
    SPOIL(maperr, "bound/segment/inside/outside", a.t.s.regs.ip = a.t.s.kernel.task_size - 2,
          PROBED(a.t.s.regs.ip, a.t.s.kernel.task_size, 3), f->probe_user = true);
    HARMLESS(maperr, a.t.s.regs.ip = a.t.s.kernel.task_size - 2, PROBED(a.t.s.regs.ip, a.t.s.kernel.task_size - 1, 2),
             f->probe_user = true);
    struct choices narrow = maperr;
    narrow.word = 4;
    SPOIL(narrow, "bound/segment/inside/outside", a.t.s.codeseg.limit = (uint32_t)ip + 1, PROBED(ip, ip + 2, 3),
          f->probe_user = true);
    HARMLESS(narrow, a.t.s.codeseg.limit = (uint32_t)ip + 1, PROBED(ip, ip + 1, 2), f->probe_user = true);
    /* base + ip goes round at 4 GiB: the window is 0xfffffffe..0x0000000c. */
    HARMLESS(narrow, a.t.s.codeseg.base = UINT64_C(0xfffffffe) - ip, a.t.s.kernel.task_size = UINT64_C(1) << 32,
             PROBED(0, UINT64_C(0xffffffff), 3), f->probe_user = true);
    SPOIL(narrow, "bound/window/inside/outside", a.t.s.codeseg.base = UINT64_C(0xfffffffe) - ip,
          a.t.s.kernel.task_size = UINT64_C(1) << 32, PROBED(UINT64_C(0xfffffffe), UINT64_C(0x100000000), 3),
          f->probe_user = true);
    SPOIL(narrow, "bound/window/inside/outside", a.t.s.codeseg.base = UINT64_C(0xfffffffe) - ip,
          a.t.s.kernel.task_size = UINT64_C(1) << 32, PROBED(0xd, UINT64_C(0xffffffff), 2), f->probe_user = true);
    /* Between the two ends of a window that goes round lies the whole address space. */
    SPOIL(narrow, "bound/window/inside/outside", a.t.s.codeseg.base = UINT64_C(0xfffffffe) - ip,
          a.t.s.kernel.task_size = UINT64_C(1) << 32, PROBED(0, UINT64_C(0xffffffff), 3), f->probe_at[1] = 0x80000000,
          f->probe_user = true);
}

static void test_unsupported(void)
{
    struct choices c = read_ok;
    struct answer a;
    struct fl_divergence d;
    c.layout = KERNEL_ADDRESS;
    answer_make(&a, &c);
    CHECK(!a.want.supported, "kernel addresses are not decided");
    a.got.action = FL_ACT_OOPS;
    CHECK(!fl_compare_fault(&a.t.s, &a.want, &a.got, &a.effects, &d), "compared what is not decided");

    static const struct {
        enum fl_status status;
        bool written;
        unsigned calls;
        const char *key;
    } rows[] = {{FL_UNSUPPORTED, false, 0, NULL},
                {FL_UNSUPPORTED, false, 1, "contract/kernel-address/undecided/op-called"},
                {FL_UNSUPPORTED, true, 0, "contract/kernel-address/undecided/outcome-written"},
                {FL_OK, true, 0, "contract/kernel-address/undecided/decided"},
                {FL_OK, true, 9, "contract/kernel-address/undecided/decided"},
                {FL_INVALID, false, 0, "contract/kernel-address/undecided/refused"}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        a.effects.calls = rows[i].calls;
        bool differs = fl_compare_undecided(&a.want, rows[i].status, rows[i].written, &a.effects, &d);
        CHECK_EQ(differs, rows[i].key != NULL, "undecided %u", i);
        if (differs && rows[i].key)
            expect_key(&d, rows[i].key, "undecided");
    }
}

static void test_prefetch(void)
{
    struct situation t;
    struct fl_divergence d;
    struct fl_effects none = {0}, far = {.calls = 1, .probes = 1, .probe_at = {0x8048010}, .probe_user = true},
                      other = {.calls = 2, .probes = 1, .probe_at = {0x8048000}, .probe_user = true};
    situation_make(&t, &prefetch);
    CHECK(!fl_compare_prefetch(&t.s, true, true, &none, &d), "equal");
    CHECK(!fl_compare_prefetch(&t.s, false, false, &none, &d), "equal");
    CHECK(fl_compare_prefetch(&t.s, true, false, &none, &d), "missed");
    expect_key(&d, "prefetch/rule/ignored/not-ignored", "missed");
    CHECK(fl_compare_prefetch(&t.s, false, true, &none, &d), "taken for one");
    expect_key(&d, "prefetch/rule/not-ignored/ignored", "taken for one");
    CHECK(fl_compare_prefetch(&t.s, true, true, &far, &d), "read too far");
    expect_key(&d, "bound/window/inside/outside", "read too far");
    CHECK(fl_compare_prefetch(&t.s, true, true, &other, &d), "another op");
    expect_key(&d, "contract/prefetch/probes-only/other-op", "another op");
    other.calls = 1;
    CHECK(!fl_compare_prefetch(&t.s, true, true, &other, &d), "one probe");
    t.s.cpu.vendor = FL_VENDOR_INTEL;
    CHECK(fl_compare_prefetch(&t.s, false, false, &other, &d), "read without a reason");
    expect_key(&d, "bound/reason/no-reads/reads", "read without a reason");
}

static void test_names(void)
{
    static const char *const checks[FL_CHECK_COUNT] = {"walk",     "executor", "decision", "effect",
                                                       "lock",     "rewalk",   "progress", "bound",
                                                       "contract", "prefetch", "decoder",  "transparency"};
    static const char *const actions[FL_ACT_COUNT] = {"none",  "handled", "ignored",       "signal",
                                                      "fixup", "oops",    "bad-pagetable", "oom-kill"};
    for (unsigned i = 0; i < FL_CHECK_COUNT; i++)
        CHECK(!strcmp(fl_check_name((enum fl_check)i), checks[i]), "check %u", i);
    for (unsigned i = 0; i < FL_ACT_COUNT; i++)
        CHECK(!strcmp(fl_action_name((enum fl_action)i), actions[i]), "action %u", i);
    CHECK(!strcmp(fl_check_name(FL_CHECK_COUNT), "unknown") && !strcmp(fl_action_name(FL_ACT_COUNT), "unknown"), "end");

    struct fl_divergence d;
    char buf[9], big[1000];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    fl_divergence_set(&d, FL_CHECK_PROGRESS, "loop", "other", "same", "%s", big);
    CHECK_EQ(strlen(d.detail), sizeof d.detail - 1, "a long detail is cut");
    CHECK_EQ(fl_divergence_key(&d, buf, sizeof buf), strlen("progress/loop/other/same"), "length of a cut key");
    CHECK(!strcmp(buf, "progress"), "cut key %s", buf);
    CHECK_EQ(fl_divergence_key(&d, NULL, 0), strlen("progress/loop/other/same"), "length alone");
}

int main(void)
{
    test_decisions();
    test_fields();
    test_effects();
    test_rules();
    test_bounds();
    test_unsupported();
    test_prefetch();
    test_names();
    return check_done("policy compare");
}
