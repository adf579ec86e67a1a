/* SPDX-License-Identifier: MIT */
/* What an executor says of one access, in the terms of the arch walk. */
#include <faultline/oracle/arch.h>
#include <faultline/oracle/exec.h>

const char *fl_exec_answer(const struct fl_exec_result *result, struct fl_exec_answer *answer)
{
    struct fl_exec_answer a = {.kind = FL_ARCH_OK};

    switch (result->end) {
    case FL_END_DONE:
        a.has_paddr = result->has_paddr;
        a.paddr = result->has_paddr ? result->paddr : 0;
        break;
    case FL_END_BUS:
        if (!result->has_paddr) {
            a.kind = FL_ARCH_BUS;
            break;
        }
        a.has_paddr = true;
        a.paddr = result->paddr;
        break;
    case FL_END_FAULT:
        a.kind = FL_ARCH_PF;
        a.error_code = result->error_code;
        a.cr2 = result->cr2;
        break;
    case FL_END_EXCEPTION:
        if (result->vector != 13 && result->vector != 12)
            return "an exception that an access cannot raise";
        a.kind = FL_ARCH_GP;
        break;
    default: return "the access did not end";
    }
    *answer = a;
    return NULL;
}
