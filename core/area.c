/* SPDX-License-Identifier: MIT */
/*
 * Under the mm lock, one pass: find the VMA, grow a stack, compare the access with the VMA, bring the page in. Nothing of
 * a pass outlives the lock: whoever gives the lock back and goes on begins with a new one, so that neither a VMA nor a
 * signal code of before is believed (2.6.29 for init's retry, 2009; the retry of 2.6.37, 2010).
 *
 * What is kept from pass to pass: that a retry was had (it is allowed once), and that one was a major fault.
 */
#include "area.h"

#include "contract.h"
#include "ending.h"
#include "vma.h"
#include "x86.h"

#define INIT_PID 1

/* The screen of a virtual-8086 task: 32 pages from here on are watched (struct vm86_struct, 2.6.25). */
#define SCREEN_START UINT64_C(0xa0000)
#define SCREEN_PAGES 32

struct passes {
    bool tried; /* a RETRY was answered */
    bool major; /* ... and it was a major fault */
};

static bool take_lock(struct decision *d)
{
    const struct fl_fault *f = d->fault;
    uint64_t unused;

    if (d->ops->lock_try(d->ctx))
        return true;
    /* It may be a kernel bug under that very lock, which would wait for itself: only code that is expected to fault may
     * wait. */
    if (!d->user && !d->ops->extable(d->ctx, core_register(&f->kernel, f->regs.ip), &unused))
        return false;
    d->ops->lock_take(d->ctx);
    return true;
}

/* Finds the VMA of the address, growing a stack down to it if need be. */
static bool find_area(struct decision *d, struct fl_vma *vma)
{
    const struct fl_fault *f = d->fault;
    uint64_t start;

    if (!d->ops->vma_find(d->ctx, f->cr2, vma))
        return false;
    if (vma->start <= f->cr2)
        return true;
    if (!vma->growsdown)
        return false;
    /* Kernel accesses (a buffer that a system call was given) have no business with the stack pointer. */
    if (d->user && core_vma_below_cushion(f->cr2, core_register(&f->kernel, f->regs.gpr[FL_RSP]), f->kernel.word))
        return false;
    if (!core_vma_may_grow(vma, &f->kernel, &f->task, f->cr2, &start))
        return false;
    return d->ops->vma_expand(d->ctx, vma->generation, start, vma) == FL_OK;
}

static bool key_denies(const struct fl_fault *f, const struct fl_vma *vma)
{
    if (!f->kernel.pku || !(f->cpu.cr4 & X86_CR4_PKE))
        return false;
    if (f->cpu.mode != FL_MODE_4LEVEL && f->cpu.mode != FL_MODE_5LEVEL)
        return false;
    /* Keys bind data accesses only. */
    if (f->error_code & X86_PF_INSTR)
        return false;
    return (f->error_code & X86_PF_PK) || core_vma_key_denies(vma, f->cpu.pkru, f->error_code & X86_PF_WRITE);
}

/* The signal code of the refusal; 0: the VMA allows the access. */
static int refusal(const struct fl_fault *f, const struct fl_vma *vma)
{
    bool write = f->error_code & X86_PF_WRITE;

    if (!core_vma_allows(vma, write))
        return CODE_SEGV_ACCERR;
    /* PKUERR is for what the VMA allows otherwise (Documentation/core-api/protection-keys.rst). */
    if (key_denies(f, vma))
        return CODE_SEGV_PKUERR;
    /* A read of a page that is there: had it been readable, there would have been no fault. */
    return !write && (f->error_code & X86_PF_P) ? CODE_SEGV_ACCERR : 0;
}

static bool may_retry(const struct decision *d, const struct passes *p)
{
    return d->fault->kernel.fault_retry && !p->tried;
}

static unsigned mm_flags(const struct decision *d, const struct passes *p)
{
    uint64_t code = d->fault->error_code;
    unsigned flags = 0;

    if (code & X86_PF_WRITE)
        flags |= FL_MM_WRITE;
    if (code & X86_PF_USER)
        flags |= FL_MM_USER;
    if (code & X86_PF_INSTR)
        flags |= FL_MM_FETCH;
    if (may_retry(d, p))
        flags |= FL_MM_ALLOW_RETRY;
    if (p->tried)
        flags |= FL_MM_TRIED;
    return flags;
}

static void handled(struct decision *d, bool major)
{
    const struct fl_fault *f = d->fault;
    uint64_t page = (f->cr2 - SCREEN_START) >> X86_PAGE_SHIFT;

    d->out.action = FL_ACT_HANDLED;
    d->out.major = major;
    if (!d->wide && (f->regs.flags & X86_FLAGS_VM) && page < SCREEN_PAGES)
        d->out.screen_bits = UINT32_C(1) << page;
}

/* mm_fault has dropped the lock. True: begin again. */
static bool retry(struct decision *d, struct passes *p, bool major)
{
    p->tried = true;
    p->major |= major;
    if (!d->ops->fatal_signal(d->ctx))
        return true;
    /* The user task ends on its way back. Kernel code would only fault again, for ever: it must learn that it failed
     * (26178ec11ef3, 2014). */
    if (d->user)
        d->out.action = FL_ACT_FATAL_SIGNAL;
    else
        core_no_context(d);
    return false;
}

/* What follows from the answer, and the lock given back. True: begin again, without the lock. */
static bool after_answer(struct decision *d, struct passes *p, enum fl_mm_result answer)
{
    bool is_retry = answer == FL_MM_RETRY || answer == FL_MM_RETRY_MAJOR;

    if (is_retry && may_retry(d, p))
        return retry(d, p, answer == FL_MM_RETRY_MAJOR);

    d->ops->lock_drop(d->ctx);
    switch (answer) {
    case FL_MM_MINOR: handled(d, p->major); break;
    case FL_MM_MAJOR: handled(d, true); break;
    case FL_MM_SIGBUS:
    case FL_MM_HWPOISON:
    case FL_MM_HWPOISON_LARGE: core_bus_error(d, answer); break;
    case FL_MM_OOM:
        if (d->fault->task.pid == INIT_PID) {
            d->ops->yield(d->ctx);
            return true;
        }
        core_out_of_memory(d);
        break;
    default:
        /* SIGSEGV. An answer that this handler does not know, or did not ask for, must not be taken for success either,
         * and must not keep the lock. */
        core_bad_area(d, CODE_SEGV_MAPERR, 0);
        break;
    }
    return false;
}

/* With the lock; without it afterwards. True: begin again. */
static bool one_pass(struct decision *d, struct passes *p)
{
    struct fl_vma vma;
    int si_code = CODE_SEGV_MAPERR;
    uint8_t pkey = 0;

    if (find_area(d, &vma)) {
        si_code = refusal(d->fault, &vma);
        if (si_code == 0)
            return after_answer(d, p, d->ops->mm_fault(d->ctx, vma.generation, d->fault->cr2, mm_flags(d, p)));
        pkey = vma.pkey;
    }
    d->ops->lock_drop(d->ctx);
    core_bad_area(d, si_code, pkey);
    return false;
}

void core_area(struct decision *d)
{
    struct passes p = {0};

    if (!take_lock(d)) {
        core_bad_area(d, CODE_SEGV_MAPERR, 0);
        return;
    }
    while (one_pass(d, &p))
        d->ops->lock_take(d->ctx); /* It was had once: whether to wait for it is decided. */
}
