/* SPDX-License-Identifier: MIT */
/* message_table: the part of a report that shows table entries. Private to oracle/. */
#ifndef FAULTLINE_ORACLE_POLICY_MESSAGE_TABLE_H
#define FAULTLINE_ORACLE_POLICY_MESSAGE_TABLE_H

#include <faultline/oracle/policy.h>

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
/* Appends to e->log; what does not fit is cut off. At most 383 bytes at a time. */
void fl_message_append(struct fl_expected *e, const char *format, ...);

/* The entries on the way to s->cr2, read raw from CR3 down, with names and up to the end of the line. */
void fl_message_table(const struct fl_snapshot *s, struct fl_expected *e);

/* PAE: a leaf of any size is there for s->cr2, and its own entry forbids execution. */
bool fl_message_leaf_is_nx(const struct fl_snapshot *s, const struct fl_expected *e);

/* Is paddr the place of one of the entries that the two functions above read? */
bool fl_message_reads(const struct fl_snapshot *s, const struct fl_expected *e, uint64_t paddr);

#endif
