/* SPDX-License-Identifier: MIT */
/* From a bucket of a campaign to a scenario of the regressions. */
#include "promote.h"
#include "../command.h"
#include "../triage/triage.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SLUG_LENGTH 60
#define TEXT_WIDTH  118

int promote_lock(const char *corpus)
{
    int fd = open(corpus, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || faccessat(AT_FDCWD, corpus, W_OK | X_OK, AT_EACCESS) != 0) {
        complain("%s: cannot write regressions here: %s; --corpus names another folder", corpus, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    return fd;
}

char *promote_slug(const char *title)
{
    const char *end = strstr(title, " where "); /* what it should be: too long for a name */
    char *out = format_text("%s", title);
    size_t n = 0, word = 0;

    for (const char *p = title; *p && p != end && n < SLUG_LENGTH; p++) {
        if (isalnum((unsigned char)*p))
            out[n++] = (char)tolower((unsigned char)*p);
        else if (n && out[n - 1] != '-')
            out[word = n++] = '-';
    }
    if (n == SLUG_LENGTH && word) /* whole words only */
        n = word;
    while (n && out[n - 1] == '-')
        n--;
    out[n] = 0;
    if (!n) {
        free(out);
        return format_text("finding");
    }
    return out;
}

/* ---- may it be promoted? ------------------------------------------------------------------------------------------- */

static const struct corpus_entry *numbered(const struct corpus *corpus, unsigned number)
{
    for (size_t i = 0; number && i < corpus->n; i++)
        if (corpus->entries[i].number == number)
            return &corpus->entries[i];
    return NULL;
}

static bool may_be(const struct promote *p, const struct bucket *b, const struct corpus *corpus)
{
    const struct corpus_entry *there = numbered(corpus, b->number);

    if (b->aside)
        return complain("%s: is left aside: no finding about the tested code, and nothing to promote", b->key), false;
    if (b->status == BUCKET_DUPLICATE)
        return complain("%s: is a duplicate of %s: promote that one", b->key, b->duplicate_of), false;
    if (b->status == BUCKET_INVALID)
        return complain("%s: is marked invalid (%s)", b->key, b->reason[0] ? b->reason : "no reason given"), false;
    if (there && corpus_same_key(there->key, b->key))
        return complain("%s: is promoted already: %s", b->key, there->path), false;
    if (p->number && (there = numbered(corpus, p->number)))
        return complain("number %u is taken by %s", p->number, there->path), false;
    return true;
}

/* A scenario that is there already, or one of the same key that diverges as well: it is that one, come back. */
static bool is_new(const struct promote *p, const struct bucket *b, const struct corpus *corpus,
                   const struct fl_scenario *s)
{
    static uint8_t ours[FL_SCENARIO_MAX_BYTES], theirs[FL_SCENARIO_MAX_BYTES];
    size_t size = fl_scenario_encode(s, ours, sizeof ours);
    struct replay_result result;

    for (size_t i = 0; i < corpus->n; i++) {
        const struct corpus_entry *e = &corpus->entries[i];

        if (fl_scenario_encode(&e->scenario, theirs, sizeof theirs) == size && memcmp(ours, theirs, size) == 0)
            return complain("%s: the very same scenario is there: %s", b->key, e->path), false;
        if (!corpus_same_key(e->key, b->key))
            continue;
        replay_run(p->replayer, &e->scenario, FL_TARGET_ALL, &result);
        if (corpus_same_key(result.key, b->key))
            return complain("%s: %s has this key and diverges with it: it is that one %s", b->key, e->path,
                            e->state.stage == STAGE_CRASHING ? "still" : "come back"),
                   false;
    }
    return true;
}

/* ---- the scenario -------------------------------------------------------------------------------------------------- */

/* As everybody who replays the corpus sees it: N of N with the bucket's key. */
static bool reproduces(const struct promote *p, const struct bucket *b, const struct fl_scenario *s,
                       struct replay_result *result)
{
    unsigned same = 0;

    for (unsigned i = 0; i < TRIAGE_TRIES; i++) {
        struct replay_result now;

        replay_run(p->replayer, s, FL_TARGET_ALL, &now);
        if (now.end == REPLAY_UNABLE)
            return complain("%s: cannot be replayed: %s", b->key, now.detail), false;
        same += corpus_same_key(now.key, b->key);
        if (i == 0 || !corpus_same_key(now.key, b->key))
            *result = now;
    }
    if (same == TRIAGE_TRIES)
        return true;
    complain("%s: reproduces %u of %d times under %s (%s): fixed, or a matter of chance; not promoted", b->key, same,
             TRIAGE_TRIES, p->build, result->key[0] ? result->key : "clean");
    return false;
}

static bool load(const struct promote *p, struct store *store, struct bucket *b, struct fl_scenario *s,
                 struct replay_result *result)
{
    char *path;
    bool changed, ok;

    if (!b->file[0])
        return complain("%s: no scenario is stored for it; faultline triage takes its artifacts up again", b->key),
               false;
    path = format_text("%s/%s", p->dir, b->file);
    ok = load_scenario(path, s);
    free(path);
    if (!ok)
        return false;
    replay_drop_skipped(s, b->target);
    if (!reproduces(p, b, s, result))
        return false;
    if (b->minimised)
        return true;
    if (!triage_minimise(store, p->replayer, b, &changed))
        return false;
    path = format_text("%s/%s", p->dir, b->file);
    ok = load_scenario(path, s);
    free(path);
    if (!ok)
        return false;
    replay_drop_skipped(s, b->target);
    return reproduces(p, b, s, result);
}

/* text as comment lines of a limited width. */
static void comment(FILE *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n"), take = n;

        if (take > TEXT_WIDTH - 2) {
            for (take = TEXT_WIDTH - 2; take && text[take] != ' '; take--)
                ;
            if (!take)
                take = n < 900 ? n : 900;
        }
        if (take)
            fprintf(out, "# %.*s\n", (int)take, text);
        text += take;
        text += strspn(text, take < n ? " " : "\n");
    }
}

static char *scenario_text(const struct promote *p, const struct bucket *b, const struct fl_scenario *s,
                           const struct replay_result *result, size_t *size)
{
    struct corpus_state state = {.stage = STAGE_CRASHING};
    char *body = NULL, *text = NULL, *sentence, line[1000], where[300];
    size_t body_size, first;
    FILE *out = open_memstream(&body, &body_size);

    if (!out || (fl_scenario_print(s, out), fclose(out)) != 0 || !(out = open_memstream(&text, size))) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    first = strcspn(body, "\n");
    first += body[first] == '\n';
    fwrite(body, 1, first, out);
    sentence = format_text("%s.", b->title[0] ? b->title : b->key);
    sentence[0] = (char)toupper((unsigned char)sentence[0]);
    comment(out, sentence);
    free(sentence);
    if (result->end == REPLAY_DIVERGED) {
        corpus_where(s, result->record, where);
        sentence = format_text("At %s: %s was expected, and it was %s.", where, result->expected, result->actual);
        comment(out, sentence);
        free(sentence);
    }
    comment(out, result->detail);
    sentence = format_text("found by: %s, after %.0f s, under %s", b->found_by[0] ? b->found_by : "a campaign",
                           b->after, b->first_build[0] ? b->first_build : p->build);
    comment(out, sentence);
    free(sentence);
    memcpy(state.since, p->build, sizeof state.since);
    state_print(&state, line);
    fprintf(out, "# finding: %s\n# state: %s\n%s", b->key, line, body + first);
    free(body);
    fclose(out);
    return text;
}

/* ---- written ------------------------------------------------------------------------------------------------------- */

static bool write_pair(const struct promote *p, const struct bucket *b, const struct fl_scenario *s,
                       const struct replay_result *result, unsigned number, const char *slug, char **scn)
{
    char *expect = format_text("%s/%04u-%s.expect", p->corpus, number, slug), *why, *text;
    size_t size;
    bool ok;

    *scn = format_text("%s/%04u-%s.scn", p->corpus, number, slug);
    why = format_text("it diverged when it was promoted, under %s; what comes behind is not known", p->build);
    /* A divergence of the whole says of no event that it ended as it should. */
    text =
        expect_incomplete(replay_endings(p->replayer), result->record < s->nrecords ? result->record : 0, why, &size);
    ok = write_atomically(expect, text, size);
    free(text);
    free(why);
    if (ok) {
        text = scenario_text(p, b, s, result, &size);
        ok = write_atomically(*scn, text, size);
        if (!ok)
            unlink(expect);
        free(text);
    }
    free(expect);
    return ok;
}

/* Only what promoting changes: the rest may be another than it was when this began. False: it complained. */
static bool note(struct store *store, const char *key, unsigned number)
{
    struct bucket now;
    bool found;

    if (!store_begin(store))
        return false;
    if (store_bucket_get(store, key, &now, &found)) {
        now.number = number;
        now.stage = STAGE_CRASHING;
        now.clean_builds = 0;
        if (found && store_clean_builds_reset(store, key) && store_bucket_put(store, &now))
            return store_commit(store);
    }
    store_rollback(store);
    return false;
}

static int store_it(const struct promote *p, struct store *store, struct bucket *b, const struct corpus *corpus)
{
    static struct fl_scenario s;
    unsigned number = p->number ? p->number : corpus->last + 1;
    char *slug, *path = NULL;
    struct replay_result result;
    bool written;

    /* Once more at the end: the endings that are written are those of the last replay. */
    if (!may_be(p, b, corpus) || !load(p, store, b, &s, &result) || !is_new(p, b, corpus, &s) ||
        !reproduces(p, b, &s, &result))
        return EXIT_INPUT;
    slug = p->slug ? format_text("%s", p->slug) : promote_slug(b->title[0] ? b->title : b->key);
    written = write_pair(p, b, &s, &result, number, slug, &path);
    if (written) {
        if (!note(store, b->key, number))
            complain("%s is written, and the campaign does not know it: promote --list and --advance go on without",
                     path);
        if (p->json) {
            json_t *said = json_pack("{s:s, s:i, s:s, s:s}", "key", b->key, "number", (int)number, "file", path,
                                     "state", stage_name(STAGE_CRASHING));

            json_dumpf(said, stdout, JSON_INDENT(2));
            putchar('\n');
            json_decref(said);
        } else
            printf("promoted %s: %s\n  crashing since %s; it fails the regressions until it is fixed\n", b->key, path,
                   p->build);
    }
    free(slug);
    free(path);
    return written ? EXIT_CLEAN : EXIT_INPUT;
}

int promote_key(const struct promote *p, const char *key)
{
    struct store *store = store_open(p->dir, STORE_WRITE);
    struct corpus corpus;
    struct bucket b;
    int code = EXIT_INPUT, lock;

    if (!store)
        return EXIT_INPUT;
    store_use_core(store, p->core);
    /* The bucket as it is when nobody else promotes any more. */
    if ((lock = promote_lock(p->corpus)) >= 0) {
        if (store_bucket_find(store, key, &b) && corpus_read(p->corpus, &corpus)) {
            if (corpus.wrong)
                complain("%s: put that right first; nothing was promoted", p->corpus);
            else
                code = store_it(p, store, &b, &corpus);
            corpus_free(&corpus);
        }
        close(lock);
    }
    store_close(store);
    return code;
}
