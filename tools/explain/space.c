/* SPDX-License-Identifier: MIT */
/* The address space as a small map, with the failing address in its place. */
#include "sections.h"

#include <inttypes.h>
#include <string.h>

#define MOST 14 /* VMAs that are shown around the address */

static void vma_line(struct document *d, const struct fl_vma *v, bool here)
{
    char size[24], backing[64];

    size_text(v->end - v->start, size, sizeof size);
    if (v->backing == FL_BACK_FILE)
        snprintf(backing, sizeof backing, "file %u from page %u of %u", v->file, v->pgoff, v->file_pages);
    else
        snprintf(backing, sizeof backing, "anonymous");
    doc_line(d, here ? DOC_HERE : DOC_PLAIN, "%#14" PRIx64 "-%#" PRIx64 "  %s  %c%c%c%c  %s%s%s", v->start, v->end,
             size, v->read ? 'r' : '-', v->write ? 'w' : '-', v->exec ? 'x' : '-', v->shared ? 's' : 'p', backing,
             v->growsdown ? ", grows down" : "", v->pkey ? ", has a key" : "");
}

static void place(struct document *d, uint64_t at, const struct fl_vma *below, const struct fl_vma *above)
{
    char gap[24];

    if (above) {
        size_text(above->start - (at & ~UINT64_C(0xfff)), gap, sizeof gap);
        doc_line(d, DOC_HERE, "%#14" PRIx64 "  in no VMA, its page %s below the next one", at, gap);
    } else if (below) {
        doc_line(d, DOC_HERE, "%#14" PRIx64 "  above all VMAs", at);
    } else {
        doc_line(d, DOC_HERE, "%#14" PRIx64, at);
    }
}

void tell_space(struct document *d, const struct subject *x)
{
    const struct fl_snapshot *s = &x->state->s;
    const struct seen_snapshot *seen = x->state;
    uint64_t at = x->access.va, sp = s->regs.gpr[FL_RSP];
    bool user = x->has_access && at < s->kernel.task_size;
    bool placed = !user;
    size_t first = 0, n = s->nvmas;

    if (!x->has_event || seen->is_sh4 || x->record->kind == FL_REC_DECODE || x->record->kind == FL_REC_SYNCALL ||
        x->record->kind == FL_REC_ACCESS || (n == 0 && !user))
        return;
    doc_section(d, "space", "Address space");
    if (n == 0) {
        doc_paragraph(d, "No VMA; the address %#" PRIx64 " is below the end of user space %#" PRIx64 ".", at,
                      s->kernel.task_size);
        return;
    }
    if (user) {
        while (first + MOST < n && seen->vmas[first + MOST / 2].end <= at)
            first++;
    }
    if (first)
        doc_line(d, DOC_PLAIN, "… %zu VMAs below", first);
    for (size_t i = first; i < n && i < first + MOST; i++) {
        const struct fl_vma *v = &seen->vmas[i];
        bool inside = user && at >= v->start && at < v->end;

        if (!placed && at < v->start) {
            place(d, at, i ? &seen->vmas[i - 1] : NULL, v);
            placed = true;
        }
        vma_line(d, v, inside);
        if (inside) {
            doc_line(d, DOC_HERE, "%#14" PRIx64 "  is in it, at offset %#" PRIx64, at, at - v->start);
            placed = true;
        }
        if (sp >= v->start && sp < v->end)
            doc_line(d, DOC_PLAIN, "%#14" PRIx64 "  the stack pointer", sp);
    }
    if (n > first + MOST)
        doc_line(d, DOC_PLAIN, "… %zu VMAs above", n - first - MOST);
    if (!placed)
        place(d, at, &seen->vmas[n - 1], NULL);
    doc_line(d, DOC_PLAIN, "%#14" PRIx64 "  end of user space", s->kernel.task_size);
}
