/* SPDX-License-Identifier: MIT */
/*
 * Facts of a synchronisation: walks of the reference tables and of the destination, read-only. What the generation
 * writes on the way is laid over the memory, so that what it reads afterwards is what it would read.
 */
#include "facts.h"

#include <faultline/oracle/arch.h>

/* RFLAGS.AC: SDM vol. 1, 3.4.3. */
#define FLAG_VM BIT(17)
#define FLAG_AC BIT(18)

bool fl_sync_read(const struct fl_sync_memory *m, uint64_t paddr, unsigned size, uint64_t *value)
{
    if (!m->read(m->ctx, paddr, size, value))
        return false;
    if (paddr == m->written)
        *value = m->value;
    return true;
}

struct fl_sync_manner fl_sync_manner_of(unsigned generation, unsigned mode)
{
    struct fl_sync_manner m = {.how = fl_shape_of(mode)->how, .flush = false};

    switch (generation) {
    case FL_GEN_CURRENT:
    case FL_GEN_2008_32:
    case FL_GEN_2014_PV64: m.flush = true; break;
    case FL_GEN_2014_NATIVE: m.how = FL_SET_PLAIN; break;
    case FL_GEN_2016: m.flush = mode >= FL_MODE_4LEVEL; break;
    default: break; /* 2008_64 and 2014_PV32 leave the queue alone */
    }
    return m;
}

uint64_t fl_sync_destination(const struct fl_snapshot *s, unsigned generation)
{
    if (generation == FL_GEN_2008_64)
        return s->task.mm_root ? s->task.mm_root : s->kernel.init_root;
    if (generation == FL_GEN_2016 && s->cpu.mode >= FL_MODE_4LEVEL)
        return s->task.active_root;
    return s->cpu.cr3;
}

/* The reference as a processor would walk it. */
static uint64_t walk_reference(const struct fl_snapshot *s, const struct fl_sync_memory *m, uint64_t va)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    uint64_t table = s->kernel.init_root & f->root, entry;

    for (unsigned level = f->top;; level--) {
        if (!fl_sync_read(m, fl_shape_entry(f, level, table, va), f->size, &entry))
            return S_REF_WILD;
        if (!(entry & ENTRY_P))
            return level > 1 && entry ? S_REF_JUNK : 0;
        if (fl_shape_leaf(&s->cpu, level, entry))
            return level > 1 ? S_REF_MAPPED | S_REF_LARGE : S_REF_MAPPED;
        table = entry & f->frame;
    }
}

/* The PDPTE above the slot, if there is one. False: unreadable. *present, *table [OUT] otherwise. */
static bool upper(const struct fl_shape *f, const struct fl_sync_memory *m, uint64_t root, uint64_t va, bool *present,
                  uint64_t *table)
{
    uint64_t entry;

    *present = true;
    *table = root & f->root;
    if (f->top == f->slot)
        return true;
    if (!fl_sync_read(m, fl_shape_entry(f, f->top, *table, va), f->size, &entry))
        return false;
    *present = (entry & ENTRY_P) != 0;
    *table = entry & f->frame;
    return true;
}

struct below_facts {
    uint64_t wild, none, leaf, present;
};

/* The levels under the reference's slot. */
static uint64_t below_reference(const struct fl_snapshot *s, const struct fl_sync_memory *m, uint64_t slot, uint64_t va)
{
    static const struct below_facts level_facts[4] = {
        [3] = {S_REF_3_WILD, S_REF_3_NONE, S_REF_3_LEAF, 0},
        [2] = {S_REF_2_WILD, S_REF_2_NONE, S_REF_2_LEAF, 0},
        [1] = {S_REF_1_WILD, 0, 0, S_REF_1_P},
    };
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    uint64_t table = slot & f->frame, facts = 0, entry;

    for (unsigned level = f->slot - 1u; level > 0; level--) {
        const struct below_facts *b = &level_facts[level];

        if (!fl_sync_read(m, fl_shape_entry(f, level, table, va), f->size, &entry))
            return facts | b->wild;
        if (entry == 0)
            facts |= b->none;
        if (fl_shape_leaf(&s->cpu, level, entry))
            facts |= b->leaf;
        if (entry & ENTRY_P)
            facts |= b->present;
        table = entry & f->frame;
    }
    return facts;
}

/* Level 3 of 4-level tables, under the destination's slot, against the reference's. */
static uint64_t below_destination(const struct fl_sync_memory *m, const struct fl_shape *f, uint64_t slot,
                                  uint64_t reference, uint64_t va)
{
    uint64_t entry, ref;
    uint64_t facts;

    if (!fl_sync_read(m, fl_shape_entry(f, 3, slot & f->frame, va), f->size, &entry))
        return S_DST_3_WILD;
    facts = entry == 0 ? S_DST_3_NONE : 0;
    if (fl_sync_read(m, fl_shape_entry(f, 3, reference & f->frame, va), f->size, &ref) &&
        ((entry ^ ref) & f->frame) == 0)
        facts |= S_DST_3_FRAME;
    return facts;
}

static bool counts_as_empty(unsigned generation, bool wide, uint64_t facts)
{
    if (generation == FL_GEN_CURRENT)
        return !(facts & S_DST_SAME);
    if (generation == FL_GEN_2008_32 || (generation == FL_GEN_2016 && !wide))
        return !(facts & S_DST_SLOT_P);
    return (facts & S_DST_SLOT_NONE) != 0;
}

/* The access of the error code, by the supervisor: bits W and I of SDM figure 4-12. With user-mode registers it was the
 * processor's own (SDM vol. 3A, 4.6: implicit supervisor-mode access), which AC permits nothing. */
static struct fl_access supervisor_access(const struct fl_snapshot *s, uint64_t va)
{
    bool user_mode = (s->regs.cs & 3) == 3 || (s->regs.flags & FLAG_VM);
    struct fl_access a = {.va = va,
                          .kind = FL_READ,
                          .priv = user_mode ? FL_IMPLICIT : FL_SUPERVISOR,
                          .ac = (s->regs.flags & FLAG_AC) != 0};

    if (s->error_code & ERR_WR)
        a.kind = FL_WRITE;
    else if (s->error_code & ERR_ID)
        a.kind = FL_FETCH;
    return a;
}

static uint64_t address_facts(const struct fl_snapshot *s, uint64_t va)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    uint64_t facts = 0;

    if (va >= s->kernel.vmalloc_start && va < s->kernel.vmalloc_end)
        facts |= S_IN_RANGE;
    if (fl_shape_index(f, f->top, va) < fl_shape_index(f, f->top, s->kernel.page_offset))
        facts |= S_LOW_INDEX;
    if (s->cpu.mode >= FL_MODE_4LEVEL)
        facts |= S_WIDE;
    if (s->cpu.mode == FL_MODE_PAE)
        facts |= S_PAE;
    return facts;
}

/* Facts of both slots. False: one of them cannot be read, and there is nothing below. */
static bool slot_facts(const struct fl_snapshot *s, unsigned generation, const struct fl_sync_memory *m, uint64_t va,
                       uint64_t *dst_value, struct fl_sync_facts *out)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    bool ref_up, ref_there, dst_up, dst_there;
    uint64_t ref_table, dst_table, differs;

    ref_there = upper(f, m, s->kernel.init_root, va, &ref_up, &ref_table);
    dst_there = upper(f, m, fl_sync_destination(s, generation), va, &dst_up, &dst_table);
    out->word |= !ref_there ? S_REF_UP_WILD : ref_up ? S_REF_UP_P : 0;
    out->word |= !dst_there ? S_DST_UP_WILD : dst_up ? S_DST_UP_P : 0;
    if (ref_there && ref_up) /* the reference has no slot, and so an empty one, where it has no page directory */
        ref_there = fl_sync_read(m, fl_shape_entry(f, f->slot, ref_table, va), f->size, &out->value);
    if (!ref_there)
        out->word |= S_REF_SLOT_WILD;
    else
        out->word |= (out->value == 0 ? S_REF_SLOT_NONE : 0) | (out->value & ENTRY_P ? S_REF_SLOT_P : 0) |
                     (fl_shape_leaf(&s->cpu, f->slot, out->value) ? S_REF_SLOT_LEAF : 0);
    if (dst_there) {
        out->slot = fl_shape_entry(f, f->slot, dst_table, va);
        dst_there = fl_sync_read(m, out->slot, f->size, dst_value);
    }
    if (!dst_there) {
        out->word |= S_DST_SLOT_WILD;
        return false;
    }
    out->word |= (*dst_value == 0 ? S_DST_SLOT_NONE : 0) | (*dst_value & ENTRY_P ? S_DST_SLOT_P : 0);
    if (!ref_there)
        return false;
    differs = *dst_value ^ out->value;
    if (!(differs & f->frame))
        out->word |= S_DST_FRAME;
    if (!(differs & fl_shape_compared(&s->cpu, out->value)))
        out->word |= S_DST_SAME;
    return true;
}

void fl_sync_find_facts(const struct fl_snapshot *s, unsigned generation, struct fl_sync_facts *out)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    struct fl_sync_memory m = {.read = s->read, .ctx = s->ctx, .written = FL_SYNC_NOWHERE};
    struct fl_sync_manner manner = fl_sync_manner_of(generation, s->cpu.mode);
    uint64_t va = fl_shape_address(f, s->cr2), dst_value = 0;
    struct fl_access access = supervisor_access(s, va);
    struct fl_arch_result walk;

    *out = (struct fl_sync_facts){.word = address_facts(s, va) | walk_reference(s, &m, va)};
    if (fl_arch_walk(&s->cpu, &access, s->read, s->ctx, &walk) == FL_OK && walk.kind == FL_ARCH_OK)
        out->word |= S_PERMITS;
    if (!slot_facts(s, generation, &m, va, &dst_value, out))
        return;
    out->fills = counts_as_empty(generation, (out->word & S_WIDE) != 0, out->word);
    if (s->cpu.mode == FL_MODE_5LEVEL)
        return; /* walked by CURRENT alone, which asks nothing below the slot */
    /* What is filled in is there for the reads below it, unless it is queued for good. */
    if (out->fills && (manner.how == FL_SET_PLAIN || manner.flush || !s->lazy_mmu)) {
        m.written = out->slot;
        m.value = dst_value = out->value;
    }
    out->word |= below_reference(s, &m, out->value, va);
    if (s->cpu.mode == FL_MODE_4LEVEL)
        out->word |= below_destination(&m, f, dst_value, out->value, va);
}
