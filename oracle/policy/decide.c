/* SPDX-License-Identifier: MIT */
/*
 * Follows the facts of one snapshot through the decision table.
 */
#include "meaning.h"

#include <faultline/oracle/sync.h>

static bool valid(const struct fl_snapshot *s)
{
    if (s == NULL || s->byte == NULL || s->read == NULL || s->word == NULL || s->symbol == NULL || s->file_name == NULL)
        return false;
    if ((s->vmas == NULL && s->nvmas != 0) || (s->extable == NULL && s->nextable != 0) ||
        (s->ldt == NULL && s->task.ldt_entries != 0))
        return false;
    if (s->cpu.mode >= FL_MODE_COUNT || s->cpu.vendor >= FL_VENDOR_COUNT || s->kernel.generation >= FL_GEN_COUNT ||
        (s->kernel.word != 4 && s->kernel.word != 8) ||
        (s->codeseg.bits != 16 && s->codeseg.bits != 32 && s->codeseg.bits != 64) || s->yield >= FL_YIELD_COUNT)
        return false;
    for (unsigned i = 0; i < FL_MM_ANSWERS; i++)
        if (s->mm_result[i] >= FL_MM_COUNT)
            return false;
    return true;
}

enum fl_status fl_policy_prefetch(const struct fl_snapshot *s, bool *ignore)
{
    if (!valid(s) || ignore == NULL)
        return FL_INVALID;
    *ignore = fl_policy_is_prefetch(s);
    return FL_OK;
}

enum fl_status fl_policy_code_window(const struct fl_snapshot *s, struct fl_code_window *out)
{
    if (!valid(s) || out == NULL)
        return FL_INVALID;
    fl_policy_window(s, out);
    return FL_OK;
}

/* The facts so far; known has a bit for each that has been worked out. */
struct facts {
    uint64_t fault; /* those that no pass changes */
    uint64_t word, known;
};

/* Works out facts on demand. False: the synchronisation has no answer. */
static bool demand(const struct fl_snapshot *s, uint64_t missing, struct facts *f, struct fl_policy_trail *t)
{
    uint64_t found = 0;
    if (missing & F_EXTABLE) {
        const struct fl_extable_entry *entry = fl_policy_fixup(s);
        if (entry != NULL) {
            found |= F_EXTABLE;
            t->fixup = entry->fixup;
        }
    }
    if ((missing & F_PREFETCH) && fl_policy_is_prefetch(s))
        found |= F_PREFETCH;
    if ((missing & F_PERMITTED) && fl_policy_permitted(s))
        found |= F_PERMITTED;
    if ((missing & F_CODE64) && fl_policy_code64(s))
        found |= F_CODE64;
    if ((missing & F_RETURN) && s->word(s->ctx, s->regs.gpr[FL_RSP], &t->return_address))
        found |= F_RETURN;
    if (missing & F_SYNC_MASK) {
        if (fl_sync_decide(s, &t->sync) != FL_OK)
            return false;
        t->synced = true;
        found |= F_SYNC(t->sync.end);
    }
    f->word |= found;
    f->fault |= found;
    f->known |= missing;
    return true;
}

/* The first row of that part that matches, from the index on. NULL: none, or the synchronisation has no answer. */
static const struct fl_policy_row *deciding(const struct fl_snapshot *s, unsigned part, size_t *index, struct facts *f,
                                            struct fl_policy_trail *t)
{
    size_t nrows;
    const struct fl_policy_row *rows = fl_policy_rows(&nrows);

    for (; *index < nrows; ++*index) {
        const struct fl_policy_row *row = &rows[*index];
        if (row->part != part || ((f->word ^ row->want) & row->mask & f->known) != 0)
            continue;
        uint64_t missing = row->mask & ~f->known;
        if (missing != 0 && !demand(s, missing, f, t))
            return NULL;
        if (((f->word ^ row->want) & row->mask) == 0)
            return row;
    }
    return NULL;
}

static uint8_t asked_for(const struct fl_policy_pass *pass, uint64_t word)
{
    unsigned flags = 0;
    if (word & F_W)
        flags |= FL_MM_WRITE;
    if (word & F_U)
        flags |= FL_MM_USER;
    if (word & F_I)
        flags |= FL_MM_FETCH;
    if (word & F_MAY_RETRY)
        flags |= FL_MM_ALLOW_RETRY;
    if (pass->retried)
        flags |= FL_MM_TRIED;
    return (uint8_t)flags;
}

/* What an answer that sends the decision back to AREA leaves behind for the passes that follow. */
static void finish_pass(const struct fl_snapshot *s, uint32_t flags, size_t vma, struct fl_policy_pass *pass,
                        bool *waited)
{
    if (flags & M_RETRIED)
        pass->retried = true;
    if (flags & M_COUNTED)
        pass->was_major = true;
    if (!(flags & M_WAITED) || *waited)
        return;
    *waited = true;
    if (s->yield == FL_YIELD_UNMAP)
        pass->gone = vma;
    else if (s->yield == FL_YIELD_PROTECT)
        pass->readonly = vma;
}

enum fl_status fl_policy_follow(const struct fl_snapshot *s, struct fl_policy_trail *trail)
{
    struct fl_policy_pass pass = {.gone = FL_NO_VMA, .readonly = FL_NO_VMA, .grown = FL_NO_VMA};
    struct facts facts = {.fault = fl_policy_fault_facts(s), .known = ~(uint64_t)F_ON_DEMAND};
    unsigned part = FL_PART_ENTRY;
    size_t index = 0, area = 0, vma = FL_NO_VMA;
    bool waited = false;

    trail->nsteps = trail->mm_calls = 0;
    trail->grows = trail->synced = false;
    trail->pkey = 0;
    facts.word = facts.fault;
    while (part != M_END) {
        const struct fl_policy_row *row = deciding(s, part, &index, &facts, trail);
        if (row == NULL || trail->nsteps == FL_MAX_STEPS)
            return FL_FAILED;
        trail->step[trail->nsteps++] =
            (struct fl_policy_step){.row = (uint16_t)index, .word = facts.word, .known = facts.known};

        const struct fl_policy_meaning *m = &fl_policy_meanings[row->verdict];
        if ((m->flags & M_PLACED) && !(facts.word & F_INSIDE)) {
            trail->grows = true;
            pass.grown = vma;
        }
        if (m->flags & M_ASKED) {
            if (trail->mm_calls == FL_MM_ANSWERS)
                return FL_INVALID;
            trail->mm_flags[trail->mm_calls++] = asked_for(&pass, facts.word);
        }
        if (part == FL_PART_ANSWER && m->next == FL_PART_AREA) {
            pass.asked++;
            finish_pass(s, m->flags, vma, &pass, &waited);
            index = area; /* rows are sorted by part: only here the way leads back */
        } else if (m->next == FL_PART_AREA) {
            area = index;
        }
        if (m->next == FL_PART_AREA) {
            facts.word = facts.fault | fl_policy_pass_facts(s, &pass, &vma);
            trail->pkey = vma != FL_NO_VMA ? s->vmas[vma].pkey : 0;
        }
        part = m->next;
    }
    return FL_OK;
}

enum fl_status fl_policy_decide(const struct fl_snapshot *s, struct fl_expected *out)
{
    struct fl_policy_trail trail;
    if (!valid(s) || out == NULL ||
        !fl_generation_exists((enum fl_mode)s->cpu.mode, (enum fl_generation)s->kernel.generation))
        return FL_INVALID;
    enum fl_status status = fl_policy_follow(s, &trail);
    if (status == FL_OK)
        fl_policy_write(s, &trail, out);
    return status;
}
