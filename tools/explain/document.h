/* SPDX-License-Identifier: MIT */
/*
 * A report as sections of blocks, written out in four forms. Texts may come from anywhere (a task's name, a database): what
 * is no printable UTF-8 is shown as \xNN, and each form escapes what it would take for its own. Private to explain.
 */
#ifndef FAULTLINE_EXPLAIN_DOCUMENT_H
#define FAULTLINE_EXPLAIN_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct document;

/* Ends the process when there is no memory, as the other tools do. */
struct document *document_new(void);
void document_free(struct document *d);

/* id: letters and '-', static; title: static. What follows belongs to it. */
void doc_section(struct document *d, const char *id, const char *title);

/* Lines of a picture: blanks count. HERE is the line that matters, PAST has been dealt with, VERBATIM is never wrapped. */
enum doc_line { DOC_PLAIN, DOC_HERE, DOC_PAST, DOC_VERBATIM };

#define DOC_PRINTF(a, b) __attribute__((format(printf, a, b)))
void doc_title(struct document *d, const char *format, ...) DOC_PRINTF(2, 3);
void doc_paragraph(struct document *d, const char *format, ...) DOC_PRINTF(2, 3);
void doc_alarm(struct document *d, const char *format, ...) DOC_PRINTF(2, 3); /* a paragraph not to be missed */
void doc_item(struct document *d, const char *name, const char *format, ...) DOC_PRINTF(3, 4);
void doc_line(struct document *d, enum doc_line kind, const char *format, ...) DOC_PRINTF(3, 4);

/* A table: heads, then rows. cells: count of them NUL-terminated texts. here: the row that matters. */
#define DOC_COLUMNS 6
void doc_table(struct document *d, unsigned columns, const char *const heads[]);
void doc_row(struct document *d, bool here, const char *const cells[]);

/* ---- writing ---- */
struct document_style {
    unsigned width; /* text: columns */
    bool ascii, colour;
    unsigned heading; /* markdown, HTML: level of the title */
    const char *ids;  /* HTML: NULL: no ids */
    const char *key;  /* HTML: data-key; markdown, text: not used */
};
void document_text(const struct document *d, const struct document_style *style, FILE *out);
void document_markdown(const struct document *d, const struct document_style *style, FILE *out);
void document_html(const struct document *d, const struct document_style *style, FILE *out);
/* [{"id", "title", "blocks": [...]}], a new reference. */
json_t *document_json(const struct document *d);
const char *document_title(const struct document *d);

/* ---- for the writers ---- */
enum block_kind { BLOCK_PARAGRAPH, BLOCK_ALARM, BLOCK_ITEM, BLOCK_LINE, BLOCK_HEADS, BLOCK_ROW };
struct block {
    enum block_kind kind;
    enum doc_line line; /* LINE; ROW: HERE or PLAIN */
    unsigned columns;   /* HEADS, ROW */
    char *name;         /* ITEM */
    char *text;         /* but for HEADS and ROW */
    char *cell[DOC_COLUMNS];
};
struct section {
    const char *id, *title;
    struct block *blocks;
    size_t nblocks;
};
struct document {
    char *title;
    struct section *sections;
    size_t nsections;
};
/* Code points in n bytes of what the document holds. */
size_t document_columns(const char *text, size_t n);

#endif
