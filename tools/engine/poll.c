/* SPDX-License-Identifier: MIT */
/* What an engine's own files, and its end, say. */
#include "engine.h"

#include "../command.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIBFUZZER_CRASH 77 /* libFuzzer's exit code after it wrote an artifact (-error_exitcode) */

/* "#1234 NEW cov: 88 ft: 120 corp: 5/1Kb ..." */
static void poll_libfuzzer(const struct engine_run *run, struct engine_says *says)
{
    char chunk[8193], *line;
    int fd = open(run->log, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return;
    while ((n = pread(fd, chunk, sizeof chunk - 1, (off_t)says->log_read)) > 0) {
        size_t used = 0;
        char *end;

        chunk[n] = 0;
        for (line = chunk; (end = memchr(line, '\n', (size_t)(chunk + n - line))); line = end + 1) {
            const char *cov, *ft, *corp;

            *end = 0;
            /* No "cov:" when nothing that runs is instrumented (a foreign core): then features are all there is. */
            if (line[0] == '#' && (corp = strstr(line, " corp: "))) {
                says->corpus = strtoull(corp + 7, NULL, 10);
                if ((cov = strstr(line, " cov: ")))
                    says->coverage = strtoull(cov + 6, NULL, 10);
                if ((ft = strstr(line, " ft: ")))
                    says->features = strtoull(ft + 5, NULL, 10);
            }
            used = (size_t)(end + 1 - chunk);
        }
        if (used == 0) { /* a partial line at the end waits; an overlong one is passed over */
            if ((size_t)n < sizeof chunk - 1)
                break;
            used = (size_t)n;
        }
        says->log_read += used;
    }
    close(fd);
}

static void poll_afl(const struct engine_run *run, struct engine_says *says)
{
    char line[512], *path = format_text("%s/%s/fuzzer_stats", run->sync, run->role);
    FILE *in = fopen(path, "r");

    free(path);
    if (!in)
        return;
    while (fgets(line, sizeof line, in)) {
        const char *value = strchr(line, ':');

        if (value && strncmp(line, "edges_found ", 12) == 0)
            says->coverage = says->features = strtoull(value + 1, NULL, 10);
        if (value && strncmp(line, "corpus_count ", 13) == 0)
            says->corpus = strtoull(value + 1, NULL, 10);
    }
    fclose(in);
}

void engine_poll(const struct engine_run *run, struct engine_says *says)
{
    if (run->engine == ENGINE_LIBFUZZER)
        poll_libfuzzer(run, says);
    else
        poll_afl(run, says);
}

bool engine_ended_well(const struct engine_run *run, int status, char why[200])
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (run->engine == ENGINE_LIBFUZZER && WIFEXITED(status) && WEXITSTATUS(status) == LIBFUZZER_CRASH)
        snprintf(why, 200, "found something, but left no input (is the disk full?)");
    else if (WIFEXITED(status))
        snprintf(why, 200, "ended with exit code %d", WEXITSTATUS(status));
    else
        snprintf(why, 200, "was ended by signal %d", WTERMSIG(status));
    return false;
}

void engine_last_words(const char *log, char *out, size_t size)
{
    char tail[2048], *line = NULL, *end;
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    off_t length = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    ssize_t n =
        fd >= 0 ? pread(fd, tail, sizeof tail - 1, length > (off_t)sizeof tail ? length - (off_t)sizeof tail : 0) : 0;

    if (fd >= 0)
        close(fd);
    tail[n > 0 ? n : 0] = 0;
    for (char *p = tail; (p = strstr(p, "faultline: ")); p++)
        line = p;
    if (!line) {
        while (n > 0 && tail[n - 1] == '\n')
            tail[--n] = 0;
        line = strrchr(tail, '\n');
        line = line ? line + 1 : tail;
    }
    if ((end = strchr(line, '\n')))
        *end = 0;
    snprintf(out, size, "%s", line);
}
