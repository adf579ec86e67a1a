/* SPDX-License-Identifier: MIT */
/*
 * gup: pinning user pages. Private to core/.
 *
 *   gup.c          the vtable, arguments, get_user_pages and get_dump_page
 *   gup_entry.c    what a table entry means to the kernel, reading entries, going down the levels
 *   gup_follow.c   follow_page_mask: what is mapped now
 *   gup_slow.c     __get_user_pages: VMAs, faults, batches; the gate area
 *   gup_hugetlb.c  the same for hugetlb areas
 *   gup_fast.c     __get_user_pages_fast: no locks, interrupts off
 *   gup_fixup.c    fixup_user_fault
 *
 * Source: Linux 3.19 mm/gup.c (seed 003), mm/huge_memory.c and mm/hugetlb.c of that year; the fixes that docs/deviations.md
 * names.
 */
#ifndef FAULTLINE_CORE_GUP_H
#define FAULTLINE_CORE_GUP_H

#include <faultline/gup.h>

#include "format.h"

/* Internal flags, behind those of enum fl_foll. */
enum {
    GUP_BREAK_COW = FL_FOLL_BITS + 1 /* a page that a fork shares is not pinned: it is copied first */
};

struct gup {
    const struct fl_gup_space *space;
    const struct format *format;
    const struct fl_gup_ops *ops;
    void *ctx;
};

/* An entry on the path to an address. */
struct gup_entry {
    const struct format_level *level;
    uint64_t paddr;
    uint64_t value;
};

/* What an entry is to the kernel. */
enum gup_kind {
    GUP_NONE,       /* zero */
    GUP_TABLE,      /* names the next table, with every right of one */
    GUP_LEAF,       /* maps a page, for the processor or (PROT_NONE, NUMA hint) for the kernel alone */
    GUP_NOT_PRESENT /* anything else: swap, migration, a malformed table */
};

/* ---- gup_entry.c ---- */
bool gup_ready(struct gup *g, const struct fl_gup_space *space, const struct fl_gup_ops *ops, void *ctx);
/* The first entry on the path to va under a root in the form of CR3. False: va cannot be walked, or there is no memory. */
bool gup_top(const struct gup *g, uint64_t root, uint64_t va, struct gup_entry *e);
/* The entry one level below a GUP_TABLE. False: there is no memory. */
bool gup_down(const struct gup *g, uint64_t va, struct gup_entry *e);
/* Reads it again, whole. False: no memory. */
bool gup_read(const struct gup *g, const struct gup_entry *e, uint64_t *value);
enum gup_kind gup_kind_of(const struct gup *g, const struct format_level *l, uint64_t value);
bool gup_is_hint(const struct gup *g, uint64_t value);      /* a NUMA hint */
bool gup_is_splitting(const struct gup *g, uint64_t value); /* a huge page that is being split */
bool gup_is_writable(uint64_t value);
bool gup_is_dirty(uint64_t value);
/* P, U/S and (write) R/W of a leaf, and the protection key against the processor's: what a user access needs. */
bool gup_user_may(const struct gup *g, uint64_t value, bool write);
/* Frame number of the 4 KiB page at va inside the leaf. */
uint64_t gup_pfn(const struct gup *g, const struct gup_entry *e, uint64_t va);
bool gup_has(uint64_t value, uint64_t soft); /* soft is in use, and set */

/* ---- gup_follow.c ---- */
/* What is mapped at va. FL_NO_PAGE: nothing that serves, fault it in (*error OK) or give up (*error). */
uint64_t gup_follow(const struct gup *g, const struct fl_pin_vma *vma, uint64_t va, unsigned flags, uint64_t *mask,
                    enum fl_pin_error *error);
/* May the leaf be followed for writing? */
bool gup_may_follow_write(const struct gup *g, const struct fl_pin_vma *vma, uint64_t value, uint64_t pfn,
                          unsigned flags);
/* Has the leaf a page to use? The zero page counts as one, but not for a dump. */
bool gup_has_page(const struct gup *g, uint64_t value, uint64_t pfn, unsigned flags);

/* ---- gup_slow.c ---- */
enum fl_status gup_pin(const struct fl_gup_space *space, uint64_t start, uint64_t n, unsigned flags, bool nonblocking,
                       uint64_t *pfns, uint32_t *gens, const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out);
/* Does the task's protection key for that area permit the access? Only its own memory is bound by keys. */
bool gup_key_permits(const struct gup *g, const struct fl_pin_vma *vma, bool write);
/* What mm_fault's answer says, but for RETRY: EHWPOISON only where asked for. OK: go on. */
enum fl_pin_error gup_fault_error(uint8_t result, bool hwpoison);

/* ---- gup_hugetlb.c ---- */
/* Goes on from *start, as far as the VMA and *n go. *done counts. Not OK: it ended early. */
enum fl_pin_error gup_hugetlb(const struct gup *g, const struct fl_pin_vma *vma, uint64_t *start, uint64_t *n,
                              unsigned flags, uint64_t *pfns, uint32_t *gens, uint64_t *done);

/* ---- gup_fast.c, gup_fixup.c ---- */
enum fl_status gup_fast_only(const struct fl_gup_space *space, uint64_t start, int32_t n, bool write, uint64_t *pfns,
                             const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out);
enum fl_status gup_fixup(const struct fl_gup_space *space, uint64_t addr, unsigned flags, const struct fl_gup_ops *ops,
                         void *ctx, struct fl_pinned *out);

#endif
