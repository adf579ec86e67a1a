/* SPDX-License-Identifier: MIT */
/* What the world's tests share: machines, records, and a page walker of their own. */
#ifndef FAULTLINE_TESTS_WORLD_FIXTURE_H
#define FAULTLINE_TESTS_WORLD_FIXTURE_H

#include "check.h"
#include <faultline/fuzz/world.h>

#define PAGE UINT64_C(4096)

static const char *const mode_names[FL_MODE_COUNT] = {"2level", "pae", "4level", "5level"};

static inline struct fl_machine machine_of(unsigned mode)
{
    bool wide = mode >= FL_MODE_4LEVEL;
    return (struct fl_machine){.mode = (uint8_t)mode,
                               .family = 6,
                               .maxphyaddr = 40,
                               .pse36 = true,
                               .page1gb = true,
                               .wp = true,
                               .pse = true,
                               .nxe = true,
                               .code_bits = wide ? 64 : 32,
                               .user = true,
                               .has_mm = true,
                               .pid = 7,
                               .ip = 0x400000,
                               .sp = 0x800000,
                               .flags = 0x202,
                               .seg_limit = 0xffffffff,
                               .stack_pages = 2048,
                               .as_pages = 1u << 20,
                               .min_addr_pages = 16};
}

static inline struct fl_world *open_world(void)
{
    struct fl_world *w = NULL;
    if (fl_world_open(&w) != FL_OK) {
        fprintf(stderr, "cannot open a world\n");
        exit(1);
    }
    return w;
}

static inline enum fl_status map(struct fl_world *w, uint64_t va, unsigned frame, unsigned level, unsigned flags)
{
    struct fl_record r = {.kind = FL_REC_MAP};
    r.u.map.va = va;
    r.u.map.frame = (uint16_t)frame;
    r.u.map.level = (uint8_t)level;
    r.u.map.flags = (uint8_t)flags;
    r.u.map.pkey = 5;
    return fl_world_apply(w, &r);
}

static inline enum fl_status entry(struct fl_world *w, uint64_t va, unsigned level, uint64_t set, uint64_t mask)
{
    struct fl_record r = {.kind = FL_REC_ENTRY};
    r.u.entry.va = va;
    r.u.entry.level = (uint8_t)level;
    r.u.entry.set = set;
    r.u.entry.mask = mask;
    return fl_world_apply(w, &r);
}

static inline enum fl_status vma(struct fl_world *w, uint64_t start, unsigned pages, unsigned flags)
{
    struct fl_record r = {.kind = FL_REC_VMA};
    r.u.vma.start = start;
    r.u.vma.pages = pages;
    r.u.vma.flags = (uint8_t)flags;
    r.u.vma.file = 1;
    r.u.vma.pgoff = 4;
    r.u.vma.file_pages = 12; /* so a file VMA of more than 8 pages ends beyond its file */
    return fl_world_apply(w, &r);
}

static inline enum fl_status range(struct fl_world *w, unsigned kind, uint64_t start, unsigned pages, unsigned prot)
{
    struct fl_record r = {.kind = (uint8_t)kind};
    r.u.range.start = start;
    r.u.range.pages = pages;
    r.u.range.prot = (uint8_t)prot;
    return fl_world_apply(w, &r);
}

static inline enum fl_status bytes(struct fl_world *w, uint64_t va, const char *text)
{
    struct fl_record r = {.kind = FL_REC_BYTES};
    r.u.bytes.va = va;
    r.u.bytes.n = (uint8_t)strlen(text);
    memcpy(r.u.bytes.data, text, strlen(text));
    return fl_world_apply(w, &r);
}

static inline void inject(struct fl_world *w, unsigned op, unsigned n)
{
    struct fl_record r = {.kind = FL_REC_INJECT};
    r.u.inject.op = (uint8_t)op;
    r.u.inject.n = (uint8_t)n;
    fl_world_apply(w, &r);
}

static inline enum fl_status ioremap(struct fl_world *w, uint64_t va, unsigned leaves, unsigned level, unsigned frame)
{
    struct fl_record r = {.kind = FL_REC_IOREMAP};
    r.u.ioremap.va = va;
    r.u.ioremap.leaves = (uint16_t)leaves;
    r.u.ioremap.level = (uint8_t)level;
    r.u.ioremap.frame = (uint16_t)frame;
    r.u.ioremap.flags = FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_ACCESSED | FL_MAP_DIRTY | FL_MAP_GLOBAL;
    return fl_world_apply(w, &r);
}

static inline enum fl_status iounmap(struct fl_world *w, uint64_t start, unsigned pages)
{
    struct fl_record r = {.kind = FL_REC_IOUNMAP};
    r.u.iounmap.start = start;
    r.u.iounmap.pages = pages;
    return fl_world_apply(w, &r);
}

static inline enum fl_status fork_mm(struct fl_world *w, unsigned mm)
{
    struct fl_record r = {.kind = FL_REC_FORK};
    r.u.mm.mm = (uint8_t)mm;
    return fl_world_apply(w, &r);
}

static inline enum fl_status switch_to(struct fl_world *w, unsigned mm, bool lag)
{
    struct fl_record r = {.kind = FL_REC_SWITCH};
    r.u.mm.mm = (uint8_t)mm;
    r.u.mm.lag = lag;
    return fl_world_apply(w, &r);
}

/* One mm_fault as a core does it: lock, find, ask, unlock. */
static inline enum fl_mm_result touch(struct fl_world *w, uint64_t va, bool write)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_vma v;
    enum fl_mm_result result = FL_MM_COUNT;

    ops->lock_take(w);
    if (ops->vma_find(w, va, &v) && v.start <= va)
        result = ops->mm_fault(w, v.generation, va, FL_MM_USER | (write ? (unsigned)FL_MM_WRITE : 0));
    ops->lock_drop(w);
    return result;
}

/* ---- a walker that shares nothing with the world's -------------------------------------------------------------- */

struct seen {
    bool present, write, user, nx, accessed, dirty;
    uint64_t paddr;
    unsigned shift;
    uint64_t leaf; /* raw */
};

static inline uint64_t peek(const struct fl_ram *ram, uint64_t at, unsigned size)
{
    uint64_t v = 0;
    if (at + size <= ram->size)
        memcpy(&v, ram->base + at, size);
    return v;
}

static inline struct seen look_under(struct fl_world *w, uint64_t root, uint64_t va)
{
    const struct fl_cpu *c = fl_world_cpu(w);
    struct fl_ram ram = fl_world_ram(w);
    struct seen s = {.write = true, .user = true};
    uint64_t e, table = root;

    if (c->mode == FL_MODE_2LEVEL) {
        e = peek(&ram, table + (va >> 22 & 0x3ff) * 4, 4);
        if (!(e & 1))
            return (struct seen){0};
        s.write = e & 2;
        s.user = e & 4;
        s.shift = 22;
        if (!((e & 0x80) && (c->cr4 & 0x10))) {
            e = peek(&ram, (e & 0xfffff000) + (va >> 12 & 0x3ff) * 4, 4);
            s.write &= (e & 2) != 0;
            s.user &= (e & 4) != 0;
            s.shift = 12;
        }
    } else {
        static const int tops[] = {0, 30, 39, 48};
        for (int shift = tops[c->mode];; shift -= 9) {
            bool pdpte = c->mode == FL_MODE_PAE && shift == 30;
            e = peek(&ram, table + (va >> shift & (pdpte ? 3 : 0x1ff)) * 8, 8);
            if (!(e & 1))
                return (struct seen){0};
            if (!pdpte) {
                s.write &= (e & 2) != 0;
                s.user &= (e & 4) != 0;
                s.nx |= e >> 63;
            }
            s.shift = (unsigned)shift;
            if (shift == 12 || (!pdpte && shift <= 30 && (e & 0x80)))
                break;
            table = e & 0xffffffffff000;
        }
    }
    s.present = e & 1;
    s.accessed = e & 0x20;
    s.dirty = e & 0x40;
    s.leaf = e;
    uint64_t offset = (UINT64_C(1) << s.shift) - 1;
    s.paddr = (e & 0xffffffffff000 & ~offset) | (va & offset);
    if (!s.present)
        return (struct seen){0};
    return s;
}

static inline struct seen look(struct fl_world *w, uint64_t va)
{
    return look_under(w, fl_world_cpu(w)->cr3, va);
}

static inline uint8_t *at(struct fl_world *w, uint64_t va)
{
    struct seen s = look(w, va);
    struct fl_ram ram = fl_world_ram(w);
    if (!s.present || s.paddr >= ram.size) {
        fprintf(stderr, "nothing is mapped at %#" PRIx64 "\n", va);
        exit(1);
    }
    return ram.base + s.paddr;
}

/* A store by guest code: into RAM, and told to the world as an executor tells it. */
static inline void guest_store(struct fl_world *w, uint64_t va, uint8_t value)
{
    struct fl_exec_result r = {.nstores = 1};
    r.stores[0].paddr = look(w, va).paddr;
    r.stores[0].size = 1;
    *at(w, va) = value;
    fl_world_note_stores(w, &r);
}

#endif
