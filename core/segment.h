/* SPDX-License-Identifier: MIT */
/* segment: the code segment of the interrupted context. Private to core/. */
#ifndef FAULTLINE_CORE_SEGMENT_H
#define FAULTLINE_CORE_SEGMENT_H

#include <faultline/core.h>

/* Finds the segment behind regs.cs: that of virtual-8086 mode, a descriptor of the LDT, or fault->codeseg.
 * True: *seg [OUT] is valid. False: a selector beyond the LDT, through which nothing can be read. Calls only ops->ldt, at
 * most once, without the mm lock. */
bool core_code_segment(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, struct fl_codeseg *seg);

#endif
