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

/* Which vmalloc_fault and vmalloc_sync_all a kernel has. All but CURRENT keep the faults that they had. */
enum fl_generation {
    FL_GEN_CURRENT,     /* the right one; any paging mode */
    FL_GEN_2008_32,     /* 2.6.25, 32-bit; 2-level and PAE */
    FL_GEN_2008_64,     /* 2.6.25, 64-bit; 4-level */
    FL_GEN_2014_NATIVE, /* the top-level copy proposed in 2014, no paravirt; 2-level, PAE and 4-level */
    FL_GEN_2014_PV32,   /* ... with paravirt, 32-bit; 2-level and PAE */
    FL_GEN_2014_PV64,   /* ... with paravirt, 64-bit; 4-level */
    FL_GEN_2016,        /* large pages; 2-level, PAE and 4-level */
    FL_GEN_COUNT
};

/* Facts about the kernel build and boot. Addresses are linear unless they say otherwise. */
struct fl_kernel {
    uint64_t task_size;     /* first address that is not user space, page aligned */
    uint64_t guard_gap;     /* bytes kept free below a growing stack, page multiple; 0 = none */
    uint64_t mmap_min_addr; /* a stack never grows below this address */
    uint8_t word;           /* bytes in an unsigned long of this kernel: 4 or 8 */

    /* what it is built with */
    uint8_t generation;      /* enum fl_generation, one that the paging mode has */
    bool fault_retry;        /* mm_fault may answer RETRY (2.6.37) */
    bool spurious_check;     /* kernel faults that the tables permit are retried (2.6.29) */
    bool smap;               /* CONFIG_X86_SMAP: knows of SMAP, where CR4 has it on (3.7) */
    bool no_user_fetch;      /* a kernel fetch from user space dies at once (5.12) */
    bool pku;                /* knows of user protection keys, where CR4 has them on (4.6) */
    bool vsyscall_emulation; /* 64-bit: fetches from the vsyscall page are emulated (3.1) */
    bool f00f_bug;           /* 32-bit: the processor has the Pentium F0 0F C7 C8 erratum */
    bool shared_kernel_pmd;  /* PAE: all page tables share the kernel's page directories */
    bool show_unhandled;     /* the sysctl that reports unhandled signals */
    bool oops_may_print;     /* an oops prints its report */

    /* where it lies */
    uint64_t page_offset;                /* start of the direct mapping; its top-level slot is the first kernel slot */
    uint64_t vmalloc_start, vmalloc_end; /* [start, end); both below the fix-mapped addresses */
    uint64_t modules_start, modules_end; /* 64-bit: [start, end]; 32-bit: modules are in the vmalloc range, 0, 0 */
    uint64_t text_start, text_end;       /* _stext, _etext: [start, end] */
    uint64_t fixaddr_top;                /* 32-bit: end of the fix-mapped addresses */
    uint64_t idt;                        /* base of the interrupt descriptor table */
    uint64_t vsyscall;                   /* 64-bit: the vsyscall page; 0 = none */
    uint64_t init_root;                  /* the reference tables (swapper_pg_dir), in the form of CR3 */
    uint64_t low_frames;                 /* frames below this have a fixed kernel mapping (max_low_pfn) */
};

#define FL_COMM 16 /* bytes of a task's name, with its terminating zero */

/* Facts about the interrupted task. */
struct fl_task {
    uint32_t pid; /* 1 = init */
    uint32_t uid;
    char comm[FL_COMM];   /* terminated; any bytes */
    bool has_mm;          /* false: kernel thread */
    bool in_atomic;       /* preemption or interrupt count is not zero */
    bool in_nmi;          /* implies in_atomic */
    bool faults_disabled; /* the separate count of pagefault_disable() */
    bool kprobe_running;  /* a kprobe is being run on this processor */
    bool segv_unhandled;  /* a SIGSEGV will end it: no handler, or init */
    uint16_t ldt_entries; /* descriptors in its LDT */
    uint64_t stack_limit; /* RLIMIT_STACK in bytes */
    uint64_t as_limit;    /* RLIMIT_AS in bytes */
    uint64_t mm_root;     /* root of current's own tables, in the form of CR3; 0 without an mm. May differ from CR3 in
                             the middle of a context switch */
    uint64_t active_root; /* root of the tables that it runs on: its own, or (kernel thread) the borrowed ones */
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

/* What mm_fault is told (bits). */
enum fl_mm_flags {
    FL_MM_WRITE = 1 << 0,
    FL_MM_USER = 1 << 1,        /* the error code's USER bit is set */
    FL_MM_FETCH = 1 << 2,       /* an instruction fetch */
    FL_MM_ALLOW_RETRY = 1 << 3, /* kernel.fault_retry, and no RETRY was answered yet */
    FL_MM_TRIED = 1 << 4,       /* a RETRY was answered before */
};

/* What mm_fault answers. */
enum fl_mm_result {
    FL_MM_MINOR,
    FL_MM_MAJOR,
    FL_MM_OOM,
    FL_MM_SIGBUS,
    FL_MM_HWPOISON,       /* the page is poisoned */
    FL_MM_HWPOISON_LARGE, /* ... and a large one (that of a page directory entry) */
    FL_MM_SIGSEGV,
    FL_MM_RETRY,       /* the mm lock has been dropped: start again. Only after FL_MM_ALLOW_RETRY */
    FL_MM_RETRY_MAJOR, /* ... and the fault counts as a major one */
    FL_MM_COUNT
};

/* How a table entry is written: straight to memory, or through the hook that a paravirtualised kernel replaces, which
 * may queue the write while lazy MMU updates are on. */
enum fl_set { FL_SET_PLAIN, FL_SET_PMD, FL_SET_PGD, FL_SET_COUNT };

/* What the crash handler is told. */
enum fl_die { FL_DIE_OOPS, FL_DIE_BAD_PAGETABLE, FL_DIE_COUNT };

/* What reports are limited by. */
enum fl_limit {
    FL_LIMIT_SIGNAL,    /* printk_ratelimit() */
    FL_LIMIT_ERRATUM93, /* once since boot */
    FL_LIMIT_COUNT
};

/* What a synchronisation with the reference tables came to. */
enum fl_sync_end {
    FL_SYNC_NOT_HANDLED,
    FL_SYNC_HANDLED,
    FL_SYNC_BUG,  /* the kernel's own assertion failed: BUG */
    FL_SYNC_WILD, /* it followed an entry to where there is no memory: a fault inside the fault handler */
    FL_SYNC_COUNT
};

/* The SH4 of 2012: one kernel segment (P3) is translated by two-level tables. Table addresses are physical. */
struct fl_sh4 {
    uint64_t ttb;           /* the table in use: the TTB register */
    uint64_t reference;     /* swapper_pg_dir */
    uint64_t p3_start;      /* P3SEG: P3 begins with the coherent-DMA part */
    uint64_t vmalloc_start; /* where that ends */
    uint64_t p3_end;        /* P3_ADDR_MAX: P4SEG, or higher with store queues */
    bool fixed;             /* after the fix of 2012: the coherent-DMA part is synchronised as well */
};

/* ---- the decision ------------------------------------------------------------------------------------------------ */

/* What becomes of the fault. Every value but FL_ACT_NONE ends the handler. */
enum fl_action {
    FL_ACT_NONE,          /* no decision was made */
    FL_ACT_HANDLED,       /* the access is to be retried; it can now succeed */
    FL_ACT_IGNORED,       /* retried without any change: a spurious fault of a prefetch, or of erratum 100 */
    FL_ACT_SIGNAL,        /* signal fields are valid, and (but for SI_KERNEL) so are the thread fields */
    FL_ACT_FIXUP,         /* new_ip is valid: the exception-table fix-up */
    FL_ACT_OOPS,          /* the kernel dies of it; thread fields valid */
    FL_ACT_BAD_PAGETABLE, /* reserved bit in a user mapping: the table is corrupt; thread fields valid */
    FL_ACT_OOM_KILL,      /* the task is ended for lack of memory */
    FL_ACT_SYNCED,        /* retried: a kernel mapping was copied from the reference tables */
    FL_ACT_SPURIOUS,      /* retried: the tables permit the access already */
    FL_ACT_KPROBE,        /* a kprobe claimed it */
    FL_ACT_INVALID_OP,    /* passed on as an invalid opcode: Pentium F00F erratum */
    FL_ACT_ERRATUM93,     /* new_ip is valid: the upper half of ip was lost */
    FL_ACT_EMULATED,      /* new_ip and new_sp are valid: a vsyscall was emulated */
    FL_ACT_FATAL_SIGNAL,  /* a fatal signal is pending for the user task, which ends it on return */
    FL_ACT_BUG,           /* the handler's own assertion failed */
    FL_ACT_WILD,          /* the handler itself faulted */
    FL_ACT_COUNT
};

struct fl_outcome {
    uint8_t action; /* enum fl_action */
    bool major;     /* FL_ACT_HANDLED: counted as a major fault */
    bool irq_on;    /* the handler switched interrupts on */
    bool thread_valid;
    uint8_t si_pkey;      /* SEGV_PKUERR: the key of the VMA */
    uint8_t si_addr_lsb;  /* BUS_MCEERR_AR: log2 of the size of the poisoned page */
    uint32_t screen_bits; /* FL_ACT_HANDLED: what is added to the vm86 screen bitmap */
    int32_t signo;        /* kernel's numbers */
    int32_t si_code;
    uint64_t si_addr;
    uint64_t thread_cr2; /* what the task will be shown: sigcontext.cr2, .err, .trapno */
    uint64_t thread_error_code;
    uint64_t thread_trap_no;
    uint64_t new_ip;
    uint64_t new_sp;
};

#endif
