/* SPDX-License-Identifier: MIT */
/*
 * The rows as a table: well formed, and for each generation the whole space of what its rows ask: every combination of
 * facts, possible or not, is decided, and every row decides some.
 */
#include "../check.h"

#include "sync/facts.h"

#define SH4_ROWS FL_GEN_COUNT /* the generation that fl_sync_match takes for SH4 */

static bool speaks(const struct fl_sync_row *row, unsigned generation)
{
    return generation == SH4_ROWS ? row->generations == 0 : (row->generations >> generation & 1) != 0;
}

static void well_formed(void)
{
    const struct fl_generation_row *differences;
    const struct fl_sync_row *rows;
    size_t count, ndifferences;

    rows = fl_sync_rows(&count);
    CHECK(count > 0 && count <= 120, "%zu rows", count);
    for (size_t i = 0; i < count; i++) {
        const struct fl_sync_row *r = &rows[i];

        CHECK(r->name && *r->name && !strchr(r->name, '/'), "row %zu has no name fit for a key", i);
        CHECK(r->source && *r->source, "%s has no source", r->name);
        CHECK((r->want & ~r->mask) == 0, "%s wants what it does not look at", r->name);
        CHECK(r->mask < BIT(S_SYNC_FACTS), "%s asks for facts of the comparison", r->name);
        CHECK(r->generations < 1u << FL_GEN_COUNT, "%s speaks of a generation that there is not", r->name);
        CHECK((r->generations == 0) == (strncmp(r->name, "sh4-", 4) == 0), "%s: SH4 or not?", r->name);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(r->name, rows[j].name) != 0, "%s stands twice", r->name);
    }
    differences = fl_generation_rows(&ndifferences);
    CHECK(ndifferences > 0 && ndifferences <= 60, "%zu rows", ndifferences);
    for (size_t i = 0; i < ndifferences; i++) {
        const struct fl_generation_row *r = &differences[i];

        CHECK(r->name && *r->name && !strchr(r->name, '/'), "row %zu has no name fit for a key", i);
        CHECK(r->reason && *r->reason, "%s has no reason", r->name);
        CHECK((r->want & ~r->mask) == 0, "%s wants what it does not look at", r->name);
        CHECK(r->want != 0, "%s asks nothing", r->name);
        CHECK(r->mask < BIT(S_FACT_END), "%s asks for a fact that there is not", r->name);
        CHECK(r->generations != 0 && r->generations < 1u << FL_GEN_COUNT, "%s speaks of no generation", r->name);
        CHECK(!(r->generations & 1u << FL_GEN_CURRENT), "%s: current does not differ from itself", r->name);
        CHECK(r->current && r->current < 1u << FL_TOUCH_COUNT && r->ends && r->ends < 1u << FL_TOUCH_COUNT,
              "%s has ends that there are not", r->name);
        CHECK((r->current & (r->current - 1)) || r->current != r->ends, "%s tells equal ends apart", r->name);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(r->name, differences[j].name) != 0, "%s stands twice", r->name);
    }
}

/* The cells of one mode; SH4's are those of no mode. */
static uint64_t cells_of(unsigned generation, uint64_t mode_facts, uint64_t decided[])
{
    const struct fl_sync_row *rows;
    uint64_t asked = 0, cells = 0, facts = 0;
    size_t count;

    rows = fl_sync_rows(&count);
    for (size_t i = 0; i < count; i++)
        if (speaks(&rows[i], generation))
            asked |= rows[i].mask & ~(S_WIDE | S_PAE);
    do { /* all subsets of what is asked */
        uint16_t row = fl_sync_match(generation, facts | mode_facts);

        CHECK(row < count && speaks(&rows[row], generation), "generation %u: facts %#" PRIx64 " fall through",
              generation, facts | mode_facts);
        if (row < count)
            decided[row]++;
        cells++;
        facts = (facts - asked) & asked;
    } while (facts);
    return cells;
}

static void every_cell(unsigned generation)
{
    static const uint64_t mode_facts[FL_MODE_COUNT] = {0, S_PAE, S_WIDE, S_WIDE};
    const struct fl_sync_row *rows;
    uint64_t decided[120] = {0}, cells = 0;
    size_t count;

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        if (fl_generation_exists((enum fl_mode)mode, (enum fl_generation)generation))
            cells += cells_of(generation, mode_facts[mode], decided);
    if (generation == SH4_ROWS)
        cells = cells_of(generation, 0, decided);
    rows = fl_sync_rows(&count);
    for (size_t i = 0; i < count; i++)
        CHECK(!speaks(&rows[i], generation) || decided[i], "generation %u: %s decides nothing", generation,
              rows[i].name);
    printf("%-12s %8" PRIu64 " cells\n",
           generation == SH4_ROWS ? "sh4" : fl_generation_name((enum fl_generation)generation), cells);
}

static void names(void)
{
    static const char *const generations[FL_GEN_COUNT] = {"current",   "2008-32",   "2008-64", "2014-native",
                                                          "2014-pv32", "2014-pv64", "2016"};
    /* a digit for each of: 2-level, PAE, 4-level, 5-level */
    static const char *const modes[FL_GEN_COUNT] = {"1111", "1100", "0010", "1110", "1100", "0010", "1110"};
    static const char *const ends[FL_SYNC_COUNT] = {"not-handled", "handled", "bug", "wild"};
    static const char *const touches[FL_TOUCH_COUNT] = {"done", "refused", "bug", "wild", "loop"};

    for (unsigned g = 0; g < FL_GEN_COUNT; g++) {
        CHECK(strcmp(fl_generation_name((enum fl_generation)g), generations[g]) == 0, "generation %u", g);
        for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
            CHECK(fl_generation_exists((enum fl_mode)mode, (enum fl_generation)g) == (modes[g][mode] == '1'),
                  "generation %s, mode %u", generations[g], mode);
    }
    CHECK(!fl_generation_exists(FL_MODE_COUNT, FL_GEN_CURRENT), "a mode that there is not");
    CHECK(!fl_generation_exists(FL_MODE_PAE, FL_GEN_COUNT), "a generation that there is not");
    for (unsigned e = 0; e < FL_SYNC_COUNT; e++)
        CHECK(strcmp(fl_sync_end_name((enum fl_sync_end)e), ends[e]) == 0, "end %u", e);
    for (unsigned e = 0; e < FL_TOUCH_COUNT; e++)
        CHECK(strcmp(fl_touch_end_name((enum fl_touch_end)e), touches[e]) == 0, "end %u", e);
}

int main(void)
{
    well_formed();
    names();
    for (unsigned g = 0; g <= SH4_ROWS; g++)
        every_cell(g);
    return check_done("sync-cells");
}
