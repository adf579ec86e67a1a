/* SPDX-License-Identifier: MIT */
/*
 * The architectural walk. In prose (SDM vol. 3A, 4.2 to 4.8):
 *
 *   1. A linear address that is not canonical for the mode is #GP before any table is read.
 *   2. PAE paging on Intel: the four PDPTEs have been loaded from CR3; a reserved bit in a present one is #GP then.
 *   3. From the root down: an entry that is not present ends the walk (#PF, P = 0), a present entry with a reserved bit
 *      ends it (#PF, P = 1, RSVD = 1), a present entry that maps a page completes the translation.
 *   4. With a translation, the access rights of all entries together decide; a violation is #PF with P = 1.
 *   5. Only an access that is permitted completes, and sets accessed and dirty bits.
 */
#include <faultline/oracle/arch.h>

#include "bits.h"

#include <string.h>

/* What differs between the paging modes: SDM 4.2, table 4-2. */
struct format {
    uint8_t root_level;
    uint8_t entry_size;
    uint8_t index_bits;    /* linear-address bits that choose an entry of one table */
    uint8_t canonical_bit; /* all bits above it equal it; 63: every address is canonical */
    uint8_t reserved_high; /* entry bits reserved_high..MAXPHYADDR are reserved */
    uint8_t physical_high; /* highest bit of an entry or of CR3 that can be part of an address */
};

static const struct format formats[FL_MODE_COUNT] = {
    [FL_MODE_2LEVEL] = {2, 4, 10, 63, 0, 31}, /* 4.3: reserved bits only in a PDE that maps 4 MiB */
    [FL_MODE_PAE] = {3, 8, 9, 63, 62, 51},    /* 4.4.2; APM 5.2.3: 62:52 too */
    [FL_MODE_4LEVEL] = {4, 8, 9, 47, 51, 51}, /* 4.5.4 */
    [FL_MODE_5LEVEL] = {5, 8, 9, 56, 51, 51}, /* 4.5.4 */
};

/* Reserved in a present entry of level n for its format's sake, whatever the vendor: SDM 4.5, tables 4-14 to 4-20. */
static const uint64_t reserved_referencing[6] = {[4] = ENTRY_PS, [5] = ENTRY_PS};
static const uint64_t reserved_mapping[6] = {
    [2] = BITS(20, 13), /* 2 MiB page; bit 12 is PAT */
    [3] = BITS(29, 13), /* 1 GiB page; bit 12 is PAT */
    [4] = ENTRY_PS,
    [5] = ENTRY_PS,
};

struct walk {
    const struct fl_cpu *cpu;
    const struct fl_access *access;
    fl_read_fn read;
    void *ctx;
    const struct format *format;
    uint64_t va;
    uint64_t physical; /* address bits of an entry: bit 12 up to the implemented width */
    uint64_t reserved; /* reserved in every entry but a PAE PDPTE */
    uint64_t leaf;     /* where the entry lies that maps the page */
    bool nx_enabled;
    unsigned passed; /* entries of out->maybe in use: used, and not yet marked accessed */
};

static bool ia32e(const struct fl_cpu *cpu)
{
    return cpu->mode >= FL_MODE_4LEVEL;
}

/* SDM 4.3: bits of a present PDE that maps a 4 MiB page. */
static uint64_t reserved_4m(const struct fl_cpu *cpu)
{
    unsigned width = cpu->maxphyaddr < 40 ? cpu->maxphyaddr : 40;

    if (!cpu->pse36)
        return BITS(21, 13);
    /* PSE-36: bits 20:13 hold address bits 39:32 as far as the processor has them, and bit 21 holds none. */
    return BITS(21, width - 19u);
}

static bool maps_page(const struct fl_cpu *cpu, unsigned level, uint64_t entry)
{
    if (level == 1)
        return true;
    if (!(entry & ENTRY_PS))
        return false;
    if (cpu->mode == FL_MODE_2LEVEL)
        return (cpu->cr4 & CR4_PSE) != 0; /* SDM 4.3: without CR4.PSE the PS bit is ignored */
    return level <= 3;
}

/* The reserved bits of a present entry of this level (not of a PAE PDPTE). */
static uint64_t reserved_bits(const struct walk *w, unsigned level, bool leaf, uint64_t entry)
{
    const struct fl_cpu *cpu = w->cpu;
    uint64_t bits;

    if (cpu->mode == FL_MODE_2LEVEL)
        return leaf && level == 2 ? reserved_4m(cpu) : 0;
    bits = w->reserved;
    if (entry & ENTRY_PS)
        bits |= reserved_mapping[level];
    else
        bits |= reserved_referencing[level];
    /* SDM 4.5.4: PS of a PDPTE is reserved without CPUID.Page1GB. */
    if (level == 3 && !cpu->page1gb)
        bits |= ENTRY_PS;
    /* APM 5.3.3: bit 8 of PML4E and PML5E must be zero; SDM table 4-15 ignores it. */
    if (level >= 4 && cpu->vendor == FL_VENDOR_AMD)
        bits |= ENTRY_G;
    return bits;
}

/* SDM table 4-8, APM 5.2.3: a present PDPTE of PAE paging has no rights, no accessed bit and no execute-disable. */
static uint64_t reserved_pae_pdpte(const struct fl_cpu *cpu)
{
    return BITS(2, 1) | BITS(8, 5) | BITS(63, cpu->maxphyaddr);
}

static void finish_fault(const struct walk *w, uint64_t reason, struct fl_arch_result *out)
{
    const struct fl_access *a = w->access;
    uint64_t code = reason;

    if (a->kind == FL_WRITE)
        code |= ERR_WR;
    /* Implicit supervisor accesses are supervisor-mode accesses at any CPL: SDM 4.6. */
    if (a->priv == FL_USER)
        code |= ERR_US;
    /* SDM 4.7: only where NX or SMEP makes fetches special. */
    if (a->kind == FL_FETCH && (w->nx_enabled || (w->cpu->cr4 & CR4_SMEP)))
        code |= ERR_ID;
    out->kind = FL_ARCH_PF;
    out->error_code = (uint32_t)code;
    out->nmaybe = (uint8_t)w->passed;
}

/* SDM 4.6.2: the key of the page disables this access. Independent of every other right. */
static bool key_denies(const struct walk *w, const struct fl_arch_result *out)
{
    const struct fl_cpu *cpu = w->cpu;
    const struct fl_access *a = w->access;
    uint32_t rights;

    if (!ia32e(cpu))
        return false; /* keys need EFER.LMA */
    if (a->kind == FL_FETCH)
        return false; /* keys never stop a fetch */
    if (out->user) {
        if (!(cpu->cr4 & CR4_PKE))
            return false;
        rights = cpu->pkru;
    } else {
        if (!(cpu->cr4 & CR4_PKS) || cpu->vendor == FL_VENDOR_AMD)
            return false; /* AMD has keys for user pages only: APM 5.6 */
        rights = cpu->pkrs;
    }
    if (KEY_AD(rights, out->pkey))
        return true;
    if (a->kind == FL_READ || !KEY_WD(rights, out->pkey))
        return false;
    /* Write-disable of PKRU binds user accesses always, supervisor ones only under CR0.WP; that of PKRS binds writes to
     * supervisor-mode addresses only under CR0.WP, whoever writes (SDM 4.6.2). */
    return (out->user && a->priv == FL_USER) || (cpu->cr0 & CR0_WP);
}

/* SDM 4.6.1 without protection keys. */
static bool rights_deny(const struct walk *w, const struct fl_arch_result *out)
{
    const struct fl_cpu *cpu = w->cpu;
    const struct fl_access *a = w->access;

    if (a->kind == FL_FETCH && out->nx)
        return true; /* execute-disable, at any privilege */
    if (a->priv == FL_USER) {
        if (!out->user)
            return true; /* supervisor-mode address */
        return a->kind == FL_WRITE && !out->writable;
    }
    if (a->kind == FL_FETCH)
        return out->user && (cpu->cr4 & CR4_SMEP);
    if (out->user && (cpu->cr4 & CR4_SMAP)) {
        if (a->priv == FL_IMPLICIT)
            return true; /* EFLAGS.AC does not help an implicit access */
        if (!a->ac)
            return true;
    }
    return a->kind == FL_WRITE && !out->writable && (cpu->cr0 & CR0_WP);
}

/* SDM 4.8: the access completes, marks every entry that it used as accessed and, if it wrote, the mapping one dirty. */
static void finish_ok(const struct walk *w, struct fl_arch_result *out)
{
    unsigned n = w->passed;

    memcpy(out->writes, out->maybe, sizeof out->writes);
    memset(out->maybe, 0, sizeof out->maybe);
    if (w->access->kind == FL_WRITE && !(out->entry & ENTRY_D)) {
        if (out->entry & ENTRY_A) { /* otherwise the last update is already of this entry */
            out->writes[n].paddr = w->leaf;
            out->writes[n].size = w->format->entry_size;
            n++;
        }
        out->writes[n - 1].bits |= ENTRY_D;
    }
    out->nwrites = (uint8_t)n;
    out->kind = FL_ARCH_OK;
}

/* PAE paging: the level-3 entry. False: the walk has ended. */
static bool pae_pdpte(const struct walk *w, uint64_t *table, struct fl_arch_result *out)
{
    const struct fl_cpu *cpu = w->cpu;
    uint64_t base = cpu->cr3 & BITS(31, 5), reserved = reserved_pae_pdpte(cpu), entry[4] = {0};
    unsigned wanted = (unsigned)(w->va >> 30) & 3u;

    out->level = 3;
    if (cpu->vendor == FL_VENDOR_INTEL) {
        /* SDM 4.4.1: MOV to CR3 loads all four, and #GP if a present one has a reserved bit. */
        for (unsigned i = 0; i < 4; i++) {
            if (!w->read(w->ctx, base + 8u * i, 8, &entry[i])) {
                out->kind = FL_ARCH_BUS;
                return false;
            }
        }
        for (unsigned i = 0; i < 4; i++) {
            if ((entry[i] & ENTRY_P) && (entry[i] & reserved)) {
                out->kind = FL_ARCH_GP;
                out->entry = entry[i];
                return false;
            }
        }
    } else if (!w->read(w->ctx, base + 8u * wanted, 8, &entry[wanted])) {
        /* APM 15.25.10: under nested paging the entry is read, and checked, when a walk needs it. That is what software
         * on AMD meets in a virtual machine, and what the walk vectors ask for. */
        out->kind = FL_ARCH_BUS;
        return false;
    }
    out->entry = entry[wanted];
    if (!(out->entry & ENTRY_P)) {
        finish_fault(w, 0, out);
        return false;
    }
    if (out->entry & reserved) {
        finish_fault(w, ERR_P | ERR_RSVD, out);
        return false;
    }
    *table = out->entry & w->physical;
    return true;
}

/* Down to the entry that maps the page. False: the walk has ended. */
static bool translate(struct walk *w, uint64_t table, unsigned level, struct fl_arch_result *out)
{
    const struct format *f = w->format;
    uint64_t offset, rights = ENTRY_RW | ENTRY_US, xd = 0, entry, paddr;
    unsigned shift;
    bool leaf;

    for (;; level--) {
        shift = 12u + (level - 1u) * f->index_bits;
        paddr = table + ((w->va >> shift) & BITS(f->index_bits - 1, 0)) * f->entry_size;
        out->level = (uint8_t)level;
        if (!w->read(w->ctx, paddr, f->entry_size, &entry)) {
            out->entry = 0;
            out->kind = FL_ARCH_BUS;
            out->nmaybe = (uint8_t)w->passed;
            return false;
        }
        out->entry = entry;
        if (!(entry & ENTRY_P)) {
            finish_fault(w, 0, out);
            return false;
        }
        leaf = maps_page(w->cpu, level, entry);
        if (entry & reserved_bits(w, level, leaf, entry)) {
            finish_fault(w, ERR_P | ERR_RSVD, out);
            return false;
        }
        if (!(entry & ENTRY_A)) {
            out->maybe[w->passed].paddr = paddr;
            out->maybe[w->passed].bits = ENTRY_A;
            out->maybe[w->passed].size = f->entry_size;
            w->passed++;
        }
        rights &= entry;
        xd |= entry;
        if (leaf)
            break;
        table = entry & w->physical;
    }
    offset = BITS(shift - 1, 0);
    out->paddr = (entry & w->physical & ~offset) | (w->va & offset);
    if (w->cpu->mode == FL_MODE_2LEVEL && level == 2 && w->cpu->pse36)
        out->paddr |= (entry & BITS(20, 13)) << 19; /* SDM table 4-4: to address bits 39:32 */
    out->page_shift = (uint8_t)shift;
    out->writable = (rights & ENTRY_RW) != 0;
    out->user = (rights & ENTRY_US) != 0;
    out->nx = w->nx_enabled && (xd & ENTRY_XD);
    out->pkey = ia32e(w->cpu) ? (uint8_t)ENTRY_PKEY(entry) : 0;
    w->leaf = paddr;
    return true;
}

static bool canonical(const struct format *f, uint64_t va)
{
    uint64_t above = va >> f->canonical_bit;

    return f->canonical_bit == 63 || above == 0 || above == BITS(63 - f->canonical_bit, 0);
}

static bool in_range(const struct fl_cpu *cpu, const struct fl_access *a)
{
    if (cpu->mode >= FL_MODE_COUNT || cpu->vendor >= FL_VENDOR_COUNT)
        return false;
    if (cpu->maxphyaddr < 32 || cpu->maxphyaddr > 52)
        return false;
    return a->kind < FL_ACCESS_KIND_COUNT && a->priv < FL_ACCESS_PRIV_COUNT;
}

static void walk(struct walk *w, struct fl_arch_result *out)
{
    const struct fl_cpu *cpu = w->cpu;
    unsigned level = w->format->root_level;
    uint64_t table;

    if (!canonical(w->format, w->va)) {
        out->kind = FL_ARCH_GP; /* SDM vol. 1, 3.3.7.1; #SS when the access went through the stack segment */
        return;
    }
    if (cpu->mode == FL_MODE_PAE) {
        if (!pae_pdpte(w, &table, out))
            return;
        level = 2;
    } else {
        table = cpu->cr3 & w->physical; /* SDM tables 4-3, 4-12, 4-13: without PWT, PCD and PCID */
    }
    if (!translate(w, table, level, out))
        return;

    bool denied = rights_deny(w, out);
    bool key = key_denies(w, out);

    /* SDM 4.7: PK says that the key denied the access, whether or not something else did too. */
    if (denied || key)
        finish_fault(w, key ? ERR_P | ERR_PK : ERR_P, out);
    else
        finish_ok(w, out);
}

enum fl_status fl_arch_walk(const struct fl_cpu *cpu, const struct fl_access *access, fl_read_fn read, void *ctx,
                            struct fl_arch_result *out)
{
    struct walk w;
    unsigned width;

    if (!cpu || !access || !read || !out || !in_range(cpu, access))
        return FL_INVALID;
    w.cpu = cpu;
    w.access = access;
    w.read = read;
    w.ctx = ctx;
    w.format = &formats[cpu->mode];
    /* Outside IA-32e mode linear addresses have 32 bits and wrap (SDM vol. 1, 3.3.1): no index and no offset of those
     * formats takes a bit above 31. */
    w.va = access->va;
    width = w.format->physical_high < cpu->maxphyaddr ? w.format->physical_high + 1u : cpu->maxphyaddr;
    w.physical = BITS(width - 1, 12);
    w.nx_enabled = w.format->entry_size == 8 && (cpu->efer & EFER_NXE); /* SDM 4.1.1, 4.1.3 */
    w.reserved = w.nx_enabled ? 0 : ENTRY_XD;
    if (w.format->reserved_high >= cpu->maxphyaddr)
        w.reserved |= BITS(w.format->reserved_high, cpu->maxphyaddr);
    w.leaf = 0;
    w.passed = 0;
    memset(out, 0, sizeof *out);
    walk(&w, out);
    return FL_OK;
}
