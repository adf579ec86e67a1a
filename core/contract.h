/* SPDX-License-Identifier: MIT */
/* What every entry point of the core asks of its arguments before it calls an op, and how it reads registers. Private to
 * core/. */
#ifndef FAULTLINE_CORE_CONTRACT_H
#define FAULTLINE_CORE_CONTRACT_H

#include <faultline/core.h>

#include "vmalloc.h"

/* ops.h: every op is required. */
static inline bool core_ops_complete(const struct fl_ops *ops)
{
    return ops && ops->read_entry && ops->write_entry && ops->flush_lazy && ops->warn_nmi && ops->pgd_lock &&
           ops->pgd_unlock && ops->pgd_next && ops->kprobe && ops->probe_byte && ops->ldt && ops->irq_enable &&
           ops->extable && ops->lock_try && ops->lock_take && ops->lock_drop && ops->vma_find && ops->vma_expand &&
           ops->mm_fault && ops->yield && ops->fatal_signal && ops->user_word && ops->vsyscall && ops->ratelimit &&
           ops->log && ops->symbol && ops->file_name && ops->die;
}

/* A machine and a kernel whose enumerations are within their ranges and fit each other. */
static inline bool core_kernel_exists(const struct fl_cpu *cpu, const struct fl_kernel *kernel)
{
    return cpu->mode < FL_MODE_COUNT && (kernel->word == 4 || kernel->word == 8) &&
           core_generation_exists(cpu->mode, kernel->generation);
}

/* The value of a register: one of a 32-bit kernel has 32 bits, whatever stands above them. */
static inline uint64_t core_register(const struct fl_kernel *kernel, uint64_t value)
{
    return kernel->word == 4 ? (uint32_t)value : value;
}

#endif
