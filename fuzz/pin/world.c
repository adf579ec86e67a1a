/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>

/* Control-register bits of a processor that runs Linux (SDM vol. 3, 2.5). */
#define CR0_PLAIN (UINT64_C(1) << 0 | UINT64_C(1) << 16 | UINT64_C(1) << 31) /* PE, WP, PG */
#define CR4_PSE   (UINT64_C(1) << 4)
#define CR4_PAE   (UINT64_C(1) << 5)
#define CR4_LA57  (UINT64_C(1) << 12)
#define CR4_PKE   (UINT64_C(1) << 22)
#define EFER_LONG (UINT64_C(1) << 8 | UINT64_C(1) << 10) /* LME, LMA */
#define EFER_NXE  (UINT64_C(1) << 11)
#define GATE      UINT64_C(0xffffffffff600000)

enum fl_status fl_pin_world_open(struct fl_pin_world **out)
{
    struct fl_pin_world *w = calloc(1, sizeof *w);

    if (!w)
        return FL_NO_MEMORY;
    if (!tables_open(w) || !outputs_open(w)) {
        fl_pin_world_close(w);
        return FL_NO_MEMORY;
    }
    for (uint32_t i = 0; i < FL_PIN_FRAMES; i++)
        w->pg[i].pfn = i;
    for (uint32_t i = 0; i < DEVICES; i++)
        w->pg[FL_PIN_FRAMES + i].pfn = PFN_DEVICE + i;
    *out = w;
    return FL_OK;
}

void fl_pin_world_close(struct fl_pin_world *w)
{
    if (w) {
        tables_close(w);
        outputs_close(w);
    }
    free(w);
}

static uint64_t task_size(const struct fl_machine *m)
{
    static const uint64_t split[3] = {0xc0000000, 0x80000000, 0x40000000};

    if (m->mode == FL_MODE_4LEVEL)
        return UINT64_C(0x00007ffffffff000);
    if (m->mode == FL_MODE_5LEVEL)
        return UINT64_C(0x00fffffffffff000);
    return split[m->split % 3];
}

static void begin_cpu(struct fl_pin_world *w, const struct fl_machine *m)
{
    bool wide = m->mode >= FL_MODE_4LEVEL;
    struct fl_cpu *c = &w->space.cpu;

    *c = (struct fl_cpu){.mode = m->mode,
                         .vendor = m->vendor,
                         .family = m->family,
                         .maxphyaddr = 40,
                         .pse36 = true,
                         .page1gb = true,
                         .pkru = m->pkru,
                         .cr0 = CR0_PLAIN};
    c->cr4 = CR4_PSE | (m->mode == FL_MODE_2LEVEL ? 0 : CR4_PAE) | (m->mode == FL_MODE_5LEVEL ? CR4_LA57 : 0) |
             (wide && m->pke && m->kernel_pku ? CR4_PKE : 0);
    c->efer = (wide ? EFER_LONG : 0) | (m->mode == FL_MODE_2LEVEL ? 0 : EFER_NXE);
}

static void base_page(struct fl_pin_world *w, uint64_t pfn, enum page_kind kind)
{
    struct pg *p = page_of(w, pfn);

    page_change(w, p);
    p->kind = (uint8_t)kind;
    p->file = FILE_NONE;
    p->count = p->others = 1; /* the kernel's own */
}

void fl_pin_world_begin(struct fl_pin_world *w, const struct fl_machine *m)
{
    tables_reset(w);
    frames_reset(w);
    w->machine = *m;
    w->pv = m->pv_flush;
    w->space = (struct fl_gup_space){
        .soft = {.protnone = SOFT_PROTNONE,
                 .numa = SOFT_NUMA,
                 .special = SOFT_SPECIAL,
                 .devmap = SOFT_DEVMAP,
                 .splitting = SOFT_SPLITTING},
        .task_size = task_size(m),
        .has_special = m->pte_special,
        .current = true,
    };
    begin_cpu(w, m);
    w->generation = 0;
    w->mm[0].exists = w->mm[1].exists = false;
    w->mm[0].nareas = w->mm[1].nareas = 0;
    for (unsigned i = 0; i < 4; i++)
        w->file_pages[i] = UINT32_MAX;
    w->views_wrong = w->saturated = w->gate = w->device_gone = w->killed = w->killed_other = w->diverged = w->lied =
        false;
    w->next_value = 0;
    w->npins = w->nraces = w->nanswers = w->ndeferred = w->nlate = 0;
    w->ncalls = w->ninstants = 0;
    w->split_late = 0;
    w->locks = 0;
    w->in_event = false;
    base_page(w, PFN_ZERO, PG_ZERO);
    mm_make(w, 0);
    w->space.cpu.cr3 = w->mm[0].root;
    w->space.kernel_root = w->mm[0].root;
    if (m->vsyscall && m->mode >= FL_MODE_4LEVEL) {
        w->space.kernel_root = (uint64_t)table_alloc(w, levels(w)) << PAGE_SHIFT;
        base_page(w, PFN_GATE, PG_CACHE);
        entry_put(w, entry_force(w, w->space.kernel_root, GATE, 1), leaf_make(w, 1, PFN_GATE, E_P | E_US | E_A));
        w->gate = true;
    }
}

enum fl_status fl_pin_world_apply(struct fl_pin_world *w, const struct fl_record *r)
{
    enum fl_status status;

    switch ((enum fl_record_kind)r->kind) {
    case FL_REC_AREA: status = area_record(w, r); break;
    case FL_REC_ACT: status = act(w, r); break;
    case FL_REC_RACE:
    case FL_REC_ANSWER: return race_add(w, r);
    default: return FL_INVALID;
    }
    if (w->watch)
        step(w, FL_PIN_STEP_ACT, r, status);
    return status;
}

void fl_pin_world_distrust(struct fl_pin_world *w)
{
    w->distrusted = true;
}

unsigned fl_pin_world_room(const struct fl_pin_world *w)
{
    /* Beside the call's own pages, races and looking touch a few. */
    unsigned left = GIANT_RECORDS - w->giant_records, spare = 1024;

    left = left > spare ? left - spare : 0;
    return left < FL_PIN_ROOM ? left : FL_PIN_ROOM;
}

const struct fl_gup_space *fl_pin_world_space(struct fl_pin_world *w)
{
    return &w->space;
}

void fl_pin_world_copy(struct fl_pin_world *to, const struct fl_pin_world *from)
{
    tables_copy(to, from);
    frames_copy(to, from);
    for (unsigned mm = 0; mm < 2; mm++) {
        to->mm[mm].exists = from->mm[mm].exists;
        to->mm[mm].root = from->mm[mm].root;
        to->mm[mm].nareas = from->mm[mm].nareas;
        memcpy(to->mm[mm].areas, from->mm[mm].areas, from->mm[mm].nareas * sizeof from->mm[mm].areas[0]);
    }
    memcpy(to->file_pages, from->file_pages, sizeof to->file_pages);
    to->generation = from->generation;
    to->space = from->space;
    to->machine = from->machine;
    to->pv = from->pv;
    to->gate = from->gate;
    to->saturated = from->saturated;
    to->device_gone = from->device_gone;
    to->killed = from->killed;
    to->killed_other = from->killed_other;
    to->next_value = from->next_value;
    memcpy(to->pins, from->pins, from->npins * sizeof from->pins[0]);
    to->npins = from->npins;
    to->diverged = false;
    to->lied = from->lied;
    memcpy(to->races, from->races, from->nraces * sizeof from->races[0]);
    memcpy(to->raced, from->raced, sizeof to->raced);
    to->nraces = from->nraces;
    memcpy(to->answers, from->answers, from->nanswers * sizeof from->answers[0]);
    to->nanswers = from->nanswers;
    to->ndeferred = to->nlate = 0;
    to->split_late = 0;
    to->locks = 0;
    to->in_event = false;
}

void fl_pin_world_describe(const struct fl_pin_world *w, uint64_t pfn, char *buf, size_t size)
{
    static const char *const kinds[] = {"a free page",   "an anonymous page", "the page cache",
                                        "the zero page", "device memory",     "a hugetlb page"};
    struct pg *p = page_of((struct fl_pin_world *)w, pfn); /* looking does not change what is there */
    const struct pg *head;

    if (!p) {
        snprintf(buf, size, "frame %#llx, which has no struct page", (unsigned long long)pfn);
        return;
    }
    head = p->head ? &w->pg[p->head - 1] : p;
    if (head->kind == PG_CACHE && head->file != FILE_NONE)
        snprintf(buf, size, "frame %#llx: page %u of file %u, count %d", (unsigned long long)pfn, head->index,
                 head->file, head->count);
    else
        snprintf(buf, size, "frame %#llx: %s%s, count %d", (unsigned long long)pfn, kinds[head->kind % 6],
                 head->order                                ? " (part of a huge page)"
                 : head->kind == PG_ANON && head->exclusive ? ", exclusive"
                                                            : "",
                 head->count);
}
