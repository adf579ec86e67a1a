/* SPDX-License-Identifier: MIT */
/*
 * Idioms for the ends of a synchronisation that no mapping leads to: reference tables with an entry that names what is
 * no memory, and faults where there is nothing to synchronise. Whole entries are written, since a bit here and there
 * hardly ever makes one that leads out of RAM.
 */
#include "mutator.h"

#include <faultline/fuzz/world.h>

#define PAGE 4096u

/* Beyond RAM, aligned as the largest page is, and within the narrowest physical address. SH4: a P1 address. */
#define WILD     0x40000000u
#define WILD_P1  0x9f000000u
#define P1       0x80000000u
#define TABLE    0x63u /* P, R/W, A, D: SDM vol. 3A, 4.3 to 4.5; no U/S */
#define LEAF     0xe3u /* and PS */
#define JUNK     0x62u /* and not present */
#define PDPTE    0x01u /* PAE reserves the others */
#define PAE_ROOT 172u  /* index of a page directory pointer table in its frame (fuzz/world) */

struct fl_record *fl_add_entry(struct fl_idiom_out *out, uint64_t va, unsigned level, uint64_t value)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_ENTRY);

    r->u.entry.va = va;
    r->u.entry.level = (uint8_t)level;
    r->u.entry.mask = UINT64_MAX; /* of 32 bits where entries are: storing a record sees to it */
    r->u.entry.set = value;
    return r;
}

void fl_add_entry_of(const struct fl_mutation *m, struct fl_idiom_out *out, unsigned frame, unsigned index,
                     uint64_t value)
{
    uint64_t table = (uint64_t)frame * PAGE;

    fl_add_entry(out, (uint64_t)index * PAGE, 2, m->machine.sh4 ? table | P1 : table | TABLE);
    fl_add_entry(out, (uint64_t)index * PAGE, 1, value);
}

/* The reference's entry for va: the one that each address space has of its own; PAE: that, or the PDPTE above it. */
static void add_reference_entry(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, uint64_t value)
{
    unsigned slot = (unsigned)(va >> fl_own_shift(m)) & (m->machine.mode == FL_MODE_2LEVEL ? 1023 : 511);
    unsigned directory = (unsigned)(va >> 30) & 3, frame = FL_FRAME_REFERENCE;

    if (m->machine.mode == FL_MODE_PAE && fl_one_in(m, 3)) {
        slot = PAE_ROOT + directory;
        value &= ~(uint64_t)0xfff | PDPTE;
    } else if (m->machine.mode == FL_MODE_PAE) {
        /* Page directories are the first frames that are given out: of each kernel slot the reference's, then mm 0's
         * own, if it has one. */
        directory -= (unsigned)(fl_value_task_size(m) >> 30) & 3;
        frame = FL_FRAME_POOL + (directory & 3) * (m->machine.shared_pmd ? 1 : 2);
    }
    fl_add_entry_of(m, out, frame, slot, value);
}

static uint64_t lost_value(struct fl_mutation *m)
{
    static const uint8_t bits[] = {TABLE, TABLE, TABLE, TABLE, LEAF, LEAF, LEAF, JUNK};
    unsigned low = FL_PICK(m, bits);

    return m->machine.sh4 ? WILD_P1 : WILD | low;
}

/* The address that has the slot's index at every level below it as well: the slot is an entry of each of its tables,
 * where they all are the root. */
static uint64_t recursive(const struct fl_mutation *m, uint64_t va)
{
    unsigned bits = m->machine.mode == FL_MODE_2LEVEL ? 10 : 9, top = fl_own_shift(m);
    uint64_t index = va >> top & ((1u << bits) - 1), address = va >> top << top;

    for (unsigned shift = 12; shift < top; shift += bits)
        address |= index << shift;
    return address;
}

/* A mapping that is there, but for a table above it. */
static void lost_below(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned mm)
{
    unsigned level = fl_is_ia32e(m) ? 2 + fl_below(m, 2) : 2;
    uint64_t value = lost_value(m);

    fl_add_leaves(m, out, va, 1, 1);
    fl_add_fork(out, mm); /* has the slot, and so a way to the tables below it */
    fl_add_switch(m, out, mm, 0);
    fl_add_entry(out, va, level, value);
    fl_add_switch(m, out, 0, 0);
}

static void lost_directory(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va)
{
    fl_add_leaves(m, out, va, 1 + fl_below(m, 2), 1);
    fl_add_entry(out, va, 3, WILD | (fl_one_in(m, 2) ? PDPTE : 0));
}

void fl_idiom_lost(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t va = fl_one_in(m, 3) ? fl_value_kernel_page(m) : fl_value_vmalloc_page(m), value;
    unsigned mm = 1 + fl_below(m, FL_MAX_MMS - 1), how = fl_below(m, 8);
    bool pae = m->machine.mode == FL_MODE_PAE;

    if (pae)
        m->machine.shared_pmd = fl_one_in(m, 4);
    if (fl_one_in(m, 4))
        m->machine.lazy_mmu ^= true;
    fl_machine_changed(m);
    fl_add_fork(out, mm);
    if (how == 0) {
        /* Whatever fills the slot makes the tables that all of the walk is in. */
        va = recursive(m, va);
        add_reference_entry(m, out, va, m->machine.sh4 ? FL_FRAME_ROOT * PAGE | P1 : FL_FRAME_ROOT * PAGE | TABLE);
    } else if (how < 3 && fl_is_ia32e(m)) {
        lost_below(m, out, va, mm);
    } else if (how < 3 && pae) {
        lost_directory(m, out, va);
    } else {
        if (fl_one_in(m, 2))
            fl_add_leaves(m, out, va, 1 + fl_below(m, 2), 1);
        if (fl_one_in(m, 4))
            fl_add_sync(out);
        value = lost_value(m);
        add_reference_entry(m, out, va, value);
        if (!fl_one_in(m, 4))
            fl_add_switch(m, out, mm, 8);
    }
    if (fl_one_in(m, 4))
        fl_add_sync(out);
    va += fl_below(m, PAGE);
    fl_add_touch(m, out, va);
    if (fl_one_in(m, 4))
        fl_add_touch(m, out, va);
}

/* ---- raw faults -------------------------------------------------------------------------------------------------- */

/* The processor found an entry absent that another one has filled since; or the tables refuse the access, whatever is
 * synchronised. */
void fl_idiom_step(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint8_t codes[] = {0, 0, 0, 2, 2, 2, 16, 16, 18, 4};
    uint64_t va = fl_value_vmalloc_page(m), ip = fl_value_kernel_page(m), cr2;
    unsigned mm = 1 + fl_below(m, FL_MAX_MMS - 1), flags = FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_ACCESSED;
    struct fl_record *r;

    if (fl_one_in(m, 3))
        flags ^= fl_one_in(m, 2) ? FL_MAP_WRITE : FL_MAP_NX;
    r = fl_add_leaves(m, out, va, 1 + fl_below(m, 2), 1);
    r->u.ioremap.flags = (uint8_t)flags;
    if (fl_one_in(m, 2)) {
        fl_add_fork(out, mm);
        fl_add_switch(m, out, mm, 4);
    } else {
        r = fl_idiom_add(out, FL_REC_TOUCH);
        r->u.touch.va = va;
        r->u.touch.kind = FL_READ;
        r->u.touch.priv = FL_SUPERVISOR;
    }
    if (m->machine.mode == FL_MODE_PAE && fl_one_in(m, 3))
        fl_add_entry(out, va, 3, WILD | PDPTE);
    fl_add_regs(m, out, ip, m->machine.sp, fl_one_in(m, 8));
    for (unsigned i = 1 + fl_below(m, 2); i; i--) {
        cr2 = va + fl_below(m, PAGE);
        fl_add_fault(out, cr2, FL_PICK(m, codes));
    }
}
