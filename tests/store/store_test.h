/* SPDX-License-Identifier: MIT */
/* What the tests of the store share: a folder of their own, what was complained about, files. */
#ifndef FAULTLINE_TESTS_STORE_TEST_H
#define FAULTLINE_TESTS_STORE_TEST_H

#include "check.h"
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

static inline const char *at(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static inline struct bucket bucket(const char *key)
{
    struct bucket b = {.status = BUCKET_OPEN, .severity = SEVERITY_HIGH, .target = FL_TARGET_VMALLOC};

    snprintf(b.key, sizeof b.key, "%s", key);
    return b;
}

static inline struct store *open_new(const char *name)
{
    struct store *s = store_open(at(name), STORE_CREATE);

    CHECK(s != NULL, "%s: cannot be made", name);
    if (!s)
        exit(1);
    return s;
}

/* ---- quiet: complaints are what is tested ------------------------------------------------------------------------- */

static char said[4096];

static int saved_stderr, pipe_read;

static inline void listen_to_stderr(void)
{
    int fds[2];

    fflush(stderr);
    saved_stderr = dup(2);
    if (pipe(fds) != 0 || dup2(fds[1], 2) < 0)
        exit(1);
    close(fds[1]);
    pipe_read = fds[0];
}

/* What was said since, in said: one line each, at least one. */
static inline void said_one_line(const char *pattern, const char *about)
{
    ssize_t n;
    size_t lines = 0;

    fflush(stderr);
    dup2(saved_stderr, 2);
    close(saved_stderr);
    n = read(pipe_read, said, sizeof said - 1);
    close(pipe_read);
    said[n > 0 ? n : 0] = 0;
    for (const char *p = said; *p; p++)
        lines += *p == '\n';
    CHECK_EQ(lines, 1, "%s said: %s", about, said);
    CHECK(strstr(said, pattern) != NULL, "%s said: %s, expected: %s", about, said, pattern);
}
#define SAYS(pattern, about, ...)                                                                                      \
    do {                                                                                                               \
        listen_to_stderr();                                                                                            \
        __VA_ARGS__;                                                                                                   \
        said_one_line(pattern, about);                                                                                 \
    } while (0)

struct seen {
    unsigned n;
    char keys[16][STORE_KEY];
};

static inline bool see(const struct bucket *b, void *ctx)
{
    struct seen *seen = ctx;

    snprintf(seen->keys[seen->n++], STORE_KEY, "%s", b->key);
    return seen->n < 16;
}

static inline size_t slurp(const char *path, uint8_t *data, size_t size)
{
    FILE *in = fopen(path, "rb");
    size_t n = in ? fread(data, 1, size, in) : 0;

    if (in)
        fclose(in);
    return n;
}

static inline void spill(const char *path, const void *data, size_t size)
{
    FILE *out = fopen(path, "wb");

    if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0)
        exit(1);
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void remove_all(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void make_root(void)
{
    snprintf(root, sizeof root, "/tmp/faultline-store-XXXXXX");
    if (!mkdtemp(root)) {
        perror(root);
        exit(1);
    }
}

#endif
