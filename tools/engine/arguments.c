/* SPDX-License-Identifier: MIT */
/* What the commands that drive engines read in the same way from their command lines. */
#include "engine.h"

#include "../command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

unsigned engine_argument_number(const char *text, unsigned low, unsigned high, const char *what,
                                struct argp_state *state)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < low || value > high)
        argp_error(state, "%s: \"%.40s\" is not a whole number from %u to %u", what, text, low, high);
    return (unsigned)value;
}

void engine_argument_targets(bool target[FL_TARGET_COUNT], const char *text, struct argp_state *state)
{
    char *copy = format_text("%s", text), *rest = copy, *name;

    while ((name = strsep(&rest, ","))) {
        unsigned t = 0;

        while (t < FL_TARGET_COUNT && strcmp(name, fl_target_name((enum fl_target)t)) != 0)
            t++;
        if (t == FL_TARGET_COUNT)
            argp_error(state, "no target \"%.40s\": " FL_TARGET_LIST " or all", name);
        else if (t == FL_TARGET_ALL)
            for (unsigned i = 0; i < FL_TARGET_ALL; i++)
                target[i] = true;
        else
            target[t] = true;
    }
    free(copy);
}

void engine_argument_engines(bool engine[ENGINE_COUNT], const char *text, struct argp_state *state)
{
    engine[ENGINE_LIBFUZZER] = strcmp(text, "libfuzzer") == 0 || strcmp(text, "both") == 0;
    engine[ENGINE_AFL] = strcmp(text, "afl") == 0 || strcmp(text, "both") == 0;
    if (!engine[ENGINE_LIBFUZZER] && !engine[ENGINE_AFL])
        argp_error(state, "no engine \"%.40s\": libfuzzer, afl or both", text);
}
