/* SPDX-License-Identifier: MIT */
/* The paging modes as the kernel half sees them, for its tests. */
#ifndef FAULTLINE_TESTS_WORLD_KERNEL_KINDS_H
#define FAULTLINE_TESTS_WORLD_KERNEL_KINDS_H

#include "fixture.h"

/* The modes, PAE twice. */
enum { KINDS = 5 };
static const struct {
    const char *name;
    unsigned mode;
    bool shared_pmd;
    unsigned top_shift, private_shift; /* of the top level; of the level that is not shared */
} kinds[KINDS] = {
    {"2level", FL_MODE_2LEVEL, true, 22, 22}, {"pae, shared", FL_MODE_PAE, true, 30, 21},
    {"pae, own", FL_MODE_PAE, false, 30, 21}, {"4level", FL_MODE_4LEVEL, true, 39, 39},
    {"5level", FL_MODE_5LEVEL, true, 48, 48},
};

static inline struct fl_machine machine_kind(unsigned kind)
{
    struct fl_machine m = machine_of(kinds[kind].mode);
    m.shared_pmd = kinds[kind].shared_pmd;
    return m;
}

static inline bool shares_all(unsigned kind) /* nothing but the root is an address space's own */
{
    return kinds[kind].mode == FL_MODE_PAE && kinds[kind].shared_pmd;
}

static inline uint64_t reference(const struct fl_world *w)
{
    return fl_world_kernel(w)->init_root;
}

#endif
