/* SPDX-License-Identifier: MIT */
/* Building a document, and its JSON form. */
#include "document.h"

#include "../command.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *p)
{
    if (!p) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    return p;
}

/* Length of the well-formed UTF-8 sequence at p that is worth showing; 0: there is none (Unicode 15, table 3-7; control
 * characters and what turns text round are left out). */
static size_t sequence(const unsigned char *p, size_t n)
{
    uint32_t code;
    size_t length = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] < 0xf5 ? 4 : 0;

    if (p[0] >= 0x80 && p[0] < 0xc2)
        return 0;
    if (length == 0 || length > n)
        return 0;
    if (length == 1)
        return p[0] >= ' ' && p[0] != 0x7f;
    code = p[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    if ((length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10ffff)))
        return 0;
    if (code < 0xa0 || (code >= 0xd800 && code < 0xe000) || (code >= 0x200b && code <= 0x200f) ||
        (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code >= 0xfff0)
        return 0;
    return length;
}

/* Frees text. */
static char *clean(char *text)
{
    size_t n = strlen(text), used = 0;
    char *out = need(malloc(4 * n + 1));

    for (size_t i = 0; i < n;) {
        size_t length = sequence((unsigned char *)text + i, n - i);

        if (length) {
            memcpy(out + used, text + i, length);
            used += length;
            i += length;
        } else {
            used += (size_t)sprintf(out + used, "\\x%02x", (unsigned char)text[i++]);
        }
    }
    out[used] = 0;
    free(text);
    return out;
}

static char *formatted(const char *format, va_list args)
{
    char *text;

    if (vasprintf(&text, format, args) < 0)
        need(NULL);
    return clean(text);
}

struct document *document_new(void)
{
    return need(calloc(1, sizeof(struct document)));
}

void document_free(struct document *d)
{
    for (size_t s = 0; s < d->nsections; s++) {
        for (size_t b = 0; b < d->sections[s].nblocks; b++) {
            struct block *block = &d->sections[s].blocks[b];

            free(block->name);
            free(block->text);
            for (unsigned c = 0; c < DOC_COLUMNS; c++)
                free(block->cell[c]);
        }
        free(d->sections[s].blocks);
    }
    free(d->sections);
    free(d->title);
    free(d);
}

void doc_section(struct document *d, const char *id, const char *title)
{
    d->sections = need(realloc(d->sections, (d->nsections + 1) * sizeof *d->sections));
    d->sections[d->nsections++] = (struct section){.id = id, .title = title};
}

static struct block *add(struct document *d, enum block_kind kind)
{
    struct section *s;

    if (d->nsections == 0)
        doc_section(d, "", "");
    s = &d->sections[d->nsections - 1];
    s->blocks = need(realloc(s->blocks, (s->nblocks + 1) * sizeof *s->blocks));
    s->blocks[s->nblocks] = (struct block){.kind = kind};
    return &s->blocks[s->nblocks++];
}

#define FORMATTED(into)                                                                                                \
    do {                                                                                                               \
        va_list args;                                                                                                  \
        va_start(args, format);                                                                                        \
        (into) = formatted(format, args);                                                                              \
        va_end(args);                                                                                                  \
    } while (0)

void doc_title(struct document *d, const char *format, ...)
{
    free(d->title);
    FORMATTED(d->title);
}

void doc_paragraph(struct document *d, const char *format, ...)
{
    FORMATTED(add(d, BLOCK_PARAGRAPH)->text);
}

void doc_alarm(struct document *d, const char *format, ...)
{
    FORMATTED(add(d, BLOCK_ALARM)->text);
}

void doc_item(struct document *d, const char *name, const char *format, ...)
{
    struct block *b = add(d, BLOCK_ITEM);

    b->name = clean(need(strdup(name)));
    FORMATTED(b->text);
}

void doc_line(struct document *d, enum doc_line kind, const char *format, ...)
{
    struct block *b = add(d, BLOCK_LINE);

    b->line = kind;
    FORMATTED(b->text);
}

static void cells(struct block *b, unsigned columns, const char *const texts[])
{
    b->columns = columns;
    for (unsigned i = 0; i < columns && i < DOC_COLUMNS; i++)
        b->cell[i] = clean(need(strdup(texts[i])));
}

void doc_table(struct document *d, unsigned columns, const char *const heads[])
{
    cells(add(d, BLOCK_HEADS), columns, heads);
}

void doc_row(struct document *d, bool here, const char *const texts[])
{
    const struct section *s = &d->sections[d->nsections - 1];
    unsigned columns = s->blocks[s->nblocks - 1].columns;
    struct block *b = add(d, BLOCK_ROW);

    b->line = here ? DOC_HERE : DOC_PLAIN;
    cells(b, columns, texts);
}

const char *document_title(const struct document *d)
{
    return d->title ? d->title : "";
}

size_t document_columns(const char *text, size_t n)
{
    size_t columns = 0;

    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

json_t *document_json(const struct document *d)
{
    static const char *const lines[] = {
        [DOC_PLAIN] = "plain", [DOC_HERE] = "here", [DOC_PAST] = "past", [DOC_VERBATIM] = "verbatim"};
    static const char *const kinds[] = {[BLOCK_PARAGRAPH] = "paragraph", [BLOCK_ALARM] = "alarm", [BLOCK_ITEM] = "item",
                                        [BLOCK_LINE] = "line",           [BLOCK_HEADS] = "heads", [BLOCK_ROW] = "row"};
    json_t *all = json_array();

    for (size_t s = 0; s < d->nsections; s++) {
        json_t *blocks = json_array();

        for (size_t i = 0; i < d->sections[s].nblocks; i++) {
            const struct block *b = &d->sections[s].blocks[i];
            json_t *entry = json_pack("{s:s}", "kind", kinds[b->kind]);

            if (b->kind == BLOCK_LINE || b->kind == BLOCK_ROW)
                json_object_set_new(entry, "mark", json_string(lines[b->line]));
            if (b->name)
                json_object_set_new(entry, "name", json_string(b->name));
            if (b->text)
                json_object_set_new(entry, "text", json_string(b->text));
            if (b->columns) {
                json_t *texts = json_array();

                for (unsigned c = 0; c < b->columns; c++)
                    json_array_append_new(texts, json_string(b->cell[c]));
                json_object_set_new(entry, "cells", texts);
            }
            json_array_append_new(blocks, entry);
        }
        json_array_append_new(all, json_pack("{s:s, s:s, s:o}", "id", d->sections[s].id, "title", d->sections[s].title,
                                             "blocks", blocks));
    }
    return all;
}
