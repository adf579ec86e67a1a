/* SPDX-License-Identifier: MIT */
/*
 * Decoders: what disassemblers say of an instruction, held against the prefetch rule. One vtable, one file each:
 * Capstone and Zydis are linked in, others (libopcodes, LLVM, distorm, a user's own) are plug-ins. The rule under test is fl_prefetch_rule(): in at most 15 bytes, any run of legacy prefixes
 * (26 2E 36 3E 64 65 66 67 F0 F2 F3; in 64-bit code also 40..4F, anywhere in the run), then 0F 0D or 0F 18.
 */
#ifndef FAULTLINE_ORACLE_DECODE_H
#define FAULTLINE_ORACLE_DECODE_H

#include <faultline/oracle/decoder_plugin.h>
#include <faultline/types.h>

struct fl_decoder {
    const char *name;    /* "capstone", "zydis" */
    const char *version; /* of the library that runs, not of the header */
    unsigned modes;      /* FL_DECODES_16 | ...: the code sizes that it knows; decode is asked about no others */
    /* bytes[0..n), n <= 16, code of 16, 32 or 64 bits. Never fails: what cannot be decoded has a class for that. */
    struct fl_decoded (*decode)(struct fl_decoder *d, const uint8_t *bytes, size_t n, unsigned bits);
    void (*close)(struct fl_decoder *d);
};

/* NULL when not built in or it does not open; why [OUT] then holds one line. */
struct fl_decoder *fl_capstone_open(char why[256]);
struct fl_decoder *fl_zydis_open(char why[256]);

/* A shared object with the interface of decoder_plugin.h. NULL: it cannot be loaded, lacks fl_decoder_plugin(), has another
 * ABI, breaks a rule of that header (name, version, modes, a missing function), or its open() failed; why [OUT] then
 * holds one line that names the file. path has a slash in it, or is found like a library. */
struct fl_decoder *fl_plugin_open(const char *path, char why[256]);

/* The rule. n may be less than 15: reading stops at bytes[n) as at an unreadable byte, and the answer is then false.
 * *used [OUT, may be NULL] is how many bytes were looked at. */
bool fl_prefetch_rule(const uint8_t *bytes, size_t n, unsigned bits, size_t *used);

/* The same as an automaton, which is what it is: the fold of fl_prefetch_step over at most FL_RULE_BYTES bytes. */
#define FL_RULE_BYTES 15u

enum fl_rule_state {
    FL_RULE_PREFIXES, /* in the run of prefixes; the start */
    FL_RULE_ESCAPE,   /* behind it came 0F */
    FL_RULE_PREFETCH, /* final */
    FL_RULE_NOT,      /* final */
    FL_RULE_STATE_COUNT
};

/* The state after one more byte. Final states stay. bits: 16, 32 or 64. */
enum fl_rule_state fl_prefetch_step(enum fl_rule_state state, uint8_t byte, unsigned bits);

/* What expected differences, and the classes of a report, are keyed by: facts about a run of prefixes, as bits. */
uint32_t fl_prefix_features(const uint8_t *prefixes, unsigned n, unsigned bits);

/* Short names for people ("LOCK", "REX"), and what they mean; NULL from FL_FEATURE_MAX on or where there is none. */
#define FL_FEATURE_MAX 20u
const char *fl_prefix_feature_name(unsigned bit);
const char *fl_prefix_feature_meaning(unsigned bit);

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

/* Does the row speak about this decoder in this version? Looks at nothing but d's name and version. */
bool fl_decode_row_applies(const struct fl_decode_row *row, const struct fl_decoder *d);

/* Holds one decoder's answer against the rule's. */
enum fl_decode_agreement fl_decode_judge(const struct fl_decoder *d, const uint8_t *bytes, size_t n, unsigned bits,
                                         bool rule_says, struct fl_decoded said, const struct fl_decode_row **row);

const char *fl_decode_class_name(enum fl_decode_class cls);

#endif
