/* SPDX-License-Identifier: MIT */
/*
 * Which bits of a present entry are reserved, bit by bit, for every format and level: the tables of the manuals as rows.
 * Each of the 64 (32) bits is set alone in an otherwise good entry.
 */
#include "check.h"

#include <faultline/oracle/arch.h>

#define NELEMS(a) (sizeof(a) / sizeof(a)[0])
#define RANGE(h, l)                                                                                                    \
    {                                                                                                                  \
        h, l                                                                                                           \
    }
#define ANY FL_VENDOR_COUNT

struct row {
    const char *source;
    uint8_t mode;
    uint8_t vendor; /* ANY: both */
    uint8_t maxphyaddr;
    bool nxe, pse, pse36;
    uint8_t level;
    bool maps_page; /* PS = 1, or level 1 */
    struct {
        uint8_t high, low;
    } reserved[5]; /* 0:0 ends the list: bit 0 is P */
};

static const struct row rows[] = {
    {"SDM table 4-6", FL_MODE_2LEVEL, ANY, 36, true, true, true, 1, true, {{0}}},
    {"SDM table 4-5", FL_MODE_2LEVEL, ANY, 36, true, true, true, 2, false, {{0}}},
    {"SDM 4.3, CR4.PSE = 0", FL_MODE_2LEVEL, ANY, 36, true, false, true, 2, true, {{0}}},
    {"SDM table 4-4, M = 32", FL_MODE_2LEVEL, ANY, 32, true, true, true, 2, true, {RANGE(21, 13)}},
    {"SDM table 4-4, M = 36", FL_MODE_2LEVEL, ANY, 36, true, true, true, 2, true, {RANGE(21, 17)}},
    {"SDM table 4-4, M = 39", FL_MODE_2LEVEL, ANY, 39, true, true, true, 2, true, {RANGE(21, 20)}},
    {"SDM table 4-4, M = 40", FL_MODE_2LEVEL, ANY, 40, true, true, true, 2, true, {RANGE(21, 21)}},
    {"SDM table 4-4, M = 40 of 52", FL_MODE_2LEVEL, ANY, 52, true, true, true, 2, true, {RANGE(21, 21)}},
    {"SDM 4.3, no PSE-36", FL_MODE_2LEVEL, ANY, 40, true, true, false, 2, true, {RANGE(21, 13)}},

    {"SDM table 4-8", FL_MODE_PAE, ANY, 36, true, false, true, 3, false, {RANGE(2, 1), RANGE(8, 5), RANGE(63, 36)}},
    {"SDM table 4-8", FL_MODE_PAE, ANY, 52, false, true, true, 3, false, {RANGE(2, 1), RANGE(8, 5), RANGE(63, 52)}},
    {"SDM table 4-10", FL_MODE_PAE, ANY, 36, true, false, true, 2, false, {RANGE(62, 36)}},
    {"SDM table 4-10, NXE = 0", FL_MODE_PAE, ANY, 52, false, false, true, 2, false, {RANGE(63, 52)}},
    {"SDM table 4-9", FL_MODE_PAE, ANY, 40, true, false, true, 2, true, {RANGE(20, 13), RANGE(62, 40)}},
    {"SDM table 4-11", FL_MODE_PAE, ANY, 52, true, false, true, 1, true, {RANGE(62, 52)}},
    {"SDM table 4-11, NXE = 0", FL_MODE_PAE, ANY, 40, false, false, true, 1, true, {RANGE(63, 40)}},

    {"SDM table 4-15", FL_MODE_4LEVEL, FL_VENDOR_INTEL, 40, true, false, true, 4, false, {RANGE(7, 7), RANGE(51, 40)}},
    {"APM 5.3.3", FL_MODE_4LEVEL, FL_VENDOR_AMD, 40, true, false, true, 4, false, {RANGE(8, 7), RANGE(51, 40)}},
    {"SDM table 4-17", FL_MODE_4LEVEL, ANY, 40, true, false, true, 3, false, {RANGE(51, 40)}},
    {"SDM table 4-16", FL_MODE_4LEVEL, ANY, 46, true, false, true, 3, true, {RANGE(29, 13), RANGE(51, 46)}},
    {"SDM table 4-19", FL_MODE_4LEVEL, ANY, 39, true, false, true, 2, false, {RANGE(51, 39)}},
    {"SDM table 4-18", FL_MODE_4LEVEL, ANY, 40, true, false, true, 2, true, {RANGE(20, 13), RANGE(51, 40)}},
    {"SDM table 4-20", FL_MODE_4LEVEL, ANY, 40, true, false, true, 1, true, {RANGE(51, 40)}},
    {"SDM table 4-20, M = 52", FL_MODE_4LEVEL, ANY, 52, true, false, true, 1, true, {{0}}},
    {"SDM table 4-20, NXE = 0", FL_MODE_4LEVEL, ANY, 32, false, false, true, 1, true, {RANGE(51, 32), RANGE(63, 63)}},
    {"SDM table 4-15, NXE = 0",
     FL_MODE_4LEVEL,
     FL_VENDOR_INTEL,
     52,
     false,
     false,
     true,
     4,
     false,
     {RANGE(7, 7), RANGE(63, 63)}},

    {"SDM table 4-14", FL_MODE_5LEVEL, FL_VENDOR_INTEL, 48, true, false, true, 5, false, {RANGE(7, 7), RANGE(51, 48)}},
    {"APM 5.3.3", FL_MODE_5LEVEL, FL_VENDOR_AMD, 48, true, false, true, 5, false, {RANGE(8, 7), RANGE(51, 48)}},
    {"SDM table 4-15", FL_MODE_5LEVEL, FL_VENDOR_INTEL, 52, true, false, true, 4, false, {RANGE(7, 7)}},
    {"APM 5.3.3", FL_MODE_5LEVEL, FL_VENDOR_AMD, 52, true, false, true, 4, false, {RANGE(8, 7)}},
    {"SDM table 4-16", FL_MODE_5LEVEL, ANY, 52, false, false, true, 3, true, {RANGE(29, 13), RANGE(63, 63)}},
    {"SDM table 4-20", FL_MODE_5LEVEL, ANY, 51, true, false, true, 1, true, {RANGE(51, 51)}},
};

static uint64_t tables[6]; /* entry 0 of the table at level * 4 KiB; every other entry is 0 */

static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    (void)ctx;
    (void)size;
    *value = paddr % 4096 == 0 && paddr / 4096 <= 5 ? tables[paddr / 4096] : 0;
    return true;
}

static bool listed(const struct row *r, unsigned bit)
{
    for (unsigned i = 0; i < NELEMS(r->reserved) && r->reserved[i].high; i++) {
        if (bit <= r->reserved[i].high && bit >= r->reserved[i].low)
            return true;
    }
    return false;
}

static void test_row(const struct row *r, unsigned vendor)
{
    static const unsigned roots[FL_MODE_COUNT] = {2, 3, 4, 5};
    struct fl_cpu cpu = {.mode = r->mode,
                         .vendor = (uint8_t)vendor,
                         .family = 6,
                         .maxphyaddr = r->maxphyaddr,
                         .pse36 = r->pse36,
                         .page1gb = true,
                         .cr0 = 0x80010001,
                         .cr3 = roots[r->mode] * 4096u,
                         .cr4 = r->pse ? 0x10 : 0,
                         .efer = r->nxe ? 0x800 : 0};
    struct fl_access a = {.va = 0x10, .kind = FL_READ, .priv = FL_SUPERVISOR};

    for (unsigned bit = 1; bit < (r->mode == FL_MODE_2LEVEL ? 32u : 64u); bit++) {
        bool gp = r->mode == FL_MODE_PAE && r->level == 3 && vendor == FL_VENDOR_INTEL;
        struct fl_arch_result got;

        if (bit == 7 && !listed(r, 7))
            continue; /* PS makes another kind of entry of this one: another row; PAT of a PTE: walk vectors */
        for (unsigned n = roots[r->mode]; n >= 1; n--)
            tables[n] = (n - 1) * 4096u | (r->mode == FL_MODE_PAE && n == 3 ? 1 : 7);
        if (r->maps_page && r->level > 1)
            tables[r->level] = 0x87;
        tables[r->level] |= UINT64_C(1) << bit;
        CHECK_EQ(fl_arch_walk(&cpu, &a, read_entry, NULL, &got), FL_OK, "%s bit %u", r->source, bit);
        if (listed(r, bit)) {
            CHECK_EQ(got.kind, gp ? FL_ARCH_GP : FL_ARCH_PF, "%s bit %u", r->source, bit);
            CHECK_EQ(got.error_code, gp ? 0 : 9, "%s bit %u", r->source, bit);
            CHECK_EQ(got.level, r->level, "%s bit %u", r->source, bit);
            tables[r->level] &= ~UINT64_C(1); /* reserved bits are not looked at where P = 0: SDM 4.7 */
            CHECK_EQ(fl_arch_walk(&cpu, &a, read_entry, NULL, &got), FL_OK, "%s bit %u", r->source, bit);
            CHECK_EQ(got.kind, FL_ARCH_PF, "%s bit %u, P = 0", r->source, bit);
            CHECK_EQ(got.error_code, 0, "%s bit %u, P = 0", r->source, bit);
        } else {
            /* It permits, or as part of an address leads to a table of zeros. */
            CHECK(got.kind == FL_ARCH_OK || (got.kind == FL_ARCH_PF && got.error_code == 0),
                  "%s bit %u: kind %u code %#x", r->source, bit, got.kind, got.error_code);
        }
    }
}

int main(void)
{
    for (unsigned i = 0; i < NELEMS(rows); i++) {
        for (unsigned vendor = 0; vendor < FL_VENDOR_COUNT; vendor++) {
            if (rows[i].vendor == ANY || rows[i].vendor == vendor)
                test_row(&rows[i], vendor);
        }
    }
    return check_done("arch-reserved");
}
