/* SPDX-License-Identifier: MIT */
#include "state.h"

struct leaf_bits leaf_bits_of(unsigned flags, uint8_t pkey)
{
    return (struct leaf_bits){
        .present = flags & FL_MAP_PRESENT,
        .write = flags & FL_MAP_WRITE,
        .user = flags & FL_MAP_USER,
        .accessed = flags & FL_MAP_ACCESSED,
        .dirty = flags & FL_MAP_DIRTY,
        .no_exec = flags & FL_MAP_NX,
        .global = flags & FL_MAP_GLOBAL,
        .pat = flags & FL_MAP_PAT,
        .pkey = pkey,
    };
}

static enum fl_status apply_map(struct fl_world *w, const struct fl_record *r)
{
    unsigned level = tables_clamp_leaf(w, r->u.map.level), frames = tables_leaf_frames(w, level);
    unsigned frame = (r->u.map.frame % FL_RAM_FRAMES) & ~(frames - 1), flags = r->u.map.flags;
    uint64_t va = kernel_complete(w, r->u.map.va), at;
    const struct leaf_bits bits = leaf_bits_of(flags, r->u.map.pkey);

    enum fl_status status = tables_path(w, va, level, &at);
    if (status != FL_OK)
        return status;
    ram_put(w, at, tables_entry_size(w), tables_leaf_entry(w, level, frame, &bits));
    if (bits.present && (bits.write || !tables_write_protect(w)))
        frame_name(w, frame, frames);
    if ((va & ~(((uint64_t)frames << PAGE_SHIFT) - 1)) < w->kernel.task_size)
        world_opaque(w, "a MAP record in user space");
    else if (frame < FL_RAM_POOL_END)
        world_opaque(w, "a MAP record names memory of the pool");
    return FL_OK;
}

static enum fl_status apply_entry(struct fl_world *w, const struct fl_record *r)
{
    unsigned level = r->u.entry.level, size = tables_entry_size(w);
    uint64_t at, before, after;

    level = level < 1 ? 1 : level > tables_levels(w) ? tables_levels(w) : level;
    enum fl_status status =
        w->is_sh4 ? sh4_path(w, r->u.entry.va, level, &at) : tables_path(w, r->u.entry.va, level, &at);
    if (status != FL_OK)
        return status;
    before = ram_get(w, at, size);
    after = (before & ~r->u.entry.mask) | (r->u.entry.set & r->u.entry.mask);
    if (size == 4)
        after = (uint32_t)after;
    ram_put(w, at, size, after);
    if (tables_dangerous(before, after))
        w->pool_aliased = true;
    world_opaque(w, "an ENTRY record");
    return FL_OK;
}

static enum fl_status apply_vma(struct fl_world *w, const struct fl_record *r)
{
    unsigned flags = r->u.vma.flags;
    bool file = flags & FL_VMA_FILE;
    struct fl_vma vma = {
        .start = r->u.vma.start,
        .end = r->u.vma.start + ((uint64_t)r->u.vma.pages << PAGE_SHIFT),
        .read = flags & FL_PROT_READ,
        .write = flags & FL_PROT_WRITE,
        .exec = flags & FL_PROT_EXEC,
        .shared = flags & FL_VMA_SHARED,
        .growsdown = flags & FL_VMA_GROWSDOWN,
        .backing = file ? FL_BACK_FILE : FL_BACK_ANON,
        .pkey = r->u.vma.pkey & 15,
    };
    if (file) {
        vma.file = r->u.vma.file & 3;
        vma.pgoff = r->u.vma.pgoff;
        vma.file_pages = r->u.vma.file_pages;
    }
    return vma_map(w, &vma);
}

static enum fl_status apply_range(struct fl_world *w, const struct fl_record *r)
{
    uint64_t start = r->u.range.start, end = start + ((uint64_t)r->u.range.pages << PAGE_SHIFT);

    if (r->kind == FL_REC_UNMAP)
        return vma_unmap(w, start, end);
    if (r->kind == FL_REC_ZAP)
        return vma_zap(w, start, end);
    return vma_protect(w, start, end, r->u.range.prot & FL_PROT_BITS);
}

static enum fl_status apply_regs(struct fl_world *w, const struct fl_record *r)
{
    bool narrow = w->kernel.word == 4 || r->u.regs.code_bits != 64;

    w->regs.ip = r->u.regs.ip;
    w->regs.gpr[FL_RSP] = narrow ? (uint32_t)r->u.regs.sp : r->u.regs.sp;
    w->regs.flags = r->u.regs.flags | 2; /* bit 1 always reads as one: SDM vol. 1, 3.4.3 */
    segment_code(w, r->u.regs.user, r->u.regs.code_bits);
    return FL_OK;
}

static enum fl_status apply_gpr(struct fl_world *w, const struct fl_record *r)
{
    unsigned index = r->u.gpr.index % FL_GPR_COUNT;

    if (index == FL_RSP) /* REGS sets the stack pointer */
        index = FL_RAX;
    w->regs.gpr[index] = w->kernel.word == 4 ? (uint32_t)r->u.gpr.value : r->u.gpr.value;
    return FL_OK;
}

/* Page by page: what can be written is, and the answer is the first page's that could not. */
static enum fl_status apply_bytes(struct fl_world *w, const struct fl_record *r)
{
    enum fl_status worst = FL_OK;
    unsigned n = r->u.bytes.n > FL_MAX_CODE ? FL_MAX_CODE : r->u.bytes.n;

    for (unsigned done = 0, step; done < n; done += step) {
        uint64_t va = r->u.bytes.va + done;
        if (w->kernel.word == 4)
            va = (uint32_t)va;
        step = (unsigned)(PAGE_SIZE - (va & (PAGE_SIZE - 1)));
        if (step > n - done)
            step = n - done;
        enum fl_status status = page_write_bytes(w, va, r->u.bytes.data + done, step);
        if (worst == FL_OK)
            worst = status;
    }
    return worst;
}

/* One fix-up an address: a second record for it replaces the first. */
static enum fl_status apply_extable(struct fl_world *w, const struct fl_record *r)
{
    unsigned i = 0;

    while (i < w->nextable && w->extable[i].ip != r->u.extable.ip)
        i++;
    if (i == FL_MAX_EXTABLE)
        return FL_NO_MEMORY;
    w->extable[i].ip = r->u.extable.ip;
    w->extable[i].fixup = r->u.extable.fixup;
    if (i == w->nextable)
        w->nextable++;
    return FL_OK;
}

static enum fl_status apply_ldt(struct fl_world *w, const struct fl_record *r)
{
    if (r->u.ldt.index >= FL_MAX_LDT)
        return FL_INVALID;
    segment_describe(w, r->u.ldt.index, r->u.ldt.base, r->u.ldt.limit, r->u.ldt.bits);
    return FL_OK;
}

static bool sh4_has(enum fl_record_kind kind)
{
    return kind == FL_REC_IOREMAP || kind == FL_REC_IOUNMAP || kind == FL_REC_FORK || kind == FL_REC_SWITCH ||
           kind == FL_REC_ENTRY || kind == FL_REC_TOUCH;
}

enum fl_status fl_world_apply(struct fl_world *w, const struct fl_record *r)
{
    if (w->is_sh4 && !sh4_has((enum fl_record_kind)r->kind))
        return FL_INVALID;
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_MAP: return apply_map(w, r);
    case FL_REC_ENTRY: return apply_entry(w, r);
    case FL_REC_VMA: return apply_vma(w, r);
    case FL_REC_UNMAP:
    case FL_REC_PROTECT:
    case FL_REC_ZAP: return apply_range(w, r);
    case FL_REC_REGS: return apply_regs(w, r);
    case FL_REC_GPR: return apply_gpr(w, r);
    case FL_REC_BYTES: return apply_bytes(w, r);
    case FL_REC_EXTABLE: return apply_extable(w, r);
    case FL_REC_INJECT: return answers_add(w, r);
    case FL_REC_IOREMAP: return kernel_ioremap(w, r);
    case FL_REC_IOUNMAP: return kernel_iounmap(w, r);
    case FL_REC_FORK: return kernel_fork(w, r->u.mm.mm);
    case FL_REC_SWITCH: return kernel_switch(w, r->u.mm.mm, r->u.mm.lag);
    case FL_REC_LDT: return apply_ldt(w, r);
    case FL_REC_CS: segment_select(w, r->u.cs.selector); return FL_OK;
    case FL_REC_TOUCH:
    case FL_REC_SYNCALL: (void)kernel_ready(w); break;
    case FL_REC_ACCESS:
    case FL_REC_FAULT:
    case FL_REC_EXEC:
    case FL_REC_DECODE:
    case FL_REC_AREA: /* of the pinning world */
    case FL_REC_ACT:
    case FL_REC_RACE:
    case FL_REC_ANSWER:
    case FL_REC_PIN:
    case FL_REC_COUNT: break;
    }
    return FL_INVALID;
}
