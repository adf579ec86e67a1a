/* SPDX-License-Identifier: MIT */
/*
 * What a VMA allows, and stack growth. The limits on size and address space are those of x86 2.6.25 (mm/mmap.c, 2008); the guard gap is that
 * of 4.12 (mm/mmap.c, 2017) and the floor that of 5.0 (mm/mmap.c, 2019): see docs/deviations.md.
 */
#include "vma.h"

#include "x86.h"

bool core_vma_below_cushion(uint64_t addr, uint64_t sp, unsigned word)
{
    /* As a difference: addr + cushion could wrap around. */
    return sp > addr && sp - addr > 65536 + 32 * (uint64_t)word;
}

static bool gap_kept(const struct fl_vma *vma, uint64_t start, uint64_t gap)
{
    if (vma->prev_end == 0)
        return true;
    if (start < vma->prev_end)
        return false;
    /* A neighbour that is a stack itself keeps the distance by growing away. */
    return vma->prev_growsdown || start - vma->prev_end >= gap;
}

bool core_vma_may_grow(const struct fl_vma *vma, const struct fl_kernel *kernel, const struct fl_task *task,
                       uint64_t addr, uint64_t *start)
{
    uint64_t down_to = addr & ~(X86_PAGE_SIZE - 1);
    uint64_t grown_pages = (vma->start - down_to) >> X86_PAGE_SHIFT;
    uint64_t limit_pages = task->as_limit >> X86_PAGE_SHIFT;

    if (down_to < kernel->mmap_min_addr)
        return false;
    if (!gap_kept(vma, down_to, kernel->guard_gap))
        return false;
    if (vma->end - down_to > task->stack_limit)
        return false;
    if (grown_pages > limit_pages || vma->total_pages > limit_pages - grown_pages)
        return false;
    *start = down_to;
    return true;
}

bool core_vma_allows(const struct fl_vma *vma, bool write)
{
    return write ? vma->write : vma->read || vma->write || vma->exec;
}

/* SDM vol. 3, 4.6.2: two bits for each key, access-disable and write-disable. */
bool core_vma_key_denies(const struct fl_vma *vma, uint32_t pkru, bool write)
{
    uint32_t rights = pkru >> 2 * (vma->pkey & X86_PTE_PKEY_MASK);

    return (rights & 1) || (write && (rights & 2));
}
