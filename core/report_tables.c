/* SPDX-License-Identifier: MIT */
#include "report_tables.h"

#include "x86.h"

#define ADDRESS_BITS X86_BITS(51, 12) /* of an 8-byte entry, and of CR3 in IA-32e modes */

/* CR3 of a 32-bit kernel is 32 bits wide; the four PDPTEs of PAE are aligned to their own size. */
#define ROOT_2LEVEL X86_BITS(31, 12)
#define ROOT_PAE    X86_BITS(31, 5)
#define ROOT_64     ADDRESS_BITS

/* One level of the tables as a report names it. */
struct row {
    const char *label;
    uint8_t shift, index_bits; /* of the linear address */
    bool large;                /* PS makes an entry a large page */
};

static const struct row rows_2level[] = {{"*pde = ", 22, 10, true}, {"*pte = ", 12, 10, false}};
static const struct row rows_pae[] = {{"*pdpt = ", 30, 2, false}, {"*pde = ", 21, 9, true}, {"*pte = ", 12, 9, false}};
static const struct row rows_4level[] = {
    {"PGD ", 39, 9, false}, {"PUD ", 30, 9, true}, {"PMD ", 21, 9, true}, {"PTE ", 12, 9, false}};
static const struct row rows_5level[] = {{"PGD ", 48, 9, false},
                                         {"P4D ", 39, 9, false},
                                         {"PUD ", 30, 9, true},
                                         {"PMD ", 21, 9, true},
                                         {"PTE ", 12, 9, false}};

#define ROWS(rows) ((unsigned)(sizeof(rows) / sizeof *(rows)))

static bool read_row(const struct fl_ops *ops, void *ctx, const struct row *row, uint64_t table, unsigned size,
                     uint64_t va, uint64_t *entry)
{
    uint64_t index = va >> row->shift & (X86_BIT(row->index_bits) - 1);

    return ops->read_entry(ctx, table + index * size, size, entry);
}

static bool names_table(const struct row *row, uint64_t entry)
{
    return (entry & X86_PTE_P) && !(row->large && (entry & X86_PTE_PS));
}

void core_report_tables_64(struct text *t, const struct fl_fault *fault)
{
    bool five = fault->cpu.mode == FL_MODE_5LEVEL;
    const struct row *rows = five ? rows_5level : rows_4level;
    unsigned last = (five ? ROWS(rows_5level) : ROWS(rows_4level)) - 1;
    uint64_t table = fault->cpu.cr3 & ROOT_64;

    for (unsigned i = 0;; i++) {
        uint64_t entry;

        if (!read_row(t->ops, t->ctx, &rows[i], table, 8, fault->cr2, &entry)) {
            core_text_string(t, "BAD\n");
            return;
        }
        core_text_bounded(t, rows[i].label, SIZE_MAX);
        core_text_hex(t, entry, 1);
        if (i == last)
            break;
        core_text_string(t, " ");
        if (!names_table(&rows[i], entry))
            break;
        table = entry & ADDRESS_BITS;
    }
    core_text_string(t, "\n");
}

void core_report_tables_32(struct text *t, const struct fl_fault *fault)
{
    bool pae = fault->cpu.mode == FL_MODE_PAE;
    const struct row *rows = pae ? rows_pae : rows_2level;
    unsigned last = (pae ? ROWS(rows_pae) : ROWS(rows_2level)) - 1;
    unsigned size = pae ? 8 : 4;
    uint64_t table = fault->cpu.cr3 & (pae ? ROOT_PAE : ROOT_2LEVEL);

    for (unsigned i = 0; i <= last; i++) {
        uint64_t entry;

        if (!read_row(t->ops, t->ctx, &rows[i], table, size, fault->cr2, &entry))
            break;
        core_text_bounded(t, rows[i].label, SIZE_MAX);
        core_text_hex(t, entry, 2 * size);
        core_text_string(t, " ");
        /* NX of a directory entry is no part of the frame; that of a PDPTE (reserved there) makes it a high one. */
        if (rows[i].large)
            entry &= ~X86_PTE_NX;
        if (entry >> X86_PAGE_SHIFT >= fault->kernel.low_frames || !names_table(&rows[i], entry))
            break;
        table = entry & ADDRESS_BITS;
    }
    core_text_string(t, "\n");
}

bool core_report_leaf_nx(const struct fl_ops *ops, void *ctx, const struct fl_fault *fault)
{
    uint64_t table = fault->cpu.cr3 & ROOT_PAE;
    uint64_t entry = 0;

    if (!(fault->cpu.efer & X86_EFER_NXE))
        return false;
    for (unsigned i = 0; i < ROWS(rows_pae); i++) {
        if (!read_row(ops, ctx, &rows_pae[i], table, 8, fault->cr2, &entry) || !(entry & X86_PTE_P))
            return false;
        if (!names_table(&rows_pae[i], entry))
            break;
        table = entry & ADDRESS_BITS;
    }
    return entry & X86_PTE_NX;
}
