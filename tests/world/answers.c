/* SPDX-License-Identifier: MIT */
/*
 * Keyed answers: one by one, in sequences of mm_fault's, and foretold: over random machines and injections a small
 * right handler is told, call by call, what the snapshot said.
 */
#include "fixture.h"
#include "world/state.h"

#define RW   (FL_PROT_READ | FL_PROT_WRITE)
#define BASE UINT64_C(0x10000000)

static struct fl_world *fresh(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    m.fault_retry = true;
    fl_world_begin(w, &m);
    vma(w, BASE, 4, RW);
    fl_world_event_begin(w);
    return w;
}

/* ---- one answer at a time ---------------------------------------------------------------------------------------- */

static void test_mm_answers(struct fl_world *w)
{
    static const struct {
        unsigned op;
        enum fl_mm_result result;
        bool mapped, failing;
    } rows[] = {{FL_INJ_MM_OOM, FL_MM_OOM, false, true},
                {FL_INJ_MM_SIGBUS, FL_MM_SIGBUS, false, true},
                {FL_INJ_MM_MAJOR, FL_MM_MAJOR, true, false},
                {FL_INJ_MM_HWPOISON, FL_MM_HWPOISON, false, true},
                {FL_INJ_MM_HWPOISON_LARGE, FL_MM_HWPOISON_LARGE, false, true},
                {FL_INJ_MM_SIGSEGV, FL_MM_SIGSEGV, false, true}};
    struct fl_snapshot s;
    struct fl_fault f;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fresh(w);
        inject(w, rows[i].op, 0);
        fl_world_snapshot(w, BASE, 2, &f, &s);
        CHECK_EQ(s.mm_result[0], rows[i].result, "row %u: foretold", i);
        CHECK_EQ(fl_world_injected(w), rows[i].failing, "row %u: pending", i);
        CHECK_EQ(touch(w, BASE, true), rows[i].result, "row %u", i);
        CHECK_EQ(look(w, BASE).present, rows[i].mapped, "row %u", i);
        CHECK_EQ(fl_world_injected(w), rows[i].failing, "row %u", i);
        fl_world_snapshot(w, BASE, 2, &f, &s);
        CHECK_EQ(s.mm_result[0], FL_MM_MINOR, "row %u: given once", i);
        CHECK_EQ(touch(w, BASE, true), FL_MM_MINOR, "row %u: given once", i);
        fl_world_event_end(w);
        CHECK_EQ(fl_world_injected(w), rows[i].failing, "row %u: of the event that just ended", i);
        fl_world_event_begin(w);
        CHECK(!fl_world_injected(w), "row %u: a new event", i);
    }
    fresh(w);
    inject(w, FL_INJ_MM_OOM, 0);
    fl_world_event_end(w);
    fl_world_event_begin(w);
    CHECK_EQ(touch(w, BASE, true), FL_MM_MINOR, "what was not reached is dropped with its event");
}

/* In the order of their records; RETRY only where it is allowed, and used up all the same; four at most. */
static void test_order(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_record more = {.kind = FL_REC_INJECT, .u.inject = {.op = FL_INJ_MM_OOM}};
    struct fl_vma v;

    fresh(w);
    inject(w, FL_INJ_MM_SIGBUS, 0);
    inject(w, FL_INJ_MM_RETRY, 0);
    inject(w, FL_INJ_MM_RETRY_MAJOR, 0);
    inject(w, FL_INJ_MM_MAJOR, 0);
    CHECK_EQ(fl_world_apply(w, &more), FL_NO_MEMORY, "a fifth");
    ops->lock_take(w);
    ops->vma_find(w, BASE, &v);
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE, FL_MM_ALLOW_RETRY), FL_MM_SIGBUS, "the first record");
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE, 0), FL_MM_MINOR, "RETRY, which is not allowed");
    CHECK(fl_world_effects(w)->lock_held_at_exit, "still held");
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE, FL_MM_ALLOW_RETRY), FL_MM_RETRY_MAJOR, "allowed");
    CHECK(!fl_world_effects(w)->lock_held_at_exit && fl_world_effects(w)->lock_drops == 1, "dropped by mm_fault");
    ops->lock_take(w);
    CHECK_EQ(ops->mm_fault(w, v.generation, BASE, FL_MM_TRIED), FL_MM_MAJOR, "the fourth record");

    /* In the last call that a decision may need, nothing asks for another one. */
    static const unsigned last[] = {FL_INJ_MM_OOM, FL_INJ_MM_RETRY};
    for (unsigned i = 0; i < 2; i++) {
        fresh(w);
        for (unsigned k = 1; k < FL_MM_ANSWERS; k++)
            inject(w, FL_INJ_MM_OOM, 0);
        inject(w, last[i], 0);
        for (unsigned k = 1; k < FL_MM_ANSWERS; k++)
            CHECK_EQ(touch(w, BASE, true), FL_MM_OOM, "call %u", k);
        CHECK_EQ(touch(w, BASE, true), i ? FL_MM_MINOR : FL_MM_SIGBUS, "the last call, row %u", i);
    }
}

/* The answers that are yes or no: foretold, given once, and given again after fl_world_event_again(). */
static void test_flags(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_snapshot s;
    struct fl_fault f;
    struct fl_vma v;

    fresh(w);
    static const unsigned all[] = {FL_INJ_LOCK_CONTENDED, FL_INJ_EXPAND_REFUSED, FL_INJ_FATAL_SIGNAL,
                                   FL_INJ_RATELIMITED,    FL_INJ_KPROBE,         FL_INJ_REPORT_CONTENDED,
                                   FL_INJ_VSYSCALL_FAULT, FL_INJ_MM_SIGSEGV,     FL_INJ_YIELD_UNMAP};
    fl_world_snapshot(w, BASE, 2, &f, &s);
    CHECK(!s.lock_contended && !s.expand_refused && !s.fatal_signal && !s.ratelimited[FL_LIMIT_SIGNAL] &&
              !s.ratelimited[FL_LIMIT_ERRATUM93] && !s.kprobe_claims && !s.report_contended && !s.vsyscall_fails &&
              s.yield == FL_YIELD_NOTHING,
          "nothing is pending");
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        inject(w, all[i], 0);
    fl_world_event_begin(w);
    for (unsigned round = 0; round < 2; round++) {
        fl_world_snapshot(w, BASE, 2, &f, &s);
        CHECK(s.lock_contended && s.expand_refused && s.fatal_signal && s.ratelimited[FL_LIMIT_SIGNAL] &&
                  s.ratelimited[FL_LIMIT_ERRATUM93] && s.kprobe_claims && s.report_contended && s.vsyscall_fails &&
                  s.yield == FL_YIELD_UNMAP && s.mm_result[0] == FL_MM_SIGSEGV,
              "round %u: all are pending", round);
        for (unsigned given = 0; given < 2; given++) {
            CHECK_EQ(ops->kprobe(w), !given, "kprobe");
            CHECK_EQ(ops->lock_try(w), given, "lock_try");
            if (!given)
                ops->lock_take(w);
            CHECK(ops->vma_find(w, BASE, &v), "there");
            if (!given)
                CHECK_EQ(ops->vma_expand(w, v.generation, BASE - PAGE, &v), FL_NO_MEMORY, "refused");
            CHECK_EQ(ops->fatal_signal(w), !given, "fatal_signal");
            ops->lock_drop(w);
            CHECK_EQ(ops->vsyscall(w, 2), given, "vsyscall");
            CHECK_EQ(ops->ratelimit(w, FL_LIMIT_SIGNAL), given, "ratelimit");
            CHECK_EQ(ops->lock_try(w), given, "a report's lock_try");
            if (given)
                ops->lock_drop(w);
            ops->yield(w); /* nobody asked mm_fault: about no VMA */
        }
        const struct fl_effects *e = fl_world_effects(w);
        CHECK(e->kprobes == 2 && e->fatal_asks == 2 && e->vsyscalls == 2 && e->vsyscall_nr == 2 && e->yields == 2 &&
                  e->limits[FL_LIMIT_SIGNAL] == 2 && e->limits[FL_LIMIT_ERRATUM93] == 0,
              "counted");
        CHECK(fl_world_injected(w), "given");
        fl_world_event_again(w);
        CHECK_EQ(e->calls, 0, "as if it had not been");
    }

    /* Erratum 93 is told of once since boot. */
    fresh(w);
    CHECK(ops->ratelimit(w, FL_LIMIT_ERRATUM93), "the first");
    fl_world_event_again(w);
    CHECK(ops->ratelimit(w, FL_LIMIT_ERRATUM93), "the first, undone and again");
    fl_world_event_end(w);
    fl_world_event_begin(w);
    fl_world_snapshot(w, BASE, 0, &f, &s);
    CHECK(s.ratelimited[FL_LIMIT_ERRATUM93] && !s.ratelimited[FL_LIMIT_SIGNAL], "foretold");
    CHECK(!ops->ratelimit(w, FL_LIMIT_ERRATUM93), "never again");
    CHECK(ops->ratelimit(w, FL_LIMIT_SIGNAL), "the other one is not meant");
    CHECK(!ops->ratelimit(w, FL_LIMIT_COUNT), "no such limit");
    fresh(w);
    CHECK(ops->ratelimit(w, FL_LIMIT_ERRATUM93), "another scenario");
}

/* ---- what a yield does ------------------------------------------------------------------------------------------- */

static void test_yield(struct fl_world *w)
{
    static const struct {
        unsigned op;
        const char *name;
        unsigned left; /* VMAs */
        bool write;    /* of the first one */
    } rows[] = {{FL_INJ_YIELD_UNMAP, "unmap", 1, false}, {FL_INJ_YIELD_PROTECT, "protect", 2, false}};
    const struct fl_ops *ops = fl_world_ops();

    for (unsigned i = 0; i < 2; i++)
        for (unsigned other = 0; other < 2; other++) { /* the record before it loses */
            fresh(w);                                  /* AAAA..BB */
            vma(w, BASE + 6 * PAGE, 2, FL_PROT_READ);
            touch(w, BASE, true);
            if (other)
                inject(w, rows[!i].op, 0);
            inject(w, rows[i].op, 0);
            inject(w, FL_INJ_MM_OOM, 0);
            CHECK_EQ(touch(w, BASE + 3 * PAGE, true), FL_MM_OOM, "injected");
            ops->yield(w);
            CHECK_EQ(w->nvmas, rows[i].left, "%s", rows[i].name);
            CHECK(look(w, BASE).present && look(w, BASE).write, "%s: tables follow after the event", rows[i].name);
            CHECK(!w->vmas[0].write && w->vmas[0].read, "%s", rows[i].name);
            ops->yield(w);
            CHECK(w->nvmas == rows[i].left, "%s: once", rows[i].name);
            CHECK_EQ(fl_world_effects(w)->yields, 2, "counted");
            fl_world_event_end(w);
            CHECK_EQ(look(w, BASE).present, i == 1, "%s: the page that was there", rows[i].name);
            CHECK(!look(w, BASE).write, "%s", rows[i].name);
        }

    /* The model's own "no memory" comes once. */
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    m.pid = 1;
    fl_world_begin(w, &m);
    vma(w, BASE, 1024, RW);
    fl_world_event_begin(w);
    for (unsigned i = 0; touch(w, BASE + i * PAGE, true) == FL_MM_MINOR; i++)
        fl_world_event_begin(w);
    fl_world_event_begin(w);
    CHECK_EQ(touch(w, BASE + 1023 * PAGE, true), FL_MM_OOM, "no frame is left");
    CHECK_EQ(touch(w, BASE + 1023 * PAGE, true), FL_MM_OOM, "nobody has waited");
    ops->yield(w);
    CHECK_EQ(touch(w, BASE + 1023 * PAGE, true), FL_MM_SIGBUS, "waited in vain");
}

/* ---- foretold ---------------------------------------------------------------------------------------------------- */

static unsigned told[FL_MM_COUNT], longest[FL_MM_ANSWERS + 1], moved;

/* As a right handler does it: the 2.6.25 one with the retry of 2.6.37. Stacks grow whenever they are asked to. */
static void handle(struct fl_world *w, uint64_t va, bool write, const struct fl_snapshot *s, unsigned trace)
{
    const struct fl_ops *ops = fl_world_ops();
    unsigned flags = (write ? FL_MM_WRITE : 0) | FL_MM_USER | (s->kernel.fault_retry ? FL_MM_ALLOW_RETRY : 0),
             calls = 0;

    if (!ops->lock_try(w))
        ops->lock_take(w);
    for (;;) {
        struct fl_vma v;

        if (!ops->vma_find(w, va, &v) ||
            (va < v.start && (!v.growsdown || ops->vma_expand(w, v.generation, va & PAGE_MASK, &v) != FL_OK)) ||
            (write ? !v.write : !(v.read || v.write || v.exec))) {
            moved += calls != 0;
            break;
        }
        enum fl_mm_result r = ops->mm_fault(w, v.generation, va, flags);
        CHECK(calls < FL_MM_ANSWERS, "trace %u: call %u", trace, calls);
        CHECK_EQ(r, s->mm_result[calls], "trace %u: call %u, va %#" PRIx64 " write %d", trace, calls, va, write);
        told[r]++;
        calls++;
        if (r == FL_MM_RETRY || r == FL_MM_RETRY_MAJOR) {
            flags = (flags & ~(unsigned)FL_MM_ALLOW_RETRY) | FL_MM_TRIED;
            if (ops->fatal_signal(w)) {
                CHECK(s->fatal_signal, "trace %u", trace);
                longest[calls]++;
                return;
            }
            ops->lock_take(w);
            continue;
        }
        if (r != FL_MM_OOM || w->task.pid != 1)
            break;
        ops->lock_drop(w);
        ops->yield(w);
        ops->lock_take(w);
    }
    ops->lock_drop(w);
    longest[calls]++;
}

static void test_foretold(struct fl_world *w, unsigned traces)
{
    uint64_t state = 11;

    for (unsigned t = 0; t < traces; t++) {
        struct fl_machine m = machine_of(t % FL_MODE_COUNT);
        uint64_t r = check_random(&state);
        struct fl_snapshot s;
        struct fl_fault f;

        m.pid = r & 3 ? 1 : 7;
        m.fault_retry = r >> 2 & 1;
        fl_world_begin(w, &m);
        /* AAAAAA..BBBB with B sometimes a stack, of a file or not; sometimes nearly no memory is left. */
        vma(w, BASE, 6, (unsigned)((FL_PROT_BITS & (r >> 4 | 1)) | (r >> 7 & (FL_VMA_SHARED | FL_VMA_FILE))));
        vma(w, BASE + 8 * PAGE, 4,
            (unsigned)((FL_PROT_BITS & (r >> 16)) | ((r >> 19 & 1) ? FL_VMA_GROWSDOWN : 0) | (r >> 20 & FL_VMA_FILE)));
        for (unsigned i = 0; i < 6; i++)
            if (r >> (30 + i) & 1)
                touch(w, BASE + i * PAGE, r >> (36 + i) & 1);
        if (r >> 42 & 1) {
            vma(w, 0x20000000, 1024, RW);
            for (unsigned i = 0, keep = (unsigned)(r >> 44 & 3); i < 1024 && frames_left(w) > keep; i++)
                touch(w, 0x20000000 + i * PAGE, true);
        }
        for (unsigned faults = 0; faults < 4; faults++) {
            uint64_t x = check_random(&state), va = BASE + x % 12 * PAGE + (x >> 8 & 0xfff);
            for (unsigned i = 0, n = x >> 24 & 7; i < n; i++) {
                uint64_t y = check_random(&state);
                unsigned op = y >> 60 < 4 ? FL_INJ_MM_OOM : (unsigned)(y % FL_INJ_COUNT);
                inject(w, op, (unsigned)(x >> 28 & 15));
            }
            fl_world_event_begin(w);
            fl_world_snapshot(w, va, x >> 32 & 2, &f, &s);
            for (unsigned i = 0, retries = 0; i < FL_MM_ANSWERS; i++) {
                retries += s.mm_result[i] == FL_MM_RETRY || s.mm_result[i] == FL_MM_RETRY_MAJOR;
                CHECK(s.mm_result[i] < FL_MM_COUNT && retries <= 1, "trace %u: answer %u", t, i);
                CHECK(i < FL_MM_ANSWERS - 1 || (s.mm_result[i] != FL_MM_OOM && (s.mm_result[i] < FL_MM_RETRY)),
                      "trace %u: the last one ends it", t);
            }
            uint64_t before = fl_world_digest(w);
            fl_world_snapshot(w, va, x >> 32 & 2, &f, &s);
            CHECK_EQ(fl_world_digest(w), before, "trace %u: a snapshot changes nothing", t);
            handle(w, va, x >> 32 & 2, &s, t);
            CHECK(!fl_world_effects(w)->lock_held_at_exit && !fl_world_effects(w)->lock_missing &&
                      !fl_world_effects(w)->stale_generation && !fl_world_effects(w)->locked_call &&
                      fl_world_effects(w)->lock_gets == fl_world_effects(w)->lock_drops &&
                      fl_world_effects(w)->report_gets == 0,
                  "trace %u: a right handler", t);
            fl_world_event_end(w);
        }
    }
    for (unsigned i = 0; i < FL_MM_COUNT; i++)
        CHECK(told[i] > 100, "answer %u: %u times", i, told[i]);
    for (unsigned i = 0; i <= FL_MM_ANSWERS; i++)
        CHECK(longest[i] > 100, "decisions with %u calls: %u", i, longest[i]);
    CHECK(moved > 100, "VMAs that went away in a decision: %u", moved);
    printf("answers:");
    for (unsigned i = 0; i < FL_MM_COUNT; i++)
        printf(" %u", told[i]);
    printf("; calls:");
    for (unsigned i = 0; i <= FL_MM_ANSWERS; i++)
        printf(" %u", longest[i]);
    printf("; gone: %u\n", moved);
}

int main(void)
{
    struct fl_world *w = open_world();
    test_mm_answers(w);
    test_order(w);
    test_flags(w);
    test_yield(w);
    test_foretold(w, 20000);
    fl_world_close(w);
    return check_done("world answers");
}
