/* SPDX-License-Identifier: MIT */
/*
 * What the parts of `faultline conform prefetch` share: columns (who answers), verdicts (what is answered), strings
 * (what is asked), cells (answers counted).
 *
 *     axes.c  strings ------> worker.c (columns answer, in processes of their own) ------> cells.c
 *     cells --> classes.c (minimal classes) --> judge.c (expected, unknown, stale) --> text, json, csv, html, bug reports
 */
#ifndef FAULTLINE_TOOLS_CONFORM_H
#define FAULTLINE_TOOLS_CONFORM_H

#include <faultline/fuzz/plugin_core.h>

#include <faultline/oracle/decode.h>
#include <faultline/oracle/probe.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- columns ----------------------------------------------------------------------------------------------------- */

#define MAX_COLUMNS 12u

enum column_kind {
    COLUMN_CORE,    /* the fault-handling core's scanner: prefetch or not */
    COLUMN_DECODER, /* a disassembler */
    COLUMN_PROBE    /* a processor */
};

/* Who answers. Plain data: each worker process opens what stands behind it for itself. */
struct column {
    uint8_t kind;     /* enum column_kind */
    char name[16];    /* what reports and expected differences call it */
    char version[24]; /* of what runs */
    char host[64];    /* probes: the processor */
    char path[640];   /* of a plug-in; empty: linked in */
    bool built_in;    /* ... that is one of our own: it has a name for --decoders */
    uint64_t digest;  /* of its file: one that was built again says other things under the same name and version */
    unsigned modes;   /* FL_DECODES_16 | ... */
};

/* What stands behind a column in this process. */
struct answerer {
    const struct column *column;
    struct plugin_core plugin; /* handle NULL: the core of this tree */
    const struct fl_core *core;
    struct fl_decoder *decoder;
    struct fl_probe *probe;
};

/* Opens it; NULL or one line. When the column's version is empty, it is filled in (the first opening, in the parent). */
bool answerer_open(struct column *c, struct answerer *out, char why[256]);
/* False: a probe's last controls failed (why). */
bool answerer_close(struct answerer *a, char why[256]);

struct batch;
/* Its answers to the strings of b, into answers[i][column]. *at [OUT] is kept at the string that is being asked, for whoever
 * looks when this process has died. skip[i] that is not 0 is taken as the answer, without asking; NULL: none. False: a probe
 * failed (why). */
bool answerer_ask(struct answerer *a, const struct batch *b, unsigned column, uint8_t (*answers)[MAX_COLUMNS],
                  volatile uint32_t *at, const uint8_t *skip, char why[256]);

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

/* One column's answer to one string, in a byte: enum verdict in the low half; in the high half, of V_PREFETCH, enum
 * fl_prefetch_hint, and of V_RAN, once that was measured, enum loads. */
enum verdict {
    V_NONE,       /* not asked: a mode or an axis that is not the column's */
    V_PREFETCH,   /* a prefetch */
    V_NOP,        /* a (hint) nop */
    V_OTHER,      /* some other instruction comes first */
    V_INVALID,    /* no instruction; on a processor: #UD */
    V_SPLIT,      /* a prefix is split off as an instruction of its own */
    V_INCOMPLETE, /* the bytes end inside the instruction */
    V_TOO_LONG,   /* longer than 15 bytes; on a processor: #GP */
    V_LENGTH,     /* a prefetch or nop, but of another length */
    V_RAN,        /* a processor ran it and nothing changed: a prefetch or a nop */
    V_NO,         /* the core: not a prefetch */
    V_FAULT,      /* a processor raised something else, or the ip was somewhere else */
    V_CRASHED,    /* the decoder or core crashed */
    V_HUNG,       /* ... did not come back */
    V_COUNT
};

/* Does silicon bring the operand's line into the cache? */
enum loads { LOADS_NOT_ASKED, LOADS_YES, LOADS_NO, LOADS_UNSURE };

static inline uint8_t verdict_of(uint8_t answer)
{
    return answer & 15;
}
static inline uint8_t hint_of(uint8_t answer)
{
    return answer >> 4;
}

/* "prefetch", "nop" ...; and of a whole answer, with its hint: "prefetchw". */
const char *verdict_name(enum verdict v);
const char *answer_name(uint8_t answer);
/* One letter for matrices: P N O I S C(ut) L(ong) ... */
char verdict_letter(enum verdict v);

uint8_t answer_of_decoder(struct fl_decoded said, unsigned length);
uint8_t answer_of_probe(enum fl_probe_end end, unsigned length);

/* What the judge of expected differences is told of an answer. */
struct fl_decoded decoded_of(uint8_t answer, unsigned length);

/* ---- strings ----------------------------------------------------------------------------------------------------- */

enum axis {
    AXIS_SPACE,     /* 0..N prefixes, 0F 0D and 0F 18, every ModRM */
    AXIS_RUNS,      /* runs of 4..15 prefixes: the 15-byte limit */
    AXIS_CUTS,      /* the bytes end, or cannot be read, at each index */
    AXIS_LEADS,     /* every three bytes */
    AXIS_ENCODINGS, /* VEX, EVEX, MVEX, XOP and REX2 where prefetches may hide */
    AXIS_COUNT
};

/* What a cell is keyed by: the attributes of a string, each a small number. */
enum attribute {
    ATTR_MODE,     /* 0 = 16, 1 = 32, 2 = 64 */
    ATTR_OPCODE,   /* 0 = 0F 0D, 1 = 0F 18; leads and encodings: the kind of lead */
    ATTR_REGISTER, /* ModRM.mod == 3 */
    ATTR_REG,      /* ModRM.reg */
    ATTR_RIP,      /* 64-bit code: RIP-relative */
    ATTR_A,        /* runs: enum limit; cuts: enum cut; leads and encodings: 1 = nothing explains it; else 0 */
    ATTR_B,        /* runs: prefixes; cuts: enum limit; else 0 */
    ATTR_FEATURES, /* the first of FL_FEATURE_MAX attributes of one bit each */
    ATTR_COUNT = ATTR_FEATURES + FL_FEATURE_MAX
};

enum limit {
    LIMIT_NOT_MET,    /* the instruction has at most 15 bytes */
    LIMIT_IN_OPERAND, /* its opcode ends within 15 bytes, its operand does not */
    LIMIT_IN_OPCODE   /* the second byte of its opcode is the sixteenth or a later one */
};

enum cut { CUT_PREFIX, CUT_ESCAPE, CUT_OPCODE, CUT_MODRM, CUT_SIB, CUT_DISPLACEMENT };

/* Packed: axis 3 bits, mode 2, opcode 3, register 1, reg 3, rip 1, a 5, b 5, features 20. */
typedef uint64_t cell_key;
#define FEATURES_AT 20u

cell_key key_make(enum axis axis, unsigned mode, unsigned opcode, bool is_register, unsigned reg, bool rip, unsigned a,
                  unsigned b, uint32_t features);
enum axis key_axis(cell_key key);
unsigned key_get(cell_key key, unsigned attribute);
cell_key key_with(cell_key key, unsigned attribute, unsigned value);
/* How many values the attribute has: at most 32. */
unsigned attribute_values(unsigned attribute);

#define BATCH_STRINGS 512u
#define STRING_BYTES  18u

/* Which strings of the space a batch holds, but for the values of their prefixes: the next unit is mostly of the same. */
struct made {
    bool space;
    uint8_t mode, prefixes, tail;
    bool address16;
};

/* The strings of one unit of an axis; all zero before the first. */
struct batch {
    struct made made; /* axis_fill's own */
    unsigned n, bits;
    bool execute;                               /* processors are asked as well */
    uint8_t bytes[BATCH_STRINGS][STRING_BYTES]; /* zero behind length */
    uint8_t length[BATCH_STRINGS];              /* whole instruction, by the form; more than STRING_BYTES: cut to it */
    uint8_t readable[BATCH_STRINGS]; /* of these, bytes that can be read: at most 16 are handed to decoders */
    cell_key key[BATCH_STRINGS];
};

/* What is asked, as options say. */
struct space {
    unsigned modes;    /* FL_DECODES_16 | ... */
    unsigned prefixes; /* 0..3: most prefixes of AXIS_SPACE */
    unsigned axes;     /* 1 << enum axis */
    bool operands;     /* SIB and displacement classes as well, not only zero bytes */
};

/* Units of an axis in one mode: unit u is a batch that fill() makes. A string's index is unit * BATCH_STRINGS + place. */
uint32_t axis_units(const struct space *s, enum axis axis);
void axis_fill(const struct space *s, enum axis axis, unsigned mode, uint32_t unit, struct batch *out);
/* The length of an instruction of the form of a prefetch behind that many prefixes; at most STRING_BYTES. */
unsigned axis_length(const uint8_t bytes[STRING_BYTES], unsigned prefixes, unsigned mode);
const char *axis_name(enum axis axis);
const char *axis_meaning(enum axis axis);
static inline unsigned mode_bits(unsigned mode)
{
    return 16u << mode;
}

/* ---- cells ------------------------------------------------------------------------------------------------------- */

/* Strings of one key that got the same answers from all columns. */
struct cell {
    cell_key key;
    uint64_t count;                /* 0: an empty place */
    uint64_t first;                /* lowest index: the shortest example */
    uint8_t answer[MAX_COLUMNS];   /* by column */
    uint8_t example[STRING_BYTES]; /* its bytes */
    uint8_t length, readable;      /* of the example */
};

/* A table in memory that its owner provides (workers: shared). Capacity is a power of two. */
struct cells {
    uint32_t capacity, used;
    bool full; /* something was not counted: the run is void */
    struct cell *cell;
};

void cells_clear(struct cells *t);
/* The place of (key, answers), new or old; NULL when full. */
struct cell *cells_find(struct cells *t, cell_key key, const uint8_t answer[MAX_COLUMNS]);
void cells_add_batch(struct cells *t, const struct batch *b, uint64_t first_index, uint8_t (*answers)[MAX_COLUMNS]);
/* Adds every cell of from. False: full. */
bool cells_merge(struct cells *t, const struct cells *from);
/* Sorted by key, then answers: an array of used cells in new memory; the table is not changed. NULL: no memory. */
struct cell *cells_sorted(const struct cells *t);

#endif
