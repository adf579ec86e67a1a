/* SPDX-License-Identifier: MIT */
/*
 * A divergence that has brought a few artifacts in this run goes into DIR/known: from then on the targets count inputs that
 * show it and go on, so that the next bug is found behind it and no engine does nothing but stop. What is not a divergence
 * (a crash, a hang) ends the process and cannot be passed over: aside.c has what is done there.
 */
#include "campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_AFTER   3   /* artifacts in this run */
#define KNOWN_KEYS    512 /* that are counted; further ones are not passed over */
#define LONGEST_CHAIN 16  /* of duplicates of duplicates */

static struct known {
    char key[STORE_KEY];
    unsigned count;
    bool passed_over, regression;
} keys[KNOWN_KEYS];
static unsigned nkeys;

/* NULL: there is no room for it. */
static struct known *known_of(const char *key)
{
    for (unsigned i = 0; i < nkeys; i++)
        if (strcmp(keys[i].key, key) == 0)
            return &keys[i];
    if (nkeys == KNOWN_KEYS)
        return NULL;
    keys[nkeys] = (struct known){0};
    snprintf(keys[nkeys].key, STORE_KEY, "%s", key);
    return &keys[nkeys++];
}

static bool is_divergence(const char *key)
{
    for (unsigned check = 0; check < FL_CHECK_COUNT; check++) {
        const char *name = fl_check_name((enum fl_check)check);
        size_t length = strlen(name);

        if (strncmp(key, name, length) == 0 && key[length] == '/')
            return true;
    }
    return false;
}

static bool write_known(const struct campaign *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool ok;

    if (!out) {
        complain("out of memory");
        return false;
    }
    for (unsigned i = 0; i < nkeys; i++)
        if (keys[i].passed_over)
            fprintf(out, "%s\n", keys[i].key);
    ok = fclose(out) == 0 && write_atomically(c->known, text, size);
    free(text);
    return ok;
}

/* Somebody has looked at it and does not want to see it again. A fixed one must stop the engines when it comes back; an open
 * one is seen again, so that the store says under which build it was. When the bug of which it is a duplicate is fixed or gone,
 * what shows yet is another one, and triage opens it again: so it has to be seen. */
static bool is_settled(struct store *s, const struct bucket *b)
{
    char key[STORE_KEY];
    struct bucket leader = *b;
    bool found;

    if (b->status == BUCKET_INVALID)
        return true;
    if (b->status != BUCKET_DUPLICATE)
        return false;
    for (unsigned i = 0; i < LONGEST_CHAIN && leader.status == BUCKET_DUPLICATE; i++) {
        snprintf(key, sizeof key, "%s", leader.duplicate_of);
        if (!store_bucket_get(s, key, &leader, &found) || !found)
            return false;
    }
    return leader.status != BUCKET_DUPLICATE && leader.status != BUCKET_FIXED;
}

static bool look_at(const struct bucket *b, void *ctx)
{
    struct campaign *c = ctx;
    struct known *k;

    c->tidy_wanted = true; /* it may not have been minimised, or grouped, when the last run ended */
    if (is_settled(c->store, b) && (k = known_of(b->key)))
        k->passed_over = true;
    if (b->status == BUCKET_REGRESSION && (k = known_of(b->key)))
        k->regression = true;
    return true;
}

bool known_begin(struct campaign *c)
{
    nkeys = 0;
    return store_buckets_each(c->store, look_at, c) && write_known(c);
}

bool known_count(struct campaign *c, const char *key)
{
    struct known *k = known_of(key);

    if (!k || ++k->count < KNOWN_AFTER)
        return false;
    if (!is_divergence(key))
        return true;
    if (k->passed_over)
        return false;
    k->passed_over = true;
    if (write_known(c))
        campaign_say(c, "%s was found %u times: from now on it is counted and passed over", key, k->count);
    else
        disk_write_failed(c);
    return false;
}

bool known_came_back(const struct bucket *b)
{
    struct known *k = known_of(b->key);
    bool was = k && k->regression;

    if (k)
        k->regression = b->status == BUCKET_REGRESSION;
    return b->status == BUCKET_REGRESSION && !was;
}
