/* SPDX-License-Identifier: MIT */
/* The model has no memory but its state, and no clock: begin() leaves nothing of the scenario before, a copy goes on as the
 * original does, and the same records make the same calls. Over random traces. */
#include "run.h"
#include "world.h"

#include <faultline/fuzz/mutate.h>

#define TRACES 400u

/* ---- all that makes a state ------------------------------------------------------------------------------------------- */

static const char *differs(const struct fl_pin_world *a, const struct fl_pin_world *b)
{
#define SAME(member)                                                                                                   \
    if (memcmp(&a->member, &b->member, sizeof a->member) != 0)                                                         \
    return #member
    if (memcmp(a->ram, b->ram, (size_t)TABLES * PAGE_SIZE) != 0)
        return "ram";
    SAME(table_level);
    SAME(next_table);
    for (uint32_t i = 0; i < RECORDS; i++)
        if (a->pg[i].kind != b->pg[i].kind || a->pg[i].count != b->pg[i].count || a->pg[i].maps != b->pg[i].maps ||
            a->pg[i].tail != b->pg[i].tail || a->pg[i].pins != b->pg[i].pins || a->pg[i].head != b->pg[i].head ||
            a->pg[i].data != b->pg[i].data || a->pg[i].cached != b->pg[i].cached || a->pg[i].file != b->pg[i].file ||
            a->pg[i].index != b->pg[i].index || a->pg[i].exclusive != b->pg[i].exclusive ||
            a->pg[i].dirty != b->pg[i].dirty || a->pg[i].accessed != b->pg[i].accessed ||
            a->pg[i].moving != b->pg[i].moving || a->pg[i].poisoned != b->pg[i].poisoned ||
            a->pg[i].order != b->pg[i].order || a->pg[i].locked != b->pg[i].locked ||
            a->pg[i].mlocked != b->pg[i].mlocked || a->pg[i].others != b->pg[i].others ||
            a->pg[i].touched != b->pg[i].touched || a->pg[i].pfn != b->pg[i].pfn)
            return "pg";
    SAME(ntouched);
    SAME(small_next);
    SAME(small_free);
    SAME(huge_next);
    SAME(giants);
    SAME(giant_records);
    SAME(nslots);
    for (unsigned i = 0; i < a->nslots; i++)
        if (a->slots[i].data != b->slots[i].data || a->slots[i].uses != b->slots[i].uses)
            return "slots";
    for (unsigned mm = 0; mm < 2; mm++) {
        if (a->mm[mm].exists != b->mm[mm].exists || a->mm[mm].nareas != b->mm[mm].nareas ||
            (a->mm[mm].exists && a->mm[mm].root != b->mm[mm].root))
            return "mm";
        for (unsigned i = 0; i < a->mm[mm].nareas; i++)
            if (memcmp(&a->mm[mm].areas[i].vma, &b->mm[mm].areas[i].vma, sizeof a->mm[mm].areas[i].vma) != 0 ||
                a->mm[mm].areas[i].kind != b->mm[mm].areas[i].kind ||
                a->mm[mm].areas[i].pgoff != b->mm[mm].areas[i].pgoff ||
                a->mm[mm].areas[i].file != b->mm[mm].areas[i].file ||
                a->mm[mm].areas[i].file_pages != b->mm[mm].areas[i].file_pages ||
                a->mm[mm].areas[i].huge != b->mm[mm].areas[i].huge)
                return "areas";
    }
    SAME(generation);
    SAME(file_pages);
    SAME(pv);
    SAME(saturated);
    SAME(gate);
    SAME(device_gone);
    SAME(killed);
    SAME(killed_other);
    SAME(next_value);
    SAME(npins);
    for (unsigned i = 0; i < a->npins; i++)
        if (a->pins[i].va != b->pins[i].va || a->pins[i].pfn != b->pins[i].pfn ||
            a->pins[i].write != b->pins[i].write || a->pins[i].coherent != b->pins[i].coherent ||
            a->pins[i].shared_write != b->pins[i].shared_write)
            return "pins";
    SAME(nraces);
    SAME(nanswers);
    SAME(locks);
    SAME(in_event);
    return NULL;
}

/* ---- traces ------------------------------------------------------------------------------------------------------------ */

static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
static struct fl_scenario traces[TRACES];
static uint64_t calls;

static void make_traces(void)
{
    size_t size = 0;

    for (unsigned i = 0; i < TRACES; i++) {
        size = fl_mutate(bytes, i % 40 ? size : 0, sizeof bytes, i * 7919 + 5, FL_TARGET_GUP);
        fl_scenario_decode(bytes, size, &traces[i]);
    }
}

/* What a record came to, as one number: every call of an op, every page, every view. */
static uint64_t one(struct fl_pin_world *w, const struct fl_record *r)
{
    static struct fl_pin_seen seen;
    const struct fl_pin_op_call *log;
    struct fl_pin_call call;
    struct fl_pinned out;
    uint64_t sum = 0;
    unsigned n;

    if (r->kind != FL_REC_PIN)
        return (uint64_t)fl_pin_world_apply(w, r);
    if (!run_fits(r))
        return 0;
    run_call(w, r, &out, &call, &seen);
    calls++;
    n = fl_pin_world_calls(w, &log);
#define ADD(value) sum = (sum ^ (uint64_t)(value)) * UINT64_C(0x9e3779b97f4a7c15), sum ^= sum >> 29
    ADD(n), ADD(out.pages), ADD(out.error), ADD(out.lock_held), ADD(seen.ninstants), ADD(seen.fatal), ADD(call.quiet);
    for (unsigned i = 0; i < n; i++)
        ADD(log[i].op), ADD(log[i].nth), ADD(log[i].locks), ADD(log[i].object), ADD(log[i].answer), ADD(log[i].acted);
    for (unsigned i = 0; i < FL_PIN_PAGES; i++)
        ADD(seen.pfn[i]), ADD(seen.refs[i]), ADD(seen.tail_refs[i]);
    for (unsigned t = 0; t < seen.ninstants; t++)
        for (unsigned i = 0; i < FL_PIN_PAGES && (int64_t)i < call.n; i++)
            ADD(seen.view[t][i].pfn), ADD(seen.view[t][i].mapped), ADD(seen.view[t][i].read.kind),
                ADD(seen.view[t][i].write.kind), ADD(seen.view[t][i].exclusive);
    return sum;
}

static void run(struct fl_pin_world *w, const struct fl_scenario *s)
{
    fl_pin_world_begin(w, &s->machine);
    for (unsigned i = 0; i < s->nrecords; i++)
        one(w, &s->records[i]);
}

static void same(const struct fl_pin_world *a, const struct fl_pin_world *b, const char *what, unsigned i, unsigned k)
{
    const char *member = differs(a, b);

    CHECK(member == NULL, "%s, trace %u, %u: %s differs", what, i, k, member);
}

/* ---- tests ------------------------------------------------------------------------------------------------------------- */

static void test_begin(struct fl_pin_world *used)
{
    const struct fl_pin_op_call *log;

    for (unsigned i = 0; i + 1 < TRACES; i++) {
        struct fl_pin_world *fresh;

        if (i % 4 == 0) {
            if (fl_pin_world_open(&fresh) != FL_OK)
                exit(1);
            run(fresh, &traces[i]);
        }
        run(used, &traces[TRACES - 1 - i]);
        run(used, &traces[i]);
        if (i % 4 == 0) {
            same(used, fresh, "after another scenario", i, 0);
            fl_pin_world_begin(used, &traces[i].machine);
            fl_pin_world_begin(fresh, &traces[i].machine);
            same(used, fresh, "begun anew", i, 0);
            CHECK_EQ(fl_pin_world_calls(used, &log), 0, "the call log of another scenario is gone");
            fl_pin_world_close(fresh);
        }
    }
}

static void test_twice(struct fl_pin_world *a, struct fl_pin_world *b)
{
    for (unsigned i = 0; i < TRACES; i++) {
        fl_pin_world_begin(a, &traces[i].machine);
        fl_pin_world_begin(b, &traces[i].machine);
        for (unsigned k = 0; k < traces[i].nrecords; k++)
            CHECK_EQ(one(a, &traces[i].records[k]), one(b, &traces[i].records[k]), "trace %u, record %u", i, k);
        same(a, b, "twice", i, 0);
    }
}

/* A copy is equal, goes on alike, and what becomes of it is no affair of the original. */
static void test_copy(struct fl_pin_world *a, struct fl_pin_world *b)
{
    struct fl_pin_world *c;

    if (fl_pin_world_open(&c) != FL_OK)
        exit(1);
    for (unsigned i = 0; i < TRACES; i++) {
        const struct fl_scenario *s = &traces[i];
        unsigned half = s->nrecords / 2;

        run(b, &traces[(i * 31 + 7) % TRACES]); /* there was something else in it */
        fl_pin_world_begin(a, &s->machine);
        for (unsigned k = 0; k < half; k++)
            one(a, &s->records[k]);
        fl_pin_world_copy(b, a);
        same(a, b, "copied", i, half);
        fl_pin_world_copy(c, a);
        for (unsigned k = half; k < s->nrecords; k++)
            one(b, &s->records[k]);
        same(a, c, "the original while its copy goes on", i, half);
        for (unsigned k = half; k < s->nrecords; k++)
            one(a, &s->records[k]);
        same(a, b, "gone on", i, half);
        world_sound(a, "gone on");
        world_sound(b, "the copy");
    }
    fl_pin_world_close(c);
}

int main(void)
{
    struct fl_pin_world *a, *b;

    if (fl_pin_world_open(&a) != FL_OK || fl_pin_world_open(&b) != FL_OK)
        return 1;
    make_traces();
    test_begin(a);
    test_twice(a, b);
    test_copy(a, b);
    CHECK(calls > 2000, "%" PRIu64 " calls", calls);
    fl_pin_world_close(a);
    fl_pin_world_close(b);
    return check_done("pin-world-replay");
}
