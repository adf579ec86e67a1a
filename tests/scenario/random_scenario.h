/* SPDX-License-Identifier: MIT */
/*
 * Random valid scenarios, made from the ranges in scenario.h without any help from the codec or the vocabulary, and a
 * comparison by hand: so that a field forgotten there is found here.
 */
#ifndef FAULTLINE_TESTS_RANDOM_SCENARIO_H
#define FAULTLINE_TESTS_RANDOM_SCENARIO_H

#include "check.h"

#include <faultline/fuzz/scenario.h>

/* Half of the time an edge, else any 64 bits, shortened by a random shift. */
static inline uint64_t random_u64(uint64_t *state)
{
    static const uint64_t edges[] = {
        0,          1,          0xff,       0x1000,         0x3fffffff,        0x7fffffff,
        0x80000000, 0xfffff000, 0xffffffff, 0x100000000,    0x7ffffffff000,    0x800000000000,
        UINT64_MAX, 0x400000,   1ull << 63, 0x7fffffffffff, 0xffff800000000000};
    const uint64_t r = check_random(state);

    return r & 1 ? edges[(r >> 1) % (sizeof(edges) / sizeof(edges[0]))] : check_random(state) >> (r >> 1 & 63);
}

static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(check_random(state) % n);
}

static inline uint64_t random_address(uint64_t *state, unsigned mode)
{
    const uint64_t r = random_u64(state);

    return mode == FL_MODE_2LEVEL || mode == FL_MODE_PAE ? (uint32_t)r : r;
}

static inline uint8_t random_bits(uint64_t *state, unsigned mode)
{
    const uint32_t r = random_below(state, 3);

    return r == 0 ? 16 : r == 1 || mode == FL_MODE_2LEVEL || mode == FL_MODE_PAE ? 32 : 64;
}

static inline uint32_t random_flags(uint64_t *state, unsigned mode, bool user)
{
    uint32_t flags = (uint32_t)random_u64(state) | 2;

    if (mode == FL_MODE_4LEVEL || mode == FL_MODE_5LEVEL || !user)
        flags &= ~(uint32_t)(1u << 17);
    return flags;
}

static inline uint32_t random_pages(uint64_t *state)
{
    const uint32_t r = random_below(state, 4);

    return r == 0 ? 1 : r == 1 ? 1u << 24 : 1 + (random_below(state, 1u << 24) >> random_below(state, 24));
}

/* Which generations a mode has: a second list, by hand. */
static inline uint8_t random_generation(uint64_t *state, unsigned mode)
{
    static const uint8_t narrow[] = {FL_GEN_CURRENT, FL_GEN_2008_32, FL_GEN_2014_NATIVE, FL_GEN_2014_PV32, FL_GEN_2016};
    static const uint8_t wide[] = {FL_GEN_CURRENT, FL_GEN_2008_64, FL_GEN_2014_NATIVE, FL_GEN_2014_PV64, FL_GEN_2016};
    const uint32_t r = random_below(state, 5);

    return mode == FL_MODE_5LEVEL ? (uint8_t)FL_GEN_CURRENT : mode == FL_MODE_4LEVEL ? wide[r] : narrow[r];
}

/* Any ends in the kernel's half with something between them, or one or both left to the mode. */
static inline void random_vmalloc(uint64_t *state, struct fl_machine *m)
{
    static const uint64_t own[FL_MODE_COUNT][2] = {{0xf8000000, 0xff800000},
                                                   {0xf8000000, 0xff800000},
                                                   {0xffffc90000000000, 0xffffe90000000000},
                                                   {0xffa0000000000000, 0xffd2000000000000}};
    static const uint64_t first[3] = {0xc0000000, 0x80000000, 0x40000000};
    const bool wide = m->mode == FL_MODE_4LEVEL || m->mode == FL_MODE_5LEVEL;
    uint64_t low = first[m->split], high = 0xfffff000, start = own[m->mode][0], end = own[m->mode][1], a, b;

    if (m->sh4) {
        start = 0xc1000000;
        end = 0xe0000000;
    }
    if (wide) {
        low = m->mode == FL_MODE_4LEVEL ? 0xffff800000000000 : 0xff00000000000000;
        high = m->mode == FL_MODE_4LEVEL ? 0xffffff7ffffff000 : 0xfffefffffffff000;
    }
    a = low + ((random_u64(state) % (high - low + 1)) & ~(uint64_t)4095);
    b = low + ((random_u64(state) % (high - low + 1)) & ~(uint64_t)4095);
    switch (random_below(state, 4)) {
    case 0: break;
    case 1: m->vmalloc_start = a < end ? a : 0; break;
    case 2: m->vmalloc_end = b > start ? b : 0; break;
    default:
        if (a != b) {
            m->vmalloc_start = a < b ? a : b;
            m->vmalloc_end = a < b ? b : a;
        }
    }
}

/* All that an SH4 has. */
static inline void random_sh4(uint64_t *state, struct fl_machine *m)
{
    *m = (struct fl_machine){.mode = FL_MODE_2LEVEL,
                             .family = 6,
                             .maxphyaddr = 40,
                             .pse36 = true,
                             .page1gb = true,
                             .wp = true,
                             .pse = true,
                             .smep = true,
                             .nxe = true,
                             .code_bits = 32,
                             .user = true,
                             .has_mm = true,
                             .catches_signals = true,
                             .pid = 1000,
                             .ip = 0x400000,
                             .sp = 0x3ffff000,
                             .flags = 0x202,
                             .seg_limit = 0xffffffff,
                             .stack_pages = 2048,
                             .as_pages = 0xffffffff,
                             .guard_pages = 256,
                             .min_addr_pages = 16,
                             .sh4 = true,
                             .generation = FL_GEN_CURRENT,
                             .shared_pmd = true,
                             .show_unhandled = true,
                             .oops_may_print = true,
                             .pte_special = true,
                             .sh4_fixed = random_below(state, 2) != 0,
                             .low_frames = 1024,
                             .uid = 1000,
                             .idt = 0xfffbf000};
    random_vmalloc(state, m);
}

static inline void random_kernel(uint64_t *state, struct fl_machine *m)
{
    const uint64_t bits = check_random(state);
    const bool wide = m->mode == FL_MODE_4LEVEL || m->mode == FL_MODE_5LEVEL;

    m->generation = random_generation(state, m->mode);
    m->fault_retry = bits & 1;
    m->spurious_check = bits >> 1 & 1;
    m->kernel_smap = bits >> 2 & 1;
    m->no_user_fetch = bits >> 3 & 1;
    m->kernel_pku = bits >> 4 & 1;
    m->vsyscall = wide && (bits >> 5 & 1);
    m->f00f_bug = !wide && (bits >> 6 & 1);
    m->shared_pmd = m->mode != FL_MODE_PAE || (bits >> 7 & 1);
    m->show_unhandled = bits >> 8 & 1;
    m->oops_may_print = bits >> 9 & 1;
    m->lazy_mmu = bits >> 10 & 1;
    m->in_nmi = bits >> 11 & 1;
    m->in_atomic = m->in_atomic || m->in_nmi;
    m->kprobe_running = bits >> 12 & 1;
    m->pte_special = bits >> 15 & 1;
    m->pv_flush = bits >> 16 & 1;
    m->sh4_fixed = true;
    m->comm = bits >> 13 & 3;
    m->low_frames = (uint16_t)random_u64(state);
    m->uid = (uint32_t)random_u64(state);
    m->idt = wide ? 0 : (uint32_t)random_u64(state);
    random_vmalloc(state, m);
}

static inline void random_machine(uint64_t *state, struct fl_machine *m)
{
    const uint64_t bits = check_random(state);

    if (bits >> 60 == 0) {
        random_sh4(state, m);
        return;
    }
    m->mode = (uint8_t)random_below(state, FL_MODE_COUNT);
    m->vendor = (uint8_t)random_below(state, FL_VENDOR_COUNT);
    m->family = (uint8_t)(4 + random_below(state, 252));
    m->maxphyaddr = (uint8_t)(32 + random_below(state, 21));
    m->pse36 = bits & 1;
    m->page1gb = bits >> 1 & 1;
    m->wp = bits >> 2 & 1;
    m->pse = bits >> 3 & 1;
    m->smep = bits >> 4 & 1;
    m->smap = bits >> 5 & 1;
    m->pke = bits >> 6 & 1;
    m->pks = bits >> 7 & 1;
    m->nxe = bits >> 8 & 1;
    m->user = bits >> 9 & 1;
    m->has_mm = bits >> 10 & 1;
    m->in_atomic = bits >> 11 & 1;
    m->faults_disabled = bits >> 12 & 1;
    m->catches_signals = bits >> 13 & 1;
    if (m->mode == FL_MODE_2LEVEL || m->mode == FL_MODE_PAE)
        m->split = (uint8_t)random_below(state, 3);
    m->code_bits = random_bits(state, m->mode);
    m->pid = (uint32_t)random_u64(state);
    if (m->pid == 0)
        m->pid = 1;
    m->pkru = (uint32_t)random_u64(state);
    m->pkrs = (uint32_t)random_u64(state);
    m->ip = random_address(state, m->mode);
    m->sp = random_address(state, m->mode);
    m->flags = random_flags(state, m->mode, m->user);
    m->seg_base = m->code_bits == 64 ? 0 : (uint32_t)random_u64(state);
    m->seg_limit = (uint32_t)random_u64(state);
    m->stack_pages = (uint32_t)random_u64(state);
    m->as_pages = (uint32_t)random_u64(state);
    m->guard_pages = (uint16_t)random_u64(state);
    m->min_addr_pages = (uint16_t)random_u64(state);
    m->gpr_seed = (uint8_t)random_u64(state);
    random_kernel(state, m);
}

static inline void random_code(uint64_t *state, uint8_t *code, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        code[i] = (uint8_t)check_random(state);
}

#include "random_pin.h"

static inline void random_record(uint64_t *state, unsigned mode, struct fl_record *r)
{
    const uint64_t bits = check_random(state);

    memset(r, 0, sizeof(*r));
    r->kind = (uint8_t)random_below(state, FL_REC_COUNT);
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_MAP:
        r->u.map.va = random_address(state, mode);
        r->u.map.frame = (uint16_t)random_below(state, 1024);
        r->u.map.level = (uint8_t)(1 + random_below(state, 3));
        r->u.map.flags = (uint8_t)random_below(state, FL_MAP_FLAGS + 1);
        r->u.map.pkey = (uint8_t)random_below(state, 16);
        break;
    case FL_REC_ENTRY:
        r->u.entry.va = random_address(state, mode);
        r->u.entry.level = (uint8_t)(1 + random_below(state, 2 + mode)); /* 2level 2, pae 3, 4level 4, 5level 5 */
        r->u.entry.mask = mode == FL_MODE_2LEVEL ? (uint32_t)random_u64(state) : random_u64(state);
        r->u.entry.set = random_u64(state) & r->u.entry.mask;
        break;
    case FL_REC_VMA:
        r->u.vma.start = random_address(state, mode) & ~(uint64_t)4095;
        r->u.vma.pages = random_pages(state);
        r->u.vma.flags = (uint8_t)random_below(state, FL_VMA_FLAGS + 1);
        r->u.vma.pkey = (uint8_t)random_below(state, 16);
        if (r->u.vma.flags & FL_VMA_FILE) {
            r->u.vma.file = (uint8_t)random_below(state, 4);
            r->u.vma.pgoff = (uint16_t)random_u64(state);
            r->u.vma.file_pages = (uint32_t)random_u64(state);
        }
        break;
    case FL_REC_UNMAP:
    case FL_REC_PROTECT:
    case FL_REC_ZAP:
        r->u.range.start = random_address(state, mode) & ~(uint64_t)4095;
        r->u.range.pages = random_pages(state);
        if (r->kind == FL_REC_PROTECT)
            r->u.range.prot = bits & FL_PROT_BITS;
        break;
    case FL_REC_REGS:
        r->u.regs.user = bits & 1;
        r->u.regs.ip = random_address(state, mode);
        r->u.regs.sp = random_address(state, mode);
        r->u.regs.flags = random_flags(state, mode, r->u.regs.user);
        r->u.regs.code_bits = random_bits(state, mode);
        break;
    case FL_REC_GPR:
        r->u.gpr.index = (uint8_t)random_below(state, mode == FL_MODE_2LEVEL || mode == FL_MODE_PAE ? 8 : 16);
        if (r->u.gpr.index == FL_RSP)
            r->u.gpr.index = FL_RBP;
        r->u.gpr.value = random_address(state, mode);
        break;
    case FL_REC_BYTES:
        r->u.bytes.va = random_address(state, mode);
        r->u.bytes.n = (uint8_t)random_below(state, 16);
        random_code(state, r->u.bytes.data, r->u.bytes.n);
        break;
    case FL_REC_EXTABLE:
        r->u.extable.ip = random_address(state, mode);
        r->u.extable.fixup = random_address(state, mode);
        break;
    case FL_REC_INJECT:
        r->u.inject.op = (uint8_t)(bits & 0x30 ? random_below(state, FL_INJ_COUNT) : FL_INJ_PROBE);
        if (r->u.inject.op == FL_INJ_PROBE)
            r->u.inject.n = bits & 15;
        break;
    case FL_REC_ACCESS:
        r->u.access.va = random_address(state, mode);
        r->u.access.kind = (uint8_t)random_below(state, FL_ACCESS_KIND_COUNT);
        r->u.access.priv = (uint8_t)random_below(state, FL_ACCESS_PRIV_COUNT);
        r->u.access.ac = bits & 1;
        r->u.access.execute = bits >> 1 & 1;
        break;
    case FL_REC_FAULT:
        r->u.fault.cr2 = random_address(state, mode);
        r->u.fault.code = (uint32_t)random_u64(state);
        break;
    case FL_REC_EXEC:
        r->u.exec.ip = random_address(state, mode);
        r->u.exec.n = (uint8_t)(1 + random_below(state, 15));
        r->u.exec.user = bits & 1;
        random_code(state, r->u.exec.code, r->u.exec.n);
        break;
    case FL_REC_DECODE:
        r->u.decode.n = (uint8_t)random_below(state, 16);
        r->u.decode.bits = random_bits(state, mode);
        r->u.decode.user = bits & 1;
        r->u.decode.fetch = bits >> 1 & 1;
        random_code(state, r->u.decode.code, r->u.decode.n);
        break;
    case FL_REC_IOREMAP:
        r->u.ioremap.va = random_address(state, mode);
        r->u.ioremap.leaves = (uint16_t)(bits & 6 ? 1 + random_below(state, 256) : bits & 1 ? 1 : 256);
        r->u.ioremap.frame = (uint16_t)random_below(state, 1024);
        r->u.ioremap.level = (uint8_t)(1 + random_below(state, 3));
        r->u.ioremap.flags = (uint8_t)random_below(state, FL_MAP_FLAGS + 1);
        break;
    case FL_REC_IOUNMAP:
        r->u.iounmap.start = random_address(state, mode) & ~(uint64_t)4095;
        r->u.iounmap.pages = random_pages(state);
        break;
    case FL_REC_FORK: r->u.mm.mm = (uint8_t)(1 + random_below(state, FL_MAX_MMS - 1)); break;
    case FL_REC_SWITCH:
        r->u.mm.mm = (uint8_t)random_below(state, FL_MM_NONE + 1);
        r->u.mm.lag = bits & 1;
        break;
    case FL_REC_LDT:
        r->u.ldt.index = (uint8_t)random_below(state, FL_MAX_LDT);
        r->u.ldt.bits = (uint8_t)(16u << random_below(state, 3));
        r->u.ldt.base = (uint32_t)random_u64(state);
        r->u.ldt.limit = (uint32_t)random_u64(state);
        if (r->u.ldt.limit >= 0x100000)
            r->u.ldt.limit |= 0xfff;
        break;
    case FL_REC_CS: r->u.cs.selector = (uint16_t)random_u64(state); break;
    case FL_REC_TOUCH:
        r->u.touch.va = random_address(state, mode);
        r->u.touch.kind = (uint8_t)random_below(state, FL_ACCESS_KIND_COUNT);
        r->u.touch.priv = bits & 1 ? FL_SUPERVISOR : FL_USER;
        break;
    case FL_REC_AREA:
    case FL_REC_ACT:
    case FL_REC_RACE:
    case FL_REC_ANSWER:
    case FL_REC_PIN: random_pin_record(state, mode, r); break;
    case FL_REC_SYNCALL:
    case FL_REC_COUNT: break;
    }
}

static inline void random_scenario(uint64_t *state, struct fl_scenario *s, uint32_t nrecords)
{
    memset(&s->machine, 0, sizeof(s->machine));
    random_machine(state, &s->machine);
    s->nrecords = nrecords;
    for (uint32_t i = 0; i < nrecords; i++)
        random_record(state, s->machine.mode, &s->records[i]);
}

/* ---- comparison by hand ----------------------------------------------------------------------------------------- */

static inline bool same_kernel(const struct fl_machine *a, const struct fl_machine *b)
{
    return a->sh4 == b->sh4 && a->generation == b->generation && a->fault_retry == b->fault_retry &&
           a->spurious_check == b->spurious_check && a->kernel_smap == b->kernel_smap &&
           a->no_user_fetch == b->no_user_fetch && a->kernel_pku == b->kernel_pku && a->vsyscall == b->vsyscall &&
           a->f00f_bug == b->f00f_bug && a->shared_pmd == b->shared_pmd && a->show_unhandled == b->show_unhandled &&
           a->oops_may_print == b->oops_may_print && a->lazy_mmu == b->lazy_mmu && a->in_nmi == b->in_nmi &&
           a->pte_special == b->pte_special && a->pv_flush == b->pv_flush && a->kprobe_running == b->kprobe_running &&
           a->sh4_fixed == b->sh4_fixed && a->comm == b->comm && a->low_frames == b->low_frames && a->uid == b->uid &&
           a->idt == b->idt && a->vmalloc_start == b->vmalloc_start && a->vmalloc_end == b->vmalloc_end;
}

static inline bool same_machine(const struct fl_machine *a, const struct fl_machine *b)
{
    return a->mode == b->mode && a->vendor == b->vendor && a->family == b->family && a->maxphyaddr == b->maxphyaddr &&
           a->pse36 == b->pse36 && a->page1gb == b->page1gb && a->wp == b->wp && a->pse == b->pse &&
           a->smep == b->smep && a->smap == b->smap && a->pke == b->pke && a->pks == b->pks && a->nxe == b->nxe &&
           a->split == b->split && a->code_bits == b->code_bits && a->user == b->user && a->has_mm == b->has_mm &&
           a->in_atomic == b->in_atomic && a->faults_disabled == b->faults_disabled &&
           a->catches_signals == b->catches_signals && a->pid == b->pid && a->pkru == b->pkru && a->pkrs == b->pkrs &&
           a->ip == b->ip && a->sp == b->sp && a->flags == b->flags && a->seg_base == b->seg_base &&
           a->seg_limit == b->seg_limit && a->stack_pages == b->stack_pages && a->as_pages == b->as_pages &&
           a->guard_pages == b->guard_pages && a->min_addr_pages == b->min_addr_pages && a->gpr_seed == b->gpr_seed &&
           same_kernel(a, b);
}

/* Records by their bytes: decoder, parser and the generator above all begin with a record of zeros. */
static inline bool same_scenario(const struct fl_scenario *a, const struct fl_scenario *b)
{
    return a->nrecords == b->nrecords && same_machine(&a->machine, &b->machine) &&
           memcmp(a->records, b->records, a->nrecords * sizeof(a->records[0])) == 0;
}

#endif
