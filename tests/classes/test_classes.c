/* SPDX-License-Identifier: MIT */
/*
 * No two divergence classes may look like one bug to ClusterFuzz. It keeps three frames of a stack, leaves out what it
 * takes for plumbing, and calls two of these states similar if they have two lines in common, in order, or if their lines
 * are alike by more than 0.8 on the average, where two lines are alike by (sum of lengths - edit distance) / sum of lengths.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#define LINES     3
#define MAX_CHARS 80 /* longer lines are cut off */
#define THRESHOLD 0.8

struct state {
    const char *line[LINES];
    unsigned n;
};

static const struct state states[] = {
#define FL_CLASS(name, second, third) {{"die_" #name, #second, #third}, LINES},
#include "engine/classes.def"
#undef FL_CLASS
};
#define STATES (sizeof states / sizeof states[0])

/* What its list of plumbing begins with, as far as names like ours could. */
static const char *const ignored[] = {"abort", "asan_",      "calloc",  "common_exit", "delete", "exit",
                                      "free",  "g_log",      "main",    "malloc",      "mem",    "new",
                                      "New",   "panic",      "realloc", "scanf",       "str",    "_",
                                      "LLVM",  "object_err", "dump_",   "raise",       "print_", "show_"};

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[MAX_CHARS + 1], na = (unsigned)strlen(a), nb = (unsigned)strlen(b);

    for (unsigned j = 0; j <= nb; j++)
        row[j] = j;
    for (unsigned i = 0; i < na; i++) {
        unsigned corner = row[0]++;

        for (unsigned j = 0; j < nb; j++) {
            unsigned above = row[j + 1];

            row[j + 1] = least(least(row[j], above) + 1, corner + (a[i] != b[j]));
            corner = above;
        }
    }
    return row[nb];
}

static double alike(const char *a, const char *b)
{
    double sum = (double)(strlen(a) + strlen(b));

    return (sum - edit_distance(a, b)) / sum;
}

/* Lines in common, in order. */
static unsigned in_common(const struct state *a, const struct state *b)
{
    unsigned table[LINES + 1][LINES + 1] = {{0}};

    for (unsigned i = 0; i < a->n; i++)
        for (unsigned j = 0; j < b->n; j++)
            table[i + 1][j + 1] = strcmp(a->line[i], b->line[j]) == 0 ? table[i][j] + 1
                                  : table[i][j + 1] > table[i + 1][j] ? table[i][j + 1]
                                                                      : table[i + 1][j];
    return table[a->n][b->n];
}

static double average(const struct state *a, const struct state *b)
{
    unsigned n = least(a->n, b->n);
    double sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += alike(a->line[i], b->line[i]);
    return sum / n;
}

static bool one_bug(const struct state *a, const struct state *b)
{
    return in_common(a, b) >= 2 || average(a, b) > THRESHOLD;
}

/* What this test is for: the name of the class alone is not enough, nor is it with a frame that all share. */
static void names_alone(void)
{
    const struct state a = {{"die_decision__vma_not_writable"}, 1}, b = {{"die_decision__vma_not_readable"}, 1};
    const struct state c = {{"die_walk", "fl_die"}, 2}, d = {{"die_lock", "fl_die"}, 2};
    const struct state e = {{"die_sync__x", "f", "g"}, 3}, f = {{"quite_different", "f", "g"}, 3};

    CHECK(one_bug(&a, &b), "like names");
    CHECK(one_bug(&c, &d), "like names and a frame in common");
    CHECK(one_bug(&e, &f), "two frames in common");
    CHECK_EQ(edit_distance("kitten", "sitting"), 3, "the textbook's pair");
    CHECK_EQ(edit_distance("", "abc"), 3, "nothing against three");
}

int main(void)
{
    const char *const kinds[] = {"die_decision", "die_sync__", "die_table_read__place", "die_generation__2016"};
    unsigned pairs = 0, found = 0;
    double worst = 0;

    names_alone();
    CHECK(STATES > 200, "only %zu classes", STATES);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (size_t i = 0; i < STATES; i++)
            if (strncmp(states[i].line[0], kinds[k], strlen(kinds[k])) == 0) {
                found++;
                break;
            }
    CHECK_EQ(found, sizeof kinds / sizeof kinds[0], "kinds of classes that must be there");
    for (size_t i = 0; i < STATES; i++) {
        for (unsigned n = 0; n < LINES; n++) {
            const char *line = states[i].line[n];

            CHECK(strlen(line) < MAX_CHARS, "%s is cut off", line);
            CHECK(!strstr(line, "assert") && !strstr(line, "logger"), "%s is taken for plumbing", line);
            for (size_t k = 0; k < sizeof ignored / sizeof ignored[0]; k++)
                CHECK(strncmp(line, ignored[k], strlen(ignored[k])) != 0, "%s is taken for plumbing", line);
        }
        for (size_t j = 0; j < i; j++, pairs++) {
            double how = average(&states[i], &states[j]);

            if (how > worst)
                worst = how;
            CHECK(!one_bug(&states[i], &states[j]), "%s and %s are one bug to ClusterFuzz (%.3f)", states[i].line[0],
                  states[j].line[0], how);
        }
    }
    printf("%zu classes, %u pairs; the two that are most alike: %.3f of at most %.1f\n", STATES, pairs, worst,
           THRESHOLD);
    return check_done("classes");
}
