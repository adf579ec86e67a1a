/* SPDX-License-Identifier: MIT */
/* Target prefetch: instruction bytes; the core's prefetch decoder against the rule, the rule against disassemblers. */
#include "../engine/target.h"

const enum fl_target fl_this_target = FL_TARGET_PREFETCH;
