/* SPDX-License-Identifier: MIT */
/*
 * What verdicts mean, and what a way through the table comes to.
 */
#include "meaning.h"
#include "message.h"

#include <string.h>

/* Signals and their codes: the x86 kernel ABI (Linux asm-generic/siginfo.h), POSIX <signal.h>. */
enum { SIGNAL_BUS = 7, SIGNAL_SEGV = 11 };
enum {
    CODE_MAPERR = 1,
    CODE_ACCERR = 2,
    CODE_PKUERR = 4,
    CODE_BUS_ADRERR = 2,
    CODE_BUS_MCEERR_AR = 4,
    CODE_KERNEL = 0x80,
};

enum {
    VECTOR_PF = 14, /* Intel SDM vol. 3A, 6.15 */
    /* log2 of the sizes of pages; the large one is a page directory entry's: Intel SDM vol. 3A, tables 4-1 and 4-4 */
    PAGE_SHIFT = 12,
    LARGE_SHIFT = 21,
    LARGE_SHIFT_2LEVEL = 22,
    /* vm86 programs draw into the VGA window at A0000, 32 pages that are watched: Linux 2.6.25 do_page_fault (2008). */
    SCREEN = 0xa0000,
    SCREEN_PAGES = 32,
};

static const uint64_t FLAG_VM = UINT64_C(1) << 17; /* RFLAGS: Intel SDM vol. 1, 3.4.3 */

#define GO(part, what)           .next = FL_PART_##part, .flags = (what)
#define END(what, how)           .next = M_END, .action = FL_ACT_##what, .flags = (how)
#define SIGNAL(which, code, how) END(SIGNAL, how), .signo = SIGNAL_##which, .si_code = (code)

const struct fl_policy_meaning fl_policy_meanings[V_COUNT] = {
    [V_CLAIMED] = {END(KPROBE, 0)},
    [V_SYNCED] = {END(SYNCED, 0)},
    [V_SYNC_BUG] = {END(BUG, 0)},
    [V_SYNC_WILD] = {END(WILD, 0)},
    [V_SPURIOUS] = {END(SPURIOUS, 0)},
    [V_EMULATE] = {END(EMULATED, M_IRQ_ON | M_VSYSCALL | M_RETURNS)},
    [V_EMULATE_FAULT] = {SIGNAL(SEGV, CODE_KERNEL, M_IRQ_ON | M_VSYSCALL)},
    [V_EMULATE_NONE] = {SIGNAL(SEGV, CODE_KERNEL, M_IRQ_ON)},
    [V_KERNEL_HALF] = {GO(ENDING, M_SHOW_P), .si_code = CODE_MAPERR},
    [V_BAD_PAGETABLE] = {END(BAD_PAGETABLE, M_RESTORE | M_THREAD | M_DIES)},
    [V_EARLY_93] = {END(ERRATUM93, M_RESTORE | M_HIGH_IP | M_ASK_93 | M_SAY_93)},
    [V_EARLY_93_QUIET] = {END(ERRATUM93, M_RESTORE | M_HIGH_IP | M_ASK_93)},
    [V_EARLY_OOPS] = {END(OOPS, M_RESTORE | M_THREAD | M_DIES)},
    [V_USER_HALF] = {GO(AREA, M_RESTORE)},

    [V_BAD_EARLY] = {GO(ENDING, 0), .si_code = CODE_MAPERR},
    [V_BAD_CONTENDED] = {GO(ENDING, M_TRIED), .si_code = CODE_MAPERR},
    [V_BAD_MAPERR] = {GO(ENDING, M_LOCKED), .si_code = CODE_MAPERR},
    [V_BAD_ACCERR] = {GO(ENDING, M_LOCKED | M_PLACED), .si_code = CODE_ACCERR},
    [V_BAD_PKUERR] = {GO(ENDING, M_LOCKED | M_PLACED | M_PKEY), .si_code = CODE_PKUERR},
    [V_ASK] = {GO(ANSWER, M_LOCKED | M_PLACED | M_ASKED)},

    [V_MINOR] = {END(HANDLED, 0)},
    [V_MAJOR] = {END(HANDLED, M_MAJOR)},
    [V_RETRY] = {GO(AREA, M_RETRIED)},
    [V_RETRY_MAJOR] = {GO(AREA, M_RETRIED | M_COUNTED)},
    [V_WAIT] = {GO(AREA, M_WAITED)},
    [V_FATAL] = {END(FATAL_SIGNAL, 0)},
    [V_OOM_KILL] = {END(OOM_KILL, M_SAY_OOM)},
    [V_OOM_KERNEL] = {GO(ENDING, M_SAY_OOM)},
    [V_NO_CONTEXT] = {GO(ENDING, 0)},
    [V_IGNORE] = {END(IGNORED, 0)},
    [V_SIGBUS] = {SIGNAL(BUS, CODE_BUS_ADRERR, M_THREAD)},
    [V_POISON] = {SIGNAL(BUS, CODE_BUS_MCEERR_AR, M_THREAD | M_LSB | M_SAY_POISON)},
    [V_POISON_LARGE] = {SIGNAL(BUS, CODE_BUS_MCEERR_AR, M_THREAD | M_LSB | M_LARGE | M_SAY_POISON)},
    [V_ANSWER_SEGV] = {GO(ENDING, 0), .si_code = CODE_MAPERR},

    [V_IGNORE_USER] = {END(IGNORED, M_IRQ_ON)},
    [V_SEGV_REPORT] = {SIGNAL(SEGV, 0, M_THREAD | M_IRQ_ON | M_ASK_SIGNAL | M_SAY_SIGNAL)},
    [V_SEGV_LIMITED] = {SIGNAL(SEGV, 0, M_THREAD | M_IRQ_ON | M_ASK_SIGNAL)},
    [V_SEGV] = {SIGNAL(SEGV, 0, M_THREAD | M_IRQ_ON)},
    [V_INVALID_OP] = {END(INVALID_OP, 0)},
    [V_OOPS] = {END(OOPS, M_THREAD | M_DIES)},
    [V_FIXUP] = {END(FIXUP, M_FIXUP)},
    [V_93] = {END(ERRATUM93, M_HIGH_IP | M_ASK_93 | M_SAY_93)},
    [V_93_QUIET] = {END(ERRATUM93, M_HIGH_IP | M_ASK_93)},
};

/* ---- a whole way ------------------------------------------------------------------------------------------------ */

struct sum {
    uint32_t flags;
    int si_code;
    const struct fl_policy_meaning *end;
};

/* The rows of the way, what they add up to, and what it counts. */
static struct sum add_up(const struct fl_policy_trail *t, struct fl_expected *e)
{
    size_t nrows;
    const struct fl_policy_row *rows = fl_policy_rows(&nrows);
    struct sum sum = {0};

    for (unsigned part = 0; part < FL_PART_COUNT; part++)
        e->path[part] = FL_POLICY_NO_ROW;
    for (unsigned i = 0; i < t->nsteps; i++) {
        const struct fl_policy_row *row = &rows[t->step[i].row];
        const struct fl_policy_meaning *m = &fl_policy_meanings[row->verdict];
        e->path[row->part] = e->row = t->step[i].row;
        sum.flags |= m->flags;
        sum.end = m;
        if (m->si_code != 0)
            sum.si_code = m->si_code;
        if (row->part == FL_PART_ANSWER && m->next == FL_PART_AREA) {
            e->again[e->nagain++] = t->step[i].row;
            e->yields = (uint8_t)(e->yields + ((m->flags & M_WAITED) != 0));
        }
    }
    return sum;
}

static uint32_t screen_bits(const struct fl_snapshot *s)
{
    if (s->kernel.word != 4 || !(s->regs.flags & FLAG_VM) || s->cr2 < SCREEN)
        return 0;
    uint64_t page = (s->cr2 - SCREEN) >> PAGE_SHIFT;
    return page < SCREEN_PAGES ? UINT32_C(1) << page : 0;
}

static uint64_t new_ip(const struct fl_snapshot *s, const struct fl_policy_trail *t, uint32_t flags)
{
    if (flags & M_FIXUP)
        return t->fixup;
    if (flags & M_HIGH_IP)
        return s->cr2 | UINT64_C(0xffffffff00000000);
    return flags & M_RETURNS ? t->return_address : 0;
}

static void write_signal(const struct fl_snapshot *s, const struct fl_policy_trail *t, const struct sum *sum,
                         struct fl_outcome *o)
{
    o->signo = sum->end->signo;
    o->si_code = sum->si_code;
    if (sum->flags & M_THREAD) /* else it is the kernel's own signal, about no address */
        o->si_addr = s->cr2;
    if (sum->flags & M_PKEY)
        o->si_pkey = t->pkey;
    if (sum->flags & M_LSB)
        o->si_addr_lsb = !(sum->flags & M_LARGE)         ? PAGE_SHIFT
                         : s->cpu.mode == FL_MODE_2LEVEL ? LARGE_SHIFT_2LEVEL
                                                         : LARGE_SHIFT;
}

static void write_outcome(const struct fl_snapshot *s, const struct fl_policy_trail *t, const struct sum *sum,
                          struct fl_outcome *o)
{
    bool irq_was_on = (t->step[0].word & F_IRQ_WAS_ON) != 0;
    memset(o, 0, sizeof *o);
    o->action = sum->end->action;
    o->irq_on = (sum->flags & M_IRQ_ON) || ((sum->flags & M_RESTORE) && irq_was_on);
    if (o->action == FL_ACT_HANDLED) {
        o->major = (sum->flags & M_MAJOR) != 0;
        o->screen_bits = screen_bits(s);
    }
    if (o->action == FL_ACT_SIGNAL)
        write_signal(s, t, sum, o);
    if (sum->flags & M_THREAD) {
        o->thread_valid = true;
        o->thread_cr2 = s->cr2;
        o->thread_error_code = s->error_code;
        /* Whether a kernel address is mapped is nothing to tell the user of (zoo kaddr-errcode-leak). */
        if (o->action == FL_ACT_SIGNAL && (sum->flags & M_SHOW_P))
            o->thread_error_code |= EC_P;
        o->thread_trap_no = VECTOR_PF;
    }
    o->new_ip = new_ip(s, t, sum->flags);
    if (sum->flags & M_RETURNS)
        o->new_sp = s->regs.gpr[FL_RSP] + s->kernel.word;
}

/* At most one of them, but for OOM, which others may follow. */
static void write_log(const struct fl_snapshot *s, uint32_t flags, struct fl_expected *e)
{
    if (flags & M_SAY_OOM)
        fl_message_out_of_memory(s, e);
    if (flags & M_SAY_POISON)
        fl_message_poison(s, e);
    if (flags & M_SAY_93)
        fl_message_erratum93(s, e);
    if (flags & M_SAY_SIGNAL)
        fl_message_segfault(s, e->outcome.thread_error_code, e);
    if (e->dies && e->die == FL_DIE_OOPS)
        fl_message_oops(s, e);
    if (e->dies && e->die == FL_DIE_BAD_PAGETABLE)
        fl_message_bad_pagetable(s, e);
}

void fl_policy_write(const struct fl_snapshot *s, const struct fl_policy_trail *trail, struct fl_expected *out)
{
    /* The log is long and mostly empty: only what is appended to it is written. */
    memset(out, 0, offsetof(struct fl_expected, log));
    out->log[0] = '\0';

    struct sum sum = add_up(trail, out);
    out->synced = trail->synced;
    if (trail->synced)
        out->sync = trail->sync;
    out->mm_calls = trail->mm_calls;
    memcpy(out->mm_flags, trail->mm_flags, trail->mm_calls);
    out->grows = trail->grows;
    if (trail->grows)
        out->new_start = fl_policy_page(s);
    out->lock_tried = (sum.flags & (M_TRIED | M_LOCKED)) != 0;
    out->lock_taken = (sum.flags & M_LOCKED) != 0;
    out->limit[FL_LIMIT_SIGNAL] = (sum.flags & M_ASK_SIGNAL) != 0;
    out->limit[FL_LIMIT_ERRATUM93] = (sum.flags & M_ASK_93) != 0;
    if (sum.flags & M_VSYSCALL) {
        out->vsyscall = true;
        out->vsyscall_nr = (uint8_t)(s->cr2 >> 10 & 3);
    }
    if (sum.flags & M_DIES) {
        out->dies = true;
        out->die = sum.end->action == FL_ACT_OOPS ? FL_DIE_OOPS : FL_DIE_BAD_PAGETABLE;
    }
    write_outcome(s, trail, &sum, &out->outcome);
    write_log(s, sum.flags, out);
}
