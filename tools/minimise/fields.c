/* SPDX-License-Identifier: MIT */
#include "pass.h"

#include <stddef.h>
#include <string.h>

#define USUAL_IP    0x400000
#define USUAL_SP    0x3ffff000
#define USUAL_FLAGS 0x202
#define ALL_ONES    0xffffffff

#define FIELD(kind, role, member, usual)                                                                               \
    {                                                                                                                  \
        FL_REC_##kind, ROLE_##role, sizeof(((struct fl_record *)0)->u.member), offsetof(struct fl_record, u.member),   \
            usual                                                                                                      \
    }

/* What INJECT answers and which bytes a record has stand elsewhere: see code.c; an answer has no plainer one. Kinds stand
 * together, in their order. */
static const struct field fields[] = {
    FIELD(MAP, ADDRESS, map.va, 0),
    FIELD(MAP, NUMBER, map.frame, 0),
    FIELD(MAP, NUMBER, map.level, 1),
    FIELD(MAP, BITS, map.flags, 0),
    FIELD(MAP, NUMBER, map.pkey, 0),
    FIELD(ENTRY, ADDRESS, entry.va, 0),
    FIELD(ENTRY, NUMBER, entry.level, 1),
    FIELD(ENTRY, BITS, entry.set, 0),
    FIELD(ENTRY, BITS, entry.mask, 0),
    FIELD(VMA, ADDRESS, vma.start, 0),
    FIELD(VMA, NUMBER, vma.pages, 1),
    FIELD(VMA, BITS, vma.flags, 0),
    FIELD(VMA, NUMBER, vma.file, 0),
    FIELD(VMA, NUMBER, vma.pkey, 0),
    FIELD(VMA, NUMBER, vma.pgoff, 0),
    FIELD(VMA, NUMBER, vma.file_pages, 0),
    FIELD(UNMAP, ADDRESS, range.start, 0),
    FIELD(UNMAP, NUMBER, range.pages, 1),
    FIELD(PROTECT, ADDRESS, range.start, 0),
    FIELD(PROTECT, NUMBER, range.pages, 1),
    FIELD(PROTECT, BITS, range.prot, 0),
    FIELD(ZAP, ADDRESS, range.start, 0),
    FIELD(ZAP, NUMBER, range.pages, 1),
    FIELD(REGS, ADDRESS, regs.ip, USUAL_IP),
    FIELD(REGS, ADDRESS, regs.sp, USUAL_SP),
    FIELD(REGS, BITS, regs.flags, USUAL_FLAGS),
    FIELD(REGS, BITS, regs.user, true),
    FIELD(REGS, BITS, regs.code_bits, 64),
    FIELD(GPR, NUMBER, gpr.index, FL_RAX),
    FIELD(GPR, ADDRESS, gpr.value, 0),
    FIELD(BYTES, ADDRESS, bytes.va, 0),
    FIELD(EXTABLE, ADDRESS, extable.ip, USUAL_IP),
    FIELD(EXTABLE, ADDRESS, extable.fixup, 0),
    FIELD(INJECT, NUMBER, inject.n, 0),
    FIELD(ACCESS, ADDRESS, access.va, 0),
    FIELD(ACCESS, NUMBER, access.kind, FL_READ),
    FIELD(ACCESS, NUMBER, access.priv, FL_USER),
    FIELD(ACCESS, BITS, access.ac, false),
    FIELD(ACCESS, BITS, access.execute, false),
    FIELD(FAULT, ADDRESS, fault.cr2, 0),
    FIELD(FAULT, BITS, fault.code, 0),
    FIELD(EXEC, ADDRESS, exec.ip, USUAL_IP),
    FIELD(EXEC, BITS, exec.user, true),
    FIELD(DECODE, BITS, decode.bits, 64),
    FIELD(DECODE, BITS, decode.user, true),
    FIELD(DECODE, BITS, decode.fetch, false),
    FIELD(IOREMAP, ADDRESS, ioremap.va, 0),
    FIELD(IOREMAP, NUMBER, ioremap.leaves, 1),
    FIELD(IOREMAP, NUMBER, ioremap.frame, 0),
    FIELD(IOREMAP, NUMBER, ioremap.level, 1),
    FIELD(IOREMAP, BITS, ioremap.flags, 0),
    FIELD(IOUNMAP, ADDRESS, iounmap.start, 0),
    FIELD(IOUNMAP, NUMBER, iounmap.pages, 1),
    FIELD(FORK, NUMBER, mm.mm, 1),
    FIELD(SWITCH, NUMBER, mm.mm, 0),
    FIELD(SWITCH, BITS, mm.lag, false),
    FIELD(LDT, NUMBER, ldt.index, 0),
    FIELD(LDT, BITS, ldt.bits, 64),
    FIELD(LDT, BITS, ldt.base, 0),
    FIELD(LDT, BITS, ldt.limit, ALL_ONES),
    FIELD(CS, BITS, cs.selector, 0),
    FIELD(TOUCH, ADDRESS, touch.va, 0),
    FIELD(TOUCH, NUMBER, touch.kind, FL_READ),
    FIELD(TOUCH, NUMBER, touch.priv, FL_USER),
    FIELD(AREA, ADDRESS, area.start, 0),
    FIELD(AREA, NUMBER, area.pages, 1),
    FIELD(AREA, BITS, area.flags, 0),
    FIELD(AREA, NUMBER, area.kind, FL_AREA_ANON),
    FIELD(AREA, NUMBER, area.file, 0),
    FIELD(AREA, NUMBER, area.pkey, 0),
    FIELD(AREA, NUMBER, area.pgoff, 0),
    FIELD(AREA, NUMBER, area.file_pages, 0),
    FIELD(ACT, ADDRESS, act.va, 0),
    FIELD(ACT, NUMBER, act.pages, 1),
    FIELD(ACT, NUMBER, act.act, FL_ACTOR_READ),
    FIELD(ACT, NUMBER, act.mm, 0),
    FIELD(ACT, BITS, act.arg, 0),
    FIELD(RACE, ADDRESS, act.va, 0),
    FIELD(RACE, NUMBER, act.pages, 1),
    FIELD(RACE, NUMBER, act.act, FL_ACTOR_READ),
    FIELD(RACE, NUMBER, act.mm, 0),
    FIELD(RACE, BITS, act.arg, 0),
    FIELD(RACE, NUMBER, act.op, FL_PINOP_READ),
    FIELD(RACE, NUMBER, act.nth, 1),
    FIELD(ANSWER, NUMBER, answer.op, FL_PINOP_READ),
    FIELD(ANSWER, NUMBER, answer.nth, 1),
    FIELD(ANSWER, NUMBER, answer.answer, FL_PINANS_REFUSE),
    FIELD(PIN, ADDRESS, pin.start, 0),
    FIELD(PIN, NUMBER, pin.n, 1),
    FIELD(PIN, BITS, pin.flags, 0),
    FIELD(PIN, NUMBER, pin.api, FL_PINAPI_PIN),
    FIELD(PIN, BITS, pin.nonblocking, false),
    FIELD(PIN, BITS, pin.remote, false),
    FIELD(PIN, BITS, pin.pages, false),
    FIELD(PIN, BITS, pin.vmas, false),
};
#define NFIELDS (sizeof fields / sizeof fields[0])

const struct field *fields_of(enum fl_record_kind kind, unsigned *count)
{
    unsigned first = 0;

    while (first < NFIELDS && fields[first].kind != kind)
        first++;
    *count = 0;
    while (first + *count < NFIELDS && fields[first + *count].kind == kind)
        ++*count;
    return fields + first;
}

/* The fields of a record are little-endian numbers of this machine: x86, as the whole project's. */
uint64_t field_get(const struct field *f, const struct fl_record *r)
{
    const char *at = (const char *)r + f->offset;
    uint64_t v64;
    uint32_t v32;
    uint16_t v16;

    switch (f->width) {
    case 1: return *(const uint8_t *)at;
    case 2: memcpy(&v16, at, 2); return v16;
    case 4: memcpy(&v32, at, 4); return v32;
    default: memcpy(&v64, at, 8); return v64;
    }
}

void field_set(const struct field *f, struct fl_record *r, uint64_t value)
{
    char *at = (char *)r + f->offset;
    uint32_t v32 = (uint32_t)value;
    uint16_t v16 = (uint16_t)value;

    switch (f->width) {
    case 1: *(uint8_t *)at = (uint8_t)value; break;
    case 2: memcpy(at, &v16, 2); break;
    case 4: memcpy(at, &v32, 4); break;
    default: memcpy(at, &value, 8); break;
    }
}

/* More than all the bits of an address can cost. */
#define NOT_CANONICAL 64

static bool is_canonical(enum fl_mode mode, uint64_t address)
{
    unsigned unused = mode == FL_MODE_5LEVEL ? 7 : 16;

    return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

unsigned field_cost(const struct field *f, enum fl_mode mode, uint64_t value)
{
    uint64_t above = value - f->usual;

    if (f->role != ROLE_NUMBER)
        return (unsigned)__builtin_popcountll(value ^ f->usual) +
               (f->role == ROLE_ADDRESS && !is_canonical(mode, value) ? NOT_CANONICAL : 0);
    return above ? 2 * (64 - (unsigned)__builtin_clzll(above)) + (unsigned)__builtin_popcountll(above) : 0;
}

/* One value for one field of the i-th record. */
static bool try_value(struct work *w, uint32_t i, const struct field *f, uint64_t value)
{
    enum fl_mode mode = (enum fl_mode)w->best.machine.mode;

    if (field_cost(f, mode, value) >= field_cost(f, mode, field_get(f, &w->best.records[i])))
        return false;
    field_set(f, &work_begin(w)->records[i], value);
    return work_try(w);
}

static void one_field(struct work *w, uint32_t i, const struct field *f)
{
    uint64_t different;

    if (try_value(w, i, f, f->usual))
        return;
    if (f->role == ROLE_NUMBER)
        for (unsigned bit = 0; bit < 8u * f->width; bit++)
            if (try_value(w, i, f, f->usual + (UINT64_C(1) << bit)))
                break;
    /* The highest first: they are the longest to read. */
    for (unsigned bit = 8u * f->width; bit-- > 0;) {
        uint64_t value = field_get(f, &w->best.records[i]);

        different = f->role == ROLE_NUMBER ? value - f->usual : value ^ f->usual;
        if (different >> bit & 1)
            try_value(w, i, f, f->role == ROLE_NUMBER ? value - (UINT64_C(1) << bit) : value ^ UINT64_C(1) << bit);
    }
}

void pass_fields(struct work *w)
{
    for (uint32_t i = 0; i < w->best.nrecords && !work_over(w); i++) {
        unsigned count;
        const struct field *f = fields_of((enum fl_record_kind)w->best.records[i].kind, &count);

        for (unsigned k = 0; k < count; k++)
            one_field(w, i, &f[k]);
    }
}
