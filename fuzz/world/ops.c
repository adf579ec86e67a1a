/* SPDX-License-Identifier: MIT */
/*
 * The services for the core, each recorded in struct fl_effects before it is done. A core that breaks a contract gets
 * an answer all the same, and the comparer gets the flag.
 */
#include "state.h"

struct fl_effects *op_called(struct fl_world *w)
{
    w->effects.calls++;
    return &w->effects;
}

struct fl_effects *op_unlocked(struct fl_world *w, const char *name)
{
    struct fl_effects *e = op_called(w);

    if (w->lock_depth && !e->locked_call) {
        e->locked_call = true;
        e->locked_op = name;
    }
    return e;
}

/* ---- page tables ------------------------------------------------------------------------------------------------- */

bool fl_world_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct fl_world *w = ctx;

    if ((size != 4 && size != 8) || paddr >= RAM_SIZE || paddr > RAM_SIZE - size)
        return false;
    *value = ram_get(w, paddr, size);
    return true;
}

/* The core's reads; those of the oracles go past the record. */
static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct fl_effects *e = op_called(ctx);

    if (e->reads < FL_EFFECTS_READS)
        e->read_at[e->reads] = paddr;
    e->reads++;
    return fl_world_read(ctx, paddr, size, value);
}

static bool write_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_called(w);

    if (e->writes < FL_EFFECTS_WRITES)
        e->write[e->writes] = (struct fl_entry_write){
            .paddr = paddr, .value = size == 4 ? (uint32_t)value : value, .size = (uint8_t)size, .how = (uint8_t)how};
    e->writes++;
    return lazy_write(w, paddr, size, value, w->lazy_mmu && how != FL_SET_PLAIN);
}

static void flush_lazy(void *ctx)
{
    struct fl_effects *e = op_called(ctx);

    e->flushes++;
    e->flushed_writes = e->writes;
    lazy_flush(ctx);
}

static void warn_nmi(void *ctx)
{
    op_called(ctx)->warns++;
}

static void pgd_lock(void *ctx, bool irqsave)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_called(w);

    e->pgd_gets++;
    e->pgd_irqsave |= irqsave;
    w->pgd_depth++;
    e->pgd_held = true;
}

static void pgd_unlock(void *ctx)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_called(w);

    e->pgd_drops++;
    if (!w->pgd_depth)
        e->pgd_missing = true;
    else
        w->pgd_depth--;
    e->pgd_held = w->pgd_depth != 0;
}

static bool pgd_next(void *ctx, unsigned i, uint64_t *root)
{
    struct fl_world *w = ctx;
    uint64_t roots[FL_MAX_MMS];

    op_called(w)->pgd_missing |= w->pgd_depth == 0;
    if (i >= kernel_roots(w, roots))
        return false;
    *root = roots[i];
    return true;
}

/* ---- the interrupted context ------------------------------------------------------------------------------------- */

static bool kprobe(void *ctx)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = &w->effects;

    e->kprobe_late |= e->calls != 0;
    op_called(w)->kprobes++;
    return answers_take(w, FL_INJ_KPROBE);
}

/* What an accessor that must not fault gets. User: present and user at every level. Kernel: present. */
bool world_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct fl_world *w = ctx;
    struct tables_walk walk;

    if (answers_pending(w, FL_INJ_PROBE)) {
        uint64_t index = linear - segment_linear_ip(w);
        if (w->codeseg.bits != 64)
            index = (uint32_t)index;
        if (index >= w->answers.probe_from)
            return false;
    }
    tables_walk(w, linear, &walk);
    if (!walk.mapped || walk.reserved || walk.paddr >= RAM_SIZE || (user && !walk.user))
        return false;
    *byte = w->ram[walk.paddr];
    return true;
}

static bool probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_unlocked(w, "probe-byte");

    if (e->probes < FL_EFFECTS_PROBES)
        e->probe_at[e->probes] = linear;
    e->probes++;
    w->ending = true;
    answers_asked(w, FL_INJ_PROBE,
                  w->codeseg.bits == 64 ? (unsigned)(linear - segment_linear_ip(w))
                                        : (uint32_t)linear - (uint32_t)segment_linear_ip(w),
                  false);
    if (user)
        e->probe_user = true;
    else
        e->probe_kernel = true;
    return world_byte(ctx, linear, user, byte);
}

static uint64_t op_ldt(void *ctx, unsigned index)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_unlocked(w, "ldt");

    w->ending = true;
    if (index < w->task.ldt_entries)
        return w->ldt[index];
    e->ldt_outside = true;
    return 0;
}

/* Has a flag of its own for the lock. */
static void irq_enable(void *ctx)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_called(w);

    if (e->irq_calls == 0)
        e->irq_late = e->lock_asks != 0;
    if (w->lock_depth)
        e->irq_locked = true;
    e->irq_calls++;
}

/* Asked after the lock was refused, and before it was had, this is no ending: it decides whether to wait. */
static bool op_extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_unlocked(w, "extable");

    if (e->lock_asks == 0 || e->lock_gets != 0)
        w->ending = true;
    for (unsigned i = 0; i < w->nextable; i++)
        if (w->extable[i].ip == ip) {
            *fixup = w->extable[i].fixup;
            return true;
        }
    return false;
}

static bool fatal_signal(void *ctx)
{
    op_called(ctx)->fatal_asks++;
    return answers_take(ctx, FL_INJ_FATAL_SIGNAL);
}

static bool op_vsyscall(void *ctx, unsigned nr)
{
    struct fl_effects *e = op_unlocked(ctx, "vsyscall");

    e->vsyscalls++;
    e->vsyscall_nr = nr;
    return !answers_take(ctx, FL_INJ_VSYSCALL_FAULT);
}

const struct fl_ops *fl_world_ops(void)
{
    static const struct fl_ops ops = {
        .read_entry = read_entry,
        .write_entry = write_entry,
        .flush_lazy = flush_lazy,
        .warn_nmi = warn_nmi,
        .pgd_lock = pgd_lock,
        .pgd_unlock = pgd_unlock,
        .pgd_next = pgd_next,
        .kprobe = kprobe,
        .probe_byte = probe_byte,
        .ldt = op_ldt,
        .irq_enable = irq_enable,
        .extable = op_extable,
        .lock_try = op_lock_try,
        .lock_take = op_lock_take,
        .lock_drop = op_lock_drop,
        .vma_find = op_vma_find,
        .vma_expand = op_vma_expand,
        .mm_fault = op_mm_fault,
        .yield = op_yield,
        .fatal_signal = fatal_signal,
        .user_word = op_user_word,
        .vsyscall = op_vsyscall,
        .ratelimit = op_ratelimit,
        .log = op_log,
        .symbol = op_symbol,
        .file_name = op_file_name,
        .die = op_die,
    };
    return &ops;
}
