/* SPDX-License-Identifier: MIT */
/* Selectors, LDT descriptors and the code segment; what the task and the kernel are told to be. */
#include "fixture.h"

static enum fl_status ldt(struct fl_world *w, unsigned index, unsigned bits, uint32_t base, uint32_t limit)
{
    struct fl_record r = {.kind = FL_REC_LDT};
    r.u.ldt.index = (uint8_t)index;
    r.u.ldt.bits = (uint8_t)bits;
    r.u.ldt.base = base;
    r.u.ldt.limit = limit;
    return fl_world_apply(w, &r);
}

static void cs(struct fl_world *w, unsigned selector)
{
    struct fl_record r = {.kind = FL_REC_CS};
    r.u.cs.selector = (uint16_t)selector;
    CHECK_EQ(fl_world_apply(w, &r), FL_OK, "cs %#x", selector);
}

static void regs(struct fl_world *w, bool user, unsigned bits, uint64_t ip, uint32_t flags)
{
    struct fl_record r = {.kind = FL_REC_REGS};
    r.u.regs.user = user;
    r.u.regs.code_bits = (uint8_t)bits;
    r.u.regs.ip = ip;
    r.u.regs.flags = flags;
    fl_world_apply(w, &r);
}

/* Descriptors written out by hand: base 31:24 | G D L 0 | limit 19:16 | P DPL S type | base 23:0 | limit 15:0. */
static void test_descriptors(struct fl_world *w)
{
    static const struct {
        uint32_t base, limit;
        unsigned bits;
        uint64_t raw;
        uint32_t effective;
    } rows[] = {
        {0x12345678, 0xfffff, 32, UINT64_C(0x124ffb345678ffff), 0xfffff},
        {0x12345678, 0x100000, 32, UINT64_C(0x12c0fb3456780100), 0x100fff},
        {0, 0xffffffff, 32, UINT64_C(0x00cffb000000ffff), 0xffffffff},
        {0xfffffff0, 0, 16, UINT64_C(0xff00fbfffff00000), 0},
        {0x1000, 0xabcdefff, 16, UINT64_C(0x008afb001000bcde), 0xabcdefff},
        {0, 0xabcdef00, 64, UINT64_C(0x00aafb000000bcde), 0xffffffff},
    };
    const struct fl_ops *ops = fl_world_ops();

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fl_machine m = machine_of(FL_MODE_4LEVEL);
        struct fl_snapshot s;
        struct fl_fault f;

        fl_world_begin(w, &m);
        fl_world_event_begin(w);
        CHECK_EQ(fl_world_task(w)->ldt_entries, 0, "none");
        CHECK_EQ(ops->ldt(w, 0), 0, "none");
        CHECK(fl_world_effects(w)->ldt_outside, "told");
        CHECK_EQ(ldt(w, 6, rows[i].bits, rows[i].base, rows[i].limit), FL_OK, "row %u", i);
        fl_world_event_begin(w);
        fl_world_snapshot(w, 0, 0, &f, &s);
        CHECK(s.task.ldt_entries == 7 && f.task.ldt_entries == 7, "it ends behind the highest one");
        CHECK(ops->ldt(w, 6) == rows[i].raw && s.ldt[6] == rows[i].raw, "row %u: %#" PRIx64, i, ops->ldt(w, 6));
        CHECK(ops->ldt(w, 0) == 0 && s.ldt[5] == 0 && !fl_world_effects(w)->ldt_outside, "the others are empty");
        ops->ldt(w, 7);
        CHECK(fl_world_effects(w)->ldt_outside, "row %u", i);
        cs(w, 6 << 3 | 7);
        CHECK_EQ(fl_world_regs(w)->cs, 0x37, "row %u", i);
        struct fl_codeseg c = *fl_world_codeseg(w);
        CHECK(c.base == rows[i].base && c.limit == rows[i].effective && c.bits == rows[i].bits,
              "row %u: base %#" PRIx64 " limit %#x bits %u", i, c.base, c.limit, c.bits);
        ldt(w, 6, 16, 0x5000, 0x42);
        c = *fl_world_codeseg(w);
        CHECK(c.base == 0x5000 && c.limit == 0x42 && c.bits == 16, "row %u: the one in use changes", i);
        ldt(w, 5, 32, 0, 0);
        CHECK_EQ(fl_world_codeseg(w)->base, 0x5000, "another one");
        CHECK_EQ(ldt(w, FL_MAX_LDT, 32, 0, 0), FL_INVALID, "no such entry");
        CHECK_EQ(ldt(w, FL_MAX_LDT - 1, 32, 0, 0), FL_OK, "the last one");
        CHECK_EQ(ops->ldt(w, 7), 0, "in between");
        fl_world_begin(w, &m);
        CHECK_EQ(fl_world_task(w)->ldt_entries, 0, "forgotten");
    }

    /* A 32-bit kernel knows no L bit. */
    struct fl_machine m = machine_of(FL_MODE_PAE);
    fl_world_begin(w, &m);
    ldt(w, 0, 64, 0x1000, 0xff);
    cs(w, 7);
    CHECK(fl_world_codeseg(w)->bits == 16 && fl_world_codeseg(w)->base == 0x1000, "L is ignored");
}

static void test_selectors(struct fl_world *w)
{
    static const struct {
        unsigned mode;
        bool user;
        unsigned bits, selector, cs, now; /* bits: before */
    } rows[] = {
        {FL_MODE_4LEVEL, true, 64, 0x23, 0x23, 32},     {FL_MODE_4LEVEL, true, 32, 0x33, 0x33, 64},
        {FL_MODE_5LEVEL, true, 32, 0xe033, 0xe033, 64}, {FL_MODE_4LEVEL, false, 32, 0x10, 0x10, 64},
        {FL_MODE_4LEVEL, false, 64, 0x08, 0x08, 32},    {FL_MODE_2LEVEL, true, 16, 0x73, 0x73, 32},
        {FL_MODE_PAE, false, 16, 0x60, 0x60, 32},       {FL_MODE_4LEVEL, true, 64, 0x20, 0x23, 32},
        {FL_MODE_4LEVEL, false, 64, 0x33, 0x30, 64},    {FL_MODE_4LEVEL, true, 64, 0x73, 0x73, 64},
        {FL_MODE_4LEVEL, true, 16, 0x1238, 0x123b, 16}, {FL_MODE_PAE, true, 32, 0x33, 0x33, 32},
        {FL_MODE_4LEVEL, true, 32, 0xff, 0xff, 32},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fl_machine m = machine_of(rows[i].mode);
        m.user = rows[i].user;
        m.code_bits = (uint8_t)rows[i].bits;
        m.ip = rows[i].bits == 64 ? UINT64_C(0x100400000) : 0x400000;
        fl_world_begin(w, &m);
        cs(w, rows[i].selector);
        const struct fl_codeseg *c = fl_world_codeseg(w);
        CHECK_EQ(fl_world_regs(w)->cs, rows[i].cs, "row %u", i);
        CHECK(c->bits == rows[i].now && c->base == 0 && c->limit == 0xffffffff, "row %u: bits %u", i, c->bits);
        CHECK_EQ(fl_world_regs(w)->ip, rows[i].now == 64 ? m.ip : 0x400000, "row %u: ip", i);
    }

    /* Virtual-8086 mode: the selector is the base. */
    struct fl_machine m = machine_of(FL_MODE_2LEVEL);
    m.flags = 0x20202;
    m.seg_base = 0x12340;
    fl_world_begin(w, &m);
    CHECK(fl_world_regs(w)->cs == 0x1234 && fl_world_codeseg(w)->base == 0x12340, "the machine's");
    cs(w, 0xfffe);
    CHECK(fl_world_regs(w)->cs == 0xfffe && fl_world_codeseg(w)->base == 0xfffe0 &&
              fl_world_codeseg(w)->limit == 0xffff && fl_world_codeseg(w)->bits == 16,
          "RPL and TI mean nothing");
}

/* A segment of the machine that is not flat is entry 1 of the LDT. */
static void test_machine_segment(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_machine m = machine_of(FL_MODE_PAE);

    m.seg_base = 0x00ab1000;
    m.seg_limit = 0x123456;
    fl_world_begin(w, &m);
    CHECK(fl_world_regs(w)->cs == 0x0f && fl_world_task(w)->ldt_entries == 2, "entry 1");
    CHECK_EQ(ops->ldt(w, 1), UINT64_C(0x00c0fbab10000123), "its descriptor");
    CHECK(fl_world_codeseg(w)->limit == 0x123fff && fl_world_codeseg(w)->base == 0xab1000, "as it says");
    regs(w, true, 16, 0x1000, 0x202);
    CHECK_EQ(ops->ldt(w, 1), UINT64_C(0x0080fbab10000123), "another size");
    CHECK(fl_world_codeseg(w)->bits == 16, "another size");
    ldt(w, 1, 32, 0x7000, 0xffff);
    CHECK(fl_world_codeseg(w)->base == 0x7000 && fl_world_codeseg(w)->bits == 32, "another descriptor");
    fl_world_set_user_mode(w, false);
    CHECK(fl_world_regs(w)->cs == 0x60 && fl_world_codeseg(w)->limit == 0x123fff, "the kernel's is rounded too");
    m.seg_base = 0;
    fl_world_begin(w, &m);
    CHECK(fl_world_regs(w)->cs == 0x73 && fl_world_task(w)->ldt_entries == 0 && fl_world_codeseg(w)->limit == 0x123fff,
          "flat but for its limit: of the GDT");
}

static void test_facts(struct fl_world *w)
{
    static const char *const comms[] = FL_COMMS;
    const struct fl_task *t = fl_world_task(w);

    for (unsigned i = 0; i < 4; i++) {
        struct fl_machine m = machine_of(FL_MODE_4LEVEL);
        m.comm = (uint8_t)i;
        m.uid = 1000 + i;
        m.in_nmi = i == 0;
        m.in_atomic = i == 1;
        m.kprobe_running = i == 2;
        m.catches_signals = i != 3;
        m.has_mm = i != 1;
        fl_world_begin(w, &m);
        CHECK(strcmp(t->comm, comms[i]) == 0 && t->comm[FL_COMM - 1] == 0, "comm %u", i);
        CHECK(t->uid == 1000 + i && t->pid == 7, "ids");
        CHECK(t->in_nmi == (i == 0) && t->in_atomic == (i <= 1) && t->kprobe_running == (i == 2), "row %u", i);
        CHECK_EQ(t->segv_unhandled, i == 3, "row %u", i);
        CHECK(t->has_mm == (i != 1) && (t->mm_root != 0) == t->has_mm && t->active_root == fl_world_cpu(w)->cr3,
              "row %u", i);
        m.pid = 1;
        m.catches_signals = true;
        fl_world_begin(w, &m);
        CHECK(t->segv_unhandled, "init");
    }
    /* The features that a kernel knows of stay on. */
    for (unsigned knows = 0; knows < 4; knows++) {
        struct fl_machine m = machine_of(FL_MODE_5LEVEL);
        m.smep = m.smap = m.pke = m.pks = true;
        m.kernel_smap = knows & 1;
        m.kernel_pku = knows & 2;
        m.fault_retry = m.spurious_check = m.no_user_fetch = m.show_unhandled = m.oops_may_print = true;
        fl_world_begin(w, &m);
        const struct fl_kernel *k = fl_world_kernel(w);
        CHECK(k->smap == (knows & 1) && k->pku == (knows >> 1) && k->fault_retry && k->spurious_check &&
                  k->no_user_fetch && k->show_unhandled && k->oops_may_print && !k->vsyscall && !k->vsyscall_emulation,
              "as the machine says");
        fl_world_kernel_era(w);
        CHECK_EQ(fl_world_cpu(w)->cr4 >> 20 & 0x1f, 1u | (knows & 1) << 1 | (knows >> 1) << 2, "%u", knows);
    }
}

int main(void)
{
    struct fl_world *w = open_world();
    test_descriptors(w);
    test_selectors(w);
    test_machine_segment(w);
    test_facts(w);
    fl_world_close(w);
    return check_done("world segment");
}
