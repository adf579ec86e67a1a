/* SPDX-License-Identifier: MIT */
/* One call of pinning: what its pages looked like at every instant, and what became of locks and references. */
#include "ops.h"

static void view_leaf(struct fl_pin_world *w, uint64_t va, struct fl_pin_view *v, uint64_t *at)
{
    bool kernel = va >= w->space.task_size;
    uint64_t root = kernel ? w->space.kernel_root : w->mm[0].root, entry;
    unsigned level;
    struct pg *p;

    *at = entry_find(w, root, va, &level);
    entry = entry_get(w, *at);
    v->leaf_level = (uint8_t)level;
    v->mapped = entry_maps(level, entry);
    v->pfn = FL_NO_PAGE;
    if (!v->mapped) {
        v->swap = (uint8_t)entry_swap(entry);
        return;
    }
    v->hint = !(entry & E_P) && (entry & SOFT_NUMA);
    v->leaf_write = entry & E_RW;
    if (entry & E_P) {
        v->special = level == 1 && (entry & SOFT_SPECIAL);
        v->device = entry & SOFT_DEVMAP;
        v->splitting = level == 2 && (entry & SOFT_SPLITTING);
    }
    v->pfn =
        leaf_pfn(w, level, entry) | (va >> PAGE_SHIFT & ((UINT64_C(1) << (level_shift(w, level) - PAGE_SHIFT)) - 1));
    p = page_of(w, v->pfn);
    v->page_valid = p != NULL;
    if (p) {
        v->life = p->life;
        p = page_head(w, p);
        v->zero = p->kind == PG_ZERO;
        v->anon = p->kind == PG_ANON || (p->kind == PG_HUGETLB && !p->cached);
        v->exclusive = v->anon && p->exclusive;
        v->saturated = page_saturated(p);
        v->gone = p->kind == PG_DEVICE && w->device_gone;
    }
}

static void view_area(struct fl_pin_world *w, uint64_t va, struct fl_pin_view *v)
{
    struct area grown, *a = area_find(w, 0, va);
    const struct pg *p;

    if (!a && area_would_grow(w, 0, va, &grown))
        a = &grown;
    v->has_vma = a != NULL && va < w->space.task_size;
    if (!v->has_vma)
        return;
    v->vma = a->vma;
    v->fault_read = (uint8_t)fault_plan(w, 0, a, va, false);
    v->fault_write = (uint8_t)fault_plan(w, 0, a, va, true);
    v->fault_special = a->kind == FL_AREA_SPECIAL;
    if (w->saturated && (p = fault_cached(w, a, va)))
        v->saturated = page_saturated(p);
}

/* *at [OUT]: the entry that ends the walk; 0: there is none, and the view changes with everything only. */
static void view(struct fl_pin_world *w, uint64_t va, struct fl_pin_view *v, uint64_t *at)
{
    struct fl_access access = {.va = va, .kind = FL_WRITE, .priv = FL_USER};
    struct fl_cpu cpu = w->space.cpu;
    struct fl_arch_result result;

    memset(v, 0, sizeof *v);
    v->pfn = FL_NO_PAGE;
    *at = 0;
    if (va >= w->space.task_size) {
        if (!w->machine.vsyscall || cpu.mode < FL_MODE_4LEVEL || va != UINT64_C(0xffffffffff600000))
            return;
        v->vma = (struct fl_pin_vma){.start = va,
                                     .end = va + PAGE_SIZE,
                                     .generation = UINT32_MAX,
                                     .read = true,
                                     .exec = true,
                                     .may_read = true,
                                     .gate = true};
        cpu.cr3 = w->space.kernel_root;
    } else {
        view_area(w, va, v);
    }
    view_leaf(w, va, v, at);
    v->fault_special &= !v->mapped && v->swap == FL_SWAP_NONE;
    cpu.cr4 &= ~(UINT64_C(1) << 22); /* keys are judged from the area */
    fl_arch_walk(&cpu, &access, tables_read, w, &result);
    v->write.kind = (uint8_t)result.kind;
    /* Who may write may read: R/W restricts writes alone (SDM vol. 3, 4.6.1). */
    access.kind = FL_READ;
    if (result.kind != FL_ARCH_OK)
        fl_arch_walk(&cpu, &access, tables_read, w, &result);
    v->read.kind = (uint8_t)result.kind;
}

static bool entry_changed(const struct fl_pin_world *w, uint64_t at)
{
    for (unsigned k = 0; k < w->nchanged_at; k++)
        if (w->changed_at[k] == at)
            return true;
    return false;
}

/* Every page looked at anew must look as the last instant says. */
static void distrust(struct fl_pin_world *w)
{
    struct fl_pin_view v;
    uint64_t at;

    for (unsigned i = 0; i < w->pages && w->ninstants && !w->lost_instants; i++) {
        view(w, (w->event.u.pin.start & PAGE_MASK) + (uint64_t)i * PAGE_SIZE, &v, &at);
        if (memcmp(&v, &w->views[w->ninstants - 1][i], sizeof v) != 0)
            w->views_wrong = true;
    }
}

static void note_instant(struct fl_pin_world *w)
{
    struct fl_pin_view *now = w->views[w->ninstants % FL_PIN_INSTANTS];
    bool room, seen = false;

    w->changed = false;
    room = fault_room(w);
    w->changed_all |= room != w->had_room || w->ninstants == 0 || w->saturated;
    if (w->ninstants == FL_PIN_INSTANTS) {
        w->lost_instants = true;
        return;
    }
    for (unsigned i = 0; i < w->pages; i++) {
        if (!w->changed_all && !entry_changed(w, w->view_at[i])) {
            now[i] = w->views[w->ninstants - 1][i];
            continue;
        }
        view(w, (w->event.u.pin.start & PAGE_MASK) + (uint64_t)i * PAGE_SIZE, &now[i], &w->view_at[i]);
        seen = true;
    }
    w->ninstants += seen || w->changed_all;
    w->changed_all = false;
    w->had_room = room;
    w->nchanged_at = 0;
}

void instant(struct fl_pin_world *w)
{
    if (!w->in_event)
        return;
    if (w->changed)
        note_instant(w);
    if (w->distrusted)
        distrust(w);
}

/* ---- begin and end ------------------------------------------------------------------------------------------------ */

static bool is_fast(uint8_t api)
{
    return api == FL_PINAPI_FAST || api == FL_PINAPI_FAST_ONLY;
}

static int64_t wanted(const struct fl_record *r)
{
    return is_fast(r->u.pin.api) ? (int32_t)r->u.pin.n : (int64_t)r->u.pin.n;
}

static unsigned meant(const struct fl_record *r)
{
    unsigned flags = r->u.pin.flags;

    switch ((enum fl_pin_api)r->u.pin.api) {
    case FL_PINAPI_USER:
        return (flags & (FL_FOLL_WRITE | FL_FOLL_FORCE)) | FL_FOLL_TOUCH | (r->u.pin.pages ? FL_FOLL_GET : 0);
    case FL_PINAPI_FAST:
    case FL_PINAPI_FAST_ONLY: return (flags & FL_FOLL_WRITE) | FL_FOLL_TOUCH | FL_FOLL_GET;
    case FL_PINAPI_DUMP: return FL_FOLL_FORCE | FL_FOLL_DUMP | FL_FOLL_GET;
    case FL_PINAPI_FIXUP: return flags & FL_FOLL_WRITE;
    default: return flags | (r->u.pin.pages ? FL_FOLL_GET : 0);
    }
}

void fl_pin_world_event_begin(struct fl_pin_world *w, const struct fl_record *pin)
{
    int64_t n = wanted(pin);

    w->event = *pin;
    w->space.current = !pin->u.pin.remote;
    w->locks = is_fast(pin->u.pin.api) ? 0 : LOCK_MM_READ;
    memset(w->seen_op, 0, sizeof w->seen_op);
    w->ncalls = w->held = 0;
    for (int64_t i = 0; i < n && i < (int64_t)FL_PIN_ROOM; i++)
        w->pfns[i] = FL_NO_PAGE; /* a core that claims more than it wrote says nothing of what was there before */
    for (int64_t i = 0; pin->u.pin.vmas && i < n && i < (int64_t)FL_PIN_ROOM; i++)
        w->gens[i] = 0;
    w->total_calls = 0;
    w->most_calls = 20000 + 256 * (uint64_t)(n < 0 ? 0 : n < FL_PIN_ROOM ? n : FL_PIN_ROOM);
    w->broken = NULL;
    w->hostile = w->lied;
    w->lock_had = !is_fast(pin->u.pin.api);
    w->lock_retaken = false;
    memset(w->faults, 0, sizeof w->faults);
    w->accounted[0] = w->accounted[1] = 0;
    w->served = w->endless = w->answered = w->acted = w->freed_in_use = w->oom = w->lock_dropped = false;
    w->fatal_seen = w->killed;
    w->lost_instants = false;
    w->page_lock = 0;
    w->devices = 0;
    w->pinned_at_fatal = 0;
    w->same_faults = 0;
    w->last_fault = UINT64_MAX;
    w->ndeferred = w->nlate = w->ninstants = 0;
    w->split_late = 0;
    w->pages = n < 0 ? 0 : n < FL_PIN_PAGES ? (unsigned)n : FL_PIN_PAGES;
    w->in_event = w->changed = w->changed_all = true;
    w->releasing = w->call_over = false;
    if (w->watch)
        step(w, FL_PIN_STEP_BEGIN, pin, FL_OK);
    instant(w);
}

/* Does the call hand out references? */
static bool hands_out(const struct fl_record *r)
{
    return meant(r) & FL_FOLL_GET;
}

static void want_references(struct fl_pin_world *w, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        struct pg *p = page_of(w, w->pfns[i]), *head = p ? page_head(w, p) : NULL;

        if (!p)
            continue;
        page_note(w, p);
        page_note(w, head);
        w->want[record_of(w, head)]++;
        if (p != head)
            w->want_tail[record_of(w, p)]++;
    }
}

static int64_t magnitude(int64_t n)
{
    return n < 0 ? -n : n;
}

static void compare_references(struct fl_pin_world *w, uint64_t pages, struct fl_pin_seen *seen)
{
    uint64_t noted = pages < FL_PIN_PAGES ? pages : FL_PIN_PAGES;

    want_references(w, pages);
    for (uint64_t i = 0; i < noted; i++) {
        struct pg *p = page_of(w, w->pfns[i]), *head = p ? page_head(w, p) : NULL;
        uint32_t r, h;

        seen->refs[i] = 1;
        if (!p)
            continue;
        r = record_of(w, p);
        h = record_of(w, head);
        /* What is odd about a head is told at the first of its pages, and once. */
        if (w->want[h]) {
            seen->refs[i] += head->own - w->want[h];
            head->own = w->want[h] = 0;
        }
        if (p != head) {
            seen->tail_refs[i] = p->own_tail - w->want_tail[r];
            p->own_tail = w->want_tail[r] = 0;
        }
    }
    for (unsigned i = 0; i < w->nnoted; i++) {
        uint32_t r = w->noted[i];

        seen->other_refs += magnitude((int64_t)w->pg[r].own - w->want[r]);
        seen->other_refs += magnitude((int64_t)w->pg[r].own_tail - w->want_tail[r]);
        w->pg[r].own = w->pg[r].own_tail = w->want[r] = w->want_tail[r] = 0;
        w->pg[r].noted = false;
    }
    w->nnoted = 0;
}

/* Might everybody's memory be written to through that page, at some instant of the call? */
static bool shared_write(const struct fl_pin_world *w, uint64_t i, uint64_t va)
{
    const struct area *a = area_find((struct fl_pin_world *)w, 0, va); /* looking changes nothing */

    for (unsigned t = 0; i < w->pages && t < w->ninstants; t++)
        if (w->views[t][i].has_vma && w->views[t][i].vma.shared && w->views[t][i].vma.write)
            return true;
    /* Of pages that are not looked at the area is what it was all the time, where nobody has changed it. */
    return !a || (a->vma.shared && a->vma.write) || (i >= w->pages && w->acted) || w->lost_instants;
}

/* A dump reads at once and keeps nothing: its pins leave COW alone, and a later write parts from them. */
static void hold(struct fl_pin_world *w, uint64_t pages, const struct fl_pin_call *call)
{
    for (uint64_t i = 0; i < pages; i++) {
        struct pg *p = page_of(w, w->pfns[i]), *head = p ? page_head(w, p) : NULL;
        uint64_t va = (call->start & PAGE_MASK) + i * PAGE_SIZE;

        if (!p)
            continue;
        if (w->npins == MAX_PINS || call->api == FL_PINAPI_DUMP) {
            if (p != head)
                p->tail--;
            page_unref(w, head, 1);
            continue;
        }
        page_change(w, p);
        page_change(w, head);
        head->pins++;
        if (p != head)
            p->tail_pins++;
        w->pins[w->npins++] =
            (struct pin){.va = va,
                         .pfn = p->pfn,
                         .write = (call->flags & FL_FOLL_WRITE) && !w->hostile,
                         .coherent = !w->hostile && !w->acted && !w->answered && call->api != FL_PINAPI_FOLLOW &&
                                     (call->flags & (FL_FOLL_DUMP | FL_FOLL_WRITE)) != FL_FOLL_DUMP,
                         .shared_write = shared_write(w, i, va)};
    }
}

void fl_pin_world_event_end(struct fl_pin_world *w, const struct fl_pinned *out, struct fl_pin_call *call,
                            struct fl_pin_seen *seen)
{
    const struct fl_record *r = &w->event;
    uint64_t pages = out->pages < FL_PIN_ROOM ? out->pages : FL_PIN_ROOM;
    bool has_pfns = hands_out(r) || r->u.pin.api == FL_PINAPI_FOLLOW, killed = w->killed;

    *call = (struct fl_pin_call){.api = r->u.pin.api,
                                 .start = r->u.pin.start,
                                 .n = wanted(r),
                                 .flags = meant(r),
                                 .nonblocking = r->u.pin.nonblocking,
                                 .remote = r->u.pin.remote,
                                 .pages = has_pfns,
                                 .vmas = r->u.pin.vmas,
                                 .task_size = w->space.task_size,
                                 .cpu = w->space.cpu,
                                 .quiet = !w->hostile && !w->acted && !w->answered && !w->killed && !w->ndeferred,
                                 .hostile = w->hostile};
    memset(seen, 0, offsetof(struct fl_pin_seen, view));
    seen->out = *out;
    seen->view = (const struct fl_pin_view(*)[FL_PIN_PAGES])w->views;
    seen->ninstants = w->ninstants;
    seen->lost_instants = w->lost_instants;
    for (uint64_t i = 0; i < FL_PIN_PAGES; i++)
        seen->pfn[i] = has_pfns && i < pages ? w->pfns[i] : FL_NO_PAGE;
    for (uint64_t i = 0; i < FL_PIN_PAGES && i < pages && r->u.pin.vmas; i++)
        seen->gen[i] = w->gens[i];
    memset(seen->refs, 0, sizeof *seen - offsetof(struct fl_pin_seen, refs));
    for (uint64_t i = 0; i < FL_PIN_PAGES && i < pages && has_pfns; i++) {
        const struct pg *p = page_of(w, w->pfns[i]);

        seen->life[i] = p ? p->life : 0;
    }
    seen->mm_held = w->locks & LOCK_MM_READ;
    seen->ptl_held = w->locks & LOCK_PTL;
    seen->irq_off = w->locks & LOCK_IRQ;
    seen->page_locked = w->page_lock != 0;
    if (w->devices)
        op_broken(w, "device-get-never-given-back");
    seen->broken = w->broken;
    seen->endless = w->endless;
    seen->fatal = w->fatal_seen;
    if (w->fatal_seen && refs_taken(w) > w->pinned_at_fatal)
        seen->after_fatal = (unsigned)(refs_taken(w) - w->pinned_at_fatal);
    seen->lock_dropped = w->lock_dropped;
    seen->lock_retaken = w->lock_retaken;
    memcpy(seen->faults, w->faults, sizeof seen->faults);
    memcpy(seen->accounted, w->accounted, sizeof seen->accounted);
    seen->served = w->served;
    seen->oom = w->oom;
    seen->has_special = w->space.has_special;
    compare_references(w, hands_out(r) ? pages : 0, seen);
    seen->freed_in_use = w->freed_in_use;

    w->locks = 0;
    w->call_over = true;
    if (w->page_lock)
        page_of(w, w->page_lock - 1)->locked = false;
    hold(w, hands_out(r) ? pages : 0, call);
    late_run(w);
    race_released(w);
    for (unsigned i = 0; i < w->nraces; i++)
        if (!w->raced[i]) {
            enum fl_status status = act(w, &w->races[i]);

            if (w->watch)
                step(w, FL_PIN_STEP_ACT, &w->races[i], status);
        }
    w->nraces = w->nanswers = 0;
    /* A signal that the world itself sent to end a loop is no part of the scenario. */
    w->killed = killed && !w->endless;
    if (w->watch)
        ended(w, call, seen);
    w->in_event = false;
}

unsigned fl_pin_world_calls(const struct fl_pin_world *w, const struct fl_pin_op_call **calls)
{
    *calls = w->calls;
    return w->ncalls;
}

uint64_t *fl_pin_world_pfns(struct fl_pin_world *w)
{
    return w->pfns;
}

uint32_t *fl_pin_world_gens(struct fl_pin_world *w)
{
    return w->gens;
}
