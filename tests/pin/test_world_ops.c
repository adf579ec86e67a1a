/* SPDX-License-Identifier: MIT */
/* What wrong cores do, done by hand through the ops: the model notes it, and the oracle says which rule that breaks. */
#include "world.h"

static struct fl_pin_call call;
static struct fl_pin_seen seen;

static void event(struct fl_pin_world *w, uint8_t api, uint64_t va, unsigned flags)
{
    struct fl_record r = {.kind = FL_REC_PIN};

    r.u.pin.api = api;
    r.u.pin.start = va;
    r.u.pin.n = 1;
    r.u.pin.flags = (uint16_t)flags;
    r.u.pin.nonblocking = api == FL_PINAPI_FIXUP;
    r.u.pin.pages = api == FL_PINAPI_USER;
    fl_pin_world_event_begin(w, &r);
}

static void ends(struct fl_pin_world *w, struct fl_pinned out, const char *due, const char *what)
{
    struct fl_divergence d;
    char key[160] = "";

    fl_pin_world_event_end(w, &out, &call, &seen);
    if (fl_pin_judge(&call, &seen, &d))
        fl_divergence_key(&d, key, sizeof key);
    CHECK(!strcmp(key, due), "%s: \"%s\", expected \"%s\"", what, key, due);
}

static void race(struct fl_pin_world *w, uint8_t act, uint64_t va, uint8_t op)
{
    struct fl_record r = actor(act, 0, va, 1);

    r.kind = FL_REC_RACE;
    r.u.act.op = op;
    r.u.act.nth = 1;
    CHECK_EQ(fl_pin_world_apply(w, &r), FL_OK, "race");
}

static void answer(struct fl_pin_world *w, uint8_t a, uint8_t nth)
{
    struct fl_record r = {.kind = FL_REC_ANSWER};

    r.u.answer.op = FL_PINOP_MM_FAULT;
    r.u.answer.nth = nth;
    r.u.answer.answer = a;
    CHECK_EQ(fl_pin_world_apply(w, &r), FL_OK, "answer");
}

/* The entry is read, the page goes and its frame becomes another's, a reference is taken, nothing is read again. */
static void test_reused(struct fl_pin_world *w, bool again)
{
    const struct fl_gup_ops *ops = fl_pin_world_ops();
    uint64_t pfn;

    world_begin(w, FL_MODE_4LEVEL);
    w->pv = true; /* the page is free at once, though interrupts are off */
    world_area(w, FL_AREA_ANON, BASE, 4, RW);
    world_act(w, FL_ACTOR_WRITE, BASE);
    pfn = world_look(w, 0, BASE).pfn;
    race(w, FL_ACTOR_DONTNEED, BASE, FL_PINOP_PAGE_GET_SPECULATIVE);
    race(w, FL_ACTOR_WRITE, again ? PAGE(2) : BASE, FL_PINOP_PAGE_GET_SPECULATIVE);
    event(w, FL_PINAPI_FAST_ONLY, BASE, FL_FOLL_WRITE);
    ops->irq_save(w);
    CHECK(ops->page_get_speculative(w, pfn, 1), "the frame has been handed out again");
    ops->irq_restore(w);
    fl_pin_world_pfns(w)[0] = pfn;
    CHECK_EQ(world_look(w, 0, again ? PAGE(2) : BASE).pfn, pfn, "to another page");
    /* (To the same address it is what is mapped there now.) */
    ends(w, (struct fl_pinned){.pages = 1}, again ? "pin/identity/mapped/never-mapped" : "", "a frame used again");
}

static void test_fixup(struct fl_pin_world *w, bool served)
{
    const struct fl_gup_ops *ops = fl_pin_world_ops();
    unsigned flags = FL_MM_WRITE | FL_MM_ALLOW_RETRY;
    struct fl_pin_vma vma;

    world_begin(w, FL_MODE_4LEVEL);
    world_area(w, FL_AREA_ANON, BASE, 4, RW);
    answer(w, FL_PINANS_RETRY, 1);
    answer(w, FL_PINANS_RETRY_MAJOR, 2);
    event(w, FL_PINAPI_FIXUP, BASE, FL_FOLL_WRITE);
    for (unsigned i = 0; i < 2u + served; i++) {
        CHECK(ops->vma_find(w, BASE, &vma), "the area");
        ops->mm_fault(w, vma.generation, BASE, flags, false);
        if (i < 2)
            ops->mm_lock(w);
        flags |= FL_MM_TRIED;
    }
    if (served)
        ops->account(w, true);
    ends(w, (struct fl_pinned){.lock_held = true, .relocked = true}, served ? "" : "decision/pin/nothing/pinned",
         "fixup after two retries");
}

/* A touch that makes an entry dirty through which nobody may write. */
static void test_touch(struct fl_pin_world *w, bool write_first)
{
    const struct fl_gup_ops *ops = fl_pin_world_ops();
    struct fl_pin_place p;

    world_begin(w, FL_MODE_4LEVEL);
    world_area(w, FL_AREA_ANON, PAGE(0x400), 1024, RW | FL_AREA_HUGE);
    world_act(w, write_first ? FL_ACTOR_WRITE : FL_ACTOR_READ, PAGE(0x400));
    p = world_look(w, 0, PAGE(0x400));
    CHECK_EQ(p.walk[p.nlevels - 1].level, 2, "a huge page");
    event(w, FL_PINAPI_PIN, PAGE(0x400), 0);
    ops->ptl_lock(w, 2, p.walk[p.nlevels - 1].paddr);
    ops->touch_leaf(w, 2, p.walk[p.nlevels - 1].paddr, true);
    ops->ptl_unlock(w);
    ends(w, (struct fl_pinned){.lock_held = true, .error = FL_PIN_EFAULT},
         write_first ? "decision/pin/pinned/fewer" : "contract/pin-op/kept/touch-leaf-dirty-what-nobody-wrote",
         "touch");
}

/* The top table of PAE has four entries; of other modes as many as fit. */
static void test_table_end(struct fl_pin_world *w)
{
    const struct fl_gup_ops *ops = fl_pin_world_ops();
    uint64_t value;

    for (uint8_t mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned i = 3; i < 5; i++) {
            world_begin(w, mode);
            event(w, FL_PINAPI_PIN, BASE, 0);
            ops->read(w, w->mm[0].root + (uint64_t)i * entry_size(w), entry_size(w), &value);
            ends(w, (struct fl_pinned){.lock_held = true, .error = FL_PIN_EFAULT},
                 mode == FL_MODE_PAE && i == 4 ? "contract/pin-op/kept/read-behind-the-end-of-a-table" : "",
                 "reading the top table");
        }
}

int main(void)
{
    struct fl_pin_world *w;

    if (fl_pin_world_open(&w) != FL_OK)
        return 1;
    test_reused(w, true);
    test_reused(w, false);
    test_fixup(w, false);
    test_fixup(w, true);
    test_touch(w, true);
    test_touch(w, false);
    test_table_end(w);
    fl_pin_world_close(w);
    return check_done("pin-world-ops");
}
