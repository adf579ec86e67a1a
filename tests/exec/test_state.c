/* SPDX-License-Identifier: MIT */
/* The processor's state in a run: instructions that would change or read what a case does not hold are refused; the digest
 * of vector registers; the flags over a fault. */
#include "check.h"
#include "fixture.h"

#define BYTES(s) s, sizeof(s) - 1

static struct program p;

static uint64_t data64(struct fixture *f, uint64_t offset)
{
    uint64_t v;
    memcpy(&v, f->ram.base + DATA_PA + offset, 8);
    return v;
}

static void expect_done(enum fl_exec_status status, unsigned faults, const char *what)
{
    CHECK_EQ(status, FL_EXEC_OK, "%s: %s", what, p.r.reason ? p.r.reason : "");
    CHECK_EQ(p.r.end, FL_END_DONE, "%s: vector %u cr2 %#" PRIx64 " ip %#" PRIx64, what, p.r.vector, p.r.cr2,
             p.r.regs.ip);
    CHECK_EQ(p.r.faults, faults, "%s: faults", what);
    CHECK_EQ(p.nfaults, faults, "%s: calls", what);
}

/* Whatever the privilege level and the prefixes. */
static void refused_instructions(struct fixture *f)
{
    static const struct {
        const char *bytes, *reason; /* NULL: it runs */
        unsigned bits;
    } cases[] = {
        {"\x0f\x31\x89\x07", "RDTSC", 64},
        {"\x48\x0f\x31", "RDTSC", 64},
        {"\x0f\x31", "RDTSC", 32},
        {"\x0f\x01\xf9", "RDTSCP", 64},
        {"\x0f\x33", "RDPMC", 64},
        {"\x0f\xc7\xf0", "RDRAND", 64},
        {"\x48\x0f\xc7\xf7", "RDRAND", 64},
        {"\x0f\xc7\xf8", "RDSEED and RDPID", 64},
        {"\xf3\x0f\xc7\xf8", "RDSEED and RDPID", 64},
        {"\x0f\xc7\x1f", "XRSTORS", 64},
        {"\x0f\x22\xd8\x89\x07", "writes of control registers", 64}, /* mov cr3, rax */
        {"\x41\x0f\x22\xe0", "writes of control registers", 64},     /* mov cr4, r8 */
        {"\x0f\x20\xd0", "reads of control registers", 64},          /* mov rax, cr2 */
        {"\x0f\x30\x89\x07", "WRMSR", 64},
        {"\x0f\x32", "RDMSR", 64},
        {"\x0f\x06", "CLTS", 64},
        {"\x0f\x01\xf0", "LMSW", 64}, /* lmsw ax */
        {"\x0f\x01\x37", "LMSW", 64}, /* lmsw [rdi] */
        {"\x0f\x01\xef", "WRPKRU", 64},
        {"\x0f\xae\x2f", "XRSTOR", 64},
        {"\x48\x0f\xae\x2f", "XRSTOR", 64},
        {"\x0f\x01\x17", "LGDT", 64},
        {"\x0f\x01\x1f", "LIDT", 64},
        {"\x0f\x01\x1f", "LIDT", 32},
        {"\x0f\x01\x1f", "LIDT", 16},
        {"\x0f\x0b", NULL, 64},         /* ud2 */
        {"\x0f\xaf\xc0\x90", NULL, 64}, /* imul eax, eax */
        {"\x0f\xae\xe8", NULL, 64},     /* lfence: /5, register form */
        {"\x0f\x01\x3f", NULL, 64},     /* invlpg [rdi] */
        {"\x0f\x01\x27", NULL, 64},     /* smsw [rdi] */
        {"\x0f\x01\x07", NULL, 64},     /* sgdt [rdi] */
        {"\x0f\xc7\x0f", NULL, 64},     /* cmpxchg8b [rdi] */
        {"\x0f\xa2", NULL, 64},         /* cpuid */
        {"\x0f\x09", NULL, 64},         /* wbinvd */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned user = 0; user < 2; user++) {
            program_begin(&p, f, cases[i].bits, user);
            if (cases[i].bits == 16) {
                p.cs.base = CODE_VA - 0x100;
                p.regs.ip = 0x100;
            }
            memcpy(f->ram.base + CODE_PA, "\x90", 1);
            memcpy(f->ram.base + CODE_PA + 1, cases[i].bytes, strlen(cases[i].bytes));
            p.regs.gpr[FL_RDI] = p.regs.gpr[FL_RBX] = DATA_VA;
            enum fl_exec_status status = program_run(&p);
            if (cases[i].reason != NULL) {
                CHECK_EQ(status, FL_EXEC_UNSUPPORTED, "%s (%zu)", cases[i].reason, i);
                CHECK(p.r.reason != NULL && strcmp(p.r.reason, cases[i].reason) == 0, "%s (%zu): \"%s\"",
                      cases[i].reason, i, p.r.reason ? p.r.reason : "");
            } else {
                CHECK_EQ(status, FL_EXEC_OK, "case %zu: %s", i, p.r.reason ? p.r.reason : "");
            }
        }
    }
}

static uint64_t fpu_after(struct fixture *f, const char *code, size_t n, bool absent)
{
    program_begin(&p, f, 64, true);
    program_code(&p, code, n);
    memset(f->ram.base + DATA_PA, 0x3f, 0x100);
    p.regs.gpr[FL_RDI] = DATA_VA;
    if (!absent)
        fixture_map(f, &p.cpu, DATA_VA, DATA_PA, PAGE_FLAGS);
    expect_done(program_run(&p), absent, "vector registers");
    return p.r.fpu_digest;
}

/* The digest tells runs apart that leave other vector, x87 or status registers, and only those. */
static void vector_registers(struct fixture *f)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool same; /* as after nothing */
    } cases[] = {
        {BYTES("\x8a\x07"), true},                              /* mov al, [rdi] */
        {BYTES("\x0f\x10\x07"), false},                         /* movups xmm0, [rdi] */
        {BYTES("\x44\x0f\x10\x3f"), false},                     /* movups xmm15, [rdi] */
        {BYTES("\x0f\x16\x0f"), false},                         /* movhps xmm1, [rdi]: the upper half */
        {BYTES("\xdd\x07"), false},                             /* fld m64 */
        {BYTES("\x0f\x6f\x3f"), false},                         /* movq mm7, [rdi] */
        {BYTES("\xd9\x2f\x8a\x07"), false},                     /* fldcw [rdi] */
        {BYTES("\x0f\xae\x1f\x0f\xae\x17\x8a\x07"), true},      /* stmxcsr [rdi]; ldmxcsr [rdi] */
        {BYTES("\xc7\x07\x80\x9f\x00\x00\x0f\xae\x17"), false}, /* mov dword [rdi], 0x9f80; ldmxcsr [rdi] */
    };
    uint64_t nothing = fpu_after(f, "\x90", 1, false), seen[sizeof cases / sizeof cases[0]];

    CHECK(nothing != 0, "there is a digest");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        seen[i] = fpu_after(f, cases[i].bytes, cases[i].n, false);
        CHECK_EQ(seen[i] == nothing, cases[i].same, "vector case %zu", i);
        CHECK_EQ(fpu_after(f, cases[i].bytes, cases[i].n, true), seen[i], "vector case %zu after a fault", i);
        for (size_t k = 0; k < i; k++)
            CHECK(seen[i] != seen[k] || (cases[i].same && cases[k].same), "vector cases %zu and %zu", i, k);
    }
    CHECK_EQ(fpu_after(f, "\x90", 1, false), nothing, "a run leaves nothing to the next");
}

/* A fault leaves the flags of the instruction before, also where the engine worked them out for the one that faults. */
static void flags_over_faults(struct fixture *f)
{
    static const struct {
        const char *what, *bytes;
        size_t n;
    } cases[] = {
        {"sete", BYTES("\x48\x39\xd0\x0f\x94\x07")},    /* cmp rax, rdx; sete [rdi] */
        {"setb", BYTES("\x48\x39\xd0\x0f\x92\x07")},    /* cmp rax, rdx; setb [rdi] */
        {"setg", BYTES("\x48\x29\xd0\x0f\x9f\x07")},    /* sub rax, rdx; setg [rdi] */
        {"adc", BYTES("\x48\x39\xd0\x48\x11\x07")},     /* cmp rax, rdx; adc [rdi], rax */
        {"sbb", BYTES("\x48\x01\xd0\x48\x19\x07")},     /* add rax, rdx; sbb [rdi], rax */
        {"inc", BYTES("\x48\x39\xd0\x48\xff\x07")},     /* cmp rax, rdx; inc qword [rdi] */
        {"rcl", BYTES("\x48\x39\xd0\x48\xd1\x17")},     /* cmp rax, rdx; rcl qword [rdi], 1 */
        {"pushf", BYTES("\x48\x39\xd0\x9c")},           /* cmp rax, rdx; pushf */
        {"cmpxchg", BYTES("\x48\x39\xd0\x0f\xb0\x0f")}, /* cmp rax, rdx; cmpxchg [rdi], cl */
    };
    static const uint64_t values[] = {0, 1, 0xff, 1ull << 63, ~0ull, 0x5678};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned k = 0; k < 36; k++) {
            uint64_t flags[3] = {0}, data[3] = {0};
            for (unsigned how = 0; how < 3; how++) { /* mapped, absent, read-only */
                program_begin(&p, f, 64, true);
                program_code(&p, cases[i].bytes, cases[i].n);
                p.regs.gpr[FL_RDI] = DATA_VA;
                p.regs.gpr[FL_RSP] = DATA_VA + (cases[i].bytes[cases[i].n - 1] == '\x9c' ? 8 : 0x800);
                p.regs.gpr[FL_RAX] = values[k / 6];
                p.regs.gpr[FL_RDX] = values[k % 6];
                if (how != 1)
                    fixture_map(f, &p.cpu, DATA_VA, DATA_PA, how == 0 ? PAGE_FLAGS : 0x25);
                expect_done(program_run(&p), how != 0, cases[i].what);
                flags[how] = p.r.regs.flags;
                data[how] = data64(f, 0);
            }
            for (unsigned how = 1; how < 3; how++) {
                CHECK_EQ(flags[how], flags[0], "%s %u %u: flags", cases[i].what, k, how);
                CHECK_EQ(data[how], data[0], "%s %u %u: data", cases[i].what, k, how);
            }
        }
}

int main(void)
{
    struct fixture f;

    fixture_open(&f, 4u << 20);
    refused_instructions(&f);
    vector_registers(&f);
    flags_over_faults(&f);
    fixture_close(&f);
    return check_done("exec state");
}
