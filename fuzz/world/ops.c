/* SPDX-License-Identifier: MIT */
/*
 * The services for the core, each recorded in struct fl_effects before it is done. A core that breaks a contract gets
 * an answer all the same, and the comparer gets the flag.
 */
#include "state.h"

bool fl_world_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct fl_world *w = ctx;

    if ((size != 4 && size != 8) || paddr >= RAM_SIZE || paddr > RAM_SIZE - size)
        return false;
    *value = ram_get(w, paddr, size);
    return true;
}

/* What an accessor that must not fault gets. User: present and user at every level. Kernel: present. */
bool world_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct fl_world *w = ctx;
    struct tables_walk walk;

    if (w->pending & 1u << FL_INJ_PROBE) {
        uint64_t index = linear - machine_linear_ip(w);
        if (w->codeseg.bits != 64)
            index = (uint32_t)index;
        if (index >= w->probe_from)
            return false;
    }
    tables_walk(w, linear, &walk);
    if (!walk.mapped || walk.reserved || walk.paddr >= RAM_SIZE || (user && !walk.user))
        return false;
    *byte = w->ram[walk.paddr];
    return true;
}

/* The core's reads; those of the arch walk go past the record. */
static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    ((struct fl_world *)ctx)->effects.calls++;
    return fl_world_read(ctx, paddr, size, value);
}

static bool probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = &w->effects;

    e->calls++;
    if (e->probes < FL_EFFECTS_PROBES)
        e->probe_at[e->probes] = linear;
    e->probes++;
    if (w->lock_depth)
        e->probe_locked = true;
    if (user)
        e->probe_user = true;
    else
        e->probe_kernel = true;
    return world_byte(ctx, linear, user, byte);
}

static void irq_enable(void *ctx)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = &w->effects;

    e->calls++;
    if (e->irq_calls == 0)
        e->irq_late = e->lock_asks != 0;
    if (w->lock_depth)
        e->irq_locked = true;
    e->irq_calls++;
}

/* Gives the pending answer away, if there is one. */
static bool take_injection(struct fl_world *w, enum fl_inject_op op)
{
    if (!(w->pending & 1u << op))
        return false;
    w->pending &= ~(1u << op);
    if (op != FL_INJ_MM_MAJOR)
        w->injected = true;
    return true;
}

static void lock_got(struct fl_world *w)
{
    if (w->lock_depth)
        w->effects.lock_deadlock = true; /* behind a waiting writer the second one never comes */
    w->lock_depth++;
    w->effects.lock_gets++;
    w->effects.lock_held_at_exit = true;
}

static bool lock_try(void *ctx)
{
    struct fl_world *w = ctx;

    w->effects.calls++;
    w->effects.lock_asks++;
    if (take_injection(w, FL_INJ_LOCK_CONTENDED))
        return false;
    lock_got(w);
    return true;
}

static void lock_take(void *ctx)
{
    struct fl_world *w = ctx;

    w->effects.calls++;
    w->effects.lock_asks++;
    lock_got(w);
}

/* Every op that may be called only with the lock comes here first. */
static void need_lock(struct fl_world *w)
{
    w->effects.calls++;
    if (!w->lock_depth)
        w->effects.lock_missing = true;
}

static void lock_drop(void *ctx)
{
    struct fl_world *w = ctx;

    need_lock(w);
    w->effects.lock_drops++;
    if (w->lock_depth)
        w->lock_depth--;
    w->effects.lock_held_at_exit = w->lock_depth != 0;
}

static bool op_vma_find(void *ctx, uint64_t addr, struct fl_vma *out)
{
    struct fl_world *w = ctx;
    const struct fl_vma *vma = vma_find(w, addr);

    need_lock(w);
    if (!vma)
        return false;
    vma_copy_out(w, vma, out);
    return true;
}

/* A start that is not page aligned, not below the VMA, or inside the VMA below is refused as the kernel's accounting
 * would refuse it. Whether this VMA may grow at all is the core's to decide, and the comparer's to judge. */
static enum fl_status op_vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now)
{
    struct fl_world *w = ctx;
    struct fl_vma *vma = vma_by_generation(w, generation);
    enum fl_status status;

    need_lock(w);
    if (!vma) {
        w->effects.stale_generation = true;
        return FL_STALE;
    }
    if (take_injection(w, FL_INJ_EXPAND_REFUSED))
        return FL_NO_MEMORY;
    status = vma_grow(w, vma, start);
    if (status != FL_OK)
        return status;
    w->effects.grew = true;
    w->effects.new_start = start;
    vma_copy_out(w, vma, now);
    return FL_OK;
}

static enum fl_mm_result op_mm_fault(void *ctx, uint32_t generation, uint64_t addr, bool write)
{
    struct fl_world *w = ctx;
    const struct fl_vma *vma = vma_by_generation(w, generation);
    enum fl_mm_result result;

    need_lock(w);
    w->effects.mm_calls++;
    w->effects.mm_write = write;
    w->effects.mm_addr = addr;
    if (!vma || addr < vma->start || addr >= vma->end) {
        w->effects.stale_generation = true; /* not a VMA, or not that of this address */
        return FL_MM_SIGBUS;
    }
    if (take_injection(w, FL_INJ_MM_OOM))
        return FL_MM_OOM;
    if (take_injection(w, FL_INJ_MM_SIGBUS))
        return FL_MM_SIGBUS;
    result = mm_bring_in(w, vma, addr, write);
    if (result == FL_MM_MINOR && take_injection(w, FL_INJ_MM_MAJOR))
        return FL_MM_MAJOR;
    return result;
}

static bool op_extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    struct fl_world *w = ctx;

    w->effects.calls++;
    if (w->lock_depth)
        w->effects.extable_locked = true;
    for (unsigned i = 0; i < w->nextable; i++)
        if (w->extable[i].ip == ip) {
            *fixup = w->extable[i].fixup;
            return true;
        }
    return false;
}

const struct fl_ops *fl_world_ops(void)
{
    static const struct fl_ops ops = {
        .read_entry = read_entry,
        .probe_byte = probe_byte,
        .irq_enable = irq_enable,
        .lock_try = lock_try,
        .lock_take = lock_take,
        .lock_drop = lock_drop,
        .vma_find = op_vma_find,
        .vma_expand = op_vma_expand,
        .mm_fault = op_mm_fault,
        .extable = op_extable,
    };
    return &ops;
}
