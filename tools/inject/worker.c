/* SPDX-License-Identifier: MIT */
/*
 * A process that explores: the tested code may end it, and then the scenario that was under way lies in the shared memory.
 * It prints nothing, leaves no core dump and dies with its parent.
 */
#include "run.h"

#include <faultline/fuzz/plugin_core.h>
#include <faultline/oracle/exec.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCHDOG_SECONDS 10
#define KEYS             1024u

struct child {
    const struct inject_options *o;
    const struct inputs *in;
    struct worker_shared *shared;
    int ask, tell;
    pid_t parent;
    char keys[KEYS][256];
    unsigned nkeys;
    uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    struct fl_scenario scenario;
};

static void leave(int status, void *unused)
{
    (void)unused;
    _exit(status);
}

static void settle(const struct child *c)
{
    static const int theirs[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE};
    static const int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGALRM, SIGCHLD};
    struct rlimit none = {0, 0};
    int null = open("/dev/null", O_RDWR), low = c->ask < c->tell ? c->ask : c->tell,
        high = c->ask < c->tell ? c->tell : c->ask;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != c->parent)
        _exit(1);
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        signal(theirs[i], SIG_IGN);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        signal(ours[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    for (int fd = 0; fd < 3 && null >= 0; fd++)
        dup2(null, fd);
    if (low > 3)
        close_range(3, (unsigned)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0u, 0);
    on_exit(leave, NULL); /* the tested code may call exit() */
}

static void put(int fd, const void *data, size_t size)
{
    const char *p = data;

    while (size) {
        ssize_t n = write(fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(1); /* nobody listens */
        p += n;
        size -= (size_t)n;
    }
}

static bool known(struct child *c, const char *key)
{
    for (unsigned i = 0; i < c->nkeys; i++)
        if (strcmp(c->keys[i], key) == 0)
            return true;
    if (c->nkeys < KEYS)
        memcpy(c->keys[c->nkeys++], key, 256);
    return false;
}

static void found(void *ctx, const struct fl_scenario *s, const struct fl_divergence *d, unsigned record)
{
    struct child *c = ctx;
    struct message m = {.kind = MESSAGE_FOUND};

    (void)record;
    fl_divergence_key(d, m.key, sizeof m.key);
    if (!known(c, m.key))
        m.size = (uint32_t)fl_scenario_encode(s, c->bytes, sizeof c->bytes);
    put(c->tell, &m, sizeof m);
    put(c->tell, c->bytes, m.size);
}

static struct fl_judge *open_judge(const struct child *c, struct plugin_core *plugin)
{
    struct fl_judge_options options = {.target = FL_TARGET_ALL,
                                       .executor = c->o->executor,
                                       .decoders = true,
                                       .sound = c->o->sound,
                                       .stats = &c->shared->stats};
    struct fl_judge *judge;
    char why[256];

    if (c->o->core) {
        if (!plugin_core_open(c->o->core, plugin, c->shared->why))
            return NULL;
        options.core = plugin->core;
        options.gup = plugin->gup;
    }
    if (fl_judge_open(&options, &judge, why) != FL_OK) {
        snprintf(c->shared->why, sizeof c->shared->why, "%s", why);
        return NULL;
    }
    if (c->o->executor)
        fl_unicorn_watchdog(WATCHDOG_SECONDS); /* built without it: nothing to watch */
    return judge;
}

static void run(struct child *c, struct explore *x, uint32_t file)
{
    const struct input *in = &c->in->list[file];
    struct message done = {.kind = MESSAGE_DONE};

    fl_scenario_decode(in->bytes, in->size, &c->scenario);
    x->target = in->target;
    fl_judge_set_target(x->judge, in->target);
    inject_explore(x, &c->scenario);
    put(c->tell, &done, sizeof done);
}

static void child_main(struct child *c)
{
    struct plugin_core plugin;
    struct explore *x = calloc(1, sizeof *x);
    struct message ready = {.kind = MESSAGE_DONE};
    uint32_t file;

    settle(c);
    if (!x)
        _exit(1);
    *x = (struct explore){.preempt = c->o->preempt,
                          .pairs = c->o->pairs,
                          .limit = c->o->limit,
                          .state = &c->shared->state,
                          .found = found,
                          .ctx = c};
    x->judge = open_judge(c, &plugin);
    c->shared->failed = !x->judge;
    c->shared->ready = true;
    put(c->tell, &ready, sizeof ready);
    while (x->judge && read(c->ask, &file, sizeof file) == sizeof file)
        run(c, x, file);
    _exit(0);
}

static bool start(struct worker *w, const struct inject_options *o, const struct inputs *in)
{
    int ask[2], hear[2];
    struct child *c = calloc(1, sizeof *c);

    if (!c || pipe2(ask, O_CLOEXEC) != 0) {
        free(c);
        return false;
    }
    if (pipe2(hear, O_CLOEXEC) != 0) {
        close(ask[0]);
        close(ask[1]);
        free(c);
        return false;
    }
    *c = (struct child){.o = o, .in = in, .shared = w->shared, .ask = ask[0], .tell = hear[1], .parent = getpid()};
    fflush(stdout);
    w->pid = fork();
    if (w->pid == 0)
        child_main(c);
    free(c);
    close(ask[0]);
    close(hear[1]);
    if (w->pid > 0) {
        w->ask = ask[1];
        w->hear = hear[0];
        return true;
    }
    w->pid = 0;
    close(ask[1]);
    close(hear[0]);
    return false;
}

bool worker_start(struct worker *w, const struct inject_options *o, const struct inputs *in, char why[512])
{
    struct message m;
    int status;

    if (!w->shared) {
        void *p = mmap(NULL, sizeof *w->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        w->shared = p == MAP_FAILED ? NULL : p;
    }
    if (w->shared)
        w->shared->ready = w->shared->failed = false;
    if (!w->shared || !start(w, o, in)) {
        snprintf(why, 512, "cannot start a process: %s", strerror(errno));
        return false;
    }
    w->beaten = monotonic_seconds();
    if (read(w->hear, &m, sizeof m) == sizeof m && !w->shared->failed)
        return true;
    if (w->shared->ready)
        snprintf(why, 512, "%s", w->shared->why);
    else
        snprintf(why, 512, "%s: the process ended while the core was opened", o->core ? o->core : "judge");
    worker_end(w, &status);
    return false;
}

void worker_ask(struct worker *w, size_t file)
{
    uint32_t number = (uint32_t)file;
    ssize_t written;

    w->file = file;
    w->busy = true;
    w->stuck = false;
    w->beaten = monotonic_seconds();
    do
        written = write(w->ask, &number, sizeof number);
    while (written < 0 && errno == EINTR); /* a worker that is gone is noticed when it is listened to */
}

void worker_end(struct worker *w, int *status)
{
    *status = 0;
    if (w->pid == 0)
        return;
    close(w->ask);
    close(w->hear);
    kill(w->pid, SIGKILL); /* it has said what it had to say */
    while (waitpid(w->pid, status, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
}
