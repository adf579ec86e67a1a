/* SPDX-License-Identifier: MIT */
/*
 * What holds for every decision, over random faults and worlds with every failure switched at random (and the same on
 * every machine): the lock is balanced, interrupts go on at most once, at most 15 probes, fields that the action does
 * not make valid are zero, mm_fault is asked at most once and only for a VMA that holds the address.
 */
#include "check.h"
#include "fake.h"

static uint64_t state = 1;

static uint64_t below(uint64_t n)
{
    return check_random(&state) % n;
}

static unsigned count(const struct fake *k, char letter)
{
    unsigned n = 0;

    for (unsigned i = 0; i < k->ntrace; i++)
        n += k->trace[i] == letter;
    return n;
}

static void random_world(struct fl_fault *f, struct fake *k)
{
    static const uint8_t bytes[] = {0x66, 0xf0, 0x48, 0x0f, 0x18, 0x0d, 0x26, 0x90};
    static const uint8_t widths[] = {16, 32, 64};

    f->cpu.mode = (uint8_t)below(FL_MODE_COUNT);
    f->cpu.vendor = (uint8_t)below(FL_VENDOR_COUNT);
    f->kernel.word = below(2) ? 4 : 8;
    f->kernel.guard_gap = below(3) << 12;
    f->task.has_mm = below(8);
    f->task.in_atomic = !below(8);
    f->task.faults_disabled = !below(8);
    f->task.stack_limit = below(4) ? UINT64_MAX : below(0x4000);
    f->task.as_limit = below(4) ? UINT64_MAX : below(0x4000);
    f->codeseg.bits = widths[below(3)];
    f->codeseg.limit = below(2) ? UINT32_MAX : 0x400000 + (uint32_t)below(16);
    f->regs.cs = below(2) ? 0x33 : 0x10;
    f->regs.flags = check_random(&state) & 0x20202;
    f->regs.gpr[FL_RSP] = 0x7f0000 + below(0x20000);
    f->cr2 = 0x7fb000 + below(0x6000);
    f->error_code = check_random(&state) & (below(4) ? 0x17 : UINT64_MAX);

    k->fail_lock_try = below(2);
    k->no_vma = !below(8);
    k->vma.read = below(2);
    k->vma.write = below(2);
    k->vma.growsdown = below(4);
    k->vma.prev_end = below(4) ? 0x7fb000 : 0;
    k->expand = (enum fl_status)below(FL_FAILED + 1);
    k->mm = (enum fl_mm_result)below(FL_MM_COUNT + 2);
    k->has_fixup = below(2);
    k->code_at = f->regs.ip;
    k->ncode = (unsigned)below(FAKE_BYTES + 1);
    for (unsigned i = 0; i < k->ncode; i++)
        k->code[i] = bytes[below(sizeof bytes)];
    k->fail_probe = below(4) ? UINT32_MAX : (unsigned)below(16);
    k->user_only = below(2);
}

static void check_outcome(const struct fl_fault *f, const struct fake *k, const struct fl_outcome *o)
{
    bool dies = o->action == FL_ACT_SIGNAL || o->action == FL_ACT_OOPS || o->action == FL_ACT_BAD_PAGETABLE;

    CHECK(o->action > FL_ACT_NONE && o->action < FL_ACT_COUNT, "action %u", o->action);
    CHECK(!k->locked && !k->misuse, "trace %s", k->trace);
    CHECK(count(k, 't') + count(k, 'T') == count(k, 'd'), "trace %s", k->trace);
    CHECK_EQ(count(k, 'i'), o->irq_on, "trace %s", k->trace);
    CHECK(count(k, 'm') <= 1 && count(k, 'v') <= 1 && count(k, 'e') <= 1, "trace %s", k->trace);
    CHECK(k->probes <= 15, "%u probes", k->probes);
    CHECK_EQ(o->thread_valid, dies, "action %u", o->action);
    CHECK_EQ(o->thread_cr2, dies ? f->cr2 : 0, "action %u", o->action);
    CHECK_EQ(o->thread_error_code, dies ? f->error_code : 0, "action %u", o->action);
    CHECK_EQ(o->thread_trap_no, dies ? 14 : 0, "action %u", o->action);
    CHECK_EQ(o->signo != 0, o->action == FL_ACT_SIGNAL, "action %u", o->action);
    CHECK_EQ(o->si_code != 0, o->action == FL_ACT_SIGNAL, "action %u", o->action);
    CHECK_EQ(o->si_addr, o->action == FL_ACT_SIGNAL ? f->cr2 : 0, "action %u", o->action);
    CHECK_EQ(o->new_ip, o->action == FL_ACT_FIXUP ? k->fixup : 0, "action %u", o->action);
    CHECK(!o->major || o->action == FL_ACT_HANDLED, "action %u", o->action);
    if (count(k, 'm')) {
        CHECK_EQ(k->mm_generation, k->vma.generation, "trace %s", k->trace);
        CHECK(k->vma.start <= f->cr2 && f->cr2 < k->vma.end, "trace %s", k->trace);
    }
    if (o->action == FL_ACT_HANDLED)
        CHECK(count(k, 'm') == 1 && k->mm <= FL_MM_MAJOR, "trace %s", k->trace);
    if (!(f->error_code & 4))
        CHECK(o->action != FL_ACT_SIGNAL && o->action != FL_ACT_OOM_KILL, "a kernel access kills no task");
}

int main(void)
{
    uint64_t seen[FL_ACT_COUNT] = {0};

    for (unsigned i = 0; i < 100000; i++) {
        struct fl_fault f = fake_fault();
        struct fake k = fake_world(), twin;
        struct fl_outcome out, again;

        random_world(&f, &k);
        twin = k;
        CHECK_EQ(fl_core()->fault(&f, &fake_ops, &k, &out), FL_OK, "case %u", i);
        if (out.action < FL_ACT_COUNT)
            seen[out.action]++;
        check_outcome(&f, &k, &out);
        CHECK_EQ(fl_core()->fault(&f, &fake_ops, &twin, &again), FL_OK, "case %u", i);
        CHECK(out.action == again.action && strcmp(k.trace, twin.trace) == 0, "case %u: no memory between calls", i);
    }
    for (unsigned action = FL_ACT_NONE + 1; action < FL_ACT_COUNT; action++)
        CHECK(seen[action] >= 100, "action %u only %" PRIu64 " times", action, seen[action]);
    return check_done("fault properties");
}
