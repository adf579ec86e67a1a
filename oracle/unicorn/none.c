/* SPDX-License-Identifier: MIT */
/* Stands in for the Unicorn executor and the probe over it in a build without Unicorn. */
#include <stdio.h>

#include <faultline/oracle/exec.h>
#include <faultline/oracle/probe.h>

enum fl_status fl_unicorn_open(const struct fl_ram *ram, struct fl_executor **out, char why[256])
{
    if (ram == NULL || out == NULL || why == NULL)
        return FL_INVALID;
    snprintf(why, 256, "built without Unicorn");
    return FL_UNSUPPORTED;
}

enum fl_status fl_unicorn_watchdog(unsigned seconds)
{
    (void)seconds;
    return FL_UNSUPPORTED;
}

enum fl_status fl_unicorn_probe_open(struct fl_probe **out, char why[256])
{
    if (out == NULL || why == NULL)
        return FL_INVALID;
    snprintf(why, 256, "built without Unicorn");
    return FL_UNSUPPORTED;
}
