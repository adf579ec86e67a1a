/* SPDX-License-Identifier: MIT */
/*
 * The walk is one loop over the rows of the format: read the entry that the address selects, stop where it is absent,
 * malformed or a leaf, else go on to the table that it names. Rights are the conjunction over the levels.
 *
 * PAE on Intel is the one exception. There the processor does not walk the PDPTEs: MOV CR3 loads all four into
 * registers, and a reserved bit in any present one is #GP at that load, whichever of them the access then needs. The
 * walk does the load first and answers RESERVED at level 3 with the first malformed PDPTE. AMD reads the one PDPTE that
 * it needs, as part of the walk. (SDM vol. 3, 4.4.1; APM vol. 2, 5.2.3.)
 */
#include "walk.h"

#include "contract.h"
#include "format.h"
#include "x86.h"

#define PDPTES 4

struct walker {
    const struct fl_cpu *cpu;
    const struct format *format;
    const struct fl_ops *ops;
    void *ctx;
    struct fl_walk w;
};

static enum fl_walk_end end_at(struct walker *s, enum fl_walk_end end, const struct format_level *l)
{
    s->w.end = end;
    s->w.level = l->level;
    return end;
}

/* Reads the entry at paddr and judges it. FL_WALK_MAPPED here means: present and well-formed; *leaf is then valid. */
static enum fl_walk_end read_level(struct walker *s, const struct format_level *l, uint64_t paddr, bool *leaf)
{
    s->w.entry = 0;
    s->w.entry_paddr = paddr;
    if (!s->ops->read_entry(s->ctx, paddr, s->format->entry_size, &s->w.entry))
        return end_at(s, FL_WALK_NO_TABLE, l);
    if (!(s->w.entry & X86_PTE_P))
        return end_at(s, FL_WALK_ABSENT, l);
    *leaf = core_format_is_leaf(l, s->cpu, s->w.entry);
    if (s->w.entry & core_format_reserved(s->format, l, s->cpu, *leaf))
        return end_at(s, FL_WALK_RESERVED, l);
    return end_at(s, FL_WALK_MAPPED, l);
}

/* The PDPTE registers: all four entries are read and checked; an absent one is no error until it is used. Leaves the
 * walker at the wanted PDPTE unless the load itself fails. */
static enum fl_walk_end load_pdptes(struct walker *s, uint64_t root, unsigned wanted)
{
    const struct format_level *l = &s->format->level[0];
    enum fl_walk_end end = FL_WALK_ABSENT;
    struct fl_walk found = s->w;

    for (unsigned i = 0; i < PDPTES; i++) {
        bool leaf;
        enum fl_walk_end this_end = read_level(s, l, root + i * s->format->entry_size, &leaf);

        if (this_end == FL_WALK_NO_TABLE || this_end == FL_WALK_RESERVED)
            return this_end;
        if (i == wanted) {
            end = this_end;
            found = s->w;
        }
    }
    s->w = found;
    return end;
}

static void finish_mapped(struct walker *s, const struct format_level *l, uint64_t va)
{
    uint64_t entry = s->w.entry;

    s->w.page_shift = l->shift;
    s->w.paddr = core_format_page(s->format, l, entry) | (va & ~(UINT64_MAX << l->shift));
    s->w.dirty = entry & X86_PTE_D;
    s->w.accessed = entry & X86_PTE_A;
    if (s->format->has_pkey)
        s->w.pkey = entry >> X86_PTE_PKEY_SHIFT & X86_PTE_PKEY_MASK;
}

static void walk(struct walker *s, uint64_t va)
{
    bool pdpte_registers = s->cpu->mode == FL_MODE_PAE && s->cpu->vendor == FL_VENDOR_INTEL;
    bool writable = true, user = true, nx = false;
    uint64_t table = core_format_root(s->format, s->cpu);

    if (!core_format_walkable(s->format, va)) {
        s->w.end = FL_WALK_NONCANONICAL;
        return;
    }
    for (unsigned i = 0;; i++) {
        const struct format_level *l = &s->format->level[i];
        unsigned index = (unsigned)(va >> l->shift) & ((1u << l->index_bits) - 1);
        bool leaf = false;
        enum fl_walk_end end;

        if (pdpte_registers && i == 0)
            end = load_pdptes(s, table, index);
        else
            end = read_level(s, l, table + (uint64_t)index * s->format->entry_size, &leaf);
        if (end != FL_WALK_MAPPED)
            return;

        if (l->rights) {
            writable &= (s->w.entry & X86_PTE_RW) != 0;
            user &= (s->w.entry & X86_PTE_US) != 0;
            /* With NXE off a set bit 63 is reserved and did not come this far. */
            nx |= s->format->has_nx && (s->w.entry & X86_PTE_NX);
        }
        if (leaf) {
            s->w.writable = writable;
            s->w.user = user;
            s->w.nx = nx;
            finish_mapped(s, l, va);
            return;
        }
        table = core_format_table(s->format, s->w.entry);
    }
}

enum fl_status core_walk(const struct fl_cpu *cpu, const struct fl_ops *ops, void *ctx, uint64_t va,
                         struct fl_walk *out)
{
    if (!cpu || !out || !core_ops_complete(ops) || cpu->mode >= FL_MODE_COUNT)
        return FL_INVALID;

    struct walker s = {.cpu = cpu, .format = core_format_of(cpu->mode), .ops = ops, .ctx = ctx};

    walk(&s, va);
    *out = s.w;
    return FL_OK;
}

/* Bits of the error code that describe the access and not the tables. The I bit exists only where fetches can be
 * forbidden: NXE with 8-byte entries, or SMEP (SDM vol. 3, 4.7). */
static uint32_t access_bits(const struct fl_cpu *cpu, const struct fl_access *access)
{
    uint32_t code = 0;

    if (access->kind == FL_WRITE)
        code |= X86_PF_WRITE;
    if (access->priv == FL_USER)
        code |= X86_PF_USER;
    if (access->kind == FL_FETCH &&
        ((cpu->mode != FL_MODE_2LEVEL && (cpu->efer & X86_EFER_NXE)) || (cpu->cr4 & X86_CR4_SMEP)))
        code |= X86_PF_INSTR;
    return code;
}

/* Access rights but for the protection keys: SDM vol. 3, 4.6.1. */
static bool rights_permit(const struct fl_cpu *cpu, const struct fl_walk *walk, const struct fl_access *access)
{
    bool by_user = access->priv == FL_USER;

    if (by_user && !walk->user)
        return false;
    if (access->kind == FL_FETCH) {
        if (walk->nx)
            return false;
        return by_user || !walk->user || !(cpu->cr4 & X86_CR4_SMEP);
    }
    /* SMAP: EFLAGS.AC lets explicit accesses through, implicit ones never. */
    if (!by_user && walk->user && (cpu->cr4 & X86_CR4_SMAP) && !(access->priv == FL_SUPERVISOR && access->ac))
        return false;
    if (access->kind == FL_WRITE && !walk->writable)
        return !by_user && !(cpu->cr0 & X86_CR0_WP);
    return true;
}

/* Protection keys bind data accesses in IA-32e modes: PKRU those to user-mode addresses, PKRS those to supervisor-mode
 * ones. The write-disable bit binds user-mode accesses under PKRU always, all others only with CR0.WP on. SDM 4.6.2. */
static bool pkey_permits(const struct fl_cpu *cpu, const struct fl_walk *walk, const struct fl_access *access)
{
    if (!core_format_of(cpu->mode)->has_pkey || access->kind == FL_FETCH)
        return true;
    if (!(cpu->cr4 & (walk->user ? X86_CR4_PKE : X86_CR4_PKS)))
        return true;
    if (!walk->user &&
        cpu->vendor == FL_VENDOR_AMD) /* keys for supervisor pages are Intel's alone (APM vol. 2, 5.6.7) */
        return true;

    uint32_t rights = (walk->user ? cpu->pkru : cpu->pkrs) >> 2 * (walk->pkey & X86_PTE_PKEY_MASK);
    bool access_disable = rights & 1, write_disable = rights & 2;
    bool write_binds = (cpu->cr0 & X86_CR0_WP) || (walk->user && access->priv == FL_USER);

    return !access_disable && !(access->kind == FL_WRITE && write_disable && write_binds);
}

enum fl_status core_permits(const struct fl_cpu *cpu, const struct fl_walk *walk, const struct fl_access *access,
                            bool *faults, uint32_t *error_code)
{
    if (!cpu || !walk || !access || !faults || !error_code || cpu->mode >= FL_MODE_COUNT ||
        access->kind >= FL_ACCESS_KIND_COUNT || access->priv >= FL_ACCESS_PRIV_COUNT)
        return FL_INVALID;

    uint32_t code = access_bits(cpu, access);

    switch (walk->end) {
    case FL_WALK_ABSENT: break;
    case FL_WALK_RESERVED:
        if (cpu->mode == FL_MODE_PAE && cpu->vendor == FL_VENDOR_INTEL && walk->level == 3)
            return FL_UNSUPPORTED; /* #GP at the load of the PDPTEs, no page fault */
        code |= X86_PF_P | X86_PF_RSVD;
        break;
    case FL_WALK_MAPPED: {
        bool key = pkey_permits(cpu, walk, access);

        if (key && rights_permit(cpu, walk, access)) {
            *faults = false;
            *error_code = 0;
            return FL_OK;
        }
        code |= X86_PF_P | (key ? 0 : X86_PF_PK);
        break;
    }
    case FL_WALK_NO_TABLE:
    case FL_WALK_NONCANONICAL: return FL_UNSUPPORTED;
    default: return FL_INVALID;
    }
    *faults = true;
    *error_code = code;
    return FL_OK;
}
