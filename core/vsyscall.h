/* SPDX-License-Identifier: MIT */
/* vsyscall: calls into the page at a fixed kernel address that old C libraries make. Private to core/. */
#ifndef FAULTLINE_CORE_VSYSCALL_H
#define FAULTLINE_CORE_VSYSCALL_H

#include "decision.h"

/* Emulates the call if the fault is one: a fetch by 64-bit user code from that page. True: the decision is made,
 * EMULATED, or a SIGNAL without a fault record (no such entry, no stack, a bad pointer). False: it is a fault like
 * others. Calls irq_enable, ldt, user_word, vsyscall, each at most once, in that order, and none for a fault outside
 * that page. */
bool core_vsyscall(struct decision *d);

#endif
