/* SPDX-License-Identifier: MIT */
/*
 * Executors: run instructions under given page tables and report the faults that really happen. One vtable, one folder
 * or file each (Unicorn now; native and KVM later).
 *
 * An executor shares the guest's memory with the world: RAM starts at physical address 0 and is mapped, not copied.
 * An executor that cannot do a case answers FL_EXEC_UNSUPPORTED with a reason; that is counted apart and is no verdict.
 * Where an executor is known to differ from the processor, the difference is a row of its deviation list.
 */
#ifndef FAULTLINE_ORACLE_EXEC_H
#define FAULTLINE_ORACLE_EXEC_H

#include <faultline/types.h>

struct fl_ram {
    uint8_t *base; /* host address of physical address 0, page aligned */
    uint64_t size; /* bytes, page multiple */
};

enum fl_exec_status {
    FL_EXEC_OK,
    FL_EXEC_UNSUPPORTED, /* reason is set */
    FL_EXEC_BROKEN       /* the executor itself misbehaved (harness bug); reason is set; stop using it */
};

/* How a run ended. */
enum fl_exec_end {
    FL_END_DONE,      /* reached the int3 that ends the code, or (access) the instruction completed */
    FL_END_FAULT,     /* a #PF that on_fault declined to resume (access: any #PF) */
    FL_END_EXCEPTION, /* another exception: vector is valid */
    FL_END_BUS,       /* translated to an address without memory */
    FL_END_LIMIT,     /* instruction or fault limit */
    FL_END_COUNT
};

/* A guest store as the executor saw it: size bytes at paddr, of which those on paddr's page count. The same
 * store may be listed twice, and one that then faulted may be listed too. */
struct fl_exec_store {
    uint64_t paddr;
    uint32_t size;
};

#define FL_EXEC_MAX_STORES 64

struct fl_exec_result {
    uint8_t end;         /* enum fl_exec_end */
    uint8_t vector;      /* FL_END_EXCEPTION */
    uint32_t faults;     /* page faults seen */
    uint64_t cr2;        /* of the last #PF */
    uint32_t error_code; /* of the last #PF */
    struct fl_regs regs; /* run: at the end */
    /* run: of the x87 registers with their status, control and tag words, XMM0 to XMM15 and MXCSR at the end. Two runs of
     * the same executor that end with the same contents have the same digest. 0: the executor has none. */
    uint64_t fpu_digest;
    bool has_paddr;   /* access: */
    uint64_t paddr;   /* access, FL_END_DONE or FL_END_BUS: where it went, when known. FL_END_BUS without it: a
                           * table lies outside memory; with it: the tables permit the access, to a place without memory */
    uint32_t nstores; /* run: guest stores into RAM by physical address, so that the world can mark what was written */
    bool stores_lost; /* more than FL_EXEC_MAX_STORES, or one crossed into a page that the executor cannot name */
    struct fl_exec_store stores[FL_EXEC_MAX_STORES];
    const char *reason; /* UNSUPPORTED, BROKEN: static text */
};

/* Called for each #PF of a run. *regs is the interrupted context and may be changed (ip only). True: go on
 * (the tables were changed, or the fault is to be retried). False: stop with FL_END_FAULT. cpu->cr3 may be
 * changed. */
typedef bool (*fl_exec_fault_fn)(void *ctx, uint64_t cr2, uint32_t error_code, struct fl_regs *regs);

/* What one access came to, in arch's terms. */
struct fl_exec_answer {
    uint8_t kind;        /* enum fl_arch_kind */
    uint32_t error_code; /* FL_ARCH_PF; else 0 */
    uint64_t cr2;        /* FL_ARCH_PF; else 0 */
    bool has_paddr;      /* FL_ARCH_OK, when known: */
    uint64_t paddr;      /* the translation, in RAM or not: a place without memory is no fault to arch */
};

/* The result of access() (status FL_EXEC_OK) as an answer; #SS counts as #GP, as arch has only that. NULL: *answer [OUT]
 * is whole. Else static text: the result is none that an access can have, so the executor is broken; *answer untouched. */
const char *fl_exec_answer(const struct fl_exec_result *result, struct fl_exec_answer *answer);

struct fl_exec_limits {
    uint32_t max_insns;  /* 1..64 */
    uint32_t max_faults; /* 1..256 */
};

struct fl_executor {
    const char *name;    /* "unicorn" */
    const char *version; /* "2.1.1" */
    const char *host;    /* CPU model for executors that use the host's, else "any" */

    /* One access under the tables at cpu->cr3, as a single instruction run at code that the executor keeps
     * for itself outside the tables' view: it leaves no trace in them but the A/D bits that the access sets.
     * The TLB is empty before. RAM is not changed otherwise (a write stores and takes back; nothing is listed
     * in stores). An implicit access is a real one: a descriptor read at CPL 3. *out [OUT]: all but regs. */
    enum fl_exec_status (*access)(struct fl_executor *ex, const struct fl_cpu *cpu, const struct fl_access *access,
                                  struct fl_exec_result *out);

    /* Runs code that lies in guest memory at regs->ip until an int3, another exception, or a limit.
     * codeseg->bits says the mode; CPL comes from regs->cs. The TLB is empty at the start and after each
     * fault. SSE is enabled; vector and x87 registers start the same each time. FL_END_DONE: ip is after the
     * int3. FL_END_LIMIT: max_insns instructions completed (the int3 does not count), or the fault after the
     * max_faults-th came, or a repeated string instruction went on for thousands of iterations, or the
     * processor halted. *out [OUT]. */
    enum fl_exec_status (*run)(struct fl_executor *ex, const struct fl_cpu *cpu, const struct fl_regs *regs,
                               const struct fl_codeseg *codeseg, const struct fl_exec_limits *limits,
                               fl_exec_fault_fn on_fault, void *ctx, struct fl_exec_result *out);

    void (*close)(struct fl_executor *ex);
};

/* Unicorn's physical addresses have 40 bits, and its executor keeps a few frames of its own above this
 * address. Nothing else is reserved: for tables anywhere below (a walk vector), hand in an fl_ram of this
 * size over an anonymous mapping without reserve (MAP_NORESERVE): opening takes no longer for it, and only
 * the pages that are touched cost memory. Addresses of RAM's end and above are without memory: they end as
 * FL_END_BUS. */
#define FL_UNICORN_MAX_RAM 0xff00000000ull

/* Opens Unicorn over ram and calibrates it; fails closed. FL_UNSUPPORTED: built without Unicorn. FL_FAILED:
 * why [OUT] says what is wrong in one line. FL_INVALID: NULL, or a base or size that is not page aligned, or
 * a size of 0 or above FL_UNICORN_MAX_RAM. The ram must outlive the executor. */
enum fl_status fl_unicorn_open(const struct fl_ram *ram, struct fl_executor **out, char why[256]);

/* Watches over all Unicorn executors of this process: when the engine stays inside one instruction for `seconds` (it is
 * looked at once a second, so up to two more), a line on stderr names the executor, and abort() ends the process, so that
 * a fuzzing engine keeps the input. Time in on_fault does not count. Costs two plain stores a case and a signal a second
 * (SIGRTMIN, restarting system calls; but sleeps end early); it goes on in the child of a fork, and ends with exec. For
 * processes that run executors in one thread. Calling again changes the time; 0 switches it off. FL_UNSUPPORTED: built
 * without Unicorn. FL_FAILED: the system has no timer left. */
enum fl_status fl_unicorn_watchdog(unsigned seconds);

/* ---- deviations: where an executor is known to differ from the processor
 * --------------------------------------- */

/* Where a row's difference can be seen, so who can have use of the row. */
enum fl_deviation_seen {
    FL_SEEN_ACCESS = 1, /* access() against arch: the walk target, walk vectors */
    FL_SEEN_FAULT = 2,  /* a #PF of run() that the tables do not permit: the judge asks for a row at each of those */
    FL_SEEN_RUN = 4     /* only run() against a processor that runs the same instruction */
};

/* Which situation a row covers is a named predicate over the case (row code), not prose. */
struct fl_deviation {
    const char *id;       /* stable, e.g. "rmw-absent-reads-as-read" */
    const char *executor; /* "unicorn" */
    const char *reason;   /* what it does, what the processor does */
    const char *source;   /* where that is documented or how it was measured */
    uint8_t seen;         /* enum fl_deviation_seen, or-ed */
};

/* What is compared when a deviation is looked up. insn is NULL for a plain access (walk target). */
struct fl_deviation_case {
    const struct fl_cpu *cpu;
    const struct fl_access *access; /* NULL for a run */
    const uint8_t *insn;
    size_t insn_len;
    uint8_t bits;        /* of the code segment, 16/32/64 */
    uint64_t cr2;        /* as the executor reported */
    uint32_t error_code; /* as the executor reported */
    uint8_t arch_kind;   /* enum fl_arch_kind that the arch walk answered for the access */
    uint32_t arch_code;  /* its error code */
    uint8_t arch_level;  /* where its walk ended (fl_arch_result.level), and the entry there */
    uint64_t arch_entry;
    const struct fl_exec_result *result; /* at a fault of a run: as if it ended there with FL_END_FAULT */
};

/* The row that explains a difference, or NULL: unexplained. */
const struct fl_deviation *fl_deviation_find(const char *executor, const struct fl_deviation_case *c);
const struct fl_deviation *fl_deviation_rows(size_t *count);

#endif
