/* SPDX-License-Identifier: MIT */
/*
 * A small machine for tests of the synchronisation: 4 MiB of memory, the tables of one address, a queue of lazy writes.
 */
#ifndef FAULTLINE_TESTS_SYNC_MINI_H
#define FAULTLINE_TESTS_SYNC_MINI_H

#include <faultline/oracle/arch.h>
#include <faultline/oracle/sync.h>

/* Frames and their parts. Anything from MINI_FRAMES on is no memory. */
enum {
    FRAME_ZERO,
    FRAME_LIVE,      /* root under CR3 */
    FRAME_REFERENCE, /* init_root */
    FRAME_OTHER,     /* root of another address space */
    FRAME_A,         /* the reference's tables, level by level down */
    FRAME_B,
    FRAME_C,
    FRAME_DATA, /* what PTEs map */
    FRAME_OWN,  /* PAE: page directory of the live root */
    FRAME_X,    /* tables that are nobody's reference */
    FRAME_Y,
    FRAME_Z,
    FRAME_LARGE = 512, /* 2 MiB aligned */
    MINI_FRAMES = 1024,
    FRAME_WILD = 3 * 1024, /* 4 MiB aligned, no memory */
};

/* Entry bits: SDM vol. 3A, tables 4-5 to 4-20. */
#define MP        0x001ull
#define MRW       0x002ull
#define MA        0x020ull
#define MD        0x040ull
#define MPS       0x080ull
#define MT        (MP | MRW | MA)      /* a table */
#define MPTE      (MP | MRW | MA | MD) /* a page */
#define MFRAME(n) ((uint64_t)(n) << 12)

#define MINI_QUEUE 16
#define MINI_LOG   8192

struct mini {
    uint8_t ram[MINI_FRAMES * 4096u];
    uint64_t touched[4096];
    unsigned ntouched;
    struct fl_entry_write queue[MINI_QUEUE];
    unsigned nqueue;
    struct fl_entry_write log[MINI_LOG]; /* everything that mini_write was asked for */
    unsigned nlog, flushes;
    uint64_t start, insync[16]; /* what sync-all remembers */
    bool no_page_zero;          /* physical 0 is no memory */
    struct fl_snapshot s;       /* ctx is this machine */
};

/* One machine for the whole program; zeroed memory, roots FRAME_LIVE and FRAME_REFERENCE, a kernel of that generation
 * with the usual layout, s.cr2 in the vmalloc range, a supervisor read of a page that is not there. */
struct mini *mini_machine(enum fl_mode mode, enum fl_generation generation);

bool mini_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);
uint64_t mini_get(struct mini *m, uint64_t paddr);
void mini_put(struct mini *m, uint64_t paddr, uint64_t value);
void mini_clear(struct mini *m);

/* Where the entry of s.cr2 lies in the table in that frame. */
uint64_t mini_at(const struct mini *m, unsigned frame, unsigned level);
unsigned mini_entry_size(const struct mini *m);

/* What a handler's write does, lazy updates included. */
void mini_write(struct mini *m, const struct fl_entry_write *w);
void mini_flush(struct mini *m);
void mini_apply(struct mini *m, const struct fl_sync_expected *e);

/* sync-all by s.kernel.generation over the roots FRAME_LIVE and FRAME_OTHER. */
enum fl_sync_end mini_sync_all(struct mini *m);

/* One access by the rules of the judge: fault, synchronise, try again. *code [OUT]: the first fault's, or 0. */
enum fl_touch_end mini_touch(struct mini *m, const struct fl_access *a, uint64_t *code);

/* ---- handlers of the time, step by step, on the memory itself: steps.c ------------------------------------------- */
enum fl_sync_end steps_vmalloc_fault(struct mini *m, bool *warned);
enum fl_sync_end steps_sync_all(struct mini *m, const struct fl_sync_all *all, uint64_t *start, uint64_t insync[16]);

#endif
