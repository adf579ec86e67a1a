/* SPDX-License-Identifier: MIT */
/* Decision cells and when each was first seen; decisions by mode, outcome and error code. */
#include "rows.h"
#include "runs.h"

#include <string.h>

static bool known_cells(struct store *s, bool known[FL_CELLS])
{
    struct rows q = rows_of(s, "SELECT cell FROM cell", "read cells");

    memset(known, 0, FL_CELLS * sizeof *known);
    while (rows_next(&q)) {
        int64_t cell = rows_int(&q);

        if (cell >= 0 && cell < (int64_t)FL_CELLS)
            known[cell] = true;
    }
    return rows_end(&q);
}

bool store_cells_add(struct store *s, const uint8_t cell[FL_CELLS], enum fl_target target, double at, uint64_t *fresh)
{
    bool known[FL_CELLS], ok = true;
    struct rows q;
    uint64_t n = 0;

    if (fresh)
        *fresh = 0;
    if (!known_cells(s, known))
        return false;
    for (unsigned i = 0; i < FL_CELLS; i++)
        n += cell[i] && !known[i];
    if (n == 0)
        return true;
    if (!store_begin(s))
        return false;
    q = rows_of(s, "INSERT OR IGNORE INTO cell (cell, target, at) VALUES (?, ?, ?)", "store cells");
    for (unsigned i = 0; i < FL_CELLS; i++) {
        if (!cell[i] || known[i])
            continue;
        rows_bind_int(&q, i);
        rows_bind_int(&q, target);
        rows_bind_real(&q, at);
        rows_run(&q);
    }
    ok = rows_commit(s, rows_end(&q));
    if (ok && fresh)
        *fresh = n;
    return ok;
}

bool store_cells_each(struct store *s, bool (*each)(unsigned cell, enum fl_target target, double at, void *ctx),
                      void *ctx)
{
    struct rows q =
        rows_of(s, "SELECT cell, target, at FROM cell WHERE cell BETWEEN 0 AND ? ORDER BY at, cell", "read cells");

    rows_bind_int(&q, FL_CELLS - 1);
    while (rows_next(&q)) {
        unsigned cell = (unsigned)rows_int(&q);
        enum fl_target target = (enum fl_target)rows_int(&q);

        if (!each(cell, target, rows_real(&q), ctx))
            break;
    }
    return rows_end(&q);
}

bool store_cells_count(struct store *s, uint64_t *count)
{
    struct rows q = rows_of(s, "SELECT count(*) FROM cell", "read cells");

    *count = rows_next(&q) ? (uint64_t)rows_int(&q) : 0;
    return rows_end(&q);
}

bool store_decisions_put(struct store *s, int64_t run, const struct decisions *since)
{
    struct rows q;

    if (!store_begin(s))
        return false;
    q = rows_of(s, "INSERT OR REPLACE INTO decision (run, mode, action, error, count) VALUES (?, ?, ?, ?, ?)",
                "store decisions");
    for (unsigned m = 0; m < FL_MODE_COUNT; m++)
        for (unsigned a = 0; a < FL_ACT_COUNT; a++)
            for (unsigned e = 0; e < FL_ERROR_BITS; e++) {
                if (since->count[m][a][e] == 0)
                    continue;
                rows_bind_int(&q, run);
                rows_bind_int(&q, m);
                rows_bind_int(&q, a);
                rows_bind_int(&q, e);
                rows_bind_int(&q, (int64_t)since->count[m][a][e]);
                rows_run(&q);
            }
    return rows_commit(s, rows_end(&q));
}

bool store_decisions_get(struct store *s, struct decisions *out)
{
    struct rows q = rows_of(s, "SELECT mode, action, error, sum(count) FROM decision GROUP BY mode, action, error",
                            "read decisions");

    memset(out, 0, sizeof *out);
    while (rows_next(&q)) {
        int64_t m = rows_int(&q), a = rows_int(&q), e = rows_int(&q);

        if (m >= 0 && m < FL_MODE_COUNT && a >= 0 && a < FL_ACT_COUNT && e >= 0 && e < FL_ERROR_BITS)
            out->count[m][a][e] = (uint64_t)rows_int(&q);
    }
    return rows_end(&q);
}
