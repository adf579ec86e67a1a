/* SPDX-License-Identifier: MIT */
/*
 * The matrix: a row for each class, a column for each who was asked. A cell's verdict is a letter with a colour, and a word
 * that only screen readers get; the marks are drawn by page.css from the cell's classes, which page.js filters by:
 *
 *     s  contradicts silicon       u  unexpected
 *     a  only the name differs     e  differs from the rule, as the list says
 *     l  loaded the operand's line
 */
#include "html.h"

#include <string.h>

#define FIXED_COLUMNS 5u /* strings, code, prefixes, how many, the rule */

/* What the style sheet calls a verdict: v and its letter. Class names are letters only. */
static char verdict_class(uint8_t v)
{
    char letter = verdict_letter((enum verdict)v);

    return letter == '-' ? '0' : letter == '.' ? '_' : letter;
}

/* ---- legend and filters ---------------------------------------------------------------------------------------------- */

static void legend(const struct report *r, FILE *out)
{
    bool met[V_COUNT] = {[V_PREFETCH] = true};

    for (uint32_t i = 0; i < r->nclasses; i++) {
        const struct class *k = &r->classes[i];

        if (!k->rule)
            met[V_NO] = true;
        for (unsigned which = 0; which < k->nanswers && which < MAX_ANSWERS; which++)
            for (unsigned c = 0; c < r->ncolumns; c++)
                if (verdict_of(k->answers[which].answer[c]) < V_COUNT)
                    met[verdict_of(k->answers[which].answer[c])] = true;
    }
    fputs("<div class=legend role=group aria-label=Legend><ul>\n", out);
    /* Who was not asked comes last. */
    for (unsigned i = 1; i <= V_COUNT; i++) {
        unsigned v = i % V_COUNT;
        char letter[2] = {verdict_letter((enum verdict)v)};

        if (!met[v])
            continue;
        fprintf(out, "<li><b class=\"key v%c\">", verdict_class((uint8_t)v));
        html_put(out, "", letter);
        html_put(out, "</b> ", verdict_name((enum verdict)v));
        fputs(v == V_INVALID ? " (#UD)\n" : v == V_TOO_LONG ? " (#GP)\n" : "\n", out);
    }
    fputs(
        "</ul><ul>\n"
        "<li><b class=\"key v0 s\"></b> contradicts silicon: rejected, cut or split where it runs, or taken where it does not\n"
        "<li><b class=\"key v0 a\"></b> only the name differs from what silicon does\n"
        "<li><b class=\"key v0 u\"></b> unexpected: no listed difference covers it\n"
        "<li><b class=\"key v0 e\">x</b> differs from the rule as listed\n"
        "<li><b class=\"key vP l\"></b> silicon loads the operand\u2019s line\n"
        "<li><b class=\"key v0\">P/I</b> mixed, the more frequent first\n"
        "<li><code>\u00b7\u00b7</code> a byte that cannot be read\n"
        "</ul><details><summary>What the prefixes\u2019 names mean</summary><dl>\n",
        out);
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++) {
        if (!fl_prefix_feature_name(f))
            continue;
        html_put(out, "<dt>", fl_prefix_feature_name(f));
        html_put(out, "<dd>", fl_prefix_feature_meaning(f));
        fputc('\n', out);
    }
    fputs("</dl></details></div>\n", out);
}

static void filters(const struct report *r, const unsigned order[MAX_COLUMNS], FILE *out)
{
    bool axes[AXIS_COUNT] = {false};

    for (uint32_t i = 0; i < r->nclasses; i++)
        if (r->classes[i].axis < AXIS_COUNT)
            axes[r->classes[i].axis] = true;
    /* Hidden where no script runs: nothing would happen. */
    fputs("<form id=filters hidden role=search aria-label=\"Filter the classes\">\n"
          "<label>Find <input type=search id=f-text autocomplete=off placeholder=\"bytes, answer, id\"></label>\n"
          "<label>Differences of <select id=f-column><option value=\"\">anybody",
          out);
    for (unsigned i = 0; i < r->ncolumns; i++) {
        fprintf(out, "<option value=%u>", i + 1);
        html_put(out, "", r->columns[order[i]].name);
    }
    fputs("</select></label>\n<label>Axis <select id=f-axis><option value=\"\">all", out);
    for (unsigned a = 0; a < AXIS_COUNT; a++) {
        if (!axes[a])
            continue;
        fprintf(out, "<option value=%u>", a);
        html_put(out, "", axis_name((enum axis)a));
    }
    fputs("</select></label>\n<label>Code <select id=f-mode><option value=\"\">all"
          "<option value=1>16-bit<option value=2>32-bit<option value=4>64-bit</select></label>\n",
          out);
    fprintf(out, "<label class=box><input type=checkbox id=f-silicon%s> Only contradictions with silicon</label>\n",
            conform_silicon(r->columns, r->ncolumns) >= 0 ? "" : " disabled");
    fputs("<label class=box><input type=checkbox id=f-unknown> Only unexpected</label>\n"
          "<span class=tools><button type=button id=f-open>Open all rows</button>\n"
          "<button type=button id=f-reset>Clear filters</button></span>\n"
          "<output id=f-shown aria-live=polite></output>\n</form>\n",
          out);
}

/* ---- a class --------------------------------------------------------------------------------------------------------- */

/* The different verdicts of a column among the kept answers, the most frequent first; how many. */
static unsigned verdicts_of(const struct class *k, unsigned c, uint8_t verdicts[MAX_ANSWERS])
{
    unsigned n = 0;

    for (unsigned which = 0; which < k->nanswers && which < MAX_ANSWERS; which++) {
        uint8_t v = verdict_of(k->answers[which].answer[c]);
        unsigned i = 0;

        while (i < n && verdicts[i] != v)
            i++;
        if (i == n)
            verdicts[n++] = v;
    }
    return n;
}

/* Silicon, and a prefetch there: other processors are emulated, and have no cache. */
static bool loads_shown(const struct column *column, const struct class *k)
{
    return k->loads == LOADS_YES && conform_silicon(column, 1) == 0;
}

static void cell(const struct report *r, const struct class *k, unsigned c, FILE *out)
{
    uint8_t verdicts[MAX_ANSWERS] = {V_NONE};
    unsigned n = verdicts_of(k, c, verdicts), standing = k->standing[c], against = k->against[c];
    bool loads = loads_shown(&r->columns[c], k);
    char marks[16], letters[2 * 3] = "";

    snprintf(marks, sizeof marks, "%s%s%s",
             against == AGAINST_SILICON ? " s"
             : against == AGAINST_NAME  ? " a"
                                        : "",
             standing == STANDS_UNKNOWN    ? " u"
             : standing == STANDS_EXPECTED ? " e"
                                           : "",
             loads ? " l" : "");
    fprintf(out, marks[0] ? "<td class=\"v%c%s\">" : "<td class=v%c%s>", verdict_class(verdicts[0]), marks);
    for (unsigned i = 0; i < n && i < 3; i++) {
        letters[2 * i] = verdict_letter((enum verdict)verdicts[i]);
        letters[2 * i + 1] = i + 1 < n && i < 2 ? '/' : '\0';
    }
    html_put(out, "", n ? letters : ".");
    html_put(out, "<i>", verdict_name((enum verdict)verdicts[0]));
    for (unsigned i = 1; i < n; i++)
        html_put(out, " or ", verdict_name((enum verdict)verdicts[i]));
    fputs(against == AGAINST_SILICON ? ", contradicts silicon" : against == AGAINST_NAME ? ", name only" : "", out);
    fputs(standing == STANDS_UNKNOWN ? ", unexpected" : "", out);
    fputs(loads ? ", loads</i>" : "</i>", out);
}

/* Every kept answer, in words. Those behind the first name only what is different. */
static void answers_table(const struct report *r, const unsigned order[MAX_COLUMNS], const struct class *k, FILE *out)
{
    fputs("<table><tr><th scope=col>Strings<th scope=col>Example", out);
    for (unsigned i = 0; i < r->ncolumns; i++)
        html_put(out, "<th scope=col>", r->columns[order[i]].name);
    for (unsigned which = 0; which < k->nanswers && which < MAX_ANSWERS; which++) {
        const struct answers *a = &k->answers[which];

        html_count(out, "<tr><td>", a->count);
        html_bytes(out, "<td><code>", a->example, a->length, a->readable);
        fprintf(out, "</code> %u-bit", mode_bits(a->mode));
        for (unsigned i = 0; i < r->ncolumns; i++) {
            unsigned c = order[i];
            bool same = which && a->answer[c] == k->answers[0].answer[c];

            html_put(out, "<td>", same ? "" : answer_name(a->answer[c]));
        }
    }
    fputs("</table>", out);
}

static void reasons(const struct report *r, const unsigned order[MAX_COLUMNS], const struct class *k, FILE *out)
{
    size_t count, shown = 0;

    fl_decode_rows(&count);
    for (unsigned i = 0; i < r->ncolumns; i++) {
        unsigned c = order[i];
        const struct fl_decode_row *row = k->row[c];
        bool against = k->against[c] != AGAINST_NOTHING, unknown = k->standing[c] == STANDS_UNKNOWN;

        if (!against && !unknown && !row)
            continue;
        html_put(out, shown++ ? "<li><b>" : "<ul><li><b>", r->columns[c].name);
        fputs("</b>", out);
        if (against)
            fputs(k->against[c] == AGAINST_SILICON ? " contradicts silicon" : " differs from silicon in the name", out);
        if (unknown)
            fputs(against ? "; unexpected" : " unexpected: no listed difference covers it", out);
        if (!row)
            continue;
        fputs(against || unknown ? "; expected: " : " expected: ", out);
        if (html_row_index(row) < count) {
            /* The reason stands once, in the list; page.js brings it here when the row is opened. */
            fprintf(out, "<a href=#r%zu>", html_row_index(row));
            html_put(out, "", row->id);
            fputs("</a>", out);
        } else {
            html_put(out, "<code>", row->id);
            html_put(out, "</code>: ", row->reason);
            html_put(out, " <small>", row->source);
            fputs("</small>", out);
        }
    }
    if (shown)
        fputs("</ul>", out);
}

static void details(const struct report *r, const unsigned order[MAX_COLUMNS], const struct class *k, FILE *out)
{
    static const char *const loads[] = {
        [LOADS_NOT_ASKED] = "",
        [LOADS_YES] = " Silicon loads the operand\u2019s line.",
        [LOADS_NO] = " Silicon does not load the operand\u2019s line.",
        [LOADS_UNSURE] = " Whether silicon loads the operand\u2019s line could not be told.",
    };

    fprintf(out, "<tr class=d><td colspan=%u><details><summary>Details</summary><p>", FIXED_COLUMNS + r->ncolumns);
    if (k->nanswers > 1) {
        double share = 100 * class_uniformity(k);

        /* 100.0 % would be a lie in a class that is mixed. */
        fprintf(out, "%.1f\u202f%% of its strings got the first answers", share > 99.9 ? 99.9 : share);
        html_count(out, "; there are ", k->nanswers);
        fputs(k->nanswers > MAX_ANSWERS ? " different ones, the most frequent below." : " different ones.", out);
    } else {
        fputs("Every string got these answers.", out);
    }
    if (k->loads < sizeof loads / sizeof *loads)
        fputs(loads[k->loads], out);
    answers_table(r, order, k, out);
    reasons(r, order, k, out);
    fputs("</details>\n", out);
}

static void row(const struct report *r, const unsigned order[MAX_COLUMNS], const struct class *k, FILE *out)
{
    const struct answers *first = &k->answers[0];
    char text[512] = "";

    fprintf(out, "<tr class=c data-m=%u>", (unsigned)k->set[ATTR_MODE]);
    class_form(k, text, sizeof text);
    html_put(out, "<th scope=row><b>", text);
    html_bytes(out, "</b> <code>", first->example, first->length, first->readable);
    text[0] = '\0';
    class_modes(k, text, sizeof text);
    html_put(out, "</code><td>", text);
    text[0] = '\0';
    class_prefixes(k, text, sizeof text);
    html_put(out, "<td>", text);
    html_count(out, "<td>", k->count);
    fputs(k->rule ? "<td class=vP>P<i>prefetch</i>" : "<td class=v0>-<i>no prefetch</i>", out);
    for (unsigned i = 0; i < r->ncolumns; i++)
        cell(r, k, order[i], out);
    fputc('\n', out);
    details(r, order, k, out);
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

static void table_head(const struct report *r, const unsigned order[MAX_COLUMNS], FILE *out)
{
    fputs("<thead><tr><th scope=col rowspan=2>Byte strings, example<th scope=col rowspan=2>Code<th scope=col rowspan=2>"
          "Prefixes<th scope=col rowspan=2>Strings<th scope=col rowspan=2>the rule",
          out);
    for (unsigned i = 0, n = 1; i < r->ncolumns; i += n, n = 1) {
        const struct column *first = &r->columns[order[i]];

        while (i + n < r->ncolumns && r->columns[order[i + n]].kind == first->kind)
            n++;
        fprintf(out, "<th scope=colgroup colspan=%u>", n);
        html_put(out, "", html_kind(first, n > 1));
    }
    fputs("\n<tr>", out);
    for (unsigned i = 0; i < r->ncolumns; i++) {
        const struct column *c = &r->columns[order[i]];

        html_put(out, "<th scope=col title=\"", c->version);
        html_put(out, "\">", c->name);
    }
    fputc('\n', out);
}

void html_matrix(const struct report *r, FILE *out)
{
    unsigned order[MAX_COLUMNS];

    html_order(r, order);
    fputs("<section aria-labelledby=matrix><h2 id=matrix tabindex=-1>Who says what</h2>\n"
          "<p>A row is a class of byte strings that got the same answers; the most surprising come first.\n",
          out);
    legend(r, out);
    filters(r, order, out);
    fprintf(out, "<div class=\"scroll tall\">\n<table id=classes%s>\n", r->ncolumns > 8 ? " class=many" : "");
    fputs("<caption class=hidden>Classes of byte strings, and what each column says of them</caption>\n", out);
    table_head(r, order, out);
    for (uint32_t i = 0; i < r->nclasses; i++) {
        const struct class *k = &r->classes[i];

        if (i == 0 || k->axis != k[-1].axis) {
            uint32_t n = 1;

            while (i + n < r->nclasses && r->classes[i + n].axis == k->axis)
                n++;
            fprintf(out, "<tbody data-a=%u><tr class=g><th scope=rowgroup colspan=%u>", k->axis,
                    FIXED_COLUMNS + r->ncolumns);
            html_put(out, "", axis_name(k->axis));
            html_put(out, " <small>", axis_meaning(k->axis));
            if (k->axis < AXIS_COUNT)
                html_counted(out, " \u00b7 ", r->of_axis[k->axis], "string", "strings");
            html_counted(out, " \u00b7 ", n, "class", "classes");
            fputs("</small>\n", out);
        }
        row(r, order, k, out);
    }
    fputs("</table></div>\n<p id=none hidden>No class matches these filters.\n</section>\n", out);
}
