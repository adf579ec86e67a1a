/* SPDX-License-Identifier: MIT */
/* What Zydis says otherwise than the rule. */
#ifndef FAULTLINE_ORACLE_DECODE_ROWS_ZYDIS_H
#define FAULTLINE_ORACLE_DECODE_ROWS_ZYDIS_H

#include "classes.h"

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

/* The same behind an MVEX prefix of map 0F, without a third operand and with the memory operand as it is. */
static bool knc_prefetch_mvex(const struct fl_decode_form *f)
{
    unsigned at = f->prefixes;

    return f->bits == 64 && at + 6 <= f->n && f->bytes[at] == 0x62 && (f->bytes[at + 1] & 15) == 1 &&
           (f->bytes[at + 2] & 0x7f) == 0x78 && (f->bytes[at + 3] & 0x78) == 0x08 && f->bytes[at + 4] == 0x18 &&
           f->bytes[at + 5] < 0xc0;
}

#define ZYDIS_ROWS(X)                                                                                                  \
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
    X("zydis", "*", "zydis-knc-prefetch-mvex", FL_DEC_PREFETCH, knc_prefetch_mvex,                                     \
      "VPREFETCH0 and its like of Knights Corner in their MVEX form; BOUND or #UD on every other processor",           \
      "Intel Xeon Phi coprocessor instruction set reference, 2012; axis encodings of faultline conform, then every "   \
      "payload")                                                                                                       \
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

#endif
