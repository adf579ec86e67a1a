/* SPDX-License-Identifier: MIT */
/* From what was recorded to what a C program holds. */
#include "program.h"

#include <string.h>

static const char of_pinning[] =
    "it is about pinning: what a call of it meets is the model of pages, op by op; faultline repro shows it";

/* Why no single call of the core shows what a check found; NULL: one does. */
static const char *not_one_call(const struct capture *c)
{
    if (c->executor_died)
        return "the executor ended the process, not the core";
    if (c->crashed || c->hung)
        return c->ncalls && !c->call[c->ncalls - 1].returned ? NULL : "it did not happen inside the core";
    if (strcmp(c->expected, "answers") == 0 || strcmp(c->row, "harness") == 0)
        return "it is about the harness, not about the core";
    if (c->pin.last || (c->end == CAPTURE_DIVERGED && c->pin.events))
        return of_pinning;
    switch ((enum fl_check)c->check) {
    case FL_CHECK_EXECUTOR: return "it is about the executor: the core is not asked";
    case FL_CHECK_DECODER: return "it is about a disassembler and the rule: the core is not asked";
    case FL_CHECK_TRANSPARENCY: return "it is about two whole runs: each call of the core was right by itself";
    case FL_CHECK_PROGRESS: return "it is about the same fault coming again: each call of the core was right by itself";
    case FL_CHECK_REWALK:
        return "it is about the tables after the call, and only the arch walk can say what they permit";
    case FL_CHECK_PIN:
    case FL_CHECK_PERM:
    case FL_CHECK_COW:
    case FL_CHECK_PIN_DIFF: return of_pinning;
    case FL_CHECK_GENERATION:
        return "it is about two runs that end differently: each call of the core agreed with its rows";
    default: return NULL;
    }
}

static bool user_regs(const struct fl_regs *r)
{
    return (r->cs & 3) == 3 || (r->flags & (UINT64_C(1) << 17)); /* RPL 3, or RFLAGS.VM: SDM vol. 1, 3.4.3 */
}

static void window(struct program *p, struct capture *c, const struct seen_snapshot *seen, const struct fl_snapshot *s)
{
    struct fl_code_window w;

    (void)c;
    p->repro.window = p->window;
    if (fl_policy_code_window(s, &w) != FL_OK)
        return;
    p->repro.may_probe = w.open;
    p->repro.probe_user = w.user;
    for (unsigned i = 0; i < FL_WINDOW_BYTES; i++) {
        if (w.readable[i])
            p->window[p->repro.nwindow++] = w.linear[i];
        for (unsigned user = 0; user < 2; user++)
            if (seen->within[i] && seen->readable[user][i])
                p->bytes[p->repro.nbytes++] =
                    (struct repro_byte){.linear = seen->linear[i], .user = user, .byte = seen->byte[user][i]};
    }
    p->repro.bytes = p->bytes;
}

static void answers(struct program *p, const struct subject *x, const struct seen_snapshot *seen)
{
    struct repro *r = &p->repro;
    const struct fl_snapshot *s = &seen->s;
    const struct capture *c = x->capture;

    r->vmas = seen->vmas;
    r->nvmas = s->nvmas;
    for (size_t i = 0; i < s->nextable; i++)
        p->extable[i] = (struct repro_pair){seen->extable[i].ip, seen->extable[i].fixup};
    r->extable = p->extable;
    r->nextable = s->nextable;
    r->ldt = seen->ldt;
    r->words = p->words;
    if (seen->has_word)
        p->words[r->nwords++] = (struct repro_pair){s->regs.gpr[FL_RSP], seen->word};
    for (unsigned i = 0; i < c->nops && r->nwords < 8; i++)
        if (c->op[i].op == OP_USER_WORD && c->op[i].ok && c->op[i].a != s->regs.gpr[FL_RSP])
            p->words[r->nwords++] = (struct repro_pair){c->op[i].a, c->op[i].r};
    if (seen->has_symbol)
        snprintf(p->symbol, sizeof p->symbol, "%s", seen->symbol);
    r->symbol = seen->has_symbol ? p->symbol : NULL;
    for (unsigned i = 0; i < 4; i++) {
        snprintf(p->files[i], sizeof p->files[i], "%s", seen->file[i]);
        r->files[i] = p->files[i];
    }
    memcpy(r->pgd, s->pgd, sizeof r->pgd);
    r->npgds = s->npgds;
    r->lazy_mmu = s->lazy_mmu;
    r->kprobe_claims = s->kprobe_claims;
    r->lock_contended = s->lock_contended;
    r->report_contended = s->report_contended;
    r->expand_refused = s->expand_refused;
    r->fatal_signal = s->fatal_signal;
    r->vsyscall_fails = s->vsyscall_fails;
    memcpy(r->ratelimited, s->ratelimited, sizeof r->ratelimited);
    memcpy(r->mm_result, s->mm_result, sizeof r->mm_result);
    r->yield = s->yield == FL_YIELD_UNMAP     ? REPRO_YIELD_UNMAP
               : s->yield == FL_YIELD_PROTECT ? REPRO_YIELD_PROTECT
                                              : REPRO_YIELD_NOTHING;
}

static void sync_expected(struct program *p, const struct fl_sync_expected *want)
{
    for (unsigned i = 0; i < want->nwrites; i++)
        p->writes[i] =
            (struct repro_write){want->write[i].paddr, want->write[i].value, want->write[i].size, want->write[i].how};
    p->repro.writes = p->writes;
    p->repro.nwrites = want->nwrites;
    p->repro.flush = want->flush;
    p->repro.warn = want->warn;
    p->repro.end = (enum fl_sync_end)want->end;
}

static void fault_expected(struct program *p, const struct seen_call *call, const struct fl_snapshot *s)
{
    struct repro *r = &p->repro;
    const struct fl_expected *w = &call->want;
    bool vm86 = s->kernel.word == 4 && (s->regs.flags & (UINT64_C(1) << 17));
    unsigned passes = w->lock_taken ? 1u + w->nagain : 0;

    r->outcome = w->outcome;
    r->kprobes = s->task.kprobe_running && !user_regs(&s->regs);
    r->mm_calls = w->mm_calls;
    memcpy(r->mm_flags, w->mm_flags, sizeof r->mm_flags);
    r->yields = w->yields;
    for (unsigned i = 0; i < w->mm_calls && i < FL_MM_ANSWERS; i++)
        r->fatal_asks += (s->mm_result[i] == FL_MM_RETRY || s->mm_result[i] == FL_MM_RETRY_MAJOR) &&
                         (w->mm_flags[i] & FL_MM_ALLOW_RETRY);
    r->vsyscalls = w->vsyscall;
    r->vsyscall_nr = w->vsyscall_nr;
    r->grows = w->grows;
    r->new_start = w->new_start;
    r->irq_restore = s->cr2 < s->kernel.task_size && ((s->regs.flags & 0x200) || vm86); /* RFLAGS.IF */
    r->lock_tries = w->lock_tried;
    r->lock_waits = passes - (passes != 0 && !s->lock_contended ? 1 : 0);
    r->lock_gets = passes;
    r->report_tries = w->report_tried;
    r->report_gets = w->report_lock;
    r->limits[0] = w->limit[0];
    r->limits[1] = w->limit[1];
    r->dies = w->dies;
    r->die = w->die;
    r->log = w->log;
    r->nlog = w->nlog;
    if (w->synced)
        sync_expected(p, &w->sync);
    r->silent = w->outcome.action == FL_ACT_SYNCED;
    r->bounded = s->kernel.generation == FL_GEN_CURRENT;
}

static bool fill_fault(struct program *p, const struct subject *x, char why[512])
{
    const struct seen_call *call = x->call;
    struct fl_snapshot s;

    if (!call->decided) {
        snprintf(why, 512, "the decision table has no answer to this fault");
        return false;
    }
    capture_snapshot(x->capture, &call->before, &s);
    p->repro.call = x->capture->check == FL_CHECK_INTERFERENCE ? REPRO_INTERFERENCE : REPRO_FAULT;
    p->repro.fault = call->fault;
    answers(p, x, &call->before);
    window(p, x->capture, &call->before, &s);
    fault_expected(p, call, &s);
    return true;
}

static bool fill_walk(struct program *p, const struct subject *x, char why[512])
{
    struct repro *r = &p->repro;
    const struct fl_arch_result *a = &x->arch;

    if (!x->has_arch) {
        snprintf(why, 512, "the arch walk has no answer to this access");
        return false;
    }
    r->call = REPRO_WALK;
    r->fault.cpu = x->state->s.cpu;
    r->va = x->access.va;
    r->access = x->access;
    r->gp = a->kind == FL_ARCH_GP;
    r->bus = a->kind == FL_ARCH_BUS;
    r->faults = a->kind == FL_ARCH_PF;
    r->code = a->error_code;
    r->level = a->level;
    r->entry = a->entry;
    r->page_shift = a->page_shift;
    r->pkey = a->pkey;
    r->paddr = a->paddr;
    r->writable = a->writable;
    r->user = a->user;
    r->nx = a->nx;
    r->accessed = a->entry >> 5 & 1; /* SDM vol. 3A, 4.8 */
    r->dirty = a->entry >> 6 & 1;
    return true;
}

static void fill_sync_all(struct program *p, const struct subject *x)
{
    struct repro *r = &p->repro;
    const struct seen_call *call = x->call;
    const struct capture *c = x->capture;

    r->call = REPRO_SYNC_ALL;
    r->fault.cpu = call->all.cpu;
    r->fault.kernel = call->all.kernel;
    r->state = call->state_before;
    r->state_after = call->state_want;
    memcpy(r->pgd, call->all.pgd, sizeof r->pgd);
    r->npgds = call->all.npgds;
    r->lazy_mmu = c->begin.s.lazy_mmu;
    r->end = call->end_want;
    for (unsigned i = 0; i < c->nwrites; i++)
        p->writes[r->nwrites++] =
            (struct repro_write){c->write[i].paddr, c->write[i].value, c->write[i].size, c->write[i].how};
    r->writes = p->writes;
    r->flush = call->all.kernel.generation == FL_GEN_CURRENT && call->end_want == FL_SYNC_HANDLED && r->nwrites != 0;
    r->irqsave = call->all.kernel.generation == FL_GEN_2008_32;
}

static bool fill_prefetch(struct program *p, const struct subject *x, char why[512])
{
    const struct seen_call *call = x->call;
    struct fl_snapshot s;

    if (!call->decided) {
        snprintf(why, 512, "the policy has no answer to this instruction");
        return false;
    }
    capture_snapshot(x->capture, &call->before, &s);
    p->repro.call = REPRO_PREFETCH;
    p->repro.fault = call->fault;
    p->repro.ldt = call->before.ldt;
    p->repro.ignore = call->want_ignore;
    window(p, x->capture, &call->before, &s);
    return true;
}

bool program_fill(struct program *p, const struct subject *x, char why[512])
{
    const struct capture *c = x->capture;

    why[0] = 0;
    if (!x->call || !c->has_ram) {
        snprintf(why, 512, "%s",
                 x->call ? "a second judging did not come to the same event" : "the core was not asked");
        return false;
    }
    switch (x->call->kind) {
    case CALL_FAULT:
        if (!fill_fault(p, x, why))
            return false;
        break;
    case CALL_WALK:
        if (!fill_walk(p, x, why))
            return false;
        break;
    case CALL_PREFETCH:
        if (!fill_prefetch(p, x, why))
            return false;
        break;
    case CALL_SYNC_ALL: fill_sync_all(p, x); break;
    default:
        p->repro.call = REPRO_P3_SYNC;
        p->repro.sh4 = x->call->before.sh4;
        p->repro.va = x->call->va;
        p->repro.lazy_mmu = c->begin.s.lazy_mmu;
        sync_expected(p, &x->call->p3_want);
    }
    program_memory(p, x);
    if (p->full)
        snprintf(why, 512, "its tables are too large for a C program; minimise it first");
    return !p->full;
}

const char *program_refusal(const struct capture *c)
{
    return capture_diverges(c) ? not_one_call(c) : "nothing disagrees about it under this build";
}
