/* SPDX-License-Identifier: MIT */
/* Pins that are held from one event to the next: given back, used, and still where the task is? */
#include "state.h"

void pins_release(struct fl_pin_world *w)
{
    for (unsigned i = 0; i < w->npins; i++) {
        struct pg *p = page_of(w, w->pins[i].pfn), *head = page_head(w, p);

        page_change(w, p);
        page_change(w, head);
        head->pins--;
        if (p != head) {
            p->tail_pins--;
            p->tail--;
        }
        page_unref(w, head, 1);
    }
    w->npins = 0;
}

void pins_parted(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end)
{
    for (unsigned i = 0; mm == 0 && i < w->npins; i++)
        if (w->pins[i].va >= start && w->pins[i].va < end)
            w->pins[i].coherent = false;
}

void pins_written(struct fl_pin_world *w, uint64_t va, uint64_t pfn)
{
    for (unsigned i = 0; i < w->npins && !w->diverged; i++)
        if (w->pins[i].va == va && w->pins[i].coherent)
            w->diverged = fl_pin_coherent(va, w->pins[i].pfn, pfn, &w->divergence);
}

/* What is pinned for writing is written to. The page must be the task's own, or one that it may write to for everybody. */
void pins_use(struct fl_pin_world *w)
{
    for (unsigned i = 0; i < w->npins; i++) {
        struct pin *pin = &w->pins[i];
        struct pg *p = page_of(w, pin->pfn), *head = page_head(w, p);
        bool everybodys = head->kind == PG_CACHE || head->cached || head->kind == PG_ZERO;
        char what[128];

        if (!pin->write)
            continue;
        if (everybodys && !pin->shared_write && !w->diverged && !w->lied) {
            fl_pin_world_describe(w, pin->pfn, what, sizeof what);
            fl_divergence_set(
                &w->divergence, FL_CHECK_COW, "write-through-pin", "own-page",
                head->kind == PG_ZERO ? "zero-page" : "file-page",
                "address %#llx was pinned for writing in a private or read-only area, and the write goes to %s",
                (unsigned long long)pin->va, what);
            w->diverged = true;
        }
        page_change(w, p);
        p->data = ++w->next_value;
    }
}

bool fl_pin_world_divergence(const struct fl_pin_world *w, struct fl_divergence *d)
{
    if (w->diverged)
        *d = w->divergence;
    return w->diverged;
}
