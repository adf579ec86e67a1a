/* SPDX-License-Identifier: MIT */
/*
 * follow_page_mask, above the small pages: large leaves and what becomes of them, entries that lead nowhere, hugetlb areas,
 * every format of the tables.
 *
 *     VA                                   VA + 4 MiB
 *     |------------- area[0] -----------------|
 *     |-- one entry of level 2 --|
 *          ^ AT, three pages in
 */
#include "gup_check.h"

#define HEAD      UINT64_C(0x600) /* of the large page */
#define AT        (VA + 3 * UINT64_C(4096))
#define BIG(bits) E_FRAME(HEAD, E_PS | (bits))
#define NONE      FL_NO_PAGE

static uint64_t big; /* where the entry of level 2 is */

static void set_up(uint64_t value)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    k.huge = HEAD;
    k.huge_pages = 512;
    big = gup_map(&k, VA, 2, value);
}

static void check_follow(const char *what, uint64_t va, unsigned flags, uint64_t want, enum fl_pin_error error,
                         uint64_t want_mask, const char *trace)
{
    struct fl_pinned out;
    uint64_t pfn = 1, mask = 1;

    CHECK_EQ(fl_gup()->follow(&k.space, &k.area[0], va, flags, &gup_fake_ops, &k, &pfn, &mask, &out), FL_OK, "%s",
             what);
    check_world(what, true, trace);
    CHECK_EQ(pfn, want, "%s: page", what);
    CHECK_EQ(mask, want_mask, "%s: mask", what);
    CHECK_EQ(out.error, error, "%s: error", what);
    CHECK_EQ(out.pages, want != NONE, "%s: pages", what);
}

/* ---- a large leaf (follow_trans_huge_pmd) ------------------------------------------------------------------------ */

static const struct row {
    const char *what;
    uint64_t entry;
    bool read_only, exclusive, zero, full, locked, no_access;
    unsigned flags;
    uint64_t pfn;
    enum fl_pin_error error;
    const char *trace;
} rows[] = {
    {"a page inside", BIG(E_RO), .pfn = HEAD + 3, .trace = "[]"},
    {"a reference", BIG(E_RO), .flags = FL_FOLL_GET, .pfn = HEAD + 3, .trace = "[g]"},
    {"none left", BIG(E_RO), .full = true, .flags = FL_FOLL_GET, .pfn = NONE, .error = FL_PIN_ENOMEM, .trace = "[G]"},
    /* a8f97366452e: the entry is touched, dirty only by a write; the page is left alone */
    {"touched for reading", BIG(E_RO), .flags = FL_FOLL_TOUCH, .pfn = HEAD + 3, .trace = "[t]"},
    {"touched for writing", BIG(E_ALL), .flags = FL_FOLL_TOUCH | FL_FOLL_WRITE, .pfn = HEAD + 3, .trace = "[T]"},
    {"mlocked: the whole", BIG(E_RO), .locked = true, .flags = FL_FOLL_MLOCK, .pfn = HEAD + 3, .trace = "[kMu]"},
    {"touch, mlock, reference, in that order", BIG(E_ALL), .locked = true,
     .flags = FL_FOLL_TOUCH | FL_FOLL_WRITE | FL_FOLL_MLOCK | FL_FOLL_GET, .pfn = HEAD + 3, .trace = "[TkMug]"},
    /* the same rule as for small pages: 8310d48b125d */
    {"write, read-only entry", BIG(E_RO), .flags = FL_FOLL_WRITE, .pfn = NONE, .trace = "[]"},
    {"forced, own copy: no loop", BIG(E_RO), .read_only = true, .exclusive = true,
     .flags = FL_FOLL_WRITE | FL_FOLL_FORCE, .pfn = HEAD + 3, .trace = "[]"},
    {"forced, not its own: huge-dirty-cow", BIG(E_RO | E_D), .read_only = true, .flags = FL_FOLL_WRITE | FL_FOLL_FORCE,
     .pfn = NONE, .trace = "[]"},
    {"a hint takes its fault, before the lock", BIG(E_US) & ~E_P, .flags = FL_FOLL_NUMA, .pfn = NONE, .trace = ""},
    {"... and before splitting", BIG(E_US), .flags = FL_FOLL_NUMA | FL_FOLL_SPLIT, .pfn = NONE, .trace = ""},
    {"... not when nobody asks", BIG(E_US), .flags = FL_FOLL_GET, .pfn = HEAD + 3, .trace = "[g]"},
    {"... not where nothing is permitted", BIG(E_US), .no_access = true, .flags = FL_FOLL_NUMA, .pfn = HEAD + 3,
     .trace = "[]"},
    {"the huge zero page", BIG(E_RO), .zero = true, .pfn = HEAD + 3, .trace = "[]"},
    {"... in a dump: a hole", BIG(E_RO), .zero = true, .flags = FL_FOLL_DUMP, .pfn = NONE, .error = FL_PIN_EFAULT,
     .trace = "[]"},
};

static void check_row(const struct row *r)
{
    bool hint = !(r->entry & E_P);
    struct gup_page *p;

    set_up(r->entry | (hint ? E_NUMA : 0));
    k.area[0].read = !r->no_access;
    k.area[0].write = !r->read_only && !r->no_access;
    k.area[0].locked = r->locked;
    p = gup_page(&k, HEAD + 3);
    p->exclusive = r->exclusive;
    p->zero = r->zero;
    gup_page(&k, HEAD)->refuse = r->full;
    check_follow(r->what, AT, r->flags, r->pfn, r->error, r->pfn == NONE ? 0 : 511, r->trace);
    if (r->pfn != NONE) {
        CHECK_EQ(gup_page(&k, HEAD)->refs, !!(r->flags & FL_FOLL_GET), "%s: head", r->what);
        CHECK_EQ(gup_page(&k, HEAD + 3)->tails, !!(r->flags & FL_FOLL_GET), "%s: tail", r->what);
    } else {
        CHECK_EQ(gup_refs(&k), 0, "%s: references", r->what);
    }
    CHECK_EQ(gup_page(&k, HEAD)->mlocked, strchr(r->trace, 'M') != NULL, "%s: the head is mlocked", r->what);
    CHECK_EQ(k.ptl_level, k.nth['['] ? 2 : 0, "%s: which lock", r->what);
    CHECK_EQ(!!(gup_value(&k, big) & E_D), !!(r->entry & E_D) || strchr(r->trace, 'T'), "%s: dirty", r->what);
}

/* ---- what becomes of it ------------------------------------------------------------------------------------------ */

static uint64_t becomes;

static void change_at_first_lock(struct gup_fake *w, char op)
{
    if (op == '[' && w->nth['['] == 1)
        gup_write(w, big, becomes);
}

/* A table of small pages beside, for the large leaf to become: HEAD + i at page i. */
static uint64_t small_pages(uint64_t bits)
{
    uint64_t table = (uint64_t)k.frames++ << 12;

    for (uint64_t i = 0; i < 512; i++)
        gup_write(&k, table + i * 8, E_FRAME(HEAD + i, bits));
    return table | E_ALL;
}

static void test_split(void)
{
    /* FOLL_SPLIT: split first, and then as any small page; the mask is that of one page. */
    set_up(BIG(E_RO));
    k.splits = true;
    k.split_value = small_pages(E_RO);
    check_follow("split", AT, FL_FOLL_SPLIT | FL_FOLL_GET, HEAD + 3, FL_PIN_OK, 0, "/[g]");
    CHECK_EQ(k.waited_at, big, "split: which entry");

    set_up(BIG(E_RO));
    k.splits = true;
    check_follow("split, and then gone", AT, FL_FOLL_SPLIT, NONE, FL_PIN_OK, 0, "/");
    set_up(BIG(E_RO));
    k.splits = true;
    check_follow("... in a dump", AT, FL_FOLL_SPLIT | FL_FOLL_DUMP, NONE, FL_PIN_EFAULT, 0, "/");
    set_up(BIG(E_RO));
    k.splits = true;
    k.split_value = E_SWAP(FL_SWAP_MIGRATION);
    check_follow("split, and then moved, in a dump", AT, FL_FOLL_SPLIT | FL_FOLL_DUMP, NONE, FL_PIN_OK, 0, "/");

    set_up(BIG(E_RO | E_SPLITTING));
    k.splits = true;
    k.split_value = small_pages(E_RO);
    check_follow("being split: waited for", AT, FL_FOLL_GET, HEAD + 3, FL_PIN_OK, 0, "[]~[g]");

    set_up(BIG(E_RO));
    becomes = small_pages(E_RO);
    k.at = change_at_first_lock;
    check_follow("split before the lock was had", AT, FL_FOLL_GET, HEAD + 3, FL_PIN_OK, 0, "[][g]");

    set_up(BIG(E_RO));
    becomes = BIG(E_US | E_NUMA);
    k.at = change_at_first_lock;
    check_follow("a hint since", AT, FL_FOLL_GET | FL_FOLL_NUMA, NONE, FL_PIN_OK, 0, "[]");

    /* pmd_bad: large again where small pages were looked for. */
    set_up(BIG(E_RO));
    check_follow("not split after all", AT, FL_FOLL_SPLIT, NONE, FL_PIN_OK, 0, "/");
}

/* ---- entries that lead nowhere ----------------------------------------------------------------------------------- */

static void check_upper(const char *what, unsigned level, uint64_t value, enum fl_pin_error in_dump)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    gup_map(&k, VA, level, value);
    check_follow(what, AT, FL_FOLL_GET, NONE, FL_PIN_OK, 0, "");
    check_follow(what, AT, FL_FOLL_GET | FL_FOLL_DUMP, NONE, in_dump, 0, "");
    k.area[0].has_fault = true;
    check_follow(what, AT, FL_FOLL_GET | FL_FOLL_DUMP, NONE, FL_PIN_OK, 0, "");
}

static void test_upper(void)
{
    for (unsigned level = 2; level <= 4; level++) {
        check_upper("none", level, 0, FL_PIN_EFAULT);
        check_upper("swap: no hole", level, E_SWAP(FL_SWAP_MIGRATION), FL_PIN_OK);
        check_upper("a table for the kernel alone: malformed", level, E_FRAME(9, E_ALL & ~E_US), FL_PIN_EFAULT);
        check_upper("a table that forbids writing: malformed", level, E_FRAME(9, E_RO), FL_PIN_EFAULT);
        check_upper("a reserved bit", level, E_FRAME(9, E_ALL) | UINT64_C(1) << 45, FL_PIN_EFAULT);
        check_upper("no memory there", level, E_FRAME(GUP_FRAMES + 1, E_ALL), FL_PIN_EFAULT);
    }
    check_upper("a leaf of 1 GiB, and no hugetlb area", 3, E_FRAME(0x40000, E_PS | E_ALL), FL_PIN_EFAULT);

    gup_fake_init(&k, FL_MODE_4LEVEL);
    check_follow("not canonical", UINT64_C(1) << 50, FL_FOLL_DUMP, NONE, FL_PIN_EFAULT, 0, "");
    gup_fake_init(&k, FL_MODE_4LEVEL);
    k.space.cpu.cr3 = (uint64_t)GUP_FRAMES << 12;
    check_follow("no root", VA, 0, NONE, FL_PIN_OK, 0, "");
    check_follow("no root, in a dump", VA, FL_FOLL_DUMP, NONE, FL_PIN_EFAULT, 0, "");
    k.area[0].has_fault = true;
    check_follow("no root, and a fault handler", VA, FL_FOLL_DUMP, NONE, FL_PIN_OK, 0, "");
}

static void end_migration(struct gup_fake *w, char op)
{
    if (op == 'm' && w->nth['m'] == 2)
        gup_write(w, big, BIG(E_RO));
}

static void test_migration(void)
{
    set_up(E_SWAP(FL_SWAP_MIGRATION));
    k.at = end_migration;
    check_follow("a large page on its way", AT, FL_FOLL_MIGRATION | FL_FOLL_GET, HEAD + 3, FL_PIN_OK, 511, "m!m![g]");
    CHECK_EQ(k.waited_at, big, "waited for");
    set_up(E_SWAP(FL_SWAP_MIGRATION));
    k.fatal = true;
    check_follow("... a fatal signal", AT, FL_FOLL_MIGRATION, NONE, FL_PIN_OK, 0, "m!");
    set_up(E_SWAP(FL_SWAP_SLOT));
    check_follow("a large swap entry", AT, FL_FOLL_MIGRATION, NONE, FL_PIN_OK, 0, "");
}

/* ---- hugetlb areas (follow_huge_pmd, follow_huge_pud) ------------------------------------------------------------ */

#define EVERY_TOUCH (FL_FOLL_TOUCH | FL_FOLL_MLOCK | FL_FOLL_SPLIT | FL_FOLL_NUMA)

static void set_up_hugetlb(unsigned shift, uint64_t value)
{
    set_up(shift == 21 ? value : 0);
    k.area[0].huge_shift = (uint8_t)shift;
    k.area[0].locked = true;
    if (shift == 30) {
        gup_fake_init(&k, FL_MODE_4LEVEL);
        k.area[0].huge_shift = 30;
        k.huge = 0x40000;
        k.huge_pages = 0x40000;
        big = gup_map(&k, VA, 3, value);
    }
}

static void test_hugetlb(void)
{
    set_up_hugetlb(21, BIG(E_RO));
    check_follow("2 MiB: a reference, and nothing else", AT, FL_FOLL_GET | EVERY_TOUCH, HEAD + 3, FL_PIN_OK, 511,
                 "[g]");
    set_up_hugetlb(30, E_FRAME(0x40000, E_PS | E_RO));
    check_follow("1 GiB", AT, FL_FOLL_GET | EVERY_TOUCH, 0x40203, FL_PIN_OK, 0x3ffff, "[g]");
    CHECK_EQ(gup_page(&k, 0x40000)->refs, 1, "1 GiB: head");
    CHECK_EQ(gup_page(&k, 0x40203)->tails, 1, "1 GiB: tail");
    set_up_hugetlb(21, E_SWAP(FL_SWAP_MIGRATION));
    k.at = end_migration;
    check_follow("on its way: waited for, whoever asks", AT, 0, HEAD + 3, FL_PIN_OK, 511, "m!m![]");
    set_up_hugetlb(21, E_SWAP(FL_SWAP_HWPOISON));
    check_follow("poisoned", AT, 0, NONE, FL_PIN_OK, 0, "");
    set_up_hugetlb(30, E_FRAME(0x40000, E_PS | E_RO));
    becomes = E_FRAME(9, E_ALL);
    k.at = change_at_first_lock;
    check_follow("no leaf any more", AT, FL_FOLL_GET, NONE, FL_PIN_OK, 0, "[]");
    set_up_hugetlb(21, BIG(E_RO));
    becomes = 0;
    k.at = change_at_first_lock;
    check_follow("a hole since, in a dump", AT, FL_FOLL_DUMP, NONE, FL_PIN_EFAULT, 0, "[]");
    set_up_hugetlb(21, BIG(E_RO));
    k.area[0].has_fault = true;
    becomes = 0;
    k.at = change_at_first_lock;
    check_follow("a hole since, and a fault handler", AT, FL_FOLL_DUMP, NONE, FL_PIN_OK, 0, "[]");
}

/* ---- formats ----------------------------------------------------------------------------------------------------- */

static void test_formats(void)
{
    static const struct {
        enum fl_mode mode;
        unsigned pages; /* of a leaf of level 2 */
        const char *name;
    } modes[] = {{FL_MODE_2LEVEL, 1024, "2 levels"},
                 {FL_MODE_PAE, 512, "PAE"},
                 {FL_MODE_4LEVEL, 512, "4 levels"},
                 {FL_MODE_5LEVEL, 512, "5 levels"}};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        uint64_t size = (uint64_t)modes[i].pages << 12, va = 0x40000000;

        gup_fake_init(&k, modes[i].mode);
        gup_map(&k, va + size, 1, E_FRAME(0x345, E_RO));
        check_follow(modes[i].name, va + size, FL_FOLL_GET, 0x345, FL_PIN_OK, 0, "[g]");
        gup_fake_init(&k, modes[i].mode);
        gup_map(&k, va, 2, E_FRAME(0x800, E_PS | E_RO));
        check_follow(modes[i].name, va + 0x5000, 0, 0x805, FL_PIN_OK, modes[i].pages - 1, "[]");
    }
    /* Frame numbers of 4 MiB pages reach beyond 32 bits of address (PSE-36). */
    gup_fake_init(&k, FL_MODE_2LEVEL);
    k.space.cpu.pse36 = true;
    gup_map(&k, VA & ~UINT64_C(0x3fffff), 2, 0x00800000 | 1 << 13 | E_PS | E_RO);
    check_follow("PSE-36", VA & ~UINT64_C(0x3fffff), 0, 0x100800, FL_PIN_OK, 1023, "[]");
}

/* An entry of PAE changes between its halves: what is taken is never one half of each. Before read number i of the entry
 * frame i:0x40 + i is written, up to read number `tearing`; each look is three reads: low, high, low. */
static uint64_t torn_entry;
static unsigned torn_reads, tearing;

static uint64_t torn_frame(unsigned i)
{
    return i ? (uint64_t)i << 20 | (0x40 + i) : 0x40;
}

static void tear(struct gup_fake *w, char op)
{
    if (op == 'r' && w->ptl_held && ++torn_reads <= tearing)
        gup_write(w, torn_entry, E_FRAME(torn_frame(torn_reads), E_RO));
}

static void test_torn(void)
{
    static const struct {
        unsigned tearing, looks;
    } cases[] = {{0, 1}, {1, 1}, {2, 2}, {3, 2}, {4, 2}, {5, 3}, {7, 3}, {10, 4}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gup_fake_init(&k, FL_MODE_PAE);
        torn_entry = gup_map(&k, VA, 1, E_FRAME(torn_frame(0), E_RO));
        torn_reads = 0;
        tearing = cases[i].tearing;
        k.at = tear;
        check_follow("torn", VA, 0, torn_frame(tearing), FL_PIN_OK, 0, "[]");
        CHECK_EQ(torn_reads, 3 * cases[i].looks, "torn %u times: reads", tearing);
    }
    /* It changes under every look: nothing is taken, and there is an end to it. */
    gup_fake_init(&k, FL_MODE_PAE);
    torn_entry = gup_map(&k, VA, 1, E_FRAME(torn_frame(0), E_RO));
    torn_reads = 0;
    tearing = 1000;
    k.at = tear;
    check_follow("torn again and again", VA, FL_FOLL_GET, NONE, FL_PIN_OK, 0, "[]");
    CHECK_EQ(torn_reads, 12, "torn again and again: reads");
    /* No memory at any of the reads of the top level: there is no entry. */
    for (unsigned i = 1; i <= 3; i++) {
        gup_fake_init(&k, FL_MODE_PAE);
        gup_map(&k, VA, 1, E_FRAME(0x41, E_RO));
        k.fail_read = i;
        check_follow("no memory", VA, FL_FOLL_DUMP, NONE, FL_PIN_EFAULT, 0, "");
        CHECK_EQ(k.nth['r'], i, "no memory at read %u: it ends there", i);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
    test_split();
    test_upper();
    test_migration();
    test_hugetlb();
    test_formats();
    test_torn();
    return check_done("gup levels");
}
