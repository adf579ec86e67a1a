/* SPDX-License-Identifier: MIT */
/*
 * The small machine of mini.h.
 */
#include "mini.h"

#include <string.h>

static struct mini machine;

static const struct {
    uint8_t size, index_bits, top;
    uint64_t va, task_size, vmalloc_start, vmalloc_end, fixaddr_top;
} layouts[FL_MODE_COUNT] = {
    /* arch/x86/include/asm/page_32_types.h and pgtable_64_types.h, 2016: where kernels have these. */
    [FL_MODE_2LEVEL] = {4, 10, 2, 0xf8403000, 0xc0000000, 0xf8000000, 0xff000000, 0xfffff000},
    [FL_MODE_PAE] = {8, 9, 3, 0xf8403000, 0xc0000000, 0xf8000000, 0xff000000, 0xfffff000},
    [FL_MODE_4LEVEL] = {8, 9, 4, 0xffffc98080403000, 0x7ffffffff000, 0xffffc90000000000, 0xffffe90000000000, 0},
    [FL_MODE_5LEVEL] = {8, 9, 5, 0xffa1008080403000, 0xfffffffffff000, 0xffa0000000000000, 0xffd2000000000000, 0},
};

bool mini_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct mini *m = ctx;

    if (paddr >= sizeof m->ram || paddr % size != 0 || (m->no_page_zero && paddr < 4096))
        return false;
    *value = 0;
    memcpy(value, m->ram + paddr, size); /* little-endian hosts */
    return true;
}

unsigned mini_entry_size(const struct mini *m)
{
    return layouts[m->s.cpu.mode].size;
}

uint64_t mini_get(struct mini *m, uint64_t paddr)
{
    uint64_t value = 0;

    mini_read(m, paddr, mini_entry_size(m), &value);
    return value;
}

void mini_put(struct mini *m, uint64_t paddr, uint64_t value)
{
    if (paddr >= sizeof m->ram)
        return;
    if (m->ntouched < sizeof m->touched / sizeof m->touched[0])
        m->touched[m->ntouched] = paddr;
    m->ntouched++;
    memcpy(m->ram + paddr, &value, mini_entry_size(m));
}

void mini_clear(struct mini *m)
{
    if (m->ntouched > sizeof m->touched / sizeof m->touched[0])
        memset(m->ram, 0, sizeof m->ram);
    else
        for (unsigned i = 0; i < m->ntouched; i++)
            memset(m->ram + m->touched[i], 0, 8);
    m->ntouched = m->nqueue = m->nlog = m->flushes = 0;
}

struct mini *mini_machine(enum fl_mode mode, enum fl_generation generation)
{
    struct mini *m = &machine;
    bool wide = mode >= FL_MODE_4LEVEL;

    mini_clear(m);
    m->no_page_zero = false;
    m->start = 0;
    memset(m->insync, 0, sizeof m->insync);
    m->s = (struct fl_snapshot){
        .cpu = {.mode = mode,
                .vendor = FL_VENDOR_INTEL,
                .family = 6,
                .maxphyaddr = 40,
                .page1gb = true,
                .cr0 = 0x80010001, /* PG, WP, PE */
                .cr3 = MFRAME(FRAME_LIVE),
                .cr4 = mode == FL_MODE_2LEVEL ? 0x10 : 0x30, /* PSE; PAE */
                .efer = wide ? 0xd00 : 0},
        .kernel = {.task_size = layouts[mode].task_size,
                   .word = wide ? 8 : 4,
                   .generation = generation,
                   .page_offset = wide ? mode == FL_MODE_4LEVEL ? 0xffff880000000000 : 0xff11000000000000 : 0xc0000000,
                   .vmalloc_start = layouts[mode].vmalloc_start,
                   .vmalloc_end = layouts[mode].vmalloc_end,
                   .fixaddr_top = layouts[mode].fixaddr_top,
                   .init_root = MFRAME(FRAME_REFERENCE)},
        .task = {.pid = 2, .has_mm = true, .mm_root = MFRAME(FRAME_LIVE), .active_root = MFRAME(FRAME_LIVE)},
        .codeseg = {.bits = wide ? 64 : 32, .limit = 0xffffffff},
        .cr2 = layouts[mode].va,
        .ctx = m,
        .read = mini_read,
    };
    return m;
}

uint64_t mini_at(const struct mini *m, unsigned frame, unsigned level)
{
    unsigned bits = layouts[m->s.cpu.mode].index_bits, shift = 12 + (level - 1) * bits;

    if (m->s.cpu.mode == FL_MODE_PAE && level == 3)
        bits = 2;
    return MFRAME(frame) + (m->s.cr2 >> shift & ((1u << bits) - 1)) * layouts[m->s.cpu.mode].size;
}

void mini_write(struct mini *m, const struct fl_entry_write *w)
{
    if (m->nlog < MINI_LOG)
        m->log[m->nlog++] = *w;
    if (m->s.lazy_mmu && w->how != FL_SET_PLAIN) {
        if (m->nqueue < MINI_QUEUE)
            m->queue[m->nqueue++] = *w;
        return;
    }
    mini_put(m, w->paddr, w->value);
}

void mini_flush(struct mini *m)
{
    m->flushes++;
    for (unsigned i = 0; i < m->nqueue; i++)
        mini_put(m, m->queue[i].paddr, m->queue[i].value);
    m->nqueue = 0;
}

void mini_apply(struct mini *m, const struct fl_sync_expected *e)
{
    for (unsigned i = 0; i < e->nwrites; i++)
        mini_write(m, &e->write[i]);
    if (e->flush)
        mini_flush(m);
}

#define MAX_WRITES 8192

struct writes {
    unsigned n;
    struct fl_entry_write write[MAX_WRITES];
};

static void note(void *ctx, const struct fl_entry_write *write)
{
    struct writes *w = ctx;

    if (w->n < MAX_WRITES)
        w->write[w->n++] = *write;
}

enum fl_sync_end mini_sync_all(struct mini *m)
{
    static struct writes writes;
    struct fl_sync_all all = {.cpu = m->s.cpu,
                              .kernel = m->s.kernel,
                              .pgd = {MFRAME(FRAME_LIVE), MFRAME(FRAME_OTHER)},
                              .npgds = 2,
                              .read = mini_read,
                              .ctx = m};
    enum fl_sync_end end = FL_SYNC_COUNT;

    writes.n = 0;
    if (fl_sync_all_decide(&all, &m->start, m->insync, note, &writes, &end) != FL_OK)
        return FL_SYNC_COUNT;
    for (unsigned i = 0; i < writes.n; i++)
        mini_put(m, writes.write[i].paddr, writes.write[i].value);
    return end;
}

enum fl_touch_end mini_touch(struct mini *m, const struct fl_access *a, uint64_t *code)
{
    struct fl_sync_expected want;
    struct fl_arch_result walk;

    *code = 0;
    for (unsigned n = 0; n < 8; n++) {
        if (fl_arch_walk(&m->s.cpu, a, mini_read, m, &walk) != FL_OK)
            return FL_TOUCH_COUNT;
        if (n == 0)
            *code = walk.error_code;
        if (walk.kind == FL_ARCH_OK)
            return FL_TOUCH_DONE;
        /* #GP and bus errors are not the handler's; P, U or RSVD (bits 0, 2, 3) in the code: nothing is done. */
        if (walk.kind != FL_ARCH_PF || (walk.error_code & 0xd))
            return FL_TOUCH_REFUSED;
        m->s.error_code = walk.error_code;
        if (fl_sync_decide(&m->s, &want) != FL_OK)
            return FL_TOUCH_COUNT;
        mini_apply(m, &want);
        switch (want.end) {
        case FL_SYNC_NOT_HANDLED: return FL_TOUCH_REFUSED;
        case FL_SYNC_BUG: return FL_TOUCH_BUG;
        case FL_SYNC_WILD: return FL_TOUCH_WILD;
        default: break;
        }
    }
    return FL_TOUCH_LOOP;
}
