/* SPDX-License-Identifier: MIT */
/* How libFuzzer and AFL++ are started. */
#include "engine.h"

#include "../command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

const char *engine_name(enum engine e)
{
    return e == ENGINE_LIBFUZZER ? "libfuzzer" : "afl";
}

char *engine_program(const struct engine_run *run)
{
    return format_text("%s/%s/fuzz/fl-%s", run->build, engine_name(run->engine), fl_target_name(run->target));
}

bool engine_ready(const struct engine_run *run)
{
    char *path = engine_program(run);
    bool ok = access(path, X_OK) == 0;

    if (!ok)
        complain("%s: %s; start this through ./faultline so that it is built", path, strerror(errno));
    free(path);
    return ok;
}

static void environment(const struct engine_run *run)
{
    setenv("FAULTLINE_STATS", run->stats, 1);
    setenv("FAULTLINE_EXECUTOR", run->executor ? "1" : "0", 1);
    if (run->core)
        setenv("FAULTLINE_CORE", run->core, 1);
    else
        unsetenv("FAULTLINE_CORE");
    if (run->known)
        setenv("FAULTLINE_KNOWN", run->known, 1);
    if (run->campaign)
        setenv("FAULTLINE_CAMPAIGN", run->campaign, 1);
    if (run->engine == ENGINE_AFL) {
        char *mutator = format_text("%s/gcc/fuzz/libfl-mutator-%s.so", run->build, fl_target_name(run->target));

        setenv("AFL_CUSTOM_MUTATOR_LIBRARY", mutator, 1);
        setenv("AFL_CUSTOM_MUTATOR_ONLY", "1", 1);
        setenv("AFL_NO_UI", "1", 1);
        setenv("AFL_SKIP_CPUFREQ", "1", 1);
        setenv("AFL_NO_AFFINITY", "1", 1);
        setenv("AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "1", 1);
        setenv("AFL_AUTORESUME", "1", 1);
        setenv("AFL_FAST_CAL", "1", 1);
        /* An instrumented one has to be there before the fork server is. */
        if (run->core)
            setenv("AFL_PRELOAD", run->core, 1);
        free(mutator);
    }
}

/* In the child: never returns. */
static void run_child(const struct engine_run *run, pid_t parent, char *const *argv)
{
    int log = open(run->log, O_WRONLY | O_CREAT | O_APPEND, 0666), null = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGTERM); /* the starter's end is the child's */
    if (getppid() != parent)
        _exit(126);
    setpgid(0, 0);
    signal(SIGINT, SIG_IGN); /* the starter ends its children itself */
    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    environment(run);
    execvp(argv[0], argv);
    dprintf(2, "faultline: cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static void add(char **argv, unsigned *n, char *text)
{
    argv[(*n)++] = text;
    argv[*n] = NULL;
}

static void libfuzzer_arguments(const struct engine_run *run, char **argv)
{
    unsigned n = 0;

    add(argv, &n, engine_program(run));
    if (run->seconds)
        add(argv, &n, format_text("-max_total_time=%u", run->seconds));
    add(argv, &n, format_text("-max_len=%d", FL_SCENARIO_MAX_BYTES));
    add(argv, &n, format_text("-artifact_prefix=%s/", run->folder));
    add(argv, &n, format_text("-timeout=20"));
    add(argv, &n, format_text("-rss_limit_mb=2048"));
    add(argv, &n,
        format_text("-report_slow_units=1000000")); /* what is no timeout is no finding: no slow-unit-* files */
    switch (run->errand) {
    case ERRAND_FUZZ: add(argv, &n, format_text("-reload=1")); break;
    case ERRAND_COVER: add(argv, &n, format_text("-set_cover_merge=1")); break;
    case ERRAND_MERGE: add(argv, &n, format_text("-merge=1")); break;
    case ERRAND_MEASURE: add(argv, &n, format_text("-runs=0")); break;
    }
    add(argv, &n, format_text("-verbosity=1"));
    if (run->seed)
        add(argv, &n, format_text("-seed=%u", run->seed));
    add(argv, &n, format_text("%s", run->corpus));
    if (run->seeds)
        add(argv, &n, format_text("%s", run->seeds));
}

static void afl_arguments(const struct engine_run *run, char **argv)
{
    unsigned n = 0;

    add(argv, &n, format_text("afl-fuzz"));
    if (strcmp(run->role, "default") != 0) {
        add(argv, &n, format_text(strcmp(run->role, "main") == 0 ? "-M" : "-S"));
        add(argv, &n, format_text("%s", run->role));
    }
    if (run->foreign) {
        add(argv, &n, format_text("-F"));
        add(argv, &n, format_text("%s", run->foreign));
    }
    add(argv, &n, format_text("-i"));
    add(argv, &n, format_text("%s", run->seeds));
    add(argv, &n, format_text("-o"));
    add(argv, &n, format_text("%s", run->sync));
    if (run->seconds) {
        add(argv, &n, format_text("-V"));
        add(argv, &n, format_text("%u", run->seconds));
    }
    add(argv, &n, format_text("-m"));
    add(argv, &n, format_text("none"));
    add(argv, &n, format_text("-t"));
    add(argv, &n, format_text("5000"));
    if (run->seed) {
        add(argv, &n, format_text("-s"));
        add(argv, &n, format_text("%u", run->seed));
    }
    add(argv, &n, format_text("--"));
    add(argv, &n, engine_program(run));
}

pid_t engine_start(const struct engine_run *run, const char *name)
{
    char *argv[32];
    pid_t parent = getpid(), pid;

    if (run->engine == ENGINE_LIBFUZZER)
        libfuzzer_arguments(run, argv);
    else
        afl_arguments(run, argv);
    pid = fork();
    if (pid == 0)
        run_child(run, parent, argv);
    for (unsigned i = 0; argv[i]; i++)
        free(argv[i]);
    if (pid < 0) {
        complain("cannot start a process for %s: %s", name, strerror(errno));
        return 0;
    }
    setpgid(pid, pid);
    return pid;
}

void engine_ask_to_end(const struct engine_run *run, pid_t pid)
{
    kill(pid, run->engine == ENGINE_AFL ? SIGINT : SIGTERM);
}
