/* SPDX-License-Identifier: MIT */
/*
 * The texts are those of the kernels (an interface: people and programs search logs for them): arch/x86/mm/fault_32.c
 * and fault_64.c of 2008, the name of the VMA from mm/memory.c of 2008, the symbol from arch/x86/kernel/traps_64.c of
 * 2008, the poisoned page from arch/x86/mm/fault.c of 2009. "<n>" is the level. Where a kernel of 2008 writes a line in
 * pieces, the pieces are put together here; the bytes are the same.
 */
#include "report.h"

#include "report_tables.h"
#include "text.h"
#include "x86.h"

#define NAME_SIZE 256 /* NAME_MAX and the zero; a symbol with its module is shorter */

static bool is_64bit(const struct fl_fault *fault)
{
    return fault->kernel.word == 8;
}

/* A value as a register or an unsigned long of that kernel has it. */
static uint64_t word(const struct fl_fault *fault, uint64_t value)
{
    return is_64bit(fault) ? value : (uint32_t)value;
}

/* Addresses in the segfault line: 32-bit kernels fill them up with zeros. */
static void put_address(struct text *t, const struct fl_fault *fault, uint64_t value)
{
    core_text_hex(t, word(fault, value), is_64bit(fault) ? 1 : 8);
}

static void put_comm(struct text *t, const struct fl_fault *fault)
{
    core_text_bounded(t, fault->task.comm, FL_COMM);
}

/* The mapped file that ip is in. False: none, or it cannot be found out now: the lock sleeps, so not in atomic context,
 * and it may be what this thread already waits for. */
static bool file_at_ip(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, struct fl_vma *vma)
{
    bool found;

    if (!fault->task.has_mm || fault->task.in_atomic || fault->task.in_nmi || !ops->lock_try(ctx))
        return false;
    found = ops->vma_find(ctx, fault->regs.ip, vma);
    ops->lock_drop(ctx);
    /* A kernel of 2008 names the next VMA above as well, when ip is in a hole. */
    return found && vma->start <= fault->regs.ip && vma->backing == FL_BACK_FILE;
}

void core_report_segfault(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx, uint64_t error_code)
{
    struct text t;
    struct fl_vma vma;

    core_text_begin(&t, ops, ctx);
    core_text_bytes(&t, (int32_t)fault->task.pid > 1 ? "<6>" : "<0>", 3);
    put_comm(&t, fault);
    core_text_string(&t, "[");
    core_text_decimal(&t, (int32_t)fault->task.pid);
    core_text_string(&t, "]");
    core_text_string(&t, ": segfault at ");
    put_address(&t, fault, fault->cr2);
    core_text_string(&t, " ip ");
    put_address(&t, fault, fault->regs.ip);
    core_text_string(&t, " sp ");
    put_address(&t, fault, fault->regs.gpr[FL_RSP]);
    core_text_string(&t, " error ");
    core_text_hex(&t, word(fault, error_code), 1);
    if (is_64bit(fault) && file_at_ip(fault, ops, ctx, &vma)) {
        char name[NAME_SIZE] = "";

        ops->file_name(ctx, vma.file, name, sizeof name);
        core_text_string(&t, " in ");
        core_text_bounded(&t, name, sizeof name);
        core_text_string(&t, "[");
        put_address(&t, fault, vma.start);
        core_text_string(&t, "+");
        put_address(&t, fault, vma.end - vma.start);
        core_text_string(&t, "]");
    }
    core_text_string(&t, "\n");
    core_text_end(&t);
}

static void put_symbol(struct text *t, uint64_t ip)
{
    char name[NAME_SIZE] = "";

    core_text_string(t, " [<");
    core_text_hex(t, ip, 16);
    core_text_string(t, ">]");
    if (t->ops->symbol(t->ctx, ip, name, sizeof name)) {
        core_text_string(t, " ");
        core_text_bounded(t, name, sizeof name);
    }
    core_text_string(t, "\n");
}

static void oops_64(struct text *t, const struct fl_fault *fault)
{
    if (fault->cr2 < X86_PAGE_SIZE)
        core_text_string(t, "<1>Unable to handle kernel NULL pointer dereference");
    else
        core_text_string(t, "<1>Unable to handle kernel paging request");
    core_text_string(t, " at ");
    core_text_hex(t, fault->cr2, 16);
    core_text_string(t, " RIP: \n<1>");
    put_symbol(t, fault->regs.ip);
    core_report_tables_64(t, fault);
}

static void oops_32(struct text *t, const struct fl_fault *fault)
{
    if (fault->cpu.mode == FL_MODE_PAE && (fault->error_code & X86_PF_INSTR) &&
        core_report_leaf_nx(t->ops, t->ctx, fault)) {
        core_text_string(t, "<2>kernel tried to execute NX-protected page - exploit attempt? (uid: ");
        core_text_decimal(t, (int32_t)fault->task.uid);
        core_text_string(t, ")\n");
    }
    if (word(fault, fault->cr2) < X86_PAGE_SIZE)
        core_text_string(t, "<1>BUG: unable to handle kernel NULL pointer dereference");
    else
        core_text_string(t, "<1>BUG: unable to handle kernel paging request");
    core_text_string(t, " at virtual address ");
    put_address(t, fault, fault->cr2);
    core_text_string(t, "\n<1>printing ip: ");
    put_address(t, fault, fault->regs.ip);
    core_text_string(t, " ");
    core_report_tables_32(t, fault);
}

void core_report_oops(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx)
{
    struct text t;

    core_text_begin(&t, ops, ctx);
    if (is_64bit(fault))
        oops_64(&t, fault);
    else if (fault->kernel.oops_may_print)
        oops_32(&t, fault);
    core_text_end(&t);
}

void core_report_oops_end(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx)
{
    struct text t;

    if (!is_64bit(fault))
        return;
    core_text_begin(&t, ops, ctx);
    core_text_string(&t, "<0>CR2: ");
    core_text_hex(&t, fault->cr2, 16);
    core_text_string(&t, "\n");
    core_text_end(&t);
}

void core_report_bad_pagetable(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx)
{
    struct text t;

    core_text_begin(&t, ops, ctx);
    core_text_string(&t, "<1>");
    put_comm(&t, fault);
    core_text_string(&t, ": Corrupted page table at address ");
    core_text_hex(&t, word(fault, fault->cr2), 1);
    core_text_string(&t, "\n");
    if (is_64bit(fault))
        core_report_tables_64(&t, fault);
    else
        core_report_tables_32(&t, fault);
    core_text_end(&t);
}

void core_report_out_of_memory(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx)
{
    struct text t;

    core_text_begin(&t, ops, ctx);
    core_text_string(&t, "VM: killing process ");
    put_comm(&t, fault);
    core_text_string(&t, "\n");
    core_text_end(&t);
}

void core_report_poison(const struct fl_fault *fault, const struct fl_ops *ops, void *ctx)
{
    struct text t;

    core_text_begin(&t, ops, ctx);
    core_text_string(&t, "<3>MCE: Killing ");
    put_comm(&t, fault);
    core_text_string(&t, ":");
    core_text_decimal(&t, (int32_t)fault->task.pid);
    core_text_string(&t, " due to hardware memory corruption fault at ");
    core_text_hex(&t, word(fault, fault->cr2), 1);
    core_text_string(&t, "\n");
    core_text_end(&t);
}

void core_report_erratum93(const struct fl_ops *ops, void *ctx)
{
    static const char warning[] = "<3>******* Your BIOS seems to not contain a fix for K8 errata #93\n"
                                  "<3>******* Working around it, but it may cause SEGVs or burn power.\n"
                                  "<3>******* Please consider a BIOS update.\n"
                                  "<3>******* Disabling USB legacy in the BIOS may also help.\n";

    ops->log(ctx, warning, sizeof warning - 1);
}
