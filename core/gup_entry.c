/* SPDX-License-Identifier: MIT */
/*
 * Entries as the kernel reads them. Three things differ from the processor's reading: a leaf may be present to the kernel
 * with P clear (PROT_NONE, NUMA hints); a table entry that lacks a right is malformed, since Linux gives user tables all
 * rights and lets the leaf decide; and an entry of PAE may change between its halves, since it is read with two loads
 * (arch/x86/mm/gup.c: low, high, low again).
 */
#include "gup.h"

#include "x86.h"

#define HALF_READS                                                                                                     \
    4 /* torn reads in a row before an entry is taken for none: whoever changes it that often is not done */

static bool ops_complete(const struct fl_gup_ops *o)
{
    return o && o->read && o->ptl_lock && o->ptl_unlock && o->swap_kind && o->migration_wait && o->split_huge &&
           o->split_wait && o->touch_leaf && o->page_valid && o->page_zero && o->page_head && o->page_get &&
           o->page_get_speculative && o->page_put && o->page_tail_get && o->page_anon_exclusive && o->page_dirty &&
           o->page_set_dirty && o->page_accessed && o->page_has_mapping && o->page_trylock && o->page_unlock &&
           o->page_mlock && o->device_get && o->device_put && o->vma_find && o->gate_vma && o->mm_fault &&
           o->hugetlb_fault && o->hugetlb_cached && o->mm_lock && o->mm_unlock && o->fatal_signal && o->resched &&
           o->account && o->irq_save && o->irq_restore;
}

bool gup_ready(struct gup *g, const struct fl_gup_space *space, const struct fl_gup_ops *ops, void *ctx)
{
    if (!space || space->cpu.mode >= FL_MODE_COUNT || !ops_complete(ops))
        return false;
    *g = (struct gup){.space = space, .format = core_format_of(space->cpu.mode), .ops = ops, .ctx = ctx};
    return true;
}

/* A 32-bit kernel reads an entry of PAE in halves. */
static bool read_halves(const struct gup *g, uint64_t paddr, uint64_t *value)
{
    for (unsigned i = 0; i < HALF_READS; i++) {
        uint64_t low, high, again;

        if (!g->ops->read(g->ctx, paddr, 4, &low) || !g->ops->read(g->ctx, paddr + 4, 4, &high) ||
            !g->ops->read(g->ctx, paddr, 4, &again))
            return false;
        *value = high << 32 | low;
        if (low == again)
            return true;
    }
    *value = 0;
    return true;
}

bool gup_read(const struct gup *g, const struct gup_entry *e, uint64_t *value)
{
    if (g->space->cpu.mode == FL_MODE_PAE)
        return read_halves(g, e->paddr, value);
    return g->ops->read(g->ctx, e->paddr, g->format->entry_size, value);
}

static bool select_entry(const struct gup *g, uint64_t table, uint64_t va, struct gup_entry *e)
{
    uint64_t index = va >> e->level->shift & ((1u << e->level->index_bits) - 1);

    e->paddr = table + index * g->format->entry_size;
    return gup_read(g, e, &e->value);
}

bool gup_top(const struct gup *g, uint64_t root, uint64_t va, struct gup_entry *e)
{
    struct fl_cpu cpu = g->space->cpu;

    if (!core_format_walkable(g->format, va))
        return false;
    cpu.cr3 = root;
    e->level = &g->format->level[0];
    return select_entry(g, core_format_root(g->format, &cpu), va, e);
}

bool gup_down(const struct gup *g, uint64_t va, struct gup_entry *e)
{
    uint64_t table = core_format_table(g->format, e->value);

    e->level++;
    return select_entry(g, table, va, e);
}

bool gup_has(uint64_t value, uint64_t soft)
{
    return (value & soft) != 0;
}

enum gup_kind gup_kind_of(const struct gup *g, const struct format_level *l, uint64_t value)
{
    const struct fl_soft_bits *soft = &g->space->soft;
    uint64_t rights = l->rights ? X86_PTE_RW | X86_PTE_US : 0;
    bool leaf;

    if (value == 0)
        return GUP_NONE;
    leaf = core_format_is_leaf(l, &g->space->cpu, value);
    if (!(value & X86_PTE_P))
        return leaf && gup_has(value, soft->protnone | soft->numa) ? GUP_LEAF : GUP_NOT_PRESENT;
    if (value & core_format_reserved(g->format, l, &g->space->cpu, leaf))
        return GUP_NOT_PRESENT;
    if (leaf)
        return GUP_LEAF;
    return (value & rights) == rights ? GUP_TABLE : GUP_NOT_PRESENT;
}

bool gup_is_hint(const struct gup *g, uint64_t value)
{
    return !(value & X86_PTE_P) && gup_has(value, g->space->soft.numa);
}

bool gup_is_splitting(const struct gup *g, uint64_t value)
{
    return (value & X86_PTE_P) && gup_has(value, g->space->soft.splitting);
}

bool gup_is_writable(uint64_t value)
{
    return value & X86_PTE_RW;
}

bool gup_is_dirty(uint64_t value)
{
    return value & X86_PTE_D;
}

bool gup_user_may(const struct gup *g, uint64_t value, bool write)
{
    const struct fl_cpu *cpu = &g->space->cpu;
    uint64_t need = X86_PTE_P | X86_PTE_US | (write ? X86_PTE_RW : 0);
    uint32_t key;

    if ((value & need) != need)
        return false;
    if (!g->format->has_pkey || !(cpu->cr4 & X86_CR4_PKE))
        return true;
    key = cpu->pkru >> 2 * (value >> X86_PTE_PKEY_SHIFT & X86_PTE_PKEY_MASK);
    return !(key & 1) && !(write && (key & 2));
}

uint64_t gup_pfn(const struct gup *g, const struct gup_entry *e, uint64_t va)
{
    uint64_t inside = va & ~(UINT64_MAX << e->level->shift);

    return (core_format_page(g->format, e->level, e->value) | inside) >> X86_PAGE_SHIFT;
}
