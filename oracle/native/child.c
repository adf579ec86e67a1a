/* SPDX-License-Identifier: MIT */
/*
 * Sets the child up: memory, segments, signals, then the filter. After the fork of a process that may have threads, so
 * nothing here takes a lock; what goes wrong is written into the shared memory.
 */
#define _GNU_SOURCE
#include "native.h"

#include <asm/ldt.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define PAGE       4096u
#define STACK_SIZE (256u << 10) /* a signal frame with every vector register there is takes about 12 KiB */
/* A case is given up in its second tick. LOOP with 32-bit ECX takes three times as long as that. */
#define TICK_USEC 10000

#ifndef SYS_close_range
#    define SYS_close_range 436
#endif

static const unsigned multiples[LOADS_LINES] = {5, 1, 9, 2, 8, 3, 0, 4}; /* no even steps: prefetchers follow those */

static _Noreturn void give_up(struct native_share *s, enum fl_status status, const char *what, int error)
{
    s->error = what; /* the opener has it at the same address */
    s->error_number = error;
    s->error_status = (uint32_t)status;
    _exit(2);
}

static void *at(uint32_t address)
{
    return (void *)(uintptr_t)address;
}

/* Bare: a sanitizer would look up its memory for these addresses, which is gone. */
FL_BARE static void map_data(struct native_share *s, uint32_t start, uint32_t size)
{
    unsigned char *p = mmap(at(start), size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (p == MAP_FAILED)
        give_up(s, FL_FAILED, "map data pages", errno);
    for (uint32_t i = 0; i < size; i += PAGE)
        *(volatile unsigned char *)(p + i) = 1; /* a frame of its own for each */
}

/* The code page: one frame, writable at an address that no case knows, executable in both windows. */
static void map_code(struct native_child *c)
{
    struct native_share *s = c->share;
    unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        give_up(s, FL_FAILED, "map the code page", errno);
    memset(page, 0xcc, PAGE);
    c->image = (uint64_t *)(void *)(page + PAGE - IMAGE);
    for (unsigned i = 0; i < 2; i++) {
        void *window = at((i == 0 ? RUN_WINDOW : LOADS_WINDOW) + PROBE_CODE);
        /* An old size of 0 maps shared memory once more. */
        if (mremap(page, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, window) != window ||
            mprotect(window, PAGE, PROT_READ | PROT_EXEC) != 0)
            give_up(s, FL_FAILED, "map the code page for execution", errno);
    }
}

static void map_all(struct native_child *c)
{
    struct native_share *s = c->share;
    uint64_t here = (uint64_t)(uintptr_t)&s,
             needed[] = {(uint64_t)(uintptr_t)c, (uint64_t)(uintptr_t)s, here, (uint64_t)(uintptr_t)native_syscall_ip};

    /* Whatever the opener has there (the heap of a program at a fixed address, a sanitizer's memory) is not for the cases to
     * see. The child has no use for it, but for its own code and data. */
    for (unsigned i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (needed[i] >= ARENA_START && needed[i] < LOW_END)
            give_up(s, FL_FAILED, "have the addresses from 128 MiB to 4 GiB", EADDRINUSE);
    void *arena = mmap(at(ARENA_START), LOW_END - ARENA_START, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (arena != at(ARENA_START))
        give_up(s, FL_FAILED, "reserve the addresses from 128 MiB to 4 GiB", errno);
    map_code(c);
    for (unsigned i = 0; i < LOADS_LINES; i++)
        if (multiples[i] != 0)
            map_data(s, (LOADS_AT_64 * multiples[i]) & ~(PAGE - 1), PAGE);
    map_data(s, LOADS_WINDOW, LOADS_DATA_SIZE);
    void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (stack == MAP_FAILED)
        give_up(s, FL_FAILED, "map a signal stack", errno);
    c->stack = (uint64_t)(uintptr_t)stack;
    c->stack_size = STACK_SIZE;
    stack_t ss = {.ss_sp = stack, .ss_size = STACK_SIZE};
    if (sigaltstack(&ss, NULL) != 0)
        give_up(s, FL_FAILED, "set a signal stack", errno);
}

/* 16- and 32-bit segments. Answers false where the kernel has no modify_ldt. */
static bool set_ldt(void)
{
    static const struct {
        uint32_t base, limit;
        bool big, pages, data;
    } rows[LDT_COUNT] = {
        [LDT_RUN_16] = {RUN_WINDOW, 0xffff, false, false, false},
        [LDT_RUN_32] = {0, 0xfffff, true, true, false},
        [LDT_LOADS_16] = {LOADS_WINDOW, 0xffff, false, false, false},
        [LDT_LOADS_32] = {LOADS_WINDOW, 0xfffff, true, true, false},
        [LDT_LOADS_DATA] = {LOADS_WINDOW, 0xfffff, true, true, true},
    };

    for (unsigned i = 0; i < LDT_COUNT; i++) {
        struct user_desc d = {.entry_number = i,
                              .base_addr = rows[i].base,
                              .limit = rows[i].limit,
                              .seg_32bit = rows[i].big,
                              .contents =
                                  rows[i].data ? 0 : 2, /* data that grows upwards; code that does not conform */
                              .limit_in_pages = rows[i].pages,
                              .useable = 1};
        if (syscall(SYS_modify_ldt, 1, &d, sizeof d) != 0)
            return false;
    }
    return true;
}

/* Index in a signal frame of register k of the encoding. */
static const uint8_t frame_index[16] = {13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7};

static void describe_starts(struct native_child *c)
{
    static const uint8_t code[SETUP_COUNT] = {
        [RUN_32] = LDT_RUN_32, [RUN_16] = LDT_RUN_16, [LOADS_32] = LDT_LOADS_32, [LOADS_16] = LDT_LOADS_16};

    for (unsigned setup = 0; setup < SETUP_COUNT; setup++) {
        struct native_start *s = &c->start[setup];
        bool loads = setup >= LOADS_64, long_mode = setup == RUN_64 || setup == LOADS_64;
        bool flat = setup != RUN_16 && setup != LOADS_16 && setup != LOADS_32;
        uint32_t window = loads && !long_mode ? LOADS_WINDOW : RUN_WINDOW;
        uint32_t value = long_mode ? LOADS_AT_64 : LOADS_AT_COMPAT;

        for (unsigned k = 0; k < 16; k++)
            s->gregs[frame_index[k]] =
                loads ? value : (uint64_t)PROBE_REGISTER(k) | (long_mode ? PROBE_REGISTER_UPPER : 0);
        s->cs = long_mode ? USER_CS : LDT(code[setup]);
        s->data = loads && !long_mode ? LDT(LDT_LOADS_DATA) : USER_DS;
        s->cs_bits = s->cs | (uint64_t)s->data << 48;
        s->base = flat ? 0 : window;
        s->end = PROBE_CODE_END + (flat ? window : 0);
        s->first = long_mode ? 0 : 8; /* the frame begins with R8 to R15 */
        s->mask = long_mode ? UINT64_MAX : UINT32_MAX;
        for (unsigned i = 0; i < LOADS_LINES; i++) {
            uint32_t offset = value * multiples[i];
            /* 64-bit code has no operand at 0: any line that it does not name. */
            s->lines[i] = at(!long_mode || offset == 0 ? LOADS_WINDOW + offset : offset);
        }
    }
}

/* As the kernel has it: the C library's own would bring its own restorer, which the filter does not know. */
struct kernel_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};
#define ACTION_RESTORER 0x04000000ul

static void set_signals(struct native_share *s)
{
    static const int ours[] = {SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGSYS, SIGPROF};
    uint64_t blocked = ~0ull; /* an interrupt from the terminal is its opener's to handle */

    for (unsigned i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        /* Nothing is blocked meanwhile: the kernel then has no mask to change, twice a case. */
        struct kernel_action a = {ours[i] == SIGPROF ? native_on_tick : native_on_signal,
                                  SA_SIGINFO | SA_ONSTACK | SA_NODEFER | ACTION_RESTORER, native_restorer, 0};
        if (syscall(SYS_rt_sigaction, ours[i], &a, NULL, sizeof a.mask) != 0)
            give_up(s, FL_FAILED, "set signal handlers", errno);
        blocked &= ~(1ull << (ours[i] - 1));
    }
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof blocked) != 0)
        give_up(s, FL_FAILED, "set the signal mask", errno);
    struct itimerval tick = {{0, TICK_USEC}, {0, TICK_USEC}};
    if (setitimer(ITIMER_PROF, &tick, NULL) != 0)
        give_up(s, FL_FAILED, "set a timer", errno);
}

/* A pipe that stays open here would never end for its reader. */
static void close_files(void)
{
    if (syscall(SYS_close_range, 0u, ~0u, 0u) == 0)
        return;
    for (int fd = 0, end = (int)sysconf(_SC_OPEN_MAX); fd < end; fd++)
        close(fd);
}

_Noreturn FL_BARE void native_child_main(struct native_share *share, pid_t opener)
{
    struct native_child *c = &native_child;
    static const struct rlimit no_core;

    memset(c, 0, sizeof *c);
    c->share = share;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        give_up(share, FL_FAILED, "bind to the opener", errno);
    if (getppid() != opener) /* it ended before that */
        _exit(1);
    setrlimit(RLIMIT_CORE, &no_core);
    map_all(c);
    share->ldt = set_ldt();
    describe_starts(c);
    set_signals(share);
    close_files();
    int error = native_confine();
    if (error != 0)
        give_up(share, FL_UNSUPPORTED, "confine itself with seccomp", error);
    for (;;)
        __asm__ volatile("int3" : : : "memory"); /* native_on_signal takes over and never comes back */
}
