/* SPDX-License-Identifier: MIT */
/*
 * Facts about a run of prefixes, as bits. Everything in the list of expected differences that concerns prefixes follows
 * from these bits and the code size, so that a report can count by them and name a class instead of a string.
 */
#include "form.h"

struct feature {
    uint32_t bit;
    const char *name, *meaning;
};

static const struct feature features[] = {
    {FL_PREFIX_SEG, "SEG", "a segment override (26, 2E, 36, 3E, 64 or 65)"},
    {FL_PREFIX_66, "66", "the operand-size prefix"},
    {FL_PREFIX_67, "67", "the address-size prefix"},
    {FL_PREFIX_REP, "REP", "F2 or F3"},
    {FL_PREFIX_LOCK, "LOCK", "the LOCK prefix (F0)"},
    {FL_PREFIX_REP_AFTER_LOCK, "REP-AFTER-LOCK", "F2 or F3 behind the last F0"},
    {FL_PREFIX_REX, "REX", "40 to 4F directly before the opcode; in 16- and 32-bit code that is INC or DEC, no prefix"},
    {FL_PREFIX_REX_W, "REX.W", "48 to 4F directly before the opcode; in 16- and 32-bit code that is DEC, no prefix"},
    {FL_PREFIX_REX_EARLY, "REX-EARLY",
     "40 to 4F before another prefix: without effect there; in 16- and 32-bit code that is INC or DEC, no prefix"},
    {FL_PREFIX_REP_APART, "REP-APART", "F2 or F3, with neither it nor a 66 where it would be part of the opcode"},
    {FL_PREFIX_LOCK_SPLIT, "LOCK-SPLIT",
     "F0 as the first prefix of all, or directly behind F2 or F3, and no 40 to 4F before"},
    {FL_PREFIX_REX_TWICE, "REX-TWICE", "the first of the bytes 40 to 4F is followed by another one that is not 48"},
};

static bool is_segment(uint8_t byte)
{
    return byte == 0x26 || byte == 0x2e || byte == 0x36 || byte == 0x3e || byte == 0x64 || byte == 0x65;
}

static bool is_rex_byte(uint8_t byte)
{
    return byte >= 0x40 && byte <= 0x4f;
}

/* Part of the opcode in the eyes of a decoder that looks one byte ahead: F2 and F3 when the opcode, REX or 66 follows,
 * 66 when the opcode or REX follows. */
static bool rep_is_apart(const uint8_t *prefixes, unsigned n, unsigned bits)
{
    for (unsigned i = 0; i < n; i++) {
        bool adjacent = i + 1 == n || fl_decode_is_rex(prefixes[i + 1], bits);

        if (prefixes[i] == 0x66 && adjacent)
            return false;
        if ((prefixes[i] == 0xf2 || prefixes[i] == 0xf3) && (adjacent || prefixes[i + 1] == 0x66))
            return false;
    }
    return true;
}

/* What a decoder that goes by the first REX makes of the run: a REX ends it, F0 is an instruction of its own at the
 * start or behind a repeat prefix. */
static uint32_t up_to_first_rex(const uint8_t *prefixes, unsigned n)
{
    uint32_t found = 0;

    for (unsigned i = 0; i < n; i++) {
        uint8_t byte = prefixes[i];

        if (is_rex_byte(byte)) {
            if (i + 1 < n && is_rex_byte(prefixes[i + 1]) && prefixes[i + 1] != 0x48)
                found |= FL_PREFIX_REX_TWICE;
            break;
        }
        if (byte == 0xf0 && (i == 0 || prefixes[i - 1] == 0xf2 || prefixes[i - 1] == 0xf3))
            found |= FL_PREFIX_LOCK_SPLIT;
    }
    return found;
}

uint32_t fl_prefix_features(const uint8_t *prefixes, unsigned n, unsigned bits)
{
    uint32_t found = up_to_first_rex(prefixes, n);

    for (unsigned i = 0; i < n; i++) {
        uint8_t byte = prefixes[i];

        if (is_segment(byte)) {
            found |= FL_PREFIX_SEG;
        } else if (byte == 0x66) {
            found |= FL_PREFIX_66;
        } else if (byte == 0x67) {
            found |= FL_PREFIX_67;
        } else if (byte == 0xf0) {
            found = (found | FL_PREFIX_LOCK) & ~FL_PREFIX_REP_AFTER_LOCK;
        } else if (byte == 0xf2 || byte == 0xf3) {
            found |= found & FL_PREFIX_LOCK ? FL_PREFIX_REP | FL_PREFIX_REP_AFTER_LOCK : FL_PREFIX_REP;
        } else if (is_rex_byte(byte)) {
            if (i + 1 < n)
                found |= FL_PREFIX_REX_EARLY;
            else
                found |= byte & 8 ? FL_PREFIX_REX | FL_PREFIX_REX_W : FL_PREFIX_REX;
        }
    }
    if (found & FL_PREFIX_REP && rep_is_apart(prefixes, n, bits))
        found |= FL_PREFIX_REP_APART;
    return found;
}

static const struct feature *feature_of(unsigned bit)
{
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (bit < FL_FEATURE_MAX && features[i].bit == 1u << bit)
            return &features[i];
    return NULL;
}

const char *fl_prefix_feature_name(unsigned bit)
{
    const struct feature *feature = feature_of(bit);

    return feature ? feature->name : NULL;
}

const char *fl_prefix_feature_meaning(unsigned bit)
{
    const struct feature *feature = feature_of(bit);

    return feature ? feature->meaning : NULL;
}
