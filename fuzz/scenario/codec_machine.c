/* SPDX-License-Identifier: MIT */
/*
 * Binary form of the machine. Fields are stored as the difference from their usual value, so that zero bytes are the
 * machine of fl_scenario_default(); the rules are in codec.c.
 */
#include "codec.h"

#include <string.h>

/* Offsets in the machine. Unnamed bytes (9, 14, 15, 70, 71) are reserved. The first 64 are those of version 1. */
enum {
    M_MODE = 0,
    M_VENDOR = 1,
    M_FAMILY = 2,
    M_MAXPHYADDR = 3,
    M_FEATURES = 4,
    M_STATE = 5,
    M_SPLIT = 6,
    M_CODE_BITS = 7,
    M_GPR_SEED = 8,
    M_GUARD_PAGES = 10,
    M_MIN_ADDR_PAGES = 12,
    M_PID = 16,
    M_FLAGS = 20,
    M_PKRU = 24,
    M_PKRS = 28,
    M_IP = 32,
    M_SP = 40,
    M_SEG_BASE = 48,
    M_SEG_LIMIT = 52,
    M_STACK_PAGES = 56,
    M_AS_PAGES = 60,
    M_KERNEL = 64,
    M_KERNEL2 = 65,
    M_GENERATION = 66,
    M_COMM = 67,
    M_LOW_FRAMES = 68,
    M_UID = 72,
    M_IDT = 76,
    M_VMALLOC_START = 80,
    M_VMALLOC_END = 88,
};

/* Usual values: see docs/scenario-format.md for why each. */
#define USUAL_MODE           FL_MODE_4LEVEL
#define USUAL_FAMILY         6u
#define USUAL_MAXPHYADDR     40u
#define USUAL_FEATURES       0x1fu /* pse36, page1gb, wp, pse, smep */
#define USUAL_STATE          0x67u /* nxe, user, has_mm, catches_signals, pte_special */
#define USUAL_GUARD_PAGES    256u
#define USUAL_MIN_ADDR_PAGES 16u
#define USUAL_PID            1000u
#define USUAL_IP             0x400000u
#define USUAL_SP             0x3ffff000u
#define USUAL_SEG_LIMIT      0xffffffffu
#define USUAL_STACK_PAGES    2048u
#define USUAL_AS_PAGES       0xffffffffu
#define USUAL_KERNEL2        0x47u /* shared_pmd, show_unhandled, oops_may_print, sh4_fixed */
#define USUAL_LOW_FRAMES     1024u
#define USUAL_UID            1000u
#define USUAL_IDT            0xfffbf000u /* 32-bit: in the fix-mapped addresses, where the F00F workaround puts it */

/* Bits of the two bytes that the machine of an SH4 has. */
#define KERNEL_SH4        0x01u
#define KERNEL2_SH4_FIXED 0x40u

uint8_t fl_native_bits(enum fl_mode mode)
{
    return is_ia32e(mode) ? 64 : 32;
}

uint64_t fl_native_task_size(const struct fl_machine *m)
{
    static const uint32_t splits[4] = {0xc0000000, 0x80000000, 0x40000000, 0xc0000000};

    switch (m->mode) {
    case FL_MODE_4LEVEL: return UINT64_C(0x00007ffffffff000);
    case FL_MODE_5LEVEL: return UINT64_C(0x00fffffffffff000);
    default: return splits[m->split & 3];
    }
}

struct fl_range fl_native_vmalloc(enum fl_mode mode, bool sh4)
{
    static const struct fl_range ranges[FL_MODE_COUNT] = {
        [FL_MODE_2LEVEL] = {0xf8000000, 0xff800000},
        [FL_MODE_PAE] = {0xf8000000, 0xff800000},
        [FL_MODE_4LEVEL] = {UINT64_C(0xffffc90000000000), UINT64_C(0xffffe90000000000)},
        [FL_MODE_5LEVEL] = {UINT64_C(0xffa0000000000000), UINT64_C(0xffd2000000000000)},
    };
    static const struct fl_range p3 = {0xc1000000, 0xe0000000};

    return sh4 ? p3 : ranges[mode & 3];
}

/* ---- generations: which of them a machine has ------------------------------------------------------------------- */

static const uint8_t generations32[] = {FL_GEN_CURRENT, FL_GEN_2008_32, FL_GEN_2014_NATIVE, FL_GEN_2014_PV32,
                                        FL_GEN_2016};
static const uint8_t generations64[] = {FL_GEN_CURRENT, FL_GEN_2008_64, FL_GEN_2014_NATIVE, FL_GEN_2014_PV64,
                                        FL_GEN_2016};

static const uint8_t *generations_of(unsigned mode, bool sh4, unsigned *count)
{
    /* Five levels and the SH4 have the right one only. */
    *count = sh4 || mode == FL_MODE_5LEVEL ? 1 : sizeof(generations32);
    return is_ia32e(mode) ? generations64 : generations32;
}

uint8_t fl_generation_at(enum fl_mode mode, bool sh4, unsigned n)
{
    unsigned count;
    const uint8_t *list = generations_of(mode, sh4, &count);

    return list[n % count];
}

uint8_t fl_generation_number(enum fl_mode mode, bool sh4, unsigned generation)
{
    unsigned count;
    const uint8_t *list = generations_of(mode, sh4, &count);

    for (unsigned n = 0; n < count; n++)
        if (list[n] == generation)
            return (uint8_t)n;
    return 0;
}

/* ---- the machine ------------------------------------------------------------------------------------------------ */

/* One end of the vmalloc range: 0, or a page-aligned kernel address. In IA-32e modes the last top-level entry is left
 * alone: kernel text is there, and a loop over whole entries must be able to step past the end. */
static uint64_t vmalloc_bound(const struct fl_machine *m, uint64_t v)
{
    const unsigned top = m->mode == FL_MODE_5LEVEL ? 48 : 39; /* shift of the top-level index */
    const uint64_t first = is_ia32e(m->mode) ? 0 - (UINT64_C(256) << top) : fl_native_task_size(m);

    v &= address_mask(m->mode) & ~(uint64_t)4095;
    if (v != 0 && v < first)
        v |= first;
    if (is_ia32e(m->mode) && v >= 0 - (UINT64_C(1) << top))
        v &= ~(UINT64_C(1) << top);
    return v;
}

/* A range without an address in it is nobody's: both ends are then the mode's own. */
static void decode_vmalloc(struct fl_machine *m, uint64_t start, uint64_t end)
{
    const struct fl_range own = fl_native_vmalloc((enum fl_mode)m->mode, m->sh4);

    m->vmalloc_start = vmalloc_bound(m, start);
    m->vmalloc_end = vmalloc_bound(m, end);
    if ((m->vmalloc_start ? m->vmalloc_start : own.start) >= (m->vmalloc_end ? m->vmalloc_end : own.end))
        m->vmalloc_start = m->vmalloc_end = 0;
}

/* The bytes of an SH4 machine with everything else at its usual value. */
static void plain_sh4(const uint8_t *p, uint8_t plain[FL_MACHINE_BYTES])
{
    memset(plain, 0, FL_MACHINE_BYTES);
    plain[M_MODE] = FL_MODE_2LEVEL ^ USUAL_MODE;
    plain[M_KERNEL] = KERNEL_SH4;
    plain[M_KERNEL2] = p[M_KERNEL2] & KERNEL2_SH4_FIXED;
    memcpy(plain + M_VMALLOC_START, p + M_VMALLOC_START, 16);
}

static void decode_kernel(const uint8_t *p, struct fl_machine *m)
{
    const bool wide = is_ia32e(m->mode);
    const unsigned kernel = p[M_KERNEL], kernel2 = p[M_KERNEL2] ^ USUAL_KERNEL2;

    m->sh4 = kernel & KERNEL_SH4;
    m->fault_retry = kernel >> 1 & 1;
    m->spurious_check = kernel >> 2 & 1;
    m->kernel_smap = kernel >> 3 & 1;
    m->no_user_fetch = kernel >> 4 & 1;
    m->kernel_pku = kernel >> 5 & 1;
    m->vsyscall = wide && kernel >> 6 & 1;
    m->f00f_bug = !wide && kernel >> 7 & 1;
    m->shared_pmd = m->mode != FL_MODE_PAE || (kernel2 & 1);
    m->show_unhandled = kernel2 >> 1 & 1;
    m->oops_may_print = kernel2 >> 2 & 1;
    m->lazy_mmu = kernel2 >> 3 & 1;
    m->in_nmi = kernel2 >> 4 & 1;
    m->in_atomic |= m->in_nmi;
    m->kprobe_running = kernel2 >> 5 & 1;
    m->sh4_fixed = !m->sh4 || (kernel2 & KERNEL2_SH4_FIXED);
    m->generation = fl_generation_at((enum fl_mode)m->mode, m->sh4, p[M_GENERATION]);
    m->comm = p[M_COMM] & 3;
    m->low_frames = load16(p + M_LOW_FRAMES) ^ USUAL_LOW_FRAMES;
    m->uid = load32(p + M_UID) ^ USUAL_UID;
    m->idt = wide ? 0 : load32(p + M_IDT) ^ USUAL_IDT;
    decode_vmalloc(m, load64(p + M_VMALLOC_START), load64(p + M_VMALLOC_END));
}

void fl_machine_decode(const uint8_t *p, struct fl_machine *m)
{
    uint8_t plain[FL_MACHINE_BYTES];
    static const uint8_t splits[4] = {0, 1, 2, 0};
    unsigned mode, features, state;
    uint64_t mask;
    uint32_t pid;

    if (p[M_KERNEL] & KERNEL_SH4) {
        plain_sh4(p, plain);
        p = plain;
    }
    mode = (p[M_MODE] ^ USUAL_MODE) & 3;
    features = p[M_FEATURES] ^ USUAL_FEATURES;
    state = p[M_STATE] ^ USUAL_STATE;
    mask = address_mask(mode);
    pid = load32(p + M_PID) ^ USUAL_PID;
    m->mode = (uint8_t)mode;
    m->vendor = p[M_VENDOR] & 1;
    m->family = (uint8_t)(4 + (p[M_FAMILY] + USUAL_FAMILY - 4) % 252);
    m->maxphyaddr = (uint8_t)(32 + (p[M_MAXPHYADDR] + USUAL_MAXPHYADDR - 32) % 21);
    m->pse36 = features & 1;
    m->page1gb = features >> 1 & 1;
    m->wp = features >> 2 & 1;
    m->pse = features >> 3 & 1;
    m->smep = features >> 4 & 1;
    m->smap = features >> 5 & 1;
    m->pke = features >> 6 & 1;
    m->pks = features >> 7 & 1;
    m->nxe = state & 1;
    m->split = is_ia32e(mode) ? 0 : splits[p[M_SPLIT] & 3];
    m->code_bits = decode_bits(mode, p[M_CODE_BITS]);
    m->user = state >> 1 & 1;
    m->has_mm = state >> 2 & 1;
    m->in_atomic = state >> 3 & 1;
    m->faults_disabled = state >> 4 & 1;
    m->catches_signals = state >> 5 & 1;
    m->pte_special = state >> 6 & 1;
    m->pv_flush = state >> 7 & 1;
    m->pid = pid != 0 ? pid : 1;
    m->pkru = load32(p + M_PKRU);
    m->pkrs = load32(p + M_PKRS);
    m->ip = (load64(p + M_IP) ^ USUAL_IP) & mask;
    m->sp = (load64(p + M_SP) ^ USUAL_SP) & mask;
    m->flags = legal_flags(mode, m->user, load32(p + M_FLAGS) ^ USUAL_FLAGS);
    m->seg_base = m->code_bits == 64 ? 0 : load32(p + M_SEG_BASE);
    m->seg_limit = load32(p + M_SEG_LIMIT) ^ USUAL_SEG_LIMIT;
    m->stack_pages = load32(p + M_STACK_PAGES) ^ USUAL_STACK_PAGES;
    m->as_pages = load32(p + M_AS_PAGES) ^ USUAL_AS_PAGES;
    m->guard_pages = load16(p + M_GUARD_PAGES) ^ USUAL_GUARD_PAGES;
    m->min_addr_pages = load16(p + M_MIN_ADDR_PAGES) ^ USUAL_MIN_ADDR_PAGES;
    m->gpr_seed = p[M_GPR_SEED];
    decode_kernel(p, m);
}

void fl_machine_encode(const struct fl_machine *m, uint8_t *p)
{
    memset(p, 0, FL_MACHINE_BYTES);
    p[M_MODE] = (uint8_t)(m->mode ^ USUAL_MODE);
    p[M_VENDOR] = m->vendor;
    p[M_FAMILY] = (uint8_t)((m->family + 252u - USUAL_FAMILY) % 252);
    p[M_MAXPHYADDR] = (uint8_t)((m->maxphyaddr + 12u * 21 - USUAL_MAXPHYADDR) % 21);
    p[M_FEATURES] = (uint8_t)((m->pse36 | m->page1gb << 1 | m->wp << 2 | m->pse << 3 | m->smep << 4 | m->smap << 5 |
                               m->pke << 6 | m->pks << 7) ^
                              USUAL_FEATURES);
    p[M_STATE] = (uint8_t)((m->nxe | m->user << 1 | m->has_mm << 2 | m->in_atomic << 3 | m->faults_disabled << 4 |
                            m->catches_signals << 5 | m->pte_special << 6 | m->pv_flush << 7) ^
                           USUAL_STATE);
    p[M_SPLIT] = m->split;
    p[M_CODE_BITS] = encode_bits(m->mode, m->code_bits);
    p[M_GPR_SEED] = m->gpr_seed;
    store16(p + M_GUARD_PAGES, m->guard_pages ^ USUAL_GUARD_PAGES);
    store16(p + M_MIN_ADDR_PAGES, m->min_addr_pages ^ USUAL_MIN_ADDR_PAGES);
    store32(p + M_PID, m->pid ^ USUAL_PID);
    store32(p + M_FLAGS, m->flags ^ USUAL_FLAGS);
    store32(p + M_PKRU, m->pkru);
    store32(p + M_PKRS, m->pkrs);
    store64(p + M_IP, m->ip ^ USUAL_IP);
    store64(p + M_SP, m->sp ^ USUAL_SP);
    store32(p + M_SEG_BASE, (uint32_t)m->seg_base);
    store32(p + M_SEG_LIMIT, m->seg_limit ^ USUAL_SEG_LIMIT);
    store32(p + M_STACK_PAGES, m->stack_pages ^ USUAL_STACK_PAGES);
    store32(p + M_AS_PAGES, m->as_pages ^ USUAL_AS_PAGES);
    p[M_KERNEL] = (uint8_t)(m->sh4 | m->fault_retry << 1 | m->spurious_check << 2 | m->kernel_smap << 3 |
                            m->no_user_fetch << 4 | m->kernel_pku << 5 | m->vsyscall << 6 | m->f00f_bug << 7);
    p[M_KERNEL2] = (uint8_t)((m->shared_pmd | m->show_unhandled << 1 | m->oops_may_print << 2 | m->lazy_mmu << 3 |
                              m->in_nmi << 4 | m->kprobe_running << 5 | m->sh4_fixed << 6) ^
                             USUAL_KERNEL2);
    p[M_GENERATION] = fl_generation_number((enum fl_mode)m->mode, m->sh4, m->generation);
    p[M_COMM] = m->comm;
    store16(p + M_LOW_FRAMES, m->low_frames ^ USUAL_LOW_FRAMES);
    store32(p + M_UID, m->uid ^ USUAL_UID);
    store32(p + M_IDT, is_ia32e(m->mode) ? m->idt : m->idt ^ USUAL_IDT);
    store64(p + M_VMALLOC_START, m->vmalloc_start);
    store64(p + M_VMALLOC_END, m->vmalloc_end);
}
