/* SPDX-License-Identifier: MIT */
/* Stack growth at every boundary, and what a VMA and its key allow as truth tables. */
#include "check.h"
#include "vma.h"

/*   addr            sp
 *    |<-- cushion -->|       65536 + 32 words; exactly the cushion is still the stack's own
 */
static void test_cushion(void)
{
    static const struct {
        uint64_t addr, sp;
        unsigned word;
        bool below;
    } cases[] = {
        {0x100000, 0x100000 + 65536 + 256, 8, false},
        {0x100000, 0x100000 + 65536 + 257, 8, true},
        {0x100000, 0x100000 + 65536 + 255, 8, false},
        {0x100000, 0x100000 + 65536 + 128, 4, false},
        {0x100000, 0x100000 + 65536 + 129, 4, true},
        {0x100000, 0x100000 + 65536 + 127, 4, false},
        /* the stack pointer at or below the address: nothing is below it */
        {0x100000, 0x100000, 8, false},
        {0x100000, 0xfffff, 8, false},
        {0x100000, 0, 8, false},
        {0, 0, 4, false},
        {0, 65536 + 128, 4, false},
        {0, 65536 + 129, 4, true},
        /* addr + cushion would wrap */
        {UINT64_MAX, UINT64_MAX, 8, false},
        {UINT64_MAX - 10, 5, 8, false},
        {UINT64_MAX - 65536, UINT64_MAX, 8, false},
        {0xfffffff0, 5, 4, false},
        {5, UINT64_MAX, 8, true},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_EQ(core_vma_below_cushion(cases[i].addr, cases[i].sp, cases[i].word), cases[i].below, "case %u", i);
}

struct growth {
    struct fl_vma vma;
    struct fl_kernel kernel;
    struct fl_task task;
    uint64_t addr;
};

/*   prev_end    gap     start      end
 *   0x80000  |<-0x10000->| 0x100000  0x200000; limits far away
 */
static struct growth plain(void)
{
    return (struct growth){
        .vma = {.start = 0x100000, .end = 0x200000, .growsdown = true, .prev_end = 0x80000, .total_pages = 0x180},
        .kernel = {.guard_gap = 0x10000, .mmap_min_addr = 0x1000, .word = 8},
        .task = {.stack_limit = UINT64_MAX, .as_limit = UINT64_MAX},
        .addr = 0xfffff,
    };
}

static void check_growth(const struct growth *g, bool may, uint64_t want, const char *what)
{
    uint64_t start = 0xdead;
    bool got = core_vma_may_grow(&g->vma, &g->kernel, &g->task, g->addr, &start);

    CHECK_EQ(got, may, "%s", what);
    CHECK_EQ(start, may ? want : 0xdead, "%s", what);
}

static void test_growth_alignment(void)
{
    struct growth g = plain();

    check_growth(&g, true, 0xff000, "last byte below");
    g.addr = 0xff000;
    check_growth(&g, true, 0xff000, "first byte of the page below");
    g.addr = 0xfefff;
    check_growth(&g, true, 0xfe000, "two pages");
}

static void test_growth_gap(void)
{
    struct growth g = plain();

    g.addr = 0x90000;
    check_growth(&g, true, 0x90000, "exactly the gap is left");
    g.addr = 0x8ffff;
    check_growth(&g, false, 0, "one page less");
    g.vma.prev_growsdown = true;
    check_growth(&g, true, 0x8f000, "the neighbour is a stack");
    g.addr = 0x80000;
    check_growth(&g, true, 0x80000, "down to that stack");
    g.addr = 0x7f000;
    check_growth(&g, false, 0, "never over it");
    g = plain();
    g.addr = 0x8ffff;
    g.vma.prev_end = 0;
    check_growth(&g, true, 0x8f000, "no neighbour");
    g = plain();
    g.kernel.guard_gap = 0;
    g.addr = 0x80fff;
    check_growth(&g, true, 0x80000, "no gap wanted");
    g.addr = 0x7ffff;
    check_growth(&g, false, 0, "no gap wanted, but no overlap either");
}

static void test_growth_floor(void)
{
    struct growth g = plain();

    g.vma.prev_end = 0;
    g.kernel.mmap_min_addr = 0x90000;
    g.addr = 0x90000;
    check_growth(&g, true, 0x90000, "the floor itself");
    g.addr = 0x8ffff;
    check_growth(&g, false, 0, "below the floor");
    g.kernel.mmap_min_addr = 0x90001;
    g.addr = 0x90fff;
    check_growth(&g, false, 0, "a floor inside the page");
    g.kernel.mmap_min_addr = 0;
    g.addr = 0;
    check_growth(&g, true, 0, "page 0 where nothing forbids it");
}

static void test_growth_limits(void)
{
    struct growth g = plain();

    g.task.stack_limit = 0x101000;
    check_growth(&g, true, 0xff000, "exactly RLIMIT_STACK");
    g.task.stack_limit = 0x100fff;
    check_growth(&g, false, 0, "one byte over RLIMIT_STACK");

    g = plain();
    g.task.as_limit = 0x181000;
    check_growth(&g, true, 0xff000, "exactly RLIMIT_AS");
    g.task.as_limit = 0x180fff;
    check_growth(&g, false, 0, "RLIMIT_AS rounds down to pages");
    g.task.as_limit = 0;
    check_growth(&g, false, 0, "RLIMIT_AS 0");
    g = plain();
    g.vma.total_pages = UINT64_MAX;
    check_growth(&g, false, 0, "total pages do not wrap");
}

/* Any right is enough to read and to fetch; a write needs its own. */
static void test_allows(void)
{
    for (unsigned i = 0; i < 16; i++) {
        bool read = i & 1, write = i & 2, exec = i & 4, is_write = i & 8;
        struct fl_vma vma = {.read = read, .write = write, .exec = exec};
        bool want = is_write ? write : (i & 7) != 0;

        CHECK_EQ(core_vma_allows(&vma, is_write), want, "r%d w%d x%d write %d", read, write, exec, is_write);
    }
}

/* Two bits of PKRU for each key, and none of another's. */
static void test_keys(void)
{
    for (uint8_t pkey = 0; pkey < 16; pkey++)
        for (unsigned bit = 0; bit < 32; bit++)
            for (unsigned rest = 0; rest < 2; rest++) {
                struct fl_vma vma = {.pkey = pkey};
                uint32_t own = UINT32_C(3) << 2 * pkey, pkru = UINT32_C(1) << bit;
                bool ad, wd;

                pkru = rest ? (pkru & own) | ~own : pkru;
                ad = bit == 2u * pkey;
                wd = bit == 2u * pkey + 1;
                CHECK_EQ(core_vma_key_denies(&vma, pkru, false), ad, "key %u PKRU %#x", pkey, pkru);
                CHECK_EQ(core_vma_key_denies(&vma, pkru, true), ad || wd, "key %u PKRU %#x", pkey, pkru);
            }
}

int main(void)
{
    test_cushion();
    test_growth_alignment();
    test_growth_gap();
    test_growth_floor();
    test_growth_limits();
    test_allows();
    test_keys();
    return check_done("vma");
}
