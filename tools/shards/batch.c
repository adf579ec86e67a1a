/* SPDX-License-Identifier: MIT */
/* The batch system's commands. */
#include "shards.h"

#include "../command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST    (1u << 20)
#define PATIENT 60000 /* ms: a busy controller answers slowly, one that is gone not at all */

extern char **environ;

static int64_t milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Both pipes to their ends. False: no answer in time. */
static bool listen_to(int out, char *answer, size_t *n, int err, char *complaint, size_t *m, size_t room)
{
    struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    int64_t until = milliseconds() + PATIENT;
    char waste[4096];

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int64_t left = until - milliseconds();

        if (left <= 0 || (poll(fds, 2, (int)left) < 0 && errno != EINTR))
            return false;
        for (unsigned i = 0; i < 2; i++) {
            size_t *used = i ? m : n, most = i ? room : MOST;
            bool full = *used >= most;
            ssize_t got;

            if (fds[i].fd < 0 || !fds[i].revents)
                continue;
            got = read(fds[i].fd, full ? waste : (i ? complaint : answer) + *used, full ? sizeof waste : most - *used);
            if (got > 0 && !full)
                *used += (size_t)got;
            else if (got == 0 || (got < 0 && errno != EINTR))
                fds[i].fd = -1;
        }
    }
    return true;
}

/* Its last line: what went wrong stands there. */
static void last_line(char *text, char says[300], const char *name)
{
    size_t n = strlen(text);
    char *line;

    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        text[--n] = 0;
    line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    snprintf(says, 300, "%s%.250s",
             strncmp(line, name, strlen(name)) == 0 ? "" : "it failed: ", *line ? line : "no word");
}

char *batch_run(char *const *argv, char says[300])
{
    int out[2], err[2], error, status = 0;
    char *answer = malloc(MOST + 1), complaint[2048];
    size_t n = 0, m = 0;
    posix_spawn_file_actions_t actions;
    bool heard;
    pid_t pid;

    if (!answer || pipe2(out, O_CLOEXEC) != 0) {
        snprintf(says, 300, "%s", strerror(errno));
        free(answer);
        return NULL;
    }
    if (pipe2(err, O_CLOEXEC) != 0) {
        snprintf(says, 300, "%s", strerror(errno));
        close(out[0]);
        close(out[1]);
        free(answer);
        return NULL;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    heard = error == 0 && listen_to(out[0], answer, &n, err[0], complaint, &m, sizeof complaint - 1);
    close(out[0]);
    close(err[0]);
    answer[n] = complaint[m] = 0;
    if (error == 0) {
        if (!heard)
            kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (error == 0 && heard && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return answer;
    if (error == ENOENT)
        snprintf(says, 300, "there is no %s on this machine", argv[0]);
    else if (error)
        snprintf(says, 300, "%s: %s", argv[0], strerror(error));
    else if (!heard)
        snprintf(says, 300, "%s: no answer in %d s", argv[0], PATIENT / 1000);
    else
        last_line(complaint, says, argv[0]);
    free(answer);
    return NULL;
}

bool batch_there(void)
{
    char says[300], *answer = batch_run((char *[]){(char *)"sbatch", (char *)"--version", NULL}, says);

    free(answer);
    return answer != NULL;
}

enum batch_life batch_life(const char *job)
{
    static const char *const holds[] = {"RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "STAGE_OUT"};
    char *argv[] = {(char *)"squeue", (char *)"-h", (char *)"-j", (char *)(uintptr_t)job,
                    (char *)"-o",     (char *)"%T", NULL};
    char says[300], *answer = batch_run(argv, says);
    enum batch_life life = BATCH_ENDED;

    if (!answer)
        return strstr(says, "Invalid job id") ? BATCH_ENDED : BATCH_UNKNOWN;
    for (size_t i = 0; i < sizeof holds / sizeof holds[0]; i++)
        if (strstr(answer, holds[i]))
            life = BATCH_RUNS;
    free(answer);
    return life;
}

static bool read_task(char *line, struct batch_task *task)
{
    char *state = strchr(line, '|'), *host = state ? strchr(state + 1, '|') : NULL, *end;
    unsigned long number;

    if (!host)
        return false;
    *state++ = *host++ = 0;
    errno = 0;
    number = strtoul(line, &end, 10);
    if (*line < '0' || *line > '9' || *end || errno || number >= SHARDS_MAX)
        return false;
    memset(task, 0, sizeof *task);
    task->number = (unsigned)number;
    snprintf(task->state, sizeof task->state, "%.23s", state);
    snprintf(task->host, sizeof task->host, "%.63s", host);
    return true;
}

struct batch_task *batch_tasks(const char *job, size_t *n)
{
    /* -r: each task a line; %K: its number in the array. */
    char *argv[] = {(char *)"squeue", (char *)"-h", (char *)"-r", (char *)"-t",       (char *)"all",
                    (char *)"-j",     (char *)job,  (char *)"-o", (char *)"%K|%T|%N", NULL};
    char says[300], *answer = batch_run(argv, says), *rest = answer, *line;
    struct batch_task *tasks = answer ? calloc(SHARDS_MAX, sizeof *tasks) : NULL;

    *n = 0;
    while (tasks && *n < SHARDS_MAX && (line = strsep(&rest, "\n")))
        if (read_task(line, &tasks[*n]))
            ++*n;
    free(answer);
    return tasks;
}
