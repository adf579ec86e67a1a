/* SPDX-License-Identifier: MIT */
/*
 * Comparison of what a fault decision did through its ops, apart from tables and messages.
 */
#include "compare_rules.h"

#include "policy/facts.h"

#include <inttypes.h>

/* A call that is to be made so often. */
static bool compare_count(const char *row, unsigned want, unsigned got, const struct fl_snapshot *s,
                          struct fl_divergence *d)
{
    if (want == got)
        return false;
    fl_divergence_set(d, FL_CHECK_EFFECT, row, fl_compare_times(want, want), fl_compare_times(got, want),
                      "called %u times, expected %u; cr2 %#" PRIx64 " code %#" PRIx64 " flags %#" PRIx64, got, want,
                      s->cr2, s->error_code, s->regs.flags);
    return true;
}

static bool compare_irq(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                        const struct fl_effects *e, struct fl_divergence *d)
{
    bool on = want->outcome.irq_on;
    /* Two rules switch interrupts on; a handler may get either wrong. */
    const char *row = !on ? "irq-off" : fl_compare_irq_restored(s) ? "irq-restore" : "irq-bad-area";
    if (compare_count(row, on ? 1 : 0, e->irq_calls, s, d))
        return true;
    if (got->irq_on == on)
        return false;
    fl_divergence_set(
        d, FL_CHECK_DECISION, "irq", on ? "reported-on" : "reported-off", got->irq_on ? "reported-on" : "reported-off",
        "interrupts were switched on %u times, but the outcome says %s", e->irq_calls, got->irq_on ? "on" : "off");
    return true;
}

static bool compare_mm_flags(const struct fl_snapshot *s, unsigned call, unsigned want, unsigned got,
                             struct fl_divergence *d)
{
    static const struct {
        unsigned bit;
        const char *row, *set, *clear;
    } flags[] = {{FL_MM_WRITE, "mm-access", "write", "read"},
                 {FL_MM_USER, "mm-user", "user", "kernel"},
                 {FL_MM_FETCH, "mm-fetch", "fetch", "data"},
                 {FL_MM_ALLOW_RETRY, "mm-allow-retry", "allowed", "not-allowed"},
                 {FL_MM_TRIED, "mm-tried", "tried", "first"}};
    if (want == got)
        return false;
    const char *row = "mm-flags", *expected = "known", *seen = "unknown";
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (((want ^ got) & flags[i].bit) == 0)
            continue;
        row = flags[i].row;
        expected = want & flags[i].bit ? flags[i].set : flags[i].clear;
        seen = got & flags[i].bit ? flags[i].set : flags[i].clear;
        break;
    }
    fl_divergence_set(d, FL_CHECK_EFFECT, row, expected, seen,
                      "mm_fault call %u: flags %#x, expected %#x; code %#" PRIx64, call + 1, got, want, s->error_code);
    return true;
}

static bool compare_mm(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                       struct fl_divergence *d)
{
    if (compare_count("mm-fault", want->mm_calls, e->mm_calls, s, d))
        return true;
    for (unsigned i = 0; i < want->mm_calls && i < FL_MM_ANSWERS; i++)
        if (compare_mm_flags(s, i, want->mm_flags[i], e->mm_flags[i], d))
            return true;
    /* Any address in the page is the same question. */
    if (want->mm_calls != 0 && (e->mm_addr ^ s->cr2) >> 12 != 0) {
        fl_divergence_set(d, FL_CHECK_EFFECT, "mm-addr", "page-of-cr2", "other",
                          "mm_fault was asked for %#" PRIx64 ", cr2 is %#" PRIx64, e->mm_addr, s->cr2);
        return true;
    }
    return false;
}

static bool compare_growth(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                           struct fl_divergence *d)
{
    if (e->grew == want->grows && (!e->grew || e->new_start == want->new_start))
        return false;
    const char *seen = !e->grew ? "kept" : want->grows ? "elsewhere" : "grown";
    fl_divergence_set(d, FL_CHECK_EFFECT, "growth", want->grows ? "grown" : "kept", seen,
                      "expected %s %#" PRIx64 ", seen %s %#" PRIx64 ", cr2 %#" PRIx64,
                      want->grows ? "growth to" : "no growth", want->new_start, e->grew ? "growth to" : "no growth",
                      e->grew ? e->new_start : 0, s->cr2);
    return true;
}

/* How often the answer was RETRY where it may be: each time it is to be asked whether to go on. */
static unsigned retries(const struct fl_snapshot *s, const struct fl_expected *want)
{
    unsigned n = 0;
    for (unsigned i = 0; i < want->mm_calls && i < FL_MM_ANSWERS; i++)
        if ((s->mm_result[i] == FL_MM_RETRY || s->mm_result[i] == FL_MM_RETRY_MAJOR) &&
            (want->mm_flags[i] & FL_MM_ALLOW_RETRY))
            n++;
    return n;
}

bool fl_compare_die(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                    struct fl_divergence *d)
{
    static const char *const names[FL_DIE_COUNT] = {[FL_DIE_OOPS] = "oops", [FL_DIE_BAD_PAGETABLE] = "bad-pagetable"};
    if (compare_count("die", want->dies ? 1 : 0, e->dies, s, d))
        return true;
    if (!want->dies)
        return false;
    if (want->die != e->die) {
        fl_divergence_set(d, FL_CHECK_EFFECT, "die-kind", want->die < FL_DIE_COUNT ? names[want->die] : "unknown",
                          e->die < FL_DIE_COUNT ? names[e->die] : "unknown", "the crash handler was told %u, not %u",
                          e->die, want->die);
        return true;
    }
    if (e->die_code == s->error_code)
        return false;
    fl_divergence_set(d, FL_CHECK_EFFECT, "die-code", "code", "other",
                      "the crash handler was given code %#" PRIx64 ", the fault's is %#" PRIx64, e->die_code,
                      s->error_code);
    return true;
}

/* ---- use of the lock ---------------------------------------------------------------------------------------------- */

static const char *had(unsigned want, unsigned got)
{
    if (got == 0)
        return "not-taken";
    if (want == 0 || got == want)
        return "taken";
    return got > want ? "taken-again" : "not-taken-again";
}

/* For the address space, once in each pass, and once more for a report. The first pass tries, and waits only where that
 * fails; the others wait, since whether to is decided by then. A report never waits. */
static bool compare_lock_use(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                             struct fl_divergence *d)
{
    unsigned tries = want->lock_tried ? 1 : 0, passes = want->lock_taken ? 1u + want->nagain : 0;
    const struct {
        const char *row;
        unsigned want, got;
        bool gets;
    } uses[] = {{"use", passes, e->lock_gets - e->report_gets, true},
                {"report", want->report_lock ? 1 : 0, e->report_gets, true},
                {"try", tries, e->lock_tries, false},
                {"wait", passes - (passes != 0 && !s->lock_contended ? 1 : 0), e->lock_takes, false},
                {"report-try", want->report_tried ? 1 : 0, e->report_tries, false},
                {"report-wait", 0, e->report_takes, false}};
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        unsigned expected = uses[i].want, seen = uses[i].got;
        if (expected == seen)
            continue;
        char about[FL_COMPARE_ABOUT];
        fl_compare_describe(s, want, about, sizeof about);
        fl_divergence_set(
            d, FL_CHECK_LOCK, uses[i].row,
            uses[i].gets ? had(expected, expected) : fl_compare_times(expected, expected),
            uses[i].gets ? had(expected, seen) : fl_compare_times(seen, expected),
            "%u times, expected %u. The mm lock was tried for %u times, waited for %u times, had %u times; "
            "for reports %u, %u, %u\n%s",
            seen, expected, e->lock_tries, e->lock_takes, e->lock_gets - e->report_gets, e->report_tries,
            e->report_takes, e->report_gets, about);
        return true;
    }
    return false;
}

bool fl_compare_effects(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                        const struct fl_effects *e, struct fl_divergence *d)
{
    bool kernel_mode = !fl_policy_user_mode(&s->regs);
    const struct {
        const char *row;
        unsigned want, got;
    } counts[] = {
        {"kprobe", s->task.kprobe_running && kernel_mode ? 1 : 0, e->kprobes},
        {"yield", want->yields, e->yields},
        {"fatal-signal", retries(s, want), e->fatal_asks},
        {"vsyscall", want->vsyscall ? 1 : 0, e->vsyscalls},
    };

    if (compare_irq(s, want, got, e, d) || compare_mm(s, want, e, d) || compare_growth(s, want, e, d))
        return true;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (compare_count(counts[i].row, counts[i].want, counts[i].got, s, d))
            return true;
    if (want->vsyscall && e->vsyscall_nr != want->vsyscall_nr) {
        fl_divergence_set(d, FL_CHECK_EFFECT, "vsyscall-nr", "nr", "other", "vsyscall %u was made, expected %u",
                          e->vsyscall_nr, want->vsyscall_nr);
        return true;
    }
    return compare_lock_use(s, want, e, d);
}
