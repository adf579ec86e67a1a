/* SPDX-License-Identifier: MIT */
/*
 * What a mutated scenario could reach, told from its records alone: situations that the fault handler treats apart. A
 * situation that no chain of mutations ever makes is one that fuzzing never tests.
 */
#ifndef FAULTLINE_TESTS_REACH_H
#define FAULTLINE_TESTS_REACH_H

#include "check.h"

#include <faultline/fuzz/scenario.h>

enum reach {
    REACH_RETRY_TWICE,
    REACH_RETRY_KILLED,
    REACH_INIT_OOM,
    REACH_INIT_OOM_UNMAPPED,
    REACH_INIT_OOM_PROTECTED,
    REACH_POISON,
    REACH_POISON_LARGE,
    REACH_PKEY,
    REACH_SMAP,
    REACH_SMAP_AC,
    REACH_SMAP_IMPLICIT,
    REACH_USER_FETCH,
    REACH_F00F_BEFORE, /* idt + 40..47 */
    REACH_F00F,        /* idt + 48..55 */
    REACH_F00F_BEHIND, /* idt + 56..63 */
    REACH_ERRATUM_93,
    REACH_ERRATUM_93_OUTSIDE,
    REACH_ERRATUM_100_CS,
    REACH_ERRATUM_100_LDT,
    REACH_VSYSCALL_0,
    REACH_VSYSCALL_1,
    REACH_VSYSCALL_2,
    REACH_VSYSCALL_3,
    REACH_VSYSCALL_ODD,
    REACH_VSYSCALL_FAULT,
    REACH_SCREEN,
    REACH_SCREEN_BESIDE,
    REACH_SPURIOUS_WRITE,
    REACH_SPURIOUS_FETCH,
    REACH_KPROBE,
    REACH_KPROBE_DECLINES,
    REACH_CORRUPT,
    REACH_CORRUPT_KERNEL,
    REACH_NX_OOPS_PAE,
    REACH_NULL_OOPS,
    REACH_LDT_CODE,
    REACH_SILENT,
    REACH_VMALLOC_USER,
    REACH_COUNT
};

static const char *const reach_names[REACH_COUNT] = {
    "two retries",
    "retry and fatal signal",
    "init out of memory",
    "init out of memory, VMA gone",
    "init out of memory, VMA read-only",
    "poisoned page",
    "poisoned large page",
    "protection key in force",
    "SMAP",
    "SMAP with AC",
    "SMAP, implicit",
    "kernel fetch from user space",
    "before the F00F entry",
    "the F00F entry",
    "behind the F00F entry",
    "erratum 93",
    "erratum 93, outside the kernel",
    "erratum 100, compatibility code",
    "erratum 100, LDT",
    "vsyscall 0",
    "vsyscall 1",
    "vsyscall 2",
    "vsyscall 3, which is none",
    "vsyscall beside an entry",
    "vsyscall with a bad pointer",
    "vm86 screen",
    "beside the vm86 screen",
    "spurious write",
    "spurious fetch",
    "kprobe claims",
    "kprobe declines",
    "corrupt table",
    "corrupt table in the kernel",
    "oops of a fetch in PAE",
    "oops at NULL",
    "code of the LDT",
    "ratelimited",
    "user access to vmalloc addresses",
};

/* The state in front of an event, as far as the records say it. */
struct reach_state {
    const struct fl_machine *m;
    bool user;
    uint8_t bits;
    uint16_t cs; /* 0: that of the privilege and code size */
    uint64_t ip, flags;
    unsigned injected[FL_INJ_COUNT];
    uint32_t pkeys; /* keys of VMAs so far */
};

static inline bool reach_wide(const struct fl_machine *m)
{
    return m->mode == FL_MODE_4LEVEL || m->mode == FL_MODE_5LEVEL;
}

static inline bool reach_in(uint64_t v, uint64_t first, uint64_t last)
{
    return v >= first && v <= last;
}

static inline void reach_user_address(const struct reach_state *s, uint64_t cr2, uint32_t code, uint64_t *n)
{
    const struct fl_machine *m = s->m;
    const unsigned *in = s->injected, retries = in[FL_INJ_MM_RETRY] + in[FL_INJ_MM_RETRY_MAJOR];
    const bool oom = m->pid == 1 && in[FL_INJ_MM_OOM] != 0, u = code & 4;

    n[REACH_RETRY_TWICE] += m->fault_retry && retries >= 2;
    n[REACH_RETRY_KILLED] += m->fault_retry && retries != 0 && in[FL_INJ_FATAL_SIGNAL] != 0;
    n[REACH_INIT_OOM] += oom;
    n[REACH_INIT_OOM_UNMAPPED] += oom && in[FL_INJ_YIELD_UNMAP] != 0;
    n[REACH_INIT_OOM_PROTECTED] += oom && in[FL_INJ_YIELD_PROTECT] != 0;
    n[REACH_POISON] += in[FL_INJ_MM_HWPOISON] != 0;
    n[REACH_POISON_LARGE] += in[FL_INJ_MM_HWPOISON_LARGE] != 0;
    for (unsigned key = 0; key < 16 && reach_wide(m) && m->pke && m->kernel_pku && !(code & 16); key++)
        n[REACH_PKEY] += s->pkeys >> key & 1 && (m->pkru >> 2 * key & 3) != 0;
    if (m->smap && m->kernel_smap && !u && !(code & 8)) {
        const bool ac = s->flags >> 18 & 1;

        n[REACH_SMAP] += !s->user && !ac;
        n[REACH_SMAP_AC] += !s->user && ac;
        n[REACH_SMAP_IMPLICIT] += s->user;
    }
    n[REACH_USER_FETCH] += m->no_user_fetch && !s->user && !u && (code & 16);
    n[REACH_CORRUPT] += (code & 9) == 9;
    n[REACH_NULL_OOPS] += cr2 < 4096 && !s->user && !u;
    if (reach_wide(m) && !s->user && !u && m->vendor == FL_VENDOR_AMD && m->family == 15 && s->ip == cr2 &&
        cr2 >> 32 == 0) {
        const uint64_t target = cr2 | UINT64_C(0xffffffff00000000);
        const bool kernel = reach_in(target, UINT64_C(0xffffffff81000000), UINT64_C(0xffffffff82000000)) ||
                            reach_in(target, UINT64_C(0xffffffffa0000000), UINT64_C(0xffffffffff000000));

        n[kernel ? REACH_ERRATUM_93 : REACH_ERRATUM_93_OUTSIDE]++;
    }
    if (reach_wide(m) && u && cr2 >> 32 != 0) {
        n[REACH_ERRATUM_100_CS] += s->cs == 0x23 || (s->cs == 0 && s->user && s->bits == 32);
        n[REACH_ERRATUM_100_LDT] += (s->cs & 4) != 0;
    }
    if (!reach_wide(m) && s->flags >> 17 & 1 && s->user)
        n[reach_in(cr2, 0xa0000, 0xbffff) ? REACH_SCREEN : REACH_SCREEN_BESIDE] += reach_in(cr2, 0x9f000, 0xc0fff);
}

static inline void reach_kernel_address(const struct reach_state *s, uint64_t cr2, uint32_t code, uint64_t *n)
{
    const uint64_t page = UINT64_C(0xffffffffff600000);
    const struct fl_machine *m = s->m;
    const uint32_t beyond = (uint32_t)cr2 - m->idt - 40;

    if (m->f00f_bug && !(code & 4) && beyond < 24)
        n[REACH_F00F_BEFORE + beyond / 8]++;
    n[REACH_SPURIOUS_WRITE] += m->spurious_check && code == 3;
    n[REACH_SPURIOUS_FETCH] += m->spurious_check && code == 17;
    n[REACH_CORRUPT_KERNEL] += (code & 9) == 9;
    n[REACH_NX_OOPS_PAE] += m->mode == FL_MODE_PAE && (code & 16) && !s->user;
    n[REACH_VMALLOC_USER] += (code & 13) == 4;
    if (m->vsyscall && s->user && s->ip == cr2 && (code & 20) == 20 && reach_in(cr2, page, page + 4095)) {
        if ((cr2 & 0x3ff) != 0)
            n[REACH_VSYSCALL_ODD]++;
        else
            n[REACH_VSYSCALL_0 + (cr2 >> 10 & 3)]++;
        n[REACH_VSYSCALL_FAULT] += s->injected[FL_INJ_VSYSCALL_FAULT] != 0;
    }
}

static inline void reach_look(const struct fl_scenario *sc, uint64_t n[REACH_COUNT])
{
    static const uint64_t task_size[3] = {0xc0000000, 0x80000000, 0x40000000};
    const struct fl_machine *m = &sc->machine;
    const uint64_t top = m->mode == FL_MODE_4LEVEL   ? UINT64_C(0x7ffffffff000)
                         : m->mode == FL_MODE_5LEVEL ? UINT64_C(0xfffffffffff000)
                                                     : task_size[m->split];
    struct reach_state s = {.m = m, .user = m->user, .bits = m->code_bits, .ip = m->ip, .flags = m->flags};

    for (uint32_t i = 0; i < sc->nrecords && !m->sh4; i++) {
        const struct fl_record *r = &sc->records[i];

        switch ((enum fl_record_kind)r->kind) {
        case FL_REC_REGS:
            s.user = r->u.regs.user;
            s.bits = r->u.regs.code_bits;
            s.ip = r->u.regs.ip;
            s.flags = r->u.regs.flags;
            s.cs = 0;
            break;
        case FL_REC_CS: s.cs = (uint16_t)(r->u.cs.selector | (s.user ? 3 : 0)); break;
        case FL_REC_VMA: s.pkeys |= 1u << r->u.vma.pkey; break;
        case FL_REC_INJECT: s.injected[r->u.inject.op]++; break;
        case FL_REC_FAULT:
            if (m->kprobe_running && !s.user)
                n[s.injected[FL_INJ_KPROBE] ? REACH_KPROBE : REACH_KPROBE_DECLINES]++;
            n[REACH_LDT_CODE] += s.user && (s.cs & 4) != 0;
            n[REACH_SILENT] += s.injected[FL_INJ_RATELIMITED] != 0;
            if (r->u.fault.cr2 < top)
                reach_user_address(&s, r->u.fault.cr2, r->u.fault.code, n);
            else
                reach_kernel_address(&s, r->u.fault.cr2, r->u.fault.code, n);
            memset(s.injected, 0, sizeof(s.injected));
            break;
        default:
            if (fl_record_is_event((enum fl_record_kind)r->kind))
                memset(s.injected, 0, sizeof(s.injected));
            break;
        }
    }
}

#endif
