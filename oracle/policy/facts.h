/* SPDX-License-Identifier: MIT */
/*
 * The fact word: everything that a row of the policy table may ask, one bit each.
 */
#ifndef FAULTLINE_ORACLE_POLICY_FACTS_H
#define FAULTLINE_ORACLE_POLICY_FACTS_H

#include <faultline/oracle/policy.h>

/* Page-fault error code, Intel SDM vol. 3A, 4.7 and figure 4-12. */
enum {
    EC_P = 1 << 0,    /* the translation was there, the access was not permitted */
    EC_W = 1 << 1,    /* write */
    EC_U = 1 << 2,    /* user-mode access */
    EC_RSVD = 1 << 3, /* a reserved bit was set in an entry */
    EC_I = 1 << 4,    /* instruction fetch */
};

enum fl_fact {
    F_KERNEL_ADDR = 1 << 0, /* address >= task_size */
    F_P = 1 << 1,           /* error code */
    F_W = 1 << 2,
    F_U = 1 << 3,
    F_RSVD = 1 << 4,
    F_IRQ_WAS_ON = 1 << 5, /* interrupts were on where the fault came from */
    F_USER_REGS = 1 << 6,  /* the interrupted context is user mode, whatever the error code says */
    F_ATOMIC = 1 << 7,
    F_FAULTS_OFF = 1 << 8,
    F_NO_MM = 1 << 9,
    F_CONTENDED = 1 << 10, /* the first lock_try fails */
    F_VMA = 1 << 11,    /* some VMA ends above the address; the facts down to F_ANY_ACCESS are about the first such */
    F_INSIDE = 1 << 12, /* the address is inside it, not below */
    F_GROWSDOWN = 1 << 13,
    /* Of an address below a stack, else clear: */
    F_BEYOND_CUSHION = 1 << 14, /* further below the stack pointer than any instruction pushes */
    F_OVER_STACK = 1 << 15,     /* growing would exceed RLIMIT_STACK */
    F_BELOW_MIN = 1 << 16,      /* ... reach below mmap_min_addr */
    F_IN_GUARD = 1 << 17,       /* ... come too near to a mapping below that is no stack */
    F_OVER_AS = 1 << 18,        /* ... exceed RLIMIT_AS */
    F_REFUSED = 1 << 19,        /* vma_expand will refuse */
    F_WRITE = 1 << 20,          /* VMA permissions */
    F_ANY_ACCESS = 1 << 21,     /* read, write or exec */
    F_MM_MINOR = 1 << 22,       /* what mm_fault will answer: exactly one of these */
    F_MM_MAJOR = 1 << 23,
    F_MM_OOM = 1 << 24,
    F_MM_SIGBUS = 1 << 25,
    /* Worked out only when a row asks, since they cost a search or up to 15 byte reads: */
    F_EXTABLE = 1 << 26,  /* the exception table has an entry for ip */
    F_PREFETCH = 1 << 27, /* the prefetch rule says: ignore */
    F_ON_DEMAND = F_EXTABLE | F_PREFETCH,
};
#define FL_FACT_COUNT 28

/* Every fact but F_ON_DEMAND ones. *new_start [OUT] is where a stack below which the address lies would have to
 * start; the page of the address in any case. */
uint64_t fl_policy_facts(const struct fl_snapshot *s, uint64_t *new_start);

/* The exception-table entry for ip, or NULL. */
const struct fl_extable_entry *fl_policy_fixup(const struct fl_snapshot *s);

/* The interrupted context is user mode: CS.RPL 3 or virtual-8086 mode. */
bool fl_policy_user_mode(const struct fl_regs *regs);

/* Instruction byte i as the decoder of this context would fetch it. False: beyond the segment limit, or (user
 * mode) not in user space; *linear is then untouched. */
bool fl_policy_code_byte(const struct fl_snapshot *s, unsigned i, uint64_t *linear);

/* May a prefetch be the reason of this fault, by processor and error code? If not, no instruction byte is read. */
bool fl_policy_may_be_prefetch(const struct fl_snapshot *s);

/* The prefetch rule on a snapshot known to be valid. */
bool fl_policy_is_prefetch(const struct fl_snapshot *s);

/* Longest instruction: Intel SDM vol. 3A, 6.15 (#GP: "longer than 15 bytes"); AMD APM vol. 3, 1.1. */
#define FL_MAX_INSN_BYTES 15u

/* ---- what a row's verdict means
 * ---------------------------------------------------------------------------------- */

enum fl_verdict {
    V_UNSUPPORTED,
    V_BAD_PAGETABLE,
    V_BAD_EARLY,  /* bad area, decided before the lock was asked for */
    V_BAD_MAPERR, /* bad area: no mapping there */
    V_BAD_ACCERR, /* bad area: a mapping that does not permit it */
    V_GOOD_READ,
    V_GOOD_WRITE,
    V_MINOR,
    V_MAJOR,
    V_OOM_KILL,
    V_NO_CONTEXT, /* a kernel access that cannot be served */
    V_IGNORE,
    V_SIGBUS,
    V_IGNORE_USER, /* as V_IGNORE, with interrupts on */
    V_SEGV,
    V_OOPS,
    V_FIXUP,
    V_COUNT
};

#endif
