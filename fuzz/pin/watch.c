/* SPDX-License-Identifier: MIT */
/* Who listens to what happens, and looking at pages without changing anything. */
#include "state.h"

#include <faultline/fuzz/pin_story.h>

void fl_pin_world_watch(struct fl_pin_world *w, fl_pin_watch_fn watch, void *ctx)
{
    w->watch = watch;
    w->watch_ctx = ctx;
}

void step(struct fl_pin_world *w, enum fl_pin_step_kind kind, const struct fl_record *record, enum fl_status status)
{
    struct fl_pin_step s = {.kind = (uint8_t)kind,
                            .when = FL_PIN_OUTSIDE,
                            .call = w->ncalls ? w->ncalls - 1 : 0,
                            .status = status,
                            .instant = w->ninstants,
                            .record = record};

    if (w->in_event)
        s.when = w->call_over ? FL_PIN_LATER : w->releasing ? FL_PIN_RELEASED : FL_PIN_BEFORE;
    if (s.when == FL_PIN_LATER)
        s.call = w->ncalls;
    w->watch(w->watch_ctx, w, &s);
}

void ended(struct fl_pin_world *w, const struct fl_pin_call *call, const struct fl_pin_seen *seen)
{
    const struct fl_pin_step s = {.kind = FL_PIN_STEP_END,
                                  .when = FL_PIN_LATER,
                                  .call = w->ncalls,
                                  .instant = w->ninstants,
                                  .record = &w->event,
                                  .pin = call,
                                  .seen = seen};

    w->watch(w->watch_ctx, w, &s);
}

bool fl_pin_world_area(const struct fl_pin_world *w, unsigned mm, unsigned i, struct fl_pin_area *out)
{
    const struct area *a = &w->mm[mm & 1].areas[i];

    if (!w->mm[mm & 1].exists || i >= w->mm[mm & 1].nareas)
        return false;
    *out = (struct fl_pin_area){.vma = a->vma,
                                .kind = a->kind,
                                .file = a->file,
                                .pgoff = a->pgoff,
                                .file_pages = a->file_pages,
                                .huge = a->huge};
    return true;
}

static void look_page(struct fl_pin_world *w, struct fl_pin_place *out)
{
    const struct pg *p = page_of(w, out->pfn), *head;

    if (!p)
        return;
    head = p->head ? &w->pg[p->head - 1] : p;
    out->valid = true;
    out->head = head->pfn;
    out->kind = head->kind;
    out->order = head->order;
    out->file = head->kind == PG_CACHE || head->kind == PG_HUGETLB ? head->file : FILE_NONE;
    out->index = head->index;
    out->exclusive = (head->kind == PG_ANON || (head->kind == PG_HUGETLB && !head->cached)) && head->exclusive;
    out->page_dirty = head->dirty;
    out->cached = head->cached;
    out->count = head->count;
    out->maps = head->maps;
    out->tail = p->head ? p->tail : 0;
    out->pins = head->pins;
    out->data = p->data;
}

static void look_leaf(const struct fl_pin_world *w, uint64_t va, struct fl_pin_place *out)
{
    unsigned level = out->walk[out->nlevels - 1].level;
    uint64_t entry = out->walk[out->nlevels - 1].entry, inside;

    out->mapped = entry_maps(level, entry);
    if (!out->mapped) {
        out->swap = (uint8_t)entry_swap(entry);
        return;
    }
    inside = va >> PAGE_SHIFT & ((UINT64_C(1) << (level_shift(w, level) - PAGE_SHIFT)) - 1);
    out->pfn = leaf_pfn(w, level, entry) | inside;
    out->present = entry & E_P;
    out->writable = entry & E_RW;
    out->dirty = entry & E_D;
    out->hint = !(entry & E_P) && (entry & SOFT_NUMA);
    out->protnone = !(entry & E_P) && (entry & SOFT_PROTNONE);
    out->special = (entry & E_P) && level == 1 && (entry & SOFT_SPECIAL);
    out->device = (entry & E_P) && (entry & SOFT_DEVMAP);
    out->splitting = (entry & E_P) && level == 2 && (entry & SOFT_SPLITTING);
}

void fl_pin_world_look(const struct fl_pin_world *world, unsigned mm, uint64_t va, struct fl_pin_place *out)
{
    struct fl_pin_world *w = (struct fl_pin_world *)world; /* looking does not change what is there */
    bool kernel = va >= w->space.task_size;
    uint64_t table;

    memset(out, 0, sizeof *out);
    out->pfn = FL_NO_PAGE;
    out->file = FILE_NONE;
    mm &= 1;
    out->exists = w->mm[mm].exists;
    if (!out->exists)
        return;
    out->has_area = !kernel && area_find(w, mm, va) != NULL;
    table = kernel ? w->space.kernel_root : w->mm[mm].root;
    for (unsigned level = levels(w);; level--) {
        uint64_t at = entry_slot(w, table, level, va), entry = entry_get(w, at);

        out->walk[out->nlevels].paddr = at;
        out->walk[out->nlevels].entry = entry;
        out->walk[out->nlevels++].level = (uint8_t)level;
        if (level == 1 || !(entry & E_P) || entry_maps(level, entry))
            break;
        table = table_address(w, entry);
    }
    look_leaf(w, va, out);
    if (out->mapped)
        look_page(w, out);
}
