/* SPDX-License-Identifier: MIT */
/*
 * Runs the decision table over the facts of one snapshot and writes down what its verdicts mean.
 */
#include "facts.h"

/* Signals, POSIX <signal.h>; numbers of the x86 kernel ABI (Linux asm-generic/siginfo.h). */
enum { SIGNAL_BUS = 7, SIGNAL_SEGV = 11, CODE_MAPERR = 1, CODE_ACCERR = 2, CODE_BUS_ADRERR = 2 };

/* #PF: Intel SDM vol. 3A, 6.15. */
enum { VECTOR_PF = 14 };

enum {
    M_LOCKED = 1 << 0, /* the lock was had */
    M_PLACED = 1 << 1, /* an acceptable VMA was found, a stack that had to grow has grown */
    M_ASKED = 1 << 2,  /* mm_fault is asked */
    M_WRITE = 1 << 3,  /* ... for a write */
    M_IRQ_ON = 1 << 4, /* interrupts on, whatever they were */
    M_THREAD = 1 << 5, /* the thread's fault record is written */
    M_MAJOR = 1 << 6,
    M_FIXUP = 1 << 7,
    M_END = FL_PART_COUNT,
};

struct meaning {
    uint8_t next;   /* part to go on with, or M_END */
    uint8_t action; /* enum fl_action, at M_END */
    uint8_t flags;  /* M_*; they add up along the path */
    uint8_t signo;
    uint8_t si_code; /* 0: as the part before left it */
};

static const struct meaning meanings[V_COUNT] = {
    [V_UNSUPPORTED] = {M_END, FL_ACT_NONE, 0, 0, 0},
    [V_BAD_PAGETABLE] = {M_END, FL_ACT_BAD_PAGETABLE, M_THREAD, 0, 0},
    [V_BAD_EARLY] = {FL_PART_ENDING, FL_ACT_NONE, 0, 0, CODE_MAPERR},
    [V_BAD_MAPERR] = {FL_PART_ENDING, FL_ACT_NONE, M_LOCKED, 0, CODE_MAPERR},
    [V_BAD_ACCERR] = {FL_PART_ENDING, FL_ACT_NONE, M_LOCKED | M_PLACED, 0, CODE_ACCERR},
    [V_GOOD_READ] = {FL_PART_ANSWER, FL_ACT_NONE, M_LOCKED | M_PLACED | M_ASKED, 0, 0},
    [V_GOOD_WRITE] = {FL_PART_ANSWER, FL_ACT_NONE, M_LOCKED | M_PLACED | M_ASKED | M_WRITE, 0, 0},
    [V_MINOR] = {M_END, FL_ACT_HANDLED, 0, 0, 0},
    [V_MAJOR] = {M_END, FL_ACT_HANDLED, M_MAJOR, 0, 0},
    [V_OOM_KILL] = {M_END, FL_ACT_OOM_KILL, 0, 0, 0},
    [V_NO_CONTEXT] = {FL_PART_ENDING, FL_ACT_NONE, 0, 0, 0},
    [V_IGNORE] = {M_END, FL_ACT_IGNORED, 0, 0, 0},
    [V_SIGBUS] = {M_END, FL_ACT_SIGNAL, M_THREAD, SIGNAL_BUS, CODE_BUS_ADRERR},
    [V_IGNORE_USER] = {M_END, FL_ACT_IGNORED, M_IRQ_ON, 0, 0},
    [V_SEGV] = {M_END, FL_ACT_SIGNAL, M_THREAD | M_IRQ_ON, SIGNAL_SEGV, 0},
    [V_OOPS] = {M_END, FL_ACT_OOPS, M_THREAD, 0, 0},
    [V_FIXUP] = {M_END, FL_ACT_FIXUP, M_FIXUP, 0, 0},
};

static bool valid(const struct fl_snapshot *s)
{
    return s != NULL && s->byte != NULL && (s->vmas != NULL || s->nvmas == 0) &&
           (s->extable != NULL || s->nextable == 0) && s->cpu.mode < FL_MODE_COUNT && s->cpu.vendor < FL_VENDOR_COUNT &&
           (s->kernel.word == 4 || s->kernel.word == 8) &&
           (s->codeseg.bits == 16 || s->codeseg.bits == 32 || s->codeseg.bits == 64) && s->mm_result < FL_MM_COUNT;
}

enum fl_status fl_policy_prefetch(const struct fl_snapshot *s, bool *ignore)
{
    if (!valid(s) || ignore == NULL)
        return FL_INVALID;
    *ignore = fl_policy_is_prefetch(s);
    return FL_OK;
}

/* The facts so far; known has a bit for each that has been worked out. */
struct facts {
    uint64_t word, known;
};

static bool matches(const struct fl_snapshot *s, const struct fl_policy_row *row, struct facts *f)
{
    if (((f->word ^ row->want) & row->mask & f->known) != 0)
        return false;
    uint64_t missing = row->mask & ~f->known;
    if (missing == 0)
        return true;
    if ((missing & F_EXTABLE) && fl_policy_fixup(s) != NULL)
        f->word |= F_EXTABLE;
    if ((missing & F_PREFETCH) && fl_policy_is_prefetch(s))
        f->word |= F_PREFETCH;
    f->known |= missing;
    return ((f->word ^ row->want) & row->mask) == 0;
}

static void write_outcome(const struct fl_snapshot *s, const struct meaning *end, unsigned flags, int si_code,
                          bool irq_was_on, struct fl_outcome *o)
{
    o->action = end->action;
    o->irq_on = irq_was_on || (flags & M_IRQ_ON);
    o->major = (flags & M_MAJOR) != 0;
    if (end->action == FL_ACT_SIGNAL) {
        o->signo = end->signo;
        o->si_code = si_code;
        o->si_addr = s->cr2;
    }
    if (flags & M_THREAD) {
        o->thread_valid = true;
        o->thread_cr2 = s->cr2;
        o->thread_error_code = s->error_code;
        o->thread_trap_no = VECTOR_PF;
    }
    if (flags & M_FIXUP)
        o->new_ip = fl_policy_fixup(s)->fixup;
}

enum fl_status fl_policy_decide(const struct fl_snapshot *s, struct fl_expected *out)
{
    if (!valid(s) || out == NULL)
        return FL_INVALID;

    size_t nrows;
    const struct fl_policy_row *rows = fl_policy_rows(&nrows);
    uint64_t new_start;
    struct facts facts = {.word = fl_policy_facts(s, &new_start), .known = ~(uint64_t)F_ON_DEMAND};
    struct fl_expected e = {.path = {FL_POLICY_NO_ROW, FL_POLICY_NO_ROW, FL_POLICY_NO_ROW}};
    unsigned part = FL_PART_AREA, flags = 0;
    int si_code = 0;

    /* Rows are sorted by part and no verdict goes back, so one pass does. */
    for (size_t i = 0; i < nrows; i++) {
        if (rows[i].part != part || !matches(s, &rows[i], &facts))
            continue;
        const struct meaning *m = &meanings[rows[i].verdict];
        e.path[part] = e.row = (uint16_t)i;
        part = m->next;
        flags |= m->flags;
        if (m->si_code != 0)
            si_code = m->si_code;
        if (part != M_END)
            continue;
        if (rows[i].verdict == V_UNSUPPORTED) {
            *out = e;
            return FL_OK;
        }
        e.supported = true;
        e.lock_taken = (flags & M_LOCKED) != 0;
        e.mm_asked = (flags & M_ASKED) != 0;
        e.mm_write = (flags & M_WRITE) != 0;
        e.grows = (flags & M_PLACED) && !(facts.word & F_INSIDE);
        if (e.grows)
            e.new_start = new_start;
        write_outcome(s, m, flags, si_code, (facts.word & F_IRQ_WAS_ON) != 0, &e.outcome);
        *out = e;
        return FL_OK;
    }
    return FL_FAILED;
}
