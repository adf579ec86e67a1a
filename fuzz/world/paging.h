/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries as the world writes them. Private to fuzz/world/tables.c; neither the core's numbers nor the
 * oracle's. Intel SDM vol. 3A, chapter 4: tables 4-4 to 4-6 (32-bit), 4-8 to 4-11 (PAE), 4-14 to 4-20 (4- and 5-level).
 */
#ifndef FAULTLINE_WORLD_PAGING_H
#define FAULTLINE_WORLD_PAGING_H

#include <stdint.h>

#define BIT(n) ((uint64_t)1 << (n))

enum {
    E_PRESENT = 1 << 0,
    E_WRITE = 1 << 1,
    E_USER = 1 << 2,
    E_PWT = 1 << 3,
    E_PCD = 1 << 4,
    E_ACCESSED = 1 << 5,
    E_DIRTY = 1 << 6,
    E_LARGE = 1 << 7,   /* PS: of a PDE or PDPTE */
    E_PAT_PTE = 1 << 7, /* of a PTE (table 4-6, 4-11, 4-20) */
    E_GLOBAL = 1 << 8,
    E_SOFTWARE = 7 << 9,  /* ignored by the processor */
    E_PAT_LARGE = 1 << 12 /* of an entry that maps a large page (tables 4-4, 4-9, 4-16, 4-18) */
};
#define E_PKEY_SHIFT 59 /* bits 62:59 of a leaf, 4- and 5-level paging only (table 4-20) */
#define E_XD         BIT(63)

/* Where an entry's address lies. 2-level entries are 32 bits wide; the others end at bit 51 whatever MAXPHYADDR is. */
#define E_ADDR_32 UINT64_C(0xfffff000)
#define E_ADDR_64 UINT64_C(0x000ffffffffff000)

/* Address bits 39:32 of a 4 MiB page lie in bits 20:13, with PSE-36; bit 21 is reserved (table 4-4). Where the page
 * lies in RAM, all of 21:13 are zero. */
#define E_HIGH_4M UINT64_C(0x003fe000)

/* A PAE PDPTE has P, PWT, PCD, bits 11:9 and the address; all else is reserved (table 4-8). */
#define E_PDPTE_PAE_OTHER (~(E_ADDR_64 | E_SOFTWARE | E_PRESENT | E_PWT | E_PCD))

/* Control registers: section 2.5; EFER: section 2.2.1. */
#define CR0_PE         BIT(0)
#define CR0_MP         BIT(1)
#define CR0_ET         BIT(4)
#define CR0_NE         BIT(5)
#define CR0_WP         BIT(16)
#define CR0_PG         BIT(31)
#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_LA57       BIT(12)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE        BIT(22)
#define CR4_PKS        BIT(24)
#define EFER_SCE       BIT(0)
#define EFER_LME       BIT(8)
#define EFER_LMA       BIT(10)
#define EFER_NXE       BIT(11)

/* RFLAGS: section 2.3. */
#define FLAGS_FIXED BIT(1)
#define FLAGS_VM    BIT(17)

#endif
