/* SPDX-License-Identifier: MIT */
/* SQL statements, value by value. */
#include "rows.h"

struct rows rows_of(struct store *s, const char *sql, const char *doing)
{
    struct rows q = {.store = s, .statement = store_statement(s, sql), .doing = doing};

    q.failed = q.statement == NULL;
    return q;
}

static void bound(struct rows *q, int code)
{
    if (code != SQLITE_OK) {
        store_fail(q->store, q->doing);
        q->failed = true;
    }
}

void rows_bind_int(struct rows *q, int64_t value)
{
    if (!q->failed)
        bound(q, sqlite3_bind_int64(q->statement, ++q->bound, value));
}

void rows_bind_real(struct rows *q, double value)
{
    if (!q->failed)
        bound(q, sqlite3_bind_double(q->statement, ++q->bound, value));
}

void rows_bind_text(struct rows *q, const char *text)
{
    if (!q->failed)
        bound(q, sqlite3_bind_text(q->statement, ++q->bound, text, -1, SQLITE_STATIC));
}

bool rows_next(struct rows *q)
{
    int got = q->failed ? -1 : store_row(q->store, q->statement, q->doing);

    q->column = 0;
    q->failed = got < 0;
    q->more = got > 0;
    return q->more;
}

int64_t rows_int(struct rows *q)
{
    return sqlite3_column_int64(q->statement, q->column++);
}

double rows_real(struct rows *q)
{
    return sqlite3_column_double(q->statement, q->column++);
}

void rows_text(struct rows *q, char *out, size_t size)
{
    store_text(q->statement, q->column++, out, size, false);
}

bool rows_run(struct rows *q)
{
    q->failed = q->failed || !store_run(q->store, q->statement, q->doing);
    q->bound = 0;
    return !q->failed;
}

bool rows_end(struct rows *q)
{
    if (q->more)
        sqlite3_reset(q->statement);
    q->more = false;
    return !q->failed;
}

bool rows_commit(struct store *s, bool ok)
{
    if (ok)
        return store_commit(s);
    store_rollback(s);
    return false;
}
