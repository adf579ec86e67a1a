/* SPDX-License-Identifier: MIT */
/*
 * Struct pages. A huge page has its references and mappings counted on its head, and pins of its tails on the tails as well,
 * so that a split can hand them on (Linux 3.19). A page whose count falls to 0 is free at once, or, while the core has
 * interrupts off and flushes wait for them, when they are on again.
 */
#include "state.h"

static void record_reset(struct fl_pin_world *w, uint32_t i)
{
    uint64_t pfn = w->pg[i].pfn;

    memset(&w->pg[i], 0, sizeof w->pg[i]);
    if (i < FL_PIN_FRAMES + DEVICES)
        w->pg[i].pfn = pfn;
    else
        w->giant_at[i - FL_PIN_FRAMES - DEVICES] = 0;
}

void page_touch(struct fl_pin_world *w, struct pg *p)
{
    if (!p->touched) {
        p->touched = true;
        w->touched[w->ntouched++] = record_of(w, p);
    }
}

void page_change(struct fl_pin_world *w, struct pg *p)
{
    page_touch(w, p);
    w->changed = true; /* its mappings may look otherwise only where an entry, or everything, is said to */
}

void page_note(struct fl_pin_world *w, struct pg *p)
{
    if (!p->noted) {
        p->noted = true;
        w->noted[w->nnoted++] = record_of(w, p);
    }
}

void frames_reset(struct fl_pin_world *w)
{
    for (unsigned i = 0; i < w->ntouched; i++)
        record_reset(w, w->touched[i]);
    w->ntouched = w->nnoted = w->giants = w->giant_records = w->nslots = 0;
    w->small_next = PFN_SMALL;
    w->small_free = 0;
    w->huge_next = PFN_HUGE;
}

void frames_copy(struct fl_pin_world *to, const struct fl_pin_world *from)
{
    frames_reset(to);
    for (unsigned i = 0; i < from->ntouched; i++) {
        uint32_t r = from->touched[i];

        to->pg[r] = from->pg[r];
        if (r >= FL_PIN_FRAMES + DEVICES)
            to->giant_at[r - FL_PIN_FRAMES - DEVICES] = from->giant_at[r - FL_PIN_FRAMES - DEVICES];
    }
    memcpy(to->touched, from->touched, from->ntouched * sizeof from->touched[0]);
    to->ntouched = from->ntouched;
    to->giants = from->giants;
    to->giant_records = from->giant_records;
    memcpy(to->slots, from->slots, from->nslots * sizeof from->slots[0]);
    to->nslots = from->nslots;
    to->small_next = from->small_next;
    to->small_free = from->small_free;
    to->huge_next = from->huge_next;
}

/* Pages of 1 GiB have records only where somebody asks. NULL: the table of them is full. */
static struct pg *giant_record(struct fl_pin_world *w, uint32_t pfn)
{
    uint32_t head = pfn & ~(PFN_GIANT - 1);

    if (pfn < PFN_GIANT || pfn >= PFN_GIANT * (1 + w->giants))
        return NULL;
    /* Neighbours stay neighbours; the two large pages begin far apart. */
    for (uint32_t i = 0, at = (pfn + pfn / PFN_GIANT * (GIANT_RECORDS / GIANTS)) % GIANT_RECORDS; i < GIANT_RECORDS;
         i++, at = (at + 1) % GIANT_RECORDS) {
        struct pg *p = &w->pg[FL_PIN_FRAMES + DEVICES + at];

        if (w->giant_at[at] == pfn)
            return p;
        if (w->giant_at[at])
            continue;
        w->giant_at[at] = pfn;
        w->giant_records++;
        page_touch(w, p);
        p->pfn = pfn;
        if (pfn != head) {
            struct pg *h = giant_record(w, head);

            *p = (struct pg){.pfn = pfn,
                             .touched = true,
                             .kind = h->kind,
                             .head = record_of(w, h) + 1,
                             .file = h->file,
                             .data = h->data};
        }
        return p;
    }
    return NULL;
}

/* Huge pages have as many frames as each other, so a frame tells where its head is. */
static void tail_record(struct fl_pin_world *w, struct pg *p)
{
    struct pg *head = &w->pg[p->pfn & ~(uint64_t)((1u << huge_order(w)) - 1)];

    page_touch(w, p);
    p->kind = head->kind;
    p->file = FILE_NONE;
    p->head = record_of(w, head) + 1;
}

struct pg *page_of(struct fl_pin_world *w, uint64_t pfn)
{
    if (pfn >= PFN_ZERO && pfn < FL_PIN_FRAMES) {
        struct pg *p = &w->pg[pfn];

        if (pfn >= PFN_HUGE && pfn < w->huge_next && !p->touched)
            tail_record(w, p);
        return p;
    }
    if (pfn >= PFN_DEVICE && pfn < PFN_DEVICE + DEVICES)
        return &w->pg[FL_PIN_FRAMES + pfn - PFN_DEVICE];
    return pfn >= PFN_GIANT && pfn < UINT32_MAX ? giant_record(w, (uint32_t)pfn) : NULL;
}

struct pg *page_head(struct fl_pin_world *w, struct pg *p)
{
    return p->head ? &w->pg[p->head - 1] : p;
}

static struct pg *fresh(struct fl_pin_world *w, struct pg *p, enum page_kind kind)
{
    page_change(w, p);
    *p = (struct pg){.pfn = p->pfn,
                     .life = p->life + 1,
                     .touched = true,
                     .noted = p->noted,
                     .kind = (uint8_t)kind,
                     .file = FILE_NONE,
                     .exclusive = kind == PG_ANON};
    return p;
}

struct pg *small_alloc(struct fl_pin_world *w, enum page_kind kind)
{
    struct pg *p;

    if (w->small_free) {
        p = &w->pg[w->small_free - 1];
        w->small_free = p->index;
    } else if (w->small_next < PFN_HUGE) {
        p = &w->pg[w->small_next++];
    } else {
        return NULL;
    }
    return fresh(w, p, kind);
}

struct pg *huge_alloc(struct fl_pin_world *w, enum page_kind kind)
{
    uint32_t frames = 1u << huge_order(w);
    struct pg *head;

    if (w->huge_next + frames > FL_PIN_FRAMES)
        return NULL; /* they are not used twice: a scenario has few of them */
    head = fresh(w, &w->pg[w->huge_next], kind);
    head->order = (uint8_t)huge_order(w);
    w->huge_next += frames;
    w->changed_all = true; /* whether there is another one is what views of hugetlb areas ask */
    return head;
}

struct pg *giant_alloc(struct fl_pin_world *w)
{
    struct pg *p;

    if (w->giants == GIANTS)
        return NULL;
    w->giants++;
    p = giant_record(w, PFN_GIANT * w->giants);
    if (!p) {
        w->giants--;
        return NULL;
    }
    p->kind = PG_HUGETLB;
    p->file = FILE_NONE;
    p->order = 18;
    return p;
}

/* ---- the page cache ---------------------------------------------------------------------------------------------- */

struct pg *file_page_find(struct fl_pin_world *w, uint8_t file, uint32_t index)
{
    for (unsigned i = 0; i < w->ntouched; i++) {
        struct pg *p = &w->pg[w->touched[i]];

        if (p->cached && p->file == file && p->index == index && !p->head)
            return p;
    }
    return NULL;
}

struct pg *file_page_make(struct fl_pin_world *w, uint8_t file, uint32_t index)
{
    struct pg *p = file_page_find(w, file, index);

    if (p || !(p = small_alloc(w, PG_CACHE)))
        return p;
    p->file = file;
    p->index = index;
    p->cached = true;
    p->count = 1;
    p->data = UINT64_C(0xf11e000000000000) | (uint64_t)file << 32 | index;
    return p;
}

/* ---- references -------------------------------------------------------------------------------------------------- */

void page_ref(struct fl_pin_world *w, struct pg *p, int n)
{
    page_change(w, p);
    p->count += n;
}

static void release(struct fl_pin_world *w, struct pg *p)
{
    if (p->kind == PG_ZERO || p->kind == PG_DEVICE)
        return;
    if (p->order) {
        p->kind = PG_FREE; /* huge ones are not handed out again */
        return;
    }
    p->kind = PG_FREE;
    p->cached = p->dirty = p->exclusive = false;
    if (p->pfn < PFN_HUGE) {
        p->index = w->small_free;
        w->small_free = record_of(w, p) + 1;
    }
}

void page_unref(struct fl_pin_world *w, struct pg *p, int n)
{
    page_change(w, p);
    if ((w->locks & LOCK_IRQ) && !w->pv_now && late_unref(w, p, (unsigned)n))
        return;
    if (p->count < n) {
        w->freed_in_use = true;
        p->count = n;
    }
    p->count -= n;
    if (p->count == 0)
        release(w, p);
}

bool page_busy(const struct pg *p)
{
    return p->count != p->maps + (p->cached ? 1 : 0) + (p->moving ? 1 : 0);
}

unsigned slot_alloc(struct fl_pin_world *w, uint64_t data)
{
    for (unsigned i = 0; i < w->nslots; i++)
        if (w->slots[i].uses == 0) {
            w->slots[i] = (struct slot){.data = data};
            return i + 1;
        }
    if (w->nslots == MAX_SLOTS)
        return 0;
    w->slots[w->nslots] = (struct slot){.data = data};
    return ++w->nslots;
}
