/* SPDX-License-Identifier: MIT */
/* What the tests of the reports share. */
#ifndef FAULTLINE_TESTS_CORE_REPORT_CHECK_H
#define FAULTLINE_TESTS_CORE_REPORT_CHECK_H

#include "report.h"

#include "check.h"
#include "fake.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

typedef void report_fn(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx);

/* What was logged is that text, and no op was called where it may not be. */
static inline void check_log(const struct fake *k, const char *want, const char *name)
{
    CHECK(k->nlog == strlen(want) && strcmp(k->log, want) == 0, "%s:\n  logged   \"%s\"\n  expected \"%s\"", name,
          k->log, want);
    CHECK(!k->misuse && !k->locked, "%s: %s", name, k->misuse ? k->misuse : "the lock was not dropped");
}

static inline void check_trace(const struct fake *k, const char *want, const char *name)
{
    CHECK(strcmp(k->trace, want) == 0, "%s: called %s, expected %s", name, k->trace, want);
}

/* A kernel with that word. */
static inline struct fl_fault fault_of(unsigned word)
{
    return word == 8 ? fake_fault() : fake_fault32(FL_MODE_2LEVEL);
}

#endif
