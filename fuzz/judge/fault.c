/* SPDX-License-Identifier: MIT */
/* One page fault through core and policy, and FAULT events: raw faults whose CR2 and error code the scenario gives. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

#define RFLAGS_AC (1u << 18) /* SDM vol. 1, 3.4.3 */
#define ERROR_P   1u         /* SDM vol. 3, 4.7 */

static bool ac_of(const struct fl_regs *regs)
{
    return (regs->flags & RFLAGS_AC) != 0;
}

/* What the core finds in its outcome: a field that it forgets to write must not pass for a right zero. */
static const struct fl_outcome untouched = {
    .action = FL_ACT_COUNT,
    .major = true,
    .irq_on = true,
    .thread_valid = true,
    .signo = -1,
    .si_code = -1,
    .si_addr = UINT64_C(0xdeadbeefdeadbeef),
    .thread_cr2 = UINT64_C(0xdeadbeefdeadbeef),
    .thread_error_code = UINT64_C(0xdeadbeefdeadbeef),
    .thread_trap_no = UINT64_C(0xdeadbeefdeadbeef),
    .new_ip = UINT64_C(0xdeadbeefdeadbeef),
};

enum fl_event_end fl_judge_one_fault(struct fl_judge *j, uint64_t cr2, uint64_t error_code, enum fl_label label,
                                     struct fl_outcome *out, bool *supported)
{
    struct fl_fault fault;
    struct fl_snapshot before;
    struct fl_expected want;
    struct fl_outcome got;
    enum fl_mode mode = (enum fl_mode)fl_world_cpu(j->world)->mode;
    bool user = fl_world_user_mode(j->world);
    enum fl_status status;

    *supported = false;
    fl_world_event_begin(j->world);
    fl_world_snapshot(j->world, cr2, error_code, &fault, &before);
    if (fl_policy_decide(&before, &want) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_DECISION, "policy", "answers", "refused",
                                "the policy refused CR2 %#" PRIx64 " error %#" PRIx64 ": a fault of the harness", cr2,
                                error_code);
    j->stats->label[label]++;
    j->stats->mode_priv[mode][user]++;
    for (unsigned i = 0; i < FL_PART_COUNT; i++) {
        if (want.path[i] == FL_POLICY_NO_ROW)
            continue;
        j->stats->row[want.path[i] < FL_MAX_POLICY_ROWS ? want.path[i] : FL_MAX_POLICY_ROWS - 1]++;
        fl_judge_cell(j, fl_cell_row(mode, user, want.path[i]));
    }
    memcpy(&got, &untouched, sizeof got);
    status = j->core->fault(&fault, fl_world_ops(), j->world, &got);
    if (!want.supported) {
        j->stats->unsupported++;
        j->stats->compared[FL_CHECK_CONTRACT]++;
        if (fl_compare_undecided(&want, status, memcmp(&got, &untouched, sizeof got) != 0, fl_world_effects(j->world),
                                 &j->divergence))
            return FL_EVENT_DIVERGED;
        fl_judge_say(j, "not decided yet: %s", fl_policy_rows(&(size_t){0})[want.row].name);
        return FL_EVENT_TASK_ENDS;
    }
    if (status != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_DECISION, fl_policy_rows(&(size_t){0})[want.row].name, "decided",
                                status == FL_UNSUPPORTED ? "unsupported" : "refused",
                                "core->fault answered status %d for CR2 %#" PRIx64 " error %#" PRIx64, (int)status, cr2,
                                error_code);
    fl_judge_cell(
        j, fl_cell_action(mode, got.action < FL_ACT_COUNT ? (enum fl_action)got.action : FL_ACT_NONE, error_code));
    j->stats->action[got.action < FL_ACT_COUNT ? got.action : FL_ACT_NONE]++;
    j->stats->compared[FL_CHECK_DECISION]++;
    j->stats->compared[FL_CHECK_EFFECT]++;
    j->stats->compared[FL_CHECK_LOCK]++;
    j->stats->compared[FL_CHECK_CONTRACT]++;
    if (fl_world_effects(j->world)->probes)
        j->stats->compared[FL_CHECK_BOUND]++;
    if (j->say) {
        fl_judge_say(j, "CR2 %#" PRIx64 " error %#" PRIx64 ": core says %s, policy row %s says %s", cr2, error_code,
                     fl_action_name((enum fl_action)got.action), fl_policy_rows(&(size_t){0})[want.row].name,
                     fl_action_name((enum fl_action)want.outcome.action));
    }
    if (fl_compare_fault(&before, &want, &got, fl_world_effects(j->world), &j->divergence))
        return FL_EVENT_DIVERGED;
    j->grew |= fl_world_effects(j->world)->grew;
    j->injected |= fl_world_injected(j->world);

    if (got.action == FL_ACT_HANDLED && label != FL_LABEL_IMPOSSIBLE) {
        struct fl_access a = fl_arch_access_of(cr2, error_code, ac_of(&fault.regs));
        struct fl_arch_result after;

        /* Kernels let a fetch from a page that is not there through like a read; a page that may not be executed then
         * faults once more, with P set (2.6.25 fault_32.c; access_error() still). */
        if (a.kind == FL_FETCH && !(error_code & ERROR_P))
            a.kind = FL_READ;
        j->stats->compared[FL_CHECK_REWALK]++;
        if (fl_arch_walk(fl_world_cpu(j->world), &a, fl_world_read, j->world, &after) != FL_OK ||
            fl_compare_rewalk(&after, &a, &j->divergence))
            return FL_EVENT_DIVERGED;
    }
    *out = got;
    *supported = true;
    return FL_EVENT_GOES_ON;
}

enum fl_event_end fl_judge_after_outcome(struct fl_judge *j, const struct fl_outcome *out)
{
    if (out->action != FL_ACT_HANDLED)
        j->all_handled = false;
    switch (out->action) {
    case FL_ACT_HANDLED:
    case FL_ACT_IGNORED: return FL_EVENT_GOES_ON;
    case FL_ACT_FIXUP: fl_world_regs(j->world)->ip = out->new_ip; return FL_EVENT_GOES_ON;
    case FL_ACT_SIGNAL: return fl_world_catches_signals(j->world) ? FL_EVENT_GOES_ON : FL_EVENT_TASK_ENDS;
    case FL_ACT_OOM_KILL: return FL_EVENT_TASK_ENDS;
    default: return FL_EVENT_TRACE_ENDS;
    }
}

enum fl_event_end fl_judge_raw_fault(struct fl_judge *j, const struct fl_record *r)
{
    uint64_t cr2 = r->u.fault.cr2, code = r->u.fault.code;
    struct fl_outcome out;
    enum fl_event_end end;
    enum fl_label label;
    bool supported;

    j->raw = true;
    fl_world_kernel_era(j->world);
    if (fl_arch_label(fl_world_cpu(j->world), cr2, code, ac_of(fl_world_regs(j->world)), fl_world_read, j->world,
                      &label) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_DECISION, "label", "answers", "refused",
                                "the arch walk could not label CR2 %#" PRIx64 ": a fault of the harness", cr2);
    end = fl_judge_one_fault(j, cr2, code, label, &out, &supported);
    if (end != FL_EVENT_GOES_ON || !supported)
        return end;
    return fl_judge_after_outcome(j, &out);
}
