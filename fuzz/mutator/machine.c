/* SPDX-License-Identifier: MIT */
/* One field of the machine. The mode stays: records were made for it. */
#include "mutator.h"

#include "../scenario/internal.h"

/* Families on both sides of every test that kernels make: K6, K7, K8 (0xf), the ones after it, Intel's 6. */
static const uint8_t families[] = {4, 5, 6, 6, 7, 14, 15, 15, 16, 17, 20, 23, 25, 255};
/* The narrowest and widest there are, what Unicorn has, PSE-36's own limit, and their neighbours. */
static const uint8_t widths[] = {32, 33, 36, 36, 39, 40, 40, 46, 48, 51, 52};

void fl_machine_changed(struct fl_mutation *m)
{
    fl_machine_canonical(&m->machine);
    m->machine_changed = true;
    m->ops |= 1u << FL_OP_MACHINE;
}

/* What the kernel is built with and where it lies. */
static void change_kernel(struct fl_mutation *m)
{
    static const uint16_t low_frames[] = {0, 1, 512, 513, 700, 1023, 1024, 65535};
    static const uint32_t uids[] = {0, 1, 1000, 0x7fffffff, 0x80000000, UINT32_MAX};
    struct fl_machine *c = &m->machine;
    uint64_t r = fl_draw(m);
    /* Only what the synchronisation sees is worth changing for it. */
    unsigned field = m->target == FL_TARGET_VMALLOC ? (unsigned)(r & 7) : (unsigned)(r & 31);

    r >>= 8;
    switch (field) {
    case 0:
    case 1:
    case 2: c->generation = fl_generation_at((enum fl_mode)c->mode, c->sh4, (unsigned)(r & 0xff)); break;
    case 3:
        c->shared_pmd ^= 1;
        c->sh4_fixed ^= 1;
        break;
    case 4: c->lazy_mmu ^= 1; break;
    case 5:
        c->in_nmi ^= 1;
        c->in_atomic = c->in_nmi || (r & 1);
        break;
    case 6: c->vmalloc_start = r & 1 ? 0 : fl_value_vmalloc_page(m); break;
    case 7: c->vmalloc_end = r & 1 ? 0 : fl_value_vmalloc_page(m); break;
    case 8:
    case 9:
    case 10: c->fault_retry ^= 1; break;
    case 11:
    case 12: c->spurious_check ^= 1; break;
    case 13:
    case 14:
        c->kernel_smap ^= 1;
        c->smap = r & 7 ? c->kernel_smap : c->smap;
        break;
    case 15: c->no_user_fetch ^= 1; break;
    case 16:
    case 17:
        c->kernel_pku ^= 1;
        c->pke = r & 7 ? c->kernel_pku : c->pke;
        break;
    case 18:
    case 19: c->vsyscall ^= 1; break;
    case 20:
    case 21: c->f00f_bug ^= 1; break;
    case 22: c->show_unhandled ^= 1; break;
    case 23: c->oops_may_print ^= 1; break;
    case 24:
    case 25: c->kprobe_running ^= 1; break;
    case 26:
    case 27: c->comm = (uint8_t)(r & 3); break;
    case 28:
    case 29: c->low_frames = FL_PICK(m, low_frames); break;
    case 30: c->uid = FL_PICK(m, uids); break;
    default: c->idt = r & 3 ? FL_IDT : (uint32_t)fl_value_kernel_page(m) | (uint32_t)(r >> 8 & 0xff8); break;
    }
    fl_machine_changed(m);
}

void fl_machine_change_field(struct fl_mutation *m)
{
    struct fl_machine *c = &m->machine;
    /* In 16ths: hardly ever where no kernel is asked. */
    static const uint8_t kernel_share[FL_TARGET_COUNT] = {
        [FL_TARGET_WALK] = 1,     [FL_TARGET_FAULT] = 8, [FL_TARGET_PREFETCH] = 1,
        [FL_TARGET_VMALLOC] = 14, [FL_TARGET_GUP] = 4,   [FL_TARGET_ALL] = 8};
    uint64_t r = fl_draw(m);
    unsigned field = m->target == FL_TARGET_GUP && r & 0x60 ? 32 + (unsigned)(r & 1) : (unsigned)(r & 31);

    if ((r >> 60) < kernel_share[m->target]) {
        change_kernel(m);
        return;
    }
    r >>= 8;
    switch (field) {
    case 0:
    case 1: c->vendor ^= 1; break;
    case 2:
    case 3: c->family = r & 15 ? FL_PICK(m, families) : (uint8_t)(4 + (r >> 8) % 252); break;
    case 4:
    case 5: c->maxphyaddr = FL_PICK(m, widths); break;
    case 6: c->pse36 ^= 1; break;
    case 7: c->page1gb ^= 1; break;
    case 8: c->wp ^= 1; break;
    case 9: c->pse ^= 1; break;
    case 10: c->smep ^= 1; break;
    case 11: c->smap ^= 1; break;
    case 12: c->pke ^= 1; break;
    case 13: c->pks ^= 1; break;
    case 14: c->nxe ^= 1; break;
    case 15: c->split = (uint8_t)(r % 3); break;
    case 16:
    case 17: c->code_bits = fl_value_bits(m); break;
    case 18: c->user ^= 1; break;
    case 19:
        if (r & 1)
            c->has_mm ^= 1;
        else if (r & 2)
            c->in_atomic ^= 1;
        else
            c->faults_disabled ^= 1;
        break;
    case 32: c->pte_special ^= 1; break;
    case 33: c->pv_flush ^= 1; break;
    case 20: c->pid = r & 1 ? 1 : fl_value_number(m); break;
    /* Two bits for each of the 16 keys. */
    case 21: c->pkru = r & 1 ? fl_value_number(m) : c->pkru ^ 1u << (r >> 8 & 31); break;
    case 22: c->pkrs = r & 1 ? fl_value_number(m) : c->pkrs ^ 1u << (r >> 8 & 31); break;
    case 23:
    case 24: c->ip = fl_value_address(m); break;
    case 25: c->sp = fl_value_address(m); break;
    case 26: c->flags = fl_value_flags(m); break;
    case 27: c->seg_base = fl_one_in(m, 2) ? (uint32_t)fl_value_address(m) : fl_value_number(m); break;
    case 28: c->seg_limit = fl_value_number(m); break;
    case 29:
        if (r & 1)
            c->stack_pages = fl_value_number(m);
        else
            c->as_pages = fl_value_number(m);
        break;
    case 30:
        if (r & 1)
            c->guard_pages = (uint16_t)fl_value_number(m);
        else
            c->min_addr_pages = (uint16_t)fl_value_number(m);
        break;
    default: c->gpr_seed = (uint8_t)(r & 3 ? r >> 8 : 0); break;
    }
    fl_machine_changed(m);
}
