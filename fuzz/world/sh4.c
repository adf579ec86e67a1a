/* SPDX-License-Identifier: MIT */
/*
 * The SH4's tables as Linux of 2012 has them: 1024 first-level entries, each the P1 (untranslated, cached) address of a
 * page of 1024 ptes; zero is absent. A pte is a physical address and flags, most of them in the places that PTEL gives
 * them (SH-4 software manual, section 3.2; arch/sh/include/asm/pgtable_32.h).
 */
#include "state.h"

#define P1_SEGMENT  UINT64_C(0x80000000)
#define TABLE_MASK  UINT64_C(0x1ffff000) /* of a first-level entry: the physical address of its table */
#define TABLE_BYTES (UINT64_C(1) << 22)  /* that one table maps */

enum {
    PTE_SHARED = 0x002, /* SH */
    PTE_DIRTY = 0x004,  /* D */
    PTE_WRITE = 0x020,  /* PR0 */
    PTE_USER = 0x040,   /* PR1 */
    PTE_PRESENT = 0x100,
    PTE_ACCESSED = 0x400
};

static uint64_t first_level_at(const struct fl_world *w, uint64_t va)
{
    return w->sh4.reference + (va >> 22 & 0x3ff) * 4;
}

/* False: there is no table that the model made. */
static bool find_pte(const struct fl_world *w, uint64_t va, uint64_t *at)
{
    uint64_t table = ram_get(w, first_level_at(w, va), 4) & TABLE_MASK;

    if (table >= (uint64_t)FL_RAM_POOL_END << PAGE_SHIFT || w->tag[table >> PAGE_SHIFT] != 1)
        return false;
    *at = table + (va >> 12 & 0x3ff) * 4;
    return true;
}

enum fl_status sh4_path(const struct fl_world *w, uint64_t va, unsigned level, uint64_t *paddr)
{
    uint64_t first = w->sh4.ttb + (va >> 22 & 0x3ff) * 4, table = ram_get(w, first, 4) & TABLE_MASK;

    if (level == 1 && (ram_get(w, first, 4) == 0 || table >= RAM_SIZE))
        return FL_INVALID;
    *paddr = level == 1 ? table + (va >> 12 & 0x3ff) * 4 : first;
    return FL_OK;
}

enum fl_status sh4_ioremap(struct fl_world *w, uint64_t va, unsigned leaves, unsigned frame, unsigned flags)
{
    uint64_t pte = ((flags & FL_MAP_PRESENT) ? PTE_PRESENT : 0) | ((flags & FL_MAP_WRITE) ? PTE_WRITE : 0) |
                   ((flags & FL_MAP_USER) ? PTE_USER : 0) | ((flags & FL_MAP_ACCESSED) ? PTE_ACCESSED : 0) |
                   ((flags & FL_MAP_DIRTY) ? PTE_DIRTY : 0) | ((flags & FL_MAP_GLOBAL) ? PTE_SHARED : 0);
    unsigned needed = 0;
    uint64_t at;

    for (unsigned i = 0; i < leaves; i++)
        if (i == 0 || (va + (uint64_t)i * PAGE_SIZE) % TABLE_BYTES == 0)
            needed += !find_pte(w, va + (uint64_t)i * PAGE_SIZE, &at);
    if (needed > frames_left(w))
        return FL_NO_MEMORY;
    for (unsigned i = 0; i < leaves; i++, va += PAGE_SIZE) {
        if (!find_pte(w, va, &at)) {
            ram_put(w, first_level_at(w, va), 4, P1_SEGMENT | (uint64_t)frame_alloc(w, 1) << PAGE_SHIFT);
            find_pte(w, va, &at);
        }
        ram_put(w, at, 4, (uint64_t)((frame + i) % FL_RAM_FRAMES) << PAGE_SHIFT | pte);
    }
    return FL_OK;
}

unsigned sh4_iounmap(struct fl_world *w, uint64_t start, uint64_t last)
{
    unsigned cleared = 0;
    uint64_t at;

    for (uint64_t va = start; va <= last; va = (va | (PAGE_SIZE - 1)) + 1) {
        if (!find_pte(w, va, &at)) {
            va |= TABLE_BYTES - 1; /* none in this table */
        } else if (ram_get(w, at, 4) != 0) {
            ram_put(w, at, 4, 0);
            cleared++;
        }
    }
    return cleared;
}
