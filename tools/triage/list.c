/* SPDX-License-Identifier: MIT */
/* Everything that the store knows of buckets, as a table or as JSON. */
#include "command.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct list {
    struct triage *t;
    json_t *buckets;
    uint64_t open, n;
    bool header, aside;
};

static bool is_open(const struct bucket *b)
{
    return !b->aside && (b->status == BUCKET_OPEN || b->status == BUCKET_REGRESSION);
}

/* ---- the table ----------------------------------------------------------------------------------------------------- */

static bool print_row(const struct bucket *b, void *ctx)
{
    struct list *l = ctx;
    char shown[24];

    l->n++;
    l->open += is_open(b);
    /* After triage what is done with is counted only; --list shows it all. */
    if (!l->t->list && !is_open(b))
        return true;
    if (!l->header)
        printf("%-10s %-8s %7s %6s %-8s %s\n", "STATUS", "SEVERITY", "COUNT", "SHOWN", "TARGET", "KEY");
    l->header = true;
    if (b->aside && !l->aside)
        printf("left aside: no findings about the tested code\n");
    l->aside |= b->aside;
    snprintf(shown, sizeof shown, "%" PRIu32 "/%" PRIu32, b->reproduced, b->tries);
    printf("%-10s %-8s %7" PRIu64 " %6s %-8s %s\n", bucket_status_name(b->status), severity_name(b->severity), b->count,
           shown, fl_target_name(b->target), b->key);
    if (b->status == BUCKET_DUPLICATE)
        printf("%10s of %s\n", "", b->duplicate_of);
    if (b->reason[0])
        printf("%10s %s\n", "", b->reason);
    return true;
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------- */

static json_t *time_of(int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[40];

    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}

static json_t *bucket_json(const struct bucket *b)
{
    json_t *j =
        json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i}", "key", b->key, "title", b->title, "aside",
                  b->aside, "status", bucket_status_name(b->status), "reason", b->reason, "severity",
                  severity_name(b->severity), "severity_why", b->severity_why, "target", fl_target_name(b->target),
                  "count", (json_int_t)b->count, "tries", (int)b->tries, "reproduced", (int)b->reproduced);
    json_t *more =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:s, s:i, s:s, s:i, s:o, s:o}", "first_build", b->first_build,
                  "last_build", b->last_build, "found_by", b->found_by, "detail", b->detail, "records",
                  (int)b->nrecords, "first_records", (int)b->first_size, "minimised", b->minimised, "file", b->file,
                  "number", (int)b->number, "stage", stage_name(b->stage), "clean_builds", (int)b->clean_builds,
                  "first_seen", time_of(b->first_seen), "last_seen", time_of(b->last_seen));

    if (!j || !more) {
        json_decref(j);
        json_decref(more);
        return NULL;
    }
    if (b->status == BUCKET_DUPLICATE)
        json_object_set_new(j, "duplicate_of", json_string(b->duplicate_of));
    json_object_update(j, more);
    json_decref(more);
    return j;
}

static bool add_row(const struct bucket *b, void *ctx)
{
    struct list *l = ctx;
    json_t *j = bucket_json(b);

    l->n++;
    l->open += is_open(b);
    if (!j || json_array_append_new(l->buckets, j) != 0) {
        complain("out of memory");
        return false;
    }
    return true;
}

static json_t *run_json(const struct triage *t)
{
    static const char *const again[AGAINS] = {"shown", "sometimes", "another",  "clean",   "still",
                                              "back",  "other",     "unstable", "skipped", "failed"};
    json_t *kinds = json_object(), *buckets = json_object();

    for (unsigned i = 0; i < IMPORT_KINDS; i++)
        json_object_set_new(kinds, import_kind_name((enum import_kind)i), json_integer((json_int_t)t->kinds[i]));
    for (unsigned i = 0; t->re_replayed && i < AGAINS; i++)
        json_object_set_new(buckets, again[i], json_integer((json_int_t)t->again[i]));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I}", "files", (json_int_t)t->import.n, "new",
                     (json_int_t)t->taken[TAKEN_NEW], "again", (json_int_t)t->taken[TAKEN_AGAIN], "known",
                     (json_int_t)t->taken[TAKEN_KNOWN], "nothing", (json_int_t)t->taken[TAKEN_NOTHING], "unreadable",
                     (json_int_t)t->unreadable, "undone", (json_int_t)(t->undone + t->died), "left_out",
                     (json_int_t)t->import.left_out, "shown_by_engine", kinds, "replayed_buckets", buckets, "minimised",
                     (json_int_t)t->minimised);
}

bool triage_print(struct triage *t, struct store *s, uint64_t *open)
{
    struct list l = {.t = t, .buckets = t->json ? json_array() : NULL};
    char build[STORE_BUILD];
    bool ok = !s || store_buckets_each(s, t->json ? add_row : print_row, &l);

    build_name(t->replay.core, build);
    *open = l.open;
    if (ok && t->json) {
        json_t *all = json_pack("{s:s, s:s, s:I, s:O}", "folder", t->dir, "build", build, "open", (json_int_t)l.open,
                                "buckets", l.buckets);

        ok = all != NULL;
        if (ok && !t->list)
            json_object_set_new(all, "run", run_json(t));
        if (!ok || json_dumpf(all, stdout, JSON_INDENT(2)) != 0)
            complain("%s: cannot be written as JSON", t->dir);
        putchar('\n');
        json_decref(all);
    } else if (ok) {
        printf("%s: %" PRIu64 " bucket%s, %" PRIu64 " open\n", t->dir, l.n, l.n == 1 ? "" : "s", l.open);
    }
    json_decref(l.buckets);
    return ok;
}
