/* SPDX-License-Identifier: MIT */
/*
 * The decision table. Order matters only within a part; the first matching row decides.
 *
 * USER or not is the error code's U bit in both word sizes, never the interrupted registers. The 64-bit kernel
 * of 2.6.25 forced the bit from the registers, so that the processor's own accesses from user mode (descriptor
 * tables) passed as the user's; since 2021 (Linux 5042d40a264c) they are what the processor says they are:
 * supervisor accesses, which neither an exception-table entry nor a prefetch at the user's ip excuses.
 */
#include "facts.h"

/* All of yes set, all of no clear, and the fields in mask with the values in want. */
#define WHEN(yes, no)                     .mask = (yes) | (no), .want = (yes)
#define WHEN_FIELD(fmask, fwant, yes, no) .mask = (fmask) | (yes) | (no), .want = (fwant) | (yes)

#define ENTRY  .part = FL_PART_ENTRY, .name
#define AREA   .part = FL_PART_AREA, .name
#define ANSWER .part = FL_PART_ANSWER, .name
#define ENDING .part = FL_PART_ENDING, .name

#define DO_PAGE_FAULT "Linux 2.6.25 arch/x86/mm/fault.c do_page_fault (2008)"
#define VMALLOC_FAULT "Linux 2.6.25 arch/x86/mm/fault.c vmalloc_fault (2008), and the generations after it"
#define VSYSCALL_64   "Linux 3.1 arch/x86/kernel/vsyscall_64.c emulate_vsyscall (2011)"
#define IS_ERRATA93   "Linux arch/x86/mm/fault.c is_errata93 (2.6.25; CPU gate as in 3.13; zoo e93-ungated)"
#define USER_ADDR     "Linux 5.12 arch/x86/mm/fault.c do_user_addr_fault (2021; zoo smep-smap-fixup)"
#define EXPAND        "Linux mm/mmap.c expand_downwards, acct_stack_growth"
#define RETRIES       "Linux 2.6.37 arch/x86/mm/fault.c do_page_fault, VM_FAULT_RETRY (2010)"
#define POISON        "Linux 3.13 arch/x86/mm/fault.c do_sigbus, VM_FAULT_HWPOISON (2013)"
#define PKEYS         "Linux core-api/protection-keys.rst; 4.6 arch/x86/mm/fault.c bad_area_access_error (2016)"

/* What every jump into the vsyscall page is; and one that may be emulated. */
#define VSYSCALL_FETCH (F_KERNEL_ADDR | F_U | F_USER_REGS | F_VSYSCALL | F_IN_VSYSCALL | F_AT_IP | F_FETCHED)
#define VSYSCALL_CALL  (VSYSCALL_FETCH | F_VSYSCALL_ENTRY | F_CODE64)

#define ERRATUM_93 (F_WIDE | F_AMD15 | F_AT_IP | F_KERNEL_TEXT)

/* Reached the VMA: what every row about an acceptable one asks, so that none of them catches a case that an
 * earlier row should have caught. */
#define NO_VMA_WORK (F_ATOMIC | F_FAULTS_OFF | F_NO_MM)
#define NO_GROWTH   (F_OVER_STACK | F_BELOW_MIN | F_IN_GUARD | F_OVER_AS | F_REFUSED)

#define SYNC_IS(end, yes, no) WHEN_FIELD(F_SYNC_MASK, F_SYNC(end), yes, no)
/* Whatever mm_fault answers, or anything of that pair. */
#define MM(answer, yes, no)      WHEN_FIELD(F_ANSWER_MASK, F_ANSWER(answer), yes, no)
#define MM_PAIR(answer, yes, no) WHEN_FIELD(F_ANSWER(14), F_ANSWER(answer), yes, no)

static const struct fl_policy_row rows[] = {
    /* ---- who is it for? ---- */
    {ENTRY = "kprobe", WHEN(F_CLAIMED, F_USER_REGS), .verdict = V_CLAIMED,
     .source = "Linux 2.6.25 arch/x86/mm/fault.c notify_page_fault (2008): kernel mode only, before everything else"},
    {ENTRY = "synced", SYNC_IS(FL_SYNC_HANDLED, F_KERNEL_ADDR, F_P | F_U | F_RSVD), .verdict = V_SYNCED,
     .source = VMALLOC_FAULT},
    {ENTRY = "sync-bug", SYNC_IS(FL_SYNC_BUG, F_KERNEL_ADDR, F_P | F_U | F_RSVD), .verdict = V_SYNC_BUG,
     .source = VMALLOC_FAULT ": BUG_ON (zoo vmf-lazy-mmu-noflush)"},
    {ENTRY = "sync-wild", SYNC_IS(FL_SYNC_WILD, F_KERNEL_ADDR, F_P | F_U | F_RSVD), .verdict = V_SYNC_WILD,
     .source = VMALLOC_FAULT ": what it follows is not checked (zoo vmf-large-page-deref)"},
    {ENTRY = "sync-refused", SYNC_IS(FL_SYNC_NOT_HANDLED, F_KERNEL_ADDR, F_P | F_U | F_RSVD), .verdict = V_KERNEL_HALF,
     .source = VMALLOC_FAULT ": -1, bad_area_nosemaphore"},
    {ENTRY = "spurious", WHEN(F_KERNEL_ADDR | F_SPURIOUS_CHECK | F_STALE_CODE | F_PERMITTED, 0), .verdict = V_SPURIOUS,
     .source = "Linux 2.6.29 arch/x86/mm/fault.c spurious_fault (2009), every level (zoo spurious-perm)"},
    {ENTRY = "vsyscall", WHEN(VSYSCALL_CALL | F_RETURN, F_VSYSCALL_FAILS), .verdict = V_EMULATE,
     .source = VSYSCALL_64 ", 4fc3490114bb (zoo vsyscall-emul)"},
    {ENTRY = "vsyscall-fault", WHEN(VSYSCALL_CALL | F_RETURN | F_VSYSCALL_FAILS, 0), .verdict = V_EMULATE_FAULT,
     .source = VSYSCALL_64 ": -EFAULT ends in force_sig(SIGSEGV); no signal on uaccess since 02b670c1f88e (2024)"},
    {ENTRY = "vsyscall-no-stack", WHEN(VSYSCALL_CALL, F_RETURN), .verdict = V_EMULATE_NONE,
     .source = VSYSCALL_64 ": get_user of the caller's address fails, force_sig(SIGSEGV)"},
    {ENTRY = "vsyscall-misaligned", WHEN(VSYSCALL_FETCH | F_CODE64, F_VSYSCALL_ENTRY), .verdict = V_EMULATE_NONE,
     .source = VSYSCALL_64 ": addr_to_vsyscall_nr answers -EINVAL, force_sig(SIGSEGV)"},
    {ENTRY = "vsyscall-compat", WHEN(VSYSCALL_FETCH, F_CODE64), .verdict = V_KERNEL_HALF,
     .source = "Linux 3.1 arch/x86/mm/fault.c __bad_area_nosemaphore (2011): 64-bit code only"},
    {ENTRY = "kernel-address", WHEN(F_KERNEL_ADDR, 0), .verdict = V_KERNEL_HALF,
     .source = DO_PAGE_FAULT ": address >= TASK_SIZE never takes mmap_sem"},
    {ENTRY = "reserved-bit", WHEN(F_P | F_RSVD, F_KERNEL_ADDR), .verdict = V_BAD_PAGETABLE,
     .source = "Linux 2.6.25 do_page_fault, 64-bit; in 3.13 both word sizes (zoo rsvd-user-32). RSVD without P is an "
               "erratum's and reads as not present (zoo rsvd-without-p; Intel SDM vol. 3A 4.7: RSVD implies P)"},
    {ENTRY = "user-fetch-erratum-93",
     WHEN(F_NO_USER_FETCH | F_I | ERRATUM_93, F_KERNEL_ADDR | F_U | F_USER_REGS | F_HIGH | F_93_LIMITED),
     .verdict = V_EARLY_93, .source = USER_ADDR ": a fetch, is_errata93"},
    {ENTRY = "user-fetch-erratum-93-quiet",
     WHEN(F_NO_USER_FETCH | F_I | ERRATUM_93 | F_93_LIMITED, F_KERNEL_ADDR | F_U | F_USER_REGS | F_HIGH),
     .verdict = V_EARLY_93_QUIET, .source = USER_ADDR ": a fetch, is_errata93; warned before"},
    {ENTRY = "no-user-fetch", WHEN(F_NO_USER_FETCH | F_I, F_KERNEL_ADDR | F_U), .verdict = V_EARLY_OOPS,
     .source = USER_ADDR ": the kernel never fetches from user space, whatever the exception table says"},
    {ENTRY = "smap", WHEN(F_SMAP, F_KERNEL_ADDR | F_U | F_USER_REGS | F_AC), .verdict = V_EARLY_OOPS,
     .source = USER_ADDR "; Linux 3.7 smap_violation (2012; zoo smap-config-off)"},
    {ENTRY = "smap-implicit", WHEN(F_SMAP | F_USER_REGS, F_KERNEL_ADDR | F_U), .verdict = V_EARLY_OOPS,
     .source = USER_ADDR "; Intel SDM vol. 3A 4.6.1: AC does not excuse the processor's own accesses"},
    {ENTRY = "user-address", WHEN(0, F_KERNEL_ADDR), .verdict = V_USER_HALF, .source = DO_PAGE_FAULT},

    /* ---- may this access be served? ---- */
    {AREA = "atomic", WHEN(F_ATOMIC, 0), .verdict = V_BAD_EARLY, .source = DO_PAGE_FAULT ": in_atomic()"},
    {AREA = "faults-disabled", WHEN(F_FAULTS_OFF, 0), .verdict = V_BAD_EARLY,
     .source = "Linux 4.2 faulthandler_disabled(), 70ffdb9393a7 (2015): pagefault_disable() counts by itself"},
    {AREA = "no-mm", WHEN(F_NO_MM, 0), .verdict = V_BAD_EARLY, .source = DO_PAGE_FAULT ": !mm"},
    {AREA = "lock-no-fixup", WHEN(F_CONTENDED, F_U | F_EXTABLE | NO_VMA_WORK), .verdict = V_BAD_CONTENDED,
     .source = DO_PAGE_FAULT ": a kernel fault that is not in the exception table must not wait for mmap_sem "
                             "(zoo mmap-sem-extable)"},
    {AREA = "no-vma", WHEN(0, F_VMA | NO_VMA_WORK), .verdict = V_BAD_MAPERR, .source = DO_PAGE_FAULT ": find_vma"},
    {AREA = "below-vma", WHEN(F_VMA, F_INSIDE | F_GROWSDOWN | NO_VMA_WORK), .verdict = V_BAD_MAPERR,
     .source = DO_PAGE_FAULT ": VM_GROWSDOWN"},
    {AREA = "stack-cushion", WHEN(F_VMA | F_GROWSDOWN | F_BEYOND_CUSHION | F_U, F_INSIDE | NO_VMA_WORK),
     .verdict = V_BAD_MAPERR,
     .source = DO_PAGE_FAULT ": 65536 + 32 words below the stack pointer, user accesses only (zoo stk-cushion)"},
    {AREA = "stack-rlimit", WHEN(F_VMA | F_GROWSDOWN | F_OVER_STACK, F_INSIDE | NO_VMA_WORK), .verdict = V_BAD_MAPERR,
     .source = EXPAND " (2.6.25): size > RLIMIT_STACK"},
    {AREA = "stack-min-addr", WHEN(F_VMA | F_GROWSDOWN | F_BELOW_MIN, F_INSIDE | NO_VMA_WORK), .verdict = V_BAD_MAPERR,
     .source = EXPAND ", 0a1d52994d44 (2019): a hard floor (zoo stk-min-addr)"},
    {AREA = "stack-guard-gap", WHEN(F_VMA | F_GROWSDOWN | F_IN_GUARD, F_INSIDE | NO_VMA_WORK), .verdict = V_BAD_MAPERR,
     .source = EXPAND ", 1be7107fbe18 (2017): the gap is kept to a mapping below that is no stack (zoo stk-guard-gap)"},
    {AREA = "stack-as-limit", WHEN(F_VMA | F_GROWSDOWN | F_OVER_AS, F_INSIDE | NO_VMA_WORK), .verdict = V_BAD_MAPERR,
     .source = EXPAND ", may_expand_vm (2.6.25): RLIMIT_AS"},
    {AREA = "stack-refused", WHEN(F_VMA | F_GROWSDOWN | F_REFUSED, F_INSIDE | NO_VMA_WORK), .verdict = V_BAD_MAPERR,
     .source = EXPAND " (2.6.25): accounting answers -ENOMEM"},
    {AREA = "write-denied", WHEN(F_VMA | F_W, F_WRITE | NO_VMA_WORK), .verdict = V_BAD_ACCERR,
     .source = DO_PAGE_FAULT ": access switch, write"},
    {AREA = "pkuerr-write", WHEN(F_VMA | F_W | F_WRITE | F_KEYS | F_KEY_DENIES, F_I | NO_VMA_WORK),
     .verdict = V_BAD_PKUERR, .source = PKEYS ": only where the VMA itself permits it"},
    {AREA = "pkuerr-present", WHEN(F_VMA | F_P | F_ANY_ACCESS | F_KEYS | F_KEY_DENIES, F_W | F_I | NO_VMA_WORK),
     .verdict = V_BAD_PKUERR, .source = PKEYS ": the page is there, the key forbids it (Intel SDM vol. 3A 4.6.2)"},
    {AREA = "read-present", WHEN(F_VMA | F_P, F_W | NO_VMA_WORK), .verdict = V_BAD_ACCERR,
     .source = DO_PAGE_FAULT ": access switch, read of a present page: nothing that paging in could cure; a key says "
                             "nothing of a fetch (zoo pkey-fetch-remote)"},
    {AREA = "no-access", WHEN(F_VMA, F_P | F_W | F_ANY_ACCESS | NO_VMA_WORK), .verdict = V_BAD_ACCERR,
     .source = DO_PAGE_FAULT ": access switch, PROT_NONE"},
    {AREA = "pkuerr-read", WHEN(F_VMA | F_ANY_ACCESS | F_KEYS | F_KEY_DENIES, F_P | F_W | F_I | NO_VMA_WORK),
     .verdict = V_BAD_PKUERR, .source = PKEYS ": before a page is brought in (arch_vma_access_permitted)"},
    {AREA = "stack-write", WHEN(F_VMA | F_GROWSDOWN | F_W | F_WRITE, F_INSIDE | NO_GROWTH | NO_VMA_WORK),
     .verdict = V_ASK, .source = DO_PAGE_FAULT ": expand_stack, then the access switch"},
    {AREA = "stack-read", WHEN(F_VMA | F_GROWSDOWN | F_ANY_ACCESS, F_P | F_W | F_INSIDE | NO_GROWTH | NO_VMA_WORK),
     .verdict = V_ASK, .source = DO_PAGE_FAULT ": expand_stack, then the access switch"},
    {AREA = "area-write", WHEN(F_VMA | F_INSIDE | F_W | F_WRITE, NO_VMA_WORK), .verdict = V_ASK,
     .source = DO_PAGE_FAULT ": access switch, write"},
    {AREA = "area-read", WHEN(F_VMA | F_INSIDE | F_ANY_ACCESS, F_P | F_W | NO_VMA_WORK), .verdict = V_ASK,
     .source = DO_PAGE_FAULT ": access switch, read; fetches count as reads"},

    /* ---- it may: what mm_fault answers ---- */
    {ANSWER = "mm-minor", MM(ANSWER_MINOR, 0, F_WAS_MAJOR), .verdict = V_MINOR, .source = DO_PAGE_FAULT ": min_flt"},
    {ANSWER = "mm-minor-after-major", MM(ANSWER_MINOR, F_WAS_MAJOR, 0), .verdict = V_MAJOR,
     .source =
         "Linux 26178ec11ef3 (2014), 4.1 arch/x86/mm/fault.c __do_page_fault, major |=: a fault is a major one if any "
         "of its passes was. In d065bd810b6d (2.6.37, 2010) the answer to the first pass alone counted it"},
    {ANSWER = "mm-major", MM(ANSWER_MAJOR, 0, 0), .verdict = V_MAJOR, .source = DO_PAGE_FAULT ": VM_FAULT_MAJOR"},
    {ANSWER = "retry-killed-user", MM_PAIR(ANSWER_RETRY, F_MAY_RETRY | F_FATAL | F_U, 0), .verdict = V_FATAL,
     .source = RETRIES ": a killed task returns to user mode, and dies there"},
    {ANSWER = "retry-killed-kernel", MM_PAIR(ANSWER_RETRY, F_MAY_RETRY | F_FATAL, F_U), .verdict = V_NO_CONTEXT,
     .source = "Linux 26178ec11ef3 (2014): else it would fault again for ever (zoo retry-fatal-livelock)"},
    {ANSWER = "retry", MM(ANSWER_RETRY, F_MAY_RETRY, F_FATAL), .verdict = V_RETRY,
     .source = RETRIES ": once, from the VMA on, with FAULT_FLAG_TRIED (zoo retry-twice)"},
    {ANSWER = "retry-major", MM(ANSWER_RETRY_MAJOR, F_MAY_RETRY, F_FATAL), .verdict = V_RETRY_MAJOR,
     .source = RETRIES ": VM_FAULT_MAJOR with it"},
    {ANSWER = "retry-unasked", MM_PAIR(ANSWER_RETRY, 0, F_MAY_RETRY), .verdict = V_ANSWER_SEGV,
     .source = "zoo sigsegv-lock-leak: an answer that was not to be expected is a bad area"},
    {ANSWER = "oom-init", MM(ANSWER_OOM, F_INIT, 0), .verdict = V_WAIT,
     .source = DO_PAGE_FAULT ": out_of_memory, is_global_init; 64-bit: again from find_vma (zoo oom-init-stale-vma)"},
    {ANSWER = "oom-user", MM(ANSWER_OOM, F_U, F_INIT), .verdict = V_OOM_KILL,
     .source = DO_PAGE_FAULT ": out_of_memory"},
    {ANSWER = "oom-kernel", MM(ANSWER_OOM, 0, F_U | F_INIT), .verdict = V_OOM_KERNEL,
     .source = DO_PAGE_FAULT ": out_of_memory, then no_context"},
    {ANSWER = "sigbus-kernel", MM(ANSWER_SIGBUS, 0, F_U), .verdict = V_NO_CONTEXT,
     .source = DO_PAGE_FAULT ": do_sigbus, then no_context"},
    {ANSWER = "sigbus-prefetch", MM(ANSWER_SIGBUS, F_U | F_PREFETCH, 0), .verdict = V_IGNORE,
     .source = DO_PAGE_FAULT ", 32-bit: do_sigbus asks is_prefetch (zoo pf-sigbus-unfiltered)"},
    {ANSWER = "sigbus-user", MM(ANSWER_SIGBUS, F_U, F_PREFETCH), .verdict = V_SIGBUS,
     .source = DO_PAGE_FAULT ": do_sigbus, BUS_ADRERR"},
    {ANSWER = "hwpoison-kernel", MM_PAIR(ANSWER_HWPOISON, 0, F_U), .verdict = V_NO_CONTEXT,
     .source = POISON ": kernel mode, no_context"},
    {ANSWER = "hwpoison-prefetch", MM_PAIR(ANSWER_HWPOISON, F_U | F_PREFETCH, 0), .verdict = V_IGNORE,
     .source = POISON ": is_prefetch comes first"},
    {ANSWER = "hwpoison", MM(ANSWER_HWPOISON, F_U, F_PREFETCH), .verdict = V_POISON,
     .source = POISON ", BUS_MCEERR_AR"},
    {ANSWER = "hwpoison-large", MM(ANSWER_HWPOISON_LARGE, F_U, F_PREFETCH), .verdict = V_POISON_LARGE,
     .source =
         "Linux arch/x86/mm/fault.c do_sigbus, VM_FAULT_HWPOISON_LARGE (posted in October 2010): si_addr_lsb of the page"},
    {ANSWER = "mm-sigsegv", MM(ANSWER_SIGSEGV, 0, 0), .verdict = V_ANSWER_SEGV,
     .source = "Linux 33692f27597f, 7fb08eca4527 (2015): VM_FAULT_SIGSEGV, MAPERR (zoo sigsegv-lock-leak)"},

    /* ---- it may not, or nothing could be done ---- */
    {ENDING = "user-prefetch", WHEN(F_U | F_PREFETCH, 0), .verdict = V_IGNORE_USER,
     .source = DO_PAGE_FAULT ": bad_area_nosemaphore, is_prefetch; AMD K7/K8 erratum 91"},
    {ENDING = "erratum-100", WHEN(F_U | F_WIDE | F_HIGH | F_COMPAT_CS, F_PREFETCH), .verdict = V_IGNORE_USER,
     .source = "Linux 2.6.24 arch/x86/mm/fault_64.c is_errata100 (2007): compatibility code cannot mean 4 GiB or more"},
    {ENDING = "user-segv-hidden", WHEN(F_U, F_PREFETCH | F_SHOW), .verdict = V_SEGV,
     .source = DO_PAGE_FAULT ": bad_area_nosemaphore, show_unhandled_signals"},
    {ENDING = "user-segv-caught", WHEN(F_U | F_SHOW, F_PREFETCH | F_UNHANDLED), .verdict = V_SEGV,
     .source = DO_PAGE_FAULT ": bad_area_nosemaphore, unhandled_signal"},
    {ENDING = "user-segv-limited", WHEN(F_U | F_SHOW | F_UNHANDLED | F_SIGNAL_LIMITED, F_PREFETCH),
     .verdict = V_SEGV_LIMITED, .source = DO_PAGE_FAULT ": bad_area_nosemaphore, printk_ratelimit"},
    {ENDING = "user-segv", WHEN(F_U | F_SHOW | F_UNHANDLED, F_PREFETCH | F_SIGNAL_LIMITED), .verdict = V_SEGV_REPORT,
     .source = DO_PAGE_FAULT ": bad_area_nosemaphore"},
    {ENDING = "f00f", WHEN(F_KERNEL_ADDR | F_F00F | F_IDT_SLOT, F_U), .verdict = V_INVALID_OP,
     .source = DO_PAGE_FAULT ": CONFIG_X86_F00F_BUG; kernel addresses only (f42a40fd53fb, 2021; zoo f00f-any-address)"},
    {ENDING = "implicit-supervisor", WHEN(F_USER_REGS, F_U), .verdict = V_OOPS,
     .source = "Linux 5042d40a264c (2021): no fix-up and no prefetch for the processor's own access (zoo "
               "implicit-sv-as-user)"},
    {ENDING = "kernel-fixup", WHEN(F_EXTABLE, F_U | F_USER_REGS), .verdict = V_FIXUP,
     .source = DO_PAGE_FAULT ": no_context, fixup_exception"},
    {ENDING = "kernel-prefetch", WHEN(F_PREFETCH, F_U | F_USER_REGS | F_EXTABLE), .verdict = V_IGNORE,
     .source = DO_PAGE_FAULT ": no_context, is_prefetch"},
    {ENDING = "erratum-93", WHEN(ERRATUM_93, F_U | F_USER_REGS | F_EXTABLE | F_PREFETCH | F_HIGH | F_93_LIMITED),
     .verdict = V_93, .source = IS_ERRATA93},
    {ENDING = "erratum-93-quiet", WHEN(ERRATUM_93 | F_93_LIMITED, F_U | F_USER_REGS | F_EXTABLE | F_PREFETCH | F_HIGH),
     .verdict = V_93_QUIET, .source = IS_ERRATA93 ": warned before"},
    {ENDING = "kernel-oops", WHEN(0, F_U | F_USER_REGS | F_EXTABLE | F_PREFETCH), .verdict = V_OOPS,
     .source = DO_PAGE_FAULT ": no_context, die(\"Oops\")"},
};

const struct fl_policy_row *fl_policy_rows(size_t *count)
{
    *count = sizeof rows / sizeof rows[0];
    return rows;
}
