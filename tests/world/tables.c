/* SPDX-License-Identifier: MIT */
/* The page-table builder, mode by mode, seen through the tests' own walker. */
#include "fixture.h"

#define ALL (FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_USER)

static const uint64_t addresses[FL_MODE_COUNT][3] = {
    {0x00400000, 0xbffff000, 0xfffff000},
    {0x00400000, 0xbffff000, 0xfffff000},
    {0x00400000, 0x7fffffffe000, 0xffffffff81000000},
    {0x00400000, 0xfffffffffe000, 0xff80000000000000},
};

static void test_levels(struct fl_world *w)
{
    static const unsigned shifts[FL_MODE_COUNT][4] = {
        {0, 12, 22, 22}, {0, 12, 21, 21}, {0, 12, 21, 30}, {0, 12, 21, 30}};

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned i = 0; i < 3; i++)
            for (unsigned level = 1; level <= 3; level++) {
                struct fl_machine m = machine_of(mode);
                fl_world_begin(w, &m);
                CHECK_EQ(map(w, addresses[mode][i], 700, level, ALL), FL_OK, "%s level %u", mode_names[mode], level);
                struct seen s = look(w, addresses[mode][i]);
                uint64_t size = UINT64_C(1) << s.shift;
                CHECK(s.present && s.write && s.user && !s.nx, "%s level %u", mode_names[mode], level);
                CHECK_EQ(s.shift, shifts[mode][level], "%s level %u", mode_names[mode], level);
                CHECK_EQ(s.paddr, ((700 * PAGE) & ~(size - 1)) | (addresses[mode][i] & (size - 1)), "%s level %u",
                         mode_names[mode], level);
                CHECK(!look(w, addresses[mode][i] ^ 0x40000000).present, "%s: neighbour mapped", mode_names[mode]);
            }
}

static void test_flags(struct fl_world *w)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned nxe = 0; nxe < 2; nxe++)
            for (unsigned flags = 0; flags < 256; flags++)
                for (unsigned level = 1; level <= 2; level++) {
                    struct fl_machine m = machine_of(mode);
                    m.nxe = nxe;
                    fl_world_begin(w, &m);
                    map(w, 0x400000, 600, level, flags | FL_MAP_PRESENT);
                    struct seen s = look(w, 0x400000);
                    bool nx = (flags & FL_MAP_NX) && nxe && mode != FL_MODE_2LEVEL;
                    CHECK(s.present && s.write == !!(flags & FL_MAP_WRITE) && s.user == !!(flags & FL_MAP_USER) &&
                              s.accessed == !!(flags & FL_MAP_ACCESSED) && s.dirty == !!(flags & FL_MAP_DIRTY) &&
                              s.nx == nx,
                          "%s flags %#x", mode_names[mode], flags);
                    CHECK_EQ(s.leaf >> 8 & 1, !!(flags & FL_MAP_GLOBAL), "global, flags %#x", flags);
                    CHECK_EQ(s.leaf >> (level == 1 ? 7 : 12) & 1, !!(flags & FL_MAP_PAT), "PAT, flags %#x", flags);
                    CHECK_EQ(s.leaf >> 59 & 15, mode >= FL_MODE_4LEVEL ? 5 : 0, "pkey in %s", mode_names[mode]);
                }
}

static void test_entry(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);

    /* ENTRY makes the path down to its level, and changes what mask says. */
    fl_world_begin(w, &m);
    CHECK_EQ(entry(w, 0x400000, 1, 0x123456789abc5, ~UINT64_C(0)), FL_OK, "a PTE");
    CHECK_EQ(look(w, 0x400000).leaf, 0x123456789abc5, "set whole");
    entry(w, 0x400000, 1, 2, 6);
    CHECK_EQ(look(w, 0x400000).leaf, 0x123456789abc3, "bits under the mask only");

    /* Never through a large leaf; its own level is fine, and levels are clamped to the mode. */
    fl_world_begin(w, &m);
    map(w, 0x400000, 512, 2, ALL);
    CHECK_EQ(entry(w, 0x400000, 1, 1, 1), FL_INVALID, "below a 2 MiB page");
    CHECK_EQ(map(w, 0x400000, 1, 1, ALL), FL_INVALID, "below a 2 MiB page");
    CHECK_EQ(entry(w, 0x400000, 2, 0, 4), FL_OK, "the 2 MiB page itself");
    CHECK(!look(w, 0x400000).user, "U/S was cleared");
    CHECK_EQ(entry(w, 0x400000, 5, 0, 1), FL_OK, "level 5 is the PML4E here");
    CHECK(!look(w, 0x400000).present, "P of the PML4E was cleared");

    /* A path that leaves RAM is left alone. */
    fl_world_begin(w, &m);
    entry(w, 0x400000, 4, 0x40000000 | 7, ~UINT64_C(0));
    CHECK_EQ(map(w, 0x400000, 600, 1, ALL), FL_INVALID, "a table outside RAM");

    /* Without CR4.PSE a PDE has no PS bit. */
    m = machine_of(FL_MODE_2LEVEL);
    m.pse = false;
    fl_world_begin(w, &m);
    map(w, 0x400000, 600, 2, ALL);
    CHECK_EQ(look(w, 0x400000).shift, 12, "clamped to what the mode has");
    entry(w, 0x400000, 2, 0x80, 0x80);
    CHECK_EQ(map(w, 0x401000, 601, 1, ALL), FL_OK, "PS is ignored");

    /* A PAE PDPTE has P and nothing else. */
    m = machine_of(FL_MODE_PAE);
    fl_world_begin(w, &m);
    map(w, 0x400000, 600, 1, ALL);
    struct fl_ram ram = fl_world_ram(w);
    CHECK_EQ(fl_world_cpu(w)->cr3 & 0x1f, 0, "32-byte aligned");
    CHECK_EQ(peek(&ram, fl_world_cpu(w)->cr3, 8) & 0xfff, 1, "PDPTE flags");
}

static void test_registers(struct fl_world *w)
{
    static const struct {
        unsigned mode, split;
        bool user;
        unsigned bits;
        uint64_t task_size;
        unsigned word, cs;
    } rows[] = {
        {FL_MODE_2LEVEL, 0, true, 32, 0xc0000000, 4, 0x73},
        {FL_MODE_2LEVEL, 1, false, 32, 0x80000000, 4, 0x60},
        {FL_MODE_PAE, 2, true, 16, 0x40000000, 4, 0x0f},
        {FL_MODE_4LEVEL, 0, true, 64, 0x7ffffffff000, 8, 0x33},
        {FL_MODE_4LEVEL, 0, true, 32, 0x7ffffffff000, 8, 0x23},
        {FL_MODE_4LEVEL, 0, false, 64, 0x7ffffffff000, 8, 0x10},
        {FL_MODE_5LEVEL, 0, false, 32, 0xfffffffffff000, 8, 0x08},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fl_machine m = machine_of(rows[i].mode);
        struct fl_snapshot s;
        struct fl_fault f;
        m.split = (uint8_t)rows[i].split;
        m.user = rows[i].user;
        m.code_bits = (uint8_t)rows[i].bits;
        m.gpr_seed = 9;
        m.smap = m.pke = m.pks = m.smep = true;
        fl_world_begin(w, &m);
        fl_world_snapshot(w, 0x1234, 0, &f, &s);
        CHECK_EQ(s.kernel.task_size, rows[i].task_size, "row %zu", i);
        CHECK_EQ(s.kernel.word, rows[i].word, "row %zu", i);
        CHECK_EQ(s.regs.cs, rows[i].cs, "row %zu", i);
        CHECK_EQ((s.regs.cs & 3) == 3, rows[i].user, "row %zu: RPL", i);
        CHECK_EQ(s.codeseg.bits, rows[i].bits, "row %zu", i);
        CHECK_EQ(s.cpu.cr4 >> 12 & 1, rows[i].mode == FL_MODE_5LEVEL, "row %zu: LA57", i);
        CHECK_EQ(s.cpu.cr4 >> 5 & 1, rows[i].mode != FL_MODE_2LEVEL, "row %zu: PAE", i);
        CHECK_EQ(s.cpu.cr4 >> 20 & 3, 3, "row %zu: SMEP, SMAP", i);
        CHECK_EQ(s.cpu.cr4 >> 22 & 5, rows[i].word == 8 ? 5 : 0, "row %zu: PKE, PKS", i);
        CHECK_EQ(s.cpu.efer >> 10 & 1, rows[i].word == 8, "row %zu: LMA", i);
        CHECK_EQ(s.regs.gpr[FL_RSP], m.sp, "row %zu: sp", i);
        fl_world_kernel_era(w);
        CHECK_EQ(fl_world_cpu(w)->cr4 >> 20 & 0x1f, 1, "row %zu: of these only SMEP is left", i);
        fl_world_set_user_mode(w, !rows[i].user);
        CHECK_EQ((fl_world_regs(w)->cs & 3) == 3, !rows[i].user, "row %zu: selectors follow", i);
    }
}

int main(void)
{
    struct fl_world *w = open_world();
    test_levels(w);
    test_flags(w);
    test_entry(w);
    test_registers(w);
    fl_world_close(w);
    return check_done("world tables");
}
