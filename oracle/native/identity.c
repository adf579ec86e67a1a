/* SPDX-License-Identifier: MIT */
/* Which processor this is, by CPUID (SDM vol. 2, CPUID; APM vol. 3, appendix E). */
#include "native.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

void native_identity(struct native *n)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    char vendor[13] = "", brand[49] = "";

    __cpuid(0, a, b, c, d);
    memcpy(vendor, &b, 4);
    memcpy(vendor + 4, &d, 4);
    memcpy(vendor + 8, &c, 4);
    __cpuid(1, a, b, c, d);
    unsigned family = a >> 8 & 15, model = a >> 4 & 15;
    if (family == 6 || family == 15)
        model |= a >> 12 & 0xf0;
    if (family == 15)
        family += a >> 20 & 255;
    snprintf(n->version, sizeof n->version, "%s-%u-%u", vendor, family, model);

    __cpuid(0x80000000, a, b, c, d);
    if (a >= 0x80000004) {
        for (unsigned i = 0; i < 3; i++) {
            unsigned part[4];
            __cpuid(0x80000002 + i, part[0], part[1], part[2], part[3]);
            memcpy(brand + 16 * i, part, 16);
        }
    }
    const char *start = brand + strspn(brand, " ");
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == ' ')
        length--;
    snprintf(n->host, sizeof n->host, "%.*s", (int)length, length > 0 ? start : "");
    if (length == 0)
        snprintf(n->host, sizeof n->host, "%s", n->version);
}
