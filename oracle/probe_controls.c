/* SPDX-License-Identifier: MIT */
/* Controls of the probes, and the names of their ends. */
#include "probe_state.h"

#include <faultline/oracle/decoder_plugin.h>

/* Every end, in every mode that has it. The bytes mean the same in all modes named, but for the registers of operands. */
static const struct probe_control controls[] = {
    {"nop", {{0x90}, 1}, FL_DECODES_ALL, FL_PROBE_RAN},
    {"prefetcht0 of memory", {{0x0f, 0x18, 0x08}, 3}, FL_DECODES_ALL, FL_PROBE_RAN},
    {"lea", {{0x8d, 0x48, 0x01}, 3}, FL_DECODES_ALL, FL_PROBE_CHANGED},
    {"inc, dec", {{0x40, 0x48}, 2}, FL_DECODES_16 | FL_DECODES_32, FL_PROBE_CHANGED},
    {"ud2", {{0x0f, 0x0b}, 2}, FL_DECODES_ALL, FL_PROBE_UD},
    {"16 bytes",
     {{0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90}, 16},
     FL_DECODES_ALL,
     FL_PROBE_GP},
    {"mov from memory", {{0x8a, 0x00}, 2}, FL_DECODES_ALL, FL_PROBE_PF},
    {"push", {{0x50}, 1}, FL_DECODES_ALL, FL_PROBE_PF},
    {"mov without its constant", {{0xb8}, 1}, FL_DECODES_ALL, FL_PROBE_FETCH},
    {"nop, ud2", {{0x90, 0x0f, 0x0b}, 3}, FL_DECODES_ALL, FL_PROBE_ELSEWHERE},
    {"div with overflow", {{0xf7, 0xf0}, 2}, FL_DECODES_ALL, FL_PROBE_OTHER}, /* DX:AX by AX, which is less than DX */
};
#define CONTROLS (sizeof controls / sizeof controls[0])

const struct probe_control *probe_controls(struct fl_probe *p,
                                           enum fl_status (*run)(struct fl_probe *p, const struct fl_probe_case *cases,
                                                                 size_t n, uint8_t *ends),
                                           unsigned modes, uint64_t *passed, unsigned *bits, uint8_t *end)
{
    for (unsigned mode = FL_DECODES_16; mode <= FL_DECODES_64; mode <<= 1) {
        struct fl_probe_case cases[CONTROLS];
        uint8_t ends[CONTROLS], which[CONTROLS];
        size_t n = 0;

        if ((modes & mode) == 0)
            continue;
        *bits = mode == FL_DECODES_16 ? 16 : mode == FL_DECODES_32 ? 32 : 64;
        for (size_t i = 0; i < CONTROLS; i++) {
            if ((controls[i].modes & mode) == 0)
                continue;
            cases[n] = controls[i].c;
            cases[n].bits = (uint8_t)*bits;
            which[n++] = (uint8_t)i;
        }
        if (run(p, cases, n, ends) != FL_OK) {
            *end = FL_PROBE_COUNT;
            return &controls[0];
        }
        for (size_t i = 0; i < n; i++) {
            if (ends[i] != controls[which[i]].end) {
                *end = ends[i];
                return &controls[which[i]];
            }
            ++*passed;
        }
    }
    return NULL;
}

const char *fl_probe_end_name(enum fl_probe_end end)
{
    switch (end) {
    case FL_PROBE_RAN: return "ran";
    case FL_PROBE_CHANGED: return "changed";
    case FL_PROBE_UD: return "ud";
    case FL_PROBE_GP: return "gp";
    case FL_PROBE_PF: return "pf";
    case FL_PROBE_FETCH: return "fetch";
    case FL_PROBE_ELSEWHERE: return "elsewhere";
    case FL_PROBE_OTHER: return "other";
    case FL_PROBE_COUNT: break;
    }
    return "none";
}
