/* SPDX-License-Identifier: MIT */
#include "state.h"
#include "paging.h"

/* Intel SDM vol. 3A, figures 4-2 to 4-11: how an address is cut, from the leaf (level 1) up. */
struct format {
    uint8_t levels, entry_size, index_bits, top_index_bits;
    uint8_t address_bits; /* of a linear address */
    uint8_t max_leaf;     /* highest level that the format lets be a leaf */
    uint64_t addr;
};

static const struct format formats[FL_MODE_COUNT] = {
    [FL_MODE_2LEVEL] = {2, 4, 10, 10, 32, 2, E_ADDR_32},
    [FL_MODE_PAE] = {3, 8, 9, 2, 32, 2, E_ADDR_64},
    [FL_MODE_4LEVEL] = {4, 8, 9, 9, 48, 3, E_ADDR_64},
    [FL_MODE_5LEVEL] = {5, 8, 9, 9, 57, 3, E_ADDR_64},
};

/* Not page aligned in PAE mode: a PDPT is 32-byte aligned, and a reader that drops CR3[11:5] reads zeros. */
#define PAE_ROOT_OFFSET 0x560u

static const struct format *format_of(const struct fl_world *w)
{
    return &formats[w->cpu.mode];
}

static bool is_pae_pdpte(const struct fl_world *w, unsigned level)
{
    return w->cpu.mode == FL_MODE_PAE && level == 3;
}

static bool has_xd(const struct fl_world *w)
{
    return w->cpu.mode != FL_MODE_2LEVEL && (w->cpu.efer & EFER_NXE);
}

unsigned tables_levels(const struct fl_world *w)
{
    return format_of(w)->levels;
}

unsigned tables_entry_size(const struct fl_world *w)
{
    return format_of(w)->entry_size;
}

uint64_t tables_root(uint8_t mode, unsigned frame)
{
    return (uint64_t)frame * PAGE_SIZE + (mode == FL_MODE_PAE ? PAE_ROOT_OFFSET : 0);
}

static uint64_t entry_at(const struct format *f, uint64_t table, unsigned level, uint64_t va)
{
    unsigned shift = PAGE_SHIFT + f->index_bits * (level - 1);
    unsigned bits = level == f->levels ? f->top_index_bits : f->index_bits;
    return table + (va >> shift & (BIT(bits) - 1)) * f->entry_size;
}

uint64_t tables_entry_at(const struct fl_world *w, uint64_t table, unsigned level, uint64_t va)
{
    return entry_at(format_of(w), table, level, va);
}

unsigned tables_level_shift(const struct fl_world *w, unsigned level)
{
    return PAGE_SHIFT + format_of(w)->index_bits * (level - 1);
}

uint64_t tables_address(const struct fl_world *w, uint64_t entry)
{
    return entry & format_of(w)->addr;
}

/* Does a present entry of that level map a page? Without CR4.PSE the bit is ignored in 32-bit paging. */
bool tables_is_leaf(const struct fl_world *w, unsigned level, uint64_t entry)
{
    if (level == 1)
        return true;
    if (!(entry & E_LARGE) || level > format_of(w)->max_leaf)
        return false;
    return w->cpu.mode != FL_MODE_2LEVEL || (w->cpu.cr4 & CR4_PSE);
}

uint64_t tables_table_entry(const struct fl_world *w, unsigned level, unsigned frame)
{
    uint64_t entry = (uint64_t)frame << PAGE_SHIFT | E_PRESENT;
    return is_pae_pdpte(w, level) ? entry : entry | E_WRITE | E_USER;
}

unsigned tables_clamp_leaf(const struct fl_world *w, unsigned level)
{
    unsigned most = format_of(w)->max_leaf;
    if (w->cpu.mode == FL_MODE_2LEVEL && !(w->cpu.cr4 & CR4_PSE))
        most = 1;
    return level > most ? most : level;
}

unsigned tables_leaf_frames(const struct fl_world *w, unsigned level)
{
    return 1u << format_of(w)->index_bits * (level - 1);
}

uint64_t tables_leaf_entry(const struct fl_world *w, unsigned level, unsigned frame, const struct leaf_bits *b)
{
    uint64_t e = (uint64_t)frame << PAGE_SHIFT;

    e |= (b->present ? E_PRESENT : 0) | (b->write ? E_WRITE : 0) | (b->user ? E_USER : 0);
    e |= (b->accessed ? E_ACCESSED : 0) | (b->dirty ? E_DIRTY : 0) | (b->global ? E_GLOBAL : 0);
    if (level > 1)
        e |= E_LARGE | (b->pat ? E_PAT_LARGE : 0);
    else
        e |= b->pat ? E_PAT_PTE : 0;
    if (b->no_exec && has_xd(w))
        e |= E_XD;
    if (w->cpu.mode == FL_MODE_4LEVEL || w->cpu.mode == FL_MODE_5LEVEL)
        e |= (uint64_t)(b->pkey & 15) << E_PKEY_SHIFT;
    return e;
}

enum fl_status tables_path(struct fl_world *w, uint64_t va, unsigned level, uint64_t *paddr)
{
    const struct format *f = format_of(w);
    uint64_t at = entry_at(f, w->cpu.cr3, f->levels, va);

    for (unsigned l = f->levels; l > level; l--) {
        uint64_t entry = ram_get(w, at, f->entry_size), table = entry & f->addr;
        if (!(entry & E_PRESENT)) {
            if (frames_left(w) < l - level)
                return FL_NO_MEMORY; /* nothing was made: the rest of the path is new as well */
            unsigned frame = frame_alloc(w, (uint8_t)(l - 1));
            ram_put(w, at, f->entry_size, tables_table_entry(w, l, frame));
            table = (uint64_t)frame << PAGE_SHIFT;
        } else if (tables_is_leaf(w, l, entry) || table >= RAM_SIZE) {
            return FL_INVALID;
        }
        at = entry_at(f, table, l - 1, va);
    }
    *paddr = at;
    return FL_OK;
}

bool tables_dangerous(uint64_t before, uint64_t after)
{
    const uint64_t harmless = E_USER | E_PWT | E_PCD | E_ACCESSED | E_DIRTY | E_GLOBAL | E_SOFTWARE | E_XD;
    return (after & E_PRESENT) && ((before ^ after) & ~harmless);
}

/* Levels differ on the way down, so such a path never meets the same frame twice. */
bool tables_is_own(const struct fl_world *w, unsigned level, uint64_t entry)
{
    uint64_t frame = (entry & format_of(w)->addr) >> PAGE_SHIFT;
    uint64_t fine = E_PRESENT | E_WRITE | E_USER | E_PWT | E_PCD | E_ACCESSED | E_DIRTY | E_SOFTWARE | E_XD;

    if (!(entry & E_PRESENT) || frame >= FL_RAM_POOL_END || w->tag[frame] != level - 1)
        return false;
    if (is_pae_pdpte(w, level))
        return !(entry & E_PDPTE_PAE_OTHER);
    return !(entry & ~(fine | format_of(w)->addr));
}

unsigned tables_missing(const struct fl_world *w, uint64_t va)
{
    const struct format *f = format_of(w);
    uint64_t at = entry_at(f, w->root[0], f->levels, va);

    for (unsigned l = f->levels; l > 1; l--) {
        uint64_t entry = ram_get(w, at, f->entry_size);
        if (!tables_is_own(w, l, entry))
            return l - 1;
        at = entry_at(f, entry & f->addr, l - 1, va);
    }
    return 0;
}

uint64_t tables_force(struct fl_world *w, uint64_t va)
{
    const struct format *f = format_of(w);
    uint64_t at = entry_at(f, w->root[0], f->levels, va);

    for (unsigned l = f->levels; l > 1; l--) {
        uint64_t before = ram_get(w, at, f->entry_size), entry = before;
        if (!tables_is_own(w, l, entry)) {
            entry = tables_table_entry(w, l, frame_alloc(w, (uint8_t)(l - 1)));
        } else if (!is_pae_pdpte(w, l)) {
            entry = (entry | E_WRITE | E_USER) & ~E_XD;
        }
        if (entry != before)
            ram_put(w, at, f->entry_size, entry);
        at = entry_at(f, entry & f->addr, l - 1, va);
    }
    return at;
}

bool tables_find_pte(const struct fl_world *w, uint64_t va, uint64_t *paddr)
{
    const struct format *f = format_of(w);
    uint64_t at = entry_at(f, w->root[0], f->levels, va);

    for (unsigned l = f->levels; l > 1; l--) {
        uint64_t entry = ram_get(w, at, f->entry_size);
        if (!tables_is_own(w, l, entry))
            return false;
        at = entry_at(f, entry & f->addr, l - 1, va);
    }
    *paddr = at;
    return true;
}

bool tables_present(uint64_t pte)
{
    return pte & E_PRESENT;
}

bool tables_writable(uint64_t pte)
{
    return pte & E_WRITE;
}

bool tables_write_protect(const struct fl_world *w)
{
    return w->cpu.cr0 & CR0_WP;
}

unsigned tables_frame(const struct fl_world *w, uint64_t pte)
{
    uint64_t frame = (pte & format_of(w)->addr) >> PAGE_SHIFT;
    return frame < FL_RAM_FRAMES ? (unsigned)frame : FL_RAM_FRAMES;
}

uint64_t tables_keep_ad(uint64_t pte)
{
    return pte & (E_ACCESSED | E_DIRTY);
}

uint64_t tables_restrict(const struct fl_world *w, uint64_t pte, bool write, bool exec)
{
    if (!write)
        pte &= ~(uint64_t)E_WRITE;
    if (has_xd(w))
        pte = exec ? pte & ~E_XD : pte | E_XD;
    return pte;
}

/* Bits that a processor would refuse in a present entry, told for the sake of atomic accessors. */
static bool reserved_bits(const struct fl_world *w, unsigned level, uint64_t entry, bool leaf)
{
    bool ia32e = w->cpu.mode >= FL_MODE_4LEVEL;

    if (w->cpu.mode == FL_MODE_2LEVEL)
        return false; /* those of a 4 MiB page move its address out of RAM: see below */
    if (is_pae_pdpte(w, level))
        return entry & E_PDPTE_PAE_OTHER;
    if ((entry & E_XD) && !has_xd(w))
        return true;
    if (!ia32e && (entry & (UINT64_C(0x7ff) << 52)))
        return true;
    if (leaf && level == 3 && !w->cpu.page1gb)
        return true;
    /* PS is reserved above the PDPTE; AMD reserves bit 8 there as well (APM vol. 2, figure 5-21). */
    return level > 3 && (entry & (E_LARGE | (w->cpu.vendor == FL_VENDOR_AMD ? E_GLOBAL : 0)));
}

void tables_walk(const struct fl_world *w, uint64_t va, struct tables_walk *out)
{
    const struct format *f = format_of(w);
    uint64_t at = entry_at(f, w->cpu.cr3, f->levels, va);

    *out = (struct tables_walk){.user = true};
    if (f->address_bits == 32 ? va >> 32 != 0
                              : (uint64_t)((int64_t)(va << (64 - f->address_bits)) >> (64 - f->address_bits)) != va)
        return;
    for (unsigned l = f->levels; l >= 1; l--) {
        uint64_t entry = ram_get(w, at, f->entry_size), addr = entry & f->addr;
        if (!(entry & E_PRESENT))
            return;
        bool leaf = tables_is_leaf(w, l, entry);
        out->reserved |= reserved_bits(w, l, entry, leaf);
        if (!is_pae_pdpte(w, l))
            out->user &= (entry & E_USER) != 0;
        if (leaf) {
            uint64_t size = (uint64_t)tables_leaf_frames(w, l) << PAGE_SHIFT;
            uint64_t low = addr & (size - 1);
            if (f->entry_size == 4 && l == 2 && (low & E_HIGH_4M))
                addr = RAM_SIZE; /* high address bits or a reserved one: not in RAM in either reading */
            else if (l > 1 && (low & ~(uint64_t)E_PAT_LARGE))
                out->reserved = true;
            out->paddr = (addr & ~(size - 1)) | (va & (size - 1));
            out->mapped = true;
            return;
        }
        if (addr >= RAM_SIZE)
            return;
        at = entry_at(f, addr, l - 1, va);
    }
}
