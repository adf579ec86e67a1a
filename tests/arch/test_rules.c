/* SPDX-License-Identifier: MIT */
/* What walk vectors cannot say: features that a processor lacks, missing memory, levels, updates, bad input. */
#include "check.h"

#include <faultline/oracle/arch.h>

#define NELEMS(a) (sizeof(a) / sizeof(a)[0])

struct cell {
    uint64_t paddr, value;
};

/* Memory is the cells, zero everywhere else below limit, and nothing at and above it. */
struct memory {
    uint64_t limit;
    unsigned reads;
    struct cell cells[8];
};

static bool read_cell(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct memory *m = ctx;

    m->reads++;
    CHECK_EQ(paddr % size, 0, "entry at %#" PRIx64 " of %u bytes", paddr, size);
    if (paddr >= m->limit)
        return false;
    *value = 0;
    for (unsigned i = 0; i < NELEMS(m->cells); i++) {
        if (m->cells[i].paddr == paddr)
            *value = m->cells[i].value;
    }
    return true;
}

static const struct fl_cpu cpu_2level = {.mode = FL_MODE_2LEVEL,
                                         .family = 6,
                                         .maxphyaddr = 36,
                                         .pse36 = true,
                                         .cr0 = 0x80010001,
                                         .cr3 = 0x1000,
                                         .cr4 = 0x10};
static const struct fl_cpu cpu_pae = {
    .mode = FL_MODE_PAE, .family = 6, .maxphyaddr = 36, .cr0 = 0x80010001, .cr3 = 0x1020, .cr4 = 0x20, .efer = 0x800};
static const struct fl_cpu cpu_4level = {.mode = FL_MODE_4LEVEL,
                                         .family = 6,
                                         .maxphyaddr = 40,
                                         .page1gb = true,
                                         .cr0 = 0x80010001,
                                         .cr3 = 0x1000,
                                         .cr4 = 0x20,
                                         .efer = 0xd00};
static const struct fl_cpu cpu_5level = {.mode = FL_MODE_5LEVEL,
                                         .family = 6,
                                         .maxphyaddr = 52,
                                         .page1gb = true,
                                         .cr0 = 0x80010001,
                                         .cr3 = 0x1000,
                                         .cr4 = 0x1020,
                                         .efer = 0xd00};

static struct fl_arch_result walk(const struct fl_cpu *cpu, struct memory *m, uint64_t va, enum fl_access_priv priv,
                                  enum fl_access_kind kind)
{
    struct fl_access a = {.va = va, .kind = (uint8_t)kind, .priv = (uint8_t)priv};
    struct fl_arch_result r;

    m->reads = 0;
    CHECK_EQ(fl_arch_walk(cpu, &a, read_cell, m, &r), FL_OK, "va %#" PRIx64, va);
    return r;
}

/*
 *   8040201234 = entry 1 of every table + 234
 *   CR3 1000 -[1008]-> 2000 -[2008]-> 3000 -[3008]-> 4000 -[4008]-> page 5000
 */
#define VA UINT64_C(0x8040201234)

static void test_levels_and_updates(void)
{
    for (unsigned broken = 0; broken <= 4; broken++) {
        struct memory m = {.limit = 0x100000,
                           .cells = {{0x1008, 0x2007}, {0x2008, 0x3027}, {0x3008, 0x4007}, {0x4008, 0x5007}}};
        struct fl_arch_result r;

        if (broken)
            m.cells[4 - broken].value &= ~UINT64_C(1);
        r = walk(&cpu_4level, &m, VA, FL_USER, FL_WRITE);
        CHECK_EQ(m.reads, broken ? 5 - broken : 4, "level %u absent", broken);
        if (broken) {
            /* SDM 4.8: entries that were used may be marked accessed; the absent one is not used; 2008 is marked. */
            static const unsigned maybe[] = {0, 2, 1, 1, 0};

            CHECK_EQ(r.kind, FL_ARCH_PF, "level %u absent", broken);
            CHECK_EQ(r.error_code, 6, "level %u absent", broken);
            CHECK_EQ(r.level, broken, "level %u absent", broken);
            CHECK_EQ(r.entry, m.cells[4 - broken].value, "level %u absent", broken);
            CHECK_EQ(r.page_shift, 0, "level %u absent", broken);
            CHECK_EQ(r.paddr, 0, "level %u absent", broken);
            CHECK_EQ(r.nwrites, 0, "level %u absent", broken);
            CHECK_EQ(r.nmaybe, maybe[broken], "level %u absent", broken);
        } else {
            static const struct fl_arch_write want[] = {{0x1008, 0x20, 8}, {0x3008, 0x20, 8}, {0x4008, 0x60, 8}};

            CHECK_EQ(r.kind, FL_ARCH_OK, "mapped");
            CHECK_EQ(r.nwrites, NELEMS(want), "2008 is accessed already");
            for (unsigned i = 0; i < NELEMS(want); i++) {
                CHECK_EQ(r.writes[i].paddr, want[i].paddr, "update %u", i);
                CHECK_EQ(r.writes[i].bits, want[i].bits, "update %u", i);
                CHECK_EQ(r.writes[i].size, want[i].size, "update %u", i);
            }
            CHECK_EQ(r.nmaybe, 0, "a permitted access leaves nothing open");
            CHECK_EQ(r.level, 1, "mapped");
            CHECK_EQ(r.page_shift, 12, "mapped");
            CHECK_EQ(r.paddr, 0x5234, "mapped");
            CHECK(r.writable && r.user && !r.nx, "combined rights");
        }
    }
}

static void test_dirty_alone(void)
{
    struct memory m = {.limit = 0x100000,
                       .cells = {{0x1008, 0x2027}, {0x2008, 0x3027}, {0x3008, 0x4027}, {0x4008, 0x5027}}};
    struct fl_arch_result r = walk(&cpu_4level, &m, VA, FL_USER, FL_WRITE);

    CHECK_EQ(r.nwrites, 1, "all accessed, the leaf not dirty");
    CHECK_EQ(r.writes[0].paddr, 0x4008, "dirty of the leaf");
    CHECK_EQ(r.writes[0].bits, 0x40, "dirty of the leaf");
    CHECK_EQ(r.writes[0].size, 8, "dirty of the leaf");
    r = walk(&cpu_4level, &m, VA, FL_USER, FL_READ);
    CHECK_EQ(r.nwrites, 0, "a read marks nothing more");

    /* Five levels, none accessed: five updates fill the list. */
    struct memory five = {
        .limit = 0x100000,
        .cells = {{0x1000, 0x2007}, {0x2000, 0x3007}, {0x3000, 0x4007}, {0x4000, 0x5007}, {0x5000, 0x6007}}};

    r = walk(&cpu_5level, &five, 0x123, FL_USER, FL_WRITE);
    CHECK_EQ(five.reads, 5, "five levels");
    CHECK_EQ(r.nwrites, 5, "five levels");
    CHECK_EQ(r.writes[4].bits, 0x60, "the leaf comes last");
    CHECK_EQ(r.paddr, 0x6123, "five levels");
}

static void test_denied_walk(void)
{
    struct memory m = {
        .limit = 0x100000,
        .cells = {{0x1008, 0x2005}, {0x2008, 0x3007}, {0x3008, 0x8000000000004003}, {0x4008, 0x2800000000005007}}};
    struct fl_arch_result r = walk(&cpu_4level, &m, VA, FL_USER, FL_WRITE);

    CHECK_EQ(r.error_code, 7, "denied");
    CHECK_EQ(r.paddr, 0x5234, "the translation is answered although the access is denied");
    CHECK_EQ(r.page_shift, 12, "denied");
    CHECK(!r.writable && !r.user && r.nx, "rights of all levels together");
    CHECK_EQ(r.pkey, 5, "bits 62:59 of the leaf");
    CHECK_EQ(r.nwrites, 0, "SDM 4.8: no dirty bit before the access completes");
    CHECK_EQ(r.nmaybe, 4, "all four entries were used");
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(r.maybe[i].bits, 0x20, "only accessed bits");
}

/* SDM 4.7: PK reports the key, whatever else denies the access; so it also stands for a user access to a
 * supervisor-mode address whose key PKRS disables. */
static void test_pks_of_user_access(void)
{
    struct memory m = {.limit = 0x100000,
                       .cells = {{0x1008, 0x2007}, {0x2008, 0x3007}, {0x3008, 0x4007}, {0x4008, 0x800000000005003}}};
    struct fl_cpu cpu = cpu_4level;

    cpu.cr4 |= 1u << 24;
    cpu.pkrs = 4;
    CHECK_EQ(walk(&cpu, &m, VA, FL_USER, FL_READ).error_code, 0x25, "Intel");
    cpu.vendor = FL_VENDOR_AMD;
    CHECK_EQ(walk(&cpu, &m, VA, FL_USER, FL_READ).error_code, 0x05, "AMD has no PKS");
}

static void test_lacking_features(void)
{
    struct memory giant = {.limit = 0x100000, .cells = {{0x1008, 0x2007}, {0x2008, 0x80000087}}};
    struct memory large = {.limit = 0x100000, .cells = {{0x100c, 0x802087}}};
    struct fl_cpu cpu = cpu_4level;
    struct fl_arch_result r = walk(&cpu, &giant, VA, FL_USER, FL_READ);

    CHECK_EQ(r.page_shift, 30, "Page1GB");
    CHECK_EQ(r.level, 3, "Page1GB");
    cpu.page1gb = false; /* SDM 4.5.4: PS of a PDPTE is reserved then */
    r = walk(&cpu, &giant, VA, FL_USER, FL_READ);
    CHECK_EQ(r.error_code, 0xd, "no Page1GB");
    CHECK_EQ(r.page_shift, 0, "no Page1GB");
    CHECK_EQ(r.level, 3, "no Page1GB");

    cpu = cpu_2level;
    r = walk(&cpu, &large, 0xc01234, FL_USER, FL_READ);
    CHECK_EQ(r.paddr, 0x100801234, "PSE-36");
    CHECK_EQ(r.page_shift, 22, "PSE-36");
    cpu.pse36 = false; /* SDM 4.3: bits 21:13 are reserved then */
    CHECK_EQ(walk(&cpu, &large, 0xc01234, FL_USER, FL_READ).error_code, 0xd, "no PSE-36");
    large.cells[0].value = 0x801087; /* PAT is not */
    CHECK_EQ(walk(&cpu, &large, 0xc01234, FL_USER, FL_READ).paddr, 0x801234, "no PSE-36");
    cpu.cr4 = 0; /* PS is ignored: the entry names a table at 801000, beyond memory */
    r = walk(&cpu, &large, 0xc01234, FL_USER, FL_READ);
    CHECK_EQ(r.kind, FL_ARCH_BUS, "CR4.PSE = 0");
    CHECK_EQ(r.level, 1, "the table that is missing is the page table");
}

static void test_missing_memory(void)
{
    struct memory m = {.limit = 0x3000, .cells = {{0x1008, 0x2007}, {0x2008, 0x3007}}};
    struct memory none = {.limit = 0};
    struct fl_arch_result r = walk(&cpu_4level, &m, VA, FL_USER, FL_WRITE);
    struct fl_cpu amd = cpu_pae;

    CHECK_EQ(r.kind, FL_ARCH_BUS, "the page directory lies beyond memory");
    CHECK_EQ(r.level, 2, "the page directory lies beyond memory");
    CHECK_EQ(r.error_code, 0, "only a #PF has one");
    CHECK_EQ(r.entry, 0, "no entry was read");
    CHECK_EQ(r.nmaybe, 2, "two entries were used");
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        static const struct fl_cpu *const cpus[] = {&cpu_2level, &cpu_pae, &cpu_4level, &cpu_5level};

        CHECK_EQ(walk(cpus[mode], &none, 0, FL_USER, FL_READ).kind, FL_ARCH_BUS, "mode %u without memory", mode);
        CHECK_EQ(none.reads, 1, "mode %u without memory", mode);
    }
    amd.vendor = FL_VENDOR_AMD;
    CHECK_EQ(walk(&amd, &none, 0, FL_USER, FL_READ).kind, FL_ARCH_BUS, "PAE on AMD without memory");
}

static void test_pae_load(void)
{
    struct memory m = {.limit = 0x100000,
                       .cells = {{0x1020, 0x2001}, {0x2000, 0x3007}, {0x3000, 0x5007}, {0x1038, 0x9003}}};
    struct fl_cpu cpu = cpu_pae;
    struct fl_arch_result r = walk(&cpu, &m, 0x123, FL_USER, FL_READ);

    CHECK_EQ(r.kind, FL_ARCH_GP, "the fourth PDPTE has a reserved bit");
    CHECK_EQ(r.entry, 0x9003, "the PDPTE that cannot be loaded");
    CHECK_EQ(m.reads, 4, "all four are loaded");
    m.cells[3].value = 0;
    r = walk(&cpu, &m, 0x123, FL_USER, FL_READ);
    CHECK_EQ(r.paddr, 0x5123, "PAE");
    CHECK_EQ(m.reads, 6, "four PDPTEs, PDE, PTE");
    CHECK_EQ(r.nwrites, 2, "a PDPTE has no accessed bit");
    CHECK(r.user && r.writable, "a PDPTE has no rights");
    cpu.vendor = FL_VENDOR_AMD;
    r = walk(&cpu, &m, 0x123, FL_USER, FL_READ);
    CHECK_EQ(r.paddr, 0x5123, "PAE on AMD");
    CHECK_EQ(m.reads, 3, "one PDPTE, PDE, PTE");
}

/* Outside 64-bit mode linear addresses have 32 bits and wrap: SDM vol. 1, 3.3.1. */
static void test_32_bit_addresses(void)
{
    struct memory m = {.limit = 0x100000, .cells = {{0x100c, 0x2007}, {0x2004, 0x5007}}};

    CHECK_EQ(walk(&cpu_2level, &m, 0x100c01234, FL_USER, FL_READ).paddr, 0x5234, "4 GiB + c01234");
    CHECK_EQ(walk(&cpu_2level, &m, 0xffffffff00c01234, FL_USER, FL_READ).paddr, 0x5234, "sign-extended");
}

/* SDM vol. 1, 3.3.7.1:   0 ... 2^(n-1)-1 | not canonical | 2^64-2^(n-1) ... 2^64-1   n = 48 or 57 */
static void test_canonical(void)
{
    static const struct {
        unsigned mode;
        uint64_t va;
        bool canonical;
    } rows[] = {
        {FL_MODE_4LEVEL, 0, true},
        {FL_MODE_4LEVEL, 0x00007fffffffffff, true},
        {FL_MODE_4LEVEL, 0x0000800000000000, false},
        {FL_MODE_4LEVEL, 0x8000000000000000, false},
        {FL_MODE_4LEVEL, 0xffff7fffffffffff, false},
        {FL_MODE_4LEVEL, 0xffff800000000000, true},
        {FL_MODE_4LEVEL, 0xffffffffffffffff, true},
        {FL_MODE_5LEVEL, 0x0000800000000000, true},
        {FL_MODE_5LEVEL, 0x00ffffffffffffff, true},
        {FL_MODE_5LEVEL, 0x0100000000000000, false},
        {FL_MODE_5LEVEL, 0xfeffffffffffffff, false},
        {FL_MODE_5LEVEL, 0xff00000000000000, true},
        {FL_MODE_5LEVEL, 0xffff7fffffffffff, true},
    };

    for (unsigned i = 0; i < NELEMS(rows); i++) {
        struct memory m = {.limit = 0x100000};
        struct fl_arch_result r =
            walk(rows[i].mode == FL_MODE_4LEVEL ? &cpu_4level : &cpu_5level, &m, rows[i].va, FL_SUPERVISOR, FL_READ);

        CHECK_EQ(r.kind, rows[i].canonical ? FL_ARCH_PF : FL_ARCH_GP, "va %#" PRIx64, rows[i].va);
        CHECK_EQ(m.reads, rows[i].canonical, "no table is read for an address that is not canonical");
        CHECK_EQ(r.level, rows[i].canonical ? (rows[i].mode == FL_MODE_4LEVEL ? 4 : 5) : 0, "va %#" PRIx64, rows[i].va);
    }
}

static void test_bad_input(void)
{
    struct memory m = {.limit = 0x100000};
    struct fl_access a = {.va = 0};
    struct fl_arch_result r, untouched;
    struct fl_cpu cpu;

    memset(&r, 0xa5, sizeof r);
    untouched = r;
    CHECK_EQ(fl_arch_walk(NULL, &a, read_cell, &m, &r), FL_INVALID, "cpu");
    CHECK_EQ(fl_arch_walk(&cpu_4level, NULL, read_cell, &m, &r), FL_INVALID, "access");
    CHECK_EQ(fl_arch_walk(&cpu_4level, &a, NULL, &m, &r), FL_INVALID, "read");
    CHECK_EQ(fl_arch_walk(&cpu_4level, &a, read_cell, &m, NULL), FL_INVALID, "out");
    cpu = cpu_4level, cpu.mode = FL_MODE_COUNT;
    CHECK_EQ(fl_arch_walk(&cpu, &a, read_cell, &m, &r), FL_INVALID, "mode");
    cpu = cpu_4level, cpu.vendor = FL_VENDOR_COUNT;
    CHECK_EQ(fl_arch_walk(&cpu, &a, read_cell, &m, &r), FL_INVALID, "vendor");
    cpu = cpu_4level, cpu.maxphyaddr = 31;
    CHECK_EQ(fl_arch_walk(&cpu, &a, read_cell, &m, &r), FL_INVALID, "maxphyaddr");
    cpu = cpu_4level, cpu.maxphyaddr = 53;
    CHECK_EQ(fl_arch_walk(&cpu, &a, read_cell, &m, &r), FL_INVALID, "maxphyaddr");
    a.kind = FL_ACCESS_KIND_COUNT;
    CHECK_EQ(fl_arch_walk(&cpu_4level, &a, read_cell, &m, &r), FL_INVALID, "kind");
    a.kind = FL_READ, a.priv = FL_ACCESS_PRIV_COUNT;
    CHECK_EQ(fl_arch_walk(&cpu_4level, &a, read_cell, &m, &r), FL_INVALID, "priv");
    CHECK_EQ(memcmp(&r, &untouched, sizeof r), 0, "the result is untouched");
    CHECK_EQ(m.reads, 0, "nothing is read");
}

static void test_access_of(void)
{
    static const struct {
        uint64_t code;
        uint8_t kind, priv;
    } rows[] = {
        {0x00, FL_READ, FL_SUPERVISOR},  {0x01, FL_READ, FL_SUPERVISOR}, {0x02, FL_WRITE, FL_SUPERVISOR},
        {0x04, FL_READ, FL_USER},        {0x06, FL_WRITE, FL_USER},      {0x0d, FL_READ, FL_USER},
        {0x10, FL_FETCH, FL_SUPERVISOR}, {0x14, FL_FETCH, FL_USER},      {0x27, FL_WRITE, FL_USER},
        {0x8004, FL_READ, FL_USER},
    };

    for (unsigned i = 0; i < NELEMS(rows); i++) {
        struct fl_access a = fl_arch_access_of(0x1234, rows[i].code, i % 2);

        CHECK_EQ(a.va, 0x1234, "code %#" PRIx64, rows[i].code);
        CHECK_EQ(a.kind, rows[i].kind, "code %#" PRIx64, rows[i].code);
        CHECK_EQ(a.priv, rows[i].priv, "code %#" PRIx64, rows[i].code);
        CHECK_EQ(a.ac, i % 2, "code %#" PRIx64, rows[i].code);
    }
}

static void test_label(void)
{
    static const struct {
        uint64_t efer, cr4, cr2, code;
        bool ac, consistent;
    } rows[] = {
        {0xd00, 0x000020, VA, 0x05, 0, true}, /* user read of a supervisor page */
        {0xd00, 0x000020, VA, 0x07, 0, true},
        {0xd00, 0x000020, VA, 0x15, 0, true},
        {0xd00, 0x000020, VA, 0x04, 0, false},   /* it is present */
        {0xd00, 0x000020, VA, 0x01, 0, false},   /* the supervisor may read it */
        {0xd00, 0x000020, VA, 0x16, 0, false},   /* no access is both a write and a fetch */
        {0xd00, 0x000020, VA, 0x0d, 0, false},   /* no reserved bit is set */
        {0x500, 0x000020, VA, 0x15, 0, false},   /* I/D needs NX or SMEP */
        {0xd00, 0x000020, VA, 0x8005, 0, false}, /* this processor model has no SGX */
        {0xd00, 0x000020, VA, 0x100000005, 0, false},
        {0xd00, 0x000020, 0, 0x00, 0, true},               /* nothing mapped at 0 */
        {0xd00, 0x000020, UINT64_C(1) << 47, 0, 0, false}, /* not canonical: #GP */
        {0xd00, 0x000020, 0x8040202000, 0x01, 0, false},   /* user page: the supervisor may read it */
        {0xd00, 0x200020, 0x8040202000, 0x01, 0, true},    /* SMAP */
        {0xd00, 0x200020, 0x8040202000, 0x01, 1, true},    /* SMAP: an implicit access does not care for AC */
        {0x500, 0x000020, 0x8040203000, 0x0d, 0, true},    /* bit 63 is reserved */
        {0x500, 0x000020, 0x8040203000, 0x05, 0, false},
        {0xd00, 0x000020, 0x8040203000, 0x15, 0, true},
    };
    struct memory m = {.limit = 0x100000,
                       .cells = {{0x1008, 0x2007},
                                 {0x2008, 0x3007},
                                 {0x3008, 0x4007},
                                 {0x4008, 0x5003},
                                 {0x4010, 0x6007},
                                 {0x4018, 0x8000000000007007}}};
    struct memory none = {.limit = 0};
    enum fl_label label;

    for (unsigned i = 0; i < NELEMS(rows); i++) {
        struct fl_cpu cpu = cpu_4level;

        cpu.efer = rows[i].efer;
        cpu.cr4 = rows[i].cr4;
        CHECK_EQ(fl_arch_label(&cpu, rows[i].cr2, rows[i].code, rows[i].ac, read_cell, &m, &label), FL_OK, "row %u", i);
        CHECK_EQ(label, rows[i].consistent ? FL_LABEL_CONSISTENT : FL_LABEL_IMPOSSIBLE, "row %u", i);
    }
    CHECK_EQ(fl_arch_label(&cpu_4level, 0, 0, false, read_cell, &none, &label), FL_OK, "no memory");
    CHECK_EQ(label, FL_LABEL_IMPOSSIBLE, "no memory, no #PF");
    /* Without NX and SMEP a fetch looks like a read: a supervisor fetch denied by nothing, a user one by U/S. */
    CHECK_EQ(fl_arch_label(&cpu_2level, 0x123, 4, false, read_cell, &m, &label), FL_OK, "2level");
    CHECK_EQ(label, FL_LABEL_CONSISTENT, "2level");
    CHECK_EQ(fl_arch_label(&cpu_2level, 0x100000123, 4, false, read_cell, &m, &label), FL_OK, "2level");
    CHECK_EQ(label, FL_LABEL_IMPOSSIBLE, "CR2 of 33 bits outside IA-32e mode");
    CHECK_EQ(fl_arch_label(&cpu_4level, 0, 0, false, read_cell, &m, NULL), FL_INVALID, "label");
    CHECK_EQ(fl_arch_label(NULL, 0, 0, false, read_cell, &m, &label), FL_INVALID, "cpu");
}

static void test_names(void)
{
    static const char *const names[] = {"ok", "pf", "gp", "bus"};

    for (unsigned i = 0; i < FL_ARCH_KIND_COUNT; i++)
        CHECK(strcmp(fl_arch_kind_name((enum fl_arch_kind)i), names[i]) == 0, "kind %u", i);
}

int main(void)
{
    test_levels_and_updates();
    test_dirty_alone();
    test_denied_walk();
    test_pks_of_user_access();
    test_lacking_features();
    test_missing_memory();
    test_pae_load();
    test_32_bit_addresses();
    test_canonical();
    test_bad_input();
    test_access_of();
    test_label();
    test_names();
    return check_done("arch-rules");
}
