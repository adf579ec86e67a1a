/* SPDX-License-Identifier: MIT */
/*
 * SARIF logs: what the schema of 2.1.0 requires (sections 3.13 sarifLog, 3.14 run, 3.18 tool, 3.19 toolComponent, 3.27 result,
 * 3.28 location, 3.30 region, 3.49 reportingDescriptor of the standard), rules that results refer to, lines of records.
 */
#include "explain/explain.h"

#include "../check.h"

#include <jansson.h>

static const char *text_at(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    CHECK(text != NULL && text[0], "%s is no text", key);
    return text ? text : "";
}

static json_t *object_at(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    CHECK(json_is_object(value), "%s is no object", key);
    return value;
}

/* One of the words that the schema allows. */
static void one_of(const char *word, const char *const words[])
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            break;
    CHECK(*words != NULL, "\"%s\" is none of the words", word);
}

/* A relative reference, or a file: URI. */
static void check_uri(const char *uri)
{
    CHECK(uri[0] != '/', "an absolute path is no URI: %s", uri);
    if (strncmp(uri, "file:///", 8) == 0)
        uri += 8;
    for (const char *p = uri; *p; p++)
        CHECK(strchr("-._~/%", *p) || (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'),
              "'%c' in URI %s", *p, uri);
}

static void check_result(json_t *result, json_t *rules)
{
    static const char *const levels[] = {"none", "note", "warning", "error", NULL};
    json_int_t index = json_integer_value(json_object_get(result, "ruleIndex"));
    json_t *locations = json_object_get(result, "locations"), *place, *region, *file;

    CHECK(index >= 0 && (size_t)index < json_array_size(rules), "ruleIndex %d", (int)index);
    CHECK(strcmp(text_at(result, "ruleId"), text_at(json_array_get(rules, (size_t)index), "id")) == 0, "ruleId");
    one_of(text_at(result, "level"), levels);
    CHECK(!json_object_get(result, "baselineState"), "there is no baseline that it could be compared with");
    text_at(object_at(result, "message"), "text");
    text_at(object_at(result, "partialFingerprints"), "faultlineKey/v1");
    CHECK_EQ(json_array_size(locations), 1, "locations");
    place = object_at(json_array_get(locations, 0), "physicalLocation");
    file = object_at(place, "artifactLocation");
    check_uri(text_at(file, "uri"));
    if (json_object_get(file, "uriBaseId")) {
        CHECK(strcmp(text_at(file, "uriBaseId"), "CAMPAIGN") == 0, "uriBaseId");
        CHECK(strncmp(text_at(file, "uri"), "file:", 5) != 0, "absolute, and with a base: %s", text_at(file, "uri"));
    }
    region = json_object_get(place, "region");
    if (region) {
        CHECK(json_integer_value(json_object_get(region, "startLine")) > 0, "startLine");
        text_at(object_at(region, "snippet"), "text");
    }
}

static json_t *log_of(const struct explain_result *results, size_t n, const char *folder)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    json_error_t error;
    json_t *log, *run, *driver, *rules, *all;

    CHECK(explain_sarif(out, results, n, folder), "no log");
    fclose(out);
    log = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    CHECK(log != NULL, "no JSON: %s", error.text);
    CHECK(strcmp(text_at(log, "version"), "2.1.0") == 0, "version");
    CHECK(strncmp(text_at(log, "$schema"), "https://", 8) == 0, "$schema");
    CHECK_EQ(json_array_size(json_object_get(log, "runs")), 1, "runs");
    run = json_array_get(json_object_get(log, "runs"), 0);
    if (folder) {
        const char *base = text_at(object_at(object_at(run, "originalUriBaseIds"), "CAMPAIGN"), "uri");

        check_uri(base);
        CHECK(base[strlen(base) - 1] == '/', "a base ends in a slash: %s", base);
    }
    driver = object_at(object_at(run, "tool"), "driver");
    CHECK(strcmp(text_at(driver, "name"), "Faultline") == 0, "name");
    text_at(driver, "version");
    rules = json_object_get(driver, "rules");
    CHECK(json_is_array(rules), "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        json_t *rule = json_array_get(rules, i);

        text_at(object_at(rule, "shortDescription"), "text");
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(text_at(rule, "id"), text_at(json_array_get(rules, k), "id")) != 0, "a rule twice");
    }
    all = json_object_get(run, "results");
    CHECK(json_is_array(all) && json_array_size(all) == n, "results");
    for (size_t i = 0; i < json_array_size(all); i++)
        check_result(json_array_get(all, i), rules);
    free(text);
    return log;
}

static json_t *result_of(json_t *log, size_t i)
{
    return json_array_get(json_object_get(json_array_get(json_object_get(log, "runs"), 0), "results"), i);
}

static json_t *place_of(json_t *log, size_t i)
{
    return json_object_get(json_array_get(json_object_get(result_of(log, i), "locations"), 0), "physicalLocation");
}

static struct bucket bucket_of(const char *key, const char *title, uint32_t record)
{
    struct bucket b = {.severity = SEVERITY_HIGH, .count = 2, .record = record, .nrecords = 3, .target = FL_TARGET_ALL};

    snprintf(b.key, sizeof b.key, "%s", key);
    snprintf(b.title, sizeof b.title, "%s", title);
    return b;
}

int main(void)
{
    /* A comment that looks like a record is none, and what follows a record on its line is not looked at. */
    static const char text[] = "faultline-scenario 2\n# touch read user 0x1000\nmode 4level\n\n"
                               "vma 0x10000000 pages 2 prot rw   # touch\n\n  touch read user 0x10000000\n"
                               "touch write user 0x10000ff8\n";
    struct explain_result results[6];
    struct bucket b = bucket_of("decision/area-write/served/oops", "one", 2);
    json_t *log, *place, *file;

    log = log_of(results, 0, NULL);
    json_decref(log);
    explain_result(&results[0], &b, "findings/one.scn", true, text, sizeof text - 1);
    CHECK_EQ(results[0].line, 8, "line of the third record");
    CHECK(strcmp(results[0].record, "touch write user 0x10000ff8") == 0, "%s", results[0].record);
    b = bucket_of("decision/no-vma/refused/served", "", 1);
    explain_result(&results[1], &b, "findings/t wo%.scn", true, text, sizeof text - 1);
    CHECK_EQ(results[1].line, 7, "line of the second record");
    b = bucket_of("crash/fault/signal-11", "a \"crash\" \\ \033[31m \xff\xfe <b>", 3); /* the scenario as a whole */
    snprintf(b.detail, sizeof b.detail, "%s", "line\nand \x80 line");
    explain_result(&results[2], &b, "findings/three.scn", true, text, sizeof text - 1);
    CHECK_EQ(results[2].line, 0, "no line");
    b = bucket_of("hang/walk", "four", 0); /* fuzz bytes have no lines */
    b.severity = SEVERITY_LOW;
    explain_result(&results[3], &b, "/else:where/four", false, "\x00\xff\x01", 3);
    CHECK_EQ(results[3].line, 0, "no line");
    b = bucket_of("sync/current-copy/flushed/not-flushed", "five", 0);
    b.status = BUCKET_REGRESSION;
    explain_result(&results[4], &b, "five.scn", false, text, sizeof text - 1);
    CHECK_EQ(results[4].line, 5, "line of the first record");
    b = bucket_of("", "", 0); /* nothing at all: still a log that holds */
    snprintf(b.key, sizeof b.key, "%s", "unreplayed/all");
    explain_result(&results[5], &b, "six", false, "", 0);
    log = log_of(results, 6, "/some where/campaign");
    place = place_of(log, 1);
    CHECK(strcmp(text_at(object_at(place, "artifactLocation"), "uri"), "findings/t%20wo%25.scn") == 0, "URI");
    text_at(object_at(place, "artifactLocation"), "uriBaseId");
    CHECK(strcmp(text_at(object_at(object_at(json_array_get(json_object_get(log, "runs"), 0), "originalUriBaseIds"),
                                   "CAMPAIGN"),
                         "uri"),
                 "file:///some%20where/campaign/") == 0,
          "base");
    file = object_at(place_of(log, 3), "artifactLocation");
    CHECK(strcmp(text_at(file, "uri"), "file:///else%3Awhere/four") == 0 && !json_object_get(file, "uriBaseId"),
          "an absolute path");
    file = object_at(place_of(log, 4), "artifactLocation");
    CHECK(strcmp(text_at(file, "uri"), "five.scn") == 0 && !json_object_get(file, "uriBaseId"), "a relative path");
    CHECK_EQ(json_integer_value(json_object_get(object_at(place, "region"), "startLine")), 7, "startLine");
    CHECK(json_integer_value(json_object_get(result_of(log, 0), "ruleIndex")) ==
              json_integer_value(json_object_get(result_of(log, 1), "ruleIndex")),
          "one rule for a check");
    CHECK(json_object_get(
              json_object_get(json_array_get(json_object_get(result_of(log, 2), "locations"), 0), "physicalLocation"),
              "region") == NULL,
          "no region");
    json_decref(log);
    return check_done("explain-sarif");
}
