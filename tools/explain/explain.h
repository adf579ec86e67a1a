/* SPDX-License-Identifier: MIT */
/*
 * explain: a finding as a good bug report. Everything that is shown comes from judging the scenario under the present
 * build, in a child process; a bucket adds only what is known of the past (seen, count, severity, status).
 *
 *   capture.c    the child: judges twice, keeps what the failing event began with and every op that the core called
 *   record.c     the recording core: stands between the judge and the tested core; record_ops.c its ops
 *   document.c   sections, paragraphs, tables; document_text.c, _markdown.c, _html.c write them out
 *   entry.c      a table entry by name (SDM, APM)
 *   tree.c       page tables as a tree
 *   reference.c  tables beside their reference: vmalloc, SH4, sync-all
 *   machine.c    the machine in a few lines
 *   space.c      the address space
 *   timeline.c   the trace
 *   calls.c      what the core did
 *   oracles.c    what the oracles say, with their sources
 *   pin_*.c      findings of pinning: pin_record.c the child's side (pin.h what it keeps), pin_story.c who did what,
 *                pin_memory.c areas, tables and frames, pin_calls.c every op, pin_oracles.c views and rules
 *   report.c     the whole
 *   sarif.c      SARIF 2.1.0
 *   program.c    a C program that shows the difference: program_data.c, program_memory.c what it holds, program_text.c and literals.c its
 *                text; program_types.h, program_world.c, program_kernel.c, program_facts.c are the parts that are always the same
 *   command.c    faultline explain
 */
#ifndef FAULTLINE_TOOLS_EXPLAIN_H
#define FAULTLINE_TOOLS_EXPLAIN_H

#include "../store/store.h"

#include <faultline/fuzz/judge.h>
#include <stdbool.h>
#include <stdio.h>

enum explain_form {
    EXPLAIN_TEXT,     /* at most options.width columns, but for the scenario itself */
    EXPLAIN_MARKDOWN, /* GitHub's */
    EXPLAIN_HTML,     /* one <article class="explain">, for a page that has its own head; well-formed XML as well */
    EXPLAIN_JSON,     /* one object */
};

struct explain_options {
    const char *core;                 /* shared object of a foreign core; NULL: the one in this tree */
    bool campaigns_core;              /* core is the one that the campaign was started with: say so */
    const struct fl_core *layered;    /* a core in this process (tests); before core */
    const struct fl_gup *layered_gup; /* likewise: pinning */
    enum fl_target target;            /* FL_TARGET_ALL when not known; a bucket's own comes before it */
    bool no_executor;
    bool no_decoders;
    unsigned seconds;  /* a scenario that takes longer hangs; 0: 30 */
    bool ascii;        /* TEXT: no line drawing, nothing beyond ASCII */
    bool colour;       /* TEXT: with escape sequences of a terminal */
    unsigned width;    /* TEXT: columns; 0: 80 */
    const char *path;  /* of the scenario, as a reader would name it; NULL: not in a file */
    unsigned headings; /* HTML, MARKDOWN: level of the title's heading; 0: 1 */
    const char *ids;   /* HTML: what ids and anchors begin with, letters and digits; NULL: none are given */
};

/* What a judging now came to. */
struct explain_verdict {
    bool reproduces; /* something disagreed */
    bool same;       /* ... with the bucket's key (without a bucket: as reproduces) */
    char key[256];   /* empty: nothing disagreed */
    char title[200];
    unsigned record; /* index of the failing record; nrecords: the scenario as a whole */
};

/* Judges s and writes the explanation. bucket may be NULL; verdict [OUT] may be NULL. False: the scenario could not be
 * judged at all (a core that does not load, no memory), and it complained, or out reported an error. Takes twice the
 * judging, and a sixth more than options->seconds where it hangs. */
bool explain_write(FILE *out, enum explain_form form, const struct fl_scenario *s, const struct bucket *bucket,
                   const struct explain_options *options, struct explain_verdict *verdict);

/* A standalone C program that calls the core as the judge did and shows the difference. False, and nothing is written:
 * why [OUT] is one line that says what kind of finding this is and why no single call of the core shows it, or that it
 * does not reproduce; *unable [OUT] tells that (true) from an error of the judging or of out (false). */
bool explain_program(FILE *out, const struct fl_scenario *s, const struct bucket *bucket,
                     const struct explain_options *options, bool *unable, char why[512]);

/* One result of a SARIF log. */
struct explain_result {
    struct bucket bucket; /* key, title, severity, detail and so on */
    char path[1000];      /* of the .scn, from the campaign folder where it is one of its files */
    bool in_folder;       /* ... it is */
    unsigned line;        /* of the failing record there, from 1; 0: none */
    char record[256];     /* that line's text, canonical; empty: none */
};
/* Fills *out from a scenario's text (or fuzz bytes: no line) and a bucket. */
void explain_result(struct explain_result *out, const struct bucket *bucket, const char *path, bool in_folder,
                    const char *text, size_t size);
/* A whole SARIF 2.1.0 log with one run. folder: what paths are relative to that are in_folder, "CAMPAIGN" in the log; NULL where
 * none is. False: out reported an error, or there is no memory. */
bool explain_sarif(FILE *out, const struct explain_result *results, size_t n, const char *folder);

#endif
