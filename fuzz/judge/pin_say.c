/* SPDX-License-Identifier: MIT */
/* What is said of records of pinning while they are judged, for repro: who did what, what the call asked of the kernel, and what
 * became of the pages. Only what decides something: `faultline explain` tells every call. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

/* ---- lines -------------------------------------------------------------------------------------------------------- */

static void say_change(void *ctx, unsigned i, const struct fl_pin_place *before, const struct fl_pin_place *after)
{
    struct fl_judge *j = ctx;
    char text[400];

    fl_pin_change_text(before, after, text, sizeof text);
    if (!text[0] || !before->exists || !after->exists)
        return;
    fl_judge_say(j, "    page %#" PRIx64 "%s: %s", j->pin_follow.at[i].va,
                 j->pin_follow.at[i].mm ? " of the child" : "", text);
}

/* Does the op decide what is pinned? Reads and locks are only the way there. */
static bool decides(const struct fl_pin_op_call *c)
{
    switch ((enum fl_pin_op)c->op) {
    case FL_PINOP_READ:
    case FL_PINOP_PTL_LOCK:
    case FL_PINOP_PTL_UNLOCK:
    case FL_PINOP_RESCHED:
    case FL_PINOP_PAGE_MARK:
    case FL_PINOP_PAGE_HEAD: return c->given;
    case FL_PINOP_FATAL_SIGNAL: return c->answer != 0 || c->given;
    default: return true;
    }
}

/* The call that has just ended, now that its answer is there. */
static void say_call(struct fl_judge *j, const struct fl_pin_world *w)
{
    const struct fl_pin_op_call *calls;
    unsigned n = fl_pin_world_calls(w, &calls);
    char text[160], answer[80];

    if (n && j->pin_said && decides(j->pin_said)) {
        fl_pin_op_text(j->pin_said, text, sizeof text);
        fl_pin_op_answer_text(j->pin_said, answer, sizeof answer);
        fl_judge_say(j, "call %u: %s%s%s", (unsigned)(j->pin_said - calls) + 1, text, answer[0] ? " = " : "", answer);
    }
    fl_pin_follow_step(&j->pin_follow, w, say_change, j);
    j->pin_said = NULL;
}

static void say_end(struct fl_judge *j, const struct fl_pin_world *w, const struct fl_pin_seen *s)
{
    char what[128];

    fl_judge_say(j, "it comes to %" PRIu64 " page%s%s%s%s", s->out.pages, s->out.pages == 1 ? "" : "s",
                 s->out.error ? ", " : "", s->out.error ? fl_pin_error_text(s->out.error) : "",
                 s->out.lock_held ? "" : ", mm lock not held");
    for (unsigned i = 0; i < FL_PIN_PAGES && i < s->out.pages && s->pfn[i] != FL_NO_PAGE; i++) {
        fl_pin_world_describe(w, s->pfn[i], what, sizeof what);
        fl_judge_say(j, "page %u: %s", i, what);
    }
}

static void say_step(struct fl_judge *j, const struct fl_pin_world *w, const struct fl_pin_step *step)
{
    const struct fl_pin_op_call *calls;
    unsigned n = fl_pin_world_calls(w, &calls);
    char text[200];

    switch ((enum fl_pin_step_kind)step->kind) {
    case FL_PIN_STEP_BEGIN:
        fl_pin_pin_text(step->record, text, sizeof text);
        fl_judge_say(j, "%s", text);
        fl_pin_follow_step(&j->pin_follow, w, NULL, NULL);
        j->pin_said = NULL;
        break;
    case FL_PIN_STEP_CALL:
        say_call(j, w);
        j->pin_said = n ? &calls[n - 1] : NULL;
        break;
    case FL_PIN_STEP_ACT:
        if (step->record->kind == FL_REC_AREA) {
            fl_pin_follow_step(&j->pin_follow, w, NULL, NULL);
            break;
        }
        if (step->when == FL_PIN_RELEASED || step->when == FL_PIN_LATER)
            say_call(j, w);
        fl_pin_act_text(step->record, text, sizeof text);
        fl_judge_say(j, "%s%s%s",
                     step->when == FL_PIN_BEFORE     ? "between: "
                     : step->when == FL_PIN_RELEASED ? "between, when the lock is free: "
                     : step->when == FL_PIN_LATER    ? "afterwards: "
                                                     : "",
                     text,
                     step->status == FL_OK      ? ""
                     : step->status == FL_STALE ? " (begun)"
                                                : " (no effect)");
        fl_pin_follow_step(&j->pin_follow, w, say_change, j);
        break;
    case FL_PIN_STEP_WAITS: break;
    case FL_PIN_STEP_END:
        say_call(j, w);
        say_end(j, w, step->seen);
        break;
    }
}

/* ---- listening ---------------------------------------------------------------------------------------------------- */

static void in_world(void *ctx, const struct fl_pin_world *w, const struct fl_pin_step *step)
{
    struct fl_judge *j = ctx;

    if (j->say)
        say_step(j, w, step);
    if (j->watch_pin)
        j->watch_pin(j->watch_pin_ctx, j->record, false, w, step);
}

static void in_other(void *ctx, const struct fl_pin_world *w, const struct fl_pin_step *step)
{
    struct fl_judge *j = ctx;

    j->watch_pin(j->watch_pin_ctx, j->record, true, w, step);
}

void fl_judge_pin_listen(struct fl_judge *j, const struct fl_scenario *s)
{
    fl_pin_world_watch(j->pin_world, j->say || j->watch_pin ? in_world : NULL, j);
    fl_pin_world_watch(j->pin_other, j->watch_pin ? in_other : NULL, j);
    if (!j->say)
        return;
    fl_pin_follow_begin(&j->pin_follow, s);
    fl_pin_follow_step(&j->pin_follow, j->pin_world, NULL, NULL);
}

void fl_judge_set_watch_pin(struct fl_judge *j, fl_watch_pin_fn watch, void *ctx)
{
    j->watch_pin = watch;
    j->watch_pin_ctx = ctx;
}

/* ---- the finding in short ------------------------------------------------------------------------------------------ */

void fl_judge_pin_between(struct fl_judge *j)
{
    const struct fl_pin_op_call *calls;
    unsigned n = fl_pin_world_calls(j->pin_world, &calls);
    char *detail = j->divergence.detail, act[160], op[120];

    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; calls[i].acted && k < j->nraces; k++) {
            size_t used = strlen(detail);

            if (j->races[k].u.act.op != calls[i].op || j->races[k].u.act.nth != calls[i].nth)
                continue;
            fl_pin_act_text(&j->races[k], act, sizeof act);
            fl_pin_op_text(&calls[i], op, sizeof op);
            if (used + strlen(act) + strlen(op) + 32 < sizeof j->divergence.detail)
                snprintf(detail + used, sizeof j->divergence.detail - used, "\nbefore call %u, %s: %s", i + 1, op, act);
        }
}
