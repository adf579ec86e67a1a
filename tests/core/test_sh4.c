/* SPDX-License-Identifier: MIT */
/* SH4: the P3 synchronisation before and after its fix of 2012. */
#include "check.h"
#include "fake.h"

/*
 *   TTB 0x3000 (a table that another mm left behind)     swapper_pg_dir 0x2000 -> 0x5000 -> page
 *
 *   c0000000          c1000000                         dff00000 e0000000  e4000000
 *      | coherent DMA    | vmalloc, ioremap               | fixmap | store queues
 *   p3_start          vmalloc_start                                p3_end
 */
#define TTB       0x3000u
#define SWAPPER   0x2000u
#define PTES      0x5000u
#define P3        UINT64_C(0xc0000000)
#define VMALLOC   UINT64_C(0xc1000000)
#define P4        UINT64_C(0xe0000000)
#define P1        UINT64_C(0x80000000) /* what first-level entries hold is an address in P1 */
#define VALID     UINT64_C(0x100)
#define PROT_NONE UINT64_C(0x200)

struct sh {
    struct fake k;
    struct fl_sh4 sh;
    uint64_t addr;
};

static uint64_t slot_of(uint64_t table, uint64_t addr)
{
    return table + (addr >> 22 & 0x3ff) * 4;
}

static uint64_t pte_of(uint64_t addr)
{
    return PTES + (addr >> 12 & 0x3ff) * 4;
}

/* The reference maps addr; the table in use has no entry. */
static struct sh sh_of(uint64_t addr, bool fixed)
{
    struct sh s = {
        .k = fake_world(),
        .sh =
            {.ttb = TTB, .reference = SWAPPER, .p3_start = P3, .vmalloc_start = VMALLOC, .p3_end = P4, .fixed = fixed},
        .addr = addr};

    s.k.ram_end = UINT64_C(1) << 29;
    fake_set_entry(&s.k, slot_of(SWAPPER, addr), P1 | PTES);
    fake_set_entry(&s.k, pte_of(addr), 0x0c123000 | VALID);
    return s;
}

static enum fl_sync_end p3_sync(struct sh *s)
{
    enum fl_sync_end end = FL_SYNC_COUNT;

    CHECK_EQ(fl_core()->p3_sync(&s->sh, s->addr, &fake_ops, &s->k, &end), FL_OK, "%" PRIx64, s->addr);
    CHECK_EQ(strspn(s->k.trace, "rw"), s->k.ntrace, "plain writes only: %s", s->k.trace);
    CHECK(s->k.reads == 0 || s->k.read_size == 4, "entries have 4 bytes");
    CHECK(!s->k.misuse, "%s", s->k.misuse);
    return end;
}

static void test_boundaries(void)
{
    static const struct {
        uint64_t addr;
        bool before, after; /* the fix */
    } cases[] = {
        {P3 - 1, false, false},     {P3, false, true},          {P3 + 0x5000, false, true},
        {VMALLOC - 1, false, true}, {VMALLOC, true, true},      {P4 - 1, true, true},
        {P4, false, false},         {0xffffffff, false, false}, {P3 | UINT64_C(1) << 32, false, false},
        {0, false, false},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned fixed = 0; fixed < 2; fixed++) {
            struct sh s = sh_of(cases[i].addr, fixed);
            bool want = fixed ? cases[i].after : cases[i].before;

            CHECK_EQ(p3_sync(&s), want ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED, "%" PRIx64 " fixed %u", s.addr, fixed);
            CHECK(!strcmp(s.k.trace, want ? "rrwr" : ""), "%" PRIx64 ": %s", s.addr, s.k.trace);
            CHECK_EQ(fake_entry(&s.k, slot_of(TTB, s.addr)), want ? P1 | PTES : 0, "%" PRIx64, s.addr);
        }

    /* With store queues P3_ADDR_MAX lies higher. */
    struct sh s = sh_of(P4, true);

    s.sh.p3_end = UINT64_C(0xe4000000);
    CHECK_EQ(p3_sync(&s), FL_SYNC_HANDLED, "store queues");
    s.addr = s.sh.p3_end;
    CHECK_EQ(p3_sync(&s), FL_SYNC_NOT_HANDLED, "above the store queues");
}

static void test_levels(void)
{
    static const struct {
        const char *what;
        uint64_t own, reference, pte;
        uint8_t end;
        const char *trace;
    } cases[] = {
        {"copied", 0, P1 | PTES, VALID, FL_SYNC_HANDLED, "rrwr"},
        {"copied, protnone", 0, P1 | PTES, PROT_NONE, FL_SYNC_HANDLED, "rrwr"},
        {"copied, both bits", 0, P1 | PTES, VALID | PROT_NONE, FL_SYNC_HANDLED, "rrwr"},
        {"pte zero: the copy stays", 0, P1 | PTES, 0, FL_SYNC_NOT_HANDLED, "rrwr"},
        {"pte swapped out: neither bit", 0, P1 | PTES, 0x0c1230fe, FL_SYNC_NOT_HANDLED, "rrwr"},
        {"copied whatever its low bits", 0, P1 | PTES | 0x7, VALID, FL_SYNC_HANDLED, "rrwr"},
        {"by another window", 0, 0xa0000000 | PTES, VALID, FL_SYNC_HANDLED, "rrwr"},
        {"no reference", 0, 0, VALID, FL_SYNC_NOT_HANDLED, "r"},
        {"no reference, a stale entry", P1 | 0x6000, 0, VALID, FL_SYNC_NOT_HANDLED, "r"},
        {"there already", P1 | PTES, P1 | PTES, VALID, FL_SYNC_NOT_HANDLED, "rrr"},
        {"there already, no pte", P1 | PTES, P1 | PTES, 0, FL_SYNC_NOT_HANDLED, "rrr"},
        {"there by another window", 0xa0000000 | PTES | 1, P1 | PTES, VALID, FL_SYNC_NOT_HANDLED, "rrr"},
        {"another table", P1 | 0x6000, P1 | PTES, VALID, FL_SYNC_BUG, "rr"},
        {"highest frame bit", P1 | 0x10000000 | PTES, P1 | PTES, VALID, FL_SYNC_BUG, "rr"},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned fixed = 0; fixed < 2; fixed++) {
            struct sh s = sh_of(VMALLOC + 0x3456, fixed);

            fake_set_entry(&s.k, slot_of(TTB, s.addr), cases[i].own);
            fake_set_entry(&s.k, slot_of(SWAPPER, s.addr), cases[i].reference);
            fake_set_entry(&s.k, pte_of(s.addr), cases[i].pte);
            CHECK_EQ(p3_sync(&s), cases[i].end, "%s", cases[i].what);
            CHECK(!strcmp(s.k.trace, cases[i].trace), "%s: %s", cases[i].what, s.k.trace);
            CHECK_EQ(fake_entry(&s.k, slot_of(TTB, s.addr)),
                     strchr(cases[i].trace, 'w') ? cases[i].reference : cases[i].own, "%s", cases[i].what);
            CHECK_EQ(fake_entry(&s.k, slot_of(SWAPPER, s.addr)), cases[i].reference, "%s", cases[i].what);
        }
}

/* The bug of 2012, as seen by the process and by a kernel thread that borrows its tables: for both TTB counts, so that
 * both get it, and the second fault of the two does not come. */
static void test_borrowed(void)
{
    struct sh s = sh_of(P3 + 0x12345, true);

    CHECK_EQ(p3_sync(&s), FL_SYNC_HANDLED, "first fault");
    CHECK_EQ(s.k.write[0].paddr, slot_of(TTB, s.addr), "TTB's table");
    fake_forget(&s.k);
    CHECK_EQ(p3_sync(&s), FL_SYNC_NOT_HANDLED, "a second one has another reason");
    CHECK_EQ(s.k.nwrites, 0, "nothing to copy");
    s.sh.ttb = 0x7000;
    CHECK_EQ(p3_sync(&s), FL_SYNC_HANDLED, "another table");
    CHECK_EQ(fake_entry(&s.k, slot_of(0x7000, s.addr)), P1 | PTES, "another table");

    /* On the reference itself there is nothing to copy. */
    s = sh_of(P3, true);
    s.sh.ttb = SWAPPER;
    CHECK_EQ(p3_sync(&s), FL_SYNC_NOT_HANDLED, "reference");

    /* Tables are page aligned whatever the registers hold, so entries are aligned. */
    s = sh_of(P3, true);
    s.sh.ttb = TTB | 3;
    s.sh.reference = SWAPPER | 1;
    CHECK_EQ(p3_sync(&s), FL_SYNC_HANDLED, "low bits");
}

static void test_no_memory(void)
{
    const uint64_t pages[] = {SWAPPER, TTB, PTES};

    for (unsigned i = 0; i < 3; i++) {
        struct sh s = sh_of(VMALLOC, true);

        s.k.hole = pages[i];
        s.k.hole_end = pages[i] + 0x1000;
        CHECK_EQ(p3_sync(&s), FL_SYNC_WILD, "page %" PRIx64, pages[i]);
    }

    struct sh s = sh_of(VMALLOC, true);

    s.k.read_only = TTB;
    s.k.rom_end = TTB + 0x1000;
    CHECK_EQ(p3_sync(&s), FL_SYNC_WILD, "write");
    CHECK(!strcmp(s.k.trace, "rrw"), "%s", s.k.trace);
}

static void test_contract(void)
{
    struct sh s = sh_of(VMALLOC, true);
    enum fl_sync_end end = FL_SYNC_COUNT;

    CHECK_EQ(fl_core()->p3_sync(NULL, 0, &fake_ops, &s.k, &end), FL_INVALID, "no sh4");
    CHECK_EQ(fl_core()->p3_sync(&s.sh, 0, NULL, &s.k, &end), FL_INVALID, "no ops");
    CHECK_EQ(fl_core()->p3_sync(&s.sh, 0, &fake_ops, &s.k, NULL), FL_INVALID, "no end");
    for (unsigned i = 0; i < FAKE_OPS; i++) {
        struct fl_ops ops = fake_ops_without(i);

        CHECK_EQ(fl_core()->p3_sync(&s.sh, s.addr, &ops, &s.k, &end), FL_INVALID, "op %u", i);
    }
    CHECK_EQ(end, FL_SYNC_COUNT, "untouched");
    CHECK_EQ(s.k.ntrace, 0, "%s", s.k.trace);
}

int main(void)
{
    test_boundaries();
    test_levels();
    test_borrowed();
    test_no_memory();
    test_contract();
    return check_done("sh4");
}
