/* SPDX-License-Identifier: MIT */
/*
 * Rules that hold whatever the decision: the ops' contract, the balance of the locks, the order of calls, and where table
 * entries may be read.
 */
#include "compare_rules.h"

#include "policy/facts.h"
#include "policy/message_table.h"

#include <faultline/oracle/sync.h>

#include <inttypes.h>

bool fl_compare_irq_restored(const struct fl_snapshot *s)
{
    /* RFLAGS, Intel SDM vol. 1, 3.4.3. Virtual-8086 code runs with a virtual IF: a 32-bit kernel counts it as
     * interruptible, a 64-bit one has no such mode. */
    const uint64_t flag_if = UINT64_C(1) << 9, flag_vm = UINT64_C(1) << 17;
    return s->cr2 < s->kernel.task_size &&
           ((s->regs.flags & flag_if) || (s->kernel.word == 4 && (s->regs.flags & flag_vm)));
}

void fl_compare_ldt(const struct fl_snapshot *s, struct fl_divergence *d)
{
    fl_divergence_set(d, FL_CHECK_CONTRACT, "ldt", "inside", "outside",
                      "a descriptor was asked for that the LDT has not: cs %#x, %u entries (zoo pf-ldt-index)",
                      s->regs.cs, s->task.ldt_entries);
}

/* ---- contract ----------------------------------------------------------------------------------------------------- */

static bool compare_kprobe(const struct fl_snapshot *s, const struct fl_effects *e, struct fl_divergence *d)
{
    bool asked = s->task.kprobe_running && !fl_policy_user_mode(&s->regs);
    const char *expected = NULL, *seen = NULL;
    if (e->kprobes != 0 && !asked) {
        expected = "never";
        seen = "asked";
    } else if (e->kprobe_late) {
        expected = "first";
        seen = "late";
    } else if (e->kprobes > 1) {
        expected = "once";
        seen = "again";
    }
    if (expected == NULL)
        return false;
    fl_divergence_set(d, FL_CHECK_CONTRACT, "kprobe", expected, seen,
                      "kprobe was called %u times; a kprobe is %srunning, the fault came from %s mode", e->kprobes,
                      s->task.kprobe_running ? "" : "not ", fl_policy_user_mode(&s->regs) ? "user" : "kernel");
    return true;
}

static bool compare_contract(const struct fl_snapshot *s, const struct fl_effects *e, struct fl_divergence *d)
{
    if (compare_kprobe(s, e, d))
        return true;
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
    if (e->ldt_outside) {
        fl_compare_ldt(s, d);
        return true;
    }
    if (e->pgd_gets != 0 || e->pgd_drops != 0 || e->pgd_missing || e->pgd_held) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "pgd-lock", "never", "used",
                          "the list of page tables is not for faults: its lock was had %u times, dropped %u times",
                          e->pgd_gets, e->pgd_drops);
        return true;
    }
    return false;
}

/* What may not be done under the lock, and when interrupts are to be switched on. */
static bool compare_order(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                          struct fl_divergence *d)
{
    if (e->locked_call) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, e->locked_op ? e->locked_op : "op", "unlocked", "locked",
                          "%s was called while the mm lock was held", e->locked_op ? e->locked_op : "an op");
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
    bool restore = fl_compare_irq_restored(s);
    if (restore && e->irq_late) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "irq-restore", "before-lock", "after-lock",
                          "interrupts were on before the fault, but the lock was asked for with interrupts off");
        return true;
    }
    if (restore)
        return false;
    if (want->lock_taken && !e->irq_late) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "irq-bad-area", "after-lock", "before-lock",
                          "interrupts were off before the fault, and switched on before the lock was asked for");
        return true;
    }
    if (!want->lock_taken && e->irq_late) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "irq-bad-area", "before-report", "after-report",
                          "interrupts were switched on after the lock had been asked for, which is for a report only");
        return true;
    }
    return false;
}

/* ---- locks -------------------------------------------------------------------------------------------------------- */

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

/* ---- table reads -------------------------------------------------------------------------------------------------- */

/* The historical generations take what lies in a page for a table: that is their fault, and known. */
static bool compare_reads(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                          struct fl_divergence *d)
{
    if (s->kernel.generation != FL_GEN_CURRENT)
        return false;
    for (unsigned i = 0; i < e->reads && i < FL_EFFECTS_READS; i++) {
        if (fl_sync_may_read(s, want->synced ? &want->sync : NULL, e->read_at[i]) ||
            fl_message_reads(s, want, e->read_at[i]))
            continue;
        fl_divergence_set(d, FL_CHECK_TABLE_READ, "place", "table", "elsewhere",
                          "table read %u of %u was at %#" PRIx64 ", where no walk for cr2 %#" PRIx64
                          " finds an entry: cr3 %#" PRIx64 " reference %#" PRIx64 " (zoo vmf-large-page-deref)",
                          i + 1, e->reads, e->read_at[i], s->cr2, s->cpu.cr3, s->kernel.init_root);
        return true;
    }
    if (e->reads <= FL_EFFECTS_READS)
        return false;
    fl_divergence_set(d, FL_CHECK_TABLE_READ, "count", "bounded", "too-many",
                      "table entries were read %u times; a few walks of at most five levels are all that is needed",
                      e->reads);
    return true;
}

bool fl_compare_rules(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                      struct fl_divergence *d)
{
    return compare_contract(s, e, d) || compare_lock_balance(e, d) || compare_order(s, want, e, d) ||
           compare_reads(s, want, e, d);
}
