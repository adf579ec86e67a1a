/* SPDX-License-Identifier: MIT */
/* The services of the address space: the mm lock, VMAs, mm_fault, yield, user memory. */
#include "state.h"

/* ---- the lock ---------------------------------------------------------------------------------------------------- */

/* Asked for by a report, or for the address space? */
static void lock_asked(struct fl_world *w, bool try)
{
    struct fl_effects *e = op_called(w);

    e->lock_asks++;
    if (w->ending)
        ++*(try ? &e->report_tries : &e->report_takes);
    else
        ++*(try ? &e->lock_tries : &e->lock_takes);
}

static void lock_got(struct fl_world *w)
{
    if (w->lock_depth)
        w->effects.lock_deadlock = true; /* behind a waiting writer the second one never comes */
    w->lock_depth++;
    w->effects.lock_gets++;
    w->effects.report_gets += w->ending;
    w->effects.lock_held_at_exit = true;
}

static void lock_lost(struct fl_world *w)
{
    w->effects.lock_drops++;
    if (w->lock_depth)
        w->lock_depth--;
    w->effects.lock_held_at_exit = w->lock_depth != 0;
}

bool op_lock_try(void *ctx)
{
    struct fl_world *w = ctx;

    lock_asked(w, true);
    if (answers_take(w, w->ending ? FL_INJ_REPORT_CONTENDED : FL_INJ_LOCK_CONTENDED))
        return false;
    lock_got(w);
    return true;
}

void op_lock_take(void *ctx)
{
    struct fl_world *w = ctx;

    lock_asked(w, false);
    lock_got(w);
}

/* Every op that may be called only with the lock comes here first. */
static struct fl_effects *need_lock(struct fl_world *w)
{
    struct fl_effects *e = op_called(w);

    if (!w->lock_depth)
        e->lock_missing = true;
    return e;
}

void op_lock_drop(void *ctx)
{
    need_lock(ctx);
    lock_lost(ctx);
}

/* ---- VMAs -------------------------------------------------------------------------------------------------------- */

bool op_vma_find(void *ctx, uint64_t addr, struct fl_vma *out)
{
    struct fl_world *w = ctx;
    const struct fl_vma *vma = kernel_has_vmas(w) ? vma_find(w, addr) : NULL;

    need_lock(w);
    if (!vma)
        return false;
    vma_copy_out(w, vma, out);
    return true;
}

/* A start that is not page aligned, not below the VMA, or inside the VMA below is refused as the kernel's accounting
 * would refuse it. Whether this VMA may grow at all is the core's to decide, and the comparer's to judge. */
enum fl_status op_vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now)
{
    struct fl_world *w = ctx;
    struct fl_vma *vma = kernel_has_vmas(w) ? vma_by_generation(w, generation) : NULL;
    enum fl_status status;

    need_lock(w);
    if (!vma) {
        w->effects.stale_generation = true;
        return FL_STALE;
    }
    if (answers_take(w, FL_INJ_EXPAND_REFUSED))
        return FL_NO_MEMORY;
    status = vma_grow(w, vma, start);
    if (status != FL_OK)
        return status;
    w->effects.grew = true;
    w->effects.new_start = start;
    vma_copy_out(w, vma, now);
    return FL_OK;
}

enum fl_mm_result op_mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    struct fl_world *w = ctx;
    const struct fl_vma *vma = kernel_has_vmas(w) ? vma_by_generation(w, generation) : NULL;
    struct fl_effects *e = need_lock(w);
    enum fl_mm_result result;

    if (e->mm_calls < FL_MM_ANSWERS)
        e->mm_flags[e->mm_calls] = (uint8_t)flags;
    e->mm_calls++;
    e->mm_addr = addr;
    if (!vma || addr < vma->start || addr >= vma->end) {
        e->stale_generation = true; /* not a VMA, or not that of this address */
        return FL_MM_SIGBUS;
    }
    result = answers_mm(w, vma, addr, flags);
    w->ending = result != FL_MM_RETRY && result != FL_MM_RETRY_MAJOR;
    if (!w->ending)
        lock_lost(w);
    return result;
}

/* Others run, once a decision: what INJECT says happens to the VMA that the handler is about. */
void op_yield(void *ctx)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_unlocked(w, "yield");
    uint64_t addr = e->mm_addr;
    struct fl_vma *vma = e->mm_calls ? vma_find(w, addr) : NULL;

    w->ending = false;
    if (e->yields++ != 0 || !vma || vma->start > addr || !kernel_has_vmas(w))
        return;
    if (answers_take(w, FL_INJ_YIELD_UNMAP))
        vma_unmap_late(w, vma);
    else if (answers_take(w, FL_INJ_YIELD_PROTECT))
        vma_protect_late(w, vma);
}

/* ---- user memory ------------------------------------------------------------------------------------------------- */

static bool may_sleep(const struct fl_world *w)
{
    return w->task.has_mm && !w->task.in_atomic && !w->task.faults_disabled;
}

/* n bytes of one page, as an accessor at CPL 0 would get them: through the tables, else what the fault would bring in,
 * which is left undone. Stacks do not grow here. */
static bool read_part(struct fl_world *w, uint64_t addr, unsigned n, uint8_t *to)
{
    struct tables_walk walk;
    uint8_t buf[PAGE_SIZE];
    const struct fl_vma *vma;

    tables_walk(w, addr, &walk);
    if (walk.mapped && walk.user && !walk.reserved) {
        if (walk.paddr >= RAM_SIZE)
            return false;
        memcpy(to, w->ram + walk.paddr, n);
        return true;
    }
    vma = kernel_has_vmas(w) && may_sleep(w) ? vma_find(w, addr) : NULL;
    if (!vma || vma->start > addr || !(vma->read || vma->write || vma->exec))
        return false;
    if (vma->backing == FL_BACK_FILE && vma_file_index(vma, addr) >= vma->file_pages)
        return false;
    memcpy(to, page_view(w, vma, addr & PAGE_MASK, buf) + (addr & (PAGE_SIZE - 1)), n);
    return true;
}

bool world_word(void *ctx, uint64_t addr, uint64_t *value)
{
    struct fl_world *w = ctx;
    unsigned word = w->kernel.word, room = (unsigned)(PAGE_SIZE - (addr & (PAGE_SIZE - 1)));
    unsigned first = word < room ? word : room;
    uint8_t bytes[8] = {0};

    if (addr >= w->kernel.task_size || w->kernel.task_size - addr < word)
        return false;
    if (!read_part(w, addr, first, bytes) || (first < word && !read_part(w, addr + first, word - first, bytes + first)))
        return false;
    *value = 0;
    for (unsigned i = 0; i < word; i++)
        *value |= (uint64_t)bytes[i] << 8 * i;
    return true;
}

bool op_user_word(void *ctx, uint64_t addr, uint64_t *value)
{
    op_unlocked(ctx, "user-word");
    return world_word(ctx, addr, value);
}
