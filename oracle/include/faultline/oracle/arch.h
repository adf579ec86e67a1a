/* SPDX-License-Identifier: MIT */
/*
 * arch: what the processor does with one access under these tables. Written from the Intel SDM (vol. 3, chapter 4) and
 * the AMD APM (vol. 2, chapter 5) only. Read-only: accessed/dirty updates are answered as a list. The TLB, the
 * paging-structure caches and (PAE on Intel) the PDPTE registers are empty before the access.
 */
#ifndef FAULTLINE_ORACLE_ARCH_H
#define FAULTLINE_ORACLE_ARCH_H

#include <faultline/types.h>

enum fl_arch_kind {
    FL_ARCH_OK,  /* the access completes */
    FL_ARCH_PF,  /* #PF with error_code; CR2 is the address of the access */
    FL_ARCH_GP,  /* #GP: non-canonical address, or (PAE on Intel) a reserved bit in a PDPTE at load */
    FL_ARCH_BUS, /* a table lies where there is no memory */
    FL_ARCH_KIND_COUNT
};

/* One accessed/dirty update: OR bits into the entry of size bytes at paddr. */
struct fl_arch_write {
    uint64_t paddr;
    uint64_t bits;
    uint8_t size;
};

struct fl_arch_result {
    uint8_t kind;            /* enum fl_arch_kind */
    uint8_t level;           /* 1 = PTE .. 5 = PML5E: where the walk ended; 0 = before the first entry. FL_ARCH_BUS: the
                           level whose table is missing; a PDPTE that cannot be loaded: 3 */
    uint8_t page_shift;      /* a leaf was reached: 12, 21, 22 or 30; else 0 */
    uint8_t pkey;            /* page_shift != 0: protection key, 0 where there is none */
    bool writable, user, nx; /* page_shift != 0: combined over all levels */
    uint8_t nwrites;         /* FL_ARCH_OK only; else 0 */
    uint32_t error_code;     /* FL_ARCH_PF only; else 0 */
    uint64_t entry;          /* raw entry that ended the walk; 0 when level is 0 or the entry could not be read */
    uint64_t paddr;          /* page_shift != 0: translation, whether or not the access is permitted */
    struct fl_arch_write writes[5];
    /* Accessed bits that the processor may set although the access does not complete (implementation-specific: SDM 4.8):
     * of the present entries without a reserved bit that the walk passed. Empty for FL_ARCH_OK. */
    uint8_t nmaybe;
    struct fl_arch_write maybe[5];
};

/* FL_OK: *out is whole. FL_INVALID: NULL, or a field of cpu or access outside its range; *out untouched.
 * In the 32-bit modes the address wraps: only bits 31:0 of va are looked at. cpu->mode decides the mode; that the
 * control registers agree with it is not checked. Calls read at most 5 times (PAE: 6). */
enum fl_status fl_arch_walk(const struct fl_cpu *cpu, const struct fl_access *access, fl_read_fn read, void *ctx,
                            struct fl_arch_result *out);

/* Which access a #PF with this error code was, as far as the code tells: kind and privilege. implicit supervisor
 * accesses cannot be told from explicit ones. */
struct fl_access fl_arch_access_of(uint64_t cr2, uint64_t error_code, bool ac);

/* How a raw (CR2, error code) pair relates to these tables. */
enum fl_label {
    FL_LABEL_CONSISTENT, /* this CPU raises just this */
    FL_LABEL_STALE,      /* a declared stale TLB entry explains it; fl_arch_label sees none, so it never says so */
    FL_LABEL_IMPOSSIBLE,
    FL_LABEL_COUNT
};

/* FL_OK: *label [OUT] is valid. FL_INVALID as fl_arch_walk. Asks for every access that could have pushed this code: an
 * implicit one too where U/S is 0, a fetch too where I/D and W/R are 0. Bits beyond 5 (SS, HLAT, SGX, RMP) come from
 * features that this processor has not, and are impossible. */
enum fl_status fl_arch_label(const struct fl_cpu *cpu, uint64_t cr2, uint64_t error_code, bool ac, fl_read_fn read,
                             void *ctx, enum fl_label *label);

/* "ok", "pf", "gp", "bus". */
const char *fl_arch_kind_name(enum fl_arch_kind kind);

#endif
