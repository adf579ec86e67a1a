/* SPDX-License-Identifier: MIT */
/*
 * Every combination of a few values per dimension of the fault decision: the table against plain control flow,
 * cell by cell, with rows. Each row must decide some cell, and each cell must have a row.
 *
 * Without arguments, cells whose values cannot matter are left out by the rules in pruned(); "--full" leaves
 * out none and thereby shows that those values indeed do not matter.
 */
#include "check.h"
#include "situation.h"

#include "policy/facts.h"

#include <faultline/oracle/compare.h>

/* A set of fact words: which corners of the fact space concrete snapshots reach. */
#define SET_SIZE (1u << 22)
static uint32_t set[SET_SIZE], set_count;
static uint64_t cells, hits[64];

static void set_add(uint32_t word)
{
    uint32_t at = word * 2654435761u >> 10;
    word |= UINT32_C(1) << 31; /* 0 is an empty slot */
    while (set[at] != 0 && set[at] != word)
        at = (at + 1) % SET_SIZE;
    if (set[at] == 0) {
        set[at] = word;
        set_count++;
    }
    if (set_count > SET_SIZE / 2) {
        fprintf(stderr, "too many fact words\n");
        exit(1);
    }
}

/* Effects that a right handler would have had. */
/* Of a 32-bit kernel's virtual-8086 task they always are. */
static bool irq_was_on(const struct situation *t)
{
    return (t->s.regs.flags & 0x200) || (t->s.kernel.word == 4 && (t->s.regs.flags & 0x20000));
}

static struct fl_effects effects_of(const struct situation *t, const struct fl_expected *e)
{
    return (struct fl_effects){.mm_calls = e->mm_asked,
                               .mm_write = e->mm_write,
                               .mm_addr = t->s.cr2,
                               .grew = e->grows,
                               .new_start = e->new_start,
                               .irq_calls = e->outcome.irq_on,
                               .irq_late = e->lock_taken && !irq_was_on(t),
                               .lock_asks = e->lock_taken,
                               .lock_gets = e->lock_taken,
                               .lock_drops = e->lock_taken};
}

static bool same_outcome(const struct fl_outcome *a, const struct fl_outcome *b)
{
    return a->action == b->action && a->major == b->major && a->irq_on == b->irq_on &&
           a->thread_valid == b->thread_valid && a->signo == b->signo && a->si_code == b->si_code &&
           a->si_addr == b->si_addr && a->thread_cr2 == b->thread_cr2 && a->thread_error_code == b->thread_error_code &&
           a->thread_trap_no == b->thread_trap_no && a->new_ip == b->new_ip;
}

static void check_cell(const struct choices *c)
{
    static const struct fl_policy_row *rows;
    size_t nrows;
    struct situation t;
    struct reference ref;
    struct fl_expected e;
    struct fl_divergence d;
    uint64_t new_start;

    if (rows == NULL)
        rows = fl_policy_rows(&nrows);
    situation_make(&t, c);
    situation_reference(&t, c, &ref);
    cells++;
    enum fl_status status = fl_policy_decide(&t.s, &e);
    bool right = status == FL_OK && e.supported == ref.want.supported && e.mm_asked == ref.want.mm_asked &&
                 e.mm_write == ref.want.mm_write && e.grows == ref.want.grows && e.new_start == ref.want.new_start &&
                 e.lock_taken == ref.want.lock_taken && same_outcome(&e.outcome, &ref.want.outcome) && t.reads <= 15 &&
                 t.wrong_reads == 0;
    for (unsigned part = 0; right && part < FL_PART_COUNT; part++) {
        bool reached = e.path[part] != FL_POLICY_NO_ROW;
        right = reached == (ref.row[part] != NULL) && (!reached || !strcmp(rows[e.path[part]].name, ref.row[part]));
        if (reached)
            hits[e.path[part]]++;
    }
    CHECK(right,
          "word %u code %#x regs %u if %d task %u contended %d extable %d layout %u growth %#x prot %u mm %u bytes %u: "
          "status %d, row %s, action %s, expected %s",
          c->word, c->code, c->regs, c->if_on, c->task, c->contended, c->extable, c->layout, c->growth, c->prot, c->mm,
          c->bytes, status, status == FL_OK ? rows[e.row].name : "-",
          status == FL_OK ? fl_action_name((enum fl_action)e.outcome.action) : "-",
          fl_action_name((enum fl_action)ref.want.outcome.action));
    if (status == FL_OK && e.supported) {
        struct fl_effects effects = effects_of(&t, &e);
        CHECK(!fl_compare_fault(&t.s, &e, &e.outcome, &effects, &d), "a right answer is called wrong: %s", d.detail);
    }
    set_add((uint32_t)fl_policy_facts(&t.s, &new_start));
}

static bool pruned(const struct choices *c, bool full)
{
    if (full)
        return false;
    bool no_vma_work = c->layout == KERNEL_ADDRESS || c->task != 0 || (c->code & (P | RSVD)) == (P | RSVD);
    if (no_vma_work && c->layout != KERNEL_ADDRESS && c->layout != INSIDE)
        return true; /* which VMA there is does not matter */
    bool refused =
        no_vma_work || c->layout == NOTHING || c->layout == BELOW || (c->layout == BELOW_STACK && c->growth & ~CUSHION);
    if (refused && (c->prot != 0 || c->mm != FL_MM_MINOR))
        return true;                                    /* neither do its permissions and what mm_fault would say */
    return c->bytes > PREFETCH && c->layout != NOTHING; /* one bad area shows the prefetch rule's gates */
}

int main(int argc, char **argv)
{
    static const uint8_t prots[] = {0, R, WR, X};
    static const uint8_t places[] = {KERNEL_ADDRESS, NOTHING, INSIDE, INSIDE_STACK, BELOW};
    bool full = argc > 1 && !strcmp(argv[1], "--full");
    struct choices c;
    uint64_t all = 0;

    for (unsigned word = 4; word <= 8; word += 4)
        for (unsigned code = 0; code < 32; code++)
            for (unsigned regs = 0; regs < REGS_COUNT * 2; regs++)
                for (unsigned task = 0; task < 8; task++)
                    for (unsigned lock = 0; lock < 4; lock++)
                        for (unsigned place = 0; place < 64 + sizeof places; place++)
                            for (unsigned served = 0; served < 16; served++)
                                for (unsigned bytes = 0; bytes < BYTES_COUNT; bytes++) {
                                    c = (struct choices){.word = (uint8_t)word,
                                                         .code = (uint8_t)code,
                                                         .regs = (uint8_t)(regs / 2),
                                                         .if_on = regs & 1,
                                                         .task = (uint8_t)task,
                                                         .contended = lock & 1,
                                                         .extable = lock & 2,
                                                         .layout = place < 64 ? BELOW_STACK : places[place - 64],
                                                         /* elsewhere all limits are exceeded: they must not matter */
                                                         .growth = place < 64 ? (uint8_t)place : GROWTH_ALL,
                                                         .prot = prots[served / 4],
                                                         .mm = (uint8_t)(served % 4),
                                                         .bytes = (uint8_t)bytes};
                                    all++;
                                    if (!pruned(&c, full))
                                        check_cell(&c);
                                }

    size_t nrows;
    const struct fl_policy_row *rows = fl_policy_rows(&nrows);
    for (size_t i = 0; i < nrows; i++)
        CHECK(hits[i] != 0, "row %s decided no cell", rows[i].name);
    printf("%" PRIu64 " combinations, %" PRIu64 " judged, %" PRIu32 " different fact words\n", all, cells, set_count);
    if (full)
        for (size_t i = 0; i < nrows; i++)
            printf("%10" PRIu64 " %s\n", hits[i], rows[i].name);
    return check_done("policy exhaustive");
}
