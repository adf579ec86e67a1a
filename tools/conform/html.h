/* SPDX-License-Identifier: MIT */
/* What the files that write the HTML report share. */
#ifndef FAULTLINE_TOOLS_CONFORM_HTML_H
#define FAULTLINE_TOOLS_CONFORM_HTML_H

#include "report.h"

/* Markup as it stands, then text of anybody, escaped: safe between tags and in attributes in quotes. Whatever is not UTF-8
 * or is a control character comes out as U+FFFD, so that the page is always one that can be read. */
void html_put(FILE *out, const char *markup, const char *text);
/* Markup, then a figure with a comma between thousands. */
void html_count(FILE *out, const char *markup, uint64_t n);
/* "1 class", "2 classes": a figure and the word for it. */
void html_counted(FILE *out, const char *markup, uint64_t n, const char *one, const char *many);
/* Markup, then the bytes of a string: as many as can be read, and two dots for each that cannot. length 0: none is known, and
 * the zeros at the end are left out. */
void html_bytes(FILE *out, const char *markup, const uint8_t *bytes, unsigned length, unsigned readable);

/* The place of a row in the list of expected differences; its count, when it is not in there. */
size_t html_row_index(const struct fl_decode_row *row);

/* The columns in the order in which they are shown: cores, decoders, processors. */
void html_order(const struct report *r, unsigned order[MAX_COLUMNS]);
/* Of which kind, for people: "decoder". */
const char *html_kind(const struct column *c, bool many);

/* The legend, the filters, the matrix. */
void html_matrix(const struct report *r, FILE *out);

#endif
