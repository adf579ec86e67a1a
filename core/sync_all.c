/* SPDX-License-Identifier: MIT */
/*
 * sync_all: vmalloc_sync_all of each generation brings every page table of the list in step with the reference. Each
 * goes through addresses, and for an address through the list under pgd_lock. They differ in where the addresses begin
 * and end, in the step from one to the next, and in what an absent reference means:
 *
 *                 from             to                step        absent reference       remembers   lock
 *   2008, 32 bit  task_size        top of memory     top level   stop; BUG if not 1st   bits        irqsave
 *   2008, 64 bit  vmalloc_start    vmalloc_end       top level   next address           bits        plain
 *   2014          -
 *   2016, 32 bit  vmalloc_start    fixaddr_top       PMD         stop                   nothing     plain
 *   2016, 64 bit  vmalloc_start    vmalloc_end       top level   next address           nothing     plain
 *   current       vmalloc_start    below the end     private     cleared everywhere     nothing     plain
 *
 * (arch/x86/mm/fault_32.c and fault_64.c, 2.6.25; fault.c, 4.5. What is wrong with them: the top-level step leaves 511
 * of the 512 PMD entries of a PAE directory out, going past vmalloc_end rewrites slots that a process has of its own,
 * entries that left the reference stay elsewhere.)
 */
#include "contract.h"
#include "vmalloc_generations.h"

/* ---- addresses ---- */

/* A way up through the address space, from v->va on. */
struct steps {
    uint64_t last; /* last address */
    uint64_t step;
    uint64_t left; /* slots of that size in all: none is visited twice, whatever the kernel's range */
};

static struct steps begin(struct vmalloc *v, unsigned depth, uint64_t from)
{
    struct steps s = {.last = v->format->linear_bits == 32 ? UINT32_MAX : UINT64_MAX,
                      .step = core_vmalloc_span(v, depth)};

    s.left = X86_BIT(v->format->linear_bits) / s.step;
    v->va = from & s.last;
    return s;
}

static struct steps begin_rounded(struct vmalloc *v, unsigned depth, uint64_t from)
{
    return begin(v, depth, from & ~(core_vmalloc_span(v, depth) - 1));
}

/* False: that was the end of the address space. */
static bool next(struct vmalloc *v, struct steps *s)
{
    if (--s->left == 0 || s->last - v->va < s->step)
        return false;
    v->va += s->step;
    return true;
}

/* ---- what 2008 remembers ---- */

static bool in_step(const struct fl_sync_state *state, unsigned index)
{
    return state->insync[index / 64] >> index % 64 & 1;
}

static void set_in_step(struct fl_sync_state *state, unsigned index)
{
    state->insync[index / 64] |= X86_BIT(index % 64);
}

/* ---- 32 bit, 2008 and 2016 ---- */

/* sync_one over the list. HANDLED: all of it. NOT_HANDLED: the reference was absent for the table number *stopped. */
static enum fl_sync_end each_pmd(const struct vmalloc *v, bool irqsave, bool flush, unsigned *stopped)
{
    enum fl_sync_end end = FL_SYNC_HANDLED;
    struct slot reference;
    uint64_t root;

    v->ops->pgd_lock(v->ctx, irqsave);
    for (unsigned i = 0; end == FL_SYNC_HANDLED && v->ops->pgd_next(v->ctx, i, &root); i++) {
        end = core_vmalloc_sync_one(v, root, flush, &reference);
        *stopped = i;
    }
    v->ops->pgd_unlock(v->ctx);
    return end;
}

static enum fl_sync_end sync_2008_32(struct vmalloc *v, struct fl_sync_state *state)
{
    uint64_t start = state->start ? state->start : v->kernel->task_size;
    struct steps s = begin(v, 0, start);

    if (v->kernel->shared_kernel_pmd || v->va < v->kernel->task_size)
        return FL_SYNC_HANDLED;
    do {
        unsigned index = core_vmalloc_index(v, 0, v->va);

        if (!in_step(state, index)) {
            unsigned stopped = 0;
            enum fl_sync_end end = each_pmd(v, true, true, &stopped);

            if (end == FL_SYNC_BUG || end == FL_SYNC_WILD)
                return end;
            if (end == FL_SYNC_NOT_HANDLED && stopped != 0)
                return FL_SYNC_BUG;
            if (end == FL_SYNC_HANDLED)
                set_in_step(state, index);
        }
        if (v->va == start && in_step(state, index)) {
            start = v->va + s.step;
            state->start = start & s.last;
        }
    } while (next(v, &s));
    return FL_SYNC_HANDLED;
}

static enum fl_sync_end sync_2016_32(struct vmalloc *v)
{
    struct steps s = begin_rounded(v, v->format->levels - 2u, v->kernel->vmalloc_start);

    if (v->kernel->shared_kernel_pmd || v->va < v->kernel->task_size)
        return FL_SYNC_HANDLED;
    for (bool more = true; more && v->va < v->kernel->fixaddr_top; more = next(v, &s)) {
        unsigned unused;
        enum fl_sync_end end = each_pmd(v, false, false, &unused);

        if (end == FL_SYNC_BUG || end == FL_SYNC_WILD)
            return end;
    }
    return FL_SYNC_HANDLED;
}

/* ---- 64 bit, 2008 and 2016 ---- */

static enum fl_sync_end copy_pgd(const struct vmalloc *v, uint64_t root, const struct slot *reference)
{
    struct slot pgd;

    if (!core_slot_read(v, core_vmalloc_root(v, root), 0, &pgd))
        return FL_SYNC_WILD;
    if (core_slot_none(&pgd))
        return core_slot_write(v, &pgd, reference->entry, FL_SET_PGD) ? FL_SYNC_HANDLED : FL_SYNC_WILD;
    return core_slot_same_frame(v, &pgd, reference) ? FL_SYNC_HANDLED : FL_SYNC_BUG;
}

/* One address. NOT_HANDLED: the reference has no entry. */
static enum fl_sync_end each_pgd(const struct vmalloc *v)
{
    enum fl_sync_end end = FL_SYNC_HANDLED;
    struct slot reference;
    uint64_t root;

    if (!core_slot_read(v, core_vmalloc_root(v, v->kernel->init_root), 0, &reference))
        return FL_SYNC_WILD;
    if (core_slot_none(&reference))
        return FL_SYNC_NOT_HANDLED;
    v->ops->pgd_lock(v->ctx, false);
    for (unsigned i = 0; end == FL_SYNC_HANDLED && v->ops->pgd_next(v->ctx, i, &root); i++)
        end = copy_pgd(v, root, &reference);
    v->ops->pgd_unlock(v->ctx);
    return end;
}

static enum fl_sync_end sync_2008_64(struct vmalloc *v, struct fl_sync_state *state)
{
    struct steps s = state->start ? begin(v, 0, state->start) : begin_rounded(v, 0, v->kernel->vmalloc_start);
    uint64_t start = v->va;

    for (bool more = true; more && v->va <= v->kernel->vmalloc_end; more = next(v, &s)) {
        unsigned index = core_vmalloc_index(v, 0, v->va);

        if (!in_step(state, index)) {
            enum fl_sync_end end = each_pgd(v);

            if (end == FL_SYNC_BUG || end == FL_SYNC_WILD)
                return end;
            if (end == FL_SYNC_NOT_HANDLED)
                continue;
            set_in_step(state, index);
        }
        if (v->va == start)
            state->start = start = v->va + s.step;
    }
    return FL_SYNC_HANDLED;
}

static enum fl_sync_end sync_2016_64(struct vmalloc *v)
{
    struct steps s = begin_rounded(v, 0, v->kernel->vmalloc_start);

    for (bool more = true; more && v->va <= v->kernel->vmalloc_end; more = next(v, &s)) {
        enum fl_sync_end end = each_pgd(v);

        if (end == FL_SYNC_BUG || end == FL_SYNC_WILD)
            return end;
    }
    return FL_SYNC_HANDLED;
}

/* ---- current ---- */

static enum fl_sync_end make_equal(const struct vmalloc *v, uint64_t root, const struct slot *reference, bool *wrote)
{
    struct slot slot;
    enum fl_sync_end end = core_slot_private(v, root, &slot);

    if (end == FL_SYNC_WILD)
        return FL_SYNC_WILD;
    /* NOT_HANDLED: a PAE table without a directory there has no slot that could differ. */
    if (end == FL_SYNC_HANDLED && core_slot_differs(v, &slot, reference)) {
        if (!core_slot_copy(v, &slot, reference))
            return FL_SYNC_WILD;
        *wrote = true;
    }
    return FL_SYNC_HANDLED;
}

static enum fl_sync_end each_slot(const struct vmalloc *v, bool *wrote)
{
    struct slot reference;
    enum fl_sync_end end = core_slot_private(v, v->kernel->init_root, &reference);
    uint64_t root;

    if (end == FL_SYNC_WILD)
        return FL_SYNC_WILD;
    if (end == FL_SYNC_NOT_HANDLED)
        reference.entry = 0;

    end = FL_SYNC_HANDLED;
    v->ops->pgd_lock(v->ctx, false);
    for (unsigned i = 0; end == FL_SYNC_HANDLED && v->ops->pgd_next(v->ctx, i, &root); i++)
        end = make_equal(v, root, &reference, wrote);
    v->ops->pgd_unlock(v->ctx);
    return end;
}

static enum fl_sync_end sync_current(struct vmalloc *v)
{
    uint64_t from = v->kernel->vmalloc_start, to = v->kernel->vmalloc_end;
    struct steps s = begin_rounded(v, core_vmalloc_private_depth(v), from);
    bool wrote = false;

    if (v->kernel->shared_kernel_pmd || from >= to || from > s.last)
        return FL_SYNC_HANDLED;
    for (bool more = true; more && v->va < to; more = next(v, &s)) {
        enum fl_sync_end end = each_slot(v, &wrote);

        if (end != FL_SYNC_HANDLED)
            return end;
    }
    if (wrote)
        v->ops->flush_lazy(v->ctx);
    return FL_SYNC_HANDLED;
}

/* ---- dispatch ---- */

static enum fl_sync_end sync(struct vmalloc *v, struct fl_sync_state *state)
{
    switch (v->kernel->generation) {
    case FL_GEN_CURRENT: return sync_current(v);
    case FL_GEN_2008_32: return sync_2008_32(v, state);
    case FL_GEN_2008_64: return sync_2008_64(v, state);
    case FL_GEN_2016: return v->cpu->mode == FL_MODE_4LEVEL ? sync_2016_64(v) : sync_2016_32(v);
    default: return FL_SYNC_HANDLED; /* 2014 has none */
    }
}

enum fl_status core_sync_all(const struct fl_cpu *cpu, const struct fl_kernel *kernel, struct fl_sync_state *state,
                             const struct fl_ops *ops, void *ctx, enum fl_sync_end *end)
{
    if (!cpu || !kernel || !state || !end || !core_ops_complete(ops) || !core_kernel_exists(cpu, kernel))
        return FL_INVALID;

    struct vmalloc v = core_vmalloc_of(cpu, kernel, ops, ctx);

    *end = sync(&v, state);
    return FL_OK;
}
