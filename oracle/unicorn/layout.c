/* SPDX-License-Identifier: MIT */
/*
 * Where the processor's fields lie in a saved context. A context is a raw copy of the engine's processor state, whose
 * layout differs by version and build, so every field is found by what it holds after a known cause, and found exactly
 * once; anything else ends the calibration.
 *
 * A search keeps the set of offsets that agreed with every sample so far.
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

struct search {
    const struct engine *e;
    uint8_t *live;  /* one byte per offset */
    unsigned width; /* of the field: 4 or 8 */
};

static bool search_open(struct search *s, const struct engine *e, unsigned width)
{
    s->e = e;
    s->width = width;
    s->live = malloc(e->at.size);
    if (s->live == NULL)
        return false;
    memset(s->live, 1, e->at.size);
    return true;
}

static uint64_t word_at(uc_context *c, size_t at, unsigned width)
{
    return width == 8 ? get64(c, at) : get32(c, at);
}

/* Keeps the offsets where c holds want; with before, where c differs from before just by the bits of want. */
static void search_sample(struct search *s, uc_context *before, uc_context *c, uint64_t want)
{
    for (size_t at = 0; at < s->e->at.size; at++) {
        if (!s->live[at])
            continue;
        if (at % 4 != 0 || at + s->width > s->e->at.size) {
            s->live[at] = 0;
            continue;
        }
        uint64_t got = word_at(c, at, s->width);
        if (before != NULL)
            got ^= word_at(before, at, s->width);
        if (got != want)
            s->live[at] = 0;
    }
}

/* Ends the search: true and *at [OUT] when exactly one offset is left. */
static bool search_close(struct search *s, size_t *at)
{
    size_t found = 0, n = 0;

    for (size_t i = 0; i < s->e->at.size; i++)
        if (s->live[i]) {
            found = i;
            n++;
        }
    free(s->live);
    if (n == 1)
        *at = found;
    return n == 1;
}

/* ---- registers that the API writes
 * ------------------------------------------------------------------------------- */

/* Two values that occur nowhere else, different for each register. */
static uint64_t magic(unsigned which, unsigned round)
{
    return (round == 0 ? 0x1f2e3d4c5b6a7000ull : 0x6a9bc8d7e6f55000ull) + ((uint64_t)which << 4);
}

static bool find_register(struct engine *e, int reg, unsigned which, size_t *at)
{
    struct search s;
    bool ok = search_open(&s, e, 8);

    if (!ok)
        return false;
    for (unsigned round = 0; round < 2; round++) {
        uint64_t v = magic(which, round);
        ok = ok && uc_reg_write(e->uc, reg, &v) == UC_ERR_OK && uc_context_save(e->uc, e->seen) == UC_ERR_OK;
        search_sample(&s, NULL, e->seen, v);
    }
    return search_close(&s, at) && ok;
}

static const char *find_general(struct engine *e)
{
    static const int reg[16] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
                                UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
                                UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
                                UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15};

    for (unsigned i = 0; i < 16; i++) {
        size_t at;
        if (!find_register(e, reg[i], i, &at))
            return "a general register was not found in the context";
        if (i == 0)
            e->at.gpr = at;
        else if (at != e->at.gpr + 8u * i)
            return "the general registers do not lie in encoding order in the context";
    }
    if (!find_register(e, UC_X86_REG_RIP, 16, &e->at.rip))
        return "RIP was not found in the context";
    return NULL;
}

static const char *find_segments(struct engine *e)
{
    size_t fs, gs, stride;

    if (!find_register(e, UC_X86_REG_FS_BASE, 17, &fs) || !find_register(e, UC_X86_REG_GS_BASE, 18, &gs))
        return "the FS or GS base was not found in the context";
    stride = gs - fs;
    if (gs <= fs || stride != 24 || fs < 4 * stride + 8)
        return "the segment registers in the context have an unknown form";
    for (unsigned i = 0; i < SEG_COUNT; i++)
        e->at.seg[i] = fs - 8 + 24 * i - 24 * SEG_FS;

    struct search s;
    bool ok = search_open(&s, e, 8);
    if (!ok)
        return "out of memory";
    for (unsigned round = 0; round < 2; round++) {
        uc_x86_mmr gdtr = {.base = magic(19, round), .limit = 0x1230 + round};
        ok = ok && uc_reg_write(e->uc, UC_X86_REG_GDTR, &gdtr) == UC_ERR_OK &&
             uc_context_save(e->uc, e->seen) == UC_ERR_OK;
        search_sample(&s, NULL, e->seen, gdtr.base);
    }
    if (!search_close(&s, &e->at.gdt_base) || !ok)
        return "the GDT base was not found in the context";
    e->at.gdt_limit = e->at.gdt_base + 8;
    if (get32(e->seen, e->at.gdt_limit) != 0x1231)
        return "the GDT limit was not found in the context";
    return NULL;
}

/* ---- control registers and flags
 * --------------------------------------------------------------------------------- */

static bool set_register(struct engine *e, int reg, uint64_t v)
{
    return uc_reg_write(e->uc, reg, &v) == UC_ERR_OK;
}

static bool set_efer(struct engine *e, uint64_t v)
{
    uc_x86_msr msr = {.rid = 0xc0000080, .value = v};
    return uc_reg_write(e->uc, UC_X86_REG_MSR, &msr) == UC_ERR_OK;
}

static bool get_efer(struct engine *e, uint64_t *v)
{
    uc_x86_msr msr = {.rid = 0xc0000080};
    if (uc_reg_read(e->uc, UC_X86_REG_MSR, &msr) != UC_ERR_OK)
        return false;
    *v = msr.value;
    return true;
}

static const char *find_control(struct engine *e)
{
    struct search s;
    bool ok = true;
    uint64_t efer;

    /* CR2 before CR3: 2.1.1 writes the value to both, so CR3 is then written with another. */
    if (!search_open(&s, e, 8))
        return "out of memory";
    for (unsigned round = 0; round < 2; round++) {
        ok = ok && set_register(e, UC_X86_REG_CR2, magic(20, round)) && set_register(e, UC_X86_REG_CR3, 0x5000) &&
             uc_context_save(e->uc, e->seen) == UC_ERR_OK;
        search_sample(&s, NULL, e->seen, magic(20, round));
    }
    if (!search_close(&s, &e->at.cr2) || !ok)
        return "CR2 was not found in the context";
    if (!find_register(e, UC_X86_REG_CR3, 21, &e->at.cr3))
        return "CR3 was not found in the context";

    if (!search_open(&s, e, 8))
        return "out of memory";
    for (unsigned round = 0; round < 2; round++) {
        uint64_t v = X_CR4_PAE | X_CR4_OSFX | (round ? X_CR4_OSXMM : X_CR4_PSE);
        ok = ok && set_register(e, UC_X86_REG_CR4, v) && uc_context_save(e->uc, e->seen) == UC_ERR_OK;
        search_sample(&s, NULL, e->seen, v);
    }
    if (!search_close(&s, &e->at.cr4) || !ok)
        return "CR4 was not found in the context";
    e->at.cr0 = e->at.cr4 - 32;
    if (e->at.cr3 != e->at.cr4 - 8 || e->at.cr2 != e->at.cr4 - 16)
        return "the control registers do not lie in order in the context";

    /* CR0 without and with TS, and EM: bits 3 and 2 of the register itself, 11 and 10 of the hidden flags. */
    if (!search_open(&s, e, 4))
        return "out of memory";
    for (unsigned round = 0; round < 2; round++) {
        uint64_t base = X_CR0_PE | X_CR0_ET, bit = round == 0 ? X_CR0_TS : X_CR0_EM;
        ok = ok && set_register(e, UC_X86_REG_CR0, base) && uc_context_save(e->uc, e->now) == UC_ERR_OK &&
             set_register(e, UC_X86_REG_CR0, base | bit) && uc_context_save(e->uc, e->seen) == UC_ERR_OK;
        search_sample(&s, e->now, e->seen, round == 0 ? HF_TS : HF_EM);
        ok = ok && get64(e->now, e->at.cr0) == base && get64(e->seen, e->at.cr0) == (base | bit);
    }
    if (!search_close(&s, &e->at.hflags) || !ok)
        return "CR0 or the hidden flags were not found in the context";

    if (!search_open(&s, e, 8))
        return "out of memory";
    ok = set_register(e, UC_X86_REG_EFLAGS, X_FL_FIXED) && uc_context_save(e->uc, e->now) == UC_ERR_OK;
    ok = ok && set_register(e, UC_X86_REG_EFLAGS, X_FL_FIXED | X_FL_AC) && uc_context_save(e->uc, e->seen) == UC_ERR_OK;
    search_sample(&s, e->now, e->seen, X_FL_AC);
    ok = ok && set_register(e, UC_X86_REG_EFLAGS, X_FL_FIXED) && uc_context_save(e->uc, e->now) == UC_ERR_OK;
    search_sample(&s, NULL, e->now, X_FL_FIXED);
    if (!search_close(&s, &e->at.eflags) || !ok)
        return "EFLAGS was not found in the context";

    /* EFER.SCE and then EFER.NXE; read back each time, as the engine drops what its model lacks. */
    if (!search_open(&s, e, 8))
        return "out of memory";
    for (unsigned round = 0; round < 3; round++) {
        uint64_t want = X_EFER_LME | X_EFER_LMA | (round & 1) | (round & 2 ? X_EFER_NXE : 0);
        ok = ok && set_efer(e, want) && get_efer(e, &efer) && efer == want &&
             uc_context_save(e->uc, e->seen) == UC_ERR_OK;
        search_sample(&s, NULL, e->seen, want);
    }
    if (!search_close(&s, &e->at.efer) || !ok)
        return "EFER was not found in the context";
    return NULL;
}

/* ---- what only running code shows
 * -------------------------------------------------------------------------------- */

/* The context that all others start from: own tables, CPL 0, 64-bit code, every protection enabled that needs
 * no flag. */
static void make_pristine(struct engine *e, uc_context *fresh)
{
    uc_context *c = e->pristine;

    memcpy(bytes_of(c), bytes_of(fresh), e->at.size);
    put64(c, e->at.cr0, X_CR0_PG | X_CR0_WP | X_CR0_NE | X_CR0_ET | X_CR0_MP | X_CR0_PE);
    put64(c, e->at.cr2, 0);
    put64(c, e->at.cr3, OWN_BASE + 0x1000ull * OWN_PML4);
    put64(c, e->at.cr4, X_CR4_PAE | X_CR4_PKE | X_CR4_OSFX | X_CR4_OSXMM);
    put64(c, e->at.efer, X_EFER_LME | X_EFER_LMA | X_EFER_NXE);
    put64(c, e->at.eflags, X_FL_FIXED);
    put32(c, e->at.hflags,
          (get32(c, e->at.hflags) & ~(HF_CPL | HF_SMAP | HF_ADDSEG | HF_EM | HF_TS | HF_TF)) | HF_PE | HF_LMA |
              HF_CS64 | HF_CS32 | HF_SS32 | HF_OSFXSR | HF_MP);
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        put64(c, e->at.seg[i] + 8, 0);
        put32(c, e->at.seg[i] + 16, 0xffffffff);
    }
    for (unsigned i = 0; i < 16; i++)
        put64(c, e->at.gpr + 8u * i, 0);
    put64(c, e->at.gdt_base, 0);
    put32(c, e->at.gdt_limit, 0);
}

static const char *find_pkru(struct engine *e)
{
    struct search s;

    if (!search_open(&s, e, 4))
        return "out of memory";
    for (unsigned round = 0; round < 2; round++) {
        uint32_t v = round == 0 ? 0x5a3c96f0 : 0x2d1e7845;
        memcpy(bytes_of(e->now), bytes_of(e->pristine), e->at.size);
        put64(e->now, e->at.gpr + 8 * FL_RAX, v);
        if (uc_probe(e, e->now, slot_address(SLOT_WRPKRU, false)) != 3) {
            free(s.live);
            return "WRPKRU does not work";
        }
        put64(e->seen, e->at.gpr + 8 * FL_RAX, 0); /* the other place that holds the value */
        search_sample(&s, NULL, e->seen, v);
    }
    if (!search_close(&s, &e->at.pkru))
        return "PKRU was not found in the context";
    return NULL;
}

static const char *find_faults(struct engine *e)
{
    /* Page faults whose codes are known from the SDM (vol. 3, 4.7). */
    static const struct {
        uint8_t slot, scratch, cpl;
        uint32_t code;
    } cases[] = {
        {SLOT_LOAD, SC_ABSENT, 0, 0x0},     {SLOT_STORE, SC_ABSENT, 0, 0x2},    {SLOT_STORE, SC_READ_ONLY, 0, 0x3},
        {SLOT_LOAD, SC_ABSENT, 3, 0x4},     {SLOT_LOAD, SC_SUPERVISOR, 3, 0x5}, {SLOT_STORE, SC_ABSENT, 3, 0x6},
        {SLOT_STORE, SC_READ_ONLY, 3, 0x7}, {SLOT_LOAD, SC_RESERVED, 0, 0x9},   {SLOT_STORE, SC_RESERVED, 3, 0xf},
        {SLOT_INT3, SC_ABSENT, 0, 0x10},    {SLOT_INT3, SC_NX, 3, 0x15},        {SLOT_LOAD, SC_PKEY1, 3, 0x25},
        {SLOT_STORE, SC_PKEY1, 0, 0x23},
    };
    struct search code, old, is_int;
    const char *why = "out of memory";

    if (!search_open(&code, e, 4))
        return why;
    if (!search_open(&old, e, 4)) {
        free(code.live);
        return why;
    }
    if (!search_open(&is_int, e, 4)) {
        free(code.live);
        free(old.live);
        return why;
    }
    why = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool fetch = cases[i].slot == SLOT_INT3;
        uc_context *c = e->now;
        memcpy(bytes_of(c), bytes_of(e->pristine), e->at.size);
        put32(c, e->at.hflags, get32(c, e->at.hflags) | cases[i].cpl);
        put64(c, e->at.gpr + 8 * FL_RDI, SCRATCH(cases[i].scratch));
        put32(c, e->at.pkru, 4); /* key 1: access disabled */
        search_sample(&old, NULL, c, 0xffffffff);
        int vector = uc_probe(e, c, fetch ? SCRATCH(cases[i].scratch) : slot_address((enum slot)cases[i].slot, false));
        if (vector != 14)
            why = "a page fault that should happen did not (hidden flags?)";
        search_sample(&code, NULL, e->seen, cases[i].code);
        search_sample(&old, NULL, e->seen, 14);
        search_sample(&is_int, NULL, e->seen, 0);
    }
    /* A second kind of exception, and a software interrupt. */
    memcpy(bytes_of(e->now), bytes_of(e->pristine), e->at.size);
    put32(e->now, e->at.hflags, get32(e->now, e->at.hflags) | 3);
    if (uc_probe(e, e->now, slot_address(SLOT_CLI, false)) != 13)
        why = "CLI at CPL 3 does not raise #GP";
    search_sample(&old, NULL, e->seen, 13);
    search_sample(&is_int, NULL, e->seen, 0);
    if (uc_probe(e, e->pristine, slot_address(SLOT_INT33, false)) != 33)
        why = "INT 33 does not arrive as vector 33";
    search_sample(&is_int, NULL, e->seen, 1);

    bool a = search_close(&code, &e->at.error_code), b = search_close(&old, &e->at.old_exception),
         c = search_close(&is_int, &e->at.is_int);
    if (why == NULL && !a)
        why = "the error code was not found in the context";
    if (why == NULL && !b)
        why = "the pending exception was not found in the context";
    if (why == NULL && !c)
        why = "the software-interrupt mark was not found in the context";
    return why;
}

const char *layout_find(struct engine *e)
{
    const char *why;
    uc_context *fresh = e->fill;

    e->at.size = uc_context_size(e->uc);
    if (e->at.size < 1024 || e->at.size > 1u << 20)
        return "a context has an unknown form";
    if (uc_context_save(e->uc, fresh) != UC_ERR_OK)
        return "uc_context_save failed";
    if ((why = find_general(e)) != NULL || (why = find_segments(e)) != NULL || (why = find_control(e)) != NULL)
        return why;
    make_pristine(e, fresh);
    if ((why = find_pkru(e)) != NULL)
        return why;
    if ((why = find_faults(e)) != NULL)
        return why;
    return fpu_find(e);
}
