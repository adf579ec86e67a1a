/* SPDX-License-Identifier: MIT */
/*
 * A decoder of your own for `faultline conform`: build this into a shared object and name it with --decoders ./it.so.
 * This header is all that it needs; it includes nothing of Faultline and uses no type but these.
 *
 *     cc -shared -fPIC -I FAULTLINE/oracle/include -o it.so it.c
 *
 * The decoder runs in a worker process: one that crashes or hangs is reported with the bytes that did it, and the run
 * goes on. Several workers each have a decoder of their own; nothing is called from two threads.
 */
#ifndef FAULTLINE_ORACLE_DECODER_PLUGIN_H
#define FAULTLINE_ORACLE_DECODER_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define FL_DECODER_PLUGIN_ABI 1u

enum fl_decode_class {
    FL_DEC_PREFETCH,    /* a prefetch instruction; hint says which */
    FL_DEC_NOP,         /* a (hint) nop */
    FL_DEC_OTHER,       /* some other instruction */
    FL_DEC_INVALID,     /* no instruction */
    FL_DEC_LONE_PREFIX, /* splits a prefix off as an instruction of its own */
    FL_DEC_INCOMPLETE,  /* the bytes end inside an instruction */
    FL_DEC_TOO_LONG,    /* would be longer than 15 bytes */
    FL_DEC_CLASS_COUNT
};

/* Which prefetch. */
enum fl_prefetch_hint {
    FL_HINT_NONE,     /* it is no prefetch, or the decoder does not say which */
    FL_HINT_NTA,      /* PREFETCHNTA */
    FL_HINT_T0,       /* PREFETCHT0 */
    FL_HINT_T1,       /* PREFETCHT1 */
    FL_HINT_T2,       /* PREFETCHT2 */
    FL_HINT_PLAIN,    /* PREFETCH (3DNow!) */
    FL_HINT_W,        /* PREFETCHW */
    FL_HINT_WT1,      /* PREFETCHWT1 */
    FL_HINT_IT0,      /* PREFETCHIT0 */
    FL_HINT_IT1,      /* PREFETCHIT1 */
    FL_HINT_RESERVED, /* named as a prefetch whose hint is reserved */
    FL_HINT_VECTOR,   /* a gather or scatter prefetch, or another one that is not 0F 0D or 0F 18 */
    FL_HINT_COUNT
};

struct fl_decoded {
    uint8_t cls;    /* enum fl_decode_class */
    uint8_t length; /* of the instruction in bytes, 1..15; 0 when it is none */
    uint8_t hint;   /* enum fl_prefetch_hint; FL_HINT_NONE unless cls is FL_DEC_PREFETCH */
};

/* Code sizes, for modes. */
#define FL_DECODES_16  1u
#define FL_DECODES_32  2u
#define FL_DECODES_64  4u
#define FL_DECODES_ALL 7u

struct fl_decoder_plugin {
    uint32_t abi;        /* FL_DECODER_PLUGIN_ABI */
    uint32_t modes;      /* FL_DECODES_16 | ...: others are not asked for */
    const char *name;    /* 1 to 15 of a-z 0-9 -: the column's name, and what expected differences are keyed by */
    const char *version; /* of the library that runs, at most 15 characters */

    /* A decoder, once for each worker process. NULL: it does not open; why [OUT] then holds one line. */
    void *(*open)(char why[256]);

    /* One instruction from bytes[0..n), n at most 16, in code of 16, 32 or 64 bits that begins at address 0. *out [OUT] is
     * whole whatever the bytes are: there is a class for each way in which bytes are no instruction. */
    void (*decode)(void *decoder, const uint8_t *bytes, size_t n, unsigned bits, struct fl_decoded *out);

    void (*close)(void *decoder);
};

/* What the shared object exports. The answer is the same at each call. */
const struct fl_decoder_plugin *fl_decoder_plugin(void);

#endif
