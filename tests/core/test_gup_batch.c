/* SPDX-License-Identifier: MIT */
/*
 * __get_user_pages over many pages: areas that follow each other, huge pages in one step, signals in between, the gate
 * area.
 */
#include "gup_check.h"

#define GET  FL_FOLL_GET
#define HEAD UINT64_C(0x600)
#define TOP  UINT64_C(0xffffffffff600000)

static uint64_t pfns[1100];
static uint32_t gens[1100];

static struct fl_pinned pin(uint64_t start, uint64_t n, unsigned flags, uint32_t *generations)
{
    struct fl_pinned out;

    memset(pfns, 0x55, sizeof pfns);
    memset(gens, 0x55, sizeof gens);
    CHECK_EQ(fl_gup()->pin(&k.space, start, n, flags, false, flags & GET ? pfns : NULL, generations, &gup_fake_ops, &k,
                           &out),
             FL_OK, "status");
    CHECK(out.lock_held && k.mm_held && !out.relocked, "the lock stays");
    return out;
}

/* ---- areas ------------------------------------------------------------------------------------------------------- */

/*
 *     VA   +1   +2   +3   +4 pages
 *     |--- 7 ---|- 8 -|     |         each page mapped to 0x300 + its number
 */
static void two_areas(void)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    k.area[0].end = VA + 0x2000;
    k.area[1] = k.area[0];
    k.area[1].start = VA + 0x2000;
    k.area[1].end = VA + 0x3000;
    k.area[1].generation = 8;
    k.nareas = 2;
    for (unsigned i = 0; i < 4; i++)
        gup_map(&k, VA + i * 0x1000, 1, E_FRAME(0x300 + i, E_ALL));
}

static void test_areas(void)
{
    struct fl_pinned out;

    two_areas();
    out = pin(VA + 0xfff, 3, GET, gens);
    check_world("an area is looked up once", true, "v!y[g]!y[g]v!y[g]");
    CHECK_EQ(out.pages, 3, "two areas");
    CHECK_EQ(out.error, FL_PIN_OK, "two areas");
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(pfns[i], 0x300 + i, "page %u", i);
        CHECK_EQ(gens[i], i < 2 ? 7u : 8u, "area of page %u", i);
    }
    CHECK_EQ(pfns[3], UINT64_C(0x5555555555555555), "nothing behind");

    two_areas();
    out = pin(VA, 4, GET, NULL);
    check_world("behind the last area", true, "v!y[g]!y[g]v!y[g]VE");
    CHECK_EQ(out.pages, 3, "a hole ends it");
    CHECK_EQ(out.error, FL_PIN_OK, "... and is no error then");

    two_areas();
    k.area[1].read = false;
    out = pin(VA, 3, GET, NULL);
    check_world("an area that forbids", true, "v!y[g]!y[g]v");
    CHECK_EQ(out.pages, 2, "an area that forbids");
    CHECK_EQ(gup_refs(&k), 2, "references stay with the caller");

    two_areas();
    gup_page(&k, 0x301)->refuse = true;
    out = pin(VA, 3, GET, NULL);
    check_world("a reference is refused", true, "v!y[g]!y[G]");
    CHECK_EQ(out.pages, 1, "a reference is refused");
    CHECK_EQ(out.error, FL_PIN_OK, "... after a page");
    out = pin(VA + 0x1000, 1, GET, NULL);
    CHECK_EQ(out.error, FL_PIN_ENOMEM, "... at the first");
}

/* ---- page_mask --------------------------------------------------------------------------------------------------- */

static const struct mask_row {
    const char *what;
    uint64_t from, n; /* pages into the huge page */
    unsigned flags;
    bool generations;
    uint64_t steps; /* look-ups of the two huge pages */
} mask_rows[] = {
    {"one huge page", 0, 512, 0, false, 1},
    {"a part of one", 0, 100, 0, false, 1},
    {"from its middle on", 200, 312, 0, false, 1},
    {"its last page", 511, 1, 0, false, 1},
    {"over the end", 500, 20, 0, false, 2},
    {"both", 0, 1024, 0, false, 2},
    {"areas are noted: page by page", 0, 10, 0, true, 10},
    {"pages are handed out: page by page", 505, 10, GET, false, 10},
};

static void test_masks(void)
{
    for (size_t i = 0; i < sizeof mask_rows / sizeof mask_rows[0]; i++) {
        const struct mask_row *r = &mask_rows[i];
        struct fl_pinned out;

        gup_fake_init(&k, FL_MODE_4LEVEL);
        k.huge = HEAD;
        k.huge_pages = 512;
        gup_map(&k, VA, 2, E_FRAME(HEAD, E_PS | E_ALL));
        gup_map(&k, VA + 0x200000, 2, E_FRAME(HEAD + 0x200, E_PS | E_ALL));
        out = pin(VA + r->from * 0x1000, r->n, r->flags, r->generations ? gens : NULL);
        CHECK(!k.misuse, "%s: %s", r->what, k.misuse);
        CHECK_EQ(out.pages, r->n, "%s: pages", r->what);
        CHECK_EQ(out.error, FL_PIN_OK, "%s", r->what);
        CHECK_EQ(k.nth['['], r->steps, "%s: look-ups", r->what);
        CHECK_EQ(k.nth['!'], r->steps, "%s: looks for a signal", r->what);
        for (uint64_t j = 0; r->flags & GET && j < r->n; j++)
            CHECK_EQ(pfns[j], HEAD + r->from + j, "%s: page %u", r->what, (unsigned)j);
        for (uint64_t j = 0; r->generations && j < r->n; j++)
            CHECK_EQ(gens[j], 7, "%s: area of page %u", r->what, (unsigned)j);
    }
}

/* ---- a fatal signal ---------------------------------------------------------------------------------------------- */

static void kill_at_second_reference(struct gup_fake *w, char op)
{
    if (op == 'g' && w->nth['g'] == 2)
        w->fatal = true;
}

static void test_signal(void)
{
    struct fl_pinned out;

    two_areas();
    k.fatal = true;
    out = pin(VA, 3, GET, NULL);
    check_world("a signal before", true, "v!");
    CHECK_EQ(out.pages, 0, "a signal before");
    CHECK_EQ(out.error, FL_PIN_ERESTARTSYS, "a signal before");

    two_areas();
    k.at = kill_at_second_reference;
    out = pin(VA, 3, GET, NULL);
    check_world("a signal meanwhile", true, "v!y[g]!y[g]v!");
    CHECK_EQ(out.pages, 2, "what was pinned is the answer");
    CHECK_EQ(out.error, FL_PIN_OK, "what was pinned is the answer");
}

/* ---- get_gate_page ----------------------------------------------------------------------------------------------- */

static const struct gate_row {
    const char *what;
    uint64_t entry;
    unsigned level, flags;
    bool zero, full, invalid;
    enum fl_pin_error error;
    const char *trace;
} gate_rows[] = {
    {"read", E_FRAME(0x77, E_RO), .level = 1, .flags = GET, .trace = "Veg"},
    {"only asked for", E_FRAME(0x77, E_RO), .level = 1, .trace = "Ve"},
    {"write", E_FRAME(0x77, E_ALL), .level = 1, .flags = GET | FL_FOLL_WRITE, .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"write by force", E_FRAME(0x77, E_ALL), .level = 1, .flags = GET | FL_FOLL_WRITE | FL_FOLL_FORCE,
     .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"not mapped", 0, .level = 1, .flags = GET, .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"swapped out, if that could be", E_SWAP(FL_SWAP_SLOT), .level = 1, .flags = GET, .error = FL_PIN_EFAULT,
     .trace = "Ve"},
    {"PROT_NONE, if that could be", E_FRAME(0x77, E_US | E_PROTNONE), .level = 1, .flags = GET, .error = FL_PIN_EFAULT,
     .trace = "Ve"},
    {"no directory entry", 0, .level = 2, .flags = GET, .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"no upper entry: no BUG", 0, .level = 3, .flags = GET, .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"no top-level entry: no BUG", 0, .level = 4, .flags = GET, .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"a huge page: no BUG", E_FRAME(0x600, E_PS | E_RO), .level = 2, .flags = GET, .error = FL_PIN_EFAULT,
     .trace = "Ve"},
    {"no memory there", E_FRAME(GUP_FRAMES, E_ALL), .level = 2, .flags = GET, .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"no struct page", E_FRAME(0x77, E_RO), .level = 1, .flags = GET, .invalid = true, .error = FL_PIN_EFAULT,
     .trace = "Ve"},
    {"special", E_FRAME(0x77, E_RO | E_SPECIAL), .level = 1, .flags = GET, .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"the zero page", E_FRAME(0x77, E_RO), .level = 1, .flags = GET, .zero = true, .trace = "Veg"},
    {"the zero page in a dump", E_FRAME(0x77, E_RO), .level = 1, .flags = GET | FL_FOLL_DUMP, .zero = true,
     .error = FL_PIN_EFAULT, .trace = "Ve"},
    {"no reference left", E_FRAME(0x77, E_RO), .level = 1, .flags = GET, .full = true, .error = FL_PIN_ENOMEM,
     .trace = "VeG"},
};

static void gate_at(uint64_t start)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    k.gate = (struct fl_pin_vma){.start = start, .end = start + 0x1000, .generation = 99, .read = true, .gate = true};
}

static void test_gate(void)
{
    struct fl_pinned out;

    for (size_t i = 0; i < sizeof gate_rows / sizeof gate_rows[0]; i++) {
        const struct gate_row *r = &gate_rows[i];

        gate_at(TOP);
        gup_map_kernel(&k, TOP, r->level, r->entry);
        gup_page(&k, 0x77)->zero = r->zero;
        gup_page(&k, 0x77)->refuse = r->full;
        gup_page(&k, 0x77)->invalid = r->invalid;
        out = pin(TOP + 8, 1, r->flags, gens);
        check_world(r->what, true, r->trace);
        CHECK_EQ(out.error, r->error, "%s: error", r->what);
        CHECK_EQ(out.pages, r->error == FL_PIN_OK, "%s: pages", r->what);
        CHECK_EQ(gup_page(&k, 0x77)->refs, r->error == FL_PIN_OK && (r->flags & GET), "%s: references", r->what);
        if (r->error == FL_PIN_OK)
            CHECK_EQ(gens[0], 99, "%s: its area", r->what);
        if (r->error == FL_PIN_OK && (r->flags & GET))
            CHECK_EQ(pfns[0], 0x77, "%s: its page", r->what);
    }
    /* The kernel's tables do not give user rights to the levels above: the leaf decides. */
    gate_at(TOP);
    gup_map_kernel(&k, TOP, 1, E_FRAME(0x77, E_RO));
    gup_write(&k, 0x2000 + 511 * 8, gup_value(&k, 0x2000 + 511 * 8) & ~E_US);
    CHECK_EQ(pin(TOP, 1, GET, NULL).pages, 1, "U/S of an upper entry");
    /* From task_size on it is the kernel's tables, that address included; below, the task's. */
    for (unsigned below = 0; below < 2; below++) {
        uint64_t at = UINT64_C(0x7ffffffff000) - below * 0x1000;

        gate_at(at);
        gup_map(&k, at, 1, E_FRAME(0x70, E_RO));
        gup_map_kernel(&k, at, 1, E_FRAME(0x71, E_RO));
        CHECK_EQ(pin(at, 1, GET, NULL).pages, 1, "gate %u below task_size", below);
        CHECK_EQ(pfns[0], below ? 0x70 : 0x71, "gate %u below task_size", below);
    }
    gate_at(UINT64_C(1) << 50);
    CHECK_EQ(pin(UINT64_C(1) << 50, 1, GET, NULL).error, FL_PIN_EFAULT, "not canonical");
    /* Behind the gate page there is nothing; what follows it is looked up anew. */
    gate_at(TOP);
    gup_map_kernel(&k, TOP, 1, E_FRAME(0x77, E_RO));
    out = pin(TOP, 2, GET, NULL);
    check_world("behind the gate", true, "VegVE");
    CHECK_EQ(out.pages, 1, "behind the gate");
    /* No kernel page but this one. */
    gate_at(TOP);
    gup_map_kernel(&k, TOP + 0x1000, 1, E_FRAME(0x77, E_ALL));
    CHECK_EQ(pin(TOP + 0x1000, 1, GET, NULL).error, FL_PIN_EFAULT, "a kernel page");
}

int main(void)
{
    test_areas();
    test_masks();
    test_signal();
    test_gate();
    return check_done("gup batch");
}
