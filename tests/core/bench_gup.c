/* SPDX-License-Identifier: MIT */
/*
 * Calls of pinning a second, through the vtable. The world behind it answers from constants and keeps no record, so that
 * what is measured is the core: what is left of a traced call is the model's and the judge's. A traced call has to come to
 * 0.3 M/s (tests/fuzz/bench_gup.c); the core alone is to take less than a fifth of that. The numbers are printed, not
 * judged: they belong to the machine. That every call came to what it should is checked.
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "gup_fake.h"

#include <time.h>

#define TARGET 1.5 /* million calls/s, of one page each */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- a world that costs next to nothing ------------------------------------------------------------------------- */

struct cheap {
    uint64_t table[8]; /* entry of the page with that number, whatever its index; 1 is CR3 */
    uint64_t leaf;     /* what mm_fault brings in */
    struct fl_pin_vma vma;
    uint64_t sink; /* makes each op do something */
};

static bool cheap_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct cheap *c = ctx;

    (void)size;
    *value = c->table[paddr >> 12 & 7];
    return true;
}

static void cheap_lock(void *ctx, unsigned level, uint64_t paddr)
{
    ((struct cheap *)ctx)->sink += level + paddr;
}

static void cheap_nothing(void *ctx)
{
    ((struct cheap *)ctx)->sink++;
}

static bool cheap_true(void *ctx, uint64_t pfn)
{
    ((struct cheap *)ctx)->sink += pfn;
    return true;
}

static bool cheap_false(void *ctx, uint64_t pfn)
{
    ((struct cheap *)ctx)->sink += pfn;
    return false;
}

static uint64_t cheap_head(void *ctx, uint64_t pfn)
{
    ((struct cheap *)ctx)->sink++;
    return pfn;
}

static bool cheap_speculative(void *ctx, uint64_t pfn, unsigned n)
{
    ((struct cheap *)ctx)->sink += pfn + n;
    return true;
}

static void cheap_page(void *ctx, uint64_t pfn)
{
    ((struct cheap *)ctx)->sink += pfn;
}

static bool cheap_vma_find(void *ctx, uint64_t addr, struct fl_pin_vma *vma)
{
    struct cheap *c = ctx;

    c->sink += addr;
    *vma = c->vma;
    return true;
}

static struct fl_pin_fault cheap_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags, bool nowait)
{
    struct cheap *c = ctx;

    c->sink += generation + addr + flags + nowait;
    c->table[4] = c->leaf;
    return (struct fl_pin_fault){.result = FL_MM_MINOR, .wrote = true};
}

static bool cheap_no(void *ctx)
{
    ((struct cheap *)ctx)->sink++;
    return false;
}

static void cheap_account(void *ctx, bool major)
{
    ((struct cheap *)ctx)->sink += major;
}

static struct fl_gup_ops cheap_ops(void)
{
    struct fl_gup_ops ops = gup_fake_ops; /* those that no case below calls */

    ops.read = cheap_read;
    ops.ptl_lock = cheap_lock;
    ops.ptl_unlock = cheap_nothing;
    ops.page_valid = cheap_true;
    ops.page_zero = cheap_false;
    ops.page_head = cheap_head;
    ops.page_get = cheap_true;
    ops.page_get_speculative = cheap_speculative;
    ops.page_tail_get = cheap_page;
    ops.page_dirty = cheap_true;
    ops.page_accessed = cheap_page;
    ops.vma_find = cheap_vma_find;
    ops.mm_fault = cheap_fault;
    ops.mm_lock = cheap_nothing;
    ops.mm_unlock = cheap_nothing;
    ops.fatal_signal = cheap_no;
    ops.resched = cheap_nothing;
    ops.account = cheap_account;
    ops.irq_save = cheap_nothing;
    ops.irq_restore = cheap_nothing;
    return ops;
}

/* ---- the kinds --------------------------------------------------------------------------------------------------- */

enum kind { PIN, PIN_FAULT, FAST_ONLY, FAST_FALLBACK, FIXUP, FOLLOW };

static void measure(const char *what, enum kind kind, uint64_t n, uint64_t leaf)
{
    struct fl_gup_ops ops = cheap_ops();
    const struct fl_gup *g = fl_gup();
    struct fl_gup_space space = {.task_size = UINT64_C(1) << 47, .current = true};
    struct cheap c = {.leaf = leaf,
                      .table = {0, E_FRAME(2, E_ALL), E_FRAME(3, E_ALL), leaf & E_PS ? leaf : E_FRAME(4, E_ALL), leaf}};
    uint64_t pfns[16], mask, calls = n > 1 ? 400000 : 2000000, came = 0;
    double start, rate;

    space.cpu = (struct fl_cpu){.mode = FL_MODE_4LEVEL, .maxphyaddr = 40, .efer = 1u << 11, .cr3 = 0x1000};
    space.has_special = kind != FAST_FALLBACK; /* no small page is the fast path's then */
    c.vma = (struct fl_pin_vma){
        .end = space.task_size, .generation = 1, .read = true, .write = true, .may_read = true, .may_write = true};
    start = now();
    for (uint64_t i = 0; i < calls; i++) {
        struct fl_pinned out = {.pages = 0};
        uint64_t va = VA + ((i & 0xff) << 12);

        switch (kind) {
        case PIN_FAULT:
        case PIN:
            if (kind == PIN_FAULT)
                c.table[4] = 0;
            g->pin_user(&space, va, n, true, false, pfns, NULL, &ops, &c, &out);
            break;
        case FAST_ONLY: g->pin_fast_only(&space, va, (int32_t)n, true, pfns, &ops, &c, &out); break;
        case FAST_FALLBACK: g->pin_fast(&space, va, (int32_t)n, true, pfns, &ops, &c, &out); break;
        case FIXUP:
            g->fixup(&space, va, FL_MM_WRITE, &ops, &c, &out);
            out.pages = out.error == FL_PIN_OK ? n : 0;
            break;
        case FOLLOW: g->follow(&space, &c.vma, va, FL_FOLL_GET, &ops, &c, pfns, &mask, &out); break;
        }
        came += out.pages;
    }
    rate = (double)calls / (now() - start) / 1e6;
    CHECK_EQ(came, calls * n, "%s", what);
    printf("%-44s %7.2f M calls/s", what, rate);
    if (n == 1)
        printf("   target %.1f%s\n", TARGET, rate < TARGET ? ": below" : "");
    else
        printf("   %7.1f M pages/s\n", rate * (double)n);
}

int main(void)
{
    measure("slow, one page", PIN, 1, E_FRAME(0x300, E_ALL | E_D));
    measure("slow, one page, faulted in", PIN_FAULT, 1, E_FRAME(0x300, E_ALL | E_D));
    measure("slow, 16 pages", PIN, 16, E_FRAME(0x300, E_ALL | E_D));
    measure("fast, one page", FAST_ONLY, 1, E_FRAME(0x300, E_ALL | E_D));
    measure("fast, 16 pages", FAST_ONLY, 16, E_FRAME(0x300, E_ALL | E_D));
    measure("fast, of a large leaf, 16 pages", FAST_ONLY, 16, E_FRAME(0x600, E_PS | E_ALL | E_D));
    measure("fast, then slow, one page", FAST_FALLBACK, 1, E_FRAME(0x300, E_ALL | E_D));
    measure("fixup", FIXUP, 1, 0);
    measure("follow", FOLLOW, 1, E_FRAME(0x300, E_ALL | E_D));
    return check_done("bench gup");
}
