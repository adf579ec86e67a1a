/* SPDX-License-Identifier: MIT */
/*
 * The plain facts of pinning user pages (get_user_pages): flags, VMAs, pages, answers. Like types.h, seen by core/ and
 * oracle/, and like it without any hardware bit of a page-table entry. What a kernel keeps in bits that the processor
 * ignores is the scenario's to choose (struct fl_soft_bits), so that both sides are told and neither knows.
 *
 * Era: Linux 3.19 (seed 003), with the upstream fix of each known bug; docs/deviations.md lists them.
 */
#ifndef FAULTLINE_PIN_H
#define FAULTLINE_PIN_H

#include <faultline/types.h>

/* Frame numbers stand for struct page. */
#define FL_NO_PAGE UINT64_MAX

/* What a pin is asked to be (include/linux/mm.h, FOLL_*; own numbering). */
enum fl_foll {
    FL_FOLL_WRITE = 1 << 0,      /* the page will be written to */
    FL_FOLL_TOUCH = 1 << 1,      /* mark it accessed, and with WRITE dirty */
    FL_FOLL_GET = 1 << 2,        /* take a reference */
    FL_FOLL_DUMP = 1 << 3,       /* no holes, no zero page: an error instead */
    FL_FOLL_FORCE = 1 << 4,      /* also where the VMA refuses, as far as it may be changed to permit it */
    FL_FOLL_NOWAIT = 1 << 5,     /* start IO, do not wait for it; the mm lock stays */
    FL_FOLL_MLOCK = 1 << 6,      /* mark the page as mlocked where the VMA is */
    FL_FOLL_SPLIT = 1 << 7,      /* no huge page: split it */
    FL_FOLL_HWPOISON = 1 << 8,   /* tell poisoned pages from bad addresses */
    FL_FOLL_NUMA = 1 << 9,       /* NUMA hints take their fault */
    FL_FOLL_MIGRATION = 1 << 10, /* wait for a page that is being migrated */
    FL_FOLL_TRIED = 1 << 11,     /* a RETRY was answered before */
    FL_FOLL_BITS = (1 << 12) - 1
};

/* Bits of table entries that the processor ignores, as this kernel uses them; 0: it does not. Each is one bit, none of
 * them one that the processor looks at in an entry with that value of P. */
struct fl_soft_bits {
    uint64_t protnone; /* with P clear: a leaf that the kernel counts as present, of a VMA that permits nothing */
    uint64_t numa; /* with P clear: a leaf that the kernel counts as present: the next access takes a hinting fault */
    uint64_t special;   /* with P set, level 1: there is no struct page to use */
    uint64_t devmap;    /* with P set: memory of a device that has struct pages */
    uint64_t splitting; /* with P set, large leaf: it is being split */
};

/* What a leaf entry without P (and without protnone and numa) stands for, as the swap code reads it. */
enum fl_swap_kind {
    FL_SWAP_NONE,      /* all zero: nothing was ever there */
    FL_SWAP_FILE,      /* a nonlinear file offset */
    FL_SWAP_SLOT,      /* swapped out */
    FL_SWAP_MIGRATION, /* being migrated */
    FL_SWAP_HWPOISON,
    FL_SWAP_KIND_COUNT
};

/* A copy of one VMA, with what pinning asks of it. [start, end) page aligned, start < end. */
struct fl_pin_vma {
    uint64_t start, end;
    uint32_t generation; /* names the VMA as it is; growing downwards keeps it; 0 is never used */
    bool read, write, exec;
    uint8_t pkey;             /* 0..15 */
    bool may_read, may_write; /* mprotect could grant it */
    bool shared;
    bool io, pfnmap; /* no struct pages behind it */
    bool locked;     /* mlock */
    bool growsdown;
    bool prev_adjoins;  /* a growsdown VMA ends where this one starts */
    bool has_fault;     /* its mapping has a fault handler: a hole need not be zero */
    uint8_t huge_shift; /* hugetlb: log2 of its page size (21, 22 or 30); 0: not hugetlb */
    bool gate;          /* the gate area (vsyscall page): not a real VMA */
};

/* mm_fault's answer, beside enum fl_mm_result: COW was broken though the entry may be read only (VM_FAULT_WRITE). */
struct fl_pin_fault {
    uint8_t result; /* enum fl_mm_result */
    bool wrote;
};

/* What a pin came to when it is not a number of pages. */
enum fl_pin_error {
    FL_PIN_OK,
    FL_PIN_EFAULT,
    FL_PIN_ENOMEM,
    FL_PIN_EHWPOISON,
    FL_PIN_ERESTARTSYS, /* a fatal signal is pending */
    FL_PIN_EBUSY,       /* fixup: it would have to be retried */
    FL_PIN_BUG,         /* the kernel's own assertion failed */
    FL_PIN_ERROR_COUNT
};

/* What was pinned. */
struct fl_pinned {
    uint8_t error;  /* enum fl_pin_error; OK whenever pages > 0 */
    uint64_t pages; /* how many, from the start on, without a hole */
    bool lock_held; /* the mm lock is held on return */
    bool relocked;  /* it was dropped and taken again meanwhile: VMAs may have changed */
};

#endif
