/* SPDX-License-Identifier: MIT */
/* The policy table itself: well-formed, and every row can decide something that no earlier one takes. */
#include "check.h"

#include "policy/facts.h"

static const struct fl_policy_row *rows;
static size_t nrows;

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
        for (size_t j = 0; j < i; j++) {
            CHECK(strcmp(r->name, rows[j].name) != 0, "two rows are named %s", r->name);
            /* j takes all of i's cases when each thing it asks is settled the same way by i. */
            bool shadowed =
                rows[j].part == r->part && (rows[j].mask & ~r->mask) == 0 && (r->want & rows[j].mask) == rows[j].want;
            CHECK(!shadowed, "row %s never decides: %s comes first", r->name, rows[j].name);
        }
    }
}

/* Each verdict and each fact has a use. */
static void test_uses(void)
{
    uint64_t asked = F_IRQ_WAS_ON; /* read by the evaluator, for the outcome */
    bool used[V_COUNT] = {false};
    for (size_t i = 0; i < nrows; i++) {
        asked |= rows[i].mask;
        used[rows[i].verdict] = true;
    }
    CHECK_EQ(asked, (UINT64_C(1) << FL_FACT_COUNT) - 1, "facts that no row asks");
    for (unsigned v = 0; v < V_COUNT; v++)
        CHECK(used[v], "verdict %u belongs to no row", v);
}

int main(void)
{
    rows = fl_policy_rows(&nrows);
    CHECK(nrows != 0 && nrows <= 64, "%zu rows", nrows);
    test_rows();
    test_uses();
    return check_done("policy table");
}
