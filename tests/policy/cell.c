/* SPDX-License-Identifier: MIT */
/*
 * One cell of the exhaustive test, and what all of them came to.
 */
#include "cell.h"

#include "check.h"

#include "policy/facts.h"

#include <faultline/oracle/compare.h>

#define MAX_ROWS 128

static const struct fl_policy_row *rows;
static size_t nrows;
static uint64_t cells, hits[MAX_ROWS];

/* ---- which corners of the fact space are reached ---------------------------------------------------------------- */

/* A set of fact words for each part, of the facts that the part's rows ask. */
#define SET_SIZE (1u << 21)
static struct {
    uint64_t word[SET_SIZE]; /* with bit 63 set, which is no fact; 0 is an empty slot */
    uint64_t asked;
    uint32_t count;
} set[FL_PART_COUNT];

static void set_add(unsigned part, uint64_t word)
{
    word = (word & set[part].asked) | UINT64_C(1) << 63;
    uint64_t at = (word ^ word >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> 43;
    while (set[part].word[at] != 0 && set[part].word[at] != word)
        at = (at + 1) % SET_SIZE;
    if (set[part].word[at] == 0) {
        set[part].word[at] = word;
        set[part].count++;
    }
    if (set[part].count > SET_SIZE / 2) {
        fprintf(stderr, "too many fact words\n");
        exit(1);
    }
}

/* ---- one cell --------------------------------------------------------------------------------------------------- */

static bool same_outcome(const struct fl_outcome *a, const struct fl_outcome *b)
{
    return a->action == b->action && a->major == b->major && a->irq_on == b->irq_on &&
           a->thread_valid == b->thread_valid && a->si_pkey == b->si_pkey && a->si_addr_lsb == b->si_addr_lsb &&
           a->screen_bits == b->screen_bits && a->signo == b->signo && a->si_code == b->si_code &&
           a->si_addr == b->si_addr && a->thread_cr2 == b->thread_cr2 && a->thread_error_code == b->thread_error_code &&
           a->thread_trap_no == b->thread_trap_no && a->new_ip == b->new_ip && a->new_sp == b->new_sp;
}

static bool same_effects(const struct fl_expected *a, const struct fl_expected *b)
{
    return a->synced == b->synced && (!a->synced || a->sync.end == b->sync.end) && a->mm_calls == b->mm_calls &&
           !memcmp(a->mm_flags, b->mm_flags, sizeof a->mm_flags) && a->nagain == b->nagain && a->yields == b->yields &&
           a->grows == b->grows && a->new_start == b->new_start && a->lock_tried == b->lock_tried &&
           a->lock_taken == b->lock_taken && a->limit[FL_LIMIT_SIGNAL] == b->limit[FL_LIMIT_SIGNAL] &&
           a->limit[FL_LIMIT_ERRATUM93] == b->limit[FL_LIMIT_ERRATUM93] && a->vsyscall == b->vsyscall &&
           a->vsyscall_nr == b->vsyscall_nr && a->dies == b->dies && a->die == b->die;
}

/* The log holds what it should say first, and the mark of the crash handler where that is called. */
static bool same_log(const struct fl_expected *e, const struct reference *ref)
{
    char log[FL_LOG_MAX + 1];
    if (*ref->says == '\0')
        return e->nlog == 0;
    if (e->nlog == 0 || e->nlog > FL_LOG_MAX)
        return false;
    memcpy(log, e->log, e->nlog);
    log[e->nlog] = '\0';
    return strstr(log, ref->says) != NULL && (strstr(log, FL_LOG_DIE) != NULL) == ref->want.dies;
}

static bool same_rows(const struct fl_expected *e, const struct reference *ref)
{
    for (unsigned part = 0; part < FL_PART_COUNT; part++) {
        bool reached = e->path[part] != FL_POLICY_NO_ROW;
        if (reached != (ref->row[part] != NULL))
            return false;
        if (reached && strcmp(rows[e->path[part]].name, ref->row[part]) != 0)
            return false;
    }
    for (unsigned i = 0; i < e->nagain; i++)
        if (strcmp(rows[e->again[i]].name, ref->again[i]) != 0)
            return false;
    return true;
}

/* What a right handler would have done, as the world records it. */
static void effects_of(const struct situation *t, const struct fl_expected *e, struct fl_effects *f)
{
    bool user = (t->s.regs.cs & 3) == 3 || (t->s.regs.flags & 0x20000);
    bool irq_was_on = (t->s.regs.flags & 0x200) || (t->s.kernel.word == 4 && (t->s.regs.flags & 0x20000));

    memset(f, 0, offsetof(struct fl_effects, log));
    f->mm_calls = e->mm_calls;
    memcpy(f->mm_flags, e->mm_flags, sizeof f->mm_flags);
    f->mm_addr = t->s.cr2;
    f->grew = e->grows;
    f->new_start = e->new_start;
    f->irq_calls = e->outcome.irq_on;
    f->irq_late = e->lock_taken && !irq_was_on;
    f->report_gets = e->report_lock;
    f->lock_gets = (e->lock_taken ? 1u + e->nagain : 0) + f->report_gets;
    f->lock_drops = f->lock_gets;
    f->lock_tries = e->lock_tried;
    f->lock_takes = e->nagain + (e->lock_taken && t->s.lock_contended);
    f->report_tries = e->report_tried;
    f->lock_asks = f->lock_tries + f->lock_takes + f->report_tries;
    f->kprobes = t->s.task.kprobe_running && !user;
    f->yields = e->yields;
    for (unsigned i = 0; i < e->mm_calls; i++)
        f->fatal_asks += (t->s.mm_result[i] == FL_MM_RETRY || t->s.mm_result[i] == FL_MM_RETRY_MAJOR) &&
                         (e->mm_flags[i] & FL_MM_ALLOW_RETRY);
    for (unsigned i = 0; i < FL_LIMIT_COUNT; i++)
        f->limits[i] = e->limit[i];
    f->vsyscalls = e->vsyscall;
    f->vsyscall_nr = e->vsyscall_nr;
    f->dies = e->dies;
    f->die = e->die;
    f->die_code = t->s.error_code;
    if (e->synced) {
        f->writes = e->sync.nwrites;
        memcpy(f->write, e->sync.write, sizeof e->sync.write);
        f->flushes = e->sync.flush;
        f->flushed_writes = e->sync.nwrites;
        f->warns = e->sync.warn;
    }
    f->nlog = e->nlog;
    memcpy(f->log, e->log, e->nlog);
}

static void check_right_answer(const struct situation *t, const struct fl_expected *e)
{
    struct fl_effects effects;
    struct fl_divergence d;
    effects_of(t, e, &effects);
    d.detail[0] = '\0';
    CHECK(!fl_compare_fault(&t->s, e, &e->outcome, &effects, &d), "row %s: a right answer is called wrong: %s %s",
          rows[e->row].name, d.row, d.detail);
}

static void describe(const struct choices *c, char *buf, size_t size)
{
    int n = 0;
    const uint8_t *byte = (const uint8_t *)c;
    for (size_t i = 0; i < sizeof *c && (size_t)n + 4 < size; i++)
        n += snprintf(buf + n, size - (size_t)n, "%x ", byte[i]);
}

void cell_check(const struct choices *c)
{
    struct situation t;
    struct reference ref;
    struct fl_policy_trail trail;
    struct fl_expected e;

    situation_make(&t, c);
    situation_reference(&t, c, &ref);
    cells++;
    enum fl_status status = fl_policy_decide(&t.s, &e);
    const char *wrong = status != FL_OK                                ? "status"
                        : !same_rows(&e, &ref)                         ? "rows"
                        : !same_outcome(&e.outcome, &ref.want.outcome) ? "outcome"
                        : !same_effects(&e, &ref.want)                 ? "effects"
                        : !same_log(&e, &ref)                          ? "log"
                        : t.reads > 15 || t.wrong_reads != 0           ? "byte reads"
                                                                       : NULL;
    if (wrong != NULL) {
        char fields[160];
        describe(c, fields, sizeof fields);
        fprintf(stderr, "%s; decided by %s, says %.*s; expected", fields, status == FL_OK ? rows[e.row].name : "-",
                status == FL_OK ? (int)e.nlog : 0, e.log);
        for (unsigned part = 0; part < FL_PART_COUNT; part++)
            fprintf(stderr, " %s", ref.row[part] != NULL ? ref.row[part] : "-");
        fputc('\n', stderr);
    }
    CHECK(wrong == NULL, "%s differ: word %u code %#x regs %u layout %u: status %d action %s, expected %s", wrong,
          c->word, c->code, c->regs, c->layout, status, fl_action_name((enum fl_action)e.outcome.action),
          fl_action_name((enum fl_action)ref.want.outcome.action));
    if (fl_policy_follow(&t.s, &trail) != FL_OK)
        return;
    check_right_answer(&t, &e);
    for (unsigned i = 0; i < trail.nsteps; i++) {
        const struct fl_policy_step *step = &trail.step[i];
        hits[step->row]++;
        set_add(rows[step->row].part, step->word);
    }
}

void cells_begin(void)
{
    rows = fl_policy_rows(&nrows);
    for (size_t i = 0; i < nrows; i++)
        set[rows[i].part].asked |= rows[i].mask;
}

void cells_run(const char *name, void (*run)(bool full), bool full)
{
    uint64_t before = cells;
    run(full);
    CHECK(cells > before, "%s: no cell", name);
    printf("%10" PRIu64 " cells of %s\n", cells - before, name);
}

int cells_done(bool list)
{
    static const char *const names[FL_PART_COUNT] = {"entry", "area", "answer", "ending"};
    for (size_t i = 0; i < nrows; i++) {
        CHECK(hits[i] != 0, "row %s decided no cell", rows[i].name);
        if (list)
            printf("%10" PRIu64 " decisions by %s\n", hits[i], rows[i].name);
    }
    for (unsigned part = 0; part < FL_PART_COUNT; part++) {
        CHECK(set[part].count != 0, "%s: no fact word", names[part]);
        printf("%10" PRIu32 " different fact words of %s\n", set[part].count, names[part]);
    }
    return check_done("policy exhaustive");
}
