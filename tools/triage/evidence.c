/* SPDX-License-Identifier: MIT */
/*
 * Which keys are one bug's. Only strong evidence joins two:
 *
 *   row       both are decisions, or both synchronisations, and part at the same row of the table. Keys of decisions are made so
 *             that one mistake has one key however the situation varies what comes of it; what is left are variants.
 *   target    the minimised scenario of one, judged as the target of the other, shows the other at the same record: it is one
 *             and the same fault, held against two checks.
 *   unmasked  a key of what follows from a decision (effects, messages, ...). Its minimised scenario shows a wrong decision at
 *             the same record as soon as that is taken away which made the outcome come out right all the same: an injected
 *             answer, a file that is too short, an area that forbids the access anyhow. A bug of its own would not care.
 */
#include "group.h"

#include <faultline/oracle/policy.h>
#include <faultline/oracle/sync.h>

#include <stdio.h>
#include <string.h>

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

void group_by_row(struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct member *a = &g->members[i];

        if (!has_row(&a->b))
            continue;
        for (size_t k = i + 1; k < g->n; k++) {
            struct member *b = &g->members[k];
            size_t n = parts(a->b.key, 2);

            if (n == parts(b->b.key, 2) && strncmp(a->b.key, b->b.key, n) == 0)
                group_join(g, a, b, "parts at the same row of the table as");
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
        b = result.key[0] ? group_find(g, result.key) : NULL;
        if (b && b != a && b->b.target == t && (result.end != REPLAY_DIVERGED || result.record == a->b.record))
            group_join(g, a, b, "the same scenario, judged as another target, shows");
    }
}

/* ---- unmasked ------------------------------------------------------------------------------------------------------ */

/* What is taken away from a scenario. */
struct mask {
    int answer;   /* this injected answer, counted from 0 */
    bool answers; /* all of them */
    bool files;   /* areas of files become anonymous memory, which can always be had */
    bool rights;  /* areas permit everything */
};

/* *before [OUT]: records that were left out ahead of `record`. False: there was nothing to take away. */
static bool unmask(struct fl_scenario *s, const struct mask *m, uint32_t record, uint32_t *before)
{
    const uint8_t file = FL_VMA_FILE | FL_VMA_SHARED;
    uint32_t kept = 0, n = s->nrecords;
    int answer = 0;
    bool any = false;

    *before = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct fl_record r = s->records[i];

        if (r.kind == FL_REC_INJECT && (m->answers || m->answer == answer++)) {
            *before += i < record;
            any = true;
            continue;
        }
        if (r.kind == FL_REC_VMA && m->files && (r.u.vma.flags & FL_VMA_FILE)) {
            r.u.vma.flags &= (uint8_t)~file;
            r.u.vma.file = 0;
            r.u.vma.pgoff = r.u.vma.file_pages = 0;
            any = true;
        }
        if (r.kind == FL_REC_VMA && m->rights && (r.u.vma.flags & FL_PROT_BITS) != FL_PROT_BITS) {
            r.u.vma.flags |= FL_PROT_BITS;
            any = true;
        }
        s->records[kept++] = r;
    }
    s->nrecords = kept;
    return any && fl_scenario_valid(s);
}

static bool try_mask(struct group *g, struct replayer *r, struct member *a, const struct fl_scenario *scenario,
                     const struct mask *mask)
{
    struct fl_scenario s = *scenario;
    struct replay_result result;
    struct member *b;
    uint32_t before;

    if (!unmask(&s, mask, a->b.record, &before))
        return false;
    replay_run(r, &s, a->b.target, &result);
    if (result.end != REPLAY_DIVERGED || result.record + before != a->b.record)
        return false;
    b = group_find(g, result.key);
    if (!b || (!is_check(&b->b, FL_CHECK_DECISION) && !is_check(&b->b, FL_CHECK_SYNC)))
        return false;
    group_join(g, a, b, "without what hides it, the same fault shows");
    return true;
}

static void by_unmasking(struct group *g, struct replayer *r, struct member *a, const struct fl_scenario *s)
{
    static const enum fl_check follow[] = {FL_CHECK_EFFECT,   FL_CHECK_LOCK,    FL_CHECK_REWALK,
                                           FL_CHECK_PROGRESS, FL_CHECK_MESSAGE, FL_CHECK_SIGNAL};
    static const struct mask masks[] = {
        {.answer = -1, .answers = true},
        {.answer = -1, .files = true},
        {.answer = -1, .answers = true, .files = true},
        {.answer = -1, .rights = true},
        {.answer = -1, .answers = true, .files = true, .rights = true},
    };
    int answers = 0;
    bool follows = false;

    for (size_t i = 0; i < sizeof follow / sizeof follow[0]; i++)
        follows |= is_check(&a->b, follow[i]);
    if (!follows)
        return;
    for (uint32_t i = 0; i < s->nrecords; i++)
        answers += s->records[i].kind == FL_REC_INJECT;
    for (int i = 0; i < answers; i++)
        if (try_mask(g, r, a, s, &(struct mask){.answer = i}))
            return;
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++)
        if (try_mask(g, r, a, s, &masks[i]))
            return;
}

void group_by_replay(struct group *g, struct replayer *r, struct member *m, const struct fl_scenario *scenario)
{
    by_target(g, r, m, scenario);
    by_unmasking(g, r, m, scenario);
    group_by_decoder(g, r, m, scenario);
}
