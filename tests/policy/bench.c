/* SPDX-License-Identifier: MIT */
/* Decisions per second of the policy table over a mix of situations. Goal: 8 million on one core. */
#include "situation.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int main(void)
{
    static const struct choices mix[] = {
        {.word = 8, .code = U, .regs = USER, .if_on = true, .prot = R},
        {.word = 8, .code = U | W, .regs = USER, .if_on = true, .prot = WR, .mm = FL_MM_MAJOR},
        {.word = 8, .code = U | W | P, .regs = USER, .prot = WR},
        {.word = 4, .code = U | W, .regs = USER, .layout = BELOW_STACK, .prot = WR},
        {.word = 4, .code = U | W, .regs = USER, .layout = BELOW_STACK, .growth = CUSHION, .prot = WR},
        {.word = 8, .code = U, .regs = USER, .layout = NOTHING},
        {.word = 8, .code = U, .regs = USER, .layout = NOTHING, .bytes = PREFETCH},
        {.word = 8, .code = U, .regs = USER, .layout = NOTHING, .bytes = PREFETCH_INTEL},
        {.word = 4, .code = U | P, .regs = USER, .prot = R},
        {.word = 8, .code = W, .extable = true, .prot = R},
        {.word = 8, .layout = NOTHING},
        {.word = 8, .contended = true},
        {.word = 8, .task = ATOMIC},
        {.word = 8, .code = U | P | RSVD, .regs = USER},
        {.word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_SIGBUS},
        {.word = 8, .code = U, .layout = KERNEL_ADDRESS},
    };
    enum { MIX = sizeof mix / sizeof mix[0], ROUNDS = 500000 };
    static struct situation t[MIX];
    struct fl_expected e;
    uint64_t sum = 0;
    struct timespec from, to;

    for (unsigned i = 0; i < MIX; i++)
        situation_make(&t[i], &mix[i]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (unsigned n = 0; n < ROUNDS; n++)
        for (unsigned i = 0; i < MIX; i++) {
            if (fl_policy_decide(&t[i].s, &e) != FL_OK)
                return 1;
            sum += e.row;
        }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("policy: %.1f M decisions/s (goal 8; mix of %u, check sum %" PRIu64 ")\n",
           (double)ROUNDS * MIX / seconds / 1e6, (unsigned)MIX, sum);
    return sum != 0 ? 0 : 1;
}
