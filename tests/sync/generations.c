/* SPDX-License-Identifier: MIT */
/*
 * Generations against each other, exhaustively: small worlds of every combination of reference, destination and
 * circumstances. An access is tried under CURRENT and under each generation of the mode until it is settled. Every
 * difference has exactly one row in the list of expected ones; equal ends have none; every row fires.
 *
 *     reference   top -> A -> B -> C -> page          live   CR3 -> FRAME_LIVE -> ...
 *     other mm    FRAME_OTHER                         PAE    FRAME_LIVE -> page directory FRAME_OWN
 */
#include "../check.h"
#include "mini.h"

#include "sync/facts.h"

#define MAX_ROWS 60

static uint64_t fired[MAX_ROWS], worlds, settled, differences;

/* ---- a world: one digit for each choice ------------------------------------------------------------------------- */

enum dim {
    D_ROOT,  /* 1: the reference's root is no memory */
    D_REF4,  /* 4-level: PML4E; PAE: PDPTE */
    D_REF3,  /* 4-level: PDPTE */
    D_REF2,  /* PDE */
    D_REF1,  /* PTE */
    D_UP,    /* PAE: the live PDPTE */
    D_SLOT,  /* the slot under CR3 */
    D_OTHER, /* the slot of the other address space */
    D_MM,    /* whose table task.mm_root and active_root are */
    D_ZERO,  /* what lies at physical 0 where a table could be seen there */
    D_LARGE, /* what lies in a large page where a table could be seen there */
    D_KIND,
    D_LAZY,
    D_RANGE,
    D_SYNC, /* sync-all before the access; 2: one that 2008 believes done already */
    DIMS
};
static const char *const dim_names[DIMS] = {"root", "ref4", "ref3",  "ref2", "ref1", "up",    "slot", "other",
                                            "mm",   "zero", "large", "kind", "lazy", "range", "sync"};

enum upper { U_NONE, U_JUNK, U_TABLE, U_WILD, U_LARGE, U_LARGE_WILD, U_COUNT };
enum pte { T_NONE, T_READ_WRITE, T_READ_ONLY, T_JUNK, T_COUNT };
enum slot {
    L_NONE,
    L_JUNK,        /* not present, another frame */
    L_JUNK_SAME,   /* not present, the reference's frame */
    L_SAME,        /* the reference's */
    L_SAME_CLEAN,  /* ... but for the accessed bit */
    L_READ_ONLY,   /* ... but without its W */
    L_OTHER_EMPTY, /* a table of its own, with nothing in it */
    L_OTHER_FULL,  /* ... that maps a page */
    L_AS_TABLE,    /* the reference's frame, the other form: large page or table */
    L_WILD,        /* present, no memory */
    L_COUNT
};
enum directory { P_NONE, P_JUNK_OWN, P_JUNK_REFERENCE, P_JUNK_WILD, P_OWN, P_REFERENCE, P_WILD, P_COUNT };
enum mm { MM_SAME, MM_OTHER, MM_NONE, MM_LOST, MM_COUNT };
enum zero { Z_NOTHING, Z_SAME, Z_OTHER, Z_COUNT };
enum in_large { I_NOTHING, I_PRESENT, I_WILD, I_COUNT };
enum kind { K_READ, K_WRITE, K_USER_READ, K_CLAIMED, K_COUNT };
enum range { R_INSIDE, R_OUTSIDE, R_BESIDE, R_LOW_INSIDE, R_COUNT };

struct world {
    enum fl_mode mode;
    unsigned digit[DIMS];
};

static unsigned choices(enum fl_mode mode, enum dim d)
{
    bool wide = mode == FL_MODE_4LEVEL, pae = mode == FL_MODE_PAE;

    switch (d) {
    case D_REF4: return wide || pae ? U_WILD + 1 : 1;
    case D_REF3: return wide ? U_COUNT : 1;
    case D_REF2: return U_COUNT;
    case D_REF1: return T_COUNT;
    case D_UP: return pae ? P_COUNT : 1;
    case D_SLOT: return L_COUNT;
    case D_OTHER: return wide ? 3 : 1;
    case D_MM: return wide ? MM_COUNT : 1;
    case D_ZERO: return Z_COUNT;
    case D_LARGE: return I_COUNT;
    case D_KIND: return K_COUNT;
    case D_RANGE: return R_COUNT;
    case D_SYNC: return 3;
    default: return 2;
    }
}

static bool is_table(unsigned digit)
{
    return digit == U_TABLE || digit == U_JUNK;
}

/* The first of several worlds that are the same for lack of what a later choice is about? */
static bool canonical(const struct world *w)
{
    const unsigned *d = w->digit;
    bool pae = w->mode == FL_MODE_PAE, wide = w->mode == FL_MODE_4LEVEL;
    bool at3 = !wide || is_table(d[D_REF4]),
         at2 = (!wide || (at3 && is_table(d[D_REF3]))) && (!pae || is_table(d[D_REF4]));
    bool at1 = at2 && is_table(d[D_REF2]);
    bool large = (at3 && d[D_REF3] == U_LARGE) || (at2 && d[D_REF2] == U_LARGE);

    if (d[D_ROOT] && (d[D_REF4] || d[D_REF3] || d[D_REF2] || d[D_REF1]))
        return false;
    if ((!at3 && d[D_REF3]) || (!at2 && d[D_REF2]) || (!at1 && d[D_REF1] && !(large && d[D_LARGE] == I_PRESENT)))
        return false;
    if (!large && d[D_LARGE])
        return false;
    if (wide && d[D_SLOT] == L_AS_TABLE)
        return false; /* no large page at the top */
    if (wide && d[D_MM] != MM_OTHER && d[D_OTHER])
        return false;
    /* Physical 0 is seen as a table under an empty slot (4-level, queued), or an absent PDPTE. */
    if (d[D_ZERO] && !(wide && d[D_LAZY]) && !(pae && d[D_UP] == P_NONE))
        return false;
    if (pae && d[D_SLOT] && d[D_UP] != P_OWN && d[D_UP] != P_JUNK_OWN)
        return false; /* no page directory of its own for it */
    /* A fault that nobody synchronises queues nothing; a claim matters only where the two fault differently. */
    if (d[D_LAZY] && (d[D_KIND] >= K_USER_READ || d[D_SYNC] == 2))
        return false;
    return !(d[D_KIND] == K_CLAIMED && !d[D_SYNC]);
}

/* ---- building it ------------------------------------------------------------------------------------------------- */

static uint64_t upper_entry(unsigned digit, unsigned table, unsigned large)
{
    switch (digit) {
    case U_JUNK: return MFRAME(table) | MRW;
    case U_TABLE: return MFRAME(table) | MT;
    case U_WILD: return MFRAME(FRAME_WILD) | MT;
    case U_LARGE: return MFRAME(large) | MPTE | MPS;
    case U_LARGE_WILD: return MFRAME(FRAME_WILD * 256) | MPTE | MPS; /* 1 GiB aligned */
    default: return 0;
    }
}

static uint64_t slot_entry(unsigned digit, uint64_t ref, bool pae_or_2level)
{
    switch (digit) {
    case L_JUNK: return MFRAME(FRAME_X) | MRW;
    case L_JUNK_SAME: return ref & ~MP;
    case L_SAME: return ref;
    case L_SAME_CLEAN: return ref ^ MA;
    case L_READ_ONLY: return ref & ~MRW;
    case L_OTHER_EMPTY: return MFRAME(pae_or_2level ? FRAME_Y : FRAME_X) | MT;
    case L_OTHER_FULL: return MFRAME(FRAME_Z) | MT;
    case L_AS_TABLE: return ref ^ MPS;
    case L_WILD: return MFRAME(FRAME_WILD) | MT;
    default: return 0;
    }
}

static void build_large(struct mini *m, const struct world *w)
{
    const unsigned *d = w->digit;
    bool at3 = w->mode == FL_MODE_4LEVEL && d[D_REF3] == U_LARGE;
    unsigned frame = at3 || w->mode == FL_MODE_2LEVEL ? FRAME_ZERO : FRAME_LARGE;

    if (d[D_LARGE] == I_PRESENT && at3) { /* seen as a table of PDEs, then one of PTEs */
        mini_put(m, mini_at(m, frame, 2), MFRAME(FRAME_C) | MT);
        mini_put(m, mini_at(m, FRAME_C, 1), d[D_REF1] ? MFRAME(FRAME_DATA) | MPTE : 0);
    } else if (d[D_LARGE] == I_PRESENT) {
        mini_put(m, mini_at(m, frame, 1), MFRAME(FRAME_DATA) | MPTE);
    } else if (d[D_LARGE] == I_WILD) {
        mini_put(m, mini_at(m, frame, at3 ? 2 : 1), MFRAME(FRAME_WILD) | (at3 ? MT : 0));
    }
}

static void build(struct mini *m, const struct world *w)
{
    static const uint64_t ptes[T_COUNT] = {[T_READ_WRITE] = MFRAME(FRAME_DATA) | MPTE,
                                           [T_READ_ONLY] = MFRAME(FRAME_DATA) | MP | MA,
                                           [T_JUNK] = MFRAME(FRAME_DATA) | MRW};
    const unsigned *d = w->digit;
    unsigned top = w->mode + 2, directory;
    uint64_t slot = upper_entry(d[D_REF2], FRAME_C, w->mode == FL_MODE_2LEVEL ? FRAME_ZERO : FRAME_LARGE), seen;

    mini_put(m, mini_at(m, FRAME_C, 1), ptes[d[D_REF1]]);
    if (top == 4) {
        mini_put(m, mini_at(m, FRAME_B, 2), slot);
        mini_put(m, mini_at(m, FRAME_A, 3), upper_entry(d[D_REF3], FRAME_B, FRAME_ZERO));
        slot = upper_entry(d[D_REF4], FRAME_A, 0);
        mini_put(m, mini_at(m, FRAME_REFERENCE, 4), slot);
        mini_put(m, mini_at(m, FRAME_LIVE, 4), slot_entry(d[D_SLOT], slot, false));
        mini_put(m, mini_at(m, FRAME_OTHER, 4),
                 slot_entry((unsigned[]){L_NONE, L_SAME, L_OTHER_EMPTY}[d[D_OTHER]], slot, false));
        mini_put(m, mini_at(m, FRAME_Z, 3), MFRAME(FRAME_Y) | MT);
        mini_put(m, mini_at(m, FRAME_Y, 2), MFRAME(FRAME_X) | MT);
        mini_put(m, mini_at(m, FRAME_X, 1), MFRAME(FRAME_DATA) | MPTE);
        seen = mini_get(m, mini_at(m, FRAME_A, 3));
        mini_put(m, mini_at(m, FRAME_ZERO, 3), d[D_ZERO] == Z_SAME ? seen : d[D_ZERO] ? MFRAME(FRAME_X) | MT : 0);
    } else {
        directory = FRAME_LIVE;
        if (top == 3) {
            static const uint64_t ups[P_COUNT] = {
                [P_JUNK_OWN] = MFRAME(FRAME_OWN),     [P_JUNK_REFERENCE] = MFRAME(FRAME_A),
                [P_JUNK_WILD] = MFRAME(FRAME_WILD),   [P_OWN] = MFRAME(FRAME_OWN) | MP,
                [P_REFERENCE] = MFRAME(FRAME_A) | MP, [P_WILD] = MFRAME(FRAME_WILD) | MP};

            mini_put(m, mini_at(m, FRAME_REFERENCE, 3), upper_entry(d[D_REF4], FRAME_A, 0) & ~(MRW | MA));
            mini_put(m, mini_at(m, FRAME_LIVE, 3), ups[d[D_UP]]);
            mini_put(m, mini_at(m, FRAME_ZERO, 2), d[D_ZERO] == Z_SAME ? slot : d[D_ZERO] ? MFRAME(FRAME_Y) | MT : 0);
            directory = FRAME_OWN;
        }
        mini_put(m, mini_at(m, top == 3 ? FRAME_A : FRAME_REFERENCE, 2), slot);
        if (top == 2 || d[D_UP] == P_OWN || d[D_UP] == P_JUNK_OWN)
            mini_put(m, mini_at(m, directory, 2), slot_entry(d[D_SLOT], slot, true));
        mini_put(m, mini_at(m, FRAME_Z, 1), MFRAME(FRAME_DATA) | MPTE);
    }
    build_large(m, w);
}

static struct mini *make(const struct world *w, enum fl_generation generation)
{
    static const unsigned whose[MM_COUNT] = {FRAME_LIVE, FRAME_OTHER, FRAME_LIVE, FRAME_WILD};
    struct mini *m = mini_machine(w->mode, generation);
    const unsigned *d = w->digit;

    if (d[D_RANGE] == R_OUTSIDE) {
        m->s.kernel.vmalloc_start = w->mode == FL_MODE_4LEVEL ? 0xffffd00000000000 : 0xfa000000;
    } else if (d[D_RANGE] == R_BESIDE) { /* just behind the end, in the same slot as the last byte inside */
        m->s.kernel.vmalloc_end = m->s.cr2 & ~UINT64_C(0xfff);
    } else if (d[D_RANGE] == R_LOW_INSIDE) {
        m->s.kernel.page_offset = w->mode == FL_MODE_4LEVEL ? 0xffffea0000000000 : 0xfc000000;
    }
    m->s.lazy_mmu = d[D_LAZY] != 0;
    m->s.task.kprobe_running = m->s.kprobe_claims = d[D_KIND] == K_CLAIMED;
    m->s.task.mm_root = m->s.task.active_root = MFRAME(whose[d[D_MM]]);
    if (d[D_ROOT])
        m->s.kernel.init_root = MFRAME(FRAME_WILD);
    if (d[D_MM] == MM_NONE)
        m->s.task.mm_root = 0;
    build(m, w);
    return m;
}

static const char *describe(const struct world *w, char *buf, size_t size)
{
    int n = snprintf(buf, size, "mode %u:", w->mode);

    for (unsigned i = 0; i < DIMS; i++)
        n += snprintf(buf + n, size - (size_t)n, " %s=%u", dim_names[i], w->digit[i]);
    return buf;
}

/* ---- trying it --------------------------------------------------------------------------------------------------- */

/* COUNT: the trace ends before the access. *before [OUT]: facts of the state before it. */
static enum fl_touch_end touch(const struct world *w, enum fl_generation generation, enum fl_touch_end current)
{
    unsigned kind = w->digit[D_KIND];
    struct mini *m = make(w, generation);
    struct fl_access a = {.va = m->s.cr2,
                          .kind = kind == K_WRITE ? FL_WRITE : FL_READ,
                          .priv = kind == K_USER_READ ? FL_USER : FL_SUPERVISOR};
    const struct fl_generation_row *rows, *named[FL_TOUCH_COUNT] = {NULL};
    unsigned matching = 0, at = 0;
    struct fl_arch_result walk;
    enum fl_touch_end end;
    uint64_t facts = 0, code;
    size_t count;
    char text[256];

    if (w->digit[D_SYNC] == 2)
        memset(m->insync, 0xff, sizeof m->insync);
    if (w->digit[D_SYNC] && mini_sync_all(m) != FL_SYNC_HANDLED)
        return FL_TOUCH_COUNT;
    CHECK(fl_arch_walk(&m->s.cpu, &a, mini_read, m, &walk) == FL_OK, "%s", describe(w, text, sizeof text));
    m->s.error_code = walk.error_code;
    if (generation != FL_GEN_CURRENT) {
        facts = fl_generation_facts(&m->s, generation);
        for (unsigned e = 0; e < FL_TOUCH_COUNT; e++)
            named[e] = fl_generation_explain(&m->s, generation, current, (enum fl_touch_end)e);
    }
    if (kind == K_CLAIMED && walk.kind == FL_ARCH_PF)
        end = FL_TOUCH_REFUSED; /* whatever the handler would have done */
    else
        end = mini_touch(m, &a, &code);
    CHECK(end != FL_TOUCH_COUNT, "%s", describe(w, text, sizeof text));
    if (generation == FL_GEN_CURRENT) {
        CHECK(end != FL_TOUCH_LOOP && end != FL_TOUCH_BUG, "current ends as %s: %s", fl_touch_end_name(end),
              describe(w, text, sizeof text));
        return end;
    }
    settled++;
    rows = fl_generation_rows(&count);
    for (unsigned i = 0; i < count; i++) {
        if ((rows[i].generations >> generation & 1) && (rows[i].current >> current & 1) && (rows[i].ends >> end & 1) &&
            (facts & rows[i].mask) == rows[i].want) {
            matching++;
            at = i;
        }
    }
    if (end == current) {
        CHECK(named[end] == NULL, "%s explains no difference: %s", named[end] ? named[end]->name : "",
              describe(w, text, sizeof text));
        return end;
    }
    differences++;
    CHECK(matching == 1, "%u rows for %s: %s instead of %s (facts %#" PRIx64 "): %s", matching,
          fl_generation_name(generation), fl_touch_end_name(end), fl_touch_end_name(current), facts,
          describe(w, text, sizeof text));
    CHECK(matching != 1 || named[end] == &rows[at], "%s", describe(w, text, sizeof text));
    if (matching == 1)
        fired[at]++;
    return end;
}

static void all_generations(const struct world *w)
{
    enum fl_touch_end current;

    worlds++;
    current = touch(w, FL_GEN_CURRENT, FL_TOUCH_COUNT);
    if (current == FL_TOUCH_COUNT)
        return;
    for (unsigned g = FL_GEN_CURRENT + 1; g < FL_GEN_COUNT; g++)
        if (fl_generation_exists(w->mode, (enum fl_generation)g))
            touch(w, (enum fl_generation)g, current);
}

static void all_worlds(enum fl_mode mode)
{
    struct world w = {.mode = mode};
    unsigned i;

    for (;;) {
        if (canonical(&w))
            all_generations(&w);
        for (i = 0; i < DIMS && ++w.digit[i] == choices(mode, (enum dim)i); i++)
            w.digit[i] = 0;
        if (i == DIMS)
            return;
    }
}

int main(void)
{
    const struct fl_generation_row *rows;
    size_t count;

    rows = fl_generation_rows(&count);
    all_worlds(FL_MODE_2LEVEL);
    all_worlds(FL_MODE_PAE);
    all_worlds(FL_MODE_4LEVEL);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, "aliased") != 0)
            CHECK(fired[i] != 0, "row %s never fires", rows[i].name);
        printf("%9" PRIu64 " %s\n", fired[i], rows[i].name);
    }
    printf("%" PRIu64 " worlds, %" PRIu64 " accesses under a historical generation, %" PRIu64 " end differently\n",
           worlds, settled, differences);
    return check_done("sync-generations");
}
