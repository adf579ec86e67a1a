/* SPDX-License-Identifier: MIT */
/* Plain structs as C literals. */
#include "literals.h"

#include "program_types.h"

#include <inttypes.h>
#include <string.h>

void write_string(FILE *out, const char *text, size_t n)
{
    fputc('"', out);
    for (size_t i = 0; i < n; i++)
        if (text[i] == '"' || text[i] == '\\' || text[i] == '?')
            fprintf(out, "\\%c", text[i]);
        else if (text[i] >= ' ' && text[i] <= '~')
            fputc(text[i], out);
        else
            fprintf(out, "\\%03o", (unsigned char)text[i]);
    fputc('"', out);
}

static const char *const mode_words[] = {"FL_MODE_2LEVEL", "FL_MODE_PAE", "FL_MODE_4LEVEL", "FL_MODE_5LEVEL"};
static const char *const vendor_words[] = {"FL_VENDOR_INTEL", "FL_VENDOR_AMD"};
static const char *const generation_words[] = {"FL_GEN_CURRENT",     "FL_GEN_2008_32",   "FL_GEN_2008_64",
                                               "FL_GEN_2014_NATIVE", "FL_GEN_2014_PV32", "FL_GEN_2014_PV64",
                                               "FL_GEN_2016"};
static const char *const action_words[] = {
    "FL_ACT_NONE",   "FL_ACT_HANDLED",       "FL_ACT_IGNORED",   "FL_ACT_SIGNAL",   "FL_ACT_FIXUP",
    "FL_ACT_OOPS",   "FL_ACT_BAD_PAGETABLE", "FL_ACT_OOM_KILL",  "FL_ACT_SYNCED",   "FL_ACT_SPURIOUS",
    "FL_ACT_KPROBE", "FL_ACT_INVALID_OP",    "FL_ACT_ERRATUM93", "FL_ACT_EMULATED", "FL_ACT_FATAL_SIGNAL",
    "FL_ACT_BUG",    "FL_ACT_WILD"};
static const char *const set_words[] = {"FL_SET_PLAIN", "FL_SET_PMD", "FL_SET_PGD"};
static const char *const end_words[] = {"FL_SYNC_NOT_HANDLED", "FL_SYNC_HANDLED", "FL_SYNC_BUG", "FL_SYNC_WILD"};
static const char *const mm_words[] = {"FL_MM_MINOR",   "FL_MM_MAJOR",    "FL_MM_OOM",
                                       "FL_MM_SIGBUS",  "FL_MM_HWPOISON", "FL_MM_HWPOISON_LARGE",
                                       "FL_MM_SIGSEGV", "FL_MM_RETRY",    "FL_MM_RETRY_MAJOR"};
static const char *const kind_words[] = {"FL_READ", "FL_WRITE", "FL_FETCH"};
static const char *const priv_words[] = {"FL_USER", "FL_SUPERVISOR", "FL_IMPLICIT"};
static const char *const back_words[] = {"FL_BACK_ANON", "FL_BACK_FILE"};

#define MEMBER(type, member) (((const struct type *)NULL)->member)
#define COUNT(array)         (sizeof(array) / sizeof((array)[0]))

/* Rows of field tables. */
#define PLACE(type, member) .name = #member, .offset = offsetof(struct type, member)
#define FIELD(type, member)                                                                                            \
    {                                                                                                                  \
        PLACE(type, member), .size = sizeof MEMBER(type, member), .count = 1                                           \
    }
#define WORDS(type, member, list)                                                                                      \
    {                                                                                                                  \
        PLACE(type, member), .size = sizeof MEMBER(type, member), .count = 1, .words = list, .nwords = COUNT(list)     \
    }
#define ARRAY(type, member)                                                                                            \
    {                                                                                                                  \
        PLACE(type, member), .size = sizeof MEMBER(type, member)[0], .count = COUNT(MEMBER(type, member))              \
    }

static uint64_t field_value(const struct field *f, const void *at, size_t i)
{
    const unsigned char *p = (const unsigned char *)at + f->offset + i * f->size;
    uint64_t v = 0;

    switch (f->size) { /* of this machine's own order */
    case 1: return *p;
    case 2: {
        uint16_t n;
        memcpy(&n, p, 2);
        return n;
    }
    case 4: {
        uint32_t n;
        memcpy(&n, p, 4);
        return n;
    }
    default: memcpy(&v, p, 8); return v;
    }
}

void write_numeral(FILE *out, uint64_t v)
{
    if (v < 10)
        fprintf(out, "%" PRIu64, v);
    else if (v <= UINT32_MAX)
        fprintf(out, "%#" PRIx64, v);
    else
        fprintf(out, "UINT64_C(%#" PRIx64 ")", v);
}

static void write_value(FILE *out, const struct field *f, uint64_t v)
{
    if (f->words && v < f->nwords)
        fputs(f->words[v], out);
    else
        write_numeral(out, v);
}

void write_fields(FILE *out, const struct fields *fields, const void *at)
{
    size_t written = 0;

    fputc('{', out);
    for (size_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->field[i];

        if (f->size == 1 && f->count == FL_COMM) { /* a name, which may hold anything */
            const char *text = (const char *)at + f->offset;

            fprintf(out, "%s.%s = ", written++ ? ", " : "", f->name);
            write_string(out, text, strnlen(text, FL_COMM));
            continue;
        }
        for (size_t k = 0; k < f->count; k++) {
            uint64_t v = field_value(f, at, k);

            if (v == 0)
                continue;
            fputs(written == 0 ? "" : written % 4 == 0 ? ",\n        " : ", ", out);
            fprintf(out, f->count > 1 ? ".%s[%zu] = " : ".%s = ", f->name, k);
            write_value(out, f, v);
            written++;
        }
    }
    if (written == 0)
        fputc('0', out);
    fputc('}', out);
}
static const struct field cpu_fields_rows[] = {
    WORDS(fl_cpu, mode, mode_words),
    WORDS(fl_cpu, vendor, vendor_words),
    FIELD(fl_cpu, family),
    FIELD(fl_cpu, maxphyaddr),
    FIELD(fl_cpu, pse36),
    FIELD(fl_cpu, page1gb),
    FIELD(fl_cpu, pkru),
    FIELD(fl_cpu, pkrs),
    FIELD(fl_cpu, cr0),
    FIELD(fl_cpu, cr3),
    FIELD(fl_cpu, cr4),
    FIELD(fl_cpu, efer),
};
static const struct field kernel_fields_rows[] = {
    FIELD(fl_kernel, task_size),
    FIELD(fl_kernel, guard_gap),
    FIELD(fl_kernel, mmap_min_addr),
    FIELD(fl_kernel, word),
    WORDS(fl_kernel, generation, generation_words),
    FIELD(fl_kernel, fault_retry),
    FIELD(fl_kernel, spurious_check),
    FIELD(fl_kernel, smap),
    FIELD(fl_kernel, no_user_fetch),
    FIELD(fl_kernel, pku),
    FIELD(fl_kernel, vsyscall_emulation),
    FIELD(fl_kernel, f00f_bug),
    FIELD(fl_kernel, shared_kernel_pmd),
    FIELD(fl_kernel, show_unhandled),
    FIELD(fl_kernel, oops_may_print),
    FIELD(fl_kernel, page_offset),
    FIELD(fl_kernel, vmalloc_start),
    FIELD(fl_kernel, vmalloc_end),
    FIELD(fl_kernel, modules_start),
    FIELD(fl_kernel, modules_end),
    FIELD(fl_kernel, text_start),
    FIELD(fl_kernel, text_end),
    FIELD(fl_kernel, fixaddr_top),
    FIELD(fl_kernel, idt),
    FIELD(fl_kernel, vsyscall),
    FIELD(fl_kernel, init_root),
    FIELD(fl_kernel, low_frames),
};
static const struct field task_fields_rows[] = {
    FIELD(fl_task, pid),
    FIELD(fl_task, uid),
    ARRAY(fl_task, comm),
    FIELD(fl_task, has_mm),
    FIELD(fl_task, in_atomic),
    FIELD(fl_task, in_nmi),
    FIELD(fl_task, faults_disabled),
    FIELD(fl_task, kprobe_running),
    FIELD(fl_task, segv_unhandled),
    FIELD(fl_task, ldt_entries),
    FIELD(fl_task, stack_limit),
    FIELD(fl_task, as_limit),
    FIELD(fl_task, mm_root),
    FIELD(fl_task, active_root),
};
static const struct field codeseg_fields_rows[] = {FIELD(fl_codeseg, base), FIELD(fl_codeseg, limit),
                                                   FIELD(fl_codeseg, bits)};
static const struct field regs_fields_rows[] = {
    ARRAY(fl_regs, gpr), FIELD(fl_regs, ip),      FIELD(fl_regs, flags),   FIELD(fl_regs, cs),
    FIELD(fl_regs, ss),  FIELD(fl_regs, ds),      FIELD(fl_regs, es),      FIELD(fl_regs, fs),
    FIELD(fl_regs, gs),  FIELD(fl_regs, fs_base), FIELD(fl_regs, gs_base),
};
static const struct field access_fields_rows[] = {FIELD(fl_access, va), WORDS(fl_access, kind, kind_words),
                                                  WORDS(fl_access, priv, priv_words), FIELD(fl_access, ac)};
static const struct field vma_fields_rows[] = {
    FIELD(fl_vma, start),      FIELD(fl_vma, end),       FIELD(fl_vma, generation),
    FIELD(fl_vma, read),       FIELD(fl_vma, write),     FIELD(fl_vma, exec),
    FIELD(fl_vma, shared),     FIELD(fl_vma, growsdown), WORDS(fl_vma, backing, back_words),
    FIELD(fl_vma, file),       FIELD(fl_vma, pkey),      FIELD(fl_vma, pgoff),
    FIELD(fl_vma, file_pages),
};
static const struct field state_fields_rows[] = {FIELD(fl_sync_state, start), ARRAY(fl_sync_state, insync)};
static const struct field sh4_fields_rows[] = {FIELD(fl_sh4, ttb),      FIELD(fl_sh4, reference),
                                               FIELD(fl_sh4, p3_start), FIELD(fl_sh4, vmalloc_start),
                                               FIELD(fl_sh4, p3_end),   FIELD(fl_sh4, fixed)};
static const struct field outcome_fields_rows[] = {
    WORDS(fl_outcome, action, action_words),
    FIELD(fl_outcome, major),
    FIELD(fl_outcome, irq_on),
    FIELD(fl_outcome, thread_valid),
    FIELD(fl_outcome, si_pkey),
    FIELD(fl_outcome, si_addr_lsb),
    FIELD(fl_outcome, screen_bits),
    FIELD(fl_outcome, signo),
    FIELD(fl_outcome, si_code),
    FIELD(fl_outcome, si_addr),
    FIELD(fl_outcome, thread_cr2),
    FIELD(fl_outcome, thread_error_code),
    FIELD(fl_outcome, thread_trap_no),
    FIELD(fl_outcome, new_ip),
    FIELD(fl_outcome, new_sp),
};
static const struct field entry_fields_rows[] = {FIELD(repro_entry, paddr), FIELD(repro_entry, value),
                                                 FIELD(repro_entry, size), FIELD(repro_entry, elsewhere),
                                                 FIELD(repro_entry, no_memory)};
static const struct field byte_fields_rows[] = {FIELD(repro_byte, linear), FIELD(repro_byte, user),
                                                FIELD(repro_byte, byte)};
static const struct field pair_fields_rows[] = {FIELD(repro_pair, at), FIELD(repro_pair, value)};
static const struct field write_row_fields_rows[] = {FIELD(repro_write, paddr), FIELD(repro_write, value),
                                                     FIELD(repro_write, size), WORDS(repro_write, how, set_words)};
/* Of struct repro itself: what is a number. */
static const struct field repro_fields_rows[] = {
    FIELD(repro, va),
    FIELD(repro, nentries),
    FIELD(repro, ntables),
    FIELD(repro, lazy_mmu),
    FIELD(repro, nvmas),
    FIELD(repro, nextable),
    FIELD(repro, nwords),
    FIELD(repro, nbytes),
    ARRAY(repro, pgd),
    FIELD(repro, npgds),
    FIELD(repro, kprobe_claims),
    FIELD(repro, lock_contended),
    FIELD(repro, report_contended),
    FIELD(repro, expand_refused),
    FIELD(repro, fatal_signal),
    FIELD(repro, vsyscall_fails),
    ARRAY(repro, ratelimited),
    {PLACE(repro, mm_result), .size = 1, .count = 4, .words = mm_words, .nwords = COUNT(mm_words)},
    FIELD(repro, yield),
    FIELD(repro, gp),
    FIELD(repro, bus),
    FIELD(repro, faults),
    FIELD(repro, code),
    FIELD(repro, level),
    FIELD(repro, entry),
    FIELD(repro, page_shift),
    FIELD(repro, pkey),
    FIELD(repro, paddr),
    FIELD(repro, writable),
    FIELD(repro, user),
    FIELD(repro, nx),
    FIELD(repro, accessed),
    FIELD(repro, dirty),
    FIELD(repro, ignore),
    FIELD(repro, may_probe),
    FIELD(repro, probe_user),
    FIELD(repro, nwindow),
    FIELD(repro, kprobes),
    FIELD(repro, mm_calls),
    FIELD(repro, yields),
    FIELD(repro, fatal_asks),
    FIELD(repro, vsyscalls),
    FIELD(repro, vsyscall_nr),
    ARRAY(repro, mm_flags),
    FIELD(repro, grows),
    FIELD(repro, dies),
    FIELD(repro, new_start),
    FIELD(repro, irq_restore),
    FIELD(repro, lock_tries),
    FIELD(repro, lock_waits),
    FIELD(repro, lock_gets),
    FIELD(repro, report_tries),
    FIELD(repro, report_gets),
    ARRAY(repro, limits),
    FIELD(repro, die),
    FIELD(repro, nlog),
    WORDS(repro, end, end_words),
    FIELD(repro, nwrites),
    FIELD(repro, flush),
    FIELD(repro, warn),
    FIELD(repro, silent),
    FIELD(repro, bounded),
    FIELD(repro, irqsave),
};

const struct fields cpu_fields = {cpu_fields_rows, COUNT(cpu_fields_rows)};
const struct fields kernel_fields = {kernel_fields_rows, COUNT(kernel_fields_rows)};
const struct fields task_fields = {task_fields_rows, COUNT(task_fields_rows)};
const struct fields codeseg_fields = {codeseg_fields_rows, COUNT(codeseg_fields_rows)};
const struct fields regs_fields = {regs_fields_rows, COUNT(regs_fields_rows)};
const struct fields access_fields = {access_fields_rows, COUNT(access_fields_rows)};
const struct fields vma_fields = {vma_fields_rows, COUNT(vma_fields_rows)};
const struct fields state_fields = {state_fields_rows, COUNT(state_fields_rows)};
const struct fields sh4_fields = {sh4_fields_rows, COUNT(sh4_fields_rows)};
const struct fields outcome_fields = {outcome_fields_rows, COUNT(outcome_fields_rows)};
const struct fields entry_fields = {entry_fields_rows, COUNT(entry_fields_rows)};
const struct fields byte_fields = {byte_fields_rows, COUNT(byte_fields_rows)};
const struct fields pair_fields = {pair_fields_rows, COUNT(pair_fields_rows)};
const struct fields write_row_fields = {write_row_fields_rows, COUNT(write_row_fields_rows)};
const struct fields repro_fields = {repro_fields_rows, COUNT(repro_fields_rows)};

void write_members(FILE *out, const struct fields *fields, const void *at)
{
    for (size_t i = 0; i < fields->n; i++)
        for (size_t k = 0; k < fields->field[i].count; k++) {
            const struct field *f = &fields->field[i];
            uint64_t v = field_value(f, at, k);

            if (v == 0)
                continue;
            fprintf(out, f->count > 1 ? "    .%s[%zu] = " : "    .%s = ", f->name, k);
            write_value(out, f, v);
            fputs(",\n", out);
        }
}
