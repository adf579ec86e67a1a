/* SPDX-License-Identifier: MIT */
/* Counting answers: a hash table of (key, answers of all columns). */
#include "conform.h"

#include <stdlib.h>
#include <string.h>

void cells_clear(struct cells *t)
{
    memset(t->cell, 0, t->capacity * sizeof *t->cell);
    t->used = 0;
    t->full = false;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint32_t place(const struct cells *t, cell_key key, const uint8_t answer[MAX_COLUMNS])
{
    uint64_t low;
    uint32_t high;

    memcpy(&low, answer, sizeof low);
    memcpy(&high, answer + sizeof low, sizeof high);
    return (uint32_t)(mix(mix(mix(1, key), low), high) >> 20) & (t->capacity - 1);
}

_Static_assert(MAX_COLUMNS == 12, "place() reads the answers as one long and one short word");

static bool is_cell(const struct cell *c, cell_key key, const uint8_t answer[MAX_COLUMNS])
{
    return c->key == key && memcmp(c->answer, answer, MAX_COLUMNS) == 0;
}

struct cell *cells_find(struct cells *t, cell_key key, const uint8_t answer[MAX_COLUMNS])
{
    for (uint32_t i = place(t, key, answer);; i++) {
        struct cell *c = &t->cell[i & (t->capacity - 1)];

        if (c->count && is_cell(c, key, answer))
            return c;
        if (c->count)
            continue;
        /* Three quarters full: searches stay short, and an empty place always ends them. */
        if (t->used >= t->capacity / 4 * 3) {
            t->full = true;
            return NULL;
        }
        t->used++;
        c->key = key;
        memcpy(c->answer, answer, MAX_COLUMNS);
        return c;
    }
}

void cells_add_batch(struct cells *t, const struct batch *b, uint64_t first_index, uint8_t (*answers)[MAX_COLUMNS])
{
    /* The strings of a batch differ in opcode and ModRM: these few cells are met again and again. */
    struct cell *last[256] = {NULL};

    for (unsigned i = 0; i < b->n; i++) {
        struct cell **hot = &last[b->key[i] >> 2 & 255], *c = *hot;

        if (!c || !is_cell(c, b->key[i], answers[i])) {
            c = cells_find(t, b->key[i], answers[i]);
            if (!c)
                return;
            *hot = c;
        }
        if (c->count++ == 0) {
            c->first = first_index + i;
            memcpy(c->example, b->bytes[i], STRING_BYTES);
            c->length = b->length[i];
            c->readable = b->readable[i];
        }
    }
}

bool cells_merge(struct cells *t, const struct cells *from)
{
    for (uint32_t i = 0; i < from->capacity; i++) {
        const struct cell *f = &from->cell[i];
        struct cell *c;

        if (!f->count)
            continue;
        c = cells_find(t, f->key, f->answer);
        if (!c)
            return false;
        if (c->count == 0 || f->first < c->first) {
            uint64_t count = c->count;

            *c = *f;
            c->count = count;
        }
        c->count += f->count;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return memcmp(x->answer, y->answer, MAX_COLUMNS);
}

struct cell *cells_sorted(const struct cells *t)
{
    struct cell *out = calloc(t->used + 1u, sizeof *out);
    uint32_t n = 0;

    if (!out)
        return NULL;
    for (uint32_t i = 0; i < t->capacity; i++)
        if (t->cell[i].count)
            out[n++] = t->cell[i];
    qsort(out, n, sizeof *out, by_key);
    return out;
}
