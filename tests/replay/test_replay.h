/* SPDX-License-Identifier: MIT */
/* What the two halves of the replay test share. */
#ifndef FAULTLINE_TESTS_REPLAY_H
#define FAULTLINE_TESTS_REPLAY_H

#include "replay/replay.h"

/* A fault that is handled, one without a VMA, fifteen prefixes. */
extern const char handled[], no_vma[], prefixes[];

/* Parses a text that has to be right. */
const struct fl_scenario *scenario(const char *text);
/* A replayer that has to open; core NULL: this tree's. */
struct replayer *open_core(const char *core, unsigned seconds);

/* The process around the judge: descriptors, children, signals. folder: where the plug-ins are. Answers what it compared. */
void test_process(const char *hang_core, uint64_t *compared, uint64_t *failed);

#endif
