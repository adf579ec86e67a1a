/* SPDX-License-Identifier: MIT */
/* The machine, the areas, the tables at the instants that matter, and the frames of a finding of pinning. */
#include "pin_story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WALKS 10

/* ---- machine and areas -------------------------------------------------------------------------------------------------- */

void tell_pin_machine(struct document *d, const struct subject *x)
{
    const struct fl_gup_space *space = &x->capture->pin.space;
    const struct fl_machine *m = &x->scenario->machine;
    char *text = machine_unusual(m);

    doc_section(d, "machine", "The machine");
    doc_item(d, "processor", "%s, user space ends at %#" PRIx64, mode_text((enum fl_mode)space->cpu.mode),
             space->task_size);
    doc_item(d, "kernel", "%s; %s",
             space->has_special ? "knows special leaves (the fast path takes small pages)"
                                : "does not know special leaves (the fast path takes huge ones only)",
             m->pv_flush ? "flushes do not wait for interrupts (paravirtual)" : "flushes wait for interrupts");
    if (space->cpu.cr4 >> 22 & 1) /* CR4.PKE: SDM vol. 3, 2.5 */
        doc_item(d, "keys", "PKRU %#x", space->cpu.pkru);
    if (text && text[0])
        doc_item(d, "unlike usual", "%s", text);
    free(text);
}

static void area_lines(struct document *d, const struct subject *x, const struct pin_areas *areas, unsigned mm)
{
    const struct fl_record *r = &x->scenario->records[x->capture->pin.record];
    uint64_t start = r->u.pin.start & ~UINT64_C(0xfff), va = start;
    unsigned index;
    char text[256], size[24];

    pin_page(x->scenario, x->capture, &va, &index);
    for (unsigned i = 0; i < areas->n[mm]; i++) {
        const struct fl_pin_area *a = &areas->at[mm][i];
        bool here = mm == 0 && va >= a->vma.start && va < a->vma.end;

        fl_pin_area_text(a, text, sizeof text);
        size_text(a->vma.end - a->vma.start, size, sizeof size);
        doc_line(d, here ? DOC_HERE : DOC_PLAIN, "%#14" PRIx64 "-%#" PRIx64 "  %s  %s", a->vma.start, a->vma.end, size,
                 text);
    }
    if (mm == 0 && va >= x->capture->pin.task_size)
        doc_line(d, DOC_HERE, "%#14" PRIx64 "  the kernel's half: the gate area, if anything", va);
}

void tell_pin_areas(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    char text[256];

    doc_section(d, "areas", "Whose memory");
    fl_pin_pin_text(&x->scenario->records[p->record], text, sizeof text);
    doc_item(d, "the call", "%s", text);
    doc_item(d, "the memory", "%s",
             x->scenario->records[p->record].u.pin.remote ? "of another task than the caller"
                                                          : "of the caller's own process");
    if (p->before.n[0] == 0)
        doc_paragraph(d, "The address space has no area.");
    area_lines(d, x, &p->before, 0);
    if (p->before.n[1]) {
        doc_line(d, DOC_PLAIN, "of its child, by fork:");
        area_lines(d, x, &p->before, 1);
    }
    if (p->ended && memcmp(p->before.at[0], p->after.at[0], p->before.n[0] * sizeof p->before.at[0][0]) != 0) {
        doc_line(d, DOC_PLAIN, "after the call:");
        area_lines(d, x, &p->after, 0);
    }
}

/* ---- tables --------------------------------------------------------------------------------------------------------------- */

static void soft_text(const struct fl_gup_space *space, unsigned level, uint64_t entry, char *buf, size_t size)
{
    const struct fl_soft_bits *s = &space->soft;
    const struct {
        uint64_t bit;
        bool means;
        const char *name;
    } bits[] = {{s->protnone, !entry_present(entry), "PROT_NONE"},
                {s->numa, !entry_present(entry), "NUMA hint"},
                {s->special, entry_present(entry) && level == 1, "special"},
                {s->devmap, entry_present(entry), "device"},
                {s->splitting, entry_present(entry) && level == 2, "splitting"}};

    buf[0] = 0;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (bits[i].means && (entry & bits[i].bit))
            snprintf(buf + strlen(buf), size - strlen(buf), ", %s", bits[i].name);
}

static void walk_lines(struct document *d, const struct subject *x, uint64_t va, const struct fl_pin_place *now,
                       const struct fl_pin_place *before)
{
    const struct fl_gup_space *space = &x->capture->pin.space;
    enum fl_mode mode = (enum fl_mode)space->cpu.mode;
    char flags[100], soft[80], text[256];

    for (unsigned i = 0; i < now->nlevels; i++) {
        unsigned level = now->walk[i].level;
        uint64_t entry = now->walk[i].entry;
        bool other = before && (i >= before->nlevels || before->walk[i].entry != entry);
        bool last = i + 1 == now->nlevels;

        entry_flags(&space->cpu, level, entry, flags, sizeof flags);
        soft_text(space, level, entry, soft, sizeof soft);
        doc_line(d, other && last ? DOC_HERE : DOC_PLAIN, "%*s%s%s[%u] %#" PRIx64 "  %s%s", (int)(2 * i), "",
                 i ? "└─ " : "", entry_format(mode)->name[level], entry_index(mode, level, va), entry, flags, soft);
    }
    fl_pin_place_text(now, text, sizeof text);
    doc_line(d, DOC_PLAIN, "%*s→ %s", (int)(2 * now->nlevels), "", text);
}

static bool same_walk(const struct fl_pin_place *a, const struct fl_pin_place *b)
{
    return a->nlevels == b->nlevels && memcmp(a->walk, b->walk, sizeof a->walk) == 0;
}

/* "after call 13, mm_fault(...)", "after another thread ...". */
static void when_text(const struct subject *x, const struct pin_change *c, char *buf, size_t size)
{
    const struct pin_capture *p = &x->capture->pin;
    const struct pin_step *s = &p->step[pin_step_of(p, c)];
    char text[200] = "";

    if (s->kind == FL_PIN_STEP_CALL) {
        fl_pin_op_text(&s->u.call, text, sizeof text);
        snprintf(buf, size, "after call %u, %s:", s->nth + 1, text);
    } else if (s->kind == FL_PIN_STEP_ACT && x->scenario->records[s->record].kind != FL_REC_AREA) {
        fl_pin_act_text(&x->scenario->records[s->record], text, sizeof text);
        snprintf(buf, size, "after record %u, %s:", s->record + 1, text);
    } else {
        snprintf(buf, size, "after record %u:", s->record + 1);
    }
}

void tell_pin_tables(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    const struct fl_pin_place *first;
    uint64_t va;
    unsigned index, shown = 0, left_out = 0;
    char when[300];

    pin_page(x->scenario, x->capture, &va, &index);
    first = pin_place_at(p, 0, va, false, 0);
    if (!first)
        return;
    doc_section(d, "tables", "What the page tables held");
    doc_paragraph(d, "The walk for %#" PRIx64 " at each instant at which it was another.", va);
    for (unsigned i = 0; i < p->nchanges; i++) {
        const struct pin_change *c = &p->change[i];

        if (c->va != va || c->mm || c->other || same_walk(&c->before, &c->after) || !c->after.nlevels)
            continue;
        if (shown == 0 && c->before.nlevels) {
            doc_line(d, DOC_PLAIN, "at first:");
            walk_lines(d, x, va, &c->before, NULL);
        }
        if (shown++ >= MOST_WALKS) {
            left_out++;
            continue;
        }
        when_text(x, c, when, sizeof when);
        doc_line(d, DOC_PLAIN, "%s", when);
        walk_lines(d, x, va, &c->after, &c->before);
    }
    if (shown == 0) {
        doc_line(d, DOC_PLAIN, "all the time:");
        walk_lines(d, x, va, first, NULL);
    }
    if (left_out)
        doc_line(d, DOC_PLAIN, "… %u more changes", left_out);
}

/* ---- frames ---------------------------------------------------------------------------------------------------------------- */

void tell_pin_frames(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    const char *const heads[] = {"page", "address", "frame that was handed out, after the call"};
    uint64_t start = p->call.start & ~UINT64_C(0xfff), va;
    unsigned index, n = 0;
    bool about = pin_page(x->scenario, x->capture, &va, &index);

    if (!p->ended)
        return;
    doc_section(d, "frames", "What was handed out");
    doc_item(d, "pages", "%" PRIu64 " of %" PRId64 "%s%s", p->seen.out.pages, p->call.n, p->seen.out.error ? ", " : "",
             p->seen.out.error ? fl_pin_error_text(p->seen.out.error) : "");
    for (unsigned i = 0; i < FL_PIN_PAGES && i < p->seen.out.pages && p->frame[i][0]; i++) {
        char page[16], at[32];

        if (n++ == 0)
            doc_table(d, 3, heads);
        snprintf(page, sizeof page, "%u", i);
        snprintf(at, sizeof at, "%#" PRIx64, start + (uint64_t)i * 4096);
        doc_row(d, about && i == index, (const char *const[]){page, at, p->frame[i]});
    }
    if (n == 0)
        doc_paragraph(d, "No frame was handed out.");
    else if (p->seen.out.pages > FL_PIN_PAGES)
        doc_paragraph(d, "… and %" PRIu64 " pages more, of which only the counts are judged.",
                      p->seen.out.pages - FL_PIN_PAGES);
}
