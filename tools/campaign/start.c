/* SPDX-License-Identifier: MIT */
/* start and resume: what can be told at once is told at once; then the campaign goes into the background. */
#include "campaign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int say_busy(const char *folder)
{
    pid_t guard, supervisor;

    campaign_lock_pids(folder, &guard, &supervisor);
    if (supervisor || guard)
        complain("%s: a campaign works in this folder (process %d): faultline campaign status %s", folder,
                 (int)(supervisor ? supervisor : guard), folder);
    else
        complain("%s: a campaign works in this folder (on another machine?): faultline campaign status %s", folder,
                 folder);
    return EXIT_INPUT;
}

/* ---- checks ---------------------------------------------------------------------------------------------------------- */

/* A folder that is somebody else's is not filled with our files. */
static bool folder_is_ours(const char *folder)
{
    static const char *const ours[] = {"campaign.db", "lock",       "log",       "known",    "seeds", "jobs",  "merge",
                                       "findings",    "left-aside", "artifacts", "corpus-v", "afl-v", "shard", "slurm"};
    DIR *dir = opendir(folder);
    struct dirent *e;
    bool ok = true;

    if (!dir)
        return true; /* not there, or the next step says why not */
    while (ok && (e = readdir(dir))) {
        bool known = e->d_name[0] == '.';

        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            known |= strncmp(e->d_name, ours[i], strlen(ours[i])) == 0;
        if (!known) {
            complain("%s: is not empty, and \"%.60s\" is nothing of a campaign: name a new folder", folder, e->d_name);
            ok = false;
        }
    }
    closedir(dir);
    return ok;
}

static bool programs_ready(const struct campaign_options *o)
{
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        for (unsigned e = 0; e < ENGINE_COUNT; e++) {
            struct engine_run run = {.engine = (enum engine)e, .target = (enum fl_target)t, .build = o->build};

            if (o->target[t] && o->engine[e] && !engine_ready(&run))
                return false;
        }
    return true;
}

/* A core that does not load, or an executor that is not there, is told here. */
static bool replays(const struct campaign_options *o, char executor[256])
{
    struct replay_options options = {.core = o->core, .executor = o->executor, .decoders = true};
    char why[512];
    struct replayer *r = replay_open(&options, why);

    if (!r) {
        complain("%s", why);
        return false;
    }
    snprintf(executor, 256, "%s", o->executor ? replay_executor(r) : "none");
    replay_close(r);
    return true;
}

/* ---- into the background --------------------------------------------------------------------------------------------- */

static int background(struct campaign_options *o, int lock)
{
    char answer[8] = "";
    int fds[2], status;
    ssize_t n;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0 || (fflush(stdout), pid = fork()) < 0) {
        complain("cannot start a process: %s", strerror(errno));
        return EXIT_INTERNAL;
    }
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR), code;

        close(fds[0]);
        setsid();
        signal(SIGHUP, SIG_IGN);
        if (null >= 0) {
            dup2(null, 0);
            dup2(null, 1);
        }
        code = campaign_guard(o, lock, fds[1]);
        fflush(NULL);
        _exit(code);
    }
    close(fds[1]);
    do
        n = read(fds[0], answer, sizeof answer - 1);
    while (n < 0 && errno == EINTR);
    close(fds[0]);
    if (n > 0 && strncmp(answer, "ok", 2) == 0) {
        printf("campaign started in %s\n", o->folder);
        if (o->seconds > 0)
            printf("  it ends by itself after %.0f s\n", o->seconds);
        printf("  watch it: ./faultline campaign status %s\n  end it:   ./faultline campaign stop %s\n  its log:  "
               "%s/log\n",
               o->folder, o->folder, o->folder);
        return EXIT_CLEAN;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_CLEAN && WEXITSTATUS(status) != EXIT_FINDINGS)
        return WEXITSTATUS(status); /* it complained */
    complain("%s: the campaign did not start; see %s/log", o->folder, o->folder);
    return EXIT_INTERNAL;
}

static int launch(struct campaign_options *o, int lock)
{
    return o->foreground ? campaign_guard(o, lock, -1) : background(o, lock);
}

/* ---- the verbs ------------------------------------------------------------------------------------------------------- */

static char *command_line(int argc, char **argv)
{
    char *text = format_text("%s", argv[0]);

    for (int i = 1; i < argc; i++) {
        char *longer = format_text("%s %s", text, argv[i]);

        free(text);
        text = longer;
    }
    return text;
}

/* Has somebody started a campaign in it? */
static bool has_campaign(struct store *s)
{
    char text[128];

    return store_option_get(s, "targets", text, sizeof text);
}

static int start(struct campaign_options *o, const char *command)
{
    char executor[256];
    struct store *s;
    bool busy, ok;
    int lock, code = EXIT_INPUT;

    if (o->slurm && !slurm_there())
        return EXIT_INPUT;
    if (!folder_is_ours(o->folder) || !programs_ready(o) || !make_folder(o->folder))
        return EXIT_INPUT;
    lock = campaign_lock(o->folder, &busy);
    if (lock < 0)
        return busy ? say_busy(o->folder) : EXIT_INPUT;
    s = store_open(o->folder, STORE_CREATE);
    if (!s)
        goto out;
    if (has_campaign(s)) {
        complain("%s: there is a campaign in this folder: faultline campaign resume %s", o->folder, o->folder);
        store_close(s);
        goto out;
    }
    ok = replays(o, executor) && campaign_options_store(s, o, command) && store_option_set(s, "executor", executor);
    store_close(s);
    if (ok)
        code = o->slurm ? slurm_start(o) : launch(o, lock);
out:
    close(lock);
    return code;
}

int campaign_start(int argc, char **argv)
{
    char *command = command_line(argc, argv);
    struct campaign_options *o = campaign_options_parse(argc, argv, false);
    int code = start(o, command);

    campaign_options_free(o);
    free(command);
    return code;
}

static int resume(struct campaign_options *o)
{
    char executor[256];
    struct store *s;
    bool busy, ok;
    int lock, code = EXIT_INPUT;

    if (!store_is_folder(o->folder)) {
        complain("%s: there is no campaign here: faultline campaign start %s", o->folder, o->folder);
        return EXIT_INPUT;
    }
    lock = campaign_lock(o->folder, &busy);
    if (lock < 0)
        return busy ? say_busy(o->folder) : EXIT_INPUT;
    s = store_open(o->folder, STORE_WRITE);
    if (s && slurm_is(s)) {
        store_close(s);
        close(lock);
        return slurm_resume(o->folder);
    }
    ok = s && campaign_options_load(s, o) && programs_ready(o) && replays(o, executor) &&
         store_option_set(s, "executor", executor);
    store_close(s);
    if (ok)
        code = launch(o, lock);
    close(lock);
    return code;
}

int campaign_resume(int argc, char **argv)
{
    struct campaign_options *o = campaign_options_parse(argc, argv, true);
    int code = resume(o);

    campaign_options_free(o);
    return code;
}
