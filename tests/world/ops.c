/* SPDX-License-Identifier: MIT */
/* What the world records of a core's calls, the injected answers, and the accessors. */
#include "fixture.h"

#define RW   (FL_PROT_READ | FL_PROT_WRITE)
#define BASE UINT64_C(0x10000000)

static struct fl_world *fresh(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    fl_world_begin(w, &m);
    vma(w, BASE, 4, RW);
    fl_world_event_begin(w);
    return w;
}

static void test_lock(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);
    struct fl_vma v;

    fresh(w);
    CHECK(ops->lock_try(w), "nobody has it");
    CHECK(e->lock_held_at_exit && e->lock_gets == 1 && e->lock_drops == 0, "held");
    ops->lock_drop(w);
    CHECK(!e->lock_held_at_exit && e->lock_drops == 1 && !e->lock_missing && !e->lock_deadlock, "balanced");
    ops->lock_drop(w);
    CHECK(e->lock_missing, "dropped without having it");

    fresh(w);
    ops->lock_take(w);
    ops->lock_take(w);
    CHECK(e->lock_deadlock, "taken twice");
    ops->lock_drop(w);
    CHECK(e->lock_held_at_exit, "one drop for two takes");
    fl_world_event_end(w);
    fl_world_event_begin(w);
    CHECK(!e->lock_held_at_exit && ops->lock_try(w), "the next event starts without it");

    fresh(w);
    CHECK(ops->vma_find(w, BASE, &v), "answered all the same");
    CHECK(e->lock_missing, "vma_find without the lock");
    fresh(w);
    ops->mm_fault(w, v.generation, BASE, FL_MM_WRITE);
    CHECK(e->lock_missing, "mm_fault without the lock");
    fresh(w);
    ops->vma_expand(w, v.generation, BASE - PAGE, &v);
    CHECK(e->lock_missing, "vma_expand without the lock");
}

static void test_contract(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);
    struct fl_vma v;

    fresh(w);
    ops->lock_take(w);
    ops->vma_find(w, BASE, &v);
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE + PAGE + 3, FL_MM_WRITE | FL_MM_USER), FL_MM_MINOR, "right");
    CHECK(e->mm_calls == 1 && e->mm_addr == BASE + PAGE + 3 && !e->stale_generation, "recorded");
    CHECK_EQ(e->mm_flags[0], FL_MM_WRITE | FL_MM_USER, "recorded");
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE + 4 * PAGE, FL_MM_FETCH), FL_MM_SIGBUS, "outside that VMA");
    CHECK(e->stale_generation && e->mm_calls == 2 && e->mm_flags[1] == FL_MM_FETCH, "recorded");
    for (unsigned i = 2; i < 2 * FL_MM_ANSWERS; i++)
        ops->mm_fault(w, v.generation, BASE, FL_MM_TRIED);
    CHECK(e->mm_calls == 2 * FL_MM_ANSWERS && e->mm_flags[FL_MM_ANSWERS - 1] == FL_MM_TRIED, "the first ones' flags");
    fresh(w);
    ops->lock_take(w);
    CHECK_EQ(ops->mm_fault(w, v.generation + 100, BASE, 0), FL_MM_SIGBUS, "no such generation");
    CHECK(e->stale_generation, "recorded");
    CHECK_EQ(e->irq_calls, 0, "not yet");
    ops->irq_enable(w);
    CHECK_EQ(e->irq_calls, 1, "counted");
}

/* When interrupts were switched on. */
static void test_irq(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);

    fresh(w);
    ops->irq_enable(w);
    ops->lock_take(w);
    ops->lock_drop(w);
    CHECK(!e->irq_late && !e->irq_locked, "in order");
    ops->irq_enable(w);
    CHECK(!e->irq_late && e->irq_calls == 2, "the first call counts");
    fresh(w);
    CHECK(ops->lock_try(w) && e->lock_asks == 1 && e->lock_tries == 1 && e->lock_takes == 0, "had");
    ops->irq_enable(w);
    CHECK(e->irq_locked && e->irq_late && !e->locked_call, "under the lock: a flag of its own");
    fresh(w);
    ops->lock_take(w);
    ops->lock_drop(w);
    ops->irq_enable(w);
    CHECK(e->irq_late && !e->irq_locked, "after the lock");
    fresh(w);
    inject(w, FL_INJ_LOCK_CONTENDED, 0);
    CHECK(!ops->lock_try(w) && e->lock_asks == 1 && e->lock_tries == 1, "not had");
    ops->irq_enable(w);
    CHECK(e->irq_late && !e->irq_locked, "after it was asked for");
}

/* ---- every op, once ---------------------------------------------------------------------------------------------- */

enum {
    OP_READ,
    OP_WRITE,
    OP_FLUSH,
    OP_WARN,
    OP_PGD_LOCK,
    OP_PGD_NEXT,
    OP_PGD_UNLOCK,
    OP_KPROBE,
    OP_PROBE,
    OP_LDT,
    OP_EXTABLE,
    OP_YIELD,
    OP_FATAL,
    OP_WORD,
    OP_VSYSCALL,
    OP_LIMIT,
    OP_LOG,
    OP_SYMBOL,
    OP_FILE,
    OP_DIE,
    OP_COUNT
};

/* Those that may not be called with the lock, by the name that the record gives them. */
static const char *const unlocked[OP_COUNT] = {
    [OP_PROBE] = "probe-byte", [OP_LDT] = "ldt",           [OP_EXTABLE] = "extable", [OP_YIELD] = "yield",
    [OP_WORD] = "user-word",   [OP_VSYSCALL] = "vsyscall", [OP_LIMIT] = "ratelimit", [OP_LOG] = "log",
    [OP_SYMBOL] = "symbol",    [OP_FILE] = "file-name",    [OP_DIE] = "die",
};

static void call(struct fl_world *w, unsigned op)
{
    const struct fl_ops *ops = fl_world_ops();
    uint64_t value;
    char text[32];
    uint8_t b;

    switch (op) {
    case OP_READ: ops->read_entry(w, 0, 8, &value); break;
    case OP_WRITE: ops->write_entry(w, 600 * PAGE, 8, 0, FL_SET_PLAIN); break;
    case OP_FLUSH: ops->flush_lazy(w); break;
    case OP_WARN: ops->warn_nmi(w); break;
    case OP_PGD_LOCK: ops->pgd_lock(w, false); break;
    case OP_PGD_NEXT: ops->pgd_next(w, 0, &value); break;
    case OP_PGD_UNLOCK: ops->pgd_unlock(w); break;
    case OP_KPROBE: ops->kprobe(w); break;
    case OP_PROBE: ops->probe_byte(w, BASE, true, &b); break;
    case OP_LDT: ops->ldt(w, 0); break;
    case OP_EXTABLE: ops->extable(w, BASE, &value); break;
    case OP_YIELD: ops->yield(w); break;
    case OP_FATAL: ops->fatal_signal(w); break;
    case OP_WORD: ops->user_word(w, BASE, &value); break;
    case OP_VSYSCALL: ops->vsyscall(w, 1); break;
    case OP_LIMIT: ops->ratelimit(w, FL_LIMIT_SIGNAL); break;
    case OP_LOG: ops->log(w, "x", 1); break;
    case OP_SYMBOL: ops->symbol(w, BASE, text, sizeof(text)); break;
    case OP_FILE: ops->file_name(w, 0, text, sizeof(text)); break;
    case OP_DIE: ops->die(w, FL_DIE_OOPS, 0); break;
    }
}

static void test_every_op(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);
    uint64_t value;
    unsigned named = 0;

    for (unsigned op = 0; op < OP_COUNT; op++) {
        fresh(w);
        call(w, op);
        CHECK(e->calls == 1 && !e->locked_call && !e->lock_missing, "op %u", op);
        CHECK_EQ(e->kprobe_late, false, "op %u", op);
        ops->kprobe(w);
        CHECK(e->kprobe_late, "a kprobe after op %u", op);

        fresh(w);
        ops->lock_take(w);
        call(w, op);
        CHECK_EQ(e->calls, 2, "op %u", op);
        CHECK_EQ(e->locked_call, unlocked[op] != NULL, "op %u under the lock", op);
        if (unlocked[op]) {
            CHECK(strcmp(e->locked_op, unlocked[op]) == 0, "op %u: %s", op, e->locked_op);
            named++;
            call(w, unlocked[OP_LOG] == unlocked[op] ? OP_DIE : OP_LOG);
            CHECK(strcmp(e->locked_op, unlocked[op]) == 0, "op %u: the first one is named", op);
        }
    }
    CHECK_EQ(named, 11, "ops that need the lock free");
    fresh(w);
    fl_world_read(w, 0, 8, &value);
    CHECK(e->calls == 0 && e->reads == 0, "an oracle is not the core");
}

/* Which lock is a report's: what comes after an ending has begun. */
static void test_report_gets(struct fl_world *w)
{
    static const struct {
        unsigned op; /* then the lock once more */
        bool ending;
    } rows[] = {{OP_PROBE, true}, {OP_LDT, true},    {OP_EXTABLE, true}, {OP_LIMIT, true}, {OP_LOG, true},
                {OP_DIE, true},   {OP_YIELD, false}, {OP_FATAL, false},  {OP_READ, false}, {OP_KPROBE, false}};
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);
    struct fl_vma v;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned locked = 0; locked < 2; locked++) { /* was it had before? */
            fresh(w);
            inject(w, FL_INJ_REPORT_CONTENDED, 0);
            if (locked) {
                ops->lock_take(w);
                ops->lock_drop(w);
            }
            call(w, rows[i].op);
            CHECK_EQ(ops->lock_try(w), !rows[i].ending, "row %u: a contended report", i);
            if (rows[i].ending)
                CHECK(ops->lock_try(w), "row %u: once", i);
            CHECK_EQ(e->report_tries, rows[i].ending ? 2 : 0, "row %u", i);
            CHECK_EQ(e->lock_tries, !rows[i].ending, "row %u", i);
            CHECK(e->lock_takes == locked && e->report_takes == 0, "row %u", i);
            CHECK_EQ(e->lock_asks, e->lock_tries + e->lock_takes + e->report_tries, "row %u", i);
            CHECK_EQ(e->report_gets, rows[i].ending, "row %u", i);
            CHECK_EQ(e->lock_gets, 1 + locked, "row %u", i);
        }

    /* An extable lookup that decides whether to wait for the lock is no ending. */
    fresh(w);
    inject(w, FL_INJ_LOCK_CONTENDED, 0);
    CHECK(!ops->lock_try(w), "contended");
    call(w, OP_EXTABLE);
    ops->lock_take(w);
    CHECK_EQ(e->report_gets, 0, "the address space");
    CHECK(e->lock_tries == 1 && e->lock_takes == 1 && e->lock_gets == 1, "tried, then waited");
    ops->lock_drop(w);
    call(w, OP_EXTABLE);
    ops->lock_take(w);
    CHECK_EQ(e->report_gets, 1, "a report");
    CHECK(e->report_takes == 1 && e->report_tries == 0 && e->lock_takes == 1, "one that waits");

    /* mm_fault's answers end the matter, but for RETRY; a yield takes it up again. */
    fresh(w);
    inject(w, FL_INJ_MM_RETRY, 0);
    inject(w, FL_INJ_MM_OOM, 0);
    inject(w, FL_INJ_LOCK_CONTENDED, 0);
    ops->lock_take(w);
    ops->vma_find(w, BASE, &v);
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE, FL_MM_ALLOW_RETRY), FL_MM_RETRY, "injected");
    CHECK(!e->lock_held_at_exit && e->lock_drops == 1, "it has dropped the lock");
    ops->lock_take(w);
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE, FL_MM_TRIED), FL_MM_OOM, "injected");
    CHECK_EQ(e->report_gets, 0, "so far");
    ops->lock_drop(w);
    ops->yield(w);
    CHECK(!ops->lock_try(w), "this is the address space's");
    ops->lock_take(w);
    CHECK(e->report_gets == 0 && e->lock_gets == 3, "so far");
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE, FL_MM_TRIED), FL_MM_MINOR, "natural");
    ops->lock_drop(w);
    ops->lock_take(w);
    CHECK(e->report_gets == 1 && !e->lock_missing && !e->lock_deadlock, "after the last mm_fault");
}

static void test_probe(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);
    uint64_t kernel = UINT64_C(0xffffffff81000000);
    uint8_t b = 0xee;

    fresh(w);
    bytes(w, BASE, "\x0f\x18\x01");
    CHECK(!ops->probe_byte(w, BASE, true, &b) && b == 0xee, "not mapped yet: an accessor that must not fault fails");
    touch(w, BASE, false);
    fl_world_event_begin(w);
    CHECK(ops->probe_byte(w, BASE + 1, true, &b) && b == 0x18, "mapped");
    CHECK(ops->probe_byte(w, BASE, true, &b) && b == 0x0f, "mapped");
    CHECK(e->probes == 2 && e->probe_at[0] == BASE + 1 && e->probe_at[1] == BASE, "addresses");
    CHECK(e->probe_user && !e->probe_kernel, "accessor");
    map(w, kernel, 700, 1, FL_MAP_PRESENT);
    bytes(w, kernel, "k");
    CHECK(!ops->probe_byte(w, kernel, true, &b), "a supervisor page by the user accessor");
    CHECK(ops->probe_byte(w, kernel, false, &b) && b == 'k', "by the kernel accessor");
    CHECK(e->probe_kernel, "recorded");
    entry(w, kernel, 1, UINT64_C(1) << 40, UINT64_C(1) << 40);
    CHECK(!ops->probe_byte(w, kernel, false, &b), "outside RAM");
    CHECK(!ops->probe_byte(w, UINT64_C(0x8000000000000000) | BASE, true, &b), "not canonical");

    /* Injected: unreadable from byte 2 of the instruction on. */
    fresh(w);
    bytes(w, BASE, "\x0f\x18\x01");
    touch(w, BASE, false);
    fl_world_regs(w)->ip = BASE;
    inject(w, FL_INJ_PROBE, 2);
    CHECK(fl_world_injected(w), "pending");
    CHECK(ops->probe_byte(w, BASE + 1, true, &b), "before it");
    CHECK(!ops->probe_byte(w, BASE + 2, true, &b), "from there on");
    CHECK(!ops->probe_byte(w, BASE - 1, true, &b), "below ip is far beyond");
    fl_world_event_end(w);
    CHECK(ops->probe_byte(w, BASE + 2, true, &b), "the event is over");

    uint64_t value = 5;
    CHECK(!ops->read_entry(w, FL_RAM_FRAMES * PAGE, 8, &value) && value == 5, "no memory there");
    CHECK(!ops->read_entry(w, UINT64_MAX - 3, 4, &value) && value == 5, "no memory there");
    CHECK(ops->read_entry(w, FL_RAM_FRAMES * PAGE - 8, 8, &value) && value == 0, "the last entry");
}

static void test_extable(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    uint64_t fixup = 1;

    fresh(w);
    for (unsigned i = 0; i <= FL_MAX_EXTABLE; i++) {
        struct fl_record r = {.kind = FL_REC_EXTABLE};
        r.u.extable.ip = 0x1000 + i;
        r.u.extable.fixup = 0x2000 + i;
        CHECK_EQ(fl_world_apply(w, &r), i < FL_MAX_EXTABLE ? FL_OK : FL_NO_MEMORY, "entry %u", i);
    }
    struct fl_record again = {.kind = FL_REC_EXTABLE, .u.extable = {.ip = 0x1003, .fixup = 0x3003}};
    CHECK_EQ(fl_world_apply(w, &again), FL_OK, "replaced");
    CHECK(ops->extable(w, 0x1003, &fixup) && fixup == 0x3003, "found");
    CHECK(!ops->extable(w, 0x1000 + FL_MAX_EXTABLE, &fixup) && fixup == 0x3003, "not found: untouched");
}

int main(void)
{
    struct fl_world *w = open_world();
    test_lock(w);
    test_contract(w);
    test_irq(w);
    test_every_op(w);
    test_report_gets(w);
    test_probe(w);
    test_extable(w);
    fl_world_close(w);
    return check_done("world ops");
}
