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
    ops->mm_fault(w, v.generation, BASE, true);
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
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE + PAGE + 3, true), FL_MM_MINOR, "right");
    CHECK(e->mm_calls == 1 && e->mm_write && e->mm_addr == BASE + PAGE + 3 && !e->stale_generation, "recorded");
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE + 4 * PAGE, false), FL_MM_SIGBUS, "outside that VMA");
    CHECK(e->stale_generation && e->mm_calls == 2 && !e->mm_write, "recorded");
    fresh(w);
    ops->lock_take(w);
    CHECK_EQ(ops->mm_fault(w, v.generation + 100, BASE, false), FL_MM_SIGBUS, "no such generation");
    CHECK(e->stale_generation, "recorded");
    CHECK_EQ(e->irq_calls, 0, "not yet");
    ops->irq_enable(w);
    CHECK_EQ(e->irq_calls, 1, "counted");
}

/* What was done under the lock, and when interrupts were switched on. */
static void test_order(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);
    uint64_t value;
    struct fl_vma v;
    uint8_t b;

    fresh(w);
    ops->irq_enable(w);
    ops->extable(w, BASE, &value);
    ops->lock_take(w);
    ops->lock_drop(w);
    ops->extable(w, BASE, &value);
    ops->probe_byte(w, BASE, true, &b);
    CHECK(!e->irq_late && !e->irq_locked && !e->extable_locked && !e->probe_locked, "in order");
    ops->irq_enable(w);
    CHECK(!e->irq_late && e->irq_calls == 2, "the first call counts");

    fresh(w);
    CHECK(ops->lock_try(w) && e->lock_asks == 1, "had");
    ops->probe_byte(w, BASE, true, &b);
    CHECK(e->probe_locked && !e->extable_locked && !e->irq_locked, "probe_byte under the lock");
    ops->extable(w, BASE, &value);
    CHECK(e->extable_locked && !e->irq_locked, "extable under the lock");
    ops->irq_enable(w);
    CHECK(e->irq_locked && e->irq_late, "irq_enable under the lock");

    fresh(w);
    ops->lock_take(w);
    ops->lock_drop(w);
    ops->irq_enable(w);
    CHECK(e->irq_late && !e->irq_locked, "after the lock");
    fresh(w);
    inject(w, FL_INJ_LOCK_CONTENDED, 0);
    CHECK(!ops->lock_try(w) && e->lock_asks == 1, "not had");
    ops->irq_enable(w);
    CHECK(e->irq_late && !e->irq_locked, "after it was asked for");

    /* Every op is counted, and only calls through the ops are. */
    fresh(w);
    CHECK_EQ(e->calls, 0, "none yet");
    ops->read_entry(w, 0, 8, &value);
    ops->probe_byte(w, BASE, true, &b);
    ops->irq_enable(w);
    ops->lock_try(w);
    ops->lock_drop(w);
    ops->lock_take(w);
    CHECK_EQ(e->calls, 6, "calls");
    ops->vma_find(w, BASE, &v);
    ops->vma_expand(w, v.generation, BASE - PAGE, &v);
    ops->mm_fault(w, v.generation, BASE, false);
    ops->lock_drop(w);
    ops->extable(w, BASE, &value);
    CHECK_EQ(e->calls, 11, "calls");
    fl_world_read(w, 0, 8, &value);
    CHECK_EQ(e->calls, 11, "the arch walk is not the core");
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

static void test_injections(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_snapshot s;
    struct fl_fault f;
    struct fl_vma v;

    static const struct {
        unsigned op;
        enum fl_mm_result result;
        bool mapped, failing;
    } rows[] = {{FL_INJ_MM_OOM, FL_MM_OOM, false, true},
                {FL_INJ_MM_SIGBUS, FL_MM_SIGBUS, false, true},
                {FL_INJ_MM_MAJOR, FL_MM_MAJOR, true, false}};
    for (unsigned i = 0; i < 3; i++) {
        fresh(w);
        inject(w, rows[i].op, 0);
        fl_world_snapshot(w, BASE, 2, &f, &s);
        CHECK_EQ(s.mm_result, rows[i].result, "row %u: foreseen", i);
        CHECK_EQ(touch(w, BASE, true), rows[i].result, "row %u", i);
        CHECK_EQ(look(w, BASE).present, rows[i].mapped, "row %u", i);
        CHECK_EQ(fl_world_injected(w), rows[i].failing, "row %u", i);
        fl_world_snapshot(w, BASE, 2, &f, &s);
        CHECK_EQ(s.mm_result, FL_MM_MINOR, "row %u: given once", i);
        CHECK_EQ(touch(w, BASE, true), FL_MM_MINOR, "row %u: given once", i);
        fl_world_event_end(w);
        CHECK_EQ(fl_world_injected(w), rows[i].failing, "row %u: of the event that just ended", i);
        fl_world_event_begin(w);
        CHECK(!fl_world_injected(w), "row %u: a new event", i);
    }

    fresh(w);
    inject(w, FL_INJ_LOCK_CONTENDED, 0);
    inject(w, FL_INJ_EXPAND_REFUSED, 0);
    fl_world_snapshot(w, BASE, 2, &f, &s);
    CHECK(s.lock_contended && s.expand_refused, "foreseen");
    CHECK(!ops->lock_try(w), "the first try");
    CHECK_EQ(fl_world_effects(w)->lock_gets, 0, "a failed try gets nothing");
    CHECK(ops->lock_try(w), "the second");
    ops->vma_find(w, BASE, &v);
    CHECK_EQ(ops->vma_expand(w, v.generation, BASE - PAGE, &v), FL_NO_MEMORY, "refused");
    CHECK_EQ(ops->vma_expand(w, v.generation, BASE - PAGE, &v), FL_OK, "once");
    ops->lock_drop(w);

    fresh(w);
    inject(w, FL_INJ_MM_OOM, 0);
    fl_world_event_end(w);
    fl_world_event_begin(w);
    CHECK_EQ(touch(w, BASE, true), FL_MM_MINOR, "what was not reached is dropped with its event");
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
    test_order(w);
    test_probe(w);
    test_injections(w);
    test_extable(w);
    fl_world_close(w);
    return check_done("world ops");
}
