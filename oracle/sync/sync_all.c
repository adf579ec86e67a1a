/* SPDX-License-Identifier: MIT */
/*
 * sync-all: what each entry of the kernel half should be after all tables were brought in step, generation by
 * generation. Nothing is written: what would be is laid over the memory, so that a table that is reached twice is seen
 * as it is by then.
 *
 * The walkers of 2008 and 2016 look at one entry after the other:
 *   2008, 32-bit   one page-directory entry for each top-level slot, from TASK_SIZE to the top; remembers what is done
 *   2008, 64-bit   each top-level slot of the vmalloc range; remembers what is done
 *   2016, 32-bit   each page-directory entry from VMALLOC_START to the fix-mapped addresses
 *   2016, 64-bit   each top-level slot of the vmalloc range
 * CURRENT makes every slot of the vmalloc range equal to the reference's, absent ones too.
 */
#include "facts.h"

#include <string.h>

/* ---- the memory with everything that was written ---------------------------------------------------------------- */

/* Slots lie in the root tables, PAE: in the page directories, four for each root. */
#define MAX_PAGES (FL_MAX_PGDS * 4u)

struct overlay {
    const struct fl_sync_all *s;
    unsigned npages;
    uint64_t page[MAX_PAGES];
    uint64_t written[MAX_PAGES][1024 / 64]; /* a bit for each entry */
    uint64_t value[MAX_PAGES][1024];        /* valid where the bit is set */
    void (*emit)(void *ctx, const struct fl_entry_write *write);
    void *emit_ctx;
};

static uint64_t *written_value(struct overlay *o, uint64_t paddr, bool make)
{
    unsigned size = fl_shape_of(o->s->cpu.mode)->size, index = (unsigned)(paddr & BITS(11, 0)) / size, i;

    for (i = 0; i < o->npages && o->page[i] != (paddr & ~BITS(11, 0)); i++)
        ;
    if (i == o->npages) {
        if (!make || i == MAX_PAGES)
            return NULL;
        o->page[i] = paddr & ~BITS(11, 0);
        memset(o->written[i], 0, sizeof o->written[i]);
        o->npages++;
    }
    if (make)
        o->written[i][index / 64] |= BIT(index % 64);
    return o->written[i][index / 64] >> (index % 64) & 1 ? &o->value[i][index] : NULL;
}

static bool overlay_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct overlay *o = ctx;
    const uint64_t *written;

    if (!o->s->read(o->s->ctx, paddr, size, value))
        return false;
    written = written_value(o, paddr, false);
    if (written)
        *value = *written;
    return true;
}

static void overlay_write(struct overlay *o, uint64_t paddr, uint64_t value)
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    const struct fl_entry_write write = {.paddr = paddr, .value = value, .size = f->size, .how = f->how};

    uint64_t *kept = written_value(o, paddr, true);

    /* There are never more pages than that, but where page directories overwrite the PDPTEs that name them. */
    if (kept)
        *kept = value;
    o->emit(o->emit_ctx, &write);
}

/* ---- one slot of one table -------------------------------------------------------------------------------------- */

/* Where the slot of va lies under that root: WILD when its PDPTE cannot be read, NOT_HANDLED when that is not present
 * (the place is then what its frame bits name, all the same). */
static enum fl_sync_end slot_place(struct overlay *o, uint64_t root, uint64_t va, uint64_t *place)
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    uint64_t table = root & f->root, entry = ENTRY_P;

    if (f->top != f->slot) {
        if (!overlay_read(o, fl_shape_entry(f, f->top, table, va), f->size, &entry))
            return FL_SYNC_WILD;
        table = entry & f->frame;
    }
    *place = fl_shape_entry(f, f->slot, table, va);
    return entry & ENTRY_P ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED;
}

/* The reference's slot, 0 where there is none for lack of a page directory. False: unreadable. */
static bool reference_slot(struct overlay *o, uint64_t va, uint64_t *value)
{
    uint64_t place;
    enum fl_sync_end end = slot_place(o, o->s->kernel.init_root, va, &place);

    *value = 0;
    if (end == FL_SYNC_NOT_HANDLED)
        return true;
    return end == FL_SYNC_HANDLED && overlay_read(o, place, fl_shape_of(o->s->cpu.mode)->size, value);
}

/* 32-bit walkers: fills one slot. NOT_HANDLED: the reference has none. */
static enum fl_sync_end fill_present(struct overlay *o, uint64_t root, uint64_t va)
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    uint64_t place, ref, ref_place, value;
    enum fl_sync_end end = slot_place(o, o->s->kernel.init_root, va, &ref_place);

    if (end != FL_SYNC_HANDLED)
        return end;
    if (slot_place(o, root, va, &place) == FL_SYNC_WILD) /* the PDPTE itself is not asked whether it is present */
        return FL_SYNC_WILD;
    if (!overlay_read(o, ref_place, f->size, &ref))
        return FL_SYNC_WILD;
    if (!(ref & ENTRY_P))
        return FL_SYNC_NOT_HANDLED;
    if (!overlay_read(o, place, f->size, &value))
        return FL_SYNC_WILD;
    if (!(value & ENTRY_P))
        overlay_write(o, place, ref);
    else if ((value ^ ref) & f->frame)
        return FL_SYNC_BUG;
    return FL_SYNC_HANDLED;
}

/* 64-bit walkers: one slot of all tables. NOT_HANDLED: the reference has none. */
static enum fl_sync_end fill_none(struct overlay *o, uint64_t va)
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    uint64_t ref, value, place;

    if (!reference_slot(o, va, &ref))
        return FL_SYNC_WILD;
    if (ref == 0)
        return FL_SYNC_NOT_HANDLED;
    for (unsigned i = 0; i < o->s->npgds; i++) {
        place = fl_shape_entry(f, f->slot, o->s->pgd[i] & f->root, va);
        if (!overlay_read(o, place, f->size, &value))
            return FL_SYNC_WILD;
        if (value == 0)
            overlay_write(o, place, ref);
        else if ((value ^ ref) & f->frame)
            return FL_SYNC_BUG;
    }
    return FL_SYNC_HANDLED;
}

/* CURRENT: one slot of all tables becomes the reference's. */
static enum fl_sync_end make_equal(struct overlay *o, uint64_t va)
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    uint64_t ref, value, place;

    if (!reference_slot(o, va, &ref))
        return FL_SYNC_WILD;
    for (unsigned i = 0; i < o->s->npgds; i++) {
        enum fl_sync_end end = slot_place(o, o->s->pgd[i], va, &place);

        if (end == FL_SYNC_NOT_HANDLED)
            continue; /* nothing of this table can be wrong there, and it has no room for it */
        if (end == FL_SYNC_WILD || !overlay_read(o, place, f->size, &value))
            return FL_SYNC_WILD;
        if ((value ^ ref) & fl_shape_compared(&o->s->cpu, ref))
            overlay_write(o, place, ref);
    }
    return FL_SYNC_HANDLED;
}

/* ---- all addresses ---------------------------------------------------------------------------------------------- */

static enum fl_sync_end all_2008_32(struct overlay *o, uint64_t *start, uint64_t insync[16])
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    uint64_t step = fl_shape_span(f, f->top), from = *start ? *start : o->s->kernel.task_size;

    for (uint64_t va = from; va >= o->s->kernel.task_size; va = fl_shape_address(f, va + step)) {
        unsigned slot = fl_shape_index(f, f->top, va), i = 0;
        uint64_t *word = &insync[slot / 64], bit = BIT(slot % 64);

        if (!(*word & bit)) {
            enum fl_sync_end end = FL_SYNC_HANDLED;

            for (; i < o->s->npgds && end == FL_SYNC_HANDLED; i++)
                end = fill_present(o, o->s->pgd[i], va);
            if (end == FL_SYNC_BUG || end == FL_SYNC_WILD)
                return end;
            if (end == FL_SYNC_NOT_HANDLED && i > 1)
                return FL_SYNC_BUG; /* the reference had it for the first table of the list, and no longer */
            if (end == FL_SYNC_HANDLED)
                *word |= bit;
        }
        if (va == from && (*word & bit))
            *start = from = fl_shape_address(f, va + step); /* past the last slot: 0, and from TASK_SIZE on again */
    }
    return FL_SYNC_HANDLED;
}

/* insync NULL: nothing is remembered. */
static enum fl_sync_end all_64(struct overlay *o, uint64_t *start, uint64_t insync[16])
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    uint64_t step = fl_shape_span(f, f->top), first = o->s->kernel.vmalloc_start & ~(step - 1u);
    uint64_t from = insync && *start ? *start : first, next;

    for (uint64_t va = from; va <= o->s->kernel.vmalloc_end; va = next) {
        unsigned slot = fl_shape_index(f, f->top, va);

        next = va + step;
        if (!insync || !(insync[slot / 64] >> (slot % 64) & 1)) {
            enum fl_sync_end end = fill_none(o, va);

            if (end == FL_SYNC_BUG || end == FL_SYNC_WILD)
                return end;
            if (end == FL_SYNC_HANDLED && insync)
                insync[slot / 64] |= BIT(slot % 64);
            if (end == FL_SYNC_NOT_HANDLED && next > va)
                continue;
        }
        if (insync && va == from && (insync[slot / 64] >> (slot % 64) & 1))
            *start = from = next;
        if (next < va)
            break;
    }
    return FL_SYNC_HANDLED;
}

static enum fl_sync_end all_2016_32(struct overlay *o)
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    const struct fl_kernel *k = &o->s->kernel;
    uint64_t step = fl_shape_span(f, f->slot);

    for (uint64_t va = k->vmalloc_start & ~(step - 1u); va >= k->task_size && va < k->fixaddr_top;
         va = fl_shape_address(f, va + step)) {
        enum fl_sync_end end = FL_SYNC_HANDLED;

        for (unsigned i = 0; i < o->s->npgds && end == FL_SYNC_HANDLED; i++)
            end = fill_present(o, o->s->pgd[i], va);
        if (end == FL_SYNC_BUG || end == FL_SYNC_WILD)
            return end;
    }
    return FL_SYNC_HANDLED;
}

static enum fl_sync_end all_current(struct overlay *o)
{
    const struct fl_shape *f = fl_shape_of(o->s->cpu.mode);
    uint64_t step = fl_shape_span(f, f->slot), va = o->s->kernel.vmalloc_start & ~(step - 1u);

    while (va < o->s->kernel.vmalloc_end) {
        enum fl_sync_end end = make_equal(o, va);

        if (end != FL_SYNC_HANDLED)
            return end;
        if (va + step < va)
            break;
        va += step;
    }
    return FL_SYNC_HANDLED;
}

static bool acceptable(const struct fl_sync_all *s)
{
    return s && s->read && s->npgds <= FL_MAX_PGDS && s->cpu.mode < FL_MODE_COUNT &&
           fl_generation_exists((enum fl_mode)s->cpu.mode, (enum fl_generation)s->kernel.generation);
}

enum fl_status fl_sync_all_decide(const struct fl_sync_all *s, uint64_t *state_start, uint64_t state_insync[16],
                                  void (*emit)(void *ctx, const struct fl_entry_write *write), void *emit_ctx,
                                  enum fl_sync_end *end)
{
    struct overlay o;
    bool wide;

    if (!acceptable(s) || !state_start || !state_insync || !emit || !end)
        return FL_INVALID;
    o.s = s;
    o.npages = 0;
    o.emit = emit;
    o.emit_ctx = emit_ctx;
    wide = s->cpu.mode >= FL_MODE_4LEVEL;
    *end = FL_SYNC_HANDLED;
    if (!wide && s->kernel.shared_kernel_pmd)
        return FL_OK; /* one set of page directories: always in step */
    switch (s->kernel.generation) {
    case FL_GEN_CURRENT: *end = all_current(&o); break;
    case FL_GEN_2008_32: *end = all_2008_32(&o, state_start, state_insync); break;
    case FL_GEN_2008_64: *end = all_64(&o, state_start, state_insync); break;
    case FL_GEN_2016: *end = wide ? all_64(&o, NULL, NULL) : all_2016_32(&o); break;
    default: break; /* 2014 took it away */
    }
    return FL_OK;
}

bool fl_sync_unequal(const struct fl_sync_all *s, unsigned *pgd, uint64_t *addr, uint64_t *compared)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    uint64_t step = fl_shape_span(f, f->slot), va = s->kernel.vmalloc_start & ~(step - 1u), ref, value, place;
    struct overlay o;

    o.s = s;
    o.npages = 0;
    for (; va < s->kernel.vmalloc_end; va += step) {
        if (!reference_slot(&o, va, &ref))
            continue;
        for (unsigned i = 0; i < s->npgds; i++) {
            if (slot_place(&o, s->pgd[i], va, &place) != FL_SYNC_HANDLED || !overlay_read(&o, place, f->size, &value))
                continue;
            (*compared)++;
            if ((value ^ ref) & fl_shape_compared(&s->cpu, ref)) {
                *pgd = i;
                *addr = va;
                return true;
            }
        }
        if (va + step < va)
            break;
    }
    return false;
}
