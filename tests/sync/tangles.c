/* SPDX-License-Identifier: MIT */
/*
 * Tables in any tangle: a dozen frames that name each other at random, so that a frame is root, directory and page at
 * once, and what is filled may be what is read next. Facts and rows against the handlers as straight-line steps; the
 * image of sync-all against a sync-all that writes; and differences between generations, which then have a row too.
 */
#include "../check.h"
#include "mini.h"

#include <string.h>

#define FRAMES 12u

static uint64_t random_entry(uint64_t *seed, bool pae_pdpte)
{
    static const uint64_t flags[] = {MT, MT, MT, MT, MPTE, MP, MRW, MPTE | MPS, MRW | MPS, MT & ~MA};
    uint64_t r = check_random(seed);
    uint64_t frame = (r >> 16) % 16 == 0 ? FRAME_WILD : (r >> 24) % FRAMES;

    if (r % 5 == 0)
        return 0;
    return MFRAME(frame) | (pae_pdpte ? r & MP : flags[(r >> 8) % (sizeof flags / sizeof flags[0])]);
}

/* An address whose entries have the same place in each table: in a frame that has two roles they are one. */
static const uint64_t one_place[FL_MODE_COUNT] = {[FL_MODE_2LEVEL] = 0xf87e1000,
                                                  [FL_MODE_PAE] = 0xc0603000,
                                                  [FL_MODE_4LEVEL] = 0xffffc964b2592000,
                                                  [FL_MODE_5LEVEL] = 0xffa1d0e8743a1000};

static uint64_t random_root(uint64_t r)
{
    return MFRAME(r % 16 == 15 ? FRAME_WILD : r % 4);
}

/* The same seed gives the same machine. */
static struct mini *tangle(enum fl_mode mode, enum fl_generation generation, uint64_t seed, bool slots)
{
    struct mini *m = mini_machine(mode, generation);
    unsigned top = mode + 2, slot_level = top == 3 ? 2 : top;
    uint64_t r = check_random(&seed), va, span;

    if (r >> 40 & 1)
        m->s.cr2 = one_place[mode];
    if (mode == FL_MODE_PAE && (r >> 40 & 1))
        m->s.kernel.vmalloc_start = 0xc0000000;
    va = m->s.cr2;
    span = m->s.kernel.vmalloc_end - m->s.kernel.vmalloc_start;
    if (r % 4 == 0)
        m->s.kernel.vmalloc_start = va + 0x1000; /* outside */
    else if (r % 4 == 1)
        m->s.kernel.vmalloc_end = va & ~UINT64_C(0xfff);
    if (r >> 8 & 1)
        m->s.kernel.page_offset = m->s.kernel.vmalloc_end;
    m->s.lazy_mmu = r >> 9 & 1;
    m->s.task.in_nmi = r >> 10 & 1;
    m->s.cpu.vendor = r >> 11 & 1 ? FL_VENDOR_AMD : FL_VENDOR_INTEL;
    m->s.error_code = r >> 12 & 0x12;
    if (r >> 16 & 1)
        m->s.cpu.cr4 &= ~UINT64_C(0x10);
    m->no_page_zero = (r >> 44 & 15) == 0;
    m->s.cpu.cr3 = random_root(r >> 20);
    m->s.kernel.init_root = random_root(r >> 24);
    m->s.task.mm_root = r >> 36 & 3 ? random_root(r >> 28) : 0;
    m->s.task.active_root = random_root(r >> 32);
    for (unsigned frame = 0; frame < FRAMES; frame++) {
        for (unsigned level = 1; level <= top; level++)
            mini_put(m, mini_at(m, frame, level), random_entry(&seed, top == 3 && level == 3));
        for (unsigned i = 0; slots && i < 12; i++) {
            m->s.cr2 = m->s.kernel.vmalloc_start + check_random(&seed) % (span + span / 4);
            mini_put(m, mini_at(m, frame, slot_level), random_entry(&seed, false));
        }
        m->s.cr2 = va;
    }
    return m;
}

static void one_address(enum fl_mode mode, enum fl_generation generation, uint64_t seed, uint64_t rows[])
{
    struct fl_sync_expected want;
    struct mini *m = tangle(mode, generation, seed, false);
    enum fl_sync_end end;
    bool warned;

    CHECK(fl_sync_decide(&m->s, &want) == FL_OK, "mode %u %s seed %#" PRIx64, mode, fl_generation_name(generation),
          seed);
    end = steps_vmalloc_fault(m, &warned);
    CHECK(end == want.end && m->nlog == want.nwrites && m->flushes == want.flush && warned == want.warn,
          "mode %u %s seed %#" PRIx64 " row %s: %s after %u writes, expected %s after %u", mode,
          fl_generation_name(generation), seed, fl_sync_rows(&(size_t){0})[want.row].name, fl_sync_end_name(end),
          m->nlog, fl_sync_end_name((enum fl_sync_end)want.end), want.nwrites);
    for (unsigned i = 0; i < want.nwrites && i < m->nlog; i++)
        CHECK(m->log[i].paddr == want.write[i].paddr && m->log[i].value == want.write[i].value &&
                  m->log[i].size == want.write[i].size && m->log[i].how == want.write[i].how,
              "mode %u %s seed %#" PRIx64 ": another write", mode, fl_generation_name(generation), seed);
    rows[want.row]++;
}

/* ---- sync-all ---------------------------------------------------------------------------------------------------- */

static struct {
    unsigned n;
    struct fl_entry_write write[MINI_LOG];
} image;

static void note(void *ctx, const struct fl_entry_write *write)
{
    (void)ctx;
    if (image.n < MINI_LOG)
        image.write[image.n++] = *write;
}

static struct fl_sync_all list_of(struct mini *m, uint64_t seed)
{
    struct fl_sync_all all = {.cpu = m->s.cpu, .kernel = m->s.kernel, .read = mini_read, .ctx = m};
    uint64_t r = check_random(&seed);

    all.npgds = r % (FL_MAX_PGDS + 1);
    for (unsigned i = 0; i < all.npgds; i++)
        all.pgd[i] = MFRAME(r >> (8 + 4 * i) & 7);
    return all;
}

static void all_addresses(enum fl_mode mode, enum fl_generation generation, uint64_t seed, uint64_t ends[])
{
    static uint64_t final[MINI_LOG];
    uint64_t start = 0, insync[16] = {0}, own_start = 0, own_insync[16] = {0}, compared = 0, addr;
    struct mini *m = tangle(mode, generation, seed, true);
    enum fl_sync_end want = FL_SYNC_COUNT, end;
    struct fl_sync_all all;
    unsigned n, changed = 0, pgd;

    m->s.lazy_mmu = false; /* an image is what is there when the queue has been flushed */
    all = list_of(m, seed);
    if (seed % 3 == 0 && generation == FL_GEN_2008_64) { /* as an earlier call left it */
        start = own_start = (m->s.kernel.vmalloc_start & ~((UINT64_C(1) << 39) - 1)) + (UINT64_C(3) << 39);
        insync[5] = own_insync[5] = seed;
    }
    end = steps_sync_all(m, &all, &own_start, own_insync);
    n = m->nlog;
    for (unsigned i = 0; i < n; i++)
        final[i] = mini_get(m, m->log[i].paddr);
    m = tangle(mode, generation, seed, true); /* the log of the steps stays readable behind its end */
    image.n = 0;
    CHECK(fl_sync_all_decide(&all, &start, insync, note, NULL, &want) == FL_OK, "seed %#" PRIx64, seed);
    CHECK(want == end && start == own_start && memcmp(insync, own_insync, sizeof insync) == 0,
          "mode %u %s seed %#" PRIx64 ": %s from %#" PRIx64 ", expected %s from %#" PRIx64, mode,
          fl_generation_name(generation), seed, fl_sync_end_name(end), own_start, fl_sync_end_name(want), start);
    for (unsigned i = 0; i < image.n; i++) {
        changed += mini_get(m, image.write[i].paddr) != image.write[i].value;
        mini_put(m, image.write[i].paddr, image.write[i].value);
    }
    CHECK(image.n == n && changed == n, "mode %u %s seed %#" PRIx64 ": %u entries, of these %u changed, expected %u",
          mode, fl_generation_name(generation), seed, image.n, changed, n);
    for (unsigned i = 0; i < n; i++)
        CHECK_EQ(mini_get(m, m->log[i].paddr), final[i], "mode %u %s seed %#" PRIx64 " at %#" PRIx64, mode,
                 fl_generation_name(generation), seed, m->log[i].paddr);
    ends[want]++;
    (void)pgd, (void)addr, (void)compared;
}

/* ---- generations ------------------------------------------------------------------------------------------------ */

/* Some row says why; in a tangle, where copies change what is walked, it may be that of the tangle. */
static bool explained(enum fl_mode mode, enum fl_generation generation, uint64_t seed, enum fl_touch_end current)
{
    const struct fl_generation_row *named[FL_TOUCH_COUNT];
    struct mini *m = tangle(mode, generation, seed, false);
    struct fl_access a = {.va = m->s.cr2, .kind = seed & 1 ? FL_WRITE : FL_READ, .priv = FL_SUPERVISOR};
    struct fl_arch_result walk;
    enum fl_touch_end end;
    uint64_t code;

    if (fl_arch_walk(&m->s.cpu, &a, mini_read, m, &walk) != FL_OK)
        return false;
    m->s.error_code = walk.error_code;
    for (unsigned e = 0; e < FL_TOUCH_COUNT; e++)
        named[e] = fl_generation_explain(&m->s, generation, current, (enum fl_touch_end)e);
    end = mini_touch(m, &a, &code);
    CHECK(end == current || named[end], "mode %u %s seed %#" PRIx64 ": %s instead of %s", mode,
          fl_generation_name(generation), seed, fl_touch_end_name(end), fl_touch_end_name(current));
    return end != current && named[end] && strcmp(named[end]->name, "aliased") == 0;
}

static enum fl_touch_end current_end(enum fl_mode mode, uint64_t seed)
{
    struct mini *m = tangle(mode, FL_GEN_CURRENT, seed, false);
    struct fl_access a = {.va = m->s.cr2, .kind = seed & 1 ? FL_WRITE : FL_READ, .priv = FL_SUPERVISOR};
    uint64_t code;

    return mini_touch(m, &a, &code);
}

int main(int argc, char **argv)
{
    unsigned cases = argc > 1 && strcmp(argv[1], "--full") == 0 ? 1000000 : 40000;
    uint64_t rows[120] = {0}, ends[FL_SYNC_COUNT] = {0}, seed = 1, aliased = 0;
    const struct fl_sync_row *table;
    size_t count;

    table = fl_sync_rows(&count);
    for (unsigned i = 0; i < cases; i++) {
        uint64_t s = check_random(&seed);
        enum fl_mode mode = (enum fl_mode)(i % FL_MODE_COUNT);
        enum fl_touch_end current = current_end(mode, s);

        for (unsigned g = 0; g < FL_GEN_COUNT; g++) {
            if (!fl_generation_exists(mode, (enum fl_generation)g))
                continue;
            one_address(mode, (enum fl_generation)g, s, rows);
            if (i % 8 < FL_MODE_COUNT)
                all_addresses(mode, (enum fl_generation)g, s, ends);
            if (g != FL_GEN_CURRENT)
                aliased += explained(mode, (enum fl_generation)g, s, current);
        }
    }
    for (size_t i = 0; i < count; i++)
        CHECK(table[i].generations == 0 || rows[i] != 0, "row %s never decides a tangle", table[i].name);
    for (unsigned i = FL_SYNC_HANDLED; i < FL_SYNC_COUNT; i++)
        CHECK(ends[i] != 0, "no sync-all ended as %s", fl_sync_end_name((enum fl_sync_end)i));
    CHECK(aliased != 0, "the row of aliased tables never fires");
    return check_done("sync-tangles");
}
