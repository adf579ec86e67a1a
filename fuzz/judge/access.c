/* SPDX-License-Identifier: MIT */
/* ACCESS events: the arch walk, the core's walk and (where the record asks) the executor, held against each other. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

/* The core's walk in arch's terms. */
static enum fl_event_end core_claim(struct fl_judge *j, const struct fl_access *a, struct fl_walk_claim *claim)
{
    const struct fl_cpu *cpu = fl_world_cpu(j->world);
    struct fl_walk walk;
    uint32_t code;
    bool faults;
    enum fl_status status;

    memset(claim, 0, sizeof *claim);
    claim->who = "core walk";
    status = j->core->walk(cpu, fl_world_ops(), j->world, a->va, &walk);
    if (status != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_WALK, "status", "ok", "status",
                                "core->walk(%#" PRIx64 ") answered status %d", a->va, (int)status);
    claim->has_level = claim->has_entry = true;
    claim->level = walk.level;
    claim->entry = walk.entry;
    if (walk.end != FL_WALK_NONCANONICAL) /* which comes before the first entry */
        fl_world_read(j->world, walk.entry_paddr, cpu->mode == FL_MODE_2LEVEL ? 4 : 8, &claim->entry_there);
    if (walk.end == FL_WALK_NO_TABLE) {
        claim->bus = true;
        return FL_EVENT_GOES_ON;
    }
    /* PDPTEs of PAE paging are loaded before the access on Intel: a reserved bit there is #GP, not #PF (SDM 4.4.1). */
    if (walk.end == FL_WALK_NONCANONICAL || (walk.end == FL_WALK_RESERVED && walk.level == 3 &&
                                             cpu->mode == FL_MODE_PAE && cpu->vendor == FL_VENDOR_INTEL)) {
        claim->gp = true;
        return FL_EVENT_GOES_ON;
    }
    status = j->core->permits(cpu, &walk, a, &faults, &code);
    if (status != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_WALK, "status", "ok", "status",
                                "core->permits(%#" PRIx64 ") answered status %d after a walk that ended in %u", a->va,
                                (int)status, walk.end);
    claim->faults = faults;
    claim->error_code = faults ? code : 0;
    if (walk.end == FL_WALK_MAPPED) {
        claim->has_paddr = claim->has_perm = claim->has_pkey = claim->has_leaf = true;
        claim->paddr = walk.paddr;
        claim->writable = walk.writable;
        claim->user = walk.user;
        claim->nx = walk.nx;
        claim->pkey = walk.pkey;
        claim->page_shift = walk.page_shift;
        claim->accessed = walk.accessed;
        claim->dirty = walk.dirty;
    }
    return FL_EVENT_GOES_ON;
}

/* The entries of a walk before the executor ran. */
struct fl_ad_watch {
    unsigned n;
    struct {
        uint64_t paddr, before, must, may;
        unsigned size;
    } entry[10];
};

static void watch_add(struct fl_ad_watch *watch, struct fl_world *w, const struct fl_arch_write *aw, bool must)
{
    unsigned i = 0;

    while (i < watch->n && watch->entry[i].paddr != aw->paddr)
        i++;
    if (i == watch->n) {
        if (watch->n == sizeof watch->entry / sizeof watch->entry[0] ||
            !fl_world_read(w, aw->paddr, aw->size, &watch->entry[i].before))
            return;
        watch->n++;
        watch->entry[i].paddr = aw->paddr;
        watch->entry[i].size = aw->size;
        watch->entry[i].must = watch->entry[i].may = 0;
    }
    if (must)
        watch->entry[i].must |= aw->bits;
    else
        watch->entry[i].may |= aw->bits;
}

static enum fl_event_end compare_ad(struct fl_judge *j, const struct fl_access *a, const struct fl_ad_watch *watch)
{
    for (unsigned i = 0; i < watch->n; i++) {
        uint64_t before = watch->entry[i].before, must = watch->entry[i].must, may = watch->entry[i].may, now;

        fl_world_read(j->world, watch->entry[i].paddr, watch->entry[i].size, &now);
        if ((now | may) != (before | must | may) || (now & (before | must)) != (before | must))
            return fl_judge_diverge(j, FL_CHECK_EXECUTOR, "accessed-dirty", "updated-as-arch", "updated-otherwise",
                                    "%s of %#" PRIx64 ": entry at %#" PRIx64 " was %#" PRIx64 ", arch sets %#" PRIx64
                                    " (and may set %#" PRIx64 "), %s left %#" PRIx64,
                                    a->kind == FL_WRITE ? "write" : "access", a->va, watch->entry[i].paddr, before,
                                    must, may, j->executor->name, now);
    }
    return FL_EVENT_GOES_ON;
}

static enum fl_event_end by_executor(struct fl_judge *j, const struct fl_access *a, const struct fl_arch_result *want)
{
    const struct fl_cpu *cpu = fl_world_cpu(j->world);
    struct fl_exec_result *got = &j->result;
    struct fl_ad_watch watch = {0};
    struct fl_walk_claim claim = {0};
    const struct fl_deviation *known;
    struct fl_exec_answer said;
    enum fl_exec_status status;
    const char *wrong;

    for (unsigned i = 0; i < want->nwrites; i++)
        watch_add(&watch, j->world, &want->writes[i], true);
    for (unsigned i = 0; i < want->nmaybe; i++)
        watch_add(&watch, j->world, &want->maybe[i], false);
    j->stats->in_executor = 1;
    status = j->executor->access(j->executor, cpu, a, got);
    j->stats->in_executor = 0;
    fl_world_note_stores(j->world, got);
    if (status == FL_EXEC_UNSUPPORTED) {
        j->stats->executor_unsupported++;
        fl_judge_say(j, "%s: unsupported (%s)", j->executor->name, got->reason);
        /* The access did not happen there, so it happens here. */
        fl_world_apply_writes(j->world, want);
        return FL_EVENT_GOES_ON;
    }
    wrong = status == FL_EXEC_OK ? fl_exec_answer(got, &said) : got->reason;
    if (wrong)
        return fl_judge_diverge(j, FL_CHECK_EXECUTOR, "harness", "works", "broken",
                                "executor %s %s misbehaved (%s): a fault of the harness, not of the tested code",
                                j->executor->name, j->executor->version, wrong);
    j->stats->executor_runs++;
    claim.who = j->executor->name;
    claim.faults = said.kind == FL_ARCH_PF;
    claim.error_code = said.error_code;
    claim.gp = said.kind == FL_ARCH_GP;
    claim.bus = said.kind == FL_ARCH_BUS;
    claim.has_paddr = said.has_paddr;
    claim.paddr = said.paddr;
    j->stats->compared[FL_CHECK_EXECUTOR]++;
    if (said.kind == FL_ARCH_PF && want->kind == FL_ARCH_PF && said.cr2 != a->va) {
        return fl_judge_diverge(j, FL_CHECK_EXECUTOR, "cr2", "address-of-access", "another-address",
                                "access to %#" PRIx64 ": %s reports CR2 %#" PRIx64, a->va, j->executor->name, said.cr2);
    }
    if (!fl_compare_walk(FL_CHECK_EXECUTOR, cpu, a, want, &claim, &j->divergence))
        return compare_ad(j, a, &watch);

    struct fl_deviation_case c = {
        .cpu = cpu,
        .access = a,
        .bits = fl_world_codeseg(j->world)->bits,
        .cr2 = got->cr2,
        .error_code = got->error_code,
        .arch_kind = want->kind,
        .arch_code = want->error_code,
        .arch_level = want->level,
        .arch_entry = want->entry,
        .result = got,
    };
    known = fl_deviation_find(j->executor->name, &c);
    if (!known)
        return FL_EVENT_DIVERGED;
    size_t rows;
    j->stats->deviation[known - fl_deviation_rows(&rows)]++;
    fl_judge_say(j, "%s: known deviation %s", j->executor->name, known->id);
    return FL_EVENT_TRACE_ENDS; /* its tables are no longer what the processor's would be */
}

enum fl_event_end fl_judge_access(struct fl_judge *j, const struct fl_record *r)
{
    const struct fl_cpu *cpu = fl_world_cpu(j->world);
    struct fl_access a = {
        .va = r->u.access.va, .kind = r->u.access.kind, .priv = r->u.access.priv, .ac = r->u.access.ac};
    struct fl_arch_result want;
    struct fl_walk_claim claim;
    enum fl_event_end end;

    if (fl_arch_walk(cpu, &a, fl_world_read, j->world, &want) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_WALK, "arch", "answers", "refused",
                                "the arch walk refused an access to %#" PRIx64 ": a fault of the harness", a.va);
    j->stats->mode_priv[cpu->mode][a.priv == FL_USER]++;
    fl_judge_cell(j, fl_cell_walk((enum fl_mode)cpu->mode, &want));
    if (j->say)
        fl_judge_say(j, "arch: %s error %#x level %u paddr %#" PRIx64, fl_arch_kind_name((enum fl_arch_kind)want.kind),
                     want.error_code, want.level, want.paddr);
    end = core_claim(j, &a, &claim);
    if (end != FL_EVENT_GOES_ON)
        return end;
    j->stats->compared[FL_CHECK_WALK]++;
    if (fl_compare_walk(FL_CHECK_WALK, cpu, &a, &want, &claim, &j->divergence))
        return FL_EVENT_DIVERGED;
    if (j->say)
        fl_judge_say(j, "core walk: agrees");
    if (r->u.access.execute && j->executor)
        return by_executor(j, &a, &want);
    fl_world_apply_writes(j->world, &want);
    return FL_EVENT_GOES_ON;
}
