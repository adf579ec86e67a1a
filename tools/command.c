/* SPDX-License-Identifier: MIT */
/* What the subcommands share: messages, files, folders. */
#define XXH_INLINE_ALL
#include "command.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define MAX_TEXT_BYTES (4u << 20)

void complain(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fputs("faultline: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int finish_output(int code)
{
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "faultline: cannot write to standard output: %s\n", errno ? strerror(errno) : "write error");
        return EXIT_INPUT;
    }
    return code;
}

char *format_text(const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) {
        fprintf(stderr, "faultline: out of memory\n");
        exit(EXIT_INTERNAL);
    }
    va_end(args);
    return text;
}

char *read_text(const char *path, size_t *size)
{
    char *data;
    FILE *in = fopen(path, "rb");
    struct stat st;

    if (!in || fstat(fileno(in), &st) != 0) {
        complain("%s: %s", path, strerror(errno));
        goto fail;
    }
    if (S_ISDIR(st.st_mode)) {
        complain("%s: is a folder, a file is needed here", path);
        goto fail;
    }
    data = malloc(MAX_TEXT_BYTES + 2);
    if (!data) {
        complain("%s: out of memory", path);
        goto fail;
    }
    *size = fread(data, 1, MAX_TEXT_BYTES + 1, in);
    if (ferror(in) || *size > MAX_TEXT_BYTES) {
        complain("%s: %s", path, ferror(in) ? strerror(errno) : "larger than 4 MiB: not a scenario");
        free(data);
        goto fail;
    }
    data[*size] = 0;
    fclose(in);
    return data;
fail:
    if (in)
        fclose(in);
    return NULL;
}

bool load_scenario(const char *path, struct fl_scenario *out)
{
    static const char magic[] = "faultline-scenario";
    size_t size, length = strlen(path);
    char *data = read_text(path, &size);
    struct fl_text_error error;
    bool ok = true;

    if (!data)
        return false;
    if ((length > 4 && strcmp(path + length - 4, ".scn") == 0) ||
        (size >= sizeof magic - 1 && memcmp(data, magic, sizeof magic - 1) == 0)) {
        ok = fl_scenario_parse(data, size, out, &error);
        if (!ok)
            complain("%s:%u:%u: %s", path, error.line, error.column, error.message);
    } else {
        fl_scenario_decode((const uint8_t *)data, size, out);
    }
    free(data);
    return ok;
}

enum fl_target target_of_text(const char *text, size_t size)
{
    static const char magic[] = "faultline-scenario", word[] = "\n# target: ";
    const char *at;

    if (size < sizeof magic - 1 || memcmp(text, magic, sizeof magic - 1) != 0 || !(at = strstr(text, word)))
        return FL_TARGET_ALL;
    at += sizeof word - 1;
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++) {
        const char *name = fl_target_name((enum fl_target)t);
        size_t n = strlen(name);

        if (strncmp(at, name, n) == 0 && strchr(" \r\n", at[n]))
            return (enum fl_target)t;
    }
    return FL_TARGET_ALL;
}

const char *core_of(const char *option)
{
    const char *core = option ? option : getenv("FAULTLINE_CORE");

    return core && *core ? core : NULL;
}

char *shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,+@%=";
    size_t n = 0, quotes = 0;
    char *word, *to;

    for (; text[n]; n++)
        quotes += text[n] == '\'';
    if (n && strspn(text, plain) == n)
        return format_text("%s", text);
    to = word = malloc(n + 3 * quotes + 3);
    if (!word) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    *to++ = '\'';
    for (; *text; text++) {
        if (*text == '\'')
            to = stpcpy(to, "'\\'");
        *to++ = *text;
    }
    *to++ = '\'';
    *to = 0;
    return word;
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.' && !ends_in(e->d_name, ".md") && !ends_in(e->d_name, ".expect");
}

static bool walk_path(const char *path, bool (*each)(const char *path, void *ctx), void *ctx)
{
    struct dirent **entries;
    struct stat st;
    bool ok = true;
    int n;

    if (stat(path, &st) != 0) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode))
        return each(path, ctx);
    n = scandir(path, &entries, visible, alphasort);
    if (n < 0) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    for (int i = 0; i < n; i++) {
        char *child = format_text("%s/%s", path, entries[i]->d_name);

        ok = ok && walk_path(child, each, ctx);
        free(child);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

bool for_each_file(char *const *paths, size_t n, bool (*each)(const char *path, void *ctx), void *ctx)
{
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        ok = walk_path(paths[i], each, ctx) && ok;
    return ok;
}

static bool write_fully(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return true;
}

/* So that the new name survives a power cut as well. Some file systems cannot: what they do is all there is. */
static void sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? format_text("%.*s", (int)(slash - path + (slash == path)), path) : format_text(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    free(folder);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

bool write_atomically(const char *path, const void *data, size_t size)
{
    char *temporary = format_text("%s.tmp-%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), saved;
    bool ok = fd >= 0 && write_fully(fd, data, size) && fsync(fd) == 0;

    saved = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        saved = errno;
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        saved = errno;
    }
    if (!ok) {
        complain("%s: cannot write: %s", path, strerror(saved));
        if (fd >= 0)
            unlink(temporary);
    } else {
        sync_folder_of(path);
    }
    free(temporary);
    errno = saved;
    return ok;
}

bool make_folder(const char *path)
{
    char *copy = format_text("%s", path);
    bool ok = true;

    for (char *p = copy + 1; ok && *p; p++) {
        if (*p == '/') {
            *p = 0;
            ok = mkdir(copy, 0777) == 0 || errno == EEXIST;
            *p = '/';
        }
    }
    ok = ok && (mkdir(copy, 0777) == 0 || errno == EEXIST);
    if (!ok)
        complain("%s: cannot make this folder: %s", path, strerror(errno));
    free(copy);
    return ok;
}

double monotonic_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double processor_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec t;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

const char *brief_number(double n, char buf[24])
{
    static const char units[] = " kMGTP";
    unsigned u = 0;

    while (n >= 999.5 && units[u + 1]) {
        n /= 1000;
        u++;
    }
    if (u == 0)
        snprintf(buf, 24, "%.0f", n);
    else
        snprintf(buf, 24, "%.*f%c", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n, units[u]);
    return buf;
}

void *grow_array(void *array, size_t n, size_t size)
{
    void *more;

    if (n & (n - 1)) /* only at 0, 1, 2, 4, 8, ... is it full */
        return array;
    more = realloc(array, (n ? 2 * n : 1) * size);
    if (!more) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    return more;
}

void key_slug(const char *key, char out[240])
{
    bool plain = true; /* two keys that differ only in what is replaced would share a name */
    size_t n = 0;

    for (const char *p = key; *p && n < 220; p++) {
        bool keeps = isalnum((unsigned char)*p) || *p == '-';

        plain &= keeps || *p == '/';
        out[n++] = keeps ? *p : '_';
    }
    out[n] = 0;
    if (!plain || strlen(key) > 220)
        snprintf(out + n, 240 - n, "-%08" PRIx32, (uint32_t)XXH3_64bits(key, strlen(key)));
}
