/* SPDX-License-Identifier: MIT */
/*
 * Cores that are wrong in one thing: this tree's, with ops put in front of those that they are given, or an answer changed.
 * Unlike those of tests/fuzz they know nothing of a world, so that they can be called by a C program's own as well.
 */
#ifndef FAULTLINE_TESTS_EXPLAIN_LAYER_H
#define FAULTLINE_TESTS_EXPLAIN_LAYER_H

#include "explain/program.h"

#include "../check.h"

struct layer {
    struct fl_ops ops; /* those that are not NULL are called instead */
    void (*fault)(const struct fl_fault *f, struct fl_outcome *out);
    void (*walk)(struct fl_walk *out);
    void (*permits)(bool *faults, uint32_t *code);
    void (*prefetch)(bool *ignore);
    void (*sync)(enum fl_sync_end *end); /* sync_all and p3_sync */
};

static const struct layer no_layer;
static const struct layer *layer = &no_layer;
static const struct fl_ops *below; /* what the core of the call under way was given */

/* The ops of a struct are pointers to functions, one after the other. */
static inline struct fl_ops in_front(const struct fl_ops *ops)
{
    typedef void (*op)(void);
    struct fl_ops out = *ops;

    below = ops;
    for (size_t at = 0; at < sizeof out; at += sizeof(op)) {
        op own;

        memcpy(&own, (const char *)&layer->ops + at, sizeof own);
        if (own)
            memcpy((char *)&out + at, &own, sizeof own);
    }
    return out;
}

static inline enum fl_status layered_walk(const struct fl_cpu *cpu, const struct fl_ops *ops, void *ctx, uint64_t va,
                                          struct fl_walk *out)
{
    struct fl_ops own = in_front(ops);
    enum fl_status status = fl_core()->walk(cpu, &own, ctx, va, out);

    if (layer->walk)
        layer->walk(out);
    return status;
}

static inline enum fl_status layered_permits(const struct fl_cpu *cpu, const struct fl_walk *w,
                                             const struct fl_access *access, bool *faults, uint32_t *code)
{
    enum fl_status status = fl_core()->permits(cpu, w, access, faults, code);

    if (layer->permits)
        layer->permits(faults, code);
    return status;
}

static inline enum fl_status layered_prefetch(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx,
                                              bool *ignore)
{
    struct fl_ops own = in_front(ops);
    enum fl_status status = fl_core()->prefetch(fault, &own, ctx, ignore);

    if (layer->prefetch)
        layer->prefetch(ignore);
    return status;
}

static inline enum fl_status layered_fault(const struct fl_fault *f, const struct fl_ops *ops, void *ctx,
                                           struct fl_outcome *out)
{
    struct fl_ops own = in_front(ops);
    enum fl_status status = fl_core()->fault(f, &own, ctx, out);

    if (layer->fault)
        layer->fault(f, out);
    return status;
}

static inline enum fl_status layered_sync_all(const struct fl_cpu *cpu, const struct fl_kernel *kernel,
                                              struct fl_sync_state *state, const struct fl_ops *ops, void *ctx,
                                              enum fl_sync_end *end)
{
    struct fl_ops own = in_front(ops);
    enum fl_status status = fl_core()->sync_all(cpu, kernel, state, &own, ctx, end);

    if (layer->sync)
        layer->sync(end);
    return status;
}

static inline enum fl_status layered_p3_sync(const struct fl_sh4 *sh, uint64_t addr, const struct fl_ops *ops,
                                             void *ctx, enum fl_sync_end *end)
{
    struct fl_ops own = in_front(ops);
    enum fl_status status = fl_core()->p3_sync(sh, addr, &own, ctx, end);

    if (layer->sync)
        layer->sync(end);
    return status;
}

static inline const struct fl_core *layered_core(void)
{
    static struct fl_core core;

    core = (struct fl_core){.abi = FL_CORE_ABI,
                            .name = "layered",
                            .walk = layered_walk,
                            .permits = layered_permits,
                            .prefetch = layered_prefetch,
                            .fault = layered_fault,
                            .vmalloc_fault = fl_core()->vmalloc_fault,
                            .sync_all = layered_sync_all,
                            .p3_sync = layered_p3_sync};
    return &core;
}

static inline void scenario_of(const char *text, struct fl_scenario *s)
{
    struct fl_text_error error;

    if (fl_scenario_parse(text, strlen(text), s, &error))
        return;
    fprintf(stderr, "line %u column %u: %s\n%s\n", error.line, error.column, error.message, text);
    exit(1);
}

/* ---- what is done wrong -------------------------------------------------------------------------------------------- */

static inline void no_op(void *ctx)
{
    (void)ctx;
}

static inline void unlocked_twice(void *ctx)
{
    below->lock_drop(ctx);
    below->lock_drop(ctx);
}

static inline void enable_twice(void *ctx)
{
    below->irq_enable(ctx);
    below->irq_enable(ctx);
}

static inline enum fl_mm_result asked_as_kernel(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    return below->mm_fault(ctx, generation, addr, flags & ~(unsigned)FL_MM_USER);
}

static inline bool log_and_find(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    below->log(ctx, "?", 1);
    return below->vma_find(ctx, addr, vma);
}

static inline void log_twice(void *ctx, const char *text, size_t n)
{
    below->log(ctx, text, n);
    below->log(ctx, text, n);
}

static inline bool probe_far(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    uint8_t unused;

    below->probe_byte(ctx, linear + 15, user, &unused);
    return below->probe_byte(ctx, linear, user, byte);
}

static inline bool write_nothing(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    (void)ctx, (void)paddr, (void)size, (void)value, (void)how;
    return true;
}

static inline bool write_other(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    return below->write_entry(ctx, paddr, size, value ^ 0x1000, how);
}

static inline bool read_elsewhere(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    uint64_t unused;

    below->read_entry(ctx, 0x3f0000, size, &unused);
    return below->read_entry(ctx, paddr, size, value);
}

static inline void accerr(const struct fl_fault *f, struct fl_outcome *out)
{
    (void)f;
    if (out->action == FL_ACT_SIGNAL && out->si_code == 1)
        out->si_code = 2;
}

static inline void wrong_si_addr(const struct fl_fault *f, struct fl_outcome *out)
{
    (void)f;
    if (out->action == FL_ACT_SIGNAL)
        out->si_addr &= ~UINT64_C(0xfff);
}

static inline void not_served(const struct fl_fault *f, struct fl_outcome *out)
{
    (void)f;
    if (out->action == FL_ACT_HANDLED)
        *out = (struct fl_outcome){.action = FL_ACT_OOPS, .irq_on = out->irq_on};
}

/* The thread is told whether the kernel maps the address. */
static inline void tells(const struct fl_fault *f, struct fl_outcome *out)
{
    if (out->action == FL_ACT_SIGNAL)
        out->thread_error_code = f->error_code;
}

/* Right about the fault that the kernel maps, and another answer about the one that it does not. */
static inline void other_without_p(const struct fl_fault *f, struct fl_outcome *out)
{
    if (!(f->error_code & 1) && out->action == FL_ACT_SIGNAL)
        out->si_code = 2;
}

static inline void ends_process(const struct fl_fault *f, struct fl_outcome *out)
{
    (void)f, (void)out;
    abort();
}

static inline void no_answer(const struct fl_fault *f, struct fl_outcome *out)
{
    (void)f, (void)out;
    for (volatile int i = 0;; i++)
        ;
}

static inline void moved(struct fl_walk *out)
{
    out->paddr ^= 0x1000;
}

static inline void permits_all(bool *faults, uint32_t *code)
{
    *faults = false;
    *code = 0;
}

static inline void turned(bool *ignore)
{
    *ignore = !*ignore;
}

static inline void refuses(enum fl_sync_end *end)
{
    if (*end == FL_SYNC_HANDLED)
        *end = FL_SYNC_NOT_HANDLED;
}

#endif
