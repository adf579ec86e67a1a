/* SPDX-License-Identifier: MIT */
/*
 * The pinning world's own state and the calls between its parts. Private to fuzz/pin. The rules are in docs/pin-world.md.
 *
 *     world.c      open, begin, copy, machine facts
 *     tables.c     table memory; entries: build, find, read
 *     frames.c     struct pages: records, allocation, references, huge pages
 *     area.c       areas: map, find, cut, protect
 *     leaf.c       putting a page behind an entry and taking it away
 *     fault.c      what a fault comes to, planned first and then done; user accesses
 *     hugetlb.c    the same for hugetlb areas
 *     fork.c       fork and exit
 *     actors.c     who may run when, and the dispatch
 *     actors_mm.c  what tasks do: unmap, protect, DONTNEED, ...
 *     actors_page.c what the kernel does to pages: reclaim, migration, hints, split, collapse, ...
 *     answers.c    races and keyed answers of an event
 *     ops.c        services for the core: tables, locks, areas, faults
 *     ops_page.c   ... pages
 *     event.c      views, references and locks of a call
 *     pins.c       pins that are held: given back, used, coherent?
 *     watch.c      who listens, and looking at pages; words.c the story in words
 *     sound.c      the model's own invariants: what is counted is what is there
 *     sound_whole.c ... tables, areas, lists are what they say
 */
#ifndef FAULTLINE_PIN_STATE_H
#define FAULTLINE_PIN_STATE_H

#include <faultline/fuzz/pin_story.h>
#include <string.h>

#define PAGE_SIZE  4096u
#define PAGE_SHIFT 12
#define PAGE_MASK  (~(uint64_t)(PAGE_SIZE - 1))

/* Table memory: physical addresses below TABLES * 4 KiB. Pages have no memory. */
#define TABLES 256u
enum { TABLE_NONE = 0, TABLE_KERNEL = 1, TABLE_FIRST = 2 };

/* Frame numbers of pages: the zero page, small ones, huge ones (of 512 or 1024 frames, from HUGE_FIRST on), then those
 * that only records of their own know: device memory, frames without a struct page, and pages of 1 GiB. */
#define PFN_ZERO      256u
#define PFN_GATE      257u
#define PFN_SMALL     258u
#define PFN_HUGE      1024u
#define PFN_DEVICE    0x8000u /* DEVICES of them */
#define DEVICES       256u
#define PFN_SPECIAL   0xf000u    /* no struct page */
#define PFN_GIANT     (1u << 18) /* GIANTS of them, 1 << 18 frames each */
#define GIANTS        2u
#define GIANT_RECORDS 32768u
#define RECORDS       (FL_PIN_FRAMES + DEVICES + GIANT_RECORDS)

/* Bits of entries that processors ignore, in use by this kernel. */
#define SOFT_PROTNONE  (UINT64_C(1) << 8) /* P clear */
#define SOFT_NUMA      (UINT64_C(1) << 9) /* P clear */
#define SOFT_SPECIAL   (UINT64_C(1) << 9)
#define SOFT_SPLITTING (UINT64_C(1) << 10)
#define SOFT_DEVMAP    (UINT64_C(1) << 11)

/* Hardware bits, the model's own copy (SDM vol. 3, 4.5). */
#define E_P         (UINT64_C(1) << 0)
#define E_RW        (UINT64_C(1) << 1)
#define E_US        (UINT64_C(1) << 2)
#define E_A         (UINT64_C(1) << 5)
#define E_D         (UINT64_C(1) << 6)
#define E_PS        (UINT64_C(1) << 7)
#define E_KEY_SHIFT 59

/* A not-present leaf: kind in bits 3:1 (bits 9:8 clear), PS as for the leaf that it stands for, payload above. */
#define SWAP_SHIFT 1
#define SWAP_MASK  7u

enum page_kind { PG_FREE, PG_ANON, PG_CACHE, PG_ZERO, PG_DEVICE, PG_HUGETLB };

struct pg {
    uint64_t pfn;
    uint64_t data;            /* its contents */
    int32_t count;            /* references; of a tail: 0 */
    int32_t maps;             /* leaves that map it; a huge page counts on its head */
    int32_t tail;             /* of a tail: pins on it that a split hands on */
    int32_t others;           /* of count: SATURATE's */
    int32_t own;              /* of count: taken by the core in this event */
    int32_t own_tail;         /* of tail: likewise */
    uint16_t pins, tail_pins; /* of count and tail: pins that are held */
    uint32_t head;            /* record + 1 of the head; of a head and of a small page: 0 */
    uint32_t life;            /* small pages: grows with each use of the frame */
    uint32_t index;           /* CACHE, HUGETLB: page of the file */
    uint8_t kind;             /* enum page_kind */
    uint8_t order;            /* of a head */
    uint8_t file;             /* CACHE, HUGETLB: 0..3; FILE_NONE */
    bool cached;              /* of count: the page cache's one */
    uint8_t moving;           /* migration entries that wait for it; while there are any, one of count is migration's */
    bool dirty, accessed, mlocked, locked, poisoned;
    bool exclusive; /* ANON: known to be of one address space alone */
    bool touched;   /* in touched[] */
    bool noted;     /* in noted[] */
};
#define FILE_NONE 255u

#define MAX_AREAS 12
struct area {
    struct fl_pin_vma vma;
    uint8_t kind; /* enum fl_area_kind */
    uint8_t file;
    uint32_t pgoff, file_pages;
    bool huge; /* THP */
};

struct mm {
    bool exists;
    uint64_t root; /* table frame << 12 */
    unsigned nareas;
    struct area areas[MAX_AREAS];
};

#define MAX_SLOTS 256
struct slot {
    uint64_t data;
    uint8_t uses; /* entries that name it */
};

#define MAX_PINS 512
struct pin {
    uint64_t va, pfn;
    bool write;
    bool coherent;     /* nothing has happened that legitimately parts it from the address */
    bool shared_write; /* the area was shared and writable, when it was pinned */
};

#define MAX_RACES   8
#define MAX_ANSWERS 8
/* Things that wait for interrupts to be on: a leaf is cleared at most once, and a table freed; the rest are few. */
#define MAX_LATE (TABLES * (PAGE_SIZE / 4) + 4096)

enum { LOCK_MM_READ = 1, LOCK_MM_WRITE = 2, LOCK_PTL = 4, LOCK_IRQ = 8 };

struct fl_pin_world {
    uint8_t *ram;
    /* tables.c */
    uint8_t table_level[TABLES];                    /* 0: free */
    uint16_t table_list[TABLES];                    /* frames touched since begin */
    unsigned ntable_list, next_table, ntables_free; /* free: of those in the list */
    uint64_t table_lines[TABLES];

    /* frames.c */
    struct pg pg[RECORDS];
    uint32_t touched[RECORDS];
    unsigned ntouched;
    uint32_t giant_at[GIANT_RECORDS]; /* pfn of the record in that place, 0 = none: open addressing */
    uint32_t small_next, small_free;  /* small_free: record + 1, through .index */
    uint32_t huge_next;
    unsigned giants, giant_records; /* pages of 1 GiB; records in use */
    struct slot slots[MAX_SLOTS];
    unsigned nslots;

    /* area.c */
    struct mm mm[2];
    uint32_t generation;
    uint32_t file_pages[4]; /* as truncation left them; UINT32_MAX: not truncated */

    /* world.c */
    struct fl_gup_space space;
    struct fl_machine machine;
    bool pv;        /* flushes do not wait for interrupts: machine.lazy_mmu */
    bool saturated; /* some page is, or was */
    bool gate, device_gone, killed, killed_other;
    uint64_t next_value; /* what the next store stores */

    /* pins.c */
    struct pin pins[MAX_PINS];
    unsigned npins;
    struct fl_divergence divergence;
    bool diverged;

    /* answers.c */
    struct fl_record races[MAX_RACES];
    bool raced[MAX_RACES];
    bool race_changed; /* by a race since the last op call began */
    unsigned nraces;
    struct fl_record answers[MAX_ANSWERS];
    unsigned nanswers;
    bool lied; /* about pages or tables, since begin: every later event counts as hostile */

    /* watch.c; not copied */
    fl_pin_watch_fn watch;
    void *watch_ctx;

    /* ops.c, event.c */
    bool in_event;
    bool releasing, call_over; /* for steps: see enum fl_pin_when */
    struct fl_record event;
    uint8_t locks;
    unsigned mm_depth;
    bool pv_now;
    uint8_t ptl_locked;
    uint64_t page_lock; /* pfn + 1 that trylock got */
    unsigned devices;   /* device references that are held */
    unsigned held;      /* references that the core has taken and not given back */
    uint8_t seen_op[FL_PINOP_COUNT];
    unsigned ncalls;
    struct fl_pin_op_call calls[FL_PIN_CALLS];
    const char *broken;
    bool served;
    bool endless, hostile, answered, acted, changed, freed_in_use, fatal_seen, lock_dropped, lock_had, lock_retaken,
        oom;
    uint32_t faults[FL_MM_COUNT], accounted[2]; /* of this call, as the oracle is told them */
    uint64_t total_calls, most_calls; /* most: more than the longest legitimate pin of that many pages makes */
    uint64_t pinned_at_fatal;         /* references that the core held when a fatal signal came */
    unsigned same_faults;
    uint64_t last_fault;
    unsigned deferred[MAX_RACES]; /* races that could not run yet */
    unsigned ndeferred;
    struct {
        uint32_t record; /* or table */
        uint32_t n;      /* references */
        uint8_t what;    /* enum late */
    } late[MAX_LATE];
    unsigned nlate;
    uint64_t split_late;     /* va + 1 of a split that waits */
    struct fl_pin_vma found; /* the last area that the core was given */
    unsigned pages;          /* of the range, looked at */
    unsigned ninstants;
    bool lost_instants;
    struct fl_pin_view views[FL_PIN_INSTANTS][FL_PIN_PAGES];
    uint64_t view_at[FL_PIN_PAGES]; /* the entry that ends the walk of each, at the last instant */
    /* What may look otherwise since the last instant: everything, or what these entries translate. */
    bool changed_all, had_room;
    bool distrusted, views_wrong; /* fl_pin_world_distrust() */
    unsigned nchanged_at;
    uint64_t changed_at[8];
    int32_t want[RECORDS], want_tail[RECORDS]; /* scratch, zero between uses */
    uint32_t noted[RECORDS];                   /* records whose own, own_tail, want or want_tail may not be 0 */
    unsigned nnoted;
    uint64_t *pfns; /* FL_PIN_ROOM each; behind them nothing can be written to */
    uint32_t *gens;
};

/* ---- tables.c ---- */
bool tables_open(struct fl_pin_world *w);
void tables_close(struct fl_pin_world *w);
/* pfns and gens. A core that writes more than there is room for stops there, with a signal that is its own. */
bool outputs_open(struct fl_pin_world *w);
void outputs_close(struct fl_pin_world *w);
void tables_reset(struct fl_pin_world *w);
void tables_copy(struct fl_pin_world *to, const struct fl_pin_world *from);
static inline unsigned levels(const struct fl_pin_world *w)
{
    return w->space.cpu.mode + 2u;
}
static inline unsigned entry_size(const struct fl_pin_world *w)
{
    return w->space.cpu.mode == FL_MODE_2LEVEL ? 4 : 8;
}
static inline unsigned level_shift(const struct fl_pin_world *w, unsigned level)
{
    return PAGE_SHIFT + (level - 1) * (w->space.cpu.mode == FL_MODE_2LEVEL ? 10u : 9u);
}
/* log2 of the frames of a level-2 leaf */
static inline unsigned huge_order(const struct fl_pin_world *w)
{
    return level_shift(w, 2) - PAGE_SHIFT;
}
static inline uint64_t entry_get(const struct fl_pin_world *w, uint64_t paddr)
{
    uint64_t value;
    uint32_t narrow;

    if (entry_size(w) == 8) {
        memcpy(&value, w->ram + paddr, 8); /* little endian */
        return value;
    }
    memcpy(&narrow, w->ram + paddr, 4);
    return narrow;
}
void entry_put(struct fl_pin_world *w, uint64_t paddr, uint64_t value);
static inline unsigned tables_left(const struct fl_pin_world *w)
{
    return TABLES - w->next_table + w->ntables_free;
}
unsigned table_alloc(struct fl_pin_world *w, unsigned level);
void table_free(struct fl_pin_world *w, unsigned frame);
uint64_t table_address(const struct fl_pin_world *w, uint64_t entry);
static inline uint64_t leaf_pfn(const struct fl_pin_world *w, unsigned level, uint64_t entry)
{
    uint64_t pfn = (entry & UINT64_C(0x000ffffffffff000)) >> PAGE_SHIFT;

    return level == 1 ? pfn : pfn & ~((UINT64_C(1) << (level_shift(w, level) - PAGE_SHIFT)) - 1);
}
uint64_t leaf_make(const struct fl_pin_world *w, unsigned level, uint64_t pfn, uint64_t bits);
uint64_t table_make(const struct fl_pin_world *w, unsigned level, unsigned frame);
/* The entry that ends the walk for va under root: *level [OUT]: where; a leaf, none or not present. */
uint64_t entry_find(const struct fl_pin_world *w, uint64_t root, uint64_t va, unsigned *level);
/* The entry of that level for va, tables above it made. 0: no tables left, or a leaf is in the way. */
uint64_t entry_force(struct fl_pin_world *w, uint64_t root, uint64_t va, unsigned level);
/* Where the entry of that level for va lies in its table. */
uint64_t entry_slot(const struct fl_pin_world *w, uint64_t table, unsigned level, uint64_t va);
/* for the kernel: present, PROT_NONE or hint */
static inline bool entry_maps(unsigned level, uint64_t entry)
{
    if (!(entry & (E_P | SOFT_PROTNONE | SOFT_NUMA)))
        return false;
    return level == 1 || (level <= 3 && (entry & E_PS));
}
static inline bool entry_swapped(uint64_t entry)
{
    return entry && !(entry & (E_P | SOFT_PROTNONE | SOFT_NUMA));
}
enum fl_swap_kind entry_swap(uint64_t entry);
uint64_t swap_make(unsigned level, enum fl_swap_kind kind, uint64_t payload);
uint64_t swap_payload(uint64_t entry);
bool tables_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value); /* fl_read_fn */

/* ---- frames.c ---- */
void frames_reset(struct fl_pin_world *w);
void frames_copy(struct fl_pin_world *to, const struct fl_pin_world *from);
/* NULL: no struct page. A tail of a huge page has a record from when it is first asked for. */
struct pg *page_of(struct fl_pin_world *w, uint64_t pfn);
struct pg *page_head(struct fl_pin_world *w, struct pg *p);
static inline uint32_t record_of(const struct fl_pin_world *w, const struct pg *p)
{
    return (uint32_t)(p - w->pg);
}
struct pg *small_alloc(struct fl_pin_world *w, enum page_kind kind); /* NULL: none left */
struct pg *huge_alloc(struct fl_pin_world *w, enum page_kind kind);
struct pg *giant_alloc(struct fl_pin_world *w);
struct pg *file_page_find(struct fl_pin_world *w, uint8_t file, uint32_t index);
struct pg *file_page_make(struct fl_pin_world *w, uint8_t file, uint32_t index);
void page_ref(struct fl_pin_world *w, struct pg *p, int n);
void page_unref(struct fl_pin_world *w, struct pg *p, int n); /* the last one frees it (or, irqs off, later) */
/* Counts: above COUNT_MOST a page takes no more references from pins. SATURATE puts it so far above that neither mappings that
 * go nor pins that are given back bring it below, and so far below the end that mappings which come do not overflow it. */
#define COUNT_MOST      (INT32_MAX - 8192)
#define COUNT_SATURATED (INT32_MAX - 4096)
static inline bool page_saturated(const struct pg *p)
{
    return p->count > COUNT_MOST;
}
bool page_busy(const struct pg *p); /* somebody but its mappings and the cache holds it */
/* The record exists from now on, with nothing changed for anybody. */
void page_touch(struct fl_pin_world *w, struct pg *p);
/* To be called before own, own_tail, want or want_tail are. */
void page_note(struct fl_pin_world *w, struct pg *p);
void page_change(struct fl_pin_world *w, struct pg *p);     /* to be called before a record is written to */
unsigned slot_alloc(struct fl_pin_world *w, uint64_t data); /* number + 1, or 0 */

/* ---- area.c ---- */
struct area *area_find(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status area_add(struct fl_pin_world *w, unsigned mm, const struct area *a);
/* Makes addr a boundary of areas. FL_INVALID: hugetlb, inside a page. */
enum fl_status area_cut(struct fl_pin_world *w, unsigned mm, uint64_t addr);
void area_remove(struct fl_pin_world *w, unsigned mm, unsigned i);
uint32_t area_index(const struct area *a, uint64_t va);
enum fl_status area_record(struct fl_pin_world *w, const struct fl_record *r);
/* The area as it would be after growing to va, if it would. */
bool area_would_grow(const struct fl_pin_world *w, unsigned mm, uint64_t va, struct area *out);
bool area_grow(struct fl_pin_world *w, unsigned mm, uint64_t va, struct area **out);
unsigned area_level(const struct fl_pin_world *w, const struct area *a); /* of a hugetlb leaf */

/* ---- leaf.c ---- */
uint64_t leaf_bits(const struct fl_pin_world *w, const struct area *a, bool write);
/* Puts p behind the entry (it must be none or swap) and counts. */
void leaf_map(struct fl_pin_world *w, uint64_t paddr, unsigned level, struct pg *p, uint64_t bits);
/* Takes away whatever is behind it: page, slot, hint. */
void leaf_clear(struct fl_pin_world *w, uint64_t paddr, unsigned level);
/* The page behind a leaf; NULL: special, or none. */
struct pg *leaf_page(struct fl_pin_world *w, unsigned level, uint64_t entry);
/* Huge pages that stick out of [start, end) are split. FL_NO_MEMORY: no table for that. */
enum fl_status split_edges(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end);
/* Clears [start, end): huge pages that stick out are split. FL_NO_MEMORY: no table for that. */
enum fl_status leaf_zap(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end);
/* Splits the huge page there, in every mm. FL_STALE: not before interrupts are on. */
enum fl_status leaf_split(struct fl_pin_world *w, unsigned mm, uint64_t va);
void leaf_free_tables(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end);
/* Calls each(...) for every entry below root that is a leaf or swap in [start, end). */
void leaf_each(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end,
               void (*each)(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level,
                            void *ctx),
               void *ctx);
/* Calls each for every leaf, in any mm, that maps the (head or small) page. */
void leaf_of_page(struct fl_pin_world *w, const struct pg *p,
                  void (*each)(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level,
                               void *ctx),
                  void *ctx);

/* ---- fault.c, hugetlb.c ---- */
enum fl_mm_result fault_plan(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write);
struct fl_pin_fault fault_do(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write);
struct fl_pin_fault hugetlb_do(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write);
enum fl_mm_result hugetlb_plan(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write);
struct pg *hugetlb_cached(struct fl_pin_world *w, const struct area *a, uint64_t va);
/* Are there tables and small pages for another fault? */
bool fault_room(const struct fl_pin_world *w);
/* The page that a fault would find: of a file, a device, hugetlb's page cache. NULL: none yet, or none of those. */
struct pg *fault_cached(struct fl_pin_world *w, const struct area *a, uint64_t va);
void user_access(struct fl_pin_world *w, unsigned mm, uint64_t va, bool write);

/* ---- fork.c, actors*.c ---- */
enum fl_status mm_make(struct fl_pin_world *w, unsigned mm);
enum fl_status mm_fork(struct fl_pin_world *w);
void mm_exit(struct fl_pin_world *w);
enum fl_status act(struct fl_pin_world *w, const struct fl_record *r);
enum fl_status act_munmap(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end);
enum fl_status act_dontneed(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end);
enum fl_status act_mprotect(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end, unsigned prot);
enum fl_status act_mlock(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end);
enum fl_status act_uffd(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_truncate(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_reclaim(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_migrate_begin(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_migrate_end(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_hint(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_collapse(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_split_begin(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_split(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_poison(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_clean(struct fl_pin_world *w, unsigned mm, uint64_t va);
enum fl_status act_saturate(struct fl_pin_world *w, unsigned mm, uint64_t va);

/* ---- watch.c ---- */
/* Tells who listens: only where w->watch is set. */
void step(struct fl_pin_world *w, enum fl_pin_step_kind kind, const struct fl_record *record, enum fl_status status);
void ended(struct fl_pin_world *w, const struct fl_pin_call *call, const struct fl_pin_seen *seen);

/* ---- sound_whole.c ---- */
const char *sound_whole(struct fl_pin_world *w); /* NULL, or what is wrong */

/* ---- answers.c, event.c, pins.c ---- */
enum fl_status race_add(struct fl_pin_world *w, const struct fl_record *r);
/* Before call nth of op: runs what is keyed to it. Answers how many ran. */
unsigned race_point(struct fl_pin_world *w, enum fl_pin_op op, unsigned nth);
void race_released(struct fl_pin_world *w); /* a lock is free: those that waited */
bool answer_for(struct fl_pin_world *w, enum fl_pin_op op, unsigned nth, enum fl_pin_answer *answer);
void instant(struct fl_pin_world *w);                              /* notes views, if anything has changed */
void late_run(struct fl_pin_world *w);                             /* interrupts are on */
bool late_unref(struct fl_pin_world *w, struct pg *p, unsigned n); /* false: it has to be done now */
void late_table(struct fl_pin_world *w, unsigned frame);
void pins_release(struct fl_pin_world *w);
void pins_use(struct fl_pin_world *w);
void pins_parted(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end); /* legitimately */
void pins_written(struct fl_pin_world *w, uint64_t va, uint64_t pfn);                /* by the task */
/* Is the last of calls[] the call that is made now? */
static inline bool call_kept(const struct fl_pin_world *w)
{
    return w->ncalls && w->total_calls == 0;
}
static inline void world_changed(struct fl_pin_world *w)
{
    w->changed = w->changed_all = true;
}

#endif
