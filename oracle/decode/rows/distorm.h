/* SPDX-License-Identifier: MIT */
/* What distorm says otherwise than the rule. */
#ifndef FAULTLINE_ORACLE_DECODE_ROWS_DISTORM_H
#define FAULTLINE_ORACLE_DECODE_ROWS_DISTORM_H

#include "classes.h"

static bool group_0d_2_to_7(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod != 3 && f->reg >= 2;
}

#define DISTORM_ROWS(X)                                                                                                \
    X("distorm", "*", "distorm-past-15", FL_DEC_INVALID, operand_past_15,                                              \
      "the rule stops at the opcode; with its operand the instruction is longer than 15 bytes, #GP on silicon",        \
      "Intel SDM 2A 2.3.11; " MEASURED)                                                                                \
    X("distorm", "*", "distorm-0d-reserved", FL_DEC_INVALID, group_0d_2_to_7,                                          \
      "0F 0D /2 (PREFETCHWT1) and /3 to /7 (reserved) are missing from the tables; silicon prefetches", SDM_0D)        \
    X("distorm", "*", "distorm-0d-register", FL_DEC_INVALID, group_0d_register,                                        \
      "0F 0D with a register operand is #UD on AMD, a nop on Intel; the rule does not look at ModRM", SDM_0D)          \
    X("distorm", "*", "distorm-18-reserved", FL_DEC_INVALID, group_18_4_to_7,                                          \
      "0F 18 /4 to /7 are missing from the tables; hint nops, and silicon prefetches", SDM_18)                         \
    X("distorm", "*", "distorm-18-register", FL_DEC_INVALID, group_18_register,                                        \
      "0F 18 with a register operand runs as a nop; the rule does not look at ModRM", SDM_18)                          \
    X("distorm", "*", "distorm-cut-off", FL_DEC_INCOMPLETE, cut_off_within_15,                                         \
      "the rule stops at the opcode; the operand's bytes cannot be read", MEASURED)

#endif
