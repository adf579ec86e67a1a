/* SPDX-License-Identifier: MIT */
/* Target gup: idioms: areas, what becomes of their pages, a call, and who gets between. */
#include "mutator.h"

#include <faultline/pin.h>
#include <string.h>

#define PAGE 4096u

static struct fl_record *add_area(struct fl_mutation *m, struct fl_idiom_out *out, unsigned kind, unsigned flags)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_AREA);

    fl_pin_random_area(m, r);
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

    fl_pin_random_pin(m, r);
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

    fl_pin_random_area(m, a);
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
        add_act(out, kind == FL_AREA_SHMEM && fl_one_in(m, 2) ? FL_ACTOR_UFFD_CONTINUE : FL_ACTOR_READ, va, 0);
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
    struct fl_record *a = add_area(m, out, FL_AREA_ANON, FL_AREA_READ | FL_AREA_WRITE | FL_AREA_HUGE), *p;
    uint64_t va;

    a->u.area.start = 0x800000;
    a->u.area.pages = 2048;
    va = a->u.area.start + (uint64_t)PAGE * fl_below(m, 4);
    add_act(out, fl_one_in(m, 4) ? FL_ACTOR_READ : FL_ACTOR_WRITE, va, 0);
    if (fl_one_in(m, 3))
        add_act(out, (enum fl_act)FL_PICK(m, who), va, 0);
    if (!fl_one_in(m, 3))
        add_race(m, out, (enum fl_act)FL_PICK(m, who), va);
    p = add_pin(m, out, va, write_or_read(m));
    if (fl_one_in(m, 2)) {
        p->u.pin.api = (uint8_t)(fl_one_in(m, 2) ? FL_PINAPI_FAST : FL_PINAPI_FAST_ONLY);
        p->u.pin.n = 1 + fl_below(m, 4);
        m->machine.pv_flush ^= fl_one_in(m, 2);
        fl_machine_changed(m);
    }
    if (fl_one_in(m, 2))
        add_act(out, FL_ACTOR_SPLIT, va, 0);
    if (fl_one_in(m, 2))
        add_act(out, FL_ACTOR_UNPIN, va, 0);
}

/* A page is freed under the fast path, where flushes do not wait for it, and its frame is another page's at once. */
static void reused(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t va = add_area(m, out, FL_AREA_ANON, FL_AREA_READ | FL_AREA_WRITE)->u.area.start;
    struct fl_record *first;

    out->r[out->n - 1].u.area.pages += 2;
    m->machine.pv_flush = true;
    fl_machine_changed(m);
    add_act(out, FL_ACTOR_WRITE, va, 0);
    add_race(m, out, fl_one_in(m, 2) ? FL_ACTOR_DONTNEED : FL_ACTOR_MUNMAP, va);
    first = &out->r[out->n - 1];
    add_race(m, out, FL_ACTOR_WRITE, va + PAGE);
    out->r[out->n - 1].u.act.op = first->u.act.op;
    out->r[out->n - 1].u.act.nth = first->u.act.nth;
    add_pin(m, out, va, write_or_read(m))->u.pin.api =
        (uint8_t)(fl_one_in(m, 2) ? FL_PINAPI_FAST : FL_PINAPI_FAST_ONLY);
}

/* The fast path, and who may run without its taking a lock. */
static void fast(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t who[] = {FL_ACTOR_MUNMAP, FL_ACTOR_MPROTECT, FL_ACTOR_DONTNEED, FL_ACTOR_RECLAIM,
                                  FL_ACTOR_HINT,   FL_ACTOR_SPLIT,    FL_ACTOR_SATURATE, FL_ACTOR_DEVICE_GONE};
    struct fl_record *a, *p;
    uint64_t va;

    if (fl_one_in(m, 6)) {
        reused(m, out);
        return;
    }
    a = fl_idiom_add(out, FL_REC_AREA);
    fl_pin_random_area(m, a);
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

    fl_pin_random_area(m, a);
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

    fl_pin_random_area(m, a);
    va = a->u.area.start;
    for (unsigned n = 1 + fl_below(m, 2); n; n--)
        fl_pin_random_answer(m, fl_idiom_add(out, FL_REC_ANSWER));
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
    for (uint64_t from = fl_one_in(m, 2) ? 0 : 3; from < 4; from++)
        add_act(out, FL_ACTOR_WRITE, a->u.area.start + from * PAGE, 0);
    p = add_pin(m, out, a->u.area.start + (uint64_t)PAGE * fl_below(m, 5), write_or_read(m));
    p->u.pin.n = 1 + fl_below(m, 6);
    if (fl_one_in(m, 4))
        p->u.pin.n = (fl_one_in(m, 2) ? 0x80000u : 0x100000u) + fl_below(m, 3);
    if (fl_one_in(m, 2))
        p->u.pin.api = (uint8_t)(fl_one_in(m, 3) ? FL_PINAPI_FAST : FL_PINAPI_FAST_ONLY);
    if (fl_one_in(m, 3)) {
        if (fl_one_in(m, 3)) {
            out->r[out->n++] = *p; /* what is not mapped any more */
            p->kind = FL_REC_ACT;
            memset(&p->u, 0, sizeof p->u);
            p->u.act.act = FL_ACTOR_GATE_GONE;
            p->u.act.pages = 1;
            p++;
        }
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
