/* SPDX-License-Identifier: MIT */
/*
 * The kernel half: layout; ioremap and iounmap in the reference alone. What is there is what the tests' own walker
 * finds under a root.
 */
#include "kernel_kinds.h"

#define RW   (FL_PROT_READ | FL_PROT_WRITE)
#define BASE UINT64_C(0x10000000)

/* ---- layout ------------------------------------------------------------------------------------------------------ */

static void test_layout(struct fl_world *w)
{
    static const uint32_t splits[3] = {0xc0000000, 0x80000000, 0x40000000};
    const struct fl_kernel *k = fl_world_kernel(w);

    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned split = 0; split < 3; split++) {
            struct fl_machine m = machine_kind(kind);
            bool wide = m.mode >= FL_MODE_4LEVEL, five = m.mode == FL_MODE_5LEVEL;
            if (wide && split)
                continue;
            m.split = (uint8_t)split;
            m.idt = 0xfffbf000;
            m.vsyscall = m.f00f_bug = true;
            m.low_frames = 777;
            fl_world_begin(w, &m);
            CHECK_EQ(k->page_offset,
                     !wide  ? splits[split]
                     : five ? UINT64_C(0xff11000000000000)
                            : UINT64_C(0xffff880000000000),
                     "%s", kinds[kind].name);
            CHECK_EQ(k->vmalloc_start,
                     !wide  ? 0xf8000000
                     : five ? UINT64_C(0xffa0000000000000)
                            : UINT64_C(0xffffc90000000000),
                     "%s", kinds[kind].name);
            CHECK_EQ(k->vmalloc_end,
                     !wide  ? 0xff800000
                     : five ? UINT64_C(0xffd2000000000000)
                            : UINT64_C(0xffffe90000000000),
                     "%s", kinds[kind].name);
            CHECK_EQ(k->text_start, wide ? UINT64_C(0xffffffff81000000) : k->page_offset + 0x100000, "text");
            CHECK_EQ(k->text_end, wide ? UINT64_C(0xffffffff82000000) : k->page_offset + 0x500000, "text");
            CHECK_EQ(k->modules_start, wide ? UINT64_C(0xffffffffa0000000) : 0, "modules");
            CHECK_EQ(k->modules_end, wide ? UINT64_C(0xffffffffff000000) : 0, "modules");
            CHECK_EQ(k->fixaddr_top, wide ? 0 : 0xfffff000, "fixaddr_top");
            CHECK_EQ(k->idt, wide ? 0 : 0xfffbf000, "idt");
            CHECK_EQ(k->vsyscall, wide ? UINT64_C(0xffffffffff600000) : 0, "vsyscall");
            CHECK(k->vsyscall_emulation == wide && k->f00f_bug == !wide, "%s", kinds[kind].name);
            CHECK_EQ(k->shared_kernel_pmd, shares_all(kind), "%s", kinds[kind].name);
            CHECK_EQ(k->low_frames, 777, "low_frames");
            CHECK_EQ(k->init_root & 0x1f, 0, "aligned");
            CHECK(k->init_root / PAGE == 3 && fl_world_cpu(w)->cr3 / PAGE == 1, "frames of the roots");

            /* Bounds of one's own, brought between the first kernel slot and the fix-mapped addresses. */
            m.vmalloc_start = k->page_offset + 5 * PAGE;
            m.vmalloc_end = k->page_offset + 9 * PAGE;
            fl_world_begin(w, &m);
            CHECK(k->vmalloc_start == m.vmalloc_start && k->vmalloc_end == m.vmalloc_end, "own");
            m.vmalloc_end = m.vmalloc_start - PAGE;
            fl_world_begin(w, &m);
            CHECK(k->vmalloc_start == m.vmalloc_start && k->vmalloc_end == k->vmalloc_start, "an empty range");
            m.vmalloc_start = PAGE;
            m.vmalloc_end = UINT64_MAX;
            fl_world_begin(w, &m);
            CHECK_EQ(k->vmalloc_start, k->page_offset, "not in user space");
            CHECK_EQ(k->vmalloc_end, wide ? UINT64_C(0xffffffffff000000) : 0xfffff000, "not in the fix-mapped ones");
        }

    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    m.generation = FL_GEN_2016;
    fl_world_set_generation(w, FL_GEN_2008_64);
    fl_world_begin(w, &m);
    CHECK_EQ(k->generation, FL_GEN_2008_64, "forced");
    fl_world_set_generation(w, FL_GEN_COUNT);
    fl_world_begin(w, &m);
    CHECK_EQ(k->generation, FL_GEN_2016, "the scenario's");
}

/* ---- ioremap and iounmap ----------------------------------------------------------------------------------------- */

static void test_ioremap(struct fl_world *w)
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned level = 1; level <= 3; level++) {
            struct fl_machine m = machine_kind(kind);
            fl_world_begin(w, &m);
            uint64_t va = fl_world_kernel(w)->vmalloc_start + (level == 3 ? 0 : 0x5000), root = fl_world_cpu(w)->cr3;
            CHECK_EQ(ioremap(w, va + 0x123, 3, level, 700), FL_OK, "%s level %u", kinds[kind].name, level);
            struct seen s = look_under(w, reference(w), va);
            uint64_t size = UINT64_C(1) << s.shift;
            CHECK(s.present && s.write && !s.user && s.accessed && s.dirty, "%s level %u", kinds[kind].name, level);
            CHECK_EQ(s.shift,
                     level == 1                                      ? 12
                     : kinds[kind].mode == FL_MODE_2LEVEL            ? 22
                     : level == 2 || kinds[kind].mode == FL_MODE_PAE ? 21
                                                                     : 30,
                     "%s level %u", kinds[kind].name, level);
            for (unsigned i = 0; i < 3; i++) {
                s = look_under(w, reference(w), (va & ~(size - 1)) + i * size);
                CHECK(s.present, "%s level %u leaf %u", kinds[kind].name, level, i);
                CHECK_EQ(s.paddr, ((700 + i * (size >> 12)) % FL_RAM_FRAMES * PAGE) & ~(size - 1),
                         "%s level %u leaf %u", kinds[kind].name, level, i);
            }
            CHECK(!look_under(w, reference(w), (va & ~(size - 1)) + 3 * size).present, "three");
            CHECK(!look_under(w, reference(w), (va & ~(size - 1)) - 1).present, "three");
            CHECK_EQ(look_under(w, root, va).present, shares_all(kind), "%s: mm 0", kinds[kind].name);
            CHECK(fl_world_not_transparent(w) != NULL, "kernel tables are out of step");

            /* iounmap clears the leaves that begin in its range, and nothing else. */
            CHECK_EQ(iounmap(w, (va & ~(size - 1)) + PAGE, (unsigned)(size >> 12)), FL_OK, "the second one");
            for (unsigned i = 0; i < 3; i++)
                CHECK_EQ(look_under(w, reference(w), (va & ~(size - 1)) + i * size).present, i != 1,
                         "%s level %u leaf %u", kinds[kind].name, level, i);
            CHECK_EQ(iounmap(w, (va & ~(size - 1)) + size, 1), FL_INVALID, "it is gone");
            CHECK_EQ(iounmap(w, 0, 1u << 10), FL_INVALID, "user space");
            CHECK_EQ(ioremap(w, va, 1, level, 701), FL_OK, "in its place");
        }
}

static void test_ioremap_limits(struct fl_world *w)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct fl_machine m = machine_kind(kind);
        fl_world_begin(w, &m);
        const struct fl_kernel *k = fl_world_kernel(w);
        uint64_t va = k->vmalloc_start, top = k->word == 4 ? UINT32_MAX : UINT64_MAX;
        struct fl_record none = {.kind = FL_REC_IOREMAP, .u.ioremap = {.va = va, .level = 1}};

        CHECK_EQ(fl_world_apply(w, &none), FL_INVALID, "no leaves");
        CHECK_EQ(ioremap(w, k->task_size - PAGE, 1, 1, 0), FL_INVALID, "%s: below the kernel half", kinds[kind].name);
        CHECK_EQ(ioremap(w, k->page_offset - PAGE, 2, 1, 0), FL_INVALID, "%s: below it", kinds[kind].name);
        CHECK_EQ(ioremap(w, k->page_offset, 1, 1, 0), FL_OK, "%s: the first page", kinds[kind].name);
        CHECK_EQ(ioremap(w, top - PAGE, 3, 1, 0), FL_INVALID, "%s: round the end", kinds[kind].name);
        CHECK_EQ(ioremap(w, top - PAGE, 2, 1, 0), FL_OK, "%s: the last two", kinds[kind].name);
        CHECK(look_under(w, reference(w), top).present, "%s: the last byte", kinds[kind].name);
        CHECK_EQ(iounmap(w, top - PAGE, 1u << 24), FL_OK, "%s: to the end", kinds[kind].name);
        CHECK(!look_under(w, reference(w), top).present, "%s: the last byte", kinds[kind].name);

        /* A leaf in the way; not a table's worth of memory left: nothing is made. */
        CHECK_EQ(ioremap(w, va, 1, 2, 0), FL_OK, "large");
        CHECK_EQ(ioremap(w, va - PAGE, 2, 1, 0), FL_INVALID, "%s: through a large leaf", kinds[kind].name);
        CHECK(!look_under(w, reference(w), va - PAGE).present, "%s: nothing was made", kinds[kind].name);
        fl_world_begin(w, &m);
        vma(w, BASE, 1024, RW);
        ioremap(w, va, 1, 1, 0);
        for (unsigned i = 0; i < 1024; i++)
            touch(w, BASE + i * PAGE, true);
        uint64_t before = fl_world_digest(w);
        CHECK_EQ(ioremap(w, va + (UINT64_C(1) << kinds[kind].private_shift) - PAGE, 2, 1, 0), FL_NO_MEMORY, "%s",
                 kinds[kind].name);
        CHECK_EQ(fork_mm(w, 1), FL_NO_MEMORY, "%s", kinds[kind].name);
        CHECK_EQ(fl_world_digest(w), before, "%s: nothing was made", kinds[kind].name);
        CHECK_EQ(ioremap(w, va + PAGE, 2, 1, 0), FL_OK, "%s: where there is a table", kinds[kind].name);
    }
}

/* 16 GiB of 1 GiB leaves, one range after another, from 0xffffc90040000000 up: the one that crosses 512 GiB brings a
 * new top-level entry into the reference, and nowhere else. */
static void test_crossing(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    uint64_t first = UINT64_C(0xffffc90040000000), next = UINT64_C(0xffffc98000000000), va = first;

    fl_world_begin(w, &m);
    CHECK_EQ(ioremap(w, first, 1, 3, 0), FL_OK, "the first slot");
    CHECK_EQ(fork_mm(w, 1), FL_OK, "copies it");
    CHECK(look_under(w, fl_world_cpu(w)->cr3, first).present == false, "mm 0 is older");
    for (; va < next; va += UINT64_C(16) << 30)
        CHECK_EQ(ioremap(w, va, 16, 3, 0), FL_OK, "%#" PRIx64, va);
    CHECK(va > next, "crossed");
    CHECK_EQ(switch_to(w, 1, false), FL_OK, "to the process");
    CHECK(look(w, next - PAGE).present && !look(w, next).present, "it has the first slot only");
    CHECK(look_under(w, reference(w), next).present, "the reference has both");
    CHECK_EQ(fork_mm(w, 1), FL_OK, "anew");
    CHECK(look(w, next).present, "and now it has");
}

int main(void)
{
    struct fl_world *w = open_world();
    test_layout(w);
    test_ioremap(w);
    test_ioremap_limits(w);
    test_crossing(w);
    fl_world_close(w);
    return check_done("world kernel");
}
