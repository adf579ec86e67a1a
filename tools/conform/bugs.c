/* SPDX-License-Identifier: MIT */
/*
 * Ready-to-send bug reports: one for each class in which a decoder contradicts the processor. A maintainer wants one report
 * for one fault, so classes are made anew, of what matters to him: does his decoder accept the string, and does it run?
 */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Is it among the prefixes of its example? */
static bool has_feature(const struct answers *a, const char *name)
{
    unsigned prefixes = 0;
    uint32_t features;

    while (prefixes < a->readable && prefixes < STRING_BYTES &&
           fl_prefetch_step(FL_RULE_PREFIXES, a->example[prefixes], mode_bits(a->mode)) == FL_RULE_PREFIXES)
        prefixes++;
    features = fl_prefix_features(a->example, prefixes, mode_bits(a->mode));
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++)
        if (features >> f & 1 && strcmp(fl_prefix_feature_name(f), name) == 0)
            return true;
    return false;
}

/* Which part of the manuals says what silicon does with such a string; the first that fits. */
static const char *reference(const struct class *k, uint8_t silicon)
{
    const struct answers *a = &k->answers[0];

    if (silicon == V_TOO_LONG)
        return "Intel SDM vol. 2A, 2.3.11, and vol. 3A, 6.15 (#GP: the instruction length limit of 15 bytes is exceeded)";
    if (has_feature(a, "LOCK"))
        return "Intel SDM vol. 2A, LOCK (#UD with any instruction but those listed); AMD APM vol. 3, 1.2.5";
    if (has_feature(a, "REX-EARLY"))
        return "Intel SDM vol. 2A, 2.2.1 (a REX prefix that does not directly precede the opcode is ignored); AMD APM "
               "vol. 3, 1.2.7";
    if (k->seen[ATTR_OPCODE] == 1)
        return k->seen[ATTR_REGISTER] == 2
                   ? "AMD APM vol. 3, PREFETCH and PREFETCHW (a register operand is #UD); Intel runs it as a nop"
                   : "AMD APM vol. 3, PREFETCH and PREFETCHW (reserved types do not raise #UD: they are aliased to /0); "
                     "Intel SDM vol. 2B, PREFETCHW";
    return k->seen[ATTR_REGISTER] == 2
               ? "Intel SDM vol. 2D, table A-6, group 16 (register forms are reserved nops)"
               : "Intel SDM vol. 2B, PREFETCHh, and vol. 2D, table A-6, group 16; AMD APM vol. 3, "
                 "PREFETCHlevel";
}

/* The decoder's own tool over the same bytes, for its maintainer; nothing where we know of none. */
static void own_tool(const char *decoder, const struct answers *a, FILE *out)
{
    unsigned bits = mode_bits(a->mode);
    char bytes[64];

    bytes_text(a->example, a->readable, bytes, sizeof bytes);
    if (strcmp(decoder, "capstone") == 0) {
        fprintf(out, "  cstool x%u \"%s\"\n", bits, bytes);
    } else if (strcmp(decoder, "zydis") == 0) {
        fprintf(out, "  ZydisInfo -%u %s\n", bits, bytes);
    } else if (strcmp(decoder, "llvm") == 0) {
        fputs("  echo", out);
        for (unsigned i = 0; i < a->readable && i < STRING_BYTES; i++)
            fprintf(out, " 0x%02x", a->example[i]);
        fprintf(out, " | llvm-mc --disassemble --triple=%s\n",
                bits == 64   ? "x86_64"
                : bits == 32 ? "i386"
                             : "i386-unknown-unknown-code16");
    } else if (strcmp(decoder, "opcodes") == 0) {
        fputs("  printf '", out);
        for (unsigned i = 0; i < a->readable && i < STRING_BYTES; i++)
            fprintf(out, "\\%03o", a->example[i]);
        fprintf(out, "' >string.bin && objdump -D -b binary -m %s string.bin\n",
                bits == 64   ? "i386:x86-64"
                : bits == 32 ? "i386"
                             : "i8086");
    }
}

/* By loads of the example. */
static const char *expected(uint8_t silicon, enum loads loads)
{
    switch (silicon) {
    case V_INVALID: return "no instruction: the processor raises #UD";
    case V_TOO_LONG: return "no instruction: longer than 15 bytes, the processor raises #GP";
    default:
        return loads == LOADS_YES  ? "one instruction, a prefetch: it runs and brings its operand's line into the cache"
               : loads == LOADS_NO ? "one instruction: it runs and changes nothing (a nop)"
                                   : "one instruction: it runs and changes nothing";
    }
}

/* ---- classes of two columns ------------------------------------------------------------------------------------------- */

/* Accepted is accepted, whatever it is called. */
static uint8_t accepted_or(uint8_t answer)
{
    uint8_t v = verdict_of(answer);

    return v == V_NOP ? V_PREFETCH : v;
}

/* Where the two answers stand in the cells made here. */
enum { AT_DECODER, AT_SILICON };

/* The cells that speak of the decoder and of silicon: the space, and of the runs those that are too long. NULL: no memory. */
static struct cell *of_two(const struct cell *cells, uint32_t ncells, unsigned column, unsigned silicon,
                           uint32_t *count)
{
    struct cells t = {.capacity = 1u << 18};
    struct cell *sorted = NULL;

    t.cell = calloc(t.capacity, sizeof *t.cell);
    if (!t.cell)
        return NULL;
    for (uint32_t i = 0; i < ncells; i++) {
        const struct cell *c = &cells[i];
        uint8_t answer[MAX_COLUMNS] = {
            [AT_DECODER] = accepted_or(c->answer[column]), [AT_SILICON] = verdict_of(c->answer[silicon])};
        struct cell *to;

        if (!(key_axis(c->key) == AXIS_SPACE ||
              (key_axis(c->key) == AXIS_RUNS && key_get(c->key, ATTR_A) != LIMIT_NOT_MET)))
            continue;
        to = cells_find(&t, c->key, answer);
        if (!to)
            break;
        if (to->count == 0) {
            uint8_t kept[MAX_COLUMNS];

            memcpy(kept, answer, sizeof kept);
            *to = *c;
            memcpy(to->answer, kept, sizeof kept);
        } else {
            to->count += c->count;
        }
    }
    *count = t.used;
    if (!t.full)
        sorted = cells_sorted(&t);
    free(t.cell);
    return sorted;
}

/* The answers of all columns to that example. */
static const struct cell *cell_of(const struct cell *cells, uint32_t ncells, const struct class *k)
{
    for (uint32_t i = 0; i < ncells; i++)
        if (key_axis(cells[i].key) == k->axis && key_get(cells[i].key, ATTR_MODE) == k->answers[0].mode &&
            memcmp(cells[i].example, k->answers[0].example, STRING_BYTES) == 0)
            return &cells[i];
    return NULL;
}

static void report_one(const struct report *r, const struct class *k, const struct cell *cell, unsigned c,
                       unsigned silicon, unsigned number, FILE *out)
{
    const struct column *d = &r->columns[c];
    const struct answers *a = &k->answers[0];
    char form[160], modes[16], prefixes[160], bytes[64];
    uint8_t truth = a->answer[AT_SILICON], said = cell ? cell->answer[c] : a->answer[AT_DECODER];
    enum loads loads = cell && truth == V_RAN ? (enum loads)hint_of(cell->answer[silicon]) : LOADS_NOT_ASKED;

    class_form(k, form, sizeof form);
    class_modes(k, modes, sizeof modes);
    class_prefixes(k, prefixes, sizeof prefixes);
    bytes_text(a->example, a->readable, bytes, sizeof bytes);
    fprintf(out, "---- %u ----\n", number);
    fprintf(out, "Subject: %s %s: %s (%s) decodes as %s in %u-bit code\n\n", d->name, d->version, bytes, form,
            answer_name(said), mode_bits(a->mode));
    fprintf(out, "Bytes:     %s (%u-bit code%s)\n", bytes, mode_bits(a->mode),
            a->readable < FL_RULE_BYTES ? "; zero bytes may follow" : "");
    fprintf(out, "Expected:  %s", expected(truth, loads));
    if (truth == V_RAN)
        fprintf(out, "; length %u", a->length);
    fprintf(out, "\nGot:       %s\n", answer_name(said));
    fprintf(out, "Version:   %s %s\n", d->name, d->version);
    fprintf(out, "Processor: %s (%s), executed in user mode, controls passed\n", r->columns[silicon].host,
            r->columns[silicon].version);
    fprintf(out, "Manual:    %s\n", reference(k, truth));
    fprintf(out,
            "How wide:  %" PRIu64 " strings of this form, %s by the decoder and %s by the processor (%s-bit code; "
            "prefixes: %s)",
            k->count, a->answer[AT_DECODER] == V_PREFETCH ? "accepted" : "not accepted",
            truth == V_RAN ? "run" : "refused", modes, prefixes);
    if (k->nanswers > 1)
        fprintf(out, "; %.1f %% of them", class_uniformity(k) * 100);
    fputc('\n', out);
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++)
        if (fl_prefix_feature_name(f) && k->set[ATTR_FEATURES + f] != 3)
            fprintf(out, "           %s: %s\n", fl_prefix_feature_name(f), fl_prefix_feature_meaning(f));
    fputs("Reproduce:\n", out);
    own_tool(d->name, a, out);
    fprintf(out, "  ./faultline conform prefetch --bytes \"%s\" --mode %u --decoders %s --execute native\n\n", bytes,
            mode_bits(a->mode), d->path[0] && !d->built_in ? d->path : d->name);
}

/* 0F 0D with a register is #UD on AMD and a nop on Intel: whoever says nop is right about the one, and has no bug. */
static bool vendors_differ(const struct class *k, uint8_t said)
{
    return k->seen[ATTR_OPCODE] == 1 && k->seen[ATTR_REGISTER] == 2 && verdict_of(said) == V_NOP &&
           k->answers[0].answer[AT_SILICON] == V_INVALID && !has_feature(&k->answers[0], "LOCK");
}

bool conform_bugs(const struct report *r, const struct cell *cells, uint32_t ncells, unsigned column, FILE *out,
                  unsigned *written)
{
    int silicon = conform_silicon(r->columns, r->ncolumns);
    uint32_t ntwo = 0, nclasses = 0;
    struct cell *two;
    struct class *classes;

    *written = 0;
    if (silicon < 0)
        return true;
    two = of_two(cells, ncells, column, (unsigned)silicon, &ntwo);
    classes = two ? classes_of(two, ntwo, &nclasses) : NULL;
    for (uint32_t i = 0; classes && i < nclasses; i++) {
        const struct class *k = &classes[i];
        const struct cell *cell = cell_of(cells, ncells, k);
        uint8_t said = cell ? cell->answer[column] : k->answers[0].answer[AT_DECODER];

        if (conform_against(k->answers[0].answer[AT_DECODER], k->answers[0].answer[AT_SILICON], LOADS_NOT_ASKED) ==
                AGAINST_SILICON &&
            !vendors_differ(k, said))
            report_one(r, k, cell, column, (unsigned)silicon, ++*written, out);
    }
    free(classes);
    free(two);
    return classes != NULL;
}
