/* SPDX-License-Identifier: MIT */
/*
 * The files that people read. Arguments: docs/scenario-format.md, then any number of .scn files.
 * Every fenced scn block of the document and every file parses, and its canonical text gives the same scenario in both
 * forms. The document names every word of the vocabulary, and the seeds use every mode, arch, generation, kind
 * of record and injection.
 */
#include "text_helpers.h"

#include "scenario/internal.h"

static uint64_t kinds[FL_REC_COUNT], modes[FL_MODE_COUNT], injections[FL_INJ_COUNT], privileges[2];
static uint64_t generations[FL_GEN_COUNT], archs[2];

/* Parses, and checks that nothing is lost on the way to canonical text and bytes and back. */
static void check_text(const char *name, unsigned line, const char *text, size_t size)
{
    static struct fl_scenario s, again;
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    struct fl_text_error error = {0};
    size_t size1, size2;
    char *text1, *text2;

    CHECK(fl_scenario_parse(text, size, &s, &error), "%s:%u:%u: %s", name, line + error.line - 1, error.column,
          error.message);
    if (error.line != 0)
        return;
    CHECK(fl_scenario_valid(&s), "%s:%u", name, line);
    text1 = print_scenario(&s, &size1);
    CHECK(fl_scenario_parse(text1, size1, &again, &error), "%s:%u: canonical text:\n%s", name, line, text1);
    CHECK(fl_scenario_equal(&s, &again), "%s:%u: canonical text:\n%s", name, line, text1);
    text2 = print_scenario(&again, &size2);
    CHECK(strcmp(text1, text2) == 0, "%s:%u: '%s' and '%s'", name, line, text1, text2);
    fl_scenario_decode(bytes, fl_scenario_encode(&s, bytes, sizeof(bytes)), &again);
    CHECK(fl_scenario_equal(&s, &again), "%s:%u: bytes", name, line);
    free(text1);
    free(text2);

    modes[s.machine.mode]++;
    privileges[s.machine.user]++;
    generations[s.machine.generation]++;
    archs[s.machine.sh4]++;
    for (uint32_t i = 0; i < s.nrecords; i++) {
        kinds[s.records[i].kind]++;
        if (s.records[i].kind == FL_REC_INJECT)
            injections[s.records[i].u.inject.op]++;
    }
}

static unsigned check_blocks(const char *name, const char *text)
{
    static const char fence[] = "\n```scn\n";
    unsigned blocks = 0;

    for (const char *at = strstr(text, fence); at != NULL; at = strstr(at, fence)) {
        const char *start = at + sizeof(fence) - 1, *end = strstr(start, "\n```");
        unsigned line = 1;

        CHECK(end != NULL, "%s: block without end", name);
        if (end == NULL)
            break;
        for (const char *p = text; p < start; p++)
            line += *p == '\n';
        check_text(name, line, start, (size_t)(end + 1 - start));
        blocks++;
        at = end;
    }
    return blocks;
}

/* In back quotes, anywhere in the section that begins with that heading. */
static void check_documented(const char *name, const char *section, const char *word)
{
    char quoted[64];
    const char *at, *end = strstr(section + 1, "\n### ");

    snprintf(quoted, sizeof(quoted), "`%s`", word);
    at = strstr(section, quoted);
    CHECK(at != NULL && (end == NULL || at < end), "%s does not tell of %s", name, quoted);
}

static void check_vocabulary(const char *name, const char *text)
{
    const char *machine = strstr(text, "\n### Machine keys"), *setup = strstr(text, "\n### Set-up records"),
               *events = strstr(text, "\n### Event records");
    char row[512];

    CHECK(machine != NULL && setup != NULL && events != NULL, "%s: sections", name);
    if (machine == NULL || setup == NULL || events == NULL)
        return;
    for (const struct fl_item *item = fl_machine_items; item->width != 0; item++) {
        const char *at;

        snprintf(row, sizeof(row), "\n| `%s` |", item->key);
        at = strstr(machine, row);
        CHECK(at != NULL && at < setup, "%s has no row for %s", name, item->key);
        if (at == NULL)
            continue;
        for (const struct fl_word *w = item->words; w != NULL && w->text != NULL; w++) {
            const char *word = strstr(at, w->text);

            CHECK(word != NULL && word < strchr(at + 1, '\n'), "%s: row of %s lacks %s", name, item->key, w->text);
        }
        if (item->type == FL_ITEM_DEC || item->type == FL_ITEM_HEX) { /* the usual value, as the table writes it */
            const char *usual;

            snprintf(row, sizeof(row),
                     item->type == FL_ITEM_HEX && item->usual != 0 ? "| %#" PRIx64 " |" : "| %" PRIu64 " |",
                     item->usual);
            usual = strstr(at, row);
            CHECK(usual != NULL && usual < strchr(at + 1, '\n'), "%s: row of %s lacks the usual value %s", name,
                  item->key, row);
        }
    }
    for (unsigned kind = 0; kind < FL_REC_COUNT; kind++) {
        const char *section = fl_record_spec(kind)->event ? events : setup;

        check_documented(name, section, fl_record_spec(kind)->name);
        for (const struct fl_item *item = fl_record_spec(kind)->items; item->width != 0; item++) {
            if (item->key != NULL)
                check_documented(name, section, item->key);
            for (const struct fl_word *w = item->words; w != NULL && w->text != NULL; w++)
                if (strspn(w->text, "0123456789") == 0 &&
                    !(w->text[0] == 'r' && strspn(w->text + 1, "0123456789") != 0))
                    check_documented(name, section, w->text);
        }
    }
}

int main(int argc, char **argv)
{
    size_t size = 0;
    char *text;

    if (argc < 3) {
        fprintf(stderr, "usage: %s scenario-format.md FILE.scn...\n", argv[0]);
        return 2;
    }
    text = read_text(argv[1], &size);
    CHECK(text != NULL, "cannot read %s", argv[1]);
    if (text != NULL) {
        CHECK(check_blocks(argv[1], text) >= 2, "%s has no examples", argv[1]);
        check_vocabulary(argv[1], text);
        free(text);
    }
    memset(kinds, 0, sizeof(kinds));
    memset(modes, 0, sizeof(modes));
    memset(injections, 0, sizeof(injections));
    memset(privileges, 0, sizeof(privileges));
    memset(generations, 0, sizeof(generations));
    memset(archs, 0, sizeof(archs));
    for (int i = 2; i < argc; i++) {
        text = read_text(argv[i], &size);
        CHECK(text != NULL, "cannot read %s", argv[i]);
        if (text != NULL)
            check_text(argv[i], 1, text, size);
        free(text);
    }
    /* Races and answers are what fuzzing has to find: no seed has one (tests/fuzz/test_gup_seeds.c). */
    for (unsigned i = 0; i < FL_REC_COUNT; i++)
        CHECK_EQ(kinds[i] != 0, i != FL_REC_RACE && i != FL_REC_ANSWER, "seeds with the record %s",
                 fl_record_name((enum fl_record_kind)i));
    for (unsigned i = 0; i < FL_MODE_COUNT; i++)
        CHECK(modes[i] != 0, "no seed has mode %u", i);
    for (unsigned i = 0; i < FL_INJ_COUNT; i++)
        CHECK(injections[i] != 0, "no seed has injection %u", i);
    for (unsigned i = 0; i < FL_GEN_COUNT; i++)
        CHECK(generations[i] != 0, "no seed has generation %u", i);
    CHECK(archs[0] != 0 && archs[1] != 0, "seeds of both archs");
    CHECK(privileges[0] != 0 && privileges[1] != 0, "seeds of both privileges");
    return check_done("scenario files");
}
