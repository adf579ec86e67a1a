/* SPDX-License-Identifier: MIT */
/*
 * The product of core and rule, breadth first. Symbols are tried in order and states are taken in the order in which they
 * were found, so the way to a state is the shortest, and of those the smallest, string that leads there.
 */
#include "proof_internal.h"

#if defined(__x86_64__)

#    include <stdlib.h>
#    include <string.h>

#    define NO_NODE     UINT32_MAX
#    define TABLE_LEAST 4096u

/* The core stands at a probe of a byte that it has not read before. */
struct node {
    struct digest digest;
    struct knowledge k;
    uint32_t parent;
    uint16_t symbol; /* on the way from parent */
    uint8_t byte;    /* which one it asks for */
    uint8_t nread;
    uint8_t recent[BYTES]; /* the bytes read so far, in their order */
};

struct graph {
    struct node *node;
    uint32_t nnodes, most;
    uint32_t *table; /* of nodes, by digest */
    uint32_t slots, most_slots;
    unsigned keep; /* values of how many of the last bytes belong to a state: a core may read a byte again */
    struct stop stop;
    size_t stop_size;
};

struct graph *graph_new(uint32_t max_states)
{
    struct graph *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->most = max_states;
    g->most_slots = TABLE_LEAST;
    while (g->most_slots < 2 * (uint64_t)max_states && g->most_slots < 1u << 30)
        g->most_slots *= 2;
    g->node = malloc(sizeof *g->node * ((size_t)max_states + 1));
    g->table = malloc(sizeof *g->table * g->most_slots);
    if (g->node && g->table)
        return g;
    graph_free(g);
    return NULL;
}

void graph_free(struct graph *g)
{
    if (!g)
        return;
    free(g->stop.bytes);
    free(g->node);
    free(g->table);
    free(g);
}

static uint32_t *slot_of(struct graph *g, const struct digest *d)
{
    for (uint32_t i = (uint32_t)d->low;; i++) {
        uint32_t *slot = &g->table[i & (g->slots - 1)];

        if (*slot == NO_NODE || memcmp(&g->node[*slot].digest, d, sizeof *d) == 0)
            return slot;
    }
}

static void set_slots(struct graph *g, uint32_t slots)
{
    g->slots = slots;
    for (uint32_t i = 0; i < slots; i++)
        g->table[i] = NO_NODE;
    for (uint32_t i = 0; i < g->nnodes; i++)
        *slot_of(g, &g->node[i].digest) = i;
}

/* False: there would be more states than are allowed. */
static bool add(struct graph *g, const struct node *node)
{
    uint32_t *slot = slot_of(g, &node->digest);

    if (*slot != NO_NODE)
        return true;
    if (g->nnodes == g->most)
        return false;
    *slot = g->nnodes;
    g->node[g->nnodes++] = *node;
    if (g->nnodes * 2 > g->slots && g->slots < g->most_slots)
        set_slots(g, g->slots * 2);
    return true;
}

/* ---- one leg: from an answer to the next byte ------------------------------------------------------------------ */

enum leg {
    LEG_PROBE,  /* at a probe of a byte that is new */
    LEG_END,    /* the core has answered, and was right to */
    LEG_WRONG,  /* suspect; suspicion holds a string that shows it, if it is so */
    LEG_FORGOT, /* it asks again for a byte whose value is no part of the state: keep must become `again` */
    LEG_OPAQUE
};

struct leg_end {
    uint16_t suspicion[BYTES]; /* only what differs from the way here */
    unsigned byte;
    unsigned again;
};

/* BYTES: a byte that may not be read, or not so. */
static unsigned byte_of(const struct config *c, uint64_t linear, bool user)
{
    unsigned i = 0;

    if (!c->window.open || user != c->window.user)
        return BYTES;
    while (i < BYTES && !(c->window.readable[i] && c->window.linear[i] == linear))
        i++;
    return i;
}

static bool may_ask_ldt(const struct knowledge *k, const struct config *c)
{
    enum { SELECTOR_TI = 1 << 2, SELECTOR_INDEX = 3 }; /* Intel SDM vol. 3A, 3.4.2 */
    unsigned cs = c->fault.regs.cs;
    uint64_t index = switch_frame.argument[1] & UINT32_MAX;

    return cs & SELECTOR_TI && k->ldt == 0 && index == cs >> SELECTOR_INDEX && index < c->fault.task.ldt_entries;
}

static enum leg judge_answer(struct prover *p, const struct knowledge *k, struct leg_end *end)
{
    bool may_be_true, may_be_false;
    char line[200];
    uint8_t ignore;

    knowledge_answers(k, &p->config, &may_be_true, &may_be_false, end->suspicion);
    ignore = *(volatile uint8_t *)p->m.stack.ignore;
    if (!ignore && may_be_true)
        return LEG_WRONG;
    memcpy(end->suspicion, k->symbol, sizeof end->suspicion);
    if (switch_frame.answer != FL_OK || ignore > 1 || switch_top_broken(&p->m.stack) || (ignore && may_be_false))
        return LEG_WRONG;
    /* A core that keeps memory does so every time, and once is enough to say so. */
    if (p->m.data && !p->kept && machine_kept(&p->m, line)) {
        p->kept = true;
        return LEG_WRONG;
    }
    return LEG_END;
}

/* How far back the byte was read: 1 for the last one. */
static unsigned distance(const struct node *at, unsigned byte)
{
    for (unsigned i = at->nread; i-- > 0;)
        if (at->recent[i] == byte)
            return at->nread - i;
    return BYTES;
}

/* at: what is known, with what was answered last. Adds to it what is asked on the way. */
static enum leg settle(struct prover *p, struct node *at, struct leg_end *end)
{
    struct knowledge *k = &at->k;

    for (;;) {
        uint64_t op = switch_frame.op;
        bool trespass = machine_trespass(&p->m) != NULL;

        if (op == SWITCH_RETURNED && !trespass)
            return judge_answer(p, k, end);
        if (op != SWITCH_RETURNED && !switch_stack_known(&p->m.stack))
            return LEG_OPAQUE;
        memcpy(end->suspicion, k->symbol, sizeof end->suspicion);
        if (trespass || switch_frame.argument[0] != (uintptr_t)p->m.given.ctx)
            return LEG_WRONG;
        if (op == SWITCH_OP(ldt) && may_ask_ldt(k, &p->config)) {
            k->ldt++;
            machine_answer(&p->m, p->config.ldt[switch_frame.argument[1] & UINT32_MAX], 0);
            continue;
        }
        if (op != SWITCH_OP(probe_byte) || k->probes == BYTES)
            return LEG_WRONG;
        end->byte = byte_of(&p->config, switch_frame.argument[1], switch_frame.argument[2] & 0xff);
        if (end->byte == BYTES)
            return LEG_WRONG;
        if (!machine_visible(&p->m))
            return LEG_OPAQUE;
        k->probes++;
        if (!(k->read >> end->byte & 1))
            return LEG_PROBE;
        /* Memory does not change while the core looks. */
        unsigned symbol = k->symbol[end->byte];

        if (symbol == SYMBOL_FORGOT) {
            end->again = distance(at, end->byte);
            return LEG_FORGOT;
        }
        machine_answer(&p->m, symbol != PROOF_FAILS, (uint8_t)symbol);
    }
}

/* ---- the exploration -------------------------------------------------------------------------------------------- */

/* What was read on the way to a node. */
static void way_to(const struct graph *g, uint32_t at, uint16_t way[BYTES])
{
    for (unsigned i = 0; i < BYTES; i++)
        way[i] = PROOF_NOT_READ;
    for (; g->node[at].parent != NO_NODE; at = g->node[at].parent)
        way[g->node[g->node[at].parent].byte] = g->node[at].symbol;
}

/* Runs the core along the way to a node, from the start. False: it does not come to the same state. */
static bool replay(struct prover *p, const struct node *to, const uint16_t way[BYTES])
{
    struct node at = {.parent = NO_NODE};
    struct leg_end end;

    knowledge_start(&at.k);
    machine_start(&p->m);
    for (unsigned i = 0;; i++) {
        struct digest digest;

        if (settle(p, &at, &end) != LEG_PROBE)
            return false;
        if (i == to->nread) {
            at.k = to->k;
            digest = machine_digest(&p->m, &at.k);
            return memcmp(&digest, &to->digest, sizeof digest) == 0;
        }
        if (end.byte != to->recent[i])
            return false;
        at.recent[at.nread++] = (uint8_t)end.byte;
        knowledge_add(&at.k, &p->config, end.byte, way[end.byte]);
        machine_answer(&p->m, way[end.byte] != PROOF_FAILS, (uint8_t)way[end.byte]);
    }
}

static enum explored suspect(struct prover *p, const uint16_t way[BYTES], struct leg_end *end)
{
    /* What the state has forgotten the way remembers. */
    for (unsigned i = 0; i < BYTES; i++)
        if (way[i] != PROOF_NOT_READ)
            end->suspicion[i] = way[i];
    bool confirmed = string_judge(p, end->suspicion);

    machine_reset(&p->m);
    return confirmed ? EXPLORED : EXPLORE_UNCONFIRMED;
}

/* at came out of a leg that ended so. */
static enum explored arrive(struct prover *p, struct graph *g, struct node *at, enum leg leg, struct leg_end *end,
                            const uint16_t way[BYTES])
{
    struct proof_result *r = &p->shared->result;

    switch (leg) {
    case LEG_PROBE:
        at->byte = (uint8_t)end->byte;
        knowledge_forget(&at->k, at->recent, at->nread, g->keep);
        at->digest = machine_digest(&p->m, &at->k);
        return add(g, at) ? EXPLORED : EXPLORE_TOO_MANY;
    case LEG_END: r->answers++; return EXPLORED;
    case LEG_WRONG: r->answers += switch_frame.op == SWITCH_RETURNED; return suspect(p, way, end);
    case LEG_FORGOT: g->keep = end->again; return EXPLORE_AGAIN;
    default: return EXPLORE_OPAQUE;
    }
}

/* Every symbol from one node. */
static enum explored expand(struct prover *p, struct graph *g, uint32_t index)
{
    enum explored explored = EXPLORED;
    uint16_t way[BYTES];
    struct leg_end end;
    /* A copy: the array may not move, but what is added to it comes from here. */
    const struct node from = g->node[index];

    way_to(g, index, way);
    note_string(p, way);
    if (!replay(p, &from, way))
        return EXPLORE_UNSTABLE;
    machine_save(&p->m, &g->stop);
    for (unsigned symbol = 0; symbol < SYMBOLS && explored == EXPLORED; symbol++) {
        struct node at = from;

        at.parent = index;
        at.symbol = (uint16_t)symbol;
        at.recent[at.nread++] = from.byte;
        knowledge_add(&at.k, &p->config, from.byte, symbol);
        way[from.byte] = (uint16_t)symbol;
        p->shared->symbol[from.byte] = (uint16_t)symbol;
        p->shared->progress = p->shared->progress + 1;
        p->shared->result.transitions++;
        if (symbol)
            machine_restore(&p->m, &g->stop);
        machine_answer(&p->m, symbol != PROOF_FAILS, (uint8_t)symbol);
        explored = arrive(p, g, &at, settle(p, &at, &end), &end, way);
    }
    return explored;
}

static enum explored explore_once(struct prover *p, struct graph *g)
{
    struct node root = {.parent = NO_NODE, .symbol = PROOF_NOT_READ};
    enum explored explored;
    struct leg_end end;
    uint16_t way[BYTES];
    enum leg leg;

    g->nnodes = 0;
    set_slots(g, TABLE_LEAST);
    for (unsigned i = 0; i < BYTES; i++)
        way[i] = PROOF_NOT_READ;
    note_string(p, way);
    knowledge_start(&root.k);
    machine_start(&p->m);
    leg = settle(p, &root, &end);
    explored = arrive(p, g, &root, leg, &end, way);
    for (uint32_t i = 0; i < g->nnodes && explored == EXPLORED; i++)
        explored = expand(p, g, i);
    return explored;
}

enum explored explore(struct prover *p, struct graph *g)
{
    struct proof_result *r = &p->shared->result;
    uint64_t transitions = r->transitions, answers = r->answers;
    enum explored explored;

    if (!g->stop.bytes)
        g->stop.bytes = malloc(SWITCH_STACK_SIZE + p->m.data);
    if (!g->stop.bytes)
        return EXPLORE_NO_MEMORY;
    /* Once more when more of the past, or of the stack, turned out to belong to a state. Both only grow. */
    for (;;) {
        bool grew;

        explored = explore_once(p, g);
        grew = switch_stack_grew(&p->m.stack);
        if (!grew && explored != EXPLORE_AGAIN)
            break;
        r->transitions = transitions;
        r->answers = answers;
    }
    r->states += g->nnodes;
    return explored;
}

#endif /* __x86_64__ */
