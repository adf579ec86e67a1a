/* SPDX-License-Identifier: MIT */
#include <faultline/core.h>

#include "fault.h"
#include "prefetch.h"
#include "walk.h"

const struct fl_core *fl_core(void)
{
    static const struct fl_core core = {
        .abi = FL_CORE_ABI,
        .name = "faultline",
        .walk = core_walk,
        .permits = core_permits,
        .prefetch = core_prefetch,
        .fault = core_fault,
    };

    return &core;
}
