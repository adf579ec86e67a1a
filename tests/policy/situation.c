/* SPDX-License-Identifier: MIT */
#include "situation.h"

#include <stdio.h>
#include <string.h>

static bool read_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct situation *t = ctx;
    t->reads++;
    bool user_regs = (t->s.regs.cs & 3) == 3 || (t->s.regs.flags & 0x20000);
    if (user != user_regs)
        t->wrong_reads++;
    if (linear < t->code_at || linear - t->code_at >= t->ncode)
        return false;
    *byte = t->code[linear - t->code_at];
    return true;
}

static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct situation *t = ctx;
    if (paddr > 0x100000 - size)
        return false;
    *value = 0;
    for (unsigned i = 0; i < t->nentries; i++)
        if (t->entry[i].paddr == paddr)
            *value = t->entry[i].value;
    return true;
}

static bool read_word(void *ctx, uint64_t addr, uint64_t *value)
{
    const struct situation *t = ctx;
    if (t->no_return || addr != t->s.regs.gpr[FL_RSP])
        return false;
    *value = RETURN_IP;
    return true;
}

static bool symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    (void)ctx, (void)ip;
    snprintf(buf, size, "memcpy+0xb/0x20");
    return true;
}

static void file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    (void)ctx;
    snprintf(buf, size, "file-%u", file);
}

static void put(struct situation *t, uint64_t paddr, uint64_t value)
{
    t->entry[t->nentries].paddr = paddr;
    t->entry[t->nentries++].value = value;
}

/* Tables that map the page at task_size, from the root at `root` over those that follow it at distances of 4 KiB. Entry
 * bits, Intel SDM vol. 3A, 4.4.2 and 4.5: P 1, R/W 2, XD bit 63. */
static void put_tables(struct situation *t, uint64_t root, uint64_t leaf)
{
    if (t->s.kernel.word == 8) { /* 0x7ffffffff000: PML4E 255, then 511 everywhere */
        put(t, root + 255 * 8, (root + 0x1000) | 3);
        put(t, root + 0x1000 + 511 * 8, (root + 0x2000) | 3);
        put(t, root + 0x2000 + 511 * 8, (root + 0x3000) | 3);
        put(t, root + 0x3000 + 511 * 8, leaf);
    } else { /* 0xc0000000: PDPTE 3, then 0 */
        put(t, root + 3 * 8, (root + 0x1000) | 1);
        put(t, root + 0x1000, (root + 0x2000) | 3);
        put(t, root + 0x2000, leaf);
    }
}

static void make_tables(struct situation *t, const struct choices *c)
{
    enum { LIVE = 0x10000, REFERENCE = 0x20000, LEAF = 0x30003, OTHER_TABLE = 0x40003 };
    struct fl_snapshot *s = &t->s;
    bool wide = c->word == 8;

    s->cpu.cr3 = s->task.mm_root = s->task.active_root = LIVE;
    s->kernel.init_root = c->tables == NO_MEMORY ? 0x200000 : REFERENCE;
    if (c->tables == IN_REFERENCE || c->tables == CONTRADICTORY)
        put_tables(t, REFERENCE, LEAF);
    if (!wide && c->tables != MAPPED && c->tables != MAPPED_READ)
        put(t, LIVE + 3 * 8, (LIVE + 0x1000) | 1); /* a page directory of its own */
    if (c->tables == CONTRADICTORY) {
        s->kernel.generation = FL_GEN_2016;
        put(t, wide ? LIVE + 255 * 8 : LIVE + 0x1000, OTHER_TABLE);
    }
    if (c->tables == MAPPED)
        put_tables(t, LIVE, LEAF);
    if (c->tables == MAPPED_READ)
        put_tables(t, LIVE, (LEAF & ~UINT64_C(2)) | UINT64_C(1) << 63);
}

static void make_kernel(struct fl_snapshot *s, const struct choices *c)
{
    bool wide = c->word == 8;
    struct fl_kernel *k = &s->kernel;

    k->word = c->word;
    k->task_size = wide ? TASK_SIZE_64 : TASK_SIZE_32;
    k->guard_gap = c->growth & GUARD ? 0x2e1000 : 0x2e0000;
    k->mmap_min_addr = c->growth & MIN_ADDR ? 0x3f1000 : 0x3f0000;
    k->fault_retry = c->built & RETRIES;
    k->spurious_check = c->built & CHECKS_SPURIOUS;
    k->smap = c->built & KNOWS_SMAP;
    k->no_user_fetch = c->built & NO_USER_FETCH;
    k->pku = c->built & KNOWS_KEYS;
    k->vsyscall_emulation = c->built & EMULATES;
    k->vsyscall = c->built & HAS_PAGE ? VSYSCALL_AT : 0;
    k->f00f_bug = c->built & F00F;
    k->show_unhandled = c->report & SHOW;
    k->oops_may_print = true;
    k->page_offset = wide ? UINT64_C(0xffff810000000000) : TASK_SIZE_32;
    k->vmalloc_start = k->task_size;
    k->vmalloc_end = k->task_size + 0x8000;
    k->text_start = TEXT_AT;
    k->text_end = TEXT_AT + 0x400000;
    k->modules_start = wide ? MODULES_AT : 0;
    k->modules_end = wide ? MODULES_AT + 0x1000000 : 0;
    k->fixaddr_top = wide ? 0 : UINT64_C(0xfffff000);
    k->idt = k->task_size + IDT_OFFSET;
    k->low_frames = 0x38000;
}

static void make_task(struct fl_snapshot *s, const struct choices *c)
{
    uint64_t pages = c->above != ABOVE_NOTHING ? 72 : 64;

    s->task.pid = c->task & INIT ? 1 : 100;
    memcpy(s->task.comm, "cat", 4);
    s->task.has_mm = !(c->task & NO_MM);
    s->task.in_atomic = c->task & ATOMIC;
    s->task.in_nmi = c->task & NMI;
    s->task.faults_disabled = c->task & FAULTS_OFF;
    s->task.kprobe_running = c->kprobe & RUNNING;
    s->task.segv_unhandled = c->report & UNHANDLED;
    s->task.ldt_entries = 2;
    s->task.stack_limit = c->growth & RLIMIT ? 0x2ffff : 0x30000;
    s->task.as_limit = c->growth & AS_LIMIT ? pages * 4096 - 1 : pages * 4096;
}

static uint64_t address(const struct fl_kernel *k, uint8_t layout)
{
    switch (layout) {
    case INSIDE:
    case INSIDE_STACK: return 0x400123;
    case BELOW:
    case BELOW_STACK: return 0x3f0123;
    case NOTHING: return 0x500123;
    case HIGH_NOTHING: return k->word == 8 ? UINT64_C(0x100000123) : 0x500123;
    /* Of these addresses a 32-bit kernel has its own half. */
    case LOW_TEXT: return k->word == 8 ? (uint32_t)TEXT_AT + 0x123 : 0x500123;
    case LOW_MODULES: return k->word == 8 ? (uint32_t)MODULES_AT + 0x123 : 0x500123;
    case KERNEL_ADDRESS: return k->task_size;
    case IDT_BEFORE: return k->idt + 47;
    case IDT_FIRST: return k->idt + 48;
    case IDT_LAST: return k->idt + 55;
    case IDT_AFTER: return k->idt + 56;
    default: break;
    }
    static const int32_t offset[] = {-1, 0, 0x400, 0xc00, 0x401, 0xfff, 0x1000};
    uint64_t at = VSYSCALL_AT + (uint64_t)(int64_t)offset[layout - VSYSCALL_BEFORE];
    return k->word == 8 ? at : (uint32_t)at;
}

static uint16_t selector(const struct choices *c)
{
    unsigned rpl = c->regs == USER ? 3 : 0;
    switch (c->regs == VM86 ? SEL_PLAIN : c->selector) {
    case SEL_USER32: return (uint16_t)(0x20 | rpl);
    case SEL_LDT32: return (uint16_t)(0x04 | rpl);
    case SEL_LDT64: return (uint16_t)(0x0c | rpl);
    case SEL_LDT_OUTSIDE: return (uint16_t)(0x14 | rpl);
    default: return c->regs == USER ? 0x33 : c->regs == VM86 ? 0x1000 : 0x10;
    }
}

static void make_context(struct situation *t, const struct choices *c)
{
    struct fl_snapshot *s = &t->s;
    bool wide = c->word == 8, bits32 = !wide || c->selector == SEL_LDT32 || c->selector == SEL_USER32;

    s->regs.cs = selector(c);
    s->regs.flags = 2u | (c->if_on ? 1u << 9 : 0) | (c->regs == VM86 ? 1u << 17 : 0) | (c->ac ? 1u << 18 : 0);
    s->regs.ip = c->at_ip ? s->cr2 : c->regs != KERNEL ? 0x8048000 : wide ? TEXT_AT : UINT64_C(0xc0100000);
    s->regs.gpr[FL_RSP] = 0x3f0123 + 65536 + UINT64_C(32) * c->word + (c->growth & CUSHION ? 1 : 0);
    s->codeseg = (struct fl_codeseg){.limit = UINT32_MAX, .bits = bits32 ? 32 : 64};
    t->code_at = c->regs == VM86 ? 0x10000 + (s->regs.ip & 0xffff) : bits32 ? (uint32_t)s->regs.ip : s->regs.ip;
    /* Flat code, Intel SDM vol. 3A, 3.4.5: limit 0xfffff, G; D, the second one L as well. */
    t->ldt[0] = UINT64_C(0x00cffb000000ffff);
    t->ldt[1] = UINT64_C(0x00effb000000ffff);
    s->ldt = t->ldt;
    t->extable[0] = (struct fl_extable_entry){s->regs.ip + 1, 0x1111};
    t->extable[1] = (struct fl_extable_entry){s->regs.ip, FIXUP_IP};
    s->extable = t->extable;
    s->nextable = c->extable ? 2 : 1;
}

static void make_vmas(struct situation *t, const struct choices *c)
{
    t->vmas[0] = (struct fl_vma){.start = 0x100000, .end = 0x110000, .generation = 1, .read = true};
    t->vmas[1] = (struct fl_vma){.start = 0x400000, .end = 0x420000, .generation = 2, .pkey = VMA_KEY};
    t->vmas[1].read = c->prot & R;
    t->vmas[1].write = c->prot & WR;
    t->vmas[1].exec = c->prot & X;
    t->vmas[1].growsdown = c->layout == INSIDE_STACK || c->layout == BELOW_STACK;
    t->vmas[2] = (struct fl_vma){.start = 0x420000, .end = 0x428000, .generation = 3, .read = true};
    t->vmas[2].growsdown = c->above == ABOVE_STACK;
    t->s.vmas = t->vmas;
    t->s.nvmas = c->above != ABOVE_NOTHING ? 3 : 2;
}

void situation_make(struct situation *t, const struct choices *c)
{
    static const uint8_t prefetch[] = {0x66, 0x0f, 0x18, 0x06}, other[] = {0x66, 0x8b, 0x06, 0x90};
    struct fl_snapshot *s = &t->s;

    memset(t, 0, sizeof *t);
    s->cpu.mode = c->word == 8 ? FL_MODE_4LEVEL : FL_MODE_PAE;
    s->cpu.vendor = c->bytes == PREFETCH_INTEL ? FL_VENDOR_INTEL : FL_VENDOR_AMD;
    s->cpu.family = c->bytes == PREFETCH_AMD5 ? 5 : c->cpu & AMD_15 ? 15 : 6;
    s->cpu.maxphyaddr = 40;
    s->cpu.cr0 = UINT64_C(1) << 31 | 1u << 16 | 1;
    s->cpu.cr4 = 1u << 5 | (c->cpu & CR4_HAS_SMAP ? 1u << 21 : 0) | (c->cpu & CR4_HAS_PKE ? 1u << 22 : 0);
    s->cpu.efer = (c->word == 8 ? 0x500 : 0) | (c->cpu & NX_ON ? 1u << 11 : 0);
    s->cpu.pkru = c->key == KEY_NO_ACCESS ? 1u << (2 * VMA_KEY) : c->key == KEY_NO_WRITE ? 2u << (2 * VMA_KEY) : 0;
    make_kernel(s, c);
    make_task(s, c);
    make_tables(t, c);
    s->cr2 = address(&s->kernel, c->layout);
    s->error_code = c->code;
    make_context(t, c);
    make_vmas(t, c);

    t->ncode = c->bytes == UNREADABLE ? 2 : sizeof prefetch; /* the opcode's second byte is missing */
    memcpy(t->code, c->bytes == OTHER ? other : prefetch, sizeof prefetch);
    t->no_return = c->no_return;
    s->ctx = t;
    s->byte = read_byte;
    s->read = read_entry;
    s->word = read_word;
    s->symbol = symbol;
    s->file_name = file_name;
    s->kprobe_claims = c->kprobe & CLAIMS;
    s->lock_contended = c->contended;
    s->expand_refused = c->growth & REFUSED;
    s->mm_result[0] = c->mm;
    s->mm_result[1] = c->mm2;
    s->mm_result[2] = c->mm3;
    s->fatal_signal = c->fatal;
    s->yield = c->yield;
    s->ratelimited[FL_LIMIT_SIGNAL] = c->report & LIMITED;
    s->ratelimited[FL_LIMIT_ERRATUM93] = c->warned;
    s->vsyscall_fails = c->vsyscall_fails;
}
