/* SPDX-License-Identifier: MIT */
/* Guest memory, tables and an executor for the tests of this folder. */
#ifndef FAULTLINE_TESTS_EXEC_FIXTURE_H
#define FAULTLINE_TESTS_EXEC_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <faultline/oracle/exec.h>

struct fixture {
    struct fl_ram ram;
    struct fl_executor *ex;
    uint64_t next_table; /* physical address of the next free table frame */
};

static inline void fixture_open(struct fixture *f, uint64_t size)
{
    char why[256] = "";

    f->ram.size = size;
    f->ram.base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (f->ram.base == MAP_FAILED) {
        fprintf(stderr, "no memory for the guest\n");
        exit(1);
    }
    enum fl_status status = fl_unicorn_open(&f->ram, &f->ex, why);
    if (status == FL_UNSUPPORTED) {
        printf("skipped: %s\n", why);
        exit(77);
    }
    if (status != FL_OK) {
        fprintf(stderr, "fl_unicorn_open: %d %s\n", status, why);
        exit(1);
    }
}

static inline void fixture_close(struct fixture *f)
{
    f->ex->close(f->ex);
    munmap(f->ram.base, f->ram.size);
}

static inline bool fixture_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct fixture *f = ctx;
    uint64_t v = 0;

    if (paddr > f->ram.size - size)
        return false;
    memcpy(&v, f->ram.base + paddr, size);
    *value = v;
    return true;
}

/* A processor with everything that the executor has, NX and write protection enabled, root table at 0x1000.
 * */
static inline struct fl_cpu fixture_cpu(uint8_t mode)
{
    struct fl_cpu cpu = {.mode = mode,
                         .maxphyaddr = 40,
                         .pse36 = true,
                         .page1gb = true,
                         .family = 6,
                         .cr0 = 0x80010001,
                         .cr3 = 0x1000,
                         .efer = 0x800};

    if (mode >= FL_MODE_PAE)
        cpu.cr4 |= 1 << 5;
    if (mode >= FL_MODE_4LEVEL)
        cpu.efer |= 0x500;
    if (mode == FL_MODE_5LEVEL)
        cpu.cr4 |= 1 << 12;
    return cpu;
}

/* Maps the page of va to the frame of paddr by the tables at cr3; flags as in the last entry. Tables are
 * taken from next_table on. */
static inline void fixture_map(struct fixture *f, const struct fl_cpu *cpu, uint64_t va, uint64_t paddr, uint64_t flags)
{
    static const unsigned tops[FL_MODE_COUNT] = {2, 3, 4, 5};
    unsigned size = cpu->mode == FL_MODE_2LEVEL ? 4 : 8, bits = size == 4 ? 10 : 9;
    uint64_t table = cpu->cr3;

    for (unsigned level = tops[cpu->mode]; level >= 1; level--) {
        uint64_t index = va >> (12 + bits * (level - 1)) & ((1u << bits) - 1), entry = 0;
        uint8_t *at = f->ram.base + table + index * size;
        if (cpu->mode == FL_MODE_PAE && level == 3)
            at = f->ram.base + table + (va >> 30 & 3) * 8;
        memcpy(&entry, at, size);
        if (level == 1) {
            entry = (paddr & ~0xfffull) | flags;
        } else if (!(entry & 1)) {
            entry = f->next_table | (cpu->mode == FL_MODE_PAE && level == 3 ? 1 : 7);
            f->next_table += 0x1000;
        }
        memcpy(at, &entry, size);
        table = entry & 0xfffffff000;
    }
}

/* ---- runs
 * ------------------------------------------------------------------------------------------------------- */

#define CODE_VA    0x10000000ull
#define CODE_PA    0x200000ull
#define DATA_VA    0x20000000ull
#define DATA_PA    0x300000ull
#define STACK_VA   0x30000000ull
#define STACK_PA   0x380000ull
#define PAGE_FLAGS 0x67ull /* present, writable, user, accessed, dirty */

/* A program: two pages of code at CODE_VA, two of stack below STACK_VA; data pages are the test's. */
struct program {
    struct fixture *f;
    struct fl_cpu cpu;
    struct fl_regs regs;
    struct fl_codeseg cs;
    struct fl_exec_limits limits;
    struct fl_exec_result r;
    /* Faults, in order, and how they are repaired: the data page of the address is mapped with these flags.
     * */
    struct {
        uint64_t cr2, ip;
        uint32_t code;
    } fault[256];
    unsigned nfaults;
    bool decline;
    uint64_t repair_flags;
};

static inline void program_begin(struct program *p, struct fixture *f, unsigned bits, bool user)
{
    memset(p, 0, sizeof *p);
    memset(f->ram.base, 0, 0x100000);
    memset(f->ram.base + CODE_PA, 0xcc, 0x3000);
    memset(f->ram.base + DATA_PA, 0, 0x40000);
    f->next_table = 0x2000;
    p->f = f;
    p->cpu = fixture_cpu(bits == 64 ? FL_MODE_4LEVEL : FL_MODE_PAE);
    p->limits = (struct fl_exec_limits){64, 16};
    p->cs = (struct fl_codeseg){0, 0xffffffff, (uint8_t)bits};
    p->regs.ip = CODE_VA;
    p->regs.flags = 0x202;
    p->regs.cs = user ? 0x33 : 0x10;
    p->regs.ss = p->regs.ds = p->regs.es = user ? 0x2b : 0x18;
    p->regs.gpr[FL_RSP] = STACK_VA;
    p->repair_flags = PAGE_FLAGS;
    fixture_map(f, &p->cpu, CODE_VA, CODE_PA, PAGE_FLAGS);
    fixture_map(f, &p->cpu, CODE_VA + 0x1000, CODE_PA + 0x1000, PAGE_FLAGS);
    fixture_map(f, &p->cpu, STACK_VA - 0x1000, STACK_PA, PAGE_FLAGS);
    fixture_map(f, &p->cpu, STACK_VA - 0x2000, STACK_PA - 0x1000, PAGE_FLAGS);
}

static inline void program_code(struct program *p, const char *bytes, size_t n)
{
    memcpy(p->f->ram.base + CODE_PA + (p->regs.ip - CODE_VA), bytes, n);
}
#define PROGRAM_CODE(p, text) program_code(p, text, sizeof(text) - 1)

static inline bool program_fault(void *ctx, uint64_t cr2, uint32_t code, struct fl_regs *regs)
{
    struct program *p = ctx;

    p->fault[p->nfaults].cr2 = cr2;
    p->fault[p->nfaults].code = code;
    p->fault[p->nfaults++].ip = regs->ip;
    if (p->decline)
        return false;
    if (cr2 - CODE_VA < 0x10000)
        fixture_map(p->f, &p->cpu, cr2, CODE_PA + (cr2 - CODE_VA), p->repair_flags);
    else if (cr2 - DATA_VA < 0x20000)
        fixture_map(p->f, &p->cpu, cr2, DATA_PA + (cr2 - DATA_VA), p->repair_flags);
    else if (STACK_VA - cr2 <= 0x4000)
        fixture_map(p->f, &p->cpu, cr2, STACK_PA + 0x1000 - (STACK_VA - cr2), p->repair_flags);
    else
        return false;
    return true;
}

static inline enum fl_exec_status program_run(struct program *p)
{
    return p->f->ex->run(p->f->ex, &p->cpu, &p->regs, &p->cs, &p->limits, program_fault, p, &p->r);
}

#endif
