/* SPDX-License-Identifier: MIT */
/*
 * One string through the core, judged by the parts that the fuzzer is judged by: fl_policy_prefetch and
 * fl_compare_prefetch. What the exploration suspects becomes a finding only when it shows here as well.
 */
#include "proof_internal.h"

#if defined(__x86_64__)

#    include <inttypes.h>
#    include <string.h>

enum { SELECTOR_TI = 1 << 2, SELECTOR_INDEX = 3 }; /* Intel SDM vol. 3A, 3.4.2 */

/* More calls than this, and the core is not asked any further. */
#    define MAX_CALLS 64u

struct string {
    const struct config *c;
    const uint16_t *symbol;
};

/* fl_byte_fn. */
static bool string_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    const struct string *s = ctx;
    const struct fl_code_window *w = &s->c->window;

    if (user != w->user)
        return false;
    for (unsigned i = 0; i < BYTES; i++)
        if (w->readable[i] && w->linear[i] == linear) {
            if (s->symbol[i] >= PROOF_FAILS)
                return false;
            *byte = (uint8_t)s->symbol[i];
            return true;
        }
    return false;
}

void note_string(struct prover *p, const uint16_t symbol[BYTES])
{
    struct shared *s = p->shared;

    memcpy(s->symbol, symbol, sizeof s->symbol);
    s->progress = s->progress + 1;
}

/* What is compared to find the smaller of two examples: the last byte that was read and not unreadable. */
static unsigned length(const uint16_t symbol[BYTES])
{
    unsigned n = 0;

    for (unsigned i = 0; i < BYTES; i++)
        if (symbol[i] < PROOF_FAILS)
            n = i + 1;
    return n;
}

static bool smaller(const uint16_t a[BYTES], const uint16_t b[BYTES])
{
    if (length(a) != length(b))
        return length(a) < length(b);
    for (unsigned i = 0; i < BYTES; i++)
        if (a[i] != b[i])
            return a[i] < b[i];
    return false;
}

static void spell(struct proof_example *e)
{
    size_t used = 0;
    unsigned shown = e->n;

    /* An unreadable byte behind the last one is shown: it was asked for. */
    if (shown < BYTES && e->symbol[shown] == PROOF_FAILS)
        shown++;
    e->bytes[0] = 0;
    for (unsigned i = 0; i < shown && used + 16 < sizeof e->bytes; i++) {
        const char *gap = i ? " " : "";

        if (e->symbol[i] < PROOF_FAILS)
            used += (size_t)snprintf(e->bytes + used, sizeof e->bytes - used, "%s%02x", gap, e->symbol[i]);
        else
            used += (size_t)snprintf(e->bytes + used, sizeof e->bytes - used, "%s%s", gap,
                                     e->symbol[i] == PROOF_FAILS ? "(unreadable)" : "??");
    }
    if (shown == 0)
        snprintf(e->bytes, sizeof e->bytes, "(none)");
}

static bool same_cause(const struct proof_example *a, const struct proof_example *b)
{
    return a->cause == b->cause && strcmp(a->check, b->check) == 0 && strcmp(a->row, b->row) == 0 &&
           strcmp(a->expected, b->expected) == 0 && strcmp(a->actual, b->actual) == 0;
}

void example_add(struct proof_result *r, struct proof_example *e, const struct config *c, uint32_t config,
                 const uint16_t symbol[BYTES])
{
    struct proof_example *known = NULL;

    for (unsigned i = 0; i < r->nexamples && !known; i++)
        if (same_cause(&r->example[i], e))
            known = &r->example[i];
    if (!known && r->nexamples == PROOF_EXAMPLES) {
        r->more = true;
        return;
    }
    e->configurations = 1;
    e->last = config;
    if (known) {
        if (known->last != config)
            known->configurations++;
        known->last = config;
        if (!smaller(symbol, known->symbol))
            return;
        e->configurations = known->configurations;
    } else {
        known = &r->example[r->nexamples++];
    }
    memcpy(e->symbol, symbol, sizeof e->symbol);
    e->n = (uint8_t)length(symbol);
    e->bits = c->window.bits;
    spell(e);
    snprintf(e->configuration, sizeof e->configuration, "%s", c->words);
    *known = *e;
}

static bool is_rex(uint16_t symbol)
{
    return (symbol & 0xfff0) == 0x40;
}

/* The byte that a wrong answer is about. Ignored though it is no prefetch: the first byte that the rule did not let pass.
 * Not ignored though it is one: the last byte that the core looked at. */
static uint32_t rule_cause(const struct config *c, const uint16_t symbol[BYTES], bool got, unsigned last)
{
    enum fl_rule_state state = FL_RULE_PREFIXES, before = state;
    unsigned i;

    for (i = 0; i < BYTES && state != FL_RULE_NOT && state != FL_RULE_PREFETCH; i++) {
        if (symbol[i] >= PROOF_FAILS)
            return PROOF_FAILS;
        before = state;
        state = fl_prefetch_step(state, (uint8_t)symbol[i], c->window.bits);
        if (!got && i == last)
            break;
    }
    if (got)
        i--;
    if (i >= BYTES)
        return 1u << 16;
    /* Of all REX prefixes one speaks; the bytes that end the rule's scan well are one. */
    if (state == FL_RULE_PREFETCH || (!got && state == FL_RULE_ESCAPE))
        return 2u << 16 | (uint32_t)state;
    return (uint32_t)before << 20 | (is_rex(symbol[i]) ? 0x40u : symbol[i]);
}

struct run {
    struct fl_effects effects;
    const char *trespass;
    const char *other_op; /* the first op that a decoder has no business with */
    bool other_ctx, returned;
    unsigned lookups; /* in the LDT */
    bool other_entry; /* one of them, not of cs */
    unsigned last;    /* byte that the last probe was for, or BYTES */
};

static void run_ldt(struct prover *p, struct run *run)
{
    const struct config *c = &p->config;
    uint64_t index = switch_frame.argument[1] & UINT32_MAX;

    run->lookups++;
    run->other_entry |= !(c->fault.regs.cs & SELECTOR_TI) || index != c->fault.regs.cs >> SELECTOR_INDEX;
    if (index >= c->fault.task.ldt_entries) {
        run->effects.ldt_outside = true;
        machine_answer(&p->m, 0, 0);
    } else {
        machine_answer(&p->m, c->ldt[index], 0);
    }
}

static void run_probe(struct prover *p, struct string *s, struct run *run)
{
    struct fl_effects *e = &run->effects;
    uint64_t linear = switch_frame.argument[1];
    bool user = switch_frame.argument[2] & 0xff, answer;
    uint8_t byte = 0;

    if (e->probes < FL_EFFECTS_PROBES)
        e->probe_at[e->probes] = linear;
    e->probes++;
    e->probe_user |= user;
    e->probe_kernel |= !user;
    run->last = BYTES;
    for (unsigned i = 0; i < BYTES; i++)
        if (s->c->window.readable[i] && s->c->window.linear[i] == linear)
            run->last = i;
    answer = string_byte(s, linear, s->c->window.user, &byte);
    machine_answer(&p->m, answer, byte);
}

static void run_string(struct prover *p, struct string *s, struct run *run)
{
    *run = (struct run){.last = BYTES};
    machine_start(&p->m);
    for (;;) {
        run->trespass = machine_trespass(&p->m);
        run->returned = switch_frame.op == SWITCH_RETURNED;
        if (run->trespass || run->returned || run->effects.calls == MAX_CALLS || !switch_stack_known(&p->m.stack))
            return;
        run->effects.calls++;
        run->other_ctx |= switch_frame.argument[0] != (uintptr_t)p->m.given.ctx;
        if (switch_frame.op == SWITCH_OP(probe_byte)) {
            run_probe(p, s, run);
        } else if (switch_frame.op == SWITCH_OP(ldt)) {
            run_ldt(p, run);
        } else {
            if (!run->other_op)
                run->other_op = switch_op_name(switch_frame.op);
            machine_answer(&p->m, 0, 0);
        }
    }
}

#    define CONTRACT(d, row, expected, actual, ...)                                                                    \
        (fl_divergence_set(d, FL_CHECK_CONTRACT, row, expected, actual, __VA_ARGS__), true)

/* Contracts that the comparer does not know of, since the fuzzer cannot see them. */
static bool contract_broken(struct prover *p, const struct run *run, struct fl_divergence *d)
{
    uint8_t ignore;
    char line[200];

    if (run->trespass)
        return CONTRACT(d, "memory", "unchanged", "written", "the core wrote to %s, which is its caller's",
                        run->trespass);
    if (run->other_ctx)
        return CONTRACT(d, "ctx", "passed-through", "changed", "an op was called with another ctx than the core's");
    if (run->other_op)
        return CONTRACT(d, "prefetch", "probes-only", "other-op",
                        "the core called %s; a decoder calls probe_byte, and ldt once", run->other_op);
    if (run->lookups > 1 || (run->other_entry && !run->effects.ldt_outside))
        return CONTRACT(d, "ldt", "entry-of-cs", run->lookups > 1 ? "again" : "other-entry",
                        "ldt was called %u times; once is allowed, for the entry that cs names", run->lookups);
    if (!run->returned)
        return false;
    if (switch_frame.answer != FL_OK)
        return CONTRACT(d, "status", "ok", "status", "core->prefetch answered status %d",
                        (int)(uint32_t)switch_frame.answer);
    ignore = *(volatile uint8_t *)p->m.stack.ignore;
    if (ignore > 1)
        return CONTRACT(d, "answer", "written", "not-written", "*ignore holds %#x, which is no bool", ignore);
    if (switch_top_broken(&p->m.stack))
        return CONTRACT(d, "memory", "unchanged", "written", "the core wrote beside *ignore");
    if (machine_kept(&p->m, line))
        return CONTRACT(d, "state", "none-kept", "kept", "the core keeps memory between calls: %s", line);
    return false;
}

bool string_judge(struct prover *p, const uint16_t symbol[BYTES])
{
    struct string s = {.c = &p->config, .symbol = symbol};
    struct fl_snapshot snapshot = p->config.snapshot;
    struct fl_divergence d;
    struct proof_example e = {0};
    struct run run;
    uint8_t ignore;
    bool want = false, got, wrong;

    note_string(p, symbol);
    run_string(p, &s, &run);
    snapshot.byte = string_byte;
    snapshot.ctx = &s;
    wrong = contract_broken(p, &run, &d);
    if (!wrong) {
        /* A core that was not asked to the end has no answer to compare. */
        if (fl_policy_prefetch(&snapshot, &want) != FL_OK)
            return false;
        ignore = *(volatile uint8_t *)p->m.stack.ignore;
        got = run.returned ? ignore : want;
        wrong = fl_compare_prefetch(&snapshot, want, got, &run.effects, &d);
        if (wrong && d.check == FL_CHECK_PREFETCH)
            e.cause = rule_cause(&p->config, symbol, got, run.last);
    }
    if (!wrong)
        return false;
    e.check = fl_check_name((enum fl_check)d.check);
    e.row = d.row;
    snprintf(e.expected, sizeof e.expected, "%s", d.expected);
    snprintf(e.actual, sizeof e.actual, "%s", d.actual);
    snprintf(e.detail, sizeof e.detail, "%s", d.detail);
    p->found = true;
    example_add(&p->shared->result, &e, &p->config, p->index, symbol);
    return true;
}

#endif /* __x86_64__ */
