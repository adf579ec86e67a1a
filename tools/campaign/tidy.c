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

#define TIDY_EVERY 10.0 /* seconds between two */
#define TIDY_LAST  60.0 /* that the end of a campaign waits for it */

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

static bool tidy_ended(struct campaign *c)
{
    int status;

    if (!c->tidy_pid || waitpid(c->tidy_pid, &status, WNOHANG) != c->tidy_pid)
        return false;
    c->tidy_pid = 0;
    c->tidied = c->clock;
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != EXIT_CLEAN && WEXITSTATUS(status) != EXIT_FINDINGS))
        campaign_say(c, "minimising did not get through (%s %d); the buckets stay as they are",
                     WIFEXITED(status) ? "exit code" : "signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return true;
}

void tidy_end(struct campaign *c)
{
    if (!c->tidy_pid)
        return;
    kill(-c->tidy_pid, SIGKILL);
    kill(c->tidy_pid, SIGKILL);
    waitpid(c->tidy_pid, NULL, 0);
    c->tidy_pid = 0;
}

void tidy_step(struct campaign *c, bool last)
{
    const struct timespec wait = {.tv_nsec = 50000000};

    tidy_ended(c);
    if (!last) {
        if (!c->tidy_pid && c->tidy_wanted && !c->paused && c->clock - c->tidied >= TIDY_EVERY)
            tidy_begin(c);
        return;
    }
    for (double waited = 0; (c->tidy_pid || c->tidy_wanted) && waited < TIDY_LAST && !c->paused; waited += 0.05) {
        if (!c->tidy_pid)
            tidy_begin(c);
        nanosleep(&wait, NULL);
        tidy_ended(c);
    }
    tidy_end(c);
}
