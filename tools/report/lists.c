/* SPDX-License-Identifier: MIT */
/* Jobs, shards, runs, and what the campaign was asked for. */
#include "report.h"

#include "../command.h"

#include <inttypes.h>
#include <string.h>

static void seconds(FILE *out, const char *markup, double n)
{
    char span[32];

    html_put(out, markup, text_span(n, span));
}

static void jobs(const struct status *s, FILE *out)
{
    char brief[24];

    report_section(out, "jobs", "Jobs");
    if (s->njobs == 0) {
        fputs("<p>None has been started.</p>\n</section>\n", out);
        return;
    }
    fputs("<div class=scroll><table class=list><caption class=hidden>Jobs</caption>\n<thead><tr><th scope=col>Job"
          "<th scope=col>Role<th scope=col>State<th scope=col class=n>Worked<th scope=col class=n>Executions"
          "<th scope=col class=n>per second<th scope=col class=n>Events<th scope=col class=n>Edges"
          "<th scope=col class=n>Cells<th scope=col class=n>Corpus<th scope=col class=n>Starts"
          "<th scope=col class=n>Deaths<th scope=col>Health<tbody>\n",
          out);
    for (size_t i = 0; i < s->njobs; i++) {
        const struct job *j = &s->jobs[i];

        html_put(out, "<tr><th scope=row>", j->name);
        html_put(out, "<td>", job_role_name(j->role));
        html_put(out, j->state == JOB_FAILED ? "<td class=bad>" : "<td>",
                 j->state == JOB_WORKING && s->presence != PRESENCE_HERE ? "ended" : job_state_name(j->state));
        seconds(out, "<td class=n>", j->ran);
        html_count(out, "<td class=n>", j->executions);
        html_put(out, "<td class=n>", brief_number(j->ran > 0 ? (double)j->executions / j->ran : 0, brief));
        html_count(out, "<td class=n>", j->events);
        html_count(out, "<td class=n>", j->edges);
        html_count(out, "<td class=n>", j->cells);
        html_count(out, "<td class=n>", j->corpus);
        html_count(out, "<td class=n>", j->starts);
        html_count(out, j->deaths ? "<td class=\"n bad\">" : "<td class=n>", j->deaths);
        html_put(out, "<td>", j->health[0] ? j->health : "well");
        fputc('\n', out);
    }
    fputs("</table></div>\n", out);
    if (s->nshards)
        fputs("<h3>Shards</h3>\n<div class=scroll><table class=list><caption class=hidden>Shards</caption>\n<thead><tr>"
              "<th scope=col>Shard<th scope=col>State<th scope=col>Host<th scope=col class=n>Starts<th scope=col>Folder"
              "<tbody>\n",
              out);
    for (size_t i = 0; i < s->nshards; i++) {
        html_count(out, "<tr><th scope=row>", s->shards[i].number);
        html_put(out, "<td>", s->shards[i].state);
        html_put(out, "<td>", s->shards[i].host);
        html_count(out, "<td class=n>", s->shards[i].starts);
        html_put(out, "<td>", s->shards[i].folder);
        fputc('\n', out);
    }
    fputs(s->nshards ? "</table></div>\n</section>\n" : "</section>\n", out);
}

static void runs(const struct report *r, FILE *out)
{
    char when[32];

    if (r->nruns == 0)
        return;
    fputs("<h3>Runs</h3>\n<div class=scroll><table class=list><caption class=hidden>Runs</caption>\n<thead><tr>"
          "<th scope=col>Run<th scope=col>Started<th scope=col>Ended<th scope=col class=n>Worked<th scope=col>Build"
          "<th scope=col>Host<th scope=col>How it ended<tbody>\n",
          out);
    for (size_t i = 0; i < r->nruns; i++) {
        const struct run *run = &r->runs[i];
        bool last = i + 1 == r->nruns;

        html_count(out, "<tr><th scope=row>", (uint64_t)run->id);
        html_put(out, "<td class=w>", text_when(run->started, when));
        html_put(out, "<td class=w>", run->ended ? text_when(run->ended, when) : "-");
        seconds(out, "<td class=n>", run->ran);
        html_put(out, "<td>", run->build);
        html_put(out, "<td>", run->host);
        html_put(out, "<td>",
                 run->why[0]                              ? run->why
                 : last && r->s.presence == PRESENCE_HERE ? "it goes on"
                 : last && r->s.presence == PRESENCE_GONE ? "was killed"
                                                          : "-");
        fputc('\n', out);
    }
    fputs("</table></div>\n", out);
}

static void environment(const struct report *r, FILE *out)
{
    report_section(out, "environment", "Environment");
    fputs("<dl class=facts>\n", out);
    for (size_t i = 0; i < r->noptions; i++) {
        if (!r->options[i].value[0])
            continue;
        html_put(out, "<dt>", r->options[i].name);
        html_put(out, "<dd>", r->options[i].value);
        fputc('\n', out);
    }
    html_put(out, "<dt>report made by<dd>faultline " FAULTLINE_VERSION ", ", "");
    {
        char build[STORE_BUILD];

        build_name(r->core, build);
        html_put(out, "", build);
    }
    if (r->source) {
        html_put(out, "<dt>annotated source<dd><a href=\"", r->source);
        fputs("\">which lines of it were reached</a>", out);
    }
    fputs("\n</dl>\n", out);
    runs(r, out);
    fputs("</section>\n", out);
}

void report_lists(const struct report *r, FILE *out)
{
    jobs(&r->s, out);
    environment(r, out);
}
