/* SPDX-License-Identifier: MIT */
/*
 * Walk vectors: one page-walk question and its answer per line of a text file, plain or gzip-compressed. The format has
 * 15 columns, one space apart: mode maxphyaddr vendor cr0 cr4 efer ac pkru pkrs cr3 va access entries expect after. The
 * tests' data folder has a README that describes each.
 *
 * The reader streams and checks; a judge holds an answer, from whoever gave it, against what the vector expects.
 */
#ifndef FAULTLINE_ORACLE_VECTORS_H
#define FAULTLINE_ORACLE_VECTORS_H

#include <faultline/oracle/arch.h>

#define FL_VECTOR_MAX_ACCESSES 4
#define FL_VECTOR_MAX_ENTRIES  64    /* of column 13, and of column 15 */
#define FL_VECTOR_MAX_LINE     65535 /* bytes, without the line feed */
#define FL_VECTOR_CLASS_SIZE   32
#define FL_VECTOR_LINE_SIZE    256

struct fl_vector_entry {
    uint64_t paddr; /* aligned to the entry size of the mode, below 2^52 */
    uint64_t value;
};

struct fl_vector_after {
    uint64_t paddr;
    uint64_t value;
    uint64_t ignored; /* bits that are not compared */
};

struct fl_vector {
    uint64_t line; /* where it stands, from 1 */
    struct fl_cpu cpu;
    uint8_t entry_size; /* 4 or 8 bytes, as the mode has it */

    /* In order. The last is the judged one; the outcome of the others is ignored and their A/D updates stay. */
    uint8_t naccesses;
    struct fl_access accesses[FL_VECTOR_MAX_ACCESSES];

    /* Memory before the first access; sorted by address, every other entry is 0, and there is memory everywhere. */
    uint8_t nentries;
    struct fl_vector_entry entries[FL_VECTOR_MAX_ENTRIES];

    /* FL_ARCH_OK, FL_ARCH_PF or FL_ARCH_GP. */
    uint8_t expect;
    uint32_t error_code; /* FL_ARCH_PF */
    bool has_paddr;      /* FL_ARCH_OK: the translation is expected to be paddr */
    uint64_t paddr;

    uint8_t nafter;
    struct fl_vector_after after[FL_VECTOR_MAX_ENTRIES];
};

/* Why a file was refused. line and column count from 1; both are 0 when the file as a whole is meant. The text says
 * what was expected, without file name or position, and is one line. */
struct fl_vectors_error {
    uint64_t line;
    uint32_t column;
    char text[160];
};

struct fl_vectors;

/* Opens a file; "-" is not special. FL_OK: *out [OUT] is to be closed. FL_FAILED: it cannot be opened or is a folder;
 * FL_NO_MEMORY; *error [OUT] then says why. FL_INVALID: NULL. */
enum fl_status fl_vectors_open(const char *path, struct fl_vectors **out, struct fl_vectors_error *error);

/* The next vector; comments and empty lines are passed over. FL_OK: *end [OUT] is false and *out [OUT] is whole, or
 * *end is true and the file ended properly. FL_INVALID: a malformed line; FL_FAILED: the file cannot be read to its end
 * (an I/O error, a damaged or cut-off gzip stream); *error [OUT] says where and what was expected. After an answer
 * other than FL_OK, and after the end, the same answer is given again. */
enum fl_status fl_vectors_next(struct fl_vectors *v, struct fl_vector *out, bool *end, struct fl_vectors_error *error);

/* NULL is allowed. */
void fl_vectors_close(struct fl_vectors *v);

/* Mode and expectation, for counting: "4level pf:9", "pae gp", "2level ok". buf [OUT] is always terminated. */
void fl_vector_class(const struct fl_vector *v, char buf[FL_VECTOR_CLASS_SIZE]);

/* What somebody answers to a vector. */
struct fl_vector_answer {
    uint8_t kind;        /* enum fl_arch_kind */
    uint32_t error_code; /* FL_ARCH_PF */
    bool has_paddr;      /* FL_ARCH_OK: paddr is known; where it is not, it is not compared */
    uint64_t paddr;
    uint64_t after[FL_VECTOR_MAX_ENTRIES]; /* the value now in the entry at after[i].paddr of the vector */
};

struct fl_vector_verdict {
    bool matches;
    uint32_t compared;              /* outcome, error code, translation and entries that were compared: at least 1 */
    char line[FL_VECTOR_LINE_SIZE]; /* the first difference, "expected ..., got ...", one line; "" if there is none */
};

/* Holds an answer against the vector. *verdict [OUT] is whole. */
void fl_vector_judge(const struct fl_vector *v, const struct fl_vector_answer *answer,
                     struct fl_vector_verdict *verdict);

/* The same for the answer of the architectural walk, which is asked here: one walk per access, and each one's A/D
 * updates are applied before the next. FL_OK: *verdict [OUT] is whole. FL_INVALID: the walk refused the vector's
 * processor. */
enum fl_status fl_vector_judge_arch(const struct fl_vector *v, struct fl_vector_verdict *verdict);

#endif
