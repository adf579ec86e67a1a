/* SPDX-License-Identifier: MIT */
/* The prefetch rule, the automaton that it is, the features of a run of prefixes, and the judge. */
#include "spaces.h"

/* ---- the rule --------------------------------------------------------------------------------------------------- */

struct rule_vector {
    const char *bytes; /* hexadecimal */
    uint8_t bits;
    bool prefetch;
    uint8_t used;
};

static const struct rule_vector rule_vectors[] = {
    {"", 64, false, 0},
    {"0f", 64, false, 1},
    {"0f0d", 64, true, 2},
    {"0f18", 16, true, 2},
    {"0f1808", 32, true, 2},
    {"0f0c08", 32, false, 2},
    {"0f19", 32, false, 2},
    {"0f0f0d", 32, false, 2},
    {"0e18", 32, false, 1},
    {"0d", 32, false, 1},
    {"18", 32, false, 1},
    {"f00f18", 32, true, 3},
    {"f20f0d", 16, true, 3},
    {"f30f0d", 64, true, 3},
    {"f10f0d", 64, false, 1},
    {"f40f18", 64, false, 1},
    {"262e363e646566670f18", 32, true, 10},
    {"62", 64, false, 1},
    {"680f18", 64, false, 1},
    {"270f18", 32, false, 1},
    {"400f18", 64, true, 3},
    {"400f18", 32, false, 1},
    {"4f0f18", 16, false, 1},
    {"4f66400f0d", 64, true, 5},
    {"500f18", 64, false, 1},
    {"66666666666666666666666666"
     "0f18",
     32, true, 15}, /* 13 prefixes: the opcode ends at byte 15 */
    {"6666666666666666666666666666"
     "0f18",
     32, false, 15}, /* 14: its second byte is the sixteenth */
    {"666666666666666666666666666666"
     "0f",
     32, false, 15},
    {"66666666666666666666666666666666", 64, false, 15},
};

static void test_rule(void)
{
    for (size_t v = 0; v < sizeof(rule_vectors) / sizeof(rule_vectors[0]); v++) {
        const struct rule_vector *vector = &rule_vectors[v];
        size_t n = strlen(vector->bytes) / 2;
        /* Exactly as long as what may be read. */
        uint8_t *bytes = malloc(n ? n : 1);
        size_t used = 99;

        for (size_t i = 0; i < n; i++) {
            unsigned byte;

            sscanf(vector->bytes + 2 * i, "%2x", &byte);
            bytes[i] = (uint8_t)byte;
        }
        CHECK_EQ(fl_prefetch_rule(bytes, n, vector->bits, &used), vector->prefetch, "%s in %u-bit code", vector->bytes,
                 vector->bits);
        CHECK_EQ(used, vector->used, "%s in %u-bit code", vector->bytes, vector->bits);
        CHECK_EQ(fl_prefetch_rule(bytes, n, vector->bits, NULL), vector->prefetch, "%s", vector->bytes);
        /* Cut anywhere before the end of what was looked at, it is no longer known to be a prefetch. */
        for (size_t cut = 0; cut < used; cut++) {
            size_t used_then;

            CHECK(!fl_prefetch_rule(bytes, cut, vector->bits, &used_then), "%s cut to %zu bytes", vector->bytes, cut);
            CHECK_EQ(used_then, cut, "%s cut to %zu bytes", vector->bytes, cut);
        }
        free(bytes);
    }
}

/* The automaton, every byte in every state. What it must say stands here once more, in other words. */
static void test_step(void)
{
    static const char prefixes[] = "\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3";

    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        for (unsigned byte = 0; byte < 256; byte++) {
            bool prefix = memchr(prefixes, (int)byte, sizeof(prefixes) - 1) || (bits == 64 && byte >> 4 == 4);
            enum fl_rule_state after_prefixes = prefix ? FL_RULE_PREFIXES : byte == 0x0f ? FL_RULE_ESCAPE : FL_RULE_NOT;
            enum fl_rule_state after_escape = byte == 0x0d || byte == 0x18 ? FL_RULE_PREFETCH : FL_RULE_NOT;

            CHECK_EQ(fl_prefetch_step(FL_RULE_PREFIXES, (uint8_t)byte, bits), after_prefixes, "%#x, %u", byte, bits);
            CHECK_EQ(fl_prefetch_step(FL_RULE_ESCAPE, (uint8_t)byte, bits), after_escape, "%#x, %u", byte, bits);
            CHECK_EQ(fl_prefetch_step(FL_RULE_PREFETCH, (uint8_t)byte, bits), FL_RULE_PREFETCH, "%#x, %u", byte, bits);
            CHECK_EQ(fl_prefetch_step(FL_RULE_NOT, (uint8_t)byte, bits), FL_RULE_NOT, "%#x, %u", byte, bits);
        }
    }
}

/* ---- features of prefixes --------------------------------------------------------------------------------------- */

/* By name, so that the table of names is checked with the function. */
static void check_features(const char *prefixes, unsigned n, unsigned bits, const char *want)
{
    uint32_t has = fl_prefix_features((const uint8_t *)prefixes, n, bits);
    char names[256] = "";

    for (unsigned bit = 0; bit < 32; bit++)
        if (has >> bit & 1)
            snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", *names ? " " : "",
                     fl_prefix_feature_name(bit) ? fl_prefix_feature_name(bit) : "?");
    CHECK(strcmp(names, want) == 0, "%u-bit code, %s: got %s", bits, want, names);
}

static void test_features(void)
{
    uint32_t seen = 0;

    check_features("", 0, 64, "");
    for (const char *segment = "\x26\x2e\x36\x3e\x64\x65"; *segment; segment++)
        check_features(segment, 1, 32, "SEG");
    check_features("\x66\x67", 2, 16, "66 67");
    check_features("\xf2", 1, 64, "REP");
    check_features("\xf3\xf0", 2, 64, "REP LOCK REP-APART LOCK-SPLIT");
    check_features("\x26\xf0", 2, 64, "SEG LOCK");
    check_features("\x40\xf2\xf0", 3, 64, "REP LOCK REX-EARLY REP-APART");
    check_features("\xf0\xf3", 2, 64, "REP LOCK REP-AFTER-LOCK LOCK-SPLIT");
    check_features("\xf0\xf3\xf0", 3, 64, "REP LOCK REP-APART LOCK-SPLIT");
    check_features("\x47", 1, 64, "REX");
    check_features("\x48", 1, 32, "REX REX.W");
    check_features("\x48\x40", 2, 64, "REX REX-EARLY REX-TWICE");
    check_features("\x4f\x26", 2, 16, "SEG REX-EARLY");
    check_features("\xf2\x26", 2, 64, "SEG REP REP-APART");
    check_features("\xf2\x66\x26", 3, 64, "SEG 66 REP");
    check_features("\xf2\x26\x66", 3, 64, "SEG 66 REP");
    check_features("\xf2\x40", 2, 64, "REP REX");
    check_features("\xf2\x40", 2, 32, "REP REX REP-APART");
    check_features("\x40\x48", 2, 64, "REX REX.W REX-EARLY");
    check_features("\xf2\x26\xf0", 3, 64, "SEG REP LOCK REP-APART");

    for (unsigned bit = 0; bit < 32; bit++) {
        const char *name = fl_prefix_feature_name(bit), *meaning = fl_prefix_feature_meaning(bit);

        CHECK(!name == !meaning, "bit %u", bit);
        CHECK(!name || (bit < FL_FEATURE_MAX && strlen(name) > 1 && strlen(meaning) > 5), "bit %u", bit);
        if (name)
            seen |= 1u << bit;
    }
    /* No bit comes out that has no name. */
    for (unsigned i = 0; i < PREFIXES * PREFIXES * PREFIXES; i++) {
        uint8_t set[PREFIXES];

        prefix_set(set);
        const uint8_t run[3] = {set[i % PREFIXES], set[i / PREFIXES % PREFIXES], set[i / PREFIXES / PREFIXES]};

        for (unsigned bits = 16; bits <= 64; bits *= 2)
            CHECK_EQ(fl_prefix_features(run, 3, bits) & ~seen, 0, "%02x %02x %02x", run[0], run[1], run[2]);
    }
}

/* ---- the judge, on answers that no decoder gives ---------------------------------------------------------------- */

static void test_judge(void)
{
    const struct fl_decoder capstone4 = {.name = "capstone", .version = "4.0"};
    const struct fl_decoder capstone6 = {.name = "capstone", .version = "6.1"};
    const struct fl_decoder zydis40 = {.name = "zydis", .version = "4.0.3"};
    const struct fl_decoder zydis41 = {.name = "zydis", .version = "4.1.0"};
    const struct fl_decoder amd = {.name = "native", .version = "AuthenticAMD-25-97"};
    const struct fl_decoder intel = {.name = "native", .version = "GenuineIntel-6-106"};
    const struct fl_decoder llvm20 = {.name = "llvm", .version = "20.1.0"};
    const struct fl_decoder llvm19 = {.name = "llvm", .version = "19.1.7"};
    const struct fl_decoder unknown = {.name = "unknown", .version = "4.0"};
    static const uint8_t prefetch_0[15] = {0x0f, 0x0d, 0x00}, hint_6[15] = {0x0f, 0x18, 0x30};
    static const uint8_t nta[15] = {0x0f, 0x18, 0x00}, other[15] = {0x0f, 0x1f, 0x00};
    static const uint8_t locked[15] = {0xf0, 0x0f, 0x18, 0x00}, with_register[15] = {0x0f, 0x0d, 0xc0};
    static const uint8_t cut[15] = {0x0f, 0x18, 0x80}, rex_early[15] = {0x40, 0x26, 0x0f, 0x18, 0x00};
    static const uint8_t too_long[15] = {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                         0x66, 0x66, 0x66, 0x66, 0x0f, 0x18, 0x40};
    const struct {
        const struct fl_decoder *d;
        const uint8_t *bytes;
        bool rule;
        struct fl_decoded said;
        enum fl_decode_agreement want;
        const char *row;
        uint8_t n; /* 0: 15 */
    } cases[] = {
        {&capstone4, prefetch_0, true, {FL_DEC_INVALID, 0}, FL_DECODE_EXPECTED, "capstone4-0d-0"},
        {&capstone4, prefetch_0, true, {FL_DEC_NOP, 3}, FL_DECODE_DIFFERS, NULL},
        {&capstone6, prefetch_0, true, {FL_DEC_INVALID, 0}, FL_DECODE_DIFFERS, NULL},
        {&zydis40, prefetch_0, true, {FL_DEC_INVALID, 0}, FL_DECODE_DIFFERS, NULL},
        {&unknown, prefetch_0, true, {FL_DEC_INVALID, 0}, FL_DECODE_DIFFERS, NULL},
        {&zydis40, hint_6, true, {FL_DEC_NOP, 3}, FL_DECODE_EXPECTED, "zydis40-18-6-7"},
        {&zydis41, hint_6, true, {FL_DEC_NOP, 3}, FL_DECODE_DIFFERS, NULL},
        {&zydis41, nta, true, {FL_DEC_PREFETCH, 3}, FL_DECODE_AGREE, NULL},
        {&zydis41, nta, true, {FL_DEC_PREFETCH, 4}, FL_DECODE_DIFFERS, NULL},
        {&zydis41, nta, true, {FL_DEC_LONE_PREFIX, 1}, FL_DECODE_DIFFERS, NULL},
        {&zydis41, other, false, {FL_DEC_NOP, 3}, FL_DECODE_AGREE, NULL},
        {&zydis41, other, false, {FL_DEC_PREFETCH, 3}, FL_DECODE_DIFFERS, NULL},
        {&zydis41, other, true, {FL_DEC_NOP, 3}, FL_DECODE_DIFFERS, NULL},
        /* Processors. */
        {&amd, nta, true, {FL_DEC_PREFETCH, 3}, FL_DECODE_AGREE, NULL},
        {&amd, nta, true, {FL_DEC_INVALID, 0}, FL_DECODE_DIFFERS, NULL},
        {&amd, locked, true, {FL_DEC_INVALID, 0}, FL_DECODE_EXPECTED, "native-lock"},
        {&intel, locked, true, {FL_DEC_INVALID, 0}, FL_DECODE_EXPECTED, "native-lock"},
        {&amd, with_register, true, {FL_DEC_INVALID, 0}, FL_DECODE_EXPECTED, "native-amd-0d-register"},
        {&intel, with_register, true, {FL_DEC_PREFETCH, 3}, FL_DECODE_AGREE, NULL},
        {&intel, with_register, true, {FL_DEC_INVALID, 0}, FL_DECODE_DIFFERS, NULL},
        {&intel, too_long, true, {FL_DEC_TOO_LONG, 0}, FL_DECODE_EXPECTED, "native-past-15"},
        {&amd, too_long, true, {FL_DEC_INVALID, 0}, FL_DECODE_DIFFERS, NULL},
        {&amd, cut, true, {FL_DEC_INCOMPLETE, 0}, FL_DECODE_DIFFERS, NULL},
        /* Versions that stand on both sides of a border. */
        {&llvm19, rex_early, true, {FL_DEC_LONE_PREFIX, 2}, FL_DECODE_EXPECTED, "llvm-rex-early"},
        {&llvm20, rex_early, true, {FL_DEC_LONE_PREFIX, 2}, FL_DECODE_DIFFERS, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct fl_decode_row *row = fl_decode_rows(&(size_t){0});

        CHECK_EQ(fl_decode_judge(cases[i].d, cases[i].bytes, cases[i].n ? cases[i].n : 15, 64, cases[i].rule,
                                 cases[i].said, &row),
                 cases[i].want, "case %zu", i);
        CHECK(cases[i].row ? row && strcmp(row->id, cases[i].row) == 0 : !row, "case %zu: row %s", i,
              row ? row->id : "none");
    }
    for (unsigned cls = 0; cls < FL_DEC_CLASS_COUNT; cls++)
        CHECK(strlen(fl_decode_class_name(cls)) > 2, "class %u", cls);
}

int main(void)
{
    test_rule();
    test_step();
    test_features();
    test_judge();
    return check_done("decode-rule");
}
