/* SPDX-License-Identifier: MIT */
/*
 * Private to the Unicorn executor. Parts: layout.c finds the processor's fields in a saved context, prove.c proves by
 * behaviour that they were found, context.c writes a case into a context, access.c and run.c do the work (refuse.c: what
 * is not run; fpu.c: the digest of vector registers), engine.c opens the engine and owns the hooks, watchdog.c tells when
 * the engine does not come back.
 *
 * Three facts carry the design (Unicorn 2.1.1, measured):
 *  - Memory hooks tell the physical address. So translations are seen, not guessed.
 *  - RAM is mapped without execute permission and UC_HOOK_MEM_FETCH_PROT allows each fetch. So the executor sees each
 *    byte that is translated (that keeps the stale-code list) and can stop a fetch that has just been translated.
 *  - Every physical address without memory is an MMIO region of ours. So a table outside memory is seen.
 */
#ifndef FAULTLINE_ORACLE_UNICORN_ENGINE_H
#define FAULTLINE_ORACLE_UNICORN_ENGINE_H

#include <unicorn/unicorn.h>

#include <faultline/oracle/exec.h>

/* The engine's physical address width; its reserved-bit checks are built for it. */
#define UC_PHYS_BITS 40

/* The executor's own frames: a place that no case comes upon by chance (in particular not the ends of the
 * space). */
#define OWN_BASE 0xff3c960000ull
#define OWN_SIZE 0x10000ull

/* Own pages, by index. */
enum own_page {
    OWN_PML4,
    OWN_PDPT, /* of linear addresses from 0 */
    OWN_PD,
    OWN_PT,
    OWN_WINDOW0, /* two PDPTs of 1 GiB pages: all of physical memory, linear from WINDOW */
    OWN_WINDOW1,
    OWN_CODE,
    OWN_SCRATCH, /* what the calibration reads and fails to write */
    OWN_PAGES
};

/* Own linear addresses: below 4 GiB, so that they serve all modes. The code page lies at both; a case uses
 * the one that is not on the page that it accesses. */
#define CODE_A     0x00400000ull
#define CODE_B     0x00540000ull
#define SCRATCH(n) (0x00410000ull + (uint64_t)(n)*0x1000)
#define WINDOW     (1ull << 39)

/* Calibration pages, all user pages of the scratch frame unless said otherwise. */
enum scratch { SC_ABSENT, SC_READ_ONLY, SC_SUPERVISOR, SC_NX, SC_RESERVED, SC_PKEY1, SC_PLAIN, SC_COUNT };

/* Slots of the code page, 16 bytes each. */
enum slot {
    SLOT_INT3,
    SLOT_LOAD,
    SLOT_STORE,
    SLOT_VERR,
    SLOT_CLI,
    SLOT_WRPKRU,
    SLOT_INT33,
    SLOT_NOPS,
    SLOT_MOV_CS,
    SLOT_WIDTH,
    SLOT_COUNT
};

/* hflags of QEMU's x86 (target/i386/cpu.h, HF_*); prove.c checks by behaviour those that matter. */
#define HF_CPL    3u
#define HF_CS32   (1u << 4)
#define HF_SS32   (1u << 5)
#define HF_ADDSEG (1u << 6)
#define HF_PE     (1u << 7)
#define HF_TF     (1u << 8)
#define HF_MP     (1u << 9)
#define HF_EM     (1u << 10)
#define HF_TS     (1u << 11)
#define HF_LMA    (1u << 14)
#define HF_CS64   (1u << 15)
#define HF_OSFXSR (1u << 22)
#define HF_SMAP   (1u << 23)

/* SDM vol. 3, 2.5 and 2.2.1; vol. 1, 3.4.3. */
#define X_CR0_PE    (1ull << 0)
#define X_CR0_MP    (1ull << 1)
#define X_CR0_EM    (1ull << 2)
#define X_CR0_TS    (1ull << 3)
#define X_CR0_ET    (1ull << 4)
#define X_CR0_NE    (1ull << 5)
#define X_CR0_WP    (1ull << 16)
#define X_CR0_PG    (1ull << 31)
#define X_CR4_PSE   (1ull << 4)
#define X_CR4_PAE   (1ull << 5)
#define X_CR4_OSFX  (1ull << 9)
#define X_CR4_OSXMM (1ull << 10)
#define X_CR4_LA57  (1ull << 12)
#define X_CR4_SMEP  (1ull << 20)
#define X_CR4_SMAP  (1ull << 21)
#define X_CR4_PKE   (1ull << 22)
#define X_CR4_PKS   (1ull << 24)
#define X_EFER_LME  (1ull << 8)
#define X_EFER_LMA  (1ull << 10)
#define X_EFER_NXE  (1ull << 11)
#define X_FL_FIXED  (1ull << 1)
#define X_FL_TF     (1ull << 8)
#define X_FL_RF     (1ull << 16)
#define X_FL_VM     (1ull << 17)
#define X_FL_AC     (1ull << 18)

enum segment { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_COUNT };

/* Byte offsets into a saved context. */
struct layout {
    size_t size;
    size_t gpr; /* 16 of 8 bytes, encoding order */
    size_t rip, eflags, hflags;
    size_t cr0, cr2, cr3, cr4, efer, pkru;
    size_t error_code, old_exception, is_int;
    size_t gdt_base, gdt_limit;
    size_t seg[SEG_COUNT]; /* selector u32; +8 base u64; +16 limit u32; +20 flags u32 */
    size_t xmm, xmm_stride;
    size_t x87, x87_stride;
};

/* What the interrupt hook does. */
enum phase {
    PHASE_RECORD, /* stop at the first exception and keep the context (calibration) */
    PHASE_FILL,   /* the int3 that filled the TLB: go on with the case */
    PHASE_ACCESS, /* the access itself */
    PHASE_FETCH,  /* a fetch: ends at its first translated byte */
    PHASE_RUN
};

/* 64 bytes of guest memory of which some were translated since the last invalidation, as they were. */
struct code_line {
    uint64_t paddr;
    uint64_t mask[8]; /* 0xff for each byte that counts */
    uint64_t bytes[8];
};
#define LINES_KEPT 32                            /* more than that at the start of a run: all are dropped */
#define LINES_MAX  (LINES_KEPT + 2 * (64 + 256)) /* instructions and retries of one run, each over two lines */

/* The code buffer is emptied after so many translated bytes of guest code, so that memory and the lists of
 * dropped blocks stay small. One byte of code takes at most about 700 bytes there (one instruction per
 * block). */
#define TCG_BUFFER (16u << 20)
#define TCG_BYTES  16384u

/* What a fetch counts for: the block of the instruction that is not there. */
#define FETCH_BYTES 4u

/* A repeated string instruction is given up after this many iterations in one run. */
#define REP_MAX 8192u

struct engine {
    struct fl_executor base; /* first: the public face */
    uc_engine *uc;
    struct fl_ram ram;
    uint8_t *own;
    struct layout at;
    uc_context *pristine; /* after calibration: own tables, CPL 0, 64-bit */
    uc_context *fill;     /* own tables with the case's privilege */
    uc_context *now;      /* the case: one access */
    uc_context *prog;     /* the case: a run */
    uc_context *seen;     /* as saved in the hook */
    char version[16];

    enum phase phase;
    int vector;   /* of the last exception, -1 = none yet */
    bool bus;     /* a physical address without memory was touched */
    bool touched; /* a data or fetch access was translated: paddr is where */
    uint64_t paddr;
    bool wrote; /* access: a byte of RAM is to be put back */
    uint8_t old_byte;
    const char *broken;

    struct code_line lines[LINES_MAX];
    unsigned nlines, last_line;
    unsigned translated; /* bytes since the code buffer was emptied */

    struct {               /* PHASE_RUN */
        bool code_written; /* a store went over translated code: look again before the next instruction */
        const struct fl_exec_limits *limits;
        fl_exec_fault_fn on_fault;
        void *ctx;
        const struct fl_cpu *cpu;
        struct fl_exec_result *out;
        unsigned insns, reps;
        uint64_t ip, rcx, flags; /* before the instruction (or iteration) that runs now */
        bool trap;               /* RFLAGS.TF was set before it */
        bool ended;
        uint8_t insn[16]; /* bytes of the instruction that is being translated */
        unsigned ninsn, bits;
        const char *refused;
    } run;
};

/* ---- fields of a context
 * ---------------------------------------------------------------------------------------- */
static inline uint8_t *bytes_of(uc_context *c)
{
    return (uint8_t *)c;
}

static inline uint64_t get64(uc_context *c, size_t at)
{
    uint64_t v;
    __builtin_memcpy(&v, bytes_of(c) + at, 8);
    return v;
}

static inline void put64(uc_context *c, size_t at, uint64_t v)
{
    __builtin_memcpy(bytes_of(c) + at, &v, 8);
}

static inline uint32_t get32(uc_context *c, size_t at)
{
    uint32_t v;
    __builtin_memcpy(&v, bytes_of(c) + at, 4);
    return v;
}

static inline void put32(uc_context *c, size_t at, uint32_t v)
{
    __builtin_memcpy(bytes_of(c) + at, &v, 4);
}

static inline uint64_t slot_address(enum slot s, bool b)
{
    return (b ? CODE_B : CODE_A) + 16u * (unsigned)s;
}

/* engine.c: starts at ip with the context that was just restored. Answers Unicorn's error; vector, bus,
 * touched and broken say what happened. */
uc_err uc_go(struct engine *e, uint64_t ip);
/* Starts at ip under this context, TLB empty, and stops at the first exception: its vector, or -1 if there
 * was none. *c keeps its contents; the state at the exception is in e->seen. */
int uc_probe(struct engine *e, uc_context *c, uint64_t ip);

/* layout.c, prove.c: NULL, or what is wrong (static text). */
const char *layout_find(struct engine *e);
const char *prove(struct engine *e);

/* context.c */
/* NULL, or why this processor cannot be had from Unicorn (static text). */
const char *cpu_unsupported(const struct fl_cpu *cpu);
/* Paging and privilege of the case into c, everything else as in the pristine context. bits: 16, 32, 64. */
void context_set_cpu(struct engine *e, uc_context *c, const struct fl_cpu *cpu, unsigned bits, unsigned cpl);

/* fpu.c */
const char *fpu_find(struct engine *e); /* NULL, or what is wrong (static text) */
/* Of e->seen, which was saved from the engine as it is now; never 0. */
uint64_t fpu_digest(struct engine *e);

/* refuse.c: why the instruction that begins with these n bytes must not be run (static text), or NULL. */
const char *insn_refused(const uint8_t *bytes, unsigned n, unsigned bits);

/* run.c */
void run_interrupted(struct engine *e, int vector);
/* false: this instruction must not run; run.refused says why. */
bool code_seen(struct engine *e, uint64_t paddr, unsigned size);
/* Empties the code buffer when it has had enough; false: it cannot be. Before every run, and before every fetch: each
 * leaves a block behind, and Unicorn is not to be trusted when it runs out of room by itself (seen: 2 crashes in 50 runs of
 * a few hundred thousand walks, in its search for the block of a faulting access). */
bool code_make_room(struct engine *e);
/* The guest stores there: does it write over translated code? */
void code_stored(struct engine *e, uint64_t paddr, unsigned size);
/* Both change the engine's context and TLB when there is something to do. */
bool code_refresh(struct engine *e);  /* drops translations of bytes that have changed; false: there were none */
void code_drop_all(struct engine *e); /* drops all translations of guest memory */

enum fl_exec_status unicorn_access(struct fl_executor *ex, const struct fl_cpu *cpu, const struct fl_access *access,
                                   struct fl_exec_result *out);
enum fl_exec_status unicorn_run(struct fl_executor *ex, const struct fl_cpu *cpu, const struct fl_regs *regs,
                                const struct fl_codeseg *codeseg, const struct fl_exec_limits *limits,
                                fl_exec_fault_fn on_fault, void *ctx, struct fl_exec_result *out);

#endif
