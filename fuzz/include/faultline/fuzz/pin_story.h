/* SPDX-License-Identifier: MIT */
/*
 * The story of a world of pages, for those who tell it (repro, explain): who did what, in order, and what became of a page.
 * Nothing here decides anything, and nothing of it costs more than a test where nobody listens.
 */
#ifndef FAULTLINE_FUZZ_PIN_STORY_H
#define FAULTLINE_FUZZ_PIN_STORY_H

#include <faultline/fuzz/pin_world.h>

/* ---- steps ------------------------------------------------------------------------------------------------------- */

enum fl_pin_step_kind {
    FL_PIN_STEP_BEGIN, /* an event is about to begin; record: the PIN record */
    FL_PIN_STEP_CALL,  /* an op call is the next thing to happen, after the races that are keyed to it */
    FL_PIN_STEP_ACT,   /* somebody else has acted; record: the AREA, ACT or RACE record */
    FL_PIN_STEP_WAITS, /* ... is due, and waits for a lock; record: the RACE record */
    FL_PIN_STEP_END    /* the event is over, the pins are held; pin and seen are valid */
};

/* When somebody else acted. */
enum fl_pin_when {
    FL_PIN_OUTSIDE,  /* between events */
    FL_PIN_BEFORE,   /* just before the op call was carried out */
    FL_PIN_RELEASED, /* at the end of the op call, which gave a lock back or switched interrupts on */
    FL_PIN_LATER     /* after the last op call, before the event was over */
};

struct fl_pin_step {
    uint8_t kind; /* enum fl_pin_step_kind */
    uint8_t when; /* ACT: enum fl_pin_when */
    unsigned
        call; /* CALL, and ACT but for OUTSIDE, and WAITS: which op call of the event, from 0; LATER: their number */
    enum fl_status status; /* ACT: FL_STALE: it has begun, and waits for interrupts; others but FL_OK: no effect */
    unsigned instant;      /* views that are noted by now; in events only */
    const struct fl_record *record;
    const struct fl_pin_call *pin; /* END */
    const struct fl_pin_seen *seen;
};

/* Called at each step with the world as it is then, which must not be changed. NULL: nobody listens. Kept over begin. */
typedef void (*fl_pin_watch_fn)(void *ctx, const struct fl_pin_world *w, const struct fl_pin_step *step);
void fl_pin_world_watch(struct fl_pin_world *w, fl_pin_watch_fn watch, void *ctx);

/* ---- looking ----------------------------------------------------------------------------------------------------- */

struct fl_pin_area {
    struct fl_pin_vma vma;
    uint8_t kind; /* enum fl_area_kind */
    uint8_t file;
    uint32_t pgoff, file_pages;
    bool huge;
};
/* The i-th area of an address space, from below. False: it has no more. */
bool fl_pin_world_area(const struct fl_pin_world *w, unsigned mm, unsigned i, struct fl_pin_area *out);

enum fl_pin_page_kind {
    FL_PIN_PAGE_FREE,
    FL_PIN_PAGE_ANON,
    FL_PIN_PAGE_CACHE,
    FL_PIN_PAGE_ZERO,
    FL_PIN_PAGE_DEVICE,
    FL_PIN_PAGE_HUGETLB
};

/* One page of an address space: what its walk meets, and the page behind it. Bytes that mean nothing are zero. */
struct fl_pin_place {
    bool exists;      /* there is such an address space */
    bool has_area;    /* an area contains it */
    unsigned nlevels; /* entries that the walk meets, from the root on; the last one ends it */
    struct {
        uint64_t paddr, entry;
        uint8_t level;
    } walk[5];
    bool mapped;                                                               /* for the processor or the kernel */
    bool present, writable, dirty, hint, protnone, special, device, splitting; /* of a leaf */
    uint8_t swap;                                                              /* enum fl_swap_kind; not mapped */
    uint64_t pfn;  /* of the 4 KiB page; FL_NO_PAGE: not mapped */
    bool valid;    /* it has a struct page: what follows is its */
    uint64_t head; /* itself where it is no tail */
    uint8_t kind;  /* enum fl_pin_page_kind */
    uint8_t order; /* of the whole: log2 of its frames */
    uint8_t file;  /* CACHE, HUGETLB of a file; 255: none */
    uint32_t index;
    bool exclusive, page_dirty, cached;
    int32_t count, maps, tail; /* of the head; tail: the page's own references as a tail */
    uint16_t pins;             /* of count: pins that are held */
    uint64_t data;             /* contents of the 4 KiB page */
};
void fl_pin_world_look(const struct fl_pin_world *w, unsigned mm, uint64_t va, struct fl_pin_place *out);

/* The pages that a scenario is about, followed from step to step. */
#define FL_PIN_FOLLOWED 64
struct fl_pin_follow {
    unsigned n;
    struct {
        uint64_t va; /* page aligned */
        uint8_t mm;
        struct fl_pin_place now;
    } at[FL_PIN_FOLLOWED];
};
/* Those that its records of pinning name, in both address spaces: of a call's range the first eight. */
void fl_pin_follow_begin(struct fl_pin_follow *f, const struct fl_scenario *s);
/* One page more, where there is room. */
void fl_pin_follow_page(struct fl_pin_follow *f, uint64_t va);
/* Looks at all of them again. changed is called for each that is not as it was, NULL: for none; then `now` is what it is. */
void fl_pin_follow_step(struct fl_pin_follow *f, const struct fl_pin_world *w,
                        void (*changed)(void *ctx, unsigned i, const struct fl_pin_place *before,
                                        const struct fl_pin_place *after),
                        void *ctx);

/* ---- words; always terminated ------------------------------------------------------------------------------------ */

/* "private mapping of file 1 from page 0, read only". */
void fl_pin_area_text(const struct fl_pin_area *a, char *buf, size_t size);
/* "another thread of the process: madvise(DONTNEED) of 0x600000". mm 1 is the child. */
void fl_pin_act_text(const struct fl_record *act, char *buf, size_t size);
/* "get_user_pages, 1 page from 0x600000, for writing, by force". */
void fl_pin_pin_text(const struct fl_record *pin, char *buf, size_t size);
/* "mm_fault(0x600000, write)"; what it answered: "minor, COW broken"; empty where there is nothing to tell. */
void fl_pin_op_text(const struct fl_pin_op_call *c, char *buf, size_t size);
void fl_pin_op_answer_text(const struct fl_pin_op_call *c, char *buf, size_t size);
/* "frame 0x102: page 0 of file 1 (count 2), read only"; "nothing is mapped". */
void fl_pin_place_text(const struct fl_pin_place *p, char *buf, size_t size);
/* What has become of a page of the task's or (mm 1) of the child's: "the copy in frame 0x103 is dropped: nothing is mapped".
 * Empty: nothing that is worth a word. */
void fl_pin_change_text(const struct fl_pin_place *before, const struct fl_pin_place *after, char *buf, size_t size);
const char *fl_pin_error_text(unsigned error); /* enum fl_pin_error: "EFAULT" */

#endif
