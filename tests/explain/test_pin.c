/* SPDX-License-Identifier: MIT */
/*
 * Explanations of findings of pinning: every rule has one, and none has a hole. Some against golden/NAME.txt.
 *   test_pin FOLDER [write]     of the golden files; write makes them anew
 */
#include "pin_cases.h"

#include "explain/explain.h"
#include "explain/program.h"

#include "../check.h"
#include "texts.h"

#include <faultline/oracle/pin.h>
#include <jansson.h>

static char *explained(const struct pin_case *c, enum explain_form form, bool ascii, struct explain_verdict *verdict)
{
    const struct explain_options options = {.layered = fl_core(),
                                            .layered_gup = layered_gup(),
                                            .target = FL_TARGET_ALL,
                                            .no_executor = true,
                                            .no_decoders = true,
                                            .ascii = ascii,
                                            .path = "finding.scn",
                                            .ids = "f1"};
    struct fl_scenario *s = malloc(sizeof *s);
    struct fl_text_error error;
    char *text = NULL, source[1024];
    size_t size;
    FILE *out = open_memstream(&text, &size);

    snprintf(source, sizeof source, PIN_HEAD "%s", c->text);
    if (!fl_scenario_parse(source, strlen(source), s, &error)) {
        fprintf(stderr, "line %u column %u: %s\n%s\n", error.line, error.column, error.message, source);
        exit(1);
    }
    pin_layer = &c->layer;
    CHECK(explain_write(out, form, s, NULL, &options, verdict), "%s: not explained", c->key);
    pin_layer = &no_pin_layer;
    fclose(out);
    free(s);
    return text;
}

/* Is it there, whatever the lines are broken at? */
static bool has(const char *text, const char *words)
{
    for (const char *start = text; *start; start++) {
        const char *t = start, *w = words;

        while (*w) {
            if (*t == *w) {
                t++;
                w++;
                continue;
            }
            if (*w != ' ' || (*t != '\n' && *t != ' '))
                break;
            w++;
            t += strspn(t, " \n");
        }
        if (!*w)
            return true;
        if (*w == ' ' && *t == '\n')
            continue;
    }
    return false;
}

/* Every section has a title and blocks; nothing says "?" or "(null)". */
static void whole(const struct pin_case *c)
{
    static const char *const wanted[] = {"head",   "short", "areas", "story",   "lanes",    "oracles", "tables",
                                         "frames", "trace", "core",  "machine", "scenario", "replay"};
    char *text = explained(c, EXPLAIN_JSON, false, NULL);
    json_t *all = json_loads(text, 0, NULL), *sections = json_object_get(all, "sections");
    size_t found = 0;

    CHECK(all != NULL, "%s: no JSON", c->key);
    for (size_t i = 0; i < json_array_size(sections); i++) {
        json_t *s = json_array_get(sections, i);
        const char *id = json_string_value(json_object_get(s, "id"));

        CHECK(json_array_size(json_object_get(s, "blocks")) > 0, "%s: section %s is empty", c->key, id);
        for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++)
            found += strcmp(id, wanted[k]) == 0;
    }
    CHECK(found >= sizeof wanted / sizeof wanted[0] - 1, "%s: %zu sections", c->key, found); /* a crash has no frames */
    CHECK(!strstr(text, "(null)") && !strstr(text, "\"?\"") && !strstr(text, "?("), "%s: a hole:\n%s", c->key, text);
    json_decref(all);
    free(text);
}

static void one(const char *folder, const struct pin_case *c, bool anew)
{
    struct explain_verdict verdict;
    char *text = explained(c, EXPLAIN_TEXT, false, &verdict);

    CHECK(strcmp(verdict.key, c->key ? c->key : "") == 0, "key %s, expected %s", verdict.key, c->key ? c->key : "none");
    text_tidy(c->key ? c->key : "clean", text, false);
    for (size_t i = 0; i < 4 && c->words[i]; i++)
        CHECK(has(text, c->words[i]), "%s: does not say \"%s\":\n%s", c->key, c->words[i], text);
    if (c->name)
        text_golden(folder, c->name, text, anew);
    free(text);
    text = explained(c, EXPLAIN_TEXT, true, NULL);
    text_tidy(c->key ? c->key : "clean", text, true);
    free(text);
    text = explained(c, EXPLAIN_HTML, false, NULL);
    text_well_formed(c->key ? c->key : "clean", text);
    free(text);
    text = explained(c, EXPLAIN_MARKDOWN, false, NULL);
    CHECK(strstr(text, "# What happened"), "%s: no story in Markdown", c->key);
    free(text);
    if (c->key)
        whole(c);
}

/* Each rule of the oracle is broken by a case, and the text says what it means and where it is from. */
static void every_rule(void)
{
    size_t count;
    const struct fl_pin_rule *rules = fl_pin_rules(&count);

    for (size_t i = 0; i < count; i++) {
        const struct pin_case *c = NULL;
        char *text;

        for (size_t k = 0; k < NPIN_CASES; k++)
            if (pin_cases[k].key && strncmp(pin_cases[k].key, rules[i].name, strlen(rules[i].name)) == 0 &&
                pin_cases[k].key[strlen(rules[i].name)] == '/')
                c = &pin_cases[k];
        CHECK(c != NULL, "rule %s: no case here breaks it", rules[i].name);
        if (!c)
            continue;
        text = explained(c, EXPLAIN_TEXT, false, NULL);
        CHECK(has(text, rules[i].statement), "rule %s: its statement is missing:\n%s", rules[i].name, text);
        CHECK(has(text, rules[i].source), "rule %s: its source is missing", rules[i].name);
        free(text);
    }
    CHECK(count >= 20, "%zu rules", count);
}

/* No single call of pinning can be shown without the model. */
static void no_program(void)
{
    const struct explain_options options = {.layered = fl_core(),
                                            .layered_gup = layered_gup(),
                                            .target = FL_TARGET_ALL,
                                            .no_executor = true,
                                            .no_decoders = true};
    const char *source = PIN_HEAD PRIVATE_ANON "act write 0x600000\npin user 0x600000 flags write get\n";
    struct fl_scenario *s = malloc(sizeof *s);
    struct fl_text_error error;
    static const struct pin_layer wrong = {.ops = {.page_get = gets_twice}};
    char *text = NULL, why[512];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool unable = false;

    CHECK(fl_scenario_parse(source, strlen(source), s, &error), "%s", error.message);
    pin_layer = &wrong;
    CHECK(!explain_program(out, s, NULL, &options, &unable, why) && unable && strstr(why, "pinning"), "%s", why);
    pin_layer = &no_pin_layer;
    fclose(out);
    CHECK_EQ(size, 0, "a program all the same");
    free(text);
    free(s);
}

int main(int argc, char **argv)
{
    bool anew = argc > 2 && strcmp(argv[2], "write") == 0;

    if (argc < 2) {
        fprintf(stderr, "usage: test_pin FOLDER [write]\n");
        return 2;
    }
    for (size_t i = 0; i < NPIN_CASES; i++)
        one(argv[1], &pin_cases[i], anew);
    every_rule();
    no_program();
    return check_done("explain-pin");
}
