/* SPDX-License-Identifier: MIT */
/* The same as reach.h of target gup: every value of what its records choose from, and situations that need several records. */
#ifndef FAULTLINE_TESTS_REACH_GUP_H
#define FAULTLINE_TESTS_REACH_GUP_H

#include "check.h"

#include <faultline/fuzz/scenario.h>
#include <faultline/pin.h>

enum reach_gup_shape {
    REACH_GUP_FORCED, /* a forced write to a private area that is read only, while its pages go away */
    REACH_GUP_MINOR,  /* ... of shmem, after userfault's minor mode has mapped its page */
    REACH_GUP_SHARED, /* ... to a shared area that is read only */
    REACH_GUP_HUGE,   /* ... to a huge area, after a call that reads with TOUCH */
    REACH_GUP_WRAP,   /* a fast call whose range wraps, or reaches beyond user space */
    REACH_GUP_HINT,   /* a fast call of a hinted page */
    REACH_GUP_FORKED, /* a call that reads, after a fork, and then a write */
    REACH_GUP_NOWAIT, /* NOWAIT, nonblocking, and a fault that asks for another try */
    REACH_GUP_SPLIT,  /* a fast call of a huge page, which is split after that */
    REACH_GUP_AWAY,   /* a fast call of a huge page of which a migration entry stands */
    REACH_GUP_FREED,  /* a fast call while pages go away, and flushes do not wait */
    REACH_GUP_GATE,   /* a call of the gate page */
    REACH_GUP_KILLED, /* a signal in the middle of a call for several pages */
    REACH_GUP_FULL,   /* a page with a count near its greatest value */
    REACH_GUP_KEY,    /* an area with a key, and keys in force */
    REACH_GUP_SHAPES
};
static const char *const reach_gup_names[REACH_GUP_SHAPES] = {"forced write, read-only private, pages go",
                                                              "forced write, shmem, minor mode",
                                                              "forced write, shared",
                                                              "touched huge page, forced write",
                                                              "fast, range wraps",
                                                              "fast, NUMA hint",
                                                              "fork, read pin, write",
                                                              "NOWAIT and another try",
                                                              "fast, huge, split later",
                                                              "fast, huge, migrating",
                                                              "fast, pages go, flush does not wait",
                                                              "gate page",
                                                              "signal in the middle",
                                                              "count nearly full",
                                                              "protection key in force"};

struct reach_gup {
    uint64_t act[FL_ACTOR_COUNT], race[FL_ACTOR_COUNT], race_at[FL_PINOP_COUNT], answer[FL_PINANS_COUNT],
        answer_at[FL_PINOP_COUNT], area[FL_AREA_KIND_COUNT], area_flag[11], api[FL_PINAPI_COUNT], foll[12], how[4];
    uint64_t special_bit[2], pv[2], many, mm1;
    uint64_t shape[REACH_GUP_SHAPES];
};

/* What the records in front of a call say of the page that it begins at. */
struct reach_gup_page {
    bool has_area, forked, uffd, hinted, migrating, full, touched, huge_fast;
    struct fl_record area;
};

static inline bool reach_gup_in(const struct fl_record *area, uint64_t va)
{
    return va >= area->u.area.start && (va - area->u.area.start) >> 12 < area->u.area.pages;
}

static inline void reach_gup_call(const struct fl_scenario *s, uint32_t at, struct reach_gup *n)
{
    const struct fl_record *pin = &s->records[at];
    const bool write = pin->u.pin.flags & FL_FOLL_WRITE, force = pin->u.pin.flags & FL_FOLL_FORCE,
               fast = pin->u.pin.api == FL_PINAPI_FAST || pin->u.pin.api == FL_PINAPI_FAST_ONLY,
               wide = s->machine.mode >= FL_MODE_4LEVEL;
    const uint64_t page = pin->u.pin.start & ~UINT64_C(0xfff);
    bool goes = false, killed = false, retry = false, waiting = true;
    struct reach_gup_page p = {0};

    for (uint32_t i = at; i-- > 0;) {
        const struct fl_record *r = &s->records[i];

        waiting &= r->kind != FL_REC_PIN;
        if (waiting && r->kind == FL_REC_RACE) {
            const unsigned act = r->u.act.act;

            goes |= r->u.act.va == page && (act == FL_ACTOR_DONTNEED || act == FL_ACTOR_RECLAIM ||
                                            act == FL_ACTOR_MUNMAP || act == FL_ACTOR_TRUNCATE);
            killed |= act == FL_ACTOR_SIGKILL;
        }
        retry |= waiting && r->kind == FL_REC_ANSWER && r->u.answer.op == FL_PINOP_MM_FAULT &&
                 (r->u.answer.answer == FL_PINANS_RETRY || r->u.answer.answer == FL_PINANS_RETRY_MAJOR);
        if (r->kind == FL_REC_ACT) {
            p.forked |= r->u.act.act == FL_ACTOR_FORK;
            p.uffd |= r->u.act.act == FL_ACTOR_UFFD_CONTINUE && r->u.act.va == page;
            p.hinted |= r->u.act.act == FL_ACTOR_HINT && r->u.act.va == page;
            p.migrating |= r->u.act.act == FL_ACTOR_MIGRATE_BEGIN && r->u.act.va == page;
            p.full |= r->u.act.act == FL_ACTOR_SATURATE && r->u.act.va == page;
        }
        p.touched |= r->kind == FL_REC_PIN && !(r->u.pin.flags & FL_FOLL_WRITE) &&
                     (r->u.pin.flags & FL_FOLL_TOUCH || r->u.pin.api == FL_PINAPI_USER) && r->u.pin.start == page;
        if (r->kind == FL_REC_AREA && !p.has_area && reach_gup_in(r, page)) {
            p.has_area = true;
            p.area = *r;
        }
    }
    n->shape[REACH_GUP_WRAP] += fast && pin->u.pin.n >= 0x80000;
    n->shape[REACH_GUP_GATE] += wide && s->machine.vsyscall && page == UINT64_C(0xffffffffff600000);
    n->shape[REACH_GUP_NOWAIT] += pin->u.pin.flags & FL_FOLL_NOWAIT && pin->u.pin.nonblocking && retry;
    n->shape[REACH_GUP_KILLED] += killed && pin->u.pin.n > 1;
    if (!p.has_area)
        return;
    const unsigned flags = p.area.u.area.flags;
    const bool read_only = flags & FL_AREA_READ && !(flags & FL_AREA_WRITE) && flags & FL_AREA_MAY_WRITE,
               forced = write && force && read_only;

    n->shape[REACH_GUP_FORCED] += forced && !(flags & FL_AREA_SHARED) && goes;
    n->shape[REACH_GUP_MINOR] += forced && p.area.u.area.kind == FL_AREA_SHMEM && p.uffd;
    n->shape[REACH_GUP_SHARED] += forced && flags & FL_AREA_SHARED;
    n->shape[REACH_GUP_HUGE] += forced && flags & FL_AREA_HUGE && p.touched;
    n->shape[REACH_GUP_HINT] += fast && p.hinted;
    n->shape[REACH_GUP_FREED] += fast && goes && s->machine.pv_flush;
    n->shape[REACH_GUP_AWAY] += fast && flags & FL_AREA_HUGE && p.migrating;
    n->shape[REACH_GUP_FULL] += p.full;
    n->shape[REACH_GUP_KEY] += wide && p.area.u.area.pkey && s->machine.pke && s->machine.kernel_pku &&
                               s->machine.pkru >> 2 * p.area.u.area.pkey & 3;
    for (uint32_t i = at + 1; i < s->nrecords && s->records[i].kind != FL_REC_PIN; i++) {
        const struct fl_record *r = &s->records[i];

        n->shape[REACH_GUP_FORKED] += p.forked && !write && r->kind == FL_REC_ACT && r->u.act.act == FL_ACTOR_WRITE &&
                                      r->u.act.mm == 0 && r->u.act.va == page;
        n->shape[REACH_GUP_SPLIT] += fast && flags & FL_AREA_HUGE && r->kind == FL_REC_ACT &&
                                     r->u.act.act == FL_ACTOR_SPLIT && reach_gup_in(&p.area, r->u.act.va);
    }
}

static inline void reach_look_gup(const struct fl_scenario *s, struct reach_gup *n)
{
    n->special_bit[s->machine.pte_special]++;
    n->pv[s->machine.pv_flush]++;
    for (uint32_t i = 0; i < s->nrecords; i++) {
        const struct fl_record *r = &s->records[i];

        switch ((enum fl_record_kind)r->kind) {
        case FL_REC_AREA:
            n->area[r->u.area.kind]++;
            for (unsigned bit = 0; bit < 11; bit++)
                n->area_flag[bit] += r->u.area.flags >> bit & 1;
            break;
        case FL_REC_RACE: n->race_at[r->u.act.op]++; /* fallthrough */
        case FL_REC_ACT:
            (r->kind == FL_REC_ACT ? n->act : n->race)[r->u.act.act]++;
            n->mm1 += r->u.act.mm;
            break;
        case FL_REC_ANSWER:
            n->answer[r->u.answer.answer]++;
            n->answer_at[r->u.answer.op]++;
            break;
        case FL_REC_PIN:
            n->api[r->u.pin.api]++;
            for (unsigned bit = 0; bit < 12; bit++)
                n->foll[bit] += r->u.pin.flags >> bit & 1;
            n->how[0] += r->u.pin.nonblocking;
            n->how[1] += r->u.pin.remote;
            n->how[2] += r->u.pin.pages;
            n->how[3] += r->u.pin.vmas;
            n->many += r->u.pin.n > 1;
            reach_gup_call(s, i, n);
            break;
        default: break;
        }
    }
}

/* Each at least once in 1,000 mutations; the flag GET is none of its own in records. */
static inline void reach_check_gup(const struct reach_gup *n, uint64_t mutations)
{
    const struct {
        const char *what;
        const uint64_t *counts;
        unsigned size, but;
    } all[] = {{"act", n->act, FL_ACTOR_COUNT, 99},
               {"race", n->race, FL_ACTOR_COUNT, 99},
               {"race at", n->race_at, FL_PINOP_COUNT, 99},
               {"answer", n->answer, FL_PINANS_COUNT, 99},
               {"answer at", n->answer_at, FL_PINOP_COUNT, 99},
               {"area", n->area, FL_AREA_KIND_COUNT, 99},
               {"area flag", n->area_flag, 11, 99},
               {"call", n->api, FL_PINAPI_COUNT, 99},
               {"flag", n->foll, 12, 2},
               {"option", n->how, 4, 99},
               {"pte-special", n->special_bit, 2, 99},
               {"pv-flush", n->pv, 2, 99},
               {"several pages", &n->many, 1, 99},
               {"the child", &n->mm1, 1, 99}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        for (unsigned k = 0; k < all[i].size; k++)
            CHECK((all[i].counts[k] > mutations / 1000) != (k == all[i].but), "gup: %s %u: %" PRIu64 " times",
                  all[i].what, k, all[i].counts[k]);
    for (unsigned i = 0; i < REACH_GUP_SHAPES; i++)
        CHECK(n->shape[i] > mutations / 1000, "gup: %s: %" PRIu64 " times", reach_gup_names[i], n->shape[i]);
}

#endif
