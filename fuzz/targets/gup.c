/* SPDX-License-Identifier: MIT */
/* Target gup: pinning user pages while others unmap, fork, split and migrate; references, permissions, copy on write. */
#include "../engine/target.h"

const enum fl_target fl_this_target = FL_TARGET_GUP;
