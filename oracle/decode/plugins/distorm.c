/* SPDX-License-Identifier: MIT */
/*
 * distorm as a decoder plug-in. Only the numbers are read, no text is made.
 *
 * distorm has one answer for everything that it does not decode: it drops the first byte, prefix or not. That is
 * "invalid" here. An instruction whose bytes end too early is told from it by decoding again with zero bytes behind;
 * "too long" is not told from invalid.
 */
#include <faultline/oracle/decoder_plugin.h>

#include <distorm3/distorm.h>
#include <distorm3/mnemonics.h>
#include <stdio.h>
#include <string.h>

#ifdef FL_DISTORM_WANTS_PYTHON
/* Debian 13 built its Python module into the library, which therefore has this symbol open and loads nowhere else.
 * It is called when Python imports the library, and only then. */
void *PyModule_Create2(void *definition, int version);

void *PyModule_Create2(void *definition, int version)
{
    (void)definition;
    (void)version;
    return NULL;
}
#endif

static enum fl_prefetch_hint hint_of(unsigned opcode)
{
    switch (opcode) {
    case I_PREFETCH: return FL_HINT_PLAIN;
    case I_PREFETCHNTA: return FL_HINT_NTA;
    case I_PREFETCHT0: return FL_HINT_T0;
    case I_PREFETCHT1: return FL_HINT_T1;
    case I_PREFETCHT2: return FL_HINT_T2;
    case I_PREFETCHW: return FL_HINT_W;
    default: return FL_HINT_NONE;
    }
}

/* The first instruction; false when there is none. */
static int decode_one(const uint8_t *bytes, size_t n, unsigned bits, _DInst *insn)
{
    _CodeInfo code = {.code = bytes,
                      .codeLen = (int)n,
                      .dt = bits == 64   ? Decode64Bits
                            : bits == 32 ? Decode32Bits
                                         : Decode16Bits};
    unsigned count = 0;

    /* That more instructions would follow is an error to distorm; the first one is there all the same. */
    distorm_decompose(&code, insn, 1, &count);
    return count != 0 && insn->flags != FLAG_NOT_DECODABLE;
}

static void distorm_decode_bytes(void *decoder, const uint8_t *bytes, size_t n, unsigned bits, struct fl_decoded *out)
{
    _DInst insn;

    (void)decoder;
    *out = (struct fl_decoded){.cls = n ? FL_DEC_INVALID : FL_DEC_INCOMPLETE};
    if (decode_one(bytes, n, bits, &insn)) {
        out->length = insn.size;
        out->hint = (uint8_t)hint_of(insn.opcode);
        out->cls = out->hint != FL_HINT_NONE ? FL_DEC_PREFETCH : insn.opcode == I_NOP ? FL_DEC_NOP : FL_DEC_OTHER;
    } else if (n < 15) {
        uint8_t padded[15] = {0};

        memcpy(padded, bytes, n);
        if (decode_one(padded, sizeof(padded), bits, &insn) && insn.size > n)
            out->cls = FL_DEC_INCOMPLETE;
    }
}

/* It keeps nothing; any pointer will do. */
static void *distorm_open(char why[256])
{
    static char nothing;

    (void)why;
    return &nothing;
}

static void distorm_close(void *decoder)
{
    (void)decoder;
}

const struct fl_decoder_plugin *fl_decoder_plugin(void)
{
    static char version[16];
    static struct fl_decoder_plugin plugin = {FL_DECODER_PLUGIN_ABI, FL_DECODES_ALL,       "distorm",    version,
                                              distorm_open,          distorm_decode_bytes, distorm_close};
    unsigned number = distorm_version();

    /* 0x030401 */
    snprintf(version, sizeof(version), "%u.%u.%u", number >> 16 & 255, number >> 8 & 255, number & 255);
    return &plugin;
}
