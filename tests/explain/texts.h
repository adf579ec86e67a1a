/* SPDX-License-Identifier: MIT */
/* What holds of every explanation as a text, and comparing it with a file. */
#ifndef FAULTLINE_TESTS_EXPLAIN_TEXTS_H
#define FAULTLINE_TESTS_EXPLAIN_TEXTS_H

#include "../check.h"

#include <stdio.h>
#include <string.h>

/* ---- golden ------------------------------------------------------------------------------------------------------- */

/* Builds and executors have versions. */
static inline void text_without_versions(char *text)
{
    char *to = text;

    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n") + 1;

        if (strncmp(line, "  build  ", 9) != 0 && strncmp(line, "  executor  ", 12) != 0) {
            memmove(to, line, n);
            to += n;
        }
        line += n;
    }
    *to = 0;
}

static inline void text_golden(const char *folder, const char *name, char *text, bool anew)
{
    char path[1024];
    static char want[1 << 16];
    size_t n, line = 1;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.txt", folder, name);
    text_without_versions(text);
    if (anew) {
        f = fopen(path, "w");
        CHECK(f && fputs(text, f) >= 0, "%s cannot be written", path);
        if (f)
            fclose(f);
        return;
    }
    f = fopen(path, "r");
    CHECK(f != NULL, "%s: no such file; the test with \"%s write\" makes it", path, folder);
    if (!f)
        return;
    n = fread(want, 1, sizeof want - 1, f);
    fclose(f);
    want[n] = 0;
    for (n = 0; want[n] && want[n] == text[n]; n++)
        line += want[n] == '\n';
    CHECK(want[n] == text[n], "%s:%zu differs: expected\n%.200s\nseen\n%.200s", path, line, want + n, text + n);
}

/* ---- what holds for every text ------------------------------------------------------------------------------------- */

static inline size_t text_columns(const char *line, size_t n)
{
    size_t columns = 0;

    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)line[i] & 0xc0) != 0x80;
    return columns;
}

/* 80 columns, but for the scenario and the commands behind it; no blanks at ends; nothing that a terminal obeys. */
static inline void text_tidy(const char *name, const char *text, bool ascii)
{
    bool verbatim = false;

    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");

        verbatim |= strncmp(line, "The scenario", 12) == 0;
        CHECK(verbatim || text_columns(line, n) <= 80, "%s: too wide: %.*s", name, (int)n, line);
        CHECK(n == 0 || line[n - 1] != ' ', "%s: ends in a blank: \"%.*s\"", name, (int)n, line);
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)line[i] < ' ' || line[i] == 0x7f || (ascii && (unsigned char)line[i] >= 0x80)) {
                CHECK(false, "%s: byte %#x in: %.*s", name, (unsigned char)line[i], (int)n, line);
                break;
            }
        line += n + (line[n] == '\n');
    }
}

/* Every tag is closed in order, and nothing else looks like one. */
static inline void text_well_formed(const char *name, const char *html)
{
    char open[64][16];
    unsigned depth = 0;

    for (const char *p = strchr(html, '<'); p; p = strchr(p + 1, '<')) {
        bool end = p[1] == '/';
        size_t n = strspn(p + 1 + end, "abcdefghijklmnopqrstuvwxyz123456");

        CHECK(n > 0 && n < 16, "%s: no tag: %.40s", name, p);
        if (!end) {
            CHECK(depth < 64, "%s: too deep", name);
            snprintf(open[depth++], sizeof open[0], "%.*s", (int)n, p + 1);
        } else {
            CHECK(depth > 0 && strlen(open[depth - 1]) == n && strncmp(open[depth - 1], p + 2, n) == 0,
                  "%s: closed out of order: %.40s", name, p);
            depth -= depth > 0;
        }
    }
    CHECK_EQ(depth, 0, "%s: something is left open", name);
}

#endif
