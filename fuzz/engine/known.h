/* SPDX-License-Identifier: MIT */
/*
 * Divergence keys that a campaign has already: FAULTLINE_KNOWN names a file with one on each line. A target that meets one
 * of them goes on, so that a bug which every second input shows does not stand in front of the next one.
 */
#ifndef FAULTLINE_FUZZ_KNOWN_H
#define FAULTLINE_FUZZ_KNOWN_H

#include <faultline/oracle/compare.h>
#include <stdbool.h>

/* Is d's key in the file? The file is looked at again when it has changed, so that keys may be added while targets run.
 * None named, or not there: false. */
bool fl_known_key(const struct fl_divergence *d);

#endif
