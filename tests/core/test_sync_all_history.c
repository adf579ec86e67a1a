/* SPDX-License-Identifier: MIT */
/* sync_all of 2008 and 2016: which addresses they go through, what 2008 remembers, what each leaves undone. */
#include "pgd_list.h"

/* ---- 2008, 32 bit ---- */

/* One PMD entry of each 1 GiB: the other 511 are left out, and the slot counts as in step. */
static void test_2008_pae_step(void)
{
    struct all a = all_of(FL_MODE_PAE, FL_GEN_2008_32);
    uint64_t first = add_page(&a, 0xc0000000), second = add_page(&a, 0xc0200000), last = add_page(&a, 0xffe00000);

    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "pae");
    CHECK_EQ(slot_for(&a, CR3, 0xc0000000), first, "the first of 512");
    CHECK(second && last && slot_for(&a, CR3, 0xc0200000) == 0 && slot_for(&a, CR3, 0xffe00000) == 0, "the others");
    CHECK_EQ(slot(&a.s, CR3), 0, "nor the vmalloc area");
    CHECK(bit(&a, 3) && bits(&a) == 1, "yet the slot counts as in step");
    CHECK_EQ(count(&a, '('), 1, "%s", a.s.k.trace);
    CHECK_EQ(a.state.start, 0, "the start wraps to 0 behind the last slot");
    fake_forget(&a.s.k);
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "again");
    CHECK_EQ(a.s.k.ntrace, 0, "sticky: %s", a.s.k.trace);
}

static void test_2008_2level(void)
{
    struct all a = all_of(FL_MODE_2LEVEL, FL_GEN_2008_32);
    uint64_t low = add_page(&a, 0xc0000000), next = add_page(&a, 0xc0400000), top = add_page(&a, 0xffc00000);

    /* 256 slots of 4 MiB, with a lock for each; absent ones are tried again next time. */
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "2-level");
    CHECK_EQ(slot_for(&a, ACTIVE, 0xc0000000), low, "low");
    CHECK_EQ(slot_for(&a, ACTIVE, 0xc0400000), next, "next");
    CHECK_EQ(slot(&a.s, ACTIVE), ref(&a.s, 2), "vmalloc");
    CHECK_EQ(slot_for(&a, ACTIVE, 0xffc00000), top, "even above the vmalloc area");
    CHECK_EQ(bits(&a), 4, "bits");
    CHECK(bit(&a, 768) && bit(&a, 769) && bit(&a, 0xf8123456u >> 22) && bit(&a, 1023), "bits");
    CHECK_EQ(a.state.start, 0xc0800000, "start stops at the first slot that is not in step");
    CHECK_EQ(a.s.k.reads, 252 + 4 * 3 * 2, "one read for an absent reference: the list stops at its first table");

    /* start only ever saves work: lower slots are not looked at again. */
    fake_forget(&a.s.k);
    a.state.insync[768 / 64] = 0;
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "again");
    CHECK(!bit(&a, 768) && !bit(&a, 769), "below start");
    CHECK_EQ(a.s.k.reads, 252, "absent ones only");

    /* A start that is nowhere: not above task_size, so nothing is done. */
    fake_forget(&a.s.k);
    a.state.start = 0x1000;
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "low start");
    CHECK_EQ(a.s.k.ntrace, 0, "%s", a.s.k.trace);

    /* The slot is in step even when the list is empty. */
    a = all_of(FL_MODE_2LEVEL, FL_GEN_2008_32);
    a.s.k.npgds = 0;
    CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "empty list");
    CHECK_EQ(bits(&a), 256, "empty list");
    CHECK_EQ(a.s.k.reads, 0, "empty list");
    CHECK_EQ(a.state.start, 0, "wrapped");
}

/* The reference is absent: for the first table of the list that is all right, for a later one it is a bug. */
static void test_2008_absent(void)
{
    for (unsigned at = 0; at < 4; at++) {
        struct all a = narrow(FL_MODE_2LEVEL, FL_GEN_2008_32);

        a.s.f.kernel.task_size = 0xf8000000;
        a.vanish_at = at;
        CHECK_EQ(sync_all(&a), at == 1 || at == 2 ? FL_SYNC_BUG : FL_SYNC_HANDLED, "before table %u", at);
        CHECK_EQ(a.s.k.nwrites, at, "before table %u", at);
        CHECK_EQ(bit(&a, 0xf8000000u >> 22), at == 3, "before table %u", at);
    }
    /* 2016 stops without a word. */
    for (unsigned at = 0; at < 4; at++) {
        struct all a = narrow(FL_MODE_2LEVEL, FL_GEN_2016);

        a.vanish_at = at;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "before table %u", at);
        CHECK_EQ(a.s.k.nwrites, at, "before table %u", at);
    }
}

/* Task sizes that no kernel has end all the same. */
static void test_2008_odd_task_size(void)
{
    static const struct {
        uint64_t task_size;
        unsigned slots;
    } cases[] = {{0, 1024}, {0x1000, 1024}, {0xfffff000, 1}, {0xffc00000, 1}, {0x1ffc00000, 0}};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct all a = all_of(FL_MODE_2LEVEL, FL_GEN_2008_32);

        a.s.k.npgds = 0;
        a.s.f.kernel.task_size = cases[i].task_size;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "task_size %" PRIx64, cases[i].task_size);
        CHECK_EQ(bits(&a), cases[i].slots, "task_size %" PRIx64, cases[i].task_size);
    }
}

/* ---- 2016, 32 bit ---- */

static void test_2016_32(void)
{
    for (unsigned mode = FL_MODE_2LEVEL; mode <= FL_MODE_PAE; mode++) {
        struct all a = all_of(mode, FL_GEN_2016);
        uint64_t below = add_page(&a, 0xf7c00000), second = add_page(&a, 0xf8800000), ldt = add_page(&a, 0xff900000);
        uint64_t step = mode == FL_MODE_PAE ? 0x200000 : 0x400000;

        a.s.f.kernel.vmalloc_start = 0xf8123000; /* rounded down */
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u", mode);
        CHECK(below && slot_for(&a, MM, 0xf7c00000) == 0, "mode %u: below the area", mode);
        CHECK_EQ(slot(&a.s, MM), ref(&a.s, private_level(&a.s)), "mode %u", mode);
        CHECK_EQ(slot_for(&a, MM, 0xf8800000), second, "mode %u", mode);
        CHECK_EQ(slot_for(&a, MM, 0xff900000), ldt, "mode %u: up to the fix-mapped addresses", mode);
        CHECK_EQ(a.s.k.nflushes, 0, "mode %u", mode);
        CHECK_EQ(a.s.k.nwrites, 9, "mode %u", mode);

        /* No bits: an entry that vanished from a table comes again. Of one that left the reference nobody hears. */
        set_slot(&a.s, MM, 0);
        set_reference_for(&a, 0xf8800000, 0);
        fake_forget(&a.s.k);
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u", mode);
        CHECK_EQ(a.s.k.nwrites, 1, "mode %u", mode);
        CHECK_EQ(slot_for(&a, MM, 0xf8800000), second, "mode %u", mode);

        /* How many locks: one a step, from the start up to fixaddr_top. */
        a = all_of(mode, FL_GEN_2016);
        a.s.k.npgds = 0;
        a.s.f.kernel.vmalloc_start = 0xff000000;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u", mode);
        CHECK_EQ(count(&a, '('), 0x1000000 / step, "mode %u: fixaddr_top is the top", mode);

        a = all_of(mode, FL_GEN_2016);
        a.s.f.kernel.vmalloc_start = 0x1000;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "mode %u", mode);
        CHECK_EQ(a.s.k.ntrace, 0, "mode %u: below task_size", mode);
    }
}

/* ---- 64 bit, 2008 and 2016 ---- */

static void test_64(void)
{
    static const unsigned which[] = {FL_GEN_2008_64, FL_GEN_2016};
    const uint64_t slot_size = UINT64_C(1) << 39;

    for (unsigned i = 0; i < 2; i++) {
        struct all a = all_of(FL_MODE_4LEVEL, which[i]);
        uint64_t start = 0xffffc20000000000, end = start + 4 * slot_size;
        uint64_t before = add_page(&a, start - 1), first = add_page(&a, start),
                 third = add_page(&a, start + 2 * slot_size);
        uint64_t last = add_page(&a, end), after = add_page(&a, end + slot_size);

        a.s.f.kernel.vmalloc_start = start + 0x123000; /* rounded down */
        a.s.f.kernel.vmalloc_end = end;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "generation %u", which[i]);
        CHECK_EQ(slot_for(&a, MM, start), first, "generation %u", which[i]);
        CHECK_EQ(slot_for(&a, MM, start + 2 * slot_size), third, "generation %u", which[i]);
        CHECK_EQ(slot_for(&a, MM, end), last, "generation %u: vmalloc_end's slot as well", which[i]);
        CHECK(before && after && !slot_for(&a, MM, start - 1) && !slot_for(&a, MM, end + slot_size), "outside");
        CHECK_EQ(a.s.k.nwrites, 9, "generation %u", which[i]);
        CHECK_EQ(count(&a, '('), 3, "no lock for an absent reference: %s", a.s.k.trace);

        /* Second time: 2008 looks at nothing but what was absent, from there on. */
        fake_forget(&a.s.k);
        set_slot_for(&a, MM, start, 0);
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "generation %u", which[i]);
        if (which[i] == FL_GEN_2008_64) {
            CHECK_EQ(bits(&a), 3, "bits");
            CHECK(bit(&a, (unsigned)(start >> 39 & 511)) && bit(&a, (unsigned)(end >> 39 & 511)), "bits");
            CHECK_EQ(a.state.start, start + slot_size, "start");
            CHECK_EQ(a.s.k.reads, 2, "the two absent ones");
            CHECK_EQ(slot_for(&a, MM, start), 0, "never looked at again");
            /* Once the absent ones are there, start goes over what was in step already. */
            add_page(&a, start + slot_size);
            CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "filled");
            CHECK_EQ(a.state.start, start + 3 * slot_size, "start");
        } else {
            CHECK_EQ(bits(&a) + a.state.start, 0, "nothing is remembered");
            CHECK_EQ(slot_for(&a, MM, start), first, "copied again");
        }
    }
}

/* Ranges that no kernel has: every slot once, then an end. */
static void test_64_whole(void)
{
    static const unsigned which[] = {FL_GEN_CURRENT, FL_GEN_2008_64, FL_GEN_2016};

    for (unsigned i = 0; i < 3; i++) {
        struct all a = all_of(FL_MODE_4LEVEL, which[i]);

        a.s.k.npgds = 0;
        a.s.f.kernel.vmalloc_start = 0;
        a.s.f.kernel.vmalloc_end = UINT64_MAX;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "generation %u", which[i]);
        CHECK_EQ(a.s.k.reads, 512, "generation %u", which[i]);

        a = all_of(FL_MODE_4LEVEL, which[i]);
        a.s.k.npgds = 0;
        a.s.f.kernel.vmalloc_start = UINT64_MAX - 0xfff;
        a.s.f.kernel.vmalloc_end = UINT64_MAX;
        CHECK_EQ(sync_all(&a), FL_SYNC_HANDLED, "generation %u", which[i]);
        CHECK_EQ(a.s.k.reads, 1, "generation %u: the last slot", which[i]);
    }
}

int main(void)
{
    test_2008_pae_step();
    test_2008_2level();
    test_2008_absent();
    test_2008_odd_task_size();
    test_2016_32();
    test_64();
    test_64_whole();
    return check_done("sync_all_history");
}
