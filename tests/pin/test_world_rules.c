/* SPDX-License-Identifier: MIT */
/*
 * The rule tables of the model, cell by cell: who may run under which locks, and which answer fits which op. Both are
 * written down here from the design (what each actor of Linux holds and waits for) and from the contracts of the ops.
 */
#include "check.h"

#include <faultline/fuzz/pin_world.h>

enum { MM_READ = 1, MM_WRITE = 2, PTL = 4, IRQ = 8 };

/* A column is a lock of mm 0 that the call under test holds: mm for reading, mm for writing, page table, interrupts off.
 * 'r': may run beside it, '.': waits. With several locks it must be able to run beside each. */
static const struct {
    uint8_t act;
    const char *own, *child; /* on mm 0; on mm 1, of which nobody holds a lock (but page-table locks are shared) */
} actors[] = {
    /* Under the mm lock for reading: faults, what faults are made of, and what only looks for pages. */
    {FL_ACTOR_READ, "r..r", "rr.r"},
    {FL_ACTOR_WRITE, "r..r", "rr.r"},
    {FL_ACTOR_DONTNEED, "r..r", "rr.r"},
    {FL_ACTOR_UFFD_CONTINUE, "r..r", "rr.r"},
    /* For writing: whatever changes areas. */
    {FL_ACTOR_MUNMAP, "...r", "rr.r"},
    {FL_ACTOR_MPROTECT, "...r", "rr.r"},
    {FL_ACTOR_MLOCK, "...r", "rr.r"},
    /* ... and waits for every processor before it frees a table: not while interrupts are off here. */
    {FL_ACTOR_COLLAPSE, "....", "rr.."},
    /* fork holds the parent's lock for writing, whichever is named. */
    {FL_ACTOR_FORK, "....", "...."},
    {FL_ACTOR_EXIT, "rr..", "rr.."},
    /* Through the pages, with their locks and no mm lock. */
    {FL_ACTOR_RECLAIM, "rr.r", "rr.r"},
    {FL_ACTOR_MIGRATE_BEGIN, "rr.r", "rr.r"},
    {FL_ACTOR_MIGRATE_END, "rr.r", "rr.r"},
    {FL_ACTOR_HINT, "r..r", "rr.r"},
    {FL_ACTOR_SPLIT_BEGIN, "rr.r", "rr.r"},
    {FL_ACTOR_SPLIT, "rr.r", "rr.r"},
    {FL_ACTOR_POISON, "rr.r", "rr.r"},
    {FL_ACTOR_TRUNCATE, "rr.r", "rr.r"},
    {FL_ACTOR_CLEAN, "rr.r", "rr.r"},
    /* Changes no entry of the task's. */
    {FL_ACTOR_DEVICE_GONE, "rrrr", "rrrr"},
    {FL_ACTOR_SATURATE, "rrrr", "rrrr"},
    {FL_ACTOR_SIGKILL, "rrrr", "rrrr"},
    {FL_ACTOR_SIGKILL_OTHER, "rrrr", "rrrr"},
    {FL_ACTOR_GATE_GONE, "rrrr", "rrrr"},
    /* The thread that pins does this itself: after the call. */
    {FL_ACTOR_UNPIN, "....", "...."},
    {FL_ACTOR_USE, "....", "...."},
};

static void test_actors(void)
{
    unsigned seen[FL_ACTOR_COUNT] = {0}, runs = 0, waits = 0;

    for (size_t i = 0; i < sizeof actors / sizeof actors[0]; i++) {
        seen[actors[i].act]++;
        for (unsigned mm = 0; mm < 2; mm++)
            for (unsigned locks = 0; locks < 16; locks++) {
                const char *beside = mm ? actors[i].child : actors[i].own;
                bool may = true;

                for (unsigned k = 0; k < 4; k++)
                    may &= !(locks & 1u << k) || beside[k] == 'r';
                *(may ? &runs : &waits) += 1;
                CHECK_EQ(fl_pin_actor_may_run((enum fl_act)actors[i].act, mm, (uint8_t)locks), may,
                         "%s of mm %u under locks %#x", fl_pin_actor_name(actors[i].act), mm, locks);
            }
    }
    for (unsigned a = 0; a < FL_ACTOR_COUNT; a++)
        CHECK_EQ(seen[a], 1, "%s has its row", fl_pin_actor_name(a));
    CHECK(runs > 100 && waits > 100, "%u run, %u wait", runs, waits);
}

/* r refuse, b sigbus, s sigsegv, p hwpoison, P hwpoison-large, y retry, Y retry-major, m major, l lazy; hostile: o opposite,
 * g garbage. */
static const char letters[] = "rbspPyYmlog";
static const struct {
    uint8_t op;
    const char *answers;
} ops[] = {
    {FL_PINOP_READ, "g"},
    {FL_PINOP_PTL_LOCK, ""},
    {FL_PINOP_PTL_UNLOCK, ""},
    {FL_PINOP_MIGRATION_WAIT, ""},
    {FL_PINOP_SPLIT_HUGE, ""},
    {FL_PINOP_SPLIT_WAIT, ""},
    {FL_PINOP_TOUCH_LEAF, ""},
    {FL_PINOP_PAGE_HEAD, "g"},
    {FL_PINOP_PAGE_GET, "r"},
    {FL_PINOP_PAGE_GET_SPECULATIVE, "r"},
    {FL_PINOP_PAGE_PUT, ""},
    {FL_PINOP_PAGE_TAIL_GET, ""},
    {FL_PINOP_PAGE_FACT, "o"},
    {FL_PINOP_PAGE_MARK, "r"}, /* trylock */
    {FL_PINOP_DEVICE_GET, "r"},
    {FL_PINOP_DEVICE_PUT, ""},
    {FL_PINOP_VMA_FIND, ""},
    {FL_PINOP_GATE_VMA, "o"},
    {FL_PINOP_MM_FAULT, "rbspPyYmlg"},
    {FL_PINOP_HUGETLB_FAULT, "rbspPmlg"}, /* never asked to be retried */
    {FL_PINOP_MM_LOCK, ""},
    {FL_PINOP_MM_UNLOCK, ""},
    {FL_PINOP_FATAL_SIGNAL, "o"},
    {FL_PINOP_RESCHED, ""},
    {FL_PINOP_IRQ_SAVE, ""},
    {FL_PINOP_IRQ_RESTORE, ""},
};

static void test_answers(void)
{
    unsigned seen[FL_PINOP_COUNT] = {0}, fit = 0;

    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        seen[ops[i].op]++;
        for (unsigned a = 0; a < FL_PINANS_COUNT; a++) {
            bool fits = strchr(ops[i].answers, letters[a]) != NULL, hostile = false;

            CHECK_EQ(fl_pin_answer_fits((enum fl_pin_op)ops[i].op, (enum fl_pin_answer)a, &hostile), fits, "%s to %s",
                     fl_pin_answer_name(a), fl_pin_op_name(ops[i].op));
            if (fits)
                CHECK_EQ(hostile, letters[a] == 'o' || letters[a] == 'g', "is %s to %s hostile?", fl_pin_answer_name(a),
                         fl_pin_op_name(ops[i].op));
            fit += fits;
        }
    }
    for (unsigned op = 0; op < FL_PINOP_COUNT; op++)
        CHECK_EQ(seen[op], 1, "%s has its row", fl_pin_op_name(op));
    CHECK_EQ(sizeof letters - 1, FL_PINANS_COUNT, "every answer has its letter");
    CHECK_EQ(fit, 27, "answers that fit");
}

int main(void)
{
    test_actors();
    test_answers();
    return check_done("pin-world-rules");
}
