/* SPDX-License-Identifier: MIT */
/* libFuzzer reads this section as coverage counters of our own; it clears them before each input. */
#include "target.h"

__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t cells[FL_TARGET_CELLS];

uint8_t *fl_engine_counters(void)
{
    return cells;
}
