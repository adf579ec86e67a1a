/* SPDX-License-Identifier: MIT */
/* What is said on the way and at the end. */
#include "run.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL_SECONDS 0.25
#define LOG_SECONDS      30.0

void counts_add(struct inject_counts *to, const struct inject_counts *c)
{
    to->events += c->events;
    to->calls += c->calls;
    to->singles += c->singles;
    to->pairs += c->pairs;
    to->hostile += c->hostile;
    to->planned += c->planned;
    to->left_out += c->left_out;
    to->same += c->same;
    to->no_effect += c->no_effect;
    to->unreached += c->unreached;
    to->findings += c->findings;
}

/* ---- on the way --------------------------------------------------------------------------------------------------- */

void progress_begin(struct progress *p)
{
    *p = (struct progress){.terminal = isatty(STDERR_FILENO)};
    p->began = p->told = p->moment = monotonic_seconds();
}

static void left(double done, double elapsed, char text[48])
{
    double seconds = done > 0.01 ? elapsed * (1 - done) / done : -1;

    if (seconds < 0)
        text[0] = 0;
    else if (seconds < 120)
        snprintf(text, 48, ", %.0f s left", seconds);
    else
        snprintf(text, 48, ", %.0f min left", seconds / 60);
}

void progress_tell(struct progress *p, const struct inputs *in, const struct worker *workers, unsigned n,
                   const struct findings *f)
{
    double now = monotonic_seconds(), done = 0;
    struct inject_counts sum = {0};
    size_t files = 0;
    char a[24], b[24], c[24], rest[48];

    if (now - p->told < (p->terminal ? TERMINAL_SECONDS : LOG_SECONDS))
        return;
    p->told = now;
    for (size_t i = 0; i < in->n; i++)
        if (in->list[i].done) {
            counts_add(&sum, &in->list[i].counts);
            files++;
        }
    done = (double)files;
    for (unsigned i = 0; i < n; i++)
        if (workers[i].busy) {
            const struct inject_counts *w = &workers[i].shared->state.counts;

            counts_add(&sum, w);
            done += w->planned ? (double)(w->singles + w->pairs) / (double)w->planned : 0;
        }
    if (now - p->moment >= 1) {
        p->rate = (double)(sum.singles + sum.pairs - p->moment_runs) / (now - p->moment);
        p->moment = now;
        p->moment_runs = sum.singles + sum.pairs;
    }
    left(in->n ? done / (double)in->n : 0, now - p->began, rest);
    fprintf(stderr, "%sfaultline: inject: file %zu of %zu, %s of %s repetitions, %s/s, %zu findings%s%s",
            p->terminal ? "\r\033[K" : "", files < in->n ? files + 1 : files, in->n,
            brief_number((double)(sum.singles + sum.pairs), a), brief_number((double)sum.planned, b),
            brief_number(p->rate, c), f->n, rest, p->terminal ? "" : "\n");
    fflush(stderr);
}

static void clear_line(void)
{
    if (isatty(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

void progress_end(struct progress *p)
{
    if (p->terminal)
        clear_line();
}

/* ---- files and findings ------------------------------------------------------------------------------------------- */

static void tell_counts(const struct inject_counts *n, bool preempt)
{
    printf("%" PRIu64 " singles, %" PRIu64 " pairs", n->singles, n->pairs);
    if (n->hostile)
        printf(" (%" PRIu64 " hostile)", n->hostile);
    if (preempt && n->same)
        printf(", %" PRIu64 " left out as the same", n->same);
    if (n->left_out)
        printf(", %" PRIu64 " not run", n->left_out);
    if (n->unreached)
        printf(", %" PRIu64 " keys never reached", n->unreached);
}

void report_file(const struct inject_options *o, const struct input *in)
{
    if (o->json || o->quiet)
        return;
    clear_line();
    printf("%s: %s, %" PRIu64 " events, %" PRIu64 " op calls, ", in->path,
           in->gone              ? "given up"
           : in->counts.findings ? "findings"
           : in->counts.events   ? "ok"
                                 : "nothing to judge",
           in->counts.events, in->counts.calls);
    tell_counts(&in->counts, o->preempt != 0);
    putchar('\n');
    fflush(stdout);
}

static const char *kind_of(const struct finding *f)
{
    switch (f->result.end) {
    case REPLAY_HUNG: return "HANG";
    case REPLAY_CRASHED:
    case REPLAY_EXECUTOR_DIED: return "CRASH";
    default: return "DIVERGENCE";
    }
}

static void print_lines(const char *title, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        printf("  %s%.*s\n", title, (int)n, text);
        text += n + (text[n] == '\n');
    }
}

void report_finding(const struct inject_options *o, const struct finding *f)
{
    if (o->json)
        return;
    clear_line();
    printf("%s: %s %s\n", f->file, kind_of(f), f->key);
    print_lines("put in:   ", f->text);
    if (f->result.end == REPLAY_DIVERGED)
        printf("  where:    record %u\n  expected: %s\n  actual:   %s\n", f->result.record + 1, f->result.expected,
               f->result.actual);
    print_lines("", f->result.detail);
    if (!f->reproduced)
        printf("  a replay of it alone finds nothing\n");
    if (f->path)
        printf("  written:  %s\n", f->path);
    fflush(stdout);
}

/* ---- at the end --------------------------------------------------------------------------------------------------- */

static json_t *counts_json(const struct inject_counts *n)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "events", (json_int_t)n->events, "calls",
                     (json_int_t)n->calls, "singles", (json_int_t)n->singles, "pairs", (json_int_t)n->pairs, "hostile",
                     (json_int_t)n->hostile, "same", (json_int_t)n->same, "no_effect", (json_int_t)n->no_effect,
                     "not_run", (json_int_t)n->left_out, "unreached", (json_int_t)n->unreached);
}

static void print_json(const struct inject_options *o, const struct inputs *in, const struct findings *f,
                       const struct inject_counts *sum, double seconds)
{
    json_t *files = json_array(), *found = json_array(), *all;

    for (size_t i = 0; i < in->n; i++) {
        json_t *one = counts_json(&in->list[i].counts);

        json_object_set_new(one, "file", json_string(in->list[i].path));
        json_object_set_new(one, "target", json_string(fl_target_name(in->list[i].target)));
        json_object_set_new(one, "diverged", json_boolean(in->list[i].counts.findings != 0));
        json_object_set_new(one, "complete", json_boolean(in->list[i].done && !in->list[i].gone && !in->list[i].cut));
        json_array_append_new(files, one);
    }
    for (size_t i = 0; i < f->n; i++) {
        const struct finding *one = &f->list[i];
        json_t *entry = json_pack("{s:s, s:s, s:s, s:I, s:b, s:s}", "key", one->key, "file", one->file, "detail",
                                  one->result.detail, "count", (json_int_t)one->count, "reproduced", one->reproduced,
                                  "put_in", one->text);

        if (one->path)
            json_object_set_new(entry, "written", json_string(one->path));
        json_array_append_new(found, entry);
    }
    all = counts_json(sum);
    json_object_set_new(all, "preempt", json_integer(o->preempt));
    json_object_set_new(all, "seconds", json_real(seconds));
    json_object_set_new(all, "files", files);
    json_object_set_new(all, "findings", found);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

void report_end(const struct inject_options *o, const struct inputs *in, const struct findings *f, double seconds)
{
    struct inject_counts sum = {0};

    for (size_t i = 0; i < in->n; i++)
        counts_add(&sum, &in->list[i].counts);
    if (o->json) {
        print_json(o, in, f, &sum, seconds);
        return;
    }
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].count > 1)
            printf("%s: %" PRIu64 " times in all\n", f->list[i].key, f->list[i].count);
    printf("%zu files, %" PRIu64 " events, %" PRIu64 " op calls: ", in->n, sum.events, sum.calls);
    tell_counts(&sum, o->preempt != 0);
    printf("; %" PRIu64 " %s in %.1f s, %zu findings\n", sum.singles + sum.pairs,
           o->preempt ? "schedules" : "repetitions", seconds, f->n);
}
