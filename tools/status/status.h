/* SPDX-License-Identifier: MIT */
/*
 * faultline campaign status: what a campaign folder says of itself, read from its database without a word to the supervisor,
 * so that it works while the campaign writes, after it has stopped and after it was killed.
 *
 *   command.c  the options; which of the forms below
 *   read.c     one consistent look at the database
 *   text.c     what is said, as lines: for the table and for the terminal alike
 *   panes.c    the lines of each pane
 *   json.c     the same for machines
 *   tui.c      live on a terminal (ncurses)
 */
#ifndef FAULTLINE_TOOLS_STATUS_H
#define FAULTLINE_TOOLS_STATUS_H

#include "../store/runs.h"

/* ---- what was read ----------------------------------------------------------------------------------------------------- */

struct history {
    struct sample *sample; /* in order of time */
    size_t n, room;
};

/* Cells by what they are about: the first word of their names. */
enum { CELL_KINDS = 9 };

struct status {
    char *folder;
    int64_t now; /* unix: when it was read */
    struct run run;
    enum presence presence;
    struct history history[FL_TARGET_COUNT]; /* FL_TARGET_ALL: of the campaign */
    struct job *jobs;
    size_t njobs;
    struct bucket *buckets; /* in the order in which people want them */
    size_t nbuckets;
    uint64_t open[SEVERITIES];           /* findings that are open or regressions */
    uint64_t by_status[BUCKET_STATUSES]; /* findings */
    uint64_t aside;
    uint64_t cells, cells_of[FL_TARGET_COUNT];
    uint64_t kind_hit[CELL_KINDS];
    struct {
        unsigned cell;
        double at;
    } newest[8]; /* cells that were seen last, the last one first */
    unsigned nnewest;
    struct shard *shards;
    size_t nshards;
    char targets[100], engines[100]; /* options */
};

extern const char *const cell_kinds[CELL_KINDS];

/* Reads all of it anew into *out, which is zero or was read before. False: it complained, and *out is as it was or empty. */
bool status_read(struct store *s, struct status *out);
void status_free(struct status *out);

/* Running seconds of the campaign. */
double status_ran(const struct status *s);
/* Of the newest sample; zeros where there is none. */
struct sample status_now(const struct status *s, enum fl_target target);
/* Per second, of the jobs that work; 0 when nobody does. */
double status_rate(const struct status *s, enum fl_target target, bool events);
/* Findings that are open or regressions. */
uint64_t status_open(const struct status *s);

/* ---- as lines ---------------------------------------------------------------------------------------------------------- */

enum style { PLAIN, HEAD, GOOD, WARN, BAD, DIM, STYLES };

struct line {
    enum style style;
    char text[1000];
};

struct lines {
    struct line *line;
    size_t n, room;
    unsigned width; /* columns to write for; at least 40 */
    bool utf8;      /* sparklines of blocks, else of letters */
};

void lines_clear(struct lines *l);
void lines_free(struct lines *l);
void lines_add(struct lines *l, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* As lines_add, but broken at blanks into as many lines as the width asks for; those after the first start two columns further
 * to the right. */
void lines_wrap(struct lines *l, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));

const char *text_bytes(uint64_t n, char buf[24]);
const char *text_span(double seconds, char buf[32]);
const char *text_when(int64_t unix_seconds, char buf[32]);
/* The first bytes of UTF-8 text that take at most columns; *used [OUT, may be NULL] the columns that they take. */
size_t text_fits(const char *text, unsigned columns, unsigned *used);

enum field { FIELD_EXECUTIONS, FIELD_EDGES, FIELD_CELLS, FIELD_CORPUS };
/* How a figure went from the first second to now, in `columns` characters of a logarithmic time axis (most of what happens
 * happens early); empty when there are no two samples. */
const char *text_spark(const struct history *h, enum field field, unsigned columns, bool utf8, char *out, size_t size);

/* What is always on top. */
void status_head(const struct status *s, struct lines *l);

enum pane { PANE_TARGETS, PANE_JOBS, PANE_FINDINGS, PANE_CELLS, PANE_SHARDS, PANES };
const char *pane_name(enum pane pane);
void status_pane(const struct status *s, enum pane pane, struct lines *l);

/* ---- the forms --------------------------------------------------------------------------------------------------------- */

/* All panes, one after the other, to stdout. */
void status_table(const struct status *s, bool colour);
void status_json(const struct status *s);
/* Until somebody quits. False: this terminal cannot (nothing was drawn): use the table. *code [OUT]: exit code. */
bool status_tui(struct store *store, struct status *s, double every, int *code);

/* faultline campaign status [DIR]: an exit code. */
int campaign_status(int argc, char **argv);

#endif
