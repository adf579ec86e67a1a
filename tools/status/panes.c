/* SPDX-License-Identifier: MIT */
/* What `campaign status` says, pane by pane. */
#include "status.h"

#include "../command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WIDE 96 /* columns from which on a row says more */

/* ---- on top ---------------------------------------------------------------------------------------------------------- */

static void who(const struct status *s, struct lines *l)
{
    const struct run *r = &s->run;
    char when[32], beat[32];

    text_when(r->ended ? r->ended : r->beat, when);
    text_when(r->beat, beat);
    switch (s->presence) {
    case PRESENCE_NONE: lines_wrap(l, WARN, "has not been started: faultline campaign start %s", s->folder); break;
    case PRESENCE_GONE:
        lines_wrap(l, BAD,
                   "not answering since %s: its process %" PRId64
                   " is gone (killed, or the machine went down). Nothing "
                   "that it had told is lost. Go on with: faultline campaign resume %s",
                   beat, r->pid, s->folder);
        break;
    case PRESENCE_SILENT:
        lines_wrap(l, BAD, "not answering since %s, but its process %" PRId64 " on %s is there, as far as can be told",
                   beat, r->pid, r->host);
        break;
    case PRESENCE_STOPPED:
        lines_wrap(l, DIM, "stopped %s%s%s. Go on with: faultline campaign resume %s", when, r->why[0] ? ": " : "",
                   r->why, s->folder);
        break;
    default:
        if (r->state == RUN_PAUSED)
            lines_wrap(l, WARN, "paused: %s. It goes on by itself", r->why);
        else
            lines_add(l, GOOD, "%s: %u of %u slots at work, process %" PRId64 " on %s", run_state_name(r->state),
                      r->working, r->slots, r->pid, r->host);
        if (r->state == RUN_RUNNING && r->why[0])
            lines_wrap(l, WARN, "%s", r->why);
    }
}

static void time_left(const struct status *s, struct lines *l)
{
    const struct run *r = &s->run;
    char ran[32], of[32], left[32];

    if (s->presence == PRESENCE_NONE)
        return;
    text_span(status_ran(s), ran);
    if (s->presence == PRESENCE_STOPPED || s->presence == PRESENCE_GONE)
        lines_add(l, PLAIN, "ran %s in %" PRId64 " run%s, build %s", ran, r->id, r->id == 1 ? "" : "s", r->build);
    else if (r->limit > 0)
        lines_add(l, PLAIN, "ran %s of %s, %s left (run %" PRId64 "), build %s", ran,
                  text_span(r->before + r->limit, of), text_span(r->limit > r->ran ? r->limit - r->ran : 0, left),
                  r->id, r->build);
    else
        lines_add(l, PLAIN, "ran %s, until it is stopped (run %" PRId64 "), build %s", ran, r->id, r->build);
}

static void findings_line(const struct status *s, struct lines *l)
{
    char text[300] = "";
    size_t n = 0;
    enum style style = GOOD;

    for (unsigned k = SEVERITIES; k-- > 0;)
        if (s->open[k]) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%" PRIu64 " %s", n ? ", " : "", s->open[k],
                                  severity_name((enum severity)k));
            style = BAD;
        }
    if (n == 0)
        n = (size_t)snprintf(text, sizeof text, "none open");
    if (s->by_status[BUCKET_REGRESSION])
        n += (size_t)snprintf(text + n, sizeof text - n, " (%" PRIu64 " of them back again)",
                              s->by_status[BUCKET_REGRESSION]);
    for (unsigned k = BUCKET_FIXED; k <= BUCKET_DUPLICATE; k++)
        if (s->by_status[k])
            n += (size_t)snprintf(text + n, sizeof text - n, "; %" PRIu64 " %s", s->by_status[k],
                                  bucket_status_name((enum bucket_status)k));
    if (s->aside)
        n += (size_t)snprintf(text + n, sizeof text - n, "; %" PRIu64 " left aside", s->aside);
    lines_wrap(l, style, "findings     %s; %" PRIu64 " artifacts taken up", text, s->run.artifacts);
}

void status_head(const struct status *s, struct lines *l)
{
    struct sample now = status_now(s, FL_TARGET_ALL);
    char a[24], b[24], c[24], spark[800];
    double ran = status_ran(s);

    lines_add(l, HEAD, "faultline campaign %s", s->folder);
    who(s, l);
    time_left(s, l);
    if (s->presence == PRESENCE_NONE)
        return;
    if (s->presence == PRESENCE_HERE)
        lines_add(l, PLAIN, "executions   %-8s %s/s now, %s/s on average", brief_number((double)now.executions, a),
                  brief_number(status_rate(s, FL_TARGET_ALL, false), b),
                  brief_number(ran > 0 ? (double)now.executions / ran : 0, c));
    else
        lines_add(l, PLAIN, "executions   %-8s %s/s on average", brief_number((double)now.executions, a),
                  brief_number(ran > 0 ? (double)now.executions / ran : 0, c));
    lines_add(l, PLAIN, "events       %-8s %s/s, %s real page faults", brief_number((double)now.events, a),
              brief_number(s->presence == PRESENCE_HERE ? status_rate(s, FL_TARGET_ALL, true)
                           : ran > 0                    ? (double)now.events / ran
                                                        : 0,
                           b),
              brief_number((double)now.real_faults, c));
    lines_add(l, PLAIN, "coverage     %" PRIu64 " edges, %" PRIu64 " features, %" PRIu64 " decision cells", now.edges,
              now.features, s->cells);
    lines_add(l, PLAIN, "corpus       %" PRIu64 " inputs, %s; folder %s, %s free", now.corpus_files,
              text_bytes(now.corpus_bytes, a), text_bytes(s->run.disk, b), text_bytes(s->run.disk_free, c));
    findings_line(s, l);
    text_spark(&s->history[FL_TARGET_ALL], FIELD_CELLS, l->width > 90 ? 70 : l->width - 20, l->utf8, spark,
               sizeof spark);
    if (spark[0])
        lines_add(l, PLAIN, "cells, log t %s", spark);
}

/* ---- panes ----------------------------------------------------------------------------------------------------------- */

const char *pane_name(enum pane pane)
{
    static const char *const names[PANES] = {"targets", "jobs", "findings", "cells", "shards"};

    return (unsigned)pane < PANES ? names[pane] : "?";
}

static void targets(const struct status *s, struct lines *l)
{
    unsigned spark_columns = l->width >= 110 ? l->width - 78 : 0;
    char a[24], b[24], c[24], d[24], spark[800];

    if (spark_columns > 100)
        spark_columns = 100;
    lines_add(l, HEAD, "%-9s %8s %8s %8s %8s %6s %7s %6s %7s  %s", "target", "execs", "now/s", "events", "now/s",
              "edges", "feats", "cells", "corpus", spark_columns ? "edges over time (log)" : "");
    for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
        const struct history *h = &s->history[t];
        struct sample m = status_now(s, (enum fl_target)t);

        if (h->n == 0)
            continue;
        text_spark(h, FIELD_EDGES, spark_columns, l->utf8, spark, sizeof spark);
        lines_add(l, PLAIN, "%-9s %8s %8s %8s %8s %6" PRIu64 " %7" PRIu64 " %6" PRIu64 " %7" PRIu64 "%s%s",
                  fl_target_name((enum fl_target)t), brief_number((double)m.executions, a),
                  brief_number(status_rate(s, (enum fl_target)t, false), b), brief_number((double)m.events, c),
                  brief_number(status_rate(s, (enum fl_target)t, true), d), m.edges, m.features, m.cells,
                  m.corpus_files, spark_columns ? "  " : "", spark);
        if (!spark_columns && text_spark(h, FIELD_EDGES, l->width - 18, l->utf8, spark, sizeof spark)[0])
            lines_add(l, DIM, "  edges   %s", spark);
    }
    if (l->n < 2)
        lines_add(l, DIM, "nothing was sampled yet");
}

static void one_job(const struct status *s, const struct job *j, struct lines *l)
{
    bool works = j->state == JOB_WORKING && s->presence == PRESENCE_HERE;
    double quiet = status_ran(s) - j->last_new;
    char a[24], b[24], c[24], span[32], more[60] = "";

    if (l->width >= WIDE)
        snprintf(more, sizeof more, " %11s %3u%%", j->last_new > 0 ? text_span(quiet > 0 ? quiet : 0, span) : "-",
                 (unsigned)(100 * j->share + .5));
    lines_add(l,
              j->state == JOB_FAILED ? BAD
              : j->health[0]         ? WARN
              : works                ? PLAIN
                                     : DIM,
              "%-20s %-7s %8s %8s %8s %6" PRIu64 " %6" PRIu64 " %5" PRIu64 "%s", j->name,
              j->state == JOB_WORKING && !works ? "ended" : job_state_name(j->state),
              brief_number((double)j->executions, a), brief_number(works ? j->rate : 0, b),
              brief_number(works ? j->event_rate : 0, c), j->edges, j->corpus, j->cells, more);
    if (j->health[0] || j->deaths)
        lines_wrap(l, j->state == JOB_FAILED ? BAD : WARN, "    %s%sstarted %u times, died %u times", j->health,
                   j->health[0] ? "; " : "", j->starts, j->deaths);
}

static void jobs(const struct status *s, struct lines *l)
{
    lines_add(l, HEAD, "%-20s %-7s %8s %8s %8s %6s %6s %5s%s", "job", "state", "execs", "now/s", "events/s", "edges",
              "corpus", "cells", l->width >= WIDE ? " nothing new time" : "");
    for (size_t i = 0; i < s->njobs; i++)
        one_job(s, &s->jobs[i], l);
    if (s->njobs == 0)
        lines_add(l, DIM, "no job yet");
}

static void findings(const struct status *s, struct lines *l)
{
    char when[32];

    lines_add(l, HEAD, "%-8s %-10s %7s %5s  %s", "severity", "status", "count", "again", "finding");
    for (size_t i = 0; i < s->nbuckets; i++) {
        const struct bucket *b = &s->buckets[i];
        bool open = !b->aside && (b->status == BUCKET_OPEN || b->status == BUCKET_REGRESSION);
        char again[32] = "-";

        if (b->tries)
            snprintf(again, sizeof again, "%u/%u", b->reproduced, b->tries);
        lines_wrap(l,
                   !open                            ? DIM
                   : b->severity >= SEVERITY_HIGH   ? BAD
                   : b->severity >= SEVERITY_MEDIUM ? WARN
                                                    : PLAIN,
                   "%-8s %-10s %7" PRIu64 " %5s  %s", severity_name(b->severity),
                   b->aside ? "aside" : bucket_status_name(b->status), b->count, again,
                   b->title[0] ? b->title : b->key);
        lines_wrap(l, PLAIN, "    %s", b->key);
        lines_wrap(l, DIM, "    first by %s after %.0f s (%s); %u record%s%s%s%s", b->found_by, b->after,
                   text_when(b->first_seen, when), b->nrecords, b->nrecords == 1 ? "" : "s",
                   b->minimised ? ", minimised" : "", b->reason[0] ? "; " : "", b->reason);
    }
    if (s->nbuckets == 0)
        lines_add(l, GOOD, "nothing was found");
    else
        lines_add(l, DIM, "more of one: faultline explain --dir %s KEY", s->folder);
}

static void cells(const struct status *s, struct lines *l)
{
    char name[128], span[32], spark[800];

    lines_add(l, HEAD, "%-12s %7s %7s  %s", "target", "cells", "first", "over time (logarithmic)");
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        if (s->history[t].n || s->cells_of[t])
            lines_add(l, PLAIN, "%-12s %7" PRIu64 " %7" PRIu64 "  %s", fl_target_name((enum fl_target)t),
                      status_now(s, (enum fl_target)t).cells, s->cells_of[t],
                      text_spark(&s->history[t], FIELD_CELLS, l->width > 130 ? 100 : l->width - 30, l->utf8, spark,
                                 sizeof spark));
    lines_add(l, PLAIN, "%-12s %7" PRIu64 "          (some are met by several)", "together", s->cells);
    lines_add(l, PLAIN, "%s", "");
    lines_add(l, HEAD, "%-12s %7s", "kind", "cells");
    for (unsigned k = 0; k < CELL_KINDS; k++)
        lines_add(l, s->kind_hit[k] ? PLAIN : DIM, "%-12s %7" PRIu64, cell_kinds[k], s->kind_hit[k]);
    lines_add(l, PLAIN, "%s", "");
    lines_add(l, HEAD, "seen last");
    for (unsigned i = 0; i < s->nnewest; i++) {
        fl_cell_name(s->newest[i].cell, name, sizeof name);
        lines_add(l, PLAIN, "%12s  %s", text_span(s->newest[i].at, span), name);
    }
}

static void shards(const struct status *s, struct lines *l)
{
    char when[32];

    if (s->nshards == 0) {
        lines_add(l, DIM, "none: this campaign works on one machine");
        return;
    }
    lines_add(l, HEAD, "%5s %-11s %-14s %6s %8s %8s %8s  %-19s %s", "shard", "state", "host", "starts", "execs",
              "now/s", "corpus", "seen", "folder");
    for (size_t i = 0; i < s->nshards; i++) {
        const struct shard *p = &s->shards[i];
        struct job sum = {0};
        char prefix[16], execs[24], rate[24], corpus[24];

        /* The jobs of shard 3 are called "3/...". */
        snprintf(prefix, sizeof prefix, "%u/", p->number);
        for (size_t k = 0; k < s->njobs; k++)
            if (strncmp(s->jobs[k].name, prefix, strlen(prefix)) == 0) {
                sum.executions += s->jobs[k].executions;
                sum.rate += s->jobs[k].rate;
                sum.corpus += s->jobs[k].corpus;
            }
        lines_add(l, strcmp(p->state, "RUNNING") == 0 ? GOOD : PLAIN, "%5u %-11s %-14s %6u %8s %8s %8s  %-19s %s",
                  p->number, p->state, p->host, p->starts, brief_number((double)sum.executions, execs),
                  brief_number(sum.rate, rate), brief_number((double)sum.corpus, corpus), text_when(p->seen, when),
                  p->folder);
    }
}

void status_pane(const struct status *s, enum pane pane, struct lines *l)
{
    static void (*const panes[PANES])(const struct status *s, struct lines *l) = {targets, jobs, findings, cells,
                                                                                  shards};

    panes[pane](s, l);
}
