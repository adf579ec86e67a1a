/* SPDX-License-Identifier: MIT */
/* walk: the core's walk over the tables, and what it permits. The contracts are in <faultline/core.h>. Private. */
#ifndef FAULTLINE_CORE_WALK_H
#define FAULTLINE_CORE_WALK_H

#include <faultline/core.h>

enum fl_status core_walk(const struct fl_cpu *cpu, const struct fl_ops *ops, void *ctx, uint64_t va,
                         struct fl_walk *out);
enum fl_status core_permits(const struct fl_cpu *cpu, const struct fl_walk *walk, const struct fl_access *access,
                            bool *faults, uint32_t *error_code);

#endif
