/* SPDX-License-Identifier: MIT */
/*
 * The fault decision once more, as plain control flow over the choices of a situation.
 */
#include "situation.h"

#include <string.h>

static void end(struct reference *r, enum fl_action action)
{
    r->want.outcome.action = (uint8_t)action;
}

static void signal(struct reference *r, int signo, int si_code)
{
    end(r, FL_ACT_SIGNAL);
    r->want.outcome.signo = signo;
    r->want.outcome.si_code = si_code;
}

static void die(struct reference *r, enum fl_action action, enum fl_die what)
{
    end(r, action);
    r->want.dies = true;
    r->want.die = (uint8_t)what;
}

static bool irq_was_on(const struct choices *c)
{
    return c->if_on || (c->regs == VM86 && c->word == 4);
}

static bool code64(const struct choices *c)
{
    return c->word == 8 && c->regs != VM86 && (c->selector == SEL_PLAIN || c->selector == SEL_LDT64);
}

/* The three bytes of a prefetch at ip can be read by the accessor of that context. */
static bool readable(const struct situation *t, const struct choices *c)
{
    uint64_t first = t->code_at, last = t->code_at + 2;
    if (c->regs == VM86)
        return (uint16_t)t->s.regs.ip <= 0xffff - 2;
    if (c->selector == SEL_LDT_OUTSIDE)
        return false;
    if (c->regs == USER)
        return last < t->s.kernel.task_size;
    return !(c->built & HAS_PAGE) || last < VSYSCALL_AT || first >= VSYSCALL_AT + 4096;
}

static bool is_prefetch(const struct situation *t, const struct choices *c)
{
    return c->bytes == PREFETCH && !(c->code & I) && readable(t, c);
}

static bool is_erratum93(const struct choices *c)
{
    return c->word == 8 && (c->cpu & AMD_15) && c->bytes != PREFETCH_INTEL && c->bytes != PREFETCH_AMD5 && c->at_ip &&
           (c->layout == LOW_TEXT || c->layout == LOW_MODULES);
}

static void erratum93(const struct situation *t, const struct choices *c, struct reference *r)
{
    end(r, FL_ACT_ERRATUM93);
    r->want.outcome.new_ip = t->s.cr2 | UINT64_C(0xffffffff00000000);
    r->want.limit[FL_LIMIT_ERRATUM93] = true;
    if (!c->warned)
        r->says = "K8 errata #93";
}

static void kernel_ending(const struct situation *t, const struct choices *c, struct reference *r)
{
    const char **row = &r->row[FL_PART_ENDING];
    if (c->regs != KERNEL) {
        *row = "implicit-supervisor";
    } else if (c->extable) {
        *row = "kernel-fixup";
        end(r, FL_ACT_FIXUP);
        r->want.outcome.new_ip = FIXUP_IP;
        return;
    } else if (is_prefetch(t, c)) {
        *row = "kernel-prefetch";
        end(r, FL_ACT_IGNORED);
        return;
    } else if (is_erratum93(c)) {
        *row = c->warned ? "erratum-93-quiet" : "erratum-93";
        erratum93(t, c, r);
        return;
    } else {
        *row = "kernel-oops";
    }
    die(r, FL_ACT_OOPS, FL_DIE_OOPS);
}

static void user_ending(const struct situation *t, const struct choices *c, int si_code, struct reference *r)
{
    const char **row = &r->row[FL_PART_ENDING];
    bool high = c->layout == HIGH_NOTHING || c->layout >= FIRST_KERNEL_LAYOUT;
    bool compat = c->regs != VM86 && (c->selector >= SEL_LDT32 || (c->selector == SEL_USER32 && c->regs == USER));

    r->want.outcome.irq_on = true;
    if (is_prefetch(t, c)) {
        *row = "user-prefetch";
        end(r, FL_ACT_IGNORED);
        return;
    }
    if (c->word == 8 && high && compat) {
        *row = "erratum-100";
        end(r, FL_ACT_IGNORED);
        return;
    }
    signal(r, 11, si_code);
    if (!(c->report & SHOW)) {
        *row = "user-segv-hidden";
    } else if (!(c->report & UNHANDLED)) {
        *row = "user-segv-caught";
    } else {
        *row = c->report & LIMITED ? "user-segv-limited" : "user-segv";
        r->want.limit[FL_LIMIT_SIGNAL] = true;
        if (!(c->report & LIMITED))
            r->says = "segfault at ";
    }
}

static void bad_area(const struct situation *t, const struct choices *c, int si_code, struct reference *r)
{
    if (c->code & U) {
        user_ending(t, c, si_code, r);
    } else if (c->word == 4 && (c->built & F00F) && (c->layout == IDT_FIRST || c->layout == IDT_LAST)) {
        r->row[FL_PART_ENDING] = "f00f";
        end(r, FL_ACT_INVALID_OP);
    } else {
        kernel_ending(t, c, r);
    }
}

/* ---- the kernel half -------------------------------------------------------------------------------------------- */

static enum fl_sync_end sync_end(const struct choices *c)
{
    if (c->layout != KERNEL_ADDRESS)
        return FL_SYNC_NOT_HANDLED; /* not in the vmalloc range */
    switch (c->tables) {
    case IN_REFERENCE: return FL_SYNC_HANDLED;
    case CONTRADICTORY: return FL_SYNC_BUG;
    case NO_MEMORY: return FL_SYNC_WILD;
    default: return FL_SYNC_NOT_HANDLED;
    }
}

static void vsyscall(const struct situation *t, const struct choices *c, struct reference *r)
{
    const char **row = &r->row[FL_PART_ENTRY];
    if (!code64(c)) { /* emulate_vsyscall is not called */
        *row = "vsyscall-compat";
        bad_area(t, c, 1, r);
        return;
    }
    r->want.outcome.irq_on = true; /* user code, wherever it came from: 3.1 do_page_fault */
    if (c->layout != VSYSCALL_0 && c->layout != VSYSCALL_1) {
        *row = "vsyscall-misaligned";
    } else if (c->no_return) {
        *row = "vsyscall-no-stack";
    } else {
        *row = c->vsyscall_fails ? "vsyscall-fault" : "vsyscall";
        r->want.vsyscall = true;
        r->want.vsyscall_nr = c->layout == VSYSCALL_1;
    }
    if (strcmp(*row, "vsyscall") != 0) {
        signal(r, 11, 0x80); /* its label sigsegv: force_sig */
    } else {
        end(r, FL_ACT_EMULATED);
        r->want.outcome.new_ip = RETURN_IP;
        r->want.outcome.new_sp = t->s.regs.gpr[FL_RSP] + 8;
    }
}

static void kernel_half(const struct situation *t, const struct choices *c, struct reference *r)
{
    static const char *const names[] = {"sync-refused", "synced", "sync-bug", "sync-wild"};
    static const uint8_t actions[] = {FL_ACT_NONE, FL_ACT_SYNCED, FL_ACT_BUG, FL_ACT_WILD};
    bool in_page = c->layout >= VSYSCALL_0 && c->layout <= VSYSCALL_LAST;

    if (!(c->code & (P | U | RSVD))) {
        enum fl_sync_end synced = sync_end(c);
        r->want.synced = true;
        r->want.sync.end = (uint8_t)synced;
        r->row[FL_PART_ENTRY] = names[synced];
        if (synced == FL_SYNC_NOT_HANDLED)
            bad_area(t, c, 1, r);
        else
            end(r, (enum fl_action)actions[synced]);
    } else if ((c->built & CHECKS_SPURIOUS) && (c->code == (P | W) || c->code == (P | I)) &&
               c->layout == KERNEL_ADDRESS && c->tables == MAPPED) {
        r->row[FL_PART_ENTRY] = "spurious";
        end(r, FL_ACT_SPURIOUS);
    } else if (c->word == 8 && (c->built & EMULATES) && (c->built & HAS_PAGE) && in_page && (c->code & U) &&
               c->regs != KERNEL && c->at_ip && ((c->code & I) || !(c->cpu & NX_ON))) {
        vsyscall(t, c, r);
    } else {
        r->row[FL_PART_ENTRY] = "kernel-address";
        bad_area(t, c, 1, r);
    }
}

/* ---- the user half ---------------------------------------------------------------------------------------------- */

/* Between the passes. */
struct passes {
    unsigned n;
    bool gone, readonly, grown, above_grown, waited, retried, was_major;
};

/* May the mapping that was found grow to the address? Else the row. */
static const char *growth_refusal(const struct choices *c, bool above)
{
    static const char *const names[] = {"stack-cushion",   "stack-rlimit",   "stack-min-addr",
                                        "stack-guard-gap", "stack-as-limit", "stack-refused"};
    bool far = c->layout == BELOW_STACK;
    if (above) /* from 0x428000 down to 0x3f0000 it is larger than the limit */
        return far ? "stack-rlimit" : c->growth & REFUSED ? "stack-refused" : NULL;
    for (unsigned i = 0; i < 6; i++)
        if ((c->growth >> i & 1) && (i != 0 || (c->code & U)))
            return names[i];
    return NULL;
}

/* Looks at the address space. 0: mm_fault is to be asked; else the code of the signal. */
static int area(const struct choices *c, struct passes *p, struct reference *r)
{
    const char **row = &r->row[FL_PART_AREA];
    bool at_vma = c->layout <= BELOW_STACK, above = p->gone;
    r->want.lock_tried = r->want.lock_taken = true;
    if (!at_vma || (above && c->above == ABOVE_NOTHING)) {
        *row = "no-vma";
        return 1;
    }
    bool inside = above ? p->above_grown : c->layout == INSIDE || c->layout == INSIDE_STACK || p->grown;
    bool stack = above ? c->above == ABOVE_STACK : c->layout == INSIDE_STACK || c->layout == BELOW_STACK;
    if (!inside) {
        const char *refusal = !stack ? "below-vma" : growth_refusal(c, above);
        if (refusal != NULL) {
            *row = refusal;
            return 1;
        }
        r->want.grows = true;
        r->want.new_start = c->layout == BELOW_STACK ? 0x3f0000 : 0x400000;
        *(above ? &p->above_grown : &p->grown) = true;
    }
    unsigned prot = above ? R : p->readonly ? c->prot & (R | X) : c->prot;
    bool write = c->code & W, present = c->code & P;
    bool key = c->word == 8 && (c->built & KNOWS_KEYS) && (c->cpu & CR4_HAS_PKE) && !(c->code & I) &&
               ((c->code & PK) || (!above && (c->key == KEY_NO_ACCESS || (c->key == KEY_NO_WRITE && write))));
    if (write ? !(prot & WR) : prot == 0 || (present && !key)) {
        *row = write ? "write-denied" : present ? "read-present" : "no-access";
        return 2;
    }
    if (key) {
        *row = write ? "pkuerr-write" : present ? "pkuerr-present" : "pkuerr-read";
        r->want.outcome.si_pkey = above ? 0 : VMA_KEY;
        return 4;
    }
    if (inside)
        *row = write ? "area-write" : "area-read";
    else
        *row = write ? "stack-write" : "stack-read";
    return 0;
}

static void bus(const struct situation *t, const struct choices *c, uint8_t answer, struct reference *r)
{
    bool poison = answer != FL_MM_SIGBUS, large = answer == FL_MM_HWPOISON_LARGE;
    const char **row = &r->row[FL_PART_ANSWER];
    if (!(c->code & U)) {
        *row = poison ? "hwpoison-kernel" : "sigbus-kernel";
        kernel_ending(t, c, r);
    } else if (is_prefetch(t, c)) {
        *row = poison ? "hwpoison-prefetch" : "sigbus-prefetch";
        end(r, FL_ACT_IGNORED);
    } else {
        *row = large ? "hwpoison-large" : poison ? "hwpoison" : "sigbus-user";
        signal(r, 7, poison ? 4 : 2);
        r->want.outcome.si_addr_lsb = large ? 21 : poison ? 12 : 0;
        if (poison)
            r->says = "MCE: Killing ";
    }
}

static void out_of_memory(const struct situation *t, const struct choices *c, struct reference *r)
{
    r->says = "VM: killing process ";
    r->row[FL_PART_ANSWER] = c->code & U ? "oom-user" : "oom-kernel";
    if (c->code & U)
        end(r, FL_ACT_OOM_KILL);
    else
        kernel_ending(t, c, r);
}

static void again(struct reference *r, const char *row)
{
    r->row[FL_PART_ANSWER] = r->again[r->want.nagain++] = row;
}

/* What an answer leads to. True: to another pass. */
static bool answered(const struct situation *t, const struct choices *c, uint8_t answer, struct passes *p,
                     struct reference *r)
{
    const char **row = &r->row[FL_PART_ANSWER];
    bool may_retry = (c->built & RETRIES) && !p->retried,
         is_retry = answer == FL_MM_RETRY || answer == FL_MM_RETRY_MAJOR;

    if (answer == FL_MM_MINOR || answer == FL_MM_MAJOR) {
        *row = answer == FL_MM_MAJOR ? "mm-major" : p->was_major ? "mm-minor-after-major" : "mm-minor";
        end(r, FL_ACT_HANDLED);
        r->want.outcome.major = answer == FL_MM_MAJOR || p->was_major;
    } else if (is_retry && may_retry && c->fatal) {
        *row = c->code & U ? "retry-killed-user" : "retry-killed-kernel";
        if (c->code & U)
            end(r, FL_ACT_FATAL_SIGNAL);
        else
            kernel_ending(t, c, r);
    } else if (is_retry && may_retry) {
        again(r, answer == FL_MM_RETRY ? "retry" : "retry-major");
        p->retried = true;
        p->was_major = answer == FL_MM_RETRY_MAJOR;
        return true;
    } else if (is_retry || answer == FL_MM_SIGSEGV) {
        *row = is_retry ? "retry-unasked" : "mm-sigsegv";
        bad_area(t, c, 1, r);
    } else if (answer == FL_MM_OOM && (c->task & INIT)) {
        again(r, "oom-init");
        r->want.yields++;
        if (!p->waited) {
            p->gone = c->yield == FL_YIELD_UNMAP;
            p->readonly = c->yield == FL_YIELD_PROTECT;
        }
        p->waited = true;
        return true;
    } else if (answer == FL_MM_OOM) {
        out_of_memory(t, c, r);
    } else {
        bus(t, c, answer, r);
    }
    return false;
}

static void under_lock(const struct situation *t, const struct choices *c, struct reference *r)
{
    const uint8_t answers[FL_MM_ANSWERS] = {c->mm, c->mm2, c->mm3, FL_MM_MINOR};
    struct passes p = {0};
    do {
        int si_code = area(c, &p, r);
        if (si_code != 0) {
            bad_area(t, c, si_code, r);
            return;
        }
        bool may_retry = (c->built & RETRIES) && !p.retried;
        r->want.mm_flags[r->want.mm_calls++] =
            (uint8_t)((c->code & W ? FL_MM_WRITE : 0) | (c->code & U ? FL_MM_USER : 0) |
                      (c->code & I ? FL_MM_FETCH : 0) | (may_retry ? FL_MM_ALLOW_RETRY : 0) |
                      (p.retried ? FL_MM_TRIED : 0));
    } while (answered(t, c, answers[p.n++], &p, r));
}

static void user_half(const struct situation *t, const struct choices *c, struct reference *r)
{
    const char **row = &r->row[FL_PART_ENTRY];
    bool user = c->code & U;
    r->want.outcome.irq_on = irq_was_on(c);
    if ((c->code & (P | RSVD)) == (P | RSVD)) {
        *row = "reserved-bit";
        die(r, FL_ACT_BAD_PAGETABLE, FL_DIE_BAD_PAGETABLE);
        r->says = "Corrupted page table at address ";
        return;
    }
    if ((c->built & NO_USER_FETCH) && !user && (c->code & I)) {
        if (c->regs == KERNEL && is_erratum93(c)) {
            *row = c->warned ? "user-fetch-erratum-93-quiet" : "user-fetch-erratum-93";
            erratum93(t, c, r);
        } else {
            *row = "no-user-fetch";
            die(r, FL_ACT_OOPS, FL_DIE_OOPS);
        }
        return;
    }
    if ((c->built & KNOWS_SMAP) && (c->cpu & CR4_HAS_SMAP) && !user && (c->regs != KERNEL || !c->ac)) {
        *row = c->regs != KERNEL ? "smap-implicit" : "smap";
        die(r, FL_ACT_OOPS, FL_DIE_OOPS);
        return;
    }
    *row = "user-address";
    row = &r->row[FL_PART_AREA];
    if (c->task & (ATOMIC | NMI))
        *row = "atomic";
    else if (c->task & FAULTS_OFF)
        *row = "faults-disabled";
    else if (c->task & NO_MM)
        *row = "no-mm";
    else if (c->contended && !user && !c->extable)
        *row = "lock-no-fixup", r->want.lock_tried = true;
    if (*row != NULL)
        bad_area(t, c, 1, r);
    else
        under_lock(t, c, r);
}

/* After the ladder: fields that follow from the action. */
static void finish(const struct situation *t, const struct choices *c, struct reference *r)
{
    struct fl_outcome *o = &r->want.outcome;
    bool signal = o->action == FL_ACT_SIGNAL;
    if (r->want.dies && *r->says == '\0')
        r->says = "{die}";
    if (!signal || o->signo != 11 || o->si_code != 4)
        o->si_pkey = 0;
    if ((signal && o->si_code != 0x80) || r->want.dies) {
        o->thread_valid = true;
        o->thread_cr2 = t->s.cr2;
        o->thread_error_code = t->s.error_code | (signal && c->layout >= FIRST_KERNEL_LAYOUT ? P : 0);
        o->thread_trap_no = 14;
    }
    if (signal && o->si_code != 0x80)
        o->si_addr = t->s.cr2;
}

void situation_reference(const struct situation *t, const struct choices *c, struct reference *r)
{
    memset(r, 0, offsetof(struct reference, want));
    memset(&r->want, 0, sizeof r->want);
    r->says = "";
    if (c->regs == KERNEL && c->kprobe == (RUNNING | CLAIMS)) {
        r->row[FL_PART_ENTRY] = "kprobe";
        end(r, FL_ACT_KPROBE);
        return;
    }
    if (c->layout >= FIRST_KERNEL_LAYOUT)
        kernel_half(t, c, r);
    else
        user_half(t, c, r);
    finish(t, c, r);
}
