/* SPDX-License-Identifier: MIT */
/* Target gup: records of pinning, and idioms: areas, what becomes of their pages, a call, and who gets between. */
#include "mutator.h"

#include <faultline/pin.h>
#include <string.h>

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

static void random_area(struct fl_mutation *m, struct fl_record *r)
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

static void random_pin(struct fl_mutation *m, struct fl_record *r)
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

static void random_answer(struct fl_mutation *m, struct fl_record *r)
{
    static const uint8_t ops[] = {FL_PINOP_MM_FAULT, FL_PINOP_MM_FAULT, FL_PINOP_PAGE_GET,
                                  FL_PINOP_PAGE_GET_SPECULATIVE, FL_PINOP_HUGETLB_FAULT};

    r->u.answer.op = fl_one_in(m, 3) ? (uint8_t)fl_below(m, FL_PINOP_COUNT) : FL_PICK(m, ops);
    r->u.answer.nth = some_nth(m);
    r->u.answer.answer = (uint8_t)fl_below(m, fl_one_in(m, 8) ? FL_PINANS_COUNT : FL_PINANS_TRUE);
}

void fl_pin_some_point(struct fl_mutation *m, struct fl_record *r)
{
    r->u.act.op = (uint8_t)fl_below(m, FL_PINOP_COUNT);
    r->u.act.nth = some_nth(m);
}

void fl_pin_record_random(struct fl_mutation *m, struct fl_record *r)
{
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_AREA: random_area(m, r); break;
    case FL_REC_RACE: fl_pin_some_point(m, r); /* fallthrough */
    case FL_REC_ACT: random_act(m, r); break;
    case FL_REC_ANSWER: random_answer(m, r); break;
    default: random_pin(m, r); break;
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
    case FL_REC_ANSWER: random_answer(m, r); break;
    default: change_pin(m, r); break;
    }
}

/* ---- idioms ------------------------------------------------------------------------------------------------------- */

static struct fl_record *add_area(struct fl_mutation *m, struct fl_idiom_out *out, unsigned kind, unsigned flags)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_AREA);

    random_area(m, r);
    r->u.area.kind = (uint8_t)kind;
    r->u.area.flags = (uint16_t)flags;
    r->u.area.file_pages = 1u << 20;
    return r;
}

static void add_act(struct fl_idiom_out *out, enum fl_act act, uint64_t va, unsigned mm)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_ACT);

    r->u.act.act = (uint8_t)act;
    r->u.act.va = va;
    r->u.act.pages = 1;
    r->u.act.mm = (uint8_t)mm;
}

/* Somebody gets between the steps of the next call. */
static void add_race(struct fl_mutation *m, struct fl_idiom_out *out, enum fl_act act, uint64_t va)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_RACE);

    r->u.act.act = (uint8_t)act;
    r->u.act.va = va;
    r->u.act.pages = 1;
    fl_pin_some_point(m, r);
}

static struct fl_record *add_pin(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned flags)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_PIN);

    random_pin(m, r);
    r->u.pin.start = va;
    r->u.pin.flags = (uint16_t)flags;
    return r;
}

static unsigned write_or_read(struct fl_mutation *m)
{
    return fl_one_in(m, 2) ? FL_FOLL_WRITE : 0;
}

/* The area has a key of its own, and the task's keys say something of it. */
static void with_key(struct fl_mutation *m, struct fl_record *area)
{
    if (!fl_want_wide(m, true))
        return;
    area->u.area.pkey = (uint8_t)(1 + fl_below(m, 15));
    m->machine.pke = m->machine.kernel_pku = true;
    m->machine.pkru = (1 + fl_below(m, 3)) << 2 * area->u.area.pkey;
    fl_machine_changed(m);
}

/* An area, perhaps touched, and a call. */
static void plain(struct fl_mutation *m, struct fl_idiom_out *out)
{
    struct fl_record *a = fl_idiom_add(out, FL_REC_AREA);
    uint64_t va;

    random_area(m, a);
    if (fl_one_in(m, 8))
        with_key(m, a);
    va = a->u.area.start;
    if (fl_one_in(m, 2))
        add_act(out, fl_one_in(m, 2) ? FL_ACTOR_READ : FL_ACTOR_WRITE, va, 0);
    add_pin(m, out, va, write_or_read(m));
}

/* A private mapping that is read only, written to by force, while pages go away. */
static void forced(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t kinds[] = {FL_AREA_FILE, FL_AREA_FILE, FL_AREA_SHMEM, FL_AREA_ANON, FL_AREA_HUGETLB};
    static const uint8_t who[] = {FL_ACTOR_DONTNEED, FL_ACTOR_DONTNEED, FL_ACTOR_READ,     FL_ACTOR_UFFD_CONTINUE,
                                  FL_ACTOR_RECLAIM,  FL_ACTOR_MUNMAP,   FL_ACTOR_TRUNCATE, FL_ACTOR_FORK};
    unsigned kind = FL_PICK(m, kinds), flags = FL_AREA_READ | FL_AREA_MAY_WRITE;
    uint64_t va;

    if (kind == FL_AREA_ANON)
        flags |= FL_AREA_HUGE;
    va = add_area(m, out, kind, flags)->u.area.start;
    if (fl_one_in(m, 2))
        add_act(out, FL_ACTOR_READ, va, 0);
    for (unsigned n = 1 + fl_below(m, 2); n; n--)
        add_race(m, out, (enum fl_act)FL_PICK(m, who), va);
    add_pin(m, out, va, FL_FOLL_WRITE | FL_FOLL_FORCE)->u.pin.api =
        (uint8_t)(fl_one_in(m, 2) ? FL_PINAPI_USER : FL_PINAPI_PIN);
    if (fl_one_in(m, 2))
        add_act(out, FL_ACTOR_USE, va, 0);
}

/* A page that a fork shares, pinned from one side, written to from both. */
static void forked(struct fl_mutation *m, struct fl_idiom_out *out)
{
    unsigned flags = FL_AREA_READ | FL_AREA_WRITE | (fl_one_in(m, 2) ? FL_AREA_HUGE : 0);
    uint64_t va = add_area(m, out, FL_AREA_ANON, flags)->u.area.start;

    add_act(out, FL_ACTOR_WRITE, va, 0);
    add_act(out, FL_ACTOR_FORK, va, 0);
    if (fl_one_in(m, 3))
        add_act(out, FL_ACTOR_EXIT, va, 0);
    add_pin(m, out, va, write_or_read(m));
    if (fl_one_in(m, 2))
        add_act(out, FL_ACTOR_WRITE, va, 1);
    add_act(out, FL_ACTOR_WRITE, va, 0);
    add_act(out, FL_ACTOR_USE, va, 0);
}

/* A huge page, split or collapsed before, in or after the call. */
static void huge(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t who[] = {FL_ACTOR_SPLIT,  FL_ACTOR_SPLIT, FL_ACTOR_SPLIT_BEGIN,   FL_ACTOR_DONTNEED,
                                  FL_ACTOR_MUNMAP, FL_ACTOR_HINT,  FL_ACTOR_MIGRATE_BEGIN, FL_ACTOR_COLLAPSE};
    struct fl_record *a = add_area(m, out, FL_AREA_ANON, FL_AREA_READ | FL_AREA_WRITE | FL_AREA_HUGE);
    uint64_t va;

    a->u.area.start = 0x800000;
    a->u.area.pages = 2048;
    va = a->u.area.start + (uint64_t)PAGE * fl_below(m, 4);
    add_act(out, fl_one_in(m, 4) ? FL_ACTOR_READ : FL_ACTOR_WRITE, va, 0);
    if (fl_one_in(m, 3))
        add_act(out, (enum fl_act)FL_PICK(m, who), va, 0);
    if (!fl_one_in(m, 3))
        add_race(m, out, (enum fl_act)FL_PICK(m, who), va);
    add_pin(m, out, va, write_or_read(m));
    if (fl_one_in(m, 2))
        add_act(out, FL_ACTOR_SPLIT, va, 0);
    if (fl_one_in(m, 2))
        add_act(out, FL_ACTOR_UNPIN, va, 0);
}

/* The fast path, and who may run without its taking a lock. */
static void fast(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t who[] = {FL_ACTOR_MUNMAP, FL_ACTOR_MPROTECT, FL_ACTOR_DONTNEED, FL_ACTOR_RECLAIM,
                                  FL_ACTOR_HINT,   FL_ACTOR_SPLIT,    FL_ACTOR_SATURATE, FL_ACTOR_DEVICE_GONE};
    struct fl_record *a = fl_idiom_add(out, FL_REC_AREA), *p;
    uint64_t va;

    random_area(m, a);
    a->u.area.flags |= FL_AREA_READ | FL_AREA_WRITE;
    a->u.area.file_pages = 1u << 20;
    va = a->u.area.start;
    for (unsigned n = fl_below(m, 3); n; n--)
        add_act(out, FL_ACTOR_WRITE, va + (uint64_t)PAGE * (n - 1), 0);
    if (fl_one_in(m, 4))
        add_act(out, (enum fl_act)FL_PICK(m, who), va, 0);
    if (!fl_one_in(m, 3))
        add_race(m, out, (enum fl_act)FL_PICK(m, who), va);
    p = add_pin(m, out, va, write_or_read(m));
    p->u.pin.api = (uint8_t)(fl_one_in(m, 2) ? FL_PINAPI_FAST : FL_PINAPI_FAST_ONLY);
    if (fl_one_in(m, 4)) {
        m->machine.pv_flush ^= true;
        fl_machine_changed(m);
    }
}

/* Pages that are elsewhere: swapped out, on their way, poisoned, hinted at. */
static void away(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t what[] = {FL_ACTOR_RECLAIM, FL_ACTOR_MIGRATE_BEGIN, FL_ACTOR_HINT,     FL_ACTOR_POISON,
                                   FL_ACTOR_CLEAN,   FL_ACTOR_SATURATE,      FL_ACTOR_TRUNCATE, FL_ACTOR_UFFD_CONTINUE};
    struct fl_record *a = fl_idiom_add(out, FL_REC_AREA);
    uint64_t va;

    random_area(m, a);
    a->u.area.file_pages = 1u << 20;
    va = a->u.area.start;
    add_act(out, fl_one_in(m, 2) ? FL_ACTOR_READ : FL_ACTOR_WRITE, va, 0);
    add_act(out, (enum fl_act)FL_PICK(m, what), va, 0);
    if (fl_one_in(m, 4))
        add_race(m, out, FL_ACTOR_MIGRATE_END, va);
    add_pin(m, out, va, write_or_read(m) | (fl_one_in(m, 2) ? FL_FOLL_FORCE : 0));
}

/* The fault handler asks for another try, of a caller that takes it. */
static void again(struct fl_mutation *m, struct fl_idiom_out *out, struct fl_record *pin)
{
    struct fl_record *a = &out->r[1]; /* the first answer */

    a->u.answer.op = FL_PINOP_MM_FAULT;
    a->u.answer.nth = (uint8_t)(1 + fl_below(m, 2));
    a->u.answer.answer = fl_one_in(m, 2) ? FL_PINANS_RETRY : FL_PINANS_RETRY_MAJOR;
    pin->u.pin.api = fl_one_in(m, 4) ? FL_PINAPI_FIXUP : FL_PINAPI_PIN;
    pin->u.pin.nonblocking = true;
    if (fl_one_in(m, 2))
        pin->u.pin.flags |= FL_FOLL_NOWAIT;
}

/* Faults that are answered otherwise, signals. */
static void answered(struct fl_mutation *m, struct fl_idiom_out *out)
{
    struct fl_record *a = fl_idiom_add(out, FL_REC_AREA), *p;
    uint64_t va;

    random_area(m, a);
    va = a->u.area.start;
    for (unsigned n = 1 + fl_below(m, 2); n; n--)
        random_answer(m, fl_idiom_add(out, FL_REC_ANSWER));
    if (fl_one_in(m, 3))
        add_race(m, out, FL_ACTOR_SIGKILL, va);
    p = add_pin(m, out, va, write_or_read(m) | (fl_one_in(m, 3) ? FL_FOLL_NOWAIT : 0));
    p->u.pin.nonblocking = fl_one_in(m, 2);
    if (fl_one_in(m, 3))
        again(m, out, p);
}

/* Where areas, tables and user space end; the gate page. */
static void edges(struct fl_mutation *m, struct fl_idiom_out *out)
{
    struct fl_record *a = add_area(m, out, FL_AREA_ANON, FL_AREA_READ | FL_AREA_WRITE), *p;
    uint64_t top = fl_value_task_size(m);

    a->u.area.pages = 4;
    a->u.area.start = fl_one_in(m, 2) ? top - 4 * PAGE : 0x3fffe000;
    if (fl_one_in(m, 4))
        a->u.area.flags |= FL_AREA_GROWSDOWN;
    add_act(out, FL_ACTOR_WRITE, a->u.area.start + 3 * PAGE, 0);
    p = add_pin(m, out, a->u.area.start + (uint64_t)PAGE * fl_below(m, 5), write_or_read(m));
    p->u.pin.n = fl_one_in(m, 4) ? 0x80000u + fl_below(m, 3) : 1 + fl_below(m, 6);
    if (fl_one_in(m, 3)) {
        m->machine.vsyscall ^= true;
        fl_machine_changed(m);
        p->u.pin.start = FL_VSYSCALL;
        p->u.pin.api = (uint8_t)(fl_one_in(m, 2) ? FL_PINAPI_USER : FL_PINAPI_PIN);
    }
    if (fl_one_in(m, 8))
        p->u.pin.start = a->u.area.start - (uint64_t)PAGE * fl_below(m, 40);
}

void fl_idiom_pin(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out)
{
    switch (idiom) {
    case FL_IDIOM_PIN_FORCED: forced(m, out); break;
    case FL_IDIOM_PIN_FORKED: forked(m, out); break;
    case FL_IDIOM_PIN_HUGE: huge(m, out); break;
    case FL_IDIOM_PIN_FAST: fast(m, out); break;
    case FL_IDIOM_PIN_AWAY: away(m, out); break;
    case FL_IDIOM_PIN_ANSWERED: answered(m, out); break;
    case FL_IDIOM_PIN_EDGES: edges(m, out); break;
    default: plain(m, out); break;
    }
}
