/* SPDX-License-Identifier: MIT */
/*
 * compare: holds what was seen against what was expected. Every difference becomes one fl_divergence, whose key
 * (check / policy row / expected class / actual class) is stable: it holds no mode, address, executor or stack.
 *
 * Every check counts what it compared: a run that compared nothing is no pass.
 */
#ifndef FAULTLINE_ORACLE_COMPARE_H
#define FAULTLINE_ORACLE_COMPARE_H

#include <faultline/oracle/arch.h>
#include <faultline/oracle/policy.h>

/* The checks. Names (fl_check_name) are part of divergence keys and never change their meaning. */
enum fl_check {
    FL_CHECK_WALK,     /* walk: the core's walk against arch: fault or not, error code, translation, permissions */
    FL_CHECK_EXECUTOR, /* executor: an executor against arch */
    FL_CHECK_DECISION, /* decision: the core's outcome against the policy */
    FL_CHECK_EFFECT,   /* effect: what the core did through its ops against the policy (growth, mm_fault, interrupts) */
    FL_CHECK_LOCK,     /* lock: mm lock balance and use */
    FL_CHECK_REWALK,   /* rewalk: after "handled" the tables permit the access */
    FL_CHECK_PROGRESS, /* progress: the same fault twice in the same world */
    FL_CHECK_BOUND,    /* bound: instruction bytes read outside ip..ip+14, with the wrong accessor, or for no reason */
    FL_CHECK_CONTRACT, /* contract: an op used against its contract (stale generation, no lock, wrong order) */
    FL_CHECK_PREFETCH, /* prefetch: the core's decoder against the rule */
    FL_CHECK_DECODER,  /* decoder: the rule against a disassembler */
    FL_CHECK_TRANSPARENCY, /* transparency: on demand against everything mapped */
    FL_CHECK_MESSAGE,      /* message: what was logged, byte for byte, and when */
    FL_CHECK_SIGNAL,       /* signal: contents of signals and of the thread's fault record, whatever the row */
    FL_CHECK_INTERFERENCE, /* interference: what user code learns of a kernel address depends on its mapping */
    FL_CHECK_SYNC,         /* sync: synchronisation with the reference tables: verdict, writes, equality */
    FL_CHECK_TABLE_READ,   /* table-read: a table entry was read where no table is (from a page that a leaf maps) */
    FL_CHECK_GENERATION,   /* generation: two generations end differently, and no row of the list says why */
    FL_CHECK_PIN,          /* pin: references and identity of pinned pages */
    FL_CHECK_PERM,     /* perm: a page was pinned that the area, the tables or the key forbid, or refused though they
                              permit it */
    FL_CHECK_COW,      /* cow: a write, or what is written later, reaches memory that is not the task's */
    FL_CHECK_PIN_DIFF, /* pin-diff: two ways to pin the same differ */
    FL_CHECK_COUNT
};

struct fl_divergence {
    uint8_t check;        /* enum fl_check */
    const char *row;      /* policy row, or the finer name of the check; static text */
    const char *expected; /* class; static text */
    const char *actual;   /* class; static text */
    char detail[480];     /* for people: values, one or more lines; not part of the key */
};

const char *fl_check_name(enum fl_check check);
const char *fl_action_name(enum fl_action action);

/* The class of an outcome, as it stands in keys: "handled-minor", "handled-major", "ignored", "signal-maperr",
 * "signal-accerr", "signal-pkuerr", "signal-bus", "signal-mceerr", "signal-kernel", "signal-other", "fixup", "oops",
 * "bad-pagetable", "oom-kill", "synced", "spurious", "kprobe", "invalid-op", "erratum93", "emulated", "fatal-signal",
 * "bug", "wild", "none", "unknown". */
const char *fl_outcome_class(const struct fl_outcome *o);

/* Fills *d. row, expected and actual must be static text without '/'. format and what follows become detail, cut off at
 * its end where too long. For the checks that need the world (progress, transparency, ...). */
#if defined(__GNUC__)
__attribute__((format(printf, 6, 7)))
#endif
void fl_divergence_set(struct fl_divergence *d, enum fl_check check, const char *row, const char *expected,
                       const char *actual, const char *format, ...);

/* "check/row/expected/actual" into buf (always terminated); answers the length that it needs. */
size_t fl_divergence_key(const struct fl_divergence *d, char *buf, size_t size);

/* Addresses of probe_byte calls that are recorded; more calls than that break their bound anyway. */
#define FL_EFFECTS_PROBES 15
#define FL_EFFECTS_READS  64 /* table reads that are recorded; more are counted */
#define FL_EFFECTS_WRITES 4  /* table writes likewise */

/* What the core did through its ops during one decision, as the world recorded it. */
struct fl_effects {
    unsigned calls;                  /* of any op */
    unsigned mm_calls;               /* mm_fault calls */
    uint8_t mm_flags[FL_MM_ANSWERS]; /* of the first calls */
    uint64_t mm_addr;                /* of the last call */
    bool grew;
    uint64_t new_start;
    unsigned irq_calls;
    bool irq_late;                       /* the first irq_enable came after the lock had been asked for */
    bool irq_locked;                     /* an irq_enable while the lock was held */
    unsigned lock_asks;                  /* tries, successful or not, and takes: the sum of the four below */
    unsigned lock_tries, lock_takes;     /* for the address space */
    unsigned report_tries, report_takes; /* for reports: after an ending had begun, by an answer of mm_fault or an op
                                            that only endings call (ldt, probe_byte, ratelimit, log, die; and extable
                                            once the lock has been had). A RETRY or a yield takes it back: what follows
                                            is another pass */
    unsigned lock_gets, lock_drops;      /* successful tries and takes; drops, those of mm_fault's RETRY included */
    unsigned report_gets;                /* those of lock_gets that were for reports */
    bool lock_held_at_exit;
    bool lock_deadlock; /* take while held */
    bool lock_missing;  /* a "lock" op without the lock */
    bool stale_generation;
    bool locked_call;              /* a "no lock" op while the lock was held: locked_op says which */
    const char *locked_op;         /* "probe-byte", "extable", "log" ...; static text */
    unsigned probes;               /* probe_byte calls */
    bool probe_user, probe_kernel; /* which accessors were used */
    bool ldt_outside;              /* ldt was asked for an index that is not there */
    unsigned kprobes;              /* kprobe calls */
    bool kprobe_late;              /* one came after another op */
    unsigned yields, fatal_asks;
    unsigned limits[FL_LIMIT_COUNT]; /* ratelimit calls */
    unsigned vsyscalls;
    unsigned vsyscall_nr; /* of the last call */
    unsigned dies;
    uint8_t die; /* of the last call */
    uint64_t die_code;
    unsigned reads;  /* read_entry calls */
    unsigned writes; /* write_entry calls */
    struct fl_entry_write write[FL_EFFECTS_WRITES];
    unsigned flushes, warns;
    unsigned flushed_writes;      /* calls of write_entry before the last flush_lazy */
    unsigned pgd_gets, pgd_drops; /* of pgd_lock */
    bool pgd_irqsave, pgd_missing, pgd_held;
    uint64_t probe_at[FL_EFFECTS_PROBES]; /* linear addresses of the first probes */
    uint64_t read_at[FL_EFFECTS_READS];   /* physical addresses of the first table reads */
    unsigned nlog;                        /* bytes logged, those that did not fit included; FL_LOG_DIE for each die */
    char log[FL_LOG_MAX];                 /* last: not cleared between events, nlog says how much is valid */
};

/* The core's outcome and effects against the policy. False: they agree. True: *d [OUT] is the first difference.
 * No pointer may be NULL.
 *
 * Looks first for broken rules (contract, lock misuse, bound, table reads of CURRENT), since what follows from a broken
 * rule is no second finding; then at the decision and the synchronisation, then at the contents of signals, the message
 * and the remaining effects. The row of a wrong decision is the one at which the paths parted: want->path and how often
 * mm_fault was asked tell which part of the table that was.
 * Classes of a wrong decision are those of the part where the paths parted: "served", "refused" (may it be served;
 * two signals that differ: their classes), "no-context" and outcome classes (what mm_fault's answer leads to),
 * "signal-segv" and outcome classes (the ending); outcome classes and "other" (the entry); "again" for a further pass,
 * "bad-area" for a refusal after mm_fault's answer.
 * Fields that the action does not make valid are zero on both sides, and compared like the others. */
bool fl_compare_fault(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                      const struct fl_effects *effects, struct fl_divergence *d);

/* Non-interference: the outcomes and messages of the same user-mode fault at a kernel address, with P clear and with P
 * set, must be the same: user code does not learn what the kernel maps. True: *d [OUT]. */
bool fl_compare_interference(const struct fl_snapshot *s, const struct fl_outcome *absent, const char *absent_log,
                             unsigned absent_nlog, const struct fl_outcome *present, const struct fl_effects *effects,
                             struct fl_divergence *d);

/* The synchronisation of one address (vmalloc_fault alone, or p3_sync) against its expectation: verdict, writes, flush.
 * True: *d [OUT]. */
bool fl_compare_sync(const struct fl_sync_expected *want, enum fl_sync_end got, const struct fl_effects *effects,
                     struct fl_divergence *d);

/* What an executor or a core walk says of one access, in arch's terms. Fields not known to the one who answers have
 * their has_ flag clear and are not compared. */
struct fl_walk_claim {
    const char *who; /* static text, for the detail line */
    bool faults;     /* #PF */
    bool gp, bus;
    uint32_t error_code;
    bool has_paddr;
    uint64_t paddr;
    bool has_perm;
    bool writable, user, nx;
    bool has_pkey;
    uint8_t pkey;
    bool has_level; /* level at which the walk ended */
    uint8_t level;
    bool has_entry;       /* the raw entry that ended the walk, 0 where none was read */
    uint64_t entry;       /* as it was reported */
    uint64_t entry_there; /* as it lies where it was reported to lie; 0 where there is no memory */
    bool has_leaf;        /* the walk reached a leaf */
    uint8_t page_shift;
    bool accessed, dirty; /* of the leaf, before the access */
};
/* check is FL_CHECK_WALK or FL_CHECK_EXECUTOR. */
bool fl_compare_walk(enum fl_check check, const struct fl_cpu *cpu, const struct fl_access *access,
                     const struct fl_arch_result *want, const struct fl_walk_claim *got, struct fl_divergence *d);

/* After "handled": the walk over the tables as they are now must permit access a. True: *d [OUT]. */
bool fl_compare_rewalk(const struct fl_arch_result *after, const struct fl_access *a, struct fl_divergence *d);

/* The core's prefetch answer (got) against fl_policy_prefetch()'s (want), and what it probed for it, with no other op.
 * True: *d [OUT]. */
bool fl_compare_prefetch(const struct fl_snapshot *s, bool want, bool got, const struct fl_effects *effects,
                         struct fl_divergence *d);

#endif
