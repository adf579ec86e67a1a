/* SPDX-License-Identifier: MIT */
/* Target fault: raw and executed page faults; the core's decisions against the decision table and the invariants. */
#include "../engine/target.h"

const enum fl_target fl_this_target = FL_TARGET_FAULT;
