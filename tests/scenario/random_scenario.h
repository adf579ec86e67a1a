/* SPDX-License-Identifier: MIT */
/*
 * Random valid scenarios, made from the ranges in scenario.h without any help from the codec or the vocabulary, and a
 * comparison by hand: so that a field forgotten there is found here. Also counts which values were seen.
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

static inline void random_machine(uint64_t *state, struct fl_machine *m)
{
    const uint64_t bits = check_random(state);

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
}

static inline void random_code(uint64_t *state, uint8_t *code, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        code[i] = (uint8_t)check_random(state);
}

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
        r->u.inject.op = (uint8_t)random_below(state, FL_INJ_COUNT);
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
           a->guard_pages == b->guard_pages && a->min_addr_pages == b->min_addr_pages && a->gpr_seed == b->gpr_seed;
}

/* Records by their bytes: decoder, parser and the generator above all begin with a record of zeros. */
static inline bool same_scenario(const struct fl_scenario *a, const struct fl_scenario *b)
{
    return a->nrecords == b->nrecords && same_machine(&a->machine, &b->machine) &&
           memcmp(a->records, b->records, a->nrecords * sizeof(a->records[0])) == 0;
}

/* ---- what was seen ---------------------------------------------------------------------------------------------- */

struct seen {
    uint64_t mode[FL_MODE_COUNT], vendor[FL_VENDOR_COUNT], family[256], maxphyaddr[64], bools[14][2], split[3];
    uint64_t machine_bits[FL_MODE_COUNT][65], regs_bits[FL_MODE_COUNT][65], decode_bits[FL_MODE_COUNT][65];
    uint64_t kind[FL_MODE_COUNT][FL_REC_COUNT];
    uint64_t map_flag[8], map_level[4], map_pkey[16], entry_level[FL_MODE_COUNT][6], vma_flag[6], vma_file[4],
        vma_pkey[16];
    uint64_t prot[8], gpr[FL_MODE_COUNT][FL_GPR_COUNT], bytes_n[16], inject[FL_INJ_COUNT], probe_n[16];
    uint64_t access[FL_ACCESS_KIND_COUNT][FL_ACCESS_PRIV_COUNT][4], exec_n[16], exec_user[2], decode_n[16],
        decode_flags[4];
    uint64_t regs_user[2];
};

static inline void see(struct seen *seen, const struct fl_scenario *s)
{
    const struct fl_machine *m = &s->machine;
    const bool bools[14] = {m->pse36,
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
                            m->catches_signals};

    seen->mode[m->mode]++;
    seen->vendor[m->vendor]++;
    seen->family[m->family]++;
    seen->maxphyaddr[m->maxphyaddr]++;
    seen->split[m->split]++;
    seen->machine_bits[m->mode][m->code_bits]++;
    for (unsigned i = 0; i < 14; i++)
        seen->bools[i][bools[i]]++;
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
        default: break;
        }
    }
}

#define SEEN(counts, from, to)                                                                                         \
    do {                                                                                                               \
        for (unsigned seen_i = (from); seen_i <= (to); seen_i++)                                                       \
            CHECK((counts)[seen_i] != 0, "%s[%u] never seen by %s", #counts, seen_i, where);                           \
    } while (0)

/* Every kind in every mode, and every value of every enumeration and small range. */
static inline void check_seen(const struct seen *seen, const char *where)
{
    SEEN(seen->mode, 0, FL_MODE_COUNT - 1);
    SEEN(seen->vendor, 0, FL_VENDOR_COUNT - 1);
    SEEN(seen->family, 4, 255);
    SEEN(seen->maxphyaddr, 32, 52);
    SEEN(seen->split, 0, 2);
    for (unsigned i = 0; i < 13; i++)
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
        }
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
}

#endif
