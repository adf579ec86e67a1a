/* SPDX-License-Identifier: MIT */
/* Pieces of rows that the machine's vocabulary and that of the records share. */
#ifndef FL_SCENARIO_VOCABULARY_H
#define FL_SCENARIO_VOCABULARY_H

#include "internal.h"

static const struct fl_word code_sizes[] = {{"16", 16}, {"32", 32}, {"64", 64}, {NULL, 0}};
static const struct fl_word privileges[] = {{"user", 1}, {"kernel", 0}, {NULL, 0}};

#define BELOW_4G  "a number below 4 GiB in modes 2level and pae"
#define FLAG_RULE "flags with bit 1 set, and VM (0x20000) only for user code in modes 2level and pae"
#define BITS_RULE "16 or 32 in modes 2level and pae"

#define FIELD(where, member) .offset = offsetof(where, member), .width = sizeof(((where *)NULL)->member)
#define ANY64                .max = UINT64_MAX
#define ANY32                .max = UINT32_MAX

#endif
