/* SPDX-License-Identifier: MIT */
#ifndef FAULTLINE_TOOLS_CONFORM_ONE_H
#define FAULTLINE_TOOLS_CONFORM_ONE_H

#include "options.h"
#include "report.h"

/* --bytes: what each column says of one string, in each mode that was named. An exit code. */
int one_string(const struct conform_options *o, struct column *columns);

#endif
