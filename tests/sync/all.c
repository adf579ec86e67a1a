/* SPDX-License-Identifier: MIT */
/*
 * Worked cases of sync-all and of the SH4.
 */
#include "../check.h"
#include "mini.h"

#include <string.h>

/* ---- sync-all ---------------------------------------------------------------------------------------------------- */

static struct {
    unsigned n;
    struct fl_entry_write write[64];
} image;

static void note(void *ctx, const struct fl_entry_write *write)
{
    (void)ctx;
    if (image.n < 64)
        image.write[image.n] = *write;
    image.n++;
}

/* The write to that place, or NULL. */
static const struct fl_entry_write *written(uint64_t paddr)
{
    for (unsigned i = 0; i < image.n && i < 64; i++)
        if (image.write[i].paddr == paddr)
            return &image.write[i];
    return NULL;
}

static struct fl_sync_all list_of(struct mini *m)
{
    return (struct fl_sync_all){.cpu = m->s.cpu,
                                .kernel = m->s.kernel,
                                .pgd = {MFRAME(FRAME_LIVE), MFRAME(FRAME_OTHER)},
                                .npgds = 2,
                                .read = mini_read,
                                .ctx = m};
}

static enum fl_sync_end decide(const struct fl_sync_all *all, uint64_t *start, uint64_t insync[16])
{
    enum fl_sync_end end = FL_SYNC_COUNT;

    image.n = 0;
    CHECK(fl_sync_all_decide(all, start, insync, note, NULL, &end) == FL_OK, "sync-all has no answer");
    return end;
}

static uint64_t entry_at(unsigned frame, uint64_t index, unsigned size)
{
    return MFRAME(frame) + index * size;
}

/*
 * PAE, 3G/1G, each table with a page directory of its own. The vmalloc range is slots 0x1c0..0x1f7 of it.
 *
 *      reference   [0x1c0] A  [0x1c1] -  [0x1f7] B  [0x1f8] C (behind the range)  [0] Z (lowmem)
 *      live        [0x1c0] -  [0x1c1] X
 *      other       [0x1c0] A
 */
static struct mini *pae(enum fl_generation generation)
{
    struct mini *m = mini_machine(FL_MODE_PAE, generation);

    mini_put(m, mini_at(m, FRAME_REFERENCE, 3), MFRAME(FRAME_C) | MP);
    mini_put(m, mini_at(m, FRAME_LIVE, 3), MFRAME(FRAME_OWN) | MP);
    mini_put(m, mini_at(m, FRAME_OTHER, 3), MFRAME(FRAME_Y) | MP);
    mini_put(m, entry_at(FRAME_C, 0x1c0, 8), MFRAME(FRAME_A) | MT);
    mini_put(m, entry_at(FRAME_C, 0x1f7, 8), MFRAME(FRAME_B) | MT);
    mini_put(m, entry_at(FRAME_C, 0x1f8, 8), MFRAME(FRAME_DATA) | MT);
    mini_put(m, entry_at(FRAME_C, 0, 8), MFRAME(FRAME_Z) | MT);
    mini_put(m, entry_at(FRAME_OWN, 0x1c1, 8), MFRAME(FRAME_X) | MT);
    mini_put(m, entry_at(FRAME_Y, 0x1c0, 8), MFRAME(FRAME_A) | (MT & ~MA));
    return m;
}

static void pae_lists(void)
{
    uint64_t start = 0, insync[16] = {0}, compared = 0, addr = 0;
    struct mini *m = pae(FL_GEN_CURRENT);
    struct fl_sync_all all = list_of(m);
    unsigned pgd = 99;

    /* CURRENT: the range alone; what is gone is taken away; accessed bits are no difference. */
    CHECK(fl_sync_unequal(&all, &pgd, &addr, &compared) && pgd == 0 && addr == 0xf8000000,
          "unequal before: %u %#" PRIx64, pgd, addr);
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED, "current");
    CHECK_EQ(image.n, 4, "current: entries");
    CHECK(written(entry_at(FRAME_OWN, 0x1c0, 8)) && written(entry_at(FRAME_OWN, 0x1f7, 8)) &&
              written(entry_at(FRAME_Y, 0x1f7, 8)),
          "current: filled");
    CHECK(written(entry_at(FRAME_OWN, 0x1c1, 8)) && written(entry_at(FRAME_OWN, 0x1c1, 8))->value == 0,
          "current: cleared");
    for (unsigned i = 0; i < image.n; i++) {
        CHECK(image.write[i].how == FL_SET_PMD && image.write[i].size == 8, "hook and size");
        mini_put(m, image.write[i].paddr, image.write[i].value);
    }
    compared = 0;
    CHECK(!fl_sync_unequal(&all, &pgd, &addr, &compared) && compared == 2 * 56, "equal after, %" PRIu64 " compared",
          compared);
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 0, "nothing left to do");
    CHECK(start == 0 && insync[0] == 0, "current remembers nothing");

    /* ... an absent directory has nothing in it that could be wrong. */
    mini_put(m, mini_at(m, FRAME_OTHER, 3), 0);
    mini_put(m, entry_at(FRAME_OWN, 0x1c0, 8), 0);
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 1, "an absent directory is passed over");
    all.kernel.shared_kernel_pmd = true;
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 0, "shared directories are in step");

    /* 2.6.25: the first entry of each GiB, and that one is remembered for all 512. */
    m = pae(FL_GEN_2008_32);
    all = list_of(m);
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 2, "2008: %u entries", image.n);
    CHECK(written(entry_at(FRAME_OWN, 0, 8)) && written(entry_at(FRAME_Y, 0, 8)), "2008: entry 0");
    CHECK(insync[0] == 1 << 3 && start == 0, "2008: slot 3 is in step, and the next is past the top");
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 0, "2008: nothing, for it is remembered");
    /* ... a reference that has nothing is not in step. */
    mini_put(m, entry_at(FRAME_C, 0, 8), 0);
    insync[0] = 0;
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 0 && insync[0] == 0, "2008: nothing there");
    /* ... and one that differs is a bug. */
    mini_put(m, entry_at(FRAME_C, 0, 8), MFRAME(FRAME_Z) | MT);
    mini_put(m, entry_at(FRAME_Y, 0, 8), MFRAME(FRAME_X) | MT);
    CHECK(decide(&all, &start, insync) == FL_SYNC_BUG && image.n == 1 && insync[0] == 0, "2008: differs");

    /* 2016: every entry from the range to the fix-mapped addresses, but nothing is taken away. */
    m = pae(FL_GEN_2016);
    all = list_of(m);
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 5, "2016: %u entries", image.n);
    CHECK(written(entry_at(FRAME_Y, 0x1f8, 8)) && !written(entry_at(FRAME_OWN, 0x1c1, 8)), "2016: beyond, not cleared");

    all.kernel.generation = FL_GEN_2014_NATIVE;
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 0, "2014: there is none");
}

/* 4-level: PML4Es of the range are 402..465; the reference has 402, 403 and 466, live 403 of another table. */
static void wide_lists(void)
{
    struct mini *m = mini_machine(FL_MODE_4LEVEL, FL_GEN_2008_64);
    struct fl_sync_all all;
    uint64_t start = 0, insync[16] = {0}, first = m->s.kernel.vmalloc_start, slot = UINT64_C(1) << 39;

    mini_put(m, entry_at(FRAME_REFERENCE, 402, 8), MFRAME(FRAME_A) | MT);
    mini_put(m, entry_at(FRAME_REFERENCE, 403, 8), MFRAME(FRAME_B) | MT);
    mini_put(m, entry_at(FRAME_REFERENCE, 466, 8), MFRAME(FRAME_C) | MT);
    all = list_of(m);
    /* 2.6.25 goes to the slot in which the range ends, that of its end included. */
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 6, "2008: %u entries", image.n);
    CHECK(image.write[0].how == FL_SET_PGD, "hook");
    CHECK_EQ(start, first + 2 * slot, "2008: all below is in step");
    CHECK_EQ(insync[6], UINT64_C(3) << (402 - 384), "2008: slots in step");
    CHECK_EQ(insync[7], UINT64_C(1) << (466 - 448), "2008: slots in step");
    /* What was in step once is not looked at again. */
    mini_put(m, entry_at(FRAME_LIVE, 403, 8), MFRAME(FRAME_X) | MT);
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 0, "2008: remembered");
    memset(insync, 0, sizeof insync);
    start = 0;
    CHECK(decide(&all, &start, insync) == FL_SYNC_BUG && image.n == 2, "2008: differs");
    CHECK_EQ(start, first + slot, "2008: up to the bug");
    all.kernel.generation = FL_GEN_2016;
    start = 0;
    memset(insync, 0, sizeof insync);
    CHECK(decide(&all, &start, insync) == FL_SYNC_BUG && image.n == 2 && start == 0 && insync[6] == 0, "2016: differs");
    all.kernel.generation = FL_GEN_CURRENT;
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 4, "current: puts it right");
    CHECK(written(entry_at(FRAME_LIVE, 403, 8)) && !written(entry_at(FRAME_LIVE, 466, 8)), "current: the range alone");
    /* To the top of the address space, without going round. */
    all.kernel.vmalloc_end = UINT64_MAX & ~UINT64_C(0xfff);
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 6, "current: to the top");
    mini_put(m, entry_at(FRAME_LIVE, 403, 8), 0);
    all.kernel.generation = FL_GEN_2008_64;
    CHECK(decide(&all, &start, insync) == FL_SYNC_HANDLED && image.n == 6, "2008: to the top");
    all.kernel.init_root = MFRAME(FRAME_WILD);
    memset(insync, 0, sizeof insync);
    CHECK(decide(&all, &start, insync) == FL_SYNC_WILD && image.n == 0, "no memory");
    all.npgds = FL_MAX_PGDS + 1;
    CHECK(fl_sync_all_decide(&all, &start, insync, note, NULL, &(enum fl_sync_end){0}) == FL_INVALID, "too many");
}

/* ---- SH4 --------------------------------------------------------------------------------------------------------- */

enum { TTB = FRAME_LIVE, SWAPPER = FRAME_REFERENCE, TABLE = FRAME_A };
#define P1      0x80000000ull
#define V       0x100ull /* PTEL.V */
#define NONE_OK 0x200ull /* there, but permits nothing */

static const struct {
    const char *what;
    uint64_t addr;
    uint64_t ref, dst, pte;
    bool before; /* the fix of 2012 */
    enum fl_sync_end end;
    bool copies;
    const char *row;
} sh4_cases[] = {
    {"a new slot", 0xc2345678, P1 | MFRAME(TABLE), 0, V, false, FL_SYNC_HANDLED, true, "sh4-copied"},
    {"a page that permits nothing", 0xc2345678, P1 | MFRAME(TABLE), 0, NONE_OK, false, FL_SYNC_HANDLED, true,
     "sh4-copied"},
    {"no page", 0xc2345678, P1 | MFRAME(TABLE), 0, 0, false, FL_SYNC_NOT_HANDLED, true, "sh4-pte-absent"},
    {"no slot", 0xc2345678, 0, 0, V, false, FL_SYNC_NOT_HANDLED, false, "sh4-reference-none"},
    {"in step", 0xc2345678, P1 | MFRAME(TABLE), P1 | MFRAME(TABLE), V, false, FL_SYNC_NOT_HANDLED, false,
     "sh4-slot-there"},
    {"differs", 0xc2345678, P1 | MFRAME(TABLE), P1 | MFRAME(FRAME_B), V, false, FL_SYNC_BUG, false, "sh4-slot-differs"},
    {"no memory", 0xc2345678, P1 | MFRAME(FRAME_WILD), 0, V, false, FL_SYNC_WILD, true, "sh4-pte-wild"},
    {"coherent DMA, after", 0xc0000000, P1 | MFRAME(TABLE), 0, V, false, FL_SYNC_HANDLED, true, "sh4-copied"},
    {"coherent DMA, before", 0xc0fff000, P1 | MFRAME(TABLE), 0, V, true, FL_SYNC_NOT_HANDLED, false,
     "sh4-out-of-range"},
    {"vmalloc, before", 0xc1000000, P1 | MFRAME(TABLE), 0, V, true, FL_SYNC_HANDLED, true, "sh4-copied"},
    {"below P3", 0xbffff000, P1 | MFRAME(TABLE), 0, V, false, FL_SYNC_NOT_HANDLED, false, "sh4-out-of-range"},
    {"the last of P3", 0xdffffffc, P1 | MFRAME(TABLE), 0, V, false, FL_SYNC_HANDLED, true, "sh4-copied"},
    {"P4", 0xe0000000, P1 | MFRAME(TABLE), 0, V, false, FL_SYNC_NOT_HANDLED, false, "sh4-out-of-range"},
};

static void sh4(void)
{
    for (size_t i = 0; i < sizeof sh4_cases / sizeof sh4_cases[0]; i++) {
        struct mini *m = mini_machine(FL_MODE_2LEVEL, FL_GEN_CURRENT); /* 4-byte entries, as SH4's */
        uint64_t addr = sh4_cases[i].addr, slot = MFRAME(TTB) + (addr >> 22) * 4, paddr = 0;
        struct fl_sh4 sh = {.ttb = MFRAME(TTB),
                            .reference = MFRAME(SWAPPER),
                            .p3_start = 0xc0000000,
                            .vmalloc_start = 0xc1000000,
                            .p3_end = 0xe0000000,
                            .fixed = !sh4_cases[i].before};
        const char *what = sh4_cases[i].what;
        struct fl_sync_expected got;
        size_t count;

        mini_put(m, MFRAME(SWAPPER) + (addr >> 22) * 4, sh4_cases[i].ref);
        mini_put(m, slot, sh4_cases[i].dst);
        mini_put(m, MFRAME(TABLE) + (addr >> 12 & 1023) * 4,
                 sh4_cases[i].pte ? MFRAME(FRAME_DATA) | sh4_cases[i].pte : 0);
        CHECK(fl_sh4_decide(&sh, addr, mini_read, m, &got) == FL_OK, "%s", what);
        CHECK(strcmp(fl_sync_rows(&count)[got.row].name, sh4_cases[i].row) == 0, "%s: row %s, expected %s", what,
              fl_sync_rows(&count)[got.row].name, sh4_cases[i].row);
        CHECK_EQ(got.end, sh4_cases[i].end, "%s", what);
        CHECK_EQ(got.nwrites, sh4_cases[i].copies, "%s", what);
        CHECK(!got.flush && !got.warn, "%s: x86 only", what);
        if (got.nwrites)
            CHECK(got.write[0].paddr == slot && got.write[0].value == sh4_cases[i].ref && got.write[0].size == 4 &&
                      got.write[0].how == FL_SET_PLAIN,
                  "%s: the write", what);
        mini_apply(m, &got);
        /* What was handled is translated now, but for a page that permits nothing. */
        CHECK_EQ(fl_sh4_walk(&sh, addr, mini_read, m, &paddr),
                 (got.end == FL_SYNC_HANDLED || sh4_cases[i].dst == sh4_cases[i].ref) && sh4_cases[i].pte == V &&
                     sh4_cases[i].ref,
                 "%s: the walk", what);
        if (paddr)
            CHECK_EQ(paddr, MFRAME(FRAME_DATA) | (addr & 0xfff), "%s: the translation", what);
        CHECK(fl_sh4_decide(NULL, addr, mini_read, m, &got) == FL_INVALID, "NULL");
        if (got.end != FL_SYNC_HANDLED)
            continue;
        sh.ttb = MFRAME(FRAME_WILD);
        CHECK(fl_sh4_decide(&sh, addr, mini_read, m, &got) == FL_OK && got.end == FL_SYNC_WILD && !got.nwrites,
              "%s: the table is no memory", what);
        CHECK(!fl_sh4_walk(&sh, addr, mini_read, m, &paddr), "%s: the table is no memory", what);
        sh.reference = MFRAME(FRAME_WILD);
        CHECK(fl_sh4_decide(&sh, addr, mini_read, m, &got) == FL_OK && got.end == FL_SYNC_WILD && !got.nwrites,
              "%s: the reference is no memory", what);
    }
}

int main(void)
{
    pae_lists();
    wide_lists();
    sh4();
    return check_done("sync-all");
}
