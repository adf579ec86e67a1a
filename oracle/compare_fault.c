/* SPDX-License-Identifier: MIT */
/*
 * Comparison of one fault decision.
 */
#include <faultline/oracle/compare.h>

#include "compare_rules.h"
#include "policy/facts.h"

#include <inttypes.h>
#include <stdio.h>

enum { SIGNAL_SEGV = 11 }; /* x86 kernel ABI, POSIX <signal.h> */

/* ---- the decision
 * ------------------------------------------------------------------------------------------------ */

/* Endings of an access that could not be served; which one it is, the ending part decides. */
static bool is_ending(uint8_t action)
{
    return action == FL_ACT_SIGNAL || action == FL_ACT_IGNORED || action == FL_ACT_FIXUP || action == FL_ACT_OOPS;
}

/* The part of the table in which the handler left the expected path. Whether it asked mm_fault shows how far it
 * came. */
static enum fl_policy_part parting_part(const struct fl_expected *want, const struct fl_outcome *got,
                                        const struct fl_effects *e)
{
    if (want->mm_asked != (e->mm_calls != 0))
        return FL_PART_AREA;
    bool at_ending = want->path[FL_PART_ENDING] != FL_POLICY_NO_ROW && is_ending(got->action);
    if (want->mm_asked) /* SIGBUS is never the answer to a bad area */
        return at_ending && !(got->action == FL_ACT_SIGNAL && got->signo != SIGNAL_SEGV) ? FL_PART_ENDING
                                                                                         : FL_PART_ANSWER;
    /* Two signals that differ: MAPERR or ACCERR is settled before the ending. */
    return at_ending && !(want->outcome.action == FL_ACT_SIGNAL && got->action == FL_ACT_SIGNAL) ? FL_PART_ENDING
                                                                                                 : FL_PART_AREA;
}

/* Classes of a decision in the terms of the part where the paths parted, so that one mistake has one key however the
 * rest of the situation varies what comes of it. */
struct classes {
    const char *row, *expected, *actual;
};

static struct classes classes_of(const struct fl_expected *want, const struct fl_outcome *got,
                                 const struct fl_effects *e)
{
    size_t n;
    const struct fl_policy_row *rows = fl_policy_rows(&n);
    const struct fl_outcome *w = &want->outcome;

    /* A corrupt table is told by the error code alone: what else would have happened does not matter. */
    if (w->action == FL_ACT_BAD_PAGETABLE)
        return (struct classes){rows[want->row].name, "bad-pagetable", "other"};
    if (got->action == FL_ACT_BAD_PAGETABLE)
        return (struct classes){"reserved-bit", "other", "bad-pagetable"};

    enum fl_policy_part part = parting_part(want, got, e);
    struct classes c = {rows[want->path[part]].name, fl_outcome_class(w), fl_outcome_class(got)};
    switch (part) {
    case FL_PART_AREA:
        if (want->mm_asked || e->mm_calls != 0 || !is_ending(got->action)) {
            c.expected = want->mm_asked ? "served" : "refused";
            if (e->mm_calls != 0)
                c.actual = "served";
            else if (is_ending(got->action))
                c.actual = "refused";
        }
        break;
    case FL_PART_ANSWER:
        if (want->path[FL_PART_ENDING] != FL_POLICY_NO_ROW)
            c.expected = "no-context";
        if (got->action == FL_ACT_OOPS || got->action == FL_ACT_FIXUP)
            c.actual = "no-context";
        break;
    case FL_PART_ENDING:
        if (w->action == FL_ACT_SIGNAL)
            c.expected = "signal-segv";
        if (got->action == FL_ACT_SIGNAL && got->signo == SIGNAL_SEGV)
            c.actual = "signal-segv";
        break;
    case FL_PART_COUNT: break;
    }
    return c;
}

/* The fault, and the rows that decided it with their sources. */
static void describe_fault(const struct fl_snapshot *s, const struct fl_expected *want, char *buf, size_t size)
{
    size_t nrows;
    const struct fl_policy_row *rows = fl_policy_rows(&nrows);
    int n =
        snprintf(buf, size, "cr2 %#" PRIx64 " code %#" PRIx64 " ip %#" PRIx64 " cs %#x flags %#" PRIx64 " sp %#" PRIx64,
                 s->cr2, s->error_code, s->regs.ip, s->regs.cs, s->regs.flags, s->regs.gpr[FL_RSP]);
    for (unsigned part = 0; part < FL_PART_COUNT; part++) {
        if (want->path[part] == FL_POLICY_NO_ROW || n < 0 || (size_t)n >= size)
            continue;
        const struct fl_policy_row *row = &rows[want->path[part]];
        int m = snprintf(buf + n, size - (size_t)n, "\nrow %s: %s", row->name, row->source);
        n = m < 0 ? m : n + m;
    }
}

/* One field of an outcome. Where the action does not make it valid, the policy has 0 in it: garbage there is another
 * mistake than a wrong value where it counts. */
static bool compare_field(const struct fl_snapshot *s, const struct fl_expected *e, bool valid,
                          const char *const names[3], uint64_t want, uint64_t got, struct fl_divergence *d)
{
    if (want == got)
        return false;
    size_t n;
    char about[400];
    describe_fault(s, e, about, sizeof about);
    fl_divergence_set(d, FL_CHECK_DECISION, fl_policy_rows(&n)[e->row].name, valid ? names[0] : "zero",
                      valid ? names[1] : names[2], "expected %s %#" PRIx64 ", seen %#" PRIx64 "\n%s", names[0], want,
                      got, about);
    return true;
}

static bool compare_fields(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                           struct fl_divergence *d)
{
    const struct fl_outcome *w = &want->outcome;
    bool signal = w->action == FL_ACT_SIGNAL, thread = w->thread_valid;
    const struct {
        const char *names[3]; /* right; wrong; not zero where it should be */
        bool valid;
        uint64_t want, got;
    } fields[] = {
        {{"major", "major-other", "major-garbage"}, w->action == FL_ACT_HANDLED, w->major, got->major},
        {{"signo", "signo-other", "signo-garbage"}, signal, (uint32_t)w->signo, (uint32_t)got->signo},
        {{"si-code", "si-code-other", "si-code-garbage"}, signal, (uint32_t)w->si_code, (uint32_t)got->si_code},
        {{"si-addr", "si-addr-other", "si-addr-garbage"}, signal, w->si_addr, got->si_addr},
        {{"thread-cr2", "thread-cr2-other", "thread-cr2-garbage"}, thread, w->thread_cr2, got->thread_cr2},
        {{"thread-code", "thread-code-other", "thread-code-garbage"},
         thread,
         w->thread_error_code,
         got->thread_error_code},
        {{"thread-trap", "thread-trap-other", "thread-trap-garbage"}, thread, w->thread_trap_no, got->thread_trap_no},
        {{"new-ip", "new-ip-other", "new-ip-garbage"}, w->action == FL_ACT_FIXUP, w->new_ip, got->new_ip},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (compare_field(s, want, fields[i].valid, fields[i].names, fields[i].want, fields[i].got, d))
            return true;
    return false;
}

static bool compare_decision(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                             const struct fl_effects *e, struct fl_divergence *d)
{
    const struct fl_outcome *w = &want->outcome;
    char about[400];

    bool same = w->action == got->action && (w->action != FL_ACT_HANDLED || w->major == got->major) &&
                (w->action != FL_ACT_SIGNAL || (w->signo == got->signo && w->si_code == got->si_code));
    if (!same) {
        struct classes c = classes_of(want, got, e);
        describe_fault(s, want, about, sizeof about);
        fl_divergence_set(d, FL_CHECK_DECISION, c.row, c.expected, c.actual,
                          "expected %s, seen %s (signal %" PRId32 " code %" PRId32 ")\n%s", fl_outcome_class(w),
                          fl_outcome_class(got), got->signo, got->si_code, about);
        return true;
    }

    if (w->thread_valid != got->thread_valid) {
        size_t n;
        describe_fault(s, want, about, sizeof about);
        fl_divergence_set(d, FL_CHECK_DECISION, fl_policy_rows(&n)[want->row].name,
                          w->thread_valid ? "thread-set" : "thread-kept",
                          got->thread_valid ? "thread-set" : "thread-kept", "the thread's fault record was %s\n%s",
                          got->thread_valid ? "written" : "not written", about);
        return true;
    }
    return compare_fields(s, want, got, d);
}

/* ---- effects
 * ----------------------------------------------------------------------------------------------------- */

static const char *count_class(unsigned n)
{
    return n == 0 ? "never" : n == 1 ? "once" : "again";
}

static bool compare_irq(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                        const struct fl_effects *e, struct fl_divergence *d)
{
    bool on = want->outcome.irq_on;
    if (e->irq_calls != (on ? 1u : 0u)) {
        /* Two rules switch interrupts on; a handler may get either wrong. */
        uint64_t new_start;
        bool restore = (fl_policy_facts(s, &new_start) & F_IRQ_WAS_ON) != 0;
        fl_divergence_set(d, FL_CHECK_EFFECT,
                          !on       ? "irq-off"
                          : restore ? "irq-restore"
                                    : "irq-bad-area",
                          on ? "once" : "never", count_class(e->irq_calls),
                          "interrupts were switched on %u times, flags %#" PRIx64 ", word %u", e->irq_calls,
                          s->regs.flags, s->kernel.word);
        return true;
    }
    if (got->irq_on != on) {
        fl_divergence_set(d, FL_CHECK_DECISION, "irq", on ? "reported-on" : "reported-off",
                          got->irq_on ? "reported-on" : "reported-off",
                          "interrupts were switched on %u times, but the outcome says %s", e->irq_calls,
                          got->irq_on ? "on" : "off");
        return true;
    }
    return false;
}

static bool compare_mm(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                       struct fl_divergence *d)
{
    if (e->mm_calls != (want->mm_asked ? 1u : 0u)) {
        fl_divergence_set(d, FL_CHECK_EFFECT, "mm-fault", want->mm_asked ? "once" : "never", count_class(e->mm_calls),
                          "mm_fault was called %u times for cr2 %#" PRIx64 " code %#" PRIx64, e->mm_calls, s->cr2,
                          s->error_code);
        return true;
    }
    if (!want->mm_asked)
        return false;
    if (e->mm_write != want->mm_write) {
        fl_divergence_set(d, FL_CHECK_EFFECT, "mm-access", want->mm_write ? "write" : "read",
                          e->mm_write ? "write" : "read", "mm_fault was asked for the wrong access, code %#" PRIx64,
                          s->error_code);
        return true;
    }
    /* Any address in the page is the same question. */
    if ((e->mm_addr ^ s->cr2) >> 12 != 0) {
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

static bool compare_lock_use(const struct fl_expected *want, const struct fl_effects *e, struct fl_divergence *d)
{
    if (want->lock_taken == (e->lock_gets != 0))
        return false;
    size_t n;
    fl_divergence_set(d, FL_CHECK_LOCK, "use", want->lock_taken ? "taken" : "not-taken",
                      want->lock_taken ? "not-taken" : "taken", "the mm lock was had %u times\nrow %s: %s",
                      e->lock_gets, fl_policy_rows(&n)[want->path[FL_PART_AREA]].name,
                      fl_policy_rows(&n)[want->path[FL_PART_AREA]].source);
    return true;
}

bool fl_compare_fault(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                      const struct fl_effects *effects, struct fl_divergence *d)
{
    if (!want->supported)
        return false;
    return fl_compare_rules(s, want, effects, d) || compare_decision(s, want, got, effects, d) ||
           compare_irq(s, want, got, effects, d) || compare_mm(s, want, effects, d) ||
           compare_growth(s, want, effects, d) || compare_lock_use(want, effects, d);
}
