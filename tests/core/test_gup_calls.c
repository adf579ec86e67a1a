/* SPDX-License-Identifier: MIT */
/* The calls that are made of others (get_user_pages, get_user_pages_fast, get_dump_page), fixup_user_fault, and what every
 * entry asks of its arguments. */
#include "gup_check.h"

#define PFN UINT64_C(0x345)

static uint64_t pfns[16];
static uint32_t gens[16];
static uint64_t entry;

static void set_up(uint64_t value)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    entry = gup_map(&k, VA, 1, value);
    memset(pfns, 0x55, sizeof pfns);
}

/* ---- get_user_pages ---------------------------------------------------------------------------------------------- */

static void test_pin_user(void)
{
    static const struct {
        const char *what;
        bool write, force, pages, enters;
        const char *trace;
    } rows[] = {/* (of a private area: as a write, since it asks for a copy like one) */
                {"read", false, false, true, true, "v!y[gda]"},
                {"read, only brought in", false, false, false, true, "v!y[a]"},
                {"write", true, false, true, true, "v!y[gda]"},
                {"write, only brought in", true, false, false, true, "v!y[da]"},
                {"write by force", true, true, true, true, "v!y[gda]"}};
    struct fl_pinned out;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_up(E_FRAME(PFN, E_ALL));
        CHECK_EQ(fl_gup()->pin_user(&k.space, VA + 5, 1, rows[i].write, rows[i].force, rows[i].pages ? pfns : NULL,
                                    gens, &gup_fake_ops, &k, &out),
                 FL_OK, "%s", rows[i].what);
        check_world(rows[i].what, true, rows[i].trace);
        CHECK(out.pages == 1 && out.error == FL_PIN_OK && out.lock_held, "%s", rows[i].what);
        CHECK_EQ(gens[0], 7, "%s: its area", rows[i].what);
    }
    for (unsigned force = 0; force < 2; force++) {
        set_up(E_FRAME(PFN, E_RO));
        k.area[0].write = false;
        gup_page(&k, PFN)->exclusive = true;
        fl_gup()->pin_user(&k.space, VA, 1, true, force, pfns, NULL, &gup_fake_ops, &k, &out);
        CHECK_EQ(out.pages, force, "a read-only area, force %u", force);
        CHECK_EQ(out.error, force ? FL_PIN_OK : FL_PIN_EFAULT, "a read-only area, force %u", force);
    }
    /* It blocks: no leave to drop the lock. */
    set_up(0);
    gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(PFN, E_ALL));
    fl_gup()->pin_user(&k.space, VA, 1, true, false, pfns, NULL, &gup_fake_ops, &k, &out);
    CHECK_EQ(k.fault_flags[0], FL_MM_WRITE, "no leave to retry");
    CHECK(!k.fault_nowait, "it waits");
    /* Hints take their fault, but not for somebody who forces. */
    for (unsigned force = 0; force < 2; force++) {
        set_up(E_FRAME(PFN, E_NUMA | E_US | E_RW));
        gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(PFN, E_ALL));
        fl_gup()->pin_user(&k.space, VA, 1, false, force, pfns, NULL, &gup_fake_ops, &k, &out);
        CHECK_EQ(out.pages, 1, "a hint, force %u", force);
        CHECK_EQ(k.fault_calls, !force, "a hint, force %u: faults", force);
    }
}

/* ---- get_user_pages_fast ----------------------------------------------------------------------------------------- */

static void drop_the_area(struct gup_fake *w, char op)
{
    if (op == 'L')
        w->nareas = 0;
}

static void test_pin_fast(void)
{
    static const struct {
        const char *what;
        uint64_t value[3]; /* of three pages */
        int32_t n;
        bool no_area;
        uint64_t pages;
        enum fl_pin_error error;
        const char *trace;
    } rows[] = {
        {"all of it fast", {E_ALL, E_ALL, E_ALL}, 3, false, 3, FL_PIN_OK, "(hshhshhsh)"},
        {"the last slow", {E_ALL, E_ALL, 0}, 3, false, 3, FL_PIN_OK, "(hshhsh)Lv!y[]fi!y[gda]U"},
        {"all slow", {0, E_ALL, E_ALL}, 3, false, 3, FL_PIN_OK, "()Lv!y[]fi!y[gda]!y[gda]!y[gda]U"},
        {"an error after pages is none", {E_ALL, 0, 0}, 2, true, 1, FL_PIN_OK, "(hsh)LVEU"},
        {"an error before any", {0, 0, 0}, 2, true, 0, FL_PIN_EFAULT, "()LVEU"},
        {"none", {E_ALL}, 0, false, 0, FL_PIN_OK, ""},
        {"less than none", {E_ALL}, -3, false, 0, FL_PIN_OK, ""},
    };
    struct fl_pinned out;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t at = 0;

        set_up(0);
        k.mm_held = false;
        for (unsigned j = 0; j < 3; j++) {
            uint64_t a = gup_map(&k, VA + j * 0x1000, 1, rows[i].value[j] ? E_FRAME(PFN + j, rows[i].value[j]) : 0);

            if (!rows[i].value[j])
                at = a;
        }
        gup_answer_map(&k, FL_MM_MINOR, at, E_FRAME(PFN + (at - entry) / 8, E_ALL));
        k.at = rows[i].no_area ? drop_the_area : NULL;
        CHECK_EQ(fl_gup()->pin_fast(&k.space, VA + 7, rows[i].n, false, pfns, &gup_fake_ops, &k, &out), FL_OK, "%s",
                 rows[i].what);
        check_world(rows[i].what, false, rows[i].trace);
        CHECK(!out.lock_held && !out.relocked, "%s: the lock", rows[i].what);
        CHECK_EQ(out.pages, rows[i].pages, "%s: pages", rows[i].what);
        CHECK_EQ(out.error, rows[i].error, "%s: error", rows[i].what);
        CHECK_EQ(gup_refs(&k), (int)rows[i].pages, "%s: references", rows[i].what);
        for (uint64_t j = 0; j < rows[i].pages; j++)
            CHECK_EQ(pfns[j], PFN + j, "%s: page %u", rows[i].what, (unsigned)j);
    }
}

static void test_fast_falls_back(void)
{
    struct fl_pinned out;

    /* Write is write on both ways, and it is never forced. */
    set_up(E_FRAME(PFN, E_RO));
    k.mm_held = false;
    gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(PFN, E_ALL));
    fl_gup()->pin_fast(&k.space, VA, 1, true, pfns, &gup_fake_ops, &k, &out);
    check_world("write", false, "()Lv!y[]fi!y[gda]U");
    CHECK_EQ(k.fault_flags[0], FL_MM_WRITE, "write: asked for as such, and without leave to drop the lock");
    set_up(E_FRAME(PFN, E_RO));
    k.mm_held = false;
    k.area[0].write = false;
    fl_gup()->pin_fast(&k.space, VA, 1, true, pfns, &gup_fake_ops, &k, &out);
    check_world("write, read-only area", false, "()LvU");
    CHECK_EQ(out.error, FL_PIN_EFAULT, "write, read-only area");
    /* A range that wraps is nobody's: no page of the kernel, no page at 0. */
    set_up(0);
    k.mm_held = false;
    gup_map(&k, 0, 1, E_FRAME(PFN, E_ALL));
    fl_gup()->pin_fast(&k.space, UINT64_C(0xfffffffffffff000), 2, false, pfns, &gup_fake_ops, &k, &out);
    check_world("wraps", false, "LVEU");
    CHECK(out.pages == 0 && out.error == FL_PIN_EFAULT, "wraps");
    /* 2^20 pages are 4 GiB: the rest begins where the fast part ended, not at a number cut to 32 bits. */
    set_up(E_FRAME(PFN, E_ALL));
    k.mm_held = false;
    k.area[0].end = VA + 0x1000;
    fl_gup()->pin_fast(&k.space, VA, 1 << 20, false, pfns, &gup_fake_ops, &k, &out);
    check_world("a large number", false, "(hsh)LVEU");
    CHECK_EQ(k.find_addr, VA + 0x1000, "a large number: where the slow part begins");
    CHECK_EQ(out.pages, 1, "a large number");
    /* A signal in the slow part, after nothing. */
    set_up(0);
    k.mm_held = false;
    k.fatal = true;
    fl_gup()->pin_fast(&k.space, VA, 1, false, pfns, &gup_fake_ops, &k, &out);
    check_world("a fatal signal", false, "()Lv!U");
    CHECK_EQ(out.error, FL_PIN_ERESTARTSYS, "a fatal signal");
}

/* ---- get_dump_page ----------------------------------------------------------------------------------------------- */

static void test_dump(void)
{
    static const struct {
        const char *what;
        uint64_t value;
        bool no_access, zero, handler, locked, hole;
        const char *trace;
    } rows[] = {
        {"a page: referenced, and not touched", E_FRAME(PFN, E_RO), .trace = "v!y[g]"},
        {"of an area that permits nothing", E_FRAME(PFN, E_PROTNONE | E_US), .no_access = true, .trace = "v!y[g]"},
        {"a hint is not its affair", E_FRAME(PFN, E_NUMA | E_US), .trace = "v!y[g]"},
        {"nothing there", 0, .hole = true, .trace = "v!y[]"},
        {"the zero page", E_FRAME(PFN, E_RO | E_SPECIAL), .zero = true, .hole = true, .trace = "v!y[]"},
        {"a fault handler: brought in", 0, .handler = true, .trace = "v!y[]fi!y[g]"},
        {"swapped out: brought in", E_SWAP(FL_SWAP_SLOT), .trace = "v!y[]fi!y[g]"}};
    uint64_t pfn;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_up(rows[i].value);
        k.area[0].read = k.area[0].write = !rows[i].no_access;
        k.area[0].has_fault = rows[i].handler;
        gup_page(&k, PFN)->zero = rows[i].zero;
        gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(PFN, E_RO));
        pfn = 1;
        CHECK_EQ(fl_gup()->dump(&k.space, VA + 9, &pfn, &gup_fake_ops, &k), FL_OK, "%s", rows[i].what);
        check_world(rows[i].what, true, rows[i].trace);
        CHECK_EQ(pfn, rows[i].hole ? FL_NO_PAGE : PFN, "%s: page", rows[i].what);
        CHECK_EQ(gup_refs(&k), !rows[i].hole, "%s: references", rows[i].what);
        if (k.fault_calls)
            CHECK_EQ(k.fault_flags[0], 0, "%s: read, blocking", rows[i].what);
    }
    set_up(0);
    k.nareas = 0;
    CHECK_EQ(fl_gup()->dump(&k.space, VA, &pfn, &gup_fake_ops, &k), FL_OK, "no area");
    CHECK_EQ(pfn, FL_NO_PAGE, "no area: a hole");
}

/* ---- fixup_user_fault -------------------------------------------------------------------------------------------- */

static const struct fix_row {
    const char *what;
    unsigned flags;
    uint8_t answers[3];
    unsigned nanswers;
    enum fl_pin_error error;
    bool held, relocked;
    const char *trace;
} fix_rows[] = {
    {"done", 0, {FL_MM_MINOR}, 1, FL_PIN_OK, true, false, "vfi"},
    {"done, after IO", 0, {FL_MM_MAJOR}, 1, FL_PIN_OK, true, false, "vfj"},
    {"no memory", 0, {FL_MM_OOM}, 1, FL_PIN_ENOMEM, true, false, "vf"},
    {"poison: told apart always", 0, {FL_MM_HWPOISON}, 1, FL_PIN_EHWPOISON, true, false, "vf"},
    {"large poison", 0, {FL_MM_HWPOISON_LARGE}, 1, FL_PIN_EHWPOISON, true, false, "vf"},
    {"behind the end of the file", 0, {FL_MM_SIGBUS}, 1, FL_PIN_EFAULT, true, false, "vf"},
    {"not permitted", 0, {FL_MM_SIGSEGV}, 1, FL_PIN_EFAULT, true, false, "vf"},
    {"an answer that there is not", 0, {200}, 1, FL_PIN_BUG, true, false, "vf"},
    /* 475f4dfc021c: until it is done; a success is never told of what was not done. */
    {"retried", FL_MM_ALLOW_RETRY, {FL_MM_RETRY, FL_MM_MINOR}, 2, FL_PIN_OK, true, true, "vf!Lvfi"},
    {"retried twice",
     FL_MM_ALLOW_RETRY,
     {FL_MM_RETRY, FL_MM_RETRY, FL_MM_MINOR},
     3,
     FL_PIN_OK,
     true,
     true,
     "vf!Lvf!Lvfi"},
    {"major if any try was", FL_MM_ALLOW_RETRY, {FL_MM_RETRY_MAJOR, FL_MM_MINOR}, 2, FL_PIN_OK, true, true, "vf!Lvfj"},
    {"retried, then an error", FL_MM_ALLOW_RETRY, {FL_MM_RETRY, FL_MM_SIGBUS}, 2, FL_PIN_EFAULT, true, true, "vf!Lvf"},
    {"retry without leave: not done", 0, {FL_MM_RETRY}, 1, FL_PIN_EBUSY, true, false, "vf"},
    {"... after IO", 0, {FL_MM_RETRY_MAJOR}, 1, FL_PIN_EBUSY, true, false, "vf"},
};

static struct fl_pinned fixup(unsigned flags)
{
    struct fl_pinned out;

    memset(&out, 0x55, sizeof out);
    CHECK_EQ(fl_gup()->fixup(&k.space, VA + 0x123, flags, &gup_fake_ops, &k, &out), FL_OK, "status");
    CHECK_EQ(out.pages, 0, "fixup pins nothing");
    CHECK_EQ(gup_refs(&k), 0, "fixup takes no reference");
    return out;
}

static void test_fixup(void)
{
    struct fl_pinned out;

    for (size_t i = 0; i < sizeof fix_rows / sizeof fix_rows[0]; i++)
        for (unsigned write = 0; write < 2; write++) {
            const struct fix_row *r = &fix_rows[i];

            set_up(E_FRAME(PFN, E_ALL)); /* that it is mapped changes nothing: the fault is always asked for */
            for (unsigned j = 0; j < r->nanswers; j++)
                gup_answer(&k, (enum fl_mm_result)r->answers[j], false);
            out = fixup(r->flags | (write ? FL_MM_WRITE : 0));
            check_world(r->what, r->held, r->trace);
            CHECK_EQ(out.error, r->error, "%s", r->what);
            CHECK(out.lock_held == r->held && out.relocked == r->relocked, "%s: what is told of the lock", r->what);
            for (unsigned j = 0; j < r->nanswers; j++)
                CHECK_EQ(k.fault_flags[j], r->flags | (write ? FL_MM_WRITE : 0) | (j ? FL_MM_TRIED : 0), "%s: try %u",
                         r->what, j);
            CHECK_EQ(k.fault_addr, VA + 0x123, "%s: where", r->what);
            CHECK_EQ(k.fault_generation, 7, "%s: of which area", r->what);
        }
    /* A fatal signal ends it where the lock has been dropped, and it stays so. */
    set_up(0);
    k.fatal = true;
    gup_answer(&k, FL_MM_RETRY, false);
    out = fixup(FL_MM_ALLOW_RETRY);
    check_world("a fatal signal", false, "vf!");
    CHECK_EQ(out.error, FL_PIN_ERESTARTSYS, "a fatal signal");
    CHECK(!out.lock_held && !out.relocked, "a fatal signal: the lock");
    /* The area may be another after the lock was dropped. */
    set_up(0);
    k.at = drop_the_area;
    gup_answer(&k, FL_MM_RETRY, false);
    out = fixup(FL_MM_ALLOW_RETRY);
    check_world("unmapped meanwhile", true, "vf!LV");
    CHECK_EQ(out.error, FL_PIN_EFAULT, "unmapped meanwhile");
    CHECK(out.lock_held && out.relocked, "unmapped meanwhile: the lock");
}

static void test_fixup_permission(void)
{
    static const struct {
        const char *what;
        bool read, write, exec;
        unsigned flags, pkru;
        bool remote, may;
    } rows[] = {{"read, readable", true, false, false, 0, 0, false, true},
                {"read, writable only", false, true, false, 0, 0, false, false},
                {"read, executable only", false, false, true, 0, 0, false, false},
                {"write, writable", false, true, false, FL_MM_WRITE, 0, false, true},
                {"write, readable only", true, false, false, FL_MM_WRITE, 0, false, false},
                {"the key forbids: a success would fault again", true, true, false, 0, 1, false, false},
                {"the key forbids writing, read", true, true, false, 0, 2, false, true},
                {"the key forbids writing", true, true, false, FL_MM_WRITE, 2, false, false},
                {"somebody else's memory", true, true, false, FL_MM_WRITE, 3, true, true}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_up(0);
        k.area[0].read = rows[i].read;
        k.area[0].write = rows[i].write;
        k.area[0].exec = rows[i].exec;
        k.space.cpu.cr4 |= 1u << 22;
        k.space.cpu.pkru = rows[i].pkru;
        k.space.current = !rows[i].remote;
        gup_answer(&k, FL_MM_MINOR, false);
        CHECK_EQ(fixup(rows[i].flags).error, rows[i].may ? FL_PIN_OK : FL_PIN_EFAULT, "%s", rows[i].what);
        check_world(rows[i].what, true, rows[i].may ? "vfi" : "v");
    }
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

/* Every entry point with these arguments: refused, nothing called, nothing written. */
static void check_refused(const char *what, const struct fl_gup_space *space, const struct fl_gup_ops *ops)
{
    const struct fl_gup *g = fl_gup();
    struct fl_pinned out, kept;
    uint64_t pfn = 1, mask = 2;

    memset(&out, 0x55, sizeof out);
    kept = out;
    CHECK_EQ(g->pin(space, VA, 1, 0, false, NULL, NULL, ops, &k, &out), FL_INVALID, "%s: pin", what);
    CHECK_EQ(g->pin_user(space, VA, 1, false, false, pfns, NULL, ops, &k, &out), FL_INVALID, "%s: pin_user", what);
    CHECK_EQ(g->pin_fast_only(space, VA, 1, false, pfns, ops, &k, &out), FL_INVALID, "%s: pin_fast_only", what);
    CHECK_EQ(g->pin_fast(space, VA, 1, false, pfns, ops, &k, &out), FL_INVALID, "%s: pin_fast", what);
    CHECK_EQ(g->fixup(space, VA, 0, ops, &k, &out), FL_INVALID, "%s: fixup", what);
    CHECK_EQ(g->dump(space, VA, &pfn, ops, &k), FL_INVALID, "%s: dump", what);
    CHECK_EQ(g->follow(space, &k.area[0], VA, 0, ops, &k, &pfn, &mask, &out), FL_INVALID, "%s: follow", what);
    CHECK(memcmp(&out, &kept, sizeof out) == 0 && pfn == 1 && mask == 2 && pfns[0] == UINT64_C(0x5555555555555555),
          "%s: nothing is written", what);
    CHECK(k.ntrace == 0, "%s: nothing is called", what);
}

static void test_arguments(void)
{
    const struct fl_gup *g = fl_gup();
    struct fl_gup_space space;
    struct fl_pinned out;
    uint64_t pfn, mask;

    CHECK_EQ(g->abi, FL_GUP_ABI, "abi");
    CHECK(g->name && *g->name, "a name");
    set_up(0);
    check_refused("no space", NULL, &gup_fake_ops);
    check_refused("no ops", &k.space, NULL);
    space = k.space;
    space.cpu.mode = FL_MODE_COUNT;
    check_refused("no such mode", &space, &gup_fake_ops);
    for (unsigned i = 0; i < GUP_OPS; i++) {
        struct fl_gup_ops ops = gup_ops_without(i);
        char what[32];

        snprintf(what, sizeof what, "op %u missing", i);
        check_refused(what, &k.space, &ops);
    }

    CHECK_EQ(g->pin(&k.space, VA, 1, 0, false, NULL, NULL, &gup_fake_ops, &k, NULL), FL_INVALID, "pin: no out");
    CHECK_EQ(g->pin_fast_only(&k.space, VA, 1, false, pfns, &gup_fake_ops, &k, NULL), FL_INVALID, "fast: no out");
    CHECK_EQ(g->pin_fast(&k.space, VA, 1, false, pfns, &gup_fake_ops, &k, NULL), FL_INVALID, "fast: no out");
    CHECK_EQ(g->fixup(&k.space, VA, 0, &gup_fake_ops, &k, NULL), FL_INVALID, "fixup: no out");
    CHECK_EQ(g->dump(&k.space, VA, NULL, &gup_fake_ops, &k), FL_INVALID, "dump: no pfn");
    CHECK_EQ(g->follow(&k.space, NULL, VA, 0, &gup_fake_ops, &k, &pfn, &mask, &out), FL_INVALID, "follow: no area");
    CHECK_EQ(g->follow(&k.space, &k.area[0], VA, 0, &gup_fake_ops, &k, NULL, &mask, &out), FL_INVALID,
             "follow: no pfn");
    CHECK_EQ(g->follow(&k.space, &k.area[0], VA, 0, &gup_fake_ops, &k, &pfn, NULL, &out), FL_INVALID,
             "follow: no mask");
    CHECK_EQ(g->follow(&k.space, &k.area[0], VA, 0, &gup_fake_ops, &k, &pfn, &mask, NULL), FL_INVALID,
             "follow: no out");
    CHECK_EQ(g->follow(&k.space, &k.area[0], VA, FL_FOLL_BITS + 1, &gup_fake_ops, &k, &pfn, &mask, &out), FL_INVALID,
             "follow: a flag that there is not");
    CHECK_EQ(g->pin(&k.space, VA, 1, FL_FOLL_BITS + 1, false, NULL, NULL, &gup_fake_ops, &k, &out), FL_INVALID,
             "pin: a flag that there is not");
    CHECK_EQ(g->fixup(&k.space, VA, FL_MM_TRIED, &gup_fake_ops, &k, &out), FL_INVALID, "fixup: TRIED is its own");
    /* Pages without GET, GET without pages; also for none. */
    for (uint64_t n = 0; n < 2; n++) {
        CHECK_EQ(g->pin(&k.space, VA, n, 0, false, pfns, NULL, &gup_fake_ops, &k, &out), FL_INVALID, "pages, no GET");
        CHECK_EQ(g->pin(&k.space, VA, n, FL_FOLL_GET, false, NULL, NULL, &gup_fake_ops, &k, &out), FL_INVALID,
                 "GET, no pages");
    }
    CHECK_EQ(g->pin_fast_only(&k.space, VA, 1, false, NULL, &gup_fake_ops, &k, &out), FL_INVALID, "fast: no pages");
    space = k.space;
    space.current = false;
    CHECK_EQ(g->pin_fast_only(&space, VA, 1, false, pfns, &gup_fake_ops, &k, &out), FL_INVALID, "fast: another's mm");
    CHECK_EQ(g->pin_fast(&space, VA, 1, false, pfns, &gup_fake_ops, &k, &out), FL_INVALID, "fast: another's mm");
    CHECK(k.ntrace == 0, "nothing is called");
}

int main(void)
{
    test_pin_user();
    test_pin_fast();
    test_fast_falls_back();
    test_dump();
    test_fixup();
    test_fixup_permission();
    test_arguments();
    return check_done("gup calls");
}
