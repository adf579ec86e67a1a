/* SPDX-License-Identifier: MIT */
/* Address spaces: fork, context switches, what they share, what is hidden while another one is current. */
#include "kernel_kinds.h"

#define RW   (FL_PROT_READ | FL_PROT_WRITE)
#define BASE UINT64_C(0x10000000)

/* ---- fork and switch --------------------------------------------------------------------------------------------- */

static void test_fork(struct fl_world *w)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct fl_machine m = machine_kind(kind);
        fl_world_begin(w, &m);
        uint64_t first = fl_world_kernel(w)->vmalloc_start, second = first + (UINT64_C(1) << kinds[kind].private_shift);
        struct fl_sync_all all;
        bool shared = shares_all(kind);

        CHECK_EQ(fork_mm(w, 0), FL_INVALID, "mm 0 is there already");
        CHECK_EQ(fork_mm(w, FL_MAX_MMS), FL_INVALID, "one too many");
        ioremap(w, first, 1, 1, 700);
        CHECK_EQ(fork_mm(w, 2), FL_OK, "%s", kinds[kind].name);
        ioremap(w, first + PAGE, 1, 1, 701);
        ioremap(w, second, 1, 1, 702);
        CHECK_EQ(fork_mm(w, 1), FL_OK, "%s", kinds[kind].name);
        fl_world_sync_all(w, &all);
        CHECK(all.npgds == 3 && all.pgd[0] == fl_world_cpu(w)->cr3 && all.pgd[1] != all.pgd[2], "mm 0, 1 and 2");
        CHECK(all.ctx == w && all.read == fl_world_read && all.kernel.init_root == reference(w), "whole");
        CHECK(look_under(w, all.pgd[2], first).present, "%s: as the reference was", kinds[kind].name);
        CHECK(look_under(w, all.pgd[2], first + PAGE).present, "%s: a shared table", kinds[kind].name);
        CHECK_EQ(look_under(w, all.pgd[2], second).present, shared, "%s: a newer table", kinds[kind].name);
        CHECK(look_under(w, all.pgd[1], second).present, "%s: forked later", kinds[kind].name);
        CHECK_EQ(look_under(w, all.pgd[0], first).present, shared, "%s: mm 0 is older", kinds[kind].name);
        CHECK_EQ(fork_mm(w, 2), FL_OK, "anew");
        CHECK(look_under(w, all.pgd[2], second).present, "%s: anew", kinds[kind].name);
        fl_world_sync_all(w, &all);
        CHECK_EQ(all.npgds, 3, "the same one");

        /* What is shared, to the frame. */
        struct fl_ram ram = fl_world_ram(w);
        unsigned entry = kinds[kind].mode == FL_MODE_2LEVEL ? 4 : 8;
        uint64_t slot = first >> kinds[kind].top_shift & (kinds[kind].mode == FL_MODE_PAE ? 3 : 4096 / entry - 1);
        bool same = peek(&ram, all.pgd[1] + slot * entry, entry) == peek(&ram, reference(w) + slot * entry, entry);
        CHECK_EQ(same, kind != 2, "%s: the top-level entry", kinds[kind].name);

        /* User space starts empty. */
        for (unsigned i = 0; i < 256 / entry; i++)
            CHECK_EQ(peek(&ram, all.pgd[1] + (kinds[kind].mode == FL_MODE_PAE ? 0 : i * entry), entry), 0, "slot %u",
                     i);
    }
}

static void test_switch(struct fl_world *w)
{
    const struct fl_task *t = fl_world_task(w);

    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct fl_machine m = machine_kind(kind);
        fl_world_begin(w, &m);
        uint64_t zero = fl_world_cpu(w)->cr3, one;
        CHECK(t->mm_root == zero && t->active_root == zero, "at the start");
        CHECK_EQ(switch_to(w, 1, false), FL_INVALID, "nobody forked it");
        CHECK_EQ(switch_to(w, FL_MM_NONE + 1, false), FL_INVALID, "no such");
        fork_mm(w, 1);
        CHECK_EQ(switch_to(w, 1, true), FL_OK, "CR3 lags");
        one = t->mm_root;
        CHECK(one != zero && t->active_root == one && fl_world_cpu(w)->cr3 == zero && t->has_mm, "in the middle");
        CHECK_EQ(switch_to(w, FL_MM_NONE, false), FL_OK, "a kernel thread");
        CHECK(!t->has_mm && t->mm_root == 0 && t->active_root == one && fl_world_cpu(w)->cr3 == one, "borrows");
        CHECK_EQ(switch_to(w, 0, false), FL_OK, "back");
        CHECK(t->has_mm && t->mm_root == zero && t->active_root == zero && fl_world_cpu(w)->cr3 == zero, "mm 0");
    }
}

/* VMAs and their pages are those of mm 0, whatever is current; MAP goes by CR3. */
static void test_hidden(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    static const struct {
        unsigned mm;
        bool lag, seen;
    } steps[] = {{1, false, false}, {0, true, false},           {0, false, true},
                 {1, true, false},  {FL_MM_NONE, false, false}, {0, false, true}};

    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct fl_machine m = machine_kind(kind);
        uint64_t value;
        struct fl_snapshot s;
        struct fl_fault f;
        struct fl_vma v;

        fl_world_begin(w, &m);
        uint64_t zero = fl_world_cpu(w)->cr3;
        vma(w, BASE, 4, RW);
        touch(w, BASE, true);
        guest_store(w, BASE, 0x55);
        ops->lock_take(w);
        ops->vma_find(w, BASE, &v);
        fork_mm(w, 1);
        for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            switch_to(w, steps[i].mm, steps[i].lag);
            fl_world_event_begin(w);
            ops->lock_take(w);
            fl_world_snapshot(w, BASE + PAGE, 6, &f, &s);
            CHECK_EQ(s.nvmas, steps[i].seen, "%s step %u", kinds[kind].name, i);
            CHECK_EQ(ops->vma_find(w, BASE, &v), steps[i].seen, "%s step %u", kinds[kind].name, i);
            if (!steps[i].seen) {
                CHECK_EQ(ops->vma_expand(w, v.generation, BASE - PAGE, &v), FL_STALE, "step %u", i);
                CHECK_EQ(ops->mm_fault(w, v.generation, BASE, 0), FL_MM_SIGBUS, "step %u", i);
                CHECK(fl_world_effects(w)->stale_generation, "step %u", i);
            }
            ops->lock_drop(w);
            CHECK_EQ(ops->user_word(w, BASE + PAGE, &value), steps[i].seen, "%s step %u", kinds[kind].name, i);
        }
        switch_to(w, 1, false);
        CHECK(!look(w, BASE).present && look_under(w, zero, BASE).present, "%s: mm 1 has no pages", kinds[kind].name);
        CHECK_EQ(map(w, BASE, 800, 1, FL_MAP_PRESENT | FL_MAP_USER), FL_OK, "under CR3");
        CHECK_EQ(look(w, BASE).paddr, 800 * PAGE, "mm 1");
        CHECK(look_under(w, zero, BASE).paddr != 800 * PAGE, "mm 0 is as it was");
        range(w, FL_REC_UNMAP, BASE, 1, 0);
        CHECK(look(w, BASE).present && !look_under(w, zero, BASE).present, "%s: munmap is mm 0's", kinds[kind].name);
        CHECK_EQ(bytes(w, BASE, "one"), FL_OK, "through the tables under CR3");
        CHECK(memcmp(fl_world_ram(w).base + 800 * PAGE, "one", 3) == 0, "in the frame that MAP named");
        CHECK_EQ(bytes(w, BASE + PAGE, "two"), FL_OK, "into the VMA");
        switch_to(w, 0, false);
        touch(w, BASE + PAGE, false);
        CHECK(memcmp(at(w, BASE + PAGE), "two", 3) == 0, "%s: mm 0's page", kinds[kind].name);
    }
}

/* Page directories that MAP made in mm 0 before the kernel half was set up: taken over, kept, left alone. */
static void test_pae_setup(struct fl_world *w)
{
    for (unsigned shared = 0; shared < 2; shared++) {
        struct fl_machine m = machine_kind(shared ? 1 : 2);
        uint64_t va = 0xc0400000, frame;
        struct fl_ram ram = fl_world_ram(w);

        m.split = 1; /* two kernel slots */
        fl_world_begin(w, &m);
        map(w, va, 700, 1, FL_MAP_PRESENT);
        frame = peek(&ram, fl_world_cpu(w)->cr3 + 24, 8);
        entry(w, 0x80000000, 3, 0x40000001, UINT64_MAX); /* names a table outside RAM */
        fork_mm(w, 1);
        uint64_t root = fl_world_cpu(w)->cr3;
        CHECK(peek(&ram, root + 24, 8) == frame && look(w, va).present, "MAP's stays");
        CHECK_EQ(peek(&ram, root + 16, 8), 0x40000001, "ENTRY's stays");
        CHECK_EQ(peek(&ram, reference(w) + 24, 8) == frame, shared, "taken over by the reference");
        CHECK_EQ(look_under(w, reference(w), va).present, shared, "with what it holds");
        CHECK_EQ(peek(&ram, reference(w) + 16, 8) & 1, 1, "the reference's own");
        CHECK_EQ(peek(&ram, reference(w), 8) | peek(&ram, reference(w) + 8, 8), 0, "user space");
    }
}

/* ---- what sync-all sees ------------------------------------------------------------------------------------------ */

struct entries {
    unsigned n, pgds, present;
    uint64_t sum;
};

static void count_entry(void *ctx, unsigned pgd, uint64_t paddr, uint64_t value)
{
    struct entries *e = ctx;
    e->n++;
    e->pgds |= 1u << pgd;
    e->present += value & 1;
    e->sum = e->sum * 31 + paddr + value;
}

static void test_entries(struct fl_world *w)
{
    static const unsigned counts[KINDS] = {256, 512, 512, 240, 239};
    const struct fl_ops *ops = fl_world_ops();

    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct fl_machine m = machine_kind(kind);
        struct entries e = {0}, again = {0};
        uint64_t root = 0;

        fl_world_begin(w, &m);
        uint64_t va = fl_world_kernel(w)->vmalloc_start;
        ioremap(w, va, 1, 1, 700);
        fork_mm(w, 1);
        fork_mm(w, 3);
        fl_world_kernel_entries(w, count_entry, &e);
        CHECK_EQ(e.n, 4 * counts[kind], "%s", kinds[kind].name);
        CHECK_EQ(e.pgds, 15, "the reference and three of the list");
        CHECK_EQ(e.present, shares_all(kind) ? 4 : 3, "%s: mm 0 is out of step", kinds[kind].name);
        fl_world_kernel_entries(w, count_entry, &again);
        CHECK_EQ(again.sum, e.sum, "changes nothing");

        fl_world_event_begin(w);
        ops->pgd_lock(w, false);
        const struct fl_effects *f = fl_world_effects(w);
        struct fl_sync_all all;
        fl_world_sync_all(w, &all);
        for (unsigned i = 0; i < 3; i++)
            CHECK(ops->pgd_next(w, i, &root) && root == all.pgd[i], "%s: %u", kinds[kind].name, i);
        CHECK(!ops->pgd_next(w, 3, &root) && root == all.pgd[2], "no more: untouched");
        CHECK(f->pgd_gets == 1 && f->pgd_held && !f->pgd_missing && !f->pgd_irqsave, "held");
        ops->pgd_unlock(w);
        CHECK(f->pgd_drops == 1 && !f->pgd_held && !f->pgd_missing, "given back");
        ops->pgd_unlock(w);
        CHECK(f->pgd_missing && f->pgd_drops == 2, "twice");
        fl_world_event_begin(w);
        ops->pgd_next(w, 0, &root);
        CHECK(f->pgd_missing, "without the lock");
        ops->pgd_lock(w, true);
        CHECK(f->pgd_irqsave && f->pgd_held, "with interrupts off");
        fl_world_event_begin(w);
        CHECK(!f->pgd_held, "free again");
        fl_world_sync_state(w)->start = 5;
        fl_world_begin(w, &m);
        CHECK_EQ(fl_world_sync_state(w)->start, 0, "forgotten");
    }
}

int main(void)
{
    struct fl_world *w = open_world();
    test_fork(w);
    test_switch(w);
    test_hidden(w);
    test_pae_setup(w);
    test_entries(w);
    fl_world_close(w);
    return check_done("world mms");
}
