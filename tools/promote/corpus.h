/* SPDX-License-Identifier: MIT */
/*
 * The corpus of regressions: a folder with NNNN-slug.scn and NNNN-slug.expect beside each. What is known about a scenario
 * stands in the comments behind its first line, and nowhere else:
 *
 *   # what was wrong, in a sentence or several lines: the story
 *   # found by: ...
 *   # finding: KEY
 *   # state: crashing since BUILD                          promoted, and not fixed yet
 *   # state: incubating since BUILD, clean under BUILD...  fixed, and not long enough
 *   # state: regression since BUILD                        fixed. No state at all: the same.
 *
 *   corpus.c   the folder, the names, the comments
 *   state.c    the state: read, written, put into a scenario's text
 *   expect.c   .expect files: how the events end
 *   regress.c  holds the corpus against a core (faultline repro --regressions)
 *   promote.c  from a bucket to a new scenario
 *   advance.c  from crashing to incubating to regression
 *   list.c     what is there
 *   command.c  faultline promote
 */
#ifndef FAULTLINE_TOOLS_CORPUS_H
#define FAULTLINE_TOOLS_CORPUS_H

#include "../replay/replay.h"
#include "../store/store.h"

#define CORPUS_BUILDS 9 /* clean builds that are kept: they have to fit a line */

struct corpus_state {
    enum stage stage;        /* NONE: no such comment */
    char since[STORE_BUILD]; /* the build that brought it there; empty: not said */
    unsigned nbuilds;        /* INCUBATING: the builds, each once, under which it stayed clean */
    char builds[CORPUS_BUILDS][STORE_BUILD];
};

struct corpus_entry {
    char *path, *expect; /* of the .scn and of what stands beside it, there or not */
    unsigned number;
    char label[12];      /* the number as the name has it: "0007" */
    char *slug;          /* "loop-of-history-in-exec" */
    char *title;         /* "loop of history in exec" */
    char *story;         /* lines without "# ", each with its end; may be empty */
    char key[STORE_KEY]; /* finding: ...; empty: not said */
    struct corpus_state state;
    char *text; /* of the .scn as it is */
    size_t size;
    struct fl_scenario scenario;
};

struct corpus {
    const char *folder;
    struct corpus_entry *entries; /* by number */
    size_t n;
    unsigned last;  /* the highest number that any name has; 0: none */
    unsigned wrong; /* what it complained about: scenarios that cannot be read, names that are none, numbers twice */
};

/* Reads a folder, or one .scn. Complains about each thing that does not belong there, in one line, and reads the rest. False:
 * it is not there at all; *out is empty. */
bool corpus_read(const char *path, struct corpus *out);
void corpus_free(struct corpus *c);
/* The default folder: corpus/regressions of $FAULTLINE_ROOT. Freed by the caller. NULL: it complained. */
char *corpus_default(void);

/* Has it an executor's part: instructions to run, or accesses to make? Without one such a scenario says nothing. */
bool corpus_needs_executor(const struct fl_scenario *s);
/* The same finding? Crashes and hangs are named by the target under which they were seen, and a regression is judged as all. */
bool corpus_same_key(const char *a, const char *b);
/* A build's name as one word of a line. */
void corpus_build_word(const char *core, char out[STORE_BUILD]);
/* The line that repro prints for a failing record: "record 4 of 9: exec ...", or "the scenario as a whole". */
void corpus_where(const struct fl_scenario *s, unsigned record, char out[300]);

/* ---- state --------------------------------------------------------------------------------------------------------- */

/* Of the comment's text behind "state:". False: it is none of those above. */
bool state_parse(const char *text, struct corpus_state *out);
/* Without "# state: " and line end. */
void state_print(const struct corpus_state *state, char out[1000]);
/* The entry's text with another state, in place of the one it has or as the last comment of the header. malloc'd. */
char *state_replace(const struct corpus_entry *e, const struct corpus_state *state, size_t *size);

/* ---- .expect ------------------------------------------------------------------------------------------------------- */

/* How it compares: see expect_compare(). */
enum expected {
    EXPECTED_SAME,
    EXPECTED_PREFIX, /* the file is incomplete: as far as it goes */
    EXPECTED_OTHER,
    EXPECTED_MISSING, /* there is no such file */
    EXPECTED_BROKEN,  /* it complained: it cannot be read */
};

struct comparison {
    unsigned lines;                  /* that are the same */
    char expected[300], actual[300]; /* OTHER: the first that differs; "nothing more" where one side ends */
};

/* The text for a complete file: the endings, or a comment that there are none. */
char *expect_complete(const char *endings, size_t *size);
/* For one of which only what comes before record (an index) is known. why: "not fixed: finding KEY". */
char *expect_incomplete(const char *endings, unsigned record, const char *why, size_t *size);
enum expected expect_compare(const char *path, const char *endings, struct comparison *out);

#endif
