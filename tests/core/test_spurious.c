/* SPDX-License-Identifier: MIT */
/*
 * The spurious check: which codes may be spurious at all, and that every level has to permit the access, in every
 * paging mode.
 */
#include "tables.h"
#include "vmalloc.h"

#define WRITE 0x3u  /* P, W */
#define FETCH 0x11u /* P, I */

enum { WP = 0x10000, SMEP = 0x100000, SMAP = 0x200000, PKE = 0x400000, PKS = 0x1000000, AC = 0x40000 };

/* The reference tables are the live ones, and permit everything to the kernel. */
static struct scene live(unsigned mode, uint64_t code)
{
    struct scene s = scene_of(mode, FL_GEN_CURRENT);

    s.f.cpu.cr3 = INIT;
    s.f.error_code = code;
    return s;
}

static bool spurious(struct scene *s)
{
    struct fl_ops ops = scene_ops();
    bool answer = core_is_spurious(&s->f, &ops, &s->k);

    CHECK_EQ(strspn(s->k.trace, "r"), s->k.ntrace, "read_entry only: %s", s->k.trace);
    return answer;
}

static void test_codes(void)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned bit = 0; bit <= 64; bit++)
            for (uint64_t low = 0; low < 64; low++) {
                struct scene s = live(mode, low ^ (bit < 64 ? UINT64_C(1) << bit : 0));
                bool want = s.f.error_code == WRITE || s.f.error_code == FETCH;

                if (bit > 6 && bit < 64 && low != WRITE && low != FETCH)
                    continue;
                CHECK_EQ(spurious(&s), want, "mode %u code %" PRIx64, mode, s.f.error_code);
                CHECK_EQ(s.k.reads != 0, want, "mode %u code %" PRIx64, mode, s.f.error_code);
            }
}

/* One level forbids it, or ends the walk: the leaf does not decide alone. */
static void test_levels(void)
{
    static const struct {
        const char *what;
        uint64_t code, set, clear;
        bool wide; /* the bit is in the upper half of an entry */
    } cases[] = {
        {"read-only", WRITE, 0, RW, false},
        {"NX", FETCH, NX, 0, true},
        {"not present", WRITE, 0, P, false},
        {"not present", FETCH, 0, P, false},
        {"reserved bit", WRITE, UINT64_C(1) << 45, 0, true},
    };

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
            for (unsigned level = 1; level <= mode + 2; level++) {
                struct scene s = live(mode, cases[i].code);
                bool pdpte = mode == FL_MODE_PAE && level == 3;

                if (mode == FL_MODE_2LEVEL && cases[i].wide)
                    continue;
                CHECK(spurious(&s), "mode %u: before", mode);
                set_ref(&s, level, (ref(&s, level) | cases[i].set) & ~cases[i].clear);
                /* PDPTEs of PAE have no R/W. */
                CHECK_EQ(spurious(&s), pdpte && cases[i].clear == RW, "mode %u: %s, level %u", mode, cases[i].what,
                         level);
            }
}

/* The leaf of a large page counts like any level. */
static void test_large_pages(void)
{
    static const struct {
        uint8_t mode, level;
    } leaves[] = {{FL_MODE_2LEVEL, 2}, {FL_MODE_PAE, 2}, {FL_MODE_4LEVEL, 2}, {FL_MODE_4LEVEL, 3}, {FL_MODE_5LEVEL, 3}};

    for (unsigned i = 0; i < sizeof leaves / sizeof *leaves; i++)
        for (unsigned forbid = 0; forbid < 3; forbid++) {
            struct scene s = live(leaves[i].mode, WRITE);

            set_ref(&s, leaves[i].level, 0x40000000 | LEAF | PS);
            if (forbid == 1)
                set_ref(&s, leaves[i].level, 0x40000000 | P | PS);
            if (forbid == 2 && s.levels > leaves[i].level)
                set_ref(&s, leaves[i].level + 1u, ref(&s, leaves[i].level + 1u) & ~(uint64_t)RW);
            if (forbid == 2 && leaves[i].mode <= FL_MODE_PAE)
                continue;
            CHECK_EQ(spurious(&s), !forbid, "mode %u level %u forbid %u", leaves[i].mode, leaves[i].level, forbid);
        }
}

static void test_enables(void)
{
    static const struct {
        const char *what;
        uint64_t code;
        uint64_t cr0, cr4, flags;
        uint16_t cs;
        bool user;      /* the page is a user page */
        bool read_only; /* and its leaf is read-only */
        uint32_t pkru, pkrs;
        bool want;
    } cases[] = {
        {"kernel page", WRITE, WP, 0, 0, 0x10, false, false, 0, 0, true},
        {"read-only", WRITE, WP, 0, 0, 0x10, false, true, 0, 0, false},
        {"read-only, WP off", WRITE, 0, 0, 0, 0x10, false, true, 0, 0, true},
        {"fetch of a user page", FETCH, WP, 0, 0, 0x10, true, false, 0, 0, true},
        {"... with SMEP", FETCH, WP, SMEP, 0, 0x10, true, false, 0, 0, false},
        {"write to a user page", WRITE, WP, 0, 0, 0x10, true, false, 0, 0, true},
        {"... with SMAP", WRITE, WP, SMAP, 0, 0x10, true, false, 0, 0, false},
        {"... and AC", WRITE, WP, SMAP, AC, 0x10, true, false, 0, 0, true},
        {"... and AC, implicit", WRITE, WP, SMAP, AC, 0x33, true, false, 0, 0, false},
        {"SMAP, kernel page", WRITE, WP, SMAP, 0, 0x10, false, false, 0, 0, true},
        {"key of a user page, off", WRITE, WP, 0, 0, 0x10, true, false, 3, 0, true},
        {"key of a user page", WRITE, WP, PKE, 0, 0x10, true, false, 2, 0, false},
        {"key of a kernel page, off", WRITE, WP, PKE, 0, 0x10, false, false, 2, 2, true},
        {"key of a kernel page", WRITE, WP, PKS, 0, 0x10, false, false, 0, 2, false},
        {"key of a kernel page, fetch", FETCH, WP, PKS, 0, 0x10, false, false, 0, 3, true},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s = live(FL_MODE_4LEVEL, cases[i].code);

        s.f.cpu.vendor = FL_VENDOR_INTEL;
        for (unsigned level = 1; level <= 4; level++)
            set_ref(&s, level, cases[i].user ? ref(&s, level) | US : ref(&s, level) & ~(uint64_t)US);
        if (cases[i].read_only)
            set_ref(&s, 1, ref(&s, 1) & ~(uint64_t)RW);
        s.f.cpu.cr0 = (s.f.cpu.cr0 & ~(uint64_t)WP) | cases[i].cr0;
        s.f.cpu.cr4 |= cases[i].cr4;
        s.f.cpu.pkru = cases[i].pkru;
        s.f.cpu.pkrs = cases[i].pkrs;
        s.f.regs.flags = 0x202 | cases[i].flags;
        s.f.regs.cs = cases[i].cs;
        CHECK_EQ(spurious(&s), cases[i].want, "%s", cases[i].what);
    }
}

/* Where the processor has no walk to make, nothing is spurious. */
static void test_no_walk(void)
{
    struct scene s = live(FL_MODE_4LEVEL, WRITE);
    struct fl_ops no_op = fake_ops_without(0);

    for (s.fail_read = 0; s.fail_read < 4; s.fail_read++) {
        fake_forget(&s.k);
        CHECK(!spurious(&s), "no memory at read %u", s.fail_read);
    }
    fake_forget(&s.k);
    CHECK(spurious(&s), "memory everywhere");
    s.f.cr2 ^= UINT64_C(1) << 60;
    CHECK(!spurious(&s), "not canonical");
    CHECK(!core_is_spurious(&s.f, &no_op, &s.k), "no op to walk with");

    /* PAE on Intel: a malformed PDPTE is #GP at its load, no fault that could be spurious. */
    s = live(FL_MODE_PAE, WRITE);
    s.f.cpu.vendor = FL_VENDOR_INTEL;
    CHECK(spurious(&s), "PAE on Intel");
    fake_set_entry(&s.k, INIT, 0x21000 | P | RW);
    CHECK(!spurious(&s), "reserved bit in another PDPTE");

    /* CR2 of a 32-bit kernel has 32 bits. */
    s = live(FL_MODE_PAE, WRITE);
    s.f.cr2 |= UINT64_C(1) << 32;
    CHECK(spurious(&s), "33 bits");
}

int main(void)
{
    test_codes();
    test_levels();
    test_large_pages();
    test_enables();
    test_no_walk();
    return check_done("spurious");
}
