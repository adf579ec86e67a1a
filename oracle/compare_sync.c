/* SPDX-License-Identifier: MIT */
/*
 * Comparison of a synchronisation with the reference tables: what it came to, what it wrote, and what it must not do.
 */
#include "compare_rules.h"

#include <faultline/oracle/sync.h>

#include <inttypes.h>
#include <stdio.h>

static const char *end_name(enum fl_sync_end end)
{
    return (unsigned)end < FL_SYNC_COUNT ? fl_sync_end_name(end) : "unknown";
}

static const char *row_name(const struct fl_sync_expected *want)
{
    size_t n;
    const struct fl_sync_row *rows = fl_sync_rows(&n);
    return want->row < n ? rows[want->row].name : "no-row";
}

static const char *row_source(const struct fl_sync_expected *want)
{
    size_t n;
    const struct fl_sync_row *rows = fl_sync_rows(&n);
    return want->row < n ? rows[want->row].source : "";
}

/* ---- what was written --------------------------------------------------------------------------------------------- */

static const char *how_name(unsigned how)
{
    static const char *const names[FL_SET_COUNT] = {
        [FL_SET_PLAIN] = "plain", [FL_SET_PMD] = "pmd-hook", [FL_SET_PGD] = "pgd-hook"};
    return how < FL_SET_COUNT ? names[how] : "unknown";
}

static bool compare_write(const char *row, const struct fl_entry_write *want, const struct fl_entry_write *got,
                          struct fl_divergence *d)
{
    const char *expected = NULL, *actual = NULL;
    if (want->paddr != got->paddr) {
        expected = "entry";
        actual = "entry-other";
    } else if (want->size != got->size) {
        expected = "size";
        actual = "size-other";
    } else if (want->value != got->value) {
        expected = "value";
        actual = "value-other";
    } else if (want->how != got->how) {
        expected = how_name(want->how);
        actual = how_name(got->how);
    }
    if (expected == NULL)
        return false;
    fl_divergence_set(d, FL_CHECK_SYNC, row, expected, actual,
                      "expected: %u bytes at %#" PRIx64 " become %#" PRIx64 " (%s); seen: %u bytes at %#" PRIx64
                      " become %#" PRIx64 " (%s)",
                      want->size, want->paddr, want->value, how_name(want->how), got->size, got->paddr, got->value,
                      how_name(got->how));
    return true;
}

/* Writes in order, the calls around them, and the flush behind the last one: what is queued after it stays unseen. want
 * NULL: no synchronisation was to be tried. */
static bool compare_calls(const struct fl_sync_expected *want, const struct fl_effects *e, struct fl_divergence *d)
{
    static const struct fl_sync_expected nothing;
    const char *row = want ? row_name(want) : "not-tried", *source = want ? row_source(want) : "no row asks for it";
    const struct fl_sync_expected *w = want ? want : &nothing;
    const struct {
        const char *always, *never, *more;
        bool want;
        unsigned got;
    } calls[] = {{"warned", "silent", "warned-again", w->warn, e->warns},
                 {"flushed", "not-flushed", "flushed-again", w->flush, e->flushes}};

    for (unsigned i = 0; i < w->nwrites && i < e->writes && i < FL_EFFECTS_WRITES; i++)
        if (compare_write(row, &w->write[i], &e->write[i], d))
            return true;
    if (e->writes != w->nwrites) {
        bool more = e->writes > w->nwrites;
        const struct fl_entry_write *odd = NULL;
        char place[96] = "";
        if (!more)
            odd = &w->write[e->writes];
        else if (w->nwrites < FL_EFFECTS_WRITES)
            odd = &e->write[w->nwrites];
        if (odd)
            snprintf(place, sizeof place, " (%#" PRIx64 " becomes %#" PRIx64 ", %s)", odd->paddr, odd->value,
                     how_name(odd->how));
        fl_divergence_set(d, FL_CHECK_SYNC, row, more ? "not-written" : "written", more ? "written" : "not-written",
                          "table entries were written %u times, expected %u%s\nrow %s: %s", e->writes, w->nwrites,
                          place, row, source);
        return true;
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].got == (calls[i].want ? 1u : 0u))
            continue;
        fl_divergence_set(d, FL_CHECK_SYNC, row, calls[i].want ? calls[i].always : calls[i].never,
                          calls[i].got == 0   ? calls[i].never
                          : calls[i].got == 1 ? calls[i].always
                                              : calls[i].more,
                          "%s %u times\nrow %s: %s", i == 0 ? "warn_nmi was called" : "flush_lazy was called",
                          calls[i].got, row, source);
        return true;
    }
    if (w->flush && e->flushed_writes != w->nwrites) {
        fl_divergence_set(d, FL_CHECK_SYNC, row, "flushed-last", "flushed-early",
                          "flush_lazy was called after %u writes of %u: what comes after it stays in the queue\n"
                          "row %s: %s",
                          e->flushed_writes, w->nwrites, row, source);
        return true;
    }
    return false;
}

/* ---- as a part of a fault ----------------------------------------------------------------------------------------- */

/* A synchronisation that did its work, or ended the kernel, ends the fault: the outcome says which. */
static enum fl_sync_end end_of(const struct fl_outcome *o)
{
    switch (o->action) {
    case FL_ACT_SYNCED: return FL_SYNC_HANDLED;
    case FL_ACT_BUG: return FL_SYNC_BUG;
    case FL_ACT_WILD: return FL_SYNC_WILD;
    default: return FL_SYNC_NOT_HANDLED;
    }
}

bool fl_compare_sync_end(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                         struct fl_divergence *d)
{
    enum fl_sync_end seen = end_of(got), expected = want->synced ? (enum fl_sync_end)want->sync.end : seen;
    if (!want->synced && seen != FL_SYNC_NOT_HANDLED) {
        char about[FL_COMPARE_ABOUT];
        fl_compare_describe(s, want, about, sizeof about);
        fl_divergence_set(d, FL_CHECK_SYNC, "not-tried", "not-tried", end_name(seen),
                          "no synchronisation was to be tried\n%s", about);
        return true;
    }
    if (seen == expected)
        return false;
    fl_divergence_set(d, FL_CHECK_SYNC, row_name(&want->sync), end_name(expected), end_name(seen),
                      "expected %s, seen %s (outcome %s); cr2 %#" PRIx64 " code %#" PRIx64 " cr3 %#" PRIx64
                      " mode %u generation %s\nrow %s: %s",
                      end_name(expected), end_name(seen), fl_outcome_class(got), s->cr2, s->error_code, s->cpu.cr3,
                      s->cpu.mode, fl_generation_name((enum fl_generation)s->kernel.generation), row_name(&want->sync),
                      row_source(&want->sync));
    return true;
}

bool fl_compare_sync_effects(const struct fl_expected *want, const struct fl_outcome *got, const struct fl_effects *e,
                             struct fl_divergence *d)
{
    if (compare_calls(want->synced ? &want->sync : NULL, e, d))
        return true;
    if (got->action != FL_ACT_SYNCED)
        return false;
    /* It may have interrupted anything, NMI handlers and holders of these very locks included. */
    if (e->lock_asks != 0) {
        fl_divergence_set(d, FL_CHECK_SYNC, row_name(&want->sync), "lock-free", "lock-asked",
                          "the mm lock was asked for %u times on the way to a synchronisation", e->lock_asks);
        return true;
    }
    if (e->nlog != 0) {
        fl_divergence_set(d, FL_CHECK_SYNC, row_name(&want->sync), "silent", "logged",
                          "%u bytes were logged on the way to a synchronisation (zoo vmf-nmi-warn)", e->nlog);
        return true;
    }
    return false;
}

/* ---- alone -------------------------------------------------------------------------------------------------------- */

bool fl_compare_sync(const struct fl_sync_expected *want, enum fl_sync_end got, const struct fl_effects *effects,
                     struct fl_divergence *d)
{
    unsigned own = effects->reads + effects->writes + effects->flushes + effects->warns;
    if (effects->calls != own) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "sync", "tables-only", "other-op",
                          "an op that has nothing to do with tables was called: %u calls, %u of them for tables",
                          effects->calls, own);
        return true;
    }
    if (got != (enum fl_sync_end)want->end) {
        fl_divergence_set(d, FL_CHECK_SYNC, row_name(want), end_name((enum fl_sync_end)want->end), end_name(got),
                          "expected %s, seen %s\nrow %s: %s", end_name((enum fl_sync_end)want->end), end_name(got),
                          row_name(want), row_source(want));
        return true;
    }
    return compare_calls(want, effects, d);
}
