/* SPDX-License-Identifier: MIT */
/*
 * The comparer of a decision and its effects: each check fires for its own seeded difference, with the key that is written
 * here, and for nothing else. The keys are what buckets of findings are named by: changing one is a change of format.
 */
#include "answer.h"

FAULT(read_ok, (void)0)
FAULT(write_ok, s->error_code |= W, s->regs.flags |= 0x200)
FAULT(kernel_read, answer_kernel(a))
FAULT(major, s->mm_result[0] = FL_MM_MAJOR)
FAULT(grow, s->error_code |= W, s->cr2 = 0x5f0123)
FAULT(grown_denied, grow(a), a->vmas[1].write = false)
FAULT(cushion, grow(a), s->regs.gpr[FL_RSP] = 0x609000)
FAULT(maperr, s->cr2 = NOWHERE)
FAULT(maperr_if, s->cr2 = NOWHERE, s->regs.flags |= 0x200)
FAULT(accerr, s->error_code |= P)
FAULT(pkuerr, s->cpu.cr4 |= UINT64_C(1) << 22, s->cpu.pkru = 0xc0, a->vmas[0].pkey = 3)
FAULT(prefetch, s->cr2 = NOWHERE, answer_prefetch(a))
FAULT(oops, answer_kernel(a), s->cr2 = NOWHERE)
FAULT(oops_if, oops(a), s->regs.flags |= 0x200)
FAULT(fixup, oops(a), answer_fixup(a))
FAULT(implicit, s->error_code = 0, s->cr2 = NOWHERE, answer_fixup(a))
FAULT(reserved, s->error_code |= P | RSVD)
FAULT(atomic, answer_kernel(a), s->task.in_atomic = true)
FAULT(atomic_user, s->task.in_atomic = true)
FAULT(trylock, answer_kernel(a), s->lock_contended = true)
FAULT(sigbus, s->mm_result[0] = FL_MM_SIGBUS)
FAULT(sigbus_kernel, answer_kernel(a), s->mm_result[0] = FL_MM_SIGBUS)
FAULT(mm_segv, s->mm_result[0] = FL_MM_SIGSEGV)
FAULT(poison, s->mm_result[0] = FL_MM_HWPOISON)
FAULT(oom, s->mm_result[0] = FL_MM_OOM)
FAULT(oom_fixup, answer_kernel(a), s->mm_result[0] = FL_MM_OOM, answer_fixup(a))
FAULT(retry, s->mm_result[0] = FL_MM_RETRY)
FAULT(retry_killed, s->mm_result[0] = FL_MM_RETRY, s->fatal_signal = true)
FAULT(retry_killed_kernel, answer_kernel(a), s->mm_result[0] = FL_MM_RETRY, s->fatal_signal = true)
FAULT(init_waits, s->task.pid = 1, s->mm_result[0] = FL_MM_OOM)
FAULT(init_unmapped, init_waits(a), s->yield = FL_YIELD_UNMAP, s->nvmas = 1)
FAULT(retry_waited, retry(a), s->lock_contended = true)
FAULT(waited, s->lock_contended = true)
FAULT(fixup_waited, fixup(a), s->lock_contended = true)
FAULT(report_refused, maperr(a), s->report_contended = true)
FAULT(kernel_addr, s->cr2 = IN_KERNEL)
FAULT(kernel_addr_if, s->cr2 = IN_KERNEL, s->regs.flags |= 0x200)
FAULT(kernel_addr_oops, answer_kernel(a), s->cr2 = IN_KERNEL)
FAULT(kprobe, oops(a), s->task.kprobe_running = true, s->kprobe_claims = true)
FAULT(kprobe_idle, oops(a), s->task.kprobe_running = true)
FAULT(smap, answer_kernel(a), s->cpu.cr4 |= UINT64_C(1) << 21, answer_fixup(a))
FAULT(vsyscall, s->cr2 = VSYSCALL + 0x400, s->regs.ip = s->cr2, s->error_code |= I, a->stack_readable = true)
FAULT(vsyscall_fails, vsyscall(a), s->vsyscall_fails = true)
FAULT(vsyscall_no_stack, vsyscall(a), a->stack_readable = false)
FAULT(vsyscall_fourth, vsyscall(a), s->cr2 = s->regs.ip = VSYSCALL + 0xc00)
FAULT(vsyscall_compat, vsyscall(a), s->codeseg.bits = 32)
FAULT(erratum_93, answer_kernel(a), s->cr2 = s->regs.ip = KERNEL_IP & UINT32_MAX)
FAULT(f00f, answer_kernel(a), s->kernel.word = 4, s->cpu.mode = FL_MODE_PAE, s->codeseg.bits = 32,
      s->kernel.task_size = 0xc0000000, s->kernel.f00f_bug = true, s->kernel.idt = 0xfffbb000, s->regs.ip = 0xc0100000,
      s->cr2 = 0xfffbb030, s->error_code = P, s->kernel.vsyscall = 0, s->kernel.page_offset = 0xc0000000,
      s->kernel.vmalloc_start = 0xf8000000, s->kernel.vmalloc_end = 0xff800000)

static void act(struct fl_outcome *o, enum fl_action action, int signo, int si_code)
{
    o->action = (uint8_t)action;
    o->signo = signo;
    o->si_code = si_code;
}

/* ---- the decision ---- */

static void test_entry(void)
{
    /* The entry ends it: what would have become of it otherwise does not matter. */
    SPOIL(reserved, "decision/reserved-bit/bad-pagetable/other", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(reserved, "decision/reserved-bit/bad-pagetable/other", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(kprobe, "decision/kprobe/kprobe/other", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(smap, "decision/smap/oops/other", act(o, FL_ACT_FIXUP, 0, 0));
    SPOIL(smap, "decision/smap/oops/other", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(vsyscall, "decision/vsyscall/emulated/other", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(vsyscall, "decision/vsyscall/emulated/signal-kernel", act(o, FL_ACT_SIGNAL, 11, 0x80));
    SPOIL(vsyscall_fails, "decision/vsyscall-fault/signal-kernel/other", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(vsyscall_fails, "decision/vsyscall-fault/signal-kernel/emulated", act(o, FL_ACT_EMULATED, 0, 0));
    SPOIL(vsyscall_no_stack, "decision/vsyscall-no-stack/signal-kernel/other", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(vsyscall_no_stack, "decision/vsyscall-no-stack/signal-kernel/emulated", act(o, FL_ACT_EMULATED, 0, 0));
    SPOIL(vsyscall_fourth, "decision/vsyscall-misaligned/signal-kernel/other", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(vsyscall_fourth, "decision/vsyscall-misaligned/signal-kernel/emulated", act(o, FL_ACT_EMULATED, 0, 0));
    SPOIL(vsyscall_compat, "decision/vsyscall-compat/other/signal-kernel", act(o, FL_ACT_SIGNAL, 11, 0x80));
    SPOIL(vsyscall_compat, "decision/vsyscall-compat/other/emulated", act(o, FL_ACT_EMULATED, 0, 0));
    /* The entry hands it on, the core ended it there. */
    SPOIL(read_ok, "decision/user-address/other/bad-pagetable", act(o, FL_ACT_BAD_PAGETABLE, 0, 0), f->mm_calls = 0);
    SPOIL(oops, "decision/user-address/other/bad-pagetable", act(o, FL_ACT_BAD_PAGETABLE, 0, 0));
    SPOIL(kprobe_idle, "decision/user-address/other/kprobe", act(o, FL_ACT_KPROBE, 0, 0));
    SPOIL(kernel_addr, "decision/kernel-address/other/spurious", act(o, FL_ACT_SPURIOUS, 0, 0));
    SPOIL(kernel_addr, "decision/kernel-address/other/emulated", act(o, FL_ACT_EMULATED, 0, 0));
    /* Kernel addresses have no area: it is the entry that refuses them. */
    SPOIL(kernel_addr, "decision/kernel-address/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(kernel_addr, "decision/kernel-address/signal-maperr/signal-accerr", o->si_code = 2);
    SPOIL(kernel_addr, "decision/user-segv/signal-segv/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(kernel_addr_oops, "decision/kernel-oops/oops/fixup", act(o, FL_ACT_FIXUP, 0, 0));
}

static void test_area(void)
{
    /* A wrong area: whatever ending the handler then found, and whatever mm_fault said, the key is one. */
    SPOIL(cushion, "decision/stack-cushion/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(cushion, "decision/stack-cushion/refused/served", act(o, FL_ACT_OOM_KILL, 0, 0), f->mm_calls = 1);
    SPOIL(grow, "decision/stack-write/served/refused", act(o, FL_ACT_SIGNAL, 11, 1), f->mm_calls = 0);
    SPOIL(grow, "decision/stack-write/served/refused", act(o, FL_ACT_IGNORED, 0, 0), f->mm_calls = 0);
    SPOIL(atomic, "decision/atomic/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(trylock, "decision/lock-no-fixup/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    SPOIL(kernel_read, "decision/area-read/served/refused", act(o, FL_ACT_OOPS, 0, 0), f->mm_calls = 0);
    SPOIL(read_ok, "decision/area-read/served/handled-major", o->major = true, f->mm_calls = 0);
    SPOIL(maperr, "decision/no-vma/refused/handled-minor", act(o, FL_ACT_HANDLED, 0, 0));
    SPOIL(maperr, "decision/no-vma/refused/none", act(o, FL_ACT_NONE, 0, 0));
    SPOIL(maperr, "decision/no-vma/refused/unknown", o->action = 200);
    SPOIL(maperr, "decision/no-vma/signal-maperr/signal-accerr", o->si_code = 2);
    SPOIL(accerr, "decision/read-present/signal-accerr/signal-maperr", o->si_code = 1);
    SPOIL(accerr, "decision/read-present/signal-accerr/signal-pkuerr", o->si_code = 4);
    SPOIL(accerr, "decision/read-present/signal-accerr/signal-bus", act(o, FL_ACT_SIGNAL, 7, 2));
    SPOIL(accerr, "decision/read-present/signal-accerr/signal-other", o->si_code = 3);
    SPOIL(pkuerr, "decision/pkuerr-read/signal-pkuerr/signal-accerr", o->si_code = 2);
    SPOIL(pkuerr, "decision/pkuerr-read/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 1);
    /* The second pass of init finds nothing there. */
    SPOIL(init_unmapped, "decision/no-vma/signal-maperr/signal-accerr", o->si_code = 2);
    SPOIL(init_unmapped, "decision/no-vma/refused/served", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 2);
}

static void test_answer(void)
{
    SPOIL(read_ok, "decision/mm-minor/handled-minor/handled-major", o->major = true);
    SPOIL(major, "decision/mm-major/handled-major/handled-minor", o->major = false);
    SPOIL(oom, "decision/oom-user/oom-kill/no-context", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(oom, "decision/oom-user/oom-kill/handled-minor", act(o, FL_ACT_HANDLED, 0, 0));
    SPOIL(oom, "decision/oom-user/oom-kill/again", act(o, FL_ACT_HANDLED, 0, 0), f->mm_calls = 2);
    SPOIL(oom_fixup, "decision/oom-kernel/no-context/oom-kill", act(o, FL_ACT_OOM_KILL, 0, 0));
    SPOIL(sigbus, "decision/sigbus-user/signal-bus/signal-maperr", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(sigbus, "decision/sigbus-user/signal-bus/signal-mceerr", o->si_code = 4);
    SPOIL(sigbus, "decision/sigbus-user/signal-bus/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(sigbus, "decision/sigbus-user/signal-bus/no-context", act(o, FL_ACT_FIXUP, 0, 0));
    SPOIL(sigbus_kernel, "decision/sigbus-kernel/no-context/signal-bus", act(o, FL_ACT_SIGNAL, 7, 2));
    SPOIL(poison, "decision/hwpoison/signal-mceerr/signal-bus", o->si_code = 2);
    SPOIL(mm_segv, "decision/mm-sigsegv/bad-area/none", act(o, FL_ACT_NONE, 0, 0));
    SPOIL(mm_segv, "decision/mm-sigsegv/signal-maperr/signal-accerr", o->si_code = 2);
    SPOIL(mm_segv, "decision/mm-sigsegv/signal-maperr/signal-bus", act(o, FL_ACT_SIGNAL, 7, 2));
    /* Starting again, and not. */
    SPOIL(retry, "decision/retry/again/handled-major", o->major = true, f->mm_calls = 1);
    SPOIL(retry, "decision/retry/again/no-context", act(o, FL_ACT_OOPS, 0, 0), f->mm_calls = 1);
    SPOIL(retry, "decision/mm-minor/handled-minor/again", act(o, FL_ACT_OOM_KILL, 0, 0), f->mm_calls = 3);
    SPOIL(retry, "decision/area-read/served/refused", act(o, FL_ACT_SIGNAL, 11, 1), f->mm_calls = 0);
    SPOIL(retry_killed, "decision/retry-killed-user/fatal-signal/handled-minor", act(o, FL_ACT_HANDLED, 0, 0));
    SPOIL(retry_killed_kernel, "decision/retry-killed-kernel/no-context/fatal-signal",
          act(o, FL_ACT_FATAL_SIGNAL, 0, 0));
    SPOIL(init_waits, "decision/oom-init/again/oom-kill", act(o, FL_ACT_OOM_KILL, 0, 0), f->mm_calls = 1);
    SPOIL(init_unmapped, "decision/no-vma/refused/oom-kill", act(o, FL_ACT_OOM_KILL, 0, 0));
}

static void test_ending(void)
{
    /* A wrong ending: whatever led to it, the key is one. */
    SPOIL(maperr, "decision/user-segv/signal-segv/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(accerr, "decision/user-segv/signal-segv/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(mm_segv, "decision/user-segv/signal-segv/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(accerr, "decision/user-segv/signal-segv/oops", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(prefetch, "decision/user-prefetch/ignored/signal-segv", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(oops, "decision/kernel-oops/oops/fixup", act(o, FL_ACT_FIXUP, 0, 0));
    SPOIL(oops, "decision/kernel-oops/oops/erratum93", act(o, FL_ACT_ERRATUM93, 0, 0));
    SPOIL(oops, "decision/kernel-oops/oops/invalid-op", act(o, FL_ACT_INVALID_OP, 0, 0));
    SPOIL(atomic, "decision/kernel-oops/oops/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(sigbus_kernel, "decision/kernel-oops/oops/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(retry_killed_kernel, "decision/kernel-oops/oops/ignored", act(o, FL_ACT_IGNORED, 0, 0));
    SPOIL(fixup, "decision/kernel-fixup/fixup/oops", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(oom_fixup, "decision/kernel-fixup/fixup/oops", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(implicit, "decision/implicit-supervisor/oops/fixup", act(o, FL_ACT_FIXUP, 0, 0));
    SPOIL(implicit, "decision/implicit-supervisor/oops/signal-segv", act(o, FL_ACT_SIGNAL, 11, 1));
    SPOIL(erratum_93, "decision/erratum-93/erratum93/oops", act(o, FL_ACT_OOPS, 0, 0));
    SPOIL(f00f, "decision/f00f/invalid-op/oops", act(o, FL_ACT_OOPS, 0, 0));
}

/* Fields that no signal shows; those that the action does not make valid are zero. */
static void test_fields(void)
{
    SPOIL(fixup, "decision/kernel-fixup/new-ip/new-ip-other", o->new_ip = 1);
    SPOIL(erratum_93, "decision/erratum-93/new-ip/new-ip-other", o->new_ip = KERNEL_IP + 1);
    SPOIL(vsyscall, "decision/vsyscall/new-ip/new-ip-other", o->new_ip++);
    SPOIL(vsyscall, "decision/vsyscall/new-sp/new-sp-other", o->new_sp -= 8);
    SPOIL(read_ok, "decision/mm-minor/screen-bits/screen-bits-other", o->screen_bits = 1);
    SPOIL(maperr, "decision/user-segv/zero/major-garbage", o->major = true);
    SPOIL(maperr, "decision/user-segv/zero/new-ip-garbage", o->new_ip = 7);
    SPOIL(fixup, "decision/kernel-fixup/zero/new-sp-garbage", o->new_sp = 7);
    SPOIL(oops, "decision/kernel-oops/zero/screen-bits-garbage", o->screen_bits = 7);
}

/* ---- effects ---- */

static void test_effects(void)
{
    SPOIL(maperr_if, "effect/irq-restore/once/never", f->irq_calls = 0, o->irq_on = false);
    SPOIL(write_ok, "effect/irq-restore/once/again", f->irq_calls = 2);
    SPOIL(maperr, "effect/irq-bad-area/once/never", f->irq_calls = 0, o->irq_on = false);
    SPOIL(kernel_addr_if, "effect/irq-bad-area/once/never", f->irq_calls = 0, o->irq_on = false);
    SPOIL(oops, "effect/irq-off/never/once", f->irq_calls = 1, o->irq_on = true);
    SPOIL(kprobe, "effect/irq-off/never/once", f->irq_calls = 1, o->irq_on = true);
    SPOIL(oops_if, "decision/irq/reported-on/reported-off", o->irq_on = false);
    SPOIL(oops, "decision/irq/reported-off/reported-on", o->irq_on = true);

    SPOIL(read_ok, "effect/mm-fault/once/again", f->mm_calls = 2);
    SPOIL(retry, "effect/mm-fault/twice/once", f->mm_calls = 1);
    SPOIL(retry, "effect/mm-fault/twice/again", f->mm_calls = 5);
    SPOIL(write_ok, "effect/mm-access/write/read", f->mm_flags[0] ^= FL_MM_WRITE);
    SPOIL(read_ok, "effect/mm-access/read/write", f->mm_flags[0] ^= FL_MM_WRITE);
    SPOIL(read_ok, "effect/mm-user/user/kernel", f->mm_flags[0] ^= FL_MM_USER);
    SPOIL(read_ok, "effect/mm-fetch/data/fetch", f->mm_flags[0] ^= FL_MM_FETCH);
    SPOIL(read_ok, "effect/mm-allow-retry/allowed/not-allowed", f->mm_flags[0] ^= FL_MM_ALLOW_RETRY);
    SPOIL(retry, "effect/mm-allow-retry/not-allowed/allowed", f->mm_flags[1] ^= FL_MM_ALLOW_RETRY);
    SPOIL(retry, "effect/mm-tried/tried/first", f->mm_flags[1] ^= FL_MM_TRIED);
    SPOIL(retry, "effect/mm-tried/first/tried", f->mm_flags[0] ^= FL_MM_TRIED);
    SPOIL(read_ok, "effect/mm-flags/known/unknown", f->mm_flags[0] |= 0x80);
    SPOIL(read_ok, "effect/mm-addr/page-of-cr2/other", f->mm_addr += 0x1000);
    HARMLESS(read_ok, f->mm_addr &= ~UINT64_C(0xfff));
    HARMLESS(maperr, f->mm_addr = 0, f->mm_flags[0] = 0xff);

    SPOIL(grow, "effect/growth/grown/kept", f->grew = false);
    SPOIL(grow, "effect/growth/grown/elsewhere", f->new_start -= 0x1000);
    SPOIL(cushion, "effect/growth/kept/grown", f->grew = true);
    SPOIL(grown_denied, "effect/growth/grown/kept", f->grew = false);
    HARMLESS(read_ok, f->new_start = 5);

    SPOIL(kprobe_idle, "effect/kprobe/once/never", f->kprobes = 0);
    SPOIL(init_waits, "effect/yield/once/never", f->yields = 0);
    SPOIL(oom, "effect/yield/never/once", f->yields = 1);
    SPOIL(retry, "effect/fatal-signal/once/never", f->fatal_asks = 0);
    SPOIL(retry, "effect/fatal-signal/once/again", f->fatal_asks = 2);
    SPOIL(read_ok, "effect/fatal-signal/never/once", f->fatal_asks = 1);
    SPOIL(vsyscall, "effect/vsyscall/once/never", f->vsyscalls = 0);
    SPOIL(vsyscall, "effect/vsyscall-nr/nr/other", f->vsyscall_nr = 2);
    SPOIL(kernel_addr, "effect/vsyscall/never/once", f->vsyscalls = 1);
    SPOIL(vsyscall_no_stack, "effect/vsyscall/never/once", f->vsyscalls = 1);
    SPOIL(vsyscall_fourth, "effect/vsyscall/never/once", f->vsyscalls = 1);
    HARMLESS(kernel_addr, f->vsyscall_nr = 2);

    SPOIL(oops, "effect/die/once/never", f->dies = 0);
    SPOIL(oops, "effect/die/once/again", f->dies = 2);
    SPOIL(read_ok, "effect/die/never/once", f->dies = 1);
    SPOIL(oops, "effect/die-kind/oops/bad-pagetable", f->die = FL_DIE_BAD_PAGETABLE);
    SPOIL(reserved, "effect/die-kind/bad-pagetable/oops", f->die = FL_DIE_OOPS);
    SPOIL(oops, "effect/die-kind/oops/unknown", f->die = 7);
    SPOIL(oops, "effect/die-code/code/other", f->die_code = 2);
}

/* So often more for the address space, by trying and by waiting; every get is given back. */
static void more(struct fl_effects *f, unsigned tries, unsigned takes)
{
    f->lock_tries += tries;
    f->lock_takes += takes;
    f->lock_asks += tries + takes;
    f->lock_gets += tries + takes;
    f->lock_drops += tries + takes;
}

/* Instead of the first one. */
static void wait_instead(struct fl_effects *f)
{
    f->lock_tries--;
    f->lock_takes++;
}

static void try_instead(struct fl_effects *f)
{
    f->lock_takes--;
    f->lock_tries++;
}

static void test_lock_use(void)
{
    SPOIL(oops, "lock/use/taken/not-taken", f->lock_gets = f->lock_drops = 0);
    SPOIL(retry, "lock/use/taken/not-taken", f->lock_gets = f->lock_drops = 0);
    SPOIL(trylock, "lock/use/not-taken/taken", f->lock_gets = f->lock_drops = 1);
    SPOIL(atomic_user, "lock/use/not-taken/taken", f->lock_gets = f->lock_drops = 1);
    SPOIL(kernel_addr, "lock/use/not-taken/taken", f->lock_gets++, f->lock_drops++);
    /* Had again after it was dropped, or less often than there are passes. */
    SPOIL(oops, "lock/use/taken/taken-again", more(f, 0, 1));
    SPOIL(read_ok, "lock/use/taken/taken-again", more(f, 1, 0));
    SPOIL(read_ok, "lock/use/taken/taken-again", more(f, 0, 1));
    SPOIL(maperr, "lock/use/taken/taken-again", more(f, 0, 1));
    SPOIL(retry, "lock/use/taken/taken-again", more(f, 0, 1));
    SPOIL(retry_killed, "lock/use/taken/taken-again", more(f, 0, 1));
    SPOIL(init_waits, "lock/use/taken/taken-again", more(f, 0, 1));
    SPOIL(retry, "lock/use/taken/not-taken-again", f->lock_gets = f->lock_drops = f->lock_tries = 1, f->lock_takes = 0);
    SPOIL(init_waits, "lock/use/taken/not-taken-again", f->lock_gets--, f->lock_drops--, f->lock_takes--);

    /* The first pass tries before it waits. */
    SPOIL(read_ok, "lock/try/once/never", wait_instead(f));
    SPOIL(kernel_read, "lock/try/once/never", wait_instead(f));
    SPOIL(waited, "lock/try/once/never", f->lock_tries = 0);
    SPOIL(waited, "lock/try/once/again", f->lock_tries = 2);
    SPOIL(waited, "lock/try/once/again", try_instead(f)); /* it spins */
    SPOIL(trylock, "lock/try/once/never", f->lock_tries = 0);
    SPOIL(trylock, "lock/try/once/again", f->lock_tries = 2);
    SPOIL(atomic_user, "lock/try/never/once", f->lock_tries = 1); /* and refused */
    SPOIL(kernel_addr, "lock/try/never/once", f->lock_tries = 1);
    SPOIL(oops, "lock/wait/never/once", f->lock_takes = 1);
    SPOIL(waited, "lock/wait/once/never", f->lock_takes = 0);
    SPOIL(fixup_waited, "lock/wait/once/again", f->lock_takes = 2);
    /* The others wait. */
    SPOIL(retry, "lock/try/once/again", try_instead(f));
    SPOIL(retry, "lock/try/once/again", f->lock_tries = 2);
    SPOIL(retry, "lock/try/once/never", wait_instead(f));
    SPOIL(init_waits, "lock/try/once/again", try_instead(f));
    SPOIL(retry, "lock/wait/once/never", f->lock_takes = 0);
    SPOIL(retry, "lock/wait/once/again", f->lock_takes = 2);
    SPOIL(retry_waited, "lock/wait/twice/once", f->lock_takes = 1);
    SPOIL(retry_waited, "lock/wait/twice/again", f->lock_takes = 3);

    SPOIL(maperr, "lock/report/taken/not-taken", f->report_gets = 0, f->lock_gets = f->lock_drops = 1);
    SPOIL(kernel_addr, "lock/report/taken/not-taken", f->report_gets = f->lock_gets = f->lock_drops = 0);
    SPOIL(maperr, "lock/report/taken/taken-again", f->report_gets = 2, f->lock_gets = f->lock_drops = 3);
    SPOIL(atomic_user, "lock/report/not-taken/taken", f->report_gets = f->lock_gets = f->lock_drops = 1);
    SPOIL(sigbus, "lock/report/not-taken/taken", f->report_gets = 1, f->lock_gets = f->lock_drops = 2);
    /* A report tries, once, and never waits. */
    SPOIL(maperr, "lock/report-try/once/never", f->report_tries = 0, f->report_takes = 1);
    SPOIL(maperr, "lock/report-try/once/again", f->report_tries = 2);
    SPOIL(sigbus, "lock/report-try/never/once", f->report_tries = 1);
    SPOIL(report_refused, "lock/report-try/once/never", f->report_tries = 0);
    SPOIL(report_refused, "lock/report-try/once/again", f->report_tries = 2);
    SPOIL(report_refused, "lock/report-wait/never/once", f->report_takes = 1);
    SPOIL(report_refused, "lock/report/not-taken/taken", f->report_gets = 1, f->lock_gets++, f->lock_drops++);
    SPOIL(atomic_user, "lock/report-try/never/once", f->report_tries = 1);
}

static void test_names(void)
{
    static const char *const checks[FL_CHECK_COUNT] = {
        "walk",       "executor",   "decision", "effect",       "lock",    "rewalk",  "progress",     "bound",
        "contract",   "prefetch",   "decoder",  "transparency", "message", "signal",  "interference", "sync",
        "table-read", "generation", "pin",      "perm",         "cow",     "pin-diff"};
    static const char *const actions[FL_ACT_COUNT] = {
        "none",          "handled",  "ignored",      "signal",   "fixup",  "oops",
        "bad-pagetable", "oom-kill", "synced",       "spurious", "kprobe", "invalid-op",
        "erratum93",     "emulated", "fatal-signal", "bug",      "wild"};
    for (unsigned i = 0; i < FL_CHECK_COUNT; i++)
        CHECK(!strcmp(fl_check_name((enum fl_check)i), checks[i]), "check %u", i);
    for (unsigned i = 0; i < FL_ACT_COUNT; i++)
        CHECK(!strcmp(fl_action_name((enum fl_action)i), actions[i]), "action %u", i);
    CHECK(!strcmp(fl_check_name(FL_CHECK_COUNT), "unknown") && !strcmp(fl_action_name(FL_ACT_COUNT), "unknown"), "end");

    static const struct {
        int signo, code;
        const char *name;
    } signals[] = {{11, 1, "signal-maperr"},    {11, 2, "signal-accerr"}, {11, 4, "signal-pkuerr"},
                   {11, 0x80, "signal-kernel"}, {7, 2, "signal-bus"},     {7, 4, "signal-mceerr"},
                   {7, 1, "signal-other"},      {11, 3, "signal-other"},  {4, 1, "signal-other"}};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct fl_outcome o = {.action = FL_ACT_SIGNAL, .signo = signals[i].signo, .si_code = signals[i].code};
        CHECK(!strcmp(fl_outcome_class(&o), signals[i].name), "signal %d %d", signals[i].signo, signals[i].code);
    }

    struct fl_divergence d;
    char buf[9], big[1000];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    fl_divergence_set(&d, FL_CHECK_PROGRESS, "loop", "other", "same", "%s", big);
    CHECK_EQ(strlen(d.detail), sizeof d.detail - 1, "a long detail is cut");
    CHECK_EQ(fl_divergence_key(&d, buf, sizeof buf), strlen("progress/loop/other/same"), "length of a cut key");
    CHECK(!strcmp(buf, "progress"), "cut key %s", buf);
    CHECK_EQ(fl_divergence_key(&d, NULL, 0), strlen("progress/loop/other/same"), "length alone");
}

int main(void)
{
    test_entry();
    test_area();
    test_answer();
    test_ending();
    test_fields();
    test_effects();
    test_lock_use();
    test_names();
    return check_done("policy compare");
}
