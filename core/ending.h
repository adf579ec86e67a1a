/* SPDX-License-Identifier: MIT */
/* ending: what becomes of a fault that could not be served. All: without the mm lock. Private to core/. */
#ifndef FAULTLINE_CORE_ENDING_H
#define FAULTLINE_CORE_ENDING_H

#include "decision.h"
#include "prefetch.h"

/* Codes of SIGSEGV: include/asm-generic/siginfo.h, 2.6.25; PKUERR: 4.6 (2016). */
#define CODE_SEGV_MAPERR 1 /* nothing is mapped there */
#define CODE_SEGV_ACCERR 2 /* what is mapped does not allow the access */
#define CODE_SEGV_PKUERR 4 /* it does, but a protection key denies it */

/* Switches interrupts on, unless this decision has done so already. */
void core_interrupts_on(struct decision *d);

/* A bad access: a signal for user faults, the kernel ending for others. si_code: one of the above. pkey: the key of the
 * VMA; it is told to the task with PKUERR only. */
void core_bad_area(struct decision *d, int si_code, uint8_t pkey);

/* The page is there but cannot be had. what: FL_MM_SIGBUS, FL_MM_HWPOISON or FL_MM_HWPOISON_LARGE. */
void core_bus_error(struct decision *d, enum fl_mm_result what);

/* There was no memory, and the task is not init. */
void core_out_of_memory(struct decision *d);

/* SIGSEGV without a fault record: force_sig(). */
void core_forced_signal(struct decision *d);

/* The kernel ending: the exception table, else the prefetch test, else erratum 93, else an oops. */
void core_no_context(struct decision *d);

/* An oops, straight. */
void core_oops(struct decision *d);

/* Dies of a table that no kernel wrote. */
void core_bad_pagetable(struct decision *d);

#endif
