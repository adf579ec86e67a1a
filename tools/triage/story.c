/* SPDX-License-Identifier: MIT */
/* What a finding is called, and its text: the scenario with its story as comments. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What each check says when something is wrong; row, expected and actual are put in for %r, %e and %a. */
static const char *const sentences[FL_CHECK_COUNT] = {
    [FL_CHECK_WALK] = "the core's walk says %a where the architecture says %e (%r)",
    [FL_CHECK_EXECUTOR] = "an executor says %a where the architecture says %e (%r)",
    [FL_CHECK_DECISION] = "%r: the core says %a where the table says %e",
    [FL_CHECK_EFFECT] = "%r: the core did %a where the table says %e",
    [FL_CHECK_LOCK] = "the mm lock (%r) is %a where it has to be %e",
    [FL_CHECK_REWALK] = "a fault that was handled comes again: the tables say %a",
    [FL_CHECK_PROGRESS] = "%r: %a",
    [FL_CHECK_BOUND] = "instruction bytes: %r is %a where it has to be %e",
    [FL_CHECK_CONTRACT] = "the contract of %r: %a where it has to be %e",
    [FL_CHECK_PREFETCH] = "a prefetch: the core says %a where the rule says %e",
    [FL_CHECK_DECODER] = "a disassembler says %a where the rule says %e (%r)",
    [FL_CHECK_TRANSPARENCY] = "a run on demand and the run with everything mapped: %r are %a where they have to be %e",
    [FL_CHECK_MESSAGE] = "what is logged of %r is %a where it has to be %e",
    [FL_CHECK_SIGNAL] = "what a task is told: %r is %a where it has to be %e",
    [FL_CHECK_INTERFERENCE] = "user code learns from %r whether a kernel address is mapped",
    [FL_CHECK_SYNC] = "%r: the kernel tables are %a where they have to be %e",
    [FL_CHECK_TABLE_READ] = "a table entry is read %a where %e is what there may be (%r)",
    [FL_CHECK_GENERATION] = "generation %r ends as %a, the present one as %e",
    [FL_CHECK_PIN] = "pinned pages: %r is %a where it has to be %e",
    [FL_CHECK_PERM] = "a page was pinned that has to be %e (%r)",
    [FL_CHECK_COW] = "copy on write, %r: %a where it has to be %e",
    [FL_CHECK_PIN_DIFF] = "pinning %r: %a where it has to be the %e",
};

static void fill(const char *sentence, const struct replay_result *result, char title[200])
{
    size_t n = 0;

    for (; *sentence && n < 199; sentence++) {
        const char *put = NULL;

        if (*sentence == '%')
            put = sentence[1] == 'r' ? result->row : sentence[1] == 'e' ? result->expected : result->actual;
        if (put) {
            size_t length = strlen(put) < 199 - n ? strlen(put) : 199 - n;

            memcpy(title + n, put, length);
            n += length;
            sentence++;
        } else {
            title[n++] = *sentence;
        }
    }
    title[n] = 0;
}

void triage_title(const struct replay_result *result, char title[200])
{
    switch (result->end) {
    case REPLAY_DIVERGED:
        if (result->check == FL_CHECK_LOCK && strncmp(result->row, "pin-", 4) == 0) {
            fill("locks at the end of pinning (%r): %a where it has to be %e", result, title);
            return;
        }
        if ((unsigned)result->check < FL_CHECK_COUNT && sentences[result->check])
            fill(sentences[result->check], result, title);
        else
            snprintf(title, 200, "%.199s", result->key);
        return;
    case REPLAY_CRASHED:
        if (result->signal)
            snprintf(title, 200, "the core crashes: signal %d (%s)", result->signal, strsignal(result->signal));
        else
            snprintf(title, 200, "the core ends the process");
        return;
    case REPLAY_HUNG: snprintf(title, 200, "the core does not come back"); return;
    case REPLAY_EXECUTOR_DIED:
        snprintf(title, 200, "the executor crashes: signal %d (%s)", result->signal, strsignal(result->signal));
        return;
    case REPLAY_UNABLE: snprintf(title, 200, "no replay could be started"); return;
    case REPLAY_CLEAN:
    case REPLAY_NOTHING: break;
    }
    snprintf(title, 200, "an engine stopped on this input, and a replay shows nothing");
}

static void comment(FILE *out, const char *text)
{
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");

        fprintf(out, "# %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
}

char *triage_text(const struct bucket *b, const struct fl_scenario *s, size_t *size)
{
    char *text = NULL, *body = NULL, *rest, line[256];
    size_t body_size;
    FILE *out = open_memstream(&text, size), *print = open_memstream(&body, &body_size);

    if (!out || !print || !fl_scenario_print(s, print) || fclose(print) != 0) {
        fprintf(stderr, "faultline: out of memory\n");
        exit(EXIT_INTERNAL);
    }
    /* The format's first line comes first; the story goes behind it. */
    rest = strchr(body, '\n');
    rest = rest ? rest + 1 : body + body_size;
    fwrite(body, 1, (size_t)(rest - body), out);
    comment(out, b->title);
    fprintf(out, "# finding: %s\n# severity: %s: %s\n# found by: %s, build %s\n", b->key, severity_name(b->severity),
            b->severity_why, b->found_by, b->first_build);
    if (b->target != FL_TARGET_ALL)
        fprintf(out, "# target: %s (faultline repro --target %s shows it, without it does not)\n",
                fl_target_name(b->target), fl_target_name(b->target));
    if (b->minimised)
        fprintf(out, "# minimised: %u records of %u\n", b->nrecords, b->first_size);
    comment(out, b->detail);
    if (b->record < s->nrecords) {
        fl_record_print(&s->records[b->record], line, sizeof line);
        fprintf(out, "# at record %u: %s\n", b->record + 1, line);
    }
    fputs(rest, out);
    free(body);
    if (fclose(out) != 0) {
        fprintf(stderr, "faultline: out of memory\n");
        exit(EXIT_INTERNAL);
    }
    return text;
}
