/* SPDX-License-Identifier: MIT */
/* What processors do otherwise than the rule. Native: version is the processor's vendor, family and model. */
#ifndef FAULTLINE_ORACLE_DECODE_ROWS_SILICON_H
#define FAULTLINE_ORACLE_DECODE_ROWS_SILICON_H

#include "classes.h"

/* "ran unchanged" is FL_DEC_PREFETCH here, #UD invalid, #GP too long, a fault of fetching behind the bytes
 * incomplete. */
#define NATIVE_ROWS(X)                                                                                                 \
    X("native", "*", "native-cut-off", FL_DEC_INCOMPLETE, cut_off_within_15,                                           \
      "the rule stops at the opcode; fetching the operand's bytes faults",                                             \
      "Intel SDM 3A 6.9 (faults of fetching come before those of decoding)")                                           \
    X("native", "*", "native-past-15", FL_DEC_TOO_LONG, operand_past_15,                                               \
      "the rule stops at the opcode; with its operand the instruction is longer than 15 bytes, #GP",                   \
      "Intel SDM 2A 2.3.11; AMD APM 3 1.1")                                                                            \
    X("native", "*", "native-lock", FL_DEC_INVALID, lock,                                                              \
      "LOCK before an instruction that does not write to memory is #UD; the rule takes it as a prefix",                \
      "Intel SDM 2A, LOCK; AMD APM 3 1.2.5; every string of the main space on an AMD family 25")                       \
    X("native", "AuthenticAMD-*", "native-amd-0d-register", FL_DEC_INVALID, group_0d_register,                         \
      "0F 0D with a register operand is #UD on AMD, a nop on Intel; the rule does not look at ModRM",                  \
      "AMD APM 3, PREFETCH; every string of the main space on an AMD family 25")

/* Unicorn: to be measured. Its version is the library's. */
#define UNICORN_ROWS(X)

#endif
