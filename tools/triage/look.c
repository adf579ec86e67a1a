/* SPDX-License-Identifier: MIT */
/* One input, replayed: as which judge it shows something, and how often of how many times. */
#include "internal.h"

#include <string.h>

static bool shows(const struct replay_result *result)
{
    return result->end != REPLAY_CLEAN && result->end != REPLAY_NOTHING;
}

/* Keys of these name the target, so that the same end would have two names. */
static bool named_by_target(const struct replay_result *result)
{
    return result->end == REPLAY_CRASHED || result->end == REPLAY_HUNG || result->end == REPLAY_UNABLE;
}

/* Where judging everything shows the same, that is what people may do: `faultline repro FILE`. */
void triage_look_as(struct replayer *r, enum fl_target target, struct looked *l)
{
    struct replay_result all;

    l->seen = l->scenario;
    replay_drop_skipped(&l->seen, target);
    l->target = target;
    replay_run(r, &l->seen, target, &l->result);
    if (l->result.end != REPLAY_DIVERGED)
        return;
    replay_run(r, &l->seen, FL_TARGET_ALL, &all);
    if (strcmp(all.key, l->result.key) != 0)
        return;
    l->result = all;
    l->target = FL_TARGET_ALL;
}

void triage_look(struct replayer *r, const struct fl_scenario *scenario, enum fl_target target, struct looked *out)
{
    struct replay_result all;

    out->scenario = *scenario;
    out->tries = 1;
    if (target != FL_TARGET_ALL) {
        triage_look_as(r, target, out);
    } else {
        replay_run(r, scenario, FL_TARGET_ALL, &all);
        if (!shows(&all) || named_by_target(&all)) {
            for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
                triage_look_as(r, (enum fl_target)t, out);
                if (shows(&out->result))
                    break;
            }
        }
        if (shows(&all) && (!named_by_target(&all) || !shows(&out->result))) {
            out->seen = *scenario;
            out->target = FL_TARGET_ALL;
            out->result = all;
        }
    }
    out->reproduced = shows(&out->result) ? 1 : 0;
}

unsigned triage_reproduces(struct replayer *r, const struct fl_scenario *s, enum fl_target target, const char *key,
                           unsigned *tries, struct replay_result *last)
{
    unsigned n = 0, done = 0;

    while (done < *tries) {
        struct replay_result result;

        replay_run(r, s, target, &result);
        done++;
        if (n == 0)
            *last = result;
        n += strcmp(result.key, key) == 0;
        if (result.end == REPLAY_HUNG)
            break; /* each takes as long as the limit */
    }
    *tries = done;
    return n;
}

void triage_look_again(struct replayer *r, struct looked *l)
{
    struct replay_result result;
    unsigned more = TRIAGE_TRIES - 1;

    if (!shows(&l->result) || l->result.end == REPLAY_HUNG)
        return;
    l->reproduced += triage_reproduces(r, &l->seen, l->target, l->result.key, &more, &result);
    l->tries += more;
}
