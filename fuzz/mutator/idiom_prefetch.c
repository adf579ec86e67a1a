/* SPDX-License-Identifier: MIT */
/* Idioms of target prefetch: random bytes hardly ever are a prefix run, and hardly any of those has a REX that is not
 * last, so they are built. */
#include "mutator.h"

#include <string.h>

static const uint8_t legacy[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

static uint8_t prefix(struct fl_mutation *m, unsigned bits)
{
    uint64_t r = fl_draw(m);

    /* 40..4F are no prefixes in 16- and 32-bit code, and a decoder should know. */
    if ((r & 7) < 3 && (bits == 64 || (r & 0xf8) == 0))
        return (uint8_t)(0x40 + (r >> 8 & 15));
    return legacy[(r >> 16) % sizeof(legacy)];
}

unsigned fl_prefetch_bytes(struct fl_mutation *m, enum fl_idiom idiom, unsigned bits, uint8_t code[FL_MAX_CODE])
{
    /* Neighbours of prefixes and opcodes, and what leads in other maps. */
    static const uint8_t near_prefix[] = {0x27, 0x2f, 0x37, 0x3f, 0x60, 0x62, 0x63, 0x68, 0x06, 0x50, 0xf1,
                                          0xf4, 0xf5, 0x9b, 0x8f, 0xc4, 0xc5, 0xd5, 0x40, 0x4f, 0x90, 0xf7};
    static const uint8_t near_opcode[] = {0x0c, 0x0e, 0x0f, 0x05, 0x17, 0x19, 0x1a, 0x1f, 0x08, 0x8d, 0x98, 0x38, 0x3a};
    static const uint8_t lengths[] = {0, 0, 1, 1, 2, 2, 3, 4, 5, 7, 9, 11, 12, 13, 14, 15};
    uint8_t bytes[24];
    unsigned run = FL_PICK(m, lengths), n = 0;
    uint64_t r = fl_draw(m), tail = fl_draw(m);

    if (idiom == FL_IDIOM_CUT && (r & 3) == 0)
        run = 11 + (unsigned)(r >> 8) % 5;
    while (n < run)
        bytes[n++] = prefix(m, bits);
    bytes[n] = 0x0f;
    bytes[n + 1] = r & 0x10 ? 0x0d : 0x18;
    bytes[n + 2] = (uint8_t)(r >> 16);
    memcpy(bytes + n + 3, &tail, 6);
    if (idiom == FL_IDIOM_NEAR) {
        switch (r >> 32 & 3) {
        case 0: bytes[n] = FL_PICK(m, near_prefix); break;
        case 1: bytes[n + 1] = FL_PICK(m, near_opcode); break;
        case 2: bytes[(r >> 40) % (n + 1)] = FL_PICK(m, near_prefix); break;
        default: bytes[(r >> 40) % (n + 2)] ^= (uint8_t)(1u << (r >> 48 & 7)); break;
        }
    }
    /* With the longest operand that there is. */
    n += 9;
    if (n > FL_MAX_CODE)
        n = FL_MAX_CODE;
    if (idiom == FL_IDIOM_CUT) {
        /* Mostly around the end of the opcode. */
        unsigned opcode_end = run + 2;

        n = r & 0x40 ? (unsigned)(tail >> 48) % (n + 1) : opcode_end - 1 + (unsigned)(tail >> 48) % 3;
        if (n > FL_MAX_CODE)
            n = FL_MAX_CODE;
    }
    memset(code, 0, FL_MAX_CODE);
    memcpy(code, bytes, n);
    return n;
}

void fl_idiom_prefetch(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out)
{
    uint64_t random = fl_draw(m);
    uint8_t bits = fl_value_bits(m);
    bool user = random & 3;
    struct fl_record *r;

    if (idiom == FL_IDIOM_EDGE_IP) {
        /* Fewer than 15 bytes before the end of user space, of the segment, of 64 KiB, of 4 GiB, of everything. */
        static const uint64_t ends[] = {UINT64_C(1) << 16, UINT64_C(1) << 32, 0};
        uint64_t end = fl_value_task_size(m);

        if (random & 0x10)
            end = random & 0x20 ? FL_PICK(m, ends) : (uint64_t)m->machine.seg_limit + 1;
        r = fl_idiom_add(out, FL_REC_REGS);
        r->u.regs.ip = end - fl_below(m, 18);
        if ((random & 0xc0) == 0)
            r->u.regs.ip -= m->machine.seg_base;
        r->u.regs.sp = m->machine.sp;
        r->u.regs.flags = fl_value_flags(m);
        r->u.regs.user = user;
        r->u.regs.code_bits = bits;
    }
    for (unsigned i = 1 + fl_below(m, 3); i; i--) {
        r = fl_idiom_add(out, FL_REC_DECODE);
        r->u.decode.bits = bits;
        r->u.decode.user = user;
        r->u.decode.fetch = fl_one_in(m, 16);
        r->u.decode.n = (uint8_t)fl_prefetch_bytes(m, idiom, bits, r->u.decode.code);
        bits = fl_one_in(m, 2) ? bits : fl_value_bits(m);
    }
}
