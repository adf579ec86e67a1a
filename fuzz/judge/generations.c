/* SPDX-License-Identifier: MIT */
/*
 * Generations against each other: the same scenario under each generation that its mode has, CURRENT first. Every
 * generation is judged by its own rows on the way; how its accesses end is held against CURRENT's. A difference has to
 * be in the list of expected ones, and ends the comparison for that generation: its world is another one from there on.
 *
 * Worlds also drift apart without a difference (2014 keeps a copy that it refused an access after), so an access is
 * compared only where both begin in the same world, or did before the sync-all directly before it.
 */
#include "internal.h"

#include <string.h>

void fl_judge_same_world(struct fl_judge *j, enum fl_record_kind kind)
{
    bool before_syncall = j->same_before_syncall;
    uint64_t digest;

    if (j->generation == FL_GEN_COUNT)
        return;
    digest = fl_world_digest(j->world);
    if (j->generation == FL_GEN_CURRENT)
        j->world_before[j->record] = digest;
    j->same_world = digest == j->world_before[j->record] || (kind == FL_REC_TOUCH && before_syncall);
    j->same_before_syncall = kind == FL_REC_SYNCALL && j->same_world;
}

enum fl_event_end fl_judge_generations(struct fl_judge *j, const struct fl_scenario *s)
{
    enum fl_event_end end = FL_EVENT_GOES_ON;

    memset(j->touch_end, FL_TOUCH_COUNT, sizeof j->touch_end);
    for (unsigned g = FL_GEN_CURRENT; g < FL_GEN_COUNT && end != FL_EVENT_DIVERGED; g++) {
        if (!fl_generation_exists((enum fl_mode)s->machine.mode, (enum fl_generation)g) ||
            (s->machine.sh4 && g != FL_GEN_CURRENT))
            continue;
        j->generation = (enum fl_generation)g;
        fl_world_set_generation(j->world, j->generation);
        j->record = s->nrecords;
        fl_judge_say(j, "---- generation %s", fl_generation_name(j->generation));
        end = fl_judge_trace(j, s, true);
    }
    j->generation = FL_GEN_COUNT;
    fl_world_set_generation(j->world, FL_GEN_COUNT);
    return end;
}
