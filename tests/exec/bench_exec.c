/* SPDX-License-Identifier: MIT */
/*
 * Cycles per second of the Unicorn executor, against bare loops written straight against Unicorn in the same run:
 *  - access: tables rewritten, context restored, TLB flushed, one translated instruction, #PF caught;
 *  - new bytes: the same with instruction bytes that were never seen, through run().
 * The bare loops do the least that is right; nothing is decided from what they see.
 *
 *     bench_exec [cycles] [rounds]
 *     bench_exec memory CYCLES      only: is resident memory flat over so many cycles?
 *
 * Rounds alternate, and the ratio is that of the best rounds, so that load on the machine does not decide it. Exits with
 * 1 when a ratio is below 0.8 or resident memory grows; with one round (the smoke test) only when it does not run.
 */
#include "check.h"
#include "fixture.h"

#include <time.h>
#include <unicorn/unicorn.h>

#define FAULT_VA  0x40000000ull
#define CODE_SPAN 0x1000u

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long total = 0, pages = 0;

    if (f != NULL) {
        if (fscanf(f, "%lu %lu", &total, &pages) != 2)
            pages = 0;
        fclose(f);
    }
    return pages * 4096ull;
}

/* The tables of a case: code pages and the path to an absent page, 4 levels from 0x1000. */
static void write_tables(uint8_t *ram, uint64_t i)
{
    uint64_t *t = (uint64_t *)(void *)ram;
    memset(ram + 0x1000, 0, 0x5000);
    t[0x1000 / 8] = 0x2007;
    t[0x2000 / 8] = 0x3007;
    t[0x2000 / 8 + (FAULT_VA >> 30)] = 0x4007;
    t[0x3000 / 8 + (CODE_VA >> 21 & 511)] = 0x6007;
    t[0x4000 / 8] = 0x5007;
    t[0x5000 / 8 + (i & 511)] = 0x300006; /* not present */
}

static const uint8_t load[] = {0x8a, 0x07, 0xcc};                               /* mov al,[rdi]; int3 */
static const uint8_t fresh_load[] = {0x8a, 0x87, 0x00, 0x00, 0x00, 0x00, 0xcc}; /* mov al,[rdi+disp32]; int3 */

static void fresh_bytes(uint8_t *code, uint64_t i)
{
    uint32_t disp = (uint32_t)(i * 2654435761u) & 0xfff;
    uint32_t high = (uint32_t)(i & 0xff) << 12;
    memcpy(code, fresh_load, sizeof fresh_load);
    disp |= high;
    memcpy(code + 2, &disp, 4);
}

/* ---- bare
 * -------------------------------------------------------------------------------------------------------- */

struct bare {
    uc_engine *uc;
    uc_context *start;
    uint8_t *ram;
    uint64_t faults;
};

static void bare_interrupt(uc_engine *uc, uint32_t vector, void *user)
{
    struct bare *b = user;
    uint64_t cr2;

    uc_reg_read(uc, UC_X86_REG_CR2, &cr2);
    b->faults += vector == 14 && cr2 - FAULT_VA < 0x200000;
    uc_emu_stop(uc);
}

static void bare_open(struct bare *b)
{
    uint64_t cr4 = 0x20, cr3 = 0x1000, cr0 = 0x80010001, rdi = FAULT_VA;
    uc_x86_msr efer = {.rid = 0xc0000080, .value = 0x500};
    uc_hook hook;

    b->ram = mmap(NULL, 4u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool ok = b->ram != MAP_FAILED && !uc_open(UC_ARCH_X86, UC_MODE_64, &b->uc) &&
              !uc_ctl_set_tcg_buffer_size(b->uc, 16u << 20) && !uc_ctl_exits_enable(b->uc) &&
              !uc_mem_map_ptr(b->uc, 0, 4u << 20, UC_PROT_ALL, b->ram) &&
              !uc_hook_add(b->uc, &hook, UC_HOOK_INTR, (void *)(uintptr_t)bare_interrupt, b, 1, 0) &&
              !uc_reg_write(b->uc, UC_X86_REG_CR4, &cr4) && !uc_reg_write(b->uc, UC_X86_REG_MSR, &efer) &&
              !uc_reg_write(b->uc, UC_X86_REG_CR3, &cr3) && !uc_reg_write(b->uc, UC_X86_REG_CR0, &cr0) &&
              !uc_reg_write(b->uc, UC_X86_REG_RDI, &rdi) && !uc_context_alloc(b->uc, &b->start) &&
              !uc_context_save(b->uc, b->start);
    if (!ok) {
        fprintf(stderr, "the bare engine does not open\n");
        exit(1);
    }
    b->faults = 0;
}

static double bare_access(struct bare *b, uint64_t n)
{
    double start = seconds();

    memcpy(b->ram + CODE_PA, load, sizeof load);
    uint64_t before = b->faults;
    for (uint64_t i = 0; i < n; i++) {
        write_tables(b->ram, i);
        ((uint64_t *)(void *)b->ram)[0x6000 / 8] = CODE_PA | 7;
        uc_context_restore(b->uc, b->start);
        uc_ctl_flush_tlb(b->uc);
        uc_emu_start(b->uc, CODE_VA, 0, 0, 0);
    }
    CHECK_EQ(b->faults - before, n, "bare access");
    return (double)n / (seconds() - start);
}

/* Rotating slots over many pages; a slot's old translation is dropped before it is used again. */
static double bare_fresh(struct bare *b, uint64_t n)
{
    double start = seconds();
    uint64_t before = b->faults;

    for (uint64_t i = 0; i < n; i++) {
        unsigned slot = (unsigned)(i * 16 % CODE_SPAN);
        fresh_bytes(b->ram + CODE_PA + slot, i);
        write_tables(b->ram, i);
        ((uint64_t *)(void *)b->ram)[0x6000 / 8] = CODE_PA | 7;
        uc_context_restore(b->uc, b->start);
        uc_ctl_flush_tlb(b->uc);
        uc_ctl_remove_cache(b->uc, CODE_VA + slot, CODE_VA + slot + 16);
        uc_emu_start(b->uc, CODE_VA + slot, 0, 0, 0);
        /* As full as the executor lets its buffer become. */
        if (i % 2300 == 2299)
            uc_ctl_flush_tb(b->uc);
    }
    CHECK_EQ(b->faults - before, n, "bare new bytes");
    return (double)n / (seconds() - start);
}

/* ---- through the executor
 * ---------------------------------------------------------------------------------------- */

static struct fl_exec_result r;

static double through_access(struct fixture *f, uint64_t n)
{
    struct fl_cpu cpu = fixture_cpu(FL_MODE_4LEVEL);
    uint64_t faults = 0;
    double start = seconds();

    for (uint64_t i = 0; i < n; i++) {
        struct fl_access a = {FAULT_VA + (i & 511) * 0x1000, FL_READ, FL_USER, false};
        write_tables(f->ram.base, i);
        ((uint64_t *)(void *)f->ram.base)[0x6000 / 8] = CODE_PA | 7;
        f->ex->access(f->ex, &cpu, &a, &r);
        faults += r.end == FL_END_FAULT && r.error_code == 4 && r.cr2 == a.va;
    }
    CHECK_EQ(faults, n, "access");
    return (double)n / (seconds() - start);
}

static bool decline(void *ctx, uint64_t cr2, uint32_t code, struct fl_regs *regs)
{
    (void)ctx;
    (void)cr2;
    (void)code;
    (void)regs;
    return false;
}

static double through_run(struct fixture *f, uint64_t n)
{
    struct fl_cpu cpu = fixture_cpu(FL_MODE_4LEVEL);
    struct fl_regs regs = {.flags = 0x202, .cs = 0x33, .ss = 0x2b};
    struct fl_codeseg cs = {0, 0xffffffff, 64};
    struct fl_exec_limits limits = {64, 16};
    uint64_t faults = 0;
    double start = seconds();

    regs.gpr[FL_RDI] = FAULT_VA;
    for (uint64_t i = 0; i < n; i++) {
        unsigned slot = (unsigned)(i * 16 % CODE_SPAN);
        fresh_bytes(f->ram.base + CODE_PA + slot, i);
        write_tables(f->ram.base, i);
        ((uint64_t *)(void *)f->ram.base)[0x6000 / 8] = CODE_PA | 7;
        regs.ip = CODE_VA + slot;
        f->ex->run(f->ex, &cpu, &regs, &cs, &limits, decline, NULL, &r);
        faults += r.end == FL_END_FAULT && r.cr2 - FAULT_VA < 0x200000;
    }
    CHECK_EQ(faults, n, "run");
    return (double)n / (seconds() - start);
}

static double best(double a, double b)
{
    return a > b ? a : b;
}

static int only_memory(uint64_t cycles)
{
    struct fixture f;

    fixture_open(&f, 4u << 20);
    through_access(&f, 1000);
    through_run(&f, 50000);
    uint64_t before = resident();
    for (unsigned i = 0; i < 10; i++) {
        through_access(&f, cycles / 20);
        through_run(&f, cycles / 20);
    }
    uint64_t after = resident();
    printf("resident memory: %.1f MiB before, %.1f MiB after %" PRIu64 " cycles\n", (double)before / 1048576,
           (double)after / 1048576, cycles);
    CHECK(after < before + (4u << 20), "resident memory grows");
    fixture_close(&f);
    return check_done("exec memory");
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "memory") == 0)
        return only_memory(strtoull(argv[2], NULL, 0));
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : 200000;
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 5;
    double bare_a = 0, our_a = 0, bare_f = 0, our_f = 0;
    struct bare bare;
    struct fixture f;

    bare_open(&bare);
    fixture_open(&f, 4u << 20);
    /* Both code buffers have been filled once before memory is measured. */
    bare_fresh(&bare, n < 50000 ? n : 50000);
    through_run(&f, n < 50000 ? n : 50000);
    uint64_t before = resident();
    for (unsigned i = 0; i < rounds; i++) {
        bare_a = best(bare_a, bare_access(&bare, n));
        our_a = best(our_a, through_access(&f, n));
        bare_f = best(bare_f, bare_fresh(&bare, n / 4));
        our_f = best(our_f, through_run(&f, n / 4));
    }
    uint64_t after = resident();
    printf("unicorn %s\n", f.ex->version);
    printf("access:    bare %.0f/s, executor %.0f/s, ratio %.2f\n", bare_a, our_a, our_a / bare_a);
    printf("new bytes: bare %.0f/s, executor %.0f/s, ratio %.2f\n", bare_f, our_f, our_f / bare_f);
    printf("resident memory: %.1f MiB before, %.1f MiB after %" PRIu64 " cycles\n", (double)before / 1048576,
           (double)after / 1048576, rounds * (2 * n + n / 2));
    if (rounds > 1) {
        CHECK(our_a >= 0.8 * bare_a, "access is too slow");
        CHECK(our_f >= 0.8 * bare_f, "new bytes are too slow");
        CHECK(after < before + (4u << 20), "resident memory grows");
    }
    fixture_close(&f);
    uc_context_free(bare.start);
    uc_close(bare.uc);
    munmap(bare.ram, 4u << 20);
    return check_done("exec bench");
}
