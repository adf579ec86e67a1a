/* SPDX-License-Identifier: MIT */
/*
 * The parts of the comparison of one fault decision, in the order in which fl_compare_fault() asks them. Each answers
 * true for a difference, *d [OUT]. Private to oracle/.
 */
#ifndef FAULTLINE_ORACLE_COMPARE_RULES_H
#define FAULTLINE_ORACLE_COMPARE_RULES_H

#include <faultline/oracle/compare.h>

/* Rules that hold whatever is decided: the ops' contract, the locks, the order of calls, table reads. */
bool fl_compare_rules(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                      struct fl_divergence *d);
/* ... and the bound on instruction bytes. */
bool fl_compare_bound(const struct fl_snapshot *s, const struct fl_effects *e, struct fl_divergence *d);

/* What the synchronisation with the reference tables came to, as the outcome tells. */
bool fl_compare_sync_end(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                         struct fl_divergence *d);
/* What it wrote, and that nobody was asked for a lock or told of it. */
bool fl_compare_sync_effects(const struct fl_expected *want, const struct fl_outcome *got, const struct fl_effects *e,
                             struct fl_divergence *d);

/* The outcome: what was decided, and the fields that no signal shows. */
bool fl_compare_decision(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                         const struct fl_effects *e, struct fl_divergence *d);

/* What a signal and the thread's fault record may hold, by the core's outcome alone; then against the policy's. */
bool fl_compare_signal(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                       struct fl_divergence *d);

/* The crash handler, whose place in the log the message has as well. */
bool fl_compare_die(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                    struct fl_divergence *d);

bool fl_compare_message(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_effects *e,
                        struct fl_divergence *d);

/* Everything else that was done through ops. */
bool fl_compare_effects(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                        const struct fl_effects *e, struct fl_divergence *d);

/* ---- what they share ---- */

/* Is it in user space, with interrupts on where it came from? Then they are switched on before the lock is asked for. */
bool fl_compare_irq_restored(const struct fl_snapshot *s);

/* The fault, and the rows that decided it with their sources, for details. Cut off where too long. */
void fl_compare_describe(const struct fl_snapshot *s, const struct fl_expected *want, char *buf, size_t size);
#define FL_COMPARE_ABOUT 400

/* "never", "once", "twice" ...; "again" where it was more often than want. */
const char *fl_compare_times(unsigned n, unsigned want);

/* The contract of ops->ldt is broken. */
void fl_compare_ldt(const struct fl_snapshot *s, struct fl_divergence *d);

/* The row of the decision, for keys. */
const char *fl_compare_row(const struct fl_expected *want);

/* The first difference of two texts, readable: where it is and what stands there on both sides. */
void fl_compare_show_text(const char *want, unsigned nwant, const char *got, unsigned ngot, char *buf, size_t size);

#endif
