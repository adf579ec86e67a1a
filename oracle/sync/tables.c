/* SPDX-License-Identifier: MIT */
/*
 * The shape of the page tables: see tables.h.
 */
#include "tables.h"

static const struct fl_shape shapes[FL_MODE_COUNT] = {
    /* SDM 4.3: CR3 and PDE bits 31:12. */
    [FL_MODE_2LEVEL] = {.top = 2,
                        .slot = 2,
                        .size = 4,
                        .index_bits = 10,
                        .leaf_top = 2,
                        .how = FL_SET_PMD,
                        .frame = BITS(31, 12),
                        .root = BITS(31, 12)},
    /* SDM 4.4.1: CR3 bits 31:5; 4.4.2: an address in an entry ends at bit 51 at most. A PDPTE never maps a page. */
    [FL_MODE_PAE] = {.top = 3,
                     .slot = 2,
                     .size = 8,
                     .index_bits = 9,
                     .leaf_top = 2,
                     .how = FL_SET_PMD,
                     .frame = BITS(51, 12),
                     .root = BITS(31, 5)},
    /* SDM 4.5. */
    [FL_MODE_4LEVEL] = {.top = 4,
                        .slot = 4,
                        .size = 8,
                        .index_bits = 9,
                        .leaf_top = 3,
                        .how = FL_SET_PGD,
                        .frame = BITS(51, 12),
                        .root = BITS(51, 12)},
    [FL_MODE_5LEVEL] = {.top = 5,
                        .slot = 5,
                        .size = 8,
                        .index_bits = 9,
                        .leaf_top = 3,
                        .how = FL_SET_PGD,
                        .frame = BITS(51, 12),
                        .root = BITS(51, 12)},
};

const struct fl_shape *fl_shape_of(unsigned mode)
{
    return &shapes[mode];
}

uint64_t fl_shape_address(const struct fl_shape *f, uint64_t va)
{
    return f->top <= 3 ? va & BITS(31, 0) : va;
}

static unsigned shift_of(const struct fl_shape *f, unsigned level)
{
    return 12u + (level - 1u) * f->index_bits;
}

uint64_t fl_shape_span(const struct fl_shape *f, unsigned level)
{
    return BIT(shift_of(f, level));
}

unsigned fl_shape_index(const struct fl_shape *f, unsigned level, uint64_t va)
{
    unsigned bits = f->top == 3 && level == 3 ? 2 : f->index_bits;

    return (unsigned)(va >> shift_of(f, level)) & ((1u << bits) - 1u);
}

uint64_t fl_shape_entry(const struct fl_shape *f, unsigned level, uint64_t base, uint64_t va)
{
    return base + (uint64_t)fl_shape_index(f, level, va) * f->size;
}

bool fl_shape_leaf(const struct fl_cpu *cpu, unsigned level, uint64_t entry)
{
    if (level == 1)
        return true;
    if (level > shapes[cpu->mode].leaf_top || !(entry & ENTRY_PS))
        return false;
    /* SDM 4.3: PS of a 32-bit PDE is ignored without CR4.PSE. */
    return cpu->mode != FL_MODE_2LEVEL || (cpu->cr4 & CR4_PSE);
}

uint64_t fl_shape_compared(const struct fl_cpu *cpu, uint64_t reference)
{
    bool leaf = (reference & ENTRY_P) && fl_shape_leaf(cpu, shapes[cpu->mode].slot, reference);

    return ~(uint64_t)(leaf ? ENTRY_A | ENTRY_D : ENTRY_A);
}
