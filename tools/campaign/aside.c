/* SPDX-License-Identifier: MIT */
/*
 * An input that ends the process (a crash, a hang) and is one of the seeds or of the corpus would be all that libFuzzer ever
 * does: it reads them at each start. Once its bucket has brought a few artifacts, it is put into DIR/left-aside/inputs.
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

struct input {
    uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    size_t size;
};

static bool read_input(const char *path, struct input *in)
{
    FILE *file = fopen(path, "rb");
    bool ok;

    if (!file)
        return false;
    in->size = fread(in->bytes, 1, sizeof in->bytes, file);
    ok = !ferror(file);
    fclose(file);
    return ok;
}

/* As the engine reads it: what is longer than the longest input is cut off there. */
static bool is_same(int folder, const char *name, const struct input *wanted)
{
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    struct stat st;
    ssize_t n;
    int fd;

    if (fstatat(folder, name, &st, 0) != 0 || !S_ISREG(st.st_mode) ||
        ((size_t)st.st_size != wanted->size &&
         !(wanted->size == sizeof wanted->bytes && (size_t)st.st_size > wanted->size)))
        return false;
    fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, bytes, wanted->size);
    close(fd);
    return n >= 0 && (size_t)n == wanted->size && memcmp(bytes, wanted->bytes, wanted->size) == 0;
}

unsigned aside_remove(const char *folder, const char *artifact, const char *to)
{
    static struct input wanted;
    unsigned removed = 0;
    struct dirent *e;
    DIR *dir;

    if (!read_input(artifact, &wanted) || wanted.size == 0 || !(dir = opendir(folder)))
        return 0;
    while ((e = readdir(dir))) {
        char *path;
        bool is_new;

        if (e->d_name[0] == '.' || !is_same(dirfd(dir), e->d_name, &wanted))
            continue;
        path = format_text("%s/%s", folder, e->d_name);
        if ((!to || exchange_copy(path, to, &is_new)) && unlink(path) == 0)
            removed++;
        free(path);
    }
    closedir(dir);
    return removed;
}

void aside_input(struct campaign *c, enum fl_target target, const char *artifact, const char *key)
{
    char *outer = format_text("%s/left-aside", c->o->folder), *to = format_text("%s/inputs", outer);
    const char *corpus = NULL;

    for (unsigned i = 0; i < c->ntasks && !corpus; i++)
        if (c->tasks[i].run.target == target)
            corpus = c->tasks[i].corpus;
    /* Not the folder itself: where it has vanished, that is told. */
    if ((mkdir(outer, 0777) != 0 && errno != EEXIST) || (mkdir(to, 0777) != 0 && errno != EEXIST)) {
        complain("%s: cannot make this folder: %s", to, strerror(errno));
        disk_write_failed(c);
    } else {
        unsigned n = aside_remove(c->seeds, artifact, to);

        if (corpus)
            n += aside_remove(corpus, artifact, to);
        if (n > 0)
            campaign_say(c, "%s: an input of the seeds or the corpus shows it at every start: it was moved to %s", key,
                         to);
    }
    free(to);
    free(outer);
}
