/* SPDX-License-Identifier: MIT */
/*
 * A revision, taken out and built. Its core: every .c file of core/, compiled as the core is and linked as a shared object,
 * by a ninja file of our own, so that no revision's build files have to be understood. The whole: by its own meson.build.
 */
#include "bisect.h"
#include "../command.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUILD_SECONDS 1800

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

bool remove_tree(const char *path)
{
    /* A compiler of a bisect that was killed may still be writing there, for a moment. */
    for (unsigned i = 0; i < 40; i++) {
        if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || access(path, F_OK) != 0)
            return true;
        if (errno != ENOTEMPTY && errno != ENOENT)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    complain("%s: cannot be removed: %s", path, strerror(errno));
    return false;
}

/* ---- the core ------------------------------------------------------------------------------------------------------ */

/* nftw() has no argument for us; one revision is built at a time. */
static FILE *ninja;
static char *objects;
static size_t nsources;
static bool odd;

static int source(const char *path, const struct stat *st, int type, struct FTW *at)
{
    size_t n = strlen(path);
    char *longer;

    (void)st;
    (void)at;
    if (type != FTW_F || n < 3 || strcmp(path + n - 2, ".c") != 0)
        return 0;
    /* A name that ninja or a shell would read as something else. */
    if (path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+@")]) {
        odd = true;
        return 0;
    }
    fprintf(ninja, "build %zu.o: compile %s\n", nsources, path);
    longer = format_text("%s %zu.o", objects, nsources++);
    free(objects);
    objects = longer;
    return 0;
}

static bool on_path(const char *name)
{
    const char *path = getenv("PATH");
    bool found = false;

    while (path && *path && !found) {
        size_t n = strcspn(path, ":");
        char *file = format_text("%.*s/%s", (int)n, path, name);

        found = access(file, X_OK) == 0;
        free(file);
        path += n + (path[n] == ':');
    }
    return found;
}

/* work/build.ninja for what lies in work/core. */
static bool write_ninja(const char *work, char why[512])
{
    const char *cc = getenv("CC");
    char *path = format_text("%s/build.ninja", work), *core = format_text("%s/core", work), here[4096];
    bool ok;

    cc = cc && *cc ? cc : "cc";
    ninja = fopen(path, "w");
    objects = format_text("%s", "");
    nsources = 0;
    odd = false;
    ok = ninja && getcwd(here, sizeof here) && chdir(work) == 0;
    if (ok) {
        fprintf(
            ninja,
            "rule compile\n  command = %s%s -std=gnu17 -O1 -w -fPIC -ffreestanding -fno-builtin -fno-strict-aliasing"
            " -Icore/types -Icore/include -Icore -c -o $out $in\n"
            "rule link\n  command = %s -shared -Wl,-Bsymbolic -o $out $in\n",
            !strstr(cc, "ccache") && on_path("ccache") ? "ccache " : "", cc, cc);
        nftw("core", source, 16, FTW_PHYS);
        fprintf(ninja, "build core.so: link%s\n", objects);
        ok = chdir(here) == 0;
    }
    ok = ninja && fclose(ninja) == 0 && ok;
    free(objects);
    if (!ok)
        snprintf(why, 512, "%s: %s", path, strerror(errno));
    else if (nsources == 0 || odd)
        snprintf(why, 512, "its core/ has %s", odd ? "a source with an odd name" : "no sources");
    free(path);
    free(core);
    return ok && nsources && !odd;
}

/* argv in the work folder; its output goes to the log. */
static bool step(const struct bisect *b, const char *id, const char *what, const char *const *argv, char why[512])
{
    int code = program_run(&(struct run){.argv = argv, .folder = b->work, .log = b->log, .seconds = BUILD_SECONDS});

    if (code == RUN_NOT_THERE || code == 127)
        snprintf(why, 512, "%s is not installed", argv[0]);
    else if (code == RUN_NO_FILE)
        snprintf(why, 512, "the compiler's words cannot be kept in %.300s", b->log);
    else if (code)
        snprintf(why, 512, "%.12s %s%s; the compiler's words are in %.300s", id, what,
                 code == RUN_TOO_LONG ? ", for half an hour" : "", b->log);
    return code == 0;
}

static void log_line(const struct bisect *b, const char *id)
{
    FILE *log = fopen(b->log, "a");

    if (log) {
        fprintf(log, "---- %s\n", id);
        fclose(log);
    }
}

bool build_revision(const struct bisect *b, const char *id, char so[4096], char why[512])
{
    static const char *const link[] = {"ninja", "core.so", NULL};
    static const char *const setup[] = {"meson", "setup", "build", "tree", NULL};
    static const char *const build[] = {"ninja", "-C", "build", "tools/faultline", NULL};
    char *tree = format_text("%s/%s", b->work, b->whole ? "tree" : "");
    bool ok;

    snprintf(why, 512, "it cannot be taken out of the repository");
    ok = remove_tree(b->work) && make_folder(b->work) && make_folder(tree) && git_extract(&b->git, id, tree);
    free(tree);
    if (!ok)
        return false;
    why[0] = 0;
    log_line(b, id);
    if (b->whole) {
        snprintf(so, 4096, "%.4000s/build/tools/faultline", b->work);
        return step(b, id, "cannot be configured", setup, why) && step(b, id, "does not compile", build, why);
    }
    snprintf(so, 4096, "%.4000s/core.so", b->work);
    return write_ninja(b->work, why) && step(b, id, "does not compile", link, why);
}
