/* SPDX-License-Identifier: MIT */
/* What a call that nobody disturbs comes to: page after page from the views at its beginning. And what its faults are to the task. */
#include "pin.h"

enum fate { PINNED, EFAULT, ENOMEM, EHWPOISON, UNKNOWN };

static const char *const fate_names[] = {"pinned", "efault", "enomem", "ehwpoison", "unknown"};

static bool accessible(const struct fl_pin_vma *vma)
{
    return vma->read || vma->write || vma->exec;
}

/* Is what is mapped now what the call takes, as it is? */
static bool serves(const struct fl_pin_call *c, const struct fl_pin_view *v, bool write, bool hints)
{
    if (!v->mapped || v->splitting || (hints && v->hint && accessible(&v->vma)))
        return false;
    if (!write || v->leaf_write)
        return true;
    return !v->vma.shared && v->vma.may_write && !v->vma.write && v->anon && v->exclusive && c->api != PIN_API_FIXUP;
}

/* What becomes of a page that is there. Behind PROT_NONE an entry does not say that its page is a device's: it is like any other. */
static enum fate take(const struct fl_pin_call *c, const struct fl_pin_view *v)
{
    if (!v->page_valid || (v->special && !v->zero) || (v->zero && (c->flags & FL_FOLL_DUMP)) || (v->gone && v->device))
        return EFAULT;
    return (c->flags & FL_FOLL_GET) && v->saturated ? ENOMEM : PINNED;
}

static enum fate after_fault(const struct fl_pin_call *c, uint8_t result)
{
    switch (result) {
    case FL_MM_MINOR:
    case FL_MM_MAJOR: return PINNED;
    case FL_MM_OOM: return ENOMEM;
    case FL_MM_HWPOISON:
    case FL_MM_HWPOISON_LARGE: return c->flags & FL_FOLL_HWPOISON ? EHWPOISON : EFAULT;
    default: return EFAULT;
    }
}

static enum fate gate_page(const struct fl_pin_call *c, const struct fl_pin_view *v)
{
    if ((c->flags & FL_FOLL_WRITE) || !v->mapped || (v->zero && (c->flags & FL_FOLL_DUMP)))
        return EFAULT;
    return PINNED;
}

static bool is_guard(const struct fl_pin_vma *vma, uint64_t va)
{
    return vma->growsdown && !vma->prev_adjoins && va == vma->start;
}

/* Has the stack that v lies in been extended by the page before it, of the same call? Then v is no longer its lowest. */
static bool extended(const struct fl_pin_view *before, const struct fl_pin_view *v)
{
    return before->has_vma && before->vma.generation == v->vma.generation && before->vma.start < v->vma.start;
}

/* before: of the page in front of it, in the range; NULL: it is the first. */
static enum fate page(const struct fl_pin_call *c, const struct fl_pin_view *before, const struct fl_pin_view *v,
                      uint64_t va)
{
    bool hints = !(c->flags & FL_FOLL_FORCE), write = c->flags & FL_FOLL_WRITE;
    enum fate fate;

    if (!v->has_vma && v->vma.gate)
        return gate_page(c, v);
    if (!pin_area_permits(c, v) || !pin_key_permits(c, &v->vma))
        return EFAULT;
    write |= pin_is_cow(&v->vma) && (c->flags & FL_FOLL_GET) && !(c->flags & FL_FOLL_DUMP);
    if (v->vma.huge_shift && (c->flags & FL_FOLL_DUMP) && !v->mapped)
        return UNKNOWN; /* a hole, or the page cache's */
    if (serves(c, v, write, hints)) {
        fate = take(c, v);
        if (fate == ENOMEM && v->leaf_level > 1 && (c->flags & FL_FOLL_SPLIT) && !v->vma.huge_shift)
            return UNKNOWN; /* small pages have counts of their own */
        return fate;
    }
    /* A huge leaf that is being split, or must be, is one of small pages when it is looked at again. */
    if (v->splitting || (v->mapped && v->leaf_level > 1 && (c->flags & FL_FOLL_SPLIT)))
        return UNKNOWN;
    if (!v->mapped && v->swap == FL_SWAP_MIGRATION && (c->flags & FL_FOLL_MIGRATION))
        return UNKNOWN; /* it is waited for, and then looked at again */
    if (!v->mapped && v->swap == FL_SWAP_NONE && (c->flags & FL_FOLL_DUMP) && !v->vma.has_fault)
        return EFAULT;
    if ((c->flags & FL_FOLL_MLOCK) && is_guard(&v->vma, va) && !(before && extended(before, v)))
        return c->flags & FL_FOLL_GET ? EFAULT : PINNED;
    if (v->mapped && !v->hint && v->special && !v->zero)
        return UNKNOWN;
    fate = after_fault(c, write ? v->fault_write : v->fault_read);
    if (v->vma.huge_shift && fate != PINNED)
        return EFAULT;
    if (fate == PINNED && v->fault_special && !(write && !v->vma.shared))
        return EFAULT;
    if (fate == PINNED && v->gone && v->device && (v->vma.shared || !write))
        return EFAULT;
    if (fate == PINNED && v->saturated)
        return UNKNOWN;
    return fate;
}

static enum fate of_error(uint8_t error)
{
    switch (error) {
    case FL_PIN_EFAULT: return EFAULT;
    case FL_PIN_ENOMEM: return ENOMEM;
    case FL_PIN_EHWPOISON: return EHWPOISON;
    default: return UNKNOWN;
    }
}

static bool differ(struct fl_divergence *d, const char *expected, const char *actual, uint64_t due, uint64_t got)
{
    fl_divergence_set(d, FL_CHECK_DECISION, "pin", expected, actual,
                      "from what is mapped follow %llu pages (then: %s), the call came to %llu (%s)",
                      (unsigned long long)due, expected, (unsigned long long)got, actual);
    return true;
}

static bool decide_pages(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    int64_t n = c->n < FL_PIN_PAGES ? c->n : FL_PIN_PAGES;
    enum fate fate = PINNED, got;
    int64_t due = 0;

    for (; due < n; due++) {
        uint64_t va = (c->start & ~UINT64_C(0xfff)) + (uint64_t)due * 4096;

        fate = page(c, due ? &s->view[0][due - 1] : NULL, &s->view[0][due], va);
        if (fate != PINNED)
            break;
    }
    if (fate == UNKNOWN)
        return false;
    if (fate == PINNED && c->n > FL_PIN_PAGES)
        return s->out.pages < (uint64_t)due ? differ(d, "pinned", "fewer", (uint64_t)due, s->out.pages) : false;
    if (s->out.pages != (uint64_t)due)
        return differ(d, fate_names[fate], s->out.pages < (uint64_t)due ? "fewer" : "more", (uint64_t)due,
                      s->out.pages);
    if (due || n <= 0 || c->api == PIN_API_DUMP) /* a dump says only whether there is a page */
        return false;
    got = of_error(s->out.error);
    return got != fate ? differ(d, fate_names[fate], s->out.error == FL_PIN_OK ? "nothing" : fate_names[got], 0, 0)
                       : false;
}

/* Surely within the fast path's reach. */
static bool fast_sure(const struct fl_pin_call *c, const struct fl_pin_seen *s, const struct fl_pin_view *v)
{
    return v->has_vma && v->mapped && v->write.kind == FL_ARCH_OK && v->page_valid && !v->special && !v->splitting &&
           !v->device && !v->saturated && pin_key_permits(c, &v->vma) && (v->leaf_level > 1 || s->has_special);
}

static bool decide_fast_only(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    uint64_t start = c->start & ~UINT64_C(0xfff), end = start + (uint64_t)c->n * 4096;
    uint64_t due = 0;

    if (c->n <= 0 || end <= start || end > c->task_size)
        return s->out.pages ? differ(d, "nothing", "more", 0, s->out.pages) : false;
    while (due < FL_PIN_PAGES && (int64_t)due < c->n && fast_sure(c, s, &s->view[0][due]))
        due++;
    return s->out.pages < due ? differ(d, "pinned", "fewer", due, s->out.pages) : false;
}

static bool decide_fixup(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    const struct fl_pin_view *v = &s->view[0][0];
    bool write = c->flags & FL_FOLL_WRITE;
    enum fate due = EFAULT, got = s->out.error == FL_PIN_OK ? PINNED : of_error(s->out.error);

    if (v->has_vma && (write ? v->vma.write : v->vma.read) && pin_key_permits(c, &v->vma)) {
        uint8_t result = write ? v->fault_write : v->fault_read;

        due = result == FL_MM_HWPOISON || result == FL_MM_HWPOISON_LARGE ? EHWPOISON : after_fault(c, result);
    }
    return got != due ? differ(d, fate_names[due], fate_names[got], 0, 0) : false;
}

bool pin_decide(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    if (s->ninstants == 0)
        return false;
    switch (c->api) {
    case PIN_API_PIN:
    case PIN_API_USER:
    case PIN_API_DUMP: return decide_pages(c, s, d);
    case PIN_API_FAST: return pin_fast_cannot_tell(c, s) ? false : decide_pages(c, s, d);
    case PIN_API_FAST_ONLY: return decide_fast_only(c, s, d);
    case PIN_API_FIXUP: return decide_fixup(c, s, d);
    default: return false;
    }
}

/* ---- accounting ---------------------------------------------------------------------------------------------------- */

bool pin_accounted(const struct fl_pin_call *c, const struct fl_pin_seen *s, struct fl_divergence *d)
{
    uint32_t minor = s->faults[FL_MM_MINOR] + s->faults[FL_MM_RETRY];
    uint32_t major = s->faults[FL_MM_MAJOR] + s->faults[FL_MM_RETRY_MAJOR];
    const char *actual;

    if (c->api == PIN_API_FIXUP) {
        bool done = s->faults[FL_MM_MINOR] || s->faults[FL_MM_MAJOR];

        minor = done && !major;
        major = done && major;
    }
    if (s->accounted[0] == minor && s->accounted[1] == major)
        return false;
    actual = s->accounted[0] + s->accounted[1] < minor + major   ? "fewer"
             : s->accounted[0] + s->accounted[1] > minor + major ? "more"
                                                                 : "other-kind";
    fl_divergence_set(d, FL_CHECK_DECISION, "pin-accounted", "each-once", actual,
                      "%u minor and %u major faults are the task's, %u and %u were counted", minor, major,
                      s->accounted[0], s->accounted[1]);
    return true;
}
