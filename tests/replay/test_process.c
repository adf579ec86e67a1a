/* SPDX-License-Identifier: MIT */
/* What a replayer does to the process that it is in, and to its own children: nothing is left behind. */
#include "test_replay.h"

#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nap(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&t, NULL);
}

/* Descriptors above the standard ones; *left [OUT]: those of them that an exec leaves open. */
static unsigned descriptors(unsigned *left)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;
    unsigned n = 0;

    *left = 0;
    while (dir && (e = readdir(dir))) {
        int fd = atoi(e->d_name);

        if (fd <= 2 || fd == dirfd(dir))
            continue;
        n++;
        *left += (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
    }
    if (dir)
        closedir(dir);
    return n;
}

/* A child of that process; 0: none. */
static pid_t child_of(pid_t parent)
{
    DIR *dir = opendir("/proc");
    struct dirent *e;
    pid_t found = 0;

    while (dir && !found && (e = readdir(dir))) {
        char path[64], state;
        int pid = atoi(e->d_name), ppid = 0;
        FILE *in;

        if (pid <= 0)
            continue;
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        in = fopen(path, "r");
        if (in && fscanf(in, "%*d (%*[^)]) %c %d", &state, &ppid) == 2 && ppid == parent)
            found = pid;
        if (in)
            fclose(in);
    }
    if (dir)
        closedir(dir);
    return found;
}

/* Gone, or dead and only waiting for its parent to notice. */
static bool is_dead(pid_t pid)
{
    char path[64], state = 0;
    FILE *in;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    in = fopen(path, "r");
    if (!in)
        return true;
    if (fscanf(in, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    fclose(in);
    return state == 'Z' || state == 'X';
}

static bool dies_within(pid_t pid, double seconds)
{
    for (double t = 0; t < seconds; t += 0.02) {
        if (is_dead(pid))
            return true;
        nap(0.02);
    }
    return false;
}

static void test_nothing_is_left(void)
{
    unsigned left, left_before, before = descriptors(&left_before);
    struct replayer *a = open_core(NULL, 0), *b = open_core(NULL, 0);
    struct replay_result got;

    CHECK(descriptors(&left) > before, "it has descriptors");
    CHECK_EQ(left, left_before, "an exec closes them");
    for (unsigned i = 0; i < 20; i++) {
        replay_run(i % 2 ? a : b, scenario(handled), FL_TARGET_FAULT, &got);
        CHECK_EQ(got.end, REPLAY_CLEAN, "two at once: %s", got.key);
    }
    replay_close(a);
    replay_run(b, scenario(handled), FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_CLEAN, "one of two is closed: %s", got.key);
    replay_close(b);
    CHECK_EQ(descriptors(&left), before, "descriptors");
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "no child is left");
}

/* A pipe or a lock of the parent's must not be held by the child. */
static void test_parents_descriptors(void)
{
    int ends[2];
    struct replayer *r;
    char byte;

    CHECK_EQ(pipe(ends), 0, "pipe");
    r = open_core(NULL, 0);
    close(ends[1]);
    CHECK_EQ(read(ends[0], &byte, 1), 0, "the end of the pipe");
    close(ends[0]);
    replay_close(r);
}

static void test_killed_between(void)
{
    struct replayer *r = open_core(NULL, 0);
    struct replay_result got;
    pid_t first = child_of(getpid());

    CHECK(first > 0, "a child");
    kill(first, SIGKILL);
    CHECK(dies_within(first, 10), "killed");
    replay_run(r, scenario(handled), FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_CLEAN, "a new child: %s %s", got.key, got.detail);
    CHECK(child_of(getpid()) > 0 && child_of(getpid()) != first, "a new child");

    /* Signals that a terminal or a service manager sends to the whole group are the parent's to answer. */
    first = child_of(getpid());
    kill(first, SIGINT);
    kill(first, SIGTERM);
    kill(first, SIGHUP);
    replay_run(r, scenario(handled), FL_TARGET_FAULT, &got);
    CHECK(got.end == REPLAY_CLEAN && child_of(getpid()) == first, "the same child");
    replay_close(r);
}

/* Somebody kills the child while it judges: no finding about the scenario. */
static void test_killed_within(const char *hang_core)
{
    struct replayer *r = open_core(hang_core, 1);
    pid_t parent = getpid(), victim = child_of(parent), killer = fork();
    struct replay_result got;
    int status = 1;

    if (killer == 0) {
        nap(0.3);
        _exit(kill(victim, SIGKILL) == 0 ? 0 : 1);
    }
    replay_limit(r, 1);
    replay_run(r, scenario(prefixes), FL_TARGET_PREFETCH, &got);
    CHECK(waitpid(killer, &status, 0) == killer && status == 0, "killed");
    CHECK_EQ(got.end, REPLAY_HUNG, "asked again: %s %s", got.key, got.detail);
    replay_close(r);
}

static void test_dies_with_its_parent(const char *hang_core)
{
    for (unsigned judging = 0; judging < 2; judging++) {
        int ends[2];
        pid_t tool, child = 0;

        CHECK_EQ(pipe(ends), 0, "pipe");
        fflush(NULL);
        tool = fork();
        if (tool == 0) {
            struct replayer *r = open_core(hang_core, 30);
            struct replay_result got;

            child = child_of(getpid());
            if (write(ends[1], &child, sizeof child) != sizeof child)
                _exit(1);
            if (judging)
                replay_run(r, scenario(prefixes), FL_TARGET_PREFETCH, &got);
            for (;;)
                pause();
        }
        close(ends[1]);
        CHECK(read(ends[0], &child, sizeof child) == sizeof child && child > 0, "its child");
        close(ends[0]);
        nap(0.2);
        kill(tool, SIGKILL);
        waitpid(tool, NULL, 0);
        CHECK(dies_within(child, 10), "the child of a tool that was killed while it %s", judging ? "judges" : "waits");
    }
}

void test_process(const char *hang_core, uint64_t *compared, uint64_t *failed)
{
    test_nothing_is_left();
    test_parents_descriptors();
    test_killed_between();
    test_killed_within(hang_core);
    test_dies_with_its_parent(hang_core);
    *compared += check_count;
    *failed += check_failures;
}
