/* SPDX-License-Identifier: MIT */
/*
 * The rule's side of the product. The rule scans forward and forgets all but its state; a core may read in any order. What
 * has been read ahead of the rule is kept until the rule has come by.
 */
#include "proof_internal.h"

#include <string.h>

void knowledge_start(struct knowledge *k)
{
    memset(k, 0, sizeof *k);
    for (unsigned i = 0; i < BYTES; i++)
        k->symbol[i] = PROOF_NOT_READ;
    k->state = FL_RULE_PREFIXES;
}

static bool final(unsigned state)
{
    return state == FL_RULE_PREFETCH || state == FL_RULE_NOT;
}

/* The rule over byte i; the end of what may be read is the end of the scan. */
static unsigned step(unsigned state, const struct config *c, unsigned i, unsigned symbol)
{
    if (final(state))
        return state;
    if (i >= BYTES || !c->window.open || !c->window.readable[i] || symbol == PROOF_FAILS)
        return FL_RULE_NOT;
    return c->step[state][symbol];
}

static void advance(struct knowledge *k, const struct config *c)
{
    while (!final(k->state)) {
        unsigned i = k->scan;

        if (i < BYTES && c->window.open && c->window.readable[i] && k->symbol[i] == PROOF_NOT_READ)
            return;
        k->state = (uint8_t)step(k->state, c, i, i < BYTES ? k->symbol[i] : PROOF_FAILS);
        k->scan++;
    }
    /* Where it stopped does not matter any more. */
    k->scan = BYTES;
}

void knowledge_add(struct knowledge *k, const struct config *c, unsigned i, unsigned symbol)
{
    k->symbol[i] = (uint16_t)symbol;
    k->read |= (uint16_t)(1u << i);
    advance(k, c);
}

void knowledge_forget(struct knowledge *k, const uint8_t *recent, unsigned nread, unsigned keep)
{
    for (unsigned n = 0; n + keep < nread; n++)
        if (recent[n] < k->scan)
            k->symbol[recent[n]] = SYMBOL_FORGOT;
}

/* The shortest way from state at byte i to FL_RULE_PREFETCH through bytes that are not known yet; of those of the same
 * length the smallest. Bytes behind the rule's end stay as they are. */
static bool complete(unsigned state, unsigned i, const struct knowledge *k, const struct config *c,
                     uint16_t completion[BYTES])
{
    if (state == FL_RULE_PREFETCH)
        return true;
    if (state == FL_RULE_NOT || i >= BYTES)
        return false;
    if (k->symbol[i] != PROOF_NOT_READ)
        return complete(step(state, c, i, k->symbol[i]), i + 1, k, c, completion);

    /* Two bytes that lead to the same state are as good as each other: one of each state is tried. Those that stay in
     * the prefixes come last, since they make the string longer. */
    for (unsigned pass = 0; pass < 2; pass++) {
        unsigned tried = 0;

        for (unsigned byte = 0; byte < 256; byte++) {
            unsigned next = step(state, c, i, byte);

            if ((next == state) != (pass == 1) || tried & 1u << next)
                continue;
            tried |= 1u << next;
            completion[i] = (uint16_t)byte;
            if (complete(next, i + 1, k, c, completion))
                return true;
        }
    }
    completion[i] = PROOF_NOT_READ;
    return false;
}

void knowledge_answers(const struct knowledge *k, const struct config *c, bool *may_be_true, bool *may_be_false,
                       uint16_t completion[BYTES])
{
    struct knowledge now = *k;

    advance(&now, c);
    if (final(now.state)) {
        *may_be_true = now.state == FL_RULE_PREFETCH;
        *may_be_false = !*may_be_true;
        memcpy(completion, k->symbol, sizeof now.symbol);
        return;
    }
    memcpy(completion, k->symbol, sizeof now.symbol);
    *may_be_true = complete(now.state, now.scan, &now, c, completion);
    /* An unread byte that the rule still needs may turn out to be unreadable. */
    *may_be_false = true;
}
