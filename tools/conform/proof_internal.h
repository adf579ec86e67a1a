/* SPDX-License-Identifier: MIT */
/* What the parts of the proof share. Private to tools/conform/proof*.c. */
#ifndef FAULTLINE_TOOLS_CONFORM_PROOF_INTERNAL_H
#define FAULTLINE_TOOLS_CONFORM_PROOF_INTERNAL_H

#include "proof.h"
#include "proof_switch.h"

#include <faultline/oracle/compare.h>
#include <faultline/oracle/decode.h>

#define BYTES FL_WINDOW_BYTES

/* Symbols: a byte value, PROOF_FAILS, PROOF_NOT_READ; and: was read, and no longer matters. */
#define SYMBOLS       257u
#define SYMBOL_FORGOT 0x1feu

/* ---- configurations: proof_config.c ---- */

#define CONFIG_LDT 8

/* One fault whose instruction bytes are not chosen yet. */
struct config {
    struct fl_fault fault;       /* for the core */
    struct fl_snapshot snapshot; /* for the policy; byte and ctx are set by who asks */
    struct fl_code_window window;
    uint64_t ldt[CONFIG_LDT];
    uint8_t step[FL_RULE_STATE_COUNT][256]; /* fl_prefetch_step, for the bits of the window */
    char words[160];
};

unsigned config_count(void);
void config_make(unsigned index, struct config *c);

/* ---- the rule beside the core: proof_rule.c ---- */

/* What was read so far, as far as it matters for what is to come. No padding: it is hashed. */
struct knowledge {
    uint16_t symbol[BYTES];
    uint16_t read;  /* bit i: byte i was read */
    uint16_t scan;  /* the first byte that the rule has not seen; BYTES once it has decided */
    uint8_t state;  /* enum fl_rule_state of the bytes before that */
    uint8_t probes; /* probe_byte calls */
    uint8_t ldt;    /* ldt calls */
    uint8_t zero[3];
};

void knowledge_start(struct knowledge *k);

/* Adds what was read at byte i; takes what follows for the rule. */
void knowledge_add(struct knowledge *k, const struct config *c, unsigned i, unsigned symbol);

/* Forgets the values that cannot matter any more: of bytes that the rule has seen, and that are not among the last `keep`
 * of the nread bytes listed in recent, in the order in which they were read. */
void knowledge_forget(struct knowledge *k, const uint8_t *recent, unsigned nread, unsigned keep);

/* Which answers are right, for some continuation of what is known? If both, an answer now is a guess. completion [OUT] is
 * a string in which true is right, when it may be: what k does not know, filled in with the fewest and smallest bytes. */
void knowledge_answers(const struct knowledge *k, const struct config *c, bool *may_be_true, bool *may_be_false,
                       uint16_t completion[BYTES]);

/* ---- the core and its state: proof_state.c ---- */

struct segment {
    uint8_t *at;
    size_t size;
    size_t offset; /* of its beginning in segment images */
};

/* All that a run needs; one for each proof. */
struct machine {
    const struct fl_core *core;
    struct switch_stack stack;
    struct given {
        struct fl_fault fault;
        struct fl_ops ops;
        uint64_t ctx[4];
    } given, given_before; /* what the core may read, and what it has to be like */
    struct segment segment[16];
    unsigned nsegments;
    size_t data;          /* bytes of all segments */
    uint8_t *data_before; /* what is in them before every call */
    uint8_t *scratch;     /* a state as bytes, to be digested */
    size_t most_stack;
    uint64_t probes;
};

/* A stop of the core that it can be sent back to. */
struct stop {
    struct switch_frame frame;
    size_t stack;   /* bytes */
    uint8_t *bytes; /* the stack, then the segments */
};

struct digest {
    uint64_t low, high;
};

/* False: *why [OUT] is a line. Nothing is left behind. */
bool machine_open(struct machine *m, const struct fl_core *core, const char *path, char *why, size_t size);
void machine_close(struct machine *m);

/* Another configuration from now on. */
void machine_configure(struct machine *m, const struct config *c);
/* The memory that is the core's to read, as it was. */
void machine_reset(struct machine *m);
void machine_start(struct machine *m);
/* Answers the op at which the core stands; byte is for probe_byte, when the answer is true. */
void machine_answer(struct machine *m, uint64_t answer, uint8_t byte);

/* Contract: NULL, or what the core did with memory that is not its own since the last stop. */
const char *machine_trespass(const struct machine *m);
/* After the core has returned: NULL, or a line on what it kept. */
const char *machine_kept(const struct machine *m, char line[200]);

/* Standing at a probe. False: its state cannot be seen as a whole. */
bool machine_visible(const struct machine *m);
struct digest machine_digest(struct machine *m, const struct knowledge *k);
void machine_save(struct machine *m, struct stop *stop);
void machine_restore(struct machine *m, const struct stop *stop);

/* ---- findings ---- */

/* What parent and child share. */
struct shared {
    struct proof_result result;
    /* What the core is doing now, for when it does not come back from it. */
    volatile uint64_t progress;
    uint32_t config;
    uint16_t symbol[BYTES];
    bool done, failed;
    uint32_t next; /* configuration */
    unsigned unclosed;
};

struct prover {
    struct machine m;
    struct shared *shared;
    struct config config;
    uint32_t index; /* of the configuration */
    bool found;     /* something, in this configuration */
    bool kept;      /* ... that memory is kept */
};

/* Tells the parent what is being done. */
void note_string(struct prover *p, const uint16_t symbol[BYTES]);

/* Runs the core on one string (PROOF_NOT_READ counts as PROOF_FAILS) and judges it by the policy and the comparer: without
 * anything of the product. False: nothing is wrong. True: an example was added or counted; p->found. */
bool string_judge(struct prover *p, const uint16_t symbol[BYTES]);

/* Fills in e's configuration and its string, and adds it. One of the same cause takes the place of a larger one, and is
 * counted once for each configuration. */
void example_add(struct proof_result *r, struct proof_example *e, const struct config *c, uint32_t config,
                 const uint16_t symbol[BYTES]);

/* ---- one configuration ---- */

enum explored {
    EXPLORED,
    EXPLORE_AGAIN,
    EXPLORE_TOO_MANY,
    EXPLORE_OPAQUE,
    EXPLORE_UNSTABLE,
    EXPLORE_NO_MEMORY,
    EXPLORE_UNCONFIRMED
};

struct graph;
struct graph *graph_new(uint32_t max_states);
void graph_free(struct graph *g);

/* Every state and symbol of p->config. */
enum explored explore(struct prover *p, struct graph *g);

/* The bounded check of p->config. */
void bounded(struct prover *p);

#endif
