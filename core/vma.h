/* SPDX-License-Identifier: MIT */
/* vma: which accesses a VMA allows, and how far down a stack may grow. Pure functions; private to core/. */
#ifndef FAULTLINE_CORE_VMA_H
#define FAULTLINE_CORE_VMA_H

#include <faultline/types.h>

/* Is a user-mode access at addr (below a growing stack) too far below the stack pointer to be one of its own? The
 * cushion is 65536 bytes and 32 words: ENTER with its largest operands writes that far below before it moves the stack
 * pointer. word: bytes in a word of the kernel, 4 or 8. */
bool core_vma_below_cushion(uint64_t addr, uint64_t sp, unsigned word);

/* May this stack grow down to addr (below vma->start)? True: *start [OUT] is its new, page-aligned start. */
bool core_vma_may_grow(const struct fl_vma *vma, const struct fl_kernel *kernel, const struct fl_task *task,
                       uint64_t addr, uint64_t *start);

/* Does the VMA allow a write, or (any right at all is enough) a read or fetch? */
bool core_vma_allows(const struct fl_vma *vma, bool write);

/* Does PKRU forbid data accesses, or (write) writes, to pages with this VMA's key? */
bool core_vma_key_denies(const struct fl_vma *vma, uint32_t pkru, bool write);

#endif
