/* SPDX-License-Identifier: MIT */
/*
 * follow_hugetlb_page: the pages of a leaf in a row under one lock; a fault where there is no leaf that serves; holes of a
 * dump; what it does not do (TOUCH, MLOCK, the accounting of faults).
 *
 *     VA               VA + 2 MiB          VA + 4 MiB
 *     |---- leaf ----------|---- leaf ----------|      area[0], pages of 2 MiB
 */
#include "gup_check.h"

#define GET       FL_FOLL_GET
#define WRITE     FL_FOLL_WRITE
#define DUMP      FL_FOLL_DUMP
#define FORCE     FL_FOLL_FORCE
#define HEAD      UINT64_C(0x600)
#define BIG(bits) E_FRAME(HEAD, E_PS | (bits))

static uint64_t pfns[1100];
static uint32_t gens[1100];
static uint64_t entry; /* of the first leaf */

static void set_up(uint64_t value)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    k.area[0].huge_shift = 21;
    k.huge = HEAD;
    k.huge_pages = 512;
    entry = gup_map(&k, VA, 2, value);
    gup_map(&k, VA + 0x200000, 2, E_FRAME(HEAD + 0x200, E_PS | E_ALL));
    gup_page(&k, HEAD + 5)->exclusive = false;
}

static bool notes_areas = true;

static struct fl_pinned pin(uint64_t start, uint64_t n, unsigned flags)
{
    struct fl_pinned out;

    memset(pfns, 0x55, sizeof pfns);
    memset(gens, 0x55, sizeof gens);
    CHECK_EQ(fl_gup()->pin(&k.space, start, n, flags, false, flags & GET ? pfns : NULL, notes_areas ? gens : NULL,
                           &gup_fake_ops, &k, &out),
             FL_OK, "status");
    CHECK(out.lock_held && k.mm_held, "the lock stays");
    CHECK(!k.misuse, "%s", k.misuse);
    CHECK(!k.nth['i'] && !k.nth['j'], "no fault is accounted");
    CHECK(!k.nth['a'] && !k.nth['d'] && !k.nth['t'] && !k.nth['T'] && !k.nth['k'], "nothing is touched");
    return out;
}

static void check_end(const char *what, struct fl_pinned out, uint64_t pages, enum fl_pin_error error,
                      const char *trace)
{
    check_world(what, true, trace);
    CHECK_EQ(out.pages, pages, "%s: pages", what);
    CHECK_EQ(out.error, error, "%s: error", what);
}

/* ---- a row of pages ---------------------------------------------------------------------------------------------- */

static void test_rows(void)
{
    static const struct {
        uint64_t from, n, looks;
    } rows[] = {{0, 3, 1}, {510, 2, 1}, {510, 3, 2}, {0, 1024, 2}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t from = rows[i].from, n = rows[i].n;

        set_up(BIG(E_ALL));
        CHECK_EQ(pin(VA + from * 0x1000, n, GET | FL_FOLL_TOUCH | FL_FOLL_MLOCK).pages, n, "from %u", (unsigned)from);
        CHECK_EQ(k.nth['['], rows[i].looks, "from %u: one lock a leaf", (unsigned)from);
        CHECK_EQ(k.nth['!'], rows[i].looks, "from %u: looks for a signal", (unsigned)from);
        for (uint64_t j = 0; j < n; j++) {
            CHECK_EQ(pfns[j], HEAD + from + j, "page %u", (unsigned)j);
            CHECK_EQ(gens[j], 7, "area of page %u", (unsigned)j);
        }
        CHECK_EQ(gup_page(&k, HEAD)->refs, from + n <= 512 ? n : 512 - from, "the head has one for each of its pages");
        CHECK_EQ(gup_page(&k, HEAD + 511)->tails, from + n > 511, "the last tail");
    }
    set_up(BIG(E_ALL));
    check_end("only asked for", pin(VA, 2, 0), 2, FL_PIN_OK, "v![]");
    CHECK_EQ(gup_refs(&k), 0, "only asked for: references");
    set_up(BIG(E_ALL));
    notes_areas = false;
    check_end("areas are not noted", pin(VA, 2, GET), 2, FL_PIN_OK, "v![gg]");
    CHECK_EQ(gens[0], 0x55555555, "areas are not noted");
    notes_areas = true;
}

/* The area ends, and what is behind is looked up anew. */
static void test_end_of_area(void)
{
    set_up(BIG(E_ALL));
    k.area[0].end = VA + 0x200000;
    check_end("nothing behind", pin(VA + 0x1ff000, 3, GET), 1, FL_PIN_OK, "v![g]VE");
    /* (An area that ends inside a leaf cannot be; nothing behind its end is handed out all the same.) */
    set_up(BIG(E_ALL));
    k.area[0].end = VA + 0x2000;
    check_end("ends inside a leaf", pin(VA, 3, GET), 2, FL_PIN_OK, "v![gg]VE");
    set_up(BIG(E_ALL));
    k.area[0].end = VA + 0x200000;
    k.area[1] = k.area[0];
    k.area[1].start = VA + 0x200000;
    k.area[1].end = VA + 0x400000;
    k.area[1].generation = 8;
    k.nareas = 2;
    check_end("another behind", pin(VA + 0x1ff000, 2, GET), 2, FL_PIN_OK, "v![g]v![g]");
    CHECK_EQ(gens[1], 8, "another behind: its generation");
}

/* ---- what serves, and what a fault brings ------------------------------------------------------------------------ */

static const struct row {
    const char *what;
    uint64_t value;
    bool read_only, shared, exclusive, cached, invalid, full;
    unsigned flags;
    uint64_t pages;
    enum fl_pin_error error;
    const char *trace; /* with a fault answered by a writable leaf */
    unsigned asked;
} rows[] = {
    {"not there", 0, .flags = GET, .pages = 1, .trace = "v![]F![g]", .asked = FL_MM_WRITE},
    {"not there, shared", 0, .shared = true, .flags = GET, .pages = 1, .trace = "v![]F![g]"},
    {"write, read-only leaf", BIG(E_RO), .shared = true, .flags = GET | WRITE, .pages = 1, .trace = "v![]F![g]",
     .asked = FL_MM_WRITE},
    {"read, read-only leaf, shared", BIG(E_RO), .shared = true, .flags = GET, .pages = 1, .trace = "v![g]"},
    {"read, read-only leaf, private: the copy first (17839856fd58)", BIG(E_RO), .flags = GET, .pages = 1,
     .trace = "v![]F![g]", .asked = FL_MM_WRITE},
    {"... read-only area, own page", BIG(E_RO), .read_only = true, .exclusive = true, .flags = GET, .pages = 1,
     .trace = "v![g]"},
    {"... no reference asked for", BIG(E_RO), .pages = 1, .trace = "v![]"},
    {"forced, own page", BIG(E_RO), .read_only = true, .exclusive = true, .flags = GET | WRITE | FORCE, .pages = 1,
     .trace = "v![g]"},
    {"forced, not its own", BIG(E_RO), .read_only = true, .flags = GET | WRITE | FORCE, .pages = 1,
     .trace = "v![]F![g]", .asked = FL_MM_WRITE},
    {"on its way: the fault waits", E_SWAP(FL_SWAP_MIGRATION), .flags = GET, .pages = 1, .trace = "v![]F![g]",
     .asked = FL_MM_WRITE},
    {"a dump: a hole", 0, .flags = GET | DUMP | FORCE, .error = FL_PIN_EFAULT, .trace = "v![]c"},
    {"a dump: in the page cache", 0, .cached = true, .flags = GET | DUMP | FORCE, .pages = 1, .trace = "v![]cF![g]"},
    {"a dump: there", BIG(E_RO), .flags = GET | DUMP | FORCE, .pages = 1, .trace = "v![g]"},
    {"a dump: on its way, and no hole", E_SWAP(FL_SWAP_MIGRATION), .flags = GET | DUMP | FORCE, .pages = 1,
     .trace = "v![]F![g]"},
    {"no struct page", BIG(E_ALL), .invalid = true, .flags = GET, .error = FL_PIN_EFAULT, .trace = "v![]"},
    {"no reference left (8fde12ca79af)", BIG(E_ALL), .full = true, .flags = GET, .error = FL_PIN_ENOMEM,
     .trace = "v![G]"},
};

static void test_what_serves(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];

        set_up(r->value);
        k.area[0].write = !r->read_only;
        k.area[0].shared = r->shared;
        k.cached = r->cached;
        gup_page(&k, HEAD + 5)->exclusive = r->exclusive;
        gup_page(&k, HEAD + 5)->invalid = r->invalid;
        gup_page(&k, HEAD)->refuse = r->full;
        gup_answer_map(&k, FL_MM_MINOR, entry, BIG(E_ALL));
        check_end(r->what, pin(VA + 0x5000, 1, r->flags), r->pages, r->error, r->trace);
        if (k.fault_calls) {
            CHECK_EQ(k.fault_flags[0], r->asked, "%s: how the fault is asked for", r->what);
            CHECK_EQ(k.fault_addr, VA + 0x5000, "%s: where", r->what);
        }
        CHECK_EQ(gup_page(&k, HEAD + 5)->tails, r->pages && (r->flags & GET), "%s: its tail", r->what);
    }
}

static void test_answers(void)
{
    /* Linux 3.19 has one error for all of them. */
    static const uint8_t errors[] = {FL_MM_OOM, FL_MM_SIGBUS, FL_MM_SIGSEGV, FL_MM_HWPOISON, FL_MM_HWPOISON_LARGE, 200};

    for (size_t i = 0; i < sizeof errors; i++) {
        set_up(0);
        gup_answer(&k, (enum fl_mm_result)errors[i], false);
        check_end("an error", pin(VA, 1, GET | FL_FOLL_HWPOISON), 0, FL_PIN_EFAULT, "v![]F");
        set_up(BIG(E_ALL));
        gup_write(&k, entry + 8, 0);
        gup_answer(&k, (enum fl_mm_result)errors[i], false);
        check_end("an error after a page", pin(VA + 0x1ff000, 2, GET), 1, FL_PIN_OK, "v![g]![]F");
    }
    set_up(BIG(E_ALL));
    k.fatal = true;
    check_end("a fatal signal", pin(VA, 1, GET), 0, FL_PIN_EFAULT, "v!");
}

/* ---- tables that are not there yet ------------------------------------------------------------------------------- */

static void test_no_table(void)
{
    static const struct {
        const char *what;
        unsigned level;
        uint64_t value;
    } upper[] = {{"none", 3, 0},
                 {"none at the top", 4, 0},
                 {"malformed", 3, E_FRAME(9, E_RO)},
                 {"no memory there", 3, E_FRAME(GUP_FRAMES, E_ALL)}};

    for (size_t i = 0; i < sizeof upper / sizeof upper[0]; i++) {
        gup_fake_init(&k, FL_MODE_4LEVEL);
        k.area[0].huge_shift = 21;
        gup_map(&k, VA, upper[i].level, upper[i].value);
        gup_answer(&k, FL_MM_OOM, false);
        check_end(upper[i].what, pin(VA, 1, GET), 0, FL_PIN_EFAULT, "v!F");
        gup_fake_init(&k, FL_MODE_4LEVEL);
        k.area[0].huge_shift = 21;
        gup_map(&k, VA, upper[i].level, upper[i].value);
        check_end(upper[i].what, pin(VA, 1, GET | DUMP), 0, FL_PIN_EFAULT, "v!c");
    }
    gup_fake_init(&k, FL_MODE_4LEVEL);
    k.area[0] =
        (struct fl_pin_vma){.start = UINT64_C(1) << 50, .end = UINT64_C(1) << 51, .read = true, .huge_shift = 21};
    gup_answer(&k, FL_MM_OOM, false);
    check_end("not canonical", pin(UINT64_C(1) << 50, 1, 0), 0, FL_PIN_EFAULT, "v!F");
}

static void test_sizes(void)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    k.area[0].huge_shift = 30;
    k.area[0].start = 0x40000000;
    k.area[0].end = 0x80000000;
    k.huge = 0x40000;
    k.huge_pages = 0x40000;
    gup_map(&k, VA, 3, E_FRAME(0x40000, E_PS | E_ALL));
    check_end("1 GiB", pin(VA + 0x3000, 2, GET), 2, FL_PIN_OK, "v![gg]");
    CHECK_EQ(k.ptl_level, 3, "1 GiB: which lock");
    CHECK(pfns[0] == 0x40203 && pfns[1] == 0x40204, "1 GiB: pages");
    gup_fake_init(&k, FL_MODE_2LEVEL);
    k.area[0].huge_shift = 22;
    k.area[0].start = 0x40000000;
    k.huge = 0x800;
    k.huge_pages = 1024;
    gup_map(&k, 0x40000000, 2, E_FRAME(0x800, E_PS | E_ALL));
    check_end("4 MiB", pin(0x403ff000, 1, GET), 1, FL_PIN_OK, "v![g]");
    CHECK_EQ(pfns[0], 0xbff, "4 MiB: page");
}

int main(void)
{
    test_rows();
    test_end_of_area();
    test_what_serves();
    test_answers();
    test_no_table();
    test_sizes();
    return check_done("gup hugetlb");
}
