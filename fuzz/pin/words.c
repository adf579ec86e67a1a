/* SPDX-License-Identifier: MIT */
/* The story of pinning in words: areas, what others do, calls and their ops, pages and what becomes of them. */
#include <faultline/fuzz/pin_story.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(char *buf, size_t size, const char *format, ...)
{
    size_t n = strlen(buf);
    va_list args;

    va_start(args, format);
    if (n < size)
        vsnprintf(buf + n, size - n, format, args);
    va_end(args);
}

/* ---- areas -------------------------------------------------------------------------------------------------------- */

void fl_pin_area_text(const struct fl_pin_area *a, char *buf, size_t size)
{
    static const char *const kinds[FL_AREA_KIND_COUNT] = {"anonymous memory",
                                                          "file",
                                                          "shared-memory file",
                                                          "hugetlb file",
                                                          "hugetlb file",
                                                          "device memory, file",
                                                          "frames without struct page"};
    const struct fl_pin_vma *v = &a->vma;
    const char *kind = kinds[a->kind % FL_AREA_KIND_COUNT];

    if (a->kind == FL_AREA_ANON || a->kind == FL_AREA_SPECIAL)
        snprintf(buf, size, "%s %s", v->shared ? "shared" : "private", kind);
    else
        snprintf(buf, size, "%s mapping of %s %u from page %u on, of %u", v->shared ? "shared" : "private", kind,
                 a->file, a->pgoff, a->file_pages);
    add(buf, size, ", %s", v->write ? v->read ? "read and write" : "write only" : v->read ? "read only" : "no access");
    if (v->exec)
        add(buf, size, ", execute");
    if (!v->write && v->may_write)
        add(buf, size, " (mprotect may grant write)");
    if (!v->read && v->may_read)
        add(buf, size, " (mprotect may grant read)");
    if (v->huge_shift)
        add(buf, size, ", pages of %u %s",
            v->huge_shift >= 30 ? 1u << (v->huge_shift - 30) : 1u << (v->huge_shift - 20),
            v->huge_shift >= 30 ? "GiB" : "MiB");
    if (a->huge)
        add(buf, size, ", huge pages where they fit");
    if (v->growsdown)
        add(buf, size, ", grows down");
    if (v->locked)
        add(buf, size, ", mlocked");
    if (v->io || v->pfnmap)
        add(buf, size, ", %s%s%s", v->io ? "device registers" : "", v->io && v->pfnmap ? ", " : "",
            v->pfnmap ? "bare frames" : "");
    if (v->pkey)
        add(buf, size, ", key %u", v->pkey);
}

/* ---- who does what ------------------------------------------------------------------------------------------------ */

static void prot_text(unsigned prot, char *buf, size_t size)
{
    snprintf(buf, size, "%s%s%s%s", prot ? "" : "none", prot & FL_AREA_READ ? "r" : "", prot & FL_AREA_WRITE ? "w" : "",
             prot & FL_AREA_EXEC ? "x" : "");
}

void fl_pin_act_text(const struct fl_record *r, char *buf, size_t size)
{
    const char *task = r->u.act.mm              ? "the child"
                       : r->kind == FL_REC_RACE ? "another thread of the process"
                                                : "the task";
    const char *of = r->u.act.mm ? " of the child" : "";
    uint64_t va = r->u.act.va;
    char prot[8], range[64];

    snprintf(range, sizeof range, "%#" PRIx64, va);
    if (r->u.act.pages != 1)
        add(range, sizeof range, " (%u pages)", r->u.act.pages);
    prot_text(r->u.act.arg, prot, sizeof prot);
    switch ((enum fl_act)r->u.act.act) {
    case FL_ACTOR_READ: snprintf(buf, size, "%s reads at %#" PRIx64, task, va); return;
    case FL_ACTOR_WRITE: snprintf(buf, size, "%s writes at %#" PRIx64, task, va); return;
    case FL_ACTOR_DONTNEED: snprintf(buf, size, "%s runs madvise(DONTNEED) on %s", task, range); return;
    case FL_ACTOR_MUNMAP: snprintf(buf, size, "%s runs munmap on %s", task, range); return;
    case FL_ACTOR_MPROTECT: snprintf(buf, size, "%s runs mprotect(%s) on %s", task, prot, range); return;
    case FL_ACTOR_FORK: snprintf(buf, size, "%s forks: the child shares its private pages", task); return;
    case FL_ACTOR_EXIT: snprintf(buf, size, "the child exits"); return;
    case FL_ACTOR_MLOCK: snprintf(buf, size, "%s runs mlock on %s", task, range); return;
    case FL_ACTOR_UFFD_CONTINUE:
        snprintf(buf, size, "a userfault handler maps what the page cache has at %#" PRIx64 "%s (UFFDIO_CONTINUE)", va,
                 of);
        return;
    case FL_ACTOR_RECLAIM: snprintf(buf, size, "reclaim takes the page at %#" PRIx64 "%s away", va, of); return;
    case FL_ACTOR_MIGRATE_BEGIN: snprintf(buf, size, "migration of the page at %#" PRIx64 "%s begins", va, of); return;
    case FL_ACTOR_MIGRATE_END: snprintf(buf, size, "migration of the page at %#" PRIx64 "%s ends", va, of); return;
    case FL_ACTOR_HINT: snprintf(buf, size, "NUMA balancing makes %#" PRIx64 "%s a hint", va, of); return;
    case FL_ACTOR_COLLAPSE: snprintf(buf, size, "khugepaged collapses the pages around %#" PRIx64 "%s", va, of); return;
    case FL_ACTOR_SPLIT_BEGIN:
        snprintf(buf, size, "a split of the huge page at %#" PRIx64 "%s begins (it is marked)", va, of);
        return;
    case FL_ACTOR_SPLIT: snprintf(buf, size, "the huge page at %#" PRIx64 "%s is split", va, of); return;
    case FL_ACTOR_POISON: snprintf(buf, size, "the frame at %#" PRIx64 "%s is found broken (hwpoison)", va, of); return;
    case FL_ACTOR_TRUNCATE:
        snprintf(buf, size, "somebody truncates the file before its page at %#" PRIx64 "%s", va, of);
        return;
    case FL_ACTOR_CLEAN: snprintf(buf, size, "writeback cleans the page at %#" PRIx64 "%s", va, of); return;
    case FL_ACTOR_DEVICE_GONE: snprintf(buf, size, "the device is being removed"); return;
    case FL_ACTOR_SATURATE:
        snprintf(buf, size, "others take references on the page at %#" PRIx64 "%s, up to the greatest count", va, of);
        return;
    case FL_ACTOR_SIGKILL: snprintf(buf, size, "a fatal signal comes for the caller"); return;
    case FL_ACTOR_SIGKILL_OTHER: snprintf(buf, size, "a fatal signal comes for the task whose memory it is"); return;
    case FL_ACTOR_UNPIN: snprintf(buf, size, "the caller gives all pinned pages back"); return;
    case FL_ACTOR_USE: snprintf(buf, size, "the caller writes to what it has pinned for writing"); return;
    case FL_ACTOR_GATE_GONE: snprintf(buf, size, "the gate page is unmapped"); return;
    case FL_ACTOR_COUNT: break;
    }
    snprintf(buf, size, "?");
}

/* ---- the call ------------------------------------------------------------------------------------------------------ */

static const char *api_text(unsigned api)
{
    static const char *const names[FL_PINAPI_COUNT] = {
        "__get_user_pages", "get_user_pages", "__get_user_pages_fast", "get_user_pages_fast", "fixup_user_fault",
        "get_dump_page",    "follow_page"};

    return names[api % FL_PINAPI_COUNT];
}

void fl_pin_pin_text(const struct fl_record *r, char *buf, size_t size)
{
    static const char *const flags[] = {NULL,    "touch", "get",      "dump", "by force",  "nowait",
                                        "mlock", "split", "hwpoison", "numa", "migration", "tried"};
    bool fast = r->u.pin.api == FL_PINAPI_FAST || r->u.pin.api == FL_PINAPI_FAST_ONLY;

    snprintf(buf, size, "%s of ", api_text(r->u.pin.api));
    if (fast)
        add(buf, size, "%" PRId32, (int32_t)r->u.pin.n);
    else
        add(buf, size, "%u", r->u.pin.n);
    add(buf, size, " page%s from %#" PRIx64 ", for %s", r->u.pin.n == 1 ? "" : "s", r->u.pin.start,
        r->u.pin.flags & FL_FOLL_WRITE ? "writing" : "reading");
    for (unsigned i = 1; i < sizeof flags / sizeof flags[0]; i++)
        if (r->u.pin.flags >> i & 1)
            add(buf, size, ", %s", flags[i]);
    if (r->u.pin.nonblocking)
        add(buf, size, ", nonblocking");
    if (r->u.pin.remote)
        add(buf, size, ", another task's memory");
    if (!r->u.pin.pages && (r->u.pin.api == FL_PINAPI_PIN || r->u.pin.api == FL_PINAPI_USER))
        add(buf, size, ", without references");
    if (r->u.pin.vmas)
        add(buf, size, ", with areas");
}

const char *fl_pin_error_text(unsigned error)
{
    static const char *const names[FL_PIN_ERROR_COUNT] = {"no error",    "EFAULT", "ENOMEM", "EHWPOISON",
                                                          "ERESTARTSYS", "EBUSY",  "BUG"};

    return error < FL_PIN_ERROR_COUNT ? names[error] : "an error that there is not";
}

/* ---- ops ------------------------------------------------------------------------------------------------------------ */

static const char *op_name(const struct fl_pin_op_call *c)
{
    static const char *const details[] = {"page_anon_exclusive", "page_dirty",   "page_has_mapping", "page_set_dirty",
                                          "page_accessed",       "page_trylock", "page_unlock",      "page_mlock"};
    static const char *const names[FL_PINOP_COUNT] = {"read",         "ptl_lock",
                                                      "ptl_unlock",   "migration_wait",
                                                      "split_huge",   "split_wait",
                                                      "touch_leaf",   "page_head",
                                                      "page_get",     "page_get_speculative",
                                                      "page_put",     "page_tail_get",
                                                      NULL,           NULL,
                                                      "device_get",   "device_put",
                                                      "vma_find",     "gate_vma",
                                                      "mm_fault",     "hugetlb_fault",
                                                      "mm_lock",      "mm_unlock",
                                                      "fatal_signal", "resched",
                                                      "irq_save",     "irq_restore"};

    if ((c->op == FL_PINOP_PAGE_FACT || c->op == FL_PINOP_PAGE_MARK) && c->detail < sizeof details / sizeof details[0])
        return details[c->detail];
    return c->op < FL_PINOP_COUNT && names[c->op] ? names[c->op] : "?";
}

void fl_pin_op_text(const struct fl_pin_op_call *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s(", op_name(c));
    switch ((enum fl_pin_op)c->op) {
    case FL_PINOP_PTL_LOCK: add(buf, size, "level %u, %#" PRIx64, c->detail, c->object); break;
    case FL_PINOP_READ:
    case FL_PINOP_MIGRATION_WAIT:
    case FL_PINOP_SPLIT_HUGE:
    case FL_PINOP_SPLIT_WAIT:
    case FL_PINOP_VMA_FIND:
    case FL_PINOP_GATE_VMA: add(buf, size, "%#" PRIx64, c->object); break;
    case FL_PINOP_TOUCH_LEAF: add(buf, size, "%#" PRIx64 "%s", c->object, c->detail ? ", dirty" : ""); break;
    case FL_PINOP_PAGE_HEAD:
    case FL_PINOP_PAGE_GET:
    case FL_PINOP_PAGE_TAIL_GET:
    case FL_PINOP_PAGE_FACT:
    case FL_PINOP_PAGE_MARK:
    case FL_PINOP_DEVICE_GET:
    case FL_PINOP_DEVICE_PUT: add(buf, size, "frame %#" PRIx64, c->object); break;
    case FL_PINOP_PAGE_GET_SPECULATIVE:
    case FL_PINOP_PAGE_PUT:
        add(buf, size, "frame %#" PRIx64, c->object);
        if (c->detail != 1)
            add(buf, size, ", %u%s", c->detail, c->detail == 255 ? " or more" : "");
        break;
    case FL_PINOP_MM_FAULT:
    case FL_PINOP_HUGETLB_FAULT:
        add(buf, size, "%#" PRIx64 ", %s%s%s%s", c->object, c->detail & FL_MM_WRITE ? "write" : "read",
            c->detail & FL_MM_ALLOW_RETRY ? ", retry allowed" : "", c->detail & FL_MM_TRIED ? ", tried" : "",
            c->detail & FL_PIN_NOWAIT ? ", nowait" : "");
        break;
    default: break;
    }
    add(buf, size, ")");
}

static void fault_answer(const struct fl_pin_op_call *c, char *buf, size_t size)
{
    static const char *const names[] = {[FL_MM_MINOR] = "done",        [FL_MM_MAJOR] = "done, major",
                                        [FL_MM_RETRY] = "RETRY",       [FL_MM_RETRY_MAJOR] = "RETRY, major",
                                        [FL_MM_OOM] = "no memory",     [FL_MM_SIGBUS] = "SIGBUS",
                                        [FL_MM_HWPOISON] = "hwpoison", [FL_MM_HWPOISON_LARGE] = "hwpoison, large",
                                        [FL_MM_SIGSEGV] = "SIGSEGV"};
    unsigned result = (unsigned)(c->answer & 0xff);

    if (result < sizeof names / sizeof names[0] && names[result])
        snprintf(buf, size, "%s%s", names[result], c->answer >> 8 ? ", copy on write is broken" : "");
    else
        snprintf(buf, size, "%u, which is no answer", result);
}

void fl_pin_op_answer_text(const struct fl_pin_op_call *c, char *buf, size_t size)
{
    buf[0] = 0;
    switch ((enum fl_pin_op)c->op) {
    case FL_PINOP_READ: snprintf(buf, size, "%#" PRIx64, c->answer); break;
    case FL_PINOP_PAGE_HEAD: snprintf(buf, size, "frame %#" PRIx64, c->answer); break;
    case FL_PINOP_MM_FAULT:
    case FL_PINOP_HUGETLB_FAULT: fault_answer(c, buf, size); break;
    case FL_PINOP_PAGE_GET:
    case FL_PINOP_PAGE_GET_SPECULATIVE:
    case FL_PINOP_DEVICE_GET: snprintf(buf, size, "%s", c->answer ? "taken" : "refused"); break;
    case FL_PINOP_PAGE_MARK:
        if (c->detail != FL_PIN_TRYLOCK)
            break;
        /* fallthrough */
    case FL_PINOP_PAGE_FACT:
    case FL_PINOP_FATAL_SIGNAL: snprintf(buf, size, "%s", c->answer ? "yes" : "no"); break;
    case FL_PINOP_VMA_FIND:
    case FL_PINOP_GATE_VMA: snprintf(buf, size, "%s", c->answer ? "an area" : "none"); break;
    default: break;
    }
    if (c->given)
        add(buf, size, "%s(given by the scenario)", buf[0] ? " " : "");
}

/* ---- pages ---------------------------------------------------------------------------------------------------------- */

/* What the page is: "page 0 of file 1", "the task's own copy". */
static void page_text(const struct fl_pin_place *p, char *buf, size_t size)
{
    if (!p->valid) {
        snprintf(buf, size, "frame %#" PRIx64 " (no struct page)", p->pfn);
        return;
    }
    snprintf(buf, size, "frame %#" PRIx64 " (", p->pfn);
    switch ((enum fl_pin_page_kind)p->kind) {
    case FL_PIN_PAGE_CACHE:
        if (p->file != 255)
            add(buf, size, "page %u of file %u", p->index, p->file);
        else
            add(buf, size, "a page of the kernel's");
        break;
    case FL_PIN_PAGE_HUGETLB:
        add(buf, size,
            p->cached      ? "of hugetlb page %u of file %u"
            : p->exclusive ? "hugetlb, a copy of its own"
                           : "hugetlb, a copy that a fork shares",
            p->index, p->file);
        break;
    case FL_PIN_PAGE_ANON:
        add(buf, size, p->exclusive ? "anonymous, its own" : p->maps > 1 ? "anonymous, shared by a fork" : "anonymous");
        break;
    case FL_PIN_PAGE_ZERO: add(buf, size, "the zero page"); break;
    case FL_PIN_PAGE_DEVICE: add(buf, size, "device memory, page %u", p->index); break;
    default: add(buf, size, "a free page"); break;
    }
    if (p->order)
        add(buf, size, ", of a huge page");
    add(buf, size, ")");
}

static void leaf_text(const struct fl_pin_place *p, char *buf, size_t size)
{
    add(buf, size, "%s", p->writable ? ", writable" : ", read only");
    if (p->hint)
        add(buf, size, ", NUMA hint");
    if (p->protnone)
        add(buf, size, ", PROT_NONE");
    if (p->splitting)
        add(buf, size, ", splitting");
    if (p->special && p->kind != FL_PIN_PAGE_ZERO)
        add(buf, size, ", special");
}

static const char *absent_text(const struct fl_pin_place *p)
{
    switch (p->swap) {
    case FL_SWAP_SLOT: return "swapped out";
    case FL_SWAP_MIGRATION: return "a migration entry";
    case FL_SWAP_HWPOISON: return "a hwpoison entry";
    case FL_SWAP_FILE: return "a file-offset entry";
    default: return "nothing is mapped";
    }
}

void fl_pin_place_text(const struct fl_pin_place *p, char *buf, size_t size)
{
    if (!p->exists) {
        snprintf(buf, size, "no such address space");
    } else if (!p->mapped) {
        snprintf(buf, size, "%s", absent_text(p));
    } else {
        page_text(p, buf, size);
        leaf_text(p, buf, size);
    }
}

/* The same frame as before: what of it or of its entry is another. */
static void same_frame(const struct fl_pin_place *b, const struct fl_pin_place *a, char *buf, size_t size)
{
    buf[0] = 0;
    if (a->data != b->data)
        add(buf, size, "; frame %#" PRIx64 " holds value %#" PRIx64 " now, %#" PRIx64 " before", a->pfn, a->data,
            b->data);
    if (a->writable != b->writable)
        add(buf, size, "; its entry becomes %s", a->writable ? "writable" : "read only");
    if (a->hint != b->hint)
        add(buf, size, "; its entry %s", a->hint ? "becomes a NUMA hint" : "is no NUMA hint any more");
    if (a->protnone != b->protnone)
        add(buf, size, "; its entry %s", a->protnone ? "becomes PROT_NONE" : "is no PROT_NONE any more");
    if (a->splitting != b->splitting)
        add(buf, size, "; its entry is %s", a->splitting ? "marked as splitting" : "no longer marked as splitting");
    if (a->order != b->order)
        add(buf, size, "; it is %s", a->order ? "part of a huge page" : "a small page");
    if (a->exclusive != b->exclusive)
        add(buf, size, "; frame %#" PRIx64 " is %s", a->pfn,
            a->exclusive ? "known to be this address space's alone" : "shared");
    if (a->count != b->count)
        add(buf, size, "; references of frame %#" PRIx64 ": %d, before %d", a->head, a->count, b->count);
    if (a->tail != b->tail)
        add(buf, size, "; references of frame %#" PRIx64 " as a tail: %d, before %d", a->pfn, a->tail, b->tail);
    if (buf[0])
        memmove(buf, buf + 2, strlen(buf + 2) + 1);
}

void fl_pin_change_text(const struct fl_pin_place *b, const struct fl_pin_place *a, char *buf, size_t size)
{
    char was[128];

    buf[0] = 0;
    if (b->exists != a->exists) {
        snprintf(buf, size, a->exists ? "it has come into being" : "it is gone");
    } else if (b->mapped && a->mapped && b->pfn == a->pfn && b->valid == a->valid) {
        same_frame(b, a, buf, size);
    } else if (b->mapped) {
        bool copy = b->valid && b->kind == FL_PIN_PAGE_ANON;

        page_text(b, was, sizeof was);
        if (a->mapped) {
            snprintf(buf, size, "it is ");
            page_text(a, buf + strlen(buf), size - strlen(buf));
            leaf_text(a, buf, size);
            add(buf, size, ", no longer %s", was);
        } else {
            snprintf(buf, size, "%s%s is dropped: %s", copy ? "the copy in " : "", was, absent_text(a));
        }
    } else if (a->mapped || a->swap != b->swap) {
        char now[192];

        fl_pin_place_text(a, now, sizeof now);
        snprintf(buf, size, "it is %s%s", now, b->swap ? ", no longer " : "");
        if (b->swap)
            add(buf, size, "%s", absent_text(b));
    }
}
