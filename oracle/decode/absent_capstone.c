/* SPDX-License-Identifier: MIT */
/* Stands in for the Capstone decoder where the library was not there at build time. */
#include <faultline/oracle/decode.h>

#include <stdio.h>

struct fl_decoder *fl_capstone_open(char why[256])
{
    snprintf(why, 256, "capstone: not built in");
    return NULL;
}
