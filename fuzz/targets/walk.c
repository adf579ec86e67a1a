/* SPDX-License-Identifier: MIT */
/* Target walk: tables and accesses; core walk, arch walk and executor must agree. */
#include "../engine/target.h"

const enum fl_target fl_this_target = FL_TARGET_WALK;
