/* SPDX-License-Identifier: MIT */
/*
 * Dies of every class given as "check/row", each in a process of its own, and prints where: "check/row", then the code
 * addresses of the frames from the top, less the address that the program was loaded at. For tests/classes/frames.py, which
 * compiles this with whatever might take frames apart or put them together.
 */
#include <execinfo.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine/trap.h"

#define FRAMES 16

extern const char __executable_start[];

/* The frames of the handler itself, and of its return, come first: what counts begins where the signal hit. */
static void on_sigill(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *u = context;
#ifdef __x86_64__
    uintptr_t ip = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
#else
    uintptr_t ip = (uintptr_t)u->uc_mcontext.gregs[REG_EIP];
#endif
    void *frames[FRAMES];
    int n = backtrace(frames, FRAMES), i = 0;

    (void)info;
    if (signal != SIGILL)
        _exit(1);
    while (i < n && (uintptr_t)frames[i] != ip)
        i++;
    for (; i < n; i++) /* a return address may lie behind the end of a function that ends in the call */
        printf(" %#jx",
               (uintmax_t)((uintptr_t)frames[i] - (uintptr_t)__executable_start - ((uintptr_t)frames[i] != ip)));
    printf("\n");
    fflush(stdout);
    _exit(0);
}

static void die_of(char *name)
{
    const struct sigaction act = {.sa_sigaction = on_sigill, .sa_flags = SA_SIGINFO | SA_RESETHAND};
    char *slash = strchr(name, '/');
    void *warm[1];

    if (!slash)
        exit(2);
    printf("%s", name);
    *slash = 0;
    backtrace(warm, 1); /* loads the unwinder outside the handler */
    sigaction(SIGILL, &act, NULL);
    fl_trap(name, slash + 1);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        pid_t pid = fork();
        int status;

        if (pid == 0)
            die_of(argv[i]);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "%s did not trap\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
