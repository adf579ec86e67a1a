/* SPDX-License-Identifier: MIT */
/*
 * The synchronisation of one address: facts, row, and what the row means in writes.
 */
#include "facts.h"

enum fl_status fl_sync_decide(const struct fl_snapshot *s, struct fl_sync_expected *out)
{
    struct fl_sync_manner manner;
    struct fl_sync_facts facts;
    size_t count;
    uint16_t row;
    uint8_t verdict;

    if (!s || !out || !s->read || s->cpu.mode >= FL_MODE_COUNT ||
        !fl_generation_exists((enum fl_mode)s->cpu.mode, (enum fl_generation)s->kernel.generation))
        return FL_INVALID;
    fl_sync_find_facts(s, s->kernel.generation, &facts);
    row = fl_sync_match(s->kernel.generation, facts.word);
    if (row == FL_POLICY_NO_ROW)
        return FL_FAILED;
    verdict = fl_sync_rows(&count)[row].verdict;
    *out = (struct fl_sync_expected){.row = row, .end = verdict & SV_END};
    if ((verdict & SV_FILLED) && facts.fills) {
        manner = fl_sync_manner_of(s->kernel.generation, s->cpu.mode);
        out->nwrites = 1;
        out->write[0] = (struct fl_entry_write){
            .paddr = facts.slot, .value = facts.value, .size = fl_shape_of(s->cpu.mode)->size, .how = manner.how};
        out->flush = manner.flush;
        s->read(s->ctx, facts.slot, out->write[0].size, &out->before);
    }
    /* arch/x86/mm/fault.c 2013 to 2016: WARN_ON_ONCE(in_nmi()) follows the range check. */
    out->warn = s->kernel.generation == FL_GEN_2016 && s->task.in_nmi && (facts.word & S_IN_RANGE);
    return FL_OK;
}

const char *fl_sync_end_name(enum fl_sync_end end)
{
    static const char *const names[FL_SYNC_COUNT] = {[FL_SYNC_NOT_HANDLED] = "not-handled",
                                                     [FL_SYNC_HANDLED] = "handled",
                                                     [FL_SYNC_BUG] = "bug",
                                                     [FL_SYNC_WILD] = "wild"};

    return (unsigned)end < FL_SYNC_COUNT ? names[end] : "unknown";
}
