/* SPDX-License-Identifier: MIT */
/*
 * The expected log, from the kernels' format strings: Linux arch/x86/mm/fault.c of 2.6.25 (2008) for 32-bit kernels and
 * what both have in common, fault_64.c of 2.6.24 (2008) for 64-bit oopses, mm/memory.c print_vma_addr of 2.6.25 (2008)
 * for the mapping at ip, and fault.c of 2.6.32 (2009) for poisoned pages. A level is what printk's KERN_ constants
 * were: "<1>" alert, "<6>" info ...
 *
 * Called when the decision is whole but for its text: e->sync, grows, new_start and yields are known.
 */
#include "message.h"

#include "message_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 4096, NAME_BYTES = 256 };

static const uint64_t CODE_FETCH = UINT64_C(1) << 4; /* I/D: Intel SDM vol. 3A, 4.7 */

void fl_message_append(struct fl_expected *e, const char *format, ...)
{
    char text[384];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0)
        return;
    size_t length = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1, room = sizeof e->log - e->nlog;
    if (length > room)
        length = room;
    memcpy(e->log + e->nlog, text, length);
    e->nlog = (uint16_t)(e->nlog + length);
}

/* An unsigned long of that kernel. */
static uint64_t word(const struct fl_snapshot *s, uint64_t value)
{
    return s->kernel.word == 4 ? (uint32_t)value : value;
}

/* The name is terminated; a broken one must not be read beyond its end. */
#define COMM_FORMAT      "%.*s"
#define COMM_ARGUMENT(s) FL_COMM, (s)->task.comm

/* The file mapping that ip lies in, as the address space is at the end of the fault: what was at the address may have
 * been unmapped while init waited, and a stack may have grown to the address. That was the unmapped one, if the address
 * was not in it from the beginning. */
static bool file_mapping(const struct fl_snapshot *s, const struct fl_expected *e, struct fl_vma *found)
{
    uint64_t ip = word(s, s->regs.ip);
    bool unmapped = e->yields > 0 && s->yield == FL_YIELD_UNMAP, grows = e->grows;
    for (size_t i = 0; i < s->nvmas; i++) {
        struct fl_vma vma = s->vmas[i];
        if (vma.end > s->cr2 && unmapped) {
            unmapped = false;
            grows = grows && vma.start <= s->cr2;
            continue;
        }
        if (vma.end > s->cr2 && grows) {
            grows = false;
            vma.start = e->new_start;
        }
        if (vma.end <= ip)
            continue;
        *found = vma;
        return vma.start <= ip && vma.backing == FL_BACK_FILE;
    }
    return false;
}

void fl_message_segfault(const struct fl_snapshot *s, uint64_t error_code, struct fl_expected *e)
{
    int32_t pid = (int32_t)s->task.pid;
    bool wide = s->kernel.word == 8;

    fl_message_append(e,
                      wide ? "%s" COMM_FORMAT "[%" PRId32 "]: segfault at %" PRIx64 " ip %" PRIx64 " sp %" PRIx64
                             " error %" PRIx64
                           : "%s" COMM_FORMAT "[%" PRId32 "]: segfault at %08" PRIx64 " ip %08" PRIx64 " sp %08" PRIx64
                             " error %" PRIx64,
                      pid > 1 ? "<6>" : "<0>", COMM_ARGUMENT(s), pid, word(s, s->cr2), word(s, s->regs.ip),
                      word(s, s->regs.gpr[FL_RSP]), word(s, error_code));
    /* The line is not worth waiting for, and without an address space or in an atomic context there is none to ask. */
    e->report_tried = wide && s->task.has_mm && !s->task.in_atomic && !s->task.in_nmi;
    e->report_lock = e->report_tried && !s->report_contended;
    if (e->report_lock) {
        struct fl_vma vma;
        if (file_mapping(s, e, &vma)) {
            char name[NAME_BYTES];
            s->file_name(s->ctx, vma.file, name, sizeof name);
            fl_message_append(e, " in %s[%" PRIx64 "+%" PRIx64 "]", name, vma.start, vma.end - vma.start);
        }
    }
    fl_message_append(e, "\n");
}

static void oops_32(const struct fl_snapshot *s, struct fl_expected *e)
{
    uint64_t address = word(s, s->cr2);

    if (s->cpu.mode == FL_MODE_PAE && (s->error_code & CODE_FETCH) && fl_message_leaf_is_nx(s, e))
        fl_message_append(e, "<2>kernel tried to execute NX-protected page - exploit attempt? (uid: %" PRId32 ")\n",
                          (int32_t)s->task.uid);
    fl_message_append(e, "<1>BUG: unable to handle kernel %s at virtual address %08" PRIx64 "\n",
                      address < PAGE ? "NULL pointer dereference" : "paging request", address);
    fl_message_append(e, "<1>printing ip: %08" PRIx64 " ", word(s, s->regs.ip));
    fl_message_table(s, e);
}

static void oops_64(const struct fl_snapshot *s, struct fl_expected *e)
{
    char name[NAME_BYTES];

    fl_message_append(e, "<1>Unable to handle kernel %s at %016" PRIx64 " RIP: \n<1>",
                      s->cr2 < PAGE ? "NULL pointer dereference" : "paging request", s->cr2);
    if (s->symbol(s->ctx, s->regs.ip, name, sizeof name))
        fl_message_append(e, " [<%016" PRIx64 ">] %s\n", s->regs.ip, name);
    else
        fl_message_append(e, " [<%016" PRIx64 ">]\n", s->regs.ip);
    fl_message_table(s, e);
}

void fl_message_oops(const struct fl_snapshot *s, struct fl_expected *e)
{
    if (s->kernel.word == 8)
        oops_64(s, e);
    else if (s->kernel.oops_may_print)
        oops_32(s, e);
    fl_message_append(e, "%s", FL_LOG_DIE);
    if (s->kernel.word == 8)
        fl_message_append(e, "<0>CR2: %016" PRIx64 "\n", s->cr2);
}

void fl_message_bad_pagetable(const struct fl_snapshot *s, struct fl_expected *e)
{
    fl_message_append(e, "<1>" COMM_FORMAT ": Corrupted page table at address %" PRIx64 "\n", COMM_ARGUMENT(s),
                      word(s, s->cr2));
    fl_message_table(s, e);
    fl_message_append(e, "%s", FL_LOG_DIE);
}

void fl_message_out_of_memory(const struct fl_snapshot *s, struct fl_expected *e)
{
    fl_message_append(e, "VM: killing process " COMM_FORMAT "\n", COMM_ARGUMENT(s));
}

void fl_message_poison(const struct fl_snapshot *s, struct fl_expected *e)
{
    fl_message_append(
        e, "<3>MCE: Killing " COMM_FORMAT ":%" PRId32 " due to hardware memory corruption fault at %" PRIx64 "\n",
        COMM_ARGUMENT(s), (int32_t)s->task.pid, word(s, s->cr2));
}

void fl_message_erratum93(const struct fl_snapshot *s, struct fl_expected *e)
{
    (void)s; /* the same for everybody */
    fl_message_append(e, "<3>******* Your BIOS seems to not contain a fix for K8 errata #93\n"
                         "<3>******* Working around it, but it may cause SEGVs or burn power.\n");
    fl_message_append(e, "<3>******* Please consider a BIOS update.\n"
                         "<3>******* Disabling USB legacy in the BIOS may also help.\n");
}
