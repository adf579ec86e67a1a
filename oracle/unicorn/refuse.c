/* SPDX-License-Identifier: MIT */
/*
 * Instructions that this executor does not run. A run that comes upon one is unsupported, whatever its privilege level
 * (that may change within a run).
 *
 *  - What harms the engine. Writing a debug register makes Unicorn 2.1 drop the block that it is running, and crash; so
 *    does the same opcode behind a VEX prefix, where it is none. SYSCALL, which is invalid as EFER.SCE is clear, is passed
 *    over in silence, without the trap that ends each instruction. LOCK before BT* with a register operand (invalid, #UD)
 *    makes its code generator abort; no LOCK with a register operand is valid, so none is tried.
 *  - What changes the processor under the case: afterwards struct fl_cpu would no longer say what the engine does.
 *  - What differs from run to run by its nature (time, counters, random numbers), or with the faults that came before (CR2
 *    and the tables' place): two runs could not be compared.
 */
#include "engine.h"

/* 0F 00, 0F 01, 0F AE and 0F C7 by their ModRM byte. */
static const char *refused_group(uint8_t opcode, uint8_t modrm)
{
    unsigned reg = modrm >> 3 & 7;
    bool memory = modrm < 0xc0;

    switch (opcode) {
    case 0x00: return reg == 2 ? "LLDT" : reg == 3 ? "LTR" : NULL;
    case 0x01:
        if (modrm == 0xef)
            return "WRPKRU";
        if (modrm == 0xf9)
            return "RDTSCP";
        if (reg == 6)
            return "LMSW";
        return memory && reg == 2 ? "LGDT" : memory && reg == 3 ? "LIDT" : NULL;
    case 0xae: return memory && reg == 5 ? "XRSTOR" : NULL;
    case 0xc7:
        if (memory)
            return reg == 3 ? "XRSTORS" : NULL;
        return reg == 6 ? "RDRAND" : reg == 7 ? "RDSEED and RDPID" : NULL;
    default: return NULL;
    }
}

static const char *refused_two_byte(uint8_t opcode)
{
    switch (opcode) {
    case 0x05: return "SYSCALL";
    case 0x06: return "CLTS";
    case 0x20: return "reads of control registers";
    case 0x22: return "writes of control registers";
    case 0x23: return "writes of debug registers";
    case 0x30: return "WRMSR";
    case 0x31: return "RDTSC";
    case 0x32: return "RDMSR";
    case 0x33: return "RDPMC";
    default: return NULL;
    }
}

const char *insn_refused(const uint8_t *b, unsigned n, unsigned bits)
{
    bool lock = false;
    unsigned i = 0;

    while (i < n && (b[i] == 0x66 || b[i] == 0x67 || b[i] == 0xf0 || b[i] == 0xf2 || b[i] == 0xf3 || b[i] == 0x26 ||
                     b[i] == 0x2e || b[i] == 0x36 || b[i] == 0x3e || b[i] == 0x64 || b[i] == 0x65 ||
                     (bits == 64 && (b[i] & 0xf0) == 0x40)))
        lock |= b[i++] == 0xf0;
    if (n - i < 2)
        return NULL;
    if (lock) {
        unsigned modrm = b[i] == 0x0f ? i + 2 : i + 1;

        if (modrm < n && b[modrm] >= 0xc0)
            return "LOCK with a register operand";
    }
    if ((b[i] == 0xc4 || b[i] == 0xc5) && (bits == 64 || b[i + 1] >= 0xc0))
        return "VEX-encoded instructions";
    if (b[i] != 0x0f)
        return NULL;
    const char *why = refused_two_byte(b[i + 1]);
    return why == NULL && n - i > 2 ? refused_group(b[i + 1], b[i + 2]) : why;
}
