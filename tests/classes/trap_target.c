/* SPDX-License-Identifier: MIT */
/* A fuzz target that dies of the class that its input names, "check/row": for tests/classes/frames.py. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/trap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[128];
    char *slash;

    if (size >= sizeof name)
        return 0;
    if (size != 0)
        memcpy(name, data, size);
    name[size] = 0;
    slash = strchr(name, '/');
    if (!slash)
        return 0;
    *slash = 0;
    fl_trap(name, slash + 1);
}
