/* SPDX-License-Identifier: MIT */
/*
 * facts REPORT.json: holds the class table of a conformance run against what is known of Debian's decoders and of an AMD
 * processor. Each row below is a class of strings and what every column must say of it, in all three code sizes. Every
 * string of up to two prefixes is looked up in the report's classes, and every class of longer runs is taken by its example.
 * A row that met nothing fails.
 *
 * Letters: P prefetch, N nop, I invalid, S split, L too long, O other; for the processor: R it loads the line, r it ran as
 * a nop, u it ran (whether the line was loaded is not known), D #UD, G #GP. Several letters: any of them.
 */
#include "check.h"

#include <faultline/oracle/decode.h>

#include <jansson.h>

struct form {
    unsigned bits, opcode, reg;
    bool is_register, rip, lock, lock_first, rep_after_lock, rex_early, rep, size, past_15; /* size: 66 or 67 */
    bool opsize;
};

struct fact {
    const char *what;
    bool (*covers)(const struct form *f);
    /* NULL: nothing is said of that column */
    const char *capstone4, *zydis40, *opcodes, *distorm, *llvm14, *llvm16, *amd;
};

static bool plain(const struct form *f)
{
    return !f->lock && !f->rex_early && !f->past_15;
}
static bool mem(const struct form *f, unsigned opcode, unsigned from, unsigned to)
{
    return plain(f) && f->opcode == opcode && !f->is_register && f->reg >= from && f->reg <= to;
}
static bool f_0d_0(const struct form *f)
{
    return mem(f, 0x0d, 0, 0);
}
static bool f_0d_1(const struct form *f)
{
    return mem(f, 0x0d, 1, 1);
}
static bool f_0d_2(const struct form *f)
{
    return mem(f, 0x0d, 2, 2);
}
static bool f_0d_3_7(const struct form *f)
{
    return mem(f, 0x0d, 3, 7);
}
static bool f_0d_reg(const struct form *f)
{
    return plain(f) && f->opcode == 0x0d && f->is_register;
}
static bool f_18_0_3(const struct form *f)
{
    return mem(f, 0x18, 0, 3);
}
static bool f_18_4_5(const struct form *f)
{
    return mem(f, 0x18, 4, 5);
}
static bool f_18_6_7(const struct form *f)
{
    return mem(f, 0x18, 6, 7) && !f->rip && f->bits == 64;
}
static bool f_18_6_7_rip(const struct form *f)
{
    return mem(f, 0x18, 6, 7) && f->rip && !f->rep && !f->opsize;
}
static bool f_18_6_7_rip_prefixed(const struct form *f)
{
    return mem(f, 0x18, 6, 7) && f->rip && (f->rep || f->opsize);
}
static bool f_18_6_7_narrow(const struct form *f)
{
    return mem(f, 0x18, 6, 7) && f->bits != 64;
}
static bool f_18_reg_low(const struct form *f)
{
    return plain(f) && f->opcode == 0x18 && f->is_register && f->reg < 4;
}
static bool f_18_reg_high(const struct form *f)
{
    return plain(f) && f->opcode == 0x18 && f->is_register && f->reg >= 4;
}
static bool f_lock_anywhere(const struct form *f)
{
    return f->lock && !f->rep_after_lock && !f->rex_early && !f->past_15 && f->opcode == 0x18 && !f->is_register &&
           f->reg < 4;
}
static bool f_lock(const struct form *f)
{
    return f_lock_anywhere(f) && f->lock_first;
}
static bool f_lock_later(const struct form *f)
{
    return f_lock_anywhere(f) && !f->lock_first;
}
static bool f_lock_rep(const struct form *f)
{
    return f->rep_after_lock && !f->rex_early && !f->past_15 && f->opcode == 0x18 && !f->is_register && f->reg < 4;
}
static bool f_rex_early(const struct form *f)
{
    return f->bits == 64 && f->rex_early && !f->lock && !f->past_15 && !f->is_register && f->opcode == 0x18 &&
           f->reg < 4;
}
static bool f_past_15(const struct form *f)
{
    return f->past_15;
}

/* Where these say more than that table of ten decoders: LLVM splits LOCK off only where it comes first or behind F2 or F3
 * (row llvm-lock); F2 or F3 together with 66 or 67 is another class to it (llvm-project issue 187045, row llvm-rep-apart);
 * PREFETCHIT is for 64-bit code, and libopcodes has it without 66, F2 and F3 only. oracle/decode/rows/ has the sources.
 *
 * Versions: capstone 4.0, zydis 4.0, binutils 2.40, distorm 3.4, llvm 14 and 16 (or later), AMD family 25. */
static const struct fact facts[] = {
    {"0D /0 mem", f_0d_0, "I", "P", "P", "P", "P", "P", "Ru"},
    {"0D /1 mem", f_0d_1, "P", "P", "P", "P", "P", "P", "Ru"},
    {"0D /2 mem", f_0d_2, "I", "P", "P", "I", "P", "P", "Ru"},
    {"0D /3-7 mem", f_0d_3_7, "I", "P", "P", "I", "I", "I", "Ru"},
    {"0D reg", f_0d_reg, "I", "N", "I", "I", "I", "I", "D"},
    {"18 /0-3 mem", f_18_0_3, "P", "P", "P", "P", "P", "P", "Ru"},
    {"18 /4,5 mem", f_18_4_5, "N", "N", "N", "I", "I", "I", "Ru"},
    {"18 /6,7 mem", f_18_6_7, "N", "N", "N", "I", "I", "P", "Ru"},
    {"18 /6,7 RIP-relative", f_18_6_7_rip, "N", "N", "P", "I", "I", "P", "u"},
    {"... with 66, F2 or F3", f_18_6_7_rip_prefixed, "N", "N", "N", "I", "I", "P", "u"},
    {"18 /6,7 mem, 16, 32 bits", f_18_6_7_narrow, "N", "N", "N", "I", "I", "I", "R"},
    {"18 /0-3 reg", f_18_reg_low, "I", "N", "N", "I", "I", "I", "r"},
    {"18 /4-7 reg", f_18_reg_high, "N", "N", "N", "I", "I", "I", "r"},
    {"LOCK + 18", f_lock, "I", "I", "P", "P", "S", "S", "D"},
    {"LOCK behind another + 18", f_lock_later, "I", "I", "P", "P", NULL, NULL, "D"},
    {"LOCK then F2/F3 + 18", f_lock_rep, "P", "I", "P", "P", "S", "S", "D"},
    {"REX then prefix or REX", f_rex_early, "P", "P", "S", "P", "SI", "SI", "Ru"},
    {"16 and more bytes", f_past_15, "I", "L", "IS", "I", NULL, NULL, "G"},
};
#define FACTS (sizeof facts / sizeof *facts)

/* ---- reading the report ------------------------------------------------------------------------------------------------ */

static struct form form_of(const uint8_t *b, unsigned n, unsigned bits, unsigned length)
{
    struct form f = {.bits = bits, .past_15 = length > 15};
    bool rex = false;
    unsigned at;

    for (at = 0; at + 2 < n && fl_prefetch_step(FL_RULE_PREFIXES, b[at], bits) == FL_RULE_PREFIXES; at++) {
        f.rex_early |= rex;
        rex = bits == 64 && b[at] >= 0x40 && b[at] <= 0x4f;
        f.size |= b[at] == 0x66 || b[at] == 0x67;
        f.opsize |= b[at] == 0x66;
        f.rep |= b[at] == 0xf2 || b[at] == 0xf3;
        if (b[at] == 0xf0) {
            f.lock_first |= at == 0;
            f.lock = true;
            f.rep_after_lock = false;
        } else if ((b[at] == 0xf2 || b[at] == 0xf3) && f.lock) {
            f.rep_after_lock = true;
        }
    }
    f.opcode = b[at] == 0x0f ? b[at + 1] : 0; /* 0: another instruction comes first */
    f.is_register = b[at + 2] >= 0xc0;
    f.reg = b[at + 2] >> 3 & 7;
    f.rip = bits == 64 && (b[at + 2] & 0xc7) == 5;
    return f;
}

static char letter_of_decoder(const char *said)
{
    if (strstr(said, "prefetch") == said || strcmp(said, "vector prefetch") == 0)
        return 'P';
    return strcmp(said, "nop") == 0        ? 'N'
           : strcmp(said, "invalid") == 0  ? 'I'
           : strcmp(said, "split") == 0    ? 'S'
           : strcmp(said, "too long") == 0 ? 'L'
                                           : 'O';
}

static char letter_of_processor(const char *said, const char *loads)
{
    if (strcmp(said, "ran") == 0)
        return strcmp(loads, "yes") == 0 ? 'R' : strcmp(loads, "no") == 0 ? 'r' : 'u';
    return strcmp(said, "invalid") == 0 ? 'D' : strcmp(said, "too long") == 0 ? 'G' : 'O';
}

/* What the fact says of a column; NULL: nothing, or of other versions only. */
static const char *wanted(const struct fact *f, const struct form *form, const char *name, const char *version)
{
    if (strcmp(name, "capstone") == 0)
        return strncmp(version, "4.", 2) == 0 ? f->capstone4 : NULL;
    if (strcmp(name, "zydis") == 0)
        return strncmp(version, "4.0", 3) == 0 ? f->zydis40 : NULL;
    if (strcmp(name, "opcodes") == 0)
        return strncmp(version, "2.40", 4) == 0 ? f->opcodes : NULL;
    if (strcmp(name, "distorm") == 0)
        return strncmp(version, "3.4", 3) == 0 ? f->distorm : NULL;
    if (strcmp(name, "llvm") == 0 && form->rep && form->size)
        return NULL;
    if (strcmp(name, "llvm") == 0)
        return atoi(version) == 14 ? f->llvm14 : atoi(version) >= 16 ? f->llvm16 : NULL;
    if (strcmp(name, "native") == 0)
        return strncmp(version, "AuthenticAMD-", 13) == 0 ? f->amd : NULL;
    return NULL;
}

static uint64_t met[FACTS];

static void check_answer(const json_t *columns, const json_t *said, const char *loads, const struct form *form,
                         const uint8_t *bytes)
{
    const json_t *column;
    size_t c;

    for (size_t i = 0; i < FACTS; i++) {
        if (!facts[i].covers(form))
            continue;
        json_array_foreach(columns, c, column)
        {
            const char *name = json_string_value(json_object_get(column, "name"));
            const char *want = wanted(&facts[i], form, name, json_string_value(json_object_get(column, "version")));
            const char *got = json_string_value(json_object_get(said, name));
            char letter;

            if (!want || !got)
                continue;
            letter = strcmp(name, "native") == 0 ? letter_of_processor(got, loads) : letter_of_decoder(got);
            met[i]++;
            CHECK(strchr(want, letter) != NULL,
                  "%s: %s says %s (%c) of %02x %02x %02x %02x %02x in %u-bit code, known is %s", facts[i].what, name,
                  got, letter, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], form->bits, want);
        }
    }
}

/* ---- the space: every string, by the class that it is in ------------------------------------------------------------------ */

struct known {
    unsigned bits, opcodes, registers, regs, rips; /* sets */
    uint32_t must, must_not;                       /* features */
    const json_t *said;
    const char *loads;
};
static struct known known[4096];
static unsigned nknown;

static unsigned set_of(const json_t *set, const char *name)
{
    const json_t *v;
    unsigned mask = 0;
    size_t i;

    json_array_foreach(json_object_get(set, name), i, v) mask |=
        1u << (json_is_integer(v) ? json_integer_value(v) : json_is_true(v));
    return mask;
}

static void add_known(const json_t *class)
{
    const json_t *set = json_object_get(class, "set"), *v;
    struct known *k = &known[nknown++];
    size_t i;

    CHECK(json_integer_value(json_object_get(class, "different_answers")) == 1,
          "a class of the space is not uniform: %s", json_string_value(json_object_get(class, "form")));
    json_array_foreach(json_object_get(set, "bits"), i, v) k->bits |= (unsigned)json_integer_value(v);
    k->opcodes = set_of(set, "opcode");
    k->registers = set_of(set, "register");
    k->regs = set_of(set, "reg");
    k->rips = set_of(set, "rip");
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++) {
        const char *name = fl_prefix_feature_name(f);
        const json_t *wants = name ? json_object_get(json_object_get(set, "features"), name) : NULL;

        if (wants)
            *(json_is_true(wants) ? &k->must : &k->must_not) |= 1u << f;
    }
    k->said = json_object_get(json_array_get(json_object_get(class, "answers"), 0), "said");
    k->loads = json_string_value(json_object_get(class, "loads"));
}

static const struct known *look_up(unsigned bits, uint32_t features, bool hint, uint8_t modrm)
{
    for (unsigned i = 0; i < nknown; i++) {
        const struct known *k = &known[i];

        if (k->bits & bits && k->opcodes >> hint & 1 && k->registers >> (modrm >= 0xc0) & 1 &&
            k->regs >> (modrm >> 3 & 7) & 1 && k->rips >> (bits == 64 && (modrm & 0xc7) == 5) & 1 &&
            (features & k->must) == k->must && !(features & k->must_not))
            return k;
    }
    return NULL;
}

static void check_space(const json_t *columns, unsigned bits)
{
    static const uint8_t prefixes[27] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0,
                                         0xf2, 0xf3, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46,
                                         0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f};

    for (unsigned run = 0; run < 1 + 27 + 27 * 27; run++) {
        uint8_t bytes[8] = {0};
        unsigned n = run == 0 ? 0 : run < 28 ? 1 : 2;
        uint32_t features;

        if (n == 1)
            bytes[0] = prefixes[run - 1];
        if (n == 2) {
            bytes[0] = prefixes[(run - 28) / 27];
            bytes[1] = prefixes[(run - 28) % 27];
        }
        features = fl_prefix_features(bytes, n, bits);
        for (unsigned i = 0; i < 512; i++) {
            const struct known *k = look_up(bits, features, i >> 8, (uint8_t)i);
            struct form form;

            bytes[n] = 0x0f;
            bytes[n + 1] = i >> 8 ? 0x18 : 0x0d;
            bytes[n + 2] = (uint8_t)i;
            form = form_of(bytes, n + 3, bits, 0);
            CHECK(k != NULL, "no class of the space holds %02x %02x %02x %02x %02x in %u-bit code", bytes[0], bytes[1],
                  bytes[2], bytes[3], bytes[4], bits);
            if (k)
                check_answer(columns, k->said, k->loads, &form, bytes);
        }
    }
}

/* ---- longer runs: classes by their examples ------------------------------------------------------------------------------- */

static void check_examples(const json_t *columns, const json_t *class)
{
    const json_t *answer;
    size_t k;

    json_array_foreach(json_object_get(class, "answers"), k, answer)
    {
        uint8_t bytes[20] = {0};
        unsigned n = 0, bits = (unsigned)json_integer_value(json_object_get(answer, "bits"));
        struct form form;

        for (const char *p = json_string_value(json_object_get(answer, "example")); *p && n < 18; p += p[2] ? 3 : 2)
            bytes[n++] = (uint8_t)strtoul((char[]){p[0], p[1], 0}, NULL, 16);
        form = form_of(bytes, n, bits, (unsigned)json_integer_value(json_object_get(answer, "length")));
        /* Whether the line is loaded is known of a class's first answers. In 16- and 32-bit code 40 to 4F are no prefixes. */
        if (form.opcode == 0x0d || form.opcode == 0x18)
            check_answer(columns, json_object_get(answer, "said"),
                         k == 0 ? json_string_value(json_object_get(class, "loads")) : "not asked", &form, bytes);
    }
}

int main(int argc, char **argv)
{
    json_error_t error = {0};
    json_t *report = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
    const json_t *columns, *class;
    size_t i;

    if (!report) {
        fprintf(stderr, argc == 2 ? "facts: %s:%d: %s\n" : "usage: facts REPORT.json\n", argc == 2 ? argv[1] : "",
                error.line, error.text);
        return 2;
    }
    columns = json_object_get(report, "columns");
    json_array_foreach(json_object_get(report, "classes"), i, class)
    {
        const char *axis = json_string_value(json_object_get(class, "axis"));

        if (strcmp(axis, "space") == 0 && nknown < sizeof known / sizeof *known)
            add_known(class);
        else if (strcmp(axis, "runs") == 0)
            check_examples(columns, class);
    }
    for (unsigned bits = 16; bits <= 64; bits *= 2)
        check_space(columns, bits);
    for (i = 0; i < FACTS; i++) {
        printf("%-26s %" PRIu64 " answers\n", facts[i].what, met[i]);
        CHECK(met[i] != 0, "%s: nothing in the report is of this class", facts[i].what);
    }
    json_decref(report);
    return check_done("facts");
}
