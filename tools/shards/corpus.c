/* SPDX-License-Identifier: MIT */
/* Corpora of shards become one: every input once, by content, under the name of its digest. */
#define XXH_INLINE_ALL
#include "shards.h"

#include "../command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MOST_BYTES (1u << 20) /* of an input: engines stay far below */
#define HALF_MADE  ".joining-"

/* ---- a set of digests ---------------------------------------------------------------------------------------------------- */

struct digests {
    XXH128_hash_t *slot; /* zeros: free */
    size_t n, room;      /* room: a power of two */
};

static bool is_free(XXH128_hash_t d)
{
    return d.low64 == 0 && d.high64 == 0;
}

/* False: it was there. */
static bool put(struct digests *set, XXH128_hash_t d)
{
    size_t i;

    if (2 * set->n >= set->room) {
        struct digests larger = {.room = set->room ? 2 * set->room : 1024};

        larger.slot = calloc(larger.room, sizeof *larger.slot);
        if (!larger.slot) {
            complain("out of memory");
            exit(EXIT_INTERNAL);
        }
        for (i = 0; i < set->room; i++)
            if (!is_free(set->slot[i]))
                put(&larger, set->slot[i]);
        free(set->slot);
        *set = larger;
    }
    for (i = d.low64 & (set->room - 1); !is_free(set->slot[i]); i = (i + 1) & (set->room - 1))
        if (XXH128_isEqual(set->slot[i], d))
            return false;
    set->slot[i] = d;
    set->n++;
    return true;
}

/* ---- files --------------------------------------------------------------------------------------------------------------- */

struct joining {
    const char *folder;   /* of the whole */
    char *from, *to;      /* shards/K, corpus-vN/TARGET of the whole */
    struct digests known; /* content of `to` */
    char *data;           /* MOST_BYTES */
    uint64_t files, copied;
    bool ok;
};

/* The whole of it. False: gone, no file, or too large to be an input. */
static bool read_input(struct joining *j, int folder, const char *name, size_t *size)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct stat st;
    ssize_t n;
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= MOST_BYTES;

    *size = 0;
    while (ok && *size < MOST_BYTES && (n = read(fd, j->data + *size, MOST_BYTES - *size)) != 0) {
        ok = n > 0;
        *size += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    return ok && *size > 0;
}

static void each_input(struct joining *j, const char *path,
                       void (*each)(struct joining *j, const char *name, const void *data, size_t size))
{
    DIR *dir = opendir(path);
    struct dirent *e;
    size_t size;

    while (dir && j->ok && (e = readdir(dir)))
        if (e->d_name[0] != '.' && read_input(j, dirfd(dir), e->d_name, &size))
            each(j, e->d_name, j->data, size);
    if (dir)
        closedir(dir);
}

static void know(struct joining *j, const char *name, const void *data, size_t size)
{
    (void)name;
    put(&j->known, XXH3_128bits(data, size));
}

/* Not synced one by one: shards_join_corpora does it for all. */
static void take(struct joining *j, const char *name, const void *data, size_t size)
{
    XXH128_hash_t digest = XXH3_128bits(data, size);
    char *half, *whole;
    int fd;

    (void)name;
    j->files++;
    if (!put(&j->known, digest))
        return;
    half = format_text("%s/" HALF_MADE "%ld", j->to, (long)getpid());
    whole = format_text("%s/%016" PRIx64 "%016" PRIx64, j->to, digest.high64, digest.low64);
    fd = open(half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    j->ok = fd >= 0;
    for (size_t done = 0; j->ok && done < size;) {
        ssize_t n = write(fd, (const char *)data + done, size - done);

        j->ok = n > 0;
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        j->ok = close(fd) == 0 && j->ok;
    j->ok = j->ok && rename(half, whole) == 0;
    if (!j->ok) {
        complain("%s: cannot write: %s", whole, strerror(errno));
        unlink(half);
    }
    j->copied += j->ok;
    free(whole);
    free(half);
}

static void clear_half_made(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;

    while (dir && (e = readdir(dir)))
        if (strncmp(e->d_name, HALF_MADE, strlen(HALF_MADE)) == 0)
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
}

/* ---- folders ------------------------------------------------------------------------------------------------------------- */

static void each_entry(const char *path, void (*each)(struct joining *j, const char *path, const char *name),
                       struct joining *j)
{
    DIR *dir = opendir(path);
    struct dirent *e;

    while (dir && j->ok && (e = readdir(dir))) {
        char *child;

        if (e->d_name[0] == '.')
            continue;
        child = format_text("%s/%s", path, e->d_name);
        each(j, child, e->d_name);
        free(child);
    }
    if (dir)
        closedir(dir);
}

/* afl-vN/TARGET/ROLE */
static void role(struct joining *j, const char *path, const char *name)
{
    char *queue = format_text("%s/queue", path);

    (void)name;
    each_input(j, queue, take);
    free(queue);
}

/* One target of one encoding in every shard. version: "v2". */
static bool join_target(struct joining *j, const char *version, const char *target, const unsigned *shards, size_t n)
{
    j->to = format_text("%s/corpus-%s/%s", j->folder, version, target);
    if (access(j->to, F_OK) == 0) {
        clear_half_made(j->to);
        each_input(j, j->to, know);
    }
    for (size_t i = 0; j->ok && i < n; i++) {
        char *corpus = format_text("%s/shards/%u/corpus-%s/%s", j->folder, shards[i], version, target);
        char *queues = format_text("%s/shards/%u/afl-%s/%s", j->folder, shards[i], version, target);

        if (access(corpus, F_OK) == 0 || access(queues, F_OK) == 0) {
            j->ok = make_folder(j->to);
            each_input(j, corpus, take);
            each_entry(queues, role, j);
        }
        free(queues);
        free(corpus);
    }
    free(j->to);
    free(j->known.slot);
    memset(&j->known, 0, sizeof j->known);
    return j->ok;
}

/* Encodings that shards have: "v2", ... in *seen, which holds up to 16. */
static void versions_of(const char *shard, char (*seen)[16], size_t *n)
{
    DIR *dir = opendir(shard);
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        const char *name = strncmp(e->d_name, "corpus-", 7) == 0 ? e->d_name + 7
                           : strncmp(e->d_name, "afl-", 4) == 0  ? e->d_name + 4
                                                                 : "";
        size_t i = 0;

        if (name[0] != 'v' || strspn(name + 1, "0123456789") != strlen(name + 1) || strlen(name) > 8)
            continue;
        while (i < *n && strcmp(seen[i], name) != 0)
            i++;
        if (i == *n && *n < 16)
            snprintf(seen[(*n)++], 16, "%.8s", name);
    }
    if (dir)
        closedir(dir);
}

bool shards_join_corpora(const char *folder, uint64_t *files, uint64_t *copied)
{
    struct joining j = {.folder = folder, .ok = true, .data = malloc(MOST_BYTES)};
    char versions[16][16];
    unsigned *shards = NULL;
    size_t n = 0, nversions = 0;

    if (!j.data) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    j.ok = shards_list(folder, &shards, &n);
    for (size_t i = 0; j.ok && i < n; i++) {
        char *shard = format_text("%s/shards/%u", folder, shards[i]);

        versions_of(shard, versions, &nversions);
        free(shard);
    }
    for (size_t v = 0; j.ok && v < nversions; v++)
        for (unsigned t = 0; j.ok && t < FL_TARGET_COUNT; t++)
            join_target(&j, versions[v], fl_target_name((enum fl_target)t), shards, n);
    if (j.ok && j.copied) {
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        j.ok = fd >= 0 && syncfs(fd) == 0;
        if (!j.ok)
            complain("%s: %s", folder, strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    free(j.data);
    free(shards);
    *files = j.files;
    *copied = j.copied;
    return j.ok;
}
