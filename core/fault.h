/* SPDX-License-Identifier: MIT */
/* fault: what to do with a page fault. The contract is in <faultline/core.h>. Private to core/. */
#ifndef FAULTLINE_CORE_FAULT_H
#define FAULTLINE_CORE_FAULT_H

#include <faultline/core.h>

enum fl_status core_fault(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, struct fl_outcome *out);

#endif
