/* SPDX-License-Identifier: MIT */
/*
 * TOUCH events: one access, retried through the fault handler until it succeeds or is refused. Faults are raised by the
 * arch walk (SH4: by a walk of the table in TTB), so that no executor is needed.
 */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

#define RFLAGS_AC (1u << 18)  /* SDM vol. 1, 3.4.3 */
#define P1SEG     0x80000000u /* SH-4 hardware manual, 3.3: privileged from here on */

/* More faults than any access needs: a synchronisation, a page to bring in, a stack to grow, and one too many. */
#define MAX_FAULTS 8

/* What came of the fault: true: the access is tried again. */
static bool again(struct fl_judge *j, const struct fl_outcome *out, enum fl_touch_end *how, enum fl_event_end *end)
{
    *end = fl_judge_after_outcome(j, out);
    switch (out->action) {
    case FL_ACT_HANDLED:
    case FL_ACT_SYNCED:
    case FL_ACT_SPURIOUS: return true;
    case FL_ACT_BUG: *how = FL_TOUCH_BUG; return false;
    case FL_ACT_WILD: *how = FL_TOUCH_WILD; return false;
    default: *how = FL_TOUCH_REFUSED; return false; /* IGNORED too: this fault is real and would come again */
    }
}

/* Prepares the question why this generation may end otherwise than CURRENT, while the state is that before the access. */
static void ask_why(struct fl_judge *j, uint64_t cr2, uint64_t code)
{
    enum fl_touch_end current = (enum fl_touch_end)j->touch_end[j->record];
    struct fl_snapshot before;
    struct fl_fault fault;

    memset(j->explained, 0, sizeof j->explained);
    j->tangled = false;
    if (j->generation == FL_GEN_COUNT)
        return;
    fl_world_event_begin(j->world);
    fl_world_snapshot(j->world, cr2, code, &fault, &before);
    j->tangled = fl_generation_tangled(&before);
    if (j->generation == FL_GEN_CURRENT || current == FL_TOUCH_COUNT || !j->same_world || j->tangled)
        return;
    for (unsigned e = 0; e < FL_TOUCH_COUNT; e++)
        if (e != current)
            j->explained[e] = fl_generation_explain(&before, j->generation, current, (enum fl_touch_end)e);
}

static enum fl_event_end touch_x86(struct fl_judge *j, const struct fl_record *r, enum fl_touch_end *how)
{
    const struct fl_cpu *cpu = fl_world_cpu(j->world);
    struct fl_access a = {.va = r->u.touch.va, .kind = r->u.touch.kind, .priv = r->u.touch.priv};
    bool current = fl_world_kernel(j->world)->generation == FL_GEN_CURRENT;
    uint64_t seen[MAX_FAULTS];
    enum fl_event_end end = FL_EVENT_GOES_ON;
    struct fl_outcome out;

    a.ac = (fl_world_regs(j->world)->flags & RFLAGS_AC) != 0;
    *how = FL_TOUCH_LOOP;
    for (unsigned n = 0; n < MAX_FAULTS; n++) {
        struct fl_arch_result walk;

        if (fl_arch_walk(cpu, &a, fl_world_read, j->world, &walk) != FL_OK)
            return fl_judge_diverge(j, FL_CHECK_WALK, "arch", "answers", "refused",
                                    "the arch walk refused an access to %#" PRIx64 ": a fault of the harness", a.va);
        if (n == 0)
            ask_why(j, a.va, walk.error_code);
        if (walk.kind == FL_ARCH_OK) {
            fl_world_apply_writes(j->world, &walk);
            *how = FL_TOUCH_DONE;
            return FL_EVENT_GOES_ON;
        }
        if (walk.kind != FL_ARCH_PF) { /* #GP, or a table where there is no memory: not the fault handler's business */
            fl_judge_passed(j, fl_arch_kind_name((enum fl_arch_kind)walk.kind));
            *how = FL_TOUCH_REFUSED;
            return FL_EVENT_GOES_ON;
        }
        seen[n] = fl_judge_fault_hash(j, a.va, walk.error_code);
        j->stats->compared[FL_CHECK_PROGRESS]++;
        for (unsigned i = 0; i < n; i++) {
            if (seen[i] != seen[n])
                continue;
            if (current)
                return fl_judge_diverge(j, FL_CHECK_PROGRESS, "fault-loop", "progress", "same-fault-again",
                                        "CR2 %#" PRIx64 " error %#x twice in the same world", a.va, walk.error_code);
            return FL_EVENT_TRACE_ENDS; /* what a historical generation does: it never ends */
        }
        end = fl_judge_one_fault(j, a.va, walk.error_code, FL_LABEL_CONSISTENT, &out);
        if (end != FL_EVENT_GOES_ON)
            return end;
        if (!again(j, &out, how, &end))
            return end;
    }
    if (current)
        return fl_judge_diverge(j, FL_CHECK_PROGRESS, "fault-count", "few", "many",
                                "an access to %#" PRIx64 " still faults after %u faults", a.va, MAX_FAULTS);
    return FL_EVENT_TRACE_ENDS;
}

/* ---- SH4 -------------------------------------------------------------------------------------------------------- */

enum fl_event_end fl_judge_p3(struct fl_judge *j, const struct fl_record *r, enum fl_touch_end *how)
{
    const struct fl_sh4 *sh = fl_world_sh4(j->world);
    uint64_t addr = r->u.touch.va, paddr;
    struct fl_sync_expected want;
    enum fl_sync_end got;

    if (r->u.touch.priv == FL_USER && addr >= P1SEG) { /* an address error, before any table is looked at */
        fl_judge_passed(j, "address-error");
        *how = FL_TOUCH_REFUSED;
        return FL_EVENT_TASK_ENDS;
    }
    for (unsigned n = 0; !fl_sh4_walk(sh, addr, fl_world_read, j->world, &paddr); n++) {
        fl_world_event_begin(j->world);
        if (fl_sh4_decide(sh, addr, fl_world_read, j->world, &want) != FL_OK)
            return fl_judge_diverge(j, FL_CHECK_SYNC, "sh4", "answers", "refused",
                                    "the oracle refused P3 address %#" PRIx64 ": a fault of the harness", addr);
        got = FL_SYNC_COUNT;
        if (j->core->p3_sync(sh, addr, fl_world_ops(), j->world, &got) != FL_OK)
            return fl_judge_diverge(j, FL_CHECK_SYNC, "sh4", "ok", "status", "core->p3_sync refused %#" PRIx64, addr);
        j->stats->compared[FL_CHECK_SYNC]++;
        j->stats->sync_row[want.row < FL_MAX_SYNC_ROWS ? want.row : FL_MAX_SYNC_ROWS - 1]++;
        fl_judge_cell(j, fl_cell_sync(FL_MODE_2LEVEL, want.row));
        if (fl_compare_sync(&want, got, fl_world_effects(j->world), &j->divergence))
            return FL_EVENT_DIVERGED;
        fl_judge_passed(j, fl_sync_end_name(got));
        fl_judge_say(j, "P3 address %#" PRIx64 ": core says %s, row %s agrees", addr, fl_sync_end_name(got),
                     fl_sync_rows(&(size_t){0})[want.row].name);
        if (got != FL_SYNC_HANDLED) {
            *how = got == FL_SYNC_BUG ? FL_TOUCH_BUG : got == FL_SYNC_WILD ? FL_TOUCH_WILD : FL_TOUCH_REFUSED;
            return FL_EVENT_TRACE_ENDS; /* an oops: P3 is the kernel's own */
        }
        if (n == 1)
            return fl_judge_diverge(j, FL_CHECK_PROGRESS, "fault-loop", "progress", "same-fault-again",
                                    "P3 address %#" PRIx64 " was synchronised twice and is still not there", addr);
    }
    *how = FL_TOUCH_DONE;
    return FL_EVENT_GOES_ON;
}

enum fl_event_end fl_judge_touch(struct fl_judge *j, const struct fl_record *r)
{
    enum fl_mode mode = (enum fl_mode)fl_world_cpu(j->world)->mode;
    enum fl_touch_end how = FL_TOUCH_REFUSED;
    enum fl_event_end end;

    if (fl_world_sh4(j->world)) {
        end = fl_judge_p3(j, r, &how);
    } else {
        fl_world_kernel_era(j->world);
        fl_world_set_user_mode(j->world, r->u.touch.priv == FL_USER);
        end = touch_x86(j, r, &how);
    }
    if (how != FL_TOUCH_DONE)
        j->all_handled = false;
    if (end == FL_EVENT_DIVERGED || j->no_generation)
        return end;
    fl_judge_cell(j, fl_cell_touch(mode, (enum fl_generation)fl_world_kernel(j->world)->generation, how));
    j->stats->touched[how]++;
    fl_judge_say(j, "touch: %s", fl_touch_end_name(how));
    fl_judge_ended(j, fl_touch_end_name(how));
    if (j->generation == FL_GEN_CURRENT) {
        j->touch_end[j->record] = j->tangled ? FL_TOUCH_COUNT : (uint8_t)how;
    } else if (j->generation < FL_GEN_COUNT && j->touch_end[j->record] != FL_TOUCH_COUNT) {
        enum fl_touch_end current = (enum fl_touch_end)j->touch_end[j->record];

        if (!j->same_world || j->tangled) {
            j->stats->generations_apart++;
            return end;
        }
        j->stats->compared[FL_CHECK_GENERATION]++;
        if (how == current)
            return end;
        if (!j->explained[how])
            return fl_judge_diverge(
                j, FL_CHECK_GENERATION, fl_generation_name(j->generation), fl_touch_end_name(current),
                fl_touch_end_name(how),
                "an access to %#" PRIx64 " ends as %s under generation %s, as %s under current, and "
                "no row of the list of expected differences says why",
                r->u.touch.va, fl_touch_end_name(how), fl_generation_name(j->generation), fl_touch_end_name(current));
        size_t nrows;
        size_t row = (size_t)(j->explained[how] - fl_generation_rows(&nrows));

        j->stats->generation_row[row < FL_MAX_GEN_ROWS ? row : FL_MAX_GEN_ROWS - 1]++;
        fl_judge_cell(j, fl_cell_generation((unsigned)row));
        fl_judge_say(j, "generation %s: expected difference %s", fl_generation_name(j->generation),
                     j->explained[how]->name);
        return FL_EVENT_TRACE_ENDS; /* from here on the two are in different worlds */
    }
    return end;
}
