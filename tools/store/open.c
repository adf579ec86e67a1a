/* SPDX-License-Identifier: MIT */
/* Opening, making, schema. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to this size the structure of every page is looked at before the first write: about 2 ms for a megabyte. */
#define CHECKED_BYTES (64 << 20)

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

enum header { HEADER_OURS, HEADER_NONE, HEADER_COMPLAINED };

/* Looks at the file before SQLite does: a file that is none of ours is not opened at all. */
static enum header look_at(struct store *s)
{
    uint8_t header[100];
    struct stat st;
    ssize_t n = 0;
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        return HEADER_NONE;
    if (fd < 0 || fstat(fd, &st) != 0 || (S_ISREG(st.st_mode) && (n = pread(fd, header, sizeof header, 0)) < 0)) {
        complain("%s: %s", s->path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return HEADER_COMPLAINED;
    }
    close(fd);
    if (!S_ISREG(st.st_mode)) {
        complain("%s: not a file, so not a database of Faultline; it is left as it is", s->path);
        return HEADER_COMPLAINED;
    }
    if (n < (ssize_t)sizeof header || memcmp(header, "SQLite format 3", 16) != 0) {
        complain("%s: not a database%s; it is left as it is: " STORE_MOVE_ASIDE, s->path,
                 n == 0 ? " (an empty file)" : "", s->folder, s->folder);
        return HEADER_COMPLAINED;
    }
    if (big_endian(header + 68) != STORE_APPLICATION) {
        complain("%s: a database, but not one of Faultline; it is left as it is: use another folder", s->path);
        return HEADER_COMPLAINED;
    }
    if (big_endian(header + 60) > STORE_VERSION) {
        complain("%s: written by a newer Faultline (version %" PRIu32
                 " of the format, this one knows %d): use that one",
                 s->path, big_endian(header + 60), STORE_VERSION);
        return HEADER_COMPLAINED;
    }
    s->device = st.st_dev;
    s->inode = st.st_ino;
    return HEADER_OURS;
}

static bool schema(struct store *s)
{
    if (!store_begin(s))
        return false;
    if (store_buckets_schema(s) && store_runs_schema(s))
        return store_commit(s);
    store_rollback(s);
    return false;
}

static void disconnect(struct store *s)
{
    for (unsigned i = 0; i < s->nstatements; i++)
        sqlite3_finalize(s->statements[i].statement);
    s->nstatements = 0;
    sqlite3_close(s->db);
    s->db = NULL;
}

/* A new database is made in memory and put in place whole, so that no moment has half of one; of two that do so at once,
 * one wins and the other opens it. */
static bool create(struct store *s)
{
    char *temporary = NULL, script[128];
    sqlite3_int64 size;
    unsigned char *image = NULL;
    bool ok;

    snprintf(script, sizeof script, "PRAGMA application_id=%d; PRAGMA user_version=%d", STORE_APPLICATION,
             STORE_VERSION);
    ok = sqlite3_open(":memory:", &s->db) == SQLITE_OK && store_script(s, script, "make a database") && schema(s);
    image = ok ? sqlite3_serialize(s->db, "main", &size, 0) : NULL;
    if (!image) {
        complain("%s: cannot make it: out of memory", s->path);
        ok = false;
    }
    if (ok) {
        image[18] = image[19] = 2; /* WAL from the start: two that switch to it at once would be in each other's way */
        temporary = format_text("%s.new-%ld", s->path, (long)getpid());
        ok = write_atomically(temporary, image, (size_t)size);
        if (ok && link(temporary, s->path) != 0 && errno != EEXIST) {
            complain("%s: cannot make it: %s", s->path, strerror(errno));
            ok = false;
        }
        unlink(temporary);
    }
    free(temporary);
    sqlite3_free(image);
    disconnect(s);
    return ok;
}

static bool connect(struct store *s, bool unchanging)
{
    char *uri, *escaped = malloc(3 * strlen(s->path) + 1), *p = escaped;
    int flags = s->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int code;

    if (!escaped) {
        complain("out of memory");
        return false;
    }
    for (const char *c = s->path; *c; c++)
        p += sprintf(p, *c == '?' || *c == '#' || *c == '%' ? "%%%02x" : "%c", (unsigned char)*c);
    uri = format_text("file:%s%s%s", *escaped == '/' ? "//" : "", escaped, unchanging ? "?immutable=1" : "");
    code = sqlite3_open_v2(uri, &s->db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    free(uri);
    free(escaped);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    /* What the schema of a strange file brings along is not carried out. */
    if (code == SQLITE_OK)
        code = sqlite3_exec(s->db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=OFF",
                            NULL, NULL, NULL);
    return code == SQLITE_OK || store_fail(s, "open");
}

/* Only a folder that cannot be written to needs this: SQLite cannot make its -shm there. Nobody else writes either, and
 * what a -wal holds that is not yet in the database would be passed over. */
static bool connect_unwritable(struct store *s)
{
    char *wal = format_text("%s-wal", s->path);
    struct stat st;
    bool left = stat(wal, &st) == 0 && st.st_size != 0;

    free(wal);
    if (left) {
        complain("%s: its -wal holds changes that are not in it yet, and this folder cannot be written to: copy the "
                 "folder, and read the copy",
                 s->path);
        return false;
    }
    disconnect(s);
    return connect(s, true);
}

/* Is the structure whole? A file of a megabyte takes about 2 ms; large ones are only looked at where they are read. */
static bool check(struct store *s)
{
    char *wal = format_text("%s-wal", s->path), says[200] = "ok";
    struct stat st = {0}, log = {0};
    sqlite3_stmt *statement;
    bool ok = true;

    stat(s->path, &st);
    stat(wal, &log);
    free(wal);
    if (st.st_size + log.st_size > CHECKED_BYTES)
        return true;
    if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK)
        return store_fail(s, "check");
    if (sqlite3_step(statement) == SQLITE_ROW)
        store_text(statement, 0, says, sizeof says, false);
    else
        ok = store_fail(s, "check");
    sqlite3_finalize(statement);
    if (ok && strcmp(says, "ok") != 0) {
        says[strcspn(says, "\n")] = 0;
        store_damaged(s, says);
        return false;
    }
    return ok;
}

static bool set_up(struct store *s)
{
    int code;

    if (!connect(s, false))
        return false;
    if (s->mode == STORE_READ) {
        code = sqlite3_exec(s->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) & 0xff;
        if ((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && !connect_unwritable(s))
            return false;
        return check(s);
    }
    if (access(s->path, W_OK) != 0 || access(s->folder, W_OK) != 0) {
        complain("%s: cannot be written to: %s", access(s->path, W_OK) != 0 ? s->path : s->folder, strerror(errno));
        return false;
    }
    return check(s) &&
           store_script(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY", "set up") &&
           schema(s);
}

static struct store *allocate(const char *folder, enum store_mode mode)
{
    struct store *s = calloc(1, sizeof *s);
    size_t n = strlen(folder);

    if (!s) {
        complain("out of memory");
        return NULL;
    }
    while (n > 1 && folder[n - 1] == '/')
        n--;
    s->folder = format_text("%.*s", (int)n, folder);
    s->path = format_text("%s/campaign.db", s->folder);
    s->mode = mode;
    build_name(NULL, s->build);
    return s;
}

struct store *store_open(const char *folder, enum store_mode mode)
{
    struct store *s = allocate(folder, mode);
    enum header header;
    struct stat st;

    if (!s)
        return NULL;
    if (mode == STORE_CREATE && !make_folder(s->folder))
        goto fail;
    if (stat(s->folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        complain("%s: no such campaign folder%s", s->folder,
                 errno == ENOENT ? "" : " (not a folder, or it cannot be looked into)");
        goto fail;
    }
    header = look_at(s);
    if (header == HEADER_NONE && mode == STORE_CREATE && create(s))
        header = look_at(s);
    else if (header == HEADER_NONE && mode != STORE_CREATE)
        complain("%s: not a campaign folder: it has no campaign.db", s->folder);
    if (header == HEADER_OURS && set_up(s))
        return s;
fail:
    store_close(s);
    return NULL;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    while (s->depth)
        store_rollback(s);
    disconnect(s);
    free(s->folder);
    free(s->path);
    free(s);
}

bool store_is_folder(const char *folder)
{
    static const char *const names[] = {"campaign.db", "campaign.db-wal"};
    bool found = false;

    for (unsigned i = 0; i < 2 && !found; i++) {
        char *path = format_text("%s/%s", folder, names[i]);
        struct stat st;

        found = stat(path, &st) == 0 && S_ISREG(st.st_mode);
        free(path);
    }
    return found;
}
