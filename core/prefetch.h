/* SPDX-License-Identifier: MIT */
/* prefetch: is the interrupted instruction a prefetch? Private to core/. */
#ifndef FAULTLINE_CORE_PREFETCH_H
#define FAULTLINE_CORE_PREFETCH_H

#include <faultline/core.h>

/* User mode: requested privilege level 3 in CS, or virtual-8086 mode. */
bool core_user_mode(const struct fl_regs *regs);

/* As fl_core.prefetch, with arguments already checked. Calls only ops->ldt (at most once) and ops->probe_byte (at most 15
 * times). */
bool core_is_prefetch(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);

/* fl_core.prefetch. */
enum fl_status core_prefetch(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, bool *ignore);

#endif
