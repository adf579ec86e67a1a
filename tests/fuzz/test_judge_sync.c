/* SPDX-License-Identifier: MIT */
/* SYNCALL events and the SH4's TOUCH events before the judge: what is written, how, and under which lock. */
#include "judge_cores.h"

static const struct fl_ops *world(void)
{
    return fl_world_ops();
}

/* ---- writes and flushes ----------------------------------------------------------------------------------------- */

static bool write_nothing(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    (void)ctx, (void)paddr, (void)size, (void)value, (void)how;
    return true;
}

static bool write_twice(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    return world()->write_entry(ctx, paddr, size, value, how) && world()->write_entry(ctx, paddr, size, value, how);
}

static bool write_plain(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    (void)how;
    return world()->write_entry(ctx, paddr, size, value, FL_SET_PLAIN);
}

static bool write_by_hook(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    (void)how;
    return world()->write_entry(ctx, paddr, size, value, FL_SET_PMD);
}

static bool write_other(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    return world()->write_entry(ctx, paddr, size, value ^ 0x1000, how);
}

/* Through each hook in halves: right in the end. */
static bool write_halves(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    if (size == 8 && !world()->write_entry(ctx, paddr + 4, 4, value >> 32, how))
        return false;
    return world()->write_entry(ctx, paddr, 4, (uint32_t)value, how);
}

static void flush_nothing(void *ctx)
{
    (void)ctx;
}

static void flush_twice(void *ctx)
{
    world()->flush_lazy(ctx);
    world()->flush_lazy(ctx);
}

/* ---- the lock over the list ------------------------------------------------------------------------------------- */

static void lock_nothing(void *ctx, bool irqsave)
{
    (void)ctx, (void)irqsave;
}

static void unlock_nothing(void *ctx)
{
    (void)ctx;
}

static void lock_irqsave(void *ctx, bool irqsave)
{
    (void)irqsave;
    world()->pgd_lock(ctx, true);
}

static void lock_plain(void *ctx, bool irqsave)
{
    (void)irqsave;
    world()->pgd_lock(ctx, false);
}

static void unlock_twice(void *ctx)
{
    world()->pgd_unlock(ctx);
    world()->pgd_unlock(ctx);
}

static bool next_and_log(void *ctx, unsigned i, uint64_t *root)
{
    world()->log(ctx, "?", 1);
    return world()->pgd_next(ctx, i, root);
}

static bool next_and_lock(void *ctx, unsigned i, uint64_t *root)
{
    if (world()->lock_try(ctx))
        world()->lock_drop(ctx);
    return world()->pgd_next(ctx, i, root);
}

/* ---- answers and memory ----------------------------------------------------------------------------------------- */

static enum fl_status say_bug(struct fl_world *w, struct fl_sync_state *state, enum fl_sync_end *end, unsigned n)
{
    (void)w, (void)state, (void)n;
    *end = FL_SYNC_BUG;
    return FL_OK;
}

static enum fl_status refuse(struct fl_world *w, struct fl_sync_state *state, enum fl_sync_end *end, unsigned n)
{
    (void)w, (void)state, (void)end, (void)n;
    return FL_INVALID;
}

static enum fl_status forget_start(struct fl_world *w, struct fl_sync_state *state, enum fl_sync_end *end, unsigned n)
{
    (void)w, (void)end, (void)n;
    state->start += 0x1000;
    return FL_OK;
}

static enum fl_status forget_slot(struct fl_world *w, struct fl_sync_state *state, enum fl_sync_end *end, unsigned n)
{
    (void)w, (void)end, (void)n;
    state->insync[15] ^= UINT64_C(1) << 63;
    return FL_OK;
}

/* Takes away what was written for the table in use; puts something where nothing belongs. */
static enum fl_status undo(struct fl_world *w, struct fl_sync_state *state, enum fl_sync_end *end, unsigned n)
{
    (void)state, (void)end, (void)n;
    judge_apply(w, "4level", "entry 0xffffc90040000000 level 4 set 0x0 mask 0xffffffffffffffff");
    return FL_OK;
}

static enum fl_status damage(struct fl_world *w, struct fl_sync_state *state, enum fl_sync_end *end, unsigned n)
{
    (void)state, (void)end, (void)n;
    judge_apply(w, "4level", "entry 0xffff880000000000 level 4 set 0x300063 mask 0xffffffffffffffff");
    return FL_OK;
}

#define ALL_4LEVEL(keys)                                                                                               \
    SCN("4level") keys "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\nsync-all\n"
#define ALL_2LEVEL(keys) SCN("2level") keys "fork mm 1\nioremap 0xf8400000 frame 600 flags p,w,a,d,g\nsync-all\n"
#define ALL_PAE(keys)                                                                                                  \
    SCN("pae") "shared-pmd no\n" keys "fork mm 1\nioremap 0xf8400000 frame 600 flags p,w,a,d,g\nsync-all\n"
/* What 2.6.25 looks at in PAE mode is the first slot of each page directory. */
#define ALL_2008_PAE                                                                                                   \
    SCN("pae")                                                                                                         \
    "shared-pmd no\ngeneration 2008-32\n"                                                                              \
    "fork mm 1\nioremap 0xc0000000 frame 600 flags p,w,a,d,g\nsync-all\n"

static const struct judge_case all[] = {
    {"verdict", FL_TARGET_VMALLOC, ALL_4LEVEL(""), {.sync_all = say_bug}, "sync/sync-all/handled/bug", 2},
    {"status", FL_TARGET_VMALLOC, ALL_4LEVEL(""), {.sync_all = refuse}, "sync/sync-all/ok/status", 2},
    {"nothing written",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.ops.write_entry = write_nothing},
     "sync/sync-all/entry-written/entry-other",
     2},
    {"something else written",
     FL_TARGET_ALL,
     ALL_2LEVEL(""),
     {.ops.write_entry = write_other},
     "sync/sync-all/entry-written/entry-other",
     2},
    {"one entry undone",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.sync_all = undo},
     "sync/sync-all/entry-written/entry-other",
     2},
    {"another entry changed",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.sync_all = damage},
     "sync/sync-all/changes-expected/changes-other",
     2},
    {"written twice",
     FL_TARGET_VMALLOC,
     ALL_PAE(""),
     {.ops.write_entry = write_twice},
     "sync/sync-all/writes-expected/writes-other",
     2},
    {"written in halves",
     FL_TARGET_VMALLOC,
     ALL_PAE(""),
     {.ops.write_entry = write_halves},
     "sync/sync-all/writes-expected/writes-other",
     2},
    {"not by the hook",
     FL_TARGET_VMALLOC,
     ALL_PAE(""),
     {.ops.write_entry = write_plain},
     "sync/sync-all/write-expected/write-other",
     2},
    {"by another hook",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.ops.write_entry = write_by_hook},
     "sync/sync-all/write-expected/write-other",
     2},
    {"not flushed",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL("lazy-mmu yes\n"),
     {.ops.flush_lazy = flush_nothing},
     "sync/sync-all/flushes-expected/flushes-other",
     2},
    {"flushed twice",
     FL_TARGET_VMALLOC,
     ALL_2LEVEL(""),
     {.ops.flush_lazy = flush_twice},
     "sync/sync-all/flushes-expected/flushes-other",
     2},
    {"2008 not flushed",
     FL_TARGET_ALL,
     ALL_2008_PAE,
     {.ops.flush_lazy = flush_nothing},
     "sync/sync-all/flushes-expected/flushes-other",
     2},
    {"state of 2008, start",
     FL_TARGET_ALL,
     ALL_2008_PAE,
     {.sync_all = forget_start},
     "sync/sync-all/state-expected/state-other",
     2},
    {"state of 2008, slots",
     FL_TARGET_ALL,
     ALL_2008_PAE,
     {.sync_all = forget_slot},
     "sync/sync-all/state-expected/state-other",
     2},
    {"state of CURRENT, which has none",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.sync_all = forget_start},
     "sync/sync-all/state-expected/state-other",
     2},

    {"list without lock",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.ops = {.pgd_lock = lock_nothing, .pgd_unlock = unlock_nothing}},
     "lock/pgd-lock/right/list-without-lock",
     2},
    {"given back twice",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.ops.pgd_unlock = unlock_twice},
     "lock/pgd-lock/right/list-without-lock",
     2},
    {"held at exit",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.ops.pgd_unlock = unlock_nothing},
     "lock/pgd-lock/right/held-at-exit",
     2},
    {"a log", FL_TARGET_VMALLOC, ALL_4LEVEL(""), {.ops.pgd_next = next_and_log}, "lock/pgd-lock/right/other-op", 2},
    {"another lock",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.ops.pgd_next = next_and_lock},
     "lock/pgd-lock/right/other-op",
     2},
    {"interrupts off",
     FL_TARGET_VMALLOC,
     ALL_4LEVEL(""),
     {.ops.pgd_lock = lock_irqsave},
     "lock/pgd-lock/right/irqs-off",
     2},
    {"2008, interrupts on",
     FL_TARGET_ALL,
     ALL_2008_PAE,
     {.ops.pgd_lock = lock_plain},
     "lock/pgd-lock/right/irqs-on",
     2},
};

int main(void)
{
    judge_cases(all, COUNT(all), false);
    return check_done("judge, sync-all");
}
