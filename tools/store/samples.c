/* SPDX-License-Identifier: MIT */
/* Samples of how a campaign goes, and how old ones are thinned. */
#include "rows.h"
#include "runs.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE 60.0
#define HOUR   3600.0
#define DAY    86400.0

/* Clocks are read a little late: what is this much too early is in time. */
#define SLACK 0.05

double sample_spacing(double at, double age)
{
    double late = age < HOUR ? 10 : age < DAY ? MINUTE : age < 30 * DAY ? 10 * MINUTE : HOUR;
    double early = at < MINUTE ? 1 : at / MINUTE;

    return early < late ? early : late;
}

bool store_sample_due(double last_at, double now)
{
    return last_at < 0 || now - last_at >= sample_spacing(now, 0) - SLACK;
}

/* All targets are sampled at the same moments: a moment stays or goes as a whole. */
static bool thin(struct store *s, double newest)
{
    struct rows q = rows_of(s, "SELECT DISTINCT at FROM sample ORDER BY at", "read samples"), gone;
    double at, kept = -1, *drop = NULL;
    size_t n = 0, room = 0;
    bool ok = true;

    while (ok && rows_next(&q)) {
        at = rows_real(&q);
        if (kept < 0 || at >= newest || at - kept >= sample_spacing(at, newest - at) - SLACK) {
            kept = at;
            continue;
        }
        if (n == room) {
            double *more = realloc(drop, (room = room ? 2 * room : 64) * sizeof *drop);

            ok = more != NULL; /* no memory: they go another time */
            drop = more ? more : drop;
        }
        if (ok)
            drop[n++] = at;
    }
    ok = rows_end(&q);
    gone = rows_of(s, "DELETE FROM sample WHERE at = ?", "store samples");
    for (size_t i = 0; ok && i < n; i++) {
        rows_bind_real(&gone, drop[i]);
        rows_run(&gone);
    }
    free(drop);
    ok = rows_end(&gone) && ok;
    if (ok) {
        q = rows_of(s, "UPDATE thinned SET at = ?", "thin samples");
        rows_bind_real(&q, newest);
        ok = rows_run(&q);
    }
    return ok;
}

static double one_real(struct store *s, const char *sql, double none)
{
    struct rows q = rows_of(s, sql, "read samples");
    double value = rows_next(&q) ? rows_real(&q) : none;

    rows_end(&q);
    return value;
}

bool store_samples_add(struct store *s, const struct sample *samples, size_t count)
{
    double last = one_real(s, "SELECT max(at) FROM sample HAVING count(*) > 0", -1), at;
    struct rows q;
    bool ok;

    if (count == 0 || samples[0].at <= last)
        return true;
    at = samples[0].at;
    if (!store_begin(s))
        return false;
    q = rows_of(s,
                "INSERT OR REPLACE INTO sample (at, target, executions, events, real_faults, edges, features, cells,"
                " corpus_files, corpus_bytes, open, disk) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                "store samples");
    for (size_t i = 0; i < count; i++) {
        const struct sample *m = &samples[i];

        rows_bind_real(&q, at);
        rows_bind_int(&q, m->target);
        rows_bind_int(&q, (int64_t)m->executions);
        rows_bind_int(&q, (int64_t)m->events);
        rows_bind_int(&q, (int64_t)m->real_faults);
        rows_bind_int(&q, (int64_t)m->edges);
        rows_bind_int(&q, (int64_t)m->features);
        rows_bind_int(&q, (int64_t)m->cells);
        rows_bind_int(&q, (int64_t)m->corpus_files);
        rows_bind_int(&q, (int64_t)m->corpus_bytes);
        rows_bind_int(&q, (int64_t)m->open);
        rows_bind_int(&q, (int64_t)m->disk);
        rows_run(&q);
    }
    ok = rows_end(&q);
    if (ok && at - one_real(s, "SELECT at FROM thinned", 0) >= SAMPLE_THIN)
        ok = thin(s, at);
    return rows_commit(s, ok);
}

#define SAMPLE_COLUMNS                                                                                                 \
    "at, target, executions, events, real_faults, edges, features, cells, corpus_files, corpus_bytes, open, disk"

static void read_sample(struct rows *q, struct sample *m)
{
    m->at = rows_real(q);
    m->target = (enum fl_target)rows_int(q);
    m->executions = (uint64_t)rows_int(q);
    m->events = (uint64_t)rows_int(q);
    m->real_faults = (uint64_t)rows_int(q);
    m->edges = (uint64_t)rows_int(q);
    m->features = (uint64_t)rows_int(q);
    m->cells = (uint64_t)rows_int(q);
    m->corpus_files = (uint64_t)rows_int(q);
    m->corpus_bytes = (uint64_t)rows_int(q);
    m->open = (uint64_t)rows_int(q);
    m->disk = (uint64_t)rows_int(q);
}

bool store_sample_last(struct store *s, enum fl_target target, struct sample *out, bool *found)
{
    struct rows q =
        rows_of(s, "SELECT " SAMPLE_COLUMNS " FROM sample WHERE target = ? ORDER BY at DESC LIMIT 1", "read samples");

    memset(out, 0, sizeof *out);
    rows_bind_int(&q, target);
    if ((*found = rows_next(&q)))
        read_sample(&q, out);
    return rows_end(&q);
}

bool store_samples_each(struct store *s, enum fl_target target, bool (*each)(const struct sample *m, void *ctx),
                        void *ctx)
{
    struct rows q = rows_of(s, "SELECT " SAMPLE_COLUMNS " FROM sample WHERE target = ? ORDER BY at", "read samples");
    struct sample m;

    rows_bind_int(&q, target);
    while (rows_next(&q)) {
        read_sample(&q, &m);
        if (!each(&m, ctx))
            break;
    }
    return rows_end(&q);
}
