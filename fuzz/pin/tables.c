/* SPDX-License-Identifier: MIT */
/*
 * Table memory and entries. Only the model writes here; it is zero between scenarios, and what differs is known by line.
 * The model's entries are plain: tables have all rights, leaves have what the area gives them.
 */
#define _DEFAULT_SOURCE
#include "state.h"

#include <sys/mman.h>

#define LINE      64u
#define LEAF_BITS 12u

bool tables_open(struct fl_pin_world *w)
{
    void *p = mmap(NULL, (size_t)TABLES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    w->ram = p == MAP_FAILED ? NULL : p;
    return w->ram != NULL;
}

void tables_close(struct fl_pin_world *w)
{
    if (w->ram)
        munmap(w->ram, (size_t)TABLES * PAGE_SIZE);
}

static void *walled(size_t size)
{
    char *p = mmap(NULL, size + PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p + size, PAGE_SIZE, PROT_NONE) != 0)
        return NULL;
    return p;
}

bool outputs_open(struct fl_pin_world *w)
{
    w->pfns = walled(FL_PIN_ROOM * sizeof *w->pfns);
    w->gens = walled(FL_PIN_ROOM * sizeof *w->gens);
    return w->pfns && w->gens;
}

void outputs_close(struct fl_pin_world *w)
{
    if (w->pfns)
        munmap(w->pfns, FL_PIN_ROOM * sizeof *w->pfns + PAGE_SIZE);
    if (w->gens)
        munmap(w->gens, FL_PIN_ROOM * sizeof *w->gens + PAGE_SIZE);
}

static void scrub(struct fl_pin_world *w, unsigned frame)
{
    for (uint64_t lines = w->table_lines[frame]; lines; lines &= lines - 1)
        memset(w->ram + (size_t)frame * PAGE_SIZE + (unsigned)__builtin_ctzll(lines) * LINE, 0, LINE);
    w->table_lines[frame] = 0;
}

void tables_reset(struct fl_pin_world *w)
{
    for (unsigned i = 0; i < w->ntable_list; i++) {
        unsigned frame = w->table_list[i];

        scrub(w, frame);
        w->table_level[frame] = 0;
    }
    w->ntable_list = w->ntables_free = 0;
    w->next_table = TABLE_FIRST;
}

void tables_copy(struct fl_pin_world *to, const struct fl_pin_world *from)
{
    tables_reset(to);
    for (unsigned i = 0; i < from->ntable_list; i++) {
        unsigned frame = from->table_list[i];

        for (uint64_t lines = from->table_lines[frame]; lines; lines &= lines - 1) {
            size_t at = (size_t)frame * PAGE_SIZE + (unsigned)__builtin_ctzll(lines) * LINE;

            memcpy(to->ram + at, from->ram + at, LINE);
        }
        to->table_level[frame] = from->table_level[frame];
        to->table_lines[frame] = from->table_lines[frame];
        to->table_list[i] = (uint16_t)frame;
    }
    to->ntable_list = from->ntable_list;
    to->next_table = from->next_table;
    to->ntables_free = from->ntables_free;
}

/* ---- what tables look like in each mode -------------------------------------------------------------------------- */

static unsigned index_bits(const struct fl_pin_world *w, unsigned level)
{
    if (w->space.cpu.mode == FL_MODE_2LEVEL)
        return 10;
    return w->space.cpu.mode == FL_MODE_PAE && level == 3 ? 2 : 9;
}

void entry_put(struct fl_pin_world *w, uint64_t paddr, uint64_t value)
{
    unsigned frame = (unsigned)(paddr >> PAGE_SHIFT);

    memcpy(w->ram + paddr, &value, entry_size(w));
    w->table_lines[frame] |= UINT64_C(1) << ((paddr & (PAGE_SIZE - 1)) / LINE);
    w->changed = true;
    if (w->nchanged_at < sizeof w->changed_at / sizeof w->changed_at[0])
        w->changed_at[w->nchanged_at++] = paddr;
    else
        w->changed_all = true;
}

bool tables_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct fl_pin_world *w = ctx;

    if (paddr > (uint64_t)TABLES * PAGE_SIZE - size || paddr & (size - 1))
        return false;
    *value = 0;
    memcpy(value, w->ram + paddr, size);
    return true;
}

unsigned table_alloc(struct fl_pin_world *w, unsigned level)
{
    unsigned frame = TABLE_NONE;

    for (unsigned i = 0; w->ntables_free && !frame; i++)
        if (w->table_level[w->table_list[i]] == 0)
            frame = w->table_list[i];
    if (frame) {
        w->ntables_free--;
        scrub(w, frame);
    } else {
        if (w->next_table == TABLES)
            return TABLE_NONE;
        frame = w->next_table++;
        w->table_list[w->ntable_list++] = (uint16_t)frame;
    }
    w->table_level[frame] = (uint8_t)level;
    return frame;
}

void table_free(struct fl_pin_world *w, unsigned frame)
{
    w->table_level[frame] = 0;
    w->ntables_free++;
}

uint64_t table_address(const struct fl_pin_world *w, uint64_t entry)
{
    (void)w;
    return entry & UINT64_C(0x000ffffffffff000);
}

uint64_t leaf_make(const struct fl_pin_world *w, unsigned level, uint64_t pfn, uint64_t bits)
{
    (void)w;
    return pfn << PAGE_SHIFT | bits | (level > 1 ? E_PS : 0);
}

uint64_t table_make(const struct fl_pin_world *w, unsigned level, unsigned frame)
{
    bool pdpte = w->space.cpu.mode == FL_MODE_PAE && level == 3;

    return (uint64_t)frame << PAGE_SHIFT | E_P | (pdpte ? 0 : E_RW | E_US | E_A);
}

enum fl_swap_kind entry_swap(uint64_t entry)
{
    unsigned kind = (unsigned)(entry >> SWAP_SHIFT & SWAP_MASK);

    return entry == 0 ? FL_SWAP_NONE : kind < FL_SWAP_KIND_COUNT ? (enum fl_swap_kind)kind : FL_SWAP_SLOT;
}

uint64_t swap_make(unsigned level, enum fl_swap_kind kind, uint64_t payload)
{
    return (uint64_t)kind << SWAP_SHIFT | payload << LEAF_BITS | (level > 1 ? E_PS : 0);
}

uint64_t swap_payload(uint64_t entry)
{
    return entry >> LEAF_BITS;
}

uint64_t entry_slot(const struct fl_pin_world *w, uint64_t table, unsigned level, uint64_t va)
{
    uint64_t index = va >> level_shift(w, level) & ((1u << index_bits(w, level)) - 1);

    return table + index * entry_size(w);
}

uint64_t entry_find(const struct fl_pin_world *w, uint64_t root, uint64_t va, unsigned *level)
{
    uint64_t table = root;

    for (unsigned l = levels(w);; l--) {
        uint64_t at = entry_slot(w, table, l, va), value = entry_get(w, at);

        if (l == 1 || !(value & E_P) || entry_maps(l, value)) {
            *level = l;
            return at;
        }
        table = table_address(w, value);
    }
}

uint64_t entry_force(struct fl_pin_world *w, uint64_t root, uint64_t va, unsigned level)
{
    uint64_t table = root;

    for (unsigned l = levels(w); l > level; l--) {
        uint64_t at = entry_slot(w, table, l, va), value = entry_get(w, at);

        if (entry_maps(l, value) || entry_swapped(value))
            return 0;
        if (value == 0) {
            unsigned frame = table_alloc(w, l - 1);

            if (!frame)
                return 0;
            value = table_make(w, l, frame);
            entry_put(w, at, value);
        }
        table = table_address(w, value);
    }
    return entry_slot(w, table, level, va);
}
