/* SPDX-License-Identifier: MIT */
/* faultline walk --vectors FILE: judges a file in the walk-vectors format. */
#include "command.h"

#include <faultline/oracle/exec_vectors.h>
#include <faultline/oracle/vectors.h>

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLASSES      512
#define SHOWN_MISMATCHES 20

struct class
{
    char name[FL_VECTOR_CLASS_SIZE];
    uint64_t judged, mismatched, unsupported, known;
};

struct walk {
    const char *vectors;
    bool unicorn, json, all;

    struct fl_vector vector;
    struct fl_vector_executor *executor;
    struct class classes[MAX_CLASSES];
    unsigned nclasses;
    struct class sum;
    json_t *mismatches;
};

static const char doc[] =
    "Judge a file of page-walk vectors: one question about page tables and its answer per line, plain or gzip.\v"
    "Prints mismatches (the first 20 unless --all) and the counts of each class. A vector that the executor cannot do is "
    "counted as unsupported, one where it is known to differ from the processor as a known deviation. Exit codes: 0 all "
    "judged vectors match, 1 some do not, 2 the file is malformed (file:line:column) or held nothing to judge.";

enum { OPT_VECTORS = 256, OPT_EXECUTOR, OPT_JSON, OPT_ALL };
static const struct argp_option options[] = {
    {"vectors", OPT_VECTORS, "FILE", 0, "the file to judge", 0},
    {"executor", OPT_EXECUTOR, "NAME", 0, "who answers: arch (default) or unicorn", 0},
    {"all", OPT_ALL, NULL, 0, "print every mismatch", 0},
    {"json", OPT_JSON, NULL, 0, "print one JSON document", 0},
    {0},
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct walk *w = state->input;

    switch (key) {
    case OPT_VECTORS: w->vectors = arg; return 0;
    case OPT_EXECUTOR:
        w->unicorn = strcmp(arg, "unicorn") == 0;
        if (!w->unicorn && strcmp(arg, "arch") != 0)
            argp_error(state, "no executor \"%.40s\": arch or unicorn", arg);
        return 0;
    case OPT_ALL: w->all = true; return 0;
    case OPT_JSON: w->json = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "no argument is expected, found \"%.60s\"", arg); return EINVAL;
    case ARGP_KEY_END:
        if (!w->vectors)
            argp_error(state, "--vectors FILE is needed");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The class's counters; when the table is full (it holds every class that the format can name) the last one. */
static struct class *class_of(struct walk *w)
{
    char name[FL_VECTOR_CLASS_SIZE];
    unsigned i;

    fl_vector_class(&w->vector, name);
    for (i = 0; i < w->nclasses; i++)
        if (strcmp(w->classes[i].name, name) == 0)
            return &w->classes[i];
    if (w->nclasses == MAX_CLASSES)
        return &w->classes[MAX_CLASSES - 1];
    memcpy(w->classes[i].name, name, sizeof name);
    w->nclasses++;
    return &w->classes[i];
}

static void mismatch(struct walk *w, const struct class *class, const char *line)
{
    w->sum.mismatched++;
    if (w->json) {
        if (w->all || json_array_size(w->mismatches) < SHOWN_MISMATCHES)
            json_array_append_new(w->mismatches, json_pack("{s:I, s:s, s:s}", "line", (json_int_t)w->vector.line,
                                                           "class", class->name, "what", line));
    } else if (w->all || w->sum.mismatched <= SHOWN_MISMATCHES) {
        printf("%s:%" PRIu64 ": %s: %s\n", w->vectors, w->vector.line, class->name, line);
    }
}

/* False: the judge itself failed (it complained). */
static bool judge(struct walk *w)
{
    struct class *class = class_of(w);
    struct fl_vector_verdict verdict;
    const char *reason;

    if (w->unicorn) {
        switch (fl_vector_judge_executor(w->executor, &w->vector, &verdict, &reason)) {
        case FL_VECTOR_JUDGED: break;
        case FL_VECTOR_UNSUPPORTED:
            class->unsupported++;
            w->sum.unsupported++;
            return true;
        case FL_VECTOR_KNOWN:
            class->known++;
            w->sum.known++;
            return true;
        default:
            complain("%s:%" PRIu64 ": the executor misbehaved: %s", w->vectors, w->vector.line, reason);
            return false;
        }
    } else if (fl_vector_judge_arch(&w->vector, &verdict) != FL_OK) {
        class->unsupported++;
        w->sum.unsupported++;
        return true;
    }
    class->judged++;
    w->sum.judged++;
    if (!verdict.matches) {
        class->mismatched++;
        mismatch(w, class, verdict.line);
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct class *)a)->name, ((const struct class *)b)->name);
}

static void report(struct walk *w, const char *who)
{
    qsort(w->classes, w->nclasses, sizeof w->classes[0], by_name);
    if (w->json) {
        json_t *classes = json_array(), *all;

        for (unsigned i = 0; i < w->nclasses; i++) {
            const struct class *c = &w->classes[i];

            json_array_append_new(classes, json_pack("{s:s, s:I, s:I, s:I, s:I}", "class", c->name, "judged",
                                                     (json_int_t)c->judged, "mismatched", (json_int_t)c->mismatched,
                                                     "unsupported", (json_int_t)c->unsupported, "known_deviation",
                                                     (json_int_t)c->known));
        }
        all = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:O}", "file", w->vectors, "executor", who, "judged",
                        (json_int_t)w->sum.judged, "mismatched", (json_int_t)w->sum.mismatched, "unsupported",
                        (json_int_t)w->sum.unsupported, "known_deviation", (json_int_t)w->sum.known, "classes", classes,
                        "mismatches", w->mismatches);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
        return;
    }
    printf("%-24s %10s %10s %12s %10s\n", "class", "judged", "mismatch", "unsupported", "known");
    for (unsigned i = 0; i < w->nclasses; i++) {
        const struct class *c = &w->classes[i];

        printf("%-24s %10" PRIu64 " %10" PRIu64 " %12" PRIu64 " %10" PRIu64 "\n", c->name, c->judged, c->mismatched,
               c->unsupported, c->known);
    }
    printf("%s: %" PRIu64 " judged, %" PRIu64 " mismatches, %" PRIu64 " unsupported, %" PRIu64 " known deviations\n",
           who, w->sum.judged, w->sum.mismatched, w->sum.unsupported, w->sum.known);
}

/* EXIT_CLEAN: the whole file was judged. */
static int judge_file(struct walk *w)
{
    struct fl_vectors_error error;
    struct fl_vectors *in;
    int code = EXIT_INPUT;
    bool end;

    if (fl_vectors_open(w->vectors, &in, &error) != FL_OK) {
        complain("%s: %s", w->vectors, error.text);
        return EXIT_INPUT;
    }
    for (;;) {
        if (fl_vectors_next(in, &w->vector, &end, &error) != FL_OK) {
            if (error.line)
                complain("%s:%" PRIu64 ":%u: %s", w->vectors, error.line, error.column, error.text);
            else
                complain("%s: %s", w->vectors, error.text);
            break;
        }
        if (end) {
            code = EXIT_CLEAN;
            break;
        }
        if (!judge(w)) {
            code = EXIT_INTERNAL;
            break;
        }
    }
    fl_vectors_close(in);
    return code;
}

int command_walk(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = option, .doc = doc};
    struct walk *w = calloc(1, sizeof *w);
    char why[256];
    int code;

    if (!w) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    argp_parse(&argp, argc, argv, 0, NULL, w);
    if (w->unicorn) {
        enum fl_status status = fl_vector_executor_open(&w->executor, why);

        if (status != FL_OK) {
            complain("executor unicorn: %s", why);
            free(w);
            return status == FL_UNSUPPORTED ? EXIT_INPUT : EXIT_INTERNAL;
        }
    }
    w->mismatches = json_array();
    code = judge_file(w);
    if (code == EXIT_CLEAN) {
        report(w, w->unicorn ? fl_vector_executor_name(w->executor) : "arch");
        if (w->sum.judged == 0) {
            complain("%s: no vector could be judged, so nothing was compared", w->vectors);
            code = EXIT_INPUT;
        } else if (w->sum.mismatched) {
            code = EXIT_FINDINGS;
        }
    }
    json_decref(w->mismatches);
    if (w->executor)
        fl_vector_executor_close(w->executor);
    free(w);
    return code;
}
