/* SPDX-License-Identifier: MIT */
/*
 * What reports show of the page tables: entries read one after the other, as a person would follow them, without the
 * processor's checks. Formats: Linux arch/x86/mm/fault.c of 2.6.25 (2008) for 32-bit kernels, fault_64.c
 * dump_pagetable of 2.6.24 (2008) for 64-bit ones.
 */
#include "message_table.h"

#include <inttypes.h>

/* Entries: Intel SDM vol. 3A, 4.3 to 4.5. */
static const uint64_t PRESENT = UINT64_C(1) << 0, LARGE = UINT64_C(1) << 7, NO_EXECUTE = UINT64_C(1) << 63,
                      TABLE_BITS = UINT64_C(0x000ffffffffff000), /* bits 51:12 */
    EFER_NXE = UINT64_C(1) << 11;

enum { MAX_ENTRIES = 5 };

struct entry {
    uint64_t paddr, value;
};

/* The entries on the way. cut: there is no memory where the one after them (at next) should be. */
struct trail {
    struct entry entry[MAX_ENTRIES];
    unsigned n;
    bool cut;
    uint64_t next;
};

/* Memory as it is when the report is made: after the synchronisation that was tried first. */
static bool read_entry(const struct fl_snapshot *s, const struct fl_expected *e, struct trail *t, uint64_t paddr,
                       unsigned size)
{
    uint64_t value;
    if (!s->read(s->ctx, paddr, size, &value)) {
        t->cut = true;
        t->next = paddr;
        return false;
    }
    for (unsigned i = 0; e->synced && i < e->sync.nwrites; i++) {
        const struct fl_entry_write *w = &e->sync.write[i];
        bool queued = w->how != FL_SET_PLAIN && s->lazy_mmu && !e->sync.flush;
        if (!queued && w->paddr == paddr && w->size == size)
            value = w->value;
    }
    t->entry[t->n++] = (struct entry){paddr, value};
    return true;
}

static uint64_t last(const struct trail *t)
{
    return t->entry[t->n - 1].value;
}

/* The kernel reaches a table through its fixed mapping, if it has one. */
static bool can_follow(const struct fl_snapshot *s, uint64_t value)
{
    return (value >> 12) < s->kernel.low_frames && (value & PRESENT) != 0;
}

static void follow_2level(const struct fl_snapshot *s, const struct fl_expected *e, struct trail *t)
{
    uint32_t address = (uint32_t)s->cr2, cr3 = (uint32_t)s->cpu.cr3;
    if (!read_entry(s, e, t, (cr3 & 0xfffff000) + (address >> 22) * 4, 4))
        return;
    uint64_t pde = last(t);
    if (can_follow(s, pde) && !(pde & LARGE))
        read_entry(s, e, t, (pde & TABLE_BITS) + (address >> 12 & 1023) * 4, 4);
}

static void follow_pae(const struct fl_snapshot *s, const struct fl_expected *e, struct trail *t)
{
    uint32_t address = (uint32_t)s->cr2, cr3 = (uint32_t)s->cpu.cr3;
    if (!read_entry(s, e, t, (cr3 & 0xffffffe0) + (address >> 30) * 8, 8) || !can_follow(s, last(t)) ||
        !read_entry(s, e, t, (last(t) & TABLE_BITS) + (address >> 21 & 511) * 8, 8))
        return;
    uint64_t pde = last(t) & ~NO_EXECUTE;
    if (can_follow(s, pde) && !(pde & LARGE))
        read_entry(s, e, t, (pde & TABLE_BITS) + (address >> 12 & 511) * 8, 8);
}

static void follow_wide(const struct fl_snapshot *s, const struct fl_expected *e, struct trail *t)
{
    uint64_t table = s->cpu.cr3 & TABLE_BITS;
    for (unsigned level = s->cpu.mode == FL_MODE_5LEVEL ? 5 : 4; level > 0; level--) {
        if (!read_entry(s, e, t, table + (s->cr2 >> (12 + 9 * (level - 1)) & 511) * 8, 8))
            return;
        /* Large pages: of 1 GiB and of 2 MiB. */
        if (!(last(t) & PRESENT) || (level <= 3 && (last(t) & LARGE)))
            return;
        table = last(t) & TABLE_BITS;
    }
}

static void follow(const struct fl_snapshot *s, const struct fl_expected *e, struct trail *t)
{
    t->n = 0;
    t->cut = false;
    if (s->kernel.word == 8)
        follow_wide(s, e, t);
    else if (s->cpu.mode == FL_MODE_2LEVEL)
        follow_2level(s, e, t);
    else
        follow_pae(s, e, t);
}

void fl_message_table(const struct fl_snapshot *s, struct fl_expected *e)
{
    static const char *const five[] = {"PGD", "P4D", "PUD", "PMD", "PTE"}, *const four[] = {"PGD", "PUD", "PMD", "PTE"},
                             *const pae[] = {"pdpt", "pde", "pte"}, *const two[] = {"pde", "pte"};
    struct trail t;
    follow(s, e, &t);
    for (unsigned i = 0; i < t.n; i++) {
        uint64_t value = t.entry[i].value;
        if (s->kernel.word == 8) {
            bool pte = i == (s->cpu.mode == FL_MODE_5LEVEL ? 4 : 3); /* nothing follows it, not even a space */
            fl_message_append(e, pte ? "%s %" PRIx64 : "%s %" PRIx64 " ",
                              s->cpu.mode == FL_MODE_5LEVEL ? five[i] : four[i], value);
        } else if (s->cpu.mode == FL_MODE_2LEVEL) {
            fl_message_append(e, "*%s = %08" PRIx64 " ", two[i], value);
        } else {
            fl_message_append(e, "*%s = %016" PRIx64 " ", pae[i], value);
        }
    }
    fl_message_append(e, "%s", t.cut && s->kernel.word == 8 ? "BAD\n" : "\n");
}

/* lookup_address() of 2.6.25: every table can be read, wherever it lies. */
static bool find_leaf(const struct fl_snapshot *s, const struct fl_expected *e, struct trail *t)
{
    uint32_t address = (uint32_t)s->cr2, cr3 = (uint32_t)s->cpu.cr3;
    t->n = 0;
    t->cut = false;
    if (!read_entry(s, e, t, (cr3 & 0xffffffe0) + (address >> 30) * 8, 8) || !(last(t) & PRESENT) ||
        !read_entry(s, e, t, (last(t) & TABLE_BITS) + (address >> 21 & 511) * 8, 8) || !(last(t) & PRESENT))
        return false;
    if (last(t) & LARGE)
        return true;
    return read_entry(s, e, t, (last(t) & TABLE_BITS) + (address >> 12 & 511) * 8, 8) && (last(t) & PRESENT);
}

bool fl_message_leaf_is_nx(const struct fl_snapshot *s, const struct fl_expected *e)
{
    struct trail t;
    return (s->cpu.efer & EFER_NXE) && find_leaf(s, e, &t) && (last(&t) & NO_EXECUTE);
}

static bool passes(const struct trail *t, uint64_t paddr)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->entry[i].paddr == paddr)
            return true;
    return t->cut && t->next == paddr;
}

bool fl_message_reads(const struct fl_snapshot *s, const struct fl_expected *e, uint64_t paddr)
{
    struct trail t;
    follow(s, e, &t);
    if (passes(&t, paddr))
        return true;
    if (s->kernel.word != 4 || s->cpu.mode != FL_MODE_PAE)
        return false;
    find_leaf(s, e, &t);
    return passes(&t, paddr);
}
