/* SPDX-License-Identifier: MIT */
/* fl_scenario_valid: each field just outside its range, and each rule of one field about another. */
#include "check.h"

#include <faultline/fuzz/scenario.h>
#include <faultline/pin.h>

static struct fl_scenario s;

#define INVALID_MACHINE(mode_, change)                                                                                 \
    do {                                                                                                               \
        fl_scenario_default(&s);                                                                                       \
        s.machine.mode = (mode_);                                                                                      \
        s.machine.code_bits = (mode_) >= FL_MODE_4LEVEL ? 64 : 32;                                                     \
        s.machine.idt = (mode_) >= FL_MODE_4LEVEL ? 0 : 0xfffbf000;                                                    \
        CHECK(fl_scenario_valid(&s), "before: %s", #change);                                                           \
        change;                                                                                                        \
        CHECK(!fl_scenario_valid(&s), "%s", #change);                                                                  \
        cases++;                                                                                                       \
    } while (0)
#define INVALID_RECORD(mode_, kind_, setup, change)                                                                    \
    do {                                                                                                               \
        fl_scenario_default(&s);                                                                                       \
        s.machine.mode = (mode_);                                                                                      \
        s.machine.code_bits = (mode_) >= FL_MODE_4LEVEL ? 64 : 32;                                                     \
        s.nrecords = 1;                                                                                                \
        memset(r, 0, sizeof(*r));                                                                                      \
        r->kind = (kind_);                                                                                             \
        setup;                                                                                                         \
        CHECK(fl_scenario_valid(&s), "before: %s", #change);                                                           \
        change;                                                                                                        \
        CHECK(!fl_scenario_valid(&s), "%s", #change);                                                                  \
        cases++;                                                                                                       \
    } while (0)

/* Each range of scenario.h, one step outside: not valid. */
static void test_invalid(void)
{
    struct fl_record *r = &s.records[0];
    unsigned cases = 0;

    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.mode = 4);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.vendor = 2);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.family = 3);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.maxphyaddr = 31);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.maxphyaddr = 53);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.split = 1);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.split = 3);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.code_bits = 64);
    INVALID_MACHINE(FL_MODE_5LEVEL, s.machine.code_bits = 8);
    INVALID_MACHINE(FL_MODE_5LEVEL, s.machine.pid = 0);
    INVALID_MACHINE(FL_MODE_2LEVEL, s.machine.ip = 0x100000000);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.sp = 0x100000000);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.flags = 0x200);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.flags = 0x20202);
    INVALID_MACHINE(FL_MODE_PAE, (s.machine.flags = 0x20202, s.machine.user = false));
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.seg_base = 1);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.seg_base = 0x100000000);
    INVALID_MACHINE(FL_MODE_PAE, s.nrecords = FL_MAX_RECORDS + 1);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.generation = FL_GEN_COUNT);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.generation = FL_GEN_2008_64);
    INVALID_MACHINE(FL_MODE_2LEVEL, s.machine.generation = FL_GEN_2014_PV64);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.generation = FL_GEN_2008_32);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.generation = FL_GEN_2014_PV32);
    INVALID_MACHINE(FL_MODE_5LEVEL, s.machine.generation = FL_GEN_2016);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.vsyscall = true);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.f00f_bug = true);
    INVALID_MACHINE(FL_MODE_2LEVEL, s.machine.shared_pmd = false);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.shared_pmd = false);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.in_nmi = true);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.sh4_fixed = false);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.comm = 4);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.idt = 1);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.sh4 = true);
    INVALID_MACHINE(FL_MODE_2LEVEL, (s.machine.sh4 = true, s.machine.vendor = FL_VENDOR_AMD));
    INVALID_MACHINE(FL_MODE_2LEVEL, (s.machine.sh4 = true, s.machine.generation = FL_GEN_2016));
    INVALID_MACHINE(FL_MODE_2LEVEL, (s.machine.sh4 = true, s.machine.uid = 0));
    INVALID_MACHINE(FL_MODE_2LEVEL, (s.machine.sh4 = true, s.machine.vmalloc_end = 0xc1000000));
    INVALID_MACHINE(FL_MODE_PAE, s.machine.vmalloc_start = 0xf8000800);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.vmalloc_start = 0xbffff000);
    INVALID_MACHINE(FL_MODE_PAE, s.machine.vmalloc_start = 0xff800000); /* the end */
    INVALID_MACHINE(FL_MODE_PAE, s.machine.vmalloc_end = 0xf8000000);   /* the start */
    INVALID_MACHINE(FL_MODE_PAE, s.machine.vmalloc_end = 0x100000000);
    INVALID_MACHINE(FL_MODE_PAE, (s.machine.vmalloc_start = 0xf0000000, s.machine.vmalloc_end = 0xf0000000));
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.vmalloc_start = 0xffff7ffffffff000);
    INVALID_MACHINE(FL_MODE_4LEVEL, s.machine.vmalloc_end = 0xffffff8000000000);
    INVALID_MACHINE(FL_MODE_5LEVEL, s.machine.vmalloc_start = 0xfefffffffffff000);
    INVALID_MACHINE(FL_MODE_5LEVEL, s.machine.vmalloc_end = 0xffff000000000000);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_FAULT, (void)0, r->kind = FL_REC_COUNT);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_MAP, r->u.map.level = 1, r->u.map.level = 0);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_MAP, r->u.map.level = 3, r->u.map.level = 4);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_MAP, r->u.map.level = 1, r->u.map.frame = 1024);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_MAP, r->u.map.level = 1, r->u.map.pkey = 16);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_MAP, r->u.map.level = 1, r->u.map.va = 0x100000000);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_ENTRY, r->u.entry.level = 2, r->u.entry.level = 3);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_ENTRY, r->u.entry.level = 5, r->u.entry.level = 6);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_ENTRY, r->u.entry.level = 5, r->u.entry.set = 1);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_ENTRY, r->u.entry.level = 1, r->u.entry.mask = 0x100000000);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, r->u.vma.pages = 1, r->u.vma.pages = 0);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, r->u.vma.pages = 1u << 24, r->u.vma.pages++);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, r->u.vma.pages = 1, r->u.vma.start = 0x1001);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, r->u.vma.pages = 1, r->u.vma.flags = 0x40);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, r->u.vma.pages = 1, r->u.vma.file = 1);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, r->u.vma.pages = 1, r->u.vma.pgoff = 1);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, r->u.vma.pages = 1, r->u.vma.file_pages = 1);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, (r->u.vma.pages = 1, r->u.vma.flags = FL_VMA_FILE), r->u.vma.file = 4);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_VMA, (r->u.vma.pages = 1, r->u.vma.flags = FL_VMA_FILE),
                   r->u.vma.pgoff = 65536);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_UNMAP, r->u.range.pages = 1, r->u.range.prot = 1);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_ZAP, r->u.range.pages = 1, r->u.range.prot = 1);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_PROTECT, r->u.range.pages = 1, r->u.range.prot = 8);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_PROTECT, r->u.range.pages = 1, r->u.range.start = 1);
    INVALID_RECORD(FL_MODE_5LEVEL, FL_REC_REGS, (r->u.regs.flags = 2, r->u.regs.code_bits = 64), r->u.regs.flags = 0);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_REGS, (r->u.regs.flags = 2, r->u.regs.code_bits = 32), r->u.regs.code_bits = 64);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_REGS, (r->u.regs.flags = 2, r->u.regs.code_bits = 32),
                   r->u.regs.flags = 0x20002);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_GPR, r->u.gpr.index = 7, r->u.gpr.index = 8);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_GPR, r->u.gpr.index = 15, r->u.gpr.index = FL_RSP);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_GPR, r->u.gpr.index = 15, r->u.gpr.index = 16);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_BYTES, r->u.bytes.n = 3, r->u.bytes.data[3] = 1);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_BYTES, r->u.bytes.n = 15, r->u.bytes.n = 16);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_EXTABLE, (void)0, r->u.extable.fixup = 0x100000000);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_INJECT, (void)0, r->u.inject.op = FL_INJ_COUNT);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_INJECT, (void)0, r->u.inject.n = 1);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_INJECT, r->u.inject.op = FL_INJ_PROBE, r->u.inject.n = 16);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_ACCESS, (void)0, r->u.access.kind = FL_ACCESS_KIND_COUNT);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_ACCESS, (void)0, r->u.access.priv = FL_ACCESS_PRIV_COUNT);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_FAULT, (void)0, r->u.fault.cr2 = 0x100000000);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_EXEC, r->u.exec.n = 1, r->u.exec.n = 0);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_EXEC, r->u.exec.n = 15, r->u.exec.n = 16);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_EXEC, r->u.exec.n = 14, r->u.exec.code[14] = 0x90);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_DECODE, r->u.decode.bits = 16, r->u.decode.bits = 64);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_DECODE, r->u.decode.bits = 16, r->u.decode.code[0] = 0x90);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_IOREMAP, (r->u.ioremap.level = 1, r->u.ioremap.leaves = 1),
                   r->u.ioremap.leaves = 0);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_IOREMAP, (r->u.ioremap.level = 1, r->u.ioremap.leaves = 256),
                   r->u.ioremap.leaves = 257);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_IOREMAP, (r->u.ioremap.level = 3, r->u.ioremap.leaves = 1),
                   r->u.ioremap.level = 4);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_IOREMAP, (r->u.ioremap.level = 1, r->u.ioremap.leaves = 1),
                   r->u.ioremap.frame = 1024);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_IOREMAP, (r->u.ioremap.level = 1, r->u.ioremap.leaves = 1),
                   r->u.ioremap.va = 0x100000000);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_IOUNMAP, r->u.iounmap.pages = 1, r->u.iounmap.pages = 0);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_IOUNMAP, r->u.iounmap.pages = 1, r->u.iounmap.start = 0x800);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_FORK, r->u.mm.mm = 1, r->u.mm.mm = 0);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_FORK, r->u.mm.mm = 3, r->u.mm.mm = 4);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_FORK, r->u.mm.mm = 3, r->u.mm.lag = true);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_SWITCH, r->u.mm.mm = FL_MM_NONE, r->u.mm.mm = FL_MM_NONE + 1);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_LDT, r->u.ldt.bits = 64, r->u.ldt.index = FL_MAX_LDT);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_LDT, r->u.ldt.bits = 64, r->u.ldt.bits = 8);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_LDT, (r->u.ldt.bits = 32, r->u.ldt.limit = 0xfffff), r->u.ldt.limit = 0x100000);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_TOUCH, (void)0, r->u.touch.kind = FL_ACCESS_KIND_COUNT);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_TOUCH, r->u.touch.priv = FL_SUPERVISOR, r->u.touch.priv = FL_IMPLICIT);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_TOUCH, (void)0, r->u.touch.va = 0x100000000);
    CHECK_EQ(cases, 107, "cases");
}

#define AREA(k, f) (r->u.area.pages = 1, r->u.area.kind = FL_AREA_##k, r->u.area.flags = (f))
#define ACT(a)     (r->u.act.pages = 1, r->u.act.act = FL_ACTOR_##a)
#define RACE(a)    (r->u.act.pages = r->u.act.nth = 1, r->u.act.act = FL_ACTOR_##a)
#define PIN(a)     (r->u.pin.n = 1, r->u.pin.api = FL_PINAPI_##a)

/* The same of target gup. */
static void test_invalid_pin(void)
{
    struct fl_record *r = &s.records[0];
    unsigned cases = 0;

    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, 0), r->u.area.kind = FL_AREA_KIND_COUNT);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, 0), r->u.area.pages = 0);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, 0), r->u.area.pages = (1u << 24) + 1);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, 0), r->u.area.start = 0x800);
    INVALID_RECORD(FL_MODE_PAE, FL_REC_AREA, AREA(ANON, 0), r->u.area.start = 0x100000000);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, 0), r->u.area.pkey = 16);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, FL_AREA_READ | FL_AREA_MAY_READ),
                   r->u.area.flags = FL_AREA_READ);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, FL_AREA_WRITE | FL_AREA_MAY_WRITE),
                   r->u.area.flags = FL_AREA_WRITE);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, FL_AREA_GROWSDOWN), r->u.area.flags |= FL_AREA_SHARED);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, FL_AREA_HUGE), r->u.area.kind = FL_AREA_FILE);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(SPECIAL, FL_AREA_IO), r->u.area.kind = FL_AREA_DEVICE);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(SPECIAL, FL_AREA_PFNMAP), r->u.area.kind = FL_AREA_ANON);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, 0), r->u.area.flags = 1 << 11);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(ANON, 0), r->u.area.file = 1);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(SPECIAL, 0), r->u.area.pgoff = 1);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(SPECIAL, 0), r->u.area.file_pages = 1);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_AREA, AREA(FILE, 0), r->u.area.file = 4);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ACT, ACT(READ), r->u.act.act = FL_ACTOR_COUNT);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ACT, ACT(READ), r->u.act.pages = 0);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ACT, ACT(READ), r->u.act.va = 1);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ACT, ACT(READ), r->u.act.mm = 2);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ACT, ACT(READ), r->u.act.arg = 1);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ACT, ACT(MPROTECT), r->u.act.arg = 8);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_RACE, RACE(READ), r->u.act.nth = 0);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_RACE, RACE(READ), r->u.act.op = FL_PINOP_COUNT);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ANSWER, r->u.answer.nth = 1, r->u.answer.nth = 0);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ANSWER, r->u.answer.nth = 1, r->u.answer.op = FL_PINOP_COUNT);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_ANSWER, r->u.answer.nth = 1, r->u.answer.answer = FL_PINANS_COUNT);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(PIN), r->u.pin.api = FL_PINAPI_COUNT);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(PIN), r->u.pin.flags = FL_FOLL_GET);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(PIN), r->u.pin.flags = FL_FOLL_NUMA);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(USER), r->u.pin.flags = FL_FOLL_TOUCH);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(FAST), r->u.pin.flags = FL_FOLL_FORCE);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(DUMP), r->u.pin.flags = FL_FOLL_WRITE);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(FOLLOW), r->u.pin.flags = FL_FOLL_GET);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(USER), r->u.pin.n = 65536);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(FIXUP), r->u.pin.n = 2);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(USER), r->u.pin.nonblocking = true);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(FAST), r->u.pin.remote = true);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(FAST_ONLY), r->u.pin.pages = true);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(DUMP), r->u.pin.pages = true);
    INVALID_RECORD(FL_MODE_4LEVEL, FL_REC_PIN, PIN(FOLLOW), r->u.pin.vmas = true);
    INVALID_RECORD(FL_MODE_2LEVEL, FL_REC_PIN, PIN(PIN), r->u.pin.start = 0x100000000);
    CHECK_EQ(cases, 43, "cases");
}

int main(void)
{
    test_invalid();
    test_invalid_pin();
    return check_done("scenario invalid");
}
