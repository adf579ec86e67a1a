/* SPDX-License-Identifier: MIT */
/*
 * The expected differences between decoders and the prefetch rule, and the judge that consults them.
 *
 * Silicon decides in the end: every 0F 0D and 0F 18 with a memory operand runs without a fault, 0F 18 with a register
 * operand too (a hint nop), and #UD comes exactly with LOCK and with the register forms of 0F 0D. The rule is the wider
 * one of the two on purpose: it looks at prefixes and opcode only, because a kernel that asks it already knows that the
 * instruction did fault.
 *
 * A row covers nothing that its decoder decodes as the rule does; tests/decode holds every row against that by
 * enumeration, for the version that is installed.
 */
#include "form.h"

#include <string.h>

/* ---- classes of byte strings ------------------------------------------------------------------------------------ */

/* The rule says prefetch, and the second opcode byte is this. */
static bool is_0f(const struct fl_decode_form *f, uint8_t second)
{
    unsigned end = f->prefixes + 2u;

    return end <= f->n && end <= FL_INSN_MAX && f->bytes[end - 2] == 0x0f && f->bytes[end - 1] == second;
}

static bool is_prefetch(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) || is_0f(f, 0x18);
}

static bool operand_cut_off(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->length <= FL_INSN_MAX && f->n < f->length;
}

static bool operand_past_15(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->length > FL_INSN_MAX;
}

/* Zydis reads ModRM, SIB and displacement one after the other, and looks at the 15-byte limit before it looks for the
 * end of the bytes. */
static bool operand_past_15_met_first(const struct fl_decode_form *f)
{
    return operand_past_15(f) && (f->n >= FL_INSN_MAX || f->n >= f->sib_end);
}

static bool end_of_bytes_met_first(const struct fl_decode_form *f)
{
    return operand_past_15(f) && !operand_past_15_met_first(f);
}

static bool lock(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->features & FL_PREFIX_LOCK;
}

static bool lock_not_replaced_by_rep(const struct fl_decode_form *f)
{
    return lock(f) && !(f->features & FL_PREFIX_REP_AFTER_LOCK);
}

static bool group_0d_0(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod != 3 && f->reg == 0;
}

static bool group_0d_2(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod != 3 && f->reg == 2;
}

static bool group_0d_3_to_7(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod != 3 && f->reg >= 3;
}

static bool group_0d_register(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod == 3;
}

static bool group_18_4_5(const struct fl_decode_form *f)
{
    return is_0f(f, 0x18) && f->mod != 3 && (f->reg == 4 || f->reg == 5);
}

static bool group_18_6_7(const struct fl_decode_form *f)
{
    return is_0f(f, 0x18) && f->mod != 3 && f->reg >= 6;
}

static bool group_18_register(const struct fl_decode_form *f)
{
    return is_0f(f, 0x18) && f->mod == 3;
}

static bool group_18_register_0_to_3(const struct fl_decode_form *f)
{
    return group_18_register(f) && f->reg < 4;
}

static bool group_18_register_4_to_7(const struct fl_decode_form *f)
{
    return group_18_register(f) && f->reg >= 4;
}

/* Capstone 5 takes F2 or F3 as part of the opcode when 0F, 66 or REX follows at once, and 66 when 0F or REX follows and
 * no F2 or F3 came before. When none is, but there was an F2 or F3 (LOCK cancels it), it looks for an instruction that
 * is defined with that prefix and the size prefixes together, and there is none. */
static bool rep_apart_from_opcode(const struct fl_decode_form *f)
{
    uint32_t has = f->features;

    if (!is_prefetch(f) || !(has & FL_PREFIX_REP_APART))
        return false;
    /* REX.W takes precedence over 66. */
    if (f->bits == 64)
        return has & FL_PREFIX_66 && !(has & FL_PREFIX_REX_W);
    return has & FL_PREFIX_67 || (has & FL_PREFIX_66 && f->bits == 32);
}

/* AVX512PF: EVEX, map 0F 38, opcode C6 or C7, /1 /2 /5 /6: gather and scatter prefetches. Not the rule's subject. */
static bool vector_prefetch(const struct fl_decode_form *f)
{
    unsigned at = f->prefixes;

    if (at + 6 > f->n || f->bytes[at] != 0x62 || (f->bytes[at + 1] & 7) != 2 || (f->bytes[at + 4] | 1) != 0xc7)
        return false;

    unsigned reg = f->bytes[at + 5] >> 3 & 7;

    return reg == 1 || reg == 2 || reg == 5 || reg == 6;
}

/* The same with an MVEX prefix, /0 and /4: VGATHERPF0HINT and VSCATTERPF0HINT of Knights Corner. */
static bool vector_prefetch_hint(const struct fl_decode_form *f)
{
    unsigned at = f->prefixes;

    return f->bits == 64 && at + 6 <= f->n && f->bytes[at] == 0x62 && (f->bytes[at + 1] & 15) == 2 &&
           (f->bytes[at + 2] & 7) == 1 && (f->bytes[at + 4] | 1) == 0xc7 && (f->bytes[at + 5] >> 3 & 3) == 0;
}

/* VEX.128.NP.0F 18 without a third operand: the scalar prefetches of Knights Corner. */
static bool knc_prefetch(const struct fl_decode_form *f)
{
    unsigned at = f->prefixes;
    bool vex2 = at + 4 <= f->n && f->bytes[at] == 0xc5;
    bool vex3 = at + 5 <= f->n && f->bytes[at] == 0xc4 && (f->bytes[at + 1] & 31) == 1;

    if (f->bits != 64 || (!vex2 && !vex3))
        return false;
    at += vex3 ? 2 : 1;
    return (f->bytes[at] & 0x7f) == 0x78 && f->bytes[at + 1] == 0x18 && f->bytes[at + 2] < 0xc0;
}

/* ---- the list --------------------------------------------------------------------------------------------------- */

#define MEASURED "enumeration in tests/decode"
#define SDM_0D   "Intel SDM 2B, PREFETCHW; AMD APM 3, PREFETCHlevel, PREFETCH, appendix A group P; " MEASURED
#define SDM_18   "Intel SDM 2B, PREFETCHh, 2D table A-6 group 16; AMD APM 3, appendix A group 16; " MEASURED

/* rows[i] and expectations[i] belong together: one X-macro list keeps them so. */
#define ROWS(X)                                                                                                        \
    X("capstone", "*", "capstone-lock", FL_DEC_INVALID, lock_not_replaced_by_rep,                                      \
      "LOCK is #UD on silicon and invalid here, unless F2 or F3 comes behind it; the rule takes it "                   \
      "as a prefix",                                                                                                   \
      "Intel SDM 2A, LOCK; " MEASURED)                                                                                 \
    X("capstone", "5.*", "capstone5-rep-apart", FL_DEC_INVALID, rep_apart_from_opcode,                                 \
      "F2 or F3 that is not next to the opcode, together with 66 or 67, is not decoded; silicon "                      \
      "ignores it",                                                                                                    \
      "capstone issue 2853; " MEASURED)                                                                                \
    X("capstone", "*", "capstone-past-15", FL_DEC_INVALID, operand_past_15,                                            \
      "the rule stops at the opcode; with its operand the instruction is longer than 15 bytes, #GP "                   \
      "on silicon",                                                                                                    \
      "Intel SDM 2A 2.3.11; " MEASURED)                                                                                \
    X("capstone", "4.*", "capstone4-0d-0", FL_DEC_INVALID, group_0d_0,                                                 \
      "0F 0D /0 is missing from the tables; silicon prefetches", "capstone issues 1012, 1259, 1648; " MEASURED)        \
    X("capstone", "4.*", "capstone4-0d-2", FL_DEC_INVALID, group_0d_2,                                                 \
      "0F 0D /2 (PREFETCHWT1) is missing from the tables; silicon prefetches", "capstone issue 1648; " MEASURED)       \
    X("capstone", "*", "capstone-0d-reserved", FL_DEC_INVALID, group_0d_3_to_7,                                        \
      "0F 0D /3 to /7 are reserved prefetches; silicon prefetches", "capstone issue 2566; " SDM_0D)                    \
    X("capstone", "*", "capstone-0d-register", FL_DEC_INVALID, group_0d_register,                                      \
      "0F 0D with a register operand is #UD on AMD, a nop on Intel; the rule does not look at ModRM", SDM_0D)          \
    X("capstone", "*", "capstone-18-register-0-3", FL_DEC_INVALID, group_18_register_0_to_3,                           \
      "0F 18 /0 to /3 with a register operand runs as a nop; the rule does not look at ModRM", SDM_18)                 \
    X("capstone", "*", "capstone-cut-off", FL_DEC_INCOMPLETE, operand_cut_off,                                         \
      "the rule stops at the opcode; the operand's bytes cannot be read", MEASURED)                                    \
    X("capstone", "*", "capstone-18-4-5", FL_DEC_NOP, group_18_4_5,                                                    \
      "0F 18 /4 and /5 are hint nops that are reserved for prefetches; silicon prefetches", SDM_18)                    \
    X("capstone", "*", "capstone-18-6-7", FL_DEC_NOP, group_18_6_7,                                                    \
      "0F 18 /6 and /7 are PREFETCHIT1 and PREFETCHIT0 when RIP-relative, else hint nops", SDM_18)                     \
    X("capstone", "*", "capstone-18-register-4-7", FL_DEC_NOP, group_18_register_4_to_7,                               \
      "0F 18 with a register operand runs as a nop; the rule does not look at ModRM", SDM_18)                          \
    X("capstone", "*", "capstone-vector-prefetch", FL_DEC_PREFETCH, vector_prefetch,                                   \
      "VGATHERPF and VSCATTERPF prefetch and do not fault, but are no 0F 0D or 0F 18; only Knights "                   \
      "Landing had them",                                                                                              \
      "Intel SDM 2D, VGATHERPF0DPS and following; " MEASURED)                                                          \
    X("zydis", "*", "zydis-vector-prefetch", FL_DEC_PREFETCH, vector_prefetch,                                         \
      "VGATHERPF and VSCATTERPF prefetch and do not fault, but are no 0F 0D or 0F 18; only Knights "                   \
      "Landing had them",                                                                                              \
      "Intel SDM 2D, VGATHERPF0DPS and following; " MEASURED)                                                          \
    X("zydis", "*", "zydis-vector-prefetch-hint", FL_DEC_PREFETCH, vector_prefetch_hint,                               \
      "VGATHERPF0HINT and VSCATTERPF0HINT of Knights Corner, which no processor that runs this code "                  \
      "has",                                                                                                           \
      "Intel Xeon Phi coprocessor instruction set reference, 2012; " MEASURED)                                         \
    X("zydis", "*", "zydis-knc-prefetch", FL_DEC_PREFETCH, knc_prefetch,                                               \
      "VPREFETCH0 and its like of Knights Corner are taken for instructions; #UD on every other "                      \
      "processor",                                                                                                     \
      "Intel Xeon Phi coprocessor instruction set reference, 2012; " MEASURED)                                         \
    X("zydis", "*", "zydis-past-15", FL_DEC_TOO_LONG, operand_past_15_met_first,                                       \
      "the rule stops at the opcode; with its operand the instruction is longer than 15 bytes, #GP "                   \
      "on silicon",                                                                                                    \
      "Intel SDM 2A 2.3.11; " MEASURED)                                                                                \
    X("zydis", "*", "zydis-past-15-cut-off", FL_DEC_INCOMPLETE, end_of_bytes_met_first,                                \
      "as zydis-past-15, but the bytes end inside ModRM or SIB, and that is what it meets first",                      \
      "Intel SDM 2A 2.3.11; " MEASURED)                                                                                \
    X("zydis", "*", "zydis-cut-off", FL_DEC_INCOMPLETE, operand_cut_off,                                               \
      "the rule stops at the opcode; the operand's bytes cannot be read", MEASURED)                                    \
    X("zydis", "*", "zydis-lock", FL_DEC_INVALID, lock,                                                                \
      "LOCK is #UD on silicon and invalid here; the rule takes it as a prefix", "Intel SDM 2A, LOCK; " MEASURED)       \
    X("zydis", "*", "zydis-0d-register", FL_DEC_NOP, group_0d_register,                                                \
      "0F 0D with a register operand is #UD on AMD, a nop on Intel; the rule does not look at ModRM", SDM_0D)          \
    X("zydis", "*", "zydis-18-register", FL_DEC_NOP, group_18_register,                                                \
      "0F 18 with a register operand runs as a nop; the rule does not look at ModRM", SDM_18)                          \
    X("zydis", "*", "zydis-18-4-5", FL_DEC_NOP, group_18_4_5,                                                          \
      "0F 18 /4 and /5 are hint nops that are reserved for prefetches; silicon prefetches", SDM_18)                    \
    X("zydis", "4.0.*", "zydis40-18-6-7", FL_DEC_NOP, group_18_6_7,                                                    \
      "0F 18 /6 and /7 are hint nops to this version; PREFETCHIT1 and PREFETCHIT0 came later", SDM_18)

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

bool fl_decode_row_applies(const struct fl_decode_row *row, const struct fl_decoder *d)
{
    const char *star = strchr(row->versions, '*');

    if (strcmp(row->decoder, d->name) != 0)
        return false;
    return star ? strncmp(row->versions, d->version, (size_t)(star - row->versions)) == 0
                : strcmp(row->versions, d->version) == 0;
}

const struct fl_decode_row *fl_decode_expect(const struct fl_decoder *d, const struct fl_decode_form *f,
                                             enum fl_decode_class *says)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (expectations[i].covers(f) && fl_decode_row_applies(&rows[i], d)) {
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
