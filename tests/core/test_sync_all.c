/* SPDX-License-Identifier: MIT */
/* sync_all: what all generations share and differ in over one slot, and the whole of the current one. */
#include "pgd_list.h"

/* ---- all generations ---- */

static const struct generation {
    uint8_t mode, generation;
    const char *copies; /* of three tables: what is written */
    bool irqsave;
} generations[] = {
    {FL_MODE_2LEVEL, FL_GEN_CURRENT, "PPPF", false},  {FL_MODE_PAE, FL_GEN_CURRENT, "PPPF", false},
    {FL_MODE_4LEVEL, FL_GEN_CURRENT, "GGGF", false},  {FL_MODE_5LEVEL, FL_GEN_CURRENT, "GGGF", false},
    {FL_MODE_2LEVEL, FL_GEN_2008_32, "PFPFPF", true}, {FL_MODE_PAE, FL_GEN_2008_32, "PFPFPF", true},
    {FL_MODE_4LEVEL, FL_GEN_2008_64, "GGG", false},   {FL_MODE_2LEVEL, FL_GEN_2016, "PPP", false},
    {FL_MODE_PAE, FL_GEN_2016, "PPP", false},         {FL_MODE_4LEVEL, FL_GEN_2016, "GGG", false},
};

#define EACH_GENERATION(g)                                                                                             \
    for (const struct generation *g = generations; g < generations + sizeof generations / sizeof *generations; g++)

static void test_copies(void)
{
    EACH_GENERATION(g)
    for (unsigned tables = 0; tables <= 3; tables++) {
        struct all a = narrow(g->mode, g->generation);
        uint64_t roots[] = {CR3, MM, ACTIVE};

        a.s.k.npgds = tables;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u generation %u", g->mode, g->generation);
        CHECK_EQ(a.s.k.nwrites, tables, "mode %u generation %u", g->mode, g->generation);
        CHECK_EQ(a.s.k.pgd_irqsave, g->irqsave, "mode %u generation %u", g->mode, g->generation);
        if (tables == 3)
            CHECK(!strcmp(deeds(&a.s), g->copies), "mode %u generation %u: %s", g->mode, g->generation, deeds(&a.s));
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(slot(&a.s, roots[i]), i < tables ? ref(&a.s, private_level(&a.s)) : 0, "mode %u generation %u",
                     g->mode, g->generation);
        for (unsigned i = 0; i < tables; i++) {
            CHECK_EQ(a.s.k.write[i].how, g->mode <= FL_MODE_PAE ? FL_SET_PMD : FL_SET_PGD, "mode %u", g->mode);
            CHECK_EQ(a.s.k.write[i].size, g->mode == FL_MODE_2LEVEL ? 4 : 8, "mode %u", g->mode);
        }
        /* Once more: nothing to do, so nothing is flushed. */
        fake_forget(&a.s.k);
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u generation %u", g->mode, g->generation);
        CHECK_EQ(a.s.k.nwrites + a.s.k.nflushes, 0, "mode %u generation %u", g->mode, g->generation);
    }
}

/* The whole order of calls for one slot and three tables. */
static void test_order(void)
{
    static const struct {
        uint8_t mode, generation;
        const char *trace;
    } cases[] = {
        {FL_MODE_2LEVEL, FL_GEN_CURRENT, "r(nrPnrPnrPn)F"},
        {FL_MODE_PAE, FL_GEN_CURRENT, "rr(nrrPnrrPnrrPn)F"},
        {FL_MODE_4LEVEL, FL_GEN_CURRENT, "r(nrGnrGnrGn)F"},
        {FL_MODE_5LEVEL, FL_GEN_CURRENT, "r(nrGnrGnrGn)F"},
        {FL_MODE_2LEVEL, FL_GEN_2016, "(nrrPnrrPnrrPn)"},
        {FL_MODE_PAE, FL_GEN_2016, "(nrrrrPnrrrrPnrrrrPn)"},
        {FL_MODE_4LEVEL, FL_GEN_2016, "r(nrGnrGnrGn)"},
        {FL_MODE_4LEVEL, FL_GEN_2008_64, "r(nrGnrGnrGn)"},
        {FL_MODE_PAE, FL_GEN_2008_32, "(nrrrrPFnrrrrPFnrrrrPFn)"},
        {FL_MODE_2LEVEL, FL_GEN_2014_NATIVE, ""},
        {FL_MODE_PAE, FL_GEN_2014_PV32, ""},
        {FL_MODE_4LEVEL, FL_GEN_2014_PV64, ""},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct all a = narrow(cases[i].mode, cases[i].generation);

        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "case %u", i);
        CHECK(!strcmp(a.s.k.trace, cases[i].trace), "case %u: %s", i, a.s.k.trace);
    }
}

static void test_shared(void)
{
    EACH_GENERATION(g)
    {
        struct all a = narrow(g->mode, g->generation);
        bool looks_at_it = g->mode <= FL_MODE_PAE || g->generation == FL_GEN_CURRENT;

        a.s.f.kernel.shared_kernel_pmd = true;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u generation %u", g->mode, g->generation);
        CHECK_EQ(a.s.k.ntrace == 0, looks_at_it, "mode %u generation %u: %s", g->mode, g->generation, a.s.k.trace);
    }
}

/* Another frame in the second table: an assertion of the old ones, an entry to write for the current one. */
static void test_other_frame(void)
{
    EACH_GENERATION(g)
    {
        struct all a = narrow(g->mode, g->generation);
        bool current = g->generation == FL_GEN_CURRENT;

        set_slot(&a.s, MM, 0x900000 | TABLE);
        CHECK_EQ(sync_all(&a), current ? FL_SYNC_HANDLED : FL_SYNC_BUG, "mode %u generation %u", g->mode,
                 g->generation);
        CHECK_EQ(slot(&a.s, MM), current ? ref(&a.s, private_level(&a.s)) : 0x900000 | TABLE, "mode %u", g->mode);
        CHECK_EQ(slot(&a.s, CR3), ref(&a.s, private_level(&a.s)), "mode %u", g->mode);
        CHECK_EQ(slot(&a.s, ACTIVE), current ? ref(&a.s, private_level(&a.s)) : 0, "mode %u", g->mode);
        CHECK_EQ(a.s.k.trace[a.s.k.ntrace - 1], current ? 'F' : ')', "mode %u: %s", g->mode, a.s.k.trace);

        /* The same frame with other rights is all the same to the old ones. */
        a = narrow(g->mode, g->generation);
        set_slot(&a.s, MM, ref(&a.s, private_level(&a.s)) & ~(uint64_t)RW);
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u generation %u", g->mode, g->generation);
        CHECK_EQ(a.s.k.nwrites, current ? 3 : 2, "mode %u generation %u", g->mode, g->generation);
    }
}

static void test_no_memory(void)
{
    EACH_GENERATION(g)
    {
        struct all plain = narrow(g->mode, g->generation);
        unsigned reads;

        sync_all(&plain);
        reads = plain.s.k.reads;
        CHECK(reads >= 4, "mode %u", g->mode);
        for (unsigned i = 0; i < reads; i++) {
            struct all a = narrow(g->mode, g->generation);

            a.s.fail_read = i;
            CHECK_EQ(sync_all(&a), FL_SYNC_WILD, "mode %u generation %u read %u", g->mode, g->generation, i);
            CHECK_EQ(a.s.k.reads, i + 1, "mode %u generation %u", g->mode, g->generation);
        }

        struct all a = narrow(g->mode, g->generation);

        a.s.k.read_only = slot_at(&a.s, MM, a.s.f.cr2);
        a.s.k.rom_end = a.s.k.read_only + 1;
        CHECK_EQ(sync_all(&a), FL_SYNC_WILD, "mode %u generation %u: the write fails", g->mode, g->generation);
        CHECK_EQ(a.s.k.nwrites, 2, "mode %u generation %u", g->mode, g->generation);
    }
}

/* ---- current ---- */

static void test_current_range(void)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        struct all a = all_of(mode, FL_GEN_CURRENT);
        uint64_t span = UINT64_C(1) << shift_of(&a.s, private_level(&a.s));
        uint64_t start = a.s.f.kernel.vmalloc_start, end = start + 3 * span;
        uint64_t outside[] = {start - span, end}, inside[] = {start, start + span, end - span};
        uint64_t in[3];

        for (unsigned i = 0; i < 3; i++)
            in[i] = add_page(&a, inside[i]);
        /* What lies outside is not the area's: a slot that the process has of its own (its LDT), absent in the
         * reference, and one that it lacks. */
        add_page(&a, outside[0]);
        set_slot_for(&a, MM, outside[1], 0x900000 | TABLE);
        set_slot_for(&a, MM, inside[2], 0x900000 | TABLE);
        a.s.f.kernel.vmalloc_start = start + span - 0x1000; /* the last page of a slot: it is synchronised whole */
        a.s.f.kernel.vmalloc_end = end - span + 0x1000;     /* the first one likewise */
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u", mode);
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(slot_for(&a, MM, inside[i]), in[i], "mode %u slot %u", mode, i);
        CHECK_EQ(slot_for(&a, MM, outside[0]), 0, "mode %u: below", mode);
        CHECK_EQ(slot_for(&a, MM, outside[1]), 0x900000 | TABLE, "mode %u: the process's own", mode);
        CHECK_EQ(a.s.k.nflushes, 1, "mode %u", mode);
        CHECK_EQ(a.s.k.trace[a.s.k.ntrace - 1], 'F', "mode %u", mode);
        CHECK_EQ(count(&a, '('), 3, "mode %u: %s", mode, a.s.k.trace);

        /* The end is no part of the range. */
        a = all_of(mode, FL_GEN_CURRENT);
        a.s.f.kernel.vmalloc_end = start + span;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u", mode);
        CHECK_EQ(count(&a, '('), 1, "mode %u: %s", mode, a.s.k.trace);

        /* Nothing is in these. */
        const uint64_t empty[][2] = {{start + 0x1000, start + 0x1000}, {start + 0x2000, start + 0x1000}};

        for (unsigned i = 0; i < 2; i++) {
            a = all_of(mode, FL_GEN_CURRENT);
            a.s.f.kernel.vmalloc_start = empty[i][0];
            a.s.f.kernel.vmalloc_end = empty[i][1];
            CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u", mode);
            CHECK_EQ(a.s.k.ntrace, 0, "mode %u: %s", mode, a.s.k.trace);
        }
    }
}

static void test_current_clears(void)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned zero = 0; zero < 2; zero++) {
            struct all a = narrow(mode, FL_GEN_CURRENT);
            uint64_t gone = zero ? 0 : ref(&a.s, private_level(&a.s)) & ~(uint64_t)P;

            set_slot(&a.s, CR3, ref(&a.s, private_level(&a.s)));
            set_slot(&a.s, MM, 0x900000 | TABLE);
            set_slot(&a.s, ACTIVE, gone ^ ACC);
            set_ref(&a.s, private_level(&a.s), gone);
            CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u", mode);
            CHECK_EQ(slot(&a.s, CR3), gone, "mode %u", mode);
            CHECK_EQ(slot(&a.s, MM), gone, "mode %u", mode);
            CHECK_EQ(slot(&a.s, ACTIVE), gone ^ ACC, "mode %u: A is no difference", mode);
            CHECK_EQ(a.s.k.nwrites, 2, "mode %u", mode);
        }
}

static void test_current_pae(void)
{
    struct all a = narrow(FL_MODE_PAE, FL_GEN_CURRENT);

    /* The second table has no directory: it is skipped, the third is not. */
    fake_set_entry(&a.s.k, entry_in(&a.s, MM, 3, a.s.f.cr2), 0);
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "no directory");
    CHECK_EQ(slot(&a.s, MM), 0, "no directory");
    CHECK_EQ(slot(&a.s, ACTIVE), ref(&a.s, 2), "no directory");
    CHECK_EQ(a.s.k.nwrites, 2, "no directory");

    /* The reference has none: then it has no entry in it. */
    a = narrow(FL_MODE_PAE, FL_GEN_CURRENT);
    set_slot(&a.s, MM, ref(&a.s, 2));
    set_ref(&a.s, 3, 0x21000);
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "no reference directory");
    CHECK_EQ(slot(&a.s, MM), 0, "cleared");
    CHECK_EQ(a.s.k.nwrites, 1, "no reference directory");

    /* All 512 entries of a directory, and D of a leaf is the processor's. */
    a = all_of(FL_MODE_PAE, FL_GEN_CURRENT);
    a.s.f.kernel.vmalloc_start = 0xc0000000;
    a.s.f.kernel.vmalloc_end = UINT64_C(1) << 32;
    set_ref(&a.s, 2, 0xa00000 | LEAF | PS);
    set_slot(&a.s, MM, 0xa00000 | P | RW | PS);
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "whole directory");
    CHECK_EQ(a.s.k.reads, 512 * (2 + 3 * 2), "whole directory");
    CHECK_EQ(slot(&a.s, MM), 0xa00000 | P | RW | PS, "A and D are no difference");
    CHECK_EQ(a.s.k.nwrites, 2, "the other two");

    /* A 32-bit kernel has no addresses from 4 GiB on. */
    a = all_of(FL_MODE_PAE, FL_GEN_CURRENT);
    a.s.f.kernel.vmalloc_start |= UINT64_C(1) << 32;
    a.s.f.kernel.vmalloc_end |= UINT64_C(1) << 32;
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "beyond 4 GiB");
    CHECK_EQ(a.s.k.ntrace, 0, "%s", a.s.k.trace);
}

static void test_lazy(void)
{
    EACH_GENERATION(g)
    {
        struct all a = narrow(g->mode, g->generation);
        bool flushes = strchr(g->copies, 'F');

        a.s.k.lazy = true;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u generation %u", g->mode, g->generation);
        CHECK_EQ(slot(&a.s, ACTIVE), flushes ? ref(&a.s, private_level(&a.s)) : 0, "mode %u generation %u", g->mode,
                 g->generation);
        CHECK_EQ(a.s.k.nqueue, flushes ? 0 : 3, "mode %u generation %u", g->mode, g->generation);
    }
}

static void test_contract(void)
{
    struct all a = all_of(FL_MODE_4LEVEL, FL_GEN_CURRENT);
    const struct fl_cpu *cpu = &a.s.f.cpu;
    const struct fl_kernel *kernel = &a.s.f.kernel;
    enum fl_sync_end end = FL_SYNC_COUNT;

    CHECK_EQ(fl_core()->sync_all(NULL, kernel, &a.state, &fake_ops, &a, &end), FL_INVALID, "no cpu");
    CHECK_EQ(fl_core()->sync_all(cpu, NULL, &a.state, &fake_ops, &a, &end), FL_INVALID, "no kernel");
    CHECK_EQ(fl_core()->sync_all(cpu, kernel, NULL, &fake_ops, &a, &end), FL_INVALID, "no state");
    CHECK_EQ(fl_core()->sync_all(cpu, kernel, &a.state, NULL, &a, &end), FL_INVALID, "no ops");
    CHECK_EQ(fl_core()->sync_all(cpu, kernel, &a.state, &fake_ops, &a, NULL), FL_INVALID, "no end");
    for (unsigned i = 0; i < FAKE_OPS; i++) {
        struct fl_ops ops = fake_ops_without(i);

        CHECK_EQ(fl_core()->sync_all(cpu, kernel, &a.state, &ops, &a, &end), FL_INVALID, "op %u", i);
    }
    a.s.f.kernel.generation = FL_GEN_2008_32;
    CHECK_EQ(fl_core()->sync_all(cpu, kernel, &a.state, &fake_ops, &a, &end), FL_INVALID, "generation of another mode");
    CHECK_EQ(a.s.k.ntrace, 0, "%s", a.s.k.trace);
    CHECK_EQ(end, FL_SYNC_COUNT, "untouched");
}

int main(void)
{
    test_copies();
    test_order();
    test_shared();
    test_other_frame();
    test_no_memory();
    test_lazy();
    test_current_range();
    test_current_clears();
    test_current_pae();
    test_contract();
    return check_done("sync_all");
}
