/* SPDX-License-Identifier: MIT */
/*
 * Hand-made cases, at least one for each row of the policy table, with the whole way through it and where that is
 * written.
 */
#include "check.h"
#include "situation.h"

#include "policy/facts.h"

static const struct fl_policy_row *rows;
static size_t nrows;

/* What is to come out. effects, in this order: i interrupts on, l the lock, a digit for the mm_fault calls and the
 * flags of the last one in hexadecimal behind it, g growth, y a yield, m major, v a vsyscall, s and e ratelimit (signal,
 * erratum 93), t the thread's record, d the crash handler. */
struct golden {
    const char *path; /* rows by name, pass after pass */
    uint8_t action;
    uint16_t signal; /* number << 8 | code */
    const char *effects;
    const char *log; /* begins thus; "" for nothing */
    const char *source;
    struct choices c;
};

#define CASE(path, action, signal, effects, log, source, ...)                                                          \
    {                                                                                                                  \
        path, FL_ACT_##action, signal, effects, log, source,                                                           \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define SEGV(code) (11 << 8 | (code))
#define BUS(code)  (7 << 8 | (code))
#define FAULT_C    "2.6.25 arch/x86/mm/fault.c "
#define LINE       .report = SHOW | UNHANDLED

/* Flags of mm_fault: 1 write, 2 user, 4 fetch, 8 may retry, 10 tried. */
static const struct golden cases[] = {
    /* ---- the kernel half ---- */
    CASE("kprobe", KPROBE, 0, "", "", FAULT_C "notify_page_fault", .word = 8, .kprobe = RUNNING | CLAIMS,
         .if_on = true),
    CASE("user-address area-read mm-minor", HANDLED, 0, "l102", "", FAULT_C "notify_page_fault: !user_mode_vm",
         .word = 8, .code = U, .regs = USER, .prot = R, .kprobe = RUNNING | CLAIMS),
    CASE("synced", SYNCED, 0, "", "", FAULT_C "vmalloc_fault; no irq before", .word = 8, .layout = KERNEL_ADDRESS,
         .tables = IN_REFERENCE, .if_on = true),
    CASE("synced", SYNCED, 0, "", "", FAULT_C "vmalloc_sync_one: the page directory", .word = 4, .code = W,
         .layout = KERNEL_ADDRESS, .tables = IN_REFERENCE, .task = ATOMIC | NO_MM),
    CASE("sync-bug", BUG, 0, "", "", "4.10 vmalloc_fault: BUG_ON", .word = 8, .layout = KERNEL_ADDRESS,
         .tables = CONTRADICTORY),
    CASE("sync-wild", WILD, 0, "", "", "zoo vmf-large-page-deref", .word = 8, .layout = KERNEL_ADDRESS,
         .tables = NO_MEMORY),
    CASE("sync-refused kernel-oops", OOPS, 0, "td", "<1>Unable to handle kernel paging request",
         FAULT_C "vmalloc_fault: -1", .word = 8, .layout = KERNEL_ADDRESS, .if_on = true),
    CASE("sync-refused kernel-fixup", FIXUP, 0, "", "", FAULT_C "bad_area_nosemaphore, fixup_exception", .word = 4,
         .layout = KERNEL_ADDRESS, .extable = true),
    CASE("spurious", SPURIOUS, 0, "", "", "2.6.29 spurious_fault", .word = 8, .code = P | W, .layout = KERNEL_ADDRESS,
         .tables = MAPPED, .built = CHECKS_SPURIOUS),
    CASE("kernel-address kernel-oops", OOPS, 0, "td", "<1>Unable", "zoo spurious-perm: the leaf forbids it", .word = 8,
         .code = P | W, .layout = KERNEL_ADDRESS, .tables = MAPPED_READ, .built = CHECKS_SPURIOUS, .cpu = NX_ON),
    CASE("kernel-address kernel-oops", OOPS, 0, "td", "<1>Unable", "zoo spurious-perm: RSVD never qualifies", .word = 8,
         .code = P | W | RSVD, .layout = KERNEL_ADDRESS, .tables = MAPPED, .built = CHECKS_SPURIOUS),
    CASE("kernel-address kernel-oops", OOPS, 0, "td", "<1>BUG: unable", FAULT_C "PF_PROT: no vmalloc_fault", .word = 4,
         .code = P | W, .layout = KERNEL_ADDRESS, .tables = IN_REFERENCE),
    CASE("kernel-address user-segv", SIGNAL, SEGV(1), "ist", "<6>cat[100]: segfault at c0000000", FAULT_C "bad_area",
         .word = 4, .code = U, .regs = USER, .layout = KERNEL_ADDRESS, .tables = IN_REFERENCE, LINE),
/* ---- the vsyscall page ---- */
#define VSYSCALL                                                                                                       \
    .word = 8, .code = U | I, .regs = USER, .at_ip = true, .built = EMULATES | HAS_PAGE, .cpu = NX_ON, .if_on = true
    CASE("vsyscall", EMULATED, 0, "iv", "", "3.1 emulate_vsyscall", VSYSCALL, .layout = VSYSCALL_1),
    CASE("vsyscall", EMULATED, 0, "iv", "", "3.1: a processor without NX cannot tell a fetch", .word = 8, .code = U,
         .regs = USER, .at_ip = true, .built = EMULATES | HAS_PAGE, .layout = VSYSCALL_0),
    CASE("kernel-address user-segv-hidden", SIGNAL, SEGV(1), "it", "", "zoo vsyscall-emul: a read of the page",
         .word = 8, .code = U, .regs = USER, .at_ip = true, .built = EMULATES | HAS_PAGE, .cpu = NX_ON,
         .layout = VSYSCALL_0),
    CASE("vsyscall-fault", SIGNAL, SEGV(0x80), "iv", "", "3.1 emulate_vsyscall: force_sig", VSYSCALL,
         .layout = VSYSCALL_0, .vsyscall_fails = true, LINE),
    CASE("vsyscall-no-stack", SIGNAL, SEGV(0x80), "i", "", "3.1 emulate_vsyscall: get_user fails, force_sig", VSYSCALL,
         .layout = VSYSCALL_0, .no_return = true, LINE),
    CASE("vsyscall-compat erratum-100", IGNORED, 0, "i", "", "3.1: 64-bit code only; 2.6.24 is_errata100", VSYSCALL,
         .layout = VSYSCALL_0, .selector = SEL_LDT32),
    CASE("vsyscall-compat user-segv", SIGNAL, SEGV(1), "ist", "<6>cat[100]: segfault at ffffffffff600400",
         "3.1: 64-bit code only", .word = 8, .code = U | I, .regs = VM86, .at_ip = true, .built = EMULATES | HAS_PAGE,
         .cpu = NX_ON, .layout = VSYSCALL_1, LINE),
    CASE("vsyscall-misaligned", SIGNAL, SEGV(0x80), "i", "", "3.1 addr_to_vsyscall_nr: no fourth call", VSYSCALL,
         .layout = VSYSCALL_3, LINE),
    CASE("vsyscall-misaligned", SIGNAL, SEGV(0x80), "i", "", "3.1 addr_to_vsyscall_nr", VSYSCALL,
         .layout = VSYSCALL_ODD, LINE),
    /* ---- what no kernel does ---- */
    CASE("reserved-bit", BAD_PAGETABLE, 0, "itd", "<1>cat: Corrupted page table at address 400123\n",
         FAULT_C "64-bit: pgtable_bad", .word = 8, .code = P | RSVD | U, .regs = USER, .if_on = true, .prot = R),
    CASE("reserved-bit", BAD_PAGETABLE, 0, "td", "<1>cat: Corrupted page table", "zoo rsvd-user-32", .word = 4,
         .code = P | RSVD | W | U, .regs = USER, .prot = WR, .task = ATOMIC),
    CASE("user-address area-read mm-minor", HANDLED, 0, "il102", "", "zoo rsvd-without-p: error 0xc on a valid VMA",
         .word = 8, .code = RSVD | U, .regs = USER, .if_on = true, .prot = R),
    CASE("no-user-fetch", OOPS, 0, "td", "<1>Unable", "5.12 do_user_addr_fault: no fix-up; zoo smep-smap-fixup",
         .word = 8, .code = P | I, .prot = R | X, .extable = true, .built = NO_USER_FETCH),
    CASE("user-fetch-erratum-93", ERRATUM93, 0, "ie", "<3>******* Your BIOS", "5.12 do_user_addr_fault: is_errata93",
         .word = 8, .code = I, .layout = LOW_TEXT, .at_ip = true, .cpu = AMD_15, .built = NO_USER_FETCH, .if_on = true),
    CASE("user-fetch-erratum-93-quiet", ERRATUM93, 0, "e", "", "5.12 do_user_addr_fault: is_errata93, once", .word = 8,
         .code = I, .layout = LOW_MODULES, .at_ip = true, .cpu = AMD_15, .built = NO_USER_FETCH, .warned = true),
    CASE("smap", OOPS, 0, "td", "<1>Unable", "3.7 smap_violation; 5.12: no fix-up", .word = 8, .code = W, .prot = WR,
         .extable = true, .built = KNOWS_SMAP, .cpu = CR4_HAS_SMAP),
    CASE("user-address area-write mm-minor", HANDLED, 0, "l101", "", "3.7 smap_violation: AC", .word = 8, .code = W,
         .prot = WR, .ac = true, .built = KNOWS_SMAP, .cpu = CR4_HAS_SMAP),
    CASE("user-address area-write mm-minor", HANDLED, 0, "l101", "", "zoo smap-config-off", .word = 8, .code = W,
         .prot = WR, .cpu = CR4_HAS_SMAP),
    CASE("smap-implicit", OOPS, 0, "td", "<1>Unable", "SDM 4.6.1: AC does not excuse them", .word = 8, .regs = USER,
         .prot = R, .ac = true, .built = KNOWS_SMAP, .cpu = CR4_HAS_SMAP),
    /* ---- before the lock ---- */
    CASE("user-address atomic user-segv", SIGNAL, SEGV(1), "ist", "<6>cat[100]: segfault at 400123 ip 8048000",
         FAULT_C "in_atomic, bad_area_nosemaphore", .word = 8, .code = U, .regs = USER, .task = ATOMIC, .prot = R,
         LINE),
    CASE("user-address atomic kernel-fixup", FIXUP, 0, "", "", "an NMI counts as atomic", .word = 8, .task = NMI,
         .extable = true, .prot = R),
    CASE("user-address faults-disabled kernel-fixup", FIXUP, 0, "", "", "4.2 faulthandler_disabled", .word = 8,
         .code = W, .task = FAULTS_OFF, .extable = true, .prot = R),
    CASE("user-address no-mm kernel-oops", OOPS, 0, "td", "<1>Unable", FAULT_C "!mm", .word = 8, .task = NO_MM,
         .prot = R),
    CASE("user-address lock-no-fixup kernel-oops", OOPS, 0, "td", "<1>Unable",
         FAULT_C "down_read_trylock, search_exception_tables", .word = 8, .contended = true, .prot = R),
    CASE("user-address area-read mm-minor", HANDLED, 0, "l100", "", FAULT_C "down_read after search_exception_tables",
         .word = 8, .contended = true, .extable = true, .prot = R),
    CASE("user-address area-read mm-minor", HANDLED, 0, "l102", "", FAULT_C "a user fault waits for mmap_sem",
         .word = 8, .code = U, .regs = USER, .contended = true, .prot = R),
    /* ---- the VMA ---- */
    CASE("user-address no-vma user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", FAULT_C "find_vma", .word = 8,
         .layout = NOTHING, .code = U, .regs = USER),
    CASE("user-address below-vma user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", FAULT_C "VM_GROWSDOWN", .word = 8,
         .layout = BELOW, .code = U | W, .regs = USER),
    CASE("user-address stack-cushion user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", FAULT_C "65536 + 32 words",
         .word = 8, .layout = BELOW_STACK, .growth = CUSHION, .prot = WR, .code = U | W, .regs = USER),
    CASE("user-address stack-write mm-minor", HANDLED, 0, "l101g", "", "zoo stk-cushion: user mode only", .word = 8,
         .layout = BELOW_STACK, .growth = CUSHION, .prot = WR, .code = W),
    CASE("user-address stack-rlimit user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", "mm/mmap.c acct_stack_growth",
         .word = 8, .layout = BELOW_STACK, .growth = RLIMIT, .prot = WR, .code = U | W, .regs = USER),
    CASE("user-address stack-min-addr kernel-oops", OOPS, 0, "ltd", "<1>Unable", "zoo stk-min-addr", .word = 8,
         .layout = BELOW_STACK, .growth = MIN_ADDR, .prot = WR, .code = W),
    CASE("user-address stack-guard-gap user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", "zoo stk-guard-gap", .word = 8,
         .layout = BELOW_STACK, .growth = GUARD, .code = U, .regs = USER, .prot = R),
    CASE("user-address stack-as-limit user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", "mm/mmap.c may_expand_vm",
         .word = 8, .layout = BELOW_STACK, .growth = AS_LIMIT, .code = U, .regs = USER, .prot = R),
    CASE("user-address stack-refused user-segv-hidden", SIGNAL, SEGV(1), "ilt", "",
         "mm/mmap.c security_vm_enough_memory", .word = 8, .layout = BELOW_STACK, .growth = REFUSED, .code = U,
         .regs = USER, .prot = R),
    CASE("user-address write-denied user-segv-hidden", SIGNAL, SEGV(2), "ilt", "", FAULT_C "write, present", .word = 8,
         .code = U | W | P, .regs = USER, .prot = R),
    CASE("user-address read-present user-segv-hidden", SIGNAL, SEGV(2), "ilt", "", FAULT_C "read, present", .word = 8,
         .code = U | P, .regs = USER, .prot = R),
    CASE("user-address read-present user-segv-hidden", SIGNAL, SEGV(2), "ilt", "",
         "zoo pkey-fetch-remote: no key forbids a fetch", .word = 8, .code = U | P | I, .regs = USER, .prot = R | X,
         .built = KNOWS_KEYS, .cpu = CR4_HAS_PKE, .key = KEY_NO_ACCESS),
    CASE("user-address no-access user-segv-hidden", SIGNAL, SEGV(2), "ilt", "", FAULT_C "PROT_NONE", .word = 8,
         .code = U, .regs = USER),
    CASE("user-address write-denied user-segv-hidden", SIGNAL, SEGV(2), "ilgt", "",
         FAULT_C "expand_stack comes first and is not undone", .word = 8, .layout = BELOW_STACK, .code = U | W,
         .regs = USER, .prot = R),
    CASE("user-address stack-read mm-minor", HANDLED, 0, "l102g", "", FAULT_C "expand_stack, good_area", .word = 8,
         .layout = BELOW_STACK, .code = U, .regs = USER, .prot = R),
    CASE("user-address area-write mm-major", HANDLED, 0, "l103m", "", FAULT_C "VM_FAULT_MAJOR", .word = 8,
         .layout = INSIDE_STACK, .growth = GROWTH_ALL, .code = U | W, .regs = USER, .prot = WR, .mm = FL_MM_MAJOR),
    CASE("user-address area-read mm-minor", HANDLED, 0, "l106", "", FAULT_C "a fetch counts as a read", .word = 8,
         .code = U | I, .regs = USER, .prot = X),
/* ---- protection keys ---- */
#define KEYS .word = 8, .regs = USER, .built = KNOWS_KEYS, .cpu = CR4_HAS_PKE
    CASE("user-address pkuerr-write user-segv", SIGNAL, SEGV(4), "ilst", "<6>cat[100]: segfault at 400123",
         "protection-keys.rst: WD", KEYS, .code = U | W, .prot = R | WR, .key = KEY_NO_WRITE, LINE),
    CASE("user-address write-denied user-segv-hidden", SIGNAL, SEGV(2), "ilt", "",
         "the VMA's own permission comes first", KEYS, .code = U | W | P | PK, .prot = R, .key = KEY_NO_WRITE),
    CASE("user-address pkuerr-present user-segv-hidden", SIGNAL, SEGV(4), "ilt", "", "SDM 4.7: PK", KEYS,
         .code = U | P | PK, .prot = R),
    CASE("user-address pkuerr-read user-segv-hidden", SIGNAL, SEGV(4), "ilt", "", "4.6 arch_vma_access_permitted", KEYS,
         .code = U, .prot = R, .key = KEY_NO_ACCESS),
    CASE("user-address pkuerr-read kernel-fixup", FIXUP, 0, "l", "", "a kernel access like any other refusal",
         .word = 8, .extable = true, .prot = R, .built = KNOWS_KEYS, .cpu = CR4_HAS_PKE, .key = KEY_NO_ACCESS),
    CASE("user-address area-read mm-minor", HANDLED, 0, "l102", "", "the kernel does not know of keys", .word = 8,
         .code = U | PK, .regs = USER, .prot = R, .cpu = CR4_HAS_PKE, .key = KEY_NO_ACCESS),
    /* ---- answers ---- */
    CASE("user-address area-read retry area-read mm-minor", HANDLED, 0, "l212", "",
         "2.6.37: once, then FAULT_FLAG_TRIED", .word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_RETRY,
         .built = RETRIES),
    CASE("user-address area-read retry-major area-read mm-minor-after-major", HANDLED, 0, "l210m", "",
         "2.6.37: VM_FAULT_MAJOR of the first answer; zoo retry-twice", .word = 8, .prot = R, .mm = FL_MM_RETRY_MAJOR,
         .built = RETRIES),
    CASE("user-address area-read retry area-read retry-unasked kernel-oops", OOPS, 0, "l210td", "<1>Unable",
         "zoo retry-twice, sigsegv-lock-leak", .word = 8, .prot = R, .mm = FL_MM_RETRY, .mm2 = FL_MM_RETRY,
         .built = RETRIES),
    CASE("user-address area-read retry-killed-user", FATAL_SIGNAL, 0, "l10a", "", "2.6.37: fatal_signal_pending",
         .word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_RETRY, .built = RETRIES, .fatal = true),
    CASE("user-address area-read retry-killed-kernel kernel-fixup", FIXUP, 0, "l108", "",
         "26178ec11ef3; zoo retry-fatal-livelock", .word = 8, .prot = R, .mm = FL_MM_RETRY, .built = RETRIES,
         .fatal = true, .extable = true),
    CASE("user-address area-write oom-init no-vma user-segv", SIGNAL, SEGV(1), "il103yst",
         "<0>cat[1]: segfault at 400123", "zoo oom-init-stale-vma, sicode-stale", .word = 8, .code = U | W,
         .regs = USER, .prot = WR, .mm = FL_MM_OOM, .task = INIT, .yield = FL_YIELD_UNMAP, LINE),
    CASE("user-address area-write oom-init write-denied kernel-oops", OOPS, 0, "l101ytd", "<1>Unable",
         "zoo oom-init-stale-vma", .word = 8, .code = W, .prot = WR, .mm = FL_MM_OOM, .task = INIT,
         .yield = FL_YIELD_PROTECT),
    CASE("user-address stack-read oom-init area-read mm-minor", HANDLED, 0, "l202gy", "", "growth stays", .word = 8,
         .code = U, .regs = USER, .layout = BELOW_STACK, .prot = R, .mm = FL_MM_OOM, .task = INIT),
    CASE("user-address area-read oom-user", OOM_KILL, 0, "l102", "VM: killing process cat\n", FAULT_C "out_of_memory",
         .word = 8, .code = U, .regs = USER, .mm = FL_MM_OOM, .prot = R),
    CASE("user-address area-read oom-kernel kernel-fixup", FIXUP, 0, "l100", "VM: killing process cat\n",
         FAULT_C "out_of_memory, no_context", .word = 8, .mm = FL_MM_OOM, .extable = true, .prot = R),
    CASE("user-address area-read sigbus-kernel kernel-oops", OOPS, 0, "il100td", "<1>Unable", FAULT_C "do_sigbus",
         .word = 8, .mm = FL_MM_SIGBUS, .if_on = true, .prot = R),
    CASE("user-address area-read sigbus-prefetch", IGNORED, 0, "l102", "", "zoo pf-sigbus-unfiltered", .word = 8,
         .code = U, .regs = USER, .mm = FL_MM_SIGBUS, .bytes = PREFETCH, .prot = R),
    CASE("user-address area-write sigbus-user", SIGNAL, BUS(2), "l103t", "",
         FAULT_C "do_sigbus: no interrupts, no line", .word = 8, .code = U | W, .regs = USER, .prot = WR,
         .mm = FL_MM_SIGBUS, LINE),
    CASE("user-address area-read hwpoison-kernel kernel-fixup", FIXUP, 0, "l100", "", "3.13 do_sigbus", .word = 8,
         .prot = R, .mm = FL_MM_HWPOISON_LARGE, .extable = true),
    CASE("user-address area-read hwpoison-prefetch", IGNORED, 0, "l102", "", "3.13 do_sigbus: is_prefetch", .word = 8,
         .code = U, .regs = USER, .prot = R, .mm = FL_MM_HWPOISON, .bytes = PREFETCH),
    CASE("user-address area-read hwpoison", SIGNAL, BUS(4), "l102t",
         "<3>MCE: Killing cat:100 due to hardware memory corruption fault at 400123\n", "3.13 do_sigbus: BUS_MCEERR_AR",
         .word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_HWPOISON),
    CASE("user-address area-read hwpoison-large", SIGNAL, BUS(4), "l102t", "<3>MCE: Killing cat:100", "3.14 do_sigbus",
         .word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_HWPOISON_LARGE),
    CASE("user-address area-read mm-sigsegv user-segv-caught", SIGNAL, SEGV(1), "il102t", "",
         "3.18.6: VM_FAULT_SIGSEGV", .word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_SIGSEGV,
         .report = SHOW),
    /* ---- endings ---- */
    CASE("user-address no-vma user-prefetch", IGNORED, 0, "il", "", FAULT_C "is_prefetch after local_irq_enable",
         .word = 8, .layout = NOTHING, .code = U, .regs = USER, .bytes = PREFETCH),
    CASE("user-address no-vma user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", "zoo pf-vendor-gate", .word = 8,
         .layout = NOTHING, .code = U, .regs = USER, .bytes = PREFETCH_INTEL),
    CASE("user-address no-vma user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", "zoo pf-nx-loop", .word = 8,
         .layout = NOTHING, .code = U | I, .regs = USER, .bytes = PREFETCH),
    CASE("user-address no-vma user-segv-hidden", SIGNAL, SEGV(1), "ilt", "", "zoo pf-ldt-index", .word = 8,
         .layout = NOTHING, .code = U, .regs = USER, .bytes = PREFETCH, .selector = SEL_LDT_OUTSIDE),
    CASE("user-address no-vma erratum-100", IGNORED, 0, "il", "", "2.6.24 is_errata100", .word = 8,
         .layout = HIGH_NOTHING, .code = U, .regs = USER, .selector = SEL_USER32),
    CASE("user-address no-vma user-segv-limited", SIGNAL, SEGV(1), "ilst", "", FAULT_C "printk_ratelimit", .word = 8,
         .layout = NOTHING, .code = U, .regs = USER, .report = SHOW | UNHANDLED | LIMITED),
    CASE("sync-refused f00f", INVALID_OP, 0, "", "", FAULT_C "CONFIG_X86_F00F_BUG", .word = 4, .layout = IDT_FIRST,
         .built = F00F, .extable = true),
    CASE("sync-refused f00f", INVALID_OP, 0, "", "", "the processor reads the IDT by itself", .word = 4, .regs = USER,
         .layout = IDT_LAST, .built = F00F),
    CASE("user-address no-vma implicit-supervisor", OOPS, 0, "ltd", "<1>Unable", "zoo implicit-sv-as-user", .word = 8,
         .layout = NOTHING, .regs = USER, .extable = true, .bytes = PREFETCH),
    CASE("user-address area-write mm-minor", HANDLED, 0, "l101", "", "zoo implicit-sv-as-user: it may be served",
         .word = 8, .code = W, .regs = USER, .prot = WR),
    CASE("user-address no-vma kernel-prefetch", IGNORED, 0, "l", "", FAULT_C "no_context: is_prefetch", .word = 8,
         .layout = NOTHING, .bytes = PREFETCH),
    CASE("user-address no-vma kernel-oops", OOPS, 0, "ltd", "<1>Unable", FAULT_C "probe_kernel_address fails",
         .word = 8, .layout = NOTHING, .code = W, .bytes = UNREADABLE),
    CASE("user-address no-vma erratum-93", ERRATUM93, 0, "le", "<3>******* Your BIOS", FAULT_C "is_errata93", .word = 8,
         .layout = LOW_TEXT, .code = I, .at_ip = true, .cpu = AMD_15),
    CASE("user-address no-vma erratum-93-quiet", ERRATUM93, 0, "le", "", FAULT_C "is_errata93: warned", .word = 8,
         .layout = LOW_MODULES, .code = I, .at_ip = true, .cpu = AMD_15, .warned = true),
    CASE("user-address no-vma kernel-oops", OOPS, 0, "ltd", "<1>Unable", "zoo e93-ungated: another processor",
         .word = 8, .layout = LOW_TEXT, .code = I, .at_ip = true),
    /* ---- interrupts ---- */
    CASE("user-address area-read mm-minor", HANDLED, 0, "il102", "", FAULT_C "32-bit: IF or VM", .word = 4, .code = U,
         .regs = VM86, .prot = R),
    CASE("user-address area-read mm-minor", HANDLED, 0, "l102", "", FAULT_C "64-bit: IF alone", .word = 8, .code = U,
         .regs = VM86, .prot = R),
};

static void names(const struct fl_snapshot *s, char *path, size_t size, bool covered[])
{
    struct fl_policy_trail trail;
    path[0] = '\0';
    if (fl_policy_follow(s, &trail) != FL_OK)
        return;
    for (unsigned i = 0; i < trail.nsteps; i++) {
        snprintf(path + strlen(path), size - strlen(path), "%s%s", i ? " " : "", rows[trail.step[i].row].name);
        covered[trail.step[i].row] = true;
    }
}

static void letters(const struct fl_expected *e, char *buf, size_t size)
{
    char asked[8] = "";
    if (e->mm_calls != 0)
        snprintf(asked, sizeof asked, "%u%02x", e->mm_calls, e->mm_flags[e->mm_calls - 1]);
    snprintf(buf, size, "%s%s%s%s%s%s%s%s%s%s%s", e->outcome.irq_on ? "i" : "", e->lock_taken ? "l" : "", asked,
             e->grows ? "g" : "", e->yields ? "y" : "", e->outcome.major ? "m" : "", e->vsyscall ? "v" : "",
             e->limit[FL_LIMIT_SIGNAL] ? "s" : "", e->limit[FL_LIMIT_ERRATUM93] ? "e" : "",
             e->outcome.thread_valid ? "t" : "", e->dies ? "d" : "");
}

static uint64_t new_ip(const struct golden *g, const struct situation *t)
{
    switch (g->action) {
    case FL_ACT_FIXUP: return FIXUP_IP;
    case FL_ACT_EMULATED: return RETURN_IP;
    case FL_ACT_ERRATUM93: return UINT64_C(0xffffffff00000000) + t->s.cr2;
    default: return 0;
    }
}

static void test_cases(void)
{
    bool covered[128] = {false};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct golden *g = &cases[i];
        struct situation t;
        struct fl_expected e;
        char path[160], effects[24];
        situation_make(&t, &g->c);
        CHECK_EQ(fl_policy_decide(&t.s, &e), FL_OK, "case %zu", i);
        names(&t.s, path, sizeof path, covered);
        letters(&e, effects, sizeof effects);
        const struct fl_outcome *o = &e.outcome;
        CHECK(!strcmp(path, g->path), "case %zu (%s): rows %s, expected %s", i, g->source, path, g->path);
        CHECK(!strcmp(effects, g->effects), "case %zu (%s): effects %s, expected %s", i, g->source, effects,
              g->effects);
        CHECK_EQ(o->action, g->action, "case %zu (%s)", i, g->source);
        CHECK_EQ(o->signo << 8 | o->si_code, g->signal, "case %zu (%s): signal", i, g->source);
        size_t n = strlen(g->log);
        CHECK(n == 0 ? e.nlog == 0 : e.nlog >= n && !memcmp(e.log, g->log, n), "case %zu (%s): log %.*s", i, g->source,
              (int)e.nlog, e.log);
        CHECK_EQ(o->si_addr, g->signal != 0 && g->signal != SEGV(0x80) ? t.s.cr2 : 0, "case %zu", i);
        CHECK_EQ(o->si_pkey, g->signal == SEGV(4) ? VMA_KEY : 0, "case %zu", i);
        CHECK_EQ(o->si_addr_lsb, g->signal != BUS(4) ? 0 : g->c.mm == FL_MM_HWPOISON ? 12 : 21, "case %zu", i);
        CHECK_EQ(o->thread_cr2, o->thread_valid ? t.s.cr2 : 0, "case %zu", i);
        /* zoo kaddr-errcode-leak: a user never learns whether a kernel address is mapped */
        uint64_t code = g->c.code | (g->signal != 0 && g->c.layout >= FIRST_KERNEL_LAYOUT ? P : 0);
        CHECK_EQ(o->thread_error_code, o->thread_valid ? code : 0, "case %zu", i);
        CHECK_EQ(o->thread_trap_no, o->thread_valid ? 14 : 0, "case %zu", i);
        CHECK_EQ(o->new_ip, new_ip(g, &t), "case %zu", i);
        CHECK_EQ(o->new_sp, g->action == FL_ACT_EMULATED ? t.s.regs.gpr[FL_RSP] + 8 : 0, "case %zu", i);
        CHECK_EQ(e.new_start, e.grows ? 0x3f0000 : 0, "case %zu", i);
        CHECK_EQ(e.die, g->action == FL_ACT_BAD_PAGETABLE ? FL_DIE_BAD_PAGETABLE : FL_DIE_OOPS, "case %zu", i);
    }
    for (size_t i = 0; i < nrows; i++)
        CHECK(covered[i], "no golden case for row %s", rows[i].name);
}

int main(void)
{
    rows = fl_policy_rows(&nrows);
    test_cases();
    return check_done("policy golden");
}
