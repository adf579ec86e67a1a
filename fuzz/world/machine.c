/* SPDX-License-Identifier: MIT */
#include "state.h"
#include "paging.h"

/* Selectors as Linux has them (arch/x86/include/asm/segment.h): by kernel word and what they are for. */
enum {
    SEL32_KERNEL_CS = 0x60,
    SEL32_KERNEL_SS = 0x68,
    SEL32_USER_CS = 0x73,
    SEL32_USER_DS = 0x7b,
    SEL64_KERNEL32_CS = 0x08,
    SEL64_KERNEL_CS = 0x10,
    SEL64_KERNEL_SS = 0x18,
    SEL64_USER32_CS = 0x23,
    SEL64_USER_DS = 0x2b,
    SEL64_USER_CS = 0x33,
    SEL_LDT_CS = 0x0f, /* what modify_ldt() gives: entry 1 of the LDT, RPL 3 */
    RPL = 3
};

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

void machine_code(struct fl_world *w, bool user, unsigned code_bits)
{
    bool wide = ia32e(w), vm86;
    struct fl_regs *r = &w->regs;

    if (code_bits == 64 && !wide)
        code_bits = 32;
    if (code_bits != 64)
        r->ip = (uint32_t)r->ip;
    if (wide || !user)
        r->flags &= ~FLAGS_VM;
    vm86 = r->flags & FLAGS_VM;

    w->user = user;
    w->codeseg.bits = (uint8_t)(vm86 ? 16 : code_bits);
    w->codeseg.base = code_bits == 64 ? 0 : w->seg_base;
    w->codeseg.limit = w->seg_limit;
    if (vm86) { /* SDM vol. 3B, 20.1.1: base = selector * 16, limit 64 KiB */
        r->cs = (uint16_t)(w->seg_base >> 4);
        r->ss = r->ds = r->es = r->cs;
        w->codeseg.base = (uint64_t)r->cs << 4;
        w->codeseg.limit = 0xffff;
    } else if (user) {
        bool flat = code_bits == 64 || (code_bits == 32 && w->seg_base == 0);
        r->cs = !flat ? SEL_LDT_CS : !wide ? SEL32_USER_CS : code_bits == 64 ? SEL64_USER_CS : SEL64_USER32_CS;
        r->ss = r->ds = r->es = wide ? SEL64_USER_DS : SEL32_USER_DS;
    } else {
        r->cs = !wide ? SEL32_KERNEL_CS : code_bits == 64 ? SEL64_KERNEL_CS : SEL64_KERNEL32_CS;
        r->ss = wide ? SEL64_KERNEL_SS : SEL32_KERNEL_SS;
        r->ds = r->es = wide ? SEL64_USER_DS : SEL32_USER_DS;
    }
}

uint64_t machine_linear_ip(const struct fl_world *w)
{
    if (w->codeseg.bits == 64)
        return w->regs.ip;
    return (uint32_t)(w->codeseg.base + w->regs.ip);
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
    c->cr3 = tables_root(m->mode);
    c->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | (m->pse ? CR4_PSE : 0) | (m->smep ? CR4_SMEP : 0) | (m->smap ? CR4_SMAP : 0);
    c->efer = EFER_SCE | (m->nxe ? EFER_NXE : 0);
    if (m->mode != FL_MODE_2LEVEL)
        c->cr4 |= CR4_PAE;
    if (wide) {
        c->cr4 |= (m->pke ? CR4_PKE : 0) | (m->pks ? CR4_PKS : 0) | (m->mode == FL_MODE_5LEVEL ? CR4_LA57 : 0);
        c->efer |= EFER_LME | EFER_LMA;
    }

    w->kernel.task_size = task_size(m->mode, m->split);
    w->kernel.guard_gap = (uint64_t)m->guard_pages << PAGE_SHIFT;
    w->kernel.mmap_min_addr = (uint64_t)m->min_addr_pages << PAGE_SHIFT;
    w->kernel.word = wide ? 8 : 4; /* of the kernel: a compatibility task's kernel is a 64-bit one */
    w->task.pid = m->pid;
    w->task.has_mm = m->has_mm;
    w->task.in_atomic = m->in_atomic;
    w->task.faults_disabled = m->faults_disabled;
    w->task.stack_limit = (uint64_t)m->stack_pages << PAGE_SHIFT;
    w->task.as_limit = (uint64_t)m->as_pages << PAGE_SHIFT;

    w->catches_signals = m->catches_signals;
    w->seg_base = m->seg_base;
    w->seg_limit = m->seg_limit;
    w->regs.ip = m->ip;
    w->regs.gpr[FL_RSP] = narrow ? (uint32_t)m->sp : m->sp;
    w->regs.flags = m->flags | FLAGS_FIXED;
    w->regs.fs = w->regs.gs = 0;
    w->regs.fs_base = w->regs.gs_base = 0;
    machine_code(w, m->user, m->code_bits);
    seed_registers(w, m->gpr_seed, narrow);
}

bool fl_world_catches_signals(const struct fl_world *w)
{
    return w->catches_signals;
}

void fl_world_kernel_era(struct fl_world *w)
{
    w->cpu.cr4 &= ~(CR4_SMAP | CR4_PKE | CR4_PKS);
}
