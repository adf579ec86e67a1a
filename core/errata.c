/* SPDX-License-Identifier: MIT */
/*
 * Sources: AMD "Revision Guide for AMD Athlon 64 and AMD Opteron Processors" (25759), errata 93 and 100; x86
 * fault_64.c and fault_32.c (2008); the gate on vendor and family: arch/x86/mm/fault.c (2013); F00F for kernel addresses
 * only: 5.12 (2021).
 */
#include "errata.h"

#include "contract.h"
#include "report.h"
#include "x86.h"

#define K8_FAMILY 15

#define UPPER_HALF X86_BITS(63, 32)

/* The selector of 32-bit user code in 64-bit kernels (asm-x86/segment.h, 2008). */
#define CS_USER32 0x23

static bool is_code(const struct fl_kernel *kernel, uint64_t addr)
{
    return (addr >= kernel->text_start && addr <= kernel->text_end) ||
           (addr >= kernel->modules_start && addr <= kernel->modules_end);
}

bool core_erratum93(struct decision *d)
{
    const struct fl_fault *f = d->fault;
    uint64_t target = f->cr2 | UPPER_HALF;

    if (!d->wide || f->cpu.vendor != FL_VENDOR_AMD || f->cpu.family != K8_FAMILY)
        return false;
    if (f->cr2 != f->regs.ip || (f->cr2 & UPPER_HALF))
        return false;
    if (!is_code(&f->kernel, target))
        return false;
    if (d->ops->ratelimit(d->ctx, FL_LIMIT_ERRATUM93))
        core_report_erratum93(d->ops, d->ctx);
    d->out.action = FL_ACT_ERRATUM93;
    d->out.new_ip = target;
    return true;
}

bool core_erratum100(struct decision *d)
{
    const struct fl_fault *f = d->fault;

    if (!d->wide || !(f->cr2 & UPPER_HALF))
        return false;
    if (f->regs.cs != CS_USER32 && !(f->regs.cs & X86_SEL_TI))
        return false;
    d->out.action = FL_ACT_IGNORED;
    return true;
}

bool core_f00f(struct decision *d)
{
    const struct fl_kernel *kernel = &d->fault->kernel;
    uint64_t cr2 = d->fault->cr2;

    if (d->wide || !kernel->f00f_bug || !d->kernel_address)
        return false;
    /* Gate 6 of 8 bytes each. As a difference: idt + 56 could wrap around. */
    if (cr2 < kernel->idt || (cr2 - kernel->idt) >> 3 != 6)
        return false;
    d->out.action = FL_ACT_INVALID_OP;
    return true;
}
