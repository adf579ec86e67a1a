/* SPDX-License-Identifier: MIT */
/* The byte strings that the tests of decoding enumerate. */
#ifndef FAULTLINE_TESTS_DECODE_SPACES_H
#define FAULTLINE_TESTS_DECODE_SPACES_H

#include "check.h"

#include "decode/form.h"

static const uint8_t legacy_prefixes[11] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

#define PREFIXES 27u

/* The eleven, and 40..4F: prefixes in 64-bit code, INC and DEC elsewhere, where a decoder might mix them up. */
static inline void prefix_set(uint8_t set[PREFIXES])
{
    for (unsigned i = 0; i < PREFIXES; i++)
        set[i] = i < 11 ? legacy_prefixes[i] : (uint8_t)(0x40 + i - 11);
}

/* The main space: 0..most prefixes, both opcodes, every ModRM, nothing but zero behind; 10,465,280 strings a mode at
 * 3. */
static inline void enumerate_prefetches(unsigned most, void (*each)(void *, const uint8_t bytes[16], unsigned bits),
                                        void *data)
{
    uint8_t set[PREFIXES];

    prefix_set(set);
    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        unsigned strings = 1;

        for (unsigned len = 0; len <= most; len++, strings *= PREFIXES) {
            for (unsigned i = 0; i < strings; i++) {
                uint8_t bytes[16] = {0};

                for (unsigned at = 0, rest = i; at < len; at++, rest /= PREFIXES)
                    bytes[at] = set[rest % PREFIXES];
                bytes[len] = 0x0f;
                for (unsigned modrm = 0; modrm < 512; modrm++) {
                    bytes[len + 1] = modrm & 256 ? 0x18 : 0x0d;
                    bytes[len + 2] = (uint8_t)modrm;
                    each(data, bytes, bits);
                }
            }
        }
    }
}

#endif
