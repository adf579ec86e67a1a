/* SPDX-License-Identifier: MIT */
/*
 * The expected differences between decoders and the prefetch rule, and the judge that consults them.
 *
 * Silicon decides in the end: every 0F 0D and 0F 18 with a memory operand runs without a fault, 0F 18 with a register
 * operand too (a hint nop), and #UD comes exactly with LOCK and with the register forms of 0F 0D. The rule is the wider
 * one of the two on purpose: it looks at prefixes and opcode only, because a kernel that asks it already knows that the
 * instruction did fault.
 *
 * The rows stand in rows/, a file for each decoder. A row covers nothing that its decoder decodes as the rule does;
 * tests/decode holds every row against that by enumeration, for the version that is installed.
 */
#include "form.h"
#include "rows/capstone.h"
#include "rows/distorm.h"
#include "rows/llvm.h"
#include "rows/opcodes.h"
#include "rows/silicon.h"
#include "rows/zydis.h"

#include <stdlib.h>
#include <string.h>

/* rows[i] and expectations[i] belong together: one X-macro list keeps them so. */
#define ROWS(X)                                                                                                        \
    CAPSTONE_ROWS(X) ZYDIS_ROWS(X) OPCODES_ROWS(X) LLVM_ROWS(X) DISTORM_ROWS(X) NATIVE_ROWS(X) UNICORN_ROWS(X)

#define ROW(decoder, versions, id, says, covers, reason, source)         {decoder, versions, id, reason, source},
#define EXPECTATION(decoder, versions, id, says, covers, reason, source) {says, covers},

static const struct fl_decode_row rows[] = {ROWS(ROW)};
static const struct fl_decode_expectation expectations[] = {ROWS(EXPECTATION)};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* ---- the judge -------------------------------------------------------------------------------------------------- */

const struct fl_decode_row *fl_decode_rows(size_t *count)
{
    *count = ROW_COUNT;
    return rows;
}

/* Compares the numbers of two versions, as far as the shorter goes and then with zero: 2.9 < 2.40 = 2.40.0. */
static int compare_versions(const char *a, const char *b)
{
    while (*a || *b) {
        unsigned long x = strtoul(a, (char **)&a, 10), y = strtoul(b, (char **)&b, 10);

        if (x != y)
            return x < y ? -1 : 1;
        /* Whatever is no number ends it. */
        a = *a == '.' ? a + 1 : "";
        b = *b == '.' ? b + 1 : "";
    }
    return 0;
}

/* "*", "4.0.*", "3.4.1", "<2.44", ">=16" */
static bool version_matches(const char *pattern, const char *version)
{
    const char *star = strchr(pattern, '*');

    if (pattern[0] == '<')
        return compare_versions(version, pattern + 1) < 0;
    if (pattern[0] == '>')
        return compare_versions(version, pattern + 2) >= 0;
    return star ? strncmp(pattern, version, (size_t)(star - pattern)) == 0 : strcmp(pattern, version) == 0;
}

bool fl_decode_row_applies(const struct fl_decode_row *row, const struct fl_decoder *d)
{
    return strcmp(row->decoder, d->name) == 0 && version_matches(row->versions, d->version);
}

bool fl_decode_row_covers(size_t row, const struct fl_decode_form *f)
{
    return expectations[row].covers(f);
}

const struct fl_decode_row *fl_decode_expect(const struct fl_decoder *d, const struct fl_decode_form *f,
                                             enum fl_decode_class *says)
{
    const char *name = "";
    bool mine = false;

    for (size_t i = 0; i < ROW_COUNT; i++) {
        /* Rows of a decoder stand together: its name is compared once. */
        if (rows[i].decoder != name) {
            name = rows[i].decoder;
            mine = strcmp(name, d->name) == 0;
        }
        if (mine && expectations[i].covers(f) && version_matches(rows[i].versions, d->version)) {
            *says = expectations[i].says;
            return &rows[i];
        }
    }
    return NULL;
}

enum fl_decode_agreement fl_decode_judge(const struct fl_decoder *d, const uint8_t *bytes, size_t n, unsigned bits,
                                         bool rule_says, struct fl_decoded said, const struct fl_decode_row **row)
{
    bool decoder_says = said.cls == FL_DEC_PREFETCH;
    struct fl_decode_form form;
    enum fl_decode_class expected;
    const struct fl_decode_row *found;

    *row = NULL;
    if (!rule_says && !decoder_says)
        return FL_DECODE_AGREE;
    fl_decode_form(bytes, n, bits, &form);
    if (rule_says && decoder_says)
        return said.length == form.length ? FL_DECODE_AGREE : FL_DECODE_DIFFERS;
    found = fl_decode_expect(d, &form, &expected);
    if (!found || expected != (enum fl_decode_class)said.cls)
        return FL_DECODE_DIFFERS;
    *row = found;
    return FL_DECODE_EXPECTED;
}
