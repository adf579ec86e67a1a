/* SPDX-License-Identifier: MIT */
/*
 * The comparer of synchronisations, in faults and alone: each field of the expectation fires for its own seeded difference,
 * with the key that is written here, and for nothing else.
 */
#include "answer.h"

#include <faultline/oracle/sync.h>

enum { SLOT = ANSWER_ROOT + (int)(VMALLOC >> 39 & 511) * 8 };

FAULT(read_ok, (void)0)
FAULT(kernel_addr, s->cr2 = IN_KERNEL)
FAULT(copied, answer_vmalloc(a))
FAULT(absent, answer_vmalloc(a), a->ram[0x5000 / 8] = 0)
FAULT(wild, answer_vmalloc(a), a->ram[0x4000 / 8] = 0x7f000063)
FAULT(in_nmi, answer_vmalloc(a), s->task.in_nmi = s->task.in_atomic = true)
FAULT(in_nmi_2016, in_nmi(a), s->kernel.generation = FL_GEN_2016)
FAULT(bug_2008, answer_vmalloc(a), s->kernel.generation = FL_GEN_2008_64, a->ram[SLOT / 8] = 0x9063)
FAULT(plain_2014, answer_vmalloc(a), s->kernel.generation = FL_GEN_2014_NATIVE)

#define OUT(action_) memset(o, 0, sizeof *o), o->action = action_

static void test_ends(void)
{
    SPOIL(copied, "sync/current-copy/handled/not-handled", OUT(FL_ACT_OOPS));
    SPOIL(copied, "sync/current-copy/handled/not-handled", OUT(FL_ACT_HANDLED));
    SPOIL(copied, "sync/current-copy/handled/bug", OUT(FL_ACT_BUG));
    SPOIL(copied, "sync/current-copy/handled/wild", OUT(FL_ACT_WILD));
    SPOIL(absent, "sync/current-reference-absent/not-handled/handled", OUT(FL_ACT_SYNCED));
    SPOIL(absent, "sync/current-reference-absent/not-handled/bug", OUT(FL_ACT_BUG));
    SPOIL(wild, "sync/current-reference-wild/wild/not-handled", OUT(FL_ACT_OOPS));
    SPOIL(bug_2008, "sync/64-slot-differs/bug/handled", OUT(FL_ACT_SYNCED));
    SPOIL(bug_2008, "sync/64-slot-differs/bug/not-handled", OUT(FL_ACT_OOPS));
    /* No synchronisation refused it, so what else it came to is another question. */
    SPOIL(absent, "decision/kernel-oops/oops/ignored", OUT(FL_ACT_IGNORED));
    SPOIL(read_ok, "sync/not-tried/not-tried/handled", OUT(FL_ACT_SYNCED));
    SPOIL(kernel_addr, "sync/not-tried/not-tried/handled", OUT(FL_ACT_SYNCED));
    SPOIL(kernel_addr, "sync/not-tried/not-tried/bug", OUT(FL_ACT_BUG));
    SPOIL(kernel_addr, "sync/not-tried/not-tried/wild", OUT(FL_ACT_WILD));
}

static void test_writes(void)
{
    SPOIL(copied, "sync/current-copy/written/not-written", f->writes = 0);
    SPOIL(copied, "sync/current-copy/not-written/written", f->writes = 2);
    SPOIL(copied, "sync/current-copy/not-written/written", f->writes = FL_EFFECTS_WRITES + 1);
    SPOIL(copied, "sync/current-copy/entry/entry-other", f->write[0].paddr += 8);
    SPOIL(copied, "sync/current-copy/value/value-other", f->write[0].value ^= 2);
    SPOIL(copied, "sync/current-copy/size/size-other", f->write[0].size = 4);
    SPOIL(copied, "sync/current-copy/pgd-hook/plain", f->write[0].how = FL_SET_PLAIN);
    SPOIL(copied, "sync/current-copy/pgd-hook/pmd-hook", f->write[0].how = FL_SET_PMD);
    SPOIL(copied, "sync/current-copy/pgd-hook/unknown", f->write[0].how = 9);
    SPOIL(plain_2014, "sync/2014-copy/plain/pgd-hook", f->write[0].how = FL_SET_PGD);
    SPOIL(copied, "sync/current-copy/flushed/not-flushed", f->flushes = 0);
    SPOIL(copied, "sync/current-copy/flushed/flushed-again", f->flushes = 2);
    SPOIL(copied, "sync/current-copy/flushed-last/flushed-early", f->flushed_writes = 0);
    SPOIL(in_nmi_2016, "sync/64-copied/flushed-last/flushed-early", f->flushed_writes = 0);
    SPOIL(plain_2014, "sync/2014-copy/not-flushed/flushed", f->flushes = 1);
    HARMLESS(plain_2014, f->flushed_writes = 7); /* never flushed */
    SPOIL(absent, "sync/current-reference-absent/not-written/written", f->writes = 1);
    SPOIL(absent, "sync/current-reference-absent/not-flushed/flushed", f->flushes = 1);
    SPOIL(kernel_addr, "sync/not-tried/not-written/written", f->writes = 1);
    SPOIL(read_ok, "sync/not-tried/not-written/written", f->writes = 1);
    SPOIL(read_ok, "sync/not-tried/not-flushed/flushed", f->flushes = 1);
    SPOIL(read_ok, "sync/not-tried/silent/warned", f->warns = 1);
    HARMLESS(absent, f->write[0].paddr = 8); /* not one that counts */
}

/* It may have interrupted anything. */
static void test_quiet(void)
{
    SPOIL(in_nmi, "sync/current-copy/silent/warned", f->warns = 1);
    SPOIL(in_nmi_2016, "sync/64-copied/warned/silent", f->warns = 0);
    SPOIL(in_nmi_2016, "sync/64-copied/warned/warned-again", f->warns = 2);
    SPOIL(in_nmi, "sync/current-copy/silent/logged", f->nlog = 4);
    SPOIL(in_nmi, "sync/current-copy/lock-free/lock-asked", f->lock_asks = 1); /* and refused */
    SPOIL(copied, "sync/current-copy/lock-free/lock-asked", f->lock_asks = f->lock_gets = f->lock_drops = 1);
}

/* ---- alone ---- */

static void expect_sync(const struct fl_sync_expected *want, enum fl_sync_end got, const struct fl_effects *e,
                        const char *key)
{
    struct fl_divergence d;
    d.detail[0] = '\0';
    bool differs = fl_compare_sync(want, got, e, &d);
    CHECK_EQ(differs, key != NULL, "%s: %s", key ? key : "nothing differs", d.detail);
    if (differs && key)
        expect_key(&d, key, "alone");
}

static void test_alone(void)
{
    static struct answer a;
    answer_make(&a, copied);
    struct fl_sync_expected want;
    CHECK_EQ(fl_sync_decide(&a.s, &want), FL_OK, "decide");
    struct fl_effects right = {.calls = 7, .reads = 5, .writes = 1, .flushes = 1, .flushed_writes = 1}, e = right;
    right.write[0] = want.write[0];

    e = right;
    expect_sync(&want, FL_SYNC_HANDLED, &e, NULL);
    expect_sync(&want, FL_SYNC_NOT_HANDLED, &e, "sync/current-copy/handled/not-handled");
    expect_sync(&want, FL_SYNC_BUG, &e, "sync/current-copy/handled/bug");
    expect_sync(&want, FL_SYNC_WILD, &e, "sync/current-copy/handled/wild");
    expect_sync(&want, FL_SYNC_COUNT, &e, "sync/current-copy/handled/unknown");
    e.calls++;
    expect_sync(&want, FL_SYNC_HANDLED, &e, "contract/sync/tables-only/other-op");
    e = right;
    e.write[0].value = 0;
    expect_sync(&want, FL_SYNC_HANDLED, &e, "sync/current-copy/value/value-other");
    e = right;
    e.calls--;
    e.flushes = 0;
    expect_sync(&want, FL_SYNC_HANDLED, &e, "sync/current-copy/flushed/not-flushed");
    e = right;
    e.flushed_writes = 0;
    expect_sync(&want, FL_SYNC_HANDLED, &e, "sync/current-copy/flushed-last/flushed-early");
    e = right;
    e.calls++;
    e.warns = 1;
    expect_sync(&want, FL_SYNC_HANDLED, &e, "sync/current-copy/silent/warned");

    /* Two writes, in order. */
    want.nwrites = 2;
    want.write[1] = (struct fl_entry_write){.paddr = 0x1008, .value = 1, .size = 8, .how = FL_SET_PGD};
    e = right;
    e.calls++;
    e.writes = e.flushed_writes = 2;
    e.write[1] = want.write[1];
    expect_sync(&want, FL_SYNC_HANDLED, &e, NULL);
    e.flushed_writes = 1; /* between them */
    expect_sync(&want, FL_SYNC_HANDLED, &e, "sync/current-copy/flushed-last/flushed-early");
    e.write[0] = want.write[1];
    e.write[1] = want.write[0];
    expect_sync(&want, FL_SYNC_HANDLED, &e, "sync/current-copy/entry/entry-other");
    expect_sync(&want, FL_SYNC_HANDLED, &right, "sync/current-copy/written/not-written");

    want.row = UINT16_MAX;
    expect_sync(&want, FL_SYNC_BUG, &right, "sync/no-row/handled/bug");
}

int main(void)
{
    test_ends();
    test_writes();
    test_quiet();
    test_alone();
    return check_done("policy compare sync");
}
