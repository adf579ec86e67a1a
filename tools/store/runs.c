/* SPDX-License-Identifier: MIT */
/* Options and runs of a campaign, and whether its supervisor is there. */
#include "runs.h"

#include "../command.h"
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- options --------------------------------------------------------------------------------------------------------- */

bool store_option_set(struct store *s, const char *name, const char *value)
{
    struct rows q = rows_of(s, "INSERT OR REPLACE INTO option VALUES (?, ?)", "store options");

    rows_bind_text(&q, name);
    rows_bind_text(&q, value);
    return rows_run(&q);
}

bool store_option_get(struct store *s, const char *name, char *out, size_t size)
{
    struct rows q = rows_of(s, "SELECT value FROM option WHERE name = ?", "read options");
    bool found;

    out[0] = 0;
    rows_bind_text(&q, name);
    if ((found = rows_next(&q)))
        rows_text(&q, out, size);
    return rows_end(&q) && found;
}

const char *store_core(struct store *s, const char *option, char own[STORE_CORE], bool *its_own)
{
    const char *core = core_of(option);

    *its_own = !core && !option && store_option_get(s, "core", own, STORE_CORE) && own[0];
    return *its_own ? own : core;
}

bool store_options_each(struct store *s, bool (*each)(const char *name, const char *value, void *ctx), void *ctx)
{
    struct rows q = rows_of(s, "SELECT name, value FROM option ORDER BY name", "read options");
    char name[64], value[4096];

    while (rows_next(&q)) {
        rows_text(&q, name, sizeof name);
        rows_text(&q, value, sizeof value);
        if (!each(name, value, ctx))
            break;
    }
    return rows_end(&q);
}

/* ---- runs ------------------------------------------------------------------------------------------------------------ */

const char *run_state_name(enum run_state state)
{
    static const char *const names[RUN_STATES] = {"starting", "running", "paused", "stopping", "stopped"};

    return (unsigned)state < RUN_STATES ? names[state] : "?";
}

#define RUN_COLUMNS                                                                                                       \
    "state, why, started, beat, ended, before, ran, time_limit, pid, born, host, boot, slots, working, disk, disk_free, " \
    "artifacts, build"

static void read_run(struct rows *q, struct run *r)
{
    memset(r, 0, sizeof *r);
    r->id = rows_int(q);
    r->state = (enum run_state)rows_int(q);
    if ((unsigned)r->state >= RUN_STATES)
        r->state = RUN_STOPPED;
    rows_text(q, r->why, sizeof r->why);
    r->started = rows_int(q);
    r->beat = rows_int(q);
    r->ended = rows_int(q);
    r->before = rows_real(q);
    r->ran = rows_real(q);
    r->limit = rows_real(q);
    r->pid = rows_int(q);
    r->born = (uint64_t)rows_int(q);
    rows_text(q, r->host, sizeof r->host);
    rows_text(q, r->boot, sizeof r->boot);
    r->slots = (unsigned)rows_int(q);
    r->working = (unsigned)rows_int(q);
    r->disk = (uint64_t)rows_int(q);
    r->disk_free = (uint64_t)rows_int(q);
    r->artifacts = (uint64_t)rows_int(q);
    rows_text(q, r->build, sizeof r->build);
}

static bool write_run(struct store *s, const struct run *r)
{
    struct rows q = rows_of(s,
                            "INSERT OR REPLACE INTO run (id, " RUN_COLUMNS ")"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            "store a run");

    rows_bind_int(&q, r->id);
    rows_bind_int(&q, r->state);
    rows_bind_text(&q, r->why);
    rows_bind_int(&q, r->started);
    rows_bind_int(&q, r->beat);
    rows_bind_int(&q, r->ended);
    rows_bind_real(&q, r->before);
    rows_bind_real(&q, r->ran);
    rows_bind_real(&q, r->limit);
    rows_bind_int(&q, r->pid);
    rows_bind_int(&q, (int64_t)r->born);
    rows_bind_text(&q, r->host);
    rows_bind_text(&q, r->boot);
    rows_bind_int(&q, r->slots);
    rows_bind_int(&q, r->working);
    rows_bind_int(&q, (int64_t)r->disk);
    rows_bind_int(&q, (int64_t)r->disk_free);
    rows_bind_int(&q, (int64_t)r->artifacts);
    rows_bind_text(&q, r->build);
    return rows_run(&q);
}

bool store_run_last(struct store *s, struct run *out, bool *found)
{
    struct rows q = rows_of(s, "SELECT id, " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT 1", "read runs");

    memset(out, 0, sizeof *out);
    if ((*found = rows_next(&q)))
        read_run(&q, out);
    return rows_end(&q);
}

bool store_runs_each(struct store *s, bool (*each)(const struct run *r, void *ctx), void *ctx)
{
    struct rows q = rows_of(s, "SELECT id, " RUN_COLUMNS " FROM run ORDER BY id", "read runs");
    struct run r;

    while (rows_next(&q)) {
        read_run(&q, &r);
        if (!each(&r, ctx))
            break;
    }
    return rows_end(&q);
}

/* What earlier runs have counted becomes one. */
static const char fold_decisions[] =
    "INSERT OR REPLACE INTO decision SELECT 0, mode, action, error, sum(count) FROM decision GROUP BY mode, action, error;"
    "DELETE FROM decision WHERE run <> 0";

bool store_run_begin(struct store *s, struct run *r)
{
    struct run before;
    struct rows q;
    bool ok, found;

    if (!store_begin(s))
        return false;
    q = rows_of(s, "UPDATE run SET state = ?, why = 'was killed', ended = beat WHERE state <> ?", "store a run");
    rows_bind_int(&q, RUN_STOPPED);
    rows_bind_int(&q, RUN_STOPPED);
    ok = rows_run(&q) && store_script(s, fold_decisions, "store decisions") && store_run_last(s, &before, &found);
    if (ok) {
        r->id = found ? before.id + 1 : 1;
        r->before = found ? before.before + before.ran : 0;
        r->started = r->beat = time(NULL);
        r->ended = 0;
        r->pid = getpid();
        r->born = process_born(r->pid);
        if (gethostname(r->host, sizeof r->host) != 0)
            r->host[0] = 0;
        r->host[sizeof r->host - 1] = 0;
        process_boot(r->boot);
        if (!r->build[0])
            build_name(NULL, r->build);
        ok = write_run(s, r);
    }
    return rows_commit(s, ok);
}

bool store_run_put(struct store *s, struct run *r)
{
    r->beat = time(NULL);
    if (r->state == RUN_STOPPED && r->ended == 0)
        r->ended = r->beat;
    return write_run(s, r);
}

/* ---- is it there? ---------------------------------------------------------------------------------------------------- */

uint64_t process_born(int64_t pid)
{
    char path[64], line[1024], *p;
    FILE *in;
    size_t n;
    unsigned field = 2;

    if (pid <= 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    in = fopen(path, "r");
    n = in ? fread(line, 1, sizeof line - 1, in) : 0;
    if (in)
        fclose(in);
    line[n] = 0;
    /* The second field is the program's name in brackets, with anything in it. */
    p = strrchr(line, ')');
    if (!p || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X')
        return 0;
    for (p++; p && field < 22; field++) {
        p = strchr(p, ' ');
        if (p)
            p++;
        if (field == 21)
            break;
    }
    return p ? strtoull(p, NULL, 10) : 0;
}

void process_boot(char out[40])
{
    FILE *in = fopen("/proc/sys/kernel/random/boot_id", "r");

    out[0] = 0;
    if (!in)
        return;
    if (!fgets(out, 40, in))
        out[0] = 0;
    out[strcspn(out, "\n")] = 0;
    fclose(in);
}

enum presence run_presence(const struct run *r, int64_t now)
{
    char host[64] = "", boot[40];

    if (r->id == 0)
        return PRESENCE_NONE;
    if (r->state == RUN_STOPPED)
        return PRESENCE_STOPPED;
    gethostname(host, sizeof host - 1);
    process_boot(boot);
    if (strcmp(host, r->host) == 0 && (strcmp(boot, r->boot) != 0 || process_born(r->pid) != r->born))
        return PRESENCE_GONE;
    return now - r->beat >= RUN_SILENT ? PRESENCE_SILENT : PRESENCE_HERE;
}
