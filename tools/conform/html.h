/* SPDX-License-Identifier: MIT */
/* What the files that write the HTML report share. */
#ifndef FAULTLINE_TOOLS_CONFORM_HTML_H
#define FAULTLINE_TOOLS_CONFORM_HTML_H

#include "../html/html.h"
#include "report.h"

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
