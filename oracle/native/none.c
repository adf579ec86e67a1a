/* SPDX-License-Identifier: MIT */
/* Stands in for the native probe on a machine that is no x86-64 Linux. */
#include <stdio.h>

#include <faultline/oracle/probe.h>

enum fl_status fl_native_open(struct fl_probe **out, char why[256])
{
    if (out == NULL || why == NULL)
        return FL_INVALID;
    snprintf(why, 256, "the native probe needs an x86-64 Linux");
    return FL_UNSUPPORTED;
}
