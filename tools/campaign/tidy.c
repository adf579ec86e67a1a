/* SPDX-License-Identifier: MIT */
/*
 * Beside the engines, and of lower rank than they are: buckets that are not minimised yet are, and keys that are one bug's are
 * put together. A process of its own (faultline triage --dir DIR), so that the loop never waits for it.
 */
#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIDY_EVERY 10.0  /* seconds between two; after one that failed twice as long, and so on */
#define TIDY_RETRY 600.0 /* but not longer */
#define TIDY_LAST  60.0  /* that the end of a campaign waits for it */

static _Noreturn void tidy_child(const struct campaign *c, pid_t parent)
{
    char *argv[10];
    unsigned n = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);
    setpgid(0, 0);
    if (setpriority(PRIO_PROCESS, 0, 19) != 0)
        errno = 0; /* then it has the rank of the others */
    setenv("FAULTLINE_CAMPAIGN", c->o->folder, 1);
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
    }
    argv[n++] = format_text("faultline");
    argv[n++] = format_text("triage");
    argv[n++] = format_text("--dir");
    argv[n++] = format_text("%s", c->o->folder);
    argv[n++] = format_text("--jobs=1");
    if (!c->o->executor)
        argv[n++] = format_text("--no-executor");
    /* Also where it is the one in this tree, whatever the environment says. */
    argv[n++] = format_text("--core=%s", c->o->core ? c->o->core : "");
    argv[n] = NULL;
    execv("/proc/self/exe", argv);
    _exit(127);
}

static void tidy_begin(struct campaign *c)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        tidy_child(c, parent);
    c->tidy_pid = pid > 0 ? pid : 0;
    c->tidied = c->clock;
    c->tidy_wanted = false;
}

static void tidy_ended(struct campaign *c)
{
    int status;

    if (!c->tidy_pid || waitpid(c->tidy_pid, &status, WNOHANG) != c->tidy_pid)
        return;
    c->tidy_pid = 0;
    c->tidied = c->clock;
    if (WIFEXITED(status) && (WEXITSTATUS(status) == EXIT_CLEAN || WEXITSTATUS(status) == EXIT_FINDINGS)) {
        c->tidy_failures = 0;
        return;
    }
    c->tidy_wanted = true;
    c->tidy_failures++;
    campaign_say(c, "minimising did not get through (%s %d) and is tried again",
                 WIFEXITED(status) ? "exit code" : "signal",
                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static double tidy_pause(const struct campaign *c)
{
    double wait = TIDY_EVERY;

    for (unsigned i = 0; i < c->tidy_failures && wait < TIDY_RETRY; i++)
        wait *= 2;
    return wait < TIDY_RETRY ? wait : TIDY_RETRY;
}

void tidy_end(struct campaign *c)
{
    if (!c->tidy_pid)
        return;
    kill(-c->tidy_pid, SIGKILL);
    kill(c->tidy_pid, SIGKILL);
    waitpid(c->tidy_pid, NULL, 0);
    c->tidy_pid = 0;
    c->tidy_wanted = true; /* it was not done */
}

void tidy_step(struct campaign *c, bool last)
{
    const struct timespec wait = {.tv_nsec = 50000000};

    tidy_ended(c);
    if (!last) {
        if (!c->tidy_pid && c->tidy_wanted && !c->paused && c->clock - c->tidied >= tidy_pause(c))
            tidy_begin(c);
        return;
    }
    c->tidy_failures = 0;
    for (double waited = 0; (c->tidy_pid || c->tidy_wanted) && waited < TIDY_LAST && !c->paused && !c->tidy_failures;
         waited += 0.05) {
        if (!c->tidy_pid)
            tidy_begin(c);
        nanosleep(&wait, NULL);
        tidy_ended(c);
    }
    tidy_end(c);
    if (c->tidy_wanted && !c->tidy_failures)
        campaign_say(c, "minimising was cut off at the end; resume goes on with it, or faultline triage --dir %s",
                     c->o->folder);
}
