/* SPDX-License-Identifier: MIT */
/*
 * bisect: the commit that made a scenario diverge. The user's repository is read and nothing else: revisions are taken out of
 * it with `git archive` into a folder of the build folder, which is removed again; no branch, worktree, index or
 * refs/bisect of theirs is touched, so that there is nothing to be cleaned up there, whatever happens.
 *
 *   program.c  other programs, with their output, a time limit, and an end when the user wants one
 *   git.c      what is asked of git
 *   build.c    a revision's core as a shared object, or the whole of it
 *   judge.c    clean, diverges, or neither can be said
 *   search.c   halving
 *   command.c  faultline bisect
 */
#ifndef FAULTLINE_TOOLS_BISECT_H
#define FAULTLINE_TOOLS_BISECT_H

#include "../replay/replay.h"
#include "../store/store.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- program.c ----------------------------------------------------------------------------------------------------- */

/* STOPPED: by a signal. NO_FILE: log or a scratch file cannot be written, which error says (without one: it complained). */
enum { RUN_NOT_THERE = -1, RUN_STOPPED = -2, RUN_TOO_LONG = -3, RUN_INTERRUPTED = -4, RUN_NO_FILE = -5 };

/* Runs argv in folder (NULL: where we are). out: NULL, or *out [OUT] is its standard output, malloc'd; what is not taken up
 * goes to log, with standard error (NULL: *error, at most 300 bytes of one line). Answers the exit code, or one of the above. */
struct run {
    const char *const *argv;
    const char *folder, *log;
    char **out;
    char *error;
    unsigned seconds; /* 0: no limit */
};
int program_run(const struct run *r);
/* From now on SIGINT, SIGTERM and SIGHUP end the program that runs, and program_interrupted() says so. */
void program_catch_signals(void);
bool program_interrupted(void);

/* ---- git.c --------------------------------------------------------------------------------------------------------- */

#define REVISION 72

struct git {
    const char *root; /* the project's folder, in a repository or the top of one */
    const char *path; /* only commits that change it count ("core"); NULL: all */
};

struct commit {
    char id[REVISION], brief[REVISION];
    char subject[200], author[100], date[40]; /* of the author, ISO 8601 */
    char *files;                              /* a line each; malloc'd */
};

struct revisions {
    char (*ids)[REVISION];
    size_t n;
};

/* All answer false after one line of complaint. */
bool git_open(const struct git *g);
bool git_resolve(const struct git *g, const char *name, char id[REVISION]);
bool git_is_ancestor(const struct git *g, const char *old, const char *new, bool *is);
/* The last commit up to id that changed g->path (id itself without one); empty: none did. */
bool git_last_change(const struct git *g, const char *id, char out[REVISION]);
/* Commits that bad has and none of the good ones: those that halve best come first; bad is one of them. */
bool git_between(const struct git *g, const char *bad, const struct revisions *good, struct revisions *out);
/* What g->path (the whole without one) holds at id, as one word. Empty: it is not there. */
bool git_content(const struct git *g, const char *id, char out[REVISION]);
/* Puts that into folder, which is there. */
bool git_extract(const struct git *g, const char *id, const char *folder);
bool git_describe(const struct git *g, const char *id, struct commit *out);

/* ---- build.c, judge.c ---------------------------------------------------------------------------------------------- */

enum said { SAID_CLEAN, SAID_DIVERGES, SAID_NOTHING };

struct bisect {
    struct git git;
    bool whole, executor;
    const char *work, *log; /* the folder of its own, and the file for compilers' output */
    struct fl_scenario scenario;
    enum fl_target target;
    char key[STORE_KEY]; /* empty until the bad revision was judged */
    unsigned tested, skipped;
    struct verdict_row {
        char content[REVISION];
        enum said said;
        char why[512];
    } * known; /* revisions with the same content are the same */
    size_t nknown;
};

/* The revision's core as a shared object at so, or its faultline program at so (whole). False: why is one line. */
bool build_revision(const struct bisect *b, const char *id, char so[4096], char why[512]);
/* One revision. NOTHING: why is one line. CLEAN, DIVERGES: with the key. Where b->key is empty, any key is b->key [OUT]. */
enum said judge_revision(struct bisect *b, const char *id, char why[512]);

/* ---- search.c ------------------------------------------------------------------------------------------------------ */

struct found {
    struct revisions first; /* one, or all that may be it where some could not be judged (the last is the bad end) */
    size_t revisions;       /* between good and bad */
};

/* Judges both ends and halves what is between. good and bad: resolved. say: progress, for people (stderr). False: it
 * complained. */
bool search(struct bisect *b, const char *good, const char *bad, bool say, struct found *out);

bool remove_tree(const char *path);

#endif
