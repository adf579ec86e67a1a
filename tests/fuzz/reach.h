/* SPDX-License-Identifier: MIT */
/*
 * What a mutated scenario could reach, told from its records alone: situations that the fault handler treats apart. A
 * situation that no chain of mutations ever makes is one that fuzzing never tests.
 */
#ifndef FAULTLINE_TESTS_REACH_H
#define FAULTLINE_TESTS_REACH_H

#include "check.h"

#include <faultline/fuzz/scenario.h>
#include <faultline/fuzz/world.h>

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
    REACH_STEP,
    REACH_DIRECTORY_LOST,
    REACH_LDT_PAGES,
    REACH_LDT_LONG_32,
    REACH_VM86_EDGE,
    REACH_LOW_FRAMES,
    REACH_VMALLOC_READ_ONLY,
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
    "as if absent, after an access",
    "page directory beyond RAM",
    "LDT, prefetch beyond 1 MiB",
    "LDT, L bit in a 32-bit kernel",
    "vm86, prefetch at the end of 64 KiB",
    "report, table in the first high frame",
    "read-only in the vmalloc range, written",
};

/* The same of target vmalloc. */
enum reach_sync {
    REACH_SYNC_LOST,           /* the reference's root gets an entry that leads out of RAM */
    REACH_SYNC_LOST_DIRECTORY, /* ... its page directory, PAE */
    REACH_SYNC_LOST_BELOW,     /* ... a table below its slot */
    REACH_SYNC_DIRECTORY,      /* a PDPTE under CR3, not present */
    REACH_SYNC_RECURSIVE,      /* the reference's slot names mm 0's root */
    REACH_SYNC_DAMAGED,        /* a slot damaged between two sync-alls */
    REACH_SYNC_SH4_LOST,
    REACH_SYNC_SH4_SLOT, /* another first-level entry than the reference's */
    REACH_SYNC_SH4_PROTNONE,
    REACH_SYNC_SH4_FORK_AFTER,
    REACH_SYNC_COUNT
};

static const char *const reach_sync_names[REACH_SYNC_COUNT] = {
    "reference beyond RAM",        "its page directory's entry beyond RAM",
    "a table below it beyond RAM", "absent PDPTE beyond RAM",
    "reference names mm 0's root", "slot damaged between sync-alls",
    "SH4 reference beyond RAM",    "SH4 slot changed",
    "SH4 page without access",     "SH4 fork after the mapping",
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
    struct {
        uint8_t bits;
        uint32_t base, limit;
    } ldt[FL_MAX_LDT];
    uint64_t code,
        code_page;      /* what was written last by a BYTES record, and the page of the last user access behind it */
    bool table_high;    /* an entry of the page directories names frame low_frames */
    uint64_t read_only; /* page that was mapped so last in the reference tables, and accessed since */
    bool read_only_touched;
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

/* Does the entry say present and lead to where a world has no memory? */
static inline bool reach_lost(uint64_t entry)
{
    return (entry & 1) && (entry & UINT64_C(0x000ffffffffff000)) >= (uint64_t)FL_RAM_FRAMES << 12;
}

/* An entry written as a whole, r; and one of the table that it names, next. */
static inline void reach_sync_entry(const struct fl_machine *m, const struct fl_record *r, const struct fl_record *next,
                                    uint64_t n[REACH_SYNC_COUNT])
{
    const uint64_t va = r->u.entry.va, set = r->u.entry.set, frame = (set & 0x1ffff000) >> 12;
    const unsigned level = r->u.entry.level, own = reach_wide(m) ? m->mode == FL_MODE_5LEVEL ? 5 : 4 : 2;

    if (m->sh4) {
        n[REACH_SYNC_SH4_SLOT] += level == 2 && va >= 0xc0000000;
        n[REACH_SYNC_SH4_PROTNONE] += level == 1 && r->u.entry.mask == 0x300 && set == 0x200;
    }
    n[REACH_SYNC_LOST_BELOW] += reach_wide(m) && va >> 63 && level > 1 && level < own && reach_lost(set);
    n[REACH_SYNC_DIRECTORY] +=
        m->mode == FL_MODE_PAE && level == 3 && va >= 0xc0000000 && reach_lost(set | 1) && !(set & 1);
    if (level != 2 || next == NULL || next->kind != FL_REC_ENTRY || next->u.entry.level != 1 || next->u.entry.va != va)
        return;
    n[REACH_SYNC_SH4_LOST] += m->sh4 && frame == 3 && next->u.entry.set >= 0x80400000;
    n[REACH_SYNC_LOST] += !m->sh4 && frame == 3 && reach_lost(next->u.entry.set);
    n[REACH_SYNC_LOST_DIRECTORY] += m->mode == FL_MODE_PAE && frame == 4 && reach_lost(next->u.entry.set);
    n[REACH_SYNC_RECURSIVE] += !m->sh4 && frame == 3 && next->u.entry.set >> 12 == 1;
}

static inline void reach_look_sync(const struct fl_scenario *sc, uint64_t n[REACH_SYNC_COUNT])
{
    bool mapped = false;

    for (uint32_t i = 0; i < sc->nrecords; i++) {
        const struct fl_record *r = &sc->records[i], *next = i + 1 < sc->nrecords ? r + 1 : NULL;

        if (r->kind == FL_REC_ENTRY)
            reach_sync_entry(&sc->machine, r, next, n);
        n[REACH_SYNC_DAMAGED] += r->kind == FL_REC_ENTRY && i > 0 && r[-1].kind == FL_REC_SYNCALL && next != NULL &&
                                 next->kind == FL_REC_SYNCALL;
        n[REACH_SYNC_SH4_FORK_AFTER] += sc->machine.sh4 && mapped && r->kind == FL_REC_FORK;
        mapped |= r->kind == FL_REC_IOREMAP;
    }
}

/* A user fault with a prefetch of a K8 at ip that is there to be read. */
static inline void reach_prefetch(const struct reach_state *s, uint64_t *n)
{
    const struct fl_machine *m = s->m;
    const bool vm = !reach_wide(m) && s->flags >> 17 & 1;
    const uint32_t ip = (uint32_t)s->ip;

    if (!s->user || m->vendor != FL_VENDOR_AMD || m->family < 6 || s->code_page != s->code >> 12)
        return;
    if (vm) {
        n[REACH_VM86_EDGE] += ip >= 0xfff0 && ip <= 0xffff && (uint32_t)(s->cs << 4) + ip == s->code;
    } else if (s->cs & 4 && s->cs >> 3 < FL_MAX_LDT) {
        const unsigned i = s->cs >> 3;
        const bool here = s->ldt[i].base + ip == s->code;

        n[REACH_LDT_PAGES] += here && s->ldt[i].bits == 32 && ip > 0xfffff && s->ldt[i].limit > ip;
        n[REACH_LDT_LONG_32] += here && s->ldt[i].bits == 64 && !reach_wide(m) && ip <= 0xffff;
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
    uint64_t touched = UINT64_MAX; /* the kernel page that was accessed last */

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
        case FL_REC_ENTRY:
            n[REACH_DIRECTORY_LOST] += m->mode == FL_MODE_PAE && r->u.entry.level == 3 && reach_lost(r->u.entry.set);
            s.table_high = r->u.entry.level > 1 && (r->u.entry.set & 0x81) == 1 &&
                           r->u.entry.set >> 12 == m->low_frames && m->low_frames < FL_RAM_FRAMES;
            break;
        case FL_REC_LDT:
            s.ldt[r->u.ldt.index].bits = r->u.ldt.bits;
            s.ldt[r->u.ldt.index].base = r->u.ldt.base;
            s.ldt[r->u.ldt.index].limit = r->u.ldt.limit;
            break;
        case FL_REC_BYTES:
            s.code = r->u.bytes.va;
            s.code_page = UINT64_MAX;
            break;
        case FL_REC_IOREMAP:
            if (!(r->u.ioremap.flags & FL_MAP_WRITE)) {
                s.read_only = r->u.ioremap.va >> 12;
                s.read_only_touched = false;
            }
            break;
        case FL_REC_FAULT:
            if (m->kprobe_running && !s.user)
                n[s.injected[FL_INJ_KPROBE] ? REACH_KPROBE : REACH_KPROBE_DECLINES]++;
            n[REACH_LDT_CODE] += s.user && (s.cs & 4) != 0;
            reach_prefetch(&s, n);
            n[REACH_LOW_FRAMES] +=
                s.table_high && !reach_wide(m) && m->oops_may_print && !s.user && !(r->u.fault.code & 4);
            n[REACH_VMALLOC_READ_ONLY] +=
                s.read_only_touched && (r->u.fault.code & 15) == 2 && r->u.fault.cr2 >> 12 == s.read_only;
            n[REACH_SILENT] += s.injected[FL_INJ_RATELIMITED] != 0;
            n[REACH_STEP] += (r->u.fault.code & 13) == 0 && r->u.fault.cr2 >> 12 == touched;
            if (r->u.fault.cr2 < top)
                reach_user_address(&s, r->u.fault.cr2, r->u.fault.code, n);
            else
                reach_kernel_address(&s, r->u.fault.cr2, r->u.fault.code, n);
            memset(s.injected, 0, sizeof(s.injected));
            break;
        default:
            if (r->kind == FL_REC_TOUCH && r->u.touch.va >= top)
                touched = r->u.touch.va >> 12;
            if (r->kind == FL_REC_TOUCH && r->u.touch.priv == FL_USER && r->u.touch.va >> 12 == s.code >> 12)
                s.code_page = s.code >> 12;
            if (r->kind == FL_REC_TOUCH && r->u.touch.priv == FL_SUPERVISOR && r->u.touch.va >> 12 == s.read_only)
                s.read_only_touched = true;
            if (fl_record_is_event((enum fl_record_kind)r->kind))
                memset(s.injected, 0, sizeof(s.injected));
            break;
        }
    }
}

#endif
