/* SPDX-License-Identifier: MIT */
/* The prefetch rule at its boundaries: length, unreadable bytes, accessor, REX, code segment, end of user space. */
#include "check.h"
#include "fake.h"

#define IP 0x400000u

/* n prefixes, then 0F 18, at IP. */
static struct fake code_of(unsigned nprefixes)
{
    struct fake k = fake_world();

    k.code_at = IP;
    memset(k.code, 0x66, nprefixes);
    k.code[nprefixes] = 0x0f;
    k.code[nprefixes + 1] = 0x18;
    k.ncode = nprefixes + 2;
    return k;
}

static bool ignored(const struct fl_fault *f, struct fake *k)
{
    bool ignore = false;

    CHECK_EQ(fl_core()->prefetch(f, &fake_ops, k, &ignore), FL_OK, "prefetch");
    CHECK_EQ(k->ntrace, k->probes, "only probes");
    CHECK(k->probes <= 15, "%u probes", k->probes);
    return ignore;
}

static void test_bytes(void)
{
    static const uint8_t legacy[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

    for (unsigned bits = 16; bits <= 64; bits *= 2)
        for (unsigned byte = 0; byte < 256; byte++) {
            struct fl_fault f = fake_fault();
            struct fake k = code_of(1);
            bool prefix = bits == 64 && byte >= 0x40 && byte <= 0x4f;

            f.regs.ip = 0x1000;
            f.codeseg = (struct fl_codeseg){.base = IP - 0x1000, .limit = UINT32_MAX, .bits = (uint8_t)bits};
            if (bits == 64)
                f.regs.ip = IP;
            for (unsigned i = 0; i < sizeof legacy; i++)
                prefix |= byte == legacy[i];
            k.code[0] = (uint8_t)byte;
            CHECK_EQ(ignored(&f, &k), prefix, "%u-bit code, first byte %#x", bits, byte);

            k = code_of(0);
            k.code[1] = (uint8_t)byte;
            CHECK_EQ(ignored(&f, &k), byte == 0x0d || byte == 0x18, "%u-bit code, 0f %#x", bits, byte);
        }
}

/* REX is accepted anywhere among the prefixes, by the width of the code and by nothing else. */
static void test_rex(void)
{
    static const uint16_t cs[] = {0x33, 0x23, 0x3b, 0xe033, 0x10};

    for (unsigned i = 0; i < sizeof cs / sizeof *cs; i++)
        for (unsigned bits = 16; bits <= 64; bits *= 2) {
            struct fl_fault f = fake_fault();
            struct fake k = code_of(3);

            f.regs.cs = cs[i];
            f.codeseg = (struct fl_codeseg){.limit = UINT32_MAX, .bits = (uint8_t)bits};
            k.code[1] = 0x48;
            CHECK_EQ(ignored(&f, &k), bits == 64, "cs %#x, %u bits", cs[i], bits);
        }
}

static void test_length(void)
{
    for (unsigned n = 0; n <= 20; n++) {
        struct fl_fault f = fake_fault();
        struct fake k = code_of(n);

        CHECK_EQ(ignored(&f, &k), n <= 13, "%u prefixes", n);
        CHECK_EQ(k.probes, n + 2 < 15 ? n + 2 : 15, "%u prefixes", n);
        for (unsigned i = 0; i < k.probes; i++)
            CHECK_EQ(k.probe_linear[i], IP + i, "%u prefixes, probe %u", n, i);
    }
}

/* Cut off before each byte, and with the probe of each byte failing: no prefetch, and nothing is read after it. */
static void test_unreadable(void)
{
    for (unsigned n = 0; n <= 13; n++)
        for (unsigned cut = 0; cut < n + 2; cut++) {
            struct fl_fault f = fake_fault();
            struct fake k = code_of(n);

            k.ncode = cut;
            CHECK(!ignored(&f, &k), "%u prefixes, %u readable", n, cut);
            CHECK_EQ(k.probes, cut + 1, "%u prefixes, %u readable", n, cut);
            k = code_of(n);
            k.fail_probe = cut;
            CHECK(!ignored(&f, &k), "%u prefixes, probe %u fails", n, cut);
            CHECK_EQ(k.probes, cut + 1, "%u prefixes, probe %u fails", n, cut);
        }
}

/* All bytes, the second opcode byte as well, are read with the accessor of the interrupted privilege. */
static void test_accessor(void)
{
    static const struct {
        uint16_t cs;
        uint64_t flags;
        bool user;
    } cases[] = {{0x33, 0, true}, {0x10, 0, false}, {0x10, 0x20000, true}, {0x61, 0, false}, {0x62, 0, false}};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fl_fault f = fake_fault();
        struct fake k = code_of(4);

        f.regs.cs = cases[i].cs;
        f.regs.flags = cases[i].flags;
        k.user_only = true;
        if (f.regs.flags) /* virtual-8086 mode: cs * 16, and a 16-bit ip of 0 */
            k.code_at = 0x100;
        CHECK_EQ(ignored(&f, &k), cases[i].user, "case %u", i);
        for (unsigned p = 0; p < k.probes; p++)
            CHECK_EQ(k.probe_user[p], cases[i].user, "case %u probe %u", i, p);
    }
}

static void test_gates(void)
{
    for (unsigned vendor = 0; vendor < FL_VENDOR_COUNT; vendor++)
        for (unsigned family = 4; family <= 25; family++)
            for (unsigned word = 4; word <= 8; word += 4)
                for (unsigned fetch = 0; fetch < 2; fetch++) {
                    struct fl_fault f = fake_fault();
                    struct fake k = code_of(0);
                    bool open = vendor == FL_VENDOR_AMD && family >= 6 && !fetch;

                    f.cpu.vendor = (uint8_t)vendor;
                    f.cpu.family = (uint8_t)family;
                    f.kernel.word = (uint8_t)word;
                    f.error_code |= fetch ? 0x10 : 0;
                    CHECK_EQ(ignored(&f, &k), open, "vendor %u family %u fetch %u", vendor, family, fetch);
                    CHECK_EQ(k.probes, open ? 2 : 0, "vendor %u family %u fetch %u", vendor, family, fetch);
                }
}

/*   base        base + ip         base + limit
 *    |-------------[ 66 66 0f 18 ]----|         the limit is the last valid offset
 */
static void test_segment(void)
{
    for (unsigned bits = 16; bits <= 32; bits *= 2)
        for (unsigned room = 0; room <= 5; room++) {
            struct fl_fault f = fake_fault();
            struct fake k = code_of(2);

            f.regs.ip = 0x1000;
            f.codeseg = (struct fl_codeseg){.base = IP - 0x1000, .limit = 0x0fff + room, .bits = (uint8_t)bits};
            CHECK_EQ(ignored(&f, &k), room >= 4, "%u-bit code, room for %u bytes", bits, room);
            CHECK_EQ(k.probes, room < 4 ? room : 4, "%u-bit code, room for %u bytes", bits, room);
        }

    struct fl_fault f = fake_fault();
    struct fake k = code_of(2);

    /* base + ip wraps at 4 GiB, between the second byte and the third */
    f.codeseg = (struct fl_codeseg){.base = 0xfffff000, .limit = UINT32_MAX, .bits = 32};
    f.regs.ip = 0xffe;
    f.regs.cs = 0x10;
    k.code_at = 0xfffffffe;
    CHECK(!ignored(&f, &k), "bytes on both sides of 4 GiB");
    CHECK_EQ(k.probe_linear[2], 0, "third byte");
    k.code_at = IP;
    f.regs.ip = IP + 0x1000;
    k.probes = k.ntrace = 0;
    CHECK(ignored(&f, &k), "base + ip beyond 4 GiB");
    /* 32-bit code has 32 bits of ip, 16-bit code has 16, whatever lies above them in the register */
    f.codeseg.base = 0;
    f.regs.ip = 0xabcd00000000 + IP;
    k.probes = k.ntrace = 0;
    CHECK(ignored(&f, &k), "junk above ip in 32-bit code");
    f.codeseg.bits = 16;
    f.regs.ip = 0x400000 + 0x123;
    k.code_at = 0x123;
    k.probes = k.ntrace = 0;
    CHECK(ignored(&f, &k), "junk above ip in 16-bit code");
    CHECK_EQ(k.probe_linear[0], 0x123, "16-bit ip");
    /* the bytes behind a 16-bit ip do not wrap: they leave a segment of 64 KiB, and go on in a larger one */
    f.regs.ip = k.code_at = 0xfffe;
    k.probes = k.ntrace = 0;
    CHECK(ignored(&f, &k), "16-bit code across 64 KiB in a larger segment");
    f.codeseg.limit = 0xffff;
    k.probes = k.ntrace = 0;
    CHECK(!ignored(&f, &k) && k.probes == 2, "16-bit code at the end of a 64 KiB segment");
    /* 64-bit code: neither base nor limit */
    f = fake_fault();
    k = code_of(2);
    f.codeseg = (struct fl_codeseg){.base = 0x123, .limit = 1, .bits = 64};
    CHECK(ignored(&f, &k), "64-bit code has no segment");
}

static void test_user_limit(void)
{
    for (unsigned room = 0; room <= 5; room++)
        for (unsigned kernel = 0; kernel < 2; kernel++)
            for (unsigned bits = 32; bits <= 64; bits *= 2) {
                struct fl_fault f = fake_fault();
                struct fake k = code_of(2);

                f.codeseg = (struct fl_codeseg){.limit = UINT32_MAX, .bits = (uint8_t)bits};
                f.regs.cs = kernel ? 0x10 : 0x33;
                f.kernel.task_size = IP + room;
                CHECK_EQ(ignored(&f, &k), kernel || room >= 4, "room %u, kernel mode %u", room, kernel);
                CHECK_EQ(k.probes, kernel || room > 4 ? 4 : room, "room %u, kernel mode %u", room, kernel);
            }
}

/*      vsyscall            vsyscall + 4096      the kernel accessor stays away, byte by byte
 *  ----|-------------------|----
 */
static void test_vsyscall_page(void)
{
    static const uint64_t pages[] = {0xffffffffff600000, 0xfffffffffffff000};

    for (unsigned p = 0; p < sizeof pages / sizeof *pages; p++)
        for (int offset = -6; offset <= 4096; offset += offset == 2 ? 4088 : 1)
            for (unsigned exists = 0; exists < 2; exists++) {
                struct fl_fault f = fake_fault();
                struct fake k = code_of(2);
                unsigned before = offset < 0 ? (unsigned)-offset : 0; /* bytes in front of the page */
                bool blocked = exists && offset > -4 && offset < 4096;

                if (pages[p] + (uint64_t)(int64_t)offset < pages[p] && offset >= 0)
                    continue; /* beyond the end of the address space */
                f.regs.cs = 0x10;
                f.kernel.vsyscall = exists ? pages[p] : 0;
                f.regs.ip = k.code_at = pages[p] + (uint64_t)(int64_t)offset;
                CHECK_EQ(ignored(&f, &k), !blocked, "offset %d", offset);
                CHECK_EQ(k.probes, blocked ? before : 4, "offset %d", offset);
            }

    /* the end of the page: the bytes behind it are not reached from within, and nothing is odd about them */
    struct fl_fault f = fake_fault();
    struct fake k = code_of(2);

    f.regs.cs = 0x10;
    f.kernel.vsyscall = 0xffffffffff600000;
    f.regs.ip = k.code_at = 0xffffffffff600fff;
    CHECK(!ignored(&f, &k) && k.probes == 0, "last byte");
    /* user code is kept out by the end of user space, and by nothing else */
    f = fake_fault();
    k = code_of(2);
    f.kernel.vsyscall = IP & ~0xfffu;
    CHECK(ignored(&f, &k), "the rule is the kernel accessor's");
}

/* ip in a 32-bit kernel has 32 bits, even in code that claims to be 64-bit. */
static void test_ip_of_32bit_kernel(void)
{
    struct fl_fault f = fake_fault();
    struct fake k = code_of(0);

    f.regs.ip = 0xabc00000000 + IP;
    CHECK(!ignored(&f, &k), "64-bit kernel");
    f.kernel.word = 4;
    f.kernel.task_size = 0xc0000000;
    k = code_of(0);
    CHECK(ignored(&f, &k), "32-bit kernel");
}

static void test_invalid(void)
{
    struct fl_fault f = fake_fault();
    struct fake k = code_of(0);
    bool ignore = false;

    CHECK_EQ(fl_core()->prefetch(NULL, &fake_ops, &k, &ignore), FL_INVALID, "fault");
    CHECK_EQ(fl_core()->prefetch(&f, NULL, &k, &ignore), FL_INVALID, "ops");
    CHECK_EQ(fl_core()->prefetch(&f, &fake_ops, &k, NULL), FL_INVALID, "ignore");
    for (unsigned i = 0; i < FAKE_OPS; i++) {
        struct fl_ops ops = fake_ops_without(i);

        CHECK_EQ(fl_core()->prefetch(&f, &ops, &k, &ignore), FL_INVALID, "op %u", i);
    }
    CHECK(!ignore && k.probes == 0, "nothing was touched");
}

int main(void)
{
    test_bytes();
    test_rex();
    test_length();
    test_unreadable();
    test_accessor();
    test_gates();
    test_segment();
    test_user_limit();
    test_vsyscall_page();
    test_ip_of_32bit_kernel();
    test_invalid();
    return check_done("prefetch");
}
