/* SPDX-License-Identifier: MIT */
/*
 * report: the messages of the fault handler, byte for byte as x86 kernels of 2008 word them, through ops->log. Private to
 * core/. None of these decides anything; all are called without the mm lock.
 */
#ifndef FAULTLINE_CORE_REPORT_H
#define FAULTLINE_CORE_REPORT_H

#include <faultline/core.h>

/* The line about a signal that ends the task, with the VMA at ip in 64-bit kernels. error_code: as the task will see it.
 * Calls log, and in 64-bit kernels at most once each lock_try, vma_find, lock_drop and file_name. */
void core_report_segfault(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, uint64_t error_code);

/* What an oops says before the crash handler, and after it. Calls log, read_entry and symbol; nothing at all where
 * the kernel may not print (32-bit: kernel.oops_may_print). */
void core_report_oops(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);
void core_report_oops_end(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);

/* The line about a corrupt table, and the table. Calls log and read_entry. */
void core_report_bad_pagetable(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);

/* One line each; they call log only. */
void core_report_out_of_memory(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);
void core_report_poison(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);
void core_report_erratum93(const struct fl_ops *ops, void *ctx); /* four lines */

#endif
