/* SPDX-License-Identifier: MIT */
/* A class in words. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(char *out, size_t size, const char *format, ...)
{
    size_t used = strlen(out);
    va_list args;

    va_start(args, format);
    if (used < size)
        vsnprintf(out + used, size - used, format, args);
    va_end(args);
}

void bytes_text(const uint8_t *bytes, unsigned n, char *out, size_t size)
{
    out[0] = 0;
    for (unsigned i = 0; i < n && i < STRING_BYTES; i++)
        append(out, size, i ? " %02x" : "%02x", bytes[i]);
}

/* "0-2,5": the values of a set. */
static void numbers(uint32_t set, char *out, size_t size)
{
    out[0] = 0;
    for (unsigned v = 0; v < 32; v++) {
        unsigned last = v;

        if (!(set >> v & 1))
            continue;
        while (last < 31 && set >> (last + 1) & 1)
            last++;
        append(out, size, "%s%u", out[0] ? "," : "", v);
        if (last > v)
            append(out, size, "%c%u", last == v + 1 ? ',' : '-', last);
        v = last;
    }
}

/* Appends the names of the values of a set. */
static void names(uint32_t set, const char *const name[8], char *out, size_t size)
{
    bool first = true;

    for (unsigned v = 0; v < 8; v++) {
        if (!(set >> v & 1))
            continue;
        append(out, size, "%s%s", first ? "" : ", ", name[v]);
        first = false;
    }
}

static void form_of_lead(const struct class *c, char *out, size_t size)
{
    static const char *const leads[8] = {"0F 0D", "0F 18", "VEX", "EVEX or MVEX", "XOP", "REX2", "other leads", "?"};

    out[0] = 0;
    names(c->seen[ATTR_OPCODE], leads, out, size);
    if (!(c->seen[ATTR_OPCODE] & ~3u)) { /* these two have a ModRM of the usual form */
        char regs[32];

        numbers(c->seen[ATTR_REG], regs, sizeof regs);
        append(out, size, " /%s %s", regs,
               c->seen[ATTR_REGISTER] == 1   ? "mem"
               : c->seen[ATTR_REGISTER] == 2 ? "reg"
                                             : "mem or reg");
    }
    if (c->seen[ATTR_A] & 2)
        append(out, size, ", not explained");
}

void class_form(const struct class *c, char *out, size_t size)
{
    static const char *const limits[8] = {"within 15 bytes", "operand past 15", "opcode past 15"};
    static const char *const cuts[8] = {"a prefix", "0F", "the opcode", "ModRM", "SIB", "the displacement"};
    char regs[32], prefixes[64];

    if (c->axis == AXIS_LEADS || c->axis == AXIS_ENCODINGS) {
        form_of_lead(c, out, size);
        return;
    }
    numbers(c->seen[ATTR_REG], regs, sizeof regs);
    snprintf(out, size, "%s /%s",
             c->seen[ATTR_OPCODE] == 1   ? "0F 0D"
             : c->seen[ATTR_OPCODE] == 2 ? "0F 18"
                                         : "0F 0D/18",
             regs);
    append(out, size, c->seen[ATTR_REGISTER] == 1 ? " mem" : c->seen[ATTR_REGISTER] == 2 ? " reg" : " mem or reg");
    if (c->set[ATTR_RIP] != 3)
        append(out, size, c->set[ATTR_RIP] == 2 ? " RIP-relative" : " not RIP-relative");
    if (c->axis == AXIS_RUNS) {
        numbers(c->seen[ATTR_B], prefixes, sizeof prefixes);
        append(out, size, ", %s prefixes: ", prefixes);
        names(c->seen[ATTR_A], limits, out, size);
    }
    if (c->axis == AXIS_CUTS) {
        append(out, size, ", cut before ");
        names(c->seen[ATTR_A], cuts, out, size);
        append(out, size, "; whole: ");
        names(c->seen[ATTR_B], limits, out, size);
    }
}

void class_modes(const struct class *c, char *out, size_t size)
{
    out[0] = 0;
    for (unsigned m = 3; m-- > 0;)
        if (c->seen[ATTR_MODE] >> m & 1)
            append(out, size, "%s%u", out[0] ? "," : "", mode_bits(m));
}

void class_prefixes(const struct class *c, char *out, size_t size)
{
    out[0] = 0;
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++) {
        uint32_t set = c->set[ATTR_FEATURES + f];

        if (fl_prefix_feature_name(f) && set != 3)
            append(out, size, "%s%s%s", out[0] ? ", " : "", set == 1 ? "no " : "", fl_prefix_feature_name(f));
    }
    if (!out[0])
        append(out, size, "any");
}

double class_uniformity(const struct class *c)
{
    return c->count ? (double)c->answers[0].count / (double)c->count : 0;
}
