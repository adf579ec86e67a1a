/* SPDX-License-Identifier: MIT */
/* Tables beside the reference tables (swapper_pg_dir): one address of a fault, P3 of an SH4, all of them for a sync-all. */
#include "sections.h"

#include <inttypes.h>
#include <string.h>

#define ROWS 12 /* of a sync-all */

/* One side of one level: what is there, and where the next table lies. False: the walk of this side has ended. */
struct side {
    bool goes_on;
    uint64_t table, at, entry;
};

static void step(const struct subject *x, unsigned level, struct side *s)
{
    const struct fl_cpu *cpu = &x->state->s.cpu;
    enum fl_mode mode = (enum fl_mode)cpu->mode;
    unsigned size = entry_format(mode)->size;

    s->at = s->table + (uint64_t)entry_index(mode, level, x->access.va) * size;
    s->goes_on = capture_read(x->capture, s->at, size, &s->entry);
}

static void side_text(const struct subject *x, unsigned level, const struct side *s, char *buf, size_t size)
{
    char flags[96];

    if (!s->goes_on) {
        snprintf(buf, size, "no memory at %#" PRIx64, s->at);
        return;
    }
    entry_flags(&x->state->s.cpu, level, s->entry, flags, sizeof flags);
    if (s->entry == 0)
        snprintf(buf, size, "0");
    else
        snprintf(buf, size, "%#" PRIx64 " %s", s->entry, flags);
}

static void go_on(const struct fl_cpu *cpu, unsigned level, struct side *s)
{
    s->goes_on = s->goes_on && entry_present(s->entry) && !entry_is_leaf(cpu, level, s->entry);
    s->table = entry_address(cpu, level, s->entry);
}

static void beside(struct document *d, const struct subject *x)
{
    const struct fl_cpu *cpu = &x->state->s.cpu;
    const struct fl_kernel *kernel = &x->state->s.kernel;
    const struct fl_task *task = &x->state->s.task;
    enum fl_mode mode = (enum fl_mode)cpu->mode;
    struct side live = {true, entry_root(mode, cpu->cr3), 0, 0};
    struct side ref = {true, entry_root(mode, kernel->init_root), 0, 0};
    const char *const heads[] = {"entry", "under CR3", "reference"};

    doc_paragraph(d,
                  "The same walk under CR3 and in the reference tables at %#" PRIx64 " (vmalloc range %#" PRIx64
                  " to %#" PRIx64 ", generation %s):",
                  kernel->init_root, kernel->vmalloc_start, kernel->vmalloc_end,
                  fl_generation_name((enum fl_generation)kernel->generation));
    doc_table(d, 3, heads);
    for (unsigned level = entry_format(mode)->levels; level >= 1 && (live.goes_on || ref.goes_on); level--) {
        char name[32], left[160] = "–", right[160] = "–";
        bool both = live.goes_on && ref.goes_on, differs;

        if (live.goes_on) {
            step(x, level, &live);
            side_text(x, level, &live, left, sizeof left);
        }
        if (ref.goes_on) {
            step(x, level, &ref);
            side_text(x, level, &ref, right, sizeof right);
        }
        /* A and D are the processor's (SDM vol. 3A, 4.8) */
        differs = !both || ((live.entry ^ ref.entry) & ~UINT64_C(0x60)) != 0;
        snprintf(name, sizeof name, "%s[%u]", entry_format(mode)->name[level], entry_index(mode, level, x->access.va));
        doc_row(d, differs, (const char *const[]){name, left, right});
        go_on(cpu, level, &live);
        go_on(cpu, level, &ref);
    }
    if (task->mm_root != cpu->cr3 && task->mm_root)
        doc_paragraph(d, "CR3 is not that of current's own tables, which are at %#" PRIx64 ".", task->mm_root);
    if (task->active_root != cpu->cr3 && task->active_root != task->mm_root)
        doc_paragraph(d, "The active tables are at %#" PRIx64 ", CR3 has others.", task->active_root);
}

/* ---- SH4 --------------------------------------------------------------------------------------------------------- */

static void sh4(struct document *d, const struct subject *x)
{
    const struct fl_sh4 *sh = &x->state->sh4;
    const char *const heads[] = {"entry", "under TTB", "reference"};
    uint64_t va = x->access.va, left_at = sh->ttb + 4 * (va >> 22 & 1023),
             right_at = sh->reference + 4 * (va >> 22 & 1023);

    doc_paragraph(d,
                  "P3 address %#" PRIx64 ", under TTB %#" PRIx64 " and in the reference tables %#" PRIx64
                  ". Synchronised from %#" PRIx64 " to %#" PRIx64 ".",
                  va, sh->ttb, sh->reference, sh->fixed ? sh->p3_start : sh->vmalloc_start, sh->p3_end);
    doc_table(d, 3, heads);
    for (unsigned level = 2; level >= 1; level--) {
        uint64_t left = 0, right = 0;
        bool has_left = left_at && capture_read(x->capture, left_at, 4, &left);
        bool has_right = right_at && capture_read(x->capture, right_at, 4, &right);
        char name[24], flags[64], a[100] = "–", b[100] = "–";

        entry_flags_sh4(level, left, flags, sizeof flags);
        if (left_at)
            snprintf(a, sizeof a, has_left ? "%#" PRIx64 " %s" : "no memory at %#" PRIx64 "%s",
                     has_left ? left : left_at, has_left ? flags : "");
        entry_flags_sh4(level, right, flags, sizeof flags);
        if (right_at)
            snprintf(b, sizeof b, has_right ? "%#" PRIx64 " %s" : "no memory at %#" PRIx64 "%s",
                     has_right ? right : right_at, has_right ? flags : "");
        snprintf(name, sizeof name, "%s[%u]", level == 2 ? "pgd" : "pte",
                 (unsigned)(va >> (level == 2 ? 22 : 12)) & 1023);
        doc_row(d, left != right, (const char *const[]){name, a, b});
        /* First-level entries are P1 addresses (SH-4 hardware manual, 3.3). */
        left_at = has_left && left ? (left & 0x1ffff000) + 4 * (va >> 12 & 1023) : 0;
        right_at = has_right && right ? (right & 0x1ffff000) + 4 * (va >> 12 & 1023) : 0;
    }
}

/* ---- sync-all ----------------------------------------------------------------------------------------------------- */

static const struct fl_entry_write *expected_at(const struct capture *c, uint64_t paddr)
{
    const struct fl_entry_write *w = NULL;

    for (unsigned i = 0; i < c->nwrites; i++)
        if (c->write[i].paddr == paddr)
            w = &c->write[i]; /* the last one stays */
    return w;
}

static void one_write(struct document *d, struct capture *c, uint64_t paddr, unsigned size, const char *want)
{
    uint64_t before = 0, after = 0;
    char at[32], was[32], now[32];

    capture_read(c, paddr, size, &before);
    capture_read_after(c, paddr, size, &after);
    snprintf(at, sizeof at, "%#" PRIx64, paddr);
    snprintf(was, sizeof was, "%#" PRIx64, before);
    snprintf(now, sizeof now, "%#" PRIx64, after);
    doc_row(d, strcmp(now, want) != 0, (const char *const[]){at, was, want, now});
}

static void sync_all(struct document *d, const struct subject *x)
{
    const char *const heads[] = {"entry at", "before", "expected", "after"};
    const struct seen_call *call = x->call;
    struct capture *c = x->capture;
    unsigned shown = 0, wrong = 0, size = x->state->s.cpu.mode == FL_MODE_2LEVEL ? 4 : 8;
    char want[32];

    doc_paragraph(d, "Reference tables at %#" PRIx64 ", vmalloc range %#" PRIx64 " to %#" PRIx64 ", generation %s.",
                  call->all.kernel.init_root, call->all.kernel.vmalloc_start, call->all.kernel.vmalloc_end,
                  fl_generation_name((enum fl_generation)call->all.kernel.generation));
    for (unsigned i = 0; i < call->all.npgds && i < FL_MAX_PGDS; i++)
        doc_line(d, DOC_PLAIN, "table %u of the list: %#" PRIx64 "%s", i, call->all.pgd[i],
                 call->all.pgd[i] == call->all.cpu.cr3 ? "  (CR3)" : "");
    doc_table(d, 4, heads);
    /* First what is not as it should be, then what was written although nothing is expected there, then the rest. */
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < c->nwrites; i++) {
            uint64_t after = 0;
            bool right = capture_read_after(c, c->write[i].paddr, c->write[i].size, &after) &&
                         after == expected_at(c, c->write[i].paddr)->value;

            wrong += pass == 0 && !right;
            if (right != (pass == 1) || shown >= ROWS)
                continue;
            snprintf(want, sizeof want, "%#" PRIx64, expected_at(c, c->write[i].paddr)->value);
            one_write(d, c, c->write[i].paddr, c->write[i].size, want);
            shown++;
        }
    for (unsigned i = 0; i < call->nops && call->first_op + i < c->nops; i++) {
        const struct seen_op *o = &c->op[call->first_op + i];

        if (o->op != OP_WRITE_ENTRY || expected_at(c, o->a))
            continue;
        wrong++;
        if (shown++ < 2 * ROWS)
            one_write(d, c, o->a, size, "unchanged");
    }
    doc_paragraph(d, "%u entries are to be written, %u are not as expected afterwards%s.", c->nwrites, wrong,
                  c->nwrites > ROWS ? " (not all are shown)" : "");
}

void tell_reference(struct document *d, const struct subject *x)
{
    const struct fl_kernel *kernel = &x->state->s.kernel;

    if (x->state->is_sh4 && x->has_access)
        sh4(d, x);
    else if (x->record->kind == FL_REC_SYNCALL && x->call && x->call->kind == CALL_SYNC_ALL)
        sync_all(d, x);
    else if (x->has_access && x->access.va >= kernel->task_size && kernel->init_root &&
             (x->record->kind == FL_REC_TOUCH || (x->call && x->call->kind == CALL_FAULT && x->call->want.synced)))
        beside(d, x);
}
