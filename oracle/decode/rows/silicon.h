/* SPDX-License-Identifier: MIT */
/* What processors do otherwise than the rule. Native: version is the processor's vendor, family and model. */
#ifndef FAULTLINE_ORACLE_DECODE_ROWS_SILICON_H
#define FAULTLINE_ORACLE_DECODE_ROWS_SILICON_H

#include "classes.h"

/* "ran unchanged" is FL_DEC_PREFETCH here, #UD invalid, #GP too long, a fault of fetching behind the bytes
 * incomplete. */
#define NATIVE_ROWS(X)                                                                                                 \
    X("native", "*", "native-past-15", FL_DEC_TOO_LONG, operand_past_15,                                               \
      "the rule stops at the opcode; with its operand the instruction is longer than 15 bytes, #GP",                   \
      "Intel SDM 2A 2.3.11; AMD APM 3 1.1")                                                                            \
    X("native", "*", "native-lock", FL_DEC_INVALID, lock,                                                              \
      "LOCK before an instruction that does not write to memory is #UD; the rule takes it as a prefix",                \
      "Intel SDM 2A, LOCK; AMD APM 3 1.2.5; every string of the main space on an AMD family 25")                       \
    X("native", "AuthenticAMD-*", "native-amd-0d-register", FL_DEC_INVALID, group_0d_register,                         \
      "0F 0D with a register operand is #UD on AMD, a nop on Intel; the rule does not look at ModRM",                  \
      "AMD APM 3, PREFETCH; every string of the main space on an AMD family 25")

static inline bool lock_register(const struct fl_decode_form *f)
{
    return lock(f) && f->mod == 3;
}

/* Unicorn: its version is the library's. It runs LOCK before a memory operand of these as if it were not there, which the rule
 * does as well, so that no row says so. */
#define UNICORN_ROWS(X)                                                                                                \
    X("unicorn", "*", "unicorn-past-15", FL_DEC_TOO_LONG, operand_past_15,                                             \
      "the rule stops at the opcode; with its operand the instruction is longer than 15 bytes, #GP",                   \
      "Intel SDM 2A 2.3.11; AMD APM 3 1.1")                                                                            \
    X("unicorn", "2.*", "unicorn-lock-register", FL_DEC_OTHER, lock_register,                                          \
      "LOCK before a register operand: some of these abort the emulator, so the executor refuses all of them",         \
      "oracle/unicorn/refuse.c; tests/probe")                                                                          \
    X("unicorn", "2.*", "unicorn-18-register-0-3", FL_DEC_INVALID, group_18_register_0_to_3,                           \
      "0F 18 /0 to /3 with a register operand is #UD in its translator; silicon runs it as a nop",                     \
      "tests/probe, every string of up to one prefix against an AMD family 25")                                        \
    X("unicorn", "2.*", "unicorn-0d-register", FL_DEC_INVALID, group_0d_register,                                      \
      "0F 0D with a register operand is #UD, as on AMD; the rule does not look at ModRM", "AMD APM 3, PREFETCH")

#endif
