/* SPDX-License-Identifier: MIT */
/*
 * Decoders: what disassemblers say of an instruction, held against the prefetch rule. One vtable, one file each
 * (Capstone, Zydis now). The rule under test is fl_prefetch_rule(): in at most 15 bytes, any run of legacy prefixes
 * (26 2E 36 3E 64 65 66 67 F0 F2 F3; in 64-bit code also 40..4F, anywhere in the run), then 0F 0D or 0F 18.
 */
#ifndef FAULTLINE_ORACLE_DECODE_H
#define FAULTLINE_ORACLE_DECODE_H

#include <faultline/types.h>

enum fl_decode_class {
    FL_DEC_PREFETCH,    /* a prefetch instruction */
    FL_DEC_NOP,         /* a (hint) nop */
    FL_DEC_OTHER,       /* some other instruction */
    FL_DEC_INVALID,     /* no instruction */
    FL_DEC_LONE_PREFIX, /* splits a prefix off as an instruction of its own */
    FL_DEC_INCOMPLETE,  /* the bytes end inside an instruction */
    FL_DEC_TOO_LONG,    /* would be longer than 15 bytes */
    FL_DEC_CLASS_COUNT
};

struct fl_decoded {
    uint8_t cls;    /* enum fl_decode_class */
    uint8_t length; /* 0 when not an instruction */
};

struct fl_decoder {
    const char *name;    /* "capstone", "zydis" */
    const char *version; /* of the library that runs, not of the header */
    /* bytes[0..n), n <= 16, code of 16, 32 or 64 bits. Never fails: what cannot be decoded has a class for that. */
    struct fl_decoded (*decode)(struct fl_decoder *d, const uint8_t *bytes, size_t n, unsigned bits);
    void (*close)(struct fl_decoder *d);
};

/* NULL when not built in or it does not open; why [OUT] then holds one line. */
struct fl_decoder *fl_capstone_open(char why[256]);
struct fl_decoder *fl_zydis_open(char why[256]);

/* The rule. n may be less than 15: reading stops at bytes[n) as at an unreadable byte, and the answer is then false.
 * *used [OUT, may be NULL] is how many bytes were looked at. */
bool fl_prefetch_rule(const uint8_t *bytes, size_t n, unsigned bits, size_t *used);

/* The class of byte strings that an expected difference is keyed by: which prefixes, opcode, ModRM.reg and mod. */
enum fl_decode_agreement {
    FL_DECODE_AGREE,
    FL_DECODE_EXPECTED, /* differs; a row of the list covers decoder, version and class: *row set */
    FL_DECODE_DIFFERS   /* a finding */
};

struct fl_decode_row {
    const char *decoder;
    const char *versions; /* "4.0.*", "*", ... */
    const char *id;       /* stable */
    const char *reason;
    const char *source;
};
const struct fl_decode_row *fl_decode_rows(size_t *count);

/* Holds one decoder's answer against the rule's. */
enum fl_decode_agreement fl_decode_judge(const struct fl_decoder *d, const uint8_t *bytes, size_t n, unsigned bits,
                                         bool rule_says, struct fl_decoded said, const struct fl_decode_row **row);

const char *fl_decode_class_name(enum fl_decode_class cls);

#endif
