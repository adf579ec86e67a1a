/* SPDX-License-Identifier: MIT */
/* What shards' stores give to the store of the whole. */
#include "join.h"
#include "rows.h"

#include <string.h>

bool store_artifacts_each(struct store *s, bool (*each)(const struct artifact *a, void *ctx), void *ctx)
{
    struct rows q =
        rows_of(s, "SELECT digest, key, ifnull(file, ''), found_by, seen FROM artifacts ORDER BY key, digest",
                "read artifacts");
    struct artifact a;

    while (rows_next(&q)) {
        memset(&a, 0, sizeof a);
        a.digest = (uint64_t)rows_int(&q);
        rows_text(&q, a.key, sizeof a.key);
        rows_text(&q, a.file, sizeof a.file);
        rows_text(&q, a.found_by, sizeof a.found_by);
        a.seen = rows_int(&q);
        if (a.file[0] && !store_is_inside(a.file))
            a.file[0] = 0;
        if (!each(&a, ctx))
            break;
    }
    return rows_end(&q);
}

bool store_artifact_join(struct store *s, const struct artifact *a, bool *is_new)
{
    struct rows q;
    bool ok, added = false;

    if (!store_begin(s))
        return false;
    q = rows_of(
        s, "INSERT OR IGNORE INTO artifacts (digest, key, file, found_by, seen) VALUES (?, ?, nullif(?, ''), ?, ?)",
        "store an artifact");
    rows_bind_int(&q, (int64_t)a->digest);
    rows_bind_text(&q, a->key);
    rows_bind_text(&q, a->file);
    rows_bind_text(&q, a->found_by);
    rows_bind_int(&q, a->seen);
    ok = rows_run(&q);
    added = ok && sqlite3_changes(s->db) == 1;
    if (added) {
        q = rows_of(s, "UPDATE buckets SET count = count + 1 WHERE key = ?", "count an artifact");
        rows_bind_text(&q, a->key);
        ok = rows_run(&q);
        if (ok && sqlite3_changes(s->db) != 1) {
            complain("%s: an artifact of %s, of which there is no bucket", s->path, a->key);
            ok = false;
        }
    }
    *is_new = added;
    return rows_commit(s, ok);
}

bool store_cell_join(struct store *s, unsigned cell, enum fl_target target, double at)
{
    struct rows q = rows_of(s,
                            "INSERT INTO cell (cell, target, at) VALUES (?, ?, ?) ON CONFLICT (cell) DO UPDATE"
                            " SET at = excluded.at, target = excluded.target WHERE excluded.at < at",
                            "store cells");

    rows_bind_int(&q, cell);
    rows_bind_int(&q, target);
    rows_bind_real(&q, at);
    return rows_run(&q);
}

bool store_samples_reset(struct store *s)
{
    struct rows q = rows_of(s, "DELETE FROM sample", "store samples");
    bool ok = rows_run(&q);

    q = rows_of(s, "UPDATE thinned SET at = 0", "store samples");
    return rows_run(&q) && ok;
}

bool store_jobs_reset(struct store *s)
{
    struct rows q = rows_of(s, "DELETE FROM job", "store jobs");

    return rows_run(&q);
}
