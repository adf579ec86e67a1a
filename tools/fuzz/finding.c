/* SPDX-License-Identifier: MIT */
/*
 * From an engine's artifact to a finding. The artifact is replayed in a child of its own (it may crash), which answers
 * the divergence's key and text; the scenario is stored as .scn text under the key's name, one file per key. The artifact
 * itself is moved beside it, so that an artifact still in the task's folder is one that nobody has looked at yet: a
 * campaign that was killed takes it up at its next start.
 */
#include "fuzz.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLAY_SECONDS 30

/* What the replaying child sends back; plain bytes through a pipe. */
/* aside: the engine stopped, but not for the tested code: an executor crashed by its own doing, or a slow machine ran into a
 * time or memory limit that the replay does not meet. */
struct replayed {
    bool diverged, aside;
    unsigned record;
    char key[256];
    char detail[480];
};

static _Noreturn void replay(const struct fuzz *c, const struct task *t, const struct fl_scenario *s,
                             struct fl_stats *stats, int out)
{
    struct fl_judge_options options = {.target = t->run.target,
                                       .executor = c->executor && t->run.target != FL_TARGET_PREFETCH,
                                       .decoders = true,
                                       .stats = stats};
    struct replayed answer = {0};
    struct fl_divergence d;
    struct fl_judge *j;
    char why[256];

    alarm(REPLAY_SECONDS);
    if (fl_judge_open(&options, &j, why) != FL_OK)
        _exit(EXIT_INTERNAL);
    if (fl_judge_scenario(j, s, &d, &answer.record)) {
        answer.diverged = true;
        fl_divergence_key(&d, answer.key, sizeof answer.key);
        snprintf(answer.detail, sizeof answer.detail, "%s", d.detail);
    }
    _exit(write(out, &answer, sizeof answer) == (ssize_t)sizeof answer ? 0 : 1);
}

/* base: the artifact's name. limit: the engine says that the input took too long or too much memory. */
static void replay_in_child(const struct fuzz *c, const struct task *t, const struct fl_scenario *s, const char *base,
                            bool limit, struct replayed *answer)
{
    struct fl_stats *stats = mmap(NULL, sizeof *stats, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool executor_died;
    int fds[2], status = 0;
    size_t got = 0;
    ssize_t n;
    pid_t pid;

    memset(answer, 0, sizeof *answer);
    if (stats == MAP_FAILED || pipe(fds) != 0 || (pid = fork()) < 0) {
        snprintf(answer->key, sizeof answer->key, "unreplayed/%s", fl_target_name(t->run.target));
        snprintf(answer->detail, sizeof answer->detail, "cannot start the replay: %s", strerror(errno));
        return;
    }
    if (pid == 0) {
        close(fds[0]);
        replay(c, t, s, stats, fds[1]);
    }
    close(fds[1]);
    while ((n = read(fds[0], (char *)answer + got, sizeof *answer - got)) > 0 || (n < 0 && errno == EINTR))
        got += n > 0 ? (size_t)n : 0;
    close(fds[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    executor_died = stats->in_executor != 0;
    munmap(stats, sizeof *stats);
    if (got == sizeof *answer && answer->diverged)
        return;
    answer->diverged = false;
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM && executor_died) {
        answer->aside = true;
        snprintf(answer->key, sizeof answer->key, "executor-crash/unicorn/signal-%d", WTERMSIG(status));
        snprintf(answer->detail, sizeof answer->detail,
                 "the executor itself was ended by signal %d (%s): its own bug, not one of the tested code",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        snprintf(answer->key, sizeof answer->key, "hang/%s", fl_target_name(t->run.target));
        snprintf(answer->detail, sizeof answer->detail, "the replay did not end within %d s", REPLAY_SECONDS);
    } else if (WIFSIGNALED(status)) {
        snprintf(answer->key, sizeof answer->key, "crash/%s/signal-%d", fl_target_name(t->run.target),
                 WTERMSIG(status));
        snprintf(answer->detail, sizeof answer->detail, "the replay was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERNAL) {
        snprintf(answer->key, sizeof answer->key, "unreplayed/%s", fl_target_name(t->run.target));
        snprintf(answer->detail, sizeof answer->detail, "the replay could not start (executor or memory)");
    } else {
        answer->aside = limit;
        snprintf(answer->key, sizeof answer->key, "unreproduced/%s%s", limit ? "limit/" : "",
                 fl_target_name(t->run.target));
        snprintf(answer->detail, sizeof answer->detail,
                 "the engine stopped on this input (%s), the replay found nothing; see %s", base, t->log);
    }
}

static void slug(const char *key, char *out, size_t size)
{
    size_t n = 0;

    for (; *key && n + 1 < size; key++)
        out[n++] = isalnum((unsigned char)*key) || *key == '-' ? *key : '_';
    out[n] = 0;
}

/* The text of a finding: the story as comments, then the scenario. */
static char *finding_text(const struct task *t, const struct fl_scenario *s, const struct replayed *r, size_t *size)
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
    if (r->diverged && r->record < s->nrecords) {
        fl_record_print(&s->records[r->record], line, sizeof line);
        fprintf(out, "# at record %u: %s\n", r->record + 1, line);
    }
    fputs(rest, out);
    free(body);
    fclose(out);
    return text;
}

/* Leaves out the events that the target skips, so that a replay that judges everything sees the same trace. */
static void drop_skipped(struct fl_scenario *s, enum fl_target target)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->nrecords; i++) {
        enum fl_record_kind kind = (enum fl_record_kind)s->records[i].kind;

        if (!fl_record_is_event(kind) || fl_target_judges(target, kind))
            s->records[kept++] = s->records[i];
    }
    s->nrecords = kept;
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
    snprintf(f->key, sizeof f->key, "%s", r->key);
    snprintf(f->task, sizeof f->task, "%s", t->name);
    snprintf(f->detail, sizeof f->detail, "%s", r->detail);
    f->after = c->now - t->started;
    f->events = t->stats->events;
    f->reproduced = r->diverged;
    f->aside = r->aside;
    slug(r->key, name, sizeof name);
    f->path = format_text("%s/%s.scn", folder, name);
    text = finding_text(t, s, r, &size);
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

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
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
    drop_skipped(&scenario, t->run.target);
    replay_in_child(c, t, &scenario, base, limit, &r);
    /* libFuzzer's process is gone; it died inside the executor, and the same input does no harm to a fresh one. */
    if (!r.diverged && !r.aside && t->run.engine == ENGINE_LIBFUZZER && t->stats->in_executor &&
        starts_with(r.key, "unreproduced/")) {
        r.aside = true;
        snprintf(r.key, sizeof r.key, "executor-crash/unicorn/unreproduced");
        snprintf(r.detail, sizeof r.detail,
                 "the process died inside the executor (%s), and a replay does not: the executor's own trouble; see %s",
                 base, t->log);
    }
    f = find(c, r.key);
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
