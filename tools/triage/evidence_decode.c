/* SPDX-License-Identifier: MIT */
/*
 * Which keys are one bug's, once more:
 *
 *   decoder   a decision that ignores a fault, or does not, where the other is right; an instruction of its minimised scenario,
 *             given to the prefetch decoder alone on the same machine, shows a key of check "prefetch". The decision only
 *             follows what the decoder said.
 */
#include "group.h"

#include <stdlib.h>
#include <string.h>

/* "decision/ROW/ignored/..." or "decision/ROW/.../ignored". */
static bool is_about_ignoring(const char *key)
{
    return strncmp(key, "decision/", 9) == 0 && strstr(key, "/ignored") != NULL;
}

/* Some member is about the decoder. */
static bool any_decoder(const struct group *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (strncmp(g->members[i].b.key, "prefetch/", 9) == 0)
            return true;
    return false;
}

/* What the decoder alone shows for these bytes, as code of each width; NULL: nothing that is a member. */
static struct member *decoded(const struct group *g, struct replayer *r, struct fl_scenario *s, const uint8_t *code,
                              uint8_t n)
{
    static const uint8_t widths[] = {16, 32, 64};

    for (unsigned k = 0; k < 2 * sizeof widths; k++) {
        struct fl_record *record = &s->records[0];
        struct replay_result result;
        struct member *b;

        memset(record, 0, sizeof *record);
        record->kind = FL_REC_DECODE;
        record->u.decode.n = n;
        memcpy(record->u.decode.code, code, n);
        record->u.decode.bits = widths[k / 2];
        record->u.decode.user = k % 2 == 0;
        s->nrecords = 1;
        if (!fl_scenario_valid(s))
            continue;
        replay_run(r, s, FL_TARGET_PREFETCH, &result);
        b = result.end == REPLAY_DIVERGED && strncmp(result.key, "prefetch/", 9) == 0 ? group_find(g, result.key)
                                                                                      : NULL;
        if (b)
            return b;
    }
    return NULL;
}

void group_by_decoder(struct group *g, struct replayer *r, struct member *m, const struct fl_scenario *scenario)
{
    struct fl_scenario *alone;
    struct member *b = NULL;

    if (!is_about_ignoring(m->b.key) || !any_decoder(g) || !(alone = malloc(sizeof *alone)))
        return;
    *alone = *scenario;
    for (uint32_t i = 0; i < scenario->nrecords && !b; i++) {
        const struct fl_record *record = &scenario->records[i];

        if (record->kind == FL_REC_BYTES)
            b = decoded(g, r, alone, record->u.bytes.data, record->u.bytes.n);
        else if (record->kind == FL_REC_EXEC)
            b = decoded(g, r, alone, record->u.exec.code, record->u.exec.n);
    }
    if (b && b != m)
        group_join(g, m, b, "its instruction, given to the decoder alone, shows");
    free(alone);
}
