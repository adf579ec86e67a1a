/* SPDX-License-Identifier: MIT */
/*
 * Memory as tasks see it. Beside the model runs a much simpler one: what each page of each task holds, as the man pages of
 * mmap, fork, madvise and ptrace have it. Whatever the kernel does to pages meanwhile (reclaim, migration, collapse, split,
 * hints, writeback), a task reads what it would read without. The model's tables are walked by the oracle's own walk.
 */
#include "world.h"

#define ROUNDS 1500u
#define STEPS  60u
#define PAGES  24u

/* Areas: private anonymous, private file, shared memory, huge. Page i of an area is page AT[area] + i. */
enum { ANON, FILED, SHARED, HUGE, AREAS };
static const struct {
    uint8_t kind;
    unsigned at, pages, flags;
} areas[AREAS] = {{FL_AREA_ANON, 0, 8, RW},
                  {FL_AREA_FILE, 16, 4, RW},
                  {FL_AREA_SHMEM, 24, 4, RW | FL_AREA_SHARED},
                  {FL_AREA_ANON, 0x400, 2048, RW | FL_AREA_HUGE}};

static const unsigned pages[PAGES] = {
    0,  1,  2,  3,  4,     5,     6,     7,     16,          17,          18,           19,
    24, 25, 26, 27, 0x400, 0x401, 0x402, 0x403, 0x400 + 511, 0x400 + 512, 0x400 + 1023, 0x400 + 1024};

static uint64_t seen, walked, unlike[FL_ACTOR_COUNT];

static unsigned area_of(unsigned page)
{
    unsigned a = 0;

    while (a + 1 < AREAS && page >= areas[a + 1].at)
        a++;
    return a;
}

/* ---- the simple model ------------------------------------------------------------------------------------------------- */

struct simple {
    bool child;
    uint64_t data[2][PAGES];
};

static uint64_t first_contents(unsigned i)
{
    unsigned a = area_of(pages[i]);

    if (a == FILED)
        return UINT64_C(0xf11e000000000000) | (pages[i] - areas[a].at);
    if (a == SHARED)
        return UINT64_C(0xf11e000000000000) | UINT64_C(1) << 32 | (pages[i] - areas[a].at);
    return 0;
}

static void simple_begin(struct simple *s)
{
    s->child = false;
    for (unsigned i = 0; i < PAGES; i++)
        s->data[0][i] = s->data[1][i] = first_contents(i);
}

static void simple_store(struct simple *s, unsigned mm, unsigned i, uint64_t value)
{
    s->data[mm][i] = value;
    if (area_of(pages[i]) == SHARED)
        s->data[!mm][i] = value;
}

static void simple_act(struct simple *s, const struct fl_record *r, unsigned i, uint64_t value)
{
    unsigned mm = r->u.act.mm;

    switch (r->u.act.act) {
    case FL_ACTOR_WRITE: simple_store(s, mm, i, value); break;
    case FL_ACTOR_FORK:
        memcpy(s->data[1], s->data[0], sizeof s->data[1]);
        s->child = true;
        break;
    case FL_ACTOR_EXIT: s->child = false; break;
    case FL_ACTOR_DONTNEED:
        for (unsigned k = 0; k < PAGES; k++)
            if (pages[k] >= pages[i] && pages[k] < pages[i] + r->u.act.pages && area_of(pages[k]) != SHARED)
                s->data[mm][k] = first_contents(k);
        break;
    default: break; /* no task's contents change */
    }
}

/* ---- the comparison ---------------------------------------------------------------------------------------------------- */

/* What the processor would find, by the oracle's walk: true, and the frame, if the access completes. */
static bool processor(struct fl_pin_world *w, unsigned mm, uint64_t va, enum fl_access_kind kind, uint64_t *pfn)
{
    struct fl_access access = {.va = va, .kind = kind, .priv = FL_USER};
    struct fl_cpu cpu = w->space.cpu;
    struct fl_arch_result result;

    cpu.cr3 = w->mm[mm].root;
    CHECK_EQ(fl_arch_walk(&cpu, &access, tables_read, w, &result), FL_OK, "the walk");
    CHECK(result.kind != FL_ARCH_BUS && result.kind != FL_ARCH_GP, "tables lie in memory");
    *pfn = result.paddr >> PAGE_SHIFT;
    return result.kind == FL_ARCH_OK;
}

static void compare(struct fl_pin_world *w, const struct simple *s, const char *after)
{
    for (unsigned mm = 0; mm < 1u + s->child; mm++)
        for (unsigned i = 0; i < PAGES; i++) {
            uint64_t va = PAGE(pages[i]), pfn, frame;
            struct fl_pin_place p = world_look(w, mm, va);
            bool reads = processor(w, mm, va, FL_READ, &pfn), writes = processor(w, mm, va, FL_WRITE, &frame);

            walked++;
            CHECK_EQ(reads, p.mapped && p.present, "after %s: page %#x of mm %u is readable", after, pages[i], mm);
            CHECK_EQ(writes, p.mapped && p.present && p.writable, "after %s: page %#x of mm %u is writable", after,
                     pages[i], mm);
            if (!reads)
                continue;
            seen++;
            CHECK_EQ(pfn, p.pfn, "after %s: frame of page %#x of mm %u", after, pages[i], mm);
            CHECK_EQ(page_of(w, pfn)->data, s->data[mm][i], "after %s: contents of page %#x of mm %u", after, pages[i],
                     mm);
        }
}

/* All pages are brought in, and hold what they must. */
static void read_all(struct fl_pin_world *w, const struct simple *s, const char *after)
{
    for (unsigned mm = 0; mm < 1u + s->child; mm++)
        for (unsigned i = 0; i < PAGES; i++) {
            struct fl_record r = actor(FL_ACTOR_READ, mm, PAGE(pages[i]), 1);

            fl_pin_world_apply(w, &r);
            CHECK(world_look(w, mm, PAGE(pages[i])).mapped, "page %#x of mm %u is read", pages[i], mm);
        }
    compare(w, s, after);
}

/* ---- random histories --------------------------------------------------------------------------------------------------- */

static void random_step(struct fl_pin_world *w, struct simple *s, uint64_t *random)
{
    static const uint8_t acts[] = {
        FL_ACTOR_READ,          FL_ACTOR_WRITE,    FL_ACTOR_WRITE,   FL_ACTOR_WRITE,       FL_ACTOR_DONTNEED,
        FL_ACTOR_FORK,          FL_ACTOR_EXIT,     FL_ACTOR_RECLAIM, FL_ACTOR_HINT,        FL_ACTOR_MIGRATE_BEGIN,
        FL_ACTOR_MIGRATE_END,   FL_ACTOR_COLLAPSE, FL_ACTOR_SPLIT,   FL_ACTOR_SPLIT_BEGIN, FL_ACTOR_CLEAN,
        FL_ACTOR_UFFD_CONTINUE, FL_ACTOR_MPROTECT, FL_ACTOR_UNPIN};
    uint64_t bits = check_random(random);
    uint8_t act = acts[bits % sizeof acts];
    unsigned i = (unsigned)(bits >> 8) % PAGES, mm = s->child && (bits >> 20 & 3) == 0;
    struct fl_record r = actor(act, mm, PAGE(pages[i]), act == FL_ACTOR_DONTNEED ? 1 + (bits >> 24) % 3 : 1);
    uint64_t before = w->next_value;

    if ((bits >> 32) % 8 == 0) { /* a pin, and no access of the task's */
        world_pin(w, PAGE(pages[i]), 1, bits >> 40 & 1 ? FL_FOLL_WRITE : 0);
        compare(w, s, "a pin");
        return;
    }
    r.u.act.arg = FL_AREA_READ | FL_AREA_WRITE; /* mprotect to what it has */
    if (fl_pin_world_apply(w, &r) != FL_OK)
        return;
    unlike[act]++;
    if (act == FL_ACTOR_WRITE && w->next_value == before)
        return; /* no memory */
    simple_act(s, &r, i, w->next_value);
    compare(w, s, fl_pin_actor_name(act));
}

static void test_histories(struct fl_pin_world *w)
{
    uint64_t random = 1;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct fl_divergence d;
        struct simple s;

        world_begin(w, (uint8_t)(round % FL_MODE_COUNT));
        simple_begin(&s);
        for (unsigned a = 0; a < AREAS; a++)
            CHECK_EQ(world_area(w, areas[a].kind, PAGE(areas[a].at), areas[a].pages, areas[a].flags), FL_OK, "area");
        for (unsigned k = 0; k < STEPS; k++)
            random_step(w, &s, &random);
        read_all(w, &s, "reading everything");
        world_sound(w, "a history");
        CHECK(!fl_pin_world_divergence(w, &d), "round %u: %s", round, d.detail);
    }
    CHECK(seen > 10000, "%" PRIu64 " pages were compared", seen);
    for (unsigned a = 0; a < FL_ACTOR_COUNT; a++)
        if (a == FL_ACTOR_FORK || a == FL_ACTOR_COLLAPSE || a == FL_ACTOR_SPLIT || a == FL_ACTOR_RECLAIM ||
            a == FL_ACTOR_MIGRATE_END || a == FL_ACTOR_HINT || a == FL_ACTOR_DONTNEED || a == FL_ACTOR_UFFD_CONTINUE)
            CHECK(unlike[a] > 20, "%s took place %" PRIu64 " times", fl_pin_actor_name(a), unlike[a]);
}

/* ---- pins that are held -------------------------------------------------------------------------------------------------- */

/* Pins by hand what a wrong core would have pinned: whatever is mapped there. */
static void pin_what_is_there(struct fl_pin_world *w, uint64_t va, bool write)
{
    const struct fl_gup_ops *ops = fl_pin_world_ops();
    struct fl_record r = {.kind = FL_REC_PIN};
    struct fl_pinned out = {.pages = 1, .lock_held = true};
    struct fl_pin_call call;
    struct fl_pin_seen s;

    r.u.pin.api = FL_PINAPI_USER;
    r.u.pin.start = va;
    r.u.pin.n = 1;
    r.u.pin.flags = write ? FL_FOLL_WRITE : 0;
    r.u.pin.pages = true;
    fl_pin_world_event_begin(w, &r);
    fl_pin_world_pfns(w)[0] = world_look(w, 0, va).pfn;
    CHECK(ops->page_get(w, world_look(w, 0, va).pfn), "a reference");
    fl_pin_world_event_end(w, &out, &call, &s);
    CHECK_EQ(s.refs[0], 1, "it is counted");
}

static const struct held {
    const char *name;
    uint8_t kind;
    unsigned flags;
    uint8_t before[3]; /* FL_ACTOR_COUNT: nothing */
    bool write;
    uint8_t after[3];
    const char *key; /* "": nothing */
} held[] = {
#define NO FL_ACTOR_COUNT
    {"a write pin of a private file's own page",
     FL_AREA_FILE,
     RW,
     {FL_ACTOR_WRITE, NO, NO},
     true,
     {FL_ACTOR_USE, NO, NO},
     ""},
    {"a write pin of the file",
     FL_AREA_FILE,
     RW,
     {FL_ACTOR_READ, NO, NO},
     true,
     {FL_ACTOR_USE, NO, NO},
     "cow/write-through-pin/own-page/file-page"},
    {"a write pin of the zero page",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_READ, NO, NO},
     true,
     {FL_ACTOR_USE, NO, NO},
     "cow/write-through-pin/own-page/zero-page"},
    {"a read pin of the file is not written to",
     FL_AREA_FILE,
     RW,
     {FL_ACTOR_READ, NO, NO},
     false,
     {FL_ACTOR_USE, NO, NO},
     ""},
    {"a write pin of a shared file",
     FL_AREA_FILE,
     RW | FL_AREA_SHARED,
     {FL_ACTOR_WRITE, NO, NO},
     true,
     {FL_ACTOR_USE, NO, NO},
     ""},
    {"a write pin of a shared file that is read only",
     FL_AREA_FILE,
     RO | FL_AREA_SHARED,
     {FL_ACTOR_READ, NO, NO},
     true,
     {FL_ACTOR_USE, NO, NO},
     "cow/write-through-pin/own-page/file-page"},
    {"given back before it is used",
     FL_AREA_FILE,
     RW,
     {FL_ACTOR_READ, NO, NO},
     true,
     {FL_ACTOR_UNPIN, FL_ACTOR_USE, NO},
     ""},

    {"the task writes to its own page",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_WRITE, NO, NO},
     false,
     {FL_ACTOR_WRITE, NO, NO},
     ""},
    {"the task writes to what a fork shares",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_WRITE, FL_ACTOR_FORK, NO},
     false,
     {FL_ACTOR_WRITE, NO, NO},
     "cow/coherent/same-page/other-page"},
    {"the task writes to the zero page",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_READ, NO, NO},
     false,
     {FL_ACTOR_WRITE, NO, NO},
     "cow/coherent/same-page/other-page"},
    {"the task writes to a private file",
     FL_AREA_FILE,
     RW,
     {FL_ACTOR_READ, NO, NO},
     false,
     {FL_ACTOR_WRITE, NO, NO},
     "cow/coherent/same-page/other-page"},
    {"the child is gone before it writes",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_WRITE, FL_ACTOR_FORK, NO},
     false,
     {FL_ACTOR_UNPIN, FL_ACTOR_EXIT, FL_ACTOR_WRITE},
     ""},
    {"it was thrown away in between",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_WRITE, NO, NO},
     false,
     {FL_ACTOR_DONTNEED, FL_ACTOR_WRITE, NO},
     ""},
    {"a fork came after the pin",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_WRITE, NO, NO},
     false,
     {FL_ACTOR_FORK, FL_ACTOR_WRITE, NO},
     ""},
    {"a pin does not move",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_WRITE, NO, NO},
     false,
     {FL_ACTOR_MIGRATE_BEGIN, FL_ACTOR_RECLAIM, FL_ACTOR_WRITE},
     ""},
    {"a hint does not part them",
     FL_AREA_ANON,
     RW,
     {FL_ACTOR_WRITE, NO, NO},
     false,
     {FL_ACTOR_HINT, FL_ACTOR_WRITE, NO},
     ""},
    {"shared memory stays what it is",
     FL_AREA_SHMEM,
     RW | FL_AREA_SHARED,
     {FL_ACTOR_READ, FL_ACTOR_FORK, NO},
     false,
     {FL_ACTOR_WRITE, NO, NO},
     ""},
};

static void test_held(struct fl_pin_world *w)
{
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        struct fl_divergence d;
        char key[160] = "";

        world_begin(w, (uint8_t)(i % FL_MODE_COUNT));
        world_area(w, held[i].kind, BASE, 4, held[i].flags);
        for (unsigned k = 0; k < 3 && held[i].before[k] != NO; k++)
            CHECK_EQ(world_act(w, held[i].before[k], BASE), FL_OK, "%s: before", held[i].name);
        pin_what_is_there(w, BASE, held[i].write);
        CHECK(!fl_pin_world_divergence(w, &d), "%s: nothing yet", held[i].name);
        for (unsigned k = 0; k < 3 && held[i].after[k] != NO; k++)
            world_act(w, held[i].after[k], BASE);
        if (fl_pin_world_divergence(w, &d))
            fl_divergence_key(&d, key, sizeof key);
        CHECK(!strcmp(key, held[i].key), "%s: \"%s\", expected \"%s\"", held[i].name, key, held[i].key);
        if (!held[i].key[0])
            world_sound(w, held[i].name);
    }
}

int main(void)
{
    struct fl_pin_world *w;

    if (fl_pin_world_open(&w) != FL_OK)
        return 1;
    test_histories(w);
    test_held(w);
    fl_pin_world_close(w);
    return check_done("pin-world-memory");
}
