/* SPDX-License-Identifier: MIT */
/*
 * Situations for the policy tests: a handful of choices, and the snapshot that makes them true.
 *
 *      0x100000    0x110000             0x400000        0x420000
 *   ------[ below, a file ]------- gap -----[ the VMA ]-----------------
 *                                   ^ 0x3f0123 grows   ^ 0x400123 inside    ^ 0x500123 nothing
 */
#ifndef FAULTLINE_TESTS_POLICY_SITUATION_H
#define FAULTLINE_TESTS_POLICY_SITUATION_H

#include <faultline/oracle/policy.h>

/* Error code, Intel SDM vol. 3A, 4.7. */
enum { P = 1, W = 2, U = 4, RSVD = 8, I = 16 };

enum regs { KERNEL, USER, VM86, REGS_COUNT };
enum { ATOMIC = 1, FAULTS_OFF = 2, NO_MM = 4 };
enum layout { INSIDE, INSIDE_STACK, BELOW, BELOW_STACK, NOTHING, KERNEL_ADDRESS };
enum { CUSHION = 1, RLIMIT = 2, MIN_ADDR = 4, GUARD = 8, AS_LIMIT = 16, REFUSED = 32, GROWTH_ALL = 63 };
enum { R = 1, WR = 2, X = 4 };
/* At ip: a prefetch on a processor with the erratum, or not one, or one whose fault is not to be ignored. */
enum bytes { OTHER, PREFETCH, PREFETCH_INTEL, PREFETCH_AMD5, UNREADABLE, BYTES_COUNT };

struct choices {
    uint8_t word; /* 4 or 8 */
    uint8_t code; /* P | W | U | RSVD | I */
    uint8_t regs;
    bool if_on;
    uint8_t task; /* ATOMIC | FAULTS_OFF | NO_MM */
    bool contended, extable;
    uint8_t layout;
    uint8_t growth; /* what speaks against growing: CUSHION | ... */
    uint8_t prot;   /* R | WR | X */
    uint8_t mm;     /* enum fl_mm_result */
    uint8_t bytes;
};

struct situation {
    struct fl_snapshot s;
    struct fl_vma vmas[3];
    struct fl_extable_entry extable[2];
    uint8_t code[15];
    size_t ncode;
    uint64_t code_at;
    unsigned reads, wrong_reads; /* byte callbacks; those with the wrong accessor */
};

#define FIXUP_IP UINT64_C(0x87654000)

/* The snapshot of c; it points into *t. */
void situation_make(struct situation *t, const struct choices *c);

/* What the rules in plain control flow say of c, as names of rows (NULL: part not reached) and an expectation without
 * rows. Works on the choices alone: no address arithmetic, no fact word, no table. */
struct reference {
    const char *row[FL_PART_COUNT];
    struct fl_expected want;
};
void situation_reference(const struct situation *t, const struct choices *c, struct reference *r);

#endif
