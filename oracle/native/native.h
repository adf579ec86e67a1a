/* SPDX-License-Identifier: MIT */
/*
 * Private to the native probe. Two processes:
 *
 *   opener   probe.c (the vtable), controls, timing.c (loads), handover.c (batches), identity.c (CPUID)
 *   child    child.c (what is set up), confine.c (seccomp), handler.c (runs the cases)
 *
 * The child has no loop. Each case ends with a signal, and the handler writes that case's end down, puts the next one's
 * bytes and registers in place, and returns into it: one exception and one rt_sigreturn a case. When the batch is done,
 * the handler itself waits for the next.
 *
 * Linear addresses of the child that cases can reach, all below 2 GiB (32-bit displacements reach the rest):
 *
 *   ARENA_START to LOW_END     reserved without access: what registers point to (probe_state.h), but for
 *    LOADS_AT * 1,2,3,4,5,8,9   data pages of loads() for 64-bit code: a register, and its sums with multiples of itself
 *    RUN_WINDOW                 16-bit code's 64 KiB; only the code page is there
 *    LOADS_WINDOW               the same code page again, with data pages: segments of loads() for 16- and 32-bit code
 */
#ifndef FAULTLINE_ORACLE_NATIVE_NATIVE_H
#define FAULTLINE_ORACLE_NATIVE_NATIVE_H

#include "../probe_state.h"

#include <signal.h> /* after types.h: its macros have names of fields there */
#include <stdatomic.h>
#include <sys/types.h>

#define ARENA_START  0x08000000u
#define LOW_END      (1ull << 32)
#define RUN_WINDOW   PROBE_WINDOW
#define LOADS_WINDOW 0x71000000u

/* Every register holds this while loads() runs: linear in 64-bit code, an offset into LOADS_WINDOW otherwise. Multiples
 * are what base + scale * index comes to; 0 is an operand without registers. They lie on pages and lines of their own. */
#define LOADS_AT_64     0x0c000100u
#define LOADS_AT_COMPAT 0x1140u
#define LOADS_LINES     8u
#define LOADS_DATA_SIZE 0xb000u /* of LOADS_WINDOW: 9 * LOADS_AT_COMPAT lies in it, the code page does not */

/* LDT selectors (index, table, requested privilege 3) and the selectors that every 64-bit Linux has. */
#define LDT(n) ((uint16_t)((n) << 3 | 7))
enum { LDT_RUN_16, LDT_RUN_32, LDT_LOADS_16, LDT_LOADS_32, LDT_LOADS_DATA, LDT_COUNT };
#define USER_CS 0x33u
#define USER_DS 0x2bu

/* How a job's code is run. */
enum native_setup { RUN_64, RUN_32, RUN_16, LOADS_64, LOADS_32, LOADS_16, SETUP_COUNT };

#define IMAGE 32u /* bytes at the end of the code page that a case replaces: int3, its own bytes, int3 */

struct native_job {
    uint64_t image[IMAGE / 8];
    uint8_t n, setup;
};

#define BATCH 2048u

/* Shared by both processes. The opener writes jobs and njobs and counts `asked` up; the child answers, and sets `answered`
 * to it. Each waits on the other's word as a futex. */
struct native_share {
    _Atomic uint32_t asked, answered;
    _Atomic uint32_t ran;  /* cases so far, so that the opener sees progress */
    _Atomic uint32_t quit; /* the child ends instead of answering */
    uint32_t njobs;
    const char *error;     /* the child could not do this (static text), when it was set up: */
    uint32_t error_status; /* what that means: enum fl_status */
    int error_number;      /* errno */
    uint32_t ldt;          /* it has 16- and 32-bit code */
    struct native_job jobs[BATCH];
    uint8_t ends[BATCH];
    uint32_t cycles[BATCH]; /* loads: of the quickest line */
};

struct native {
    struct fl_probe base; /* first: the public face */
    struct native_share *share;
    pid_t child; /* 0: there is none any more */
    bool failed;
    bool timing;        /* loads() can tell */
    uint32_t threshold; /* cycles: a load below it was in the cache */
    uint64_t since;     /* cases since the last controls */
    char version[32], host[64], why[256];
};

/* ---- opener */

/* handover.c: runs share->jobs[0..n), 1 <= n <= BATCH. FL_FAILED: why is set, the child is gone. */
enum fl_status native_batch(struct native *n, uint32_t njobs);
/* Waits until the child has answered what was asked. */
enum fl_status native_wait(struct native *n);
/* Ends the child, by force when it does not end by itself. */
void native_end_child(struct native *n);
/* One line, and from now on only FL_FAILED. */
enum fl_status native_fail(struct native *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts a case into a job. */
void native_job(struct native_job *job, const struct fl_probe_case *c, bool loads);

/* timing.c: finds the threshold, and tries its controls; FL_UNSUPPORTED: this processor's timing tells nothing. */
enum fl_status native_calibrate(struct native *n);
enum fl_status native_timing_controls(struct native *n);
enum fl_status native_loads(struct fl_probe *p, const struct fl_probe_case *c, struct fl_probe_loads *out);

/* identity.c */
void native_identity(struct native *n);

/* ---- child */

/* How jobs of one setup start. Registers in the order of a signal frame. */
struct native_start {
    uint64_t gregs[16];
    uint64_t end;     /* offset behind the code page */
    uint64_t base;    /* linear address of offset 0 */
    uint64_t cs_bits; /* the signal frame's word of CS and SS */
    uint64_t mask;    /* bits of a register that are compared */
    uint64_t first;   /* index of the first one that is: 64-bit code has eight more */
    uint16_t cs, data;
    const char *lines[LOADS_LINES]; /* loads */
};

struct native_child {
    struct native_share *share;
    struct native_start start[SETUP_COUNT];
    uint64_t *image; /* the last bytes of the code page, writable */
    uint64_t stack, stack_size;
    uint32_t at, last_tick;
    bool started;
};

/* handler.c; all FL_BARE. */
extern struct native_child native_child;
void native_on_signal(int signo, siginfo_t *info, void *context);
void native_on_tick(int signo, siginfo_t *info, void *context);
/* System calls of the confined child: from these two places only. */
long native_syscall(long number, long a, long b, long c, long d) __attribute__((visibility("hidden")));
void native_restorer(void) __attribute__((visibility("hidden")));
extern const char native_syscall_ip[] __attribute__((visibility("hidden")));
extern const char native_restorer_ip[] __attribute__((visibility("hidden")));

/* confine.c: from here on only rt_sigreturn, futex and exit_group, each from its place; any other call is SIGSYS. Answers 0
 * or an errno. */
int native_confine(void);

/* child.c: does not return. */
_Noreturn void native_child_main(struct native_share *share, pid_t opener);

#endif
