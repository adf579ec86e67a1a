/* SPDX-License-Identifier: MIT */
/*
 * What is reported of an oops and of a corrupt table, byte for byte. The addresses of the table entries are worked out
 * by hand from the indices that stand beside the linear address, not by the code under test.
 */
#include "report_check.h"

/* ---- tables of 32-bit kernels ---- */

/* One entry of a table as the live tables have it; paddr 0 ends the list. */
struct at {
    uint64_t paddr, value;
};

#define VA32 0xd0403456 /* 2-level: 341, 003; PAE: 3, 082, 003 */
#define P32  "<1>a.out: Corrupted page table at address d0403456\n"

struct table_case {
    const char *name;
    enum fl_mode mode;
    uint64_t cr3, low_frames;
    struct at entry[5];
    unsigned reads;
    const char *text; /* behind the line about the address */
};
#define ROW(name, mode, cr3, low_frames, reads, text, ...)                                                             \
    {                                                                                                                  \
        name, mode, cr3, low_frames, {__VA_ARGS__}, reads, text                                                        \
    }

static const struct table_case tables_32[] = {
    ROW("2-level", FL_MODE_2LEVEL, 0x1000, 0x38000, 2, "*pde = 00005067 *pte = fedcb025 \n", {0x1d04, 0x5067},
        {0x500c, 0xfedcb025}),
    ROW("low bits of CR3", FL_MODE_2LEVEL, 0x100001fff, 0x38000, 2, "*pde = 00005067 *pte = 00000009 \n",
        {0x1d04, 0x5067}, {0x500c, 0x9}),
    ROW("all of CR3", FL_MODE_2LEVEL, 0xfffff000, 0x38000, 2, "*pde = 00005067 *pte = 00000009 \n",
        {0xfffffd04, 0x5067}, {0x500c, 0x9}),
    ROW("nothing there", FL_MODE_2LEVEL, 0x1000, 0x38000, 1, "*pde = 00000000 \n", {0}),
    ROW("PDE not present", FL_MODE_2LEVEL, 0x1000, 0x38000, 1, "*pde = 00005066 \n", {0x1d04, 0x5066}, {0x500c, 9}),
    ROW("PTE not present", FL_MODE_2LEVEL, 0x1000, 0x38000, 2, "*pde = 00005001 *pte = 000000a0 \n", {0x1d04, 0x5001},
        {0x500c, 0xa0}),
    ROW("large page", FL_MODE_2LEVEL, 0x1000, 0x38000, 1, "*pde = 004000e7 \n", {0x1d04, 0x4000e7}, {0x40000c, 9}),
    ROW("last low frame", FL_MODE_2LEVEL, 0x1000, 6, 2, "*pde = 00005067 *pte = 00000009 \n", {0x1d04, 0x5067},
        {0x500c, 9}),
    ROW("first high frame", FL_MODE_2LEVEL, 0x1000, 5, 1, "*pde = 00005067 \n", {0x1d04, 0x5067}, {0x500c, 9}),
    ROW("no low memory", FL_MODE_2LEVEL, 0x1000, 0, 1, "*pde = 00000067 \n", {0x1d04, 0x067}, {0xc, 9}),
    ROW("highest table", FL_MODE_2LEVEL, 0x1000, 0x100000, 2, "*pde = fffff001 *pte = 00000009 \n",
        {0x1d04, 0xfffff001}, {0xfffff00c, 9}),
    ROW("root in a hole", FL_MODE_2LEVEL, 0x8000, 0x38000, 1, "\n", {0x8d04, 0x5067}),
    ROW("table in a hole", FL_MODE_2LEVEL, 0x1000, 0x38000, 2, "*pde = 00008067 \n", {0x1d04, 0x8067}),

    ROW("PAE", FL_MODE_PAE, 0x1020, 0x38000, 3,
        "*pdpt = 0000000000006001 *pde = 0000000000007067 *pte = 8000000012345025 \n", {0x1038, 0x6001},
        {0x6410, 0x7067}, {0x7018, 0x8000000012345025}),
    ROW("PAE: low bits of CR3", FL_MODE_PAE, 0x10000103f, 0x38000, 1, "*pdpt = 0000000000006000 \n", {0x1038, 0x6000}),
    ROW("PAE: all of CR3", FL_MODE_PAE, 0xffffffe0, 0x38000, 1, "*pdpt = 0000000000006000 \n", {0xfffffff8, 0x6000}),
    ROW("PAE: nothing there", FL_MODE_PAE, 0x1020, 0x38000, 1, "*pdpt = 0000000000000000 \n", {0}),
    ROW("PAE: PS in a PDPTE is nothing", FL_MODE_PAE, 0x1020, 0x38000, 2,
        "*pdpt = 0000000000006081 *pde = 0000000000007066 \n", {0x1038, 0x6081}, {0x6410, 0x7066}),
    ROW("PAE: PDPTE in the last low frame", FL_MODE_PAE, 0x1020, 7, 2,
        "*pdpt = 0000000000006001 *pde = 000000000000000a \n", {0x1038, 0x6001}, {0x6410, 0xa}),
    ROW("PAE: PDPTE in the first high frame", FL_MODE_PAE, 0x1020, 6, 1, "*pdpt = 0000000000006001 \n",
        {0x1038, 0x6001}, {0x6410, 0xa}),
    ROW("PAE: PDPTE with NX", FL_MODE_PAE, 0x1020, 0x38000, 1, "*pdpt = 8000000000006001 \n",
        {0x1038, 0x8000000000006001}, {0x6410, 0xa}),
    ROW("PAE: PDE not present", FL_MODE_PAE, 0x1020, 0x38000, 2, "*pdpt = 0000000000006001 *pde = 0000000000007066 \n",
        {0x1038, 0x6001}, {0x6410, 0x7066}, {0x7018, 9}),
    ROW("PAE: large page", FL_MODE_PAE, 0x1020, 0x38000, 2, "*pdpt = 0000000000006001 *pde = 80000000002000e7 \n",
        {0x1038, 0x6001}, {0x6410, 0x80000000002000e7}),
    ROW("PAE: PDE with NX, in the last low frame", FL_MODE_PAE, 0x1020, 8, 3,
        "*pdpt = 0000000000006001 *pde = 8000000000007067 *pte = 0000000000000009 \n", {0x1038, 0x6001},
        {0x6410, 0x8000000000007067}, {0x7018, 9}),
    ROW("PAE: PDE in the first high frame", FL_MODE_PAE, 0x1020, 7, 2,
        "*pdpt = 0000000000006001 *pde = 0000000000007067 \n", {0x1038, 0x6001}, {0x6410, 0x7067}, {0x7018, 9}),
    ROW("PAE: PDE with another high bit", FL_MODE_PAE, 0x1020, 0x38000, 2,
        "*pdpt = 0000000000006001 *pde = 0010000000007067 \n", {0x1038, 0x6001}, {0x6410, 0x0010000000007067},
        {0x7018, 9}),
    ROW("PAE: tables above 4 GiB", FL_MODE_PAE, 0x1020, 0x1000000, 3,
        "*pdpt = 0000000900006001 *pde = 0000000f00007067 *pte = 0000000000000009 \n", {0x1038, 0x900006001},
        {0x900006410, 0xf00007067}, {0xf00007018, 9}),
    ROW("PAE: root in a hole", FL_MODE_PAE, 0x8000, 0x38000, 1, "\n", {0x8018, 0x6001}),
    ROW("PAE: directory in a hole", FL_MODE_PAE, 0x1020, 0x38000, 2, "*pdpt = 0000000000008001 \n", {0x1038, 0x8001}),
    ROW("PAE: table in a hole", FL_MODE_PAE, 0x1020, 0x38000, 3, "*pdpt = 0000000000006001 *pde = 0000000000008067 \n",
        {0x1038, 0x6001}, {0x6410, 0x8067}),
};

/* ---- tables of 64-bit kernels ---- */

#define VA64 0xffff8123456789ab /* 1ff, 102, 08d, 02b, 078 */
#define P64  "<1>a.out: Corrupted page table at address ffff8123456789ab\n"

static const struct table_case tables_64[] = {
    ROW("4-level", FL_MODE_4LEVEL, 0x1000, 0, 4, "PGD 3067 PUD 4067 PMD 5067 PTE 8000000012345025\n", {0x1810, 0x3067},
        {0x3468, 0x4067}, {0x4158, 0x5067}, {0x53c0, 0x8000000012345025}),
    ROW("5-level", FL_MODE_5LEVEL, 0x1000, 0, 5, "PGD 2067 P4D 3067 PUD 4067 PMD 5067 PTE 9\n", {0x1ff8, 0x2067},
        {0x2810, 0x3067}, {0x3468, 0x4067}, {0x4158, 0x5067}, {0x53c0, 9}),
    ROW("all of CR3 but its flags", FL_MODE_4LEVEL, 0xfff0000000001fff, 0, 1, "PGD 3066 \n", {0x1810, 0x3066}),
    ROW("frames are bits 51:12", FL_MODE_4LEVEL, 0x1000, 0, 4,
        "PGD fff0008000003f67 PUD 7ff0000000004167 PMD 8000000000005f6f PTE 8\n", {0x1810, 0xfff0008000003f67},
        {0x8000003468, 0x7ff0000000004167}, {0x4158, 0x8000000000005f6f}, {0x53c0, 8}),
    ROW("nothing there", FL_MODE_4LEVEL, 0x1000, 0, 1, "PGD 0 \n", {0}),
    ROW("PGD not present", FL_MODE_4LEVEL, 0x1000, 0, 1, "PGD 3066 \n", {0x1810, 0x3066}, {0x3468, 9}),
    ROW("PGD with PS", FL_MODE_4LEVEL, 0x1000, 0, 2, "PGD 30e7 PUD 8 \n", {0x1810, 0x30e7}, {0x3468, 8}),
    ROW("PUD not present", FL_MODE_4LEVEL, 0x1000, 0, 2, "PGD 3067 PUD 4066 \n", {0x1810, 0x3067}, {0x3468, 0x4066},
        {0x4158, 9}),
    ROW("PUD large", FL_MODE_4LEVEL, 0x1000, 0, 2, "PGD 3067 PUD 400000e7 \n", {0x1810, 0x3067}, {0x3468, 0x400000e7},
        {0x40000158, 9}),
    ROW("PMD not present", FL_MODE_4LEVEL, 0x1000, 0, 3, "PGD 3067 PUD 4067 PMD 5066 \n", {0x1810, 0x3067},
        {0x3468, 0x4067}, {0x4158, 0x5066}),
    ROW("PMD large", FL_MODE_4LEVEL, 0x1000, 0, 3, "PGD 3067 PUD 4067 PMD 80000000002000e7 \n", {0x1810, 0x3067},
        {0x3468, 0x4067}, {0x4158, 0x80000000002000e7}),
    ROW("PTE not present", FL_MODE_4LEVEL, 0x1000, 0, 4, "PGD 3067 PUD 4067 PMD 5067 PTE 0\n", {0x1810, 0x3067},
        {0x3468, 0x4067}, {0x4158, 0x5067}),
    ROW("PTE with PAT", FL_MODE_4LEVEL, 0x1000, 0, 4, "PGD 3067 PUD 4067 PMD 5067 PTE 81\n", {0x1810, 0x3067},
        {0x3468, 0x4067}, {0x4158, 0x5067}, {0x53c0, 0x81}),
    ROW("P4D not present", FL_MODE_5LEVEL, 0x1000, 0, 2, "PGD 2067 P4D 3066 \n", {0x1ff8, 0x2067}, {0x2810, 0x3066}),
    ROW("P4D with PS", FL_MODE_5LEVEL, 0x1000, 0, 3, "PGD 20e7 P4D 30e7 PUD 2 \n", {0x1ff8, 0x20e7}, {0x2810, 0x30e7},
        {0x3468, 2}),
    ROW("root bad", FL_MODE_4LEVEL, 0x8000, 0, 1, "BAD\n", {0}),
    ROW("root bad, 5-level", FL_MODE_5LEVEL, 0x8000, 0, 1, "BAD\n", {0}),
    ROW("P4D bad", FL_MODE_5LEVEL, 0x1000, 0, 2, "PGD 8067 BAD\n", {0x1ff8, 0x8067}),
    ROW("PUD bad", FL_MODE_4LEVEL, 0x1000, 0, 2, "PGD 8067 BAD\n", {0x1810, 0x8067}),
    ROW("PMD bad", FL_MODE_4LEVEL, 0x1000, 0, 3, "PGD 3067 PUD 8067 BAD\n", {0x1810, 0x3067}, {0x3468, 0x8067}),
    ROW("highest tables", FL_MODE_4LEVEL, 0xffffffffff000, 0, 4, "PGD 8000000003067 PUD 4067 PMD ffffffffff067 PTE 9\n",
        {0xffffffffff810, 0x8000000003067}, {0x8000000003468, 0x4067}, {0x4158, 0xffffffffff067}, {0xffffffffff3c0, 9}),
    ROW("PTE bad", FL_MODE_4LEVEL, 0x1000, 0, 4, "PGD 3067 PUD 4067 PMD 8067 BAD\n", {0x1810, 0x3067}, {0x3468, 0x4067},
        {0x4158, 0x8067}),
};

/* Tables with these entries; the page at 0x8000 is not there. */
static struct fake world_of(const struct table_case *c)
{
    struct fake k = fake_world();

    k.ram_end = UINT64_C(1) << 52;
    k.hole = 0x8000;
    k.hole_end = 0x9000;
    for (unsigned i = 0; i < COUNT(c->entry) && c->entry[i].paddr; i++)
        fake_set_entry(&k, c->entry[i].paddr, c->entry[i].value);
    return k;
}

static struct fl_fault fault_for(const struct table_case *c, unsigned word)
{
    struct fl_fault f = word == 8 ? fake_fault() : fake_fault32(c->mode);

    f.cpu.mode = (uint8_t)c->mode;
    f.cpu.cr3 = c->cr3;
    f.kernel.low_frames = c->low_frames;
    f.kernel.oops_may_print = true;
    f.cr2 = word == 8 ? VA64 : 0x1500000000 + VA32; /* a 32-bit kernel's CR2 has 32 bits */
    f.regs.ip = word == 8 ? 0xffffffff80212345 : 0xc0112345;
    f.error_code = 2;
    return f;
}

static void check_tables(const struct table_case *c, unsigned word, report_fn *report, const char *head)
{
    struct fake k = world_of(c);
    struct fl_fault f = fault_for(c, word);
    char want[512];

    report(&f, &fake_ops, &k);
    snprintf(want, sizeof want, "%s%s", head, c->text);
    check_log(&k, want, c->name);
    CHECK_EQ(k.reads, c->reads, "%s: entries read", c->name);
    CHECK_EQ(k.read_size, c->mode == FL_MODE_2LEVEL ? 4 : 8, "%s", c->name);
}

static void test_tables(void)
{
    for (size_t i = 0; i < COUNT(tables_32); i++) {
        check_tables(&tables_32[i], 4, core_report_bad_pagetable, P32);
        check_tables(&tables_32[i], 4, core_report_oops,
                     "<1>BUG: unable to handle kernel paging request at virtual address d0403456\n"
                     "<1>printing ip: c0112345 ");
    }
    for (size_t i = 0; i < COUNT(tables_64); i++) {
        check_tables(&tables_64[i], 8, core_report_bad_pagetable, P64);
        check_tables(&tables_64[i], 8, core_report_oops,
                     "<1>Unable to handle kernel paging request at ffff8123456789ab RIP: \n"
                     "<1> [<ffffffff80212345>]\n");
    }
}

/* ---- oops ---- */

static void test_oops_addresses(void)
{
    static const struct {
        unsigned word;
        uint64_t cr2, ip;
        const char *symbol, *text, *end;
    } cases[] = {
        {4, 0, 0xc0100000, NULL,
         "<1>BUG: unable to handle kernel NULL pointer dereference at virtual address 00000000\n"
         "<1>printing ip: c0100000 *pde = 00000000 \n",
         ""},
        {4, 4095, 0, "a_symbol+0x1/0x2",
         "<1>BUG: unable to handle kernel NULL pointer dereference at virtual address 00000fff\n"
         "<1>printing ip: 00000000 *pde = 00000000 \n",
         ""},
        {4, 4096, 0x12c0100000, NULL,
         "<1>BUG: unable to handle kernel paging request at virtual address 00001000\n"
         "<1>printing ip: c0100000 *pde = 00000000 \n",
         ""},
        {4, 0x100000fff, 0, NULL,
         "<1>BUG: unable to handle kernel NULL pointer dereference at virtual address 00000fff\n"
         "<1>printing ip: 00000000 *pde = 00000000 \n",
         ""},
        {4, 0x3ffff000, 0, NULL, /* the last slot of 0xff; nothing above bit 31 becomes part of an index */
         "<1>BUG: unable to handle kernel paging request at virtual address 3ffff000\n"
         "<1>printing ip: 00000000 *pde = 00000000 \n",
         ""},
        {8, 0, 0xffffffff80212345, "do_thing+0x45/0x130",
         "<1>Unable to handle kernel NULL pointer dereference at 0000000000000000 RIP: \n"
         "<1> [<ffffffff80212345>] do_thing+0x45/0x130\nPGD 0 \n",
         "<0>CR2: 0000000000000000\n"},
        {8, 4095, 0x12, ":a_module:%s\x01+0x0/0x1",
         "<1>Unable to handle kernel NULL pointer dereference at 0000000000000fff RIP: \n"
         "<1> [<0000000000000012>] :a_module:%s\x01+0x0/0x1\nPGD 0 \n",
         "<0>CR2: 0000000000000fff\n"},
        {8, 4096, 0, NULL,
         "<1>Unable to handle kernel paging request at 0000000000001000 RIP: \n"
         "<1> [<0000000000000000>]\nPGD 0 \n",
         "<0>CR2: 0000000000001000\n"},
        {8, 0x100000fff, UINT64_MAX, "",
         "<1>Unable to handle kernel paging request at 0000000100000fff RIP: \n"
         "<1> [<ffffffffffffffff>] \nPGD 0 \n",
         "<0>CR2: 0000000100000fff\n"},
        {8, UINT64_MAX, 1, NULL,
         "<1>Unable to handle kernel paging request at ffffffffffffffff RIP: \n"
         "<1> [<0000000000000001>]\nPGD 0 \n",
         "<0>CR2: ffffffffffffffff\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        bool wide = cases[i].word == 8;
        struct fake k = fake_world();
        struct fl_fault f = fault_of(cases[i].word);

        f.cr2 = cases[i].cr2;
        f.regs.ip = cases[i].ip;
        f.kernel.oops_may_print = !wide; /* 64-bit kernels of that time do not ask */
        k.symbol = cases[i].symbol;
        core_report_oops(&f, &fake_ops, &k);
        check_log(&k, cases[i].text, "oops");
        CHECK(!strchr(k.trace, 'S') == !wide, "symbol is for 64-bit kernels: %s", k.trace);
        if (wide)
            CHECK_EQ(k.symbol_ip, cases[i].ip, "symbol");

        fake_forget(&k);
        core_report_oops_end(&f, &fake_ops, &k);
        check_log(&k, cases[i].end, "end of oops");
        check_trace(&k, wide ? "l" : "", "end of oops");
    }
}

static void test_oops_silent(void)
{
    for (enum fl_mode mode = FL_MODE_2LEVEL; mode <= FL_MODE_PAE; mode++) {
        struct fake k = fake_world();
        struct fl_fault f = fake_fault32(mode);

        f.error_code = 0x10;
        f.kernel.oops_may_print = false;
        core_report_oops(&f, &fake_ops, &k);
        core_report_oops_end(&f, &fake_ops, &k);
        check_log(&k, "", "silent");
        check_trace(&k, "", "silent");
    }
}

/* Fills the whole buffer and leaves out the zero, against the contract. */
static bool endless_symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    (void)ctx, (void)ip;
    memset(buf, 'x', size);
    return true;
}

static void test_endless_symbol(void)
{
    static const char head[] = "<1>Unable to handle kernel paging request at 00000000007ff008 RIP: \n"
                               "<1> [<0000000000400000>] ";
    struct fake k = fake_world();
    struct fl_fault f = fake_fault();
    struct fl_ops endless = fake_ops;

    endless.symbol = endless_symbol;
    core_report_oops(&f, &endless, &k);
    CHECK(strncmp(k.log, head, sizeof head - 1) == 0, "%s", k.log);
    CHECK_EQ(strspn(k.log + sizeof head - 1, "x"), 256, "a symbol without an end is cut off at its buffer's");
    CHECK(strcmp(k.log + sizeof head - 1 + 256, "\nPGD 0 \n") == 0, "%s", k.log);
}

#define NX(name, mode, code, efer, uid, line, ...)                                                                     \
    {                                                                                                                  \
        name, mode, code, efer, uid, {__VA_ARGS__}, line                                                               \
    }

/* The line about an NX-protected page. cr2 is VA32 (PAE: 3, 082, 003) and VA64 in the 64-bit kernel. */
static void test_nx_line(void)
{
    enum { NXE = 0x800, FETCH = 0x11 };
    const uint64_t nx = UINT64_C(1) << 63;
    const struct {
        const char *name;
        enum fl_mode mode;
        uint64_t code, efer;
        uint32_t uid;
        struct at entry[4];
        const char *line;
    } cases[] = {
        NX("small page", FL_MODE_PAE, FETCH, NXE, 1000,
           "<2>kernel tried to execute NX-protected page - exploit attempt? (uid: 1000)\n", {0x1018, 0x6001},
           {0x6410, 0x7067}, {0x7018, nx | 0x9063}),
        NX("large page", FL_MODE_PAE, FETCH, NXE, 0,
           "<2>kernel tried to execute NX-protected page - exploit attempt? (uid: 0)\n", {0x1018, 0x6001},
           {0x6410, nx | 0x2000e3}),
        NX("a uid is an int", FL_MODE_PAE, FETCH, NXE, UINT32_MAX,
           "<2>kernel tried to execute NX-protected page - exploit attempt? (uid: -1)\n", {0x1018, 0x6001},
           {0x6410, nx | 0x2000e3}),
        NX("any fetch", FL_MODE_PAE, 0x10, NXE, 1000,
           "<2>kernel tried to execute NX-protected page - exploit attempt? (uid: 1000)\n", {0x1018, 0x6001},
           {0x6410, nx | 0x2000e3}),
        NX("PAT in the PTE", FL_MODE_PAE, FETCH, NXE, 7,
           "<2>kernel tried to execute NX-protected page - exploit attempt? (uid: 7)\n", {0x1018, 0x6001},
           {0x6410, 0x7067}, {0x7018, nx | 0x9081}),
        NX("no fetch", FL_MODE_PAE, 0xffffffffffffffef, NXE, 1000, "", {0x1018, 0x6001}, {0x6410, nx | 0x2000e3}),
        NX("NX off", FL_MODE_PAE, FETCH, ~(uint64_t)NXE, 1000, "", {0x1018, 0x6001}, {0x6410, nx | 0x2000e3}),
        NX("small page, executable", FL_MODE_PAE, FETCH, NXE, 1000, "", {0x1018, 0x6001}, {0x6410, 0x7067},
           {0x7018, 0x9063}),
        NX("large page, executable", FL_MODE_PAE, FETCH, NXE, 1000, "", {0x1018, 0x6001}, {0x6410, 0x2000e3}),
        NX("NX above the leaf only", FL_MODE_PAE, FETCH, NXE, 1000, "", {0x1018, 0x6001}, {0x6410, nx | 0x7067},
           {0x7018, 0x9063}),
        NX("PTE not present", FL_MODE_PAE, FETCH, NXE, 1000, "", {0x1018, 0x6001}, {0x6410, 0x7067},
           {0x7018, nx | 0x9062}),
        NX("large page not present", FL_MODE_PAE, FETCH, NXE, 1000, "", {0x1018, 0x6001}, {0x6410, nx | 0x2000e2}),
        NX("PDPTE not present", FL_MODE_PAE, FETCH, NXE, 1000, "", {0x1018, nx | 0x6000}, {0x6410, nx | 0x2000e3}),
        NX("directory in a hole", FL_MODE_PAE, FETCH, NXE, 1000, "", {0x1018, 0x8001}),
        NX("table in a hole", FL_MODE_PAE, FETCH, NXE, 1000, "", {0x1018, 0x6001}, {0x6410, 0x8067}),
        NX("2-level, of entries that PAE would refuse", FL_MODE_2LEVEL, FETCH, NXE, 1000, "", {0x1018, 0x6001},
           {0x6410, nx | 0x2000e3}),
        NX("4-level", FL_MODE_4LEVEL, FETCH, NXE, 1000, "", {0x1810, 0x3067}, {0x3468, nx | 0x400000e7}),
    };
    unsigned lines = 0;

    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned word = cases[i].mode == FL_MODE_4LEVEL ? 8 : 4;
        struct table_case c = {.name = cases[i].name, .mode = cases[i].mode, .cr3 = 0x1000, .low_frames = 0x38000};
        size_t n = strlen(cases[i].line);

        memcpy(c.entry, cases[i].entry, sizeof cases[i].entry);

        struct fake k = world_of(&c);
        struct fl_fault f = fault_for(&c, word);

        f.cpu.efer = cases[i].efer;
        f.task.uid = cases[i].uid;
        f.error_code = cases[i].code;
        core_report_oops(&f, &fake_ops, &k);
        CHECK(strncmp(k.log, cases[i].line, n) == 0, "%s: %s", c.name, k.log);
        CHECK(strncmp(k.log + n, word == 8 ? "<1>Unable" : "<1>BUG: unable", 9) == 0, "%s: %s", c.name, k.log);
        CHECK(!k.misuse, "%s: %s", c.name, k.misuse);
        lines += n != 0;

        /* A corrupt table is not the place for it. */
        fake_forget(&k);
        core_report_bad_pagetable(&f, &fake_ops, &k);
        CHECK(strncmp(k.log, "<1>a.out: ", 10) == 0, "%s: %s", c.name, k.log);
    }
    CHECK_EQ(lines, 5, "cases with the line");
}

/* A kernel that may not print an oops still says that a table is corrupt. */
static void test_bad_pagetable_lines(void)
{
    static const struct {
        unsigned word;
        uint64_t cr2;
        const char *comm, *text;
    } cases[] = {
        {8, 0, "a.out", "<1>a.out: Corrupted page table at address 0\nPGD 0 \n"},
        {8, 0x7fffffffefff, "%d\n", "<1>%d\n: Corrupted page table at address 7fffffffefff\nPGD 0 \n"},
        {4, 0xabc, "a.out", "<1>a.out: Corrupted page table at address abc\n*pde = 00000000 \n"},
        {4, 0x1bfffffff, "a.out", "<1>a.out: Corrupted page table at address bfffffff\n*pde = 00000000 \n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fake k = fake_world();
        struct fl_fault f = fault_of(cases[i].word);

        f.cr2 = cases[i].cr2;
        memcpy(f.task.comm, cases[i].comm, strlen(cases[i].comm) + 1);
        core_report_bad_pagetable(&f, &fake_ops, &k);
        check_log(&k, cases[i].text, "corrupted");
        check_trace(&k, "rl", "corrupted");
    }
}

int main(void)
{
    test_tables();
    test_oops_addresses();
    test_oops_silent();
    test_endless_symbol();
    test_nx_line();
    test_bad_pagetable_lines();
    return check_done("report-oops");
}
