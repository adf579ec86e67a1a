/* SPDX-License-Identifier: MIT */
/* The pages that a scenario is about, from step to step. */
#include <faultline/fuzz/pin_story.h>

#include <string.h>

#define RANGE_PAGES 8

static void add(struct fl_pin_follow *f, unsigned mm, uint64_t va)
{
    va &= ~UINT64_C(0xfff);
    for (unsigned i = 0; i < f->n; i++)
        if (f->at[i].va == va && f->at[i].mm == mm)
            return;
    if (f->n == FL_PIN_FOLLOWED)
        return;
    memset(&f->at[f->n], 0, sizeof f->at[0]);
    f->at[f->n].va = va;
    f->at[f->n++].mm = (uint8_t)mm;
}

void fl_pin_follow_page(struct fl_pin_follow *f, uint64_t va)
{
    add(f, 0, va);
    add(f, 1, va);
}

static int64_t pages_of(const struct fl_record *r)
{
    bool fast = r->u.pin.api == FL_PINAPI_FAST || r->u.pin.api == FL_PINAPI_FAST_ONLY;

    return fast ? (int32_t)r->u.pin.n : (int64_t)r->u.pin.n;
}

void fl_pin_follow_begin(struct fl_pin_follow *f, const struct fl_scenario *s)
{
    f->n = 0;
    /* From the end: a finding is about what came last. */
    for (unsigned i = s->nrecords; i-- > 0;) {
        const struct fl_record *r = &s->records[i];

        if (r->kind == FL_REC_PIN)
            for (int64_t k = 0; k < RANGE_PAGES && k < pages_of(r); k++)
                fl_pin_follow_page(f, r->u.pin.start + (uint64_t)k * 4096);
        else if (r->kind == FL_REC_ACT || r->kind == FL_REC_RACE)
            fl_pin_follow_page(f, r->u.act.va);
    }
}

void fl_pin_follow_step(struct fl_pin_follow *f, const struct fl_pin_world *w,
                        void (*changed)(void *ctx, unsigned i, const struct fl_pin_place *before,
                                        const struct fl_pin_place *after),
                        void *ctx)
{
    for (unsigned i = 0; i < f->n; i++) {
        struct fl_pin_place now;

        fl_pin_world_look(w, f->at[i].mm, f->at[i].va, &now);
        if (memcmp(&now, &f->at[i].now, sizeof now) == 0)
            continue;
        if (changed)
            changed(ctx, i, &f->at[i].now, &now);
        f->at[i].now = now;
    }
}
