/* SPDX-License-Identifier: MIT */
/*
 * What a C program about a finding holds: one call of the core, the little world that answers its ops, and what is
 * expected of the call. Stands in front of the data in every such program; needs the core's public headers alone.
 */
#ifndef FAULTLINE_EXPLAIN_PROGRAM_TYPES_H
#define FAULTLINE_EXPLAIN_PROGRAM_TYPES_H

#include <faultline/core.h>

#include <stdio.h>

enum repro_call { REPRO_WALK, REPRO_PREFETCH, REPRO_FAULT, REPRO_INTERFERENCE, REPRO_SYNC_ALL, REPRO_P3_SYNC };

/* One table entry in memory. elsewhere: no walk has an entry there, so that reading it is wrong. no_memory: there is none. */
struct repro_entry {
    uint64_t paddr, value;
    uint8_t size;
    bool elsewhere, no_memory;
};

struct repro_byte { /* one instruction byte that can be read with that accessor */
    uint64_t linear;
    bool user;
    uint8_t byte;
};

struct repro_pair { /* an exception-table entry (ip, fix-up), a word of user memory (address, value) */
    uint64_t at, value;
};

struct repro_write { /* of a table entry */
    uint64_t paddr, value;
    uint8_t size, how; /* enum fl_set */
};

struct repro {
    enum repro_call call;

    /* the question */
    struct fl_fault fault; /* WALK: its cpu; SYNC_ALL: its cpu and kernel */
    uint64_t va;           /* WALK, P3_SYNC */
    struct fl_access access;
    struct fl_sync_state state; /* SYNC_ALL */
    struct fl_sh4 sh4;          /* P3_SYNC */

    /* the world */
    const struct repro_entry *entries; /* what memory holds; the rest of a table reads as 0 */
    size_t nentries;
    const uint64_t *tables; /* physical addresses of pages that are tables */
    size_t ntables;
    bool lazy_mmu;
    const struct fl_vma *vmas; /* sorted */
    size_t nvmas;
    const struct repro_pair *extable, *words;
    size_t nextable, nwords;
    const uint64_t *ldt; /* fault.task.ldt_entries */
    const struct repro_byte *bytes;
    size_t nbytes;
    const char *symbol; /* of fault.regs.ip; NULL: there is none */
    const char *files[4];
    uint64_t pgd[4]; /* the list of page tables */
    unsigned npgds;
    bool kprobe_claims, lock_contended, report_contended, expand_refused, fatal_signal, vsyscall_fails, ratelimited[2];
    uint8_t mm_result[4]; /* what mm_fault answers, call by call */
    enum { REPRO_YIELD_NOTHING, REPRO_YIELD_UNMAP, REPRO_YIELD_PROTECT } yield; /* what others do to the VMA then */

    /* what is expected */
    bool gp, bus, faults; /* WALK: #GP, no memory, #PF with code */
    uint32_t code;
    uint8_t level;
    uint64_t entry;
    uint8_t page_shift; /* 0: no leaf is reached */
    uint8_t pkey;
    uint64_t paddr;
    bool writable, user, nx, accessed, dirty;
    bool ignore;     /* PREFETCH */
    bool may_probe;  /* instruction bytes may be read, with the accessor of */
    bool probe_user; /* ... user code, at most 15, at */
    const uint64_t *window;
    size_t nwindow;
    struct fl_outcome outcome; /* FAULT */
    unsigned kprobes, mm_calls, yields, fatal_asks, vsyscalls, vsyscall_nr;
    uint8_t mm_flags[4];
    bool grows, dies;
    uint64_t new_start;
    bool irq_restore; /* interrupts are switched on before the lock is asked for, not after it */
    unsigned lock_tries, lock_waits, lock_gets, report_tries, report_gets, limits[2];
    uint8_t die;
    const char *log;
    size_t nlog;
    enum fl_sync_end end; /* SYNC_ALL, P3_SYNC */
    const struct repro_write *writes;
    size_t nwrites;
    bool flush, warn, silent; /* silent: neither log nor lock */
    bool bounded;             /* at most 64 table reads */
    bool irqsave;             /* SYNC_ALL: pgd_lock is taken with interrupts off */
    struct fl_sync_state state_after;
};

/* Makes the call, and writes what is not as expected to out. Answers how many facts that are. */
unsigned repro_run(const struct repro *r, const struct fl_core *core, FILE *out);

#endif
