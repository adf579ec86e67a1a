/* SPDX-License-Identifier: MIT */
/* What the oracles say and why: rows with their sources, and expected against actual field by field. */
#include "sections.h"

#include <faultline/oracle/decode.h>

#include <inttypes.h>
#include <string.h>

static void compare_row(struct document *d, const char *name, const char *want, const char *got)
{
    bool differs = strcmp(want, got) != 0;

    doc_row(d, differs, (const char *const[]){name, want, got});
}

static void compare_numbers(struct document *d, const char *name, uint64_t want, uint64_t got, bool hex)
{
    char a[32], b[32];

    if (want == 0 && got == 0)
        return;
    snprintf(a, sizeof a, hex ? "%#" PRIx64 : "%" PRIu64, want);
    snprintf(b, sizeof b, hex ? "%#" PRIx64 : "%" PRIu64, got);
    compare_row(d, name, a, b);
}

static void head(struct document *d, const char *want, const char *got)
{
    doc_table(d, 3, (const char *const[]){"", want, got});
}

/* ---- a fault decision ---------------------------------------------------------------------------------------------- */

static void tell_path(struct document *d, const struct subject *x, const struct seen_call *call)
{
    static const char *const parts[FL_PART_COUNT] = {[FL_PART_ENTRY] = "who is it for?",
                                                     [FL_PART_AREA] = "may it be served?",
                                                     [FL_PART_ANSWER] = "mm_fault's answer",
                                                     [FL_PART_ENDING] = "what becomes of it"};
    size_t count, nsync;
    const struct fl_policy_row *rows = fl_policy_rows(&count);
    const struct fl_sync_row *sync = fl_sync_rows(&nsync);
    const struct fl_expected *want = &call->want;

    doc_table(d, 3, (const char *const[]){"decision table", "row", "source"});
    for (unsigned i = 0; i < want->nagain; i++)
        if (want->again[i] < count)
            doc_row(d, false, (const char *const[]){"again", rows[want->again[i]].name, rows[want->again[i]].source});
    for (unsigned part = 0; part < FL_PART_COUNT; part++)
        if (want->path[part] < count)
            doc_row(d, strcmp(rows[want->path[part]].name, x->capture->row) == 0,
                    (const char *const[]){parts[part], rows[want->path[part]].name, rows[want->path[part]].source});
    if (want->synced && want->sync.row < nsync)
        doc_row(d, strcmp(sync[want->sync.row].name, x->capture->row) == 0,
                (const char *const[]){"synchronisation", sync[want->sync.row].name, sync[want->sync.row].source});
}

static void writes_text(const struct fl_entry_write *w, unsigned n, char *buf, size_t size)
{
    buf[0] = 0;
    for (unsigned i = 0; i < n; i++)
        snprintf(buf + strlen(buf), size - strlen(buf), "%s%#" PRIx64 " at %#" PRIx64 " (%s)", i ? ", " : "",
                 w[i].value, w[i].paddr, set_name(w[i].how));
    if (n == 0)
        snprintf(buf, size, "none");
}

static void flags_of_calls(const uint8_t *flags, unsigned n, char *buf, size_t size)
{
    char one[64];

    snprintf(buf, size, "%u%s", n, n ? ": " : "");
    for (unsigned i = 0; i < n && i < FL_MM_ANSWERS; i++) {
        mm_flags_text(flags[i], one, sizeof one);
        snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", i ? ", " : "", one);
    }
}

static void log_lines(struct document *d, const char *name, const char *text, unsigned n)
{
    unsigned end;

    doc_line(d, DOC_PLAIN, "%s:", name);
    if (n == 0)
        doc_line(d, DOC_PLAIN, "    (nothing)");
    for (unsigned at = 0; at < n && at < FL_LOG_MAX; at = end + 1) {
        for (end = at; end < n && end < FL_LOG_MAX && text[end] != '\n'; end++)
            ;
        doc_line(d, DOC_PLAIN, "    %.*s", (int)(end - at), text + at);
    }
}

static void tell_outcome(struct document *d, const struct seen_call *call)
{
    const struct fl_outcome *w = &call->want.outcome, *g = &call->outcome;

    compare_row(d, "outcome", fl_outcome_class(w), fl_outcome_class(g));
    compare_numbers(d, "signal", (uint32_t)w->signo, (uint32_t)g->signo, false);
    compare_numbers(d, "si_code", (uint32_t)w->si_code, (uint32_t)g->si_code, false);
    compare_numbers(d, "si_addr", w->si_addr, g->si_addr, true);
    compare_numbers(d, "si_pkey", w->si_pkey, g->si_pkey, false);
    compare_numbers(d, "si_addr_lsb", w->si_addr_lsb, g->si_addr_lsb, false);
    compare_numbers(d, "record is valid", w->thread_valid, g->thread_valid, false);
    compare_numbers(d, "record: cr2", w->thread_cr2, g->thread_cr2, true);
    compare_numbers(d, "record: err", w->thread_error_code, g->thread_error_code, true);
    compare_numbers(d, "record: trapno", w->thread_trap_no, g->thread_trap_no, false);
    compare_numbers(d, "new ip", w->new_ip, g->new_ip, true);
    compare_numbers(d, "new sp", w->new_sp, g->new_sp, true);
    compare_numbers(d, "major fault", w->major, g->major, false);
    compare_numbers(d, "interrupts on", w->irq_on, g->irq_on, false);
    compare_numbers(d, "vm86 screen bits", w->screen_bits, g->screen_bits, true);
}

static void tell_effects(struct document *d, const struct seen_call *call)
{
    const struct fl_expected *w = &call->want;
    const struct fl_effects *e = &call->effects;
    unsigned passes = w->lock_taken ? 1u + w->nagain : 0;
    char a[300], b[300];

    flags_of_calls(w->mm_flags, w->mm_calls, a, sizeof a);
    flags_of_calls(e->mm_flags, e->mm_calls, b, sizeof b);
    if (w->mm_calls || e->mm_calls)
        compare_row(d, "mm_fault calls", a, b);
    compare_numbers(d, "stack grown to", w->grows ? w->new_start : 0, e->grew ? e->new_start : 0, true);
    compare_numbers(d, "irq_enable calls", w->outcome.irq_on, e->irq_calls, false);
    compare_numbers(d, "mm lock had", passes, e->lock_gets - e->report_gets, false);
    compare_numbers(d, "mm lock for a report", w->report_lock, e->report_gets, false);
    compare_numbers(d, "mm lock held at exit", 0, e->lock_held_at_exit, false);
    compare_numbers(d, "ratelimit asked", (unsigned)w->limit[0] + w->limit[1], e->limits[0] + e->limits[1], false);
    compare_numbers(d, "crash handler", w->dies, e->dies, false);
    compare_numbers(d, "vsyscalls made", w->vsyscall, e->vsyscalls, false);
    compare_numbers(d, "yields", w->yields, e->yields, false);
    compare_numbers(d, "bytes logged", w->nlog, e->nlog, false);
    if (w->synced || e->writes) {
        writes_text(w->sync.write, w->synced ? w->sync.nwrites : 0, a, sizeof a);
        writes_text(e->write, e->writes < FL_EFFECTS_WRITES ? e->writes : FL_EFFECTS_WRITES, b, sizeof b);
        compare_row(d, "table writes", a, b);
        compare_numbers(d, "flush_lazy calls", w->synced && w->sync.flush, e->flushes, false);
        compare_numbers(d, "NMI warnings", w->synced && w->sync.warn, e->warns, false);
    }
    /* Rules that hold whatever is decided; a rule that was kept is not worth a line. */
    compare_numbers(d, "op without the lock", 0, e->lock_missing, false);
    compare_numbers(d, "lock taken twice", 0, e->lock_deadlock, false);
    if (e->locked_call)
        compare_row(d, "op with the lock held", "none", e->locked_op ? e->locked_op : "one");
    compare_numbers(d, "stale VMA used", 0, e->stale_generation, false);
    compare_numbers(d, "LDT index outside", 0, e->ldt_outside, false);
    compare_numbers(d, "irq_enable too late", 0, e->irq_late, false);
    compare_numbers(d, "kprobe asked late", 0, e->kprobe_late, false);
}

static void tell_label(struct document *d, const struct subject *x, const struct seen_call *call)
{
    enum fl_label label;

    if (!x->capture->has_ram || x->after ||
        fl_arch_label(&call->fault.cpu, call->fault.cr2, call->fault.error_code, call->fault.regs.flags >> 18 & 1,
                      capture_read, x->capture, &label) != FL_OK)
        return;
    doc_paragraph(
        d, "%s",
        label == FL_LABEL_CONSISTENT
            ? "Arch walk: this processor raises just this fault under these tables."
            : "Arch walk: this processor does not raise this fault under these tables; the decision is judged "
              "all the same, as kernels read what they are given.");
}

static void tell_fault(struct document *d, const struct subject *x, const struct seen_call *call)
{
    const struct fl_expected *w = &call->want;

    tell_label(d, x, call);
    if (!call->decided) {
        doc_paragraph(d, "The decision table has no answer to this fault: a fault of the harness.");
        return;
    }
    tell_path(d, x, call);
    if (!call->returned)
        return;
    head(d, "the table says", "the core");
    tell_outcome(d, call);
    tell_effects(d, call);
    if (w->nlog != call->effects.nlog || memcmp(w->log, call->effects.log, w->nlog) != 0) {
        log_lines(d, "to be logged", w->log, w->nlog);
        log_lines(d, "logged", call->effects.log, call->effects.nlog);
    }
}

/* ---- walks -------------------------------------------------------------------------------------------------------- */

static void tell_walk_fields(struct document *d, const struct subject *x)
{
    const struct seen_call *walk = capture_call(x->capture, CALL_WALK),
                           *permits = capture_call(x->capture, CALL_PERMITS);
    const struct fl_arch_result *a = &x->arch;
    const struct fl_walk *w;
    char want[120], got[120], code[96];

    if (!x->has_arch || !walk || !walk->returned || walk->status != FL_OK)
        return;
    w = &walk->walk;
    head(d, "arch walk", "the core's walk");
    error_code_text(a->error_code, code, sizeof code);
    if (a->kind == FL_ARCH_PF)
        snprintf(want, sizeof want, "#PF %#x (%s)", a->error_code, code);
    else
        snprintf(want, sizeof want, "%s",
                 a->kind == FL_ARCH_OK ? "permitted" : fl_arch_kind_name((enum fl_arch_kind)a->kind));
    if (!permits || !permits->returned) {
        snprintf(got, sizeof got, "%s", w->end == FL_WALK_NO_TABLE ? "bus" : "gp");
    } else {
        error_code_text(permits->code, code, sizeof code);
        if (permits->faults)
            snprintf(got, sizeof got, "#PF %#x (%s)", permits->code, code);
        else
            snprintf(got, sizeof got, "permitted");
    }
    compare_row(d, "the access", want, got);
    compare_numbers(d, "level", a->level, w->end == FL_WALK_NONCANONICAL ? 0 : w->level, false);
    compare_numbers(d, "entry", a->entry, w->end == FL_WALK_NO_TABLE ? a->entry : w->entry, true);
    if (a->page_shift || w->end == FL_WALK_MAPPED) {
        compare_numbers(d, "physical", a->paddr, w->paddr, true);
        compare_numbers(d, "page bits", a->page_shift, w->page_shift, false);
        compare_numbers(d, "writable", a->writable, w->writable, false);
        compare_numbers(d, "user", a->user, w->user, false);
        compare_numbers(d, "no fetches", a->nx, w->nx, false);
        compare_numbers(d, "key", a->pkey, w->pkey, false);
    }
    doc_paragraph(d,
                  "Source: Intel SDM vol. 3A, 4.2 to 4.8 (error code: 4.7; rights: 4.6), AMD APM vol. 2, 5.2 to 5.6.");
}

/* ---- decoders, synchronisations ------------------------------------------------------------------------------------ */

static void tell_decode(struct document *d, const struct subject *x)
{
    const struct seen_call *call = capture_call(x->capture, CALL_PREFETCH);
    const struct fl_record *r = x->record;
    size_t used;
    bool rule = fl_prefetch_rule(r->u.decode.code, r->u.decode.n, r->u.decode.bits, &used);
    char bytes[64] = "";

    for (unsigned i = 0; i < r->u.decode.n; i++)
        snprintf(bytes + strlen(bytes), sizeof bytes - strlen(bytes), "%s%02x", i ? " " : "", r->u.decode.code[i]);
    doc_item(d, "instruction", "%u-bit %s code: %s", r->u.decode.bits, r->u.decode.user ? "user" : "kernel",
             bytes[0] ? bytes : "(no readable byte)");
    doc_item(d, "prefetch rule", "%s after %zu bytes (prefixes, then 0F 0D or 0F 18; AMD APM vol. 3, PREFETCH)",
             rule ? "a prefetch" : "no prefetch", used);
    if (!call || !call->decided)
        return;
    head(d, "the rule says", "the core");
    compare_row(d, "ignore the fault", call->want_ignore ? "yes" : "no", call->returned && call->ignore ? "yes" : "no");
    compare_numbers(d, "bytes read (at most 15)", call->effects.probes < 15 ? call->effects.probes : 15,
                    call->effects.probes, false);
    doc_paragraph(d,
                  "A fault is ignored on AMD from family 6 on, not for a fetch, and only where the instruction can be "
                  "read (AMD K7/K8 erratum 91).");
}

static void tell_sync_row(struct document *d, const struct fl_sync_expected *want, const struct seen_call *call)
{
    size_t count;
    const struct fl_sync_row *rows = fl_sync_rows(&count);
    char a[200], b[200];

    if (want->row < count) {
        doc_table(d, 2, (const char *const[]){"row", "source"});
        doc_row(d, true, (const char *const[]){rows[want->row].name, rows[want->row].source});
    }
    head(d, "the row says", "the core");
    compare_row(d, "end", fl_sync_end_name((enum fl_sync_end)want->end),
                call->returned && call->end < FL_SYNC_COUNT ? fl_sync_end_name(call->end) : "no answer");
    writes_text(want->write, want->nwrites, a, sizeof a);
    writes_text(call->effects.write,
                call->effects.writes < FL_EFFECTS_WRITES ? call->effects.writes : FL_EFFECTS_WRITES, b, sizeof b);
    compare_row(d, "table writes", a, b);
}

static void tell_sync_all(struct document *d, const struct subject *x)
{
    const struct seen_call *call = x->call;

    head(d, "the image says", "the core");
    compare_row(d, "end", fl_sync_end_name(call->end_want),
                call->returned && call->end < FL_SYNC_COUNT ? fl_sync_end_name(call->end) : "no answer");
    compare_numbers(d, "table writes", x->capture->nwrites, call->effects.writes, false);
    compare_numbers(d, "remembered start", call->state_want.start, call->state_after.start, true);
    compare_numbers(d, "pgd_lock not given back", 0, call->effects.pgd_gets - call->effects.pgd_drops, false);
    doc_paragraph(d, "Source: arch/x86/mm/fault.c vmalloc_sync_all by generation (2008 to 2016); after a sync-all of "
                     "generation current every table equals the reference over the vmalloc range.");
}

static void tell_generations(struct document *d, const struct subject *x)
{
    doc_paragraph(
        d,
        "Each generation is judged by its own rows, and every call agreed with them. What differs is how the same "
        "access ends: \"%s\" under current, \"%s\" under %s, from the same world, and no row of the list of "
        "expected differences (oracle/sync/generation_rows.c) says why.",
        x->capture->expected, x->capture->actual, x->capture->row);
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

/* first: only as far as that which the tables below do not say again. */
static void tell_lines(struct document *d, const char *text, bool first)
{
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");

        if (first && (strncmp(p, "row ", 4) == 0 || strncmp(p, "cr2 ", 4) == 0))
            return;
        doc_line(d, DOC_PLAIN, "%.*s", (int)n, p);
        p += n + (p[n] == '\n');
    }
}

void tell_oracles(struct document *d, const struct subject *x)
{
    const struct capture *c = x->capture;
    const struct seen_call *call = x->call;

    if (!x->has_event)
        return;
    doc_section(d, "oracles", "What the oracles say, and why");
    if (c->end == CAPTURE_DIVERGED)
        tell_lines(d, c->detail, call && call->kind == CALL_FAULT && call->decided);
    if (c->end == CAPTURE_DIVERGED && c->check == FL_CHECK_GENERATION)
        tell_generations(d, x);
    if (x->record->kind == FL_REC_ACCESS)
        tell_walk_fields(d, x);
    else if (x->record->kind == FL_REC_DECODE)
        tell_decode(d, x);
    else if (call && call->kind == CALL_FAULT)
        tell_fault(d, x, call);
    else if (call && call->kind == CALL_P3_SYNC && call->decided)
        tell_sync_row(d, &call->p3_want, call);
    else if (call && call->kind == CALL_SYNC_ALL && call->decided)
        tell_sync_all(d, x);
    if (c->said[0] && (!call || x->record->kind == FL_REC_EXEC || c->check == FL_CHECK_EXECUTOR)) {
        doc_paragraph(d, "Noted on the way:");
        tell_lines(d, c->said, false);
    }
    if (!x->options->no_executor && (x->record->kind == FL_REC_EXEC || x->record->kind == FL_REC_ACCESS))
        doc_item(d, "executor", "%s", c->executor);
}
