/* SPDX-License-Identifier: MIT */
/* What a page-fault error code says of the access that raised it, and whether these tables can raise it. */
#include <faultline/oracle/arch.h>

#include "bits.h"

/* Can an access of this kind and privilege raise just this fault? */
static enum fl_status raises(const struct fl_cpu *cpu, const struct fl_access *access, uint64_t error_code,
                             fl_read_fn read, void *ctx, bool *answer)
{
    struct fl_arch_result r;
    enum fl_status status = fl_arch_walk(cpu, access, read, ctx, &r);

    if (status == FL_OK)
        *answer = r.kind == FL_ARCH_PF && r.error_code == error_code;
    return status;
}

struct fl_access fl_arch_access_of(uint64_t cr2, uint64_t error_code, bool ac)
{
    struct fl_access a = {.va = cr2, .kind = FL_READ, .priv = FL_SUPERVISOR, .ac = ac};

    if (error_code & ERR_ID)
        a.kind = FL_FETCH;
    else if (error_code & ERR_WR)
        a.kind = FL_WRITE;
    if (error_code & ERR_US)
        a.priv = FL_USER;
    return a;
}

enum fl_status fl_arch_label(const struct fl_cpu *cpu, uint64_t cr2, uint64_t error_code, bool ac, fl_read_fn read,
                             void *ctx, enum fl_label *label)
{
    struct fl_access a = fl_arch_access_of(cr2, error_code, ac);
    bool fetch_too = a.kind == FL_READ;    /* without NX and SMEP a fetch leaves the code of a read: SDM 4.7 */
    bool implicit_too = a.priv != FL_USER; /* SMAP asks more of an implicit access, and the code has no bit for it */
    bool found = false;
    enum fl_status status;

    if (!label)
        return FL_INVALID;
    status = raises(cpu, &a, error_code, read, ctx, &found);
    if (status == FL_OK && !found && implicit_too) {
        struct fl_access implicit = a;

        implicit.priv = FL_IMPLICIT;
        status = raises(cpu, &implicit, error_code, read, ctx, &found);
    }
    if (status == FL_OK && !found && fetch_too) {
        a.kind = FL_FETCH;
        status = raises(cpu, &a, error_code, read, ctx, &found);
    }
    if (status != FL_OK)
        return status;
    /* CR2 holds a linear address, and those have 32 bits outside IA-32e mode. */
    if (cpu->mode <= FL_MODE_PAE && cr2 >> 32)
        found = false;
    *label = found ? FL_LABEL_CONSISTENT : FL_LABEL_IMPOSSIBLE;
    return FL_OK;
}

const char *fl_arch_kind_name(enum fl_arch_kind kind)
{
    switch (kind) {
    case FL_ARCH_OK: return "ok";
    case FL_ARCH_PF: return "pf";
    case FL_ARCH_GP: return "gp";
    case FL_ARCH_BUS: return "bus";
    case FL_ARCH_KIND_COUNT: break;
    }
    return "?";
}
