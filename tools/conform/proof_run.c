/* SPDX-License-Identifier: MIT */
/*
 * The proof as a child process whose results lie in shared memory. When the core takes the child down, or keeps it for
 * itself, the parent knows what it was doing, makes that a finding, and goes on with the next configuration.
 */
#include "proof_internal.h"

#include "../command.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)

#    include <signal.h>
#    include <stdlib.h>
#    include <sys/mman.h>
#    include <sys/prctl.h>
#    include <sys/resource.h>
#    include <sys/wait.h>
#    include <unistd.h>

#    define MAX_STATES_DEFAULT 200000u
#    define HANG_DEFAULT       10u

/* Once that many configurations have not closed, the others are given less room: a core that keeps all bytes would do
 * so in each of them. */
#    define UNCLOSED_ENOUGH 3u
#    define STATES_THEN     20000u

#    define CRASHES_ENOUGH 3u

static const char *unproven_reason(enum explored explored)
{
    switch (explored) {
    case EXPLORE_TOO_MANY: return "its states are too many to be explored (it keeps what it has read)";
    case EXPLORE_OPAQUE: return "it keeps its state, or takes its byte, outside its stack and its own data";
    case EXPLORE_UNSTABLE: return "the same bytes do not lead to the same state: it depends on something else as well";
    case EXPLORE_UNCONFIRMED: return "a difference from the rule could not be shown by a whole string";
    default: return "no memory";
    }
}

/* ---- in the child ---- */

static bool do_config(struct prover *p, struct graph **graph, uint32_t max_states)
{
    struct proof_result *r = &p->shared->result;
    enum explored explored;

    config_make(p->index, &p->config);
    machine_configure(&p->m, &p->config);
    p->found = p->kept = false;
    if (*graph && p->shared->unclosed >= UNCLOSED_ENOUGH && max_states > STATES_THEN) {
        graph_free(*graph);
        *graph = graph_new(STATES_THEN);
    }
    if (!*graph)
        return false;
    explored = explore(p, *graph);
    if (explored == EXPLORE_NO_MEMORY)
        return false;
    if (explored != EXPLORED) {
        p->shared->unclosed++;
        if (!*r->reason)
            snprintf(r->reason, sizeof r->reason, "%s", unproven_reason(explored));
        bounded(p);
    }
    if (p->found)
        r->refuted++;
    else if (explored == EXPLORED)
        r->proven++;
    else
        r->bounded++;
    return true;
}

static void child(struct prover *p, const char *path, const struct proof_options *o)
{
    struct proof_result *r = &p->shared->result;
    const struct fl_core *core = p->m.core;
    struct rlimit no_core_file = {0};
    struct graph *graph;
    uint64_t probes = r->probes;
    uint32_t n = config_count();

    /* Nobody waits for it any more when the parent is gone. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core_file);
    graph = graph_new(o->max_states);
    p->shared->failed = !graph;
    if (graph && !machine_open(&p->m, core, path, r->reason, sizeof r->reason)) {
        p->shared->done = true;
        _exit(0);
    }
    for (; !p->shared->failed && p->shared->next < n; p->shared->next += o->stride) {
        p->index = p->shared->next;
        p->shared->failed = !do_config(p, &graph, o->max_states);
        r->probes = probes + p->m.probes;
        if (p->m.most_stack > r->stack)
            r->stack = (uint32_t)p->m.most_stack;
        r->data = (uint32_t)p->m.data;
    }
    p->shared->done = true;
    _exit(0);
}

/* ---- in the parent ---- */

/* Waits for the child. True: it hung and was killed. */
static bool wait_for(pid_t pid, const struct shared *s, unsigned seconds, int *status)
{
    uint64_t progress = s->progress;
    double since = monotonic_seconds();
    struct timespec nap = {.tv_nsec = 200 * 1000};
    bool hung = false;

    while (waitpid(pid, status, hung ? 0 : WNOHANG) == 0) {
        if (s->progress != progress) {
            progress = s->progress;
            since = monotonic_seconds();
        } else if (monotonic_seconds() - since > seconds) {
            kill(pid, SIGKILL);
            hung = true;
            continue;
        }
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < 10 * 1000 * 1000)
            nap.tv_nsec *= 2;
    }
    return hung;
}

static void taken_down(struct prover *p, bool hung, int status, unsigned seconds)
{
    struct shared *s = p->shared;
    struct proof_example e = {.check = hung ? "hang" : "crash", .row = "prefetch", .expected = "answer"};

    config_make(s->next, &p->config);
    if (hung) {
        snprintf(e.actual, sizeof e.actual, "none");
        snprintf(e.detail, sizeof e.detail, "the core did not come back for %u seconds", seconds);
    } else if (WIFSIGNALED(status)) {
        snprintf(e.actual, sizeof e.actual, "signal-%d", WTERMSIG(status));
        snprintf(e.detail, sizeof e.detail, "the core ended its process: %s", strsignal(WTERMSIG(status)));
    } else {
        snprintf(e.actual, sizeof e.actual, "exit-%d", WEXITSTATUS(status));
        snprintf(e.detail, sizeof e.detail, "the core ended its process with exit code %d", WEXITSTATUS(status));
    }
    s->result.refuted++;
    example_add(&s->result, &e, &p->config, s->next, s->symbol);
}

static enum fl_status conclude(struct shared *s, struct proof_result *out)
{
    struct proof_result *r = &s->result;

    if (s->failed) {
        if (!*r->reason)
            snprintf(r->reason, sizeof r->reason, "no memory for the proof");
        *out = *r;
        return FL_FAILED;
    }
    if (r->nexamples)
        r->verdict = PROOF_REFUTED;
    else if (r->proven != 0 && r->proven == r->configurations)
        r->verdict = PROOF_PROVEN;
    else
        r->verdict = PROOF_UNPROVEN;
    *out = *r;
    return FL_OK;
}

static enum fl_status run(struct prover *p, const char *path, const struct proof_options *o, struct proof_result *out)
{
    struct shared *s = p->shared;
    unsigned crashes = 0;

    s->result.stride = o->stride;
    s->result.configurations = (config_count() + o->stride - 1) / o->stride;
    while (!s->done && !s->failed) {
        int status = 0;
        bool hung;
        pid_t pid;

        /* What stands in a buffer would be written twice. */
        fflush(NULL);
        pid = fork();
        if (pid < 0) {
            snprintf(out->reason, sizeof out->reason, "no process for the proof: %s", strerror(errno));
            return FL_FAILED;
        }
        if (pid == 0)
            child(p, path, o);
        hung = wait_for(pid, s, o->hang_seconds, &status);
        if (s->done || s->failed)
            break;
        taken_down(p, hung, status, o->hang_seconds);
        s->next += o->stride;
        if (hung || ++crashes == CRASHES_ENOUGH) {
            s->result.not_tried = s->next < config_count() ? (config_count() - s->next + o->stride - 1) / o->stride : 0;
            break;
        }
    }
    return conclude(s, out);
}

static enum fl_status prove(const struct fl_core *core, const char *path, const struct proof_options *o,
                            struct proof_result *out)
{
    struct prover *p = calloc(1, sizeof *p);
    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    enum fl_status status = FL_FAILED;

    if (p && s != MAP_FAILED) {
        s->result = *out;
        p->shared = s;
        p->m.core = core;
        status = run(p, path, o, out);
    } else {
        snprintf(out->reason, sizeof out->reason, "no memory for the proof");
    }
    if (s != MAP_FAILED)
        munmap(s, sizeof *s);
    free(p);
    return status;
}

#else

static double now(void)
{
    return 0;
}

static enum fl_status prove(const struct fl_core *core, const char *path, const struct proof_options *o,
                            struct proof_result *out)
{
    (void)core, (void)path, (void)o;
    out->verdict = PROOF_UNSUPPORTED;
    snprintf(out->reason, sizeof out->reason, "the proof switches stacks by hand, and knows x86-64 only");
    return FL_OK;
}

#    define MAX_STATES_DEFAULT 0
#    define HANG_DEFAULT       0
#endif

enum fl_status proof_run(const struct fl_core *core, const char *path, const struct proof_options *options,
                         struct proof_result *out)
{
    struct proof_options o = {0};
    enum fl_status status;
    double start = monotonic_seconds();

    if (!core || !core->prefetch || !out)
        return FL_INVALID;
    if (options)
        o = *options;
    if (!o.max_states)
        o.max_states = MAX_STATES_DEFAULT;
    if (!o.hang_seconds)
        o.hang_seconds = HANG_DEFAULT;
    if (!o.stride)
        o.stride = 1;
    memset(out, 0, sizeof *out);
    snprintf(out->core, sizeof out->core, "%s", core->name ? core->name : "(no name)");
    status = prove(core, path, &o, out);
    out->seconds = monotonic_seconds() - start;
    return status;
}
