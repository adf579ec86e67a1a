/* SPDX-License-Identifier: MIT */
/* Annotated source beside a page: made, and its address. */
#include "report.h"

#include "../command.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A path as part of an address. */
static char *escaped(const char *path)
{
    char *text = malloc(3 * strlen(path) + 1), *p = text;

    if (!text) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~/", c);

        p += sprintf(p, plain ? "%c" : "%%%02X", c);
    }
    *p = 0;
    return text;
}

char *source_address(const char *folder, const char *output)
{
    char *index = format_text("%s/index.html", folder), *copy = format_text("%s", output);
    char *page = realpath(dirname(copy), NULL), *whole = realpath(index, NULL), *path, *address = NULL;
    size_t n = page ? strlen(page) : 0;

    if (!whole || access(whole, R_OK) != 0) {
        complain("%s: %s: --source wants the folder that llvm-cov show --format=html wrote", index, strerror(errno));
    } else {
        bool below = page && strncmp(whole, page, n) == 0 && (whole[n] == '/' || strcmp(page, "/") == 0);

        path = escaped(below ? whole + n + (whole[n] == '/') : whole);
        address = format_text("%s%s", below ? "" : "file://", path);
        free(path);
    }
    free(index);
    free(copy);
    free(page);
    free(whole);
    return address;
}

char *source_make(const char *folder)
{
    const char *root = getenv("FAULTLINE_ROOT"), *build = getenv("FAULTLINE_BUILD");
    char *script = format_text("%s/tools/report/source.sh", root ? root : ".");
    char *place = format_text("%s/source", build && *build ? build : "build"), *out = format_text("%s/source", folder);
    int status = 0;
    pid_t child;

    fprintf(stderr, "faultline: building the targets with counters, and replaying the corpora\n");
    child = fork();
    if (child == 0) {
        /* What it says on standard output is not the page. */
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl("/bin/bash", "bash", script, root ? root : ".", place, folder, out, (char *)NULL);
        complain("--source auto: /bin/bash: %s", strerror(errno));
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    free(script);
    free(place);
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return out;
    if (child < 0)
        complain("--source auto: cannot start a process: %s", strerror(errno));
    free(out);
    return NULL;
}
