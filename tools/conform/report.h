/* SPDX-License-Identifier: MIT */
/* What a conformance run came to, in a form that every output is written from: text, JSON, CSV, HTML, bug reports. */
#ifndef FAULTLINE_TOOLS_CONFORM_REPORT_H
#define FAULTLINE_TOOLS_CONFORM_REPORT_H

#include "pool.h"

#include <jansson.h>
#include <stdio.h>

/* ---- classes --------------------------------------------------------------------------------------------------------- */

/* Strings of a class that got the same answers. */
struct answers {
    uint8_t answer[MAX_COLUMNS];
    uint64_t count;
    uint8_t example[STRING_BYTES]; /* the shortest, then the first */
    uint8_t length, readable, mode;
};

#define MAX_ANSWERS 8u

/* What one column's answer in a class is, seen against the others. */
enum standing {
    STANDS_FINE,     /* as the rule says, or (a decoder that the list does not know) as silicon does */
    STANDS_EXPECTED, /* differs from the rule, as a row of the list says */
    STANDS_UNKNOWN   /* differs, and no row says so: a finding */
};

/* ... and seen against silicon. */
enum against {
    AGAINST_NOTHING, /* no processor was asked, or it agrees */
    AGAINST_NAME,    /* runs on silicon, but is no prefetch where it is called one, or one where it is called a nop */
    AGAINST_SILICON  /* rejected, cut or split where silicon runs it; accepted where silicon raises #UD or #GP */
};

/* A product of sets of attributes in which every string got the same answers, or (uniform below 1) keys whose strings are
 * mixed in the same way. Bit v of set[a]: strings whose attribute a has the value v may be in it; of seen[a]: some are.
 * Products may overlap; a string is counted in the first class that has it. */
struct class
{
    enum axis axis;
    uint32_t set[ATTR_COUNT], seen[ATTR_COUNT];
    uint64_t count;
    bool rule;                           /* the rule says prefetch */
    unsigned nanswers;                   /* how many different ones there are; at most MAX_ANSWERS are kept */
    struct answers answers[MAX_ANSWERS]; /* the most frequent first */
    uint8_t loads;                       /* enum loads, of the first answers */
    uint8_t standing[MAX_COLUMNS];       /* enum standing: the worst among its answers */
    const struct fl_decode_row
        *row[MAX_COLUMNS];        /* EXPECTED: the row of its first answers, or of the first that has one */
    uint8_t against[MAX_COLUMNS]; /* enum against */
    unsigned surprise;            /* higher: looked at first; see class_surprise in judge.c */
};

/* "0F 0D /3-7 mem", "64-bit", "LOCK, no REP after it": each in a buffer that the caller has. */
void class_form(const struct class *c, char *out, size_t size);
void class_modes(const struct class *c, char *out, size_t size);
void class_prefixes(const struct class *c, char *out, size_t size);
/* "66 0f 18 00" */
void bytes_text(const uint8_t *bytes, unsigned n, char *out, size_t size);
/* Share of the strings that got the most frequent answers, 0..1. */
double class_uniformity(const struct class *c);

/* The classes of sorted cells, axis by axis. NULL: no memory. */
struct class *classes_of(const struct cell *cells, uint32_t ncells, uint32_t *nclasses);

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

struct report {
    char command[2048]; /* that makes this report again */
    struct space space;
    const struct column *columns;
    unsigned ncolumns;
    struct class *classes; /* by axis, then the most surprising first */
    uint32_t nclasses;
    uint64_t strings, of_axis[AXIS_COUNT];
    uint64_t controls; /* of probes, passed */
    const struct incident *incidents;
    unsigned nincidents;
    const bool *dropped;
    uint64_t fired[MAX_ROWS]; /* by row of fl_decode_rows(): strings that it explains */
    bool whole;               /* everything was asked that a row can be about: stale rows can be told */
    uint32_t unknown;         /* classes with a column of STANDS_UNKNOWN */
    uint32_t unknown_cells;   /* ... kinds of answers, whether their class keeps them or not */
    uint32_t stale;           /* rows for these columns' versions that explain nothing; 0 unless whole */
    json_t *proof;            /* NULL: none was made. {"verdict": ..., "text": paragraph, ...} */
    bool refuted;             /* the proof found a counterexample */
};

/* Does the row apply to a column of this report, and explain nothing in a whole run? */
bool row_is_stale(const struct report *r, size_t row);

/* One column's answer to one string, a's example. *row [OUT]: STANDS_EXPECTED, else NULL. */
enum standing conform_standing(const struct column *columns, unsigned ncolumns, enum axis axis, const struct answers *a,
                               unsigned c, const struct fl_decode_row **row);

/* Judges every class of r: standing, against, surprise, fired, unknown, stale; and sorts them. */
void conform_judge(struct report *r, const struct cell *cells, uint32_t ncells);

/* Does anybody differ here from the rule or from silicon, or are the answers mixed? */
bool class_is_disputed(const struct class *k, const struct report *r);

/* One verdict against silicon's verdict. */
enum against conform_against(uint8_t said, uint8_t silicon, enum loads loads);

/* The column of this machine's own processor; -1: it was not asked. */
int conform_silicon(const struct column *columns, unsigned ncolumns);

/* What stands in a column of a table: "prefetchw", "#UD", "loads the line". */
const char *shown_answer(const struct column *column, const struct class *k, unsigned c);

void conform_text(const struct report *r, bool all, FILE *out);
json_t *conform_json(const struct report *r);
void conform_csv(const struct report *r, FILE *out);
/* One self-contained page. */
void conform_html(const struct report *r, FILE *out);
/* A text for each class in which that column contradicts silicon; *written [OUT]: how many. False: no memory. */
bool conform_bugs(const struct report *r, const struct cell *cells, uint32_t ncells, unsigned column, FILE *out,
                  unsigned *written);

#endif
