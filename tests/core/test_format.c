/* SPDX-License-Identifier: MIT */
/* The rows of the table formats: they chain, they add up, and their masks are those of the manuals, written out. */
#include "check.h"
#include "format.h"

static struct fl_cpu cpu_of(enum fl_mode mode, enum fl_vendor vendor, unsigned maxphyaddr, bool nxe)
{
    return (struct fl_cpu){.mode = mode,
                           .vendor = vendor,
                           .maxphyaddr = (uint8_t)maxphyaddr,
                           .pse36 = true,
                           .page1gb = true,
                           .cr4 = 0x10, /* PSE */
                           .efer = nxe ? 0x800 : 0};
}

/* Level n indexes with the bits just above what level n-1 translates; the last level maps 4 KiB. */
static void test_rows_chain(void)
{
    static const unsigned bits[FL_MODE_COUNT] = {32, 32, 48, 57}, levels[FL_MODE_COUNT] = {2, 3, 4, 5},
                          size[FL_MODE_COUNT] = {4, 8, 8, 8};

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        const struct format *f = core_format_of(mode);
        unsigned top = f->linear_bits;

        CHECK_EQ(f->linear_bits, bits[mode], "mode %u", mode);
        CHECK_EQ(f->levels, levels[mode], "mode %u", mode);
        CHECK_EQ(f->entry_size, size[mode], "mode %u", mode);
        for (unsigned i = 0; i < f->levels; i++) {
            const struct format_level *l = &f->level[i];

            CHECK_EQ(l->level, f->levels - i, "mode %u row %u", mode, i);
            top -= l->index_bits;
            CHECK_EQ(l->shift, top, "mode %u level %u", mode, l->level);
            CHECK_EQ(l->leaf == FORMAT_LEAF_ALWAYS, i + 1 == f->levels, "mode %u level %u", mode, l->level);
            /* A table fills a page, but for the four PDPTEs. */
            CHECK((f->entry_size << l->index_bits) == 4096 || (mode == FL_MODE_PAE && l->index_bits == 2),
                  "mode %u level %u", mode, l->level);
        }
        CHECK_EQ(top, 12, "mode %u", mode);
    }
}

static void test_walkable(void)
{
    static const struct {
        enum fl_mode mode;
        uint64_t va;
        bool want;
    } cases[] = {
        {FL_MODE_2LEVEL, 0, true},
        {FL_MODE_2LEVEL, 0xffffffff, true},
        {FL_MODE_2LEVEL, 0x100000000, false},
        {FL_MODE_2LEVEL, 0xffffffff80000000, false},
        {FL_MODE_PAE, 0xffffffff, true},
        {FL_MODE_PAE, 0x100000000, false},
        {FL_MODE_4LEVEL, 0x00007fffffffffff, true},
        {FL_MODE_4LEVEL, 0x0000800000000000, false},
        {FL_MODE_4LEVEL, 0xffff7fffffffffff, false},
        {FL_MODE_4LEVEL, 0xffff800000000000, true},
        {FL_MODE_4LEVEL, 0x7fff800000000000, false},
        {FL_MODE_4LEVEL, UINT64_MAX, true},
        {FL_MODE_5LEVEL, 0x00ffffffffffffff, true},
        {FL_MODE_5LEVEL, 0x0100000000000000, false},
        {FL_MODE_5LEVEL, 0xfeffffffffffffff, false},
        {FL_MODE_5LEVEL, 0xff00000000000000, true},
        {FL_MODE_5LEVEL, 0x0000800000000000, true},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_EQ(core_format_walkable(core_format_of(cases[i].mode), cases[i].va), cases[i].want, "case %u", i);
}

/* Masks written out by hand for MAXPHYADDR 40. Row order: top level first. */
static void test_reserved(void)
{
    static const struct {
        enum fl_mode mode;
        enum fl_vendor vendor;
        bool nxe;
        unsigned row;
        bool leaf;
        uint64_t want;
    } cases[] = {
        {FL_MODE_2LEVEL, FL_VENDOR_INTEL, true, 0, false, 0},
        {FL_MODE_2LEVEL, FL_VENDOR_INTEL, false, 0, true, 0x200000},
        {FL_MODE_2LEVEL, FL_VENDOR_AMD, false, 1, true, 0},
        {FL_MODE_PAE, FL_VENDOR_INTEL, true, 0, false, 0xffffff00000001e6},
        {FL_MODE_PAE, FL_VENDOR_AMD, false, 0, false, 0xffffff00000001e6},
        {FL_MODE_PAE, FL_VENDOR_INTEL, true, 1, false, 0x7fffff0000000000},
        {FL_MODE_PAE, FL_VENDOR_INTEL, false, 1, true, 0xffffff00001fe000},
        {FL_MODE_PAE, FL_VENDOR_AMD, true, 2, true, 0x7fffff0000000000},
        {FL_MODE_4LEVEL, FL_VENDOR_INTEL, true, 0, false, 0x000fff0000000080},
        {FL_MODE_4LEVEL, FL_VENDOR_AMD, true, 0, false, 0x000fff0000000180},
        {FL_MODE_4LEVEL, FL_VENDOR_AMD, false, 1, false, 0x800fff0000000080},
        {FL_MODE_4LEVEL, FL_VENDOR_INTEL, true, 1, true, 0x000fff003fffe000},
        {FL_MODE_4LEVEL, FL_VENDOR_INTEL, true, 2, false, 0x000fff0000000000},
        {FL_MODE_4LEVEL, FL_VENDOR_INTEL, true, 2, true, 0x000fff00001fe000},
        {FL_MODE_4LEVEL, FL_VENDOR_INTEL, false, 3, true, 0x800fff0000000000},
        {FL_MODE_5LEVEL, FL_VENDOR_INTEL, true, 0, false, 0x000fff0000000080},
        {FL_MODE_5LEVEL, FL_VENDOR_AMD, true, 0, false, 0x000fff0000000180},
        {FL_MODE_5LEVEL, FL_VENDOR_AMD, true, 1, false, 0x000fff0000000180},
        {FL_MODE_5LEVEL, FL_VENDOR_AMD, true, 4, true, 0x000fff0000000000},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fl_cpu cpu = cpu_of(cases[i].mode, cases[i].vendor, 40, cases[i].nxe);
        const struct format *f = core_format_of(cases[i].mode);

        CHECK_EQ(core_format_reserved(f, &f->level[cases[i].row], &cpu, cases[i].leaf), cases[i].want, "case %u", i);
    }
}

/* Of bits 21:13 of a 4 MiB entry, the low MAXPHYADDR - 32 (at most 8) are address bits, none without PSE-36. */
static void test_pse36(void)
{
    const struct format *f = core_format_of(FL_MODE_2LEVEL);

    for (unsigned m = 32; m <= 52; m++) {
        struct fl_cpu cpu = cpu_of(FL_MODE_2LEVEL, FL_VENDOR_INTEL, m, false);
        unsigned address_bits = m < 40 ? m - 32 : 8;
        uint64_t want = 0;

        for (unsigned bit = 13 + address_bits; bit <= 21; bit++)
            want |= UINT64_C(1) << bit;
        CHECK_EQ(core_format_reserved(f, &f->level[0], &cpu, true), want, "MAXPHYADDR %u", m);
        cpu.pse36 = false;
        CHECK_EQ(core_format_reserved(f, &f->level[0], &cpu, true), 0x3fe000, "MAXPHYADDR %u", m);
    }
    CHECK_EQ(core_format_page(f, &f->level[0], 0x801ff0e7), 0xff80000000, "PSE-36 address");
    CHECK_EQ(core_format_page(f, &f->level[1], 0xfffff0e7), 0xfffff000, "PTE address");
}

static void test_maxphyaddr_edges(void)
{
    for (unsigned m = 32; m <= 52; m++) {
        struct fl_cpu cpu = cpu_of(FL_MODE_4LEVEL, FL_VENDOR_INTEL, m, true);
        const struct format *f = core_format_of(FL_MODE_4LEVEL);
        uint64_t beyond = 0;

        for (unsigned bit = m; bit <= 51; bit++)
            beyond |= UINT64_C(1) << bit;
        CHECK_EQ(core_format_reserved(f, &f->level[3], &cpu, true), beyond, "MAXPHYADDR %u", m);
        cpu.cr3 = UINT64_MAX;
        CHECK_EQ(core_format_root(f, &cpu), 0x000ffffffffff000 & ~beyond, "MAXPHYADDR %u", m);
        CHECK_EQ(core_format_root(core_format_of(FL_MODE_PAE), &cpu), 0xffffffe0, "MAXPHYADDR %u", m);
        CHECK_EQ(core_format_root(core_format_of(FL_MODE_2LEVEL), &cpu), 0xfffff000, "MAXPHYADDR %u", m);
    }
    CHECK_EQ(core_format_table(core_format_of(FL_MODE_5LEVEL), UINT64_MAX), 0x000ffffffffff000, "table");
}

static void test_leaf(void)
{
    struct fl_cpu on = cpu_of(FL_MODE_4LEVEL, FL_VENDOR_INTEL, 40, true), off = on;
    const uint64_t ps = 0x81;

    off.page1gb = false;
    off.cr4 = 0;
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        const struct format *f = core_format_of(mode);

        for (unsigned i = 0; i < f->levels; i++) {
            const struct format_level *l = &f->level[i];
            bool large_on = l->level == 2 || (l->level == 3 && mode >= FL_MODE_4LEVEL);
            bool large_off = l->level == 2 && mode != FL_MODE_2LEVEL;

            CHECK_EQ(core_format_is_leaf(l, &on, ps), large_on || l->level == 1, "mode %u level %u", mode, l->level);
            CHECK_EQ(core_format_is_leaf(l, &off, ps), large_off || l->level == 1, "mode %u level %u", mode, l->level);
            CHECK_EQ(core_format_is_leaf(l, &on, 1), l->level == 1, "mode %u level %u", mode, l->level);
        }
    }
}

int main(void)
{
    test_rows_chain();
    test_walkable();
    test_reserved();
    test_pse36();
    test_maxphyaddr_edges();
    test_leaf();
    return check_done("format");
}
