/* SPDX-License-Identifier: MIT */
/*
 * handle_mm_fault of the model. What a fault comes to is worked out first (fault_plan changes nothing), then done.
 *
 *     anonymous         read: the zero page, read only (huge areas: the huge one); write: a page of its own
 *     private, a file   read: the page cache's, read only; write: a copy
 *     shared            the page cache's, writable once it is written to
 *     device            as a file's, but of device memory
 *     special           a frame without struct page
 * A write to a page that nobody else maps makes it exclusive and keeps it; else it is copied. The entry becomes writable
 * only where the area is: a forced write leaves it read only, and only says that the copy has been made.
 */
#include "state.h"

enum step { STEP_NONE, STEP_NEW, STEP_SWAP_IN, STEP_MIGRATED, STEP_HINT, STEP_TOUCH, STEP_WRITE };

struct plan {
    enum fl_mm_result result;
    enum step step;
    uint64_t at; /* the entry that ends the walk */
    unsigned level;
    uint64_t entry;
};

static bool fits_huge(const struct fl_pin_world *w, const struct area *a, uint64_t va)
{
    uint64_t size = UINT64_C(1) << level_shift(w, 2), start = va & ~(size - 1);

    return a->huge && start >= a->vma.start && start + size <= a->vma.end;
}

static bool in_file(const struct fl_pin_world *w, const struct area *a, uint64_t va)
{
    uint32_t index = area_index(a, va);

    return index < a->file_pages && index < w->file_pages[a->file & 3];
}

/* A private write brings in the file's page and a copy: one free frame is not enough. */
static bool frames_left(const struct fl_pin_world *w)
{
    unsigned n = PFN_HUGE - w->small_next;

    for (uint32_t i = w->small_free; i && n < 4; i = w->pg[i - 1].index)
        n++;
    return n >= 4;
}

/* Small frames and tables that the rest may need: asked for in one sum, so that a fault is done whole or not at all. */
bool fault_room(const struct fl_pin_world *w)
{
    return tables_left(w) >= 6 && frames_left(w);
}

static struct plan plan(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write)
{
    struct plan p = {.result = FL_MM_MINOR};

    p.at = entry_find(w, w->mm[mm].root, va, &p.level);
    p.entry = entry_get(w, p.at);
    if (!fault_room(w)) {
        p.result = FL_MM_OOM;
    } else if (entry_maps(p.level, p.entry)) {
        struct pg *page = leaf_page(w, p.level, p.entry);

        if (!(p.entry & E_P) && (p.entry & SOFT_NUMA) && (a->vma.read || a->vma.write || a->vma.exec))
            p.step = STEP_HINT;
        else if (write && !(p.entry & E_RW) && (page || !a->vma.shared || a->vma.write))
            p.step = STEP_WRITE;
        else
            p.step = STEP_TOUCH;
    } else if (entry_swapped(p.entry)) {
        switch (entry_swap(p.entry)) {
        case FL_SWAP_SLOT:
            p.step = STEP_SWAP_IN;
            p.result = FL_MM_MAJOR;
            break;
        case FL_SWAP_MIGRATION: p.step = STEP_MIGRATED; break;
        case FL_SWAP_HWPOISON: p.result = p.level > 1 ? FL_MM_HWPOISON_LARGE : FL_MM_HWPOISON; break;
        default: p.result = FL_MM_SIGBUS; break;
        }
    } else {
        p.step = STEP_NEW;
        if ((a->kind == FL_AREA_FILE || a->kind == FL_AREA_SHMEM || a->kind == FL_AREA_DEVICE) && !in_file(w, a, va))
            p.result = FL_MM_SIGBUS;
        if (a->kind == FL_AREA_DEVICE && w->device_gone)
            p.result = FL_MM_SIGBUS;
    }
    return p;
}

static bool is_hugetlb(const struct area *a)
{
    return a->vma.huge_shift != 0;
}

enum fl_mm_result fault_plan(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write)
{
    return is_hugetlb(a) ? hugetlb_plan(w, mm, a, va, write) : plan(w, mm, a, va, write).result;
}

/* ---- doing it ---------------------------------------------------------------------------------------------------- */

static uint64_t pte_for(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    return entry_force(w, w->mm[mm].root, va, 1);
}

static bool map_huge(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write)
{
    uint64_t at = entry_force(w, w->mm[mm].root, va, 2);
    struct pg *p;

    /* Only where there is no table yet, as a huge fault. */
    if (!at || entry_get(w, at) || !(p = huge_alloc(w, write ? PG_ANON : PG_ZERO)))
        return false;
    if (!write)
        p->count = 1; /* the kernel's own */
    leaf_map(w, at, 2, p, leaf_bits(w, a, write));
    return true;
}

static struct pg *file_page(struct fl_pin_world *w, const struct area *a, uint64_t va)
{
    uint32_t index = area_index(a, va);
    struct pg *p;

    if (a->kind != FL_AREA_DEVICE)
        return file_page_make(w, a->file, index);
    p = page_of(w, PFN_DEVICE + index % DEVICES);
    if (p->kind != PG_DEVICE) {
        page_change(w, p);
        p->kind = PG_DEVICE;
        p->count = 1; /* the device's own */
        p->file = a->file;
        p->index = index % DEVICES;
        p->data = UINT64_C(0xdea1000000000000) | index % DEVICES;
    }
    return p;
}

struct pg *fault_cached(struct fl_pin_world *w, const struct area *a, uint64_t va)
{
    if (is_hugetlb(a))
        return hugetlb_cached(w, a, va);
    if (a->kind == FL_AREA_DEVICE)
        return page_of(w, PFN_DEVICE + area_index(a, va) % DEVICES);
    return a->kind == FL_AREA_FILE || a->kind == FL_AREA_SHMEM ? file_page_find(w, a->file, area_index(a, va)) : NULL;
}

static void copy_to(struct fl_pin_world *w, uint64_t at, const struct area *a, const struct pg *from)
{
    struct pg *p = small_alloc(w, PG_ANON);

    p->data = from ? from->data : 0;
    leaf_map(w, at, 1, p, leaf_bits(w, a, true));
    p->dirty = true;
}

static void bring_in(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write)
{
    struct pg *p;
    uint64_t at;

    if (a->kind == FL_AREA_ANON && fits_huge(w, a, va) && map_huge(w, mm, a, va, write))
        return;
    at = pte_for(w, mm, va);
    if (a->kind == FL_AREA_SPECIAL && (!write || a->vma.shared)) {
        uint64_t pfn = PFN_SPECIAL + (area_index(a, va) & 0xff);

        entry_put(w, at, leaf_make(w, 1, pfn, (leaf_bits(w, a, write) & ~SOFT_PROTNONE) | E_P | SOFT_SPECIAL));
        return;
    }
    if (a->kind == FL_AREA_ANON && !a->vma.shared && !write) {
        p = page_of(w, PFN_ZERO);
        leaf_map(w, at, 1, p, leaf_bits(w, a, false) | (a->vma.read || a->vma.exec ? SOFT_SPECIAL : 0));
        return;
    }
    if (a->kind == FL_AREA_ANON || a->kind == FL_AREA_SPECIAL) {
        copy_to(w, at, a, NULL);
        return;
    }
    p = file_page(w, a, va);
    if (write && !a->vma.shared) {
        copy_to(w, at, a, p);
        return;
    }
    leaf_map(w, at, 1, p,
             leaf_bits(w, a, write) | (p->kind == PG_DEVICE && (a->vma.read || a->vma.write) ? SOFT_DEVMAP : 0));
    if (write && a->vma.write) {
        page_change(w, p);
        p->dirty = true;
    }
}

/* A huge page that is written to and shared: a new one, or small ones. */
static bool write_huge(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, const struct plan *p)
{
    struct pg *old = leaf_page(w, 2, p->entry), *copy = huge_alloc(w, PG_ANON);

    (void)mm, (void)va;
    if (!copy)
        return false;
    copy->data = old->data;
    for (uint32_t i = 1; i < 1u << huge_order(w); i++)
        if (old[i].touched)
            page_of(w, copy->pfn + i)->data = old[i].data;
    leaf_map(w, p->at, 2, copy, leaf_bits(w, a, true));
    return true;
}

static bool do_write(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, const struct plan *p)
{
    struct pg *page = leaf_page(w, p->level, p->entry);
    uint64_t soft = p->entry & E_P ? p->entry & SOFT_DEVMAP : 0;

    if (a->vma.shared) {
        if (a->vma.write) {
            entry_put(w, p->at, p->entry | E_RW | E_D | E_A);
            if (page) {
                page_change(w, page);
                page->dirty = true;
            }
        }
        return a->vma.write;
    }
    if (page && page->kind == PG_ANON && page->maps == 1) {
        page_change(w, page);
        page->exclusive = page->dirty = true;
        entry_put(w, p->at, (p->entry & ~(E_RW | E_D | E_P | SOFT_PROTNONE)) | leaf_bits(w, a, true) | soft);
        return true;
    }
    if (p->level == 2) {
        if (write_huge(w, mm, a, va, p))
            return true;
        leaf_split(w, mm, va); /* and the next fault copies one page */
        return false;
    }
    copy_to(w, p->at, a, page);
    return true;
}

static void do_swap_in(struct fl_pin_world *w, const struct area *a, bool write, const struct plan *p)
{
    unsigned slot = (unsigned)swap_payload(p->entry);
    struct pg *page = small_alloc(w, PG_ANON);

    /* Another address space that has the slot gets a copy of its own. */
    page->data = w->slots[slot - 1].data;
    leaf_map(w, p->at, 1, page, leaf_bits(w, a, write));
}

struct fl_pin_fault fault_do(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write)
{
    struct fl_pin_fault out = {0};
    struct plan p;

    if (is_hugetlb(a))
        return hugetlb_do(w, mm, a, va, write);
    va &= PAGE_MASK;
    p = plan(w, mm, a, va, write);
    out.result = (uint8_t)p.result;
    if (p.result != FL_MM_MINOR && p.result != FL_MM_MAJOR)
        return out;
    switch (p.step) {
    case STEP_NEW:
        bring_in(w, mm, a, va, write);
        out.wrote = write;
        break;
    case STEP_SWAP_IN:
        do_swap_in(w, a, write, &p);
        out.wrote = write;
        break;
    case STEP_MIGRATED: act_migrate_end(w, mm, va); break;
    case STEP_HINT: entry_put(w, p.at, (p.entry & ~SOFT_NUMA) | E_P | E_A); break;
    case STEP_TOUCH:
        if ((p.entry & E_P) && !(p.entry & E_A))
            entry_put(w, p.at, p.entry | E_A);
        if (write && (p.entry & E_P) && (p.entry & E_RW) && !(p.entry & E_D))
            entry_put(w, p.at, p.entry | E_A | E_D);
        break;
    case STEP_WRITE: out.wrote = do_write(w, mm, a, va, &p); break;
    case STEP_NONE: break;
    }
    return out;
}

/* ---- user accesses ----------------------------------------------------------------------------------------------- */

/* As the processor does it: through the entry if that permits it, else through the fault handler and again. */
void user_access(struct fl_pin_world *w, unsigned mm, uint64_t va, bool write)
{
    for (unsigned tries = 0; tries < 8; tries++) {
        struct area *a = area_find(w, mm, va);
        unsigned level;
        uint64_t at, entry;
        struct fl_pin_fault got;

        if (!a && !area_grow(w, mm, va, &a))
            return;
        if (!(write ? a->vma.write : a->vma.read))
            return; /* a signal, which the task survives */
        at = entry_find(w, w->mm[mm].root, va, &level);
        entry = entry_get(w, at);
        if (entry_maps(level, entry) && (entry & E_P) && (!write || (entry & E_RW))) {
            uint64_t pfn = leaf_pfn(w, level, entry) |
                           (va >> PAGE_SHIFT & ((UINT64_C(1) << (level_shift(w, level) - PAGE_SHIFT)) - 1));
            struct pg *p = page_of(w, pfn);

            entry_put(w, at, entry | E_A | (write ? E_D : 0));
            if (p && write) {
                page_change(w, p);
                p->data = ++w->next_value;
                page_change(w, page_head(w, p));
                page_head(w, p)->dirty = true;
                if (mm == 0)
                    pins_written(w, va & PAGE_MASK, pfn);
            }
            return;
        }
        got = fault_do(w, mm, a, va, write);
        if (got.result != FL_MM_MINOR && got.result != FL_MM_MAJOR)
            return;
    }
}
