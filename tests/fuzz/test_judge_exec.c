/* SPDX-License-Identifier: MIT */
/* EXEC events before the judge: progress, and the run on demand against the run with everything mapped. */
#include "judge_cores.h"

/* mov [rdi],rax across the end of a page: the first page faults, then the second. */
#define CROSSING                                                                                                       \
    SCN("4level")                                                                                                      \
    "vma 0x400000 pages 1 prot rx file 0 size 1\nvma 0x10000000 pages 2 prot rw\n"                                     \
    "map 0x20000000 frame 600 flags p,u,a\ngpr rdi 0x10000ffc\nexec user 0x400000: 48 89 07\n"
/* mov [rdi],rax; mov rcx,[rsi]; mov rdx,[rdi] */
#define STORE_LOAD                                                                                                     \
    SCN("4level")                                                                                                      \
    "vma 0x400000 pages 1 prot rx file 0 size 1\nvma 0x10000000 pages 2 prot rw\n"                                     \
    "gpr rdi 0x10000008\ngpr rsi 0x10001008\nexec user 0x400000: 48 89 07 48 8b 0e 48 8b 17\n"
/* The same, then mov rbx,[rdx]: where that goes is what was stored, a valid address. */
#define STORE_CHASE                                                                                                    \
    SCN("4level")                                                                                                      \
    "vma 0x400000 pages 1 prot rx file 0 size 1\nvma 0x10000000 pages 2 prot rw\ngpr rax 0x10000010\n"                 \
    "gpr rdi 0x10000008\ngpr rsi 0x10001008\nexec user 0x400000: 48 89 07 48 8b 0e 48 8b 17 48 8b 1a\n"

/* ---- progress --------------------------------------------------------------------------------------------------- */

/* Brings in the page of the fault and takes the other one away: A, B, A, B ... for ever. */
static enum fl_status one_page(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)n;
    if (out->action == FL_ACT_HANDLED && f->cr2 >> 12 == 0x10001)
        judge_apply(w, "4level", "zap 0x10000000 pages 1");
    if (out->action == FL_ACT_HANDLED && f->cr2 >> 12 == 0x10000)
        judge_apply(w, "4level", "zap 0x10001000 pages 1");
    return FL_OK;
}

/* Not even that: the page of the fault is not there when the access is tried again. What finds it is the re-walk. */
static enum fl_status no_page(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)n;
    if (out->action == FL_ACT_HANDLED && f->cr2 >> 28 == 1)
        judge_apply(w, "4level", "zap 0x10000000 pages 2");
    return FL_OK;
}

static enum fl_status kill(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)n;
    out->action = FL_ACT_OOM_KILL;
    return FL_OK;
}

/* ---- transparency ----------------------------------------------------------------------------------------------- */

/* Every fault is answered and every page mapped as it should be; but what was stored before is gone. */
static enum fl_status spoil(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)out, (void)n;
    if (f->cr2 == 0x10001008)
        judge_apply(w, "4level", "bytes 0x10000008: 20 00 00 10");
    return FL_OK;
}

/* ... in a place where this run does not look again. */
static enum fl_status spoil_beside(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)out, (void)n;
    if (f->cr2 == 0x10001008)
        judge_apply(w, "4level", "bytes 0x10000800: 01");
    return FL_OK;
}

static const struct judge_case cases[] = {
    {"A, B, A, B", FL_TARGET_FAULT, CROSSING, {.fault = one_page}, "progress/fault-loop/progress/same-fault-again", 4},
    {"A, A", FL_TARGET_FAULT, CROSSING, {.fault = no_page}, "rewalk/access/ok/pf-absent", 4},
    {"decision", FL_TARGET_FAULT, CROSSING, {.fault = kill}, "decision/mm-minor/handled-minor/oom-kill", 4},
    {"registers", FL_TARGET_FAULT, STORE_LOAD, {.fault = spoil}, "transparency/registers/equal/differ", 5},
    {"registers, replay", FL_TARGET_ALL, STORE_LOAD, {.fault = spoil}, "transparency/registers/equal/differ", 5},
    {"memory", FL_TARGET_FAULT, STORE_LOAD, {.fault = spoil_beside}, "transparency/memory/equal/differ", 5},
};

/* The on-demand run ends well only because of what the core has spoilt: a null pointer was to be followed. */
static enum fl_status rescue(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)out, (void)n;
    if (f->cr2 == 0x10001008)
        judge_apply(w, "4level", "bytes 0x10000008: 10 00 00 10");
    return FL_OK;
}

static void test_mapped_run(void)
{
    static const char null[] = SCN("4level") "vma 0x400000 pages 1 prot rx file 0 size 1\n"
                                             "vma 0x10000000 pages 2 prot rw\ngpr rdi 0x10000008\ngpr rsi 0x10001008\n"
                                             "exec user 0x400000: 48 89 07 48 8b 0e 48 8b 17 48 8b 1a\n";
    const struct wrong wrong = {.fault = rescue};
    static struct judged got;

    judge_text(null, FL_TARGET_FAULT, true, NULL, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK_EQ(got.stats.opaque[FL_SKIP_NO_EXEC], 1, "a signal: nothing to compare");
    judge_text(null, FL_TARGET_FAULT, true, &wrong, &got);
    CHECK(strcmp(got.key, "transparency/mapped-run/done/fault") == 0, "%s", got.key);
    CHECK_EQ(got.record, 5, "the scenario as a whole");
    judge_text(STORE_CHASE, FL_TARGET_FAULT, true, NULL, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK_EQ(got.stats.transparent, 1, "compared");
    CHECK_EQ(got.stats.real_faults, 3, "code, store, load");
    CHECK_EQ(got.stats.compared[FL_CHECK_EXECUTOR], 3, "each of them");
    CHECK_EQ(got.stats.executor_runs, 1, "runs");
    CHECK_EQ(got.stats.compared[FL_CHECK_TRANSPARENCY], 1, "compared");
}

/* ---- what is no divergence -------------------------------------------------------------------------------------- */

/* A fix-up that leads back to its own instruction loops by the scenario's doing, until the executor has enough. */
static void test_fixup_loop(void)
{
    static struct judged got;

    judge_text(SCN("4level") "privilege kernel\nmap 0xffffffff81000000 frame 600 flags p,a,g\n"
                             "extable 0xffffffff81000010 fixup 0xffffffff81000010\n"
                             "exec kernel 0xffffffff81000010: 48 8b 07\n",
               FL_TARGET_FAULT, true, NULL, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK_EQ(got.stats.action[FL_ACT_FIXUP], 256, "fix-ups");
    CHECK_EQ(got.stats.compared[FL_CHECK_PROGRESS], 256, "faults");
    CHECK_EQ(got.stats.opaque[FL_SKIP_NO_EXEC], 1, "nothing ran to its end");
    CHECK(strncmp(got.endings, "record 3: other after fixup, fixup", 34) == 0, "%s", got.endings);
}

/* A historical generation may say synced for ever; that ends the trace. */
static enum fl_status undo_copy(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)f, (void)n;
    if (out->action == FL_ACT_SYNCED)
        judge_apply(w, "4level", "entry 0xffffc90040000000 level 4 set 0x0 mask 0xffffffffffffffff");
    return FL_OK;
}

static void test_history_loops(void)
{
    static const char text[] = SCN("4level") "generation 2014-native\nprivilege kernel\n"
                                             "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\n"
                                             "switch mm 1\nmap 0xffffffff81000000 frame 601 flags p,a,g\n"
                                             "gpr rdi 0xffffc90040000008\nexec kernel 0xffffffff81000000: 48 8b 07\n"
                                             "fault cr2 0x0 code 0x0\n";
    const struct wrong wrong = {.fault = undo_copy};
    static struct judged got;

    judge_text(text, FL_TARGET_FAULT, true, NULL, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK(strncmp(got.endings, "record 6: done after synced\n", 28) == 0, "%s", got.endings);
    judge_text(text, FL_TARGET_FAULT, true, &wrong, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK(strcmp(got.endings, "record 6: stopped after synced\n") == 0, "%s", got.endings);
    CHECK_EQ(got.stats.events_skipped, 1, "the rest of the trace");
}

int main(void)
{
    judge_cases(cases, COUNT(cases), true);
    test_mapped_run();
    test_fixup_loop();
    test_history_loops();
    return check_done("judge, executed");
}
