/* SPDX-License-Identifier: MIT */
#include "gup_fake.h"

#include <string.h>

void gup_misuse(struct gup_fake *k, const char *what)
{
    if (!k->misuse)
        k->misuse = what;
}

static void note(struct gup_fake *k, char op)
{
    k->nth[(unsigned char)op]++;
    if (k->ntrace < sizeof k->trace - 1 && (op != 'r' || k->trace_reads))
        k->trace[k->ntrace++] = op;
    if (k->at)
        k->at(k, op);
}

static void may_sleep(struct gup_fake *k)
{
    if (k->ptl_held || k->irq_off)
        gup_misuse(k, "sleeps in atomic context");
}

static void needs_mm(struct gup_fake *k)
{
    if (!k->mm_held)
        gup_misuse(k, "without the mm lock");
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static bool fake_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct gup_fake *k = ctx;

    note(k, 'r');
    if (paddr % size || (size != 4 && size != 8))
        gup_misuse(k, "read not aligned");
    if (paddr >= GUP_FRAMES * 4096u || k->nth['r'] == k->fail_read)
        return false;
    *value = 0;
    memcpy(value, &k->memory[paddr / 4096][paddr % 4096], size);
    return true;
}

static void fake_ptl_lock(void *ctx, unsigned level, uint64_t paddr)
{
    struct gup_fake *k = ctx;

    note(k, '[');
    if (k->ptl_held)
        gup_misuse(k, "ptl_lock: held");
    if (k->irq_off)
        gup_misuse(k, "ptl_lock: interrupts off");
    if (paddr >= GUP_FRAMES * 4096u)
        gup_misuse(k, "ptl_lock: no table there");
    k->ptl_held = true;
    k->ptl_level = level;
}

static void fake_ptl_unlock(void *ctx)
{
    struct gup_fake *k = ctx;

    note(k, ']');
    if (!k->ptl_held)
        gup_misuse(k, "ptl_unlock: not held");
    k->ptl_held = false;
}

static enum fl_swap_kind fake_swap_kind(void *ctx, uint64_t entry)
{
    (void)ctx;
    return (enum fl_swap_kind)(entry >> 1 & 7);
}

static void wait_at(struct gup_fake *k, char op, uint64_t paddr)
{
    note(k, op);
    needs_mm(k);
    may_sleep(k);
    k->waited_at = paddr;
    if (k->splits)
        gup_write(k, paddr, k->split_value);
}

static void fake_migration_wait(void *ctx, uint64_t paddr)
{
    wait_at(ctx, 'm', paddr);
}

static void fake_split_huge(void *ctx, uint32_t generation, uint64_t va, uint64_t paddr)
{
    struct gup_fake *k = ctx;

    (void)va;
    if (generation != k->area[0].generation)
        gup_misuse(k, "split_huge: another area");
    wait_at(k, '/', paddr);
}

static void fake_split_wait(void *ctx, uint64_t paddr)
{
    wait_at(ctx, '~', paddr);
}

static void fake_touch_leaf(void *ctx, unsigned level, uint64_t paddr, bool dirty)
{
    struct gup_fake *k = ctx;

    note(k, dirty ? 'T' : 't');
    if (!k->ptl_held || level != k->ptl_level)
        gup_misuse(k, "touch_leaf: not its lock");
    gup_write(k, paddr, gup_value(k, paddr) | E_A | (dirty ? E_D : 0));
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

struct gup_page *gup_page(struct gup_fake *k, uint64_t pfn)
{
    struct gup_page *p = &k->page[pfn % GUP_PAGES];

    if (p->known && p->pfn != pfn)
        gup_misuse(k, "two pages with one record");
    p->known = true;
    p->pfn = pfn;
    return p;
}

static struct gup_page *real(struct gup_fake *k, uint64_t pfn)
{
    struct gup_page *p = gup_page(k, pfn);

    if (p->invalid)
        gup_misuse(k, "a page without struct page");
    return p;
}

static uint64_t head_of(const struct gup_fake *k, uint64_t pfn)
{
    return pfn >= k->huge && pfn < k->huge + k->huge_pages ? k->huge : pfn;
}

static bool fake_page_valid(void *ctx, uint64_t pfn)
{
    return !gup_page(ctx, pfn)->invalid;
}

static bool fake_page_zero(void *ctx, uint64_t pfn)
{
    return real(ctx, pfn)->zero;
}

static uint64_t fake_page_head(void *ctx, uint64_t pfn)
{
    struct gup_fake *k = ctx;

    note(k, 'h');
    real(k, pfn);
    return head_of(k, pfn);
}

static bool fake_page_get(void *ctx, uint64_t pfn)
{
    struct gup_fake *k = ctx;
    struct gup_page *head;

    note(k, gup_page(k, head_of(k, pfn))->refuse ? 'G' : 'g');
    head = real(k, head_of(k, pfn));
    /* The gate page is the kernel's own, which nobody takes away. */
    if (!k->ptl_held && !k->gate.end)
        gup_misuse(k, "page_get: no page-table lock");
    if (head->refuse)
        return false;
    head->refs++;
    if (head->pfn != pfn)
        real(k, pfn)->tails++;
    return true;
}

static bool fake_page_get_speculative(void *ctx, uint64_t pfn, unsigned n)
{
    struct gup_fake *k = ctx;
    struct gup_page *p;

    note(k, gup_page(k, pfn)->refuse ? 'S' : 's');
    p = real(k, pfn);
    if (!k->irq_off)
        gup_misuse(k, "page_get_speculative: interrupts on");
    if (p->refuse)
        return false;
    p->refs += (int)n;
    return true;
}

static void fake_page_put(void *ctx, uint64_t pfn, unsigned n)
{
    struct gup_fake *k = ctx;

    note(k, 'p');
    if (real(k, pfn)->refs < (int)n)
        gup_misuse(k, "page_put: not taken");
    real(k, pfn)->refs -= (int)n;
}

static void fake_page_tail_get(void *ctx, uint64_t pfn)
{
    struct gup_fake *k = ctx;

    note(k, 'l');
    if (head_of(k, pfn) == pfn)
        gup_misuse(k, "page_tail_get: no tail");
    if (real(k, head_of(k, pfn))->refs < 1)
        gup_misuse(k, "page_tail_get: its head was not taken");
    real(k, pfn)->tails++;
}

static bool fake_page_anon_exclusive(void *ctx, uint64_t pfn)
{
    return real(ctx, pfn)->exclusive;
}

static bool fake_page_dirty(void *ctx, uint64_t pfn)
{
    return real(ctx, pfn)->dirty;
}

static void fake_page_set_dirty(void *ctx, uint64_t pfn)
{
    note(ctx, 'd');
    real(ctx, pfn)->set_dirty = true;
}

static void fake_page_accessed(void *ctx, uint64_t pfn)
{
    note(ctx, 'a');
    real(ctx, pfn)->accessed = true;
}

static bool fake_page_has_mapping(void *ctx, uint64_t pfn)
{
    return !real(ctx, pfn)->no_mapping;
}

static bool fake_page_trylock(void *ctx, uint64_t pfn)
{
    struct gup_fake *k = ctx;

    note(k, real(k, pfn)->locked ? 'K' : 'k');
    if (real(k, pfn)->locked)
        return false;
    k->page_lock = pfn + 1;
    return true;
}

static void fake_page_unlock(void *ctx, uint64_t pfn)
{
    struct gup_fake *k = ctx;

    note(k, 'u');
    if (k->page_lock != pfn + 1)
        gup_misuse(k, "page_unlock: not held");
    k->page_lock = 0;
}

static void fake_page_mlock(void *ctx, uint64_t pfn)
{
    struct gup_fake *k = ctx;

    note(k, 'M');
    if (k->page_lock != pfn + 1)
        gup_misuse(k, "page_mlock: without its lock");
    real(k, pfn)->mlocked = true;
}

static bool fake_device_get(void *ctx, uint64_t pfn)
{
    struct gup_fake *k = ctx;

    note(k, k->device_gone ? '#' : '+');
    real(k, pfn);
    if (k->device_gone)
        return false;
    k->devices++;
    return true;
}

static void fake_device_put(void *ctx, uint64_t pfn)
{
    struct gup_fake *k = ctx;

    note(k, '-');
    real(k, pfn);
    if (!k->devices)
        gup_misuse(k, "device_put: not held");
    else
        k->devices--;
}

/* ---- the address space, the rest --------------------------------------------------------------------------------- */

static bool fake_vma_find(void *ctx, uint64_t addr, struct fl_pin_vma *vma)
{
    struct gup_fake *k = ctx;
    const struct fl_pin_vma *found = NULL;

    for (unsigned i = 0; i < k->nareas; i++)
        if (addr >= k->area[i].start && addr < k->area[i].end)
            found = &k->area[i];
    note(k, found ? 'v' : 'V');
    needs_mm(k);
    k->find_addr = addr;
    if (!found)
        return false;
    *vma = *found;
    return true;
}

static bool fake_gate_vma(void *ctx, uint64_t addr, struct fl_pin_vma *vma)
{
    struct gup_fake *k = ctx;
    bool in = addr >= k->gate.start && addr < k->gate.end;

    note(k, in ? 'e' : 'E');
    if (in)
        *vma = k->gate;
    return in;
}

static struct fl_pin_fault answer(struct gup_fake *k, char op, uint32_t generation, uint64_t addr, unsigned flags,
                                  bool nowait)
{
    const struct gup_fault *f = &k->fault[0];

    if (k->nfaults)
        f += k->fault_calls < k->nfaults ? k->fault_calls : k->nfaults - 1;
    note(k, op);
    needs_mm(k);
    may_sleep(k);
    if (k->fault_calls < GUP_FAULTS)
        k->fault_flags[k->fault_calls] = flags;
    k->fault_calls++;
    k->fault_addr = addr;
    k->fault_generation = generation;
    k->fault_nowait = nowait;
    if (!k->nfaults)
        return (struct fl_pin_fault){.result = FL_MM_OOM};
    if (f->installs)
        gup_write(k, f->paddr, f->value);
    if ((f->result == FL_MM_RETRY || f->result == FL_MM_RETRY_MAJOR) && (flags & FL_MM_ALLOW_RETRY) && !nowait)
        k->mm_held = false;
    return (struct fl_pin_fault){.result = f->result, .wrote = f->wrote};
}

static struct fl_pin_fault fake_mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags, bool nowait)
{
    return answer(ctx, 'f', generation, addr, flags, nowait);
}

static struct fl_pin_fault fake_hugetlb_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    return answer(ctx, 'F', generation, addr, flags, false);
}

static bool fake_hugetlb_cached(void *ctx, uint32_t generation, uint64_t addr)
{
    struct gup_fake *k = ctx;

    (void)generation, (void)addr;
    note(k, 'c');
    needs_mm(k);
    return k->cached;
}

static void fake_mm_lock(void *ctx)
{
    struct gup_fake *k = ctx;

    note(k, 'L');
    may_sleep(k);
    if (k->mm_held)
        gup_misuse(k, "mm_lock: held");
    k->mm_held = true;
}

static void fake_mm_unlock(void *ctx)
{
    struct gup_fake *k = ctx;

    note(k, 'U');
    needs_mm(k);
    k->mm_held = false;
}

static bool fake_fatal_signal(void *ctx)
{
    note(ctx, '!');
    return ((struct gup_fake *)ctx)->fatal;
}

static void fake_resched(void *ctx)
{
    note(ctx, 'y');
    may_sleep(ctx);
}

static void fake_account(void *ctx, bool major)
{
    note(ctx, major ? 'j' : 'i');
}

static void fake_irq_save(void *ctx)
{
    struct gup_fake *k = ctx;

    note(k, '(');
    if (k->irq_off)
        gup_misuse(k, "irq_save: off");
    k->irq_off = true;
}

static void fake_irq_restore(void *ctx)
{
    struct gup_fake *k = ctx;

    note(k, ')');
    if (!k->irq_off)
        gup_misuse(k, "irq_restore: on");
    k->irq_off = false;
}

const struct fl_gup_ops gup_fake_ops = {
    .read = fake_read,
    .ptl_lock = fake_ptl_lock,
    .ptl_unlock = fake_ptl_unlock,
    .swap_kind = fake_swap_kind,
    .migration_wait = fake_migration_wait,
    .split_huge = fake_split_huge,
    .split_wait = fake_split_wait,
    .touch_leaf = fake_touch_leaf,
    .page_valid = fake_page_valid,
    .page_zero = fake_page_zero,
    .page_head = fake_page_head,
    .page_get = fake_page_get,
    .page_get_speculative = fake_page_get_speculative,
    .page_put = fake_page_put,
    .page_tail_get = fake_page_tail_get,
    .page_anon_exclusive = fake_page_anon_exclusive,
    .page_dirty = fake_page_dirty,
    .page_set_dirty = fake_page_set_dirty,
    .page_accessed = fake_page_accessed,
    .page_has_mapping = fake_page_has_mapping,
    .page_trylock = fake_page_trylock,
    .page_unlock = fake_page_unlock,
    .page_mlock = fake_page_mlock,
    .device_get = fake_device_get,
    .device_put = fake_device_put,
    .vma_find = fake_vma_find,
    .gate_vma = fake_gate_vma,
    .mm_fault = fake_mm_fault,
    .hugetlb_fault = fake_hugetlb_fault,
    .hugetlb_cached = fake_hugetlb_cached,
    .mm_lock = fake_mm_lock,
    .mm_unlock = fake_mm_unlock,
    .fatal_signal = fake_fatal_signal,
    .resched = fake_resched,
    .account = fake_account,
    .irq_save = fake_irq_save,
    .irq_restore = fake_irq_restore,
};

struct fl_gup_ops gup_ops_without(unsigned i)
{
    struct fl_gup_ops ops = gup_fake_ops;

    memset((char *)&ops + i * sizeof(void (*)(void)), 0, sizeof(void (*)(void)));
    return ops;
}
