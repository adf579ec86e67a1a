/* SPDX-License-Identifier: MIT */
/*
 * The fault-handling core, as a vtable: the one in this tree is fl_core(); others plug in their own.
 *
 * All functions are pure but for the ops they call: no globals, no allocation, no memory kept between calls. They are
 * safe to call with any bit pattern in any field that types.h does not restrict.
 */
#ifndef FAULTLINE_CORE_H
#define FAULTLINE_CORE_H

#include <faultline/ops.h>
#include <faultline/types.h>

#define FL_CORE_ABI 2u

/* One page fault as the exception entry hands it over. */
struct fl_fault {
    struct fl_cpu cpu;
    struct fl_kernel kernel;
    struct fl_task task;
    struct fl_codeseg codeseg; /* of a selector in the GDT; those in the LDT are looked up by ops->ldt */
    struct fl_regs regs;
    uint64_t cr2;
    uint64_t error_code; /* as pushed by the processor; unknown bits pass through */
};

/* What 2.6.25's sync_all remembers from call to call. All zero: nothing yet. */
struct fl_sync_state {
    uint64_t start;      /* 32-bit: everything below is in step; 0: task_size. 64-bit: ... VMALLOC_START's slot */
    uint64_t insync[16]; /* one bit per top-level slot */
};

enum fl_walk_end {
    FL_WALK_MAPPED,      /* a leaf was reached */
    FL_WALK_ABSENT,      /* a not-present entry ended the walk */
    FL_WALK_RESERVED,    /* a present entry with a reserved bit set ended the walk */
    FL_WALK_NO_TABLE,    /* a table lies where there is no memory */
    FL_WALK_NONCANONICAL /* the address cannot be walked */
};

/* What the core's own walk over the tables found. Levels count from the leaf: 1 = PTE, 2 = PDE, 3 = PDPTE, 4 = PML4E,
 * 5 = PML5E. */
struct fl_walk {
    uint8_t end;          /* enum fl_walk_end */
    uint8_t level;        /* level of the entry that ended the walk */
    uint8_t page_shift;   /* MAPPED: 12, 21, 22 or 30 */
    uint8_t pkey;         /* MAPPED, IA-32e modes: protection key of the leaf, else 0 */
    bool writable;        /* MAPPED: every level permits writes */
    bool user;            /* MAPPED: every level permits user accesses */
    bool nx;              /* MAPPED: some level forbids fetches (and NX is enabled) */
    bool dirty, accessed; /* MAPPED: of the leaf */
    uint64_t entry;       /* raw entry that ended the walk */
    uint64_t entry_paddr; /* where it lies */
    uint64_t paddr;       /* MAPPED: physical address of va */
};

struct fl_core {
    uint32_t abi;     /* FL_CORE_ABI */
    const char *name; /* for reports */

    /* Walks the tables under cpu->cr3 for va. Calls ops->read_entry at most 5 times (PAE on Intel: up to 4 more for the
     * PDPTE load), no other op. PAE on Intel: a reserved bit in any of the four PDPTEs that is present ends the walk as
     * RESERVED at level 3 with that entry, whichever PDPTE va needs; on AMD only the one that va needs is looked at.
     * FL_OK: *out valid. FL_INVALID: cpu->mode or a NULL pointer. */
    enum fl_status (*walk)(const struct fl_cpu *cpu, const struct fl_ops *ops, void *ctx, uint64_t va,
                           struct fl_walk *out);

    /* Does that walk permit the access? FL_OK: *error_code is the error code that the processor would push when
     * *faults is true, 0 otherwise. FL_UNSUPPORTED: no page fault answers that, since the walk ended in NO_TABLE or
     * NONCANONICAL, or (PAE on Intel) in RESERVED at level 3, which is #GP when the PDPTEs are loaded. FL_INVALID: NULL,
     * or cpu->mode, walk->end, access->kind or access->priv outside its range. Calls no op. */
    enum fl_status (*permits)(const struct fl_cpu *cpu, const struct fl_walk *walk, const struct fl_access *access,
                              bool *faults, uint32_t *error_code);

    /* Is the instruction at the faulting ip a prefetch whose fault is to be ignored? FL_OK: *ignore valid. FL_INVALID:
     * NULL. Calls only ops->ldt (at most once) and ops->probe_byte, at most 15 times, at linear addresses ip .. ip+14
     * (16- and 32-bit code: the segment's base added, modulo 4 GiB). A byte that cannot be read makes it no prefetch.
     * The code segment: virtual-8086 mode: cs * 16, limit 0xffff. cs in the LDT: that descriptor; an index outside the
     * LDT: no byte can be read. Else fault->codeseg. */
    enum fl_status (*prefetch)(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, bool *ignore);

    /* Decides a fault. FL_OK: *out valid. FL_INVALID: NULL, or a cpu.mode / kernel.word / kernel.generation outside its
     * range (a generation that the paging mode does not have included). The mm lock is never held on return. Fields of
     * *out that its action does not make valid are zero; irq_on is always valid. */
    enum fl_status (*fault)(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, struct fl_outcome *out);

    /* Only the synchronisation of that fault's address with the reference tables, by fault->kernel.generation, with the
     * range check of that generation (2008_64: the one that its caller makes) but without looking at the error code.
     * FL_OK: *end [OUT] is one of enum fl_sync_end. FL_INVALID as for fault. Calls read_entry, write_entry, flush_lazy,
     * warn_nmi only. CURRENT reads no entry from a page that a leaf maps. */
    enum fl_status (*vmalloc_fault)(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx,
                                    enum fl_sync_end *end);

    /* Brings all page tables in step with the reference, by kernel->generation (2014: there is none, nothing is done).
     * *state [IN, OUT] is kept from call to call. FL_OK: *end is HANDLED (done), BUG or WILD; pgd_lock is not held. Calls
     * read_entry, write_entry, flush_lazy, pgd_lock, pgd_unlock, pgd_next only. */
    enum fl_status (*sync_all)(const struct fl_cpu *cpu, const struct fl_kernel *kernel, struct fl_sync_state *state,
                               const struct fl_ops *ops, void *ctx, enum fl_sync_end *end);

    /* SH4: synchronises one address of P3. FL_OK: *end valid. FL_INVALID: NULL. Calls read_entry and write_entry (PLAIN)
     * only, with size 4. */
    enum fl_status (*p3_sync)(const struct fl_sh4 *sh, uint64_t addr, const struct fl_ops *ops, void *ctx,
                              enum fl_sync_end *end);
};

const struct fl_core *fl_core(void);

#endif
