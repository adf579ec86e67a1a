/* SPDX-License-Identifier: MIT */
/*
 * The rules of pinning, one by one: a call that keeps all of them, changed in one fact. Each row says which rule it is
 * about and the key that must follow; no key: the rule is kept. Every rule of fl_pin_rules() has rows of both kinds.
 */
#include "call.h"

/* ---- one fact -------------------------------------------------------------------------------------------------------- */

typedef void change(struct made *m);

#define DO(name, ...)                                                                                                  \
    static void name(struct made *m)                                                                                   \
    {                                                                                                                  \
        __VA_ARGS__;                                                                                                   \
    }
#define SEE(name, ...) DO(name, EVERYWHERE(m, 0, __VA_ARGS__))

DO(nothing, (void)m)
DO(op_broken, m->s.broken = "vma-find-without-the-mm-lock")
DO(op_broken_ptl, m->s.broken = "ptl-unlock-not-held")
DO(op_broken_mm, m->s.broken = "mm-lock-held-already")
DO(op_broken_irq, m->s.broken = "irq-save-off-already")
DO(op_broken_page, m->s.broken = "page-unlock-not-held")
DO(op_broken_trylock, m->s.broken = "page-trylock-holds-one-already")
DO(op_broken_mlock, m->s.broken = "page-mlock-without-the-page's-lock")
DO(ptl_left, m->s.ptl_held = true)
DO(irqs_left, m->s.irq_off = true)
DO(page_left, m->s.page_locked = true)
DO(mm_given_back, m->s.mm_held = m->s.out.lock_held = false)
DO(mm_dropped, m->s.mm_held = m->s.out.lock_held = false; m->s.lock_dropped = true)
DO(says_dropped, m->s.out.lock_held = false)
DO(says_held, m->s.out.lock_held = true)
DO(mm_lost, m->s.mm_held = false)
DO(mm_kept, m->s.mm_held = true)
DO(retaken, m->s.lock_retaken = m->s.out.relocked = true)
DO(retaken_untold, m->s.lock_retaken = true)
DO(says_retaken, m->s.out.relocked = true)
DO(endless, m->s.endless = true)
DO(two_after_fatal, m->s.after_fatal = 2)
DO(no_signal, m->s.fatal = false; m->s.after_fatal = 2)
DO(fast_after_fatal, m->s.fatal = true; m->s.after_fatal = 2)
DO(huge_after_fatal, m->s.after_fatal = 2; EVERYWHERE(m, 0, v->leaf_level = 2))
DO(huge_unmapped_after_fatal, m->s.after_fatal = 2; EVERYWHERE(m, 1, v->leaf_level = 2; v->mapped = false); m->c.n = 1)
DO(huge_beyond_after_fatal, m->s.after_fatal = 2; EVERYWHERE(m, 2, v->leaf_level = 2))
DO(huge_later_after_fatal, m->s.after_fatal = 2; m->v[2][0].leaf_level = 2)
DO(one_too_many, m->s.out.pages = m->s.out.pages + 1)
DO(none_asked_for, m->c.n = 0)
DO(negative, m->c.n = -1)
DO(no_reference, m->s.refs[1] = 0)
DO(two_references, m->s.refs[1] = 2)
DO(no_tail, m->s.tail_refs[0] = -1)
DO(two_tails, m->s.tail_refs[0] = 1)
DO(no_reference_beyond, m->s.refs[2] = 0)
DO(not_counted, m->s.refs[1] = 0; m->c.flags &= ~(unsigned)FL_FOLL_GET)
DO(last_page_unreferenced, m->c.n = m->s.out.pages = 64; m->s.refs[FL_PIN_PAGES - 1] = 0)
DO(many_pages, m->c.n = m->s.out.pages = 64)
DO(elsewhere_one, m->s.other_refs = 1)
DO(elsewhere_less, m->s.other_refs = -1)
DO(dead, m->s.freed_in_use = true)
DO(other_frame, m->s.pfn[1] = 999)
DO(other_frame_lost, m->s.pfn[1] = 999; m->s.lost_instants = true)
DO(other_frame_uncounted, m->s.pfn[1] = 999; m->c.pages = false)
DO(neighbours_frame, m->s.pfn[1] = FRAME)
DO(never_mapped, EVERYWHERE(m, 1, v->mapped = false))
DO(mapped_once, m->v[0][1].mapped = false)
DO(mapped_too_late, m->v[0][1].mapped = m->v[1][1].mapped = false) /* the third view is not of this call */
SEE(no_area, v->has_vma = false)
SEE(io, v->vma.io = true)
SEE(pfnmap, v->vma.pfnmap = true)
SEE(area_ro, v->vma.write = false)
SEE(area_wo, v->vma.read = false)
SEE(area_never_written, v->vma.may_write = false)
SEE(area_never_read, v->vma.read = v->vma.may_read = false)
SEE(area_shared, v->vma.shared = true)
DO(ro_once, m->v[0][0].vma.write = false)
DO(write_gate, m->c.flags |= FL_FOLL_WRITE; EVERYWHERE(m, 0, made_table(v, true, true)))
DO(key_denies_all, m->c.cpu.pkru = 1u << 6)
DO(key_denies_writes, m->c.cpu.pkru = 2u << 6)
DO(other_key_denies, m->c.cpu.pkru = 3u << 4 | 3u << 8)
DO(key_denies_remote, m->c.cpu.pkru = 1u << 6; m->c.remote = true)
DO(key_of_gate, m->c.cpu.pkru = 1u << 6; m->c.flags &= ~(unsigned)FL_FOLL_WRITE; EVERYWHERE(m, 0, v->vma.gate = true);
   EVERYWHERE(m, 1, v->vma.gate = true))
DO(key_off, m->c.cpu.pkru = 1u << 6; m->c.cpu.cr4 = 0)
DO(key_pae, m->c.cpu.pkru = 1u << 6; m->c.cpu.mode = FL_MODE_PAE)
DO(key_5level, m->c.cpu.pkru = 1u << 6; m->c.cpu.mode = FL_MODE_5LEVEL)
SEE(table_denies_write, made_table(v, true, false))
SEE(table_denies_all, made_table(v, false, false))
SEE(table_denies_forced, v->exclusive = false)
DO(bug, m->s.out.error = FL_PIN_BUG; m->s.out.pages = 0)
DO(bug_of_hostile_answers, m->s.out.error = FL_PIN_BUG; m->s.out.pages = 0; m->c.hostile = true)
DO(more_than_asked, m->s.out.pages = (uint64_t)m->c.n + 1)
DO(more_than_none, m->c.n = -1; m->s.out.pages = 1)
SEE(leaf_writable, v->leaf_write = true; v->exclusive = false; v->vma.shared = v->vma.write = true)
DO(denied_once, made_table(&m->v[0][0], false, false))
SEE(no_page, v->page_valid = false)
SEE(special, v->special = true)
SEE(special_zero, v->special = v->zero = true)
SEE(zero, v->zero = true; v->anon = v->exclusive = false)
SEE(of_file, v->anon = v->exclusive = false)
SEE(forked, v->exclusive = false)
DO(forked_once, m->v[0][0].exclusive = false)
DO(forked_until_unmapped, m->v[0][0].exclusive = false; m->v[1][0].mapped = false)
DO(forked_without_get, EVERYWHERE(m, 0, v->exclusive = false); m->c.flags &= ~(unsigned)FL_FOLL_GET)
SEE(hugetlb_in_cache, v->anon = v->exclusive = false; v->vma.huge_shift = 21)
DO(reused, EVERYWHERE(m, 1, v->life = 1); m->s.life[1] = 2)
DO(reused_in_between, m->v[0][1].life = 1; m->v[1][1].life = m->s.life[1] = 2)
DO(reused_uncounted, EVERYWHERE(m, 1, v->life = 1); m->s.life[1] = 2; m->c.flags &= ~(unsigned)FL_FOLL_GET)
DO(not_served, m->s.served = false)
DO(not_served_refused, m->s.served = false; m->s.out.error = FL_PIN_EBUSY)
DO(one_page_less, m->s.out.pages = 1)
DO(one_page_less_without_memory, m->s.out.pages = 1; m->s.oom = true)
DO(one_page_less_raced, m->s.out.pages = 1; m->c.quiet = false)
DO(faults_counted, m->s.faults[FL_MM_MINOR] = 2; m->s.faults[FL_MM_RETRY_MAJOR] = 1; m->s.faults[FL_MM_OOM] = 1;
   m->s.accounted[0] = 2; m->s.accounted[1] = 1)
DO(fault_uncounted, m->s.faults[FL_MM_RETRY] = 1)
DO(fault_counted_twice, m->s.faults[FL_MM_MINOR] = 1; m->s.accounted[0] = 2)
DO(no_fault_counted, m->s.accounted[1] = 1)
DO(failed_fault_counted, m->s.faults[FL_MM_SIGBUS] = 1; m->s.accounted[0] = 1)
DO(major_counted_minor, m->s.faults[FL_MM_MAJOR] = 1; m->s.accounted[0] = 1)
DO(tries_counted_once, m->s.faults[FL_MM_RETRY_MAJOR] = m->s.faults[FL_MM_RETRY] = 1; m->s.faults[FL_MM_MINOR] = 1;
   m->s.accounted[1] = 1)
DO(tries_counted_minor, m->s.faults[FL_MM_RETRY_MAJOR] = 1; m->s.faults[FL_MM_MINOR] = 1; m->s.accounted[0] = 1)
DO(tries_counted_each, m->s.faults[FL_MM_RETRY] = 1; m->s.faults[FL_MM_MINOR] = 1; m->s.accounted[0] = 2)
DO(tries_without_end, m->s.faults[FL_MM_RETRY] = 1; m->s.served = false; m->s.out.error = FL_PIN_EFAULT)
DO(no_instant, m->s.out.pages = 1; m->s.ninstants = 0; m->c.pages = false)

/* ---- the table -------------------------------------------------------------------------------------------------------- */

static const struct row {
    const char *rule, *key; /* NULL: kept */
    change *base, *fact;
    const char *name;
} rows[] = {
#define ROW(rule, base, fact, key)                                                                                     \
    {                                                                                                                  \
        rule, key, base, fact, #base " " #fact                                                                         \
    }
#define KEPT(rule, base, fact)                                                                                         \
    {                                                                                                                  \
        rule, NULL, base, fact, #base " " #fact                                                                        \
    }
    ROW("contract/pin-op", reads, op_broken, "kept/vma-find-without-the-mm-lock"),
    ROW("contract/pin-op", fast_writes, op_broken_irq, "kept/irq-save-off-already"),
    KEPT("contract/pin-op", hostile, op_broken),
    KEPT("contract/pin-op", hostile, op_broken_mlock),
    ROW("contract/pin-op", hostile, op_broken_ptl, "kept/ptl-unlock-not-held"),
    ROW("contract/pin-op", hostile, op_broken_mm, "kept/mm-lock-held-already"),
    ROW("contract/pin-op", hostile, op_broken_irq, "kept/irq-save-off-already"),
    ROW("contract/pin-op", hostile, op_broken_page, "kept/page-unlock-not-held"),
    ROW("contract/pin-op", hostile, op_broken_trylock, "kept/page-trylock-holds-one-already"),

    ROW("lock/pin-exit", reads, ptl_left, "free/ptl-held"),
    ROW("lock/pin-exit", fast_writes, irqs_left, "free/interrupts-off"),
    ROW("lock/pin-exit", reads, page_left, "free/page-locked"),
    ROW("lock/pin-exit", hostile, ptl_left, "free/ptl-held"),
    ROW("lock/pin-exit", hostile, irqs_left, "free/interrupts-off"),
    ROW("lock/pin-exit", hostile, page_left, "free/page-locked"),
    ROW("lock/pin-exit", reads, mm_given_back, "held/dropped"),
    KEPT("lock/pin-exit", reads, mm_dropped),
    KEPT("lock/pin-exit", hostile, mm_given_back),
    KEPT("lock/pin-exit", retried, nothing),
    KEPT("lock/pin-exit", fast_only, nothing),

    ROW("lock/pin-told", reads, says_dropped, "held/dropped"),
    ROW("lock/pin-told", hostile, says_dropped, "held/dropped"),
    ROW("lock/pin-told", reads, mm_lost, "dropped/held"),
    ROW("lock/pin-told", retried, says_held, "dropped/held"),
    ROW("lock/pin-told", retried, mm_kept, "held/dropped"),
    ROW("lock/pin-told", fast_writes, mm_kept, "held/dropped"),
    ROW("lock/pin-told", fast_writes, says_held, "dropped/held"),
    ROW("lock/pin-told", fixes, retaken_untold, "retaken/kept"),
    ROW("lock/pin-told", fixes, says_retaken, "kept/retaken"),
    ROW("lock/pin-told", hostile, says_retaken, "kept/retaken"),
    KEPT("lock/pin-told", fixes, retaken),
    KEPT("lock/pin-told", fast_writes, retaken), /* nothing is told of a lock that the caller does not hold */
    KEPT("lock/pin-told", retried, nothing),
    KEPT("lock/pin-told", dumps, nothing),

    ROW("progress/pin", reads, endless, "ends/endless"),
    ROW("progress/pin", hostile, endless, "ends/endless"),
    KEPT("progress/pin", reads, nothing),
    ROW("progress/fatal-signal", killed, two_after_fatal, "ends/goes-on"),
    ROW("progress/fatal-signal", killed, huge_unmapped_after_fatal, "ends/goes-on"),
    ROW("progress/fatal-signal", killed, huge_beyond_after_fatal, "ends/goes-on"),
    ROW("progress/fatal-signal", killed, huge_later_after_fatal, "ends/goes-on"),
    KEPT("progress/fatal-signal", killed, nothing),
    KEPT("progress/fatal-signal", killed, no_signal),
    KEPT("progress/fatal-signal", killed, huge_after_fatal),
    KEPT("progress/fatal-signal", fast_writes, fast_after_fatal),
    KEPT("progress/fatal-signal", hostile, fast_after_fatal),

    ROW("progress/bug", reads, bug, "none/bug"),
    KEPT("progress/bug", reads, bug_of_hostile_answers),
    ROW("pin/count", reads, more_than_asked, "asked-for/more"),
    ROW("pin/count", fast_only, more_than_none, "asked-for/more"),
    KEPT("pin/count", quiet, one_page_less_raced),

    ROW("pin/count", reads, one_too_many, "asked-for/more"),
    ROW("pin/count", fast_only, none_asked_for, "asked-for/more"),
    ROW("pin/count", fast_writes, negative, "asked-for/more"),
    KEPT("pin/count", reads, nothing),
    KEPT("pin/count", retried, none_asked_for),

    ROW("pin/reference", reads, no_reference, "one/too-few"),
    ROW("pin/reference", writes, two_references, "one/too-many"),
    ROW("pin/reference", writes, no_tail, "one/too-few"),
    ROW("pin/reference", fast_writes, two_tails, "one/too-many"),
    ROW("pin/reference", reads, last_page_unreferenced, "one/too-few"),
    KEPT("pin/reference", reads, many_pages),
    KEPT("pin/reference", reads, no_reference_beyond),
    KEPT("pin/reference", reads, not_counted),
    KEPT("pin/reference", hostile, no_reference),
    ROW("pin/elsewhere", reads, elsewhere_one, "none/left"),
    ROW("pin/elsewhere", fast_only, elsewhere_less, "none/left"),
    KEPT("pin/elsewhere", hostile, elsewhere_one),
    ROW("pin/alive", fast_writes, dead, "referenced/free"),
    KEPT("pin/alive", hostile, dead),

    ROW("pin/identity", reads, other_frame, "mapped/never-mapped"),
    ROW("pin/identity", fast_writes, other_frame, "mapped/never-mapped"),
    ROW("pin/identity", writes, neighbours_frame, "mapped/never-mapped"),
    ROW("pin/identity", writes, never_mapped, "mapped/never-mapped"),
    ROW("pin/identity", writes, mapped_too_late, "mapped/never-mapped"),
    ROW("pin/identity", writes, reused, "mapped/never-mapped"),
    KEPT("pin/identity", writes, reused_in_between),
    KEPT("pin/identity", writes, reused_uncounted),
    KEPT("pin/identity", writes, mapped_once),
    KEPT("pin/identity", comes_late, nothing),
    KEPT("pin/identity", reads, other_frame_lost),
    KEPT("pin/identity", reads, other_frame_uncounted),
    KEPT("pin/identity", hostile, other_frame),

    ROW("perm/area", reads, no_area, "refused/pinned"),
    ROW("perm/area", fast_writes, no_area, "refused/pinned"),
    ROW("perm/area", writes, io, "refused/pinned"),
    ROW("perm/area", dumps, io, "refused/pinned"),
    ROW("perm/area", forces, pfnmap, "refused/pinned"),
    ROW("perm/area", writes, area_ro, "refused/pinned"),
    ROW("perm/area", shares, area_ro, "refused/pinned"),
    ROW("perm/area", reads, area_wo, "refused/pinned"),
    ROW("perm/area", reads_file, area_never_read, "refused/pinned"),
    ROW("perm/area", forces, area_never_written, "refused/pinned"),
    ROW("perm/area", forces, area_shared, "refused/pinned"),
    ROW("perm/area", dumps, area_never_read, "refused/pinned"),
    ROW("perm/area", reads_gate, write_gate, "refused/pinned"),
    KEPT("perm/area", reads_gate, nothing),
    KEPT("perm/area", forces, nothing),
    KEPT("perm/area", dumps, area_wo),
    KEPT("perm/area", writes, area_wo),
    KEPT("perm/area", reads, area_ro),
    KEPT("perm/area", writes, ro_once),
    KEPT("perm/area", fast_writes, area_ro),
    KEPT("perm/area", follows, area_wo),

    ROW("perm/key", keyed, key_denies_all, "refused/pinned"),
    ROW("perm/key", keyed, key_denies_writes, "refused/pinned"),
    ROW("perm/key", keyed, key_5level, "refused/pinned"),
    ROW("perm/key", keyed_read, key_denies_all, "refused/pinned"),
    KEPT("perm/key", keyed_read, key_of_gate),
    KEPT("perm/key", keyed, nothing),
    KEPT("perm/key", keyed_read, key_denies_writes),
    KEPT("perm/key", keyed, other_key_denies),
    KEPT("perm/key", keyed, key_denies_remote),
    KEPT("perm/key", keyed, key_off),
    KEPT("perm/key", keyed, key_pae),

    ROW("perm/table", writes, table_denies_write, "refused/pinned"),
    ROW("perm/table", fast_writes, table_denies_write, "refused/pinned"),
    ROW("perm/table", shares, table_denies_write, "refused/pinned"),
    ROW("perm/table", reads, table_denies_all, "refused/pinned"),
    ROW("perm/table", fast_only, table_denies_all, "refused/pinned"),
    KEPT("perm/table", reads, table_denies_write),
    KEPT("perm/table", dumps, table_denies_all),
    KEPT("perm/table", forces, table_denies_all),
    KEPT("perm/table", forces, leaf_writable),
    KEPT("perm/table", writes, denied_once),

    ROW("perm/special", reads, no_page, "refused/pinned"),
    ROW("perm/special", fast_writes, no_page, "refused/pinned"),
    ROW("perm/special", follows, no_page, "refused/pinned"),
    ROW("perm/special", writes, special, "refused/pinned"),
    ROW("perm/special", reads_gate, special, "refused/pinned"),
    KEPT("perm/special", dumps, special_zero),
    KEPT("perm/special", reads_file, special_zero),

    ROW("cow/write-pin", forces, table_denies_forced, "own-page/forked-page"),
    ROW("cow/write-pin", writes, of_file, "own-page/file-page"),
    ROW("cow/write-pin", writes, zero, "own-page/zero-page"),
    ROW("cow/write-pin", writes, forked, "own-page/forked-page"),
    ROW("cow/write-pin", fast_writes, of_file, "own-page/file-page"),
    ROW("cow/write-pin", follows_to_write, of_file, "own-page/file-page"),
    ROW("cow/write-pin", fast_writes, hugetlb_in_cache, "own-page/file-page"),
    KEPT("cow/write-pin", shares, nothing),
    KEPT("cow/write-pin", follows_to_write, nothing),
    KEPT("cow/write-pin", writes, forked_once),

    ROW("cow/read-pin", reads, of_file, "own-page/file-page"),
    ROW("cow/read-pin", reads, zero, "own-page/zero-page"),
    ROW("cow/read-pin", reads, forked, "own-page/forked-page"),
    ROW("cow/read-pin", reads, forked_until_unmapped, "own-page/forked-page"),
    ROW("cow/read-pin", fast_only, forked, "own-page/forked-page"),
    KEPT("cow/read-pin", reads, forked_once),
    KEPT("cow/read-pin", reads, forked_without_get),
    KEPT("cow/read-pin", dumps, forked),
    KEPT("cow/read-pin", follows, forked),
    KEPT("cow/read-pin", reads_file, nothing),
    KEPT("cow/read-pin", shares, nothing),
    KEPT("cow/read-pin", reads_gate, nothing),

    ROW("decision/pin", quiet, one_page_less, "pinned/fewer"),
    ROW("decision/pin", fixes, not_served, "nothing/pinned"),
    KEPT("decision/pin", fixes, not_served_refused),
    KEPT("decision/pin", quiet, nothing),
    KEPT("decision/pin", quiet, one_page_less_without_memory),
    KEPT("decision/pin", quiet, one_page_less_raced),
    KEPT("decision/pin", quiet, no_instant),

    ROW("decision/pin-accounted", reads, fault_uncounted, "each-once/fewer"),
    ROW("decision/pin-accounted", reads, fault_counted_twice, "each-once/more"),
    ROW("decision/pin-accounted", fast_writes, no_fault_counted, "each-once/more"),
    ROW("decision/pin-accounted", reads, failed_fault_counted, "each-once/more"),
    ROW("decision/pin-accounted", reads, major_counted_minor, "each-once/other-kind"),
    ROW("decision/pin-accounted", fixes, tries_counted_minor, "each-once/other-kind"),
    ROW("decision/pin-accounted", fixes, tries_counted_each, "each-once/more"),
    KEPT("decision/pin-accounted", reads, faults_counted),
    KEPT("decision/pin-accounted", fixes, tries_counted_once),
    KEPT("decision/pin-accounted", fixes, tries_without_end),
    KEPT("decision/pin-accounted", hostile, fault_uncounted),
};
#define NROWS (sizeof rows / sizeof rows[0])

static void test_rows(void)
{
    static struct made m;

    for (size_t i = 0; i < NROWS; i++) {
        const struct row *r = &rows[i];
        char key[160] = "";

        r->base(&m);
        CHECK(!strcmp(judged(&m), ""), "%s: the call itself breaks %s", r->name, judged(&m));
        r->fact(&m);
        if (r->key)
            snprintf(key, sizeof key, "%s/%s", r->rule, r->key);
        CHECK(!strcmp(judged(&m), key), "%s: %s, expected %s", r->name, judged(&m), key);
    }
}

/* What follows from a broken rule is no second finding: the order in which they are asked. */
static void test_order(void)
{
    static change *const facts[] = {op_broken,    ptl_left,      says_dropped, endless,    two_after_fatal,
                                    no_reference, elsewhere_one, dead,         other_frame};
    static const char *const keys[] = {"contract/pin-op",       "lock/pin-exit", "lock/pin-told", "progress/pin",
                                       "progress/fatal-signal", "pin/reference", "pin/elsewhere", "pin/alive",
                                       "pin/identity"};
    static struct made m;

    for (size_t first = 0; first < sizeof facts / sizeof facts[0]; first++) {
        killed(&m);
        for (size_t i = first; i < sizeof facts / sizeof facts[0]; i++)
            facts[i](&m);
        CHECK(!strncmp(judged(&m), keys[first], strlen(keys[first])), "%s comes first, got %s", keys[first],
              judged(&m));
    }
}

/* ---- comparisons ----------------------------------------------------------------------------------------------------- */

static const char *compared(const struct made *a, const struct made *b, const char *what)
{
    static char key[160];
    struct fl_divergence d;

    key[0] = '\0';
    if (fl_pin_same(&a->c, what, &a->s, &b->s, &d))
        fl_divergence_key(&d, key, sizeof key);
    return key;
}

DO(other_error, m->s.out.pages = 0; m->s.out.error = FL_PIN_ENOMEM)
DO(no_pages, m->s.out.pages = 0)

/* Either way of doing it another way is judged alike; its name stands in the key. */
static void test_same(const char *what)
{
    static const struct {
        change *base, *a, *b;
        const char *key, *name;
    } same[] = {
#define SAME(base, a, b, key) {base, a, b, key, #base " " #a " " #b}
        SAME(writes, nothing, nothing, ""),
        SAME(writes, nothing, one_page_less, "same/other-count"),
        SAME(writes, one_page_less, nothing, "same/other-count"),
        SAME(writes, no_pages, other_error, "same/other-error"),
        SAME(writes, nothing, other_frame, "same/other-page"),
        SAME(writes, other_frame_uncounted, nothing, ""),
        SAME(writes, many_pages, many_pages, ""),
        SAME(fast_writes, nothing, other_frame, "same/other-page"),
        SAME(fast_writes, nothing, one_page_less, "same/other-count"),
        /* What the tables alone do not tell. */
        SAME(fast_writes, area_wo, one_page_less, ""),
        SAME(fast_writes, io, one_page_less, ""),
        SAME(fast_writes, pfnmap, one_page_less, ""),
        SAME(writes, io, one_page_less, "same/other-count"),
        SAME(fast_writes, area_never_read, one_page_less, ""),
        SAME(fast_writes, area_ro, one_page_less, "same/other-count"),
    };
    static struct made a, b;
    char key[160];

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        same[i].base(&a);
        same[i].base(&b);
        same[i].a(&a);
        same[i].b(&b);
        key[0] = '\0';
        if (same[i].key[0])
            snprintf(key, sizeof key, "pin-diff/%s/%s", what, same[i].key);
        CHECK(!strcmp(compared(&a, &b, what), key), "%s: %s, expected %s", same[i].name, compared(&a, &b, what), key);
    }
    writes(&a);
    writes(&b);
    a.s.pfn[5] = 999; /* beyond what was pinned */
    CHECK(!strcmp(compared(&a, &b, what), ""), "what was not pinned is not compared");
}

static void test_coherent(void)
{
    struct fl_divergence d;
    char key[160];

    CHECK(!fl_pin_coherent(START, 300, 300, &d), "the page that was pinned");
    CHECK(fl_pin_coherent(START, 300, 301, &d), "another page");
    fl_divergence_key(&d, key, sizeof key);
    CHECK(!strcmp(key, "cow/coherent/same-page/other-page"), "%s", key);
    CHECK(strstr(d.detail, "0x400000") && strstr(d.detail, "0x12c") && strstr(d.detail, "0x12d"),
          "the address and both frames are told: %s", d.detail);
}

/* ---- every rule ------------------------------------------------------------------------------------------------------- */

static void test_rules(void)
{
    size_t count;
    const struct fl_pin_rule *rules = fl_pin_rules(&count);

    for (size_t i = 0; i < count; i++) {
        unsigned kept = 0, broken = 0;

        for (size_t k = 0; k < NROWS; k++)
            if (!strcmp(rows[k].rule, rules[i].name))
                *(rows[k].key ? &broken : &kept) += 1;
        CHECK(rules[i].statement[0] && rules[i].source[0], "%s: a statement and a source", rules[i].name);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(rules[k].name, rules[i].name), "%s is there once", rules[i].name);
        /* The first is asked as pins are held (test_world_memory), the others above. */
        if (!strcmp(rules[i].name, "cow/write-through-pin") || !strcmp(rules[i].name, "cow/coherent"))
            continue;
        if (!strncmp(rules[i].name, "pin-diff/", 9)) {
            test_same(rules[i].name + 9);
            continue;
        }
        CHECK(kept && broken, "%s: %u rows keep it, %u break it", rules[i].name, kept, broken);
    }
    for (size_t k = 0; k < NROWS; k++) {
        bool known = false;

        for (size_t i = 0; i < count; i++)
            known |= !strcmp(rows[k].rule, rules[i].name);
        CHECK(known, "%s: no rule %s", rows[k].name, rows[k].rule);
    }
}

int main(void)
{
    test_rows();
    test_order();
    test_coherent();
    test_rules();
    return check_done("pin-oracle");
}
