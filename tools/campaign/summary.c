/* SPDX-License-Identifier: MIT */
/* The closing words: what was found, where it is, and what to do with it. */
#include "campaign.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct telling {
    const char *folder;
    unsigned open, others, aside;
    json_t *list;
};

static bool is_open(const struct bucket *b)
{
    return !b->aside && (b->status == BUCKET_OPEN || b->status == BUCKET_REGRESSION);
}

static bool tell(const struct bucket *b, void *ctx)
{
    struct telling *t = ctx;

    if (!is_open(b)) {
        t->aside += b->aside;
        t->others += !b->aside;
        return true;
    }
    t->open++;
    printf("\n%-8s %s%s\n  %s\n  seen %" PRIu64 " times, first by %s after %.0f s; %u of %u replays show it%s\n"
           "  %s/%s\n  ./faultline explain \"%s\" --dir %s\n  ./faultline promote \"%s\" --dir %s\n",
           severity_name(b->severity), b->key, b->status == BUCKET_REGRESSION ? "  (REGRESSION: it was fixed)" : "",
           b->title, b->count, b->found_by, b->after, b->reproduced, b->tries, b->minimised ? ", minimised" : "",
           t->folder, b->file, b->key, t->folder, b->key, t->folder);
    return true;
}

static bool tell_json(const struct bucket *b, void *ctx)
{
    struct telling *t = ctx;

    t->open += is_open(b);
    json_array_append_new(t->list,
                          json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:i, s:i, s:b, s:s, s:f, s:s}", "key", b->key,
                                    "title", b->title, "status", bucket_status_name(b->status), "severity",
                                    severity_name(b->severity), "left_aside", b->aside, "count", (json_int_t)b->count,
                                    "tries", (int)b->tries, "reproduced", (int)b->reproduced, "minimised", b->minimised,
                                    "found_by", b->found_by, "after_seconds", b->after, "file", b->file));
    return true;
}

int campaign_summary(struct store *s, bool json)
{
    struct telling t = {.folder = store_folder(s)};
    struct sample m = {0};
    struct run r = {0};
    bool found;

    if (!store_run_last(s, &r, &found) || !store_sample_last(s, FL_TARGET_ALL, &m, &found))
        return EXIT_INPUT;
    if (json) {
        json_t *all;

        t.list = json_array();
        if (!store_buckets_each(s, tell_json, &t)) {
            json_decref(t.list);
            return EXIT_INPUT;
        }
        all = json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "folder", t.folder, "seconds",
                        r.before + r.ran, "executions", (json_int_t)m.executions, "events", (json_int_t)m.events,
                        "edges", (json_int_t)m.edges, "cells", (json_int_t)m.cells, "corpus",
                        (json_int_t)m.corpus_files, "open", (int)t.open, "buckets", t.list);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
        return t.open ? EXIT_FINDINGS : EXIT_CLEAN;
    }
    printf("\n%s: %" PRIu64 " executions, %" PRIu64 " events judged in %.0f s; edges %" PRIu64 ", cells %" PRIu64
           ", corpus %" PRIu64 "\n",
           t.folder, m.executions, m.events, r.before + r.ran, m.edges, m.cells, m.corpus_files);
    if (!store_buckets_each(s, tell, &t))
        return EXIT_INPUT;
    printf("\n%u open findings", t.open);
    if (t.others)
        printf(", %u that are fixed, invalid or duplicates", t.others);
    if (t.aside)
        printf(", %u left aside", t.aside);
    printf("\n  all of it: ./faultline campaign status %s\n  go on:     ./faultline campaign resume %s\n", t.folder,
           t.folder);
    return t.open ? EXIT_FINDINGS : EXIT_CLEAN;
}
