/* SPDX-License-Identifier: MIT */
/* The prefetch rule, and taking a byte string apart for the list of expected differences. */
#include "form.h"

#include <string.h>

static bool is_legacy_prefix(uint8_t byte)
{
    switch (byte) {
    case 0x26: /* ES */
    case 0x2e: /* CS */
    case 0x36: /* SS */
    case 0x3e: /* DS */
    case 0x64: /* FS */
    case 0x65: /* GS */
    case 0x66: /* operand size */
    case 0x67: /* address size */
    case 0xf0: /* LOCK */
    case 0xf2: /* REPNE */
    case 0xf3: /* REP */ return true;
    default: return false;
    }
}

enum fl_rule_state fl_prefetch_step(enum fl_rule_state state, uint8_t byte, unsigned bits)
{
    switch (state) {
    case FL_RULE_PREFIXES:
        if (is_legacy_prefix(byte) || fl_decode_is_rex(byte, bits))
            return FL_RULE_PREFIXES;
        return byte == 0x0f ? FL_RULE_ESCAPE : FL_RULE_NOT;
    case FL_RULE_ESCAPE: return byte == 0x0d || byte == 0x18 ? FL_RULE_PREFETCH : FL_RULE_NOT;
    default: return state;
    }
}

bool fl_prefetch_rule(const uint8_t *bytes, size_t n, unsigned bits, size_t *used)
{
    size_t limit = n < FL_RULE_BYTES ? n : FL_RULE_BYTES;
    enum fl_rule_state state = FL_RULE_PREFIXES;
    size_t at = 0;

    while (at < limit && state != FL_RULE_PREFETCH && state != FL_RULE_NOT)
        state = fl_prefetch_step(state, bytes[at++], bits);
    if (used)
        *used = at;
    return state == FL_RULE_PREFETCH;
}

static bool addresses_are_16_bits(const struct fl_decode_form *f)
{
    bool addrsize = f->features & FL_PREFIX_67;

    return f->bits == 16 ? !addrsize : f->bits == 32 && addrsize;
}

/* Bytes of displacement; sib is the byte behind ModRM (zero when not there). */
static unsigned displacement_length(const struct fl_decode_form *f, uint8_t sib)
{
    if (f->mod == 3)
        return 0;
    if (addresses_are_16_bits(f)) {
        if (f->mod == 0)
            return f->rm == 6 ? 2 : 0;
        return f->mod;
    }
    if (f->mod == 1)
        return 1;
    if (f->mod == 2)
        return 4;
    /* disp32 without a base: RIP-relative or absolute, or a SIB byte whose base is 5. */
    return f->rm == 5 || (f->rm == 4 && (sib & 7) == 5) ? 4 : 0;
}

void fl_decode_form(const uint8_t *bytes, size_t n, unsigned bits, struct fl_decode_form *out)
{
    struct fl_decode_form f = {.bits = (uint8_t)bits, .n = (uint8_t)(n < 16 ? n : 16)};

    memcpy(f.bytes, bytes, f.n);
    while (f.prefixes < f.n) {
        uint8_t byte = f.bytes[f.prefixes];

        if (!is_legacy_prefix(byte) && !fl_decode_is_rex(byte, bits))
            break;
        f.prefixes++;
    }
    f.features = fl_prefix_features(f.bytes, f.prefixes, bits);
    f.length = f.sib_end = (uint8_t)(f.prefixes + 3);
    if (f.length <= f.n) {
        uint8_t modrm = f.bytes[f.length - 1];

        f.mod = modrm >> 6;
        f.reg = modrm >> 3 & 7;
        f.rm = modrm & 7;
        if (f.mod != 3 && f.rm == 4 && !addresses_are_16_bits(&f))
            f.sib_end++;
        f.length = (uint8_t)(f.sib_end + displacement_length(&f, f.length < f.n ? f.bytes[f.length] : 0));
    }
    *out = f;
}

const char *fl_decode_class_name(enum fl_decode_class cls)
{
    static const char *const names[FL_DEC_CLASS_COUNT] = {
        [FL_DEC_PREFETCH] = "prefetch",
        [FL_DEC_NOP] = "nop",
        [FL_DEC_OTHER] = "other",
        [FL_DEC_INVALID] = "invalid",
        [FL_DEC_LONE_PREFIX] = "lone-prefix",
        [FL_DEC_INCOMPLETE] = "incomplete",
        [FL_DEC_TOO_LONG] = "too-long",
    };

    return (unsigned)cls < FL_DEC_CLASS_COUNT ? names[cls] : "?";
}
