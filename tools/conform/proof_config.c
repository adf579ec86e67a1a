/* SPDX-License-Identifier: MIT */
/*
 * The faults that the proof is done for. The bytes are explored, everything else is a number of this list: every kind of
 * code segment, with the end of what may be read before each byte; and every kind of segment on every processor, paging
 * mode and error code that the rule tells apart. What the rule must not look at (registers, CR2, task) is filled with a
 * pattern that differs from one configuration to the next.
 */
#include "proof_internal.h"

#include <string.h>

/* Of a descriptor in the LDT. */
#define LDT_D (UINT64_C(1) << 54)
#define LDT_L (UINT64_C(1) << 53)
#define LDT_G (UINT64_C(1) << 55)

enum place { GDT, LDT, LDT_BEYOND, VM86 };

struct kind {
    const char *words;
    uint8_t word, place;
    uint16_t cs;
    uint8_t bits;   /* GDT: of the cached descriptor. LDT: what its flags come to */
    uint64_t flags; /* LDT */
    uint64_t base;
    uint32_t limit;
    uint64_t ip;
    uint64_t task_size;
};

#define TASK64 UINT64_C(0x00007ffffffff000)
#define TASK32 UINT64_C(0xc0000000)
/* Where a 64-bit kernel ends the addresses of 32-bit tasks. */
#define TASK_COMPAT UINT64_C(0xffffe000)
#define KERNEL64    UINT64_C(0xffffffff81234560)
#define VSYSCALL    UINT64_C(0xffffffffff600000)
#define FLAT        UINT32_MAX

/* Selectors: 3 in the low bits is user mode, bit 2 the LDT. LDT entry 5 of 8 is the one that is filled in; 9 is beyond. */
static const struct kind kinds[] = {
    {"64-bit user code", 8, GDT, 0x33, 64, 0, 0, FLAT, 0x400123, TASK64},
    {"64-bit user code, base and limit set", 8, GDT, 0x33, 64, 0, 0x123, 1, 0x400123, TASK64},
    {"flat 32-bit user code, 64-bit kernel", 8, GDT, 0x23, 32, 0, 0, FLAT, 0x8048123, TASK_COMPAT},
    {"flat 32-bit user code, 32-bit kernel", 4, GDT, 0x73, 32, 0, 0, FLAT, 0x8048123, TASK32},
    {"32-bit user code with a base", 8, GDT, 0x2b, 32, 0, 0x10000, 0x7ffff, 0x1234, TASK_COMPAT},
    {"32-bit user code, junk above ip", 4, GDT, 0x73, 32, 0, 0, FLAT, UINT64_C(0xabcd000008048123), TASK32},
    {"16-bit user code", 8, GDT, 0x3b, 16, 0, 0x20000, 0xffff, 0x1230, TASK_COMPAT},
    {"16-bit user code, ip above 64 KiB", 4, GDT, 0x7b, 16, 0, 0x20000, 0xffff, 0x12341230, TASK32},
    {"64-bit kernel code", 8, GDT, 0x10, 64, 0, 0, FLAT, KERNEL64, TASK64},
    {"flat 32-bit kernel code, 32-bit kernel", 4, GDT, 0x60, 32, 0, 0, FLAT, 0xc0123456, TASK32},
    {"flat 32-bit kernel code, 64-bit kernel", 8, GDT, 0x08, 32, 0, 0, FLAT, 0x81234560, TASK64},
    {"32-bit kernel code with a base", 4, GDT, 0x60, 32, 0, 0xc0000000, 0x7fffff, 0x123456, TASK32},
    {"16-bit kernel code", 4, GDT, 0x90, 16, 0, 0xf0000, 0xffff, 0x1230, TASK32},
    {"code at privilege 1", 4, GDT, 0x61, 32, 0, 0, FLAT, 0xc0123456, TASK32},
    {"code at privilege 2", 8, GDT, 0x32, 64, 0, 0, FLAT, 0x400123, TASK64},
    {"16-bit user code in the LDT", 8, LDT, 0x2f, 16, 0, 0x30000, 0xffff, 0x1230, TASK_COMPAT},
    {"16-bit user code in the LDT, 32-bit kernel", 4, LDT, 0x2f, 16, 0, 0xb0030000, 0xfffff, 0x1230, TASK32},
    {"32-bit user code in the LDT", 8, LDT, 0x2f, 32, LDT_D, 0x12345678, 0xfffff, 0x1234, TASK_COMPAT},
    {"32-bit user code in the LDT, limit in pages", 4, LDT, 0x2f, 32, LDT_D | LDT_G, 0x1000000, 0x1ffffff, 0x123456,
     TASK32},
    {"64-bit user code in the LDT", 8, LDT, 0x2f, 64, LDT_L, 0x1000, 1, 0x400123, TASK64},
    {"L-bit user code in the LDT, 32-bit kernel", 4, LDT, 0x2f, 16, LDT_L, 0x10000, 0xfffff, 0x1230, TASK32},
    {"32-bit kernel code in the LDT", 8, LDT, 0x2c, 32, LDT_D, 0x100000, 0xfffff, 0x1234, TASK64},
    {"64-bit kernel code in the LDT", 8, LDT, 0x2c, 64, LDT_L, 0, 0, KERNEL64, TASK64},
    {"user selector beyond the LDT", 8, LDT_BEYOND, 0x47, 64, 0, 0, FLAT, 0x400123, TASK64},
    {"the last selector of all", 4, LDT_BEYOND, 0xffff, 32, 0, 0, FLAT, 0x8048123, TASK32},
    {"kernel selector beyond the LDT", 4, LDT_BEYOND, 0x44, 32, 0, 0, FLAT, 0xc0123456, TASK32},
    {"virtual-8086 code", 4, VM86, 0x0123, 16, 0, 0x1230, 0xffff, 0x1230, TASK32},
    {"virtual-8086 code, a selector like one of the LDT", 4, VM86, 0xf00c, 16, 0, 0xf00c0, 0xffff, 0x1230, TASK32},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* Where something ends or goes on elsewhere, `at` bytes from ip on. */
enum cut { CUT_NONE, CUT_LIMIT, CUT_TASK, CUT_INTO_VSYSCALL, CUT_OUT_OF_VSYSCALL, CUT_WRAP, CUT_IP16, CUT_COUNT };

static bool user_mode(const struct kind *k)
{
    return k->place == VM86 || (k->cs & 3) == 3;
}

/* Before which byte the end may lie: before each, where it ends what may be read; where the addresses only go on
 * elsewhere, before a few. */
static const uint8_t everywhere[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                     here_and_there[] = {1, 2, 8, 14};

static const uint8_t *positions(unsigned cut, unsigned *n)
{
    bool few = cut == CUT_WRAP || cut == CUT_IP16;

    *n = few ? sizeof here_and_there : sizeof everywhere;
    return few ? here_and_there : everywhere;
}

static bool applies(const struct kind *k, unsigned cut)
{
    if (k->place == LDT_BEYOND)
        return cut == CUT_NONE;
    switch (cut) {
    case CUT_LIMIT: return k->bits != 64;
    case CUT_TASK: return user_mode(k);
    case CUT_INTO_VSYSCALL:
    case CUT_OUT_OF_VSYSCALL: return k->word == 8 && k->bits == 64 && !user_mode(k);
    case CUT_WRAP:
        /* For others than 64-bit code this takes a base, and a 64-bit kernel, whose user space goes beyond 4 GiB. */
        if (k->bits == 64)
            return !user_mode(k);
        return k->place != VM86 && k->limit != FLAT && !(k->flags & LDT_L);
    case CUT_IP16: return k->bits == 16 && k->place != VM86;
    default: return true;
    }
}

/* ---- processors ---- */

static const struct {
    const char *words;
    uint8_t vendor, family;
} processors[] = {
    {"AMD family 15", FL_VENDOR_AMD, 15},   {"AMD family 6", FL_VENDOR_AMD, 6},
    {"AMD family 25", FL_VENDOR_AMD, 25},   {"AMD family 5", FL_VENDOR_AMD, 5},
    {"Intel family 6", FL_VENDOR_INTEL, 6}, {"Intel family 15", FL_VENDOR_INTEL, 15},
};
#define PROCESSORS (sizeof processors / sizeof *processors)

/* Without and with I/D (0x10); the others are P, W, U, RSVD, PK, SS and one that nobody knows. */
static const uint64_t codes[] = {0x04, 0x8000006f, 0x10, 0x15};
#define CODES (sizeof codes / sizeof *codes)

/* Two paging modes for each word size. Each meets each processor and each code, in turns. */
#define MODES 2u

/* ---- the list: first each kind on each machine, then each kind with each end ---- */

struct choice {
    const struct kind *kind;
    unsigned cut, at, processor, code, mode;
};

#define WHOLE (KINDS * PROCESSORS * CODES)

/* Goes through those with an end until *index is used up; answers how many there are otherwise. */
static unsigned choose_end(unsigned index, struct choice *c)
{
    unsigned total = 0;

    for (c->kind = kinds; c->kind < kinds + KINDS; c->kind++)
        for (c->cut = CUT_LIMIT; c->cut < CUT_COUNT; c->cut++) {
            unsigned n;
            const uint8_t *at = positions(c->cut, &n);

            if (!applies(c->kind, c->cut))
                continue;
            if (index - total < n) {
                c->at = at[index - total];
                return index;
            }
            total += n;
        }
    return total;
}

unsigned config_count(void)
{
    struct choice none;

    return WHOLE + choose_end(UINT32_MAX, &none);
}

static struct choice choose(unsigned index)
{
    struct choice c = {0};

    if (index < WHOLE) {
        c.kind = &kinds[index % KINDS];
        c.code = index / KINDS % CODES;
        c.processor = index / KINDS / CODES;
        c.mode = (c.processor + c.code) % MODES;
    } else {
        choose_end(index - WHOLE, &c);
    }
    return c;
}

/* ---- the fault of a choice ---- */

static uint64_t descriptor(uint64_t base, uint32_t limit, uint64_t flags)
{
    uint64_t in_units = flags & LDT_G ? limit >> 12 : limit;

    /* 0xfa: present, privilege 3, code, readable (Intel SDM vol. 3A, 3.4.5). */
    return (in_units & 0xffff) | (base & 0xffffff) << 16 | UINT64_C(0xfa) << 40 | (in_units >> 16 & 0xf) << 48 | flags |
           (base >> 24 & 0xff) << 56;
}

/* The kind with its end moved. */
static struct kind cut(const struct choice *c)
{
    struct kind k = *c->kind;
    uint64_t junk = k.bits == 16 ? k.ip & ~UINT64_C(0xffff) : k.bits == 32 ? k.ip & ~(uint64_t)UINT32_MAX : 0;

    switch (c->cut) {
    case CUT_LIMIT:
        if (k.place == VM86 || k.flags & LDT_G) {
            /* The limit stays. No 16-bit ip lies behind a limit of 64 KiB: that one is left out. */
            unsigned at = k.place == VM86 && c->at == 0 ? 1 : c->at;

            k.ip = junk | ((uint64_t)k.limit + 1 - at);
        } else {
            k.limit = (uint32_t)(k.ip - junk + c->at - 1);
        }
        break;
    case CUT_TASK:
        if (k.place == VM86)
            k.task_size = (k.base & ~UINT64_C(0xfff)) + 0x4000;
        else if (k.bits == 16)
            k.base = k.task_size - 0x4000;
        k.ip = junk | (k.task_size - c->at - (k.bits == 64 ? 0 : k.base));
        if (k.bits == 32 && k.limit != FLAT)
            k.limit = UINT32_C(0xffffefff), k.flags |= k.place == LDT ? LDT_G : 0;
        break;
    case CUT_INTO_VSYSCALL: k.ip = VSYSCALL - c->at; break;
    case CUT_OUT_OF_VSYSCALL: k.ip = VSYSCALL + 0x1000 - c->at; break;
    case CUT_WRAP:
        /* Behind the last address comes address 0. */
        if (k.bits == 64) {
            k.ip = -(uint64_t)c->at;
        } else {
            k.task_size = TASK64;
            k.word = 8;
            k.base = 0x100000000 - 0x1000;
            k.ip = junk | (0x1000 - c->at);
        }
        break;
    case CUT_IP16:
        k.limit = 0xfffff;
        k.ip = junk | ((0x10000 - c->at) & 0xffff);
        break;
    default: break;
    }
    return k;
}

static uint64_t pattern(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state ^ *state >> 29;
}

/* What no decoder may look at. */
static void fill(struct fl_fault *f, uint64_t seed)
{
    for (unsigned i = 0; i < FL_GPR_COUNT; i++)
        f->regs.gpr[i] = pattern(&seed);
    f->cr2 = pattern(&seed);
    f->regs.ss = (uint16_t)pattern(&seed);
    f->regs.ds = (uint16_t)pattern(&seed);
    f->regs.es = (uint16_t)pattern(&seed);
    f->regs.fs_base = pattern(&seed);
    f->regs.gs_base = pattern(&seed);
    f->cpu.cr3 = pattern(&seed) & ~UINT64_C(0xfff);
    f->task.pid = (uint32_t)pattern(&seed);
    f->task.uid = (uint32_t)pattern(&seed);
    f->task.has_mm = pattern(&seed) & 1;
    f->task.in_atomic = pattern(&seed) & 1;
    f->task.faults_disabled = pattern(&seed) & 1;
}

/* Answers of a world that the prefetch rule does not ask for. */
static bool no_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    (void)ctx, (void)linear, (void)user, (void)byte;
    return false;
}
static bool no_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    (void)ctx, (void)paddr, (void)size, (void)value;
    return false;
}
static bool no_word(void *ctx, uint64_t addr, uint64_t *value)
{
    (void)ctx, (void)addr, (void)value;
    return false;
}
static bool no_symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    (void)ctx, (void)ip, (void)buf, (void)size;
    return false;
}
static void no_file(void *ctx, uint8_t file, char *buf, size_t size)
{
    (void)ctx, (void)file;
    if (size)
        *buf = 0;
}

static void say(struct config *c, const struct choice *choice, const struct kind *k)
{
    static const char *const ends[CUT_COUNT] = {
        [CUT_NONE] = "",
        [CUT_LIMIT] = ", segment ends",
        [CUT_TASK] = ", user space ends",
        [CUT_INTO_VSYSCALL] = ", vsyscall page begins",
        [CUT_OUT_OF_VSYSCALL] = ", vsyscall page ends",
        [CUT_WRAP] = ", addresses wrap",
        [CUT_IP16] = ", offset 64 KiB is",
    };
    int n = snprintf(c->words, sizeof c->words, "%s%s", k->words, ends[choice->cut]);

    if (choice->cut != CUT_NONE)
        n += snprintf(c->words + n, sizeof c->words - (size_t)n, " %u byte%s from ip", choice->at,
                      choice->at == 1 ? "" : "s");
    snprintf(c->words + n, sizeof c->words - (size_t)n, "; %s, code %#llx, %s accessor",
             processors[choice->processor].words, (unsigned long long)c->fault.error_code,
             c->window.user ? "user" : "kernel");
}

void config_make(unsigned index, struct config *c)
{
    static const uint8_t modes[2][MODES] = {{FL_MODE_2LEVEL, FL_MODE_PAE}, {FL_MODE_4LEVEL, FL_MODE_5LEVEL}};
    struct choice choice = choose(index);
    struct kind k = cut(&choice);
    struct fl_fault *f = &c->fault;
    struct fl_snapshot *s = &c->snapshot;

    memset(c, 0, sizeof *c);
    fill(f, index + 1);
    f->cpu.mode = modes[k.word == 8][choice.mode];
    f->cpu.vendor = processors[choice.processor].vendor;
    f->cpu.family = processors[choice.processor].family;
    f->cpu.maxphyaddr = 40;
    f->error_code = codes[choice.code];
    f->kernel.word = k.word;
    f->kernel.task_size = k.task_size;
    f->kernel.vsyscall = k.word == 8 ? VSYSCALL : 0;
    f->regs.ip = k.ip;
    f->regs.cs = k.cs;
    f->regs.flags = 0x202 | (k.place == VM86 ? UINT64_C(1) << 17 : 0); /* RFLAGS.VM: Intel SDM vol. 1, 3.4.3 */
    f->task.ldt_entries = CONFIG_LDT;
    /* What the processor has cached is of no use where the selector or the mode says otherwise. */
    f->codeseg = (struct fl_codeseg){.base = 0xdead0000, .limit = 3, .bits = k.bits == 64 ? 32 : 64};
    if (k.place == GDT)
        f->codeseg = (struct fl_codeseg){.base = k.base, .limit = k.limit, .bits = k.bits};
    for (unsigned i = 0; i < CONFIG_LDT; i++)
        c->ldt[i] = descriptor(0x77000000, 5, i & 1 ? LDT_D : 0);
    if (k.place == LDT)
        c->ldt[k.cs >> 3] = descriptor(k.base, k.limit, k.flags);

    s->cpu = f->cpu;
    s->kernel = f->kernel;
    s->task = f->task;
    s->codeseg = f->codeseg;
    s->regs = f->regs;
    s->cr2 = f->cr2;
    s->error_code = f->error_code;
    s->ldt = c->ldt;
    s->byte = no_byte;
    s->read = no_entry;
    s->word = no_word;
    s->symbol = no_symbol;
    s->file_name = no_file;
    if (fl_policy_code_window(s, &c->window) != FL_OK)
        c->window = (struct fl_code_window){0};
    for (unsigned state = 0; state < FL_RULE_STATE_COUNT; state++)
        for (unsigned byte = 0; byte < 256; byte++)
            c->step[state][byte] = (uint8_t)fl_prefetch_step((enum fl_rule_state)state, (uint8_t)byte, c->window.bits);
    say(c, &choice, &k);
}
