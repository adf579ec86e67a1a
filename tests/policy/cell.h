/* SPDX-License-Identifier: MIT */
/*
 * The cells of the exhaustive test: a situation each, whose decision is held against the reference's, and whose right
 * answer must pass the comparer. Counted: cells, decisions of each row, and the fact words of each part that were met.
 */
#ifndef FAULTLINE_TESTS_POLICY_CELL_H
#define FAULTLINE_TESTS_POLICY_CELL_H

#include "situation.h"

void cells_begin(void);
/* Runs one family of cells and says how many there are; it must have some. */
void cells_run(const char *name, void (*run)(bool full), bool full);
void cell_check(const struct choices *c);
/* Every row must have decided a cell. Answers the exit status. list: prints the decisions of each row. */
int cells_done(bool list);

#endif
