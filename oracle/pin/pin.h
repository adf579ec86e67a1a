/* SPDX-License-Identifier: MIT */
/* Private to oracle/pin. */
#ifndef FAULTLINE_ORACLE_PIN_PRIVATE_H
#define FAULTLINE_ORACLE_PIN_PRIVATE_H

#include <faultline/oracle/pin.h>

/* The apis by the numbers of struct fl_pin_call (enum fl_pin_api of the scenario). */
enum { PIN_API_PIN, PIN_API_USER, PIN_API_FAST_ONLY, PIN_API_FAST, PIN_API_FIXUP, PIN_API_DUMP, PIN_API_FOLLOW };

bool pin_area_permits(const struct fl_pin_call *c, const struct fl_pin_view *v);
bool pin_key_permits(const struct fl_pin_call *c, const struct fl_pin_vma *vma);
bool pin_is_cow(const struct fl_pin_vma *vma);

bool pin_fast_cannot_tell(const struct fl_pin_call *c, const struct fl_pin_seen *s);

/* decide.c: quiet calls against what follows from the views at the beginning. True: *d. */
bool pin_decide(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d);

/* Every call: is each of its faults counted for the task, once and as what it was? False: yes. */
bool pin_accounted(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d);

#endif
