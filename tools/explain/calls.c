/* SPDX-License-Identifier: MIT */
/* What the core did in the failing event: every op that it called, in order, with arguments and answers. */
#include "sections.h"

#include <inttypes.h>
#include <string.h>

/* Ops of one call: all, or the first and the last ones. */
#define MOST  40
#define FIRST 12
#define LAST  8

const char *call_name(enum call_kind kind)
{
    static const char *const names[] = {
        [CALL_NONE] = "nothing", [CALL_WALK] = "walk",         [CALL_PERMITS] = "permits", [CALL_PREFETCH] = "prefetch",
        [CALL_FAULT] = "fault",  [CALL_SYNC_ALL] = "sync_all", [CALL_P3_SYNC] = "p3_sync"};

    return names[kind];
}

void mm_flags_text(unsigned flags, char *buf, size_t size)
{
    static const struct {
        unsigned bit;
        const char *name;
    } bits[] = {{FL_MM_WRITE, "write"},
                {FL_MM_USER, "user"},
                {FL_MM_FETCH, "fetch"},
                {FL_MM_ALLOW_RETRY, "allow-retry"},
                {FL_MM_TRIED, "tried"}};

    buf[0] = 0;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (flags & bits[i].bit) {
            snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", buf[0] ? "|" : "", bits[i].name);
            flags &= ~bits[i].bit;
        }
    if (flags || !buf[0])
        snprintf(buf + strlen(buf), size - strlen(buf), "%s%#x", buf[0] ? "|" : "", flags);
}

const char *mm_result_name(unsigned result)
{
    static const char *const names[FL_MM_COUNT] = {
        [FL_MM_MINOR] = "minor",
        [FL_MM_MAJOR] = "major",
        [FL_MM_OOM] = "out of memory",
        [FL_MM_SIGBUS] = "SIGBUS",
        [FL_MM_HWPOISON] = "poisoned page",
        [FL_MM_HWPOISON_LARGE] = "poisoned large page",
        [FL_MM_SIGSEGV] = "SIGSEGV",
        [FL_MM_RETRY] = "retry (lock dropped)",
        [FL_MM_RETRY_MAJOR] = "retry, major (lock dropped)",
    };

    return result < FL_MM_COUNT ? names[result] : "unknown";
}

const char *set_name(unsigned how)
{
    static const char *const names[FL_SET_COUNT] = {"plain", "set_pmd", "set_pgd"};

    return how < FL_SET_COUNT ? names[how] : "unknown";
}

static const char *status_name(unsigned status)
{
    static const char *const names[] = {"ok", "invalid", "unsupported", "stale", "no memory", "failed"};

    return status <= FL_FAILED ? names[status] : "?";
}

static void vma_text(const struct fl_vma *v, char *buf, size_t size)
{
    snprintf(buf, size, "%#" PRIx64 "-%#" PRIx64 " %c%c%c%s, generation %u", v->start, v->end, v->read ? 'r' : '-',
             v->write ? 'w' : '-', v->exec ? 'x' : '-', v->growsdown ? " grows down" : "", v->generation);
}

static void op_text(const struct seen_op *o, char *buf, size_t size)
{
    char more[160];

    switch (o->op) {
    case OP_READ_ENTRY:
        if (o->ok)
            snprintf(buf, size, "read_entry(%#" PRIx64 ", %u) = %#" PRIx64, o->a, (unsigned)o->b, o->r);
        else
            snprintf(buf, size, "read_entry(%#" PRIx64 ", %u): no memory there", o->a, (unsigned)o->b);
        break;
    case OP_WRITE_ENTRY:
        snprintf(buf, size, "write_entry(%#" PRIx64 ", %u, %#" PRIx64 ", %s)%s", o->a, (unsigned)o->b, o->c,
                 set_name((unsigned)o->d), o->ok ? "" : ": no memory there");
        break;
    case OP_PGD_LOCK: snprintf(buf, size, "pgd_lock(%s)", o->a ? "irqsave" : ""); break;
    case OP_PGD_NEXT:
        if (o->ok)
            snprintf(buf, size, "pgd_next(%u) = %#" PRIx64, (unsigned)o->a, o->r);
        else
            snprintf(buf, size, "pgd_next(%u): no more", (unsigned)o->a);
        break;
    case OP_PROBE_BYTE:
        if (o->ok)
            snprintf(buf, size, "probe_byte(%#" PRIx64 ", %s) = %02x", o->a, o->b ? "user" : "kernel", (unsigned)o->r);
        else
            snprintf(buf, size, "probe_byte(%#" PRIx64 ", %s): not readable", o->a, o->b ? "user" : "kernel");
        break;
    case OP_LDT: snprintf(buf, size, "ldt(%u) = %#018" PRIx64, (unsigned)o->a, o->r); break;
    case OP_EXTABLE:
        if (o->ok)
            snprintf(buf, size, "extable(%#" PRIx64 ") = %#" PRIx64, o->a, o->r);
        else
            snprintf(buf, size, "extable(%#" PRIx64 "): no entry", o->a);
        break;
    case OP_VMA_FIND:
        vma_text(&o->u.vma, more, sizeof more);
        snprintf(buf, size, "vma_find(%#" PRIx64 ")%s%s", o->a, o->ok ? " = " : ": none", o->ok ? more : "");
        break;
    case OP_VMA_EXPAND:
        vma_text(&o->u.vma, more, sizeof more);
        snprintf(buf, size, "vma_expand(generation %u, start %#" PRIx64 ")%s%s", (unsigned)o->a, o->b,
                 o->ok ? " = " : ": ", o->ok ? more : status_name((unsigned)o->r));
        break;
    case OP_MM_FAULT:
        mm_flags_text((unsigned)o->c, more, sizeof more);
        snprintf(buf, size, "mm_fault(generation %u, %#" PRIx64 ", %s) = %s", (unsigned)o->a, o->b, more,
                 mm_result_name((unsigned)o->r));
        break;
    case OP_USER_WORD:
        if (o->ok)
            snprintf(buf, size, "user_word(%#" PRIx64 ") = %#" PRIx64, o->a, o->r);
        else
            snprintf(buf, size, "user_word(%#" PRIx64 "): not readable", o->a);
        break;
    case OP_VSYSCALL: snprintf(buf, size, "vsyscall(%u)%s", (unsigned)o->a, o->ok ? "" : ": bad pointer"); break;
    case OP_RATELIMIT:
        snprintf(buf, size, "ratelimit(%s) = %s", o->a == FL_LIMIT_SIGNAL ? "signal" : "erratum 93",
                 o->ok ? "yes" : "no");
        break;
    case OP_LOG: snprintf(buf, size, "log(\"%.*s\"%s)", (int)o->ntext, o->u.text, o->a > o->ntext ? "…" : ""); break;
    case OP_SYMBOL:
        if (o->ok)
            snprintf(buf, size, "symbol(%#" PRIx64 ") = \"%.*s\"", o->a, (int)o->ntext, o->u.text);
        else
            snprintf(buf, size, "symbol(%#" PRIx64 "): nothing", o->a);
        break;
    case OP_FILE_NAME: snprintf(buf, size, "file_name(%u) = \"%.*s\"", (unsigned)o->a, (int)o->ntext, o->u.text); break;
    case OP_DIE:
        snprintf(buf, size, "die(%s, error code %#" PRIx64 ")", o->a == FL_DIE_OOPS ? "oops" : "bad page table", o->b);
        break;
    case OP_KPROBE:
    case OP_LOCK_TRY:
    case OP_FATAL_SIGNAL: snprintf(buf, size, "%s() = %s", op_name((enum op)o->op), o->ok ? "yes" : "no"); break;
    default: snprintf(buf, size, "%s()", op_name((enum op)o->op));
    }
    if (!o->returned)
        snprintf(buf + strlen(buf), size - strlen(buf), "  ◀ the process ended in here");
}

/* How many ops from there on read one instruction byte after the other, each of which could be read. */
static unsigned bytes_in_a_row(const struct seen_op *o, unsigned n)
{
    unsigned i = 0;

    while (i < n && o[i].op == OP_PROBE_BYTE && o[i].ok && o[i].a == o[0].a + i && o[i].b == o[0].b)
        i++;
    return i;
}

static void tell_ops(struct document *d, const struct capture *c, const struct seen_call *call)
{
    unsigned kept = call->first_op + call->nops <= c->nops ? call->nops
                    : call->first_op < c->nops             ? c->nops - call->first_op
                                                           : 0;
    char text[400];

    if (call->nops == 0)
        doc_line(d, DOC_PLAIN, "    (no op was called)");
    for (unsigned i = 0; i < kept; i++) {
        if (kept > MOST && i == FIRST) {
            doc_line(d, DOC_PLAIN, "    … %u more", kept - FIRST - LAST);
            i = kept - LAST;
        }
        unsigned row = bytes_in_a_row(&c->op[call->first_op + i], kept - i);

        if (row > 2) {
            const struct seen_op *o = &c->op[call->first_op + i];

            snprintf(text, sizeof text, "probe_byte(%#" PRIx64 " and on, %s) =", o->a, o->b ? "user" : "kernel");
            for (unsigned k = 0; k < row && k < 32; k++)
                snprintf(text + strlen(text), sizeof text - strlen(text), " %02x", (unsigned)o[k].r);
            doc_line(d, DOC_PLAIN, "%4u  to %u: %s", i + 1, i + row, text);
            i += row - 1;
            continue;
        }
        op_text(&c->op[call->first_op + i], text, sizeof text);
        doc_line(d, DOC_PLAIN, "%4u  %s", i + 1, text);
    }
    if (kept < call->nops)
        doc_line(d, DOC_PLAIN, "    … %u more that were not kept", call->nops - kept);
}

static void walk_text(const struct fl_walk *w, char *buf, size_t size)
{
    static const char *const ends[] = {"mapped", "absent", "reserved bit", "no table", "non-canonical"};

    snprintf(buf, size, "%s at level %u, entry %#" PRIx64, w->end <= FL_WALK_NONCANONICAL ? ends[w->end] : "unknown",
             w->level, w->entry);
    if (w->end == FL_WALK_MAPPED)
        snprintf(buf + strlen(buf), size - strlen(buf), ", physical %#" PRIx64 ", %s%s%s, key %u", w->paddr,
                 w->writable ? "writable" : "read-only", w->user ? ", user" : ", supervisor",
                 w->nx ? ", no fetches" : "", w->pkey);
}

static void tell_call(struct document *d, const struct capture *c, const struct seen_call *call)
{
    char text[400], code[96];

    switch (call->kind) {
    case CALL_FAULT:
        error_code_text(call->fault.error_code, code, sizeof code);
        doc_line(d, DOC_PLAIN, "fault(CR2 %#" PRIx64 ", error code %#" PRIx64 " = %s, ip %#" PRIx64 ")",
                 call->fault.cr2, call->fault.error_code, code, call->fault.regs.ip);
        break;
    case CALL_WALK: doc_line(d, DOC_PLAIN, "walk(%#" PRIx64 ")", call->va); break;
    case CALL_PERMITS: doc_line(d, DOC_PLAIN, "permits(that walk, that access)"); break;
    case CALL_PREFETCH:
        doc_line(d, DOC_PLAIN, "prefetch(ip %#" PRIx64 ", %u-bit code, error code %#" PRIx64 ")", call->fault.regs.ip,
                 call->fault.codeseg.bits, call->fault.error_code);
        break;
    case CALL_SYNC_ALL:
        doc_line(d, DOC_PLAIN, "sync_all(%s)", fl_generation_name((enum fl_generation)call->all.kernel.generation));
        break;
    default: doc_line(d, DOC_PLAIN, "p3_sync(%#" PRIx64 ")", call->va);
    }
    if (call->kind != CALL_PERMITS || call->nops)
        tell_ops(d, c, call);
    if (!call->returned) {
        doc_line(d, DOC_HERE, "  does not return");
        return;
    }
    if (call->status != FL_OK) {
        doc_line(d, DOC_HERE, "  = status %s", status_name(call->status));
        return;
    }
    switch (call->kind) {
    case CALL_FAULT: outcome_text(&call->outcome, text, sizeof text); break;
    case CALL_WALK: walk_text(&call->walk, text, sizeof text); break;
    case CALL_PERMITS:
        error_code_text(call->code, code, sizeof code);
        if (call->faults)
            snprintf(text, sizeof text, "page fault, error code %#x (%s)", call->code, code);
        else
            snprintf(text, sizeof text, "permitted");
        break;
    case CALL_PREFETCH:
        snprintf(text, sizeof text, call->ignore ? "a prefetch: ignore the fault" : "no prefetch");
        break;
    default: snprintf(text, sizeof text, "%s", fl_sync_end_name(call->end));
    }
    doc_line(d, DOC_PLAIN, "  = %s", text);
}

void tell_calls(struct document *d, const struct subject *x)
{
    const struct capture *c = x->capture;

    if (!x->has_event)
        return;
    doc_section(d, "core", "What the core did");
    if (c->ncalls == 0) {
        doc_paragraph(d, "The core was not asked in this event.");
        return;
    }
    if (c->calls_gone)
        doc_line(d, DOC_PLAIN, "… %u calls before these", c->calls_gone);
    for (unsigned i = 0; i < c->ncalls; i++)
        tell_call(d, c, &c->call[i]);
    if (c->ops_gone)
        doc_paragraph(d, "%u op calls beyond the first %u of this event were not kept.", c->ops_gone, SEEN_OPS);
}
