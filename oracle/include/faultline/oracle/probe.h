/* SPDX-License-Identifier: MIT */
/*
 * Truth by execution: what a processor does with a byte string. One vtable; `native` runs it on this machine's own
 * processor, `unicorn` under emulation.
 *
 * The string is put at the end of an executable page with an int3 behind it, and is run with every general register
 * pointing to where nothing is mapped. A prefetch or nop then reaches the int3 and has changed nothing; an access
 * faults; anything else is seen by what it changes or by where it ends. One run tells no prefetch from a nop: loads()
 * does.
 *
 * Every opening runs controls first (a load that must fault, ud2, lea, nop, a string of 16 bytes, a prefetch and a load
 * that must bring a line into the cache, a nop that must not), and so does every FL_PROBE_CONTROL_EVERY-th case and the
 * last close: a probe whose controls fail answers FL_FAILED from then on, and nothing that it said counts.
 */
#ifndef FAULTLINE_ORACLE_PROBE_H
#define FAULTLINE_ORACLE_PROBE_H

#include <faultline/types.h>

/* "First byte": the ip of the exception is that of the string's first byte, in the code segment it was started in. What is
 * compared is the general registers (8, by their low 32 bits, in 16- and 32-bit code) and the flags of user mode; not memory,
 * segment, x87 or vector registers. A string that is cut short takes the int3 for its next byte: mostly it then ends as
 * FETCH, but prefixes alone belong to the int3 (RAN), and 0F 0D becomes 0F 0D CC (UD where that is invalid). */
enum fl_probe_end {
    FL_PROBE_RAN,     /* reached the int3 at its end; registers and flags are as before */
    FL_PROBE_CHANGED, /* reached the int3, but registers or flags changed: some other instruction, or several */
    FL_PROBE_UD,      /* invalid opcode at its first byte */
    FL_PROBE_GP,      /* general protection at its first byte: longer than 15 bytes, or a fault of its own */
    FL_PROBE_PF,      /* page fault of a data access at its first byte */
    FL_PROBE_FETCH, /* page fault of a fetch behind the page, with the ip at its first byte or behind the int3: it is longer
                         than the bytes given (or jumped there) */
    FL_PROBE_ELSEWHERE, /* an exception with the ip anywhere else: shorter than the bytes given, or several instructions */
    FL_PROBE_OTHER, /* another exception at its first byte, #DB or #OF; a call of the kernel; or it loops (native: for
                           10 to 20 ms of processor time) */
    FL_PROBE_COUNT
};

#define FL_PROBE_BYTES         18u /* the longest string: a bit more than an instruction can be */
#define FL_PROBE_CONTROL_EVERY (1u << 18)

struct fl_probe_case {
    uint8_t bytes[FL_PROBE_BYTES];
    uint8_t n;    /* 1..FL_PROBE_BYTES: its length, operand bytes included */
    uint8_t bits; /* 16, 32 or 64 */
};

/* Does it bring the line that its memory operand names into the cache? */
struct fl_probe_loads {
    uint32_t rounds, hits; /* rounds done, and those in which the line was there afterwards */
    bool loads;            /* the vote: hits of the loads' control and of the nop's control set the bounds */
    bool sure; /* the rounds agree with one control and not with the other. An operand relative to RIP names the
                              code, which is there anyway: false, after no round */
};

struct fl_probe {
    const char *name;    /* "native", "unicorn" */
    const char *version; /* what expected differences are keyed by: native: "AuthenticAMD-25-1" (vendor, display family
                            and model of CPUID); unicorn: the library's version */
    const char *host;    /* native: brand string of the processor; else "any" */
    unsigned modes;      /* FL_DECODES_16 | ... (decoder_plugin.h) that it can run here */
    uint64_t controls;   /* controls passed so far, those of the opening included */

    /* Runs n cases, each from the same registers; ends[i] [OUT] is one of enum fl_probe_end. FL_OK. FL_INVALID: NULL, or
     * a case out of its range or of a mode that it cannot run; nothing was run. FL_FAILED: the probe is broken (a
     * control failed, its process died): why() says how; ends is garbage. */
    enum fl_status (*run)(struct fl_probe *p, const struct fl_probe_case *cases, size_t n, uint8_t *ends);

    /* FL_UNSUPPORTED: this probe cannot tell (unicorn; a processor without usable timing). FL_INVALID, FL_FAILED as for
     * run. Every register, hence every base, and every base + scale * index, names a line of memory that it looks at; so
     * does offset 0 in 16- and 32-bit code. A displacement has to be zero: another one names a line that it does not see,
     * and the answer is then "no". Takes about 31 cases' time and half as much again. */
    enum fl_status (*loads)(struct fl_probe *p, const struct fl_probe_case *c, struct fl_probe_loads *out);

    /* One line. */
    const char *(*why)(const struct fl_probe *p);

    /* Runs the controls once more. FL_FAILED: one of them failed: nothing that this probe said counts. Closed anyway. */
    enum fl_status (*close)(struct fl_probe *p);
};

/* This processor, in user mode: a child process that seccomp confines to what it needs, one for each opening; it ends with
 * the thread that opened it. Interrupts from a terminal do not end it. FL_UNSUPPORTED: not an x86-64 Linux, or no seccomp.
 * FL_FAILED: a control failed, or the child cannot be had (no memory, or a program that lies between 128 MiB and 4 GiB). why
 * [OUT] holds one line in both cases. 16- and 32-bit code may be missing from modes (no modify_ldt). */
enum fl_status fl_native_open(struct fl_probe **out, char why[256]);

/* FL_UNSUPPORTED: built without Unicorn. */
enum fl_status fl_unicorn_probe_open(struct fl_probe **out, char why[256]);

const char *fl_probe_end_name(enum fl_probe_end end);

#endif
