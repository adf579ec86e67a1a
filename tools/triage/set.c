/* SPDX-License-Identifier: MIT */
/* faultline triage --status: what a person decides. It stays until a person decides otherwise, or a fixed one comes back. */
#include "command.h"

#include <stdio.h>
#include <string.h>

/* In the order of enum bucket_status; a regression is what triage finds, not what a person says. */
static bool status_named(const char *name, enum bucket_status *out)
{
    for (unsigned i = 0; i < BUCKET_REGRESSION; i++)
        if (name && strcmp(name, bucket_status_name((enum bucket_status)i)) == 0) {
            *out = (enum bucket_status)i;
            return true;
        }
    complain("--status KEY is followed by one of open, fixed, invalid, duplicate%s%.40s", name ? ", not by " : "",
             name ? name : "");
    return false;
}

/* The bucket that of stands for: of a duplicate the one that it is a duplicate of. False: it complained. */
static bool leader(struct store *s, const char *text, const char *key, struct bucket *out)
{
    bool found = true;

    if (!store_bucket_find(s, text, out))
        return false;
    for (unsigned i = 0; found && out->status == BUCKET_DUPLICATE && i < 100; i++) {
        char next[STORE_KEY];

        snprintf(next, sizeof next, "%s", out->duplicate_of);
        if (!store_bucket_get(s, next, out, &found))
            return false;
    }
    if (strcmp(out->key, key) == 0) {
        complain("%s would be a duplicate of itself", key);
        return false;
    }
    return true;
}

struct heirs {
    struct store *s;
    const char *of, *key; /* duplicates of `of` become those of `key` */
    bool ok;
};

static bool inherit(const struct bucket *b, void *ctx)
{
    struct heirs *h = ctx;

    if (b->status == BUCKET_DUPLICATE && strcmp(b->duplicate_of, h->of) == 0) {
        struct bucket now = *b;

        snprintf(now.duplicate_of, sizeof now.duplicate_of, "%s", h->key);
        h->ok = store_bucket_put(h->s, &now);
    }
    return h->ok;
}

static bool change(struct triage *t, struct store *s, enum bucket_status status, struct bucket *b)
{
    struct bucket of = {0};
    struct heirs heirs = {.s = s, .ok = true};

    if (!store_bucket_find(s, t->status_key, b) || (t->of && !leader(s, t->of, b->key, &of)))
        return false;
    b->status = status;
    snprintf(b->reason, sizeof b->reason, "%s", t->reason ? t->reason : "said by hand, no reason given");
    snprintf(b->duplicate_of, sizeof b->duplicate_of, "%s", of.key);
    heirs.of = b->key;
    heirs.key = of.key;
    return store_bucket_put(s, b) && (!t->of || (store_buckets_each(s, inherit, &heirs) && heirs.ok));
}

int triage_set_status(struct triage *t)
{
    enum bucket_status status;
    struct store *s;
    struct bucket b;
    bool ok;

    if (!status_named(t->status, &status))
        return EXIT_INPUT;
    if ((status == BUCKET_DUPLICATE) != (t->of != NULL)) {
        complain(t->of ? "--of is for the status duplicate" : "a duplicate needs --of KEY: of what");
        return EXIT_INPUT;
    }
    if (!t->reason && status != BUCKET_OPEN) {
        complain("--reason TEXT is needed: whoever meets %s again wants to know why", t->status_key);
        return EXIT_INPUT;
    }
    if (t->reason && (strncmp(t->reason, RULE, strlen(RULE) - 1) == 0 || !*t->reason)) {
        complain("a reason that %s", *t->reason ? "begins with \"" RULE "\" is one that a rule gave, not a person"
                                                : "is empty says nothing");
        return EXIT_INPUT;
    }
    if (!(s = store_open(t->dir, STORE_WRITE)))
        return EXIT_INPUT;
    ok = store_begin(s);
    if (ok && !change(t, s, status, &b)) {
        store_rollback(s);
        ok = false;
    } else if (ok) {
        ok = store_commit(s);
    }
    if (ok)
        printf("%s: %s%s%s: %s\n", b.key, bucket_status_name(b.status), b.duplicate_of[0] ? " of " : "", b.duplicate_of,
               b.reason);
    store_close(s);
    return ok ? EXIT_CLEAN : EXIT_INPUT;
}
