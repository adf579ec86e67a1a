/* SPDX-License-Identifier: MIT */
/*
 * The kernel half of the address spaces. The reference tables (swapper_pg_dir) have a root frame of their own; every
 * address space has a root too, and shares the tables below the reference's top-level entries. In PAE mode all roots
 * share the page directories of the kernel half, or (without shared_pmd) each has its own and shares the page tables.
 *
 * The reference is changed by IOREMAP and IOUNMAP, and by way of the shared tables; its paths are followed only through
 * tables that the model made.
 */
#include "state.h"

uint64_t kernel_complete(const struct fl_world *w, uint64_t va)
{
    unsigned unused = w->cpu.mode == FL_MODE_4LEVEL ? 16 : w->cpu.mode == FL_MODE_5LEVEL ? 7 : 32;
    if (unused == 32)
        return (uint32_t)va;
    return (uint64_t)((int64_t)(va << unused) >> unused);
}

void kernel_begin(struct fl_world *w)
{
    for (unsigned i = 1; i < FL_MAX_MMS; i++)
        w->root[i] = 0;
    w->root[0] = tables_root(w->cpu.mode, FRAME_ROOT);
    w->kernel.init_root = tables_root(w->cpu.mode, FRAME_REFERENCE);
    w->cpu.cr3 = w->root[0];
    w->mm = 0;
    w->task.active_root = w->root[0];
    w->task.mm_root = w->task.has_mm ? w->root[0] : 0;
    w->sh4.ttb = w->root[0];
    w->sh4.reference = w->kernel.init_root;
    w->kernel_half = false;
    w->nqueued = 0;
    clear(&w->sync_state, sizeof(w->sync_state));
    w->tag[FRAME_ROOT] = w->tag[FRAME_REFERENCE] = (uint8_t)tables_levels(w);
}

static uint64_t last_address(const struct fl_world *w)
{
    return w->kernel.word == 4 ? UINT32_MAX : UINT64_MAX;
}

/* The top-level entries of the kernel half: [*first, *end). */
static void kernel_slots(const struct fl_world *w, unsigned *first, unsigned *end)
{
    unsigned top = tables_levels(w), size = tables_entry_size(w);

    *first = (unsigned)(tables_entry_at(w, 0, top, w->kernel.page_offset) / size);
    *end = (unsigned)(tables_entry_at(w, 0, top, last_address(w)) / size) + 1;
}

static bool own_pmds(const struct fl_world *w)
{
    return w->cpu.mode == FL_MODE_PAE && !w->kernel.shared_kernel_pmd;
}

/* ---- setting up, fork ------------------------------------------------------------------------------------------- */

static uint64_t slot_at(const struct fl_world *w, uint64_t root, unsigned slot)
{
    return root + (uint64_t)slot * tables_entry_size(w);
}

static uint64_t new_pmd(struct fl_world *w, uint64_t slot)
{
    uint64_t entry = tables_table_entry(w, 3, frame_alloc(w, 2));

    ram_put(w, slot, 8, entry);
    return entry;
}

/* Only in PAE mode does an empty reference have tables. What MAP and ENTRY have put into mm 0's slots stays; with
 * shared page directories the reference takes it over. */
enum fl_status kernel_ready(struct fl_world *w)
{
    unsigned first, end;

    if (w->kernel_half || w->cpu.mode != FL_MODE_PAE) {
        w->kernel_half = true;
        return FL_OK;
    }
    kernel_slots(w, &first, &end);
    if (frames_left(w) < 2 * (end - first))
        return FL_NO_MEMORY;
    for (unsigned i = first; i < end; i++) {
        uint64_t own = slot_at(w, w->root[0], i), reference = slot_at(w, w->kernel.init_root, i);
        uint64_t before = ram_get(w, own, 8);

        if (!own_pmds(w) && tables_is_own(w, 3, before)) {
            ram_put(w, reference, 8, before);
            continue;
        }
        uint64_t entry = new_pmd(w, reference);
        if (before == 0 && own_pmds(w))
            new_pmd(w, own);
        else if (before == 0)
            ram_put(w, own, 8, entry);
    }
    w->kernel_half = true;
    return FL_OK;
}

static void copy_entry(struct fl_world *w, uint64_t to, uint64_t from)
{
    unsigned size = tables_entry_size(w);
    uint64_t value = ram_get(w, from, size);

    if (ram_get(w, to, size) != value)
        ram_put(w, to, size, value);
}

/* How many page directories of its own the address space still needs. */
static unsigned missing_pmds(const struct fl_world *w, uint64_t root, unsigned first, unsigned end)
{
    unsigned missing = 0;

    for (unsigned i = first; i < end && own_pmds(w); i++)
        missing += !root || !tables_is_own(w, 3, ram_get(w, slot_at(w, root, i), 8));
    return missing;
}

enum fl_status kernel_fork(struct fl_world *w, unsigned mm)
{
    unsigned first, end;

    if (mm < 1 || mm >= FL_MAX_MMS)
        return FL_INVALID;
    if (kernel_ready(w) != FL_OK)
        return FL_NO_MEMORY;
    kernel_slots(w, &first, &end);
    if (frames_left(w) < (w->root[mm] == 0) + missing_pmds(w, w->root[mm], first, end))
        return FL_NO_MEMORY;
    if (!w->root[mm])
        w->root[mm] = tables_root(w->cpu.mode, frame_alloc(w, (uint8_t)tables_levels(w)));

    for (unsigned i = first; i < end; i++) {
        uint64_t to = slot_at(w, w->root[mm], i), from = slot_at(w, w->kernel.init_root, i);

        if (!own_pmds(w)) {
            copy_entry(w, to, from);
            continue;
        }
        uint64_t entry = ram_get(w, to, 8), reference = ram_get(w, from, 8);
        if (!tables_is_own(w, 3, entry))
            entry = new_pmd(w, to);
        for (unsigned n = 0; n < PAGE_SIZE && tables_is_own(w, 3, reference); n += 8)
            copy_entry(w, tables_address(w, entry) + n, tables_address(w, reference) + n);
    }
    return FL_OK;
}

/* A kernel thread runs on what was there. A table that is not loaded yet leaves CR3 and TTB behind the task. */
enum fl_status kernel_switch(struct fl_world *w, unsigned mm, bool lag)
{
    if (mm > FL_MM_NONE || (mm != FL_MM_NONE && !w->root[mm]))
        return FL_INVALID;
    if (kernel_ready(w) != FL_OK)
        return FL_NO_MEMORY;
    w->mm = mm;
    w->task.has_mm = mm != FL_MM_NONE;
    w->task.mm_root = w->task.has_mm ? w->root[mm] : 0;
    if (w->task.has_mm)
        w->task.active_root = w->root[mm];
    if (!lag)
        w->cpu.cr3 = w->sh4.ttb = w->task.active_root;
    world_opaque(w, "a SWITCH record");
    return FL_OK;
}

/* ---- ioremap ---------------------------------------------------------------------------------------------------- */

/* Follows the reference down to the entry of that level. Answers the level of the entry that stops it, at *at: `level`
 * when it came all the way. */
static unsigned follow(const struct fl_world *w, uint64_t va, unsigned level, uint64_t *at)
{
    unsigned l = tables_levels(w);

    *at = tables_entry_at(w, w->kernel.init_root, l, va);
    while (l > level) {
        uint64_t entry = ram_get(w, *at, tables_entry_size(w));
        if (!tables_is_own(w, l, entry))
            break;
        l--;
        *at = tables_entry_at(w, tables_address(w, entry), l, va);
    }
    return l;
}

/* Frames for the tables that the leaves need. FL_INVALID: something else than a table is in the way. */
static enum fl_status plan_tables(const struct fl_world *w, uint64_t va, unsigned leaves, unsigned level,
                                  unsigned *frames)
{
    uint64_t size = (uint64_t)1 << tables_level_shift(w, level), at;

    *frames = 0;
    for (unsigned i = 0; i < leaves; i++, va += size) {
        unsigned stopped = follow(w, va, level, &at);
        if (stopped == level)
            continue;
        if (ram_get(w, at, tables_entry_size(w)) != 0)
            return FL_INVALID;
        /* A table of level l is new here unless the leaf before lies in it too. */
        for (unsigned l = level; l < stopped; l++)
            *frames += i == 0 || (va ^ (va - size)) >> tables_level_shift(w, l + 1) != 0;
    }
    return FL_OK;
}

static uint64_t make_path(struct fl_world *w, uint64_t va, unsigned level)
{
    uint64_t at;

    for (unsigned l = follow(w, va, level, &at); l > level; l--) {
        unsigned frame = frame_alloc(w, (uint8_t)(l - 1));
        ram_put(w, at, tables_entry_size(w), tables_table_entry(w, l, frame));
        at = tables_entry_at(w, (uint64_t)frame << PAGE_SHIFT, l - 1, va);
    }
    return at;
}

static void name_leaf(struct fl_world *w, unsigned frame, unsigned frames, const struct leaf_bits *bits)
{
    if (bits->present && (bits->write || !tables_write_protect(w)))
        frame_name(w, frame, frames);
}

enum fl_status kernel_ioremap(struct fl_world *w, const struct fl_record *r)
{
    unsigned level = w->is_sh4 ? 1 : tables_clamp_leaf(w, r->u.ioremap.level), flags = r->u.ioremap.flags;
    unsigned frames = w->is_sh4 ? 1 : tables_leaf_frames(w, level), leaves = r->u.ioremap.leaves, needed;
    uint64_t size = (uint64_t)frames << PAGE_SHIFT, va = kernel_complete(w, r->u.ioremap.va) & ~(size - 1);
    const struct leaf_bits bits = leaf_bits_of(flags, 0);

    if (leaves < 1 || va < w->kernel.page_offset || (last_address(w) - va) / size < leaves - 1)
        return FL_INVALID;
    if (kernel_ready(w) != FL_OK)
        return FL_NO_MEMORY;
    if (w->is_sh4)
        return sh4_ioremap(w, va, leaves, r->u.ioremap.frame, flags);

    enum fl_status status = plan_tables(w, va, leaves, level, &needed);
    if (status != FL_OK)
        return status;
    if (needed > frames_left(w))
        return FL_NO_MEMORY;
    world_opaque(w, "an IOREMAP record");
    for (unsigned i = 0; i < leaves; i++) {
        unsigned frame = (r->u.ioremap.frame + i * frames) % FL_RAM_FRAMES & ~(frames - 1);
        ram_put(w, make_path(w, va + i * size, level), tables_entry_size(w), tables_leaf_entry(w, level, frame, &bits));
        name_leaf(w, frame, frames, &bits);
    }
    return FL_OK;
}

/* Goes from entry to entry; what is absent is stepped over as a whole. */
static unsigned unmap_leaves(struct fl_world *w, uint64_t start, uint64_t last)
{
    unsigned cleared = 0;

    for (uint64_t va = start;;) {
        uint64_t at, entry, end;
        unsigned level = follow(w, va, 1, &at), size = tables_entry_size(w);
        uint64_t below = ((uint64_t)1 << tables_level_shift(w, level)) - 1;

        entry = ram_get(w, at, size);
        if (entry != 0 && (va & below) == 0 && (level == 1 || tables_is_leaf(w, level, entry))) {
            ram_put(w, at, size, 0);
            cleared++;
        }
        end = va | below;
        if (end >= last)
            return cleared;
        va = end + 1;
    }
}

enum fl_status kernel_iounmap(struct fl_world *w, const struct fl_record *r)
{
    uint64_t start = kernel_complete(w, r->u.iounmap.start) & PAGE_MASK;
    uint64_t length = (uint64_t)r->u.iounmap.pages << PAGE_SHIFT, last;

    if (length == 0)
        return FL_INVALID;
    last = length - 1 > last_address(w) - start ? last_address(w) : start + length - 1;
    if (last < w->kernel.page_offset)
        return FL_INVALID;
    if (start < w->kernel.page_offset)
        start = w->kernel.page_offset;
    return (w->is_sh4 ? sh4_iounmap(w, start, last) : unmap_leaves(w, start, last)) ? FL_OK : FL_INVALID;
}

/* ---- what others look at ---------------------------------------------------------------------------------------- */

unsigned kernel_roots(const struct fl_world *w, uint64_t roots[FL_MAX_MMS])
{
    unsigned n = 0;

    for (unsigned i = 0; i < FL_MAX_MMS; i++)
        if (w->root[i])
            roots[n++] = w->root[i];
    return n;
}

/* The table of the i-th kernel slot that holds entries of the level that is not shared, or false. */
static bool private_table(const struct fl_world *w, uint64_t root, unsigned slot, uint64_t *table)
{
    uint64_t entry = ram_get(w, slot_at(w, root, slot), 8);

    *table = tables_address(w, entry);
    return tables_present(entry) && *table < RAM_SIZE;
}

bool kernel_is_copy(const struct fl_world *w, uint64_t paddr, uint64_t value)
{
    unsigned first, end, size = tables_entry_size(w);
    uint64_t offset = paddr & (PAGE_SIZE - 1), table;

    if (w->cpu.mode != FL_MODE_PAE) {
        kernel_slots(w, &first, &end);
        return offset >= first * size && ram_get(w, (FRAME_REFERENCE << PAGE_SHIFT) + offset, size) == value;
    }
    kernel_slots(w, &first, &end);
    for (unsigned i = first; i < end; i++)
        if (private_table(w, w->kernel.init_root, i, &table) && ram_get(w, table + offset, size) == value)
            return true;
    return false;
}

void fl_world_kernel_entries(struct fl_world *w, void (*entry)(void *ctx, unsigned pgd, uint64_t paddr, uint64_t value),
                             void *ctx)
{
    uint64_t roots[FL_MAX_MMS + 1], table;
    unsigned first, end, n, size = tables_entry_size(w);

    (void)kernel_ready(w);
    roots[0] = w->kernel.init_root;
    n = 1 + kernel_roots(w, roots + 1);
    kernel_slots(w, &first, &end);
    for (unsigned pgd = 0; pgd < n; pgd++)
        for (unsigned i = first; i < end; i++) {
            uint64_t at = slot_at(w, roots[pgd], i);
            if (w->cpu.mode != FL_MODE_PAE)
                entry(ctx, pgd, at, ram_get(w, at, size));
            else if (private_table(w, roots[pgd], i, &table))
                for (at = table; at < table + PAGE_SIZE; at += 8)
                    entry(ctx, pgd, at, ram_get(w, at, 8));
        }
}

const struct fl_kernel *fl_world_kernel(const struct fl_world *w)
{
    return &w->kernel;
}

const struct fl_task *fl_world_task(const struct fl_world *w)
{
    return &w->task;
}

void fl_world_set_generation(struct fl_world *w, enum fl_generation generation)
{
    w->generation_forced = (uint8_t)generation;
}

void fl_world_sync_all(struct fl_world *w, struct fl_sync_all *s)
{
    (void)kernel_ready(w);
    *s = (struct fl_sync_all){.cpu = w->cpu, .kernel = w->kernel, .read = fl_world_read, .ctx = w};
    s->npgds = kernel_roots(w, s->pgd);
}

struct fl_sync_state *fl_world_sync_state(struct fl_world *w)
{
    return &w->sync_state;
}

const struct fl_sh4 *fl_world_sh4(const struct fl_world *w)
{
    return w->is_sh4 ? &w->sh4 : NULL;
}
