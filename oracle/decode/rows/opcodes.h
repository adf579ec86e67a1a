/* SPDX-License-Identifier: MIT */
/* What libopcodes says otherwise than the rule. */
#ifndef FAULTLINE_ORACLE_DECODE_ROWS_OPCODES_H
#define FAULTLINE_ORACLE_DECODE_ROWS_OPCODES_H

#include "classes.h"

static bool past_15(const struct fl_decode_form *f)
{
    return operand_past_15(f) && f->n >= FL_INSN_MAX;
}

static bool group_18_4(const struct fl_decode_form *f)
{
    return group_18_4_5(f) && f->reg == 4;
}

static bool group_18_5(const struct fl_decode_form *f)
{
    return group_18_4_5(f) && f->reg == 5;
}

/* It keeps 20 bytes of an instruction. When that is not enough it gives up as at an unreadable byte. */
static bool past_20(const struct fl_decode_form *f)
{
    return past_15(f) && f->length > 20;
}

/* PREFETCHIT0 and PREFETCHIT1 are about code, which is named relative to RIP. */
static bool group_18_6_7_not_code(const struct fl_decode_form *f)
{
    bool code = f->bits == 64 && f->mod == 0 && f->rm == 5 && !(f->features & (FL_PREFIX_66 | FL_PREFIX_REP));

    return group_18_6_7(f) && !code;
}

#define OPCODES_ROWS(X)                                                                                                \
    X("opcodes", "*", "opcodes-rex-early", FL_DEC_LONE_PREFIX, rex_early,                                              \
      "REX before another prefix is split off as an instruction of its own; silicon ignores it",                       \
      SDM_REX "llvm-project pull request 117299 names it; " MEASURED)                                                  \
    X("opcodes", "<2.44", "opcodes-past-20", FL_DEC_LONE_PREFIX, past_20,                                              \
      "as opcodes-past-15; it cannot keep so many bytes and says that the first prefix is an instruction",             \
      "Intel SDM 2A 2.3.11; " MEASURED)                                                                                \
    X("opcodes", "*", "opcodes-past-15", FL_DEC_INVALID, past_15,                                                      \
      "the rule stops at the opcode; with its operand the instruction is longer than 15 bytes, #GP on silicon",        \
      "Intel SDM 2A 2.3.11; " MEASURED)                                                                                \
    X("opcodes", "*", "opcodes-cut-off", FL_DEC_INCOMPLETE, cut_off_within_15,                                         \
      "the rule stops at the opcode; the operand's bytes cannot be read", MEASURED)                                    \
    X("opcodes", "*", "opcodes-0d-register", FL_DEC_INVALID, group_0d_register,                                        \
      "0F 0D with a register operand is #UD on AMD, a nop on Intel; the rule does not look at ModRM", SDM_0D)          \
    X("opcodes", "*", "opcodes-18-register", FL_DEC_NOP, group_18_register,                                            \
      "0F 18 with a register operand runs as a nop; the rule does not look at ModRM", SDM_18)                          \
    X("opcodes", "<2.44", "opcodes-18-4", FL_DEC_NOP, group_18_4,                                                      \
      "0F 18 /4 is a hint nop to these versions; 2.44 names it PREFETCHRST2; silicon prefetches",                      \
      "Intel APX and MOVRS extensions, PREFETCHRST2; " SDM_18)                                                         \
    X("opcodes", "*", "opcodes-18-5", FL_DEC_NOP, group_18_5,                                                          \
      "0F 18 /5 is a hint nop that is reserved for prefetches; silicon prefetches", SDM_18)                            \
    X("opcodes", "*", "opcodes-18-6-7", FL_DEC_NOP, group_18_6_7_not_code,                                             \
      "0F 18 /6 and /7 are PREFETCHIT1 and PREFETCHIT0 only when RIP-relative and without 66, F2 "                     \
      "and F3; else hint nops",                                                                                        \
      SDM_18)                                                                                                          \
    X("opcodes", "*", "opcodes-vector-prefetch", FL_DEC_PREFETCH, vector_prefetch,                                     \
      "VGATHERPF and VSCATTERPF prefetch and do not fault, but are no 0F 0D or 0F 18; only Knights "                   \
      "Landing had them",                                                                                              \
      "Intel SDM 2D, VGATHERPF0DPS and following; " MEASURED)                                                          \
    X("opcodes", ">=2.42", "opcodes-rex2", FL_DEC_PREFETCH, rex2_prefetch,                                             \
      "REX2 in front of 0D and 18 is a prefetch on processors with APX, #UD on others; the rule "                      \
      "does not know it",                                                                                              \
      "Intel APX architecture specification, REX2; " MEASURED)

#endif
