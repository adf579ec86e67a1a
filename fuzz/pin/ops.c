/* SPDX-License-Identifier: MIT */
/* Services for the core: tables, locks, areas, faults. Each call is a preemption point: races keyed to it run first, then
 * the call is carried out on the world as it is then, or the keyed answer is given. */
#include "ops.h"

unsigned op_begin(struct fl_pin_world *w, enum fl_pin_op op, uint64_t object)
{
    unsigned nth = w->seen_op[op] < 255 ? ++w->seen_op[op] : 255;
    struct fl_pin_op_call *c = NULL;
    unsigned acted;

    if (w->ncalls < FL_PIN_CALLS) {
        c = &w->calls[w->ncalls++];
        *c = (struct fl_pin_op_call){.op = (uint8_t)op, .nth = (uint8_t)nth, .locks = w->locks, .object = object};
    } else if (w->ncalls == FL_PIN_CALLS && ++w->total_calls > w->most_calls) {
        w->endless = true;
        w->killed = true;
    }
    if (w->watch && c)
        step(w, FL_PIN_STEP_CALL, NULL, FL_OK);
    w->race_changed = false;
    acted = w->nraces && nth < 255 ? race_point(w, op, nth) : 0;
    if (c) {
        c->acted = (uint8_t)acted;
        c->instant = (uint16_t)w->ninstants;
        c->changed = w->race_changed;
    }
    return nth;
}

void op_detail(struct fl_pin_world *w, unsigned detail)
{
    if (call_kept(w))
        w->calls[w->ncalls - 1].detail = (uint8_t)detail;
}

void op_end(struct fl_pin_world *w, uint64_t answer)
{
    if (call_kept(w))
        w->calls[w->ncalls - 1].answer = answer;
}

void op_broken(struct fl_pin_world *w, const char *what)
{
    if (!w->broken)
        w->broken = what;
}

void op_may_sleep(struct fl_pin_world *w, const char *what)
{
    if (w->locks & (LOCK_PTL | LOCK_IRQ))
        op_broken(w, what);
}

void op_needs_mm(struct fl_pin_world *w, const char *what)
{
    if (!(w->locks & LOCK_MM_READ))
        op_broken(w, what);
}

static void unlocked(struct fl_pin_world *w)
{
    if (w->ndeferred)
        race_released(w);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static bool op_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = op_begin(w, FL_PINOP_READ, paddr);
    enum fl_pin_answer answer;

    if (size != 4 && size != 8) {
        op_broken(w, "read-neither-4-nor-8-bytes");
        return false;
    }
    if (!tables_read(w, paddr, size, value)) {
        if (!w->hostile)
            op_broken(w, "read-where-no-table-is");
        return false;
    }
    if (w->table_level[paddr >> PAGE_SHIFT] == 0 && !w->hostile)
        op_broken(w, "read-a-table-that-has-been-freed");
    if (w->space.cpu.mode == FL_MODE_PAE && w->table_level[paddr >> PAGE_SHIFT] == 3 && paddr % PAGE_SIZE >= 32 &&
        !w->hostile)
        op_broken(w, "read-behind-the-end-of-a-table"); /* it has four entries */
    if (w->nanswers && answer_for(w, FL_PINOP_READ, nth, &answer))
        *value ^= UINT64_C(0x5a5a5a5a5a5a5a5b) & (size == 4 ? UINT32_MAX : UINT64_MAX);
    op_end(w, *value);
    return true;
}

static void op_ptl_lock(void *ctx, unsigned level, uint64_t paddr)
{
    struct fl_pin_world *w = ctx;

    op_begin(w, FL_PINOP_PTL_LOCK, paddr);
    op_detail(w, level);
    if (w->locks & LOCK_PTL)
        op_broken(w, "ptl-lock-held-already");
    if (w->locks & LOCK_IRQ)
        op_broken(w, "ptl-lock-in-the-fast-path");
    w->locks |= LOCK_PTL;
}

static void op_ptl_unlock(void *ctx)
{
    struct fl_pin_world *w = ctx;

    op_begin(w, FL_PINOP_PTL_UNLOCK, 0);
    if (!(w->locks & LOCK_PTL))
        op_broken(w, "ptl-unlock-not-held");
    w->locks &= (uint8_t)~LOCK_PTL;
    unlocked(w);
}

static enum fl_swap_kind op_swap_kind(void *ctx, uint64_t entry)
{
    (void)ctx;
    return entry_swap(entry);
}

/* Where va lies that an entry of the task's tables translates: found by going through them. */
struct looking {
    uint64_t paddr, va;
    bool found;
};

static void look(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    struct looking *l = ctx;

    (void)w, (void)mm, (void)level;
    if (paddr == l->paddr) {
        l->va = va;
        l->found = true;
    }
}

static void op_migration_wait(void *ctx, uint64_t paddr)
{
    struct fl_pin_world *w = ctx;
    struct looking l = {.paddr = paddr};

    op_begin(w, FL_PINOP_MIGRATION_WAIT, paddr);
    op_needs_mm(w, "migration-wait-without-the-mm-lock");
    op_may_sleep(w, "migration-wait-where-nothing-may-sleep");
    leaf_each(w, 0, 0, w->space.task_size, look, &l);
    if (l.found)
        act_migrate_end(w, 0, l.va);
    instant(w);
}

static void op_split_huge(void *ctx, uint32_t generation, uint64_t va, uint64_t paddr)
{
    struct fl_pin_world *w = ctx;

    (void)generation;
    op_begin(w, FL_PINOP_SPLIT_HUGE, paddr);
    op_needs_mm(w, "split-huge-without-the-mm-lock");
    op_may_sleep(w, "split-huge-where-nothing-may-sleep");
    act_split(w, 0, va);
    instant(w);
}

static void op_split_wait(void *ctx, uint64_t paddr)
{
    struct fl_pin_world *w = ctx;
    struct looking l = {.paddr = paddr};

    op_begin(w, FL_PINOP_SPLIT_WAIT, paddr);
    op_needs_mm(w, "split-wait-without-the-mm-lock");
    op_may_sleep(w, "split-wait-where-nothing-may-sleep");
    leaf_each(w, 0, 0, w->space.task_size, look, &l);
    if (l.found)
        act_split(w, 0, l.va);
    instant(w);
}

static void op_touch_leaf(void *ctx, unsigned level, uint64_t paddr, bool dirty)
{
    struct fl_pin_world *w = ctx;
    const struct pg *page;
    uint64_t entry;

    op_begin(w, FL_PINOP_TOUCH_LEAF, paddr);
    op_detail(w, dirty);
    if (!(w->locks & LOCK_PTL))
        op_broken(w, "touch-leaf-without-the-page-table-lock");
    if (level < 1 || level > 3 || paddr >= (uint64_t)TABLES * PAGE_SIZE || paddr & (entry_size(w) - 1))
        return;
    entry = entry_get(w, paddr);
    if (!entry_maps(level, entry)) {
        op_broken(w, "touch-leaf-no-leaf");
        return;
    }
    /* Dirty says that somebody wrote: through this entry, or by force to a page of the task's own. */
    page = leaf_page(w, level, entry);
    if (dirty && !(entry & E_RW) && !(page && page->kind == PG_ANON && page->exclusive) && !w->hostile)
        op_broken(w, "touch-leaf-dirty-what-nobody-wrote");
    if (entry & E_P)
        entry_put(w, paddr, entry | E_A | (dirty ? E_D : 0));
}

/* ---- the address space ------------------------------------------------------------------------------------------- */

static bool op_vma_find(void *ctx, uint64_t addr, struct fl_pin_vma *vma)
{
    struct fl_pin_world *w = ctx;
    struct area *a;

    op_begin(w, FL_PINOP_VMA_FIND, addr);
    op_needs_mm(w, "vma-find-without-the-mm-lock");
    a = addr < w->space.task_size ? area_find(w, 0, addr) : NULL;
    if (!a && (addr >= w->space.task_size || !area_grow(w, 0, addr, &a)))
        return false;
    *vma = w->found = a->vma;
    op_end(w, 1);
    instant(w);
    return true;
}

static bool op_gate_vma(void *ctx, uint64_t addr, struct fl_pin_vma *vma)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = op_begin(w, FL_PINOP_GATE_VMA, addr);
    uint64_t start = UINT64_C(0xffffffffff600000);
    enum fl_pin_answer answer;
    bool in = w->machine.vsyscall && w->space.cpu.mode >= FL_MODE_4LEVEL && addr >= start && addr < start + PAGE_SIZE;

    if (w->nanswers && answer_for(w, FL_PINOP_GATE_VMA, nth, &answer))
        in = !in;
    if (!in)
        return false;
    *vma = (struct fl_pin_vma){.start = addr & PAGE_MASK,
                               .end = (addr & PAGE_MASK) + PAGE_SIZE,
                               .generation = UINT32_MAX,
                               .read = true,
                               .exec = true,
                               .may_read = true,
                               .gate = true};
    op_end(w, 1);
    return true;
}

static bool is_error(uint8_t result)
{
    return result != FL_MM_MINOR && result != FL_MM_MAJOR;
}

/* The same fault again in a world that has not changed: nothing will come of it. */
static void count_same(struct fl_pin_world *w, uint64_t addr, unsigned flags, bool changed)
{
    uint64_t key = addr | (flags & FL_MM_WRITE);

    if (changed || key != w->last_fault)
        w->same_faults = 0;
    w->last_fault = key;
    if (++w->same_faults > 64) {
        w->endless = true;
        w->killed = true;
    }
}

static struct fl_pin_fault given(struct fl_pin_world *w, enum fl_pin_answer answer, struct area *a, uint64_t addr,
                                 unsigned flags, bool nowait)
{
    struct fl_pin_fault out = {0};

    switch (answer) {
    case FL_PINANS_REFUSE: out.result = FL_MM_OOM; break;
    case FL_PINANS_SIGBUS: out.result = FL_MM_SIGBUS; break;
    case FL_PINANS_SIGSEGV: out.result = FL_MM_SIGSEGV; break;
    case FL_PINANS_HWPOISON: out.result = FL_MM_HWPOISON; break;
    case FL_PINANS_HWPOISON_LARGE: out.result = FL_MM_HWPOISON_LARGE; break;
    case FL_PINANS_RETRY:
    case FL_PINANS_RETRY_MAJOR:
        out.result = answer == FL_PINANS_RETRY ? FL_MM_RETRY : FL_MM_RETRY_MAJOR;
        if (!(flags & FL_MM_ALLOW_RETRY)) {
            w->hostile = true; /* nobody asked for it, and the lock stays */
        } else if (!nowait) {
            w->locks &= (uint8_t) ~(LOCK_MM_READ | LOCK_MM_WRITE);
            w->mm_depth = 0;
            w->lock_dropped = true;
            unlocked(w);
        }
        break;
    case FL_PINANS_LAZY: out.result = FL_MM_MINOR; break;
    case FL_PINANS_GARBAGE: out.result = 200; break;
    default:
        out = fault_do(w, 0, a, addr, flags & FL_MM_WRITE);
        if (out.result == FL_MM_MINOR)
            out.result = FL_MM_MAJOR;
        break;
    }
    return out;
}

static struct fl_pin_fault fault(struct fl_pin_world *w, enum fl_pin_op op, uint32_t generation, uint64_t addr,
                                 unsigned flags, bool nowait)
{
    unsigned nth = op_begin(w, op, addr);
    struct area *a = area_find(w, 0, addr);
    struct fl_pin_fault out = {.result = FL_MM_SIGSEGV};
    enum fl_pin_answer answer;
    bool before = w->changed;

    op_detail(w, flags | (nowait ? FL_PIN_NOWAIT : 0));
    op_needs_mm(w, "fault-without-the-mm-lock");
    op_may_sleep(w, "fault-where-nothing-may-sleep");
    if (!a || a->vma.generation != generation) {
        op_broken(w, "fault-an-area-that-is-no-longer");
        return out;
    }
    w->changed = false;
    if (w->nanswers && answer_for(w, op, nth, &answer))
        out = given(w, answer, a, addr, flags, nowait);
    else
        out = fault_do(w, 0, a, addr, flags & FL_MM_WRITE);
    count_same(w, addr & PAGE_MASK, flags, w->changed || is_error(out.result));
    w->served |= !is_error(out.result);
    w->oom |= out.result == FL_MM_OOM;
    w->changed |= before;
    op_end(w, out.result | (uint64_t)out.wrote << 8);
    instant(w);
    return out;
}

static struct fl_pin_fault op_mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags, bool nowait)
{
    struct fl_pin_world *w = ctx;
    struct fl_pin_fault out = fault(w, FL_PINOP_MM_FAULT, generation, addr, flags, nowait);

    if (out.result < FL_MM_COUNT)
        w->faults[out.result]++;
    return out;
}

static struct fl_pin_fault op_hugetlb_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    struct fl_pin_world *w = ctx;
    struct area *a = area_find(w, 0, addr);

    if (a && !a->vma.huge_shift)
        op_broken(w, "hugetlb-fault-not-a-hugetlb-area");
    return fault(w, FL_PINOP_HUGETLB_FAULT, generation, addr, flags, false);
}

static bool op_hugetlb_cached(void *ctx, uint32_t generation, uint64_t addr)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = op_begin(w, FL_PINOP_PAGE_FACT, addr);
    struct area *a = area_find(w, 0, addr);
    enum fl_pin_answer answer;
    bool is = a && a->vma.huge_shift && hugetlb_cached(w, a, addr);

    (void)generation;
    if (w->nanswers && answer_for(w, FL_PINOP_PAGE_FACT, nth, &answer))
        is = !is;
    op_end(w, is);
    return is;
}

static void op_mm_lock(void *ctx)
{
    struct fl_pin_world *w = ctx;

    op_begin(w, FL_PINOP_MM_LOCK, 0);
    op_may_sleep(w, "mm-lock-where-nothing-may-sleep");
    if (w->locks & LOCK_MM_READ)
        op_broken(w, "mm-lock-held-already");
    w->locks |= LOCK_MM_READ;
    w->lock_retaken |= w->lock_had;
    w->lock_had = true;
    w->lock_dropped = false;
}

static void op_mm_unlock(void *ctx)
{
    struct fl_pin_world *w = ctx;

    op_begin(w, FL_PINOP_MM_UNLOCK, 0);
    if (!(w->locks & LOCK_MM_READ))
        op_broken(w, "mm-unlock-not-held");
    w->locks &= (uint8_t)~LOCK_MM_READ;
    unlocked(w);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static bool op_fatal_signal(void *ctx)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = op_begin(w, FL_PINOP_FATAL_SIGNAL, 0);
    enum fl_pin_answer answer;
    bool pending = w->killed;

    if (w->nanswers && answer_for(w, FL_PINOP_FATAL_SIGNAL, nth, &answer))
        pending = !pending;
    op_end(w, pending);
    return pending;
}

static void op_resched(void *ctx)
{
    struct fl_pin_world *w = ctx;

    op_begin(w, FL_PINOP_RESCHED, 0);
    op_may_sleep(w, "resched-where-nothing-may-sleep");
}

static void op_account(void *ctx, bool major)
{
    struct fl_pin_world *w = ctx;

    w->accounted[major]++;
}

static void op_irq_save(void *ctx)
{
    struct fl_pin_world *w = ctx;

    op_begin(w, FL_PINOP_IRQ_SAVE, 0);
    if (w->locks & LOCK_IRQ)
        op_broken(w, "irq-save-off-already");
    w->locks |= LOCK_IRQ;
    w->pv_now = w->pv;
}

static void op_irq_restore(void *ctx)
{
    struct fl_pin_world *w = ctx;

    op_begin(w, FL_PINOP_IRQ_RESTORE, 0);
    if (!(w->locks & LOCK_IRQ))
        op_broken(w, "irq-restore-not-off");
    w->locks &= (uint8_t)~LOCK_IRQ;
    late_run(w);
    unlocked(w);
}

const struct fl_gup_ops *fl_pin_world_ops(void)
{
    static const struct fl_gup_ops ops = {
        .read = op_read,
        .ptl_lock = op_ptl_lock,
        .ptl_unlock = op_ptl_unlock,
        .swap_kind = op_swap_kind,
        .migration_wait = op_migration_wait,
        .split_huge = op_split_huge,
        .split_wait = op_split_wait,
        .touch_leaf = op_touch_leaf,
        .page_valid = op_page_valid,
        .page_zero = op_page_zero,
        .page_head = op_page_head,
        .page_get = op_page_get,
        .page_get_speculative = op_page_get_speculative,
        .page_put = op_page_put,
        .page_tail_get = op_page_tail_get,
        .page_anon_exclusive = op_page_anon_exclusive,
        .page_dirty = op_page_dirty,
        .page_set_dirty = op_page_set_dirty,
        .page_accessed = op_page_accessed,
        .page_has_mapping = op_page_has_mapping,
        .page_trylock = op_page_trylock,
        .page_unlock = op_page_unlock,
        .page_mlock = op_page_mlock,
        .device_get = op_device_get,
        .device_put = op_device_put,
        .vma_find = op_vma_find,
        .gate_vma = op_gate_vma,
        .mm_fault = op_mm_fault,
        .hugetlb_fault = op_hugetlb_fault,
        .hugetlb_cached = op_hugetlb_cached,
        .mm_lock = op_mm_lock,
        .mm_unlock = op_mm_unlock,
        .fatal_signal = op_fatal_signal,
        .resched = op_resched,
        .account = op_account,
        .irq_save = op_irq_save,
        .irq_restore = op_irq_restore,
    };

    return &ops;
}
