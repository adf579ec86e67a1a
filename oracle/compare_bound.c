/* SPDX-License-Identifier: MIT */
/*
 * The bound on instruction bytes, and what is held against it alone: the prefetch answer.
 */
#include "compare_rules.h"

#include "policy/facts.h"
#include "policy/segment.h"

#include <inttypes.h>

/* How far a linear address lies behind the first instruction byte, going round where the address space does. */
static uint64_t window_offset(const struct fl_snapshot *s, const struct fl_codeseg *seg, uint64_t linear)
{
    if (seg->bits == 64)
        return linear - s->regs.ip;
    if (linear > UINT32_MAX)
        return UINT64_MAX;
    uint64_t offset = seg->bits == 16 ? (uint16_t)s->regs.ip : (uint32_t)s->regs.ip;
    return (uint32_t)(linear - (seg->base + offset));
}

/* One byte. */
static bool compare_place(const struct fl_snapshot *s, const struct fl_codeseg *seg, uint64_t at, bool user,
                          struct fl_divergence *d)
{
    enum { PAGE = 4096 };
    uint64_t offset = window_offset(s, seg, at), linear;
    if (offset >= FL_MAX_INSN_BYTES) {
        fl_divergence_set(d, FL_CHECK_BOUND, "window", "inside", "outside",
                          "an instruction byte was read at %#" PRIx64 "; ip is %#" PRIx64 ", segment base %#" PRIx64
                          ", at most 15 bytes from there (zoo pf-15-byte-bound)",
                          at, s->regs.ip, seg->base);
        return true;
    }
    if (!user && s->kernel.vsyscall != 0 && at - s->kernel.vsyscall < PAGE) {
        fl_divergence_set(d, FL_CHECK_BOUND, "vsyscall-page", "not-read", "read",
                          "the kernel's accessor was used on the vsyscall page, at %#" PRIx64
                          " (Linux 32019c659ecf, 2024; zoo vsyscall-emul)",
                          at);
        return true;
    }
    if (!fl_policy_code_byte(s, (unsigned)offset, &linear)) {
        fl_divergence_set(d, FL_CHECK_BOUND, "segment", "inside", "outside",
                          "an instruction byte was read at %#" PRIx64 ", beyond the segment limit %#" PRIx32
                          " (ip %#" PRIx64 ") or, in user mode, task_size %#" PRIx64 " (zoo pf-seglimit-lost)",
                          at, seg->limit, s->regs.ip, s->kernel.task_size);
        return true;
    }
    return false;
}

bool fl_compare_bound(const struct fl_snapshot *s, const struct fl_effects *e, struct fl_divergence *d)
{
    if (e->probes == 0)
        return false;
    bool user = fl_policy_user_mode(&s->regs);
    if (user ? e->probe_kernel : e->probe_user) {
        fl_divergence_set(
            d, FL_CHECK_BOUND, "accessor", user ? "user" : "kernel", user ? "kernel" : "user",
            "instruction bytes of a %s context were read with the %s accessor (zoo pf-nofault-kernel-only)",
            user ? "user" : "kernel", user ? "kernel" : "user");
        return true;
    }
    if (!fl_policy_may_be_prefetch(s)) {
        fl_divergence_set(d, FL_CHECK_BOUND, "reason", "no-reads", "reads",
                          "%u instruction bytes were read, but no prefetch can be the reason of this fault: vendor %u "
                          "family %u code %#" PRIx64 " (zoo pf-vendor-gate, pf-nx-loop)",
                          e->probes, s->cpu.vendor, s->cpu.family, s->error_code);
        return true;
    }
    if (e->probes > FL_MAX_INSN_BYTES) {
        fl_divergence_set(d, FL_CHECK_BOUND, "window", "inside", "outside",
                          "%u instruction bytes were read; an instruction has at most 15 (zoo pf-15-byte-bound)",
                          e->probes);
        return true;
    }
    struct fl_codeseg seg;
    if (!fl_policy_code_segment(s, &seg)) {
        fl_divergence_set(d, FL_CHECK_BOUND, "segment", "inside", "outside",
                          "an instruction byte was read at %#" PRIx64 " through selector %#x; the LDT has %u entries "
                          "(zoo pf-ldt-index)",
                          e->probe_at[0], s->regs.cs, s->task.ldt_entries);
        return true;
    }
    for (unsigned i = 0; i < e->probes; i++)
        if (compare_place(s, &seg, e->probe_at[i], user, d))
            return true;
    return false;
}

bool fl_compare_prefetch(const struct fl_snapshot *s, bool want, bool got, const struct fl_effects *effects,
                         struct fl_divergence *d)
{
    /* A segment in the LDT has to be looked up first; in virtual-8086 mode selectors name none. */
    enum { SELECTOR_TI = 1 << 2 };                     /* Intel SDM vol. 3A, 3.4.2 */
    static const uint64_t FLAG_VM = UINT64_C(1) << 17; /* Intel SDM vol. 1, 3.4.3 */
    unsigned lookups = s->regs.cs & SELECTOR_TI && !(s->regs.flags & FLAG_VM) ? 1 : 0;
    if (effects->ldt_outside) {
        fl_compare_ldt(s, d);
        return true;
    }
    if (effects->calls < effects->probes || effects->calls > effects->probes + lookups) {
        fl_divergence_set(d, FL_CHECK_CONTRACT, "prefetch", "probes-only", "other-op",
                          "an op other than probe_byte (and ldt, once) was called: %u calls, %u of them probes",
                          effects->calls, effects->probes);
        return true;
    }
    if (fl_compare_bound(s, effects, d))
        return true;
    if (want == got)
        return false;
    fl_divergence_set(d, FL_CHECK_PREFETCH, "rule", want ? "ignored" : "not-ignored", got ? "ignored" : "not-ignored",
                      "ip %#" PRIx64 " cs %#x, %u-bit code, code %#" PRIx64 ", vendor %u family %u: %u bytes were read",
                      s->regs.ip, s->regs.cs, s->codeseg.bits, s->error_code, s->cpu.vendor, s->cpu.family,
                      effects->probes);
    return true;
}
