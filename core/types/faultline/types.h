/* SPDX-License-Identifier: MIT */
/*
 * The plain facts that every part of Faultline speaks in: raw registers, machine and kernel configuration, task and VMA
 * facts, an access, an outcome, a memory reader.
 *
 * This is the only header that both core/ and oracle/ include. It therefore holds no page-table-entry bit, no
 * error-code bit, no register bit, no signal number and no architectural limit: each side writes its own from its own
 * source, so that a wrong constant cannot be shared between the code under test and its judge.
 *
 * Freestanding: needs only <stdint.h>, <stddef.h> and <stdbool.h>.
 */
#ifndef FAULTLINE_TYPES_H
#define FAULTLINE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a function answers when it could not do its work. Out-parameters are untouched unless the answer is FL_OK. */
enum fl_status {
    FL_OK = 0,
    FL_INVALID,     /* a parameter outside its documented range */
    FL_UNSUPPORTED, /* well-formed, but this implementation does not decide it; never a verdict */
    FL_STALE,       /* a generation number that is no longer current */
    FL_NO_MEMORY,   /* a fixed-size pool is used up */
    FL_FAILED,      /* the outside world failed (file, engine, library) */
};

/* ---- the processor --------------------------------------------------------------------------------------------- */

enum fl_mode {
    FL_MODE_2LEVEL, /* 32-bit paging, 4-byte entries */
    FL_MODE_PAE,    /* PAE paging, 8-byte entries, four PDPTEs */
    FL_MODE_4LEVEL, /* 4-level paging of IA-32e mode */
    FL_MODE_5LEVEL, /* 5-level paging of IA-32e mode */
    FL_MODE_COUNT
};

enum fl_vendor { FL_VENDOR_INTEL, FL_VENDOR_AMD, FL_VENDOR_COUNT };

/* One logical processor as software sees it. mode is authoritative: it must agree with cr0/cr4/efer, which supply the
 * feature enables (CR0.WP; CR4.PSE, SMEP, SMAP, PKE, PKS; EFER.NXE). */
struct fl_cpu {
    uint8_t mode;       /* enum fl_mode */
    uint8_t vendor;     /* enum fl_vendor */
    uint8_t family;     /* CPUID display family, 4..255 */
    uint8_t maxphyaddr; /* physical address width in bits, 32..52 */
    bool pse36;         /* CPUID.PSE-36: 4 MiB pages above 4 GiB in 2-level tables */
    bool page1gb;       /* CPUID.Page1GB */
    uint32_t pkru;      /* used only where CR4 enables it */
    uint32_t pkrs;
    uint64_t cr0, cr3, cr4, efer;
};

/* Order of gpr[]: the encoding order of the instruction set. */
enum fl_gpr {
    FL_RAX,
    FL_RCX,
    FL_RDX,
    FL_RBX,
    FL_RSP,
    FL_RBP,
    FL_RSI,
    FL_RDI,
    FL_R8,
    FL_R9,
    FL_R10,
    FL_R11,
    FL_R12,
    FL_R13,
    FL_R14,
    FL_R15,
    FL_GPR_COUNT
};

struct fl_regs {
    uint64_t gpr[FL_GPR_COUNT];
    uint64_t ip;
    uint64_t flags;                  /* RFLAGS as in the interrupted context */
    uint16_t cs, ss, ds, es, fs, gs; /* selectors; user mode = requested privilege level 3 in cs, or RFLAGS.VM */
    uint64_t fs_base, gs_base;
};

/* The descriptor behind regs.cs, as the processor caches it. */
struct fl_codeseg {
    uint64_t base;  /* 0 for flat and 64-bit code */
    uint32_t limit; /* last valid byte offset; not looked at when bits == 64 */
    uint8_t bits;   /* 16, 32 or 64 */
};

enum fl_access_kind { FL_READ, FL_WRITE, FL_FETCH, FL_ACCESS_KIND_COUNT };

enum fl_access_priv {
    FL_USER,       /* CPL 3 */
    FL_SUPERVISOR, /* CPL 0..2, explicit */
    FL_IMPLICIT,   /* supervisor access that the CPU makes on its own at CPL 3 (descriptor tables, TSS) */
    FL_ACCESS_PRIV_COUNT
};

/* One access to one byte. */
struct fl_access {
    uint64_t va;
    uint8_t kind; /* enum fl_access_kind */
    uint8_t priv; /* enum fl_access_priv */
    bool ac;      /* RFLAGS.AC */
};

/* Reads one little-endian entry of size 4 or 8 bytes at physical address paddr (aligned to size).
 * Answers false when there is no memory there; *value is then untouched. Must not change anything. */
typedef bool (*fl_read_fn)(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);

/* ---- the kernel whose fault handler is tested ------------------------------------------------------------------- */

/* Facts about the kernel build and boot. */
struct fl_kernel {
    uint64_t task_size;     /* first address that is not user space, page aligned */
    uint64_t guard_gap;     /* bytes kept free below a growing stack, page multiple; 0 = none */
    uint64_t mmap_min_addr; /* a stack never grows below this address */
    uint8_t word;           /* bytes in an unsigned long of this kernel: 4 or 8 */
};

/* Facts about the interrupted task. */
struct fl_task {
    uint32_t pid;         /* 1 = init */
    bool has_mm;          /* false: kernel thread */
    bool in_atomic;       /* preemption or interrupt count is not zero */
    bool faults_disabled; /* the separate count of pagefault_disable() */
    uint64_t stack_limit; /* RLIMIT_STACK in bytes */
    uint64_t as_limit;    /* RLIMIT_AS in bytes */
};

enum fl_backing { FL_BACK_ANON, FL_BACK_FILE, FL_BACK_COUNT };

/* A copy of one VMA. [start, end) page aligned, start < end. */
struct fl_vma {
    uint64_t start, end;
    uint32_t generation; /* changes whenever this VMA changes; 0 is never used */
    bool read, write, exec;
    bool shared;
    bool growsdown;
    uint8_t backing;      /* enum fl_backing */
    uint8_t file;         /* which file, for FL_BACK_FILE */
    uint8_t pkey;         /* 0..15 */
    uint32_t pgoff;       /* page of the file at start */
    uint32_t file_pages;  /* length of that file in pages; an access beyond it is SIGBUS */
    uint64_t prev_end;    /* end of the VMA just below, 0 = none */
    bool prev_growsdown;  /* that VMA is a stack itself */
    uint64_t total_pages; /* size of the whole address space in pages (for RLIMIT_AS) */
};

/* What handle_mm_fault answers. */
enum fl_mm_result { FL_MM_MINOR, FL_MM_MAJOR, FL_MM_OOM, FL_MM_SIGBUS, FL_MM_COUNT };

/* ---- the decision ------------------------------------------------------------------------------------------------ */

/* What becomes of the fault. Every value but FL_ACT_NONE ends the handler. */
enum fl_action {
    FL_ACT_NONE,          /* no decision was made */
    FL_ACT_HANDLED,       /* the access is to be retried; it can now succeed */
    FL_ACT_IGNORED,       /* retried without any change: a spurious fault of a prefetch */
    FL_ACT_SIGNAL,        /* signal fields are valid, and so are the thread fields */
    FL_ACT_FIXUP,         /* new_ip is valid: the exception-table fix-up */
    FL_ACT_OOPS,          /* the kernel dies of it; thread fields valid */
    FL_ACT_BAD_PAGETABLE, /* reserved bit in a user mapping: the table is corrupt; thread fields valid */
    FL_ACT_OOM_KILL,      /* the task is ended for lack of memory */
    FL_ACT_COUNT
};

struct fl_outcome {
    uint8_t action; /* enum fl_action */
    bool major;     /* FL_ACT_HANDLED: counted as a major fault */
    bool irq_on;    /* the handler switched interrupts on */
    bool thread_valid;
    int32_t signo; /* kernel's numbers */
    int32_t si_code;
    uint64_t si_addr;
    uint64_t thread_cr2; /* what the task will be shown: sigcontext.cr2, .err, .trapno */
    uint64_t thread_error_code;
    uint64_t thread_trap_no;
    uint64_t new_ip;
};

#endif
