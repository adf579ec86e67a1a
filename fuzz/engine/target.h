/* SPDX-License-Identifier: MIT */
/* What a fuzz target is: a name. Everything else is in the shared entry point (entry.c), whatever the engine. */
#ifndef FAULTLINE_FUZZ_TARGET_H
#define FAULTLINE_FUZZ_TARGET_H

#include <faultline/fuzz/judge.h>

extern const enum fl_target fl_this_target;

/* meson.build says which cells the target can reach: FL_TARGET_FIRST, and FL_TARGET_CELLS of them. */

/* The engine's coverage counters for those cells: FL_TARGET_CELLS bytes, or NULL. May change between executions. */
uint8_t *fl_engine_counters(void);

#endif
