/* SPDX-License-Identifier: MIT */
/* Counts which values of each small range turned up in scenarios, so that a test of random ones tested them all. */
#ifndef FAULTLINE_TESTS_SEEN_SCENARIO_H
#define FAULTLINE_TESTS_SEEN_SCENARIO_H

#include "check.h"
#include "seen_pin.h"

#include <faultline/fuzz/scenario.h>

#define SEEN_BOOLS 26

struct seen {
    uint64_t mode[FL_MODE_COUNT], vendor[FL_VENDOR_COUNT], family[256], maxphyaddr[64], bools[SEEN_BOOLS][2], split[3];
    uint64_t machine_bits[FL_MODE_COUNT][65], regs_bits[FL_MODE_COUNT][65], decode_bits[FL_MODE_COUNT][65];
    uint64_t kind[FL_MODE_COUNT][FL_REC_COUNT];
    uint64_t map_flag[8], map_level[4], map_pkey[16], entry_level[FL_MODE_COUNT][6], vma_flag[6], vma_file[4],
        vma_pkey[16];
    uint64_t prot[8], gpr[FL_MODE_COUNT][FL_GPR_COUNT], bytes_n[16], inject[FL_INJ_COUNT], probe_n[16];
    uint64_t access[FL_ACCESS_KIND_COUNT][FL_ACCESS_PRIV_COUNT][4], exec_n[16], exec_user[2], decode_n[16],
        decode_flags[4];
    uint64_t regs_user[2];
    uint64_t sh4[2], fixed[2], generation[FL_MODE_COUNT][FL_GEN_COUNT], comm[4], vsyscall[FL_MODE_COUNT][2],
        f00f[FL_MODE_COUNT][2], shared_pmd[FL_MODE_COUNT][2], vmalloc[FL_MODE_COUNT][4];
    uint64_t leaves[8], ioremap_level[4], ioremap_flag[8], fork[FL_MAX_MMS], to[FL_MM_NONE + 1][2], ldt[FL_MAX_LDT],
        ldt_bits[FL_MODE_COUNT][65], touch[FL_ACCESS_KIND_COUNT][2];
    struct seen_pin pin;
};

static inline void see_kernel(struct seen *seen, const struct fl_machine *m)
{
    seen->sh4[m->sh4]++;
    if (m->sh4)
        seen->fixed[m->sh4_fixed]++;
    seen->generation[m->mode][m->generation]++;
    seen->comm[m->comm]++;
    seen->vsyscall[m->mode][m->vsyscall]++;
    seen->f00f[m->mode][m->f00f_bug]++;
    seen->shared_pmd[m->mode][m->shared_pmd]++;
    seen->vmalloc[m->mode][(m->vmalloc_start != 0) | (m->vmalloc_end != 0) << 1]++;
}

static inline void see(struct seen *seen, const struct fl_scenario *s)
{
    const struct fl_machine *m = &s->machine;
    const bool bools[SEEN_BOOLS] = {m->pse36,
                                    m->page1gb,
                                    m->wp,
                                    m->pse,
                                    m->smep,
                                    m->smap,
                                    m->pke,
                                    m->pks,
                                    m->nxe,
                                    m->user,
                                    m->has_mm,
                                    m->in_atomic,
                                    m->faults_disabled,
                                    m->catches_signals,
                                    m->fault_retry,
                                    m->spurious_check,
                                    m->kernel_smap,
                                    m->no_user_fetch,
                                    m->kernel_pku,
                                    m->show_unhandled,
                                    m->oops_may_print,
                                    m->lazy_mmu,
                                    m->in_nmi,
                                    m->kprobe_running,
                                    m->pte_special,
                                    m->pv_flush};

    seen->mode[m->mode]++;
    seen->vendor[m->vendor]++;
    seen->family[m->family]++;
    seen->maxphyaddr[m->maxphyaddr]++;
    seen->split[m->split]++;
    seen->machine_bits[m->mode][m->code_bits]++;
    for (unsigned i = 0; i < SEEN_BOOLS; i++)
        seen->bools[i][bools[i]]++;
    see_kernel(seen, m);
    for (uint32_t i = 0; i < s->nrecords; i++) {
        const struct fl_record *r = &s->records[i];

        seen->kind[m->mode][r->kind]++;
        switch ((enum fl_record_kind)r->kind) {
        case FL_REC_MAP:
            for (unsigned bit = 0; bit < 8; bit++)
                seen->map_flag[bit] += r->u.map.flags >> bit & 1;
            seen->map_level[r->u.map.level]++;
            seen->map_pkey[r->u.map.pkey]++;
            break;
        case FL_REC_ENTRY: seen->entry_level[m->mode][r->u.entry.level]++; break;
        case FL_REC_VMA:
            for (unsigned bit = 0; bit < 6; bit++)
                seen->vma_flag[bit] += r->u.vma.flags >> bit & 1;
            seen->vma_file[r->u.vma.file]++;
            seen->vma_pkey[r->u.vma.pkey]++;
            break;
        case FL_REC_PROTECT: seen->prot[r->u.range.prot]++; break;
        case FL_REC_REGS:
            seen->regs_bits[m->mode][r->u.regs.code_bits]++;
            seen->regs_user[r->u.regs.user]++;
            break;
        case FL_REC_GPR: seen->gpr[m->mode][r->u.gpr.index]++; break;
        case FL_REC_BYTES: seen->bytes_n[r->u.bytes.n]++; break;
        case FL_REC_INJECT:
            seen->inject[r->u.inject.op]++;
            if (r->u.inject.op == FL_INJ_PROBE)
                seen->probe_n[r->u.inject.n]++;
            break;
        case FL_REC_ACCESS:
            seen->access[r->u.access.kind][r->u.access.priv][r->u.access.ac | r->u.access.execute << 1]++;
            break;
        case FL_REC_EXEC:
            seen->exec_n[r->u.exec.n]++;
            seen->exec_user[r->u.exec.user]++;
            break;
        case FL_REC_DECODE:
            seen->decode_n[r->u.decode.n]++;
            seen->decode_bits[m->mode][r->u.decode.bits]++;
            seen->decode_flags[r->u.decode.user | r->u.decode.fetch << 1]++;
            break;
        case FL_REC_IOREMAP:
            seen->leaves[(r->u.ioremap.leaves - 1) / 32]++;
            seen->ioremap_level[r->u.ioremap.level]++;
            for (unsigned bit = 0; bit < 8; bit++)
                seen->ioremap_flag[bit] += r->u.ioremap.flags >> bit & 1;
            break;
        case FL_REC_FORK: seen->fork[r->u.mm.mm]++; break;
        case FL_REC_SWITCH: seen->to[r->u.mm.mm][r->u.mm.lag]++; break;
        case FL_REC_LDT:
            seen->ldt[r->u.ldt.index]++;
            seen->ldt_bits[m->mode][r->u.ldt.bits]++;
            break;
        case FL_REC_TOUCH: seen->touch[r->u.touch.kind][r->u.touch.priv]++; break;
        default: see_pin_record(&seen->pin, r); break;
        }
    }
}

static inline bool has_generation(unsigned mode, unsigned generation)
{
    switch (generation) {
    case FL_GEN_CURRENT: return true;
    case FL_GEN_2008_32:
    case FL_GEN_2014_PV32: return mode == FL_MODE_2LEVEL || mode == FL_MODE_PAE;
    case FL_GEN_2008_64:
    case FL_GEN_2014_PV64: return mode == FL_MODE_4LEVEL;
    default: return mode != FL_MODE_5LEVEL;
    }
}

/* Every kind in every mode, and every value of every enumeration and small range. */
static inline void check_seen(const struct seen *seen, const char *where)
{
    SEEN(seen->mode, 0, FL_MODE_COUNT - 1);
    SEEN(seen->vendor, 0, FL_VENDOR_COUNT - 1);
    SEEN(seen->family, 4, 255);
    SEEN(seen->maxphyaddr, 32, 52);
    SEEN(seen->split, 0, 2);
    for (unsigned i = 0; i < SEEN_BOOLS; i++)
        SEEN(seen->bools[i], 0, 1);
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        const bool wide = mode == FL_MODE_4LEVEL || mode == FL_MODE_5LEVEL;

        SEEN(seen->kind[mode], 0, FL_REC_COUNT - 1);
        SEEN(seen->entry_level[mode], 1, mode + 2);
        SEEN(seen->gpr[mode], 0, FL_RSP - 1);
        SEEN(seen->gpr[mode], FL_RSP + 1, wide ? 15u : 7u);
        for (unsigned bits = 16; bits <= 64; bits *= 2) {
            const bool legal = wide || bits != 64;

            CHECK_EQ(seen->machine_bits[mode][bits] != 0, legal, "%s: mode %u, %u bits", where, mode, bits);
            CHECK_EQ(seen->regs_bits[mode][bits] != 0, legal, "%s: mode %u, %u bits", where, mode, bits);
            CHECK_EQ(seen->decode_bits[mode][bits] != 0, legal, "%s: mode %u, %u bits", where, mode, bits);
            CHECK(seen->ldt_bits[mode][bits] != 0, "%s: mode %u, %u bits", where, mode, bits);
        }
        for (unsigned g = 0; g < FL_GEN_COUNT; g++)
            CHECK_EQ(seen->generation[mode][g] != 0, has_generation(mode, g), "%s: mode %u, generation %u", where, mode,
                     g);
        CHECK_EQ(seen->vsyscall[mode][1] != 0, wide, "%s: mode %u with vsyscall", where, mode);
        CHECK_EQ(seen->f00f[mode][1] != 0, !wide, "%s: mode %u with F00F", where, mode);
        CHECK_EQ(seen->shared_pmd[mode][0] != 0, mode == FL_MODE_PAE, "%s: mode %u, own PMDs", where, mode);
        SEEN(seen->vsyscall[mode], 0, 0);
        SEEN(seen->f00f[mode], 0, 0);
        SEEN(seen->shared_pmd[mode], 1, 1);
        SEEN(seen->vmalloc[mode], 0, 0);
        SEEN(seen->vmalloc[mode], 3, 3);
    }
    SEEN(seen->map_flag, 0, 7);
    SEEN(seen->map_level, 1, 3);
    SEEN(seen->map_pkey, 0, 15);
    SEEN(seen->vma_flag, 0, 5);
    SEEN(seen->vma_file, 0, 3);
    SEEN(seen->vma_pkey, 0, 15);
    SEEN(seen->prot, 0, 7);
    SEEN(seen->bytes_n, 0, 15);
    SEEN(seen->inject, 0, FL_INJ_COUNT - 1);
    SEEN(seen->probe_n, 0, 15);
    for (unsigned kind = 0; kind < FL_ACCESS_KIND_COUNT; kind++)
        for (unsigned priv = 0; priv < FL_ACCESS_PRIV_COUNT; priv++)
            SEEN(seen->access[kind][priv], 0, 3);
    SEEN(seen->exec_n, 1, 15);
    SEEN(seen->exec_user, 0, 1);
    SEEN(seen->decode_n, 0, 15);
    SEEN(seen->decode_flags, 0, 3);
    SEEN(seen->regs_user, 0, 1);
    SEEN(seen->sh4, 0, 1);
    SEEN(seen->fixed, 0, 1);
    SEEN(seen->comm, 0, 3);
    SEEN(seen->leaves, 0, 7);
    SEEN(seen->ioremap_level, 1, 3);
    SEEN(seen->ioremap_flag, 0, 7);
    SEEN(seen->fork, 1, FL_MAX_MMS - 1);
    for (unsigned mm = 0; mm <= FL_MM_NONE; mm++)
        SEEN(seen->to[mm], 0, 1);
    SEEN(seen->ldt, 0, FL_MAX_LDT - 1);
    for (unsigned kind = 0; kind < FL_ACCESS_KIND_COUNT; kind++)
        SEEN(seen->touch[kind], 0, 1);
    check_seen_pin(&seen->pin, where);
}

/* One end of the vmalloc range given: random bytes hardly ever leave eight of them zero. */
static inline void check_half_vmalloc(const struct seen *seen, const char *where)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        SEEN(seen->vmalloc[mode], 1, 2);
}

#endif
