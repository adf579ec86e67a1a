/* SPDX-License-Identifier: MIT */
/*
 * The list of expected differences itself, without a decoder: it is well formed, and over the main space every row is a
 * function of the key that a report counts by: code size, features of the prefixes, opcode, register operand or not,
 * the reg field, RIP-relative or not. Were a row to look at more, a class of a report would mix what it covers with
 * the rest.
 *
 *     test_keys          0..2 prefixes
 *     test_keys full     0..3 prefixes
 */
#include "spaces.h"

#define FEATURES 12u /* bits of features that a key has room for; more of them want more room here */
#define KEYS     ((size_t)3 << FEATURES << 6)
#define MAX_ROWS 64u

static void test_rows(void)
{
    static const char *const decoders[] = {"capstone", "zydis", "opcodes", "llvm", "distorm", "native", "unicorn"};
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    CHECK(count > 0 && count <= MAX_ROWS, "%zu rows", count);
    for (size_t i = 0; i < count; i++) {
        const struct fl_decode_row *row = &rows[i];
        bool known = false;

        for (size_t d = 0; d < sizeof(decoders) / sizeof(decoders[0]); d++)
            known |= strcmp(row->decoder, decoders[d]) == 0;
        CHECK(known, "%s is about %s", row->id, row->decoder);
        CHECK(strncmp(row->id, row->decoder, strlen(row->decoder)) == 0, "%s is about %s", row->id, row->decoder);
        CHECK(strlen(row->versions) > 0 && strlen(row->reason) > 20 && strlen(row->source) > 10, "%s", row->id);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(row->id, rows[j].id) != 0, "%s stands twice", row->id);
        /* The judge relies on it. */
        for (size_t j = 0; j + 1 < i; j++)
            CHECK(strcmp(rows[j].decoder, row->decoder) != 0 || strcmp(rows[i - 1].decoder, row->decoder) == 0,
                  "%s stands apart from the rows of its decoder", row->id);
    }
}

static void test_versions(void)
{
    static const struct {
        const char *pattern, *version;
        bool applies;
    } cases[] = {
        {"*", "1.0", true},         {"4.*", "4.0", true},       {"4.*", "40.1", false},  {"4.0.*", "4.0.3", true},
        {"4.0.*", "4.1.0", false},  {"3.4.1", "3.4.1", true},   {"3.4.1", "3.4", false}, {"<2.44", "2.40", true},
        {"<2.44", "2.44", false},   {"<2.44", "2.44.0", false}, {"<2.44", "2.9", true},  {"<2.44", "2.43.90", true},
        {"<2.44", "3.0", false},    {">=16", "16.0.6", true},   {">=16", "15.9", false}, {">=16", "19.1.7", true},
        {"<2.44", "unknown", true}, {">=16", "unknown", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct fl_decode_row row = {.decoder = "some", .versions = cases[i].pattern};
        const struct fl_decoder same = {.name = "some", .version = cases[i].version};
        const struct fl_decoder other = {.name = "other", .version = cases[i].version};

        CHECK_EQ(fl_decode_row_applies(&row, &same), cases[i].applies, "%s to %s", cases[i].pattern, cases[i].version);
        CHECK(!fl_decode_row_applies(&row, &other), "%s", cases[i].pattern);
    }
}

struct key_run {
    uint64_t *covered, *not_covered; /* for each key a bit for each row that did so with one of its strings */
    uint64_t strings;
};

static void take(void *data, const uint8_t bytes[16], unsigned bits)
{
    struct key_run *run = data;
    struct fl_decode_form form;
    uint64_t covered = 0;
    uint32_t features;
    size_t count, key, len = 0;

    /* The whole run, also where 40..4F end it for the rule. */
    while (bytes[len] != 0x0f)
        len++;
    features = fl_prefix_features(bytes, (unsigned)len, bits);
    if (features >> FEATURES)
        CHECK_EQ(features >> FEATURES, 0, "no room in the key");

    const uint8_t modrm = bytes[len + 2];
    bool rip_relative = bits == 64 && (modrm & 0xc7) == 5;

    key = (size_t)(bits >> 5) << FEATURES | features;
    key = key << 1 | (bytes[len + 1] == 0x18);
    key = key << 1 | (modrm >= 0xc0);
    key = key << 3 | (modrm >> 3 & 7);
    key = key << 1 | rip_relative;

    fl_decode_rows(&count);
    fl_decode_form(bytes, 15, bits, &form);
    for (size_t i = 0; i < count; i++)
        covered |= (uint64_t)fl_decode_row_covers(i, &form) << i;
    run->covered[key] |= covered;
    run->not_covered[key] |= ~covered;
    run->strings++;
}

static void test_keys(unsigned most)
{
    struct key_run run = {.covered = calloc(KEYS, sizeof(uint64_t)), .not_covered = calloc(KEYS, sizeof(uint64_t))};
    unsigned keys = 0, covering = 0;
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    enumerate_prefetches(most, take, &run);
    for (size_t key = 0; key < KEYS; key++) {
        if (!(run.covered[key] | run.not_covered[key]))
            continue;
        keys++;
        for (size_t i = 0; i < count; i++) {
            bool mixed = run.covered[key] & run.not_covered[key] & (uint64_t)1 << i;

            covering += run.covered[key] >> i & 1;
            CHECK(!mixed,
                  "row %s covers some strings of a key and not others: %u-bit code, features %#x, %#04x, %s/%u%s",
                  rows[i].id, 16u << (key >> 6 >> FEATURES), (unsigned)(key >> 6 & ((1u << FEATURES) - 1)),
                  key >> 5 & 1 ? 0x0f18 : 0x0f0d, key >> 4 & 1 ? "register " : "", (unsigned)(key >> 1 & 7),
                  key & 1 ? " RIP-relative" : "");
        }
    }
    printf("%" PRIu64 " strings, %u keys, covered %u times by %zu rows\n", run.strings, keys, covering, count);
    CHECK(covering > 1000, "the rows cover next to nothing of the main space");
    free(run.covered);
    free(run.not_covered);
}

int main(int argc, char **argv)
{
    bool full = argc > 1 && strcmp(argv[1], "full") == 0;

    if (argc > 1 && !full) {
        fprintf(stderr, "usage: test_keys [full]\n");
        return 2;
    }
    test_rows();
    test_versions();
    test_keys(full ? 3 : 2);
    return check_done("decode-keys");
}
