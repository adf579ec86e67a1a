/* SPDX-License-Identifier: MIT */
/* area: the part of a decision that needs the address space. Private to core/. */
#ifndef FAULTLINE_CORE_AREA_H
#define FAULTLINE_CORE_AREA_H

#include "decision.h"

/* Takes the mm lock, serves the fault from the VMAs, gives the lock back and ends the decision, whatever it came to.
 * Begins again where mm_fault answered RETRY (once), and each time that init found no memory: that ends when memory is
 * found or the VMA is gone, and not otherwise. */
void core_area(struct decision *d);

#endif
