/* SPDX-License-Identifier: MIT */
#include "state.h"
#include "paging.h"

static bool ia32e(const struct fl_world *w)
{
    return w->cpu.mode >= FL_MODE_4LEVEL;
}

/* First address that is not user space. 32-bit: CONFIG_PAGE_OFFSET by VMSPLIT. 64-bit: one page below the end of the
 * lower canonical half (arch/x86/include/asm/page_64_types.h; TASK_SIZE64 of 2008 is the 4-level one). */
static uint64_t task_size(uint8_t mode, uint8_t split)
{
    if (mode == FL_MODE_4LEVEL)
        return UINT64_C(0x00007ffffffff000);
    if (mode == FL_MODE_5LEVEL)
        return UINT64_C(0x00fffffffffff000);
    return split == 0 ? 0xc0000000 : split == 1 ? 0x80000000 : 0x40000000;
}

static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* General registers from the seed: one of eight shapes each, so that random memory operands often land somewhere that
 * matters: small numbers, near the stack pointer, near ip, near the end of user space, near the end of the lower
 * canonical half, an early page, random 32 bits, random. */
static void seed_registers(struct fl_world *w, uint8_t seed, bool narrow)
{
    uint64_t state = seed;

    if (seed == 0) {
        const uint64_t sp = w->regs.gpr[FL_RSP];

        memset(w->regs.gpr, 0, sizeof(w->regs.gpr));
        w->regs.gpr[FL_RSP] = sp;
        return;
    }
    for (unsigned i = 0; i < FL_GPR_COUNT; i++) {
        if (i == FL_RSP)
            continue;
        uint64_t r = mix(&state), small = r >> 8 & 0x1fff, value;
        switch (r & 7) {
        case 0: value = small & 0xff; break;
        case 1: value = w->regs.gpr[FL_RSP] + small - 0x1000; break;
        case 2: value = w->regs.ip + small - 0x1000; break;
        case 3: value = w->kernel.task_size + small - 0x1000; break;
        case 4: value = (ia32e(w) ? BIT(47) : BIT(31)) + small - 0x1000; break;
        case 5: value = r >> 16 & 0xfffffff; break;
        case 6: value = r >> 32; break;
        default: value = r; break;
        }
        w->regs.gpr[i] = narrow ? (uint32_t)value : value;
    }
}

/* ---- the kernel -------------------------------------------------------------------------------------------------- */

#define MIB(n) ((uint64_t)(n) << 20)

struct layout {
    uint64_t page_offset;
    uint64_t vmalloc_start, vmalloc_end;
    uint64_t last; /* where the fix-mapped addresses end: nothing of vmalloc is above it */
};

/* Documentation/arch/x86/x86_64/mm.rst; 2008's x86_64/mm.txt has the direct mapping of 4 levels at 0xffff810000000000,
 * everything else as here. 32-bit: the direct mapping is page_offset up to 896 MiB, then a hole, then vmalloc. */
static struct layout layout_of(const struct fl_world *w)
{
    switch (w->cpu.mode) {
    case FL_MODE_4LEVEL:
        return (struct layout){UINT64_C(0xffff880000000000), UINT64_C(0xffffc90000000000), UINT64_C(0xffffe90000000000),
                               UINT64_C(0xffffffffff000000)};
    case FL_MODE_5LEVEL:
        return (struct layout){UINT64_C(0xff11000000000000), UINT64_C(0xffa0000000000000), UINT64_C(0xffd2000000000000),
                               UINT64_C(0xffffffffff000000)};
    default: return (struct layout){w->kernel.task_size, 0xf8000000, 0xff800000, 0xfffff000};
    }
}

/* The SH4's (arch/sh/include/asm/{addrspace,vmalloc}.h, 2012): P3 begins with the coherent-DMA part of 16 MiB. */
#define SH4_P3       UINT64_C(0xc0000000)
#define SH4_P4       UINT64_C(0xe0000000)
#define SH4_COHERENT MIB(16)
#define SH4_LAST     UINT64_C(0xfffff000)

static uint64_t between(uint64_t low, uint64_t value, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static void sh4_facts(struct fl_world *w, const struct fl_machine *m)
{
    struct fl_sh4 *sh = &w->sh4;

    w->kernel.task_size = w->kernel.page_offset = SH4_P3;
    sh->fixed = m->sh4_fixed;
    sh->p3_start = SH4_P3;
    sh->p3_end = between(SH4_P3, (m->vmalloc_end ? m->vmalloc_end : SH4_P4) & PAGE_MASK, SH4_LAST);
    sh->vmalloc_start =
        between(SH4_P3, (m->vmalloc_start ? m->vmalloc_start : SH4_P3 + SH4_COHERENT) & PAGE_MASK, sh->p3_end);
    w->kernel.vmalloc_start = sh->vmalloc_start;
    w->kernel.vmalloc_end = sh->p3_end;
}

static void kernel_facts(struct fl_world *w, const struct fl_machine *m)
{
    struct fl_kernel *k = &w->kernel;
    bool wide = ia32e(w);

    clear(k, sizeof(*k));
    k->task_size = task_size(m->mode, m->split);
    k->guard_gap = (uint64_t)m->guard_pages << PAGE_SHIFT;
    k->mmap_min_addr = (uint64_t)m->min_addr_pages << PAGE_SHIFT;
    k->word = wide ? 8 : 4; /* of the kernel: a compatibility task's kernel is a 64-bit one */
    k->generation = w->generation_forced < FL_GEN_COUNT ? w->generation_forced : m->generation;
    k->fault_retry = m->fault_retry;
    k->spurious_check = m->spurious_check;
    k->smap = m->kernel_smap;
    k->no_user_fetch = m->no_user_fetch;
    k->pku = m->kernel_pku;
    k->vsyscall_emulation = wide && m->vsyscall;
    k->f00f_bug = !wide && m->f00f_bug;
    k->shared_kernel_pmd = m->mode == FL_MODE_PAE && m->shared_pmd;
    k->show_unhandled = m->show_unhandled;
    k->oops_may_print = m->oops_may_print;
    k->low_frames = m->low_frames;
    w->is_sh4 = m->sh4;
    if (m->sh4) {
        sh4_facts(w, m);
        return;
    }

    const struct layout l = layout_of(w);
    k->page_offset = l.page_offset;
    k->vmalloc_start =
        between(l.page_offset, (m->vmalloc_start ? m->vmalloc_start : l.vmalloc_start) & PAGE_MASK, l.last);
    k->vmalloc_end = between(k->vmalloc_start, (m->vmalloc_end ? m->vmalloc_end : l.vmalloc_end) & PAGE_MASK, l.last);
    if (wide) {
        k->text_start = UINT64_C(0xffffffff81000000);
        k->text_end = UINT64_C(0xffffffff82000000);
        k->modules_start = UINT64_C(0xffffffffa0000000);
        k->modules_end = UINT64_C(0xffffffffff000000);
        k->vsyscall = m->vsyscall ? UINT64_C(0xffffffffff600000) : 0;
    } else {
        k->text_start = l.page_offset + MIB(1);
        k->text_end = l.page_offset + MIB(5);
        k->fixaddr_top = l.last;
        k->idt = m->idt;
    }
}

/* ---- the task ---------------------------------------------------------------------------------------------------- */

static void begin_task(struct fl_world *w, const struct fl_machine *m)
{
    static const char comms[4][FL_COMM] = FL_COMMS;
    struct fl_task *t = &w->task;

    clear(t, sizeof(*t));
    t->pid = m->pid;
    t->uid = m->uid;
    memcpy(t->comm, comms[m->comm & 3], FL_COMM);
    t->has_mm = m->has_mm;
    t->in_nmi = m->in_nmi;
    t->in_atomic = m->in_atomic || m->in_nmi;
    t->faults_disabled = m->faults_disabled;
    t->kprobe_running = m->kprobe_running;
    t->segv_unhandled = !m->catches_signals || m->pid == 1; /* unhandled_signal(): init counts whatever it handles */
    t->stack_limit = (uint64_t)m->stack_pages << PAGE_SHIFT;
    t->as_limit = (uint64_t)m->as_pages << PAGE_SHIFT;
}

void machine_begin(struct fl_world *w, const struct fl_machine *m)
{
    struct fl_cpu *c = &w->cpu;
    bool wide = m->mode >= FL_MODE_4LEVEL, narrow = !wide || m->code_bits != 64;

    c->mode = m->mode;
    c->vendor = m->vendor;
    c->family = m->family;
    c->maxphyaddr = m->maxphyaddr;
    c->pse36 = m->pse36;
    c->page1gb = m->page1gb;
    c->pkru = m->pkru;
    c->pkrs = m->pkrs;
    /* CR0.AM and CR4.PGE stay clear: alignment checks are not modelled, and the TLB is empty at every event. */
    c->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_PG | (m->wp ? CR0_WP : 0);
    c->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | (m->pse ? CR4_PSE : 0) | (m->smep ? CR4_SMEP : 0) | (m->smap ? CR4_SMAP : 0);
    c->efer = EFER_SCE | (m->nxe ? EFER_NXE : 0);
    if (m->mode != FL_MODE_2LEVEL)
        c->cr4 |= CR4_PAE;
    if (wide) {
        c->cr4 |= (m->pke ? CR4_PKE : 0) | (m->pks ? CR4_PKS : 0) | (m->mode == FL_MODE_5LEVEL ? CR4_LA57 : 0);
        c->efer |= EFER_LME | EFER_LMA;
    }

    kernel_facts(w, m);
    begin_task(w, m);
    w->lazy_mmu = m->lazy_mmu;
    w->catches_signals = m->catches_signals;
    w->seg_base = m->seg_base;
    w->seg_limit = m->seg_limit;
    w->regs.ip = m->ip;
    w->regs.gpr[FL_RSP] = narrow ? (uint32_t)m->sp : m->sp;
    w->regs.flags = m->flags | FLAGS_FIXED;
    w->regs.fs = w->regs.gs = 0;
    w->regs.fs_base = w->regs.gs_base = 0;
    segment_code(w, m->user, m->code_bits);
    seed_registers(w, m->gpr_seed, narrow);
}

bool fl_world_catches_signals(const struct fl_world *w)
{
    return w->catches_signals;
}

void fl_world_kernel_era(struct fl_world *w)
{
    w->cpu.cr4 &= ~(CR4_PKS | (w->kernel.smap ? 0 : CR4_SMAP) | (w->kernel.pku ? 0 : CR4_PKE));
}
