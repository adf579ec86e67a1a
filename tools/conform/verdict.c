/* SPDX-License-Identifier: MIT */
/* What columns answer, in one vocabulary. */
#include "conform.h"

#include <stdio.h>

static const struct {
    const char *name;
    char letter;
} verdicts[V_COUNT] = {
    [V_NONE] = {"not asked", '.'},
    [V_PREFETCH] = {"prefetch", 'P'},
    [V_NOP] = {"nop", 'N'},
    [V_OTHER] = {"other", 'O'},
    [V_INVALID] = {"invalid", 'I'},
    [V_SPLIT] = {"split", 'S'},
    [V_INCOMPLETE] = {"incomplete", 'C'},
    [V_TOO_LONG] = {"too long", 'L'},
    [V_LENGTH] = {"other length", 'W'},
    [V_RAN] = {"ran", 'R'},
    [V_NO] = {"no prefetch", '-'},
    [V_FAULT] = {"fault", 'F'},
    [V_CRASHED] = {"crashed", 'X'},
    [V_HUNG] = {"hung", 'H'},
};

static const char *const hints[FL_HINT_COUNT] = {
    [FL_HINT_NONE] = "prefetch",
    [FL_HINT_NTA] = "prefetchnta",
    [FL_HINT_T0] = "prefetcht0",
    [FL_HINT_T1] = "prefetcht1",
    [FL_HINT_T2] = "prefetcht2",
    [FL_HINT_PLAIN] = "prefetch (3DNow!)",
    [FL_HINT_W] = "prefetchw",
    [FL_HINT_WT1] = "prefetchwt1",
    [FL_HINT_IT0] = "prefetchit0",
    [FL_HINT_IT1] = "prefetchit1",
    [FL_HINT_RESERVED] = "prefetch (reserved)",
    [FL_HINT_VECTOR] = "vector prefetch",
};

const char *verdict_name(enum verdict v)
{
    return (unsigned)v < V_COUNT ? verdicts[v].name : "?";
}

const char *answer_name(uint8_t answer)
{
    if (verdict_of(answer) == V_PREFETCH && hint_of(answer) < FL_HINT_COUNT)
        return hints[hint_of(answer)];
    return verdict_name(verdict_of(answer));
}

char verdict_letter(enum verdict v)
{
    return (unsigned)v < V_COUNT ? verdicts[v].letter : '?';
}

/* length 0: none is known, any will do. */
uint8_t answer_of_decoder(struct fl_decoded said, unsigned length)
{
    static const uint8_t of_class[FL_DEC_CLASS_COUNT] = {
        [FL_DEC_PREFETCH] = V_PREFETCH, [FL_DEC_NOP] = V_NOP,           [FL_DEC_OTHER] = V_OTHER,
        [FL_DEC_INVALID] = V_INVALID,   [FL_DEC_LONE_PREFIX] = V_SPLIT, [FL_DEC_INCOMPLETE] = V_INCOMPLETE,
        [FL_DEC_TOO_LONG] = V_TOO_LONG,
    };
    uint8_t v = said.cls < FL_DEC_CLASS_COUNT ? of_class[said.cls] : V_FAULT;

    if ((v == V_PREFETCH || v == V_NOP) && length && said.length != length)
        return V_LENGTH;
    return v == V_PREFETCH ? (uint8_t)(v | (said.hint & 15) << 4) : v;
}

uint8_t answer_of_probe(enum fl_probe_end end, unsigned length)
{
    switch (end) {
    case FL_PROBE_RAN: return V_RAN;
    case FL_PROBE_UD: return V_INVALID;
    /* Any other #GP is a fault of its own. */
    case FL_PROBE_GP: return length > FL_RULE_BYTES ? V_TOO_LONG : V_FAULT;
    case FL_PROBE_FETCH: return V_INCOMPLETE;
    /* It accessed memory, changed a register, or came to an end of its own. */
    case FL_PROBE_CHANGED:
    case FL_PROBE_PF:
    case FL_PROBE_ELSEWHERE: return V_OTHER;
    default: return V_FAULT;
    }
}

struct fl_decoded decoded_of(uint8_t answer, unsigned length)
{
    struct fl_decoded d = {.cls = FL_DEC_OTHER};

    switch (verdict_of(answer)) {
    case V_PREFETCH:
    case V_RAN: /* for the rule the two are one: nothing but the operand's line tells them apart */
        d = (struct fl_decoded){FL_DEC_PREFETCH, (uint8_t)length, hint_of(answer)};
        break;
    case V_LENGTH: d = (struct fl_decoded){FL_DEC_PREFETCH, 0, FL_HINT_NONE}; break;
    case V_NOP: d = (struct fl_decoded){FL_DEC_NOP, (uint8_t)length, FL_HINT_NONE}; break;
    case V_INVALID: d.cls = FL_DEC_INVALID; break;
    case V_SPLIT: d.cls = FL_DEC_LONE_PREFIX; break;
    case V_INCOMPLETE: d.cls = FL_DEC_INCOMPLETE; break;
    case V_TOO_LONG: d.cls = FL_DEC_TOO_LONG; break;
    default: break;
    }
    return d;
}
