/* SPDX-License-Identifier: MIT */
/*
 * Binary form of scenarios: FL_MACHINE_BYTES, then FL_RECORD_BYTES a record. docs/scenario-format.md has the layout.
 *
 * Rules that make it total and canonical: every stored field is brought into its range by a mask, a small table or a
 * modulo that leaves values in range alone; reserved bytes are not read and are written as zero; what a field means never
 * depends on anything but the machine's mode (and, for machine.flags and regs.flags, on the privilege beside it).
 *
 * Machine fields are stored as the difference from their usual value, so that zero bytes, and so also the empty input,
 * are the machine of fl_scenario_default(): mutation starts from a machine that works instead of one without WP, memory
 * or stack.
 */
#include "codec.h"

#include <string.h>

/* Offsets in the machine. Unnamed bytes (9, 14, 15) are reserved. */
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
};

/* Usual values: see docs/scenario-format.md for why each. */
#define USUAL_MODE           FL_MODE_4LEVEL
#define USUAL_FAMILY         6u
#define USUAL_MAXPHYADDR     40u
#define USUAL_FEATURES       0x1fu /* pse36, page1gb, wp, pse, smep */
#define USUAL_STATE          0x27u /* nxe, user, has_mm, catches_signals */
#define USUAL_GUARD_PAGES    256u
#define USUAL_MIN_ADDR_PAGES 16u
#define USUAL_PID            1000u
#define USUAL_IP             0x400000u
#define USUAL_SP             0x3ffff000u
#define USUAL_SEG_LIMIT      0xffffffffu
#define USUAL_STACK_PAGES    2048u
#define USUAL_AS_PAGES       0xffffffffu

uint8_t fl_native_bits(enum fl_mode mode)
{
    return is_ia32e(mode) ? 64 : 32;
}

static void decode_machine(const uint8_t *p, struct fl_machine *m)
{
    static const uint8_t splits[4] = {0, 1, 2, 0};
    const unsigned mode = (p[M_MODE] ^ USUAL_MODE) & 3;
    const unsigned features = p[M_FEATURES] ^ USUAL_FEATURES;
    const unsigned state = p[M_STATE] ^ USUAL_STATE;
    const uint64_t mask = address_mask(mode);
    const uint32_t pid = load32(p + M_PID) ^ USUAL_PID;

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
}

static void encode_machine(const struct fl_machine *m, uint8_t *p)
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
                            m->catches_signals << 5) ^
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
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

void fl_scenario_decode(const uint8_t *data, size_t size, struct fl_scenario *out)
{
    uint8_t partial[FL_MACHINE_BYTES] = {0};
    size_t whole, rest;

    if (size < FL_MACHINE_BYTES) {
        if (size != 0)
            memcpy(partial, data, size);
        decode_machine(partial, &out->machine);
        out->nrecords = 0;
        return;
    }
    decode_machine(data, &out->machine);
    if (size > FL_SCENARIO_MAX_BYTES)
        size = FL_SCENARIO_MAX_BYTES;
    whole = (size - FL_MACHINE_BYTES) / FL_RECORD_BYTES;
    rest = (size - FL_MACHINE_BYTES) % FL_RECORD_BYTES;
    for (size_t i = 0; i < whole; i++)
        fl_record_decode(data + FL_MACHINE_BYTES + i * FL_RECORD_BYTES, out->machine.mode, &out->records[i]);
    if (rest != 0) {
        memcpy(partial, data + FL_MACHINE_BYTES + whole * FL_RECORD_BYTES, rest);
        fl_record_decode(partial, out->machine.mode, &out->records[whole]);
        whole++;
    }
    out->nrecords = (uint32_t)whole;
}

size_t fl_scenario_encode(const struct fl_scenario *s, uint8_t *data, size_t size)
{
    const uint32_t n = s->nrecords < FL_MAX_RECORDS ? s->nrecords : FL_MAX_RECORDS;
    const size_t need = FL_MACHINE_BYTES + (size_t)n * FL_RECORD_BYTES;

    if (need > size)
        return need;
    encode_machine(&s->machine, data);
    for (uint32_t i = 0; i < n; i++)
        fl_record_encode(&s->records[i], s->machine.mode, data + FL_MACHINE_BYTES + (size_t)i * FL_RECORD_BYTES);
    return need;
}

void fl_scenario_default(struct fl_scenario *out)
{
    fl_scenario_decode(NULL, 0, out);
}

void fl_machine_canonical(struct fl_machine *m)
{
    uint8_t bytes[FL_MACHINE_BYTES];

    encode_machine(m, bytes);
    decode_machine(bytes, m);
}

void fl_record_canonical(enum fl_mode mode, struct fl_record *r)
{
    uint8_t bytes[FL_RECORD_BYTES];

    fl_record_encode(r, mode, bytes);
    fl_record_decode(bytes, mode, r);
}
