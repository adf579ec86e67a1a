/* SPDX-License-Identifier: MIT */
/* Runs: resumption after every kind of fault, registers in and out, limits, stale code and stale
 * translations, the order of faults, code of all widths. */
#include "check.h"
#include "fixture.h"

static struct program p;

static uint64_t data64(struct fixture *f, uint64_t offset)
{
    uint64_t v;
    memcpy(&v, f->ram.base + DATA_PA + offset, 8);
    return v;
}

static void expect_fault(unsigned i, uint64_t cr2, uint32_t code, uint64_t ip, const char *what)
{
    CHECK(i < p.nfaults, "%s: only %u faults", what, p.nfaults);
    CHECK_EQ(p.fault[i].cr2, cr2, "%s: CR2 of fault %u", what, i);
    CHECK_EQ(p.fault[i].code, code, "%s: code of fault %u", what, i);
    CHECK_EQ(p.fault[i].ip, ip, "%s: ip of fault %u", what, i);
}

static void expect_done(enum fl_exec_status status, unsigned faults, const char *what)
{
    CHECK_EQ(status, FL_EXEC_OK, "%s: %s", what, p.r.reason ? p.r.reason : "");
    CHECK_EQ(p.r.end, FL_END_DONE, "%s: vector %u cr2 %#" PRIx64 " ip %#" PRIx64, what, p.r.vector, p.r.cr2,
             p.r.regs.ip);
    CHECK_EQ(p.r.faults, faults, "%s: faults", what);
    CHECK_EQ(p.nfaults, faults, "%s: calls", what);
}

/* One instruction that touches data pages that are not there, at both privileges. */
static void resume(struct fixture *f)
{
    static const struct {
        const char *what, *bytes;
        size_t n;
        uint64_t rdi, rsi;
        unsigned faults;
        struct {
            uint64_t cr2;
            uint32_t code;
        } fault[2];
    } cases[] = {
#define BYTES(s) s, sizeof(s) - 1
        {"load", BYTES("\x48\x8b\x07"), DATA_VA + 8, 0, 1, {{DATA_VA + 8, 4}}},
        {"store", BYTES("\x48\x89\x07"), DATA_VA + 8, 0, 1, {{DATA_VA + 8, 6}}},
        {"crossing load", BYTES("\x48\x8b\x07"), DATA_VA + 0xffc, 0, 2, {{DATA_VA + 0xffc, 4}, {DATA_VA + 0x1000, 4}}},
        {"crossing store", BYTES("\x48\x89\x07"), DATA_VA + 0xffc, 0, 2, {{DATA_VA + 0xffc, 6}, {DATA_VA + 0x1000, 6}}},
        {"movsb", BYTES("\xa4"), DATA_VA + 0x2000, DATA_VA, 2, {{DATA_VA, 4}, {DATA_VA + 0x2000, 6}}},
        {"rep movsb over a page end",
         BYTES("\xf3\xa4"),
         DATA_VA + 0xff8,
         DATA_VA + 0x8000,
         3,
         {{DATA_VA + 0x8000, 4}, {DATA_VA + 0xff8, 6}}},
        {"push [m]", BYTES("\xff\x37"), DATA_VA, 0, 1, {{DATA_VA, 4}}},
        {"call [m]", BYTES("\xff\x17"), DATA_VA, 0, 1, {{DATA_VA, 4}}},
        {"movups load", BYTES("\x0f\x10\x07"), DATA_VA + 0x10, 0, 1, {{DATA_VA + 0x10, 4}}},
        {"movaps store", BYTES("\x0f\x29\x07"), DATA_VA + 0x10, 0, 1, {{DATA_VA + 0x10, 6}}},
        {"fld m64", BYTES("\xdd\x07"), DATA_VA + 0x18, 0, 1, {{DATA_VA + 0x18, 4}}},
        {"fstp m80", BYTES("\xdb\x3f"), DATA_VA + 0x18, 0, 1, {{DATA_VA + 0x18, 6}}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned user = 0; user < 2; user++) {
            program_begin(&p, f, 64, user);
            program_code(&p, cases[i].bytes, cases[i].n);
            p.regs.gpr[FL_RDI] = cases[i].rdi;
            p.regs.gpr[FL_RSI] = cases[i].rsi;
            p.regs.gpr[FL_RCX] = 16;
            p.regs.gpr[FL_RAX] = 0x1122334455667788;
            uint64_t target = CODE_VA + 0x100;
            memcpy(f->ram.base + DATA_PA, &target, 8); /* where the call goes: int3 */
            expect_done(program_run(&p), cases[i].faults, cases[i].what);
            for (unsigned k = 0; k < cases[i].faults && k < 2; k++)
                expect_fault(k, cases[i].fault[k].cr2, cases[i].fault[k].code & ~(user ? 0u : 4u), CODE_VA,
                             cases[i].what);
            if (i == 3)
                CHECK_EQ(data64(f, 0xffc), 0x1122334455667788, "crossing store: data");
            if (i == 5) {
                CHECK_EQ(p.r.regs.gpr[FL_RCX], 0, "rep movsb: count");
                CHECK_EQ(p.r.regs.gpr[FL_RDI], cases[i].rdi + 16, "rep movsb: rdi");
            }
            if (i == 7)
                CHECK_EQ(p.r.regs.gpr[FL_RSP], STACK_VA - 8, "call: stack");
        }
    }
}

static void stack(struct fixture *f)
{
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x50"); /* push rax */
    p.regs.gpr[FL_RSP] = STACK_VA - 0x2000 + 8;
    p.regs.gpr[FL_RSP] -= 8;
    p.regs.gpr[FL_RAX] = 42;
    expect_done(program_run(&p), 1, "push");
    expect_fault(0, STACK_VA - 0x2008, 6, CODE_VA, "push");
    CHECK_EQ(p.r.regs.gpr[FL_RSP], STACK_VA - 0x2008, "push: rsp");
}

/* An instruction that lies over a page end whose second page is not there; and the order of faults: the data
 * fault of the first instruction comes before the fetch fault of the second. */
static void fetches(struct fixture *f)
{
    program_begin(&p, f, 64, true);
    p.regs.ip = CODE_VA + 0x1ffe;
    PROGRAM_CODE(&p, "\x48\xc7\xc0\x2a\x00\x00\x00"); /* mov rax, 42 */
    expect_done(program_run(&p), 1, "straddling fetch");
    expect_fault(0, CODE_VA + 0x2000, 0x14, CODE_VA + 0x1ffe, "straddling fetch");
    CHECK_EQ(p.r.regs.gpr[FL_RAX], 42, "straddling fetch");

    program_begin(&p, f, 64, true);
    p.regs.ip = CODE_VA + 0x1ffd;
    PROGRAM_CODE(&p, "\x48\x8b\x07\x90"); /* mov rax,[rdi] ; nop on the next page */
    p.regs.gpr[FL_RDI] = DATA_VA;
    expect_done(program_run(&p), 2, "order");
    expect_fault(0, DATA_VA, 4, CODE_VA + 0x1ffd, "order: data first");
    expect_fault(1, CODE_VA + 0x2000, 0x14, CODE_VA + 0x2000, "order: then the fetch");

    /* Into NX data. */
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\xff\xe7"); /* jmp rdi */
    p.regs.gpr[FL_RDI] = DATA_VA;
    fixture_map(f, &p.cpu, DATA_VA, DATA_PA, PAGE_FLAGS | 1ull << 63);
    p.decline = true;
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "jump into NX");
    CHECK_EQ(p.r.end, FL_END_FAULT, "jump into NX");
    expect_fault(0, DATA_VA, 0x15, DATA_VA, "jump into NX");
}

static void registers(struct fixture *f)
{
    for (unsigned user = 0; user < 2; user++) {
        program_begin(&p, f, 64, user);
        PROGRAM_CODE(&p, "\x90");
        for (unsigned i = 0; i < FL_GPR_COUNT; i++)
            p.regs.gpr[i] = 0x0123456789abcd00ull + i;
        p.regs.flags = 0x40ad7; /* AC, OF, SF, ZF, AF, PF, CF, IF */
        p.regs.fs_base = 0x7000123456780000;
        p.regs.gs_base = 0xffff888000000000;
        p.regs.fs = 0x51;
        p.regs.gs = 0x61;
        expect_done(program_run(&p), 0, "registers");
        for (unsigned i = 0; i < FL_GPR_COUNT; i++)
            CHECK_EQ(p.r.regs.gpr[i], p.regs.gpr[i], "register %u", i);
        CHECK_EQ(p.r.regs.flags, p.regs.flags, "flags");
        CHECK_EQ(p.r.regs.ip, CODE_VA + 2, "ip is after the int3");
        CHECK_EQ(p.r.regs.cs, p.regs.cs, "cs");
        CHECK_EQ(p.r.regs.ss, p.regs.ss, "ss");
        CHECK_EQ(p.r.regs.fs, p.regs.fs, "fs");
        CHECK_EQ(p.r.regs.gs, p.regs.gs, "gs");
        CHECK_EQ(p.r.regs.fs_base, p.regs.fs_base, "fs base");
        CHECK_EQ(p.r.regs.gs_base, p.regs.gs_base, "gs base");
    }
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x9c\x58\x64\x8b\x1f"); /* pushf; pop rax; mov ebx, fs:[rdi] */
    p.regs.fs_base = DATA_VA;
    p.regs.gpr[FL_RDI] = 0x10;
    expect_done(program_run(&p), 1, "fs base");
    expect_fault(0, DATA_VA + 0x10, 4, CODE_VA + 2, "fs base");
    CHECK_EQ(p.r.regs.gpr[FL_RAX], 0x202, "PUSHF shows no trap flag");
}

static void limits(struct fixture *f)
{
    for (unsigned max = 1; max <= 64; max++) {
        program_begin(&p, f, 64, true);
        p.limits.max_insns = max;
        for (unsigned i = 0; i < 70; i++)
            memcpy(f->ram.base + CODE_PA + 3 * i, "\x48\xff\xc0", 3); /* inc rax */
        CHECK_EQ(program_run(&p), FL_EXEC_OK, "limit %u", max);
        CHECK_EQ(p.r.end, FL_END_LIMIT, "limit %u", max);
        CHECK_EQ(p.r.regs.gpr[FL_RAX], max, "limit %u is exact", max);
    }
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\xeb\xfe"); /* jmp to itself */
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "endless loop");
    CHECK_EQ(p.r.end, FL_END_LIMIT, "endless loop");

    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\xf3\xa4"); /* rep movsb, 2^60 bytes over two pages that are there */
    p.regs.gpr[FL_RCX] = 1ull << 60;
    p.regs.gpr[FL_RDI] = DATA_VA;
    p.regs.gpr[FL_RSI] = DATA_VA + 0x8000;
    p.limits.max_faults = 256;
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "endless rep: %s", p.r.reason ? p.r.reason : "");
    CHECK_EQ(p.r.end, FL_END_LIMIT, "endless rep");
    CHECK(p.r.stores_lost, "endless rep");

    /* Faults: the page is never repaired. */
    for (unsigned max = 1; max <= 256; max += 51) {
        program_begin(&p, f, 64, true);
        PROGRAM_CODE(&p, "\x48\x8b\x07");
        p.regs.gpr[FL_RDI] = DATA_VA;
        p.repair_flags = 0;
        p.limits.max_faults = max;
        CHECK_EQ(program_run(&p), FL_EXEC_OK, "fault limit");
        CHECK_EQ(p.r.end, FL_END_LIMIT, "fault limit");
        CHECK_EQ(p.r.faults, max, "fault limit");
    }
}

static void exceptions(struct fixture *f)
{
    static const struct {
        const char *what, *bytes;
        size_t n;
        unsigned vector;
    } cases[] = {{"ud2", BYTES("\x0f\x0b"), 6},
                 {"cli", BYTES("\xfa"), 13},
                 {"div by zero", BYTES("\x31\xc9\xf7\xf1"), 0},
                 {"int 0x80", BYTES("\xcd\x80"), 0x80},
                 {"int 1", BYTES("\xcd\x01"), 1},
                 {"int 14", BYTES("\xcd\x0e"), 14},
                 {"hlt", BYTES("\xf4"), 13}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        program_begin(&p, f, 64, true);
        program_code(&p, cases[i].bytes, cases[i].n);
        CHECK_EQ(program_run(&p), FL_EXEC_OK, "%s", cases[i].what);
        CHECK_EQ(p.r.end, FL_END_EXCEPTION, "%s", cases[i].what);
        CHECK_EQ(p.r.vector, cases[i].vector, "%s", cases[i].what);
        CHECK_EQ(p.nfaults, 0, "%s", cases[i].what);
    }
    program_begin(&p, f, 64, false);
    PROGRAM_CODE(&p, "\xf4"); /* hlt at CPL 0 */
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "hlt");
    CHECK_EQ(p.r.end, FL_END_LIMIT, "hlt");
    /* Nothing of it is left. */
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x90");
    expect_done(program_run(&p), 0, "after hlt");
}

/* Host writes do not tell the engine: neither of code nor of tables. */
static void stale(struct fixture *f)
{
    for (unsigned round = 0; round < 300; round++) {
        program_begin(&p, f, 64, round & 1);
        uint8_t code[] = {0xb0, (uint8_t)round,        0x90,
                          0xb4, (uint8_t)(round >> 1), 0xcc}; /* mov al, n; nop; mov ah, m */
        program_code(&p, (const char *)code, sizeof code);
        expect_done(program_run(&p), 0, "new bytes");
        CHECK_EQ(p.r.regs.gpr[FL_RAX], (round & 0xff) | (round >> 1 & 0xff) << 8, "new bytes are run");
    }
    /* Code that comes with a fault: the frame held other code before. */
    for (unsigned round = 0; round < 20; round++) {
        program_begin(&p, f, 64, true);
        p.regs.ip = CODE_VA + 0x2000;
        uint8_t code[] = {0xb0, (uint8_t)round, 0xcc};
        program_code(&p, (const char *)code, sizeof code);
        expect_done(program_run(&p), 1, "code that comes with a fault");
        CHECK_EQ(p.r.regs.gpr[FL_RAX], round, "code that comes with a fault");
    }
    /* The same address, other frames. */
    for (unsigned round = 0; round < 20; round++) {
        program_begin(&p, f, 64, true);
        PROGRAM_CODE(&p, "\x8a\x07"); /* mov al,[rdi] */
        p.regs.gpr[FL_RDI] = DATA_VA + 5;
        fixture_map(f, &p.cpu, DATA_VA, DATA_PA + 0x1000 * (round & 7), PAGE_FLAGS);
        f->ram.base[DATA_PA + 0x1000 * (round & 7) + 5] = (uint8_t)(round + 1);
        expect_done(program_run(&p), 0, "other frame");
        CHECK_EQ(p.r.regs.gpr[FL_RAX], round + 1, "other frame");
    }
    /* Self-modifying code. */
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\xc6\x05\x01\x00\x00\x00\x2a\xb0\x00"); /* mov byte [rip+1], 42; mov al, 0 */
    expect_done(program_run(&p), 0, "self-modifying");
    CHECK_EQ(p.r.regs.gpr[FL_RAX], 42, "self-modifying");
    CHECK_EQ(p.r.nstores, 1, "self-modifying: stores");
    CHECK_EQ(p.r.stores[0].paddr, CODE_PA + 8, "self-modifying: stores");
    /* The same, over what an earlier run translated: a call whose push overwrites the code that it returns to. */
    program_begin(&p, f, 64, true);
    p.regs.ip = CODE_VA + 0x1003;
    expect_done(program_run(&p), 0, "int3 at the return address");
    program_begin(&p, f, 64, true);
    p.regs.ip = CODE_VA + 0xffe;
    memcpy(f->ram.base + CODE_PA + 0xffe, "\xe8\0\0\0\0", 5); /* call to the next instruction */
    p.regs.gpr[FL_RSP] = CODE_VA + 0x1008;
    p.decline = true;
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "overwritten return");
    CHECK_EQ(p.r.end, FL_END_FAULT, "overwritten return: 10 00 is adc [rax], al");
    CHECK_EQ(p.r.cr2, 0, "overwritten return");
    /* A fetch of code that was run before does not run it. */
    static struct fl_exec_result r;
    struct fl_access a = {CODE_VA, FL_FETCH, FL_USER, false};
    CHECK_EQ(f->ex->access(f->ex, &p.cpu, &a, &r), FL_EXEC_OK, "fetch after a run");
    CHECK_EQ(r.end, FL_END_DONE, "fetch after a run");
    CHECK_EQ(r.paddr, CODE_PA, "fetch after a run");
    /* A page that is mapped read-only, written: another frame comes (copy on write). */
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x8a\x07\x88\x0f\x8a\x1f"); /* mov al,[rdi]; mov [rdi],cl; mov bl,[rdi] */
    fixture_map(f, &p.cpu, DATA_VA, DATA_PA + 0x5000, 0x25);
    f->ram.base[DATA_PA + 0x5000] = 7;
    p.regs.gpr[FL_RDI] = DATA_VA;
    p.regs.gpr[FL_RCX] = 9;
    expect_done(program_run(&p), 1, "copy on write");
    expect_fault(0, DATA_VA, 7, CODE_VA + 2, "copy on write");
    CHECK_EQ(p.r.regs.gpr[FL_RAX], 7, "copy on write: before");
    CHECK_EQ(p.r.regs.gpr[FL_RBX], 9, "copy on write: after");
    CHECK_EQ(f->ram.base[DATA_PA + 0x5000], 7, "copy on write: the old frame");
}

static void widths(struct fixture *f)
{
    static const uint8_t modes[] = {FL_MODE_2LEVEL, FL_MODE_PAE, FL_MODE_4LEVEL, FL_MODE_5LEVEL};

    for (unsigned m = 0; m < 4; m++) {
        for (unsigned bits = 16; bits <= 64; bits *= 2) {
            if (bits == 64 && modes[m] < FL_MODE_4LEVEL)
                continue;
            for (unsigned user = 0; user < 2; user++) {
                program_begin(&p, f, bits, user);
                memset(f->ram.base, 0, 0x100000);
                f->next_table = 0x2000;
                p.cpu = fixture_cpu(modes[m]);
                fixture_map(f, &p.cpu, CODE_VA, CODE_PA, PAGE_FLAGS);
                /* inc eax or a prefix; mov al,[di] or [edi] or [rdi]; 16-bit: the code segment has a base */
                if (bits == 16) {
                    PROGRAM_CODE(&p, "\x40\x67\x8a\x1f");
                    p.cs.base = CODE_VA - 0x100;
                    p.regs.ip = 0x100;
                } else {
                    PROGRAM_CODE(&p, "\x40\x90\x8a\x1f");
                }
                p.regs.gpr[FL_RDI] = DATA_VA + 3;
                f->ram.base[DATA_PA + 3] = 0x77;
                expect_done(program_run(&p), 1, "width");
                expect_fault(0, DATA_VA + 3, user ? 4 : 0, bits == 16 ? 0x101 : CODE_VA + 2, "width");
                CHECK_EQ(p.r.regs.gpr[FL_RAX], bits == 64 ? 0 : 1, "%u-bit code in mode %u", bits, m);
                CHECK_EQ(p.r.regs.gpr[FL_RBX], 0x77, "%u-bit code in mode %u", bits, m);
                /* A far table of the machine: no memory there. */
                p.cpu.cr3 = 0x7ff000000ull & (modes[m] < FL_MODE_4LEVEL ? 0x7f000000 : ~0ull);
                CHECK_EQ(program_run(&p), FL_EXEC_OK, "no table");
                CHECK_EQ(p.r.end, FL_END_BUS, "no table");
            }
        }
    }
}

static void refusals(struct fixture *f)
{
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x90");
    p.cpu.maxphyaddr = 46;
    CHECK_EQ(program_run(&p), FL_EXEC_UNSUPPORTED, "46 bits");
    CHECK(p.r.reason != NULL && strcmp(p.r.reason, "maxphyaddr") == 0, "46 bits");
    program_begin(&p, f, 64, true);
    p.regs.flags |= 1 << 17;
    CHECK_EQ(program_run(&p), FL_EXEC_UNSUPPORTED, "virtual-8086");
    program_begin(&p, f, 64, false);
    PROGRAM_CODE(&p, "\x90\x66\x41\x0f\x23\xf8"); /* nop; mov dr7, r8: would crash the engine */
    p.regs.gpr[FL_R8] = 0xff;
    CHECK_EQ(program_run(&p), FL_EXEC_UNSUPPORTED, "debug registers");
    program_begin(&p, f, 32, false);
    PROGRAM_CODE(&p, "\xc5\xfa\x23\xf8");
    CHECK_EQ(program_run(&p), FL_EXEC_UNSUPPORTED, "VEX");
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x0f\x05");
    CHECK_EQ(program_run(&p), FL_EXEC_UNSUPPORTED, "SYSCALL");
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\xf0\x0f\xba\xfa\x03"); /* lock btc edx, 3: would abort the engine */
    CHECK_EQ(program_run(&p), FL_EXEC_UNSUPPORTED, "LOCK with a register operand");
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\xf0\x48\x0f\xba\x2c\x24\x03\xcc"); /* lock bts qword [rsp], 3 is fine */
    p.regs.gpr[FL_RSP] = STACK_VA - 0x100;
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "LOCK with a memory operand");
    struct fl_executor *ex = NULL;
    char why[256];
    struct fl_ram odd = {f->ram.base + 1, 4096};
    CHECK_EQ(fl_unicorn_open(&odd, &ex, why), FL_INVALID, "unaligned RAM");
    CHECK(ex == NULL, "outputs are untouched");
}

/* More code than the code buffer holds, over and over, in one place and in many. */
static void churn(struct fixture *f, unsigned rounds)
{
    uint64_t seed = 1;

    for (unsigned i = 0; i < rounds; i++) {
        program_begin(&p, f, 64, true);
        uint8_t code[48];
        unsigned n = 0, want = 0;
        while (n < 40) {
            uint8_t v = (uint8_t)check_random(&seed);
            code[n++] = 0x04; /* add al, v */
            code[n++] = v;
            want += v;
        }
        code[n++] = 0xcc;
        p.regs.ip = CODE_VA + (check_random(&seed) % 0xf00);
        program_code(&p, (const char *)code, n);
        expect_done(program_run(&p), 0, "churn");
        CHECK_EQ(p.r.regs.gpr[FL_RAX], want & 0xff, "churn round %u", i);
    }
}

int main(int argc, char **argv)
{
    struct fixture f;

    fixture_open(&f, 4u << 20);
    resume(&f);
    stack(&f);
    fetches(&f);
    registers(&f);
    limits(&f);
    exceptions(&f);
    stale(&f);
    widths(&f);
    refusals(&f);
    churn(&f, argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 2000);
    fixture_close(&f);
    return check_done("exec run");
}
