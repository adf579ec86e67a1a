/* SPDX-License-Identifier: MIT */
/*
 * A decoder plug-in as a user might write one: it knows 0F 0D and 0F 18 with a memory operand and nothing else. Of
 * Faultline it sees decoder_plugin.h only.
 */
#include <faultline/oracle/decoder_plugin.h>

static int is_prefix(uint8_t byte, unsigned bits)
{
    switch (byte) {
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
    case 0xf3: return 1;
    default: return bits == 64 && byte >= 0x40 && byte <= 0x4f;
    }
}

/* Bytes behind ModRM. sib is the byte that follows it. */
static unsigned tail_length(unsigned mod, unsigned rm, uint8_t sib, unsigned address_bits)
{
    if (address_bits == 16)
        return mod == 0 ? (rm == 6 ? 2 : 0) : mod;
    if (rm == 4)
        return 1 + (mod == 1 ? 1u : mod == 2 || (sib & 7) == 5 ? 4u : 0u);
    return mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0;
}

static void sample_decode(void *decoder, const uint8_t *bytes, size_t n, unsigned bits, struct fl_decoded *out)
{
    static const uint8_t hints_0d[8] = {FL_HINT_PLAIN,    FL_HINT_W,        FL_HINT_WT1,      FL_HINT_RESERVED,
                                        FL_HINT_RESERVED, FL_HINT_RESERVED, FL_HINT_RESERVED, FL_HINT_RESERVED};
    static const uint8_t hints_18[8] = {FL_HINT_NTA,      FL_HINT_T0,       FL_HINT_T1,  FL_HINT_T2,
                                        FL_HINT_RESERVED, FL_HINT_RESERVED, FL_HINT_IT1, FL_HINT_IT0};
    unsigned address_bits = bits, length, at = 0;
    uint8_t modrm;

    (void)decoder;
    out->cls = FL_DEC_INCOMPLETE;
    out->length = 0;
    out->hint = FL_HINT_NONE;
    for (; at < n && is_prefix(bytes[at], bits); at++)
        if (bytes[at] == 0x67)
            address_bits = bits == 32 ? 16 : 32;
    if (at >= 15) {
        out->cls = FL_DEC_TOO_LONG;
        return;
    }
    if (at + 2 > n)
        return;
    if (bytes[at] != 0x0f || (bytes[at + 1] != 0x0d && bytes[at + 1] != 0x18)) {
        out->cls = FL_DEC_OTHER; /* or none: that is not known here */
        return;
    }
    if (at + 3 > n)
        return;
    modrm = bytes[at + 2];
    if (modrm >= 0xc0) {
        out->cls = FL_DEC_NOP;
        out->length = (uint8_t)(at + 3);
        return;
    }
    length = at + 3 + tail_length(modrm >> 6, modrm & 7, at + 3 < n ? bytes[at + 3] : 0, address_bits);
    if (length > 15) {
        out->cls = FL_DEC_TOO_LONG;
    } else if (length <= n) {
        out->cls = FL_DEC_PREFETCH;
        out->length = (uint8_t)length;
        out->hint = bytes[at + 1] == 0x0d ? hints_0d[modrm >> 3 & 7] : hints_18[modrm >> 3 & 7];
    }
}

/* It keeps nothing; any pointer will do. */
static void *sample_open(char why[256])
{
    static char nothing;

    (void)why;
    return &nothing;
}

static void sample_close(void *decoder)
{
    (void)decoder;
}

const struct fl_decoder_plugin *fl_decoder_plugin(void)
{
    static const struct fl_decoder_plugin plugin = {
        FL_DECODER_PLUGIN_ABI, FL_DECODES_ALL, "sample", "1.0", sample_open, sample_decode, sample_close,
    };

    return &plugin;
}
