/* SPDX-License-Identifier: MIT */
/* Target vmalloc: kernel accesses and sync-all under every generation of vmalloc_fault, judged by rows and by each other. */
#include "../engine/target.h"

const enum fl_target fl_this_target = FL_TARGET_VMALLOC;
