/* SPDX-License-Identifier: MIT */
/*
 * Who may run where. mm lock for writing: munmap, mprotect, mlock, fork, collapse; for reading: accesses, DONTNEED,
 * userfaults, NUMA hints. Page-table lock: whatever changes an
 * entry. With interrupts off nothing that waits for an interrupt of this processor gets further than its flush: tables and
 * pages are freed later, a split only begins; a collapse does not begin.
 */
#include "ops.h"

static bool needs_mm_write(enum fl_act a)
{
    return a == FL_ACTOR_MUNMAP || a == FL_ACTOR_MPROTECT || a == FL_ACTOR_FORK || a == FL_ACTOR_MLOCK ||
           a == FL_ACTOR_COLLAPSE;
}

static bool needs_mm_read(enum fl_act a)
{
    return a == FL_ACTOR_READ || a == FL_ACTOR_WRITE || a == FL_ACTOR_DONTNEED || a == FL_ACTOR_UFFD_CONTINUE ||
           a == FL_ACTOR_HINT;
}

static bool needs_nothing(enum fl_act a)
{
    return a == FL_ACTOR_SIGKILL || a == FL_ACTOR_SIGKILL_OTHER || a == FL_ACTOR_DEVICE_GONE ||
           a == FL_ACTOR_SATURATE || a == FL_ACTOR_GATE_GONE;
}

bool fl_pin_actor_may_run(enum fl_act a, unsigned mm, uint8_t locks)
{
    if (needs_nothing(a))
        return true;
    /* The call under test is one thread: what it has pinned is used and given back after it. */
    if (a == FL_ACTOR_UNPIN || a == FL_ACTOR_USE)
        return locks == 0;
    if (locks & LOCK_PTL)
        return false;
    if (needs_mm_write(a) && (mm == 0 || a == FL_ACTOR_FORK) && (locks & (LOCK_MM_READ | LOCK_MM_WRITE)))
        return false;
    if (needs_mm_read(a) && mm == 0 && (locks & LOCK_MM_WRITE))
        return false;
    if ((a == FL_ACTOR_COLLAPSE || a == FL_ACTOR_FORK || a == FL_ACTOR_EXIT) && (locks & LOCK_IRQ))
        return false;
    return true;
}

static void gate(struct fl_pin_world *w)
{
    if (!w->gate)
        return;
    w->gate = false;
    entry_put(w, entry_force(w, w->space.kernel_root, UINT64_C(0xffffffffff600000), 1), 0);
}

enum fl_status act(struct fl_pin_world *w, const struct fl_record *r)
{
    unsigned mm = r->u.act.mm & 1;
    uint64_t va = r->u.act.va & PAGE_MASK, end = va + ((uint64_t)r->u.act.pages << PAGE_SHIFT);

    if (!w->mm[mm].exists || va >= w->space.task_size)
        return FL_INVALID;
    w->changed_all = true;
    if (end > w->space.task_size || end < va)
        end = w->space.task_size;
    switch ((enum fl_act)r->u.act.act) {
    case FL_ACTOR_READ:
    case FL_ACTOR_WRITE: user_access(w, mm, r->u.act.va, r->u.act.act == FL_ACTOR_WRITE); return FL_OK;
    case FL_ACTOR_DONTNEED: return act_dontneed(w, mm, va, end);
    case FL_ACTOR_MUNMAP: return act_munmap(w, mm, va, end);
    case FL_ACTOR_MPROTECT: return act_mprotect(w, mm, va, end, r->u.act.arg);
    case FL_ACTOR_FORK: return mm_fork(w);
    case FL_ACTOR_EXIT: mm_exit(w); return FL_OK;
    case FL_ACTOR_MLOCK: return act_mlock(w, mm, va, end);
    case FL_ACTOR_UFFD_CONTINUE: return act_uffd(w, mm, va);
    case FL_ACTOR_RECLAIM: return act_reclaim(w, mm, va);
    case FL_ACTOR_MIGRATE_BEGIN: return act_migrate_begin(w, mm, va);
    case FL_ACTOR_MIGRATE_END: return act_migrate_end(w, mm, va);
    case FL_ACTOR_HINT: return act_hint(w, mm, va);
    case FL_ACTOR_COLLAPSE: return act_collapse(w, mm, va);
    case FL_ACTOR_SPLIT_BEGIN: return act_split_begin(w, mm, va);
    case FL_ACTOR_SPLIT: return act_split(w, mm, va);
    case FL_ACTOR_POISON: return act_poison(w, mm, va);
    case FL_ACTOR_TRUNCATE: return act_truncate(w, mm, va);
    case FL_ACTOR_CLEAN: return act_clean(w, mm, va);
    case FL_ACTOR_SATURATE: return act_saturate(w, mm, va);
    case FL_ACTOR_DEVICE_GONE:
        w->device_gone = true;
        world_changed(w);
        return FL_OK;
    case FL_ACTOR_SIGKILL:
        if (w->in_event && !w->killed) {
            w->fatal_seen = true;
            w->pinned_at_fatal = refs_taken(w);
        }
        w->killed = true;
        return FL_OK;
    case FL_ACTOR_SIGKILL_OTHER: w->killed_other = true; return FL_OK;
    case FL_ACTOR_UNPIN: pins_release(w); return FL_OK;
    case FL_ACTOR_USE: pins_use(w); return FL_OK;
    case FL_ACTOR_GATE_GONE: gate(w); return FL_OK;
    case FL_ACTOR_COUNT: break;
    }
    return FL_INVALID;
}
