/* SPDX-License-Identifier: MIT */
/*
 * Which instruction bytes may be looked at, and whether they make the fault one to ignore (AMD K7/K8 erratum 91: a
 * software prefetch may report a page fault).
 */
#include "facts.h"

#include <faultline/oracle/decode.h>

/* Where an instruction fetch by this context goes: Intel SDM vol. 3A, 3.3 and 5.3. Outside 64-bit code the
 * offset is cut to the code size, must lie within the limit, and base + offset wraps at 4 GiB. A user context
 * fetches from user space only; each byte counts, not just the first (zoo pf-seglimit-lost). */
bool fl_policy_code_byte(const struct fl_snapshot *s, unsigned i, uint64_t *linear)
{
    uint64_t at;
    if (s->codeseg.bits == 64) {
        at = s->regs.ip + i;
    } else {
        uint64_t offset = (s->codeseg.bits == 16 ? (uint16_t)s->regs.ip : (uint32_t)s->regs.ip) + (uint64_t)i;
        if (offset > s->codeseg.limit)
            return false;
        at = (uint32_t)(s->codeseg.base + offset);
    }
    if (fl_policy_user_mode(&s->regs) && at >= s->kernel.task_size)
        return false;
    *linear = at;
    return true;
}

/* The vendor gate holds for both word sizes (zoo pf-vendor-gate), and a fetch that faults is no prefetch: ignoring it
 * would repeat it for ever (zoo pf-nx-loop). */
bool fl_policy_may_be_prefetch(const struct fl_snapshot *s)
{
    return s->cpu.vendor == FL_VENDOR_AMD && s->cpu.family >= 6 && !(s->error_code & EC_I);
}

bool fl_policy_is_prefetch(const struct fl_snapshot *s)
{
    if (!fl_policy_may_be_prefetch(s))
        return false;

    bool user = fl_policy_user_mode(&s->regs);
    uint8_t bytes[FL_MAX_INSN_BYTES];
    size_t n = 0;
    uint64_t linear;
    while (n < FL_MAX_INSN_BYTES && fl_policy_code_byte(s, (unsigned)n, &linear) &&
           s->byte(s->byte_ctx, linear, user, &bytes[n]))
        n++;
    return fl_prefetch_rule(bytes, n, s->codeseg.bits, NULL);
}
