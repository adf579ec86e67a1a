/* SPDX-License-Identifier: MIT */
/* The tables behind runs.h: part of what store.c makes of an empty database. */
#include "internal.h"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS option (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, why TEXT NOT NULL, started INTEGER NOT NULL,"
    " beat INTEGER NOT NULL, ended INTEGER NOT NULL, before REAL NOT NULL, ran REAL NOT NULL, time_limit REAL NOT NULL,"
    " pid INTEGER NOT NULL, born INTEGER NOT NULL, host TEXT NOT NULL, boot TEXT NOT NULL, slots INTEGER NOT NULL,"
    " working INTEGER NOT NULL, disk INTEGER NOT NULL, disk_free INTEGER NOT NULL, artifacts INTEGER NOT NULL,"
    " build TEXT NOT NULL);"

    "CREATE TABLE IF NOT EXISTS job (name TEXT PRIMARY KEY, target INTEGER NOT NULL, engine TEXT NOT NULL, role INTEGER NOT NULL,"
    " state INTEGER NOT NULL, health TEXT NOT NULL, pid INTEGER NOT NULL, born INTEGER NOT NULL, starts INTEGER NOT NULL,"
    " deaths INTEGER NOT NULL, since INTEGER NOT NULL, ran REAL NOT NULL, executions INTEGER NOT NULL,"
    " events INTEGER NOT NULL, real_faults INTEGER NOT NULL, rate REAL NOT NULL, event_rate REAL NOT NULL,"
    " edges INTEGER NOT NULL, corpus INTEGER NOT NULL, cells INTEGER NOT NULL, last_new REAL NOT NULL,"
    " share REAL NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE IF NOT EXISTS sample (at REAL NOT NULL, target INTEGER NOT NULL, executions INTEGER NOT NULL, events INTEGER NOT NULL,"
    " real_faults INTEGER NOT NULL, edges INTEGER NOT NULL, features INTEGER NOT NULL, cells INTEGER NOT NULL,"
    " corpus_files INTEGER NOT NULL, corpus_bytes INTEGER NOT NULL, open INTEGER NOT NULL, disk INTEGER NOT NULL,"
    " PRIMARY KEY (at, target)) WITHOUT ROWID;"
    /* When samples were last thinned. */
    "CREATE TABLE IF NOT EXISTS thinned (at REAL NOT NULL);"
    "INSERT INTO thinned SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM thinned);"

    "CREATE TABLE IF NOT EXISTS cell (cell INTEGER PRIMARY KEY, target INTEGER NOT NULL, at REAL NOT NULL);"

    /* run 0: all runs before the newest. */
    "CREATE TABLE IF NOT EXISTS decision (run INTEGER NOT NULL, mode INTEGER NOT NULL, action INTEGER NOT NULL, error INTEGER NOT NULL,"
    " count INTEGER NOT NULL, PRIMARY KEY (run, mode, action, error)) WITHOUT ROWID;"

    "CREATE TABLE IF NOT EXISTS shard (number INTEGER PRIMARY KEY, folder TEXT NOT NULL, host TEXT NOT NULL, state TEXT NOT NULL,"
    " starts INTEGER NOT NULL, seen INTEGER NOT NULL);";

bool store_runs_schema(struct store *s)
{
    return store_script(s, tables, "make the tables of runs");
}
