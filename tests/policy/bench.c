/* SPDX-License-Identifier: MIT */
/* Decisions per second of the policy table over a mix of situations. Goal: 8 million on one core. */
#include "situation.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define USER_ACCESS .regs = USER, .if_on = true

int main(void)
{
    static const struct choices mix[] = {
        {.word = 8, .code = U, USER_ACCESS, .prot = R},
        {.word = 8, .code = U | W, USER_ACCESS, .prot = WR, .mm = FL_MM_MAJOR},
        {.word = 8, .code = U | W | P, .regs = USER, .prot = WR},
        {.word = 4, .code = U | W, .regs = USER, .layout = BELOW_STACK, .prot = WR},
        {.word = 4, .code = U | W, .regs = USER, .layout = BELOW_STACK, .growth = CUSHION, .prot = WR},
        {.word = 8, .code = U, .regs = USER, .layout = NOTHING},
        {.word = 8, .code = U, .regs = USER, .layout = NOTHING, .bytes = PREFETCH},
        {.word = 8, .code = U, .regs = USER, .layout = NOTHING, .bytes = PREFETCH_INTEL},
        {.word = 4, .code = U | P, .regs = USER, .prot = R},
        {.word = 8, .code = W, .extable = true, .prot = R},
        {.word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_SIGBUS},
        {.word = 8, .code = U, .regs = USER, .prot = R, .mm = FL_MM_RETRY, .built = RETRIES},
        {.word = 8,
         .code = U | W,
         USER_ACCESS,
         .prot = WR,
         .built = KNOWS_KEYS,
         .cpu = CR4_HAS_PKE,
         .key = KEY_NO_WRITE},
        {.word = 8, .code = U, USER_ACCESS, .layout = KERNEL_ADDRESS},
        {.word = 8, .layout = KERNEL_ADDRESS, .tables = IN_REFERENCE},
        {.word = 8, .code = P | W, .layout = KERNEL_ADDRESS, .tables = MAPPED, .built = CHECKS_SPURIOUS},
        /* with a report */
        {.word = 8, .layout = NOTHING},
        {.word = 8, .code = U, .regs = USER, .layout = NOTHING, .report = SHOW | UNHANDLED},
    };
    enum { MIX = sizeof mix / sizeof mix[0], SILENT = MIX - 2, ROUNDS = 200000 };
    static struct situation t[MIX];
    struct fl_expected e;
    uint64_t sum = 0;
    double rate[2];

    for (unsigned i = 0; i < MIX; i++)
        situation_make(&t[i], &mix[i]);
    for (unsigned part = 0; part < 2; part++) {
        unsigned first = part == 0 ? 0 : SILENT, end = part == 0 ? SILENT : MIX;
        struct timespec from, to;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        for (unsigned n = 0; n < ROUNDS; n++)
            for (unsigned i = first; i < end; i++) {
                if (fl_policy_decide(&t[i].s, &e) != FL_OK)
                    return 1;
                sum += e.row;
            }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        rate[part] = (double)ROUNDS * (end - first) / seconds / 1e6;
    }
    printf("policy: %.1f M decisions/s (goal 8; mix of %u), %.2f M with a report (check sum %" PRIu64 ")\n", rate[0],
           (unsigned)SILENT, rate[1], sum);
    return sum != 0 ? 0 : 1;
}
