/* SPDX-License-Identifier: MIT */
/* The vtable of this tree's core: see <faultline/core.h>. */
#include <faultline/core.h>

#include "fault.h"
#include "prefetch.h"
#include "vmalloc.h"
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
        .vmalloc_fault = core_vmalloc_fault,
        .sync_all = core_sync_all,
        .p3_sync = core_p3_sync,
    };

    return &core;
}
