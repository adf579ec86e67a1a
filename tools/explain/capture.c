/* SPDX-License-Identifier: MIT */
/* Judging in a child process that shares its notes with the parent, so that they outlive it. */
#include "pin_story.h"
#include "record.h"

#include "../command.h"

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

#define SECONDS          30
#define EXECUTOR_SECONDS 10

static void refuse(struct capture *c, const char *why)
{
    snprintf(c->why, sizeof c->why, "%s", why);
    c->end = CAPTURE_REFUSED;
}

/* What the judge says of the event under way; a new event begins anew (record_event). */
static void said(void *ctx, unsigned record, const char *text)
{
    struct capture *c = ctx;
    int n;

    (void)record;
    if (recorder.over)
        return;
    if (c->nsaid >= sizeof c->said)
        return;
    n = snprintf(c->said + c->nsaid, sizeof c->said - c->nsaid, "%s\n", text);
    if (n > 0 && (size_t)n < sizeof c->said - c->nsaid)
        c->nsaid += (size_t)n;
    else
        c->said[c->nsaid] = 0;
}

static void judge(struct capture *c, const struct fl_scenario *s, const struct explain_options *options,
                  enum fl_target target)
{
    struct fl_judge_options open = {.target = target,
                                    .executor = !options->no_executor,
                                    .decoders = !options->no_decoders,
                                    .endings = true,
                                    .stats = &c->stats};
    struct plugin_core plugin = {.gup = options->layered_gup};
    const struct fl_core *tested = options->layered ? options->layered : fl_core();
    struct fl_divergence d;
    struct fl_judge *j;
    unsigned record;
    char why[512];

    if (!options->layered && options->core) {
        if (!plugin_core_open(options->core, &plugin, why)) {
            refuse(c, why);
            return;
        }
        tested = plugin.core;
    }
    snprintf(c->core_name, sizeof c->core_name, "%s", plugin.name ? plugin.name : tested->name);
    open.core = record_core(c, s, tested);
    open.gup = plugin.gup;
    if (fl_judge_open(&open, &j, why) != FL_OK) {
        refuse(c, why);
        return;
    }
    if (open.executor)
        fl_unicorn_watchdog(EXECUTOR_SECONDS);
    snprintf(c->executor, sizeof c->executor, "%s", fl_judge_executor(j));
    fl_judge_set_watch(j, record_event, c);
    fl_judge_set_watch_pin(j, record_pin, c);
    fl_judge_set_say(j, said, c);
    if (fl_judge_scenario(j, s, &d, &record)) {
        c->check = d.check;
        c->record = record;
        snprintf(c->row, sizeof c->row, "%s", d.row);
        snprintf(c->expected, sizeof c->expected, "%s", d.expected);
        snprintf(c->actual, sizeof c->actual, "%s", d.actual);
        snprintf(c->detail, sizeof c->detail, "%s", d.detail);
        fl_divergence_key(&d, c->key, sizeof c->key);
        c->end = CAPTURE_DIVERGED;
    } else {
        c->record = s->nrecords;
        c->end = c->stats.events ? CAPTURE_CLEAN : CAPTURE_NOTHING;
    }
    snprintf(c->endings, sizeof c->endings, "%s", fl_judge_endings(j));
}

static void forget(struct capture *c, const struct fl_scenario *s, unsigned last_event, unsigned last_call)
{
    unsigned pins = c->pin.events, index;
    uint64_t about = 0;

    if (c->end == CAPTURE_DIVERGED && !pin_page(s, c, &about, &index))
        about = 0;

    memset(c, 0, offsetof(struct capture, call)); /* counters say what of the rest is valid */
    memset(&c->pin, 0, offsetof(struct pin_capture, follow));
    c->pin.about = about;
    c->pin.keep_from = pins > PIN_DETAIL ? pins - PIN_DETAIL : 0;
    c->last_event = last_event;
    c->last_call = last_call;
}

/* False: there is no child. */
static bool in_a_child(struct capture *c, const struct fl_scenario *s, const struct explain_options *options,
                       enum fl_target target, unsigned seconds)
{
    /* Handlers that somebody (a sanitizer) has for these would turn a signal into something else. */
    static const int plain[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGALRM};
    const struct rlimit no_core = {0, 0};
    int status, null;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child < 0) {
        complain("cannot start a process to judge in: %s", strerror(errno));
        return false;
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setrlimit(RLIMIT_CORE, &no_core);
        for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
            signal(plain[i], SIG_DFL);
        alarm(seconds);
        null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0) { /* what dies there is told by the parent */
            dup2(null, STDERR_FILENO);
            dup2(null, STDOUT_FILENO);
        }
        judge(c, s, options, target);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) {
            complain("cannot wait for the process that judges: %s", strerror(errno));
            return false;
        }
    if (c->end != CAPTURE_RUNNING)
        return true;
    c->hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    c->executor_died = !c->hung && c->stats.in_executor;
    c->crashed = !c->hung;
    c->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    c->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    c->record = c->event_record;
    if (c->executor_died)
        snprintf(c->key, sizeof c->key, "executor-crash/unicorn/signal-%d", c->signal);
    else if (c->hung)
        snprintf(c->key, sizeof c->key, "hang/%s", fl_target_name(target));
    else if (c->signal)
        snprintf(c->key, sizeof c->key, "crash/%s/signal-%d", fl_target_name(target), c->signal);
    else
        snprintf(c->key, sizeof c->key, "crash/%s/exit-%d", fl_target_name(target), c->exit_code);
    snprintf(c->row, sizeof c->row, "%s", fl_target_name(target));
    snprintf(c->expected, sizeof c->expected, "an answer");
    snprintf(c->actual, sizeof c->actual,
             c->hung     ? "none in time"
             : c->signal ? "signal %d"
                         : "exit code %d",
             c->signal ? c->signal : c->exit_code);
    return true;
}

struct capture *capture_run(const struct fl_scenario *s, const struct explain_options *options, enum fl_target target)
{
    struct capture *c =
        mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    unsigned seconds = options->seconds ? options->seconds : SECONDS;

    if (c == MAP_FAILED) {
        complain("out of memory: %s", strerror(errno));
        return NULL;
    }
    forget(c, s, 0, 0);
    if (!in_a_child(c, s, options, target, seconds))
        goto fail;
    if (c->end == CAPTURE_REFUSED) {
        complain("%s", c->why);
        goto fail;
    }
    if (c->hung) /* it only has to come to the same place */
        seconds = seconds / 6 + 1;
    if (!capture_diverges(c) && c->first_events)
        forget(c, s, c->first_events, c->first_calls);
    else
        forget(c, s, c->events, c->calls);
    if (!in_a_child(c, s, options, target, seconds))
        goto fail;
    if (c->end == CAPTURE_REFUSED) {
        complain("%s", c->why);
        goto fail;
    }
    return c;
fail:
    capture_free(c);
    return NULL;
}

void capture_free(struct capture *c)
{
    if (c)
        munmap(c, sizeof *c);
}

bool capture_diverges(const struct capture *c)
{
    return c->end == CAPTURE_DIVERGED || c->crashed || c->hung;
}

const struct seen_call *capture_call(const struct capture *c, enum call_kind kind)
{
    for (unsigned i = c->ncalls; i-- > 0;)
        if (kind == CALL_NONE || c->call[i].kind == kind)
            return &c->call[i];
    return NULL;
}

static bool read_in(const uint8_t *ram, uint64_t paddr, unsigned size, uint64_t *value)
{
    uint64_t v = 0;

    if (size > 8 || paddr >= SEEN_RAM || SEEN_RAM - paddr < size)
        return false;
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)ram[paddr + i] << 8 * i;
    *value = v;
    return true;
}

bool capture_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    return read_in(((struct capture *)ctx)->ram, paddr, size, value);
}

bool capture_read_after(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    return read_in(((struct capture *)ctx)->after, paddr, size, value);
}

/* ---- the snapshot's other callbacks: what was asked beforehand ---------------------------------------------------- */

struct asked { /* one at a time */
    struct capture *c;
    const struct seen_snapshot *seen;
};
static struct asked asked;

static bool no_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    (void)ctx;
    for (unsigned i = 0; i < FL_WINDOW_BYTES; i++)
        if (asked.seen->within[i] && asked.seen->linear[i] == linear && asked.seen->readable[user][i]) {
            *byte = asked.seen->byte[user][i];
            return true;
        }
    return false;
}

static bool read_ram(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    (void)ctx;
    return capture_read(asked.c, paddr, size, value);
}

static bool the_word(void *ctx, uint64_t addr, uint64_t *value)
{
    (void)ctx;
    if (!asked.seen->has_word || addr != asked.seen->s.regs.gpr[FL_RSP])
        return false;
    *value = asked.seen->word;
    return true;
}

static bool the_symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    (void)ctx;
    if (!asked.seen->has_symbol || ip != asked.seen->s.regs.ip)
        return false;
    snprintf(buf, size, "%s", asked.seen->symbol);
    return true;
}

static void the_file(void *ctx, uint8_t file, char *buf, size_t size)
{
    (void)ctx;
    snprintf(buf, size, "%s", asked.seen->file[file & 3]);
}

void capture_snapshot(struct capture *c, const struct seen_snapshot *seen, struct fl_snapshot *out)
{
    asked = (struct asked){c, seen};
    *out = seen->s;
    out->vmas = seen->vmas;
    out->extable = seen->extable;
    out->ldt = seen->ldt;
    out->ctx = c;
    out->read = read_ram;
    out->byte = no_byte;
    out->word = the_word;
    out->symbol = the_symbol;
    out->file_name = the_file;
}
