/* SPDX-License-Identifier: MIT */
/* ACCESS and DECODE events before the judge: the core's walk and its prefetch decoder. */
#include "judge_cores.h"

static enum fl_status walk_refused(struct fl_world *w, struct fl_walk *out, unsigned n)
{
    (void)w, (void)out, (void)n;
    return FL_INVALID;
}

static enum fl_status walk_elsewhere(struct fl_world *w, struct fl_walk *out, unsigned n)
{
    (void)w, (void)n;
    out->paddr ^= 0x1000;
    return FL_OK;
}

static enum fl_status permits_unsupported(bool *faults, uint32_t *code, unsigned n)
{
    (void)faults, (void)code, (void)n;
    return FL_UNSUPPORTED;
}

static enum fl_status permits_nothing(bool *faults, uint32_t *code, unsigned n)
{
    (void)n;
    *faults = true;
    *code = 5;
    return FL_OK;
}

static enum fl_status permits_all(bool *faults, uint32_t *code, unsigned n)
{
    (void)n;
    *faults = false;
    *code = 0;
    return FL_OK;
}

static enum fl_status turn_round(const struct fl_ops *ops, void *ctx, bool *ignore, unsigned n)
{
    (void)ops, (void)ctx, (void)n;
    *ignore = !*ignore;
    return FL_OK;
}

static enum fl_status prefetch_refused(const struct fl_ops *ops, void *ctx, bool *ignore, unsigned n)
{
    (void)ops, (void)ctx, (void)ignore, (void)n;
    return FL_INVALID;
}

static enum fl_status prefetch_by_irq(const struct fl_ops *ops, void *ctx, bool *ignore, unsigned n)
{
    (void)ignore, (void)n;
    ops->irq_enable(ctx);
    return FL_OK;
}

static enum fl_status prefetch_far(const struct fl_ops *ops, void *ctx, bool *ignore, unsigned n)
{
    uint8_t byte;

    (void)ignore, (void)n;
    ops->probe_byte(ctx, 0x400000 + 15, true, &byte); /* ip is 0x400000 */
    return FL_OK;
}

#define ACCESS SCN("4level") "map 0x400000 frame 600 flags p,u,a\naccess read user 0x400123\n"
#define DECODE SCN("4level") "vendor amd\ndecode 64 user: 0f 0d 08\n"

static const struct judge_case cases[] = {
    {"walk refused", FL_TARGET_WALK, ACCESS, {.walk = walk_refused}, "walk/status/ok/status", 1},
    {"permits refused", FL_TARGET_WALK, ACCESS, {.permits = permits_unsupported}, "walk/status/ok/status", 1},
    {"translation", FL_TARGET_WALK, ACCESS, {.walk = walk_elsewhere}, "walk/paddr/frame/frame-other", 1},
    {"too strict", FL_TARGET_WALK, ACCESS, {.permits = permits_nothing}, "walk/kind/ok/pf-read", 1},
    {"too lax",
     FL_TARGET_WALK,
     SCN("2level") "access write supervisor 0x400123\n",
     {.permits = permits_all},
     "walk/kind/pf-absent/ok",
     0},
    {"prefetch", FL_TARGET_PREFETCH, DECODE, {.prefetch = turn_round}, "prefetch/rule/ignored/not-ignored", 0},
    {"no prefetch",
     FL_TARGET_PREFETCH,
     SCN("pae") "vendor amd\ndecode 32 kernel: 0f 1f 00\n",
     {.prefetch = turn_round},
     "prefetch/rule/not-ignored/ignored",
     0},
    {"prefetch refused", FL_TARGET_PREFETCH, DECODE, {.prefetch = prefetch_refused}, "prefetch/status/ok/status", 0},
    {"another op",
     FL_TARGET_PREFETCH,
     DECODE,
     {.prefetch = prefetch_by_irq},
     "contract/prefetch/probes-only/other-op",
     0},
    {"too many bytes", FL_TARGET_PREFETCH, DECODE, {.prefetch = prefetch_far}, "bound/window/inside/outside", 0},
};

int main(void)
{
    judge_cases(cases, COUNT(cases), false);
    return check_done("judge, walks and prefetches");
}
