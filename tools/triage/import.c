/* SPDX-License-Identifier: MIT */
/* Crash folders of other tools. */
#include "import.h"

#include "internal.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *import_kind_name(enum import_kind kind)
{
    static const char *const names[IMPORT_KINDS] = {"AFL++",       "libFuzzer", "honggfuzz",
                                                    "ClusterFuzz", "scenario",  "other"};

    return (unsigned)kind < IMPORT_KINDS ? names[kind] : "unknown";
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    size_t n = strlen(text), m = strlen(with);

    return n > m && strcmp(text + n - m, with) == 0;
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The target that the last "fl-TARGET", or "TARGET-afl" and "TARGET-libfuzzer", in text names. */
static enum fl_target target_in(const char *text)
{
    static const char *const engines[] = {"-afl", "-libfuzzer"};
    enum fl_target found = FL_TARGET_ALL;

    for (const char *p = text; *p; p++) {
        for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
            const char *name = fl_target_name((enum fl_target)t);
            size_t n = strlen(name);

            if (strncmp(p, name, n) != 0)
                continue;
            if (p >= text + 3 && strncmp(p - 3, "fl-", 3) == 0 && (p == text + 3 || !is_word(p[-4])) &&
                !(is_word(p[n]) && p[n] != '_'))
                found = (enum fl_target)t;
            for (unsigned e = 0; e < 2; e++)
                if ((p == text || p[-1] == '/') && begins(p + n, engines[e]) && !is_word(p[n + strlen(engines[e])]))
                    found = (enum fl_target)t;
        }
    }
    return found;
}

enum fl_target triage_target_of(const char *path)
{
    return target_in(path);
}

static enum import_kind kind_of(const char *base, bool *limit)
{
    static const struct {
        const char *begin, *end;
        enum import_kind kind;
        bool limit;
    } kinds[] = {
        {"id:", "", IMPORT_AFL, false},
        {"id_0", "", IMPORT_AFL, false},
        {"crash-", "", IMPORT_LIBFUZZER, false},
        {"timeout-", "", IMPORT_LIBFUZZER, true},
        {"oom-", "", IMPORT_LIBFUZZER, true},
        {"leak-", "", IMPORT_LIBFUZZER, false},
        {"slow-unit-", "", IMPORT_LIBFUZZER, true},
        {"minimized-from-", "", IMPORT_LIBFUZZER, false},
        {"SIG", ".fuzz", IMPORT_HONGGFUZZ, false},
        {"clusterfuzz-testcase-", "", IMPORT_CLUSTERFUZZ, false},
        {"", ".scn", IMPORT_SCENARIO, false},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (begins(base, kinds[i].begin) && (!kinds[i].end[0] || ends(base, kinds[i].end))) {
            *limit = kinds[i].limit;
            return kinds[i].kind;
        }
    *limit = false;
    return IMPORT_OTHER;
}

/* What engines and people put beside inputs. */
static bool is_beside(const FTSENT *e)
{
    static const char *const names[] = {"README.txt",     "fuzzer_stats", "fuzzer_setup",        "plot_data",
                                        "fuzz_bitmap",    "cmdline",      "is_main_node",        "target_hash",
                                        "fastresume.bin", "lock",         "HONGGFUZZ.REPORT.TXT"};
    static const char *const endings[] = {".md",  ".expect",  ".log", ".dict", ".options",
                                          ".zip", ".profraw", ".o",   ".so"};
    unsigned char head[4] = {0};
    FILE *in;

    if (e->fts_name[0] == '.')
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(e->fts_name, names[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends(e->fts_name, endings[i]))
            return true;
    if (!(e->fts_statp->st_mode & 0111) || !(in = fopen(e->fts_accpath, "rb")))
        return false;
    if (fread(head, 1, sizeof head, in) != sizeof head)
        head[0] = 0;
    fclose(in);
    return memcmp(head, "\177ELF", 4) == 0 || memcmp(head, "#!", 2) == 0;
}

/* ---- folders ------------------------------------------------------------------------------------------------------- */

static bool is_there(const char *folder, const char *name)
{
    char *path = format_text("%s/%s", folder, name);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

enum folder { FOLDER_ANY, FOLDER_AFL, FOLDER_CAMPAIGN };

static enum folder folder_kind(const char *path)
{
    if (store_is_folder(path))
        return FOLDER_CAMPAIGN;
    return is_there(path, "fuzzer_stats") || (is_there(path, "crashes") && is_there(path, "queue")) ? FOLDER_AFL
                                                                                                    : FOLDER_ANY;
}

/* Is the folder e to be entered, which lies in one of that kind? */
static bool is_entered(const FTSENT *e, enum folder parent)
{
    if (e->fts_name[0] == '.')
        return false;
    switch (parent) {
    case FOLDER_AFL: return begins(e->fts_name, "crashes") || begins(e->fts_name, "hangs");
    case FOLDER_CAMPAIGN: return strcmp(e->fts_name, "findings") == 0 || strcmp(e->fts_name, "artifacts") == 0;
    case FOLDER_ANY: break;
    }
    return true;
}

/* Of which target a folder's inputs are, where their names do not tell: engines write down how they were started. */
static enum fl_target target_of_folder(const char *folder)
{
    static const char *const names[] = {"README.txt", "HONGGFUZZ.REPORT.TXT", "../fuzzer_stats", "../cmdline"};
    enum fl_target target = FL_TARGET_ALL;
    char text[8192];

    for (size_t i = 0; i < sizeof names / sizeof names[0] && target == FL_TARGET_ALL; i++) {
        char *path = format_text("%s/%s", folder, names[i]);
        struct stat st;
        FILE *in = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;

        if (in) {
            text[fread(text, 1, sizeof text - 1, in)] = 0;
            target = target_in(text);
            fclose(in);
        }
        free(path);
    }
    return target;
}

static bool add(struct import *import, const FTSENT *e, const char *folder, enum fl_target *of_folder, bool *asked)
{
    struct import_file *f;

    if (import->n == import->room) {
        struct import_file *larger =
            realloc(import->files, (import->room = import->room ? 2 * import->room : 256) * sizeof *larger);

        if (!larger) {
            complain("out of memory for %zu files", import->room);
            return false;
        }
        import->files = larger;
    }
    f = &import->files[import->n++];
    f->path = format_text("%s", e->fts_path);
    f->kind = kind_of(e->fts_name, &f->limit);
    f->target = triage_target_of(f->path);
    if (f->kind == IMPORT_AFL && strstr(f->path, "/hangs"))
        f->limit = true;
    /* A text says everything that there is to judge, and a name that says nothing is of whatever lies around. */
    if (f->kind == IMPORT_SCENARIO) {
        f->target = FL_TARGET_ALL;
    } else if (f->target == FL_TARGET_ALL) {
        if (!*asked)
            *of_folder = target_of_folder(folder);
        *asked = true;
        f->target = *of_folder;
    }
    return true;
}

static bool walk(FTS *tree, struct import *import)
{
    enum fl_target of_folder = FL_TARGET_ALL;
    bool asked = false, ok = true;
    char *folder = NULL;
    FTSENT *e;

    while (ok && (errno = 0, e = fts_read(tree))) {
        switch (e->fts_info) {
        case FTS_D:
            /* fts_number of a folder: what it is. */
            if (e->fts_level > 0 && !is_entered(e, (enum folder)e->fts_parent->fts_number))
                fts_set(tree, e, FTS_SKIP);
            else
                e->fts_number = folder_kind(e->fts_path);
            break;
        case FTS_F:
            if (e->fts_level > 0 && (is_beside(e) || e->fts_parent->fts_number != FOLDER_ANY)) {
                import->left_out++;
                break;
            }
            if (!folder || strlen(folder) != (size_t)(e->fts_pathlen - e->fts_namelen) ||
                strncmp(folder, e->fts_path, strlen(folder)) != 0) {
                free(folder);
                folder = format_text("%.*s", (int)(e->fts_pathlen - e->fts_namelen), e->fts_path);
                asked = false;
            }
            ok = add(import, e, folder[0] ? folder : ".", &of_folder, &asked);
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            complain("%s: %s", e->fts_path, strerror(e->fts_errno));
            import->unreadable++;
            break;
        default: break; /* links, pipes and devices in folders are no inputs */
        }
    }
    free(folder);
    return ok;
}

bool import_find(char *const *paths, size_t n, struct import *out)
{
    bool ok = true;

    memset(out, 0, sizeof *out);
    /* One by one: fts mixes up the order of several. */
    for (size_t i = 0; ok && i < n; i++) {
        char *const one[] = {paths[i], NULL};
        FTS *tree = fts_open(one, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, NULL);

        if (!tree) {
            complain("%s: %s", paths[i], strerror(errno));
            out->unreadable++;
            continue;
        }
        ok = walk(tree, out);
        fts_close(tree);
    }
    return ok;
}

void import_free(struct import *import)
{
    for (size_t i = 0; i < import->n; i++)
        free(import->files[i].path);
    free(import->files);
}

bool import_read(const struct import_file *file, struct fl_scenario *out)
{
    static const char magic[] = "faultline-scenario";
    uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    FILE *in;
    size_t size;
    bool ok;

    if (file->kind == IMPORT_SCENARIO)
        return load_scenario(file->path, out);
    in = fopen(file->path, "rb");
    size = in ? fread(bytes, 1, sizeof bytes, in) : 0;
    ok = in && !ferror(in);
    if (!ok)
        complain("%s: %s", file->path, strerror(errno));
    if (in)
        fclose(in);
    if (!ok)
        return false;
    /* Bytes of an engine are bytes, whatever they look like. */
    if (file->kind == IMPORT_OTHER && size >= sizeof magic - 1 && memcmp(bytes, magic, sizeof magic - 1) == 0)
        return load_scenario(file->path, out);
    fl_scenario_decode(bytes, size, out);
    return true;
}
