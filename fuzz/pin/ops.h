/* SPDX-License-Identifier: MIT */
/* What the ops share. Private to fuzz/pin. */
#ifndef FAULTLINE_PIN_OPS_H
#define FAULTLINE_PIN_OPS_H

#include "state.h"

/* Counts and notes the call, and lets the races that are keyed to it run. Answers the how manieth of its op it is. */
unsigned op_begin(struct fl_pin_world *w, enum fl_pin_op op, uint64_t object);
void op_end(struct fl_pin_world *w, uint64_t answer);     /* notes the answer */
void op_detail(struct fl_pin_world *w, unsigned detail);  /* struct fl_pin_op_call */
void op_broken(struct fl_pin_world *w, const char *what); /* the first broken contract is kept; static text */
void op_may_sleep(struct fl_pin_world *w, const char *what);
void op_needs_mm(struct fl_pin_world *w, const char *what);

bool op_page_valid(void *ctx, uint64_t pfn);
bool op_page_zero(void *ctx, uint64_t pfn);
uint64_t op_page_head(void *ctx, uint64_t pfn);
bool op_page_get(void *ctx, uint64_t pfn);
bool op_page_get_speculative(void *ctx, uint64_t pfn, unsigned n);
void op_page_put(void *ctx, uint64_t pfn, unsigned n);
void op_page_tail_get(void *ctx, uint64_t pfn);
bool op_page_anon_exclusive(void *ctx, uint64_t pfn);
bool op_page_dirty(void *ctx, uint64_t pfn);
void op_page_set_dirty(void *ctx, uint64_t pfn);
void op_page_accessed(void *ctx, uint64_t pfn);
bool op_page_has_mapping(void *ctx, uint64_t pfn);
bool op_page_trylock(void *ctx, uint64_t pfn);
void op_page_unlock(void *ctx, uint64_t pfn);
void op_page_mlock(void *ctx, uint64_t pfn);
bool op_device_get(void *ctx, uint64_t pfn);
void op_device_put(void *ctx, uint64_t pfn);

uint64_t refs_taken(const struct fl_pin_world *w); /* references that the core holds now */

#endif
