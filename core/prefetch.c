/* SPDX-License-Identifier: MIT */
/*
 * AMD Athlon and Opteron processors may report a page fault for a prefetch, which by its definition has none (AMD
 * erratum 91). The rule of the kernel (x86 fault_32.c, 2008): skip the prefixes at ip; if 0F 0D or 0F 18 follows, the
 * fault is ignored and the instruction runs again.
 *
 * Where this is stricter than that kernel: docs/deviations.md.
 */
#include "prefetch.h"

#include "contract.h"
#include "segment.h"
#include "x86.h"

/* No instruction is longer (SDM vol. 3, 6.15 "#GP"; APM vol. 3, 1.1): the second opcode byte counts as well. */
#define MAX_INSTRUCTION 15u

/* K7 is the first family with the erratum. Later ones than K8 do not have it, but the kernel asks all of them. */
#define FIRST_FAMILY 6

struct stream {
    const struct fl_fault *fault;
    const struct fl_ops *ops;
    void *ctx;
    struct fl_codeseg seg;
    bool user;
    unsigned taken;
};

bool core_user_mode(const struct fl_regs *regs)
{
    return (regs->cs & X86_SEL_RPL) == X86_SEL_RPL || (regs->flags & X86_FLAGS_VM);
}

/* The vsyscall page is user code at a kernel address, and where it is emulated it cannot be read. The kernel accessor
 * stays away from it: no fault of its own may be taken for one of the user's (32019c659ecf, CVE-2024-26906, 2024). */
static bool in_vsyscall_page(const struct fl_kernel *kernel, uint64_t linear)
{
    return kernel->vsyscall != 0 && linear - kernel->vsyscall < X86_PAGE_SIZE;
}

/* The next instruction byte. False when the instruction is too long, its byte lies outside the code segment or (user
 * mode) outside user space, or cannot be read. */
static bool next_byte(struct stream *s, uint8_t *byte)
{
    const struct fl_kernel *kernel = &s->fault->kernel;
    uint64_t ip = core_register(kernel, s->fault->regs.ip);
    uint64_t linear = ip + s->taken;

    if (s->taken == MAX_INSTRUCTION)
        return false;
    if (s->seg.bits != 64) {
        /* 16-bit code has a 16-bit instruction pointer, whatever the register holds above it (kernel:
         * convert_ip_to_linear, 2008); the bytes behind it do not wrap, they leave the segment. */
        ip = s->seg.bits == 16 ? (uint16_t)ip : (uint32_t)ip;
        if (ip + s->taken > s->seg.limit)
            return false;
        linear = (uint32_t)(s->seg.base + ip + s->taken);
    }
    if (s->user ? linear >= kernel->task_size : in_vsyscall_page(kernel, linear))
        return false;
    s->taken++;
    return s->ops->probe_byte(s->ctx, linear, s->user, byte);
}

static bool is_prefix(uint8_t byte, unsigned code_bits)
{
    if ((byte & 0xe7) == 0x26) /* 26 2E 36 3E: segment overrides */
        return true;
    if ((byte & 0xfc) == 0x64) /* 64 65: segment overrides; 66 67: operand and address size */
        return true;
    if (byte == 0xf0 || byte == 0xf2 || byte == 0xf3) /* LOCK, REPNE, REP */
        return true;
    /* REX, which the kernel accepts anywhere among the prefixes; outside 64-bit code these are INC and DEC. */
    return code_bits == 64 && (byte & 0xf0) == 0x40;
}

bool core_is_prefetch(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx)
{
    struct stream s = {.fault = fault, .ops = ops, .ctx = ctx, .user = core_user_mode(&fault->regs)};
    uint8_t byte = 0;

    if (fault->cpu.vendor != FL_VENDOR_AMD || fault->cpu.family < FIRST_FAMILY)
        return false;
    /* The fetch itself faulted: nothing has been decoded yet, and ignoring it would loop for ever. */
    if (fault->error_code & X86_PF_INSTR)
        return false;
    if (!core_code_segment(fault, ops, ctx, &s.seg))
        return false;

    do {
        if (!next_byte(&s, &byte))
            return false;
    } while (is_prefix(byte, s.seg.bits));

    return byte == 0x0f && next_byte(&s, &byte) && (byte == 0x0d || byte == 0x18);
}

enum fl_status core_prefetch(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, bool *ignore)
{
    if (!fault || !ignore || !core_ops_complete(ops))
        return FL_INVALID;
    *ignore = core_is_prefetch(fault, ops, ctx);
    return FL_OK;
}
