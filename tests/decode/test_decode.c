/* SPDX-License-Identifier: MIT */
/*
 * The prefetch rule, and the list of expected differences held against the decoders that are installed, by enumeration:
 * every difference is covered by a row, every string that a row covers differs as the row says, every row fires.
 *
 *     test_decode          0..2 prefixes, two-byte leads, samples
 *     test_decode full     0..3 prefixes (31.4 M strings a decoder), three-byte leads (50.3 M)
 */
#include "check.h"

#include "decode/form.h"

static const uint8_t legacy_prefixes[11] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

#define PREFIXES 27u

/* The eleven, and 40..4F: prefixes in 64-bit code, INC and DEC elsewhere, where a decoder might mix them up. */
static void prefix_set(uint8_t set[PREFIXES])
{
    for (unsigned i = 0; i < PREFIXES; i++)
        set[i] = i < 11 ? legacy_prefixes[i] : (uint8_t)(0x40 + i - 11);
}

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
    check_features("\xf3\xf0", 2, 64, "REP LOCK");
    check_features("\xf0\xf3", 2, 64, "REP LOCK REP-AFTER-LOCK");
    check_features("\xf0\xf3\xf0", 3, 64, "REP LOCK");
    check_features("\x47", 1, 64, "REX");
    check_features("\x48", 1, 32, "REX REX.W");
    check_features("\x48\x40", 2, 64, "REX REX-EARLY");
    check_features("\x4f\x26", 2, 16, "SEG REX-EARLY");
    check_features("\xf2\x26", 2, 64, "SEG REP REP-APART");
    check_features("\xf2\x66\x26", 3, 64, "SEG 66 REP");
    check_features("\xf2\x26\x66", 3, 64, "SEG 66 REP");
    check_features("\xf2\x40", 2, 64, "REP REX");
    check_features("\xf2\x40", 2, 32, "REP REX REP-APART");
    check_features("\xf2\x26\xf0", 3, 64, "SEG REP LOCK");

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

/* ---- the list --------------------------------------------------------------------------------------------------- */

#define MAX_ROWS 64

struct run {
    struct fl_decoder *decoder;
    uint64_t strings, agreed;
    uint64_t fired[MAX_ROWS];
};

static void format_bytes(const uint8_t *bytes, size_t n, char text[64])
{
    for (size_t i = 0; i < n; i++)
        snprintf(text + 3 * i, 64 - 3 * i, "%02x ", bytes[i]);
    text[n ? 3 * n - 1 : 0] = 0;
}

/* Which prefetch: only for a prefetch, and by the name that the manuals give the form. Reserved forms under any name. */
static bool hint_is_right(const struct fl_decode_form *f, struct fl_decoded said, bool rule)
{
    static const uint8_t by_reg_18[8] = {FL_HINT_NTA,  FL_HINT_T0,   FL_HINT_T1,  FL_HINT_T2,
                                         FL_HINT_NONE, FL_HINT_NONE, FL_HINT_IT1, FL_HINT_IT0};

    if (said.cls != FL_DEC_PREFETCH)
        return said.hint == FL_HINT_NONE;
    if (!rule)
        return said.hint == FL_HINT_VECTOR;
    if (f->bytes[f->prefixes + 1] == 0x18)
        return by_reg_18[f->reg] != FL_HINT_NONE && said.hint == by_reg_18[f->reg];
    switch (f->reg) {
    case 0: return said.hint == FL_HINT_PLAIN;
    case 1: return said.hint == FL_HINT_W;
    default:
        return said.hint == FL_HINT_PLAIN || said.hint == FL_HINT_W || said.hint == FL_HINT_WT1 ||
               said.hint == FL_HINT_RESERVED;
    }
}

/* Decodes one string and holds the judge's answer against what the list says must come out. */
static void judge_one(struct run *run, const uint8_t *bytes, size_t n, unsigned bits)
{
    struct fl_decoder *d = run->decoder;
    bool rule = fl_prefetch_rule(bytes, n, bits, NULL);
    struct fl_decoded said = d->decode(d, bytes, n, bits);
    const struct fl_decode_row *row, *expected;
    enum fl_decode_agreement agreement = fl_decode_judge(d, bytes, n, bits, rule, said, &row);
    struct fl_decode_form form;
    enum fl_decode_class says;
    size_t count;
    bool right;

    fl_decode_form(bytes, n, bits, &form);
    expected = fl_decode_expect(d, &form, &says);
    if (agreement == FL_DECODE_DIFFERS || row != (agreement == FL_DECODE_EXPECTED ? expected : NULL))
        right = false;
    else if (agreement == FL_DECODE_AGREE)
        right = !expected || !rule; /* a row that covers what is decoded as the rule says is too broad */
    else
        right = said.cls == says && rule != (says == FL_DEC_PREFETCH);
    right = right && hint_is_right(&form, said, rule);
    check_count++;
    if (!right) {
        char text[64];

        format_bytes(bytes, n, text);
        CHECK(right, "%s %s in %u-bit code says %s, %u bytes, hint %u; rule: %d; row: %s: %s", d->name, d->version,
              bits, fl_decode_class_name(said.cls), said.length, said.hint, rule, expected ? expected->id : "none",
              text);
    }
    run->strings++;
    run->agreed += agreement == FL_DECODE_AGREE;
    if (row)
        run->fired[row - fl_decode_rows(&count)]++;
}

/* 0..most prefixes, both opcodes, every ModRM, nothing but zero behind. */
static void enumerate_prefetches(struct run *run, unsigned most)
{
    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        uint8_t set[PREFIXES];
        unsigned strings = 1;

        prefix_set(set);
        for (unsigned len = 0; len <= most; len++, strings *= PREFIXES) {
            for (unsigned i = 0; i < strings; i++) {
                uint8_t bytes[16] = {0};

                for (unsigned at = 0, rest = i; at < len; at++, rest /= PREFIXES)
                    bytes[at] = set[rest % PREFIXES];
                bytes[len] = 0x0f;
                for (unsigned modrm = 0; modrm < 512; modrm++) {
                    bytes[len + 1] = modrm & 256 ? 0x18 : 0x0d;
                    bytes[len + 2] = (uint8_t)modrm;
                    judge_one(run, bytes, 15, bits);
                }
            }
        }
    }
}

/* Every two or three bytes, nothing but zero behind. */
static void enumerate_leads(struct run *run, bool full)
{
    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        for (unsigned lead = 0; lead < 1u << (full ? 24 : 16); lead++) {
            uint8_t bytes[16] = {(uint8_t)lead, (uint8_t)(lead >> 8), (uint8_t)(lead >> 16)};

            judge_one(run, bytes, 15, bits);
        }
    }
}

/* Runs of 0..16 prefixes, an opcode that is 0F 0D or 0F 18 or nearly so, any tail, cut at any byte. */
static void sample_runs(struct run *run, unsigned samples)
{
    uint64_t random = 1;

    for (unsigned i = 0; i < samples; i++) {
        unsigned bits = 16u << check_random(&random) % 3;
        uint8_t set[PREFIXES], bytes[18];
        unsigned nset = bits == 64 ? PREFIXES : 11;
        uint64_t r = check_random(&random), tail = check_random(&random);
        unsigned len = r % 17;

        prefix_set(set);
        for (unsigned at = 0; at < sizeof(bytes); at++)
            bytes[at] = at < len ? set[check_random(&random) % nset] : (uint8_t)(tail >> at % 8 * 8);
        bytes[len] = r >> 16 & 15 ? 0x0f : (uint8_t)(r >> 24);
        bytes[len + 1] = r >> 20 & 15 ? (r >> 32 & 1 ? 0x18 : 0x0d) : (uint8_t)(r >> 40);
        judge_one(run, bytes, (r >> 48) % 17, bits);
    }
}

/* The vector encodings, where instructions live that decoders call prefetches and the rule does not. */
static void sample_vector_encodings(struct run *run, unsigned samples)
{
    static const uint8_t leads[] = {0x62, 0xc4, 0xc5, 0x8f, 0xd5};
    uint64_t random = 2;

    for (unsigned i = 0; i < samples; i++) {
        uint64_t r = check_random(&random), tail = check_random(&random);
        uint8_t bytes[16] = {0};
        unsigned at = 0;

        if (r >> 60 == 0)
            bytes[at++] = legacy_prefixes[(r >> 52) % 11];
        memcpy(bytes + at, &tail, sizeof(tail));
        bytes[at] = leads[r % 5];
        if (bytes[at] == 0x62) {
            /* EVEX and MVEX, map 0F 38, C6 and C7, a SIB byte. */
            bytes[at + 1] = (uint8_t)((bytes[at + 1] & 0xf0) | (r & 0x100 ? 2 : (r >> 12 & 15)));
            bytes[at + 2] = (uint8_t)(r & 0x600 ? (bytes[at + 2] & 0x84) | 0x79 : bytes[at + 2]);
            bytes[at + 4] = r & 0x10000 ? 0xc6 : 0xc7;
            bytes[at + 5] = (uint8_t)((bytes[at + 5] & 0x38) | (r & 0x60000 ? 4 : (r >> 20 & 0xc7)));
        } else if (r & 0xf00) {
            /* VEX, XOP and REX2 in front of 0D and 18. */
            unsigned opcode = at + (bytes[at] == 0xc5 || bytes[at] == 0xd5 ? 2 : 3);

            if (bytes[at] == 0xc4 && r & 0x1000)
                bytes[at + 1] = (uint8_t)((bytes[at + 1] & 0xe0) | 1);
            if (r & 0x2000)
                bytes[opcode - 1] = (uint8_t)((bytes[opcode - 1] & 0x80) | 0x78);
            bytes[opcode] = r & 0x10000 ? 0x18 : 0x0d;
        }
        judge_one(run, bytes, r & 0x7000000 ? 15 : (r >> 32) % 17, 16u << r % 3);
    }
}

static void test_list(struct fl_decoder *d, const char *why, bool full)
{
    struct run run = {.decoder = d};
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    if (!d) {
        printf("%s\n", why);
        return;
    }
    enumerate_prefetches(&run, full ? 3 : 2);
    enumerate_leads(&run, full);
    sample_runs(&run, full ? 3000000 : 200000);
    sample_vector_encodings(&run, full ? 3000000 : 200000);
    printf("%s %s: %" PRIu64 " strings, %" PRIu64 " agree with the rule, the others by row:\n", d->name, d->version,
           run.strings, run.agreed);
    for (size_t i = 0; i < count; i++) {
        if (!fl_decode_row_applies(&rows[i], d))
            continue;
        printf("  %-28s %9" PRIu64 "  %s\n", rows[i].id, run.fired[i], rows[i].reason);
        CHECK(run.fired[i] != 0, "row %s covers nothing that happens", rows[i].id);
    }
    d->close(d);
}

static void test_rows(void)
{
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    CHECK(count > 0 && count <= MAX_ROWS, "%zu rows", count);
    for (size_t i = 0; i < count; i++) {
        CHECK(strcmp(rows[i].decoder, "capstone") == 0 || strcmp(rows[i].decoder, "zydis") == 0, "%s", rows[i].id);
        CHECK(strlen(rows[i].versions) > 0 && strlen(rows[i].reason) > 20 && strlen(rows[i].source) > 10, "%s",
              rows[i].id);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(rows[i].id, rows[j].id) != 0, "%s stands twice", rows[i].id);
    }
}

/* ---- the judge, on answers that no decoder gives ---------------------------------------------------------------- */

static void test_judge(void)
{
    const struct fl_decoder capstone4 = {.name = "capstone", .version = "4.0"};
    const struct fl_decoder capstone6 = {.name = "capstone", .version = "6.1"};
    const struct fl_decoder zydis40 = {.name = "zydis", .version = "4.0.3"};
    const struct fl_decoder zydis41 = {.name = "zydis", .version = "4.1.0"};
    const struct fl_decoder unknown = {.name = "unknown", .version = "4.0"};
    static const uint8_t prefetch_0[15] = {0x0f, 0x0d, 0x00}, hint_6[15] = {0x0f, 0x18, 0x30};
    static const uint8_t nta[15] = {0x0f, 0x18, 0x00}, other[15] = {0x0f, 0x1f, 0x00};
    const struct {
        const struct fl_decoder *d;
        const uint8_t *bytes;
        bool rule;
        struct fl_decoded said;
        enum fl_decode_agreement want;
        const char *row;
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
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct fl_decode_row *row = fl_decode_rows(&(size_t){0});

        CHECK_EQ(fl_decode_judge(cases[i].d, cases[i].bytes, 15, 64, cases[i].rule, cases[i].said, &row), cases[i].want,
                 "case %zu", i);
        CHECK(cases[i].row ? row && strcmp(row->id, cases[i].row) == 0 : !row, "case %zu: row %s", i,
              row ? row->id : "none");
    }
    for (unsigned cls = 0; cls < FL_DEC_CLASS_COUNT; cls++)
        CHECK(strlen(fl_decode_class_name(cls)) > 2, "class %u", cls);
}

int main(int argc, char **argv)
{
    bool full = argc > 1 && strcmp(argv[1], "full") == 0;
    char why[256];

    if (argc > 1 && !full) {
        fprintf(stderr, "usage: test_decode [full]\n");
        return 2;
    }
    test_rule();
    test_step();
    test_features();
    test_rows();
    test_judge();
    test_list(fl_capstone_open(why), why, full);
    test_list(fl_zydis_open(why), why, full);
    return check_done("decode");
}
