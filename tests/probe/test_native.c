/* SPDX-License-Identifier: MIT */
/*
 * The native probe's child: seccomp confines it, a string that calls the kernel does no harm, its death is told in one line
 * and without a hang, it ends with its opener, and two of them do not meet.
 */
#include "fixture.h"
#include "native/native.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct fl_probe_case nop = {{0x90}, 1, 64};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void test_system_calls(struct fl_probe *p)
{
    static const struct {
        struct fl_probe_case c;
        const char *what;
    } rows[] = {
        {{{0x0f, 0x05}, 2, 64}, "syscall"},
        {{{0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05}, 7, 64}, "exit_group"},
        {{{0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}, 7, 64}, "exit"},
        {{{0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05}, 7, 64}, "rt_sigreturn"},
        {{{0xb8, 0xca, 0, 0, 0, 0x0f, 0x05}, 7, 64}, "futex"},
        {{{0xb8, 0x39, 0, 0, 0, 0x0f, 0x05}, 7, 64}, "fork"},
        {{{0xb8, 0x22, 0, 0, 0, 0x0f, 0x05}, 7, 64}, "pause"},
        {{{0xb8, 0x27, 0, 0, 0x40, 0x0f, 0x05}, 7, 64}, "x32 getpid"},
        {{{0xb8, 1, 0, 0, 0, 0xcd, 0x80}, 7, 64}, "32-bit exit"},
        {{{0xb8, 1, 0, 0, 0, 0xcd, 0x80}, 7, 32}, "32-bit exit"},
        {{{0x66, 0xb8, 1, 0, 0, 0, 0xcd, 0x80}, 8, 16}, "32-bit exit"},
        {{{0xcd, 0x80}, 2, 32}, "int 80"},
        {{{0xcd, 0x80}, 2, 16}, "int 80"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((fixture_mode(rows[i].c.bits) & p->modes) == 0)
            continue;
        uint8_t end = fixture_end(p, &rows[i].c);
        /* A kernel without 32-bit calls has no gate there. */
        bool no_gate = rows[i].c.bytes[rows[i].c.n - 1] == 0x80 && (end == FL_PROBE_GP || end == FL_PROBE_ELSEWHERE);
        CHECK(end == FL_PROBE_OTHER || no_gate, "%s (%s): %s", fixture_text(&rows[i].c), rows[i].what,
              fl_probe_end_name(end));
        CHECK_EQ(fixture_end(p, &nop), FL_PROBE_RAN, "after %s", rows[i].what);
    }
}

/* What one case could leave behind for the next. */
static void test_traces(struct fl_probe *p)
{
    static const struct fl_probe_case leave[] = {
        {{0xb8, 0, 0, 0, 0, 0x8e, 0xe0, 0x8e, 0xe8}, 9, 64},                    /* mov fs,0; mov gs,0 */
        {{0xf3, 0x48, 0x0f, 0xae, 0xd0, 0xf3, 0x48, 0x0f, 0xae, 0xd8}, 10, 64}, /* wrfsbase, wrgsbase */
        {{0xb8, 0, 0, 0, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0}, 11, 32},       /* mov ds, es, fs, 0 */
        {{0x89, 0xe5, 0x31, 0xe4}, 4, 32},                                      /* esp 0 */
        {{0xdb, 0xe3, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9}, 8, 64},              /* fninit, fld1, fldz, fdivp */
        {{0xfd, 0xf9}, 2, 16},                                                  /* std, stc */
    };
    static const struct fl_probe_case look[] = {
        {{0x64, 0x8a, 0x00}, 3, 64}, {{0x65, 0x8a, 0x00}, 3, 64}, {{0x8a, 0x00}, 2, 32},
        {{0x26, 0x8a, 0x00}, 3, 32}, {{0x64, 0x8a, 0x00}, 3, 32}, {{0x50}, 1, 16},
    };

    for (size_t i = 0; i < sizeof leave / sizeof leave[0]; i++) {
        if ((fixture_mode(leave[i].bits) & p->modes) == 0)
            continue;
        fixture_end(p, &leave[i]);
        for (size_t j = 0; j < sizeof look / sizeof look[0]; j++)
            if ((fixture_mode(look[j].bits) & p->modes) != 0)
                CHECK_EQ(fixture_end(p, &look[j]), FL_PROBE_PF, "%s after case %zu", fixture_text(&look[j]), i);
    }
}

static void test_two(struct fl_probe *p)
{
    struct fl_probe *q = fixture_open(fl_native_open);

    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(fixture_end(p, &nop), FL_PROBE_RAN, "first");
        CHECK_EQ(fixture_end(q, &nop), FL_PROBE_RAN, "second");
    }
    CHECK_EQ(q->close(q), FL_OK, "close");
    CHECK_EQ(fixture_end(p, &nop), FL_PROBE_RAN, "first, the second closed");
}

static void test_killed(void)
{
    struct fl_probe *p = fixture_open(fl_native_open);
    struct fl_probe_loads loads;
    pid_t child = ((struct native *)p)->child;
    uint8_t end;

    CHECK_EQ(kill(child, SIGKILL), 0, "kill");
    double start = seconds();
    CHECK_EQ(p->run(p, &nop, 1, &end), FL_FAILED, "after the kill");
    CHECK(strstr(p->why(p), "signal 9") != NULL && strchr(p->why(p), '\n') == NULL, "%s", p->why(p));
    CHECK_EQ(p->run(p, &nop, 1, &end), FL_FAILED, "once more");
    CHECK_EQ(p->loads(p, &nop, &loads), FL_FAILED, "loads");
    CHECK_EQ(p->close(p), FL_FAILED, "close");
    CHECK(seconds() - start < 5, "it took %g s", seconds() - start);
    CHECK(waitpid(child, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left behind");
}

/* Gone, or only not collected by whoever inherited it. */
static bool is_gone(pid_t pid)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");

    if (f == NULL)
        return true;
    if (fgets(line, sizeof line, f) == NULL)
        line[0] = 0;
    fclose(f);
    const char *state = strrchr(line, ')');
    return state == NULL || state[2] == 'Z' || state[2] == 'X';
}

static void test_opener_ends(void)
{
    int fds[2];
    pid_t child = 0;

    CHECK_EQ(pipe(fds), 0, "pipe");
    pid_t opener = fork();
    if (opener == 0) {
        struct fl_probe *p = NULL;
        char why[256];
        if (fl_native_open(&p, why) == FL_OK)
            child = ((struct native *)p)->child;
        _exit(write(fds[1], &child, sizeof child) == sizeof child ? 0 : 1);
    }
    close(fds[1]);
    CHECK_EQ(read(fds[0], &child, sizeof child), sizeof child, "the child's id");
    /* It holds no file of its opener: nobody writes into the pipe any more. */
    CHECK_EQ(read(fds[0], &fds[1], 1), 0, "end of the pipe");
    close(fds[0]);
    waitpid(opener, NULL, 0);
    CHECK(child > 0, "it did not open");
    for (unsigned i = 0; i < 500 && !is_gone(child); i++)
        usleep(10000);
    CHECK(is_gone(child), "the child outlives its opener");
}

/* From now on this process and its children have no such system call. */
static bool take_away(unsigned call)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* Kernels with less: without modify_ldt there is 64-bit code only, without seccomp there is no probe. */
static int open_without(unsigned call)
{
    struct fl_probe *p = NULL;
    char why[256] = "";
    uint8_t end = FL_PROBE_COUNT;
    struct fl_probe_case c = {{0x90}, 1, 32};

    if (!take_away(call))
        return 1;
    enum fl_status status = fl_native_open(&p, why);
    if (call == SYS_seccomp)
        return status == FL_UNSUPPORTED && strstr(why, "seccomp") != NULL && p == NULL ? 0 : 2;
    if (status != FL_OK || p->modes != FL_DECODES_64)
        return 3;
    if (p->run(p, &c, 1, &end) != FL_INVALID || p->run(p, &nop, 1, &end) != FL_OK || end != FL_PROBE_RAN)
        return 4;
    return p->close(p) == FL_OK ? 0 : 5;
}

static void test_without(unsigned call, const char *name)
{
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(open_without(call));
    CHECK_EQ(waitpid(pid, &status, 0), pid, "wait");
    CHECK_EQ(status, 0, "without %s", name);
}

int main(void)
{
    struct fl_probe *p = fixture_open(fl_native_open);
    char why[256];

    CHECK_EQ(fl_native_open(NULL, why), FL_INVALID, "open");
    test_system_calls(p);
    test_traces(p);
    test_two(p);
    CHECK_EQ(p->close(p), FL_OK, "close: %s", "controls");
    test_killed();
    test_opener_ends();
    test_without(SYS_modify_ldt, "modify_ldt");
    test_without(SYS_seccomp, "seccomp");
    return check_done("native probe");
}
