/* SPDX-License-Identifier: MIT */
/*
 * TOUCH events of an SH4, and generations against each other. The rows of a generation judge its core first, so what is
 * wrong here happens behind the ops' back: the answer and the writes are those that the rows expect.
 */
#include "judge_cores.h"

static const struct fl_ops *world(void)
{
    return fl_world_ops();
}

/* ---- SH4 -------------------------------------------------------------------------------------------------------- */

#define SH4                                                                                                            \
    "faultline-scenario 2\narch sh4\nfork mm 1\nioremap 0xc1000000 frame 600 flags p,w,a,d\nswitch mm 1\n"             \
    "touch read supervisor 0xc1000010\n"

static enum fl_status p3_not_handled(struct fl_world *w, uint64_t addr, enum fl_sync_end *end, unsigned n)
{
    (void)w, (void)addr, (void)n;
    *end = FL_SYNC_NOT_HANDLED;
    return FL_OK;
}

static enum fl_status p3_unknown(struct fl_world *w, uint64_t addr, enum fl_sync_end *end, unsigned n)
{
    (void)w, (void)addr, (void)n;
    *end = FL_SYNC_COUNT;
    return FL_OK;
}

static enum fl_status p3_refused(struct fl_world *w, uint64_t addr, enum fl_sync_end *end, unsigned n)
{
    (void)w, (void)addr, (void)end, (void)n;
    return FL_INVALID;
}

static enum fl_status p3_undone(struct fl_world *w, uint64_t addr, enum fl_sync_end *end, unsigned n)
{
    (void)addr, (void)end, (void)n;
    judge_apply(w, "2level", "entry 0xc1000000 level 2 set 0x0 mask 0xffffffff");
    return FL_OK;
}

static enum fl_status p3_locked(struct fl_world *w, uint64_t addr, enum fl_sync_end *end, unsigned n)
{
    (void)addr, (void)end, (void)n;
    world()->irq_enable(w);
    return FL_OK;
}

static bool write_nothing(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    (void)ctx, (void)paddr, (void)size, (void)value, (void)how;
    return true;
}

static bool write_by_hook(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    (void)how;
    return world()->write_entry(ctx, paddr, size, value, FL_SET_PGD);
}

static bool write_next(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    return world()->write_entry(ctx, paddr + 4, size, value, how);
}

static bool write_other(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    return world()->write_entry(ctx, paddr, size, value ^ 0x1000, how);
}

static const struct judge_case sh4[] = {
    {"verdict", FL_TARGET_VMALLOC, SH4, {.p3_sync = p3_not_handled}, "sync/sh4-copied/handled/not-handled", 3},
    {"no verdict", FL_TARGET_FAULT, SH4, {.p3_sync = p3_unknown}, "sync/sh4-copied/handled/unknown", 3},
    {"status", FL_TARGET_ALL, SH4, {.p3_sync = p3_refused}, "sync/sh4/ok/status", 3},
    {"not written",
     FL_TARGET_VMALLOC,
     SH4,
     {.ops.write_entry = write_nothing},
     "sync/sh4-copied/written/not-written",
     3},
    {"another entry", FL_TARGET_VMALLOC, SH4, {.ops.write_entry = write_next}, "sync/sh4-copied/entry/entry-other", 3},
    {"another value", FL_TARGET_VMALLOC, SH4, {.ops.write_entry = write_other}, "sync/sh4-copied/value/value-other", 3},
    {"by a hook", FL_TARGET_VMALLOC, SH4, {.ops.write_entry = write_by_hook}, "sync/sh4-copied/plain/pgd-hook", 3},
    {"another op", FL_TARGET_VMALLOC, SH4, {.p3_sync = p3_locked}, "contract/sync/tables-only/other-op", 3},
    {"twice", FL_TARGET_VMALLOC, SH4, {.p3_sync = p3_undone}, "progress/fault-loop/progress/same-fault-again", 3},
};

/* ---- generations ------------------------------------------------------------------------------------------------ */

#define TOUCH_4LEVEL                                                                                                   \
    SCN("4level")                                                                                                      \
    "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\nswitch mm 1\n"                                   \
    "touch read supervisor 0xffffc90040000010\n"

static void undo_copy(struct fl_world *w, const struct fl_outcome *out)
{
    if (out->action == FL_ACT_SYNCED)
        judge_apply(w, "4level", "entry 0xffffc90040000000 level 4 set 0x0 mask 0xffffffffffffffff");
}

/* Says synced and writes, as the rows say; but the copy is gone when the access is tried again. */
static enum fl_status undo_2014(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)n;
    if (f->kernel.generation == FL_GEN_2014_NATIVE)
        undo_copy(w, out);
    return FL_OK;
}

static enum fl_status undo_2008(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)n;
    if (f->kernel.generation == FL_GEN_2008_64)
        undo_copy(w, out);
    return FL_OK;
}

static enum fl_status undo_2016(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)n;
    if (f->kernel.generation == FL_GEN_2016)
        undo_copy(w, out);
    return FL_OK;
}

/* The same, and the mapping is a bad one afterwards: an access that ends otherwise, without a loop. */
static enum fl_status damage_2014(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)n;
    if (f->kernel.generation == FL_GEN_2014_PV64 && out->action == FL_ACT_SYNCED)
        judge_apply(w, "4level", "entry 0xffffc90040000000 level 1 set 0x8000000000000 mask 0x8000000000000");
    return FL_OK;
}

/* One of 2014 that looks at the range has another answer than the rows of 2014: they are what finds it. */
static enum fl_status refuse_2014(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)n;
    if (f->kernel.generation == FL_GEN_2014_NATIVE)
        out->action = FL_ACT_OOPS;
    return FL_OK;
}

static const struct judge_case generations[] = {
    {"2014 loops", FL_TARGET_VMALLOC, TOUCH_4LEVEL, {.fault = undo_2014}, "generation/2014-native/done/loop", 3},
    {"2014 loops, replay", FL_TARGET_ALL, TOUCH_4LEVEL, {.fault = undo_2014}, "generation/2014-native/done/loop", 3},
    {"2008 loops", FL_TARGET_VMALLOC, TOUCH_4LEVEL, {.fault = undo_2008}, "generation/2008-64/done/loop", 3},
    {"2016 loops", FL_TARGET_VMALLOC, TOUCH_4LEVEL, {.fault = undo_2016}, "generation/2016/done/loop", 3},
    {"2014 refuses", FL_TARGET_VMALLOC, TOUCH_4LEVEL, {.fault = damage_2014}, "generation/2014-pv64/done/refused", 3},
    {"rows first", FL_TARGET_VMALLOC, TOUCH_4LEVEL, {.fault = refuse_2014}, "sync/2014-copy/handled/not-handled", 3},
};

/* Under a historical generation a loop is what it does, not a divergence: the TOUCH ends as that, and so does the trace. */
static void test_loops(void)
{
    static const char text[] = SCN("4level") "generation 2014-native\n"
                                             "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\n"
                                             "switch mm 1\ntouch read supervisor 0xffffc90040000010\n"
                                             "touch read supervisor 0xffffc90040000010\n";
    const struct wrong wrong = {.fault = undo_2014};
    static struct judged got;

    judge_text(text, FL_TARGET_FAULT, false, &wrong, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK_EQ(got.stats.touched[FL_TOUCH_LOOP], 1, "loops");
    CHECK_EQ(got.stats.events, 1, "judged");
    CHECK_EQ(got.stats.events_skipped, 1, "skipped");
    CHECK_EQ(got.stats.compared[FL_CHECK_PROGRESS], 2, "faults compared");
    CHECK(strcmp(got.endings, "record 4: loop after synced\n") == 0, "%s", got.endings);
}

/* Each time handled, each time in another world: after eight faults it is a loop all the same. */
static enum fl_status count_up(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    char line[96];

    (void)f;
    undo_copy(w, out);
    snprintf(line, sizeof line, "gpr rax 0x%x", n);
    judge_apply(w, "4level", line);
    return FL_OK;
}

static void test_many(void)
{
    static const char text[] = SCN("4level") "generation 2014-native\n"
                                             "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\n"
                                             "switch mm 1\ntouch read supervisor 0xffffc90040000010\n";
    const struct wrong wrong = {.fault = count_up};
    static struct judged got;

    judge_text(text, FL_TARGET_FAULT, false, &wrong, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK_EQ(got.stats.touched[FL_TOUCH_LOOP], 1, "loops");
    CHECK_EQ(got.stats.action[FL_ACT_SYNCED], 8, "faults");
}

/* ---- which generations, and when they are compared -------------------------------------------------------------- */

static void test_each(void)
{
    static const struct {
        const char *text;
        unsigned generations;
    } modes[] = {
        {SCN("2level") "touch read supervisor 0xf8400000\n", 5},
        {SCN("pae") "touch read supervisor 0xf8400000\n", 5},
        {SCN("4level") "touch read supervisor 0xffffc90040000000\n", 5},
        {SCN("5level") "touch read supervisor 0xffa0000040000000\n", 1},
        {"faultline-scenario 2\narch sh4\ntouch read supervisor 0xc1000010\n", 1},
    };
    static struct judged got;

    for (size_t i = 0; i < COUNT(modes); i++) {
        judge_text(modes[i].text, FL_TARGET_VMALLOC, false, NULL, &got);
        CHECK(!got.diverged, "%s: %s", modes[i].text, got.key);
        CHECK_EQ(got.stats.touched[FL_TOUCH_REFUSED], modes[i].generations, "%s", modes[i].text);
        CHECK_EQ(got.stats.compared[FL_CHECK_GENERATION], modes[i].generations - 1, "%s: compared", modes[i].text);
        CHECK_EQ(got.stats.generations_apart, 0, "%s: apart", modes[i].text);
    }
}

/* Outside the vmalloc range 2014 copies where CURRENT refuses: an expected difference, and the end of the comparison. */
static void test_expected(void)
{
    static struct judged got;
    uint64_t rows = 0;

    judge_text(SCN("4level") "fork mm 1\nioremap 0xffff880000000000 frame 600 flags p,w,a,d,g\nswitch mm 1\n"
                             "touch read supervisor 0xffff880000000000\n"
                             "touch read supervisor 0xffff880000000000\n",
               FL_TARGET_VMALLOC, false, NULL, &got);
    CHECK(!got.diverged, "%s", got.key);
    for (unsigned i = 0; i < FL_MAX_GEN_ROWS; i++)
        rows += got.stats.generation_row[i];
    CHECK_EQ(rows, 2, "2014, native and paravirt");
    CHECK_EQ(got.stats.touched[FL_TOUCH_DONE], 2, "of them");
    CHECK_EQ(got.stats.touched[FL_TOUCH_REFUSED], 3, "of CURRENT, 2008 and 2016, which all end there");
    CHECK_EQ(got.stats.events_skipped, 5, "the second access");
}

/* Worlds that have drifted apart without a difference. */
static void test_apart(void)
{
    static struct judged got;

    judge_text(SCN("4level") "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\nswitch mm 1\n"
                             "sync-all\ntouch read supervisor 0xffffc90040000000\n"
                             "touch read supervisor 0xffffc90040000000\n",
               FL_TARGET_VMALLOC, false, NULL, &got);
    CHECK(!got.diverged, "%s", got.key);
    /* sync-all of 2014 does nothing, and the access directly after it is compared all the same; the one after that is
     * not, since the first address space has the mapping under CURRENT only. */
    CHECK_EQ(got.stats.compared[FL_CHECK_GENERATION], 4 + 2, "compared");
    CHECK_EQ(got.stats.generations_apart, 2, "apart");

    judge_text(SCN("4level") "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\nswitch mm 1\n"
                             "extable 0x400000 fixup 0x400000\n"
                             "touch read supervisor 0xffffc90040001000\n"
                             "touch read supervisor 0xffffc90040000000\n",
               FL_TARGET_VMALLOC, false, NULL, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK_EQ(got.stats.touched[FL_TOUCH_REFUSED], 5, "of each generation, and fixed up");
    CHECK_EQ(got.stats.touched[FL_TOUCH_DONE], 5, "of each generation");
    /* The first page is not there. The others have made a copy of its slot before they find out, CURRENT has not. */
    CHECK_EQ(got.stats.generations_apart, 4, "apart");
    CHECK_EQ(got.stats.compared[FL_CHECK_GENERATION], 4, "compared");
}

int main(void)
{
    judge_cases(sh4, COUNT(sh4), false);
    judge_cases(generations, COUNT(generations), false);
    test_loops();
    test_many();
    test_each();
    test_expected();
    test_apart();
    return check_done("judge, generations");
}
