/* SPDX-License-Identifier: MIT */
/*
 * report_tables: what the reports show of the live tables. Private to core/.
 *
 * A crashing kernel looks at its tables as memory, not as a processor walks them: no reserved bits, no PDPTE registers,
 * no rights; only what leads on to the next table counts. Whatever is in them, reading ends after at most five entries.
 */
#ifndef FAULTLINE_CORE_REPORT_TABLES_H
#define FAULTLINE_CORE_REPORT_TABLES_H

#include <faultline/core.h>

#include "text.h"

/* 64-bit: "PGD v PUD v PMD v PTE v" and a line feed; five levels: with "P4D v". Ends behind an entry that is not
 * present or maps a large page; "BAD" stands for a table where there is no memory. Source: arch/x86/mm/fault_64.c
 * (2008), which has four levels only and takes a large PUD for a table; the later arch/x86/mm/fault.c has both. */
void core_report_tables_64(struct text *t, const struct fl_fault *fault);

/* 32-bit: "*pde = v *pte = v " and a line feed; PAE: with "*pdpt = v " before. A table in high memory (a frame from
 * kernel.low_frames on) has no fixed mapping and is not looked at. What lies where there is no memory is left out.
 * Source: arch/x86/mm/fault_32.c (2008). */
void core_report_tables_32(struct text *t, const struct fl_fault *fault);

/* PAE: does cr2 have a present leaf, of either size, that itself forbids fetches? Source: as above, lookup_address. */
bool core_report_leaf_nx(const struct fl_ops *ops, void *ctx, const struct fl_fault *fault);

#endif
