/* SPDX-License-Identifier: MIT */
/* Who did what, in order: the set-up, the call, what others did in between, and what became of the pages. */
#include "pin_story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LONG 120 /* op calls: from there on pages that the finding is not about are told in one line */

/* ---- what the finding is about --------------------------------------------------------------------------------------- */

const struct fl_pin_rule *pin_rule(const struct capture *c)
{
    size_t count;
    const struct fl_pin_rule *rules = fl_pin_rules(&count);
    char name[160];

    if (c->end != CAPTURE_DIVERGED)
        return NULL;
    snprintf(name, sizeof name, "%s/%s", fl_check_name((enum fl_check)c->check), c->row);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

/* The detail of a finding about a page says which: "page 3: ...", "address 0x600000 ...". */
bool pin_page(const struct fl_scenario *s, const struct capture *c, uint64_t *va, unsigned *index)
{
    const struct fl_record *r = &s->records[c->pin.record];
    uint64_t start = r->u.pin.start & ~UINT64_C(0xfff);
    const char *address = strstr(c->detail, "address 0x");
    unsigned n = 0;

    *index = 0;
    *va = start;
    if (c->end != CAPTURE_DIVERGED || !c->pin.any)
        return false;
    if (sscanf(c->detail, "page %u", &n) == 1) {
        *index = n;
        *va = start + (uint64_t)n * 4096;
        return true;
    }
    if (!address)
        return false;
    *va = strtoull(address + strlen("address "), NULL, 16) & ~UINT64_C(0xfff);
    if (*va >= start && (*va - start) >> 12 < FL_PIN_PAGES)
        *index = (unsigned)((*va - start) >> 12);
    return true;
}

/* ---- steps and changes ------------------------------------------------------------------------------------------------ */

unsigned pin_step_of(const struct pin_capture *p, const struct pin_change *c)
{
    unsigned at = c->step;

    if (c->by_act)
        return at;
    while (at > 0 && p->step[at].kind != FL_PIN_STEP_CALL && p->step[at].kind != FL_PIN_STEP_BEGIN &&
           p->step[at].kind != FL_PIN_STEP_END)
        at--;
    return at;
}

const struct fl_pin_place *pin_place_at(const struct pin_capture *p, unsigned mm, uint64_t va, bool other,
                                        unsigned step)
{
    const struct fl_pin_place *place = NULL;
    const struct fl_pin_follow *f = other ? &p->follow_other : &p->follow;

    for (unsigned i = 0; i < p->nchanges; i++) {
        const struct pin_change *c = &p->change[i];

        if (c->va != va || c->mm != mm || c->other != other)
            continue;
        if (c->step > step || (c->step == step && !c->by_act))
            return place ? place : &c->before;
        place = &c->after;
    }
    for (unsigned i = 0; !place && i < f->n; i++)
        if (f->at[i].va == va && f->at[i].mm == mm)
            place = &f->at[i].now;
    return place;
}

bool pin_decides(const struct fl_pin_op_call *c)
{
    switch ((enum fl_pin_op)c->op) {
    case FL_PINOP_READ:
    case FL_PINOP_PTL_LOCK:
    case FL_PINOP_PTL_UNLOCK:
    case FL_PINOP_RESCHED:
    case FL_PINOP_PAGE_HEAD: return c->given;
    case FL_PINOP_PAGE_MARK: return c->given || c->detail == FL_PIN_TRYLOCK;
    case FL_PINOP_FATAL_SIGNAL: return c->answer != 0 || c->given;
    case FL_PINOP_PAGE_FACT: return c->given || c->detail == FL_PIN_EXCLUSIVE;
    default: return true;
    }
}

void pin_page_name(const struct pin_change *c, char *buf, size_t size)
{
    snprintf(buf, size, "page %#" PRIx64 "%s", c->va, c->mm ? " of the child" : "");
}

void pin_change_words(const struct pin_change *c, char *buf, size_t size)
{
    buf[0] = 0;
    if (c->before.exists && c->after.exists)
        fl_pin_change_text(&c->before, &c->after, buf, size);
}

/* ---- the story -------------------------------------------------------------------------------------------------------- */

struct teller {
    struct document *d;
    const struct subject *x;
    const struct pin_capture *p;
    unsigned number;
    unsigned quiet_from, quiet_to; /* op calls that were only looking, from 1; 0: none */
    unsigned quiet_step;           /* the last of them */
    bool other_pages;              /* ... and of other pages than the one that the finding is about */
    bool is_long;                  /* the event has many calls: what is about other pages is not told one by one */
    bool about;                    /* the finding is about a page, that at va */
    uint64_t va;
};

/* The change of one step, behind what was done: "; page 0x600000: it is ...". */
static void append_changes(const struct teller *t, unsigned step, char *buf, size_t size)
{
    unsigned shown = 0;

    for (unsigned i = 0; i < t->p->nchanges; i++) {
        const struct pin_change *c = &t->p->change[i];
        char words[400], page[64];
        size_t n = strlen(buf);

        if (pin_step_of(t->p, c) != step || (t->is_long && c->va != t->va))
            continue;
        pin_change_words(c, words, sizeof words);
        if (!words[0])
            continue;
        if (shown++ == 4) {
            snprintf(buf + n, size - n, " (and more pages)");
            return;
        }
        pin_page_name(c, page, sizeof page);
        snprintf(buf + n, size - n, ". %c%s: %s", page[0] - 'a' + 'A', page + 1, words);
    }
}

static void tell(struct teller *t, unsigned step, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void tell(struct teller *t, unsigned step, const char *format, ...)
{
    char text[2400], number[16];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    append_changes(t, step, text, sizeof text);
    snprintf(number, sizeof number, "%u", ++t->number);
    doc_item(t->d, number, "%s.", text);
}

/* What the walk that ended at the last of the quiet calls has found: the followed page whose entry that is. */
static bool found(const struct teller *t, char *buf, size_t size)
{
    const struct pin_capture *p = t->p;
    bool other = p->step[t->quiet_step].other;

    for (unsigned s = t->quiet_step + 1; s-- > 0 && p->step[s].kind != FL_PIN_STEP_BEGIN;) {
        const struct pin_step *step = &p->step[s];

        if (step->kind != FL_PIN_STEP_CALL || step->nth + 1 < t->quiet_from)
            continue;
        if (step->u.call.op != FL_PINOP_READ)
            continue;
        for (unsigned i = 0; i < p->follow.n; i++) {
            const struct fl_pin_place *place = pin_place_at(p, p->follow.at[i].mm, p->follow.at[i].va, other, s);
            char text[200];

            if (!place || !place->nlevels || p->follow.at[i].mm ||
                place->walk[place->nlevels - 1].paddr != step->u.call.object)
                continue;
            fl_pin_place_text(place, text, sizeof text);
            snprintf(buf, size, "at %#" PRIx64 " it finds: %s", p->follow.at[i].va, text);
            return true;
        }
    }
    return false;
}

static void flush_quiet(struct teller *t)
{
    char what[300] = "", calls[64];

    if (!t->quiet_from)
        return;
    if (t->quiet_from == t->quiet_to)
        snprintf(calls, sizeof calls, "Call %u", t->quiet_from);
    else
        snprintf(calls, sizeof calls, "Calls %u to %u", t->quiet_from, t->quiet_to);
    if (t->other_pages)
        tell(t, UINT32_MAX, "%s: it goes through other pages of the range", calls);
    else if (found(t, what, sizeof what))
        tell(t, t->quiet_step, "%s: it looks the tables up; %s", calls, what);
    else if (t->quiet_to > t->quiet_from + 2)
        tell(t, t->quiet_step, "%s: it reads tables and takes and gives back locks", calls);
    t->quiet_from = t->quiet_to = 0;
    t->other_pages = false;
}

/* Is something changed by that step? Then it gets a line whatever it was. */
static bool changes(const struct teller *t, unsigned step)
{
    char words[400];

    for (unsigned i = 0; i < t->p->nchanges; i++) {
        if (pin_step_of(t->p, &t->p->change[i]) != step || (t->is_long && t->p->change[i].va != t->va))
            continue;
        pin_change_words(&t->p->change[i], words, sizeof words);
        if (words[0])
            return true;
    }
    return false;
}

/* What a reader might overlook. */
static const char *aside(const struct teller *t, const struct pin_step *step)
{
    const struct fl_record *pin = &t->x->scenario->records[step->record];
    bool fault = step->u.call.op == FL_PINOP_MM_FAULT || step->u.call.op == FL_PINOP_HUGETLB_FAULT;

    if (fault && pin->kind == FL_REC_PIN && (pin->u.pin.flags & FL_FOLL_WRITE) && !(step->u.call.detail & FL_MM_WRITE))
        return ": as a read, though the caller wants to write";
    return "";
}

/* In a long call: is it about another page than the finding is? */
static bool elsewhere(const struct teller *t, unsigned s)
{
    const struct pin_step *step = &t->p->step[s];
    uint64_t object = step->u.call.object;

    if (!t->is_long || step->u.call.given)
        return false;
    switch ((enum fl_pin_op)step->u.call.op) {
    case FL_PINOP_MM_FAULT:
    case FL_PINOP_HUGETLB_FAULT: return (object & ~UINT64_C(0xfff)) != t->va;
    case FL_PINOP_PAGE_GET:
    case FL_PINOP_PAGE_GET_SPECULATIVE:
    case FL_PINOP_PAGE_TAIL_GET:
    case FL_PINOP_PAGE_PUT:
    case FL_PINOP_PAGE_FACT:
    case FL_PINOP_PAGE_MARK:
    case FL_PINOP_TOUCH_LEAF: break;
    default: return false;
    }
    for (unsigned i = 0; i < t->p->nchanges; i++) {
        const struct pin_change *c = &t->p->change[i];

        if (c->va == t->va && (c->before.pfn == object || c->after.pfn == object))
            return false;
    }
    return true;
}

static void tell_call(struct teller *t, unsigned s)
{
    const struct pin_step *step = &t->p->step[s];
    const struct capture *c = t->x->capture;
    bool last = s + 1 == t->p->nsteps && (c->crashed || c->hung);
    char op[160], answer[100];

    if (!last && (elsewhere(t, s) || (!pin_decides(&step->u.call) && !changes(t, s)))) {
        if (elsewhere(t, s))
            t->other_pages = true;
        if (!t->quiet_from)
            t->quiet_from = step->nth + 1;
        t->quiet_to = step->nth + 1;
        t->quiet_step = s;
        return;
    }
    flush_quiet(t);
    fl_pin_op_text(&step->u.call, op, sizeof op);
    fl_pin_op_answer_text(&step->u.call, answer, sizeof answer);
    if (last)
        tell(t, s, "Call %u: %s, and %s", step->nth + 1, op,
             c->hung ? "no answer comes any more" : "the process ends here, or behind it");
    else
        tell(t, s, "Call %u: %s%s%s%s", step->nth + 1, op, answer[0] ? " = " : "", answer, aside(t, step));
}

static void area_text(const struct fl_record *r, char *buf, size_t size)
{
    unsigned flags = r->u.area.flags;
    const struct fl_pin_area area = {.vma = {.read = flags & FL_AREA_READ,
                                             .write = flags & FL_AREA_WRITE,
                                             .exec = flags & FL_AREA_EXEC,
                                             .may_read = flags & FL_AREA_MAY_READ,
                                             .may_write = flags & FL_AREA_MAY_WRITE,
                                             .shared = flags & FL_AREA_SHARED,
                                             .locked = flags & FL_AREA_LOCKED,
                                             .growsdown = flags & FL_AREA_GROWSDOWN,
                                             .io = flags & FL_AREA_IO,
                                             .pfnmap = flags & FL_AREA_PFNMAP,
                                             .pkey = r->u.area.pkey},
                                     .kind = r->u.area.kind,
                                     .file = r->u.area.file,
                                     .pgoff = r->u.area.pgoff,
                                     .file_pages = r->u.area.file_pages,
                                     .huge = flags & FL_AREA_HUGE};

    fl_pin_area_text(&area, buf, size);
}

static void tell_act(struct teller *t, unsigned s)
{
    const struct pin_step *step = &t->p->step[s];
    const struct fl_record *r = &t->x->scenario->records[step->record];
    const char *end = step->status == FL_OK      ? ""
                      : step->status == FL_STALE ? " (it begins, and waits for interrupts)"
                                                 : " (it changes nothing)";
    char text[256];

    if (r->kind == FL_REC_AREA) {
        char size[24];

        area_text(r, text, sizeof text);
        size_text((uint64_t)r->u.area.pages << 12, size, sizeof size);
        tell(t, s, "Record %u: the process maps %s at %#" PRIx64 ": %s%s", step->record + 1, size, r->u.area.start,
             text, step->status == FL_OK ? "" : " (there is no room for it)");
        return;
    }
    fl_pin_act_text(r, text, sizeof text);
    switch ((enum fl_pin_when)step->when) {
    case FL_PIN_OUTSIDE: tell(t, s, "Record %u: %s%s", step->record + 1, text, end); break;
    case FL_PIN_BEFORE:
        /* The call that it comes before is told behind it. */
        flush_quiet(t);
        tell(t, s, "BETWEEN, before call %u (record %u): %s%s", step->nth + 1, step->record + 1, text, end);
        break;
    case FL_PIN_RELEASED:
        flush_quiet(t);
        tell(t, s, "BETWEEN, as soon as call %u has given the lock back (record %u): %s%s", step->nth + 1,
             step->record + 1, text, end);
        break;
    case FL_PIN_LATER:
        flush_quiet(t);
        tell(t, s, "Afterwards (record %u): %s%s", step->record + 1, text, end);
        break;
    }
}

static void tell_end(struct teller *t, unsigned s)
{
    const struct pin_step *step = &t->p->step[s];
    const struct fl_pinned *out = &step->u.end.out;
    const struct fl_record *r = &t->x->scenario->records[step->record];
    bool fast = r->kind == FL_REC_PIN && (r->u.pin.api == FL_PINAPI_FAST || r->u.pin.api == FL_PINAPI_FAST_ONLY);
    char text[200] = "", first[40] = "";

    flush_quiet(t);
    if (out->pages && step->u.end.first != FL_NO_PAGE)
        snprintf(first, sizeof first, ", the first is frame %#" PRIx64, step->u.end.first);
    if (out->error)
        snprintf(text, sizeof text, ", %s", fl_pin_error_text(out->error));
    tell(t, s, "%s comes to %" PRIu64 " page%s%s%s%s", step->other ? "The other way" : "The call", out->pages,
         out->pages == 1 ? "" : "s", first, text, out->lock_held || fast ? "" : "; the mm lock is said not to be held");
}

static void tell_begin(struct teller *t, unsigned s)
{
    const struct pin_step *step = &t->p->step[s];
    char text[256];

    flush_quiet(t);
    fl_pin_pin_text(&t->x->scenario->records[step->record], text, sizeof text);
    if (step->other)
        tell(t, s, "The same from the same state another way");
    else
        tell(t, s, "Record %u: the caller asks for %s", step->record + 1, text);
}

/* The call that is under way when an act comes before it has its step first; it is told after the acts. */
static unsigned acts_behind(const struct pin_capture *p, unsigned s)
{
    unsigned n = 0;

    while (s + n + 1 < p->nsteps &&
           (p->step[s + n + 1].kind == FL_PIN_STEP_WAITS ||
            (p->step[s + n + 1].kind == FL_PIN_STEP_ACT && p->step[s + n + 1].when == FL_PIN_BEFORE)))
        n++;
    return n;
}

static void tell_step(struct teller *t, unsigned s)
{
    switch ((enum fl_pin_step_kind)t->p->step[s].kind) {
    case FL_PIN_STEP_BEGIN: tell_begin(t, s); break;
    case FL_PIN_STEP_CALL: tell_call(t, s); break;
    case FL_PIN_STEP_ACT: tell_act(t, s); break;
    case FL_PIN_STEP_WAITS: break;
    case FL_PIN_STEP_END: tell_end(t, s); break;
    }
}

static void tell_verdict(struct teller *t)
{
    const struct capture *c = t->x->capture;
    const struct fl_pin_rule *rule = pin_rule(c);
    uint64_t va;
    unsigned index;
    char text[600];

    if (!capture_diverges(c) || c->crashed || c->hung)
        return;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(c->detail, "\n"), c->detail);
    if (c->check != FL_CHECK_PIN_DIFF && pin_page(t->x->scenario, t->x->capture, &va, &index) && index < FL_PIN_PAGES &&
        c->pin.ended && c->pin.frame[index][0] && c->pin.seen.pfn[index] != FL_NO_PAGE)
        tell(t, UINT32_MAX, "What the caller holds for %#" PRIx64 " is %s. %s", va, c->pin.frame[index],
             c->check == FL_CHECK_COW && (c->pin.call.flags & FL_FOLL_WRITE)
                 ? "The caller may write to it: others see what it writes"
                 : "That is not what it may hold");
    doc_alarm(t->d, "Broken: %s. Seen: %s", rule ? rule->statement : check_meaning(c->check), text);
}

void tell_pin_story(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    struct teller t = {.d = d, .x = x, .p = p};
    unsigned index, calls = 0;

    t.about = pin_page(x->scenario, x->capture, &t.va, &index);
    for (unsigned s = 0; s < p->nsteps; s++)
        calls += p->step[s].kind == FL_PIN_STEP_CALL;
    t.is_long = calls > LONG;
    doc_section(d, "story", "What happened");
    for (unsigned s = 0; s < p->nsteps;) {
        unsigned acts = p->step[s].kind == FL_PIN_STEP_CALL ? acts_behind(p, s) : 0;

        for (unsigned k = 1; k <= acts; k++)
            tell_step(&t, s + k);
        tell_step(&t, s);
        s += 1 + acts;
    }
    flush_quiet(&t);
    if (p->steps_gone)
        doc_paragraph(d, "%u steps beyond these were not kept.", p->steps_gone);
    tell_verdict(&t);
}
