/* SPDX-License-Identifier: MIT */
/* The private parts: that a wrong layout is noticed (the calibration fails closed), that the double-fault
 * trap is a broken executor and no verdict, and that changed code is dropped line by line. */
#include "check.h"
#include "fixture.h"

#include "unicorn/engine.h"

/* Each field of the layout, moved a little: no engine may pass the proof with it. */
static void wrong_layouts(struct engine *e)
{
    const struct layout good = e->at;
    const struct {
        const char *name;
        size_t *field;
    } fields[] = {
        {"hflags", &e->at.hflags}, {"eflags", &e->at.eflags}, {"cr0", &e->at.cr0},
        {"cr2", &e->at.cr2},       {"cr3", &e->at.cr3},       {"cr4", &e->at.cr4},
        {"efer", &e->at.efer},     {"pkru", &e->at.pkru},     {"error_code", &e->at.error_code},
        {"rip", &e->at.rip},       {"gpr", &e->at.gpr},       {"cs", &e->at.seg[SEG_CS]},
    };

    CHECK(prove(e) == NULL, "the right layout passes");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        *fields[i].field += 8;
        CHECK(prove(e) != NULL, "a wrong place of %s goes unnoticed", fields[i].name);
        e->at = good;
    }
    CHECK(prove(e) == NULL, "the right layout still passes");
    CHECK(layout_find(e) != NULL || memcmp(&good, &e->at, sizeof good) == 0,
          "a second calibration finds another layout");
    e->at = good;
}

/* With the pending exception left as it is, a second fault arrives as vector 8. */
static void double_fault(struct fixture *f, struct engine *e)
{
    static struct fl_exec_result r;
    struct fl_cpu cpu = fixture_cpu(FL_MODE_4LEVEL);
    struct fl_access a = {0x5000, FL_READ, FL_USER, false};

    memset(f->ram.base, 0, 0x10000);
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_OK, "access");
    CHECK_EQ(r.end, FL_END_FAULT, "access");
    put32(e->now, e->at.old_exception, 14);
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_BROKEN, "double fault");
    CHECK(r.reason != NULL && strcmp(r.reason, "double fault") == 0, "%s", r.reason ? r.reason : "no reason");
    put32(e->now, e->at.old_exception, 0xffffffff);
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_OK, "afterwards");
    CHECK_EQ(r.end, FL_END_FAULT, "afterwards");
    /* A fault whose page can never be repaired, hundreds of times in one run: never a double fault. */
    static struct program p;
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x48\x8b\x07");
    p.regs.gpr[FL_RDI] = DATA_VA;
    p.repair_flags = 0;
    p.limits.max_faults = 256;
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "256 faults");
    CHECK_EQ(p.r.faults, 256, "256 faults");
    for (unsigned i = 0; i < p.nfaults; i++)
        CHECK_EQ(p.fault[i].code, 4, "fault %u", i);
    /* Its own code page gone: broken, and said so. */
    uint8_t *pte = e->own + 0x1000 * OWN_PT + ((CODE_A >> 12) & 511) * 8;
    *pte ^= 1;
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_BROKEN, "no code page");
    CHECK(r.reason != NULL, "no code page");
    *pte ^= 1;
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_OK, "afterwards");
}

static void lines(struct fixture *f, struct engine *e)
{
    static struct program p;

    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x90\x90\x90");
    code_drop_all(e);
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "run");
    CHECK_EQ(e->nlines, 1, "one line of code");
    CHECK_EQ(e->lines[0].paddr, CODE_PA, "its place");
    unsigned translated = e->translated;
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "again");
    CHECK_EQ(e->translated, translated, "kept translations are used again");
    f->ram.base[CODE_PA + 20] ^= 1; /* a byte of the line that was never run */
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "again");
    CHECK_EQ(e->translated, translated, "a byte that is no code changes nothing");
    f->ram.base[CODE_PA + 1] = 0xfc; /* cld */
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "again");
    CHECK(e->translated > translated, "changed code is translated again");
}

/* The code buffer found full within a run changes nothing. The count that empties it in time is set back, so
 * that it does fill up: 120,000 blocks, of which it holds some 30,000. */
static void full_buffer(struct fixture *f, struct engine *e)
{
    static struct program p;

    for (unsigned i = 0; i < 3000; i++) {
        program_begin(&p, f, 64, true);
        for (unsigned k = 0; k < 40; k++)
            memcpy(f->ram.base + CODE_PA + 4 * k, "\x48\x83\xc0\x01", 4); /* add rax, 1 */
        f->ram.base[CODE_PA + 3] = (uint8_t)i;
        p.regs.gpr[FL_RDI] = DATA_VA;
        p.limits.max_insns = 64;
        code_drop_all(e);
        e->translated = 0;
        CHECK_EQ(program_run(&p), FL_EXEC_OK, "round %u: %s", i, p.r.reason ? p.r.reason : "");
        CHECK_EQ(p.r.end, FL_END_DONE, "round %u", i);
        CHECK_EQ(p.r.regs.gpr[FL_RAX], 39 + (uint64_t)(int64_t)(int8_t)i, "round %u", i);
    }
}

int main(void)
{
    struct fixture f;

    fixture_open(&f, 4u << 20);
    struct engine *e = (struct engine *)f.ex;
    double_fault(&f, e);
    lines(&f, e);
    full_buffer(&f, e);
    wrong_layouts(e);
    fixture_close(&f);
    return check_done("exec calibration");
}
