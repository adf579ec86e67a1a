/* SPDX-License-Identifier: MIT */
/* Bytes, rows and columns in the report's page. */
#include "html.h"

#include <string.h>

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
