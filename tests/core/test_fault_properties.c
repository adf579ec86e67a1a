/* SPDX-License-Identifier: MIT */
/*
 * What holds for every decision, over random faults, machines, kernels and worlds with every failure switched at random
 * (the same on every machine): locks are balanced and nothing is called where it may not be (fake.h: misuse), interrupts
 * go on at most once, at most 15 probes, fields that the action does not make valid are zero, mm_fault is only asked for
 * a VMA that holds the address, each action is one that its fault can have, and nothing is remembered.
 */
#include "check.h"
#include "fake.h"

#define VSYSCALL 0xffffffffff600000u

static uint64_t state = 1;

static uint64_t below(uint64_t n)
{
    return check_random(&state) % n;
}

static bool one_in(uint64_t n)
{
    return below(n) == 0;
}

static unsigned count(const struct fake *k, char letter)
{
    unsigned n = 0;

    for (unsigned i = 0; i < k->ntrace; i++)
        n += k->trace[i] == letter;
    return n;
}

/* Where the letter stands first; past the end: nowhere. */
static size_t first(const struct fake *k, const char *letters)
{
    return strcspn(k->trace, letters);
}

static void random_kernel(struct fl_fault *f)
{
    do
        f->kernel.generation = (uint8_t)below(FL_GEN_COUNT);
    while (!(f->cpu.mode == FL_MODE_5LEVEL ? f->kernel.generation == FL_GEN_CURRENT
             : f->cpu.mode == FL_MODE_4LEVEL
                 ? f->kernel.generation != FL_GEN_2008_32 && f->kernel.generation != FL_GEN_2014_PV32
                 : f->kernel.generation != FL_GEN_2008_64 && f->kernel.generation != FL_GEN_2014_PV64));
    f->kernel.fault_retry = below(2);
    f->kernel.spurious_check = below(2);
    f->kernel.smap = one_in(4);
    f->kernel.no_user_fetch = below(2);
    f->kernel.pku = below(2);
    f->kernel.f00f_bug = below(2);
    f->kernel.vsyscall_emulation = below(4);
    f->kernel.vsyscall = f->kernel.word == 8 && below(4) ? VSYSCALL : 0;
    f->kernel.show_unhandled = below(2);
    f->kernel.oops_may_print = below(2);
    f->kernel.guard_gap = below(3) << 12;
}

static void random_task(struct fl_fault *f)
{
    f->task.pid = (uint32_t)below(4);
    f->task.has_mm = below(8);
    f->task.in_nmi = one_in(16);
    f->task.in_atomic = f->task.in_nmi || one_in(8);
    f->task.faults_disabled = one_in(8);
    f->task.kprobe_running = one_in(8);
    f->task.segv_unhandled = below(2);
    f->task.ldt_entries = (uint16_t)below(9);
    f->task.stack_limit = below(4) ? UINT64_MAX : below(0x4000);
    f->task.as_limit = below(4) ? UINT64_MAX : below(0x4000);
}

static uint64_t random_kernel_address(const struct fl_fault *f)
{
    switch (below(5)) {
    case 0: return f->kernel.idt + 40 + below(24);
    case 1: return f->kernel.word == 8 ? VSYSCALL + (below(4) ? below(5) << 10 : below(4200)) : f->kernel.vmalloc_end;
    case 2: return f->kernel.word == 8 ? check_random(&state) | f->kernel.task_size : UINT32_MAX - below(0x40000000);
    default: return f->kernel.vmalloc_start + below(0x3000);
    }
}

static struct fl_fault random_fault(void)
{
    static const uint8_t widths[] = {16, 32, 64};
    static const uint16_t selectors[] = {0x33, 0x33, 0x33, 0x10, 0x10, 0x10, 0x23, 0x0f, 0x3f, 0x24};
    enum fl_mode mode = (enum fl_mode)below(FL_MODE_COUNT);
    struct fl_fault f = mode <= FL_MODE_PAE ? fake_fault32(mode) : fake_fault();

    f.cpu.mode = (uint8_t)mode;
    f.cpu.vendor = (uint8_t)below(FL_VENDOR_COUNT);
    f.cpu.cr4 |= check_random(&state) & (1 << 20 | 1 << 21 | 1 << 22);
    f.cpu.efer ^= one_in(4) ? 0x800 : 0;
    f.cpu.pkru = (uint32_t)below(16);
    random_kernel(&f);
    random_task(&f);
    f.codeseg.bits = below(4) ? 64 : widths[below(3)];
    f.codeseg.limit = below(2) ? UINT32_MAX : 0x400000 + (uint32_t)below(16);
    f.regs.cs = selectors[below(sizeof selectors / sizeof *selectors)];
    f.regs.flags = check_random(&state) & (mode <= FL_MODE_PAE ? 0x60202 : 0x40202);
    f.regs.gpr[FL_RSP] = 0x7f0000 + below(0x20000);
    f.cr2 = one_in(3) ? random_kernel_address(&f) : 0x7fb000 + below(0x6000);
    if (one_in(8)) {
        f.cr2 = f.regs.ip = 0x80200000 + below(4);
    } else if (one_in(3)) {
        f.regs.ip = f.cr2;
    }
    f.error_code = check_random(&state) & (below(4) ? 0x37 : below(4) ? 0x3f : UINT32_MAX);
    if (f.cr2 >= f.kernel.task_size && one_in(4))
        f.error_code = below(2) ? 3 : 0x11;
    if (f.kernel.vsyscall && one_in(32)) {
        f.cr2 = f.regs.ip = f.kernel.vsyscall + (below(4) << 10);
        f.error_code = 0x15;
    }
    return f;
}

/* Tables of random entries, most of them of the kind that leads on: every walk of every mode goes through 0x1000 to
 * 0x6fff, and ends sooner or later. */
static void random_tables(struct fake *k)
{
    static const uint64_t ends[] = {0x1000, 0x5000, UINT64_C(1) << 40};
    static const unsigned slots[] = {0, 8, 16, 24, 32, 388 * 8, 511 * 8, 0xf80, 0xf84, 0xf88};

    if (one_in(4))
        return;
    k->nentries = 48;
    for (unsigned i = 0; i < k->nentries; i++)
        k->entry[i] = (struct fake_entry){
            .paddr = (1 + below(6)) << 12 | slots[below(sizeof slots / sizeof *slots)],
            .value = (1 + below(7)) << 12 | (below(8) ? 0x21 : 0) | (below(4) ? 2 : 0) | (one_in(8) ? 0x80 : 0),
        };
    k->ram_end = one_in(4) ? ends[below(3)] : ends[2];
    k->lazy = below(2);
}

static void random_world(const struct fl_fault *f, struct fake *k)
{
    static const uint8_t bytes[] = {0x66, 0xf0, 0x48, 0x0f, 0x18, 0x0d, 0x26, 0x90};
    static const enum fl_mm_result plain[] = {FL_MM_MINOR, FL_MM_MAJOR, FL_MM_SIGBUS, FL_MM_HWPOISON_LARGE};

    random_tables(k);
    k->kprobe_claims = below(2);
    k->refuse_try = (unsigned)(below(4) & below(4));
    k->no_vma = one_in(8);
    k->vma.read = below(2);
    k->vma.write = below(4);
    k->vma.growsdown = below(4);
    k->vma.pkey = (uint8_t)below(3);
    k->vma.prev_end = below(4) ? 0x7fb000 : 0;
    if (one_in(2))
        k->code_vma = (struct fl_vma){.start = 0x400000, .end = 0x401000, .backing = (uint8_t)below(2)};
    k->expand = (enum fl_status)below(FL_FAILED + 1);
    k->nmm = FAKE_MM;
    for (unsigned i = 0; i + 1 < k->nmm; i++)
        k->mm[i] = (enum fl_mm_result)below(FL_MM_COUNT + 2);
    k->mm[k->nmm - 1] = plain[below(4)]; /* memory is found in the end */
    k->fatal = one_in(4);
    k->has_fixup = below(2);
    k->has_word = below(2);
    k->word_at = f->regs.gpr[FL_RSP];
    k->word = check_random(&state);
    k->vsyscall_fails = below(2);
    for (unsigned i = 0; i < FAKE_LDT; i++)
        k->ldt[i] = below(2) ? check_random(&state) : 0x00affb000000ffff;
    for (unsigned i = 0; i < FL_LIMIT_COUNT; i++)
        k->limited[i] = below(2);
    k->symbol = below(2) ? "do_it+0x1/0x2" : NULL;
    k->file = "a.out";
    k->code_at = f->regs.ip;
    k->ncode = (unsigned)below(FAKE_BYTES + 1);
    for (unsigned i = 0; i < k->ncode; i++)
        k->code[i] = bytes[below(sizeof bytes)];
    k->fail_probe = below(4) ? UINT32_MAX : (unsigned)below(16);
    k->user_only = below(2);
}

static void check_calls(const struct fl_fault *f, const struct fake *k, const struct fl_outcome *o)
{
    bool kernel_address = f->cr2 >= f->kernel.task_size, dies;

    CHECK(!k->misuse, "%s, trace %s", k->misuse, k->trace);
    CHECK(!k->locked && !k->pgd_locked, "trace %s", k->trace);
    CHECK_EQ(count(k, 't') + count(k, 'T'), count(k, 'd') + count(k, 's'), "trace %s", k->trace);
    CHECK_EQ(count(k, 'i'), o->irq_on, "trace %s", k->trace);
    CHECK(count(k, 's') <= 1, "one retry, trace %s", k->trace);
    CHECK(count(k, 'm') <= count(k, 's') + count(k, 'y') + 1, "trace %s", k->trace);
    CHECK(f->task.pid == 1 || !count(k, 'y'), "trace %s", k->trace);
    CHECK(k->probes <= 15, "%u probes", k->probes);
    CHECK(count(k, 'k') <= 1 && count(k, 'L') <= 2 && count(k, 'u') <= 1 && count(k, 'V') <= 1 && count(k, 'R') <= 1,
          "trace %s", k->trace);
    CHECK(!count(k, '(') && !count(k, 'n'), "the list of page tables is sync_all's, trace %s", k->trace);
    if (kernel_address) {
        CHECK(!count(k, 'm') && !count(k, 'T'), "trace %s", k->trace);
        CHECK(first(k, "tf") >= first(k, "R"), "the lock is a report's, trace %s", k->trace);
    } else {
        CHECK(!k->nwrites && !k->nflushes && !count(k, 'N'), "trace %s", k->trace);
        if (f->regs.flags & 0x200)
            CHECK(first(k, "i") <= first(k, "tfT"), "interrupts on before the lock, trace %s", k->trace);
    }
    if (f->error_code & 13)
        CHECK(!k->nwrites && !k->nflushes, "nothing can be missing, trace %s", k->trace);
    dies = o->action == FL_ACT_OOPS || o->action == FL_ACT_BAD_PAGETABLE;
    CHECK_EQ(count(k, 'D'), dies, "trace %s", k->trace);
    if (dies)
        CHECK(k->die_code == f->error_code &&
                  k->die_what == (o->action == FL_ACT_OOPS ? FL_DIE_OOPS : FL_DIE_BAD_PAGETABLE),
              "trace %s", k->trace);
    if (o->action == FL_ACT_HANDLED || o->action == FL_ACT_SYNCED || o->action == FL_ACT_BUG ||
        o->action == FL_ACT_WILD)
        CHECK_EQ(k->nlog, 0, "trace %s, log \"%s\"", k->trace, k->log);
}

static void check_fields(const struct fl_fault *f, const struct fake *k, const struct fl_outcome *o)
{
    bool signal = o->action == FL_ACT_SIGNAL, forced = signal && o->si_code == 0x80;
    bool thread = (signal && !forced) || o->action == FL_ACT_OOPS || o->action == FL_ACT_BAD_PAGETABLE;
    bool leaves = o->action == FL_ACT_FIXUP || o->action == FL_ACT_ERRATUM93 || o->action == FL_ACT_EMULATED;
    uint64_t code = f->error_code | (signal && f->cr2 >= f->kernel.task_size);

    CHECK_EQ(o->thread_valid, thread, "action %u", o->action);
    CHECK_EQ(o->thread_cr2, thread ? f->cr2 : 0, "action %u", o->action);
    CHECK_EQ(o->thread_error_code, thread ? code : 0, "action %u", o->action);
    CHECK_EQ(o->thread_trap_no, thread ? 14 : 0, "action %u", o->action);
    CHECK_EQ(o->si_addr, signal && !forced ? f->cr2 : 0, "action %u", o->action);
    switch (o->signo) {
    case 11:
        CHECK(signal && (o->si_code == 1 || o->si_code == 2 || o->si_code == 4 || forced), "code %d", o->si_code);
        break;
    case 7: CHECK(signal && (o->si_code == 2 || o->si_code == 4), "code %d", o->si_code); break;
    default: CHECK(!signal && o->signo == 0 && o->si_code == 0, "action %u", o->action); break;
    }
    CHECK(o->si_pkey == 0 || (o->signo == 11 && o->si_code == 4 && o->si_pkey == k->vma.pkey), "pkey %u", o->si_pkey);
    CHECK_EQ(o->si_addr_lsb != 0, o->signo == 7 && o->si_code == 4, "lsb %u", o->si_addr_lsb);
    CHECK(leaves || o->new_ip == 0, "action %u", o->action);
    CHECK_EQ(o->new_sp, o->action == FL_ACT_EMULATED ? f->regs.gpr[FL_RSP] + 8 : 0, "action %u", o->action);
    CHECK(!o->major || o->action == FL_ACT_HANDLED, "action %u", o->action);
    CHECK(!o->screen_bits || (o->action == FL_ACT_HANDLED && (f->regs.flags & 0x20000)), "action %u", o->action);
}

/* Which faults can have which action. */
static void check_action(const struct fl_fault *f, const struct fake *k, const struct fl_outcome *o)
{
    bool user = f->error_code & 4, user_regs = (f->regs.cs & 3) == 3 || (f->regs.flags & 0x20000);
    bool kernel_address = f->cr2 >= f->kernel.task_size;
    enum fl_mm_result last = k->mm[k->mm_calls ? k->mm_calls - 1 : 0];

    switch (o->action) {
    case FL_ACT_HANDLED:
        CHECK(!kernel_address && k->mm_calls && (last == FL_MM_MINOR || last == FL_MM_MAJOR), "trace %s", k->trace);
        break;
    case FL_ACT_SIGNAL: CHECK(user, "trace %s", k->trace); break;
    case FL_ACT_OOM_KILL: CHECK(user && last == FL_MM_OOM && f->task.pid != 1, "trace %s", k->trace); break;
    case FL_ACT_FATAL_SIGNAL: CHECK(user && k->fatal && count(k, 's'), "trace %s", k->trace); break;
    case FL_ACT_EMULATED: CHECK(user && user_regs && f->cr2 == f->regs.ip && k->word == o->new_ip, "vsyscall"); break;
    case FL_ACT_IGNORED: CHECK(user || !user_regs, "trace %s", k->trace); break;
    case FL_ACT_FIXUP: CHECK(!user && !user_regs && o->new_ip == k->fixup, "trace %s", k->trace); break;
    case FL_ACT_ERRATUM93: CHECK(!user && !user_regs && o->new_ip >> 32 == UINT32_MAX, "trace %s", k->trace); break;
    case FL_ACT_OOPS: CHECK(!user, "trace %s", k->trace); break;
    case FL_ACT_BAD_PAGETABLE: CHECK(!kernel_address && (f->error_code & 9) == 9, "trace %s", k->trace); break;
    case FL_ACT_SYNCED:
    case FL_ACT_BUG:
    case FL_ACT_WILD: CHECK(kernel_address && !(f->error_code & 13), "trace %s", k->trace); break;
    case FL_ACT_SPURIOUS: CHECK(kernel_address && (f->error_code == 3 || f->error_code == 0x11), "spurious"); break;
    case FL_ACT_KPROBE: CHECK(!user_regs && strcmp(k->trace, "k") == 0, "trace %s", k->trace); break;
    case FL_ACT_INVALID_OP: CHECK(!user && kernel_address && f->kernel.word == 4, "trace %s", k->trace); break;
    default: CHECK(false, "action %u", o->action); break;
    }
}

int main(void)
{
    static struct fake k, twin;
    uint64_t seen[FL_ACT_COUNT] = {0};

    for (unsigned i = 0; i < 150000; i++) {
        struct fl_fault f = random_fault();
        struct fl_outcome out, again;

        k = fake_world();
        random_world(&f, &k);
        twin = k;
        CHECK_EQ(fl_core()->fault(&f, &fake_ops, &k, &out), FL_OK, "case %u", i);
        CHECK(k.ntrace + 1 < sizeof k.trace, "case %u: the whole trace was kept", i);
        check_calls(&f, &k, &out);
        check_fields(&f, &k, &out);
        check_action(&f, &k, &out);
        if (out.action < FL_ACT_COUNT)
            seen[out.action]++;
        CHECK_EQ(fl_core()->fault(&f, &fake_ops, &twin, &again), FL_OK, "case %u", i);
        CHECK(out.action == again.action && strcmp(k.trace, twin.trace) == 0 && strcmp(k.log, twin.log) == 0,
              "case %u: no memory between calls", i);
    }
    for (unsigned action = FL_ACT_NONE + 1; action < FL_ACT_COUNT; action++)
        CHECK(seen[action] >= 50, "action %u only %" PRIu64 " times", action, seen[action]);
    return check_done("fault properties");
}
