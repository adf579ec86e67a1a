/* SPDX-License-Identifier: MIT */
/*
 * The list of expected differences held against a decoder, by enumeration: every difference is covered by a row, every
 * string that a row covers differs as the row says, every row fires.
 *
 *     test_decode DECODER          0..2 prefixes, two-byte leads, samples
 *     test_decode DECODER full     0..3 prefixes (31.4 M strings), three-byte leads (50.3 M)
 *     test_decode DECODER speed    nanoseconds for a decode, over the main space in 64-bit code
 *
 * DECODER is capstone, zydis or the path of a plug-in.
 */
#include "spaces.h"

#include <time.h>

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

/* Which prefetch: only for a prefetch, and by the name that the manuals give the form. Reserved forms under any
 * name. */
static bool hint_is_right(const struct fl_decode_form *f, struct fl_decoded said, bool rule)
{
    static const uint8_t by_reg_18[8] = {FL_HINT_NTA,      FL_HINT_T0,       FL_HINT_T1,  FL_HINT_T2,
                                         FL_HINT_RESERVED, FL_HINT_RESERVED, FL_HINT_IT1, FL_HINT_IT0};

    if (said.cls != FL_DEC_PREFETCH)
        return said.hint == FL_HINT_NONE;
    if (!rule)
        return said.hint != FL_HINT_NONE;
    if (f->bytes[f->prefixes + 1] == 0x18)
        return said.hint == by_reg_18[f->reg];
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

static void judge_15(void *data, const uint8_t bytes[16], unsigned bits)
{
    judge_one(data, bytes, 15, bits);
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

        if (r >> 60 < 2)
            bytes[at++] = r & 0x8000000 ? 0x67 : legacy_prefixes[(r >> 52) % 11];
        memcpy(bytes + at, &tail, sizeof(tail));
        bytes[at] = leads[r % 5];
        if (bytes[at] == 0x62) {
            /* EVEX and MVEX, map 0F 38, C6 and C7, a SIB byte. */
            bytes[at + 1] = (uint8_t)((bytes[at + 1] & 0xf0) | (r & 0x100 ? 2 : (r >> 12 & 15)));
            bytes[at + 2] = (uint8_t)(r & 0x600 ? (bytes[at + 2] & 0x84) | 0x79 : bytes[at + 2]);
            bytes[at + 4] = r & 0x10000 ? 0xc6 : 0xc7;
            bytes[at + 5] = (uint8_t)((bytes[at + 5] & 0x38) | (r & 0x60000 ? 4 : (r >> 20 & 0xc7)));
            if (r >> 56 & 1) {
                /* ... or map 0F and 18. */
                bytes[at + 1] = (uint8_t)((bytes[at + 1] & 0xf0) | 1);
                bytes[at + 2] = (uint8_t)((bytes[at + 2] & 0x80) | 0x78);
                bytes[at + 4] = 0x18;
            }
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

static void test_list(struct fl_decoder *d, bool full)
{
    struct run run = {.decoder = d};
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    CHECK(count > 0 && count <= MAX_ROWS, "%zu rows", count);
    enumerate_prefetches(full ? 3 : 2, judge_15, &run);
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
}

/* ---- speed ------------------------------------------------------------------------------------------------------ */

struct timed {
    struct fl_decoder *decoder;
    uint64_t decodes, nanoseconds;
};

/* Every 97th string of the space, so that a run takes seconds; the clock is read once for 512 of them, and is that of
 * the process, because others run too. */
static void collect(void *data, const uint8_t bytes[16], unsigned bits)
{
    static uint8_t strings[512][16];
    static unsigned at, skip;
    struct timed *timed = data;
    struct timespec before, after;

    if (bits != 64 || skip++ % 97 != 0)
        return;
    memcpy(strings[at++], bytes, 16);
    if (at < 512)
        return;
    at = 0;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (unsigned i = 0; i < 512; i++)
        timed->decoder->decode(timed->decoder, strings[i], 15, 64);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    timed->decodes += 512;
    timed->nanoseconds +=
        (uint64_t)(after.tv_sec - before.tv_sec) * 1000000000u + (uint64_t)after.tv_nsec - (uint64_t)before.tv_nsec;
}

static void measure(struct fl_decoder *d)
{
    struct timed timed = {.decoder = d};

    enumerate_prefetches(3, collect, &timed);
    CHECK(timed.decodes != 0, "nothing was decoded");
    printf("%s %s: %.0f ns for a decode\n", d->name, d->version, (double)timed.nanoseconds / (double)timed.decodes);
}

int main(int argc, char **argv)
{
    bool full = argc == 3 && strcmp(argv[2], "full") == 0, speed = argc == 3 && strcmp(argv[2], "speed") == 0;
    char why[256] = "";
    struct fl_decoder *d;

    if (argc < 2 || argc > 3 || (argc == 3 && !full && !speed)) {
        fprintf(stderr, "usage: test_decode DECODER [full | speed]\n");
        return 2;
    }
    if (strcmp(argv[1], "capstone") == 0)
        d = fl_capstone_open(why);
    else if (strcmp(argv[1], "zydis") == 0)
        d = fl_zydis_open(why);
    else
        d = fl_plugin_open(argv[1], why);
    if (!d) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    if (speed)
        measure(d);
    else
        test_list(d, full);
    d->close(d);
    return check_done("decode");
}
