/* SPDX-License-Identifier: MIT */
/* The watchdog: ends a process whose engine does not come back, says which executor it was, also in the child of a fork;
 * leaves alone one whose engine comes back, or that is busy elsewhere. Each case in a child of its own, all at once. */
#include "check.h"
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unicorn/watchdog.h"

struct child {
    pid_t pid;
    int err; /* its stderr */
};

static struct child start(void (*work)(void))
{
    struct child c = {0};
    int ends[2];

    if (pipe(ends) != 0 || (c.pid = fork()) < 0) {
        perror("fork");
        exit(1);
    }
    if (c.pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        signal(SIGABRT, SIG_DFL); /* no report of a sanitizer */
        alarm(60);
        work();
        _exit(0);
    }
    close(ends[1]);
    c.err = ends[0];
    return c;
}

static void finish(struct child c, bool stuck, const char *what)
{
    char text[256] = "";
    size_t n = 0;
    ssize_t got;
    int status;

    while (n < sizeof text - 1 && (got = read(c.err, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    close(c.err);
    waitpid(c.pid, &status, 0);
    if (stuck) {
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s: status %#x", what, (unsigned)status);
        CHECK(strncmp(text, "faultline: executor unicorn ", 28) == 0, "%s: says \"%s\"", what, text);
        CHECK(strstr(text, " did not come back from an instruction within 1 s\n") != NULL, "%s: says \"%s\"", what,
              text);
    } else {
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %#x", what, (unsigned)status);
        CHECK(n == 0, "%s: says \"%s\"", what, text);
    }
}

static void spin(double seconds)
{
    struct timespec from, now;

    clock_gettime(CLOCK_MONOTONIC, &from);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((double)(now.tv_sec - from.tv_sec) + (double)(now.tv_nsec - from.tv_nsec) / 1e9 < seconds);
}

static void watch(unsigned seconds)
{
    if (fl_unicorn_watchdog(seconds) != FL_OK)
        _exit(9);
}

static void stuck(void)
{
    watch(1);
    watchdog_enter();
    spin(30);
}

static void stuck_after_fork(void)
{
    int status;
    pid_t pid;

    watch(1);
    pid = fork();
    if (pid == 0) {
        watchdog_enter();
        spin(30);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        raise(WTERMSIG(status));
}

static void busy_elsewhere(void)
{
    watch(1);
    watchdog_enter();
    watchdog_leave();
    spin(3.2);
}

static void switched_off(void)
{
    watch(1);
    watch(0);
    watchdog_enter();
    spin(3.2);
}

/* Entered again and again; and a slow fault handler is not the engine's time. */
static bool slow_fault(void *ctx, uint64_t cr2, uint32_t code, struct fl_regs *regs)
{
    spin(3.2);
    return program_fault(ctx, cr2, code, regs);
}

static void at_work(void)
{
    static struct program p;
    struct fixture f;

    fixture_open(&f, 4u << 20);
    watch(1);
    program_begin(&p, &f, 64, true);
    PROGRAM_CODE(&p, "\x8a\x07"); /* mov al,[rdi] */
    p.regs.gpr[FL_RDI] = DATA_VA;
    if (f.ex->run(f.ex, &p.cpu, &p.regs, &p.cs, &p.limits, slow_fault, &p, &p.r) != FL_EXEC_OK || p.r.faults != 1)
        _exit(8);
    fixture_close(&f);
}

int main(void)
{
    struct child c[] = {start(stuck), start(stuck_after_fork), start(busy_elsewhere), start(switched_off),
                        start(at_work)};

    finish(c[0], true, "stuck");
    finish(c[1], true, "stuck after a fork");
    finish(c[2], false, "busy elsewhere");
    finish(c[3], false, "switched off");
    finish(c[4], false, "at work");
    return check_done("exec watchdog");
}
