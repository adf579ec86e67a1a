/* SPDX-License-Identifier: MIT */
/* Buckets and artifacts. */
#include "internal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- columns ------------------------------------------------------------------------------------------------------- */

/* Each column of the table behind the key, with its member: the order in which statements name them. LINES is text that may have several
 * lines; PATH names a file inside the folder; the number of a CHOICE is below its limit. */
#define COLUMNS(X)                                                                                                     \
    X(TEXT, title, 0)                                                                                                  \
    X(BOOL, aside, 0)                                                                                                  \
    X(CHOICE, status, BUCKET_STATUSES)                                                                                 \
    X(TEXT, reason, 0)                                                                                                 \
    X(TEXT, duplicate_of, 0)                                                                                           \
    X(CHOICE, severity, SEVERITIES)                                                                                    \
    X(TEXT, severity_why, 0)                                                                                           \
    X(CHOICE, target, FL_TARGET_COUNT)                                                                                 \
    X(U64, count, 0)                                                                                                   \
    X(U32, tries, 0)                                                                                                   \
    X(U32, reproduced, 0)                                                                                              \
    X(I64, first_seen, 0)                                                                                              \
    X(I64, last_seen, 0)                                                                                               \
    X(TEXT, first_build, 0)                                                                                            \
    X(TEXT, last_build, 0)                                                                                             \
    X(TEXT, found_by, 0)                                                                                               \
    X(REAL, after, 0)                                                                                                  \
    X(U64, events, 0)                                                                                                  \
    X(LINES, detail, 0)                                                                                                \
    X(U32, record, 0)                                                                                                  \
    X(U32, nrecords, 0)                                                                                                \
    X(U32, first_size, 0)                                                                                              \
    X(BOOL, minimised, 0)                                                                                              \
    X(PATH, file, 0)                                                                                                   \
    X(U32, number, 0)                                                                                                  \
    X(CHOICE, stage, STAGES)                                                                                           \
    X(U32, clean_builds, 0)

enum column_kind { TEXT, LINES, PATH, BOOL, CHOICE, U32, U64, I64, REAL };
#define ROW(kind, name, limit)                                                                                         \
    {#name, kind, offsetof(struct bucket, name), sizeof(((struct bucket *)0)->name), (unsigned)(limit)},
static const struct column {
    const char *name;
    enum column_kind kind;
    size_t offset, size;
    unsigned limit;
} columns[] = {ROW(TEXT, key, 0) COLUMNS(ROW)};
#define NCOLUMNS (sizeof columns / sizeof columns[0])

#define NAME(kind, name, limit)    "," #name
#define MARK(kind, name, limit)    ",?"
#define DECLARE(kind, name, limit) ", " #name " " DECLARE_##kind
#define DECLARE_TEXT               "TEXT NOT NULL"
#define DECLARE_LINES              "TEXT NOT NULL"
#define DECLARE_PATH               "TEXT NOT NULL"
#define DECLARE_BOOL               "INTEGER NOT NULL"
#define DECLARE_CHOICE             "INTEGER NOT NULL"
#define DECLARE_U32                "INTEGER NOT NULL"
#define DECLARE_U64                "INTEGER NOT NULL"
#define DECLARE_I64                "INTEGER NOT NULL"
#define DECLARE_REAL               "REAL NOT NULL"
#define SELECT_BUCKETS             "SELECT key" COLUMNS(NAME) " FROM buckets "

bool store_buckets_schema(struct store *s)
{
    static const char sql[] = "CREATE TABLE IF NOT EXISTS buckets (key TEXT PRIMARY KEY NOT NULL" COLUMNS(
        DECLARE) ");"
                 "CREATE TABLE IF NOT EXISTS artifacts (digest INTEGER NOT NULL, key TEXT NOT NULL,"
                 " file TEXT, found_by TEXT NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (digest, key));"
                 "CREATE INDEX IF NOT EXISTS artifacts_of ON artifacts (key) WHERE file IS NOT NULL;"
                 "CREATE TABLE IF NOT EXISTS clean_builds (key TEXT NOT NULL, build TEXT NOT NULL,"
                 " PRIMARY KEY (key, build));";

    return store_script(s, sql, "make the tables");
}

static bool read_bucket(struct store *s, sqlite3_stmt *row, struct bucket *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < NCOLUMNS; i++) {
        const struct column *c = &columns[i];
        char *at = (char *)out + c->offset;
        sqlite3_int64 n = c->kind >= BOOL && c->kind != REAL ? sqlite3_column_int64(row, (int)i) : 0;
        bool ok = true;

        switch (c->kind) {
        case TEXT: store_text(row, (int)i, at, c->size, false); break;
        case LINES: store_text(row, (int)i, at, c->size, true); break;
        case PATH:
            store_text(row, (int)i, at, c->size, false);
            ok = store_is_inside(at);
            break;
        case BOOL: *(bool *)at = n != 0; break;
        case CHOICE:
            ok = n >= 0 && n < c->limit;
            memcpy(at, &(unsigned){(unsigned)n}, sizeof(unsigned));
            break;
        case U32:
            ok = n >= 0 && n <= UINT32_MAX;
            *(uint32_t *)(void *)at = (uint32_t)n;
            break;
        case U64: *(uint64_t *)(void *)at = (uint64_t)n; break;
        case I64: *(int64_t *)(void *)at = n; break;
        case REAL: *(double *)(void *)at = sqlite3_column_double(row, (int)i); break;
        }
        if (!ok) {
            complain("%s: corrupt: bucket %s has %s \"%.40s\"", s->path, out->key, c->name,
                     c->kind == PATH ? at : (const char *)sqlite3_column_text(row, (int)i));
            return false;
        }
    }
    return true;
}

static void bind_bucket(sqlite3_stmt *statement, const struct bucket *b)
{
    for (size_t i = 0; i < NCOLUMNS; i++) {
        const struct column *c = &columns[i];
        const char *at = (const char *)b + c->offset;
        int to = (int)i + 1;

        switch (c->kind) {
        case TEXT:
        case LINES:
        case PATH: sqlite3_bind_text(statement, to, at, -1, SQLITE_STATIC); break;
        case BOOL: sqlite3_bind_int(statement, to, *(const bool *)at); break;
        case CHOICE: sqlite3_bind_int64(statement, to, *(const unsigned *)(const void *)at); break;
        case U32: sqlite3_bind_int64(statement, to, *(const uint32_t *)(const void *)at); break;
        case U64: sqlite3_bind_int64(statement, to, (sqlite3_int64) * (const uint64_t *)(const void *)at); break;
        case I64: sqlite3_bind_int64(statement, to, *(const int64_t *)(const void *)at); break;
        case REAL: sqlite3_bind_double(statement, to, *(const double *)(const void *)at); break;
        }
    }
}
_Static_assert(sizeof(enum bucket_status) == sizeof(unsigned) && sizeof(enum fl_target) == sizeof(unsigned),
               "choices are read and written as unsigned numbers");

/* ---- buckets ------------------------------------------------------------------------------------------------------- */

const char *bucket_status_name(enum bucket_status status)
{
    static const char *const names[BUCKET_STATUSES] = {"open", "fixed", "invalid", "duplicate", "regression"};

    return (unsigned)status < BUCKET_STATUSES ? names[status] : "unknown";
}

const char *severity_name(enum severity severity)
{
    static const char *const names[SEVERITIES] = {"low", "medium", "high", "critical"};

    return (unsigned)severity < SEVERITIES ? names[severity] : "unknown";
}

const char *stage_name(enum stage stage)
{
    static const char *const names[STAGES] = {"none", "crashing", "incubating", "regression"};

    return (unsigned)stage < STAGES ? names[stage] : "unknown";
}

bool store_bucket_get(struct store *s, const char *key, struct bucket *out, bool *found)
{
    sqlite3_stmt *ask = store_statement(s, SELECT_BUCKETS "WHERE key = ?");
    struct bucket got;
    int row;
    bool ok;

    if (!ask)
        return false;
    sqlite3_bind_text(ask, 1, key, -1, SQLITE_STATIC);
    row = store_row(s, ask, "read a bucket");
    ok = row >= 0 && (row == 0 || read_bucket(s, ask, &got));
    sqlite3_reset(ask);
    if (!ok)
        return false;
    *found = row == 1;
    if (*found)
        *out = got;
    return true;
}

bool store_bucket_put(struct store *s, const struct bucket *b)
{
    sqlite3_stmt *put =
        store_statement(s, "INSERT OR REPLACE INTO buckets (key" COLUMNS(NAME) ") VALUES (?" COLUMNS(MARK) ")");

    if (!put)
        return false;
    bind_bucket(put, b);
    return store_run(s, put, "store a bucket");
}

#define IN_ORDER                                                                                                       \
    "ORDER BY aside, status NOT IN (0, 4), severity DESC, count DESC, key" /* BUCKET_OPEN, BUCKET_REGRESSION */
_Static_assert(BUCKET_OPEN == 0 && BUCKET_REGRESSION == 4, "IN_ORDER and OPEN_FINDINGS name them by number");

/* All of them are read before each is called: it may change them. */
bool store_buckets_each(struct store *s, bool (*each)(const struct bucket *b, void *ctx), void *ctx)
{
    sqlite3_stmt *ask = store_statement(s, SELECT_BUCKETS IN_ORDER);
    struct bucket *all = NULL;
    size_t n = 0, room = 0;
    bool ok = ask != NULL;
    int row = 0;

    while (ok && (row = store_row(s, ask, "read buckets")) == 1) {
        if (n == room) {
            struct bucket *larger = realloc(all, (room = room ? 2 * room : 64) * sizeof *all);

            if (!larger) {
                complain("%s: out of memory for %zu buckets", s->path, room);
                ok = false;
                break;
            }
            all = larger;
        }
        ok = read_bucket(s, ask, &all[n++]);
    }
    if (ask)
        sqlite3_reset(ask);
    ok = ok && row == 0;
    for (size_t i = 0; ok && i < n && each(&all[i], ctx); i++)
        ;
    free(all);
    return ok;
}

bool store_open_findings(struct store *s, uint64_t *count)
{
    sqlite3_stmt *ask = store_statement(s, "SELECT count(*) FROM buckets WHERE NOT aside AND status IN (0, 4)");

    if (!ask || store_row(s, ask, "count buckets") != 1)
        return false;
    *count = (uint64_t)sqlite3_column_int64(ask, 0);
    sqlite3_reset(ask);
    return true;
}

/* ---- finding one --------------------------------------------------------------------------------------------------- */

enum fit { FIT_WORD, FIT_BEGINS, FIT_WHOLE, FITS };

struct search {
    const char *text;
    uint32_t number; /* 0: text is none */
    struct bucket *found;
    unsigned n[FITS];
    char names[FITS][3][STORE_KEY];
};

static bool fits(const struct search *f, const struct bucket *b, enum fit *fit)
{
    size_t n = strlen(f->text);
    const char *at = b->key;

    *fit = FIT_WHOLE;
    if (strcmp(f->text, b->key) == 0 || (f->number && f->number == b->number))
        return true;
    *fit = FIT_BEGINS;
    if (strncmp(f->text, b->key, n) == 0)
        return true;
    *fit = FIT_WORD;
    while ((at = strstr(at, f->text))) {
        if ((at == b->key || at[-1] == '/') && (at[n] == '/' || at[n] == 0))
            return true;
        at++;
    }
    return false;
}

static bool search_one(const struct bucket *b, void *ctx)
{
    struct search *f = ctx;
    enum fit fit;

    if (!fits(f, b, &fit))
        return true;
    if (f->n[fit] < 3)
        snprintf(f->names[fit][f->n[fit]], STORE_KEY, "%s", b->key);
    if (f->n[fit]++ == 0)
        f->found[fit] = *b;
    return true;
}

bool store_bucket_find(struct store *s, const char *text, struct bucket *out)
{
    struct search *f = calloc(1, sizeof *f);
    struct bucket *found = calloc(FITS, sizeof *found);
    bool ok = false;
    int fit = FIT_WHOLE;

    if (!f || !found) {
        complain("out of memory");
        goto out;
    }
    f->text = text;
    f->found = found;
    if (*text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10)
        f->number = (uint32_t)strtoul(text, NULL, 10);
    if (!*text) {
        complain("%s: an empty KEY names no bucket; faultline triage --dir %s --list shows them", s->path, s->folder);
        goto out;
    }
    if (!store_buckets_each(s, search_one, f))
        goto out;
    while (fit > 0 && f->n[fit] == 0)
        fit--;
    if (f->n[fit] == 1) {
        *out = found[fit];
        ok = true;
    } else if (f->n[fit] == 0) {
        complain("%s: no bucket \"%.80s\"; faultline triage --dir %s --list shows them", s->path, text, s->folder);
    } else {
        char(*names)[STORE_KEY] = f->names[fit];
        bool more = f->n[fit] > 2;

        complain("%s: \"%.80s\" names %u buckets: %s, %s%s%s%s", s->path, text, f->n[fit], names[0], names[1],
                 more ? ", " : "", more ? names[2] : "", f->n[fit] > 3 ? ", ..." : "");
    }
out:
    free(found);
    free(f);
    return ok;
}

/* ---- artifacts ----------------------------------------------------------------------------------------------------- */

static bool count_artifact(struct store *s, const char *key)
{
    sqlite3_stmt *count = store_statement(
        s, "UPDATE buckets SET count = count + 1, last_seen = max(last_seen, ?2), last_build = ?3 WHERE key = ?1");

    if (!count)
        return false;
    sqlite3_bind_text(count, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(count, 2, (sqlite3_int64)time(NULL));
    sqlite3_bind_text(count, 3, s->build, -1, SQLITE_STATIC);
    if (!store_run(s, count, "count an artifact"))
        return false;
    if (sqlite3_changes(s->db) == 1)
        return true;
    complain("%s: an artifact of %s, of which there is no bucket", s->path, key);
    return false;
}

bool store_artifact_add(struct store *s, uint64_t digest, const char *key, const char *file, const char *found_by,
                        bool *is_new)
{
    sqlite3_stmt *add = store_statement(s, "INSERT OR IGNORE INTO artifacts VALUES (?, ?, ?, ?, ?)");
    bool added;

    if (!add || !store_begin(s))
        return false;
    sqlite3_bind_int64(add, 1, (sqlite3_int64)digest);
    sqlite3_bind_text(add, 2, key, -1, SQLITE_STATIC);
    if (file)
        sqlite3_bind_text(add, 3, file, -1, SQLITE_STATIC);
    sqlite3_bind_text(add, 4, found_by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(add, 5, (sqlite3_int64)time(NULL));
    if (!store_run(s, add, "store an artifact"))
        goto fail;
    added = sqlite3_changes(s->db) == 1;
    if ((added && !count_artifact(s, key)) || !store_commit(s))
        goto fail;
    *is_new = added;
    return true;
fail:
    store_rollback(s);
    return false;
}

bool store_artifact_known(struct store *s, uint64_t digest, char key[STORE_KEY], bool *found)
{
    sqlite3_stmt *ask =
        store_statement(s, "SELECT key FROM artifacts WHERE digest = ? ORDER BY seen DESC, key LIMIT 1");
    int row;

    if (!ask)
        return false;
    sqlite3_bind_int64(ask, 1, (sqlite3_int64)digest);
    row = store_row(s, ask, "look for an artifact");
    if (row < 0)
        return false;
    *found = row == 1;
    if (*found)
        store_text(ask, 0, key, STORE_KEY, false);
    sqlite3_reset(ask);
    return true;
}

bool store_artifact_files(struct store *s, const char *key, uint64_t *count)
{
    sqlite3_stmt *ask = store_statement(s, "SELECT count(*) FROM artifacts WHERE key = ? AND file IS NOT NULL");

    if (!ask)
        return false;
    sqlite3_bind_text(ask, 1, key, -1, SQLITE_STATIC);
    if (store_row(s, ask, "count artifacts") != 1)
        return false;
    *count = (uint64_t)sqlite3_column_int64(ask, 0);
    sqlite3_reset(ask);
    return true;
}

bool store_artifact_file(struct store *s, const char *key, unsigned n, char file[300], bool *found)
{
    sqlite3_stmt *ask = store_statement(
        s, "SELECT file FROM artifacts WHERE key = ? AND file IS NOT NULL ORDER BY digest LIMIT 1 OFFSET ?");
    int row;

    if (!ask)
        return false;
    sqlite3_bind_text(ask, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(ask, 2, n);
    row = store_row(s, ask, "look for an artifact");
    if (row < 0)
        return false;
    *found = row == 1;
    if (*found) {
        store_text(ask, 0, file, 300, false);
        *found = store_is_inside(file);
    }
    sqlite3_reset(ask);
    return true;
}

/* ---- builds -------------------------------------------------------------------------------------------------------- */

static bool note_clean_builds(struct store *s, const char *key, uint32_t *count)
{
    sqlite3_stmt *ask = store_statement(s, "SELECT count(*) FROM clean_builds WHERE key = ?");
    sqlite3_stmt *note = store_statement(s, "UPDATE buckets SET clean_builds = ?2 WHERE key = ?1");

    if (!ask || !note)
        return false;
    sqlite3_bind_text(ask, 1, key, -1, SQLITE_STATIC);
    if (store_row(s, ask, "count builds") != 1)
        return false;
    *count = (uint32_t)sqlite3_column_int64(ask, 0);
    sqlite3_reset(ask);
    sqlite3_bind_text(note, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(note, 2, *count);
    return store_run(s, note, "note a build");
}

/* Runs sql, whose first parameter is key and whose second, where it has one, is build. */
static bool change_clean_builds(struct store *s, const char *sql, const char *key, const char *build, uint32_t *count)
{
    sqlite3_stmt *change = store_statement(s, sql);
    uint32_t now;

    if (!change || !store_begin(s))
        return false;
    sqlite3_bind_text(change, 1, key, -1, SQLITE_STATIC);
    if (build)
        sqlite3_bind_text(change, 2, build, -1, SQLITE_STATIC);
    if (!store_run(s, change, "note a build") || !note_clean_builds(s, key, &now) || !store_commit(s)) {
        store_rollback(s);
        return false;
    }
    *count = now;
    return true;
}

bool store_clean_build(struct store *s, const char *key, const char *build, uint32_t *count)
{
    return change_clean_builds(s, "INSERT OR IGNORE INTO clean_builds VALUES (?, ?)", key, build, count);
}

bool store_clean_builds_reset(struct store *s, const char *key)
{
    uint32_t count;

    return change_clean_builds(s, "DELETE FROM clean_builds WHERE key = ?", key, NULL, &count);
}
