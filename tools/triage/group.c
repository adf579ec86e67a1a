/* SPDX-License-Identifier: MIT */
/*
 * One bug can show under several keys. Keys are taken as one bug's where the evidence is strong, by three rules:
 *
 *   row       both are decisions, or both synchronisations, and part at the same row of the table. Keys of decisions are made so
 *             that one mistake has one key however the situation varies what comes of it; what is left are variants.
 *   target    the minimised scenario of one, judged as the target of the other, shows the other at the same record: it is one
 *             and the same fault, held against two checks.
 *   answers   a key of what follows from a decision (effects, messages, ...) whose minimised scenario shows a wrong decision
 *             at the same event as soon as the injected answers are left out: the decision is wrong there in any case, and
 *             only the answer made the outcome look right.
 *
 * One of them stays open: the most severe; then the one that has duplicates already (so that it does not change from day to
 * day); then the most frequent, the shortest, the first by name. What a person decided, what is a regression and what was
 * promoted stays as it is.
 */
#include "internal.h"

#include <faultline/oracle/policy.h>
#include <faultline/oracle/sync.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SECONDS 2.0 /* a scenario that hangs under another target costs no more than that */

struct member {
    struct bucket b;
    bool stays; /* never becomes a duplicate */
    bool leads; /* others are its duplicates already */
    size_t up;  /* towards the one that stands for its group; itself at the top */
    char why[300];
};

struct group {
    struct member *members;
    size_t n, room;
    bool failed;
};

/* ---- who takes part ------------------------------------------------------------------------------------------------ */

static bool add_member(const struct bucket *b, void *ctx)
{
    struct group *g = ctx;
    bool open = b->status == BUCKET_OPEN || b->status == BUCKET_REGRESSION;

    if (b->aside || (!open && !(b->status == BUCKET_DUPLICATE && triage_by_rule(b))))
        return true;
    if (g->n == g->room) {
        struct member *larger = realloc(g->members, (g->room = g->room ? 2 * g->room : 32) * sizeof *larger);

        if (!larger) {
            complain("out of memory for %zu buckets", g->room);
            g->failed = true;
            return false;
        }
        g->members = larger;
    }
    g->members[g->n] = (struct member){.b = *b, .up = g->n};
    g->members[g->n].stays =
        b->status == BUCKET_REGRESSION || b->number != 0 || (open && b->reason[0] && !triage_by_rule(b));
    g->n++;
    return true;
}

static struct member *by_key(struct group *g, const char *key)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->members[i].b.key, key) == 0)
            return &g->members[i];
    return NULL;
}

/* A duplicate of what is fixed or invalid is decided with it; one whose leader takes part may get another. */
static void leave_decided(struct group *g)
{
    for (size_t i = 0; i < g->n;) {
        struct member *m = &g->members[i], *of = by_key(g, m->b.duplicate_of);

        if (m->b.status == BUCKET_DUPLICATE && !of) {
            *m = g->members[--g->n];
            i = 0; /* it may have been the leader of another */
            continue;
        }
        i++;
    }
    for (size_t i = 0; i < g->n; i++) {
        struct member *m = &g->members[i], *of = by_key(g, m->b.duplicate_of);

        m->up = i;
        if (m->b.status == BUCKET_DUPLICATE && of)
            of->leads = true;
    }
}

/* ---- joining ------------------------------------------------------------------------------------------------------- */

static size_t top(const struct group *g, size_t i)
{
    while (g->members[i].up != i)
        i = g->members[i].up;
    return i;
}

static void join(struct group *g, struct member *a, struct member *b, const char *why)
{
    size_t x = top(g, (size_t)(a - g->members)), y = top(g, (size_t)(b - g->members));

    if (a == b)
        return;
    if (why && !a->why[0])
        snprintf(a->why, sizeof a->why, "%s %.200s", why, b->b.key);
    if (why && !b->why[0])
        snprintf(b->why, sizeof b->why, "%s %.200s", why, a->b.key);
    if (x != y)
        g->members[x].up = y;
}

/* The part of the key before the n-th '/', or its length. */
static size_t parts(const char *key, unsigned n)
{
    size_t at = 0;

    while (key[at] && !(key[at] == '/' && --n == 0))
        at++;
    return at;
}

static bool is_check(const struct bucket *b, enum fl_check check)
{
    const char *name = fl_check_name(check);
    size_t n = strlen(name);

    return strncmp(b->key, name, n) == 0 && b->key[n] == '/';
}

/* Does the key name a row of the table of decisions, or of synchronisations? Other words in its place (irq, sync-all) are
 * wider than one mistake. */
static bool has_row(const struct bucket *b)
{
    size_t begin = parts(b->key, 1), end = parts(b->key, 2), n;
    const char *row = b->key + begin + 1;
    size_t length = end > begin ? end - begin - 1 : 0;

    if (is_check(b, FL_CHECK_DECISION)) {
        const struct fl_policy_row *rows = fl_policy_rows(&n);

        for (size_t i = 0; i < n; i++)
            if (strlen(rows[i].name) == length && strncmp(rows[i].name, row, length) == 0)
                return true;
    } else if (is_check(b, FL_CHECK_SYNC)) {
        const struct fl_sync_row *rows = fl_sync_rows(&n);

        for (size_t i = 0; i < n; i++)
            if (strlen(rows[i].name) == length && strncmp(rows[i].name, row, length) == 0)
                return true;
    }
    return false;
}

static void by_row(struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct member *a = &g->members[i];

        if (!has_row(&a->b))
            continue;
        for (size_t k = i + 1; k < g->n; k++) {
            struct member *b = &g->members[k];
            size_t n = parts(a->b.key, 2);

            if (n == parts(b->b.key, 2) && strncmp(a->b.key, b->b.key, n) == 0)
                join(g, a, b, "parts at the same row of the table as");
        }
    }
}

static void by_target(struct group *g, struct replayer *r, struct member *a, const struct fl_scenario *s)
{
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++) {
        struct replay_result result;
        struct member *b;
        bool any = false;

        for (size_t i = 0; i < g->n; i++)
            any |= &g->members[i] != a && g->members[i].b.target == t;
        if (t == a->b.target || !any)
            continue;
        replay_run(r, s, (enum fl_target)t, &result);
        b = result.key[0] ? by_key(g, result.key) : NULL;
        if (b && b != a && b->b.target == t && (result.end != REPLAY_DIVERGED || result.record == a->b.record))
            join(g, a, b, "the same scenario, judged as another target, shows");
    }
}

static void by_answers(struct group *g, struct replayer *r, struct member *a, struct fl_scenario *s)
{
    static const enum fl_check follow[] = {FL_CHECK_EFFECT,   FL_CHECK_LOCK,    FL_CHECK_REWALK,
                                           FL_CHECK_PROGRESS, FL_CHECK_MESSAGE, FL_CHECK_SIGNAL};
    uint32_t kept = 0, before = 0;
    struct replay_result result;
    struct member *b;
    bool follows = false;

    for (size_t i = 0; i < sizeof follow / sizeof follow[0]; i++)
        follows |= is_check(&a->b, follow[i]);
    if (!follows)
        return;
    for (uint32_t i = 0; i < s->nrecords; i++) {
        if (s->records[i].kind == FL_REC_INJECT)
            before += i < a->b.record;
        else
            s->records[kept++] = s->records[i];
    }
    if (kept == s->nrecords)
        return;
    s->nrecords = kept;
    replay_run(r, s, a->b.target, &result);
    b = result.end == REPLAY_DIVERGED && result.record + before == a->b.record ? by_key(g, result.key) : NULL;
    if (b && (is_check(&b->b, FL_CHECK_DECISION) || is_check(&b->b, FL_CHECK_SYNC)))
        join(g, a, b, "without the injected answers the same fault shows");
}

/* ---- the outcome --------------------------------------------------------------------------------------------------- */

/* Is a rather to stay open than b? */
static bool before(const struct member *a, const struct member *b)
{
    if (a->b.severity != b->b.severity)
        return a->b.severity > b->b.severity;
    if (a->stays != b->stays)
        return a->stays;
    if (a->leads != b->leads)
        return a->leads;
    if (a->b.count != b->b.count)
        return a->b.count > b->b.count;
    if (a->b.nrecords != b->b.nrecords)
        return a->b.nrecords < b->b.nrecords;
    return strcmp(a->b.key, b->b.key) < 0;
}

static bool mark(struct store *s, const struct member *m, const struct member *leader)
{
    struct bucket b;
    bool found;

    if (!store_bucket_get(s, m->b.key, &b, &found))
        return false;
    if (!found || b.status != m->b.status || strcmp(b.reason, m->b.reason) != 0)
        return true; /* somebody was quicker */
    if (m == leader && b.status == BUCKET_DUPLICATE) {
        b.status = BUCKET_OPEN;
        b.reason[0] = b.duplicate_of[0] = 0;
    } else if (m != leader && !m->stays &&
               (b.status != BUCKET_DUPLICATE || strcmp(b.duplicate_of, leader->b.key) != 0)) {
        b.status = BUCKET_DUPLICATE;
        snprintf(b.reason, sizeof b.reason, RULE "%s", m->why);
        snprintf(b.duplicate_of, sizeof b.duplicate_of, "%s", leader->b.key);
    } else {
        return true;
    }
    return store_bucket_put(s, &b);
}

static bool mark_all(struct store *s, struct group *g)
{
    if (!store_begin(s))
        return false;
    for (size_t i = 0; i < g->n; i++) {
        const struct member *leader = &g->members[i];
        size_t all = 0;

        for (size_t k = 0; k < g->n; k++)
            if (top(g, k) == top(g, i)) {
                all++;
                if (before(&g->members[k], leader))
                    leader = &g->members[k];
            }
        /* Duplicates that no rule joins any more keep their leader until somebody looks. */
        if (all > 1 && !mark(s, &g->members[i], leader)) {
            store_rollback(s);
            return false;
        }
    }
    return store_commit(s);
}

/* A duplicate stays with its leader also where its rule cannot be tried again (its scenario was not minimised since). */
static void as_before(struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct member *m = &g->members[i], *of = by_key(g, m->b.duplicate_of);

        if (m->b.status == BUCKET_DUPLICATE && of) {
            snprintf(m->why, sizeof m->why, "%.299s", m->b.reason + strlen(RULE));
            join(g, m, of, NULL);
        }
    }
}

bool triage_group(struct store *s, struct replayer *r)
{
    struct fl_scenario *scenario = malloc(sizeof *scenario);
    struct group g = {0};
    bool ok = scenario && store_buckets_each(s, add_member, &g) && !g.failed;

    if (ok) {
        leave_decided(&g);
        as_before(&g);
        by_row(&g);
        if (r)
            replay_limit(r, MOST_SECONDS);
        for (size_t i = 0; ok && r && i < g.n; i++) {
            struct member *m = &g.members[i];

            if (!m->b.minimised || m->b.status == BUCKET_DUPLICATE || !triage_read(s, &m->b, scenario))
                continue;
            by_target(&g, r, m, scenario);
            by_answers(&g, r, m, scenario);
        }
        if (r)
            replay_limit(r, 0);
        ok = mark_all(s, &g);
    }
    free(g.members);
    free(scenario);
    return ok;
}
