/* SPDX-License-Identifier: MIT */
/*
 * Pinning user pages: get_user_pages slow and fast, as a vtable beside struct fl_core (a core may have one, the other or
 * both). The one in this tree is fl_gup(); a shared object exports `const struct fl_gup *fl_gup(void)`.
 *
 * Pure but for the ops; no globals, no allocation, no memory kept between calls.
 */
#ifndef FAULTLINE_GUP_H
#define FAULTLINE_GUP_H

#include <faultline/pin.h>

#define FL_GUP_ABI 1u

/* Services. Rules as in ops.h: ctx is passed through, an op never calls back, [OUT] is written only when the op says so.
 * Every call but those that are pure or only count is a preemption point: what others may do meanwhile depends on the locks that
 * are held.
 *   mm      the mm lock is held (for reading or writing)
 *   ptl     a page-table lock is held
 *   irq-off interrupts are off (fast path): no page table and no page that waits for an IPI is freed
 * An op that "may sleep" must not be called with ptl held or irq-off. */
struct fl_gup_ops {
    /* ---- tables ---- */
    /* Reads 4 or 8 bytes, aligned, once. False: no memory there (outside the contract of a world that built the tables). */
    bool (*read)(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);
    /* The lock of the table that holds the entry at paddr (level 1: split locks; level 2: likewise). Spins. Not recursive. */
    void (*ptl_lock)(void *ctx, unsigned level, uint64_t paddr);
    void (*ptl_unlock)(void *ctx);
    /* What a not-present leaf stands for. Pure. */
    enum fl_swap_kind (*swap_kind)(void *ctx, uint64_t entry);
    /* mm, no ptl, may sleep. Waits until the migration that this entry stands for has ended. */
    void (*migration_wait)(void *ctx, uint64_t paddr);
    /* mm, no ptl, may sleep. Splits the huge page mapped by the level-2 entry at paddr; afterwards it is a table or none. */
    void (*split_huge)(void *ctx, uint32_t generation, uint64_t va, uint64_t paddr);
    /* mm, no ptl, may sleep. Waits until the splitting of that entry has ended. */
    void (*split_wait)(void *ctx, uint64_t paddr);
    /* ptl (slow path's touch of a large leaf). Sets A, and with dirty D, in the leaf at paddr. */
    void (*touch_leaf)(void *ctx, unsigned level, uint64_t paddr, bool dirty);

    /* ---- pages; pfn is one for which page_valid answered true ---- */
    bool (*page_valid)(void *ctx, uint64_t pfn);    /* has a struct page. Pure. */
    bool (*page_zero)(void *ctx, uint64_t pfn);     /* the zero page, or part of the huge one. Pure. */
    uint64_t (*page_head)(void *ctx, uint64_t pfn); /* itself when it is no tail; may change while nothing is held */
    /* ptl, with the entry that maps it: so it is alive (the gate area's page always is, and needs none). One reference (tails:
     * the head's and the tail's). False: the count is not positive or would wrap: refuse. */
    bool (*page_get)(void *ctx, uint64_t pfn);
    /* irq-off. n references on a page that may be free by now. False: its count is 0 (or would wrap): nothing taken. */
    bool (*page_get_speculative)(void *ctx, uint64_t pfn, unsigned n);
    /* Gives n references back; the last one frees the page. */
    void (*page_put)(void *ctx, uint64_t pfn, unsigned n);
    /* One tail count, so that a split hands the reference on. Only for a tail whose head's references were taken. */
    void (*page_tail_get)(void *ctx, uint64_t pfn);
    bool (*page_anon_exclusive)(void *ctx, uint64_t pfn); /* anonymous, and this mm's alone: evidence of a broken COW */
    bool (*page_dirty)(void *ctx, uint64_t pfn);
    void (*page_set_dirty)(void *ctx, uint64_t pfn);
    void (*page_accessed)(void *ctx, uint64_t pfn);
    bool (*page_has_mapping)(void *ctx, uint64_t pfn);
    bool (*page_trylock)(void *ctx, uint64_t pfn); /* never sleeps */
    void (*page_unlock)(void *ctx, uint64_t pfn);
    void (*page_mlock)(void *ctx, uint64_t pfn); /* with page_trylock held */
    /* Device pages: a reference on the device's map, needed before its pages' counts may be touched. False: going away. */
    bool (*device_get)(void *ctx, uint64_t pfn);
    void (*device_put)(void *ctx, uint64_t pfn);

    /* ---- the address space ---- */
    /* mm. The VMA that contains addr, a stack extended to it where the rules permit. False: none. */
    bool (*vma_find)(void *ctx, uint64_t addr, struct fl_pin_vma *vma);
    /* The gate area's VMA, if addr lies in it. */
    bool (*gate_vma)(void *ctx, uint64_t addr, struct fl_pin_vma *vma);
    /* mm, no ptl, may sleep. flags: enum fl_mm_flags. After RETRY the mm lock has been dropped, but not with NOWAIT. */
    struct fl_pin_fault (*mm_fault)(void *ctx, uint32_t generation, uint64_t addr, unsigned flags, bool nowait);
    /* mm, no ptl, may sleep; hugetlb VMAs only. */
    struct fl_pin_fault (*hugetlb_fault)(void *ctx, uint32_t generation, uint64_t addr, unsigned flags);
    /* mm; hugetlb VMAs only. Is there a page for addr in the page cache, though none is mapped? */
    bool (*hugetlb_cached)(void *ctx, uint32_t generation, uint64_t addr);
    void (*mm_lock)(void *ctx);   /* for reading; may sleep */
    void (*mm_unlock)(void *ctx); /* gives back what mm_lock, or the caller, got */

    /* ---- the rest ---- */
    bool (*fatal_signal)(void *ctx); /* pending for the caller, whoever's memory it is */
    void (*resched)(void *ctx);      /* may sleep */
    /* One fault of the target task: for each mm_fault that was no error, RETRY as well; fixup: once, for the last of its tries,
     * and as major when any was (__get_user_pages, fixup_user_fault). */
    void (*account)(void *ctx, bool major);
    void (*irq_save)(void *ctx);
    void (*irq_restore)(void *ctx);
};

/* Whose memory, under which kernel. */
struct fl_gup_space {
    struct fl_cpu cpu; /* paging mode and formats; cr3 is the mm's root, in the form of CR3 */
    struct fl_soft_bits soft;
    uint64_t task_size;   /* first address that is not user space, page aligned */
    uint64_t kernel_root; /* reference tables: gate addresses above task_size are found there */
    bool current;         /* it is the caller's own mm (fast pins need that) */
    bool has_special;     /* the kernel can tell special leaves: else the fast path pins large leaves only */
};

struct fl_gup {
    uint32_t abi;     /* FL_GUP_ABI */
    const char *name; /* for reports */

    /* __get_user_pages: pins up to n pages from start (rounded down) on. flags: enum fl_foll. pfns [OUT]: n of them, or
     * NULL (then without FOLL_GET: the pages are only faulted in). gens [OUT]: VMA generations, n, or NULL. nonblocking:
     * do not wait; the mm lock may be dropped, and *out says whether it was. The mm lock is held on entry. FL_INVALID:
     * NULL, or pfns without FOLL_GET or the other way round. n = 0: zero pages. */
    enum fl_status (*pin)(const struct fl_gup_space *space, uint64_t start, uint64_t n, unsigned flags,
                          bool nonblocking, uint64_t *pfns, uint32_t *gens, const struct fl_gup_ops *ops, void *ctx,
                          struct fl_pinned *out);
    /* get_user_pages: the same with TOUCH, GET when pfns is given, WRITE and FORCE as said; blocking. */
    enum fl_status (*pin_user)(const struct fl_gup_space *space, uint64_t start, uint64_t n, bool write, bool force,
                               uint64_t *pfns, uint32_t *gens, const struct fl_gup_ops *ops, void *ctx,
                               struct fl_pinned *out);
    /* __get_user_pages_fast: no lock, never sleeps, may be called irq-off; n may be any int, below 1 pins nothing. */
    enum fl_status (*pin_fast_only)(const struct fl_gup_space *space, uint64_t start, int32_t n, bool write,
                                    uint64_t *pfns, const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out);
    /* get_user_pages_fast: the rest by pin_user under the mm lock. The mm lock is not held on entry and exit. */
    enum fl_status (*pin_fast)(const struct fl_gup_space *space, uint64_t start, int32_t n, bool write, uint64_t *pfns,
                               const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out);
    /* fixup_user_fault: makes the access possible, where area and key permit it, with the software A/D updates. flags:
     * FL_MM_WRITE, FL_MM_ALLOW_RETRY. The mm lock is held on entry; *out says whether it still is (pages stays 0; error says
     * how it ended). */
    enum fl_status (*fixup)(const struct fl_gup_space *space, uint64_t addr, unsigned flags,
                            const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out);
    /* get_dump_page: *pfn [OUT]: a referenced page, or FL_NO_PAGE: a hole is to be written. mm lock held on entry. */
    enum fl_status (*dump)(const struct fl_gup_space *space, uint64_t addr, uint64_t *pfn, const struct fl_gup_ops *ops,
                           void *ctx);
    /* follow_page_mask: what is mapped at addr now. *pfn [OUT]: FL_NO_PAGE when nothing is; out->error: EFAULT where there is
     * something without a struct page. *mask [OUT]: pages of the leaf - 1. Of hugetlb areas only GET and WRITE count. mm lock
     * held. */
    enum fl_status (*follow)(const struct fl_gup_space *space, const struct fl_pin_vma *vma, uint64_t addr,
                             unsigned flags, const struct fl_gup_ops *ops, void *ctx, uint64_t *pfn, uint64_t *mask,
                             struct fl_pinned *out);
};

const struct fl_gup *fl_gup(void);

#endif
