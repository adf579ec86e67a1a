/* SPDX-License-Identifier: MIT */
/*
 * The invariants of pinning. Each is asked of what was seen: the pages handed out, the views of the range at every instant
 * of the call, references, locks. None looks at how the core came to it.
 */
#include "pin.h"

#include <string.h>

/* Checks in the order in which they are asked: what follows from a broken one is no second finding. */
static const struct fl_pin_rule rules[] = {
    {"contract/pin-op",
     "ops are called as their contract says: locks held, nothing sleeps in atomic context, no table is read "
     "where none is",
     "core/include/faultline/gup.h; Documentation/mm/split_page_table_lock.rst"},
    {"lock/pin-exit", "page-table locks, page locks and interrupts are as they were before the call",
     "mm/gup.c, __get_user_pages (3.19)"},
    {"lock/pin-told",
     "the mm lock is held on return exactly when the caller is told so, and whether it was given up in between; NOWAIT "
     "never drops it",
     "mm/gup.c, __get_user_pages (3.19), the comment on nonblocking; commit 96312e61282a (2018); fixup_user_fault, its "
     "comment on unlocked (4.7)"},
    {"progress/pin", "a fault that is answered in an unchanged world is not asked for again without end",
     "commit 8310d48b125d (2017)"},
    {"progress/fatal-signal", "a fatal signal of the caller ends the call within a page", "commit 4779280d1ea4 (2008)"},
    {"progress/bug", "no assertion of the kernel's own fails in a world that can be",
     "commits a3e328556d41, d63206ee32b6 (2017)"},
    {"pin/count", "no more pages are handed out than were asked for", "mm/gup.c, __get_user_pages (3.19), its comment"},
    {"pin/reference", "each page handed out has one reference more, on its head and (a tail) on itself",
     "commit 70b50f94f164 (2011)"},
    {"pin/elsewhere", "no other page has", "mm/gup.c, gup_pte_range (3.19): references are undone"},
    {"pin/alive", "a page without references gets none, and none is given back that was not taken",
     "commit 8fde12ca79af (2019); page_cache_get_speculative"},
    {"pin/identity", "each page was mapped at its address at some instant of the call",
     "mm/gup.c, __get_user_pages (3.19), its comment"},
    {"perm/area", "the area permits the access, or FORCE does: private, or readable after mprotect",
     "mm/gup.c, check_vma_flags; commit cda540ace6a1 (2014)"},
    {"perm/key", "the protection key permits it, for memory of the caller's own", "mm/gup.c since 4.6"},
    {"perm/table", "the tables permit a user access of that kind, or FORCE does",
     "SDM vol. 3, 4.6; commits 2b4847e73004 (2013), ef947b2529f9 (2017)"},
    {"perm/special", "what has no struct page is not handed out", "mm/memory.c, vm_normal_page"},
    {"cow/write-pin", "what is pinned for writing in a private area is the task's own page",
     "commits 19be0eaffa3a (2016), a8f97366452e (2017), 5535be309971 (2022)"},
    {"cow/read-pin", "what is pinned for reading in a private area is not a page that a fork shares",
     "commit 17839856fd58 (2020)"},
    {"cow/write-through-pin", "a write through a pin reaches no file, no zero page", "commit 19be0eaffa3a (2016)"},
    {"cow/coherent", "what the task writes later is what the pin sees", "commit 17839856fd58 (2020)"},
    {"decision/pin",
     "without races and answers the number of pages and the error follow from what is mapped; "
     "fixup_user_fault succeeds only after a fault that was done",
     "mm/gup.c, __get_user_pages (3.19); commit 475f4dfc021c (2020)"},
    {"decision/pin-accounted",
     "each fault that did not fail is counted for the task once, as minor or major, those of hugetlb areas are not; "
     "fixup_user_fault counts one when it is done, major if any try was",
     "mm/gup.c, faultin_page (3.19), fixup_user_fault (4.7); mm/hugetlb.c, follow_hugetlb_page (3.19)"},
    {"pin-diff/fast-and-slow",
     "from the same state the fast path pins what the slow one pins, or less and nothing else",
     "mm/gup.c, get_user_pages_fast (3.19), its comment; commit 17839856fd58 (2020)"},
    {"pin-diff/at-once-and-one-by-one",
     "from the same state one call for a range comes to what a call for each page does",
     "mm/gup.c, __get_user_pages (3.19): batching by page_mask"},
};

const struct fl_pin_rule *fl_pin_rules(size_t *count)
{
    *count = sizeof rules / sizeof rules[0];
    return rules;
}

static bool is_fast(const struct fl_pin_call *c)
{
    return c->api == PIN_API_FAST || c->api == PIN_API_FAST_ONLY;
}

/* ---- locks, progress --------------------------------------------------------------------------------------------- */

static bool about_locks(const char *broken)
{
    return strncmp(broken, "ptl-", 4) == 0 || strncmp(broken, "mm-", 3) == 0 || strncmp(broken, "irq-", 4) == 0 ||
           strncmp(broken, "page-unlock", 11) == 0 || strncmp(broken, "page-trylock", 12) == 0;
}

static bool judge_locks(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    const char *left = s->ptl_held ? "ptl-held" : s->irq_off ? "interrupts-off" : s->page_locked ? "page-locked" : NULL;
    bool told = s->out.lock_held, dropped = s->lock_dropped;

    if (s->broken && (!c->hostile || about_locks(s->broken))) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "pin-op", "kept", s->broken,
                          "an op was called against its contract: %s", s->broken);
        return true;
    }
    if (left) {
        fl_divergence_set(d, FL_CHECK_LOCK, "pin-exit", "free", left, "on return from pinning: %s", left);
        return true;
    }
    if (told != s->mm_held) {
        fl_divergence_set(
            d, FL_CHECK_LOCK, "pin-told", s->mm_held ? "held" : "dropped", s->mm_held ? "dropped" : "held",
            "the mm lock is %s on return, and the caller is told the opposite", s->mm_held ? "held" : "free");
        return true;
    }
    if (told && s->out.relocked != s->lock_retaken) {
        fl_divergence_set(d, FL_CHECK_LOCK, "pin-told", s->lock_retaken ? "retaken" : "kept",
                          s->lock_retaken ? "kept" : "retaken",
                          "the mm lock was %s during the call, and the caller is told the opposite: whether areas may "
                          "have changed",
                          s->lock_retaken ? "given up and taken again" : "held all the time");
        return true;
    }
    if (!is_fast(c) && !s->mm_held && !dropped && !c->hostile) {
        fl_divergence_set(d, FL_CHECK_LOCK, "pin-exit", "held", "dropped",
                          "the mm lock was given back though no fault had dropped it");
        return true;
    }
    return false;
}

/* The pages of a huge leaf come at once. Whether there is one behind what is looked at, nobody knows. */
static bool huge_in_range(const struct fl_pin_call *c, const struct fl_pin_seen *s)
{
    if (c->n > FL_PIN_PAGES || s->lost_instants)
        return true;
    for (unsigned t = 0; t < s->ninstants; t++)
        for (unsigned i = 0; i < FL_PIN_PAGES && (int64_t)i < c->n; i++)
            if (s->view[t][i].leaf_level > 1 && s->view[t][i].mapped)
                return true;
    return false;
}

static bool judge_progress(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    if (s->endless) {
        fl_divergence_set(d, FL_CHECK_PROGRESS, "pin", "ends", "endless",
                          "the same fault was asked for again and again, and nothing had changed");
        return true;
    }
    if (s->fatal && s->after_fatal > 1 && !is_fast(c) && !c->hostile && !huge_in_range(c, s)) {
        fl_divergence_set(d, FL_CHECK_PROGRESS, "fatal-signal", "ends", "goes-on",
                          "%u pages were pinned after a fatal signal had come", s->after_fatal);
        return true;
    }
    if (s->out.error == FL_PIN_BUG && !c->hostile) {
        fl_divergence_set(d, FL_CHECK_PROGRESS, "bug", "none", "bug", "an assertion fails: the kernel ends here");
        return true;
    }
    return false;
}

/* ---- references -------------------------------------------------------------------------------------------------- */

static unsigned noted(const struct fl_pin_seen *s)
{
    return s->out.pages < FL_PIN_PAGES ? (unsigned)s->out.pages : FL_PIN_PAGES;
}

static bool judge_count(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    uint64_t asked = c->n > 0 ? (uint64_t)c->n : 0;

    if (s->out.pages <= asked)
        return false;
    fl_divergence_set(d, FL_CHECK_PIN, "count", "asked-for", "more", "%llu pages were asked for, %llu handed out",
                      (unsigned long long)asked, (unsigned long long)s->out.pages);
    return true;
}

static bool judge_references(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    for (unsigned i = 0; c->flags & FL_FOLL_GET && i < noted(s); i++)
        if (s->refs[i] != 1 || s->tail_refs[i] != 0) {
            bool few = s->refs[i] < 1 || (s->refs[i] == 1 && s->tail_refs[i] < 0);

            fl_divergence_set(d, FL_CHECK_PIN, "reference", "one", few ? "too-few" : "too-many",
                              "page %u (frame %#llx): count off by %lld, its own as a tail by %lld", i,
                              (unsigned long long)s->pfn[i], (long long)s->refs[i] - 1, (long long)s->tail_refs[i]);
            return true;
        }
    if (s->other_refs) {
        fl_divergence_set(d, FL_CHECK_PIN, "elsewhere", "none", "left",
                          "counts of pages that were not handed out are off by %lld", (long long)s->other_refs);
        return true;
    }
    if (s->freed_in_use) {
        fl_divergence_set(d, FL_CHECK_PIN, "alive", "referenced", "free",
                          "a reference was taken on a page that nobody held, or one was given back that was not taken");
        return true;
    }
    return false;
}

/* ---- identity, permission, copy on write -------------------------------------------------------------------------- */

bool pin_key_permits(const struct fl_pin_call *c, const struct fl_pin_vma *vma)
{
    uint32_t rights = c->cpu.pkru >> 2 * (vma->pkey & 15);

    /* CR4.PKE, IA-32e modes (SDM vol. 3, 4.6.2). */
    if (!(c->cpu.cr4 & UINT64_C(1) << 22) || c->cpu.mode < FL_MODE_4LEVEL || c->remote)
        return true;
    /* The gate area is looked at before areas and their keys are (mm/gup.c, get_gate_page). */
    if (vma->gate)
        return true;
    return !(rights & 1) && !((c->flags & FL_FOLL_WRITE) && (rights & 2));
}

bool pin_area_permits(const struct fl_pin_call *c, const struct fl_pin_view *v)
{
    bool force = c->flags & FL_FOLL_FORCE;

    if (v->vma.gate)
        return !(c->flags & FL_FOLL_WRITE);
    if (!v->has_vma || v->vma.io || v->vma.pfnmap)
        return false;
    if (c->flags & FL_FOLL_WRITE)
        return v->vma.write || (force && v->vma.may_write && !v->vma.shared);
    return v->vma.read || (force && v->vma.may_read);
}

bool pin_is_cow(const struct fl_pin_vma *vma)
{
    return !vma->shared && vma->may_write;
}

/* (A forced write into a private area needs no right of the tables: whether its page is the task's own is asked by cow.) */
static bool table_permits(const struct fl_pin_call *c, const struct fl_pin_view *v)
{
    bool force = c->flags & FL_FOLL_FORCE;

    if (c->flags & FL_FOLL_WRITE)
        return v->write.kind == FL_ARCH_OK || (force && v->mapped && (v->leaf_write || pin_is_cow(&v->vma)));
    return v->read.kind == FL_ARCH_OK || (force && v->mapped);
}

/* Why the page may not be what was pinned under this view; NULL: it may. */
struct objection {
    enum fl_check check;
    const char *row, *expected, *actual;
};

static const char *whose(const struct fl_pin_view *v)
{
    return v->zero ? "zero-page" : !v->anon ? "file-page" : "forked-page";
}

static bool object(const struct fl_pin_call *c, const struct fl_pin_view *v, struct objection *o)
{
    bool own = v->anon && v->exclusive, write = c->flags & FL_FOLL_WRITE;

    if (!v->page_valid || (v->special && !v->zero)) {
        *o = (struct objection){FL_CHECK_PERM, "special", "refused", "pinned"};
    } else if (c->api != PIN_API_FOLLOW && !(is_fast(c) && v->has_vma) && !pin_area_permits(c, v)) {
        /* (The fast path asks the tables alone: what they hold for user accesses is the task's.) */
        *o = (struct objection){FL_CHECK_PERM, "area", "refused", "pinned"};
    } else if (c->api != PIN_API_FOLLOW && !pin_key_permits(c, &v->vma)) {
        *o = (struct objection){FL_CHECK_PERM, "key", "refused", "pinned"};
    } else if (c->api != PIN_API_FOLLOW && !v->vma.gate && !table_permits(c, v)) {
        *o = (struct objection){FL_CHECK_PERM, "table", "refused", "pinned"};
    } else if (write && !(v->vma.shared && v->vma.write) && !own) {
        *o = (struct objection){FL_CHECK_COW, "write-pin", "own-page", whose(v)};
    } else if (!write && (c->flags & FL_FOLL_GET) && !(c->flags & FL_FOLL_DUMP) && c->api != PIN_API_FOLLOW &&
               v->has_vma && pin_is_cow(&v->vma) && !own) {
        *o = (struct objection){FL_CHECK_COW, "read-pin", "own-page", whose(v)};
    } else {
        return false;
    }
    return true;
}

const char *fl_pin_objection(const struct fl_pin_call *call, const struct fl_pin_view *view)
{
    struct objection o;

    return view->mapped && object(call, view, &o) ? o.row : NULL;
}

static bool judge_page(const struct fl_pin_call *c, const struct fl_pin_seen *s, unsigned i, struct fl_divergence *d)
{
    struct objection last = {.row = NULL};
    bool was_there = false;

    for (unsigned t = 0; t < s->ninstants; t++) {
        const struct fl_pin_view *v = &s->view[t][i];

        if (!v->mapped || v->pfn != s->pfn[i] || ((c->flags & FL_FOLL_GET) && v->life != s->life[i]))
            continue;
        was_there = true;
        if (!object(c, v, &last))
            return false;
    }
    if (s->lost_instants)
        return false; /* it may have been right at one of those */
    if (!was_there) {
        fl_divergence_set(d, FL_CHECK_PIN, "identity", "mapped", "never-mapped",
                          "page %u: frame %#llx was at no instant of the call what address %#llx maps", i,
                          (unsigned long long)s->pfn[i],
                          (unsigned long long)((c->start & ~UINT64_C(0xfff)) + (uint64_t)i * 4096));
        return true;
    }
    fl_divergence_set(d, last.check, last.row, last.expected, last.actual,
                      "page %u: address %#llx, frame %#llx: at no instant of the call might it be pinned %s%s: %s", i,
                      (unsigned long long)((c->start & ~UINT64_C(0xfff)) + (uint64_t)i * 4096),
                      (unsigned long long)s->pfn[i], c->flags & FL_FOLL_WRITE ? "for writing" : "for reading",
                      c->flags & FL_FOLL_FORCE ? " by force" : "",
                      last.check == FL_CHECK_COW ? last.actual : "it is not permitted");
    return true;
}

bool fl_pin_judge(const struct fl_pin_call *call, const struct fl_pin_seen *seen, struct fl_divergence *d)
{
    if (judge_locks(call, seen, d) || judge_progress(call, seen, d) || judge_count(call, seen, d))
        return true;
    if (call->hostile)
        return false;
    if (judge_references(call, seen, d))
        return true;
    for (unsigned i = 0; call->pages && i < noted(seen); i++)
        if (judge_page(call, seen, i, d))
            return true;
    if (call->api == PIN_API_FIXUP && seen->out.error == FL_PIN_OK && !seen->served) {
        fl_divergence_set(d, FL_CHECK_DECISION, "pin", "nothing", "pinned",
                          "fixup_user_fault says that the access is possible now, and no fault was answered as done");
        return true;
    }
    if (call->quiet && !seen->oom && pin_decide(call, seen, d))
        return true;
    return pin_accounted(call, seen, d);
}

/* ---- comparisons -------------------------------------------------------------------------------------------------- */

/* An area that may be written to and not read, or of device registers: the fast path cannot tell, the slow one does. */
bool pin_fast_cannot_tell(const struct fl_pin_call *c, const struct fl_pin_seen *s)
{
    for (unsigned i = 0; s->ninstants && i < FL_PIN_PAGES && (int64_t)i < c->n; i++)
        if (s->view[0][i].has_vma &&
            ((s->view[0][i].vma.write && !s->view[0][i].vma.read) || s->view[0][i].vma.io || s->view[0][i].vma.pfnmap))
            return true;
    return false;
}

bool fl_pin_same(const struct fl_pin_call *call, const char *what, const struct fl_pin_seen *a,
                 const struct fl_pin_seen *b, struct fl_divergence *d)
{
    unsigned n = noted(a) < noted(b) ? noted(a) : noted(b);
    const char *actual = NULL;

    if (is_fast(call) && pin_fast_cannot_tell(call, a))
        return false;
    if (a->out.pages != b->out.pages)
        actual = "other-count";
    else if (a->out.error != b->out.error)
        actual = "other-error";
    for (unsigned i = 0; !actual && call->pages && i < n; i++)
        if (a->pfn[i] != b->pfn[i])
            actual = "other-page";
    if (!actual)
        return false;
    fl_divergence_set(d, FL_CHECK_PIN_DIFF, what, "same", actual,
                      "from the same state one way gives %llu pages (error %u), the other %llu (error %u)",
                      (unsigned long long)a->out.pages, a->out.error, (unsigned long long)b->out.pages, b->out.error);
    return true;
}

bool fl_pin_coherent(uint64_t va, uint64_t pinned, uint64_t now, struct fl_divergence *d)
{
    if (pinned == now)
        return false;
    fl_divergence_set(
        d, FL_CHECK_COW, "coherent", "same-page", "other-page",
        "the task writes to address %#llx, and the write goes to frame %#llx; a pin of that address holds frame "
        "%#llx and does not see it",
        (unsigned long long)va, (unsigned long long)now, (unsigned long long)pinned);
    return true;
}
