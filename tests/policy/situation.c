/* SPDX-License-Identifier: MIT */
#include "situation.h"

#include <string.h>

static bool read_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct situation *t = ctx;
    t->reads++;
    bool user_regs = (t->s.regs.cs & 3) == 3 || (t->s.regs.flags & 0x20000);
    if (user != user_regs)
        t->wrong_reads++;
    if (linear < t->code_at || linear - t->code_at >= t->ncode)
        return false;
    *byte = t->code[linear - t->code_at];
    return true;
}

void situation_make(struct situation *t, const struct choices *c)
{
    static const uint8_t prefetch[] = {0x66, 0x0f, 0x18, 0x06}, other[] = {0x66, 0x8b, 0x06, 0x90};
    struct fl_snapshot *s = &t->s;
    bool wide = c->word == 8, user = c->regs != KERNEL;

    memset(t, 0, sizeof *t);
    s->cpu.mode = wide ? FL_MODE_4LEVEL : FL_MODE_PAE;
    s->cpu.vendor = c->bytes == PREFETCH_INTEL ? FL_VENDOR_INTEL : FL_VENDOR_AMD;
    s->cpu.family = c->bytes == PREFETCH_AMD5 ? 5 : 6;
    s->kernel.word = c->word;
    s->kernel.task_size = wide ? UINT64_C(0x7ffffffff000) : UINT64_C(0xc0000000);
    s->kernel.guard_gap = c->growth & GUARD ? 0x2e1000 : 0x2e0000;
    s->kernel.mmap_min_addr = c->growth & MIN_ADDR ? 0x3f1000 : 0x3f0000;
    s->task.pid = 100;
    s->task.has_mm = !(c->task & NO_MM);
    s->task.in_atomic = c->task & ATOMIC;
    s->task.faults_disabled = c->task & FAULTS_OFF;
    s->task.stack_limit = c->growth & RLIMIT ? 0x2ffff : 0x30000;
    s->task.as_limit = c->growth & AS_LIMIT ? 64 * 4096 - 1 : 64 * 4096;
    s->codeseg = (struct fl_codeseg){.limit = UINT32_MAX, .bits = wide ? 64 : 32};
    s->regs.cs = c->regs == USER ? 0x33 : c->regs == VM86 ? 0x1000 : 0x10;
    s->regs.flags = 2u | (c->if_on ? 1u << 9 : 0) | (c->regs == VM86 ? 1u << 17 : 0);
    s->regs.ip = user ? 0x8048000 : wide ? UINT64_C(0xffffffff81000000) : UINT64_C(0xc0100000);
    s->regs.gpr[FL_RSP] = 0x3f0123 + 65536 + 32 * c->word + (c->growth & CUSHION ? 1 : 0);
    s->error_code = c->code;
    s->cr2 = c->layout == KERNEL_ADDRESS                        ? s->kernel.task_size
             : c->layout == NOTHING                             ? 0x500123
             : c->layout == INSIDE || c->layout == INSIDE_STACK ? 0x400123
                                                                : 0x3f0123;

    t->vmas[0] = (struct fl_vma){.start = 0x100000, .end = 0x110000, .generation = 1, .read = true};
    t->vmas[1] = (struct fl_vma){.start = 0x400000, .end = 0x420000, .generation = 2};
    t->vmas[1].read = c->prot & R;
    t->vmas[1].write = c->prot & WR;
    t->vmas[1].exec = c->prot & X;
    t->vmas[1].growsdown = c->layout == INSIDE_STACK || c->layout == BELOW_STACK;
    s->vmas = t->vmas;
    s->nvmas = 2;
    t->extable[0] = (struct fl_extable_entry){s->regs.ip + 1, 0x1111};
    t->extable[1] = (struct fl_extable_entry){s->regs.ip, FIXUP_IP};
    s->extable = t->extable;
    s->nextable = c->extable ? 2 : 1;

    t->code_at = s->regs.ip;
    t->ncode = c->bytes == UNREADABLE ? 2 : sizeof prefetch; /* the opcode's second byte is missing */
    memcpy(t->code, c->bytes == OTHER ? other : prefetch, sizeof prefetch);
    s->byte = read_byte;
    s->byte_ctx = t;
    s->lock_contended = c->contended;
    s->expand_refused = c->growth & REFUSED;
    s->mm_result = c->mm;
}

static void signal(struct reference *r, int signo, int si_code)
{
    r->want.outcome.action = FL_ACT_SIGNAL;
    r->want.outcome.signo = signo;
    r->want.outcome.si_code = si_code;
}

/* After the ladder: fields that follow from the action. */
static void finish(const struct situation *t, struct reference *r)
{
    struct fl_outcome *o = &r->want.outcome;
    if (o->action == FL_ACT_SIGNAL)
        o->si_addr = t->s.cr2;
    if (o->action == FL_ACT_SIGNAL || o->action == FL_ACT_OOPS || o->action == FL_ACT_BAD_PAGETABLE) {
        o->thread_valid = true;
        o->thread_cr2 = t->s.cr2;
        o->thread_error_code = t->s.error_code;
        o->thread_trap_no = 14;
    }
    if (o->action == FL_ACT_FIXUP)
        o->new_ip = FIXUP_IP;
}

static void bad_area(const struct choices *c, int si_code, struct reference *r)
{
    const char **row = &r->row[FL_PART_ENDING];
    bool prefetch = c->bytes == PREFETCH && !(c->code & I);
    if (c->code & U) {
        r->want.outcome.irq_on = true;
        *row = prefetch ? "user-prefetch" : "user-segv";
        if (prefetch)
            r->want.outcome.action = FL_ACT_IGNORED;
        else
            signal(r, 11, si_code);
    } else if (c->regs != KERNEL) {
        *row = "implicit-supervisor";
        r->want.outcome.action = FL_ACT_OOPS;
    } else if (c->extable) {
        *row = "kernel-fixup";
        r->want.outcome.action = FL_ACT_FIXUP;
    } else if (prefetch) {
        *row = "kernel-prefetch";
        r->want.outcome.action = FL_ACT_IGNORED;
    } else {
        *row = "kernel-oops";
        r->want.outcome.action = FL_ACT_OOPS;
    }
}

static void good_area(const struct choices *c, struct reference *r)
{
    const char **row = &r->row[FL_PART_ANSWER];
    bool user = c->code & U;
    r->want.mm_asked = true;
    r->want.mm_write = c->code & W;
    switch (c->mm) {
    case FL_MM_MINOR:
    case FL_MM_MAJOR:
        *row = c->mm == FL_MM_MINOR ? "mm-minor" : "mm-major";
        r->want.outcome.action = FL_ACT_HANDLED;
        r->want.outcome.major = c->mm == FL_MM_MAJOR;
        return;
    case FL_MM_OOM:
        *row = user ? "oom-user" : "oom-kernel";
        if (user)
            r->want.outcome.action = FL_ACT_OOM_KILL;
        else
            bad_area(c, 0, r);
        return;
    default:
        if (!user) {
            *row = "sigbus-kernel";
            bad_area(c, 0, r);
        } else if (c->bytes == PREFETCH && !(c->code & I)) {
            *row = "sigbus-prefetch";
            r->want.outcome.action = FL_ACT_IGNORED;
        } else {
            *row = "sigbus-user";
            signal(r, 7, 2);
        }
    }
}

static void under_lock(const struct choices *c, struct reference *r)
{
    static const char *const refusals[] = {"stack-cushion",   "stack-rlimit",   "stack-min-addr",
                                           "stack-guard-gap", "stack-as-limit", "stack-refused"};
    const char **row = &r->row[FL_PART_AREA];
    r->want.lock_taken = true;
    if (c->layout == NOTHING || c->layout == BELOW) {
        *row = c->layout == NOTHING ? "no-vma" : "below-vma";
        bad_area(c, 1, r);
        return;
    }
    if (c->layout == BELOW_STACK) {
        for (unsigned i = 0; i < 6; i++) {
            if (!(c->growth >> i & 1) || (i == 0 && !(c->code & U)))
                continue;
            *row = refusals[i];
            bad_area(c, 1, r);
            return;
        }
        r->want.grows = true;
        r->want.new_start = 0x3f0000;
    }
    if (c->code & W ? !(c->prot & WR) : (c->code & P) || c->prot == 0) {
        *row = c->code & W ? "write-denied" : c->code & P ? "read-present" : "no-access";
        bad_area(c, 2, r);
        return;
    }
    if (c->layout == BELOW_STACK)
        *row = c->code & W ? "stack-write" : "stack-read";
    else
        *row = c->code & W ? "area-write" : "area-read";
    good_area(c, r);
}

void situation_reference(const struct situation *t, const struct choices *c, struct reference *r)
{
    memset(r, 0, sizeof *r);
    if (c->layout == KERNEL_ADDRESS) {
        r->row[FL_PART_AREA] = "kernel-address";
        return;
    }
    r->want.supported = true;
    r->want.outcome.irq_on = c->if_on || (c->regs == VM86 && c->word == 4);
    if ((c->code & (P | RSVD)) == (P | RSVD)) {
        r->row[FL_PART_AREA] = "reserved-bit";
        r->want.outcome.action = FL_ACT_BAD_PAGETABLE;
    } else if (c->task != 0) {
        r->row[FL_PART_AREA] = c->task & ATOMIC ? "atomic" : c->task & FAULTS_OFF ? "faults-disabled" : "no-mm";
        bad_area(c, 1, r);
    } else if (c->contended && !(c->code & U) && !c->extable) {
        r->row[FL_PART_AREA] = "lock-no-fixup";
        bad_area(c, 1, r);
    } else {
        under_lock(c, r);
    }
    finish(t, r);
}
