/* SPDX-License-Identifier: MIT */
/*
 * The page-fault decision, for addresses below kernel.task_size. The order is that of x86 do_page_fault in 2.6.25
 * (arch/x86/mm/fault_32.c and fault_64.c, 2008); where those are known to be wrong, or differ from each other without a
 * reason, this is the right way of both, and docs/deviations.md names each place.
 *
 *  1. Interrupts on again if the interrupted context had them on.
 *  2. A reserved bit in a user mapping: the table is corrupt.
 *  3. No VMA work in atomic context, with faults disabled, or without an mm: bad area.
 *  4. The mm lock. If a kernel or implicit access cannot have it at once and its ip is not in the exception table, it
 *     may be a kernel bug under that very lock: bad area, without waiting.
 *  5. Under the lock: find the VMA, grow a stack, compare the access with the VMA, bring the page in.
 *  6. Without the lock: count it, or signal, fix up, ignore, or die.
 *
 * Three kinds of fault come through here:
 *   user      USER is set in the error code.
 *   kernel    USER is clear and the registers are kernel mode.
 *   implicit  USER is clear and the registers are user mode: the processor read a descriptor table or the TSS on behalf
 *             of user code. It may find its page like a kernel access. If it cannot, nothing the task or the exception
 *             table says can help: no fix-up, no prefetch test, no signal, an oops (5.12, arch/x86/mm/fault.c, 2021).
 *
 * Which fields of the outcome are valid; all others are zero. irq_on always is.
 *   HANDLED        major
 *   IGNORED        -
 *   SIGNAL         signo, si_code, si_addr; thread_* (thread_valid is true)
 *   FIXUP          new_ip
 *   OOPS           thread_*
 *   BAD_PAGETABLE  thread_*
 *   OOM_KILL       -
 *
 * Where the other parts of do_page_fault attach:
 *   core_fault()  the kprobe hook, before everything else; the kernel half of the address space (vmalloc sync, spurious
 *                 faults), where the answer is FL_UNSUPPORTED so far
 *   bad_area()    erratum 100 and the segfault line, after the prefetch test; F00F, before no_context()
 *   no_context()  erratum 93 and the oops text, before it dies
 *   after_lock()  the vm86 screen bitmap, with HANDLED; init's retry, with FOUND_NO_MEMORY; hardware poison and fault
 *                 retry, as further values of enum found
 */
#include "fault.h"

#include "contract.h"
#include "prefetch.h"
#include "vma.h"
#include "x86.h"

/* include/asm-generic/siginfo.h and include/asm-x86/signal.h, 2.6.25. */
#define SIGNAL_BUS       7
#define SIGNAL_SEGV      11
#define CODE_SEGV_MAPERR 1
#define CODE_SEGV_ACCERR 2
#define CODE_BUS_ADRERR  2

struct decision {
    const struct fl_fault *fault;
    const struct fl_ops *ops;
    void *ctx;
    bool user; /* see the kinds above */
    bool implicit;
    struct fl_outcome out;
};

/* What the part under the lock came to. */
enum found { FOUND_MINOR, FOUND_MAJOR, FOUND_NO_AREA, FOUND_NO_ACCESS, FOUND_NO_MEMORY, FOUND_BUS };

static void interrupts_on(struct decision *d)
{
    if (d->out.irq_on)
        return;
    d->ops->irq_enable(d->ctx);
    d->out.irq_on = true;
}

/* What a debugger, a signal handler or the oops will show of this fault: the error code as the processor gave it. */
static void end_with_thread(struct decision *d, enum fl_action action)
{
    d->out.action = action;
    d->out.thread_valid = true;
    d->out.thread_cr2 = d->fault->cr2;
    d->out.thread_error_code = d->fault->error_code;
    d->out.thread_trap_no = X86_TRAP_PF;
}

static void end_with_signal(struct decision *d, int signo, int si_code)
{
    end_with_thread(d, FL_ACT_SIGNAL);
    d->out.signo = signo;
    d->out.si_code = si_code;
    d->out.si_addr = d->fault->cr2;
}

static bool ignored_as_prefetch(struct decision *d)
{
    if (!core_is_prefetch(d->fault, d->ops, d->ctx))
        return false;
    d->out.action = FL_ACT_IGNORED;
    return true;
}

/* A fault that no task can be signalled for. */
static void no_context(struct decision *d)
{
    if (!d->implicit) {
        uint64_t fixup = 0;

        if (d->ops->extable(d->ctx, d->fault->regs.ip, &fixup)) {
            d->out.action = FL_ACT_FIXUP;
            d->out.new_ip = fixup;
            return;
        }
        if (ignored_as_prefetch(d))
            return;
    }
    end_with_thread(d, FL_ACT_OOPS);
}

/* The address is not mapped (MAPERR) or does not allow the access (ACCERR). The lock is not held. */
static void bad_area(struct decision *d, int si_code)
{
    if (!d->user) {
        no_context(d);
        return;
    }
    /* User code may be interrupted, whatever its flags say: a task that cleared IF must not get a signal with
     * interrupts off. */
    interrupts_on(d);
    if (!ignored_as_prefetch(d))
        end_with_signal(d, SIGNAL_SEGV, si_code);
}

static void bus_error(struct decision *d)
{
    if (!d->user)
        no_context(d);
    else if (!ignored_as_prefetch(d))
        end_with_signal(d, SIGNAL_BUS, CODE_BUS_ADRERR);
}

static bool take_lock(struct decision *d)
{
    uint64_t unused;

    if (d->ops->lock_try(d->ctx))
        return true;
    if (!d->user && !d->ops->extable(d->ctx, d->fault->regs.ip, &unused))
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
    if (d->user && core_vma_below_cushion(f->cr2, f->regs.gpr[FL_RSP], f->kernel.word))
        return false;
    if (!core_vma_may_grow(vma, &f->kernel, &f->task, f->cr2, &start))
        return false;
    return d->ops->vma_expand(d->ctx, vma->generation, start, vma) == FL_OK;
}

static enum found under_lock(struct decision *d)
{
    uint64_t code = d->fault->error_code;
    bool write = code & X86_PF_WRITE;
    struct fl_vma vma;

    if (!find_area(d, &vma))
        return FOUND_NO_AREA;
    if (!core_vma_permits(&vma, code & X86_PF_P, write))
        return FOUND_NO_ACCESS;

    switch (d->ops->mm_fault(d->ctx, vma.generation, d->fault->cr2, write)) {
    case FL_MM_MINOR: return FOUND_MINOR;
    case FL_MM_MAJOR: return FOUND_MAJOR;
    case FL_MM_OOM: return FOUND_NO_MEMORY;
    case FL_MM_SIGBUS: return FOUND_BUS;
    case FL_MM_COUNT: break;
    }
    /* An answer that this handler does not know must not be taken for success, and must not keep the lock. */
    return FOUND_NO_ACCESS;
}

static void after_lock(struct decision *d, enum found found)
{
    switch (found) {
    case FOUND_MINOR:
    case FOUND_MAJOR:
        d->out.action = FL_ACT_HANDLED;
        d->out.major = found == FOUND_MAJOR;
        break;
    case FOUND_NO_AREA: bad_area(d, CODE_SEGV_MAPERR); break;
    case FOUND_NO_ACCESS: bad_area(d, CODE_SEGV_ACCERR); break;
    case FOUND_NO_MEMORY:
        if (d->user)
            d->out.action = FL_ACT_OOM_KILL;
        else
            no_context(d);
        break;
    case FOUND_BUS: bus_error(d); break;
    }
}

static void decide(struct decision *d)
{
    const struct fl_fault *f = d->fault;
    uint64_t on = X86_FLAGS_IF;

    /* A virtual-8086 task runs with its own picture of IF; only 32-bit kernels have such tasks. */
    if (f->kernel.word == 4)
        on |= X86_FLAGS_VM;
    if (f->regs.flags & on)
        interrupts_on(d);

    /* Reserved bits exist in present entries only: RSVD with P = 0 is a processor erratum and means not present. */
    if ((f->error_code & (X86_PF_RSVD | X86_PF_P)) == (X86_PF_RSVD | X86_PF_P)) {
        end_with_thread(d, FL_ACT_BAD_PAGETABLE);
        return;
    }
    if (f->task.in_atomic || f->task.faults_disabled || !f->task.has_mm || !take_lock(d)) {
        bad_area(d, CODE_SEGV_MAPERR);
        return;
    }

    enum found found = under_lock(d);

    d->ops->lock_drop(d->ctx);
    after_lock(d, found);
}

enum fl_status core_fault(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, struct fl_outcome *out)
{
    if (!fault || !out || !core_ops_complete(ops) || fault->cpu.mode >= FL_MODE_COUNT ||
        (fault->kernel.word != 4 && fault->kernel.word != 8))
        return FL_INVALID;
    if (fault->cr2 >= fault->kernel.task_size)
        return FL_UNSUPPORTED;

    struct decision d = {.fault = fault, .ops = ops, .ctx = ctx, .user = fault->error_code & X86_PF_USER};

    d.implicit = !d.user && core_user_mode(&fault->regs);
    decide(&d);
    *out = d.out;
    return FL_OK;
}
