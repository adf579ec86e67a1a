/* SPDX-License-Identifier: MIT */
/* libFuzzer reads this section as coverage counters of our own; it clears them before each input. */
#include "target.h"

/* Aligned: libFuzzer scans them by words, but the ends byte by byte. */
__attribute__((section("__libfuzzer_extra_counters"), used, aligned(64))) static uint8_t cells[FL_TARGET_CELLS];

uint8_t *fl_engine_counters(void)
{
    return cells;
}
