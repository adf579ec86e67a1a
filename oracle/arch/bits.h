/* SPDX-License-Identifier: MIT */
/*
 * The register, entry and error-code bits that the architectural walk reads, each with where the manual defines it.
 * Section numbers of the Intel SDM, volume 3A, are those of the editions with paging in chapter 4 (2011 to mid-2023;
 * the chapter is number 5 since). AMD sections are of the APM, volume 2. Nothing here is shared with the code under
 * test.
 */
#ifndef FAULTLINE_ORACLE_ARCH_BITS_H
#define FAULTLINE_ORACLE_ARCH_BITS_H

#include <stdint.h>

#define BIT(n) (UINT64_C(1) << (n))
/* Bits h..l; 63 >= h >= l >= 0. */
#define BITS(h, l) ((~UINT64_C(0) >> (63 - (h))) & (~UINT64_C(0) << (l)))

/* Control registers: SDM 2.5, 4.1.1, 4.1.3. */
#define CR0_WP   BIT(16)
#define CR4_PSE  BIT(4)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define CR4_PKE  BIT(22)
#define CR4_PKS  BIT(24)
#define EFER_NXE BIT(11)

/* Paging-structure entries: SDM 4.3 (tables 4-4 to 4-6), 4.4.2 (4-8 to 4-11), 4.5 (4-14 to 4-20). */
#define ENTRY_P       BIT(0)
#define ENTRY_RW      BIT(1)
#define ENTRY_US      BIT(2)
#define ENTRY_A       BIT(5)
#define ENTRY_D       BIT(6)
#define ENTRY_PS      BIT(7)
#define ENTRY_G       BIT(8)
#define ENTRY_XD      BIT(63)
#define ENTRY_PKEY(e) ((unsigned)((e) >> 59) & 15u) /* SDM 4.6.2: bits 62:59 of the entry that maps the page */

/* Page-fault error code: SDM 4.7, figure 4-12. */
#define ERR_P    BIT(0)
#define ERR_WR   BIT(1)
#define ERR_US   BIT(2)
#define ERR_RSVD BIT(3)
#define ERR_ID   BIT(4)
#define ERR_PK   BIT(5)

/* PKRU and IA32_PKRS: access-disable and write-disable of key k, SDM 4.6.2. */
#define KEY_AD(r, k) (((r) >> (2 * (k))) & 1u)
#define KEY_WD(r, k) (((r) >> (2 * (k) + 1)) & 1u)

#endif
