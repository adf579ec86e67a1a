/* SPDX-License-Identifier: MIT */
/* errata: faults that processors should not have raised (but for that of the prefetch: prefetch.h). Private to core/. */
#ifndef FAULTLINE_CORE_ERRATA_H
#define FAULTLINE_CORE_ERRATA_H

#include "decision.h"

/* AMD K8 erratum 93: the upper half of a kernel ip was lost on the way out of SMM. True: the decision is ERRATUM93. Calls
 * ratelimit and log, each only then. */
bool core_erratum93(struct decision *d);

/* AMD K8 erratum 100: in compatibility mode the address of a fault may have junk above bit 31. True: the decision is
 * IGNORED. Calls no op. Only for faults with USER. */
bool core_erratum100(struct decision *d);

/* Pentium F0 0F C7 C8 workaround: the entry of the interrupt table for invalid opcodes lies in a page that cannot be
 * accessed. True: the decision is INVALID_OP. Calls no op. Only for faults without USER. */
bool core_f00f(struct decision *d);

#endif
