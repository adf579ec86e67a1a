/* SPDX-License-Identifier: MIT */
/* What Capstone says otherwise than the rule. */
#ifndef FAULTLINE_ORACLE_DECODE_ROWS_CAPSTONE_H
#define FAULTLINE_ORACLE_DECODE_ROWS_CAPSTONE_H

#include "classes.h"

static bool lock_not_replaced_by_rep(const struct fl_decode_form *f)
{
    return lock(f) && !(f->features & FL_PREFIX_REP_AFTER_LOCK);
}

/* LOCK cancels an F2 or F3 before it. */
static bool rep_apart_and_not_cancelled(const struct fl_decode_form *f)
{
    return rep_apart_from_opcode(f) && (!has(f, FL_PREFIX_LOCK) || has(f, FL_PREFIX_REP_AFTER_LOCK));
}

static bool group_0d_0(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod != 3 && f->reg == 0;
}

static bool group_0d_2(const struct fl_decode_form *f)
{
    return is_0f(f, 0x0d) && f->mod != 3 && f->reg == 2;
}

static bool group_18_register_0_to_3(const struct fl_decode_form *f)
{
    return group_18_register(f) && f->reg < 4;
}

static bool group_18_register_4_to_7(const struct fl_decode_form *f)
{
    return group_18_register(f) && f->reg >= 4;
}

#define CAPSTONE_ROWS(X)                                                                                               \
    X("capstone", "*", "capstone-lock", FL_DEC_INVALID, lock_not_replaced_by_rep,                                      \
      "LOCK is #UD on silicon and invalid here, unless F2 or F3 comes behind it; the rule takes it "                   \
      "as a prefix",                                                                                                   \
      "Intel SDM 2A, LOCK; " MEASURED)                                                                                 \
    X("capstone", "5.*", "capstone5-rep-apart", FL_DEC_INVALID, rep_apart_and_not_cancelled,                           \
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
      "Intel SDM 2D, VGATHERPF0DPS and following; " MEASURED)

#endif
