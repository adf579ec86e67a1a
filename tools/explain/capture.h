/* SPDX-License-Identifier: MIT */
/*
 * What one judging of a scenario showed: the failing event, what it began with, and every call between judge and core in it.
 * Lives in memory that parent and child share, so that it is there when the tested code ends the child. Private to explain.
 */
#ifndef FAULTLINE_EXPLAIN_CAPTURE_H
#define FAULTLINE_EXPLAIN_CAPTURE_H

#include "explain.h"
#include "pin.h"

#include <faultline/fuzz/world.h>

/* Every op of struct fl_ops, in its order. */
enum op {
    OP_READ_ENTRY,
    OP_WRITE_ENTRY,
    OP_FLUSH_LAZY,
    OP_WARN_NMI,
    OP_PGD_LOCK,
    OP_PGD_UNLOCK,
    OP_PGD_NEXT,
    OP_KPROBE,
    OP_PROBE_BYTE,
    OP_LDT,
    OP_IRQ_ENABLE,
    OP_EXTABLE,
    OP_LOCK_TRY,
    OP_LOCK_TAKE,
    OP_LOCK_DROP,
    OP_VMA_FIND,
    OP_VMA_EXPAND,
    OP_MM_FAULT,
    OP_YIELD,
    OP_FATAL_SIGNAL,
    OP_USER_WORD,
    OP_VSYSCALL,
    OP_RATELIMIT,
    OP_LOG,
    OP_SYMBOL,
    OP_FILE_NAME,
    OP_DIE,
    OP_COUNT
};

#define SEEN_OPS    8192 /* of the failing event that are kept; more are counted */
#define SEEN_CALLS  12   /* calls of the core likewise: the last ones */
#define SEEN_WRITES 7680 /* entries that a sync-all is to change */
#define SEEN_TEXT   112
#define SEEN_RAM    ((size_t)FL_RAM_FRAMES << 12)

struct seen_op {
    uint8_t op;       /* enum op */
    bool returned;    /* the world answered; false: the process ended in there */
    bool ok;          /* the answer of an op that answers true or false */
    uint64_t a, b, c; /* its arguments, in order */
    uint64_t d;
    uint64_t r; /* what it answered beside that: a value, a status, a fix-up */
    uint16_t ntext;
    union {
        struct fl_vma vma;    /* VMA_FIND, VMA_EXPAND */
        char text[SEEN_TEXT]; /* LOG, SYMBOL, FILE_NAME */
    } u;
};

/* A snapshot whose arrays are with it; callbacks other than read were asked beforehand. */
struct seen_snapshot {
    struct fl_snapshot s; /* its pointers are not valid: seen_give() */
    struct fl_vma vmas[FL_MAX_VMAS];
    struct fl_extable_entry extable[FL_MAX_EXTABLE];
    uint64_t ldt[FL_MAX_LDT];
    /* instruction bytes at linear[i], with the kernel's accessor [0] and the user's [1] */
    uint64_t linear[FL_WINDOW_BYTES];
    bool within[FL_WINDOW_BYTES]; /* linear[i] is an address that can be read at all */
    bool readable[2][FL_WINDOW_BYTES];
    uint8_t byte[2][FL_WINDOW_BYTES];
    bool has_word; /* at the stack pointer */
    uint64_t word;
    bool has_symbol; /* at ip */
    char symbol[96];
    char file[4][32];
    bool is_sh4;
    struct fl_sh4 sh4;
};

enum call_kind { CALL_NONE, CALL_WALK, CALL_PERMITS, CALL_PREFETCH, CALL_FAULT, CALL_SYNC_ALL, CALL_P3_SYNC };

/* One call of the core's vtable. */
struct seen_call {
    uint8_t kind; /* enum call_kind */
    bool returned;
    enum fl_status status;
    unsigned first_op, nops; /* of op[]; FIRST_GONE: they did not fit */

    uint64_t va;             /* WALK, P3_SYNC */
    struct fl_access access; /* PERMITS */
    struct fl_walk walk;     /* WALK: what it answered; PERMITS: what it was given */
    bool faults;             /* PERMITS */
    uint32_t code;

    struct fl_fault fault; /* PREFETCH, FAULT */
    struct seen_snapshot before;
    bool ignore, want_ignore; /* PREFETCH */
    uint64_t code_linear;     /* PREFETCH: where the bytes of the record begin */
    struct fl_outcome outcome;
    bool decided; /* FAULT: want is valid */
    struct fl_expected want;

    struct fl_sync_all all; /* SYNC_ALL; its callback is not valid */
    struct fl_sync_state state_before, state_after, state_want;
    enum fl_sync_end end, end_want;
    struct fl_sync_expected p3_want; /* P3_SYNC */
    struct fl_effects effects;       /* FAULT, WALK, SYNC_ALL, P3_SYNC: as the world recorded it */
};

enum capture_end { CAPTURE_RUNNING, CAPTURE_CLEAN, CAPTURE_NOTHING, CAPTURE_DIVERGED, CAPTURE_REFUSED };

struct capture {
    /* how it ended; crashed, hung and signal are filled in by the parent */
    enum capture_end end;
    bool crashed, hung, executor_died;
    int signal; /* 0: it exited by itself, with exit_code */
    int exit_code;
    char why[512]; /* REFUSED: one line */
    char key[256];
    uint8_t check;
    char row[96], expected[64], actual[64], detail[512];
    unsigned record; /* nrecords: the scenario as a whole */
    char core_name[48], executor[288];
    char endings[8192];
    char said[4096]; /* what the judge said of the failing event, a line each */
    size_t nsaid;
    struct fl_stats stats;

    /* counters, and where the first judging ended: the second one keeps memory there */
    unsigned events, calls, last_event, last_call;
    /* ... where the first trace ended: further ones run it again under other generations */
    unsigned first_events, first_calls;
    unsigned traced; /* record of the event before, counted from 1 */

    /* the failing event */
    unsigned event_record;
    uint8_t generation; /* under which it was judged */
    struct seen_snapshot begin;
    unsigned ncalls, calls_gone; /* call[] holds the last ncalls, older ones first */
    unsigned nops, ops_gone;
    unsigned nwrites; /* that the last sync-all is to make */
    bool has_ram;     /* ram and after are valid; false: the event was not reached again */

    /* From here on only what the counters above say is valid. */
    struct seen_call call[SEEN_CALLS];
    struct seen_op op[SEEN_OPS];
    struct fl_entry_write write[SEEN_WRITES];
    uint8_t ram[SEEN_RAM];   /* before the last call of the core; without one, before the event */
    uint8_t after[SEEN_RAM]; /* when that call had returned */
    struct pin_capture pin;
};

/* Judges s twice, each time in a child. NULL: it complained. To be freed with capture_free(). */
struct capture *capture_run(const struct fl_scenario *s, const struct explain_options *options, enum fl_target target);
void capture_free(struct capture *c);
bool capture_diverges(const struct capture *c); /* diverged, crashed, hung */

/* The last call of that kind, or NULL. CALL_NONE: of any kind. */
const struct seen_call *capture_call(const struct capture *c, enum call_kind kind);

/* fl_read_fn over c->ram and c->after; ctx is the capture. */
bool capture_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);
bool capture_read_after(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);

/* A snapshot to hand to an oracle: reads c->ram; bytes, words and symbols beyond those that were asked are not there. */
void capture_snapshot(struct capture *c, const struct seen_snapshot *seen, struct fl_snapshot *out);

/* ---- record.c ---- */
/* The core that the judge is given in place of tested: it passes everything on and keeps it in c. One at a time. */
const struct fl_core *record_core(struct capture *c, const struct fl_scenario *s, const struct fl_core *tested);
/* The watch of the judge: a new event begins. */
void record_event(void *ctx, unsigned record, struct fl_world *world);
const char *op_name(enum op op);

#endif
