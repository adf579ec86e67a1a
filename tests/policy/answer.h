/* SPDX-License-Identifier: MIT */
/*
 * For the tests of the comparers: a fault, what the policy expects of it, and an outcome and effects, made here, that are
 * just that; to be spoilt in one place.
 *
 * The machine is a 64-bit one: AMD family 15, four levels. Physical memory is 16 frames at 0; the root table is frame 1,
 * the reference's frame 2.
 *
 *      0x400000    0x410000          0x600000      0x610000
 *   ------[ data, rw- ]----- gap -----[ stack, rw- ]--------
 */
#ifndef FAULTLINE_TESTS_POLICY_ANSWER_H
#define FAULTLINE_TESTS_POLICY_ANSWER_H

#include "check.h"
#include "key.h"

#include <faultline/oracle/compare.h>

enum { P = 1, W = 2, U = 4, RSVD = 8, I = 16, PK = 32 }; /* Intel SDM vol. 3A, 4.7 */

#define USER_IP   UINT64_C(0x8048000)
#define KERNEL_IP UINT64_C(0xffffffff81000000)
#define FIXUP_IP  UINT64_C(0xffffffff81999000)
#define VMALLOC   UINT64_C(0xffffc90000000000)
#define VSYSCALL  UINT64_C(0xffffffffff600000)
#define IN_DATA   UINT64_C(0x400123)
#define NOWHERE   UINT64_C(0x700123)
#define IN_KERNEL UINT64_C(0xffff880000001234)

enum { ANSWER_FRAMES = 16, ANSWER_ROOT = 0x1000, ANSWER_REFERENCE = 0x2000 };

struct answer {
    struct fl_snapshot s;
    struct fl_vma vmas[2];
    struct fl_extable_entry extable;
    uint64_t ldt[2];
    uint8_t code[15]; /* at ip */
    uint64_t ram[ANSWER_FRAMES * 512];
    bool stack_readable;
    struct fl_expected want;
    struct fl_outcome got;
    struct fl_effects effects;
};

static inline bool answer_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct answer *a = ctx;
    (void)user;
    if (linear - a->s.regs.ip >= sizeof a->code)
        return false;
    *byte = a->code[linear - a->s.regs.ip];
    return true;
}

static inline bool answer_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct answer *a = ctx;
    if (paddr + size > sizeof a->ram)
        return false;
    *value = 0;
    memcpy(value, (const uint8_t *)a->ram + paddr, size);
    return true;
}

static inline bool answer_word(void *ctx, uint64_t addr, uint64_t *value)
{
    struct answer *a = ctx;
    if (!a->stack_readable)
        return false;
    *value = addr + 0x1000;
    return true;
}

static inline bool answer_symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    (void)ctx;
    if (ip < KERNEL_IP)
        return false;
    snprintf(buf, size, "do_it+0x12/0x34");
    return true;
}

static inline void answer_file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    (void)ctx;
    snprintf(buf, size, "file%u", file);
}

/* A user read of data, not present. */
static inline void answer_base(struct answer *a)
{
    struct fl_snapshot *s = &a->s;
    memset(a, 0, sizeof *a);
    s->cpu = (struct fl_cpu){.mode = FL_MODE_4LEVEL, .vendor = FL_VENDOR_AMD, .family = 15, .maxphyaddr = 40};
    s->cpu.cr0 = 0x80010001;
    s->cpu.cr3 = ANSWER_ROOT;
    s->cpu.cr4 = 0x20;
    s->cpu.efer = 0xd00;
    s->kernel = (struct fl_kernel){.task_size = UINT64_C(0x7ffffffff000),
                                   .mmap_min_addr = 0x10000,
                                   .word = 8,
                                   .generation = FL_GEN_CURRENT,
                                   .fault_retry = true,
                                   .spurious_check = true,
                                   .smap = true,
                                   .pku = true,
                                   .vsyscall_emulation = true,
                                   .show_unhandled = true,
                                   .oops_may_print = true,
                                   .page_offset = UINT64_C(0xffff880000000000),
                                   .vmalloc_start = VMALLOC,
                                   .vmalloc_end = UINT64_C(0xffffe90000000000),
                                   .text_start = KERNEL_IP,
                                   .text_end = KERNEL_IP + 0x1000000,
                                   .vsyscall = VSYSCALL,
                                   .init_root = ANSWER_REFERENCE,
                                   .low_frames = ANSWER_FRAMES};
    s->task = (struct fl_task){.pid = 100,
                               .comm = "prog",
                               .has_mm = true,
                               .segv_unhandled = true,
                               .stack_limit = UINT64_C(8) << 20,
                               .as_limit = UINT64_MAX,
                               .mm_root = ANSWER_ROOT,
                               .active_root = ANSWER_ROOT};
    s->codeseg = (struct fl_codeseg){.limit = UINT32_MAX, .bits = 64};
    s->regs.ip = USER_IP;
    s->regs.cs = 0x33;
    s->regs.flags = 2;
    s->regs.gpr[FL_RSP] = 0x600000;
    s->cr2 = IN_DATA;
    s->error_code = U;
    a->vmas[0] = (struct fl_vma){.start = 0x400000, .end = 0x410000, .generation = 1, .read = true, .write = true};
    a->vmas[1] = (struct fl_vma){.start = 0x600000, .end = 0x610000, .generation = 2, .read = true, .write = true};
    a->vmas[1].growsdown = true;
    s->vmas = a->vmas;
    s->nvmas = 2;
    s->extable = &a->extable;
    s->ldt = a->ldt;
    s->ctx = a;
    s->byte = answer_byte;
    s->read = answer_read;
    s->word = answer_word;
    s->symbol = answer_symbol;
    s->file_name = answer_file_name;
    memset(a->code, 0x90, sizeof a->code);
}

/* ---- changes to it ---- */

static inline void answer_kernel(struct answer *a)
{
    a->s.error_code &= ~(uint64_t)U;
    a->s.regs.cs = 0x10;
    a->s.regs.ip = KERNEL_IP;
}

static inline void answer_fixup(struct answer *a)
{
    a->extable = (struct fl_extable_entry){a->s.regs.ip, FIXUP_IP};
    a->s.nextable = 1;
}

static inline void answer_prefetch(struct answer *a)
{
    a->code[0] = 0x0f;
    a->code[1] = 0x18;
    a->code[2] = 0x06;
}

/* The reference maps VMALLOC by frames 3, 4 and 5; the tables in use know nothing of it. */
static inline void answer_vmalloc(struct answer *a)
{
    answer_kernel(a);
    a->s.cr2 = VMALLOC + 8;
    a->ram[ANSWER_REFERENCE / 8 + (VMALLOC >> 39 & 511)] = 0x3063;
    a->ram[0x3000 / 8] = 0x4063;
    a->ram[0x4000 / 8] = 0x5063;
    a->ram[0x5000 / 8] = 0x6163;
}

/* ---- the right answer ---- */

/* The effects that the expectation stands for. */
static inline void answer_effects(const struct fl_snapshot *s, const struct fl_expected *want, struct fl_effects *e)
{
    bool user = (s->regs.cs & 3) == 3, irq_was_on = s->cr2 < s->kernel.task_size && (s->regs.flags & 0x200);
    memset(e, 0, sizeof *e);
    e->mm_calls = want->mm_calls;
    memcpy(e->mm_flags, want->mm_flags, sizeof e->mm_flags);
    e->mm_addr = s->cr2;
    e->grew = want->grows;
    e->new_start = want->new_start;
    e->irq_calls = want->outcome.irq_on;
    e->irq_late = want->lock_taken && want->outcome.irq_on && !irq_was_on;
    e->report_gets = want->report_lock;
    e->lock_gets = (want->lock_taken ? 1u + want->nagain : 0) + e->report_gets;
    e->lock_drops = e->lock_gets;
    e->lock_tries = want->lock_tried;
    e->lock_takes = want->nagain + (want->lock_taken && s->lock_contended);
    e->report_tries = want->report_tried;
    e->lock_asks = e->lock_tries + e->lock_takes + e->report_tries;
    e->kprobes = s->task.kprobe_running && !user;
    e->yields = want->yields;
    for (unsigned i = 0; i < want->mm_calls; i++) /* a RETRY that was allowed */
        e->fatal_asks += (s->mm_result[i] == FL_MM_RETRY || s->mm_result[i] == FL_MM_RETRY_MAJOR) &&
                         (want->mm_flags[i] & FL_MM_ALLOW_RETRY);
    for (unsigned i = 0; i < FL_LIMIT_COUNT; i++)
        e->limits[i] = want->limit[i];
    e->vsyscalls = want->vsyscall;
    e->vsyscall_nr = want->vsyscall_nr;
    e->dies = want->dies;
    e->die = want->die;
    e->die_code = s->error_code;
    e->writes = want->sync.nwrites;
    memcpy(e->write, want->sync.write, sizeof want->sync.write);
    e->flushes = want->sync.flush;
    e->flushed_writes = want->sync.nwrites;
    e->warns = want->sync.warn;
    e->nlog = want->nlog;
    memcpy(e->log, want->log, want->nlog);
}

static inline void answer_make(struct answer *a, void (*make)(struct answer *a))
{
    struct fl_divergence d;
    answer_base(a);
    make(a);
    CHECK_EQ(fl_policy_decide(&a->s, &a->want), FL_OK, "decide");
    a->got = a->want.outcome;
    answer_effects(&a->s, &a->want, &a->effects);
    d.detail[0] = '\0';
    CHECK(!fl_compare_fault(&a->s, &a->want, &a->got, &a->effects, &d), "the right answer differs: %s", d.detail);
}

static inline void answer_expect(struct answer *a, const char *key, const char *what)
{
    struct fl_divergence d;
    memset(&d, 0, sizeof d);
    bool differs = fl_compare_fault(&a->s, &a->want, &a->got, &a->effects, &d);
    CHECK(differs, "%s: no difference seen", what);
    if (differs)
        expect_key(&d, key, what);
}

/* A kind of fault: changes to the base, with a and s at hand. */
#define FAULT(name, ...)                                                                                               \
    static void name(struct answer *a)                                                                                 \
    {                                                                                                                  \
        struct fl_snapshot *s = &a->s;                                                                                 \
        (void)s;                                                                                                       \
        __VA_ARGS__;                                                                                                   \
    }

static struct answer answer_spoilt;

/* One spoilt answer: o is the outcome, f the effects. */
#define SPOIL(make, key, ...)                                                                                          \
    do {                                                                                                               \
        struct answer *const a = &answer_spoilt;                                                                       \
        answer_make(a, make);                                                                                          \
        struct fl_outcome *o = &a->got;                                                                                \
        struct fl_effects *f = &a->effects;                                                                            \
        (void)o, (void)f;                                                                                              \
        __VA_ARGS__;                                                                                                   \
        answer_expect(a, key, #make ": " #__VA_ARGS__);                                                                \
    } while (0)

/* A difference that means nothing. */
#define HARMLESS(make, ...)                                                                                            \
    do {                                                                                                               \
        struct answer *const a = &answer_spoilt;                                                                       \
        struct fl_divergence d;                                                                                        \
        answer_make(a, make);                                                                                          \
        struct fl_outcome *o = &a->got;                                                                                \
        struct fl_effects *f = &a->effects;                                                                            \
        (void)o, (void)f;                                                                                              \
        __VA_ARGS__;                                                                                                   \
        d.detail[0] = '\0';                                                                                            \
        CHECK(!fl_compare_fault(&a->s, &a->want, &a->got, &a->effects, &d), "%s: %s: %s", #make, #__VA_ARGS__,         \
              d.detail);                                                                                               \
    } while (0)

#endif
