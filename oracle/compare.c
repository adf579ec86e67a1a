/* SPDX-License-Identifier: MIT */
/*
 * Divergences and their names, and what the comparers share. What compares is in the other compare_*.c.
 */
#include "compare_rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- names ------------------------------------------------------------------------------------------------------ */

const char *fl_check_name(enum fl_check check)
{
    static const char *const names[FL_CHECK_COUNT] = {
        [FL_CHECK_WALK] = "walk",
        [FL_CHECK_EXECUTOR] = "executor",
        [FL_CHECK_DECISION] = "decision",
        [FL_CHECK_EFFECT] = "effect",
        [FL_CHECK_LOCK] = "lock",
        [FL_CHECK_REWALK] = "rewalk",
        [FL_CHECK_PROGRESS] = "progress",
        [FL_CHECK_BOUND] = "bound",
        [FL_CHECK_CONTRACT] = "contract",
        [FL_CHECK_PREFETCH] = "prefetch",
        [FL_CHECK_DECODER] = "decoder",
        [FL_CHECK_TRANSPARENCY] = "transparency",
        [FL_CHECK_MESSAGE] = "message",
        [FL_CHECK_SIGNAL] = "signal",
        [FL_CHECK_INTERFERENCE] = "interference",
        [FL_CHECK_SYNC] = "sync",
        [FL_CHECK_TABLE_READ] = "table-read",
        [FL_CHECK_GENERATION] = "generation",
        [FL_CHECK_PIN] = "pin",
        [FL_CHECK_PERM] = "perm",
        [FL_CHECK_COW] = "cow",
        [FL_CHECK_PIN_DIFF] = "pin-diff",
    };
    return (unsigned)check < FL_CHECK_COUNT ? names[check] : "unknown";
}

const char *fl_action_name(enum fl_action action)
{
    static const char *const names[FL_ACT_COUNT] = {
        [FL_ACT_NONE] = "none",
        [FL_ACT_HANDLED] = "handled",
        [FL_ACT_IGNORED] = "ignored",
        [FL_ACT_SIGNAL] = "signal",
        [FL_ACT_FIXUP] = "fixup",
        [FL_ACT_OOPS] = "oops",
        [FL_ACT_BAD_PAGETABLE] = "bad-pagetable",
        [FL_ACT_OOM_KILL] = "oom-kill",
        [FL_ACT_SYNCED] = "synced",
        [FL_ACT_SPURIOUS] = "spurious",
        [FL_ACT_KPROBE] = "kprobe",
        [FL_ACT_INVALID_OP] = "invalid-op",
        [FL_ACT_ERRATUM93] = "erratum93",
        [FL_ACT_EMULATED] = "emulated",
        [FL_ACT_FATAL_SIGNAL] = "fatal-signal",
        [FL_ACT_BUG] = "bug",
        [FL_ACT_WILD] = "wild",
    };
    return (unsigned)action < FL_ACT_COUNT ? names[action] : "unknown";
}

const char *fl_outcome_class(const struct fl_outcome *o)
{
    /* x86 kernel ABI: SIGBUS 7 with BUS_ADRERR 2 and BUS_MCEERR_AR 4; SIGSEGV 11 with SEGV_MAPERR 1, SEGV_ACCERR 2,
     * SEGV_PKUERR 4 and SI_KERNEL 0x80 (asm-generic/siginfo.h). */
    static const struct {
        int32_t signo, code;
        const char *name;
    } signals[] = {{11, 1, "signal-maperr"},    {11, 2, "signal-accerr"}, {11, 4, "signal-pkuerr"},
                   {11, 0x80, "signal-kernel"}, {7, 2, "signal-bus"},     {7, 4, "signal-mceerr"}};
    if (o->action == FL_ACT_HANDLED)
        return o->major ? "handled-major" : "handled-minor";
    if (o->action != FL_ACT_SIGNAL)
        return fl_action_name(o->action);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (o->signo == signals[i].signo && o->si_code == signals[i].code)
            return signals[i].name;
    return "signal-other";
}

const char *fl_compare_times(unsigned n, unsigned want)
{
    static const char *const names[] = {"never", "once", "twice", "three-times", "four-times"};
    if (n > 1 && n > want)
        return "again";
    return n < sizeof names / sizeof names[0] ? names[n] : "often";
}

const char *fl_compare_row(const struct fl_expected *want)
{
    size_t n;
    const struct fl_policy_row *rows = fl_policy_rows(&n);
    return want->row < n ? rows[want->row].name : "no-row";
}

/* ---- divergences -------------------------------------------------------------------------------------------------- */

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

void fl_compare_describe(const struct fl_snapshot *s, const struct fl_expected *want, char *buf, size_t size)
{
    size_t nrows;
    const struct fl_policy_row *rows = fl_policy_rows(&nrows);
    int n =
        snprintf(buf, size, "cr2 %#" PRIx64 " code %#" PRIx64 " ip %#" PRIx64 " cs %#x flags %#" PRIx64 " sp %#" PRIx64,
                 s->cr2, s->error_code, s->regs.ip, s->regs.cs, s->regs.flags, s->regs.gpr[FL_RSP]);
    for (unsigned part = 0; part < FL_PART_COUNT; part++) {
        if (want->path[part] >= nrows || n < 0 || (size_t)n >= size)
            continue;
        const struct fl_policy_row *row = &rows[want->path[part]];
        int m = snprintf(buf + n, size - (size_t)n, "\nrow %s: %s", row->name, row->source);
        n = m < 0 ? m : n + m;
    }
}

/* n bytes of text from at on, quoted, with escapes. */
static size_t quote(const char *text, unsigned n, unsigned at, char *buf, size_t size)
{
    size_t used = 0;
    buf[used++] = '"';
    for (unsigned i = at; i < n && used + 8 < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n') {
            buf[used++] = '\\';
            buf[used++] = 'n';
        } else if (c == '"' || c == '\\') {
            buf[used++] = '\\';
            buf[used++] = (char)c;
        } else if (c < ' ' || c > '~') {
            used += (size_t)snprintf(buf + used, 5, "\\x%02x", c);
        } else {
            buf[used++] = (char)c;
        }
    }
    buf[used++] = '"';
    buf[used] = '\0';
    return used;
}

void fl_compare_show_text(const char *want, unsigned nwant, const char *got, unsigned ngot, char *buf, size_t size)
{
    enum { BEFORE = 24, SHOWN = 90 };
    unsigned first = 0;
    while (first < nwant && first < ngot && want[first] == got[first])
        first++;
    unsigned from = first > BEFORE ? first - BEFORE : 0;
    char a[SHOWN + 8], b[SHOWN + 8];
    quote(want, nwant, from, a, sizeof a);
    quote(got, ngot, from, b, sizeof b);
    snprintf(buf, size, "at byte %u of %u expected, %u seen; from byte %u on\nexpected %s\nseen     %s", first, nwant,
             ngot, from, a, b);
}
