/* SPDX-License-Identifier: MIT */
/*
 * message: what the handler is to log, written out with the C library from the kernels' format strings. Each function
 * appends to e->log and e->nlog; what does not fit is cut off. Private to oracle/.
 */
#ifndef FAULTLINE_ORACLE_POLICY_MESSAGE_H
#define FAULTLINE_ORACLE_POLICY_MESSAGE_H

#include <faultline/oracle/policy.h>

/* The line about a signal that ends the task. error_code: as the task sees it. Sets e->report_tried and
 * e->report_lock where the lock is to be tried for and had, for the VMA at ip. */
void fl_message_segfault(const struct fl_snapshot *s, uint64_t error_code, struct fl_expected *e);

/* Report, FL_LOG_DIE, and what follows it. Table entries are read through s->read, with the writes of e->sync laid over
 * them where they are not queued (s->lazy_mmu and no flush). */
void fl_message_oops(const struct fl_snapshot *s, struct fl_expected *e);
void fl_message_bad_pagetable(const struct fl_snapshot *s, struct fl_expected *e);

void fl_message_out_of_memory(const struct fl_snapshot *s, struct fl_expected *e);
void fl_message_poison(const struct fl_snapshot *s, struct fl_expected *e);
void fl_message_erratum93(const struct fl_snapshot *s, struct fl_expected *e);

#endif
