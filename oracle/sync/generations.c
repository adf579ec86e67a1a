/* SPDX-License-Identifier: MIT */
/*
 * Generations against each other: which modes have which, their names, and the facts that tell why one ends otherwise
 * than CURRENT.
 */
#include "facts.h"

#include <faultline/oracle/arch.h>

bool fl_generation_exists(enum fl_mode mode, enum fl_generation generation)
{
#define M(mode) (1u << FL_MODE_##mode)
    static const uint8_t modes[FL_GEN_COUNT] = {
        [FL_GEN_CURRENT] = M(2LEVEL) | M(PAE) | M(4LEVEL) | M(5LEVEL),
        [FL_GEN_2008_32] = M(2LEVEL) | M(PAE),
        [FL_GEN_2008_64] = M(4LEVEL),
        [FL_GEN_2014_NATIVE] = M(2LEVEL) | M(PAE) | M(4LEVEL),
        [FL_GEN_2014_PV32] = M(2LEVEL) | M(PAE),
        [FL_GEN_2014_PV64] = M(4LEVEL),
        [FL_GEN_2016] = M(2LEVEL) | M(PAE) | M(4LEVEL),
    };
#undef M
    return (unsigned)mode < FL_MODE_COUNT && (unsigned)generation < FL_GEN_COUNT &&
           (modes[generation] >> mode & 1u) != 0;
}

const char *fl_generation_name(enum fl_generation generation)
{
    static const char *const names[FL_GEN_COUNT] = {
        [FL_GEN_CURRENT] = "current",     [FL_GEN_2008_32] = "2008-32",
        [FL_GEN_2008_64] = "2008-64",     [FL_GEN_2014_NATIVE] = "2014-native",
        [FL_GEN_2014_PV32] = "2014-pv32", [FL_GEN_2014_PV64] = "2014-pv64",
        [FL_GEN_2016] = "2016",
    };

    return (unsigned)generation < FL_GEN_COUNT ? names[generation] : "unknown";
}

const char *fl_touch_end_name(enum fl_touch_end end)
{
    static const char *const names[FL_TOUCH_COUNT] = {[FL_TOUCH_DONE] = "done",
                                                      [FL_TOUCH_REFUSED] = "refused",
                                                      [FL_TOUCH_BUG] = "bug",
                                                      [FL_TOUCH_WILD] = "wild",
                                                      [FL_TOUCH_LOOP] = "loop"};

    return (unsigned)end < FL_TOUCH_COUNT ? names[end] : "unknown";
}

/* Is the entry at that place on the walk of that root, at another level than the slot's? Followed by frame bits alone,
 * as the walkers of old do. */
static bool elsewhere_on_walk(const struct fl_snapshot *s, uint64_t root, uint64_t place)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    uint64_t va = fl_shape_address(f, s->cr2), table = root & f->root, entry;

    for (unsigned level = f->top; level > 0; level--) {
        uint64_t at = fl_shape_entry(f, level, table, va);

        if (at == place && level != f->slot)
            return true;
        if (!s->read(s->ctx, at, f->size, &entry))
            return false;
        table = entry & f->frame;
    }
    return false;
}

/* Does that entry lie in a table that some address space has of its own, where sync-all puts slots right? */
static bool in_private_table(const struct fl_snapshot *s, const struct fl_shape *f, uint64_t place)
{
    for (unsigned i = 0; i <= s->npgds; i++) {
        uint64_t root = (i < s->npgds ? s->pgd[i] : s->kernel.init_root) & f->root, entry;

        if (f->slot == f->top && ((place ^ root) & ~(uint64_t)0xfff) == 0)
            return true;
        for (unsigned n = 0; f->slot != f->top && n < 4; n++) /* PAE: the directories that the PDPTEs name */
            if (s->read(s->ctx, root + n * f->size, f->size, &entry) && (entry & ENTRY_P) &&
                ((place ^ entry) & f->frame) == 0)
                return true;
    }
    return false;
}

/* Does the walk of that root go on, below the slot, in such a table? */
static bool below_in_private_table(const struct fl_snapshot *s, uint64_t root)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    uint64_t va = fl_shape_address(f, s->cr2), table = root & f->root, entry;

    for (unsigned level = f->top; level > 0; level--) {
        uint64_t at = fl_shape_entry(f, level, table, va);

        if (level < f->slot && in_private_table(s, f, at))
            return true;
        if (!s->read(s->ctx, at, f->size, &entry))
            return false;
        table = entry & f->frame;
    }
    return false;
}

bool fl_generation_tangled(const struct fl_snapshot *s)
{
    return below_in_private_table(s, s->kernel.init_root) || below_in_private_table(s, s->cpu.cr3);
}

static bool aliased(const struct fl_snapshot *s, const struct fl_sync_facts *facts)
{
    if (!facts->fills)
        return false;
    return elsewhere_on_walk(s, s->kernel.init_root, facts->slot) || elsewhere_on_walk(s, s->cpu.cr3, facts->slot);
}

uint64_t fl_generation_facts(const struct fl_snapshot *s, unsigned generation)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    struct fl_sync_manner manner = fl_sync_manner_of(generation, s->cpu.mode);
    uint64_t va = fl_shape_address(f, s->cr2), destination = fl_sync_destination(s, generation), word;
    struct fl_access read_it = {.va = va, .kind = FL_READ, .priv = FL_SUPERVISOR};
    struct fl_sync_facts facts, current;
    struct fl_arch_result walk;

    fl_sync_find_facts(s, generation, &facts);
    fl_sync_find_facts(s, FL_GEN_CURRENT, &current);
    word = facts.word;
    if (va >= s->kernel.task_size)
        word |= S_KERNEL;
    if (!(s->error_code & (ERR_P | ERR_US | ERR_RSVD)) && !(s->task.kprobe_running && s->kprobe_claims))
        word |= S_TRIED;
    if (fl_arch_walk(&s->cpu, &read_it, s->read, s->ctx, &walk) == FL_OK &&
        (walk.kind != FL_ARCH_PF || (walk.error_code & ERR_P)))
        word |= S_LIVE;
    if (current.word & S_DST_SAME)
        word |= S_LIVE_EQ;
    if ((destination & f->root) == (s->cpu.cr3 & f->root))
        word |= S_OWN;
    if (facts.fills && s->lazy_mmu && manner.how != FL_SET_PLAIN && !manner.flush)
        word |= S_QUEUED;
    if (aliased(s, &facts) || aliased(s, &current))
        word |= S_ALIASED;
    return word;
}

const struct fl_generation_row *fl_generation_explain(const struct fl_snapshot *s, enum fl_generation generation,
                                                      enum fl_touch_end current, enum fl_touch_end ends)
{
    const struct fl_generation_row *rows;
    uint64_t facts;
    size_t count;

    if (!s || !s->read || s->cpu.mode >= FL_MODE_COUNT || current == ends ||
        !fl_generation_exists((enum fl_mode)s->cpu.mode, generation) || (unsigned)current >= FL_TOUCH_COUNT ||
        (unsigned)ends >= FL_TOUCH_COUNT)
        return NULL;
    rows = fl_generation_rows(&count);
    facts = fl_generation_facts(s, generation);
    for (size_t i = 0; i < count; i++)
        if ((rows[i].generations >> generation & 1u) && (rows[i].current >> current & 1u) &&
            (rows[i].ends >> ends & 1u) && (facts & rows[i].mask) == rows[i].want)
            return &rows[i];
    return NULL;
}
