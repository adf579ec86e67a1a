/* SPDX-License-Identifier: MIT */
/*
 * vmalloc: which generation a kernel has, and the current one.
 *
 * The current generation, for an address in [vmalloc_start, vmalloc_end):
 *  1. Walk the reference tables as the processor does, to a page of whatever size. No page: not handled.
 *  2. The destination is what the processor uses, CR3. Copy the one entry that each mm has of its own, if it differs,
 *     and flush: handled.
 *  3. It was there already, perhaps since another processor was faster: handled only if the access is permitted now;
 *     else the same fault would come for ever.
 * It asserts nothing, warns of nothing and reads nothing that a leaf maps. The tables below the private entry are the
 * reference's own, so that they are not looked at a second time.
 */
#include "vmalloc.h"

#include "contract.h"
#include "spurious.h"
#include "vmalloc_generations.h"
#include "x86.h"

/* The reference's private entry for v->va, when a page is mapped there: HANDLED. NOT_HANDLED: there is none. */
static enum fl_sync_end find_reference(const struct vmalloc *v, struct slot *reference)
{
    uint64_t table = core_vmalloc_root(v, v->kernel->init_root);
    struct slot slot;

    for (unsigned depth = 0; core_slot_read(v, table, depth, &slot); depth++) {
        if (!core_slot_present(&slot))
            return FL_SYNC_NOT_HANDLED;
        if (depth == core_vmalloc_private_depth(v))
            *reference = slot;
        if (core_slot_is_leaf(v, depth, &slot))
            return FL_SYNC_HANDLED;
        table = core_slot_table(v, &slot);
    }
    return FL_SYNC_WILD;
}

static enum fl_access_kind kind_of(uint64_t error_code)
{
    if (error_code & X86_PF_WRITE)
        return FL_WRITE;
    return error_code & X86_PF_INSTR ? FL_FETCH : FL_READ;
}

static enum fl_sync_end sync_current(const struct vmalloc *v, const struct fl_fault *fault)
{
    struct slot own, reference;
    enum fl_sync_end end;

    if (!core_vmalloc_in_range(v) || !core_format_walkable(v->format, v->va))
        return FL_SYNC_NOT_HANDLED;
    end = find_reference(v, &reference);
    if (end != FL_SYNC_HANDLED)
        return end;
    end = core_slot_private(v, v->cpu->cr3, &own);
    if (end != FL_SYNC_HANDLED)
        return end;

    if (core_slot_differs(v, &own, &reference)) {
        if (!core_slot_copy(v, &own, &reference))
            return FL_SYNC_WILD;
        v->ops->flush_lazy(v->ctx);
        return FL_SYNC_HANDLED;
    }
    if (core_supervisor_may(fault, v->ops, v->ctx, kind_of(fault->error_code)))
        return FL_SYNC_HANDLED;
    return FL_SYNC_NOT_HANDLED;
}

/* Which paging modes' kernels had the generation, and what it does with one address. */
#define MODE(mode) (1u << FL_MODE_##mode)
#define MODES_32   (MODE(2LEVEL) | MODE(PAE))

static const struct {
    uint8_t modes;
    enum fl_sync_end (*sync)(const struct vmalloc *v, const struct fl_fault *fault);
} generations[FL_GEN_COUNT] = {
    [FL_GEN_CURRENT] = {MODES_32 | MODE(4LEVEL) | MODE(5LEVEL), sync_current},
    [FL_GEN_2008_32] = {MODES_32, core_vmalloc_2008_32},
    [FL_GEN_2008_64] = {MODE(4LEVEL), core_vmalloc_2008_64},
    [FL_GEN_2014_NATIVE] = {MODES_32 | MODE(4LEVEL), core_vmalloc_2014},
    [FL_GEN_2014_PV32] = {MODES_32, core_vmalloc_2014},
    [FL_GEN_2014_PV64] = {MODE(4LEVEL), core_vmalloc_2014},
    [FL_GEN_2016] = {MODES_32 | MODE(4LEVEL), core_vmalloc_2016},
};

bool core_generation_exists(unsigned mode, unsigned generation)
{
    return mode < FL_MODE_COUNT && generation < FL_GEN_COUNT && (generations[generation].modes >> mode & 1);
}

enum fl_sync_end core_vmalloc_sync(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx)
{
    struct vmalloc v = core_vmalloc_of(&fault->cpu, &fault->kernel, ops, ctx);

    v.va = fault->kernel.word == 4 ? (uint32_t)fault->cr2 : fault->cr2;
    return generations[fault->kernel.generation].sync(&v, fault);
}

enum fl_status core_vmalloc_fault(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx,
                                  enum fl_sync_end *end)
{
    if (!fault || !end || !core_ops_complete(ops) || !core_kernel_exists(&fault->cpu, &fault->kernel))
        return FL_INVALID;
    *end = core_vmalloc_sync(fault, ops, ctx);
    return FL_OK;
}
