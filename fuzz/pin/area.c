/* SPDX-License-Identifier: MIT */
/* Areas of memory, sorted by address, never overlapping. */
#include "state.h"

static bool is_hugetlb(const struct area *a)
{
    return a->kind == FL_AREA_HUGETLB || a->kind == FL_AREA_HUGETLB1G;
}

unsigned area_level(const struct fl_pin_world *w, const struct area *a)
{
    return a->kind == FL_AREA_HUGETLB1G && w->space.cpu.mode >= FL_MODE_4LEVEL ? 3 : 2;
}

struct area *area_find(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct mm *m = &w->mm[mm];

    for (unsigned i = 0; i < m->nareas; i++)
        if (va >= m->areas[i].vma.start && va < m->areas[i].vma.end)
            return &m->areas[i];
    return NULL;
}

uint32_t area_index(const struct area *a, uint64_t va)
{
    return a->pgoff + (uint32_t)((va - a->vma.start) >> PAGE_SHIFT);
}

static void adjoin(struct mm *m)
{
    for (unsigned i = 0; i < m->nareas; i++)
        m->areas[i].vma.prev_adjoins =
            i > 0 && m->areas[i - 1].vma.growsdown && m->areas[i - 1].vma.end == m->areas[i].vma.start;
}

enum fl_status area_add(struct fl_pin_world *w, unsigned mm, const struct area *a)
{
    struct mm *m = &w->mm[mm];
    unsigned at = 0;

    if (m->nareas == MAX_AREAS)
        return FL_NO_MEMORY;
    while (at < m->nareas && m->areas[at].vma.start < a->vma.start)
        at++;
    memmove(&m->areas[at + 1], &m->areas[at], (m->nareas - at) * sizeof m->areas[0]);
    m->areas[at] = *a;
    m->areas[at].vma.generation = ++w->generation;
    m->nareas++;
    adjoin(m);
    world_changed(w);
    return FL_OK;
}

void area_remove(struct fl_pin_world *w, unsigned mm, unsigned i)
{
    struct mm *m = &w->mm[mm];

    memmove(&m->areas[i], &m->areas[i + 1], (m->nareas - i - 1) * sizeof m->areas[0]);
    m->nareas--;
    adjoin(m);
    world_changed(w);
}

enum fl_status area_cut(struct fl_pin_world *w, unsigned mm, uint64_t addr)
{
    struct area *a = area_find(w, mm, addr), upper;

    if (!a || a->vma.start == addr)
        return FL_OK;
    if (is_hugetlb(a) && addr & ((UINT64_C(1) << level_shift(w, area_level(w, a))) - 1))
        return FL_INVALID;
    if (w->mm[mm].nareas == MAX_AREAS)
        return FL_NO_MEMORY;
    upper = *a;
    upper.vma.start = addr;
    upper.pgoff = area_index(a, addr);
    a->vma.end = addr;
    a->vma.generation = ++w->generation;
    return area_add(w, mm, &upper);
}

/* A stack grows to where it is touched, as long as nothing is there and 256 pages below are free. */
static unsigned growing(const struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    const struct mm *m = &w->mm[mm];

    for (unsigned i = 0; i < m->nareas; i++) {
        const struct area *a = &m->areas[i];

        if (va >= a->vma.start)
            continue;
        if (!a->vma.growsdown || (va & PAGE_MASK) < 16 * PAGE_SIZE || a->vma.start - va > 1024 * PAGE_SIZE ||
            (i > 0 && (va & PAGE_MASK) < m->areas[i - 1].vma.end + 256 * PAGE_SIZE))
            return MAX_AREAS;
        return i;
    }
    return MAX_AREAS;
}

static void grow(struct area *a, uint64_t va)
{
    a->pgoff -= (uint32_t)((a->vma.start - (va & PAGE_MASK)) >> PAGE_SHIFT);
    a->vma.start = va & PAGE_MASK; /* the generation stays: it is the same area */
    a->vma.prev_adjoins = false;
}

bool area_would_grow(const struct fl_pin_world *w, unsigned mm, uint64_t va, struct area *out)
{
    unsigned i = growing(w, mm, va);

    if (i == MAX_AREAS)
        return false;
    *out = w->mm[mm].areas[i];
    grow(out, va);
    return true;
}

bool area_grow(struct fl_pin_world *w, unsigned mm, uint64_t va, struct area **out)
{
    unsigned i = growing(w, mm, va);

    if (i == MAX_AREAS)
        return false;
    *out = &w->mm[mm].areas[i];
    grow(*out, va);
    world_changed(w);
    return true;
}

enum fl_status area_record(struct fl_pin_world *w, const struct fl_record *r)
{
    unsigned flags = r->u.area.flags;
    bool hugetlb = r->u.area.kind == FL_AREA_HUGETLB || r->u.area.kind == FL_AREA_HUGETLB1G;
    struct area a = {
        .kind = r->u.area.kind, .file = r->u.area.file, .pgoff = r->u.area.pgoff, .file_pages = r->u.area.file_pages};
    uint64_t size = PAGE_SIZE, mask;

    if (hugetlb)
        size = UINT64_C(1) << level_shift(w, area_level(w, &a));
    mask = ~(size - 1);
    a.vma = (struct fl_pin_vma){
        .start = r->u.area.start & mask,
        .read = flags & FL_AREA_READ,
        .write = flags & FL_AREA_WRITE,
        .exec = flags & FL_AREA_EXEC,
        .may_read = flags & (FL_AREA_READ | FL_AREA_MAY_READ),
        .may_write = flags & (FL_AREA_WRITE | FL_AREA_MAY_WRITE),
        .shared = flags & FL_AREA_SHARED,
        .growsdown = flags & FL_AREA_GROWSDOWN,
        .locked = flags & FL_AREA_LOCKED,
        .io = flags & FL_AREA_IO,
        .pfnmap = flags & FL_AREA_PFNMAP,
        .pkey = w->space.cpu.mode >= FL_MODE_4LEVEL ? r->u.area.pkey : 0,
        .has_fault = r->u.area.kind != FL_AREA_ANON,
        .huge_shift = hugetlb ? (uint8_t)level_shift(w, area_level(w, &a)) : 0,
    };
    a.vma.end = a.vma.start + (((uint64_t)r->u.area.pages * PAGE_SIZE + size - 1) & mask);
    a.huge = flags & FL_AREA_HUGE;
    if (a.vma.start < 16 * PAGE_SIZE || a.vma.end <= a.vma.start || a.vma.end > w->space.task_size)
        return FL_INVALID;
    for (unsigned i = 0; i < w->mm[0].nareas; i++)
        if (a.vma.start < w->mm[0].areas[i].vma.end && a.vma.end > w->mm[0].areas[i].vma.start)
            return FL_INVALID;
    return area_add(w, 0, &a);
}
