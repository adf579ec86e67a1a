/* SPDX-License-Identifier: MIT */
/* One page fault through core and policy, and FAULT events: raw faults whose CR2 and error code the scenario gives. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

#define RFLAGS_AC (1u << 18) /* SDM vol. 1, 3.4.3 */
/* SDM vol. 3, 4.7. */
#define ERROR_P    1u
#define ERROR_USER 4u
#define ERROR_RSVD 8u

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
    .new_sp = UINT64_C(0xdeadbeefdeadbeef),
    .si_pkey = 0xff,
    .si_addr_lsb = 0xff,
    .screen_bits = UINT32_MAX,
};

/* ---- what is looked at after the comparison with the policy ------------------------------------------------------ */

/* A user-mode fault at a kernel address: the task must learn the same whether the kernel maps it (P set) or not. Decides
 * the fault once more with P turned round; nothing but reports has happened on that path. */
static enum fl_event_end interference(struct fl_judge *j, const struct fl_snapshot *before, struct fl_fault *fault,
                                      const struct fl_outcome *first)
{
    const struct fl_effects *effects = fl_world_effects(j->world);
    char log[FL_LOG_MAX];
    unsigned nlog = effects->nlog;
    struct fl_outcome second = untouched;
    bool present = fault->error_code & ERROR_P, differ;

    memcpy(log, effects->log, nlog < sizeof log ? nlog : sizeof log);
    fl_world_event_again(j->world);
    fault->error_code ^= ERROR_P;
    if (j->core->fault(fault, fl_world_ops(), j->world, &second) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_INTERFERENCE, "status", "ok", "status",
                                "core->fault decides CR2 %#" PRIx64 " error %#" PRIx64 " but not with P turned round",
                                fault->cr2, before->error_code);
    effects = fl_world_effects(j->world);
    j->stats->compared[FL_CHECK_INTERFERENCE]++;
    /* The world's record is that of the second run; the comparer takes one text and one record. */
    if (present) {
        struct fl_effects of_first = *effects;

        memcpy(of_first.log, log, sizeof log);
        of_first.nlog = nlog;
        differ =
            fl_compare_interference(before, &second, effects->log, effects->nlog, first, &of_first, &j->divergence);
    } else {
        differ = fl_compare_interference(before, first, log, nlog, &second, effects, &j->divergence);
    }
    return differ ? FL_EVENT_DIVERGED : FL_EVENT_GOES_ON;
}

/* After a retry that can help the tables must permit the access, or at least say something else. */
static enum fl_event_end rewalk(struct fl_judge *j, const struct fl_fault *fault, const struct fl_outcome *got)
{
    uint64_t code = fault->error_code;
    struct fl_access a = fl_arch_access_of(fault->cr2, code, ac_of(&fault->regs));
    struct fl_arch_result after;

    j->stats->compared[FL_CHECK_REWALK]++;
    if (fl_arch_walk(fl_world_cpu(j->world), &a, fl_world_read, j->world, &after) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_REWALK, "arch", "answers", "refused",
                                "the arch walk refused CR2 %#" PRIx64 ": a fault of the harness", fault->cr2);
    if (got->action == FL_ACT_SYNCED) {
        /* The reference may forbid the access: then the next fault says so, with P set. */
        if (after.kind == FL_ARCH_PF && !(after.error_code & ERROR_P))
            return fl_judge_diverge(j, FL_CHECK_REWALK, "synced", "present", "absent",
                                    "CR2 %#" PRIx64 " was synchronised, but the walk still ends at an absent entry of "
                                    "level %u (%#" PRIx64 ")",
                                    fault->cr2, after.level, after.entry);
        return FL_EVENT_GOES_ON;
    }
    /* Kernels let a fetch from a page that is not there through like a read; a page that may not be executed then
     * faults once more, with P set (2.6.25 fault_32.c; access_error() still). */
    if (a.kind == FL_FETCH && !(code & ERROR_P) && after.kind == FL_ARCH_PF && (after.error_code & ERROR_P) &&
        !(after.error_code & ERROR_RSVD))
        return FL_EVENT_GOES_ON;
    return fl_compare_rewalk(&after, &a, &j->divergence) ? FL_EVENT_DIVERGED : FL_EVENT_GOES_ON;
}

/* What was to be logged, line by line; a task's name may hold anything, a terminal should not see it. */
static void say_log(struct fl_judge *j, const struct fl_expected *want)
{
    char line[160];
    size_t n = 0;

    for (unsigned i = 0; i < want->nlog; i++) {
        unsigned char c = (unsigned char)want->log[i];

        if (c != '\n' && n + 5 < sizeof line) {
            n += (size_t)snprintf(line + n, sizeof line - n, c >= ' ' && c < 0x7f ? "%c" : "\\x%02x", c);
            continue;
        }
        fl_judge_say(j, "log: %.*s", (int)n, line);
        n = 0;
    }
    if (n)
        fl_judge_say(j, "log: %.*s", (int)n, line);
}

static void count_rows(struct fl_judge *j, enum fl_mode mode, bool user, const struct fl_expected *want)
{
    for (unsigned i = 0; i < (unsigned)FL_PART_COUNT + want->nagain; i++) {
        unsigned row = i < FL_PART_COUNT ? want->path[i] : want->again[i - FL_PART_COUNT];

        if (row == FL_POLICY_NO_ROW)
            continue;
        j->stats->row[row < FL_MAX_POLICY_ROWS ? row : FL_MAX_POLICY_ROWS - 1]++;
        fl_judge_cell(j, fl_cell_row(mode, user, row));
    }
    if (want->synced) {
        j->stats->sync_row[want->sync.row < FL_MAX_SYNC_ROWS ? want->sync.row : FL_MAX_SYNC_ROWS - 1]++;
        fl_judge_cell(j, fl_cell_sync(mode, want->sync.row));
    }
}

static void count_compared(struct fl_judge *j, const struct fl_expected *want)
{
    uint64_t *compared = j->stats->compared;
    const struct fl_effects *e = fl_world_effects(j->world);

    compared[FL_CHECK_DECISION]++;
    compared[FL_CHECK_EFFECT]++;
    compared[FL_CHECK_LOCK]++;
    compared[FL_CHECK_CONTRACT]++;
    compared[FL_CHECK_SIGNAL]++;
    compared[FL_CHECK_MESSAGE] += want->nlog != 0 || e->nlog != 0;
    compared[FL_CHECK_SYNC] += want->synced;
    compared[FL_CHECK_TABLE_READ] += e->reads != 0 && fl_world_kernel(j->world)->generation == FL_GEN_CURRENT;
    compared[FL_CHECK_BOUND] += e->probes != 0;
}

bool fl_judge_no_generation(struct fl_judge *j, enum fl_status status)
{
    if (!j->options.core || status != FL_UNSUPPORTED || fl_world_kernel(j->world)->generation == FL_GEN_CURRENT)
        return false;
    j->stats->unsupported++;
    j->no_generation = true;
    j->all_handled = false;
    return true;
}

enum fl_event_end fl_judge_one_fault(struct fl_judge *j, uint64_t cr2, uint64_t error_code, enum fl_label label,
                                     struct fl_outcome *out)
{
    struct fl_fault fault;
    struct fl_snapshot before;
    struct fl_expected want;
    struct fl_outcome got;
    enum fl_mode mode = (enum fl_mode)fl_world_cpu(j->world)->mode;
    bool user = fl_world_user_mode(j->world);
    enum fl_action action;
    enum fl_status status;

    fl_world_event_begin(j->world);
    fl_world_snapshot(j->world, cr2, error_code, &fault, &before);
    if (fl_policy_decide(&before, &want) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_DECISION, "policy", "answers", "refused",
                                "the policy refused CR2 %#" PRIx64 " error %#" PRIx64 ": a fault of the harness", cr2,
                                error_code);
    j->stats->label[label]++;
    j->stats->mode_priv[mode][user]++;
    count_rows(j, mode, user, &want);
    memcpy(&got, &untouched, sizeof got);
    status = j->core->fault(&fault, fl_world_ops(), j->world, &got);
    if (fl_judge_no_generation(j, status))
        return FL_EVENT_TRACE_ENDS;
    if (status != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_DECISION, fl_policy_rows(&(size_t){0})[want.row].name, "decided",
                                status == FL_UNSUPPORTED ? "unsupported" : "refused",
                                "core->fault answered status %d for CR2 %#" PRIx64 " error %#" PRIx64, (int)status, cr2,
                                error_code);
    action = got.action < FL_ACT_COUNT ? (enum fl_action)got.action : FL_ACT_NONE;
    fl_judge_cell(j, fl_cell_action(mode, action, error_code));
    j->stats->action[action]++;
    j->stats->decided[mode][action][error_code % FL_ERROR_BITS]++;
    count_compared(j, &want);
    fl_judge_passed(j, fl_outcome_class(&got));
    if (j->say) {
        fl_judge_say(j, "CR2 %#" PRIx64 " error %#" PRIx64 ": core says %s, policy row %s says %s", cr2, error_code,
                     fl_outcome_class(&got), fl_policy_rows(&(size_t){0})[want.row].name,
                     fl_outcome_class(&want.outcome));
        if (want.synced)
            fl_judge_say(j, "synchronisation: row %s says %s", fl_sync_rows(&(size_t){0})[want.sync.row].name,
                         fl_sync_end_name((enum fl_sync_end)want.sync.end));
        if (fl_world_effects(j->world)->warns)
            fl_judge_say(j, "warned in NMI context");
        say_log(j, &want);
    }
    if (fl_compare_fault(&before, &want, &got, fl_world_effects(j->world), &j->divergence))
        return FL_EVENT_DIVERGED;
    j->grew |= fl_world_effects(j->world)->grew;
    j->injected |= fl_world_injected(j->world);

    enum fl_event_end end = FL_EVENT_GOES_ON;

    if ((error_code & ERROR_USER) && cr2 >= before.kernel.task_size)
        end = interference(j, &before, &fault, &got);
    if (end == FL_EVENT_GOES_ON && label != FL_LABEL_IMPOSSIBLE &&
        (got.action == FL_ACT_HANDLED || (got.action == FL_ACT_SYNCED && before.kernel.generation == FL_GEN_CURRENT)))
        end = rewalk(j, &fault, &got);
    *out = got;
    return end;
}

enum fl_event_end fl_judge_after_outcome(struct fl_judge *j, const struct fl_outcome *out)
{
    if (out->action != FL_ACT_HANDLED)
        j->all_handled = false;
    switch (out->action) {
    case FL_ACT_HANDLED:
    case FL_ACT_IGNORED:
    case FL_ACT_SYNCED:
    case FL_ACT_SPURIOUS:
    case FL_ACT_KPROBE: return FL_EVENT_GOES_ON;
    case FL_ACT_EMULATED:
        fl_world_regs(j->world)->gpr[FL_RSP] = out->new_sp;
        fl_world_regs(j->world)->ip = out->new_ip;
        return FL_EVENT_GOES_ON;
    case FL_ACT_ERRATUM93:
    case FL_ACT_FIXUP: fl_world_regs(j->world)->ip = out->new_ip; return FL_EVENT_GOES_ON;
    case FL_ACT_SIGNAL: return fl_world_catches_signals(j->world) ? FL_EVENT_GOES_ON : FL_EVENT_TASK_ENDS;
    case FL_ACT_INVALID_OP: /* SIGILL has no handler */
    case FL_ACT_FATAL_SIGNAL:
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

    j->raw = true;
    fl_world_kernel_era(j->world);
    if (fl_arch_label(fl_world_cpu(j->world), cr2, code, ac_of(fl_world_regs(j->world)), fl_world_read, j->world,
                      &label) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_DECISION, "label", "answers", "refused",
                                "the arch walk could not label CR2 %#" PRIx64 ": a fault of the harness", cr2);
    end = fl_judge_one_fault(j, cr2, code, label, &out);
    if (end != FL_EVENT_GOES_ON)
        return end;
    fl_judge_ended(j, "decided");
    return fl_judge_after_outcome(j, &out);
}
