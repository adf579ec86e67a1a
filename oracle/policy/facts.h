/* SPDX-License-Identifier: MIT */
/*
 * The fact word: everything that a row of the policy table may ask, a bit or a small field each; and the way of one
 * fault through the table.
 *
 * Three kinds of facts: those of the fault, the same all along; those of a pass (a RETRY, or init that waited for
 * memory, sends the decision back to look at the address space anew), worked out for each; and those on demand, which
 * cost a search, a walk or byte reads and are worked out once, when a row asks.
 */
#ifndef FAULTLINE_ORACLE_POLICY_FACTS_H
#define FAULTLINE_ORACLE_POLICY_FACTS_H

#include <faultline/oracle/policy.h>

/* Page-fault error code, Intel SDM vol. 3A, 4.7 and figure 4-12. */
enum {
    EC_P = 1 << 0,    /* the translation was there, the access was not permitted */
    EC_W = 1 << 1,    /* write */
    EC_U = 1 << 2,    /* user-mode access */
    EC_RSVD = 1 << 3, /* a reserved bit was set in an entry */
    EC_I = 1 << 4,    /* instruction fetch */
    EC_PK = 1 << 5,   /* a protection key forbids it */
};

#define FL_FACT(n) (UINT64_C(1) << (n))

/* ---- of the fault ---- */
#define F_P              FL_FACT(0) /* error code */
#define F_W              FL_FACT(1)
#define F_U              FL_FACT(2)
#define F_RSVD           FL_FACT(3)
#define F_I              FL_FACT(4)
#define F_KERNEL_ADDR    FL_FACT(5)  /* address >= task_size */
#define F_USER_REGS      FL_FACT(6)  /* the interrupted context is user mode, whatever the error code says */
#define F_WIDE           FL_FACT(7)  /* a 64-bit kernel */
#define F_HIGH           FL_FACT(8)  /* bits 63:32 of the address are not all zero */
#define F_AT_IP          FL_FACT(9)  /* the address is ip itself */
#define F_IRQ_WAS_ON     FL_FACT(10) /* interrupts were on where the fault came from */
#define F_CLAIMED        FL_FACT(11) /* a kprobe is running, and claims the fault */
#define F_SPURIOUS_CHECK FL_FACT(12) /* the kernel asks whether the tables permit the access */
#define F_STALE_CODE     FL_FACT(13) /* the whole code is P and W, or P and I: what a stale TLB entry can raise */
#define F_VSYSCALL       FL_FACT(14) /* a 64-bit kernel that emulates the vsyscall page */
#define F_IN_VSYSCALL    FL_FACT(15) /* the address is in that page */
#define F_FETCHED        FL_FACT(16) /* I is set, or cannot be: EFER.NXE is clear */
#define F_VSYSCALL_ENTRY FL_FACT(17) /* the address is where one of the three vsyscalls begins */
#define F_VSYSCALL_FAILS FL_FACT(18) /* the vsyscall will be given a bad pointer */
#define F_NO_USER_FETCH  FL_FACT(19) /* the kernel never fetches from user space */
#define F_SMAP           FL_FACT(20) /* the kernel knows of SMAP, and CR4 has it on */
#define F_AC             FL_FACT(21) /* RFLAGS.AC */
#define F_ATOMIC         FL_FACT(22) /* preemption or interrupt count, or NMI */
#define F_FAULTS_OFF     FL_FACT(23)
#define F_NO_MM          FL_FACT(24)
#define F_CONTENDED      FL_FACT(25) /* the first lock_try fails */
#define F_KEYS           FL_FACT(26) /* protection keys are on: the kernel knows them, CR4.PKE, IA-32e mode */
#define F_FATAL          FL_FACT(27) /* a fatal signal will be pending after a RETRY */
#define F_INIT           FL_FACT(28) /* the task is init */
#define F_COMPAT_CS      FL_FACT(29) /* the 32-bit user segment of a 64-bit kernel, or one in the LDT */
#define F_SHOW           FL_FACT(30) /* the sysctl that reports unhandled signals */
#define F_UNHANDLED      FL_FACT(31) /* a SIGSEGV will end the task */
#define F_SIGNAL_LIMITED FL_FACT(32) /* its report may not be made now */
#define F_F00F           FL_FACT(33) /* a 32-bit kernel on a Pentium with the erratum */
#define F_IDT_SLOT       FL_FACT(34) /* the address is in the descriptor of the invalid-opcode exception */
#define F_AMD15          FL_FACT(35) /* AMD family 15: erratum 93 */
#define F_KERNEL_TEXT    FL_FACT(36) /* with bits 63:32 set the address would be in kernel text or modules */
#define F_93_LIMITED     FL_FACT(37) /* the warning about erratum 93 was given before */
/* ---- of a pass ---- */
#define F_VMA        FL_FACT(38) /* a VMA ends above the address; those down to F_KEY_DENIES are about the first such */
#define F_INSIDE     FL_FACT(39) /* the address is inside it, not below */
#define F_GROWSDOWN  FL_FACT(40)
#define F_WRITE      FL_FACT(41) /* permissions */
#define F_ANY_ACCESS FL_FACT(42) /* read, write or exec */
#define F_KEY_DENIES FL_FACT(43) /* PK in the code, or its key's AD, or (a write) WD in PKRU */
/* Of an address below a stack, else clear: */
#define F_BEYOND_CUSHION FL_FACT(44) /* further below the stack pointer than any instruction pushes */
#define F_OVER_STACK     FL_FACT(45) /* growing would exceed RLIMIT_STACK */
#define F_BELOW_MIN      FL_FACT(46) /* ... reach below mmap_min_addr */
#define F_IN_GUARD       FL_FACT(47) /* ... come too near to a mapping below that is no stack */
#define F_OVER_AS        FL_FACT(48) /* ... exceed RLIMIT_AS */
#define F_REFUSED        FL_FACT(49) /* vma_expand will refuse */
#define F_MAY_RETRY      FL_FACT(50) /* mm_fault may answer RETRY */
#define F_WAS_MAJOR      FL_FACT(51) /* an earlier RETRY was a major fault */
/* What mm_fault will answer: one of enum fl_fact_answer. */
#define FL_ANSWER_SHIFT 52
#define F_ANSWER(a)     ((uint64_t)(a) << FL_ANSWER_SHIFT)
#define F_ANSWER_MASK   F_ANSWER(15)
/* ---- on demand ---- */
#define F_EXTABLE   FL_FACT(56) /* the exception table has an entry for ip */
#define F_PREFETCH  FL_FACT(57) /* the prefetch rule says: ignore */
#define F_PERMITTED FL_FACT(58) /* a walk over the tables permits the access */
#define F_CODE64    FL_FACT(59) /* the code segment is a 64-bit one */
#define F_RETURN    FL_FACT(60) /* the word at the stack pointer can be read */
/* What the synchronisation comes to: enum fl_sync_end. */
#define FL_SYNC_SHIFT 61
#define F_SYNC(end)   ((uint64_t)(end) << FL_SYNC_SHIFT)
#define F_SYNC_MASK   F_SYNC(3)

#define FL_FACT_COUNT 63
#define F_ON_DEMAND   (F_EXTABLE | F_PREFETCH | F_PERMITTED | F_CODE64 | F_RETURN | F_SYNC_MASK)

/* Answers of one kind lie in one run, so that a row may ask for the kind. */
enum fl_fact_answer {
    ANSWER_MINOR = 0,
    ANSWER_MAJOR = 1,
    ANSWER_RETRY = 2,
    ANSWER_RETRY_MAJOR = 3,
    ANSWER_OOM = 4,
    ANSWER_SIGSEGV = 5,
    ANSWER_SIGBUS = 6,
    ANSWER_HWPOISON = 8,
    ANSWER_HWPOISON_LARGE = 9,
};

#define FL_NO_VMA SIZE_MAX

/* What the passes so far have left behind. All zero but for the indices, which are FL_NO_VMA: nothing yet. */
struct fl_policy_pass {
    size_t gone;             /* unmapped while init waited */
    size_t readonly;         /* lost its write permission then */
    size_t grown;            /* starts at the page of the address */
    uint8_t asked;           /* answers of mm_fault that were had */
    bool retried, was_major; /* a RETRY was answered; one of them was a major fault */
};

/* Every fact of the fault itself. */
uint64_t fl_policy_fault_facts(const struct fl_snapshot *s);

/* Every fact of this pass over a user address. *vma [OUT]: index of the VMA that F_VMA speaks of, or FL_NO_VMA. */
uint64_t fl_policy_pass_facts(const struct fl_snapshot *s, const struct fl_policy_pass *pass, size_t *vma);

/* Both together for the first pass: every fact but those on demand. *new_start [OUT] is where a stack below which the
 * address lies would have to start; the page of the address in any case. */
uint64_t fl_policy_facts(const struct fl_snapshot *s, uint64_t *new_start);

/* The page of the address: where a stack that grows to it starts. */
uint64_t fl_policy_page(const struct fl_snapshot *s);

/* ---- on demand ---- */

/* The exception-table entry for ip, or NULL. */
const struct fl_extable_entry *fl_policy_fixup(const struct fl_snapshot *s);

/* Do the live tables permit the supervisor access that the error code tells of? */
bool fl_policy_permitted(const struct fl_snapshot *s);

/* The prefetch rule on a snapshot known to be valid. */
bool fl_policy_is_prefetch(const struct fl_snapshot *s);

/* The interrupted code is 64-bit code. */
bool fl_policy_code64(const struct fl_snapshot *s);

/* The interrupted context is user mode: CS.RPL 3 or virtual-8086 mode. */
bool fl_policy_user_mode(const struct fl_regs *regs);

/* Instruction byte i as the decoder of this context would fetch it. False: a selector beyond the LDT, beyond the
 * segment limit, (user mode) not in user space, or (kernel mode) in the vsyscall page; *linear is then untouched. */
bool fl_policy_code_byte(const struct fl_snapshot *s, unsigned i, uint64_t *linear);

/* May a prefetch be the reason of this fault, by processor and error code? If not, no instruction byte is read. */
bool fl_policy_may_be_prefetch(const struct fl_snapshot *s);

/* Both for every byte of an instruction, on a snapshot known to be valid. */
void fl_policy_window(const struct fl_snapshot *s, struct fl_code_window *out);

/* Longest instruction: Intel SDM vol. 3A, 6.15 (#GP: "longer than 15 bytes"); AMD APM vol. 3, 1.1. */
#define FL_MAX_INSN_BYTES 15u

/* ---- what a row's verdict means: meaning.h ---- */

enum fl_verdict {
    /* ENTRY */
    V_CLAIMED,
    V_SYNCED,
    V_SYNC_BUG,
    V_SYNC_WILD,
    V_SPURIOUS,
    V_EMULATE,
    V_EMULATE_FAULT,
    V_EMULATE_NONE, /* a jump into the vsyscall page that calls nothing, or without a way back */
    V_KERNEL_HALF,  /* a bad area in the kernel half */
    V_BAD_PAGETABLE,
    V_EARLY_93, /* erratum 93, with and without its warning, and the end of all other fetches from user space */
    V_EARLY_93_QUIET,
    V_EARLY_OOPS, /* nothing excuses it */
    V_USER_HALF,  /* on to AREA */
    /* AREA */
    V_BAD_EARLY,     /* bad area, decided before the lock was asked for */
    V_BAD_CONTENDED, /* ... since it was refused */
    V_BAD_MAPERR,    /* bad area: no mapping there */
    V_BAD_ACCERR,    /* bad area: a mapping that does not permit it */
    V_BAD_PKUERR,    /* bad area: its key does not */
    V_ASK,           /* mm_fault is asked */
    /* ANSWER */
    V_MINOR,
    V_MAJOR,
    V_RETRY, /* back to AREA */
    V_RETRY_MAJOR,
    V_WAIT, /* init waits, then back to AREA */
    V_FATAL,
    V_OOM_KILL,
    V_OOM_KERNEL,
    V_NO_CONTEXT, /* a kernel access that cannot be served */
    V_IGNORE,     /* also in ENDING */
    V_SIGBUS,
    V_POISON,
    V_POISON_LARGE,
    V_ANSWER_SEGV,
    /* ENDING */
    V_IGNORE_USER, /* as V_IGNORE, with interrupts on */
    V_SEGV_REPORT, /* with its line */
    V_SEGV_LIMITED,
    V_SEGV,
    V_INVALID_OP,
    V_OOPS,
    V_FIXUP,
    V_93,
    V_93_QUIET,
    V_COUNT
};

/* ---- the way of one fault through the table ---- */

/* ENTRY, AREA and ANSWER of each pass, AREA of a pass that does not come to ask, ENDING. */
#define FL_MAX_STEPS (1 + 2 * FL_MM_ANSWERS + 2)

struct fl_policy_step {
    uint16_t row;         /* the deciding one */
    uint64_t word, known; /* the facts as they were then; bits of word that are not known are zero */
};

struct fl_policy_trail {
    struct fl_policy_step step[FL_MAX_STEPS];
    unsigned nsteps;
    bool grows;   /* some pass made a stack grow */
    uint8_t pkey; /* of the last VMA looked at */
    uint8_t mm_calls, mm_flags[FL_MM_ANSWERS];
    bool synced;
    struct fl_sync_expected sync; /* synced */
    uint64_t return_address;      /* F_RETURN */
    uint64_t fixup;               /* F_EXTABLE */
};

/* Follows a valid snapshot through the table. FL_OK: *trail is whole, its last row ends the fault. FL_INVALID: more
 * answers of mm_fault would be needed. FL_FAILED: no row matches, or the synchronisation has no answer. */
enum fl_status fl_policy_follow(const struct fl_snapshot *s, struct fl_policy_trail *trail);

#endif
