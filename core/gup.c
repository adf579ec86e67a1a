/* SPDX-License-Identifier: MIT */
/* The vtable of this tree's pinning, and the calls that are made of others. */
#include "gup.h"

#include "x86.h"

static enum fl_status pin_user(const struct fl_gup_space *space, uint64_t start, uint64_t n, bool write, bool force,
                               uint64_t *pfns, uint32_t *gens, const struct fl_gup_ops *ops, void *ctx,
                               struct fl_pinned *out)
{
    unsigned flags =
        FL_FOLL_TOUCH | (pfns ? FL_FOLL_GET : 0) | (write ? FL_FOLL_WRITE : 0) | (force ? FL_FOLL_FORCE : 0);

    return gup_pin(space, start, n, flags, false, pfns, gens, ops, ctx, out);
}

static enum fl_status pin_fast(const struct fl_gup_space *space, uint64_t start, int32_t n, bool write, uint64_t *pfns,
                               const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out)
{
    struct fl_pinned fast, slow;
    enum fl_status status = out ? gup_fast_only(space, start, n, write, pfns, ops, ctx, &fast) : FL_INVALID;
    uint64_t wanted = n > 0 ? (uint64_t)n : 0;

    if (status != FL_OK)
        return status;
    if (fast.pages < wanted) {
        ops->mm_lock(ctx);
        pin_user(space, (start & ~(X86_PAGE_SIZE - 1)) + (fast.pages << X86_PAGE_SHIFT), wanted - fast.pages, write,
                 false, pfns + fast.pages, NULL, ops, ctx, &slow);
        ops->mm_unlock(ctx); /* blocking: it has stayed held */
        if (fast.pages == 0)
            fast.error = slow.error;
        fast.pages += slow.pages;
    }
    fast.lock_held = false;
    *out = fast;
    return FL_OK;
}

static enum fl_status dump(const struct fl_gup_space *space, uint64_t addr, uint64_t *pfn, const struct fl_gup_ops *ops,
                           void *ctx)
{
    struct fl_pinned got;
    uint64_t page;
    enum fl_status status;

    if (!pfn)
        return FL_INVALID;
    status = gup_pin(space, addr, 1, FL_FOLL_FORCE | FL_FOLL_DUMP | FL_FOLL_GET, false, &page, NULL, ops, ctx, &got);
    if (status == FL_OK)
        *pfn = got.pages ? page : FL_NO_PAGE;
    return status;
}

static enum fl_status follow(const struct fl_gup_space *space, const struct fl_pin_vma *vma, uint64_t addr,
                             unsigned flags, const struct fl_gup_ops *ops, void *ctx, uint64_t *pfn, uint64_t *mask,
                             struct fl_pinned *out)
{
    enum fl_pin_error error;
    struct gup g;

    if (!vma || !pfn || !mask || !out || !gup_ready(&g, space, ops, ctx) || (flags & ~(unsigned)FL_FOLL_BITS))
        return FL_INVALID;
    *pfn = gup_follow(&g, vma, addr, flags, mask, &error);
    *out = (struct fl_pinned){.error = (uint8_t)error, .pages = *pfn != FL_NO_PAGE, .lock_held = true};
    return FL_OK;
}

const struct fl_gup *fl_gup(void)
{
    static const struct fl_gup gup = {
        .abi = FL_GUP_ABI,
        .name = "faultline",
        .pin = gup_pin,
        .pin_user = pin_user,
        .pin_fast_only = gup_fast_only,
        .pin_fast = pin_fast,
        .fixup = gup_fixup,
        .dump = dump,
        .follow = follow,
    };

    return &gup;
}
