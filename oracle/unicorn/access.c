/* SPDX-License-Identifier: MIT */
/*
 * One access under the case's tables.
 *
 * The instruction must be fetched, but the case's tables know nothing of the executor's code, and writing an entry into
 * them would change the case. So the engine starts in its own tables, with the privilege of the case, on an int3: that
 * brings the translation of the code page into the empty TLB. The interrupt hook then restores the case's context, which
 * flushes nothing, and the instruction (on the same page) is found through the TLB. Its data access is the first and
 * only walk of the case's tables. The code page has two linear addresses, so that one is never on the accessed page.
 *
 * A fetch needs no code: it starts at the address itself and is stopped as soon as its first byte has been translated.
 *
 * An implicit supervisor access is the descriptor read of VERR at CPL 3, with the GDT laid so that the descriptor lies
 * at the address.
 */
#include "engine.h"

static enum fl_exec_status refuse(struct fl_exec_result *out, enum fl_exec_status status, const char *reason)
{
    out->reason = reason;
    return status;
}

/* What happened, in the contract's terms. */
static enum fl_exec_status conclude(struct engine *e, struct fl_exec_result *out)
{
    if (e->broken != NULL)
        return refuse(out, FL_EXEC_BROKEN, e->broken);
    if (e->phase == PHASE_FILL)
        return refuse(out, FL_EXEC_BROKEN, "the executor's own code did not run");
    if (e->bus || (e->touched && e->paddr >= e->ram.size)) {
        out->end = FL_END_BUS;
        out->has_paddr = e->touched;
        out->paddr = e->touched ? e->paddr : 0;
        return FL_EXEC_OK;
    }
    switch (e->vector) {
    case 14:
        if (e->touched && e->phase != PHASE_ACCESS)
            return refuse(out, FL_EXEC_BROKEN, "a page fault after the access was made");
        out->end = FL_END_FAULT;
        out->faults = 1;
        out->cr2 = get64(e->seen, e->at.cr2);
        out->error_code = get32(e->seen, e->at.error_code);
        return FL_EXEC_OK;
    case -1:
        if (e->phase != PHASE_FETCH || !e->touched)
            return refuse(out, FL_EXEC_BROKEN, "neither the access nor an exception was seen");
        break;
    case 3:
        if (e->phase == PHASE_FETCH)
            return refuse(out, FL_EXEC_UNSUPPORTED, "a fetch from the executor's own frames");
        if (!e->touched)
            return refuse(out, FL_EXEC_BROKEN, "the instruction ended without its access");
        break;
    case 8: return refuse(out, FL_EXEC_BROKEN, "double fault");
    default:
        out->end = FL_END_EXCEPTION;
        out->vector = (uint8_t)e->vector;
        return FL_EXEC_OK;
    }
    out->end = FL_END_DONE;
    out->has_paddr = true;
    out->paddr = e->paddr;
    return FL_EXEC_OK;
}

static void clear_result(struct fl_exec_result *out)
{
    out->end = FL_END_DONE;
    out->vector = 0;
    out->faults = 0;
    out->cr2 = out->paddr = 0;
    out->error_code = 0;
    out->has_paddr = out->stores_lost = false;
    out->nstores = 0;
    out->reason = NULL;
}

enum fl_exec_status unicorn_access(struct fl_executor *ex, const struct fl_cpu *cpu, const struct fl_access *access,
                                   struct fl_exec_result *out)
{
    struct engine *e = (struct engine *)ex;
    bool long_mode = cpu->mode == FL_MODE_4LEVEL || cpu->mode == FL_MODE_5LEVEL;
    uint64_t va = access->va, page = va >> 12;
    const char *why;

    clear_result(out);
    if ((why = cpu_unsupported(cpu)) != NULL)
        return refuse(out, FL_EXEC_UNSUPPORTED, why);
    if (!long_mode && va >> 32 != 0)
        return refuse(out, FL_EXEC_UNSUPPORTED, "an address beyond 32 bits in a 32-bit mode");
    if (access->priv == FL_IMPLICIT) {
        if (access->kind != FL_READ)
            return refuse(out, FL_EXEC_UNSUPPORTED, "implicit supervisor accesses other than reads");
        if ((va & 0xfff) > 0xff8)
            return refuse(out, FL_EXEC_UNSUPPORTED, "an implicit access in the last bytes of a page");
    }

    unsigned cpl = access->priv == FL_SUPERVISOR ? 0 : 3;
    uint64_t flags = X_FL_FIXED | (access->ac ? X_FL_AC : 0);
    context_set_cpu(e, e->now, cpu, long_mode ? 64 : 32, cpl);
    put64(e->now, e->at.eflags, flags);

    if (access->kind == FL_FETCH) {
        if (!code_make_room(e))
            return refuse(out, FL_EXEC_BROKEN, "cannot empty the code buffer");
        e->translated += FETCH_BYTES;
        code_drop_all(e); /* a block kept from a run would be run instead of being fetched */
        e->phase = PHASE_FETCH;
        if (uc_context_restore(e->uc, e->now) != UC_ERR_OK || uc_ctl_flush_tlb(e->uc) != UC_ERR_OK)
            return refuse(out, FL_EXEC_BROKEN, "cannot restore the context");
        uc_go(e, va);
        return conclude(e, out);
    }

    bool b = page == CODE_A >> 12;
    enum slot slot = access->kind == FL_WRITE ? SLOT_STORE : SLOT_LOAD;
    if (access->priv == FL_IMPLICIT) {
        slot = SLOT_VERR;
        put64(e->now, e->at.gdt_base, va - 8);
        put32(e->now, e->at.gdt_limit, 15);
        put64(e->now, e->at.gpr + 8 * FL_RCX, 8 | 3);
    }
    put64(e->now, e->at.gpr + 8 * FL_RDI, va);
    put64(e->now, e->at.rip, slot_address(slot, b));

    /* The TLB that is filled is chosen by CPL, SMAP and AC. */
    put32(e->fill, e->at.hflags,
          (get32(e->pristine, e->at.hflags) & ~(HF_CPL | HF_SMAP)) |
              (get32(e->now, e->at.hflags) & (HF_CPL | HF_SMAP)));
    put64(e->fill, e->at.eflags, flags);
    e->phase = PHASE_FILL;
    if (uc_context_restore(e->uc, e->fill) != UC_ERR_OK || uc_ctl_flush_tlb(e->uc) != UC_ERR_OK)
        return refuse(out, FL_EXEC_BROKEN, "cannot restore the context");
    uc_go(e, slot_address(SLOT_INT3, b));
    if (e->wrote)
        e->ram.base[e->paddr] = e->old_byte;
    return conclude(e, out);
}
