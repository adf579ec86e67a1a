/* SPDX-License-Identifier: MIT */
/* Pinning out of a shared object, without a core. One for each KIND. */
#include <faultline/gup.h>

#include <stdlib.h>

#define FEW     1 /* get_user_pages_fast alone, which never pins anything */
#define CRASHES 2 /* follows NULL */
#define HANGS   3 /* never ends */
#define ASKS    4 /* asks the same without end */
#define LIES    5 /* hands out pages that it was not asked for, and that do not exist */
#define OLD     6 /* another interface */
#define NONE    7 /* no vtable */
#define UNNAMED 8 /* no name */

static enum fl_status pin_fast(const struct fl_gup_space *space, uint64_t start, int32_t n, bool write, uint64_t *pfns,
                               const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out)
{
    (void)space, (void)start, (void)n, (void)write, (void)pfns, (void)ops, (void)ctx;
    *out = (struct fl_pinned){.error = FL_PIN_OK};
#if KIND == CRASHES
    *(volatile int *)NULL = 0;
#elif KIND == HANGS
    for (volatile int i = 0;; i++)
        ;
#elif KIND == ASKS
    while (!ops->fatal_signal(ctx))
        ops->resched(ctx);
#elif KIND == LIES
    for (uint64_t i = 0; i < 100; i++)
        pfns[i] = ~i;
    out->pages = UINT64_MAX;
#else
    out->error = FL_PIN_EFAULT;
#endif
    return FL_OK;
}

const struct fl_gup *fl_gup(void);
const struct fl_gup *fl_gup(void)
{
    static const struct fl_gup gup = {
        .abi = KIND == OLD ? FL_GUP_ABI + 1 : FL_GUP_ABI,
        .name = KIND == UNNAMED ? "" : "pins",
        .pin_fast = pin_fast,
    };

    return KIND == NONE ? NULL : &gup;
}
