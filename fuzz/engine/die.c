/* SPDX-License-Identifier: MIT */
#include "die.h"

#include <stdio.h>

void fl_report_divergence(const struct fl_divergence *d, const struct fl_scenario *s, unsigned record)
{
    char key[256], line[256];

    fl_divergence_key(d, key, sizeof key);
    fprintf(stderr, "faultline-divergence: %s\n%s\n", key, d->detail);
    if (record < s->nrecords) {
        fl_record_print(&s->records[record], line, sizeof line);
        fprintf(stderr, "at record %u: %s\n", record + 1, line);
    } else {
        fprintf(stderr, "of the scenario as a whole\n");
    }
    fprintf(stderr, "---- scenario\n");
    fl_scenario_print(s, stderr);
    fprintf(stderr, "----\n");
}

/* One function per check. A trap rather than abort(): abort would put the same libc frames on top of every finding. */
#ifdef __clang__
#    define OWN_FRAME __attribute__((noinline, noreturn))
#else
#    define OWN_FRAME __attribute__((noinline, noreturn, noclone, no_icf))
#endif
#define DIE(name)                                                                                                      \
    OWN_FRAME static void die_##name(void)                                                                             \
    {                                                                                                                  \
        __asm__ volatile("# " #name); /* keeps equal bodies from being merged */                                       \
        __builtin_trap();                                                                                              \
    }
DIE(walk)
DIE(executor)
DIE(decision)
DIE(effect)
DIE(lock)
DIE(rewalk)
DIE(progress)
DIE(bound)
DIE(contract)
DIE(prefetch)
DIE(decoder)
DIE(transparency)
DIE(message)
DIE(signal)
DIE(interference)
DIE(sync)
DIE(table_read)
DIE(generation)

_Noreturn void fl_die(enum fl_check check)
{
    switch (check) {
    case FL_CHECK_WALK: die_walk();
    case FL_CHECK_EXECUTOR: die_executor();
    case FL_CHECK_DECISION: die_decision();
    case FL_CHECK_EFFECT: die_effect();
    case FL_CHECK_LOCK: die_lock();
    case FL_CHECK_REWALK: die_rewalk();
    case FL_CHECK_PROGRESS: die_progress();
    case FL_CHECK_BOUND: die_bound();
    case FL_CHECK_CONTRACT: die_contract();
    case FL_CHECK_PREFETCH: die_prefetch();
    case FL_CHECK_DECODER: die_decoder();
    case FL_CHECK_TRANSPARENCY: die_transparency();
    case FL_CHECK_MESSAGE: die_message();
    case FL_CHECK_SIGNAL: die_signal();
    case FL_CHECK_INTERFERENCE: die_interference();
    case FL_CHECK_SYNC: die_sync();
    case FL_CHECK_TABLE_READ: die_table_read();
    case FL_CHECK_GENERATION: die_generation();
    case FL_CHECK_COUNT: break;
    }
    __builtin_trap();
}
