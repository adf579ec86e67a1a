/* SPDX-License-Identifier: MIT */
/* The regressions, held against a core: which came back, and what their story is. */
#include "regress.h"
#include "../command.h"
#include "corpus.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum verdict {
    HELD,
    LEFT_OUT,  /* it needs an executor, and there is none */
    DIVERGED,  /* or crashed, or hung */
    OTHERWISE, /* clean, and not as .expect says */
    NO_EXPECT,
    INCOMPLETE, /* a regression whose .expect is not complete */
    NOTHING,    /* no event of it was judged */
    UNJUDGED,   /* the executor or the replay itself failed */
    VERDICTS
};
static const char *const verdict_names[VERDICTS] = {
    "held", "left-out", "diverged", "ends-otherwise", "no-expect", "incomplete-expect", "nothing-judged", "unjudged"};

struct regress {
    struct regress_options options;
    struct replayer *replayer;
    bool has_executor;
    unsigned scenarios, count[VERDICTS], moved; /* moved: clean, and not regressions yet */
    uint64_t events, lines;
    unsigned wrong;
    json_t *results;
};

struct held {
    enum verdict verdict;
    struct replay_result result;
    struct comparison comparison;
};

static enum verdict compare(const struct corpus_entry *e, const char *endings, struct held *h)
{
    bool regression = e->state.stage == STAGE_NONE || e->state.stage == STAGE_REGRESSION;

    switch (expect_compare(e->expect, endings, &h->comparison)) {
    case EXPECTED_SAME: return HELD;
    case EXPECTED_PREFIX: return regression ? INCOMPLETE : HELD;
    case EXPECTED_OTHER: return OTHERWISE;
    case EXPECTED_MISSING: return NO_EXPECT;
    default: return UNJUDGED;
    }
}

static void hold(struct regress *r, const struct corpus_entry *e, struct held *h)
{
    memset(h, 0, sizeof *h);
    if (!r->has_executor && corpus_needs_executor(&e->scenario)) {
        h->verdict = LEFT_OUT;
        return;
    }
    replay_run(r->replayer, &e->scenario, FL_TARGET_ALL, &h->result);
    r->events += h->result.events;
    switch (h->result.end) {
    case REPLAY_CLEAN: h->verdict = compare(e, replay_endings(r->replayer), h); break;
    case REPLAY_NOTHING: h->verdict = NOTHING; break;
    case REPLAY_DIVERGED:
    case REPLAY_CRASHED:
    case REPLAY_HUNG: h->verdict = DIVERGED; break;
    default: h->verdict = UNJUDGED;
    }
    /* Of a core that is not whole, what it lacks has no endings. */
    if (*replay_lacks(r->replayer) && (h->verdict == NOTHING || h->verdict == OTHERWISE))
        h->verdict = LEFT_OUT;
    r->lines += h->comparison.lines;
}

/* Several lines, the first behind a word. */
static void print_lines(const char *first, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        printf("  %-9s %.*s\n", first, (int)n, text);
        first = "";
        text += n + (text[n] == '\n');
    }
}

/* The command that says more. */
static void print_more(const char *command, const struct corpus_entry *e, const char *core)
{
    char *file = shell_word(e->path), *word = shell_word(core ? core : "");

    printf("  more:     faultline %s%s%s %s\n", command, core ? " --core " : "", core ? word : "", file);
    free(file);
    free(word);
}

static void print_divergence(const struct corpus_entry *e, const struct replay_result *result, const char *core)
{
    const struct corpus_state *s = &e->state;
    bool another = e->key[0] && !corpus_same_key(e->key, result->key);
    char where[300];

    if (another)
        printf("REGRESSION %s diverges, with another key than its own: %s\n", e->label, e->title);
    else if (s->stage == STAGE_CRASHING)
        printf("REGRESSION %s is not fixed yet: %s\n", e->label, e->title);
    else if (s->stage == STAGE_INCUBATING)
        printf("REGRESSION %s diverges again, after %u clean builds: %s\n", e->label, s->nbuilds, e->title);
    else
        printf("REGRESSION %s is back: %s\n", e->label, e->title);
    printf("  file:     %s\n", e->path);
    print_lines("story:", e->story);
    if (another)
        printf("  key:      %s (it was found as %s)\n", result->key, e->key);
    else
        printf("  key:      %s\n", result->key);
    if (result->end == REPLAY_DIVERGED) {
        corpus_where(&e->scenario, result->record, where);
        printf("  where:    %s\n  expected: %s\n  actual:   %s\n", where, result->expected, result->actual);
    }
    /* The story of one that was just promoted ends with that. */
    snprintf(where, 60, "%.*s", (int)strcspn(result->detail, "\n"), result->detail);
    if (!strstr(e->story, where))
        print_lines("", result->detail);
    print_more("explain", e, core);
}

static void print_otherwise(const struct corpus_entry *e, const struct comparison *c, bool found, const char *core)
{
    printf("REGRESSION %s ends otherwise: %s\n", e->label, e->title);
    printf("  file:     %s\n", e->path);
    print_lines("story:", e->story);
    printf("  expected: %s\n  actual:   %s\n", c->expected, c->actual);
    print_more("repro --endings", e, core);
    if (found)
        printf(
            "  What is expected was seen when it diverged; faultline promote --advance writes down how it ends now.\n");
}

static void print_entry(const struct regress *r, const struct corpus_entry *e, const struct held *h)
{
    switch (h->verdict) {
    case HELD:
        if (!r->options.quiet)
            printf("%s %s: holds, %" PRIu64 " events, %u endings\n", e->label, e->title, h->result.events,
                   h->comparison.lines);
        if (e->state.stage == STAGE_CRASHING)
            printf("%s %s: clean now; faultline promote --advance counts this build\n", e->label, e->title);
        break;
    case LEFT_OUT:
        printf("%s %s: left out: %s%s\n", e->label, e->title,
               *replay_lacks(r->replayer) ? "the core lacks " : "it needs an executor, and there is none",
               replay_lacks(r->replayer));
        break;
    case DIVERGED: print_divergence(e, &h->result, r->options.core); break;
    case OTHERWISE: print_otherwise(e, &h->comparison, e->state.stage == STAGE_CRASHING, r->options.core); break;
    case NO_EXPECT:
        printf("REGRESSION %s has no %s beside it: faultline promote --advance writes it\n", e->label,
               strrchr(e->expect, '/') + 1);
        break;
    case INCOMPLETE:
        printf("REGRESSION %s: %s is incomplete; faultline promote --advance completes it\n", e->label, e->expect);
        break;
    case NOTHING:
        printf("REGRESSION %s judges nothing: no event in %s is one that a target judges\n", e->label, e->path);
        break;
    default:
        printf("REGRESSION %s cannot be judged: %s: %s\n", e->label, e->path,
               h->result.detail[0] ? h->result.detail : "its .expect cannot be read");
    }
}

static void add_result(struct regress *r, const struct corpus_entry *e, const struct held *h)
{
    json_t *entry = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:i}", "number", (int)e->number, "file", e->path,
                              "title", e->title, "story", e->story, "state",
                              stage_name(e->state.stage == STAGE_NONE ? STAGE_REGRESSION : e->state.stage), "verdict",
                              verdict_names[h->verdict], "events", (json_int_t)h->result.events, "endings",
                              (int)h->comparison.lines);

    if (!entry) /* a name that is no UTF-8 */
        entry = json_pack("{s:i, s:s}", "number", (int)e->number, "verdict", verdict_names[h->verdict]);
    if (h->result.key[0])
        json_object_update_new(entry, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "key", h->result.key, "finding",
                                                e->key, "expected", h->result.expected, "actual", h->result.actual,
                                                "detail", h->result.detail, "record", (int)h->result.record + 1));
    if (h->verdict == OTHERWISE)
        json_object_update_new(
            entry, json_pack("{s:s, s:s}", "expected", h->comparison.expected, "actual", h->comparison.actual));
    json_array_append_new(r->results, entry);
}

static void run_folder(struct regress *r, const char *path)
{
    struct corpus corpus;

    if (!corpus_read(path, &corpus)) {
        r->wrong++;
        return;
    }
    r->wrong += corpus.wrong;
    for (size_t i = 0; i < corpus.n; i++) {
        const struct corpus_entry *e = &corpus.entries[i];
        struct held h;

        hold(r, e, &h);
        r->scenarios++;
        r->count[h.verdict]++;
        r->moved += h.verdict == HELD && (e->state.stage == STAGE_CRASHING || e->state.stage == STAGE_INCUBATING);
        if (r->results)
            add_result(r, e, &h);
        else
            print_entry(r, e, &h);
    }
    corpus_free(&corpus);
}

static int finish(struct regress *r)
{
    unsigned held = r->count[HELD], left_out = r->count[LEFT_OUT], failed = r->scenarios - held - left_out;

    if (r->results) {
        json_t *all = json_pack("{s:s, s:s?, s:i, s:i, s:i, s:i, s:o}", "executor", replay_executor(r->replayer),
                                "core", r->options.core, "scenarios", (int)r->scenarios, "held", (int)held, "failed",
                                (int)failed, "left_out", (int)left_out, "results", r->results);

        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else {
        printf("%u regressions: %u hold, %u do not, %u left out; %" PRIu64 " events judged, %" PRIu64
               " endings compared\n",
               r->scenarios, held, failed, left_out, r->events, r->lines);
    }
    if (failed)
        return EXIT_FINDINGS;
    if (!r->wrong && !held)
        complain("nothing was judged: there is no regression here%s", left_out ? " that does without an executor" : "");
    return r->wrong || !held ? EXIT_INPUT : EXIT_CLEAN;
}

int regress_run(char *const *paths, size_t n, const struct regress_options *options)
{
    struct replay_options replay = {.core = options->core, .executor = options->executor, .decoders = true};
    struct regress r = {.options = *options};
    char why[512], *own = NULL;
    int code;

    if (n == 0 && !(own = corpus_default()))
        return EXIT_INPUT;
    r.replayer = replay_open(&replay, why);
    if (!r.replayer) {
        complain("%s", why);
        free(own);
        return EXIT_INPUT;
    }
    r.has_executor = strncmp(replay_executor(r.replayer), "none", 4) != 0;
    r.results = options->json ? json_array() : NULL;
    if (!options->json && !options->quiet)
        printf("executor: %s\n", replay_executor(r.replayer));
    for (size_t i = 0; i < (own ? 1 : n); i++)
        run_folder(&r, own ? own : paths[i]);
    code = finish(&r);
    replay_close(r.replayer);
    free(own);
    return code;
}
