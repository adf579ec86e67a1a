/* SPDX-License-Identifier: MIT */
/*
 * One SQL statement from its text to its last row, over what internal.h has. Values are bound, and columns read, in the
 * order of the calls. After a failure, which was complained about, the rest does nothing and the end answers false.
 *
 *     struct rows q = rows_of(s, "SELECT name, pid FROM job WHERE pid > ?", "read jobs");
 *     rows_bind_int(&q, 0);
 *     while (rows_next(&q)) { rows_text(&q, name, sizeof name); pid = rows_int(&q); }
 *     return rows_end(&q);
 */
#ifndef FAULTLINE_TOOLS_STORE_ROWS_H
#define FAULTLINE_TOOLS_STORE_ROWS_H

#include "internal.h"

struct rows {
    struct store *store;
    sqlite3_stmt *statement;
    const char *doing;
    int bound, column; /* how many have been so far */
    bool failed, more; /* more: it stands on a row */
};

/* sql and doing are static text. */
struct rows rows_of(struct store *s, const char *sql, const char *doing);
void rows_bind_int(struct rows *q, int64_t value);
void rows_bind_real(struct rows *q, double value);
/* The text has to stay until the row is stored. */
void rows_bind_text(struct rows *q, const char *text);
/* The next row; false: there is none, or it failed. */
bool rows_next(struct rows *q);
int64_t rows_int(struct rows *q);
double rows_real(struct rows *q);
void rows_text(struct rows *q, char *out, size_t size);
/* Runs a statement without rows; bindings may follow for the next time. False: it failed. */
bool rows_run(struct rows *q);
/* False: something of it failed. */
bool rows_end(struct rows *q);

/* Ends what store_begin began: by storing it when all went well, else by forgetting it. False: nothing was stored. */
bool rows_commit(struct store *s, bool ok);

#endif
