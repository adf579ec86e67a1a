/* SPDX-License-Identifier: MIT */
/* Prints "check/row" for the divergence classes that come from tables: for tests/classes/classes.py. With an argument: the
 * named invariants of pinning alone. */
#include <faultline/oracle/compare.h>
#include <faultline/oracle/decode.h>
#include <faultline/oracle/pin.h>
#include <faultline/oracle/sync.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    size_t n;
    const struct fl_pin_rule *pin = fl_pin_rules(&n);

    (void)argv;
    for (size_t i = 0; i < n; i++)
        printf("%s\n", pin[i].name);
    if (argc > 1)
        return ferror(stdout) || fflush(stdout) != 0;

    const struct fl_policy_row *policy = fl_policy_rows(&n);

    for (size_t i = 0; i < n; i++)
        printf("%s/%s\n", fl_check_name(FL_CHECK_DECISION), policy[i].name);

    const struct fl_sync_row *sync = fl_sync_rows(&n);
    for (size_t i = 0; i < n; i++)
        printf("%s/%s\n", fl_check_name(FL_CHECK_SYNC), sync[i].name);
    for (unsigned g = 0; g < FL_GEN_COUNT; g++)
        if (g != FL_GEN_CURRENT) /* the one that the others are held against */
            printf("%s/%s\n", fl_check_name(FL_CHECK_GENERATION), fl_generation_name((enum fl_generation)g));
    /* A class of its own, for what no list knows. */
    for (unsigned c = 0; c < FL_CHECK_COUNT; c++)
        printf("%s/\n", fl_check_name((enum fl_check)c));
    return ferror(stdout) || fflush(stdout) != 0;
}
