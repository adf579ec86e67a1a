/* SPDX-License-Identifier: MIT */
/*
 * Which VMA a fault belongs to, growing stacks, and every combination of VMA rights, error-code bits, protection keys
 * and kinds of fault against a table of what is to come of it.
 */
#include "decide.h"

/* A hole below a VMA that does not grow; an address inside; one beyond. */
static void test_find(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();

    f.cpu.vendor = FL_VENDOR_INTEL;
    k.vma.growsdown = false;
    f.cr2 = k.vma.start;
    EXPECT(&f, &k, "itvmd", HANDLED, ON);
    f.cr2 = k.vma.start - 1;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR), ON);
    f.cr2 = k.vma.end - 1;
    EXPECT(&f, &k, "itvmd", HANDLED, ON);
    f.cr2 = k.vma.end;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR), ON);
}

static void test_growth(void)
{
    struct fl_fault f = user_fault();
    struct fake k = fake_world();
    struct result r;

    f.cpu.vendor = FL_VENDOR_INTEL;
    f.cr2 = 0x7fd123;
    r = EXPECT(&f, &k, "itvemd", HANDLED, ON);
    CHECK_EQ(r.world.expand_start, 0x7fd000, "page aligned");
    CHECK_EQ(r.world.expand_generation, 7, "generation asked");
    CHECK_EQ(r.world.mm_generation, 8, "the new generation is used");

    f.kernel.mmap_min_addr = 0x7fe000;
    EXPECT(&f, &k, "itvd", SEGV(MAPERR), ON);
    f.kernel.mmap_min_addr = 0;
    k.expand = FL_NO_MEMORY;
    EXPECT(&f, &k, "itved", SEGV(MAPERR), ON);
    k.expand = FL_STALE;
    EXPECT(&f, &k, "itved", SEGV(MAPERR), ON);

    /* growth comes before the access switch, so that a refused access leaves the grown stack and ACCERR */
    k.expand = FL_OK;
    k.vma.write = false;
    EXPECT(&f, &k, "itved", SEGV(ACCERR), ON);
}

/*   cr2            sp
 *    |<-- cushion -->|     65536 bytes and 32 words, for accesses of user mode alone
 */
static void test_cushion(void)
{
    for (unsigned wide = 0; wide < 2; wide++)
        for (unsigned user = 0; user < 2; user++)
            for (int over = -1; over <= 1; over++) {
                struct fl_fault f = user ? user_fault() : implicit_fault();
                struct fake k = fake_world();

                if (!wide)
                    f = as32(f);
                f.cpu.vendor = FL_VENDOR_INTEL;
                f.cr2 = 0x7fd123;
                f.regs.gpr[FL_RSP] = f.cr2 + 65536 + (wide ? 256 : 128) + (uint64_t)over;
                if (user && over > 0)
                    EXPECT(&f, &k, "itvd", SEGV(MAPERR), ON);
                else
                    EXPECT(&f, &k, "itvemd", HANDLED, ON);
                /* the stack pointer of a 32-bit kernel has 32 bits */
                f.regs.gpr[FL_RSP] = UINT64_C(0x500000000) + f.cr2;
                if (user && wide)
                    EXPECT(&f, &k, "itvd", SEGV(MAPERR), ON);
                else
                    EXPECT(&f, &k, "itvemd", HANDLED, ON);
            }
}

struct access {
    bool read, write, exec;         /* of the VMA */
    bool present, is_write, is_key; /* of the error code */
    bool fetch;
    bool built, enabled; /* protection keys: in the kernel; CR4.PKE */
    bool ad, wd;         /* of the VMA's key */
    uint8_t mode;
};

/* The rule in words: a write needs the write right, everything else any right. Then the key, which binds data only and
 * only where there are keys. A read or fetch that found its page present is refused in any case. */
static int expected(const struct access *a)
{
    bool rights = a->is_write ? a->write : a->read || a->write || a->exec;
    bool keys = a->built && a->enabled && (a->mode == FL_MODE_4LEVEL || a->mode == FL_MODE_5LEVEL);
    bool denied = keys && !a->fetch && (a->is_key || a->ad || (a->is_write && a->wd));

    if (!rights)
        return ACCERR;
    if (denied)
        return PKUERR;
    if (a->present && !a->is_write)
        return ACCERR;
    return 0;
}

static void check_access(const struct access *a, uint8_t pkey, bool user)
{
    struct fl_fault f = user ? user_fault() : kernel_fault();
    struct fake k = fake_world();
    int want = expected(a);

    if (a->mode <= FL_MODE_PAE)
        f = as32(f);
    f.cpu.mode = a->mode;
    f.cpu.vendor = FL_VENDOR_INTEL;
    f.kernel.pku = a->built;
    f.cpu.cr4 |= a->enabled ? 1 << 22 : 0;
    /* all other keys deny everything, or nothing where this one denies */
    f.cpu.pkru = a->ad || a->wd ? 0 : ~(UINT32_C(3) << 2 * pkey);
    f.cpu.pkru |= ((uint32_t)a->ad | (uint32_t)a->wd << 1) << 2 * pkey;
    f.error_code = (uint64_t)((unsigned)a->present | (unsigned)a->is_write << 1 | (user ? 4u : 0u) |
                              (unsigned)a->fetch << 4 | (unsigned)a->is_key << 5);
    k.vma.read = a->read;
    k.vma.write = a->write;
    k.vma.exec = a->exec;
    k.vma.pkey = pkey;
    k.has_fixup = true;
    if (want == 0)
        EXPECT(&f, &k, "itvmd", HANDLED, ON);
    else if (user)
        EXPECT(&f, &k, "itvd", SEGV(want), ON, .si_pkey = want == PKUERR ? pkey : 0);
    else
        EXPECT(&f, &k, "itvdx", FIXUP, ON);
}

static void test_access(void)
{
    static const uint8_t keys[] = {0, 1, 9, 15};
    unsigned seen[PKUERR + 1] = {0};

    for (uint8_t mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned i = 0; i < 1u << 11; i++) {
            struct access a = {
                .read = i & 1,
                .write = i & 2,
                .exec = i & 4,
                .present = i & 8,
                .is_write = i & 0x10,
                .is_key = i & 0x20,
                .fetch = i & 0x40,
                .built = i & 0x80,
                .enabled = i & 0x100,
                .ad = i & 0x200,
                .wd = i & 0x400,
                .mode = mode,
            };

            seen[expected(&a)]++;
            for (unsigned j = 0; j < sizeof keys; j++)
                check_access(&a, keys[j], j & 1);
            check_access(&a, keys[i % sizeof keys], !(i % sizeof keys & 1));
        }
    CHECK(seen[0] >= 1000 && seen[ACCERR] >= 1000 && seen[PKUERR] >= 200, "%u %u %u: each answer often", seen[0],
          seen[ACCERR], seen[PKUERR]);
}

/* The zoo's cases by hand, so that the rule above is not the only witness. */
static void test_keys_by_hand(void)
{
    static const struct {
        const char *what;
        unsigned code;
        uint32_t pkru;
        const char *rights;
        int want;
    } cases[] = {
        {"read of a page whose key denies access", 0x25, 1u << 6, "rw-", PKUERR},
        {"the same, PKRU opened meanwhile: PK alone tells", 0x25, 0, "rw-", PKUERR},
        {"read, not there yet, key denies access", 4, 1u << 6, "r--", PKUERR},
        {"read, key denies writes only", 4, 2u << 6, "r--", 0},
        {"write, key denies writes", 6, 2u << 6, "rw-", PKUERR},
        {"write, key denies writes, so does the VMA", 7, 2u << 6, "r--", ACCERR},
        {"write with PK to a read-only VMA", 0x27, 3u << 6, "r-x", ACCERR},
        {"fetch, key denies everything", 0x14, 3u << 6, "r-x", 0},
        {"fetch of a present page: not the key's doing", 0x15, 3u << 6, "r--", ACCERR},
        {"read of PROT_NONE", 0x25, 3u << 6, "---", ACCERR},
        {"another key denies", 6, 3u << 8, "rw-", 0},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fl_fault f = user_fault();
        struct fake k = fake_world();

        f.cpu.vendor = FL_VENDOR_INTEL;
        f.kernel.pku = true;
        f.cpu.cr4 |= 1 << 22;
        f.cpu.pkru = cases[i].pkru;
        f.error_code = cases[i].code;
        k.vma.read = cases[i].rights[0] == 'r';
        k.vma.write = cases[i].rights[1] == 'w';
        k.vma.exec = cases[i].rights[2] == 'x';
        k.vma.pkey = 3;
        struct result r = decide(&f, &k);

        CHECK_EQ(r.out.si_code, cases[i].want, "%s", cases[i].what);
        CHECK_EQ(r.out.si_pkey, cases[i].want == PKUERR ? 3 : 0, "%s", cases[i].what);
        CHECK_EQ(r.out.action, cases[i].want ? FL_ACT_SIGNAL : FL_ACT_HANDLED, "%s", cases[i].what);
    }
}

/* A kernel access that a key refuses goes where all refused kernel accesses go; the key is not told to anybody. */
static void test_key_of_kernel_access(void)
{
    struct fl_fault kf = kernel_fault(), sf = implicit_fault();
    struct fake k = fake_world();

    kf.kernel.pku = sf.kernel.pku = true;
    kf.cpu.cr4 |= 1 << 22;
    sf.cpu.cr4 |= 1 << 22;
    kf.cpu.pkru = sf.cpu.pkru = 2;
    EXPECT(&kf, &k, "itvdxpD", OOPS, ON);
    EXPECT(&sf, &k, "itvdD", OOPS, ON);
    k.has_fixup = true;
    EXPECT(&kf, &k, "itvdx", FIXUP, ON);
}

/* The screen of a virtual-8086 task: 32 pages from 0xa0000 on, 32-bit kernels, handled faults. */
static void test_screen(void)
{
    static const struct {
        uint64_t cr2;
        uint32_t bits;
    } cases[] = {
        {0x9ffff, 0},
        {0xa0000, 1},
        {0xa0fff, 1},
        {0xa1000, 2},
        {0xb8000, 1u << 24},
        {0xbf000, UINT32_C(1) << 31},
        {0xbffff, UINT32_C(1) << 31},
        {0xc0000, 0},
        {0x1234, 0},
        {0xbfffffff, 0},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned vm = 0; vm < 2; vm++)
            for (unsigned wide = 0; wide < 2; wide++)
                for (unsigned major = 0; major < 2; major++) {
                    struct fl_fault f = user_fault();
                    struct fake k = fake_world();

                    if (!wide)
                        f = as32(f);
                    f.cr2 = cases[i].cr2;
                    f.regs.flags |= vm ? 1 << 17 : 0;
                    k.vma.start = 0x1000;
                    k.vma.end = 0xc0000000;
                    k.mm[0] = major ? FL_MM_MAJOR : FL_MM_MINOR;
                    EXPECT(&f, &k, "itvmd", HANDLED, ON, .major = major,
                           .screen_bits = vm && !wide ? cases[i].bits : 0);
                    k.mm[0] = FL_MM_SIGBUS;
                    f.cpu.vendor = FL_VENDOR_INTEL;
                    EXPECT(&f, &k, "itvmd", BUS(ADRERR), ON);
                }
}

int main(void)
{
    test_find();
    test_growth();
    test_cushion();
    test_access();
    test_keys_by_hand();
    test_key_of_kernel_access();
    test_screen();
    return check_done("fault access");
}
