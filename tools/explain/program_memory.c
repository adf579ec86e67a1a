/* SPDX-License-Identifier: MIT */
/* The table entries of a C program: those on the walks of the address, the others of the same tables, and what was read. */
#include "program.h"

#include <string.h>

static bool known(const struct program *p, uint64_t paddr, unsigned size)
{
    for (size_t i = 0; i < p->repro.nentries; i++)
        if (p->entries[i].paddr == paddr && p->entries[i].size == size)
            return true;
    return false;
}

static void add_entry(struct program *p, uint64_t paddr, unsigned size, uint64_t value, bool elsewhere)
{
    if (known(p, paddr, size))
        return;
    if (p->repro.nentries == PROGRAM_ENTRIES) {
        p->full = true;
        return;
    }
    p->entries[p->repro.nentries++] =
        (struct repro_entry){.paddr = paddr, .value = value, .size = (uint8_t)size, .elsewhere = elsewhere};
}

static void add_hole(struct program *p, uint64_t paddr, unsigned size)
{
    size_t before = p->repro.nentries;

    add_entry(p, paddr, size, 0, false);
    if (p->repro.nentries != before)
        p->entries[before].no_memory = true;
}

/* False: it was there already. */
static bool add_table(struct program *p, uint64_t page)
{
    for (size_t i = 0; i < p->repro.ntables; i++)
        if (p->tables[i] == page)
            return false;
    if (p->repro.ntables == PROGRAM_TABLES)
        p->full = true;
    else
        p->tables[p->repro.ntables++] = page;
    return true;
}

/* All entries of a table that are not zero. */
static void add_all(struct program *p, struct capture *c, uint64_t table, unsigned count, unsigned size)
{
    uint64_t value;

    if (!capture_read(c, table, size, &value) || (!add_table(p, table & ~UINT64_C(0xfff)) && count > 4))
        return;
    for (unsigned i = 0; i < count; i++)
        if (capture_read(c, table + (uint64_t)i * size, size, &value) && value != 0)
            add_entry(p, table + (uint64_t)i * size, size, value, false);
}

/* The tables on the way to va. */
static void walk(struct program *p, const struct subject *x, const struct fl_cpu *cpu, uint64_t root, uint64_t va)
{
    enum fl_mode mode = (enum fl_mode)cpu->mode;
    uint64_t table = entry_root(mode, root), entry;
    unsigned size = entry_format(mode)->size;

    for (unsigned level = entry_format(mode)->levels; level >= 1; level--) {
        uint64_t at = table + (uint64_t)entry_index(mode, level, va) * size;

        add_all(p, x->capture, table, entry_count(mode, level), size);
        if (!capture_read(x->capture, at, size, &entry))
            return;
        add_entry(p, at, size, entry, false);
        if (!entry_present(entry) || entry_is_leaf(cpu, level, entry))
            return;
        table = entry_address(cpu, level, entry);
    }
}

/* Everything below a table, as far as tables go. */
static void everything(struct program *p, struct capture *c, const struct fl_cpu *cpu, uint64_t table, unsigned level)
{
    enum fl_mode mode = (enum fl_mode)cpu->mode;
    unsigned size = entry_format(mode)->size;
    size_t before = p->repro.ntables;
    uint64_t entry;

    add_all(p, c, table, entry_count(mode, level), size);
    if (level == 1 || (p->repro.ntables == before && level != entry_format(mode)->levels))
        return;
    for (unsigned i = 0; i < entry_count(mode, level); i++)
        if (capture_read(c, table + (uint64_t)i * size, size, &entry) && entry_present(entry) &&
            !entry_is_leaf(cpu, level, entry))
            everything(p, c, cpu, entry_address(cpu, level, entry), level - 1);
}

static void walk_sh4(struct program *p, struct capture *c, uint64_t table, uint64_t va)
{
    uint64_t at = table + 4 * (va >> 22 & 1023), entry;

    add_all(p, c, table, 1024, 4);
    if (!capture_read(c, at, 4, &entry))
        return;
    add_entry(p, at, 4, entry, false);
    if (entry) /* a P1 address (SH-4 hardware manual, 3.3) */
        add_all(p, c, entry & 0x1ffff000, 1024, 4);
}

/* What the recorded run read beyond that, as it was before the run wrote anything. elsewhere: no walk has an entry there. */
static void recorded(struct program *p, const struct subject *x, bool elsewhere)
{
    const struct capture *c = x->capture;
    uint64_t value;

    for (unsigned i = 0; i < c->nops; i++) {
        const struct seen_op *o = &c->op[i];

        if (o->op != OP_READ_ENTRY)
            continue;
        if (o->ok && capture_read(x->capture, o->a, (unsigned)o->b, &value))
            add_entry(p, o->a, (unsigned)o->b, value, elsewhere);
        else if (!o->ok)
            add_hole(p, o->a, (unsigned)o->b);
    }
}

void program_memory(struct program *p, const struct subject *x)
{
    const struct seen_call *call = x->call;

    p->repro.entries = p->entries;
    p->repro.tables = p->tables;
    if (call->kind == CALL_P3_SYNC) {
        walk_sh4(p, x->capture, call->before.sh4.ttb, call->va);
        walk_sh4(p, x->capture, call->before.sh4.reference, call->va);
    } else if (call->kind == CALL_SYNC_ALL) {
        const struct fl_sync_all *all = &call->all;
        enum fl_mode mode = (enum fl_mode)all->cpu.mode;

        everything(p, x->capture, &all->cpu, entry_root(mode, all->kernel.init_root), entry_format(mode)->levels);
        for (unsigned i = 0; i < all->npgds && i < FL_MAX_PGDS; i++)
            everything(p, x->capture, &all->cpu, entry_root(mode, all->pgd[i]), entry_format(mode)->levels);
    } else if (call->kind == CALL_WALK) {
        walk(p, x, &x->state->s.cpu, x->state->s.cpu.cr3, call->va);
    } else if (call->kind == CALL_FAULT) {
        const struct fl_snapshot *s = &call->before.s;
        const uint64_t roots[] = {s->cpu.cr3, s->kernel.init_root, s->task.mm_root, s->task.active_root};

        for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
            if (roots[i])
                walk(p, x, &s->cpu, roots[i], s->cr2);
    }
    recorded(p, x, call->kind == CALL_FAULT && x->capture->check == FL_CHECK_TABLE_READ);
}
