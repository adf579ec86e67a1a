/* SPDX-License-Identifier: MIT */
/*
 * The report as one page. Nothing is fetched: style sheet and script are inside, and the page forbids itself any address.
 * Without script everything is there. The same report gives the same bytes: no time, nothing drawn by chance.
 *
 * End tags that HTML lets a writer leave out are left out: of three hundred classes a third of the size.
 */
#include "html.h"

#include <signal.h>
#include <string.h>

extern const char conform_page_css[], conform_page_css_end[], conform_page_js[], conform_page_js_end[];

struct tally {
    uint32_t disputed, against[MAX_COLUMNS], unknown[MAX_COLUMNS], any_against, naming[MAX_COLUMNS];
    uint64_t strings_against[MAX_COLUMNS];
    bool cites[MAX_ROWS]; /* a class gives this row as the reason */
    int silicon;          /* the column that the others are held against; -1: none */
    unsigned dropped;
};

static void take_tally(const struct report *r, struct tally *t)
{
    memset(t, 0, sizeof *t);
    t->silicon = conform_silicon(r->columns, r->ncolumns);
    for (unsigned c = 0; c < r->ncolumns; c++)
        t->dropped += r->dropped && r->dropped[c];
    for (uint32_t i = 0; i < r->nclasses; i++) {
        const struct class *k = &r->classes[i];
        bool any = false;

        t->disputed += class_is_disputed(k, r);
        for (unsigned c = 0; c < r->ncolumns; c++) {
            size_t row = k->row[c] ? html_row_index(k->row[c]) : MAX_ROWS;

            if (row < MAX_ROWS)
                t->cites[row] = true;
            t->unknown[c] += k->standing[c] == STANDS_UNKNOWN;
            t->naming[c] += k->against[c] == AGAINST_NAME;
            if (k->against[c] != AGAINST_SILICON)
                continue;
            any = true;
            t->against[c]++;
            t->strings_against[c] += k->count;
        }
        t->any_against += any;
    }
}

static const char *proof_text(const struct report *r, const char *key)
{
    const char *text = r->proof ? json_string_value(json_object_get(r->proof, key)) : NULL;

    return text ? text : "";
}

/* ---- the top ------------------------------------------------------------------------------------------------------- */

static void head(FILE *out)
{
    html_head(out, "Prefetch decoding: conformance report");
    fwrite(conform_page_css, 1, (size_t)(conform_page_css_end - conform_page_css), out);
    fputs("</style>\n<body>\n<a class=skip href=#matrix>Skip to the matrix</a>\n"
          "<a class=skip href=#expected>Skip to the expected differences</a>\n",
          out);
}

/* The sentence that a reader in a hurry takes away. */
static void verdict(const struct report *r, const struct tally *t, FILE *out)
{
    bool bad = r->unknown || r->refuted || r->nincidents, uncertain = t->dropped || r->stale || !r->strings;

    fputs(bad ? "<p class=\"verdict bad\"><b aria-hidden=true>\u2717</b><span>"
              : (uncertain ? "<p class=\"verdict warn\"><b aria-hidden=true>!</b><span>"
                           : "<p class=\"verdict good\"><b aria-hidden=true>\u2713</b><span>"),
          out);
    html_counted(out, "", r->strings, "string asked: ", "strings asked: ");
    if (r->unknown)
        html_counted(out, "<strong>", r->unknown, "unexplained difference", "unexplained differences");
    else
        fputs(r->strings ? "<strong>nothing unexpected" : "<strong>nothing was compared", out);
    fputs("</strong>", out);
    if (r->nincidents)
        html_counted(out, "; ", r->nincidents, "crash or hang", "crashes and hangs");
    if (t->dropped)
        html_counted(out, "; ", t->dropped, "column dropped", "columns dropped");
    if (r->stale)
        html_counted(out, "; ", r->stale, "expected difference is stale", "expected differences are stale");
    if (r->refuted)
        fputs("; <strong>the proof found a counterexample</strong>", out);
    else if (r->proof)
        html_put(out, "; proof: ", proof_text(r, "verdict"));
    fputs(".</span>\n", out);
}

static void figure(FILE *out, const char *name, uint64_t n, const char *note)
{
    html_put(out, "<div><dt>", name);
    html_count(out, "<dd>", n);
    if (note)
        html_put(out, " <small>", note);
    fputs(note ? "</small></div>\n" : "</div>\n", out);
}

static void figures(const struct report *r, const struct tally *t, FILE *out)
{
    fputs("<dl class=figures>\n", out);
    figure(out, "Strings asked", r->strings, NULL);
    figure(out, "Classes of strings", r->nclasses, NULL);
    figure(out, "Classes in dispute", t->disputed, NULL);
    if (t->silicon >= 0)
        figure(out, "Contradicting silicon", t->any_against, t->any_against == 1 ? "class" : "classes");
    figure(out, "Unexpected", r->unknown, r->unknown == 1 ? "class" : "classes");
    fputs("</dl>\n", out);
}

static void modes_text(unsigned modes, FILE *out)
{
    const char *between = "";

    for (unsigned m = 0; m < 3; m++) {
        if (!(modes >> m & 1))
            continue;
        fprintf(out, "%s%u", between, mode_bits(m));
        between = ", ";
    }
}

static void who(const struct report *r, const struct tally *t, FILE *out)
{
    unsigned order[MAX_COLUMNS];

    html_order(r, order);
    fputs(
        "<section aria-labelledby=who><h2 id=who>Who was asked</h2>\n<div class=scroll><table class=list>"
        "<caption class=hidden>Who was asked</caption>\n<thead><tr><th scope=col>Name<th scope=col>Kind<th scope=col>Version<th scope=col>Code size, bits"
        "<th scope=col class=n>Unexpected,<br>classes",
        out);
    if (t->silicon >= 0)
        fputs(
            "<th scope=col class=n>Contradicts silicon,<br>classes<th scope=col class=n>Contradicts silicon,<br>strings"
            "<th scope=col class=n>Only the name differs,<br>classes",
            out);
    fputs("<tbody>\n", out);
    for (unsigned i = 0; i < r->ncolumns; i++) {
        unsigned c = order[i];
        const struct column *column = &r->columns[c];
        bool probe = column->kind == COLUMN_PROBE;

        html_put(out, "<tr><th scope=row>", column->name);
        html_put(out, "<td>", html_kind(column, false));
        html_put(out, "<td>", column->version);
        if (probe && column->host[0])
            html_put(out, "<br><small>", strcmp(column->host, "any") == 0 ? "emulated" : column->host);
        fputs(probe && column->host[0] ? "</small><td class=w>" : "<td class=w>", out);
        modes_text(column->modes, out);
        if (r->dropped && r->dropped[c])
            fputs(" <strong class=bad>dropped</strong>", out);
        html_count(out, t->unknown[c] ? "<td class=\"n bad\">" : "<td class=n>", t->unknown[c]);
        if ((int)c == t->silicon) {
            fputs("<td class=n colspan=3>what the others are held against", out);
        } else if (t->silicon >= 0) {
            html_count(out, t->against[c] ? "<td class=\"n hot\">" : "<td class=n>", t->against[c]);
            html_count(out, "<td class=n>", t->strings_against[c]);
            html_count(out, "<td class=n>", t->naming[c]);
        }
        fputc('\n', out);
    }
    fputs("</table></div>\n", out);
    if (t->silicon >= 0)
        html_counted(out, "<p class=note>", r->controls, "control run of the processors passed.\n",
                     "control runs of the processors passed.\n");
    else
        fputs("<p class=note>No processor was asked, so nothing here is held against silicon.\n", out);
    fputs("</section>\n", out);
}

/* ---- the lists below the matrix ------------------------------------------------------------------------------------ */

static void row_columns(const struct fl_decode_row *row, FILE *out)
{
    html_put(out, "<td>", row->decoder);
    html_put(out, "<td>", strcmp(row->versions, "*") == 0 ? "all" : row->versions);
}

static void expected(const struct report *r, const struct tally *t, FILE *out)
{
    size_t count, shown = 0;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    fputs(
        "<section aria-labelledby=expected><h2 id=expected tabindex=-1>Expected differences</h2>\n"
        "<p>Known ways in which a decoder differs from the rule. A difference that none of them covers is unexpected.\n",
        out);
    for (size_t i = 0; i < count && i < MAX_ROWS; i++) {
        if (!r->fired[i] && !t->cites[i])
            continue;
        if (shown++ == 0)
            fputs(
                "<div class=scroll><table class=list><caption class=hidden>Expected differences that were met</caption>\n"
                "<thead><tr><th scope=col>Id<th scope=col>Decoder<th scope=col>Versions<th scope=col class=n>Strings"
                "<th scope=col>Reason and source<tbody>\n",
                out);
        fprintf(out, "<tr id=r%zu>", i);
        html_put(out, "<th scope=row><code>", rows[i].id);
        fputs("</code>", out);
        row_columns(&rows[i], out);
        html_count(out, "<td class=n>", r->fired[i]);
        html_put(out, "<td><span>", rows[i].reason);
        html_put(out, "</span><br><small>", rows[i].source);
        fputs("</small>\n", out);
    }
    fputs(shown ? "</table></div>\n" : "<p>None was met.\n", out);

    fputs("<h3>Stale</h3>\n", out);
    shown = 0;
    for (size_t i = 0; i < count && i < MAX_ROWS && r->whole; i++) {
        if (!row_is_stale(r, i))
            continue;
        if (shown++ == 0)
            fputs(
                "<p>These rows are for versions that were asked, and explain nothing any more: each can go, or its "
                "condition is wrong.\n<div class=scroll><table class=list><caption class=hidden>Stale rows</caption>\n"
                "<thead><tr><th scope=col>Id<th scope=col>Decoder<th scope=col>Versions<th scope=col>Reason<tbody>\n",
                out);
        html_put(out, "<tr><th scope=row><code>", rows[i].id);
        fputs("</code>", out);
        row_columns(&rows[i], out);
        html_put(out, "<td>", rows[i].reason);
        fputc('\n', out);
    }
    if (!r->whole)
        fputs("<p>Not told: only a part of all strings was asked, and a row may be about the rest.\n", out);
    else
        fputs(shown ? "</table></div>\n" : "<p>None.\n", out);
    fputs("</section>\n", out);
}

static const char *signal_name(int number)
{
    switch (number) {
    case 0: return "it ended itself";
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGABRT: return "SIGABRT";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGKILL: return "SIGKILL";
    default: return "a signal";
    }
}

static void incidents(const struct report *r, FILE *out)
{
    fputs("<section aria-labelledby=incidents><h2 id=incidents>Crashes and hangs</h2>\n", out);
    if (r->nincidents == 0)
        fputs("<p>None: everybody came back from every string.\n", out);
    else
        fputs("<div class=scroll><table class=list><caption class=hidden>Crashes and hangs</caption>\n"
              "<thead><tr><th scope=col>Column<th scope=col>What<th scope=col>Code<th scope=col>Bytes<th scope=col>Axis"
              "<tbody>\n",
              out);
    for (unsigned i = 0; i < r->nincidents; i++) {
        const struct incident *in = &r->incidents[i];

        html_put(out, "<tr><th scope=row>", in->column < r->ncolumns ? r->columns[in->column].name : "?");
        html_put(out, "<td>", in->hung ? "hung" : "crashed: ");
        if (!in->hung)
            html_put(out, "", signal_name(in->signal));
        if (!in->hung && in->signal)
            fprintf(out, " (%d)", in->signal);
        fprintf(out, "<td>%u-bit", mode_bits(in->mode));
        html_bytes(out, "<td><code>", in->bytes, in->length, in->readable);
        html_put(out, "</code><td>", axis_name((enum axis)in->axis));
        fputc('\n', out);
    }
    if (r->nincidents)
        fputs("</table></div>\n", out);
    for (unsigned c = 0; c < r->ncolumns; c++) {
        if (!r->dropped || !r->dropped[c])
            continue;
        html_put(out, "<p><strong class=bad>", r->columns[c].name);
        html_count(out, "</strong> crashed or hung more than ", MAX_PER_COLUMN);
        fputs(" times and was not asked any more.\n", out);
    }
    fputs("</section>\n", out);
}

static void rule(const struct report *r, FILE *out)
{
    fputs("<p class=rule><strong>The rule.</strong> A prefetch is, within 15 bytes, any run of legacy prefixes "
          "(<code>26 2E 36 3E 64 65 66 67 F0 F2 F3</code>; in 64-bit code also REX, <code>40</code>\u2013<code>4F"
          "</code>, anywhere in the run), then <code>0F 0D</code> or <code>0F 18</code>.",
          out);
    if (r->strings) {
        html_counted(out, " Asked were up to ", r->space.prefixes, "prefix", "prefixes");
        fputs(" before every ModRM byte, in code of ", out);
        modes_text(r->space.modes, out);
        fputs(r->space.operands ? " bits, with several kinds of operand bytes." : " bits, with operand bytes of zero.",
              out);
    }
    fputc('\n', out);
}

void conform_html(const struct report *r, FILE *out)
{
    struct tally t;

    take_tally(r, &t);
    head(out);
    fputs("<header>\n<h1>Prefetch decoding: conformance report</h1>\n", out);
    verdict(r, &t, out);
    figures(r, &t, out);
    rule(r, out);
    fputs("</header>\n<main>\n", out);
    who(r, &t, out);
    html_matrix(r, out);
    expected(r, &t, out);
    incidents(r, out);
    if (r->proof) {
        html_put(out, "<section aria-labelledby=proof><h2 id=proof>Proof</h2>\n<p><strong>", proof_text(r, "verdict"));
        html_put(out, "</strong> ", proof_text(r, "text"));
        fputs("\n</section>\n", out);
    }
    html_put(out, "<section aria-labelledby=again><h2 id=again>How to make this report again</h2>\n<pre><code>",
             r->command);
    fputs("</code></pre>\n</section>\n</main>\n<script>\n", out);
    fwrite(conform_page_js, 1, (size_t)(conform_page_js_end - conform_page_js), out);
    fputs("</script>\n", out);
}
