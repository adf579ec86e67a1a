/* SPDX-License-Identifier: MIT */
/* What the sections of a finding of pinning share. Private to explain. */
#ifndef FAULTLINE_EXPLAIN_PIN_STORY_H
#define FAULTLINE_EXPLAIN_PIN_STORY_H

#include "sections.h"

/* The page that the finding is about (page aligned); *index [OUT]: which of the call's range. False: it is about none. */
bool pin_page(const struct fl_scenario *s, const struct capture *c, uint64_t *va, unsigned *index);
/* The rule that is broken, or NULL. */
const struct fl_pin_rule *pin_rule(const struct capture *c);
/* A followed page as it was when that step had been noted, before what the step then did (CALL), or after it (ACT). NULL: it was
 * not followed. */
const struct fl_pin_place *pin_place_at(const struct pin_capture *p, unsigned mm, uint64_t va, bool other,
                                        unsigned step);
/* The step that a change belongs to: the act itself, or the op call that was under way. */
unsigned pin_step_of(const struct pin_capture *p, const struct pin_change *c);
/* Does the op decide what is pinned? Reads and locks are only the way there. */
bool pin_decides(const struct fl_pin_op_call *c);
/* "page 0x600000", " of the child" behind it for mm 1. */
void pin_page_name(const struct pin_change *c, char *buf, size_t size);
/* The change in words; empty: it is not worth a line. */
void pin_change_words(const struct pin_change *c, char *buf, size_t size);

#endif
