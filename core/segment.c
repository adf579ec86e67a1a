/* SPDX-License-Identifier: MIT */
/*
 * Where the bytes at ip lie depends on the code segment. Selectors of the GDT are flat or come with the fault; those of the
 * LDT are the task's own, with any base and limit (kernel: convert_ip_to_linear, arch/x86/kernel/step.c, 2008). An LDT
 * is an array of descriptors: its index is the selector without its three low bits (136d9d83c07c, 2015), compared with its size.
 *
 * Sources: SDM vol. 3, 3.4.5 (descriptors), 20.1.1 (virtual-8086 addresses); AMD APM vol. 2, 4.7.
 */
#include "segment.h"

#include "x86.h"

static struct fl_codeseg decode(uint64_t raw, bool wide)
{
    struct fl_codeseg seg = {.bits = 16};

    seg.base = (raw >> 16 & 0xffffff) | (raw >> 56) << 24;
    seg.limit = (uint32_t)((raw & 0xffff) | (raw >> 32 & 0xf0000));
    if (raw & X86_DESC_G)
        seg.limit = seg.limit << X86_PAGE_SHIFT | (X86_PAGE_SIZE - 1);
    if (raw & X86_DESC_D)
        seg.bits = 32;
    /* Outside IA-32e mode the bit is reserved and means nothing. */
    if (wide && (raw & X86_DESC_L))
        seg = (struct fl_codeseg){.bits = 64};
    return seg;
}

bool core_code_segment(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, struct fl_codeseg *seg)
{
    unsigned cs = fault->regs.cs;

    if (fault->regs.flags & X86_FLAGS_VM) {
        *seg = (struct fl_codeseg){.base = (uint64_t)cs << 4, .limit = 0xffff, .bits = 16};
        return true;
    }
    if (!(cs & X86_SEL_TI)) {
        *seg = fault->codeseg;
        return true;
    }
    if (cs >> X86_SEL_INDEX_SHIFT >= fault->task.ldt_entries)
        return false;
    *seg = decode(ops->ldt(ctx, cs >> X86_SEL_INDEX_SHIFT), fault->kernel.word == 8);
    return true;
}
