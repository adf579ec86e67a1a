/* SPDX-License-Identifier: MIT */
/* One line of a walk-vectors file; private to the reader. */
#ifndef FAULTLINE_ORACLE_VECTORS_PARSE_H
#define FAULTLINE_ORACLE_VECTORS_PARSE_H

#include <faultline/oracle/vectors.h>

/* text[0..length) holds one line, without comment and line feed, and at least one column. True: *out is whole but for
 * its line number. False: *column [OUT] from 1 and text [OUT] say what was expected and where. */
bool fl_vector_parse(const char *text, size_t length, struct fl_vector *out, uint32_t *column, char *expected,
                     size_t size);

#endif
