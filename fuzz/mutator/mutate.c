/* SPDX-License-Identifier: MIT */
/* Choosing what to do, and the operators that move whole records. */
#include "mutator.h"

#include <string.h>

#include "../scenario/codec.h"

/* Records that an idiom needs to be one: a mapping, an access and something between them. */
#define IDIOM_ROOM 3

/* ---- records in place ------------------------------------------------------------------------------------------- */

static uint8_t *record_at(const struct fl_mutation *m, uint32_t i)
{
    return m->records + (size_t)i * FL_RECORD_BYTES;
}

void fl_record_load(const struct fl_mutation *m, uint32_t i, struct fl_record *r)
{
    fl_record_decode(record_at(m, i), m->machine.mode, r);
}

void fl_record_store(struct fl_mutation *m, uint32_t i, const struct fl_record *r)
{
    struct fl_record canonical;

    fl_record_encode(r, m->machine.mode, record_at(m, i));
    fl_record_decode(record_at(m, i), m->machine.mode, &canonical);
    fl_record_encode(&canonical, m->machine.mode, record_at(m, i));
}

static void recode(struct fl_mutation *m, uint32_t i)
{
    struct fl_record r;

    fl_record_load(m, i, &r);
    fl_record_encode(&r, m->machine.mode, record_at(m, i));
}

/* Makes room for count records in front of record at. Answers false when there is none. */
static bool open_gap(struct fl_mutation *m, uint32_t at, uint32_t count)
{
    if (m->max - m->n < count)
        return false;
    memmove(record_at(m, at + count), record_at(m, at), (size_t)(m->n - at) * FL_RECORD_BYTES);
    m->n += count;
    return true;
}

void fl_records_insert(struct fl_mutation *m, uint32_t at, const struct fl_record *r, uint32_t count)
{
    if (count > m->max)
        count = m->max;
    if (!open_gap(m, at, count)) {
        if (m->n < count)
            m->n = count;
        if (at + count > m->n)
            at = m->n - count;
    }
    for (uint32_t i = 0; i < count; i++)
        fl_record_store(m, at + i, &r[i]);
}

static void delete_records(struct fl_mutation *m)
{
    uint32_t count = 1, at;

    /* A long trace loses more at once: shorter ones run faster and say more. */
    if (fl_one_in(m, 4))
        count += fl_below(m, m->n > 32 ? m->n / 4 : 4);
    if (count > m->n)
        count = m->n;
    at = fl_below(m, m->n - count + 1);
    memmove(record_at(m, at), record_at(m, at + count), (size_t)(m->n - at - count) * FL_RECORD_BYTES);
    m->n -= count;
}

static void swap_records(struct fl_mutation *m)
{
    uint8_t hold[FL_RECORD_BYTES];
    uint32_t a = fl_below(m, m->n);
    /* Neighbours as often as not: their order is what matters most. */
    uint32_t b = fl_one_in(m, 2) ? (a + 1) % m->n : fl_below(m, m->n);

    memcpy(hold, record_at(m, a), sizeof(hold));
    memmove(record_at(m, a), record_at(m, b), sizeof(hold));
    memcpy(record_at(m, b), hold, sizeof(hold));
}

/* ---- operators -------------------------------------------------------------------------------------------------- */

static void change_field(struct fl_mutation *m)
{
    uint32_t i = fl_below(m, m->n);
    struct fl_record r;

    fl_record_load(m, i, &r);
    fl_record_change_field(m, &r);
    fl_record_store(m, i, &r);
}

static void change_bytes(struct fl_mutation *m)
{
    uint32_t i = fl_below(m, m->n), count = 1 + fl_below(m, 3);

    while (count--) {
        uint64_t r = fl_draw(m);
        uint8_t *byte = record_at(m, i) + (r & (FL_RECORD_BYTES - 1));

        *byte = r & 0x100 ? (uint8_t)(r >> 16) : (uint8_t)(*byte ^ 1u << (r >> 16 & 7));
    }
    recode(m, i);
}

static void insert_random(struct fl_mutation *m)
{
    struct fl_record r;
    uint32_t at = fl_below(m, m->n + 1);

    fl_record_random(m, fl_kind_for_target(m), &r);
    fl_records_insert(m, at, &r, 1);
}

void fl_mutation_set_mode(struct fl_mutation *m, enum fl_mode mode, bool sh4)
{
    struct fl_machine *c = &m->machine;
    const unsigned number = fl_generation_number((enum fl_mode)c->mode, c->sh4, c->generation);
    const bool wide = is_ia32e(mode);

    if (wide != is_ia32e(c->mode))
        c->idt = wide ? 0 : FL_IDT;
    c->mode = (uint8_t)mode;
    c->sh4 = sh4;
    c->code_bits = fl_value_bits(m);
    c->generation = fl_generation_at(mode, sh4, number);
    c->vmalloc_start = c->vmalloc_end = 0;
    fl_machine_canonical(c);
    m->machine_changed = true;
    m->ops |= 1u << FL_OP_MODE;
    for (uint32_t i = 0; i < m->n; i++)
        recode(m, i);
}

static void change_mode(struct fl_mutation *m)
{
    const bool may_be_sh4 = m->target == FL_TARGET_VMALLOC || m->target >= FL_TARGET_ALL;

    if (may_be_sh4 && fl_one_in(m, 8))
        fl_mutation_set_mode(m, FL_MODE_2LEVEL, !m->machine.sh4);
    else
        fl_mutation_set_mode(m, (enum fl_mode)((m->machine.mode + 1 + fl_below(m, FL_MODE_COUNT - 1)) % FL_MODE_COUNT),
                             false);
}

bool fl_want_wide(struct fl_mutation *m, bool wide)
{
    if (fl_is_ia32e(m) == wide && !m->machine.sh4)
        return true;
    if (m->n != 0 && !fl_one_in(m, 4))
        return false;
    fl_mutation_set_mode(m, (enum fl_mode)((wide ? FL_MODE_4LEVEL : FL_MODE_2LEVEL) + fl_below(m, 2)), false);
    return true;
}

bool fl_want_sh4(struct fl_mutation *m)
{
    if (!m->machine.sh4 && (m->n == 0 || fl_one_in(m, 4)))
        fl_mutation_set_mode(m, FL_MODE_2LEVEL, true);
    return m->machine.sh4;
}

struct fl_record *fl_idiom_add(struct fl_idiom_out *out, enum fl_record_kind kind)
{
    struct fl_record *r = &out->r[out->n < FL_IDIOM_MAX_RECORDS ? out->n++ : FL_IDIOM_MAX_RECORDS - 1];

    memset(r, 0, sizeof(*r));
    r->kind = (uint8_t)kind;
    return r;
}

static enum fl_idiom choose_idiom(struct fl_mutation *m, enum fl_target target)
{
    static const enum fl_idiom walk[] = {FL_IDIOM_WALK, FL_IDIOM_WALK, FL_IDIOM_TWINS};
    static const enum fl_idiom fault[] = {
        FL_IDIOM_EXEC,     FL_IDIOM_EXEC,     FL_IDIOM_EXEC,  FL_IDIOM_EXEC,     FL_IDIOM_KERNEL,  FL_IDIOM_FETCH,
        FL_IDIOM_RAW,      FL_IDIOM_RAW,      FL_IDIOM_STACK, FL_IDIOM_STACK,    FL_IDIOM_FIXUP,   FL_IDIOM_CHANGE,
        FL_IDIOM_INJECT,   FL_IDIOM_RETRY,    FL_IDIOM_RETRY, FL_IDIOM_STARVED,  FL_IDIOM_POISON,  FL_IDIOM_EARLY,
        FL_IDIOM_EARLY,    FL_IDIOM_HIGH,     FL_IDIOM_HIGH,  FL_IDIOM_SPURIOUS, FL_IDIOM_ERRATUM, FL_IDIOM_ERRATUM,
        FL_IDIOM_VSYSCALL, FL_IDIOM_VSYSCALL, FL_IDIOM_VM86,  FL_IDIOM_SEGMENT,  FL_IDIOM_REPORT,  FL_IDIOM_REPORT,
        FL_IDIOM_KPROBE,   FL_IDIOM_STEP};
    static const enum fl_idiom prefetch[] = {FL_IDIOM_RUN, FL_IDIOM_RUN, FL_IDIOM_NEAR, FL_IDIOM_CUT, FL_IDIOM_EDGE_IP};
    static const enum fl_idiom vmalloc[] = {
        FL_IDIOM_LATE,   FL_IDIOM_LATE, FL_IDIOM_LARGE, FL_IDIOM_LAG,  FL_IDIOM_REMAP, FL_IDIOM_STALE, FL_IDIOM_STALE,
        FL_IDIOM_LIMITS, FL_IDIOM_SYNC, FL_IDIOM_SYNC,  FL_IDIOM_LOST, FL_IDIOM_LOST,  FL_IDIOM_P3,    FL_IDIOM_P3};

    static const enum fl_idiom gup[] = {
        FL_IDIOM_PIN_PLAIN, FL_IDIOM_PIN_PLAIN,    FL_IDIOM_PIN_FORCED, FL_IDIOM_PIN_FORCED, FL_IDIOM_PIN_FORKED,
        FL_IDIOM_PIN_HUGE,  FL_IDIOM_PIN_HUGE,     FL_IDIOM_PIN_FAST,   FL_IDIOM_PIN_FAST,   FL_IDIOM_PIN_AWAY,
        FL_IDIOM_PIN_AWAY,  FL_IDIOM_PIN_ANSWERED, FL_IDIOM_PIN_EDGES};

    switch (target) {
    case FL_TARGET_WALK: return FL_PICK(m, walk);
    case FL_TARGET_FAULT: return FL_PICK(m, fault);
    case FL_TARGET_PREFETCH: return FL_PICK(m, prefetch);
    case FL_TARGET_GUP: return FL_PICK(m, gup);
    default: return FL_PICK(m, vmalloc);
    }
}

static void insert_idiom(struct fl_mutation *m)
{
    enum fl_target target = m->target;
    struct fl_idiom_out out;
    enum fl_idiom idiom;
    uint32_t at;

    if (target >= FL_TARGET_ALL)
        target = (enum fl_target)fl_below(m, FL_TARGET_ALL);
    /* Now and then alone: in a long trace something has often ended the task before. */
    if (fl_one_in(m, 8))
        m->n = 0;
    /* Behind everything as often as not: it then finds the world that the trace has made. */
    at = fl_one_in(m, 2) ? m->n : fl_below(m, m->n + 1);
    out.n = 0;
    idiom = choose_idiom(m, target);
    if (target == FL_TARGET_WALK)
        fl_idiom_walk(m, idiom, &out);
    else if (target == FL_TARGET_PREFETCH)
        fl_idiom_prefetch(m, idiom, &out);
    else if (target == FL_TARGET_VMALLOC)
        fl_idiom_vmalloc(m, idiom, &out);
    else if (target == FL_TARGET_GUP)
        fl_idiom_pin(m, idiom, &out);
    else if (idiom <= FL_IDIOM_FETCH)
        fl_idiom_exec(m, idiom, &out);
    else if (idiom <= FL_IDIOM_POISON)
        fl_idiom_fault(m, idiom, &out);
    else
        fl_idiom_kernel(m, idiom, &out);
    if (idiom == FL_IDIOM_INJECT) {
        /* In front of an event that is there, when one turns up. */
        for (uint32_t i = 0, i0 = at; i < m->n && i < 16; i++) {
            uint32_t event = (i0 + i) % m->n;

            if (fl_record_is_event((enum fl_record_kind)(record_at(m, event)[0] % FL_REC_COUNT))) {
                at = event;
                out.n = 1;
                break;
            }
        }
    }
    m->idioms |= UINT64_C(1) << idiom;
    fl_records_insert(m, at, out.r, out.n);
}

static void apply(struct fl_mutation *m, enum fl_mutation_op op)
{
    /* Without a record there is nothing to change; without two, nothing to swap. */
    if (m->max == 0)
        op = op == FL_OP_MODE ? FL_OP_MODE : FL_OP_MACHINE;
    else if (m->n == 0 && op != FL_OP_MACHINE && op != FL_OP_MODE && op != FL_OP_INSERT)
        op = FL_OP_IDIOM;
    /* Without room for what belongs together, its first record says less than any other. */
    if (op == FL_OP_IDIOM && m->max < IDIOM_ROOM)
        op = FL_OP_INSERT;
    if (op > FL_OP_IDIOM && !fl_trace_pin(m, op))
        op = m->max < IDIOM_ROOM ? FL_OP_INSERT : FL_OP_IDIOM;
    m->ops |= 1u << op;
    switch (op) {
    case FL_OP_FIELD: change_field(m); break;
    case FL_OP_BYTES: change_bytes(m); break;
    case FL_OP_INSERT: insert_random(m); break;
    case FL_OP_DELETE: delete_records(m); break;
    case FL_OP_DUPLICATE: {
        uint32_t i = fl_below(m, m->n);

        if (open_gap(m, i, 1))
            memcpy(record_at(m, i), record_at(m, i + 1), FL_RECORD_BYTES);
        break;
    }
    case FL_OP_COPY: {
        uint32_t to = fl_below(m, m->n), from = fl_below(m, m->n);

        memmove(record_at(m, to), record_at(m, from), FL_RECORD_BYTES);
        break;
    }
    case FL_OP_SWAP: swap_records(m); break;
    case FL_OP_MACHINE: fl_machine_change_field(m); break;
    case FL_OP_MODE: change_mode(m); break;
    case FL_OP_IDIOM: insert_idiom(m); break;
    default: break;
    }
}

static enum fl_mutation_op choose(struct fl_mutation *m)
{
    /* In 64ths. Deleting and inserting keep traces of a handful of records in balance; see the test's figures. */
    static const uint8_t weight[FL_OP_IDIOM + 1] = {
        [FL_OP_FIELD] = 26, [FL_OP_BYTES] = 4, [FL_OP_INSERT] = 5,  [FL_OP_DELETE] = 10, [FL_OP_DUPLICATE] = 2,
        [FL_OP_COPY] = 1,   [FL_OP_SWAP] = 3,  [FL_OP_MACHINE] = 5, [FL_OP_MODE] = 1,    [FL_OP_IDIOM] = 7,
    };
    static const enum fl_mutation_op pins[] = {
        FL_OP_PIN_SWAP,       FL_OP_PIN_SWAP, FL_OP_PIN_MOVE_RACE, FL_OP_PIN_MOVE_RACE, FL_OP_PIN_TURN,  FL_OP_PIN_TURN,
        FL_OP_PIN_CHANGE_ACT, FL_OP_PIN_AIM,  FL_OP_PIN_AIM,       FL_OP_PIN_DUPLICATE, FL_OP_PIN_SPLICE};
    uint32_t r = fl_below(m, 64);

    /* What a trace of pinning does is in the order and the aims of its records. */
    if ((m->target == FL_TARGET_GUP && fl_one_in(m, 3)) || (m->target >= FL_TARGET_ALL && fl_one_in(m, 16)))
        return FL_PICK(m, pins);
    /* A long trace only gets shorter or changes. */
    if (m->n > 32 && fl_one_in(m, 6))
        return FL_OP_DELETE;
    for (unsigned op = 0; op <= FL_OP_IDIOM; op++) {
        if (r < weight[op])
            return (enum fl_mutation_op)op;
        r -= weight[op];
    }
    return FL_OP_FIELD;
}

/* ---- entry ------------------------------------------------------------------------------------------------------ */

static void load_machine(const uint8_t *data, size_t size, struct fl_machine *machine)
{
    struct fl_scenario s; /* decoding touches the machine only */

    fl_scenario_decode(data, size < FL_MACHINE_BYTES ? size : FL_MACHINE_BYTES, &s);
    *machine = s.machine;
}

static void store_machine(const struct fl_machine *machine, uint8_t *data)
{
    struct fl_scenario s;

    s.machine = *machine;
    s.nrecords = 0;
    fl_scenario_encode(&s, data, FL_MACHINE_BYTES);
}

size_t fl_mutate_traced(uint8_t *data, size_t size, size_t max_size, uint32_t seed, enum fl_target target,
                        uint32_t *ops, uint64_t *idioms)
{
    struct fl_mutation m = {.rng = (uint64_t)seed << 32 | size, .target = target};
    uint8_t small[FL_MACHINE_BYTES];
    size_t rest;

    if (max_size > FL_SCENARIO_MAX_BYTES)
        max_size = FL_SCENARIO_MAX_BYTES;
    if (size > max_size)
        size = max_size;
    load_machine(data, size, &m.machine);
    if (max_size < FL_MACHINE_BYTES) {
        fl_machine_change_field(&m);
        store_machine(&m.machine, small);
        if (max_size)
            memcpy(data, small, max_size);
        *ops = 1u << FL_OP_MACHINE;
        *idioms = 0;
        return max_size;
    }
    if (size < FL_MACHINE_BYTES)
        store_machine(&m.machine, data);
    m.records = data + FL_MACHINE_BYTES;
    m.max = (uint32_t)((max_size - FL_MACHINE_BYTES) / FL_RECORD_BYTES);
    if (size > FL_MACHINE_BYTES) {
        m.n = (uint32_t)((size - FL_MACHINE_BYTES) / FL_RECORD_BYTES);
        rest = (size - FL_MACHINE_BYTES) % FL_RECORD_BYTES;
        if (rest && m.n < m.max) {
            memset(record_at(&m, m.n) + rest, 0, FL_RECORD_BYTES - rest);
            recode(&m, m.n++);
        }
    }
    /* Nothing of an SH4 is judged there. */
    if (m.machine.sh4 && target != FL_TARGET_VMALLOC && target < FL_TARGET_ALL)
        fl_mutation_set_mode(&m, FL_MODE_2LEVEL, false);
    do
        apply(&m, choose(&m));
    while (fl_one_in(&m, 3));
    /* A trace without records tests nothing. */
    if (m.n == 0)
        apply(&m, FL_OP_IDIOM);
    if (m.machine_changed)
        store_machine(&m.machine, data);
    *ops = m.ops;
    *idioms = m.idioms;
    return FL_MACHINE_BYTES + (size_t)m.n * FL_RECORD_BYTES;
}

size_t fl_mutate(uint8_t *data, size_t size, size_t max_size, uint32_t seed, enum fl_target target)
{
    uint32_t ops;
    uint64_t idioms;

    return fl_mutate_traced(data, size, max_size, seed, target, &ops, &idioms);
}
