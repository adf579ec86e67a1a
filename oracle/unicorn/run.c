/* SPDX-License-Identifier: MIT */
/*
 * Runs code that lies in guest memory.
 *
 * Each instruction is a block of its own: with two in one block the fetch fault of the second would come before the
 * effects of the first. The trap flag in the engine's hidden flags does that (RFLAGS.TF itself stays clear, so that
 * PUSHF shows nothing): a block then ends after one instruction, or one iteration of a repeated one, with vector 1.
 * That also counts the instructions exactly and bounds everything.
 *
 * The engine does not see that the host changes code bytes. So the bytes of all translations of guest memory are kept
 * by line, compared before each run and each resumption, and the translations of changed lines dropped.
 */
#include "engine.h"
#include "watchdog.h"

#include <string.h>

/* ---- stale code
 * -------------------------------------------------------------------------------------------------- */

bool code_seen(struct engine *e, uint64_t paddr, unsigned size)
{
    for (unsigned i = 0; i < size && paddr + i < e->ram.size; i++) {
        uint64_t line = (paddr + i) & ~63ull;
        unsigned k = e->last_line;
        if (k >= e->nlines || e->lines[k].paddr != line) {
            for (k = 0; k < e->nlines && e->lines[k].paddr != line; k++)
                ;
            if (k == e->nlines) {
                if (k == LINES_MAX) {
                    e->broken = "more code was translated than one run can reach";
                    return false;
                }
                memset(&e->lines[k], 0, sizeof e->lines[k]);
                e->lines[k].paddr = line;
                e->nlines++;
            }
            e->last_line = k;
        }
        unsigned at = (unsigned)((paddr + i) & 63);
        ((uint8_t *)e->lines[k].mask)[at] = 0xff;
        ((uint8_t *)e->lines[k].bytes)[at] = e->ram.base[paddr + i];
        e->translated++;
        if (e->run.ninsn < sizeof e->run.insn)
            e->run.insn[e->run.ninsn++] = e->ram.base[paddr + i];
    }
    e->run.refused = insn_refused(e->run.insn, e->run.ninsn, e->run.bits);
    return e->run.refused == NULL;
}

static bool line_changed(const struct engine *e, const struct code_line *l)
{
    uint64_t now[8], differs = 0;

    memcpy(now, e->ram.base + l->paddr, sizeof now);
    for (unsigned i = 0; i < 8; i++)
        differs |= (now[i] ^ l->bytes[i]) & l->mask[i];
    return differs != 0;
}

/* Translations are found by physical address, but are named by a linear one: the window of the own tables. */
static void enter_window(struct engine *e)
{
    uc_context_restore(e->uc, e->pristine);
    uc_ctl_flush_tlb(e->uc);
}

static void drop_line(struct engine *e, unsigned i)
{
    uint64_t at = WINDOW + e->lines[i].paddr;

    if (uc_ctl_remove_cache(e->uc, at, at + 64) != UC_ERR_OK)
        e->broken = "cannot drop translated code";
    e->lines[i] = e->lines[--e->nlines];
}

bool code_refresh(struct engine *e)
{
    bool entered = false;

    for (unsigned i = e->nlines; i-- > 0;) {
        if (!line_changed(e, &e->lines[i]))
            continue;
        if (!entered)
            enter_window(e);
        entered = true;
        drop_line(e, i);
    }
    return entered;
}

void code_stored(struct engine *e, uint64_t paddr, unsigned size)
{
    uint64_t first = paddr & ~63ull, last = (paddr + size - 1) & ~63ull;

    for (unsigned i = 0; i < e->nlines && !e->run.code_written; i++)
        e->run.code_written = e->lines[i].paddr >= first && e->lines[i].paddr <= last;
}

bool code_make_room(struct engine *e)
{
    if (e->translated < TCG_BYTES)
        return true;
    if (uc_ctl_flush_tb(e->uc) != UC_ERR_OK)
        return false;
    e->nlines = 0;
    e->translated = 0;
    return true;
}

void code_drop_all(struct engine *e)
{
    if (e->nlines != 0)
        enter_window(e);
    while (e->nlines != 0)
        drop_line(e, e->nlines - 1);
}

/* ---- registers
 * --------------------------------------------------------------------------------------------------- */

/* Descriptor bits as in its upper half (SDM vol. 3, 3.4.5): present, code or data, accessed, readable or
 * writable, granular; 64-bit, 32-bit, privilege level. */
#define DESC_CODE   0x0080fb00u
#define DESC_DATA   0x0080f300u
#define DESC_L      (1u << 21)
#define DESC_B      (1u << 22)
#define DESC_DPL(n) ((uint32_t)(n) << 13)
#define DESC_DPL3   (3u << 13)

static void set_segment(struct engine *e, enum segment s, uint16_t selector, uint64_t base, uint32_t limit,
                        uint32_t flags)
{
    put32(e->prog, e->at.seg[s], selector);
    put64(e->prog, e->at.seg[s] + 8, base);
    put32(e->prog, e->at.seg[s] + 16, limit);
    put32(e->prog, e->at.seg[s] + 20, flags);
}

static enum fl_exec_status enter(struct engine *e, const struct fl_cpu *cpu, const struct fl_regs *r,
                                 const struct fl_codeseg *cs)
{
    unsigned cpl = r->cs & 3;
    uint32_t data = (DESC_DATA & ~DESC_DPL3) | DESC_DPL(cpl) | (cs->bits != 16 ? DESC_B : 0);
    uint32_t code = (DESC_CODE & ~DESC_DPL3) | DESC_DPL(cpl) | (cs->bits == 64 ? DESC_L : cs->bits == 32 ? DESC_B : 0);
    uint64_t flags = (r->flags & ~X_FL_RF) | X_FL_FIXED;

    memcpy(bytes_of(e->prog), bytes_of(e->pristine), e->at.size);
    context_set_cpu(e, e->prog, cpu, cs->bits, cpl);
    put32(e->prog, e->at.hflags, get32(e->prog, e->at.hflags) | HF_TF);
    memcpy(bytes_of(e->prog) + e->at.gpr, r->gpr, sizeof r->gpr);
    put64(e->prog, e->at.rip, r->ip);
    set_segment(e, SEG_CS, r->cs, cs->base, cs->bits == 64 ? 0xffffffff : cs->limit, code);
    set_segment(e, SEG_SS, r->ss, 0, 0xffffffff, data);
    set_segment(e, SEG_DS, r->ds, 0, 0xffffffff, data);
    set_segment(e, SEG_ES, r->es, 0, 0xffffffff, data);
    set_segment(e, SEG_FS, r->fs, r->fs_base, 0xffffffff, data);
    set_segment(e, SEG_GS, r->gs, r->gs_base, 0xffffffff, data);
    if (uc_context_reg_write(e->prog, UC_X86_REG_EFLAGS, &flags) != UC_ERR_OK)
        return FL_EXEC_BROKEN;
    return FL_EXEC_OK;
}

/* The registers as they were when e->seen was saved from the running engine. */
static void leave(struct engine *e, struct fl_regs *r)
{
    uint64_t flags = 0;

    uc_context_reg_read(e->seen, UC_X86_REG_EFLAGS, &flags);
    memcpy(r->gpr, bytes_of(e->seen) + e->at.gpr, sizeof r->gpr);
    r->ip = get64(e->seen, e->at.rip);
    r->flags = flags;
    r->es = (uint16_t)get32(e->seen, e->at.seg[SEG_ES]);
    r->cs = (uint16_t)get32(e->seen, e->at.seg[SEG_CS]);
    r->ss = (uint16_t)get32(e->seen, e->at.seg[SEG_SS]);
    r->ds = (uint16_t)get32(e->seen, e->at.seg[SEG_DS]);
    r->fs = (uint16_t)get32(e->seen, e->at.seg[SEG_FS]);
    r->gs = (uint16_t)get32(e->seen, e->at.seg[SEG_GS]);
    r->fs_base = get64(e->seen, e->at.seg[SEG_FS] + 8);
    r->gs_base = get64(e->seen, e->at.seg[SEG_GS] + 8);
}

/* ---- the interrupt hook of a run
 * --------------------------------------------------------------------------------- */

static void end_run(struct engine *e, enum fl_exec_end end)
{
    e->run.out->end = (uint8_t)end;
    e->run.ended = true;
    leave(e, &e->run.out->regs);
    e->run.out->fpu_digest = fpu_digest(e);
    uc_emu_stop(e->uc);
}

static void end_exception(struct engine *e, int vector)
{
    e->run.out->vector = (uint8_t)vector;
    end_run(e, FL_END_EXCEPTION);
}

/* An instruction that faults leaves the flags alone (SDM vol. 3, 6.5). The engine works out the old flags where it needs
 * them (SETcc, ADC, INC of memory) and loses them when the store after that faults. */
static void flags_as_before(struct engine *e)
{
    if (uc_context_reg_write(e->seen, UC_X86_REG_EFLAGS, &e->run.flags) != UC_ERR_OK)
        e->broken = "cannot write the flags";
}

static void stepped(struct engine *e)
{
    uc_context_reg_read(e->seen, UC_X86_REG_EFLAGS, &e->run.flags);
    uint64_t ip = get64(e->seen, e->at.rip), rcx = get64(e->seen, e->at.gpr + 8 * FL_RCX);

    /* The same address with another count: one iteration of a repeated instruction. (LOOP to itself looks the
     * same; it is then one instruction, under the bound of iterations.) */
    if (ip == e->run.ip && rcx != e->run.rcx) {
        e->run.rcx = rcx;
        if (++e->run.reps >= REP_MAX)
            end_run(e, FL_END_LIMIT);
        return;
    }
    if (e->run.trap) {
        end_exception(e, 1);
        return;
    }
    e->run.ip = ip;
    e->run.rcx = rcx;
    e->run.trap = (get64(e->seen, e->at.eflags) & X_FL_TF) != 0;
    if (++e->run.insns >= e->run.limits->max_insns) {
        end_run(e, FL_END_LIMIT);
        return;
    }
    /* The guest wrote over code (or may have, where the hooks are muted). Unicorn drops what it translated in this run,
     * but not always what an earlier run left there. */
    if (!e->run.code_written && !e->run.out->stores_lost)
        return;
    e->run.code_written = false;
    if (!code_refresh(e))
        return;
    put32(e->seen, e->at.old_exception, 0xffffffff);
    if (uc_context_restore(e->uc, e->seen) != UC_ERR_OK || uc_ctl_flush_tlb(e->uc) != UC_ERR_OK)
        e->broken = "cannot restore the context";
}
static void faulted(struct engine *e)
{
    struct fl_exec_result *out = e->run.out;
    struct fl_regs regs;

    if (e->bus) {
        end_run(e, FL_END_BUS);
        return;
    }
    if (out->faults == e->run.limits->max_faults) {
        end_run(e, FL_END_LIMIT);
        return;
    }
    out->faults++;
    out->cr2 = get64(e->seen, e->at.cr2);
    out->error_code = get32(e->seen, e->at.error_code);
    /* A load that crosses into a page that faults leaves Unicorn with its memory hooks muted until the run ends. */
    if ((out->cr2 & 0xfff) == 0)
        out->stores_lost = true;
    leave(e, &regs);
    watchdog_leave();
    bool resume = e->run.on_fault(e->run.ctx, out->cr2, out->error_code, &regs);
    watchdog_enter();
    if (!resume) {
        end_run(e, FL_END_FAULT);
        return;
    }
    put32(e->seen, e->at.old_exception, 0xffffffff); /* else the next fault would be a double fault */
    put64(e->seen, e->at.rip, regs.ip);
    put64(e->seen, e->at.cr3, e->run.cpu->mode <= FL_MODE_PAE ? (uint32_t)e->run.cpu->cr3 : e->run.cpu->cr3);
    e->run.ip = regs.ip;
    e->run.rcx = get64(e->seen, e->at.gpr + 8 * FL_RCX);
    code_refresh(e);
    if (uc_context_restore(e->uc, e->seen) != UC_ERR_OK || uc_ctl_flush_tlb(e->uc) != UC_ERR_OK)
        e->broken = "cannot restore the context";
}

void run_interrupted(struct engine *e, int vector)
{
    if (uc_context_save(e->uc, e->seen) != UC_ERR_OK)
        e->broken = "cannot save the context";
    bool software = get32(e->seen, e->at.is_int) != 0;
    e->run.ninsn = 0;
    if (vector != 1 && vector != 3 && !software)
        flags_as_before(e);
    if (vector == 1 && !software)
        stepped(e);
    else if (vector == 14 && !software)
        faulted(e);
    else if (vector == 3)
        end_run(e, FL_END_DONE);
    else if (vector == 8 && !software)
        e->broken = "double fault";
    else
        end_exception(e, vector);
    if (e->broken != NULL)
        uc_emu_stop(e->uc);
}

/* ---- a run
 * ------------------------------------------------------------------------------------------------------- */

static enum fl_exec_status unsupported(struct fl_exec_result *out, const char *reason)
{
    out->reason = reason;
    return FL_EXEC_UNSUPPORTED;
}

static enum fl_exec_status broken(struct fl_exec_result *out, const char *reason)
{
    out->reason = reason;
    return FL_EXEC_BROKEN;
}

static const char *run_unsupported(const struct fl_cpu *cpu, const struct fl_regs *regs, const struct fl_codeseg *cs)
{
    bool long_mode = cpu->mode == FL_MODE_4LEVEL || cpu->mode == FL_MODE_5LEVEL;

    if (cs->bits != 16 && cs->bits != 32 && cs->bits != 64)
        return "code of unknown width";
    if (cs->bits == 64 && !long_mode)
        return "64-bit code in a 32-bit mode";
    if (cs->bits == 64 && cs->base != 0)
        return "64-bit code with a segment base";
    if (cs->bits != 64 && (regs->ip >> 32 != 0 || cs->base >> 32 != 0))
        return "a code address beyond 32 bits";
    if (regs->flags & X_FL_VM)
        return "virtual-8086 mode";
    if (regs->flags & X_FL_TF)
        return "RFLAGS.TF at the start";
    return cpu_unsupported(cpu);
}

/* The engine came back without having called the hook for an end. */
static enum fl_exec_status ended_otherwise(struct engine *e, uc_err err)
{
    struct fl_exec_result *out = e->run.out;

    if (uc_context_save(e->uc, e->seen) != UC_ERR_OK)
        return broken(out, "cannot save the context");
    leave(e, &out->regs);
    out->fpu_digest = fpu_digest(e);
    if (e->bus) {
        out->end = FL_END_BUS;
        return FL_EXEC_OK;
    }
    if (err == UC_ERR_INSN_INVALID) {
        out->end = FL_END_EXCEPTION;
        out->vector = 6;
        return FL_EXEC_OK;
    }
    if (err != UC_ERR_OK)
        return broken(out, uc_strerror(err));
    if (out->regs.ip != e->run.ip) {
        out->end = FL_END_LIMIT; /* HLT: no further instruction will ever complete */
        return FL_EXEC_OK;
    }
    return broken(out, "the engine returned without progress");
}

enum fl_exec_status unicorn_run(struct fl_executor *ex, const struct fl_cpu *cpu, const struct fl_regs *regs,
                                const struct fl_codeseg *codeseg, const struct fl_exec_limits *limits,
                                fl_exec_fault_fn on_fault, void *ctx, struct fl_exec_result *out)
{
    struct engine *e = (struct engine *)ex;
    const char *why;

    memset(out, 0, offsetof(struct fl_exec_result, stores));
    out->reason = NULL;
    if ((why = run_unsupported(cpu, regs, codeseg)) != NULL)
        return unsupported(out, why);
    if (enter(e, cpu, regs, codeseg) != FL_EXEC_OK)
        return broken(out, "cannot write the flags");
    e->broken = NULL;
    if (!code_make_room(e))
        return broken(out, "cannot empty the code buffer");
    if (e->nlines > LINES_KEPT) {
        code_drop_all(e);
    } else {
        code_refresh(e);
    }
    if (e->broken != NULL)
        return broken(out, e->broken);

    e->phase = PHASE_RUN;
    e->run.limits = limits;
    e->run.on_fault = on_fault;
    e->run.ctx = ctx;
    e->run.cpu = cpu;
    e->run.out = out;
    e->run.insns = e->run.reps = e->run.ninsn = 0;
    e->run.bits = codeseg->bits;
    e->run.refused = NULL;
    e->run.ip = regs->ip;
    e->run.rcx = regs->gpr[FL_RCX];
    e->run.flags = (regs->flags & ~X_FL_RF) | X_FL_FIXED;
    e->run.trap = e->run.ended = e->run.code_written = false;
    if (uc_context_restore(e->uc, e->prog) != UC_ERR_OK || uc_ctl_flush_tlb(e->uc) != UC_ERR_OK)
        return broken(out, "cannot restore the context");
    uc_err err = uc_go(e, regs->ip);
    if (e->broken != NULL)
        return broken(out, e->broken);
    if (e->run.refused != NULL)
        return unsupported(out, e->run.refused);
    return e->run.ended ? FL_EXEC_OK : ended_otherwise(e, err);
}
