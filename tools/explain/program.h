/* SPDX-License-Identifier: MIT */
/* A C program about a finding, in the making. Private to explain. */
#ifndef FAULTLINE_EXPLAIN_PROGRAM_H
#define FAULTLINE_EXPLAIN_PROGRAM_H

#include "program_types.h"
#include "sections.h"

#define PROGRAM_ENTRIES 4096
#define PROGRAM_TABLES  512

/* What struct repro points into. */
struct program {
    struct repro repro;
    struct repro_entry entries[PROGRAM_ENTRIES];
    uint64_t tables[PROGRAM_TABLES];
    struct repro_pair extable[FL_MAX_EXTABLE], words[8];
    struct repro_byte bytes[2 * FL_WINDOW_BYTES + 32];
    uint64_t window[FL_WINDOW_BYTES];
    struct repro_write writes[SEEN_WRITES];
    char files[4][32], symbol[96];
    bool full; /* something did not fit */
};

/* ---- program_data.c ---- */
/* Why a finding cannot be shown by one call of the core; NULL: it can. */
const char *program_refusal(const struct capture *c);
/* The last call of the core and what is expected of it, right or wrong. False: why [OUT] says what is missing. */
bool program_fill(struct program *p, const struct subject *x, char why[512]);

/* ---- program_memory.c ---- */
/* Every table entry that the call may ask for. */
void program_memory(struct program *p, const struct subject *x);

/* ---- program_text.c ---- */
void program_write(FILE *out, const struct program *p, const struct subject *x, const char *title);

#endif
