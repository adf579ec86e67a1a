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

struct fl_extable_entry {
    uint64_t ip, fixup;
};

/* Everything the decision may depend on, before the event. */
struct fl_snapshot {
    struct fl_cpu cpu;
    struct fl_kernel kernel;
    struct fl_task task;
    struct fl_codeseg codeseg;
    struct fl_regs regs;
    uint64_t cr2;
    uint64_t error_code;

    const struct fl_vma *vmas; /* sorted, not overlapping; prev_* and total_pages need not be filled */
    size_t nvmas;
    const struct fl_extable_entry *extable;
    size_t nextable;
    fl_byte_fn byte;
    void *byte_ctx;

    /* keyed answers: true / not NORMAL only when the scenario says so for this event */
    bool lock_contended; /* the first lock_try fails */
    bool expand_refused; /* vma_expand answers FL_NO_MEMORY */
    uint8_t mm_result;   /* enum fl_mm_result that mm_fault will answer when asked (injected or of the world's own,
                             such as SIGBUS beyond the end of a file or OOM when frames ran out) */
};

/* The parts of the table, in order. */
enum fl_policy_part {
    FL_PART_AREA,   /* may this access be served at all? */
    FL_PART_ANSWER, /* it may: what follows from what mm_fault answers */
    FL_PART_ENDING, /* it may not, or nothing could be done: what becomes of the one who made it */
    FL_PART_COUNT
};

#define FL_POLICY_NO_ROW UINT16_MAX

struct fl_expected {
    uint16_t row;                 /* index of the row that ended the fault: the last one of path */
    uint16_t path[FL_PART_COUNT]; /* the deciding row of each part, FL_POLICY_NO_ROW where a part was not reached */
    bool supported; /* false: the row says that this is outside what is decided so far; nothing else is valid */
    bool mm_asked;  /* mm_fault is to be called exactly once, with write = mm_write */
    bool mm_write;
    bool grows; /* a VMA is to start at new_start afterwards */
    uint64_t new_start;
    bool lock_taken;           /* the lock is to have been had */
    struct fl_outcome outcome; /* the same fields as the core's, to be equal */
};

struct fl_policy_row {
    const char *name;   /* stable: part of divergence keys */
    const char *source; /* manual section, or kernel file and year, or zoo row */
    /* the predicate: facts & mask == want; the fact bits are private to oracle/policy */
    uint64_t mask, want;
    uint8_t part;    /* enum fl_policy_part */
    uint8_t verdict; /* private to oracle/policy */
};

/* FL_OK: *out is whole. FL_INVALID: NULL (s, out, byte, vmas or extable with a count), or cpu.mode, cpu.vendor,
 * kernel.word, codeseg.bits or mm_result out of range. FL_FAILED: no row matches, a hole in the table (the exhaustive
 * test finds none). Does not allocate. byte is called at most 15 times, and only when the answer depends on it.
 *
 * Registers of a 32-bit kernel (word 4) are read modulo 2^32. outcome fields that the action does not make valid are 0. */
enum fl_status fl_policy_decide(const struct fl_snapshot *s, struct fl_expected *out);

/* Only the prefetch rule: is the instruction at ip a prefetch whose fault is to be ignored on this CPU? Statuses as
 * above, but for FL_FAILED. */
enum fl_status fl_policy_prefetch(const struct fl_snapshot *s, bool *ignore);

/* The table, for reports and tests. Rows are sorted by part. */
const struct fl_policy_row *fl_policy_rows(size_t *count);

#endif
