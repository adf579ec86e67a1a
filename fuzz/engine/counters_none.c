/* SPDX-License-Identifier: MIT */
/* No engine, no counters. */
#include "target.h"

uint8_t *fl_engine_counters(void)
{
    return NULL;
}
