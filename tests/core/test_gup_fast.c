/* SPDX-License-Identifier: MIT */
/*
 * __get_user_pages_fast and get_user_pages_fast. Fast: interrupts off, no lock, no page-table lock; a leaf either gives all
 * of its pages or none, and the first that gives none ends it. "(hshh" is no rule of the kernel, but the order is: the head,
 * a speculative reference, the head again, the entry again.
 *
 *     VA            VA + 2 MiB        VA + 4 MiB
 *     |-- small pages --|-- large leaf ---|
 */
#include "gup_check.h"

#define PFN       UINT64_C(0x300)
#define HEAD      UINT64_C(0x600)
#define BIG(bits) E_FRAME(HEAD, E_PS | (bits))

static uint64_t pfns[1100];
static uint64_t entry; /* of VA */

static void set_up(void)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    k.mm_held = false;
    memset(pfns, 0x55, sizeof pfns);
}

static struct fl_pinned fast(uint64_t start, int32_t n, bool write)
{
    struct fl_pinned out;

    memset(&out, 0x55, sizeof out);
    CHECK_EQ(fl_gup()->pin_fast_only(&k.space, start, n, write, pfns, &gup_fake_ops, &k, &out), FL_OK, "status");
    CHECK_EQ(out.error, FL_PIN_OK, "the fast path knows no error");
    CHECK(!out.lock_held && !out.relocked, "no lock");
    return out;
}

static void check_fast(const char *what, uint64_t got, uint64_t pages, const char *trace)
{
    check_world(what, false, trace);
    CHECK_EQ(got, pages, "%s: pages", what);
    CHECK(pfns[pages] == UINT64_C(0x5555555555555555) || !*trace, "%s: nothing behind", what);
}

/* ---- one small leaf ---------------------------------------------------------------------------------------------- */

static const struct row {
    const char *what;
    uint64_t value;
    bool write, no_special, full, invalid, gone, taken;
    uint32_t pkru; /* with keys on; key 3 */
    const char *trace;
} rows[] = {
    {"read", E_FRAME(PFN, E_ALL), .taken = true, .trace = "(hsh)"},
    {"write", E_FRAME(PFN, E_ALL), .write = true, .taken = true, .trace = "(hsh)"},
    {"none", 0, .trace = "()"},
    {"swapped out", E_SWAP(FL_SWAP_SLOT), .trace = "()"},
    {"write, read-only", E_FRAME(PFN, E_RO), .write = true, .trace = "()"},
    {"read, read-only: the slow path breaks COW (17839856fd58)", E_FRAME(PFN, E_RO), .trace = "()"},
    {"the kernel's", E_FRAME(PFN, E_ALL & ~E_US), .trace = "()"},
    {"a NUMA hint (2b4847e73004)", E_FRAME(PFN, E_NUMA | E_US | E_RW), .trace = "()"},
    {"PROT_NONE", E_FRAME(PFN, E_PROTNONE | E_US | E_RW), .trace = "()"},
    {"special", E_FRAME(PFN, E_ALL | E_SPECIAL), .trace = "()"},
    {"where nobody can tell", E_FRAME(PFN, E_ALL), .no_special = true, .trace = "()"},
    {"no struct page", E_FRAME(PFN, E_ALL), .invalid = true, .trace = "()"},
    {"free by now, or full", E_FRAME(PFN, E_ALL), .full = true, .trace = "(hS)"},
    {"a device's", E_FRAME(PFN, E_ALL | E_DEVMAP), .taken = true, .trace = "(+s-)"},
    {"a device's, full", E_FRAME(PFN, E_ALL | E_DEVMAP), .full = true, .trace = "(+S-)"},
    {"a device's that goes away", E_FRAME(PFN, E_ALL | E_DEVMAP), .gone = true, .trace = "(#)"},
    {"a device's, read only: permission first (ef947b2529f9)", E_FRAME(PFN, E_RO | E_DEVMAP), .write = true,
     .trace = "()"},
    {"a reserved bit", E_FRAME(PFN, E_ALL) | UINT64_C(1) << 45, .trace = "()"},
    {"its key permits", E_FRAME(PFN, E_ALL) | UINT64_C(3) << 59, .pkru = 3u << 8, .taken = true, .trace = "(hsh)"},
    {"its key forbids", E_FRAME(PFN, E_ALL) | UINT64_C(3) << 59, .pkru = 1u << 6, .trace = "()"},
    {"its key forbids writing, read", E_FRAME(PFN, E_ALL) | UINT64_C(3) << 59, .pkru = 2u << 6, .taken = true,
     .trace = "(hsh)"},
    {"its key permits writing", E_FRAME(PFN, E_ALL) | UINT64_C(3) << 59, .pkru = 3u << 8, .write = true, .taken = true,
     .trace = "(hsh)"},
    {"its key forbids writing", E_FRAME(PFN, E_ALL) | UINT64_C(3) << 59, .pkru = 2u << 6, .write = true, .trace = "()"},
};

static void test_small(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];

        set_up();
        gup_map(&k, VA, 1, r->value);
        k.space.has_special = !r->no_special;
        k.space.cpu.cr4 |= r->pkru ? 1u << 22 : 0;
        k.space.cpu.pkru = r->pkru;
        k.device_gone = r->gone;
        gup_page(&k, PFN)->refuse = r->full;
        gup_page(&k, PFN)->invalid = r->invalid;
        check_fast(r->what, fast(VA + 0x123, 1, r->write).pages, r->taken, r->trace);
        CHECK_EQ(gup_page(&k, PFN)->refs, r->taken, "%s: references", r->what);
        if (r->taken)
            CHECK_EQ(pfns[0], PFN, "%s: page", r->what);
    }
    /* Keys that are off, and a format without them. */
    set_up();
    gup_map(&k, VA, 1, E_FRAME(PFN, E_ALL) | UINT64_C(3) << 59);
    k.space.cpu.pkru = UINT32_MAX;
    CHECK_EQ(fast(VA, 1, true).pages, 1, "keys are off");
    gup_fake_init(&k, FL_MODE_PAE);
    k.mm_held = false;
    gup_map(&k, VA, 1, E_FRAME(PFN, E_ALL));
    k.space.cpu.pkru = UINT32_MAX;
    k.space.cpu.cr4 |= 1u << 22;
    CHECK_EQ(fast(VA, 1, true).pages, 1, "no keys in PAE");
}

/* ---- recheck and undo -------------------------------------------------------------------------------------------- */

static uint64_t becomes;

static void change_at_reference(struct gup_fake *w, char op)
{
    if (op == 's')
        gup_write(w, entry, becomes);
}

static void split_at_reference(struct gup_fake *w, char op)
{
    if (op == 's')
        w->huge_pages = 0;
}

/* The page is taken away, or another comes, between the entry and the reference: one is given back. */
static void test_recheck(void)
{
    static const struct {
        const char *what;
        uint64_t from, to;
        uint64_t pages;
    } changes[] = {{"unmapped", E_FRAME(PFN, E_ALL), 0, 0},
                   {"another page", E_FRAME(PFN, E_ALL), E_FRAME(PFN + 1, E_ALL), 0},
                   {"made read-only", E_FRAME(PFN, E_ALL), E_FRAME(PFN, E_RO), 0},
                   {"the same again", E_FRAME(PFN, E_ALL), E_FRAME(PFN, E_ALL), 1},
                   {"a device's, unmapped", E_FRAME(PFN, E_ALL | E_DEVMAP), 0, 0}};

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        bool device = changes[i].from & E_DEVMAP;

        set_up();
        entry = gup_map(&k, VA, 1, changes[i].from);
        becomes = changes[i].to;
        k.at = change_at_reference;
        check_fast(changes[i].what, fast(VA, 1, true).pages, changes[i].pages,
                   changes[i].pages ? "(hsh)"
                   : device         ? "(+sp-)"
                                    : "(hshp)");
        CHECK_EQ(gup_refs(&k), (int)changes[i].pages, "%s: references", changes[i].what);
    }
    /* No memory at the second look. */
    set_up();
    gup_map(&k, VA, 1, E_FRAME(PFN, E_ALL));
    k.fail_read = 5;
    check_fast("no table any more", fast(VA, 1, true).pages, 0, "(hshp)");
    CHECK_EQ(gup_refs(&k), 0, "no table any more: references");
    /* All or none, of a large leaf as well, and all of what was taken is given back at once. */
    set_up();
    k.huge = HEAD;
    k.huge_pages = 512;
    entry = gup_map(&k, VA, 2, BIG(E_ALL));
    becomes = 0;
    k.at = change_at_reference;
    check_fast("a large leaf, unmapped", fast(VA + 0x1000, 4, false).pages, 0, "(hshp)");
    CHECK_EQ(gup_refs(&k), 0, "a large leaf, unmapped: references");
    /* c24d37322548: the page has another head by now. */
    set_up();
    k.huge = HEAD;
    k.huge_pages = 512;
    gup_map(&k, VA, 2, BIG(E_ALL));
    k.at = split_at_reference;
    check_fast("split meanwhile", fast(VA + 0x1000, 4, false).pages, 0, "(hshp)");
    CHECK_EQ(gup_refs(&k), 0, "split meanwhile: references");
}

/* ---- large leaves ------------------------------------------------------------------------------------------------ */

static void test_large(void)
{
    set_up();
    k.huge = HEAD;
    k.huge_pages = 512;
    gup_map(&k, VA, 2, BIG(E_ALL));
    check_fast("head and tails", fast(VA, 3, true).pages, 3, "(hshll)");
    CHECK_EQ(gup_page(&k, HEAD)->refs, 3, "70b50f94f164: the head has all");
    CHECK(gup_page(&k, HEAD)->tails == 0 && gup_page(&k, HEAD + 1)->tails == 1 && gup_page(&k, HEAD + 2)->tails == 1,
          "... and each tail its own");
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(pfns[i], HEAD + i, "page %u", i);

    set_up();
    k.huge = HEAD;
    k.huge_pages = 512;
    gup_map(&k, VA, 2, BIG(E_ALL | E_SPLITTING));
    check_fast("being split", fast(VA, 3, true).pages, 0, "()");
    set_up();
    gup_map(&k, VA, 2, BIG(E_US | E_RW | E_NUMA));
    check_fast("a large hint", fast(VA, 3, false).pages, 0, "()");
    set_up();
    gup_map(&k, VA, 2, BIG(E_RO));
    check_fast("a large leaf, read-only", fast(VA, 3, true).pages, 0, "()");
    set_up();
    k.huge = HEAD;
    k.huge_pages = 512;
    gup_map(&k, VA, 2, BIG(E_ALL));
    k.space.has_special = false;
    check_fast("large leaves are never special", fast(VA + 0x1000, 1, true).pages, 1, "(hshl)");
    set_up();
    gup_map(&k, VA, 2, BIG(E_ALL));
    gup_page(&k, HEAD + 2)->invalid = true;
    check_fast("its last page has no struct page", fast(VA, 3, true).pages, 0, "()");
    set_up();
    k.huge = HEAD;
    k.huge_pages = 512;
    gup_page(&k, HEAD)->refuse = true;
    gup_map(&k, VA, 2, BIG(E_ALL));
    check_fast("its head is free, or full", fast(VA, 3, true).pages, 0, "(hS)");

    set_up();
    k.huge = 0x40000;
    k.huge_pages = 0x40000;
    gup_map(&k, VA, 3, E_FRAME(0x40000, E_PS | E_ALL));
    check_fast("1 GiB", fast(VA + 0x5000, 2, true).pages, 2, "(hshll)");
    CHECK_EQ(pfns[0], 0x40205, "1 GiB: page");
    CHECK_EQ(gup_page(&k, 0x40000)->refs, 2, "1 GiB: head");
}

/* A device's pages have no common head: each has its own reference, and all are given back when one cannot be had, or when
 * the entry has changed (a9b6de77b1a3). */
static void test_large_device(void)
{
    set_up();
    entry = gup_map(&k, VA, 2, BIG(E_ALL | E_DEVMAP));
    check_fast("a large leaf of a device", fast(VA + 0x1000, 3, true).pages, 3, "(+sss-)");
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(pfns[i], HEAD + 1 + i, "device page %u", i);
        CHECK_EQ(gup_page(&k, HEAD + 1 + i)->refs, 1, "device page %u: references", i);
    }
    set_up();
    gup_map(&k, VA, 2, BIG(E_ALL | E_DEVMAP));
    gup_page(&k, HEAD + 3)->refuse = true;
    check_fast("... one is full", fast(VA + 0x1000, 3, true).pages, 0, "(+ssSpp-)");
    CHECK_EQ(gup_refs(&k), 0, "... one is full: references");
    set_up();
    entry = gup_map(&k, VA, 2, BIG(E_ALL | E_DEVMAP));
    becomes = 0;
    k.at = change_at_reference;
    check_fast("... unmapped meanwhile", fast(VA + 0x1000, 2, true).pages, 0, "(+sspp-)");
    CHECK_EQ(gup_refs(&k), 0, "... unmapped meanwhile: references");
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

/* From a table to the next, of each level: pages i at first + i. Each entry of an upper level is read once for its range. */
static void test_ranges(void)
{
    static const struct {
        const char *what;
        uint64_t first;
        unsigned reads;
    } ranges[] = {{"within a table", UINT64_C(0x40200000), 4 - 1 + 2 * 4},
                  {"over a directory entry", UINT64_C(0x401fe000), 4 - 1 + 1 + 2 * 4},
                  {"over a directory", UINT64_C(0x7fffe000), 4 - 1 + 2 + 2 * 4},
                  {"over a top-level entry", UINT64_C(0x7fffffe000), 4 - 1 + 3 + 2 * 4}};

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        set_up();
        for (unsigned j = 0; j < 4; j++)
            gup_map(&k, ranges[i].first + j * 0x1000, 1, E_FRAME(PFN + j, E_ALL));
        check_fast(ranges[i].what, fast(ranges[i].first, 4, true).pages, 4, "(hshhshhshhsh)");
        CHECK_EQ(k.nth['r'], ranges[i].reads, "%s: reads", ranges[i].what);
        for (unsigned j = 0; j < 4; j++)
            CHECK_EQ(pfns[j], PFN + j, "%s: page %u", ranges[i].what, j);
        /* The third is missing: two, and the rest is somebody else's. */
        set_up();
        for (unsigned j = 0; j < 4; j++)
            gup_map(&k, ranges[i].first + j * 0x1000, 1, j == 2 ? 0 : E_FRAME(PFN + j, E_ALL));
        check_fast(ranges[i].what, fast(ranges[i].first, 4, true).pages, 2, "(hshhsh)");
    }
    /* Small pages, a large leaf, and no more than was asked for. */
    set_up();
    k.huge = HEAD;
    k.huge_pages = 512;
    gup_map(&k, VA - 0x1000, 1, E_FRAME(PFN, E_ALL));
    gup_map(&k, VA, 2, BIG(E_ALL));
    check_fast("small and large", fast(VA - 0x1000, 3, true).pages, 3, "(hshhshl)");
}

static void test_upper(void)
{
    /* 15494520b776: not present is not none; and a table that lacks a right is none either. */
    static const struct {
        const char *what;
        uint64_t value;
    } values[] = {{"none", 0},
                  {"migrating", E_SWAP(FL_SWAP_MIGRATION)},
                  {"poisoned", E_SWAP(FL_SWAP_HWPOISON)},
                  {"a table without U/S", E_FRAME(9, E_ALL & ~E_US)},
                  {"a table without R/W", E_FRAME(9, E_RO)},
                  {"no memory there", E_FRAME(GUP_FRAMES, E_ALL)}};

    for (unsigned level = 2; level <= 4; level++)
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            set_up();
            gup_map(&k, VA, level, values[i].value);
            check_fast(values[i].what, fast(VA, 2, false).pages, 0, "()");
        }
    set_up();
    k.space.cpu.cr3 = (uint64_t)GUP_FRAMES << 12;
    check_fast("no root", fast(VA, 1, false).pages, 0, "()");
}

/* 7f8189068726: user space only, and no wrap, whatever the number. */
static void test_limits(void)
{
    static const struct {
        const char *what;
        uint64_t start;
        int32_t n;
        bool walks;
    } limits[] = {{"up to the end of user space", UINT64_C(0x7fffffffe000), 1, true},
                  {"a page beyond", UINT64_C(0x7fffffffe000), 2, false},
                  {"the kernel's", UINT64_C(0xffff880000000000), 1, false},
                  {"wraps", UINT64_C(0xfffffffffffff000), 2, false},
                  {"wraps to 0", UINT64_C(0xfffffffffffff000), 1, false},
                  {"none", VA, 0, false},
                  {"less than none", VA, -1, false},
                  {"the least", VA, INT32_MIN, false},
                  {"a shift of n as an int would be 0", VA, 1 << 20, true},
                  {"the most", VA, INT32_MAX, true}};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        set_up();
        check_fast(limits[i].what, fast(limits[i].start, limits[i].n, false).pages, 0, limits[i].walks ? "()" : "");
    }
    /* Even where the tables and a strange limit would allow it. */
    set_up();
    k.space.task_size = UINT64_MAX & ~UINT64_C(0xfff);
    gup_map(&k, UINT64_C(0xffffffffffffe000), 1, E_FRAME(PFN, E_ALL));
    CHECK_EQ(fast(UINT64_C(0xffffffffffffe000), 1, false).pages, 1, "the last page below the limit");
    CHECK_EQ(fast(UINT64_C(0xffffffffffffe000), 2, false).pages, 0, "... and the one behind it");
    set_up();
    k.space.task_size = UINT64_C(1) << 50;
    check_fast("not canonical", fast(UINT64_C(1) << 49, 1, false).pages, 0, "()");
}

int main(void)
{
    test_small();
    test_recheck();
    test_large();
    test_large_device();
    test_ranges();
    test_upper();
    test_limits();
    return check_done("gup fast");
}
