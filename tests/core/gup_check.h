/* SPDX-License-Identifier: MIT */
/* What every test of pinning asks of the fake world after a call, and the call of follow. */
#ifndef FAULTLINE_TESTS_CORE_GUP_CHECK_H
#define FAULTLINE_TESTS_CORE_GUP_CHECK_H

#include "check.h"
#include "gup_fake.h"

static struct gup_fake k; /* too large for a stack */

/* Every lock is as it was, no op was misused, and the calls were these. */
static inline void check_world(const char *what, bool mm_held, const char *trace)
{
    CHECK(!k.misuse, "%s: %s", what, k.misuse);
    CHECK(!k.ptl_held && !k.irq_off && !k.page_lock && !k.devices, "%s: something is still held", what);
    CHECK_EQ(k.mm_held, mm_held, "%s: the mm lock", what);
    CHECK(strcmp(k.trace, trace) == 0, "%s: calls %s, expected %s", what, k.trace, trace);
}

#endif
