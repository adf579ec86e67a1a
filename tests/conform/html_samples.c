/* SPDX-License-Identifier: MIT */
#include "html_samples.h"

#include <string.h>

#define ROWS_OF(a) (sizeof(a) / sizeof *(a))

static void every_value(struct class *k)
{
    for (unsigned a = 0; a < ATTR_COUNT; a++)
        k->set[a] = k->seen[a] = attribute_values(a) >= 32 ? UINT32_MAX : (1u << attribute_values(a)) - 1;
    for (unsigned a = ATTR_MODE; a < ATTR_FEATURES; a++)
        k->set[a] = k->seen[a] = a == ATTR_MODE ? 7 : a == ATTR_RIP ? 3 : 1;
}

static void only(struct class *k, unsigned attribute, uint32_t values)
{
    k->set[attribute] = k->seen[attribute] = values;
}

static uint8_t verdict_by_letter(char letter)
{
    uint8_t v = 0;

    while (v < V_COUNT && verdict_letter((enum verdict)v) != letter)
        v++;
    return v;
}

/* ---- a run as it comes out ------------------------------------------------------------------------------------------- */

static const struct column plain_columns[] = {
    {.kind = COLUMN_DECODER, .name = "capstone", .version = "4.0.2", .modes = 7},
    {.kind = COLUMN_DECODER, .name = "zydis", .version = "4.0.0", .modes = 7},
    {.kind = COLUMN_DECODER, .name = "libopcodes", .version = "2.40", .modes = 7},
    {.kind = COLUMN_DECODER, .name = "distorm", .version = "3.4.1", .modes = 7},
    {.kind = COLUMN_DECODER, .name = "llvm", .version = "14.0.6", .modes = 7},
    {.kind = COLUMN_PROBE, .name = "native", .version = "AuthenticAMD-25-1", .host = "AMD EPYC 7763", .modes = 7},
    {.kind = COLUMN_CORE, .name = "core", .version = "tree", .modes = 7},
};

/* As fl_prefix_features() numbers them. */
#define FL_LOCK           (1u << 4)
#define FL_REP_AFTER_LOCK (1u << 5)
#define FL_REX_EARLY      (1u << 8)

#define RUN_OF_4 0x26, 0x26, 0x26, 0x26
#define RUN_OF_8 RUN_OF_4, RUN_OF_4

/* The answers, by column; a letter is small where the column contradicts silicon. */
static const struct plain {
    uint8_t axis, modes, opcode, regs, is_register;
    uint32_t feature;           /* has this one; 0: has no LOCK */
    const char *answers, *also; /* also: how a fifth of a mixed class is answered */
    uint64_t count;
    uint8_t length, example[STRING_BYTES];
} plain[] = {
    {AXIS_SPACE, 4, 0, 0x01, 1, 0, "iPPPPRP", NULL, 1287104, 3, {0x0f, 0x0d}},
    {AXIS_SPACE, 4, 0, 0x04, 1, 0, "iPPiPRP", NULL, 1287104, 3, {0x0f, 0x0d, 0x10}},
    {AXIS_SPACE, 7, 0, 0xf8, 1, 0, "iPPiiRP", NULL, 6435520, 3, {0x0f, 0x0d, 0x18}},
    {AXIS_SPACE, 4, 1, 0xff, 1, FL_REX_EARLY, "PPsPsRP", "PPsPiRP", 3104883, 5, {0x48, 0x66, 0x0f, 0x18}},
    {AXIS_SPACE, 7, 1, 0x30, 1, 0, "NNNiiRP", NULL, 2574208, 3, {0x0f, 0x18, 0x20}},
    {AXIS_SPACE, 7, 1, 0xff, 1, FL_LOCK, "IIppSIP", NULL, 1830224, 4, {0xf0, 0x0f, 0x18}},
    {AXIS_SPACE, 7, 1, 0xff, 1, FL_REP_AFTER_LOCK, "pIppSIP", NULL, 170496, 5, {0xf0, 0xf3, 0x0f, 0x18}},
    {AXIS_SPACE, 4, 1, 0xc0, 1, 0, "NNNiiRP", "NNPiiRP", 2574208, 3, {0x0f, 0x18, 0x30}},
    {AXIS_SPACE, 7, 0, 0xff, 2, 0, "InIIIIP", NULL, 3912180, 3, {0x0f, 0x0d, 0xc0}},
    {AXIS_SPACE, 7, 1, 0x0f, 2, 0, "iNNiiRP", NULL, 1956090, 3, {0x0f, 0x18, 0xc0}},
    {AXIS_SPACE, 7, 1, 0xf0, 2, 0, "NNNiiRP", NULL, 1956090, 3, {0x0f, 0x18, 0xe0}},
    {AXIS_SPACE, 7, 0, 0x02, 1, 0, "PPPPPRP", NULL, 1287104, 3, {0x0f, 0x0d, 0x08}},
    {AXIS_SPACE, 7, 1, 0x0f, 1, 0, "PPPPPRP", NULL, 2574208, 3, {0x0f, 0x18}},
    {AXIS_RUNS, 7, 1, 0xff, 1, 0, "ILIIpLP", NULL, 12960, 16, {RUN_OF_8, RUN_OF_4, 0x26, 0x0f, 0x18}},
    {AXIS_RUNS, 7, 1, 0xff, 1, 0, "PPPPPRP", NULL, 69984, 7, {RUN_OF_4, 0x0f, 0x18}},
    {AXIS_CUTS, 7, 1, 0x11, 1, 0, "CCCCC.P", NULL, 5184, 7, {0x0f, 0x18, 0x05}},
    {AXIS_LEADS, 4, 4, 0x01, 1, 0, "OPOOI.-", NULL, 192, 0, {0xc5, 0x78, 0x18}},
    {AXIS_LEADS, 7, 64, 0x01, 1, 0, "OOOOO.-", NULL, 50331136, 0, {0x00}},
};

static const struct fl_decode_row other_row = {"others", "*", "others-differ", "the tables of this version are older",
                                               "measured by enumeration"};

static void plain_answers(struct answers *a, const struct plain *p, const char *letters)
{
    static const uint8_t hints[2][8] = {
        {FL_HINT_PLAIN, FL_HINT_W, FL_HINT_WT1, FL_HINT_RESERVED, FL_HINT_RESERVED, FL_HINT_RESERVED, FL_HINT_RESERVED},
        {FL_HINT_NTA, FL_HINT_T0, FL_HINT_T1, FL_HINT_T2, FL_HINT_RESERVED, FL_HINT_RESERVED, FL_HINT_IT1, FL_HINT_IT0},
    };

    for (unsigned c = 0; letters[c]; c++) {
        char letter = letters[c] >= 'a' ? (char)(letters[c] - 'a' + 'A') : letters[c];
        uint8_t v = verdict_by_letter(letter);
        bool hint = v == V_PREFETCH && plain_columns[c].kind == COLUMN_DECODER && p->opcode < 2;

        /* None of the examples of prefetches has a displacement: ModRM is the last byte. */
        a->answer[c] = (uint8_t)(v | (hint ? hints[p->opcode][p->example[p->length - 1u] >> 3 & 7] << 4 : 0));
    }
    memcpy(a->example, p->example, STRING_BYTES);
    a->length = p->length;
    a->readable = p->axis == AXIS_CUTS ? 3 : p->length ? p->length : 15;
    a->mode = p->modes & 4 ? 2 : 1;
}

/* As judge.c does; a difference that is not in the list is given a row that is not in it either. */
static void plain_row(struct class *k, unsigned c)
{
    const struct fl_decoder d = {.name = plain_columns[c].name, .version = plain_columns[c].version};
    const struct answers *a = &k->answers[0];
    enum fl_decode_agreement end = FL_DECODE_AGREE;

    if (verdict_of(a->answer[c]) != V_NONE)
        end = fl_decode_judge(&d, a->example, a->readable, mode_bits(a->mode), k->rule,
                              decoded_of(a->answer[c], a->length), &k->row[c]);
    if (end == FL_DECODE_DIFFERS)
        k->row[c] = &other_row;
    k->standing[c] = end == FL_DECODE_AGREE ? STANDS_FINE : STANDS_EXPECTED;
}

struct report sample_plain(void)
{
    static struct class classes[ROWS_OF(plain)];
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);
    struct report r = {.command = "faultline conform prefetch --prefixes 3 --modes 16,32,64 --native "
                                  "--decoder libopcodes.so --decoder distorm.so --decoder llvm.so --html report.html",
                       .space = {.modes = 7, .prefixes = 3, .axes = 31},
                       .columns = plain_columns,
                       .ncolumns = ROWS_OF(plain_columns),
                       .classes = classes,
                       .nclasses = ROWS_OF(plain),
                       .controls = 148,
                       .whole = true};

    for (unsigned i = 0; i < ROWS_OF(plain); i++) {
        const struct plain *p = &plain[i];
        struct class *k = &classes[i];

        every_value(k);
        k->axis = p->axis;
        only(k, ATTR_MODE, p->modes);
        only(k, ATTR_OPCODE, p->axis == AXIS_LEADS ? p->opcode : 1u << p->opcode);
        only(k, ATTR_REG, p->regs);
        only(k, ATTR_REGISTER, p->is_register);
        only(k, ATTR_A, p->axis == AXIS_RUNS ? 0x1ff0 : 8);
        only(k, ATTR_B, p->axis == AXIS_RUNS ? 0x7fff0 : 0x80);
        for (unsigned f = 0; p->axis <= AXIS_RUNS && f < 9; f++)
            if (p->feature ? p->feature == 1u << f : f == 4)
                only(k, ATTR_FEATURES + f, p->feature ? 2 : 1);
        k->count = p->count;
        k->rule = p->axis <= AXIS_CUTS;
        k->loads = p->answers[5] != 'R' ? LOADS_NOT_ASKED : p->is_register == 2 ? LOADS_NO : LOADS_YES;
        k->nanswers = p->also ? 2 : 1;
        plain_answers(&k->answers[0], p, p->answers);
        k->answers[0].count = p->also ? p->count - p->count / 5 : p->count;
        if (p->also) {
            plain_answers(&k->answers[1], p, p->also);
            k->answers[1].count = p->count / 5;
        }
        for (unsigned c = 0; c < 6; c++) {
            char letter = p->answers[c];

            if (letter >= 'a')
                k->against[c] = AGAINST_SILICON;
            else if (letter == 'N' && k->loads == LOADS_YES)
                k->against[c] = AGAINST_NAME;
            plain_row(k, c);
            if (k->row[c] && k->row[c] != &other_row)
                r.fired[k->row[c] - rows] += k->count;
        }
        r.strings += k->count;
        r.of_axis[k->axis] += k->count;
    }
    /* What is not in these few classes was met elsewhere: nothing is stale. */
    for (size_t i = 0; i < count; i++)
        if (row_is_stale(&r, i))
            r.fired[i] = 96;
    return r;
}

/* ---- hostile and large ------------------------------------------------------------------------------------------------ */

/* Text that ends what it stands in, if it is not escaped: an element, an attribute in either quotes, an entity. The last
 * bytes are no UTF-8. */
static const struct column hostile_columns[] = {
    {.kind = COLUMN_DECODER, .name = "<script>x</scri", .version = SAMPLE_MARKUP, .modes = 7},
    {.kind = COLUMN_DECODER, .name = "'\"><b onload=", .version = "&lt;'\"\x01\xff\xc3", .modes = 7},
    {.kind = COLUMN_DECODER, .name = "libopcodes", .version = "2.40", .modes = 7},
    {.kind = COLUMN_DECODER, .name = "distorm", .version = "3.4.1", .modes = 7},
    {.kind = COLUMN_DECODER, .name = "llvm", .version = "14.0.6", .modes = 4},
    {.kind = COLUMN_CORE, .name = "tree", .version = "</style>", .modes = 7},
    {.kind = COLUMN_PROBE, .name = "native", .version = "AuthenticAMD-25", .host = "<img src=x onerror=x>", .modes = 7},
    {.kind = COLUMN_PROBE, .name = "unicorn", .version = "2.1.4", .host = "any", .modes = 7},
};
static const struct fl_decode_row hostile_row = {"x", "*", "</a><script>x</script>", SAMPLE_MARKUP,
                                                 "\"" SAMPLE_MARKUP "'"};
static const bool hostile_dropped[MAX_COLUMNS] = {[3] = true};
static const struct incident hostile_incidents[] = {
    {.column = 3, .axis = AXIS_SPACE, .mode = 2, .length = 4, .readable = 4, .signal = 11, .bytes = {0xf0, 0x0f, 0x18}},
    {.column = 4, .axis = AXIS_CUTS, .mode = 0, .length = 7, .readable = 3, .hung = true, .bytes = {0x0f, 0x18, 0x05}},
    {.column = 0, .axis = AXIS_RUNS, .mode = 1, .length = 16, .readable = 15, .bytes = {0x26, 0x26, 0x0f, 0x0d, 0x01}},
};

static void hostile_class(struct class *k, unsigned i)
{
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);
    unsigned kept;

    every_value(k);
    k->axis = (enum axis)(i * AXIS_COUNT / SAMPLE_CLASSES);
    only(k, ATTR_MODE, i % 7 + 1);
    only(k, ATTR_OPCODE, 1u << i % 2);
    only(k, ATTR_REG, i % 255 + 1);
    only(k, ATTR_FEATURES + i % 9, i % 3 ? 2 : 1);
    k->rule = i % 11 != 0;
    k->loads = i % 4;
    k->nanswers = i % 10 ? 1 : i % 20 ? 3 : 12;
    kept = k->nanswers < MAX_ANSWERS ? k->nanswers : MAX_ANSWERS;
    for (unsigned n = 0; n < kept; n++) {
        struct answers *a = &k->answers[n];

        for (unsigned c = 0; c < ROWS_OF(hostile_columns); c++) {
            uint8_t v = (uint8_t)((i + (n ? c * n : c / 2)) % V_COUNT);

            a->answer[c] = (uint8_t)(v | (v == V_PREFETCH ? i % FL_HINT_COUNT << 4 : 0));
        }
        a->count = UINT64_C(1234567) * (kept - n) + i;
        k->count += a->count;
        /* The example tells the class: nothing else has these bytes. */
        memcpy(a->example, (const uint8_t[]){0x66, (uint8_t)(i >> 8), (uint8_t)i, (uint8_t)n, 0x0f, 0x18, 0x04, 0x25},
               8);
        a->length = (uint8_t)(i % 40 == 39 ? 24 : 8 + i % 9);
        a->readable = i % 40 == 39 ? 15 : a->length;
        a->mode = 2;
    }
    for (unsigned c = 0; c < ROWS_OF(hostile_columns) - 2; c++) {
        k->against[c] = (i + c) % 9 == 0 ? AGAINST_SILICON : (i + c) % 7 == 0 ? AGAINST_NAME : AGAINST_NOTHING;
        k->standing[c] = i % 25 == 0 && c == i / 25 % 4 ? STANDS_UNKNOWN : (i + c) % 2 ? STANDS_EXPECTED : STANDS_FINE;
        if (k->standing[c] == STANDS_EXPECTED)
            k->row[c] = i % 50 == 7 ? &hostile_row : &rows[(i + c) % count];
    }
}

struct report sample_hostile(void)
{
    static struct class classes[SAMPLE_CLASSES];
    size_t count;
    struct report r = {.command = "faultline conform prefetch --decoder '" SAMPLE_MARKUP "' && \"x\"",
                       .space = {.modes = 7, .prefixes = 3, .axes = 31, .operands = true},
                       .columns = hostile_columns,
                       .ncolumns = ROWS_OF(hostile_columns),
                       .classes = classes,
                       .nclasses = SAMPLE_CLASSES,
                       .incidents = hostile_incidents,
                       .nincidents = ROWS_OF(hostile_incidents),
                       .dropped = hostile_dropped,
                       .whole = true,
                       .stale = 3};

    fl_decode_rows(&count);
    memset(classes, 0, sizeof classes);
    for (unsigned i = 0; i < SAMPLE_CLASSES; i++) {
        hostile_class(&classes[i], i);
        r.strings += classes[i].count;
        r.of_axis[classes[i].axis] += classes[i].count;
        r.unknown += i % 25 == 0;
    }
    for (size_t i = 0; i < count; i++)
        r.fired[i] = i % 5 ? 1000 * (i + 1) : 0;
    r.proof = json_pack("{ssss}", "verdict", "refuted " SAMPLE_MARKUP, "text",
                        "The rule and the core were held against each other: " SAMPLE_MARKUP);
    r.refuted = true;
    return r;
}

struct report sample_empty(void)
{
    return (struct report){.command = "faultline conform prefetch"};
}
