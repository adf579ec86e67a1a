/* SPDX-License-Identifier: MIT */
/*
 * LLVM's MC disassembler as a decoder plug-in, through its C interface. That answers with a length and a text; the
 * mnemonic is the first word of the text.
 *
 * LLVM has one answer for everything that it does not decode. An instruction whose bytes end too early is told from an
 * invalid one by decoding again with zero bytes behind; "too long" is not told from invalid.
 */
#include "text.h"

#include <llvm-c/Disassembler.h>
#include <llvm/Config/llvm-config.h>
#include <stdio.h>
#include <stdlib.h>
#if LLVM_VERSION_MAJOR >= 16
#    include <llvm-c/Core.h>
#endif

/* Of llvm-c/Target.h, which wants a list of all targets that were configured. */
void LLVMInitializeX86TargetInfo(void);
void LLVMInitializeX86TargetMC(void);
void LLVMInitializeX86Disassembler(void);

struct llvm_decoder {
    LLVMDisasmContextRef context[3]; /* 16, 32, 64 bits */
    char text[64];                   /* of the instruction; cut off when it is longer */
};

static size_t decode_one(struct llvm_decoder *l, LLVMDisasmContextRef context, const uint8_t *bytes, size_t n)
{
    return LLVMDisasmInstruction(context, (uint8_t *)bytes, n, 0, l->text, sizeof(l->text));
}

static enum fl_decode_class classify(const char *text, uint8_t *hint)
{
    enum fl_decode_class cls;

    /* Prefixes that it prints stand before the mnemonic, as words of their own. A prefetch and a nop have at most one
     * word behind theirs that could be taken for one, so the first word that is one decides. */
    do {
        size_t n;

        text += strspn(text, " \t");
        n = strcspn(text, " \t");
        cls = class_of_word(text, n, hint);
        text += n;
    } while (cls == FL_DEC_OTHER && *text);
    return cls;
}

static void llvm_decode(void *decoder, const uint8_t *bytes, size_t n, unsigned bits, struct fl_decoded *out)
{
    struct llvm_decoder *l = decoder;
    LLVMDisasmContextRef context = l->context[bits == 64 ? 2 : bits == 32 ? 1 : 0];
    size_t length = n ? decode_one(l, context, bytes, n) : 0;

    *out = (struct fl_decoded){.cls = n ? FL_DEC_INVALID : FL_DEC_INCOMPLETE};
    if (length) {
        out->length = (uint8_t)length;
        out->cls = only_prefixes(bytes, length, bits) ? FL_DEC_LONE_PREFIX : classify(l->text, &out->hint);
    } else if (n < 15) {
        uint8_t padded[32] = {0}; /* it knows no limit of 15 */

        memcpy(padded, bytes, n);
        if (decode_one(l, context, padded, sizeof(padded)) > n)
            out->cls = FL_DEC_INCOMPLETE;
    }
}

static void llvm_close(void *decoder)
{
    struct llvm_decoder *l = decoder;

    for (unsigned i = 0; i < 3; i++)
        if (l->context[i])
            LLVMDisasmDispose(l->context[i]);
    free(l);
}

static void *llvm_open(char why[256])
{
    static const char *const triples[3] = {"i386-unknown-linux-code16", "i386-unknown-linux", "x86_64-unknown-linux"};
    struct llvm_decoder *l = calloc(1, sizeof(*l));

    if (!l) {
        snprintf(why, 256, "out of memory");
        return NULL;
    }
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86Disassembler();
    for (unsigned i = 0; i < 3; i++) {
        l->context[i] = LLVMCreateDisasm(triples[i], NULL, 0, NULL, NULL);
        if (!l->context[i]) {
            snprintf(why, 256, "LLVM has no disassembler for %s", triples[i]);
            llvm_close(l);
            return NULL;
        }
    }
    return l;
}

const struct fl_decoder_plugin *fl_decoder_plugin(void)
{
    static char version[16];
    static struct fl_decoder_plugin plugin = {FL_DECODER_PLUGIN_ABI, FL_DECODES_ALL, "llvm", version, llvm_open,
                                              llvm_decode,           llvm_close};
    unsigned major = LLVM_VERSION_MAJOR, minor = LLVM_VERSION_MINOR, patch = LLVM_VERSION_PATCH;

    /* Before 16 the library does not say; its file name has the major version in it, so the header's is near enough. */
#if LLVM_VERSION_MAJOR >= 16
    LLVMGetVersion(&major, &minor, &patch);
#endif
    snprintf(version, sizeof(version), "%u.%u.%u", major, minor, patch);
    return &plugin;
}
