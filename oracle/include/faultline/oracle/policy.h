/* SPDX-License-Identifier: MIT */
/*
 * policy: the decision that a fault should have led to, as an ordered table of predicate rows. A pure function of the
 * state before the event and the keyed answers that the world will give; it works out its own order of calls and never
 * sees what the core did.
 *
 * The table has parts. Within a part the first matching row decides: it either ends the fault or hands over to a later
 * part. Which rows were decisive (fl_expected.path) tells where a wrong handler took the wrong turning.
 */
#ifndef FAULTLINE_ORACLE_POLICY_H
#define FAULTLINE_ORACLE_POLICY_H

#include <faultline/types.h>

/* Reads a byte of the interrupted context's instruction stream as the world's accessor would; false: unreadable. */
typedef bool (*fl_byte_fn)(void *ctx, uint64_t linear, bool user, uint8_t *byte);
/* Reads a word of user memory as ops->user_word would, without changing anything. */
typedef bool (*fl_word_fn)(void *ctx, uint64_t addr, uint64_t *value);
/* What ops->symbol and ops->file_name answer. */
typedef bool (*fl_symbol_fn)(void *ctx, uint64_t ip, char *buf, size_t size);
typedef void (*fl_file_fn)(void *ctx, uint8_t file, char *buf, size_t size);

struct fl_extable_entry {
    uint64_t ip, fixup;
};

#define FL_MM_ANSWERS 4   /* how often mm_fault can be asked in one decision: two passes by RETRY, and init's */
#define FL_LOG_MAX    768 /* bytes that the handler can log in one decision */

/* What others do while init waits for memory. */
enum fl_yield { FL_YIELD_NOTHING, FL_YIELD_UNMAP, FL_YIELD_PROTECT, FL_YIELD_COUNT };

/* Everything the decision may depend on, before the event. */
struct fl_snapshot {
    struct fl_cpu cpu;
    struct fl_kernel kernel;
    struct fl_task task;
    struct fl_codeseg codeseg; /* of a selector in the GDT */
    struct fl_regs regs;
    uint64_t cr2;
    uint64_t error_code;

    const struct fl_vma *vmas; /* sorted, not overlapping; prev_* and total_pages need not be filled */
    size_t nvmas;
    const struct fl_extable_entry *extable;
    size_t nextable;
    const uint64_t *ldt; /* task.ldt_entries raw descriptors */
    void *ctx;           /* of the callbacks */
    fl_byte_fn byte;
    fl_read_fn read; /* table entries as they are in memory, queued writes not carried out */
    fl_word_fn word;
    fl_symbol_fn symbol;
    fl_file_fn file_name;
    uint64_t
        pgd[4]; /* roots of the tables that sync-all works on, in the form of CR3; the reference is not among them */
    unsigned npgds;
    bool lazy_mmu; /* writes through paravirt hooks are queued */

    /* keyed answers: true / not zero only when the scenario says so for this event */
    bool kprobe_claims;
    bool lock_contended;              /* the first lock_try fails */
    bool report_contended;            /* the lock_try of a report fails */
    bool expand_refused;              /* vma_expand answers FL_NO_MEMORY */
    uint8_t mm_result[FL_MM_ANSWERS]; /* enum fl_mm_result: what the first, second ... mm_fault of this decision will
                                              answer (injected or of the world's own, such as SIGBUS beyond the end of a
                                              file or OOM when frames ran out). No two RETRYs; the last is no OOM */
    bool fatal_signal;                /* one is pending after a RETRY */
    uint8_t yield;                    /* enum fl_yield: done to the VMA of the address by the first yield. PROTECT
                                              takes its write permission away */
    bool ratelimited[FL_LIMIT_COUNT]; /* that report may not be made */
    bool vsyscall_fails;
};

/* The parts of the table, in order. */
enum fl_policy_part {
    FL_PART_ENTRY,  /* who is it for? kprobes, the kernel half of the address space, corrupt tables */
    FL_PART_AREA,   /* may this access be served at all? Once for each pass */
    FL_PART_ANSWER, /* it may: what follows from what mm_fault answers. Once for each pass */
    FL_PART_ENDING, /* it may not, or nothing could be done: what becomes of the one who made it */
    FL_PART_COUNT
};

#define FL_POLICY_NO_ROW UINT16_MAX

/* A write to the tables. */
struct fl_entry_write {
    uint64_t paddr, value;
    uint8_t size;
    uint8_t how; /* enum fl_set */
};

/* What a synchronisation of one address should be: <faultline/oracle/sync.h>. */
struct fl_sync_expected {
    uint16_t row; /* of fl_sync_rows() */
    uint8_t end;  /* enum fl_sync_end */
    uint8_t nwrites;
    struct fl_entry_write write[2];
    uint64_t before; /* what the entry of write[0] holds before it is written */
    bool flush;      /* flush_lazy once, after the writes */
    bool warn;       /* warn_nmi once, first */
};

struct fl_expected {
    uint16_t row;                 /* index of the row that ended the fault: the last one of path */
    uint16_t path[FL_PART_COUNT]; /* the deciding row of each part (of its last pass), FL_POLICY_NO_ROW where a part was
                                     not reached */
    uint16_t again[FL_MM_ANSWERS]; /* the rows that sent it back to AREA */
    uint8_t nagain;
    bool synced; /* a synchronisation is to be tried: sync is valid */
    struct fl_sync_expected sync;
    uint8_t mm_calls;                /* how often mm_fault is to be called */
    uint8_t mm_flags[FL_MM_ANSWERS]; /* enum fl_mm_flags of each call */
    uint8_t yields;                  /* init waits that often */
    bool grows;                      /* a VMA is to start at new_start once some pass is over */
    uint64_t new_start;
    bool lock_tried;            /* the lock is to be tried for, once, for the address space (reports apart); */
    bool lock_taken;            /* ... and to be had, at once or by waiting, and once more for each of again[] */
    bool report_tried;          /* a report is to try for it, once; */
    bool report_lock;           /* ... and to get it */
    bool limit[FL_LIMIT_COUNT]; /* ratelimit is to be asked for that, once */
    bool vsyscall;              /* that vsyscall is to be made, once */
    uint8_t vsyscall_nr;
    bool dies;     /* die is to be called once, with */
    uint8_t die;   /* enum fl_die */
    uint16_t nlog; /* what is to be logged, byte for byte; where die is called: FL_LOG_DIE */
    char log[FL_LOG_MAX];
    struct fl_outcome outcome; /* the same fields as the core's, to be equal */
};

/* Stands in logs (the world's record and the policy's expectation) where the crash handler was called. */
#define FL_LOG_DIE "{die}\n"

struct fl_policy_row {
    const char *name;   /* stable: part of divergence keys */
    const char *source; /* manual section, or kernel file and year, or zoo row */
    /* the predicate: facts & mask == want; the fact bits are private to oracle/policy */
    uint64_t mask, want;
    uint8_t part;    /* enum fl_policy_part */
    uint8_t verdict; /* private to oracle/policy */
};

/* FL_OK: *out is whole. FL_INVALID: NULL (s, out, a callback, vmas, extable or ldt with a count), or cpu.mode,
 * cpu.vendor, kernel.word, kernel.generation, codeseg.bits, yield or a mm_result out of range. FL_FAILED: no row
 * matches, a hole in the table (the exhaustive test finds none). Does not allocate. byte is called at most 15 times, and
 * only when the answer depends on it.
 *
 * Registers of a 32-bit kernel (word 4) are read modulo 2^32. outcome fields that the action does not make valid are 0. */
enum fl_status fl_policy_decide(const struct fl_snapshot *s, struct fl_expected *out);

/* Only the prefetch rule: is the instruction at ip a prefetch whose fault is to be ignored on this CPU? Statuses as
 * above, but for FL_FAILED. */
enum fl_status fl_policy_prefetch(const struct fl_snapshot *s, bool *ignore);

/* Where the prefetch rule may look: what a proof of a decoder has to know beside the rule itself. */
#define FL_WINDOW_BYTES 15u
struct fl_code_window {
    bool open;                        /* a prefetch can be the reason of this fault; if not, no byte is to be read */
    bool user;                        /* with the user accessor, or (false) the kernel's */
    uint8_t bits;                     /* of the code: 16, 32 or 64; 0: its segment is unknown, no byte may be read */
    bool readable[FL_WINDOW_BYTES];   /* instruction byte i may be read, should the accessor find it there. By segment
                                         limit, end of user space and vsyscall page, whether open or not */
    uint64_t linear[FL_WINDOW_BYTES]; /* ... at this address; 0 where it may not */
};

/* The window of the instruction at ip. FL_OK: *out valid. FL_INVALID as for fl_policy_prefetch. Reads no byte. */
enum fl_status fl_policy_code_window(const struct fl_snapshot *s, struct fl_code_window *out);

/* The table, for reports and tests. Rows are sorted by part. */
const struct fl_policy_row *fl_policy_rows(size_t *count);

#endif
