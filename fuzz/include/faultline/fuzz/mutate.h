/* SPDX-License-Identifier: MIT */
/*
 * The structured mutator that both engines share. It works on the binary form of scenarios record by record and decodes
 * only what it changes. Deterministic in its arguments, no allocation, no state, never fails.
 */
#ifndef FAULTLINE_FUZZ_MUTATE_H
#define FAULTLINE_FUZZ_MUTATE_H

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/scenario.h>

/* Changes data[0..size) in place and answers the new size: at most max_size and FL_SCENARIO_MAX_BYTES, and at least
 * FL_MACHINE_BYTES where max_size permits it. data has room for max_size bytes. Any input will do, the empty one too.
 *
 * Canonical input gives canonical output (fl_scenario_encode(fl_scenario_decode(x)) == x). In other input what is
 * touched, the machine or a record, becomes canonical, a partial machine or last record becomes a whole one, and what
 * lies behind the last record is dropped. With max_size below FL_MACHINE_BYTES the result is the beginning of a machine.
 *
 * target says which events are worth making; FL_TARGET_ALL makes those of all targets. */
size_t fl_mutate(uint8_t *data, size_t size, size_t max_size, uint32_t seed, enum fl_target target);

/* Makes out[0 .. answer) out of two inputs: one's machine, and runs of records of both. The same rules for sizes and
 * canonical form. out has room for max_size bytes and overlaps neither input. */
size_t fl_crossover(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max_size,
                    uint32_t seed);

#endif
