/* SPDX-License-Identifier: MIT */
/* Decisions by paging mode, outcome and error code. */
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SHADES 6

static const char *const mode_names[FL_MODE_COUNT] = {"2-level", "PAE", "4-level", "5-level"};

/* Bits of the error code: SDM vol. 3A, 4.7. */
static const struct {
    char letter;
    const char *name;
} bits[] = {{'P', "protection"}, {'W', "write"}, {'U', "user"}, {'R', "reserved bit"}, {'I', "instruction fetch"}};
enum { BITS = sizeof bits / sizeof bits[0] };

struct totals {
    bool column[FL_ERROR_BITS], row[FL_ACT_COUNT];
    uint64_t most, all;
    unsigned cells;
};

static struct totals take_totals(const struct decisions *d)
{
    struct totals t = {0};

    for (unsigned m = 0; m < FL_MODE_COUNT; m++)
        for (unsigned a = 0; a < FL_ACT_COUNT; a++)
            for (unsigned e = 0; e < FL_ERROR_BITS; e++) {
                uint64_t n = d->count[m][a][e];

                if (n == 0)
                    continue;
                t.column[e] = t.row[a] = true;
                t.most = n > t.most ? n : t.most;
                t.all += n;
                t.cells++;
            }
    return t;
}

static unsigned shade(uint64_t n, uint64_t most)
{
    if (n == 0)
        return 0;
    return most > 1 ? 1 + (unsigned)(log((double)n) / log((double)most) * (SHADES - .001)) : SHADES;
}

/* At most four characters: "7", "2.4k", "118k". */
static const char *tiny(uint64_t n, char buf[24])
{
    static const char units[] = "kMGTP";
    double v = (double)n;
    unsigned u = 0;

    if (n < 1000) {
        snprintf(buf, 24, "%" PRIu64, n);
        return buf;
    }
    for (v /= 1000; v >= 999.5 && units[u + 1]; u++)
        v /= 1000;
    snprintf(buf, 24, "%.*f%c", v < 9.95 ? 1 : 0, v, units[u]);
    return buf;
}

static void column_head(unsigned e, FILE *out)
{
    const char *between = "";

    fputs("<th scope=col><abbr title=\"", out);
    for (unsigned b = 0; b < BITS; b++)
        if (e >> b & 1) {
            fprintf(out, "%s%s", between, bits[b].name);
            between = ", ";
        }
    fprintf(out, "%s\">%x</abbr><span aria-hidden=true>", e ? "" : "none", e);
    for (unsigned b = 0; b < BITS; b++)
        if (e >> b & 1)
            fprintf(out, "<i>%c</i>", bits[b].letter);
    fputs("</span>", out);
}

static void matrix(const struct decisions *d, const struct totals *t, FILE *out)
{
    char brief[24];

    fputs(
        "<div class=scroll><table id=heat><caption class=hidden>Faults by outcome and paging mode (rows) and error code "
        "(columns)</caption>\n<thead><tr><th scope=col>Outcome<th scope=col>Paging",
        out);
    for (unsigned e = 0; e < FL_ERROR_BITS; e++)
        if (t->column[e])
            column_head(e, out);
    fputs("<th scope=col class=n>All\n", out);
    for (unsigned a = 0; a < FL_ACT_COUNT; a++) {
        if (!t->row[a])
            continue;
        fputs("<tbody>\n", out);
        for (unsigned m = 0; m < FL_MODE_COUNT; m++) {
            uint64_t sum = 0;

            fputs("<tr>", out);
            if (m == 0) {
                fprintf(out, "<th scope=rowgroup rowspan=%u>", FL_MODE_COUNT);
                html_put(out, "", fl_action_name((enum fl_action)a));
            }
            html_put(out, "<th scope=row>", mode_names[m]);
            for (unsigned e = 0; e < FL_ERROR_BITS; e++) {
                uint64_t n = d->count[m][a][e];

                if (!t->column[e])
                    continue;
                sum += n;
                fprintf(out, "<td class=h%u", shade(n, t->most));
                if (n >= 1000)
                    html_count(out, " title=\"", n);
                fprintf(out, "%s>%s", n >= 1000 ? "\"" : "", tiny(n, brief));
            }
            html_count(out, "<td class=n>", sum);
            fputc('\n', out);
        }
    }
    fputs("</table></div>\n", out);
}

void report_heat(const struct report *r, FILE *out)
{
    struct totals t = take_totals(&r->decisions);

    report_section(out, "decisions", "Decisions");
    if (t.all == 0) {
        fputs(
            "<p>No fault was decided: only the targets <code>fault</code> and <code>vmalloc</code> bring faults to the "
            "core.</p>\n</section>\n",
            out);
        return;
    }
    html_count(out, "<p>", t.all);
    fputs(
        " faults, by what the core decided, the paging mode and the bits of the error code (P protection, W write, U user, "
        "R reserved bit, I instruction fetch). ",
        out);
    html_count(out, "", t.cells);
    html_count(out, " of ", FL_MODE_COUNT * FL_ACT_COUNT * FL_ERROR_BITS);
    fputs(" combinations were met; not every one can be. The darker, the more often, on a logarithmic scale.</p>\n"
          "<p class=shades aria-hidden=true>never",
          out);
    for (unsigned k = 0; k <= SHADES; k++)
        fprintf(out, " <span class=h%u>%s</span>", k, k ? "n" : "0");
    fputs(" most often</p>\n", out);
    matrix(&r->decisions, &t, out);
    fputs("</section>\n", out);
}
