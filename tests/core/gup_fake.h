/* SPDX-License-Identifier: MIT */
/*
 * A world of plain fields behind struct fl_gup_ops: real tables in a few frames, page counters, a script of fault answers.
 * Each call that does something is one letter of the trace; answers are set, never chance; what others do meanwhile is done
 * by `at`, which is asked before each of these calls. An op that is called where its contract forbids it is a misuse.
 *
 *     tables    r read (only with trace_reads)   [ ptl_lock   ] ptl_unlock   m migration_wait   / split_huge   ~ split_wait
 *               t touch_leaf   T ... dirty
 *     pages     h page_head   g page_get   G ... refused   s page_get_speculative   S ... refused   p page_put
 *               l page_tail_get   d page_set_dirty   a page_accessed   k page_trylock   K ... refused   M page_mlock
 *               u page_unlock   + device_get   # ... refused   - device_put
 *     space     v vma_find   V ... none   e gate_vma   E ... none   f mm_fault   F hugetlb_fault   c hugetlb_cached
 *               L mm_lock   U mm_unlock
 *     rest      ! fatal_signal   y resched   i account, minor   j ... major   ( irq_save   ) irq_restore
 */
#ifndef FAULTLINE_TESTS_CORE_GUP_FAKE_H
#define FAULTLINE_TESTS_CORE_GUP_FAKE_H

#include <faultline/gup.h>

/* Bits of entries, as the tests of the core write them. */
#define E_P   UINT64_C(0x001)
#define E_RW  UINT64_C(0x002)
#define E_US  UINT64_C(0x004)
#define E_A   UINT64_C(0x020)
#define E_D   UINT64_C(0x040)
#define E_PS  UINT64_C(0x080)
#define E_RO  (E_P | E_US | E_A)
#define E_ALL (E_RO | E_RW)
/* The kernel's own bits: with P clear, and with P set. */
#define E_PROTNONE  UINT64_C(0x100)
#define E_NUMA      UINT64_C(0x200)
#define E_SPECIAL   UINT64_C(0x200)
#define E_DEVMAP    UINT64_C(0x400)
#define E_SPLITTING UINT64_C(0x800)
/* A not-present entry of that kind. */
#define E_SWAP(kind) ((uint64_t)(kind) << 1)
/* An entry of frame number pfn. */
#define E_FRAME(pfn, bits) ((uint64_t)(pfn) << 12 | (bits))

#define GUP_FRAMES 24
#define GUP_PAGES  2048 /* pages are told apart by their frame number modulo that */
#define GUP_AREAS  4
#define GUP_FAULTS 8

#define VA UINT64_C(0x40200000) /* where most tests map: at the beginning of a 2 MiB page */

struct gup_page {
    bool known;
    uint64_t pfn;
    bool invalid, zero, exclusive, dirty, no_mapping, locked; /* stubs */
    bool refuse;                                              /* no reference is given */
    int refs, tails;                                          /* recorders */
    bool set_dirty, accessed, mlocked;
};

struct gup_fault {
    uint8_t result;
    bool wrote;
    bool installs; /* writes an entry: */
    uint64_t paddr, value;
};

struct gup_fake {
    struct fl_gup_space space;
    uint8_t memory[GUP_FRAMES][4096]; /* frame 0 is never a table; no memory above */
    unsigned frames;                  /* in use */
    struct gup_page page[GUP_PAGES];
    uint64_t huge, huge_pages; /* one compound page: [huge, huge + huge_pages) */
    struct fl_pin_vma area[GUP_AREAS];
    unsigned nareas;
    struct fl_pin_vma gate; /* end 0: none */
    struct gup_fault fault[GUP_FAULTS];
    unsigned nfaults; /* from then on the last one again; 0: every fault is an OOM */
    bool cached;      /* hugetlb_cached */
    bool fatal;
    bool device_gone;
    void (*at)(struct gup_fake *k, char op);
    unsigned fail_read;   /* the read of that number (1 is the first) finds no memory; 0: none */
    uint64_t split_value; /* what split_huge, split_wait and migration_wait leave behind, if splits is set */
    bool splits;

    char trace[4096];
    unsigned ntrace, nth[128]; /* nth: calls of that letter so far, the present one included */
    bool trace_reads;
    const char *misuse; /* NULL: none */
    bool mm_held, ptl_held, irq_off;
    unsigned ptl_level;
    uint64_t page_lock; /* page_trylock's, + 1 */
    unsigned devices;
    unsigned fault_calls, fault_flags[GUP_FAULTS];
    bool fault_nowait;
    uint64_t fault_addr, find_addr, waited_at;
    uint32_t fault_generation;
};

extern const struct fl_gup_ops gup_fake_ops;

/* An empty address space of that mode with one private anonymous area [VA, VA + 4 MiB), readable and writable, generation 7;
 * the mm lock held, current, special leaves told apart. */
void gup_fake_init(struct gup_fake *k, enum fl_mode mode);
/* Writes an entry of that level for va, under tables with every right; answers its address. */
uint64_t gup_map(struct gup_fake *k, uint64_t va, unsigned level, uint64_t value);
/* ... under the reference tables. */
uint64_t gup_map_kernel(struct gup_fake *k, uint64_t va, unsigned level, uint64_t value);
void gup_write(struct gup_fake *k, uint64_t paddr, uint64_t value);
uint64_t gup_value(const struct gup_fake *k, uint64_t paddr);
struct gup_page *gup_page(struct gup_fake *k, uint64_t pfn);
/* References (on heads and tails) that were taken and not given back. */
int gup_refs(const struct gup_fake *k);
/* One more answer of mm_fault and hugetlb_fault. */
void gup_answer(struct gup_fake *k, enum fl_mm_result result, bool wrote);
/* ... which writes an entry. */
void gup_answer_map(struct gup_fake *k, enum fl_mm_result result, uint64_t paddr, uint64_t value);

/* An op was called where it may not be: the first such is kept. */
void gup_misuse(struct gup_fake *k, const char *what);

/* gup_fake_ops with NULL in the place of op number i. */
#define GUP_OPS ((unsigned)(sizeof(struct fl_gup_ops) / sizeof(void (*)(void))))
struct fl_gup_ops gup_ops_without(unsigned i);

#endif
