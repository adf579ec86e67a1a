/* SPDX-License-Identifier: MIT */
/* Text form: exact round trip, and no text that hurts. Argument: how many round trips (default 20000). */
#include "random_scenario.h"
#include "seen_scenario.h"
#include "text_helpers.h"

static struct fl_scenario first, second;

/* parse(print(s)) == s, and printing that gives the same text. */
static void test_round_trip(uint64_t count)
{
    static struct seen seen;
    uint64_t state = 11;

    for (uint64_t i = 0; i < count; i++) {
        struct fl_text_error error = {0};
        size_t size, size2;
        char *text, *text2;

        random_scenario(&state, &first, i % 1000 == 0 ? FL_MAX_RECORDS : random_below(&state, 8));
        see(&seen, &first);
        text = print_scenario(&first, &size);
        CHECK(fl_scenario_parse(text, size, &second, &error), "%u:%u: %s in\n%s", error.line, error.column,
              error.message, text);
        CHECK(same_scenario(&first, &second), "scenario %" PRIu64 ":\n%s", i, text);
        text2 = print_scenario(&second, &size2);
        CHECK(size == size2 && memcmp(text, text2, size) == 0, "not canonical:\n%s\n%s", text, text2);
        free(text);
        free(text2);
    }
    check_seen(&seen, "text round trip");
    check_half_vmalloc(&seen, "text round trip");
}

static void mutate(uint64_t *state, char **text, size_t *size)
{
    static const char *const pieces[] = {"map",
                                         "vma ",
                                         "\n",
                                         "\r\n",
                                         " ",
                                         ":",
                                         "#",
                                         "0x",
                                         "ffffffffffffffffffff",
                                         "none",
                                         "file 1 ",
                                         "size 4 ",
                                         ",",
                                         "\t",
                                         "mode pae\n",
                                         "level 9",
                                         "-1",
                                         "flags ",
                                         "code-bits 64\n",
                                         "exec user 0x1: ",
                                         "r",
                                         "p,w",
                                         "faultline-scenario 3\n",
                                         "area file ",
                                         "pin user 0 ",
                                         "at mm-fault ",
                                         "nth 255 ",
                                         "get ",
                                         "arch sh4\n",
                                         "in-nmi yes\n",
                                         "vmalloc-start 0xffffc90000001000\n",
                                         "switch mm none lag\n",
                                         "\x80\xff",
                                         "'",
                                         "\\",
                                         "probe from 3",
                                         "99999999999999999999999",
                                         "split 1g/3g\n",
                                         "bytes 0: "};
    const unsigned times = 1 + random_below(state, 3);

    for (unsigned i = 0; i < times; i++) {
        const size_t at = check_random(state) % (*size + 1);
        const char *piece = pieces[random_below(state, sizeof(pieces) / sizeof(pieces[0]))];
        size_t len = strlen(piece), cut;

        switch (random_below(state, 6)) {
        case 0: /* one byte */
            if (at < *size)
                (*text)[at] = (char)check_random(state);
            break;
        case 1: /* one bit */
            if (at < *size)
                (*text)[at] = (char)((*text)[at] ^ 1 << random_below(state, 8));
            break;
        case 2: /* cut out */
            cut = random_below(state, 8);
            cut = cut < *size - at ? cut : *size - at;
            memmove(*text + at, *text + at + cut, *size - at - cut);
            *size -= cut;
            break;
        case 3: *size = at; break;
        case 4: /* a piece of the same text elsewhere */
            len = random_below(state, 60);
            cut = check_random(state) % (*size + 1);
            len = len < *size - cut ? len : *size - cut;
            *text = realloc(*text, *size + len + 1);
            if (*text == NULL)
                abort();
            memmove(*text + at + len, *text + at, *size - at);
            memmove(*text + at, *text + (cut < at ? cut : cut + len), cut < at && cut + len > at ? at - cut : len);
            *size += len;
            break;
        default:
            *text = realloc(*text, *size + len + 1);
            if (*text == NULL)
                abort();
            memmove(*text + at + len, *text + at, *size - at);
            memcpy(*text + at, piece, len);
            *size += len;
            break;
        }
    }
}

/* Any text: a valid scenario, or an error with a place inside the text and the output untouched. */
static void test_mutated_texts(uint64_t count)
{
    static struct fl_scenario untouched;
    uint64_t state = 12, parsed = 0, refused = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct fl_text_error error = {0};
        size_t size;
        char *text, *exact;

        random_scenario(&state, &first, random_below(&state, 4));
        text = print_scenario(&first, &size);
        mutate(&state, &text, &size);
        exact = malloc(size != 0 ? size : 1); /* so that a sanitizer sees a read behind the end */
        if (exact == NULL)
            abort();
        memcpy(exact, text, size);
        free(text);
        memset(&second, 0xa5, sizeof(second));
        memset(&untouched, 0xa5, sizeof(untouched));
        if (fl_scenario_parse(exact, size, &second, &error)) {
            CHECK(fl_scenario_valid(&second), "text %" PRIu64, i);
            parsed++;
        } else {
            CHECK(memcmp(&second, &untouched, sizeof(second)) == 0, "output touched, text %" PRIu64, i);
            check_error_place(exact, size, &error);
            refused++;
        }
        free(exact);
    }
    CHECK(parsed != 0 && refused != 0, "%" PRIu64 " parsed, %" PRIu64 " refused", parsed, refused);
}

/* Bytes without any form, and the parser given no place for the error. */
static void test_noise(uint64_t count)
{
    uint64_t state = 13;

    for (uint64_t i = 0; i < count; i++) {
        static const char start[] = "faultline-scenario 3\n";
        struct fl_text_error error = {0};
        char text[256];
        size_t size = random_below(&state, sizeof(text));

        for (size_t at = 0; at < size; at++)
            text[at] = (char)check_random(&state);
        if (size > sizeof(start) && (i & 1))
            memcpy(text, start, sizeof(start) - 1);
        if (!fl_scenario_parse(text, size, &second, &error))
            check_error_place(text, size, &error);
        CHECK_EQ(fl_scenario_parse(text, size, &second, NULL), error.line == 0, "with and without an error to fill");
    }
}

/* Every prefix of a long text. */
static void test_truncation(void)
{
    struct fl_text_error error;
    uint64_t state = 14, parsed = 0, refused = 0;
    size_t size;
    char *text;

    random_scenario(&state, &first, 20);
    text = print_scenario(&first, &size);
    for (size_t n = 0; n <= size; n++) {
        char *exact = malloc(n != 0 ? n : 1);

        if (exact == NULL)
            abort();
        memcpy(exact, text, n);
        if (fl_scenario_parse(exact, n, &second, &error)) {
            CHECK(fl_scenario_valid(&second), "%zu bytes", n);
            parsed++;
        } else {
            check_error_place(exact, n, &error);
            refused++;
        }
        free(exact);
    }
    CHECK(parsed >= 20 && refused != 0, "%" PRIu64 " parsed, %" PRIu64 " refused", parsed, refused);
    free(text);
}

/* fl_record_print: one line, terminated at every size, the beginning of the same text; total for odd records too. */
static void test_record_print(uint64_t count)
{
    uint64_t state = 15;

    for (uint64_t i = 0; i < count; i++) {
        struct fl_record r;
        char whole[512], part[512];
        size_t size;

        random_record(&state, random_below(&state, FL_MODE_COUNT), &r);
        if (i % 4 == 0) { /* any bytes, but for the booleans: those may only hold 0 and 1 */
            uint8_t *bytes = (uint8_t *)&r;
            const uint8_t kind = r.kind == FL_REC_ACCESS || r.kind == FL_REC_REGS || r.kind == FL_REC_EXEC ||
                                         r.kind == FL_REC_DECODE || r.kind == FL_REC_SWITCH || r.kind == FL_REC_PIN
                                     ? (uint8_t)FL_REC_INJECT
                                     : r.kind;

            for (size_t at = 0; at < sizeof(r); at++)
                bytes[at] = (uint8_t)check_random(&state);
            r.kind = i % 64 == 0 ? (uint8_t)(FL_REC_COUNT + random_below(&state, 100)) : kind;
        }
        memset(whole, 'x', sizeof(whole));
        fl_record_print(&r, whole, sizeof(whole));
        CHECK(strlen(whole) < 300 && strchr(whole, '\n') == NULL, "%s", whole);
        size = random_below(&state, (uint32_t)strlen(whole) + 2);
        memset(part, 'x', sizeof(part));
        fl_record_print(&r, part, size);
        CHECK_EQ(part[size], 'x', "behind %zu bytes", size);
        if (size != 0)
            CHECK(memchr(part, '\0', size) != NULL && strncmp(part, whole, strlen(part)) == 0 &&
                      (strlen(part) == size - 1 || strlen(part) == strlen(whole)),
                  "%zu bytes: '%s' of '%s'", size, part, whole);
    }
}

/* A full disk is an error. */
static void test_full_disk(void)
{
    FILE *f = fopen("/dev/full", "w");

    fl_scenario_default(&first);
    if (f == NULL) {
        printf("no /dev/full here: not tested\n");
        return;
    }
    CHECK(!fl_scenario_print(&first, f), "printing to a full disk");
    fclose(f);
}

int main(int argc, char **argv)
{
    const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;

    test_full_disk();
    test_record_print(count);
    test_truncation();
    test_noise(count);
    test_mutated_texts(count * 3);
    test_round_trip(count);
    return check_done("scenario text");
}
