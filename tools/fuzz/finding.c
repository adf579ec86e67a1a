/* SPDX-License-Identifier: MIT */
/*
 * From an engine's artifact to a finding. The artifact is replayed (tools/replay), which answers the divergence's key and
 * text; the scenario is stored as .scn text under the key's name, one file per key. The artifact
 * itself is moved beside it, so that an artifact still in the task's folder is one that nobody has looked at yet: a
 * campaign that was killed takes it up at its next start.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A replay, and what it is worth here. aside: the engine stopped, but not for the tested code: an executor crashed by its own
 * doing, or a slow machine ran into a time or memory limit that the replay does not meet. */
struct replayed {
    struct replay_result result;
    bool aside;
};

/* base: the artifact's name. limit: the engine says that the input took too long or too much memory. */
static void replay(const struct fuzz *c, const struct task *t, const struct fl_scenario *s, const char *base,
                   bool limit, struct replayed *r)
{
    struct replay_result *got = &r->result;

    replay_run(c->replayer, s, t->run.target, got);
    r->aside = got->end == REPLAY_EXECUTOR_DIED;
    if (got->end != REPLAY_CLEAN && got->end != REPLAY_NOTHING)
        return;
    /* libFuzzer's process is gone; it died inside the executor, and the same input does no harm to a fresh one. */
    if (!limit && t->run.engine == ENGINE_LIBFUZZER && t->stats->in_executor) {
        r->aside = true;
        snprintf(got->key, sizeof got->key, "executor-crash/unicorn/unreproduced");
        snprintf(got->detail, sizeof got->detail,
                 "the process died inside the executor (%s), and a replay does not: the executor's own trouble; see %s",
                 base, t->log);
        return;
    }
    r->aside = limit;
    snprintf(got->key, sizeof got->key, "unreproduced/%s%s", limit ? "limit/" : "", fl_target_name(t->run.target));
    snprintf(got->detail, sizeof got->detail, "the engine stopped on this input (%s), the replay found nothing; see %s",
             base, t->log);
}

/* The text of a finding: the story as comments, then the scenario. */
static char *finding_text(const struct task *t, const struct fl_scenario *s, const struct replay_result *r,
                          size_t *size)
{
    char *text = NULL, line[256];
    FILE *out = open_memstream(&text, size);

    if (!out) {
        fprintf(stderr, "faultline: out of memory\n");
        exit(EXIT_INTERNAL);
    }
    /* The format's first line comes first; the story goes behind it. */
    char *body = NULL, *rest;
    size_t body_size;
    FILE *b = open_memstream(&body, &body_size);
    fl_scenario_print(s, b);
    fclose(b);
    rest = strchr(body, '\n');
    rest = rest ? rest + 1 : body;
    fwrite(body, 1, (size_t)(rest - body), out);
    fprintf(out, "# finding: %s\n# found by: %s\n", r->key, t->name);
    for (const char *p = r->detail; *p;) {
        size_t n = strcspn(p, "\n");

        fprintf(out, "# %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
    if (r->end == REPLAY_DIVERGED && r->record < s->nrecords) {
        fl_record_print(&s->records[r->record], line, sizeof line);
        fprintf(out, "# at record %u: %s\n", r->record + 1, line);
    }
    fputs(rest, out);
    free(body);
    fclose(out);
    return text;
}

static struct finding *find(struct fuzz *c, const char *key)
{
    for (unsigned i = 0; i < c->nfindings; i++)
        if (strcmp(c->findings[i].key, key) == 0)
            return &c->findings[i];
    return NULL;
}

/* Stores a finding with a new key. NULL: it could not be stored (it complained). */
static struct finding *store(struct fuzz *c, const struct task *t, const struct fl_scenario *s,
                             const struct replayed *r)
{
    struct finding *f = &c->findings[c->nfindings];
    char *folder = format_text("%s/%s", c->out, r->aside ? "left-aside" : "findings"), name[256], *text;
    size_t size;
    bool ok;

    memset(f, 0, sizeof *f);
    snprintf(f->key, sizeof f->key, "%s", r->result.key);
    snprintf(f->task, sizeof f->task, "%s", t->name);
    snprintf(f->detail, sizeof f->detail, "%s", r->result.detail);
    f->after = c->now - t->started;
    f->events = t->stats->events;
    f->reproduced = r->result.end != REPLAY_CLEAN && r->result.end != REPLAY_NOTHING && r->result.end != REPLAY_UNABLE;
    f->aside = r->aside;
    key_slug(r->result.key, name);
    f->path = format_text("%s/%s.scn", folder, name);
    text = finding_text(t, s, &r->result, &size);
    ok = make_folder(folder) && write_atomically(f->path, text, size);
    free(text);
    free(folder);
    if (!ok) {
        free(f->path);
        return NULL;
    }
    c->nfindings++;
    if (!c->json)
        fprintf(stderr, "%sfaultline: %s %s (%s, %.1f s): %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "",
                f->aside ? "left aside" : "finding", f->key, t->name, f->after, f->path);
    return f;
}

/* Moves the artifact out of the way of the next look. */
static void put_away(const struct fuzz *c, const struct task *t, const char *artifact, const char *base)
{
    char *folder = format_text("%s/artifacts", c->out), *to = format_text("%s/%s-%s", folder, t->name, base);

    if (make_folder(folder) && rename(artifact, to) != 0)
        complain("%s: cannot move it: %s", artifact, strerror(errno));
    free(to);
    free(folder);
}

static void take_up(struct fuzz *c, struct task *t, const char *artifact, bool limit)
{
    static struct fl_scenario scenario;
    const char *base = strrchr(artifact, '/') + 1;
    struct replayed r;
    struct finding *f;

    if (!engine_read_artifact(artifact, &scenario)) {
        t->failed = true;
        return;
    }
    replay_drop_skipped(&scenario, t->run.target);
    replay(c, t, &scenario, base, limit, &r);
    f = find(c, r.result.key);
    if (!f && c->nfindings == MAX_FINDINGS) {
        c->lost_findings++;
    } else if (!f && !(f = store(c, t, &scenario, &r))) {
        complain("the input stays at %s", artifact);
        t->failed = t->stopped = true;
        snprintf(t->why, sizeof t->why, "found something that could not be stored");
        c->lost_findings++;
        return;
    }
    if (f) {
        f->count++;
        if (++t->seen[f - c->findings] >= SAME_KEY_LIMIT)
            t->stopped = true;
    }
    put_away(c, t, artifact, base);
}

struct collecting {
    struct fuzz *c;
    struct task *t;
};

static void collect_one(const char *path, bool limit, void *ctx)
{
    struct collecting *x = ctx;

    take_up(x->c, x->t, path, limit);
}

unsigned findings_collect(struct fuzz *c, struct task *t)
{
    struct collecting x = {c, t};

    return engine_artifacts(&t->run, collect_one, &x);
}

unsigned findings_count(const struct fuzz *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->nfindings; i++)
        n += !c->findings[i].aside;
    return n;
}
