/* SPDX-License-Identifier: MIT */
/*
 * One bug can show under several keys. evidence.c says which are one bug's; of those one stays open: the most severe; then
 * the one that has duplicates already (so that it does not change from day to day); then the most frequent, the shortest, the
 * first by name. What a person decided, what is a regression and what was promoted stays as it is.
 */
#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SECONDS 2.0 /* a scenario that hangs under another target costs no more than that */

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

struct member *group_find(const struct group *g, const char *key)
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
        struct member *m = &g->members[i], *of = group_find(g, m->b.duplicate_of);

        if (m->b.status == BUCKET_DUPLICATE && !of) {
            *m = g->members[--g->n];
            i = 0; /* it may have been the leader of another */
            continue;
        }
        i++;
    }
    for (size_t i = 0; i < g->n; i++) {
        struct member *m = &g->members[i], *of = group_find(g, m->b.duplicate_of);

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

void group_join(struct group *g, struct member *a, struct member *b, const char *why)
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
        struct member *m = &g->members[i], *of = group_find(g, m->b.duplicate_of);

        if (m->b.status == BUCKET_DUPLICATE && of) {
            snprintf(m->why, sizeof m->why, "%.299s", m->b.reason + strlen(RULE));
            group_join(g, m, of, NULL);
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
        group_by_row(&g);
        if (r)
            replay_limit(r, MOST_SECONDS);
        for (size_t i = 0; ok && r && i < g.n; i++) {
            struct member *m = &g.members[i];

            if (!m->b.minimised || m->b.status == BUCKET_DUPLICATE || !triage_read(s, &m->b, scenario))
                continue;
            group_by_replay(&g, r, m, scenario);
        }
        if (r)
            replay_limit(r, 0);
        ok = mark_all(s, &g);
    }
    free(g.members);
    free(scenario);
    return ok;
}
