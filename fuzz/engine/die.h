/* SPDX-License-Identifier: MIT */
/* How a target reports a divergence and ends, so that engines tell one class of bug from another. */
#ifndef FAULTLINE_FUZZ_DIE_H
#define FAULTLINE_FUZZ_DIE_H

#include <faultline/fuzz/scenario.h>
#include <faultline/oracle/compare.h>

/* Writes the finding to stderr: a line "faultline-divergence: KEY", the detail, the record, and the whole scenario. */
void fl_report_divergence(const struct fl_divergence *d, const struct fl_scenario *s, unsigned record);

/* Traps inside a function that is named for the check, so that the top stack frame is the class of the finding. */
_Noreturn void fl_die(enum fl_check check);

#endif
