/* SPDX-License-Identifier: MIT */
/* How libFuzzer and AFL++ are started, and what their own output says. */
#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIBFUZZER_CRASH 77 /* libFuzzer's exit code after it wrote an artifact (-error_exitcode) */

const char *engine_name(enum engine e)
{
    return e == ENGINE_LIBFUZZER ? "libfuzzer" : "afl";
}

static char *program(const struct campaign *c, const struct task *t)
{
    return format_text("%s/%s/fuzz/fl-%s", c->build, engine_name(t->engine), fl_target_name(t->target));
}

bool engine_ready(const struct campaign *c, const struct task *t)
{
    char *path = program(c, t);
    bool ok = access(path, X_OK) == 0;

    if (!ok)
        complain("%s: %s; run ./faultline fuzz so that the launcher builds it", path, strerror(errno));
    free(path);
    return ok;
}

static bool encode_seed(const char *path, void *ctx)
{
    static struct fl_scenario scenario;
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    const char *folder = ctx, *base = strrchr(path, '/');
    char *out;
    bool ok;

    if (!load_scenario(path, &scenario))
        return false;
    out = format_text("%s/%s", folder, base ? base + 1 : path);
    ok = write_atomically(out, bytes, fl_scenario_encode(&scenario, bytes, sizeof bytes));
    free(out);
    return ok;
}

static bool remove_file(const char *path, void *ctx)
{
    (void)ctx;
    if (unlink(path) == 0)
        return true;
    complain("%s: cannot remove it: %s", path, strerror(errno));
    return false;
}

bool engine_seeds(struct campaign *c)
{
    static const char *const folders[] = {"seeds", "regressions", "reproductions"};
    char *to = format_text("%s/seeds", c->out);
    bool ok = make_folder(to) && for_each_file(&to, 1, remove_file, NULL);

    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && ok; i++) {
        char *from = format_text("%s/corpus/%s", c->root, folders[i]);

        ok = for_each_file(&from, 1, encode_seed, to);
        free(from);
    }
    free(to);
    return ok;
}

/* In the child: never returns. */
static void run_child(const struct campaign *c, const struct task *t, pid_t parent, char *const *argv)
{
    int log = open(t->log, O_WRONLY | O_CREAT | O_APPEND, 0666), null = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGTERM); /* the campaign's end is the child's */
    if (getppid() != parent)
        _exit(126);
    setpgid(0, 0);
    signal(SIGINT, SIG_IGN); /* the campaign ends its children itself */
    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    setenv("FAULTLINE_STATS", t->stats_path, 1);
    setenv("FAULTLINE_EXECUTOR", c->executor ? "1" : "0", 1);
    if (t->engine == ENGINE_AFL) {
        char *mutator = format_text("%s/gcc/fuzz/libfl-mutator-%s.so", c->build, fl_target_name(t->target));

        setenv("AFL_CUSTOM_MUTATOR_LIBRARY", mutator, 1);
        setenv("AFL_CUSTOM_MUTATOR_ONLY", "1", 1);
        setenv("AFL_NO_UI", "1", 1);
        setenv("AFL_SKIP_CPUFREQ", "1", 1);
        setenv("AFL_NO_AFFINITY", "1", 1);
        setenv("AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "1", 1);
        setenv("AFL_AUTORESUME", "1", 1);
        setenv("AFL_FAST_CAL", "1", 1);
    }
    execvp(argv[0], argv);
    dprintf(2, "faultline: cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static void add(char **argv, unsigned *n, char *text)
{
    argv[(*n)++] = text;
    argv[*n] = NULL;
}

static void libfuzzer_arguments(const struct campaign *c, const struct task *t, unsigned seconds, char **argv)
{
    unsigned n = 0;

    add(argv, &n, program(c, t));
    add(argv, &n, format_text("-max_total_time=%u", seconds));
    add(argv, &n, format_text("-max_len=%d", FL_SCENARIO_MAX_BYTES));
    add(argv, &n, format_text("-artifact_prefix=%s/", t->folder));
    add(argv, &n, format_text("-timeout=20"));
    add(argv, &n, format_text("-rss_limit_mb=2048"));
    add(argv, &n, format_text("-reload=1"));
    add(argv, &n, format_text("-verbosity=1"));
    if (c->seed)
        add(argv, &n, format_text("-seed=%u", c->seed + t->job + t->starts * 1000));
    add(argv, &n, format_text("%s/corpus-v%d/%s", c->out, FL_SCENARIO_VERSION, fl_target_name(t->target)));
    add(argv, &n, format_text("%s/seeds", c->out));
}

static void afl_arguments(const struct campaign *c, const struct task *t, unsigned seconds, char **argv)
{
    unsigned n = 0;

    add(argv, &n, format_text("afl-fuzz"));
    add(argv, &n, format_text("-i"));
    add(argv, &n, format_text("%s/seeds", c->out));
    add(argv, &n, format_text("-o"));
    add(argv, &n, format_text("%s/afl", t->folder));
    add(argv, &n, format_text("-V"));
    add(argv, &n, format_text("%u", seconds));
    add(argv, &n, format_text("-m"));
    add(argv, &n, format_text("none"));
    add(argv, &n, format_text("-t"));
    add(argv, &n, format_text("5000"));
    if (c->seed) {
        add(argv, &n, format_text("-s"));
        add(argv, &n, format_text("%u", c->seed + t->job));
    }
    add(argv, &n, format_text("--"));
    add(argv, &n, program(c, t));
}

bool engine_start(struct campaign *c, struct task *t, unsigned seconds_left)
{
    char *argv[32];
    pid_t parent;

    if (t->engine == ENGINE_LIBFUZZER)
        libfuzzer_arguments(c, t, seconds_left, argv);
    else
        afl_arguments(c, t, seconds_left, argv);
    t->stats->in_executor = 0;
    parent = getpid();
    t->pid = fork();
    if (t->pid == 0)
        run_child(c, t, parent, argv);
    for (unsigned i = 0; argv[i]; i++)
        free(argv[i]);
    if (t->pid < 0) {
        t->pid = 0;
        complain("cannot start a process for %s: %s", t->name, strerror(errno));
        return false;
    }
    setpgid(t->pid, t->pid);
    t->starts++;
    return true;
}

/* libFuzzer: "#1234 NEW cov: 88 ft: 120 corp: 5/1Kb ..." */
static void poll_libfuzzer(struct task *t)
{
    char chunk[8193], *line;
    int fd = open(t->log, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return;
    while ((n = pread(fd, chunk, sizeof chunk - 1, (off_t)t->log_read)) > 0) {
        size_t used = 0;
        char *end;

        chunk[n] = 0;
        for (line = chunk; (end = memchr(line, '\n', (size_t)(chunk + n - line))); line = end + 1) {
            const char *cov, *corp;

            *end = 0;
            if ((cov = strstr(line, " cov: ")) && (corp = strstr(line, " corp: ")) && line[0] == '#') {
                t->coverage = strtoull(cov + 6, NULL, 10);
                t->corpus = strtoull(corp + 7, NULL, 10);
            }
            used = (size_t)(end + 1 - chunk);
        }
        if (used == 0) { /* a partial line at the end waits; an overlong one is passed over */
            if ((size_t)n < sizeof chunk - 1)
                break;
            used = (size_t)n;
        }
        t->log_read += used;
    }
    close(fd);
}

static void poll_afl(struct task *t)
{
    char line[512], *path = format_text("%s/afl/default/fuzzer_stats", t->folder);
    FILE *in = fopen(path, "r");

    free(path);
    if (!in)
        return;
    while (fgets(line, sizeof line, in)) {
        const char *value = strchr(line, ':');

        if (value && strncmp(line, "edges_found ", 12) == 0)
            t->coverage = strtoull(value + 1, NULL, 10);
        if (value && strncmp(line, "corpus_count ", 13) == 0)
            t->corpus = strtoull(value + 1, NULL, 10);
    }
    fclose(in);
}

void engine_poll(struct campaign *c, struct task *t)
{
    (void)c;
    if (t->engine == ENGINE_LIBFUZZER)
        poll_libfuzzer(t);
    else
        poll_afl(t);
}

bool engine_ended_well(struct task *t, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (t->engine == ENGINE_LIBFUZZER && WIFEXITED(status) && WEXITSTATUS(status) == LIBFUZZER_CRASH)
        snprintf(t->why, sizeof t->why, "found something, but left no input (is the disk full?)");
    else if (WIFEXITED(status))
        snprintf(t->why, sizeof t->why, "ended with exit code %d", WEXITSTATUS(status));
    else
        snprintf(t->why, sizeof t->why, "was ended by signal %d", WTERMSIG(status));
    return false;
}
