/* SPDX-License-Identifier: MIT */
/* Random valid records of target gup, by hand as in random_scenario.h, which brings the helpers. */
#ifndef FAULTLINE_TESTS_RANDOM_PIN_H
#define FAULTLINE_TESTS_RANDOM_PIN_H

#include <faultline/fuzz/scenario.h>
#include <faultline/pin.h>

static inline uint64_t random_page(uint64_t *state, unsigned mode)
{
    return random_address(state, mode) & ~(uint64_t)4095;
}

static inline void random_area(uint64_t *state, unsigned mode, struct fl_record *r)
{
    const unsigned kind = random_below(state, 7);
    unsigned flags = random_below(state, 1u << 11);

    flags |= flags & FL_AREA_READ ? FL_AREA_MAY_READ : 0;
    flags |= flags & FL_AREA_WRITE ? FL_AREA_MAY_WRITE : 0;
    if (kind != FL_AREA_ANON || flags & FL_AREA_SHARED)
        flags &= ~(unsigned)(FL_AREA_GROWSDOWN | FL_AREA_HUGE);
    if (kind != FL_AREA_SPECIAL)
        flags &= ~(unsigned)(FL_AREA_IO | FL_AREA_PFNMAP);
    r->u.area.kind = (uint8_t)kind;
    r->u.area.start = random_page(state, mode);
    r->u.area.pages = random_pages(state);
    r->u.area.flags = (uint16_t)flags;
    r->u.area.pkey = (uint8_t)random_below(state, 16);
    if (kind != FL_AREA_ANON && kind != FL_AREA_SPECIAL) {
        r->u.area.file = (uint8_t)random_below(state, 4);
        r->u.area.pgoff = (uint16_t)random_u64(state);
        r->u.area.file_pages = (uint32_t)random_u64(state);
    }
}

static inline void random_act(uint64_t *state, unsigned mode, struct fl_record *r)
{
    r->u.act.act = (uint8_t)random_below(state, 26);
    r->u.act.va = random_page(state, mode);
    r->u.act.pages = random_pages(state);
    r->u.act.mm = (uint8_t)random_below(state, 2);
    if (r->u.act.act == FL_ACTOR_MPROTECT)
        r->u.act.arg = (uint8_t)random_below(state, 8);
    if (r->kind == FL_REC_RACE) {
        r->u.act.op = (uint8_t)random_below(state, 26);
        r->u.act.nth = (uint8_t)(1 + random_below(state, 255));
    }
}

static inline void random_pin(uint64_t *state, unsigned mode, struct fl_record *r)
{
    const uint64_t bits = check_random(state);
    const unsigned any = (unsigned)(bits >> 8) & 0xfff;

    r->u.pin.api = (uint8_t)random_below(state, 7);
    r->u.pin.start = random_address(state, mode);
    r->u.pin.n = 1;
    switch (r->u.pin.api) {
    case FL_PINAPI_PIN:
        r->u.pin.flags = any & ~(unsigned)(FL_FOLL_GET | FL_FOLL_NUMA);
        r->u.pin.nonblocking = bits & 1;
        r->u.pin.n = (uint16_t)random_u64(state);
        break;
    case FL_PINAPI_USER:
        r->u.pin.flags = any & (FL_FOLL_WRITE | FL_FOLL_FORCE);
        r->u.pin.n = (uint16_t)random_u64(state);
        break;
    case FL_PINAPI_FAST_ONLY:
    case FL_PINAPI_FAST:
        r->u.pin.flags = any & FL_FOLL_WRITE;
        r->u.pin.n = (uint32_t)random_u64(state);
        break;
    case FL_PINAPI_FIXUP:
        r->u.pin.flags = any & FL_FOLL_WRITE;
        r->u.pin.nonblocking = bits & 1;
        break;
    case FL_PINAPI_FOLLOW: r->u.pin.flags = any & ~(unsigned)FL_FOLL_GET; break;
    default: break;
    }
    if (r->u.pin.api != FL_PINAPI_FAST && r->u.pin.api != FL_PINAPI_FAST_ONLY)
        r->u.pin.remote = bits >> 1 & 1;
    if (r->u.pin.api == FL_PINAPI_PIN || r->u.pin.api == FL_PINAPI_USER) {
        r->u.pin.pages = bits >> 2 & 1;
        r->u.pin.vmas = bits >> 3 & 1;
    } else if (r->u.pin.api == FL_PINAPI_FOLLOW) {
        r->u.pin.pages = bits >> 2 & 1;
    }
}

static inline void random_pin_record(uint64_t *state, unsigned mode, struct fl_record *r)
{
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_AREA: random_area(state, mode, r); break;
    case FL_REC_ACT:
    case FL_REC_RACE: random_act(state, mode, r); break;
    case FL_REC_ANSWER:
        r->u.answer.op = (uint8_t)random_below(state, 26);
        r->u.answer.nth = (uint8_t)(1 + random_below(state, 255));
        r->u.answer.answer = (uint8_t)random_below(state, 11);
        break;
    default: random_pin(state, mode, r); break;
    }
}

#endif
