/* SPDX-License-Identifier: MIT */
/* What people are told while it runs, and at its end. */
#include "fuzz.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_EVERY 10.0 /* seconds between plain lines */

static const char *const mode_names[FL_MODE_COUNT] = {"2level", "pae", "4level", "5level"};

/* Sums over all tasks; cells are united. */
static void total(const struct fuzz *c, struct fl_stats *sum, uint64_t *coverage)
{
    memset(sum, 0, sizeof *sum);
    *coverage = 0;
    for (unsigned i = 0; i < c->ntasks; i++) {
        *coverage += c->tasks[i].says.coverage;
        engine_counters_add(sum, c->tasks[i].stats);
    }
}

void report_progress(struct fuzz *c, bool last)
{
    static double next;
    bool terminal = isatty(STDERR_FILENO);
    struct fl_stats sum;
    uint64_t coverage;
    double left = c->seconds > c->now ? c->seconds - c->now : 0;
    char b[6][24];

    if (!last && !terminal && c->now < next)
        return;
    next = c->now + LOG_EVERY;
    total(c, &sum, &coverage);
    fprintf(
        stderr,
        "%s%3.0f s: %s executions (%s/s), %s events (%s/s), coverage %s, cells %" PRIu64 ", findings %u, %.0f s left%s",
        terminal ? "\r\033[K" : "faultline: ", c->now, brief_number((double)sum.executions, b[0]),
        brief_number((double)sum.executions / (c->now > 0.1 ? c->now : 0.1), b[1]),
        brief_number((double)sum.events, b[2]), brief_number((double)sum.events / (c->now > 0.1 ? c->now : 0.1), b[3]),
        brief_number((double)coverage, b[4]), sum.cells_hit, findings_count(c), left, terminal && !last ? "" : "\n");
    fflush(stderr);
}

static void print_tasks(const struct fuzz *c)
{
    char a[24], b[24];

    printf("%-22s %12s %12s %9s %9s %9s %7s\n", "task", "executions", "events", "events/s", "coverage", "corpus",
           "cells");
    for (unsigned i = 0; i < c->ntasks; i++) {
        const struct task *t = &c->tasks[i];
        double ran = c->now - t->started;

        printf("%-22s %12s %12" PRIu64 " %9s %9" PRIu64 " %9" PRIu64 " %7" PRIu64 "%s\n", t->name,
               brief_number((double)t->stats->executions, a), t->stats->events,
               brief_number((double)t->stats->events / (ran > 0.1 ? ran : 0.1), b), t->says.coverage, t->says.corpus,
               t->stats->cells_hit,
               t->failed    ? "  FAILED"
               : t->stopped ? "  stopped: same finding again"
                            : "");
    }
}

static void print_events(const struct fl_stats *s)
{
    printf("\nevents by paging mode       user   supervisor\n");
    for (unsigned m = 0; m < FL_MODE_COUNT; m++)
        printf("  %-12s %16" PRIu64 " %12" PRIu64 "\n", mode_names[m], s->mode_priv[m][1], s->mode_priv[m][0]);
    printf("\ncompared by check\n");
    for (unsigned k = 0; k < FL_CHECK_COUNT; k++)
        if (s->compared[k])
            printf("  %-12s %16" PRIu64 "\n", fl_check_name((enum fl_check)k), s->compared[k]);
    printf("\npage faults raised by an executor: %" PRIu64 "; events it took part in: %" PRIu64
           ", could not do: %" PRIu64 "\n",
           s->real_faults, s->executor_runs, s->executor_unsupported);
    printf("events that nobody decides: %" PRIu64 "; skipped after the end of a task or trace: %" PRIu64 "\n",
           s->unsupported, s->events_skipped);
}

static void print_known(const struct fl_stats *s)
{
    size_t rows;
    const struct fl_deviation *row = fl_deviation_rows(&rows);
    bool any = s->transparent != 0;

    for (size_t i = 0; i < rows && i < FL_MAX_DEVIATIONS; i++)
        if (s->deviation[i])
            printf("known deviation %s/%s: %" PRIu64 "\n", row[i].executor, row[i].id, s->deviation[i]);
    if (s->decoder_expected)
        printf("expected decoder differences: %" PRIu64 "\n", s->decoder_expected);
    for (unsigned k = 0; k < FL_SKIP_COUNT; k++)
        any |= s->opaque[k] != 0;
    if (!any)
        return;
    printf("transparency: %" PRIu64 " scenarios compared with everything mapped; left out:", s->transparent);
    for (unsigned k = 0; k < FL_SKIP_COUNT; k++)
        if (s->opaque[k])
            printf(" %" PRIu64 " (%s)", s->opaque[k], fl_skip_name((enum fl_skip)k));
    printf("\n");
}

/* One line: how many rows of a table decided something, and the names of those that did not. Names of row i start at
 * first + i * step, as every table of rows begins with its name. */
static void print_rows(const char *what, const uint64_t *hits, const void *first, size_t step, size_t count)
{
    size_t reached = 0;

    for (size_t i = 0; i < count; i++)
        reached += hits[i] != 0;
    if (reached == 0)
        return;
    printf("%s reached: %zu of %zu", what, reached, count);
    for (size_t i = 0, n = 0; i < count; i++)
        if (!hits[i])
            printf("%s%s", n++ ? ", " : "; not: ", *(const char *const *)((const char *)first + i * step));
    printf("\n");
}

static void print_pinning(const struct fl_stats *s)
{
    printf("pinning: %" PRIu64 " pages; calls that nobody disturbed: %" PRIu64 ", done in two ways: %" PRIu64
           ", with a race: %" PRIu64 ", with an answer: %" PRIu64 ", of them hostile: %" PRIu64 "\n",
           s->pinned_pages, s->pin_quiet, s->pin_twice, s->pin_raced, s->pin_answered, s->pin_hostile);
}

static void print_tables(const struct fuzz *c, const struct fl_stats *s)
{
    size_t n;
    const struct fl_policy_row *policy = fl_policy_rows(&n);

    if (c->target[FL_TARGET_FAULT])
        print_rows("policy rows", s->row, &policy->name, sizeof *policy, n);
    if (c->target[FL_TARGET_GUP])
        print_pinning(s);
    if (!c->target[FL_TARGET_VMALLOC])
        return;
    printf("accesses by how they ended:");
    for (unsigned k = 0; k < FL_TOUCH_COUNT; k++)
        printf(" %s %" PRIu64, fl_touch_end_name((enum fl_touch_end)k), s->touched[k]);
    printf("; generations compared: %" PRIu64 " accesses, not compared, in another world already: %" PRIu64 "\n",
           s->compared[FL_CHECK_GENERATION], s->generations_apart);
    const struct fl_sync_row *sync = fl_sync_rows(&n);
    print_rows("synchronisation rows", s->sync_row, &sync->name, sizeof *sync, n);
    const struct fl_generation_row *generation = fl_generation_rows(&n);
    print_rows("expected differences between generations", s->generation_row, &generation->name, sizeof *generation, n);
}

void report_summary(const struct fuzz *c)
{
    struct fl_stats sum;
    uint64_t coverage;

    total(c, &sum, &coverage);
    printf("\n");
    print_tasks(c);
    print_events(&sum);
    print_known(&sum);
    print_tables(c, &sum);
    printf("decision cells reached: %" PRIu64 "\n", sum.cells_hit);
    printf("\n%" PRIu64 " events judged in %.0f s, %u findings\n", sum.events, c->now, findings_count(c));
    for (unsigned i = 0; i < c->nfindings; i++) {
        const struct finding *f = &c->findings[i];
        char *core = shell_word(c->core ? c->core : ""), *path = shell_word(f->path);

        printf("\n%s %u: %s\n  seen %u times, first by %s after %.1f s\n  %s\n  replay: ./faultline repro %s%s%s%s\n",
               f->aside ? "left aside" : "finding", i + 1, f->key, f->count, f->task, f->after, f->detail,
               c->core ? "--core " : "", c->core ? core : "", c->core ? " " : "", path);
        free(core);
        free(path);
    }
    if (c->lost_findings)
        printf("\n%" PRIu64 " more artifacts with further keys are under %s/artifacts\n", c->lost_findings, c->out);
}

void report_json(const struct fuzz *c)
{
    json_t *all, *tasks = json_array(), *modes = json_object(), *checks = json_object(), *findings = json_array(),
                 *deviations = json_object(), *actions = json_object(), *rows_json = json_object(),
                 *sync_json = json_object(), *generations_json = json_object(), *cells = json_array();
    struct fl_stats sum;
    uint64_t coverage;
    size_t rows;
    const struct fl_deviation *row = fl_deviation_rows(&rows);
    const struct fl_policy_row *policy;
    const struct fl_sync_row *sync;
    const struct fl_generation_row *generation;
    char name[128];

    total(c, &sum, &coverage);
    for (unsigned i = 0; i < c->ntasks; i++) {
        const struct task *t = &c->tasks[i];

        json_array_append_new(
            tasks, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b}", "name", t->name, "target",
                             fl_target_name(t->run.target), "engine", engine_name(t->run.engine), "executions",
                             (json_int_t)t->stats->executions, "events", (json_int_t)t->stats->events, "coverage",
                             (json_int_t)t->says.coverage, "corpus", (json_int_t)t->says.corpus, "cells",
                             (json_int_t)t->stats->cells_hit, "failed", t->failed));
    }
    for (unsigned m = 0; m < FL_MODE_COUNT; m++)
        json_object_set_new(modes, mode_names[m],
                            json_pack("{s:I, s:I}", "user", (json_int_t)sum.mode_priv[m][1], "supervisor",
                                      (json_int_t)sum.mode_priv[m][0]));
    for (unsigned k = 0; k < FL_CHECK_COUNT; k++)
        json_object_set_new(checks, fl_check_name((enum fl_check)k), json_integer((json_int_t)sum.compared[k]));
    for (unsigned k = 0; k < FL_ACT_COUNT; k++)
        json_object_set_new(actions, fl_action_name((enum fl_action)k), json_integer((json_int_t)sum.action[k]));
    for (size_t i = 0; i < rows && i < FL_MAX_DEVIATIONS; i++)
        json_object_set_new(deviations, row[i].id, json_integer((json_int_t)sum.deviation[i]));
    policy = fl_policy_rows(&rows);
    for (size_t i = 0; i < rows && i < FL_MAX_POLICY_ROWS; i++)
        json_object_set_new(rows_json, policy[i].name, json_integer((json_int_t)sum.row[i]));
    sync = fl_sync_rows(&rows);
    for (size_t i = 0; i < rows && i < FL_MAX_SYNC_ROWS; i++)
        json_object_set_new(sync_json, sync[i].name, json_integer((json_int_t)sum.sync_row[i]));
    generation = fl_generation_rows(&rows);
    for (size_t i = 0; i < rows && i < FL_MAX_GEN_ROWS; i++)
        json_object_set_new(generations_json, generation[i].name, json_integer((json_int_t)sum.generation_row[i]));
    for (unsigned k = 0; k < FL_CELLS; k++)
        if (sum.cell[k]) {
            fl_cell_name(k, name, sizeof name);
            json_array_append_new(cells, json_string(name));
        }
    for (unsigned i = 0; i < c->nfindings; i++) {
        const struct finding *f = &c->findings[i];

        json_array_append_new(findings,
                              json_pack("{s:s, s:s, s:s, s:f, s:I, s:i, s:b, s:b, s:s}", "key", f->key, "file", f->path,
                                        "task", f->task, "after_seconds", f->after, "after_events",
                                        (json_int_t)f->events, "count", (int)f->count, "reproduced", f->reproduced,
                                        "left_aside", f->aside, "detail", f->detail));
    }
    all = json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "seconds", c->now, "executions",
                    (json_int_t)sum.executions, "events", (json_int_t)sum.events, "real_faults",
                    (json_int_t)sum.real_faults, "unsupported", (json_int_t)sum.unsupported, "executor_unsupported",
                    (json_int_t)sum.executor_unsupported, "transparent", (json_int_t)sum.transparent, "cells",
                    (json_int_t)sum.cells_hit);
    json_object_set_new(all, "pinning",
                        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "pages", (json_int_t)sum.pinned_pages,
                                  "undisturbed", (json_int_t)sum.pin_quiet, "two_ways", (json_int_t)sum.pin_twice,
                                  "raced", (json_int_t)sum.pin_raced, "answered", (json_int_t)sum.pin_answered,
                                  "hostile", (json_int_t)sum.pin_hostile));
    json_object_set_new(all, "modes", modes);
    json_object_set_new(all, "compared", checks);
    json_object_set_new(all, "actions", actions);
    json_object_set_new(all, "policy_rows", rows_json);
    json_object_set_new(all, "sync_rows", sync_json);
    json_object_set_new(all, "generation_rows", generations_json);
    json_object_set_new(all, "deviations", deviations);
    json_object_set_new(all, "cells_reached", cells);
    json_object_set_new(all, "tasks", tasks);
    json_object_set_new(all, "findings", findings);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}
