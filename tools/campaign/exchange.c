/* SPDX-License-Identifier: MIT */
/*
 * What one engine finds goes to the others. The shared corpus of a target is a plain folder: workers of libFuzzer write into it
 * and read it again (-reload), AFL++'s main reads it as a foreign queue (-F), and the queues of AFL++ are copied into it here.
 * Copied rather than linked: both engines tell new files by their date.
 */
#include "campaign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

bool exchange_copy(const char *path, const char *folder, bool *is_new)
{
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    FILE *in = fopen(path, "rb");
    XXH128_hash_t digest;
    struct stat st;
    char *to, *temporary;
    size_t size;
    bool ok = true;
    FILE *out;

    *is_new = false;
    if (!in)
        return true; /* the engine has taken it away again */
    size = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    if (size == 0)
        return true;
    digest = XXH3_128bits(bytes, size);
    to = format_text("%s/%016llx%016llx", folder, (unsigned long long)digest.high64, (unsigned long long)digest.low64);
    if (stat(to, &st) == 0 && (size_t)st.st_size == size) {
        free(to);
        return true;
    }
    /* Not synchronised with the disk each: the engine has its own copy, and after a power cut, which may leave an empty file
     * here, that is passed on again. Hidden until it is whole. */
    temporary = format_text("%s/.new", folder);
    out = fopen(temporary, "wb");
    ok = out && fwrite(bytes, 1, size, out) == size;
    if (out && fclose(out) != 0)
        ok = false;
    if (!ok || rename(temporary, to) != 0) {
        complain("%s: cannot write: %s", to, strerror(errno));
        unlink(temporary);
        ok = false;
    }
    *is_new = ok;
    free(temporary);
    free(to);
    return ok;
}

/* "id:000123,src:..." -> 123; -1: something else. */
static long queue_id(const char *name)
{
    return strncmp(name, "id:", 3) == 0 ? strtol(name + 3, NULL, 10) : -1;
}

void exchange_queue(const struct task *t, void (*each)(const char *path, void *ctx), void *ctx)
{
    char *folder = format_text("%s/%s/queue", t->sync, t->role_name);
    DIR *dir = opendir(folder);
    struct dirent *e;

    while (dir && (e = readdir(dir)))
        if (queue_id(e->d_name) >= 0) {
            char *path = format_text("%s/%s", folder, e->d_name);

            each(path, ctx);
            free(path);
        }
    if (dir)
        closedir(dir);
    free(folder);
}

struct passing {
    struct campaign *c;
    struct task *t;
    unsigned highest;
    bool failed;
};

static void pass_on(const char *path, void *ctx)
{
    struct passing *p = ctx;
    const char *name = strrchr(path, '/') + 1;
    long id = queue_id(name);
    bool is_new;

    /* What came from elsewhere is there already. */
    if (p->failed || id < (long)p->t->exported || strstr(name, ",sync:") || strstr(name, ",orig:"))
        return;
    if (!exchange_copy(path, p->t->corpus, &is_new)) {
        p->failed = true;
        return;
    }
    if ((unsigned)id + 1 > p->highest)
        p->highest = (unsigned)id + 1;
}

void exchange_task(struct campaign *c, struct task *t)
{
    struct passing p = {c, t, t->exported, false};

    if (t->run.engine != ENGINE_AFL)
        return;
    exchange_queue(t, pass_on, &p);
    if (p.failed)
        disk_write_failed(c);
    else
        t->exported = p.highest;
}

void exchange_all(struct campaign *c)
{
    bool seen[FL_TARGET_COUNT] = {false};

    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        if (t->pid)
            exchange_task(c, t);
        if (!seen[t->run.target]) {
            seen[t->run.target] = true;
            disk_size_of(t->corpus, &c->corpus_files[t->run.target], &c->corpus_bytes[t->run.target]);
        }
    }
}
