/* SPDX-License-Identifier: MIT */
/* Proves by behaviour that the context is understood: each field that a case sets is set both ways, and the
 * engine must act on it. Anything else fails the opening. */
#include "engine.h"

#include <string.h>

static uc_context *fresh(struct engine *e)
{
    memcpy(bytes_of(e->now), bytes_of(e->pristine), e->at.size);
    return e->now;
}

static uint32_t seen_code(struct engine *e)
{
    return get32(e->seen, e->at.error_code);
}

static int load(struct engine *e, uc_context *c, enum scratch page)
{
    put64(c, e->at.gpr + 8 * FL_RDI, SCRATCH(page));
    return uc_probe(e, c, slot_address(SLOT_LOAD, false));
}

static const char *prove_privilege(struct engine *e)
{
    uc_context *c = fresh(e);

    if (uc_probe(e, c, slot_address(SLOT_CLI, false)) != 3)
        return "CLI at CPL 0 does not complete";
    put32(c, e->at.hflags, get32(c, e->at.hflags) | 3);
    if (uc_probe(e, c, slot_address(SLOT_CLI, true)) != 13)
        return "CLI at CPL 3 does not raise #GP";
    if (load(e, c, SC_SUPERVISOR) != 14 || seen_code(e) != 5 || get64(e->seen, e->at.cr2) != SCRATCH(SC_SUPERVISOR))
        return "a user read of a supervisor page does not fault with code 5";

    c = fresh(e);
    if (load(e, c, SC_PLAIN) != 3 || !e->touched || e->paddr != OWN_BASE + 0x1000ull * OWN_SCRATCH)
        return "memory hooks do not tell the physical address";
    put32(c, e->at.hflags, get32(c, e->at.hflags) | HF_SMAP);
    if (load(e, c, SC_PLAIN) != 14 || seen_code(e) != 1)
        return "SMAP does not act";
    put64(c, e->at.eflags, X_FL_FIXED | X_FL_AC);
    if (load(e, c, SC_PLAIN) != 3)
        return "RFLAGS.AC does not suspend SMAP";
    return NULL;
}

static const char *prove_control(struct engine *e)
{
    uc_context *c = fresh(e);
    uc_x86_msr msr = {.rid = 0xc0000080};

    put64(c, e->at.cr4, get64(c, e->at.cr4) | X_CR4_SMEP);
    if (uc_probe(e, c, SCRATCH(SC_PLAIN)) != 14 || seen_code(e) != 0x11)
        return "SMEP does not act";
    c = fresh(e);
    put64(c, e->at.cr0, get64(c, e->at.cr0) & ~X_CR0_WP);
    put64(c, e->at.gpr + 8 * FL_RDI, SCRATCH(SC_READ_ONLY));
    if (uc_probe(e, c, slot_address(SLOT_STORE, false)) == 14 || !e->bus)
        return "CR0.WP does not act";
    c = fresh(e);
    put64(c, e->at.efer, X_EFER_LME | X_EFER_LMA);
    if (load(e, c, SC_NX) != 14 || seen_code(e) != 9)
        return "EFER.NXE does not act";
    if (uc_reg_read(e->uc, UC_X86_REG_MSR, &msr) != UC_ERR_OK || msr.value != (X_EFER_LME | X_EFER_LMA))
        return "EFER does not read back";
    c = fresh(e);
    put32(c, e->at.hflags, get32(c, e->at.hflags) | 3);
    put32(c, e->at.pkru, 4);
    if (load(e, c, SC_PKEY1) != 14 || seen_code(e) != 0x25)
        return "PKRU does not act";
    put32(c, e->at.pkru, 0);
    if (load(e, c, SC_PKEY1) != 3)
        return "PKRU does not act";
    c = fresh(e);
    put64(c, e->at.cr3, OWN_BASE + OWN_SIZE);
    uc_probe(e, c, slot_address(SLOT_NOPS, false));
    if (!e->bus)
        return "a table outside memory goes unnoticed";
    return NULL;
}

static const char *prove_code(struct engine *e)
{
    uc_context *c = fresh(e);
    uint64_t at = slot_address(SLOT_NOPS, false), flags = 0;
    /* Hidden flags of the three widths, and what SLOT_WIDTH then leaves in EAX and ECX. */
    static const struct {
        uint32_t hflags;
        uint64_t rax, rcx;
    } width[] = {{HF_CS64 | HF_CS32 | HF_SS32, 0, 0x90900001}, {HF_CS32 | HF_SS32, 1, 0x90900001}, {HF_ADDSEG, 1, 1}};

    put32(c, e->at.hflags, get32(c, e->at.hflags) | HF_TF);
    if (uc_probe(e, c, at) != 1 || get64(e->seen, e->at.rip) != at + 1 || get32(e->seen, e->at.is_int) != 0)
        return "the hidden trap flag does not end a block after one instruction";
    if (uc_reg_read(e->uc, UC_X86_REG_EFLAGS, &flags) != UC_ERR_OK || (flags & X_FL_TF) != 0)
        return "the hidden trap flag shows in RFLAGS";
    for (size_t i = 0; i < sizeof width / sizeof width[0]; i++) {
        c = fresh(e);
        put32(c, e->at.hflags, (get32(c, e->at.hflags) & ~(HF_CS64 | HF_CS32 | HF_SS32 | HF_ADDSEG)) | width[i].hflags);
        if (uc_probe(e, c, slot_address(SLOT_WIDTH, false)) != 3 ||
            get64(e->seen, e->at.gpr + 8 * FL_RAX) != width[i].rax ||
            get64(e->seen, e->at.gpr + 8 * FL_RCX) != width[i].rcx)
            return "code of 16, 32 or 64 bits is not run as such";
    }
    c = fresh(e);
    put32(c, e->at.seg[SEG_CS], 0x1233);
    if (uc_probe(e, c, slot_address(SLOT_MOV_CS, false)) != 3 || get64(e->seen, e->at.gpr + 8 * FL_RAX) != 0x1233)
        return "the CS selector is not where it should be";
    return NULL;
}

const char *prove(struct engine *e)
{
    const char *why;

    if ((why = prove_privilege(e)) != NULL || (why = prove_control(e)) != NULL || (why = prove_code(e)) != NULL)
        return why;
    memcpy(bytes_of(e->now), bytes_of(e->pristine), e->at.size);
    memcpy(bytes_of(e->fill), bytes_of(e->pristine), e->at.size);
    return NULL;
}
