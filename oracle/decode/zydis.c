/* SPDX-License-Identifier: MIT */
/*
 * Zydis as a decoder: all optional extensions as its defaults have them. Operands are not decoded.
 */
#include <faultline/oracle/decode.h>

#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>

struct zydis_decoder {
    struct fl_decoder base;
    ZydisDecoder decoder[3]; /* 16, 32, 64 bits */
    char version[24];
};

static enum fl_prefetch_hint hint_of(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    /* 0F 0D, the reserved /3 to /7 under one of these names too. */
    case ZYDIS_MNEMONIC_PREFETCH: return FL_HINT_PLAIN;
    case ZYDIS_MNEMONIC_PREFETCHW: return FL_HINT_W;
    case ZYDIS_MNEMONIC_PREFETCHWT1: return FL_HINT_WT1;
    case ZYDIS_MNEMONIC_PREFETCHNTA: return FL_HINT_NTA;
    case ZYDIS_MNEMONIC_PREFETCHT0: return FL_HINT_T0;
    case ZYDIS_MNEMONIC_PREFETCHT1: return FL_HINT_T1;
    case ZYDIS_MNEMONIC_PREFETCHT2: return FL_HINT_T2;
#ifdef FL_ZYDIS_HAS_PREFETCHIT /* since 4.1; its version macro has a cast in it, which #if does not take */
    case ZYDIS_MNEMONIC_PREFETCHIT0: return FL_HINT_IT0;
    case ZYDIS_MNEMONIC_PREFETCHIT1: return FL_HINT_IT1;
#endif
    /* AVX512PF: prefetches with a vector of addresses; they do not fault either. */
    case ZYDIS_MNEMONIC_VGATHERPF0DPD:
    case ZYDIS_MNEMONIC_VGATHERPF0DPS:
    case ZYDIS_MNEMONIC_VGATHERPF0QPD:
    case ZYDIS_MNEMONIC_VGATHERPF0QPS:
    case ZYDIS_MNEMONIC_VGATHERPF1DPD:
    case ZYDIS_MNEMONIC_VGATHERPF1DPS:
    case ZYDIS_MNEMONIC_VGATHERPF1QPD:
    case ZYDIS_MNEMONIC_VGATHERPF1QPS:
    case ZYDIS_MNEMONIC_VSCATTERPF0DPD:
    case ZYDIS_MNEMONIC_VSCATTERPF0DPS:
    case ZYDIS_MNEMONIC_VSCATTERPF0QPD:
    case ZYDIS_MNEMONIC_VSCATTERPF0QPS:
    case ZYDIS_MNEMONIC_VSCATTERPF1DPD:
    case ZYDIS_MNEMONIC_VSCATTERPF1DPS:
    case ZYDIS_MNEMONIC_VSCATTERPF1QPD:
    case ZYDIS_MNEMONIC_VSCATTERPF1QPS: return FL_HINT_VECTOR;
    default: return FL_HINT_NONE;
    }
}

static struct fl_decoded classify(const ZydisDecodedInstruction *insn)
{
    struct fl_decoded out = {.cls = FL_DEC_OTHER, .length = insn->length};
    enum fl_prefetch_hint hint;

    if (insn->mnemonic == ZYDIS_MNEMONIC_NOP) {
        out.cls = FL_DEC_NOP;
        return out;
    }
    hint = hint_of(insn->mnemonic);
    /* By category too: the scalar and hint-only prefetches of Knights Corner have names of their own. */
    if (hint == FL_HINT_NONE &&
        (insn->meta.category == ZYDIS_CATEGORY_PREFETCH || insn->meta.category == ZYDIS_CATEGORY_PREFETCHWT1))
        hint = FL_HINT_VECTOR;
    if (hint != FL_HINT_NONE) {
        out.cls = FL_DEC_PREFETCH;
        out.hint = (uint8_t)hint;
    }
    return out;
}

static struct fl_decoded zydis_decode(struct fl_decoder *d, const uint8_t *bytes, size_t n, unsigned bits)
{
    struct zydis_decoder *z = (struct zydis_decoder *)d;
    ZydisDecodedInstruction insn;
    ZyanStatus status = n == 0 ? ZYDIS_STATUS_NO_MORE_DATA
                               : ZydisDecoderDecodeInstruction(&z->decoder[bits == 64   ? 2
                                                                           : bits == 32 ? 1
                                                                                        : 0],
                                                               NULL, bytes, n, &insn);

    if (ZYAN_SUCCESS(status))
        return classify(&insn);
    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        return (struct fl_decoded){.cls = FL_DEC_INCOMPLETE};
    if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
        return (struct fl_decoded){.cls = FL_DEC_TOO_LONG};
    return (struct fl_decoded){.cls = FL_DEC_INVALID};
}

static void zydis_close(struct fl_decoder *d)
{
    free(d);
}

struct fl_decoder *fl_zydis_open(char why[256])
{
    static const struct {
        ZydisMachineMode mode;
        ZydisStackWidth stack;
    } modes[3] = {
        {ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16},
        {ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32},
        {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
    };
    struct zydis_decoder *z = calloc(1, sizeof(*z));
    ZyanU64 version = ZydisGetVersion();

    if (!z) {
        snprintf(why, 256, "zydis: out of memory");
        return NULL;
    }
    snprintf(z->version, sizeof(z->version), "%u.%u.%u", (unsigned)ZYDIS_VERSION_MAJOR(version),
             (unsigned)ZYDIS_VERSION_MINOR(version), (unsigned)ZYDIS_VERSION_PATCH(version));
    z->base = (struct fl_decoder){"zydis", z->version, FL_DECODES_ALL, zydis_decode, zydis_close};
    if (ZYDIS_VERSION_MAJOR(version) != ZYDIS_VERSION_MAJOR(ZYDIS_VERSION) ||
        ZYDIS_VERSION_MINOR(version) != ZYDIS_VERSION_MINOR(ZYDIS_VERSION)) {
        /* The numbers of mnemonics differ between minor versions. */
        snprintf(why, 256, "zydis: built for version %u.%u, found %s", (unsigned)ZYDIS_VERSION_MAJOR(ZYDIS_VERSION),
                 (unsigned)ZYDIS_VERSION_MINOR(ZYDIS_VERSION), z->version);
        zydis_close(&z->base);
        return NULL;
    }
    for (unsigned i = 0; i < 3; i++) {
        ZyanStatus status = ZydisDecoderInit(&z->decoder[i], modes[i].mode, modes[i].stack);

        if (!ZYAN_SUCCESS(status)) {
            snprintf(why, 256, "zydis %s: initialisation failed with status %#x", z->version, (unsigned)status);
            zydis_close(&z->base);
            return NULL;
        }
    }
    return &z->base;
}
