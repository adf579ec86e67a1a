/* SPDX-License-Identifier: MIT */
/* Counts which values of the small ranges of target gup's records turned up: a part of seen_scenario.h. */
#ifndef FAULTLINE_TESTS_SEEN_PIN_H
#define FAULTLINE_TESTS_SEEN_PIN_H

#include "seen.h"

#include <faultline/fuzz/scenario.h>
#include <faultline/pin.h>

struct seen_pin {
    uint64_t area_kind[FL_AREA_KIND_COUNT], area_flag[FL_AREA_KIND_COUNT][11], area_file[4], area_pkey[16];
    uint64_t act[FL_ACTOR_COUNT], race[FL_ACTOR_COUNT], prot[8], mm[2], race_op[FL_PINOP_COUNT], nth[16];
    uint64_t answer[FL_PINANS_COUNT], answer_op[FL_PINOP_COUNT], answer_nth[16];
    uint64_t api[FL_PINAPI_COUNT], foll[FL_PINAPI_COUNT][12], how[FL_PINAPI_COUNT][4], many[FL_PINAPI_COUNT];
};

static inline void see_pin_record(struct seen_pin *seen, const struct fl_record *r)
{
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_AREA:
        seen->area_kind[r->u.area.kind]++;
        for (unsigned bit = 0; bit < 11; bit++)
            seen->area_flag[r->u.area.kind][bit] += r->u.area.flags >> bit & 1;
        seen->area_file[r->u.area.file]++;
        seen->area_pkey[r->u.area.pkey]++;
        break;
    case FL_REC_ACT:
    case FL_REC_RACE:
        (r->kind == FL_REC_ACT ? seen->act : seen->race)[r->u.act.act]++;
        seen->mm[r->u.act.mm]++;
        if (r->u.act.act == FL_ACTOR_MPROTECT)
            seen->prot[r->u.act.arg]++;
        if (r->kind == FL_REC_RACE) {
            seen->race_op[r->u.act.op]++;
            seen->nth[r->u.act.nth / 16]++;
        }
        break;
    case FL_REC_ANSWER:
        seen->answer[r->u.answer.answer]++;
        seen->answer_op[r->u.answer.op]++;
        seen->answer_nth[r->u.answer.nth / 16]++;
        break;
    case FL_REC_PIN:
        seen->api[r->u.pin.api]++;
        for (unsigned bit = 0; bit < 12; bit++)
            seen->foll[r->u.pin.api][bit] += r->u.pin.flags >> bit & 1;
        seen->how[r->u.pin.api][0] += r->u.pin.nonblocking;
        seen->how[r->u.pin.api][1] += r->u.pin.remote;
        seen->how[r->u.pin.api][2] += r->u.pin.pages;
        seen->how[r->u.pin.api][3] += r->u.pin.vmas;
        seen->many[r->u.pin.api] += r->u.pin.n != 1;
        break;
    default: break;
    }
}

/* Which call takes what is a second list, by hand. */
static inline void check_seen_pin(const struct seen_pin *seen, const char *where)
{
    static const uint16_t takes[FL_PINAPI_COUNT] = {0xdfb, 0x011, 0x001, 0x001, 0x001, 0, 0xffb};
    static const char *const how[FL_PINAPI_COUNT] = {"nrgv", "rgv", "", "", "nr", "r", "rg"};
    static const char letters[] = "nrgv";

    SEEN(seen->area_kind, 0, FL_AREA_KIND_COUNT - 1);
    SEEN(seen->area_file, 0, 3);
    SEEN(seen->area_pkey, 0, 15);
    for (unsigned kind = 0; kind < FL_AREA_KIND_COUNT; kind++)
        for (unsigned bit = 0; bit < 11; bit++) {
            const bool anon = bit == 6 || bit == 10, special = bit == 8 || bit == 9;

            CHECK_EQ(seen->area_flag[kind][bit] != 0, anon ? kind == FL_AREA_ANON : !special || kind == FL_AREA_SPECIAL,
                     "%s: area of kind %u, flag %u", where, kind, bit);
        }
    SEEN(seen->act, 0, FL_ACTOR_COUNT - 1);
    SEEN(seen->race, 0, FL_ACTOR_COUNT - 1);
    SEEN(seen->prot, 0, 7);
    SEEN(seen->mm, 0, 1);
    SEEN(seen->race_op, 0, FL_PINOP_COUNT - 1);
    SEEN(seen->nth, 0, 15);
    SEEN(seen->answer, 0, FL_PINANS_COUNT - 1);
    SEEN(seen->answer_op, 0, FL_PINOP_COUNT - 1);
    SEEN(seen->answer_nth, 0, 15);
    SEEN(seen->api, 0, FL_PINAPI_COUNT - 1);
    for (unsigned api = 0; api < FL_PINAPI_COUNT; api++) {
        for (unsigned bit = 0; bit < 12; bit++)
            CHECK_EQ(seen->foll[api][bit] != 0, takes[api] >> bit & 1, "%s: call %u, flag %u", where, api, bit);
        for (unsigned i = 0; i < 4; i++)
            CHECK_EQ(seen->how[api][i] != 0, strchr(how[api], letters[i]) != NULL, "%s: call %u, %c", where, api,
                     letters[i]);
        CHECK_EQ(seen->many[api] != 0, api <= FL_PINAPI_FAST, "%s: call %u, pages", where, api);
    }
}

#endif
