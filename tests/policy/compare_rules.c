/* SPDX-License-Identifier: MIT */
/*
 * The rules that hold whatever is decided: contract, lock balance, bound on instruction bytes, table reads; and the prefetch
 * answer. Each fires for its own seeded difference, with the key that is written here, and for nothing else.
 */
#include "answer.h"

#include <faultline/oracle/sync.h>

FAULT(read_ok, (void)0)
FAULT(write_ok, s->error_code |= W, s->regs.flags |= 0x200)
FAULT(maperr, s->cr2 = NOWHERE)
FAULT(maperr_if, s->cr2 = NOWHERE, s->regs.flags |= 0x200)
FAULT(maperr_fetch, s->cr2 = NOWHERE, s->error_code |= I)
FAULT(maperr_intel, s->cr2 = NOWHERE, s->cpu.vendor = FL_VENDOR_INTEL)
FAULT(oops, s->cr2 = NOWHERE, answer_kernel(a))
FAULT(oops_vsyscall, oops(a), s->regs.ip = VSYSCALL - 2)
FAULT(sigbus, s->mm_result[0] = FL_MM_SIGBUS)
FAULT(atomic_user, s->task.in_atomic = true)
FAULT(kernel_addr, s->cr2 = IN_KERNEL)
FAULT(kernel_addr_if, s->cr2 = IN_KERNEL, s->regs.flags |= 0x200)
FAULT(kprobe, s->cr2 = NOWHERE, answer_kernel(a), s->task.kprobe_running = true)
FAULT(kprobe_user, s->cr2 = NOWHERE, s->task.kprobe_running = true)
FAULT(synced, answer_vmalloc(a))
FAULT(edge_of_space, s->cr2 = NOWHERE, s->regs.ip = s->kernel.task_size - 2)
FAULT(ldt, s->cr2 = NOWHERE, s->regs.cs = 7, s->task.ldt_entries = 1, a->ldt[0] = UINT64_C(0x00cffa000000ffff))
FAULT(ldt_beyond, ldt(a), s->regs.cs = 15)
/* A 32-bit kernel, code segments of every kind. */
FAULT(narrow, s->kernel.word = 4, s->cpu.mode = FL_MODE_PAE, s->kernel.task_size = 0xc0000000, s->cr2 = NOWHERE,
      s->codeseg.bits = 32, s->kernel.vsyscall = 0)
FAULT(narrow_limit, narrow(a), s->codeseg.limit = (uint32_t)USER_IP + 1)
/* base + ip goes round at 4 GiB: the window is 0xfffffffe..0x0000000c. */
FAULT(narrow_round, narrow(a), s->codeseg.base = UINT64_C(0xfffffffe) - USER_IP,
      s->kernel.task_size = UINT64_C(1) << 32)

static void test_contract(void)
{
    SPOIL(kprobe, "contract/kprobe/first/late", f->kprobe_late = true);
    SPOIL(kprobe, "contract/kprobe/once/again", f->kprobes = 2);
    SPOIL(kprobe_user, "contract/kprobe/never/asked", f->kprobes = 1);
    SPOIL(read_ok, "contract/kprobe/never/asked", f->kprobes = 1, f->kprobe_late = true);
    SPOIL(read_ok, "contract/mm-lock/locked/unlocked", f->lock_missing = true);
    SPOIL(read_ok, "contract/vma-generation/current/stale", f->stale_generation = true);
    SPOIL(maperr, "contract/ldt/inside/outside", f->ldt_outside = true);
    SPOIL(read_ok, "contract/pgd-lock/never/used", f->pgd_gets = f->pgd_drops = 1);
    SPOIL(read_ok, "contract/pgd-lock/never/used", f->pgd_drops = 1);
    SPOIL(read_ok, "contract/pgd-lock/never/used", f->pgd_missing = true);
    SPOIL(read_ok, "contract/pgd-lock/never/used", f->pgd_held = true);
    SPOIL(maperr, "contract/probe-byte/unlocked/locked", f->locked_call = true, f->locked_op = "probe-byte");
    SPOIL(oops, "contract/extable/unlocked/locked", f->locked_call = true, f->locked_op = "extable");
    SPOIL(oops, "contract/op/unlocked/locked", f->locked_call = true);
    SPOIL(maperr, "contract/irq-enable/unlocked/locked", f->irq_locked = true);
    HARMLESS(maperr, f->locked_op = "log");
}

static void test_order(void)
{
    SPOIL(write_ok, "contract/irq-restore/before-lock/after-lock", f->irq_late = true);
    SPOIL(maperr_if, "contract/irq-restore/before-lock/after-lock", f->irq_late = true);
    SPOIL(maperr, "contract/irq-bad-area/after-lock/before-lock", f->irq_late = false);
    SPOIL(atomic_user, "contract/irq-bad-area/before-report/after-report", f->irq_late = true);
    SPOIL(kernel_addr, "contract/irq-bad-area/before-report/after-report", f->irq_late = true);
    SPOIL(kernel_addr_if, "contract/irq-bad-area/before-report/after-report", f->irq_late = true);
    HARMLESS(atomic_user, (void)0); /* no lock, so no order */
    HARMLESS(kernel_addr_if, (void)0);
    SPOIL(oops, "effect/irq-off/never/once", f->irq_calls = 1, f->irq_late = true, o->irq_on = true);
    SPOIL(maperr_if, "effect/irq-restore/once/never", f->irq_calls = 0, f->irq_late = true);
}

static void test_locks(void)
{
    SPOIL(read_ok, "lock/take/free/held", f->lock_deadlock = true);
    SPOIL(sigbus, "lock/exit/free/held", f->lock_held_at_exit = true, f->lock_drops = 0);
    SPOIL(sigbus, "lock/balance/equal/more-gets", f->lock_drops = 0);
    SPOIL(sigbus, "lock/balance/equal/more-drops", f->lock_drops = 2);
    /* What follows from a broken rule is not a second finding. */
    SPOIL(read_ok, "contract/mm-lock/locked/unlocked", f->lock_missing = true, o->action = FL_ACT_OOPS);
    SPOIL(read_ok, "lock/exit/free/held", f->lock_held_at_exit = true, f->lock_drops = 0, o->major = true);
}

/* n reads, all but the last at the first address. */
static void probed(struct fl_effects *f, uint64_t from, uint64_t to, unsigned n)
{
    f->probes = n;
    for (unsigned i = 0; i < n && i < FL_EFFECTS_PROBES; i++)
        f->probe_at[i] = i + 1 == n ? to : from;
}
#define BY_USER(from, to, n)   probed(f, from, to, n), f->probe_user = true
#define BY_KERNEL(from, to, n) probed(f, from, to, n), f->probe_kernel = true

static void test_bounds(void)
{
    const uint64_t ip = USER_IP, last = UINT64_C(0xffffffff), round = UINT64_C(0xfffffffe);
    HARMLESS(maperr, BY_USER(ip, ip + 14, 15));
    SPOIL(maperr, "bound/window/inside/outside", BY_USER(ip, ip + 15, 15));
    SPOIL(maperr, "bound/window/inside/outside", BY_USER(ip - 1, ip + 3, 4));
    SPOIL(maperr, "bound/window/inside/outside", BY_USER(ip, ip + 14, 16));
    SPOIL(maperr, "bound/accessor/user/kernel", BY_KERNEL(ip, ip, 1));
    SPOIL(maperr, "bound/accessor/user/kernel", BY_USER(ip, ip, 1), f->probe_kernel = true);
    SPOIL(oops, "bound/accessor/kernel/user", BY_USER(KERNEL_IP, KERNEL_IP, 1));
    HARMLESS(oops, BY_KERNEL(KERNEL_IP, KERNEL_IP + 14, 15));
    SPOIL(maperr_intel, "bound/reason/no-reads/reads", BY_USER(ip, ip, 1));
    SPOIL(maperr_fetch, "bound/reason/no-reads/reads", BY_USER(ip, ip, 1));
    HARMLESS(maperr_intel, (void)0);

    /* The last bytes of user space, of the kernel's before the vsyscall page, and of the segment. */
    SPOIL(edge_of_space, "bound/segment/inside/outside", BY_USER(a->s.regs.ip, a->s.kernel.task_size, 3));
    HARMLESS(edge_of_space, BY_USER(a->s.regs.ip, a->s.kernel.task_size - 1, 2));
    SPOIL(oops_vsyscall, "bound/vsyscall-page/not-read/read", BY_KERNEL(VSYSCALL - 2, VSYSCALL, 3));
    HARMLESS(oops_vsyscall, BY_KERNEL(VSYSCALL - 2, VSYSCALL - 1, 2));
    SPOIL(narrow_limit, "bound/segment/inside/outside", BY_USER(ip, ip + 2, 3));
    HARMLESS(narrow_limit, BY_USER(ip, ip + 1, 2));
    HARMLESS(narrow_round, BY_USER(0, last, 3));
    SPOIL(narrow_round, "bound/window/inside/outside", BY_USER(round, last + 1, 3));
    SPOIL(narrow_round, "bound/window/inside/outside", BY_USER(0xd, last, 2));
    /* Between the two ends of a window that goes round lies the whole address space. */
    SPOIL(narrow_round, "bound/window/inside/outside", BY_USER(0, last, 3), f->probe_at[1] = 0x80000000);

    /* Segments in the LDT: flat, and not there at all. */
    HARMLESS(ldt, BY_USER(ip, ip + 14, 15));
    SPOIL(ldt, "bound/window/inside/outside", BY_USER(ip, ip + 15, 15));
    SPOIL(ldt_beyond, "bound/segment/inside/outside", BY_USER(ip, ip, 1));
}

static void test_table_reads(void)
{
    const unsigned slot = (VMALLOC >> 39 & 511) * 8;
    /* Where the walks pass: both roots, and what the reference names. */
    HARMLESS(synced, f->reads = 5, f->read_at[0] = ANSWER_REFERENCE + slot, f->read_at[1] = 0x3000,
             f->read_at[2] = 0x4000, f->read_at[3] = 0x5000, f->read_at[4] = ANSWER_ROOT + slot);
    HARMLESS(oops, f->reads = 1, f->read_at[0] = ANSWER_ROOT);
    SPOIL(synced, "table-read/place/table/elsewhere", f->reads = 2, f->read_at[0] = 0x3000, f->read_at[1] = 0x6000);
    SPOIL(synced, "table-read/place/table/elsewhere", f->reads = 1, f->read_at[0] = 0x5008);
    /* Inside the page that a leaf maps, which looks like a table. */
    SPOIL(synced, "table-read/place/table/elsewhere", a->ram[0x4000 / 8] |= 0x80, f->reads = 1, f->read_at[0] = 0x5000);
    /* The last one that is recorded, and more than are. */
    SPOIL(synced, "table-read/place/table/elsewhere", f->reads = FL_EFFECTS_READS,
          memset(f->read_at, 0, sizeof f->read_at));
    SPOIL(synced, "table-read/count/bounded/too-many", f->reads = FL_EFFECTS_READS + 1;
          for (unsigned i = 0; i < FL_EFFECTS_READS; i++) f->read_at[i] = ANSWER_ROOT + slot);
    /* Only what is right by default is held to it. */
    HARMLESS(synced, a->s.kernel.generation = FL_GEN_2008_64, f->reads = 1, f->read_at[0] = 0x6000);
}

static void test_prefetch(void)
{
    static struct answer a;
    struct fl_divergence d;
    struct fl_effects none = {0}, far = {.calls = 1, .probes = 1, .probe_at = {USER_IP + 16}, .probe_user = true},
                      other = {.calls = 2, .probes = 1, .probe_at = {USER_IP}, .probe_user = true};
    answer_make(&a, maperr);
    CHECK(!fl_compare_prefetch(&a.s, true, true, &none, &d), "equal");
    CHECK(!fl_compare_prefetch(&a.s, false, false, &none, &d), "equal");
    CHECK(fl_compare_prefetch(&a.s, true, false, &none, &d), "missed");
    expect_key(&d, "prefetch/rule/ignored/not-ignored", "missed");
    CHECK(fl_compare_prefetch(&a.s, false, true, &none, &d), "taken for one");
    expect_key(&d, "prefetch/rule/not-ignored/ignored", "taken for one");
    CHECK(fl_compare_prefetch(&a.s, true, true, &far, &d), "read too far");
    expect_key(&d, "bound/window/inside/outside", "read too far");
    CHECK(fl_compare_prefetch(&a.s, true, true, &other, &d), "another op");
    expect_key(&d, "contract/prefetch/probes-only/other-op", "another op");
    other.calls = 1;
    CHECK(!fl_compare_prefetch(&a.s, true, true, &other, &d), "one probe");
    a.s.cpu.vendor = FL_VENDOR_INTEL;
    CHECK(fl_compare_prefetch(&a.s, false, false, &other, &d), "read without a reason");
    expect_key(&d, "bound/reason/no-reads/reads", "read without a reason");

    /* The LDT may be asked once, where the selector is one in it. */
    answer_make(&a, ldt);
    other.calls = 2;
    CHECK(!fl_compare_prefetch(&a.s, true, true, &other, &d), "a look at the LDT");
    other.calls = 3;
    CHECK(fl_compare_prefetch(&a.s, true, true, &other, &d), "two");
    expect_key(&d, "contract/prefetch/probes-only/other-op", "two");
    other.calls = 2;
    other.ldt_outside = true;
    CHECK(fl_compare_prefetch(&a.s, true, true, &other, &d), "beyond the LDT");
    expect_key(&d, "contract/ldt/inside/outside", "beyond the LDT");
}

int main(void)
{
    test_contract();
    test_order();
    test_locks();
    test_bounds();
    test_table_reads();
    test_prefetch();
    return check_done("policy compare rules");
}
