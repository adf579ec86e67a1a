/* SPDX-License-Identifier: MIT */
/* segment: the code segment of the interrupted context, from its selector, the LDT and what the processor cached. Private
 * to oracle/. */
#ifndef FAULTLINE_ORACLE_POLICY_SEGMENT_H
#define FAULTLINE_ORACLE_POLICY_SEGMENT_H

#include <faultline/oracle/policy.h>

/* False: a selector beyond the LDT, through which no byte can be read. */
bool fl_policy_code_segment(const struct fl_snapshot *s, struct fl_codeseg *seg);

#endif
