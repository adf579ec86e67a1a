/* SPDX-License-Identifier: MIT */
/*
 * The fact word of a synchronisation: everything that a row may ask, one bit each. Found by the oracle's own walks of
 * the reference tables and of the tables that the generation fills (the destination).
 *
 * "slot" is the entry at the level that each address space has of its own: the top level, PAE: the page directory's.
 * "up" is the PDPTE above it in PAE; where there is none, its facts are those of a present one. Levels are counted from
 * the leaf: 1 = PTE. Walkers of 2008 to 2016 follow what an entry's frame bits name, whatever else is in the entry, and
 * so do the facts of the levels below; a row asks about a level only after the rows that end above it.
 */
#ifndef FAULTLINE_ORACLE_SYNC_FACTS_H
#define FAULTLINE_ORACLE_SYNC_FACTS_H

#include <faultline/oracle/sync.h>

#include "tables.h"

/* The address. */
#define S_IN_RANGE  BIT(0) /* in [vmalloc_start, vmalloc_end) */
#define S_LOW_INDEX BIT(1) /* its top-level index is below that of page_offset */
#define S_WIDE      BIT(2) /* 4- or 5-level tables */
#define S_PAE       BIT(3)

/* The reference, walked as a processor walks. Neither: an entry that is not present. */
#define S_REF_MAPPED BIT(4) /* a leaf is reached */
#define S_REF_WILD   BIT(5) /* a table lies where there is no memory */
#define S_REF_LARGE  BIT(6) /* MAPPED, by an entry above the PTE */
#define S_REF_JUNK   BIT(7) /* an entry above the PTE that is not present, and not zero either */

/* The reference, level by level. WILD: there is no memory where the entry should be. */
#define S_REF_UP_WILD   BIT(8)
#define S_REF_UP_P      BIT(9)
#define S_REF_SLOT_WILD BIT(10)
#define S_REF_SLOT_NONE BIT(11) /* the whole entry is 0 */
#define S_REF_SLOT_P    BIT(12)
#define S_REF_SLOT_LEAF BIT(13) /* it has the form of a large page's */
#define S_REF_3_WILD    BIT(14) /* levels 3 and 2: 4-level tables only */
#define S_REF_3_NONE    BIT(15)
#define S_REF_3_LEAF    BIT(16)
#define S_REF_2_WILD    BIT(17)
#define S_REF_2_NONE    BIT(18)
#define S_REF_2_LEAF    BIT(19)
#define S_REF_1_WILD    BIT(20)
#define S_REF_1_P       BIT(21)

/* The destination. */
#define S_DST_UP_WILD   BIT(22)
#define S_DST_UP_P      BIT(23)
#define S_DST_SLOT_WILD BIT(24)
#define S_DST_SLOT_NONE BIT(25)
#define S_DST_SLOT_P    BIT(26)
#define S_DST_FRAME     BIT(27) /* the slot's frame bits are those of the reference's */
#define S_DST_SAME      BIT(28) /* the whole slot is, but for what processors write */
/* Level 3 under the slot as memory has it after the slot was filled. Lower levels need no facts: where the frames of
 * the entries above are equal, both walks are in the same tables. */
#define S_DST_3_WILD  BIT(29)
#define S_DST_3_NONE  BIT(30)
#define S_DST_3_FRAME BIT(31)

#define S_PERMITS BIT(32) /* the tables under CR3 permit the access of the error code, made by the supervisor */

#define S_SYNC_FACTS 33 /* those above; rows of the synchronisation ask no others */

/* For the comparison of generations. */
#define S_KERNEL   BIT(33) /* the address is not in user space */
#define S_TRIED    BIT(34) /* the first fault is one that handlers try to synchronise */
#define S_LIVE     BIT(35) /* the walk of the tables under CR3 meets no absent entry */
#define S_LIVE_EQ  BIT(36) /* the slot under CR3 is the reference's (S_DST_SAME of CURRENT) */
#define S_OWN      BIT(37) /* the destination is the table under CR3 */
#define S_QUEUED   BIT(38) /* the slot is filled through a hook that queues it, and nothing flushes the queue */
#define S_ALIASED  BIT(39) /* the slot to be filled, here or by CURRENT, is another entry of the walks as well */
#define S_FACT_END 40

/* What a row says. */
enum {
    SV_END = 3,        /* enum fl_sync_end */
    SV_FILLED = 1 << 2 /* the slot was filled before that, if it counted as empty */
};

struct fl_sync_facts {
    uint64_t word;
    bool fills;     /* the destination slot counts as empty for this generation */
    uint64_t slot;  /* where it lies, if neither UP nor SLOT is wild */
    uint64_t value; /* the reference's slot */
};

/* What fills slots in this generation. */
struct fl_sync_manner {
    uint8_t how; /* enum fl_set */
    bool flush;  /* the queue is flushed right after */
};
struct fl_sync_manner fl_sync_manner_of(unsigned generation, unsigned mode);

/* The destination's root, in the form of CR3. */
uint64_t fl_sync_destination(const struct fl_snapshot *s, unsigned generation);

/* The facts that rows of the synchronisation ask, under that generation (s->kernel.generation is not looked at). */
void fl_sync_find_facts(const struct fl_snapshot *s, unsigned generation, struct fl_sync_facts *out);

/* ... and those for the comparison of generations. */
uint64_t fl_generation_facts(const struct fl_snapshot *s, unsigned generation);

/* A memory in which one entry has been written. */
struct fl_sync_memory {
    fl_read_fn read;
    void *ctx;
    uint64_t written, value; /* written: FL_SYNC_NOWHERE or an entry's place */
};
#define FL_SYNC_NOWHERE UINT64_MAX
bool fl_sync_read(const struct fl_sync_memory *m, uint64_t paddr, unsigned size, uint64_t *value);

/* The first row of that generation (SH4: FL_GEN_COUNT) that the facts match; FL_POLICY_NO_ROW if none does. */
uint16_t fl_sync_match(unsigned generation, uint64_t facts);

#endif
