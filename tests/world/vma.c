/* SPDX-License-Identifier: MIT */
/* The VMA array: placing, cutting, protecting, growing. Above each step stands the address line: one letter a page, '.'
 * for none; capitals are the VMAs as they were placed, a '|' is a border between two that came from one. */
#include "fixture.h"
#include "world/state.h"

#define RW   (FL_PROT_READ | FL_PROT_WRITE)
#define BASE UINT64_C(0x10000000)

static uint64_t page(unsigned n)
{
    return BASE + n * PAGE;
}

/* The array as pairs of page numbers, "0-3 5-8". */
static const char *drawn(struct fl_world *w)
{
    static char text[1024];
    size_t n = 0;
    text[0] = 0;
    for (unsigned i = 0; i < w->nvmas; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%" PRIu64 "-%" PRIu64, i ? " " : "",
                              (w->vmas[i].start - BASE) / PAGE, (w->vmas[i].end - BASE) / PAGE);
    return text;
}

#define CHECK_DRAWN(w, want) CHECK(strcmp(drawn(w), want) == 0, "have %s, want %s", drawn(w), want)

static void test_map_and_unmap(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_PAE);

    fl_world_begin(w, &m);
    vma(w, page(4), 6, RW); /* ....AAAAAA */
    CHECK_DRAWN(w, "4-10");
    vma(w, page(0), 2, RW); /* BB..AAAAAA */
    CHECK_DRAWN(w, "0-2 4-10");
    vma(w, page(6), 2, FL_PROT_READ); /* BB..AACCAA */
    CHECK_DRAWN(w, "0-2 4-6 6-8 8-10");
    vma(w, page(1), 4, RW); /* BDDDDACCAA */
    CHECK_DRAWN(w, "0-1 1-5 5-6 6-8 8-10");
    range(w, FL_REC_UNMAP, page(5), 4, 0); /* BDDDD....A */
    CHECK_DRAWN(w, "0-1 1-5 9-10");
    range(w, FL_REC_UNMAP, page(2), 1, 0); /* BD.DD....A */
    CHECK_DRAWN(w, "0-1 1-2 3-5 9-10");
    vma(w, page(0), 10, RW); /* EEEEEEEEEE */
    CHECK_DRAWN(w, "0-10");
    CHECK_EQ(range(w, FL_REC_UNMAP, page(10), 4, 0), FL_INVALID, "nothing there");
    range(w, FL_REC_UNMAP, page(0), 10, 0); /* .......... */
    CHECK_DRAWN(w, "");

    /* Where nothing may be: above user space, below mmap_min_addr, around the end of the address space. */
    CHECK_EQ(vma(w, 0xc0000000, 1, RW), FL_INVALID, "kernel space");
    CHECK_EQ(vma(w, 0xbffff000, 2, RW), FL_INVALID, "into kernel space");
    CHECK_EQ(vma(w, 0xbffff000, 1, RW), FL_OK, "the last page");
    CHECK_EQ(vma(w, 15 * PAGE, 1, RW), FL_INVALID, "below mmap_min_addr");
    CHECK_EQ(vma(w, 16 * PAGE, 1, RW), FL_OK, "at mmap_min_addr");
    CHECK_EQ(vma(w, UINT64_MAX - PAGE + 1, 1, RW), FL_INVALID, "wraps");
}

static void test_pages_go_with_their_vma(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);

    /* AAAA, all touched -> A..A -> ABBA: the new pages hold nothing of the old ones. */
    fl_world_begin(w, &m);
    vma(w, page(0), 4, RW);
    for (unsigned i = 0; i < 4; i++) {
        touch(w, page(i), true);
        guest_store(w, page(i), 0x77);
    }
    range(w, FL_REC_UNMAP, page(1), 2, 0);
    CHECK(look(w, page(0)).present && !look(w, page(1)).present && !look(w, page(2)).present &&
              look(w, page(3)).present,
          "the leafs of the hole are gone");
    vma(w, page(1), 2, RW);
    touch(w, page(1), true);
    CHECK_EQ(*at(w, page(1)), 0, "fresh");
    CHECK_EQ(*at(w, page(3)), 0x77, "untouched");

    /* The file page under an address stays the same through cuts: FFFFFFFF -> F|FF|FFFFF. */
    fl_world_begin(w, &m);
    vma(w, page(0), 8, RW | FL_VMA_FILE);
    range(w, FL_REC_PROTECT, page(1), 2, FL_PROT_READ);
    CHECK_DRAWN(w, "0-1 1-3 3-8");
    CHECK_EQ(w->vmas[0].pgoff, 4, "first");
    CHECK_EQ(w->vmas[1].pgoff, 5, "second");
    CHECK_EQ(w->vmas[2].pgoff, 7, "third");
    CHECK(w->vmas[0].write && !w->vmas[1].write && w->vmas[2].write, "only the middle changed");
}

static void test_generations(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    uint32_t a, b, seen = 0;

    fl_world_begin(w, &m);
    vma(w, page(0), 4, RW);
    vma(w, page(8), 4, RW);
    a = w->vmas[0].generation;
    b = w->vmas[1].generation;
    CHECK(a != 0 && b > a, "unique, rising, never 0");
    range(w, FL_REC_UNMAP, page(2), 1, 0); /* AA.A....BBBB */
    CHECK_DRAWN(w, "0-2 3-4 8-12");
    CHECK(w->vmas[0].generation > b && w->vmas[1].generation > b && w->vmas[0].generation != w->vmas[1].generation,
          "both parts changed");
    CHECK_EQ(w->vmas[2].generation, b, "the other one did not");
    range(w, FL_REC_PROTECT, page(8), 4, FL_PROT_READ);
    CHECK(w->vmas[2].generation > b, "mprotect of a whole VMA changes it");
    for (unsigned i = 0; i < w->nvmas; i++)
        seen |= w->vmas[i].generation == 0;
    CHECK_EQ(seen, 0, "0 is never used");
}

static void test_full(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);

    fl_world_begin(w, &m);
    for (unsigned i = 0; i < FL_MAX_VMAS; i++)
        CHECK_EQ(vma(w, page(4 * i), 3, RW), FL_OK, "VMA %u", i);
    CHECK_EQ(vma(w, page(4 * FL_MAX_VMAS), 3, RW), FL_NO_MEMORY, "one too many");
    CHECK_EQ(range(w, FL_REC_UNMAP, page(1), 1, 0), FL_NO_MEMORY, "a split is one too many");
    CHECK_EQ(range(w, FL_REC_PROTECT, page(1), 1, 0), FL_NO_MEMORY, "a split is one too many");
    CHECK_EQ(w->nvmas, FL_MAX_VMAS, "nothing changed");
    CHECK_EQ(w->vmas[0].end, page(3), "nothing changed");
    CHECK_EQ(vma(w, page(0), 3, FL_PROT_READ), FL_OK, "in place of one");
    CHECK_EQ(vma(w, page(0), 4 * FL_MAX_VMAS, RW), FL_OK, "in place of all");
    CHECK_EQ(w->nvmas, 1, "one is left");
}

static void test_expand(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    struct fl_vma v, now;

    /* AA......SS with S a stack */
    fl_world_begin(w, &m);
    vma(w, page(0), 2, RW);
    vma(w, page(8), 2, RW | FL_VMA_GROWSDOWN);
    fl_world_event_begin(w);
    ops->lock_take(w);
    CHECK(ops->vma_find(w, page(5), &v) && v.start == page(8), "the first whose end is above");
    CHECK_EQ(v.prev_end, page(2), "the VMA below");
    CHECK(!v.prev_growsdown, "which is no stack");
    CHECK_EQ(v.total_pages, 4, "size of the address space");
    CHECK_EQ(ops->vma_expand(w, v.generation, page(5) + 8, &now), FL_NO_MEMORY, "not page aligned");
    CHECK_EQ(ops->vma_expand(w, v.generation, page(8), &now), FL_NO_MEMORY, "not below");
    CHECK_EQ(ops->vma_expand(w, v.generation, page(1), &now), FL_NO_MEMORY, "into the VMA below");
    CHECK(!fl_world_effects(w)->grew, "none of them did anything");
    CHECK_EQ(ops->vma_expand(w, v.generation, page(5), &now), FL_OK, "AA...SSSSS");
    CHECK_DRAWN(w, "0-2 5-10");
    CHECK(now.start == page(5) && now.end == page(10) && now.generation > v.generation && now.total_pages == 7,
          "the VMA as it is now");
    CHECK(fl_world_effects(w)->grew && fl_world_effects(w)->new_start == page(5), "recorded");
    CHECK(!fl_world_effects(w)->stale_generation, "so far");
    CHECK_EQ(ops->vma_expand(w, v.generation, page(4), &now), FL_STALE, "the old generation");
    CHECK(fl_world_effects(w)->stale_generation, "recorded");
    CHECK_EQ(ops->vma_expand(w, now.generation, page(2), &now), FL_OK, "right up to the VMA below: AASSSSSSSS");
    CHECK_DRAWN(w, "0-2 2-10");
    CHECK(!ops->vma_find(w, page(10), &v), "none above");
    ops->lock_drop(w);
}

int main(void)
{
    struct fl_world *w = open_world();
    test_map_and_unmap(w);
    test_pages_go_with_their_vma(w);
    test_generations(w);
    test_full(w);
    test_expand(w);
    fl_world_close(w);
    return check_done("world vma");
}
