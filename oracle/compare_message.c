/* SPDX-License-Identifier: MIT */
/*
 * Comparison of what was logged, byte for byte, and of the questions whether it may be.
 */
#include "compare_rules.h"

#include <string.h>

/* What the text is about. */
static const char *subject(const struct fl_expected *want)
{
    enum { SIGNAL_BUS = 7 }; /* x86 kernel ABI */
    switch (want->outcome.action) {
    case FL_ACT_OOPS: return "oops";
    case FL_ACT_BAD_PAGETABLE: return "bad-pagetable";
    case FL_ACT_OOM_KILL: return "out-of-memory";
    case FL_ACT_ERRATUM93: return "erratum93";
    case FL_ACT_SIGNAL: return want->outcome.signo == SIGNAL_BUS ? "bus" : "segfault";
    default: return "other";
    }
}

static bool compare_limits(const struct fl_expected *want, const struct fl_effects *e, struct fl_divergence *d)
{
    static const char *const rows[FL_LIMIT_COUNT] = {
        [FL_LIMIT_SIGNAL] = "ratelimit-signal", [FL_LIMIT_ERRATUM93] = "ratelimit-erratum93"};
    for (unsigned i = 0; i < FL_LIMIT_COUNT; i++) {
        unsigned due = want->limit[i] ? 1 : 0;
        if (e->limits[i] == due)
            continue;
        fl_divergence_set(d, FL_CHECK_MESSAGE, rows[i], fl_compare_times(due, due), fl_compare_times(e->limits[i], due),
                          "ratelimit was asked %u times, row %s", e->limits[i], fl_compare_row(want));
        return true;
    }
    return false;
}

bool fl_compare_message(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                        struct fl_divergence *d)
{
    if (compare_limits(want, e, d))
        return true;
    unsigned nwant = want->nlog, kept = e->nlog < FL_LOG_MAX ? e->nlog : FL_LOG_MAX;
    unsigned both = nwant < kept ? nwant : kept;
    bool begins = memcmp(want->log, e->log, both) == 0;
    if (begins && e->nlog == nwant)
        return false;

    const char *expected = "text", *actual = "text-other";
    if (nwant == 0) {
        expected = "silent";
        actual = "text";
    } else if (e->nlog == 0) {
        actual = "silent";
    } else if (begins) {
        actual = e->nlog < nwant ? "cut-short" : "text-and-more";
    }
    char text[320], about[FL_COMPARE_ABOUT];
    fl_compare_show_text(want->log, nwant, e->log, kept, text, sizeof text);
    fl_compare_describe(s, want, about, sizeof about);
    fl_divergence_set(d, FL_CHECK_MESSAGE, subject(want), expected, actual, "%s\n%s", text, about);
    return true;
}
