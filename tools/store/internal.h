/* SPDX-License-Identifier: MIT */
/* What the files of the store share: the handle, statements, and how trouble is told. */
#ifndef FAULTLINE_TOOLS_STORE_INTERNAL_H
#define FAULTLINE_TOOLS_STORE_INTERNAL_H

#include "../command.h"
#include "store.h"

#include <sqlite3.h>
#include <sys/types.h>

#define STORE_VERSION        1          /* PRAGMA user_version: of the schema */
#define STORE_APPLICATION    0x464c7374 /* PRAGMA application_id: "FLst" */
#define STORE_MAX_STATEMENTS 64
#define STORE_BUSY_MS        30000 /* how long another writer is waited for */

/* What to do about a database that is none; takes the folder twice. */
#define STORE_MOVE_ASIDE                                                                                               \
    "move it and its -wal and -shm aside, then `faultline triage --dir %s %s/findings` makes it anew from the findings"

struct store {
    sqlite3 *db;
    char *folder, *path;
    char build[STORE_BUILD];
    enum store_mode mode;
    unsigned depth; /* store_begin calls that wait for their store_commit */
    bool doomed;    /* something inside them failed: the commit will not be one */
    bool full;
    dev_t device; /* of campaign.db as it was opened */
    ino_t inode;  /* 0: in memory */
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } statements[STORE_MAX_STATEMENTS];
    unsigned nstatements;
};

/* Complains, in one line: the database, what was being done ("read buckets"), what SQLite says, and what helps. Answers
 * false. Notes a full disk. Inside a transaction: it will not be committed. */
bool store_fail(struct store *s, const char *doing);

/* Complains that the database is corrupt: says is what SQLite says. */
void store_damaged(const struct store *s, const char *says);

/* The statement for sql, reset and without bindings. sql must be static text: statements are kept by its address. NULL: it
 * complained. */
sqlite3_stmt *store_statement(struct store *s, const char *sql);
/* Runs a statement that answers no row. False: it complained. Outside a transaction what it did is on the disk. */
bool store_run(struct store *s, sqlite3_stmt *statement, const char *doing);
/* The next row: 1; no more: 0 (reset); -1: it complained (reset). Who stops before 0 calls sqlite3_reset. */
int store_row(struct store *s, sqlite3_stmt *statement, const char *doing);
/* Runs SQL text that answers no rows, several statements too. */
bool store_script(struct store *s, const char *sql, const char *doing);

/* Column i as text of at most size - 1 bytes: control characters (newlines too unless lines) and what is not UTF-8 become
 * '?', so that a file from anywhere can be printed, written as JSON and put on a terminal. */
void store_text(sqlite3_stmt *statement, int i, char *out, size_t size, bool lines);
/* name, of a file inside the folder: relative, and without "..". */
bool store_is_inside(const char *name);

/* Makes its tables where they are not there, inside a transaction. */
bool store_buckets_schema(struct store *s);
bool store_runs_schema(struct store *s); /* runs_schema.c: runs, jobs, samples, cells */

#endif
