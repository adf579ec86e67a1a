/* SPDX-License-Identifier: MIT */
/* EXEC events: an executor runs the record's code under the world's tables; every #PF that really happens goes through the
 * core. And transparency: the same trace run again with everything mapped must end the same. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define INT3 0xcc

#define MAX_FAULTS 256

static const struct fl_exec_limits limits = {.max_insns = 64, .max_faults = MAX_FAULTS};

/* What the fault callback needs, for one run. */
struct run {
    struct fl_judge *j;
    const struct fl_record *record;
    enum fl_event_end end;
    bool stopped;     /* the callback ended the run */
    unsigned nfaults; /* since the start or the last fix-up */
    uint64_t fault[MAX_FAULTS];
};

void fl_judge_place_code(struct fl_world *w, const struct fl_record *r)
{
    struct fl_record b = {.kind = FL_REC_BYTES};

    b.u.bytes.va = r->u.exec.ip;
    b.u.bytes.n = r->u.exec.n;
    memcpy(b.u.bytes.data, r->u.exec.code, r->u.exec.n);
    fl_world_apply(w, &b);
    memset(b.u.bytes.data, 0, sizeof b.u.bytes.data);
    b.u.bytes.va = r->u.exec.ip + r->u.exec.n;
    b.u.bytes.n = 1;
    b.u.bytes.data[0] = INT3;
    fl_world_apply(w, &b);
}

static bool stop(struct run *run, enum fl_event_end end)
{
    run->end = end;
    run->stopped = true;
    return false;
}

/* An executor that reports a fault which the arch walk does not expect is wrong, or the arch walk is. */
static bool explain(struct run *run, uint64_t cr2, uint32_t code, const struct fl_access *a)
{
    struct fl_judge *j = run->j;
    struct fl_exec_result so_far = j->result; /* rare, and rows look at a run that has ended */
    struct fl_arch_result want;
    const struct fl_deviation *known;
    size_t rows;

    if (fl_arch_walk(fl_world_cpu(j->world), a, fl_world_read, j->world, &want) != FL_OK)
        return false;
    uint64_t offset = fl_world_regs(j->world)->ip - run->record->u.exec.ip; /* of the faulting instruction */
    size_t length = offset < run->record->u.exec.n ? run->record->u.exec.n - (size_t)offset : 0;
    struct fl_deviation_case c = {
        .cpu = fl_world_cpu(j->world),
        .access = NULL,
        .insn = length ? run->record->u.exec.code + offset : NULL,
        .insn_len = length,
        .bits = fl_world_codeseg(j->world)->bits,
        .cr2 = cr2,
        .error_code = code,
        .arch_kind = want.kind,
        .arch_code = want.error_code,
        .arch_level = want.level,
        .arch_entry = want.entry,
        .result = &so_far,
    };
    so_far.end = FL_END_FAULT;
    so_far.cr2 = cr2;
    so_far.error_code = code;
    so_far.regs = *fl_world_regs(j->world);
    known = fl_deviation_find(j->executor->name, &c);
    if (!known) {
        fl_judge_diverge(j, FL_CHECK_EXECUTOR, "run", fl_arch_kind_name((enum fl_arch_kind)want.kind), "pf",
                         "%s %s raised #PF CR2 %#" PRIx64 " error %#x; arch says %s error %#x for that access",
                         j->executor->name, j->executor->version, cr2, code,
                         fl_arch_kind_name((enum fl_arch_kind)want.kind), want.error_code);
        return false;
    }
    j->stats->deviation[known - fl_deviation_rows(&rows)]++;
    j->executor_odd = true;
    return true;
}

uint64_t fl_judge_fault_hash(struct fl_judge *j, uint64_t cr2, uint64_t error_code)
{
    uint64_t fault[] = {fl_world_digest(j->world), fl_world_regs(j->world)->ip, cr2, error_code};

    return XXH3_64bits(fault, sizeof fault);
}

/* The same ip, CR2, code and world twice in a run: nothing will ever change, even when other faults came between. */
static bool loops(struct run *run, uint64_t cr2, uint32_t code)
{
    uint64_t hash = fl_judge_fault_hash(run->j, cr2, code);

    for (unsigned i = 0; i < run->nfaults; i++)
        if (run->fault[i] == hash)
            return true;
    if (run->nfaults < MAX_FAULTS)
        run->fault[run->nfaults++] = hash;
    return false;
}

static bool take_fault(void *ctx, uint64_t cr2, uint32_t code, struct fl_regs *regs)
{
    struct run *run = ctx;
    struct fl_judge *j = run->j;
    struct fl_access a = fl_arch_access_of(cr2, code, (regs->flags & (1u << 18)) != 0);
    struct fl_outcome out;
    enum fl_event_end end;
    enum fl_label label;

    j->stats->real_faults++;
    j->stats->compared[FL_CHECK_EXECUTOR]++;
    *fl_world_regs(j->world) = *regs;
    if (fl_arch_label(fl_world_cpu(j->world), cr2, code, a.ac, fl_world_read, j->world, &label) != FL_OK)
        return stop(run,
                    fl_judge_diverge(j, FL_CHECK_EXECUTOR, "label", "answers", "refused",
                                     "the arch walk could not label CR2 %#" PRIx64 ": a fault of the harness", cr2));
    if (label == FL_LABEL_IMPOSSIBLE && !explain(run, cr2, code, &a))
        return stop(run, FL_EVENT_DIVERGED);
    j->stats->compared[FL_CHECK_PROGRESS]++;
    if (loops(run, cr2, code)) {
        /* A historical generation may say handled for ever; it is judged by its own rows. */
        if (fl_world_kernel(j->world)->generation != FL_GEN_CURRENT) {
            j->all_handled = false;
            return stop(run, FL_EVENT_TRACE_ENDS);
        }
        return stop(run, fl_judge_diverge(j, FL_CHECK_PROGRESS, "fault-loop", "progress", "same-fault-again",
                                          "ip %#" PRIx64 " CR2 %#" PRIx64 " error %#x twice in the same world",
                                          regs->ip, cr2, code));
    }
    end = fl_judge_one_fault(j, cr2, code, label, &out);
    if (end != FL_EVENT_GOES_ON) {
        j->all_handled = false;
        return stop(run, end);
    }
    end = fl_judge_after_outcome(j, &out);
    switch (out.action) {
    case FL_ACT_HANDLED:
    case FL_ACT_SYNCED: return true;
    case FL_ACT_FIXUP:
    case FL_ACT_ERRATUM93:
    case FL_ACT_EMULATED:
        /* Where that leads back to the same instruction it loops by the scenario's own doing. */
        run->nfaults = 0;
        *regs = *fl_world_regs(j->world);
        return true;
    default:
        /* IGNORED and SPURIOUS are right for a fault that will not come again, but this one is real and would: the run
         * ends here. */
        return stop(run, end);
    }
}

static bool on_fault(void *ctx, uint64_t cr2, uint32_t code, struct fl_regs *regs)
{
    struct fl_stats *stats = ((struct run *)ctx)->j->stats;
    bool resume;

    stats->in_executor = 0;
    resume = take_fault(ctx, cr2, code, regs);
    stats->in_executor = 1;
    return resume;
}

/* Has the run changed its own instruction bytes? A fault in the middle of such an instruction (rep movs over itself) has
 * the changed bytes fetched anew; without a fault it runs on as it was decoded. */
static bool changed_own_code(struct fl_judge *j, const struct fl_record *r, const struct fl_codeseg *seg)
{
    uint64_t first = seg->bits == 64 ? r->u.exec.ip : (uint32_t)(seg->base + r->u.exec.ip);

    for (unsigned i = 0; i <= r->u.exec.n; i++) {
        struct fl_access a = {.va = first + i, .kind = FL_READ, .priv = FL_SUPERVISOR, .ac = true};
        struct fl_arch_result at;
        uint64_t word;

        if (fl_arch_walk(fl_world_cpu(j->world), &a, fl_world_read, j->world, &at) != FL_OK || at.page_shift == 0 ||
            !fl_world_read(j->world, at.paddr & ~UINT64_C(3), 4, &word))
            continue; /* it did not come so far */
        if ((uint8_t)(word >> (at.paddr & 3) * 8) != (i < r->u.exec.n ? r->u.exec.code[i] : INT3))
            return true;
    }
    return false;
}

enum fl_event_end fl_judge_exec(struct fl_judge *j, const struct fl_record *r)
{
    struct run run = {.j = j, .record = r, .end = FL_EVENT_GOES_ON};
    struct fl_regs *regs = fl_world_regs(j->world);
    enum fl_exec_status status;

    fl_world_kernel_era(j->world);
    fl_world_set_user_mode(j->world, r->u.exec.user);
    fl_judge_place_code(j->world, r);
    regs->ip = r->u.exec.ip;
    if (!j->executor) {
        j->stats->executor_unsupported++;
        j->all_handled = false;
        return FL_EVENT_GOES_ON;
    }
    j->stats->in_executor = 1;
    status = j->executor->run(j->executor, fl_world_cpu(j->world), regs, fl_world_codeseg(j->world), &limits, on_fault,
                              &run, &j->result);
    j->stats->in_executor = 0;
    fl_world_note_stores(j->world, &j->result);
    if (status == FL_EXEC_UNSUPPORTED) {
        j->stats->executor_unsupported++;
        j->executor_odd = true;
        fl_judge_say(j, "%s: unsupported (%s)", j->executor->name, j->result.reason);
        return run.end;
    }
    if (run.end == FL_EVENT_DIVERGED)
        return run.end;
    if (status == FL_EXEC_BROKEN)
        return fl_judge_diverge(j, FL_CHECK_EXECUTOR, "harness", "works", "broken",
                                "executor %s %s misbehaved (%s): a fault of the harness, not of the tested code",
                                j->executor->name, j->executor->version, j->result.reason);
    j->stats->executor_runs++;
    *regs = j->result.regs;
    fl_judge_cell(
        j, fl_cell_run((enum fl_mode)fl_world_cpu(j->world)->mode, (enum fl_exec_end)j->result.end, j->result.faults));
    fl_judge_say(j, "%s: end %u after %u faults, ip %#" PRIx64, j->executor->name, j->result.end, j->result.faults,
                 regs->ip);
    fl_judge_ended(j, run.stopped ? "stopped" : j->result.end == FL_END_DONE ? "done" : "other");
    if (j->result.end == FL_END_DONE) {
        j->executed++;
        j->fpu_digest = j->result.fpu_digest;
        j->self_modified |= j->result.faults != 0 && changed_own_code(j, r, fl_world_codeseg(j->world));
    } else {
        j->all_handled = false;
    }
    return run.end;
}

/* ---- transparency --------------------------------------------------------------------------------------------------- */

/* Static reason not to compare, or -1. */
static int opaque(struct fl_judge *j)
{
    if (j->executed == 0)
        return FL_SKIP_NO_EXEC;
    if (j->injected)
        return FL_SKIP_INJECTED;
    if (j->raw)
        return FL_SKIP_RAW;
    if (!j->all_handled)
        return FL_SKIP_NOT_HANDLED;
    if (j->grew)
        return FL_SKIP_GREW;
    if (j->executor_odd)
        return FL_SKIP_EXECUTOR;
    if (j->self_modified)
        return FL_SKIP_SELF_MODIFYING;
    if (fl_world_not_transparent(j->world))
        return FL_SKIP_TABLES;
    return -1;
}

static bool open_mapped(struct fl_judge *j, char why[256])
{
    struct fl_ram ram;

    if (j->mapped_executor)
        return true;
    if (!j->mapped_world) {
        if (fl_world_open(&j->mapped_world) != FL_OK) {
            snprintf(why, 256, "cannot map guest memory");
            return false;
        }
        fl_world_set_prefault(j->mapped_world, true);
    }
    ram = fl_world_ram(j->mapped_world);
    return fl_unicorn_open(&ram, &j->mapped_executor, why) == FL_OK;
}

/* Only the ends of large VMAs are mapped beforehand; the world maps the rest, by its own rules, when it is needed. */
static bool map_more(void *ctx, uint64_t cr2, uint32_t code, struct fl_regs *regs)
{
    (void)code;
    (void)regs;
    return fl_world_populate(ctx, cr2) == FL_OK;
}

static bool same_regs(const struct fl_regs *a, const struct fl_regs *b, const char **which)
{
    static const char *const names[FL_GPR_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                                    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

    for (unsigned i = 0; i < FL_GPR_COUNT; i++)
        if (a->gpr[i] != b->gpr[i]) {
            *which = names[i];
            return false;
        }
    *which = a->ip != b->ip             ? "ip"
             : a->flags != b->flags     ? "flags"
             : a->es != b->es           ? "es"
             : a->cs != b->cs           ? "cs"
             : a->ss != b->ss           ? "ss"
             : a->ds != b->ds           ? "ds"
             : a->fs != b->fs           ? "fs"
             : a->gs != b->gs           ? "gs"
             : a->fs_base != b->fs_base ? "fs base"
             : a->gs_base != b->gs_base ? "gs base"
                                        : NULL;
    return *which == NULL;
}

enum fl_event_end fl_judge_transparency(struct fl_judge *j, const struct fl_scenario *s)
{
    enum fl_exec_status status;
    struct fl_regs *regs;
    const char *which;
    uint64_t va;
    char why[256];
    int reason = opaque(j);

    if (reason < 0 && !open_mapped(j, why))
        return fl_judge_diverge(j, FL_CHECK_TRANSPARENCY, "harness", "works", "broken",
                                "cannot open the second world (%s): a fault of the harness", why);
    if (reason >= 0) {
        j->stats->opaque[reason]++;
        return FL_EVENT_GOES_ON;
    }
    fl_world_begin(j->mapped_world, &s->machine);
    regs = fl_world_regs(j->mapped_world);
    for (unsigned i = 0; i < s->nrecords; i++) {
        const struct fl_record *r = &s->records[i];

        if (!fl_record_is_event((enum fl_record_kind)r->kind)) {
            fl_world_apply(j->mapped_world, r);
        } else if (r->kind == FL_REC_EXEC) {
            fl_world_event_begin(j->mapped_world);
            fl_world_kernel_era(j->mapped_world);
            fl_world_set_user_mode(j->mapped_world, r->u.exec.user);
            fl_judge_place_code(j->mapped_world, r);
            regs->ip = r->u.exec.ip;
            j->stats->in_executor = 1;
            status = j->mapped_executor->run(j->mapped_executor, fl_world_cpu(j->mapped_world), regs,
                                             fl_world_codeseg(j->mapped_world), &limits, map_more, j->mapped_world,
                                             &j->result);
            j->stats->in_executor = 0;
            fl_world_note_stores(j->mapped_world, &j->result);
            fl_world_event_end(j->mapped_world);
            /* An executor's bound on repetitions counts from the last fault, and here there is none. */
            if (status != FL_EXEC_OK || j->result.end == FL_END_LIMIT) {
                j->stats->opaque[FL_SKIP_EXECUTOR]++;
                return FL_EVENT_GOES_ON;
            }
            if (fl_world_not_transparent(j->mapped_world)) {
                j->stats->opaque[FL_SKIP_TABLES]++;
                return FL_EVENT_GOES_ON;
            }
            if (j->result.end != FL_END_DONE)
                return fl_judge_diverge(j, FL_CHECK_TRANSPARENCY, "mapped-run", "done",
                                        j->result.end == FL_END_FAULT ? "fault" : "other-end",
                                        "record %u ran to its end on demand, but with everything mapped it ended as %u "
                                        "(CR2 %#" PRIx64 " error %#x)",
                                        i, j->result.end, j->result.cr2, j->result.error_code);
            *regs = j->result.regs;
        } else if (r->kind == FL_REC_TOUCH) { /* what it brings in is there; but it decides who runs */
            fl_world_kernel_era(j->mapped_world);
            fl_world_set_user_mode(j->mapped_world, r->u.touch.priv == FL_USER);
        }
    }
    j->stats->transparent++;
    j->stats->compared[FL_CHECK_TRANSPARENCY]++;
    if (!same_regs(fl_world_regs(j->world), regs, &which))
        return fl_judge_diverge(j, FL_CHECK_TRANSPARENCY, "registers", "equal", "differ",
                                "%s differs between the run on demand and the run with everything mapped", which);
    /* Of the last EXEC in both: each starts with the same vector registers. */
    if (j->fpu_digest != j->result.fpu_digest)
        return fl_judge_diverge(j, FL_CHECK_TRANSPARENCY, "registers", "equal", "differ",
                                "the x87 or XMM registers differ between the run on demand and the run with everything "
                                "mapped (digest %#" PRIx64 ", %#" PRIx64 ")",
                                j->fpu_digest, j->result.fpu_digest);
    if (fl_world_differs(j->world, j->mapped_world, &va))
        return fl_judge_diverge(
            j, FL_CHECK_TRANSPARENCY, "memory", "equal", "differ",
            "the byte at %#" PRIx64 " differs between the run on demand and the run with everything mapped", va);
    return FL_EVENT_GOES_ON;
}
