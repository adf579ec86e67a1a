/* SPDX-License-Identifier: MIT */
/* The facts that are held against what is expected, and the calls. Follows program_world.c in the same program. */

static unsigned wrong, facts;

static void fact(const char *name, uint64_t want, uint64_t got)
{
    facts++;
    if (want == got)
        return;
    wrong++;
    fprintf(w.out, "  WRONG  %-28s expected %#" PRIx64 ", this core %#" PRIx64 "\n", name, want, got);
}

static void never(const char *what, bool happened)
{
    facts++;
    if (!happened)
        return;
    wrong++;
    fprintf(w.out, "  WRONG  %s\n", what);
}

static const char *action_name(unsigned action)
{
    static const char *const names[FL_ACT_COUNT] = {
        "none",           "handled",  "ignored",      "signal",   "fix-up", "oops",
        "bad page table", "OOM kill", "synced",       "spurious", "kprobe", "invalid op",
        "erratum 93",     "emulated", "fatal signal", "BUG",      "wild"};

    return action < FL_ACT_COUNT ? names[action] : "unknown";
}

/* ---- outcomes ----------------------------------------------------------------------------------------------------- */

static void outcome_facts(const struct fl_outcome *want, const struct fl_outcome *got)
{
    facts++;
    if (want->action != got->action) {
        wrong++;
        fprintf(w.out, "  WRONG  %-28s expected %s, this core %s\n", "action", action_name(want->action),
                action_name(got->action));
    }
    fact("major", want->major, got->major);
    fact("irq_on", want->irq_on, got->irq_on);
    fact("thread_valid", want->thread_valid, got->thread_valid);
    fact("si_pkey", want->si_pkey, got->si_pkey);
    fact("si_addr_lsb", want->si_addr_lsb, got->si_addr_lsb);
    fact("screen_bits", want->screen_bits, got->screen_bits);
    fact("signo", (uint32_t)want->signo, (uint32_t)got->signo);
    fact("si_code", (uint32_t)want->si_code, (uint32_t)got->si_code);
    fact("si_addr", want->si_addr, got->si_addr);
    fact("thread_cr2", want->thread_cr2, got->thread_cr2);
    fact("thread_error_code", want->thread_error_code, got->thread_error_code);
    fact("thread_trap_no", want->thread_trap_no, got->thread_trap_no);
    fact("new_ip", want->new_ip, got->new_ip);
    fact("new_sp", want->new_sp, got->new_sp);
}

static void show_log(const char *name, const char *log, size_t n)
{
    fprintf(w.out, "         %s: \"", name);
    for (size_t i = 0; i < n && i < MOST_LOG; i++)
        if (log[i] == '\n')
            fputs("\\n", w.out);
        else if (log[i] >= ' ' && log[i] <= '~')
            fputc(log[i], w.out);
        else
            fprintf(w.out, "\\x%02x", (unsigned char)log[i]);
    fputs("\"\n", w.out);
}

static void log_facts(const char *log, size_t n)
{
    facts++;
    if (n == w.nlog && memcmp(log, w.log, n < MOST_LOG ? n : MOST_LOG) == 0)
        return;
    wrong++;
    fprintf(w.out, "  WRONG  what is logged\n");
    show_log("expected ", log, n);
    show_log("this core", w.log, w.nlog);
}

/* ---- rules that hold whatever is decided ----------------------------------------------------------------------------- */

static void rule_facts(const struct repro *r)
{
    never("an op that needs the mm lock was called without it", w.lock_missing);
    never("lock_take while the lock was held: deadlock", w.deadlock);
    never("the mm lock is held on return", w.lock_depth != 0);
    never("the mm lock was dropped more or less often than it was had", w.lock_gets != w.lock_drops);
    never("a VMA was used after it had changed, or for an address that is not in it", w.stale);
    never("a descriptor was asked for that the LDT has not", w.ldt_outside);
    never("kprobe was asked after another op", w.kprobe_late);
    never("interrupts were switched on with the mm lock held", w.irq_locked);
    never("a table entry was read where no walk has one", w.elsewhere != 0);
    never("table entries were read more often than any walk needs", r->bounded && w.reads > 64);
    never("instruction bytes were read, but no prefetch can be the reason of this fault", w.probes && !r->may_probe);
    never("instruction bytes were read with the wrong accessor", r->may_probe && w.probes_wrong);
    never("an instruction byte was read outside of ip to ip+14 or of its segment", r->may_probe && w.probes_outside);
    never("more than 15 instruction bytes were read", w.probes > 15);
    facts++;
    if (w.locked_op) {
        wrong++;
        fprintf(w.out, "  WRONG  %s was called with the mm lock held\n", w.locked_op);
    }
}

static void write_facts(const struct repro *r)
{
    fact("table writes", r->nwrites, w.nwrites);
    for (size_t i = 0; i < r->nwrites && i < w.nwrites && i < MOST_WRITES; i++) {
        fact("table write: address", r->writes[i].paddr, w.write[i].paddr);
        fact("table write: size", r->writes[i].size, w.write[i].size);
        fact("table write: value", r->writes[i].value, w.write[i].value);
        fact("table write: hook", r->writes[i].how, w.write[i].how);
    }
    fact("flush_lazy calls", r->flush, w.flushes);
    fact("warn_nmi calls", r->warn, w.warns);
    if (r->flush)
        fact("writes before the flush", r->nwrites, w.flushed_writes);
}

static void effect_facts(const struct repro *r)
{
    uint64_t page = UINT64_C(0xfff);

    never("the list of page tables is not for faults", w.pgd_gets || w.pgd_drops || w.pgd_missing);
    fact("kprobe calls", r->kprobes, w.kprobes);
    fact("irq_enable calls", r->outcome.irq_on, w.irq_calls);
    if (r->outcome.irq_on && w.irq_calls) {
        bool after_lock = !r->irq_restore && r->lock_gets != 0;

        fact("irq_enable after the lock", after_lock, w.irq_late);
    }
    fact("mm_fault calls", r->mm_calls, w.mm_calls);
    for (unsigned i = 0; i < r->mm_calls && i < w.mm_calls && i < 4; i++)
        fact("mm_fault flags", r->mm_flags[i], w.mm_flags[i]);
    if (r->mm_calls && w.mm_calls)
        fact("mm_fault page", r->fault.cr2 & ~page, w.mm_addr & ~page);
    fact("a stack has grown", r->grows, w.grew);
    if (r->grows && w.grew)
        fact("stack grown to", r->new_start, w.new_start);
    fact("yield calls", r->yields, w.yields);
    fact("fatal_signal calls", r->fatal_asks, w.fatal_asks);
    fact("vsyscall calls", r->vsyscalls, w.vsyscalls);
    if (r->vsyscalls && w.vsyscalls)
        fact("vsyscall number", r->vsyscall_nr, w.vsyscall_nr);
    fact("ratelimit calls (signal)", r->limits[0], w.limits[0]);
    fact("ratelimit calls (erratum 93)", r->limits[1], w.limits[1]);
    fact("die calls", r->dies, w.dies);
    if (r->dies && w.dies) {
        fact("die: what", r->die, w.die);
        fact("die: error code", r->fault.error_code, w.die_code);
    }
    fact("mm lock: tries", r->lock_tries, w.lock_tries);
    fact("mm lock: waits", r->lock_waits, w.lock_takes);
    fact("mm lock: had", r->lock_gets, w.lock_gets - w.report_gets);
    fact("mm lock: report tries", r->report_tries, w.report_tries);
    fact("mm lock: report waits", 0, w.report_takes);
    fact("mm lock: had for a report", r->report_gets, w.report_gets);
    never("the mm lock was asked for on the way to a synchronisation", r->silent && w.lock_asks);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* What a field that is not written holds must not pass for a right zero. */
static struct fl_outcome untouched(void)
{
    struct fl_outcome o;

    memset(&o, 0x5a, sizeof o);
    o.major = o.irq_on = o.thread_valid = true;
    return o;
}

static void run_fault(const struct repro *r, const struct fl_core *core)
{
    struct fl_outcome got = untouched();
    enum fl_status status = core->fault(&r->fault, &ops, NULL, &got);

    fact("status", FL_OK, status);
    if (status != FL_OK)
        return;
    fprintf(w.out, "  this core: %s\n", action_name(got.action));
    rule_facts(r);
    outcome_facts(&r->outcome, &got);
    effect_facts(r);
    write_facts(r);
    log_facts(r->log, r->nlog);
}

/* The same fault without and with P: what user code learns of it must be the same. */
static void run_interference(const struct repro *r, const struct fl_core *core)
{
    struct fl_fault fault = r->fault;
    struct fl_outcome absent = untouched(), present = untouched();
    char log[MOST_LOG];
    size_t n;

    fault.error_code &= ~UINT64_C(1);
    fact("status", FL_OK, core->fault(&fault, &ops, NULL, &absent));
    n = w.nlog;
    memcpy(log, w.log, sizeof log);
    begin(r, w.out);
    fault.error_code |= 1;
    fact("status", FL_OK, core->fault(&fault, &ops, NULL, &present));
    fprintf(w.out, "  expected: what it decides without P; this core: what it decides with P\n");
    outcome_facts(&absent, &present);
    log_facts(log, n);
}

static void run_walk(const struct repro *r, const struct fl_core *core)
{
    const struct fl_cpu *cpu = &r->fault.cpu;
    struct fl_walk walk;
    bool gp, bus, faults = false;
    uint32_t code = 0;
    enum fl_status status;

    memset(&walk, 0x5a, sizeof walk);
    walk.writable = walk.user = walk.nx = walk.dirty = walk.accessed = true;
    status = core->walk(cpu, &ops, NULL, r->va, &walk);
    fact("walk: status", FL_OK, status);
    if (status != FL_OK)
        return;
    bus = walk.end == FL_WALK_NO_TABLE;
    gp = walk.end == FL_WALK_NONCANONICAL || (walk.end == FL_WALK_RESERVED && walk.level == 3 &&
                                              cpu->mode == FL_MODE_PAE && cpu->vendor == FL_VENDOR_INTEL);
    if (!bus && !gp) {
        status = core->permits(cpu, &walk, &r->access, &faults, &code);
        fact("permits: status", FL_OK, status);
        if (status != FL_OK)
            return;
    }
    fact("#GP", r->gp, gp);
    fact("a table lies in no memory", r->bus, bus);
    fact("#PF", r->faults, faults);
    if (r->faults && faults)
        fact("error code", r->code, code);
    fact("level", r->level, walk.level);
    fact("entry that ended it", r->entry, walk.entry);
    if (walk.end != FL_WALK_NONCANONICAL) {
        const struct repro_entry *there = entry_at(walk.entry_paddr, cpu->mode == FL_MODE_2LEVEL ? 4 : 8);

        fact("entry where it is said to lie", r->entry, there ? there->value : 0);
    }
    fact("a leaf is reached", r->page_shift != 0, walk.end == FL_WALK_MAPPED);
    if (r->page_shift && walk.end == FL_WALK_MAPPED) {
        fact("page_shift", r->page_shift, walk.page_shift);
        fact("physical address", r->paddr, walk.paddr);
        fact("writable", r->writable, walk.writable);
        fact("user", r->user, walk.user);
        fact("nx", r->nx, walk.nx);
        fact("pkey", r->pkey, walk.pkey);
        fact("accessed", r->accessed, walk.accessed);
        fact("dirty", r->dirty, walk.dirty);
    }
}

static void run_prefetch(const struct repro *r, const struct fl_core *core)
{
    bool ignore = false;
    enum fl_status status = core->prefetch(&r->fault, &ops, NULL, &ignore);

    fact("status", FL_OK, status);
    if (status != FL_OK)
        return;
    rule_facts(r);
    fact("the fault is ignored", r->ignore, ignore);
}

static void run_sync_all(const struct repro *r, const struct fl_core *core)
{
    struct fl_sync_state state = r->state;
    enum fl_sync_end end = FL_SYNC_COUNT;
    enum fl_status status = core->sync_all(&r->fault.cpu, &r->fault.kernel, &state, &ops, NULL, &end);

    flush_queue();
    fact("status", FL_OK, status);
    if (status != FL_OK)
        return;
    fact("end", r->end, end);
    never("the list of page tables was used without its lock", w.pgd_missing);
    never("the lock over the page tables is held on return", w.pgd_depth != 0);
    if (w.pgd_gets)
        fact("interrupts off with that lock", r->irqsave, w.pgd_irqsave);
    fact("table writes", r->nwrites, w.nwrites);
    for (size_t i = 0; i < r->nwrites; i++) { /* the order is the core's own */
        const struct repro_entry *e = entry_at(r->writes[i].paddr, r->writes[i].size);
        char name[48];

        snprintf(name, sizeof name, "entry at %#" PRIx64, r->writes[i].paddr);
        fact(name, r->writes[i].value, e ? e->value : 0);
    }
    for (unsigned k = 0; k < w.nwrites && k < MOST_WRITES; k++) {
        bool expected = false;

        for (size_t i = 0; i < r->nwrites; i++)
            expected |= r->writes[i].paddr == w.write[k].paddr && r->writes[i].value == w.write[k].value &&
                        r->writes[i].size == w.write[k].size && r->writes[i].how == w.write[k].how;
        never("an entry was written otherwise than it is to be", !expected);
    }
    if (r->flush)
        fact("flushed behind the last write", w.nwrites, w.flushes ? w.flushed_writes : 0);
    fact("what it remembers: start", r->state_after.start, state.start);
    never("what it remembers: slots", memcmp(r->state_after.insync, state.insync, sizeof state.insync) != 0);
}

static void run_p3_sync(const struct repro *r, const struct fl_core *core)
{
    enum fl_sync_end end = FL_SYNC_COUNT;
    enum fl_status status = core->p3_sync(&r->sh4, r->va, &ops, NULL, &end);

    fact("status", FL_OK, status);
    if (status != FL_OK)
        return;
    fact("end", r->end, end);
    write_facts(r);
}

unsigned repro_run(const struct repro *r, const struct fl_core *core, FILE *out)
{
    wrong = facts = 0;
    w.r = NULL;
    begin(r, out);
    switch (r->call) {
    case REPRO_WALK: run_walk(r, core); break;
    case REPRO_PREFETCH: run_prefetch(r, core); break;
    case REPRO_FAULT: run_fault(r, core); break;
    case REPRO_INTERFERENCE: run_interference(r, core); break;
    case REPRO_SYNC_ALL: run_sync_all(r, core); break;
    default: run_p3_sync(r, core); break;
    }
    if (wrong)
        fprintf(out, "%u of %u facts are wrong\n", wrong, facts);
    else
        fprintf(out, "right: all %u facts are as expected\n", facts);
    return wrong;
}
