/* SPDX-License-Identifier: MIT */
/*
 * SYNCALL events: the core's sync_all against the oracle's image of what every table should hold afterwards, and sync
 * equality.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Entries of the level that each table has of its own: PAE with own page directories has the most, three of 512 entries
 * for the reference and each table of the list. */
#define MAX_ENTRIES ((FL_MAX_PGDS + 1) * 3u * 512u)

struct fl_sync_image {
    unsigned nbefore;
    struct {
        uint64_t paddr, value;
    } before[MAX_ENTRIES];
    unsigned nwrites;
    struct fl_entry_write write[MAX_ENTRIES];
    unsigned changed;
    bool tangled; /* the writes go to entries that are more than one thing */
    bool full;
};

static void note_before(void *ctx, unsigned pgd, uint64_t paddr, uint64_t value)
{
    struct fl_sync_image *image = ctx;

    (void)pgd;
    if (image->nbefore == MAX_ENTRIES) {
        image->full = true;
        return;
    }
    image->before[image->nbefore].paddr = paddr;
    image->before[image->nbefore++].value = value;
}

static void note_write(void *ctx, const struct fl_entry_write *write)
{
    struct fl_sync_image *image = ctx;

    if (image->nwrites == MAX_ENTRIES)
        image->full = true;
    else
        image->write[image->nwrites++] = *write;
}

static enum fl_event_end compare_contract(struct fl_judge *j)
{
    const struct fl_effects *e = fl_world_effects(j->world);
    bool irqsave = fl_world_kernel(j->world)->generation == FL_GEN_2008_32;
    const char *wrong = e->pgd_missing                 ? "list-without-lock"
                        : e->pgd_held                  ? "held-at-exit"
                        : e->pgd_gets != e->pgd_drops  ? "unbalanced"
                        : e->lock_asks != 0 || e->nlog ? "other-op"
                        : e->pgd_gets == 0             ? NULL
                        : e->pgd_irqsave && !irqsave   ? "irqs-off"
                        : !e->pgd_irqsave && irqsave   ? "irqs-on"
                                                       : NULL;

    j->stats->compared[FL_CHECK_LOCK]++;
    if (!wrong)
        return FL_EVENT_GOES_ON;
    return fl_judge_diverge(j, FL_CHECK_LOCK, "pgd-lock", "right", wrong,
                            "sync_all took the lock over the page tables %u times, gave it back %u times, with "
                            "interrupts %s (zoo vsync-pgd-lock-irq)",
                            e->pgd_gets, e->pgd_drops, e->pgd_irqsave ? "off" : "as they were");
}

/* How often paddr stands among the entries that are gone through: an ENTRY record may have made two page directories one,
 * or one malformed, which is not gone through then. */
static unsigned watched(const struct fl_sync_image *image, uint64_t paddr)
{
    unsigned n = 0;

    for (unsigned i = 0; i < image->nbefore; i++)
        n += image->before[i].paddr == paddr;
    return n;
}

/* How many of those entries hold something else now: by their places, since the tables may lead elsewhere by now. */
static unsigned count_changed(struct fl_judge *j, const struct fl_sync_image *image)
{
    unsigned size = fl_world_cpu(j->world)->mode == FL_MODE_2LEVEL ? 4 : 8, n = 0;
    uint64_t now;

    for (unsigned i = 0; i < image->nbefore; i++)
        n += fl_world_read(j->world, image->before[i].paddr, size, &now) && now != image->before[i].value;
    return n;
}

/* PAE: do two PDPTEs of the kernel half, of one table or of two, name the same page directory? (SDM vol. 3A, table 4-8.)
 * Present or not: the generations of old follow those of the tables in the list untested. */
static bool directories_shared(struct fl_judge *j, const struct fl_sync_all *all)
{
    uint64_t seen[(FL_MAX_PGDS + 1) * 4];
    unsigned n = 0;

    if (all->cpu.mode != FL_MODE_PAE || all->kernel.shared_kernel_pmd)
        return false;
    for (unsigned pgd = 0; pgd <= all->npgds; pgd++)
        for (unsigned i = (unsigned)(all->kernel.task_size >> 30); i < 4; i++) {
            uint64_t root = (pgd < all->npgds ? all->pgd[pgd] : all->kernel.init_root) & 0xffffffe0, pdpte;

            if (!fl_world_read(j->world, root + 8 * i, 8, &pdpte) || (pgd == all->npgds && !(pdpte & 1)))
                continue;
            pdpte &= UINT64_C(0x000ffffffffff000);
            for (unsigned k = 0; k < n; k++)
                if (seen[k] == pdpte)
                    return true;
            seen[n++] = pdpte;
        }
    return false;
}

/* Does a write go to an entry that two tables have, or to a PDPTE? Then what is written changes what is still to be
 * copied, or where: tables cannot all be equal afterwards, and with queued writes it depends on when each is carried
 * out. */
static bool tangled(const struct fl_sync_all *all, const struct fl_sync_image *image)
{
    for (unsigned i = 0; i < image->nwrites; i++) {
        uint64_t at = image->write[i].paddr;

        if (watched(image, at) > 1)
            return true;
        if (all->cpu.mode != FL_MODE_PAE)
            continue;
        for (unsigned pgd = 0; pgd <= all->npgds; pgd++) {
            uint64_t root = (pgd < all->npgds ? all->pgd[pgd] : all->kernel.init_root) & 0xffffffe0; /* SDM 4.4.1 */

            if (at >= root && at < root + 32)
                return true;
        }
    }
    return false;
}

/* That write is one of the image, by the right hook? */
static bool in_image(const struct fl_sync_image *image, const struct fl_entry_write *w)
{
    for (unsigned i = 0; i < image->nwrites; i++)
        if (image->write[i].paddr == w->paddr && image->write[i].value == w->value && image->write[i].how == w->how &&
            image->write[i].size == w->size)
            return true;
    return false;
}

/* How the tables came to be as they are: which writes were made, through which hooks, and when they were flushed. */
static enum fl_event_end compare_writes(struct fl_judge *j, const struct fl_sync_image *image, enum fl_sync_end end)
{
    const struct fl_effects *e = fl_world_effects(j->world);
    enum fl_generation generation = (enum fl_generation)fl_world_kernel(j->world)->generation;
    unsigned flushes = generation == FL_GEN_2008_32                             ? e->writes
                       : generation == FL_GEN_CURRENT && end == FL_SYNC_HANDLED ? e->writes != 0
                                                                                : 0;

    if (e->writes != image->nwrites)
        return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "writes-expected", "writes-other",
                                "sync_all of generation %s wrote %u entries, expected %u",
                                fl_generation_name(generation), e->writes, image->nwrites);
    for (unsigned i = 0; i < e->writes && i < FL_EFFECTS_WRITES; i++)
        if (!in_image(image, &e->write[i]))
            return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "write-expected", "write-other",
                                    "sync_all of generation %s wrote %#" PRIx64 " to the entry at %#" PRIx64
                                    " (%u bytes, hook %u)",
                                    fl_generation_name(generation), e->write[i].value, e->write[i].paddr,
                                    e->write[i].size, e->write[i].how);
    if (e->flushes != flushes)
        return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "flushes-expected", "flushes-other",
                                "sync_all of generation %s flushed %u times after %u writes, expected %u",
                                fl_generation_name(generation), e->flushes, e->writes, flushes);
    if (e->flushes && e->flushed_writes != e->writes)
        return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "flushed-last", "flushed-early",
                                "sync_all of generation %s flushed when %u of its %u writes had been made",
                                fl_generation_name(generation), e->flushed_writes, e->writes);
    return FL_EVENT_GOES_ON;
}

static enum fl_event_end compare_image(struct fl_judge *j, const struct fl_sync_image *image)
{
    unsigned expected = 0;

    for (unsigned i = 0; i < image->nwrites; i++) {
        const struct fl_entry_write *w = &image->write[i];
        uint64_t value = 0;

        if (!fl_world_read(j->world, w->paddr, w->size, &value) || value != w->value)
            return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "entry-written", "entry-other",
                                    "after sync_all of generation %s the entry at %#" PRIx64 " is %#" PRIx64
                                    ", expected %#" PRIx64,
                                    fl_generation_name((enum fl_generation)fl_world_kernel(j->world)->generation),
                                    w->paddr, value, w->value);
        expected += watched(image, w->paddr);
    }
    if (image->changed == expected)
        return FL_EVENT_GOES_ON;
    return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "changes-expected", "changes-other",
                            "sync_all of generation %s changed %u entries of the kernel half, expected %u",
                            fl_generation_name((enum fl_generation)fl_world_kernel(j->world)->generation),
                            image->changed, expected);
}

enum fl_event_end fl_judge_syncall(struct fl_judge *j)
{
    struct fl_sync_state *state = fl_world_sync_state(j->world), expected = *state;
    enum fl_sync_end want = FL_SYNC_COUNT, got = FL_SYNC_COUNT;
    struct fl_sync_image *image = j->image;
    struct fl_sync_all all;
    enum fl_event_end end;
    enum fl_status status;
    uint64_t addr = 0;
    unsigned pgd = 0;

    if (fl_world_sh4(j->world)) {
        j->stats->unsupported++;
        return FL_EVENT_GOES_ON;
    }
    image->nbefore = image->nwrites = image->changed = 0;
    image->full = false;
    fl_world_sync_all(j->world, &all);
    fl_world_kernel_entries(j->world, note_before, image);
    image->tangled = directories_shared(j, &all);
    if (fl_sync_all_decide(&all, &expected.start, expected.insync, note_write, image, &want) != FL_OK || image->full)
        return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "answers", "refused",
                                "the oracle has no answer for sync-all: a fault of the harness");
    status = j->core->sync_all(&all.cpu, &all.kernel, state, fl_world_ops(), j->world, &got);
    if (fl_judge_no_generation(j, status))
        return FL_EVENT_TRACE_ENDS;
    if (status != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "ok", "status", "core->sync_all refused");
    fl_world_flush(j->world);
    image->changed = count_changed(j, image);
    j->all_handled = false; /* the run with everything mapped has no kernel half of its own */
    image->tangled |= tangled(&all, image);
    if (image->tangled) { /* only what holds whatever is written */
        end = compare_contract(j);
        if (end != FL_EVENT_GOES_ON)
            return end;
        fl_judge_say(j, "sync-all: %s; tables in each other's way, not compared", fl_sync_end_name(got));
        fl_judge_ended(j, fl_sync_end_name(got));
        return FL_EVENT_TRACE_ENDS;
    }
    j->stats->compared[FL_CHECK_SYNC]++;
    if (want != got)
        return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", fl_sync_end_name(want), fl_sync_end_name(got),
                                "sync_all of generation %s",
                                fl_generation_name((enum fl_generation)all.kernel.generation));
    end = compare_contract(j);
    if (end == FL_EVENT_GOES_ON)
        end = compare_image(j, image);
    if (end == FL_EVENT_GOES_ON)
        end = compare_writes(j, image, got);
    if (end != FL_EVENT_GOES_ON)
        return end;
    if (memcmp(state, &expected, sizeof expected) != 0)
        return fl_judge_diverge(j, FL_CHECK_SYNC, "sync-all", "state-expected", "state-other",
                                "sync_all of generation %s remembers start %#" PRIx64 ", expected %#" PRIx64,
                                fl_generation_name((enum fl_generation)all.kernel.generation), state->start,
                                expected.start);
    fl_world_sync_all(j->world, &all);
    if (all.kernel.generation == FL_GEN_CURRENT && got == FL_SYNC_HANDLED &&
        !(all.cpu.mode == FL_MODE_PAE && all.kernel.shared_kernel_pmd) &&
        fl_sync_unequal(&all, &pgd, &addr, &j->stats->compared[FL_CHECK_SYNC]))
        return fl_judge_diverge(j, FL_CHECK_SYNC, "equality", "equal", "differs",
                                "after sync_all table %u of the list differs from the reference at %#" PRIx64, pgd,
                                addr);
    fl_judge_say(j, "sync-all: %s, %u entries changed, as expected", fl_sync_end_name(got), image->changed);
    fl_judge_ended(j, fl_sync_end_name(got));
    return got == FL_SYNC_HANDLED ? FL_EVENT_GOES_ON : FL_EVENT_TRACE_ENDS;
}

bool fl_judge_image_open(struct fl_judge *j)
{
    j->image = malloc(sizeof *j->image);
    return j->image != NULL;
}
