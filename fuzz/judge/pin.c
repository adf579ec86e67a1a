/* SPDX-License-Identifier: MIT */
/*
 * Pinning: the records of target gup. Each call goes through the core in a world of its own, and what was seen of it to the
 * oracle; a call that nobody disturbs is made once more, another way, in a copy of that world.
 */
#include "internal.h"

#include <stdlib.h>

bool fl_judge_pin_open(struct fl_judge *j)
{
    if (fl_pin_world_open(&j->pin_world) != FL_OK || fl_pin_world_open(&j->pin_other) != FL_OK)
        return false;
    if (j->options.sound)
        fl_pin_world_distrust(j->pin_world);
    return true;
}

void fl_judge_pin_close(struct fl_judge *j)
{
    fl_pin_world_close(j->pin_world);
    fl_pin_world_close(j->pin_other);
}

void fl_judge_pin_begin(struct fl_judge *j, const struct fl_scenario *s)
{
    for (unsigned i = 0; i < s->nrecords; i++)
        if (fl_judge_is_pin((enum fl_record_kind)s->records[i].kind)) {
            fl_pin_world_begin(j->pin_world, &s->machine);
            fl_judge_pin_listen(j, s);
            j->nraces = j->nanswers = 0;
            return;
        }
}

static bool is_fast(const struct fl_record *r)
{
    return r->u.pin.api == FL_PINAPI_FAST || r->u.pin.api == FL_PINAPI_FAST_ONLY;
}

/* No more pages than there is room for, unless the count is one that nothing may be pinned of; a wrong core that pins then is
 * stopped by the world (FL_PIN_ROOM). */
static void cut_down(struct fl_record *r, struct fl_pin_world *w)
{
    const struct fl_gup_space *space = fl_pin_world_space(w);
    unsigned room = fl_pin_world_room(w);
    uint64_t start = r->u.pin.start & ~UINT64_C(0xfff), end = start + ((uint64_t)r->u.pin.n << 12);

    if (is_fast(r) && (int32_t)r->u.pin.n < 0)
        return;
    if (r->u.pin.api == FL_PINAPI_FAST_ONLY && (end < start || end > space->task_size))
        return;
    if (r->u.pin.n > room)
        r->u.pin.n = room ? room : 1; /* a call for one page stays one: there is some room to spare */
}

/* The call itself. False: the core answers FL_INVALID to what is none. */
static bool call(struct fl_judge *j, struct fl_pin_world *w, const struct fl_record *r, struct fl_pinned *out)
{
    const struct fl_gup_space *space = fl_pin_world_space(w);
    const struct fl_gup_ops *ops = fl_pin_world_ops();
    bool write = r->u.pin.flags & FL_FOLL_WRITE, force = r->u.pin.flags & FL_FOLL_FORCE, get = r->u.pin.pages;
    uint64_t *pfns = fl_pin_world_pfns(w), mask, start = r->u.pin.start;
    uint32_t *gens = r->u.pin.vmas ? fl_pin_world_gens(w) : NULL;
    unsigned flags = r->u.pin.flags | (get ? FL_FOLL_GET : 0);
    struct fl_pin_vma vma;

    *out = (struct fl_pinned){.lock_held = true};
    switch ((enum fl_pin_api)r->u.pin.api) {
    case FL_PINAPI_PIN:
        return j->gup->pin(space, start, r->u.pin.n, flags, r->u.pin.nonblocking, get ? pfns : NULL, gens, ops, w,
                           out) == FL_OK;
    case FL_PINAPI_USER:
        return j->gup->pin_user(space, start, r->u.pin.n, write, force, get ? pfns : NULL, gens, ops, w, out) == FL_OK;
    case FL_PINAPI_FAST_ONLY:
        return j->gup->pin_fast_only(space, start, (int32_t)r->u.pin.n, write, pfns, ops, w, out) == FL_OK;
    case FL_PINAPI_FAST: return j->gup->pin_fast(space, start, (int32_t)r->u.pin.n, write, pfns, ops, w, out) == FL_OK;
    case FL_PINAPI_FIXUP:
        flags = (write ? FL_MM_WRITE : 0) | (r->u.pin.nonblocking ? FL_MM_ALLOW_RETRY : 0);
        return j->gup->fixup(space, start, flags, ops, w, out) == FL_OK;
    case FL_PINAPI_DUMP:
        if (j->gup->dump(space, start, pfns, ops, w) != FL_OK)
            return false;
        out->pages = pfns[0] != FL_NO_PAGE;
        out->error = out->pages ? FL_PIN_OK : FL_PIN_EFAULT;
        return true;
    case FL_PINAPI_FOLLOW:
        if (!ops->vma_find(w, start, &vma))
            return true;
        return j->gup->follow(space, &vma, start & ~UINT64_C(0xfff), flags, ops, w, pfns, &mask, out) == FL_OK;
    case FL_PINAPI_COUNT: break;
    }
    return false;
}

static bool run(struct fl_judge *j, struct fl_pin_world *w, const struct fl_record *r, struct fl_pin_call *c,
                struct fl_pin_seen *seen)
{
    struct fl_pinned out;
    bool ok;

    fl_pin_world_event_begin(w, r);
    ok = call(j, w, r, &out);
    fl_pin_world_event_end(w, &out, c, seen);
    return ok;
}

/* ---- the same another way ----------------------------------------------------------------------------------------- */

/* One page at a time, and what it comes to put together. */
static bool piecewise(struct fl_judge *j, const struct fl_record *r, struct fl_pin_seen *sum)
{
    struct fl_record one = *r;

    sum->out = (struct fl_pinned){.lock_held = true};
    one.u.pin.n = 1;
    for (uint32_t i = 0; i < r->u.pin.n; i++) {
        one.u.pin.start = (r->u.pin.start & ~UINT64_C(0xfff)) + (uint64_t)i * 4096;
        if (!run(j, j->pin_other, &one, &j->pin_call_other, &j->pin_seen_other) || j->pin_seen_other.oom)
            return false;
        if (j->pin_seen_other.out.pages == 0) {
            if (i == 0)
                sum->out.error = j->pin_seen_other.out.error;
            break;
        }
        sum->pfn[i] = j->pin_seen_other.pfn[0];
        sum->out.pages++;
    }
    return true;
}

/* Is there another way to do the same? */
static bool has_other_way(const struct fl_judge *j, const struct fl_record *r)
{
    static const unsigned odd = FL_FOLL_MLOCK | FL_FOLL_SPLIT;

    if (r->u.pin.n > FL_PIN_PAGES)
        return false;
    if (is_fast(r))
        return r->u.pin.n > 0 && fl_judge_pins(j->gup, FL_PINAPI_USER);
    return (r->u.pin.api == FL_PINAPI_PIN || r->u.pin.api == FL_PINAPI_USER) && r->u.pin.n > 1 &&
           !(r->u.pin.flags & odd);
}

static enum fl_event_end other_way(struct fl_judge *j, const struct fl_record *r)
{
    struct fl_pin_seen *a = &j->pin_seen, *b = &j->pin_seen_other;
    struct fl_record slow = *r;
    bool differ;

    if (!j->pin_call.quiet || a->oom)
        return FL_EVENT_GOES_ON;
    if (is_fast(r)) {
        slow.u.pin.api = FL_PINAPI_USER;
        slow.u.pin.pages = true;
        if (!run(j, j->pin_other, &slow, &j->pin_call_other, b) || b->oom)
            return FL_EVENT_GOES_ON;
        if (r->u.pin.api == FL_PINAPI_FAST_ONLY && a->out.pages <= b->out.pages) {
            b->out.pages = a->out.pages; /* it may stop earlier, but not elsewhere */
            b->out.error = a->out.error;
        }
        differ = fl_pin_same(&j->pin_call, "fast-and-slow", a, b, &j->divergence);
    } else {
        static struct fl_pin_seen sum; /* large; filled whole before it is read */

        if (!piecewise(j, r, &sum))
            return FL_EVENT_GOES_ON;
        differ = fl_pin_same(&j->pin_call, "at-once-and-one-by-one", a, &sum, &j->divergence);
    }
    j->stats->pin_twice++;
    j->stats->compared[FL_CHECK_PIN_DIFF]++;
    return differ ? FL_EVENT_DIVERGED : FL_EVENT_GOES_ON;
}

/* ---- counting ----------------------------------------------------------------------------------------------------- */

static unsigned state_of(const struct fl_pin_view *v)
{
    if (!v->mapped)
        return v->swap; /* 0..4 */
    if (v->hint)
        return 5;
    if (v->special && !v->zero)
        return 6;
    if (v->zero)
        return 7;
    if (v->device)
        return 8;
    if (v->read.kind != FL_ARCH_OK)
        return 9;
    if (v->leaf_level > 1)
        return v->anon ? v->exclusive ? 10 : 11 : 12;
    return v->anon ? v->exclusive ? 13 : 14 : 15;
}

static void count(struct fl_judge *j, const struct fl_record *r)
{
    const struct fl_pin_seen *s = &j->pin_seen;
    const struct fl_pin_call *c = &j->pin_call;
    const struct fl_pin_op_call *calls;
    unsigned n = fl_pin_world_calls(j->pin_world, &calls), mode = c->cpu.mode;
    unsigned how =
        (c->flags & FL_FOLL_WRITE ? 1 : 0) | (c->flags & FL_FOLL_FORCE ? 2 : 0) | (c->flags & FL_FOLL_GET ? 4 : 0);

    j->stats->pinned_pages += s->out.pages;
    j->stats->mode_priv[mode][1]++;
    j->stats->compared[FL_CHECK_LOCK]++;
    j->stats->compared[FL_CHECK_PROGRESS]++;
    if (c->hostile) {
        j->stats->pin_hostile++;
    } else {
        j->stats->compared[FL_CHECK_PIN] += s->out.pages != 0;
        j->stats->compared[FL_CHECK_PERM] += s->out.pages != 0;
        j->stats->compared[FL_CHECK_COW] += s->out.pages != 0;
        j->stats->compared[FL_CHECK_DECISION] += c->quiet;
    }
    j->stats->pin_quiet += c->quiet;
    fl_judge_cell(j, fl_cell_pin_end((enum fl_mode)mode, r->u.pin.api, s->out.error, s->out.pages));
    if (s->ninstants && c->n > 0)
        fl_judge_cell(j, fl_cell_pin_page(r->u.pin.api, state_of(&s->view[0][0]), how));
    for (unsigned i = 0; !c->quiet && i < n; i++)
        if (calls[i].acted)
            for (unsigned k = 0; k < j->nraces; k++)
                if (j->races[k].u.act.op == calls[i].op && j->races[k].u.act.nth == calls[i].nth)
                    fl_judge_cell(j, fl_cell_pin_race(j->races[k].u.act.act, calls[i].op));
    for (unsigned k = 0; k < j->nanswers; k++)
        for (unsigned i = 0; i < n; i++)
            if (calls[i].op == j->answers[k].u.answer.op && calls[i].nth == j->answers[k].u.answer.nth)
                fl_judge_cell(j, fl_cell_pin_answer(j->answers[k].u.answer.answer, calls[i].op));
}

static void tell_calls(const struct fl_judge *j)
{
    struct fl_judge_calls calls = {0};

    calls.npin = fl_pin_world_calls(j->pin_world, &calls.pin);
    j->calls(j->calls_ctx, j->record, &calls);
}

static void tell(struct fl_judge *j)
{
    static const char *const errors[] = {"ok", "efault", "enomem", "ehwpoison", "erestartsys", "ebusy", "bug"};
    const struct fl_pin_seen *s = &j->pin_seen;
    char text[64];

    if (!j->keep_endings)
        return;
    snprintf(text, sizeof text, "%llu pages, %s", (unsigned long long)s->out.pages, errors[s->out.error % 7]);
    fl_judge_ended(j, text);
}

/* Our own bug, and not to be mistaken for the core's. */
static void stay_sound(struct fl_judge *j)
{
    char why[256];

    if (fl_pin_world_sound(j->pin_world, why))
        return;
    fprintf(stderr, "faultline: the model of pinning is unsound after record %u: %s\n", j->record + 1, why);
    abort();
}

static enum fl_event_end judge_call(struct fl_judge *j, const struct fl_record *given)
{
    struct fl_record r = *given;
    bool quiet = j->nraces == 0 && j->nanswers == 0, wrong;

    j->npassed = 0;
    j->passed[0] = 0;
    cut_down(&r, j->pin_world);
    quiet &= has_other_way(j, &r);
    if (quiet)
        fl_pin_world_copy(j->pin_other, j->pin_world);
    if (!run(j, j->pin_world, &r, &j->pin_call, &j->pin_seen))
        return fl_judge_diverge(j, FL_CHECK_DECISION, "pin", "ok", "status",
                                "the core answers that the call is invalid");
    if (j->calls)
        tell_calls(j);
    count(j, &r);
    j->stats->pin_raced += j->nraces != 0;
    j->stats->pin_answered += j->nanswers != 0;
    tell(j);
    wrong = fl_pin_judge(&j->pin_call, &j->pin_seen, &j->divergence) ||
            fl_pin_world_divergence(j->pin_world, &j->divergence);
    if (wrong)
        fl_judge_pin_between(j);
    j->nraces = j->nanswers = 0;
    if (wrong)
        return FL_EVENT_DIVERGED;
    if (j->options.sound)
        stay_sound(j);
    return quiet ? other_way(j, &r) : FL_EVENT_GOES_ON;
}

/* The pinning under test has no such function: what was to happen during the call happens without it. */
static void leave_out(struct fl_judge *j, const struct fl_record *r)
{
    struct fl_pinned out = {.lock_held = true};

    j->stats->events_skipped++;
    fl_pin_world_event_begin(j->pin_world, r);
    fl_pin_world_event_end(j->pin_world, &out, &j->pin_call, &j->pin_seen);
    j->nraces = j->nanswers = 0;
}

enum fl_event_end fl_judge_pin(struct fl_judge *j, const struct fl_record *r)
{
    enum fl_event_end end;

    if (r->kind == FL_REC_PIN && !fl_judge_pins(j->gup, (enum fl_pin_api)r->u.pin.api)) {
        leave_out(j, r);
    } else if (r->kind == FL_REC_PIN) {
        end = judge_call(j, r);
        if (end != FL_EVENT_DIVERGED)
            j->stats->events++;
        return end;
    } else if (fl_pin_world_apply(j->pin_world, r) == FL_OK) {
        if (j->options.sound)
            stay_sound(j);
        if (r->kind == FL_REC_RACE)
            j->races[j->nraces++] = *r;
        else if (r->kind == FL_REC_ANSWER)
            j->answers[j->nanswers++] = *r;
    }
    return fl_pin_world_divergence(j->pin_world, &j->divergence) ? FL_EVENT_DIVERGED : FL_EVENT_GOES_ON;
}
