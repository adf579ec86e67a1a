/* SPDX-License-Identifier: MIT */
/*
 * Every combination of flags on every pair of levels, for every mode, page size, access and control bit, against an
 * expectation that is worked out from the flags alone. It shares nothing with the walk: no bit position, no mask, no
 * loop over tables. Each flag's cases are counted, and so is each error code, so that no rule of the enumeration drops
 * one.
 */
#include "check.h"

#include <faultline/oracle/arch.h>

enum flag { P, RW, US, XD, RSVD, FLAG_COUNT };
static const char *const flag_names[FLAG_COUNT] = {"not P", "not RW", "not US", "XD", "RSVD"};

struct level {
    bool flag[FLAG_COUNT];
    bool accessed, dirty; /* before the access */
};

struct question {
    enum fl_mode mode;
    bool amd, pse;
    unsigned root, leaf; /* levels: 5 .. 1 */
    struct level level[6];
    bool wp, smep, smap, nxe, pke, pks, ac;
    bool user_ad, user_wd, super_ad, super_wd; /* rights of the page's key in PKRU and PKRS */
    unsigned key;
    enum fl_access_kind kind;
    enum fl_access_priv priv;
};

struct expectation {
    enum fl_arch_kind kind;
    unsigned code, level;
};

static uint64_t flag_cases[FL_MODE_COUNT][FLAG_COUNT], code_cases[FL_MODE_COUNT][64], kind_cases[FL_ARCH_KIND_COUNT];

/* ---- what is to be expected, from flags ---------------------------------------------------------------------- */

static struct expectation expect(const struct question *q)
{
    bool write = q->kind == FL_WRITE, fetch = q->kind == FL_FETCH, by_user = q->priv == FL_USER;
    bool has_nx = q->mode != FL_MODE_2LEVEL && q->nxe, keys = q->mode == FL_MODE_4LEVEL || q->mode == FL_MODE_5LEVEL;
    bool may_write = true, user_page = true, no_exec = false, denied = false, key = false;
    unsigned code = (write ? 2 : 0) + (by_user ? 4 : 0) + (fetch && (has_nx || q->smep) ? 16 : 0);

    for (unsigned n = q->root; n >= q->leaf; n--) {
        const bool *flag = q->level[n].flag;

        if (!flag[P])
            return (struct expectation){FL_ARCH_PF, code, n};
        if (flag[RSVD] && q->mode == FL_MODE_PAE && n == 3 && !q->amd)
            return (struct expectation){FL_ARCH_GP, 0, n};
        if (flag[RSVD] || (flag[XD] && !has_nx))
            return (struct expectation){FL_ARCH_PF, code + 1 + 8, n};
        may_write &= flag[RW];
        user_page &= flag[US];
        no_exec |= flag[XD];
    }
    if (by_user && !user_page)
        denied = true;
    if (write && !may_write && (by_user || q->wp))
        denied = true;
    if (fetch && no_exec)
        denied = true;
    if (fetch && !by_user && user_page && q->smep)
        denied = true;
    if (!fetch && !by_user && user_page && q->smap && (q->priv == FL_IMPLICIT || !q->ac))
        denied = true;
    if (keys && !fetch && user_page && q->pke)
        key = q->user_ad || (q->user_wd && write && (by_user || q->wp));
    if (keys && !fetch && !user_page && q->pks && !q->amd)
        key = q->super_ad || (q->super_wd && write && q->wp); /* whoever writes: SDM 4.6.2 */
    if (denied || key)
        return (struct expectation){FL_ARCH_PF, code + 1 + (key ? 32 : 0), q->leaf};
    return (struct expectation){FL_ARCH_OK, 0, q->leaf};
}

/* ---- tables that say the same, bit by bit -------------------------------------------------------------------- */

struct tables {
    unsigned entry_size;
    uint64_t at[6], entry[6]; /* by level */
};

static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct tables *t = ctx;

    *value = 0;
    for (unsigned n = 1; n <= 5; n++) {
        if (t->at[n] == paddr && size == t->entry_size)
            *value = t->entry[n];
    }
    return true;
}

/* A bit that is reserved at this level of this format, 0 where there is none. */
static uint64_t reserved_bit(const struct question *q, unsigned n)
{
    switch (q->mode) {
    case FL_MODE_2LEVEL: return n == 2 && q->leaf == 2 ? 1u << 21 : 0;
    case FL_MODE_PAE: return n == 3 ? 1u << 2 : n == 2 && q->leaf == 2 ? 1u << 13 : UINT64_C(1) << 61;
    default: break;
    }
    if (n == 4 || n == 5)
        return q->amd ? 1u << 8 : 1u << 7;
    return n == q->leaf && n > 1 ? 1u << 20 : UINT64_C(1) << 40;
}

/* Linear address 0 but for the offset: entry 0 of the table at n * 64 KiB; the page lies at 3 GiB. */
static void build(const struct question *q, struct tables *t, struct fl_cpu *cpu)
{
    memset(t, 0, sizeof *t);
    t->entry_size = q->mode == FL_MODE_2LEVEL ? 4 : 8;
    for (unsigned n = q->root; n >= q->leaf; n--) {
        const struct level *l = &q->level[n];
        bool pdpte = q->mode == FL_MODE_PAE && n == 3;
        uint64_t e = n == q->leaf ? 0xc0000000u : (n - 1) * 0x10000u;

        e |= l->flag[P] ? 1 : 0;
        if (!pdpte) {
            e |= (l->flag[RW] ? 2 : 0) | (l->flag[US] ? 4 : 0) | (l->accessed ? 0x20 : 0) | (l->dirty ? 0x40 : 0);
            e |= n == q->leaf && n > 1 ? 0x80 : 0;
        }
        if (l->flag[XD])
            e |= UINT64_C(1) << 63;
        if (l->flag[RSVD])
            e |= reserved_bit(q, n);
        if (q->root >= 4)
            e |= (uint64_t)(n == q->leaf ? q->key : 9) << 59; /* a key above the leaf is no key */
        t->at[n] = n * 0x10000u;
        t->entry[n] = e;
    }
    *cpu = (struct fl_cpu){.mode = (uint8_t)q->mode,
                           .vendor = q->amd ? FL_VENDOR_AMD : FL_VENDOR_INTEL,
                           .family = 6,
                           .maxphyaddr = 40,
                           .pse36 = true,
                           .page1gb = true,
                           .cr3 = q->root * 0x10000u,
                           .cr0 = 0x80000001u | (uint64_t)q->wp << 16,
                           .efer = (uint64_t)q->nxe << 11};
    cpu->cr4 = (uint64_t)q->pse << 4 | (uint64_t)q->smep << 20 | (uint64_t)q->smap << 21 | (uint64_t)q->pke << 22 |
               (uint64_t)q->pks << 24;
    cpu->pkru = ((uint32_t)q->user_wd << 1 | (uint32_t)q->user_ad) << (2 * q->key);
    cpu->pkrs = ((uint32_t)q->super_wd << 1 | (uint32_t)q->super_ad) << (2 * q->key);
}

static void describe(const struct question *q, char *buf, size_t size)
{
    int n =
        snprintf(buf, size,
                 "mode %d %s leaf %u wp%d smep%d smap%d nxe%d pke%d pks%d ac%d pse%d key %u (%d%d %d%d) %c%c:", q->mode,
                 q->amd ? "amd" : "intel", q->leaf, q->wp, q->smep, q->smap, q->nxe, q->pke, q->pks, q->ac, q->pse,
                 q->key, q->user_ad, q->user_wd, q->super_ad, q->super_wd, "usi"[q->priv], "rwx"[q->kind]);

    for (unsigned l = q->root; l >= q->leaf && n > 0 && (size_t)n < size; l--)
        n += snprintf(buf + n, size - (size_t)n, " %u=%s%s%s%s%s", l, q->level[l].flag[P] ? "p" : "-",
                      q->level[l].flag[RW] ? "w" : "-", q->level[l].flag[US] ? "u" : "-",
                      q->level[l].flag[XD] ? "x" : "-", q->level[l].flag[RSVD] ? "r" : "-");
}

static bool right(const struct question *q, const struct tables *t, const struct fl_arch_result *r,
                  const struct expectation *want)
{
    unsigned updates = 0;

    if (r->kind != want->kind || r->error_code != want->code || r->level != want->level)
        return false;
    if (want->kind != FL_ARCH_OK)
        return r->nwrites == 0;
    if (r->paddr != 0xc0000123)
        return false;
    for (unsigned n = q->root; n >= q->leaf; n--) {
        bool a = !q->level[n].accessed, d = n == q->leaf && q->kind == FL_WRITE && !q->level[n].dirty;

        if ((q->mode == FL_MODE_PAE && n == 3) || (!a && !d))
            continue;
        if (updates == r->nwrites || r->writes[updates].paddr != t->at[n] ||
            r->writes[updates].bits != (a ? 0x20u : 0u) + (d ? 0x40u : 0u) || r->writes[updates].size != t->entry_size)
            return false;
        updates++;
    }
    return updates == r->nwrites && r->nmaybe == 0;
}

static void ask(struct question *q)
{
    static unsigned turn;
    struct fl_access a = {.va = 0x123, .kind = (uint8_t)q->kind, .priv = (uint8_t)q->priv, .ac = q->ac};
    struct expectation want = expect(q);
    struct fl_arch_result r;
    struct tables t;
    struct fl_cpu cpu;
    char text[320];

    for (unsigned n = q->root; n >= q->leaf; n--) {
        q->level[n].accessed = turn >> n & 1; /* every pattern comes around */
        q->level[n].dirty = turn & 1;
        for (unsigned f = 0; f < FLAG_COUNT; f++)
            flag_cases[q->mode][f] += q->level[n].flag[f] == (f > US);
    }
    turn++;
    build(q, &t, &cpu);
    if (fl_arch_walk(&cpu, &a, read_entry, &t, &r) != FL_OK || !right(q, &t, &r, &want)) {
        describe(q, text, sizeof text);
        CHECK(false, "%s expected %s %#x level %u, got %s %#x level %u, %u updates", text, fl_arch_kind_name(want.kind),
              want.code, want.level, fl_arch_kind_name((enum fl_arch_kind)r.kind), r.error_code, r.level, r.nwrites);
    }
    check_count++;
    kind_cases[want.kind]++;
    if (want.kind == FL_ARCH_PF)
        code_cases[q->mode][want.code]++;
}

static void ask_accesses(struct question *q)
{
    for (unsigned kind = 0; kind < FL_ACCESS_KIND_COUNT; kind++) {
        for (unsigned priv = 0; priv < FL_ACCESS_PRIV_COUNT; priv++) {
            q->kind = (enum fl_access_kind)kind;
            q->priv = (enum fl_access_priv)priv;
            for (unsigned ac = 0; ac < 2; ac++) {
                /* EFLAGS.AC is looked at under SMAP only; a quarter of the other cases has it set as well. */
                q->ac = q->smap ? ac : ac ^ (q->wp && q->nxe);
                ask(q);
                if (!q->smap)
                    break;
            }
        }
    }
}

static void permissive(struct question *q)
{
    for (unsigned n = 1; n <= 5; n++)
        q->level[n] = (struct level){.flag = {true, true, true, false, false}};
}

/* False: there is no such flag at this level. */
static bool set_flags(const struct question *q, struct level *l, unsigned n, unsigned bits)
{
    bool pdpte = q->mode == FL_MODE_PAE && n == 3;

    for (unsigned f = 0; f < FLAG_COUNT; f++)
        l->flag[f] = (bits >> f & 1) ^ (f <= US);
    if (pdpte && (!l->flag[RW] || !l->flag[US] || l->flag[XD]))
        return false;
    if (q->mode == FL_MODE_2LEVEL && l->flag[XD])
        return false;
    return !l->flag[RSVD] || reserved_bit(q, n) != 0;
}

/* Every flag on every pair of levels, under every control bit. */
static void flags_of_pairs(enum fl_mode mode, bool amd, unsigned root, unsigned leaf, bool pse)
{
    struct question q = {.mode = mode, .amd = amd, .root = root, .leaf = leaf, .pse = pse};
    unsigned lowest_high = root > leaf ? leaf + 1 : leaf;

    for (unsigned high = root; high >= lowest_high; high--) {
        for (unsigned low = high > leaf ? high - 1 : high; low >= leaf; low--) {
            permissive(&q);
            for (unsigned bits = 0; bits < 1u << (2 * FLAG_COUNT); bits++) {
                if (!set_flags(&q, &q.level[low], low, bits & 31))
                    continue;
                if (high == low ? bits >> FLAG_COUNT != 0 : !set_flags(&q, &q.level[high], high, bits >> FLAG_COUNT))
                    continue;
                for (unsigned control = 0; control < 16; control++) {
                    q.wp = control & 1;
                    q.smep = control & 2;
                    q.smap = control & 4;
                    q.nxe = control & 8;
                    ask_accesses(&q);
                }
            }
        }
    }
}

/* Every state of a key and its enables, for user and supervisor pages that may be written or not. */
static void keys(enum fl_mode mode, bool amd, unsigned root, unsigned leaf)
{
    static const unsigned some_keys[] = {0, 1, 15};
    struct question q = {.mode = mode, .amd = amd, .root = root, .leaf = leaf, .nxe = true};

    for (unsigned state = 0; state < 1u << 10; state++) {
        for (unsigned k = 0; k < 3; k++) {
            permissive(&q);
            q.key = some_keys[k];
            q.user_ad = state & 1, q.user_wd = state & 2, q.super_ad = state & 4, q.super_wd = state & 8;
            q.pke = state & 16, q.pks = state & 32, q.wp = state & 64, q.smap = state & 128;
            q.level[leaf].flag[US] = state & 256;
            q.level[leaf].flag[RW] = state & 512;
            ask_accesses(&q);
        }
    }
}

int main(void)
{
    /* Codes that a mode can give at all: P, W, U, RSVD, I/D, PK; I/D excludes W, PK excludes RSVD, I/D and P = 0. */
    for (unsigned pse = 0; pse < 2; pse++)
        flags_of_pairs(FL_MODE_2LEVEL, false, 2, 1, pse);
    flags_of_pairs(FL_MODE_2LEVEL, true, 2, 2, true);
    for (unsigned amd = 0; amd < 2; amd++) {
        for (unsigned leaf = 1; leaf <= 2; leaf++)
            flags_of_pairs(FL_MODE_PAE, amd, 3, leaf, false);
        for (unsigned leaf = 1; leaf <= 3; leaf++) {
            flags_of_pairs(FL_MODE_4LEVEL, amd, 4, leaf, false);
            keys(FL_MODE_4LEVEL, amd, 4, leaf);
            keys(FL_MODE_5LEVEL, amd, 5, leaf);
        }
    }
    /* The two vendors differ in PML5E and PML4E only, so each has the 5-level shapes that the other has not. */
    flags_of_pairs(FL_MODE_5LEVEL, false, 5, 1, false);
    flags_of_pairs(FL_MODE_5LEVEL, true, 5, 2, false);
    flags_of_pairs(FL_MODE_5LEVEL, false, 5, 3, false);

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        for (unsigned f = 0; f < FLAG_COUNT; f++) {
            bool none = mode == FL_MODE_2LEVEL && f == XD;

            printf("mode %u %-6s %9" PRIu64 "\n", mode, flag_names[f], flag_cases[mode][f]);
            CHECK_EQ(flag_cases[mode][f] == 0, none, "cases of %s in mode %u", flag_names[f], mode);
        }
        for (unsigned code = 0; code < 64; code++) {
            bool absent = !(code & 1), w = code & 2, rsvd = code & 8, id = code & 16, pk = code & 32;
            bool can =
                !(id && w) && !(rsvd && absent) && !(pk && (rsvd || id || absent)) && !(pk && mode <= FL_MODE_PAE);

            CHECK_EQ(code_cases[mode][code] != 0, can, "error code %#x in mode %u: %" PRIu64 " cases", code, mode,
                     code_cases[mode][code]);
        }
    }
    CHECK(kind_cases[FL_ARCH_OK] && kind_cases[FL_ARCH_PF] && kind_cases[FL_ARCH_GP], "every outcome");
    printf("ok %" PRIu64 ", pf %" PRIu64 ", gp %" PRIu64 "\n", kind_cases[FL_ARCH_OK], kind_cases[FL_ARCH_PF],
           kind_cases[FL_ARCH_GP]);
    return check_done("arch-exhaustive");
}
