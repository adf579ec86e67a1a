/* SPDX-License-Identifier: MIT */
/* What each actor does to a page, before and after: as the man pages and Documentation/ have it of the call or of the
 * kernel's own doing that it stands for. */
#include "world.h"

#include <stdarg.h>

/* ---- pictures of pages ------------------------------------------------------------------------------------------------ */

static void append(char *buf, const char *format, ...)
{
    size_t used = strlen(buf);
    va_list args;

    va_start(args, format);
    vsnprintf(buf + used, 128 - used, format, args);
    va_end(args);
}

static void picture_data(uint64_t data, char *buf)
{
    if (data >> 48 == 0xf11e)
        append(buf, " file");
    else if (data >> 48 == 0xdea1)
        append(buf, " dev");
    else
        append(buf, " %llu", (unsigned long long)data);
}

/* "anon w d x 1 maps 1 count 1": kind, rights and marks of the leaf, exclusive, contents, counts. */
static const char *picture(const struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    static const char *const kinds[] = {"free", "anon", "cache", "zero", "device", "hugetlb"};
    static const char *const swaps[] = {"nothing", "offset", "swapped", "moving", "poison"};
    static char bufs[4][128];
    static unsigned next;
    char *buf = bufs[next++ % 4];
    struct fl_pin_place p = world_look(w, mm, va);

    buf[0] = '\0';
    if (!p.exists)
        append(buf, "no mm");
    else if (!p.mapped)
        append(buf, "%s%s", p.has_area || va >= w->space.task_size ? "" : "no area, ", swaps[p.swap]);
    if (!p.mapped)
        return buf;
    append(buf, "%s%s%s%s%s%s%s%s%s", p.valid ? kinds[p.kind] : "frame", p.order ? " huge" : "", p.writable ? " w" : "",
           p.dirty ? " d" : "", p.exclusive ? " x" : "", p.hint ? " hint" : "", p.protnone ? " none" : "",
           p.splitting ? " splitting" : "", p.head != p.pfn && p.valid ? " tail" : "");
    if (!p.valid)
        return buf;
    picture_data(p.data, buf);
    if (p.kind == PG_ZERO) /* shared by all who want it: how many differs by mode */
        return buf;
    append(buf, " maps %d count %d", p.maps, p.count);
    if (p.tail)
        append(buf, " pinned as tail %d", p.tail);
    return buf;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------- */

enum { PIN_WRITE = 200, PIN_READ };

struct step {
    uint8_t act; /* enum fl_act, or one of the above; READ of mm 2: the end */
    uint8_t mm;
    uint16_t page, pages;
    uint8_t arg;
};
#define ACT(name, page)                                                                                                \
    {                                                                                                                  \
        FL_ACTOR_##name, 0, page, 1, 0                                                                                 \
    }
#define ACTS(name, page, pages)                                                                                        \
    {                                                                                                                  \
        FL_ACTOR_##name, 0, page, pages, 0                                                                             \
    }
#define CHILD(name, page)                                                                                              \
    {                                                                                                                  \
        FL_ACTOR_##name, 1, page, 1, 0                                                                                 \
    }
#define PROTECT(page, pages, arg)                                                                                      \
    {                                                                                                                  \
        FL_ACTOR_MPROTECT, 0, page, pages, arg                                                                         \
    }
#define PIN(page)                                                                                                      \
    {                                                                                                                  \
        PIN_WRITE, 0, page, 1, 0                                                                                       \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        0, 2, 0, 0, 0                                                                                                  \
    }

static const struct row {
    const char *name;
    uint8_t kind;
    uint16_t pages;
    unsigned flags;
    struct step before[6];
    struct step act;
    bool refused; /* FL_INVALID, and nothing has changed */
    uint16_t page;
    const char *was, *is;             /* of mm 0 */
    const char *child_was, *child_is; /* NULL: there is none */
} rows[] = {
#include "actor_rows.def"
};

static enum fl_status take(struct fl_pin_world *w, const struct step *s)
{
    struct fl_record r = actor(s->act, s->mm, PAGE(s->page), s->pages);

    r.u.act.arg = s->arg;
    if (s->act == PIN_WRITE || s->act == PIN_READ)
        return world_pin(w, PAGE(s->page), s->pages, s->act == PIN_WRITE ? FL_FOLL_WRITE : 0) == s->pages ? FL_OK
                                                                                                          : FL_INVALID;
    return fl_pin_world_apply(w, &r);
}

static void check(const struct row *r, const char *when, const char *is, const char *due)
{
    CHECK(!strcmp(is, due), "%s, %s: \"%s\", expected \"%s\"", r->name, when, is, due);
}

static void test_row(struct fl_pin_world *w, uint8_t mode, const struct row *r)
{
    enum fl_status status;

    world_begin(w, mode);
    CHECK_EQ(world_area(w, r->kind, BASE, r->pages, r->flags), FL_OK, "%s: the area", r->name);
    for (const struct step *s = r->before; s->mm < 2 && s->pages; s++)
        CHECK_EQ(take(w, s), FL_OK, "%s: step %u", r->name, (unsigned)(s - r->before));
    check(r, "before", picture(w, 0, PAGE(r->page)), r->was);
    if (r->child_was)
        check(r, "the child's before", picture(w, 1, PAGE(r->page)), r->child_was);
    status = take(w, &r->act);
    CHECK_EQ(status == FL_OK, !r->refused, "%s: status %d", r->name, status);
    check(r, "after", picture(w, 0, PAGE(r->page)), r->refused ? r->was : r->is);
    if (r->child_is)
        check(r, "the child's after", picture(w, 1, PAGE(r->page)), r->child_is);
    world_sound(w, r->name);
}

/* Every actor has rows; those that change no page are below. */
static void test_all_there(void)
{
    for (unsigned a = 0; a < FL_ACTOR_COUNT; a++) {
        unsigned n = 0;

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            n += rows[i].act.act == a;
        if (a != FL_ACTOR_SIGKILL && a != FL_ACTOR_SIGKILL_OTHER && a != FL_ACTOR_GATE_GONE)
            CHECK(n, "%s has rows", fl_pin_actor_name(a));
    }
}

/* A page that has moved is another frame with the same contents; one that is pinned while it moves comes back. */
static void test_frames(struct fl_pin_world *w)
{
    uint64_t was;
    struct pg *p;

    world_begin(w, FL_MODE_4LEVEL);
    world_area(w, FL_AREA_ANON, BASE, 4, RW);
    world_act(w, FL_ACTOR_WRITE, BASE);
    was = world_look(w, 0, BASE).pfn;
    world_act(w, FL_ACTOR_MIGRATE_BEGIN, BASE);
    world_act(w, FL_ACTOR_MIGRATE_END, BASE);
    CHECK(world_look(w, 0, BASE).pfn != was, "it is in another frame");
    CHECK_EQ(world_look(w, 0, BASE).data, 1, "with the same contents");
    was = world_look(w, 0, BASE).pfn;
    world_act(w, FL_ACTOR_MIGRATE_BEGIN, BASE);
    p = page_of(w, was);
    page_ref(w, p, 1); /* somebody */
    p->others++;
    world_act(w, FL_ACTOR_MIGRATE_END, BASE);
    CHECK_EQ(world_look(w, 0, BASE).pfn, was, "what somebody holds stays in its frame");
    world_sound(w, "moved");
    /* A fork's copy is another frame, and the child keeps the old one. */
    world_act(w, FL_ACTOR_FORK, BASE);
    was = world_look(w, 0, BASE).pfn;
    world_act(w, FL_ACTOR_WRITE, BASE);
    CHECK(world_look(w, 0, BASE).pfn != was, "the writer moves away");
    CHECK_EQ(world_look(w, 1, BASE).pfn, was, "the other stays");
    /* A collapse and a split keep every page's contents. */
    world_begin(w, FL_MODE_4LEVEL);
    world_area(w, FL_AREA_ANON, BASE, 1024, RW);
    for (unsigned i = 0; i < 8; i++)
        world_act(w, FL_ACTOR_WRITE, PAGE(i * 3));
    for (unsigned round = 0; round < 3; round++) {
        if (round)
            CHECK_EQ(world_act(w, round == 1 ? FL_ACTOR_COLLAPSE : FL_ACTOR_SPLIT, BASE), FL_OK, "round %u", round);
        for (unsigned i = 0; i < 8; i++) {
            CHECK_EQ(world_look(w, 0, PAGE(i * 3)).data, i + 1, "page %u, round %u", i * 3, round);
            if (i && round == 1)
                CHECK_EQ(world_look(w, 0, PAGE(i * 3)).pfn, world_look(w, 0, BASE).pfn + i * 3, "in a row");
        }
        world_sound(w, "collapsed");
    }
}

static void test_signals_and_gate(struct fl_pin_world *w)
{
    const struct fl_gup_ops *ops = fl_pin_world_ops();
    struct fl_pin_vma vma;

    world_begin(w, FL_MODE_4LEVEL);
    CHECK(!ops->fatal_signal(w), "nobody is killed");
    world_act(w, FL_ACTOR_SIGKILL_OTHER, BASE);
    CHECK(!ops->fatal_signal(w), "another's signal is not the caller's");
    world_act(w, FL_ACTOR_SIGKILL, BASE);
    CHECK(ops->fatal_signal(w), "the caller's is");
    CHECK(ops->gate_vma(w, UINT64_C(0xffffffffff600000), &vma), "there is a gate area");
    CHECK(!strcmp(picture(w, 0, UINT64_C(0xffffffffff600000)), "cache 0 maps 0 count 1"), "and a page in it: %s",
          picture(w, 0, UINT64_C(0xffffffffff600000)));
    world_act(w, FL_ACTOR_GATE_GONE, BASE);
    CHECK(ops->gate_vma(w, UINT64_C(0xffffffffff600000), &vma), "the area stays");
    CHECK(!strcmp(picture(w, 0, UINT64_C(0xffffffffff600000)), "nothing"), "the page is gone: %s",
          picture(w, 0, UINT64_C(0xffffffffff600000)));
    world_sound(w, "gate");
}

/* An actor that has nothing to act upon is refused, or does nothing. */
static void test_nothing_there(struct fl_pin_world *w)
{
    for (unsigned a = 0; a < FL_ACTOR_COUNT; a++) {
        world_begin(w, FL_MODE_4LEVEL);
        world_act(w, (uint8_t)a, BASE);
        CHECK(!strcmp(picture(w, 0, BASE), "no area, nothing"), "%s where no area is: %s", fl_pin_actor_name(a),
              picture(w, 0, BASE));
        CHECK_EQ(child_act(w, (uint8_t)a, BASE) == FL_OK, a == FL_ACTOR_FORK, "%s of a child that is none",
                 fl_pin_actor_name(a));
        world_sound(w, fl_pin_actor_name(a));
    }
}

int main(void)
{
    struct fl_pin_world *w;

    if (fl_pin_world_open(&w) != FL_OK)
        return 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (uint8_t mode = 0; mode < FL_MODE_COUNT; mode++)
            test_row(w, mode, &rows[i]);
    test_all_there();
    test_frames(w);
    test_signals_and_gate(w);
    test_nothing_there(w);
    fl_pin_world_close(w);
    return check_done("pin-world-actors");
}
