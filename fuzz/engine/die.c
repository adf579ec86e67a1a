/* SPDX-License-Identifier: MIT */
#include "die.h"

#include <stdio.h>

#include "trap.h"

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

_Noreturn void fl_die(const struct fl_divergence *d)
{
    fl_trap(fl_check_name((enum fl_check)d->check), d->row);
}
