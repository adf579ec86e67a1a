/* SPDX-License-Identifier: MIT */
/*
 * The shape of the page tables as synchronisation sees them: where the entry of an address lies, what an entry points
 * to, and which level each address space has of its own. From the manuals: Intel SDM vol. 3A, 4.2 to 4.5.
 */
#ifndef FAULTLINE_ORACLE_SYNC_TABLES_H
#define FAULTLINE_ORACLE_SYNC_TABLES_H

#include <faultline/oracle/policy.h>

#include "../arch/bits.h"

struct fl_shape {
    uint8_t top;        /* level of the root table */
    uint8_t slot;       /* level that each address space has of its own */
    uint8_t size;       /* bytes of an entry */
    uint8_t index_bits; /* linear-address bits that choose an entry of one table; the PDPT of PAE has 2 */
    uint8_t leaf_top;   /* highest level whose entries can map a page */
    uint8_t how;        /* enum fl_set: the hook of the slot's kind of entry */
    uint64_t frame;     /* bits of an entry that are the address of what it points to */
    uint64_t root;      /* bits of CR3 that are the address of the root table */
};

/* mode < FL_MODE_COUNT. */
const struct fl_shape *fl_shape_of(unsigned mode);

/* Linear addresses of 32-bit paging modes have 32 bits: SDM 4.3. */
uint64_t fl_shape_address(const struct fl_shape *f, uint64_t va);

/* Bytes of linear addresses that one entry of that level translates. */
uint64_t fl_shape_span(const struct fl_shape *f, unsigned level);

/* Which entry of its table translates va, and where it lies in the table at base. */
unsigned fl_shape_index(const struct fl_shape *f, unsigned level, uint64_t va);
uint64_t fl_shape_entry(const struct fl_shape *f, unsigned level, uint64_t base, uint64_t va);

/* Does an entry of that level have the form of one that maps a page (whether or not it is present)? */
bool fl_shape_leaf(const struct fl_cpu *cpu, unsigned level, uint64_t entry);

/* The bits of a slot that have to be the same in all page tables, where the reference has this entry: all but those
 * that processors write (SDM 4.8: accessed; dirty, in an entry that maps a page). */
uint64_t fl_shape_compared(const struct fl_cpu *cpu, uint64_t reference);

#endif
