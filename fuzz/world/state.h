/* SPDX-License-Identifier: MIT */
/*
 * The world's own state and the calls between its parts. Private to fuzz/world.
 *
 * One rule keeps everything total: the kernel model trusts its own records (the VMAs, `pages`, the page cache) and
 * never the page tables. Tables are what MAP, ENTRY and guest code may write to as they like; the model only ever
 * repairs them.
 *
 *     machine.c     registers, task and kernel facts from struct fl_machine
 *     segment.c     selectors, the LDT, the code segment
 *     ram.c         physical memory: which lines were written, the frame pool
 *     tables.c      page-table entries of every mode: build, find, walk, repair
 *     kernel.c      the kernel half: roots, the reference tables, ioremap, fork, context switch
 *     sh4.c         the same for the SH4's two-level tables
 *     lazy.c        queued writes
 *     pages.c       what a page of the task holds: page records, page cache, file contents
 *     vma.c         the VMA array: place, cut, protect, grow
 *     mm_fault.c    demand paging and copy on write
 *     answers.c     injected answers and mm_fault's sequence of them, given and foretold
 *     ops.c         services for the core, recorded: the vtable, the interrupted context, tables
 *     ops_mm.c      ... the address space
 *     ops_report.c  ... reports
 *     records.c     scenario records
 *     world.c       open, begin, events, snapshot, executed stores
 *     compare.c     transparency: eligible, equal, digest
 */
#ifndef FAULTLINE_WORLD_STATE_H
#define FAULTLINE_WORLD_STATE_H

#include <faultline/fuzz/world.h>
#include <string.h>

#define PAGE_SIZE  4096u
#define PAGE_SHIFT 12
#define PAGE_MASK  (~(uint64_t)(PAGE_SIZE - 1))
#define LINE_SIZE  64u
#define RAM_SIZE   ((uint64_t)FL_RAM_FRAMES * PAGE_SIZE)

enum { FRAME_NONE = 0, FRAME_ROOT = 1, FRAME_ZERO = 2, FRAME_REFERENCE = 3, FRAME_POOL = 4 };

/* What a frame is to the model. 1..5: a page table of that level. */
enum { TAG_FREE = 0, TAG_TABLE_MAX = 5, TAG_ANON = 6, TAG_CACHE = 7, TAG_ZERO = 8 };

#define MAX_PAGES     2048
#define PAGE_BUCKETS  256
#define CACHE_BUCKETS 64
/* A sync_all in PAE mode can queue 3 * 512 entries for each of four tables; nothing else comes near it. */
#define MAX_QUEUED 8192

/* Page records: what the kernel model has brought in, or holds aside, for one page of the task. */
enum page_kind {
    PAGE_ZERO = 1, /* the zero page is mapped, read only */
    PAGE_ANON,     /* a frame of its own */
    PAGE_CACHE     /* the page-cache frame of the VMA's file */
};

struct page {
    uint64_t va;
    uint16_t frame;
    uint16_t next; /* index + 1 in the bucket's or the free chain; 0 ends it */
    uint8_t kind;  /* enum page_kind; 0 = unused */
    bool mapped;   /* the model put a leaf into the tables (which may have been changed since) */
};

/* A write that waits for the end of lazy MMU mode. */
struct queued {
    uint64_t paddr, value;
    uint8_t size;
};

/* Keyed answers of an event. */
struct answers {
    uint32_t pending;          /* bit per enum fl_inject_op, those of mm_fault apart */
    uint8_t mm[FL_MM_ANSWERS]; /* enum fl_inject_op of mm_fault, in order */
    unsigned nmm, next_mm;     /* mm[next_mm..nmm) are pending */
    unsigned mm_asked;         /* calls of mm_fault in this event */
    uint8_t probe_from;        /* FL_INJ_PROBE */
    bool given;                /* an injected failing answer was given in this event */
    bool warned93;             /* since the scenario began */
};

struct fl_world {
    uint8_t *ram;

    /* ram.c */
    uint64_t lines[FL_RAM_FRAMES]; /* bit per 64-byte line that may not be zero */
    bool listed[FL_RAM_FRAMES];    /* in dirty[] */
    uint16_t dirty[FL_RAM_FRAMES];
    unsigned ndirty;
    uint8_t tag[FL_RAM_POOL_END];
    uint16_t spare[FL_RAM_POOL_END]; /* frames given back */
    unsigned nspare, next_frame;
    uint64_t named[FL_RAM_FRAMES / 64]; /* frames that a writable MAP names */
    bool pool_aliased; /* MAP or ENTRY may have made pool frames, tables among them, writable for the guest */

    /* pages.c */
    struct page pages[MAX_PAGES];
    unsigned npages; /* pages[0..npages) have been in use */
    unsigned live_pages;
    uint16_t free_page; /* index + 1 */
    uint16_t page_bucket[PAGE_BUCKETS];
    uint16_t cache_bucket[CACHE_BUCKETS]; /* frame, 0 = none */
    uint16_t cache_next[FL_RAM_POOL_END];
    uint32_t cache_index[FL_RAM_POOL_END];
    uint8_t cache_file[FL_RAM_POOL_END];

    /* vma.c */
    struct fl_vma vmas[FL_MAX_VMAS];
    unsigned nvmas;
    struct {
        uint64_t start, end; /* 0, 0: nothing */
        bool unmap;
    } late;
    uint32_t generation;

    /* machine.c */
    struct fl_cpu cpu;
    struct fl_kernel kernel;
    struct fl_task task;
    struct fl_codeseg codeseg;
    struct fl_regs regs;
    bool catches_signals;
    uint64_t seg_base; /* of the machine; the code segment's unless it is 64-bit code */
    uint32_t seg_limit;
    bool user;

    uint64_t ldt[FL_MAX_LDT];  /* task.ldt_entries of them */
    uint8_t generation_forced; /* FL_GEN_COUNT: the machine's counts */

    struct fl_extable_entry extable[FL_MAX_EXTABLE];
    unsigned nextable;

    /* kernel.c, sh4.c */
    uint64_t root[FL_MAX_MMS]; /* in the form of CR3; 0 = there is none */
    unsigned mm;               /* the current one, or FL_MM_NONE */
    bool kernel_half;          /* it has been set up */
    bool is_sh4;
    struct fl_sh4 sh4;
    struct fl_sync_state sync_state;

    /* lazy.c */
    bool lazy_mmu;
    unsigned nqueued;
    struct queued queued[MAX_QUEUED];

    /* world.c, answers.c, ops*.c */
    unsigned lock_depth, pgd_depth;
    bool in_event;
    bool ending;                            /* of the decision: what takes the lock now is a report */
    struct answers answers, answers_before; /* before: at fl_world_event_begin() */
    struct fl_effects effects;
    bool keep_asked;
    unsigned nasked;
    struct fl_world_ask asked[FL_WORLD_ASKS];

    /* compare.c */
    bool prefault;
    const char *not_transparent;
};

/* memset(at, 0, n) by the library: at a few hundred bytes a compiler's own string instruction takes several times as
 * long, and these are cleared for each scenario and each fault. */
void clear(void *at, size_t n);

/* ---- ram.c ------------------------------------------------------------------------------------------------------ */
bool ram_open(struct fl_world *w);
void ram_close(struct fl_world *w);
void ram_reset(struct fl_world *w);
void ram_touch(struct fl_world *w, uint64_t paddr, uint64_t size);               /* clipped to RAM */
uint64_t ram_get(const struct fl_world *w, uint64_t paddr, unsigned size);       /* inside RAM, size 4 or 8 */
void ram_put(struct fl_world *w, uint64_t paddr, unsigned size, uint64_t value); /* marks */
unsigned frames_left(const struct fl_world *w);
unsigned frame_alloc(struct fl_world *w, uint8_t tag); /* zeroed; the caller has asked frames_left() */
void frame_free(struct fl_world *w, unsigned frame);
void frame_name(struct fl_world *w, unsigned first, unsigned count); /* the guest may write to these by a MAP */
bool frame_named(const struct fl_world *w, unsigned frame);
static inline uint8_t *frame_bytes(const struct fl_world *w, unsigned frame)
{
    return w->ram + (size_t)frame * PAGE_SIZE;
}

/* ---- tables.c --------------------------------------------------------------------------------------------------- */
struct leaf_bits {
    bool write, accessed, dirty, no_exec, user, global, pat, present;
    uint8_t pkey;
};

struct leaf_bits leaf_bits_of(unsigned flags, uint8_t pkey); /* FL_MAP_* */

/* A walk that goes as far as any processor or emulator would: reserved bits are told, not obeyed. */
struct tables_walk {
    bool mapped;   /* a leaf was reached; paddr may still lie outside RAM */
    bool reserved; /* a processor would fault on some bit of the path */
    bool user;
    uint64_t paddr;
};

unsigned tables_levels(const struct fl_world *w);
unsigned tables_entry_size(const struct fl_world *w);
uint64_t tables_root(uint8_t mode, unsigned frame); /* CR3 */
/* The entry for va in a table of that level. */
uint64_t tables_entry_at(const struct fl_world *w, uint64_t table, unsigned level, uint64_t va);
unsigned tables_level_shift(const struct fl_world *w, unsigned level);
/* An entry that the model may go through: a table that it made for the level below, and no bit that any processor
 * reserves in any of its readings. */
bool tables_is_own(const struct fl_world *w, unsigned level, uint64_t entry);
uint64_t tables_table_entry(const struct fl_world *w, unsigned level, unsigned frame);
bool tables_is_leaf(const struct fl_world *w, unsigned level, uint64_t entry); /* of a present entry */
uint64_t tables_address(const struct fl_world *w, uint64_t entry);             /* of the table that it names */
uint64_t tables_leaf_entry(const struct fl_world *w, unsigned level, unsigned frame, const struct leaf_bits *bits);
unsigned tables_clamp_leaf(const struct fl_world *w, unsigned level);
unsigned tables_leaf_frames(const struct fl_world *w, unsigned level);

/* Where the entry of that level for va lies under CR3, for MAP and ENTRY; makes tables on demand. FL_INVALID: the path
 * meets a large leaf or leaves RAM. FL_NO_MEMORY: not enough frames; no table was made. */
enum fl_status tables_path(struct fl_world *w, uint64_t va, unsigned level, uint64_t *paddr);
/* Does an ENTRY change let the guest write where it could not before? */
bool tables_dangerous(uint64_t before, uint64_t after);

/* These three are about mm 0. */
unsigned tables_missing(const struct fl_world *w, uint64_t va);               /* frames that tables_force() will need */
uint64_t tables_force(struct fl_world *w, uint64_t va);                       /* repaired path; where the PTE lies */
bool tables_find_pte(const struct fl_world *w, uint64_t va, uint64_t *paddr); /* only through the model's own tables */
bool tables_present(uint64_t pte);
bool tables_writable(uint64_t pte);
bool tables_write_protect(const struct fl_world *w);           /* CR0.WP */
unsigned tables_frame(const struct fl_world *w, uint64_t pte); /* FL_RAM_FRAMES when outside RAM or malformed */
uint64_t tables_keep_ad(uint64_t pte);
uint64_t tables_restrict(const struct fl_world *w, uint64_t pte, bool write, bool exec);

void tables_walk(const struct fl_world *w, uint64_t va, struct tables_walk *out); /* under CR3 */

/* ---- kernel.c, sh4.c, lazy.c ------------------------------------------------------------------------------------ */
void kernel_begin(struct fl_world *w);
uint64_t kernel_complete(const struct fl_world *w, uint64_t va); /* 32 bits, or sign-extended from the top bit */
/* The kernel half exists from now on. FL_NO_MEMORY: no frames for it. */
enum fl_status kernel_ready(struct fl_world *w);
enum fl_status kernel_ioremap(struct fl_world *w, const struct fl_record *r);
enum fl_status kernel_iounmap(struct fl_world *w, const struct fl_record *r);
enum fl_status kernel_fork(struct fl_world *w, unsigned mm);
enum fl_status kernel_switch(struct fl_world *w, unsigned mm, bool lag);
unsigned kernel_roots(const struct fl_world *w, uint64_t roots[FL_MAX_MMS]); /* the list of page tables */
/* Does the reference hold that entry at that place in one of its tables of the level that is not shared? */
bool kernel_is_copy(const struct fl_world *w, uint64_t paddr, uint64_t value);
/* The VMAs are those of mm 0, and to be seen only while it is in use. */
static inline bool kernel_has_vmas(const struct fl_world *w)
{
    return w->mm == 0 && w->cpu.cr3 == w->root[0];
}
/* Where the entry of that level (2: the first one) for va lies under TTB, for ENTRY. FL_INVALID: there is no table. */
enum fl_status sh4_path(const struct fl_world *w, uint64_t va, unsigned level, uint64_t *paddr);
enum fl_status sh4_ioremap(struct fl_world *w, uint64_t va, unsigned leaves, unsigned frame, unsigned flags);
unsigned sh4_iounmap(struct fl_world *w, uint64_t start, uint64_t last); /* how many leaves were cleared */

/* False: no memory there. */
bool lazy_write(struct fl_world *w, uint64_t paddr, unsigned size, uint64_t value, bool queue);
void lazy_flush(struct fl_world *w);

/* ---- pages.c ---------------------------------------------------------------------------------------------------- */
void pages_reset(struct fl_world *w);
struct page *page_find(struct fl_world *w, uint64_t va);
unsigned pages_left(const struct fl_world *w);
struct page *page_add(struct fl_world *w, uint64_t va); /* the caller has asked pages_left() */
void page_drop(struct fl_world *w, struct page *p);     /* frees an anonymous frame; leaves the tables alone */
void page_unmap(struct fl_world *w, struct page *p);    /* clears the leaf */
unsigned cache_find(const struct fl_world *w, uint8_t file, uint32_t index); /* frame or 0 */
unsigned cache_make(struct fl_world *w, uint8_t file, uint32_t index);       /* the caller has asked frames_left() */
void file_pattern(uint8_t file, uint32_t index, uint8_t bytes[PAGE_SIZE]);
uint32_t vma_file_index(const struct fl_vma *vma, uint64_t va);
/* What the task sees in that page when nothing stands in the tables' way: RAM, or buf filled. */
const uint8_t *page_view(struct fl_world *w, const struct fl_vma *vma, uint64_t va, uint8_t buf[PAGE_SIZE]);
enum fl_status page_write_bytes(struct fl_world *w, uint64_t va, const uint8_t *data, unsigned n);

/* ---- vma.c ------------------------------------------------------------------------------------------------------ */
struct fl_vma *vma_find(struct fl_world *w, uint64_t addr); /* first whose end is above addr, or NULL */
struct fl_vma *vma_by_generation(struct fl_world *w, uint32_t generation);
void vma_copy_out(const struct fl_world *w, const struct fl_vma *vma, struct fl_vma *out);
enum fl_status vma_map(struct fl_world *w, const struct fl_vma *want);
enum fl_status vma_unmap(struct fl_world *w, uint64_t start, uint64_t end);
enum fl_status vma_protect(struct fl_world *w, uint64_t start, uint64_t end, uint8_t prot);
enum fl_status vma_zap(struct fl_world *w, uint64_t start, uint64_t end);
/* munmap and mprotect (write taken away) of a whole VMA by another thread in the middle of a decision: the VMA changes at
 * once, tables and pages follow with vma_settle(), so that what a decision reads of memory is what it was before. At most
 * one between two calls of vma_settle(). */
void vma_unmap_late(struct fl_world *w, const struct fl_vma *vma);
void vma_protect_late(struct fl_world *w, struct fl_vma *vma);
void vma_settle(struct fl_world *w);
enum fl_status vma_grow(struct fl_world *w, struct fl_vma *vma, uint64_t start);

/* ---- mm_fault.c ------------------------------------------------------------------------------------------------- */
enum fl_mm_result mm_predict(struct fl_world *w, const struct fl_vma *vma, uint64_t addr, bool write);
enum fl_mm_result mm_bring_in(struct fl_world *w, const struct fl_vma *vma, uint64_t addr, bool write);
void mm_prefault(struct fl_world *w, const struct fl_vma *vma);

/* ---- answers.c -------------------------------------------------------------------------------------------------- */
enum fl_status answers_add(struct fl_world *w, const struct fl_record *r);
bool answers_pending(const struct fl_world *w, enum fl_inject_op op);
bool answers_take(struct fl_world *w, enum fl_inject_op op); /* gives it away, if it is pending */
void answers_asked(struct fl_world *w, enum fl_inject_op op, unsigned n, bool may_retry); /* struct fl_world_ask */
/* mm_fault's answer for a VMA that contains addr. */
enum fl_mm_result answers_mm(struct fl_world *w, const struct fl_vma *vma, uint64_t addr, unsigned flags);
void answers_foretell(struct fl_world *w, uint64_t addr, bool write, uint8_t results[FL_MM_ANSWERS]);

/* ---- machine.c, segment.c --------------------------------------------------------------------------------------- */
void machine_begin(struct fl_world *w, const struct fl_machine *m);
void segment_code(struct fl_world *w, bool user, unsigned code_bits); /* selectors and code segment */
void segment_select(struct fl_world *w, uint16_t selector);
void segment_describe(struct fl_world *w, unsigned index, uint64_t base, uint32_t limit, unsigned bits);
uint64_t segment_linear_ip(const struct fl_world *w);

/* ---- ops*.c ----------------------------------------------------------------------------------------------------- */
bool world_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte);
bool world_word(void *ctx, uint64_t addr, uint64_t *value);
bool world_symbol(void *ctx, uint64_t ip, char *buf, size_t size);
void world_file_name(void *ctx, uint8_t file, char *buf, size_t size);
/* Counts a call; the second one is for ops that may not be called with the lock. */
struct fl_effects *op_called(struct fl_world *w);
struct fl_effects *op_unlocked(struct fl_world *w, const char *name);
bool op_lock_try(void *ctx);
void op_lock_take(void *ctx);
void op_lock_drop(void *ctx);
bool op_vma_find(void *ctx, uint64_t addr, struct fl_vma *out);
enum fl_status op_vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now);
enum fl_mm_result op_mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags);
void op_yield(void *ctx);
bool op_user_word(void *ctx, uint64_t addr, uint64_t *value);
bool op_ratelimit(void *ctx, enum fl_limit limit);
void op_log(void *ctx, const char *text, size_t n);
bool op_symbol(void *ctx, uint64_t ip, char *buf, size_t size);
void op_file_name(void *ctx, uint8_t file, char *buf, size_t size);
void op_die(void *ctx, enum fl_die what, uint64_t error_code);

/* ---- compare.c -------------------------------------------------------------------------------------------------- */
static inline void world_opaque(struct fl_world *w, const char *reason)
{
    if (!w->not_transparent)
        w->not_transparent = reason;
}

#endif
