/* SPDX-License-Identifier: MIT */
/* Jobs and shards of a campaign. */
#include "rows.h"
#include "runs.h"

#include <string.h>

const char *job_role_name(enum job_role role)
{
    static const char *const names[JOB_ROLES] = {"main", "secondary", "worker", "merge"};

    return (unsigned)role < JOB_ROLES ? names[role] : "?";
}

const char *job_state_name(enum job_state state)
{
    static const char *const names[JOB_STATES] = {"idle", "working", "failed", "done"};

    return (unsigned)state < JOB_STATES ? names[state] : "?";
}

#define JOB_COLUMNS                                                                                                    \
    "name, target, engine, role, state, health, pid, born, starts, deaths, since, ran, executions, events, "           \
    "real_faults, rate, event_rate, edges, corpus, cells, last_new, share"

bool store_job_put(struct store *s, const struct job *j)
{
    struct rows q = rows_of(s,
                            "INSERT OR REPLACE INTO job (" JOB_COLUMNS ")"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            "store a job");

    rows_bind_text(&q, j->name);
    rows_bind_int(&q, j->target);
    rows_bind_text(&q, j->engine);
    rows_bind_int(&q, j->role);
    rows_bind_int(&q, j->state);
    rows_bind_text(&q, j->health);
    rows_bind_int(&q, j->pid);
    rows_bind_int(&q, (int64_t)j->born);
    rows_bind_int(&q, j->starts);
    rows_bind_int(&q, j->deaths);
    rows_bind_int(&q, j->since);
    rows_bind_real(&q, j->ran);
    rows_bind_int(&q, (int64_t)j->executions);
    rows_bind_int(&q, (int64_t)j->events);
    rows_bind_int(&q, (int64_t)j->real_faults);
    rows_bind_real(&q, j->rate);
    rows_bind_real(&q, j->event_rate);
    rows_bind_int(&q, (int64_t)j->edges);
    rows_bind_int(&q, (int64_t)j->corpus);
    rows_bind_int(&q, (int64_t)j->cells);
    rows_bind_real(&q, j->last_new);
    rows_bind_real(&q, j->share);
    return rows_run(&q);
}

static void read_job(struct rows *q, struct job *j)
{
    memset(j, 0, sizeof *j);
    rows_text(q, j->name, sizeof j->name);
    j->target = (enum fl_target)rows_int(q);
    if ((unsigned)j->target >= FL_TARGET_COUNT)
        j->target = FL_TARGET_ALL;
    rows_text(q, j->engine, sizeof j->engine);
    j->role = (enum job_role)rows_int(q);
    j->state = (enum job_state)rows_int(q);
    rows_text(q, j->health, sizeof j->health);
    j->pid = rows_int(q);
    j->born = (uint64_t)rows_int(q);
    j->starts = (uint32_t)rows_int(q);
    j->deaths = (uint32_t)rows_int(q);
    j->since = rows_int(q);
    j->ran = rows_real(q);
    j->executions = (uint64_t)rows_int(q);
    j->events = (uint64_t)rows_int(q);
    j->real_faults = (uint64_t)rows_int(q);
    j->rate = rows_real(q);
    j->event_rate = rows_real(q);
    j->edges = (uint64_t)rows_int(q);
    j->corpus = (uint64_t)rows_int(q);
    j->cells = (uint64_t)rows_int(q);
    j->last_new = rows_real(q);
    j->share = rows_real(q);
}

bool store_job_get(struct store *s, const char *name, struct job *out, bool *found)
{
    struct rows q = rows_of(s, "SELECT " JOB_COLUMNS " FROM job WHERE name = ?", "read jobs");

    rows_bind_text(&q, name);
    if ((*found = rows_next(&q)))
        read_job(&q, out);
    return rows_end(&q);
}

bool store_jobs_each(struct store *s, bool (*each)(const struct job *j, void *ctx), void *ctx)
{
    struct rows q = rows_of(s, "SELECT " JOB_COLUMNS " FROM job ORDER BY target, name", "read jobs");
    struct job j;

    while (rows_next(&q)) {
        read_job(&q, &j);
        if (!each(&j, ctx))
            break;
    }
    return rows_end(&q);
}

bool store_job_delete(struct store *s, const char *name)
{
    struct rows q = rows_of(s, "DELETE FROM job WHERE name = ?", "store a job");

    rows_bind_text(&q, name);
    return rows_run(&q);
}

/* ---- shards ---------------------------------------------------------------------------------------------------------- */

bool store_shard_put(struct store *s, const struct shard *shard)
{
    struct rows q = rows_of(s,
                            "INSERT OR REPLACE INTO shard (number, folder, host, state, starts, seen)"
                            " VALUES (?, ?, ?, ?, ?, ?)",
                            "store a shard");

    rows_bind_int(&q, shard->number);
    rows_bind_text(&q, shard->folder);
    rows_bind_text(&q, shard->host);
    rows_bind_text(&q, shard->state);
    rows_bind_int(&q, shard->starts);
    rows_bind_int(&q, shard->seen);
    return rows_run(&q);
}

bool store_shards_each(struct store *s, bool (*each)(const struct shard *shard, void *ctx), void *ctx)
{
    struct rows q =
        rows_of(s, "SELECT number, folder, host, state, starts, seen FROM shard ORDER BY number", "read shards");
    struct shard shard;

    while (rows_next(&q)) {
        memset(&shard, 0, sizeof shard);
        shard.number = (uint32_t)rows_int(&q);
        rows_text(&q, shard.folder, sizeof shard.folder);
        rows_text(&q, shard.host, sizeof shard.host);
        rows_text(&q, shard.state, sizeof shard.state);
        shard.starts = (uint32_t)rows_int(&q);
        shard.seen = rows_int(&q);
        if (!each(&shard, ctx))
            break;
    }
    return rows_end(&q);
}
