/* SPDX-License-Identifier: MIT */
/*
 * Golden texts of oopses and of corrupt tables, written out by hand from the kernels' format strings (Linux 2.6.25
 * arch/x86/mm/fault.c, 2.6.24 fault_64.c, both 2008), and where their table reads go.
 */
#include "message_machine.h"

/* ---- oopses ------------------------------------------------------------------------------------------------------- */

static void oops(const char *text, const char *what)
{
    fl_message_oops(&m.s, &m.e);
    expect(text, what);
}

#define HEAD64(at) "<1>Unable to handle kernel paging request at " at " RIP: \n<1>"

static void test_oops_64(void)
{
    start(8, FL_MODE_4LEVEL);
    m.s.cr2 = 0xfff;
    oops("<1>Unable to handle kernel NULL pointer dereference at 0000000000000fff RIP: \n<1> [<0000000008048123>]\n"
         "PGD 0 \n{die}\n<0>CR2: 0000000000000fff\n",
         "the last byte of page 0");
    CHECK_EQ(m.symbols, 1, "one symbol");
    m.s.cr2 = 0x1000;
    m.s.regs.ip = UINT64_C(0xffffffff81000007);
    m.s.kernel.oops_may_print = false; /* 32-bit kernels only */
    oops(HEAD64("0000000000001000") " [<ffffffff81000007>] :mod:fn+0x7/0x40\nPGD 0 \n{die}\n<0>CR2: 0000000000001000\n",
         "with a symbol");

    /* Every level, present, absent, large, and where there is no memory. */
    const uint64_t va = UINT64_C(0xffffc90000201000);
    m.s.cr2 = va;
    m.s.cpu.cr3 = UINT64_C(0xfff0000000001fff); /* PCID, and bits that are no address */
    m.s.regs.ip = 1;
#define HEAD HEAD64("ffffc90000201000") " [<0000000000000001>]\n"
#define TAIL "{die}\n<0>CR2: ffffc90000201000\n"
    put(0x1000 + 0x192 * 8, 8, 0x2067);
    put(0x2000, 8, 0x3066 | NX);
    oops(HEAD "PGD 2067 PUD 8000000000003066 \n" TAIL, "no PUD");
    put(0x2000, 8, 0x30e7 | NX);
    oops(HEAD "PGD 2067 PUD 80000000000030e7 \n" TAIL, "1 GiB");
    put(0x2000, 8, 0x3067);
    put(0x3008, 8, 0x40e7);
    oops(HEAD "PGD 2067 PUD 3067 PMD 40e7 \n" TAIL, "2 MiB");
    put(0x3008, 8, 0x4080);
    oops(HEAD "PGD 2067 PUD 3067 PMD 4080 \n" TAIL, "no PMD");
    put(0x3008, 8, UINT64_C(0x7ff0000000004067)); /* bits 62:52 are no address */
    put(0x4008, 8, UINT64_MAX);
    oops(HEAD "PGD 2067 PUD 3067 PMD 7ff0000000004067 PTE ffffffffffffffff\n" TAIL, "a PTE");
    put(0x4008, 8, 0);
    oops(HEAD "PGD 2067 PUD 3067 PMD 7ff0000000004067 PTE 0\n" TAIL, "an empty PTE");
    put(0x3008, 8, UINT64_C(0x000ffffffffff067));
    oops(HEAD "PGD 2067 PUD 3067 PMD ffffffffff067 BAD\n" TAIL, "no memory");
    m.s.cpu.cr3 = 0x100000;
    oops(HEAD "BAD\n" TAIL, "no root");

    /* Five levels: the size bit means nothing in the upper two. */
    start(8, FL_MODE_5LEVEL);
    m.s.cr2 = va;
    m.s.regs.ip = 1;
    put(0x1000 + 511 * 8, 8, 0x20e7);
    put(0x2000 + 0x192 * 8, 8, 0x30e7);
    put(0x3000, 8, 0x4067);
    put(0x4008, 8, 0x5067);
    put(0x5008, 8, 0x6163);
    oops(HEAD "PGD 20e7 P4D 30e7 PUD 4067 PMD 5067 PTE 6163\n" TAIL, "five levels");
    put(0x2000 + 0x192 * 8, 8, 0x30e6);
    oops(HEAD "PGD 20e7 P4D 30e6 \n" TAIL, "no P4D");
#undef HEAD
#undef TAIL
}

#define HEAD32(at) "<1>BUG: unable to handle kernel paging request at virtual address " at "\n<1>printing ip: 08048123 "

static void test_oops_2level(void)
{
    start(4, FL_MODE_2LEVEL);
    m.s.cpu.cr3 = UINT64_C(0xf00001fff);
    m.s.cr2 = 0xfff;
    oops("<1>BUG: unable to handle kernel NULL pointer dereference at virtual address 00000fff\n"
         "<1>printing ip: 08048123 *pde = 00000000 \n{die}\n",
         "the last byte of page 0");
    m.s.cr2 = 0x1000;
    oops(HEAD32("00001000") "*pde = 00000000 \n{die}\n", "page 1");
    m.s.kernel.oops_may_print = false;
    oops("{die}\n", "may not print");
    m.s.kernel.oops_may_print = true;

    m.s.cr2 = UINT64_C(0xc0403000);
    put(0x1000 + 0x301 * 4, 4, 0x2067);
    put(0x2000 + 3 * 4, 4, 0xffffffff);
    oops(HEAD32("c0403000") "*pde = 00002067 *pte = ffffffff \n{die}\n", "a PTE");
    put(0x1000 + 0x301 * 4, 4, 0x20e7);
    oops(HEAD32("c0403000") "*pde = 000020e7 \n{die}\n", "4 MiB");
    put(0x1000 + 0x301 * 4, 4, 0x2066);
    oops(HEAD32("c0403000") "*pde = 00002066 \n{die}\n", "no PDE");
    /* Where the kernel has no mapping: the first frame that is not low. */
    put(0x1000 + 0x301 * 4, 4, (FRAMES - 1) << 12 | 1);
    oops(HEAD32("c0403000") "*pde = 0000b001 *pte = 00000000 \n{die}\n", "the last low frame");
    put(0x1000 + 0x301 * 4, 4, FRAMES << 12 | 1);
    oops(HEAD32("c0403000") "*pde = 0000c001 \n{die}\n", "a high frame");
    m.s.kernel.low_frames = FRAMES + 1;
    oops(HEAD32("c0403000") "*pde = 0000c001 \n{die}\n", "no memory there");
    m.s.cpu.cr3 = 0x100000;
    oops(HEAD32("c0403000") "\n{die}\n", "no root");
    /* Two levels have no NX. */
    m.s.error_code = I;
    oops(HEAD32("c0403000") "\n{die}\n", "a fetch");
}

static void test_oops_pae(void)
{
    start(4, FL_MODE_PAE);
    m.s.cr2 = UINT64_C(0xc0403000);
    m.s.cpu.cr3 = 0x1fff; /* 32-byte aligned: 0x1fe0 */
    oops(HEAD32("c0403000") "*pdpt = 0000000000000000 \n{die}\n", "no PDPTE");
    put(0x1fe0 + 3 * 8, 8, 0x2001);
    put(0x2000 + 2 * 8, 8, 0x3067 | NX);
    put(0x3000 + 3 * 8, 8, UINT64_C(0x8000000123456163));
    oops(HEAD32("c0403000") "*pdpt = 0000000000002001 *pde = 8000000000003067 *pte = 8000000123456163 \n{die}\n",
         "NX of a PDE does not hide its frame");
    put(0x2000 + 2 * 8, 8, 0x30e7);
    oops(HEAD32("c0403000") "*pdpt = 0000000000002001 *pde = 00000000000030e7 \n{die}\n", "2 MiB");
    put(0x2000 + 2 * 8, 8, UINT64_C(0x100003067));
    oops(HEAD32("c0403000") "*pdpt = 0000000000002001 *pde = 0000000100003067 \n{die}\n", "a high frame");
    put(0x1fe0 + 3 * 8, 8, 0x2001 | NX);
    oops(HEAD32("c0403000") "*pdpt = 8000000000002001 \n{die}\n", "NX of a PDPTE makes its frame a high one");
    put(0x1fe0 + 3 * 8, 8, 0x2081);
    put(0x2000 + 2 * 8, 8, 0);
    oops(HEAD32("c0403000") "*pdpt = 0000000000002081 *pde = 0000000000000000 \n{die}\n", "no PDPTE is large");
    m.s.kernel.low_frames = 0x1000;
    put(0x1fe0 + 3 * 8, 8, 0x800001);
    oops(HEAD32("c0403000") "*pdpt = 0000000000800001 \n{die}\n", "no memory there");
}

#define EXPLOIT "<2>kernel tried to execute NX-protected page - exploit attempt? (uid: 500)\n"

static void test_oops_nx(void)
{
    static const struct {
        uint64_t pdpte, pde, pte, code, efer;
        bool said;
        const char *what;
    } rows[] = {
        {0x2001, 0x3067, 0x4163 | NX, I, 0x800, true, "a page"},
        {0x2001, 0x3067, 0x4163 | NX, I | P, 0x800, true, "with P in the code"},
        {0x2001, 0x3067, 0x4163 | NX, P, 0x800, false, "not a fetch"},
        {0x2001, 0x3067, 0x4163 | NX, I, 0, false, "NX is off"},
        {0x2001, 0x3067, 0x4163, I, 0x800, false, "the page is executable"},
        {0x2001, 0x3067 | NX, 0x4163, I, 0x800, false, "only the leaf counts"},
        {0x2001, 0x3067, 0x4162 | NX, I, 0x800, false, "not present"},
        {0x2001, 0x30e7 | NX, 0, I, 0x800, true, "a large page"},
        {0x2001, 0x30e7, 0x4163 | NX, I, 0x800, false, "a large page that is executable"},
        {0x2001, 0x30e6 | NX, 0x4163 | NX, I, 0x800, false, "no PDE"},
        {0x2000, 0x3067, 0x4163 | NX, I, 0x800, false, "no PDPTE"},
        {0x2001, 0x100003067, 0x4163 | NX, I, 0x800, false, "no memory"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start(4, FL_MODE_PAE);
        m.s.cr2 = UINT64_C(0xc0403000);
        m.s.cpu.efer = rows[i].efer;
        m.s.error_code = rows[i].code;
        put(0x1000 + 3 * 8, 8, rows[i].pdpte);
        put(0x2000 + 2 * 8, 8, rows[i].pde);
        put(0x3000 + 3 * 8, 8, rows[i].pte);
        fl_message_oops(&m.s, &m.e);
        bool said = m.e.nlog > strlen(EXPLOIT) && !memcmp(m.e.log, EXPLOIT, strlen(EXPLOIT));
        CHECK_EQ(said, rows[i].said, "%s: %.*s", rows[i].what, (int)m.e.nlog, m.e.log);
        const char *rest = m.e.log + (said ? strlen(EXPLOIT) : 0);
        CHECK(!strncmp(rest, HEAD32("c0403000"), strlen(HEAD32("c0403000"))), "%s: what follows", rows[i].what);
    }
    /* A table where the kernel has no mapping is looked at all the same; uid is an int. */
    start(4, FL_MODE_PAE);
    m.s.kernel.low_frames = 0;
    m.s.cr2 = UINT64_C(0xc0403000);
    m.s.error_code = I;
    m.s.task.uid = UINT32_MAX;
    put(0x1000 + 3 * 8, 8, 0x2001);
    put(0x2000 + 2 * 8, 8, 0x30e7 | NX);
    oops("<2>kernel tried to execute NX-protected page - exploit attempt? (uid: -1)\n" HEAD32(
             "c0403000") "*pdpt = 0000000000002001 \n{die}\n",
         "a whole text");
}

static void test_bad_pagetable(void)
{
    start(8, FL_MODE_4LEVEL);
    m.s.cr2 = 0x7fff00001000;
    fl_message_bad_pagetable(&m.s, &m.e);
    expect("<1>prog: Corrupted page table at address 7fff00001000\nPGD 0 \n{die}\n", "64-bit");
    start(4, FL_MODE_PAE);
    m.s.kernel.oops_may_print = false; /* not asked */
    put(0x1000, 8, 0x2001);
    fl_message_bad_pagetable(&m.s, &m.e);
    expect("<1>prog: Corrupted page table at address 1234\n*pdpt = 0000000000002001 *pde = 0000000000000000 \n{die}\n",
           "PAE");
    start(4, FL_MODE_2LEVEL);
    put(0x1000, 4, 0x2001);
    put(0x2004, 4, 0xf0000067);
    fl_message_bad_pagetable(&m.s, &m.e);
    expect("<1>prog: Corrupted page table at address 1234\n*pde = 00002001 *pte = f0000067 \n{die}\n", "2 levels");
}

/* ---- after a synchronisation -------------------------------------------------------------------------------------- */

static void test_overlay(void)
{
    static const struct {
        bool synced, lazy, flush, seen;
        uint8_t how;
    } rows[] = {{true, false, false, true, FL_SET_PGD},  {true, true, false, false, FL_SET_PGD},
                {true, true, false, false, FL_SET_PMD},  {true, true, true, true, FL_SET_PGD},
                {true, true, false, true, FL_SET_PLAIN}, {false, false, false, false, FL_SET_PLAIN}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start(4, FL_MODE_PAE);
        put(0x1000, 8, 0x2001);
        put(0x3000 + 8, 8, 0x4163);
        m.s.lazy_mmu = rows[i].lazy;
        m.e.synced = rows[i].synced;
        m.e.sync.flush = rows[i].flush;
        m.e.sync.nwrites = 1;
        m.e.sync.write[0] = (struct fl_entry_write){.paddr = 0x2000, .value = 0x3067, .size = 8, .how = rows[i].how};
        oops(rows[i].seen ? HEAD32("00001234") "*pdpt = 0000000000002001 *pde = 0000000000003067 "
                                               "*pte = 0000000000004163 \n{die}\n"
                          : HEAD32("00001234") "*pdpt = 0000000000002001 *pde = 0000000000000000 \n{die}\n",
             "overlay");
        CHECK_EQ(fl_message_reads(&m.s, &m.e, 0x3008), rows[i].seen, "row %u: the read that follows", i);
        CHECK(fl_message_reads(&m.s, &m.e, 0x2000) && !fl_message_reads(&m.s, &m.e, 0x2008), "row %u: reads", i);
    }
}

/* The walk for NX reads where the report itself does not. */
static void test_reads(void)
{
    start(4, FL_MODE_PAE);
    m.s.kernel.low_frames = 0;
    put(0x1000, 8, 0x2001);
    put(0x2000, 8, 0x100001);
    CHECK(fl_message_reads(&m.s, &m.e, 0x1000), "PDPTE");
    CHECK(fl_message_reads(&m.s, &m.e, 0x2000), "PDE");
    CHECK(fl_message_reads(&m.s, &m.e, 0x100008), "where there is no memory");
    CHECK(!fl_message_reads(&m.s, &m.e, 0x100000) && !fl_message_reads(&m.s, &m.e, 0), "elsewhere");
    m.s.cpu.mode = FL_MODE_2LEVEL;
    CHECK(!fl_message_reads(&m.s, &m.e, 0x2000), "two levels");
}

int main(void)
{
    test_oops_64();
    test_oops_2level();
    test_oops_pae();
    test_oops_nx();
    test_bad_pagetable();
    test_overlay();
    test_reads();
    return check_done("policy message oops");
}
