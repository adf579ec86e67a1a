/* SPDX-License-Identifier: MIT */
/* The trace: set-up, events and how each ended, the one that failed, and what did not come to its turn. */
#include "sections.h"

#include <stdlib.h>
#include <string.h>

/* "done after synced" from the judge's "record 7: done after synced"; the last line of several. */
static bool ending_of(const struct capture *c, unsigned record, char *buf, size_t size)
{
    char begin[32];
    int n = snprintf(begin, sizeof begin, "record %u: ", record + 1);
    bool found = false;

    for (const char *line = c->endings; *line;) {
        size_t length = strcspn(line, "\n");

        if (strncmp(line, begin, (size_t)n) == 0) {
            snprintf(buf, size, "%.*s", (int)(length - (size_t)n), line + n);
            found = true;
        }
        line += length + (line[length] == '\n');
    }
    return found;
}

void tell_timeline(struct document *d, const struct subject *x)
{
    const struct fl_scenario *s = x->scenario;
    const struct capture *c = x->capture;
    bool diverges = capture_diverges(c), generations = c->generation != s->machine.generation && diverges;
    bool over = false;
    char line[256], ending[160];

    doc_section(d, "trace", "The trace");
    if (generations)
        doc_paragraph(d,
                      "The scenario is run under each generation of vmalloc_fault that its mode has; it failed under "
                      "%s. How events ended is told of the last run that came that far.",
                      fl_generation_name((enum fl_generation)c->generation));
    for (unsigned i = 0; i < s->nrecords; i++) {
        bool event = fl_record_is_event((enum fl_record_kind)s->records[i].kind);
        bool here = diverges && i == c->record;

        fl_record_print(&s->records[i], line, sizeof line);
        if (!event && !here) {
            doc_line(d, DOC_PAST, "%3u      %s", i + 1, line);
            continue;
        }
        if (here && c->crashed)
            doc_line(d, DOC_HERE, "%3u  %s  ◀ the process ended here (%s)", i + 1, line, c->actual);
        else if (here && c->hung)
            doc_line(d, DOC_HERE, "%3u  %s  ◀ no answer in time", i + 1, line);
        else if (here)
            doc_line(d, DOC_HERE, "%3u  %s  ◀ expected %s, seen %s", i + 1, line, c->expected, c->actual);
        else if (!fl_target_judges(x->target, (enum fl_record_kind)s->records[i].kind))
            doc_line(d, DOC_PAST, "%3u  %s  · not judged by target %s", i + 1, line, fl_target_name(x->target));
        else if (over)
            doc_line(d, DOC_PAST, "%3u  %s  · not reached", i + 1, line);
        else if (ending_of(c, i, ending, sizeof ending))
            doc_line(d, DOC_PLAIN, "%3u  %s  · %s", i + 1, line, ending);
        else if (s->records[i].kind == FL_REC_ACCESS)
            doc_line(d, DOC_PLAIN, "%3u  %s  · agreed", i + 1, line);
        else
            doc_line(d, DOC_PLAIN, "%3u  %s  · skipped", i + 1, line);
        over |= here;
    }
    if (diverges && c->record >= s->nrecords)
        doc_line(d, DOC_HERE, "     all of it, run again with everything mapped  ◀ expected %s, seen %s", c->expected,
                 c->actual);
}
