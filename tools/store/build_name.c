/* SPDX-License-Identifier: MIT */
/* What the running build is called. */
#define XXH_INLINE_ALL
#include "store.h"
#include "build_id.h" /* FAULTLINE_COMMIT: "e6f1ac2", "e6f1ac2+" (with changes), "none" (no repository) */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

/* 0: it cannot be read. */
static uint32_t digest_of(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    XXH3_state_t state;
    char part[1 << 14];
    ssize_t n;

    if (fd < 0)
        return 0;
    XXH3_64bits_reset(&state);
    while ((n = read(fd, part, sizeof part)) > 0)
        XXH3_64bits_update(&state, part, (size_t)n);
    close(fd);
    return n < 0 ? 0 : (uint32_t)XXH3_64bits_digest(&state);
}

void build_name(const char *core, char out[STORE_BUILD])
{
    const char *commit = strcmp(FAULTLINE_COMMIT, "none") == 0 ? "" : FAULTLINE_COMMIT;
    static char own[STORE_BUILD];
    const char *base = core ? strrchr(core, '/') : NULL;

    if (!own[0]) {
        size_t n = strlen(commit);

        if (n && commit[n - 1] != '+')
            snprintf(own, sizeof own, "%s", commit);
        else
            snprintf(own, sizeof own, "%.*s%c%08" PRIx32, (int)(n ? n - 1 : 0), commit, n ? '+' : '-',
                     digest_of("/proc/self/exe"));
    }
    if (core)
        snprintf(out, STORE_BUILD, "%.40s/%.40s@%08" PRIx32, own, base ? base + 1 : core, digest_of(core));
    else
        memcpy(out, own, sizeof own);
}
