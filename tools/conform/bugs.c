/* SPDX-License-Identifier: MIT */
/* Ready-to-send bug reports: one for each class in which a decoder contradicts the processor. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

/* Which part of the manuals says what silicon does with such a string; the first that fits. */
static const char *reference(const struct class *k, uint8_t silicon)
{
    const struct answers *a = &k->answers[0];
    uint32_t features;
    unsigned prefixes = 0;

    while (prefixes < a->readable &&
           fl_prefetch_step(FL_RULE_PREFIXES, a->example[prefixes], mode_bits(a->mode)) == FL_RULE_PREFIXES)
        prefixes++;
    features = fl_prefix_features(a->example, prefixes, mode_bits(a->mode));
    if (silicon == V_TOO_LONG)
        return "Intel SDM vol. 2A, 2.3.11, and vol. 3A, 6.15 (#GP: the instruction length limit of 15 bytes is exceeded)";
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++)
        if (features >> f & 1 && strcmp(fl_prefix_feature_name(f), "LOCK") == 0)
            return "Intel SDM vol. 2A, LOCK (#UD with any instruction but those listed); AMD APM vol. 3, 1.2.5";
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++)
        if (features >> f & 1 && strcmp(fl_prefix_feature_name(f), "REX-EARLY") == 0)
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
        for (unsigned i = 0; i < a->readable; i++)
            fprintf(out, " 0x%02x", a->example[i]);
        fprintf(out, " | llvm-mc --disassemble --triple=%s\n",
                bits == 64   ? "x86_64"
                : bits == 32 ? "i386"
                             : "i386-unknown-unknown-code16");
    } else if (strcmp(decoder, "opcodes") == 0) {
        fputs("  printf '", out);
        for (unsigned i = 0; i < a->readable; i++)
            fprintf(out, "\\%03o", a->example[i]);
        fprintf(out, "' >string.bin && objdump -D -b binary -m %s string.bin\n",
                bits == 64   ? "i386:x86-64"
                : bits == 32 ? "i386"
                             : "i8086");
    }
}

static const char *expected(const struct class *k, uint8_t silicon)
{
    switch (silicon) {
    case V_INVALID: return "no instruction: the processor raises #UD";
    case V_TOO_LONG: return "no instruction: longer than 15 bytes, the processor raises #GP";
    default:
        return k->loads == LOADS_YES
                   ? "one instruction, a prefetch: it runs and brings its operand's line into the cache"
               : k->loads == LOADS_NO ? "one instruction: it runs and changes nothing (a nop)"
                                      : "one instruction: it runs and changes nothing";
    }
}

static void report_one(const struct report *r, const struct class *k, unsigned c, unsigned silicon, unsigned number,
                       FILE *out)
{
    const struct column *d = &r->columns[c];
    const struct answers *a = &k->answers[0];
    char form[128], modes[16], prefixes[160], bytes[64];
    uint8_t truth = verdict_of(a->answer[silicon]);

    class_form(k, form, sizeof form);
    class_modes(k, modes, sizeof modes);
    class_prefixes(k, prefixes, sizeof prefixes);
    bytes_text(a->example, a->readable, bytes, sizeof bytes);
    fprintf(out, "---- %u ----\n", number);
    fprintf(out, "Subject: %s %s: %s (%s) decodes as %s in %u-bit code\n\n", d->name, d->version, bytes, form,
            answer_name(a->answer[c]), mode_bits(a->mode));
    fprintf(out, "Bytes:     %s (%u-bit code%s)\n", bytes, mode_bits(a->mode),
            a->readable < FL_RULE_BYTES ? "; zero bytes may follow" : "");
    fprintf(out, "Expected:  %s", expected(k, truth));
    if (truth == V_RAN)
        fprintf(out, "; length %u", a->length);
    fprintf(out, "\nGot:       %s\n", answer_name(a->answer[c]));
    fprintf(out, "Version:   %s %s\n", d->name, d->version);
    fprintf(out, "Processor: %s (%s), executed in user mode, controls passed\n", r->columns[silicon].host,
            r->columns[silicon].version);
    fprintf(out, "Manual:    %s\n", reference(k, truth));
    fprintf(out, "How wide:  %" PRIu64 " strings of this form were tried (%s-bit code; prefixes: %s)", k->count, modes,
            prefixes);
    if (k->nanswers > 1)
        fprintf(out, "; %.1f %% of them decode so", class_uniformity(k) * 100);
    fputs("\nReproduce:\n", out);
    own_tool(d->name, a, out);
    fprintf(out, "  faultline conform prefetch --bytes \"%s\" --mode %u --decoders %s --execute native\n\n", bytes,
            mode_bits(a->mode), d->path[0] ? d->path : d->name);
}

unsigned conform_bugs(const struct report *r, unsigned column, FILE *out)
{
    int silicon = conform_silicon(r->columns, r->ncolumns);
    unsigned number = 0;

    for (uint32_t i = 0; silicon >= 0 && i < r->nclasses; i++)
        if (r->classes[i].against[column] == AGAINST_SILICON)
            report_one(r, &r->classes[i], column, (unsigned)silicon, ++number, out);
    return number;
}
