/* SPDX-License-Identifier: MIT */
/*
 * Cores that are wrong in one place, and what the judge says of them. Each is the tree's own core with something put in
 * front of the ops that it calls, or done behind its back after a call: a contract broken, an outcome changed, memory
 * changed so that neither an op nor an outcome tells of it.
 */
#ifndef FAULTLINE_TESTS_JUDGE_CORES_H
#define FAULTLINE_TESTS_JUDGE_CORES_H

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/world.h>

#include "check.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* The first two lines of a scenario. */
#define SCN(mode) "faultline-scenario 2\nmode " mode "\n"

/* What stands in front of the tree's core. Nothing in it: the tree's core. */
struct wrong {
    struct fl_ops ops; /* those that are not NULL are called instead of the world's */

    /* After the call of the same name, the n-th of this scenario, from 1 on; the world is the ops' ctx. What they
     * answer is what the core answers. */
    enum fl_status (*walk)(struct fl_world *w, struct fl_walk *out, unsigned n);
    enum fl_status (*permits)(bool *faults, uint32_t *code, unsigned n);
    enum fl_status (*prefetch)(const struct fl_ops *ops, void *ctx, bool *ignore, unsigned n);
    enum fl_status (*fault)(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n);
    enum fl_status (*sync_all)(struct fl_world *w, struct fl_sync_state *state, enum fl_sync_end *end, unsigned n);
    enum fl_status (*p3_sync)(struct fl_world *w, uint64_t addr, enum fl_sync_end *end, unsigned n);
};

/* One scenario under a core. */
struct judged {
    bool diverged;
    char key[160]; /* empty when nothing diverged */
    unsigned record;
    struct fl_divergence divergence;
    struct fl_stats stats; /* of this scenario alone */
    char endings[2048];
};

/* A wrong core, a scenario, and what is to come of it: the tree's core passes, the wrong one diverges by that key at that
 * record. */
struct judge_case {
    const char *name;
    enum fl_target target;
    const char *text;
    struct wrong wrong;
    const char *key;
    unsigned record;
};

static const struct wrong nothing_wrong;

/* A core has no state of its own, so this one's is here. */
static const struct wrong *layer = &nothing_wrong;
static unsigned calls;

/* The ops of a struct are pointers to functions, one after the other. */
static inline struct fl_ops layered(const struct fl_ops *ops)
{
    typedef void (*op)(void);
    struct fl_ops out = *ops;

    for (size_t at = 0; at < sizeof out; at += sizeof(op)) {
        op own;

        memcpy(&own, (const char *)&layer->ops + at, sizeof own);
        if (own)
            memcpy((char *)&out + at, &own, sizeof own);
    }
    return out;
}

static inline enum fl_status walk(const struct fl_cpu *cpu, const struct fl_ops *ops, void *ctx, uint64_t va,
                                  struct fl_walk *out)
{
    struct fl_ops own = layered(ops);
    enum fl_status status = fl_core()->walk(cpu, &own, ctx, va, out);

    return layer->walk ? layer->walk(ctx, out, ++calls) : status;
}

static inline enum fl_status permits(const struct fl_cpu *cpu, const struct fl_walk *w, const struct fl_access *access,
                                     bool *faults, uint32_t *code)
{
    enum fl_status status = fl_core()->permits(cpu, w, access, faults, code);

    return layer->permits ? layer->permits(faults, code, ++calls) : status;
}

static inline enum fl_status prefetch(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, bool *ignore)
{
    struct fl_ops own = layered(ops);
    enum fl_status status = fl_core()->prefetch(fault, &own, ctx, ignore);

    return layer->prefetch ? layer->prefetch(ops, ctx, ignore, ++calls) : status;
}

static inline enum fl_status fault(const struct fl_fault *f, const struct fl_ops *ops, void *ctx,
                                   struct fl_outcome *out)
{
    struct fl_ops own = layered(ops);
    enum fl_status status = fl_core()->fault(f, &own, ctx, out);

    return layer->fault ? layer->fault(ctx, f, out, ++calls) : status;
}

static inline enum fl_status sync_all(const struct fl_cpu *cpu, const struct fl_kernel *kernel,
                                      struct fl_sync_state *state, const struct fl_ops *ops, void *ctx,
                                      enum fl_sync_end *end)
{
    struct fl_ops own = layered(ops);
    enum fl_status status = fl_core()->sync_all(cpu, kernel, state, &own, ctx, end);

    return layer->sync_all ? layer->sync_all(ctx, state, end, ++calls) : status;
}

static inline enum fl_status p3_sync(const struct fl_sh4 *sh, uint64_t addr, const struct fl_ops *ops, void *ctx,
                                     enum fl_sync_end *end)
{
    struct fl_ops own = layered(ops);
    enum fl_status status = fl_core()->p3_sync(sh, addr, &own, ctx, end);

    return layer->p3_sync ? layer->p3_sync(ctx, addr, end, ++calls) : status;
}

static inline void parse(const char *text, struct fl_scenario *s)
{
    struct fl_text_error error;

    if (fl_scenario_parse(text, strlen(text), s, &error))
        return;
    fprintf(stderr, "line %u column %u: %s\n%s\n", error.line, error.column, error.message, text);
    exit(1);
}

/* Judges stay open between scenarios, as those of targets do: what one leaves behind would show in the next. */
static inline struct fl_judge *judge_of(enum fl_target target, bool executor, struct fl_core *core,
                                        struct fl_stats *stats)
{
    static struct fl_judge *open[FL_TARGET_COUNT][2];
    struct fl_judge **j = &open[target][executor];
    const struct fl_judge_options options = {.target = target,
                                             .core = core,
                                             .executor = executor,
                                             .require_executor = executor,
                                             .endings = true,
                                             .stats = stats};
    char why[256];

    if (!*j && fl_judge_open(&options, j, why) != FL_OK) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    return *j;
}

/* Judges the text, which must parse. wrong NULL: by the tree's core. */
static inline void judge_text(const char *text, enum fl_target target, bool executor, const struct wrong *wrong,
                              struct judged *out)
{
    static struct fl_core core;
    static struct fl_stats stats;
    static struct fl_scenario s;
    struct fl_judge *j;

    core = (struct fl_core){.abi = FL_CORE_ABI,
                            .name = "layered",
                            .walk = walk,
                            .permits = permits,
                            .prefetch = prefetch,
                            .fault = fault,
                            .vmalloc_fault = fl_core()->vmalloc_fault,
                            .sync_all = sync_all,
                            .p3_sync = p3_sync};
    parse(text, &s);
    j = judge_of(target, executor, &core, &stats);
    layer = wrong ? wrong : &nothing_wrong;
    calls = 0;
    memset(out, 0, sizeof *out);
    memset(&stats, 0, sizeof stats);
    out->diverged = fl_judge_scenario(j, &s, &out->divergence, &out->record);
    out->stats = stats;
    if (out->diverged)
        fl_divergence_key(&out->divergence, out->key, sizeof out->key);
    snprintf(out->endings, sizeof out->endings, "%s", fl_judge_endings(j));
    layer = &nothing_wrong;
}

static inline void judge_cases(const struct judge_case *cases, size_t n, bool executor)
{
    static struct judged got;

    for (size_t i = 0; i < n; i++) {
        const struct judge_case *c = &cases[i];

        judge_text(c->text, c->target, executor, NULL, &got);
        CHECK(!got.diverged, "%s: the right core: %s at record %u\n%s", c->name, got.key, got.record + 1,
              got.divergence.detail);
        judge_text(c->text, c->target, executor, &c->wrong, &got);
        CHECK(got.diverged, "%s: the wrong core passes", c->name);
        CHECK(strcmp(got.key, c->key) == 0, "%s: %s, expected %s\n%s", c->name, got.key, c->key, got.divergence.detail);
        CHECK_EQ(got.record, c->record, "%s: record", c->name);
        CHECK(got.divergence.detail[0] != 0, "%s: nothing is said about it", c->name);
        /* The next scenario is judged as if nothing had happened. */
        judge_text(c->text, c->target, executor, NULL, &got);
        CHECK(!got.diverged, "%s: the right core after it: %s", c->name, got.key);
    }
}

/* Done to a world behind the ops' back, by the record that this line of text is. */
static inline void judge_apply(struct fl_world *w, const char *mode, const char *line)
{
    static struct fl_scenario s;
    char text[256];

    snprintf(text, sizeof text, "faultline-scenario 2\nmode %s\n%s\n", mode, line);
    parse(text, &s);
    CHECK_EQ(fl_world_apply(w, &s.records[0]), FL_OK, "%s", line);
}

#endif
