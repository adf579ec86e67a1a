/* SPDX-License-Identifier: MIT */
/*
 * Rules that hold whatever the decision: the ops' contract, the mm lock, the bound on instruction bytes. And what is
 * held against them alone: a fault that is not decided, and the prefetch answer.
 */
#include "compare_rules.h"

#include "policy/facts.h"

#include <inttypes.h>

static bool compare_contract(const struct fl_effects *e, struct fl_divergence *d)
{
    if (e->lock_missing) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "mm-lock", "locked", "unlocked",
                          "an op that needs the mm lock was called without it");
        return true;
    }
    if (e->stale_generation) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "vma-generation", "current", "stale",
                          "a VMA was used after it had changed: its generation number is no longer current");
        return true;
    }
    return false;
}

/* What may not be done under the lock, and when interrupts are to be switched on. */
static bool compare_order(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                          struct fl_divergence *d)
{
    if (e->probe_locked) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "probe-byte", "unlocked", "locked",
                          "instruction bytes were read while the mm lock was held");
        return true;
    }
    if (e->extable_locked) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "extable", "unlocked", "locked",
                          "the exception table was searched while the mm lock was held");
        return true;
    }
    if (e->irq_locked) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "irq-enable", "unlocked", "locked",
                          "interrupts were switched on while the mm lock was held");
        return true;
    }
    /* Whether they are switched on at all is an effect, and compared as such. */
    if (!want->outcome.irq_on || e->irq_calls == 0)
        return false;
    uint64_t new_start;
    bool restore = (fl_policy_facts(s, &new_start) & F_IRQ_WAS_ON) != 0;
    if (restore && e->irq_late) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "irq-restore", "before-lock", "after-lock",
                          "interrupts were on before the fault, but the lock was asked for with interrupts off");
        return true;
    }
    if (!restore && want->lock_taken && !e->irq_late) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "irq-bad-area", "after-lock", "before-lock",
                          "interrupts were off before the fault, and switched on before the lock was asked for");
        return true;
    }
    return false;
}

static bool compare_lock_balance(const struct fl_effects *e, struct fl_divergence *d)
{
    if (e->lock_deadlock) {
        fl_divergence_set(d, FL_CHECK_LOCK, "take", "free", "held", "lock_take while the lock was held: deadlock");
        return true;
    }
    if (e->lock_held_at_exit) {
        fl_divergence_set(d, FL_CHECK_LOCK, "exit", "free", "held",
                          "the handler returned with the mm lock (had %u times, dropped %u times)", e->lock_gets,
                          e->lock_drops);
        return true;
    }
    if (e->lock_gets != e->lock_drops) {
        fl_divergence_set(d, FL_CHECK_LOCK, "balance", "equal",
                          e->lock_drops > e->lock_gets ? "more-drops" : "more-gets",
                          "the mm lock was had %u times and dropped %u times", e->lock_gets, e->lock_drops);
        return true;
    }
    return false;
}

/* How far a linear address lies behind the first instruction byte, going round where the address space does. */
static uint64_t window_offset(const struct fl_snapshot *s, uint64_t linear)
{
    if (s->codeseg.bits == 64)
        return linear - s->regs.ip;
    if (linear > UINT32_MAX)
        return UINT64_MAX;
    uint64_t offset = s->codeseg.bits == 16 ? (uint16_t)s->regs.ip : (uint32_t)s->regs.ip;
    return (uint32_t)(linear - (s->codeseg.base + offset));
}

static bool compare_bound(const struct fl_snapshot *s, const struct fl_effects *e, struct fl_divergence *d)
{
    if (e->probes == 0)
        return false;
    bool user = fl_policy_user_mode(&s->regs);
    if (user ? e->probe_kernel : e->probe_user) {
        fl_divergence_set(
            d, FL_CHECK_BOUND, "accessor", user ? "user" : "kernel", user ? "kernel" : "user",
            "instruction bytes of a %s context were read with the %s accessor (zoo pf-nofault-kernel-only)",
            user ? "user" : "kernel", user ? "kernel" : "user");
        return true;
    }
    if (!fl_policy_may_be_prefetch(s)) {
        fl_divergence_set(d, FL_CHECK_BOUND, "reason", "no-reads", "reads",
                          "%u instruction bytes were read, but no prefetch can be the reason of this fault: vendor %u "
                          "family %u code %#" PRIx64 " (zoo pf-vendor-gate, pf-nx-loop)",
                          e->probes, s->cpu.vendor, s->cpu.family, s->error_code);
        return true;
    }
    if (e->probes > FL_MAX_INSN_BYTES) {
        fl_divergence_set(d, FL_CHECK_BOUND, "window", "inside", "outside",
                          "%u instruction bytes were read; an instruction has at most 15 (zoo pf-15-byte-bound)",
                          e->probes);
        return true;
    }
    for (unsigned i = 0; i < e->probes; i++) {
        uint64_t offset = window_offset(s, e->probe_at[i]), linear;
        if (offset >= FL_MAX_INSN_BYTES) {
            fl_divergence_set(d, FL_CHECK_BOUND, "window", "inside", "outside",
                              "an instruction byte was read at %#" PRIx64 "; ip is %#" PRIx64 ", segment base %#" PRIx64
                              ", at most 15 bytes from there (zoo pf-15-byte-bound)",
                              e->probe_at[i], s->regs.ip, s->codeseg.base);
            return true;
        }
        if (!fl_policy_code_byte(s, (unsigned)offset, &linear)) {
            fl_divergence_set(d, FL_CHECK_BOUND, "segment", "inside", "outside",
                              "an instruction byte was read at %#" PRIx64 ", beyond the segment limit %#" PRIx32
                              " (ip %#" PRIx64 ") or, in user mode, task_size %#" PRIx64 " (zoo pf-seglimit-lost)",
                              e->probe_at[i], s->codeseg.limit, s->regs.ip, s->kernel.task_size);
            return true;
        }
    }
    return false;
}

bool fl_compare_rules(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                      struct fl_divergence *d)
{
    return compare_contract(e, d) || compare_lock_balance(e, d) || compare_order(s, want, e, d) ||
           compare_bound(s, e, d);
}

bool fl_compare_undecided(const struct fl_expected *want, enum fl_status status, bool written,
                          const struct fl_effects *effects, struct fl_divergence *d)
{
    const char *seen;

    if (status == FL_OK)
        seen = "decided";
    else if (status != FL_UNSUPPORTED)
        seen = "refused";
    else if (effects->calls != 0)
        seen = "op-called";
    else if (written)
        seen = "outcome-written";
    else
        return false;
    size_t n;
    const struct fl_policy_row *row = &fl_policy_rows(&n)[want->row];
    fl_divergence_set(d, FL_CHECK_CONTRACT, row->name, "undecided", seen,
                      "status %d after %u calls of ops (the lock was had %u times, dropped %u times)\nrow %s: %s",
                      (int)status, effects->calls, effects->lock_gets, effects->lock_drops, row->name, row->source);
    return true;
}

bool fl_compare_prefetch(const struct fl_snapshot *s, bool want, bool got, const struct fl_effects *effects,
                         struct fl_divergence *d)
{
    if (effects->calls != effects->probes) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "prefetch", "probes-only", "other-op",
                          "an op other than probe_byte was called: %u calls, %u of them probes", effects->calls,
                          effects->probes);
        return true;
    }
    if (compare_bound(s, effects, d))
        return true;
    if (want == got)
        return false;
    fl_divergence_set(d, FL_CHECK_PREFETCH, "rule", want ? "ignored" : "not-ignored", got ? "ignored" : "not-ignored",
                      "ip %#" PRIx64 " cs %#x, %u-bit code, code %#" PRIx64 ", vendor %u family %u: %u bytes were read",
                      s->regs.ip, s->regs.cs, s->codeseg.bits, s->error_code, s->cpu.vendor, s->cpu.family,
                      effects->probes);
    return true;
}
