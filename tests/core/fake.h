/* SPDX-License-Identifier: MIT */
/*
 * A world of plain fields behind struct fl_ops. Stubs answer what their field says; recorders note each call as one
 * letter of the trace, so that a test compares the whole order of calls in one string. Failures are set, never chance:
 *
 *     struct fake k = fake_world();
 *     k.refuse_try = 1;
 *     ... decide ...
 *     CHECK(strcmp(k.trace, "ifTvmd") == 0, ...);
 *
 *     tables      r read_entry    w write_entry, plain    P ... PMD hook       G ... PGD hook     F flush_lazy
 *                 N warn_nmi      ( pgd_lock              ) pgd_unlock         n pgd_next
 *     context     k kprobe        p probe_byte            L ldt                i irq_enable       x extable
 *     memory      t lock_try      f lock_try (refused)    T lock_take          d lock_drop        v vma_find
 *                 e vma_expand    m mm_fault              y yield              s fatal_signal     u user_word
 *                 V vsyscall
 *     reports     R ratelimit     S symbol                A file_name          D die
 *                 l log; calls that follow each other directly are one letter, since a line may be logged in pieces
 */
#ifndef FAULTLINE_TESTS_CORE_FAKE_H
#define FAULTLINE_TESTS_CORE_FAKE_H

#include <faultline/core.h>

#define FAKE_ENTRIES 1024
#define FAKE_BYTES   32
#define FAKE_MM      8
#define FAKE_WRITES  64
#define FAKE_READS   64
#define FAKE_PGDS    8
#define FAKE_LDT     8
#define FAKE_LOG     2048

/* What the crash handler leaves in the log. */
#define FAKE_DIE "{die}\n"

struct fake_entry {
    uint64_t paddr, value;
};

struct fake_write {
    uint64_t paddr, value;
    unsigned size;
    enum fl_set how;
};

struct fake {
    /* ---- stubs: tables ---- */
    struct fake_entry
        entry[FAKE_ENTRIES]; /* what is in memory (the last of two for an address counts); all else reads as 0 */
    unsigned nentries;
    uint64_t ram_end;            /* no memory at or above it ... */
    uint64_t hole, hole_end;     /* ... and in [hole, hole_end) */
    uint64_t read_only, rom_end; /* [read_only, rom_end) is read, but write_entry answers false */
    bool lazy;                   /* writes through a hook are queued until flush_lazy */
    uint64_t pgd[FAKE_PGDS];     /* the list of page tables */
    unsigned npgds;

    /* ---- stubs: the interrupted context ---- */
    bool kprobe_claims;
    uint64_t code_at; /* linear address of code[0] */
    uint8_t code[FAKE_BYTES];
    unsigned ncode;      /* bytes past the end cannot be read */
    unsigned fail_probe; /* the probe with this index (0 = first) fails; UINT_MAX: none */
    bool user_only;      /* the bytes are readable with the user accessor only */
    uint64_t ldt[FAKE_LDT];
    unsigned ldt_first; /* ldt[0] is the descriptor with this index */
    bool has_fixup;     /* extable answers true: */
    uint64_t fixup_at;  /* ... for this ip; 0: for any */
    uint64_t fixup;

    /* ---- stubs: the address space ---- */
    unsigned refuse_try; /* bit i: the lock_try with index i (0 = first) is refused */
    bool no_vma;
    struct fl_vma vma;                /* the VMA of the fault */
    struct fl_vma code_vma;           /* one more, for reports; end 0: there is none */
    enum fl_status expand;            /* what vma_expand answers */
    enum fl_mm_result mm[FAKE_MM];    /* what mm_fault answers, call by call */
    unsigned nmm;                     /* answers in mm[]; from then on the last one again */
    const struct fl_vma *after_yield; /* not NULL: the VMA that yield leaves; end 0: none */
    const struct fl_vma *after_retry; /* ... that an mm_fault with RETRY leaves */
    bool fatal;                       /* a fatal signal is pending */
    uint64_t word_at, word;           /* the one readable user word, and where it is */
    bool has_word;
    bool vsyscall_fails;

    /* ---- stubs: reports ---- */
    bool limited[FL_LIMIT_COUNT]; /* that report may not be made */
    const char *symbol;           /* NULL: none */
    const char *file;

    /* ---- recorders ---- */
    char trace[512];
    unsigned ntrace;
    const char *misuse; /* the first op that was called where it may not be; NULL: none */
    bool locked, pgd_locked, irqs_on;
    bool pgd_irqsave; /* of the last pgd_lock */
    struct fake_write write[FAKE_WRITES];
    unsigned nwrites, nflushes;
    struct fake_write queue[FAKE_WRITES];
    unsigned nqueue;
    uint64_t read_paddr[FAKE_READS];
    unsigned reads, probes, read_size;
    uint64_t probe_linear[FAKE_BYTES];
    bool probe_user[FAKE_BYTES];
    unsigned ldt_index;
    uint64_t extable_ip;
    unsigned tries;
    uint64_t found; /* address of the last vma_find */
    uint64_t expand_start;
    uint32_t expand_generation;
    unsigned mm_calls;
    uint32_t mm_generation; /* of the last mm_fault */
    uint64_t mm_addr;
    unsigned mm_flags[FAKE_MM];
    uint64_t word_asked;
    unsigned vsyscall_nr;
    unsigned limit_asked[FL_LIMIT_COUNT];
    char log[FAKE_LOG]; /* terminated; FAKE_DIE where die was called */
    size_t nlog;
    uint64_t symbol_ip;
    uint8_t file_asked;
    enum fl_die die_what;
    uint64_t die_code;
};

extern const struct fl_ops fake_ops;

/* A readable, writable stack VMA at 0x7ff000..0x800000, everything succeeds; no tables but zero entries, no code bytes,
 * no exception table, no LDT, no further VMA, nothing in the user's memory. */
struct fake fake_world(void);

/* Forgets what was recorded, and what is queued; the stubs (and the state of the lock) stay. */
void fake_forget(struct fake *k);

/* The entry at paddr as memory has it (queued writes not carried out). */
uint64_t fake_entry(const struct fake *k, uint64_t paddr);
/* Sets it, without a trace. */
void fake_set_entry(struct fake *k, uint64_t paddr, uint64_t value);

/* A user-mode write fault on that VMA in a 64-bit kernel (4 levels, every feature that has a switch off, generation
 * CURRENT) on an AMD K8, task 42 "a.out": decided as HANDLED. */
struct fl_fault fake_fault(void);

/* The same in a 32-bit kernel: mode is FL_MODE_2LEVEL or FL_MODE_PAE; 3 GiB of user space, vmalloc from 0xf8000000 to
 * 0xff800000, flat 32-bit code. */
struct fl_fault fake_fault32(enum fl_mode mode);

/* fake_ops with NULL in the place of op number i, i < FAKE_OPS. */
#define FAKE_OPS ((unsigned)(sizeof(struct fl_ops) / sizeof(void (*)(void))))
struct fl_ops fake_ops_without(unsigned i);

#endif
