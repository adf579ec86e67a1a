/* SPDX-License-Identifier: MIT */
/* fixup_user_fault: makes a user access possible that failed where faults are off, as futexes need it. Unlike pinning it
 * always asks for the fault, since that also keeps accessed and dirty bits that software manages. After a RETRY it goes on
 * until the fault is dealt with or a fatal signal comes: "done" is never said of what was not (475f4dfc021c, 2020). */
#include "gup.h"

enum fl_status gup_fixup(const struct fl_gup_space *space, uint64_t addr, unsigned flags, const struct fl_gup_ops *ops,
                         void *ctx, struct fl_pinned *out)
{
    struct fl_pinned end = {.lock_held = true};
    bool write = flags & FL_MM_WRITE, major = false;
    struct gup g;

    if (!out || !gup_ready(&g, space, ops, ctx) || (flags & ~(unsigned)(FL_MM_WRITE | FL_MM_ALLOW_RETRY)))
        return FL_INVALID;
    for (;;) {
        struct fl_pin_vma vma;
        struct fl_pin_fault got;

        /* After a RETRY anything may have happened to the area: it is looked up anew. */
        if (!ops->vma_find(ctx, addr, &vma) || !(write ? vma.write : vma.read) || !gup_key_permits(&g, &vma, write)) {
            end.error = FL_PIN_EFAULT;
            break;
        }
        got = ops->mm_fault(ctx, vma.generation, addr, flags, false);
        end.error = (uint8_t)gup_fault_error(got.result, true);
        if (end.error != FL_PIN_OK)
            break;
        major |= got.result == FL_MM_MAJOR || got.result == FL_MM_RETRY_MAJOR;
        if (got.result != FL_MM_RETRY && got.result != FL_MM_RETRY_MAJOR) {
            ops->account(ctx, major);
            break;
        }
        if (!(flags & FL_MM_ALLOW_RETRY)) {
            end.error = FL_PIN_EBUSY; /* not asked for, so the lock is still held */
            break;
        }
        end.lock_held = false;
        if (ops->fatal_signal(ctx)) {
            end.error = FL_PIN_ERESTARTSYS;
            break;
        }
        ops->mm_lock(ctx);
        end.lock_held = end.relocked = true;
        flags |= FL_MM_TRIED;
    }
    *out = end;
    return FL_OK;
}
