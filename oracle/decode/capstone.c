/* SPDX-License-Identifier: MIT */
/*
 * Capstone as a decoder. Details are off: identity and length are enough, and it is a fifth faster.
 *
 * Capstone has one answer for everything that it does not decode. An instruction whose bytes end too early is told from
 * an invalid one by decoding again with zero bytes behind; "too long" is not told from invalid.
 */
#include <faultline/oracle/decode.h>

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct capstone_decoder {
    struct fl_decoder base;
    csh handle[3]; /* 16, 32, 64 bits */
    cs_insn *insn;
    char version[24];
};

/* Which prefetch the instruction is, FL_HINT_NONE when it is none. Capstone 5 calls 0F 0D /2 by its name, /3 to /7
 * are no instructions to it. */
static enum fl_prefetch_hint hint_of(unsigned id)
{
    switch (id) {
    case X86_INS_PREFETCH: return FL_HINT_PLAIN;
    case X86_INS_PREFETCHNTA: return FL_HINT_NTA;
    case X86_INS_PREFETCHT0: return FL_HINT_T0;
    case X86_INS_PREFETCHT1: return FL_HINT_T1;
    case X86_INS_PREFETCHT2: return FL_HINT_T2;
    case X86_INS_PREFETCHW: return FL_HINT_W;
#if CS_API_MAJOR >= 5
    case X86_INS_PREFETCHWT1: return FL_HINT_WT1;
#endif
    /* AVX512PF: prefetches with a vector of addresses; they do not fault either. */
    case X86_INS_VGATHERPF0DPD:
    case X86_INS_VGATHERPF0DPS:
    case X86_INS_VGATHERPF0QPD:
    case X86_INS_VGATHERPF0QPS:
    case X86_INS_VGATHERPF1DPD:
    case X86_INS_VGATHERPF1DPS:
    case X86_INS_VGATHERPF1QPD:
    case X86_INS_VGATHERPF1QPS:
    case X86_INS_VSCATTERPF0DPD:
    case X86_INS_VSCATTERPF0DPS:
    case X86_INS_VSCATTERPF0QPD:
    case X86_INS_VSCATTERPF0QPS:
    case X86_INS_VSCATTERPF1DPD:
    case X86_INS_VSCATTERPF1DPS:
    case X86_INS_VSCATTERPF1QPD:
    case X86_INS_VSCATTERPF1QPS: return FL_HINT_VECTOR;
    default: return FL_HINT_NONE;
    }
}

static enum fl_decode_class classify(const cs_insn *insn, const uint8_t *bytes, enum fl_prefetch_hint hint)
{
    if (hint != FL_HINT_NONE)
        return FL_DEC_PREFETCH;
    if (insn->id == X86_INS_NOP)
        return FL_DEC_NOP;
    /* A prefix as an instruction of its own. */
    if (insn->size == 1) {
        switch (bytes[0]) {
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
        case 0xf3: return FL_DEC_LONE_PREFIX;
        default: break;
        }
    }
    return FL_DEC_OTHER;
}

static bool decode_one(struct capstone_decoder *c, csh handle, const uint8_t *bytes, size_t n)
{
    uint64_t address = 0;

    return cs_disasm_iter(handle, &bytes, &n, &address, c->insn);
}

static struct fl_decoded capstone_decode(struct fl_decoder *d, const uint8_t *bytes, size_t n, unsigned bits)
{
    struct capstone_decoder *c = (struct capstone_decoder *)d;
    csh handle = c->handle[bits == 64 ? 2 : bits == 32 ? 1 : 0];
    struct fl_decoded out = {.cls = FL_DEC_INVALID};

    if (n == 0) {
        out.cls = FL_DEC_INCOMPLETE;
    } else if (decode_one(c, handle, bytes, n)) {
        out.hint = (uint8_t)hint_of(c->insn->id);
        out.cls = (uint8_t)classify(c->insn, bytes, out.hint);
        out.length = (uint8_t)c->insn->size;
    } else if (n < 15) {
        uint8_t padded[15] = {0};

        memcpy(padded, bytes, n);
        if (decode_one(c, handle, padded, sizeof(padded)) && c->insn->size > n)
            out.cls = FL_DEC_INCOMPLETE;
    }
    return out;
}

static void capstone_close(struct fl_decoder *d)
{
    struct capstone_decoder *c = (struct capstone_decoder *)d;

    if (c->insn)
        cs_free(c->insn, 1);
    for (unsigned i = 0; i < 3; i++)
        if (c->handle[i])
            cs_close(&c->handle[i]);
    free(c);
}

struct fl_decoder *fl_capstone_open(char why[256])
{
    static const cs_mode modes[3] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};
    struct capstone_decoder *c = calloc(1, sizeof(*c));
    int major, minor;

    if (!c) {
        snprintf(why, 256, "capstone: out of memory");
        return NULL;
    }
    cs_version(&major, &minor);
    snprintf(c->version, sizeof(c->version), "%d.%d", major, minor);
    c->base = (struct fl_decoder){"capstone", c->version, FL_DECODES_ALL, capstone_decode, capstone_close};
    if (major != CS_API_MAJOR) {
        /* The numbers of instructions differ between major versions. */
        snprintf(why, 256, "capstone: built for version %d, found %s", CS_API_MAJOR, c->version);
        capstone_close(&c->base);
        return NULL;
    }
    for (unsigned i = 0; i < 3; i++) {
        cs_err err = cs_open(CS_ARCH_X86, modes[i], &c->handle[i]);

        if (err != CS_ERR_OK) {
            c->handle[i] = 0;
            snprintf(why, 256, "capstone %s: %s", c->version, cs_strerror(err));
            capstone_close(&c->base);
            return NULL;
        }
    }
    c->insn = cs_malloc(c->handle[0]);
    if (!c->insn) {
        snprintf(why, 256, "capstone: out of memory");
        capstone_close(&c->base);
        return NULL;
    }
    return &c->base;
}
