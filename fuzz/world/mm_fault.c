/* SPDX-License-Identifier: MIT */
/*
 * handle_mm_fault: demand paging and copy on write, planned first and then done, so that a snapshot can say what the
 * answer will be without doing it.
 *
 * What a page becomes:
 *     anonymous, private   read: zero page, read only   write: own zeroed frame
 *     anonymous, shared    own zeroed frame, kept when the leaf is zapped
 *     file, private        read: page cache, read only  write: own copy
 *     file, shared         page cache, writable if the VMA is
 * A page with contents of its own keeps them. The model never grants what the VMA forbids: a write to a VMA without
 * write permission brings the page in as a read does, and a VMA without any permission gets no leaf; the re-walk tells
 * on the core that asked for it.
 */
#include "state.h"

struct plan {
    enum fl_mm_result result;
    bool nothing;      /* no permission at all: nothing to map */
    uint8_t kind;      /* enum page_kind */
    bool new_frame;    /* an anonymous frame is needed */
    bool write;        /* as permitted */
    struct page *page; /* record, or NULL */
};

static void plan_fault(struct fl_world *w, const struct fl_vma *vma, uint64_t va, bool write, struct plan *p)
{
    unsigned frames = 0;
    bool file = vma->backing == FL_BACK_FILE;

    *p = (struct plan){.result = FL_MM_MINOR, .write = write && vma->write};
    if (file && vma_file_index(vma, va) >= vma->file_pages) {
        p->result = FL_MM_SIGBUS;
        return;
    }
    if (!vma->read && !vma->write && !vma->exec) {
        p->nothing = true;
        return;
    }
    p->page = page_find(w, va);
    if (p->page && p->page->kind == PAGE_ANON)
        p->kind = PAGE_ANON;
    else if (file && (vma->shared || !p->write))
        p->kind = PAGE_CACHE;
    else if (!file && !vma->shared && !p->write)
        p->kind = PAGE_ZERO;
    else {
        p->kind = PAGE_ANON;
        p->new_frame = true;
    }

    frames = tables_missing(w, va) + p->new_frame;
    if (p->kind == PAGE_CACHE && !cache_find(w, vma->file, vma_file_index(vma, va)))
        frames++;
    if (frames > frames_left(w) || (!p->page && pages_left(w) < 1))
        p->result = FL_MM_OOM;
}

static unsigned make_frame(struct fl_world *w, const struct fl_vma *vma, uint64_t va, const struct plan *p)
{
    uint32_t index = vma_file_index(vma, va);

    if (p->kind == PAGE_ZERO)
        return FRAME_ZERO;
    if (p->kind == PAGE_CACHE)
        return cache_make(w, vma->file, index);
    if (!p->new_frame)
        return p->page->frame;

    unsigned frame = frame_alloc(w, TAG_ANON);
    if (vma->backing == FL_BACK_FILE) {
        unsigned cached = cache_find(w, vma->file, index);
        if (cached)
            memcpy(frame_bytes(w, frame), frame_bytes(w, cached), PAGE_SIZE);
        else
            file_pattern(vma->file, index, frame_bytes(w, frame));
        ram_touch(w, (uint64_t)frame << PAGE_SHIFT, PAGE_SIZE);
    }
    return frame;
}

static void map_page(struct fl_world *w, const struct fl_vma *vma, uint64_t va, const struct plan *p)
{
    unsigned frame = make_frame(w, vma, va, p), size = tables_entry_size(w);
    uint64_t at = tables_force(w, va), before = ram_get(w, at, size);
    struct page *page = p->page ? p->page : page_add(w, va);
    bool same = tables_present(before) && tables_frame(w, before) == frame;
    struct leaf_bits bits = {
        .present = true, .user = true, .accessed = true, .no_exec = !vma->exec, .pkey = vma->pkey, .dirty = p->write};

    /* A page of its own becomes writable by a write only, or stays so; a shared one as soon as it is there. */
    if (p->kind == PAGE_ANON && !vma->shared)
        bits.write = p->write || (vma->write && same && tables_writable(before));
    else
        bits.write = vma->write && vma->shared;

    page->kind = p->kind;
    page->frame = (uint16_t)frame;
    page->mapped = true;
    uint64_t after = tables_leaf_entry(w, 1, frame, &bits) | (same ? tables_keep_ad(before) : 0);
    if (after != before)
        ram_put(w, at, size, after);
}

enum fl_mm_result mm_predict(struct fl_world *w, const struct fl_vma *vma, uint64_t addr, bool write)
{
    struct plan p;
    plan_fault(w, vma, addr & PAGE_MASK, write, &p);
    return p.result;
}

enum fl_mm_result mm_bring_in(struct fl_world *w, const struct fl_vma *vma, uint64_t addr, bool write)
{
    struct plan p;

    plan_fault(w, vma, addr & PAGE_MASK, write, &p);
    if (p.result == FL_MM_OOM)
        world_opaque(w, "the frame pool was used up");
    if (p.result == FL_MM_MINOR && !p.nothing)
        map_page(w, vma, addr & PAGE_MASK, &p);
    return p.result;
}

void mm_prefault(struct fl_world *w, const struct fl_vma *vma)
{
    uint64_t pages = (vma->end - vma->start) >> PAGE_SHIFT;

    for (uint64_t i = 0; i < pages && i < 2 * FL_PREFAULT_PAGES; i++) {
        /* From the end down, then (of what is left) from the start up. */
        uint64_t va =
            i < FL_PREFAULT_PAGES ? vma->end - (i + 1) * PAGE_SIZE : vma->start + (i - FL_PREFAULT_PAGES) * PAGE_SIZE;
        if (mm_bring_in(w, vma, va, vma->write) == FL_MM_OOM)
            return;
    }
}
