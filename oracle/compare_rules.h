/* SPDX-License-Identifier: MIT */
#ifndef FAULTLINE_ORACLE_COMPARE_RULES_H
#define FAULTLINE_ORACLE_COMPARE_RULES_H

#include <faultline/oracle/compare.h>

/* The rules that hold whatever is decided, for a fault that is (want->supported). True: one is broken, *d [OUT]. */
bool fl_compare_rules(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                      struct fl_divergence *d);

#endif
