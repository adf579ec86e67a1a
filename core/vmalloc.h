/* SPDX-License-Identifier: MIT */
/*
 * vmalloc: synchronisation of a page table's kernel half with the reference tables, in every generation that kernels had
 * (enum fl_generation). The contracts are in <faultline/core.h>. Private to core/.
 */
#ifndef FAULTLINE_CORE_VMALLOC_H
#define FAULTLINE_CORE_VMALLOC_H

#include <faultline/core.h>

/* Does a kernel with that paging mode have that generation? Any values are allowed. */
bool core_generation_exists(unsigned mode, unsigned generation);

/* One address, arguments already checked. */
enum fl_sync_end core_vmalloc_sync(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);

/* Do the live tables permit the access that this kernel fault was, so that only a stale TLB entry can have raised it?
 * True only for codes that are exactly P and W, or P and I, of a supervisor access. Calls read_entry only. */
bool core_is_spurious(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);

/* fl_core.vmalloc_fault, .sync_all and .p3_sync. */
enum fl_status core_vmalloc_fault(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx,
                                  enum fl_sync_end *end);
enum fl_status core_sync_all(const struct fl_cpu *cpu, const struct fl_kernel *kernel, struct fl_sync_state *state,
                             const struct fl_ops *ops, void *ctx, enum fl_sync_end *end);
enum fl_status core_p3_sync(const struct fl_sh4 *sh, uint64_t addr, const struct fl_ops *ops, void *ctx,
                            enum fl_sync_end *end);

#endif
