/* SPDX-License-Identifier: MIT */
/* Pinning that is wrong in one thing: this tree's, with ops put in front of those that it is given, or an answer changed. */
#ifndef FAULTLINE_TESTS_EXPLAIN_PIN_LAYER_H
#define FAULTLINE_TESTS_EXPLAIN_PIN_LAYER_H

#include <faultline/gup.h>

#include <stdlib.h>
#include <string.h>

#define ZERO_FRAME  256 /* of the world's frames: the zero page */
#define FAR_PAGE    32  /* the first page of a range that is not looked at by itself */
#define START       UINT64_C(0x600000)
#define FAR_ADDRESS (START + FAR_PAGE * UINT64_C(4096))

struct pin_layer {
    struct fl_gup_ops ops; /* those that are not NULL are called instead */
    /* After pin, pin_user and both of the fast path; api: enum fl_pin_api by the name of the function. */
    void (*after)(const char *function, uint64_t n, uint64_t *pfns, const struct fl_gup_ops *ops, void *ctx,
                  struct fl_pinned *out);
};

static const struct pin_layer no_pin_layer;
static const struct pin_layer *pin_layer = &no_pin_layer;
static const struct fl_gup_ops *pin_below; /* what the call under way was given */
static bool pin_broken_cow;                /* in this call a fault has said so */

static inline struct fl_gup_ops pin_in_front(const struct fl_gup_ops *ops)
{
    typedef void (*op)(void);
    struct fl_gup_ops out = *ops;

    pin_below = ops;
    pin_broken_cow = false;
    for (size_t at = 0; at < sizeof out; at += sizeof(op)) {
        op own;

        memcpy(&own, (const char *)&pin_layer->ops + at, sizeof own);
        if (own)
            memcpy((char *)&out + at, &own, sizeof own);
    }
    return out;
}

static inline enum fl_status pin_after(const char *function, enum fl_status status, uint64_t n, uint64_t *pfns,
                                       const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out)
{
    if (pin_layer->after)
        pin_layer->after(function, n, pfns, ops, ctx, out);
    return status;
}

static inline enum fl_status layered_pin(const struct fl_gup_space *space, uint64_t start, uint64_t n, unsigned flags,
                                         bool nonblocking, uint64_t *pfns, uint32_t *gens, const struct fl_gup_ops *ops,
                                         void *ctx, struct fl_pinned *out)
{
    struct fl_gup_ops own = pin_in_front(ops);

    return pin_after("pin", fl_gup()->pin(space, start, n, flags, nonblocking, pfns, gens, &own, ctx, out), n, pfns,
                     ops, ctx, out);
}

static inline enum fl_status layered_pin_user(const struct fl_gup_space *space, uint64_t start, uint64_t n, bool write,
                                              bool force, uint64_t *pfns, uint32_t *gens, const struct fl_gup_ops *ops,
                                              void *ctx, struct fl_pinned *out)
{
    struct fl_gup_ops own = pin_in_front(ops);

    return pin_after("user", fl_gup()->pin_user(space, start, n, write, force, pfns, gens, &own, ctx, out), n, pfns,
                     ops, ctx, out);
}

static inline enum fl_status layered_fast_only(const struct fl_gup_space *space, uint64_t start, int32_t n, bool write,
                                               uint64_t *pfns, const struct fl_gup_ops *ops, void *ctx,
                                               struct fl_pinned *out)
{
    struct fl_gup_ops own = pin_in_front(ops);

    return pin_after("fast-only", fl_gup()->pin_fast_only(space, start, n, write, pfns, &own, ctx, out), (uint64_t)n,
                     pfns, ops, ctx, out);
}

static inline enum fl_status layered_fast(const struct fl_gup_space *space, uint64_t start, int32_t n, bool write,
                                          uint64_t *pfns, const struct fl_gup_ops *ops, void *ctx,
                                          struct fl_pinned *out)
{
    struct fl_gup_ops own = pin_in_front(ops);

    return pin_after("fast", fl_gup()->pin_fast(space, start, n, write, pfns, &own, ctx, out), (uint64_t)n, pfns, ops,
                     ctx, out);
}

static inline enum fl_status layered_fixup(const struct fl_gup_space *space, uint64_t addr, unsigned flags,
                                           const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out)
{
    struct fl_gup_ops own = pin_in_front(ops);

    return pin_after("fixup", fl_gup()->fixup(space, addr, flags, &own, ctx, out), 0, NULL, ops, ctx, out);
}

static inline enum fl_status layered_dump(const struct fl_gup_space *space, uint64_t addr, uint64_t *pfn,
                                          const struct fl_gup_ops *ops, void *ctx)
{
    struct fl_gup_ops own = pin_in_front(ops);

    return fl_gup()->dump(space, addr, pfn, &own, ctx);
}

static inline enum fl_status layered_follow(const struct fl_gup_space *space, const struct fl_pin_vma *vma,
                                            uint64_t addr, unsigned flags, const struct fl_gup_ops *ops, void *ctx,
                                            uint64_t *pfn, uint64_t *mask, struct fl_pinned *out)
{
    struct fl_gup_ops own = pin_in_front(ops);

    return pin_after("follow", fl_gup()->follow(space, vma, addr, flags, &own, ctx, pfn, mask, out), 1, pfn, ops, ctx,
                     out);
}

static inline const struct fl_gup *layered_gup(void)
{
    static const struct fl_gup gup = {.abi = FL_GUP_ABI,
                                      .name = "layered",
                                      .pin = layered_pin,
                                      .pin_user = layered_pin_user,
                                      .pin_fast_only = layered_fast_only,
                                      .pin_fast = layered_fast,
                                      .fixup = layered_fixup,
                                      .dump = layered_dump,
                                      .follow = layered_follow};

    return &gup;
}

/* ---- what is done wrong ---------------------------------------------------------------------------------------------- */

/* CVE-2016-5195: once copy on write has been broken the write is forgotten, and the copy believed in. */
static inline struct fl_pin_fault forgets_the_write(void *ctx, uint32_t generation, uint64_t addr, unsigned flags,
                                                    bool nowait)
{
    struct fl_pin_fault got =
        pin_below->mm_fault(ctx, generation, addr, pin_broken_cow ? flags & ~(unsigned)FL_MM_WRITE : flags, nowait);

    pin_broken_cow |= got.wrote;
    return got;
}

static inline bool believes_in_the_copy(void *ctx, uint64_t pfn)
{
    return pin_below->page_anon_exclusive(ctx, pfn) || pin_broken_cow;
}

static inline bool says_yes(void *ctx, uint64_t pfn)
{
    (void)ctx, (void)pfn;
    return true;
}

static inline bool says_no(void *ctx, uint64_t pfn)
{
    (void)ctx, (void)pfn;
    return false;
}

static inline bool no_signal(void *ctx)
{
    pin_below->fatal_signal(ctx);
    return false;
}

static inline void counts_it_major(void *ctx, bool major)
{
    (void)major;
    pin_below->account(ctx, true);
}

static inline bool unlocks_too_much(void *ctx)
{
    pin_below->ptl_unlock(ctx);
    return pin_below->fatal_signal(ctx);
}

static inline void keeps_the_lock(void *ctx)
{
    (void)ctx;
}

static inline bool gets_twice(void *ctx, uint64_t pfn)
{
    return pin_below->page_get(ctx, pfn) && pin_below->page_get(ctx, pfn);
}

static inline bool gives_back_too_much(void *ctx, uint64_t pfn)
{
    bool got = pin_below->page_get(ctx, pfn);

    pin_below->page_put(ctx, pfn, 2); /* the world lets one of them go, and says so */
    return got && pin_below->page_get(ctx, pfn);
}

static inline bool gets_another_too(void *ctx, uint64_t addr, struct fl_pin_vma *vma)
{
    pin_below->page_get(ctx, ZERO_FRAME);
    return pin_below->vma_find(ctx, addr, vma);
}

static inline bool finds_it_readable(void *ctx, uint64_t addr, struct fl_pin_vma *vma)
{
    bool found = pin_below->vma_find(ctx, addr, vma);

    vma->read = true;
    return found;
}

static inline bool finds_no_key(void *ctx, uint64_t addr, struct fl_pin_vma *vma)
{
    bool found = pin_below->vma_find(ctx, addr, vma);

    vma->pkey = 0;
    return found;
}

/* R/W and not special, whatever the entry says. */
static inline bool reads_it_writable(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    bool ok = pin_below->read(ctx, paddr, size, value);

    if (ok && (*value & 1))
        *value |= 2;
    return ok;
}

static inline bool reads_it_plain(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    bool ok = pin_below->read(ctx, paddr, size, value);

    if (ok && (*value & 1))
        *value &= ~(UINT64_C(1) << 9);
    return ok;
}

static inline bool is_far(uint64_t paddr)
{
    return (paddr & 0xfff) == ((FAR_ADDRESS >> 12) & 511) * 8;
}

static inline bool reads_far_writable(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    bool ok = pin_below->read(ctx, paddr, size, value);

    if (ok && is_far(paddr) && (*value & 1))
        *value |= 2;
    return ok;
}

static inline struct fl_pin_fault forgets_far_writes(void *ctx, uint32_t generation, uint64_t addr, unsigned flags,
                                                     bool nowait)
{
    return pin_below->mm_fault(ctx, generation, addr, addr == FAR_ADDRESS ? flags & ~(unsigned)FL_MM_WRITE : flags,
                               nowait);
}

static inline void tells_a_lie(const char *function, uint64_t n, uint64_t *pfns, const struct fl_gup_ops *ops,
                               void *ctx, struct fl_pinned *out)
{
    (void)function, (void)n, (void)pfns, (void)ops, (void)ctx;
    out->lock_held = !out->lock_held;
}

static inline void asserts(const char *function, uint64_t n, uint64_t *pfns, const struct fl_gup_ops *ops, void *ctx,
                           struct fl_pinned *out)
{
    (void)function, (void)n, (void)pfns, (void)ops, (void)ctx;
    out->error = FL_PIN_BUG;
}

static inline void hands_out_another(const char *function, uint64_t n, uint64_t *pfns, const struct fl_gup_ops *ops,
                                     void *ctx, struct fl_pinned *out)
{
    (void)function, (void)n;
    if (!pfns || !out->pages)
        return;
    ops->page_put(ctx, pfns[0], 1);
    ops->page_get(ctx, ZERO_FRAME);
    pfns[0] = ZERO_FRAME;
}

static inline void hands_out_more(const char *function, uint64_t n, uint64_t *pfns, const struct fl_gup_ops *ops,
                                  void *ctx, struct fl_pinned *out)
{
    (void)function, (void)n, (void)ops, (void)ctx;
    if (pfns)
        pfns[out->pages] = pfns[0];
    out->pages++;
}

static inline void slow_refuses(const char *function, uint64_t n, uint64_t *pfns, const struct fl_gup_ops *ops,
                                void *ctx, struct fl_pinned *out)
{
    (void)n, (void)pfns, (void)ops, (void)ctx;
    if (strcmp(function, "user") == 0)
        *out = (struct fl_pinned){.error = FL_PIN_EFAULT, .lock_held = true};
}

static inline void one_is_refused(const char *function, uint64_t n, uint64_t *pfns, const struct fl_gup_ops *ops,
                                  void *ctx, struct fl_pinned *out)
{
    (void)function, (void)pfns, (void)ops, (void)ctx;
    if (n == 1)
        *out = (struct fl_pinned){.error = FL_PIN_EFAULT, .lock_held = true};
}

static inline bool ends_in_page_get(void *ctx, uint64_t pfn)
{
    (void)ctx, (void)pfn;
    abort();
}

#endif
