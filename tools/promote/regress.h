/* SPDX-License-Identifier: MIT */
/* faultline repro --regressions: holds folders of regressions against a core. */
#ifndef FAULTLINE_TOOLS_REGRESS_H
#define FAULTLINE_TOOLS_REGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct regress_options {
    const char *core; /* shared object; NULL: the one in this tree */
    bool executor, quiet, json;
};

/* Each scenario of the folders (or .scn files; none: the default folder) has to replay clean, whatever its state, and its
 * events have to end as the .expect beside it says. What does not is told by number, title and story. Answers an exit
 * code: 1 when any did not, 2 when a file could not be read or nothing was judged. */
int regress_run(char *const *paths, size_t n, const struct regress_options *options);

#endif
