/* SPDX-License-Identifier: MIT */
/* Binary form of one record. Reserved bytes are not read and are written as zero. */
#include "codec.h"

#include <string.h>

/* Instruction or memory bytes: n of them, the rest zero. */
static inline void decode_data(uint8_t data[FL_MAX_CODE], const uint8_t *p, unsigned n)
{
    static const uint8_t keep[2 * FL_MAX_CODE] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                  255, 255, 255, 255, 255, 255, 255};
    const uint8_t *mask = keep + FL_MAX_CODE - n;

    for (unsigned i = 0; i < FL_MAX_CODE; i++)
        data[i] = p[i] & mask[i];
}

void fl_record_decode(const uint8_t *p, unsigned mode, struct fl_record *r)
{
    /* Stored levels count from 0; more than the mode has start again at the leaf. */
    static const uint8_t entry_level[FL_MODE_COUNT][8] = {
        {1, 2, 1, 2, 1, 2, 1, 2}, {1, 2, 3, 1, 2, 3, 1, 2}, {1, 2, 3, 4, 1, 2, 3, 4}, {1, 2, 3, 4, 5, 1, 2, 3}};
    static const uint8_t map_level[4] = {1, 2, 3, 1};
    static const uint8_t access_kind[4] = {FL_READ, FL_WRITE, FL_FETCH, FL_READ};
    static const uint8_t access_priv[4] = {FL_USER, FL_SUPERVISOR, FL_IMPLICIT, FL_USER};
    const uint64_t mask = address_mask(mode);
    const uint64_t addr = load64(p + R_ADDR) & mask;

    memset(r, 0, sizeof(*r));
    r->kind = p[R_KIND] % FL_REC_COUNT;
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_MAP:
        r->u.map.va = addr;
        r->u.map.frame = load16(p + R_NUMBER) & 1023;
        r->u.map.level = map_level[p[R_A] & 3];
        r->u.map.flags = p[R_B] & FL_MAP_FLAGS;
        r->u.map.pkey = p[R_C] & 15;
        break;
    case FL_REC_ENTRY: {
        const uint64_t entry = mode == FL_MODE_2LEVEL ? UINT32_MAX : UINT64_MAX;
        r->u.entry.va = addr;
        r->u.entry.level = entry_level[mode][p[R_A] & 7];
        r->u.entry.mask = load64(p + R_VALUE) & entry;
        r->u.entry.set = load64(p + R_ADDR2) & r->u.entry.mask;
        break;
    }
    case FL_REC_VMA:
        r->u.vma.start = addr & ~(uint64_t)4095;
        r->u.vma.pages = decode_pages(p + R_NUMBER);
        r->u.vma.flags = p[R_A] & FL_VMA_FLAGS;
        r->u.vma.pkey = p[R_C] & 15;
        if (r->u.vma.flags & FL_VMA_FILE) {
            r->u.vma.file = p[R_B] & 3;
            r->u.vma.pgoff = load16(p + R_ADDR2);
            r->u.vma.file_pages = load32(p + R_VALUE);
        }
        break;
    case FL_REC_UNMAP:
    case FL_REC_PROTECT:
    case FL_REC_ZAP:
        r->u.range.start = addr & ~(uint64_t)4095;
        r->u.range.pages = decode_pages(p + R_NUMBER);
        r->u.range.prot = r->kind == FL_REC_PROTECT ? p[R_A] & FL_PROT_BITS : 0;
        break;
    case FL_REC_REGS:
        r->u.regs.user = !(p[R_A] & 1);
        r->u.regs.code_bits = decode_bits(mode, p[R_B]);
        r->u.regs.flags = legal_flags(mode, r->u.regs.user, load32(p + R_NUMBER) ^ USUAL_FLAGS);
        r->u.regs.ip = addr;
        r->u.regs.sp = load64(p + R_ADDR2) & mask;
        break;
    case FL_REC_GPR:
        r->u.gpr.index = p[R_A] & (is_ia32e(mode) ? 15 : 7);
        if (r->u.gpr.index == FL_RSP)
            r->u.gpr.index = FL_RAX;
        r->u.gpr.value = addr;
        break;
    case FL_REC_BYTES:
        r->u.bytes.va = addr;
        r->u.bytes.n = p[R_A] & 15;
        decode_data(r->u.bytes.data, p + R_DATA, r->u.bytes.n);
        break;
    case FL_REC_EXTABLE:
        r->u.extable.ip = addr;
        r->u.extable.fixup = load64(p + R_ADDR2) & mask;
        break;
    case FL_REC_INJECT:
        r->u.inject.op = p[R_A] % FL_INJ_COUNT;
        r->u.inject.n = r->u.inject.op == FL_INJ_PROBE ? p[R_B] & 15 : 0;
        break;
    case FL_REC_ACCESS:
        r->u.access.va = addr;
        r->u.access.kind = access_kind[p[R_A] & 3];
        r->u.access.priv = access_priv[p[R_B] & 3];
        r->u.access.ac = p[R_C] & 1;
        r->u.access.execute = p[R_C] >> 1 & 1;
        break;
    case FL_REC_FAULT:
        r->u.fault.cr2 = addr;
        r->u.fault.code = load32(p + R_NUMBER);
        break;
    case FL_REC_EXEC:
        r->u.exec.ip = addr;
        r->u.exec.n = (uint8_t)(1 + (p[R_A] & 15) % 15);
        r->u.exec.user = !(p[R_B] & 1);
        decode_data(r->u.exec.code, p + R_DATA, r->u.exec.n);
        break;
    case FL_REC_DECODE:
        r->u.decode.n = p[R_A] & 15;
        r->u.decode.user = !(p[R_B] & 1);
        r->u.decode.fetch = p[R_B] >> 1 & 1;
        r->u.decode.bits = decode_bits(mode, p[R_C]);
        decode_data(r->u.decode.code, p + R_DATA, r->u.decode.n);
        break;
    case FL_REC_IOREMAP:
        r->u.ioremap.va = addr;
        r->u.ioremap.level = map_level[p[R_A] & 3];
        r->u.ioremap.flags = p[R_B] & FL_MAP_FLAGS;
        r->u.ioremap.leaves = (uint16_t)(1 + p[R_C]);
        r->u.ioremap.frame = load16(p + R_NUMBER) & 1023;
        break;
    case FL_REC_IOUNMAP:
        r->u.iounmap.start = addr & ~(uint64_t)4095;
        r->u.iounmap.pages = decode_pages(p + R_NUMBER);
        break;
    case FL_REC_FORK: r->u.mm.mm = (uint8_t)(1 + p[R_A] % (FL_MAX_MMS - 1)); break;
    case FL_REC_SWITCH:
        r->u.mm.mm = p[R_A] % (FL_MM_NONE + 1);
        r->u.mm.lag = p[R_B] & 1;
        break;
    case FL_REC_LDT:
        r->u.ldt.index = p[R_A] % FL_MAX_LDT;
        r->u.ldt.bits = decode_ldt_bits(mode, p[R_B]);
        r->u.ldt.base = load32(p + R_ADDR);
        r->u.ldt.limit = legal_limit(load32(p + R_NUMBER) ^ USUAL_LIMIT);
        break;
    case FL_REC_CS: r->u.cs.selector = load16(p + R_NUMBER); break;
    case FL_REC_TOUCH:
        r->u.touch.va = addr;
        r->u.touch.kind = access_kind[p[R_A] & 3];
        r->u.touch.priv = p[R_B] & 1 ? FL_SUPERVISOR : FL_USER;
        break;
    case FL_REC_AREA:
    case FL_REC_ACT:
    case FL_REC_RACE:
    case FL_REC_ANSWER:
    case FL_REC_PIN: fl_record_decode_pin(p, mode, r); break;
    case FL_REC_SYNCALL:
    case FL_REC_COUNT: break;
    }
}

void fl_record_encode(const struct fl_record *r, unsigned mode, uint8_t *p)
{
    memset(p, 0, FL_RECORD_BYTES);
    p[R_KIND] = r->kind;
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_MAP:
        p[R_A] = (uint8_t)(r->u.map.level - 1);
        p[R_B] = r->u.map.flags;
        p[R_C] = r->u.map.pkey;
        store16(p + R_NUMBER, r->u.map.frame);
        store64(p + R_ADDR, r->u.map.va);
        break;
    case FL_REC_ENTRY:
        p[R_A] = (uint8_t)(r->u.entry.level - 1);
        store64(p + R_ADDR, r->u.entry.va);
        store64(p + R_ADDR2, r->u.entry.set);
        store64(p + R_VALUE, r->u.entry.mask);
        break;
    case FL_REC_VMA:
        p[R_A] = r->u.vma.flags;
        p[R_B] = r->u.vma.file;
        p[R_C] = r->u.vma.pkey;
        encode_pages(p + R_NUMBER, r->u.vma.pages);
        store64(p + R_ADDR, r->u.vma.start);
        store16(p + R_ADDR2, (uint16_t)r->u.vma.pgoff);
        store32(p + R_VALUE, r->u.vma.file_pages);
        break;
    case FL_REC_UNMAP:
    case FL_REC_PROTECT:
    case FL_REC_ZAP:
        p[R_A] = r->kind == FL_REC_PROTECT ? r->u.range.prot : 0;
        encode_pages(p + R_NUMBER, r->u.range.pages);
        store64(p + R_ADDR, r->u.range.start);
        break;
    case FL_REC_REGS:
        p[R_A] = !r->u.regs.user;
        p[R_B] = encode_bits(mode, r->u.regs.code_bits);
        store32(p + R_NUMBER, r->u.regs.flags ^ USUAL_FLAGS);
        store64(p + R_ADDR, r->u.regs.ip);
        store64(p + R_ADDR2, r->u.regs.sp);
        break;
    case FL_REC_GPR:
        p[R_A] = r->u.gpr.index;
        store64(p + R_ADDR, r->u.gpr.value);
        break;
    case FL_REC_BYTES:
        p[R_A] = r->u.bytes.n;
        store64(p + R_ADDR, r->u.bytes.va);
        memcpy(p + R_DATA, r->u.bytes.data, FL_MAX_CODE);
        break;
    case FL_REC_EXTABLE:
        store64(p + R_ADDR, r->u.extable.ip);
        store64(p + R_ADDR2, r->u.extable.fixup);
        break;
    case FL_REC_INJECT:
        p[R_A] = r->u.inject.op;
        p[R_B] = r->u.inject.n;
        break;
    case FL_REC_ACCESS:
        p[R_A] = r->u.access.kind;
        p[R_B] = r->u.access.priv;
        p[R_C] = (uint8_t)(r->u.access.ac | r->u.access.execute << 1);
        store64(p + R_ADDR, r->u.access.va);
        break;
    case FL_REC_FAULT:
        store32(p + R_NUMBER, r->u.fault.code);
        store64(p + R_ADDR, r->u.fault.cr2);
        break;
    case FL_REC_EXEC:
        p[R_A] = (uint8_t)(r->u.exec.n - 1);
        p[R_B] = !r->u.exec.user;
        store64(p + R_ADDR, r->u.exec.ip);
        memcpy(p + R_DATA, r->u.exec.code, FL_MAX_CODE);
        break;
    case FL_REC_DECODE:
        p[R_A] = r->u.decode.n;
        p[R_B] = (uint8_t)((r->u.decode.user ? 0 : 1) | r->u.decode.fetch << 1);
        p[R_C] = encode_bits(mode, r->u.decode.bits);
        memcpy(p + R_DATA, r->u.decode.code, FL_MAX_CODE);
        break;
    case FL_REC_IOREMAP:
        p[R_A] = (uint8_t)(r->u.ioremap.level - 1);
        p[R_B] = r->u.ioremap.flags;
        p[R_C] = (uint8_t)(r->u.ioremap.leaves - 1);
        store16(p + R_NUMBER, r->u.ioremap.frame);
        store64(p + R_ADDR, r->u.ioremap.va);
        break;
    case FL_REC_IOUNMAP:
        encode_pages(p + R_NUMBER, r->u.iounmap.pages);
        store64(p + R_ADDR, r->u.iounmap.start);
        break;
    case FL_REC_FORK: p[R_A] = (uint8_t)(r->u.mm.mm - 1); break;
    case FL_REC_SWITCH:
        p[R_A] = r->u.mm.mm;
        p[R_B] = r->u.mm.lag;
        break;
    case FL_REC_LDT:
        p[R_A] = r->u.ldt.index;
        p[R_B] = encode_ldt_bits(mode, r->u.ldt.bits);
        store32(p + R_NUMBER, r->u.ldt.limit ^ USUAL_LIMIT);
        store32(p + R_ADDR, r->u.ldt.base);
        break;
    case FL_REC_CS: store16(p + R_NUMBER, r->u.cs.selector); break;
    case FL_REC_TOUCH:
        p[R_A] = r->u.touch.kind;
        p[R_B] = r->u.touch.priv != FL_USER;
        store64(p + R_ADDR, r->u.touch.va);
        break;
    case FL_REC_AREA:
    case FL_REC_ACT:
    case FL_REC_RACE:
    case FL_REC_ANSWER:
    case FL_REC_PIN: fl_record_encode_pin(r, p); break;
    case FL_REC_SYNCALL:
    case FL_REC_COUNT: break;
    }
}
