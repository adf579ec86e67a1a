/* SPDX-License-Identifier: MIT */
/*
 * Physical memory. Between scenarios every byte is zero; what may differ from that is known by line (64 bytes), so that
 * a reset costs as much as was written and no more.
 */
#define _DEFAULT_SOURCE
#include "state.h"

#include <sys/mman.h>

bool ram_open(struct fl_world *w)
{
    void *p = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    w->ram = p;
    return true;
}

void ram_close(struct fl_world *w)
{
    munmap(w->ram, RAM_SIZE);
}

static void scrub(struct fl_world *w, unsigned frame)
{
    uint64_t lines = w->lines[frame];
    uint8_t *bytes = frame_bytes(w, frame);

    w->lines[frame] = 0;
    if (lines == UINT64_MAX) {
        memset(bytes, 0, PAGE_SIZE);
        return;
    }
    for (; lines; lines &= lines - 1)
        memset(bytes + (unsigned)__builtin_ctzll(lines) * LINE_SIZE, 0, LINE_SIZE);
}

void ram_reset(struct fl_world *w)
{
    for (unsigned i = 0; i < w->ndirty; i++) {
        scrub(w, w->dirty[i]);
        w->listed[w->dirty[i]] = false;
    }
    w->ndirty = 0;
    if (w->next_frame > FRAME_POOL)
        memset(&w->tag[FRAME_POOL], TAG_FREE, w->next_frame - FRAME_POOL);
    w->next_frame = FRAME_POOL;
    w->nspare = 0;
    memset(w->named, 0, sizeof(w->named));
    w->pool_aliased = false;
}

static void mark(struct fl_world *w, unsigned frame, uint64_t lines)
{
    w->lines[frame] |= lines;
    if (!w->listed[frame]) {
        w->listed[frame] = true;
        w->dirty[w->ndirty++] = (uint16_t)frame;
    }
}

void ram_touch(struct fl_world *w, uint64_t paddr, uint64_t size)
{
    if (paddr >= RAM_SIZE || size == 0)
        return;
    uint64_t end = size > RAM_SIZE - paddr ? RAM_SIZE : paddr + size;
    while (paddr < end) {
        unsigned frame = (unsigned)(paddr >> PAGE_SHIFT);
        uint64_t stop = ((uint64_t)frame + 1) << PAGE_SHIFT;
        if (stop > end)
            stop = end;
        unsigned first = (unsigned)(paddr & (PAGE_SIZE - 1)) / LINE_SIZE;
        unsigned last = (unsigned)((stop - 1) & (PAGE_SIZE - 1)) / LINE_SIZE;
        mark(w, frame, (UINT64_MAX >> (63 - (last - first))) << first);
        paddr = stop;
    }
}

/* Entries are little-endian whatever the host is; compilers turn these into one load or store. */
uint64_t ram_get(const struct fl_world *w, uint64_t paddr, unsigned size)
{
    const uint8_t *p = w->ram + paddr;
    uint64_t low = (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
    if (size == 4)
        return low;
    return low | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

void ram_put(struct fl_world *w, uint64_t paddr, unsigned size, uint64_t value)
{
    uint8_t *p = w->ram + paddr;

    mark(w, (unsigned)(paddr >> PAGE_SHIFT), (uint64_t)1 << (paddr & (PAGE_SIZE - 1)) / LINE_SIZE);
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
    if (size == 4)
        return;
    p[4] = (uint8_t)(value >> 32);
    p[5] = (uint8_t)(value >> 40);
    p[6] = (uint8_t)(value >> 48);
    p[7] = (uint8_t)(value >> 56);
}

unsigned frames_left(const struct fl_world *w)
{
    return w->nspare + (FL_RAM_POOL_END - w->next_frame);
}

unsigned frame_alloc(struct fl_world *w, uint8_t tag)
{
    unsigned frame = w->nspare ? w->spare[--w->nspare] : w->next_frame++;

    /* Where the guest may have written to a free frame, in this very event, the marks do not know of it yet. */
    if (w->pool_aliased || frame_named(w, frame))
        mark(w, frame, UINT64_MAX);
    if (w->lines[frame])
        scrub(w, frame);
    w->tag[frame] = tag;
    return frame;
}

void frame_free(struct fl_world *w, unsigned frame)
{
    w->tag[frame] = TAG_FREE;
    w->spare[w->nspare++] = (uint16_t)frame;
}

void frame_name(struct fl_world *w, unsigned first, unsigned count)
{
    if (count > 1) { /* a large page: aligned, so it covers the whole pool or none of it */
        if (first < FL_RAM_POOL_END)
            w->pool_aliased = true;
        for (unsigned i = first / 64; i < FL_RAM_FRAMES / 64 && i < (first + count) / 64; i++)
            w->named[i] = UINT64_MAX;
        return;
    }
    w->named[first / 64] |= (uint64_t)1 << first % 64;
}

bool frame_named(const struct fl_world *w, unsigned frame)
{
    return w->named[frame / 64] >> frame % 64 & 1;
}
