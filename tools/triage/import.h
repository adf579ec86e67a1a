/* SPDX-License-Identifier: MIT */
/* import: what of the files and folders that a person names is an input, of which engine, and of which target. */
#ifndef FAULTLINE_TOOLS_TRIAGE_IMPORT_H
#define FAULTLINE_TOOLS_TRIAGE_IMPORT_H

#include <faultline/fuzz/judge.h>

enum import_kind {
    IMPORT_AFL,         /* crashes/id:000000,sig:11,... */
    IMPORT_LIBFUZZER,   /* crash-, timeout-, oom-, leak-, slow-unit- and a digest */
    IMPORT_HONGGFUZZ,   /* SIGSEGV.PC....fuzz */
    IMPORT_CLUSTERFUZZ, /* clusterfuzz-testcase-minimized-fl-TARGET-NNN */
    IMPORT_SCENARIO,    /* .scn */
    IMPORT_OTHER,       /* any other file: its bytes are taken as they are */
    IMPORT_KINDS
};
const char *import_kind_name(enum import_kind kind);

struct import_file {
    char *path;
    enum import_kind kind;
    enum fl_target target; /* FL_TARGET_ALL: nothing tells */
    bool limit;            /* the engine met a limit of time or memory */
};

struct import {
    struct import_file *files;
    size_t n, room;
    uint64_t left_out;   /* files in folders that are no inputs: read-mes, logs, statistics, programs */
    uint64_t unreadable; /* paths that could not be looked at; it complained about each */
};

/* Finds the inputs of all paths. Of an AFL++ instance (and a sync folder of several) that is what is in crashes and hangs, of
 * a campaign folder its findings and artifacts, of any other folder all files but hidden ones and those that engines write
 * about themselves. A file that is named itself is always one. False: out of memory (it complained). */
bool import_find(char *const *paths, size_t n, struct import *out);
void import_free(struct import *import);

/* Reads one: .scn text, or fuzz bytes of any length. False: it complained. */
bool import_read(const struct import_file *file, struct fl_scenario *out);

#endif
