/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_tables: the small steps that all generations of the synchronisation are made of: find a root, read the entry
 * that an address selects at a depth, write it back, compare two entries. Levels are rows of the format, counted from
 * the top (depth 0), so that no step knows a paging mode. Private to core/.
 *
 * The kernels' own names, as the generations use them, by depth:
 *   2-level   0 PMD (the folded PGD and PUD name the same entry), 1 PTE
 *   PAE       0 PDPTE, 1 PMD, 2 PTE
 *   4-level   0 PGD, 1 PUD, 2 PMD, 3 PTE
 */
#ifndef FAULTLINE_CORE_VMALLOC_TABLES_H
#define FAULTLINE_CORE_VMALLOC_TABLES_H

#include "format.h"
#include "vmalloc.h"
#include "x86.h"

/* One address in one kernel. */
struct vmalloc {
    const struct fl_cpu *cpu;
    const struct fl_kernel *kernel;
    const struct fl_ops *ops;
    void *ctx;
    const struct format *format;
    uint64_t va;
};

/* One entry: where it lies, and what was read from there. */
struct slot {
    uint64_t paddr;
    uint64_t entry;
};

struct vmalloc core_vmalloc_of(const struct fl_cpu *cpu, const struct fl_kernel *kernel, const struct fl_ops *ops,
                               void *ctx);

/* Address of the first table that a value in the form of CR3 names. */
uint64_t core_vmalloc_root(const struct vmalloc *v, uint64_t cr3);

/* Number of the entry that an address selects at a depth, and how many bytes of the address space an entry spans. */
unsigned core_vmalloc_index(const struct vmalloc *v, unsigned depth, uint64_t va);
uint64_t core_vmalloc_span(const struct vmalloc *v, unsigned depth);

/* Depth of the entries that every mm has of its own; the tables below are shared by all. The top level, but for PAE:
 * its four PDPTEs name page directories that belong to the mm. */
unsigned core_vmalloc_private_depth(const struct vmalloc *v);

/* Is va inside [vmalloc_start, vmalloc_end)? */
bool core_vmalloc_in_range(const struct vmalloc *v);

/* Reads the entry for v->va in that table, a table of that depth. False: no memory there. */
bool core_slot_read(const struct vmalloc *v, uint64_t table, unsigned depth, struct slot *slot);
/* Writes it. slot->entry stays what was read. False: no memory there. */
bool core_slot_write(const struct vmalloc *v, const struct slot *slot, uint64_t value, enum fl_set how);

/* The table that an entry names, present or not: its address bits. */
uint64_t core_slot_table(const struct vmalloc *v, const struct slot *slot);
/* Do two entries name the same frame? */
bool core_slot_same_frame(const struct vmalloc *v, const struct slot *a, const struct slot *b);
/* Does a (present) entry of that depth map a page? */
bool core_slot_is_leaf(const struct vmalloc *v, unsigned depth, const struct slot *slot);

static inline bool core_slot_present(const struct slot *slot)
{
    return slot->entry & X86_PTE_P;
}

/* "none" of kernels: no bit set at all, unlike "not present". */
static inline bool core_slot_none(const struct slot *slot)
{
    return slot->entry == 0;
}

/* ---- the current generation's own slots ---- */

/* Finds the private entry for v->va in the tables under that CR3 value. HANDLED: *slot valid. NOT_HANDLED: the level
 * above is absent. WILD: a table lies where there is no memory. */
enum fl_sync_end core_slot_private(const struct vmalloc *v, uint64_t cr3, struct slot *slot);

/* Must a private entry be brought in step with the reference's? What the processor sets by itself (A; D of a leaf) is
 * no difference. */
bool core_slot_differs(const struct vmalloc *v, const struct slot *slot, const struct slot *reference);

/* Writes the reference's private entry over a table's, through the hook of its kind. */
bool core_slot_copy(const struct vmalloc *v, const struct slot *slot, const struct slot *reference);

#endif
