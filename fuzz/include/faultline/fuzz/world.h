/* SPDX-License-Identifier: MIT */
/*
 * The world around the core: guest physical memory, page tables, and a kernel model (VMAs, demand paging, copy on
 * write, files, mm lock, exception table) good enough that a handled fault really lets the access succeed.
 *
 * RAM is mapped once, at physical address 0, and shared without copies by the core's ops, the arch walk and executors.
 * fl_world_begin() undoes only what was touched since the last one. No allocation and no system call after
 * fl_world_open().
 */
#ifndef FAULTLINE_FUZZ_WORLD_H
#define FAULTLINE_FUZZ_WORLD_H

#include <faultline/core.h>
#include <faultline/fuzz/scenario.h>
#include <faultline/oracle/arch.h>
#include <faultline/oracle/compare.h>
#include <faultline/oracle/exec.h>
#include <faultline/oracle/policy.h>
#include <faultline/oracle/sync.h>

#define FL_RAM_FRAMES 1024u /* 4 MiB */

/* Frame 0 belongs to nobody and stays zero unless a scenario names it; then come the task's root table, the zero page, the
 * reference root table, and the pool for tables, anonymous pages and the page cache. Frames from FL_RAM_POOL_END on are the scenario's: the world
 * never uses them, so that MAP records which name them alias nothing. */
#define FL_RAM_POOL_END   512u
#define FL_PREFAULT_PAGES 8 /* of each end of a VMA */
#define FL_MAX_VMAS       32
#define FL_MAX_EXTABLE    16

struct fl_world; /* one per process is the rule, but nothing is global */

/* FL_OK: *out [OUT] is a world with a plain 4-level machine, to be freed with fl_world_close(). FL_NO_MEMORY: no
 * memory on the host. */
enum fl_status fl_world_open(struct fl_world **out);
void fl_world_close(struct fl_world *w);
struct fl_ram fl_world_ram(struct fl_world *w);

/* Empties the world and sets up the machine: registers, an empty root table, no VMAs. Undoes only what was touched. */
void fl_world_begin(struct fl_world *w, const struct fl_machine *m);

/* A kernel that does not know of SMAP or protection keys never switches them on: clears CR4.SMAP without kernel.smap,
 * CR4.PKE without kernel.pku, and CR4.PKS always. Called before FAULT, EXEC and TOUCH events. */
void fl_world_kernel_era(struct fl_world *w);

/* ---- the kernel half ---------------------------------------------------------------------------------------------
 *
 * Every address space has its own root; the tables below the reference's top-level entries (PAE without shared_pmd:
 * below its page-directory entries) are shared by all. An address space gets the reference's kernel entries when it is
 * made (mm 0 at the first IOREMAP, FORK, SWITCH, TOUCH or SYNCALL of a scenario, with the reference still empty; PAE: its
 * page directories exist from then on) and whatever the handler copies later. IOREMAP and IOUNMAP change the reference
 * alone. MAP and ENTRY change the tables under CR3, user-space records those of mm 0. While mm 0 is not the current
 * one there are no VMAs. */
const struct fl_kernel *fl_world_kernel(const struct fl_world *w);
const struct fl_task *fl_world_task(const struct fl_world *w);
/* The scenario's generation is replaced by this one at the next fl_world_begin(); FL_GEN_COUNT: the scenario's again. */
void fl_world_set_generation(struct fl_world *w, enum fl_generation generation);
/* What sync_all works on; the read callback sees memory as it is. */
void fl_world_sync_all(struct fl_world *w, struct fl_sync_all *s);
struct fl_sync_state *fl_world_sync_state(struct fl_world *w);
/* SH4 machines: its registers and layout; NULL for x86. */
const struct fl_sh4 *fl_world_sh4(const struct fl_world *w);
/* Calls the callback for every entry of the kernel half of every table in the list, reference first (pgd 0 is the
 * reference, i + 1 the i-th of the list), of the level that is not shared. For before/after comparisons. */
void fl_world_kernel_entries(struct fl_world *w, void (*entry)(void *ctx, unsigned pgd, uint64_t paddr, uint64_t value),
                             void *ctx);

/* Applies a set-up record. Answers FL_OK, or FL_NO_MEMORY / FL_INVALID when the record has no effect (pool used up,
 * range not in user space, overlap rules...): that is part of the format, not an error. Event records answer
 * FL_INVALID. */
enum fl_status fl_world_apply(struct fl_world *w, const struct fl_record *r);

/* ---- what the judges look at ------------------------------------------------------------------------------------ */
const struct fl_cpu *fl_world_cpu(const struct fl_world *w);
struct fl_regs *fl_world_regs(struct fl_world *w);
struct fl_codeseg *fl_world_codeseg(struct fl_world *w);
bool fl_world_user_mode(const struct fl_world *w);
bool fl_world_catches_signals(const struct fl_world *w);    /* a signal does not end the task */
void fl_world_set_user_mode(struct fl_world *w, bool user); /* selectors follow; kernel mode leaves VM86 */

/* fl_read_fn over RAM; ctx is the world. */
bool fl_world_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);

/* Applies the A/D updates of an access that completed. */
void fl_world_apply_writes(struct fl_world *w, const struct fl_arch_result *r);

/* Marks what guest code wrote, so that the next fl_world_begin() undoes it. To be called after every run of an
 * executor, however it ended. When stores were lost, everything that the guest can reach is marked: all of RAM where
 * MAP or ENTRY records let it write to tables. */
void fl_world_note_stores(struct fl_world *w, const struct fl_exec_result *r);

/* ---- one fault through a core ----------------------------------------------------------------------------------- */

/* Fills *f and *s with the state before a fault with this CR2 and error code (the registers are the world's), including
 * the keyed answers that the injections pending for this event will give. Pointers inside *s stay valid until the next
 * change of the world. */
void fl_world_snapshot(struct fl_world *w, uint64_t cr2, uint64_t error_code, struct fl_fault *f,
                       struct fl_snapshot *s);

/* Services for the core; ctx is the world. What is outside a contract is answered all the same and flagged in the
 * effects: an unknown generation gives FL_STALE or FL_MM_SIGBUS, and so does an address outside that VMA; an expansion
 * that is not page aligned, not downwards or into the VMA below gives FL_NO_MEMORY. An injected answer is given once;
 * an unreadable byte stays so for the whole event, its index counted from the linear ip of fl_world_regs(). Calls are
 * recorded in fl_world_effects() since fl_world_event_begin(). */
const struct fl_ops *fl_world_ops(void);
/* Clears effects and forces the locks free. An event with several faults calls it once for each. */
void fl_world_event_begin(struct fl_world *w);
/* Makes the last decision undone for its ops: effects are cleared, and the injected answers that it took are pending
 * again. Only after one that changed neither tables nor VMAs. */
void fl_world_event_again(struct fl_world *w);
/* Ends the event: drops the injections that were pending for it, forces the locks free, and carries out queued writes. */
void fl_world_event_end(struct fl_world *w);
/* Carries out queued writes: what leaving lazy MMU mode does. */
void fl_world_flush(struct fl_world *w);
const struct fl_effects *fl_world_effects(const struct fl_world *w);
/* A question of the event under way that an INJECT record could have answered. */
struct fl_world_ask {
    uint8_t op;     /* enum fl_inject_op; FL_INJ_MM_OOM stands for all mm-*, FL_INJ_YIELD_UNMAP for both yield-* */
    uint8_t n;      /* PROBE: index of the byte; mm-*: the how manieth mm_fault of the event, from 0; else 0 */
    bool may_retry; /* mm-*: a RETRY would have been given */
};
#define FL_WORLD_ASKS 64
/* keep true: notes what is asked from now on, each question once, in order (off when opened). The list is empty again at
 * fl_world_event_end(). Of more than FL_WORLD_ASKS the first are kept. */
void fl_world_keep_asked(struct fl_world *w, bool keep);
unsigned fl_world_asked(const struct fl_world *w, const struct fl_world_ask **asks);

/* An injected failing answer (all but FL_INJ_MM_MAJOR) is pending, or was given in this event or the one just ended. */
bool fl_world_injected(const struct fl_world *w);

/* ---- helpers for transparency ----------------------------------------------------------------------------------- */

/* World mode: every page of every VMA is mapped as soon as the VMA exists, by world rules, with the permissions that
 * demand paging would end with after a write where writing is permitted. Set before fl_world_begin. Only the last and
 * the first FL_PREFAULT_PAGES pages of a VMA are populated: fl_world_populate() brings in others. */
void fl_world_set_prefault(struct fl_world *w, bool on);

/* Maps one more page by world rules, as prefaulting would have: for a reference run that leaves the populated pages.
 * FL_OK: it was not mapped and now is. FL_INVALID: it was, so that a fault there has another reason; or no VMA (stacks
 * do not grow here), no permission at all, or beyond the file. FL_NO_MEMORY: no frame left. */
enum fl_status fl_world_populate(struct fl_world *w, uint64_t va);

/* Was anything done since fl_world_begin() that demand paging and prefaulting legitimately treat differently: an ENTRY
 * record, a MAP record in user space or of pool memory, a file mapped both privately and shared, the pool used up,
 * CR0.WP clear? Static text of the first reason, or NULL: eligible. To be asked of both worlds. */
const char *fl_world_not_transparent(const struct fl_world *w);

/* Compares the bytes that the task can see: every page of every VMA (absent pages read as what a fault would bring in).
 * False: equal. True: *va is the first difference. */
bool fl_world_differs(struct fl_world *a, struct fl_world *b, uint64_t *va);

/* A digest of tables, VMAs and registers (xxh3 or the like), for the fault-loop rule: same digest, same world. */
uint64_t fl_world_digest(struct fl_world *w);

#endif
