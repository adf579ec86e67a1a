/* SPDX-License-Identifier: MIT */
/* What the codec of the machine and the codec of records share: little-endian access and what depends on the mode. */
#ifndef FL_SCENARIO_CODEC_H
#define FL_SCENARIO_CODEC_H

#include "internal.h"

#define RFLAGS_ONE  0x2u     /* bit 1 reads as one */
#define RFLAGS_VM   0x20000u /* virtual-8086 mode; cannot be set in IA-32e modes */
#define USUAL_FLAGS 0x202u   /* IF and bit 1 */

static inline uint16_t load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t load64(const uint8_t *p)
{
    return (uint64_t)load32(p) | (uint64_t)load32(p + 4) << 32;
}

static inline void store16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void store32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

static inline void store64(uint8_t *p, uint64_t v)
{
    store32(p, (uint32_t)v);
    store32(p + 4, (uint32_t)(v >> 32));
}

/* ---- ranges that depend on the mode ----------------------------------------------------------------------------- */

static inline bool is_ia32e(unsigned mode)
{
    return mode >= FL_MODE_4LEVEL;
}

static inline uint64_t address_mask(unsigned mode)
{
    return is_ia32e(mode) ? UINT64_MAX : UINT32_MAX;
}

/* Stored 0 = the mode's own size, 1 = 32, 2 = 16. */
static inline uint8_t decode_bits(unsigned mode, unsigned stored)
{
    static const uint8_t bits[2][4] = {{32, 32, 16, 32}, {64, 32, 16, 64}};
    return bits[is_ia32e(mode)][stored & 3];
}

static inline uint8_t encode_bits(unsigned mode, unsigned bits)
{
    return bits == 16 ? 2 : bits == 32 && is_ia32e(mode) ? 1 : 0;
}

/* Code size of a descriptor: L is a bit that any LDT can hold, also where no processor heeds it. As above, but 3 = 64. */
static inline uint8_t decode_ldt_bits(unsigned mode, unsigned stored)
{
    return (stored & 3) == 3 ? 64 : decode_bits(mode, stored);
}

static inline uint8_t encode_ldt_bits(unsigned mode, unsigned bits)
{
    return bits == 64 && !is_ia32e(mode) ? 3 : encode_bits(mode, bits);
}

static inline uint32_t legal_flags(unsigned mode, bool user, uint32_t flags)
{
    if (is_ia32e(mode) || !user)
        flags &= ~RFLAGS_VM;
    return flags | RFLAGS_ONE;
}

/* Above that, a limit counts whole pages. */
#define LIMIT_BYTES 0xfffffu
#define USUAL_LIMIT 0xffffffffu

static inline uint32_t legal_limit(uint32_t limit)
{
    return limit > LIMIT_BYTES ? limit | 0xfff : limit;
}

/* Offsets in a record: the kind, three small fields, a number, two addresses. */
enum {
    R_KIND = 0,
    R_A = 1,
    R_B = 2,
    R_C = 3,
    R_NUMBER = 4,
    R_ADDR = 8,
    R_ADDR2 = 16,
    R_VALUE = 24,
    R_DATA = 16, /* 15 bytes */
};

/* 1..2^24. The low 24 bits say pages - 1; the top byte shifts them right first, so that random bytes give small and
 * large sizes alike. */
static inline uint32_t decode_pages(const uint8_t *p)
{
    return 1 + (((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16) >> (p[3] & 31));
}

static inline void encode_pages(uint8_t *p, uint32_t pages)
{
    store32(p, (pages - 1) & 0xffffff);
}

void fl_machine_decode(const uint8_t *p, struct fl_machine *m);
void fl_machine_encode(const struct fl_machine *m, uint8_t *p);
void fl_record_decode(const uint8_t *p, unsigned mode, struct fl_record *r);
void fl_record_encode(const struct fl_record *r, unsigned mode, uint8_t *p);
/* AREA, ACT, RACE, ANSWER and PIN; *r is zero but for its kind. */
void fl_record_decode_pin(const uint8_t *p, unsigned mode, struct fl_record *r);
void fl_record_encode_pin(const struct fl_record *r, uint8_t *p);

#endif
