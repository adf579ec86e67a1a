/* SPDX-License-Identifier: MIT */
/* Classes of byte strings that rows of several decoders cover. What only one decoder minds stands with its rows. */
#ifndef FAULTLINE_ORACLE_DECODE_ROWS_CLASSES_H
#define FAULTLINE_ORACLE_DECODE_ROWS_CLASSES_H

#include "../form.h"

#define MEASURED "enumeration in tests/decode"
#define SDM_0D   "Intel SDM 2B, PREFETCHW; AMD APM 3, PREFETCHlevel, PREFETCH, appendix A group P; " MEASURED
#define SDM_18   "Intel SDM 2B, PREFETCHh, 2D table A-6 group 16; AMD APM 3, appendix A group 16; " MEASURED
#define SDM_REX  "Intel SDM 2A 2.2.1: REX elsewhere is ignored; "

/* The rule says prefetch, and the second opcode byte is this. */
static inline bool is_0f(const struct fl_decode_form *f, uint8_t second)
{
    unsigned end = f->prefixes + 2u;

    return end <= f->n && end <= FL_INSN_MAX && f->bytes[end - 2] == 0x0f && f->bytes[end - 1] == second;
}

static inline bool is_prefetch(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) || is_0f(f, 0x18);
}

/* The run of prefixes has all of these features. */
static inline bool has(const struct fl_decode_form *f, uint32_t features)
{
    return (f->features & features) == features;
}

/* ---- the operand ------------------------------------------------------------------------------------------------ */

static inline bool operand_cut_off(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->length <= FL_INSN_MAX && f->n < f->length;
}

static inline bool operand_past_15(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->length > FL_INSN_MAX;
}

/* Bytes are missing that belong to the first fifteen. */
static inline bool cut_off_within_15(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->n < f->length && f->n < FL_INSN_MAX;
}

/* ---- the prefixes ----------------------------------------------------------------------------------------------- */

static inline bool lock(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->features & FL_PREFIX_LOCK;
}

static inline bool rex_early(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->bits == 64 && has(f, FL_PREFIX_REX_EARLY);
}

/* Decoders of LLVM's family take F2 or F3 as part of the opcode when 0F, 66 or REX follows at once, and 66 when 0F or
 * REX follows and no F2 or F3 came before. When none is, but there was an F2 or F3, they look for an instruction
 * that is defined with that prefix and the size prefixes together, and there is none. */
static inline bool rep_apart_from_opcode(const struct fl_decode_form *f)
{
    if (!is_prefetch(f) || !has(f, FL_PREFIX_REP_APART))
        return false;
    /* REX.W takes precedence over 66. */
    if (f->bits == 64)
        return has(f, FL_PREFIX_66) && !has(f, FL_PREFIX_REX_W);
    return has(f, FL_PREFIX_67) || (has(f, FL_PREFIX_66) && f->bits == 32);
}

/* ---- ModRM ------------------------------------------------------------------------------------------------------ */

static inline bool group_0d_3_to_7(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod != 3 && f->reg >= 3;
}

static inline bool group_0d_register(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod == 3;
}

static inline bool group_18_4_5(const struct fl_decode_form *f)
{
    return is_0f(f, 0x18) && f->mod != 3 && (f->reg == 4 || f->reg == 5);
}

static inline bool group_18_6_7(const struct fl_decode_form *f)
{
    return is_0f(f, 0x18) && f->mod != 3 && f->reg >= 6;
}

static inline bool group_18_register(const struct fl_decode_form *f)
{
    return is_0f(f, 0x18) && f->mod == 3;
}

static inline bool group_18_4_to_7(const struct fl_decode_form *f)
{
    return is_0f(f, 0x18) && f->mod != 3 && f->reg >= 4;
}

/* ---- what the rule does not speak about ------------------------------------------------------------------------- */

/* APX: REX2 (D5) with the bit that chooses the two-byte opcodes, then 0D or 18. What the rule is to do with it is
 * open. */
static inline bool rex2_prefetch(const struct fl_decode_form *f)
{
    unsigned at = f->prefixes;

    return f->bits == 64 && at + 3 <= f->n && f->bytes[at] == 0xd5 && f->bytes[at + 1] & 0x80 &&
           (f->bytes[at + 2] == 0x0d || f->bytes[at + 2] == 0x18);
}

/* AVX512PF: EVEX, map 0F 38, opcode C6 or C7, /1 /2 /5 /6: gather and scatter prefetches. Not the rule's subject. */
static inline bool vector_prefetch(const struct fl_decode_form *f)
{
    unsigned at = f->prefixes;

    if (at + 6 > f->n || f->bytes[at] != 0x62 || (f->bytes[at + 1] & 7) != 2 || (f->bytes[at + 4] | 1) != 0xc7)
        return false;

    unsigned reg = f->bytes[at + 5] >> 3 & 7;

    return reg == 1 || reg == 2 || reg == 5 || reg == 6;
}

#endif
