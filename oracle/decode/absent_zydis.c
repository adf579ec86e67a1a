/* SPDX-License-Identifier: MIT */
/* Stands in for the Zydis decoder where the library was not there at build time. */
#include <faultline/oracle/decode.h>

#include <stdio.h>

struct fl_decoder *fl_zydis_open(char why[256])
{
    snprintf(why, 256, "zydis: not built in");
    return NULL;
}
