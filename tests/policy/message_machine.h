/* SPDX-License-Identifier: MIT */
/* A machine for the tests of messages, and the check of a text. */
#ifndef FAULTLINE_TESTS_POLICY_MESSAGE_MACHINE_H
#define FAULTLINE_TESTS_POLICY_MESSAGE_MACHINE_H

#include "check.h"

#include <faultline/oracle/policy.h>

#include "policy/message.h"
#include "policy/message_table.h"

enum { FRAMES = 12, P = 1, W = 2, U = 4, RSVD = 8, I = 16 };
#define NX (UINT64_C(1) << 63)

/* Frame 1 is the root; tables go down through frames 2, 3, 4 and 5. */
static struct machine {
    struct fl_snapshot s;
    struct fl_vma vmas[3];
    uint64_t ram[FRAMES * 512];
    struct fl_expected e;
    unsigned names, symbols;
} m;

static inline bool read_ram(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    (void)ctx;
    CHECK(paddr % size == 0, "unaligned read at %" PRIx64, paddr);
    if (paddr >= sizeof m.ram)
        return false;
    *value = 0;
    memcpy(value, (const uint8_t *)m.ram + paddr, size);
    return true;
}

static inline void put(uint64_t paddr, unsigned size, uint64_t value)
{
    memcpy((uint8_t *)m.ram + paddr, &value, size);
}

static inline bool symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    (void)ctx;
    m.symbols++;
    if (ip < UINT64_C(0xffffffff80000000))
        return false;
    snprintf(buf, size, ":mod:fn+0x%x/0x40", (unsigned)(ip & 0xff));
    return true;
}

static inline void file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    (void)ctx;
    m.names++;
    snprintf(buf, size, "lib%u.so", file);
}

static inline void start(unsigned word, enum fl_mode mode)
{
    struct fl_snapshot *s = &m.s;
    memset(&m, 0, sizeof m);
    s->cpu.mode = (uint8_t)mode;
    s->cpu.cr3 = 0x1000;
    s->cpu.efer = 0x800;
    s->kernel.word = (uint8_t)word;
    s->kernel.low_frames = FRAMES;
    s->kernel.oops_may_print = true;
    s->task = (struct fl_task){.pid = 1234, .uid = 500, .comm = "prog", .has_mm = true};
    s->regs.ip = 0x8048123;
    s->regs.gpr[FL_RSP] = 0xbffff000;
    s->cr2 = 0x1234;
    s->vmas = m.vmas;
    s->read = read_ram;
    s->symbol = symbol;
    s->file_name = file_name;
}

/* n bytes of text, and no more; the log starts anew. */
static inline void expect(const char *text, const char *what)
{
    CHECK_EQ(m.e.nlog, strlen(text), "%s: length, is \"%.*s\"", what, (int)m.e.nlog, m.e.log);
    CHECK(m.e.nlog == strlen(text) && !memcmp(m.e.log, text, m.e.nlog), "%s: \"%.*s\", expected \"%s\"", what,
          (int)m.e.nlog, m.e.log, text);
    m.e.nlog = 0;
}

#endif
