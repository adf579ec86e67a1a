/* SPDX-License-Identifier: MIT */
/* The counters file: shared memory that a target writes and we read. */
#include "engine.h"

#include "../command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct fl_stats *open_counters(const char *path, int flags)
{
    struct fl_stats *stats;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0666);
    int error = fd < 0 ? errno : posix_fallocate(fd, 0, sizeof *stats);

    stats = error == 0 ? mmap(NULL, sizeof *stats, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (stats == MAP_FAILED) {
        complain("%s: cannot make the counters file: %s", path, strerror(error ? error : errno));
        return NULL;
    }
    return stats;
}

struct fl_stats *engine_counters_open(const char *path)
{
    struct fl_stats *stats = open_counters(path, O_TRUNC);

    if (stats)
        stats->magic = FL_STATS_MAGIC;
    return stats;
}

struct fl_stats *engine_counters_keep(const char *path)
{
    struct fl_stats *stats = open_counters(path, 0);

    if (stats && stats->magic != FL_STATS_MAGIC) { /* new, or of another version */
        memset(stats, 0, sizeof *stats);
        stats->magic = FL_STATS_MAGIC;
    }
    return stats;
}

void engine_counters_close(struct fl_stats *stats)
{
    if (stats)
        munmap(stats, sizeof *stats);
}

static void add(uint64_t *to, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* The block is a magic number, then counters, then the cells. */
_Static_assert(offsetof(struct fl_stats, executions) == sizeof(uint64_t), "the first counter");
_Static_assert(offsetof(struct fl_stats, cell) == offsetof(struct fl_stats, cells_hit) + sizeof(uint64_t),
               "the last counter");

void engine_counters_add(struct fl_stats *sum, const struct fl_stats *more)
{
    size_t counters = (offsetof(struct fl_stats, cells_hit) - offsetof(struct fl_stats, executions)) / sizeof(uint64_t);

    add((uint64_t *)(void *)sum + 1, (const uint64_t *)(const void *)more + 1, counters);
    sum->cells_hit = 0;
    for (unsigned k = 0; k < FL_CELLS; k++) {
        sum->cell[k] |= more->cell[k];
        sum->cells_hit += sum->cell[k] != 0;
    }
}
