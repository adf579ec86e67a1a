/* SPDX-License-Identifier: MIT */
/* SARIF 2.1.0 (OASIS, 2020): one run, a rule per check, a result per bucket. */
#include "sections.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define BASE   "CAMPAIGN"
#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

/* Is that line of a .scn a record? Its first word is then the keyword of one. */
static bool is_record(const char *line, size_t n)
{
    size_t begin = 0, end;

    while (begin < n && (line[begin] == ' ' || line[begin] == '\t'))
        begin++;
    for (end = begin; end < n && line[end] != ' ' && line[end] != '\t' && line[end] != '\r' && line[end] != '#'; end++)
        ;
    for (unsigned kind = 0; kind < FL_REC_COUNT; kind++) {
        const char *name = fl_record_name((enum fl_record_kind)kind);

        if (strlen(name) == end - begin && memcmp(line + begin, name, end - begin) == 0)
            return true;
    }
    return false;
}

void explain_result(struct explain_result *out, const struct bucket *bucket, const char *path, bool in_folder,
                    const char *text, size_t size)
{
    struct fl_scenario *s = malloc(sizeof *s);
    struct fl_text_error error;
    unsigned line = 0, records = 0;

    *out = (struct explain_result){.bucket = *bucket, .in_folder = in_folder};
    snprintf(out->path, sizeof out->path, "%s", path);
    if (!s || !fl_scenario_parse(text, size, s, &error) || bucket->record >= s->nrecords) {
        free(s);
        return;
    }
    fl_record_print(&s->records[bucket->record], out->record, sizeof out->record);
    free(s);
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;

        line++;
        if (is_record(text + at, n) && records++ == bucket->record) {
            out->line = line;
            return;
        }
        at += n + 1;
    }
}

/* The check of a key, and what it means; crash, hang and the like are rules as well. */
static const char *rule_of(const char *key, char id[64])
{
    snprintf(id, 64, "%.*s", (int)strcspn(key, "/"), key);
    for (unsigned check = 0; check < FL_CHECK_COUNT; check++)
        if (strcmp(id, fl_check_name((enum fl_check)check)) == 0)
            return check_meaning(check);
    return strcmp(id, "crash") == 0            ? "the tested code must not end the process"
           : strcmp(id, "hang") == 0           ? "the tested code must come to an answer"
           : strcmp(id, "executor-crash") == 0 ? "an executor must not end the process"
                                               : "a scenario must be judged the same each time";
}

/* JSON strings are UTF-8; a database may hold anything. */
static json_t *text_of(const char *text)
{
    json_t *string = json_string(text);
    char *plain;

    if (string)
        return string;
    plain = strdup(text);
    if (!plain)
        return NULL;
    for (char *p = plain; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    string = json_string(plain);
    free(plain);
    return string;
}

/* A URI reference (RFC 3986) of a path: a file: URI (RFC 8089) where it is absolute. end: what comes behind it. */
static json_t *uri_of(const char *path, const char *end)
{
    char uri[4000];
    size_t n = 0;

    if (path[0] == '/')
        n = (size_t)snprintf(uri, sizeof uri, "file://");
    for (const unsigned char *p = (const unsigned char *)path; *p && n + 5 < sizeof uri; p++)
        if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || strchr("-._~/", *p))
            uri[n++] = (char)*p;
        else
            n += (size_t)snprintf(uri + n, sizeof uri - n, "%%%02X", *p);
    snprintf(uri + n, sizeof uri - n, "%s", end);
    return json_string(uri);
}

static json_t *rule(const char *id, const char *meaning)
{
    return json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "id", id, "name", id, "shortDescription", "text", meaning,
                     "defaultConfiguration", "level", "error");
}

static json_t *result(const struct explain_result *r, const char *id, int index)
{
    static const char *const levels[SEVERITIES] = {[SEVERITY_LOW] = "note",
                                                   [SEVERITY_MEDIUM] = "warning",
                                                   [SEVERITY_HIGH] = "error",
                                                   [SEVERITY_CRITICAL] = "error"};
    const struct bucket *b = &r->bucket;
    json_t *file = json_pack("{s:o}", "uri", uri_of(r->path, "")),
           *place = json_pack("{s:o}", "artifactLocation", file);
    json_t *out =
        json_pack("{s:s, s:i, s:s, s:{s:o}, s:{s:o}}", "ruleId", id, "ruleIndex", index, "level",
                  b->severity < SEVERITIES ? levels[b->severity] : "warning", "message", "text",
                  text_of(b->title[0] ? b->title : b->key), "partialFingerprints", "faultlineKey/v1", text_of(b->key));

    if (r->in_folder)
        json_object_set_new(file, "uriBaseId", json_string(BASE));
    if (r->line)
        json_object_set_new(
            place, "region",
            json_pack("{s:i, s:{s:o}}", "startLine", (int)r->line, "snippet", "text", text_of(r->record)));
    json_object_set_new(out, "locations", json_pack("[{s:o}]", "physicalLocation", place));
    json_object_set_new(out, "properties",
                        json_pack("{s:o, s:s, s:s, s:o, s:I, s:o, s:o}", "key", text_of(b->key), "status",
                                  bucket_status_name(b->status), "severity", severity_name(b->severity), "detail",
                                  text_of(b->detail), "count", (json_int_t)b->count, "firstBuild",
                                  text_of(b->first_build), "lastBuild", text_of(b->last_build)));
    if (b->status == BUCKET_INVALID || b->status == BUCKET_DUPLICATE)
        json_object_set_new(out, "suppressions",
                            json_pack("[{s:s, s:o}]", "kind", "external", "justification", text_of(b->reason)));
    return out;
}

bool explain_sarif(FILE *out, const struct explain_result *results, size_t n, const char *folder)
{
    json_t *rules = json_array(), *all = json_array(), *log;
    char id[64];
    bool ok;

    for (size_t i = 0; i < n; i++) {
        const char *meaning = rule_of(results[i].bucket.key, id);
        size_t index;

        for (index = 0; index < json_array_size(rules); index++)
            if (strcmp(json_string_value(json_object_get(json_array_get(rules, index), "id")), id) == 0)
                break;
        if (index == json_array_size(rules))
            json_array_append_new(rules, rule(id, meaning));
        json_array_append_new(all, result(&results[i], id, (int)index));
    }
    log = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:s, s:o}]}", "$schema", SCHEMA, "version", "2.1.0", "runs",
                    "tool", "driver", "name", "Faultline", "version", FAULTLINE_VERSION, "rules", rules, "columnKind",
                    "utf16CodeUnits", "results", all);
    if (folder)
        json_object_set_new(json_array_get(json_object_get(log, "runs"), 0), "originalUriBaseIds",
                            json_pack("{s:{s:o}}", BASE, "uri", uri_of(folder, "/")));
    ok = log && json_dumpf(log, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF;
    json_decref(log);
    return ok && fflush(out) == 0 && !ferror(out);
}
