/* SPDX-License-Identifier: MIT */
/*
 * What the verdicts of the table's rows mean, as data: where the fault goes on, or what becomes of it. Private to
 * oracle/.
 */
#ifndef FAULTLINE_ORACLE_POLICY_MEANING_H
#define FAULTLINE_ORACLE_POLICY_MEANING_H

#include "facts.h"

/* They add up along the way through the table. */
enum {
    M_RESTORE = 1 << 0,  /* interrupts on again where they had been on */
    M_IRQ_ON = 1 << 1,   /* ... whatever they were */
    M_LOCKED = 1 << 2,   /* the lock was had */
    M_PLACED = 1 << 3,   /* an acceptable VMA was found; a stack that had to grow has grown */
    M_ASKED = 1 << 4,    /* mm_fault is asked */
    M_RETRIED = 1 << 5,  /* it answered RETRY, */
    M_COUNTED = 1 << 6,  /* which was a major fault */
    M_WAITED = 1 << 7,   /* init waited */
    M_THREAD = 1 << 8,   /* the thread's fault record is written */
    M_SHOW_P = 1 << 9,   /* a signal shows P set */
    M_MAJOR = 1 << 10,   /* HANDLED: a major fault */
    M_PKEY = 1 << 11,    /* a signal tells the key of the VMA */
    M_LSB = 1 << 12,     /* ... and this one the size of a page */
    M_LARGE = 1 << 13,   /* ... a large one */
    M_FIXUP = 1 << 14,   /* new_ip: the exception table's */
    M_HIGH_IP = 1 << 15, /* new_ip: the address with its upper half */
    M_VSYSCALL = 1 << 16,
    M_RETURNS = 1 << 17, /* new_ip, new_sp: back to the caller of the vsyscall */
    M_DIES = 1 << 18,
    M_ASK_SIGNAL = 1 << 19, /* ratelimit is asked for the line about the signal */
    M_ASK_93 = 1 << 20,     /* ... for the warning */
    M_SAY_SIGNAL = 1 << 21, /* what is logged */
    M_SAY_93 = 1 << 22,
    M_SAY_OOM = 1 << 23,
    M_SAY_POISON = 1 << 24,
    M_TRIED = 1 << 25, /* the lock was asked for, and not had */
};

#define M_END FL_PART_COUNT

struct fl_policy_meaning {
    uint8_t next;   /* part to go on with, or M_END. From ANSWER back to AREA: another pass */
    uint8_t action; /* enum fl_action, at M_END */
    uint8_t signo;
    uint8_t si_code; /* 0: as the part before left it */
    uint32_t flags;  /* M_* */
};

/* By enum fl_verdict. */
extern const struct fl_policy_meaning fl_policy_meanings[V_COUNT];

/* Writes down what a whole trail means. */
void fl_policy_write(const struct fl_snapshot *s, const struct fl_policy_trail *trail, struct fl_expected *out);

#endif
