/* SPDX-License-Identifier: MIT */
/*
 * Folders of inputs put in place of each other without a moment at which one is missing. First everything new is linked into
 * the folder, and is on the disk; then what the new one can do without is taken away. So whenever the process or the machine
 * ends, the folder has all of the old or all of the new inputs, and engines may write into it all the time.
 */
#include "campaign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool copy_file(const char *from, const char *to)
{
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
    size_t n;
    bool ok = out != NULL;

    while (ok && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        ok = fwrite(bytes, 1, n, out) == n;
    if (in)
        fclose(in);
    if (out && fclose(out) != 0)
        ok = false;
    if (!ok && out)
        unlink(to);
    return ok;
}

bool swap_link(const char *from, const char *to)
{
    if (link(from, to) == 0 || errno == EEXIST || errno == ENOENT) /* ENOENT: taken away meanwhile */
        return true;
    if (errno != ENOSPC && errno != EDQUOT && copy_file(from, to)) /* a file system without links */
        return true;
    complain("%s: cannot write: %s", to, strerror(errno));
    return false;
}

bool swap_join(const char *from, const char *to, const char *prefix)
{
    DIR *dir = opendir(from);
    struct dirent *e;
    bool ok = dir != NULL;

    if (!ok)
        complain("%s: %s", from, strerror(errno));
    while (ok && (e = readdir(dir)))
        if (e->d_name[0] != '.') {
            char *a = format_text("%s/%s", from, e->d_name), *b = format_text("%s/%s%s", to, prefix, e->d_name);

            ok = swap_link(a, b);
            free(a);
            free(b);
        }
    if (dir)
        closedir(dir);
    return ok;
}

bool swap_on_disk(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && syncfs(fd) == 0;

    if (!ok)
        complain("%s: cannot write: %s", folder, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

bool swap_in(const char *folder, const char *new_folder, const char *snapshot)
{
    DIR *dir;
    struct dirent *e;

    if (!swap_join(new_folder, folder, "") || !swap_on_disk(folder))
        return false;
    dir = opendir(folder);
    if (!dir) {
        complain("%s: %s", folder, strerror(errno));
        return false;
    }
    while ((e = readdir(dir))) {
        char *kept = format_text("%s/%s", new_folder, e->d_name), *known = format_text("%s/%s", snapshot, e->d_name),
             *path = format_text("%s/%s", folder, e->d_name);

        /* What is not of the snapshot came meanwhile: it stays. */
        if (e->d_name[0] != '.' && access(kept, F_OK) != 0 && errno == ENOENT && access(known, F_OK) == 0)
            unlink(path);
        free(kept);
        free(known);
        free(path);
    }
    closedir(dir);
    return true;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

bool swap_remove(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return true;
    complain("%s: cannot remove it: %s", path, strerror(errno));
    return false;
}

static uint64_t counted_files, counted_bytes;

static int count_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)path, (void)ftw;
    if (flag == FTW_F && st->st_nlink > 0) {
        counted_files++;
        counted_bytes += (uint64_t)st->st_blocks * 512 / st->st_nlink;
    }
    return 0;
}

void disk_size_of(const char *path, uint64_t *files, uint64_t *bytes)
{
    counted_files = counted_bytes = 0;
    nftw(path, count_one, 16, FTW_PHYS);
    *files = counted_files;
    *bytes = counted_bytes;
}
