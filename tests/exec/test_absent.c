/* SPDX-License-Identifier: MIT */
/* A build without Unicorn says so. */
#include "check.h"

#include <faultline/oracle/exec.h>

int main(void)
{
    static uint8_t memory[8192];
    struct fl_executor *ex = NULL;
    struct fl_ram ram = {memory + (4096 - (uintptr_t)memory % 4096), 4096};
    char why[256] = "";

    CHECK_EQ(fl_unicorn_open(&ram, &ex, why), FL_UNSUPPORTED, "open");
    CHECK_EQ(fl_unicorn_watchdog(10), FL_UNSUPPORTED, "watchdog");
    CHECK(ex == NULL && strcmp(why, "built without Unicorn") == 0, "%s", why);
    return check_done("exec absent");
}
