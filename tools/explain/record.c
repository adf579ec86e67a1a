/* SPDX-License-Identifier: MIT */
/*
 * The recording core: stands between the judge and the tested core, and between that and the world's ops. It changes
 * nothing that either of them sees. What the oracles expect of a call is asked before the call, as the judge does.
 */
#include "record.h"

#include <faultline/fuzz/decode_ops.h>

#include <string.h>

struct recorder recorder;

/* ---- states ------------------------------------------------------------------------------------------------------- */

static void keep_snapshot(struct seen_snapshot *seen, const struct fl_snapshot *s)
{
    struct fl_code_window window;

    seen->s = *s;
    if (s->nvmas)
        memcpy(seen->vmas, s->vmas, s->nvmas * sizeof *s->vmas);
    if (s->nextable)
        memcpy(seen->extable, s->extable, s->nextable * sizeof *s->extable);
    if (s->task.ldt_entries)
        memcpy(seen->ldt, s->ldt, s->task.ldt_entries * sizeof *s->ldt);
    if (fl_policy_code_window(s, &window) == FL_OK)
        for (unsigned i = 0; i < FL_WINDOW_BYTES; i++) {
            seen->linear[i] = window.linear[i];
            seen->within[i] = window.readable[i];
            for (unsigned user = 0; user < 2 && seen->within[i]; user++)
                seen->readable[user][i] = s->byte(s->ctx, seen->linear[i], user, &seen->byte[user][i]);
        }
    seen->has_word = s->word(s->ctx, s->regs.gpr[FL_RSP], &seen->word);
    seen->has_symbol = s->symbol(s->ctx, s->regs.ip, seen->symbol, sizeof seen->symbol);
    for (uint8_t i = 0; i < 4; i++)
        s->file_name(s->ctx, i, seen->file[i], sizeof seen->file[i]);
}

static void keep_sh4(struct seen_snapshot *seen)
{
    const struct fl_sh4 *sh = fl_world_sh4(recorder.world);

    seen->is_sh4 = sh != NULL;
    if (sh)
        seen->sh4 = *sh;
}

static void keep_ram(void)
{
    memcpy(recorder.c->ram, fl_world_ram(recorder.world).base, SEEN_RAM);
    recorder.c->has_ram = true;
}

void record_event(void *ctx, unsigned record, struct fl_world *world)
{
    struct capture *c = ctx;
    struct fl_fault fault;
    struct fl_snapshot s;

    recorder.world = world;
    if (record + 1 <= c->traced && !c->first_events) {
        c->first_events = c->events;
        c->first_calls = c->calls;
    }
    c->traced = record + 1;
    if (c->last_event && c->events >= c->last_event)
        recorder.over = true;
    c->events++;
    if (recorder.over)
        return;
    c->pin.last = false;
    c->event_record = record;
    c->generation = fl_world_kernel(world)->generation;
    c->nsaid = 0;
    c->said[0] = 0;
    c->ncalls = c->calls_gone = c->nops = c->ops_gone = c->nwrites = 0;
    memset(&c->begin, 0, sizeof c->begin);
    fl_world_snapshot(world, 0, 0, &fault, &s);
    keep_snapshot(&c->begin, &s);
    keep_sh4(&c->begin);
    if (c->events == c->last_event)
        keep_ram();
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

static struct seen_call *call(enum call_kind kind, const struct fl_ops *ops)
{
    static struct seen_call elsewhere;
    struct capture *c = recorder.c;
    struct seen_call *call;

    recorder.ops = ops;
    if (recorder.over)
        return &elsewhere;
    if (c->ncalls == SEEN_CALLS) {
        memmove(c->call, c->call + 1, (SEEN_CALLS - 1) * sizeof *c->call);
        c->ncalls--;
        c->calls_gone++;
    }
    c->calls++;
    if (c->events == c->last_event && c->calls + 2 > c->last_call && kind != CALL_PERMITS && recorder.world)
        keep_ram(); /* of these calls the last one stays: permits belongs to the walk before it */
    call = &c->call[c->ncalls++];
    memset(call, 0, sizeof *call);
    call->kind = (uint8_t)kind;
    call->first_op = c->nops;
    return call;
}

static enum fl_status returned(struct seen_call *call, enum fl_status status)
{
    call->status = status;
    call->returned = true;
    if (recorder.over)
        return status;
    if (call->kind != CALL_PREFETCH && call->kind != CALL_PERMITS && recorder.world)
        call->effects = *fl_world_effects(recorder.world);
    if (recorder.c->events == recorder.c->last_event && recorder.world)
        memcpy(recorder.c->after, fl_world_ram(recorder.world).base, SEEN_RAM);
    return status;
}

static enum fl_status walk(const struct fl_cpu *cpu, const struct fl_ops *ops, void *ctx, uint64_t va,
                           struct fl_walk *out)
{
    struct seen_call *call_ = call(CALL_WALK, ops);
    enum fl_status status;

    call_->va = va;
    status = recorder.tested->walk(cpu, &recording_ops, ctx, va, out);
    if (status == FL_OK)
        call_->walk = *out;
    return returned(call_, status);
}

static enum fl_status permits(const struct fl_cpu *cpu, const struct fl_walk *w, const struct fl_access *access,
                              bool *faults, uint32_t *code)
{
    struct seen_call *call_ = call(CALL_PERMITS, recorder.ops);
    enum fl_status status;

    call_->walk = *w;
    call_->access = *access;
    status = recorder.tested->permits(cpu, w, access, faults, code);
    if (status == FL_OK) {
        call_->faults = *faults;
        call_->code = *code;
    }
    return returned(call_, status);
}

static enum fl_status prefetch(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, bool *ignore)
{
    struct seen_call *call_ = call(CALL_PREFETCH, ops);
    struct fl_fault same;
    struct fl_snapshot s;
    enum fl_status status;

    call_->fault = *fault;
    fl_world_snapshot(recorder.world, fault->cr2, fault->error_code, &same, &s);
    s.regs = fault->regs;
    s.codeseg = fault->codeseg;
    s.ctx = ctx; /* the judge asks about bytes alone: a struct decode_bytes */
    s.byte = fl_decode_byte;
    call_->code_linear = ((const struct decode_bytes *)ctx)->linear;
    call_->decided = fl_policy_prefetch(&s, &call_->want_ignore) == FL_OK;
    for (unsigned user = 0; user < 2; user++)
        for (unsigned i = 0; i < FL_WINDOW_BYTES; i++) {
            struct seen_snapshot *seen = &call_->before;
            uint64_t wrap = ((const struct decode_bytes *)ctx)->wrap;

            seen->linear[i] = (call_->code_linear + i) & wrap;
            seen->within[i] = true;
            seen->readable[user][i] = fl_decode_byte(ctx, seen->linear[i], user, &seen->byte[user][i]);
        }
    call_->before.s = s;
    if (s.task.ldt_entries)
        memcpy(call_->before.ldt, s.ldt, s.task.ldt_entries * sizeof *s.ldt);
    status = recorder.tested->prefetch(fault, &recording_ops, ctx, ignore);
    call_->ignore = *ignore;
    call_->effects = ((const struct decode_bytes *)ctx)->effects;
    return returned(call_, status);
}

static enum fl_status fault(const struct fl_fault *f, const struct fl_ops *ops, void *ctx, struct fl_outcome *out)
{
    struct seen_call *call_ = call(CALL_FAULT, ops);
    struct fl_fault same;
    struct fl_snapshot s;
    enum fl_status status;

    call_->fault = *f;
    fl_world_snapshot(recorder.world, f->cr2, f->error_code, &same, &s);
    keep_snapshot(&call_->before, &s);
    call_->decided = fl_policy_decide(&s, &call_->want) == FL_OK;
    status = recorder.tested->fault(f, &recording_ops, ctx, out);
    call_->outcome = *out;
    return returned(call_, status);
}

static enum fl_status vmalloc_fault(const struct fl_fault *f, const struct fl_ops *ops, void *ctx,
                                    enum fl_sync_end *end)
{
    return recorder.tested->vmalloc_fault(f, ops, ctx, end); /* the judge does not ask it */
}

static void keep_write(void *ctx, const struct fl_entry_write *write)
{
    struct capture *c = ctx;

    if (c->nwrites < SEEN_WRITES && !recorder.over)
        c->write[c->nwrites++] = *write;
}

static enum fl_status sync_all(const struct fl_cpu *cpu, const struct fl_kernel *kernel, struct fl_sync_state *state,
                               const struct fl_ops *ops, void *ctx, enum fl_sync_end *end)
{
    struct seen_call *call_ = call(CALL_SYNC_ALL, ops);
    enum fl_status status;

    fl_world_sync_all(recorder.world, &call_->all);
    call_->state_before = call_->state_want = *state;
    if (!recorder.over)
        recorder.c->nwrites = 0;
    call_->end_want = FL_SYNC_COUNT;
    call_->decided = fl_sync_all_decide(&call_->all, &call_->state_want.start, call_->state_want.insync, keep_write,
                                        recorder.c, &call_->end_want) == FL_OK;
    status = recorder.tested->sync_all(cpu, kernel, state, &recording_ops, ctx, end);
    call_->state_after = *state;
    call_->end = *end;
    return returned(call_, status);
}

static enum fl_status p3_sync(const struct fl_sh4 *sh, uint64_t addr, const struct fl_ops *ops, void *ctx,
                              enum fl_sync_end *end)
{
    struct seen_call *call_ = call(CALL_P3_SYNC, ops);
    enum fl_status status;

    call_->va = addr;
    call_->before.is_sh4 = true;
    call_->before.sh4 = *sh;
    call_->decided = fl_sh4_decide(sh, addr, fl_world_read, recorder.world, &call_->p3_want) == FL_OK;
    status = recorder.tested->p3_sync(sh, addr, &recording_ops, ctx, end);
    call_->end = *end;
    return returned(call_, status);
}

const struct fl_core *record_core(struct capture *c, const struct fl_scenario *s, const struct fl_core *tested)
{
    static struct fl_core core;

    recorder.c = c;
    recorder.tested = tested;
    recorder.world = NULL;
    recorder.over = false;
    recorder.scenario = s;
    core = (struct fl_core){.abi = tested->abi,
                            .name = tested->name,
                            .walk = tested->walk ? walk : NULL,
                            .permits = tested->permits ? permits : NULL,
                            .prefetch = tested->prefetch ? prefetch : NULL,
                            .fault = tested->fault ? fault : NULL,
                            .vmalloc_fault = tested->vmalloc_fault ? vmalloc_fault : NULL,
                            .sync_all = tested->sync_all ? sync_all : NULL,
                            .p3_sync = tested->p3_sync ? p3_sync : NULL};
    return &core;
}
