/* SPDX-License-Identifier: MIT */
#ifndef FAULTLINE_TESTS_POLICY_KEY_H
#define FAULTLINE_TESTS_POLICY_KEY_H

#include "check.h"

#include <faultline/oracle/compare.h>

/* The divergence has this key, and a detail that fits. */
static inline void expect_key(const struct fl_divergence *d, const char *key, const char *what)
{
    char buf[160];
    size_t n = fl_divergence_key(d, buf, sizeof buf);
    CHECK(!strcmp(buf, key), "%s: key %s, expected %s", what, buf, key);
    CHECK_EQ(n, strlen(key), "%s: length of key", what);
    CHECK(d->detail[0] != '\0' && strlen(d->detail) < sizeof d->detail, "%s: detail", what);
}

#endif
