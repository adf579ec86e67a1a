/* SPDX-License-Identifier: MIT */
/* What the plug-ins of libraries that answer in text share: which instruction a mnemonic names. */
#ifndef FAULTLINE_ORACLE_DECODE_PLUGINS_TEXT_H
#define FAULTLINE_ORACLE_DECODE_PLUGINS_TEXT_H

#include <faultline/oracle/decoder_plugin.h>

#include <string.h>

/* A decoder that returns an instruction of nothing but prefixes split them off. 40..4F in 64-bit code only. */
static inline int only_prefixes(const uint8_t *bytes, size_t n, unsigned bits)
{
    for (size_t i = 0; i < n; i++) {
        switch (bytes[i]) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x64:
        case 0x65:
        case 0x66:
        case 0x67:
        case 0xf0:
        case 0xf2:
        case 0xf3: break;
        default:
            if (bits != 64 || bytes[i] >> 4 != 4)
                return 0;
        }
    }
    return n != 0;
}

/* word[0..n): a mnemonic in AT&T or Intel syntax, lower case, without blanks. Its class, and which prefetch [OUT]. */
static inline enum fl_decode_class class_of_word(const char *word, size_t n, uint8_t *hint)
{
    static const struct {
        char name[12]; /* behind "prefetch" */
        uint8_t hint;
    } hints[] = {
        {"nta", FL_HINT_NTA}, {"t0", FL_HINT_T0},   {"t1", FL_HINT_T1},   {"t2", FL_HINT_T2},   {"", FL_HINT_PLAIN},
        {"w", FL_HINT_W},     {"wt1", FL_HINT_WT1}, {"it0", FL_HINT_IT0}, {"it1", FL_HINT_IT1},
    };

    *hint = FL_HINT_NONE;
    if (n >= 8 && memcmp(word, "prefetch", 8) == 0) {
        *hint = FL_HINT_RESERVED; /* some other prefetch */
        for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
            if (strlen(hints[i].name) == n - 8 && memcmp(word + 8, hints[i].name, n - 8) == 0)
                *hint = hints[i].hint;
        return FL_DEC_PREFETCH;
    }
    if ((n > 9 && memcmp(word, "vgatherpf", 9) == 0) || (n > 10 && memcmp(word, "vscatterpf", 10) == 0)) {
        *hint = FL_HINT_VECTOR;
        return FL_DEC_PREFETCH;
    }
    /* nop, and with a suffix of its operand's size */
    if ((n == 3 || n == 4) && memcmp(word, "nop", 3) == 0)
        return FL_DEC_NOP;
    return FL_DEC_OTHER;
}

#endif
