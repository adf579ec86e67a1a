/* SPDX-License-Identifier: MIT */
/*
 * Decisions and walks a second, through the vtable. The world behind it answers from constants and keeps no record, so
 * that what is measured is the core: raw faults of several kinds, each beside the target of 5 M decisions/s. The numbers
 * are printed, not judged: they belong to the machine. Decisions that write a text take as long as the text.
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "fake.h"

#include <time.h>

#define TARGET 5.0 /* million decisions/s */

static double now(void)
{
    struct timespec t;

    /* Of the processor, not of the wall: the core waits for nothing, and other processes are not its matter. */
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- a world that costs next to nothing ------------------------------------------------------------------------- */

struct cheap {
    struct fl_vma vma;
    enum fl_mm_result mm[2]; /* in turn */
    unsigned calls;
    bool fixup;
    uint64_t table[8]; /* entry of the page with that number, whatever its index; 1 is CR3, 2 the reference */
    const uint8_t *code;
    uint64_t sink; /* makes each op do something */
};

static bool cheap_read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct cheap *c = ctx;

    (void)size;
    *value = c->table[paddr >> 12 & 7];
    return true;
}

static bool cheap_write_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    struct cheap *c = ctx;

    c->sink += paddr + size + value + (uint64_t)how;
    return true;
}

static bool cheap_probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    const struct cheap *c = ctx;

    (void)user;
    *byte = c->code[linear & 15];
    return true;
}

static void cheap_nothing(void *ctx)
{
    ((struct cheap *)ctx)->sink++;
}

static bool cheap_lock_try(void *ctx)
{
    ((struct cheap *)ctx)->sink++;
    return true;
}

static bool cheap_vma_find(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    struct cheap *c = ctx;

    c->sink += addr;
    *vma = c->vma;
    return true;
}

static enum fl_status cheap_vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now_is)
{
    struct cheap *c = ctx;

    c->sink += generation;
    *now_is = c->vma;
    now_is->start = start;
    return FL_OK;
}

static enum fl_mm_result cheap_mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    struct cheap *c = ctx;

    c->sink += generation + addr + flags;
    return c->mm[c->calls++ & 1];
}

static bool cheap_false(void *ctx)
{
    ((struct cheap *)ctx)->sink++;
    return false;
}

static bool cheap_extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    struct cheap *c = ctx;

    *fixup = ip + 16;
    return c->fixup;
}

static bool cheap_ratelimit(void *ctx, enum fl_limit limit)
{
    ((struct cheap *)ctx)->sink += (uint64_t)limit;
    return true;
}

static void cheap_log(void *ctx, const char *text, size_t n)
{
    ((struct cheap *)ctx)->sink += n + (uint8_t)*text;
}

static void cheap_die(void *ctx, enum fl_die what, uint64_t error_code)
{
    ((struct cheap *)ctx)->sink += error_code + (uint64_t)what;
}

static struct fl_ops cheap_ops(void)
{
    struct fl_ops ops = fake_ops; /* those that no case below calls */

    ops.read_entry = cheap_read_entry;
    ops.write_entry = cheap_write_entry;
    ops.flush_lazy = cheap_nothing;
    ops.probe_byte = cheap_probe_byte;
    ops.irq_enable = cheap_nothing;
    ops.extable = cheap_extable;
    ops.lock_try = cheap_lock_try;
    ops.lock_take = cheap_nothing;
    ops.lock_drop = cheap_nothing;
    ops.vma_find = cheap_vma_find;
    ops.vma_expand = cheap_vma_expand;
    ops.mm_fault = cheap_mm_fault;
    ops.fatal_signal = cheap_false;
    ops.ratelimit = cheap_ratelimit;
    ops.log = cheap_log;
    ops.die = cheap_die;
    return ops;
}

/* ---- the kinds --------------------------------------------------------------------------------------------------- */

static const uint8_t no_prefetch[16] = {0x90};
static const uint8_t prefetch[16] = {0x66, 0x66, 0x0f, 0x18};

static struct cheap plain_world(void)
{
    return (struct cheap){.vma = fake_world().vma, .code = no_prefetch};
}

static void measure(const char *what, struct fl_fault f, struct cheap c, enum fl_action want)
{
    struct fl_ops ops = cheap_ops();
    uint64_t n = 3000000, as_wanted = 0;
    uint64_t cr2 = f.cr2;
    double start = now(), rate;

    for (uint64_t i = 0; i < n; i++) {
        struct fl_outcome out;

        f.cr2 = cr2 ^ (i & 0xf8);
        fl_core()->fault(&f, &ops, &c, &out);
        as_wanted += out.action == want;
    }
    rate = (double)n / (now() - start) / 1e6;
    CHECK_EQ(as_wanted, n, "%s", what);
    printf("%-44s %6.1f M decisions/s   target %.0f%s\n", what, rate, TARGET, rate < TARGET ? ": below" : "");
}

static void bench_user_addresses(void)
{
    struct fl_fault f = fake_fault();
    struct cheap c = plain_world();

    measure("user write, handled", f, c, FL_ACT_HANDLED);
    f.kernel.pku = true;
    f.cpu.cr4 |= 1 << 22;
    f.kernel.fault_retry = true;
    c.mm[0] = FL_MM_RETRY;
    measure("user write, keys, retried, handled", f, c, FL_ACT_HANDLED);
    f = fake_fault();
    c = plain_world();
    f.cr2 = 0x7fd000;
    measure("user write, stack grows", f, c, FL_ACT_HANDLED);
    f = fake_fault();
    c.vma.write = false;
    measure("user write, SIGSEGV", f, c, FL_ACT_SIGNAL);
    c.code = prefetch;
    measure("user write, prefetch", f, c, FL_ACT_IGNORED);
    f = fake_fault32(FL_MODE_PAE);
    measure("user write, prefetch, 32-bit kernel", f, c, FL_ACT_IGNORED);
    c.vma.write = true;
    measure("user write, handled, 32-bit kernel", f, c, FL_ACT_HANDLED);
    f = fake_fault();
    f.regs.cs = 0x10;
    f.error_code = 2;
    c.vma.write = false;
    c.fixup = true;
    measure("kernel write, fixed up", f, c, FL_ACT_FIXUP);
}

static void bench_kernel_addresses(void)
{
    struct fl_fault f = fake_fault();
    struct cheap c = plain_world();

    f.regs.cs = 0x10;
    f.error_code = 0;
    f.cr2 = f.kernel.vmalloc_start;
    memcpy(c.table, (uint64_t[8]){0, 0, 0x3027, 0x4027, 0x5027, 0x6027}, sizeof c.table);
    measure("kernel read, synchronised", f, c, FL_ACT_SYNCED);
    f.error_code = 3;
    f.kernel.spurious_check = true;
    memcpy(c.table, (uint64_t[8]){0, 0x3027, 0, 0x4027, 0x5027, 0x6027}, sizeof c.table);
    measure("kernel write, spurious", f, c, FL_ACT_SPURIOUS);
    f.error_code = 7;
    f.regs.cs = 0x33;
    measure("user write to the kernel, SIGSEGV", f, c, FL_ACT_SIGNAL);
}

static void bench_reports(void)
{
    struct fl_fault f = fake_fault();
    struct cheap c = plain_world();

    f.kernel.show_unhandled = f.task.segv_unhandled = true;
    c.vma.write = false;
    f.cpu.vendor = FL_VENDOR_INTEL;
    measure("user write, SIGSEGV with its line", f, c, FL_ACT_SIGNAL);
    f = fake_fault32(FL_MODE_PAE);
    f.kernel.oops_may_print = true;
    f.cpu.vendor = FL_VENDOR_INTEL;
    f.regs.cs = 0x60;
    f.error_code = 2;
    measure("kernel write, oops with its text, 32-bit", f, c, FL_ACT_OOPS);
}

static void bench_walk(void)
{
    struct fl_cpu cpu = {.mode = FL_MODE_4LEVEL, .maxphyaddr = 40, .efer = 0x800, .cr3 = 0x1000};
    struct cheap c = {.table = {0, 0x2027, 0x3027, 0x4027, 0x5027}};
    struct fl_ops ops = cheap_ops();
    struct fl_access a = {.kind = FL_WRITE, .priv = FL_USER};
    uint64_t n = 4000000, mapped = 0;
    double start = now(), seconds;

    for (uint64_t i = 0; i < n; i++) {
        struct fl_walk w;
        uint32_t code;
        bool faults = true;

        fl_core()->walk(&cpu, &ops, &c, i & 0xfff, &w);
        fl_core()->permits(&cpu, &w, &a, &faults, &code);
        mapped += !faults;
    }
    seconds = now() - start;
    CHECK_EQ(mapped, n, "mapped");
    printf("%-44s %6.1f M/s\n", "walk and permits, 4 levels", (double)n / seconds / 1e6);
}

int main(void)
{
    bench_user_addresses();
    bench_kernel_addresses();
    bench_reports();
    bench_walk();
    return check_done("bench core");
}
