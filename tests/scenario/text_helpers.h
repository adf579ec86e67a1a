/* SPDX-License-Identifier: MIT */
/* Texts in memory and in files, for the tests of the text form. */
#ifndef FAULTLINE_TESTS_TEXT_HELPERS_H
#define FAULTLINE_TESTS_TEXT_HELPERS_H

#include "check.h"

#include <faultline/fuzz/scenario.h>

/* The canonical text of a scenario, terminated, to be freed. */
static inline char *print_scenario(const struct fl_scenario *s, size_t *size)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, size);

    if (f == NULL)
        abort();
    CHECK(fl_scenario_print(s, f), "printing into memory");
    fclose(f);
    return text;
}

/* Does the error point into the text (or just behind the end of one of its lines), with a message that can be shown? */
static inline void check_error_place(const char *text, size_t size, const struct fl_text_error *error)
{
    const char *line = text, *end = text + size, *newline;
    size_t len = strnlen(error->message, sizeof(error->message));
    unsigned at = 1;

    for (; at < error->line && line < end; at++) {
        newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL)
            break;
        line = newline + 1;
    }
    CHECK_EQ(error->line, at, "line outside the text: %s", error->message);
    newline = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
    CHECK(error->column >= 1 && error->column <= (size_t)((newline != NULL ? newline : end) - line) + 1,
          "column %u outside line %u: %s", error->column, error->line, error->message);
    CHECK(len != 0 && len < sizeof(error->message), "message of %zu bytes", len);
    for (size_t i = 0; i < len; i++)
        CHECK(error->message[i] >= 0x20 && error->message[i] < 0x7f, "byte %#x in a message",
              (unsigned char)error->message[i]);
}

/* The whole file, terminated, to be freed; NULL when it cannot be read. */
static inline char *read_text(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long length;

    if (f == NULL)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (length = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
        text = malloc((size_t)length + 1);
        if (text == NULL)
            abort();
        *size = fread(text, 1, (size_t)length, f);
        text[*size] = '\0';
    }
    fclose(f);
    return text;
}

#endif
