/* SPDX-License-Identifier: MIT */
/* Text, figures and bytes in an HTML page. */
#include "html.h"

#include <string.h>

/* How many bytes the UTF-8 character at s has; 0: it is none. */
static unsigned character(const unsigned char *s)
{
    unsigned more = s[0] < 0x80 ? 0 : s[0] >= 0xc2 && s[0] < 0xe0 ? 1 : (s[0] & 0xf0) == 0xe0 ? 2 : 3;

    if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] >= 0xf5)
        return 0;
    for (unsigned i = 1; i <= more; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    /* Longer than need be, a surrogate, behind the last character. */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] >= 0x90))
        return 0;
    return more + 1;
}

void html_put(FILE *out, const char *markup, const char *text)
{
    unsigned n;

    fputs(markup, out);
    for (const unsigned char *s = (const unsigned char *)text; *s; s += n ? n : 1) {
        n = character(s);
        switch (*s) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default:
            if (n == 0 || (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f)
                fputs("&#xFFFD;", out);
            else
                fwrite(s, 1, n, out);
        }
    }
}

void html_count(FILE *out, const char *markup, uint64_t n)
{
    char digits[32], *d = digits;

    fputs(markup, out);
    for (int left = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n); left > 0; left--) {
        fputc(*d++, out);
        if (left > 1 && left % 3 == 1)
            fputc(',', out);
    }
}

void html_counted(FILE *out, const char *markup, uint64_t n, const char *one, const char *many)
{
    html_count(out, markup, n);
    html_put(out, " ", n == 1 ? one : many);
}

void html_bytes(FILE *out, const char *markup, const uint8_t *bytes, unsigned length, unsigned readable)
{
    unsigned n = length < STRING_BYTES ? length : STRING_BYTES, seen;
    char text[3 * STRING_BYTES + 1] = "";

    if (length == 0) {
        n = readable < STRING_BYTES ? readable : STRING_BYTES;
        while (n > 3 && bytes[n - 1] == 0)
            n--;
    }
    seen = readable < n ? readable : n;
    bytes_text(bytes, seen, text, sizeof text);
    html_put(out, markup, text);
    for (unsigned i = seen; i < n; i++)
        fputs(i ? " \u00b7\u00b7" : "\u00b7\u00b7", out);
    if (length > STRING_BYTES)
        fputs(" \u2026", out);
}

size_t html_row_index(const struct fl_decode_row *row)
{
    size_t count, i = 0;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    while (i < count && &rows[i] != row)
        i++;
    return i;
}

void html_order(const struct report *r, unsigned order[MAX_COLUMNS])
{
    unsigned n = 0;

    for (unsigned kind = COLUMN_CORE; kind <= COLUMN_PROBE; kind++)
        for (unsigned c = 0; c < r->ncolumns; c++)
            if (r->columns[c].kind == kind)
                order[n++] = c;
}

const char *html_kind(const struct column *c, bool many)
{
    switch (c->kind) {
    case COLUMN_CORE: return many ? "cores" : "core";
    case COLUMN_DECODER: return many ? "decoders" : "decoder";
    default: return many ? "processors" : "processor";
    }
}
