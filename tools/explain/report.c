/* SPDX-License-Identifier: MIT */
/* The whole explanation: judge, build the document, write it. */
#include "pin_story.h"

#include "../command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- what the failing event was about ------------------------------------------------------------------------------ */

static void find_access(struct subject *x)
{
    const struct fl_record *r = x->record;
    bool ac = x->state->s.regs.flags >> 18 & 1; /* RFLAGS.AC: SDM vol. 1, 3.4.3 */

    if (r->kind == FL_REC_ACCESS) {
        x->access = (struct fl_access){r->u.access.va, r->u.access.kind, r->u.access.priv, r->u.access.ac};
        x->has_access = true;
    } else if (x->call && x->call->kind == CALL_FAULT) {
        x->access = fl_arch_access_of(x->call->fault.cr2, x->call->fault.error_code, ac);
        x->has_access = true;
    } else if (r->kind == FL_REC_TOUCH) {
        x->access = (struct fl_access){r->u.touch.va, r->u.touch.kind, r->u.touch.priv, ac};
        x->has_access = true;
    } else if (r->kind == FL_REC_EXEC && !x->of_run) {
        x->access = (struct fl_access){r->u.exec.ip, FL_FETCH, r->u.exec.user ? FL_USER : FL_SUPERVISOR, ac};
        x->has_access = true;
    }
}

void subject_open(struct subject *x, const struct fl_scenario *s, struct capture *c, const struct bucket *bucket,
                  const struct explain_options *options, enum fl_target target)
{
    *x = (struct subject){.scenario = s, .capture = c, .bucket = bucket, .options = options, .target = target};
    x->state = &c->begin;
    x->has_event = c->events != 0;
    if (!x->has_event)
        return;
    x->record = &s->records[c->event_record];
    x->pin = c->pin.last || (c->pin.events && c->end == CAPTURE_DIVERGED && c->record < s->nrecords &&
                             s->records[c->record].kind >= FL_REC_AREA);
    if (x->pin)
        return;
    for (unsigned i = c->ncalls; i-- > 0 && !x->call;)
        if (c->call[i].kind != CALL_PERMITS)
            x->call = &c->call[i];
    if (x->call && x->call->kind == CALL_FAULT) {
        c->call[x->call - c->call].before.is_sh4 = c->begin.is_sh4;
        x->state = &x->call->before;
    }
    x->of_run = c->end == CAPTURE_DIVERGED && (c->check == FL_CHECK_TRANSPARENCY ||
                                               (c->check == FL_CHECK_EXECUTOR && x->record->kind == FL_REC_EXEC));
    find_access(x);
    x->after = c->end == CAPTURE_DIVERGED && c->check == FL_CHECK_REWALK && c->has_ram;
    if (x->after)
        memcpy(c->ram, c->after, sizeof c->ram);
    x->has_arch = x->has_access && c->has_ram && !c->begin.is_sh4 && x->access.priv < FL_ACCESS_PRIV_COUNT &&
                  fl_arch_walk(&x->state->s.cpu, &x->access, capture_read, c, &x->arch) == FL_OK;
}

/* ---- the head ----------------------------------------------------------------------------------------------------- */

static void day(int64_t seconds, char buf[24])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    buf[0] = 0;
    if (seconds > 0 && gmtime_r(&t, &tm))
        strftime(buf, 24, "%Y-%m-%d %H:%M", &tm);
}

static void tell_bucket(struct document *d, const struct bucket *b)
{
    char first[24], last[24];

    doc_item(d, "severity", "%s%s%s", severity_name(b->severity), b->severity_why[0] ? ": " : "", b->severity_why);
    doc_item(d, "status", "%s%s%s%s%s", bucket_status_name(b->status), b->reason[0] ? ": " : "", b->reason,
             b->duplicate_of[0] ? ", of " : "", b->duplicate_of);
    day(b->first_seen, first);
    day(b->last_seen, last);
    if (first[0])
        doc_item(d, "first seen", "%s UTC, build %s, by %s after %.0f s", first, b->first_build, b->found_by, b->after);
    if (last[0] && b->last_seen != b->first_seen)
        doc_item(d, "last seen", "%s UTC, build %s", last, b->last_build);
    doc_item(d, "inputs", "%" PRIu64 " distinct; %" PRIu32 " of %" PRIu32 " replays showed it%s", b->count,
             b->reproduced, b->tries, b->minimised ? "; minimised" : "");
    if (b->number)
        doc_item(d, "promoted", "corpus/regressions/%04" PRIu32 "-*.scn, %s", b->number, stage_name(b->stage));
}

static void tell_core(struct document *d, const struct subject *x)
{
    const struct explain_options *o = x->options;

    if (o->core && !o->layered)
        doc_item(d, "core", "%s%s", o->core, o->campaigns_core ? ", the campaign's own" : "");
}

static void tell_now(struct document *d, const struct subject *x)
{
    const struct capture *c = x->capture;
    char build[STORE_BUILD];

    build_name(x->options->layered ? NULL : x->options->core, build);
    if (!capture_diverges(c)) {
        doc_item(d, "now", "%s", c->end == CAPTURE_NOTHING ? "no event was judged" : "nothing disagrees");
        doc_item(d, "build", "%s", build);
        tell_core(d, x);
        if (x->bucket)
            doc_alarm(d, "It no longer reproduces. What follows is the same scenario as this build handles it.");
        else if (c->end == CAPTURE_NOTHING)
            doc_alarm(d, "No event of this scenario is one that target %s judges.", fl_target_name(x->target));
        return;
    }
    if (x->bucket && strcmp(x->bucket->key, c->key) != 0) {
        doc_item(d, "now", "another disagreement: %s", c->key);
        doc_item(d, "build", "%s", build);
        tell_core(d, x);
        doc_alarm(d, "It reproduces under another key. What follows is what this build shows.");
        return;
    }
    doc_item(d, "now", "reproduces");
    doc_item(d, "build", "%s, core \"%s\"", build, c->core_name);
    tell_core(d, x);
}

/* Where a row of the tables has that name: what it goes by. */
static const char *source_of(const char *row)
{
    size_t n;
    const struct fl_policy_row *policy = fl_policy_rows(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(policy[i].name, row) == 0)
            return policy[i].source;

    const struct fl_sync_row *sync = fl_sync_rows(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(sync[i].name, row) == 0)
            return sync[i].source;
    return NULL;
}

static void tell_difference(struct document *d, const struct subject *x)
{
    const struct capture *c = x->capture;
    const struct seen_call *call = x->call;
    const char *source = c->end == CAPTURE_DIVERGED ? source_of(c->row) : NULL;
    char want[200] = "", got[200] = "";

    if (call && call->kind == CALL_FAULT && call->decided && call->returned && c->check == FL_CHECK_DECISION) {
        outcome_text(&call->want.outcome, want, sizeof want);
        outcome_text(&call->outcome, got, sizeof got);
    }
    doc_item(d, "expected", "%s%s%s", c->expected, want[0] ? ": " : "", want);
    doc_item(d, "actual", "%s%s%s", c->actual, got[0] ? ": " : "", got);
    if (c->end == CAPTURE_DIVERGED && c->detail[0])
        doc_item(d, "in numbers", "%.*s", (int)strcspn(c->detail, "\n"), c->detail);
    if (c->end == CAPTURE_DIVERGED)
        doc_item(d, "check", "%s: %s", fl_check_name((enum fl_check)c->check), check_meaning(c->check));
    if (pin_rule(c)) {
        doc_item(d, "rule", "%s: %s", pin_rule(c)->name, pin_rule(c)->statement);
        doc_item(d, "source", "%s", pin_rule(c)->source);
    }
    if (source)
        doc_item(d, "row", "%s: %s", c->row, source);
}

static void tell_in_short(struct document *d, const struct subject *x)
{
    const struct capture *c = x->capture;
    char record[256];

    if (!capture_diverges(c))
        return;
    doc_section(d, "short", "In short");
    if (c->record < x->scenario->nrecords) {
        fl_record_print(&x->scenario->records[c->record], record, sizeof record);
        doc_item(d, "where", "record %u of %u: %s", c->record + 1, x->scenario->nrecords, record);
    } else {
        doc_item(d, "where", "the scenario as a whole");
    }
    if (x->call && x->call->kind == CALL_FAULT && x->record->kind != FL_REC_FAULT &&
        c->record < x->scenario->nrecords) {
        char code[96];

        error_code_text(x->call->fault.error_code, code, sizeof code);
        doc_item(d, "the fault", "CR2 %#" PRIx64 ", error code %#" PRIx64 " (%s)", x->call->fault.cr2,
                 x->call->fault.error_code, code);
    }
    tell_difference(d, x);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void tell_scenario(struct document *d, const struct subject *x)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    doc_section(d, "scenario", "The scenario");
    if (x->bucket && x->bucket->minimised)
        doc_paragraph(d, "The shortest that shows it, as the minimiser left it.");
    if (f && fl_scenario_print(x->scenario, f) && fclose(f) == 0)
        for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL && (rest || *line);)
            doc_line(d, DOC_VERBATIM, "%s", line);
    free(text);
}

static void tell_replay(struct document *d, const struct subject *x)
{
    const char *core = x->options->core && !x->options->layered ? x->options->core : NULL;
    char *path = shell_word(x->options->path ? x->options->path : "FILE.scn"), *word = shell_word(core ? core : "");
    char *with = format_text("%s%s", core ? " --core " : "", core ? word : ""), target[48] = "";

    if (x->target != FL_TARGET_ALL)
        snprintf(target, sizeof target, " --target %s", fl_target_name(x->target));
    doc_section(d, "replay", "How to replay it");
    if (!x->options->path)
        doc_paragraph(d, "With the scenario above in a file:");
    doc_line(d, DOC_VERBATIM, "./faultline repro%s%s %s", target, with, path);
    doc_line(d, DOC_VERBATIM, "./faultline explain%s%s --c --output repro.c %s", target, with, path);
    free(path);
    free(word);
    free(with);
}

static json_t *facts(const struct subject *x, const struct document *d)
{
    const struct capture *c = x->capture;
    const struct bucket *b = x->bucket;
    json_t *all = json_pack("{s:s, s:s, s:b, s:s, s:i, s:s}", "title", document_title(d), "key", c->key, "reproduces",
                            capture_diverges(c), "target", fl_target_name(x->target), "records",
                            (int)x->scenario->nrecords, "core", c->core_name);

    if (capture_diverges(c)) {
        char line[256] = "";

        if (c->record < x->scenario->nrecords)
            fl_record_print(&x->scenario->records[c->record], line, sizeof line);
        json_object_update_new(
            all, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "record", (int)c->record + 1, "line", line, "check",
                           c->end == CAPTURE_DIVERGED ? fl_check_name((enum fl_check)c->check) : "", "row", c->row,
                           "expected", c->expected, "actual", c->actual, "detail", c->detail));
    }
    if (b) {
        json_t *bucket = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:I, s:I}", "key", b->key, "status",
                                   bucket_status_name(b->status), "severity", severity_name(b->severity), "first_build",
                                   b->first_build, "last_build", b->last_build, "count", (json_int_t)b->count, "tries",
                                   (int)b->tries, "reproduced", (int)b->reproduced, "first_seen",
                                   (json_int_t)b->first_seen, "last_seen", (json_int_t)b->last_seen);

        if (bucket)
            json_object_set_new(all, "bucket", bucket);
        json_object_set_new(all, "same", json_boolean(strcmp(b->key, c->key) == 0));
    }
    json_object_set_new(all, "sections", document_json(d));
    return all;
}

static struct document *build(const struct subject *x, char title[200])
{
    struct document *d = document_new();

    if (x->bucket && x->bucket->title[0])
        snprintf(title, 200, "%s", x->bucket->title);
    else
        title_of(x->capture, title);
    doc_title(d, "%s", title);
    doc_section(d, "head", "");
    doc_item(d, "key", "%s", x->bucket ? x->bucket->key : x->capture->key[0] ? x->capture->key : "(none)");
    if (x->bucket)
        tell_bucket(d, x->bucket);
    tell_now(d, x);
    tell_in_short(d, x);
    if (x->pin) {
        tell_pin_areas(d, x);
        tell_pin_story(d, x);
        tell_pin_lanes(d, x);
        tell_pin_oracles(d, x);
        tell_pin_tables(d, x);
        tell_pin_frames(d, x);
        tell_timeline(d, x);
        tell_pin_calls(d, x);
        tell_pin_machine(d, x);
    } else {
        tell_machine(d, x);
        tell_tables(d, x);
        tell_space(d, x);
        tell_timeline(d, x);
        tell_calls(d, x);
        tell_oracles(d, x);
    }
    tell_scenario(d, x);
    tell_replay(d, x);
    return d;
}

bool explain_write(FILE *out, enum explain_form form, const struct fl_scenario *s, const struct bucket *bucket,
                   const struct explain_options *options, struct explain_verdict *verdict)
{
    enum fl_target target = bucket ? bucket->target : options->target;
    struct document_style style = {.width = options->width >= 40 ? options->width : 80,
                                   .ascii = options->ascii,
                                   .colour = options->colour,
                                   .heading = options->headings ? options->headings : 1,
                                   .ids = options->ids};
    struct capture *c = capture_run(s, options, target);
    struct document *d;
    struct subject x;
    char title[200];
    json_t *json;
    bool ok = true;

    if (!c)
        return false;
    subject_open(&x, s, c, bucket, options, target);
    d = build(&x, title);
    style.key = bucket ? bucket->key : c->key;
    switch (form) {
    case EXPLAIN_TEXT: document_text(d, &style, out); break;
    case EXPLAIN_MARKDOWN: document_markdown(d, &style, out); break;
    case EXPLAIN_HTML: document_html(d, &style, out); break;
    case EXPLAIN_JSON:
        json = facts(&x, d);
        ok = json && json_dumpf(json, out, JSON_INDENT(2)) == 0;
        fputc('\n', out);
        json_decref(json);
    }
    if (verdict) {
        verdict->reproduces = capture_diverges(c);
        verdict->record = c->record;
        verdict->same = verdict->reproduces && (!bucket || strcmp(bucket->key, c->key) == 0);
        snprintf(verdict->key, sizeof verdict->key, "%s", c->key);
        snprintf(verdict->title, sizeof verdict->title, "%s", title);
    }
    document_free(d);
    capture_free(c);
    return ok && !ferror(out);
}
