/* SPDX-License-Identifier: MIT */
/*
 * The instruction catalogue: instructions that touch memory in every way that matters to a page-fault handler, as data
 * rows, and how to aim one of them at an address. Only what user code may run and what is understood without AVX.
 *
 * In 16-bit code the rows use 32-bit addresses (prefix 67), so that every address can be reached.
 */
#ifndef FAULTLINE_FUZZ_INSN_H
#define FAULTLINE_FUZZ_INSN_H

#include <faultline/fuzz/scenario.h>

enum fl_insn_kind {
    FL_INSN_LOAD,
    FL_INSN_STORE,
    FL_INSN_RMW,      /* reads and writes the same place */
    FL_INSN_STACK,    /* through rSP or rBP */
    FL_INSN_STRING,   /* rSI, rDI, with a count in rCX when repeated */
    FL_INSN_PREFETCH, /* never faults */
    FL_INSN_JUMP,     /* the fetch at the target is what matters */
    FL_INSN_KIND_COUNT
};

#define FL_INSN_NO_REG 0xff

/* The encoding for one code size. n = 0: the instruction does not exist there (or has a row of its own). */
struct fl_insn_form {
    uint8_t n;     /* bytes */
    uint16_t size; /* bytes accessed at once; 0 for a prefetch and for a jump that reads no memory */
    uint8_t bytes[9];
};

struct fl_insn {
    const char *mnemonic;        /* without prefixes, lower case, Intel syntax */
    uint8_t kind;                /* enum fl_insn_kind */
    uint8_t address;             /* enum fl_gpr: holds the address of the access (jump to a register: the target) */
    uint8_t address2;            /* second address (movs, cmps), or FL_INSN_NO_REG */
    bool below;                  /* the access ends where the register points (push), it does not begin there */
    bool repeated;               /* has a count in rCX */
    struct fl_insn_form form[3]; /* 16, 32, 64-bit code */
};

const struct fl_insn *fl_insn_rows(size_t *count);

/* The encoding for code of 16, 32 or 64 bits, or NULL. */
const struct fl_insn_form *fl_insn_form(const struct fl_insn *insn, unsigned bits);

const char *fl_insn_kind_name(enum fl_insn_kind kind);

/* What to aim an instruction with. */
struct fl_insn_aim {
    enum fl_mode mode;
    uint8_t bits;     /* 16, 32 or 64: of the code segment that the trace has at that point */
    bool user;        /* CPL 3 */
    uint32_t flags;   /* RFLAGS, where a REGS record is needed */
    uint64_t ip;      /* where the instruction is put */
    uint64_t target;  /* first byte of the access */
    uint64_t target2; /* of the second access, for rows that have one */
    uint64_t count;   /* in rCX, for repeated rows */
};

#define FL_INSN_MAX_RECORDS 4

/* Writes the records that set the registers and run the instruction: out[0 .. answer), the last one an EXEC. They are
 * canonical. Answers 0 when the instruction does not exist in code of that size; out is then untouched. A row that goes
 * through rSP is aimed by a REGS record, which also sets ip, flags and privilege. */
size_t fl_insn_records(const struct fl_insn *insn, const struct fl_insn_aim *aim,
                       struct fl_record out[FL_INSN_MAX_RECORDS]);

#endif
