/* SPDX-License-Identifier: MIT */
/*
 * The emulated vsyscall page (3.1, arch/x86/kernel/vsyscall_64.c, 2011; its flag for faults under the emulation was
 * dropped again in 2024: what cannot be read is judged here, where it was tried).
 *
 * Whatever 64-bit user code fetches from that page is taken for a call and ends here: there is no code in it to be
 * brought in. There are three calls, 1024 bytes apart; a jump to anywhere else in the page, one without a stack to
 * return by, and a call that meets a bad pointer end in one way, a SIGSEGV that tells of no address. What is no fetch,
 * and what 32-bit code does, is a bad access like any other to a kernel address.
 *
 * Those kernels also print why a call failed (warn_bad_vsyscall: show_unhandled_signals, rate limited). That is no part
 * of this core, and neither is seccomp: the op vsyscall is the call.
 */
#include "vsyscall.h"

#include "ending.h"
#include "segment.h"
#include "x86.h"

#define ENTRY_BITS  UINT64_C(0xc00)
#define ENTRY_SHIFT 10
#define ENTRIES     3

/* Did user code jump into the page? Where fetches cannot be forbidden, the error code does not tell them from reads;
 * but a read by an instruction in that page cannot happen, since none of them runs. */
static bool is_call(const struct decision *d)
{
    const struct fl_fault *f = d->fault;
    const struct fl_kernel *kernel = &f->kernel;

    if (!d->wide || !kernel->vsyscall_emulation || kernel->vsyscall == 0 || !d->user || !core_user_mode(&f->regs))
        return false;
    if (f->cr2 - kernel->vsyscall >= X86_PAGE_SIZE || f->cr2 != f->regs.ip)
        return false;
    return (f->error_code & X86_PF_INSTR) || !(f->cpu.efer & X86_EFER_NXE);
}

bool core_vsyscall(struct decision *d)
{
    const struct fl_fault *f = d->fault;
    unsigned nr = (unsigned)(f->cr2 & ENTRY_BITS) >> ENTRY_SHIFT;
    struct fl_codeseg seg;
    uint64_t return_to;

    if (!is_call(d))
        return false;
    /* Reading the stack and the call's own work may sleep. */
    core_interrupts_on(d);
    /* 32-bit code has no such page. */
    if (!core_code_segment(f, d->ops, d->ctx, &seg) || seg.bits != 64)
        return false;

    if ((f->cr2 & ~ENTRY_BITS) != f->kernel.vsyscall || nr >= ENTRIES ||
        !d->ops->user_word(d->ctx, f->regs.gpr[FL_RSP], &return_to) || !d->ops->vsyscall(d->ctx, nr)) {
        core_forced_signal(d);
        return true;
    }
    d->out.action = FL_ACT_EMULATED;
    d->out.new_ip = return_to;
    d->out.new_sp = f->regs.gpr[FL_RSP] + f->kernel.word;
    return true;
}
