/* SPDX-License-Identifier: MIT */
/*
 * What a call that nobody disturbs comes to: the oracle's rules against a second reading, over every combination of a few
 * facts of area, page, faults and flags. The second reading goes the way of the call: look, fault, look again, with what the
 * fault has changed; the oracle's answers all from the facts at the beginning. What the second reading leaves open, the
 * oracle must leave open too.
 */
#include "quiet.h"

static uint64_t fates[FATES], calls;

/* ---- the second reading ---------------------------------------------------------------------------------------------- */

struct page_now {
    bool there, hint, writable, own, unusable, zero, full, going, splitting, huge;
};

static struct page_now begin(const struct fl_pin_view *v)
{
    return (struct page_now){.there = v->mapped,
                             .hint = v->hint,
                             .writable = v->leaf_write,
                             .own = v->anon && v->exclusive,
                             .unusable = !v->page_valid || (v->special && !v->zero),
                             .zero = v->zero,
                             .full = v->saturated,
                             .going = v->gone,
                             .splitting = v->splitting,
                             .huge = v->leaf_level > 1};
}

static bool may(const struct fl_pin_vma *vma, unsigned flags)
{
    bool force = (flags & FL_FOLL_FORCE) != 0;

    if (vma->io || vma->pfnmap)
        return false;
    if (!(flags & FL_FOLL_WRITE))
        return vma->read || (force && vma->may_read);
    if (vma->write)
        return true;
    return force && vma->may_write && !vma->shared; /* a copy of the caller's own can be had */
}

static enum fate error_of(uint8_t result, unsigned flags, bool hugetlb)
{
    if (result == FL_MM_MINOR || result == FL_MM_MAJOR)
        return PINNED;
    if (hugetlb)
        return REFUSED;
    if (result == FL_MM_OOM)
        return NO_MEMORY;
    if (result == FL_MM_HWPOISON || result == FL_MM_HWPOISON_LARGE)
        return flags & FL_FOLL_HWPOISON ? POISONED : REFUSED;
    return REFUSED;
}

static enum fate one_page(const struct fl_pin_call *c, const struct fl_pin_view *v)
{
    const struct fl_pin_vma *vma = &v->vma;
    bool private_copy = !vma->shared && vma->may_write, get = c->flags & FL_FOLL_GET, dump = c->flags & FL_FOLL_DUMP;
    bool write = (c->flags & FL_FOLL_WRITE) || (private_copy && get && !dump),
         own_will_do = private_copy && !vma->write;
    struct page_now now = begin(v);

    if (vma->gate)
        return (c->flags & FL_FOLL_WRITE) || !now.there || (now.zero && dump) ? REFUSED : PINNED;
    if (!v->has_vma || !may(vma, c->flags))
        return REFUSED;
    if (vma->huge_shift && dump && !now.there)
        return OPEN; /* whether the page cache has it is no fact of the view */
    for (unsigned look = 0; look < 4; look++) {
        bool wait_for_hint = now.hint && !(c->flags & FL_FOLL_FORCE) && (vma->read || vma->write || vma->exec);
        enum fate fault;

        if (now.splitting)
            return OPEN;
        if (now.there && !wait_for_hint && (!write || now.writable || (own_will_do && now.own))) {
            if (now.unusable || now.going || (now.zero && dump))
                return REFUSED;
            if (!get || !now.full)
                return PINNED;
            /* Small pages have counts of their own. */
            return now.huge && (c->flags & FL_FOLL_SPLIT) && !vma->huge_shift ? OPEN : NO_MEMORY;
        }
        if (!now.there && v->swap == FL_SWAP_MIGRATION && (c->flags & FL_FOLL_MIGRATION))
            return OPEN; /* it is waited for, and what comes is no fact of the view */
        if (now.there && now.huge && (c->flags & FL_FOLL_SPLIT))
            return OPEN; /* of small pages by now */
        if (!now.there && v->swap == FL_SWAP_NONE && dump && !vma->has_fault)
            return REFUSED; /* a hole is to be written */
        if ((c->flags & FL_FOLL_MLOCK) && vma->growsdown && !vma->prev_adjoins && vma->start == START)
            return get ? REFUSED : PINNED; /* the guard page is left out */
        if (now.there && !wait_for_hint && now.unusable)
            return OPEN; /* its handler decides what a write makes of it */
        fault = error_of(write ? v->fault_write : v->fault_read, c->flags, vma->huge_shift != 0);
        if (fault != PINNED)
            return fault;
        if (now.there && wait_for_hint) {
            now.hint = false; /* and nothing else */
            if (now.full)
                return OPEN;
            continue;
        }
        /* A write in a private area brings a page of the task's own, whatever was there. */
        if (!(write && !vma->shared) && (v->fault_special || v->gone))
            return REFUSED;
        if (v->saturated)
            return OPEN; /* of the page that was there, or of one that is copied? */
        now = (struct page_now){.there = true, .writable = write && vma->write, .own = write && !vma->shared};
        if (write && vma->shared)
            now.writable = true;
    }
    CHECK(false, "the second reading does not end");
    return OPEN;
}

/* ---- facts ------------------------------------------------------------------------------------------------------------ */

/* Rights of an area: what it has, and what it could have. */
static const uint8_t rights[] = {0x0, 0x4, 0xc, 0x5, 0xd, 0xe, 0xf, 0x8}; /* r w may-read may-write, from bit 0 on */
enum kind { PLAIN, GUARD, ADJOINED, IO, PFNMAP, HUGETLB, KINDS };

static void set_area(struct fl_pin_view *v, unsigned bits, enum kind kind, bool shared, bool handler)
{
    v->has_vma = true;
    v->vma = (struct fl_pin_vma){.start = kind == GUARD || kind == ADJOINED ? START : START - 4096,
                                 .end = START + 4096,
                                 .read = bits & 1,
                                 .write = bits & 2,
                                 .may_read = bits & 4,
                                 .may_write = bits & 8,
                                 .shared = shared,
                                 .growsdown = kind == GUARD || kind == ADJOINED,
                                 .prev_adjoins = kind == ADJOINED,
                                 .io = kind == IO,
                                 .pfnmap = kind == PFNMAP,
                                 .has_fault = handler,
                                 .huge_shift = kind == HUGETLB ? 21 : 0};
}

/* ---- one case --------------------------------------------------------------------------------------------------------- */

static void check(struct made *m, const char *what)
{
    enum fate want = one_page(&m->c, &m->v[0][0]), other;

    calls++;
    fates[want]++;
    if (want == OPEN) {
        CHECK(comes_to(m, PINNED) && comes_to(m, REFUSED), "%s, flags %#x: left open", what, m->c.flags);
        return;
    }
    CHECK(comes_to(m, want),
          "%s, api %u, flags %#x: fate %d (0 pinned, 1 efault, 2 enomem, 3 ehwpoison) is not accepted", what, m->c.api,
          m->c.flags, want);
    other = want == PINNED ? 1 + calls % 3 : calls % 4 == want ? PINNED : calls % 4;
    if (m->c.api == FL_PINAPI_DUMP && want != PINNED)
        CHECK(comes_to(m, want == REFUSED ? NO_MEMORY : REFUSED), "a dump says only whether there is a page");
    if (m->c.api == FL_PINAPI_DUMP)
        other = want == PINNED ? REFUSED : PINNED;
    CHECK(!comes_to(m, other), "%s, api %u, flags %#x: fate %d is accepted, expected %d", what, m->c.api, m->c.flags,
          other, want);
}

static const uint8_t results[] = {FL_MM_MINOR,    FL_MM_MAJOR,          FL_MM_OOM,
                                  FL_MM_HWPOISON, FL_MM_HWPOISON_LARGE, FL_MM_SIGBUS};

/* The faults, and what may make a difference of the page. The direction that is not asked for answers the contrary. */
static void each_fault(struct made *m, const char *what)
{
    struct fl_pin_view *v = &m->v[0][0];

    for (unsigned i = 0; i < COUNT(results); i++)
        for (unsigned facts = 0; facts < 8; facts++) {
            bool cow = !v->vma.shared && v->vma.may_write && (m->c.flags & FL_FOLL_GET) && !(m->c.flags & FL_FOLL_DUMP);
            uint8_t noise = results[i] == FL_MM_MINOR ? FL_MM_SIGSEGV : FL_MM_MINOR;

            if (((facts & 1) && !v->device) || ((facts & 2) && v->mapped) || ((facts & 4) && v->zero))
                continue;
            v->gone = facts & 1;
            v->fault_special = facts & 2;
            v->saturated = facts & 4;
            v->fault_write = (m->c.flags & FL_FOLL_WRITE) || cow ? results[i] : noise;
            v->fault_read = (m->c.flags & FL_FOLL_WRITE) || cow ? noise : results[i];
            check(m, what);
        }
    v->gone = v->fault_special = v->saturated = false;
}

static void each_flags(struct made *m, const char *what, enum state s, enum kind kind)
{
    static const unsigned flags[] = {FL_FOLL_WRITE, FL_FOLL_FORCE, FL_FOLL_GET,     FL_FOLL_DUMP,
                                     FL_FOLL_MLOCK, FL_FOLL_SPLIT, FL_FOLL_HWPOISON};

    for (unsigned bits = 0; bits < 1u << COUNT(flags); bits++) {
        /* Where they cannot matter. */
        if (((bits & 16) && kind != GUARD && kind != ADJOINED) ||
            ((bits & 32) && s < HUGE_W && s != ZERO_HUGE && s != OWN_RO))
            continue;
        m->c.flags = FL_FOLL_TOUCH;
        for (unsigned i = 0; i < COUNT(flags); i++)
            m->c.flags |= bits & 1u << i ? flags[i] : 0;
        each_fault(m, what);
    }
}

static void test_pages(void)
{
    static struct made m;
    char what[128];

    start(&m, FL_PINAPI_PIN);
    for (unsigned s = 0; s < STATES; s++)
        for (unsigned r = 0; r < COUNT(rights); r++)
            for (unsigned kind = 0; kind < KINDS; kind++)
                for (unsigned more = 0; more < 4; more++) {
                    bool shared = more & 1;

                    if ((kind == GUARD || kind == ADJOINED) && shared)
                        continue; /* there is no such area */
                    memset(&m.v[0][0], 0, sizeof m.v[0][0]);
                    set_area(&m.v[0][0], rights[r], kind, shared, more & 2);
                    set_state(&m.v[0][0], s);
                    snprintf(what, sizeof what, "%s, rights %#x, kind %u%s%s", state_names[s], rights[r], kind,
                             shared ? ", shared" : "", more & 2 ? ", handler" : "");
                    each_flags(&m, what, s, kind);
                }
}

/* The other ways in have the flags that they have. */
static void test_apis(void)
{
    static const struct {
        uint8_t api;
        unsigned flags;
    } apis[] = {{FL_PINAPI_USER, FL_FOLL_GET},
                {FL_PINAPI_USER, FL_FOLL_GET | FL_FOLL_WRITE | FL_FOLL_FORCE},
                {FL_PINAPI_USER, FL_FOLL_WRITE},
                {FL_PINAPI_FAST, FL_FOLL_GET},
                {FL_PINAPI_FAST, FL_FOLL_GET | FL_FOLL_WRITE},
                {FL_PINAPI_DUMP, FL_FOLL_GET | FL_FOLL_FORCE | FL_FOLL_DUMP}};
    static struct made m;

    for (unsigned a = 0; a < COUNT(apis); a++)
        for (unsigned s = 0; s < STATES; s++)
            for (unsigned r = 0; r < COUNT(rights); r++)
                for (unsigned kind = 0; kind < KINDS; kind++) {
                    bool write = rights[r] & 2, read = rights[r] & 1;

                    start(&m, apis[a].api);
                    m.c.flags = apis[a].flags;
                    set_area(&m.v[0][0], rights[r], kind, false, true);
                    set_state(&m.v[0][0], s);
                    if (apis[a].api == FL_PINAPI_FAST && ((write && !read) || kind == IO || kind == PFNMAP)) {
                        CHECK(comes_to(&m, PINNED) && comes_to(&m, REFUSED), "the tables alone do not tell");
                        continue;
                    }
                    each_fault(&m, state_names[s]);
                }
}

static void test_gate(void)
{
    static struct made m;

    for (unsigned flags = 0; flags < 16; flags++)
        for (unsigned s = 0; s < STATES; s++) {
            if (s != HOLE && s != FILE_RO && s != ZERO)
                continue;
            start(&m, FL_PINAPI_PIN);
            m.c.flags = (flags & 1 ? FL_FOLL_WRITE : 0) | (flags & 2 ? FL_FOLL_FORCE : 0) |
                        (flags & 4 ? FL_FOLL_GET : 0) | (flags & 8 ? FL_FOLL_DUMP : 0);
            memset(&m.v[0][0], 0, sizeof m.v[0][0]);
            m.v[0][0].vma = (struct fl_pin_vma){.read = true, .exec = true, .may_read = true, .gate = true};
            set_state(&m.v[0][0], s);
            check(&m, "gate");
            m.v[0][0].vma.gate = false; /* and no area at all */
            check(&m, "nothing");
        }
}

static void test_keys(void)
{
    static struct made m;

    for (unsigned i = 0; i < 1024; i++) {
        bool write = i & 1, remote = i & 2, on = i & 4, hole = i & 8, denied;
        unsigned key = i >> 4 & 3, rights_of = i >> 6 & 3, mode = i >> 8;

        start(&m, FL_PINAPI_PIN);
        m.c.flags = FL_FOLL_GET | (write ? FL_FOLL_WRITE : 0);
        m.c.remote = remote;
        m.c.cpu.mode = (uint8_t)mode;
        m.c.cpu.cr4 = on ? CR4_PKE : 0;
        m.c.cpu.pkru = rights_of << 2; /* of key 1 */
        m.v[0][0].vma.pkey = (uint8_t)key;
        set_state(&m.v[0][0], hole ? HOLE : OWN_W);
        denied = mode >= FL_MODE_4LEVEL && on && !remote && key == 1 && ((rights_of & 1) || (write && (rights_of & 2)));
        calls++;
        CHECK(comes_to(&m, denied ? REFUSED : PINNED), "key case %u", i);
        CHECK(!comes_to(&m, denied ? PINNED : REFUSED), "key case %u", i);
    }
}

int main(void)
{
    test_pages();
    test_apis();
    test_gate();
    test_keys();
    for (unsigned i = 0; i < FATES; i++)
        CHECK(fates[i] > 100, "fate %u came up %" PRIu64 " times", i, fates[i]);
    printf("%" PRIu64 " calls: %" PRIu64 " pinned, %" PRIu64 " efault, %" PRIu64 " enomem, %" PRIu64
           " ehwpoison, %" PRIu64 " open\n",
           calls, fates[PINNED], fates[REFUSED], fates[NO_MEMORY], fates[POISONED], fates[OPEN]);
    return check_done("pin-decide");
}
