/* SPDX-License-Identifier: MIT */
/*
 * A world of plain fields behind struct fl_ops. Stubs answer what their field says; recorders note each call as one
 * letter of the trace, so that a test compares the whole order of calls in one string. Failures are set, never chance:
 *
 *     struct fake k = fake_world();
 *     k.fail_lock_try = true;
 *     ... decide ...
 *     CHECK(strcmp(k.trace, "tXT...") == 0, ...);
 *
 *     i irq_enable       t lock_try (had)    f lock_try (refused)   T lock_take   d lock_drop   v vma_find
 *     e vma_expand       m mm_fault          x extable              p probe_byte  r read_entry
 */
#ifndef FAULTLINE_TESTS_CORE_FAKE_H
#define FAULTLINE_TESTS_CORE_FAKE_H

#include <faultline/core.h>

#define FAKE_ENTRIES 16
#define FAKE_BYTES   32

struct fake {
    /* stubs */
    struct {
        uint64_t paddr, value;
    } entry[FAKE_ENTRIES];
    unsigned nentries;
    uint64_t ram_end; /* read_entry at or above: no memory; below: an entry of the list, else 0 */
    bool fail_lock_try;
    bool no_vma;
    struct fl_vma vma;     /* what vma_find answers, for any address below its end */
    enum fl_status expand; /* what vma_expand answers */
    enum fl_mm_result mm;  /* what mm_fault answers */
    bool has_fixup;        /* extable answers true for any ip */
    uint64_t fixup;
    uint64_t code_at; /* linear address of code[0] */
    uint8_t code[FAKE_BYTES];
    unsigned ncode;      /* bytes past the end cannot be read */
    unsigned fail_probe; /* the probe with this index (0 = first) fails; UINT_MAX: none */
    bool user_only;      /* the bytes are readable with the user accessor only */

    /* recorders */
    char trace[64];
    unsigned ntrace;
    bool locked, misuse; /* misuse: a "lock" op without the lock, the lock twice, or dropped without it */
    uint32_t mm_generation;
    uint64_t mm_addr;
    bool mm_write;
    uint64_t expand_start;
    uint32_t expand_generation;
    uint64_t extable_ip;
    unsigned reads, probes;
    unsigned read_size;
    uint64_t probe_linear[FAKE_BYTES];
    bool probe_user[FAKE_BYTES];
};

extern const struct fl_ops fake_ops;

/* A readable, writable stack VMA at 0x7ff000..0x800000, everything succeeds, no code bytes, no exception table. */
struct fake fake_world(void);

/* A user-mode write fault on that VMA in a 64-bit kernel on an AMD K8: decided as HANDLED. */
struct fl_fault fake_fault(void);

/* fake_ops with NULL in the place of op number i, i < FAKE_OPS. */
#define FAKE_OPS 10u
struct fl_ops fake_ops_without(unsigned i);

#endif
