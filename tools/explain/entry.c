/* SPDX-License-Identifier: MIT */
/*
 * Table entries by name. Intel SDM vol. 3A, tables 4-4 to 4-6 (32-bit), 4-8 to 4-11 (PAE), 4-14 to 4-20 (4- and 5-level);
 * AMD APM vol. 2, 5.2.3 and 5.3.3, where AMD differs. For display only: verdicts are the oracle's. Nothing here comes from
 * the core.
 */
#include "sections.h"

#include <inttypes.h>
#include <string.h>

#define BIT(n)     (UINT64_C(1) << (n))
#define BITS(h, l) ((~UINT64_C(0) >> (63 - (h))) & (~UINT64_C(0) << (l)))

#define P   BIT(0)
#define RW  BIT(1)
#define US  BIT(2)
#define PWT BIT(3)
#define PCD BIT(4)
#define A   BIT(5)
#define D   BIT(6)
#define PS  BIT(7)
#define G   BIT(8)
#define XD  BIT(63)

#define CR0_WP   BIT(16) /* SDM 2.5 */
#define CR4_PSE  BIT(4)
#define CR4_LA57 BIT(12)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define CR4_PKE  BIT(22)
#define CR4_PKS  BIT(24)
#define EFER_NXE BIT(11) /* SDM 2.2.1 */

static const struct entry_format formats[FL_MODE_COUNT] = {
    [FL_MODE_2LEVEL] = {2, 4, 10, {NULL, "PTE", "PDE"}},
    [FL_MODE_PAE] = {3, 8, 9, {NULL, "PTE", "PDE", "PDPTE"}},
    [FL_MODE_4LEVEL] = {4, 8, 9, {NULL, "PTE", "PDE", "PDPTE", "PML4E"}},
    [FL_MODE_5LEVEL] = {5, 8, 9, {NULL, "PTE", "PDE", "PDPTE", "PML4E", "PML5E"}},
};

const struct entry_format *entry_format(enum fl_mode mode)
{
    return &formats[mode < FL_MODE_COUNT ? mode : FL_MODE_4LEVEL];
}

unsigned entry_shift(enum fl_mode mode, unsigned level)
{
    return 12 + (level - 1) * entry_format(mode)->index_bits;
}

unsigned entry_count(enum fl_mode mode, unsigned level)
{
    return mode == FL_MODE_PAE && level == 3 ? 4 : 1u << entry_format(mode)->index_bits;
}

unsigned entry_index(enum fl_mode mode, unsigned level, uint64_t va)
{
    return (unsigned)(va >> entry_shift(mode, level)) & (entry_count(mode, level) - 1);
}

uint64_t entry_root(enum fl_mode mode, uint64_t cr3)
{
    return cr3 & (mode == FL_MODE_2LEVEL ? BITS(31, 12) : mode == FL_MODE_PAE ? BITS(31, 5) : BITS(51, 12));
}

bool entry_present(uint64_t entry)
{
    return entry & P;
}

bool entry_is_leaf(const struct fl_cpu *cpu, unsigned level, uint64_t entry)
{
    if (level == 1)
        return true;
    if (!(entry & PS) || level > 3 || (level == 3 && (cpu->mode == FL_MODE_PAE || !cpu->page1gb)))
        return false;
    return cpu->mode != FL_MODE_2LEVEL || (cpu->cr4 & CR4_PSE);
}

uint64_t entry_address(const struct fl_cpu *cpu, unsigned level, uint64_t entry)
{
    bool leaf = entry_is_leaf(cpu, level, entry);

    if (cpu->mode == FL_MODE_2LEVEL && leaf && level == 2) /* table 4-4: bits 20:13 are address bits 39:32 */
        return (entry & BITS(31, 22)) | (cpu->pse36 ? (entry & BITS(20, 13)) << 19 : 0);
    if (cpu->mode == FL_MODE_2LEVEL)
        return entry & BITS(31, 12);
    return entry & BITS(51, leaf ? entry_shift((enum fl_mode)cpu->mode, level) : 12);
}

uint64_t entry_reserved(const struct fl_cpu *cpu, unsigned level, uint64_t entry)
{
    bool leaf = entry_is_leaf(cpu, level, entry);
    uint64_t bits = 0;

    if (!(entry & P))
        return 0;
    if (cpu->mode == FL_MODE_2LEVEL) {
        unsigned width = cpu->maxphyaddr < 40 ? cpu->maxphyaddr : 40;

        if (leaf && level == 2)
            bits = cpu->pse36 ? BITS(21, width - 19) : BITS(21, 13);
        return entry & bits;
    }
    if (cpu->mode == FL_MODE_PAE && level == 3)
        return entry & (BITS(2, 1) | BITS(8, 5) | BITS(63, cpu->maxphyaddr));
    if (cpu->maxphyaddr < 52)
        bits |= BITS(51, cpu->maxphyaddr);
    if (cpu->mode == FL_MODE_PAE)
        bits |= BITS(62, 52);
    if (!(cpu->efer & EFER_NXE))
        bits |= XD;
    if (leaf && level > 1)
        bits |= BITS(entry_shift((enum fl_mode)cpu->mode, level) - 1, 13);
    if (level >= 4)
        bits |= PS | (cpu->vendor == FL_VENDOR_AMD ? G : 0);
    if (level == 3 && !cpu->page1gb)
        bits |= PS;
    return entry & bits;
}

bool entry_denies(const struct fl_cpu *cpu, unsigned level, uint64_t entry, const struct fl_access *a,
                  const char **what)
{
    if (!(entry & P) || (cpu->mode == FL_MODE_PAE && level == 3)) /* a PDPTE of PAE has no rights */
        return false;
    if (a->kind == FL_WRITE && !(entry & RW) && (a->priv == FL_USER || (cpu->cr0 & CR0_WP)))
        *what = "no writes";
    else if (a->priv == FL_USER && !(entry & US))
        *what = "no user accesses";
    else if (a->kind == FL_FETCH && (entry & XD) && (cpu->efer & EFER_NXE))
        *what = "no fetches";
    else
        return false;
    return true;
}

static void add(char *buf, size_t size, const char *word)
{
    size_t n = strlen(buf);

    snprintf(buf + n, size - n, "%s%s", n ? " " : "", word);
}

void entry_flags(const struct fl_cpu *cpu, unsigned level, uint64_t entry, char *buf, size_t size)
{
    bool leaf = entry_is_leaf(cpu, level, entry), bare = cpu->mode == FL_MODE_PAE && level == 3;
    const struct {
        uint64_t bit;
        bool means; /* something here */
        const char *name;
    } flags[] = {
        {P, true, "P"},
        {RW, !bare, "R/W"},
        {US, !bare, "U/S"},
        {PWT, true, "PWT"},
        {PCD, true, "PCD"},
        {A, !bare, "A"},
        {D, leaf, "D"},
        {PS, level == 1, "PAT"},
        {PS, level > 1 && !bare, "PS"},
        {G, leaf, "G"},
        {BIT(12), leaf && level > 1, "PAT"},
        {XD, cpu->mode != FL_MODE_2LEVEL && (cpu->efer & EFER_NXE), "NX"},
    };
    uint64_t reserved = entry_reserved(cpu, level, entry);
    char word[48];

    buf[0] = 0;
    if (!(entry & P)) {
        snprintf(buf, size, entry ? "not present, bits set" : "not present");
        return;
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if ((entry & flags[i].bit) && flags[i].means)
            add(buf, size, flags[i].name);
    if (leaf && cpu->mode >= FL_MODE_4LEVEL && (cpu->cr4 & (CR4_PKE | CR4_PKS) || entry >> 59 & 15)) {
        snprintf(word, sizeof word, "key %u", (unsigned)(entry >> 59) & 15);
        add(buf, size, word);
    }
    if (reserved) {
        snprintf(word, sizeof word, "RESERVED %#" PRIx64, reserved);
        add(buf, size, word);
    }
}

/* SH-4 software manual, 3.2 (PTEL); what the kernel of 2012 adds: arch/sh/include/asm/pgtable_32.h. */
void entry_flags_sh4(unsigned level, uint64_t entry, char *buf, size_t size)
{
    static const struct {
        unsigned bit;
        const char *name;
    } flags[] = {{0x100, "V"}, {0x20, "PR0"}, {0x40, "PR1"}, {0x8, "C"},          {0x4, "D"},
                 {0x2, "SH"},  {0x1, "WT"},   {0x80, "SZ1"}, {0x200, "PROTNONE"}, {0x400, "ACCESSED"}};

    buf[0] = 0;
    if (entry == 0)
        snprintf(buf, size, "none");
    else if (level == 2)
        snprintf(buf, size, "P1 address of a table");
    else
        for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
            if (entry & flags[i].bit)
                add(buf, size, flags[i].name);
}

/* SDM vol. 3A, 4.7, figure 4-12; SGX: bit 15; AMD APM vol. 2, 8.4.2: RMP: bit 31. */
void error_code_text(uint64_t code, char *buf, size_t size)
{
    static const struct {
        unsigned bit;
        const char *name;
    } bits[] = {{0, "P"},  {1, "W/R"}, {2, "U/S"},  {3, "RSVD"}, {4, "I/D"},
                {5, "PK"}, {6, "SS"},  {7, "HLAT"}, {15, "SGX"}, {31, "RMP"}};
    char word[32];

    buf[0] = 0;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (code >> bits[i].bit & 1) {
            add(buf, size, bits[i].name);
            code &= ~BIT(bits[i].bit);
        }
    if (code) {
        snprintf(word, sizeof word, "others %#" PRIx64, code);
        add(buf, size, word);
    }
    if (!buf[0])
        snprintf(buf, size, "no bit set");
}

const char *register_bits(const struct fl_cpu *cpu, char *buf, size_t size)
{
    const struct {
        uint64_t in, bit;
        const char *name;
    } bits[] = {{cpu->cr0, CR0_WP, "CR0.WP"},     {cpu->cr4, CR4_PSE, "CR4.PSE"},   {cpu->cr4, CR4_LA57, "CR4.LA57"},
                {cpu->cr4, CR4_SMEP, "CR4.SMEP"}, {cpu->cr4, CR4_SMAP, "CR4.SMAP"}, {cpu->cr4, CR4_PKE, "CR4.PKE"},
                {cpu->cr4, CR4_PKS, "CR4.PKS"},   {cpu->efer, EFER_NXE, "EFER.NXE"}};

    buf[0] = 0;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (bits[i].in & bits[i].bit)
            add(buf, size, bits[i].name);
    if (!(cpu->cr0 & CR0_WP))
        add(buf, size, "(CR0.WP is clear)");
    if (cpu->mode != FL_MODE_2LEVEL && !(cpu->efer & EFER_NXE))
        add(buf, size, "(EFER.NXE is clear)");
    return buf;
}
