/* SPDX-License-Identifier: MIT */
#ifndef FAULTLINE_TESTS_SEEN_H
#define FAULTLINE_TESTS_SEEN_H

#include "check.h"

/* Each of counts[from..to] is above zero; `where` of the caller says what should have counted. */
#define SEEN(counts, from, to)                                                                                         \
    do {                                                                                                               \
        for (unsigned seen_i = (from); seen_i <= (to); seen_i++)                                                       \
            CHECK((counts)[seen_i] != 0, "%s[%u] never seen by %s", #counts, seen_i, where);                           \
    } while (0)

#endif
