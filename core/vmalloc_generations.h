/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_generations: the vmalloc_fault of each generation, as core_vmalloc_sync() calls them, and the step that two
 * of them share with their sync-all. v->va is the address. Private to core/.
 */
#ifndef FAULTLINE_CORE_VMALLOC_GENERATIONS_H
#define FAULTLINE_CORE_VMALLOC_GENERATIONS_H

#include "vmalloc_tables.h"

enum fl_sync_end core_vmalloc_2008_32(const struct vmalloc *v, const struct fl_fault *fault);
enum fl_sync_end core_vmalloc_2008_64(const struct vmalloc *v, const struct fl_fault *fault);
enum fl_sync_end core_vmalloc_2014(const struct vmalloc *v, const struct fl_fault *fault);
enum fl_sync_end core_vmalloc_2016(const struct vmalloc *v, const struct fl_fault *fault);

/* vmalloc_sync_one of 32-bit kernels from 2008 to 2016: copies the reference's PMD entry for v->va into the tables
 * under that CR3 value, or asserts that it is there already. flush: at once carries out a write that the hook may have
 * queued (2008). HANDLED: *reference [OUT] is the reference's PMD entry. NOT_HANDLED: the reference has none. BUG: the table's
 * differs. WILD: no memory where a table should be. */
enum fl_sync_end core_vmalloc_sync_one(const struct vmalloc *v, uint64_t cr3, bool flush, struct slot *reference);

/* The walk down both tables of 64-bit kernels from 2008 to 2016: copies the reference's PGD entry for v->va into the table
 * at root (a physical address) where that has none, and asserts that both ways down meet from there on. What
 * changed between them: flush, at once carries out a write that the hook may have queued; large_pages, stops at an entry
 * that maps one. */
enum fl_sync_end core_vmalloc_walk_64(const struct vmalloc *v, uint64_t root, bool flush, bool large_pages);

#endif
