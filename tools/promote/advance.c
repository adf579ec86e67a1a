/* SPDX-License-Identifier: MIT */
/*
 * From crashing to incubating to regression, one clean build after another. The states are those of the scenarios' own
 * comments; a campaign's database, where there is one, is told, and nothing is lost without it.
 */
#include "promote.h"
#include "../command.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct advance {
    const struct promote *p;
    struct store *store; /* NULL: there is no campaign */
    bool has_executor;
    unsigned clean, diverged, left_out, failed, moved;
    json_t *results;
};

static bool counted(const struct corpus_state *s, const char *build)
{
    for (unsigned i = 0; i < s->nbuilds; i++)
        if (strcmp(s->builds[i], build) == 0)
            return true;
    return false;
}

/* The state after a clean replay under this build. */
static struct corpus_state after_clean(const struct promote *p, const struct corpus_state *now)
{
    struct corpus_state next = *now;

    if (now->stage == STAGE_CRASHING) {
        next = (struct corpus_state){.stage = STAGE_INCUBATING};
        memcpy(next.since, p->build, sizeof next.since);
    }
    if (next.stage != STAGE_INCUBATING)
        return next;
    if (!counted(&next, p->build) && next.nbuilds < CORPUS_BUILDS)
        memcpy(next.builds[next.nbuilds++], p->build, sizeof next.builds[0]);
    if (next.nbuilds >= p->builds) {
        next = (struct corpus_state){.stage = STAGE_REGRESSION};
        memcpy(next.since, p->build, sizeof next.since);
    }
    return next;
}

static struct corpus_state after_divergence(const struct promote *p, const struct corpus_state *now)
{
    struct corpus_state next = *now;

    /* What has not come far enough begins again. A regression stays one: it is back, and its story does not change. */
    if (now->stage == STAGE_INCUBATING) {
        next = (struct corpus_state){.stage = STAGE_CRASHING};
        memcpy(next.since, p->build, sizeof next.since);
    }
    return next;
}

/* The bucket, where a campaign has it. False: it complained. */
static bool tell_store(const struct advance *a, const struct corpus_entry *e, const struct corpus_state *next,
                       bool clean)
{
    struct bucket b;
    bool found, ok;

    if (!a->store || !e->key[0])
        return true;
    if (!store_begin(a->store))
        return false;
    if (!store_bucket_get(a->store, e->key, &b, &found)) {
        store_rollback(a->store);
        return false;
    }
    if (!found || b.number != e->number)
        return store_commit(a->store);
    b.stage = next->stage;
    if (clean) {
        ok = store_clean_build(a->store, b.key, store_build(a->store), &b.clean_builds);
        b.clean_builds = next->nbuilds; /* the scenario's own comment decides; REGRESSION has none */
        if (b.status == BUCKET_OPEN || b.status == BUCKET_REGRESSION) {
            b.status = BUCKET_FIXED;
            snprintf(b.reason, sizeof b.reason, "regression %s is clean under %s", e->label, a->p->build);
        }
    } else {
        ok = store_clean_builds_reset(a->store, b.key);
        b.clean_builds = 0;
        /* Invalid and duplicate is what somebody decided: that stays. */
        if (b.status == BUCKET_OPEN || b.status == BUCKET_FIXED || b.status == BUCKET_REGRESSION) {
            enum bucket_status before = b.status;

            b.status = next->stage == STAGE_CRASHING ? BUCKET_OPEN : BUCKET_REGRESSION;
            /* What bisect or a person has noted about an open one is still true. */
            if (b.status != before || !b.reason[0])
                snprintf(b.reason, sizeof b.reason, "regression %s diverges under %s: %s", e->label, a->p->build,
                         e->title);
        }
    }
    if (ok && store_bucket_put(a->store, &b))
        return store_commit(a->store);
    store_rollback(a->store);
    return false;
}

/* Brings .expect up to date where that is due: it is complete as soon as the scenario is clean. False: it complained. */
static bool complete(const struct advance *a, const struct corpus_entry *e)
{
    const char *endings = replay_endings(a->p->replayer);
    struct comparison c;
    enum expected found = expect_compare(e->expect, endings, &c);
    size_t size;
    char *text;
    bool ok;

    if (found == EXPECTED_SAME)
        return true;
    /* What was agreed on is not rewritten: that is the regression. */
    if (found == EXPECTED_OTHER && e->state.stage != STAGE_CRASHING) {
        complain("%s: ends otherwise than expected: \"%s\", not \"%s\"; if that is right, remove %s and run this again",
                 e->path, c.actual, c.expected, e->expect);
        return false;
    }
    if (found == EXPECTED_BROKEN)
        return false;
    text = expect_complete(endings, &size);
    ok = write_atomically(e->expect, text, size);
    free(text);
    if (ok && !a->results)
        printf("%s %s: wrote %s\n", e->label, e->title, e->expect);
    return ok;
}

static void say(struct advance *a, const struct corpus_entry *e, const struct corpus_state *next, const char *what,
                const struct replay_result *result)
{
    bool moved = next->stage != e->state.stage;

    if (a->results) {
        json_array_append_new(a->results,
                              json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "number", (int)e->number, "file",
                                        e->path, "before", stage_name(e->state.stage), "state", stage_name(next->stage),
                                        "verdict", what, "clean_builds", (int)next->nbuilds, "key", result->key));
        return;
    }
    printf("%s %s: %s, %s%s%s", e->label, e->title, what, stage_name(e->state.stage), moved ? " -> " : "",
           moved ? stage_name(next->stage) : "");
    if (next->stage == STAGE_INCUBATING)
        printf(" (%u of %u clean builds)", next->nbuilds, a->p->builds);
    printf("%s%s\n", result->key[0] ? ": " : "", result->key);
}

static void take(struct advance *a, const struct corpus_entry *e)
{
    struct replay_result result = {0};
    struct corpus_state next = e->state;
    bool clean, ok = true;
    size_t size;
    char *text;

    if (!a->has_executor && corpus_needs_executor(&e->scenario)) {
        a->left_out++;
        say(a, e, &next, "left out for want of an executor", &result);
        return;
    }
    replay_run(a->p->replayer, &e->scenario, FL_TARGET_ALL, &result);
    clean = result.end == REPLAY_CLEAN;
    if (result.end == REPLAY_NOTHING || result.end == REPLAY_UNABLE || result.end == REPLAY_EXECUTOR_DIED) {
        complain("%s: cannot be judged: %s", e->path, result.detail[0] ? result.detail : "no event in it is judged");
        a->failed++;
        return;
    }
    a->clean += clean;
    a->diverged += !clean;
    /* Another finding is no news of this one: neither its state nor its bucket changes. */
    if (!clean && e->key[0] && !corpus_same_key(e->key, result.key)) {
        say(a, e, &next, "diverges with another key", &result);
        if (!a->results)
            printf("  it was found as %s; neither its state nor its bucket changes\n", e->key);
        return;
    }
    /* Which of what is here came from before there were states is not told one by one. */
    if (e->state.stage == STAGE_NONE && clean) {
        a->failed += !complete(a, e);
        return;
    }
    next = clean ? after_clean(a->p, &e->state) : after_divergence(a->p, &e->state);
    /* .expect first: a state that says clean has it complete. */
    if (clean)
        ok = complete(a, e);
    if (ok && memcmp(&next, &e->state, sizeof next) != 0) {
        text = state_replace(e, &next, &size);
        ok = write_atomically(e->path, text, size);
        free(text);
        a->moved += ok;
    }
    if (!ok || !tell_store(a, e, &next, clean)) {
        a->failed++;
        return;
    }
    say(a, e, &next, clean ? "clean" : "diverges", &result);
    if (!clean && !a->results && (next.stage == STAGE_REGRESSION || next.stage == STAGE_NONE))
        printf("REGRESSION %s is back: %s\n%s", e->label, e->title, e->story);
}

int promote_advance(const struct promote *p)
{
    struct advance a = {.p = p, .has_executor = strncmp(replay_executor(p->replayer), "none", 4) != 0};
    struct corpus corpus;
    int lock = promote_lock(p->corpus), code = EXIT_INPUT;

    if (lock < 0)
        return EXIT_INPUT;
    if (*replay_lacks(p->replayer)) {
        complain("%s: lacks %s: only a whole core counts as a clean build", p->core, replay_lacks(p->replayer));
        close(lock);
        return EXIT_INPUT;
    }
    if (store_is_folder(p->dir) && !(a.store = store_open(p->dir, STORE_WRITE))) {
        close(lock);
        return EXIT_INPUT;
    }
    if (a.store)
        store_use_core(a.store, p->core);
    if (corpus_read(p->corpus, &corpus)) {
        a.results = p->json ? json_array() : NULL;
        for (size_t i = 0; i < corpus.n; i++)
            take(&a, &corpus.entries[i]);
        a.failed += corpus.wrong;
        if (a.results) {
            json_t *all =
                json_pack("{s:s, s:i, s:i, s:i, s:i, s:o}", "build", p->build, "clean", (int)a.clean, "diverged",
                          (int)a.diverged, "left_out", (int)a.left_out, "changed", (int)a.moved, "results", a.results);

            json_dumpf(all, stdout, JSON_INDENT(2));
            putchar('\n');
            json_decref(all);
        } else {
            printf("%u clean, %u diverge, %u left out, under %s\n", a.clean, a.diverged, a.left_out, p->build);
        }
        if (!a.failed && !a.clean && !a.diverged)
            complain("%s: nothing here was judged", p->corpus);
        code = a.failed || (!a.clean && !a.diverged) ? EXIT_INPUT : a.diverged ? EXIT_FINDINGS : EXIT_CLEAN;
        corpus_free(&corpus);
    }
    if (a.store)
        store_close(a.store);
    close(lock);
    return code;
}
