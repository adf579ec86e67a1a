/* SPDX-License-Identifier: MIT */
/*
 * Which instruction bytes may be looked at, and whether they make the fault one to ignore (AMD K7/K8 erratum 91: a
 * software prefetch may report a page fault).
 */
#include "facts.h"
#include "segment.h"

#include <faultline/oracle/decode.h>

enum { PAGE = 4096 };

/* Where an instruction fetch by this context goes: Intel SDM vol. 3A, 3.3 and 5.3. Outside 64-bit code the
 * offset is cut to the code size, must lie within the limit, and base + offset wraps at 4 GiB. A user context
 * fetches from user space only; each byte counts, not just the first (zoo pf-seglimit-lost). The kernel's accessor
 * never touches the vsyscall page (Linux 32019c659ecf, 2024). */
static bool byte_at(const struct fl_snapshot *s, const struct fl_codeseg *seg, unsigned i, uint64_t *linear)
{
    uint64_t at;
    if (seg->bits == 64) {
        at = s->regs.ip + i;
    } else {
        uint64_t offset = (seg->bits == 16 ? (uint16_t)s->regs.ip : (uint32_t)s->regs.ip) + (uint64_t)i;
        if (offset > seg->limit)
            return false;
        at = (uint32_t)(seg->base + offset);
    }
    uint64_t page = s->kernel.vsyscall;
    if (fl_policy_user_mode(&s->regs) ? at >= s->kernel.task_size : page != 0 && at >= page && at - page < PAGE)
        return false;
    *linear = at;
    return true;
}

bool fl_policy_code_byte(const struct fl_snapshot *s, unsigned i, uint64_t *linear)
{
    struct fl_codeseg seg;
    return fl_policy_code_segment(s, &seg) && byte_at(s, &seg, i, linear);
}

/* The vendor gate holds for both word sizes (zoo pf-vendor-gate), and a fetch that faults is no prefetch: ignoring it
 * would repeat it for ever (zoo pf-nx-loop). */
bool fl_policy_may_be_prefetch(const struct fl_snapshot *s)
{
    return s->cpu.vendor == FL_VENDOR_AMD && s->cpu.family >= 6 && !(s->error_code & EC_I);
}

void fl_policy_window(const struct fl_snapshot *s, struct fl_code_window *out)
{
    _Static_assert(FL_WINDOW_BYTES == FL_MAX_INSN_BYTES, "one window, one instruction");
    struct fl_code_window w = {.open = fl_policy_may_be_prefetch(s), .user = fl_policy_user_mode(&s->regs)};
    struct fl_codeseg seg;
    if (fl_policy_code_segment(s, &seg)) {
        w.bits = seg.bits;
        for (unsigned i = 0; i < FL_WINDOW_BYTES; i++)
            w.readable[i] = byte_at(s, &seg, i, &w.linear[i]);
    }
    *out = w;
}

bool fl_policy_is_prefetch(const struct fl_snapshot *s)
{
    struct fl_codeseg seg;
    if (!fl_policy_may_be_prefetch(s) || !fl_policy_code_segment(s, &seg))
        return false;

    bool user = fl_policy_user_mode(&s->regs);
    uint8_t bytes[FL_MAX_INSN_BYTES];
    size_t n = 0;
    uint64_t linear;
    while (n < FL_MAX_INSN_BYTES && byte_at(s, &seg, (unsigned)n, &linear) && s->byte(s->ctx, linear, user, &bytes[n]))
        n++;
    return fl_prefetch_rule(bytes, n, seg.bits, NULL);
}
