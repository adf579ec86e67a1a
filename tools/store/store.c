/* SPDX-License-Identifier: MIT */
/* Statements, transactions, and how trouble is told. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- trouble ------------------------------------------------------------------------------------------------------- */

static bool no_space(const struct store *s, int code)
{
    int error = sqlite3_system_errno(s->db);

    return code == SQLITE_FULL || (code == SQLITE_IOERR && (error == ENOSPC || error == EDQUOT));
}

static bool is_damage(int code)
{
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_SCHEMA || code == SQLITE_FORMAT;
}

void store_damaged(const struct store *s, const char *says)
{
    complain("%s: corrupt: %s; " STORE_MOVE_ASIDE, s->path, says, s->folder, s->folder);
}

bool store_fail(struct store *s, const char *doing)
{
    int code = sqlite3_errcode(s->db) & 0xff;

    s->doomed = s->depth != 0;
    s->full = no_space(s, code);
    if (s->full)
        complain("%s: cannot %s: no space left on the device; nothing was stored", s->path, doing);
    else if (is_damage(code))
        store_damaged(s, sqlite3_errmsg(s->db));
    else if (code == SQLITE_BUSY)
        complain("%s: cannot %s: another process has held it for %d s", s->path, doing, STORE_BUSY_MS / 1000);
    else
        complain("%s: cannot %s: %s", s->path, doing, sqlite3_errmsg(s->db));
    return false;
}

/* What is written to a database whose folder was removed, or replaced, goes nowhere, and SQLite does not mind. */
static bool still_there(struct store *s)
{
    struct stat st;

    if (s->mode == STORE_READ || s->inode == 0 ||
        (stat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode))
        return true;
    complain("%s: was removed or replaced while in use; what is stored from now on would be lost", s->path);
    return false;
}

/* ---- statements ---------------------------------------------------------------------------------------------------- */

sqlite3_stmt *store_statement(struct store *s, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    /* SQLite may have rolled back by itself: what came now would be stored at once, by itself. */
    if (s->depth && s->doomed)
        return NULL;
    for (unsigned i = 0; i < s->nstatements; i++)
        if (s->statements[i].sql == sql) {
            statement = s->statements[i].statement;
            sqlite3_reset(statement);
            sqlite3_clear_bindings(statement);
            return statement;
        }
    if (s->nstatements == STORE_MAX_STATEMENTS) {
        complain("%s: more than %u different statements", s->path, STORE_MAX_STATEMENTS);
        return NULL;
    }
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
        store_fail(s, "ask");
        return NULL;
    }
    s->statements[s->nstatements].sql = sql;
    s->statements[s->nstatements++].statement = statement;
    return statement;
}

int store_row(struct store *s, sqlite3_stmt *statement, const char *doing)
{
    int code = sqlite3_step(statement);

    if (code == SQLITE_ROW)
        return 1;
    if (code != SQLITE_DONE)
        store_fail(s, doing);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

bool store_run(struct store *s, sqlite3_stmt *statement, const char *doing)
{
    int got = store_row(s, statement, doing);

    if (got > 0)
        sqlite3_reset(statement);
    return got >= 0 && (s->depth || still_there(s));
}

bool store_script(struct store *s, const char *sql, const char *doing)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fail(s, doing);
}

/* ---- transactions -------------------------------------------------------------------------------------------------- */

bool store_begin(struct store *s)
{
    if (s->depth == 0) {
        s->doomed = false;
        if (!store_script(s, s->mode == STORE_READ ? "BEGIN" : "BEGIN IMMEDIATE", "begin a transaction"))
            return false;
    }
    s->depth++;
    return true;
}

void store_rollback(struct store *s)
{
    if (s->depth == 0)
        return;
    s->doomed = true;
    if (--s->depth == 0)
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); /* after some failures SQLite has done so already */
}

bool store_commit(struct store *s)
{
    if (s->depth == 0)
        return true;
    if (s->depth > 1) {
        s->depth--;
        return !s->doomed;
    }
    if (s->doomed || !still_there(s) || !store_script(s, "COMMIT", "store")) {
        store_rollback(s);
        return false;
    }
    s->depth = 0;
    return still_there(s);
}

const char *store_folder(const struct store *s)
{
    return s->folder;
}

bool store_full(const struct store *s)
{
    return s->full;
}

void store_note_error(struct store *s, int error)
{
    s->full = error == ENOSPC || error == EDQUOT;
}

void store_use_core(struct store *s, const char *core)
{
    build_name(core, s->build);
}

const char *store_build(const struct store *s)
{
    return s->build;
}

/* ---- what a file from anywhere may hold ---------------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at p (n bytes are there); 0: it is none. */
static size_t sequence(const unsigned char *p, size_t n)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    uint32_t code = length > 1 ? *p & (0x7f >> length) : *p;

    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    /* Overlong, a surrogate, beyond the end; and C1 controls, which terminals obey as well. */
    return code < least[length] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff || (code >= 0x80 && code < 0xa0)
               ? 0
               : length;
}

void store_text(sqlite3_stmt *statement, int i, char *out, size_t size, bool lines)
{
    const unsigned char *text = sqlite3_column_text(statement, i);
    size_t n = text ? (size_t)sqlite3_column_bytes(statement, i) : 0, kept = 0;

    for (size_t at = 0; at < n;) {
        size_t length = sequence(text + at, n - at);

        if (kept + (length ? length : 1) >= size)
            break;
        if (length == 0 || (length == 1 && (text[at] < ' ' || text[at] == 0x7f) && !(lines && text[at] == '\n'))) {
            out[kept++] = '?';
            at++;
            continue;
        }
        memcpy(out + kept, text + at, length);
        kept += length;
        at += length;
    }
    out[kept] = 0;
}

bool store_is_inside(const char *name)
{
    const char *p = name;

    if (*name == '/')
        return false;
    while (p) {
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == 0))
            return false;
        p = strchr(p, '/');
        p = p ? p + 1 : NULL;
    }
    return true;
}
