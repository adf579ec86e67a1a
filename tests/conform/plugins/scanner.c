/* SPDX-License-Identifier: MIT */
/*
 * A prefetch decoder as somebody else might have written it, out of which -DBUG=n makes wrong ones. It knows nothing of this
 * tree but the public headers, and is written in another manner than the core.
 *
 *    0  clean                                       9  hangs on F2 F2
 *    1  reads a 16th byte                          10  clean, but reads 15 bytes before it looks at one
 *    2  refuses LOCK                               11  another version of the interface
 *    3  takes REX in 16- and 32-bit code           12  has no fl_core()
 *    4  second opcode byte with kernel accessor    13  reads each byte twice
 *    5  only the first byte is held against limit  14  stops a byte too early
 *    6  keeps a count from call to call            15  refuses LOCK and the address-size prefix
 *    7  refuses one exact string of 13 prefixes    16  writes a line to the log when it says yes
 *    8  crashes on 66 F3                           17  writes to the fault
 *   18  clean, but works in static data, which it leaves as it was
 *   19  keeps a thread-local count
 *   20  clean, but reads byte i + 1 before byte i
 *   21  clean, but has its bytes written to the heap
 *   22  looks its segment up twice
 */
#include <faultline/core.h>

#include <stdlib.h>
#include <string.h>

#ifndef BUG
#    define BUG 0
#endif

#define MOST (BUG == 1 ? 16u : BUG == 14 ? 14u : 15u)

struct window {
    uint64_t at, base;
    uint64_t room; /* bytes up to the end of the segment */
    unsigned bits;
    bool user;
};

static bool locate(const struct fl_fault *f, const struct fl_ops *ops, void *ctx, struct window *w)
{
    const bool vm = f->regs.flags >> 17 & 1;
    uint64_t ip = f->kernel.word == 4 ? (uint32_t)f->regs.ip : f->regs.ip;
    uint64_t limit = f->codeseg.limit;

    w->bits = f->codeseg.bits;
    w->base = f->codeseg.base;
    w->user = vm || (f->regs.cs & 3) == 3;
    if (vm) {
        w->bits = 16;
        w->base = 16u * f->regs.cs;
        limit = 0xffff;
    } else if (f->regs.cs & 4) {
        uint64_t d;

        if (f->regs.cs / 8 >= f->task.ldt_entries)
            return false;
        d = ops->ldt(ctx, f->regs.cs / 8);
        if (BUG == 22)
            d |= ops->ldt(ctx, f->regs.cs / 8);
        w->base = (d >> 16 & 0xffffff) + (d >> 56 << 24);
        limit = (d & 0xffff) + ((d >> 48 & 15) << 16);
        if (d >> 55 & 1)
            limit = limit * 4096 + 4095;
        w->bits = d >> 54 & 1 ? 32 : 16;
        if (f->kernel.word == 8 && d >> 53 & 1)
            w->bits = 64;
    }
    if (w->bits == 64) {
        w->base = 0;
        w->at = ip;
        w->room = UINT64_MAX;
        return true;
    }
    w->at = w->bits == 16 ? ip & 0xffff : ip & 0xffffffff;
    w->room = w->at <= limit ? limit - w->at + 1 : 0;
    if (BUG == 5 && w->room)
        w->room = UINT64_MAX;
    return true;
}

static bool fetch(const struct fl_fault *f, const struct fl_ops *ops, void *ctx, const struct window *w, unsigned i,
                  uint8_t *byte)
{
    uint64_t linear = w->base + w->at + i;
    bool user = w->user;

    if (w->bits != 64)
        linear &= 0xffffffff;
    if (i >= w->room || (w->user && linear >= f->kernel.task_size))
        return false;
    if (!w->user && f->kernel.vsyscall && linear / 4096 == f->kernel.vsyscall / 4096)
        return false;
    if (BUG == 4 && i && *byte == 0x0f)
        user = false;
    if (BUG == 13 && !ops->probe_byte(ctx, linear, user, byte))
        return false;
#if BUG == 21
    uint8_t *cell = malloc(1);
    bool ok = cell && ops->probe_byte(ctx, linear, user, cell);

    if (ok)
        *byte = *cell;
    free(cell);
    return ok;
#else
    return ops->probe_byte(ctx, linear, user, byte);
#endif
}

enum { OTHER, PREFIX, REX, ESCAPE };

static unsigned kind_of(uint8_t byte)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

    if ((BUG == 2 || BUG == 15) && byte == 0xf0)
        return OTHER;
    if (BUG == 15 && byte == 0x67)
        return OTHER;
    for (unsigned i = 0; i < sizeof prefixes; i++)
        if (prefixes[i] == byte)
            return PREFIX;
    return byte == 0x0f ? ESCAPE : byte >> 4 == 4 ? REX : OTHER;
}

#if BUG == 7
static const uint8_t secret[13] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x66};
#endif

#if BUG == 10
/* All bytes, and then what they are. */
static bool scan(const struct fl_fault *f, const struct fl_ops *ops, void *ctx, const struct window *w)
{
    uint8_t buffer[15];
    unsigned n = 0, i = 0;

    while (n < sizeof buffer && fetch(f, ops, ctx, w, n, &buffer[n]))
        n++;
    while (i < n && (kind_of(buffer[i]) == PREFIX || (kind_of(buffer[i]) == REX && w->bits == 64)))
        i++;
    return i + 1 < n && buffer[i] == 0x0f && (buffer[i + 1] == 0x0d || buffer[i + 1] == 0x18);
}
#elif BUG == 20
/* Byte i + 1 before byte i. The last byte cannot begin an opcode, and is not looked at for its own sake. */
static bool scan(const struct fl_fault *f, const struct fl_ops *ops, void *ctx, const struct window *w)
{
    uint8_t byte = 0, next = 0;

    if (!fetch(f, ops, ctx, w, 1, &next) || !fetch(f, ops, ctx, w, 0, &byte))
        return false;
    for (unsigned i = 0; i < 14; i++) {
        unsigned kind = kind_of(byte);

        if (kind == ESCAPE)
            return next == 0x0d || next == 0x18;
        if (kind != PREFIX && (kind != REX || w->bits != 64))
            return false;
        byte = next;
        if (i == 13 || !fetch(f, ops, ctx, w, i + 2, &next))
            return false;
    }
    return false;
}
#else
static bool scan(const struct fl_fault *f, const struct fl_ops *ops, void *ctx, const struct window *w)
{
    uint8_t byte = 0, before = 0;
    unsigned i = 0, matched = 0;

    for (; i < MOST && fetch(f, ops, ctx, w, i, &byte); i++) {
        unsigned kind = kind_of(byte);

#    if BUG == 7
        matched += matched == i && i < sizeof secret && byte == secret[i];
#    endif
#    if BUG == 8
        if (before == 0x66 && byte == 0xf3)
            abort();
#    endif
#    if BUG == 9
        for (volatile unsigned turn = 1; before == 0xf2 && byte == 0xf2 && turn;)
            turn = 1;
#    endif
        before = byte;
        if (kind == PREFIX || (kind == REX && (BUG == 3 || w->bits == 64)))
            continue;
        if (kind != ESCAPE || ++i == MOST || !fetch(f, ops, ctx, w, i, &byte))
            return false;
        if (matched == 13 && i == 14)
            return false;
        return byte == 0x0d || byte == 0x18;
    }
    (void)before;
    return false;
}
#endif

static bool decide(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, struct window *w)
{
    bool ignore;

    if (fault->cpu.vendor != FL_VENDOR_AMD || fault->cpu.family < 6 || fault->error_code & 0x10)
        return false;
    ignore = locate(fault, ops, ctx, w) && scan(fault, ops, ctx, w);
    if (BUG == 16 && ignore)
        ops->log(ctx, "prefetch\n", 9);
    return ignore;
}

static enum fl_status prefetch(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, bool *ignore)
{
#if BUG == 18
    static struct window w;
#else
    struct window w;
#endif

    if (!fault || !ops || !ignore)
        return FL_INVALID;
#if BUG == 6
    static unsigned calls;

    calls++;
#elif BUG == 19
    static _Thread_local unsigned calls;

    calls++;
#elif BUG == 17
    ((struct fl_fault *)(uintptr_t)fault)->cr2 ^= 1;
#endif
    *ignore = decide(fault, ops, ctx, &w);
    if (BUG == 18)
        memset(&w, 0, sizeof w);
    return FL_OK;
}

#if BUG == 12
const struct fl_core *some_core(void);
const struct fl_core *some_core(void)
#else
const struct fl_core *fl_core(void)
#endif
{
    static const struct fl_core core = {.abi = FL_CORE_ABI + (BUG == 11), .name = "scanner", .prefetch = prefetch};

    return &core;
}
