/* SPDX-License-Identifier: MIT */
/* Binary form of the records of target gup. */
#include "codec.h"

#include <faultline/pin.h>

static uint16_t area_flags(unsigned kind, unsigned flags)
{
    flags &= FL_AREA_FLAGS;
    if (flags & FL_AREA_READ)
        flags |= FL_AREA_MAY_READ;
    if (flags & FL_AREA_WRITE)
        flags |= FL_AREA_MAY_WRITE;
    if (kind != FL_AREA_ANON || flags & FL_AREA_SHARED)
        flags &= ~(unsigned)(FL_AREA_GROWSDOWN | FL_AREA_HUGE);
    if (kind != FL_AREA_SPECIAL)
        flags &= ~(unsigned)(FL_AREA_IO | FL_AREA_PFNMAP);
    return (uint16_t)flags;
}

static void decode_area(const uint8_t *p, uint64_t addr, struct fl_record *r)
{
    r->u.area.start = addr & ~(uint64_t)4095;
    r->u.area.pages = decode_pages(p + R_NUMBER);
    r->u.area.kind = p[R_A] % FL_AREA_KIND_COUNT;
    r->u.area.flags = area_flags(r->u.area.kind, load16(p + R_B));
    r->u.area.pkey = p[R_ADDR2 + 3] & 15;
    if (r->u.area.kind == FL_AREA_ANON || r->u.area.kind == FL_AREA_SPECIAL)
        return;
    r->u.area.pgoff = load16(p + R_ADDR2);
    r->u.area.file = p[R_ADDR2 + 2] & 3;
    r->u.area.file_pages = load32(p + R_VALUE);
}

static void decode_act(const uint8_t *p, uint64_t addr, struct fl_record *r)
{
    r->u.act.va = addr & ~(uint64_t)4095;
    r->u.act.pages = decode_pages(p + R_NUMBER);
    r->u.act.act = p[R_A] % FL_ACTOR_COUNT;
    r->u.act.mm = p[R_B] & 1;
    r->u.act.arg = r->u.act.act == FL_ACTOR_MPROTECT ? p[R_C] & 7 : 0;
    if (r->kind != FL_REC_RACE)
        return;
    r->u.act.op = p[R_ADDR2] % FL_PINOP_COUNT;
    r->u.act.nth = (uint8_t)(1 + p[R_ADDR2 + 1] % 255);
}

static void decode_pin(const uint8_t *p, uint64_t addr, struct fl_record *r)
{
    static const uint16_t takes[FL_PINAPI_COUNT] = {
        [FL_PINAPI_PIN] = FL_FOLL_BITS & ~FL_FOLL_GET & ~FL_FOLL_NUMA,
        [FL_PINAPI_USER] = FL_FOLL_WRITE | FL_FOLL_FORCE,
        [FL_PINAPI_FAST_ONLY] = FL_FOLL_WRITE,
        [FL_PINAPI_FAST] = FL_FOLL_WRITE,
        [FL_PINAPI_FIXUP] = FL_FOLL_WRITE,
        [FL_PINAPI_FOLLOW] = FL_FOLL_BITS & ~FL_FOLL_GET,
    };
    const unsigned how = p[R_B];
    const uint32_t n = load32(p + R_NUMBER);
    bool arrays, fast;

    r->u.pin.api = p[R_A] % FL_PINAPI_COUNT;
    arrays = r->u.pin.api == FL_PINAPI_PIN || r->u.pin.api == FL_PINAPI_USER;
    fast = r->u.pin.api == FL_PINAPI_FAST || r->u.pin.api == FL_PINAPI_FAST_ONLY;
    r->u.pin.start = addr;
    r->u.pin.n = fast ? n : arrays ? n & 0xffff : 1;
    r->u.pin.flags = load16(p + R_ADDR2) & takes[r->u.pin.api];
    r->u.pin.nonblocking = (how & 1) && (r->u.pin.api == FL_PINAPI_PIN || r->u.pin.api == FL_PINAPI_FIXUP);
    r->u.pin.remote = (how & 2) && !fast;
    r->u.pin.pages = !(how & 4) && (arrays || r->u.pin.api == FL_PINAPI_FOLLOW);
    r->u.pin.vmas = (how & 8) && arrays;
}

void fl_record_decode_pin(const uint8_t *p, unsigned mode, struct fl_record *r)
{
    const uint64_t addr = load64(p + R_ADDR) & address_mask(mode);

    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_AREA: decode_area(p, addr, r); break;
    case FL_REC_ACT:
    case FL_REC_RACE: decode_act(p, addr, r); break;
    case FL_REC_ANSWER:
        r->u.answer.op = p[R_A] % FL_PINOP_COUNT;
        r->u.answer.nth = (uint8_t)(1 + p[R_B] % 255);
        r->u.answer.answer = p[R_C] % FL_PINANS_COUNT;
        break;
    default: decode_pin(p, addr, r); break;
    }
}

static void encode_pin(const struct fl_record *r, uint8_t *p)
{
    bool may = r->u.pin.api == FL_PINAPI_PIN || r->u.pin.api == FL_PINAPI_USER || r->u.pin.api == FL_PINAPI_FOLLOW;

    p[R_B] =
        (uint8_t)(r->u.pin.nonblocking | r->u.pin.remote << 1 | (may && !r->u.pin.pages) << 2 | r->u.pin.vmas << 3);
    p[R_A] = r->u.pin.api;
    store32(p + R_NUMBER, r->u.pin.n);
    store64(p + R_ADDR, r->u.pin.start);
    store16(p + R_ADDR2, r->u.pin.flags);
}

void fl_record_encode_pin(const struct fl_record *r, uint8_t *p)
{
    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_AREA:
        p[R_A] = r->u.area.kind;
        store16(p + R_B, r->u.area.flags);
        encode_pages(p + R_NUMBER, r->u.area.pages);
        store64(p + R_ADDR, r->u.area.start);
        store16(p + R_ADDR2, r->u.area.pgoff);
        p[R_ADDR2 + 2] = r->u.area.file;
        p[R_ADDR2 + 3] = r->u.area.pkey;
        store32(p + R_VALUE, r->u.area.file_pages);
        break;
    case FL_REC_ACT:
    case FL_REC_RACE:
        p[R_A] = r->u.act.act;
        p[R_B] = r->u.act.mm;
        p[R_C] = r->u.act.arg;
        encode_pages(p + R_NUMBER, r->u.act.pages);
        store64(p + R_ADDR, r->u.act.va);
        if (r->kind == FL_REC_RACE) {
            p[R_ADDR2] = r->u.act.op;
            p[R_ADDR2 + 1] = (uint8_t)(r->u.act.nth - 1);
        }
        break;
    case FL_REC_ANSWER:
        p[R_A] = r->u.answer.op;
        p[R_B] = (uint8_t)(r->u.answer.nth - 1);
        p[R_C] = r->u.answer.answer;
        break;
    default: encode_pin(r, p); break;
    }
}
