/* SPDX-License-Identifier: MIT */
/*
 * spurious: a kernel mapping that was made more permissive needs no TLB flush; the access that a stale TLB entry still
 * refuses is simply made again (arch/x86/mm/fault.c, 2.6.29). Every level must permit it: the entry that maps the page
 * does not decide alone (the same file, 2009). Not-present faults leave nothing in the TLB, and a reserved bit does not
 * go away: neither is ever spurious (the same file, 2014).
 */
#include "spurious.h"

#include "prefetch.h"
#include "walk.h"
#include "x86.h"

bool core_supervisor_may(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, enum fl_access_kind kind)
{
    struct fl_access access = {.va = fault->kernel.word == 4 ? (uint32_t)fault->cr2 : fault->cr2,
                               .kind = (uint8_t)kind,
                               .priv = core_user_mode(&fault->regs) ? FL_IMPLICIT : FL_SUPERVISOR,
                               .ac = fault->regs.flags & X86_FLAGS_AC};
    struct fl_walk walk;
    bool faults;
    uint32_t code;

    return core_walk(&fault->cpu, ops, ctx, access.va, &walk) == FL_OK &&
           core_permits(&fault->cpu, &walk, &access, &faults, &code) == FL_OK && !faults;
}

bool core_is_spurious(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx)
{
    switch (fault->error_code) {
    case X86_PF_P | X86_PF_WRITE: return core_supervisor_may(fault, ops, ctx, FL_WRITE);
    case X86_PF_P | X86_PF_INSTR: return core_supervisor_may(fault, ops, ctx, FL_FETCH);
    default: return false;
    }
}
