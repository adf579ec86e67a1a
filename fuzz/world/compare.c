/* SPDX-License-Identifier: MIT */
#include "state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void fl_world_set_prefault(struct fl_world *w, bool on)
{
    w->prefault = on;
}

enum fl_status fl_world_populate(struct fl_world *w, uint64_t va)
{
    const struct fl_vma *vma = vma_find(w, va);
    const struct page *p = page_find(w, va & PAGE_MASK);

    if (!vma || va < vma->start || (p && p->mapped))
        return FL_INVALID;
    switch (mm_bring_in(w, vma, va, vma->write)) {
    case FL_MM_OOM: return FL_NO_MEMORY;
    case FL_MM_SIGBUS: return FL_INVALID;
    default: return page_find(w, va & PAGE_MASK) ? FL_OK : FL_INVALID; /* no permission at all: nothing to map */
    }
}

const char *fl_world_not_transparent(const struct fl_world *w)
{
    return w->not_transparent;
}

/* ---- equal for the task? ---------------------------------------------------------------------------------------- */

static bool same_vma(const struct fl_vma *a, const struct fl_vma *b)
{
    return a->start == b->start && a->end == b->end && a->read == b->read && a->write == b->write &&
           a->exec == b->exec && a->shared == b->shared && a->growsdown == b->growsdown && a->backing == b->backing &&
           a->file == b->file && a->pkey == b->pkey && a->pgoff == b->pgoff && a->file_pages == b->file_pages;
}

static bool vmas_differ(const struct fl_world *a, const struct fl_world *b, uint64_t *va)
{
    unsigned i = 0;

    while (i < a->nvmas && i < b->nvmas && same_vma(&a->vmas[i], &b->vmas[i]))
        i++;
    if (i == a->nvmas && i == b->nvmas)
        return false;
    if (i == a->nvmas)
        *va = b->vmas[i].start;
    else if (i == b->nvmas || a->vmas[i].start < b->vmas[i].start)
        *va = a->vmas[i].start;
    else
        *va = b->vmas[i].start;
    return true;
}

/* Lowers *first to the first byte that differs in the page at va. */
static void compare_page(struct fl_world *a, struct fl_world *b, uint64_t va, uint64_t *first)
{
    uint8_t abuf[PAGE_SIZE], bbuf[PAGE_SIZE];
    const struct fl_vma *vma = vma_find(a, va);
    const uint8_t *x, *y;

    if (!vma || va < vma->start || va >= *first)
        return;
    x = page_view(a, vma, va, abuf);
    y = page_view(b, vma, va, bbuf);
    if (memcmp(x, y, PAGE_SIZE) == 0)
        return;
    while (*x == *y) {
        x++;
        y++;
        va++;
    }
    if (va < *first)
        *first = va;
}

/* Pages that neither world has anything of its own for are equal by construction: only what one of them holds in a
 * frame needs a look. `held` is the world whose frames are gone through. */
static void compare_held(struct fl_world *a, struct fl_world *b, const struct fl_world *held, uint64_t *first)
{
    for (unsigned i = 0; i < held->npages; i++)
        if (held->pages[i].kind)
            compare_page(a, b, held->pages[i].va, first);
    for (unsigned f = FRAME_POOL; f < held->next_frame; f++) {
        if (held->tag[f] != TAG_CACHE)
            continue;
        for (unsigned i = 0; i < a->nvmas; i++) {
            const struct fl_vma *v = &a->vmas[i];
            uint64_t page = (uint32_t)(held->cache_index[f] - v->pgoff);
            if (v->backing == FL_BACK_FILE && v->file == held->cache_file[f] &&
                page < (v->end - v->start) >> PAGE_SHIFT)
                compare_page(a, b, v->start + (page << PAGE_SHIFT), first);
        }
    }
}

bool fl_world_differs(struct fl_world *a, struct fl_world *b, uint64_t *va)
{
    uint64_t first = UINT64_MAX;

    if (vmas_differ(a, b, va))
        return true;
    compare_held(a, b, a, &first);
    compare_held(a, b, b, &first);
    if (first == UINT64_MAX)
        return false;
    *va = first;
    return true;
}

/* ---- digest ----------------------------------------------------------------------------------------------------- */

static uint64_t mix_words(uint64_t h, const uint64_t *words, size_t n)
{
    return XXH3_64bits_withSeed(words, n * sizeof(*words), h);
}

static uint64_t digest_tables(const struct fl_world *w, uint64_t h)
{
    static const uint8_t zeros[LINE_SIZE];

    for (unsigned f = FRAME_ROOT; f < w->next_frame; f++) {
        if (w->tag[f] < 1 || w->tag[f] > TAG_TABLE_MAX)
            continue;
        for (uint64_t lines = w->lines[f]; lines; lines &= lines - 1) {
            uint64_t place = (uint64_t)f * PAGE_SIZE + (unsigned)__builtin_ctzll(lines) * LINE_SIZE;
            /* A line that was written and is zero again is as one that never was written. */
            if (memcmp(w->ram + place, zeros, LINE_SIZE) != 0)
                h = XXH3_64bits_withSeed(w->ram + place, LINE_SIZE, h ^ place);
        }
    }
    return h;
}

uint64_t fl_world_digest(struct fl_world *w)
{
    const struct fl_regs *r = &w->regs;
    uint64_t h = digest_tables(w, w->nvmas);

    for (unsigned i = 0; i < w->nvmas; i++) { /* generations left out: a change that changes nothing is none */
        const struct fl_vma *v = &w->vmas[i];
        uint64_t flags = (uint64_t)v->read | (uint64_t)v->write << 1 | (uint64_t)v->exec << 2 |
                         (uint64_t)v->shared << 3 | (uint64_t)v->growsdown << 4 | (uint64_t)v->backing << 8 |
                         (uint64_t)v->file << 16 | (uint64_t)v->pkey << 24;
        h = mix_words(h, (uint64_t[]){v->start, v->end, flags, (uint64_t)v->pgoff << 32 | v->file_pages}, 4);
    }
    for (unsigned i = 0; i < w->nqueued; i++) {
        const struct queued *q = &w->queued[i];
        h = mix_words(h, (uint64_t[]){q->paddr, q->value, q->size}, 3);
    }
    h = mix_words(h, r->gpr, FL_GPR_COUNT);
    uint64_t selectors = (uint64_t)r->cs << 48 | (uint64_t)r->ss << 32 | (uint64_t)r->ds << 16 | r->es;
    return mix_words(h,
                     (uint64_t[]){r->ip, r->flags, selectors, (uint64_t)r->fs << 16 | r->gs, r->fs_base, r->gs_base,
                                  w->codeseg.base, (uint64_t)w->codeseg.bits << 32 | w->codeseg.limit, w->cpu.cr3,
                                  w->mm},
                     10);
}
