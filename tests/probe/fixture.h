/* SPDX-License-Identifier: MIT */
/* Probes and prefetch strings for the tests of this folder. */
#ifndef FAULTLINE_TESTS_PROBE_FIXTURE_H
#define FAULTLINE_TESTS_PROBE_FIXTURE_H

#include "check.h"

#include <faultline/oracle/decoder_plugin.h>
#include <faultline/oracle/probe.h>

/* Opens it, or ends the program: skipped where it is not supported. */
static inline struct fl_probe *fixture_open(enum fl_status (*open)(struct fl_probe **, char[256]))
{
    struct fl_probe *p = NULL;
    char why[256] = "";
    enum fl_status status = open(&p, why);

    if (status == FL_UNSUPPORTED) {
        printf("skipped: %s\n", why);
        exit(77);
    }
    if (status != FL_OK) {
        fprintf(stderr, "cannot open the probe: %s\n", why);
        exit(1);
    }
    return p;
}

static inline unsigned fixture_mode(unsigned bits)
{
    return bits == 16 ? FL_DECODES_16 : bits == 32 ? FL_DECODES_32 : FL_DECODES_64;
}

static inline uint8_t fixture_end(struct fl_probe *p, const struct fl_probe_case *c)
{
    uint8_t end = FL_PROBE_COUNT;
    enum fl_status status = p->run(p, c, 1, &end);

    CHECK_EQ(status, FL_OK, "run: %s", p->why(p));
    return end;
}

/* The case as text, in a static buffer. */
static inline const char *fixture_text(const struct fl_probe_case *c)
{
    static char text[3 * FL_PROBE_BYTES + 16];
    int n = snprintf(text, sizeof text, "%u-bit", c->bits);

    for (unsigned i = 0; i < c->n; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %02x", c->bytes[i]);
    return text;
}

/* Bytes behind a ModRM byte (SDM vol. 2, tables 2-1 and 2-2) whose SIB byte, if there is one, is 0. */
static inline unsigned fixture_tail(uint8_t modrm, bool wide)
{
    unsigned mod = modrm >> 6, rm = modrm & 7;

    if (mod == 3)
        return 0;
    if (!wide)
        return mod == 0 ? (rm == 6 ? 2 : 0) : mod;
    return (rm == 4) + (mod == 0 ? (rm == 5 ? 4 : 0) : mod == 1 ? 1u : 4u);
}

/* prefixes[0..n), 0F, opcode, ModRM, and zeros for the operand. */
static inline struct fl_probe_case fixture_prefetch(unsigned bits, const uint8_t *prefixes, unsigned n, uint8_t opcode,
                                                    uint8_t modrm)
{
    struct fl_probe_case c = {.bits = (uint8_t)bits};
    bool short_addresses = bits == 16;

    for (unsigned i = 0; i < n; i++) {
        c.bytes[c.n++] = prefixes[i];
        if (prefixes[i] == 0x67)
            short_addresses = bits == 32;
    }
    c.bytes[c.n++] = 0x0f;
    c.bytes[c.n++] = opcode;
    c.bytes[c.n++] = modrm;
    c.n = (uint8_t)(c.n + fixture_tail(modrm, !short_addresses));
    return c;
}

/* The prefixes of a mode; REX in 64-bit code. Answers how many. */
static inline unsigned fixture_prefixes(unsigned bits, uint8_t out[27])
{
    static const uint8_t legacy[11] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

    memcpy(out, legacy, sizeof legacy);
    for (unsigned i = 0; i < 16; i++)
        out[11 + i] = (uint8_t)(0x40 + i);
    return bits == 64 ? 27 : 11;
}

#endif
