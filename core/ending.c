/* SPDX-License-Identifier: MIT */
/*
 * Endings, in the order of x86 fault_32.c and fault_64.c (2.6.25, 2008); where the two differ without a reason this is
 * the right way of both.
 *
 * Interrupts: user code may be interrupted, whatever its flags say, so a bad access of the user's switches them on; a
 * bus error comes from the address space, for which 2.6.25 switches nothing on that the context had off.
 */
#include "ending.h"

#include "contract.h"
#include "errata.h"
#include "report.h"
#include "x86.h"

/* include/asm-x86/signal.h and include/asm-generic/siginfo.h, 2.6.25; BUS_MCEERR_AR: 2.6.32 (2009). */
#define SIGNAL_BUS         7
#define SIGNAL_SEGV        11
#define CODE_KERNEL        0x80
#define CODE_BUS_ADRERR    2
#define CODE_BUS_MCEERR_AR 4

void core_interrupts_on(struct decision *d)
{
    if (d->out.irq_on)
        return;
    d->ops->irq_enable(d->ctx);
    d->out.irq_on = true;
}

/* What a debugger, a signal handler or the crash dump will show of this fault. */
static void end_with_thread(struct decision *d, enum fl_action action, uint64_t error_code)
{
    d->out.action = action;
    d->out.thread_valid = true;
    d->out.thread_cr2 = d->fault->cr2;
    d->out.thread_error_code = error_code;
    d->out.thread_trap_no = X86_TRAP_PF;
}

static void end_with_signal(struct decision *d, int signo, int si_code, uint64_t error_code)
{
    end_with_thread(d, FL_ACT_SIGNAL, error_code);
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

void core_oops(struct decision *d)
{
    end_with_thread(d, FL_ACT_OOPS, d->fault->error_code);
    core_report_oops(d->fault, d->ops, d->ctx);
    d->ops->die(d->ctx, FL_DIE_OOPS, d->fault->error_code);
    core_report_oops_end(d->fault, d->ops, d->ctx);
}

void core_bad_pagetable(struct decision *d)
{
    end_with_thread(d, FL_ACT_BAD_PAGETABLE, d->fault->error_code);
    core_report_bad_pagetable(d->fault, d->ops, d->ctx);
    d->ops->die(d->ctx, FL_DIE_BAD_PAGETABLE, d->fault->error_code);
}

void core_no_context(struct decision *d)
{
    uint64_t fixup = 0;

    if (d->implicit) {
        core_oops(d);
        return;
    }
    if (d->ops->extable(d->ctx, core_register(&d->fault->kernel, d->fault->regs.ip), &fixup)) {
        d->out.action = FL_ACT_FIXUP;
        d->out.new_ip = fixup;
        return;
    }
    if (ignored_as_prefetch(d) || core_erratum93(d))
        return;
    core_oops(d);
}

static void bad_user_area(struct decision *d, int si_code, uint8_t pkey)
{
    const struct fl_fault *f = d->fault;
    uint64_t code = f->error_code;

    /* A task that cleared IF must not get a signal with interrupts off. */
    core_interrupts_on(d);
    if (ignored_as_prefetch(d) || core_erratum100(d))
        return;

    /* Whether something is mapped at a kernel address is none of the user's business, neither in the log nor in the
     * signal: it is always a protection fault (3.9, 2013). */
    if (d->kernel_address)
        code |= X86_PF_P;
    if (f->kernel.show_unhandled && f->task.segv_unhandled && d->ops->ratelimit(d->ctx, FL_LIMIT_SIGNAL))
        core_report_segfault(f, d->ops, d->ctx, code);
    end_with_signal(d, SIGNAL_SEGV, si_code, code);
    if (si_code == CODE_SEGV_PKUERR)
        d->out.si_pkey = pkey;
}

void core_bad_area(struct decision *d, int si_code, uint8_t pkey)
{
    if (d->user)
        bad_user_area(d, si_code, pkey);
    else if (!core_f00f(d))
        core_no_context(d);
}

void core_bus_error(struct decision *d, enum fl_mm_result what)
{
    const struct fl_fault *f = d->fault;

    if (!d->user) {
        core_no_context(d);
        return;
    }
    if (ignored_as_prefetch(d))
        return;
    if (what == FL_MM_SIGBUS) {
        end_with_signal(d, SIGNAL_BUS, CODE_BUS_ADRERR, f->error_code);
        return;
    }
    core_report_poison(f, d->ops, d->ctx);
    end_with_signal(d, SIGNAL_BUS, CODE_BUS_MCEERR_AR, f->error_code);
    d->out.si_addr_lsb = X86_PAGE_SHIFT;
    if (what == FL_MM_HWPOISON_LARGE) /* the page of a PDE: 4 MiB in 2-level tables, else 2 MiB */
        d->out.si_addr_lsb = f->cpu.mode == FL_MODE_2LEVEL ? 22 : 21;
}

void core_out_of_memory(struct decision *d)
{
    core_report_out_of_memory(d->fault, d->ops, d->ctx);
    if (d->user)
        d->out.action = FL_ACT_OOM_KILL;
    else
        core_no_context(d);
}

void core_forced_signal(struct decision *d)
{
    d->out.action = FL_ACT_SIGNAL;
    d->out.signo = SIGNAL_SEGV;
    d->out.si_code = CODE_KERNEL;
}
