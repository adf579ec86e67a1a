/* SPDX-License-Identifier: MIT */
/* The page as a whole, and its top. */
#include "report.h"

#include "../command.h"

#include <inttypes.h>
#include <string.h>

extern const char report_page_css[], report_page_css_end[], report_page_js[], report_page_js_end[];

void report_section(FILE *out, const char *id, const char *title)
{
    fprintf(out, "<section aria-labelledby=%s>\n<h2 id=%s tabindex=-1>", id, id);
    html_put(out, "", title);
    fputs("</h2>\n", out);
}

/* The sentence that a reader in a hurry takes away. */
static void verdict(const struct report *r, FILE *out)
{
    const struct status *s = &r->s;
    struct sample now = status_now(s, FL_TARGET_ALL);
    uint64_t open = status_open(s);
    const char *comma = "";
    char span[32];

    if (open) {
        fputs("<p class=\"verdict bad\"><b aria-hidden=true>\u2717</b><span><strong>", out);
        html_counted(out, "", open, "finding is open", "findings are open");
        fputs("</strong>: ", out);
        for (unsigned k = SEVERITIES; k-- > 0;)
            if (s->open[k]) {
                html_count(out, comma, s->open[k]);
                html_put(out, " ", severity_name((enum severity)k));
                comma = ", ";
            }
        if (s->by_status[BUCKET_REGRESSION])
            html_counted(out, "; ", s->by_status[BUCKET_REGRESSION], "of them was fixed and is back",
                         "of them were fixed and are back");
    } else if (now.events == 0) {
        fputs(
            "<p class=\"verdict warn\"><b aria-hidden=true>!</b><span><strong>Nothing was judged</strong>, so this says "
            "nothing",
            out);
    } else {
        fputs("<p class=\"verdict good\"><b aria-hidden=true>\u2713</b><span><strong>Nothing is open</strong>", out);
    }
    if (now.events) {
        html_count(out, open ? ". " : " after ", now.events);
        html_put(out, " events in ", text_span(status_ran(s), span));
    }
    fputs(".</span></p>\n", out);
}

/* What the campaign does now, where that is not "it has ended". */
static void state(const struct status *s, FILE *out)
{
    char when[32];

    text_when(s->run.beat, when);
    fputs("<p class=state>", out);
    switch (s->presence) {
    case PRESENCE_NONE: fputs("The campaign has not been started", out); break;
    case PRESENCE_HERE: html_put(out, "The campaign goes on: ", run_state_name(s->run.state)); break;
    case PRESENCE_SILENT: html_put(out, "The campaign has given no sign of life since ", when); break;
    case PRESENCE_GONE: html_put(out, "The campaign was killed, or its machine went down, after ", when); break;
    default: html_put(out, "The campaign has stopped, ", text_when(s->run.ended, when));
    }
    if (s->presence != PRESENCE_NONE && s->run.why[0])
        html_put(out, ": ", s->run.why);
    fputs(".</p>\n", out);
}

static void figure(FILE *out, const char *name, uint64_t n, const char *note)
{
    html_put(out, "<div><dt>", name);
    html_count(out, "<dd>", n);
    if (note)
        html_put(out, " <small>", note);
    fputs(note ? "</small></div>\n" : "</div>\n", out);
}

static void figures(const struct report *r, FILE *out)
{
    struct sample now = status_now(&r->s, FL_TARGET_ALL);
    double ran = status_ran(&r->s);
    char rate[24], note[40], disk[24], bytes[24];

    snprintf(note, sizeof note, "%s/s", brief_number(ran > 0 ? (double)now.executions / ran : 0, rate));
    fputs("<dl class=figures>\n", out);
    figure(out, "Executions", now.executions, note);
    snprintf(note, sizeof note, "%s/s", brief_number(ran > 0 ? (double)now.events / ran : 0, rate));
    figure(out, "Events judged", now.events, note);
    figure(out, "Page faults raised by instructions", now.real_faults, NULL);
    figure(out, "Edges", now.edges, "all targets");
    figure(out, "Decision cells", r->ncells, NULL);
    figure(out, "Corpus", now.corpus_files, text_bytes(now.corpus_bytes, bytes));
    figure(out, "Artifacts taken up", r->s.run.artifacts, NULL);
    html_put(out, "<div><dt>Folder<dd>", text_bytes(r->s.run.disk, disk));
    fputs("</div>\n</dl>\n", out);
}

static void contents(const struct report *r, FILE *out)
{
    fputs("<nav aria-label=Sections><ul>\n<li><a href=#findings>Findings</a>\n<li><a href=#coverage>Over time</a>\n"
          "<li><a href=#decisions>Decisions</a>\n",
          out);
    if (r->zoo)
        fputs("<li><a href=#zoo>Bug benchmarks</a>\n", out);
    fputs("<li><a href=#jobs>Jobs</a>\n<li><a href=#environment>Environment</a>\n</ul></nav>\n", out);
}

bool report_html(const struct report *r, FILE *out)
{
    char when[32];

    html_head(out, "Faultline campaign");
    fwrite(report_page_css, 1, (size_t)(report_page_css_end - report_page_css), out);
    fputs("</style>\n<body>\n<a class=skip href=#findings>Skip to the findings</a>\n<header>\n<h1>Faultline campaign "
          "<code>",
          out);
    html_put(out, "", r->s.folder);
    html_put(out, "</code> as of ", text_when(r->s.now, when));
    fputs("</h1>\n", out);
    verdict(r, out);
    state(&r->s, out);
    figures(r, out);
    contents(r, out);
    fputs("</header>\n<main>\n", out);
    report_findings(r, out);
    report_charts(r, out);
    report_heat(r, out);
    report_zoo(r, out);
    report_lists(r, out);
    fputs("</main>\n", out);
    if (r->library) {
        fputs("<script>\n", out);
        fputs(r->library, out);
        fputs("\n</script>\n", out);
    }
    fputs("<script>\n", out);
    fwrite(report_page_js, 1, (size_t)(report_page_js_end - report_page_js), out);
    fputs("</script>\n", out);
    return !ferror(out);
}
