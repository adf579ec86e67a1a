/* SPDX-License-Identifier: MIT */
/* A pinning world to do things to. Tests see its state (fuzz/pin/state.h). */
#ifndef FAULTLINE_TESTS_PIN_WORLD_H
#define FAULTLINE_TESTS_PIN_WORLD_H

#include "check.h"
#include "pin/state.h"

#include <faultline/fuzz/pin_story.h>

#define BASE    UINT64_C(0x400000)
#define RW      (FL_AREA_READ | FL_AREA_WRITE | FL_AREA_MAY_READ | FL_AREA_MAY_WRITE)
#define RO      (FL_AREA_READ | FL_AREA_MAY_READ | FL_AREA_MAY_WRITE)
#define PAGE(n) (BASE + (uint64_t)(n)*PAGE_SIZE)

static inline void world_begin(struct fl_pin_world *w, uint8_t mode)
{
    struct fl_scenario s;

    fl_scenario_default(&s);
    s.machine.mode = mode;
    s.machine.pte_special = true;
    s.machine.vsyscall = 1;
    fl_pin_world_begin(w, &s.machine);
}

static inline void world_sound(const struct fl_pin_world *w, const char *what)
{
    char why[256] = "";

    CHECK(fl_pin_world_sound(w, why), "%s: %s", what, why);
}

static inline enum fl_status world_area(struct fl_pin_world *w, uint8_t kind, uint64_t start, uint32_t pages,
                                        unsigned flags)
{
    struct fl_record r = {.kind = FL_REC_AREA};

    r.u.area.kind = kind;
    r.u.area.start = start;
    r.u.area.pages = pages;
    r.u.area.flags = (uint16_t)flags;
    r.u.area.file = kind == FL_AREA_FILE ? 0 : kind == FL_AREA_SHMEM ? 1 : kind == FL_AREA_DEVICE ? 2 : 3;
    r.u.area.file_pages = 1u << 20;
    return fl_pin_world_apply(w, &r);
}

static inline struct fl_record actor(uint8_t act, unsigned mm, uint64_t va, uint32_t pages)
{
    struct fl_record r = {.kind = FL_REC_ACT};

    r.u.act.act = act;
    r.u.act.mm = (uint8_t)mm;
    r.u.act.va = va;
    r.u.act.pages = pages;
    return r;
}

static inline enum fl_status world_act(struct fl_pin_world *w, uint8_t act, uint64_t va)
{
    struct fl_record r = actor(act, 0, va, 1);

    return fl_pin_world_apply(w, &r);
}

static inline enum fl_status child_act(struct fl_pin_world *w, uint8_t act, uint64_t va)
{
    struct fl_record r = actor(act, 1, va, 1);

    return fl_pin_world_apply(w, &r);
}

static inline struct fl_pin_place world_look(const struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct fl_pin_place p;

    fl_pin_world_look(w, mm, va, &p);
    return p;
}

/* One call by this tree's core. */
static inline uint64_t world_pin(struct fl_pin_world *w, uint64_t start, uint32_t n, unsigned flags)
{
    struct fl_record r = {.kind = FL_REC_PIN};
    struct fl_pin_call call;
    struct fl_pin_seen seen;
    struct fl_pinned out = {.lock_held = true};

    r.u.pin.api = FL_PINAPI_USER;
    r.u.pin.start = start;
    r.u.pin.n = n;
    r.u.pin.flags = (uint16_t)flags;
    r.u.pin.pages = true;
    fl_pin_world_event_begin(w, &r);
    fl_gup()->pin_user(fl_pin_world_space(w), start, n, flags & FL_FOLL_WRITE, flags & FL_FOLL_FORCE,
                       fl_pin_world_pfns(w), NULL, fl_pin_world_ops(), w, &out);
    fl_pin_world_event_end(w, &out, &call, &seen);
    return out.pages;
}

#endif
