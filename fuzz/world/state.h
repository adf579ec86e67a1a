/* SPDX-License-Identifier: MIT */
/*
 * The world's own state and the calls between its parts. Private to fuzz/world.
 *
 * One rule keeps everything total: the kernel model trusts its own records (the VMAs, `pages`, the page cache) and
 * never the page tables. Tables are what MAP, ENTRY and guest code may write to as they like; the model only ever
 * repairs them.
 *
 *     machine.c   registers, selectors and kernel facts from struct fl_machine
 *     ram.c       physical memory: which lines were written, the frame pool
 *     tables.c    page-table entries of every mode: build, find, walk, repair
 *     pages.c     what a page of the task holds: page records, page cache, file contents
 *     vma.c       the VMA array: place, cut, protect, grow
 *     mm_fault.c  demand paging and copy on write
 *     ops.c       services for the core, recorded
 *     records.c   scenario records
 *     world.c     open, begin, events, snapshot, executed stores
 *     compare.c   transparency: eligible, equal, digest
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

enum { FRAME_NONE = 0, FRAME_ROOT = 1, FRAME_ZERO = 2, FRAME_POOL = 3 };

/* What a frame is to the model. 1..5: a page table of that level. */
enum { TAG_FREE = 0, TAG_TABLE_MAX = 5, TAG_ANON = 6, TAG_CACHE = 7, TAG_ZERO = 8 };

#define MAX_PAGES     2048
#define PAGE_BUCKETS  256
#define CACHE_BUCKETS 64

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

    struct fl_extable_entry extable[FL_MAX_EXTABLE];
    unsigned nextable;

    /* world.c, ops.c */
    unsigned lock_depth;
    bool in_event;
    uint32_t pending; /* bit per enum fl_inject_op */
    bool injected;    /* an injected failing answer was given in this event */
    uint8_t probe_from;
    struct fl_effects effects;

    /* compare.c */
    bool prefault;
    const char *not_transparent;
};

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

/* A walk that goes as far as any processor or emulator would: reserved bits are told, not obeyed. */
struct tables_walk {
    bool mapped;   /* a leaf was reached; paddr may still lie outside RAM */
    bool reserved; /* a processor would fault on some bit of the path */
    bool user;
    uint64_t paddr;
};

unsigned tables_levels(const struct fl_world *w);
unsigned tables_entry_size(const struct fl_world *w);
uint64_t tables_root(uint8_t mode); /* CR3 */
uint64_t tables_leaf_entry(const struct fl_world *w, unsigned level, unsigned frame, const struct leaf_bits *bits);
unsigned tables_clamp_leaf(const struct fl_world *w, unsigned level);
unsigned tables_leaf_frames(const struct fl_world *w, unsigned level);

/* Where the entry of that level for va lies, for MAP and ENTRY; makes tables on demand. FL_INVALID: the path meets a
 * large leaf or leaves RAM. FL_NO_MEMORY: not enough frames; no table was made. */
enum fl_status tables_path(struct fl_world *w, uint64_t va, unsigned level, uint64_t *paddr);
/* Does an ENTRY change let the guest write where it could not before? */
bool tables_dangerous(uint64_t before, uint64_t after);

unsigned tables_missing(const struct fl_world *w, uint64_t va);               /* frames that tables_force() will need */
uint64_t tables_force(struct fl_world *w, uint64_t va);                       /* repaired path; where the PTE lies */
bool tables_find_pte(const struct fl_world *w, uint64_t va, uint64_t *paddr); /* only through the model's own tables */
bool tables_present(uint64_t pte);
bool tables_writable(uint64_t pte);
bool tables_write_protect(const struct fl_world *w);           /* CR0.WP */
unsigned tables_frame(const struct fl_world *w, uint64_t pte); /* FL_RAM_FRAMES when outside RAM or malformed */
uint64_t tables_keep_ad(uint64_t pte);
uint64_t tables_restrict(const struct fl_world *w, uint64_t pte, bool write, bool exec);

void tables_walk(const struct fl_world *w, uint64_t va, struct tables_walk *out);

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
enum fl_status vma_grow(struct fl_world *w, struct fl_vma *vma, uint64_t start);

/* ---- mm_fault.c ------------------------------------------------------------------------------------------------- */
enum fl_mm_result mm_predict(struct fl_world *w, const struct fl_vma *vma, uint64_t addr, bool write);
enum fl_mm_result mm_bring_in(struct fl_world *w, const struct fl_vma *vma, uint64_t addr, bool write);
void mm_prefault(struct fl_world *w, const struct fl_vma *vma);

/* ---- machine.c, ops.c, compare.c --------------------------------------------------------------------------------- */
void machine_begin(struct fl_world *w, const struct fl_machine *m);
void machine_code(struct fl_world *w, bool user, unsigned code_bits); /* selectors and code segment */
uint64_t machine_linear_ip(const struct fl_world *w);
bool world_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte);
static inline void world_opaque(struct fl_world *w, const char *reason)
{
    if (!w->not_transparent)
        w->not_transparent = reason;
}

#endif
