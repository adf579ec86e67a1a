/* SPDX-License-Identifier: MIT */
/*
 * __get_user_pages: which areas it enters, what it asks of the fault handler, what it makes of the answers, how far it
 * comes. Each page begins with the signal and a chance to be scheduled away: "!y".
 *
 *     VA        VA + 4 MiB
 *     |-- area[0] --|
 */
#include "gup_check.h"

#define WRITE FL_FOLL_WRITE
#define TOUCH FL_FOLL_TOUCH
#define GET   FL_FOLL_GET
#define DUMP  FL_FOLL_DUMP
#define FORCE FL_FOLL_FORCE
#define MLOCK FL_FOLL_MLOCK
#define PFN   UINT64_C(0x345)

static uint64_t pfns[600];
static uint32_t gens[600];
static uint64_t entry; /* of VA, level 1 */

static void set_up(uint64_t value)
{
    gup_fake_init(&k, FL_MODE_4LEVEL);
    entry = gup_map(&k, VA, 1, value);
    memset(pfns, 0x55, sizeof pfns);
    memset(gens, 0x55, sizeof gens);
}

static struct fl_pinned pin(uint64_t start, uint64_t n, unsigned flags, bool nonblocking)
{
    struct fl_pinned out;

    memset(&out, 0x55, sizeof out);
    CHECK_EQ(
        fl_gup()->pin(&k.space, start, n, flags, nonblocking, flags & GET ? pfns : NULL, gens, &gup_fake_ops, &k, &out),
        FL_OK, "status");
    CHECK(!out.relocked, "it never takes the lock again");
    return out;
}

static void check_end(const char *what, struct fl_pinned out, uint64_t pages, enum fl_pin_error error, bool held,
                      const char *trace)
{
    check_world(what, held, trace);
    CHECK_EQ(out.pages, pages, "%s: pages", what);
    CHECK_EQ(out.error, error, "%s: error", what);
    CHECK_EQ(out.lock_held, held, "%s: what the caller is told of the lock", what);
}

/* ---- check_vma_flags --------------------------------------------------------------------------------------------- */

enum {
    A_READ = 1 << 0,
    A_WRITE = 1 << 1,
    A_MAY_READ = 1 << 2,
    A_MAY_WRITE = 1 << 3,
    A_SHARED = 1 << 4,
    A_IO = 1 << 5,
    A_PFNMAP = 1 << 6
};

static const struct area_row {
    const char *what;
    unsigned area, flags;
    bool enters;
} area_rows[] = {
    {"read, readable", A_READ | A_MAY_READ, 0, true},
    {"read, not readable", A_WRITE | A_MAY_READ | A_MAY_WRITE, 0, false},
    {"read by force, may become readable", A_MAY_READ, FORCE, true},
    {"read by force, never", A_WRITE | A_MAY_WRITE, FORCE, false},
    {"write, writable", A_READ | A_WRITE | A_MAY_READ | A_MAY_WRITE, WRITE, true},
    {"write, writable and not readable", A_WRITE | A_MAY_WRITE, WRITE, true},
    {"write, not writable", A_READ | A_MAY_READ | A_MAY_WRITE, WRITE, false},
    {"write by force, private, may become writable", A_READ | A_MAY_READ | A_MAY_WRITE, WRITE | FORCE, true},
    {"write by force, private, never", A_READ | A_MAY_READ, WRITE | FORCE, false},
    {"write by force, shared (cda540ace6a1)", A_READ | A_MAY_READ | A_MAY_WRITE | A_SHARED, WRITE | FORCE, false},
    {"write, shared and writable", A_READ | A_WRITE | A_MAY_READ | A_MAY_WRITE | A_SHARED, WRITE, true},
    {"device registers", A_READ | A_WRITE | A_MAY_READ | A_MAY_WRITE | A_IO, 0, false},
    {"... by force", A_READ | A_WRITE | A_MAY_READ | A_MAY_WRITE | A_IO, FORCE, false},
    {"frames without struct page", A_READ | A_WRITE | A_MAY_READ | A_MAY_WRITE | A_PFNMAP, 0, false},
};

static void test_areas(void)
{
    for (size_t i = 0; i < sizeof area_rows / sizeof area_rows[0]; i++) {
        const struct area_row *r = &area_rows[i];
        struct fl_pin_vma *a = &k.area[0];

        set_up(E_FRAME(PFN, E_ALL));
        a->read = r->area & A_READ;
        a->write = r->area & A_WRITE;
        a->may_read = r->area & A_MAY_READ;
        a->may_write = r->area & A_MAY_WRITE;
        a->shared = r->area & A_SHARED;
        a->io = r->area & A_IO;
        a->pfnmap = r->area & A_PFNMAP;
        check_end(r->what, pin(VA, 1, r->flags, false), r->enters, r->enters ? FL_PIN_OK : FL_PIN_EFAULT, true,
                  r->enters ? "v!y[]" : "v");
    }
    set_up(0);
    check_end("no area", pin(VA - 4096, 1, 0, false), 0, FL_PIN_EFAULT, true, "VE");
    set_up(0);
    check_end("nothing asked for", pin(VA - 4096, 0, GET, false), 0, FL_PIN_OK, true, "");
}

static void test_keys(void)
{
    static const struct {
        const char *what;
        uint32_t pkru;
        unsigned flags;
        bool remote, off, enters;
        enum fl_mode mode;
    } rows[] = {
        {"key permits", 0, WRITE, false, false, true, FL_MODE_4LEVEL},
        {"key forbids access", 1 << 6, 0, false, false, false, FL_MODE_4LEVEL},
        {"... by force too", 1 << 6, FORCE, false, false, false, FL_MODE_4LEVEL},
        {"key forbids writing, read", 2 << 6, 0, false, false, true, FL_MODE_4LEVEL},
        {"key forbids writing, write", 2 << 6, WRITE, false, false, false, FL_MODE_4LEVEL},
        {"somebody else's memory", 3 << 6, WRITE, true, false, true, FL_MODE_4LEVEL},
        {"keys are off", 3 << 6, WRITE, false, true, true, FL_MODE_4LEVEL},
        {"keys of another number", ~(3u << 6), WRITE, false, false, true, FL_MODE_4LEVEL},
        {"a format without keys", 3 << 6, WRITE, false, false, true, FL_MODE_PAE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gup_fake_init(&k, rows[i].mode);
        gup_map(&k, VA, 1, E_FRAME(PFN, E_ALL));
        k.area[0].pkey = 3;
        k.space.cpu.pkru = rows[i].pkru;
        k.space.cpu.cr4 |= rows[i].off ? 0 : 1u << 22;
        k.space.current = !rows[i].remote;
        check_end(rows[i].what, pin(VA, 1, rows[i].flags, false), rows[i].enters,
                  rows[i].enters ? FL_PIN_OK : FL_PIN_EFAULT, true, rows[i].enters ? "v!y[]" : "v");
    }
}

/* ---- faultin_page ------------------------------------------------------------------------------------------------ */

static const struct ask_row {
    const char *what;
    unsigned flags;
    bool nonblocking;
    unsigned asked;
    bool nowait;
} ask_rows[] = {
    {"read", 0, false, 0, false},
    {"write", WRITE, false, FL_MM_WRITE, false},
    {"nonblocking", 0, true, FL_MM_ALLOW_RETRY, false},
    {"nowait", FL_FOLL_NOWAIT, false, FL_MM_ALLOW_RETRY, true},
    {"both", FL_FOLL_NOWAIT, true, FL_MM_ALLOW_RETRY, true},
    {"tried before", FL_FOLL_TRIED, false, FL_MM_TRIED, false},
    {"tried before: no more leave", FL_FOLL_TRIED, true, FL_MM_TRIED, false},
};

static void test_asked(void)
{
    for (size_t i = 0; i < sizeof ask_rows / sizeof ask_rows[0]; i++) {
        const struct ask_row *r = &ask_rows[i];

        set_up(0);
        gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(PFN, E_ALL));
        check_end(r->what, pin(VA + 0x10, 1, r->flags, r->nonblocking), 1, FL_PIN_OK, true, "v!y[]fi!y[]");
        CHECK_EQ(k.fault_flags[0], r->asked, "%s: how it is asked for", r->what);
        CHECK_EQ(k.fault_nowait, r->nowait, "%s: nowait", r->what);
        CHECK_EQ(k.fault_addr, VA, "%s: where", r->what);
        CHECK_EQ(k.fault_generation, 7, "%s: of which area", r->what);
    }
}

static const struct answer_row {
    const char *what;
    uint8_t result;
    unsigned flags;
    bool nonblocking;
    enum fl_pin_error error;
    bool held;
    const char *trace;
} answer_rows[] = {
    {"no memory", FL_MM_OOM, 0, false, FL_PIN_ENOMEM, true, "v!y[]f"},
    {"poison", FL_MM_HWPOISON, 0, false, FL_PIN_EFAULT, true, "v!y[]f"},
    {"poison, told apart", FL_MM_HWPOISON, FL_FOLL_HWPOISON, false, FL_PIN_EHWPOISON, true, "v!y[]f"},
    {"large poison", FL_MM_HWPOISON_LARGE, 0, false, FL_PIN_EFAULT, true, "v!y[]f"},
    {"large poison, told apart", FL_MM_HWPOISON_LARGE, FL_FOLL_HWPOISON, false, FL_PIN_EHWPOISON, true, "v!y[]f"},
    {"behind the end of the file", FL_MM_SIGBUS, FL_FOLL_HWPOISON, false, FL_PIN_EFAULT, true, "v!y[]f"},
    {"not permitted", FL_MM_SIGSEGV, 0, false, FL_PIN_EFAULT, true, "v!y[]f"},
    {"an answer that there is not", 200, 0, false, FL_PIN_BUG, true, "v!y[]f"},
    /* A RETRY is no error: nothing pinned yet, and the lock's state is told as it is (96312e61282a). */
    {"retry: the lock is dropped", FL_MM_RETRY, 0, true, FL_PIN_OK, false, "v!y[]fi"},
    {"retry after IO", FL_MM_RETRY_MAJOR, 0, true, FL_PIN_OK, false, "v!y[]fj"},
    {"retry, nowait: it is not", FL_MM_RETRY, FL_FOLL_NOWAIT, true, FL_PIN_OK, true, "v!y[]fi"},
    {"retry, nowait alone", FL_MM_RETRY, FL_FOLL_NOWAIT, false, FL_PIN_OK, true, "v!y[]fi"},
    {"retry without leave: it is not either", FL_MM_RETRY, 0, false, FL_PIN_OK, true, "v!y[]fi"},
    {"retry though tried", FL_MM_RETRY, FL_FOLL_TRIED, true, FL_PIN_OK, true, "v!y[]fi"},
};

static void test_answers(void)
{
    for (size_t i = 0; i < sizeof answer_rows / sizeof answer_rows[0]; i++) {
        const struct answer_row *r = &answer_rows[i];

        set_up(0);
        gup_answer(&k, (enum fl_mm_result)r->result, false);
        check_end(r->what, pin(VA, 1, r->flags | GET, r->nonblocking), 0, r->error, r->held, r->trace);
        CHECK_EQ(gup_refs(&k), 0, "%s: references", r->what);
        /* ... at the second page: what has been pinned is the answer. */
        set_up(E_FRAME(PFN, E_ALL));
        gup_answer(&k, (enum fl_mm_result)r->result, false);
        check_world(r->what, true, "");
        {
            struct fl_pinned out = pin(VA, 2, r->flags | GET, r->nonblocking);

            CHECK_EQ(out.pages, 1, "%s: pages before it", r->what);
            CHECK_EQ(out.error, FL_PIN_OK, "%s: error after a page", r->what);
            CHECK_EQ(out.lock_held, r->held, "%s: told after a page", r->what);
            CHECK_EQ(k.mm_held, r->held, "%s: held after a page", r->what);
            CHECK(pfns[0] == PFN && pfns[1] == UINT64_C(0x5555555555555555), "%s: what was handed out", r->what);
        }
    }
}

/* Faulted in, and gone again before it was looked at: once more, as the same kind of access (19be0eaffa3a). */
static void test_gone_again(void)
{
    set_up(0);
    gup_answer(&k, FL_MM_MINOR, true);
    gup_answer(&k, FL_MM_MAJOR, true);
    gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(PFN, E_RO));
    k.area[0].write = false;
    gup_page(&k, PFN)->exclusive = true;
    check_end("gone twice", pin(VA, 1, WRITE | FORCE | GET, false), 1, FL_PIN_OK, true, "v!y[]fi!y[]fj!y[]fi!y[g]");
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(k.fault_flags[i], FL_MM_WRITE, "fault %u is a write", i);

    /* The copy was discarded, and a read of somebody else brought the file's page back: the write does not take it. */
    set_up(0);
    k.area[0].write = false;
    gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(PFN, E_RO));
    gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(0x346, E_RO));
    gup_page(&k, 0x346)->exclusive = true;
    check_end("dirty-cow", pin(VA, 1, WRITE | FORCE | GET, false), 1, FL_PIN_OK, true, "v!y[]fi!y[]fi!y[g]");
    CHECK_EQ(pfns[0], 0x346, "dirty-cow: the task's own page");
    CHECK_EQ(gup_page(&k, PFN)->refs, 0, "dirty-cow: the file's page");
}

/* should_force_cow_break (17839856fd58): a read pin of a private area asks like a write, and takes only the task's own. */
static void test_cow_break(void)
{
    static const struct {
        const char *what;
        bool shared, may_write, writable, entry_rw, exclusive;
        unsigned flags, asked; /* UINT_MAX: not asked */
    } rows[] = {
        {"private, own and writable", false, true, true, true, false, GET, UINT32_MAX},
        {"private, read-only entry", false, true, true, false, true, GET, FL_MM_WRITE},
        {"private read-only area, own page", false, true, false, false, true, GET, UINT32_MAX},
        {"private read-only area, the file's page", false, true, false, false, false, GET, FL_MM_WRITE},
        {"no reference asked for", false, true, true, false, false, TOUCH, UINT32_MAX},
        {"a dump", false, true, true, false, false, GET | DUMP, UINT32_MAX},
        {"never writable: never copied", false, false, false, false, false, GET, UINT32_MAX},
        {"shared", true, true, true, false, false, GET, UINT32_MAX},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool asks = rows[i].asked != UINT32_MAX;

        set_up(E_FRAME(PFN, rows[i].entry_rw ? E_ALL : E_RO));
        k.area[0].shared = rows[i].shared;
        k.area[0].may_write = rows[i].may_write;
        k.area[0].write = rows[i].writable;
        gup_page(&k, PFN)->exclusive = rows[i].exclusive;
        gup_page(&k, 0x346)->exclusive = true;
        gup_answer_map(&k, FL_MM_MINOR, entry, E_FRAME(0x346, rows[i].writable ? E_ALL : E_RO));
        CHECK_EQ(pin(VA, 1, rows[i].flags, false).pages, 1, "%s", rows[i].what);
        CHECK(!k.misuse, "%s: %s", rows[i].what, k.misuse);
        CHECK_EQ(k.fault_calls, asks, "%s: faults", rows[i].what);
        if (asks)
            CHECK_EQ(k.fault_flags[0], rows[i].asked, "%s: how", rows[i].what);
        if (rows[i].flags & GET)
            CHECK_EQ(pfns[0], asks ? 0x346u : PFN, "%s: which page", rows[i].what);
    }
}

/* The guard page of a stack, which mlock leaves out. */
static void test_guard(void)
{
    static const struct {
        const char *what;
        bool growsdown, adjoins;
        uint64_t at;
        bool skipped;
    } rows[] = {{"the lowest page of a stack", true, false, VA, true},
                {"the next", true, false, VA + 4096, false},
                {"of a stack on a stack", true, true, VA, false},
                {"of no stack", false, false, VA, false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_up(0);
        k.area[0].growsdown = rows[i].growsdown;
        k.area[0].prev_adjoins = rows[i].adjoins;
        check_end(rows[i].what, pin(rows[i].at, 1, MLOCK | TOUCH, false), rows[i].skipped,
                  rows[i].skipped ? FL_PIN_OK : FL_PIN_ENOMEM, true, rows[i].skipped ? "v!y[]" : "v!y[]f");
        if (rows[i].skipped)
            CHECK_EQ(gens[0], 7, "%s: its area is noted", rows[i].what);
    }
    set_up(0);
    k.area[0].growsdown = true;
    check_end("there is no page to hand out", pin(VA, 1, MLOCK | GET, false), 0, FL_PIN_EFAULT, true, "v!y[]");
    set_up(E_FRAME(PFN, E_ALL));
    k.area[0].growsdown = true;
    check_end("a guard page that is mapped", pin(VA, 1, MLOCK | GET, false), 1, FL_PIN_OK, true, "v!y[g]");
}

int main(void)
{
    test_areas();
    test_keys();
    test_asked();
    test_answers();
    test_gone_again();
    test_cow_break();
    test_guard();
    return check_done("gup slow");
}
