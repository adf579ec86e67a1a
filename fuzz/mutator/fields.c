/* SPDX-License-Identifier: MIT */
/* One record: a new one of a kind, or one field of it changed. Storing brings every value into its range. */
#include "mutator.h"

#include <faultline/fuzz/insn.h>
#include <string.h>

enum fl_record_kind fl_kind_for_target(struct fl_mutation *m)
{
    static const uint8_t walk[] = {FL_REC_MAP,    FL_REC_MAP,    FL_REC_ENTRY,  FL_REC_ENTRY,
                                   FL_REC_ENTRY,  FL_REC_ACCESS, FL_REC_ACCESS, FL_REC_ACCESS,
                                   FL_REC_ACCESS, FL_REC_BYTES,  FL_REC_VMA,    FL_REC_REGS};
    static const uint8_t fault[] = {
        FL_REC_VMA,     FL_REC_VMA,    FL_REC_VMA,   FL_REC_FAULT,  FL_REC_FAULT, FL_REC_FAULT, FL_REC_EXEC,
        FL_REC_EXEC,    FL_REC_EXEC,   FL_REC_GPR,   FL_REC_GPR,    FL_REC_REGS,  FL_REC_REGS,  FL_REC_UNMAP,
        FL_REC_PROTECT, FL_REC_ZAP,    FL_REC_BYTES, FL_REC_INJECT, FL_REC_MAP,   FL_REC_ENTRY, FL_REC_EXTABLE,
        FL_REC_INJECT,  FL_REC_INJECT, FL_REC_TOUCH, FL_REC_TOUCH,  FL_REC_LDT,   FL_REC_CS,    FL_REC_IOREMAP};
    static const uint8_t vmalloc[] = {FL_REC_IOREMAP, FL_REC_IOREMAP, FL_REC_IOREMAP, FL_REC_IOUNMAP, FL_REC_IOUNMAP,
                                      FL_REC_FORK,    FL_REC_FORK,    FL_REC_SWITCH,  FL_REC_SWITCH,  FL_REC_TOUCH,
                                      FL_REC_TOUCH,   FL_REC_TOUCH,   FL_REC_TOUCH,   FL_REC_SYNCALL, FL_REC_SYNCALL,
                                      FL_REC_ENTRY,   FL_REC_ENTRY,   FL_REC_MAP};
    static const uint8_t prefetch[] = {FL_REC_DECODE, FL_REC_DECODE, FL_REC_DECODE, FL_REC_REGS};
    static const uint8_t gup[] = {FL_REC_AREA, FL_REC_ACT,  FL_REC_ACT, FL_REC_ACT, FL_REC_ACT, FL_REC_RACE,
                                  FL_REC_RACE, FL_REC_RACE, FL_REC_PIN, FL_REC_PIN, FL_REC_PIN, FL_REC_ANSWER};

    switch (m->target) {
    case FL_TARGET_WALK: return (enum fl_record_kind)FL_PICK(m, walk);
    case FL_TARGET_FAULT: return (enum fl_record_kind)FL_PICK(m, fault);
    case FL_TARGET_PREFETCH: return (enum fl_record_kind)FL_PICK(m, prefetch);
    case FL_TARGET_VMALLOC: return (enum fl_record_kind)FL_PICK(m, vmalloc);
    case FL_TARGET_GUP: return (enum fl_record_kind)FL_PICK(m, gup);
    default: return (enum fl_record_kind)fl_below(m, FL_REC_COUNT);
    }
}

/* An instruction from the catalogue, a prefetch, or nothing in particular. */
static uint8_t random_code(struct fl_mutation *m, uint8_t code[FL_MAX_CODE])
{
    size_t count;
    const struct fl_insn *rows = fl_insn_rows(&count);
    const struct fl_insn_form *form = fl_insn_form(&rows[fl_below(m, (uint32_t)count)], m->machine.code_bits);
    uint64_t r = fl_draw(m);

    memset(code, 0, FL_MAX_CODE);
    if ((r & 7) == 0)
        return (uint8_t)fl_prefetch_bytes(m, FL_IDIOM_RUN, m->machine.code_bits, code);
    if ((r & 7) == 1 || !form) {
        uint64_t low = fl_draw(m), high = fl_draw(m);

        memcpy(code, &low, sizeof(low));
        memcpy(code + 8, &high, FL_MAX_CODE - 8);
        return (uint8_t)(1 + (r >> 8) % FL_MAX_CODE);
    }
    memcpy(code, form->bytes, form->n);
    return form->n;
}

static void change_code(struct fl_mutation *m, uint8_t *n, uint8_t code[FL_MAX_CODE])
{
    uint64_t r = fl_draw(m);
    unsigned at = (unsigned)(r >> 8) % FL_MAX_CODE;

    switch (r & 7) {
    case 0: *n = random_code(m, code); break;
    case 1: *n = (uint8_t)((r >> 16) % (FL_MAX_CODE + 1)); break;
    case 2: /* one byte in front */
    case 3:
        memmove(code + 1, code, FL_MAX_CODE - 1);
        code[0] = (uint8_t)(r >> 16);
        *n = *n < FL_MAX_CODE ? (uint8_t)(*n + 1) : *n;
        break;
    case 4: /* the first byte away */
        memmove(code, code + 1, FL_MAX_CODE - 1);
        code[FL_MAX_CODE - 1] = 0;
        *n = *n > 1 ? (uint8_t)(*n - 1) : *n;
        break;
    default:
        at = *n ? at % *n : 0;
        code[at] = r & 8 ? (uint8_t)(r >> 16) : (uint8_t)(code[at] ^ 1u << (r >> 16 & 7));
        break;
    }
}

/* Selectors that kernels have (the flat ones, Xen's), or one of the LDT. */
static uint16_t random_selector(struct fl_mutation *m)
{
    static const uint16_t some[] = {0x23, 0x23, 0x33, 0x2b, 0x10, 0x08, 0x60, 0x73, 0xe033, 0, 4, 0x27, 0x37};
    uint64_t r = fl_draw(m);

    switch (r & 3) {
    case 0: return (uint16_t)((r >> 8 & 3) << 3 | 7);
    case 1: return r & 4 ? (uint16_t)((r >> 8 & (FL_MAX_LDT - 1)) << 3 | 7) : (uint16_t)(r >> 8);
    default: return FL_PICK(m, some);
    }
}

/* Kernel mappings are mostly the kernel's to touch. */
static uint8_t random_priv(struct fl_mutation *m)
{
    return fl_below(m, 8) < (m->target == FL_TARGET_FAULT ? 5 : 1) ? FL_USER : FL_SUPERVISOR;
}

void fl_record_random(struct fl_mutation *m, enum fl_record_kind kind, struct fl_record *r)
{
    uint64_t random = fl_draw(m);

    memset(r, 0, sizeof(*r));
    r->kind = (uint8_t)kind;
    switch (kind) {
    case FL_REC_MAP:
        r->u.map.va = fl_value_address(m);
        r->u.map.frame = (uint16_t)(random >> 8 & 1023);
        r->u.map.level = (uint8_t)(1 + (random & 7 ? 0 : random >> 4 & 3));
        r->u.map.flags = (uint8_t)(random & 8 ? FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_USER : random >> 32);
        r->u.map.pkey = (uint8_t)(random & 16 ? 0 : random >> 40 & 15);
        break;
    case FL_REC_ENTRY:
        r->u.entry.va = fl_value_address(m);
        r->u.entry.level = (uint8_t)(1 + (random >> 8) % 5);
        r->u.entry.mask = fl_value_entry_bits(m, r->u.entry.level);
        r->u.entry.set = random & 1 ? r->u.entry.mask : 0;
        break;
    case FL_REC_VMA:
        r->u.vma.start = fl_value_user_page(m);
        r->u.vma.pages = fl_value_pages(m);
        r->u.vma.flags = (uint8_t)(random & 3 ? FL_PROT_READ | FL_PROT_WRITE : random >> 8 & FL_VMA_FLAGS);
        r->u.vma.file = (uint8_t)(random >> 16 & 3);
        r->u.vma.pgoff = (uint32_t)(random >> 20 & 3);
        r->u.vma.file_pages = (uint32_t)(random >> 24 & 7);
        break;
    case FL_REC_UNMAP:
    case FL_REC_PROTECT:
    case FL_REC_ZAP:
        r->u.range.start = fl_value_address(m);
        r->u.range.pages = fl_value_pages(m);
        r->u.range.prot = (uint8_t)(kind == FL_REC_PROTECT ? random & FL_PROT_BITS : 0);
        break;
    case FL_REC_REGS:
        r->u.regs.ip = fl_one_in(m, 2) ? m->machine.ip : fl_value_address(m);
        r->u.regs.sp = fl_one_in(m, 2) ? m->machine.sp : fl_value_address(m);
        r->u.regs.flags = fl_value_flags(m);
        r->u.regs.user = random & 3;
        r->u.regs.code_bits = fl_value_bits(m);
        break;
    case FL_REC_GPR:
        r->u.gpr.index = (uint8_t)(random & 15);
        r->u.gpr.value = random & 0x70 ? fl_value_address(m) : fl_value_number(m);
        break;
    case FL_REC_BYTES:
        r->u.bytes.va = fl_value_address(m);
        r->u.bytes.n = random_code(m, r->u.bytes.data);
        break;
    case FL_REC_EXTABLE:
        r->u.extable.ip = fl_value_address(m);
        r->u.extable.fixup = fl_value_address(m);
        break;
    case FL_REC_INJECT:
        r->u.inject.op = (uint8_t)(random % FL_INJ_COUNT);
        r->u.inject.n = (uint8_t)(random >> 8 & 15);
        break;
    case FL_REC_ACCESS:
        r->u.access.va = fl_value_address(m);
        r->u.access.kind = (uint8_t)(random % FL_ACCESS_KIND_COUNT);
        r->u.access.priv = (uint8_t)((random >> 8) % FL_ACCESS_PRIV_COUNT);
        r->u.access.ac = random >> 16 & 1;
        r->u.access.execute = (random >> 17 & 3) == 0;
        break;
    case FL_REC_FAULT:
        r->u.fault.cr2 = fl_value_address(m);
        r->u.fault.code = fl_value_error_code(m);
        break;
    case FL_REC_EXEC:
        r->u.exec.ip = fl_one_in(m, 2) ? m->machine.ip : fl_value_address(m);
        r->u.exec.user = random & 7;
        r->u.exec.n = random_code(m, r->u.exec.code);
        break;
    case FL_REC_DECODE:
        r->u.decode.bits = fl_value_bits(m);
        r->u.decode.user = random & 3;
        r->u.decode.fetch = (random >> 2 & 15) == 0;
        r->u.decode.n = (uint8_t)fl_prefetch_bytes(m, FL_IDIOM_RUN, r->u.decode.bits, r->u.decode.code);
        break;
    case FL_REC_IOREMAP:
        r->u.ioremap.va = fl_value_vmalloc_page(m);
        r->u.ioremap.leaves = (uint16_t)(1 + (random & 0x300 ? random >> 16 & 3 : random >> 16 & 0xff));
        r->u.ioremap.frame = (uint16_t)(random >> 32 & 1023);
        r->u.ioremap.level = (uint8_t)(1 + (random & 1 ? 0 : random >> 4 & 3));
        r->u.ioremap.flags = (uint8_t)(random & 14 ? FL_MAP_PRESENT | FL_MAP_WRITE : random >> 48);
        break;
    case FL_REC_IOUNMAP:
        r->u.iounmap.start = fl_value_vmalloc_page(m);
        r->u.iounmap.pages = fl_value_pages(m);
        break;
    case FL_REC_FORK: r->u.mm.mm = (uint8_t)(1 + random % (FL_MAX_MMS - 1)); break;
    case FL_REC_SWITCH:
        r->u.mm.mm = (uint8_t)(random % (FL_MM_NONE + 1));
        r->u.mm.lag = (random >> 32 & 3) == 0;
        break;
    case FL_REC_LDT:
        r->u.ldt.index = (uint8_t)(random & 16 ? random & 3 : random & (FL_MAX_LDT - 1));
        r->u.ldt.bits = fl_value_ldt_bits(m);
        r->u.ldt.base = random & 0x300 ? (uint32_t)fl_value_user_page(m) : fl_value_number(m);
        r->u.ldt.limit = random & 0xc00 ? UINT32_MAX : fl_value_number(m);
        break;
    case FL_REC_CS: r->u.cs.selector = random_selector(m); break;
    case FL_REC_TOUCH:
        r->u.touch.va = fl_value_address(m);
        r->u.touch.kind = (uint8_t)(random % FL_ACCESS_KIND_COUNT);
        r->u.touch.priv = random_priv(m);
        break;
    case FL_REC_AREA:
    case FL_REC_ACT:
    case FL_REC_RACE:
    case FL_REC_ANSWER:
    case FL_REC_PIN: fl_pin_record_random(m, r); break;
    case FL_REC_SYNCALL:
    case FL_REC_COUNT: break;
    }
}

void fl_record_change_field(struct fl_mutation *m, struct fl_record *r)
{
    uint64_t random = fl_draw(m);
    bool low = random & 1, other = random & 2;
    uint8_t flip = (uint8_t)(1u << (random >> 8 & 7));

    random >>= 16;
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_MAP:
        if (low)
            r->u.map.va = fl_value_address(m);
        else if (other)
            r->u.map.flags ^= flip;
        else if (random & 1)
            r->u.map.level = (uint8_t)(1 + (random >> 4) % 3);
        else if (random & 2)
            r->u.map.pkey = (uint8_t)(random >> 4 & 15);
        else
            r->u.map.frame = (uint16_t)(random >> 4 & 1023);
        break;
    case FL_REC_ENTRY:
        if (low && other) {
            r->u.entry.va = fl_value_address(m);
        } else if (low) {
            r->u.entry.level = (uint8_t)(1 + random % 5);
        } else {
            uint64_t bits = fl_value_entry_bits(m, r->u.entry.level);

            r->u.entry.mask = other ? bits : r->u.entry.mask ^ bits;
            r->u.entry.set ^= bits;
            r->u.entry.set &= r->u.entry.mask;
        }
        break;
    case FL_REC_VMA:
        if (low)
            r->u.vma.flags ^= (uint8_t)(1u << random % 6);
        else if (other)
            r->u.vma.start = random & 1 ? fl_value_user_page(m) : fl_value_address(m);
        else if (random & 3)
            r->u.vma.pages = fl_value_pages(m);
        else if (random & 4)
            r->u.vma.file_pages = fl_value_number(m);
        else if (random & 8)
            r->u.vma.pgoff = fl_value_number(m);
        else if (random & 16)
            r->u.vma.file = (uint8_t)(random >> 8 & 3);
        else
            r->u.vma.pkey = (uint8_t)(random >> 8 & 15);
        break;
    case FL_REC_UNMAP:
    case FL_REC_PROTECT:
    case FL_REC_ZAP:
        if (low)
            r->u.range.start = fl_value_address(m);
        else if (other)
            r->u.range.pages = fl_value_pages(m);
        else if (r->kind == FL_REC_PROTECT)
            r->u.range.prot ^= (uint8_t)(1u << random % 3);
        else
            r->kind = (uint8_t)(random & 1 ? FL_REC_UNMAP : FL_REC_ZAP);
        break;
    case FL_REC_REGS:
        if (low)
            *(other ? &r->u.regs.ip : &r->u.regs.sp) = fl_value_address(m);
        else if (other)
            r->u.regs.flags = fl_value_flags(m);
        else if (random & 1)
            r->u.regs.user ^= 1;
        else
            r->u.regs.code_bits = fl_value_bits(m);
        break;
    case FL_REC_GPR:
        if (low || other)
            r->u.gpr.value = random & 3 ? fl_value_address(m) : fl_value_number(m);
        else
            r->u.gpr.index = (uint8_t)(random & 15);
        break;
    case FL_REC_BYTES:
        if (low)
            r->u.bytes.va = fl_value_address(m);
        else
            change_code(m, &r->u.bytes.n, r->u.bytes.data);
        break;
    case FL_REC_EXTABLE: *(low ? &r->u.extable.ip : &r->u.extable.fixup) = fl_value_address(m); break;
    case FL_REC_INJECT:
        if (low)
            r->u.inject.op = (uint8_t)(random % FL_INJ_COUNT);
        else
            r->u.inject.n = (uint8_t)(random & 15);
        break;
    case FL_REC_ACCESS:
        if (low)
            r->u.access.va = fl_value_address(m);
        else if (other)
            r->u.access.kind = (uint8_t)(random % FL_ACCESS_KIND_COUNT);
        else if (random & 1)
            r->u.access.priv = (uint8_t)((random >> 4) % FL_ACCESS_PRIV_COUNT);
        else if (random & 2)
            r->u.access.ac ^= 1;
        else
            r->u.access.execute ^= 1;
        break;
    case FL_REC_FAULT:
        if (low)
            r->u.fault.cr2 = fl_value_address(m);
        else if (other)
            r->u.fault.code = fl_value_error_code(m);
        else
            r->u.fault.code ^= 1u << random % 7;
        break;
    case FL_REC_EXEC:
        if (low)
            change_code(m, &r->u.exec.n, r->u.exec.code);
        else if (other)
            r->u.exec.ip = fl_value_address(m);
        else
            r->u.exec.user ^= 1;
        break;
    case FL_REC_DECODE:
        if (low)
            change_code(m, &r->u.decode.n, r->u.decode.code);
        else if (other)
            r->u.decode.n = (uint8_t)fl_prefetch_bytes(m, (enum fl_idiom)(FL_IDIOM_RUN + random % 3), r->u.decode.bits,
                                                       r->u.decode.code);
        else if (random & 1)
            r->u.decode.bits = fl_value_bits(m);
        else if (random & 2)
            r->u.decode.user ^= 1;
        else
            r->u.decode.fetch ^= 1;
        break;
    case FL_REC_IOREMAP:
        if (low)
            r->u.ioremap.va = random & 4 ? fl_value_vmalloc_page(m) : fl_value_address(m);
        else if (other)
            r->u.ioremap.level = (uint8_t)(1 + (random >> 4) % 3);
        else if (random & 4)
            r->u.ioremap.leaves = (uint16_t)(1 + (random & 8 ? random >> 16 & 3 : random >> 16 & 0xff));
        else if (random & 8)
            r->u.ioremap.flags ^= flip;
        else
            r->u.ioremap.frame = (uint16_t)(random >> 16 & 1023);
        break;
    case FL_REC_IOUNMAP:
        if (low)
            r->u.iounmap.start = fl_value_vmalloc_page(m);
        else
            r->u.iounmap.pages = fl_value_pages(m);
        break;
    case FL_REC_FORK:
        if (low && other)
            r->kind = FL_REC_SWITCH;
        else
            r->u.mm.mm = (uint8_t)(1 + random % (FL_MAX_MMS - 1));
        break;
    case FL_REC_SWITCH:
        if (low)
            r->u.mm.mm = (uint8_t)((random >> 8) % (FL_MM_NONE + 1));
        else
            r->u.mm.lag ^= 1;
        break;
    case FL_REC_LDT:
        if (low && other)
            r->u.ldt.base = (uint32_t)fl_value_address(m);
        else if (low)
            r->u.ldt.limit = fl_value_number(m);
        else if (other)
            r->u.ldt.bits = fl_value_ldt_bits(m);
        else
            r->u.ldt.index = (uint8_t)(random >> 8 & (FL_MAX_LDT - 1));
        break;
    case FL_REC_CS: r->u.cs.selector = random_selector(m); break;
    case FL_REC_TOUCH:
        if (low)
            r->u.touch.va = fl_value_address(m);
        else if (other)
            r->u.touch.kind = (uint8_t)((random >> 8) % FL_ACCESS_KIND_COUNT);
        else
            r->u.touch.priv ^= 1;
        break;
    case FL_REC_AREA:
    case FL_REC_ACT:
    case FL_REC_RACE:
    case FL_REC_ANSWER:
    case FL_REC_PIN: fl_pin_record_change(m, r); break;
    case FL_REC_SYNCALL:
    case FL_REC_COUNT: break;
    }
}
