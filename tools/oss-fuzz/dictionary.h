/* SPDX-License-Identifier: MIT */
/* Dictionaries for engines that run without the structured mutator. */
#ifndef FAULTLINE_TOOLS_DICTIONARY_H
#define FAULTLINE_TOOLS_DICTIONARY_H

#include <faultline/fuzz/judge.h>
#include <stdio.h>

/* Prints a dictionary for that target in the form that libFuzzer and AFL++ read: whole records of the kinds that the target
 * judges or needs, addresses where something ends, error codes, entry bits, instructions. No entry is longer than
 * libFuzzer's 64 bytes, none comes twice, and the same tree always prints the same. */
void dictionary_print(enum fl_target target, FILE *out);

#endif
