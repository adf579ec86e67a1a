/* SPDX-License-Identifier: MIT */
/* Other programs: compilers, git, tar. */
#include "bisect.h"
#include "../command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_OUTPUT (64u << 20)

extern char **environ;

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    (void)signal;
    interrupted = 1;
}

void program_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

bool program_interrupted(void)
{
    return interrupted != 0;
}

/* Everything that was written to a scratch file, with a NUL behind it. */
static char *contents(FILE *file)
{
    long size;
    char *text;

    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || size > (long)MOST_OUTPUT)
        size = 0;
    rewind(file);
    text = malloc((size_t)size + 1);
    if (!text) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    text[fread(text, 1, (size_t)size, file)] = 0;
    return text;
}

/* Waits; the program and what it started end with our own interruption, and with the limit. */
static int wait_for(pid_t pid, unsigned seconds)
{
    double until = monotonic_seconds() + seconds, pause = 0.001;
    int status, end = 0;

    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);

        if (got == pid || (got < 0 && errno != EINTR))
            break;
        if (!end && (interrupted || (seconds && monotonic_seconds() > until))) {
            end = interrupted ? RUN_INTERRUPTED : RUN_TOO_LONG;
            kill(-pid, SIGKILL);
        }
        nanosleep(&(struct timespec){.tv_nsec = (long)(pause * 1e9)}, NULL);
        pause = pause < 0.05 ? pause * 1.3 : pause;
    }
    return end ? end : WIFEXITED(status) ? WEXITSTATUS(status) : RUN_STOPPED;
}

static int start(const struct run *r, int out, int error, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, error, 2);
    if (r->folder)
        posix_spawn_file_actions_addchdir_np(&actions, r->folder);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    failed = posix_spawnp(pid, r->argv[0], &actions, &attributes, (char *const *)(void *)r->argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

int program_run(const struct run *r)
{
    FILE *out = tmpfile(), *error = !out ? NULL : r->log ? fopen(r->log, "a") : tmpfile();
    int code = RUN_NO_FILE, failed;
    char *text;
    pid_t pid;

    if (!out || !error) {
        text = format_text("%s: %s", r->log && out ? r->log : "temporary file", strerror(errno));
        if (r->error)
            snprintf(r->error, 300, "%s", text);
        else
            complain("%s", text);
        free(text);
        goto done;
    }
    code = RUN_NOT_THERE;
    fcntl(fileno(out), F_SETFD, FD_CLOEXEC);
    fcntl(fileno(error), F_SETFD, FD_CLOEXEC);
    failed = start(r, r->out || !r->log ? fileno(out) : fileno(error), fileno(error), &pid);
    if (r->error)
        snprintf(r->error, 300, "%s: %s", r->argv[0], failed == ENOENT ? "is not installed" : strerror(failed));
    if (failed)
        goto done;
    code = wait_for(pid, r->seconds);
    if (r->error && !r->log) {
        text = contents(error);
        text[strcspn(text, "\n")] = 0;
        snprintf(r->error, 300, "%.299s", text);
        free(text);
    }
    if (r->out)
        *r->out = contents(out);
done:
    if (r->out && (code == RUN_NOT_THERE || code == RUN_NO_FILE))
        *r->out = format_text("%s", "");
    if (out)
        fclose(out);
    if (error)
        fclose(error);
    return code;
}
