/* SPDX-License-Identifier: MIT */
/*
 * The handlers once more, as straight-line steps on the memory itself: every read sees what was written before. A
 * second opinion on facts and rows, good for tables in any tangle.
 */
#include "mini.h"

#define NH    FL_SYNC_NOT_HANDLED
#define OK    FL_SYNC_HANDLED
#define BUG   FL_SYNC_BUG
#define WILD  FL_SYNC_WILD
#define FRAME 0x000ffffffffff000ull /* bits 51:12; 4-byte entries end at bit 31 by themselves */

#define READ(place, var)                                                                                               \
    uint64_t var;                                                                                                      \
    if (!mini_read(m, (place), mini_entry_size(m), &var))                                                              \
    return WILD

static bool differ(uint64_t a, uint64_t b)
{
    return ((a ^ b) & FRAME) != 0;
}

static uint64_t place_at(struct mini *m, uint64_t va, uint64_t entry, unsigned level)
{
    uint64_t keep = m->s.cr2, place;

    m->s.cr2 = va;
    place = mini_at(m, 0, level) + (entry & FRAME);
    m->s.cr2 = keep;
    return place;
}

static uint64_t place(struct mini *m, uint64_t entry, unsigned level)
{
    return place_at(m, m->s.cr2, entry, level);
}

static bool large(const struct mini *m, uint64_t entry)
{
    return (entry & MPS) && (m->s.cpu.mode != FL_MODE_2LEVEL || (m->s.cpu.cr4 & 0x10));
}

static void set(struct mini *m, uint64_t paddr, uint64_t value, enum fl_set how)
{
    struct fl_entry_write w = {
        .paddr = paddr, .value = value, .size = (uint8_t)mini_entry_size(m), .how = (uint8_t)how};

    mini_write(m, &w);
}

static bool same_slot(const struct mini *m, uint64_t slot, uint64_t ref)
{
    uint64_t ignored = m->s.cpu.mode <= FL_MODE_PAE && (ref & MP) && large(m, ref) ? MA | MD : MA;

    return ((slot ^ ref) & ~ignored) == 0;
}

static unsigned top_level(const struct mini *m)
{
    return m->s.cpu.mode + 2u;
}

static enum fl_sync_end current(struct mini *m)
{
    unsigned top = top_level(m), slot_level = top == 3 ? 2 : top;
    uint64_t entry = m->s.kernel.init_root, dst = m->s.cpu.cr3, wanted = 0;
    enum fl_set how = top > 3 ? FL_SET_PGD : FL_SET_PMD;
    struct fl_access a = {.va = m->s.cr2, .priv = FL_SUPERVISOR, .ac = (m->s.regs.flags >> 18 & 1) != 0};
    struct fl_arch_result now;

    for (unsigned level = top;; level--) {
        READ(place(m, entry, level), e);
        if (!(e & MP))
            return NH;
        if (level == slot_level)
            wanted = e;
        if (level == 1 || (level <= 3 && !(top == 3 && level == 3) && large(m, e)))
            break;
        entry = e;
    }
    if (top == 3) {
        READ(place(m, dst, 3), up);
        if (!(up & MP))
            return NH;
        dst = up;
    }
    READ(place(m, dst, slot_level), slot);
    if (!same_slot(m, slot, wanted)) {
        set(m, place(m, dst, slot_level), wanted, how);
        mini_flush(m);
        return OK;
    }
    a.kind = m->s.error_code & 2 ? FL_WRITE : m->s.error_code & 16 ? FL_FETCH : FL_READ;
    if (fl_arch_walk(&m->s.cpu, &a, mini_read, m, &now) != FL_OK)
        return FL_SYNC_COUNT;
    return now.kind == FL_ARCH_OK ? OK : NH;
}

static enum fl_sync_end one_32(struct mini *m, uint64_t root, uint64_t va, bool flush, uint64_t *ref_entry)
{
    uint64_t ref = m->s.kernel.init_root, dst = root;

    if (top_level(m) == 3) {
        READ(place_at(m, va, ref, 3), ref_up);
        if (!(ref_up & MP))
            return NH;
        READ(place_at(m, va, dst, 3), dst_up);
        ref = ref_up;
        dst = dst_up;
    }
    READ(place_at(m, va, ref, 2), ref_pmd);
    if (!(ref_pmd & MP))
        return NH;
    READ(place_at(m, va, dst, 2), pmd);
    *ref_entry = ref_pmd;
    if (pmd & MP)
        return differ(pmd, ref_pmd) ? BUG : OK;
    set(m, place_at(m, va, dst, 2), ref_pmd, FL_SET_PMD);
    if (flush)
        mini_flush(m);
    return OK;
}

static enum fl_sync_end walk_32(struct mini *m, bool flush, bool leaves)
{
    uint64_t ref;
    enum fl_sync_end end = one_32(m, m->s.cpu.cr3, m->s.cr2, flush, &ref);

    if (end != OK)
        return end;
    if (leaves && large(m, ref))
        return OK;
    READ(place(m, ref, 1), pte);
    return pte & MP ? OK : NH;
}

static enum fl_sync_end walk_64(struct mini *m, uint64_t root, bool flush, bool leaves)
{
    uint64_t at = place(m, root, 4);
    READ(place(m, m->s.kernel.init_root, 4), ref4);
    if (ref4 == 0)
        return NH;
    READ(at, empty);
    if (empty == 0) {
        set(m, at, ref4, FL_SET_PGD);
        if (flush)
            mini_flush(m);
    } else if (differ(empty, ref4)) {
        return BUG;
    }
    READ(at, dst4);
    for (unsigned level = 3; level > 1; level--) {
        READ(place(m, ref4, level), ref);
        if (ref == 0)
            return NH;
        READ(place(m, dst4, level), dst);
        if (dst == 0 || differ(dst, ref))
            return BUG;
        if (leaves && large(m, ref))
            return OK;
        ref4 = ref;
        dst4 = dst;
    }
    READ(place(m, ref4, 1), ref1);
    if (!(ref1 & MP))
        return NH;
    READ(place(m, dst4, 1), dst1);
    return !(dst1 & MP) || differ(dst1, ref1) ? BUG : OK;
}

static enum fl_sync_end copy_2014(struct mini *m, enum fl_set how, bool flush)
{
    unsigned top = top_level(m), shift = top == 2 ? 22 : 39;
    uint64_t first = m->s.kernel.page_offset >> shift & (top == 2 ? 1023 : 511);

    if (top == 3 || (m->s.cr2 >> shift & (top == 2 ? 1023 : 511)) < first)
        return NH;
    READ(place(m, m->s.kernel.init_root, top), ref);
    if (!(ref & MP))
        return NH;
    READ(place(m, m->s.cpu.cr3, top), dst);
    if (dst)
        return NH;
    set(m, place(m, m->s.cpu.cr3, top), ref, how);
    if (flush)
        mini_flush(m);
    return OK;
}

enum fl_sync_end steps_vmalloc_fault(struct mini *m, bool *warned)
{
    const struct fl_kernel *k = &m->s.kernel;
    bool inside = m->s.cr2 >= k->vmalloc_start && m->s.cr2<k->vmalloc_end, wide = top_level(m)> 3;

    *warned = false;
    switch (k->generation) {
    case FL_GEN_CURRENT: return inside ? current(m) : NH;
    case FL_GEN_2008_32: return walk_32(m, true, false);
    case FL_GEN_2008_64:
        return inside ? walk_64(m, m->s.task.mm_root ? m->s.task.mm_root : k->init_root, false, false) : NH;
    case FL_GEN_2014_NATIVE: return copy_2014(m, FL_SET_PLAIN, false);
    case FL_GEN_2014_PV32: return copy_2014(m, FL_SET_PMD, false);
    case FL_GEN_2014_PV64: return copy_2014(m, FL_SET_PGD, true);
    case FL_GEN_2016:
        *warned = inside && m->s.task.in_nmi;
        return !inside ? NH : wide ? walk_64(m, m->s.task.active_root, true, true) : walk_32(m, false, true);
    default: return FL_SYNC_COUNT;
    }
}

/* ---- sync-all --------------------------------------------------------------------------------------------------- */

static enum fl_sync_end list_64(struct mini *m, const struct fl_sync_all *all, uint64_t va)
{
    READ(place_at(m, va, all->kernel.init_root, 4), ref);
    if (ref == 0)
        return NH;
    for (unsigned i = 0; i < all->npgds; i++) {
        READ(place_at(m, va, all->pgd[i], 4), dst);
        if (dst == 0)
            set(m, place_at(m, va, all->pgd[i], 4), ref, FL_SET_PGD);
        else if (differ(dst, ref))
            return BUG;
    }
    return OK;
}

static enum fl_sync_end list_32(struct mini *m, const struct fl_sync_all *all, uint64_t va, unsigned *done)
{
    enum fl_sync_end end = OK;
    uint64_t ref;

    for (*done = 0; *done < all->npgds; ++*done) {
        end = one_32(m, all->pgd[*done], va, true, &ref);
        if (end != OK)
            return end;
    }
    return OK;
}

static enum fl_sync_end list_current(struct mini *m, const struct fl_sync_all *all, uint64_t va)
{
    unsigned top = top_level(m), level = top == 3 ? 2 : top;
    uint64_t ref = 0, table = all->kernel.init_root, present = MP;

    if (top == 3) {
        READ(place_at(m, va, table, 3), up);
        table = present = up;
    }
    if (present & MP) {
        READ(place_at(m, va, table, level), entry);
        ref = entry;
    }
    for (unsigned i = 0; i < all->npgds; i++) {
        table = all->pgd[i];
        if (top == 3) {
            READ(place_at(m, va, table, 3), up);
            if (!(up & MP))
                continue;
            table = up;
        }
        READ(place_at(m, va, table, level), slot);
        if (!same_slot(m, slot, ref))
            set(m, place_at(m, va, table, level), ref, top > 3 ? FL_SET_PGD : FL_SET_PMD);
    }
    return OK;
}

enum fl_sync_end steps_sync_all(struct mini *m, const struct fl_sync_all *all, uint64_t *start, uint64_t insync[16])
{
    const struct fl_kernel *k = &all->kernel;
    unsigned top = top_level(m), done;
    bool wide = top > 3;
    uint64_t size = top == 2 ? 4ull << 20 : top == 3 ? 1ull << 30 : top == 4 ? 1ull << 39 : 1ull << 48, va;
    enum fl_sync_end end;

    if (!wide && k->shared_kernel_pmd)
        return OK;
    switch (k->generation) {
    case FL_GEN_2008_32:
        va = *start ? *start : k->task_size;
        for (uint64_t from = va; va >= k->task_size && va < 1ull << 32; va += size) {
            unsigned slot = (unsigned)(va / size);

            if (!(insync[slot / 64] >> slot % 64 & 1)) {
                end = list_32(m, all, va, &done);
                if (end == BUG || end == WILD)
                    return end;
                if (end == NH && done > 0)
                    return BUG;
                if (end == OK)
                    insync[slot / 64] |= 1ull << slot % 64;
            }
            if (va == from && (insync[slot / 64] >> slot % 64 & 1)) {
                from = va + size;
                *start = from & 0xffffffff;
            }
        }
        return OK;
    case FL_GEN_2008_64:
    case FL_GEN_2016: {
        bool remembers = k->generation == FL_GEN_2008_64;

        if (!wide) {
            for (va = k->vmalloc_start & ~(size < 1u << 30 ? size - 1 : (2ull << 20) - 1);
                 va >= k->task_size && va < k->fixaddr_top; va += top == 2 ? 4u << 20 : 2u << 20) {
                end = list_32(m, all, va, &done);
                if (end == BUG || end == WILD)
                    return end;
            }
            return OK;
        }
        va = remembers && *start ? *start : k->vmalloc_start & ~(size - 1);
        for (uint64_t from = va; va <= k->vmalloc_end; va += size) {
            unsigned slot = va >> 39 & 511;

            if (!remembers || !(insync[slot / 64] >> slot % 64 & 1)) {
                end = list_64(m, all, va);
                if (end == BUG || end == WILD)
                    return end;
                if (end == NH && va + size < va)
                    return OK;
                if (end == NH)
                    continue;
                if (remembers)
                    insync[slot / 64] |= 1ull << slot % 64;
            }
            if (remembers && va == from)
                *start = from = va + size;
            if (va + size < va)
                return OK;
        }
        return OK;
    }
    case FL_GEN_CURRENT:
        if (top == 3)
            size = 2ull << 20;
        for (va = k->vmalloc_start & ~(size - 1); va < k->vmalloc_end; va += size) {
            end = list_current(m, all, va);
            if (end != OK)
                return end;
            if (va + size < va)
                break;
        }
        return OK;
    default: return OK;
    }
}
