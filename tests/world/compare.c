/* SPDX-License-Identifier: MIT */
/* What two worlds have in common: private views of a file, the digest. */
#include "fixture.h"

#define BASE UINT64_C(0x10000000)

/* Two private mappings of one file page, then new contents for the file: one view may have been copied before. */
static void test_private_views(struct fl_world *demand, struct fl_world *mapped)
{
    struct fl_world *both[] = {demand, mapped};
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);

    fl_world_set_prefault(mapped, true);
    for (unsigned i = 0; i < 2; i++) {
        fl_world_begin(both[i], &m);
        vma(both[i], BASE, 2, FL_PROT_READ | FL_PROT_WRITE | FL_VMA_FILE);
        bytes(both[i], BASE, "code");
        CHECK(fl_world_not_transparent(both[i]) == NULL, "one view");
        vma(both[i], BASE + 8 * PAGE, 2, FL_PROT_READ | FL_PROT_WRITE | FL_VMA_FILE);
        CHECK(fl_world_not_transparent(both[i]) == NULL, "two private views");
        bytes(both[i], BASE, "more");
        CHECK(fl_world_not_transparent(both[i]) != NULL, "the other one is stale or not");
    }
    fl_world_set_prefault(mapped, false);
}

/* The digest tells apart what differs in one respect, and only that. */
static void test_digest(struct fl_world *w)
{
    uint64_t seen[20], again;
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    unsigned n = 0;

    fl_world_begin(w, &m);
    seen[n++] = fl_world_digest(w);
    fl_world_regs(w)->gpr[FL_R15]++;
    seen[n++] = fl_world_digest(w);
    fl_world_begin(w, &m);
    fl_world_regs(w)->ip++;
    seen[n++] = fl_world_digest(w);
    fl_world_begin(w, &m);
    vma(w, BASE, 1, FL_PROT_READ);
    seen[n++] = fl_world_digest(w);
    range(w, FL_REC_PROTECT, BASE, 1, FL_PROT_READ);
    again = fl_world_digest(w);
    CHECK_EQ(again, seen[n - 1], "a new generation alone is no difference");
    touch(w, BASE, false);
    seen[n++] = fl_world_digest(w);
    touch(w, BASE, false);
    CHECK_EQ(fl_world_digest(w), seen[n - 1], "a fault that changes nothing");
    range(w, FL_REC_PROTECT, BASE, 1, FL_PROT_READ | FL_PROT_WRITE);
    seen[n++] = fl_world_digest(w);
    for (unsigned i = 0; i < 2; i++) { /* the same leaf in two places of a table, eight entries apart */
        fl_world_begin(w, &m);
        map(w, 0x400000 + i * 8 * PAGE, 600, 1, FL_MAP_PRESENT);
        seen[n++] = fl_world_digest(w);
    }
    map(w, 0x600000, 600, 2, 0);
    again = fl_world_digest(w);
    entry(w, 0x600000, 2, 0, UINT64_MAX);
    CHECK_EQ(fl_world_digest(w), seen[n - 1], "written and zero again");
    CHECK(again != seen[n - 1], "an entry that is not present");

    /* The kernel half: the reference, a new root, which one is current, a write that waits. */
    m.lazy_mmu = true;
    fl_world_begin(w, &m);
    uint64_t slot = fl_world_cpu(w)->cr3 + 402 * 8;
    ioremap(w, fl_world_kernel(w)->vmalloc_start, 1, 1, 700);
    seen[n++] = fl_world_digest(w);
    fork_mm(w, 1);
    seen[n++] = fl_world_digest(w);
    switch_to(w, 1, true);
    seen[n++] = fl_world_digest(w);
    switch_to(w, 1, false);
    seen[n++] = fl_world_digest(w);
    fl_world_ops()->write_entry(w, slot, 8, 0x1063, FL_SET_PGD);
    seen[n++] = fl_world_digest(w);
    fl_world_flush(w);
    seen[n++] = fl_world_digest(w);
    fl_world_ops()->write_entry(w, slot, 8, 0, FL_SET_PLAIN);
    CHECK_EQ(fl_world_digest(w), seen[n - 3], "taken back");
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < i; k++)
            CHECK(seen[i] != seen[k], "worlds %u and %u", k, i);
}

int main(void)
{
    struct fl_world *w = open_world(), *mapped = open_world();
    test_private_views(w, mapped);
    test_digest(w);
    fl_world_close(mapped);
    fl_world_close(w);
    return check_done("world compare");
}
