/* SPDX-License-Identifier: MIT */
/*
 * proof: is the prefetch decoder of a core right for every byte string, and not only for those that were tried?
 *
 * A decoder asks for its bytes one at a time, through ops->probe_byte. What it does after a probe depends on nothing but
 * its stack, the registers that a call preserves, the bytes that the call answers, and (a shared object) its writable
 * data. Two byte strings after which all of that is the same have the same future, however the decoder is written. The
 * proof therefore explores a finite automaton: from each distinct state it goes on with every one of the 256 byte
 * values, and with "cannot be read". Beside each state runs the automaton of the rule (fl_prefetch_step), and with it
 * which bytes may be read at all (fl_policy_code_window). When no new state appears, decoder and rule have been compared
 * on all 257^15 strings.
 *
 * What this rests on: the contract of core.h (no allocation, nothing kept between calls; what a shared object keeps in its
 * data is seen and is a finding), and that the core reads no clock, no file and no heap. It is done for each of a list
 * of configurations (code segment, limits, processor, error code), since those are numbers that cannot be explored so.
 */
#ifndef FAULTLINE_TOOLS_CONFORM_PROOF_H
#define FAULTLINE_TOOLS_CONFORM_PROOF_H

#include <faultline/core.h>
#include <faultline/oracle/policy.h>

#include <jansson.h>
#include <stdio.h>

enum proof_verdict {
    PROOF_PROVEN,   /* equal to the rule in every configuration */
    PROOF_REFUTED,  /* examples[0..nexamples) say where it is not */
    PROOF_UNPROVEN, /* nothing found, but some configuration's states are too many, or cannot be told apart: reason */
    PROOF_UNSUPPORTED, /* this host cannot run the proof: reason */
};

#define PROOF_EXAMPLES 8u
#define PROOF_NOT_READ 0x1ffu /* of struct proof_example.symbol */
#define PROOF_FAILS    0x100u /* that byte cannot be read */

/* One way in which the core is wrong, with the shortest and then smallest bytes that show it. */
struct proof_example {
    const char *check;                /* as in divergence keys: "prefetch", "bound", "contract"; or "crash", "hang" */
    const char *row;                  /* "rule", "window", "segment", "accessor" ... */
    char expected[24];                /* classes, as in divergence keys */
    char actual[24];                  /* ... */
    uint8_t bits;                     /* of the code; 0: its segment is unknown */
    uint8_t n;                        /* bytes of the string */
    uint16_t symbol[FL_WINDOW_BYTES]; /* the string: a byte, PROOF_FAILS or PROOF_NOT_READ */
    char bytes[80];                   /* the same for people: "f0 0f 0d", "66 (unreadable)" */
    char configuration[160];          /* in words */
    char detail[480];
    uint32_t configurations; /* in how many of them this was seen */
    uint32_t last;           /* the last of them */
    uint32_t cause;          /* tells two causes apart whose classes are the same */
};

struct proof_result {
    enum proof_verdict verdict;
    char reason[200];        /* UNPROVEN, UNSUPPORTED: one line */
    char core[40];           /* its name */
    uint32_t configurations; /* that were to be looked at: all that there are, or every stride-th */
    uint32_t stride;
    uint32_t proven, refuted, bounded; /* ... of them; bounded: not proven, the bounded check took its place */
    uint32_t not_tried;                /* ... after a crash or a hang */
    uint64_t states, transitions;      /* of the product, over all configurations */
    uint64_t answers;                  /* transitions that ended in an answer of the core */
    uint64_t probes;                   /* probe_byte calls, those of replays included */
    uint64_t strings;                  /* runs of the bounded check */
    uint32_t stack;                    /* most bytes of stack that a state has */
    uint32_t data;                     /* bytes of writable data of the shared object that belong to a state */
    unsigned nexamples;                /* different causes; more than PROOF_EXAMPLES are not kept */
    bool more;                         /* there were more */
    struct proof_example example[PROOF_EXAMPLES];
    double seconds; /* that it took; in no report, which is the same each time */
};

struct proof_options {
    uint32_t max_states;   /* of one configuration; 0: 200000 */
    unsigned hang_seconds; /* without progress; 0: 10 */
    unsigned stride;       /* only every stride-th configuration; 0: all. A verdict then speaks of those alone */
};

/* Runs the proof on core->prefetch, in a child process: a core that crashes or hangs there is a finding. path: the shared
 * object that holds the core, as it was given to dlopen; NULL: the core is linked into this program, and taken by its
 * word that it has no writable data. options may be NULL. FL_OK: *out valid, whatever the verdict. FL_INVALID: NULL, or
 * no prefetch. FL_FAILED: no memory or no process, or the proof itself went wrong; out->reason then holds one line. */
enum fl_status proof_run(const struct fl_core *core, const char *path, const struct proof_options *options,
                         struct proof_result *out);

const char *proof_verdict_name(enum proof_verdict verdict);

/* A paragraph for people; examples follow, one each. */
void proof_print(FILE *out, const struct proof_result *r);

/* The same for machines. NULL: no memory. */
json_t *proof_json(const struct proof_result *r);

#endif
