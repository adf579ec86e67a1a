/* SPDX-License-Identifier: MIT */
/*
 * Comparison of one access: an executor's or a core walk's answer against the arch walk's.
 */
#include <faultline/oracle/compare.h>

#include <inttypes.h>
#include <stdio.h>

/* Page-fault error code, Intel SDM vol. 3A, 4.7; SGX and RMP bits pass through as "rest". */
enum { CODE_P = 1 << 0, CODE_W = 1 << 1, CODE_RSVD = 1 << 3, CODE_I = 1 << 4, CODE_PK = 1 << 5 };

/* Flags of an entry that maps a page, SDM vol. 3A, 4.8: the same bits in every format. */
enum { ENTRY_ACCESSED = 1 << 5, ENTRY_DIRTY = 1 << 6 };

/* Bits in the order in which a difference is blamed on them, most telling first. */
static const struct {
    uint32_t bit;
    const char *set, *clear;
} code_bits[] = {
    {1u << 0, "pf-code-p", "pf-code-no-p"},   {1u << 3, "pf-code-rsvd", "pf-code-no-rsvd"},
    {1u << 5, "pf-code-pk", "pf-code-no-pk"}, {1u << 1, "pf-code-w", "pf-code-no-w"},
    {1u << 2, "pf-code-u", "pf-code-no-u"},   {1u << 4, "pf-code-i", "pf-code-no-i"},
};

/* Why the processor faulted, as far as the code tells. */
static const char *fault_class(uint32_t code)
{
    if (!(code & CODE_P))
        return "pf-absent";
    if (code & CODE_RSVD)
        return "pf-reserved";
    if (code & CODE_PK)
        return "pf-pkey";
    return code & CODE_I ? "pf-fetch" : code & CODE_W ? "pf-write" : "pf-read";
}

static const char *class_of(enum fl_arch_kind kind, uint32_t code)
{
    switch (kind) {
    case FL_ARCH_OK: return "ok";
    case FL_ARCH_PF: return fault_class(code);
    case FL_ARCH_GP: return "gp";
    case FL_ARCH_BUS: return "bus";
    case FL_ARCH_KIND_COUNT: break;
    }
    return "unknown";
}

static void describe(const struct fl_cpu *cpu, const struct fl_access *a, const struct fl_arch_result *r, char *buf,
                     size_t size)
{
    static const char *const kinds[FL_ACCESS_KIND_COUNT] = {"read", "write", "fetch"};
    static const char *const privs[FL_ACCESS_PRIV_COUNT] = {"user", "supervisor", "implicit"};
    static const char *const modes[FL_MODE_COUNT] = {"2level", "pae", "4level", "5level"};
    snprintf(buf, size,
             "%s %s of %#" PRIx64 " (ac %d), %s, cr0 %#" PRIx64 " cr3 %#" PRIx64 " cr4 %#" PRIx64 " efer %#" PRIx64
             "\narch: level %u entry %#" PRIx64 " code %#" PRIx32,
             a->priv < FL_ACCESS_PRIV_COUNT ? privs[a->priv] : "?",
             a->kind < FL_ACCESS_KIND_COUNT ? kinds[a->kind] : "?", a->va, a->ac,
             cpu->mode < FL_MODE_COUNT ? modes[cpu->mode] : "?", cpu->cr0, cpu->cr3, cpu->cr4, cpu->efer, r->level,
             r->entry, r->error_code);
}

struct difference {
    const char *row, *expected, *actual;
    uint64_t want, got;
};

static bool differs(struct difference *diff, const char *row, const char *expected, const char *actual, uint64_t want,
                    uint64_t got)
{
    *diff = (struct difference){row, expected, actual, want, got};
    return true;
}

static bool compare_code(uint32_t want, uint32_t got, struct difference *diff)
{
    for (size_t i = 0; i < sizeof code_bits / sizeof code_bits[0]; i++) {
        if (!((got ^ want) & code_bits[i].bit))
            continue;
        bool set = (want & code_bits[i].bit) != 0;
        return differs(diff, "code", set ? code_bits[i].set : code_bits[i].clear,
                       set ? code_bits[i].clear : code_bits[i].set, want, got);
    }
    return got != want && differs(diff, "code", "pf-code-rest", "pf-code-rest-other", want, got);
}

static bool compare_leaf(const struct fl_arch_result *want, const struct fl_walk_claim *got, struct difference *diff)
{
    if (want->page_shift == 0)
        return (got->has_paddr || got->has_perm || got->has_pkey || got->has_leaf) &&
               differs(diff, "leaf", "none", "leaf", want->entry, got->has_paddr ? got->paddr : 0);
    if (got->has_leaf && got->page_shift != want->page_shift)
        return differs(diff, "page-size", "page-size", got->page_shift < want->page_shift ? "smaller" : "larger",
                       want->page_shift, got->page_shift);
    if (got->has_paddr && got->paddr != want->paddr) {
        /* A wrong offset within the page and a wrong frame are different mistakes. */
        bool frame = ((got->paddr ^ want->paddr) >> 12) != 0;
        return differs(diff, "paddr", frame ? "frame" : "offset", frame ? "frame-other" : "offset-other", want->paddr,
                       got->paddr);
    }
    if (got->has_perm && got->writable != want->writable)
        return differs(diff, "permission", want->writable ? "writable" : "read-only",
                       got->writable ? "writable" : "read-only", want->writable, got->writable);
    if (got->has_perm && got->user != want->user)
        return differs(diff, "permission", want->user ? "user" : "supervisor", got->user ? "user" : "supervisor",
                       want->user, got->user);
    if (got->has_perm && got->nx != want->nx)
        return differs(diff, "permission", want->nx ? "nx" : "executable", got->nx ? "nx" : "executable", want->nx,
                       got->nx);
    if (got->has_pkey && got->pkey != want->pkey)
        return differs(diff, "pkey", "pkey", "pkey-other", want->pkey, got->pkey);
    if (!got->has_leaf)
        return false;
    bool accessed = (want->entry & ENTRY_ACCESSED) != 0, dirty = (want->entry & ENTRY_DIRTY) != 0;
    if (got->accessed != accessed)
        return differs(diff, "accessed", accessed ? "set" : "clear", accessed ? "clear" : "set", accessed,
                       got->accessed);
    return got->dirty != dirty &&
           differs(diff, "dirty", dirty ? "set" : "clear", dirty ? "clear" : "set", dirty, got->dirty);
}

/* The entry that ended the walk, and where it lies: wherever that is, the same entry must lie there. */
static bool compare_entry(const struct fl_arch_result *want, const struct fl_walk_claim *got, struct difference *diff)
{
    if (!got->has_entry)
        return false;
    if (got->entry != want->entry)
        return differs(diff, "entry", "entry", "entry-other", want->entry, got->entry);
    return got->entry_there != want->entry &&
           differs(diff, "entry-paddr", "entry", "entry-other", want->entry, got->entry_there);
}

static bool compare_claim(const struct fl_arch_result *want, const struct fl_walk_claim *got, struct difference *diff)
{
    enum fl_arch_kind kind = got->bus ? FL_ARCH_BUS : got->gp ? FL_ARCH_GP : got->faults ? FL_ARCH_PF : FL_ARCH_OK;
    if (kind != want->kind)
        return differs(diff, "kind", class_of((enum fl_arch_kind)want->kind, want->error_code),
                       class_of(kind, got->error_code), want->error_code, got->error_code);
    if (kind == FL_ARCH_PF && compare_code(want->error_code, got->error_code, diff))
        return true;
    if (got->has_level && got->level != want->level)
        return differs(diff, "level", "level", got->level < want->level ? "lower" : "higher", want->level, got->level);
    return compare_leaf(want, got, diff) || compare_entry(want, got, diff);
}

bool fl_compare_walk(enum fl_check check, const struct fl_cpu *cpu, const struct fl_access *access,
                     const struct fl_arch_result *want, const struct fl_walk_claim *got, struct fl_divergence *d)
{
    struct difference diff = {0};
    if (!compare_claim(want, got, &diff))
        return false;
    char about[320];
    describe(cpu, access, want, about, sizeof about);
    fl_divergence_set(d, check, diff.row, diff.expected, diff.actual,
                      "arch says %s (%#" PRIx64 "), %s says %s (%#" PRIx64 ")\n%s", diff.expected, diff.want, got->who,
                      diff.actual, diff.got, about);
    return true;
}

bool fl_compare_rewalk(const struct fl_arch_result *after, const struct fl_access *a, struct fl_divergence *d)
{
    if (after->kind == FL_ARCH_OK)
        return false;
    const char *seen = class_of((enum fl_arch_kind)after->kind, after->error_code);
    fl_divergence_set(d, FL_CHECK_REWALK, "access", "ok", seen,
                      "the fault was handled, but the access to %#" PRIx64 " (kind %u, privilege %u) still ends in %s: "
                      "code %#" PRIx32 ", level %u, entry %#" PRIx64,
                      a->va, a->kind, a->priv, seen, after->error_code, after->level, after->entry);
    return true;
}
