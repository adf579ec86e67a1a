/* SPDX-License-Identifier: MIT */
/* The buckets: a list, and for each what it is, as this build shows it. */
#include "report.h"

#include "../command.h"
#include "../explain/explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Judging takes a while where something hangs: so many are explained, and each may take so long. */
#define MOST_EXPLAINED 100
#define SECONDS_EACH   5
#define MOST_TEXT      (256 << 10)

static const char *standing(const struct bucket *b)
{
    return b->aside ? "left aside" : bucket_status_name(b->status);
}

static bool is_open(const struct bucket *b)
{
    return !b->aside && (b->status == BUCKET_OPEN || b->status == BUCKET_REGRESSION);
}

static void severity(const struct bucket *b, FILE *out)
{
    fprintf(out, "<span class=\"sev %s\">", is_open(b) ? severity_name(b->severity) : "done");
    html_put(out, "", severity_name(b->severity));
    fputs("</span>", out);
}

static void list(const struct status *s, FILE *out)
{
    char span[32];

    fputs("<div class=scroll><table class=list id=buckets><caption class=hidden>Findings</caption>\n<thead><tr>"
          "<th scope=col>Severity<th scope=col>Status<th scope=col>Finding<th scope=col class=n>Inputs"
          "<th scope=col class=n>First after<th scope=col>By<tbody>\n",
          out);
    for (size_t i = 0; i < s->nbuckets; i++) {
        const struct bucket *b = &s->buckets[i];

        fputs("<tr><td>", out);
        severity(b, out);
        html_put(out, is_open(b) ? "<td><b>" : "<td>", standing(b));
        fprintf(out, "%s<th scope=row><a href=\"#finding-%zu\">", is_open(b) ? "</b>" : "", i + 1);
        html_put(out, "", b->title[0] ? b->title : b->key);
        html_put(out, "</a><br><code>", b->key);
        html_count(out, "</code><td class=n>", b->count);
        html_put(out, "<td class=n>", text_span(b->after, span));
        html_put(out, "<td>", b->found_by);
        fputc('\n', out);
    }
    fputs("</table></div>\n", out);
}

static void fact(FILE *out, const char *name, const char *value)
{
    if (!value[0])
        return;
    html_put(out, "<dt>", name);
    html_put(out, "<dd>", value);
    fputc('\n', out);
}

/* explained: an explanation follows, which begins with the same but for what stands first here. */
static void facts(const struct bucket *b, bool explained, FILE *out)
{
    char when[32];

    fputs("<dl class=facts>\n", out);
    if (b->number)
        fprintf(out, "<dt>regression<dd>%04" PRIu32 ", %s\n", b->number, stage_name(b->stage));
    html_counted(out, "<dt>scenario<dd>", b->nrecords, "record", "records");
    html_count(out, " (the first input had ", b->first_size);
    html_put(out, b->minimised ? "), minimised: " : "): ", b->file);
    fputc('\n', out);
    fact(out, "seen at first", b->detail);
    if (explained) {
        fputs("</dl>\n", out);
        return;
    }
    html_put(out, "<dt>key<dd><code>", b->key);
    fputs("</code>\n", out);
    html_put(out, "<dt>severity<dd>", severity_name(b->severity));
    html_put(out, b->severity_why[0] ? ": " : "", b->severity_why);
    html_put(out, "\n<dt>status<dd>", standing(b));
    html_put(out, b->reason[0] ? ": " : "", b->reason);
    html_put(out, b->duplicate_of[0] ? " of " : "", b->duplicate_of);
    html_count(out, "\n<dt>inputs<dd>", b->count);
    if (b->tries)
        fprintf(out, "; %" PRIu32 " of %" PRIu32 " replays showed it", b->reproduced, b->tries);
    html_put(out, "\n<dt>first seen<dd>", text_when(b->first_seen, when));
    html_put(out, " with ", b->first_build);
    html_put(out, " by ", b->found_by);
    html_put(out, "\n<dt>last seen<dd>", text_when(b->last_seen, when));
    html_put(out, " with ", b->last_build);
    fputs("\n</dl>\n", out);
}

/* The scenario's file as it stands. NULL: it cannot be read. */
static char *scenario_text(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    struct stat st;
    char *text = NULL;

    *size = 0;
    if (in && fstat(fileno(in), &st) == 0 && S_ISREG(st.st_mode) && (text = malloc(MOST_TEXT + 1))) {
        *size = fread(text, 1, MOST_TEXT, in);
        text[*size] = 0;
    }
    if (in)
        fclose(in);
    return text;
}

/* What the tested code does with it now. */
static bool explanation(const struct report *r, const struct bucket *b, size_t i, const char *path,
                        const struct fl_scenario *scenario, FILE *out)
{
    char ids[32];
    struct explain_options options = {.core = r->core,
                                      .campaigns_core = r->own_core,
                                      .target = b->target,
                                      .seconds = SECONDS_EACH,
                                      .path = path,
                                      .headings = 4,
                                      .ids = ids};
    struct explain_verdict verdict = {0};
    char *article = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&article, &size);
    bool ok;

    snprintf(ids, sizeof ids, "explain%zu", i + 1);
    ok = memory && explain_write(memory, EXPLAIN_HTML, scenario, b, &options, &verdict);
    if (memory && fclose(memory) != 0)
        ok = false;
    if (ok) {
        facts(b, true, out);
        fwrite(article, 1, size, out);
    }
    free(article);
    return ok;
}

static void again(const struct report *r, const struct bucket *b, FILE *out)
{
    char *folder = shell_word(r->s.folder), *key = shell_word(b->key), *core = shell_word(r->core ? r->core : "");

    html_put(out, "<p class=again>Again: <code>faultline explain --dir ", folder);
    html_put(out, r->core ? " --core " : "", r->core ? core : "");
    html_put(out, " ", key);
    free(folder);
    free(key);
    free(core);
}

static void one(const struct report *r, size_t i, FILE *out)
{
    const struct bucket *b = &r->s.buckets[i];
    char *path = format_text("%s/%s", r->s.folder, b->file);
    struct fl_scenario *scenario = calloc(1, sizeof *scenario);
    struct fl_text_error error;
    size_t size;
    char *text = scenario_text(path, &size);
    bool judge = r->explain && i < MOST_EXPLAINED && text && scenario;

    fprintf(out, "<details class=finding id=finding-%zu><summary>", i + 1);
    severity(b, out);
    html_put(out, " <span class=title>", b->title[0] ? b->title : b->key);
    fputs("</span></summary>\n", out);
    if (!judge || !fl_scenario_parse(text, size, scenario, &error) || !explanation(r, b, i, path, scenario, out)) {
        facts(b, false, out);
        html_put(out, text ? "<h4>Scenario</h4>\n<pre tabindex=0>" : "<p class=note>Its scenario cannot be read: ",
                 text ? text : path);
        fputs(text ? "</pre>\n" : "</p>\n", out);
    }
    again(r, b, out);
    fputs("</code></p>\n</details>\n", out);
    free(scenario);
    free(text);
    free(path);
}

void report_findings(const struct report *r, FILE *out)
{
    report_section(out, "findings", "Findings");
    if (r->s.nbuckets == 0) {
        fputs("<p>Nothing was found.</p>\n</section>\n", out);
        return;
    }
    list(&r->s, out);
    if (r->core && r->explain) {
        html_put(out, "<p class=note>Judged with the core ", r->core);
        fputs(r->own_core ? ", the campaign's own.</p>\n" : ".</p>\n", out);
    }
    fputs("<div class=each>\n", out);
    for (size_t i = 0; i < r->s.nbuckets; i++)
        one(r, i, out);
    fputs("</div>\n</section>\n", out);
}
