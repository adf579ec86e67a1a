/* SPDX-License-Identifier: MIT */
/* How a target reports a divergence and ends, so that engines tell one class of bug from another. */
#ifndef FAULTLINE_FUZZ_DIE_H
#define FAULTLINE_FUZZ_DIE_H

#include <faultline/fuzz/scenario.h>
#include <faultline/oracle/compare.h>

/* Writes the finding to stderr: a line "faultline-divergence: KEY", the detail, the record, and the whole scenario. */
void fl_report_divergence(const struct fl_divergence *d, const struct fl_scenario *s, unsigned record);

/* Traps inside functions that are named for the check and the row (trap.h): the top stack frames are the class of d. */
_Noreturn void fl_die(const struct fl_divergence *d);

#endif
