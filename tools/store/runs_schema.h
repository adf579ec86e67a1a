/* SPDX-License-Identifier: MIT */
/* The tables behind runs.h, as SQL; store.c makes them with its own, in one transaction. */
#ifndef FAULTLINE_TOOLS_STORE_RUNS_SCHEMA_H
#define FAULTLINE_TOOLS_STORE_RUNS_SCHEMA_H

extern const char runs_schema[];

#endif
