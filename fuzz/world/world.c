/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <stdlib.h>

enum fl_status fl_world_open(struct fl_world **out)
{
    static const struct fl_machine plain = {.mode = FL_MODE_4LEVEL,
                                            .family = 6,
                                            .maxphyaddr = 40,
                                            .wp = true,
                                            .nxe = true,
                                            .code_bits = 64,
                                            .user = true,
                                            .has_mm = true,
                                            .pid = 1,
                                            .flags = 2};
    struct fl_world *w = calloc(1, sizeof(*w));

    if (!w)
        return FL_NO_MEMORY;
    if (!ram_open(w)) {
        free(w);
        return FL_NO_MEMORY;
    }
    w->next_frame = FRAME_POOL;
    w->generation_forced = FL_GEN_COUNT;
    fl_world_begin(w, &plain);
    *out = w;
    return FL_OK;
}

void fl_world_close(struct fl_world *w)
{
    if (!w)
        return;
    ram_close(w);
    free(w);
}

struct fl_ram fl_world_ram(struct fl_world *w)
{
    return (struct fl_ram){.base = w->ram, .size = RAM_SIZE};
}

void clear(void *at, size_t n)
{
    memset(at, 0, n);
}

/* The arrays at the end are long: of them only what was written is cleared, and of the log nothing, since nlog says how
 * much of it counts. */
static void forget_decision(struct fl_world *w)
{
    struct fl_effects *e = &w->effects;

    if (e->reads)
        clear(e->read_at, sizeof(e->read_at));
    if (e->probes)
        clear(e->probe_at, sizeof(e->probe_at));
    clear(e, offsetof(struct fl_effects, probe_at));
    e->nlog = 0;
    w->lock_depth = w->pgd_depth = 0;
    w->ending = false;
}

void fl_world_begin(struct fl_world *w, const struct fl_machine *m)
{
    pages_reset(w); /* needs the frame tags that ram_reset() clears */
    ram_reset(w);
    w->nvmas = 0;
    w->late.start = w->late.end = 0;
    w->generation = 0;
    w->nextable = 0;
    w->in_event = false;
    w->answers = (struct answers){0};
    forget_decision(w);
    w->not_transparent = NULL;
    machine_begin(w, m);
    kernel_begin(w);
    w->tag[FRAME_ZERO] = TAG_ZERO;
    /* Without write protection a kernel writes to the zero page and the page cache where demand paging would copy. */
    if (!m->wp)
        w->not_transparent = "CR0.WP is clear";
}

const struct fl_cpu *fl_world_cpu(const struct fl_world *w)
{
    return &w->cpu;
}

struct fl_regs *fl_world_regs(struct fl_world *w)
{
    return &w->regs;
}

struct fl_codeseg *fl_world_codeseg(struct fl_world *w)
{
    return &w->codeseg;
}

bool fl_world_user_mode(const struct fl_world *w)
{
    return w->user;
}

void fl_world_set_user_mode(struct fl_world *w, bool user)
{
    if (user != w->user)
        segment_code(w, user, w->codeseg.bits);
}

void fl_world_apply_writes(struct fl_world *w, const struct fl_arch_result *r)
{
    for (unsigned i = 0; i < r->nwrites; i++) {
        const struct fl_arch_write *a = &r->writes[i];
        uint64_t value;
        if (fl_world_read(w, a->paddr, a->size, &value))
            ram_put(w, a->paddr, a->size, value | a->bits);
    }
}

/* ---- what guest code wrote -------------------------------------------------------------------------------------- */

/* Can guest code have written to a table? Only through a writable leaf that MAP or ENTRY made. */
static bool tables_are_writable(const struct fl_world *w)
{
    if (w->pool_aliased)
        return true;
    for (unsigned i = 0; i < FL_RAM_POOL_END / 64; i++)
        for (uint64_t bits = w->named[i]; bits; bits &= bits - 1) {
            uint8_t tag = w->tag[i * 64 + (unsigned)__builtin_ctzll(bits)];
            if (tag >= 1 && tag <= TAG_TABLE_MAX)
                return true;
        }
    return false;
}

/* Everything that guest code can have written to: with tables of its own making, any place at all. */
static void touch_all_mapped(struct fl_world *w)
{
    if (tables_are_writable(w)) {
        ram_touch(w, 0, RAM_SIZE);
        return;
    }
    for (unsigned f = FRAME_ZERO; f < w->next_frame; f++)
        if (w->tag[f] > TAG_TABLE_MAX)
            ram_touch(w, (uint64_t)f << PAGE_SHIFT, PAGE_SIZE);
    for (unsigned f = 0; f < FL_RAM_FRAMES; f++)
        if (frame_named(w, f))
            ram_touch(w, (uint64_t)f << PAGE_SHIFT, PAGE_SIZE);
}

void fl_world_note_stores(struct fl_world *w, const struct fl_exec_result *r)
{
    if (r->stores_lost) {
        touch_all_mapped(w);
        return;
    }
    for (unsigned i = 0; i < r->nstores; i++) {
        uint64_t paddr = r->stores[i].paddr, room = PAGE_SIZE - (paddr & (PAGE_SIZE - 1));
        ram_touch(w, paddr, r->stores[i].size < room ? r->stores[i].size : room);
    }
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

void fl_world_event_begin(struct fl_world *w)
{
    vma_settle(w);
    forget_decision(w);
    if (!w->in_event)
        w->answers.given = false;
    w->in_event = true;
    w->answers_before = w->answers;
}

void fl_world_event_again(struct fl_world *w)
{
    forget_decision(w);
    w->answers = w->answers_before;
}

void fl_world_event_end(struct fl_world *w)
{
    w->nasked = 0;
    w->answers = (struct answers){.given = w->answers.given, .warned93 = w->answers.warned93};
    w->lock_depth = w->pgd_depth = 0;
    w->in_event = false;
    vma_settle(w);
    lazy_flush(w);
}

const struct fl_effects *fl_world_effects(const struct fl_world *w)
{
    return &w->effects;
}

void fl_world_snapshot(struct fl_world *w, uint64_t cr2, uint64_t error_code, struct fl_fault *f, struct fl_snapshot *s)
{
    enum { ERROR_WRITE = 2 }; /* W/R of the error code: SDM vol. 3A, 4.7 */

    f->cpu = w->cpu;
    f->kernel = w->kernel;
    f->task = w->task;
    f->codeseg = w->codeseg;
    f->regs = w->regs;
    f->cr2 = cr2;
    f->error_code = error_code;

    clear(s, sizeof(*s));
    s->cpu = w->cpu;
    s->kernel = w->kernel;
    s->task = w->task;
    s->codeseg = w->codeseg;
    s->regs = w->regs;
    s->cr2 = cr2;
    s->error_code = error_code;
    s->vmas = w->vmas;
    s->nvmas = kernel_has_vmas(w) ? w->nvmas : 0;
    s->extable = w->extable;
    s->nextable = w->nextable;
    s->ldt = w->ldt;
    s->ctx = w;
    s->byte = world_byte;
    s->read = fl_world_read;
    s->word = world_word;
    s->symbol = world_symbol;
    s->file_name = world_file_name;
    s->lazy_mmu = w->lazy_mmu;
    s->npgds = kernel_roots(w, s->pgd);
    s->kprobe_claims = answers_pending(w, FL_INJ_KPROBE);
    s->lock_contended = answers_pending(w, FL_INJ_LOCK_CONTENDED);
    s->report_contended = answers_pending(w, FL_INJ_REPORT_CONTENDED);
    s->expand_refused = answers_pending(w, FL_INJ_EXPAND_REFUSED);
    s->fatal_signal = answers_pending(w, FL_INJ_FATAL_SIGNAL);
    s->yield = answers_pending(w, FL_INJ_YIELD_UNMAP)     ? FL_YIELD_UNMAP
               : answers_pending(w, FL_INJ_YIELD_PROTECT) ? FL_YIELD_PROTECT
                                                          : FL_YIELD_NOTHING;
    s->ratelimited[FL_LIMIT_SIGNAL] = answers_pending(w, FL_INJ_RATELIMITED);
    s->ratelimited[FL_LIMIT_ERRATUM93] = s->ratelimited[FL_LIMIT_SIGNAL] || w->answers.warned93;
    s->vsyscall_fails = answers_pending(w, FL_INJ_VSYSCALL_FAULT);
    answers_foretell(w, w->kernel.word == 4 ? (uint32_t)cr2 : cr2, error_code & ERROR_WRITE, s->mm_result);
}
