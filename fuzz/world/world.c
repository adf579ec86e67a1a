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

void fl_world_begin(struct fl_world *w, const struct fl_machine *m)
{
    pages_reset(w); /* needs the frame tags that ram_reset() clears */
    ram_reset(w);
    w->nvmas = 0;
    w->generation = 0;
    w->nextable = 0;
    w->lock_depth = 0;
    w->in_event = false;
    w->pending = 0;
    w->injected = false;
    w->probe_from = 0;
    memset(&w->effects, 0, sizeof(w->effects));
    w->not_transparent = NULL;
    machine_begin(w, m);
    w->tag[FRAME_ROOT] = (uint8_t)tables_levels(w);
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
        machine_code(w, user, w->codeseg.bits);
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
    memset(&w->effects, 0, sizeof(w->effects));
    w->lock_depth = 0;
    if (!w->in_event)
        w->injected = false;
    w->in_event = true;
}

void fl_world_event_end(struct fl_world *w)
{
    w->pending = 0;
    w->lock_depth = 0;
    w->in_event = false;
}

const struct fl_effects *fl_world_effects(const struct fl_world *w)
{
    return &w->effects;
}

bool fl_world_injected(const struct fl_world *w)
{
    return w->injected || (w->pending & ~(1u << FL_INJ_MM_MAJOR));
}

/* What mm_fault will answer if the core asks for that access: injected answers first, in the order of op_mm_fault(). */
static enum fl_mm_result predict(struct fl_world *w, uint64_t addr, bool write)
{
    const struct fl_vma *vma = vma_find(w, addr); /* growth changes its start, not what its pages hold */

    if (w->pending & 1u << FL_INJ_MM_OOM)
        return FL_MM_OOM;
    if (w->pending & 1u << FL_INJ_MM_SIGBUS)
        return FL_MM_SIGBUS;
    enum fl_mm_result result = vma ? mm_predict(w, vma, addr, write) : FL_MM_MINOR;
    return result == FL_MM_MINOR && (w->pending & 1u << FL_INJ_MM_MAJOR) ? FL_MM_MAJOR : result;
}

void fl_world_snapshot(struct fl_world *w, uint64_t cr2, uint64_t error_code, struct fl_fault *f, struct fl_snapshot *s)
{
    enum { ERROR_WRITE = 2 }; /* W/R of the error code: SDM vol. 3A, 4.7 */

    f->cpu = s->cpu = w->cpu;
    f->kernel = s->kernel = w->kernel;
    f->task = s->task = w->task;
    f->codeseg = s->codeseg = w->codeseg;
    f->regs = s->regs = w->regs;
    f->cr2 = s->cr2 = cr2;
    f->error_code = s->error_code = error_code;

    s->vmas = w->vmas;
    s->nvmas = w->nvmas;
    s->extable = w->extable;
    s->nextable = w->nextable;
    s->byte = world_byte;
    s->byte_ctx = w;
    s->lock_contended = w->pending & 1u << FL_INJ_LOCK_CONTENDED;
    s->expand_refused = w->pending & 1u << FL_INJ_EXPAND_REFUSED;
    s->mm_result = (uint8_t)predict(w, cr2, error_code & ERROR_WRITE);
}
