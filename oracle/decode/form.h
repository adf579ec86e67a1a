/* SPDX-License-Identifier: MIT */
/*
 * The parts of an instruction that the list of expected differences speaks about. Written from the instruction format
 * chapters of the manuals (Intel SDM volume 2, 2.1 and 2.2; AMD APM volume 3, 1.2 to 1.4).
 */
#ifndef FAULTLINE_ORACLE_DECODE_FORM_H
#define FAULTLINE_ORACLE_DECODE_FORM_H

#include <faultline/oracle/decode.h>

#define FL_INSN_MAX 15u /* longer ones are #GP on every processor since the 386 */

/* fl_prefix_features(); names and meanings stand in features.c. */
enum fl_prefix_feature {
    FL_PREFIX_SEG = 1u << 0,
    FL_PREFIX_66 = 1u << 1,
    FL_PREFIX_67 = 1u << 2,
    FL_PREFIX_REP = 1u << 3,
    FL_PREFIX_LOCK = 1u << 4,
    FL_PREFIX_REP_AFTER_LOCK = 1u << 5,
    FL_PREFIX_REX = 1u << 6,
    FL_PREFIX_REX_W = 1u << 7,
    FL_PREFIX_REX_EARLY = 1u << 8,
    FL_PREFIX_REP_APART = 1u << 9,
    FL_PREFIX_LOCK_SPLIT = 1u << 10,
    FL_PREFIX_REX_TWICE = 1u << 11,
};

struct fl_decode_form {
    uint8_t bits;         /* 16, 32 or 64 */
    uint8_t n;            /* bytes that can be read, 0..16 */
    uint8_t bytes[16];    /* them, zero beyond n */
    uint8_t prefixes;     /* length of the run of prefixes, REX included; the opcode follows at bytes[prefixes] */
    uint32_t features;    /* of the run, FL_PREFIX_LOCK and so on */
    uint8_t mod, reg, rm; /* of the third byte behind the prefixes; zero when that is not there */
    uint8_t sib_end;      /* length up to ModRM, and SIB where ModRM asks for one */
    uint8_t length;       /* prefixes, opcode 0F xx, ModRM, SIB and displacement; at least, when bytes are missing */
};

/* Takes the bytes apart as a two-byte opcode with a ModRM byte behind any run of prefixes. Total. */
void fl_decode_form(const uint8_t *bytes, size_t n, unsigned bits, struct fl_decode_form *out);

/* REX exists in 64-bit code only. */
static inline bool fl_decode_is_rex(uint8_t byte, unsigned bits)
{
    return bits == 64 && byte >= 0x40 && byte <= 0x4f;
}

/* What stands behind a public row: the byte strings that it covers, and the one answer that it explains. The list is
 * exact over what the rule calls a prefetch: where the first row that covers a string says X, the decoder says X; where
 * none covers it, the decoder says prefetch. Rows over other strings say prefetch, and the decoder may also agree with
 * the rule there. */
struct fl_decode_expectation {
    enum fl_decode_class says;
    bool (*covers)(const struct fl_decode_form *f);
};

/* Does the row with this index in fl_decode_rows() cover the byte string? Whatever decoder and version it is about. */
bool fl_decode_row_covers(size_t row, const struct fl_decode_form *f);

/* The first row for this decoder, version and byte string, and the answer that it expects; NULL: the decoder is
 * expected to agree with the rule. */
const struct fl_decode_row *fl_decode_expect(const struct fl_decoder *d, const struct fl_decode_form *f,
                                             enum fl_decode_class *says);

#endif
