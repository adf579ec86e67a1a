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
    FL_CHECK_CONTRACT, /* contract: an op used against its contract (stale generation, no lock, wrong order), or a fault
                          that is not decided yet treated as if it were */
    FL_CHECK_PREFETCH, /* prefetch: the core's decoder against the rule */
    FL_CHECK_DECODER,  /* decoder: the rule against a disassembler */
    FL_CHECK_TRANSPARENCY, /* transparency: on demand against everything mapped */
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
 * "signal-accerr", "signal-bus", "signal-other", "fixup", "oops", "bad-pagetable", "oom-kill", "none", "unknown". */
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

/* What the core did through its ops during one decision, as the world recorded it. */
struct fl_effects {
    unsigned calls;    /* of any op */
    unsigned mm_calls; /* mm_fault calls */
    bool mm_write;     /* of the last call */
    uint64_t mm_addr;
    bool grew;
    uint64_t new_start;
    unsigned irq_calls;
    bool irq_late;                  /* the first irq_enable came after the lock had been asked for */
    bool irq_locked;                /* an irq_enable while the lock was held */
    unsigned lock_asks;             /* tries, successful or not, and takes */
    unsigned lock_gets, lock_drops; /* successful tries and takes; drops */
    bool lock_held_at_exit;
    bool lock_deadlock; /* take while held */
    bool lock_missing;  /* a "lock" op without the lock */
    bool stale_generation;
    bool extable_locked;                  /* extable while the lock was held */
    unsigned probes;                      /* probe_byte calls */
    bool probe_user, probe_kernel;        /* which accessors were used */
    bool probe_locked;                    /* probe_byte while the lock was held */
    uint64_t probe_at[FL_EFFECTS_PROBES]; /* linear addresses of the first probes */
};

/* The core's outcome and effects against the policy. False: they agree. True: *d [OUT] is the first difference.
 * No pointer may be NULL.
 *
 * Looks first for broken rules (contract, lock misuse, bound), since what follows from a broken rule is no second
 * finding; then at the decision, then at the remaining effects. The row of a wrong decision is the one at which the
 * paths parted: want->path and the fact whether mm_fault was asked tell which part of the table that was.
 * Classes of a wrong decision are those of the part where the paths parted: "served", "refused" (may it be served;
 * two signals that differ: their classes), "no-context" and outcome classes (what mm_fault's answer leads to),
 * "signal-segv" and outcome classes (the ending); "bad-pagetable" against "other" for a reserved bit.
 * Fields that the action does not make valid are zero on both sides, and compared like the others.
 * want->supported false: nothing is compared and the answer is false; see fl_compare_undecided(). */
bool fl_compare_fault(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                      const struct fl_effects *effects, struct fl_divergence *d);

/* A fault that the policy does not decide (want->supported false): the core must have answered FL_UNSUPPORTED, called no
 * op and left its outcome alone (written false). False: it did. True: *d [OUT], whose row is the policy row. */
bool fl_compare_undecided(const struct fl_expected *want, enum fl_status status, bool written,
                          const struct fl_effects *effects, struct fl_divergence *d);

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
