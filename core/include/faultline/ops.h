/* SPDX-License-Identifier: MIT */
/*
 * struct fl_ops: every service that the core asks of the world around it.
 *
 * Rules for all of them. ctx is the caller's, passed through. An op never calls back into the core. [OUT] parameters are
 * written only when the op says so. Ops marked "lock" may be called only between a successful lock_try or lock_take and
 * lock_drop; calling one without the lock is a finding against the core. Ops marked "no lock" may not be called between
 * them: other threads wait for that lock, and none of these needs it.
 *
 * Order within a decision: irq_enable for a context that had interrupts on, before the lock is asked for (it may sleep);
 * then the lock, and what needs it; after lock_drop, whatever a fault that could not be served leads to: irq_enable for
 * a user context that had them off, extable, probe_byte. extable may also be asked before the lock is had, to decide
 * whether to wait for it.
 *
 * Every op is required; a NULL entry makes the core answer FL_INVALID before it calls anything.
 */
#ifndef FAULTLINE_OPS_H
#define FAULTLINE_OPS_H

#include <faultline/types.h>

struct fl_ops {
    /* Reads one page-table entry (size 4 or 8 bytes, aligned) at a physical address. False: no memory there; *value
     * untouched. Cannot fail for a table that the world itself built. */
    bool (*read_entry)(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);

    /* no lock. Reads one instruction byte at a linear address with the user accessor (user = true: the byte must be readable at
     * CPL 3) or the kernel accessor. False: it cannot be read without a fault; *byte untouched. Never faults, never
     * sleeps. Called at most 15 times a decision, and only where a prefetch may be the reason of the fault: on AMD from
     * family 6 on, and not for a faulting fetch. */
    bool (*probe_byte)(void *ctx, uint64_t linear, bool user, uint8_t *byte);

    /* no lock. Switches interrupts on. At most once a decision, and in the order above. */
    void (*irq_enable)(void *ctx);

    /* mm lock, for reading. try: false when it cannot be had at once. take: sleeps until it has it; deadlocks (a finding)
     * when this task already holds it for writing. drop: gives back what try or take got. */
    bool (*lock_try)(void *ctx);
    void (*lock_take)(void *ctx);
    void (*lock_drop)(void *ctx);

    /* lock. The first VMA whose end is above addr. False: none; *vma untouched. */
    bool (*vma_find)(void *ctx, uint64_t addr, struct fl_vma *vma);

    /* lock. Moves the start of the VMA with that generation down to start (page aligned, below its present start).
     * FL_OK: *now [OUT] is the VMA as it is after the change, with its new generation. FL_STALE: the generation is not
     * current. FL_NO_MEMORY: the kernel's accounting refused. */
    enum fl_status (*vma_expand)(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now);

    /* lock. Brings in the page at addr for that access. The result is one of enum fl_mm_result; after FL_MM_MINOR and
     * FL_MM_MAJOR the tables permit the access. A stale generation is a finding against the core. */
    enum fl_mm_result (*mm_fault)(void *ctx, uint32_t generation, uint64_t addr, bool write);

    /* no lock. Looks up the exception table. True: *fixup [OUT] is where execution goes on. Must not change anything. */
    bool (*extable)(void *ctx, uint64_t ip, uint64_t *fixup);
};

#endif
