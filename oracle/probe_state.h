/* SPDX-License-Identifier: MIT */
/*
 * What every probe has in common: the registers that a case starts from, and which end an exception means. Private to
 * the probes. The functions are usable in a signal handler that has no C library (FL_BARE).
 *
 * Registers: each general register has a value of its own, so that an exchange is seen. Nothing is mapped at any of
 * them, nor at a register plus 1, 2, 4 or 8 times another; the low 32 bits alone say the same, as 32-bit addresses do.
 * The upper half is not zero in 64-bit code, so that an instruction that only clears it is seen. The low 16 bits, and
 * the sums of two that 16-bit addressing makes, are offsets into the first 64 KiB, where nothing is mapped, and stay off
 * the code page (CS overrides). As selectors they name no descriptor.
 *
 * Flags: zero and sign both set and parity clear is no result of arithmetic, so whatever sets flags from a result is
 * seen. In particular INC with DEC after it, which is what 40 to 4F are outside 64-bit code.
 */
#ifndef FAULTLINE_ORACLE_PROBE_STATE_H
#define FAULTLINE_ORACLE_PROBE_STATE_H

#include <faultline/oracle/probe.h>

/* Code that runs where neither thread-local storage nor a sanitizer's runtime may be used. */
#if defined(__clang__)
#    define FL_BARE                                                                                                    \
        __attribute__((no_stack_protector, no_sanitize("address", "undefined", "thread", "memory", "coverage")))
#else
#    define FL_BARE __attribute__((no_stack_protector, no_sanitize("address", "undefined", "thread")))
#endif

/* Of register k in encoding order: low 32 bits. */
#define PROBE_REGISTER_BASE  0x0d000440u
#define PROBE_REGISTER_STEP  0x00011000u
#define PROBE_REGISTER(k)    (PROBE_REGISTER_BASE + PROBE_REGISTER_STEP * (uint32_t)(k))
#define PROBE_REGISTER_UPPER (1ull << 32)

/* SDM vol. 1, 3.4.3: CF, AF, ZF, SF, IF, OF and the fixed bit; and every flag that user code can change. */
#define PROBE_FLAGS      0x0ad3u
#define PROBE_FLAGS_SEEN 0x254dd5u

/* The window of the code page: 64 KiB, so that 16-bit code can run in it. Nothing is mapped behind the code page. */
#define PROBE_WINDOW   0x70000000u
#define PROBE_CODE     0xe000u /* offset of the code page */
#define PROBE_CODE_END 0xf000u

/* Vectors and error-code bits (SDM vol. 3, 6.3.1 and 4.7). */
enum probe_vector { PROBE_V_DB = 1, PROBE_V_BP = 3, PROBE_V_OF = 4, PROBE_V_UD = 6, PROBE_V_GP = 13, PROBE_V_PF = 14 };
#define PROBE_PF_FETCH 0x10u

/* An exception as it was reported. */
struct probe_exception {
    unsigned vector, error_code;
    uint64_t ip, cr2;
    uint64_t start, end; /* offsets in the code segment: the first byte; behind the int3 */
    uint64_t base;       /* linear address of the code segment's offset 0 */
    bool same;           /* registers, flags and code segment are as they were set */
    bool same_segment;
};

FL_BARE static inline enum fl_probe_end probe_end(const struct probe_exception *x)
{
    bool first = x->same_segment && x->ip == x->start;

    switch (x->vector) {
    case PROBE_V_BP:
        if (!x->same_segment || x->ip != x->end)
            return FL_PROBE_ELSEWHERE;
        return x->same ? FL_PROBE_RAN : FL_PROBE_CHANGED;
    case PROBE_V_PF:
        if ((x->error_code & PROBE_PF_FETCH) == 0)
            return first ? FL_PROBE_PF : FL_PROBE_ELSEWHERE;
        /* It needs more bytes than there are, or it took the int3 for its last byte and ran. */
        if (x->cr2 == x->base + x->end && (first || (x->same_segment && x->ip == x->end)))
            return FL_PROBE_FETCH;
        return FL_PROBE_ELSEWHERE;
    case PROBE_V_UD: return first ? FL_PROBE_UD : FL_PROBE_ELSEWHERE;
    case PROBE_V_GP: return first ? FL_PROBE_GP : FL_PROBE_ELSEWHERE;
    case PROBE_V_DB: /* traps: the ip is behind the instruction */
    case PROBE_V_OF: return FL_PROBE_OTHER;
    default: return first ? FL_PROBE_OTHER : FL_PROBE_ELSEWHERE;
    }
}

/* Is it a case of a mode that the probe has? */
static inline bool probe_case_valid(const struct fl_probe_case *c, unsigned modes)
{
    unsigned mode = c->bits == 16 ? 1u : c->bits == 32 ? 2u : c->bits == 64 ? 4u : 0u;

    return c->n >= 1 && c->n <= FL_PROBE_BYTES && (mode & modes) != 0;
}

/* Controls: strings whose end is known whatever the processor. probe_controls.c. */
struct probe_control {
    const char *name;
    struct fl_probe_case c; /* bits is 0: those of modes */
    unsigned modes;         /* FL_DECODES_16 | ... */
    enum fl_probe_end end;
};

/* Runs all of them through run in the given modes, *passed [IN, OUT] counts those that ended as they must. Answers NULL, or
 * the first that did not, and what it ended as; FL_PROBE_COUNT: the run itself failed. bits: its mode. */
const struct probe_control *probe_controls(struct fl_probe *p,
                                           enum fl_status (*run)(struct fl_probe *p, const struct fl_probe_case *cases,
                                                                 size_t n, uint8_t *ends),
                                           unsigned modes, uint64_t *passed, unsigned *bits, uint8_t *end);

#endif
