/* SPDX-License-Identifier: MIT */
/* Writes to table entries: recorded, queued while lazy MMU updates are on, seen by nobody before they are flushed. */
#include "fixture.h"

#define SLOT (700 * PAGE + 8) /* memory of nobody's */

static uint64_t peek_slot(struct fl_world *w, unsigned i)
{
    uint64_t value = 99, direct = 99;

    CHECK(fl_world_ops()->read_entry(w, SLOT + 8 * i, 8, &value), "there");
    CHECK(fl_world_read(w, SLOT + 8 * i, 8, &direct) && direct == value, "the same for the oracles");
    return value;
}

static void test_record(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_PAE);
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);
    uint64_t value;

    fl_world_begin(w, &m);
    fl_world_event_begin(w);
    for (unsigned i = 0; i < 2 * FL_EFFECTS_READS; i++)
        ops->read_entry(w, i * 8, 8, &value);
    CHECK(e->reads == 2 * FL_EFFECTS_READS && e->read_at[FL_EFFECTS_READS - 1] == (FL_EFFECTS_READS - 1) * 8, "reads");
    for (unsigned i = 0; i < 2 * FL_EFFECTS_WRITES; i++)
        CHECK(ops->write_entry(w, SLOT + 8 * i, i & 1 ? 4 : 8, UINT64_C(0x100000000) + i, (enum fl_set)(i % 3)), "%u",
              i);
    CHECK_EQ(e->writes, 2 * FL_EFFECTS_WRITES, "counted");
    for (unsigned i = 0; i < FL_EFFECTS_WRITES; i++)
        CHECK(e->write[i].paddr == SLOT + 8 * i && e->write[i].size == (i & 1 ? 4 : 8) && e->write[i].how == i % 3 &&
                  e->write[i].value == (i & 1 ? i : UINT64_C(0x100000000) + i),
              "write %u", i);
    for (unsigned i = 0; i < 2 * FL_EFFECTS_WRITES; i++)
        CHECK_EQ(peek_slot(w, i), i & 1 ? i : UINT64_C(0x100000000) + i, "at once");
    ops->flush_lazy(w);
    ops->warn_nmi(w);
    CHECK(e->flushes == 1 && e->warns == 1, "counted");
    CHECK_EQ(e->flushed_writes, 2 * FL_EFFECTS_WRITES, "all of them before it");
    ops->write_entry(w, SLOT, 8, 0, FL_SET_PGD);
    CHECK_EQ(e->flushed_writes, 2 * FL_EFFECTS_WRITES, "one after it");
    ops->flush_lazy(w);
    CHECK(e->flushes == 2 && e->flushed_writes == 2 * FL_EFFECTS_WRITES + 1, "the last flush counts");
    fl_world_event_begin(w);
    CHECK_EQ(e->flushed_writes, 0, "a decision of its own");
    ops->flush_lazy(w);
    CHECK(e->flushes == 1 && e->flushed_writes == 0, "before any");

    static const struct {
        uint64_t paddr;
        unsigned size;
    } bad[] = {{FL_RAM_FRAMES * PAGE, 8},
               {FL_RAM_FRAMES * PAGE - 4, 8},
               {UINT64_MAX - 7, 8},
               {SLOT + 4, 8},
               {SLOT + 2, 4},
               {SLOT, 2}};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (unsigned how = 0; how < FL_SET_COUNT; how++)
            CHECK(!ops->write_entry(w, bad[i].paddr, bad[i].size, UINT64_MAX, (enum fl_set)how), "row %u", i);
    CHECK(ops->write_entry(w, FL_RAM_FRAMES * PAGE - 8, 8, 1, FL_SET_PMD), "the last one");
    fl_world_begin(w, &m);
    CHECK_EQ(peek_slot(w, 0), 0, "undone");
}

static void test_queue(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();

    for (unsigned lazy = 0; lazy < 2; lazy++)
        for (unsigned how = 0; how < FL_SET_COUNT; how++) {
            struct fl_machine m = machine_of(FL_MODE_4LEVEL);
            struct fl_snapshot s;
            struct fl_fault f;
            bool waits = lazy && how != FL_SET_PLAIN;

            m.lazy_mmu = lazy;
            fl_world_begin(w, &m);
            fl_world_event_begin(w);
            fl_world_snapshot(w, 0, 0, &f, &s);
            CHECK_EQ(s.lazy_mmu, lazy, "foretold");
            ops->write_entry(w, SLOT, 8, 5, (enum fl_set)how);
            CHECK_EQ(peek_slot(w, 0), waits ? 0 : 5, "lazy %u how %u", lazy, how);
            ops->write_entry(w, SLOT, 8, 6, (enum fl_set)how);
            ops->write_entry(w, SLOT + 8, 8, 7, (enum fl_set)how);
            CHECK_EQ(peek_slot(w, 1), waits ? 0 : 7, "lazy %u how %u", lazy, how);
            fl_world_event_begin(w);
            CHECK_EQ(peek_slot(w, 0), waits ? 0 : 6, "another fault of the event");
            if (how == 1)
                ops->flush_lazy(w);
            else if (how == 2)
                fl_world_event_end(w);
            CHECK(peek_slot(w, 0) == 6 && peek_slot(w, 1) == 7, "in order, lazy %u how %u", lazy, how);
            ops->write_entry(w, SLOT, 8, 0, FL_SET_PLAIN);
            ops->flush_lazy(w);
            CHECK_EQ(peek_slot(w, 0), 0, "carried out once");
            ops->write_entry(w, SLOT, 8, 8, (enum fl_set)how);
            fl_world_begin(w, &m);
            ops->flush_lazy(w);
            CHECK_EQ(peek_slot(w, 0), 0, "what waited is forgotten");
        }
}

/* As many as a synchronisation of all tables can write, and more: none is lost. */
static void test_many(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_machine m = machine_of(FL_MODE_PAE);
    enum { MANY = 10000 };

    m.lazy_mmu = true;
    fl_world_begin(w, &m);
    for (unsigned i = 0; i < MANY; i++)
        CHECK(ops->write_entry(w, SLOT + 8 * i, 8, i + 1, FL_SET_PMD), "%u", i);
    CHECK_EQ(peek_slot(w, MANY - 1), 0, "the last ones wait");
    fl_world_flush(w);
    for (unsigned i = 0; i < MANY; i++)
        CHECK_EQ(peek_slot(w, i), i + 1, "%u", i);
    fl_world_begin(w, &m);
    for (unsigned i = 0; i < MANY; i++)
        CHECK_EQ(peek_slot(w, i), 0, "%u: undone", i);
}

/* A handler that maps what it should not lets guest code write to tables: what it wrote there is undone as well. A copy
 * of the reference's entry does not. */
static void test_aliases(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    static const struct fl_exec_result lost = {.stores_lost = true};
    struct fl_machine m = machine_of(FL_MODE_2LEVEL);
    struct fl_ram ram = fl_world_ram(w);

    for (unsigned copy = 0; copy < 2; copy++) {
        fl_world_begin(w, &m);
        uint64_t va = fl_world_kernel(w)->vmalloc_start, slot = (va >> 22) * 4, value = 0, root = fl_world_cpu(w)->cr3;
        ioremap(w, va, 1, 2, 0);
        ops->read_entry(w, fl_world_kernel(w)->init_root + slot, 4, &value);
        CHECK(value != 0, "a large leaf over all of RAM");
        fl_world_begin(w, &m);
        ioremap(w, va, 1, 1, 700);
        if (copy)
            ops->read_entry(w, fl_world_kernel(w)->init_root + slot, 4, &value);
        ops->write_entry(w, root + slot, 4, value, FL_SET_PLAIN);
        ram.base[100 * PAGE] = 1; /* by guest code */
        fl_world_note_stores(w, &lost);
        fl_world_begin(w, &m);
        CHECK_EQ(ram.base[100 * PAGE], copy, "everything that can have been written is undone, and no more");
        ram.base[100 * PAGE] = 0;
    }
}

int main(void)
{
    struct fl_world *w = open_world();
    test_record(w);
    test_queue(w);
    test_many(w);
    test_aliases(w);
    fl_world_close(w);
    return check_done("world lazy");
}
