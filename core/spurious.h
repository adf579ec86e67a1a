/* SPDX-License-Identifier: MIT */
/* spurious: do the live tables permit an access that faulted? Private to core/. */
#ifndef FAULTLINE_CORE_SPURIOUS_H
#define FAULTLINE_CORE_SPURIOUS_H

#include "vmalloc.h"

/* Would the processor now make that access at fault->cr2 with supervisor rights, as fault->regs has them: an explicit
 * one, for which RFLAGS.AC counts, in kernel mode; an implicit one in user mode. A reserved bit in the way, or a table
 * where there is no memory, permits nothing. Calls read_entry only. */
bool core_supervisor_may(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, enum fl_access_kind kind);

#endif
