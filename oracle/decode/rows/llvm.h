/* SPDX-License-Identifier: MIT */
/* What LLVM says otherwise than the rule. */
#ifndef FAULTLINE_ORACLE_DECODE_ROWS_LLVM_H
#define FAULTLINE_ORACLE_DECODE_ROWS_LLVM_H

#include "classes.h"

static bool lock_split(const struct fl_decode_form *f)
{
    return is_prefetch(f) && has(f, FL_PREFIX_LOCK_SPLIT);
}

/* 48 does not count: REX.W alone has an entry in the tables. */
static bool rex_twice(const struct fl_decode_form *f)
{
    return is_prefetch(f) && f->bits == 64 && has(f, FL_PREFIX_REX_TWICE);
}

static bool group_18_6_7_not_64(const struct fl_decode_form *f)
{
    return group_18_6_7(f) && f->bits != 64;
}

/* At 15 and more bytes it is not asked whether more of them would help. */
static bool end_behind_15(const struct fl_decode_form *f)
{
    return operand_past_15(f) && f->n >= FL_INSN_MAX && f->n < f->length;
}

/* VEX.128.66.0F 0D and 18 in its two-byte form, behind 67. */
static bool vex_0d_18(const struct fl_decode_form *f)
{
    unsigned at = f->prefixes;

    return f->bits == 64 && has(f, FL_PREFIX_67) && at + 4 <= f->n && f->bytes[at] == 0xc5 &&
           (f->bytes[at + 1] & 0x7f) == 0x79 && (f->bytes[at + 2] == 0x0d || f->bytes[at + 2] == 0x18);
}

#define LLVM_ROWS(X)                                                                                                   \
    X("llvm", "*", "llvm-lock", FL_DEC_LONE_PREFIX, lock_split,                                                        \
      "LOCK at the start or behind F2 or F3 is split off as an instruction of its own; #UD on "                        \
      "silicon, a prefix to the rule",                                                                                 \
      "LLVM bug 7709, seen in dotnet/llilc pull request 992; " MEASURED)                                               \
    X("llvm", "<20", "llvm-rex-twice", FL_DEC_INVALID, rex_twice,                                                      \
      "the first REX ends the prefixes, and the next byte, also a REX, is no instruction in 64-bit "                   \
      "code; silicon ignores the first",                                                                               \
      SDM_REX "llvm-project pull request 117299; " MEASURED)                                                           \
    X("llvm", "<20", "llvm-rex-early", FL_DEC_LONE_PREFIX, rex_early,                                                  \
      "the first REX ends the prefixes, and the next prefix is an instruction of its own; silicon "                    \
      "ignores that REX",                                                                                              \
      SDM_REX "llvm-project pull request 117299; " MEASURED)                                                           \
    X("llvm", "*", "llvm-rep-apart", FL_DEC_INVALID, rep_apart_from_opcode,                                            \
      "F2 or F3 that is not next to the opcode, together with 66 or 67, is not decoded; silicon ignores it",           \
      "llvm-project issue 187045; " MEASURED)                                                                          \
    X("llvm", "*", "llvm-0d-reserved", FL_DEC_INVALID, group_0d_3_to_7,                                                \
      "0F 0D /3 to /7 are reserved prefetches; silicon prefetches", SDM_0D)                                            \
    X("llvm", "*", "llvm-0d-register", FL_DEC_INVALID, group_0d_register,                                              \
      "0F 0D with a register operand is #UD on AMD, a nop on Intel; the rule does not look at ModRM", SDM_0D)          \
    X("llvm", "*", "llvm-18-4-5", FL_DEC_INVALID, group_18_4_5,                                                        \
      "0F 18 /4 and /5 are hint nops that are reserved for prefetches; silicon prefetches", SDM_18)                    \
    X("llvm", "<16", "llvm-18-6-7", FL_DEC_INVALID, group_18_6_7,                                                      \
      "0F 18 /6 and /7 are not known to these versions; PREFETCHIT1 and PREFETCHIT0 came later", SDM_18)               \
    X("llvm", ">=16", "llvm-18-6-7-not-64", FL_DEC_INVALID, group_18_6_7_not_64,                                       \
      "0F 18 /6 and /7 are PREFETCHIT1 and PREFETCHIT0, which exist in 64-bit code only; hint nops "                   \
      "elsewhere",                                                                                                     \
      SDM_18)                                                                                                          \
    X("llvm", "*", "llvm-18-register", FL_DEC_INVALID, group_18_register,                                              \
      "0F 18 with a register operand runs as a nop; the rule does not look at ModRM", SDM_18)                          \
    X("llvm", "*", "llvm-cut-off", FL_DEC_INCOMPLETE, cut_off_within_15,                                               \
      "the rule stops at the opcode; the operand's bytes cannot be read", MEASURED)                                    \
    X("llvm", "*", "llvm-past-15", FL_DEC_INVALID, end_behind_15,                                                      \
      "the rule stops at the opcode; the operand is longer than the bytes; this decoder knows no limit of 15",         \
      "Intel SDM 2A 2.3.11; " MEASURED)                                                                                \
    X("llvm", "*", "llvm-vector-prefetch", FL_DEC_PREFETCH, vector_prefetch,                                           \
      "VGATHERPF and VSCATTERPF prefetch and do not fault, but are no 0F 0D or 0F 18; only Knights "                   \
      "Landing had them",                                                                                              \
      "Intel SDM 2D, VGATHERPF0DPS and following; " MEASURED)                                                          \
    X("llvm", "14.*", "llvm-vex-0d-18", FL_DEC_PREFETCH, vex_0d_18,                                                    \
      "VEX.66.0F 0D and 18 behind 67 are looked up as if VEX were not there; #UD on silicon",                          \
      "Intel SDM 2A 2.3.11 (VEX opcodes that are not defined are #UD); " MEASURED)                                     \
    X("llvm", ">=18", "llvm-rex2", FL_DEC_PREFETCH, rex2_prefetch,                                                     \
      "REX2 in front of 0D and 18 is a prefetch on processors with APX, #UD on others; the rule "                      \
      "does not know it",                                                                                              \
      "Intel APX architecture specification, REX2; " MEASURED)

#endif
