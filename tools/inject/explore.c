/* SPDX-License-Identifier: MIT */
/*
 * What is run, and in which order: the scenario as it is; every single choice; then pairs, whose second choice comes from
 * the run with the first one in place, at a later question (preemptions: or at the same point, behind the first), so that
 * no pair comes twice. More pairs than the limit: so many of them, spread evenly.
 *
 * Not paired: what diverged by itself, and a first preemption that changed nothing (the pair would be a single).
 */
#include "inject.h"

#include <string.h>

static void copy(struct fl_scenario *to, const struct fl_scenario *from)
{
    to->machine = from->machine;
    to->nrecords = from->nrecords;
    memcpy(to->records, from->records, from->nrecords * sizeof from->records[0]);
}

/* Judges x->state->current. True: it diverged. */
static bool judge(struct explore *x, struct trace *t)
{
    struct fl_divergence d;
    unsigned record;
    bool diverged;

    t->n = 0;
    fl_judge_set_calls(x->judge, trace_note, t);
    x->state->beat++;
    diverged = fl_judge_scenario(x->judge, &x->state->current, &d, &record);
    if (diverged) {
        x->state->counts.findings++;
        x->found(x->ctx, &x->state->current, &d, record);
    }
    if (x->ran)
        x->ran(x->ctx, &x->state->current, t);
    return diverged;
}

/* Answers how many choices there are. out NULL (preemptions only): they are counted, not made. */
static uint64_t list(struct explore *x, const struct fl_scenario *s, const struct trace *t, const struct since *since,
                     struct choices *out)
{
    uint64_t pruned = 0, no_room = 0, n;

    if (out)
        out->n = out->no_room = 0;
    if (x->preempt) {
        n = races_list(s, t, since, out, &pruned, &no_room);
    } else {
        answers_list(s, t, x->target, since, out);
        n = out->n;
        no_room = out->no_room;
    }
    if (x->state->pass != INJECT_PAIR) { /* there the list is made a second time */
        x->state->counts.same += pruned;
        x->state->counts.left_out += no_room;
    }
    return n;
}

/* Behind the first choice, which is more records in front of its event. */
static struct since behind(const struct explore *x, const struct choice *first, unsigned more)
{
    return (struct since){.record = first->record + more, .call = first->call, .same = x->preempt != 0};
}

/* Did the preemption change anything? */
static bool without_effect(const struct trace *t, const struct since *at)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->points[i].record == at->record && t->points[i].call == at->call)
            return t->points[i].acted && t->points[i].quiet;
    return false;
}

/* ---- singles ------------------------------------------------------------------------------------------------------ */

/* How many pairs begin with that choice. */
static uint32_t run_single(struct explore *x, const struct fl_scenario *s, const struct choice *c)
{
    struct inject_counts *n = &x->state->counts;
    struct since since;
    uint64_t pairs;
    unsigned more;

    copy(&x->state->current, s);
    more = inject_place(&x->state->current, x->target, c);
    if (!more) {
        n->left_out++;
        return 0;
    }
    n->singles++;
    n->hostile += c->hostile;
    since = behind(x, c, more);
    if (judge(x, &x->second))
        return 0;
    n->unreached += !trace_reaches(&x->second, since.record, c);
    if (x->preempt ? x->preempt < 2 : !x->pairs)
        return 0;
    if (x->preempt && without_effect(&x->second, &since)) {
        n->no_effect++;
        return 0;
    }
    pairs = list(x, &x->state->current, &x->second, &since, x->preempt ? NULL : &x->pairs_of);
    n->planned += pairs;
    return (uint32_t)pairs;
}

static void singles(struct explore *x, const struct fl_scenario *s)
{
    struct inject_state *st = x->state;
    size_t n = x->singles.n;

    for (; st->first < n && !st->stop; st->first++) {
        st->seconds[st->first] = 0;
        if (!st->skip)
            st->seconds[st->first] = run_single(x, s, &x->singles.list[st->first]);
        st->skip = false;
    }
}

/* ---- pairs -------------------------------------------------------------------------------------------------------- */

static void run_pair(struct explore *x, const struct choice *first, unsigned event, const struct choice *second)
{
    struct inject_counts *n = &x->state->counts;
    unsigned more;

    copy(&x->state->current, &x->with_first);
    more = inject_place(&x->state->current, x->target, second);
    if (!more) {
        n->left_out++;
        return;
    }
    n->pairs++;
    n->hostile += first->hostile || second->hostile;
    if (judge(x, &x->second))
        return;
    n->unreached += !trace_reaches(&x->second, second->record + more, second);
    n->unreached += !trace_reaches(&x->second, second->record == event ? event + more : event, first);
}

/* Is the pair with that number one of the limit's? */
static bool chosen(uint64_t pair, uint64_t total, uint64_t limit)
{
    if (limit >= total)
        return true;
    if (limit == 0)
        return false;
    if (total <= UINT32_MAX)
        return (pair + 1) * limit / total != pair * limit / total;
    return pair % (total / limit) == 0 && pair / (total / limit) < limit;
}

static bool any_chosen(uint64_t from, uint32_t n, uint64_t total, uint64_t limit)
{
    for (uint32_t i = 0; i < n; i++)
        if (chosen(from + i, total, limit))
            return true;
    return false;
}

/* The first choice in place and run once more, for what it is asked then. *event [OUT]: where its event is now. */
static bool open_pairs(struct explore *x, const struct fl_scenario *s, const struct choice *first, unsigned *event)
{
    struct fl_divergence d;
    struct since since;
    unsigned more, record;

    copy(&x->with_first, s);
    more = inject_place(&x->with_first, x->target, first);
    copy(&x->state->current, &x->with_first);
    x->second.n = 0;
    fl_judge_set_calls(x->judge, trace_note, &x->second);
    x->state->beat++;
    if (!more || fl_judge_scenario(x->judge, &x->with_first, &d, &record))
        return false;
    since = behind(x, first, more);
    *event = since.record;
    list(x, &x->with_first, &x->second, &since, &x->pairs_of);
    return true;
}

static void pairs(struct explore *x, const struct fl_scenario *s)
{
    struct inject_state *st = x->state;
    uint64_t total = 0, from = 0;
    bool resumed = st->second != 0 || st->skip;

    for (size_t i = 0; i < x->singles.n; i++)
        total += st->seconds[i];
    if (!resumed && st->first == 0 && total > x->limit) {
        st->counts.left_out += total - x->limit;
        st->counts.planned -= total - x->limit;
    }
    for (uint32_t i = 0; i < st->first; i++)
        from += st->seconds[i];
    for (; st->first < x->singles.n && !st->stop; st->first++, st->second = 0) {
        const struct choice *first = &x->singles.list[st->first];
        uint32_t n = st->seconds[st->first];
        unsigned event;

        if (any_chosen(from, n, total, x->limit) && open_pairs(x, s, first, &event))
            for (; st->second < n && st->second < x->pairs_of.n && !st->stop; st->second++) {
                if (!st->skip && chosen(from + st->second, total, x->limit))
                    run_pair(x, first, event, &x->pairs_of.list[st->second]);
                st->skip = false;
            }
        from += n;
        if (st->stop)
            break;
    }
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

static bool run_plain(struct explore *x, const struct fl_scenario *s)
{
    struct inject_state *st = x->state;
    uint64_t events = fl_judge_stats(x->judge)->events;
    bool again = st->pass != INJECT_RUN, diverged;

    copy(&st->current, s);
    if (st->skip && !again) {
        st->pass = INJECT_OVER; /* the run as it is ended the process */
        return false;
    }
    if (again) { /* another process had it before: only its questions are wanted */
        struct fl_divergence d;
        unsigned record;

        x->trace.n = 0;
        fl_judge_set_calls(x->judge, trace_note, &x->trace);
        diverged = fl_judge_scenario(x->judge, s, &d, &record);
    } else {
        diverged = judge(x, &x->trace);
    }
    if (!again) {
        st->counts.events += fl_judge_stats(x->judge)->events - events;
        st->counts.calls += x->trace.n;
        st->counts.unreached += trace_unreached(&x->trace, s, x->target);
    }
    return !diverged;
}

void inject_explore(struct explore *x, const struct fl_scenario *s)
{
    struct inject_state *st = x->state;
    bool first_time = st->pass == INJECT_RUN;

    if (!run_plain(x, s)) {
        st->pass = INJECT_OVER;
        return;
    }
    x->singles.n = 0;
    if (first_time) {
        list(x, s, &x->trace, NULL, &x->singles);
        st->pass = INJECT_SINGLE;
        st->first = st->second = 0;
        st->skip = false;
    } else {
        enum inject_pass pass = st->pass;

        st->pass = INJECT_PAIR; /* counted already */
        list(x, s, &x->trace, NULL, &x->singles);
        st->pass = pass;
    }
    if (x->singles.n > INJECT_SINGLES) {
        st->counts.left_out += first_time ? x->singles.n - INJECT_SINGLES : 0;
        x->singles.n = INJECT_SINGLES;
    }
    if (first_time)
        st->counts.planned += x->singles.n;
    if (st->pass == INJECT_SINGLE) {
        singles(x, s);
        if (!st->stop) {
            st->pass = INJECT_PAIR;
            st->first = st->second = 0;
        }
    }
    if (st->pass == INJECT_PAIR && !st->stop)
        pairs(x, s);
    if (st->stop) { /* what was still to come */
        uint64_t done = st->counts.singles + st->counts.pairs;

        st->counts.left_out += st->counts.planned > done ? st->counts.planned - done : 0;
    }
    st->pass = INJECT_OVER;
}

void inject_explore_free(struct explore *x)
{
    trace_free(&x->trace);
    trace_free(&x->second);
    choices_free(&x->singles);
    choices_free(&x->pairs_of);
}
