/* SPDX-License-Identifier: MIT */
/*
 * Chart.js (MIT), as the system has it. It is looked for when a page is made, not when Faultline is built, so that who installs
 * it has pictures at once.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (4u << 20)

/* Debian's libjs-chart.js and node-chart.js, versions 3 and 4. */
static const char *const places[] = {
    "/usr/share/javascript/chart.js/chart.min.js",       "/usr/share/javascript/chart.js/chart.umd.min.js",
    "/usr/share/javascript/chart.js/chart.umd.js",       "/usr/share/nodejs/chart.js/dist/chart.min.js",
    "/usr/share/nodejs/chart.js/dist/chart.umd.js",      "/usr/local/share/javascript/chart.js/chart.min.js",
    "/usr/local/share/javascript/chart.js/chart.umd.js",
};

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    char *text = in ? malloc(MOST_BYTES + 1) : NULL;
    size_t n = text ? fread(text, 1, MOST_BYTES + 1, in) : 0;
    bool good = text && n > 0 && n <= MOST_BYTES && !ferror(in) && !memchr(text, 0, n);

    if (in)
        fclose(in);
    if (!good) {
        free(text);
        return NULL;
    }
    text[n] = 0;
    return text;
}

char *library_read(void)
{
    const char *chosen = getenv("FAULTLINE_CHART_JS");
    char *text = NULL, *map;

    if (chosen)
        text = read_file(chosen);
    for (size_t i = 0; !chosen && !text && i < sizeof places / sizeof places[0]; i++)
        text = read_file(places[i]);
    if (!text)
        return NULL;
    /* What would end the element that it is put into; and another file of its own. */
    if (strcasestr(text, "</script") || strstr(text, "<!--") || !strstr(text, "Chart")) {
        free(text);
        return NULL;
    }
    if ((map = strstr(text, "\n//# sourceMappingURL")))
        map[1] = 0;
    return text;
}
