/* SPDX-License-Identifier: MIT */
/* What every entry point of the core asks of its arguments before it calls an op. Private to core/. */
#ifndef FAULTLINE_CORE_CONTRACT_H
#define FAULTLINE_CORE_CONTRACT_H

#include <faultline/ops.h>

/* ops.h: every op is required. */
static inline bool core_ops_complete(const struct fl_ops *ops)
{
    return ops && ops->read_entry && ops->probe_byte && ops->irq_enable && ops->lock_try && ops->lock_take &&
           ops->lock_drop && ops->vma_find && ops->vma_expand && ops->mm_fault && ops->extable;
}

#endif
