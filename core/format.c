/* SPDX-License-Identifier: MIT */
#include "format.h"

#include "x86.h"

/*
 * ROW(level, shift, index bits, leaf rule, rights, high, reserved in a table entry, in a leaf, on AMD)
 *
 * MAXPHYADDR..high, bit 63 without NXE and the PSE-36 bits depend on the processor: see core_format_reserved().
 */
#define FORMAT_2LEVEL(ROW)                                                                                             \
    ROW(2, 22, 10, FORMAT_LEAF_PS_PSE, true, 0, 0, 0, 0)                                                               \
    ROW(1, 12, 10, FORMAT_LEAF_ALWAYS, true, 0, 0, 0, 0)

/* The PDPTE has neither R/W nor U/S nor XD: bits 2:1, 8:5 and 63 are reserved in it. PDE and PTE have no ignored bits
 * above the address, unlike in IA-32e mode. */
#define FORMAT_PAE(ROW)                                                                                                \
    ROW(3, 30, 2, FORMAT_LEAF_NEVER, false, 63, X86_BITS(2, 1) | X86_BITS(8, 5), 0, 0)                                 \
    ROW(2, 21, 9, FORMAT_LEAF_PS, true, 62, 0, X86_BITS(20, 13), 0)                                                    \
    ROW(1, 12, 9, FORMAT_LEAF_ALWAYS, true, 62, 0, 0, 0)

/* PS in a table entry of level 3 is the case without 1 GiB pages. Bit 8 (G) of the upper levels is ignored by Intel and
 * must be zero on AMD. */
#define FORMAT_4LEVEL(ROW)                                                                                             \
    ROW(4, 39, 9, FORMAT_LEAF_NEVER, true, 51, X86_PTE_PS, 0, X86_PTE_G)                                               \
    ROW(3, 30, 9, FORMAT_LEAF_PS_1GB, true, 51, X86_PTE_PS, X86_BITS(29, 13), 0)                                       \
    ROW(2, 21, 9, FORMAT_LEAF_PS, true, 51, 0, X86_BITS(20, 13), 0)                                                    \
    ROW(1, 12, 9, FORMAT_LEAF_ALWAYS, true, 51, 0, 0, 0)

#define FORMAT_5LEVEL(ROW)                                                                                             \
    ROW(5, 48, 9, FORMAT_LEAF_NEVER, true, 51, X86_PTE_PS, 0, X86_PTE_G)                                               \
    FORMAT_4LEVEL(ROW)

#define ROW_DATA(level, shift, bits, leaf, rights, high, table, page, amd)                                             \
    {level, shift, bits, leaf, rights, high, table, page, amd},
#define ROW_BITS(level, shift, bits, leaf, rights, high, table, page, amd)  +(bits)
#define ROW_COUNT(level, shift, bits, leaf, rights, high, table, page, amd) +1

_Static_assert(X86_PAGE_SHIFT FORMAT_2LEVEL(ROW_BITS) == 32, "2-level tables translate 32 bits");
_Static_assert(X86_PAGE_SHIFT FORMAT_PAE(ROW_BITS) == 32, "PAE tables translate 32 bits");
_Static_assert(X86_PAGE_SHIFT FORMAT_4LEVEL(ROW_BITS) == 48, "4-level tables translate 48 bits");
_Static_assert(X86_PAGE_SHIFT FORMAT_5LEVEL(ROW_BITS) == 57, "5-level tables translate 57 bits");
_Static_assert(0 FORMAT_5LEVEL(ROW_COUNT) == FORMAT_MAX_LEVELS, "no format is deeper than 5-level");

#define FORMAT(rows, size, sign, nx, key, cr3)                                                                         \
    {                                                                                                                  \
        .levels = 0 rows(ROW_COUNT), .entry_size = (size), .linear_bits = X86_PAGE_SHIFT rows(ROW_BITS),               \
        .sign_extended = (sign), .has_nx = (nx), .has_pkey = (key), .root = (cr3), .level = {                          \
            rows(ROW_DATA)                                                                                             \
        }                                                                                                              \
    }

static const struct format formats[FL_MODE_COUNT] = {
    [FL_MODE_2LEVEL] = FORMAT(FORMAT_2LEVEL, 4, false, false, false, X86_BITS(31, 12)),
    [FL_MODE_PAE] = FORMAT(FORMAT_PAE, 8, false, true, false, X86_BITS(31, 5)),
    [FL_MODE_4LEVEL] = FORMAT(FORMAT_4LEVEL, 8, true, true, true, X86_BITS(51, 12)),
    [FL_MODE_5LEVEL] = FORMAT(FORMAT_5LEVEL, 8, true, true, true, X86_BITS(51, 12)),
};

const struct format *core_format_of(enum fl_mode mode)
{
    return &formats[mode];
}

bool core_format_walkable(const struct format *f, uint64_t va)
{
    uint64_t above = va >> (f->linear_bits - f->sign_extended);

    /* With sign extension "above" begins at the top translated bit: all alike, zeroes or ones. */
    return above == 0 || (f->sign_extended && above == UINT64_MAX >> (f->linear_bits - 1));
}

/* Bits top..MAXPHYADDR; none when the processor has that many address bits or more. */
static uint64_t beyond_maxphyaddr(const struct fl_cpu *cpu, unsigned top)
{
    return cpu->maxphyaddr <= top ? X86_BITS(top, cpu->maxphyaddr) : 0;
}

uint64_t core_format_root(const struct format *f, const struct fl_cpu *cpu)
{
    return cpu->cr3 & f->root & ~beyond_maxphyaddr(cpu, 51);
}

bool core_format_is_leaf(const struct format_level *l, const struct fl_cpu *cpu, uint64_t entry)
{
    bool ps = entry & X86_PTE_PS;

    switch ((enum format_leaf)l->leaf) {
    case FORMAT_LEAF_NEVER: return false;
    case FORMAT_LEAF_ALWAYS: return true;
    case FORMAT_LEAF_PS: break;
    case FORMAT_LEAF_PS_PSE: return ps && (cpu->cr4 & X86_CR4_PSE);
    case FORMAT_LEAF_PS_1GB: return ps && cpu->page1gb;
    }
    return ps;
}

/* 4 MiB pages keep bits 39:32 of their address in bits 20:13 (PSE-36), as far as MAXPHYADDR goes; what is left of 21:13
 * is reserved. Without PSE-36 the address has 32 bits and all nine are reserved. SDM table 4-4. */
static uint64_t reserved_4mib(const struct fl_cpu *cpu)
{
    unsigned width = cpu->pse36 ? cpu->maxphyaddr : 32;

    if (width > 40)
        width = 40;
    return X86_BITS(21, width - 19);
}

uint64_t core_format_reserved(const struct format *f, const struct format_level *l, const struct fl_cpu *cpu, bool leaf)
{
    uint64_t reserved = leaf ? l->reserved_leaf : l->reserved_table;

    if (cpu->vendor == FL_VENDOR_AMD)
        reserved |= l->reserved_amd;
    if (l->high)
        reserved |= beyond_maxphyaddr(cpu, l->high);
    if (f->has_nx && !(cpu->efer & X86_EFER_NXE))
        reserved |= X86_PTE_NX;
    if (leaf && l->leaf == FORMAT_LEAF_PS_PSE)
        reserved |= reserved_4mib(cpu);
    return reserved;
}

uint64_t core_format_table(const struct format *f, uint64_t entry)
{
    return entry & (f->entry_size == 4 ? X86_BITS(31, 12) : X86_BITS(51, 12));
}

uint64_t core_format_page(const struct format *f, const struct format_level *l, uint64_t entry)
{
    uint64_t page = core_format_table(f, entry) & (UINT64_MAX << l->shift);

    if (l->leaf == FORMAT_LEAF_PS_PSE)
        page |= (entry >> 13 & 0xff) << 32;
    return page;
}
