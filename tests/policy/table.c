/* SPDX-License-Identifier: MIT */
/*
 * The policy table itself: well-formed; no fact word of a part falls through its rows, whatever its bits, and every row
 * decides some fact word. Both are settled for all fact words at once, by cases.
 */
#include "check.h"

#include "policy/meaning.h"

#define MAX_ROWS 120

static const struct fl_policy_row *rows;
static size_t nrows;
static const char *const part_names[FL_PART_COUNT] = {"entry", "area", "answer", "ending"};

static void test_rows(void)
{
    for (size_t i = 0; i < nrows; i++) {
        const struct fl_policy_row *r = &rows[i];
        CHECK(r->name != NULL && r->name[0] != '\0', "row %zu has no name", i);
        CHECK(strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(r->name), "name of row %s", r->name);
        CHECK(r->source != NULL && strlen(r->source) > 10, "row %s has no source", r->name);
        CHECK((r->want & ~r->mask) == 0, "row %s wants a fact that it does not look at", r->name);
        CHECK(r->mask != 0, "row %s catches everything", r->name);
        CHECK(r->mask >> FL_FACT_COUNT == 0, "row %s looks at a fact that does not exist", r->name);
        CHECK(r->verdict < V_COUNT, "verdict of row %s", r->name);
        CHECK(r->part < FL_PART_COUNT && (i == 0 || r->part >= rows[i - 1].part), "part of row %s", r->name);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(r->name, rows[j].name) != 0, "two rows are named %s", r->name);
    }
}

/* Each verdict and each fact has a use. */
static void test_uses(void)
{
    uint64_t asked = F_IRQ_WAS_ON; /* read where the outcome is written */
    bool used[V_COUNT] = {false};
    for (size_t i = 0; i < nrows; i++) {
        asked |= rows[i].mask;
        used[rows[i].verdict] = true;
    }
    CHECK_EQ(asked, (UINT64_C(1) << FL_FACT_COUNT) - 1, "facts that no row asks");
    for (unsigned v = 0; v < V_COUNT; v++)
        CHECK(used[v], "verdict %u belongs to no row", v);
}

/* No way through the table is endless: a part leads to a later one, or from ANSWER back to AREA, which uses up an
 * answer. */
static void test_meanings(void)
{
    for (size_t i = 0; i < nrows; i++) {
        const struct fl_policy_meaning *m = &fl_policy_meanings[rows[i].verdict];
        bool back = rows[i].part == FL_PART_ANSWER && m->next == FL_PART_AREA;
        CHECK(m->next > rows[i].part || back, "row %s leads to part %u", rows[i].name, m->next);
        CHECK((m->next == M_END) == (m->action != FL_ACT_NONE), "row %s: action %u", rows[i].name, m->action);
        CHECK(m->action < FL_ACT_COUNT, "row %s: action %u", rows[i].name, m->action);
        CHECK((m->signo != 0) == (m->action == FL_ACT_SIGNAL), "row %s: signal %u", rows[i].name, m->signo);
        CHECK(!(m->flags & M_ASKED) == (m->next != FL_PART_ANSWER), "row %s: asked, and what is answered",
              rows[i].name);
    }
}

/* ---- all fact words of a part ----------------------------------------------------------------------------------- */

struct cover {
    unsigned part;
    uint64_t asked;           /* facts that the part's rows ask: the words are of these */
    uint64_t holes;           /* fact words that no row matches */
    uint64_t words[MAX_ROWS]; /* ... that the row decides */
    uint64_t hole;            /* one of them */
};

static unsigned bits_in(uint64_t word)
{
    unsigned n = 0;
    for (; word != 0; word &= word - 1)
        n++;
    return n;
}

/* All words that agree with `value` where `fixed` has a bit. The first row that they do not contradict either decides
 * them all, or has a bit of which some are one way and some the other. */
static void cover(struct cover *c, uint64_t fixed, uint64_t value)
{
    uint64_t count = UINT64_C(1) << bits_in(c->asked & ~fixed);
    for (size_t i = 0; i < nrows; i++) {
        const struct fl_policy_row *r = &rows[i];
        if (r->part != c->part || ((value ^ r->want) & r->mask & fixed) != 0)
            continue;
        uint64_t open = r->mask & ~fixed;
        if (open == 0) {
            c->words[i] += count;
            return;
        }
        open &= ~open + 1;
        cover(c, fixed | open, value & ~open);
        cover(c, fixed | open, value | open);
        return;
    }
    c->holes += count;
    c->hole = value;
}

/* The same by trying each word. */
static void try_words(struct cover *c, uint64_t fixed, uint64_t value)
{
    uint64_t open = c->asked & ~fixed, word = 0;
    do {
        size_t i = 0;
        while (i < nrows && (rows[i].part != c->part || (((word | value) ^ rows[i].want) & rows[i].mask) != 0))
            i++;
        if (i < nrows)
            c->words[i]++;
        else
            c->holes++;
        word = ((word | ~open) + 1) & open; /* the next combination of these bits */
    } while (word != 0);
}

static void test_cover(void)
{
    static const uint8_t answers[] = {ANSWER_MINOR,   ANSWER_MAJOR,  ANSWER_RETRY,    ANSWER_RETRY_MAJOR,   ANSWER_OOM,
                                      ANSWER_SIGSEGV, ANSWER_SIGBUS, ANSWER_HWPOISON, ANSWER_HWPOISON_LARGE};
    for (unsigned part = 0; part < FL_PART_COUNT; part++) {
        struct cover c = {.part = part}, tried = {.part = part};
        for (size_t i = 0; i < nrows; i++)
            if (rows[i].part == part)
                c.asked |= rows[i].mask;
        tried.asked = c.asked;
        /* The field of answers holds one of nine values, by construction: the other seven are no fact words. */
        unsigned n = part == FL_PART_ANSWER ? (unsigned)sizeof answers : 1;
        uint64_t fixed = part == FL_PART_ANSWER ? F_ANSWER_MASK : 0;
        bool few = bits_in(c.asked) <= 23;
        for (unsigned a = 0; a < n; a++) {
            cover(&c, fixed, fixed & F_ANSWER(answers[a]));
            if (few)
                try_words(&tried, fixed, fixed & F_ANSWER(answers[a]));
        }
        CHECK_EQ(c.holes, 0, "%s: words fall through, %#" PRIx64 " is one", part_names[part], c.hole);
        uint64_t words = 0;
        for (size_t i = 0; i < nrows; i++) {
            words += c.words[i];
            if (rows[i].part == part)
                CHECK(c.words[i] != 0, "row %s decides no fact word: others come first", rows[i].name);
            if (few)
                CHECK_EQ(c.words[i], tried.words[i], "row %s: words by cases and one by one", rows[i].name);
        }
        CHECK_EQ(words, n * (UINT64_C(1) << bits_in(c.asked & ~fixed)), "%s: words counted", part_names[part]);
        CHECK(!few || tried.holes == 0, "%s: words fall through", part_names[part]);
        printf("%-6s %2u facts asked, %10" PRIu64 " fact words, each decided by a row%s\n", part_names[part],
               bits_in(c.asked), words, few ? " (also one by one)" : "");
    }
}

int main(void)
{
    rows = fl_policy_rows(&nrows);
    CHECK(nrows != 0 && nrows <= MAX_ROWS, "%zu rows", nrows);
    test_rows();
    test_uses();
    test_meanings();
    test_cover();
    return check_done("policy table");
}
