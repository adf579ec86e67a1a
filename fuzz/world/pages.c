/* SPDX-License-Identifier: MIT */
/*
 * What the pages of the task hold. A page record says which frame (if any) belongs to a page of the address space; the
 * page cache says which frame holds a page of a file. Contents that are not mapped (written by a BYTES record before
 * any fault) sit in a frame like the others and wait, as pages in the swap cache do.
 */
#include "state.h"

static unsigned page_hash(uint64_t va)
{
    return (unsigned)((va >> PAGE_SHIFT) * UINT64_C(0x9e3779b97f4a7c15) >> 56) % PAGE_BUCKETS;
}

static unsigned cache_hash(uint8_t file, uint32_t index)
{
    return (index * 2654435761u >> 24 ^ file) % CACHE_BUCKETS;
}

void pages_reset(struct fl_world *w)
{
    for (unsigned i = 0; i < w->npages; i++) {
        if (w->pages[i].kind)
            w->page_bucket[page_hash(w->pages[i].va)] = 0;
        w->pages[i].kind = 0;
    }
    w->npages = w->live_pages = 0;
    w->free_page = 0;
    for (unsigned f = FRAME_POOL; f < w->next_frame; f++)
        if (w->tag[f] == TAG_CACHE)
            w->cache_bucket[cache_hash(w->cache_file[f], w->cache_index[f])] = FRAME_NONE;
}

struct page *page_find(struct fl_world *w, uint64_t va)
{
    for (unsigned i = w->page_bucket[page_hash(va)]; i; i = w->pages[i - 1].next)
        if (w->pages[i - 1].va == va)
            return &w->pages[i - 1];
    return NULL;
}

unsigned pages_left(const struct fl_world *w)
{
    return MAX_PAGES - w->live_pages;
}

struct page *page_add(struct fl_world *w, uint64_t va)
{
    unsigned i = w->free_page;
    if (i)
        w->free_page = w->pages[i - 1].next;
    else
        i = ++w->npages;

    uint16_t *bucket = &w->page_bucket[page_hash(va)];
    struct page *p = &w->pages[i - 1];
    *p = (struct page){.va = va, .next = *bucket};
    *bucket = (uint16_t)i;
    w->live_pages++;
    return p;
}

void page_drop(struct fl_world *w, struct page *p)
{
    uint16_t self = (uint16_t)(p - w->pages + 1), *link = &w->page_bucket[page_hash(p->va)];

    while (*link != self)
        link = &w->pages[*link - 1].next;
    *link = p->next;
    if (p->kind == PAGE_ANON)
        frame_free(w, p->frame);
    p->kind = 0;
    p->next = w->free_page;
    w->free_page = self;
    w->live_pages--;
}

void page_unmap(struct fl_world *w, struct page *p)
{
    uint64_t at;
    if (p->mapped && tables_find_pte(w, p->va, &at))
        ram_put(w, at, tables_entry_size(w), 0);
    p->mapped = false;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* Every file has a page of contents at every index: words that tell file, page and place apart. */
void file_pattern(uint8_t file, uint32_t index, uint8_t bytes[PAGE_SIZE])
{
    uint64_t x = ((uint64_t)index << 8 | file) * UINT64_C(0xbf58476d1ce4e5b9) + UINT64_C(0x94d049bb133111eb);

    for (unsigned i = 0; i < PAGE_SIZE; i += 4) {
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(x >> 56);
        bytes[i + 1] = (uint8_t)(x >> 48);
        bytes[i + 2] = (uint8_t)(x >> 40);
        bytes[i + 3] = (uint8_t)(x >> 32);
    }
}

uint32_t vma_file_index(const struct fl_vma *vma, uint64_t va)
{
    /* Modular: a file mapping that grew down below page 0 of its file lies beyond every file's end. */
    return vma->pgoff + (uint32_t)(va >> PAGE_SHIFT) - (uint32_t)(vma->start >> PAGE_SHIFT);
}

unsigned cache_find(const struct fl_world *w, uint8_t file, uint32_t index)
{
    for (unsigned f = w->cache_bucket[cache_hash(file, index)]; f; f = w->cache_next[f])
        if (w->cache_file[f] == file && w->cache_index[f] == index)
            return f;
    return FRAME_NONE;
}

unsigned cache_make(struct fl_world *w, uint8_t file, uint32_t index)
{
    unsigned frame = cache_find(w, file, index);
    if (frame)
        return frame;

    uint16_t *bucket = &w->cache_bucket[cache_hash(file, index)];
    frame = frame_alloc(w, TAG_CACHE);
    file_pattern(file, index, frame_bytes(w, frame));
    ram_touch(w, (uint64_t)frame << PAGE_SHIFT, PAGE_SIZE);
    w->cache_file[frame] = file;
    w->cache_index[frame] = index;
    w->cache_next[frame] = *bucket;
    *bucket = (uint16_t)frame;
    return frame;
}

/* ---- contents --------------------------------------------------------------------------------------------------- */

const uint8_t *page_view(struct fl_world *w, const struct fl_vma *vma, uint64_t va, uint8_t buf[PAGE_SIZE])
{
    const struct page *p = page_find(w, va);

    if (p && p->kind == PAGE_ANON)
        return frame_bytes(w, p->frame);
    if (vma->backing == FL_BACK_FILE) {
        uint32_t index = vma_file_index(vma, va);
        if (index >= vma->file_pages)
            return frame_bytes(w, FRAME_ZERO); /* SIGBUS for the task, whoever else has more of that file */
        unsigned frame = cache_find(w, vma->file, index);
        if (frame)
            return frame_bytes(w, frame);
        file_pattern(vma->file, index, buf);
        return buf;
    }
    return frame_bytes(w, FRAME_ZERO);
}

static void store(struct fl_world *w, uint64_t paddr, const uint8_t *data, unsigned n)
{
    memcpy(w->ram + paddr, data, n);
    ram_touch(w, paddr, n);
}

/* Has some other VMA a private view of that file page? Prefaulting has copied it by now, demand paging may not have. */
static void check_other_views(struct fl_world *w, const struct fl_vma *vma, uint32_t index)
{
    for (unsigned i = 0; i < w->nvmas; i++) {
        const struct fl_vma *v = &w->vmas[i];
        if (v != vma && v->backing == FL_BACK_FILE && v->file == vma->file && !v->shared &&
            (uint32_t)(index - v->pgoff) < (v->end - v->start) >> PAGE_SHIFT)
            world_opaque(w, "contents given to a file page that is mapped privately elsewhere");
    }
}

/* Contents by way of the VMA. A page of a file that the task has a private copy of is written in both places: the file
 * as if it had been so from the start, and the copy that the task sees. Prefaulting copies earlier than demand paging
 * does, and must not change what a scenario means. */
static enum fl_status write_vma_page(struct fl_world *w, const struct fl_vma *vma, uint64_t va, const uint8_t *data,
                                     unsigned n)
{
    uint64_t page = va & PAGE_MASK, offset = va & (PAGE_SIZE - 1);
    struct page *p = page_find(w, page);
    bool file = vma->backing == FL_BACK_FILE, own = p && p->kind == PAGE_ANON;

    if (file) {
        uint32_t index = vma_file_index(vma, va);
        if (index >= vma->file_pages)
            return FL_INVALID;
        if (!cache_find(w, vma->file, index) && frames_left(w) < 1)
            return FL_NO_MEMORY;
        check_other_views(w, vma, index);
        store(w, ((uint64_t)cache_make(w, vma->file, index) << PAGE_SHIFT) + offset, data, n);
        if (!own)
            return FL_OK;
    }
    if (!own) {
        if (frames_left(w) < 1 || (!p && pages_left(w) < 1))
            return FL_NO_MEMORY;
        if (p)
            page_unmap(w, p); /* the zero page: the next fault finds the new frame */
        else
            p = page_add(w, page);
        p->kind = PAGE_ANON;
        p->frame = (uint16_t)frame_alloc(w, TAG_ANON);
    }
    store(w, ((uint64_t)p->frame << PAGE_SHIFT) + offset, data, n);
    if (w->prefault && !p->mapped)
        mm_prefault(w, vma);
    return FL_OK;
}

enum fl_status page_write_bytes(struct fl_world *w, uint64_t va, const uint8_t *data, unsigned n)
{
    const struct fl_vma *vma = vma_find(w, va);
    struct page *p = page_find(w, va & PAGE_MASK);
    struct tables_walk walk;
    bool covered = vma && vma->start <= va;

    tables_walk(w, va, &walk);
    bool in_ram = walk.mapped && walk.paddr < RAM_SIZE;
    /* A leaf that the model did not make (MAP, ENTRY) is what the task sees, whatever the VMA says. */
    bool ours = p && p->mapped && walk.paddr >> PAGE_SHIFT == p->frame;
    if (in_ram && !(covered && ours)) {
        store(w, walk.paddr, data, n);
        return FL_OK;
    }
    return covered ? write_vma_page(w, vma, va, data, n) : FL_INVALID;
}
