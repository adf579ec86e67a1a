/* SPDX-License-Identifier: MIT */
/*
 * The page tables before the failing call as a tree: what is on the path of the address, what else is there, and counts for
 * what is left out.
 */
#include "sections.h"

#include <inttypes.h>
#include <string.h>

#define LINES    44 /* for what is not on the path */
#define SIBLINGS 6  /* entries of one table beside the path that get a line */

struct tree {
    struct document *d;
    const struct subject *x;
    const struct fl_cpu *cpu;
    unsigned lines;
};

static bool read_at(const struct tree *t, uint64_t table, unsigned level, unsigned i, uint64_t *entry)
{
    unsigned size = entry_format((enum fl_mode)t->cpu->mode)->size;

    (void)level;
    return capture_read(t->x->capture, table + (uint64_t)i * size, size, entry);
}

static unsigned count_present(const struct tree *t, uint64_t table, unsigned level, unsigned *others)
{
    unsigned n = 0;
    uint64_t entry;

    *others = 0;
    for (unsigned i = 0; i < entry_count((enum fl_mode)t->cpu->mode, level); i++)
        if (read_at(t, table, level, i, &entry)) {
            n += entry_present(entry);
            *others += entry != 0 && !entry_present(entry);
        }
    return n;
}

/* "-> PDPT at 0x5000, 2 of 512 present", or what it maps. */
static void leads_to(const struct tree *t, unsigned level, uint64_t entry, char *buf, size_t size)
{
    static const char *const tables[] = {"", "", "PT", "PD", "PDPT", "PML4"};
    uint64_t address = entry_address(t->cpu, level, entry), probe;
    unsigned others, n;
    char bytes[24];

    buf[0] = 0;
    if (!entry_present(entry))
        return;
    if (entry_is_leaf(t->cpu, level, entry)) {
        size_text(UINT64_C(1) << (level == 1 ? 12 : entry_shift((enum fl_mode)t->cpu->mode, level)), bytes,
                  sizeof bytes);
        snprintf(buf, size, " → %s at %#" PRIx64, bytes, address);
        return;
    }
    if (!capture_read(t->x->capture, address, 4, &probe)) {
        snprintf(buf, size, " → %s at %#" PRIx64 ": no memory there", tables[level], address);
        return;
    }
    n = count_present(t, address, level - 1, &others);
    snprintf(buf, size, " → %s %#" PRIx64 ", %u of %u", tables[level], address, n,
             entry_count((enum fl_mode)t->cpu->mode, level - 1));
}

/* Why the walk ends at this entry of the path, and what it denies. */
static const char *mark_of(const struct tree *t, unsigned level, uint64_t entry, char *buf, size_t size,
                           enum doc_line *kind)
{
    const struct fl_arch_result *arch = &t->x->arch;
    const char *denied;

    *kind = DOC_PLAIN;
    snprintf(buf, size, "  ◀");
    if (!t->x->has_arch)
        return buf;
    if (entry_denies(t->cpu, level, entry, &t->x->access, &denied)) {
        snprintf(buf, size, "  ◀ %s", denied);
        if (arch->kind == FL_ARCH_PF)
            *kind = DOC_HERE;
    }
    if (arch->level != level)
        return buf;
    switch (arch->kind) {
    case FL_ARCH_OK: snprintf(buf, size, "  ◀ permits it"); break;
    case FL_ARCH_GP: snprintf(buf, size, "  ◀ #GP: reserved bits of a PDPTE at load"); break;
    case FL_ARCH_BUS: snprintf(buf, size, "  ◀ the walk ends here: no memory"); break;
    default:
        if (!entry_present(entry))
            snprintf(buf, size, "  ◀ the walk ends here: not present");
        else if (entry_reserved(t->cpu, level, entry))
            snprintf(buf, size, "  ◀ the walk ends here: reserved bits");
        else if (!entry_denies(t->cpu, level, entry, &t->x->access, &denied))
            snprintf(buf, size, "  ◀ the walk ends here: not permitted");
        break;
    }
    if (arch->kind != FL_ARCH_OK)
        *kind = DOC_HERE;
    return buf;
}

static void draw(struct tree *t, uint64_t table, unsigned level, bool on_path, char *prefix, size_t used)
{
    enum fl_mode mode = (enum fl_mode)t->cpu->mode;
    unsigned count = entry_count(mode, level), path = t->x->has_access ? entry_index(mode, level, t->x->access.va) : 0;
    unsigned shown[SIBLINGS + 1], nshown = 0, siblings = 0, left_out = 0;
    uint64_t entry;

    for (unsigned i = 0; i < count; i++) {
        bool mine = on_path && i == path;

        if (!read_at(t, table, level, i, &entry))
            continue;
        if (!mine && entry == 0)
            continue;
        if (!mine && (siblings == SIBLINGS || t->lines >= LINES)) {
            left_out++;
            continue;
        }
        siblings += !mine;
        t->lines += !mine;
        shown[nshown++] = i;
    }
    for (unsigned k = 0; k < nshown; k++) {
        bool mine = on_path && shown[k] == path, last = k + 1 == nshown && left_out == 0;
        char flags[96], target[80], mark[64] = "";
        enum doc_line kind = DOC_PLAIN;

        read_at(t, table, level, shown[k], &entry);
        entry_flags(t->cpu, level, entry, flags, sizeof flags);
        leads_to(t, level, entry, target, sizeof target);
        if (mine)
            mark_of(t, level, entry, mark, sizeof mark, &kind);
        doc_line(t->d, kind, "%s%s %s[%u] %#" PRIx64 "  %s%s%s", prefix, last ? "└─" : "├─",
                 entry_format(mode)->name[level], shown[k], entry, flags, target, mark);
        if (level == 1 || !entry_present(entry) || entry_is_leaf(t->cpu, level, entry) ||
            (!mine && t->lines >= LINES) || (level >= 4 && entry_reserved(t->cpu, level, entry)))
            continue;
        snprintf(prefix + used, 16, "%s", last ? "   " : "│  ");
        draw(t, entry_address(t->cpu, level, entry), level - 1, mine, prefix, strlen(prefix));
        prefix[used] = 0;
    }
    if (left_out)
        doc_line(t->d, DOC_PLAIN, "%s└─ … %u more that are not zero", prefix, left_out);
}

static void tell_walk(struct document *d, const struct subject *x)
{
    static const char *const kinds[] = {"read", "write", "fetch"};
    static const char *const privs[] = {"user", "supervisor", "implicit supervisor"};
    const struct fl_arch_result *a = &x->arch;
    const char *name = entry_format((enum fl_mode)x->state->s.cpu.mode)->name[a->level];
    char code[96];

    error_code_text(a->error_code, code, sizeof code);
    switch (a->kind) {
    case FL_ARCH_OK:
        doc_paragraph(d, "A %s %s of %#" PRIx64 " is permitted and reaches physical %#" PRIx64 " (arch walk).",
                      privs[x->access.priv], kinds[x->access.kind], x->access.va, a->paddr);
        break;
    case FL_ARCH_PF:
        doc_paragraph(
            d, "A %s %s of %#" PRIx64 " raises #PF, error code %#x (%s); the walk ends at the %s (arch walk).",
            privs[x->access.priv], kinds[x->access.kind], x->access.va, a->error_code, code, name ? name : "root");
        break;
    case FL_ARCH_GP:
        doc_paragraph(d, "A %s %s of %#" PRIx64 " raises #GP before any translation (arch walk).",
                      privs[x->access.priv], kinds[x->access.kind], x->access.va);
        break;
    default:
        doc_paragraph(d, "A %s %s of %#" PRIx64 " meets a table that lies where there is no memory (arch walk).",
                      privs[x->access.priv], kinds[x->access.kind], x->access.va);
    }
}

static void tell_x86(struct document *d, const struct subject *x)
{
    const struct fl_cpu *cpu = &x->state->s.cpu;
    enum fl_mode mode = (enum fl_mode)cpu->mode;
    static const char *const roots[] = {"PD", "PDPT", "PML4", "PML5"};
    struct tree t = {.d = d, .x = x, .cpu = cpu};
    uint64_t root = entry_root(mode, cpu->cr3);
    unsigned others, n = count_present(&t, root, entry_format(mode)->levels, &others);
    char prefix[96] = "";

    if (x->has_arch)
        tell_walk(d, x);
    doc_line(d, DOC_PLAIN, "CR3 %#" PRIx64 " → %s %#" PRIx64 ", %u of %u present", cpu->cr3, roots[mode], root, n,
             entry_count(mode, entry_format(mode)->levels));
    draw(&t, root, entry_format(mode)->levels, x->has_access, prefix, 0);
}

void tell_tables(struct document *d, const struct subject *x)
{
    if (!x->has_event || x->record->kind == FL_REC_DECODE)
        return;
    if (!x->capture->has_ram) {
        doc_section(d, "tables", "Page tables");
        doc_paragraph(d, "A second judging did not come to this event, so memory was not kept.");
        return;
    }
    doc_section(d, "tables",
                x->after    ? "Page tables after the call"
                : x->of_run ? x->call ? "Page tables before the last call" : "Page tables before the event"
                : capture_diverges(x->capture) ? "Page tables before the failing call"
                                               : "Page tables before the last call");
    if (!x->state->is_sh4 && x->record->kind != FL_REC_SYNCALL)
        tell_x86(d, x);
    tell_reference(d, x);
}
