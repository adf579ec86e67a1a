/* SPDX-License-Identifier: MIT */
/* Binary form: total, canonical, and nothing lost. Argument: how many random inputs (default 200000). */
#include "random_scenario.h"
#include "seen_scenario.h"

static uint8_t canonical[FL_SCENARIO_MAX_BYTES], again[FL_SCENARIO_MAX_BYTES];
static struct fl_scenario first, second;

static uint32_t records_of(size_t size)
{
    const size_t n = size <= FL_MACHINE_BYTES ? 0 : (size - FL_MACHINE_BYTES + FL_RECORD_BYTES - 1) / FL_RECORD_BYTES;

    return n < FL_MAX_RECORDS ? (uint32_t)n : FL_MAX_RECORDS;
}

/* Everything that must hold for any byte string. Leaves the scenario in first. */
static void check_bytes(const uint8_t *data, size_t size, const char *what)
{
    size_t n;

    fl_scenario_decode(data, size, &first);
    CHECK_EQ(first.nrecords, records_of(size), "%s, %zu bytes", what, size);
    CHECK(fl_scenario_valid(&first), "%s, %zu bytes", what, size);
    n = fl_scenario_encode(&first, canonical, sizeof(canonical));
    CHECK_EQ(n, FL_MACHINE_BYTES + (size_t)first.nrecords * FL_RECORD_BYTES, "%s, %zu bytes", what, size);
    fl_scenario_decode(canonical, n, &second);
    CHECK(same_scenario(&first, &second), "%s, %zu bytes", what, size);
    CHECK(fl_scenario_equal(&first, &second), "%s, %zu bytes", what, size);
    CHECK_EQ(fl_scenario_encode(&second, again, sizeof(again)), n, "%s, %zu bytes", what, size);
    CHECK(memcmp(canonical, again, n) == 0, "%s, %zu bytes", what, size);
}

/* Mostly a few records, now and then up to more than the format takes. */
static size_t random_size(uint64_t *state)
{
    const uint64_t r = check_random(state);

    if ((r & 0x3ff) == 0)
        return (r >> 10) % (FL_SCENARIO_MAX_BYTES + 100);
    return (r >> 10) % (FL_MACHINE_BYTES + 5 * FL_RECORD_BYTES);
}

static void test_random_bytes(uint64_t count)
{
    static uint8_t data[FL_SCENARIO_MAX_BYTES + 100];
    static struct seen seen;
    uint64_t state = 1;

    for (uint64_t i = 0; i < count; i++) {
        const size_t size = random_size(&state);
        const uint64_t sparse = check_random(&state) & 3; /* now and then mostly zero, as young corpora are */

        for (size_t at = 0; at < size; at += 8) {
            const uint64_t r = check_random(&state);
            const uint64_t word = sparse == 0 ? r & check_random(&state) & check_random(&state) : r;

            memcpy(data + at, &word, size - at < 8 ? size - at : 8);
        }
        check_bytes(data, size, "random bytes");
        see(&seen, &first);
    }
    check_seen(&seen, "random bytes");
}

static void test_random_scenarios(uint64_t count)
{
    static struct fl_scenario s;
    static struct seen seen;
    uint64_t state = 2;

    for (uint64_t i = 0; i < count; i++) {
        size_t n;

        random_scenario(&state, &s, i % 1000 == 0 ? FL_MAX_RECORDS : random_below(&state, 4));
        see(&seen, &s);
        CHECK(fl_scenario_valid(&s), "scenario %" PRIu64, i);
        n = fl_scenario_encode(&s, canonical, sizeof(canonical));
        fl_scenario_decode(canonical, n, &first);
        CHECK(same_scenario(&s, &first), "scenario %" PRIu64, i);
        CHECK(fl_scenario_equal(&s, &first), "scenario %" PRIu64, i);
    }
    check_seen(&seen, "random scenarios");
    check_half_vmalloc(&seen, "random scenarios");
}

/* A changed bit of a canonical input is either reserved (the same scenario) or changes exactly what it should: the
 * identities hold for it as well, and equality of scenarios is equality of canonical bytes. */
static void test_bit_flips(uint64_t count)
{
    static struct fl_scenario s;
    static uint8_t base[FL_SCENARIO_MAX_BYTES], flipped[FL_SCENARIO_MAX_BYTES];
    uint64_t state = 3, changed = 0, same = 0;

    for (uint64_t i = 0; i < count; i++) {
        size_t n;

        random_scenario(&state, &s, 2);
        n = fl_scenario_encode(&s, base, sizeof(base));
        for (size_t bit = 0; bit < n * 8; bit++) {
            memcpy(flipped, base, n);
            flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
            check_bytes(flipped, n, "bit flip");
            CHECK_EQ(fl_scenario_equal(&s, &first), memcmp(base, canonical, n) == 0, "bit %zu", bit);
            CHECK_EQ(same_scenario(&s, &first), memcmp(base, canonical, n) == 0, "bit %zu", bit);
            if (memcmp(base, canonical, n) == 0)
                same++;
            else
                changed++;
        }
    }
    CHECK(changed != 0 && same != 0, "%" PRIu64 " changed, %" PRIu64 " not", changed, same);
}

/* Every prefix of a long input, each in an allocation of exactly its size; missing bytes read as zero. */
static void test_truncation(void)
{
    static uint8_t padded[FL_SCENARIO_MAX_BYTES + FL_RECORD_BYTES];
    static struct fl_scenario s, whole;
    uint64_t state = 4;

    for (unsigned round = 0; round < 2; round++) {
        random_scenario(&state, &s, FL_MAX_RECORDS);
        fl_scenario_encode(&s, canonical, sizeof(canonical));
        for (size_t size = 0; size <= FL_SCENARIO_MAX_BYTES; size += size < 400 || round == 0 ? 1 : 7) {
            uint8_t *exact = malloc(size != 0 ? size : 1);
            const uint32_t n = records_of(size);

            if (exact == NULL)
                abort();
            memcpy(exact, canonical, size);
            memset(padded, 0, FL_MACHINE_BYTES + (size_t)n * FL_RECORD_BYTES);
            memcpy(padded, canonical, size);
            fl_scenario_decode(exact, size, &first);
            free(exact);
            fl_scenario_decode(padded, FL_MACHINE_BYTES + (size_t)n * FL_RECORD_BYTES, &whole);
            CHECK_EQ(first.nrecords, n, "%zu bytes", size);
            CHECK(same_scenario(&first, &whole), "%zu bytes", size);
        }
    }
}

/* Bytes beyond the greatest length are not looked at; records beyond the last are not written. */
static void test_bounds(void)
{
    static uint8_t data[FL_SCENARIO_MAX_BYTES + 1000], out[FL_SCENARIO_MAX_BYTES];
    static struct fl_scenario s;
    uint64_t state = 5;
    uint8_t *guard = (uint8_t *)&s.records[3];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)check_random(&state);
    fl_scenario_decode(data, FL_SCENARIO_MAX_BYTES, &first);
    fl_scenario_decode(data, sizeof(data), &second);
    CHECK_EQ(second.nrecords, FL_MAX_RECORDS, "%zu bytes", sizeof(data));
    CHECK(same_scenario(&first, &second), "bytes beyond the end count");

    memset(&s, 0xa5, sizeof(s));
    fl_scenario_decode(data, FL_MACHINE_BYTES + 3 * FL_RECORD_BYTES, &s);
    CHECK_EQ(s.nrecords, 3, "three records");
    for (size_t i = 0; i < (size_t)(FL_MAX_RECORDS - 3) * sizeof(s.records[0]); i++)
        CHECK_EQ(guard[i], 0xa5, "byte %zu after the last record", i);

    /* Too small a buffer: the length, and nothing written. */
    memset(out, 0x5a, sizeof(out));
    CHECK_EQ(fl_scenario_encode(&s, out, FL_MACHINE_BYTES + 3 * FL_RECORD_BYTES - 1),
             FL_MACHINE_BYTES + 3 * FL_RECORD_BYTES, "length without room");
    CHECK_EQ(fl_scenario_encode(&s, NULL, 0), FL_MACHINE_BYTES + 3 * FL_RECORD_BYTES, "length without a buffer");
    for (size_t i = 0; i < sizeof(out); i++)
        CHECK_EQ(out[i], 0x5a, "byte %zu written without room", i);
}

/* Reserved bytes and bits: decoded to nothing. Listed here a second time, by hand, from docs/scenario-format.md. */
static void test_reserved(void)
{
    static const uint8_t machine_reserved[] = {9, 14, 15, 70, 71};
    /* Bytes of each record that mean something; the others are reserved. */
    static const struct {
        uint8_t kind;
        uint32_t used; /* bit i: byte i */
    } rows[] = {
        {FL_REC_MAP, 0x0000ff3f},     {FL_REC_ENTRY, 0xffffff03},
        {FL_REC_VMA, 0x0f03ffff},     {FL_REC_UNMAP, 0x0000fff1},
        {FL_REC_PROTECT, 0x0000fff3}, {FL_REC_ZAP, 0x0000fff1},
        {FL_REC_REGS, 0x00fffff7},    {FL_REC_GPR, 0x0000ff03},
        {FL_REC_BYTES, 0x7fffff03},   {FL_REC_EXTABLE, 0x00ffff01},
        {FL_REC_INJECT, 0x00000007},  {FL_REC_ACCESS, 0x0000ff0f},
        {FL_REC_FAULT, 0x0000fff1},   {FL_REC_EXEC, 0x7fffff07},
        {FL_REC_DECODE, 0x7fff000f},  {FL_REC_IOREMAP, 0x0000ff3f},
        {FL_REC_IOUNMAP, 0x0000fff1}, {FL_REC_FORK, 0x00000003},
        {FL_REC_SWITCH, 0x00000007},  {FL_REC_LDT, 0x00000ff7},
        {FL_REC_CS, 0x00000031},      {FL_REC_TOUCH, 0x0000ff07},
        {FL_REC_SYNCALL, 0x00000001}, {FL_REC_AREA, 0x0f0ffff7}, /* byte 3: not of a file */
        {FL_REC_ACT, 0x0000ffff},     {FL_REC_RACE, 0x0003ffff},
        {FL_REC_ANSWER, 0x0000000f},  {FL_REC_PIN, 0x0003ff37}, /* bytes 6 and 7 of the pages: fast and fast-only */
    };
    uint8_t data[FL_MACHINE_BYTES + FL_RECORD_BYTES] = {0};

    CHECK_EQ(sizeof(rows) / sizeof(rows[0]), FL_REC_COUNT, "a row for each kind");
    for (size_t i = 0; i < FL_MACHINE_BYTES; i++) {
        bool reserved = false, changes = false;

        for (size_t j = 0; j < sizeof(machine_reserved); j++)
            reserved |= machine_reserved[j] == i;
        for (unsigned bit = 0; bit < 8; bit++) {
            memset(data, 0, FL_MACHINE_BYTES);
            /* Segment base, split and the base of the IDT mean something in 32-bit modes only. */
            data[0] = i == 0 ? 0 : FL_MODE_2LEVEL ^ FL_MODE_4LEVEL;
            data[82] = data[90] = 0xff; /* vmalloc from c0ff0000 to f9ff0000: not empty whatever bit changes */
            data[91] = 0xf9;
            fl_scenario_decode(data, FL_MACHINE_BYTES, &first);
            data[i] ^= (uint8_t)(1u << bit);
            fl_scenario_decode(data, FL_MACHINE_BYTES, &second);
            changes |= !same_scenario(&first, &second);
        }
        memset(data, 0, FL_MACHINE_BYTES);
        /* The upper halves of addresses are cut off in 32-bit modes, and the low bits of aligned ones; that they count
         * elsewhere is in the identities. */
        if ((i >= 36 && i < 40) || (i >= 44 && i < 48) || (i >= 84 && i < 88) || i >= 92 || i == 80 || i == 88)
            CHECK(!changes, "machine byte %zu", i);
        else
            CHECK_EQ(changes, !reserved, "machine byte %zu", i);
    }
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        uint8_t *r = data + FL_MACHINE_BYTES;

        for (size_t i = 1; i < FL_RECORD_BYTES; i++) {
            bool changes = false;

            for (unsigned bit = 0; bit < 8; bit++) {
                memset(r, 0, FL_RECORD_BYTES);
                r[0] = rows[row].kind;
                memset(r + 4, 0xff, 3); /* pages, which byte 7 shifts */
                if (rows[row].kind == FL_REC_LDT)
                    r[7] = 0xff; /* a small limit: a large one ends in fff */
                if (rows[row].kind == FL_REC_VMA)
                    r[1] = FL_VMA_FILE;
                if (rows[row].kind == FL_REC_ENTRY)
                    memset(r + 24, 0xff, 8);
                if (rows[row].kind == FL_REC_INJECT)
                    r[1] = FL_INJ_PROBE;
                if (rows[row].kind == FL_REC_BYTES || rows[row].kind == FL_REC_DECODE)
                    r[1] = 15;
                if (rows[row].kind == FL_REC_EXEC)
                    r[1] = 14;
                if (rows[row].kind == FL_REC_AREA)
                    r[1] = FL_AREA_FILE;
                if (rows[row].kind == FL_REC_ACT || rows[row].kind == FL_REC_RACE)
                    r[1] = FL_ACTOR_MPROTECT;
                fl_scenario_decode(data, sizeof(data), &first);
                r[i] ^= (uint8_t)(1u << bit);
                fl_scenario_decode(data, sizeof(data), &second);
                changes |= !same_scenario(&first, &second);
            }
            /* Byte 8 of an aligned address and half of byte 9 are cut off. */
            if (i == 8 &&
                (rows[row].kind == FL_REC_VMA || rows[row].kind == FL_REC_UNMAP || rows[row].kind == FL_REC_PROTECT ||
                 rows[row].kind == FL_REC_ZAP || rows[row].kind == FL_REC_IOUNMAP || rows[row].kind == FL_REC_AREA ||
                 rows[row].kind == FL_REC_ACT || rows[row].kind == FL_REC_RACE))
                CHECK(!changes, "%s byte 8", fl_record_name((enum fl_record_kind)rows[row].kind));
            else
                CHECK_EQ(changes, rows[row].used >> i & 1, "%s byte %zu",
                         fl_record_name((enum fl_record_kind)rows[row].kind), i);
        }
    }
}

/* The machine of the empty input, value by value. */
static void test_default(void)
{
    const struct fl_machine want = {.mode = FL_MODE_4LEVEL,
                                    .vendor = FL_VENDOR_INTEL,
                                    .family = 6,
                                    .maxphyaddr = 40,
                                    .pse36 = true,
                                    .page1gb = true,
                                    .wp = true,
                                    .pse = true,
                                    .smep = true,
                                    .nxe = true,
                                    .code_bits = 64,
                                    .user = true,
                                    .has_mm = true,
                                    .catches_signals = true,
                                    .pid = 1000,
                                    .ip = 0x400000,
                                    .sp = 0x3ffff000,
                                    .flags = 0x202,
                                    .seg_limit = 0xffffffff,
                                    .stack_pages = 2048,
                                    .as_pages = 0xffffffff,
                                    .guard_pages = 256,
                                    .min_addr_pages = 16,
                                    .generation = FL_GEN_CURRENT,
                                    .shared_pmd = true,
                                    .show_unhandled = true,
                                    .oops_may_print = true,
                                    .pte_special = true,
                                    .sh4_fixed = true,
                                    .low_frames = 1024,
                                    .uid = 1000};
    const uint8_t zeros[FL_MACHINE_BYTES] = {0};

    memset(&first, 0xa5, sizeof(first));
    fl_scenario_default(&first);
    CHECK(same_machine(&first.machine, &want), "default machine");
    CHECK_EQ(first.nrecords, 0, "default");
    CHECK(fl_scenario_valid(&first), "default");
    fl_scenario_decode(zeros, sizeof(zeros), &second);
    CHECK(same_scenario(&first, &second), "zeros are the default");
    fl_scenario_decode(zeros, 0, &second);
    CHECK(same_scenario(&first, &second), "the empty input is the default");
}

static void test_kinds(void)
{
    unsigned events = 0;

    for (unsigned kind = 0; kind < FL_REC_COUNT; kind++) {
        const bool event = kind == FL_REC_ACCESS || kind == FL_REC_FAULT || kind == FL_REC_EXEC ||
                           kind == FL_REC_DECODE || kind == FL_REC_TOUCH || kind == FL_REC_SYNCALL ||
                           kind == FL_REC_PIN;

        CHECK_EQ(fl_record_is_event((enum fl_record_kind)kind), event, "kind %u", kind);
        events += event;
        for (unsigned other = 0; other < kind; other++)
            CHECK(strcmp(fl_record_name((enum fl_record_kind)kind), fl_record_name((enum fl_record_kind)other)) != 0,
                  "kinds %u and %u", kind, other);
    }
    CHECK_EQ(events, 7, "events");
    CHECK(!fl_record_is_event(FL_REC_COUNT), "no kind");
    CHECK(strcmp(fl_record_name(FL_REC_COUNT), "?") == 0, "no kind");
}

int main(int argc, char **argv)
{
    const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;

    test_default();
    test_kinds();
    test_reserved();
    test_bounds();
    test_truncation();
    test_bit_flips(1 + count / 40000);
    test_random_scenarios(count / 4);
    test_random_bytes(count);
    return check_done("scenario codec");
}
