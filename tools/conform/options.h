/* SPDX-License-Identifier: MIT */
#ifndef FAULTLINE_TOOLS_CONFORM_OPTIONS_H
#define FAULTLINE_TOOLS_CONFORM_OPTIONS_H

#include "conform.h"

#define MOST_PREFIXES 3u
#define MAX_MERGE     64u

struct conform_options {
    struct space space;
    bool proof;
    unsigned jobs, hang_seconds;
    unsigned shard, shards; /* blocks whose number modulo shards is shard */
    const char *decoders, *execute, *core, *state, *html, *report;
    const char *merge[MAX_MERGE];
    unsigned nmerge;
    bool json, csv, all, quiet;
    bool core_given;                        /* core is not from the environment */
    bool decoders_default, execute_default; /* they were not given: who cannot be asked is left out with a line */
    uint8_t bytes[STRING_BYTES];            /* --bytes */
    unsigned nbytes;

    unsigned ncolumns; /* set by options_columns */
};

/* Exits with 2 and one line on a mistake, and with 0 after --help. */
void options_parse(int argc, char **argv, struct conform_options *o);

/* The columns that they name, not yet described. False: why. */
bool options_columns(struct conform_options *o, struct column columns[MAX_COLUMNS], char why[256]);

/* The command that makes the same report: what a report depends on, and nothing else. */
void options_command(const struct conform_options *o, const struct column *columns, char *out, size_t size);

#endif
