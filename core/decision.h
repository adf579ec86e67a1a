/* SPDX-License-Identifier: MIT */
/* decision: what the parts of one fault decision share. Private to core/. */
#ifndef FAULTLINE_CORE_DECISION_H
#define FAULTLINE_CORE_DECISION_H

#include <faultline/core.h>

/*
 * Three kinds of fault:
 *   user      USER is set in the error code.
 *   kernel    USER is clear and the registers are kernel mode.
 *   implicit  USER is clear and the registers are user mode: the processor read a descriptor table or the TSS on behalf
 *             of user code. It may find its page like a kernel access. If it cannot, nothing the task or the exception
 *             table says can help: no fix-up, no prefetch test, no erratum 93, no signal: an oops (5.12,
 *             arch/x86/mm/fault.c, 2021).
 */
struct decision {
    const struct fl_fault *fault;
    const struct fl_ops *ops;
    void *ctx;
    bool user; /* see the kinds above */
    bool implicit;
    bool wide;           /* a 64-bit kernel */
    bool kernel_address; /* CR2 is not in user space */
    struct fl_outcome out;
};

#endif
