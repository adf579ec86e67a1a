/* SPDX-License-Identifier: MIT */
/*
 * Lazy MMU mode: table writes through a paravirt hook wait in a queue, in order, until it is flushed. Memory is as
 * before the write until then, for everybody.
 */
#include "state.h"

/* A write by the handler that lets guest code write where it could not before, and is no copy of the reference. */
static void carry_out(struct fl_world *w, const struct queued *q)
{
    uint64_t before = ram_get(w, q->paddr, q->size);

    if (tables_dangerous(before, q->value) && !kernel_is_copy(w, q->paddr, q->value))
        w->pool_aliased = true;
    ram_put(w, q->paddr, q->size, q->value);
}

bool lazy_write(struct fl_world *w, uint64_t paddr, unsigned size, uint64_t value, bool queue)
{
    struct queued q = {.paddr = paddr, .value = size == 4 ? (uint32_t)value : value, .size = (uint8_t)size};
    uint64_t there;

    if (size != 4 && size != 8)
        return false;
    if (paddr % size != 0 || !fl_world_read(w, paddr, size, &there)) /* entries are aligned */
        return false;
    if (!queue) {
        carry_out(w, &q);
        return true;
    }
    if (w->nqueued == MAX_QUEUED) /* as a multicall buffer does when it is full */
        lazy_flush(w);
    w->queued[w->nqueued++] = q;
    return true;
}

void lazy_flush(struct fl_world *w)
{
    for (unsigned i = 0; i < w->nqueued; i++)
        carry_out(w, &w->queued[i]);
    w->nqueued = 0;
}

void fl_world_flush(struct fl_world *w)
{
    lazy_flush(w);
}
