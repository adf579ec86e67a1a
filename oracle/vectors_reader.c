/* SPDX-License-Identifier: MIT */
/* Streams walk vectors from a plain or gzip-compressed file; zlib tells the two apart. */
#include <faultline/oracle/vectors.h>

#include "vectors_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define VERSION_MARK "# walk-vectors "
#define VERSION      "1"

struct fl_vectors {
    gzFile file;
    uint64_t line;       /* of the line in text */
    size_t length;       /* of it */
    size_t next, filled; /* what of chunk is still to be read */
    bool at_end;         /* of the file's data */
    bool over;           /* the final answer was given: status and error below hold it */
    enum fl_status status;
    struct fl_vectors_error error;
    char text[FL_VECTOR_MAX_LINE + 1];
    char chunk[65536];
};

static void whole_file(struct fl_vectors_error *error, const char *text, const char *why)
{
    memset(error, 0, sizeof *error);
    snprintf(error->text, sizeof error->text, "%s%s%s", text, why ? ": " : "", why ? why : "");
}

enum fl_status fl_vectors_open(const char *path, struct fl_vectors **out, struct fl_vectors_error *error)
{
    struct fl_vectors *v = NULL;
    struct stat st;
    int fd;

    if (!path || !out || !error)
        return FL_INVALID;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        whole_file(error, "cannot open", strerror(errno));
        if (fd >= 0)
            close(fd);
        return FL_FAILED;
    }
    if (S_ISDIR(st.st_mode)) {
        whole_file(error, "a file expected, found a folder", NULL);
        close(fd);
        return FL_FAILED;
    }
    v = calloc(1, sizeof *v);
    if (v)
        v->file = gzdopen(fd, "rb");
    if (!v || !v->file) {
        whole_file(error, "out of memory", NULL);
        free(v);
        close(fd);
        return FL_NO_MEMORY;
    }
    *out = v;
    return FL_OK;
}

void fl_vectors_close(struct fl_vectors *v)
{
    if (!v)
        return;
    gzclose_r(v->file);
    free(v);
}

static bool fill(struct fl_vectors *v)
{
    int n = gzread(v->file, v->chunk, sizeof v->chunk);
    int why = Z_OK;

    v->next = 0;
    v->filled = n > 0 ? (size_t)n : 0;
    if (n > 0)
        return true;
    v->at_end = true;
    gzerror(v->file, &why);
    if (n == 0 && why == Z_OK)
        return true;
    v->status = why == Z_MEM_ERROR ? FL_NO_MEMORY : FL_FAILED;
    /* A stream that is cut off gives what it has first; Z_BUF_ERROR then stands instead of the end. */
    switch (why) {
    case Z_BUF_ERROR: whole_file(&v->error, "a whole gzip stream expected, found one that is cut off", NULL); break;
    case Z_MEM_ERROR: whole_file(&v->error, "out of memory", NULL); break;
    case Z_ERRNO: whole_file(&v->error, "cannot read", strerror(errno)); break;
    default: whole_file(&v->error, "a whole gzip stream expected, found a damaged one", NULL); break;
    }
    return false;
}

/* The next line into text, without its line feed. False: the end of the file, or an error in status. */
static bool next_line(struct fl_vectors *v)
{
    bool some = false;

    v->length = 0;
    v->line++;
    for (;;) {
        const char *start, *feed;
        size_t n;

        if (v->next == v->filled) {
            if (!v->at_end && !fill(v))
                return false;
            if (v->at_end)
                return some;
        }
        some = true;
        start = v->chunk + v->next;
        feed = memchr(start, '\n', v->filled - v->next);
        n = feed ? (size_t)(feed - start) : v->filled - v->next;
        if (n > FL_VECTOR_MAX_LINE - v->length) {
            v->status = FL_INVALID;
            v->error.line = v->line;
            v->error.column = FL_VECTOR_MAX_LINE + 1;
            snprintf(v->error.text, sizeof v->error.text, "line: at most %d bytes expected", FL_VECTOR_MAX_LINE);
            return false;
        }
        memcpy(v->text + v->length, start, n);
        v->length += n;
        v->next += n;
        if (feed) {
            v->next++;
            return true;
        }
    }
}

/* The first line may say which version of the format follows; a comment that does not say so is a comment. */
static bool version_fits(struct fl_vectors *v)
{
    size_t mark = strlen(VERSION_MARK), version = strlen(VERSION), n = mark;

    if (v->length < mark || memcmp(v->text, VERSION_MARK, mark) != 0)
        return true;
    while (n < v->length && v->text[n] != ':' && v->text[n] != ' ' && v->text[n] != '\r')
        n++;
    if (n - mark == version && memcmp(v->text + mark, VERSION, version) == 0)
        return true;
    v->status = FL_INVALID;
    v->error.line = v->line;
    v->error.column = (uint32_t)mark + 1;
    snprintf(v->error.text, sizeof v->error.text, "walk-vectors version " VERSION " expected");
    return false;
}

/* Takes away a comment and the spaces (and the carriage return) before it or before the end of the line. */
static void strip(struct fl_vectors *v)
{
    const char *comment = memchr(v->text, '#', v->length);

    if (comment)
        v->length = (size_t)(comment - v->text);
    while (v->length > 0 && (v->text[v->length - 1] == ' ' || v->text[v->length - 1] == '\r'))
        v->length--;
}

/* The next line that holds a vector. False: no more, or an error in status. */
static bool next_vector_line(struct fl_vectors *v)
{
    while (next_line(v)) {
        if (v->line == 1 && !version_fits(v))
            return false;
        strip(v);
        if (v->length > 0)
            return true;
    }
    return false;
}

enum fl_status fl_vectors_next(struct fl_vectors *v, struct fl_vector *out, bool *end, struct fl_vectors_error *error)
{
    struct fl_vector vector = {0};

    if (!v || !out || !end || !error)
        return FL_INVALID;
    if (!v->over && next_vector_line(v)) {
        vector.line = v->line;
        if (fl_vector_parse(v->text, v->length, &vector, &v->error.column, v->error.text, sizeof v->error.text)) {
            *out = vector;
            *end = false;
            return FL_OK;
        }
        v->status = FL_INVALID;
        v->error.line = v->line;
    }
    v->over = true;
    if (v->status == FL_OK)
        *end = true;
    else
        *error = v->error;
    return v->status;
}
