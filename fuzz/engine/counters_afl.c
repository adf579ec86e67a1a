/* SPDX-License-Identifier: MIT */
/*
 * AFL++ keeps one map of edge counters. The runtime hands out numbers in it to every instrumented module through the
 * sanitizer-coverage guard interface, so the decision cells ask for theirs as one more module would: the numbers are
 * then ours alone and cannot collide with an edge.
 */
#include "target.h"

#include <stdlib.h>

/* The runtime's __afl_area_ptr under a name of our own, given by the linker (meson.build): the compiler pass declares it in
 * each module that it instruments, and a second declaration makes it rename one of the two. */
extern uint8_t *fl_afl_map;
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);

static uint32_t guards[FL_TARGET_CELLS];

/* Before the fork server starts (it tells afl-fuzz how large the map is), after the runtime has set itself up. */
__attribute__((constructor(10000))) static void claim_cells(void)
{
    const char *off = getenv("FAULTLINE_CELLS");

    if (off && off[0] == '0')
        return;
    __sanitizer_cov_trace_pc_guard_init(guards, guards + FL_TARGET_CELLS);
}

uint8_t *fl_engine_counters(void)
{
    /* Consecutive numbers are the runtime's way as long as AFL_INST_RATIO does not thin them out. */
    if (guards[0] == 0 || guards[FL_TARGET_CELLS - 1] != guards[0] + FL_TARGET_CELLS - 1)
        return NULL;
    return fl_afl_map + guards[0];
}
