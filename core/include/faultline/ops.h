/* SPDX-License-Identifier: MIT */
/*
 * struct fl_ops: every service that the core asks of the world around it.
 *
 * Rules for all of them. ctx is the caller's, passed through. An op never calls back into the core. [OUT] parameters are
 * written only when the op says so. Ops marked "lock" may be called only between a successful lock_try or lock_take and
 * lock_drop; calling one without the lock is a finding against the core. Ops marked "no lock" may not be called between
 * them: other threads wait for that lock, and none of these needs it.
 *
 * Order within a fault decision. kprobe first of all. For a kernel address: table entries, write_entry, flush_lazy, and
 * none of the mm lock, log or warn while it may still be a synchronisation. For a user address: irq_enable for a context
 * that had interrupts on, before the lock is asked for (it may sleep); then the lock, and what needs it; after
 * lock_drop, whatever a fault that could not be served leads to: irq_enable for a user context that had them off,
 * extable, ldt, probe_byte, reports. extable may also be asked before the lock is had, to decide whether to wait for it.
 * A report may take the lock once more, by lock_try, to find the VMA at ip.
 *
 * Every op is required; a NULL entry makes the core answer FL_INVALID before it calls anything.
 */
#ifndef FAULTLINE_OPS_H
#define FAULTLINE_OPS_H

#include <faultline/types.h>

struct fl_ops {
    /* ---- page tables ---- */

    /* Reads one page-table entry (size 4 or 8 bytes, aligned) at a physical address. False: no memory there; *value
     * untouched. Cannot fail for a table that the world itself built. */
    bool (*read_entry)(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);

    /* Writes one. how is PLAIN, or the paravirt hook of that kind of entry: while lazy MMU updates are on, what goes
     * through a hook is seen by nobody (read_entry included) before flush_lazy. False: no memory there. */
    bool (*write_entry)(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how);

    /* Carries out what write_entry has queued. */
    void (*flush_lazy)(void *ctx);

    /* Warns that a vmalloc fault came in NMI context, as kernels of 2013 to 2016 do. It can fault itself. */
    void (*warn_nmi)(void *ctx);

    /* The lock over the list of page tables; irqsave: with interrupts off, which can deadlock with a processor that
     * waits for this one. Taken by sync_all only. */
    void (*pgd_lock)(void *ctx, bool irqsave);
    void (*pgd_unlock)(void *ctx);

    /* pgd_lock. The i-th page table of the list, i from 0 on; the reference tables are not on it. False: there are no
     * more. *root [OUT] is in the form of CR3. */
    bool (*pgd_next)(void *ctx, unsigned i, uint64_t *root);

    /* ---- the interrupted context ---- */

    /* A kprobe is running on this processor (task.kprobe_running) and the fault came from kernel mode: does it claim the
     * fault? Called at most once, before every other op. */
    bool (*kprobe)(void *ctx);

    /* no lock. Reads one instruction byte at a linear address with the user accessor (user = true: the byte must be readable at
     * CPL 3) or the kernel accessor. False: it cannot be read without a fault; *byte untouched. Never faults, never
     * sleeps. Called at most 15 times a decision, and only where a prefetch may be the reason of the fault: on AMD from
     * family 6 on, and not for a faulting fetch. */
    bool (*probe_byte)(void *ctx, uint64_t linear, bool user, uint8_t *byte);

    /* no lock. The raw descriptor (8 bytes, as in memory) with that index in the task's LDT; index < task.ldt_entries,
     * anything else is a finding. */
    uint64_t (*ldt)(void *ctx, unsigned index);

    /* no lock. Switches interrupts on. At most once a decision, and in the order above. */
    void (*irq_enable)(void *ctx);

    /* no lock. Looks up the exception table. True: *fixup [OUT] is where execution goes on. Must not change anything. */
    bool (*extable)(void *ctx, uint64_t ip, uint64_t *fixup);

    /* ---- the address space ---- */

    /* mm lock, for reading. try: false when it cannot be had at once. take: sleeps until it has it; deadlocks (a finding)
     * when this task already holds it for writing. drop: gives back what try or take got. */
    bool (*lock_try)(void *ctx);
    void (*lock_take)(void *ctx);
    void (*lock_drop)(void *ctx);

    /* lock. The first VMA whose end is above addr. False: none; *vma untouched. */
    bool (*vma_find)(void *ctx, uint64_t addr, struct fl_vma *vma);

    /* lock. Moves the start of the VMA with that generation down to start (page aligned, below its present start).
     * FL_OK: *now [OUT] is the VMA as it is after the change, with its new generation. FL_STALE: the generation is not
     * current. FL_NO_MEMORY: the kernel's accounting refused. */
    enum fl_status (*vma_expand)(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now);

    /* lock. Brings in the page at addr for that access (flags: enum fl_mm_flags). The result is one of enum
     * fl_mm_result; after FL_MM_MINOR and FL_MM_MAJOR the tables permit the access; after FL_MM_RETRY and
     * FL_MM_RETRY_MAJOR the lock has been dropped. Those two are for calls with FL_MM_ALLOW_RETRY only: a RETRY that
     * was not allowed is outside this contract, like a value that is none of enum fl_mm_result. It leaves the lock
     * held, as every other answer does, and the core drops it. A stale generation is a finding against the core. */
    enum fl_mm_result (*mm_fault)(void *ctx, uint32_t generation, uint64_t addr, unsigned flags);

    /* no lock. Lets others run: init waits for memory. VMAs may have changed afterwards. */
    void (*yield)(void *ctx);

    /* Is a fatal signal pending for this task? Asked after a RETRY. */
    bool (*fatal_signal)(void *ctx);

    /* no lock. Reads a word (kernel.word bytes) of user memory; may fault pages in. False: it cannot be read. */
    bool (*user_word)(void *ctx, uint64_t addr, uint64_t *value);

    /* no lock. Does the work of vsyscall nr (0 gettimeofday, 1 time, 2 getcpu) with the registers' arguments. False: it
     * was given a bad pointer. */
    bool (*vsyscall)(void *ctx, unsigned nr);

    /* ---- reports; all: no lock ---- */

    /* May that report be made now? Asked only when everything else says that it is to be made. */
    bool (*ratelimit)(void *ctx, enum fl_limit limit);

    /* Writes n bytes to the kernel's log: the text exactly as the kernel would hand it to its own log, with the level
     * ("<6>") in front where it gives one. May be called several times for a line. */
    void (*log)(void *ctx, const char *text, size_t n);

    /* What kallsyms says of a kernel address: "name+0x12/0x34", at most size - 1 bytes and terminated. False: nothing. */
    bool (*symbol)(void *ctx, uint64_t ip, char *buf, size_t size);

    /* The last part of the name of that file, at most size - 1 bytes and terminated. */
    void (*file_name)(void *ctx, uint8_t file, char *buf, size_t size);

    /* The crash handler: prints registers and stack. The report continues after it; the caller ends the task. */
    void (*die)(void *ctx, enum fl_die what, uint64_t error_code);
};

#endif
