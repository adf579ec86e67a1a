/* SPDX-License-Identifier: MIT */
/*
 * Situations for the policy tests: a handful of choices, and the snapshot that makes them true. What is not chosen is
 * zero and means the plain case.
 *
 *      0x100000    0x110000             0x400000        0x420000   0x428000
 *   ------[ below, a file ]------- gap -----[ the VMA ]-----[ above ]------------------
 *                                   ^ 0x3f0123 grows   ^ 0x400123 inside        ^ 0x500123 nothing
 *
 * The kernel half: the vmalloc range begins at task_size; behind it lie the interrupt table and the vsyscall page.
 */
#ifndef FAULTLINE_TESTS_POLICY_SITUATION_H
#define FAULTLINE_TESTS_POLICY_SITUATION_H

#include <faultline/oracle/policy.h>

/* Error code, Intel SDM vol. 3A, 4.7. */
enum { P = 1, W = 2, U = 4, RSVD = 8, I = 16, PK = 32 };

enum regs { KERNEL, USER, VM86, REGS_COUNT };
enum { ATOMIC = 1, FAULTS_OFF = 2, NO_MM = 4, NMI = 8, INIT = 16 };
enum layout {
    INSIDE,
    INSIDE_STACK,
    BELOW,
    BELOW_STACK,
    NOTHING,
    HIGH_NOTHING, /* 64-bit kernels: above 4 GiB */
    LOW_TEXT,     /* nothing there; with its upper half set it were in kernel text */
    LOW_MODULES,
    FIRST_KERNEL_LAYOUT,
    KERNEL_ADDRESS = FIRST_KERNEL_LAYOUT,
    IDT_BEFORE, /* the byte before the descriptor of the invalid opcode, its first, its last, the one behind */
    IDT_FIRST,
    IDT_LAST,
    IDT_AFTER,
    VSYSCALL_BEFORE,
    VSYSCALL_0, /* the first byte of the page, the second call, where a fourth were, inside one, the last byte */
    VSYSCALL_1,
    VSYSCALL_3,
    VSYSCALL_ODD,
    VSYSCALL_LAST,
    VSYSCALL_AFTER,
    LAYOUT_COUNT
};
enum { CUSHION = 1, RLIMIT = 2, MIN_ADDR = 4, GUARD = 8, AS_LIMIT = 16, REFUSED = 32, GROWTH_ALL = 63 };
enum { R = 1, WR = 2, X = 4 };
/* At ip: a prefetch on a processor with the erratum, or not one, or one whose fault is not to be ignored. */
enum bytes { OTHER, PREFETCH, PREFETCH_INTEL, PREFETCH_AMD5, UNREADABLE, BYTES_COUNT };
/* What lies above the VMA: a read-only mapping, with key 0. */
enum above { ABOVE_NOTHING, ABOVE_PLAIN, ABOVE_STACK, ABOVE_COUNT };
/* How the kernel is built. */
enum {
    RETRIES = 1,
    CHECKS_SPURIOUS = 2,
    KNOWS_SMAP = 4,
    NO_USER_FETCH = 8,
    KNOWS_KEYS = 16,
    EMULATES = 32,
    HAS_PAGE = 64, /* there is a vsyscall page */
    F00F = 128
};
/* What the processor is and has on. */
enum { CR4_HAS_SMAP = 1, CR4_HAS_PKE = 2, NX_ON = 4, AMD_15 = 8 };
enum key { KEY_OPEN, KEY_NO_ACCESS, KEY_NO_WRITE, KEY_COUNT };
/* The page tables, at task_size. */
enum tables {
    NOT_MAPPED,    /* in neither table */
    IN_REFERENCE,  /* not in the live one yet */
    CONTRADICTORY, /* the live and the reference one differ, in a kernel of 2016 */
    NO_MEMORY,     /* the reference one lies where there is no memory */
    MAPPED,        /* only in the live one: everything is permitted there */
    MAPPED_READ,   /* ... or reading alone */
    TABLES_COUNT
};
enum { RUNNING = 1, CLAIMS = 2 };
enum { SHOW = 1, UNHANDLED = 2, LIMITED = 4 };
enum selector { SEL_PLAIN, SEL_USER32, SEL_LDT32, SEL_LDT64, SEL_LDT_OUTSIDE, SEL_COUNT };

struct choices {
    uint8_t word; /* 4 or 8 */
    uint8_t code; /* P | W | U | RSVD | I | PK */
    uint8_t regs;
    bool if_on, ac;
    uint8_t task; /* ATOMIC | FAULTS_OFF | NO_MM | NMI | INIT */
    bool contended, extable;
    uint8_t layout;
    uint8_t growth; /* what speaks against growing: CUSHION | ... */
    uint8_t prot;   /* R | WR | X */
    uint8_t mm;     /* enum fl_mm_result: the first answer */
    uint8_t bytes;
    uint8_t mm2, mm3; /* the second and the third answer; the fourth is MINOR */
    bool fatal;
    uint8_t yield, above;
    uint8_t built;    /* RETRIES | ... */
    uint8_t cpu;      /* CR4_HAS_SMAP | ... */
    uint8_t key;      /* what PKRU says of the key of the VMA */
    uint8_t tables;   /* enum tables */
    uint8_t kprobe;   /* RUNNING | CLAIMS */
    uint8_t report;   /* SHOW | UNHANDLED | LIMITED */
    uint8_t selector; /* enum selector; virtual-8086 mode has its own */
    bool at_ip;       /* the address is ip itself */
    bool warned;      /* of erratum 93 */
    bool no_return;   /* the word at the stack pointer cannot be read */
    bool vsyscall_fails;
};

struct situation {
    struct fl_snapshot s;
    struct fl_vma vmas[4];
    struct fl_extable_entry extable[2];
    uint64_t ldt[2];
    uint8_t code[15];
    size_t ncode;
    uint64_t code_at;            /* linear address of the instruction at ip */
    unsigned reads, wrong_reads; /* byte callbacks; those with the wrong accessor */
    struct {
        uint64_t paddr, value;
    } entry[12]; /* of the page tables, whose memory ends at 1 MiB; other entries are zero */
    unsigned nentries;
    bool no_return;
};

#define FIXUP_IP     UINT64_C(0x87654000)
#define RETURN_IP    UINT64_C(0x8049000)
#define VMA_KEY      5
#define TEXT_AT      UINT64_C(0xffffffff81000000)
#define MODULES_AT   UINT64_C(0xffffffffa0000000)
#define VSYSCALL_AT  UINT64_C(0xffffffffff600000)
#define TASK_SIZE_64 UINT64_C(0x7ffffffff000)
#define TASK_SIZE_32 UINT64_C(0xc0000000)
#define IDT_OFFSET   0x10000 /* from task_size */

/* The snapshot of c; it points into *t. */
void situation_make(struct situation *t, const struct choices *c);

/* What the rules in plain control flow say of c, as names of rows (NULL: part not reached) and an expectation without
 * rows, synchronisation and log. Works on the choices, without fact words or tables. */
struct reference {
    const char *row[FL_PART_COUNT];
    const char *again[FL_MM_ANSWERS];
    struct fl_expected want;
    const char *says; /* what is logged: "", "segfault", "oops" ... */
};
void situation_reference(const struct situation *t, const struct choices *c, struct reference *r);

#endif
