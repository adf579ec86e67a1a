/* SPDX-License-Identifier: MIT */
/*
 * Halving, as git bisect does it: git rev-list --bisect-all orders what is left by how well it halves, merges included. A
 * revision of which nothing can be said (it does not compile, its core speaks another interface, it diverges otherwise) is
 * passed over for one some way off: its neighbours are likely to be no better.
 */
#include "bisect.h"
#include "../command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has(const struct revisions *r, const char *id)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->ids[i], id) == 0)
            return true;
    return false;
}

static void add(struct revisions *r, const char *id)
{
    void *more = realloc(r->ids, (r->n + 1) * sizeof *r->ids);

    if (!more) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    r->ids = more;
    snprintf(r->ids[r->n++], REVISION, "%s", id);
}

/* 1/2, 1/4, 3/4, 1/8, ...: the k-th of n in an order that is everywhere soon, the best third more often. */
static size_t some_way_off(size_t k, size_t n)
{
    double at = 0, step = 0.5;

    for (; k; k >>= 1, step /= 2)
        at += (double)(k & 1) * step;
    return (size_t)(at * at * (double)n);
}

struct progress {
    const struct bisect *b;
    bool say;
    double began;
};

static void say(const struct progress *p, const char *where, const char *id, enum said said, const char *why)
{
    static const char *const words[] = {"clean", "diverges", "skipped"};
    struct commit c;

    if (!p->say || program_interrupted() || !git_describe(&p->b->git, id, &c))
        return;
    fprintf(stderr, "bisect: %s: %s %s: %s%s%s\n", where, c.brief, c.subject, words[said], why[0] ? ": " : "", why);
    free(c.files);
}

static void say_left(const struct progress *p, size_t left, const char *id, enum said said, const char *why)
{
    double each = (monotonic_seconds() - p->began) / (p->b->tested ? p->b->tested : 1);
    unsigned steps = 0;
    char where[80];

    for (size_t n = left; n > 1; n /= 2)
        steps++;
    snprintf(where, sizeof where, "%zu left, about %u steps, %.0f s", left, steps, steps * each);
    say(p, where, id, said, why);
}

/* Both ends are what the user says they are. */
static bool ends(struct bisect *b, const struct progress *p, const char *good, const char *bad)
{
    char why[512];
    enum said said = judge_revision(b, bad, why);

    say(p, "--bad", bad, said, why);
    if (program_interrupted())
        return false;
    if (said == SAID_CLEAN)
        return complain("bisect: --bad %.12s is clean: give one that diverges%s", bad,
                        b->whole ? "" : " (only its core/ was tried; --whole builds all of it)"),
               false;
    if (said == SAID_NOTHING)
        return complain("bisect: --bad %.12s cannot be judged: %s", bad, why), false;
    said = judge_revision(b, good, why);
    say(p, "--good", good, said, why);
    if (program_interrupted())
        return false;
    if (said == SAID_DIVERGES)
        return complain("bisect: --good %.12s diverges too, with %s: give an older one", good, b->key), false;
    if (said == SAID_NOTHING)
        return complain("bisect: --good %.12s cannot be judged: %s", good, why), false;
    return true;
}

/* The next one to try, out of what is between; NULL: none is left. *left [OUT]: how many. */
static const char *choose(const struct revisions *between, const struct revisions *passed, const char *bad,
                          size_t *left)
{
    const char **open = calloc(between->n + 1, sizeof *open), *chosen = NULL;
    size_t n = 0, skipped = 0;

    if (!open) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    for (size_t i = 0; i < between->n; i++) {
        if (has(passed, between->ids[i]))
            skipped++;
        else if (strcmp(between->ids[i], bad) != 0)
            open[n++] = between->ids[i];
    }
    if (n)
        chosen = open[skipped ? some_way_off(skipped, n) : 0];
    free(open);
    *left = n;
    return chosen;
}

/* What may be the first: those passed over that are still between, and the bad end. */
static void conclude(const struct revisions *between, const char *bad, struct found *out)
{
    for (size_t i = 0; i < between->n; i++)
        if (strcmp(between->ids[i], bad) != 0)
            add(&out->first, between->ids[i]);
    add(&out->first, bad);
}

bool search(struct bisect *b, const char *good, const char *bad, bool loud, struct found *out)
{
    struct progress p = {.b = b, .say = loud, .began = monotonic_seconds()};
    struct revisions goods = {0}, passed = {0}, between = {0};
    char last[REVISION], why[512];
    bool ok = ends(b, &p, good, bad) && git_last_change(&b->git, bad, last);

    *out = (struct found){0};
    add(&goods, good);
    while (ok) {
        const char *next;
        enum said said;
        size_t left;

        free(between.ids);
        between = (struct revisions){0};
        ok = git_between(&b->git, last, &goods, &between);
        if (!ok)
            break;
        if (!out->revisions)
            out->revisions = between.n;
        next = choose(&between, &passed, last, &left);
        if (!next) {
            conclude(&between, last, out);
            break;
        }
        said = judge_revision(b, next, why);
        if (program_interrupted()) {
            ok = false;
            break;
        }
        say_left(&p, left, next, said, why);
        if (said == SAID_CLEAN)
            add(&goods, next);
        else if (said == SAID_DIVERGES)
            snprintf(last, sizeof last, "%s", next);
        else
            add(&passed, next);
    }
    free(between.ids);
    free(goods.ids);
    free(passed.ids);
    return ok;
}
