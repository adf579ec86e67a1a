/* SPDX-License-Identifier: MIT */
/*
 * libopcodes (GNU binutils, what objdump and gdb disassemble with) as a decoder plug-in.
 *
 * libopcodes is under the GPL, version 3 or later. This file is under the licence above, but what is built from it and
 * libopcodes together is under the GPL; that is why it is a shared object of its own, which nothing is linked with, and
 * which need not be built (-Dopcodes=disabled) or handed on.
 *
 * The library answers with a length and with text, piece by piece, each piece with a style. The mnemonic is the last
 * piece in the mnemonic's style; before it come prefixes that found no use.
 */
#define _GNU_SOURCE             /* dladdr */
#define PACKAGE     "faultline" /* bfd.h refuses to be read without; it means the configuration of binutils itself */
#include "text.h"

#include <dis-asm.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct opcodes_decoder {
    struct disassemble_info info[3]; /* 16, 32, 64 bits */
    disassembler_ftype print[3];
    const uint8_t *bytes; /* of this call */
    size_t n;
    uint8_t cls;     /* by the words so far, */
    uint8_t hint;    /* and which prefetch */
    uint8_t bad;     /* "(bad)" was said */
    uint8_t cut_off; /* it asked for more bytes than there are */
};

static void take_word(struct opcodes_decoder *o, const char *word, size_t n)
{
    enum fl_decode_class cls;
    uint8_t hint;

    while (n && word[n - 1] == ' ')
        n--;
    if (n == 5 && memcmp(word, "(bad)", 5) == 0) {
        o->bad = 1;
        return;
    }
    cls = class_of_word(word, n, &hint);
    if (cls != FL_DEC_OTHER) {
        o->cls = (uint8_t)cls;
        o->hint = hint;
    }
}

/* It prints "%.*s" for nearly everything; that needs no formatting. */
static int print_styled(void *stream, enum disassembler_style style, const char *format, ...)
{
    struct opcodes_decoder *o = stream;
    va_list args;

    /* Operands do not matter. "(bad)" comes as text. */
    if (style != dis_style_mnemonic && style != dis_style_text)
        return 0;
    va_start(args, format);
    if (strcmp(format, "%.*s") == 0) {
        int most = va_arg(args, int);
        const char *word = va_arg(args, const char *);

        take_word(o, word, strnlen(word, most > 0 ? (size_t)most : 0));
    } else if (strcmp(format, "%s") == 0) {
        const char *word = va_arg(args, const char *);

        take_word(o, word, strlen(word));
    } else {
        char text[64];

        vsnprintf(text, sizeof(text), format, args);
        take_word(o, text, strlen(text));
    }
    va_end(args);
    return 0;
}

/* Never called by a library that knows styles. */
static int print_plain(void *stream, const char *format, ...)
{
    (void)stream;
    (void)format;
    return 0;
}

/* Bytes that end before the fifteenth end too early. Behind that there are zeros, so that the library's own limit on
 * the length of an instruction speaks. */
static int read_bytes(bfd_vma address, bfd_byte *to, unsigned length, struct disassemble_info *info)
{
    struct opcodes_decoder *o = info->application_data;

    if (address + length <= o->n) {
        memcpy(to, o->bytes + address, length);
        return 0;
    }
    if (o->n < 15) {
        o->cut_off = 1;
        return 1;
    }
    for (unsigned i = 0; i < length; i++)
        to[i] = address + i < o->n ? o->bytes[address + i] : 0;
    return 0;
}

static void ignore_error(int status, bfd_vma address, struct disassemble_info *info)
{
    (void)status;
    (void)address;
    (void)info;
}

static void ignore_address(bfd_vma address, struct disassemble_info *info)
{
    (void)address;
    (void)info;
}

static void opcodes_decode(void *decoder, const uint8_t *bytes, size_t n, unsigned bits, struct fl_decoded *out)
{
    struct opcodes_decoder *o = decoder;
    unsigned mode = bits == 64 ? 2 : bits == 32 ? 1 : 0;
    int length;

    *out = (struct fl_decoded){.cls = FL_DEC_INVALID};
    o->bytes = bytes;
    o->n = n;
    o->cut_off = 0;
    o->cls = FL_DEC_OTHER;
    o->hint = FL_HINT_NONE;
    o->bad = 0;
    length = o->print[mode](0, &o->info[mode]);
    if (o->cut_off) {
        out->cls = FL_DEC_INCOMPLETE;
    } else if (length > 0 && !o->bad) {
        out->length = (uint8_t)length;
        if (only_prefixes(bytes, (size_t)length, bits)) {
            out->cls = FL_DEC_LONE_PREFIX;
        } else {
            out->cls = o->cls;
            out->hint = o->hint;
        }
    }
}

static void opcodes_close(void *decoder)
{
    free(decoder);
}

static void *opcodes_open(char why[256])
{
    static const unsigned long machines[3] = {bfd_mach_i386_i8086, bfd_mach_i386_i386, bfd_mach_x86_64};
    struct opcodes_decoder *o = calloc(1, sizeof(*o));

    if (!o) {
        snprintf(why, 256, "out of memory");
        return NULL;
    }
    for (unsigned i = 0; i < 3; i++) {
        struct disassemble_info *info = &o->info[i];

        init_disassemble_info(info, o, print_plain, print_styled);
        info->arch = bfd_arch_i386;
        info->mach = machines[i];
        info->endian = info->endian_code = BFD_ENDIAN_LITTLE;
        info->application_data = o;
        info->read_memory_func = read_bytes;
        info->memory_error_func = ignore_error;
        info->print_address_func = ignore_address;
        disassemble_init_for_target(info);
        o->print[i] = disassembler(bfd_arch_i386, false, machines[i], NULL);
        if (!o->print[i]) {
            snprintf(why, 256, "libopcodes was built without x86");
            free(o);
            return NULL;
        }
    }
    return o;
}

/* Neither the library nor its headers say their version; the library's file name does: libopcodes-2.40-system.so. */
static void find_version(char version[16])
{
    Dl_info where;
    const char *at = NULL;
    size_t n = 0;

    if (dladdr((const void *)(uintptr_t)init_disassemble_info, &where) && where.dli_fname)
        at = strstr(where.dli_fname, "libopcodes-");
    if (at) {
        at += strlen("libopcodes-");
        n = strspn(at, "0123456789.");
        while (n && at[n - 1] == '.')
            n--;
    }
    if (n >= 1 && n <= 15)
        snprintf(version, 16, "%.*s", (int)n, at);
    else
        strcpy(version, "unknown");
}

const struct fl_decoder_plugin *fl_decoder_plugin(void)
{
    static char version[16];
    static struct fl_decoder_plugin plugin = {FL_DECODER_PLUGIN_ABI, FL_DECODES_ALL, "opcodes",    version,
                                              opcodes_open,          opcodes_decode, opcodes_close};

    if (!*version)
        find_version(version);
    return &plugin;
}
