/* SPDX-License-Identifier: MIT */
/*
 * .expect files: the lines of `faultline repro --endings`, one for each event that ends in some way. Comments and empty
 * lines are left out. "# incomplete: why" as the first line: from some record on nobody knows yet, since the scenario
 * diverged there.
 */
#include "corpus.h"
#include "../command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INCOMPLETE "# incomplete:"

char *expect_complete(const char *endings, size_t *size)
{
    char *text =
        *endings
            ? format_text("%s", endings)
            : format_text("# No event here has an ending of its own: what it is held to is that nothing diverges.\n");

    *size = strlen(text);
    return text;
}

char *expect_incomplete(const char *endings, unsigned record, const char *why, size_t *size)
{
    const char *p = endings;
    unsigned at;
    char *text;

    while (sscanf(p, "record %u:", &at) == 1 && at <= record && strchr(p, '\n'))
        p = strchr(p, '\n') + 1;
    text = format_text(INCOMPLETE " %s\n%.*s", why, (int)(p - endings), endings);
    *size = strlen(text);
    return text;
}

/* The next line that says something, into line; false at the end. */
static bool next(const char **p, char line[300])
{
    while (**p) {
        size_t n = strcspn(*p, "\r\n");
        const char *at = *p;

        *p += strcspn(*p, "\n");
        *p += **p == '\n';
        if (n && *at != '#') {
            snprintf(line, 300, "%.*s", (int)n, at);
            return true;
        }
    }
    snprintf(line, 300, "nothing more");
    return false;
}

enum expected expect_compare(const char *path, const char *endings, struct comparison *out)
{
    const char *e, *a = endings;
    size_t size;
    char *text;
    bool incomplete, more;

    *out = (struct comparison){0};
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return EXPECTED_MISSING;
    text = read_text(path, &size);
    if (!text)
        return EXPECTED_BROKEN;
    if (!size || strlen(text) != size) {
        complain("%s: %s", path,
                 size ? "has NUL bytes: not a text" : "is empty; faultline promote --advance writes it anew");
        free(text);
        return EXPECTED_BROKEN;
    }
    incomplete = strncmp(text, INCOMPLETE, strlen(INCOMPLETE)) == 0;
    for (e = text;;) {
        bool wanted = next(&e, out->expected);

        if (!wanted && incomplete)
            break;
        more = next(&a, out->actual);
        if (wanted != more || strcmp(out->expected, out->actual) != 0) {
            free(text);
            return EXPECTED_OTHER;
        }
        if (!wanted)
            break;
        out->lines++;
    }
    free(text);
    return incomplete ? EXPECTED_PREFIX : EXPECTED_SAME;
}
