/* SPDX-License-Identifier: MIT */
/* Target gup: records of pinning, made up and changed. */
#include "mutator.h"

#include <faultline/pin.h>

#define PAGE 4096u

/* ---- addresses ---------------------------------------------------------------------------------------------------- */

static uint64_t some_base(struct fl_mutation *m)
{
    static const uint32_t bases[] = {0x10000, 0x400000, 0x400000, 0x600000, 0x800000, 0x1ff000, 0x20000000, 0x3f800000};

    if (fl_one_in(m, 16))
        return fl_value_task_size(m) - (uint64_t)PAGE * (1 + fl_below(m, 1024));
    if (fl_one_in(m, 32))
        return fl_value_address(m) & ~(uint64_t)(PAGE - 1);
    return FL_PICK(m, bases);
}

/* An address in an area of the trace, mostly in its first pages. */
uint64_t fl_pin_some_va(struct fl_mutation *m)
{
    for (unsigned tries = 0; m->n && tries < 6; tries++) {
        struct fl_record r;

        fl_record_load(m, fl_below(m, m->n), &r);
        if (r.kind == FL_REC_AREA)
            return r.u.area.start + (uint64_t)PAGE * (fl_one_in(m, 4) ? fl_below(m, r.u.area.pages) : fl_below(m, 3));
        if (r.kind == FL_REC_PIN && fl_one_in(m, 2))
            return r.u.pin.start & ~(uint64_t)(PAGE - 1);
    }
    return some_base(m);
}

static uint32_t some_pages(struct fl_mutation *m)
{
    static const uint16_t pages[] = {1, 1, 1, 2, 2, 3, 4, 8, 16, 511, 512, 513, 1024, 1030};

    return FL_PICK(m, pages);
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

static uint16_t some_flags(struct fl_mutation *m, unsigned kind)
{
    static const uint16_t usual[] = {
        FL_AREA_READ | FL_AREA_WRITE,
        FL_AREA_READ | FL_AREA_WRITE,
        FL_AREA_READ | FL_AREA_MAY_WRITE,
        FL_AREA_READ | FL_AREA_MAY_WRITE,
        FL_AREA_READ | FL_AREA_WRITE | FL_AREA_SHARED,
        FL_AREA_READ | FL_AREA_MAY_WRITE | FL_AREA_SHARED,
        FL_AREA_READ,
        FL_AREA_MAY_READ | FL_AREA_MAY_WRITE,
        FL_AREA_READ | FL_AREA_SHARED,
    };
    unsigned flags = FL_PICK(m, usual);

    if (kind == FL_AREA_ANON && fl_one_in(m, 3))
        flags |= FL_AREA_HUGE;
    if (kind == FL_AREA_SPECIAL && fl_one_in(m, 2))
        flags |= fl_one_in(m, 2) ? FL_AREA_IO : FL_AREA_PFNMAP;
    if (fl_one_in(m, 8))
        flags ^= 1u << fl_below(m, 11);
    return (uint16_t)flags;
}

void fl_pin_random_area(struct fl_mutation *m, struct fl_record *r)
{
    static const uint8_t kinds[] = {FL_AREA_ANON,  FL_AREA_ANON,    FL_AREA_ANON,      FL_AREA_FILE,   FL_AREA_FILE,
                                    FL_AREA_SHMEM, FL_AREA_HUGETLB, FL_AREA_HUGETLB1G, FL_AREA_DEVICE, FL_AREA_SPECIAL};

    r->u.area.kind = FL_PICK(m, kinds);
    r->u.area.start = some_base(m);
    r->u.area.pages = some_pages(m);
    r->u.area.flags = some_flags(m, r->u.area.kind);
    r->u.area.file = (uint8_t)fl_below(m, 2);
    r->u.area.pgoff = (uint16_t)(fl_one_in(m, 4) ? fl_below(m, 4) : 0);
    r->u.area.file_pages = fl_one_in(m, 4) ? fl_below(m, 8) : 1u << 20;
    r->u.area.pkey = (uint8_t)(fl_one_in(m, 8) ? fl_below(m, 16) : 0);
}

uint8_t fl_pin_some_act(struct fl_mutation *m)
{
    static const uint8_t often[] = {FL_ACTOR_READ, FL_ACTOR_WRITE, FL_ACTOR_WRITE, FL_ACTOR_DONTNEED, FL_ACTOR_FORK};

    return fl_one_in(m, 3) ? FL_PICK(m, often) : (uint8_t)fl_below(m, FL_ACTOR_COUNT);
}

static void random_act(struct fl_mutation *m, struct fl_record *r)
{
    r->u.act.act = fl_pin_some_act(m);
    r->u.act.va = fl_pin_some_va(m);
    r->u.act.pages = fl_one_in(m, 3) ? some_pages(m) : 1;
    r->u.act.mm = fl_one_in(m, 6);
    r->u.act.arg = (uint8_t)fl_below(m, 8);
}

static uint8_t some_nth(struct fl_mutation *m)
{
    return (uint8_t)(fl_one_in(m, 2) ? 1 : 1 + fl_below(m, fl_one_in(m, 4) ? 40 : 5));
}

void fl_pin_random_pin(struct fl_mutation *m, struct fl_record *r)
{
    static const uint8_t apis[] = {FL_PINAPI_PIN,  FL_PINAPI_PIN,  FL_PINAPI_USER,  FL_PINAPI_USER, FL_PINAPI_FAST_ONLY,
                                   FL_PINAPI_FAST, FL_PINAPI_FAST, FL_PINAPI_FIXUP, FL_PINAPI_DUMP, FL_PINAPI_FOLLOW};

    r->u.pin.api = FL_PICK(m, apis);
    r->u.pin.start = fl_pin_some_va(m) + (fl_one_in(m, 8) ? fl_below(m, PAGE) : 0);
    r->u.pin.n = fl_one_in(m, 2) ? 1 : some_pages(m);
    if (fl_one_in(m, 24))
        r->u.pin.n = fl_value_number(m);
    if (fl_one_in(m, 24))
        r->u.pin.start = fl_one_in(m, 2) ? FL_VSYSCALL : fl_value_task_size(m) - (uint64_t)PAGE * fl_below(m, 3);
    r->u.pin.flags = (uint16_t)(fl_one_in(m, 2) ? FL_FOLL_WRITE : 0);
    if (fl_one_in(m, 2))
        r->u.pin.flags |= FL_FOLL_FORCE;
    if (fl_one_in(m, 3))
        r->u.pin.flags ^= (uint16_t)(1u << fl_below(m, 12));
    r->u.pin.nonblocking = fl_one_in(m, 4);
    r->u.pin.remote = fl_one_in(m, 4);
    r->u.pin.pages = !fl_one_in(m, 4);
    r->u.pin.vmas = fl_one_in(m, 8);
}

void fl_pin_random_answer(struct fl_mutation *m, struct fl_record *r)
{
    static const uint8_t ops[] = {FL_PINOP_MM_FAULT, FL_PINOP_MM_FAULT, FL_PINOP_PAGE_GET,
                                  FL_PINOP_PAGE_GET_SPECULATIVE, FL_PINOP_HUGETLB_FAULT};

    r->u.answer.op = fl_one_in(m, 3) ? (uint8_t)fl_below(m, FL_PINOP_COUNT) : FL_PICK(m, ops);
    r->u.answer.nth = some_nth(m);
    r->u.answer.answer = (uint8_t)fl_below(m, fl_one_in(m, 8) ? FL_PINANS_COUNT : FL_PINANS_TRUE);
}

void fl_pin_some_point(struct fl_mutation *m, struct fl_record *r)
{
    static const uint8_t often[] = {FL_PINOP_READ,     FL_PINOP_READ,      FL_PINOP_READ,
                                    FL_PINOP_PTL_LOCK, FL_PINOP_PAGE_HEAD, FL_PINOP_PAGE_GET_SPECULATIVE,
                                    FL_PINOP_MM_FAULT, FL_PINOP_RESCHED,   FL_PINOP_FATAL_SIGNAL};

    r->u.act.op = fl_one_in(m, 2) ? FL_PICK(m, often) : (uint8_t)fl_below(m, FL_PINOP_COUNT);
    r->u.act.nth = some_nth(m);
}

void fl_pin_record_random(struct fl_mutation *m, struct fl_record *r)
{
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_AREA: fl_pin_random_area(m, r); break;
    case FL_REC_RACE: fl_pin_some_point(m, r); /* fallthrough */
    case FL_REC_ACT: random_act(m, r); break;
    case FL_REC_ANSWER: fl_pin_random_answer(m, r); break;
    default: fl_pin_random_pin(m, r); break;
    }
}

static void change_area(struct fl_mutation *m, struct fl_record *r)
{
    switch (fl_below(m, 7)) {
    case 0: r->u.area.start = some_base(m); break;
    case 1: r->u.area.pages = some_pages(m); break;
    case 2: r->u.area.kind = (uint8_t)fl_below(m, FL_AREA_KIND_COUNT); break;
    case 3: r->u.area.file_pages = fl_one_in(m, 2) ? fl_below(m, 8) : 1u << 20; break;
    case 4: r->u.area.file = (uint8_t)fl_below(m, 4); break;
    case 5: r->u.area.flags = some_flags(m, r->u.area.kind); break;
    default: r->u.area.flags ^= (uint16_t)(1u << fl_below(m, 11)); break;
    }
}

static void change_act(struct fl_mutation *m, struct fl_record *r)
{
    unsigned field = fl_below(m, r->kind == FL_REC_RACE ? 8 : 4);

    switch (field) {
    case 0: r->u.act.act = fl_pin_some_act(m); break;
    case 1: r->u.act.va = fl_pin_some_va(m); break;
    case 2: r->u.act.pages = some_pages(m); break;
    case 3: r->u.act.mm ^= 1; break;
    case 4:
    case 5: r->u.act.nth = (uint8_t)(r->u.act.nth + (fl_one_in(m, 2) ? 1 : -1)); break; /* the race moves by one call */
    default: r->u.act.op = (uint8_t)fl_below(m, FL_PINOP_COUNT); break;
    }
    if (r->u.act.nth == 0)
        r->u.act.nth = 1;
}

static void change_pin(struct fl_mutation *m, struct fl_record *r)
{
    switch (fl_below(m, 6)) {
    case 0: r->u.pin.api = (uint8_t)fl_below(m, FL_PINAPI_COUNT); break;
    case 1: r->u.pin.start = fl_pin_some_va(m); break;
    case 2: r->u.pin.n = fl_one_in(m, 4) ? fl_value_number(m) : some_pages(m); break;
    case 3: r->u.pin.nonblocking ^= 1; break;
    case 4: r->u.pin.pages ^= 1; break;
    default: r->u.pin.flags ^= (uint16_t)(1u << fl_below(m, 12)); break;
    }
}

void fl_pin_record_change(struct fl_mutation *m, struct fl_record *r)
{
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_AREA: change_area(m, r); break;
    case FL_REC_ACT:
    case FL_REC_RACE: change_act(m, r); break;
    case FL_REC_ANSWER: fl_pin_random_answer(m, r); break;
    default: change_pin(m, r); break;
    }
}
