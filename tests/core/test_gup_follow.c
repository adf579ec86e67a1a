/* SPDX-License-Identifier: MIT */
/*
 * follow_page_mask, small pages: one entry, one area, one set of flags, and what has to come of it. A page that is found is
 * referenced, touched and mlocked in that order under the page-table lock; nothing else is called.
 *
 *     VA                         VA + 4 MiB
 *     |--------------- area[0] --------------|
 *     ^ one entry of level 1
 */
#include "gup_check.h"

#define PFN        UINT64_C(0x345)
#define LEAF(bits) E_FRAME(PFN, bits)
#define NONE       FL_NO_PAGE

/* How the area differs from a private one that is read and written. */
enum {
    A_READ_ONLY = 1 << 0,
    A_SHARED = 1 << 1,
    A_NEVER_WRITE = 1 << 2,
    A_NO_READ = 1 << 3,
    A_EXEC = 1 << 4,
    A_LOCKED = 1 << 5,
    A_HANDLER = 1 << 6
};

/* How the page differs from a clean one of somebody's. */
enum {
    P_INVALID = 1 << 0,
    P_ZERO = 1 << 1,
    P_EXCLUSIVE = 1 << 2,
    P_DIRTY = 1 << 3,
    P_NO_MAPPING = 1 << 4,
    P_LOCKED = 1 << 5,
    P_FULL = 1 << 6,
    P_DEVICE_GONE = 1 << 7,
    P_KILLED = 1 << 8,
    P_ARRIVES = 1 << 9
};

#define WRITE     FL_FOLL_WRITE
#define TOUCH     FL_FOLL_TOUCH
#define GET       FL_FOLL_GET
#define DUMP      FL_FOLL_DUMP
#define FORCE     FL_FOLL_FORCE
#define MLOCK     FL_FOLL_MLOCK
#define NUMA      FL_FOLL_NUMA
#define MIGRATION FL_FOLL_MIGRATION
#define FORCED    (WRITE | FORCE)
#define RO_COW    A_READ_ONLY

static const struct row {
    const char *what;
    uint64_t entry;
    unsigned area, page, flags;
    uint64_t pfn;
    enum fl_pin_error error;
    const char *trace;
} rows[] = {
    /* seed 003 no_page_table, follow_page_pte: no_page */
    {"a hole", 0, 0, 0, 0, NONE, FL_PIN_OK, "[]"},
    {"a hole, in a dump: stays one", 0, 0, 0, DUMP, NONE, FL_PIN_EFAULT, "[]"},
    {"... with a fault handler it need not be zero", 0, A_HANDLER, 0, DUMP, NONE, FL_PIN_OK, "[]"},
    {"swapped out, in a dump: no hole", E_SWAP(FL_SWAP_SLOT), 0, 0, DUMP, NONE, FL_PIN_OK, "[]"},
    {"a nonlinear offset", E_SWAP(FL_SWAP_FILE), 0, 0, MIGRATION, NONE, FL_PIN_OK, "[]"},
    {"swapped out, asked about migration", E_SWAP(FL_SWAP_SLOT), 0, 0, MIGRATION, NONE, FL_PIN_OK, "[]"},
    {"migrating, not asked about", E_SWAP(FL_SWAP_MIGRATION), 0, 0, 0, NONE, FL_PIN_OK, "[]"},
    {"migrating: waited for, then looked at again", E_SWAP(FL_SWAP_MIGRATION), 0, P_ARRIVES, MIGRATION | GET, PFN,
     FL_PIN_OK, "[]m![g]"},
    {"... until a fatal signal comes", E_SWAP(FL_SWAP_MIGRATION), 0, P_KILLED, MIGRATION, NONE, FL_PIN_OK, "[]m!"},
    {"poisoned", E_SWAP(FL_SWAP_HWPOISON), 0, 0, MIGRATION, NONE, FL_PIN_OK, "[]"},

    /* FOLL_GET, FOLL_TOUCH, FOLL_MLOCK */
    {"a page", LEAF(E_RO), 0, 0, 0, PFN, FL_PIN_OK, "[]"},
    {"a reference", LEAF(E_RO), 0, 0, GET, PFN, FL_PIN_OK, "[g]"},
    {"no reference left (CVE-2019-11487)", LEAF(E_RO), 0, P_FULL, GET | TOUCH, NONE, FL_PIN_ENOMEM, "[G]"},
    {"touched for reading: never dirty", LEAF(E_RO), 0, 0, TOUCH, PFN, FL_PIN_OK, "[a]"},
    {"touched for writing: dirty, since nothing says so yet", LEAF(E_ALL), 0, 0, TOUCH | WRITE, PFN, FL_PIN_OK, "[da]"},
    {"... the entry says so", LEAF(E_ALL | E_D), 0, 0, TOUCH | WRITE, PFN, FL_PIN_OK, "[a]"},
    {"... the page says so", LEAF(E_ALL), 0, P_DIRTY, TOUCH | WRITE, PFN, FL_PIN_OK, "[a]"},
    {"mlocked", LEAF(E_RO), A_LOCKED, 0, MLOCK, PFN, FL_PIN_OK, "[kMu]"},
    {"... not where the area is not", LEAF(E_RO), 0, 0, MLOCK, PFN, FL_PIN_OK, "[]"},
    {"... not unless asked", LEAF(E_RO), A_LOCKED, 0, 0, PFN, FL_PIN_OK, "[]"},
    {"... not without a mapping (the zero page)", LEAF(E_RO), A_LOCKED, P_NO_MAPPING, MLOCK, PFN, FL_PIN_OK, "[]"},
    {"... left to reclaim when somebody has the page", LEAF(E_RO), A_LOCKED, P_LOCKED, MLOCK, PFN, FL_PIN_OK, "[K]"},
    {"all three, in order", LEAF(E_ALL), A_LOCKED, 0, GET | TOUCH | WRITE | MLOCK, PFN, FL_PIN_OK, "[gdakMu]"},

    /* FOLL_WRITE; can_follow_write_pte: 19be0eaffa3a, 5535be309971 */
    {"write, read-only entry", LEAF(E_RO), 0, 0, WRITE, NONE, FL_PIN_OK, "[]"},
    {"write, writable entry", LEAF(E_ALL), 0, 0, WRITE, PFN, FL_PIN_OK, "[]"},
    {"forced, the copy is the task's own", LEAF(E_RO), RO_COW, P_EXCLUSIVE, FORCED, PFN, FL_PIN_OK, "[]"},
    {"forced, it is not (dirty-cow)", LEAF(E_RO), RO_COW, 0, FORCED, NONE, FL_PIN_OK, "[]"},
    {"forced, dirty is no evidence (force-shmem-cow)", LEAF(E_RO | E_D), RO_COW, P_DIRTY, FORCED, NONE, FL_PIN_OK,
     "[]"},
    {"own copy, but not forced", LEAF(E_RO), RO_COW, P_EXCLUSIVE, WRITE, NONE, FL_PIN_OK, "[]"},
    {"forced, shared area", LEAF(E_RO), RO_COW | A_SHARED, P_EXCLUSIVE, FORCED, NONE, FL_PIN_OK, "[]"},
    {"forced, area that may never be written", LEAF(E_RO), RO_COW | A_NEVER_WRITE, P_EXCLUSIVE, FORCED, NONE, FL_PIN_OK,
     "[]"},
    {"forced, writable area: a write fault will do", LEAF(E_RO), 0, P_EXCLUSIVE, FORCED, NONE, FL_PIN_OK, "[]"},
    {"forced, no struct page", LEAF(E_RO), RO_COW, P_INVALID, FORCED, NONE, FL_PIN_OK, "[]"},

    /* FOLL_NUMA; 38e088546522 */
    {"a hint takes its fault", LEAF(E_NUMA | E_US), 0, 0, NUMA | GET, NONE, FL_PIN_OK, "[]"},
    {"... also where only execution is permitted", LEAF(E_NUMA | E_US), A_NO_READ | A_READ_ONLY | A_EXEC, 0, NUMA, NONE,
     FL_PIN_OK, "[]"},
    {"... or only writing", LEAF(E_NUMA | E_US), A_NO_READ, 0, NUMA, NONE, FL_PIN_OK, "[]"},
    {"... not when nobody asks", LEAF(E_NUMA | E_US), 0, 0, 0, PFN, FL_PIN_OK, "[]"},
    {"... not where the area permits nothing (force-protnone-numa)", LEAF(E_NUMA | E_US), A_NO_READ | A_READ_ONLY, 0,
     NUMA, PFN, FL_PIN_OK, "[]"},
    {"PROT_NONE is present to the kernel", LEAF(E_PROTNONE | E_US), A_NO_READ | A_READ_ONLY, 0, NUMA | GET, PFN,
     FL_PIN_OK, "[g]"},

    {"... and is no hint where the area permits something meanwhile", LEAF(E_PROTNONE | E_US), 0, 0, NUMA | GET, PFN,
     FL_PIN_OK, "[g]"},

    /* vm_normal_page: special, zero page, devices */
    {"no struct page", LEAF(E_RO), 0, P_INVALID, GET, NONE, FL_PIN_EFAULT, "[]"},
    {"special", LEAF(E_RO | E_SPECIAL), 0, 0, GET, NONE, FL_PIN_EFAULT, "[]"},
    {"the zero page", LEAF(E_RO | E_SPECIAL), 0, P_ZERO, GET, PFN, FL_PIN_OK, "[g]"},
    {"the zero page in a dump: a hole", LEAF(E_RO | E_SPECIAL), 0, P_ZERO, GET | DUMP, NONE, FL_PIN_EFAULT, "[]"},
    {"device memory: the device is held meanwhile", LEAF(E_RO | E_DEVMAP), 0, 0, GET, PFN, FL_PIN_OK, "[+g-]"},
    {"... and given back when there is no reference", LEAF(E_RO | E_DEVMAP), 0, P_FULL, GET, NONE, FL_PIN_ENOMEM,
     "[+G-]"},
    {"... it goes away", LEAF(E_RO | E_DEVMAP), 0, P_DEVICE_GONE, GET, NONE, FL_PIN_EFAULT, "[#]"},
    {"... the bit means something else where P is clear", LEAF(E_PROTNONE | E_DEVMAP | E_US), 0, 0, GET, PFN, FL_PIN_OK,
     "[g]"},
};

static uint64_t arrives_at;

static void set_up(const struct row *r)
{
    struct fl_pin_vma *a = &k.area[0];
    struct gup_page *p;

    gup_fake_init(&k, FL_MODE_4LEVEL);
    a->read = !(r->area & A_NO_READ);
    a->write = !(r->area & A_READ_ONLY);
    a->exec = r->area & A_EXEC;
    a->shared = r->area & A_SHARED;
    a->may_write = !(r->area & A_NEVER_WRITE);
    a->locked = r->area & A_LOCKED;
    a->has_fault = r->area & A_HANDLER;
    p = gup_page(&k, PFN);
    p->invalid = r->page & P_INVALID;
    p->zero = r->page & P_ZERO;
    p->exclusive = r->page & P_EXCLUSIVE;
    p->dirty = r->page & P_DIRTY;
    p->no_mapping = r->page & P_NO_MAPPING;
    p->locked = r->page & P_LOCKED;
    p->refuse = r->page & P_FULL;
    k.device_gone = r->page & P_DEVICE_GONE;
    k.fatal = r->page & P_KILLED;
    k.splits = r->page & P_ARRIVES;
    k.split_value = LEAF(E_RO);
    arrives_at = gup_map(&k, VA, 1, r->entry);
}

static void check_row(const struct row *r)
{
    struct fl_pinned out;
    uint64_t pfn = 1, mask = 1;

    set_up(r);
    CHECK_EQ(fl_gup()->follow(&k.space, &k.area[0], VA + 0x123, r->flags, &gup_fake_ops, &k, &pfn, &mask, &out), FL_OK,
             "%s", r->what);
    check_world(r->what, true, r->trace);
    CHECK_EQ(pfn, r->pfn, "%s: page", r->what);
    CHECK_EQ(mask, 0, "%s: mask", r->what);
    CHECK_EQ(out.error, r->error, "%s: error", r->what);
    CHECK_EQ(out.pages, r->pfn != NONE, "%s: pages", r->what);
    CHECK(out.lock_held && !out.relocked, "%s: the lock", r->what);
    CHECK_EQ(gup_refs(&k), r->pfn != NONE && (r->flags & GET), "%s: references", r->what);
    if (k.nth['m'])
        CHECK_EQ(k.waited_at, arrives_at, "%s: waited for", r->what);
}

/* The page-table lock is that of the table which holds the entry; the entry counts as it is once the lock is had. */
static void vanish(struct gup_fake *w, char op)
{
    if (op == '[')
        gup_write(w, arrives_at, 0);
}

static void test_under_the_lock(void)
{
    const struct row r = {"gone before the lock", LEAF(E_RO), 0, 0, GET, NONE, FL_PIN_OK, "[]"};
    struct fl_pinned out;
    uint64_t pfn, mask;

    set_up(&r);
    k.at = vanish;
    fl_gup()->follow(&k.space, &k.area[0], VA, GET, &gup_fake_ops, &k, &pfn, &mask, &out);
    check_world(r.what, true, r.trace);
    CHECK_EQ(pfn, NONE, "%s", r.what);
    CHECK_EQ(k.ptl_level, 1, "%s: which lock", r.what);
    CHECK_EQ(gup_refs(&k), 0, "%s: references", r.what);
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
    test_under_the_lock();
    return check_done("gup follow");
}
