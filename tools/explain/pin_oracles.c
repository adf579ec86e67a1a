/* SPDX-License-Identifier: MIT */
/* Which rule of pinning is broken, what it goes by, and what it was asked of: views, references, locks. */
#include "pin_story.h"

#include <inttypes.h>
#include <string.h>

static void rule(struct document *d, const struct capture *c)
{
    const struct fl_pin_rule *r = pin_rule(c);

    if (!r)
        return;
    doc_item(d, "rule", "%s: %s", r->name, r->statement);
    doc_item(d, "source", "%s", r->source);
}

/* ---- views ------------------------------------------------------------------------------------------------------------------ */

static void user_may(const struct fl_pin_view *v, char *buf, size_t size)
{
    bool read = v->read.kind == FL_ARCH_OK, write = v->write.kind == FL_ARCH_OK;

    snprintf(buf, size, "%s", write && read ? "read, write" : read ? "read" : write ? "write" : "nothing");
}

static void view_maps(const struct fl_pin_view *v, char *buf, size_t size)
{
    static const char *const swaps[FL_SWAP_KIND_COUNT] = {"nothing", "file offset", "swap", "migration", "hwpoison"};
    const char *kind = v->zero     ? "zero page"
                       : v->anon   ? v->exclusive ? "own" : "forked"
                       : v->device ? "device"
                                   : "file";

    if (!v->mapped)
        snprintf(buf, size, "%s", swaps[v->swap % FL_SWAP_KIND_COUNT]);
    else if (!v->page_valid || (v->special && !v->zero))
        snprintf(buf, size, "%#" PRIx64 " special", v->pfn);
    else
        snprintf(buf, size, "%#" PRIx64 " %s%s%s", v->pfn, kind, v->hint ? " hint" : "",
                 v->splitting ? " splitting" : "");
}

static void area_may(const struct fl_pin_view *v, char *buf, size_t size)
{
    const struct fl_pin_vma *a = &v->vma;

    if (!v->has_vma)
        snprintf(buf, size, "%s", a->gate ? "gate" : "none");
    else
        snprintf(buf, size, "%c%c%c%c", a->read ? 'r' : '-', a->write ? 'w' : '-', a->exec ? 'x' : '-',
                 a->shared ? 's' : 'p');
}

static void views(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    const char *const heads[] = {"instant", "area", "mapped", "a user may", "may it be pinned?"};
    unsigned index, n = 0;
    uint64_t va;

    if (!pin_page(x->scenario, x->capture, &va, &index))
        index = 0;
    if (index >= FL_PIN_PAGES || p->call.n <= (int64_t)index)
        return;
    for (unsigned t = 0; t < p->seen.ninstants && t < FL_PIN_INSTANTS; t++) {
        const struct fl_pin_view *v = &p->view[t][index];
        const char *row = fl_pin_objection(&p->call, v);
        char instant[16], area[16], maps[48], may[24], verdict[80];
        bool same = t > 0 && memcmp(v, &p->view[t - 1][index], sizeof *v) == 0;
        bool here = p->seen.pfn[index] != FL_NO_PAGE && v->mapped && v->pfn == p->seen.pfn[index];

        if (same)
            continue;
        snprintf(instant, sizeof instant, "%u", t);
        area_may(v, area, sizeof area);
        view_maps(v, maps, sizeof maps);
        user_may(v, may, sizeof may);
        snprintf(verdict, sizeof verdict, "%s%s%s",
                 !v->mapped ? "nothing to pin"
                 : row      ? "no: "
                            : "yes",
                 v->mapped && row ? row : "", here ? " ◀ handed out" : "");
        if (n++ == 0) {
            doc_paragraph(
                d,
                "The page at %#" PRIx64 " at each instant of the call at which it was another: 0 is the beginning, "
                "then after every fault, split and act of others. What is handed out must be there, and permitted, "
                "at one of them.",
                (p->call.start & ~UINT64_C(0xfff)) + (uint64_t)index * 4096);
            doc_table(d, 5, heads);
        }
        doc_row(d, here, (const char *const[]){instant, area, maps, may, verdict});
    }
    if (p->seen.lost_instants)
        doc_paragraph(d, "There were more instants than are kept.");
}

/* ---- counts and locks --------------------------------------------------------------------------------------------------------- */

static void row(struct document *d, const char *name, int64_t want, int64_t got)
{
    char a[32], b[32];

    snprintf(a, sizeof a, "%" PRId64, want);
    snprintf(b, sizeof b, "%" PRId64, got);
    doc_row(d, want != got, (const char *const[]){name, a, b});
}

static void yes_no(struct document *d, const char *name, bool want, bool got)
{
    doc_row(d, want != got, (const char *const[]){name, want ? "yes" : "no", got ? "yes" : "no"});
}

static void ledger(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    const struct fl_pin_seen *s = &p->seen;
    bool fast = p->call.api == FL_PINAPI_FAST || p->call.api == FL_PINAPI_FAST_ONLY;
    const char *const heads[] = {"", "to be", "seen"};
    char name[48];

    doc_table(d, 3, heads);
    if (s->broken)
        doc_row(d, true, (const char *const[]){"op contracts", "kept", s->broken});
    if (!fast)
        yes_no(d, "told: mm lock held", s->mm_held, s->out.lock_held);
    yes_no(d, "page-table lock held at the end", false, s->ptl_held);
    yes_no(d, "interrupts off at the end", false, s->irq_off);
    yes_no(d, "page lock held at the end", false, s->page_locked);
    yes_no(d, "asks without end", false, s->endless);
    if (s->fatal)
        row(d, "pages after a fatal signal", s->after_fatal <= 1 ? (int64_t)s->after_fatal : 1, s->after_fatal);
    for (unsigned i = 0; (p->call.flags & FL_FOLL_GET) && i < FL_PIN_PAGES && i < s->out.pages; i++) {
        if (i > 3 && s->refs[i] == 1 && s->tail_refs[i] == 0)
            continue;
        snprintf(name, sizeof name, "references of page %u", i);
        row(d, name, 1, s->refs[i]);
        if (s->tail_refs[i]) {
            snprintf(name, sizeof name, "... as a tail, off by");
            row(d, name, 0, s->tail_refs[i]);
        }
    }
    row(d, "other counts off by", 0, s->other_refs);
    yes_no(d, "a free page was referenced or put", false, s->freed_in_use);
}

/* ---- two ways ------------------------------------------------------------------------------------------------------------------ */

static void two_ways(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    const char *const heads[] = {"", "this call", "the other way"};
    char a[64], b[64];
    unsigned n = 0, page = 0;

    doc_table(d, 3, heads);
    for (unsigned s = 0; s < p->nsteps; s++)
        n += p->step[s].kind == FL_PIN_STEP_END && p->step[s].other;
    if (n <= 1) {
        snprintf(a, sizeof a, "%" PRIu64 ", %s", p->seen.out.pages, fl_pin_error_text(p->seen.out.error));
        snprintf(b, sizeof b, "%" PRIu64 ", %s", p->seen_other.out.pages, fl_pin_error_text(p->seen_other.out.error));
        doc_row(d, strcmp(a, b) != 0, (const char *const[]){"pages", a, b});
        for (unsigned i = 0; i < FL_PIN_PAGES && (p->frame[i][0] || p->frame_other[i][0]); i++) {
            char name[16];

            snprintf(name, sizeof name, "page %u", i);
            doc_row(d, strcmp(p->frame[i], p->frame_other[i]) != 0,
                    (const char *const[]){name, p->frame[i][0] ? p->frame[i] : "–",
                                          p->frame_other[i][0] ? p->frame_other[i] : "–"});
        }
        return;
    }
    for (unsigned s = 0; s < p->nsteps; s++) {
        const struct pin_step *step = &p->step[s];
        char name[16];

        if (step->kind != FL_PIN_STEP_END || !step->other || page >= FL_PIN_PAGES)
            continue;
        snprintf(name, sizeof name, "page %u", page);
        if (page < p->seen.out.pages && p->seen.pfn[page] != FL_NO_PAGE)
            snprintf(a, sizeof a, "frame %#" PRIx64, p->seen.pfn[page]);
        else
            snprintf(a, sizeof a, "%s", page < p->seen.out.pages ? "there" : fl_pin_error_text(p->seen.out.error));
        if (step->u.end.out.pages && step->u.end.first != FL_NO_PAGE)
            snprintf(b, sizeof b, "frame %#" PRIx64, step->u.end.first);
        else
            snprintf(b, sizeof b, "%s", step->u.end.out.pages ? "there" : fl_pin_error_text(step->u.end.out.error));
        doc_row(d, strcmp(a, b) != 0, (const char *const[]){name, a, b});
        page++;
    }
}

void tell_pin_oracles(struct document *d, const struct subject *x)
{
    const struct capture *c = x->capture;

    doc_section(d, "oracles", "What the oracle says, and why");
    if (c->end == CAPTURE_DIVERGED)
        doc_line(d, DOC_PLAIN, "%.*s", (int)strcspn(c->detail, "\n"), c->detail);
    rule(d, c);
    if (!c->pin.ended) {
        doc_paragraph(d, "The call did not come back: there is nothing to ask.");
        return;
    }
    if (c->pin.call.quiet)
        doc_paragraph(d, "Nobody disturbed the call: what it comes to is decided by what is mapped at its beginning.");
    if (c->pin.call.hostile)
        doc_paragraph(d, "An answer outside the contract was given: only locks, termination and memory are judged.");
    views(d, x);
    ledger(d, x);
    if (c->end == CAPTURE_DIVERGED && c->check == FL_CHECK_PIN_DIFF && c->pin.has_other)
        two_ways(d, x);
}
