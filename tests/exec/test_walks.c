/* SPDX-License-Identifier: MIT */
/*
 * Unicorn against the arch walk over random tables: fault or not, error code, CR2, translation, and every accessed and
 * dirty bit. What differs must be a row of the deviation list.
 *
 *     test_walks [cases]
 */
#include "check.h"
#include "fixture.h"

#include <faultline/oracle/arch.h>

/* Tables lie in the first frames; everything else is data. */
#define TABLE_FRAMES 24
#define MAX_ENTRIES  16

static uint64_t seed = 0x5eed;

static uint64_t rnd(void)
{
    return check_random(&seed);
}

static bool one_in(unsigned n)
{
    return rnd() % n == 0;
}

struct placed {
    uint64_t paddr;
    unsigned size;
    uint64_t value;
};

struct walk_case {
    struct fl_cpu cpu;
    struct fl_access access;
    struct placed entry[MAX_ENTRIES];
    unsigned n;
};

static void place(struct walk_case *c, struct fixture *f, uint64_t paddr, unsigned size, uint64_t value)
{
    struct placed *p = &c->entry[c->n++];

    if (paddr + size > f->ram.size) {
        c->n--;
        return;
    }
    *p = (struct placed){paddr, size, value};
    memcpy(f->ram.base + paddr, &value, size);
}

/* Mostly ordinary rights, sometimes anything at all. */
static uint64_t random_flags(unsigned size, bool nx)
{
    uint64_t v = 0x7 | (rnd() & 0x60);

    if (one_in(6))
        v &= ~1ull;
    if (one_in(4))
        v &= ~2ull;
    if (one_in(4))
        v &= ~4ull;
    v |= rnd() & 0xf18 & -(uint64_t)one_in(2);
    if (size == 8) {
        if (one_in(5) && (nx || one_in(3)))
            v |= 1ull << 63;
        if (one_in(3))
            v |= (rnd() & 0x7ff) << 52;
        if (one_in(12))
            v |= 1ull << (40 + rnd() % 12);
    }
    return v;
}

static uint64_t random_table(void)
{
    /* One in 64 lies where there is no memory. */
    return one_in(64) ? 0x7fff000 : (rnd() % TABLE_FRAMES) << 12;
}

static void random_case(struct walk_case *c, struct fixture *f)
{
    static const unsigned tops[FL_MODE_COUNT] = {2, 3, 4, 5};
    uint8_t mode = (uint8_t)(rnd() % FL_MODE_COUNT);
    unsigned size = mode == FL_MODE_2LEVEL ? 4 : 8;
    unsigned bits = mode == FL_MODE_2LEVEL ? 10 : 9;

    c->n = 0;
    c->cpu = fixture_cpu(mode);
    c->cpu.vendor = one_in(4) ? FL_VENDOR_AMD : FL_VENDOR_INTEL;
    if (one_in(3))
        c->cpu.cr0 &= ~(1ull << 16);
    c->cpu.cr4 |= (uint64_t)one_in(2) << 20 | (uint64_t)one_in(2) << 21 | (uint64_t)one_in(2) << 22;
    if (mode == FL_MODE_2LEVEL && one_in(2))
        c->cpu.cr4 |= 1 << 4;
    if (one_in(3))
        c->cpu.efer &= ~(1ull << 11);
    c->cpu.pkru = one_in(2) ? (uint32_t)rnd() : 0;
    c->access.kind = (uint8_t)(rnd() % FL_ACCESS_KIND_COUNT);
    c->access.priv = (uint8_t)(rnd() % FL_ACCESS_PRIV_COUNT);
    if (c->access.priv == FL_IMPLICIT)
        c->access.kind = FL_READ;
    c->access.ac = one_in(2);
    c->access.va = rnd();
    if (mode <= FL_MODE_PAE)
        c->access.va &= 0xffffffff;
    else if (!one_in(16))
        c->access.va = (uint64_t)((int64_t)(c->access.va << (mode == FL_MODE_5LEVEL ? 7 : 16)) >>
                                  (mode == FL_MODE_5LEVEL ? 7 : 16));
    if (one_in(16)) /* on the executor's own code */
        c->access.va = (one_in(2) ? 0x400000 : 0x540000) + rnd() % 4096;
    if (c->access.priv == FL_IMPLICIT && (c->access.va & 0xfff) > 0xff8)
        c->access.va -= 8;

    uint64_t table = random_table();
    c->cpu.cr3 = table | (mode == FL_MODE_PAE ? rnd() & 0xfe0 : 0);
    for (unsigned level = tops[mode]; level >= 1; level--) {
        uint64_t index, flags = random_flags(size, (c->cpu.efer >> 11 & 1) != 0), next;
        bool leaf = level == 1;
        if (mode == FL_MODE_PAE && level == 3) {
            uint64_t root = c->cpu.cr3 & 0xffffffe0;
            for (unsigned i = 0; i < 4; i++) {
                uint64_t v = one_in(8) ? 0 : 1 | (one_in(40) ? rnd() & 0x1e6 : 0) | (one_in(40) ? 1ull << 52 : 0);
                next = random_table();
                place(c, f, root + 8 * i, 8, next | v);
                if (i == (c->access.va >> 30 & 3))
                    table = next;
            }
            continue;
        }
        index = c->access.va >> (12 + bits * (level - 1)) & ((1u << bits) - 1);
        if (!leaf && level <= 3 && one_in(4)) {
            flags |= 0x80;
            leaf = !(mode == FL_MODE_2LEVEL && !(c->cpu.cr4 & 0x10));
        } else if (!leaf && one_in(level >= 4 ? 30 : 1000)) {
            flags |= 0x80;
        }
        if (leaf) {
            next = one_in(8) ? rnd() & 0xfffffff000 : (rnd() % (f->ram.size >> 12)) << 12;
            if (level == 2 && mode == FL_MODE_2LEVEL)
                next = (rnd() & (one_in(8) ? 0x1ff000 : 0)) | (rnd() & (one_in(10) ? 0x200000 : 0));
            else if (level > 1 && !one_in(6))
                next &= ~((1ull << (12 + bits * (level - 1))) - 1);
            if (size == 4)
                next = (uint32_t)next;
        } else {
            next = random_table();
        }
        place(c, f, table + index * size, size, next | flags);
        if (leaf)
            return;
        table = next;
    }
}

static void say(const struct walk_case *c, const struct fl_arch_result *w, const struct fl_exec_result *r)
{
    fprintf(stderr, "mode %u vendor %u cr0 %#" PRIx64 " cr3 %#" PRIx64 " cr4 %#" PRIx64 " efer %#" PRIx64 " pkru %#x\n",
            c->cpu.mode, c->cpu.vendor, c->cpu.cr0, c->cpu.cr3, c->cpu.cr4, c->cpu.efer, c->cpu.pkru);
    fprintf(stderr, "va %#" PRIx64 " kind %u priv %u ac %d\n", c->access.va, c->access.kind, c->access.priv,
            c->access.ac);
    for (unsigned i = 0; i < c->n; i++)
        fprintf(stderr, "  %#" PRIx64 ": %#" PRIx64 "\n", c->entry[i].paddr, c->entry[i].value);
    fprintf(stderr,
            "arch: %s code %#x level %u entry %#" PRIx64 " paddr %#" PRIx64 "; unicorn: end %u vector %u code %#x "
            "cr2 %#" PRIx64 " paddr %d %#" PRIx64 "\n",
            fl_arch_kind_name((enum fl_arch_kind)w->kind), w->error_code, w->level, w->entry, w->paddr, r->end,
            r->vector, r->error_code, r->cr2, r->has_paddr, r->paddr);
}

static bool agrees(const struct walk_case *c, const struct fl_arch_result *w, const struct fl_exec_result *r,
                   const struct fixture *f)
{
    switch (w->kind) {
    case FL_ARCH_OK:
        return r->end == (w->paddr < f->ram.size ? FL_END_DONE : FL_END_BUS) && r->has_paddr && r->paddr == w->paddr;
    case FL_ARCH_PF:
        return r->end == FL_END_FAULT && r->error_code == w->error_code && r->cr2 == c->access.va && r->faults == 1;
    case FL_ARCH_GP: return r->end == FL_END_EXCEPTION && r->vector == 13;
    default: return r->end == FL_END_BUS && !r->has_paddr;
    }
}

/* Every entry as arch says it is afterwards; where arch leaves it open, accessed bits may be set. */
static bool entries_agree(const struct walk_case *c, const struct fl_arch_result *w, const struct fixture *f,
                          bool quiet)
{
    for (unsigned i = 0; i < c->n; i++) {
        const struct placed *p = &c->entry[i];
        uint64_t want = 0, open = 0, got = 0;
        /* Entries may lie on each other: the last one placed is the one that counts. */
        bool covered = false;
        for (unsigned k = i + 1; k < c->n; k++)
            covered |= c->entry[k].paddr < p->paddr + p->size && p->paddr < c->entry[k].paddr + c->entry[k].size;
        if (covered)
            continue;
        want = p->value;
        for (unsigned k = 0; k < w->nwrites; k++)
            if (w->writes[k].paddr == p->paddr)
                want |= w->writes[k].bits;
        for (unsigned k = 0; k < w->nmaybe; k++)
            if (w->maybe[k].paddr == p->paddr)
                open |= w->maybe[k].bits;
        memcpy(&got, f->ram.base + p->paddr, p->size);
        if (w->kind == FL_ARCH_OK)
            open = 0;
        if ((got & ~open) != (want & ~open)) {
            if (!quiet)
                fprintf(stderr, "entry at %#" PRIx64 " is %#" PRIx64 ", expected %#" PRIx64 "\n", p->paddr, got, want);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct fl_exec_result r;
    struct fixture f;
    uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000, unexplained = 0, unsupported = 0;
    uint64_t by_kind[FL_ARCH_KIND_COUNT] = {0}, by_mode[FL_MODE_COUNT] = {0}, implicit = 0, deviations = 0;

    size_t nrows;
    const struct fl_deviation *rows = fl_deviation_rows(&nrows);
    uint64_t fired[64] = {0};

    CHECK(nrows <= 64, "too many rows for this test");
    fixture_open(&f, 4u << 20);
    for (uint64_t n = 0; n < cases; n++) {
        struct walk_case c;
        struct fl_arch_result w;
        random_case(&c, &f);
        CHECK_EQ(fl_arch_walk(&c.cpu, &c.access, fixture_read, &f, &w), FL_OK, "case %" PRIu64, n);
        enum fl_exec_status status = f.ex->access(f.ex, &c.cpu, &c.access, &r);
        CHECK(status != FL_EXEC_BROKEN, "case %" PRIu64 ": %s", n, r.reason);
        if (status == FL_EXEC_UNSUPPORTED) {
            unsupported++;
        } else {
            check_count++;
            by_kind[w.kind]++;
            by_mode[c.cpu.mode]++;
            implicit += c.access.priv == FL_IMPLICIT;
            if (!agrees(&c, &w, &r, &f) || !entries_agree(&c, &w, &f, true)) {
                struct fl_deviation_case d = {.cpu = &c.cpu,
                                              .access = &c.access,
                                              .bits = 64,
                                              .cr2 = r.cr2,
                                              .error_code = r.error_code,
                                              .arch_kind = w.kind,
                                              .arch_code = w.error_code,
                                              .arch_level = w.level,
                                              .arch_entry = w.entry,
                                              .result = &r};
                const struct fl_deviation *row = fl_deviation_find("unicorn", &d);
                if (row != NULL) {
                    fired[row - rows]++;
                    deviations++;
                } else {
                    unexplained++;
                    check_failures++;
                    entries_agree(&c, &w, &f, false);
                    say(&c, &w, &r);
                    if (check_failures > 5)
                        break;
                }
            }
        }
        for (unsigned i = 0; i < c.n; i++)
            memset(f.ram.base + c.entry[i].paddr, 0, c.entry[i].size);
        if (w.kind == FL_ARCH_OK && w.paddr < f.ram.size)
            memset(f.ram.base + (w.paddr & ~0xfffull), 0, 8);
    }
    printf("walks: %" PRIu64 " cases: ok %" PRIu64 ", pf %" PRIu64 ", gp %" PRIu64 ", bus %" PRIu64 "; 2level %" PRIu64
           ", pae %" PRIu64 ", 4level %" PRIu64 ", 5level %" PRIu64 "; implicit %" PRIu64 "; unsupported %" PRIu64
           ", deviations %" PRIu64 ", unexplained %" PRIu64 "\n",
           cases, by_kind[0], by_kind[1], by_kind[2], by_kind[3], by_mode[0], by_mode[1], by_mode[2], by_mode[3],
           implicit, unsupported, deviations, unexplained);
    for (size_t i = 0; i < nrows; i++)
        if (fired[i] != 0)
            printf("  %s: %" PRIu64 "\n", rows[i].id, fired[i]);
    for (unsigned i = 0; i < FL_ARCH_KIND_COUNT; i++)
        CHECK(by_kind[i] > cases / 200, "too few cases of kind %u", i);
    for (unsigned i = 0; i < FL_MODE_COUNT; i++)
        CHECK(by_mode[i] > cases / 10, "too few cases of mode %u", i);
    CHECK(unsupported * 20 < cases, "%" PRIu64 " unsupported", unsupported);
    fixture_close(&f);
    return check_done("exec walks");
}
