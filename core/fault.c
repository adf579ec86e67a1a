/* SPDX-License-Identifier: MIT */
/*
 * The page-fault decision: its order. That of x86 do_page_fault in 2.6.25 (arch/x86/mm/fault_32.c and fault_64.c, 2008),
 * with what later kernels put right or learnt; where those of 2008 are known to be wrong, or differ from each other
 * without a reason, this is the right way of both, and docs/deviations.md names each place.
 *
 *  1. A kprobe that is being run may claim a fault of kernel mode.
 *  2. An address that is not user space: a kernel mapping that this page table does not have yet, a stale TLB entry, an
 *     emulated vsyscall; else a bad area. The mm lock is not touched: it may be held by whoever is interrupted here.
 *  3. Interrupts on again if the interrupted context had them on.
 *  4. A reserved bit in a user mapping: the table is corrupt.
 *  5. The kernel runs or reads user pages where it must not (fetch, SMAP): it dies at once.
 *  6. No VMA work in atomic context, with faults disabled, or without an mm: bad area.
 *  7. The address space: area.c. What could not be served: ending.c.
 *
 * Which fields of the outcome are valid: types.h. All others are zero.
 */
#include "fault.h"

#include "area.h"
#include "contract.h"
#include "ending.h"
#include "errata.h"
#include "vmalloc.h"
#include "vsyscall.h"
#include "x86.h"

static bool claimed_by_kprobe(struct decision *d)
{
    const struct fl_fault *f = d->fault;

    if (core_user_mode(&f->regs) || !f->task.kprobe_running || !d->ops->kprobe(d->ctx))
        return false;
    d->out.action = FL_ACT_KPROBE;
    return true;
}

/* Tries the reference tables. True: the decision is made. */
static bool synchronised(struct decision *d)
{
    /* Only a supervisor access that met a not-present entry can lack a mapping. */
    if (d->fault->error_code & (X86_PF_RSVD | X86_PF_USER | X86_PF_P))
        return false;
    switch (core_vmalloc_sync(d->fault, d->ops, d->ctx)) {
    case FL_SYNC_HANDLED: d->out.action = FL_ACT_SYNCED; return true;
    case FL_SYNC_BUG: d->out.action = FL_ACT_BUG; return true;
    case FL_SYNC_WILD: d->out.action = FL_ACT_WILD; return true;
    default: return false;
    }
}

static bool spurious(struct decision *d)
{
    if (!d->fault->kernel.spurious_check || !core_is_spurious(d->fault, d->ops, d->ctx))
        return false;
    d->out.action = FL_ACT_SPURIOUS;
    return true;
}

static void kernel_address(struct decision *d)
{
    if (!synchronised(d) && !spurious(d) && !core_vsyscall(d))
        core_bad_area(d, CODE_SEGV_MAPERR, 0);
}

/* A fault of the kernel's that says it fetched an instruction from user space: a jump to nowhere. There is no user page
 * that it may run, so neither the VMAs nor the exception table are asked (5.12, 2021). */
static bool dies_of_fetch(struct decision *d)
{
    if (!d->fault->kernel.no_user_fetch || d->user || !(d->fault->error_code & X86_PF_INSTR))
        return false;
    if (d->implicit || !core_erratum93(d))
        core_oops(d);
    return true;
}

/* The kernel reads or writes user pages outside the places where it has allowed itself to (AC set); the processor's own
 * accesses never may. Only where the kernel was built to know of SMAP does AC mean that (3.7, 2012; 2014); no fix-up
 * since 5.12 (2021). */
static bool dies_of_smap(struct decision *d)
{
    const struct fl_fault *f = d->fault;

    if (!f->kernel.smap || !(f->cpu.cr4 & X86_CR4_SMAP) || d->user)
        return false;
    if (!d->implicit && (f->regs.flags & X86_FLAGS_AC))
        return false;
    core_oops(d);
    return true;
}

static void user_address(struct decision *d)
{
    const struct fl_fault *f = d->fault;
    const struct fl_task *task = &f->task;
    uint64_t on = X86_FLAGS_IF;

    /* A virtual-8086 task runs with its own picture of IF; only 32-bit kernels have such tasks. */
    if (!d->wide)
        on |= X86_FLAGS_VM;
    if (f->regs.flags & on)
        core_interrupts_on(d);

    /* Reserved bits exist in present entries only: RSVD with P = 0 is a processor erratum and means not present. */
    if ((f->error_code & X86_PF_RSVD) && (f->error_code & X86_PF_P)) {
        core_bad_pagetable(d);
        return;
    }
    if (dies_of_fetch(d) || dies_of_smap(d))
        return;
    if (task->in_atomic || task->in_nmi || task->faults_disabled || !task->has_mm)
        core_bad_area(d, CODE_SEGV_MAPERR, 0);
    else
        core_area(d);
}

enum fl_status core_fault(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, struct fl_outcome *out)
{
    if (!fault || !out || !core_ops_complete(ops) || !core_kernel_exists(&fault->cpu, &fault->kernel))
        return FL_INVALID;

    struct decision d = {
        .fault = fault,
        .ops = ops,
        .ctx = ctx,
        .user = fault->error_code & X86_PF_USER,
        .wide = fault->kernel.word == 8,
        .kernel_address = fault->cr2 >= fault->kernel.task_size,
    };

    d.implicit = !d.user && core_user_mode(&fault->regs);
    if (!claimed_by_kprobe(&d)) {
        if (d.kernel_address)
            kernel_address(&d);
        else
            user_address(&d);
    }
    *out = d.out;
    return FL_OK;
}
