/* SPDX-License-Identifier: MIT */
/* The parent's side: starts the child, asks it, and says what it means when the child does not answer. */
#include "child.h"

#include "../command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define USUAL_SECONDS    30
#define WATCHDOG_SECONDS 10
#define OUTPUT_BYTES     65536
#define OUTSIDE_KILLS    3 /* times that a child may be killed from outside before that is the answer */

struct replayer {
    struct replay_options options;
    char *core; /* own copy of options.core */
    double seconds;
    struct shared *shared;
    int output; /* file in memory for what children print; -1: there is none */
    char *text; /* room for what is in it */
    pid_t pid;  /* 0: no child */
    int bell, reply;
};

/* How a child ended. */
struct ending {
    bool hung;
    int signal, code; /* signal 0: it called exit(code) */
};

/* ---- starting and ending -------------------------------------------------------------------------------------------- */

/* Takes the child's remains up. kill_it: it may still live. */
static struct ending end_child(struct replayer *r, bool kill_it)
{
    struct ending e = {.hung = kill_it};
    int status = 0;
    pid_t got;

    if (r->pid <= 0)
        return e;
    if (kill_it)
        kill(r->pid, SIGKILL);
    while ((got = waitpid(r->pid, &status, 0)) < 0 && errno == EINTR)
        ;
    if (got == r->pid && WIFSIGNALED(status))
        e.signal = WTERMSIG(status);
    else if (got == r->pid)
        e.code = WEXITSTATUS(status);
    close(r->bell);
    close(r->reply);
    r->pid = 0;
    return e;
}

/* Waits for the child's answer. False: it is gone, and *e [OUT] says how. On a busy machine a child may stand still because
 * it is not let run: what hangs has had its share of a processor, or has waited for much longer than that takes. */
static bool hear(struct replayer *r, double seconds, struct ending *e)
{
    struct pollfd ear = {.fd = r->reply, .events = POLLIN};
    double start = monotonic_seconds(), used = processor_seconds(r->pid), wait = seconds;
    char byte;

    for (;;) {
        int n = poll(&ear, 1, (int)(wait * 1000) + 1);
        double still;

        if (n > 0) {
            ssize_t got = read(r->reply, &byte, 1);

            if (got == 1)
                return true;
            if (got < 0 && errno == EINTR)
                continue;
            *e = end_child(r, false);
            return false;
        }
        still = monotonic_seconds() - start;
        if (still >= seconds && (processor_seconds(r->pid) - used > seconds / 2 || still > 3 * seconds)) {
            *e = end_child(r, true);
            return false;
        }
        wait = still >= seconds ? 0.05 : seconds - still;
    }
}

/* The line in which whatever ended the child said why, or its last one. */
static void last_words(const struct replayer *r, char out[256])
{
    char *text = r->text;
    off_t size = r->output < 0 ? 0 : lseek(r->output, 0, SEEK_CUR);
    ssize_t n = size > 0 ? pread(r->output, text, (size_t)size < OUTPUT_BYTES ? (size_t)size : OUTPUT_BYTES, 0) : 0;
    const char *best = "";

    out[0] = 0;
    if (n <= 0)
        return;
    text[n] = 0;
    for (char *line = text, *next; *line; line = next) {
        size_t length = strcspn(line, "\n");

        next = line + length + (line[length] == '\n');
        line[length] = 0;
        for (char *c = line; *c; c++)
            if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
                *c = '?';
        if (length)
            best = line;
        if (strstr(line, "ERROR: ") || strstr(line, "runtime error: ") || strstr(line, "Assertion"))
            break;
    }
    /* Sanitizers begin with "==PID==", which is another one each time. */
    if (best[0] == '=' && best[1] == '=') {
        const char *behind = strstr(best + 2, "==");

        best = behind ? behind + 2 : best;
    }
    snprintf(out, 256, "%s", best);
}

static bool cannot(char *why, const char *what)
{
    snprintf(why, 512, "a replay cannot be started: %s: %s", what, strerror(errno));
    return false;
}

static bool fork_child(struct replayer *r, char *why)
{
    struct child c = {.options = &r->options, .shared = r->shared, .output = r->output, .parent = getpid()};
    int pipe_ends[2];

    c.watchdog = r->seconds > 2 * WATCHDOG_SECONDS ? WATCHDOG_SECONDS : (unsigned)(r->seconds / 2) + 1;
    r->bell = eventfd(0, EFD_CLOEXEC);
    if (r->bell < 0)
        return cannot(why, "eventfd");
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
        cannot(why, "pipe");
        close(r->bell);
        return false;
    }
    c.bell = r->bell;
    c.reply = pipe_ends[1];
    r->reply = pipe_ends[0];
    r->shared->state = CHILD_OPENING;
    r->shared->failed = false;
    r->shared->why[0] = 0;
    r->shared->stats.in_executor = 0;
    if (r->output >= 0)
        lseek(r->output, 0, SEEK_SET);
    fflush(NULL);
    r->pid = fork();
    if (r->pid == 0)
        child_main(&c);
    close(pipe_ends[1]);
    if (r->pid > 0)
        return true;
    r->pid = 0;
    cannot(why, "fork");
    close(r->bell);
    close(r->reply);
    return false;
}

/* A child that is ready to judge. False: why [OUT]. */
static bool start(struct replayer *r, char why[512])
{
    const char *what = r->core ? r->core : "the judge";
    struct ending e;
    char words[256];

    if (!fork_child(r, why))
        return false;
    if (hear(r, USUAL_SECONDS, &e)) {
        if (!r->shared->failed)
            return true;
        snprintf(why, 512, "%s", r->shared->why);
        end_child(r, true);
        return false;
    }
    last_words(r, words);
    if (e.hung)
        snprintf(why, 512, "%.200s: it did not come back while it was opened", what);
    else if (e.signal)
        snprintf(why, 512, "%.200s: it was ended by signal %d (%s) while it was opened%s%.120s", what, e.signal,
                 strsignal(e.signal), words[0] ? ": " : "", words);
    else
        snprintf(why, 512, "%.200s: it ended with exit code %d while it was opened%s%.120s", what, e.code,
                 words[0] ? ": " : "", words);
    return false;
}

struct replayer *replay_open(const struct replay_options *options, char why[512])
{
    struct replayer *r = calloc(1, sizeof *r);

    if (!r) {
        snprintf(why, 512, "out of memory");
        return NULL;
    }
    r->options = *options;
    r->seconds = options->seconds ? options->seconds : USUAL_SECONDS;
    r->output = memfd_create("faultline-replay", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (r->output >= 0 &&
        (ftruncate(r->output, OUTPUT_BYTES) != 0 || fcntl(r->output, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0)) {
        close(r->output);
        r->output = -1;
    }
    if (r->output < 0)
        r->output = open("/dev/null", O_RDWR | O_CLOEXEC);
    r->shared = mmap(NULL, sizeof *r->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r->shared == MAP_FAILED)
        r->shared = NULL;
    r->text = malloc(OUTPUT_BYTES + 1);
    if (options->core)
        r->core = strdup(options->core);
    r->options.core = r->core;
    if (!r->shared || !r->text || (options->core && !r->core))
        snprintf(why, 512, "out of memory");
    else if (start(r, why))
        return r;
    replay_close(r);
    return NULL;
}

void replay_close(struct replayer *r)
{
    if (!r)
        return;
    end_child(r, true);
    if (r->shared)
        munmap(r->shared, sizeof *r->shared);
    if (r->output >= 0)
        close(r->output);
    free(r->text);
    free(r->core);
    free(r);
}

void replay_restart(struct replayer *r)
{
    end_child(r, true);
}

void replay_limit(struct replayer *r, double seconds)
{
    r->seconds = seconds > 0 ? seconds : r->options.seconds ? r->options.seconds : USUAL_SECONDS;
}

/* ---- asking --------------------------------------------------------------------------------------------------------- */

static void ask(struct replayer *r, const struct fl_scenario *s, enum fl_target target)
{
    const uint64_t one = 1;
    ssize_t written;

    r->shared->target = target;
    r->shared->scenario.machine = s->machine;
    r->shared->scenario.nrecords = s->nrecords;
    memcpy(r->shared->scenario.records, s->records, s->nrecords * sizeof s->records[0]);
    memset(&r->shared->result, 0, sizeof r->shared->result);
    r->shared->endings[0] = 0;
    do
        written = write(r->bell, &one, sizeof one);
    while (written < 0 && errno == EINTR);
}

/* What it means that the child is gone. */
static void classify(const struct replayer *r, const struct ending *e, enum fl_target target, struct replay_result *out)
{
    const char *name = fl_target_name(target);
    char words[256];

    last_words(r, words);
    out->signal = e->signal;
    if (r->shared->stats.in_executor) {
        out->end = REPLAY_EXECUTOR_DIED;
        snprintf(out->key, sizeof out->key, "executor-crash/unicorn/signal-%d", e->signal);
        snprintf(out->detail, sizeof out->detail,
                 "the executor itself %s signal %d (%s): its own bug, not one of the tested code%s%.200s",
                 e->hung ? "did not come back and was ended by" : "was ended by", e->signal, strsignal(e->signal),
                 words[0] ? ": " : "", words);
    } else if (e->hung) {
        out->end = REPLAY_HUNG;
        out->signal = 0;
        snprintf(out->key, sizeof out->key, "hang/%s", name);
        snprintf(out->detail, sizeof out->detail, "the replay did not end within %g s", r->seconds);
    } else if (e->signal) {
        out->end = REPLAY_CRASHED;
        snprintf(out->key, sizeof out->key, "crash/%s/signal-%d", name, e->signal);
        snprintf(out->detail, sizeof out->detail, "the replay was ended by signal %d (%s)%s%.200s", e->signal,
                 strsignal(e->signal), words[0] ? ": " : "", words);
    } else {
        out->end = REPLAY_CRASHED;
        snprintf(out->key, sizeof out->key, "crash/%s/exit-%d", name, e->code);
        snprintf(out->detail, sizeof out->detail, "the tested code ended the process with exit code %d%s%.200s",
                 e->code, words[0] ? ": " : "", words);
    }
}

void replay_run(struct replayer *r, const struct fl_scenario *s, enum fl_target target, struct replay_result *out)
{
    struct ending e;
    char why[512];

    memset(out, 0, sizeof *out);
    r->shared->endings[0] = 0;
    for (unsigned tries = 1;; tries++) {
        bool was_judging;

        if (r->pid == 0 && !start(r, why)) {
            out->end = REPLAY_UNABLE;
            snprintf(out->key, sizeof out->key, "unreplayed/%s", fl_target_name(target));
            snprintf(out->detail, sizeof out->detail, "%s", why);
            return;
        }
        ask(r, s, target);
        if (hear(r, r->seconds, &e)) {
            *out = r->shared->result;
            return;
        }
        r->shared->endings[0] = 0;
        was_judging = r->shared->state == CHILD_JUDGING;
        /* It was gone before it was asked, or somebody else killed it: that says nothing about the scenario. */
        if (tries < OUTSIDE_KILLS && !e.hung && (!was_judging || e.signal == SIGKILL))
            continue;
        classify(r, &e, target, out);
        return;
    }
}

const char *replay_endings(const struct replayer *r)
{
    return r->shared->endings;
}

const char *replay_executor(const struct replayer *r)
{
    return r->shared->executor;
}

bool replay_runs(const struct replayer *r, enum fl_target target)
{
    return r->shared->runs[target];
}

const char *replay_lacks(const struct replayer *r)
{
    return r->shared->lacks;
}

void replay_drop_skipped(struct fl_scenario *s, enum fl_target target)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->nrecords; i++) {
        enum fl_record_kind kind = (enum fl_record_kind)s->records[i].kind;

        if (!fl_record_is_event(kind) || fl_target_judges(target, kind))
            s->records[kept++] = s->records[i];
    }
    s->nrecords = kept;
}
