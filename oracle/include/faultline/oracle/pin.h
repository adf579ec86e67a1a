/* SPDX-License-Identifier: MIT */
/*
 * pin: what pinning user pages may and must come to, and the invariants that every call keeps, written from what
 * Documentation and man pages promise of get_user_pages and from the fixes in the zoo, not from its code.
 *
 * The world notes a view of each page of the range at every instant at which something may have changed: when the call
 * begins, and after every other actor, fault and split. All invariants are about those views.
 */
#ifndef FAULTLINE_ORACLE_PIN_H
#define FAULTLINE_ORACLE_PIN_H

#include <faultline/oracle/arch.h>
#include <faultline/oracle/compare.h>
#include <faultline/pin.h>

/* Pages of a call that are looked at one by one; of what lies behind only the count is judged. */
#define FL_PIN_PAGES    32
#define FL_PIN_INSTANTS 64

/* One page of the range at one instant. */
struct fl_pin_view {
    bool has_vma;
    struct fl_pin_vma vma;
    /* What the walk says of a user access of that kind under the real tables, without protection keys: enum fl_arch_kind. */
    struct {
        uint8_t kind;
    } read, write;
    bool mapped; /* a leaf is there for the processor or for the kernel (PROT_NONE, hint) */
    bool hint, special, device, splitting;
    bool leaf_write; /* its R/W bit, as the tables hold it */
    uint8_t leaf_level;
    uint64_t pfn;                           /* of the 4 KiB page */
    bool page_valid, zero, anon, exclusive; /* exclusive: this mm's alone */
    uint32_t life;      /* how manieth use of the frame that is: after it has been free it is another page */
    bool saturated;     /* its count takes no more references */
    bool fault_special; /* what a fault brings in has no struct page */
    bool gone;          /* memory of a device that is being removed */
    uint8_t swap;       /* enum fl_swap_kind, when nothing is mapped */
    uint8_t fault_read, fault_write; /* enum fl_mm_result: what mm_fault would come to now */
};

struct fl_pin_call {
    uint8_t api;    /* as in the scenario: enum fl_pin_api */
    uint64_t start; /* as given */
    int64_t n;
    unsigned flags; /* enum fl_foll, as the call means them (USER: TOUCH and GET in) */
    bool nonblocking, remote, pages, vmas;
    uint64_t task_size;
    struct fl_cpu cpu;
    bool quiet;   /* no race, no answer, no signal: the outcome is decided beforehand */
    bool hostile; /* an answer outside the contract was given: only locks, termination and memory are judged */
};

/* What was seen of the call. */
struct fl_pin_seen {
    struct fl_pinned out;
    uint64_t pfn[FL_PIN_PAGES];
    uint32_t gen[FL_PIN_PAGES];
    unsigned ninstants;
    bool lost_instants;                             /* there were more */
    const struct fl_pin_view (*view)[FL_PIN_PAGES]; /* [instant][page] */
    /* locks at the end and on the way */
    bool mm_held, ptl_held, irq_off, page_locked;
    const char *broken; /* an op called against its contract: static text, or NULL */
    bool endless;       /* ended by the world: the same page was faulted in again and again in an unchanged world */
    /* references: for each page noted above, and for all others together */
    int64_t refs[FL_PIN_PAGES];      /* 1 when its head's count is as it must be; else more or less */
    int64_t tail_refs[FL_PIN_PAGES]; /* 0 when the tail's own count is as it must be */
    uint32_t life[FL_PIN_PAGES];     /* of the frames that were handed out, at the end */
    int64_t other_refs;              /* how far the counts of all other pages are off, together */
    bool freed_in_use;               /* a page whose count was 0 got a reference, or one was given back too many */
    bool fatal;                      /* a fatal signal of the caller was pending at some call */
    unsigned after_fatal;            /* pages that were pinned after it was */
    bool lock_dropped;               /* mm lock: dropped by a fault, and not taken again */
    bool lock_retaken;               /* ... taken again after it had been held in this call */
    uint32_t faults[FL_MM_COUNT];    /* answers to mm_fault (not to hugetlb_fault), by enum fl_mm_result */
    uint32_t accounted[2];           /* faults counted for the task: minor, major */
    bool served;                     /* some fault was answered as done */
    bool oom;                        /* a fault found no memory: how far a call comes then is not foretold */
    bool has_special;                /* struct fl_gup_space */
};

/* One named invariant, for reports and documentation. */
struct fl_pin_rule {
    const char *name; /* as in the key: check and row */
    const char *statement;
    const char *source;
};
const struct fl_pin_rule *fl_pin_rules(size_t *count);

/* The invariants, in this order; the first that is broken. True: *d [OUT].
 *   lock      locks and interrupts at the end are as the api promises, and *out says so (O-LOCK)
 *   progress  no endless loop, no assertion that fails; a fatal signal of the caller ends it within a page (O-PROGRESS)
 *   pin       no more pages than asked for; references: one for each page returned, on the right head and tail, none for any
 *             other; each page was mapped at its address at some instant of the call (O-PIN)
 *   perm      the area, every level and the key permit the access, or FORCE does (O-PERM)
 *   cow       a page pinned for writing is not a file's, the zero page or another mm's, unless the area is shared and
 *             writable; a page pinned for reading in a private area is not one that a fork shares (O-COW)
 *   decision  quiet calls: how many pages, and which error, follow from the views at the beginning alone; every call that no
 *             answer outside the contract was given to: each fault is counted for the task once, as what it was */
bool fl_pin_judge(const struct fl_pin_call *call, const struct fl_pin_seen *seen, struct fl_divergence *d);

/* For reports: the row of the rule by which what this view shows may not be pinned; NULL: it may, or nothing is mapped. */
const char *fl_pin_objection(const struct fl_pin_call *call, const struct fl_pin_view *view);

/* O-DIFF: two ways to do the same from the same state: fast and slow, in one call and page by page. what: static text. */
bool fl_pin_same(const struct fl_pin_call *call, const char *what, const struct fl_pin_seen *a,
                 const struct fl_pin_seen *b, struct fl_divergence *d);

/* Coherence of pins that are held while user code goes on: a write by the task to va has gone to frame now, while a pin of
 * va (not zapped, unmapped, remapped, truncated or migrated since) holds frame pinned. True: *d: they differ. */
bool fl_pin_coherent(uint64_t va, uint64_t pinned, uint64_t now, struct fl_divergence *d);

#endif
