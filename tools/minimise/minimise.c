/* SPDX-License-Identifier: MIT */
/* The order of the passes, and what they share: trying a candidate. */
#include "pass.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A scenario takes well under a millisecond: what hangs is seen to hang soon, where it has to be seen many times. */
#define HANG_SECONDS       1.0
#define HANG_SECONDS_TRIED 0.25

struct fl_scenario *work_begin(struct work *w)
{
    w->candidate.machine = w->best.machine;
    w->candidate.nrecords = w->best.nrecords;
    memcpy(w->candidate.records, w->best.records, w->best.nrecords * sizeof w->best.records[0]);
    return &w->candidate;
}

bool work_over(const struct work *w)
{
    return w->max_tries && w->tries >= w->max_tries;
}

/* ---- what was tried before ------------------------------------------------------------------------------------------ */

static void insert(uint64_t *seen, size_t room, uint64_t digest)
{
    size_t at = digest & (room - 1);

    while (seen[at])
        at = (at + 1) & (room - 1);
    seen[at] = digest;
}

/* Notes it. True: it was there. Where there is no memory nothing is remembered, and the same is tried again. */
static bool was_seen(struct work *w, uint64_t digest)
{
    digest |= digest == 0;
    if (w->room)
        for (size_t at = digest & (w->room - 1); w->seen[at]; at = (at + 1) & (w->room - 1))
            if (w->seen[at] == digest)
                return true;
    if (w->nseen * 2 >= w->room) {
        size_t room = w->room ? w->room * 2 : 1024;
        uint64_t *more = calloc(room, sizeof *more);

        if (!more)
            return false;
        for (size_t i = 0; i < w->room; i++)
            if (w->seen[i])
                insert(more, room, w->seen[i]);
        free(w->seen);
        w->seen = more;
        w->room = room;
    }
    insert(w->seen, w->room, digest);
    w->nseen++;
    return false;
}

bool work_try(struct work *w)
{
    uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    struct replay_result result;
    unsigned cost;
    size_t size;

    size = fl_scenario_encode(&w->candidate, bytes, sizeof bytes);
    fl_scenario_decode(bytes, size, &w->candidate);
    cost = scenario_cost(&w->candidate);
    if (cost >= w->cost || work_over(w) || was_seen(w, XXH3_64bits(bytes, size)))
        return false;
    w->tries++;
    replay_run(w->replayer, &w->candidate, w->target, &result);
    if (strcmp(result.key, w->key) != 0)
        return false;
    w->best.machine = w->candidate.machine;
    w->best.nrecords = w->candidate.nrecords;
    memcpy(w->best.records, w->candidate.records, w->candidate.nrecords * sizeof w->candidate.records[0]);
    w->cost = cost;
    w->result = result;
    return true;
}

/* ---- from the start to a fixed point -------------------------------------------------------------------------------- */

/* The first replay, and one more that has to say the same. False: nothing to keep. By a child that has seen nothing else:
 * a core may remember things, and what shows only after others is not shown by this scenario. */
static bool has_key(struct work *w)
{
    struct replay_result again;

    replay_restart(w->replayer);
    replay_limit(w->replayer, HANG_SECONDS);
    replay_run(w->replayer, &w->best, w->target, &w->result);
    if (w->result.end != REPLAY_HUNG)
        replay_limit(w->replayer, 0);
    replay_run(w->replayer, &w->best, w->target, &again);
    w->tries += 2;
    snprintf(w->key, sizeof w->key, "%s", w->result.key);
    return w->key[0] && w->result.end != REPLAY_UNABLE && strcmp(w->key, again.key) == 0;
}

/* The result by such a child once more. */
static bool still_has_key(struct work *w)
{
    struct replay_result fresh;

    if (w->result.end == REPLAY_HUNG)
        replay_limit(w->replayer, HANG_SECONDS);
    replay_restart(w->replayer);
    replay_run(w->replayer, &w->best, w->target, &fresh);
    w->tries++;
    w->result = fresh;
    return strcmp(fresh.key, w->key) == 0;
}

static void rounds(struct work *w)
{
    unsigned before;

    do {
        before = w->cost;
        pass_records(w);
        pass_machine(w);
        pass_fold_regs(w);
        pass_pairs(w);
        pass_swaps(w);
        pass_races(w);
        pass_code(w);
        pass_addresses(w);
        pass_fields(w);
    } while (w->cost < before && !work_over(w));
}

static unsigned encoded(const struct fl_scenario *s)
{
    return (unsigned)fl_scenario_encode(s, NULL, 0);
}

bool minimise(struct replayer *r, const struct fl_scenario *in, enum fl_target target, unsigned max_tries,
              struct fl_scenario *out, struct minimised *report)
{
    struct work *w = calloc(1, sizeof *w);
    bool ok = false;

    memset(report, 0, sizeof *report);
    report->before = in->nrecords;
    report->bytes_before = encoded(in);
    report->bits_before = scenario_cost(in);
    if (w) {
        w->replayer = r;
        w->target = target;
        w->max_tries = max_tries;
        w->best = *in;
        w->cost = report->bits_before;
        ok = has_key(w);
        if (ok) {
            if (w->result.end == REPLAY_HUNG)
                replay_limit(r, HANG_SECONDS_TRIED);
            rounds(w);
            ok = still_has_key(w);
        }
        replay_limit(r, 0);
        report->tries = w->tries;
        report->result = w->result;
    }
    *out = ok ? w->best : *in;
    report->after = out->nrecords;
    report->bytes_after = encoded(out);
    report->bits_after = scenario_cost(out);
    if (w)
        free(w->seen);
    free(w);
    return ok;
}
