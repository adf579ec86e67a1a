/* SPDX-License-Identifier: MIT */
/* Curves over time. */
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A table is for reading: so many rows at most, half of them evenly spaced, half of them ever further apart. */
#define MOST_ROWS 160

enum curve { CURVE_EDGES, CURVE_CELLS, CURVE_EXECUTIONS, CURVE_EVENTS, CURVE_CORPUS, CURVE_DISK, CURVE_OPEN, CURVES };

static const struct {
    const char *id, *title, *unit, *note;
    bool whole; /* one line for the campaign, not one for each target */
    bool rate;
} curves[CURVES] = {
    [CURVE_EDGES] = {"edges", "Edges", "edges", "As the engine that sees most of them counts.", false, false},
    [CURVE_CELLS] = {"cells", "Decision cells", "cells",
                     "Situations that were told apart: mode, outcome, error code, level, policy row.", false, false},
    [CURVE_EXECUTIONS] = {"executions", "Executions per second", "executions/s", "Between two rows of the table.",
                          false, true},
    [CURVE_EVENTS] = {"events", "Events judged per second", "events/s", "One execution judges a trace of many events.",
                      false, true},
    [CURVE_CORPUS] = {"corpus", "Corpus", "inputs", "It shrinks where inputs are merged without losing coverage.",
                      false, false},
    [CURVE_DISK] = {"disk", "Disk", "MB", "What the whole folder takes.", true, false},
    [CURVE_OPEN] = {"open", "Open findings", "findings", NULL, true, false},
};

static double value(const struct sample *m, enum curve c)
{
    switch (c) {
    case CURVE_EDGES: return (double)m->edges;
    case CURVE_CELLS: return (double)m->cells;
    case CURVE_EXECUTIONS: return (double)m->executions;
    case CURVE_EVENTS: return (double)m->events;
    case CURVE_CORPUS: return (double)m->corpus_files;
    case CURVE_DISK: return (double)m->disk / 1e6;
    default: return (double)m->open;
    }
}

struct moments {
    double at[MOST_ROWS + 2];
    size_t n;
};

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static size_t nearest(const struct history *h, double at)
{
    size_t low = 0, high = h->n - 1;

    while (low < high) {
        size_t middle = (low + high + 1) / 2;

        if (h->sample[middle].at <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static void choose(const struct history *h, struct moments *m)
{
    double first = h->sample[0].at, last = h->sample[h->n - 1].at, from = first > 1 ? first : 1;
    size_t unique = 0;

    m->n = 0;
    if (h->n <= MOST_ROWS) {
        for (size_t i = 0; i < h->n; i++)
            m->at[m->n++] = h->sample[i].at;
        return;
    }
    for (unsigned i = 0; i < MOST_ROWS / 2; i++) {
        double part = (double)i / (MOST_ROWS / 2 - 1);

        m->at[m->n++] = h->sample[nearest(h, first + (last - first) * part)].at;
        m->at[m->n++] = h->sample[nearest(h, from * pow(last / from, part))].at;
    }
    m->at[m->n++] = first;
    m->at[m->n++] = last;
    qsort(m->at, m->n, sizeof m->at[0], by_time);
    for (size_t i = 0; i < m->n; i++)
        if (i == 0 || m->at[i] != m->at[unique - 1])
            m->at[unique++] = m->at[i];
    m->n = unique;
}

/* The value of a curve at moment i of m; NAN: there is none. */
static double at_moment(const struct report *r, enum curve c, enum fl_target t, const struct moments *m, size_t i)
{
    const struct history *h = &r->s.history[t];
    size_t k, before;
    double span;

    if (h->n == 0 || m->at[i] < h->sample[0].at)
        return NAN;
    k = nearest(h, m->at[i]);
    if (!curves[c].rate)
        return value(&h->sample[k], c);
    if (i == 0)
        return NAN;
    before = nearest(h, m->at[i - 1]);
    span = h->sample[k].at - h->sample[before].at;
    return span > 0 && m->at[i - 1] >= h->sample[0].at ? (value(&h->sample[k], c) - value(&h->sample[before], c)) / span
                                                       : NAN;
}

static void number(FILE *out, const char *markup, double v)
{
    if (isnan(v))
        fprintf(out, "%s-", markup);
    else if (v < 0)
        fprintf(out, "%s%.0f", markup, v);
    else
        html_count(out, markup, (uint64_t)(v + .5));
}

static const char *series_name(enum curve c, unsigned t)
{
    return curves[c].whole ? "campaign" : fl_target_name((enum fl_target)t);
}

/* Is there a line of this target in this chart? */
static bool shown(const struct report *r, enum curve c, unsigned t)
{
    return r->s.history[t].n && curves[c].whole == (t == FL_TARGET_ALL);
}

static void picture(const struct report *r, enum curve c, const struct moments *m, FILE *out)
{
    const char *between = ": ";
    char span[32];

    fputs("<ul class=lines>\n", out);
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
        if (shown(r, c, t)) {
            fprintf(out, "<li><i class=s%u aria-hidden=true></i>", t);
            html_put(out, "", series_name(c, t));
            number(out, " <b>", at_moment(r, c, (enum fl_target)t, m, m->n - 1));
            fputs("</b>\n", out);
        }
    fputs("</ul>\n<div class=canvas><canvas role=img aria-label=\"Chart: ", out);
    html_put(out, "", curves[c].title);
    html_put(out, " over ", text_span(m->at[m->n - 1], span));
    fputs(", at the end", out);
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
        if (shown(r, c, t)) {
            html_put(out, between, series_name(c, t));
            number(out, " ", at_moment(r, c, (enum fl_target)t, m, m->n - 1));
            between = ", ";
        }
    fputs(". The table below has all of it.\"></canvas></div>\n", out);
}

static void chart(const struct report *r, enum curve c, const struct moments *m, FILE *out)
{
    char span[32];

    fprintf(out, "<figure class=chart id=chart-%s data-unit=\"%s\"%s>\n", curves[c].id, curves[c].unit,
            c == CURVE_OPEN ? " data-stepped" : "");
    html_put(out, "<figcaption><h3>", curves[c].title);
    fputs("</h3>", out);
    if (curves[c].note)
        html_put(out, "<p class=note>", curves[c].note);
    fputs("</figcaption>\n", out);
    if (r->library)
        picture(r, c, m, out);
    html_put(out, "<details open><summary>", curves[c].title);
    html_put(out, " as a table</summary>\n<div class=\"scroll rows\"><table class=list><caption class=hidden>",
             curves[c].title);
    html_put(out, " over time, ", curves[c].unit);
    fputs("</caption>\n<thead><tr><th scope=col>Time", out);
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
        if (shown(r, c, t)) {
            fprintf(out, "<th scope=col class=n data-s=%u>", t);
            html_put(out, "", series_name(c, t));
        }
    fputs("<tbody>\n", out);
    for (size_t i = curves[c].rate ? 1 : 0; i < m->n; i++) {
        fprintf(out, "<tr><th scope=row data-t=%.1f>%s", m->at[i], text_span(m->at[i], span));
        for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
            if (shown(r, c, t))
                number(out, "<td class=n>", at_moment(r, c, (enum fl_target)t, m, i));
        fputc('\n', out);
    }
    fputs("</table></div></details>\n</figure>\n", out);
}

void report_charts(const struct report *r, FILE *out)
{
    const struct history *all = &r->s.history[FL_TARGET_ALL];
    struct moments m;

    report_section(out, "coverage", "Over time");
    if (all->n < 2) {
        fputs(
            "<p>Nothing was sampled yet: a campaign takes samples every second in its first minute.</p>\n</section>\n",
            out);
        return;
    }
    choose(all, &m);
    if (r->library)
        fputs("<form id=axis hidden><fieldset><legend>Time axis</legend>\n"
              "<label><input type=radio name=axis value=linear> linear</label>\n"
              "<label><input type=radio name=axis value=logarithmic> logarithmic</label></fieldset></form>\n",
              out);
    else
        fputs(
            "<p class=note>Without pictures: Chart.js was not there when this page was made (Debian: libjs-chart.js). "
            "The tables hold the same figures.</p>\n",
            out);
    fputs("<div class=charts>\n", out);
    for (unsigned c = 0; c < CURVES; c++)
        chart(r, (enum curve)c, &m, out);
    fputs("</div>\n</section>\n", out);
}
