/* SPDX-License-Identifier: MIT */
/* vmalloc_tables: see vmalloc_tables.h. */
#include "vmalloc_tables.h"

struct vmalloc core_vmalloc_of(const struct fl_cpu *cpu, const struct fl_kernel *kernel, const struct fl_ops *ops,
                               void *ctx)
{
    return (struct vmalloc){
        .cpu = cpu, .kernel = kernel, .ops = ops, .ctx = ctx, .format = core_format_of((enum fl_mode)cpu->mode)};
}

uint64_t core_vmalloc_root(const struct vmalloc *v, uint64_t cr3)
{
    struct fl_cpu with_root = *v->cpu;

    with_root.cr3 = cr3;
    return core_format_root(v->format, &with_root);
}

unsigned core_vmalloc_index(const struct vmalloc *v, unsigned depth, uint64_t va)
{
    const struct format_level *l = &v->format->level[depth];

    return (unsigned)(va >> l->shift) & ((1u << l->index_bits) - 1);
}

uint64_t core_vmalloc_span(const struct vmalloc *v, unsigned depth)
{
    return X86_BIT(v->format->level[depth].shift);
}

unsigned core_vmalloc_private_depth(const struct vmalloc *v)
{
    return v->cpu->mode == FL_MODE_PAE;
}

bool core_vmalloc_in_range(const struct vmalloc *v)
{
    return v->va >= v->kernel->vmalloc_start && v->va < v->kernel->vmalloc_end;
}

bool core_slot_read(const struct vmalloc *v, uint64_t table, unsigned depth, struct slot *slot)
{
    slot->paddr = table + (uint64_t)core_vmalloc_index(v, depth, v->va) * v->format->entry_size;
    return v->ops->read_entry(v->ctx, slot->paddr, v->format->entry_size, &slot->entry);
}

bool core_slot_write(const struct vmalloc *v, const struct slot *slot, uint64_t value, enum fl_set how)
{
    return v->ops->write_entry(v->ctx, slot->paddr, v->format->entry_size, value, how);
}

uint64_t core_slot_table(const struct vmalloc *v, const struct slot *slot)
{
    return core_format_table(v->format, slot->entry);
}

bool core_slot_same_frame(const struct vmalloc *v, const struct slot *a, const struct slot *b)
{
    return core_slot_table(v, a) == core_slot_table(v, b);
}

bool core_slot_is_leaf(const struct vmalloc *v, unsigned depth, const struct slot *slot)
{
    const struct format_level *level = &v->format->level[depth];

    /* A kernel that maps 1 GiB pages asks the entry, not the processor: where that has none the bit is reserved, which
     * is a corrupt table, but in no case one to go on with. */
    if (level->leaf == FORMAT_LEAF_PS_1GB)
        return slot->entry & X86_PTE_PS;
    return core_format_is_leaf(level, v->cpu, slot->entry);
}

enum fl_sync_end core_slot_private(const struct vmalloc *v, uint64_t cr3, struct slot *slot)
{
    uint64_t table = core_vmalloc_root(v, cr3);
    unsigned depth = 0;

    while (core_slot_read(v, table, depth, slot)) {
        if (depth == core_vmalloc_private_depth(v))
            return FL_SYNC_HANDLED;
        if (!core_slot_present(slot))
            return FL_SYNC_NOT_HANDLED;
        table = core_slot_table(v, slot);
        depth++;
    }
    return FL_SYNC_WILD;
}

bool core_slot_differs(const struct vmalloc *v, const struct slot *slot, const struct slot *reference)
{
    uint64_t own = X86_PTE_A;

    if (core_slot_is_leaf(v, core_vmalloc_private_depth(v), reference))
        own |= X86_PTE_D;
    return (slot->entry ^ reference->entry) & ~own;
}

bool core_slot_copy(const struct vmalloc *v, const struct slot *slot, const struct slot *reference)
{
    bool is_pmd = v->format->level[core_vmalloc_private_depth(v)].level == 2;

    return core_slot_write(v, slot, reference->entry, is_pmd ? FL_SET_PMD : FL_SET_PGD);
}
