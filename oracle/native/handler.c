/* SPDX-License-Identifier: MIT */
/*
 * The child's signal handlers. They run with segment registers and a stack that the case may have changed: no
 * thread-local storage (so no C library), no sanitizer.
 *
 * The kernel saves and restores the vector registers around a handler. The frame's pointer to them is cleared instead, which
 * gives each case fresh ones: nothing is carried over from the case before, and it is quicker.
 */
#define _GNU_SOURCE
#include "native.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <ucontext.h>

struct native_child native_child;

/* rdi number, then four arguments. The filter of confine.c knows the addresses behind the two SYSCALLs. */
__asm__(".pushsection .text\n"
        ".hidden native_syscall, native_syscall_ip, native_restorer, native_restorer_ip\n"
        ".globl native_syscall, native_syscall_ip, native_restorer, native_restorer_ip\n"
        ".type native_syscall, @function\n"
        "native_syscall:\n"
        "    mov %rdi, %rax\n"
        "    mov %rsi, %rdi\n"
        "    mov %rdx, %rsi\n"
        "    mov %rcx, %rdx\n"
        "    mov %r8, %r10\n"
        "    syscall\n"
        "native_syscall_ip:\n"
        "    ret\n"
        ".type native_restorer, @function\n"
        "native_restorer:\n"
        "    mov $15, %eax\n"
        "    syscall\n"
        "native_restorer_ip:\n"
        "    ud2\n"
        ".popsection\n");

/* Flags of a signal frame (the kernel's asm/ucontext.h): SS is there, and is to be taken as it is. */
#define FRAME_SS        2u
#define FRAME_STRICT_SS 4u

/* FS and GS are loaded each time: WRFSBASE changes a base without the selector. */
FL_BARE static inline void set_segments(uint16_t data)
{
    __asm__ volatile("mov %0, %%ds\n mov %0, %%es\n mov %0, %%fs\n mov %0, %%gs" : : "r"((uint32_t)data));
}

FL_BARE static inline void flush_line(const char *at)
{
    __asm__ volatile("clflush (%0)" : : "r"(at) : "memory");
}

FL_BARE static inline uint32_t cycles_to_load(const char *at)
{
    uint32_t from, to;

    __asm__ volatile("mfence\n lfence\n rdtsc\n mov %%eax, %0\n lfence\n movb (%2), %%al\n lfence\n rdtsc\n"
                     : "=&r"(from), "=&a"(to)
                     : "r"(at)
                     : "edx", "memory");
    return to - from;
}

/* Says that the batch is answered, and waits for the next one. */
FL_BARE static void hand_over(struct native_child *c)
{
    struct native_share *s = c->share;
    uint32_t seen = atomic_load_explicit(&s->asked, memory_order_relaxed);

    atomic_store_explicit(&s->answered, seen, memory_order_release);
    native_syscall(SYS_futex, (long)&s->answered, FUTEX_WAKE, 1, 0);
    while (atomic_load_explicit(&s->asked, memory_order_acquire) == seen)
        native_syscall(SYS_futex, (long)&s->asked, FUTEX_WAIT, (long)seen, 0);
    if (atomic_load_explicit(&s->quit, memory_order_relaxed) != 0)
        native_syscall(SYS_exit_group, 0, 0, 0, 0);
    c->at = 0;
}

FL_BARE static void start_case(struct native_child *c, ucontext_t *uc)
{
    const struct native_job *job = &c->share->jobs[c->at];
    const struct native_start *start = &c->start[job->setup];
    volatile greg_t *g = uc->uc_mcontext.gregs; /* volatile: a compiler makes calls of memcpy out of such loops */
    volatile uint64_t *image = c->image;

    for (unsigned i = 0; i < IMAGE / 8; i++)
        image[i] = job->image[i];
    for (unsigned i = 0; i < 16; i++)
        g[i] = (greg_t)start->gregs[i];
    g[REG_RIP] = (greg_t)(start->end - 1 - job->n);
    g[REG_EFL] = PROBE_FLAGS;
    g[REG_CSGSFS] = (greg_t)start->cs_bits;
    uc->uc_flags |= FRAME_SS | FRAME_STRICT_SS;
    uc->uc_mcontext.fpregs = NULL;
    set_segments(start->data);
    if (job->setup >= LOADS_64) {
        for (unsigned i = 0; i < LOADS_LINES; i++)
            flush_line(start->lines[i]);
        __asm__ volatile("mfence" : : : "memory");
    }
}

FL_BARE static void end_case(struct native_child *c, ucontext_t *uc, enum fl_probe_end end)
{
    struct native_share *s = c->share;
    const struct native_job *job = &s->jobs[c->at];

    if (job->setup >= LOADS_64) {
        uint32_t best = UINT32_MAX;
        for (unsigned i = 0; i < LOADS_LINES; i++) {
            uint32_t cycles = cycles_to_load(c->start[job->setup].lines[i]);
            best = cycles < best ? cycles : best;
        }
        s->cycles[c->at] = best;
    }
    s->ends[c->at] = (uint8_t)end;
    atomic_store_explicit(&s->ran, atomic_load_explicit(&s->ran, memory_order_relaxed) + 1, memory_order_relaxed);
    if (++c->at >= s->njobs)
        hand_over(c);
    start_case(c, uc);
}

FL_BARE static enum fl_probe_end what_ended(const struct native_child *c, const greg_t *g)
{
    const struct native_job *job = &c->share->jobs[c->at];
    const struct native_start *start = &c->start[job->setup];
    uint64_t differs = ((uint64_t)g[REG_EFL] ^ PROBE_FLAGS) & PROBE_FLAGS_SEEN;

    for (uint64_t i = start->first; i < 16; i++)
        differs |= ((uint64_t)g[i] ^ start->gregs[i]) & start->mask;
    struct probe_exception x = {
        .vector = (unsigned)g[REG_TRAPNO],
        .error_code = (unsigned)g[REG_ERR],
        .ip = (uint64_t)g[REG_RIP],
        .cr2 = (uint64_t)g[REG_CR2],
        .start = start->end - 1 - job->n,
        .end = start->end,
        .base = start->base,
        .same = differs == 0,
        .same_segment = (uint16_t)g[REG_CSGSFS] == start->cs,
    };
    return probe_end(&x);
}

/* A signal on the handler's own stack: it is the handler that was interrupted. */
FL_BARE static bool in_handler(const struct native_child *c, const greg_t *g)
{
    return (uint64_t)g[REG_RSP] - c->stack < c->stack_size;
}

FL_BARE void native_on_signal(int signo, siginfo_t *info, void *context)
{
    struct native_child *c = &native_child;
    ucontext_t *uc = context;
    const greg_t *g = uc->uc_mcontext.gregs;

    (void)info;
    if (in_handler(c, g))
        native_syscall(SYS_exit_group, 3, 0, 0, 0);
    if (!c->started) { /* the int3 that begins it all: the answer is that the child is there */
        c->started = true;
        hand_over(c);
        start_case(c, uc);
        return;
    }
    end_case(c, uc, signo == SIGSYS ? FL_PROBE_OTHER : what_ended(c, g));
}

/* Every TICK of processor time. The same case twice: it loops. */
FL_BARE void native_on_tick(int signo, siginfo_t *info, void *context)
{
    struct native_child *c = &native_child;
    ucontext_t *uc = context;
    uint32_t ran = atomic_load_explicit(&c->share->ran, memory_order_relaxed);

    (void)signo;
    (void)info;
    if (!c->started || in_handler(c, uc->uc_mcontext.gregs))
        return;
    if (ran != c->last_tick) {
        c->last_tick = ran;
        return;
    }
    end_case(c, uc, FL_PROBE_OTHER);
}
