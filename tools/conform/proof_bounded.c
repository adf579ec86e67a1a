/* SPDX-License-Identifier: MIT */
/*
 * What takes the place of the proof where the states are too many (a core that copies 15 bytes before it looks at them
 * keeps them all): strings that are likely to tell a wrong decoder from a right one. It finds; it proves nothing.
 *
 *   up to three prefixes of each kind, then each tail            cut off before each byte
 *   a run of each prefix of each length, then each tail          cut off before each byte, for one prefix
 *   a run of one prefix of some lengths, then each byte value    and that value behind 0F
 */
#include "proof_internal.h"

#if defined(__x86_64__)

static const uint8_t kinds[] = {0x26, 0x48, 0x66, 0xf0, 0x90};
static const uint8_t tails[][2] = {{0x0f, 0x0d}, {0x0f, 0x18}, {0x00, 0x00}};

#    define COUNT(array) (sizeof(array) / sizeof *(array))

static void check(struct prover *p, const uint16_t symbol[BYTES])
{
    p->shared->result.strings++;
    string_judge(p, symbol);
}

/* A string of n bytes and what follows: zeros that can be read, so that what a bulk reader sees is whole. */
static void check_cuts(struct prover *p, uint16_t symbol[BYTES], unsigned n, bool cut)
{
    for (unsigned i = n; i < BYTES; i++)
        symbol[i] = 0;
    check(p, symbol);
    for (unsigned i = n < BYTES ? n : BYTES; cut && i-- > 0;) {
        uint16_t was = symbol[i];

        symbol[i] = PROOF_FAILS;
        check(p, symbol);
        symbol[i] = was;
    }
}

static void with_tails(struct prover *p, uint16_t symbol[BYTES], unsigned n, bool cut)
{
    for (unsigned t = 0; t < COUNT(tails); t++) {
        if (n < BYTES)
            symbol[n] = tails[t][0];
        if (n + 1 < BYTES)
            symbol[n + 1] = tails[t][1];
        check_cuts(p, symbol, n + 2, cut);
    }
}

static void few_prefixes(struct prover *p)
{
    uint16_t symbol[BYTES];
    unsigned total = 1;

    for (unsigned n = 0; n <= 3; n++, total *= COUNT(kinds))
        for (unsigned i = 0; i < total; i++) {
            unsigned rest = i;

            for (unsigned at = 0; at < n; at++, rest /= COUNT(kinds))
                symbol[at] = kinds[rest % COUNT(kinds)];
            with_tails(p, symbol, n, true);
        }
}

static void runs(struct prover *p)
{
    uint16_t symbol[BYTES];

    for (unsigned prefix = 0; prefix < 256; prefix++) {
        if (fl_prefetch_step(FL_RULE_PREFIXES, (uint8_t)prefix, p->config.window.bits) != FL_RULE_PREFIXES)
            continue;
        for (unsigned n = 0; n <= BYTES; n++) {
            for (unsigned i = 0; i < n; i++)
                symbol[i] = (uint16_t)prefix;
            with_tails(p, symbol, n, prefix == 0x66);
        }
    }
}

static void each_value(struct prover *p)
{
    uint16_t symbol[BYTES];

    static const uint8_t lengths[] = {0, 1, 2, 7, 12, 13, 14};

    for (unsigned l = 0, n; l < COUNT(lengths); l++)
        for (unsigned value = 0; value < 256; value++) {
            n = lengths[l];
            for (unsigned i = 0; i < n; i++)
                symbol[i] = 0x66;
            symbol[n] = (uint16_t)value;
            if (n + 1 < BYTES) {
                symbol[n + 1] = 0x0f;
                if (n + 2 < BYTES)
                    symbol[n + 2] = 0x18;
                check_cuts(p, symbol, n + 3, false);
                symbol[n] = 0x0f;
                symbol[n + 1] = (uint16_t)value;
            }
            check_cuts(p, symbol, n + 2, false);
        }
}

void bounded(struct prover *p)
{
    few_prefixes(p);
    if (!p->config.window.open || p->config.window.bits == 0)
        return;
    runs(p);
    each_value(p);
}

#endif /* __x86_64__ */
