/* SPDX-License-Identifier: MIT */
/* The SH4's tables, walked by the tests' own reader. */
#include "fixture.h"

static struct fl_machine sh4_machine(void)
{
    struct fl_machine m = machine_of(FL_MODE_2LEVEL);
    m.sh4 = true;
    m.sh4_fixed = true;
    m.split = 2; /* of no meaning here */
    return m;
}

/* The pte under a root, or 0. */
static uint64_t pte_under(struct fl_world *w, uint64_t root, uint64_t va)
{
    struct fl_ram ram = fl_world_ram(w);
    uint64_t first = peek(&ram, root + (va >> 22) * 4, 4);

    if (first == 0)
        return 0;
    CHECK_EQ(first >> 29, 4, "a P1 address");
    CHECK_EQ(first & 0xfff, 0, "of a page");
    return peek(&ram, (first & 0x1fffffff) + (va >> 12 & 0x3ff) * 4, 4);
}

static void test_layout(struct fl_world *w)
{
    struct fl_machine m = sh4_machine();

    fl_world_begin(w, &m);
    const struct fl_sh4 *sh = fl_world_sh4(w);
    CHECK(sh != NULL, "an SH4");
    CHECK_EQ(sh->p3_start, 0xc0000000, "P3SEG");
    CHECK_EQ(sh->vmalloc_start, 0xc1000000, "behind 16 MiB of coherent memory");
    CHECK_EQ(sh->p3_end, 0xe0000000, "P4SEG");
    CHECK(sh->fixed && sh->ttb == fl_world_cpu(w)->cr3 && sh->reference != sh->ttb, "registers");
    m.sh4_fixed = false;
    m.vmalloc_start = 0xc2000000;
    m.vmalloc_end = 0xe4000000;
    fl_world_begin(w, &m);
    CHECK(!sh->fixed && sh->vmalloc_start == 0xc2000000 && sh->p3_end == 0xe4000000, "store queues");
    m.vmalloc_start = 0x1000;
    m.vmalloc_end = 0x2000;
    fl_world_begin(w, &m);
    CHECK(sh->vmalloc_start == 0xc0000000 && sh->p3_end == 0xc0000000, "an empty P3");
    m.sh4 = false;
    fl_world_begin(w, &m);
    CHECK(fl_world_sh4(w) == NULL, "an x86");
}

static void test_records(struct fl_world *w)
{
    struct fl_machine m = sh4_machine();

    for (unsigned kind = 0; kind < FL_REC_COUNT; kind++) {
        struct fl_record r = {.kind = (uint8_t)kind};
        bool means = kind == FL_REC_IOREMAP || kind == FL_REC_IOUNMAP || kind == FL_REC_FORK || kind == FL_REC_SWITCH;
        fl_world_begin(w, &m);
        ioremap(w, 0xc0000000, 1, 1, 700);
        if (kind == FL_REC_IOREMAP) {
            r.u.ioremap.va = 0xc0001000;
            r.u.ioremap.leaves = 1;
        } else if (kind == FL_REC_IOUNMAP) {
            r.u.iounmap.start = 0xc0000000;
            r.u.iounmap.pages = 1;
        } else if (kind == FL_REC_FORK) {
            r.u.mm.mm = 1;
        } else if (kind == FL_REC_VMA) {
            r.u.vma.start = 0x100000;
            r.u.vma.pages = 1;
        }
        CHECK_EQ(fl_world_apply(w, &r), means ? FL_OK : FL_INVALID, "kind %u", kind);
    }
}

static void test_tables(struct fl_world *w)
{
    struct fl_machine m = sh4_machine();
    uint64_t va = 0xc07fe000; /* two leaves before the next first-level entry */

    fl_world_begin(w, &m);
    const struct fl_sh4 *sh = fl_world_sh4(w);
    uint64_t zero = sh->ttb;
    CHECK_EQ(ioremap(w, va, 4, 3, 1022), FL_OK, "4 KiB leaves, whatever the level");
    for (unsigned i = 0; i < 4; i++) {
        uint64_t pte = pte_under(w, sh->reference, va + i * PAGE);
        CHECK_EQ(pte & 0x100, 0x100, "leaf %u: present", i);
        CHECK_EQ(pte >> 12, (1022 + i) % FL_RAM_FRAMES, "leaf %u", i);
        CHECK_EQ(pte_under(w, zero, va + i * PAGE), 0, "leaf %u: the reference alone", i);
    }
    CHECK(pte_under(w, sh->reference, va - PAGE) == 0 && pte_under(w, sh->reference, va + 4 * PAGE) == 0, "four");

    CHECK_EQ(fork_mm(w, 1), FL_OK, "a copy");
    CHECK_EQ(ioremap(w, 0xd0000000, 1, 1, 5), FL_OK, "a newer table");
    CHECK_EQ(switch_to(w, 1, true), FL_OK, "TTB lags");
    CHECK_EQ(sh->ttb, zero, "TTB lags");
    CHECK_EQ(switch_to(w, 1, false), FL_OK, "TTB follows");
    CHECK(sh->ttb != zero && sh->ttb == fl_world_cpu(w)->cr3, "TTB follows");
    CHECK(pte_under(w, sh->ttb, va) != 0 && pte_under(w, sh->ttb, 0xd0000000) == 0, "as it was");
    CHECK_EQ(switch_to(w, FL_MM_NONE, false), FL_OK, "a kernel thread");
    CHECK(pte_under(w, sh->ttb, va) != 0, "borrows it");

    CHECK_EQ(iounmap(w, va + PAGE, 2), FL_OK, "the two in the middle");
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(pte_under(w, sh->reference, va + i * PAGE) != 0, i == 0 || i == 3, "leaf %u", i);
    CHECK_EQ(iounmap(w, va + PAGE, 2), FL_INVALID, "gone");
    CHECK_EQ(iounmap(w, 0, 0xc0000), FL_INVALID, "below P3");
    CHECK_EQ(iounmap(w, 0xc0000000, 1u << 24), FL_OK, "all");
    CHECK_EQ(pte_under(w, sh->reference, va) | pte_under(w, sh->reference, 0xd0000000), 0, "all");
    CHECK_EQ(ioremap(w, 0xbffff000, 1, 1, 5), FL_INVALID, "below P3");
    CHECK_EQ(ioremap(w, 0xffffffff, 2, 1, 5), FL_INVALID, "round the end");

    /* A first-level entry each. */
    unsigned got = 0;
    while (got < 200 && ioremap(w, 0xc0000000 + (got << 22), 1, 1, 600) == FL_OK)
        got++;
    CHECK_EQ(got, 200, "tables");
    uint64_t value;
    fl_world_event_begin(w);
    CHECK(fl_world_ops()->read_entry(w, sh->ttb, 4, &value) && value == 0, "the core's way in");
}

static enum fl_status set_entry(struct fl_world *w, uint64_t va, unsigned level, uint64_t set, uint64_t mask)
{
    struct fl_record r = {.kind = FL_REC_ENTRY};

    r.u.entry.va = va;
    r.u.entry.level = (uint8_t)level;
    r.u.entry.set = set;
    r.u.entry.mask = mask;
    return fl_world_apply(w, &r);
}

/* ENTRY acts on the tables under TTB, and on the reference's where they are shared. */
static void test_entry(struct fl_world *w)
{
    struct fl_machine m = sh4_machine();
    uint64_t va = 0xc0c01000;

    fl_world_begin(w, &m);
    const struct fl_sh4 *sh = fl_world_sh4(w);
    struct fl_ram ram = fl_world_ram(w);
    ioremap(w, va, 1, 1, 700);
    CHECK_EQ(set_entry(w, va, 1, 0, 0x100), FL_INVALID, "no table under TTB");
    fork_mm(w, 1);
    switch_to(w, 1, false);
    CHECK_EQ(set_entry(w, va, 1, 0x200, 0x300), FL_OK, "no access");
    CHECK_EQ(pte_under(w, sh->reference, va) & 0x300, 0x200, "a shared table");
    CHECK_EQ(pte_under(w, sh->reference, va) >> 12, 700, "the rest stays");
    uint64_t shared = peek(&ram, sh->reference + (va >> 22) * 4, 4);
    CHECK_EQ(set_entry(w, va, 2, 0x803ff000, UINT32_MAX), FL_OK, "a slot");
    CHECK_EQ(peek(&ram, sh->ttb + (va >> 22) * 4, 4), 0x803ff000, "under TTB");
    CHECK_EQ(peek(&ram, sh->reference + (va >> 22) * 4, 4), shared, "not the reference's");
    CHECK_EQ(set_entry(w, va, 1, 0x100, 0x100), FL_OK, "the last frame of RAM");
    CHECK_EQ(peek(&ram, 0x3ff000 + (va >> 12 & 0x3ff) * 4, 4), 0x100, "the last frame of RAM");
    CHECK_EQ(set_entry(w, va, 2, 0x80400000, UINT32_MAX), FL_OK, "behind RAM");
    CHECK_EQ(set_entry(w, va, 1, 0x100, 0x100), FL_INVALID, "behind RAM");
}

int main(void)
{
    struct fl_world *w = open_world();
    test_layout(w);
    test_records(w);
    test_tables(w);
    test_entry(w);
    fl_world_close(w);
    return check_done("world sh4");
}
