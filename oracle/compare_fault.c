/* SPDX-License-Identifier: MIT */
/*
 * Comparison of one fault decision: its order, and the outcome.
 */
#include "compare_rules.h"

#include "policy/facts.h"

#include <inttypes.h>

enum { SIGNAL_SEGV = 11, CODE_SI_KERNEL = 0x80 }; /* x86 kernel ABI, asm-generic/siginfo.h */

/* ---- where the paths parted --------------------------------------------------------------------------------------- */

static bool reached(const struct fl_expected *want, enum fl_policy_part part)
{
    return want->path[part] != FL_POLICY_NO_ROW;
}

/* Endings of an access that could not be served; which one it is, the ending part decides. */
static bool is_ending(uint8_t action)
{
    return action == FL_ACT_SIGNAL || action == FL_ACT_IGNORED || action == FL_ACT_FIXUP || action == FL_ACT_OOPS ||
           action == FL_ACT_INVALID_OP || action == FL_ACT_ERRATUM93;
}

/* Endings that nothing but the entry gives. */
static bool is_entry_end(const struct fl_outcome *o)
{
    switch (o->action) {
    case FL_ACT_BAD_PAGETABLE:
    case FL_ACT_SYNCED:
    case FL_ACT_SPURIOUS:
    case FL_ACT_KPROBE:
    case FL_ACT_EMULATED:
    case FL_ACT_BUG:
    case FL_ACT_WILD: return true;
    case FL_ACT_SIGNAL: return o->si_code == CODE_SI_KERNEL;
    default: return false;
    }
}

/* Classes of a decision in the terms of the part where the paths parted, so that one mistake has one key however the
 * rest of the situation varies what comes of it. */
struct classes {
    uint16_t row;
    const char *expected, *actual;
};

/* The entry ends a fault without a look at the address space: what else would have become of it does not matter. */
static struct classes at_entry(const struct fl_expected *want, const struct fl_outcome *got, bool entry_ended)
{
    return (struct classes){want->path[FL_PART_ENTRY], entry_ended ? fl_outcome_class(&want->outcome) : "other",
                            is_entry_end(got) ? fl_outcome_class(got) : "other"};
}

/* May it be served? Asking mm_fault says that it may. A kernel address has no area: the entry refuses it. */
static struct classes at_area(const struct fl_expected *want, const struct fl_outcome *got, bool served, bool serves)
{
    enum fl_policy_part part = reached(want, FL_PART_AREA) ? FL_PART_AREA : FL_PART_ENTRY;
    struct classes c = {want->path[part], fl_outcome_class(&want->outcome), fl_outcome_class(got)};
    if (!served && !serves && is_ending(got->action))
        return c; /* two signals: MAPERR or ACCERR is settled here */
    c.expected = served ? "served" : "refused";
    if (serves)
        c.actual = "served";
    else if (is_ending(got->action))
        c.actual = "refused";
    return c;
}

/* What follows from mm_fault's answer. */
static struct classes at_answer(const struct fl_snapshot *s, const struct fl_expected *want,
                                const struct fl_outcome *got)
{
    const struct fl_outcome *w = &want->outcome;
    struct classes c = {want->path[FL_PART_ANSWER], fl_outcome_class(w), fl_outcome_class(got)};
    bool two_signals = w->action == FL_ACT_SIGNAL && got->action == FL_ACT_SIGNAL;
    if (reached(want, FL_PART_ENDING) && !two_signals)
        c.expected = s->error_code & EC_U ? "bad-area" : "no-context";
    if (got->action == FL_ACT_OOPS || got->action == FL_ACT_FIXUP)
        c.actual = "no-context";
    return c;
}

static struct classes at_ending(const struct fl_expected *want, const struct fl_outcome *got)
{
    struct classes c = {want->path[FL_PART_ENDING], fl_outcome_class(&want->outcome), fl_outcome_class(got)};
    if (want->outcome.action == FL_ACT_SIGNAL)
        c.expected = "signal-segv";
    if (got->action == FL_ACT_SIGNAL && got->signo == SIGNAL_SEGV)
        c.actual = "signal-segv";
    return c;
}

/* How often mm_fault was asked shows how far the handler came. */
static struct classes classes_of(const struct fl_snapshot *s, const struct fl_expected *want,
                                 const struct fl_outcome *got, const struct fl_effects *e)
{
    const struct fl_outcome *w = &want->outcome;
    bool entry_ended = !reached(want, FL_PART_AREA) && !reached(want, FL_PART_ENDING);
    bool asked = want->mm_calls > want->nagain; /* in the last pass */

    if (entry_ended || is_entry_end(got))
        return at_entry(want, got, entry_ended);
    if (e->mm_calls < want->mm_calls) {
        if (e->mm_calls == 0)
            return at_area(want, got, true, false);
        /* All answers but the last one send it back: it was to start again after this one. */
        struct classes c = at_answer(s, want, got);
        c.row = want->again[e->mm_calls - 1];
        c.expected = "again";
        return c;
    }
    if (e->mm_calls > want->mm_calls) {
        if (!asked)
            return at_area(want, got, false, true);
        struct classes c = at_answer(s, want, got);
        c.actual = "again";
        return c;
    }

    bool two_signals = w->action == FL_ACT_SIGNAL && got->action == FL_ACT_SIGNAL;
    if (reached(want, FL_PART_ENDING) && is_ending(got->action) && !two_signals &&
        /* SIGBUS is never the answer to a bad area */
        !(got->action == FL_ACT_SIGNAL && got->signo != SIGNAL_SEGV && asked))
        return at_ending(want, got);
    return asked ? at_answer(s, want, got) : at_area(want, got, false, false);
}

/* ---- the outcome -------------------------------------------------------------------------------------------------- */

/* The fields that no signal shows. Where the action does not make one valid, the policy has 0 in it: garbage there is
 * another mistake than a wrong value where it counts. */
static bool compare_fields(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                           struct fl_divergence *d)
{
    const struct fl_outcome *w = &want->outcome;
    bool handled = w->action == FL_ACT_HANDLED, emulated = w->action == FL_ACT_EMULATED;
    bool jumps = emulated || w->action == FL_ACT_FIXUP || w->action == FL_ACT_ERRATUM93;
    const struct {
        const char *names[3]; /* right; wrong; not zero where it should be */
        bool valid;
        uint64_t want, got;
    } fields[] = {
        {{"major", "major-other", "major-garbage"}, handled, w->major, got->major},
        {{"screen-bits", "screen-bits-other", "screen-bits-garbage"}, handled, w->screen_bits, got->screen_bits},
        {{"new-ip", "new-ip-other", "new-ip-garbage"}, jumps, w->new_ip, got->new_ip},
        {{"new-sp", "new-sp-other", "new-sp-garbage"}, emulated, w->new_sp, got->new_sp},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].want == fields[i].got)
            continue;
        char about[FL_COMPARE_ABOUT];
        fl_compare_describe(s, want, about, sizeof about);
        fl_divergence_set(d, FL_CHECK_DECISION, fl_compare_row(want), fields[i].valid ? fields[i].names[0] : "zero",
                          fields[i].valid ? fields[i].names[1] : fields[i].names[2],
                          "expected %s %#" PRIx64 ", seen %#" PRIx64 "\n%s", fields[i].names[0], fields[i].want,
                          fields[i].got, about);
        return true;
    }
    return false;
}

bool fl_compare_decision(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                         const struct fl_effects *e, struct fl_divergence *d)
{
    const struct fl_outcome *w = &want->outcome;
    bool same = w->action == got->action && (w->action != FL_ACT_HANDLED || w->major == got->major) &&
                (w->action != FL_ACT_SIGNAL || (w->signo == got->signo && w->si_code == got->si_code));
    if (same)
        return compare_fields(s, want, got, d);

    char about[FL_COMPARE_ABOUT];
    size_t nrows;
    const struct fl_policy_row *rows = fl_policy_rows(&nrows);
    struct classes c = classes_of(s, want, got, e);
    fl_compare_describe(s, want, about, sizeof about);
    fl_divergence_set(d, FL_CHECK_DECISION, c.row < nrows ? rows[c.row].name : "no-row", c.expected, c.actual,
                      "expected %s, seen %s (signal %" PRId32 " code %" PRId32 "), mm_fault %u times of %u\n%s",
                      fl_outcome_class(w), fl_outcome_class(got), got->signo, got->si_code, e->mm_calls, want->mm_calls,
                      about);
    return true;
}

bool fl_compare_fault(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                      const struct fl_effects *effects, struct fl_divergence *d)
{
    return fl_compare_rules(s, want, effects, d) || fl_compare_bound(s, effects, d) ||
           fl_compare_sync_end(s, want, got, d) || fl_compare_decision(s, want, got, effects, d) ||
           fl_compare_sync_effects(want, got, effects, d) || fl_compare_signal(s, want, got, d) ||
           fl_compare_die(s, want, effects, d) || fl_compare_message(s, want, effects, d) ||
           fl_compare_effects(s, want, got, effects, d);
}
