/* SPDX-License-Identifier: MIT */
/* Services for the core: pages. */
#include "ops.h"

static struct pg *known(struct fl_pin_world *w, uint64_t pfn, const char *what)
{
    struct pg *p = page_of(w, pfn);

    if (!p)
        op_broken(w, what);
    return p;
}

bool op_page_valid(void *ctx, uint64_t pfn)
{
    return page_of(ctx, pfn) != NULL;
}

static bool fact(struct fl_pin_world *w, uint64_t pfn, enum fl_pin_detail what, bool so)
{
    unsigned nth = op_begin(w, FL_PINOP_PAGE_FACT, pfn);
    enum fl_pin_answer answer;

    op_detail(w, what);
    if (w->nanswers && answer_for(w, FL_PINOP_PAGE_FACT, nth, &answer))
        so = !so;
    op_end(w, so);
    return so;
}

bool op_page_zero(void *ctx, uint64_t pfn)
{
    struct pg *p = page_of(ctx, pfn);

    return p && p->kind == PG_ZERO;
}

uint64_t op_page_head(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = op_begin(w, FL_PINOP_PAGE_HEAD, pfn);
    struct pg *p = known(w, pfn, "page-head-no-struct-page");
    enum fl_pin_answer answer;
    uint64_t head = p ? page_head(w, p)->pfn : pfn;

    if (w->nanswers && answer_for(w, FL_PINOP_PAGE_HEAD, nth, &answer))
        head = PFN_ZERO;
    op_end(w, head);
    return head;
}

/* A call holds no more references than it may hand out pages. A core that goes on stops here, and not in memory that is not its
 * own. */
static bool too_many(const struct fl_pin_world *w, unsigned n)
{
    return n > FL_PIN_ROOM - w->held;
}

bool op_page_get(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = op_begin(w, FL_PINOP_PAGE_GET, pfn);
    struct pg *p = known(w, pfn, "page-get-no-struct-page"), *head = p ? page_head(w, p) : NULL;
    enum fl_pin_answer answer;
    bool refuse = w->nanswers && answer_for(w, FL_PINOP_PAGE_GET, nth, &answer);

    if (!p || refuse || page_saturated(head) || too_many(w, 1))
        return false;
    if (head->count <= 0) {
        w->freed_in_use = true;
        return false;
    }
    page_ref(w, head, 1);
    page_note(w, head);
    head->own++;
    w->held++;
    if (p != head) {
        page_change(w, p);
        page_note(w, p);
        p->tail++;
        p->own_tail++;
    }
    op_end(w, 1);
    return true;
}

bool op_page_get_speculative(void *ctx, uint64_t pfn, unsigned n)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = op_begin(w, FL_PINOP_PAGE_GET_SPECULATIVE, pfn);
    struct pg *p = known(w, pfn, "page-get-speculative-no-struct-page");
    enum fl_pin_answer answer;
    bool refuse = w->nanswers && answer_for(w, FL_PINOP_PAGE_GET_SPECULATIVE, nth, &answer);

    op_detail(w, n < 255 ? n : 255);
    if (!(w->locks & LOCK_IRQ))
        op_broken(w, "page-get-speculative-with-interrupts-on");
    if (!p || refuse || p->count <= 0 || page_saturated(p) || too_many(w, n))
        return false;
    if (p->head)
        op_broken(w, "page-get-speculative-a-tail-page");
    page_ref(w, p, (int)n);
    page_note(w, p);
    p->own += (int32_t)n;
    w->held += n;
    op_end(w, 1);
    return true;
}

void op_page_put(void *ctx, uint64_t pfn, unsigned n)
{
    struct fl_pin_world *w = ctx;
    struct pg *p, *head;

    op_begin(w, FL_PINOP_PAGE_PUT, pfn);
    op_detail(w, n < 255 ? n : 255);
    p = known(w, pfn, "page-put-no-struct-page");
    if (!p)
        return;
    head = page_head(w, p);
    if (head->own < 0 || (uint32_t)head->own < n) {
        w->freed_in_use = true; /* somebody else's references: one of them goes, and that is told */
        n = n ? 1 : 0;
    }
    w->held -= n < w->held ? n : w->held;
    page_note(w, head);
    head->own -= (int32_t)n;
    if (p != head) {
        page_note(w, p);
        page_change(w, p);
        p->tail -= (int32_t)n;
        p->own_tail -= (int32_t)n;
    }
    if (n)
        page_unref(w, head, (int)n);
}

void op_page_tail_get(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    struct pg *p;

    op_begin(w, FL_PINOP_PAGE_TAIL_GET, pfn);
    p = known(w, pfn, "page-tail-get-no-struct-page");
    if (!p)
        return;
    if (!p->head)
        op_broken(w, "page-tail-get-no-tail");
    page_change(w, p);
    page_note(w, p);
    p->tail++;
    p->own_tail++;
}

bool op_page_anon_exclusive(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    struct pg *p = known(w, pfn, "page-anon-exclusive-no-struct-page");
    const struct pg *head = p ? page_head(w, p) : NULL;

    return fact(w, pfn, FL_PIN_EXCLUSIVE,
                head && (head->kind == PG_ANON || (head->kind == PG_HUGETLB && !head->cached)) && head->exclusive);
}

bool op_page_dirty(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    struct pg *p = known(w, pfn, "page-dirty-no-struct-page");

    return fact(w, pfn, FL_PIN_DIRTY, p && page_head(w, p)->dirty);
}

bool op_page_has_mapping(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    struct pg *p = known(w, pfn, "page-has-mapping-no-struct-page");

    return fact(w, pfn, FL_PIN_MAPPING, p && page_head(w, p)->kind != PG_ZERO);
}

static struct pg *marked(struct fl_pin_world *w, uint64_t pfn, enum fl_pin_detail what)
{
    struct pg *p;

    op_begin(w, FL_PINOP_PAGE_MARK, pfn);
    op_detail(w, what);
    p = known(w, pfn, "page-mark-no-struct-page");
    if (!p)
        return NULL;
    page_change(w, page_head(w, p));
    return page_head(w, p);
}

void op_page_set_dirty(void *ctx, uint64_t pfn)
{
    struct pg *p = marked(ctx, pfn, FL_PIN_SET_DIRTY);

    if (p)
        p->dirty = true;
}

void op_page_accessed(void *ctx, uint64_t pfn)
{
    struct pg *p = marked(ctx, pfn, FL_PIN_ACCESSED);

    if (p)
        p->accessed = true;
}

bool op_page_trylock(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = w->seen_op[FL_PINOP_PAGE_MARK] + 1u;
    struct pg *p = marked(w, pfn, FL_PIN_TRYLOCK);
    enum fl_pin_answer answer;

    if (!p || p->locked || (w->nanswers && answer_for(w, FL_PINOP_PAGE_MARK, nth, &answer)))
        return false;
    if (w->page_lock)
        op_broken(w, "page-trylock-holds-one-already");
    p->locked = true;
    w->page_lock = p->pfn + 1;
    op_end(w, 1);
    return true;
}

void op_page_unlock(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    struct pg *p = marked(w, pfn, FL_PIN_UNLOCK);

    if (!p || w->page_lock != p->pfn + 1) {
        op_broken(w, "page-unlock-not-held");
        return;
    }
    p->locked = false;
    w->page_lock = 0;
}

void op_page_mlock(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    struct pg *p = marked(w, pfn, FL_PIN_MLOCK);

    if (!p || w->page_lock != p->pfn + 1)
        op_broken(w, "page-mlock-without-the-page's-lock");
    if (p)
        p->mlocked = true;
}

bool op_device_get(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;
    unsigned nth = op_begin(w, FL_PINOP_DEVICE_GET, pfn);
    struct pg *p = known(w, pfn, "device-get-no-struct-page");
    enum fl_pin_answer answer;
    bool refuse = w->nanswers && answer_for(w, FL_PINOP_DEVICE_GET, nth, &answer);

    if (p && p->kind != PG_DEVICE && !w->hostile)
        op_broken(w, "device-get-no-device-page");
    if (!p || refuse || w->device_gone)
        return false;
    w->devices++;
    op_end(w, 1);
    return true;
}

void op_device_put(void *ctx, uint64_t pfn)
{
    struct fl_pin_world *w = ctx;

    op_begin(w, FL_PINOP_DEVICE_PUT, pfn);
    if (!w->devices)
        op_broken(w, "device-put-not-held");
    else
        w->devices--;
}

uint64_t refs_taken(const struct fl_pin_world *w)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < w->nnoted; i++)
        n += w->pg[w->noted[i]].own > 0 ? (uint64_t)w->pg[w->noted[i]].own : 0;
    return n;
}
