/* SPDX-License-Identifier: MIT */
/* What an access's result means: every end, and the ends that an access cannot have. */
#include "check.h"

#include <string.h>

#include <faultline/oracle/arch.h>
#include <faultline/oracle/exec.h>

static struct fl_exec_result r;
static struct fl_exec_answer a;

static const char *answer(unsigned end, unsigned vector, bool has_paddr)
{
    memset(&r, 0, sizeof r);
    memset(&a, 0xff, sizeof a);
    r.end = (uint8_t)end;
    r.vector = (uint8_t)vector;
    r.has_paddr = has_paddr;
    r.paddr = 0x1234;
    r.error_code = 7;
    r.cr2 = 0x5678;
    return fl_exec_answer(&r, &a);
}

static void expect(const char *what, const char *wrong, unsigned kind, bool has_paddr)
{
    CHECK(wrong == NULL, "%s: %s", what, wrong ? wrong : "");
    CHECK_EQ(a.kind, kind, "%s: kind", what);
    CHECK_EQ(a.has_paddr, has_paddr, "%s: has a translation", what);
    CHECK_EQ(a.paddr, has_paddr ? 0x1234u : 0u, "%s: translation", what);
    CHECK_EQ(a.error_code, kind == FL_ARCH_PF ? 7u : 0u, "%s: error code", what);
    CHECK_EQ(a.cr2, kind == FL_ARCH_PF ? 0x5678u : 0u, "%s: CR2", what);
}

int main(void)
{
    expect("done", answer(FL_END_DONE, 0, true), FL_ARCH_OK, true);
    expect("done somewhere", answer(FL_END_DONE, 0, false), FL_ARCH_OK, false);
    expect("fault", answer(FL_END_FAULT, 0, true), FL_ARCH_PF, false);
    expect("#GP", answer(FL_END_EXCEPTION, 13, true), FL_ARCH_GP, false);
    expect("#SS", answer(FL_END_EXCEPTION, 12, false), FL_ARCH_GP, false);
    expect("no memory there", answer(FL_END_BUS, 0, true), FL_ARCH_OK, true);
    expect("no table", answer(FL_END_BUS, 0, false), FL_ARCH_BUS, false);
    for (unsigned vector = 0; vector < 256; vector++) {
        if (vector == 12 || vector == 13)
            continue;
        CHECK(answer(FL_END_EXCEPTION, vector, true) != NULL, "vector %u", vector);
        CHECK_EQ(a.kind, 0xffu, "the output of a broken result is untouched");
    }
    CHECK(answer(FL_END_LIMIT, 0, true) != NULL, "a limit");
    CHECK(answer(FL_END_COUNT, 0, true) != NULL, "no end at all");
    return check_done("exec answer");
}
