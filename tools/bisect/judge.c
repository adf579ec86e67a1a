/* SPDX-License-Identifier: MIT */
/* One revision: clean, diverges with the key, or neither can be said of it. */
#include "bisect.h"
#include "../command.h"
#include "../promote/corpus.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPRO_SECONDS 120

static enum said by_key(struct bisect *b, const char *key, char why[512])
{
    if (!b->key[0])
        snprintf(b->key, sizeof b->key, "%s", key);
    if (corpus_same_key(b->key, key))
        return SAID_DIVERGES;
    snprintf(why, 512, "diverges with another key, %s", key);
    return SAID_NOTHING;
}

/* That revision's core, and the oracles that we have now. */
static enum said judge_core(struct bisect *b, const char *so, char why[512])
{
    struct replay_options options = {.core = so, .executor = b->executor, .decoders = true};
    struct replayer *r = replay_open(&options, why);
    struct replay_result result;
    char lacks[200];

    if (!r)
        return SAID_NOTHING;
    replay_run(r, &b->scenario, b->target, &result);
    snprintf(lacks, sizeof lacks, "%s", replay_lacks(r));
    replay_close(r);
    switch (result.end) {
    case REPLAY_CLEAN: return SAID_CLEAN;
    case REPLAY_DIVERGED:
    case REPLAY_CRASHED:
    case REPLAY_HUNG: return by_key(b, result.key, why);
    case REPLAY_NOTHING:
        snprintf(why, 512, "no event of the scenario is judged%s%s", lacks[0] ? ": its core lacks " : "", lacks);
        return SAID_NOTHING;
    default: snprintf(why, 512, "cannot be replayed: %.400s", result.detail); return SAID_NOTHING;
    }
}

static enum said read_answer(struct bisect *b, const char *text, char why[512])
{
    json_error_t error;
    json_t *all = json_loads(text, 0, &error), *one = json_array_get(json_object_get(all, "results"), 0);
    const char *key = json_string_value(json_object_get(one, "key"));
    enum said said = SAID_NOTHING;

    if (json_is_true(json_object_get(one, "diverged")) && key)
        said = by_key(b, key, why);
    else if (json_is_false(json_object_get(one, "diverged")) && json_integer_value(json_object_get(one, "events")) > 0)
        said = SAID_CLEAN;
    else
        snprintf(why, 512, "its faultline repro --json says nothing of the scenario");
    json_decref(all);
    return said;
}

/* That revision's program, with its own oracles. */
static enum said judge_whole(struct bisect *b, const char *program, char why[512])
{
    char *scn = format_text("%s/scenario.scn", b->work), *text = NULL, *out, error[300];
    const char *argv[] = {
        "env",    "-u",       "FAULTLINE_CORE",          program, "repro",
        "--json", "--target", fl_target_name(b->target), scn,     b->executor ? NULL : "--no-executor",
        NULL};
    enum said said = SAID_NOTHING;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    int code;

    if (!to || (fl_scenario_print(&b->scenario, to), fclose(to)) != 0 || !write_atomically(scn, text, size)) {
        snprintf(why, 512, "%s cannot be written", scn);
    } else {
        code = program_run(&(struct run){.argv = argv, .out = &out, .error = error, .seconds = REPRO_SECONDS});
        if (code == EXIT_CLEAN || code == EXIT_FINDINGS) {
            said = read_answer(b, out, why);
        } else if (code == RUN_STOPPED || code == RUN_TOO_LONG) {
            /* What replay calls it, so that the key of a crash or a hang is met. */
            const char *kind = code == RUN_TOO_LONG ? "hang" : "crash";
            char key[STORE_KEY];

            snprintf(key, sizeof key, "%s/%s", kind, fl_target_name(b->target));
            if (strncmp(b->key, kind, strlen(kind)) == 0)
                said = SAID_DIVERGES;
            else
                said = by_key(b, key, why);
        } else {
            snprintf(why, 512, "its faultline repro does not take the scenario: %s", error);
        }
        free(out);
    }
    free(text);
    free(scn);
    return said;
}

static const struct verdict_row *known(const struct bisect *b, const char *content)
{
    for (size_t i = 0; i < b->nknown; i++)
        if (strcmp(b->known[i].content, content) == 0)
            return &b->known[i];
    return NULL;
}

enum said judge_revision(struct bisect *b, const char *id, char why[512])
{
    char content[REVISION], so[4096];
    const struct verdict_row *row;
    struct verdict_row *more;
    enum said said = SAID_NOTHING;

    why[0] = 0;
    if (!git_content(&b->git, id, content) || !content[0]) {
        snprintf(why, 512, "has no %s/", b->git.path ? b->git.path : ".");
        return SAID_NOTHING;
    }
    if ((row = known(b, content))) {
        snprintf(why, 512, "%s", row->why);
        return row->said;
    }
    if (build_revision(b, id, so, why))
        said = b->whole ? judge_whole(b, so, why) : judge_core(b, so, why);
    if (program_interrupted())
        return SAID_NOTHING;
    b->tested++;
    b->skipped += said == SAID_NOTHING;
    more = realloc(b->known, (b->nknown + 1) * sizeof *more);
    if (!more) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    b->known = more;
    more[b->nknown] = (struct verdict_row){.said = said};
    memcpy(more[b->nknown].content, content, sizeof content);
    memcpy(more[b->nknown].why, why, sizeof more->why);
    b->nknown++;
    return said;
}
