/* SPDX-License-Identifier: MIT */
/*
 * Every row of the deviation list fires on a case of its own, and does not cover what the processor would have answered
 * in the same case. A row that no longer fires (a newer Unicorn is right) fails here and has to go.
 */
#include "check.h"
#include "fixture.h"

#include <faultline/oracle/arch.h>

#define EDGE     0x800000000000ull
#define BYTES(s) s, sizeof(s) - 1

static struct program p;
static uint64_t fired[64];

/* One instruction of 64-bit code at CPL 3, and what the processor does with it. */
static const struct run_case {
    const char *row, *bytes;
    size_t n;
    uint64_t rdi, rsp;
    bool ro_first; /* DATA_VA's first page is there, read-only; else absent (with rw_first: writable) */
    bool rw_first;
    uint8_t arch_kind, vector; /* FL_ARCH_PF: code and cr2; FL_ARCH_GP: the vector */
    uint32_t code;
    uint64_t cr2;
} runs[] = {
    {"rmw-reads-first", BYTES("\x48\xff\x07"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA},     /* inc */
    {"rmw-reads-first", BYTES("\xf0\x48\xff\x07"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA}, /* lock inc */
    {"rmw-reads-first", BYTES("\x48\x87\x07"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA},     /* xchg */
    {"rmw-reads-first", BYTES("\x48\x0f\xb1\x0f"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA}, /* cmpxchg */
    {"rmw-reads-first", BYTES("\x48\x0f\xab\x07"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA}, /* bts */
    {"rmw-reads-first", BYTES("\x48\x0f\xc1\x07"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA}, /* xadd */
    {"rmw-reads-first", BYTES("\x0f\xc7\x0f"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA},     /* cmpxchg8b */
    {"rmw-reads-first", BYTES("\x48\xd3\x27"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA},     /* shl */
    {"rmw-reads-first", BYTES("\x80\x0f\x01"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, DATA_VA},     /* or */
    {"rmw-crossing-second-page", BYTES("\x48\xff\x07"), DATA_VA + 0xffc, STACK_VA, 1, 0, FL_ARCH_PF, 14, 7,
     DATA_VA + 0xffc},
    {"stack-noncanonical-gp", BYTES("\x50"), 0, 1ull << 63, 0, 0, FL_ARCH_GP, 12, 0, 0},             /* push */
    {"stack-noncanonical-gp", BYTES("\xc9"), 0, STACK_VA, 0, 0, FL_ARCH_GP, 12, 0, 0},               /* leave */
    {"stack-noncanonical-gp", BYTES("\x48\x8b\x04\x24"), 0, 1ull << 63, 0, 0, FL_ARCH_GP, 12, 0, 0}, /* mov rax,[rsp] */
    {"stack-noncanonical-gp", BYTES("\x48\x8b\x45\x00"), 0, STACK_VA, 0, 0, FL_ARCH_GP, 12, 0, 0},   /* mov rax,[rbp] */
    {"across-canonical-edge", BYTES("\x48\x8b\x07"), EDGE - 4, STACK_VA, 0, 0, FL_ARCH_GP, 13, 0, 0},
    {"across-canonical-edge", BYTES("\x48\x89\x07"), EDGE - 4, STACK_VA, 0, 0, FL_ARCH_GP, 13, 0, 0},
    {"branch-noncanonical-ip", BYTES("\xff\xe7"), 1ull << 63, STACK_VA, 0, 0, FL_ARCH_GP, 13, 0, 0}, /* jmp rdi */
    {"branch-noncanonical-ip", BYTES("\xff\xd7"), 1ull << 63, STACK_VA, 0, 0, FL_ARCH_GP, 13, 0, 0}, /* call rdi */
    {"movaps-alignment", BYTES("\x0f\x28\x07"), DATA_VA + 8, STACK_VA, 0, 0, FL_ARCH_GP, 13, 0, 0},
    {"movaps-alignment", BYTES("\x0f\x29\x07"), DATA_VA + 8, STACK_VA, 0, 0, FL_ARCH_GP, 13, 0, 0},
    {"movaps-alignment", BYTES("\x0f\x28\x07"), DATA_VA + 8, STACK_VA, 1, 0, FL_ARCH_GP, 13, 0, 0},
    {"clflush-silent", BYTES("\x0f\xae\x3f"), DATA_VA, STACK_VA, 0, 0, FL_ARCH_PF, 14, 4, DATA_VA},
    {"wide-store-partial", BYTES("\x0f\x11\x07"), DATA_VA + 0xff8, STACK_VA, 0, 1, FL_ARCH_PF, 14, 6, DATA_VA + 0x1000},
    {"wide-store-partial", BYTES("\x0f\xae\x07"), DATA_VA + 0xff0, STACK_VA, 0, 1, FL_ARCH_PF, 14, 6, DATA_VA + 0x11ef},
    {"enter-no-probe", BYTES("\xc8\x00\x40\x00"), 0, STACK_VA, 0, 0, FL_ARCH_PF, 14, 6, STACK_VA - 0x4008},
    {"far-return-as-supervisor", BYTES("\x48\xcf"), 0, STACK_VA + 0x1000, 0, 0, FL_ARCH_PF, 14, 4, STACK_VA + 0x1000},
    {"icebp-invalid", BYTES("\xf1"), 0, STACK_VA, 0, 0, FL_ARCH_OK, 1, 0, 0},
};

static void fires(const struct fl_deviation_case *c, const char *row, const char *what)
{
    size_t n;
    const struct fl_deviation *rows = fl_deviation_rows(&n), *got = fl_deviation_find("unicorn", c);

    CHECK(got != NULL && strcmp(got->id, row) == 0, "%s: the row is %s, expected %s", what, got ? got->id : "none",
          row);
    if (got != NULL)
        fired[got - rows]++;
    CHECK(fl_deviation_find("kvm", c) == NULL, "%s: a row of another executor", row);
}

static unsigned seen_of(const char *id)
{
    size_t n;
    const struct fl_deviation *rows = fl_deviation_rows(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].id, id) == 0)
            return rows[i].seen;
    return 0;
}

static void run_rows(struct fixture *f)
{
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const struct run_case *t = &runs[i];
        program_begin(&p, f, 64, true);
        program_code(&p, t->bytes, t->n);
        p.regs.gpr[FL_RDI] = t->rdi;
        p.regs.gpr[FL_RSP] = t->rsp;
        p.regs.gpr[FL_RBP] = 1ull << 63;
        p.decline = true;
        if (t->ro_first || t->rw_first)
            fixture_map(f, &p.cpu, DATA_VA, DATA_PA, t->ro_first ? 0x25 : PAGE_FLAGS);
        CHECK_EQ(program_run(&p), FL_EXEC_OK, "%s %zu: %s", t->row, i, p.r.reason ? p.r.reason : "");

        struct fl_deviation_case c = {.cpu = &p.cpu,
                                      .insn = (const uint8_t *)t->bytes,
                                      .insn_len = t->n,
                                      .bits = 64,
                                      .cr2 = p.r.cr2,
                                      .error_code = p.r.error_code,
                                      .arch_kind = t->arch_kind,
                                      .arch_code = t->code,
                                      .result = &p.r};
        fires(&c, t->row, "run");
        CHECK((seen_of(t->row) & FL_SEEN_RUN) != 0, "%s: is seen by run()", t->row);

        /* What the processor does is no deviation. */
        p.r.end = t->vector == 14 ? FL_END_FAULT : FL_END_EXCEPTION;
        p.r.vector = t->vector;
        p.r.regs.ip = CODE_VA;
        p.r.nstores = 0;
        c.cr2 = t->cr2;
        c.error_code = t->code;
        CHECK(fl_deviation_find("unicorn", &c) == NULL, "%s %zu covers what the processor does", t->row, i);
        /* Nor is a plain load or store excused in its stead. */
        p.r.end = FL_END_FAULT;
        c.insn = (const uint8_t *)"\x48\x8b\x0f";
        c.insn_len = 3;
        c.cr2 = DATA_VA + 0x123;
        c.error_code = t->code ^ 1;
        CHECK(fl_deviation_find("unicorn", &c) == NULL, "%s %zu excuses a plain load", t->row, i);
    }
}

static void eip(struct fixture *f)
{
    program_begin(&p, f, 32, true);
    p.regs.ip = 0xfffffff0;
    fixture_map(f, &p.cpu, 0xfffff000, CODE_PA, PAGE_FLAGS);
    fixture_map(f, &p.cpu, 0, CODE_PA + 0x1000, PAGE_FLAGS);
    memset(f->ram.base + CODE_PA, 0x90, 0x1000);
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "EIP wraps");
    struct fl_deviation_case c = {
        .cpu = &p.cpu, .insn = (const uint8_t *)"\x90", .insn_len = 1, .bits = 32, .result = &p.r};
    fires(&c, "linear-no-wrap", "run");
    CHECK_EQ(seen_of("linear-no-wrap"), FL_SEEN_FAULT | FL_SEEN_RUN, "linear-no-wrap: where it is seen");
    p.r.regs.ip = 1;
    CHECK(fl_deviation_find("unicorn", &c) == NULL, "a wrapped EIP is no deviation");
}

/* Rows of walks: tables by hand, arch's answer from the arch walk. */
static void walk_row(struct fixture *f, const char *row, uint8_t mode, uint8_t vendor, unsigned level, uint64_t bits,
                     bool only_accessed)
{
    static struct fl_exec_result r;
    struct fl_cpu cpu = fixture_cpu(mode);
    struct fl_access a = {0x12345678, FL_READ, FL_USER, false};
    struct fl_arch_result want;

    memset(f->ram.base, 0, 0x10000);
    f->next_table = 0x2000;
    cpu.vendor = vendor;
    fixture_map(f, &cpu, a.va, 0x300000, PAGE_FLAGS);
    /* The tables of one address follow each other from the root at 0x1000. */
    unsigned top = mode == FL_MODE_PAE ? 3 : mode == FL_MODE_4LEVEL ? 4 : 5;
    uint64_t index = a.va >> (12 + 9 * (level - 1)) & 511, entry;
    uint8_t *at = f->ram.base + 0x1000 + 0x1000ull * (top - level) + index * 8;
    memcpy(&entry, at, 8);
    entry |= bits;
    memcpy(at, &entry, 8);

    CHECK_EQ(fl_arch_walk(&cpu, &a, fixture_read, f, &want), FL_OK, "%s", row);
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_OK, "%s", row);
    struct fl_deviation_case c = {.cpu = &cpu,
                                  .access = &a,
                                  .bits = 64,
                                  .cr2 = r.cr2,
                                  .error_code = r.error_code,
                                  .arch_kind = want.kind,
                                  .arch_code = want.error_code,
                                  .arch_level = want.level,
                                  .arch_entry = want.entry,
                                  .result = &r};
    if (only_accessed) {
        uint64_t after;
        memcpy(&after, at, 8);
        CHECK(after != entry, "%s: the accessed bit is not set", row);
    } else {
        CHECK(r.end != (want.kind == FL_ARCH_GP ? FL_END_EXCEPTION : FL_END_FAULT) || r.error_code != want.error_code,
              "%s: no difference", row);
    }
    fires(&c, row, "walk");
    /* The other vendor, or an ordinary entry: no excuse. */
    if (!only_accessed) {
        cpu.vendor = (uint8_t)!vendor;
        CHECK(fl_deviation_find("unicorn", &c) == NULL, "%s excuses the other vendor", row);
        cpu.vendor = vendor;
    }
    /* The same tables under a run that faulted: the judge finds the rows that say so. */
    c.access = NULL;
    r.end = FL_END_FAULT;
    const struct fl_deviation *found = fl_deviation_find("unicorn", &c);
    CHECK_EQ(found != NULL, (seen_of(row) & FL_SEEN_FAULT) != 0, "%s: at a fault of a run", row);
    CHECK((seen_of(row) & FL_SEEN_ACCESS) != 0, "%s: is seen by access()", row);
    c.access = &a;
    c.arch_kind = FL_ARCH_OK;
    CHECK(fl_deviation_find("unicorn", &c) == NULL, "%s excuses a difference where arch sees no fault", row);
}

int main(void)
{
    struct fixture f;
    size_t n;
    const struct fl_deviation *rows = fl_deviation_rows(&n);

    CHECK(n <= 64, "too many rows for this test");
    fixture_open(&f, 4u << 20);
    run_rows(&f);
    eip(&f);
    walk_row(&f, "pae-pdpte-on-demand", FL_MODE_PAE, FL_VENDOR_INTEL, 3, 1ull << 52, false);
    walk_row(&f, "pae-pdpte-on-demand", FL_MODE_PAE, FL_VENDOR_INTEL, 3, 1ull << 5, false);
    walk_row(&f, "pae-pdpte-low-bits", FL_MODE_PAE, FL_VENDOR_AMD, 3, 1ull << 5, false);
    walk_row(&f, "amd-upper-global", FL_MODE_4LEVEL, FL_VENDOR_AMD, 4, 1ull << 8, false);
    walk_row(&f, "amd-upper-global", FL_MODE_5LEVEL, FL_VENDOR_AMD, 5, 1ull << 8, false);
    walk_row(&f, "large-pdpte-accessed-early", FL_MODE_4LEVEL, FL_VENDOR_INTEL, 3, 1ull << 7 | 1ull << 14, true);
    for (size_t i = 0; i < n; i++) {
        CHECK(fired[i] != 0, "row %s never fired", rows[i].id);
        CHECK(rows[i].reason[0] != 0 && rows[i].source[0] != 0, "row %s without reason or source", rows[i].id);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(rows[i].id, rows[k].id) != 0, "row %s twice", rows[i].id);
    }
    fixture_close(&f);
    return check_done("exec deviations");
}
