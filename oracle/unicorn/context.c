/* SPDX-License-Identifier: MIT */
/* Writes the processor of a case into a saved context. */
#include "engine.h"

const char *cpu_unsupported(const struct fl_cpu *cpu)
{
    bool long_mode = cpu->mode == FL_MODE_4LEVEL || cpu->mode == FL_MODE_5LEVEL;
    bool legacy_small = cpu->mode == FL_MODE_2LEVEL && !(cpu->cr4 & X_CR4_PSE);

    if (!(cpu->cr0 & X_CR0_PG))
        return "paging is off";
    /* Two-level tables without large pages hold no address bit above 31. */
    if (cpu->maxphyaddr != UC_PHYS_BITS && !legacy_small)
        return "maxphyaddr";
    if (cpu->mode == FL_MODE_2LEVEL && !legacy_small && !cpu->pse36)
        return "a processor without PSE-36";
    if (long_mode && !cpu->page1gb)
        return "a processor without 1 GiB pages";
    if (long_mode && (cpu->cr4 & X_CR4_PKS))
        return "supervisor protection keys";
    if (long_mode && cpu->cr3 >> UC_PHYS_BITS != 0)
        return "CR3 beyond the physical address width";
    if (cpu->cr3 - OWN_BASE < OWN_SIZE)
        return "CR3 in the executor's own frames";
    return NULL;
}

void context_set_cpu(struct engine *e, uc_context *c, const struct fl_cpu *cpu, unsigned bits, unsigned cpl)
{
    uint32_t hflags = get32(e->pristine, e->at.hflags) & ~(HF_CPL | HF_LMA | HF_CS64 | HF_CS32 | HF_SS32 | HF_SMAP);
    uint64_t cr3 = cpu->cr3, efer = cpu->efer & X_EFER_NXE;
    uint64_t cr4 = (cpu->cr4 | X_CR4_OSFX | X_CR4_OSXMM) & ~(X_CR4_PAE | X_CR4_LA57);

    if (cpu->mode == FL_MODE_2LEVEL || cpu->mode == FL_MODE_PAE) {
        cr3 = (uint32_t)cr3;
    } else {
        efer |= X_EFER_LME | X_EFER_LMA;
        hflags |= HF_LMA;
    }
    if (cpu->mode != FL_MODE_2LEVEL)
        cr4 |= X_CR4_PAE;
    if (cpu->mode == FL_MODE_5LEVEL)
        cr4 |= X_CR4_LA57;
    if (bits == 64)
        hflags |= HF_CS64 | HF_CS32 | HF_SS32;
    else if (bits == 32)
        hflags |= HF_CS32 | HF_SS32;
    else
        hflags |= HF_ADDSEG;
    if (cr4 & X_CR4_SMAP)
        hflags |= HF_SMAP;
    put32(c, e->at.hflags, hflags | cpl);
    put64(c, e->at.cr0, (cpu->cr0 & X_CR0_WP) | X_CR0_PG | X_CR0_NE | X_CR0_ET | X_CR0_MP | X_CR0_PE);
    put64(c, e->at.cr3, cr3);
    put64(c, e->at.cr4, cr4);
    put64(c, e->at.efer, efer);
    put32(c, e->at.pkru, cpu->pkru);
}
