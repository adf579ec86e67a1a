/* SPDX-License-Identifier: MIT */
/* Values that matter to page-fault handling. */
#include "mutator.h"

#include "../scenario/codec.h"

#define PAGE 4096u

uint64_t fl_value_task_size(const struct fl_mutation *m)
{
    return fl_native_task_size(&m->machine);
}

uint64_t fl_value_vmalloc_start(const struct fl_mutation *m)
{
    const struct fl_machine *c = &m->machine;

    return c->vmalloc_start ? c->vmalloc_start : fl_native_vmalloc((enum fl_mode)c->mode, c->sh4).start;
}

uint64_t fl_value_vmalloc_end(const struct fl_mutation *m)
{
    const struct fl_machine *c = &m->machine;

    return c->vmalloc_end ? c->vmalloc_end : fl_native_vmalloc((enum fl_mode)c->mode, c->sh4).end;
}

/* First address of the non-canonical hole; 32-bit: the sign bit, of no meaning to the processor but to code. */
static uint64_t canonical_edge(const struct fl_mutation *m)
{
    return UINT64_C(1) << (m->machine.mode == FL_MODE_5LEVEL ? 56 : m->machine.mode == FL_MODE_4LEVEL ? 47 : 31);
}

static uint64_t complete(const struct fl_mutation *m, uint64_t va)
{
    unsigned unused = m->machine.mode == FL_MODE_5LEVEL ? 7 : m->machine.mode == FL_MODE_4LEVEL ? 16 : 32;

    return unused == 32 ? (uint32_t)va : (uint64_t)((int64_t)(va << unused) >> unused);
}

uint64_t fl_value_nudge(struct fl_mutation *m, uint64_t address)
{
    static const int16_t offsets[] = {0, 0, 0, -1, -1, 1, -2, -3, -4, -7, -8, -15, -16, -31, 2, 4, 7, 8, 2048, -512};
    uint64_t edge = (address & ~(uint64_t)(PAGE - 1)) + (fl_one_in(m, 2) ? PAGE : 0);

    return edge + (uint64_t)(int64_t)FL_PICK(m, offsets);
}

/* Some record's address, and where its range ends. */
static uint64_t record_address(struct fl_mutation *m)
{
    const uint8_t *p;
    uint64_t address;

    if (m->n == 0)
        return m->machine.ip;
    p = m->records + (size_t)fl_below(m, m->n) * FL_RECORD_BYTES;
    address = load64(p + 8);
    switch (p[0]) {
    case FL_REC_VMA:
    case FL_REC_UNMAP:
    case FL_REC_PROTECT:
    case FL_REC_ZAP:
        if (fl_one_in(m, 2))
            address += ((uint64_t)(load32(p + 4) & 0xffffff) + 1) * PAGE;
        break;
    case FL_REC_REGS:
        if (fl_one_in(m, 2))
            address = load64(p + 16);
        break;
    default: break;
    }
    return address;
}

/* Lowest address that user code may touch below its stack pointer: 65536 + 32 words (arch/x86/mm/fault.c). */
static uint64_t stack_cushion(const struct fl_mutation *m)
{
    return 65536 + 32 * (fl_is_ia32e(m) ? 8 : 4);
}

/* A few neighbourhoods here as well: the first entries that an address space has of its own, and both ends. */
uint64_t fl_value_vmalloc_page(struct fl_mutation *m)
{
    uint64_t r = fl_draw(m), slot = UINT64_C(1) << fl_own_shift(m), start = fl_value_vmalloc_start(m), base;
    uint64_t edge = (start | (slot - 1)) + 1, page = (r >> 8 & 3) * PAGE;

    switch (r & 7) {
    case 0: base = start; break;
    case 1: base = fl_value_vmalloc_end(m) - 4 * PAGE; break;
    case 2: base = edge - 2 * PAGE; break;
    case 3: base = edge + slot * (r >> 16 & 3); break;
    case 4: base = record_address(m) & ~(uint64_t)(PAGE - 1); break;
    case 5: base = m->machine.sh4 ? 0xc0000000 : edge + slot / 2; break;
    default: base = edge; break;
    }
    return complete(m, base + page);
}

uint64_t fl_value_vmalloc_edge(struct fl_mutation *m)
{
    static const int16_t offsets[] = {0, 0, -1, -1, 1, -4, 4, 4095, -4096};
    uint64_t r = fl_draw(m), slot = UINT64_C(1) << fl_own_shift(m), base;

    switch (r & 3) {
    case 0: base = fl_value_vmalloc_start(m); break;
    case 1: base = fl_value_vmalloc_end(m); break;
    case 2: base = m->machine.sh4 ? (r & 16 ? 0xc0000000 : 0xe0000000) : fl_value_task_size(m); break;
    default: base = (fl_value_vmalloc_start(m) | (slot - 1)) + 1; break;
    }
    return complete(m, base + (uint64_t)(int64_t)FL_PICK(m, offsets));
}

uint64_t fl_value_address(struct fl_mutation *m)
{
    static const uint8_t index_shifts[] = {12, 21, 22, 30, 39, 48};
    static const int8_t cushion_offsets[] = {0, -1, 1, -4, 4, -8, 8};
    uint64_t r = fl_draw(m), base;

    if (m->target == FL_TARGET_VMALLOC && (r >> 32 & 15) != 0) {
        base = fl_value_vmalloc_page(m) + (r >> 40 & (PAGE - 1));
        return r >> 36 & 3 ? base : fl_value_vmalloc_edge(m);
    }
    switch (r & 15) {
    case 0:
    case 1:
    case 2: return record_address(m);
    case 3:
    case 4:
    case 5: return fl_value_nudge(m, record_address(m));
    case 6: return (record_address(m) & ~(uint64_t)(PAGE - 1)) | (r >> 16 & (PAGE - 1));
    case 7: base = record_address(m); return base ^ UINT64_C(1) << FL_PICK(m, index_shifts);
    case 8: return fl_value_nudge(m, fl_value_task_size(m) - PAGE);
    case 9:
        base = canonical_edge(m);
        return r & 16 ? fl_value_nudge(m, base - PAGE) : fl_value_nudge(m, 0 - base - PAGE);
    case 10: return m->machine.sp - stack_cushion(m) + (uint64_t)(int64_t)FL_PICK(m, cushion_offsets);
    case 11: return fl_value_nudge(m, r & 16 ? m->machine.sp : m->machine.ip);
    case 12: return fl_value_nudge(m, r & 16 ? 0 : (uint64_t)m->machine.min_addr_pages * PAGE);
    case 13: return fl_value_kernel_page(m) | (r >> 16 & (PAGE - 1));
    case 14: return fl_value_user_page(m) + (r >> 16 & (PAGE - 1));
    default: return r & 16 ? complete(m, fl_draw(m)) : fl_draw(m);
    }
}

/* Start of the direct map of a 64-bit kernel: page_offset. */
static uint64_t direct_map(const struct fl_mutation *m)
{
    return m->machine.mode == FL_MODE_5LEVEL ? UINT64_C(0xff11000000000000) : UINT64_C(0xffff880000000000);
}

/* A few neighbourhoods, so that records meet: the same page tables, touching VMAs, and one far away. */
uint64_t fl_value_user_page(struct fl_mutation *m)
{
    uint64_t r = fl_draw(m), top = fl_value_task_size(m), page = (r >> 8 & 15) * PAGE, base;

    switch (r & 7) {
    case 0: base = record_address(m) & ~(uint64_t)(PAGE - 1); break;
    case 1: base = top - 16 * PAGE; break;
    case 2: base = m->machine.sp & ~(uint64_t)(PAGE - 1); break;
    case 3: base = (r >> 16) * PAGE; break;
    case 4: base = 0x203fa000; break; /* just below a 2 MiB and a 4 MiB edge */
    default: base = 0x10000000; break;
    }
    base += page;
    return base < top ? base : 0x10000000 + page;
}

uint64_t fl_value_kernel_page(struct fl_mutation *m)
{
    uint64_t r = fl_draw(m), page = (r >> 8 & 15) * PAGE;

    if ((r & 7) == 4)
        return fl_value_vmalloc_page(m);
    if (!fl_is_ia32e(m)) {
        if ((r & 15) == 5)
            return m->machine.idt & ~(PAGE - 1);
        return (r & 3) == 0 ? UINT32_MAX - 16 * PAGE + 1 + page : fl_value_task_size(m) + page;
    }
    switch (r & 3) {
    case 0: return r & 64 ? direct_map(m) + page : 0 - canonical_edge(m) + page;
    case 1: return r & 64 ? FL_VSYSCALL : UINT64_C(0xffffffffffff0000) + page; /* the last pages */
    default: return FL_TEXT_START + page;
    }
}

uint32_t fl_value_error_code(struct fl_mutation *m)
{
    /* User and kernel reads, writes and fetches of absent and present pages; then reserved bits and protection keys. */
    static const uint8_t usual[] = {4, 6, 20, 5, 7, 21, 0, 2, 16, 1, 3, 17, 4, 6, 7, 5, 13, 15, 9, 29, 37, 39, 36, 33};
    uint64_t r = fl_draw(m);

    if ((r & 7) < 6)
        return FL_PICK(m, usual);
    if (r & 8)
        return r >> 8 & 0x3f;
    return r & 16 ? (uint32_t)(r >> 32) : FL_PICK(m, usual) | 1u << (r >> 8 & 31);
}

uint32_t fl_value_flags(struct fl_mutation *m)
{
    static const uint32_t bits[] = {0x200, 0x40000, 0x400, 0x40, 0x1, 0x100, 0x20000, 0x3000, 0x10000};
    uint32_t flags = 0x202;

    if (fl_one_in(m, 16))
        return (uint32_t)fl_draw(m);
    while (fl_one_in(m, 2))
        flags ^= FL_PICK(m, bits);
    return flags;
}

uint32_t fl_value_pages(struct fl_mutation *m)
{
    static const uint32_t some[] = {1, 1, 1, 2, 2, 3, 4, 8, 16, 17, 33, 256, 512, 513, 1024, 2048, 65536, 1u << 24};

    return fl_one_in(m, 8) ? 1 + fl_below(m, 1u << (1 + fl_below(m, 24))) : FL_PICK(m, some);
}

uint32_t fl_value_number(struct fl_mutation *m)
{
    uint64_t r = fl_draw(m);

    switch (r & 3) {
    case 0: return r >> 8 & 7;
    case 1: return (1u << (r >> 8 & 31)) - (r >> 16 & 1);
    case 2: return r & 4 ? UINT32_MAX : (uint32_t)(r >> 8 & 0xfff);
    default: return (uint32_t)(r >> 32);
    }
}

/* Entry bits by the manual's numbers (SDM vol. 3, 4.3 to 4.5). Which of them an entry defines, reserves or ignores is
 * what the walks are there to tell: the mutator only makes them likely. */
uint64_t fl_value_entry_bits(struct fl_mutation *m, unsigned level)
{
    uint64_t r = fl_draw(m), bits = 0;

    do {
        unsigned bit;

        switch (r & 15) {
        case 0:
        case 1: bit = 0; break; /* P */
        case 2:
        case 3: bit = 1; break; /* R/W */
        case 4:
        case 5: bit = 2; break;                 /* U/S */
        case 6: bit = level > 1 ? 7 : 5; break; /* PS, or A */
        case 7: bit = 7; break;
        case 8:
        case 9: bit = 63; break;                                              /* XD */
        case 10: bit = m->machine.maxphyaddr + (unsigned)(r >> 8 & 3); break; /* the first that are too wide */
        case 11: bit = 51 - (unsigned)(r >> 8 & 7); break;
        case 12: bit = 12 + (unsigned)(r >> 8) % 18; break; /* address, or reserved in a large page */
        case 13: bit = 59 + (unsigned)(r >> 8 & 3); break;  /* protection key */
        case 14: bit = 3 + (unsigned)(r >> 8) % 6; break;
        default: bit = r >> 8 & 63; break;
        }
        bits |= UINT64_C(1) << (m->machine.mode == FL_MODE_2LEVEL ? bit & 31 : bit);
        r = fl_draw(m);
    } while ((r >> 60) == 0);
    return bits;
}

uint8_t fl_value_bits(struct fl_mutation *m)
{
    uint32_t r = fl_below(m, 8);

    if (r == 0)
        return 16;
    if (!fl_is_ia32e(m))
        return 32;
    return r == 1 ? 32 : 64;
}

uint8_t fl_value_ldt_bits(struct fl_mutation *m)
{
    return fl_is_ia32e(m) || fl_one_in(m, 2) ? fl_value_bits(m) : 64;
}
