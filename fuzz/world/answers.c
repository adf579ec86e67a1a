/* SPDX-License-Identifier: MIT */
/*
 * Keyed answers: what INJECT records say, given away one by one, and what mm_fault answers with and without them. The
 * rule for mm_fault stands here once, for the op and for the snapshot that foretells it:
 *     - pending mm-* answers first, in the order of their records, each used up by one call;
 *     - a RETRY is given only where the caller allows it, and not in the last call that a decision may need
 *       (FL_MM_ANSWERS); else the model's own answer;
 *     - "no memory" of the model's own comes once: after a yield in the same decision, and in that last call (there
 *       also when it is injected), it is SIGBUS, so that init does not wait for ever.
 */
#include "state.h"

#define NONE FL_INJ_COUNT

static uint32_t bit(enum fl_inject_op op)
{
    return (uint32_t)1 << op;
}

static bool is_mm(enum fl_inject_op op)
{
    const uint32_t mm = 1u << FL_INJ_MM_OOM | 1u << FL_INJ_MM_SIGBUS | 1u << FL_INJ_MM_MAJOR |
                        1u << FL_INJ_MM_HWPOISON | 1u << FL_INJ_MM_HWPOISON_LARGE | 1u << FL_INJ_MM_SIGSEGV |
                        1u << FL_INJ_MM_RETRY | 1u << FL_INJ_MM_RETRY_MAJOR;
    return mm & bit(op);
}

enum fl_status answers_add(struct fl_world *w, const struct fl_record *r)
{
    struct answers *a = &w->answers;
    enum fl_inject_op op = (enum fl_inject_op)r->u.inject.op;

    if (op >= FL_INJ_COUNT)
        return FL_INVALID;
    if (is_mm(op)) {
        if (a->nmm == FL_MM_ANSWERS)
            return FL_NO_MEMORY;
        a->mm[a->nmm++] = (uint8_t)op;
        return FL_OK;
    }
    if (op == FL_INJ_YIELD_UNMAP || op == FL_INJ_YIELD_PROTECT) /* one thing happens at the first yield */
        a->pending &= ~(bit(FL_INJ_YIELD_UNMAP) | bit(FL_INJ_YIELD_PROTECT));
    a->pending |= bit(op);
    if (op == FL_INJ_PROBE)
        a->probe_from = r->u.inject.n;
    return FL_OK;
}

bool answers_pending(const struct fl_world *w, enum fl_inject_op op)
{
    return w->answers.pending & bit(op);
}

void answers_asked(struct fl_world *w, enum fl_inject_op op, unsigned n, bool may_retry)
{
    if (!w->keep_asked || n > 255)
        return;
    for (unsigned i = 0; i < w->nasked; i++)
        if (w->asked[i].op == op && w->asked[i].n == n) {
            w->asked[i].may_retry |= may_retry;
            return;
        }
    if (w->nasked < FL_WORLD_ASKS)
        w->asked[w->nasked++] = (struct fl_world_ask){.op = (uint8_t)op, .n = (uint8_t)n, .may_retry = may_retry};
}

void fl_world_keep_asked(struct fl_world *w, bool keep)
{
    w->keep_asked = keep;
    w->nasked = 0;
}

unsigned fl_world_asked(const struct fl_world *w, const struct fl_world_ask **asks)
{
    *asks = w->asked;
    return w->nasked;
}

bool answers_take(struct fl_world *w, enum fl_inject_op op)
{
    answers_asked(w, op == FL_INJ_YIELD_PROTECT ? FL_INJ_YIELD_UNMAP : op, 0, false);
    if (!answers_pending(w, op))
        return false;
    w->answers.pending &= ~bit(op);
    w->answers.given = true;
    return true;
}

bool fl_world_injected(const struct fl_world *w)
{
    const struct answers *a = &w->answers;
    bool failing = a->given || a->pending;

    for (unsigned i = a->next_mm; i < a->nmm; i++)
        failing |= a->mm[i] != FL_INJ_MM_MAJOR;
    return failing;
}

/* ---- mm_fault ---------------------------------------------------------------------------------------------------- */

/* One call of a decision. */
struct call {
    enum fl_inject_op injected; /* NONE: nothing is pending */
    bool may_retry;
    bool yielded; /* before it */
    bool last;    /* no decision needs another one */
};

/* The answer that is given before the model is asked; FL_MM_COUNT: the model's own. */
static enum fl_mm_result before_model(const struct call *c)
{
    switch (c->injected) {
    case FL_INJ_MM_OOM: return c->last ? FL_MM_SIGBUS : FL_MM_OOM;
    case FL_INJ_MM_SIGBUS: return FL_MM_SIGBUS;
    case FL_INJ_MM_HWPOISON: return FL_MM_HWPOISON;
    case FL_INJ_MM_HWPOISON_LARGE: return FL_MM_HWPOISON_LARGE;
    case FL_INJ_MM_SIGSEGV: return FL_MM_SIGSEGV;
    case FL_INJ_MM_RETRY: return c->may_retry && !c->last ? FL_MM_RETRY : FL_MM_COUNT;
    case FL_INJ_MM_RETRY_MAJOR: return c->may_retry && !c->last ? FL_MM_RETRY_MAJOR : FL_MM_COUNT;
    default: return FL_MM_COUNT;
    }
}

static enum fl_mm_result after_model(const struct call *c, enum fl_mm_result natural)
{
    if (natural == FL_MM_OOM && (c->yielded || c->last))
        return FL_MM_SIGBUS;
    if (natural == FL_MM_MINOR && c->injected == FL_INJ_MM_MAJOR)
        return FL_MM_MAJOR;
    return natural;
}

enum fl_mm_result answers_mm(struct fl_world *w, const struct fl_vma *vma, uint64_t addr, unsigned flags)
{
    struct answers *a = &w->answers;
    const struct call c = {.injected = a->next_mm < a->nmm ? (enum fl_inject_op)a->mm[a->next_mm++] : NONE,
                           .may_retry = flags & FL_MM_ALLOW_RETRY,
                           .yielded = w->effects.yields != 0,
                           .last = w->effects.mm_calls >= FL_MM_ANSWERS};
    enum fl_mm_result result = before_model(&c);

    answers_asked(w, FL_INJ_MM_OOM, a->mm_asked++, c.may_retry && !c.last);
    if (result == FL_MM_COUNT)
        return after_model(&c, mm_bring_in(w, vma, addr, flags & FL_MM_WRITE));
    a->given = true;
    return result;
}

/* The VMA of the address after the first yield, for the model's answer: the one above may be a stack that grows. */
static const struct fl_vma *after_yield(const struct fl_world *w, const struct fl_vma *vma)
{
    if (!answers_pending(w, FL_INJ_YIELD_UNMAP))
        return vma;
    return vma + 1 < w->vmas + w->nvmas ? vma + 1 : NULL;
}

/* What a right handler will be told, call by call. Behind an answer that ends the fault there is nothing to be asked:
 * MINOR, so that every field is in range. */
void answers_foretell(struct fl_world *w, uint64_t addr, bool write, uint8_t results[FL_MM_ANSWERS])
{
    const struct fl_vma *vma = kernel_has_vmas(w) ? vma_find(w, addr) : NULL;
    struct call c = {.may_retry = w->kernel.fault_retry};
    unsigned next = w->answers.next_mm;

    memset(results, FL_MM_MINOR, FL_MM_ANSWERS);
    for (unsigned i = 0; i < FL_MM_ANSWERS && vma; i++) {
        c.injected = next < w->answers.nmm ? (enum fl_inject_op)w->answers.mm[next++] : NONE;
        c.last = i == FL_MM_ANSWERS - 1;
        enum fl_mm_result r = before_model(&c);
        if (r == FL_MM_COUNT) /* growth changes the VMA's start, not what its pages hold */
            r = after_model(&c, mm_predict(w, vma, addr, write));
        results[i] = (uint8_t)r;
        if (r == FL_MM_RETRY || r == FL_MM_RETRY_MAJOR) {
            c.may_retry = false;
        } else if (r == FL_MM_OOM && w->task.pid == 1) {
            if (!c.yielded)
                vma = after_yield(w, vma);
            c.yielded = true;
        } else {
            return;
        }
    }
}
