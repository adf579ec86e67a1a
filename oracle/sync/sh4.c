/* SPDX-License-Identifier: MIT */
/*
 * The SH4 of 2012: what the synchronisation of one P3 address should do, and what the TLB miss handler finds. Two-level
 * tables of 1024 4-byte entries and 4 KiB pages (arch/sh/include/asm/pgtable_32.h and pgtable-2level.h 2012).
 */
#include "facts.h"

#define SH_PGDIR_SHIFT        22
#define SH_PTE_SHIFT          12
#define SH_INDEX(addr, shift) (((addr) >> (shift)) & 1023u)
/* First-level entries hold P1 addresses of tables: physical addresses of 29 bits with the P1 segment (0x80000000) added
 * (SH-4 hardware manual, 3.3: address space). PTEs hold physical page numbers, bits 28:12 (PTEL, 3.2). */
#define SH_FRAME BITS(28, 12)
/* PTEL.V, and the kernel's own mark of a page that is there but permits nothing. */
#define SH_PTE_VALID    BIT(8)
#define SH_PTE_PROTNONE BIT(9)

static bool read_slot(const struct fl_sync_memory *m, uint64_t table, uint64_t addr, uint64_t *value)
{
    return fl_sync_read(m, table + 4u * SH_INDEX(addr, SH_PGDIR_SHIFT), 4, value);
}

static bool read_pte(const struct fl_sync_memory *m, uint64_t slot, uint64_t addr, uint64_t *value)
{
    return fl_sync_read(m, (slot & SH_FRAME) + 4u * SH_INDEX(addr, SH_PTE_SHIFT), 4, value);
}

static uint64_t sh4_facts(const struct fl_sh4 *sh, uint64_t addr, struct fl_sync_memory *m, uint64_t *ref)
{
    uint64_t first = sh->fixed ? sh->p3_start : sh->vmalloc_start, facts = 0, dst, pte;

    if (addr >= first && addr < sh->p3_end)
        facts |= S_IN_RANGE;
    if (!read_slot(m, sh->reference, addr, ref))
        return facts | S_REF_SLOT_WILD;
    if (*ref == 0)
        return facts | S_REF_SLOT_NONE;
    if (!read_slot(m, sh->ttb, addr, &dst))
        return facts | S_DST_SLOT_WILD;
    if (((dst ^ *ref) & SH_FRAME) == 0)
        facts |= S_DST_FRAME;
    if (dst == 0) {
        facts |= S_DST_SLOT_NONE;
        m->written = sh->ttb + 4u * SH_INDEX(addr, SH_PGDIR_SHIFT);
        m->value = *ref;
    }
    if (!read_pte(m, *ref, addr, &pte))
        return facts | S_REF_1_WILD;
    return facts | (pte & (SH_PTE_VALID | SH_PTE_PROTNONE) ? S_REF_1_P : 0);
}

enum fl_status fl_sh4_decide(const struct fl_sh4 *sh, uint64_t addr, fl_read_fn read, void *ctx,
                             struct fl_sync_expected *out)
{
    struct fl_sync_memory m = {.read = read, .ctx = ctx, .written = FL_SYNC_NOWHERE};
    uint64_t facts, ref = 0;
    uint8_t verdict;
    size_t count;
    uint16_t row;

    if (!sh || !read || !out)
        return FL_INVALID;
    addr &= BITS(31, 0);
    facts = sh4_facts(sh, addr, &m, &ref);
    row = fl_sync_match(FL_GEN_COUNT, facts);
    if (row == FL_POLICY_NO_ROW)
        return FL_FAILED;
    verdict = fl_sync_rows(&count)[row].verdict;
    *out = (struct fl_sync_expected){.row = row, .end = verdict & SV_END};
    if ((verdict & SV_FILLED) && m.written != FL_SYNC_NOWHERE) {
        out->nwrites = 1;
        out->write[0] = (struct fl_entry_write){.paddr = m.written, .value = ref, .size = 4, .how = FL_SET_PLAIN};
    }
    return FL_OK;
}

bool fl_sh4_walk(const struct fl_sh4 *sh, uint64_t addr, fl_read_fn read, void *ctx, uint64_t *paddr)
{
    struct fl_sync_memory m = {.read = read, .ctx = ctx, .written = FL_SYNC_NOWHERE};
    uint64_t slot, pte;

    addr &= BITS(31, 0);
    if (!read_slot(&m, sh->ttb, addr, &slot) || slot == 0)
        return false;
    if (!read_pte(&m, slot, addr, &pte) || !(pte & SH_PTE_VALID))
        return false;
    *paddr = (pte & SH_FRAME) | (addr & BITS(11, 0));
    return true;
}
