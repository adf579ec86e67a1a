/* SPDX-License-Identifier: MIT */
/* What a scenario costs before anybody judges it: begin, and one record or fault. */
#define _POSIX_C_SOURCE 199309L
#include "fixture.h"

#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum { ROUNDS = 400000 };

int main(void)
{
    struct fl_world *w = open_world();

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        struct fl_machine m = machine_of(mode);
        struct fl_snapshot s;
        struct fl_fault f;
        double t[5];

        t[0] = now();
        for (unsigned i = 0; i < ROUNDS; i++)
            fl_world_begin(w, &m);
        t[1] = now();
        for (unsigned i = 0; i < ROUNDS; i++) {
            fl_world_begin(w, &m);
            map(w, 0x400000 + (uint64_t)(i & 255) * PAGE, 600, 1, FL_MAP_PRESENT | FL_MAP_USER);
        }
        t[2] = now();
        for (unsigned i = 0; i < ROUNDS; i++) {
            fl_world_begin(w, &m);
            vma(w, 0x10000000, 16, FL_PROT_READ | FL_PROT_WRITE);
            fl_world_event_begin(w);
            fl_world_snapshot(w, 0x10000000, 6, &f, &s);
            CHECK_EQ(touch(w, 0x10000000, true), s.mm_result[0], "round %u", i);
            fl_world_event_end(w);
        }
        t[3] = now();
        for (unsigned i = 0; i < ROUNDS; i++)
            check_count += fl_world_digest(w) != 0;
        t[4] = now();
        printf("%-6s begin %5.0f ns   begin+MAP %5.0f ns   begin+VMA+snapshot+write fault %5.0f ns   digest %5.0f ns\n",
               mode_names[mode], (t[1] - t[0]) / ROUNDS, (t[2] - t[1]) / ROUNDS, (t[3] - t[2]) / ROUNDS,
               (t[4] - t[3]) / ROUNDS);
    }
    fl_world_close(w);
    return check_done("world bench");
}
