/* SPDX-License-Identifier: MIT */
/*
 * Explanations of findings of every kind, against golden/NAME.txt; all forms of each, for what holds whatever is explained;
 * and that a C program's call is wrong under the wrong core and right under this tree's.
 *   test_explain FOLDER [write]     of the golden files; write makes them anew
 */
#include "cases.h"
#include "texts.h"

#include <faultline/oracle/exec.h>

#include <jansson.h>
#include <stddef.h>

static char *explained(const struct explain_case *c, enum explain_form form, bool ascii, const struct bucket *bucket,
                       struct explain_verdict *verdict)
{
    const struct explain_options options = {.layered = layered_core(),
                                            .target = FL_TARGET_ALL,
                                            .no_executor = !c->executor,
                                            .no_decoders = true,
                                            .ascii = ascii,
                                            .path = "finding.scn",
                                            .ids = "f1",
                                            .seconds = c->seconds};
    struct fl_scenario *s = malloc(sizeof *s);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool ok;

    layer = &c->layer;
    scenario_of(c->text, s);
    ok = explain_write(out, form, s, bucket, &options, verdict);
    fclose(out);
    layer = &no_layer;
    CHECK(ok, "%s: not explained", c->name ? c->name : c->key);
    free(s);
    return text;
}

static void json_facts(const struct explain_case *c, const char *text)
{
    json_error_t error;
    json_t *all = json_loads(text, 0, &error);
    const char *key;
    json_t *sections;

    CHECK(all != NULL, "%s: no JSON: %s", c->name, error.text);
    key = json_string_value(json_object_get(all, "key"));
    CHECK(key && strcmp(key, c->key ? c->key : "") == 0, "%s: key %s", c->name, key ? key : "(none)");
    CHECK(json_is_boolean(json_object_get(all, "reproduces")) &&
              json_is_true(json_object_get(all, "reproduces")) == (c->key != NULL),
          "%s: reproduces", c->name);
    sections = json_object_get(all, "sections");
    CHECK(json_array_size(sections) >= 5, "%s: %zu sections", c->name, json_array_size(sections));
    json_decref(all);
}

static void forms(const char *folder, const struct explain_case *c, bool anew)
{
    struct explain_verdict verdict;
    char *text = explained(c, EXPLAIN_TEXT, false, NULL, &verdict);

    CHECK(strcmp(verdict.key, c->key ? c->key : "") == 0, "%s: key %s, expected %s", c->name, verdict.key, c->key);
    CHECK(verdict.reproduces == (c->key != NULL) && verdict.same == verdict.reproduces, "%s: verdict", c->name);
    text_tidy(c->name, text, false);
    text_golden(folder, c->name, text, anew);
    free(text);
    if (c->seconds) /* once is long enough */
        return;
    text = explained(c, EXPLAIN_TEXT, true, NULL, NULL);
    text_tidy(c->name, text, true);
    free(text);
    text = explained(c, EXPLAIN_HTML, false, NULL, NULL);
    text_well_formed(c->name, text);
    free(text);
    text = explained(c, EXPLAIN_JSON, false, NULL, NULL);
    json_facts(c, text);
    free(text);
}

/* ---- programs ----------------------------------------------------------------------------------------------------- */

static unsigned wrong_facts(const struct program *p, const struct fl_core *core, char *said, size_t size)
{
    FILE *out = fmemopen(said, size, "w");
    unsigned wrong = repro_run(&p->repro, core, out);

    fclose(out);
    return wrong;
}

static void program(const struct explain_case *c)
{
    const struct explain_options options = {
        .layered = layered_core(), .target = FL_TARGET_ALL, .no_executor = !c->executor, .no_decoders = true};
    const char *name = c->name ? c->name : c->key;
    struct fl_scenario *s = malloc(sizeof *s);
    struct program *p = calloc(1, sizeof *p);
    static char said[16384];
    struct capture *capture;
    struct subject x;
    char why[512], *text = NULL;
    size_t size;
    FILE *out;
    bool unable, ok;

    layer = &c->layer;
    scenario_of(c->text, s);
    capture = capture_run(s, &options, FL_TARGET_ALL);
    CHECK(capture && strcmp(capture->key, c->key) == 0, "%s: key %s", name, capture ? capture->key : "(none)");
    subject_open(&x, s, capture, NULL, &options, FL_TARGET_ALL);
    CHECK(program_refusal(capture) == NULL, "%s: %s", name, program_refusal(capture));
    CHECK(program_fill(p, &x, why), "%s: %s", name, why);
    if (c->layer.fault != ends_process)
        CHECK(wrong_facts(p, layered_core(), said, sizeof said) > 0, "%s: the wrong core passes:\n%s", name, said);
    layer = &no_layer;
    memset(said, 0, sizeof said);
    CHECK(wrong_facts(p, fl_core(), said, sizeof said) == 0, "%s: this tree's core:\n%s", name, said);
    layer = &c->layer;
    out = open_memstream(&text, &size);
    ok = explain_program(out, s, NULL, &options, &unable, why);
    fclose(out);
    CHECK(ok, "%s: %s", name, why);
    CHECK(strncmp(text, "// cc -std=gnu17 ", 17) == 0 && strstr(text, "int main(void)"), "%s: no program", name);
    layer = &no_layer;
    free(text);
    capture_free(capture);
    free(p);
    free(s);
}

/* What one call cannot show is refused, with a reason; the rest is not. */
static void refusals(void)
{
    static const bool shown[FL_CHECK_COUNT] = {
        [FL_CHECK_WALK] = true,         [FL_CHECK_DECISION] = true, [FL_CHECK_EFFECT] = true,
        [FL_CHECK_LOCK] = true,         [FL_CHECK_BOUND] = true,    [FL_CHECK_CONTRACT] = true,
        [FL_CHECK_PREFETCH] = true,     [FL_CHECK_MESSAGE] = true,  [FL_CHECK_SIGNAL] = true,
        [FL_CHECK_INTERFERENCE] = true, [FL_CHECK_SYNC] = true,     [FL_CHECK_TABLE_READ] = true};
    struct capture *c = calloc(1, sizeof *c);

    for (unsigned check = 0; check < FL_CHECK_COUNT; check++) {
        memset(c, 0, offsetof(struct capture, call));
        c->end = CAPTURE_DIVERGED;
        c->check = (uint8_t)check;
        CHECK((program_refusal(c) == NULL) == shown[check], "check %s", fl_check_name((enum fl_check)check));
        CHECK(check_meaning(check)[0] != 0, "check %s has no meaning", fl_check_name((enum fl_check)check));
        snprintf(c->expected, sizeof c->expected, "answers");
        CHECK(program_refusal(c) != NULL, "check %s: the harness", fl_check_name((enum fl_check)check));
    }
    memset(c, 0, offsetof(struct capture, call));
    c->crashed = c->executor_died = true;
    CHECK(program_refusal(c) != NULL, "the executor died");
    c->executor_died = false;
    CHECK(program_refusal(c) != NULL, "a crash outside the core");
    c->ncalls = 1;
    CHECK(program_refusal(c) == NULL, "a crash in the core");
    c->crashed = false;
    c->end = CAPTURE_CLEAN;
    CHECK(program_refusal(c) != NULL, "nothing disagrees");
    free(c);
}

/* ---- what people and databases may hold ------------------------------------------------------------------------------ */

static void hostile(void)
{
    static const char evil[] =
        "<script>alert(1)</script> `code` *bold* [x](y) #5 | \033[31mred\x9b \xe2\x80\xae @all </article>";
    struct bucket b = {.severity = SEVERITY_HIGH, .target = FL_TARGET_ALL, .count = 3, .first_seen = 1, .last_seen = 2};
    struct explain_verdict verdict;
    char *text;

    snprintf(b.key, sizeof b.key, "%s", "decision/mm-minor/handled-minor/no-context");
    snprintf(b.title, sizeof b.title, "%s", evil);
    snprintf(b.reason, sizeof b.reason, "%s", evil);
    snprintf(b.first_build, sizeof b.first_build, "%.60s", evil);
    snprintf(b.found_by, sizeof b.found_by, "%.60s", evil);
    text = explained(&cases[1], EXPLAIN_TEXT, false, &b, &verdict);
    CHECK(verdict.same, "the bucket's own key is %s", verdict.key);
    CHECK(!strchr(text, 033) && !strstr(text, "\xe2\x80\xae") && strstr(text, "\\x1b[31mred"), "text:\n%.400s", text);
    free(text);
    text = explained(&cases[1], EXPLAIN_HTML, false, &b, NULL);
    text_well_formed("hostile", text);
    CHECK(!strstr(text, "<script") && strstr(text, "&lt;script&gt;") && !strchr(text, 033), "HTML:\n%.400s", text);
    free(text);
    text = explained(&cases[1], EXPLAIN_MARKDOWN, false, &b, NULL);
    CHECK(!strstr(text, "<script") && strstr(text, "\\`code\\`") && strstr(text, "\\[x\\]") && !strchr(text, 033) &&
              !strstr(text, "@all") && strstr(text, "@<!-- -->all") && !strstr(text, "#5") &&
              strstr(text, "#<!-- -->5"),
          "Markdown:\n%.400s", text);
    free(text);
    text = explained(&cases[1], EXPLAIN_JSON, false, &b, NULL);
    json_t *all = json_loads(text, 0, NULL);
    CHECK(all != NULL, "JSON:\n%.400s", text);
    json_decref(all);
    free(text);
    /* Another key than the bucket's is said to be another. */
    snprintf(b.key, sizeof b.key, "%s", "walk/kind/ok/gp");
    text = explained(&cases[1], EXPLAIN_TEXT, false, &b, &verdict);
    CHECK(verdict.reproduces && !verdict.same && strstr(text, "under another key"), "another key:\n%.400s", text);
    free(text);
    text = explained(&cases[0], EXPLAIN_TEXT, false, &b, &verdict);
    CHECK(!verdict.reproduces && strstr(text, "no longer reproduces"), "no key:\n%.400s", text);
    free(text);
}

int main(int argc, char **argv)
{
    bool anew = argc > 2 && strcmp(argv[2], "write") == 0, executor;
    unsigned programs = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: test_explain FOLDER [write]\n");
        return 2;
    }
    executor = fl_unicorn_watchdog(0) != FL_UNSUPPORTED;
    for (size_t i = 0; i < NCASES; i++) {
        if (cases[i].executor && !executor)
            continue;
        if (cases[i].name)
            forms(argv[1], &cases[i], anew);
        if (cases[i].program) {
            program(&cases[i]);
            programs++;
        }
    }
    hostile();
    refusals();
    CHECK(programs >= 19, "%u programs", programs);
    return check_done("explain");
}
