/* SPDX-License-Identifier: MIT */
/*
 * What a task is told of its fault: the signal's fields and the fault record that signal frames show. Most of it follows
 * from the outcome's action and the fault alone, whatever row decided; so it is checked without the policy first.
 */
#include "compare_rules.h"

#include <inttypes.h>
#include <string.h>

/* x86 kernel ABI, asm-generic/siginfo.h. */
enum {
    SIGNAL_BUS = 7,
    SIGNAL_SEGV = 11,
    CODE_MAPERR = 1,
    CODE_ACCERR = 2,
    CODE_PKUERR = 4,
    CODE_ADRERR = 2,
    CODE_MCEERR_AR = 4,
    CODE_SI_KERNEL = 0x80,
};

enum { VECTOR_PF = 14, PRESENT = 1 }; /* Intel SDM vol. 3A, 6.15 and 4.7 */

static bool pair_exists(int32_t signo, int32_t code)
{
    if (signo == SIGNAL_SEGV)
        return code == CODE_MAPERR || code == CODE_ACCERR || code == CODE_PKUERR || code == CODE_SI_KERNEL;
    return signo == SIGNAL_BUS && (code == CODE_ADRERR || code == CODE_MCEERR_AR);
}

/* Of a page: 4 KiB, or what a page directory entry maps. */
static bool is_poison_size(const struct fl_snapshot *s, unsigned lsb)
{
    return lsb == 12 || lsb == (s->cpu.mode == FL_MODE_2LEVEL ? 22 : 21);
}

struct field {
    const char *row, *expected, *actual;
    uint64_t want, got;
};

static bool differs(const struct fl_snapshot *s, const struct fl_outcome *got, const struct field *f,
                    struct fl_divergence *d)
{
    if (f->want == f->got)
        return false;
    fl_divergence_set(d, FL_CHECK_SIGNAL, f->row, f->expected, f->actual,
                      "outcome %s: expected %s %#" PRIx64 ", seen %#" PRIx64 "\ncr2 %#" PRIx64 " code %#" PRIx64
                      " task_size %#" PRIx64,
                      fl_outcome_class(got), f->row, f->want, f->got, s->cr2, s->error_code, s->kernel.task_size);
    return true;
}

static bool compare_siginfo(const struct fl_snapshot *s, const struct fl_outcome *got, struct fl_divergence *d)
{
    bool signal = got->action == FL_ACT_SIGNAL, from_kernel = got->si_code == CODE_SI_KERNEL;
    if (signal && !pair_exists(got->signo, got->si_code)) {
        fl_divergence_set(d, FL_CHECK_SIGNAL, "si-code", "exists", "unknown",
                          "no page fault raises signal %" PRId32 " with code %" PRId32, got->signo, got->si_code);
        return true;
    }
    bool pkey = signal && got->signo == SIGNAL_SEGV && got->si_code == CODE_PKUERR;
    bool poison = signal && got->signo == SIGNAL_BUS && got->si_code == CODE_MCEERR_AR;
    const struct field fields[] = {
        {"signo", "zero", "set", signal ? (uint32_t)got->signo : 0, (uint32_t)got->signo},
        {"si-code", "zero", "set", signal ? (uint32_t)got->si_code : 0, (uint32_t)got->si_code},
        {"si-addr", signal && !from_kernel ? "cr2" : "zero", signal && !from_kernel ? "other" : "set",
         signal && !from_kernel ? s->cr2 : 0, got->si_addr},
        {"si-pkey", "zero", "set", pkey ? got->si_pkey : 0, got->si_pkey},
        {"si-pkey", "a-key", "other", pkey ? got->si_pkey & 15u : got->si_pkey, got->si_pkey},
        {"si-addr-lsb", "zero", "set", poison ? got->si_addr_lsb : 0, got->si_addr_lsb},
        {"si-addr-lsb", "page-size", "other", !poison || is_poison_size(s, got->si_addr_lsb) ? got->si_addr_lsb : 12,
         got->si_addr_lsb},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (differs(s, got, &fields[i], d))
            return true;
    return false;
}

static bool compare_record(const struct fl_snapshot *s, const struct fl_outcome *got, struct fl_divergence *d)
{
    bool signal = got->action == FL_ACT_SIGNAL;
    bool due =
        (signal && got->si_code != CODE_SI_KERNEL) || got->action == FL_ACT_OOPS || got->action == FL_ACT_BAD_PAGETABLE;
    if (due != got->thread_valid) {
        fl_divergence_set(d, FL_CHECK_SIGNAL, "thread", due ? "set" : "kept", due ? "kept" : "set",
                          "outcome %s: the thread's fault record was %swritten", fl_outcome_class(got),
                          due ? "not " : "");
        return true;
    }
    /* A user learns nothing of what the kernel maps: all of it is there, and forbidden. */
    uint64_t code = s->error_code | (signal && s->cr2 >= s->kernel.task_size ? PRESENT : 0);
    const struct field fields[] = {
        {"thread-cr2", due ? "cr2" : "zero", due ? "other" : "set", due ? s->cr2 : 0, got->thread_cr2},
        {"thread-code", due ? "code" : "zero", due ? "other" : "set", due ? code : 0, got->thread_error_code},
        {"thread-trap", due ? "page-fault" : "zero", due ? "other" : "set", due ? VECTOR_PF : 0, got->thread_trap_no},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (differs(s, got, &fields[i], d))
            return true;
    return false;
}

bool fl_compare_signal(const struct fl_snapshot *s, const struct fl_expected *want, const struct fl_outcome *got,
                       struct fl_divergence *d)
{
    if (compare_siginfo(s, got, d) || compare_record(s, got, d))
        return true;
    /* What only the policy knows; and all the rest, lest policy and rules above differ unseen. */
    const struct fl_outcome *w = &want->outcome;
    const struct field fields[] = {
        {"si-pkey", "pkey-of-vma", "other", w->si_pkey, got->si_pkey},
        {"si-addr-lsb", "size-of-page", "other", w->si_addr_lsb, got->si_addr_lsb},
        {"signo", "as-policy", "other", (uint32_t)w->signo, (uint32_t)got->signo},
        {"si-code", "as-policy", "other", (uint32_t)w->si_code, (uint32_t)got->si_code},
        {"si-addr", "as-policy", "other", w->si_addr, got->si_addr},
        {"thread", "as-policy", "other", w->thread_valid, got->thread_valid},
        {"thread-cr2", "as-policy", "other", w->thread_cr2, got->thread_cr2},
        {"thread-code", "as-policy", "other", w->thread_error_code, got->thread_error_code},
        {"thread-trap", "as-policy", "other", w->thread_trap_no, got->thread_trap_no},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (differs(s, got, &fields[i], d))
            return true;
    return false;
}

/* ---- non-interference --------------------------------------------------------------------------------------------- */

bool fl_compare_interference(const struct fl_snapshot *s, const struct fl_outcome *absent, const char *absent_log,
                             unsigned absent_nlog, const struct fl_outcome *present, const struct fl_effects *effects,
                             struct fl_divergence *d)
{
    const struct {
        const char *row;
        uint64_t absent, present;
    } fields[] = {
        {"action", absent->action, present->action},
        {"major", absent->major, present->major},
        {"irq", absent->irq_on, present->irq_on},
        {"signo", (uint32_t)absent->signo, (uint32_t)present->signo},
        {"si-code", (uint32_t)absent->si_code, (uint32_t)present->si_code},
        {"si-addr", absent->si_addr, present->si_addr},
        {"si-pkey", absent->si_pkey, present->si_pkey},
        {"si-addr-lsb", absent->si_addr_lsb, present->si_addr_lsb},
        {"thread", absent->thread_valid, present->thread_valid},
        {"thread-cr2", absent->thread_cr2, present->thread_cr2},
        {"thread-code", absent->thread_error_code, present->thread_error_code},
        {"thread-trap", absent->thread_trap_no, present->thread_trap_no},
        {"screen-bits", absent->screen_bits, present->screen_bits},
        {"new-ip", absent->new_ip, present->new_ip},
        {"new-sp", absent->new_sp, present->new_sp},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].absent == fields[i].present)
            continue;
        fl_divergence_set(d, FL_CHECK_INTERFERENCE, fields[i].row, "same", "differs",
                          "user fault at kernel address %#" PRIx64 ", code %#" PRIx64
                          " without and with P: %s %#" PRIx64 " (%s) and %#" PRIx64 " (%s)",
                          s->cr2, s->error_code, fields[i].row, fields[i].absent, fl_outcome_class(absent),
                          fields[i].present, fl_outcome_class(present));
        return true;
    }
    unsigned n = absent_nlog < FL_LOG_MAX ? absent_nlog : FL_LOG_MAX;
    if (absent_nlog == effects->nlog && memcmp(absent_log, effects->log, n) == 0)
        return false;
    char text[320];
    unsigned m = effects->nlog < FL_LOG_MAX ? effects->nlog : FL_LOG_MAX;
    fl_compare_show_text(absent_log, n, effects->log, m, text, sizeof text);
    fl_divergence_set(d, FL_CHECK_INTERFERENCE, "log", "same", "differs",
                      "user fault at kernel address %#" PRIx64 ": without P (expected) and with it (seen) differ\n%s",
                      s->cr2, text);
    return true;
}
