/* SPDX-License-Identifier: MIT */
/*
 * The code segment of the interrupted context: descriptors of the LDT field by field, its index against its size,
 * virtual-8086 mode, and the prefetch rule through each of them.
 */
#include "check.h"
#include "fake.h"
#include "segment.h"

/* A descriptor from its parts. access: bits 47:40; flags: bits 55:52 (G, D, L, AVL). */
static uint64_t descriptor(uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

enum { AVL = 1, L = 2, D = 4, G = 8, CODE = 0xfb };

static struct fl_fault through_ldt(unsigned index, unsigned entries)
{
    struct fl_fault f = fake_fault();

    f.regs.cs = (uint16_t)(index << 3 | 7);
    f.task.ldt_entries = (uint16_t)entries;
    return f;
}

static struct fl_codeseg segment_of(const struct fl_fault *f, struct fake *k)
{
    struct fl_codeseg seg = {.bits = 77};

    CHECK(core_code_segment(f, &fake_ops, k, &seg), "there is one");
    CHECK(!k->misuse, "%s", k->misuse);
    return seg;
}

static void test_descriptors(void)
{
    static const struct {
        const char *what;
        uint32_t base, limit;
        unsigned flags;
        bool wide;
        struct fl_codeseg seg;
    } cases[] = {
        {"16-bit, byte limit", 0x12345678, 0x6789a, 0, true, {0x12345678, 0x6789a, 16}},
        {"32-bit, byte limit", 0xfedcba98, 0xfffff, D, true, {0xfedcba98, 0xfffff, 32}},
        {"32-bit, pages", 0, 0xfffff, D | G, true, {0, 0xffffffff, 32}},
        {"32-bit, one page", 0x1000, 0, D | G, true, {0x1000, 0xfff, 32}},
        {"16-bit, pages", 0x1000, 0x12345, G, false, {0x1000, 0x12345fff, 16}},
        {"one byte", 0, 0, D, false, {0, 0, 32}},
        {"available bit", 1, 2, AVL | D, false, {1, 2, 32}},
        {"64-bit: neither base nor limit", 0x12345678, 0x123, L, true, {0, 0, 64}},
        {"64-bit, G", 0x12345678, 0x123, L | G, true, {0, 0, 64}},
        {"L and D (reserved): L", 0x12345678, 0x123, L | D, true, {0, 0, 64}},
        {"L in a 32-bit kernel means nothing", 0x12345678, 0x123, L | D, false, {0x12345678, 0x123, 32}},
        {"... so 16-bit", 0x12345678, 0x123, L, false, {0x12345678, 0x123, 16}},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        /* present code, a data segment, a gate, not present: the kernel does not look */
        for (unsigned access = 0; access < 256; access++) {
            struct fl_fault f = through_ldt(2, 3);
            struct fake k = fake_world();
            struct fl_codeseg seg;

            f.kernel.word = cases[i].wide ? 8 : 4;
            k.ldt[2] = descriptor(cases[i].base, cases[i].limit, access, cases[i].flags);
            seg = segment_of(&f, &k);
            CHECK_EQ(seg.base, cases[i].seg.base, "%s", cases[i].what);
            CHECK_EQ(seg.limit, cases[i].seg.limit, "%s", cases[i].what);
            CHECK_EQ(seg.bits, cases[i].seg.bits, "%s", cases[i].what);
            CHECK_EQ(k.ldt_index, 2, "%s", cases[i].what);
        }
}

/* Each bit of base and limit comes from its own place. */
static void test_descriptor_bits(void)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        struct fl_fault f = through_ldt(0, 1);
        struct fake k = fake_world();
        uint64_t base = 0, limit = 0;
        struct fl_codeseg seg;

        if (bit >= 52 && bit < 56)
            continue; /* flags: above */
        k.ldt[0] = UINT64_C(1) << bit;
        if (bit < 16)
            limit = UINT64_C(1) << bit;
        else if (bit < 40)
            base = UINT64_C(1) << (bit - 16);
        else if (bit >= 48 && bit < 52)
            limit = UINT64_C(1) << (bit - 32);
        else if (bit >= 56)
            base = UINT64_C(1) << (bit - 32);
        seg = segment_of(&f, &k);
        CHECK_EQ(seg.base, base, "bit %u", bit);
        CHECK_EQ(seg.limit, limit, "bit %u", bit);
        CHECK_EQ(seg.bits, 16, "bit %u", bit);
    }
}

/* Which selector names which descriptor: all three low bits are left out, and the index is compared with the size. */
static void test_selector(void)
{
    static const unsigned sizes[] = {0, 1, 2, 8, 0x1ffe, 0x1fff, 0x2000, 0xffff};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (unsigned cs = 0; cs < 0x10000; cs++) {
            struct fl_fault f = through_ldt(0, sizes[i]);
            struct fake k;
            struct fl_codeseg seg = {.base = 99};
            unsigned index = cs >> 3;
            bool found;

            f.regs.cs = (uint16_t)cs;
            /* the neighbourhood of the boundary, and a sample of the rest */
            if (index + 2 < sizes[i] && cs % 509)
                continue;
            k = fake_world();
            k.ldt_first = index;
            k.ldt[0] = descriptor(0x5000, 0x10, CODE, D);
            found = core_code_segment(&f, &fake_ops, &k, &seg);
            if (!(cs & 4)) {
                CHECK(found && seg.bits == 64 && k.ntrace == 0, "cs %#x: what came with the fault", cs);
            } else if (index < sizes[i]) {
                CHECK(found && seg.base == 0x5000 && strcmp(k.trace, "L") == 0, "cs %#x of %u", cs, sizes[i]);
                CHECK_EQ(k.ldt_index, index, "cs %#x", cs);
            } else {
                CHECK(!found && seg.base == 99 && k.ntrace == 0, "cs %#x of %u", cs, sizes[i]);
            }
        }
}

/* Virtual-8086 mode: sixteen times the selector, whose other bits mean nothing. */
static void test_vm86(void)
{
    static const uint16_t selectors[] = {0, 1, 4, 7, 0x33, 0x1000, 0xf000, 0xffff};

    for (unsigned i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        struct fl_fault f = fake_fault32(FL_MODE_PAE);
        struct fake k = fake_world();
        struct fl_codeseg seg;

        f.regs.flags |= 1 << 17;
        f.regs.cs = selectors[i];
        f.task.ldt_entries = 8;
        seg = segment_of(&f, &k);
        CHECK_EQ(seg.base, selectors[i] * 16u, "cs %#x", selectors[i]);
        CHECK_EQ(seg.limit, 0xffff, "cs %#x", selectors[i]);
        CHECK_EQ(seg.bits, 16, "cs %#x", selectors[i]);
        CHECK_EQ(k.ntrace, 0, "the LDT is not asked");
    }
}

/* A prefetch (0F 0D) at linear address 0x400000. */
static struct fake prefetch_bytes(unsigned rex)
{
    struct fake k = fake_world();
    static const uint8_t code[] = {0x48, 0x0f, 0x0d};

    k.code_at = 0x400000;
    memcpy(k.code, code + (rex ? 0 : 1), 2 + rex);
    k.ncode = 2 + rex;
    return k;
}

static bool ignored(const struct fl_fault *f, struct fake *k, const char *calls)
{
    bool ignore = false;

    CHECK_EQ(fl_core()->prefetch(f, &fake_ops, k, &ignore), FL_OK, "prefetch");
    CHECK(strcmp(k->trace, calls) == 0, "calls \"%s\", expected \"%s\"", k->trace, calls);
    CHECK(!k->misuse, "%s", k->misuse);
    return ignore;
}

static void test_prefetch_through_ldt(void)
{
    struct fl_fault f = through_ldt(3, 4);
    struct fake k = prefetch_bytes(0);

    f.regs.ip = 0x123;
    k.ldt[3] = descriptor(0x400000 - 0x123, 0x124, CODE, D);
    CHECK(ignored(&f, &k, "Lpp"), "in the limit");
    k = prefetch_bytes(0);
    k.ldt[3] = descriptor(0x400000 - 0x123, 0x123, CODE, D);
    CHECK(!ignored(&f, &k, "Lp"), "its second byte beyond the limit");
    k = prefetch_bytes(0);
    k.ldt[3] = descriptor(0x400000 - 0x123, 0, CODE, D | G);
    CHECK(ignored(&f, &k, "Lpp"), "a limit in pages");
    k = prefetch_bytes(0);
    f.regs.ip = 0x10123;
    k.ldt[3] = descriptor(0x400000 - 0x123, 0xffff, CODE, 0);
    CHECK(ignored(&f, &k, "Lpp"), "16-bit code has a 16-bit ip");
    k = prefetch_bytes(0);
    k.ldt[3] = descriptor(0x400000 - 0x10123, 0x1ffff, CODE, D);
    CHECK(ignored(&f, &k, "Lpp"), "32-bit code has not");
    /* REX by the width of the descriptor, and the linear address of 64-bit code is ip */
    k = prefetch_bytes(1);
    f.regs.ip = 0x400000;
    k.ldt[3] = descriptor(0x1000, 0, CODE, L);
    CHECK(ignored(&f, &k, "Lppp"), "REX in 64-bit code");
    k = prefetch_bytes(1);
    k.ldt[3] = descriptor(0, 0xfffff, CODE, D | G);
    CHECK(!ignored(&f, &k, "Lp"), "DEC EAX in 32-bit code");
    k = prefetch_bytes(1);
    f.kernel.word = 4;
    k.ldt[3] = descriptor(0, 0xfffff, CODE, L | D | G);
    CHECK(!ignored(&f, &k, "Lp"), "there is no 64-bit code in a 32-bit kernel");

    /* beyond the LDT: no byte can be read */
    f = through_ldt(4, 4);
    k = prefetch_bytes(0);
    CHECK(!ignored(&f, &k, ""), "index N");
    f.regs.ip = k.code_at = 0;
    CHECK(!ignored(&f, &k, ""), "index N, the first byte of anything");
    f.regs.ip = k.code_at = 0x400000;
    f.task.ldt_entries = 5;
    k.ldt[4] = descriptor(0, 0xfffff, CODE, D | G);
    CHECK(ignored(&f, &k, "Lpp"), "index N - 1");
    /* where no prefetch can be the reason the LDT is left alone */
    f.cpu.vendor = FL_VENDOR_INTEL;
    k = prefetch_bytes(0);
    CHECK(!ignored(&f, &k, ""), "Intel");
    f.cpu.vendor = FL_VENDOR_AMD;
    f.error_code |= 0x10;
    CHECK(!ignored(&f, &k, ""), "fetch");
}

static void test_prefetch_vm86(void)
{
    struct fl_fault f = fake_fault32(FL_MODE_2LEVEL);
    struct fake k = prefetch_bytes(0);

    f.regs.flags |= 1 << 17;
    f.regs.cs = 0x1237;
    f.regs.ip = 0xabc;
    k.code_at = 0x12370 + 0xabc;
    CHECK(ignored(&f, &k, "pp"), "sixteen times cs");
    CHECK(k.probe_user[0] && k.probe_user[1], "the user accessor");
    /* the segment ends at 64 KiB, and may reach over 1 MiB */
    k = prefetch_bytes(0);
    f.regs.cs = 0xffff;
    f.regs.ip = 0xfffe;
    k.code_at = 0xffff0 + 0xfffe;
    CHECK(ignored(&f, &k, "pp"), "last two bytes");
    k = prefetch_bytes(0);
    f.regs.ip = 0xffff;
    k.code_at = 0xffff0 + 0xffff;
    CHECK(!ignored(&f, &k, "p"), "last byte");
    /* a descriptor with the fault is of no account */
    k = prefetch_bytes(1);
    f.regs.ip = 0;
    f.codeseg = (struct fl_codeseg){.bits = 64};
    k.code_at = 0xffff0;
    CHECK(!ignored(&f, &k, "p"), "no REX in 16-bit code");
}

int main(void)
{
    test_descriptors();
    test_descriptor_bits();
    test_selector();
    test_vm86();
    test_prefetch_through_ldt();
    test_prefetch_vm86();
    return check_done("segment");
}
