/* SPDX-License-Identifier: MIT */
/* Plain structs as C literals: tables of fields, and what writes them. Private to explain. */
#ifndef FAULTLINE_EXPLAIN_LITERALS_H
#define FAULTLINE_EXPLAIN_LITERALS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One field, or the fields of an array. */
struct field {
    const char *name;
    size_t offset, size, count;
    const char *const *words; /* NULL: a number */
    size_t nwords;
};

/* A table of fields of one struct. */
struct fields {
    const struct field *field;
    size_t n;
};
extern const struct fields cpu_fields;
extern const struct fields kernel_fields;
extern const struct fields task_fields;
extern const struct fields codeseg_fields;
extern const struct fields regs_fields;
extern const struct fields access_fields;
extern const struct fields vma_fields;
extern const struct fields state_fields;
extern const struct fields sh4_fields;
extern const struct fields outcome_fields;
extern const struct fields entry_fields;
extern const struct fields byte_fields;
extern const struct fields pair_fields;
extern const struct fields write_row_fields;
extern const struct fields repro_fields;

/* "{.a = 1, .b = 2}", without those that are zero; broken after four of them. */
void write_fields(FILE *out, const struct fields *fields, const void *at);
/* "    .a = 1,\n" for each that is not zero. */
void write_members(FILE *out, const struct fields *fields, const void *at);
void write_numeral(FILE *out, uint64_t v);
/* n bytes as a C string, in quotes. */
void write_string(FILE *out, const char *text, size_t n);

#endif
