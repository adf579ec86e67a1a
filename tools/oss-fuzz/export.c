/* SPDX-License-Identifier: MIT */
/*
 * What a fuzzing service wants beside a target: seeds as fuzz bytes, a dictionary, options. Built by build.sh with the
 * targets, from the same codec, so that none of it can be out of date.
 */
#include "../command.h"

#include "dictionary.h"

#include <faultline/fuzz/judge.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: fl-export seeds TARGET DIR SCENARIO...   those with events of that target, as fuzz bytes\n"
    "       fl-export dict TARGET\n"
    "       fl-export options TARGET\n";

struct seeds {
    enum fl_target target;
    const char *folder;
    unsigned written;
};

static bool judges_any(enum fl_target target, const struct fl_scenario *s)
{
    for (uint32_t i = 0; i < s->nrecords; i++)
        if (fl_target_judges(target, (enum fl_record_kind)s->records[i].kind))
            return true;
    return false;
}

/* corpus/seeds/NAME.scn becomes seeds-NAME: names of two folders may be the same. */
static char *seed_name(const struct seeds *seeds, const char *path)
{
    const char *base = strrchr(path, '/'), *folder = base;
    int length;

    base = base ? base + 1 : path;
    while (folder && folder > path && folder[-1] != '/')
        folder--;
    length = (int)strlen(base);
    if (length > 4 && strcmp(base + length - 4, ".scn") == 0)
        length -= 4;
    if (!folder)
        return format_text("%s/%.*s", seeds->folder, length, base);
    return format_text("%s/%.*s-%.*s", seeds->folder, (int)(base - 1 - folder), folder, length, base);
}

static bool export_seed(const char *path, void *ctx)
{
    static struct fl_scenario scenario;
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    struct seeds *seeds = ctx;
    char *out;
    bool ok;

    if (!load_scenario(path, &scenario))
        return false;
    if (!judges_any(seeds->target, &scenario))
        return true;
    out = seed_name(seeds, path);
    ok = write_atomically(out, bytes, fl_scenario_encode(&scenario, bytes, sizeof bytes));
    seeds->written += ok;
    free(out);
    return ok;
}

/* The traps of fuzz/engine/trap.c are to be reported with a stack, whichever sanitizer is there. */
static void print_options(void)
{
    printf("[libfuzzer]\nmax_len = %d\ntimeout = 25\n", FL_SCENARIO_MAX_BYTES);
    printf("\n[asan]\nhandle_sigill = 1\n\n[msan]\nhandle_sigill = 1\n\n[ubsan]\nhandle_sigill = 1\n");
}

static bool find_target(const char *name, enum fl_target *out)
{
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        if (strcmp(name, fl_target_name((enum fl_target)t)) == 0) {
            *out = (enum fl_target)t;
            return true;
        }
    complain("there is no target %s; targets are " FL_TARGET_LIST, name);
    return false;
}

int main(int argc, char **argv)
{
    struct seeds seeds = {0};

    if (argc < 3) {
        fputs(usage, stderr);
        return EXIT_INPUT;
    }
    if (!find_target(argv[2], &seeds.target))
        return EXIT_INPUT;
    if (argc == 3 && strcmp(argv[1], "dict") == 0) {
        dictionary_print(seeds.target, stdout);
        return finish_output(EXIT_CLEAN);
    }
    if (argc == 3 && strcmp(argv[1], "options") == 0) {
        print_options();
        return finish_output(EXIT_CLEAN);
    }
    if (argc < 5 || strcmp(argv[1], "seeds") != 0) {
        fputs(usage, stderr);
        return EXIT_INPUT;
    }
    seeds.folder = argv[3];
    if (!make_folder(seeds.folder) || !for_each_file(argv + 4, (size_t)argc - 4, export_seed, &seeds))
        return EXIT_INPUT;
    if (seeds.written == 0) {
        complain("none of these scenarios has an event of target %s", argv[2]);
        return EXIT_INPUT;
    }
    printf("%s: %u seeds\n", argv[2], seeds.written);
    return finish_output(EXIT_CLEAN);
}
