/* SPDX-License-Identifier: MIT */
/* Calls that nobody disturbs: states of a page, and what a call on it comes to. */
#ifndef FAULTLINE_TESTS_PIN_QUIET_H
#define FAULTLINE_TESTS_PIN_QUIET_H

#include "call.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum fate { PINNED, REFUSED, NO_MEMORY, POISONED, OPEN, FATES };

enum state {
    HOLE,
    SWAPPED,
    OWN_W,
    OWN_RO,
    FORKED,
    FILE_RO,
    FILE_W,
    ZERO,
    ZERO_HUGE,
    BARE_RO,
    BARE_W,
    ODD, /* no struct page, and nothing says so */
    DEVICE_RO,
    DEVICE_W,
    HINT_W,
    HINT_RO,
    HINT_FORKED,
    HUGE_W,
    HUGE_RO,
    SPLITTING,
    STATES
};
__attribute__((unused)) static const char *const state_names[STATES] = {
    "hole",   "swapped",   "own-w",       "own-ro", "forked",  "file-ro",   "file-w",
    "zero",   "zero-huge", "bare-ro",     "bare-w", "odd",     "device-ro", "device-w",
    "hint-w", "hint-ro",   "hint-forked", "huge-w", "huge-ro", "splitting"};

static inline void set_state(struct fl_pin_view *v, enum state s)
{
    v->mapped = s > SWAPPED;
    v->swap = s == SWAPPED ? FL_SWAP_SLOT : FL_SWAP_NONE;
    v->leaf_write = s == OWN_W || s == FILE_W || s == BARE_W || s == ODD || s == DEVICE_W || s == HINT_W ||
                    s == HUGE_W || s == SPLITTING;
    v->anon = s == OWN_W || s == OWN_RO || s == FORKED || (s >= HINT_W && s <= SPLITTING);
    v->exclusive = v->anon && s != FORKED && s != HINT_FORKED;
    v->page_valid = v->mapped && s != BARE_RO && s != BARE_W && s != ODD;
    v->special = s == BARE_RO || s == BARE_W || s == ZERO;
    v->zero = s == ZERO || s == ZERO_HUGE;
    v->device = s == DEVICE_RO || s == DEVICE_W;
    v->hint = s >= HINT_W && s <= HINT_FORKED;
    v->splitting = s == SPLITTING;
    v->leaf_level = s >= HUGE_W || s == ZERO_HUGE ? 2 : 1;
    v->pfn = v->mapped ? FRAME : FL_NO_PAGE;
}

static const uint8_t errors[] = {[REFUSED] = FL_PIN_EFAULT, [NO_MEMORY] = FL_PIN_ENOMEM, [POISONED] = FL_PIN_EHWPOISON};

static inline bool comes_to(struct made *m, enum fate fate)
{
    struct fl_divergence d;

    m->s.out.pages = fate == PINNED;
    m->s.out.error = fate == PINNED ? FL_PIN_OK : errors[fate];
    return !fl_pin_judge(&m->c, &m->s, &d);
}

static inline void start(struct made *m, uint8_t api)
{
    make(m, api, 0, 1);
    m->c.quiet = true;
    m->c.pages = false; /* the page itself is the other rules' affair */
    m->s.ninstants = 1;
}

#endif
