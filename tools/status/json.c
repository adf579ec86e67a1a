/* SPDX-License-Identifier: MIT */
/* `campaign status --json`. */
#include "status.h"

#include <jansson.h>
#include <stdio.h>

static json_t *integer(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static const char *presence_name(enum presence p)
{
    static const char *const names[] = {"none", "here", "silent", "gone", "stopped"};

    return names[p];
}

static json_t *sample(const struct sample *m)
{
    return json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "at", m->at, "executions",
                     integer(m->executions), "events", integer(m->events), "real_faults", integer(m->real_faults),
                     "edges", integer(m->edges), "features", integer(m->features), "cells", integer(m->cells),
                     "corpus_files", integer(m->corpus_files), "corpus_bytes", integer(m->corpus_bytes),
                     "open_findings", integer(m->open), "disk", integer(m->disk));
}

static json_t *supervisor(const struct status *s)
{
    const struct run *r = &s->run;
    json_t *o = json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:I}", "presence", presence_name(s->presence), "run",
                          (json_int_t)r->id, "state", run_state_name(r->state), "why", r->why, "host", r->host, "pid",
                          (json_int_t)r->pid, "slots", (json_int_t)r->slots, "working", (json_int_t)r->working);

    json_object_set_new(o, "started", json_integer(r->started));
    json_object_set_new(o, "last_sign_of_life", json_integer(r->beat));
    json_object_set_new(o, "ended", r->ended ? json_integer(r->ended) : json_null());
    json_object_set_new(o, "ran_seconds", json_real(status_ran(s)));
    json_object_set_new(o, "left_seconds",
                        r->limit > 0 ? json_real(r->limit > r->ran ? r->limit - r->ran : 0) : json_null());
    json_object_set_new(o, "disk", integer(r->disk));
    json_object_set_new(o, "disk_free", integer(r->disk_free));
    json_object_set_new(o, "artifacts", integer(r->artifacts));
    json_object_set_new(o, "build", json_string(r->build));
    return o;
}

static json_t *job(const struct job *j)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "name", j->name, "target",
                          fl_target_name(j->target), "engine", j->engine, "role", job_role_name(j->role), "state",
                          job_state_name(j->state), "health", j->health, "pid", (json_int_t)j->pid, "starts",
                          (json_int_t)j->starts, "deaths", (json_int_t)j->deaths);

    json_object_set_new(o, "ran_seconds", json_real(j->ran));
    json_object_set_new(o, "executions", integer(j->executions));
    json_object_set_new(o, "events", integer(j->events));
    json_object_set_new(o, "real_faults", integer(j->real_faults));
    json_object_set_new(o, "executions_per_second", json_real(j->rate));
    json_object_set_new(o, "events_per_second", json_real(j->event_rate));
    json_object_set_new(o, "edges", integer(j->edges));
    json_object_set_new(o, "corpus", integer(j->corpus));
    json_object_set_new(o, "cells", integer(j->cells));
    json_object_set_new(o, "last_new", json_real(j->last_new));
    json_object_set_new(o, "share", json_real(j->share));
    return o;
}

static json_t *finding(const struct bucket *b)
{
    json_t *o = json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:s}", "key", b->key, "title", b->title, "left_aside",
                          b->aside, "status", bucket_status_name(b->status), "reason", b->reason, "severity",
                          severity_name(b->severity), "target", fl_target_name(b->target));

    json_object_set_new(o, "count", integer(b->count));
    json_object_set_new(o, "tries", integer(b->tries));
    json_object_set_new(o, "reproduced", integer(b->reproduced));
    json_object_set_new(o, "first_seen", json_integer(b->first_seen));
    json_object_set_new(o, "last_seen", json_integer(b->last_seen));
    json_object_set_new(o, "first_build", json_string(b->first_build));
    json_object_set_new(o, "last_build", json_string(b->last_build));
    json_object_set_new(o, "found_by", json_string(b->found_by));
    json_object_set_new(o, "after_seconds", json_real(b->after));
    json_object_set_new(o, "minimised", json_boolean(b->minimised));
    json_object_set_new(o, "file", json_string(b->file));
    json_object_set_new(o, "stage", json_string(stage_name(b->stage)));
    return o;
}

static json_t *shard(const struct shard *p)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:I, s:I}", "number", (json_int_t)p->number, "state", p->state, "host",
                     p->host, "folder", p->folder, "starts", (json_int_t)p->starts, "seen", (json_int_t)p->seen);
}

void status_json(const struct status *s)
{
    struct sample all = status_now(s, FL_TARGET_ALL);
    json_t *targets = json_object(), *jobs = json_array(), *findings = json_array(), *shards = json_array(),
           *kinds = json_object(), *o;

    for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
        struct sample m = status_now(s, (enum fl_target)t);

        if (s->history[t].n)
            json_object_set_new(targets, fl_target_name((enum fl_target)t), sample(&m));
    }
    for (size_t i = 0; i < s->njobs; i++)
        json_array_append_new(jobs, job(&s->jobs[i]));
    for (size_t i = 0; i < s->nbuckets; i++)
        json_array_append_new(findings, finding(&s->buckets[i]));
    for (size_t i = 0; i < s->nshards; i++)
        json_array_append_new(shards, shard(&s->shards[i]));
    for (unsigned k = 0; k < CELL_KINDS; k++)
        json_object_set_new(kinds, cell_kinds[k], integer(s->kind_hit[k]));
    o = json_pack("{s:s, s:I, s:o, s:o, s:f, s:f}", "folder", s->folder, "now", (json_int_t)s->now, "supervisor",
                  supervisor(s), "totals", sample(&all), "executions_per_second", status_rate(s, FL_TARGET_ALL, false),
                  "events_per_second", status_rate(s, FL_TARGET_ALL, true));
    json_object_set_new(o, "decision_cells", integer(s->cells));
    json_object_set_new(o, "decision_cells_by_kind", kinds);
    json_object_set_new(o, "open_findings", integer(status_open(s)));
    json_object_set_new(o, "targets", targets);
    json_object_set_new(o, "jobs", jobs);
    json_object_set_new(o, "findings", findings);
    json_object_set_new(o, "shards", shards);
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
}
