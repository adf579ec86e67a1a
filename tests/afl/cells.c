/* SPDX-License-Identifier: MIT */
/*
 * Decision cells and edges share AFL++'s one map: this program is built like a target and holds the numbers of its own
 * edges against those that the cells were given. No number may be in both, and the map must hold them all.
 */
#include "../../fuzz/engine/target.h"
#include "../check.h"

const enum fl_target fl_this_target = FL_TARGET_WALK;

/* The section in which the compiler keeps the guards of this module's edges, under names that the linker gives
 * (meson.build): the compiler pass declares the usual ones itself. */
extern uint32_t fl_guards_start[], fl_guards_stop[];
/* The runtime's map: see counters_afl.c. */
extern uint8_t *fl_afl_map;
extern uint32_t __afl_map_size;

/* libAFLDriver brings main(); it calls this before anything else. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    uint8_t *cells = fl_engine_counters();
    uint32_t first, edges = 0;

    (void)argc, (void)argv;
    CHECK(cells != NULL, "the cells have no place in the map");
    if (cells) {
        first = (uint32_t)(cells - fl_afl_map);
        for (const uint32_t *g = fl_guards_start; g < fl_guards_stop; g++) {
            /* 0 and 1 are the runtime's own "no counter". */
            if (*g <= 1)
                continue;
            edges++;
            CHECK(*g < first || *g >= first + FL_TARGET_CELLS, "edge %u lies among the cells %u..%u", *g, first,
                  first + FL_TARGET_CELLS - 1);
        }
        CHECK(edges > 0, "this module has no edges: it was not instrumented");
        CHECK(__afl_map_size == 0 || first + FL_TARGET_CELLS <= __afl_map_size,
              "the map of %u bytes ends before cell %u", __afl_map_size, first + FL_TARGET_CELLS - 1);
    }
    exit(check_done("afl-cells"));
}
