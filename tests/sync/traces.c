/* SPDX-License-Identifier: MIT */
/*
 * Generations against each other over random traces, the way scenarios are judged: mappings come and go in the
 * reference, live entries are changed, address spaces are made and switched, all tables are brought in step, and
 * accesses are tried in between. Each generation lives its own history. An access is compared where it and CURRENT have
 * come to the same tables, or had before the sync-all just before it; a difference then has to have a row.
 */
#include "../check.h"
#include "mini.h"

#include <string.h>

#define EVENTS 24

static uint64_t compared, explained, by_end[FL_TOUCH_COUNT];

enum event { IOREMAP, IOUNMAP, ENTRY, FORK, SWITCH, SYNC_ALL, TOUCH, EVENT_COUNT };

static unsigned top_of(const struct mini *m)
{
    return m->s.cpu.mode + 2u;
}

static unsigned slot_frame(const struct mini *m, unsigned root)
{
    return top_of(m) != 3 ? root : root == FRAME_LIVE ? FRAME_OWN : root == FRAME_OTHER ? FRAME_Y : FRAME_A;
}

/* The reference's tables down to that level, then a leaf: 4 KiB pages are FRAME_DATA's, large ones FRAME_LARGE's. */
static void ioremap(struct mini *m, unsigned level, uint64_t flags)
{
    static const unsigned tables[5][4] = {[2] = {0, FRAME_C, FRAME_REFERENCE, 0},
                                          [3] = {0, FRAME_C, FRAME_A, FRAME_REFERENCE},
                                          [4] = {0, FRAME_C, FRAME_B, FRAME_A}};
    unsigned top = top_of(m), highest = top == 4 ? 3 : 2;

    if (top == 4)
        mini_put(m, mini_at(m, FRAME_REFERENCE, 4), MFRAME(FRAME_A) | MT);
    for (unsigned l = highest; l > level; l--)
        mini_put(m, mini_at(m, tables[top][l], l), MFRAME(tables[top][l - 1]) | MT);
    mini_put(m, mini_at(m, tables[top][level], level),
             flags | (level == 1 ? MFRAME(FRAME_DATA) : MPS | (top == 3 || level == 2 ? MFRAME(FRAME_LARGE) : 0)));
}

static void iounmap(struct mini *m)
{
    uint64_t at = mini_at(m, FRAME_REFERENCE, top_of(m)), entry;

    for (unsigned level = top_of(m);; level--) {
        entry = mini_get(m, at);
        if (!(entry & MP))
            return;
        if (level == 1 || (level < 4 && !(top_of(m) == 3 && level == 3) && (entry & MPS))) {
            mini_put(m, at, 0);
            return;
        }
        at = mini_at(m, (unsigned)(entry >> 12), level - 1);
    }
}

/* ENTRY records change the tables under CR3, which from some level on are everybody's. */
static void change_entry(struct mini *m, unsigned level, uint64_t r)
{
    static const uint64_t bits[] = {MP, MRW, MPS, MA, MD, 0x4, 0x1000}; /* the last: another frame */
    uint64_t at = mini_at(m, (unsigned)(m->s.cpu.cr3 >> 12), top_of(m)), entry;

    for (unsigned l = top_of(m);; l--) {
        entry = mini_get(m, at);
        if (l == level) {
            mini_put(m, at, entry ^ bits[r % (level == (top_of(m) == 3 ? 2 : top_of(m)) ? 7 : 6)]);
            return;
        }
        if (!(entry & MP) || (l <= 3 && (entry & MPS)) || entry >> 12 >= MINI_FRAMES)
            return;
        at = mini_at(m, (unsigned)(entry >> 12), l - 1);
    }
}

/* Everything that an access or a sync-all depends on; the rest of memory never changes. */
static uint64_t digest(struct mini *m)
{
    static const unsigned frames[] = {FRAME_ZERO, FRAME_LIVE, FRAME_REFERENCE, FRAME_OTHER, FRAME_A,    FRAME_B,
                                      FRAME_C,    FRAME_DATA, FRAME_OWN,       FRAME_Y,     FRAME_LARGE};
    uint64_t sum = m->s.cpu.cr3 ^ m->s.task.mm_root << 8 ^ m->s.task.active_root << 16;

    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++)
        for (unsigned level = 1; level <= top_of(m); level++) {
            sum += mini_get(m, mini_at(m, frames[i], level));
            sum = check_random(&sum);
        }
    return sum;
}

static void prepare(struct mini *m, uint64_t r)
{
    m->s.lazy_mmu = r & 1;
    if (r & 2)
        m->s.kernel.vmalloc_end = m->s.cr2 & ~UINT64_C(0xfff); /* beside the range */
    if ((r & 0x3c) == 0)
        m->s.kernel.vmalloc_start = m->s.cr2 + (UINT64_C(1) << 26);
    if (top_of(m) == 3) {
        mini_put(m, mini_at(m, FRAME_REFERENCE, 3), MFRAME(FRAME_A) | MP);
        mini_put(m, mini_at(m, FRAME_LIVE, 3), MFRAME(FRAME_OWN) | MP);
        mini_put(m, mini_at(m, FRAME_OTHER, 3), MFRAME(FRAME_Y) | MP);
    }
}

struct history {
    enum fl_touch_end end[EVENTS]; /* of accesses; COUNT where the trace had ended */
    uint64_t state[EVENTS];        /* before the event */
};

static void live(enum fl_mode mode, enum fl_generation generation, uint64_t seed, struct history *current)
{
    struct mini *m = mini_machine(mode, generation);
    unsigned top = top_of(m), slot_level = top == 3 ? 2 : top;
    uint64_t keep = seed;
    bool same = true, after_sync = false;

    prepare(m, check_random(&seed));
    for (unsigned i = 0; i < EVENTS; i++) {
        uint64_t r = check_random(&seed);
        unsigned root = r >> 8 & 1 ? FRAME_OTHER : FRAME_LIVE;

        if (generation == FL_GEN_CURRENT)
            current->state[i] = digest(m);
        same = (after_sync && same) || digest(m) == current->state[i];
        after_sync = r % 16 == SYNC_ALL;
        switch ((enum event)(r % 16 >= EVENT_COUNT ? TOUCH : r % 16)) {
        case IOREMAP: ioremap(m, 1 + (unsigned)(r >> 12) % (top == 4 ? 3 : 2), r >> 16 & 1 ? MPTE : MPTE & ~MRW); break;
        case IOUNMAP: iounmap(m); break;
        case ENTRY: change_entry(m, 1 + (unsigned)(r >> 12) % top, r >> 16); break;
        case FORK:
            mini_put(m, mini_at(m, slot_frame(m, FRAME_OTHER), slot_level),
                     mini_get(m, mini_at(m, slot_frame(m, FRAME_REFERENCE), slot_level)));
            break;
        case SWITCH:
            m->s.task.active_root = MFRAME(root);
            m->s.task.mm_root = r >> 12 & 3 ? MFRAME(root) : 0;
            if (r >> 14 & 3)
                m->s.cpu.cr3 = MFRAME(root);
            break;
        case SYNC_ALL:
            if (mini_sync_all(m) != FL_SYNC_HANDLED)
                return;
            break;
        default: {
            struct fl_access a = {.va = m->s.cr2,
                                  .kind = r >> 12 & 1 ? FL_WRITE : FL_READ,
                                  .priv = (r >> 13 & 7) == 0 ? FL_USER : FL_SUPERVISOR};
            const struct fl_generation_row *row = NULL, *named[FL_TOUCH_COUNT] = {NULL};
            struct fl_arch_result walk;
            enum fl_touch_end end;
            uint64_t code;

            if (generation != FL_GEN_CURRENT && current->end[i] == FL_TOUCH_COUNT)
                return;
            fl_arch_walk(&m->s.cpu, &a, mini_read, m, &walk);
            m->s.error_code = walk.error_code;
            for (unsigned e = 0; generation != FL_GEN_CURRENT && e < FL_TOUCH_COUNT; e++)
                named[e] = fl_generation_explain(&m->s, generation, current->end[i], (enum fl_touch_end)e);
            end = mini_touch(m, &a, &code);
            mini_flush(m); /* the event is over */
            if (generation == FL_GEN_CURRENT) {
                current->end[i] = end;
            } else if (same) {
                compared++;
                by_end[end]++;
                row = named[end];
                CHECK(end == current->end[i] || row, "mode %u %s seed %#" PRIx64 " event %u: %s instead of %s", mode,
                      fl_generation_name(generation), keep, i, fl_touch_end_name(end),
                      fl_touch_end_name(current->end[i]));
                if (end != current->end[i]) {
                    explained++;
                    return; /* from here on the two are in different worlds */
                }
            }
            if (end == FL_TOUCH_BUG || end == FL_TOUCH_WILD || end == FL_TOUCH_LOOP)
                return;
        }
        }
    }
}

int main(int argc, char **argv)
{
    unsigned cases = argc > 1 && strcmp(argv[1], "--full") == 0 ? 500000 : 15000;
    struct history current;
    uint64_t seed = 7;

    for (unsigned i = 0; i < cases; i++) {
        uint64_t s = check_random(&seed);
        enum fl_mode mode = (enum fl_mode)(i % FL_MODE_5LEVEL);

        for (unsigned e = 0; e < EVENTS; e++)
            current.end[e] = FL_TOUCH_COUNT;
        live(mode, FL_GEN_CURRENT, s, &current);
        for (unsigned g = FL_GEN_CURRENT + 1; g < FL_GEN_COUNT; g++)
            if (fl_generation_exists(mode, (enum fl_generation)g))
                live(mode, (enum fl_generation)g, s, &current);
    }
    for (unsigned e = 0; e < FL_TOUCH_COUNT; e++)
        CHECK(e == FL_TOUCH_WILD || by_end[e] != 0, "no access ends as %s", fl_touch_end_name((enum fl_touch_end)e));
    printf("%" PRIu64 " accesses compared, %" PRIu64 " end differently\n", compared, explained);
    return check_done("sync-traces");
}
