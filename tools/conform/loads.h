/* SPDX-License-Identifier: MIT */
#ifndef FAULTLINE_TOOLS_CONFORM_LOADS_H
#define FAULTLINE_TOOLS_CONFORM_LOADS_H

#include "report.h"

/* Notes in each V_RAN of the processor's column, in the half of an answer that names the hint elsewhere, one of enum loads.
 * cells: sorted. False: it complained; the probe is broken. */
bool loads_note(const struct column *columns, unsigned native, struct cell *cells, uint32_t ncells);

/* Of one string that ran. A probe that cannot tell, or is broken: LOADS_UNSURE. */
enum loads loads_of(struct fl_probe *p, const uint8_t bytes[STRING_BYTES], unsigned length, unsigned bits);

#endif
