/* SPDX-License-Identifier: MIT */
/*
 * The world of target gup: pages, areas, two address spaces, other actors. A test double with rules (docs/pin-world.md),
 * not a kernel. Tables are real entries in a memory of their own, written by the model alone; struct pages are records;
 * the contents of a page are one 64-bit value (plus who wrote it), copied and shared as a kernel would.
 *
 * No allocation and no system call after opening; begin() undoes only what was touched.
 */
#ifndef FAULTLINE_FUZZ_PIN_WORLD_H
#define FAULTLINE_FUZZ_PIN_WORLD_H

#include <faultline/fuzz/scenario.h>
#include <faultline/gup.h>
#include <faultline/oracle/pin.h>

#define FL_PIN_FRAMES 4096u /* struct pages; 1 GiB pages lie above, of them only what is touched has a record */
#define FL_PIN_CALLS  4096u /* op calls of one event; beyond that a fatal signal is pending and `endless` is set */

struct fl_pin_world;

enum fl_status fl_pin_world_open(struct fl_pin_world **out);
void fl_pin_world_close(struct fl_pin_world *w);
void fl_pin_world_begin(struct fl_pin_world *w, const struct fl_machine *m);

/* AREA and ACT happen now; RACE and ANSWER wait for the next event. FL_OK, or FL_INVALID / FL_NO_MEMORY: no effect. */
enum fl_status fl_pin_world_apply(struct fl_pin_world *w, const struct fl_record *r);

/* One event: begin notes the first instant; the core is called with space, ops and the world as ctx; end gives back locks
 * that are still held (having noted them), lets the rest of the races go, and fills *call and *seen [OUT], valid until the
 * next call. The pages that were pinned stay pinned, until UNPIN. */
void fl_pin_world_event_begin(struct fl_pin_world *w, const struct fl_record *pin);
const struct fl_gup_space *fl_pin_world_space(struct fl_pin_world *w);
const struct fl_gup_ops *fl_pin_world_ops(void);
/* Where the core puts its pages and generations: FL_PIN_ROOM of them; a call for more is cut down by the judge. */
#define FL_PIN_ROOM 16384u
/* How many pages the world has records for: FL_PIN_ROOM, or less where pages of 1 GiB have used up much. */
unsigned fl_pin_world_room(const struct fl_pin_world *w);
uint64_t *fl_pin_world_pfns(struct fl_pin_world *w);
uint32_t *fl_pin_world_gens(struct fl_pin_world *w);
void fl_pin_world_event_end(struct fl_pin_world *w, const struct fl_pinned *out, struct fl_pin_call *call,
                            struct fl_pin_seen *seen);

/* What an op that stands for several was, or how it was asked. */
enum fl_pin_detail {
    FL_PIN_EXCLUSIVE, /* PAGE_FACT: page_anon_exclusive, page_dirty, page_has_mapping */
    FL_PIN_DIRTY,
    FL_PIN_MAPPING,
    FL_PIN_SET_DIRTY, /* PAGE_MARK: page_set_dirty, page_accessed, page_trylock, page_unlock, page_mlock */
    FL_PIN_ACCESSED,
    FL_PIN_TRYLOCK,
    FL_PIN_UNLOCK,
    FL_PIN_MLOCK,
    FL_PIN_NOWAIT = 128 /* MM_FAULT: added to enum fl_mm_flags */
};

/* One op call of the last event, for stories and for `faultline inject`. */
struct fl_pin_op_call {
    uint8_t op;      /* enum fl_pin_op */
    uint8_t nth;     /* of that op, from 1; 255: or more */
    uint8_t locks;   /* 1 mm read, 2 mm write, 4 ptl, 8 irqs off */
    uint64_t object; /* address, frame or table entry */
    uint64_t answer;
    uint8_t acted; /* how many races ran at this point */
    uint8_t
        detail; /* enum fl_pin_detail; PTL_LOCK: level; TOUCH_LEAF: dirty; PAGE_PUT, GET_SPECULATIVE: how many, to 255 */
    bool given;       /* the answer was a keyed one */
    uint16_t instant; /* views that were noted when it was carried out */
    bool changed;     /* one of them changed something, or may have */
};
unsigned fl_pin_world_calls(const struct fl_pin_world *w, const struct fl_pin_op_call **calls);
/* May that actor of that mm run where these locks of mm 0 are held? The rule table of races (docs/pin-world.md). */
bool fl_pin_actor_may_run(enum fl_act act, unsigned mm, uint8_t locks);
/* Is the answer one that the op can be given, and is it legal? False: it does not fit. */
bool fl_pin_answer_fits(enum fl_pin_op op, enum fl_pin_answer answer, bool *hostile);

/* From now on every view of every instant is looked at anew and held against the one that was kept: slow, for tests. What
 * differs is unsound. */
void fl_pin_world_distrust(struct fl_pin_world *w);

/* The model's own rules: counts balance, no page in two states, tables name what they should. False: why [OUT]. Not
 * asked any more once the core has been lied to about pages or tables. */
bool fl_pin_world_sound(const struct fl_pin_world *w, char why[256]);

/* A divergence that the model itself has noted since begin (a held pin is no longer coherent; a write through a pin came
 * to light where it must not). True: *d [OUT]. */
bool fl_pin_world_divergence(const struct fl_pin_world *w, struct fl_divergence *d);

/* Two worlds with the same history, for O-DIFF. */
void fl_pin_world_copy(struct fl_pin_world *to, const struct fl_pin_world *from);

/* "frame 17: page 3 of file 0, count 2", for reports. */
void fl_pin_world_describe(const struct fl_pin_world *w, uint64_t pfn, char *buf, size_t size);

#endif
