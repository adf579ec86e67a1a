/* SPDX-License-Identifier: MIT */
/*
 * faultline report: a campaign's folder as one HTML page that needs nothing beside it and fetches nothing.
 *
 *   command.c   the options
 *   read.c      what is shown, read at one moment
 *   page.c      the order of the sections; the verdict and the figures on top
 *   charts.c    curves over time: a table each, from which page.js has Chart.js draw a picture
 *   heat.c      decisions by paging mode, outcome and error code
 *   findings.c  the buckets, each explained anew by this build
 *   lists.c     jobs, runs, what the campaign was asked for
 *   zoo.c       results of bug benchmarks, from zoo.json
 *   source.c    the annotated source: made by source.sh, or elsewhere
 *   library.c   Chart.js, as the system has it
 *   page.css, page.js, page.S
 *
 * Every figure of a chart is in a table of the page; without script, or without Chart.js, the tables are what is shown.
 */
#ifndef FAULTLINE_TOOLS_REPORT_H
#define FAULTLINE_TOOLS_REPORT_H

#include "../html/html.h"
#include "../status/status.h"

struct cell_seen {
    enum fl_target target;
    double at; /* running seconds */
};

struct named {
    char *name, *value;
};

struct zoo;

struct report {
    struct status s;
    struct decisions decisions;
    struct cell_seen *cells; /* in order of time */
    size_t ncells;
    struct run *runs;
    size_t nruns;
    struct named *options;
    size_t noptions;
    struct zoo *zoo;  /* NULL: there is no zoo.json */
    char *library;    /* Chart.js; NULL: it is not here */
    char *source;     /* address of the annotated source; NULL: none is given */
    const char *core; /* a foreign core to explain with; NULL: the one in this tree */
    bool own_core;    /* ... the one that the campaign was started with */
    bool explain;     /* judge the findings anew, with this build */
};

/* False: it complained. What could be read of the rest is in *out all the same; report_free() in either case. */
bool report_read(struct store *store, struct report *out);
void report_free(struct report *r);

/* The whole page. False: out reported an error. */
bool report_html(const struct report *r, FILE *out);

/* Sections, in the order of the page. */
void report_charts(const struct report *r, FILE *out);
void report_heat(const struct report *r, FILE *out);
void report_zoo(const struct report *r, FILE *out);
void report_findings(const struct report *r, FILE *out);
void report_lists(const struct report *r, FILE *out);

/* "id" is an id of the section's heading. */
void report_section(FILE *out, const char *id, const char *title);

/* DIR/zoo.json, docs/campaign.md has its form. NULL: there is none; or it cannot be read, and it complained (*ok is false). */
struct zoo *zoo_read(const char *folder, bool *ok);
void zoo_free(struct zoo *z);

/* The text of Chart.js, without what a page cannot hold. NULL: it is not here, or it is nothing to put into a page. */
char *library_read(void);

/* The address of folder/index.html as seen from the page `output`: relative where it is below the page's folder, so that both can
 * be moved together. NULL: there is no such file, and it complained. */
char *source_address(const char *folder, const char *output);
/* Makes it (source.sh): what the corpora of this campaign folder reach, in folder/source, which is the answer. Takes a minute or so
 * the first time. NULL: it could not, and one line was said. */
char *source_make(const char *folder);

int command_report(int argc, char **argv);

#endif
