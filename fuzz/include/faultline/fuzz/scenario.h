/* SPDX-License-Identifier: MIT */
/*
 * A scenario: one machine and a trace of records (set-up lines and events, in order; state carries from one to the next).
 *
 * Two forms. The binary one is what fuzz engines mutate: headerless, little-endian, fixed-width, total (every byte string
 * is a scenario) and canonical. The text one (".scn") is the durable form that people read and write.
 * docs/scenario-format.md describes both.
 */
#ifndef FAULTLINE_FUZZ_SCENARIO_H
#define FAULTLINE_FUZZ_SCENARIO_H

#include <faultline/types.h>
#include <stdio.h>

#define FL_SCENARIO_VERSION   3
#define FL_MACHINE_BYTES      96 /* the machine at the front */
#define FL_RECORD_BYTES       32 /* each record */
#define FL_MAX_RECORDS        256
#define FL_SCENARIO_MAX_BYTES (FL_MACHINE_BYTES + FL_MAX_RECORDS * FL_RECORD_BYTES)
#define FL_MAX_CODE           15         /* instruction bytes in one record */
#define FL_MAX_MMS            4          /* address spaces: 0 is the task's own, with the VMAs; the others have none */
#define FL_MM_NONE            FL_MAX_MMS /* SWITCH: to a kernel thread, which borrows what is there */
#define FL_MAX_LDT            32

/* The machine, as plain choices. Ranges are enforced by decoding: any byte maps into them. */
struct fl_machine {
    uint8_t mode;       /* enum fl_mode */
    uint8_t vendor;     /* enum fl_vendor */
    uint8_t family;     /* 4..255 */
    uint8_t maxphyaddr; /* 32..52 */
    bool pse36, page1gb;
    bool wp, pse, smep, smap, pke, pks, nxe; /* CR0.WP, CR4.*, EFER.NXE */
    uint8_t split;     /* user/kernel split of a 32-bit kernel: 0 = 3G/1G, 1 = 2G/2G, 2 = 1G/3G; 64-bit: 0 only */
    uint8_t code_bits; /* 16, 32 or 64 (64 only in IA-32e modes; 16 and 32 there are compatibility code) */
    bool user;         /* the task runs at CPL 3 (else CPL 0) when the trace begins */
    bool has_mm, in_atomic, faults_disabled;
    bool catches_signals; /* it has handlers for SIGSEGV and SIGBUS: a signal does not end the task */
    uint32_t pid;         /* >= 1 */
    uint32_t pkru, pkrs;
    uint64_t ip, sp;
    uint32_t flags;    /* RFLAGS; bit 1 always set, VM only in 2level and pae with user */
    uint64_t seg_base; /* of the code segment; 0 for 64-bit code */
    uint32_t seg_limit;
    uint32_t stack_pages; /* RLIMIT_STACK in pages */
    uint32_t as_pages;    /* RLIMIT_AS in pages */
    uint16_t guard_pages;
    uint16_t min_addr_pages; /* mmap_min_addr */
    uint8_t gpr_seed;        /* 0: all zero; else general registers get values derived from it */

    /* the kernel */
    bool
        sh4; /* an SH4 of 2012, not an x86: mode is 2level, and only ENTRY, IOREMAP, IOUNMAP, FORK, SWITCH and TOUCH mean
                 something */
    uint8_t generation; /* enum fl_generation, one that the mode has; SH4: current */
    bool fault_retry, spurious_check;
    bool kernel_smap, no_user_fetch, kernel_pku; /* struct fl_kernel: smap, no_user_fetch, pku */
    bool vsyscall;                               /* 64-bit only: emulated; else there is no such page */
    bool f00f_bug;                               /* 32-bit only */
    bool shared_pmd;                             /* PAE only, else true */
    bool show_unhandled, oops_may_print;
    bool lazy_mmu;       /* lazy MMU updates are on at every event */
    bool in_nmi;         /* implies in_atomic */
    bool kprobe_running; /* inject kprobe says whether it claims the fault */
    bool pte_special;    /* target gup: the kernel can tell leaves without struct page (usual: true) */
    bool pv_flush;       /* target gup: TLB flushes do not wait for other processors' interrupts */
    bool sh4_fixed;      /* SH4 only, else true: after the fix of 2012 */
    uint8_t comm;        /* 0..3: which of FL_COMMS names the task */
    uint16_t low_frames; /* frames below this have a fixed kernel mapping */
    uint32_t uid;
    uint32_t idt;           /* 32-bit: base of the interrupt descriptor table; 64-bit: 0 */
    uint64_t vmalloc_start; /* page aligned; 0: where the mode has it */
    uint64_t vmalloc_end;   /* 0 likewise; SH4: P3_ADDR_MAX */
};

/* The names of tasks. */
#define FL_COMMS                                                                                                       \
    {                                                                                                                  \
        "cat", "init", "%s %n\x01<0>", "fifteen-letters"                                                               \
    }

/* Kinds of record. The number is the first byte of the record modulo FL_REC_COUNT, so that adding a kind is a new codec
 * version. SET-UP records change the world; EVENT records are judged. */
enum fl_record_kind {
    FL_REC_MAP,     /* set-up: build a leaf */
    FL_REC_ENTRY,   /* set-up: change bits of one table entry */
    FL_REC_VMA,     /* set-up: mmap */
    FL_REC_UNMAP,   /* set-up: munmap */
    FL_REC_PROTECT, /* set-up: mprotect */
    FL_REC_ZAP,     /* set-up: madvise(DONTNEED) */
    FL_REC_REGS,    /* set-up: ip, sp, flags, privilege, code bits */
    FL_REC_GPR,     /* set-up: one general register */
    FL_REC_BYTES,   /* set-up: memory contents as the task would see them */
    FL_REC_EXTABLE, /* set-up: one exception-table entry */
    FL_REC_INJECT,  /* set-up: a keyed answer for the next event */
    FL_REC_ACCESS,  /* event: one access, walked by everybody (target walk) */
    FL_REC_FAULT,   /* event: a raw fault: CR2 and error code given */
    FL_REC_EXEC,    /* event: run these instruction bytes */
    FL_REC_DECODE,  /* event: instruction bytes for the prefetch decoder alone (target prefetch) */
    FL_REC_IOREMAP, /* set-up: leaves in the reference tables, and nowhere else */
    FL_REC_IOUNMAP, /* set-up: clears them again */
    FL_REC_FORK,    /* set-up: an address space gets (anew) the kernel part of the reference tables as it is now */
    FL_REC_SWITCH,  /* set-up: context switch */
    FL_REC_LDT,     /* set-up: one descriptor of the task's LDT */
    FL_REC_CS,      /* set-up: the code-segment selector */
    FL_REC_TOUCH,   /* event: one access, retried through the fault handler until it succeeds or is refused */
    FL_REC_SYNCALL, /* event: sync-all */
    FL_REC_AREA, /* set-up: an area of memory for pinning. This one and the next four are of target gup alone: they have
                       a world of their own (pin_world.h), in which no other record but these means anything */
    FL_REC_ACT,  /* set-up: something that the task, its child or the kernel does now */
    FL_REC_RACE, /* set-up: the same at a preemption point of the next event */
    FL_REC_ANSWER, /* set-up: a keyed answer of an op for the next event */
    FL_REC_PIN,    /* event: one call of pinning */
    FL_REC_COUNT
};

/* Leaf and VMA flags of MAP, in the scenario's own numbering (not page-table bits). */
enum {
    FL_MAP_PRESENT = 1 << 0,
    FL_MAP_WRITE = 1 << 1,
    FL_MAP_USER = 1 << 2,
    FL_MAP_ACCESSED = 1 << 3,
    FL_MAP_DIRTY = 1 << 4,
    FL_MAP_NX = 1 << 5,
    FL_MAP_GLOBAL = 1 << 6,
    FL_MAP_PAT = 1 << 7,
    FL_MAP_FLAGS = 0xff
};
enum {
    FL_PROT_READ = 1 << 0,
    FL_PROT_WRITE = 1 << 1,
    FL_PROT_EXEC = 1 << 2,
    FL_PROT_BITS = 7,
    FL_VMA_SHARED = 1 << 3,
    FL_VMA_GROWSDOWN = 1 << 4,
    FL_VMA_FILE = 1 << 5, /* else anonymous */
    FL_VMA_FLAGS = 0x3f
};
/* What INJECT may answer. */
enum fl_inject_op {
    FL_INJ_LOCK_CONTENDED, /* the first lock_try fails */
    FL_INJ_EXPAND_REFUSED, /* vma_expand answers no memory */
    FL_INJ_MM_OOM,         /* mm_fault answers OOM, once */
    FL_INJ_MM_SIGBUS,      /* mm_fault answers SIGBUS, once */
    FL_INJ_MM_MAJOR,       /* mm_fault does its work and answers major */
    FL_INJ_PROBE,          /* probe_byte fails from byte index n on */
    FL_INJ_MM_HWPOISON, /* mm_fault answers HWPOISON, once; the mm-* answers are given in the order of their records */
    FL_INJ_MM_HWPOISON_LARGE,
    FL_INJ_MM_SIGSEGV,
    FL_INJ_MM_RETRY, /* given only where a retry is allowed; else the normal answer */
    FL_INJ_MM_RETRY_MAJOR,
    FL_INJ_FATAL_SIGNAL,     /* a fatal signal is pending when it is asked for */
    FL_INJ_YIELD_UNMAP,      /* the first yield: the VMA of the address is gone afterwards */
    FL_INJ_YIELD_PROTECT,    /* the first yield: it has lost its write permission */
    FL_INJ_RATELIMITED,      /* no report may be made */
    FL_INJ_REPORT_CONTENDED, /* the lock_try of a report fails */
    FL_INJ_KPROBE,           /* the running kprobe claims the fault */
    FL_INJ_VSYSCALL_FAULT,   /* the vsyscall was given a bad pointer */
    FL_INJ_COUNT
};

/* ---- pinning ----------------------------------------------------------------------------------------------------- */

/* What backs an area. */
enum fl_area_kind {
    FL_AREA_ANON,
    FL_AREA_FILE,      /* page cache */
    FL_AREA_SHMEM,     /* page cache of anonymous memory: may be mapped by userfault's minor mode */
    FL_AREA_HUGETLB,   /* pages of the size of a level-2 leaf */
    FL_AREA_HUGETLB1G, /* pages of 1 GiB; 32-bit modes: as HUGETLB */
    FL_AREA_DEVICE,    /* device memory with struct pages (DAX) */
    FL_AREA_SPECIAL,   /* frames without struct page, mapped by a fault handler */
    FL_AREA_KIND_COUNT
};

enum {
    FL_AREA_READ = 1 << 0,
    FL_AREA_WRITE = 1 << 1,
    FL_AREA_EXEC = 1 << 2,
    FL_AREA_MAY_READ = 1 << 3,  /* with READ always set */
    FL_AREA_MAY_WRITE = 1 << 4, /* with WRITE always set */
    FL_AREA_SHARED = 1 << 5,
    FL_AREA_GROWSDOWN = 1 << 6, /* ANON and not SHARED only */
    FL_AREA_LOCKED = 1 << 7,
    FL_AREA_IO = 1 << 8,     /* SPECIAL only; else clear */
    FL_AREA_PFNMAP = 1 << 9, /* SPECIAL only; else clear */
    FL_AREA_HUGE = 1 << 10,  /* ANON and not SHARED only: faults bring in huge pages where they fit */
    FL_AREA_FLAGS = (1 << 11) - 1
};

/* Who does something, and what. Where it does not fit (no page there, wrong kind) it changes nothing. */
enum fl_act {
    FL_ACTOR_READ,  /* a user access of that mm, through its tables and the fault handler */
    FL_ACTOR_WRITE, /* ... that stores a value never seen before */
    FL_ACTOR_DONTNEED,
    FL_ACTOR_MUNMAP,
    FL_ACTOR_MPROTECT, /* arg: FL_AREA_READ..EXEC */
    FL_ACTOR_FORK,     /* mm 1 is made anew, as a child of mm 0 */
    FL_ACTOR_EXIT,     /* mm 1 goes */
    FL_ACTOR_MLOCK,
    FL_ACTOR_UFFD_CONTINUE, /* maps the page-cache page (SHMEM) that is there, dirty, without a write */
    FL_ACTOR_RECLAIM,       /* swaps out an anonymous page, drops the mapping of a cached one */
    FL_ACTOR_MIGRATE_BEGIN, /* a migration entry stands in for the page, of whatever size */
    FL_ACTOR_MIGRATE_END,   /* the page is mapped again, in another frame */
    FL_ACTOR_HINT,          /* the leaf becomes a NUMA hint */
    FL_ACTOR_COLLAPSE,      /* small pages become a huge one */
    FL_ACTOR_SPLIT_BEGIN,   /* a huge page is marked as splitting */
    FL_ACTOR_SPLIT,         /* and is one of small pages */
    FL_ACTOR_POISON,        /* the frame is broken */
    FL_ACTOR_TRUNCATE,      /* the file ends before that page */
    FL_ACTOR_CLEAN,         /* written back: dirty bits go */
    FL_ACTOR_DEVICE_GONE,   /* the device is being removed */
    FL_ACTOR_SATURATE,      /* the page's count is brought near its greatest value by others */
    FL_ACTOR_SIGKILL,       /* of the caller */
    FL_ACTOR_SIGKILL_OTHER, /* of the task whose memory it is, when that is not the caller's */
    FL_ACTOR_UNPIN,         /* all pages pinned so far are given back */
    FL_ACTOR_USE,           /* pinned pages are used: those pinned for writing are written to */
    FL_ACTOR_GATE_GONE,     /* the gate page is not mapped */
    FL_ACTOR_COUNT
};

/* The ops of struct fl_gup_ops at which others may run or whose answers may be given; numbers of the format. */
enum fl_pin_op {
    FL_PINOP_READ,
    FL_PINOP_PTL_LOCK,
    FL_PINOP_PTL_UNLOCK,
    FL_PINOP_MIGRATION_WAIT,
    FL_PINOP_SPLIT_HUGE,
    FL_PINOP_SPLIT_WAIT,
    FL_PINOP_TOUCH_LEAF,
    FL_PINOP_PAGE_HEAD,
    FL_PINOP_PAGE_GET,
    FL_PINOP_PAGE_GET_SPECULATIVE,
    FL_PINOP_PAGE_PUT,
    FL_PINOP_PAGE_TAIL_GET,
    FL_PINOP_PAGE_FACT, /* any op that only asks for a fact of a page */
    FL_PINOP_PAGE_MARK, /* set_dirty, accessed, mlock, trylock, unlock */
    FL_PINOP_DEVICE_GET,
    FL_PINOP_DEVICE_PUT,
    FL_PINOP_VMA_FIND,
    FL_PINOP_GATE_VMA,
    FL_PINOP_MM_FAULT,
    FL_PINOP_HUGETLB_FAULT,
    FL_PINOP_MM_LOCK,
    FL_PINOP_MM_UNLOCK,
    FL_PINOP_FATAL_SIGNAL,
    FL_PINOP_RESCHED,
    FL_PINOP_IRQ_SAVE,
    FL_PINOP_IRQ_RESTORE,
    FL_PINOP_COUNT
};

/* What an op answers instead of what is so. Not every answer fits every op: one that does not is dropped. */
enum fl_pin_answer {
    FL_PINANS_REFUSE,   /* legal: false, or for faults OOM */
    FL_PINANS_SIGBUS,   /* legal: faults */
    FL_PINANS_SIGSEGV,  /* legal: faults */
    FL_PINANS_HWPOISON, /* legal: faults */
    FL_PINANS_HWPOISON_LARGE,
    FL_PINANS_RETRY,       /* legal where asked for; else hostile */
    FL_PINANS_RETRY_MAJOR, /* likewise */
    FL_PINANS_MAJOR,       /* legal: the work is done */
    FL_PINANS_LAZY,        /* legal: faults: MINOR, and nothing was done (somebody else was faster, and undone again) */
    FL_PINANS_TRUE,        /* hostile: the opposite of what is so */
    FL_PINANS_GARBAGE,     /* hostile: a value outside every range */
    FL_PINANS_COUNT
};

enum fl_pin_api {
    FL_PINAPI_PIN,       /* all flags */
    FL_PINAPI_USER,      /* WRITE and FORCE of the flags */
    FL_PINAPI_FAST_ONLY, /* WRITE */
    FL_PINAPI_FAST,      /* WRITE */
    FL_PINAPI_FIXUP,     /* WRITE; NOWAIT clear: a RETRY is allowed when nonblocking is set */
    FL_PINAPI_DUMP,
    FL_PINAPI_FOLLOW,
    FL_PINAPI_COUNT
};

struct fl_record {
    uint8_t kind; /* enum fl_record_kind; selects the member below */
    union {
        struct {
            uint64_t va;
            uint16_t frame; /* 0..1023: 4 KiB frame of RAM; large pages round down */
            uint8_t level;  /* 1..3: level of the leaf */
            uint8_t flags;  /* FL_MAP_* */
            uint8_t pkey;   /* 0..15 */
        } map;
        struct {
            uint64_t va;
            uint8_t
                level; /* 1..5: which entry on the path to va (clamped to the mode's levels); SH4: levels 2 and 1 under
                              TTB, level 1 only where the slot names a table in RAM */
            uint64_t set, mask; /* new = (old & ~mask) | (set & mask); set holds no bit outside mask */
        } entry;
        struct {
            uint64_t start; /* page aligned */
            uint32_t pages; /* 1..2^24 */
            uint8_t flags;  /* FL_PROT_* | FL_VMA_* */
            uint8_t file;   /* 0..3 */
            uint8_t pkey;   /* 0..15 */
            uint32_t pgoff; /* 0..65535 */
            uint32_t file_pages;
        } vma;
        struct {
            uint64_t start;
            uint32_t pages; /* 1..2^24 */
            uint8_t prot;   /* PROTECT only: FL_PROT_*; else 0 */
        } range;            /* UNMAP, PROTECT, ZAP */
        struct {
            uint64_t ip, sp;
            uint32_t flags;
            bool user;
            uint8_t code_bits; /* 16, 32, 64 */
        } regs;
        struct {
            uint8_t index; /* enum fl_gpr, RSP excluded (it reads as RAX) */
            uint64_t value;
        } gpr;
        struct {
            uint64_t va;
            uint8_t n;                 /* 0..15 */
            uint8_t data[FL_MAX_CODE]; /* zero beyond n */
        } bytes;
        struct {
            uint64_t ip, fixup;
        } extable;
        struct {
            uint8_t op; /* enum fl_inject_op */
            uint8_t n;  /* PROBE: byte index 0..15; else 0 */
        } inject;
        struct {
            uint64_t va;
            uint8_t kind, priv; /* enum fl_access_kind, fl_access_priv */
            bool ac;
            bool execute; /* also by the executor */
        } access;
        struct {
            uint64_t cr2;
            uint32_t code; /* error code, any 32 bits */
        } fault;
        struct {
            uint64_t ip;
            uint8_t n; /* 1..15 */
            uint8_t code[FL_MAX_CODE];
            bool user; /* CPL 3, else CPL 0 */
        } exec;
        struct {
            uint8_t n; /* 0..15 readable bytes */
            uint8_t code[FL_MAX_CODE];
            uint8_t bits; /* 16, 32, 64 */
            bool user;
            bool fetch; /* the fault was an instruction fetch */
        } decode;
        struct {
            uint64_t va;     /* rounded down to the leaf's size */
            uint16_t leaves; /* IOREMAP: 1..256 leaves, one after the other */
            uint16_t frame;  /* as for MAP; counts up with the leaves, round the RAM */
            uint8_t level;   /* 1..3, clamped as for MAP */
            uint8_t flags;   /* FL_MAP_* */
        } ioremap;
        struct {
            uint64_t start; /* page aligned */
            uint32_t pages; /* 1..2^24: leaves that begin in the range are cleared */
        } iounmap;
        struct {
            uint8_t mm; /* FORK: 1..FL_MAX_MMS - 1. SWITCH: 0..FL_MAX_MMS - 1, or FL_MM_NONE */
            bool lag;   /* SWITCH: CR3 (TTB) is not loaded yet */
        } mm;
        struct {
            uint8_t index; /* 0..FL_MAX_LDT - 1; the LDT ends behind the highest index given so far */
            uint8_t bits;  /* 16, 32, 64; 64 is the L bit, which a 32-bit processor ignores: 16-bit code */
            uint32_t base;
            uint32_t limit; /* last valid offset; above 0xfffff rounded up to 4 KiB - 1 */
        } ldt;
        struct {
            uint16_t selector; /* its RPL is made that of the privilege */
        } cs;
        struct {
            uint64_t va;
            uint8_t kind, priv; /* enum fl_access_kind; FL_USER or FL_SUPERVISOR */
        } touch;
        struct {
            uint64_t start; /* page aligned; hugetlb: to its page size when it is mapped */
            uint32_t pages; /* 1..2^24 */
            uint16_t flags; /* FL_AREA_* */
            uint8_t kind;   /* enum fl_area_kind */
            uint8_t file;   /* 0..3; not for ANON and SPECIAL (0) */
            uint8_t pkey;   /* 0..15 */
            uint16_t pgoff;
            uint32_t file_pages;
        } area;
        struct {
            uint64_t va;    /* page aligned */
            uint32_t pages; /* 1..2^24 */
            uint8_t act;    /* enum fl_act */
            uint8_t mm;     /* 0: the task's, 1: its child's */
            uint8_t arg;    /* MPROTECT: prot; else 0 */
            uint8_t op;     /* RACE: enum fl_pin_op: before that call is carried out; ACT: 0 */
            uint8_t nth;    /* RACE: 1..255, the how manieth of that op in the event, 255: none; ACT: 0 */
        } act;              /* ACT, RACE */
        struct {
            uint8_t op;     /* enum fl_pin_op */
            uint8_t nth;    /* 1..255, 255: none */
            uint8_t answer; /* enum fl_pin_answer */
        } answer;
        struct {
            uint64_t start;
            uint32_t n;       /* pages. FAST, FAST_ONLY: read as a signed number; PIN, USER: 0..65535; the others: 1 */
            uint16_t flags;   /* enum fl_foll, those that the api takes, without GET */
            uint8_t api;      /* enum fl_pin_api */
            bool nonblocking; /* PIN, FIXUP; else false */
            bool remote;      /* the caller is another task; false for FAST, FAST_ONLY */
            bool pages;       /* PIN, USER, FOLLOW: references are taken (GET); the others have their own mind: false */
            bool vmas;        /* PIN, USER: an array for areas is given; else false */
        } pin;
    } u;
};

struct fl_scenario {
    struct fl_machine machine;
    uint32_t nrecords;
    struct fl_record records[FL_MAX_RECORDS];
};

/* Decodes any byte string. Missing bytes read as zero; a last partial record is a whole one with its missing bytes zero;
 * bytes beyond FL_SCENARIO_MAX_BYTES are ignored. Touches only the records that it fills. */
void fl_scenario_decode(const uint8_t *data, size_t size, struct fl_scenario *out);

/* The canonical bytes of a scenario: FL_MACHINE_BYTES + nrecords * FL_RECORD_BYTES. Answers that length; writes only
 * when it fits into size. The scenario must be one that decoding or parsing made (fl_scenario_valid). */
size_t fl_scenario_encode(const struct fl_scenario *s, uint8_t *data, size_t size);

/* Every field inside its range and every unused byte zero? */
bool fl_scenario_valid(const struct fl_scenario *s);
bool fl_scenario_equal(const struct fl_scenario *a, const struct fl_scenario *b);

/* A machine and no records: 4-level, Intel, everything at its usual default. */
void fl_scenario_default(struct fl_scenario *out);

/* Event records are judged; the others only change the world. */
bool fl_record_is_event(enum fl_record_kind kind);
const char *fl_record_name(enum fl_record_kind kind); /* the keyword of the text form */

/* ---- text ------------------------------------------------------------------------------------------------------- */

struct fl_text_error {
    unsigned line, column; /* from 1 */
    char message[320];     /* what was expected, what was found */
};

/* Parses a whole text. Returns true and fills *out, or false and fills *error (out untouched). text need not be
 * terminated; any bytes are allowed to be there. */
bool fl_scenario_parse(const char *text, size_t size, struct fl_scenario *out, struct fl_text_error *error);

/* Writes the canonical text. False: the stream reported an error. */
bool fl_scenario_print(const struct fl_scenario *s, FILE *out);

/* The words of the text form; "?" outside their range. */
const char *fl_pin_actor_name(unsigned act);
const char *fl_pin_op_name(unsigned op);
const char *fl_pin_answer_name(unsigned answer);
const char *fl_pin_api_name(unsigned api);

/* One record as one line of the text form, without newline; always terminated. */
void fl_record_print(const struct fl_record *r, char *buf, size_t size);

#endif
