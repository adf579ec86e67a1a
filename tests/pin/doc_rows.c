/* SPDX-License-Identifier: MIT */
/* The rows that docs/pin-world.md must have, as the code says them: rules of the oracle, actors, answers. */
#include <faultline/fuzz/pin_world.h>
#include <stdio.h>

static const char *runs(unsigned act, unsigned mm, unsigned locks)
{
    return fl_pin_actor_may_run((enum fl_act)act, mm, (uint8_t)locks) ? "runs" : "waits";
}

static void answers(unsigned op, bool wanted)
{
    bool any = false, hostile;

    for (unsigned a = 0; a < FL_PINANS_COUNT; a++)
        if (fl_pin_answer_fits((enum fl_pin_op)op, (enum fl_pin_answer)a, &hostile) && hostile == wanted) {
            printf("%s%s", any ? ", " : " ", fl_pin_answer_name(a));
            any = true;
        }
    printf("%s |", any ? "" : " -");
}

int main(void)
{
    size_t count;
    const struct fl_pin_rule *rules = fl_pin_rules(&count);

    for (size_t i = 0; i < count; i++)
        printf("| `%s` | %s | %s |\n", rules[i].name, rules[i].statement, rules[i].source);
    for (unsigned a = 0; a < FL_ACTOR_COUNT; a++)
        printf("| `%s` | %s | %s | %s | %s | %s |\n", fl_pin_actor_name(a), runs(a, 0, 1), runs(a, 0, 2), runs(a, 0, 4),
               runs(a, 0, 8), runs(a, 1, 1));
    for (unsigned op = 0; op < FL_PINOP_COUNT; op++) {
        printf("| `%s` |", fl_pin_op_name(op));
        answers(op, false);
        answers(op, true);
        putchar('\n');
    }
    return 0;
}
