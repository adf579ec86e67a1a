/* SPDX-License-Identifier: MIT */
/* Lines, figures and sparklines of `campaign status`. */
#include "../command.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/* ---- lines ----------------------------------------------------------------------------------------------------------- */

void lines_clear(struct lines *l)
{
    l->n = 0;
}

void lines_free(struct lines *l)
{
    free(l->line);
    l->line = NULL;
    l->n = l->room = 0;
}

static struct line *another(struct lines *l, enum style style)
{
    if (l->n == l->room) {
        struct line *more = realloc(l->line, (l->room = l->room ? 2 * l->room : 64) * sizeof *more);

        if (!more) {
            complain("out of memory");
            exit(EXIT_INTERNAL);
        }
        l->line = more;
    }
    l->line[l->n].style = style;
    return &l->line[l->n++];
}

void lines_add(struct lines *l, enum style style, const char *format, ...)
{
    struct line *line = another(l, style);
    va_list args;

    va_start(args, format);
    vsnprintf(line->text, sizeof line->text, format, args);
    va_end(args);
}

void lines_wrap(struct lines *l, enum style style, const char *format, ...)
{
    char all[2000], *rest = all;
    va_list args;
    unsigned indent = 0;

    va_start(args, format);
    vsnprintf(all, sizeof all, format, args);
    va_end(args);
    do {
        size_t fits = text_fits(rest, l->width > indent ? l->width - indent : 1, NULL), cut = fits;

        if (rest[fits]) {
            while (cut > strspn(rest, " ") && rest[cut] != ' ')
                cut--;
            if (cut <= strspn(rest, " "))
                cut = fits ? fits : 1; /* one long word */
        }
        lines_add(l, style, "%*s%.*s", (int)indent, "", (int)cut, rest);
        if (indent == 0)
            indent = (unsigned)strspn(all, " ") + 2;
        rest += cut;
        rest += strspn(rest, " ");
    } while (*rest);
}

size_t text_fits(const char *text, unsigned columns, unsigned *used)
{
    size_t n = 0;
    unsigned taken = 0;
    mbstate_t state = {0};

    while (text[n]) {
        wchar_t c;
        size_t bytes = mbrtowc(&c, text + n, strlen(text + n), &state);
        int width;

        if (bytes == (size_t)-1 || bytes == (size_t)-2 || bytes == 0) { /* a locale of another kind: a byte, a column */
            memset(&state, 0, sizeof state);
            bytes = 1;
            width = 1;
        } else {
            width = wcwidth(c);
        }
        if (width < 0)
            width = 1;
        if (taken + (unsigned)width > columns)
            break;
        taken += (unsigned)width;
        n += bytes;
    }
    if (used)
        *used = taken;
    return n;
}

/* ---- figures --------------------------------------------------------------------------------------------------------- */

const char *text_bytes(uint64_t bytes, char buf[24])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double n = (double)bytes;
    unsigned u = 0;

    while (n >= 999.5 && u + 1 < sizeof units / sizeof units[0]) {
        n /= 1000;
        u++;
    }
    snprintf(buf, 24, "%.*f %s", u && n < 9.95 ? 1 : 0, n, units[u]);
    return buf;
}

const char *text_span(double seconds, char buf[32])
{
    uint64_t s = seconds > 0 ? (uint64_t)(seconds + .5) : 0, days = s / 86400;

    if (days)
        snprintf(buf, 32, "%" PRIu64 "d %02u:%02u:%02u", days, (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60),
                 (unsigned)(s % 60));
    else if (s >= 3600)
        snprintf(buf, 32, "%u:%02u:%02u", (unsigned)(s / 3600), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
    else
        snprintf(buf, 32, "%u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
    return buf;
}

const char *text_when(int64_t unix_seconds, char buf[32])
{
    time_t t = (time_t)unix_seconds;
    struct tm tm;

    if (unix_seconds <= 0 || !localtime_r(&t, &tm) || strftime(buf, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        snprintf(buf, 32, "never");
    return buf;
}

/* ---- sparklines ------------------------------------------------------------------------------------------------------ */

static uint64_t value(const struct sample *m, enum field field)
{
    switch (field) {
    case FIELD_EXECUTIONS: return m->executions;
    case FIELD_EDGES: return m->edges;
    case FIELD_CELLS: return m->cells;
    default: return m->corpus_files;
    }
}

const char *text_spark(const struct history *h, enum field field, unsigned columns, bool utf8, char *out, size_t size)
{
    static const char *const blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const letters[] = {".", ":", "-", "=", "+", "*", "%", "#"};
    uint64_t low, high;
    double begin, end;
    size_t used = 0, k = 0;

    out[0] = 0;
    if (h->n < 2 || columns == 0)
        return out;
    begin = h->sample[0].at > 1 ? h->sample[0].at : 1;
    end = h->sample[h->n - 1].at > begin ? h->sample[h->n - 1].at : begin + 1;
    low = high = value(&h->sample[0], field);
    for (size_t i = 0; i < h->n; i++) {
        uint64_t v = value(&h->sample[i], field);

        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    for (unsigned c = 0; c < columns; c++) {
        double until = begin * pow(end / begin, (double)(c + 1) / columns);
        unsigned step;

        while (k + 1 < h->n && h->sample[k + 1].at <= until)
            k++;
        step = high > low ? (unsigned)((double)(value(&h->sample[k], field) - low) / (double)(high - low) * 7.999) : 0;
        used += (size_t)snprintf(out + used, used < size ? size - used : 0, "%s", utf8 ? blocks[step] : letters[step]);
        if (used + 4 > size)
            break;
    }
    return out;
}
