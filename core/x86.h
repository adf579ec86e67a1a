/* SPDX-License-Identifier: MIT */
/*
 * The x86 bits that the core knows. Private to core/: the oracle writes its own, so that a wrong constant here cannot
 * be wrong there as well.
 *
 * Sources: Intel SDM vol. 3, 2.5 (control registers), 3.4 (segments), 4.1 to 4.7 (paging), 6.15 (#PF error code); AMD
 * APM vol. 2, 3.1, 4.7, 5.3 to 5.6, 8.4.2.
 */
#ifndef FAULTLINE_CORE_X86_H
#define FAULTLINE_CORE_X86_H

#include <stdint.h>

#define X86_BIT(n) (UINT64_C(1) << (n))
/* Bits high..low, both included; high >= low, high <= 63. */
#define X86_BITS(high, low) ((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))

#define X86_PAGE_SHIFT 12
#define X86_PAGE_SIZE  X86_BIT(X86_PAGE_SHIFT)

#define X86_CR0_WP X86_BIT(16)

#define X86_CR4_PSE  X86_BIT(4)
#define X86_CR4_SMEP X86_BIT(20)
#define X86_CR4_SMAP X86_BIT(21)
#define X86_CR4_PKE  X86_BIT(22)
#define X86_CR4_PKS  X86_BIT(24)

#define X86_EFER_NXE X86_BIT(11)

#define X86_FLAGS_IF X86_BIT(9)
#define X86_FLAGS_VM X86_BIT(17)
#define X86_FLAGS_AC X86_BIT(18)

/* A selector: requested privilege level, table indicator (1: the LDT), index of the descriptor. */
#define X86_SEL_RPL         3u
#define X86_SEL_TI          4u
#define X86_SEL_INDEX_SHIFT 3

/* A code-segment descriptor (SDM vol. 3, 3.4.5). */
#define X86_DESC_L X86_BIT(53) /* 64-bit code */
#define X86_DESC_D X86_BIT(54) /* 32-bit code, else 16 */
#define X86_DESC_G X86_BIT(55) /* the limit counts 4 KiB units */

/* Page-table entries, the bits that every level of every format shares. */
#define X86_PTE_P          X86_BIT(0)
#define X86_PTE_RW         X86_BIT(1)
#define X86_PTE_US         X86_BIT(2)
#define X86_PTE_A          X86_BIT(5)
#define X86_PTE_D          X86_BIT(6)
#define X86_PTE_PS         X86_BIT(7)
#define X86_PTE_G          X86_BIT(8)
#define X86_PTE_NX         X86_BIT(63)
#define X86_PTE_PKEY_SHIFT 59
#define X86_PTE_PKEY_MASK  15u

/* The #PF error code. */
#define X86_PF_P     0x01u /* 0: an entry was not present; 1: everything else */
#define X86_PF_WRITE 0x02u /* the access was a write */
#define X86_PF_USER  0x04u /* a user-mode access: CPL 3 and not one that the processor makes on its own */
#define X86_PF_RSVD  0x08u /* a reserved bit was set in an entry of the walk */
#define X86_PF_INSTR 0x10u /* the access was an instruction fetch */
#define X86_PF_PK    0x20u /* a protection key forbids the access */

#define X86_TRAP_PF 14

#endif
