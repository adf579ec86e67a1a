/* SPDX-License-Identifier: MIT */
/*
 * What is asked: the axes hold what they say, each string once, with the length and the key that the form of an
 * instruction has; and the rule is a function of the key wherever one string stands for a cell.
 */
#include "check.h"

#include "conform/conform.h"

static const uint8_t prefixes[27] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x40, 0x41, 0x42,
                                     0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f};

static struct batch batch;

/* 27^0 + 27^1 + 27^2 + 27^3 runs, two opcodes, 256 ModRM. */
static void test_size(void)
{
    const struct space s = {.prefixes = 3};
    const struct space two = {.prefixes = 2, .operands = true};

    CHECK_EQ((uint64_t)axis_units(&s, AXIS_SPACE) * BATCH_STRINGS, 10465280, "strings of a mode");
    CHECK_EQ(axis_units(&two, AXIS_SPACE), 757 * 4, "units with operands");
    CHECK_EQ((uint64_t)axis_units(&s, AXIS_LEADS) * 256, 1u << 24, "three-byte leads");
}

static int value_of_prefix(uint8_t byte)
{
    for (int i = 0; i < 27; i++)
        if (prefixes[i] == byte)
            return i;
    return -1;
}

/* Every string of up to two prefixes is there once: its number is told back from its bytes. */
static void test_space(void)
{
    enum { STRINGS = 757 * 512 };
    static uint8_t seen[STRINGS];
    const struct space s = {.prefixes = 2};

    for (unsigned mode = 0; mode < 3; mode++) {
        memset(seen, 0, sizeof seen);
        for (uint32_t u = 0; u < axis_units(&s, AXIS_SPACE); u++) {
            axis_fill(&s, AXIS_SPACE, mode, u, &batch);
            CHECK_EQ(batch.n, BATCH_STRINGS, "unit %u", u);
            for (unsigned i = 0; i < batch.n; i++) {
                const uint8_t *b = batch.bytes[i];
                unsigned n = 0, run = 0;
                int v;

                while ((v = value_of_prefix(b[n])) >= 0) {
                    run = run * 27 + (unsigned)v;
                    n++;
                }
                run += n == 2 ? 28 : n;
                CHECK(n <= 2 && b[n] == 0x0f && (b[n + 1] == 0x0d || b[n + 1] == 0x18), "unit %u string %u", u, i);
                seen[(run * 2 + (b[n + 1] == 0x18)) * 256 + b[n + 2]]++;
            }
        }
        for (unsigned i = 0; i < STRINGS; i++)
            CHECK_EQ(seen[i], 1, "string %u in %u-bit code", i, mode_bits(mode));
    }
}

/* Length and key against a second reading of the form: oracle/decode takes strings apart by itself. */
static void check_string(unsigned axis, unsigned mode, unsigned i)
{
    const uint8_t *b = batch.bytes[i];
    unsigned at = 0;
    cell_key k = batch.key[i];
    const struct fl_decoder nobody = {.name = "nobody", .version = "1"};
    const struct fl_decode_row *row;
    struct fl_decoded said = {.cls = FL_DEC_PREFETCH, .length = batch.length[i]};
    unsigned n = batch.length[i] < 16 ? batch.length[i] : 16;

    while (at < STRING_BYTES && value_of_prefix(b[at]) >= 0)
        at++;
    CHECK_EQ(key_axis(k), axis, "axis");
    CHECK_EQ(key_get(k, ATTR_MODE), mode, "mode");
    CHECK_EQ(key_get(k, ATTR_OPCODE), b[at + 1] == 0x18, "opcode");
    CHECK_EQ(key_get(k, ATTR_REGISTER), b[at + 2] >= 0xc0, "mod");
    CHECK_EQ(key_get(k, ATTR_REG), b[at + 2] >> 3 & 7, "reg");
    CHECK_EQ(key_get(k, ATTR_RIP), mode == 2 && (b[at + 2] & 0xc7) == 5, "rip");
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++)
        CHECK_EQ(key_get(k, ATTR_FEATURES + f), fl_prefix_features(b, at, mode_bits(mode)) >> f & 1, "feature %u", f);
    /* The judge agrees with a prefetch of the right length only. */
    if (fl_prefetch_rule(b, n, mode_bits(mode), NULL)) {
        CHECK_EQ(fl_decode_judge(&nobody, b, n, mode_bits(mode), true, said, &row), FL_DECODE_AGREE,
                 "length %u of %02x %02x %02x %02x in %u-bit code", said.length, b[0], b[1], b[2], b[3],
                 mode_bits(mode));
        said.length++;
        CHECK_EQ(fl_decode_judge(&nobody, b, n, mode_bits(mode), true, said, &row), FL_DECODE_DIFFERS, "length + 1");
    }
}

static void test_keys(void)
{
    const struct space s = {.prefixes = 3, .operands = true};

    for (unsigned axis = AXIS_SPACE; axis <= AXIS_RUNS; axis++)
        for (unsigned mode = 0; mode < 3; mode++)
            for (uint32_t u = 0; u < axis_units(&s, (enum axis)axis); u += 97) {
                axis_fill(&s, (enum axis)axis, mode, u, &batch);
                for (unsigned i = 0; i < batch.n; i++)
                    check_string(axis, mode, i);
            }
}

/* No batch of any axis leaves its bounds. */
static void test_bounds(void)
{
    const struct space s = {.prefixes = 2};

    for (unsigned axis = 0; axis < AXIS_COUNT; axis++)
        for (unsigned mode = 0; mode < 3; mode++)
            for (uint32_t u = 0; u < axis_units(&s, (enum axis)axis); u += axis == AXIS_LEADS ? 251 : 1) {
                axis_fill(&s, (enum axis)axis, mode, u, &batch);
                CHECK(batch.n > 0 && batch.n <= BATCH_STRINGS && batch.bits == mode_bits(mode), "axis %u unit %u", axis,
                      u);
                for (unsigned i = 0; i < batch.n; i++)
                    CHECK(batch.readable[i] <= 23 && key_axis(batch.key[i]) == axis, "axis %u unit %u", axis, u);
            }
}

/* Of the axes where a cell's example speaks for its strings: equal keys, equal rule. */
static void test_rule_by_key(void)
{
    enum { KEYS = 1 << 20 };
    static struct {
        cell_key key;
        uint8_t known, rule;
    } table[KEYS];
    const struct space s = {.prefixes = 2};
    uint64_t keys = 0;

    for (unsigned axis = 0; axis <= AXIS_CUTS; axis++)
        for (unsigned mode = 0; mode < 3; mode++)
            for (uint32_t u = 0; u < axis_units(&s, (enum axis)axis); u++) {
                axis_fill(&s, (enum axis)axis, mode, u, &batch);
                for (unsigned i = 0; i < batch.n; i++) {
                    uint32_t at = (uint32_t)((batch.key[i] * UINT64_C(0x9e3779b97f4a7c15)) >> 44);
                    bool rule = fl_prefetch_rule(batch.bytes[i], batch.readable[i], batch.bits, NULL);

                    while (table[at].known && table[at].key != batch.key[i])
                        at = (at + 1) % KEYS;
                    if (!table[at].known) {
                        table[at].known = 1;
                        table[at].key = batch.key[i];
                        table[at].rule = rule;
                        keys++;
                    }
                    CHECK_EQ(table[at].rule, rule, "axis %u mode %u unit %u string %u", axis, mode, u, i);
                }
            }
    CHECK(keys > 1000, "%" PRIu64 " keys", keys);
    printf("%" PRIu64 " keys of the first three axes\n", keys);
}

int main(void)
{
    test_size();
    test_space();
    test_keys();
    test_bounds();
    test_rule_by_key();
    return check_done("conform axes");
}
