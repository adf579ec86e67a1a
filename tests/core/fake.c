/* SPDX-License-Identifier: MIT */
#include "fake.h"

#include <limits.h>
#include <string.h>

static void note(struct fake *k, char letter)
{
    if (k->ntrace + 1 < sizeof k->trace)
        k->trace[k->ntrace++] = letter;
}

static bool fake_read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct fake *k = ctx;

    note(k, 'r');
    k->reads++;
    k->read_size = size;
    if (paddr >= k->ram_end)
        return false;
    *value = 0;
    for (unsigned i = 0; i < k->nentries; i++)
        if (k->entry[i].paddr == paddr)
            *value = k->entry[i].value;
    return true;
}

static bool fake_probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct fake *k = ctx;
    unsigned index = k->probes++;
    uint64_t offset = linear - k->code_at;

    note(k, 'p');
    if (index < FAKE_BYTES) {
        k->probe_linear[index] = linear;
        k->probe_user[index] = user;
    }
    if (index == k->fail_probe || offset >= k->ncode || (k->user_only && !user))
        return false;
    *byte = k->code[offset];
    return true;
}

static void fake_irq_enable(void *ctx)
{
    note(ctx, 'i');
}

static bool fake_lock_try(void *ctx)
{
    struct fake *k = ctx;

    note(k, k->fail_lock_try ? 'f' : 't');
    k->misuse |= k->locked;
    if (k->fail_lock_try)
        return false;
    k->locked = true;
    return true;
}

static void fake_lock_take(void *ctx)
{
    struct fake *k = ctx;

    note(k, 'T');
    k->misuse |= k->locked;
    k->locked = true;
}

static void fake_lock_drop(void *ctx)
{
    struct fake *k = ctx;

    note(k, 'd');
    k->misuse |= !k->locked;
    k->locked = false;
}

static bool fake_vma_find(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    struct fake *k = ctx;

    note(k, 'v');
    k->misuse |= !k->locked;
    if (k->no_vma || addr >= k->vma.end)
        return false;
    *vma = k->vma;
    return true;
}

static enum fl_status fake_vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now)
{
    struct fake *k = ctx;

    note(k, 'e');
    k->misuse |= !k->locked;
    k->expand_generation = generation;
    k->expand_start = start;
    if (k->expand == FL_OK) {
        k->vma.start = start;
        k->vma.generation++;
        *now = k->vma;
    }
    return k->expand;
}

static enum fl_mm_result fake_mm_fault(void *ctx, uint32_t generation, uint64_t addr, bool write)
{
    struct fake *k = ctx;

    note(k, 'm');
    k->misuse |= !k->locked;
    k->mm_generation = generation;
    k->mm_addr = addr;
    k->mm_write = write;
    return k->mm;
}

static bool fake_extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    struct fake *k = ctx;

    note(k, 'x');
    k->extable_ip = ip;
    if (k->has_fixup)
        *fixup = k->fixup;
    return k->has_fixup;
}

const struct fl_ops fake_ops = {
    .read_entry = fake_read_entry,
    .probe_byte = fake_probe_byte,
    .irq_enable = fake_irq_enable,
    .lock_try = fake_lock_try,
    .lock_take = fake_lock_take,
    .lock_drop = fake_lock_drop,
    .vma_find = fake_vma_find,
    .vma_expand = fake_vma_expand,
    .mm_fault = fake_mm_fault,
    .extable = fake_extable,
};

struct fl_ops fake_ops_without(unsigned i)
{
    struct fl_ops ops = fake_ops;

    switch (i) {
    case 0: ops.read_entry = NULL; break;
    case 1: ops.probe_byte = NULL; break;
    case 2: ops.irq_enable = NULL; break;
    case 3: ops.lock_try = NULL; break;
    case 4: ops.lock_take = NULL; break;
    case 5: ops.lock_drop = NULL; break;
    case 6: ops.vma_find = NULL; break;
    case 7: ops.vma_expand = NULL; break;
    case 8: ops.mm_fault = NULL; break;
    default: ops.extable = NULL; break;
    }
    return ops;
}

struct fake fake_world(void)
{
    struct fake k;

    memset(&k, 0, sizeof k);
    k.ram_end = UINT64_C(1) << 40;
    k.vma = (struct fl_vma){.start = 0x7ff000,
                            .end = 0x800000,
                            .generation = 7,
                            .read = true,
                            .write = true,
                            .growsdown = true,
                            .total_pages = 1};
    k.fail_probe = UINT_MAX;
    k.fixup = 0xffffffff81000000;
    return k;
}

struct fl_fault fake_fault(void)
{
    struct fl_fault f;

    memset(&f, 0, sizeof f);
    f.cpu = (struct fl_cpu){.mode = FL_MODE_4LEVEL, .vendor = FL_VENDOR_AMD, .family = 15, .maxphyaddr = 40};
    f.kernel =
        (struct fl_kernel){.task_size = 0x7ffffffff000, .guard_gap = 0x100000, .mmap_min_addr = 0x10000, .word = 8};
    f.task = (struct fl_task){.pid = 42, .has_mm = true, .stack_limit = 8 << 20, .as_limit = UINT64_MAX};
    f.codeseg = (struct fl_codeseg){.bits = 64};
    f.regs.cs = 0x33;
    f.regs.flags = 0x202;
    f.regs.ip = 0x400000;
    f.regs.gpr[FL_RSP] = 0x7ff800;
    f.cr2 = 0x7ff008;
    f.error_code = 6;
    return f;
}
