/* SPDX-License-Identifier: MIT */
/* One call of pinning by this tree's core in a world, as the judge makes it. */
#ifndef FAULTLINE_TESTS_PIN_RUN_H
#define FAULTLINE_TESTS_PIN_RUN_H

#include <faultline/fuzz/pin_world.h>
#include <string.h>

static inline bool run_is_fast(const struct fl_record *r)
{
    return r->u.pin.api == FL_PINAPI_FAST || r->u.pin.api == FL_PINAPI_FAST_ONLY;
}

/* Is there room for what it asks for? The judge cuts down what is longer. */
static inline bool run_fits(const struct fl_record *r)
{
    return r->u.pin.n <= FL_PIN_ROOM || (run_is_fast(r) && (int32_t)r->u.pin.n < 0);
}

static inline void run_call(struct fl_pin_world *w, const struct fl_record *r, struct fl_pinned *out,
                            struct fl_pin_call *call, struct fl_pin_seen *seen)
{
    const struct fl_gup_space *space = fl_pin_world_space(w);
    const struct fl_gup_ops *ops = fl_pin_world_ops();
    bool write = r->u.pin.flags & FL_FOLL_WRITE, force = r->u.pin.flags & FL_FOLL_FORCE;
    unsigned flags = r->u.pin.flags | (r->u.pin.pages ? FL_FOLL_GET : 0);
    uint64_t *pfns = fl_pin_world_pfns(w), start = r->u.pin.start, mask;
    int32_t n = (int32_t)r->u.pin.n;
    struct fl_pin_vma vma;

    *out = (struct fl_pinned){.lock_held = !run_is_fast(r)};
    fl_pin_world_event_begin(w, r);
    switch ((enum fl_pin_api)r->u.pin.api) {
    case FL_PINAPI_PIN:
        fl_gup()->pin(space, start, r->u.pin.n, flags, r->u.pin.nonblocking, r->u.pin.pages ? pfns : NULL, NULL, ops, w,
                      out);
        break;
    case FL_PINAPI_USER:
        fl_gup()->pin_user(space, start, r->u.pin.n, write, force, r->u.pin.pages ? pfns : NULL, NULL, ops, w, out);
        break;
    case FL_PINAPI_FAST: fl_gup()->pin_fast(space, start, n, write, pfns, ops, w, out); break;
    case FL_PINAPI_FAST_ONLY: fl_gup()->pin_fast_only(space, start, n, write, pfns, ops, w, out); break;
    case FL_PINAPI_FIXUP:
        fl_gup()->fixup(space, start, (write ? FL_MM_WRITE : 0) | (r->u.pin.nonblocking ? FL_MM_ALLOW_RETRY : 0), ops,
                        w, out);
        break;
    case FL_PINAPI_DUMP:
        if (fl_gup()->dump(space, start, pfns, ops, w) == FL_OK)
            out->pages = pfns[0] != FL_NO_PAGE;
        break;
    default:
        if (ops->vma_find(w, start, &vma))
            fl_gup()->follow(space, &vma, start & ~UINT64_C(0xfff), flags, ops, w, pfns, &mask, out);
        break;
    }
    fl_pin_world_event_end(w, out, call, seen);
}

#endif
