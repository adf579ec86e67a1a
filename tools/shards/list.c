/* SPDX-License-Identifier: MIT */
/* Which shards there are, and their databases as they were at one moment. */
#include "internal.h"

#include "../command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES      20
#define MOST_BYTES (4ll << 30)

bool shards_is_whole(const char *folder)
{
    char *path = format_text("%s/shards", folder);
    struct stat st;
    bool is = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

    free(path);
    return is;
}

static int ascending(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

bool shards_list(const char *folder, unsigned **numbers, size_t *n)
{
    char *path = format_text("%s/shards", folder);
    DIR *dir = opendir(path);
    struct dirent *e;

    *n = 0;
    *numbers = calloc(SHARDS_MAX, sizeof **numbers);
    if (!dir || !*numbers) {
        complain("%s: %s%s", path, dir ? "out of memory" : strerror(errno),
                 !dir && errno == ENOENT ? "; only a campaign on several machines has shards" : "");
        if (dir)
            closedir(dir);
        free(*numbers);
        *numbers = NULL;
        free(path);
        return false;
    }
    while ((e = readdir(dir))) {
        unsigned long number = strtoul(e->d_name, NULL, 10);
        char name[16];

        /* "007" is none of ours. */
        snprintf(name, sizeof name, "%lu", number % 1000000);
        if (strcmp(name, e->d_name) == 0 && number < SHARDS_MAX && *n < SHARDS_MAX)
            (*numbers)[(*n)++] = (unsigned)number;
    }
    closedir(dir);
    free(path);
    qsort(*numbers, *n, sizeof **numbers, ascending);
    return true;
}

/* ---- one moment ---------------------------------------------------------------------------------------------------------- */

/* What changes when somebody moves the log's content into the database, or begins the log anew. */
struct moment {
    struct stat db;
    uint8_t wal[32]; /* the log's header with its salts; zeros: there is none, or an empty one */
};

static bool look(const char *db, const char *wal, struct moment *m)
{
    int fd;

    memset(m, 0, sizeof *m);
    if (stat(db, &m->db) != 0)
        return false;
    fd = open(wal, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (pread(fd, m->wal, sizeof m->wal, 0) != (ssize_t)sizeof m->wal)
            memset(m->wal, 0, sizeof m->wal);
        close(fd);
    }
    return true;
}

static bool same(const struct moment *a, const struct moment *b)
{
    return a->db.st_ino == b->db.st_ino && a->db.st_size == b->db.st_size &&
           a->db.st_mtim.tv_sec == b->db.st_mtim.tv_sec && a->db.st_mtim.tv_nsec == b->db.st_mtim.tv_nsec &&
           memcmp(a->wal, b->wal, sizeof a->wal) == 0;
}

/* In this order: frames that come into the log meanwhile are cut off at the first that is not whole, as after a power cut. */
static bool copy_both(const char *db, const char *wal, const char *to_db, const char *to_wal)
{
    return shards_copy(db, to_db) && (access(wal, F_OK) != 0 || shards_copy(wal, to_wal));
}

bool shards_snapshot(const char *folder, const char *into)
{
    char *db = format_text("%s/campaign.db", folder), *wal = format_text("%s-wal", db);
    char *to_db = format_text("%s/campaign.db", into), *to_wal = format_text("%s-wal", to_db);
    struct moment before, after;
    bool ok = false, there = true;

    for (unsigned i = 0; !ok && there && i < TRIES; i++) {
        unlink(to_db);
        unlink(to_wal);
        there = look(db, wal, &before) && before.db.st_size < MOST_BYTES;
        ok = there && copy_both(db, wal, to_db, to_wal) && look(db, wal, &after) && same(&before, &after);
        if (!ok)
            usleep(50000);
    }
    if (!ok)
        complain("%s: %s", db,
                 there ? "cannot be copied as of one moment: it changes all the time, or cannot be read"
                       : strerror(errno));
    free(to_wal);
    free(to_db);
    free(wal);
    free(db);
    return ok;
}

bool shards_copy(const char *from, const char *to)
{
    char block[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK), out = -1;
    struct stat st;
    ssize_t n = -1;
    bool ok = in >= 0 && fstat(in, &st) == 0 && S_ISREG(st.st_mode);

    if (ok)
        out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    ok = ok && out >= 0;
    while (ok && (n = read(in, block, sizeof block)) > 0)
        for (ssize_t done = 0, wrote; ok && done < n; done += wrote) {
            wrote = write(out, block + done, (size_t)(n - done));
            ok = wrote > 0;
        }
    ok = ok && n == 0;
    if (in >= 0)
        close(in);
    if (out >= 0)
        ok = close(out) == 0 && ok;
    return ok;
}
