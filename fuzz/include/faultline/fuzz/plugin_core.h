/* SPDX-License-Identifier: MIT */
/* --core ./libmine.so: somebody else's core, pinning or both, out of a shared object. */
#ifndef FAULTLINE_FUZZ_PLUGIN_CORE_H
#define FAULTLINE_FUZZ_PLUGIN_CORE_H

#include <faultline/core.h>
#include <faultline/gup.h>
#include <stdbool.h>

struct plugin_core {
    void *handle;
    const struct fl_core *core; /* without functions where there is no fl_core() */
    const struct fl_gup *gup;   /* without functions where there is no fl_gup() */
    const char *name;           /* of the core, or else of the pinning */
};

/* Loads path and asks its functions fl_core() and fl_gup(), of which one may be missing, for the vtables. Which functions are
 * in them is for the caller to look at (fl_core_runs, fl_core_lacks). All relocations are done at once, so that the object's data does not change by itself later
 * on. False: why [OUT] is one line that names the file, and says what to do. A path without a slash is taken as one in the
 * current folder. */
bool plugin_core_open(const char *path, struct plugin_core *out, char why[512]);
/* The same for one whose prefetch is asked for. */
bool plugin_core_open_scanner(const char *path, struct plugin_core *out, char why[512]);
void plugin_core_close(struct plugin_core *plugin);

#endif
