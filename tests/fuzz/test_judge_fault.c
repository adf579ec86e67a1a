/* SPDX-License-Identifier: MIT */
/*
 * One fault before the judge: each check fires once for a core that is wrong in that one thing, and says so by its key.
 * The checks themselves have tests beside the comparers; here it is about the judge calling them, with the right
 * arguments, in the right order.
 */
#include "judge_cores.h"

/* ---- what is done wrong: ops ------------------------------------------------------------------------------------ */

static const struct fl_ops *world(void)
{
    return fl_world_ops();
}

static void irq_enable_twice(void *ctx)
{
    world()->irq_enable(ctx);
    world()->irq_enable(ctx);
}

static enum fl_mm_result mm_fault_as_kernel(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    return world()->mm_fault(ctx, generation, addr, flags & ~(unsigned)FL_MM_USER);
}

static enum fl_mm_result mm_fault_stale(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    return world()->mm_fault(ctx, generation + 1000, addr, flags);
}

static void keep_lock(void *ctx)
{
    (void)ctx;
}

static bool log_and_find(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    world()->log(ctx, "?", 1);
    return world()->vma_find(ctx, addr, vma);
}

static void log_nothing(void *ctx, const char *text, size_t n)
{
    (void)ctx, (void)text, (void)n;
}

static void log_twice(void *ctx, const char *text, size_t n)
{
    world()->log(ctx, text, n);
    world()->log(ctx, text, n);
}

static bool probe_far(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    uint8_t unused;

    world()->probe_byte(ctx, linear + 15, user, &unused);
    return world()->probe_byte(ctx, linear, user, byte);
}

static bool write_nothing(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    (void)ctx, (void)paddr, (void)size, (void)value, (void)how;
    return true;
}

/* One more read, of a page that is nobody's table. */
static bool read_elsewhere(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    uint64_t unused;

    world()->read_entry(ctx, 0x300000, size, &unused);
    return world()->read_entry(ctx, paddr, size, value);
}

/* ---- what is done wrong: outcomes ------------------------------------------------------------------------------- */

static enum fl_status refuse(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)out, (void)n;
    return FL_INVALID;
}

static enum fl_status cannot(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)out, (void)n;
    return FL_UNSUPPORTED;
}

static enum fl_status say_accerr(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->si_code = 2;
    return FL_OK;
}

static enum fl_status say_major(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->major = true;
    return FL_OK;
}

static enum fl_status say_synced(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->action = FL_ACT_SYNCED;
    return FL_OK;
}

static enum fl_status say_oops(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->action = FL_ACT_OOPS;
    return FL_OK;
}

static enum fl_status say_unknown(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->action = 200;
    return FL_OK;
}

static enum fl_status leave_garbage(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->new_sp = 16;
    return FL_OK;
}

/* Writes nothing at all: what was in the outcome before may not pass for an answer. */
static enum fl_status leave_untouched(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    static const uint64_t was = UINT64_C(0xdeadbeefdeadbeef);
    struct fl_outcome right = *out;

    (void)w, (void)f, (void)n;
    *out = (struct fl_outcome){.action = right.action,
                               .major = right.major,
                               .irq_on = right.irq_on,
                               .signo = right.signo,
                               .si_code = right.si_code,
                               .thread_valid = true,
                               .thread_cr2 = was,
                               .thread_error_code = was,
                               .thread_trap_no = was};
    return FL_OK;
}

static enum fl_status irq_off(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->irq_on = false;
    return FL_OK;
}

static enum fl_status shift_si_addr(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->si_addr += 1;
    return FL_OK;
}

static const struct judge_case decisions[] = {
    {"refused",
     FL_TARGET_FAULT,
     SCN("4level") "fault cr2 0x10000000 code 0x6\n",
     {.fault = refuse},
     "decision/user-segv-caught/decided/refused",
     0},
    {"unsupported",
     FL_TARGET_FAULT,
     SCN("2level") "fault cr2 0x10000000 code 0x6\n",
     {.fault = cannot},
     "decision/user-segv-caught/decided/unsupported",
     0},
    {"ACCERR for MAPERR",
     FL_TARGET_FAULT,
     SCN("pae") "fault cr2 0x10000000 code 0x6\n",
     {.fault = say_accerr},
     "decision/no-vma/signal-maperr/signal-accerr",
     0},
    {"major for minor",
     FL_TARGET_FAULT,
     SCN("4level") "vma 0x10000000 pages 1 prot rw\nfault cr2 0x10000000 code 0x6\n",
     {.fault = say_major},
     "decision/mm-minor/handled-minor/handled-major",
     1},
    {"no action",
     FL_TARGET_FAULT,
     SCN("4level") "vma 0x10000000 pages 1 prot rw\nfault cr2 0x10000000 code 0x6\n",
     {.fault = say_unknown},
     "decision/mm-minor/handled-minor/unknown",
     1},
    {"garbage where nothing is valid",
     FL_TARGET_FAULT,
     SCN("5level") "vma 0x10000000 pages 1 prot rw\nfault cr2 0x10000000 code 0x6\n",
     {.fault = leave_garbage},
     "decision/mm-minor/zero/new-sp-garbage",
     1},
    {"interrupts",
     FL_TARGET_FAULT,
     SCN("4level") "fault cr2 0x10000000 code 0x6\n",
     {.fault = irq_off},
     "decision/irq/reported-on/reported-off",
     0},
    {"synced in user space",
     FL_TARGET_FAULT,
     SCN("4level") "fault cr2 0x10000000 code 0x6\n",
     {.fault = say_synced},
     "sync/not-tried/not-tried/handled",
     0},
    {"signal",
     FL_TARGET_FAULT,
     SCN("4level") "fault cr2 0x10000000 code 0x6\n",
     {.fault = shift_si_addr},
     "signal/si-addr/cr2/other",
     0},
    {"thread fields not written",
     FL_TARGET_FAULT,
     SCN("4level") "vma 0x10000000 pages 1 prot rw\nfault cr2 0x10000000 code 0x6\n",
     {.fault = leave_untouched},
     "signal/thread/kept/set",
     1},
    {"an oops of a TOUCH",
     FL_TARGET_FAULT,
     SCN("4level") "vma 0x10000000 pages 1 prot rw\ntouch write user 0x10000010\n",
     {.fault = say_oops},
     "decision/mm-minor/handled-minor/no-context",
     1},
};

/* The VMA or table that is not served is at 0x10000000; 0xffffc900... is vmalloc space. */
#define SERVED SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x6\n"
#define SEGV   SCN("4level") "catches-signals no\nfault cr2 0x10000000 code 0x6\n"
#define PREFETCH                                                                                                       \
    SCN("4level")                                                                                                      \
    "vendor amd\nfamily 15\nip 0x400010\nvma 0x400000 pages 1 prot rx file 0 size 1\n"                                 \
    "bytes 0x400010: 0f 0d 08\nfault cr2 0x10 code 0x4\n"
#define VMALLOC                                                                                                        \
    SCN("4level")                                                                                                      \
    "fork mm 1\nswitch mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\n"                                   \
    "touch read supervisor 0xffffc90040000010\n"

static const struct judge_case effects[] = {
    {"interrupts twice",
     FL_TARGET_FAULT,
     SERVED,
     {.ops.irq_enable = irq_enable_twice},
     "effect/irq-restore/once/again",
     1},
    {"flags of mm_fault",
     FL_TARGET_FAULT,
     SERVED,
     {.ops.mm_fault = mm_fault_as_kernel},
     "effect/mm-user/user/kernel",
     1},
    {"lock kept", FL_TARGET_FAULT, SERVED, {.ops.lock_drop = keep_lock}, "lock/exit/free/held", 1},
    {"a log under the lock",
     FL_TARGET_FAULT,
     SERVED,
     {.ops.vma_find = log_and_find},
     "contract/log/unlocked/locked",
     1},
    {"a stale VMA",
     FL_TARGET_FAULT,
     SERVED,
     {.ops.mm_fault = mm_fault_stale},
     "contract/vma-generation/current/stale",
     1},
    {"no message", FL_TARGET_FAULT, SEGV, {.ops.log = log_nothing}, "message/segfault/text/silent", 0},
    {"a message twice", FL_TARGET_FAULT, SEGV, {.ops.log = log_twice}, "message/segfault/text/text-and-more", 0},
    {"too many bytes", FL_TARGET_FAULT, PREFETCH, {.ops.probe_byte = probe_far}, "bound/window/inside/outside", 2},
    {"table read elsewhere",
     FL_TARGET_FAULT,
     VMALLOC,
     {.ops.read_entry = read_elsewhere},
     "table-read/place/table/elsewhere",
     3},
    {"copy not written",
     FL_TARGET_FAULT,
     VMALLOC,
     {.ops.write_entry = write_nothing},
     "sync/current-copy/written/not-written",
     3},
    {"copy not reported", FL_TARGET_FAULT, VMALLOC, {.fault = say_oops}, "sync/current-copy/handled/not-handled", 3},
};

/* ---- after the fault: the tables -------------------------------------------------------------------------------- */

static enum fl_status zap(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)f, (void)n;
    if (out->action == FL_ACT_HANDLED)
        judge_apply(w, "4level", "zap 0x10000000 pages 2");
    return FL_OK;
}

static enum fl_status protect(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)f, (void)n;
    if (out->action == FL_ACT_HANDLED)
        judge_apply(w, "4level", "protect 0x10000000 pages 2 prot r");
    return FL_OK;
}

static enum fl_status undo_copy(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)f, (void)n;
    if (out->action == FL_ACT_SYNCED)
        judge_apply(w, "4level", "entry 0xffffc90040000000 level 4 set 0x0 mask 0xffffffffffffffff");
    return FL_OK;
}

static const struct judge_case rewalks[] = {
    {"not there", FL_TARGET_FAULT, SERVED, {.fault = zap}, "rewalk/access/ok/pf-absent", 1},
    {"not writable", FL_TARGET_FAULT, SERVED, {.fault = protect}, "rewalk/access/ok/pf-write", 1},
    {"not there, TOUCH",
     FL_TARGET_FAULT,
     SCN("4level") "vma 0x10000000 pages 2 prot rw\ntouch read user 0x10000fff\n",
     {.fault = zap},
     "rewalk/access/ok/pf-absent",
     1},
    /* A fetch from a page that may not be executed is served like a read, but served it must be. */
    {"fetch, not there",
     FL_TARGET_FAULT,
     SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x14\n",
     {.fault = zap},
     "rewalk/access/ok/pf-absent",
     1},
    {"synced, not there", FL_TARGET_FAULT, VMALLOC, {.fault = undo_copy}, "rewalk/synced/present/absent", 3},
    {"synced, not there, FAULT",
     FL_TARGET_FAULT,
     SCN("4level") "privilege kernel\nfork mm 1\nswitch mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\n"
                   "fault cr2 0xffffc90040000010 code 0x0\n",
     {.fault = undo_copy},
     "rewalk/synced/present/absent",
     3},
};

/* A code that no processor raises here (P, where nothing is present) is decided, but promises nothing. */
static void test_impossible(void)
{
    static struct judged got;
    const struct wrong wrong = {.fault = zap};
    uint64_t decided = 0;

    judge_text(SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x7\n", FL_TARGET_FAULT, false,
               &wrong, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK_EQ(got.stats.label[FL_LABEL_IMPOSSIBLE], 1, "label");
    CHECK_EQ(got.stats.compared[FL_CHECK_REWALK], 0, "walked again");
    CHECK_EQ(got.stats.action[FL_ACT_HANDLED], 1, "handled");
    for (unsigned e = 0; e < FL_ERROR_BITS; e++)
        decided += got.stats.decided[FL_MODE_4LEVEL][FL_ACT_HANDLED][e];
    CHECK_EQ(decided, 1, "counted once");
    CHECK_EQ(got.stats.decided[FL_MODE_4LEVEL][FL_ACT_HANDLED][7], 1, "under its error code");
}

int main(void)
{
    judge_cases(decisions, COUNT(decisions), false);
    judge_cases(effects, COUNT(effects), false);
    judge_cases(rewalks, COUNT(rewalks), false);
    test_impossible();
    return check_done("judge, one fault");
}
