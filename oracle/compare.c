/* SPDX-License-Identifier: MIT */
/*
 * Divergences and their names. What compares is in compare_fault.c and compare_walk.c.
 */
#include <faultline/oracle/compare.h>

#include <stdarg.h>
#include <stdio.h>

/* ---- names and divergences
 * --------------------------------------------------------------------------------------- */

const char *fl_check_name(enum fl_check check)
{
    static const char *const names[FL_CHECK_COUNT] = {
        [FL_CHECK_WALK] = "walk",         [FL_CHECK_EXECUTOR] = "executor", [FL_CHECK_DECISION] = "decision",
        [FL_CHECK_EFFECT] = "effect",     [FL_CHECK_LOCK] = "lock",         [FL_CHECK_REWALK] = "rewalk",
        [FL_CHECK_PROGRESS] = "progress", [FL_CHECK_BOUND] = "bound",       [FL_CHECK_CONTRACT] = "contract",
        [FL_CHECK_PREFETCH] = "prefetch", [FL_CHECK_DECODER] = "decoder",   [FL_CHECK_TRANSPARENCY] = "transparency"};
    return (unsigned)check < FL_CHECK_COUNT ? names[check] : "unknown";
}

const char *fl_action_name(enum fl_action action)
{
    static const char *const names[FL_ACT_COUNT] = {[FL_ACT_NONE] = "none",
                                                    [FL_ACT_HANDLED] = "handled",
                                                    [FL_ACT_IGNORED] = "ignored",
                                                    [FL_ACT_SIGNAL] = "signal",
                                                    [FL_ACT_FIXUP] = "fixup",
                                                    [FL_ACT_OOPS] = "oops",
                                                    [FL_ACT_BAD_PAGETABLE] = "bad-pagetable",
                                                    [FL_ACT_OOM_KILL] = "oom-kill"};
    return (unsigned)action < FL_ACT_COUNT ? names[action] : "unknown";
}

const char *fl_outcome_class(const struct fl_outcome *o)
{
    /* x86 kernel ABI: SIGBUS 7 with BUS_ADRERR 2; SIGSEGV 11 with SEGV_MAPERR 1, SEGV_ACCERR 2
     * (asm-generic/siginfo.h). */
    if (o->action == FL_ACT_HANDLED)
        return o->major ? "handled-major" : "handled-minor";
    if (o->action != FL_ACT_SIGNAL)
        return fl_action_name(o->action);
    if (o->signo == 11 && o->si_code == 1)
        return "signal-maperr";
    if (o->signo == 11 && o->si_code == 2)
        return "signal-accerr";
    if (o->signo == 7 && o->si_code == 2)
        return "signal-bus";
    return "signal-other";
}

void fl_divergence_set(struct fl_divergence *d, enum fl_check check, const char *row, const char *expected,
                       const char *actual, const char *format, ...)
{
    va_list args;
    d->check = (uint8_t)check;
    d->row = row;
    d->expected = expected;
    d->actual = actual;
    va_start(args, format);
    if (vsnprintf(d->detail, sizeof d->detail, format, args) < 0)
        d->detail[0] = '\0';
    va_end(args);
}

size_t fl_divergence_key(const struct fl_divergence *d, char *buf, size_t size)
{
    int n = snprintf(buf, size, "%s/%s/%s/%s", fl_check_name(d->check), d->row, d->expected, d->actual);
    return n < 0 ? 0 : (size_t)n;
}
